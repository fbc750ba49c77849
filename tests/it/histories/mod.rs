//! Concurrent calls: whatever happens side by side is as if it had happened one after the other.
//!
//! Clients make calls at random; each is written down with what it saw and when it began and ended. A history is good
//! when there is an order of its calls that a sequential model explains, and in which no call stands before one that had
//! ended when it began (it is linearizable). Two judges look for such an order: [`judge::by_log`] takes the one that the
//! server claims, the numbers of the entries; [`judge::by_search`] does not believe the server and tries all.

mod judge;
mod once;
mod planted;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::{Value as Json, json};

use crate::server::{JSON, REPORTEI, Server};
use crate::support::text;
use crate::traffic::Chance;

/// The documented customers, and what the model starts with: name, and whether they pay.
const CUSTOMERS: [(&str, (&str, bool)); 2] = [
    ("caedbbbe-7d93-476f-b965-bf97cd7ce874", ("Reportei Customer 1", false)),
    ("073c1e15-94d0-49b3-9861-a0e9b7ffb06c", ("Reportei Customer 2", true)),
];

/// A customer's name, and whether it pays.
type Model = BTreeMap<String, (String, bool)>;

/// One call, with what it saw. Where it saw nothing there was no such customer.
#[derive(Debug, Clone)]
enum Call {
    Create { id: String, name: String },
    Show { id: String, saw: Option<(String, bool)> },
    Rename { id: String, name: String, saw: Option<(String, bool)> },
    Pay { id: String, pays: bool, there: bool },
    Delete { id: String, there: bool },
    List { saw: Vec<(String, String)> },
}

/// A call in a history.
#[derive(Debug, Clone)]
struct Done {
    call: Call,
    /// Readings of one counter, before it was sent and after it was answered.
    begin: u64,
    end: u64,
    /// The number that the server gave it.
    entry: u64,
}

impl Call {
    /// What the call does to the model; false where the model would have answered otherwise.
    fn explain(&self, model: &mut Model) -> bool {
        match self {
            Call::Create { id, name } => model.insert(id.clone(), (name.clone(), false)).is_none(),
            Call::Show { id, saw } => model.get(id) == saw.as_ref(),
            Call::Rename { id, name, saw } => {
                if let Some(customer) = model.get_mut(id) {
                    customer.0.clone_from(name);
                }
                model.get(id) == saw.as_ref()
            }
            Call::Pay { id, pays, there } => {
                let found = model.get_mut(id);
                let same = found.is_some() == *there;
                if let Some(customer) = found {
                    customer.1 = *pays;
                }
                same
            }
            Call::Delete { id, there } => model.remove(id).is_some() == *there,
            Call::List { saw } => {
                let all = model.iter().map(|(id, (name, _))| (id.clone(), name.clone()));
                all.eq(saw.iter().cloned())
            }
        }
    }
}

fn beginning() -> Model {
    CUSTOMERS.iter().map(|(id, (name, pays))| ((*id).to_owned(), ((*name).to_owned(), *pays))).collect()
}

/// What clients share: a clock that only orders, and the ids that they have heard of.
struct Shared<'s> {
    server: &'s Server,
    sandbox: String,
    ticks: AtomicU64,
    ids: Mutex<Vec<String>>,
}

impl Shared<'_> {
    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// Makes one call at random.
    fn call(&self, chance: &mut Chance) -> Done {
        let id = chance.of(&self.ids.lock().unwrap()).clone();
        let name = format!("Name {}", chance.below(1000));
        let kind = chance.below(8);
        let pays = chance.below(2) == 0;
        let one = format!("/customers/{id}");
        let (method, path, body) = match kind {
            0 => ("POST", "/customers".to_owned(), Some(json!({ "name": name }))),
            1 | 2 => ("PUT", one, Some(json!({ "name": name }))),
            3 => ("POST", format!("{one}/update-payment-status"), Some(json!({ "is_paying": pays }))),
            4 => ("DELETE", one, None),
            5 => ("GET", "/customers?per_page=100".to_owned(), None),
            _ => ("GET", one, None),
        };
        let path = format!("/~{}/reportei{path}", self.sandbox);
        let headers: &[(&str, &str)] = if body.is_some() { &[REPORTEI, JSON] } else { &[REPORTEI] };
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let begin = self.tick();
        let answer = self.server.call(method, &path, headers, body);
        let end = self.tick();
        let there = match answer.status {
            200 | 201 => true,
            404 => false,
            _ => panic!("{method} {path}: {answer}"),
        };
        let customer = || {
            let shown = answer.json()["customer"].clone();
            (text(&shown, "name").to_owned(), shown["is_paying"].as_bool().unwrap())
        };
        let call = match kind {
            0 => {
                let id = text(&answer.json()["customer"], "uuid").to_owned();
                self.ids.lock().unwrap().push(id.clone());
                Call::Create { id, name }
            }
            1 | 2 => Call::Rename { id, name, saw: there.then(customer) },
            3 => Call::Pay { id, pays, there },
            4 => Call::Delete { id, there },
            5 => {
                let list = answer.json();
                let shown = |one: &Json| (text(one, "uuid").to_owned(), text(one, "name").to_owned());
                let mut saw: Vec<_> = list["data"].as_array().unwrap().iter().map(shown).collect();
                saw.sort();
                Call::List { saw }
            }
            _ => Call::Show { id, saw: there.then(customer) },
        };
        Done { call, begin, end, entry: answer.header("standin-entry").unwrap().parse().unwrap() }
    }
}

/// The history of a sandbox that so many clients call at once.
fn history(server: &Server, seed: u64, clients: u64, calls: usize) -> Vec<Done> {
    let sandbox = format!("history-{seed}");
    server.control("POST", "/sandboxes", Some(json!({ "id": sandbox }))).expect(201);
    let ids = CUSTOMERS.iter().map(|(id, _)| (*id).to_owned()).collect();
    let shared = Shared { server, sandbox, ticks: AtomicU64::new(0), ids: Mutex::new(ids) };
    let client = |number: u64| {
        let mut chance = Chance::new(seed * 1000 + number);
        (0..calls).map(|_| shared.call(&mut chance)).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let client = &client;
        let running: Vec<_> = (0..clients).map(|number| scope.spawn(move || client(number))).collect();
        running.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

#[test]
fn whatever_happens_side_by_side_has_an_order_that_explains_it() {
    let server = Server::start(&["--threads", "4"]);
    for seed in 0..5 {
        let history = history(&server, seed, 8, 25);
        let overlapping = history.windows(2).filter(|pair| pair[1].begin < pair[0].end).count();
        judge::by_log(&history).unwrap_or_else(|why| panic!("seed {seed}, {overlapping}: {why}"));
        assert!(judge::by_search(&history), "seed {seed}: no order explains it: {history:#?}");
        // Virtual time is one of the things that have an order: a trial that has ended does not go on again.
        let log = server.get(&format!("/~history-{seed}/_standin/log?limit=1000")).expect(200).json();
        let records = log["records"].as_array().unwrap();
        assert_eq!(records.len(), history.len());
        let at = |entry: &Json| text(entry, "at").parse::<jiff::Timestamp>().unwrap();
        for pair in records.windows(2) {
            assert!(at(&pair[0]) <= at(&pair[1]), "{} {}: time runs backwards", pair[0]["entry"], pair[1]["entry"]);
        }
    }
}

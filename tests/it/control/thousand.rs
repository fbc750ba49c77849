//! A thousand sandboxes at once, and links that lead back into the one that answered.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;
use crate::support::text;
use crate::traffic::Chance;

const SANDBOXES: usize = 1000;
const CLIENTS: u64 = 64;
const CALLS: usize = 50;

/// Chosen by path, by host or by header.
fn chosen(server: &Server, sandbox: &str, way: usize, path: &str, body: Option<Json>) -> Answer {
    let host = format!("{sandbox}.reportei.localhost:{}", server.port());
    let (path, more) = match way {
        0 => (format!("/~{sandbox}{path}"), None),
        1 => (path.to_owned(), Some(("Host", host.as_str()))),
        _ => (path.to_owned(), Some(("Standin-Sandbox", sandbox))),
    };
    let mut headers: Vec<(&str, &str)> = [REPORTEI].into_iter().chain(more).collect();
    let Some(body) = body else { return server.call("GET", &path, &headers, "") };
    headers.push(JSON);
    server.call("POST", &path, &headers, body.to_string())
}

/// Every client writes into sandboxes at random, in one of three ways to choose them. Afterwards each sandbox has what
/// was written there, in the order of its entries, and nothing else: records, journal, time and chance are its own.
#[test]
fn a_thousand_sandboxes_share_nothing() {
    let server = Server::start(&["reportei", "--freeze"]);
    let id = |number: usize| format!("s{number}");
    for number in 0..SANDBOXES {
        let clock = format!("2024-10-02T{:02}:{:02}:00Z", number / 60 % 24, number % 60);
        sandbox(&server, json!({ "id": id(number), "seed": number, "clock": clock }));
    }
    server.control("POST", "/sandboxes", None).problem(429, "sandboxes-full");
    // By sandbox and entry: the name, and the id that was drawn.
    let made: Mutex<BTreeMap<(usize, u64), (String, String)>> = Mutex::default();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (server, made) = (&server, &made);
            scope.spawn(move || {
                let mut chance = Chance::new(client);
                for call in 0..CALLS {
                    let (number, way) = (chance.below(SANDBOXES), chance.below(3));
                    let name = format!("{number}/{client}/{call}");
                    let body = Some(json!({ "name": name }));
                    let answer = chosen(server, &id(number), way, "/customers", body).expect(201);
                    let entry = answer.header("standin-entry").unwrap().parse().unwrap();
                    let drawn = text(&answer.json()["customer"], "uuid").to_owned();
                    assert!(made.lock().unwrap().insert((number, entry), (name, drawn)).is_none());
                }
            });
        }
    });
    let made = made.into_inner().unwrap();
    assert_eq!(made.len(), usize::try_from(CLIENTS).unwrap() * CALLS);
    for number in 0..SANDBOXES {
        let wanted: Vec<&(String, String)> = made.range((number, 0)..(number + 1, 0)).map(|(_, made)| made).collect();
        let records = server.get(&format!("/~{}/_standin/state/reportei/customer?limit=1000", id(number))).json();
        let records = records["records"].as_array().unwrap()[3..].iter();
        let there: Vec<(String, String)> =
            records.map(|one| (text(one, "name").to_owned(), text(one, "uuid").to_owned())).collect();
        assert!(there.iter().eq(wanted.iter().copied()), "{number}: {there:?} {wanted:?}");
        let shown = server.control("GET", &format!("/sandboxes/{}", id(number)), None).json();
        assert_eq!((&shown["entries"], &shown["seed"]), (&json!(wanted.len()), &json!(number)));
        let clock = format!("2024-10-02T{:02}:{:02}:00Z", number / 60 % 24, number % 60);
        assert_eq!(shown["clock"]["now"], clock);
    }
    // Chance follows from the seed alone, so what two worlds draw first is two things.
    let firsts: BTreeMap<&String, usize> =
        made.iter().filter(|((_, entry), _)| *entry == 1).map(|((number, _), (_, drawn))| (drawn, *number)).collect();
    assert!(firsts.len() > SANDBOXES / 2 && firsts.len() == made.keys().filter(|(_, entry)| *entry == 1).count());
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0);
}

/// A client that follows links stays in its world, in whatever way it chose it.
#[test]
fn links_lead_back_into_the_sandbox_however_it_was_chosen() {
    let (server, own) = with_own_port();
    sandbox(&server, json!({ "id": "alice" }));
    let customer = ("x-customer-token", "token-073c1e15-94d0-49b3-9861-a0e9b7ffb06c");
    let body = json!({ "redirect_url": "https://a.example" }).to_string();
    let main = ([127, 0, 0, 1], server.port()).into();
    let host = format!("alice.reportei.localhost:{}", server.port());
    type Way<'w> = (std::net::SocketAddr, &'w str, &'w [(&'w str, &'w str)]);
    let ways: [Way; 8] = [
        (main, "/~alice", &[]),
        (main, "/%7Ealice/reportei", &[]),
        (main, "/~alice/reportei/api", &[]),
        (main, "", &[("Host", &host)]),
        (main, "/~alice", &[("Host", &host)]),
        (main, "/reportei", &[("Standin-Sandbox", "alice")]),
        (own, "", &[("Standin-Sandbox", "alice")]),
        (own, "/~alice/api", &[]),
    ];
    for (round, (address, prefix, chosen)) in ways.into_iter().enumerate() {
        let headers = [&[REPORTEI, customer, JSON], chosen].concat();
        let made =
            call(address, "POST", &format!("{prefix}/customer-integrations/session"), &headers, &body).expect(200);
        let link = made.json()["integration_session"]["session_link"].clone();
        let list = call(address, "GET", &format!("{prefix}/customers"), &headers, "").expect(200).json();
        // Followed as a browser would: no header of ours, the host of the link.
        for link in [&link, &list["meta"]["path"]] {
            let rest = link.as_str().unwrap().strip_prefix("http://").unwrap();
            let (host, path) = rest.split_at(rest.find('/').unwrap());
            let to = if host.ends_with(&format!(":{}", own.port())) { own } else { main };
            call(to, "GET", path, &[REPORTEI, ("Host", host)], "").expect(200);
        }
        let total = server.get("/~alice/_standin/journal").json()["total"].clone();
        assert_eq!(total, 4 * (round + 1), "{prefix} {chosen:?}: {link}");
    }
    assert_eq!(server.control("GET", "/journal", None).json()["total"], 0);
    // The control plane's own links, too.
    for (path, headers) in [("/~alice/_standin", &[][..]), ("/_standin", &[("Standin-Sandbox", "alice")])] {
        let index = server.call("GET", path, headers, "").json();
        assert_eq!(follow(&server, &index["links"]["journal"], &[]).json()["total"], 4 * 8);
    }
}

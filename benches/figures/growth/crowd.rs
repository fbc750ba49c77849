//! Many requests at once: connections, and sandboxes that they go to.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use super::grid::{self, Effort, Line, Row, clock, request};
use super::{Curve, Heading};
use crate::client::{Client, block_on};
use crate::options::Options;
use crate::process::{Server, serve};

const MERCHANT: &str = "Authorization: Bearer reportei-test-token\r\n";
const NAME: &str = r#"{"name":"Another name"}"#;
/// Over which the sandboxes are called.
const CONNECTIONS: u64 = 32;

/// Requests in a second, and processor time for each, over connections with one under way on each. Requests are made of
/// their numbers.
async fn pace(
    server: &Server,
    connections: u64,
    time: Duration,
    request: impl Fn(u64) -> String + Clone + 'static,
) -> (f64, f64) {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::new(server.address).await);
    }
    let (before, began, sent) = (server.cpu(), Instant::now(), Rc::new(Cell::new(0)));
    let tasks = LocalSet::new();
    for mut client in clients {
        let (sent, request) = (Rc::clone(&sent), request.clone());
        tasks.spawn_local(async move {
            while began.elapsed() < time {
                let number = sent.replace(sent.get() + 1);
                client.send(request(number).as_bytes()).await;
            }
        });
    }
    tasks.await;
    let answered = sent.get() as f64;
    (answered / began.elapsed().as_secs_f64(), server.cpu().since(&before) / answered)
}

const CALLS: Heading = Heading {
    name: "connections",
    title: "Connections",
    sizes: "connections",
    explained: "\
Flat: a connection is a task of its own, and one task watches the times of all; a thousand of them lose \
some of the processor's caches.",
};

const PACE: Heading = Heading {
    name: "connections-pace",
    title: "Requests over connections",
    sizes: "connections",
    explained: "\
Rises until the processors are busy, which two connections nearly do, and falls a little with a thousand \
as their buffers leave the caches.",
};

/// Processor time for each request, and requests in a second, which stand where those of whole calls do.
fn paced((calls, pace): (&Heading, &Heading), sizes: &[u64], lines: &[Line]) -> [Curve; 2] {
    let cpu: Vec<_> = lines.iter().map(|line| (line.name, line.cpu())).collect();
    let rate: Vec<_> = lines.iter().map(|line| (line.name, line.whole())).collect();
    [
        Curve::with(calls, "processor time of the server, in µs for each request", sizes, &cpu),
        Curve::with(pace, "requests in a second", sizes, &rate),
    ]
}

pub fn connections(options: &Options) -> Vec<Curve> {
    block_on(async {
        let sizes = super::decades(1, options.number("--connections", 1_000, 1_000));
        let server = Server::start(serve(&["reportei", "--freeze", "--max-connections", "2000"]));
        let time = Duration::from_millis(options.number("--millis", 1_000, 200));
        let mut lines = vec![Line::new("list of two", sizes.len()), Line::new("update a record", sizes.len())];
        for _ in 0..options.number("--rounds", 7, 2) {
            for (index, size) in sizes.iter().enumerate() {
                client_reset(&server).await;
                let (rate, cpu) = pace(&server, *size, time, |_| request("GET /customers", MERCHANT, "")).await;
                lines[0].points[index].add(rate, cpu);
                let (rate, cpu) = pace(&server, *size, time, |_| update("")).await;
                lines[1].points[index].add(rate, cpu);
            }
        }
        paced((&CALLS, &PACE), &sizes, &lines).into()
    })
}

async fn client_reset(server: &Server) {
    Client::new(server.address).await.send(request("POST /_standin/reset", "", "").as_bytes()).await;
}

fn update(sandbox: &str) -> String {
    let path = "/customers/caedbbbe-7d93-476f-b965-bf97cd7ce874";
    request(&format!("PUT {sandbox}{path}"), MERCHANT, NAME)
}

/// A server with so many sandboxes.
struct Many {
    sandboxes: u64,
    server: Server,
    /// In KiB, of one that nobody has called, and of one that was called once.
    memory: (f64, f64),
}

impl AsRef<Server> for Many {
    fn as_ref(&self) -> &Server {
        &self.server
    }
}

fn name(number: u64) -> String {
    format!("s-{number}")
}

impl Many {
    async fn filled(sandboxes: u64) -> Self {
        let server = Server::start(serve(&["reportei", "--freeze", "--max-sandboxes", "1000000"]));
        let list = || request("GET /customers", MERCHANT, "");
        // What the first calls of all need is no sandbox's.
        super::fill::all(server.address, 1_000, move |_| list()).await;
        client_reset(&server).await;
        let empty = server.memory();
        super::fill::all(server.address, sandboxes, |number| made(&name(number))).await;
        let fresh = server.memory();
        super::fill::all(server.address, sandboxes, |number| {
            request(&format!("GET /~{}/customers", name(number)), MERCHANT, "")
        })
        .await;
        let share = |memory: u64| memory.saturating_sub(empty) as f64 / sandboxes as f64;
        Many { sandboxes, memory: (share(fresh), share(server.memory())), server }
    }
}

fn made(id: &str) -> String {
    request("POST /_standin/sandboxes", "", &format!(r#"{{"id":"{id}"}}"#))
}

fn calls() -> Vec<Row<Many>> {
    vec![
        clock(),
        Row::new("list of two, in turn", 200, |many: &Many, turn, _| {
            request(&format!("GET /~{}/customers", name(turn * 7_919 % many.sandboxes)), MERCHANT, "")
        }),
        Row::new("update a record, in turn", 200, |many: &Many, turn, _| {
            update(&format!("/~{}", name(turn * 7_919 % many.sandboxes)))
        }),
        Row::new("make a sandbox", 201, |_, turn, _| made(&format!("new-{turn}"))),
        Row::new("delete a sandbox", 204, |_, turn, _| {
            request(&format!("DELETE /_standin/sandboxes/new-{turn}"), "", "")
        }),
    ]
}

const SANDBOXES: Heading = Heading {
    name: "sandboxes",
    title: "Sandboxes",
    sizes: "sandboxes",
    explained: "\
Flat: the way to a sandbox is one look into an ordered map, and nobody looks through the others before \
one of them can have been idle for too long.",
};

const ALL_CALLS: Heading = Heading {
    name: "sandboxes-calls",
    title: "Calls of all sandboxes at once",
    sizes: "sandboxes",
    explained: "Flat but for memory: what a request reads and writes is its sandbox's own, and with ten thousand of them it \
lies in no cache of the processor.",
};

const ALL_AT_ONCE: Heading = Heading {
    name: "sandboxes-pace",
    title: "All sandboxes at once",
    sizes: "sandboxes",
    explained: "\
Flat: requests of different sandboxes share the packs, which never change, and wait for each other only \
in the list of sandboxes, which they read.",
};

const MEMORY: Heading = Heading {
    name: "sandboxes-memory",
    title: "Memory of a sandbox",
    sizes: "sandboxes",
    explained: "\
Flat: a sandbox shares packs and seed records, so that it is its own clock, counters and empty log; the \
first call adds an entry with request, answer and trace, and the counters of coverage.",
};

pub fn sandboxes(options: &Options) -> Vec<Curve> {
    block_on(async {
        let sizes = super::decades(1, options.number("--sandboxes", 10_000, 10_000));
        let mut subjects = Vec::new();
        for size in &sizes {
            subjects.push(Many::filled(*size).await);
        }
        let rounds = options.number("--rounds", 15, 3);
        let effort = Effort { rounds, calls: 50, longest: Duration::from_secs(1) };
        let lines = grid::measure(&subjects, &calls(), effort).await;
        let time = Duration::from_millis(options.number("--millis", 1_000, 200));
        let mut over = vec![Line::new("list of two", sizes.len()), Line::new("update a record", sizes.len())];
        for _ in 0..rounds.min(5) {
            for (index, many) in subjects.iter().enumerate() {
                let count = many.sandboxes;
                let listed =
                    move |number: u64| request(&format!("GET /~{}/customers", name(number % count)), MERCHANT, "");
                let (rate, cpu) = pace(&many.server, CONNECTIONS, time, listed).await;
                over[0].points[index].add(rate, cpu);
                let updated = move |number: u64| update(&format!("/~{}", name(number % count)));
                let (rate, cpu) = pace(&many.server, CONNECTIONS, time, updated).await;
                over[1].points[index].add(rate, cpu);
            }
        }
        let (fresh, called) = subjects.iter().map(|many| many.memory).unzip();
        let memory = [("nobody has called it", fresh), ("it was called once", called)];
        // What a hundred take is less than what the system counts memory by.
        let memory = memory.map(|(name, values): (_, Vec<f64>)| (name, values[3..].to_vec()));
        let mut curves = vec![Curve::of(&SANDBOXES, &sizes, &lines)];
        curves.extend(paced((&ALL_CALLS, &ALL_AT_ONCE), &sizes, &over));
        curves.push(Curve::with(&MEMORY, "KiB for each", &sizes[3..], &memory));
        curves
    })
}

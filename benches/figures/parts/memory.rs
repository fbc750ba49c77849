//! Memory in use: idle, as requests go by, for each thing that is kept, and under hostile load.
//!
//! What one of a kind costs is what many of them add, divided by their number; so it has its share of maps, indexes and of
//! what the allocator keeps in reserve. Budgets are what a change may not exceed without a reason.

use std::time::{Duration, Instant};

use super::ceiling;
use crate::client::{Client, block_on};
use crate::options::Options;
use crate::process::{Server, serve};
use crate::section::{Section, Table};
use crate::stats::grouped;

/// Over how many connections things are made.
const CONNECTIONS: u64 = 16;
/// How many requests a client makes in one turn of the steady load.
const TURN: u64 = 5;
/// How many readings the steady load has.
const READINGS: u64 = 20;
const NAME: &str = r#"{"name":"Reportei Customer 3"}"#;
/// A record that every sandbox has.
const FIRST: &str = "/customers/caedbbbe-7d93-476f-b965-bf97cd7ce874";

/// In KiB.
const IDLE: f64 = 48.0 * 1024.0;
const SANDBOX: f64 = 8.0;
const USED_SANDBOX: f64 = 16.0;
const RECORD: f64 = 2.0;
const ENTRY: f64 = 6.0;
/// How much more may be in use at the end of the steady load than when its log had just become full.
const FLAT: f64 = 1.1;

pub fn run(options: &Options) -> Section {
    let about = "Resident memory of the server's process, as the system counts it, while nothing is under way.";
    let mut section = Section::new("Memory", about);
    block_on(async {
        section.tables.push(each(options).await);
        section.tables.push(steady(options).await);
        section.tables.push(ceiling::table(options).await);
    });
    section
}

async fn each(options: &Options) -> Table {
    let sandboxes = options.number("--sandboxes", 10_000, 500);
    let records = options.number("--records", 100_000, 2_000);
    let entries = options.number("--entries", 10_000, 1_000);
    let mut table = Table::new("Of each", &["what", "#how many", "#KiB in all", "#KiB each", "#budget", ""]);
    let mut row = |what: &str, many: u64, all: u64, budget: f64| {
        let each = all as f64 / many as f64;
        table.row(vec![
            what.to_owned(),
            grouped(many as f64),
            grouped(all as f64),
            if each < 100.0 { format!("{each:.2}") } else { grouped(each) },
            grouped(budget),
            (if each <= budget { "kept" } else { "exceeded" }).to_owned(),
        ]);
    };

    let idle = Server::start(serve(&[]));
    let get = b"GET /_standin/readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    Client::new(idle.address).await.send(get).await;
    row("idle, four packs", 1, resting(&idle).await, IDLE);

    let most = (sandboxes + 10).to_string();
    let server = Server::start(serve(&["reportei", "--freeze", "--max-sandboxes", &most]));
    let before = resting(&server).await;
    many(&server, sandboxes, async |client, number| {
        client.post("/_standin/sandboxes", &format!(r#"{{"id":"s{number}"}}"#)).await;
    })
    .await;
    let made = resting(&server).await;
    row("sandbox that nobody used", sandboxes, made.saturating_sub(before), SANDBOX);
    many(&server, sandboxes, async |client, number| {
        client.post(&format!("/~s{number}/customers"), NAME).await;
    })
    .await;
    row("sandbox with a record of its own", sandboxes, resting(&server).await.saturating_sub(before), USED_SANDBOX);

    // A log that keeps nearly nothing, so that records alone add up.
    let server = Server::start(serve(&["reportei", "--freeze", "--max-journal-entries", "1"]));
    let before = resting(&server).await;
    many(&server, records, async |client, _| {
        client.post("/customers", NAME).await;
    })
    .await;
    row("record, with its indexes", records, resting(&server).await.saturating_sub(before), RECORD);

    let calls = [
        ("journal entry of a list", "GET", "/customers", ""),
        ("journal entry of a show", "GET", FIRST, ""),
        ("journal entry of an update", "PUT", FIRST, NAME),
    ];
    let bound = entries.to_string();
    for (what, method, path, body) in calls {
        let server = Server::start(serve(&["reportei", "--freeze", "--max-journal-entries", &bound]));
        let before = resting(&server).await;
        // More than are kept, so that what making room costs is in it.
        many(&server, entries * 3 / 2, async |client, _| {
            client.call(method, path, body).await;
        })
        .await;
        row(what, entries, resting(&server).await.saturating_sub(before), ENTRY);
    }
    table
}

/// Does something so many times over a few connections.
async fn many(server: &Server, times: u64, once: impl AsyncFn(&mut Client, u64)) {
    let connection = async |first: u64| {
        let mut client = Client::new(server.address).await;
        let mut number = first;
        while number < times {
            once(&mut client, number).await;
            number += CONNECTIONS;
        }
    };
    let tasks: Vec<_> = (0..CONNECTIONS).map(|first| Box::pin(connection(first))).collect();
    all(tasks).await;
}

/// Drives several futures at once until all have ended.
async fn all<F: Future<Output = ()> + Unpin>(mut tasks: Vec<F>) {
    std::future::poll_fn(|context| {
        tasks.retain_mut(|task| std::pin::Pin::new(task).poll(context).is_pending());
        if tasks.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// Memory in use once connections are gone and what was freed is given back.
async fn resting(server: &Server) -> u64 {
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.memory()
}

/// Create, list, update, show, delete, so that records do not add up.
async fn steady(options: &Options) -> Table {
    let requests = options.number("--requests", 10_000_000, 100_000);
    let server = Server::start(serve(&["reportei"]));
    let mut table = Table::new("As requests go by", &["#requests", "#MiB", "#requests/s"]);
    let mib = |kibibytes: u64| format!("{:.1}", kibibytes as f64 / 1024.0);
    table.row(vec!["0".to_owned(), mib(resting(&server).await), String::new()]);
    // The log is full after its first 10 000 entries; the first reading is taken right behind that.
    let full = 15_000.min(requests / 2);
    let mut readings = Vec::new();
    let mut done = 0;
    for reading in 0..=READINGS {
        let until = if reading == 0 { full } else { reading * (requests / READINGS) };
        if until <= done {
            continue;
        }
        let started = Instant::now();
        turns(&server, until - done).await;
        let rate = (until - done) as f64 / started.elapsed().as_secs_f64();
        done = until;
        let memory = resting(&server).await;
        readings.push(memory as f64);
        table.row(vec![grouped(done as f64), mib(memory), grouped(rate)]);
    }
    let (first, last) = (readings[0], readings[readings.len() - 1]);
    let most = readings.iter().copied().fold(0.0, f64::max);
    let kept = if last <= first * FLAT { "kept" } else { "exceeded" };
    table.remarks = format!(
        "At the end {:.2} times what was in use when the log had just become full, at most {:.2} times; the budget is {FLAT:.1} \
         at the end: {kept}.",
        last / first,
        most / first
    );
    table
}

async fn turns(server: &Server, requests: u64) {
    many(server, requests / TURN, async |client, _| {
        let made = client.post("/customers", NAME).await;
        let made: serde_json::Value = serde_json::from_slice(made).expect("JSON");
        let path = format!("/customers/{}", made["customer"]["uuid"].as_str().expect("an id"));
        client.call("GET", "/customers", "").await;
        client.call("PUT", &path, r#"{"name":"Another name"}"#).await;
        client.call("GET", &path, "").await;
        client.call("DELETE", &path, "").await;
    })
    .await;
}

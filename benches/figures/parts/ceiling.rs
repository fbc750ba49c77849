//! The most memory under hostile load, beside what the limits add up to.
//!
//! Clients do at once what each limit is there for: make sandboxes until there may be no more, fill every log with bodies of a
//! mebibyte, keep full logs in snapshots, fill the agendas, send bodies that never end, ask and never read. The limits are
//! lower than those of a start without flags, so that all of them are reached within a minute.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::{Client, TOKEN};
use crate::options::Options;
use crate::process::{Server, serve};
use crate::section::Table;

const MIB: u64 = 1 << 20;
/// The bytes of a body, which are as many as `--max-body` lets through here.
const BODY: usize = 1 << 20;
/// An integration that every sandbox has.
const INTEGRATION: &str = "4addc0da-8583-4dbb-a0e9-c7e2e8470f50";

/// The limits of the server, and how many clients try them.
struct Limits {
    sandboxes: u64,
    snapshots: u64,
    journal: u64,
    agenda: u64,
    bodies: u64,
    connections: u64,
    threads: u64,
}

/// What an event takes on the agenda, in bytes, with the input that they have here. They may take as many bytes as a log.
const EVENT: u64 = 512;
/// What one thing may take, in bytes, where no flag says so. A connection: its headers (`--max-header-bytes`), what is read ahead, and what waits to be written.
const CONNECTION: u64 = 512 << 10;
/// What a thread works with: the values of a body take 64 MiB at most, and twice that while they grow or are copied.
const WORK: u64 = 128 * MIB;

/// What a limit allows, and the memory in use once clients have tried it. Both in bytes.
struct Stage {
    what: String,
    allowed: u64,
    used: u64,
}

pub async fn table(options: &Options) -> Table {
    let limits = Limits {
        sandboxes: options.number("--hostile-sandboxes", 8, 2),
        snapshots: 2,
        journal: options.number("--hostile-journal", 16, 4) * MIB,
        agenda: options.number("--hostile-agenda", 20_000, 1_000),
        bodies: 64 * MIB,
        connections: 300,
        threads: 2,
    };
    let server = Server::start(serve(&[
        "reportei",
        "--freeze",
        "--max-sandboxes",
        &limits.sandboxes.to_string(),
        "--max-snapshots",
        &limits.snapshots.to_string(),
        "--max-journal-bytes",
        &limits.journal.to_string(),
        "--max-agenda",
        &limits.agenda.to_string(),
        "--max-body",
        &BODY.to_string(),
        "--max-body-total",
        &limits.bodies.to_string(),
        "--max-connections",
        &limits.connections.to_string(),
        "--threads",
        &limits.threads.to_string(),
    ]));
    let idle = server.memory() * 1024;
    let stages = hostile(&server, &limits).await;
    let peak = server.peak() * 1024;
    let mut client = Client::new(server.address).await;
    for _ in 0..1000 {
        client.call("GET", "/customers", "").await;
    }
    let after = server.memory() * 1024;

    let mut table = Table::new("Under hostile load", &["what clients try", "#allowed MiB", "#MiB in use then"]);
    let mib = |bytes: u64| format!("{:.0}", bytes as f64 / MIB as f64);
    table.row(vec!["nothing: one pack, idle".to_owned(), mib(idle), mib(idle)]);
    let mut ceiling = idle;
    for Stage { what, allowed, used } in stages {
        ceiling += allowed;
        table.row(vec![what, mib(allowed), mib(used)]);
    }
    table.row(vec!["**the sum of the limits, and the peak**".to_owned(), mib(ceiling), mib(peak)]);
    table.row(vec![
        "nothing any more: they are gone, and 1000 small requests made".to_owned(),
        String::new(),
        mib(after),
    ]);
    let verdict = if peak <= ceiling { "The ceiling holds." } else { "The ceiling does not hold." };
    table.remarks = format!(
        "{verdict} Each line has what the lines above it hold, too. Not in the sum, because nothing limits them: records, which \
         clients may make as many of as they like, as an API lets them."
    );
    table
}

/// Tries one limit after the other, and keeps what it has got.
async fn hostile(server: &Server, limits: &Limits) -> Vec<Stage> {
    // One value as long as it may be; and as many values as there may be, or nearly: just so many that they are still read.
    let long = format!("[\"{}\"]", "x".repeat(BODY - 4));
    let values = [format!("[{}0]", "0,".repeat(BODY / 2 - 2)), format!("[{}0]", r#"{"":0},"#.repeat(131_000))];
    let mut stages = Vec::new();
    let mut stage = |what: String, allowed: u64| {
        eprintln!("{what}");
        stages.push(Stage { what, allowed, used: server.memory() * 1024 });
    };
    // From here on they may work with that, whatever they do.
    many_values(server, &[String::new()], &values).await;
    let threads = limits.threads;
    let what = format!("JSON of many values, on {threads} threads and as many beside them, {} MiB each", WORK / MIB);
    stage(what, 2 * threads * WORK);
    // Who connects and says nothing is not waited for.
    let mut control = Client::new(server.address).await;
    let mut bases = vec![String::new()];
    // One more than there may be.
    for number in 0..=limits.sandboxes {
        let made = control.ask(&post("/_standin/sandboxes", &format!(r#"{{"id":"h{number}"}}"#))).await;
        if made == 201 {
            bases.push(format!("/~h{number}"));
        }
    }
    let many = bases.len() as u64;
    assert_eq!(many, limits.sandboxes + 1, "all sandboxes but the last are made");
    for base in &bases {
        for snapshot in 0..=limits.snapshots {
            fill(&mut control, base, limits.journal, &long).await;
            control.ask(&post(&format!("{base}/_standin/snapshots"), &format!(r#"{{"name":"p{snapshot}"}}"#))).await;
        }
    }
    let logs = many * (limits.snapshots + 1);
    stage(
        format!("fill {logs} logs (`--max-journal-bytes`), in {many} sandboxes and their snapshots"),
        logs * limits.journal,
    );
    for base in &bases {
        agenda(&mut control, base, limits.agenda).await;
    }
    let waiting = many * limits.agenda;
    stage(format!("fill agendas (`--max-agenda`): {waiting} events, {EVENT} bytes each"), waiting * EVENT);
    let newcomers = limits.connections / 2;
    let slow = idlers(server, newcomers, false).await;
    stage(format!("{newcomers} bodies that never end (`--max-body-total`)"), limits.bodies);
    let deaf = idlers(server, newcomers / 2, true).await;
    let all = limits.connections;
    stage(
        format!("answers that are never read; {all} connections may hold {} KiB each", CONNECTION >> 10),
        all * CONNECTION,
    );
    // While those hold what they have, others go on.
    many_values(server, &bases, &values).await;
    stage("the JSON once more, in all sandboxes at once".to_owned(), 0);
    drop((slow, deaf));
    stages
}

/// Sends each of these bodies again and again, from eight clients at once.
async fn many_values(server: &Server, bases: &[String], bodies: &[String]) {
    for body in bodies.iter().cycle().take(4) {
        let mut tasks = Vec::new();
        for base in bases.iter().cycle().take(8) {
            let (address, base, body) = (server.address, base.clone(), body.clone());
            tasks.push(tokio::spawn(async move {
                let mut client = Client::new(address).await;
                fill(&mut client, &base, 8 * MIB, &body).await;
            }));
        }
        for task in tasks {
            task.await.expect("the load ends");
        }
    }
}

/// Puts so many bytes into the log of a sandbox, a body at a time. They are refused, and kept in the journal.
async fn fill(client: &mut Client, base: &str, bytes: u64, body: &str) {
    let request = post(&format!("{base}/customers"), body);
    for _ in 0..bytes / MIB + 1 {
        let status = client.ask(&request).await;
        if status == 503 {
            // The connection is closed with it.
            return;
        }
        assert!((400..500).contains(&status), "an array is no customer: {status}");
    }
}

/// Asks for so many events, and some more.
async fn agenda(client: &mut Client, base: &str, events: u64) {
    const AT_ONCE: u64 = 5_000;
    let mut asked = 0;
    while asked <= events {
        let mut body = String::from(r#"{"events":["#);
        let many = AT_ONCE.min((events - asked).max(1));
        for event in 0..many {
            let comma = if event == 0 { "" } else { "," };
            let after = asked + event + 1;
            let _ = write!(
                body,
                r#"{comma}{{"pack":"reportei","event":"expire","input":{{"uuid":"{INTEGRATION}"}},"after":"{after}s"}}"#
            );
        }
        body.push_str("]}");
        client.ask(&post(&format!("{base}/_standin/clock/agenda"), &body)).await;
        asked += many;
    }
}

/// Clients that send bodies without an end, or ask and never read. They stay for as long as what is returned.
async fn idlers(server: &Server, many: u64, deaf: bool) -> Vec<TcpStream> {
    let mut held = Vec::new();
    let unfinished = {
        let mut request = post("/customers", &"x".repeat(BODY));
        request.pop();
        request
    };
    let asking = format!("GET /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {TOKEN}\r\n\r\n").repeat(20_000);
    let sent = if deaf { asking.as_bytes() } else { &unfinished };
    for _ in 0..many {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        // Whose bytes are not taken has made its point; who is refused has, too.
        let _ = tokio::time::timeout(Duration::from_millis(50), stream.write_all(sent)).await;
        held.push(stream);
    }
    held
}

fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

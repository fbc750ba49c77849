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

/// What else a limit allows, in bytes: these are not flags but properties of the program.
///
/// A thing on the agenda, with its input.
const EVENT: u64 = 1536;
/// A connection: its headers (`--max-header-bytes`), what is read ahead, and what waits to be written.
const CONNECTION: u64 = 512 << 10;
/// A body of `--max-body` that is read as JSON, for each thread: 2 MiB of short values, which take the most.
const PARSED: u64 = 128 * MIB;

impl Limits {
    /// Each limit with what it allows.
    fn sum(&self) -> Vec<(String, u64)> {
        let logs = (self.sandboxes + 1) * (self.snapshots + 1);
        let waiting = (self.sandboxes + 1) * self.agenda;
        vec![
            (format!("{logs} logs of `--max-journal-bytes`: sandboxes and their snapshots"), logs * self.journal),
            (format!("{waiting} things on agendas (`--max-agenda`), {EVENT} bytes each"), waiting * EVENT),
            ("bodies that are being read (`--max-body-total`)".to_owned(), self.bodies),
            (format!("{} connections, {} KiB each", self.connections, CONNECTION >> 10), self.connections * CONNECTION),
            (
                format!("{} bodies that are read as JSON, {} MiB each", self.threads, PARSED / MIB),
                self.threads * PARSED,
            ),
        ]
    }
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
        "--max-body-total",
        &limits.bodies.to_string(),
        "--max-connections",
        &limits.connections.to_string(),
        "--threads",
        &limits.threads.to_string(),
    ]));
    let idle = server.memory() * 1024;
    hostile(&server, &limits).await;
    let peak = server.peak() * 1024;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = server.memory() * 1024;

    let mut table = Table::new("Under hostile load", &["what", "#MiB"]);
    let mib = |bytes: u64| format!("{:.0}", bytes as f64 / MIB as f64);
    table.row(vec!["idle, one pack".to_owned(), mib(idle)]);
    let mut ceiling = idle;
    for (what, bytes) in limits.sum() {
        ceiling += bytes;
        table.row(vec![what, mib(bytes)]);
    }
    table.row(vec!["**ceiling: the sum**".to_owned(), mib(ceiling)]);
    table.row(vec!["**peak under load**".to_owned(), mib(peak)]);
    table.row(vec!["a second after the clients have gone".to_owned(), mib(after)]);
    let verdict = if peak <= ceiling { "The ceiling holds." } else { "The ceiling does not hold." };
    table.remarks = format!(
        "{verdict} Not in the sum, because nothing limits them: the records themselves, which clients may make as many of as \
         they like in a sandbox, as an API lets them."
    );
    table
}

async fn hostile(server: &Server, limits: &Limits) {
    let mut control = Client::new(server.address).await;
    let mut bases = vec![String::new()];
    // One more than there may be.
    for number in 0..=limits.sandboxes {
        let made = control.ask(&post("/_standin/sandboxes", &format!(r#"{{"id":"h{number}"}}"#))).await;
        if made == 201 {
            bases.push(format!("/~h{number}"));
        }
    }
    assert_eq!(bases.len() as u64, limits.sandboxes + 1, "all sandboxes but the last are made");
    for base in &bases {
        for snapshot in 0..=limits.snapshots {
            fill(&mut control, base, limits.journal).await;
            control.ask(&post(&format!("{base}/_standin/snapshots"), &format!(r#"{{"name":"p{snapshot}"}}"#))).await;
        }
        agenda(&mut control, base, limits.agenda).await;
    }
    let held = idlers(server, limits).await;
    // While those hold what they have, others go on.
    for _ in 0..4 {
        let mut tasks = Vec::new();
        for base in bases.iter().take(8) {
            let (address, base) = (server.address, base.clone());
            tasks.push(tokio::spawn(async move {
                let mut client = Client::new(address).await;
                fill(&mut client, &base, 8 * MIB).await;
            }));
        }
        for task in tasks {
            task.await.expect("the load ends");
        }
    }
    drop(held);
}

/// Puts so many bytes into the log of a sandbox, a mebibyte at a time. They are refused, and kept in the journal.
async fn fill(client: &mut Client, base: &str, bytes: u64) {
    let long = format!("[\"{}\"]", "x".repeat(MIB as usize - 4));
    let many = format!("[{}0]", "0,".repeat(MIB as usize / 2 - 2));
    for number in 0..bytes / MIB + 1 {
        let body = if number % 2 == 0 { &long } else { &many };
        let status = client.ask(&post(&format!("{base}/customers"), body)).await;
        assert!((400..500).contains(&status) || status == 503, "an array is no customer: {status}");
        if status == 503 {
            // The connection is closed with it.
            return;
        }
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

/// Clients that send bodies without an end, and clients that ask and never read. They stay for as long as what is returned.
async fn idlers(server: &Server, limits: &Limits) -> Vec<TcpStream> {
    let mut held = Vec::new();
    let size = 2 * MIB;
    let head = format!(
        "POST /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    );
    let piece = vec![b'x'; size as usize - 1];
    let get = format!("GET /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {TOKEN}\r\n\r\n").repeat(200);
    let newcomers = limits.connections * 2 / 3;
    for number in 0..newcomers {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        let never_reads = number % 4 == 0;
        let sent = async {
            if never_reads {
                for _ in 0..100 {
                    stream.write_all(get.as_bytes()).await?;
                }
            } else {
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&piece).await?;
            }
            Ok::<_, std::io::Error>(())
        };
        // Whose bytes are not taken has made its point; who is refused has, too.
        let _ = tokio::time::timeout(Duration::from_millis(50), sent).await;
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

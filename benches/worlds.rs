//! What forks, snapshots, restores and rewinds cost, with ten records and with a million.
//!
//! `taskset -c 0 cargo bench --bench worlds` starts one server for each number of records, fills it by API calls, and times
//! calls of the control plane; both servers take their turn in one run. Both logs are as full as they can be, with the same
//! updates. The time is that of the whole call; a call that only reads the clock says how much of it is the way there and
//! back. On one processor, because on several that way is three times as long or not, as the system places the processes.
//! The calls are made in blocks; the median of the quickest block counts, and that of all is shown beside it.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod shared;

use std::process::Command;
use std::time::Instant;

use shared::{Client, Server, median, min, number};

/// Over how many connections the records are made.
const CONNECTIONS: u64 = 16;
/// How many updates follow: more than a log keeps.
const UPDATES: u64 = 12_000;
const BLOCKS: usize = 40;

fn main() {
    let (few, many) = (number("--few", 10), number("--many", 1_000_000));
    let calls = usize::try_from(number("--calls", 50)).expect("a number of calls");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (few_server, many_server) = (filled(few).await, filled(many).await);
        println!("{BLOCKS} blocks of {calls} calls; the quickest block (all) in microseconds\n");
        println!("{:<44} {few:>16} {many:>16}    ratio", "records");
        for operation in OPERATIONS {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            for block in 0..BLOCKS {
                first.push(timed(&few_server, operation, block, calls).await);
                second.push(timed(&many_server, operation, block, calls).await);
            }
            let shown = |medians: &[f64]| format!("{:.0} ({:.0})", min(medians), median(medians.to_vec()));
            let ratio = min(&second) / min(&first);
            println!("{:<44} {:>16} {:>16} {ratio:>8.2}", operation.name(), shown(&first), shown(&second));
        }
    });
}

/// The median of a block of calls.
async fn timed(server: &Server, operation: Operation, block: usize, calls: usize) -> f64 {
    let mut client = Client::new(server.address).await;
    let mut times = Vec::new();
    for call in 0..calls {
        times.push(once(&mut client, operation, block * calls + call).await);
    }
    median(times)
}

#[derive(Clone, Copy)]
enum Operation {
    Clock,
    Fork,
    ForkSnapshot,
    Create,
    CreateInFork,
    Delete,
    Snapshot,
    Restore,
    Rewind,
}

const OPERATIONS: [Operation; 9] = [
    Operation::Clock,
    Operation::Fork,
    Operation::CreateInFork,
    Operation::Delete,
    Operation::Snapshot,
    Operation::ForkSnapshot,
    Operation::Create,
    Operation::Restore,
    Operation::Rewind,
];

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Operation::Clock => "read the clock (nothing else)",
            Operation::Fork => "fork a sandbox",
            Operation::ForkSnapshot => "fork a snapshot, and delete the fork",
            Operation::Create => "create a record",
            Operation::CreateInFork => "create the first record of a fork",
            Operation::Delete => "delete a fork",
            Operation::Snapshot => "take a snapshot",
            Operation::Restore => "restore a snapshot, after a create",
            Operation::Rewind => "rewind to before a create",
        }
    }
}

/// A record that every world has.
const FIRST: &str = "/customers/caedbbbe-7d93-476f-b965-bf97cd7ce874";
const NAME: &str = r#"{"name":"One more"}"#;

/// Does something once, and says how many microseconds the call took that it is about.
async fn once(client: &mut Client, operation: Operation, round: usize) -> f64 {
    let fork = format!("fork-{round}");
    let snapshot = format!("snapshot-{round}");
    // What is to be undone.
    if matches!(operation, Operation::Restore | Operation::Rewind) {
        client.post("/customers", NAME).await;
    }
    let entry = if matches!(operation, Operation::Rewind) { client.header("standin-entry") } else { String::new() };
    let started = Instant::now();
    match operation {
        Operation::Clock => client.call("GET", "/_standin/clock", "").await,
        Operation::Fork => client.post("/_standin/sandboxes", &format!(r#"{{"id":"{fork}","from":"default"}}"#)).await,
        Operation::ForkSnapshot => {
            let id = format!("other-{round}");
            client.post("/_standin/sandboxes", &format!(r#"{{"id":"{id}","from":"default@{snapshot}"}}"#)).await;
            client.call("DELETE", &format!("/_standin/sandboxes/{id}"), "").await
        }
        Operation::Create => client.post("/customers", NAME).await,
        Operation::CreateInFork => client.post(&format!("/~{fork}/customers"), NAME).await,
        Operation::Delete => client.call("DELETE", &format!("/_standin/sandboxes/{fork}"), "").await,
        Operation::Snapshot => client.post("/_standin/snapshots", &format!(r#"{{"name":"{snapshot}"}}"#)).await,
        Operation::Restore => client.post(&format!("/_standin/snapshots/{snapshot}/restore"), "{}").await,
        Operation::Rewind => client.post("/_standin/rewind", &format!(r#"{{"to":{entry}}}"#)).await,
    };
    started.elapsed().as_secs_f64() * 1e6
}

/// A server with so many records of one resource.
async fn filled(records: u64) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_standin"));
    command.args(["serve", "reportei", "--port", "0", "--freeze", "--log", "off"]);
    command.args(["--max-sandboxes", "100000", "--max-snapshots", "100000"]);
    let server = Server::start(command);
    let mut tasks = Vec::new();
    for connection in 0..CONNECTIONS {
        let share = records / CONNECTIONS + u64::from(connection < records % CONNECTIONS);
        let address = server.address;
        tasks.push(tokio::spawn(async move {
            let mut client = Client::new(address).await;
            for _ in 0..share {
                client.post("/customers", NAME).await;
            }
            for _ in 0..UPDATES / CONNECTIONS {
                client.call("PUT", FIRST, NAME).await;
            }
        }));
    }
    for task in tasks {
        task.await.expect("the records are made");
    }
    println!("{records} records: {} MiB", server.memory() >> 10);
    server
}

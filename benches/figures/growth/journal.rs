//! Numbers of journal entries: a log that is at its bound, so that each entry makes an older one go.

use std::time::Duration;

use super::grid::{self, Effort, Row, clock, request};
use super::{Curve, Heading, fill};
use crate::client::block_on;
use crate::options::Options;
use crate::process::{Server, serve};

/// A server whose log keeps so many entries, and has had more.
struct Bound(Server);

impl AsRef<Server> for Bound {
    fn as_ref(&self) -> &Server {
        &self.0
    }
}

const MERCHANT: &str = "Authorization: Bearer reportei-test-token\r\n";
/// A customer that every sandbox has.
const CUSTOMER: &str = "/customers/caedbbbe-7d93-476f-b965-bf97cd7ce874";
const NAME: &str = r#"{"name":"Another name"}"#;

impl Bound {
    async fn filled(entries: u64) -> Self {
        let server = Server::start(serve(&[
            "reportei",
            "--freeze",
            "--max-journal-entries",
            &entries.to_string(),
            "--max-journal-bytes",
            &(4_u64 << 30).to_string(),
        ]));
        fill::all(server.address, entries + entries / 10 + 10, |number| match number % 2 {
            0 => request(&format!("GET {CUSTOMER}"), MERCHANT, ""),
            _ => request(&format!("PUT {CUSTOMER}"), MERCHANT, NAME),
        })
        .await;
        Bound(server)
    }
}

fn journal(query: &str) -> String {
    request(&format!("GET /_standin/journal?{query}"), "", "")
}

fn calls() -> Vec<Row<Bound>> {
    vec![
        clock(),
        Row::new("show a record", 200, |_, _, _| request(&format!("GET {CUSTOMER}"), MERCHANT, "")),
        Row::new("update a record", 200, |_, _, _| request(&format!("PUT {CUSTOMER}"), MERCHANT, NAME)),
    ]
}

fn questions() -> Vec<Row<Bound>> {
    vec![
        clock(),
        Row::new("the newest 10 entries", 200, |_, _, _| journal("order=newest&limit=10")),
        Row::new("the oldest 10 entries", 200, |_, _, _| journal("limit=10")),
        Row::new("count, by operation", 200, |_, _, _| {
            request("POST /_standin/journal/count", "", r#"{"operation":"show"}"#)
        }),
        Row::new("count, by status", 200, |_, _, _| request("POST /_standin/journal/count", "", r#"{"status":404}"#)),
        Row::new("list, by pattern of the path", 200, |_, _, _| journal("pathPattern=nowhere$")),
        Row::new("list, by text", 200, |_, _, _| journal("text=nowhere")),
        Row::new("count, by body", 200, |_, _, _| {
            request("POST /_standin/journal/count", "", r#"{"body":{"name":"nobody"}}"#)
        }),
        Row::new("what no operation answered", 200, |_, _, _| request("GET /_standin/journal/unmatched", "", "")),
    ]
}

const CALLS: Heading = Heading {
    name: "journal-calls",
    title: "Calls with a full log",
    sizes: "entries that are kept",
    explained: "\
Flat: an entry that comes makes one go, and both ends of the log are at hand however long it is.",
};

const QUESTIONS: Heading = Heading {
    name: "journal-read",
    title: "Reading the journal",
    sizes: "entries that are kept",
    explained: "\
Rises with the entries that are kept, because `total` counts all that fulfil the conditions; the bound \
of the log is the bound of the answer's time, and nobody waits for it, because what is searched is a \
copy.",
};

const MEMORY: Heading = Heading {
    name: "journal-memory",
    title: "Memory of the journal",
    sizes: "entries that are kept",
    explained: "\
A straight line: 1.2 KiB for each entry, with request, answer and trace, up to the bound that \
`--max-journal-entries` and `--max-journal-bytes` set.",
};

pub fn run(options: &Options) -> Vec<Curve> {
    block_on(async {
        let sizes = super::decades(10, options.number("--entries", 100_000, 10_000));
        let mut subjects = Vec::new();
        for size in &sizes {
            subjects.push(Bound::filled(*size).await);
        }
        let memory: Vec<f64> = subjects.iter().map(|bound| bound.0.memory() as f64 / 1024.0).collect();
        let rounds = options.number("--rounds", 15, 3);
        let many = Effort { rounds, calls: 100, longest: Duration::from_secs(1) };
        let some = Effort { rounds: rounds.min(5), calls: 10, longest: Duration::from_millis(100) };
        vec![
            Curve::of(&CALLS, &sizes, &grid::measure(&subjects, &calls(), many).await),
            Curve::of(&QUESTIONS, &sizes, &grid::measure(&subjects, &questions(), some).await),
            Curve::with(&MEMORY, "MiB in use", &sizes, &[("all", memory)]),
        ]
    })
}

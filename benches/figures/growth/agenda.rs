//! Numbers of things that wait for their instant: asking for them, letting all of them happen, keeping them.

use std::fmt::Write as _;
use std::time::Instant;

use super::grid::{Line, request};
use super::{Curve, Heading};
use crate::client::{Client, block_on};
use crate::options::Options;
use crate::process::{Server, serve};
use crate::stats::median;

const YEARS: u64 = 20;
const SECONDS: u64 = YEARS * 365 * 86_400;
/// How many events are asked for in one call.
const AT_ONCE: u64 = 5_000;
/// An integration that every sandbox has. It expires and is connected again by turns, so that every event changes a record.
const INTEGRATION: &str = "4addc0da-8583-4dbb-a0e9-c7e2e8470f50";

const EVENTS: Heading = Heading {
    name: "agenda",
    title: "What is to happen",
    sizes: "events",
    explained: "\
Nearly flat: each event costs what its change, its entry in the log and what a rewind needs cost, and \
the agenda is a map that is a level deeper for 16 to 32 times as many.",
};

const MEMORY: Heading = Heading {
    name: "agenda-memory",
    title: "Memory of what is to happen",
    sizes: "events",
    explained: "\
Flat where there are enough to be measured: an event that waits keeps its input.",
};

pub fn run(options: &Options) -> Vec<Curve> {
    block_on(async {
        let sizes = super::decades(1_000, options.number("--events", 1_000_000, 10_000));
        let servers: Vec<Server> = sizes
            .iter()
            .map(|size| {
                let (things, bytes) = ((size + 10).to_string(), (1_u64 << 30).to_string());
                let limits = ["--max-agenda", &things, "--max-journal-bytes", &bytes];
                Server::start(serve(&[&["reportei", "--freeze"][..], &limits].concat()))
            })
            .collect();
        let mut asked = Line::new("ask for an event", sizes.len());
        let mut happened = Line::new("let it happen", sizes.len());
        let mut memory: Vec<Vec<f64>> = sizes.iter().map(|_| Vec::new()).collect();
        for round in 0..options.number("--agendas", 3, 2) {
            for (index, (size, server)) in sizes.iter().zip(&servers).enumerate() {
                let mut client = Client::new(server.address).await;
                client.send(request("POST /_standin/reset", "", "").as_bytes()).await;
                let empty = server.memory();
                let share = 1.0 / *size as f64;
                let (began, before) = (Instant::now(), server.cpu());
                for first in (0..*size).step_by(AT_ONCE.try_into().unwrap_or(usize::MAX)) {
                    let body = events(first..(*size).min(first + AT_ONCE), *size);
                    client.send(request("POST /_standin/clock/agenda", "", &body).as_bytes()).await;
                }
                let (whole, cpu) = (began.elapsed().as_secs_f64() * 1e6, server.cpu().since(&before));
                asked.points[index].add(whole * share, cpu * share);
                // Later rounds find memory that the round before has left.
                if round == 0 {
                    memory[index].push(server.memory().saturating_sub(empty) as f64 * share);
                }
                let (began, before) = (Instant::now(), server.cpu());
                let body = format!(r#"{{"by":"{SECONDS}s"}}"#);
                client.send(request("POST /_standin/clock/advance", "", &body).as_bytes()).await;
                let (whole, cpu) = (began.elapsed().as_secs_f64() * 1e6, server.cpu().since(&before));
                happened.points[index].add(whole * share, cpu * share);
            }
        }
        // What a thousand take is less than what came with them.
        let memory = memory[1..].iter().map(|values| median(values)).collect();
        vec![
            Curve::of(&EVENTS, &sizes, &[asked, happened]),
            Curve::with(&MEMORY, "KiB for each that waits", &sizes[1..], &[("an event with its input", memory)]),
        ]
    })
}

/// Some of so many events, which are spread evenly.
fn events(some: std::ops::Range<u64>, all: u64) -> String {
    let mut body = String::from(r#"{"events":["#);
    for (index, event) in some.enumerate() {
        let name = if event % 2 == 0 { "expire" } else { "reconnect" };
        let after = 1 + event * (SECONDS - 2) / all;
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"pack":"reportei","event":"{name}","input":{{"uuid":"{INTEGRATION}"}},"after":"{after}s"}}"#
        );
    }
    body.push_str("]}");
    body
}

//! What twenty years cost, with a thousand things on the agenda and with a million.
//!
//! `cargo bench --bench agenda` starts one server for each number, asks for so many events, spread evenly over twenty years,
//! and times the one call that advances the clock by that; the servers take their turn in one run. An integration expires
//! and is connected again by turns, so every event changes a record. What is shown is the time for each event, and the
//! memory in use before and after.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod shared;

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use shared::{Client, Server, median, min, number};

const YEARS: u64 = 20;
/// How many events are asked for in one call.
const AT_ONCE: u64 = 5_000;
/// An integration that every sandbox has.
const INTEGRATION: &str = "4addc0da-8583-4dbb-a0e9-c7e2e8470f50";

fn main() {
    let (few, many) = (number("--few", 1_000), number("--many", 1_000_000));
    let rounds = number("--rounds", 5);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let servers = [(few, server(few)), (many, server(many))];
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (times, (events, server)) in times.iter_mut().zip(&servers) {
                times.push(advanced(server, *events).await);
            }
        }
        println!("{YEARS} years, {rounds} rounds; microseconds for each event: the quickest round (median)\n");
        for (times, (events, _)) in times.iter().zip(&servers) {
            let whole = min(times) * f64::from(u32::try_from(*events).unwrap_or(u32::MAX)) / 1e6;
            println!("{events:>10} events: {:>7.2} ({:.2}), {whole:.2} s in all", min(times), median(times.clone()));
        }
        println!("ratio: {:.2}", min(&times[1]) / min(&times[0]));
    });
}

fn server(events: u64) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_standin"));
    command.args(["serve", "reportei", "--port", "0", "--freeze", "--log", "off"]);
    command.args(["--max-agenda", &(events + 10).to_string()]);
    Server::start(command)
}

/// Fills the agenda of a new sandbox, advances its time, and says how many microseconds each event took.
async fn advanced(server: &Server, events: u64) -> f64 {
    let mut client = Client::new(server.address).await;
    client.post("/_standin/reset", "").await;
    let seconds = YEARS * 365 * 86_400;
    let mut asked = 0;
    while asked < events {
        let mut body = String::from(r#"{"events":["#);
        for event in asked..events.min(asked + AT_ONCE) {
            let name = if event % 2 == 0 { "expire" } else { "reconnect" };
            let after = 1 + event * (seconds - 2) / events;
            let comma = if event == asked { "" } else { "," };
            let _ = write!(
                body,
                r#"{comma}{{"pack":"reportei","event":"{name}","input":{{"uuid":"{INTEGRATION}"}},"after":"{after}s"}}"#
            );
        }
        body.push_str("]}");
        client.post("/_standin/clock/agenda", &body).await;
        asked += AT_ONCE;
    }
    let before = server.memory() >> 10;
    let body = format!(r#"{{"by":"{seconds}s"}}"#);
    let started = Instant::now();
    client.post("/_standin/clock/advance", &body).await;
    let took = started.elapsed().as_secs_f64();
    println!("{events:>10} events: {took:.2} s, {before} MiB before, {} MiB after", server.memory() >> 10);
    took * 1e6 / f64::from(u32::try_from(events).unwrap_or(u32::MAX))
}

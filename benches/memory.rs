//! Whether memory stays what it is over a million requests.
//!
//! `cargo bench --bench memory` calls a server over 16 connections: create a record, list, update, show, delete it.
//! What is created goes again, so that records do not add up; journal and log are bounded. The table
//! shows the memory in use as requests go by.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod shared;

use std::process::Command;
use std::time::{Duration, Instant};

use shared::{Client, Server, number};

const CONNECTIONS: u64 = 16;
/// How many requests a client makes in one turn.
const TURN: u64 = 5;

fn main() {
    let requests = number("--requests", 1_000_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut command = Command::new(env!("CARGO_BIN_EXE_standin"));
        command.args(["serve", "reportei", "--port", "0", "--log", "off"]);
        let server = Server::start(command);
        println!("{:>10} {:>10} {:>12}", "requests", "MiB", "requests/s");
        println!("{:>10} {:>10.1}", 0, server.memory() as f64 / 1024.0);
        let step = requests / 20;
        for piece in 1..=20 {
            let started = Instant::now();
            load(&server, step).await;
            // What clients of this piece held is given back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            let rate = step as f64 / started.elapsed().as_secs_f64();
            println!("{:>10} {:>10.1} {rate:>12.0}", piece * step, server.memory() as f64 / 1024.0);
        }
    });
}

async fn load(server: &Server, requests: u64) {
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let address = server.address;
        tasks.push(tokio::spawn(async move {
            let mut client = Client::new(address).await;
            for _ in 0..requests / CONNECTIONS / TURN {
                let made = client.post("/customers", r#"{"name":"Reportei Customer 3"}"#).await;
                let made: serde_json::Value = serde_json::from_slice(made).expect("JSON");
                let path = format!("/customers/{}", made["customer"]["uuid"].as_str().expect("an id"));
                client.call("GET", "/customers", "").await;
                client.call("PUT", &path, r#"{"name":"Another name"}"#).await;
                client.call("GET", &path, "").await;
                client.call("DELETE", &path, "").await;
            }
        }));
    }
    for task in tasks {
        task.await.expect("the load ends");
    }
}

//! How much of a bare hyper server's throughput is left, and how much processor time a request costs.
//!
//! `cargo bench --bench throughput` starts two servers as processes of their own, a bare hyper server that sends the
//! same bodies and the real one, and loads them in turn over 32 connections on loopback. Both take their turn in one
//! run, so that a noisy machine is noisy for both; the table gives medians over the rounds.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod shared;

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;

use shared::{Client, Server, TOKEN, max, median, min, number};

const CONNECTIONS: usize = 32;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--bare") {
        return bare();
    }
    let rounds = number("--rounds", 7);
    let seconds = Duration::from_millis(number("--millis", 2000));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(compare(rounds, seconds));
}

struct Case {
    name: &'static str,
    request: String,
    goal: f64,
}

fn cases() -> Vec<Case> {
    let get = format!(
        "GET /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {TOKEN}\r\nAccept: application/json\r\n\r\n"
    );
    let body = r#"{"name":"Reportei Customer 3"}"#;
    let post = format!(
        "POST /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // The list has one page of two records until the creates come, which have a sandbox of their own.
    vec![
        Case { name: "GET /customers", request: get, goal: 0.75 },
        Case {
            name: "POST /customers",
            request: post.replace("/customers HTTP", "/~creates/customers HTTP"),
            goal: 0.6,
        },
    ]
}

async fn compare(rounds: u64, length: Duration) {
    let mut bare = Command::new(std::env::current_exe().expect("this program"));
    bare.arg("--bare");
    let bare = Server::start(bare);
    let mut real = Command::new(env!("CARGO_BIN_EXE_standin"));
    real.args(["serve", "reportei", "--port", "0", "--freeze", "--log", "off"]);
    let real = Server::start(real);
    let mut control = Client::new(real.address).await;
    control.post("/_standin/sandboxes", r#"{"id":"creates"}"#).await;
    println!("{CONNECTIONS} connections, {rounds} rounds of {} ms each; medians (least to most)\n", length.as_millis());
    println!(
        "{:<16} {:>12} {:>12} {:>22} {:>10} {:>12} {:>8}",
        "", "bare req/s", "standin", "throughput ratio", "bare µs", "standin µs", "CPU"
    );
    for case in cases() {
        // Warm up both.
        load(bare.address, &case.request, length / 4).await;
        load(real.address, &case.request, length / 4).await;
        let (mut ratios, mut rates, mut costs) = (Vec::new(), (Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for _ in 0..rounds {
            if case.request.starts_with("POST") {
                // What was created before must not make one round heavier than another.
                control.post("/~creates/_standin/reset", "{}").await;
            }
            let (bare_rate, bare_cost) = measured(&bare, &case.request, length).await;
            let (real_rate, real_cost) = measured(&real, &case.request, length).await;
            ratios.push(real_rate / bare_rate);
            rates.0.push(bare_rate);
            rates.1.push(real_rate);
            costs.0.push(bare_cost);
            costs.1.push(real_cost);
        }
        let (least, most) = (min(&ratios), max(&ratios));
        let (ratio, bare_cost, real_cost) = (median(ratios), median(costs.0), median(costs.1));
        println!(
            "{:<16} {:>12.0} {:>12.0} {:>6.2} ({least:.2} to {most:.2}) {:>10.1} {:>12.1} {:>7.2}×   goal {:.2}",
            case.name,
            median(rates.0),
            median(rates.1),
            ratio,
            bare_cost,
            real_cost,
            real_cost / bare_cost,
            case.goal
        );
    }
}

/// Requests per second, and processor microseconds of the server per request.
async fn measured(server: &Server, request: &str, length: Duration) -> (f64, f64) {
    let before = server.cpu();
    let started = Instant::now();
    let answered = load(server.address, request, length).await as f64;
    let elapsed = started.elapsed().as_secs_f64();
    (answered / elapsed, (server.cpu() - before) as f64 / answered)
}

/// Keeps every connection busy with one request at a time. Returns how many were answered.
async fn load(address: SocketAddr, request: &str, length: Duration) -> u64 {
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let (stop, answered, request) = (Arc::clone(&stop), Arc::clone(&answered), request.as_bytes().to_vec());
        tasks.push(tokio::spawn(async move {
            let mut client = Client::new(address).await;
            while !stop.load(Ordering::Relaxed) {
                client.send(&request).await;
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    tokio::time::sleep(length).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.expect("the load ends");
    }
    answered.load(Ordering::Relaxed)
}

/// The limit: hyper alone, sending the documented bodies.
fn bare() {
    let list = Bytes::from_static(include_bytes!("bodies/list.json"));
    let created = Bytes::from_static(include_bytes!("bodies/created.json"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("listening on http://{}", listener.local_addr().expect("an address"));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            let (list, created) = (list.clone(), created.clone());
            tokio::spawn(async move {
                let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    let (list, created) = (list.clone(), created.clone());
                    async move {
                        let post = request.method() == hyper::Method::POST;
                        request.into_body().collect().await?;
                        let mut response = hyper::Response::new(Full::new(if post { created } else { list }));
                        *response.status_mut() = if post { hyper::StatusCode::CREATED } else { hyper::StatusCode::OK };
                        let json = hyper::header::HeaderValue::from_static("application/json");
                        response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
                        Ok::<_, hyper::Error>(response)
                    }
                });
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

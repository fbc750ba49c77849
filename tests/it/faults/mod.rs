//! What tests want to go wrong: which requests it meets, what it does to the world, and how it looks on the wire.

mod late;
mod mistakes;
mod rules;
mod single;
mod story;
mod wire;

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value as Json, json};

use crate::server::{Answer, REPORTEI, Server, eventually, request};
use crate::support::text;

/// Gives the default sandbox these rules.
#[track_caller]
fn put(server: &Server, rules: Json) -> Json {
    put_in(server, "default", rules)
}

#[track_caller]
fn put_in(server: &Server, sandbox: &str, rules: Json) -> Json {
    let body = json!({ "faults": rules }).to_string();
    let path = format!("/~{sandbox}/_standin/faults");
    server.call("PUT", &path, &[crate::server::JSON], body).expect(200).json()
}

/// What is said about bodies for a path of the control plane, each of which has something wrong in it.
pub(crate) fn refusals(server: &Server, path: &str, bodies: Vec<Json>) -> String {
    let mut said = String::new();
    for body in bodies {
        let answer = server.control("PUT", path, Some(body.clone()));
        let detail = answer.problem(422, "setting-invalid");
        let shown = body.to_string();
        let shown = if shown.len() > 200 { format!("{}…", &shown[..60]) } else { shown };
        let _ = writeln!(said, "{shown}\n  {detail}");
        let problem = answer.json();
        let mistakes = problem["mistakes"].as_array().unwrap();
        assert!(!mistakes.is_empty(), "{answer}");
        for mistake in mistakes.iter().filter(|_| mistakes.len() > 1) {
            let _ = writeln!(said, "  {}: {}", text(mistake, "pointer"), text(mistake, "message"));
        }
    }
    said
}

/// How often each rule has applied.
fn applied(server: &Server, sandbox: &str) -> Vec<u64> {
    let shown = server.get(&format!("/~{sandbox}/_standin/faults")).expect(200).json();
    shown["faults"].as_array().unwrap().iter().map(|rule| rule["applied"].as_u64().unwrap()).collect()
}

/// The exchange of the last entry in the journal.
fn last(server: &Server) -> Json {
    let list = server.control("GET", "/journal?limit=1000", None).expect(200).json();
    let entries = list["records"].as_array().unwrap().iter();
    let last = entries.map(|entry| entry["entry"].as_u64().unwrap()).max().expect("the journal has entries");
    exchange(server, last)
}

fn exchange(server: &Server, entry: u64) -> Json {
    server.control("GET", &format!("/journal/{entry}"), None).expect(200).json()["exchange"].clone()
}

/// How many milliseconds an answer was to wait.
fn delay(server: &Server, answer: &Answer) -> u64 {
    let entry = answer.header("standin-entry").unwrap().parse().unwrap();
    exchange(server, entry)["delivery"]["delayMillis"].as_u64().unwrap_or(0)
}

/// Waits until so many exchanges are in the journal.
fn entered(server: &Server, wanted: u64) {
    eventually("the exchanges", || (server.control("GET", "/journal", None).json()["total"] == wanted).then_some(()));
}

/// A request of a connection that goes on.
fn kept(server: &Server, method: &str, path: &str, body: &str) -> Vec<u8> {
    let headers = [REPORTEI, crate::server::JSON];
    let bytes = request(&server.url()[7..], method, path, &headers, body.as_bytes());
    String::from_utf8(bytes).unwrap().replacen("Connection: close\r\n", "", 1).into_bytes()
}

/// Sends bytes and gives all that comes until the end, and whether that was a reset. The sending side stays open.
fn sent(server: &Server, bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut stream = server.connect();
    stream.write_all(bytes).unwrap();
    rest(&mut stream)
}

fn rest(stream: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => (answer, false),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => (answer, true),
        Err(error) => panic!("the connection is not ended: {error}"),
    }
}

/// Reads until there are so many bytes of a body, and gives what came.
fn until(stream: &mut TcpStream, body: usize) -> Vec<u8> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if head.is_some_and(|head| bytes.len() - head - 4 >= body) {
            return bytes;
        }
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "it ends too early: {}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&part[..count]);
    }
}

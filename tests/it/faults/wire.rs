//! What comes in place of an answer, byte by byte and as curl sees it.

use std::process::{Command, Output};

use super::*;
use crate::bad_input::frames::{Client, DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, fields, frame};

/// A fault, what curl ends with, and a word of what it says.
const SEEN: [(&str, i32, &str); 5] = [
    ("connection-reset", 56, "reset by peer"),
    ("empty-response", 52, "Empty reply"),
    ("truncated-body", 18, "bytes remaining to read"),
    ("malformed-chunk", 56, "chunk"),
    ("random-data", 1, "HTTP/0.9"),
];

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

fn curl(server: &Server, more: &[&str]) -> Output {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--max-time", "30", "-H", &format!("{}: {}", REPORTEI.0, REPORTEI.1)]).args(more);
    if !more.iter().any(|argument| argument.starts_with("http")) {
        curl.arg(format!("{}/customers", server.url()));
    }
    curl.output().expect("curl is there")
}

fn list(server: &Server) -> Vec<u8> {
    kept(server, "GET", "/customers", "")
}

/// The body that the list has when nothing goes wrong.
fn whole(server: &Server) -> Vec<u8> {
    server.api("GET", "/customers", None).expect(200).body
}

/// Head and rest of what came.
fn split(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head") + 4;
    (String::from_utf8(bytes[..end].to_vec()).unwrap(), &bytes[end..])
}

#[test]
fn curl_sees_each_fault_as_what_it_is() {
    let server = start();
    for (fault, code, words) in SEEN {
        put(&server, json!([{ "fault": fault }]));
        let output = curl(&server, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{fault}: {said}");
        assert!(said.contains(words), "{fault}: {said}");
        let shown = last(&server);
        assert_eq!(shown["delivery"], json!({ "delayMillis": 0, "fault": fault }));
        assert_eq!(shown["response"]["status"], 200, "the journal has the answer that there would be");
    }
    server.control("DELETE", "/faults", None).expect(204);
    assert_eq!(curl(&server, &[]).status.code(), Some(0));
    assert_eq!(last(&server)["delivery"], Json::Null);
}

#[test]
fn a_malformed_body_comes_whole_and_is_no_json() {
    let server = start();
    let body = whole(&server);
    put(&server, json!([{ "fault": "malformed-body" }]));
    let answer = server.api("GET", "/customers", None).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(serde_json::from_slice::<Json>(&answer.body).is_err(), "{answer}");
    assert!(body.starts_with(&answer.body[..answer.body.len() - 2]), "it begins as the good one: {answer}");
    assert_eq!(curl(&server, &[]).status.code(), Some(0), "for HTTP nothing is wrong");
}

#[test]
fn a_truncated_body_is_half_of_what_the_head_promises() {
    let server = start();
    let body = whole(&server);
    put(&server, json!([{ "fault": "truncated-body" }]));
    let (bytes, reset) = sent(&server, &list(&server));
    let (head, half) = split(&bytes);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && !reset, "{head}");
    assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
    for name in ["date", "standin-entry", "standin-operation", "standin-contract", "content-type", "cache-control"] {
        assert!(head.contains(&format!("\r\n{name}: ")), "{name}: {head}");
    }
    assert_eq!(half, &body[..body.len() / 2]);
}

#[test]
fn a_malformed_chunk_stands_behind_a_head_that_announces_chunks() {
    let server = start();
    put(&server, json!([{ "fault": "malformed-chunk" }]));
    let (bytes, reset) = sent(&server, &list(&server));
    let (head, rest) = split(&bytes);
    assert!(!reset && head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\ntransfer-encoding: chunked\r\n") && !head.contains("content-length"), "{head}");
    let size = rest.split(|byte| matches!(byte, b'\r' | b';')).next().unwrap();
    assert!(!size.is_empty() && !size.iter().all(u8::is_ascii_hexdigit), "{rest:?} begins as a chunk does");
}

#[test]
fn random_data_is_no_http_and_is_drawn() {
    let server = start();
    put(&server, json!([{ "fault": "random-data" }]));
    let [first, second] = [(); 2].map(|()| sent(&server, &list(&server)));
    for (bytes, reset) in [&first, &second] {
        assert!(bytes.len() == 64 && !bytes.starts_with(b"HTTP") && !reset, "{bytes:?}");
    }
    assert_ne!(first, second);
    server.control("POST", "/rewind", Some(json!({ "to": 2 }))).expect(200);
    assert_eq!(sent(&server, &list(&server)), first, "what is done again draws the same");
}

#[test]
fn an_empty_answer_ends_and_a_reset_does_not_end() {
    let server = start();
    put(&server, json!([{ "fault": "empty-response" }]));
    assert_eq!(sent(&server, &list(&server)), (Vec::new(), false));
    put(&server, json!([{ "fault": "connection-reset" }]));
    assert_eq!(sent(&server, &list(&server)), (Vec::new(), true));
}

#[test]
fn only_the_answer_whose_turn_has_come_is_hit_and_nothing_follows() {
    for (fault, ..) in SEEN {
        let server = start();
        let body = whole(&server);
        put(&server, json!([{ "fault": fault, "operation": "reportei/customers/create" }]));
        let create = kept(&server, "POST", "/customers", r#"{"name":"x"}"#);
        let (bytes, reset) = sent(&server, &[list(&server), list(&server), create, list(&server)].concat());
        assert_eq!(reset, fault == "connection-reset", "{fault}");
        let mut rest = &bytes[..];
        for _ in 0..2 {
            let (head, after) = split(rest);
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{fault}: {head}");
            assert_eq!(&after[..body.len()], body, "{fault}: answers before it are whole");
            rest = &after[body.len()..];
        }
        let heads = rest.windows(9).filter(|window| window == b"HTTP/1.1 ").count();
        assert_eq!(heads, usize::from(matches!(fault, "truncated-body" | "malformed-chunk")), "{fault}");
        // The list of before, two lists, and what was created not: nobody read the request behind it.
        entered(&server, 4);
        assert_eq!(server.world()["customer"]["total"], 3, "{fault}");
    }
}

#[test]
fn head_shows_each_fault_too() {
    let server = start();
    for (fault, code) in [
        ("connection-reset", 56),
        ("empty-response", 52),
        ("truncated-body", 52),
        ("malformed-chunk", 8),
        ("random-data", 1),
    ] {
        put(&server, json!([{ "fault": fault }]));
        let output = curl(&server, &["--head"]);
        assert_eq!(output.status.code(), Some(code), "{fault}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn http_1_0_gets_the_same() {
    let server = start();
    for (fault, code, _) in SEEN {
        put(&server, json!([{ "fault": fault }]));
        let output = curl(&server, &["--http1.0"]);
        assert_eq!(output.status.code(), Some(code), "{fault}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn in_http_2_the_stream_is_reset_and_the_connection_goes_on() {
    const INTERNAL_ERROR: [u8; 4] = [0, 0, 0, 2];
    let server = start();
    // The list says by which name it was reached.
    let body = server.call("GET", "/customers", &[REPORTEI, ("Host", "localhost")], "").expect(200).body;
    for (fault, ..) in SEEN {
        put(&server, json!([{ "fault": fault, "count": 1, "operation": "reportei/customers/list" }]));
        let mut client = Client::open(&server);
        client.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &fields("GET", "/customers")));
        let (mut data, mut heads) = (Vec::new(), 0);
        let end = loop {
            match client.next() {
                Some(next) if next.stream == 1 && next.kind == DATA => data.extend_from_slice(&next.payload),
                Some(next) if next.stream == 1 && next.kind == HEADERS => heads += 1,
                Some(next) if next.stream == 1 => break Some(next),
                Some(_) => {}
                None => break None,
            }
        };
        if fault == "connection-reset" {
            assert!(end.is_none(), "the connection ends: {end:?}");
            continue;
        }
        let end = end.unwrap_or_else(|| panic!("{fault} ends the connection"));
        assert_eq!((end.kind, &end.payload[..]), (RST_STREAM, &INTERNAL_ERROR[..]), "{fault}");
        let half = if fault == "truncated-body" { &body[..body.len() / 2] } else { &[] };
        assert_eq!((&data[..], heads), (half, usize::from(!half.is_empty())), "{fault}");
        client.exchange(3, "GET", "/customers");
    }
    // Of an answer without a body nothing can be cut off but the whole.
    put(&server, json!([{ "fault": "truncated-body" }]));
    assert_eq!(curl(&server, &["--http2-prior-knowledge", "--head"]).status.code(), Some(92));
    server.control("DELETE", "/faults", None).expect(204);
    let head = curl(&server, &["--http2-prior-knowledge", "--head"]);
    let said = String::from_utf8_lossy(&head.stdout).into_owned();
    let length = format!("content-length: {}", whole(&server).len());
    assert!(head.status.success() && said.contains("HTTP/2 200") && said.contains(&length), "{said}");
    // curl says so of the stream.
    for (fault, ..) in &SEEN[1..] {
        put(&server, json!([{ "fault": fault }]));
        assert_eq!(curl(&server, &["--http2-prior-knowledge"]).status.code(), Some(92), "{fault}");
    }
}

#[test]
fn in_http_2_a_late_stream_holds_no_other_up() {
    let server = start();
    put(&server, json!([{ "latency": "10m", "operation": "reportei/customers/settings" }]));
    let mut client = Client::open(&server);
    client.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &fields("GET", "/customers/settings")));
    entered(&server, 1);
    client.exchange(3, "GET", "/customers");
}

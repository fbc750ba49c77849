//! Clients that take their time: in sending, in reading, and between requests. Where a test has to let time pass, the
//! server's own limits are its clock.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use super::*;
use crate::server::eventually;

/// A server with one short limit.
fn with(limits: &[&str]) -> Server {
    Server::start(&[&["reportei", "--freeze"], limits].concat())
}

/// What comes until the server ends the connection.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is not ended: {error}"),
    }
    bytes
}

fn get() -> String {
    format!("GET /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\r\n", REPORTEI.1)
}

/// Sends a request and reads its answer; the connection stays open.
#[track_caller]
fn exchange(stream: &mut TcpStream, request: &str) {
    stream.write_all(request.as_bytes()).unwrap();
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "no whole answer: {}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
            return;
        }
    }
}

/// Lets the server's time for a head pass once.
fn a_header_timeout_passes(server: &Server) {
    assert_eq!(rest(&mut server.connect()), b"");
}

/// Sends these bytes one after the other, over and over, until the server ends the connection; gives what it said.
fn trickle(mut stream: TcpStream, bytes: &[u8]) -> Vec<u8> {
    stream.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    let mut back = Vec::new();
    let mut part = [0; 4096];
    let mut sent = bytes.iter().cycle();
    eventually("the end of the connection", || {
        let gone = stream.write_all(&[*sent.next().unwrap()]).is_err();
        loop {
            match stream.read(&mut part) {
                Ok(0) => return Some(()),
                Ok(count) => back.extend_from_slice(&part[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(_) => return Some(()),
            }
        }
        gone.then_some(())
    });
    back
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let server = with(&["--header-timeout", "50ms", "--idle-timeout", "1h"]);
    let watch = server.watch();
    assert_eq!(rest(&mut server.connect()), b"");
    watch.unharmed();
}

#[test]
fn a_head_that_does_not_become_complete_is_408() {
    let server = with(&["--header-timeout", "50ms", "--idle-timeout", "1h"]);
    let watch = server.watch();
    // The first three could become HTTP/2.
    for start in
        ["P", "PRI * HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r", "G", "GET /cust", "GET / HTTP/1.1\r\nHost: x\r\n"]
    {
        let mut stream = server.connect();
        stream.write_all(start.as_bytes()).unwrap();
        let answer = Answer::read(&rest(&mut stream), "GET");
        answer.problem(408, "header-timeout");
        assert_eq!(answer.header("connection"), Some("close"), "{start:?}");
    }
    // Also the second head of a connection, from its first byte on.
    let mut stream = server.connect();
    exchange(&mut stream, &get());
    for _ in 0..3 {
        a_header_timeout_passes(&server);
    }
    exchange(&mut stream, &get());
    stream.write_all(b"GET /cust").unwrap();
    Answer::read(&rest(&mut stream), "GET").problem(408, "header-timeout");
    watch.unharmed();
}

#[test]
fn a_head_that_trickles_is_408() {
    let server = with(&["--header-timeout", "100ms", "--idle-timeout", "1h"]);
    let watch = server.watch();
    for bytes in [&b"G"[..], b"X: y\r\n"] {
        let mut stream = server.connect();
        stream.write_all(b"GET /customers HTTP/1.1\r\n").unwrap();
        let back = trickle(stream, bytes);
        Answer::read(&back, "GET").problem(408, "header-timeout");
    }
    watch.unharmed();
}

#[test]
fn between_requests_the_idle_timeout_counts() {
    let server = with(&["--header-timeout", "1h", "--idle-timeout", "50ms"]);
    let watch = server.watch();
    let mut stream = server.connect();
    exchange(&mut stream, &get());
    assert_eq!(rest(&mut stream), b"");
    // Empty lines are no request.
    let mut stream = server.connect();
    exchange(&mut stream, &get());
    assert_eq!(trickle(stream, b"\r\n"), b"");
    watch.unharmed();
}

#[test]
fn who_sends_byte_by_byte_within_the_limits_is_answered() {
    let server = with(&[]);
    let mut stream = server.connect();
    stream.set_nodelay(true).unwrap();
    let body = r#"{"name":"Slow"}"#;
    let request = request("localhost", "POST", "/customers", &[REPORTEI, JSON], body.as_bytes());
    for byte in &request {
        stream.write_all(std::slice::from_ref(byte)).unwrap();
    }
    Answer::read(&rest(&mut stream), "POST").expect(201);
}

/// What has come before a time is over counts, even if the server finds both at once: here it is stopped meanwhile.
#[test]
fn what_came_in_time_is_answered() {
    let clock = with(&["--header-timeout", "450ms"]);
    for limit in ["--idle-timeout", "--header-timeout"] {
        let server = with(&[limit, "400ms"]);
        for _ in 0..3 {
            let mut stream = server.connect();
            exchange(&mut stream, &get());
            let request = get();
            let (before, after) = request.split_at(if limit == "--idle-timeout" { 0 } else { 10 });
            stream.write_all(before.as_bytes()).unwrap();
            server.get("/_standin/livez").expect(200);
            server.signal("STOP");
            stream.write_all(after.as_bytes()).unwrap();
            a_header_timeout_passes(&clock);
            server.signal("CONT");
            exchange(&mut stream, "");
        }
    }
}

/// Browsers connect in advance. The time for the head begins with its first byte even so.
#[test]
fn who_connects_early_has_the_whole_time_for_a_head() {
    let (clock, server) = (with(&["--header-timeout", "600ms"]), with(&["--header-timeout", "1s"]));
    let mut stream = server.connect();
    let request = get();
    a_header_timeout_passes(&clock);
    stream.write_all(&request.as_bytes()[..10]).unwrap();
    a_header_timeout_passes(&clock);
    exchange(&mut stream, &request[10..]);
}

/// Ends of every kind in the middle: nothing is done, nothing is written down.
#[test]
fn what_ends_in_the_middle_has_not_happened() {
    let server = with(&[]);
    let watch = server.watch();
    let whole =
        String::from_utf8(request("localhost", "POST", "/customers", &[REPORTEI, JSON], br#"{"name":"x"}"#)).unwrap();
    let head = whole.find("\r\n\r\n").unwrap() + 4;
    for length in [1, 10, head - 3, head - 1] {
        assert_eq!(server.raw(&whole.as_bytes()[..length]), b"", "{length}");
    }
    for length in [head, head + 1, whole.len() - 1] {
        Answer::read(&server.raw(&whole.as_bytes()[..length]), "POST").problem(400, "body-incomplete");
    }
    for length in [0, 1, head, whole.len() - 1] {
        let mut stream = server.connect();
        stream.write_all(&whole.as_bytes()[..length]).unwrap();
        // With a byte that was not read, an end is a reset.
        drop(stream);
    }
    watch.unharmed();
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0);
    // Who has sent everything may say so.
    Answer::read(&server.raw(whole.as_bytes()), "POST").expect(201);
}

/// A server with a customer of a name so long that a few lists fill every buffer, and its lists.
fn with_large_answers(limits: &[&str]) -> (Server, String) {
    let server = with(limits);
    let body = json!({ "name": "n".repeat(LIMIT - 100) });
    server.api("POST", "/customers", Some(body)).expect(201);
    (server, get().repeat(12))
}

#[test]
fn who_does_not_take_the_answers_is_cut_off() {
    let (server, requests) = with_large_answers(&["--write-timeout", "100ms"]);
    let watch = server.watch();
    let mut stream = server.connect();
    let error = loop {
        if let Err(error) = stream.write_all(requests.as_bytes()) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    watch.unharmed();
}

#[test]
fn who_takes_the_answers_slowly_gets_them_all() {
    let (server, requests) = with_large_answers(&["--write-timeout", "1s", "--header-timeout", "100ms"]);
    let mut stream = server.connect();
    let last = request("localhost", "GET", "/customers", &[REPORTEI], b"");
    stream.write_all(requests.as_bytes()).unwrap();
    stream.write_all(&last).unwrap();
    let mut back = Vec::new();
    let mut part = vec![0; 1 << 20];
    loop {
        // More than the time in which nothing may be taken passes altogether, and never at once.
        a_header_timeout_passes(&server);
        let mut got = 0;
        while got < part.len() {
            let count = stream.read(&mut part[got..]).unwrap();
            if count == 0 {
                break;
            }
            got += count;
        }
        back.extend_from_slice(&part[..got]);
        if got < part.len() {
            break;
        }
    }
    let statuses: Vec<u16> = Answer::read_all(&back, "GET").iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200; 13]);
}

//! More clients than there are places.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::Duration;

use super::*;
use crate::server::{eventually, standin};

/// Has the server ended this connection?
fn ended(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let ended = match stream.read(&mut [0; 1]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    };
    stream.set_nonblocking(false).unwrap();
    ended
}

fn keep(path: &str) -> Vec<u8> {
    let request = request("localhost", "GET", path, &[REPORTEI], b"");
    String::from_utf8(request).unwrap().replace("Connection: close\r\n", "").into_bytes()
}

/// Sends a request and reads the head of its answer; the connection stays open.
#[track_caller]
fn answered(stream: &mut TcpStream, request: &[u8]) {
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "the connection ended");
        bytes.extend_from_slice(&part[..count]);
    }
    assert!(bytes.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&bytes));
}

#[test]
fn the_connection_that_is_idle_longest_makes_room() {
    let server = Server::start(&["reportei", "--freeze", "--max-connections", "3", "--idle-timeout", "1h"]);
    let livez = keep("/_standin/livez");
    let mut old: Vec<TcpStream> = (0..3).map(|_| server.connect()).collect();
    for stream in &mut old {
        answered(stream, &livez);
    }
    // Using it makes the first one the youngest.
    answered(&mut old[0], &livez);
    let mut new = server.connect();
    answered(&mut new, &livez);
    // A connection is idle a moment after its client has the answer, so that the other two may change places.
    let gone = eventually("the end of one of the others", || (1..3).find(|each| ended(&mut old[*each])));
    assert!(!ended(&mut old[0]) && !ended(&mut old[3 - gone]), "one is enough");
    answered(&mut old[0], &livez);
    answered(&mut old[3 - gone], &livez);
    answered(&mut new, &livez);
}

#[test]
fn who_is_busy_is_waited_for() {
    let server = Server::start(&["reportei", "--freeze", "--max-connections", "2"]);
    let body = r#"{"name":"Busy"}"#;
    let mut busy: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = server.connect();
            let head = format!(
                "POST /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
                REPORTEI.1,
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            // Now its body is waited for.
            let mut go_on = [0; 25];
            stream.read_exact(&mut go_on).unwrap();
            assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
            stream
        })
        .collect();
    let mut newcomer = server.connect();
    newcomer.write_all(&keep("/_standin/livez")).unwrap();
    newcomer.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let early = newcomer.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(early.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{early}");
    newcomer.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // As soon as one of them has its answer, it makes room.
    busy[1].write_all(body.as_bytes()).unwrap();
    let mut back = Vec::new();
    busy[1].read_to_end(&mut back).unwrap();
    Answer::read(&back, "POST").expect(201);
    answered(&mut newcomer, b"");
    // The other one has lost nothing.
    busy[0].write_all(body.as_bytes()).unwrap();
    busy[0].shutdown(Shutdown::Write).unwrap();
    let mut back = Vec::new();
    busy[0].read_to_end(&mut back).unwrap();
    Answer::read(&back, "POST").expect(201);
}

/// Heads that never become complete hold places for a second, not for the whole time that a head may take.
#[test]
fn a_head_that_is_kept_back_makes_room() {
    let limits = ["--max-connections", "3", "--header-timeout", "1h", "--idle-timeout", "1h"];
    let server = Server::start(&[&["reportei", "--freeze"][..], &limits].concat());
    let body = r#"{"name":"Busy"}"#;
    let head = format!(
        "POST /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        REPORTEI.1,
        body.len()
    );
    // Busy from the start, so that it keeps its place.
    let busy = || {
        let mut stream = server.connect();
        stream.write_all(head.as_bytes()).unwrap();
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).unwrap();
        stream
    };
    let before = busy();
    let mut first = server.connect();
    first.write_all(b"GET /cust").unwrap();
    let mut second = server.connect();
    answered(&mut second, &keep("/_standin/livez"));
    second.write_all(b"G").unwrap();
    let newcomers = [busy(), busy()];
    for mut kept_back in [first, second] {
        let mut back = Vec::new();
        kept_back.read_to_end(&mut back).unwrap();
        Answer::read(&back, "GET").problem(408, "header-timeout");
    }
    for mut busy in newcomers.into_iter().chain([before]) {
        busy.write_all(body.as_bytes()).unwrap();
        let mut back = Vec::new();
        busy.read_to_end(&mut back).unwrap();
        Answer::read(&back, "POST").expect(201);
    }
}

/// Connections that end in every state give their places back.
#[test]
fn places_come_back() {
    let limits = ["--max-connections", "2", "--header-timeout", "1h", "--idle-timeout", "1h"];
    let server = Server::start(&[&["reportei", "--freeze"][..], &limits].concat());
    let watch = server.watch();
    let whole = keep("/_standin/livez");
    let body = "POST /customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12";
    let two = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for round in 0..300 {
        for bytes in [&b""[..], b"G", &whole, body.as_bytes(), b"GET / HTTP/1.1\nX: y\r\n\r\n", two.as_bytes()] {
            let mut stream = server.connect();
            stream.write_all(bytes).unwrap();
            if round % 3 == 0 {
                stream.shutdown(Shutdown::Write).unwrap();
                let _ = stream.read(&mut [0; 100]);
            }
        }
    }
    watch.unharmed();
    // Both places are there.
    let mut streams = [server.connect(), server.connect()];
    for stream in &mut streams {
        answered(stream, &whole);
    }
    let [mut first, mut second] = streams;
    answered(&mut first, &whole);
    answered(&mut second, &whole);
}

/// Opens idle connections, lets those go that the server has ended, and asks for something now and then.
fn besiege(server: &Server, count: usize) {
    let watch = server.watch();
    let mut idle: VecDeque<TcpStream> = VecDeque::new();
    for number in 0..count {
        idle.push_back(server.connect());
        while idle.front_mut().is_some_and(ended) {
            idle.pop_front();
        }
        if number % 500 == 250 {
            server.api("GET", "/customers", None).expect(200);
        }
    }
    watch.unharmed();
    let held = idle.len();
    assert!(held > 20, "the last ones are still there: {held}");
    for mut stream in idle {
        // A connection that came and went with nothing said.
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        assert_eq!(bytes, b"");
    }
    watch.unharmed();
}

/// The server may have fewer files than connections: then it is the system that says that there are too many.
#[test]
fn ten_thousand_idle_connections_keep_nobody_out() {
    let mut command = standin();
    let binary = command.get_program().to_owned();
    command = {
        let mut shell = Command::new("sh");
        shell.current_dir(command.get_current_dir().unwrap()).env("NO_COLOR", "1").stdin(std::process::Stdio::null());
        shell.args(["-c", "ulimit -n 400; exec \"$0\" \"$@\""]).arg(binary);
        shell.args(["serve", "reportei", "--freeze", "--port", "0", "--log", "off", "--header-timeout", "3s"]);
        shell
    };
    besiege(&Server::spawn(command), 10_000);
}

/// Here it is the limit of connections that is reached.
#[test]
fn idle_connections_beyond_the_limit_keep_nobody_out() {
    let limits = ["--max-connections", "50", "--header-timeout", "3s"];
    besiege(&Server::start(&[&["reportei", "--freeze"][..], &limits].concat()), 2_000);
}

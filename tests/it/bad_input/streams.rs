//! Readers of the journal's stream that do not read it.

use std::net::TcpStream;

use super::*;
use crate::follow::Reader;
use crate::server::eventually;

const NAME: usize = 400_000;

/// Opens a stream, and never reads a byte of it.
fn deaf(server: &Server) -> TcpStream {
    let mut stream = server.connect();
    stream.write_all(&request("localhost", "GET", "/_standin/journal/stream", &[], b"")).unwrap();
    stream
}

/// Changes a record, which is an event of as many bytes as the name has.
fn rename(server: &Server, times: usize) {
    let body = json!({ "name": "x".repeat(NAME) });
    for _ in 0..times {
        server.control("PATCH", &format!("/state/reportei/customer/{FIRST}"), Some(body.clone())).expect(200);
    }
}

/// A line of what the system knows of the server, in KiB.
#[cfg(target_os = "linux")]
fn memory(server: &Server) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// How many sockets the server has open.
#[cfg(target_os = "linux")]
fn sockets(server: &Server) -> usize {
    let open = fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
    let targets = open.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// Forty MB happen while twenty readers read nothing of it. Kept for them, it would be 800.
#[test]
#[cfg(target_os = "linux")]
fn nothing_is_kept_for_who_never_reads() {
    let limits = ["--max-journal-bytes", "1000000", "--write-timeout", "1h"];
    let server = Server::start(&[&["reportei", "--freeze"][..], &limits].concat());
    rename(&server, 10);
    let before = memory(&server);
    let deaf: Vec<TcpStream> = (0..20).map(|_| deaf(&server)).collect();
    let mut reader = Reader::open(&server, "");
    for _ in 0..100 {
        rename(&server, 1);
        assert_eq!(reader.expect("state").data["body"]["name"].as_str().map(str::len), Some(NAME));
    }
    let grown = memory(&server).saturating_sub(before);
    assert!(grown < 100_000, "{grown} KiB more");
    server.api("GET", "/customers/settings", None).expect(401);
    drop(deaf);
}

#[test]
#[cfg(target_os = "linux")]
fn who_never_reads_is_cut_off() {
    let limits = ["--max-journal-bytes", "1000000", "--write-timeout", "200ms"];
    let server = Server::start(&[&["reportei", "--freeze"][..], &limits].concat());
    let mut reader = Reader::open(&server, "");
    let before = sockets(&server);
    let mut deaf = deaf(&server);
    eventually("the deaf reader's socket", || (sockets(&server) > before).then_some(()));
    let mut made = 0;
    eventually("the end of the deaf reader", || {
        rename(&server, 1);
        made += 1;
        reader.expect("state");
        (sockets(&server) == before).then_some(())
    });
    // What the system had already is there, and then it breaks off.
    let mut bytes = Vec::new();
    let _ = deaf.read_to_end(&mut bytes);
    assert!(bytes.starts_with(b"HTTP/1.1 200 ") && !bytes.ends_with(b"0\r\n\r\n"), "{} bytes", bytes.len());
    assert!(bytes.len() < made * NAME, "{} bytes of {made} events", bytes.len());
    rename(&server, 1);
    reader.expect("state");
}

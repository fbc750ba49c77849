//! The journal as a stream: live, resumed, filtered, and told what was undone or lost.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use super::*;
use crate::follow::{Event, Reader};

/// Follows the journal with curl over HTTP/2.
struct Curl {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Curl {
    fn follow(url: &str) -> Curl {
        let mut curl = Command::new("curl");
        curl.args(["--http2-prior-knowledge", "--silent", "--no-buffer", "--max-time", "60", url]);
        let mut child = curl.env_remove("http_proxy").stdout(Stdio::piped()).spawn().expect("curl is there");
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut curl = Curl { child, lines };
        assert_eq!(curl.block(), "retry: 1000\n");
        curl
    }

    /// The lines up to the next empty one.
    fn block(&mut self) -> String {
        let mut block = String::new();
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 || line == "\n" {
                return block;
            }
            block.push_str(&line);
        }
    }
}

fn journal(server: &Server, entry: u64) -> Json {
    let list = server.control("GET", &format!("/journal?after={}&limit=1", entry - 1), None).expect(200).json();
    list["records"][0].clone()
}

fn entry(answer: &Answer) -> u64 {
    answer.header("standin-entry").unwrap().parse().unwrap()
}

/// The number of an exchange that nothing comes of.
fn read(server: &Server) -> u64 {
    entry(&server.api("GET", "/customers", None).expect(200))
}

fn reads(server: &Server, times: usize) -> Vec<u64> {
    (0..times).map(|_| read(server)).collect()
}

#[test]
fn what_happens_comes_in_order_with_the_numbers_of_its_entries() {
    let server = start();
    read(&server);
    let mut reader = Reader::open(&server, "");
    let mut all = Reader::open(&server, "?after=0");
    let seen = |event: Event| (event.id, event.kind, event.data);
    for (method, path, body) in [
        ("GET", "/customers", None),
        ("POST", "/customers", Some(json!({ "name": "x\r\ny\u{2028}z" }))),
        ("GET", "/customers/a\u{b7}b", None),
        ("DELETE", "/nowhere", None),
    ] {
        let number = entry(&server.api(method, path, body));
        let event = reader.next().unwrap();
        assert_eq!(seen(event), (Some(number), "exchange".to_owned(), journal(&server, number)), "{method} {path}");
    }
    advance(&server, "1d");
    server.control("PATCH", &format!("/state/reportei/customer/{FIRST}"), Some(json!({ "name": "two\nlines" })));
    let merchant = json!({ "name": "Third", "access_token": "a-secret-of-the-third" });
    server.control("PUT", "/state/reportei/merchant/22222222-3333-4444-8555-666666666666", Some(merchant)).expect(200);
    server.control("POST", "/events/reportei/revoke", Some(json!({ "uuid": INTEGRATION }))).expect(200);
    let log = server.control("GET", "/log?after=5", None).expect(200).json();
    for (at, kind) in ["clock", "state", "state", "event"].into_iter().enumerate() {
        let record = &log["records"][at];
        assert_eq!(seen(reader.next().unwrap()), (record["entry"].as_u64(), kind.to_owned(), record.clone()));
    }
    assert!(log["records"][2].to_string().contains("•••"), "{log:#}");
    assert_eq!(all.ids(9), (1..=9).collect::<Vec<_>>());
}

/// Each time that the connection is gone, the reader says the last number that came, and goes on from there.
#[test]
fn a_reader_that_comes_again_misses_nothing_and_hears_nothing_twice() {
    const WRITERS: usize = 4;
    const CALLS: usize = 60;
    let server = start();
    let ids = thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| reads(&server, CALLS));
        }
        let mut ids: Vec<u64> = Vec::new();
        let mut last = 0;
        for round in 0.. {
            let header = last.to_string();
            // What the query says, the browser says each time anew.
            let path = "/_standin/journal/stream?after=0";
            let mut reader = Reader::at(&server, path, &[("Last-Event-ID", &header)]);
            let most = (round * 7 % 23 + 1).min(WRITERS * CALLS - ids.len());
            ids.extend(reader.ids(most));
            last = reader.last;
            if ids.len() == WRITERS * CALLS {
                break;
            }
        }
        ids
    });
    assert_eq!(ids, (1..=(WRITERS * CALLS) as u64).collect::<Vec<_>>());
}

/// No more is made at once than a reader can be expected to take.
#[test]
fn large_events_come_one_after_the_other() {
    let server = start();
    for number in 0..20 {
        let body = json!({ "name": format!("{number}{}", "x".repeat(100_000)) });
        server.control("PATCH", &format!("/state/reportei/customer/{FIRST}"), Some(body)).expect(200);
    }
    let mut reader = Reader::open(&server, "?after=0");
    for number in 0..20 {
        let name = reader.expect("state").data["body"]["name"].as_str().unwrap().to_owned();
        assert!(name.starts_with(&format!("{number}x")), "{}", &name[..5]);
    }
}

#[test]
fn a_hundred_readers_hear_the_same() {
    let server = start();
    let mut readers: Vec<Reader> = (0..100).map(|_| Reader::open(&server, "")).collect();
    let numbers = reads(&server, 100);
    for reader in &mut readers {
        assert_eq!(reader.ids(numbers.len()), numbers);
    }
}

#[test]
fn filters_let_only_those_exchanges_through() {
    let server = start();
    let mut live = Reader::open(&server, "?status=4xx&method=GET");
    reads(&server, 200);
    server.api("POST", "/customers", Some(json!({}))).expect(422);
    advance(&server, "1d");
    let wanted = entry(&server.get("/customers").expect(401));
    for reader in [&mut live, &mut Reader::open(&server, "?after=0&operation=list&status=401")] {
        let event = reader.expect("exchange");
        assert_eq!((event.id, event.data["status"].as_u64()), (Some(wanted), Some(401)));
    }
    // What the filters say nothing about is said all the same.
    server.control("POST", "/reset", None).expect(200);
    assert_eq!(live.expect("undone").data, json!({ "last": 0 }));
}

#[test]
fn what_cannot_be_is_refused() {
    let server = start();
    let watch = server.watch();
    let path = "/_standin/journal/stream";
    for value in ["", "x", "-1", "1.5", "1, 2", "99999999999999999999999", "\u{fc}"] {
        let detail = server.call("GET", path, &[("Last-Event-ID", value)], "").problem(400, "last-event-id-invalid");
        assert!(detail.contains("the `id` of the last event"), "{detail}");
    }
    let twice = [("Last-Event-ID", "1"), ("Last-Event-ID", "1")];
    server.call("GET", path, &twice, "").problem(400, "last-event-id-invalid");
    for (query, slug) in [
        ("?after=x", "after-invalid"),
        ("?after=", "after-invalid"),
        ("?operation=nothing", "filter-invalid"),
        ("?status=9", "filter-invalid"),
        ("?limit=1", "query-unknown"),
        ("?secrets=show", "query-unknown"),
    ] {
        server.get(&format!("{path}{query}")).problem(400, slug);
    }
    server.get("/~nobody/_standin/journal/stream").problem(404, "sandbox-unknown");
    server.control("POST", "/journal/stream", Some(json!({}))).problem(405, "method-not-allowed");
    watch.unharmed();
}

#[test]
fn head_has_the_head_and_nothing_else() {
    let server = start();
    let head = server.call("HEAD", "/_standin/journal/stream", &[], "").expect(200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!((head.header("cache-control"), head.header("content-length")), (Some("no-store"), None));
}

#[test]
fn what_is_undone_is_told() {
    let server = start();
    server.control("POST", "/snapshots", Some(json!({ "name": "first" }))).expect(201);
    reads(&server, 4);
    let mut reader = Reader::open(&server, "?after=0");
    assert_eq!(reader.ids(4), [1, 2, 3, 4]);
    let mut undone = |method: &str, path: &str, body: Option<Json>, last: u64| {
        server.control(method, path, body).expect(200);
        let event = reader.expect("undone");
        assert_eq!((event.id, event.data), (Some(last), json!({ "last": last })), "{path}");
        let next = read(&server);
        assert_eq!(reader.expect("exchange").id, Some(next), "{path}");
        next
    };
    assert_eq!(undone("POST", "/rewind", Some(json!({ "to": 3 })), 2), 5);
    assert_eq!(undone("POST", "/snapshots/first/restore", None, 0), 6);
    assert_eq!(undone("POST", "/reset", None, 0), 7);
    // So it is when the reader was away meanwhile.
    for gone in ["1", "4", "6", "1000", "18446744073709551615"] {
        let mut late = Reader::at(&server, "/_standin/journal/stream", &[("Last-Event-ID", gone)]);
        let last = if gone.len() > 1 { 7 } else { 0 };
        assert_eq!(late.expect("undone").data, json!({ "last": last }), "{gone}");
        let next = read(&server);
        let first = late.expect("exchange").id.unwrap();
        assert!(if last == 0 { first == 7 } else { first == next }, "{gone}: {first}");
        server.control("POST", "/rewind", Some(json!({ "to": next }))).expect(200);
    }
}

#[test]
fn what_had_to_make_room_is_told() {
    let server = Server::start(&["reportei", "--freeze", "--max-journal-entries", "5"]);
    reads(&server, 8);
    for query in ["?after=0", "?after=2"] {
        let mut reader = Reader::open(&server, query);
        let event = reader.expect("evicted");
        assert_eq!((event.id, event.data), (Some(3), json!({ "evicted": 3 })), "{query}");
        assert_eq!(reader.ids(5), [4, 5, 6, 7, 8], "{query}");
    }
    // Who knows all that is gone has lost nothing.
    for (after, first) in [(3, 4), (5, 6)] {
        let event = Reader::open(&server, &format!("?after={after}")).expect("exchange");
        assert_eq!(event.id, Some(first));
    }
    // Numbers that were never used are no entries that are gone.
    server.control("POST", "/rewind", Some(json!({ "to": 6 }))).expect(200);
    reads(&server, 5);
    assert_eq!(Reader::open(&server, "?after=5").ids(5), [9, 10, 11, 12, 13]);
}

#[test]
fn what_the_journal_has_forgotten_is_not_sent() {
    let server = start();
    reads(&server, 3);
    advance(&server, "1d");
    server.control("DELETE", "/journal", None).expect(204);
    let mut reader = Reader::open(&server, "?after=0");
    assert_eq!(reader.expect("clock").id, Some(4));
    assert_eq!(read(&server), 5);
    assert_eq!(reader.expect("exchange").id, Some(5));
}

#[test]
fn a_sandbox_tells_its_readers_that_it_is_closed_and_no_others() {
    let server = start();
    for id in ["alice", "bob"] {
        sandbox(&server, json!({ "id": id }));
    }
    let [mut alice, mut bob] =
        ["alice", "bob"].map(|id| Reader::at(&server, &format!("/~{id}/_standin/journal/stream"), &[]));
    server.api("GET", "/~alice/customers", None).expect(200);
    server.control("DELETE", "/sandboxes/alice", None).expect(204);
    assert_eq!(alice.expect("exchange").id, Some(1));
    let closed = alice.expect("closed");
    assert_eq!((closed.id, closed.data), (None, json!({ "sandbox": "alice" })));
    assert_eq!(alice.next(), None);
    server.api("GET", "/~bob/customers", None).expect(200);
    assert_eq!(bob.expect("exchange").data["path"], "/customers");
}

#[test]
fn who_is_followed_is_used() {
    let server = Server::start(&["reportei", "--freeze", "--sandbox-idle-timeout", "200ms"]);
    let open = || {
        let list = server.control("GET", "/sandboxes", None).expect(200).json();
        let ids = list["records"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned());
        ids.skip(1).collect::<Vec<_>>()
    };
    sandbox(&server, json!({ "id": "followed" }));
    let mut reader = Reader::at(&server, "/~followed/_standin/journal/stream", &[]);
    for id in ["first", "second"] {
        sandbox(&server, json!({ "id": id }));
        eventually("the end of the one that nobody uses", || (open() == ["followed"]).then_some(()));
    }
    server.api("GET", "/~followed/customers", None).expect(200);
    assert_eq!(reader.expect("exchange").id, Some(1));
    drop(reader);
    eventually("the end of the one that nobody follows any more", || open().is_empty().then_some(()));
}

/// Waits until a limit of time has passed: a connection that says nothing ends then.
fn a_limit_passes(server: &Server) {
    assert_eq!(std::io::Read::read(&mut server.connect(), &mut [0]).unwrap(), 0);
}

#[test]
fn a_reader_is_never_idle() {
    let limits = ["--max-connections", "2", "--idle-timeout", "50ms", "--header-timeout", "50ms"];
    let server = Server::start(&[&["reportei", "--freeze", "--write-timeout", "20ms"][..], &limits].concat());
    let mut reader = Reader::open(&server, "");
    for _ in 0..5 {
        // The next one needs its place.
        let _idle = server.connect();
        let number = read(&server);
        assert_eq!(reader.expect("exchange").id, Some(number));
        a_limit_passes(&server);
        a_limit_passes(&server);
    }
}

/// The place of a reader that has gone is free at once, also when nothing happens that could be sent to it.
#[test]
fn who_hangs_up_ends_the_stream() {
    let server = Server::start(&["reportei", "--freeze", "--max-connections", "2"]);
    for _ in 0..5 {
        let readers = [(); 2].map(|()| Reader::open(&server, ""));
        drop(readers);
    }
    // Who has only said that it sends nothing more hears the end.
    let mut reader = Reader::open(&server, "");
    reader.says_nothing_more();
    assert_eq!(reader.next(), None);
}

#[test]
fn http_2_is_followed_too() {
    let limits = ["--idle-timeout", "50ms", "--header-timeout", "50ms", "--write-timeout", "50ms"];
    let server = Server::start(&[&["reportei", "--freeze"][..], &limits].concat());
    let url = format!("{}/_standin/journal/stream?after=0", server.url());
    let first = read(&server);
    let mut curl = Curl::follow(&url);
    assert_eq!(Event::parse(&curl.block()).unwrap().id, Some(first));
    (0..5).for_each(|_| a_limit_passes(&server));
    let second = read(&server);
    let event = Event::parse(&curl.block()).unwrap();
    assert_eq!((event.id, event.data), (Some(second), journal(&server, second)));
    curl.child.kill().unwrap();
    curl.child.wait().unwrap();
}

/// Otherwise the server would wait for them, and cut them off in the end.
#[test]
fn streams_end_in_order_when_the_server_stops() {
    let mut server = start();
    let mut curl = Curl::follow(&format!("{}/_standin/journal/stream", server.url()));
    let mut readers: Vec<Reader> = (0..20).map(|_| Reader::open(&server, "")).collect();
    server.signal("TERM");
    for reader in &mut readers {
        assert_eq!(reader.next(), None);
    }
    assert_eq!(curl.block(), "");
    assert!(curl.child.wait().unwrap().success());
    assert_eq!(server.ended().code(), Some(0));
}

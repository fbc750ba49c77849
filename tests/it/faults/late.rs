//! Answers that take their time.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::*;

fn with(limits: &[&str]) -> Server {
    Server::start(&[&["reportei", "--freeze"], limits].concat())
}

/// What something gives, and how long it took.
#[allow(clippy::disallowed_methods, reason = "that an answer is late is seen in real time only")]
fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    (act(), begin.elapsed())
}

fn list(server: &Server) -> Answer {
    server.api("GET", "/customers", None).expect(200)
}

/// The one connection that is left is the one that asks.
fn alone(server: &Server) {
    eventually("the end of all other connections", || {
        let text = server.control("GET", "/metrics", None).text();
        text.contains("\nstandin_connections 1\n").then_some(())
    });
}

#[test]
fn a_fixed_latency_is_waited_before_the_first_byte() {
    let server = with(&[]);
    put(&server, json!([{ "latency": "200ms" }]));
    let (answer, took) = timed(|| list(&server));
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert_eq!(delay(&server, &answer), 200);
    let text = server.control("GET", "/metrics", None).text();
    assert!(text.contains("standin_deliveries_total{pack=\"reportei\",kind=\"delay\"} 1\n"), "{text}");
    // The exchange is over, and others go on, while the answer waits.
    put(&server, json!([{ "latency": "10m" }]));
    let mut stream = server.connect();
    stream.write_all(&kept(&server, "POST", "/customers", r#"{"name":"Late"}"#)).unwrap();
    entered(&server, 2);
    server.control("DELETE", "/faults", None).expect(204);
    assert!(list(&server).text().contains("Late"));
    stream.set_nonblocking(true).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "nothing has come yet");
}

#[test]
fn a_log_normal_latency_is_drawn_and_repeats_with_the_seed() {
    let server = with(&[]);
    let drawn = |id: &str, seed: u64| -> Vec<u64> {
        server.control("POST", "/sandboxes", Some(json!({ "id": id, "seed": seed }))).expect(201);
        put_in(&server, id, json!([{ "latency": { "median": "4ms", "sigma": 0.8, "most": "9ms" } }]));
        let one = |_| {
            let path = format!("/~{id}/customers");
            let (answer, took) = timed(|| server.api("GET", &path, None).expect(200));
            let entry = answer.header("standin-entry").unwrap();
            let shown = server.get(&format!("/~{id}/_standin/journal/{entry}")).expect(200).json();
            let millis = shown["exchange"]["delivery"]["delayMillis"].as_u64().unwrap_or(0);
            assert!(took >= Duration::from_millis(millis), "{took:?} of {millis}");
            millis
        };
        (0..60).map(one).collect()
    };
    let first = drawn("first", 5);
    assert!(first.iter().all(|millis| *millis <= 9), "{first:?}");
    let kinds: BTreeSet<&u64> = first.iter().collect();
    assert!(kinds.len() > 5 && kinds.contains(&9), "{first:?}");
    let below = first.iter().filter(|millis| **millis < 4).count();
    assert!((12..=45).contains(&below), "half of them are below the median: {first:?}");
    assert_eq!(drawn("again", 5), first);
    assert_ne!(drawn("other", 6), first);
}

#[test]
fn a_connection_goes_on_after_a_late_answer() {
    let server = with(&[]);
    put(&server, json!([{ "latency": "20ms" }]));
    let mut stream = server.connect();
    for _ in 0..3 {
        stream.write_all(&kept(&server, "GET", "/customers", "")).unwrap();
        let bytes = until(&mut stream, list(&server).body.len());
        assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    // Two at once are answered one after the other.
    let (_, took) = timed(|| {
        stream.write_all(&kept(&server, "GET", "/customers", "").repeat(2)).unwrap();
        let first = until(&mut stream, 0);
        (first, until(&mut stream, 0))
    });
    assert!(took >= Duration::from_millis(40), "{took:?}");
}

#[test]
fn a_connection_that_waits_is_neither_idle_nor_stuck() {
    // Each is shorter than what the answers wait.
    let limits = ["--idle-timeout", "100ms", "--header-timeout", "400ms", "--write-timeout", "100ms"];
    let server = with(&limits);
    let body = list(&server).body;
    for rule in [json!({ "latency": "700ms" }), json!({ "dribble": { "pieces": 3, "over": "700ms" } })] {
        put(&server, json!([rule]));
        let (answer, took) = timed(|| list(&server));
        assert_eq!(answer.body, body);
        assert!(took >= Duration::from_millis(700), "{rule}: {took:?}");
    }
}

#[test]
fn a_client_that_goes_away_meanwhile_leaves_nothing() {
    let server = with(&[]);
    let rules = [json!({ "latency": "10m" }), json!({ "dribble": { "pieces": 3, "over": "10m" } })];
    for (rule, calls) in rules.iter().zip([20, 40]) {
        put(&server, json!([rule]));
        let streams: Vec<TcpStream> = (0..20)
            .map(|_| {
                let mut stream = server.connect();
                stream.write_all(&kept(&server, "GET", "/customers", "")).unwrap();
                stream
            })
            .collect();
        entered(&server, calls);
        drop(streams);
        alone(&server);
    }
}

#[test]
fn in_http_2_too_who_goes_away_leaves_nothing() {
    let server = with(&[]);
    put(&server, json!([{ "latency": "10m" }]));
    let authorization = format!("{}: {}", REPORTEI.0, REPORTEI.1);
    let url = format!("{}/customers", server.url());
    let mut curl = std::process::Command::new("curl")
        .args(["-s", "--http2-prior-knowledge", "-H", &authorization, &url])
        .spawn()
        .unwrap();
    entered(&server, 1);
    curl.kill().unwrap();
    curl.wait().unwrap();
    alone(&server);
}

#[test]
fn who_has_nothing_more_to_say_is_answered_at_once() {
    let server = with(&[]);
    for rule in [json!({ "latency": "10m" }), json!({ "dribble": { "pieces": 3, "over": "10m" } })] {
        put(&server, json!([rule]));
        let answer = Answer::read(&server.raw(&kept(&server, "GET", "/customers", "")), "GET");
        assert_eq!(answer.expect(200).json()["meta"]["total"], 2);
    }
}

#[test]
fn a_dribbled_body_comes_in_its_pieces() {
    let server = with(&[]);
    let body = list(&server).body;
    put(&server, json!([{ "dribble": { "pieces": 4, "over": "300ms" } }]));
    let (answer, took) = timed(|| list(&server));
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert_eq!(answer.header("content-length"), Some(&*body.len().to_string()));
    assert_eq!(answer.body, body);
    assert_eq!(last(&server)["delivery"]["dribble"], json!({ "pieces": 4, "overMillis": 300 }));
    // Of two pieces the second is far away: the first one comes, and no byte more.
    put(&server, json!([{ "dribble": { "pieces": 2, "over": "10m" } }]));
    let mut stream = server.connect();
    stream.write_all(&kept(&server, "GET", "/customers", "")).unwrap();
    let half = body.len() / 2;
    let bytes = until(&mut stream, half);
    assert!(bytes.ends_with(&body[..half]), "{}", String::from_utf8_lossy(&bytes));
    // More pieces than bytes, and a body that no piece is taken of.
    put(&server, json!([{ "dribble": { "pieces": 1000, "over": "50ms" } }]));
    assert_eq!(list(&server).body, body);
    assert_eq!(server.api("HEAD", "/customers", None).expect(200).body, b"");
}

/// The whole answer that comes after so many bytes of its body, once the server was told to stop.
fn stopped(mut server: Server, rule: &Json, first: usize) -> Answer {
    put(&server, json!([rule]));
    let mut stream = server.connect();
    stream.write_all(&kept(&server, "GET", "/customers", "")).unwrap();
    entered(&server, 1);
    let mut bytes = if first > 0 { until(&mut stream, first) } else { Vec::new() };
    server.signal("TERM");
    bytes.extend(rest(&mut stream).0);
    assert_eq!(server.ended().code(), Some(0));
    Answer::read(&bytes, "GET")
}

#[test]
fn a_server_that_stops_waits_no_longer() {
    let late = stopped(with(&[]), &json!({ "latency": "10m" }), 0).expect(200);
    let dribbled = stopped(with(&[]), &json!({ "dribble": { "pieces": 5, "over": "10m" } }), 50).expect(200);
    assert_eq!(late.json()["meta"]["total"], 2);
    assert_eq!(dribbled.json()["meta"]["total"], 2);
}

#[test]
fn a_late_failure_is_late_and_a_failure() {
    let server = with(&[]);
    put(&server, json!([{ "latency": "100ms", "error": "unauthenticated" }, { "fault": "empty-response" }]));
    let (answer, took) = timed(|| server.api("GET", "/customers", None));
    assert_eq!(answer.expect(401).json()["message"], "Unauthenticated.");
    assert!(took >= Duration::from_millis(100), "{took:?}");
    put(&server, json!([{ "latency": "100ms", "fault": "empty-response" }]));
    let (came, took) = timed(|| sent(&server, &kept(&server, "GET", "/customers", "")));
    assert_eq!(came, (Vec::new(), false));
    assert!(took >= Duration::from_millis(100), "{took:?}");
    assert_eq!(last(&server)["delivery"], json!({ "delayMillis": 100, "fault": "empty-response" }));
}

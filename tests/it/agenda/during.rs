//! While time is advanced no lock is held, and nobody gets between.

use std::thread;

use serde_json::json;

use super::{BEGIN, Tower};
use crate::receiver::{Receiver, Say};
use crate::server::eventually;
use crate::support::text;

/// A bell whose strike, at six, is told to a receiver that holds its answer.
fn held() -> (Tower, Receiver) {
    let receiver = Receiver::new([Say::held(200)]);
    let tower = Tower::start(&[]);
    tower.bell(1, "silent", BEGIN);
    tower.bell(2, "set", "2024-10-01T19:00:00Z");
    tower.change(1, json!({ "url": receiver.url("/struck") }));
    tower.strike(1, "2024-10-01T18:00:00Z");
    (tower, receiver)
}

#[test]
fn other_calls_are_answered_at_the_instant_reached_and_another_advance_waits() {
    let (tower, receiver) = held();
    thread::scope(|scope| {
        let first = scope.spawn(|| tower.advance(json!({ "by": "2h" })));
        receiver.heard_when(1);
        assert_eq!((tower.now(), tower.seen(1, "rung")), ("2024-10-01T18:00:00Z".to_owned(), json!(1)));
        tower.change(2, json!({ "token": "meanwhile" }));
        let second = scope.spawn(|| tower.advance(json!({ "by": "1h" })));
        let mode = scope.spawn(|| tower.control("PUT", "/clock", json!({ "mode": "ticking" })).expect(200).json());
        assert_eq!((tower.now(), tower.seen(2, "rung")), ("2024-10-01T18:00:00Z".to_owned(), json!(0)));
        assert_eq!(tower.server.get("/_standin/clock").json()["mode"], "frozen");
        receiver.release();
        assert_eq!(first.join().unwrap()["now"], "2024-10-01T19:15:12Z");
        assert!(text(&second.join().unwrap(), "now") >= "2024-10-01T20:15:12");
        assert_eq!(mode.join().unwrap()["mode"], "ticking");
    });
    assert_eq!(tower.seen(2, "rung"), 1);
}

#[test]
fn who_goes_back_meanwhile_ends_the_advance() {
    type Act = fn(&Tower);
    let cases: [(&str, Act); 3] = [
        ("reset", |tower| drop(tower.control("POST", "/reset", json!(null)).expect(200))),
        ("rewind", |tower| drop(tower.control("POST", "/rewind", json!({ "to": 3 })).expect(200))),
        ("restore", |tower| drop(tower.control("POST", "/snapshots/s/restore", json!(null)).expect(200))),
    ];
    for (what, act) in cases {
        let (tower, receiver) = held();
        tower.control("POST", "/snapshots", json!({ "name": "s" })).expect(201);
        thread::scope(|scope| {
            let advance = scope.spawn(|| tower.control("POST", "/clock/advance", json!({ "by": "2h" })));
            receiver.heard_when(1);
            act(&tower);
            receiver.release();
            advance.join().unwrap().problem(409, "advance-overtaken");
        });
        assert_eq!(
            (tower.now(), tower.server.get("/_standin/clock").json()["mode"].clone()),
            (BEGIN.to_owned(), json!("frozen")),
            "{what}"
        );
        // The result belongs to a time that is gone.
        let orphans = eventually("the late result", || {
            let listed = tower.server.get("/_standin/webhooks?state=orphaned").expect(200).json();
            listed["records"].as_array().unwrap().first().cloned()
        });
        assert_eq!(orphans["attempts"][0]["status"], 200, "{what}");
        // Time goes on from there as if nothing had been.
        tower.advance(json!({ "by": "1m" }));
    }
}

#[test]
fn who_freezes_the_clock_ends_the_advance_where_it_is() {
    let (tower, receiver) = held();
    thread::scope(|scope| {
        let advance = scope.spawn(|| tower.control("POST", "/clock/advance", json!({ "by": "2h" })));
        receiver.heard_when(1);
        let frozen = tower.control("PUT", "/clock", json!({ "mode": "frozen" })).expect(200).json();
        assert_eq!(frozen, json!({ "now": "2024-10-01T18:00:00Z", "mode": "frozen" }));
        receiver.release();
        advance.join().unwrap().problem(409, "advance-overtaken");
    });
    assert_eq!((tower.now(), tower.seen(2, "rung")), ("2024-10-01T18:00:00Z".to_owned(), json!(0)));
    // The attempt is of this time, and its result counts.
    let landed = tower.server.get("/_standin/webhooks").expect(200).json();
    assert_eq!(landed["records"][0]["state"], "delivered");
    tower.advance(json!({ "by": "2h" }));
    assert_eq!(tower.seen(2, "rung"), 1);
}

#[test]
fn a_client_that_hangs_up_leaves_the_clock_where_it_was_reached() {
    let (tower, receiver) = held();
    let body = r#"{"by":"2h"}"#;
    let head =
        format!("POST /_standin/clock/advance HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n", "localhost");
    let mut client = tower.server.connect();
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    std::io::Write::write_all(&mut client, request.as_bytes()).unwrap();
    receiver.heard_when(1);
    drop(client);
    receiver.release();
    // Whether the advance goes on or not is the client's to lose; the sandbox is whole.
    let left = eventually("the attempt to land", || {
        let all = tower.server.get("/_standin/webhooks").expect(200).json();
        (all["records"][0]["state"] == "delivered").then(|| tower.now())
    });
    assert!(["2024-10-01T18:00:00Z", "2024-10-01T19:15:12Z"].contains(&left.as_str()), "{left}");
    let answer = tower.advance(json!({ "to": "2024-10-02T00:00:00Z" }));
    assert_eq!((text(&answer, "now"), tower.seen(2, "rung")), ("2024-10-02T00:00:00Z", json!(1)));
}

#[test]
fn a_sandbox_that_is_deleted_meanwhile_is_gone() {
    let (tower, receiver) = held();
    tower.control("POST", "/sandboxes", json!({ "id": "short", "from": "default" })).expect(201);
    thread::scope(|scope| {
        let path = "/~short/_standin/clock/advance";
        let advance = scope.spawn(|| tower.server.call("POST", path, &[crate::server::JSON], r#"{"by":"2h"}"#));
        receiver.heard_when(1);
        tower.control("DELETE", "/sandboxes/short", json!(null)).expect(204);
        receiver.release();
        advance.join().unwrap().problem(409, "advance-overtaken");
    });
    tower.server.get("/~short/_standin/clock").problem(410, "sandbox-closed");
    assert_eq!(tower.agenda().len(), 2, "the others have theirs");
}

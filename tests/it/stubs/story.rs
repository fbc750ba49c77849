//! Stubs are part of what a sandbox is: they are undone, kept, forked and replayed with it.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::bundle::File;

/// The bodies of answers to the same path, one after the other.
fn bodies(server: &Server, path: &str, times: usize) -> Vec<String> {
    (0..times).map(|_| server.get(path).text()).collect()
}

/// An invoice that is open until it was asked for once, in a sandbox.
fn invoice(server: &Server, sandbox: &str) {
    for (state, next, body) in [("Started", json!("paid"), "open"), ("paid", Json::Null, "closed")] {
        let more = json!({ "scenarioName": "invoice", "requiredScenarioState": state, "newScenarioState": next });
        add_in(server, sandbox, json!({ "url": "/invoice" }), json!({ "body": body }), more);
    }
}

#[test]
fn scenarios_and_uses_are_undone_by_rewinding_and_come_back_with_snapshots() {
    let server = Server::start(&["reportei", "--freeze"]);
    invoice(&server, "default");
    add(&server, json!({ "url": "/twice" }), json!({ "body": "twice" }), json!({ "times": 2 }));
    let first = server.get("/invoice").expect(200);
    server.control("POST", "/snapshots", Some(json!({ "name": "paid" }))).expect(201);
    assert_eq!(bodies(&server, "/invoice", 2), ["closed", "closed"]);
    assert_eq!(bodies(&server, "/twice", 1), ["twice"]);
    let left = || server.control("GET", "/stubs", None).json()["records"][0]["left"].clone();
    assert_eq!(left(), 1);
    let to: u64 = first.header("standin-entry").unwrap().parse().unwrap();
    server.control("POST", "/rewind", Some(json!({ "to": to }))).expect(200);
    assert_eq!(left(), 2);
    assert_eq!(bodies(&server, "/invoice", 1), ["open"]);
    assert_eq!(bodies(&server, "/twice", 2), ["twice", "twice"]);
    server.get("/twice").expect(404);
    server.control("POST", "/snapshots/paid/restore", None).expect(200);
    assert_eq!(left(), 2);
    assert_eq!(bodies(&server, "/invoice", 1), ["closed"]);
    server.control("POST", "/sandboxes", Some(json!({ "id": "fork", "from": "default" }))).expect(201);
    assert_eq!(bodies(&server, "/~fork/invoice", 1), ["closed"], "a fork has the stubs and their states");
    server.control("POST", "/reset", None).expect(200);
    assert_eq!(server.control("GET", "/stubs", None).json()["total"], 0);
    assert_eq!(bodies(&server, "/~fork/invoice", 1), ["closed"], "and keeps them");
    // The addition of a stub is undone like everything else.
    let id = add(&server, json!({ "url": "/late" }), json!({ "body": "late" }), json!({}));
    let entry = server.get("/late").expect(200).header("standin-entry").unwrap().parse::<u64>().unwrap();
    server.control("POST", "/rewind", Some(json!({ "to": entry - 1 }))).expect(200);
    server.get("/late").expect(404);
    server.control("GET", &format!("/stubs/{id}"), None).problem(404, "stub-unknown");
}

#[test]
fn a_log_with_stubs_is_done_again_to_the_byte() {
    let server = Server::start(&["reportei", "--freeze", "--max-journal-entries", "12"]);
    server.control("POST", "/sandboxes", Some(json!({ "id": "whole", "seed": 9 }))).expect(201);
    for sandbox in ["whole", "default"] {
        invoice(&server, sandbox);
        let drawn = json!({ "type": "lognormal", "median": 2, "sigma": 0.5, "maxValue": 5 });
        let response = json!({ "base64Body": "/w==", "delayDistribution": drawn });
        let id = add_in(&server, sandbox, json!({ "url": "/drawn" }), response, json!({ "times": 3 }));
        let at = |path: &str| format!("/~{sandbox}{path}");
        server.get(&at("/drawn")).expect(200);
        server.get(&at("/invoice")).expect(200);
        server.call("PUT", &at("/__admin/scenarios/invoice/state"), &[JSON], r#"{"state":"Started"}"#).expect(200);
        server.get(&at("/invoice")).expect(200);
        server
            .call(
                "PUT",
                &at(&format!("/_standin/stubs/{id}")),
                &[JSON],
                r#"{"request":{"url":"/reportei"},"response":{"body":"bare"}}"#,
            )
            .expect(200);
        assert_eq!(server.get(&at("/reportei")).expect(200).text(), "bare");
        let import = json!({ "mappings": [{ "request": { "url": "/i" }, "response": {} }, { "request": { "url": "/j" }, "response": {} }] });
        server.call("POST", &at("/__admin/mappings/import"), &[JSON], import.to_string()).expect(200);
        server.call("DELETE", &at(&format!("/__admin/mappings/{id}")), &[], "").expect(200);
        server.get(&at("/i")).expect(200);
    }
    // Then more than is kept, so that the default sandbox's bundle begins in the middle, with stubs that were there.
    for _ in 0..8 {
        server.get("/invoice").expect(200);
        server.get("/j").expect(200);
    }
    let whole = File::of(&server, "whole");
    whole.replay(&[]).same();
    let rest = File::of(&server, "default");
    assert!(!rest.text().contains("/drawn\""), "the beginning had to make room");
    assert!(rest.text().contains("\"controls\""), "{}", rest.text());
    rest.replay(&[]).same();
}

#[test]
fn sandboxes_do_not_see_each_other_and_new_ids_repeat_with_the_seed() {
    let server = Server::start(&["reportei", "--freeze"]);
    let ids = ["alice", "bob"].map(|id| {
        server.control("POST", "/sandboxes", Some(json!({ "id": id, "seed": 4 }))).expect(201);
        add_in(&server, id, json!({ "url": "/own" }), json!({ "body": id }), json!({}))
    });
    assert_eq!(ids[0], ids[1]);
    assert_eq!(bodies(&server, "/~alice/own", 1), ["alice"]);
    assert_eq!(bodies(&server, "/~bob/own", 1), ["bob"]);
    server.call("DELETE", "/~alice/__admin/mappings", &[], "").expect(200);
    server.get("/~alice/own").expect(404);
    assert_eq!(bodies(&server, "/~bob/own", 1), ["bob"]);
    assert_ne!(add_in(&server, "bob", json!({ "url": "/two" }), json!({}), json!({})), ids[1]);
}

#[test]
fn uses_are_counted_exactly_while_many_call() {
    let server = Server::start(&["reportei", "--freeze"]);
    add(&server, json!({ "url": "/ticket" }), json!({ "body": "one" }), json!({ "times": 30 }));
    let served = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let answer = server.get("/ticket");
                    assert!(matches!(answer.status, 200 | 404), "{answer}");
                    served.fetch_add(usize::from(answer.status == 200), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(served.into_inner(), 30);
}

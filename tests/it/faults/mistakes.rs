//! Rules that cannot be: each is refused with its place and the remedy, and nothing changes.

use super::*;
use crate::support::{golden, repository};

/// Rules with something wrong in them, and other bodies.
fn wrong() -> Vec<Json> {
    let rules = [
        json!("latency"),
        json!({}),
        json!({ "pack": "reportei", "share": 0.5 }),
        json!({ "latncy": "1s", "latency": "1s" }),
        json!({ "share": 1.01, "latency": "1s" }),
        json!({ "share": "101%", "latency": "1s" }),
        json!({ "share": "NaN%", "latency": "1s" }),
        json!({ "share": "half", "latency": "1s" }),
        json!({ "share": 0, "latency": "1s" }),
        json!({ "share": "0%", "latency": "1s" }),
        json!({ "share": -0.1, "latency": "1s" }),
        json!({ "share": true, "latency": "1s" }),
        json!({ "share": null, "latency": "1s" }),
        json!({ "count": 0, "latency": "1s" }),
        json!({ "count": -1, "latency": "1s" }),
        json!({ "count": 1.5, "latency": "1s" }),
        json!({ "count": "3", "latency": "1s" }),
        json!({ "count": 18_446_744_073_709_551_615_u64, "latency": "1s", "when": "before" }),
        json!({ "latency": "-1s" }),
        json!({ "latency": "11m" }),
        json!({ "latency": "1000000000000000000000s" }),
        json!({ "latency": "soon" }),
        json!({ "latency": "" }),
        json!({ "latency": 250 }),
        json!({ "latency": {} }),
        json!({ "latency": { "median": "1s" } }),
        json!({ "latency": { "median": "1s", "sigma": -1 } }),
        json!({ "latency": { "median": "1s", "sigma": 3.5 } }),
        json!({ "latency": { "median": "-1s", "sigma": 0.4 } }),
        json!({ "latency": { "median": "1s", "sigma": 0.4, "most": "1h" } }),
        json!({ "latency": { "median": "1s", "sigma": 0.4, "max": "1s" } }),
        json!({ "pack": "reporte", "latency": "1s" }),
        json!({ "pack": 1, "latency": "1s" }),
        json!({ "operation": "reportei/customers/lst", "latency": "1s" }),
        json!({ "operation": "customers/list", "latency": "1s" }),
        json!({ "operation": "reportei/customers/list", "pack": "hubster", "latency": "1s" }),
        json!({ "error": "unavailble", "pack": "hubster" }),
        json!({ "error": "unavailable", "pack": "reportei" }),
        json!({ "error": "too-many-request" }),
        json!({ "error": 503, "pack": "hubster" }),
        json!({ "fault": "conection-reset" }),
        json!({ "fault": "CONNECTION_RESET_BY_PEER" }),
        json!({ "fault": "connection-reset", "error": "unavailable" }),
        json!({ "fault": "empty-response", "dribble": { "pieces": 2, "over": "1s" } }),
        json!({ "dribble": { "pieces": 0, "over": "1s" } }),
        json!({ "dribble": { "pieces": 1001, "over": "1s" } }),
        json!({ "dribble": { "pieces": 2 } }),
        json!({ "dribble": { "pieces": 2, "over": "-1s" } }),
        json!({ "dribble": "1s" }),
        json!({ "fault": "empty-response", "when": "later" }),
        json!({ "latency": "1s", "when": "after" }),
        json!({ "dribble": { "pieces": 2, "over": "1s" }, "when": "before" }),
    ];
    let bodies = [
        json!({}),
        json!({ "faults": {} }),
        json!({ "faults": null }),
        json!({ "faults": vec![json!({ "latency": "1s" }); 101] }),
        json!({ "faults": [{ "latency": "1s" }, { "count": 0, "share": 2, "fault": "x", "operation": "y" }] }),
    ];
    rules.into_iter().map(|rule| json!({ "faults": [rule] })).chain(bodies).collect()
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let server = Server::start(&["--freeze"]);
    let kept = put(&server, json!([{ "latency": "1ms", "count": 3 }]));
    let watch = server.watch();
    let said = refusals(&server, "/faults", wrong());
    golden(&repository("tests/cases/faults/mistakes.txt"), &said).unwrap_or_else(|words| panic!("{words}"));
    assert_eq!(server.control("GET", "/faults", None).json(), kept, "nothing was changed");
    watch.unharmed();
}

#[test]
fn what_is_no_list_of_rules_is_refused_before_it_is_read() {
    let server = Server::start(&["reportei", "--freeze"]);
    server.call("PUT", "/_standin/faults", &[], r#"{"faults":[]}"#).problem(415, "media-type");
    server.call("PUT", "/_standin/faults", &[crate::server::JSON], "[]").problem(400, "body-kind");
    server.call("PUT", "/_standin/faults", &[crate::server::JSON], "{").problem(400, "body-syntax");
    let detail = server.control("PUT", "/faults", Some(json!({ "fault": [] }))).problem(400, "body-member-unknown");
    assert!(detail.contains("`faults`"), "{detail}");
    server.control("PATCH", "/faults", None).problem(405, "method-not-allowed");
    assert_eq!(server.control("GET", "/faults", None).json(), json!({ "faults": [] }));
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0);
}

#[test]
fn the_most_rules_that_there_may_be_work() {
    let server = Server::start(&["reportei", "--freeze"]);
    let mut rules = vec![json!({ "operation": "reportei/customers/show", "error": "too-large", "share": 0.5 }); 99];
    rules.push(json!({ "error": "too-large" }));
    put(&server, json!(rules));
    server.api("GET", "/customers", None).expect(413);
    assert_eq!(applied(&server, "default").iter().sum::<u64>(), 1);
}

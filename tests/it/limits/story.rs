//! Limits and what was used of them are part of a sandbox's story.

use super::*;
use crate::bundle::File;

#[test]
fn going_back_brings_back_what_was_used() {
    let server = with(json!([{ "pack": "reportei", "quota": 2, "window": "1m" }]));
    assert_eq!(statuses(&server, REPORTEI, 3), [200, 200, 429]);
    server.control("POST", "/snapshots", Some(json!({ "name": "full" }))).expect(201);
    server.control("POST", "/rewind", Some(json!({ "to": 3 }))).expect(200);
    assert_eq!(callers(&server, 0), [(json!("reportei"), 1, 1)]);
    assert_eq!(statuses(&server, REPORTEI, 2), [200, 429]);
    advance(&server, "1m");
    assert_eq!(statuses(&server, REPORTEI, 1), [200]);
    server.control("POST", "/snapshots/full/restore", None).expect(200);
    assert_eq!(statuses(&server, REPORTEI, 1), [429]);
    server.control("POST", "/rewind", Some(json!({ "to": 1 }))).expect(200);
    assert_eq!(server.control("GET", "/limits", None).json(), json!({ "limits": [] }));
}

#[test]
fn limits_that_are_put_anew_are_unused() {
    let server = with(json!([{ "pack": "reportei", "quota": 1, "window": "1m" }]));
    assert_eq!(statuses(&server, REPORTEI, 2), [200, 429]);
    let shown = put(&server, json!([{ "pack": "reportei", "quota": 1, "window": "1m" }]));
    assert_eq!(shown["limits"][0]["callers"], json!([]));
    assert_eq!(statuses(&server, REPORTEI, 2), [200, 429]);
    server.control("DELETE", "/limits", None).expect(204);
    assert_eq!(statuses(&server, REPORTEI, 3), [200; 3]);
    let log = server.control("GET", "/log", None).expect(200).json();
    let settings = log["records"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "setting");
    let paths: Vec<&Json> = settings.map(|entry| &entry["path"]).collect();
    assert_eq!(paths, ["/limits"; 3]);
}

/// Calls of several callers, with time that moves, in a sandbox that has two limits.
fn busy(server: &Server) {
    put(
        server,
        json!([
            { "pack": "reportei", "name": "burst", "quota": 3, "window": "10s" },
            { "pack": "reportei", "name": "hourly", "quota": 8, "window": "1h" },
        ]),
    );
    for number in 0..24 {
        let caller = if number % 3 == 0 { ACME } else { REPORTEI };
        server.api_as(caller, "GET", PATH, None);
        if number % 5 == 4 {
            advance(server, "7s");
        }
    }
}

#[test]
fn a_bundle_with_limits_replays_to_the_same() {
    let server = Server::start(&["--freeze", "--rate-limit", "hubster=5/1m"]);
    busy(&server);
    let (_, path, portal) = READS[1];
    (0..7).for_each(|_| drop(server.call("GET", &format!("/hubster{path}"), &[portal], "")));
    let bundle = File::of(&server, "default");
    let refused = bundle.text().matches("\"status\":429").count();
    assert!(refused > 5, "{refused}");
    bundle.replay(&[]).same();
    // Of a log that begins in the middle, what was used before goes on to count.
    let short = Server::start(&["--freeze", "--max-journal-entries", "9"]);
    busy(&short);
    let bundle = File::of(&short, "default");
    assert!(bundle.text().lines().next().unwrap().contains("\"windows\":[["), "the beginning has windows");
    bundle.replay(&[]).same();
}

/// Limits of the documentation are not in the bundle: the pack has them.
#[test]
fn a_bundle_of_a_pack_with_limits_replays_to_the_same() {
    let server = case("limits", &["--max-journal-entries", "6"]);
    for number in 0..9 {
        let key = if number % 3 == 2 { "second-key" } else { "first-key" };
        let expected = if [4, 6, 7].contains(&number) { 429 } else { 200 };
        server.call("GET", "/boats", &[("x-key", key)], "").expect(expected);
    }
    let bundle = File::of(&server, "default");
    let folders = ["fixtures", "schemas"].map(|part| format!("tests/cases/format/limits/{part}"));
    bundle.replay(&["--fixtures", &folders[0], "--schemas", &folders[1]]).same();
}

//! Rules and how often they have applied are part of a sandbox's story: undone, copied, kept and done again.

use super::*;
use crate::bundle::File;

fn start() -> Server {
    Server::start(&["--freeze"])
}

fn list(server: &Server, sandbox: &str) -> u16 {
    server.api("GET", &format!("/~{sandbox}/reportei/customers"), None).status
}

fn rules(server: &Server, sandbox: &str) -> Json {
    server.get(&format!("/~{sandbox}/_standin/faults")).expect(200).json()["faults"].clone()
}

#[test]
fn a_rewind_undoes_rules_and_counts() {
    let server = start();
    put(&server, json!([{ "count": 2, "error": "too-large" }]));
    let rewind = |to: u64| server.control("POST", "/rewind", Some(json!({ "to": to }))).expect(200);
    assert_eq!([list(&server, "default"), list(&server, "default"), list(&server, "default")], [413, 413, 200]);
    rewind(3);
    assert_eq!(applied(&server, "default"), [1]);
    assert_eq!([list(&server, "default"), list(&server, "default")], [413, 200]);
    rewind(1);
    assert_eq!(rules(&server, "default"), json!([]));
    assert_eq!(list(&server, "default"), 200);
}

#[test]
fn snapshots_and_forks_have_them_and_a_reset_has_not() {
    let server = start();
    put(&server, json!([{ "count": 2, "error": "too-large" }]));
    assert_eq!(list(&server, "default"), 413);
    server.control("POST", "/snapshots", Some(json!({ "name": "one-left" }))).expect(201);
    assert_eq!([list(&server, "default"), list(&server, "default")], [413, 200]);
    server.control("POST", "/sandboxes", Some(json!({ "id": "fork", "from": "default@one-left" }))).expect(201);
    assert_eq!([list(&server, "fork"), list(&server, "fork")], [413, 200]);
    assert_eq!(applied(&server, "default"), [2], "what a fork does is its own");
    server.control("POST", "/snapshots/one-left/restore", None).expect(200);
    assert_eq!(applied(&server, "default"), [1]);
    server.control("POST", "/reset", None).expect(200);
    assert_eq!(rules(&server, "default"), json!([]));
    assert_eq!(list(&server, "default"), 200);
    // A sandbox that is made anew has none either.
    put(&server, json!([{ "error": "too-large" }]));
    server.control("POST", "/sandboxes", Some(json!({ "id": "new" }))).expect(201);
    assert_eq!((list(&server, "default"), list(&server, "new")), (413, 200));
}

#[test]
fn the_log_says_who_wanted_it() {
    let server = start();
    let rule = json!({ "share": "50%", "error": "too-large" });
    put(&server, json!([rule]));
    server.control("DELETE", "/faults", None).expect(204);
    let log = server.control("GET", "/log", None).expect(200).json();
    let records = log["records"].as_array().unwrap();
    let settings: Vec<&Json> = records.iter().filter(|entry| entry["kind"] == "setting").collect();
    assert_eq!(settings.len(), 2);
    assert_eq!((&settings[0]["method"], &settings[0]["path"]), (&json!("PUT"), &json!("/faults")));
    assert_eq!(settings[0]["body"], json!({ "faults": [rule] }));
    assert_eq!((&settings[1]["method"], &settings[1]["body"]), (&json!("DELETE"), &Json::Null));
}

/// Every kind of fault, drawn by share, in a sandbox that changes meanwhile.
fn troubled(server: &Server, sandbox: &str) {
    put_in(
        server,
        sandbox,
        json!([
            { "latency": { "median": "2ms", "sigma": 0.5, "most": "5ms" }, "share": 0.5 },
            { "error": "unauthenticated", "share": 0.2 },
            { "fault": "connection-reset", "share": 0.2, "when": "after" },
            { "fault": "random-data", "share": 0.2 },
            { "fault": "malformed-body", "share": 0.2, "when": "after" },
            { "dribble": { "pieces": 3, "over": "3ms" }, "share": 0.5, "count": 5 },
        ]),
    );
    for number in 0..40 {
        let (method, body) = if number % 2 == 0 { ("GET", "") } else { ("POST", r#"{"name":"x"}"#) };
        let path = format!("/~{sandbox}/reportei/customers");
        let close = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        sent(server, &[&kept(server, method, &path, body), &close[..]].concat());
    }
}

#[test]
fn a_bundle_with_faults_replays_to_the_same() {
    let server = start();
    server.control("POST", "/sandboxes", Some(json!({ "id": "troubled" }))).expect(201);
    troubled(&server, "troubled");
    let bundle = File::of(&server, "troubled");
    let text = bundle.text();
    for word in ["connection-reset", "random-data", "dribble", "delayMillis", "malformed-body"] {
        assert!(text.contains(word), "{word} never happened");
    }
    bundle.replay(&[]).same();
    // Of a log that begins in the middle, the counts go on from where they were.
    let short = Server::start(&["--freeze", "--max-journal-entries", "15"]);
    troubled(&short, "default");
    let bundle = File::of(&short, "default");
    assert!(bundle.text().lines().next().unwrap().contains("\"applied\""), "the beginning has the rules");
    bundle.replay(&[]).same();
}

#[test]
fn rules_can_be_sent_back_as_they_are_shown_and_go_on_from_there() {
    let server = start();
    put(&server, json!([{ "count": 2, "error": "too-large" }]));
    assert_eq!(list(&server, "default"), 413);
    let shown = rules(&server, "default");
    server.control("DELETE", "/faults", None).expect(204);
    put(&server, shown.clone());
    assert_eq!(rules(&server, "default"), shown);
    assert_eq!([list(&server, "default"), list(&server, "default")], [413, 200]);
}

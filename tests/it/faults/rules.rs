//! Which requests a rule is for, how often it applies, and what becomes of what they do.

use super::*;
use crate::support::{keys, repository};
use crate::together::READS;

fn start() -> Server {
    Server::start(&["--freeze"])
}

fn statuses(server: &Server, sandbox: &str, calls: usize) -> Vec<u16> {
    let path = format!("/~{sandbox}/reportei/customers");
    (0..calls).map(|_| server.api("GET", &path, None).status).collect()
}

fn seeded(server: &Server, id: &str, seed: u64, rules: Json) {
    server.control("POST", "/sandboxes", Some(json!({ "id": id, "seed": seed }))).expect(201);
    put_in(server, id, rules);
}

#[test]
fn a_share_is_about_right_and_repeats_with_the_seed() {
    let server = start();
    let rules = json!([{ "share": "25%", "error": "unauthenticated" }]);
    seeded(&server, "first", 7, rules.clone());
    seeded(&server, "again", 7, rules.clone());
    seeded(&server, "other", 8, rules);
    let first = statuses(&server, "first", 400);
    let hit = first.iter().filter(|status| **status == 401).count();
    assert!((70..=130).contains(&hit), "{hit} of 400");
    assert_eq!(applied(&server, "first"), [hit as u64]);
    assert_eq!(statuses(&server, "again", 400), first);
    assert_ne!(statuses(&server, "other", 400), first);
    assert!(first.iter().all(|status| matches!(status, 200 | 401)));
}

#[test]
fn two_rules_of_half_a_share_are_drawn_apart() {
    let server = start();
    let half = |error: &str| json!({ "share": 0.5, "error": error });
    put(&server, json!([half("unauthenticated"), half("too-large"), half("unreadable")]));
    let all = statuses(&server, "default", 120);
    let of = |wanted: u16| all.iter().filter(|status| **status == wanted).count();
    // The first that hits decides: a half, a quarter, an eighth, and an eighth that nothing happens to.
    assert!((40..=80).contains(&of(401)), "{all:?}");
    assert!((15..=48).contains(&of(413)), "{all:?}");
    assert!((4..=30).contains(&of(400)) && (4..=30).contains(&of(200)), "{all:?}");
}

#[test]
fn a_rule_applies_as_often_as_its_count_says() {
    let server = start();
    put(&server, json!([{ "count": 2, "error": "too-large" }, { "count": 1, "error": "unreadable" }]));
    assert_eq!(statuses(&server, "default", 5), [413, 413, 400, 200, 200]);
    assert_eq!(applied(&server, "default"), [2, 1]);
    // New rules begin anew.
    put(&server, json!([{ "count": 1, "error": "too-large" }]));
    assert_eq!(statuses(&server, "default", 2), [413, 200]);
}

#[test]
fn of_many_at_once_exactly_the_count_is_hit() {
    let server = start();
    put(&server, json!([{ "count": 17, "error": "too-large" }]));
    let hit: usize = std::thread::scope(|scope| {
        let call = || statuses(&server, "default", 20).into_iter().filter(|status| *status == 413).count();
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(call)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(hit, 17);
    assert_eq!(applied(&server, "default"), [17]);
}

#[test]
fn rules_are_for_their_pack_and_operation() {
    let server = start();
    let call = |path: &str| server.api("GET", path, None).status;
    put(&server, json!([{ "operation": "reportei/customers/settings", "error": "too-large" }]));
    assert_eq!((call("/reportei/customers"), call("/reportei/customers/settings")), (200, 413));
    put(&server, json!([{ "pack": "hubster", "error": "unavailable" }]));
    assert_eq!(call("/reportei/customers"), 200);
    let (_, path, credential) = READS[1];
    server.call("GET", &format!("/hubster{path}"), &[credential], "").expect(503);
    // Without a pack an error strikes the packs that have it.
    put(&server, json!([{ "error": "too-many-requests" }]));
    for (pack, path, credential) in READS {
        let status = if matches!(pack, "hubster" | "optimizeplayer") { 429 } else { 200 };
        server.call("GET", &format!("/{pack}{path}"), &[credential], "").expect(status);
    }
}

#[test]
fn a_rule_is_for_refused_requests_too_but_not_for_such_as_lead_nowhere() {
    let server = start();
    put(&server, json!([{ "pack": "reportei", "error": "too-large" }]));
    server.get("/reportei/customers").expect(413);
    server.api("POST", "/reportei/customers", Some(json!({}))).expect(413);
    server.get("/reportei/nothing").problem(404, "no-operation");
    server.call("PATCH", "/reportei/customers", &[], "").problem(405, "method-not-allowed");
    server.get("/nowhere").problem(404, "no-operation");
    assert_eq!(applied(&server, "default"), [2]);
    assert_eq!(server.control("GET", "/journal/unmatched", None).json()["total"], 3);
}

#[test]
fn before_the_change_nothing_is_done_and_after_it_only_the_answer_is_lost() {
    let server = start();
    let records = || server.state("reportei")["customer"]["total"].as_u64().unwrap();
    let create = || kept(&server, "POST", "/reportei/customers", r#"{"name":"x"}"#);
    let mut there = records();
    let failures = [
        json!({ "error": "unauthenticated" }),
        json!({ "fault": "malformed-body" }),
        json!({ "fault": "connection-reset" }),
        json!({ "fault": "truncated-body" }),
        json!({ "fault": "random-data" }),
    ];
    for failure in failures {
        for (when, more) in [(None, 0), (Some("before"), 0), (Some("after"), 1)] {
            let mut rule = failure.clone();
            rule["count"] = json!(1);
            if let Some(when) = when {
                rule["when"] = json!(when);
            }
            put(&server, json!([rule]));
            sent(
                &server,
                &[create(), b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec()].concat(),
            );
            assert_eq!(records(), there + more, "{rule}");
            assert_eq!(applied(&server, "default"), [1], "{rule}");
            there += more;
            // The journal says which of the two it was.
            let path = "/journal?operation=reportei/customers/create&limit=1000";
            let list = server.control("GET", path, None).expect(200).json();
            let entry = list["records"].as_array().unwrap().last().unwrap().clone();
            let shown = exchange(&server, entry["entry"].as_u64().unwrap());
            let mut steps = shown["trace"].as_array().unwrap().iter();
            let step = steps.rfind(|step| step["stage"] == "fault").unwrap();
            let words = if more == 0 { "what the request does is not done" } else { "only the answer is lost" };
            assert!(step["detail"].as_str().unwrap().ends_with(words), "{step}");
            assert_eq!(shown["changes"].as_array().unwrap().len() as u64, more, "{shown}");
        }
    }
    // What is only late loses nothing.
    put(&server, json!([{ "latency": "1ms" }, { "dribble": { "pieces": 2, "over": "1ms" } }]));
    server.api("POST", "/reportei/customers", Some(json!({ "name": "y" }))).expect(201);
    assert_eq!(records(), there + 1);
}

/// What nothing but a fault gives has the vendor's own body.
#[test]
fn errors_that_only_faults_give_have_the_vendors_bodies() {
    let server = start();
    let mut seen = Vec::new();
    for (pack, path, credential) in READS {
        let shown = server.control("GET", &format!("/packs/{pack}"), None).expect(200).json();
        for error in shown["errors"].as_array().unwrap().iter().filter(|error| error["fault"] == true) {
            let name = error["name"].as_str().unwrap();
            put(&server, json!([{ "pack": pack, "error": name }]));
            let answer = server.call("GET", &format!("/{pack}{path}"), &[credential], "");
            let status = error["answers"][0]["status"].as_u64().unwrap();
            let answer = answer.expect(u16::try_from(status).unwrap());
            let file = std::fs::read(repository(&format!("fixtures/{pack}/errors/{name}.json"))).unwrap();
            assert_eq!(answer.text(), String::from_utf8(file).unwrap(), "{pack} {name}");
            assert_eq!(answer.header("standin-contract"), Some("documented; body=assumed"));
            assert!(answer.header("standin-operation").unwrap().starts_with(pack));
            seen.push((pack, status));
        }
    }
    for named in [("hubster", 408), ("hubster", 429), ("hubster", 503), ("optimizeplayer", 429), ("capillary", 503)] {
        assert!(seen.contains(&named), "{named:?}: {seen:?}");
    }
}

/// An error whose body tells of its cause is told by its example where the request is no such cause.
#[test]
fn every_error_of_every_pack_can_be_had() {
    let server = start();
    for (pack, path, credential) in READS {
        let shown = server.control("GET", &format!("/packs/{pack}"), None).expect(200).json();
        let errors = shown["errors"].as_array().unwrap();
        assert!(errors.len() > 5);
        for error in errors {
            let name = error["name"].as_str().unwrap();
            put(&server, json!([{ "pack": pack, "error": name }]));
            let answer = server.call("GET", &format!("/{pack}{path}"), &[credential], "");
            let cases = error["answers"].as_array().unwrap().iter();
            assert!(cases.clone().any(|case| case["status"] == answer.status), "{pack} {name}: {answer}");
            assert_ne!(answer.header("content-type"), Some("application/problem+json"), "{pack} {name}: {answer}");
            let file = repository(&format!("fixtures/{pack}/errors/{name}.json"));
            if let Ok(file) = std::fs::read(file) {
                let example: Json = serde_json::from_slice(&file).unwrap();
                assert_eq!(keys(&answer.json()), keys(&example), "{pack} {name}");
            }
            let findings =
                last(&server)["trace"].as_array().unwrap().iter().filter(|step| step["verdict"] == "failed").count();
            assert_eq!(findings, 0, "{pack} {name}: the pack is not at fault");
        }
    }
    // Where the request has such a cause, that is what is told.
    put(&server, json!([{ "pack": "reportei", "error": "invalid" }]));
    let answer = server.api("POST", "/reportei/customers", Some(json!({ "name": 1 }))).expect(422).json();
    assert_eq!(answer["errors"], json!({ "name": ["The name field must be a string."] }));
    let example = server.api("GET", "/reportei/customers", None).expect(422).json();
    assert_ne!(example, answer);
}

#[test]
fn the_first_rule_with_a_latency_and_the_first_with_a_failure_count() {
    let server = start();
    put(
        &server,
        json!([
            { "latency": "3ms", "operation": "reportei/customers/show" },
            { "latency": "2ms" },
            { "latency": "1ms", "error": "unauthenticated" },
            { "latency": "9ms", "error": "too-large" },
        ]),
    );
    let answer = server.api("GET", "/reportei/customers", None).expect(401);
    assert_eq!(delay(&server, &answer), 2);
    // The third gives the error, and its latency is not needed; the fourth has nothing to add.
    assert_eq!(applied(&server, "default"), [0, 1, 1, 0]);
}

#[test]
fn deliveries_are_counted_and_stand_in_the_request_log() {
    let mut command = crate::server::standin();
    command.args(["serve", "reportei", "--port", "0", "--freeze", "--log", "text"]);
    let server = Server::spawn(command);
    let kinds = ["truncated-body", "malformed-chunk", "random-data", "empty-response", "connection-reset"];
    for kind in kinds {
        put(&server, json!([{ "fault": kind, "latency": "1ms" }]));
        sent(&server, &kept(&server, "GET", "/customers", ""));
    }
    put(&server, json!([{ "dribble": { "pieces": 2, "over": "1ms" } }]));
    server.api("GET", "/customers", None).expect(200);
    put(&server, json!([{ "error": "unauthenticated" }]));
    server.api("GET", "/customers", None).expect(401);
    let text = server.control("GET", "/metrics", None).text();
    for (kind, count) in kinds.into_iter().map(|kind| (kind, 1)).chain([("dribble", 1), ("delay", 0)]) {
        let line = format!("standin_deliveries_total{{pack=\"reportei\",kind=\"{kind}\"}} {count}\n");
        assert!(text.contains(&line), "{kind}: {text}");
    }
    let log = server.stderr_when(|text| text.lines().count() >= 7);
    assert!(log.contains("GET /reportei/customers 200 connection-reset #"), "{log}");
    assert!(log.lines().last().unwrap().contains("GET /reportei/customers 401 #"), "{log}");
}

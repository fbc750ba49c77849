//! One rule at a time: added, changed, taken away, while others apply.

use super::*;

fn start() -> Server {
    Server::start(&["--freeze"])
}

fn rules(server: &Server) -> Json {
    server.get("/_standin/faults").expect(200).json()["faults"].clone()
}

#[test]
fn a_rule_is_added_changed_and_taken_away_and_the_others_keep_their_counts() {
    let server = start();
    put(&server, json!([{ "operation": "reportei/customers/list", "latency": "1ms" }]));
    server.api("GET", "/reportei/customers", None).expect(200);
    let rule = json!({ "operation": "reportei/customers/list", "count": 1, "error": "too-large" });
    let all = server.control("POST", "/faults", Some(rule)).expect(201).json();
    assert_eq!(all["faults"], rules(&server));
    server.api("GET", "/reportei/customers", None).expect(413);
    assert_eq!(applied(&server, "default"), [2, 1]);

    let other = json!({ "operation": "reportei/customers/list", "error": "unauthenticated", "applied": 1 });
    server.control("PUT", "/faults/2", Some(other.clone())).expect(200);
    assert_eq!((&rules(&server)[1], rules(&server)[0]["applied"].clone()), (&other, json!(2)));
    server.api("GET", "/reportei/customers", None).expect(401);

    server.control("DELETE", "/faults/1", None).expect(204);
    assert_eq!(applied(&server, "default"), [2]);
    server.api("GET", "/reportei/customers", None).expect(401);
}

#[test]
fn a_rule_that_is_wrong_or_not_there_changes_nothing() {
    let server = start();
    server.control("DELETE", "/faults/1", None).problem(404, "fault-unknown");
    put(&server, json!([{ "latency": "1ms" }]));
    let before = rules(&server);
    let body = json!({ "latency": "2ms" });
    for number in ["0", "2", "one", "18446744073709551616", "-1"] {
        let said =
            server.control("PUT", &format!("/faults/{number}"), Some(body.clone())).problem(404, "fault-unknown");
        assert_eq!(said, format!("There is no rule `{number}`: there is one rule, 1."));
    }
    let answer = server.control("POST", "/faults", Some(json!({ "share": 2, "latency": "1ms" })));
    let said = answer.problem(422, "setting-invalid");
    assert!(said.starts_with("`/faults/1/share`"), "{said}");
    server.control("PUT", "/faults/1", Some(json!({ "latencyy": "1ms" }))).problem(422, "setting-invalid");
    server.control("POST", "/faults", Some(json!({}))).problem(422, "setting-invalid");
    assert_eq!(rules(&server), before);
    for _ in 1..100 {
        server.control("POST", "/faults", Some(body.clone())).expect(201);
    }
    server.control("POST", "/faults", Some(body)).problem(422, "setting-invalid");
    assert_eq!(rules(&server).as_array().map(Vec::len), Some(100));
}

#[test]
fn of_many_rules_added_at_once_none_is_lost() {
    let server = start();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let server = &server;
            scope.spawn(move || {
                for number in 0..10 {
                    let rule = json!({ "latency": format!("{}ms", 1 + thread * 10 + number), "pack": "hubster" });
                    server.control("POST", "/faults", Some(rule)).expect(201);
                }
            });
        }
    });
    let rules = rules(&server);
    let all: std::collections::BTreeSet<&str> =
        rules.as_array().unwrap().iter().map(|rule| text(rule, "latency")).collect();
    assert_eq!(all.len(), 40);
}

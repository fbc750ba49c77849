//! Stubs that cannot be, and what is never done for one.

use super::*;

#[track_caller]
fn refused(server: &Server, mapping: &Json) -> Vec<(String, String)> {
    let answer = server.control("POST", "/stubs", Some(mapping.clone()));
    answer.problem(422, "setting-invalid");
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let mistakes = answer.json()["mistakes"].clone();
    mistakes.as_array().unwrap().iter().map(|one| (text(&one["pointer"]), text(&one["message"]))).collect()
}

#[test]
fn all_mistakes_of_a_mapping_are_told_at_their_places_and_nothing_changes() {
    let server = Server::start(&["reportei", "--freeze"]);
    add(&server, json!({ "url": "/kept" }), json!({}), json!({}));
    let before = server.control("GET", "/log", None).json()["total"].clone();
    let mistakes = refused(
        &server,
        &json!({
            "request": { "urlPathPattern": "/a/(", "bodyPatterns": [{ "matchesJsonPath": "$.a[" }, { "matches": "(?!a).*" }] },
            "response": { "fixedDelayMilliseconds": -1, "bodyFileName": "../../etc/passwd", "transformers": ["response-template"] },
            "postServeActions": [{ "name": "webhook", "parameters": { "url": "http://127.0.0.1:1" } }],
        }),
    );
    let pointers: Vec<&str> = mistakes.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/postServeActions",
            "/request/urlPathPattern",
            "/request/bodyPatterns/0/matchesJsonPath",
            "/request/bodyPatterns/1/matches",
            "/response/bodyFileName",
            "/response/transformers",
            "/response/fixedDelayMilliseconds",
        ]
    );
    assert!(mistakes[1].1.contains("character 4"), "{mistakes:?}");
    assert!(mistakes[4].1.contains("no file that a call names is read"), "{mistakes:?}");
    // Stubs that can never match.
    for (request, words) in [
        (json!({ "url": "customers" }), "does not begin with `/`"),
        (json!({ "bodyPatterns": [{ "equalTo": "a" }, { "equalTo": "b" }] }), "nothing is at once"),
        (json!({ "bodyPatterns": [{ "equalToJson": "{not json" }] }), "nothing is equal to it"),
        (json!({ "url": "/a?b=1", "queryParameters": { "b": { "absent": true } } }), "the whole query"),
        (json!({ "headers": { "A": { "matches": "[a&&b]" } } }), "no text is of this form"),
    ] {
        let mistakes = refused(&server, &json!({ "request": request, "response": {} }));
        assert!(mistakes[0].1.contains(words), "{request}: {mistakes:?}");
    }
    // Of a list all or none are added.
    let list =
        json!({ "mappings": [{ "request": {}, "response": {} }, { "request": {}, "response": { "status": 1 } }] });
    assert_eq!(refused(&server, &list)[0].0, "/mappings/1/response/status");
    admin(&server, "POST", "/mappings/import", Some(list)).expect(422);
    assert_eq!(server.control("GET", "/stubs", None).json()["total"], 1);
    assert_eq!(server.control("GET", "/log", None).json()["total"], before, "what is refused is not in the log");
}

#[test]
fn a_state_that_nothing_leads_to_is_noted() {
    let server = Server::start(&["reportei"]);
    let more = json!({ "scenarioName": "s", "requiredScenarioState": "done" });
    let id = add(&server, json!({ "url": "/a" }), json!({ "statusMessage": "Fine" }), more);
    let notes = || server.control("GET", &format!("/stubs/{id}"), None).json()["notes"].clone();
    let fine = "`statusMessage` is not sent: HTTP/2 has none, and clients go by the status";
    assert_eq!(notes(), json!([fine, "no stub leads to the state `done` of the scenario `s`"]));
    add(&server, json!({ "url": "/b" }), json!({}), json!({ "scenarioName": "s", "newScenarioState": "done" }));
    assert_eq!(notes(), json!([fine]));
}

#[test]
fn stubs_are_bounded_in_number() {
    let server = Server::start(&["reportei"]);
    let mapping = json!({ "request": { "url": "/a" }, "response": {} });
    let all: Vec<&Json> = std::iter::repeat_n(&mapping, 1000).collect();
    let made = server.control("POST", "/stubs", Some(json!({ "mappings": all }))).expect(201).json();
    assert_eq!(made, json!({ "total": 1000 }));
    let mistakes = refused(&server, &mapping);
    assert!(mistakes[0].1.contains("there are 1000 stubs"), "{mistakes:?}");
    assert_eq!(server.control("GET", "/stubs", None).json()["next"], 100);
    server.get("/a").expect(200);
}

#[test]
fn a_slow_expression_holds_nobody_up() {
    let server = Server::start(&["reportei"]);
    let slow = json!({ "bodyPatterns": [{ "matches": "(?:[ab]*a[ab]{300}){3}" }] });
    add(&server, slow, json!({ "body": "never" }), json!({}));
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 31 == 0 { b'a' } else { b'b' }
    };
    let body: Vec<u8> = (0..2_000_000).map(|_| next()).collect();
    assert_eq!(server.call("POST", "/customers", &[REPORTEI], body).header("standin-stub"), None);
}

#[test]
fn ids_paths_and_bodies_that_cannot_be_are_refused() {
    let server = Server::start(&["reportei"]);
    let id = add(&server, json!({ "url": "/a" }), json!({}), json!({}));
    let one = format!("/stubs/{id}");
    for path in ["/stubs/00000000-0000-4000-8000-000000000000", "/stubs/nothing"] {
        server.control("GET", path, None).problem(404, "stub-unknown");
        server.control("DELETE", path, None).problem(404, "stub-unknown");
    }
    let other = json!({ "id": "00000000-0000-4000-8000-000000000000", "request": {}, "response": {} });
    let detail = server.control("PUT", &one, Some(other)).problem(422, "setting-invalid");
    assert!(detail.contains("not the id in the path"), "{detail}");
    server.control("POST", "/stubs", Some(json!([]))).problem(400, "body-kind");
    server.call("POST", "/_standin/stubs", &[("Content-Type", "text/plain")], "{}").problem(415, "media-type");
    server.control("PUT", "/scenarios/none", Some(json!({ "state": "a" }))).problem(404, "scenario-unknown");
    add(&server, json!({ "url": "/s" }), json!({}), json!({ "scenarioName": "s/1", "newScenarioState": "two" }));
    let detail =
        server.control("PUT", "/scenarios/s%2F1", Some(json!({ "state": "three" }))).problem(422, "setting-invalid");
    assert!(detail.contains("write `Started` or `two`"), "{detail}");
    let set = server.control("PUT", "/scenarios/s%2F1", Some(json!({ "state": "two" }))).expect(200).json();
    assert_eq!(set, json!({ "name": "s/1", "state": "two", "possibleStates": ["Started", "two"] }));
    server.control("POST", "/scenarios/reset", None).expect(204);
    assert_eq!(server.control("GET", "/scenarios", None).json()["records"][0]["state"], "Started");
}

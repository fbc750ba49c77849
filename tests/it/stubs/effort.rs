//! What conditions may cost, and bodies of which they say nothing.

use super::*;

/// A text of which nearly every byte leads some expressions to another state.
fn restless(bytes: usize) -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if state & 1 == 0 { 'a' } else { 'b' }
    };
    (0..bytes).map(|_| next()).collect()
}

/// What the trace of an exchange says about stubs.
fn told(server: &Server, answer: &Answer) -> Vec<(String, String)> {
    let trace = exchange(server, answer)["trace"].clone();
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let steps = trace.as_array().unwrap().iter().filter(|step| step["stage"] == "stub");
    steps.map(|step| (text(&step["verdict"]), text(&step["detail"]))).collect()
}

#[test]
fn a_stub_whose_condition_is_given_up_is_passed_over_and_the_trace_says_so() {
    let server = Server::start(&["reportei", "--freeze", "--max-body", "2097152"]);
    let slow = json!({ "not": { "matches": "(.*a.{20}[^b]){2}z" } });
    let given_up = |n: usize| {
        json!({
            "request": { "method": "POST", "bodyPatterns": vec![&slow; 95] },
            "response": {},
            "name": format!("slow{n}"),
        })
    };
    let list: Vec<Json> = (0..20).map(given_up).collect();
    server.control("POST", "/stubs", Some(json!({ "mappings": list }))).expect(201);
    let body = restless(1 << 20);
    let json = format!("{{\"name\": \"x\", \"note\": \"{body}\"}}");
    let words = "the stub slow19 was passed over: the condition at /request/bodyPatterns/0 was given up";
    // No stub is left: the pack answers, or nothing does.
    for path in ["/elsewhere", "/reportei/customers"] {
        let answer = server.call("POST", path, &[JSON], &json);
        assert_eq!(answer.header("standin-stub"), None, "{answer}");
        let notes = told(&server, &answer);
        assert_eq!((notes.len(), notes[0].0.as_str(), notes[0].1.as_str()), (6, "noted", words), "{path}: {notes:?}");
        assert_eq!(notes[5].1, "15 more stubs were passed over");
    }
    // What needs no such work answers all the same.
    let id = add(&server, json!({ "urlPath": "/elsewhere" }), json!({ "status": 207 }), json!({ "priority": 9 }));
    let answer = server.call("POST", "/elsewhere", &[JSON], &json).expect(207);
    assert_eq!(answer.header("standin-stub"), Some(&*id));
    let notes = told(&server, &answer);
    assert_eq!((notes.len(), notes[0].1.as_str(), notes[6].0.as_str()), (7, words, "passed"), "{notes:?}");
    // A short body is looked at to the end.
    let answer = server.call("POST", "/elsewhere", &[JSON], "{}").expect(200);
    assert_eq!(told(&server, &answer).len(), 1);
}

#[test]
fn no_stub_answers_a_body_that_is_too_large() {
    let server = Server::start(&["reportei", "--freeze", "--max-body", "400"]);
    add(
        &server,
        json!({ "bodyPatterns": [{ "doesNotContain": "x" }, { "not": { "equalTo": "y" } }] }),
        json!({ "status": 207 }),
        json!({}),
    );
    add(&server, json!({}), json!({ "status": 208 }), json!({ "priority": 9 }));
    let send = |path: &str, size: usize| server.call("POST", path, &[JSON, REPORTEI], " ".repeat(size));
    send("/reportei/customers", 400).expect(207);
    send("/reportei/customers", 401).expect(413);
    send("/nowhere", 400).expect(207);
    send("/nowhere", 401).expect(404);
}

//! Events of a pack of the tests that cannot always happen, and what the journal says about records that are looked for.

use super::*;

#[test]
fn the_first_guard_that_does_not_hold_refuses_an_event_in_its_words() {
    let server = case("refused-events", &[]);
    let enter = |input: Json| server.control("POST", "/events/harbour/enter", Some(input));
    let ships =
        || ["/ships/1", "/ships/2"].map(|path| server.call("GET", path, &[], "").expect(200).json()["at"].clone());
    let cases = [
        // The words of a pack become one sentence, whether they end like one or not.
        (json!({ "ship": 2, "berth": 1 }), "The ship has entered already."),
        (json!({ "ship": 2 }), "The ship has entered already."),
        (json!({ "ship": 1 }), "There is neither such a berth nor such a pier."),
        (json!({ "ship": 1, "berth": 7, "pier": 7 }), "There is neither such a berth nor such a pier."),
        (json!({ "ship": 1, "berth": 1, "pier": 1 }), "Another ship lies at the berth."),
    ];
    for (input, words) in cases {
        let answer = enter(input.clone());
        answer.problem(409, "event-refused");
        assert_eq!(answer.json()["detail"], words, "{input}");
        assert_eq!(ships(), [json!(null), json!("north")], "{input}");
    }
    let log = server.control("GET", "/log", None).json();
    assert!(log["records"].as_array().unwrap().iter().all(|entry| entry["kind"] != "event"), "{log:#}");
    enter(json!({ "ship": 1, "pier": 1 })).expect(200);
    assert_eq!(ships(), [json!("east"), json!("north")]);
    enter(json!({ "ship": 1, "berth": 2 })).problem(409, "event-refused");
    enter(json!({ "ship": 7 })).problem(404, "record-unknown");
}

#[test]
fn the_trace_names_the_field_that_a_record_is_loaded_by() {
    let server = case("other-names", &[]);
    let cases = [
        ("/crates/spring", 200, "crate by `key`"),
        ("/crates/winter", 404, "this caller has no `crate` with the `key` `winter`"),
    ];
    for (entry, (path, status, words)) in (1..).zip(cases) {
        server.call("GET", path, &[("x-account", "north-token")], "").expect(status);
        let trace =
            server.control("GET", &format!("/journal/{entry}"), None).expect(200).json()["exchange"]["trace"].clone();
        let load = trace.as_array().unwrap().iter().find(|step| step["stage"] == "load");
        assert_eq!(load.unwrap_or_else(|| panic!("{trace:#}"))["detail"], words);
    }
}

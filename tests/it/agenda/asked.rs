//! Events that somebody asks for, and how far an advance goes.

use serde_json::{Value as Json, json};

use super::{BEGIN, Tower, done, lines};
use crate::support::text;

#[test]
fn events_are_asked_for_seen_and_taken_back() {
    let tower = Tower::start(&[]);
    tower.bell(1, "silent", BEGIN);
    let first = tower.ask(json!({ "pack": "tower", "event": "strike", "input": { "id": 1 }, "after": "2h" }));
    assert_eq!((text(&first, "at"), &first["input"]), ("2024-10-01T19:15:12Z", &json!({ "id": 1 })));
    let second = tower.strike(1, "2024-10-01T18:00:00Z");
    let path = format!("/clock/agenda/{second}");
    let shown = tower.control("GET", &path, json!(null)).expect(200).json();
    assert_eq!((text(&shown, "at"), text(&shown, "event")), ("2024-10-01T18:00:00Z", "strike"));
    let planned = [("2024-10-01T18:00:00Z", "strike"), ("2024-10-01T19:15:12Z", "strike")];
    assert_eq!(tower.agenda(), lines(&planned));

    tower.control("DELETE", &path, json!(null)).expect(204);
    tower.control("DELETE", &path, json!(null)).problem(404, "agenda-unknown");
    tower.control("GET", &path, json!(null)).problem(404, "agenda-unknown");
    assert_eq!(tower.agenda(), lines(&planned[1..]));
    tower.advance(json!({ "by": "1d" }));
    assert_eq!(tower.seen(1, "rung"), 1);
    let path = format!("/clock/agenda/{}", first["id"]);
    tower.control("GET", &path, json!(null)).problem(404, "agenda-unknown");
}

#[test]
fn things_of_one_instant_happen_in_the_order_in_which_they_were_planned() {
    let tower = Tower::start(&[]);
    (1..=3).for_each(|id| tower.bell(id, "silent", BEGIN));
    let events: Vec<Json> = [3, 1, 2]
        .map(|id| json!({ "pack": "tower", "event": "strike", "input": { "id": id }, "at": "2024-10-02T00:00:00Z" }))
        .to_vec();
    let listed = tower.ask(json!({ "events": events }));
    assert_eq!((&listed["total"], listed["records"].as_array().unwrap().len()), (&json!(3), 3));
    tower.strike(1, "2024-10-02T00:00:01Z");
    let answer = tower.advance(json!({ "to": "next" }));
    let order: Vec<String> = done(&answer).into_iter().map(|(_, what)| what).collect();
    assert_eq!(order, ["strike 3", "strike 1", "strike 2"]);
    assert_eq!(answer["now"], "2024-10-02T00:00:00Z", "all that is due then, and nothing behind it");
    assert_eq!(tower.agenda().len(), 1);
    tower.advance(json!({ "to": "next" }));
    tower.control("POST", "/clock/advance", json!({ "to": "next" })).problem(409, "agenda-empty");
    assert_eq!(tower.now(), "2024-10-02T00:00:01Z");
}

#[test]
fn what_is_due_now_happens_at_once() {
    let tower = Tower::start(&[]);
    tower.bell(1, "silent", BEGIN);
    tower.strike(1, BEGIN);
    assert_eq!((tower.seen(1, "rung"), tower.agenda()), (json!(1), vec![]));
}

#[test]
fn an_event_that_cannot_happen_any_more_is_refused_and_told() {
    let tower = Tower::start(&[]);
    tower.bell(1, "silent", BEGIN);
    tower.bell(2, "silent", BEGIN);
    (1..=2).for_each(|id| {
        tower.strike(id, "2024-10-02T00:00:00Z");
    });
    tower.change(1, json!({ "state": "cracked" }));
    tower.control("DELETE", "/state/tower/bell/2", json!(null)).expect(204);
    let answer = tower.advance(json!({ "by": "1d" }));
    let refused: Vec<&str> = answer["done"].as_array().unwrap().iter().map(|entry| text(entry, "refused")).collect();
    assert_eq!(refused, ["The bell is cracked", "bell: there is no `bell` with the id `2`"]);
    assert_eq!(tower.seen(1, "rung"), 0);
}

#[test]
fn what_cannot_be_asked_for_is_refused_and_changes_nothing() {
    let tower = Tower::start(&["--max-agenda", "2"]);
    tower.bell(1, "silent", BEGIN);
    let good = json!({ "pack": "tower", "event": "strike", "input": { "id": 1 }, "after": "1h" });
    let with = |name: &str, value: Json| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let cases = [
        (with("pack", json!("towre")), 404, "pack-unknown", "Did you mean `tower`?"),
        (with("event", json!("stirke")), 404, "event-unknown", "Did you mean `strike`?"),
        (with("input", json!({ "id": "one" })), 422, "event-invalid", "GET /_standin/events shows its parameters."),
        (with("input", json!({ "di": 1 })), 422, "event-invalid", "The input of `strike` does not fit."),
        (with("input", json!([])), 400, "member-invalid", "it must be an object, not []"),
        (with("at", json!(BEGIN)), 400, "agenda-when", "Give either `at` (an instant) or `after` (a length of time)."),
        (with("after", json!("soon")), 400, "member-invalid", "`soon` is not a length of time"),
        (with("after", json!("-1s")), 400, "agenda-past", "POST /_standin/events lets an event happen now."),
        (with("after", json!(7)), 400, "member-invalid", "it must be a text, not 7"),
        (with("when", json!("1h")), 400, "body-member-unknown", "`when` is not understood here"),
        (json!({}), 400, "member-invalid", "`pack`: it is missing"),
        (json!({ "events": {} }), 400, "member-invalid", "it must be a list, not {}"),
        (json!({ "events": [1] }), 400, "member-invalid", "each is an object, not 1"),
        (
            json!({ "events": [good], "pack": "tower" }),
            400,
            "body-member-unknown",
            "Beside `events` there is nothing else.",
        ),
        (json!({ "events": [good, {}] }), 400, "member-invalid", "`pack`: it is missing"),
        (
            json!({ "events": [good, good, good] }),
            429,
            "agenda-full",
            "The agenda has room for 2 things (--max-agenda).",
        ),
    ];
    let watch = tower.server.watch_pack("tower");
    for (body, status, slug, words) in cases {
        let told = tower.control("POST", "/clock/agenda", body.clone()).problem(status, slug);
        assert!(told.contains(words), "{body}: {told}");
    }
    for path in ["/clock/agenda/x", "/clock/agenda/-1", "/clock/agenda/99999999999999999999"] {
        tower.control("DELETE", path, json!(null)).problem(404, "agenda-unknown");
    }
    drop(watch);
    assert_eq!(tower.agenda(), []);
    let told = tower.control("POST", "/clock/agenda", json!({ "events": [good, {}] })).json();
    assert_eq!(told["index"], 1, "which of them");
    tower.bell(2, "set", "2024-12-24T00:00:00Z");
    tower.ask(json!({ "events": [good, good] }));
    assert_eq!(tower.agenda().len(), 3, "what records have is not counted");
    tower.control("POST", "/clock/agenda", good).problem(429, "agenda-full");
}

#[test]
fn what_waits_may_take_as_many_bytes_as_the_log() {
    let tower = Tower::start(&["--max-journal-bytes", "4000"]);
    tower.bell(1, "silent", BEGIN);
    let strikes = |many: usize| {
        let strike = json!({ "pack": "tower", "event": "strike", "input": { "id": 1 }, "after": "1h" });
        json!({ "events": vec![strike; many] })
    };
    let full = |many: usize| {
        let told = tower.control("POST", "/clock/agenda", strikes(many)).problem(429, "agenda-full");
        assert!(told.contains("room for 4000 bytes (--max-journal-bytes)"), "{told}");
    };
    full(16);
    let asked = tower.ask(strikes(15));
    full(1);
    let first = format!("/clock/agenda/{}", asked["records"][0]["id"]);
    tower.control("DELETE", &first, json!(null)).expect(204);
    tower.ask(strikes(1));
    full(1);
    // What has happened makes room, too, and so does what is undone.
    tower.advance(json!({ "by": "1d" }));
    tower.ask(strikes(15));
    tower.control("POST", "/reset", json!(null));
    tower.bell(1, "silent", BEGIN);
    tower.ask(strikes(15));
    full(1);
}

#[test]
fn a_long_agenda_comes_in_pieces_and_a_long_advance_lists_its_first_thousand() {
    let tower = Tower::start(&[]);
    tower.bell(1, "silent", BEGIN);
    let one = |second: u32| json!({ "pack": "tower", "event": "strike", "input": { "id": 1 }, "after": format!("{second}s") });
    let events: Vec<Json> = (1..=1005).map(one).collect();
    tower.ask(json!({ "events": events }));
    let piece = |query: &str| tower.server.get(&format!("/_standin/clock/agenda{query}")).expect(200).json();
    let first = piece("?limit=1000");
    assert_eq!((&first["total"], &first["next"]), (&json!(1005), &json!(1000)));
    let second = piece("?limit=1000&after=1000");
    assert_eq!((second["records"].as_array().unwrap().len(), &second["next"]), (5, &json!(null)));
    assert_eq!(second["records"][0]["at"], "2024-10-01T17:31:53Z");

    let answer = tower.advance(json!({ "by": "1h" }));
    assert_eq!((answer["done"].as_array().unwrap().len(), &answer["more"]), (1000, &json!(5)));
    assert_eq!(tower.seen(1, "rung"), 1005);
}

//! Events that a pack has for its records.

use serde_json::json;

use super::{BEGIN, Tower, done, lines};
use crate::server::eventually;
use crate::support::text;

#[test]
fn an_event_happens_at_the_instant_that_a_record_tells() {
    let tower = Tower::start(&[]);
    tower.bell(1, "set", "2024-10-01T19:00:00Z");
    tower.bell(2, "set", "2024-10-01T18:00:00Z");
    tower.bell(3, "silent", "2024-10-01T18:30:00Z");
    let planned = [("2024-10-01T18:00:00Z", "ring 2"), ("2024-10-01T19:00:00Z", "ring 1")];
    assert_eq!(tower.agenda(), lines(&planned));

    let answer = tower.advance(json!({ "by": "1 h 30 m" }));
    assert_eq!(answer["now"], "2024-10-01T18:45:12Z");
    assert_eq!(done(&answer), [("2024-10-01T18:00:00Z", "ring 2".to_owned())]);
    assert_eq!((tower.seen(1, "rung"), tower.seen(2, "rung"), tower.seen(3, "rung")), (json!(0), json!(1), json!(0)));
    assert_eq!(tower.agenda(), lines(&planned[1..]));

    // The log says the same, with the time that passed before and after.
    let log = tower.server.get("/_standin/log?after=3").expect(200).json();
    let [event, clock] = log["records"].as_array().unwrap().as_slice() else { panic!("{log:#}") };
    assert_eq!((text(event, "at"), text(event, "event")), ("2024-10-01T18:00:00Z", "ring"));
    assert_eq!(event["scheduled"], true);
    assert_eq!((text(clock, "from"), text(clock, "now")), ("2024-10-01T18:00:00Z", "2024-10-01T18:45:12Z"));
}

#[test]
fn the_agenda_follows_the_records() {
    let tower = Tower::start(&[]);
    tower.bell(1, "set", "2024-10-02T00:00:00Z");
    tower.change(1, json!({ "due": "2024-10-03T00:00:00Z" }));
    assert_eq!(tower.agenda(), lines(&[("2024-10-03T00:00:00Z", "ring 1")]), "another instant");
    tower.change(1, json!({ "token": "other" }));
    assert_eq!(tower.agenda().len(), 1, "what it tells is the same");
    tower.change(1, json!({ "state": "silent" }));
    assert_eq!(tower.agenda(), [], "its condition does not hold any more");
    tower.change(1, json!({ "state": "set" }));
    tower.control("DELETE", "/state/tower/bell/1", json!(null)).expect(204);
    assert_eq!(tower.agenda(), [], "there is no such record any more");

    // It happens once, and again when the record tells another instant.
    tower.bell(2, "set", "2024-10-02T00:00:00Z");
    tower.advance(json!({ "by": "2d" }));
    tower.change(2, json!({ "token": "other" }));
    tower.advance(json!({ "by": "2d" }));
    assert_eq!(tower.seen(2, "rung"), 1);
    tower.change(2, json!({ "due": "2024-10-10T00:00:00Z" }));
    tower.advance(json!({ "by": "30d" }));
    assert_eq!(tower.seen(2, "rung"), 2);
}

#[test]
fn a_length_of_time_counts_from_when_the_condition_has_come_to_hold() {
    let tower = Tower::start(&[]);
    tower.bell(1, "swinging", BEGIN);
    assert_eq!(tower.agenda(), lines(&[("2024-11-30T17:15:12Z", "tire 1")]));
    tower.advance(json!({ "by": "30d" }));
    tower.change(1, json!({ "rung": 7 }));
    assert_eq!(tower.agenda(), lines(&[("2024-11-30T17:15:12Z", "tire 1")]), "it goes on holding");
    tower.change(1, json!({ "state": "silent" }));
    tower.change(1, json!({ "state": "swinging" }));
    assert_eq!(tower.agenda(), lines(&[("2024-12-30T17:15:12Z", "tire 1")]), "it holds anew");
    tower.advance(json!({ "to": "next" }));
    assert_eq!((tower.now(), tower.seen(1, "state")), ("2024-12-30T17:15:12Z".to_owned(), json!("tired")));
}

#[test]
fn an_instant_that_is_over_is_now() {
    let tower = Tower::start(&[]);
    tower.bell(1, "set", "2020-01-01T00:00:00Z");
    assert_eq!(tower.seen(1, "rung"), 1);
    let log = tower.server.get("/_standin/log").expect(200).json();
    assert_eq!((&log["records"][1]["kind"], text(&log["records"][1], "at")), (&json!("event"), BEGIN));
}

#[test]
fn what_goes_round_at_one_instant_is_stopped() {
    let tower = Tower::start(&[]);
    tower.bell(1, "flip", "2024-10-01T18:00:00Z");
    let answer = tower.advance(json!({ "by": "1h" }));
    let listed = answer["done"].as_array().unwrap();
    assert_eq!((listed.len(), text(&answer, "now")), (102, "2024-10-01T18:15:12Z"));
    assert!(text(&listed[101], "refused").contains("it would go on for ever"), "{:#}", listed[101]);
    assert_eq!((tower.seen(1, "rung"), tower.agenda()), (json!(101), vec![]));
}

#[test]
fn what_branches_at_one_instant_is_stopped_too() {
    let tower = Tower::start(&[]);
    tower.bell(1, "split", BEGIN);
    let log = tower.server.get("/_standin/log?limit=1000").expect(200).json();
    let events: Vec<_> = log["records"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "event").collect();
    let refused = events.iter().filter(|event| event["refused"].is_string()).count();
    assert_eq!((events.len(), refused), (127, 64), "each step is twice as wide as the one before");
    let bells = tower.server.get("/_standin/state/tower/bell").expect(200).json();
    assert_eq!((&bells["total"], tower.agenda()), (&json!(127), vec![]));
}

#[test]
fn a_webhook_that_leads_to_itself_goes_round_once() {
    let tower = Tower::start(&[]);
    tower.bell(9, "silent", BEGIN);
    tower.change(9, json!({ "url": format!("{}/tower/bells", tower.server.url()) }));
    tower.server.call("POST", "/tower/bells", &[], "").expect(201);
    let all = eventually("the delivery to land", || {
        let all = tower.server.get("/_standin/webhooks").expect(200).json();
        (all["records"][0]["state"] == "delivered").then_some(all)
    });
    let states: Vec<&str> = all["records"].as_array().unwrap().iter().map(|record| text(record, "state")).collect();
    assert_eq!(states, ["delivered", "dropped"]);
    assert!(text(&all["records"][1], "reason").contains("was itself a delivery of a webhook"), "{all:#}");
    assert_eq!(tower.server.get("/_standin/state/tower/bell").json()["total"], 3);
}

#[test]
fn with_a_ticking_clock_it_happens_when_its_instant_comes() {
    let tower = Tower::ticking(&["--clock", "2030-01-01T00:00:00Z"]);
    tower.bell(1, "set", "2030-01-01T00:00:02Z");
    // Nobody looks at the record meanwhile.
    let event = eventually("the bell to ring", || {
        let log = tower.server.get("/_standin/log").expect(200).json();
        log["records"].as_array().unwrap().iter().find(|entry| entry["kind"] == "event").cloned()
    });
    assert_eq!((text(&event, "at"), &event["scheduled"]), ("2030-01-01T00:00:02Z", &json!(true)));
    assert_eq!(tower.seen(1, "rung"), 1);
}

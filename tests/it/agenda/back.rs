//! The agenda belongs to the sandbox: it is forked, restored and rewound with it.

use serde_json::{Value as Json, json};

use super::{BEGIN, Tower, done, lines};
use crate::server::JSON;
use crate::support::text;

const RING: (&str, &str) = ("2024-10-01T18:00:00Z", "ring 1");
const STRIKE: (&str, &str) = ("2024-10-01T19:00:00Z", "strike");

/// A bell that is to ring, and then to be struck.
fn planned() -> Tower {
    let tower = Tower::start(&[]);
    tower.bell(1, "set", RING.0);
    tower.strike(1, STRIKE.0);
    assert_eq!(tower.agenda(), lines(&[RING, STRIKE]));
    tower
}

#[test]
fn a_rewind_has_it_happen_again_as_it_did() {
    let tower = planned();
    let advance = || tower.advance(json!({ "by": "3h" }));
    let story = |answer: &Json| {
        let token = tower.seen(1, "token");
        let listed: Vec<String> = done(answer).into_iter().map(|(at, what)| format!("{at} {what}")).collect();
        (listed, token, tower.seen(1, "rung"))
    };
    let first = advance();
    let told = story(&first);
    assert_eq!(told.0, ["2024-10-01T18:00:00Z ring 1", "2024-10-01T19:00:00Z strike 1"]);
    for (index, left) in [(0, vec![RING, STRIKE]), (1, vec![STRIKE])] {
        // To before one of the events: it is due again, and the time is that before it.
        let entry = first["done"][index]["entry"].clone();
        let entry = match index {
            0 => entry,
            _ => {
                let log = tower.server.get("/_standin/log").expect(200).json();
                log["records"].as_array().unwrap().iter().find(|entry| entry["event"] == "strike").unwrap()["entry"]
                    .clone()
            }
        };
        tower.control("POST", "/rewind", json!({ "to": entry })).expect(200);
        assert_eq!(tower.agenda(), lines(&left));
        assert_eq!(tower.seen(1, "rung"), index);
        assert_eq!(tower.now(), if index == 0 { BEGIN } else { RING.0 });
        let again = story(&advance());
        assert_eq!((&again.1, &again.2), (&told.1, &told.2), "the same draws");
    }
}

#[test]
fn a_snapshot_and_a_fork_have_it_and_a_reset_has_what_there_was_at_first() {
    let tower = planned();
    tower.control("POST", "/snapshots", json!({ "name": "early" })).expect(201);
    tower.control("POST", "/sandboxes", json!({ "id": "fork", "from": "default" })).expect(201);
    tower.advance(json!({ "by": "1d" }));
    assert_eq!((tower.agenda(), tower.agenda_in("/~fork")), (vec![], lines(&[RING, STRIKE])));
    // A fork that is to begin later goes there as every clock does.
    let late = json!({ "id": "late", "from": "fork", "clock": "2024-10-01T18:30:00Z" });
    tower.control("POST", "/sandboxes", late).expect(201);
    assert_eq!(tower.agenda_in("/~late"), lines(&[STRIKE]));
    let rung = tower.server.get("/~late/_standin/state/tower/bell/1").expect(200).json();
    assert_eq!((&rung["rung"], tower.seen(1, "rung")), (&json!(1), json!(2)));

    tower.control("POST", "/snapshots/early/restore", json!(null)).expect(200);
    assert_eq!(tower.agenda(), lines(&[RING, STRIKE]));
    tower.advance(json!({ "by": "1d" }));
    assert_eq!(tower.seen(1, "rung"), 2);
    tower.control("POST", "/reset", json!(null)).expect(200);
    assert_eq!(tower.agenda(), []);
}

#[test]
fn a_clock_that_is_set_back_performs_and_undoes_nothing() {
    let tower = planned();
    tower.advance(json!({ "by": "1h" }));
    assert_eq!((tower.seen(1, "rung"), tower.agenda()), (json!(1), lines(&[STRIKE])));
    let put = |now: &str| tower.control("PUT", "/clock", json!({ "now": now })).expect(200).json();
    assert_eq!(put("2024-09-01T00:00:00Z")["done"], json!([]));
    assert_eq!((tower.seen(1, "rung"), tower.agenda()), (json!(1), lines(&[STRIKE])), "nothing comes back");
    assert_eq!(put("2024-10-01T18:59:59Z")["done"], json!([]), "and it happens at its instant, not before");
    let answer = put("2024-10-01T20:00:00Z");
    assert_eq!(done(&answer), [(STRIKE.0, "strike 1".to_owned())], "set forward is advanced");
    assert_eq!((text(&answer, "now"), text(&answer, "mode")), ("2024-10-01T20:00:00Z", "frozen"));
}

#[test]
fn what_is_drawn_does_not_depend_on_when_receivers_answer() {
    let token = |url: Json| {
        let tower = Tower::start(&[]);
        tower.bell(1, "silent", BEGIN);
        tower.change(1, json!({ "url": url }));
        tower.control("POST", "/events/tower/strike", json!({ "id": 1 })).expect(200);
        tower.advance(json!({ "by": "1h" }));
        let cast = tower.server.call("POST", "/tower/bells", &[JSON], "").expect(201).json();
        text(&cast, "token").to_owned()
    };
    // Nobody listens there: the attempts fail, one after the other.
    assert_eq!(token(json!("http://127.0.0.1:9/")), token(json!("no URL")));
}

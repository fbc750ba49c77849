//! Whatever was done in a sandbox is done again by what is recorded of it.

use serde_json::{Value as Json, json};

use super::{Recorded, say};
use crate::server::{JSON, Server};
use crate::support::text;
use crate::traffic::{Chance, call, control};

/// All stories that ship are told, recorded, and told again: what happens then is what happened.
#[test]
fn every_story_that_ships_is_recorded_and_told_again() {
    let server = Server::start(&["--freeze", "--max-sandboxes", "2000"]);
    let said = say(&["run", "--target", &server.url(), "--keep-sandboxes", "fixtures"]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.errors);
    let all = server.control("GET", "/sandboxes?limit=1000", None).expect(200).json();
    let ids = all["records"].as_array().unwrap().iter().map(|sandbox| text(sandbox, "id"));
    let ids: Vec<&str> = ids.filter(|id| *id != "default").collect();
    assert!(ids.len() > 200, "{}", ids.len());
    let recorded = Recorded::of(&server, ids.iter().copied());
    for (then, now) in recorded.run(&server) {
        assert_eq!(outline(&server, &now), outline(&server, &then), "{then}:\n{}", recorded.text(&then));
        recorded.silent(&server, &then);
    }
}

/// Calls of all packs in any order, good ones and others, with edits, events and moves of the clock between them.
#[test]
fn whatever_is_called_is_recorded_and_told_again() {
    let server = Server::start(&["--freeze"]);
    let mut ids = Vec::new();
    for seed in 0..12 {
        let mut chance = Chance::new(seed);
        let id = format!("walk-{seed}");
        let made = json!({ "id": id, "seed": seed, "clock": "2024-10-02T00:00:00Z" });
        server.control("POST", "/sandboxes", Some(made)).expect(201);
        for _ in 0..40 {
            match chance.below(4) {
                0 => control(&mut chance).to(&server, &id),
                _ => call(&mut chance).to(&server, &id),
            };
        }
        // After a reset at the very end there would be nothing to tell.
        server.get(&format!("/~{id}/reportei/customers"));
        let stand = json!({ "mode": "frozen" }).to_string();
        server.call("PUT", &format!("/~{id}/_standin/clock"), &[JSON], stand).expect(200);
        ids.push(id);
    }
    let recorded = Recorded::of(&server, ids.iter().map(String::as_str));
    let told: String = ids.iter().map(|id| recorded.text(id)).collect();
    for word in
        ["base64:", "pack: null", "text:", "control:", "advance:", "clock:", "event:", "update:", "as: ", "keep:"]
    {
        assert!(told.contains(word), "no {word}");
    }
    for (then, now) in recorded.run(&server) {
        assert_eq!(outline(&server, &now), outline(&server, &then), "{then}:\n{}", recorded.text(&then));
        recorded.silent(&server, &then);
    }
}

/// What happened, without what follows from secrets that have others in their place.
fn outline(server: &Server, sandbox: &str) -> Vec<Json> {
    let outlined =
        |entry: Json| json!([entry["at"], entry["request"], entry["status"], entry["changes"], entry["kind"]]);
    super::happened(server, sandbox).into_iter().map(outlined).collect()
}

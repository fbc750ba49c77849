//! Forks, snapshots and rewinds.

use super::*;

/// A call of the control plane of one sandbox.
fn at(server: &Server, sandbox: &str, method: &str, path: &str, body: Json) -> Answer {
    let headers = [JSON, ("Standin-Sandbox", sandbox)];
    server.call(
        method,
        &format!("/_standin{path}"),
        &headers,
        if body.is_null() { String::new() } else { body.to_string() },
    )
}

/// Everything that a sandbox has, but for its name.
fn all(server: &Server, sandbox: &str) -> Json {
    let get = |path: &str| at(server, sandbox, "GET", path, Json::Null).expect(200).json();
    json!({
        "customers": get("/state/reportei/customer?secrets=show"),
        "integrations": get("/state/reportei/integration?secrets=show"),
        "clock": get("/clock"),
        "log": get("/log?secrets=show"),
        "journal": get("/journal"),
    })
}

/// What one customer more looks like: its id and token are drawn.
fn next(server: &Server, sandbox: &str) -> Json {
    create(server, &format!("/~{sandbox}/customers"), "Next")
}

fn prepared(id: &str) -> Server {
    let server = start();
    sandbox(&server, json!({ "id": id, "clock": "2025-01-01T00:00:00Z", "seed": 5 }));
    create(&server, &format!("/~{id}/customers"), "First");
    at(&server, id, "POST", "/clock/advance", json!({ "by": "1h" })).expect(200);
    at(&server, id, "PATCH", &format!("/state/reportei/customer/{FIRST}"), json!({ "name": "Renamed" })).expect(200);
    at(&server, id, "POST", "/events/reportei/revoke", json!({ "uuid": INTEGRATION })).expect(200);
    server
}

#[test]
fn a_fork_has_everything_of_its_origin_and_goes_its_own_way() {
    let server = prepared("alice");
    let fork = sandbox(&server, json!({ "id": "bob", "from": "alice" }));
    assert_eq!((&fork["seed"], &fork["entries"], &fork["snapshots"]), (&json!(5), &json!(3), &json!(0)));
    assert_eq!(all(&server, "bob"), all(&server, "alice"));
    let before = all(&server, "alice");
    // The same call gives the same answer, down to what is drawn.
    let in_bob = next(&server, "bob");
    assert_eq!(all(&server, "alice"), before, "a fork shares nothing that changes");
    assert_eq!(next(&server, "alice"), in_bob);
    at(&server, "bob", "POST", "/clock/advance", json!({ "by": "1d" })).expect(200);
    server.control("DELETE", "/sandboxes/alice", None).expect(204);
    assert_eq!(at(&server, "bob", "GET", "/clock", Json::Null).json()["now"], "2025-01-02T01:00:00Z");
    next(&server, "bob");
    // A fork of a fork, at another time.
    let fork = sandbox(&server, json!({ "id": "carol", "from": "bob", "clock": "2030-01-01T00:00:00Z" }));
    assert_eq!(fork["clock"]["now"], "2030-01-01T00:00:00Z");
    // It returns to where the first one began.
    at(&server, "carol", "POST", "/reset", Json::Null).expect(200);
    assert_eq!(at(&server, "carol", "GET", "/clock", Json::Null).json()["now"], "2025-01-01T00:00:00Z");
    assert_eq!(at(&server, "carol", "GET", "/state/reportei/customer", Json::Null).json()["total"], 3);
}

#[test]
fn a_fork_with_another_seed_begins_a_log_of_its_own() {
    let server = prepared("alice");
    let fork = sandbox(&server, json!({ "id": "bob", "from": "alice", "seed": 6 }));
    assert_eq!((&fork["seed"], &fork["entries"]), (&json!(6), &json!(3)));
    let (alice, bob) = (all(&server, "alice"), all(&server, "bob"));
    assert_eq!((&bob["customers"], &bob["clock"]), (&alice["customers"], &alice["clock"]));
    assert_eq!((&bob["log"]["total"], &bob["journal"]["total"]), (&json!(0), &json!(0)));
    assert_ne!(next(&server, "alice")["uuid"], next(&server, "bob")["uuid"]);
    // The seed that it has anyway is no other seed.
    assert_eq!(sandbox(&server, json!({ "id": "carol", "from": "alice", "seed": 5 }))["entries"], 4);
}

#[test]
fn a_fork_takes_options_or_its_origins() {
    let server = Server::with_options("hubster", &[]);
    sandbox(&server, json!({ "id": "alice", "options": { "hubster.get-enums": "numbers" } }));
    server.call("GET", "/~alice/hubs", &[crate::hubster::PORTAL], "");
    let fork = sandbox(&server, json!({ "id": "bob", "from": "alice" }));
    assert_eq!((&fork["options"]["hubster.get-enums"], &fork["entries"]), (&json!("numbers"), &json!(1)));
    let options = json!({ "hubster.get-enums": "strings" });
    let fork = sandbox(&server, json!({ "id": "carol", "from": "alice", "options": options }));
    assert_eq!((&fork["options"]["hubster.get-enums"], &fork["entries"]), (&json!("strings"), &json!(1)));
    let log = at(&server, "carol", "GET", "/log", Json::Null).json();
    assert_eq!((&log["total"], &log["evicted"]), (&json!(0), &json!(0)));
}

/// What is drawn depends on the seed and on what has happened. In a fork whose log begins anew, what its origin drew is
/// not drawn again: there are records with these ids.
#[test]
fn a_fork_does_not_draw_what_its_origin_drew() {
    let server = Server::with_options("hubster", &[]);
    let post = |sandbox: &str, name: &str| {
        let body = json!({ "channelId": "Messenger", "name": name, "configuration": { "pageAccessToken": name } });
        let path = format!("/~{sandbox}/api/v1/integrations/hubs/00000000-0000-0000-0000-0000000000a2");
        server.call("POST", &path, &[crate::hubster::PORTAL, JSON], body.to_string()).expect(200)
    };
    post("default", "One");
    let options = json!({ "hubster.get-enums": "strings" });
    sandbox(&server, json!({ "id": "a", "from": "default", "options": options }));
    post("a", "Two");
    sandbox(&server, json!({ "id": "b", "from": "a", "seed": 9 }));
    post("b", "Three");
    sandbox(&server, json!({ "id": "c", "from": "b", "seed": 1 }));
    post("c", "Four");
}

#[test]
fn a_restored_snapshot_is_as_it_was_and_stays() {
    let server = prepared("alice");
    let taken = at(&server, "alice", "POST", "/snapshots", json!({ "name": "paid" })).expect(201).json();
    let shown = json!({ "name": "paid", "at": "2025-01-01T01:00:00Z", "entries": 3, "from": "alice@paid" });
    assert_eq!(taken, shown);
    assert_eq!(at(&server, "alice", "GET", "/snapshots/paid", Json::Null).json(), shown);
    let then = all(&server, "alice");
    let mut made = Vec::new();
    for _ in 0..2 {
        made.push(next(&server, "alice"));
        server.api("DELETE", &format!("/~alice/customers/{FIRST}"), None).expect(200);
        at(&server, "alice", "PUT", "/clock", json!({ "now": "2025-02-01T00:00:00Z", "mode": "ticking" })).expect(200);
        let back = at(&server, "alice", "POST", "/snapshots/paid/restore", Json::Null).expect(200).json();
        let clock = json!({ "now": "2025-01-01T01:00:00Z", "mode": "frozen" });
        assert_eq!(back, json!({ "sandbox": "alice", "clock": clock, "entries": 3 }));
        assert_eq!(all(&server, "alice"), then);
    }
    assert_eq!(made[0], made[1], "what happens again is the same");
    let answer = server.api("GET", "/~alice/customers", None).expect(200);
    assert_eq!(answer.header("standin-entry"), Some("11"), "numbers are not used again");
    // It outlives a reset, and can be forked.
    at(&server, "alice", "POST", "/reset", Json::Null).expect(200);
    sandbox(&server, json!({ "id": "bob", "from": "alice@paid" }));
    assert_eq!(all(&server, "bob"), then);
    assert_eq!(at(&server, "bob", "GET", "/snapshots", Json::Null).json()["total"], 0);
    at(&server, "alice", "DELETE", "/snapshots/paid", Json::Null).expect(204);
    for method in ["GET", "DELETE"] {
        at(&server, "alice", method, "/snapshots/paid", Json::Null).problem(404, "snapshot-unknown");
    }
    let detail = at(&server, "alice", "POST", "/snapshots/paid/restore", Json::Null).problem(404, "snapshot-unknown");
    assert!(detail.contains("the sandbox has none"), "{detail}");
}

#[test]
fn snapshots_are_listed_in_pieces_and_named_by_the_server() {
    let server = start();
    let name = |body: Json| server.control("POST", "/snapshots", Some(body)).expect(201).json()["name"].clone();
    assert_eq!(
        [name(json!({ "name": "snapshot-1" })), name(json!({})), name(json!({}))],
        ["snapshot-1", "snapshot-2", "snapshot-3"]
    );
    let list = |query: &str| {
        let list = server.control("GET", &format!("/snapshots{query}"), None).expect(200).json();
        let names: Vec<&str> =
            list["records"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        (names.join(" "), list["total"].clone(), list["next"].clone())
    };
    assert_eq!(list("?limit=2"), ("snapshot-1 snapshot-2".to_owned(), json!(3), json!(2)));
    assert_eq!(list("?limit=2&after=2"), ("snapshot-3".to_owned(), json!(3), Json::Null));
}

/// Whatever an entry did, before it the world was as it was.
#[test]
fn a_rewind_undoes_an_entry_and_all_behind_it() {
    let server = start();
    let steps: [(&str, &str, Json); 8] = [
        ("POST", "/customers", json!({ "name": "One" })),
        ("POST", "/_standin/clock/advance", json!({ "by": "1h" })),
        ("PATCH", &format!("/_standin/state/reportei/customer/{FIRST}"), json!({ "name": "Renamed" })),
        ("POST", "/_standin/events/reportei/revoke", json!({ "uuid": INTEGRATION })),
        ("PUT", "/_standin/clock", json!({ "mode": "ticking" })),
        ("PUT", "/_standin/clock", json!({ "now": "2024-10-05T00:00:00Z", "mode": "frozen" })),
        ("DELETE", &format!("/customers/{FIRST}"), Json::Null),
        ("POST", "/customers", json!({ "name": "Two" })),
    ];
    let act = |(method, path, body): &(&str, &str, Json)| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = server.call(method, path, &[REPORTEI, JSON], body);
        assert!((200..300).contains(&answer.status), "{answer}");
        answer.body
    };
    let without_numbers = |mut world: Json| {
        for entry in world["log"]["records"].as_array_mut().unwrap() {
            entry["entry"] = Json::Null;
            entry["exchange"]["tookMicros"] = Json::Null;
            entry["exchange"]["response"]["headers"] = Json::Null;
        }
        world["journal"] = Json::Null;
        world
    };
    let world = || without_numbers(all(&server, "default"));
    let mut before = Vec::new();
    for step in &steps {
        // While the clock ticks, no two looks are the same.
        let ticks = server.control("GET", "/clock", None).json()["mode"] == "ticking";
        before.push((!ticks).then(&world));
        act(step);
    }
    let mut first = 1;
    for undone in (0..steps.len()).rev() {
        let back = server.control("POST", "/rewind", Some(json!({ "to": first + undone }))).expect(200).json();
        // Moves of the clock are not counted.
        let clocks = steps[..undone].iter().filter(|(_, path, _)| path.contains("/clock")).count();
        assert_eq!(back["entries"], undone - clocks);
        if let Some(before) = &before[undone] {
            assert_eq!(&world(), before, "before step {undone}");
        }
    }
    assert_eq!(
        server.control("GET", "/journal/1", None).problem(410, "entry-evicted"),
        "Entry 1 is gone: it was reset, undone, cleared, or had to make room."
    );
    // Once more from the beginning, and back in one go.
    first = 9;
    let answers: Vec<Vec<u8>> = steps.iter().take(4).map(act).collect();
    server.control("POST", "/rewind", Some(json!({ "to": first }))).expect(200);
    assert_eq!(&world(), before[0].as_ref().unwrap());
    let state = |answers: &[Vec<u8>]| [answers[0].clone(), answers[1].clone(), answers[2].clone()];
    let again: Vec<Vec<u8>> = steps.iter().take(4).map(act).collect();
    assert_eq!(state(&again), state(&answers), "what happens again is the same");
}

/// What had to make room has no place any more, and what is left is undone one by one.
#[test]
fn every_entry_that_is_kept_can_be_rewound_to() {
    let server = Server::start(&["reportei", "--freeze", "--max-journal-entries", "400"]);
    let name = |number: usize| json!({ "name": format!("Name {number}") });
    let path = format!("/state/reportei/customer/{FIRST}");
    for number in 1..=900 {
        server.control("PATCH", &path, Some(name(number))).expect(200);
    }
    let shown = || server.control("GET", &path, None).expect(200).json()["name"].clone();
    for to in [880, 700, 600, 513, 512, 511, 502, 501] {
        server.control("POST", "/rewind", Some(json!({ "to": to }))).expect(200);
        assert_eq!(shown(), format!("Name {}", to - 1));
        // What comes later does not disturb what was.
        server.control("PATCH", &path, Some(json!({ "name": "Between" }))).expect(200);
    }
    let detail = server.control("POST", "/rewind", Some(json!({ "to": 500 }))).problem(410, "entry-evicted");
    assert!(detail.contains("the oldest that is kept is"), "{detail}");
    assert_eq!(shown(), "Between");
}

#[test]
fn going_back_that_makes_no_sense_is_refused_and_changes_nothing() {
    let server = prepared("alice");
    let before = all(&server, "alice");
    let rewind = |body: Json| at(&server, "alice", "POST", "/rewind", body);
    rewind(json!({})).problem(400, "rewind-where");
    rewind(json!({ "entry": 1 })).problem(400, "body-member-unknown");
    for to in [json!("1"), json!(-1), json!(1.5), json!([1])] {
        rewind(json!({ "to": to })).problem(400, "member-invalid");
    }
    for to in [0, 5, 99] {
        rewind(json!({ "to": to })).problem(404, "entry-unknown");
    }
    let long = "a".repeat(10_000);
    for name in ["", "A", "a.b", "a/b", "a@b", "-a", "ä", &long] {
        let answer = at(&server, "alice", "POST", "/snapshots", json!({ "name": name }));
        assert!(answer.problem(400, "member-invalid").len() < 200);
    }
    for name in ["a.b", "a%2Fb", "%00", &long] {
        let answer = at(&server, "alice", "POST", &format!("/snapshots/{name}/restore"), Json::Null);
        assert!(answer.problem(400, "snapshot-name-invalid").len() < 200);
    }
    at(&server, "alice", "POST", "/snapshots/none/restore", Json::Null).problem(404, "snapshot-unknown");
    at(&server, "alice", "POST", "/snapshots", json!({ "name": "one" })).expect(201);
    let detail = at(&server, "alice", "POST", "/snapshots", json!({ "name": "one" })).problem(409, "snapshot-exists");
    assert!(detail.contains("DELETE /_standin/snapshots/one"), "{detail}");
    let detail = at(&server, "alice", "GET", "/snapshots/two", Json::Null).problem(404, "snapshot-unknown");
    assert!(detail.contains("the sandbox has `one`"), "{detail}");
    assert_eq!(all(&server, "alice"), before);
}

#[test]
fn a_fork_of_what_is_not_there_is_refused() {
    let server = prepared("alice");
    sandbox(&server, json!({ "id": "closed" }));
    server.control("DELETE", "/sandboxes/closed", None).expect(204);
    let fork = |from: &str| server.control("POST", "/sandboxes", Some(json!({ "id": "new", "from": from })));
    fork("closed").problem(410, "sandbox-closed");
    fork("closed@one").problem(410, "sandbox-closed");
    fork("never").problem(404, "sandbox-unknown");
    fork("alice@one").problem(404, "snapshot-unknown");
    let long = "a".repeat(10_000);
    for from in ["", "@", "@one", "alice@", "alice@a.b", "alice@one@two", "a/b", "a.b", &long, &format!("alice@{long}")]
    {
        let detail = fork(from).problem(400, "member-invalid");
        assert!(detail.contains("`sandbox@snapshot`") && detail.len() < 300, "{detail}");
    }
    assert_eq!(server.control("GET", "/sandboxes", None).json()["total"], 2, "nothing was made");
}

#[test]
fn there_are_only_so_many_snapshots() {
    let server = Server::start(&["reportei", "--freeze", "--max-snapshots", "2"]);
    let take = || server.control("POST", "/snapshots", None);
    take().expect(201);
    take().expect(201);
    assert!(take().problem(429, "snapshots-full").contains("--max-snapshots"));
    server.control("DELETE", "/snapshots/snapshot-1", None).expect(204);
    assert_eq!(take().expect(201).json()["name"], "snapshot-3");
}

#[test]
fn a_sandbox_that_nobody_uses_is_closed() {
    let server = Server::start(&["reportei", "--freeze", "--sandbox-idle-timeout", "200ms", "--max-sandboxes", "1"]);
    sandbox(&server, json!({ "id": "used" }));
    let gone = eventually("the end of the sandbox", || {
        let list = server.control("GET", "/sandboxes", None).expect(200).json();
        (list["total"] == 1).then(|| server.api("GET", "/~used/customers", None))
    });
    let detail = gone.problem(410, "sandbox-closed");
    assert!(detail.contains("nobody used it for 200ms (--sandbox-idle-timeout)"), "{detail}");
    let detail = server.control("POST", "/sandboxes", Some(json!({ "id": "used" }))).problem(409, "sandbox-closed");
    assert!(detail.contains("nobody used it"), "{detail}");
    // Its place is free, and the one that always exists does not end.
    sandbox(&server, json!({ "id": "other" }));
    server.api("GET", "/customers", None).expect(200);
}

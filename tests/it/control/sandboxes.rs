//! Sandboxes, and the ways to choose them.

use super::*;

// ---- sandboxes ----

#[test]
fn path_host_and_header_choose_the_same_sandbox() {
    let server = start();
    let made = sandbox(&server, json!({ "id": "alice" }));
    assert_eq!(made["id"], "alice");
    create(&server, "/~alice/customers", "Only here");
    for (way, prefix, headers) in ways(&server) {
        let mut headers = borrowed(&headers);
        headers.push(REPORTEI);
        let answer = server.call("GET", &format!("{prefix}/api/customers"), &headers, "").expect(200);
        assert_eq!(names(&answer), ["Reportei Customer 1", "Reportei Customer 2", "Only here"], "{way}");
    }
    assert_eq!(names(&server.api("GET", "/customers", None)), ["Reportei Customer 1", "Reportei Customer 2"]);
    assert_eq!(names(&server.api("GET", "/~default/customers", None)), ["Reportei Customer 1", "Reportei Customer 2"]);
}

#[test]
fn a_sandbox_can_be_made_with_a_time_that_stands_still() {
    let server = Server::start(&["reportei"]);
    let first = json!({ "now": "2024-10-01T17:15:12Z", "mode": "frozen" });
    assert_eq!(sandbox(&server, json!({ "id": "still", "mode": "frozen" }))["clock"], first);
    server.control("POST", "/sandboxes", Some(json!({ "id": "runs", "mode": "ticking" }))).expect(201);
    let clock = |id: &str| server.get(&format!("/~{id}/_standin/clock")).expect(200).json();
    assert_eq!((clock("still"), clock("runs")["mode"].clone()), (first.clone(), json!("ticking")));
    server.call("POST", "/~still/_standin/reset", &[], "").expect(200);
    assert_eq!(clock("still"), first, "it begins so after a reset, too");
    let forks =
        [json!({}), json!({ "mode": "ticking" }), json!({ "mode": "ticking", "clock": "2025-01-01T00:00:00Z" })];
    for (fork, mode) in forks.into_iter().zip(["frozen", "ticking", "ticking"]) {
        let mut wish = fork.clone();
        wish["from"] = json!("still");
        assert_eq!(sandbox(&server, wish)["clock"]["mode"], mode, "{fork}");
    }
    let detail = server.control("POST", "/sandboxes", Some(json!({ "mode": "slow" }))).problem(400, "member-invalid");
    assert_eq!(detail, "`mode`: it is `ticking` or `frozen`, not `slow`.");
}

#[test]
fn links_lead_back_into_the_sandbox_however_it_was_chosen() {
    let server = start();
    sandbox(&server, json!({ "id": "alice" }));
    create(&server, "/~alice/customers", "Only here");
    for (way, prefix, headers) in ways(&server) {
        let mut headers = borrowed(&headers);
        headers.push(REPORTEI);
        let answer = server.call("GET", &format!("{prefix}/customers"), &headers, "").expect(200);
        let back = follow(&server, &answer.json()["meta"]["path"], &[REPORTEI]).expect(200);
        assert_eq!(back.body, answer.body, "{way}: the whole answer, the link included");
    }
}

#[test]
fn the_control_plane_is_about_the_chosen_sandbox_too_and_its_links_lead_back() {
    let server = start();
    sandbox(&server, json!({ "id": "alice", "clock": "2030-01-01T00:00:00Z" }));
    for (way, prefix, headers) in ways(&server) {
        let headers = borrowed(&headers);
        let prefix = prefix.trim_end_matches("/reportei");
        let get = |path: &str| server.call("GET", &format!("{prefix}/_standin{path}"), &headers, "").expect(200).json();
        assert_eq!(get("/clock")["now"], "2030-01-01T00:00:00Z", "{way}");
        let index = get("");
        assert_eq!(index["sandbox"], "alice", "{way}");
        for (name, link) in index["links"].as_object().unwrap() {
            assert_eq!(follow(&server, link, &[]).status, 200, "{way}: {name}: {link}");
        }
        assert_eq!(follow(&server, &index["links"]["clock"], &[]).json()["now"], "2030-01-01T00:00:00Z", "{way}");
        let mut bases = vec![
            index["packs"][0]["baseUrl"].clone(),
            get("/packs")["records"][0]["baseUrl"].clone(),
            get("/packs/reportei")["baseUrl"].clone(),
        ];
        bases.push(get("/sandboxes/alice")["baseUrls"]["reportei"].clone());
        for base in bases {
            let answer = follow(&server, &json!(format!("{}/customers", base.as_str().unwrap())), &[REPORTEI]);
            assert_eq!(answer.expect(200).header("date"), Some("Tue, 01 Jan 2030 00:00:00 GMT"), "{way}: {base}");
        }
        let default = get("/sandboxes/default")["baseUrls"]["reportei"].clone();
        let answer = follow(&server, &json!(format!("{}/customers", default.as_str().unwrap())), &[REPORTEI]);
        assert_eq!(answer.expect(200).header("date"), Some("Tue, 01 Oct 2024 17:15:12 GMT"), "{way}: {default}");
    }
}

#[test]
fn selectors_that_disagree_are_400() {
    let server = start();
    sandbox(&server, json!({ "id": "alice" }));
    sandbox(&server, json!({ "id": "bob" }));
    for (path, headers) in [
        ("/~alice/customers", vec![("Standin-Sandbox", "bob")]),
        ("/~alice/customers", vec![("Host", "bob.reportei.localhost")]),
        ("/customers", vec![("Host", "bob.reportei.localhost"), ("Standin-Sandbox", "alice")]),
        ("/customers", vec![("Standin-Sandbox", "bob"), ("Standin-Sandbox", "alice")]),
        ("/~alice/_standin/clock", vec![("Standin-Sandbox", "bob")]),
        ("/~default/customers", vec![("Standin-Sandbox", "bob")]),
    ] {
        let detail = server.call("GET", path, &headers, "").problem(400, "sandbox-selectors-disagree");
        assert!(detail.contains("`bob`"), "{detail}");
    }
    server
        .call("GET", "/customers", &[REPORTEI, ("Standin-Sandbox", "bob"), ("Standin-Sandbox", "bob")], "")
        .expect(200);
}

#[test]
fn a_closed_sandbox_is_410_and_an_unknown_one_404() {
    let server = start();
    sandbox(&server, json!({ "id": "alice" }));
    server.control("DELETE", "/sandboxes/alice", None).expect(204);
    for (way, prefix, headers) in ways(&server) {
        let headers = borrowed(&headers);
        for path in [format!("{prefix}/customers"), format!("{}/_standin/clock", prefix.trim_end_matches("/reportei"))]
        {
            let detail = server.call("GET", &path, &headers, "").problem(410, "sandbox-closed");
            assert!(detail.contains("`alice`"), "{way}: {detail}");
        }
    }
    server.control("GET", "/sandboxes/alice", None).problem(410, "sandbox-closed");
    server.control("DELETE", "/sandboxes/alice", None).problem(410, "sandbox-closed");
    let detail = server.api("GET", "/~carol/customers", None).problem(404, "sandbox-unknown");
    assert!(detail.contains("POST /_standin/sandboxes"), "{detail}");
}

#[test]
fn ids_are_never_used_again() {
    let server = start();
    let first = sandbox(&server, json!({}))["id"].as_str().unwrap().to_owned();
    let second = server.control("POST", "/sandboxes", None).expect(201).json()["id"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    server.control("DELETE", &format!("/sandboxes/{first}"), None).expect(204);
    server.control("POST", "/sandboxes", Some(json!({ "id": first }))).problem(409, "sandbox-closed");
    server.control("POST", "/sandboxes", Some(json!({ "id": second }))).problem(409, "sandbox-exists");
    let third = sandbox(&server, json!({}))["id"].clone();
    assert!(third != json!(first) && third != json!(second));
}

#[test]
fn sandboxes_are_listed_in_pieces() {
    let server = start();
    for id in ["b", "a", "d", "c"] {
        sandbox(&server, json!({ "id": id }));
    }
    let ids = |query: &str| {
        let list = server.control("GET", &format!("/sandboxes{query}"), None).expect(200).json();
        let ids: Vec<String> = list["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|sandbox| sandbox["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(list["total"], 5);
        (ids.join(" "), list["next"].clone())
    };
    assert_eq!(ids(""), ("default a b c d".to_owned(), Json::Null));
    assert_eq!(ids("?limit=2"), ("default a".to_owned(), json!(2)));
    assert_eq!(ids("?limit=2&after=2"), ("b c".to_owned(), json!(4)));
    assert_eq!(ids("?limit=2&after=4"), ("d".to_owned(), Json::Null));
}

#[test]
fn a_sandbox_says_what_it_is_like() {
    let server = start();
    let made = sandbox(&server, json!({ "id": "alice", "clock": "2025-06-01T00:00:00Z", "seed": 9 }));
    let expected = json!({
        "id": "alice",
        "clock": { "now": "2025-06-01T00:00:00Z", "mode": "frozen" },
        "seed": 9,
        "options": {},
        "entries": 0,
        "snapshots": 0,
            "idleSeconds": 0,
        "baseUrls": { "reportei": format!("{}/~alice/reportei", server.url()) },
    });
    assert_eq!(made, expected);
    assert_eq!(server.control("GET", "/sandboxes/alice", None).expect(200).json(), expected);
}

#[test]
fn sandboxes_do_not_see_each_other() {
    let server = start();
    sandbox(&server, json!({ "id": "alice" }));
    sandbox(&server, json!({ "id": "bob" }));
    let in_alice = create(&server, "/~alice/customers", "Alice's");
    let own = format!("/customers/{}", in_alice["uuid"].as_str().unwrap());
    server.control("POST", "/clock/advance", Some(json!({ "by": "1d" }))).expect(200);
    server
        .call("POST", "/~bob/_standin/events/reportei/revoke", &[JSON], json!({ "uuid": INTEGRATION }).to_string())
        .expect(200);
    server.api("GET", &format!("/~alice{own}"), None).expect(200);
    server.api("GET", &own, None).expect(404);
    server.api("GET", &format!("/~bob{own}"), None).expect(404);
    for (prefix, now, status) in [
        ("", "2024-10-02T17:15:12Z", "active"),
        ("/~alice", "2024-10-01T17:15:12Z", "active"),
        ("/~bob", "2024-10-01T17:15:12Z", "revoked"),
    ] {
        let get = |path: &str| server.get(&format!("{prefix}/_standin{path}")).expect(200).json();
        assert_eq!(get("/clock")["now"], now, "{prefix}");
        assert_eq!(get(&format!("/state/reportei/integration/{INTEGRATION}"))["status"], status, "{prefix}");
    }
    let totals = ["", "/~alice", "/~bob"]
        .map(|prefix| server.get(&format!("{prefix}/_standin/journal")).json()["total"].clone());
    assert_eq!(totals, [json!(1), json!(2), json!(1)]);
}

#[test]
fn sandboxes_work_side_by_side() {
    let server = start();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let id = format!("side-{number}");
                sandbox(server, json!({ "id": id }));
                for customer in 0..10 {
                    create(server, &format!("/~{id}/customers"), &format!("{number}/{customer}"));
                }
                let list = server.api("GET", &format!("/~{id}/customers?per_page=100"), None);
                assert_eq!(
                    names(&list)[2..],
                    (0..10).map(|customer| format!("{number}/{customer}")).collect::<Vec<_>>()
                );
            });
        }
    });
    assert_eq!(server.control("GET", "/journal", None).json()["total"], 0);
}

#[test]
fn reset_brings_back_the_beginning_and_leaves_other_sandboxes_alone() {
    let server = start();
    sandbox(&server, json!({ "id": "alice", "clock": "2025-06-01T00:00:00Z" }));
    let beginning = server.world();
    let mut firsts = Vec::new();
    for prefix in ["", "/~alice", "", "/~alice"] {
        let made = create(&server, &format!("{prefix}/customers"), "Gone soon");
        firsts.push(made["uuid"].clone());
        let then = if prefix.is_empty() { "2024-11-20T00:00:00Z" } else { "2025-07-20T00:00:00Z" };
        server
            .call(
                "PUT",
                &format!("{prefix}/_standin/clock"),
                &[JSON],
                json!({ "now": then, "mode": "ticking" }).to_string(),
            )
            .expect(200);
        let reset = server.call("POST", &format!("{prefix}/_standin/reset"), &[], "").expect(200).json();
        let now = if prefix.is_empty() { "2024-10-01T17:15:12Z" } else { "2025-06-01T00:00:00Z" };
        assert_eq!(reset["clock"], json!({ "now": now, "mode": "frozen" }));
        assert_eq!(server.get(&format!("{prefix}/_standin/log")).json()["total"], 0);
    }
    assert_eq!(server.world(), beginning);
    assert_eq!((&firsts[0], &firsts[1]), (&firsts[2], &firsts[3]), "the first draw is the same again");
    let answer = server.api("GET", "/customers", None);
    assert_eq!(answer.header("standin-entry"), Some("5"), "numbers of entries go on");
}

#[test]
fn a_port_of_its_own_has_one_pack_at_the_root() {
    let (server, address) = with_own_port();
    assert_ne!(address.port(), server.port());
    let answer = call(address, "GET", "/customers", &[REPORTEI], "").expect(200);
    assert_eq!(answer.json()["meta"]["path"], json!(format!("http://{address}/api/customers")));
    call(address, "GET", "/reportei/customers", &[REPORTEI], "").expect(200);
    // The control plane is there too, and its links lead to the port that all packs are on.
    let index = call(address, "GET", "/_standin", &[("Origin", &format!("http://{address}"))], "").expect(200).json();
    assert_eq!(index["packs"][0]["baseUrl"], json!(format!("{}/reportei", server.url())));
    assert_eq!(follow(&server, &index["links"]["journal"], &[]).json()["total"], 2);
}

//! The control plane's good paths: sandboxes however they are chosen, time, state, events, journal and log.

use serde_json::{Value as Json, json};

use crate::server::{ACME, Answer, JSON, REPORTEI, Server, call, eventually};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const SECOND: &str = "073c1e15-94d0-49b3-9861-a0e9b7ffb06c";
const INTEGRATION: &str = "6110b666-0327-4a81-b48e-9feb34d72f78";
const REPORTEI_MERCHANT: &str = "c1e6c85a-6441-4107-ab36-b8bf581b40e0";

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

fn sandbox(server: &Server, body: Json) -> Json {
    server.control("POST", "/sandboxes", Some(body)).expect(201).json()
}

fn create(server: &Server, path: &str, name: &str) -> Json {
    server.api("POST", path, Some(json!({ "name": name }))).expect(201).json()["customer"].clone()
}

fn names(answer: &Answer) -> Vec<String> {
    answer.json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|customer| customer["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Follows a link to this server as a client would: the host as it stands there.
fn follow(server: &Server, link: &Json, headers: &[(&str, &str)]) -> Answer {
    let link = link.as_str().unwrap();
    let (host, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let (_, port) = host.rsplit_once(':').unwrap_or_else(|| panic!("{link} names no port"));
    assert_eq!(port, server.port().to_string(), "{link}");
    server.call("GET", &format!("/{path}"), &[headers, &[("Host", host)]].concat(), "")
}

/// A way to choose a sandbox: its name, what stands in front of a path of the pack, and headers.
type Way = (&'static str, String, Vec<(String, String)>);

/// The ways to choose the sandbox `alice`.
fn ways(server: &Server) -> Vec<Way> {
    let port = server.port();
    let host = |name: &str| ("Host".to_owned(), format!("{name}:{port}"));
    let header = || ("Standin-Sandbox".to_owned(), "alice".to_owned());
    vec![
        ("path", "/~alice".to_owned(), vec![]),
        ("path and prefix", "/~alice/reportei".to_owned(), vec![]),
        ("encoded path", "/%7Ealice".to_owned(), vec![]),
        ("encoded path in lower case", "/%7ealice/reportei".to_owned(), vec![]),
        ("host", String::new(), vec![host("alice.reportei.localhost")]),
        ("host in upper case", String::new(), vec![host("ALICE.Reportei.LOCALHOST")]),
        ("header", String::new(), vec![header()]),
        ("header and prefix", "/reportei".to_owned(), vec![header()]),
        ("header and the pack's host", String::new(), vec![header(), host("reportei.localhost")]),
        ("path and the pack's host", "/~alice".to_owned(), vec![host("reportei.localhost")]),
        ("path and localhost", "/~alice".to_owned(), vec![host("localhost")]),
        ("all three", "/~alice".to_owned(), vec![header(), host("alice.reportei.localhost")]),
    ]
}

fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

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
        "entries": 0,
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
        server
            .call(
                "PUT",
                &format!("{prefix}/_standin/clock"),
                &[JSON],
                r#"{"now":"2040-01-01T00:00:00Z","mode":"ticking"}"#,
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
    let mut server = Server::start(&["reportei", "--freeze", "--listen", "reportei=0"]);
    let text = server.start_text();
    let own = text.lines().find_map(|line| line.trim().strip_prefix("http://")).unwrap_or_else(|| panic!("{text}"));
    let address: std::net::SocketAddr = own.parse().unwrap();
    assert_ne!(address.port(), server.port());
    let answer = call(address, "GET", "/customers", &[REPORTEI], "").expect(200);
    assert_eq!(answer.json()["meta"]["path"], json!(format!("http://{own}/api/customers")));
    call(address, "GET", "/reportei/customers", &[REPORTEI], "").expect(200);
    // The control plane is there too, and its links lead to the port that all packs are on.
    let index = call(address, "GET", "/_standin", &[("Origin", &format!("http://{own}"))], "").expect(200).json();
    assert_eq!(index["packs"][0]["baseUrl"], json!(format!("{}/reportei", server.url())));
    assert_eq!(follow(&server, &index["links"]["journal"], &[]).json()["total"], 2);
}

// ---- the index ----

#[test]
fn the_index_lists_packs_links_and_routes() {
    let server = start();
    for path in ["/_standin", "/_standin/"] {
        let index = server.get(path).expect(200).json();
        assert_eq!(index["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(index["packs"][0]["name"], "reportei");
        assert_eq!((&index["sandbox"], &index["sandboxes"]), (&json!("default"), &json!(1)));
        assert!(index["routes"].as_array().unwrap().contains(&json!("POST /_standin/clock/advance")));
    }
}

#[test]
fn livez_and_readyz_say_ok_and_nothing_else() {
    let server = start();
    for path in ["/livez", "/readyz"] {
        assert_eq!(server.control("GET", path, None).expect(200).json(), json!({ "status": "ok" }));
    }
}

#[test]
fn a_pack_shows_credentials_operations_and_where_they_stand() {
    let server = start();
    let pack = server.control("GET", "/packs/reportei", None).expect(200).json();
    assert_eq!(pack["baseUrl"], json!(format!("{}/reportei", server.url())));
    assert_eq!(pack["mounts"], json!(["/api"]));
    let known = json!({ "label": "reportei", "scheme": "merchant", "in": "header", "name": "authorization", "value": "Bearer reportei-test-token" });
    assert_eq!(pack["credentials"][0], known);
    for credential in pack["credentials"].as_array().unwrap() {
        let [name, value] = ["name", "value"].map(|key| credential[key].as_str().unwrap());
        let merchant = if credential["label"].as_str().unwrap().starts_with("acme") { ACME } else { REPORTEI };
        let (path, headers) = match credential["scheme"].as_str().unwrap() {
            "merchant" => ("/customers", vec![(name, value)]),
            _ => ("/customers/settings", vec![merchant, (name, value)]),
        };
        assert_eq!(server.call("GET", path, &headers, "").status, 200, "{credential}");
    }
    let operations = pack["operations"].as_array().unwrap();
    let create = operations.iter().find(|operation| operation["id"] == "reportei/customers/create").unwrap();
    assert_eq!((&create["method"], &create["path"]), (&json!("POST"), &json!("/customers")));
    assert!(create["at"].as_str().unwrap().starts_with("fixtures/reportei/customers/create.yaml:"), "{create}");
    assert_eq!(
        server.control("GET", "/packs", None).expect(200).json()["records"][0]["operations"],
        json!(operations.len())
    );
}

// ---- time ----

#[test]
fn the_clock_is_read_set_and_advanced() {
    let server = start();
    let frozen = |now: &str| json!({ "now": now, "mode": "frozen" });
    let clock = || server.control("GET", "/clock", None).expect(200).json();
    let put = |body: Json| server.control("PUT", "/clock", Some(body)).expect(200).json();
    assert_eq!(clock(), frozen("2024-10-01T17:15:12Z"));
    assert_eq!(put(json!({ "now": "2024-12-24T18:00:00+01:00" })), frozen("2024-12-24T17:00:00Z"));
    assert_eq!(put(json!({ "now": "2020-01-01T00:00:00Z" })), frozen("2020-01-01T00:00:00Z"), "also back");
    assert_eq!(put(json!({ "now": "2024-02-29 12:00:00.25" })), frozen("2024-02-29T12:00:00.25Z"));
    assert_eq!(put(json!({ "mode": "ticking" }))["mode"], "ticking");
    let seen = clock()["now"].clone();
    eventually("the clock to tick", || (clock()["now"] != seen).then_some(()));
    assert_eq!(put(json!({ "now": "2024-10-01T17:15:12Z", "mode": "frozen" })), frozen("2024-10-01T17:15:12Z"));
    assert_eq!(clock(), frozen("2024-10-01T17:15:12Z"));
    let advanced =
        server.control("POST", "/clock/advance", Some(json!({ "to": "2024-10-08T17:15:12Z" }))).expect(200).json();
    assert_eq!(advanced, json!({ "now": "2024-10-08T17:15:12Z", "done": [] }));
    server.control("POST", "/clock/advance", Some(json!({ "to": "2024-10-08T17:15:12Z" }))).expect(200);
}

#[test]
fn a_length_of_time_is_spelled_in_many_ways() {
    let server = start();
    for (by, now) in [
        ("7d", "2024-10-08T17:15:12Z"),
        ("7 days", "2024-10-08T17:15:12Z"),
        ("1 week", "2024-10-08T17:15:12Z"),
        ("P7D", "2024-10-08T17:15:12Z"),
        ("P1W", "2024-10-08T17:15:12Z"),
        ("168h", "2024-10-08T17:15:12Z"),
        ("604800s", "2024-10-08T17:15:12Z"),
        ("90s", "2024-10-01T17:16:42Z"),
        ("PT90S", "2024-10-01T17:16:42Z"),
        ("1m 30s", "2024-10-01T17:16:42Z"),
        ("1h30m", "2024-10-01T18:45:12Z"),
        ("5 minutes", "2024-10-01T17:20:12Z"),
        ("250ms", "2024-10-01T17:15:12.25Z"),
        ("0s", "2024-10-01T17:15:12Z"),
    ] {
        server.control("PUT", "/clock", Some(json!({ "now": "2024-10-01T17:15:12Z" }))).expect(200);
        let advanced = server.control("POST", "/clock/advance", Some(json!({ "by": by }))).expect(200).json();
        assert_eq!(advanced["now"], now, "{by}");
    }
}

// ---- state ----

fn record(name: &str) -> Json {
    json!({
        "name": name, "created_at": "2024-09-01 00:00:00", "updated_at": "2024-09-01 00:00:00", "trial_ends_at": "2024-09-08 00:00:00",
        "is_paying": false, "merchant": "Reportei", "merchant_uuid": REPORTEI_MERCHANT,
    })
}

#[test]
fn records_are_made_read_replaced_changed_and_deleted() {
    let server = start();
    let path = "/state/reportei/customer";
    let made = server.control("POST", path, Some(record("Made"))).expect(201).json();
    let uuid = made["uuid"].as_str().unwrap();
    let own = format!("{path}/{uuid}");
    assert_eq!(made["api_token"], json!(format!("token-{uuid}")), "a default of the pack");
    assert_eq!(server.control("GET", &own, None).expect(200).json(), made);
    assert_eq!(server.api("GET", &format!("/customers/{uuid}"), None).expect(200).json()["customer"]["name"], "Made");

    let patched = server
        .control("PATCH", &own, Some(json!({ "is_paying": true, "trial_ends_at": "2024-10-01 17:15:12" })))
        .expect(200)
        .json();
    assert_eq!(
        (&patched["is_paying"], &patched["trial_ends_at"], &patched["name"]),
        (&json!(true), &json!("2024-10-01 17:15:12"), &json!("Made"))
    );
    let put = server.control("PUT", &own, Some(record("Put"))).expect(200).json();
    assert_eq!((&put["is_paying"], &put["uuid"], &put["name"]), (&json!(false), &json!(uuid), &json!("Put")));
    server.control("DELETE", &own, None).expect(204);
    server.control("DELETE", &own, None).problem(404, "record-unknown");
    server.api("GET", &format!("/customers/{uuid}"), None).expect(404);

    let chosen = "11111111-1111-4111-8111-111111111111";
    server.control("PUT", &format!("{path}/{chosen}"), Some(record("Chosen"))).expect(200);
    assert_eq!(
        server.api("GET", &format!("/customers/{chosen}"), None).expect(200).json()["customer"]["name"],
        "Chosen"
    );
}

#[test]
fn records_are_listed_in_pieces_in_the_order_of_their_making() {
    let server = start();
    for number in 0..4 {
        server.control("POST", "/state/reportei/customer", Some(record(&number.to_string()))).expect(201);
    }
    let mut names = Vec::new();
    let mut after = json!(0);
    while !after.is_null() {
        let piece =
            server.control("GET", &format!("/state/reportei/customer?limit=3&after={after}"), None).expect(200).json();
        assert_eq!(piece["total"], 7);
        names.extend(
            piece["records"].as_array().unwrap().iter().map(|record| record["name"].as_str().unwrap().to_owned()),
        );
        after = piece["next"].clone();
    }
    assert_eq!(names, ["Reportei Customer 1", "Reportei Customer 2", "Acme Customer 1", "0", "1", "2", "3"]);
}

/// The control plane may move a record to another owner: then that owner sees it.
#[test]
fn a_record_that_changes_its_owner_changes_its_list() {
    let server = start();
    let acme = "2f9d6b1c-8e4a-4c7d-9b35-6a1f0e2d3c4b";
    server
        .control(
            "PATCH",
            &format!("/state/reportei/customer/{FIRST}"),
            Some(json!({ "merchant_uuid": acme, "merchant": "Acme" })),
        )
        .expect(200);
    assert_eq!(names(&server.api("GET", "/customers", None)), ["Reportei Customer 2"]);
    let mut theirs = names(&server.api_as(ACME, "GET", "/customers", None));
    theirs.sort();
    assert_eq!(theirs, ["Acme Customer 1", "Reportei Customer 1"]);
    server.api("GET", &format!("/customers/{FIRST}"), None).expect(404);
}

/// A credential is a field like any other: change it, and the old one is void.
#[test]
fn a_changed_credential_takes_the_place_of_the_old_one() {
    let server = start();
    server
        .control(
            "PATCH",
            &format!("/state/reportei/merchant/{REPORTEI_MERCHANT}"),
            Some(json!({ "access_token": "rotated" })),
        )
        .expect(200);
    server.api("GET", "/customers", None).expect(401);
    server.call("GET", "/customers", &[("Authorization", "Bearer rotated")], "").expect(200);
}

#[test]
fn deleting_a_merchant_takes_everything_it_owns() {
    let server = start();
    server.control("DELETE", &format!("/state/reportei/merchant/{REPORTEI_MERCHANT}"), None).expect(204);
    server.api("GET", "/customers", None).expect(401);
    let world = server.world();
    assert_eq!(
        (&world["merchant"]["total"], &world["customer"]["total"], &world["integration"]["total"]),
        (&json!(1), &json!(1), &json!(0))
    );
    let entry = &server.control("GET", "/log", None).json()["records"][0];
    assert_eq!(entry["changes"].as_array().unwrap().len(), 4, "{entry:#}");
}

// ---- events ----

#[test]
fn events_are_listed_with_their_parameters() {
    let server = start();
    let list = server.control("GET", "/events", None).expect(200).json();
    let names: Vec<&str> =
        list["records"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["expire", "revoke"]);
    for event in list["records"].as_array().unwrap() {
        assert_eq!(event["parameters"]["uuid"]["format"], "uuid", "{event}");
        let path = event["path"].as_str().unwrap();
        server.call("POST", path, &[JSON], json!({ "uuid": INTEGRATION }).to_string()).expect(200);
    }
}

#[test]
fn revoke_and_expire_change_what_settings_shows() {
    let server = start();
    let token = format!("token-{SECOND}");
    let status = || {
        let answer =
            server.call("GET", "/customers/settings", &[REPORTEI, ("x-customer-token", &token)], "").expect(200);
        answer.json()["customer"]["integrations"][0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(), "active");
    server.control("POST", "/clock/advance", Some(json!({ "by": "1h" }))).expect(200);
    for (event, after) in [("revoke", "revoked"), ("expire", "expired"), ("revoke", "revoked")] {
        let entry = server
            .control("POST", &format!("/events/reportei/{event}"), Some(json!({ "uuid": INTEGRATION })))
            .expect(200)
            .json();
        assert_eq!((&entry["kind"], &entry["event"]), (&json!("event"), &json!(event)));
        assert_eq!(entry["changes"], json!([{ "verb": "update", "resource": "integration", "id": INTEGRATION }]));
        assert_eq!(status(), after);
    }
    let record = server.control("GET", &format!("/state/reportei/integration/{INTEGRATION}"), None).json();
    assert_eq!(record["updated_at"], "2024-10-01 18:15:12");
    assert_eq!(record["created_at"], "2024-09-24 19:06:08");
}

// ---- journal and log ----

/// Five exchanges: list 200, create 201, create 422, show 404, list as nobody 401.
fn with_exchanges() -> Server {
    let server = start();
    server.api("GET", "/customers?page=1", None).expect(200);
    server.api("POST", "/api/customers", Some(json!({ "name": "x" }))).expect(201);
    server.api("POST", "/customers", Some(json!({}))).expect(422);
    server.api("GET", "/customers/unknown", None).expect(404);
    server.get("/customers").expect(401);
    server
}

#[test]
fn the_journal_lists_exchanges_and_filters_them() {
    let server = with_exchanges();
    server.control("POST", "/clock/advance", Some(json!({ "by": "1s" }))).expect(200);
    let list = |query: &str| server.control("GET", &format!("/journal{query}"), None).expect(200).json();
    let entries = |query: &str| {
        let list = list(query);
        let entries: Vec<u64> =
            list["records"].as_array().unwrap().iter().map(|entry| entry["entry"].as_u64().unwrap()).collect();
        entries
    };
    for (query, expected) in [
        ("", &[1, 2, 3, 4, 5][..]),
        ("?status=401", &[5]),
        ("?status=4xx", &[3, 4, 5]),
        ("?status=2xx", &[1, 2]),
        ("?status=5xx", &[]),
        ("?method=GET", &[1, 4, 5]),
        ("?method=post", &[2, 3]),
        ("?path=/customers", &[1, 3, 5]),
        ("?path=/api/customers", &[2]),
        ("?path=%2Fcustomers", &[1, 3, 5]),
        ("?operation=create", &[2, 3]),
        ("?operation=reportei/customers/create", &[2, 3]),
        ("?operation=customers/create", &[]),
        ("?pack=reportei&method=GET&status=200", &[1]),
        ("?pack=hubster", &[]),
        ("?contract=documented", &[1, 2]),
        ("?contract=assumed", &[3]),
        ("?after=3", &[4, 5]),
        ("?after=5", &[]),
        ("?limit=2", &[1, 2]),
        ("?limit=2&after=2", &[3, 4]),
        ("?status=4xx&limit=1&after=3", &[4]),
    ] {
        assert_eq!(entries(query), expected, "{query}");
    }
    assert_eq!((&list("?limit=2")["next"], &list("?limit=2")["total"]), (&json!(2), &json!(5)));
    assert_eq!(list("?limit=5")["next"], Json::Null);
    let first = list("?limit=1")["records"][0].clone();
    for (key, value) in
        [("at", json!("2024-10-01T17:15:12Z")), ("operation", json!("reportei/customers/list")), ("changes", json!(0))]
    {
        assert_eq!(first[key], value);
    }
    assert_eq!(list("?status=201")["records"][0]["changes"], 1);
}

#[test]
fn an_entry_explains_itself_with_file_and_line() {
    let server = with_exchanges();
    let show = |entry: u64| server.control("GET", &format!("/journal/{entry}"), None).expect(200).json();
    let list = show(1);
    assert_eq!(list["exchange"]["request"]["query"], "page=1");
    assert_eq!(list["exchange"]["response"]["status"], 200);
    let stages = |entry: &Json| {
        let steps = entry["exchange"]["trace"].as_array().unwrap();
        steps
            .iter()
            .map(|step| (step["stage"].as_str().unwrap().to_owned(), step["verdict"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    assert!(stages(&list).iter().all(|(_, verdict)| verdict == "passed"), "{:?}", stages(&list));
    for (entry, stage, file) in
        [(3, "body schema", "create.yaml:"), (4, "formats", "show.yaml:"), (5, "authenticate", "pack.yaml:")]
    {
        let entry = show(entry);
        let steps = entry["exchange"]["trace"].as_array().unwrap();
        let refused = steps.iter().find(|step| step["verdict"] == "refused").unwrap_or_else(|| panic!("{entry:#}"));
        assert_eq!(refused["stage"], stage);
        let at = refused["at"].as_str().unwrap();
        assert!(at.starts_with("fixtures/reportei/") && at.contains(file), "{at}");
        let (path, line) = at.rsplit_once(':').unwrap();
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        assert!(
            text.lines().nth(line.parse::<usize>().unwrap() - 1).is_some_and(|line| !line.trim().is_empty()),
            "{at}"
        );
    }
    let created = show(2)["exchange"]["changes"].clone();
    assert_eq!((&created[0]["verb"], &created[0]["resource"]), (&json!("create"), &json!("customer")));
}

/// Tokens stand in headers, in answers and in records; none of them is readable unless it is asked for.
#[test]
fn secrets_are_masked_wherever_a_log_is_shown() {
    let mut command = crate::server::standin();
    command.args(["serve", "reportei", "--port", "0", "--freeze", "--log", "text"]);
    let server = Server::spawn(command);
    let made = create(&server, "/customers", "Secret");
    let token = made["api_token"].as_str().unwrap().to_owned();
    server.call("GET", "/customers/settings", &[REPORTEI, ("x-customer-token", &token)], "").expect(200);
    server.call("GET", "/customers", &[("Authorization", "Bearer guessed-token")], "").expect(401);
    server.call("GET", "/customers", &[("Authorization", "guessed-token")], "").expect(401);
    server.call("GET", "/customers/settings", &[REPORTEI, ("x-customer-token", "guessed-token more")], "").expect(401);
    server.call("POST", "/customers", &[REPORTEI, JSON], r#"{"api_token":"guessed-token""#).expect(400);
    server
        .control("PATCH", &format!("/state/reportei/customer/{FIRST}"), Some(json!({ "api_token": "patched-token" })))
        .expect(200);
    let secrets = [token.as_str(), "reportei-test-token", "guessed-token", "patched-token"];
    for path in [
        "/log",
        "/log?secrets=mask",
        "/journal",
        "/journal/1",
        "/journal/2",
        "/journal/3",
        "/journal/4",
        "/journal/5",
        "/journal/6",
        "/journal/7",
    ] {
        let text = server.control("GET", path, None).expect(200).text();
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {path}: {text}");
        }
    }
    let masked = server.control("GET", "/journal/2", None).json()["exchange"]["request"]["headers"].clone();
    assert_eq!((&masked["authorization"], &masked["x-customer-token"]), (&json!("Bearer •••"), &json!("•••")));
    let answer = server.control("GET", "/journal/1", None).json()["exchange"]["response"]["body"]["text"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer: Json = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["customer"]["api_token"], &answer["customer"]["name"]), (&json!("•••"), &json!("Secret")));

    let all = server.control("GET", "/log?secrets=show", None).expect(200).text();
    for secret in secrets {
        assert!(all.contains(secret), "{secret}");
    }
    let text = server.control("GET", "/journal/1?secrets=show", None).expect(200).json();
    assert!(text["exchange"]["response"]["body"]["text"].as_str().unwrap().contains(&token));

    let printed = server.stderr_when(|text| text.lines().count() >= 6);
    assert!(secrets.iter().all(|secret| !printed.contains(secret)), "{printed}");
    assert!(printed.starts_with("2024-10-01T17:15:12Z POST /reportei/customers 201 #1\n"), "{printed}");
}

#[test]
fn old_entries_make_room_and_are_counted() {
    let server = Server::start(&["reportei", "--freeze", "--max-journal-entries", "3"]);
    for _ in 0..5 {
        server.api("GET", "/customers", None).expect(200);
    }
    let list = server.control("GET", "/journal", None).expect(200).json();
    assert_eq!((&list["total"], &list["evicted"]), (&json!(3), &json!(2)));
    assert_eq!(list["records"][0]["entry"], 3);
    for entry in [1, 2] {
        let detail = server.control("GET", &format!("/journal/{entry}"), None).problem(410, "entry-evicted");
        assert!(detail.contains("make room"), "{detail}");
    }
    server.control("GET", "/journal/3", None).expect(200);
    server.control("GET", "/journal/6", None).problem(404, "entry-unknown");
    assert_eq!(server.control("GET", "/log", None).json()["evicted"], 2);
}

#[test]
fn the_journal_is_bounded_in_bytes_too() {
    let server = Server::start(&["reportei", "--freeze", "--max-journal-bytes", "100000"]);
    for _ in 0..5 {
        server.api("POST", "/customers", Some(json!({ "name": "n".repeat(30_000) }))).expect(201);
    }
    let list = server.control("GET", "/journal", None).expect(200).json();
    let (total, evicted) = (list["total"].as_u64().unwrap(), list["evicted"].as_u64().unwrap());
    assert!((1..4).contains(&total) && total + evicted == 5, "{total} kept, {evicted} evicted");
}

#[test]
fn clearing_the_journal_keeps_what_else_happened() {
    let server = with_exchanges();
    server.control("POST", "/clock/advance", Some(json!({ "by": "1s" }))).expect(200);
    server.api("GET", "/customers", None).expect(200);
    server.control("DELETE", "/journal", None).expect(204);
    assert_eq!(server.control("GET", "/journal", None).json()["total"], 0);
    let log = server.control("GET", "/log", None).json();
    assert_eq!(
        (&log["total"], &log["records"][0]["kind"], &log["records"][0]["entry"]),
        (&json!(1), &json!("clock"), &json!(6))
    );
    for entry in [1, 5, 7] {
        server.control("GET", &format!("/journal/{entry}"), None).problem(410, "entry-evicted");
    }
    assert_eq!(server.api("GET", "/customers", None).header("standin-entry"), Some("8"));
}

#[test]
fn the_log_has_everything_in_order() {
    let server = start();
    create(&server, "/customers", "One");
    server.control("POST", "/clock/advance", Some(json!({ "by": "1m" }))).expect(200);
    server
        .control("PATCH", &format!("/state/reportei/customer/{FIRST}"), Some(json!({ "is_paying": true })))
        .expect(200);
    server.control("POST", "/events/reportei/expire", Some(json!({ "uuid": INTEGRATION }))).expect(200);
    server.control("PUT", "/clock", Some(json!({ "mode": "frozen" }))).expect(200);
    server.api("GET", "/customers", None).expect(200);
    // What is only looked at in the control plane, and what is refused there, is not part of the story.
    server.control("GET", "/clock", None).expect(200);
    server.control("PUT", "/clock", Some(json!({}))).expect(400);
    let log = server.control("GET", "/log", None).expect(200).json();
    let records = log["records"].as_array().unwrap();
    let kinds: Vec<(u64, &str, &str)> = records
        .iter()
        .map(|entry| (entry["entry"].as_u64().unwrap(), entry["kind"].as_str().unwrap(), entry["at"].as_str().unwrap()))
        .collect();
    let (before, after) = ("2024-10-01T17:15:12Z", "2024-10-01T17:16:12Z");
    assert_eq!(
        kinds,
        [
            (1, "exchange", before),
            (2, "clock", after),
            (3, "state", after),
            (4, "event", after),
            (5, "clock", after),
            (6, "exchange", after)
        ]
    );
    assert_eq!((&log["total"], &log["next"], &log["seed"]), (&json!(6), &Json::Null, &json!(1)));
    assert_eq!(records[2]["body"], json!({ "is_paying": true }));
    assert_eq!(records[3]["input"], json!({ "uuid": INTEGRATION }));
    let piece = server.control("GET", "/log?limit=2&after=2", None).expect(200).json();
    assert_eq!((&piece["records"][0]["entry"], &piece["next"], &piece["total"]), (&json!(3), &json!(4), &json!(6)));
}

/// The number in the header leads to the entry.
#[test]
fn standin_entry_is_the_number_of_the_entry() {
    let server = with_exchanges();
    let answer = server.api("DELETE", &format!("/customers/{SECOND}"), None).expect(200);
    let entry = server
        .control("GET", &format!("/journal/{}", answer.header("standin-entry").unwrap()), None)
        .expect(200)
        .json();
    assert_eq!(
        (&entry["exchange"]["request"]["method"], &entry["exchange"]["request"]["path"]),
        (&json!("DELETE"), &json!(format!("/customers/{SECOND}")))
    );
}

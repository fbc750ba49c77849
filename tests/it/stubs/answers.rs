//! What stubs answer, and to whom.

use super::*;
use crate::server::call;

#[test]
fn a_stub_outranks_the_pack_and_says_so() {
    let server = Server::start(&["--freeze"]);
    let before = server.state("reportei");
    let id = add(
        &server,
        json!({ "method": "POST", "urlPath": "/reportei/customers", "bodyPatterns": [{ "matchesJsonPath": "$.name" }] }),
        json!({ "status": 418, "jsonBody": { "stub": [1, null] }, "headers": { "X-A": "b", "Set-Cookie": ["a=1", "b=2"] } }),
        json!({ "name": "teapot" }),
    );
    let answer = server.api("POST", "/reportei/customers?x=1", Some(json!({ "name": "x" }))).expect(418);
    assert_eq!(answer.text(), r#"{"stub":[1,null]}"#);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!((answer.header("standin-stub"), answer.header("matched-stub-id")), (Some(&*id), Some(&*id)));
    assert_eq!((answer.header("standin-contract"), answer.header("standin-operation")), (None, None));
    assert_eq!(
        (answer.header("cache-control"), answer.header("date")),
        (Some("no-store"), Some("Tue, 01 Oct 2024 17:15:12 GMT"))
    );
    let cookies: Vec<&str> =
        answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str()).collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    let har = server.control("GET", "/journal?format=har&secrets=show", None).json();
    let told = &har["log"]["entries"][0]["response"]["cookies"];
    assert_eq!(json!([told[0]["name"], told[1]["name"]]), json!(["a", "b"]));
    assert_eq!(server.state("reportei"), before, "nothing of the pack is done");
    let shown = exchange(&server, &answer);
    assert_eq!((&shown["stub"], &shown["pack"], &shown["operation"]), (&json!(id), &json!("reportei"), &Json::Null));
    assert_eq!(
        shown["trace"],
        json!([{ "stage": "stub", "verdict": "passed", "detail": format!("the stub `teapot`, {id}, priority 5"), "at": null }])
    );
    // What it does not match goes to the pack.
    server.api("POST", "/reportei/customers", Some(json!({}))).expect(422);
    server.control("DELETE", &format!("/stubs/{id}"), None).expect(204);
    server.api("POST", "/reportei/customers", Some(json!({ "name": "x" }))).expect(201);
}

#[test]
fn paths_are_matched_as_received_behind_the_sandbox() {
    let server = Server::start(&["--freeze"]);
    server.control("POST", "/sandboxes", Some(json!({ "id": "alice" }))).expect(201);
    for path in ["/reportei", "/reportei/", "/reportei/custom%65rs", "/customers", "/nowhere/at/all", "/customers/a//b"]
    {
        add_in(&server, "alice", json!({ "urlPath": path }), json!({ "body": path }), json!({}));
    }
    let host = format!("alice.reportei.localhost:{}", server.port());
    let alice = [("Standin-Sandbox", "alice")];
    for (path, headers, received) in [
        ("/~alice/reportei", &[][..], "/reportei"),
        ("/~alice/reportei/", &[], "/reportei/"),
        ("/%7Ealice/reportei/custom%65rs?a", &[], "/reportei/custom%65rs"),
        ("/reportei/custom%65rs", &alice, "/reportei/custom%65rs"),
        // A pack that is reached by its host has no prefix.
        ("/customers", &[("Host", &*host)], "/customers"),
        ("/customers/a//b", &[("Host", &*host)], "/customers/a//b"),
        ("/~alice/nowhere/at/all", &[], "/nowhere/at/all"),
    ] {
        let answer = server.call("GET", path, headers, "").expect(200);
        assert_eq!(answer.text(), received, "{path}");
        assert!(answer.header("standin-stub").is_some(), "{path}: {answer}");
    }
    for path in ["/nowhere/at/all", "/reportei/custom%65rs", "/customers"] {
        assert_eq!(
            server.call("GET", path, &[REPORTEI], "").header("standin-stub"),
            None,
            "another sandbox has no stubs"
        );
    }
    // On a port of its own, and at the root of a server with one pack.
    let mut own = Server::start(&["reportei", "--freeze", "--listen", "reportei=0"]);
    let text = own.start_text();
    let address = text.lines().find_map(|line| line.trim().strip_prefix("http://")).unwrap().parse().unwrap();
    add(&own, json!({ "url": "/customers" }), json!({ "body": "bare" }), json!({}));
    assert_eq!(call(address, "GET", "/customers", &[], "").expect(200).text(), "bare");
    assert_eq!(own.get("/customers").expect(200).text(), "bare");
    own.get("/reportei/customers").expect(401);
}

#[test]
fn a_body_is_sent_as_it_was_given_and_is_no_page_by_guess() {
    let server = Server::start(&["reportei"]);
    add(&server, json!({ "url": "/bytes" }), json!({ "base64Body": "AP8=" }), json!({}));
    add(&server, json!({ "url": "/guess" }), json!({ "body": "<script>alert(1)</script>" }), json!({}));
    add(
        &server,
        json!({ "url": "/page" }),
        json!({ "body": "<p>", "headers": { "Content-Type": "text/html" } }),
        json!({}),
    );
    add(&server, json!({ "url": "/none" }), json!({ "status": 204, "headers": { "Content-Length": "5" } }), json!({}));
    assert_eq!(server.get("/bytes").expect(200).body, [0, 0xff]);
    let guess = server.get("/guess").expect(200);
    assert_eq!((guess.header("content-type"), guess.header("x-content-type-options")), (None, Some("nosniff")));
    let page = server.get("/page").expect(200);
    assert!(
        page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")),
        "{page}"
    );
    let none = server.get("/none").expect(204);
    assert!(none.body.is_empty() && none.header("content-length").is_none_or(|length| length == "0"), "{none}");
    let head = server.call("HEAD", "/page", &[], "");
    assert_eq!((head.status, head.body.len(), head.header("content-length")), (200, 0, Some("3")));
    // Pages of other origins may call stubs as they may call packs.
    let cross = server.call("GET", "/page", &[("Origin", "https://app.example")], "");
    assert_eq!(cross.header("access-control-allow-origin"), Some("https://app.example"));
}

#[test]
fn the_trace_says_why_it_was_this_stub() {
    let server = Server::start(&["reportei"]);
    let first = add(&server, json!({ "url": "/a" }), json!({}), json!({}));
    let second = add(&server, json!({ "url": "/a" }), json!({}), json!({}));
    let why = || exchange(&server, &server.get("/a").expect(200))["trace"][0]["detail"].as_str().unwrap().to_owned();
    assert_eq!(why(), format!("the stub {second}, priority 5; the stub {first} fits as well, and was added earlier"));
    add(&server, json!({}), json!({}), json!({ "name": "all", "priority": 9 }));
    server.control("DELETE", &format!("/stubs/{second}"), None).expect(204);
    assert_eq!(why(), format!("the stub {first}, priority 5; the stub all fits as well, with the priority 9"));
}

#[test]
fn faults_and_delays_of_stubs_reach_the_wire_and_the_journal() {
    let server = Server::start(&["reportei", "--freeze", "--seed", "3"]);
    for (fault, told) in [
        ("EMPTY_RESPONSE", "empty-response"),
        ("CONNECTION_RESET_BY_PEER", "connection-reset"),
        ("MALFORMED_RESPONSE_CHUNK", "malformed-chunk"),
        ("RANDOM_DATA_THEN_CLOSE", "random-data"),
    ] {
        add(&server, json!({ "url": "/f" }), json!({ "fault": fault }), json!({ "times": 1 }));
        let output =
            std::process::Command::new("curl").args(["-s", "-S", "-i", "-m", "20"]).arg(server.url() + "/f").output();
        let output = output.unwrap_or_else(|error| panic!("curl is needed: {error}"));
        assert!(!output.status.success(), "{fault}: {output:?}");
        // Empty reply, reset, a chunk or a head that is none.
        let codes = match fault {
            "EMPTY_RESPONSE" => &[52][..],
            "CONNECTION_RESET_BY_PEER" => &[56],
            "MALFORMED_RESPONSE_CHUNK" => &[18, 56],
            _ => &[1, 8],
        };
        assert!(codes.contains(&output.status.code().unwrap()), "{fault}: {output:?}");
        let log = server.control("GET", "/journal?limit=1000", None).json();
        let entry = log["records"].as_array().unwrap().iter().map(|one| one["entry"].as_u64().unwrap()).max().unwrap();
        let shown = server.control("GET", &format!("/journal/{entry}"), None).json();
        assert_eq!(shown["exchange"]["delivery"]["fault"], told, "{shown}");
    }
    let delays = |sandbox: &str| -> Vec<u64> {
        server.control("POST", "/sandboxes", Some(json!({ "id": sandbox, "seed": 5 }))).expect(201);
        let drawn = json!({ "type": "uniform", "lower": 1, "upper": 30 });
        let response = json!({ "fixedDelayMilliseconds": 2, "delayDistribution": drawn });
        add_in(&server, sandbox, json!({ "url": "/d" }), response, json!({}));
        let one = |_| {
            let answer = server.get(&format!("/~{sandbox}/d")).expect(200);
            let path = format!("/~{sandbox}/_standin/journal/{}", answer.header("standin-entry").unwrap());
            server.get(&path).json()["exchange"]["delivery"]["delayMillis"].as_u64().unwrap()
        };
        (0..8).map(one).collect()
    };
    let first = delays("one");
    assert!(first.iter().all(|millis| (3..=32).contains(millis)), "{first:?}");
    assert!(first.iter().any(|millis| *millis != first[0]), "{first:?}");
    assert_eq!(delays("two"), first, "what is drawn repeats with the seed");
}

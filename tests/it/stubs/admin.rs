//! `/__admin`, as a client of WireMock sees it where the two scripts do not look.

use super::*;

#[test]
fn refusals_have_the_shape_of_wiremock() {
    let server = Server::start(&["reportei", "--freeze"]);
    let unknown = admin(&server, "GET", "/mappings/00000000-0000-4000-8000-000000000000", None).expect(404).json();
    assert_eq!(unknown["errors"][0]["code"], 404);
    let wrong = admin(&server, "POST", "/mappings", Some(json!({ "request": { "url": "a" } }))).expect(422).json();
    let pointers: Vec<&Json> =
        wrong["errors"].as_array().unwrap().iter().map(|error| &error["source"]["pointer"]).collect();
    assert_eq!(pointers, ["/request/url", "/response"]);
    let known = json!({ "request": {}, "response": {} });
    admin(&server, "PUT", "/mappings/00000000-0000-4000-8000-000000000000", Some(known)).expect(404);
    for (method, path) in [
        ("POST", "/shutdown"),
        ("GET", "/settings"),
        ("POST", "/settings"),
        ("POST", "/recordings/start"),
        ("POST", "/recordings/stop"),
        ("POST", "/recordings/snapshot"),
        ("GET", "/recordings/status"),
    ] {
        let refused = admin(&server, method, path, None).expect(501).json();
        assert!(refused["errors"][0]["detail"].as_str().is_some_and(|detail| detail.len() > 30), "{path}: {refused}");
    }
    let method = admin(&server, "PATCH", "/mappings", None).expect(405);
    assert_eq!(method.header("allow"), Some("GET, HEAD, POST, DELETE"));
    assert_eq!(admin(&server, "GET", "/nothing", None).expect(404).json()["errors"][0]["code"], 404);
    admin(&server, "GET", "/mappings?limt=1", None).expect(400);
    let text = server.call("POST", "/__admin/mappings", &[("Content-Type", "text/plain")], "{}").expect(415).json();
    assert_eq!(text["errors"][0]["code"], 415);
    server.call("GET", "/__admin/mappings", &[("Origin", "https://evil.example")], "").problem(403, "origin-foreign");
    server.call("GET", "/__admin/mappings", &[("Host", "evil.example")], "").problem(403, "host-unknown");
}

#[test]
fn health_and_version_are_told() {
    let server = Server::start(&["reportei", "--freeze"]);
    let health = admin(&server, "GET", "/health", None).expect(200).json();
    assert_eq!((&health["status"], &health["version"]), (&json!("healthy"), &json!(env!("CARGO_PKG_VERSION"))));
    assert!(health["uptimeInSeconds"].is_u64() && health["timestamp"] == "2024-10-01T17:15:12Z", "{health}");
    assert_eq!(
        admin(&server, "GET", "/version", None).expect(200).json(),
        json!({ "version": env!("CARGO_PKG_VERSION") })
    );
}

#[test]
fn what_one_sandbox_lists_another_imports_as_the_same() {
    let server = Server::start(&["reportei"]);
    server.control("POST", "/sandboxes", Some(json!({ "id": "copy" }))).expect(201);
    for body in ["first", "second"] {
        add(&server, json!({ "url": "/a" }), json!({ "body": body }), json!({}));
    }
    let listed = admin(&server, "GET", "/mappings", None).expect(200);
    server.call("POST", "/~copy/__admin/mappings/import", &[JSON], &listed.body[..]).expect(200);
    assert_eq!(server.get("/~copy/a").expect(200).text(), "second");
    assert_eq!(server.get("/~copy/__admin/mappings").json(), listed.json());
}

#[test]
fn mappings_come_in_pieces_and_are_imported_as_the_options_say() {
    let server = Server::start(&["reportei"]);
    let id = "0b8a4b21-6d1c-4d34-a0de-2f0e0e3a5e7b";
    let mapping = |body: &str| json!({ "id": id, "request": { "url": "/a" }, "response": { "body": body } });
    let plain = json!({ "request": { "url": "/b" }, "response": {} });
    let import = |mappings: Json, options: Json| {
        admin(&server, "POST", "/mappings/import", Some(json!({ "mappings": mappings, "importOptions": options })))
            .expect(200);
        admin(&server, "GET", "/mappings", None).json()["meta"]["total"].as_u64().unwrap()
    };
    assert_eq!(import(json!([mapping("one"), plain, plain]), json!({})), 3);
    assert_eq!(import(json!([mapping("two")]), json!({ "duplicatePolicy": "IGNORE" })), 3);
    assert_eq!(server.get("/a").expect(200).text(), "one");
    let page = admin(&server, "GET", "/mappings?limit=1&offset=0", None).json();
    assert_eq!((page["mappings"].as_array().unwrap().len(), &page["meta"]["total"]), (1, &json!(3)));
    assert_eq!(page["mappings"][0]["id"], id, "what comes first in an import is tried first");
    let only = json!({ "duplicatePolicy": "IGNORE", "deleteAllNotInImport": true });
    assert_eq!(import(json!([mapping("two"), plain]), only), 2, "what is in the import stays");
    assert_eq!(server.get("/a").expect(200).text(), "one");
    assert_eq!(
        import(json!([mapping("two")]), json!({ "duplicatePolicy": "OVERWRITE", "deleteAllNotInImport": true })),
        1
    );
    assert_eq!(server.get("/a").expect(200).text(), "two");
    // What answered nothing can be found, and taken away.
    add(&server, json!({ "url": "/idle" }), json!({}), json!({}));
    let idle = admin(&server, "GET", "/mappings/unmatched", None).expect(200).json();
    assert_eq!((&idle["meta"]["total"], &idle["mappings"][0]["request"]["url"]), (&json!(1), &json!("/idle")));
    admin(&server, "DELETE", "/mappings/unmatched", None).expect(200);
    assert_eq!(admin(&server, "GET", "/mappings", None).json()["meta"]["total"], 1);
}

#[test]
fn the_journal_is_read_and_emptied_without_touching_the_log() {
    let server = Server::start(&["reportei", "--freeze"]);
    let id = add(
        &server,
        json!({ "urlPath": "/a" }),
        json!({ "status": 202, "body": "b" }),
        json!({ "metadata": { "m": 1 } }),
    );
    server.call("POST", "/a?q=1", &[("X-A", "1"), ("X-A", "2")], b"\xff".as_slice()).expect(202);
    server.api("GET", "/customers", None).expect(200);
    server.get("/nothing").expect(404);
    let all = admin(&server, "GET", &format!("/requests?matchingStub={id}"), None).expect(200).json();
    let event = &all["requests"][0];
    assert_eq!((&all["meta"]["total"], &event["stubMapping"]["id"]), (&json!(1), &json!(id)));
    let request = &event["request"];
    assert_eq!(
        json!([
            request["url"],
            request["method"],
            request["bodyAsBase64"],
            request["headers"]["x-a"],
            request["loggedDate"]
        ]),
        json!(["/a?q=1", "POST", "/w==", ["1", "2"], 1_727_802_912_000_i64])
    );
    assert_eq!(request["absoluteUrl"], format!("{}/a?q=1", server.url()));
    assert_eq!((&event["response"]["status"], &event["response"]["body"]), (&json!(202), &json!("b")));
    let matched: Vec<bool> = admin(&server, "GET", "/requests", None).json()["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["wasMatched"].as_bool().unwrap())
        .collect();
    assert_eq!(matched, [false, true, true], "the newest first; what a pack answers is matched");
    assert_eq!(admin(&server, "GET", "/requests?unmatched=true", None).json()["meta"]["total"], 1);
    assert_eq!(admin(&server, "GET", "/requests?since=2024-10-01T17:15:13Z&limit=1", None).json()["meta"]["total"], 0);
    let removed = admin(&server, "POST", "/requests/remove-by-metadata", Some(json!({ "matchesJsonPath": "$.m" })))
        .expect(200)
        .json();
    assert_eq!(removed["serveEvents"][0]["id"], event["id"]);
    admin(&server, "GET", &format!("/requests/{}", event["id"].as_str().unwrap()), None).expect(404);
    let entries = server.control("GET", "/journal", None).json();
    assert_eq!((&entries["total"], &entries["evicted"]), (&json!(2), &json!(0)));
    assert_eq!(server.control("GET", "/log", None).json()["total"], 4, "the log still has everything");
    admin(&server, "DELETE", "/requests", None).expect(200);
    assert_eq!(admin(&server, "GET", "/requests", None).json()["meta"]["total"], 0);
    assert_eq!(server.control("GET", "/log", None).json()["total"], 4);
}

#[test]
fn a_reset_takes_stubs_and_journal_and_leaves_records() {
    let server = Server::start(&["reportei", "--freeze"]);
    add(&server, json!({ "url": "/a" }), json!({}), json!({}));
    server.api("POST", "/customers", Some(json!({ "name": "Kept" }))).expect(201);
    admin(&server, "POST", "/reset", None).expect(200);
    server.get("/a").expect(404);
    assert!(server.api("GET", "/customers", None).text().contains("Kept"));
    assert_eq!(admin(&server, "POST", "/requests/count", Some(json!({ "urlPath": "/customers" }))).json()["count"], 1);
}

//! Other pages of the vendor: statuses that nothing here leads to, limits, headers and hosts.

use super::*;

#[test]
fn beyond_errors_that_only_a_fault_gives_are_there() {
    let server = start();
    let pack = server.control("GET", "/packs/capillary", None).expect(200).json();
    let faults: Vec<(&str, &Json)> = pack["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|error| error["fault"] == true)
        .map(|error| (text(error, "name"), &error["answers"][0]["status"]))
        .collect();
    let expected = [
        ("not-enabled", json!(403)),
        ("search-busy", json!(461)),
        ("failed", json!(500)),
        ("authorisation-unavailable", json!(503)),
        ("busy", json!(521)),
    ];
    assert_eq!(faults, expected.iter().map(|(name, status)| (*name, status)).collect::<Vec<_>>());
    for (name, code, words) in [
        ("authorisation-unavailable", 4001, "Authorization status unavailable!"),
        ("failed", 500, "Requests have failed due to errors."),
        ("search-busy", 461, "Search Engine is busy or unable to respond. Please try after some time."),
        ("busy", 521, "Multiple actions are running for the same customer. Please try after some time."),
        ("not-enabled", 403, "V3 is not enabled for the org."),
    ] {
        let file = fs::read(repository(&format!("fixtures/capillary/errors/{name}.json"))).unwrap();
        let body: Json = serde_json::from_slice(&file).unwrap();
        assert_eq!(body, json!({ "data": null, "errors": [{ "code": code, "message": words }] }), "{name}");
    }
}

#[test]
fn beyond_a_tokens_life_is_an_hour_at_most_until_support_extends_it() {
    let server = start();
    create(&server, with("expirationTokenTime", json!(3600)));
    let refused_life = |seconds: u64| {
        let words = format!("Invalid input. expirationTokenTime {seconds} is more than the org allows.");
        harmless(&server, || invalid_either(&server, &with("expirationTokenTime", json!(seconds)), &[&words]));
    };
    refused_life(3601);
    refused_life(i64::MAX as u64);
    let fire = |event: Json| server.control("POST", "/events/capillary/extend-token-life", Some(event));
    fire(json!({ "org": 1, "seconds": 2_592_001 })).problem(422, "event-invalid");
    fire(json!({ "org": 9, "seconds": 7200 })).problem(404, "record-unknown");
    fire(json!({ "org": 1, "seconds": 2_592_000 })).expect(200);
    let made = create(&server, with("expirationTokenTime", json!(2_592_000)));
    let token = token(&server, &made);
    advance(&server, "29d 23h 59m 59s");
    call_with(&server, &token, "GET", SCOPES, None).expect(200);
    advance(&server, "1s");
    refused(&call_with(&server, &token, "GET", SCOPES, None), 401, 401, WRONG_TOKEN);
    refused_life(2_592_001);
    // The other org has its hour.
    let sent = with("expirationTokenTime", json!(3601));
    server.api_as(ACME, "POST", CLIENTS, Some(sent)).expect(400);
}

#[test]
fn beyond_there_is_no_rate_limit() {
    let server = start();
    for _ in 0..200 {
        server.api_as(ADMIN, "GET", SCOPES, None).expect(200);
    }
}

#[test]
fn beyond_answers_are_json_whatever_is_accepted() {
    let server = start();
    for accept in ["application/json", "*/*", "application/xml", "text/html", ""] {
        let answer = server.call("GET", SCOPES, &[ADMIN, ("Accept", accept)], "").expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"), "{accept}");
    }
}

/// Headers of other calls of the vendor, and one that is no more, neither help nor harm.
#[test]
fn beyond_headers_of_other_calls_mean_nothing() {
    let server = start();
    let others = [
        ("X-CAP-API-AUTH-KEY", "x"),
        ("X-CAP-API-AUTH-ORG-ID", "1115"),
        ("X-CAP-API-ATTRIBUTION-TILL-CODE", "nobody"),
        ("X-Cap-Requestid", "mine"),
    ];
    refused(&server.call("GET", CLIENTS, &others, ""), 401, 401, WRONG_PASSWORD);
    let headers: Vec<(&str, &str)> = [ADMIN, JSON].into_iter().chain(others).collect();
    let answer = server.call("GET", CLIENTS, &headers, "").expect(200);
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 3);
    assert_ne!(answer.header("x-cap-requestid"), Some("mine"));
    let made = server.call("POST", CLIENTS, &headers, body().to_string()).expect(200).json();
    assert_eq!(made["data"]["attribution"]["createdBy"]["id"], 15_000_449);
}

#[test]
fn beyond_the_known_credentials_are_told_with_labels() {
    let server = start();
    let pack = server.control("GET", "/packs/capillary", None).expect(200).json();
    let known: Vec<(&str, &str)> = pack["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|credential| (text(credential, "label"), text(credential, "value")))
        .collect();
    assert_eq!(known, [("store.server", ADMIN.1), ("mobilepush.1", TILL.1), ("acme.server", ACME.1)]);
    let option = &pack["options"][0];
    assert_eq!((&option["name"], &option["values"]), (&json!("missing-field-status"), &json!([400, 403])));
    assert_eq!((&option["default"], &option["value"]), (&json!(400), &json!(400)));
}

#[test]
fn beyond_the_key_of_tokens_is_published_with_the_pack() {
    let pem = fs::read_to_string(repository(PUBLISHED)).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(key_pair(PUBLISHED).public().modulus_len(), 256);
    let readme = fs::read_to_string(repository("fixtures/capillary/README.md")).unwrap();
    assert!(readme.contains("`test-key.pem`") && readme.contains("protects nothing"));
}

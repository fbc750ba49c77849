//! The journal as HAR 1.2, which a validator that is not ours accepts.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::capillary::ADMIN;
use crate::hubster::PORTAL;
use crate::safe::two_packs;
use crate::server::FORM;
use crate::support::{keys, repository};

/// What the validator says about a HAR: whether it is one, and in which words.
fn validated(har: &str) -> (bool, String) {
    let consumer = repository("tests/consumers/har");
    let ready = consumer.join("node_modules/har-validator").exists();
    assert!(ready, "the validator is not there: run `npm ci` in tests/consumers/har");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.har");
    std::fs::write(&file, har).unwrap();
    let node = |file: &Path| Command::new("node").arg("validate.js").arg(file).current_dir(&consumer).output();
    let output = node(&file).unwrap_or_else(|error| panic!("node is needed to validate a HAR: {error}"));
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[track_caller]
fn valid(answer: &Answer) -> Json {
    let (valid, words) = validated(&answer.text());
    assert!(valid, "{words}\n{answer}");
    let har = answer.json();
    assert_eq!(words, format!("valid: {} entries\n", har["log"]["entries"].as_array().unwrap().len()));
    har
}

fn har(server: &Server, query: &str) -> Answer {
    server.control("GET", &format!("/journal?format=har{query}"), None).expect(200)
}

/// Exchanges of all packs: JSON, forms, a page, errors, what is no text, secrets, cookies.
fn busy() -> Server {
    let server = Server::start(&["--freeze", "--max-body", "100000"]);
    let customer = ("x-customer-token", "token-caedbbbe-7d93-476f-b965-bf97cd7ce874");
    let cookies = ("Cookie", "sid=secret-cookie-1; theme=\"dark\"");
    server.call("GET", "/reportei/customers?page=1&sort=a%20b&q=%E2%82%AC", &[REPORTEI, cookies], "").expect(200);
    server.api("POST", "/reportei/customers", Some(json!({ "name": "Zoë \"quoted\"" }))).expect(201);
    server.api("POST", "/reportei/customers", Some(json!({}))).expect(422);
    let session = server.call("POST", "/reportei/customer-integrations/session", &[REPORTEI, customer], "");
    follow(&server, &session.expect(200).json()["integration_session"]["session_link"], &[]).expect(200);
    let form = format!("grant_type=client_credentials&client_id={CLIENT}&client_secret=hubster-portal-secret");
    server.call("POST", "/hubster/connect/token", &[FORM], form).expect(200);
    server.call("GET", "/hubster/api/v1/integrations/00000000-0000-0000-0000-000000000102", &[PORTAL], "").expect(200);
    server.call("GET", "/capillary/v3/integrations/scopes", &[ADMIN], "").expect(200);
    server.get("/optimizeplayer/api/v1/integrations/1?api_key=test_key").expect(200);
    server.get("/optimizeplayer/api/v1/integrations/1?api_key=nobody").expect(401);
    server.get("/reportei/customers").expect(401);
    server.get("/reportei/nothing/%7Bhere%7D").expect(404);
    server.call("HEAD", "/reportei/customers", &[REPORTEI], "").expect(200);
    server.call("POST", "/reportei/customers", &[REPORTEI, ("Content-Type", "image/png")], b"\x89PNG\xff".as_slice());
    server.call("POST", "/reportei/customers", &[REPORTEI, JSON], "x".repeat(100_001)).expect(413);
    server.call("POST", "/reportei/customers", &[REPORTEI, FORM], b"a=\xff".as_slice());
    server.call("GET", "/nowhere?api_key=stray-key", &[("Authorization", "Bearer stray-token")], "").expect(404);
    server
}

const CLIENT: &str = "hubster.portal.api.00000000000000000000000000000001";

#[test]
fn a_har_is_one_for_others_too() {
    let server = busy();
    let answer = har(&server, "");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"default.har\""));
    let log = valid(&answer)["log"].clone();
    assert_eq!(log["version"], "1.2");
    assert_eq!(log["creator"], json!({ "name": "standin", "version": env!("CARGO_PKG_VERSION") }));
    assert_eq!((&log["_total"], &log["_next"], &log["_evicted"]), (&json!(17), &Json::Null, &json!(0)));
    valid(&har(&server, "&secrets=show"));
    valid(&har(&server, "&text=nothing%20has%20this"));

    for entry in log["entries"].as_array().unwrap() {
        let number = entry["_entry"].as_u64().unwrap();
        let shown = server.control("GET", &format!("/journal/{number}"), None).expect(200).json();
        let exchange = &shown["exchange"];
        assert_eq!(entry["startedDateTime"], shown["at"]);
        for (key, of) in [("_pack", "pack"), ("_operation", "operation"), ("_contract", "contract")] {
            assert_eq!(entry[key], exchange[of], "{number}");
        }
        let time = exchange["tookMicros"].as_f64().unwrap() / 1000.0;
        assert_eq!(
            (&entry["time"], &entry["timings"]),
            (&json!(time), &json!({ "send": 0, "wait": time, "receive": 0 }))
        );
        assert_eq!(entry["cache"], json!({}));
        assert_eq!(entry["response"]["status"], exchange["response"]["status"]);
        let content = &entry["response"]["content"];
        let text = content["text"].as_str().unwrap_or_default();
        assert_eq!(content["size"], text.len(), "{number}: answers of these packs are text");
        assert_eq!(entry["response"]["bodySize"], content["size"]);
        if entry["request"]["method"] != "HEAD" {
            assert_eq!(content["text"], exchange["response"]["body"]["text"], "{number}");
        }
        let names: Vec<&str> = keys(&exchange["response"]["headers"]);
        let listed = entry["response"]["headers"].as_array().unwrap();
        assert_eq!(listed.iter().map(|header| header["name"].as_str().unwrap()).collect::<Vec<_>>(), names);
    }
}

#[test]
fn each_kind_of_exchange_is_written_as_the_format_says() {
    let server = busy();
    let log = har(&server, "").json()["log"].clone();
    let entry = |number: usize| log["entries"][number - 1].clone();
    let request = |number: usize| entry(number)["request"].clone();
    let pair = |name: &str, value: &str| json!({ "name": name, "value": value });

    let list = request(1);
    assert_eq!(list["url"], format!("{}/reportei/customers?page=1&sort=a%20b&q=%E2%82%AC", server.url()));
    assert_eq!(list["queryString"], json!([pair("page", "1"), pair("sort", "a b"), pair("q", "€")]));
    assert_eq!(list["cookies"], json!([pair("sid", "•••"), pair("theme", "•••")]));
    assert!(list["headers"].as_array().unwrap().contains(&pair("authorization", "Bearer •••")), "{list}");
    assert_eq!(
        (&list["httpVersion"], &list["bodySize"], &list["headersSize"]),
        (&json!("HTTP/1.1"), &json!(0), &json!(-1))
    );
    assert_eq!(list.get("postData"), None);

    let created = request(2);
    let text = r#"{"name":"Zoë \"quoted\""}"#;
    assert_eq!(created["postData"], json!({ "mimeType": "application/json", "text": text }));
    assert_eq!(created["bodySize"], text.len());
    assert_eq!(
        (&entry(3)["response"]["status"], &entry(3)["response"]["statusText"]),
        (&json!(422), &json!("Unprocessable Entity"))
    );

    let page = &entry(5)["response"]["content"];
    assert!(page["mimeType"].as_str().unwrap().starts_with("text/html"), "{page}");
    assert!(page["text"].as_str().unwrap().contains("<html"), "{page}");

    let token = request(6);
    let params =
        json!([pair("grant_type", "client_credentials"), pair("client_id", CLIENT), pair("client_secret", "•••")]);
    assert_eq!(token["postData"], json!({ "mimeType": FORM.1, "params": params }));
    let shown = format!("grant_type=client_credentials&client_id={CLIENT}&client_secret=•••");
    assert_eq!(token["bodySize"], shown.len(), "sizes are of what is shown");

    let key = request(9);
    assert!(key["url"].as_str().unwrap().ends_with("?api_key=%E2%80%A2%E2%80%A2%E2%80%A2"), "{key}");
    assert_eq!(key["queryString"], json!([pair("api_key", "•••")]));
    assert!(request(12)["url"].as_str().unwrap().ends_with("/reportei/nothing/%7Bhere%7D"));

    let head = &entry(13)["response"];
    assert_eq!(
        (&head["content"]["size"], head["content"].get("text"), &head["bodySize"]),
        (&json!(0), None, &json!(0))
    );

    let image = request(14);
    let data = json!({ "mimeType": "image/png", "text": STANDARD.encode(b"\x89PNG\xff"), "_encoding": "base64" });
    assert_eq!((&image["postData"], &image["bodySize"]), (&data, &json!(5)));
    let large = request(15);
    assert_eq!(large["bodySize"], -1);
    assert_eq!(large["postData"]["comment"], "The body was longer than 100000 bytes, and is not kept.");
    assert_eq!(request(16)["postData"]["_encoding"], "base64", "a form that cannot be read has no parameters");

    let stray = entry(17);
    assert_eq!((&stray["_pack"], &stray["_operation"]), (&Json::Null, &Json::Null));

    let all = har(&server, "&secrets=show").json()["log"]["entries"].clone();
    assert_eq!(all[0]["request"]["cookies"], json!([pair("sid", "secret-cookie-1"), pair("theme", "\"dark\"")]));
    assert_eq!(all[5]["request"]["postData"]["params"][2], pair("client_secret", "hubster-portal-secret"));
    assert!(all[8]["request"]["url"].as_str().unwrap().ends_with("?api_key=test_key"));
}

#[test]
fn a_har_masks_what_the_journal_masks() {
    let server = busy();
    let secrets = [
        "reportei-test-token",
        "secret-cookie-1",
        "hubster-portal-secret",
        "test_key",
        "hubster-portal-token",
        "stray-key",
        "stray-token",
    ];
    let masked = har(&server, "").text();
    let shown = har(&server, "&secrets=show").text();
    for secret in secrets {
        assert!(!masked.contains(secret), "{secret} in {masked}");
        assert!(shown.contains(secret), "{secret}");
    }
}

#[test]
fn redirects_and_cookies_of_answers_are_written() {
    let (server, _folder) = two_packs(&[]);
    server.get("/notes/moved?api_key=documented-key").expect(302);
    let response = |query: &str| valid(&har(&server, query))["log"]["entries"][0]["response"].clone();
    let masked = response("");
    assert_eq!(masked["redirectURL"], "/next/•••");
    assert_eq!(masked["cookies"], json!([{ "name": "session", "value": "•••", "path": "/" }]));
    let shown = response("&secrets=show");
    assert_eq!(shown["redirectURL"], "/next/documented-key");
    assert_eq!(shown["cookies"], json!([{ "name": "session", "value": "response-cookie-1", "path": "/" }]));
    assert_eq!((&shown["content"]["size"], shown["content"].get("text")), (&json!(0), None));
}

/// A HAR has all that is kept, unless it is cut, and tells when it was.
#[test]
fn a_har_is_filtered_cut_and_named_after_the_sandbox() {
    let server = start();
    for _ in 0..101 {
        server.get("/customers").expect(401);
    }
    let entries = |query: &str| {
        let log = har(&server, query).json()["log"].clone();
        let entries: Vec<u64> =
            log["entries"].as_array().unwrap().iter().map(|entry| entry["_entry"].as_u64().unwrap()).collect();
        (entries, log["_total"].as_u64().unwrap(), log["_next"].as_u64())
    };
    let (all, total, next) = entries("");
    assert_eq!((all.len(), total, next), (101, 101, None));
    assert_eq!(entries("&limit=2"), (vec![1, 2], 101, Some(2)));
    assert_eq!(entries("&limit=2&after=100"), (vec![101], 1, None));
    assert_eq!(entries("&status=200"), (vec![], 0, None));
    server.control("POST", "/sandboxes", Some(json!({ "id": "checkout-test" }))).expect(201);
    server.api("GET", "/~checkout-test/customers", None).expect(200);
    let other = server.get("/~checkout-test/_standin/journal?format=har").expect(200);
    assert_eq!(other.header("content-disposition"), Some("attachment; filename=\"checkout-test.har\""));
    let url = &valid(&other)["log"]["entries"][0]["request"]["url"];
    assert_eq!(*url, format!("{}/~checkout-test/customers", server.url()));
}

/// The version is that of the connection.
#[test]
fn the_version_of_http_is_told() {
    let server = start();
    let url = format!("{}/customers", server.url());
    let curl = Command::new("curl").args(["-s", "--http2-prior-knowledge", "--max-time", "30", &url]).output();
    assert!(curl.expect("curl is there").status.success());
    let entry = valid(&har(&server, ""))["log"]["entries"][0].clone();
    for side in ["request", "response"] {
        assert_eq!(entry[side]["httpVersion"], "HTTP/2.0");
    }
}

/// A check that accepts everything would show nothing.
#[test]
fn a_har_that_is_damaged_is_refused() {
    let server = busy();
    let whole = har(&server, "").json();
    let damage: [(&str, &str, Json); 8] = [
        ("/log", "version", Json::Null),
        ("/log", "creator", Json::Null),
        ("/log/entries/3", "startedDateTime", json!("yesterday")),
        ("/log/entries/3", "cache", Json::Null),
        ("/log/entries/0/request/cookies/0", "value", Json::Null),
        ("/log/entries/5/request/postData", "mimeType", Json::Null),
        ("/log/entries/5/response/content", "size", json!("115")),
        ("/log/entries/7/timings", "wait", Json::Null),
    ];
    for (place, member, value) in damage {
        let mut har = whole.clone();
        let object = har.pointer_mut(place).unwrap_or_else(|| panic!("{place}")).as_object_mut().unwrap();
        assert!(object.contains_key(member), "{place} has no {member}");
        match value {
            Json::Null => drop(object.remove(member)),
            value => drop(object.insert(member.to_owned(), value)),
        }
        let (valid, words) = validated(&har.to_string());
        assert!(!valid && words.contains(member), "{place} {member}: {words}");
    }
    let text = whole.to_string();
    assert!(!validated(&text[..text.len() - 1]).0, "a HAR that broke off");
}

#[test]
fn a_format_that_does_not_exist_is_refused() {
    let server = with_exchanges();
    for format in ["HAR", "", "xml", &"har".repeat(3000)] {
        let detail = server.control("GET", &format!("/journal?format={format}"), None).problem(400, "format-invalid");
        assert!(detail.starts_with("`format` is `json` or `har`, not `") && detail.len() < 200, "{detail}");
    }
    let json = server.control("GET", "/journal?format=json", None).expect(200).json();
    assert_eq!(json, server.control("GET", "/journal", None).expect(200).json());
    server.control("GET", "/journal?format=har&limit=0", None).problem(400, "limit-invalid");
    server.control("GET", "/journal?format=har&secrets=all", None).problem(400, "secrets-invalid");
}

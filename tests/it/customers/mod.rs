//! Reportei's customers over the wire: what the documentation's page says, and what was decided where it is silent.
//! Names say which statement: `rN` is a numbered defect of the page, `rule_` a sentence about behaviour, `call_` a row
//! of the table of calls, `list_` the README on pagination.

mod calls;
mod defects;
mod pagination;

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::server::{ACME, Answer, JSON, REPORTEI, Server, advance};
use crate::support::{keys, text};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const SECOND: &str = "073c1e15-94d0-49b3-9861-a0e9b7ffb06c";
const FOREIGN: &str = "5b0c2d1e-3f4a-4b5c-8d6e-7f8091a2b3c4";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const INTEGRATION: &str = "6110b666-0327-4a81-b48e-9feb34d72f78";
const KEYS: [&str; 7] = ["uuid", "name", "created_at", "updated_at", "trial_ends_at", "is_paying", "merchant"];

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

fn create(server: &Server, name: &str) -> Json {
    server.api("POST", "/customers", Some(json!({ "name": name }))).expect(201).json()["customer"].clone()
}

fn settings(server: &Server, merchant: (&str, &str), token: &str) -> Answer {
    server.call("GET", "/customers/settings", &[merchant, ("x-customer-token", token)], "")
}

fn names(list: &Json) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|customer| text(customer, "name")).collect()
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        && parts[2].starts_with('4')
        && parts[3].starts_with(['8', '9', 'a', 'b'])
}

// ---- the documented behaviour ----

#[test]
fn rule_trial_is_exactly_seven_days() {
    let server = start();
    for (at, created, ends) in [
        ("2024-10-01T17:15:12Z", "2024-10-01 17:15:12", "2024-10-08 17:15:12"),
        ("2024-02-26T23:59:59Z", "2024-02-26 23:59:59", "2024-03-04 23:59:59"),
        ("2023-12-28T00:00:00.999999Z", "2023-12-28 00:00:00", "2024-01-04 00:00:00"),
        ("2025-03-27T12:00:00+05:30", "2025-03-27 06:30:00", "2025-04-03 06:30:00"),
    ] {
        server.control("PUT", "/clock", Some(json!({ "now": at }))).expect(200);
        let made = create(&server, "Trial");
        assert_eq!((text(&made, "created_at"), text(&made, "updated_at")), (created, created));
        assert_eq!((text(&made, "trial_ends_at"), &made["is_paying"]), (ends, &json!(false)));
    }
}

#[test]
fn rule_customers_keep_working_after_the_trial() {
    let server = start();
    let made = create(&server, "Late");
    let (uuid, token) = (text(&made, "uuid"), text(&made, "api_token"));
    advance(&server, "8d");
    server.api("GET", "/customers", None).expect(200);
    server.api("GET", &format!("/customers/{uuid}"), None).expect(200);
    settings(&server, REPORTEI, token).expect(200);
    server.api("PUT", &format!("/customers/{uuid}"), Some(json!({ "name": "Later" }))).expect(200);
    server
        .api("POST", &format!("/customers/{uuid}/update-payment-status"), Some(json!({ "is_paying": true })))
        .expect(200);
    server.api("DELETE", &format!("/customers/{uuid}"), None).expect(200);
}

#[test]
fn rule_api_token_is_shown_once_and_works_as_x_customer_token() {
    let server = start();
    let made = create(&server, "Once");
    let (uuid, token) = (text(&made, "uuid"), text(&made, "api_token"));
    assert!(token.len() == 64 && token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{token}");
    let answer = settings(&server, REPORTEI, token).expect(200);
    assert_eq!(answer.json()["customer"]["uuid"], uuid);
    let path = format!("/customers/{uuid}");
    for answer in [
        answer,
        server.api("GET", "/customers", None),
        server.api("GET", &path, None),
        server.api("PUT", &path, Some(json!({ "name": "Twice" }))),
        server.api("POST", &format!("{path}/update-payment-status"), Some(json!({ "is_paying": true }))),
        server.api("DELETE", &path, None),
    ] {
        assert_eq!(answer.status, 200, "{answer}");
        assert!(!answer.text().contains(token) && !answer.text().contains("api_token"), "{answer}");
    }
}

#[test]
fn rule_a_deleted_customer_takes_its_integrations_and_its_token_with_it() {
    let server = start();
    let token = format!("token-{SECOND}");
    settings(&server, REPORTEI, &token).expect(200);
    server.api("DELETE", &format!("/customers/{SECOND}"), None).expect(200);
    assert_eq!(settings(&server, REPORTEI, &token).expect(401).json(), json!({ "message": "Invalid Customer Token" }));
    server.control("GET", &format!("/state/reportei/integration/{INTEGRATION}"), None).problem(404, "record-unknown");
    assert_eq!(server.world()["integration"]["total"], 2, "those of others stay");
    let entry = server.control("GET", "/journal/2", None).json();
    let changes = entry["exchange"]["changes"].as_array().unwrap().iter();
    assert_eq!(
        changes.map(|change| json!([change["verb"], change["resource"], change["id"]])).collect::<Vec<_>>(),
        [json!(["delete", "integration", INTEGRATION]), json!(["delete", "customer", SECOND])]
    );
}

// ---- two merchants ----

#[test]
fn a_foreign_customer_is_like_an_unknown_one() {
    let server = start();
    let before = server.world();
    for (method, rest, body) in [
        ("GET", "", None),
        ("DELETE", "", None),
        ("PUT", "", Some(json!({ "name": "taken over" }))),
        ("POST", "/update-payment-status", Some(json!({ "is_paying": true }))),
    ] {
        let answers =
            [(REPORTEI, FOREIGN), (REPORTEI, UNKNOWN), (ACME, FIRST), (ACME, SECOND)].map(|(caller, uuid)| {
                let answer = server.api_as(caller, method, &format!("/customers/{uuid}{rest}"), body.clone());
                let mut headers = answer.headers.clone();
                headers.retain(|(name, _)| name != "standin-entry");
                (answer.status, headers, answer.text())
            });
        assert_eq!(answers[0].0, 404, "{method}");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{method}: {answers:#?}");
    }
    assert_eq!(server.world(), before);
}

#[test]
fn merchants_have_lists_of_their_own() {
    let server = start();
    server.api_as(ACME, "POST", "/customers", Some(json!({ "name": "Acme Customer 2" }))).expect(201);
    let [ours, theirs] =
        [REPORTEI, ACME].map(|caller| server.api_as(caller, "GET", "/customers", None).expect(200).json());
    assert_eq!((names(&ours), &ours["meta"]["total"]), (vec!["Reportei Customer 1", "Reportei Customer 2"], &json!(2)));
    assert_eq!((names(&theirs), &theirs["meta"]["total"]), (vec!["Acme Customer 1", "Acme Customer 2"], &json!(2)));
    assert!(theirs["data"].as_array().unwrap().iter().all(|customer| customer["merchant"] == "Acme"));
}

#[test]
fn a_customer_token_works_with_its_own_merchant_only() {
    let server = start();
    settings(&server, ACME, &format!("token-{FOREIGN}")).expect(200);
    for (merchant, uuid) in [(REPORTEI, FOREIGN), (ACME, FIRST), (ACME, SECOND)] {
        let answer = settings(&server, merchant, &format!("token-{uuid}")).expect(401);
        assert_eq!(answer.json(), json!({ "message": "Invalid Customer Token" }));
    }
}

// ---- what a request may hold ----

#[test]
fn name_must_be_a_text_that_is_not_blank() {
    let server = start();
    let before = server.world();
    let required = "The name field is required.";
    let text = "The name field must be a string.";
    let object = "The request body must be an object.";
    for (body, field, message) in [
        (json!({}), "name", required),
        (json!({ "name": "" }), "name", required),
        (json!({ "name": " \t\n" }), "name", required),
        (json!({ "Name": "x" }), "name", required),
        (json!({ "name": null }), "name", text),
        (json!({ "name": 7 }), "name", text),
        (json!({ "name": ["x"] }), "name", text),
        (json!({ "name": { "a": 1 } }), "name", text),
        (json!([]), "body", object),
        (json!("name"), "body", object),
        (json!(null), "body", object),
    ] {
        for (method, path) in [("POST", "/customers".to_owned()), ("PUT", format!("/customers/{FIRST}"))] {
            let answer = server.api(method, &path, Some(body.clone())).expect(422);
            assert_eq!(answer.json(), json!({ "message": message, "errors": { field: [message] } }), "{method} {body}");
        }
    }
    assert_eq!(server.world(), before);
}

#[test]
fn is_paying_must_be_a_boolean() {
    let server = start();
    let before = server.world();
    let message = "The is paying field must be true or false.";
    for value in [json!("true"), json!(1), json!(0), json!(null), json!([])] {
        let body = server
            .api("POST", &format!("/customers/{FIRST}/update-payment-status"), Some(json!({ "is_paying": value })))
            .expect(422);
        assert_eq!(body.json(), json!({ "message": message, "errors": { "is_paying": [message] } }), "{value}");
    }
    let required = "The is paying field is required.";
    let body = server.api("POST", &format!("/customers/{FIRST}/update-payment-status"), Some(json!({}))).expect(422);
    assert_eq!(body.json(), json!({ "message": required, "errors": { "is_paying": [required] } }));
    assert_eq!(server.world(), before);
}

#[test]
fn unknown_keys_of_a_body_are_ignored() {
    let server = start();
    let body = json!({ "name": "x", "uuid": FIRST, "is_paying": true, "api_token": "mine", "merchant_uuid": UNKNOWN });
    let made = server.api("POST", "/customers", Some(body)).expect(201).json()["customer"].clone();
    assert_ne!(made["uuid"], FIRST);
    assert_ne!(made["api_token"], "mine");
    assert_eq!((&made["is_paying"], &made["merchant"]), (&json!(false), &json!("Reportei")));
}

/// Uuids are ids, and ids are compared as texts; the vendor writes them in lower case.
#[test]
fn a_uuid_that_is_unknown_or_malformed_is_404() {
    let server = start();
    for id in [UNKNOWN, "1", "not-a-uuid", &FIRST[1..], &format!("{FIRST}0"), "%20", "null", "{$uuid}", "%7B$uuid%7D"] {
        for (method, rest, body) in [
            ("GET", "", None),
            ("DELETE", "", None),
            ("PUT", "", Some(json!({ "name": "x" }))),
            ("POST", "/update-payment-status", Some(json!({ "is_paying": true }))),
        ] {
            let answer = server.api(method, &format!("/customers/{id}{rest}"), body).expect(404);
            assert_eq!(answer.json(), json!({ "message": "Customer not found." }), "{method} {id}");
        }
    }
}

#[test]
fn the_word_bearer_is_read_ignoring_case() {
    let server = start();
    for scheme in ["bearer", "BEARER"] {
        server
            .call("GET", "/customers", &[("authorization", &format!("{scheme} reportei-test-token"))], "")
            .expect(200);
    }
}

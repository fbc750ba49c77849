//! What a client can get wrong, by accident or on purpose: a clear answer in the API's shape or a problem of the server,
//! nothing changed, and the server goes on.

mod bodies;
mod control;
mod crowds;
pub(crate) mod frames;
mod integrations;
mod paths;
mod protocol;
mod slow;
mod smuggling;
mod streams;
mod wire;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::process::Command;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::server::{Answer, JSON, REPORTEI, Server, request};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
/// An integration of the first customer.
const INTEGRATION: &str = "4addc0da-8583-4dbb-a0e9-c7e2e8470f50";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
/// The token of the first customer, which calls about customers ignore.
const CUSTOMER: (&str, &str) = ("x-customer-token", "token-caedbbbe-7d93-476f-b965-bf97cd7ce874");
const METRICS: &str = r#"{"customer_integration":"4addc0da-8583-4dbb-a0e9-c7e2e8470f50","start":"2024-01-01","end":"2024-09-01","metrics":[{"id":"a","reference_key":"ig:reach","component":"number_v1","metrics":["reach"]}]}"#;
const LIMIT: usize = 2 << 20;

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

/// A server of two packs, where the prefix of a pack is needed.
fn two_packs() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| crate::support::write(folder.path(), path, text);
    write(
        "fixtures/pets/pack.yaml",
        "pack: pets\ntitle: Pets\nresources:\n  pet:\n    id: id\n    fields: { id: integer, name: string }\n    seed:\n      records: [{ id: 1, name: Rex }]\n",
    );
    write(
        "fixtures/pets/pets/list.yaml",
        "operation: List pets\nrequest: GET /pets\ndocs: pets.md\nlist: { from: pet }\nrespond:\n  status: 200\n  schema: pets\n  like: list.200.json\n  show: = page.records\n",
    );
    write("fixtures/pets/pets/list.200.json", r#"[{"id":1,"name":"Rex"}]"#);
    write("schemas/pets/pets.json", r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"array"}"#);
    let [fixtures, schemas] = ["fixtures", "schemas"].map(|name| folder.path().join(name).display().to_string());
    let server = Server::start(&["--freeze", "--fixtures", &fixtures, "--schemas", &schemas]);
    assert_eq!(server.get("/pets/pets").expect(200).json(), json!([{ "id": 1, "name": "Rex" }]));
    (server, folder)
}

/// Checks that an answer is Reportei's error with this message.
#[track_caller]
fn refused(answer: &Answer, status: u16, message: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (status, Some("application/json")), "{answer}");
    assert_eq!(answer.json(), json!({ "message": message }), "{answer}");
}

/// Checks that an answer is Reportei's refusal of a body that cannot be read, and that it says these words.
#[track_caller]
fn unreadable(answer: &Answer, words: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/json")), "{answer}");
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{answer}");
    let message = body["message"].as_str().unwrap();
    assert!(message.starts_with("The request cannot be read: ") && message.contains(words), "{message}");
}

/// All calls of the pack, with bodies that would be accepted.
fn calls() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("GET", "/customers".to_owned(), ""),
        ("GET", format!("/customers/{FIRST}"), ""),
        ("GET", "/customers/settings".to_owned(), ""),
        ("POST", "/customers".to_owned(), r#"{"name":"x"}"#),
        ("PUT", format!("/customers/{FIRST}"), r#"{"name":"x"}"#),
        ("DELETE", format!("/customers/{FIRST}"), ""),
        ("POST", format!("/customers/{FIRST}/update-payment-status"), r#"{"is_paying":true}"#),
        ("POST", "/customer-integrations/session".to_owned(), r#"{"redirect_url":"https://app.example"}"#),
        ("GET", "/customer-integrations".to_owned(), ""),
        ("GET", format!("/customer-integrations/{INTEGRATION}"), ""),
        ("DELETE", format!("/customer-integrations/{INTEGRATION}?session_id={UNKNOWN}"), ""),
        ("GET", "/merchants/settings".to_owned(), ""),
        ("POST", "/metrics/get-data".to_owned(), METRICS),
    ]
}

/// The calls that have a body.
fn with_body() -> Vec<(&'static str, String)> {
    calls().into_iter().filter(|(_, _, body)| !body.is_empty()).map(|(method, path, _)| (method, path)).collect()
}

// ---- credentials ----

#[test]
fn credentials_that_are_missing_malformed_or_wrong_are_401() {
    let server = start();
    let watch = server.watch();
    let wrong = [
        "",
        "Bearer",
        "Bearer ",
        "reportei-test-token",
        "Basic reportei-test-token",
        "Bearerreportei-test-token",
        "Token reportei-test-token",
        "Bearer reportei-test-toke",
        "Bearer reportei-test-token2",
        "Bearer REPORTEI-TEST-TOKEN",
        "Bearer reportei-test-token, Bearer acme-test-token",
        "Bearer ' OR 1=1 --",
        "Bearer {{ merchant.access_token }}",
        "Bearer c1e6c85a-6441-4107-ab36-b8bf581b40e0",
    ];
    for (method, path, body) in calls() {
        refused(&server.call(method, &path, &[JSON], body), 401, "Unauthenticated.");
        for value in wrong {
            refused(&server.call(method, &path, &[("Authorization", value), JSON], body), 401, "Unauthenticated.");
        }
    }
    // A customer's token is not a merchant's.
    refused(
        &server.call("GET", "/customers", &[("Authorization", &format!("Bearer token-{FIRST}"))], ""),
        401,
        "Unauthenticated.",
    );
    watch.unharmed();
}

#[test]
fn credentials_come_before_everything_else_that_is_wrong() {
    let server = start();
    let watch = server.watch();
    for (method, path, body) in [
        ("GET", "/customers?per_page=0", ""),
        ("GET", "/customers/not-a-uuid", ""),
        ("POST", "/customers", "{"),
        ("POST", "/customers", ""),
    ] {
        refused(&server.call(method, path, &[JSON], body), 401, "Unauthenticated.");
    }
    watch.unharmed();
}

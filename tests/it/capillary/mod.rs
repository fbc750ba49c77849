//! Capillary's API client accounts and their tokens over the wire: what the documentation says, and what was decided where
//! it is silent. Names say which statement: `cN` is a numbered defect of the page, `call_` a row of its table of calls,
//! `rule_` a sentence about behaviour or state, `beyond_` a statement of other pages of the vendor.

mod attribution;
mod bad;
mod beyond;
mod calls;
mod defects;
mod documented;
mod rules;
mod scopes;
mod tokens;

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{self, RsaKeyPair};
use serde_json::{Value as Json, json};

use crate::server::{Answer, JSON, Server, advance};
use crate::support::{keys, part, repository, text};

/// The header of the page on authentication: `store.server` with the MD5 of `server123`. An admin user.
pub(crate) const ADMIN: (&str, &str) =
    ("Authorization", "Basic c3RvcmUuc2VydmVyOjhhMTZhNmI3MDUwNWViMWYxZmY3Y2RjMGNkNTU1OWE3");
/// The till of the examples.
const TILL: (&str, &str) = ("Authorization", "Basic bW9iaWxlcHVzaC4xOjhhMTZhNmI3MDUwNWViMWYxZmY3Y2RjMGNkNTU1OWE3");
/// The admin user of the other org.
const ACME: (&str, &str) = ("Authorization", "Basic YWNtZS5zZXJ2ZXI6OGExNmE2YjcwNTA1ZWIxZjFmZjdjZGMwY2Q1NTU5YTc=");
const TOKEN: &str = "X-CAP-API-OAUTH-TOKEN";
const SCOPES: &str = "/v3/integrations/scopes";
const CLIENTS: &str = "/v3/integrations/clients";
const GENERATE: &str = "/v3/oauth/token/generate";
/// Clients of the page: the one of the details, the other of the list, and the one that is updated and deleted.
const FIRST: &str = "t3OPbJA3M2dJFFDFVdESW3MHa";
const SECOND: &str = "8eyh1jM4Brzx84niMClQ3OHDv";
const THIRD: &str = "AAyjgiPapXefvmBEw7810SSio";
/// The client of the other org, with its secret.
const FOREIGN: &str = "WnCygRI1Fmlf6YudKwTxQq1LI";
const FOREIGN_SECRET: &str = "hoqSBz6VwefECaZA8Q3oNx4V4H3pMDITksarZVES";
const UNKNOWN: &str = "00000000000000000000000aA";
const NOT_FOUND: &str = "Incorrect resource or resource not found.";
const DELETED: &str = "Invalid input. The API client has been deleted.";
const DENIED: &str = "Not authorized. Access is denied!";
const WRONG_PASSWORD: &str = "Authentication failed. Please check username and password.";
const WRONG_TOKEN: &str = "Authentication failed. Please check the access token.";
const NO_TOKEN: &str = "Failed to generate OAuth token";

fn start() -> Server {
    Server::start(&["capillary", "--freeze"])
}

fn own(key: &str) -> String {
    format!("{CLIENTS}/{key}")
}

/// A body that creates a client, and updates one.
fn body() -> Json {
    json!({
        "name": "NewName3", "description": "Sample description", "expirationTokenTime": 600, "defaultTillId": 15_000_449,
        "scopes": [{ "entityId": 2, "permission": "READWRITE", "resources": [] }],
    })
}

/// The same with other scopes.
fn with_scopes(scopes: Json) -> Json {
    let mut body = body();
    body["scopes"] = scopes;
    body
}

fn with(key: &str, value: Json) -> Json {
    let mut body = body();
    body[key] = value;
    body
}

fn without(key: &str) -> Json {
    let mut body = body();
    body.as_object_mut().unwrap().shift_remove(key).unwrap();
    body
}

fn create(server: &Server, body: Json) -> Json {
    server.api_as(ADMIN, "POST", CLIENTS, Some(body)).expect(200).json()["data"].clone()
}

fn show(server: &Server, key: &str) -> Json {
    server.api_as(ADMIN, "GET", &own(key), None).expect(200).json()["data"].clone()
}

fn list(server: &Server) -> Vec<Json> {
    let body = server.api_as(ADMIN, "GET", CLIENTS, None).expect(200).json();
    body["data"].as_array().unwrap().clone()
}

fn update(server: &Server, key: &str, body: Json) -> Answer {
    server.api_as(ADMIN, "PUT", &own(key), Some(body))
}

fn delete(server: &Server, key: &str) -> Answer {
    server.api_as(ADMIN, "DELETE", &own(key), None)
}

fn generate(server: &Server, key: &str, secret: &str) -> Answer {
    server.call("POST", GENERATE, &[JSON], json!({ "key": key, "secret": secret }).to_string())
}

/// A token of a client as Create gave it.
fn token(server: &Server, client: &Json) -> String {
    let answer = generate(server, text(client, "clientKey"), text(client, "clientSecret")).expect(200);
    text(&answer.json()["data"], "accessToken").to_owned()
}

/// A token of a new client with these scopes.
fn token_for(server: &Server, scopes: Json) -> String {
    token(server, &create(server, with_scopes(scopes)))
}

/// The token of a new client that may do everything.
fn full_token(server: &Server) -> String {
    token(server, &create(server, body()))
}

fn call_with(server: &Server, token: &str, method: &str, path: &str, body: Option<Json>) -> Answer {
    server.api_as((TOKEN, token), method, path, body)
}

/// Checks that an answer is an error of the API: no data, and these codes and messages.
#[track_caller]
fn refused_all(answer: &Answer, status: u16, errors: &[(u64, &str)]) {
    let errors: Vec<Json> = errors.iter().map(|(code, message)| json!({ "code": code, "message": message })).collect();
    assert_eq!((answer.status, answer.header("content-type")), (status, Some("application/json")), "{answer}");
    assert_eq!(answer.json(), json!({ "data": null, "errors": errors }), "{answer}");
    assert!(answer.header("x-cap-requestid").is_some(), "{answer}");
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: u64, message: &str) {
    refused_all(answer, status, &[(code, message)]);
}

#[track_caller]
fn invalid(answer: &Answer, messages: &[&str]) {
    let errors: Vec<(u64, &str)> = messages.iter().map(|message| (400, *message)).collect();
    refused_all(answer, 400, &errors);
}

/// Checks that Create and Update refuse this body alike, with these messages.
#[track_caller]
fn invalid_either(server: &Server, body: &Json, messages: &[&str]) {
    invalid(&server.api_as(ADMIN, "POST", CLIENTS, Some(body.clone())), messages);
    invalid(&update(server, FIRST, body.clone()), messages);
}

/// Tries something bad, and checks that it changed nothing and that the server still answers.
#[track_caller]
fn harmless(server: &Server, bad: impl FnOnce()) {
    let watch = server.watch_pack("capillary");
    bad();
    watch.unharmed();
}

/// The published key of the pack, and one of another pack.
const PUBLISHED: &str = "fixtures/capillary/test-key.pem";
const OTHER_KEY: &str = "tests/cases/format/tokens/fixtures/vault/test-key.pem";

fn key_pair(file: &str) -> RsaKeyPair {
    let pem = fs::read_to_string(repository(file)).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap()
}

/// A token with this header and these claims, signed with a key of the repository.
fn signed(header: &Json, claims: &Json, file: &str) -> String {
    let pair = key_pair(file);
    let coded = |part: &Json| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", coded(header), coded(claims));
    let mut signed = vec![0; pair.public().modulus_len()];
    pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signed).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signed))
}

//! Canned answers: what they answer before any pack, how they are part of a sandbox's story, and WireMock's calls.

mod admin;
mod answers;
mod bad;
mod consumers;
mod effort;
mod journal;
mod story;

use serde_json::{Value as Json, json};

use crate::server::{Answer, JSON, REPORTEI, Server};

/// Adds a stub to the default sandbox, and gives its id.
#[track_caller]
fn add(server: &Server, request: Json, response: Json, more: Json) -> String {
    add_in(server, "default", request, response, more)
}

#[track_caller]
fn add_in(server: &Server, sandbox: &str, request: Json, response: Json, more: Json) -> String {
    let mut mapping = json!({ "request": request, "response": response });
    mapping.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = format!("/~{sandbox}/_standin/stubs");
    let made = server.call("POST", &path, &[JSON], mapping.to_string()).expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

/// A call of WireMock's.
fn admin(server: &Server, method: &str, path: &str, body: Option<Json>) -> Answer {
    let headers: &[(&str, &str)] = if body.is_some() { &[JSON] } else { &[] };
    server.call(method, &format!("/__admin{path}"), headers, body.map(|body| body.to_string()).unwrap_or_default())
}

/// The exchange that an answer came of.
fn exchange(server: &Server, answer: &Answer) -> Json {
    let entry = answer.header("standin-entry").unwrap_or_else(|| panic!("no entry: {answer}"));
    server.control("GET", &format!("/journal/{entry}"), None).expect(200).json()["exchange"].clone()
}

//! `/__admin`: what clients of WireMock call, in its shapes, over the stubs and the journal of a sandbox.
//!
//! A subset: what would read a file, call another server, run code or end this one is refused with words. Start with
//! [`ROUTES`].

mod mappings;
mod near_misses;
mod requests;
mod routes;
mod server;
mod shapes;

use serde_json::{Value as Json, json};

use crate::exchange::{Problem, Response};

pub(super) use routes::ROUTES;

/// A problem as WireMock writes one.
pub(super) fn refusal(problem: &Problem) -> Response {
    let error = |pointer: Option<&Json>, detail: &Json| {
        let mut error = json!({ "code": problem.status.as_u16(), "title": problem.title, "detail": detail });
        if let Some(pointer) = pointer {
            error["source"] = json!({ "pointer": pointer });
        }
        error
    };
    let mistakes = problem.members.iter().find(|(name, _)| name == "mistakes").and_then(|(_, all)| all.as_array());
    let errors: Vec<Json> = match mistakes {
        Some(mistakes) => mistakes.iter().map(|one| error(Some(&one["pointer"]), &one["message"])).collect(),
        None => vec![error(None, &Json::from(problem.detail.as_str()))],
    };
    let mut response = Response::json(problem.status, &json!({ "errors": errors }));
    for (name, value) in &problem.headers {
        response.set(name.clone(), value);
    }
    response
}

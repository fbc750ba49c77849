//! Pages over HTTP, where a browser adds nothing: forms that no page sends, addresses that no page has.

mod clock;
mod guarded;
mod records;
mod reference;

use serde_json::{Value as Json, json};

use crate::server::{Answer, FORM, Server};

/// A form, as a browser sends it whose scripts do not run.
fn post(server: &Server, path: &str, body: &str) -> Answer {
    let origin = server.url();
    server.call("POST", &format!("/_standin/ui{path}"), &[("Origin", &origin), FORM], body)
}

//! `/log`: everything that made a sandbox what it is.

use http::header::CONTENT_DISPOSITION;
use serde_json::{Value as Json, json};

use super::mask::secrets;
use super::{Answer, Call, ok, page, shown, written};
use crate::bundle;
use crate::exchange::{Problem, Response};
use crate::journal::Log;

/// `?format=json&limit=&after=&secrets=` or `?format=bundle`
pub(super) fn show(call: &Call<'_>) -> Answer {
    match call.query("format").as_deref() {
        None | Some("json") => list(call),
        Some("bundle") => file(call),
        Some(other) => {
            let detail = format!("`format` is `json` or `bundle`, not `{}`.", written::quoted(other));
            Err(Problem::bad_request("format-invalid", detail))
        }
    }
}

/// The whole log, as it is kept, to be done again. A part of it, or one without secrets, could not be.
fn file(call: &Call<'_>) -> Answer {
    let partly = ["limit", "after", "secrets"].into_iter().find(|name| call.query(name).is_some());
    if let Some(name) = partly {
        let detail =
            format!("`{name}` has no meaning for a bundle: it is the whole log, with secrets as they were sent.");
        return Err(Problem::bad_request("format-invalid", detail));
    }
    let mut response =
        Response::new(http::StatusCode::OK).with_body("application/x-ndjson", bundle::write(call.sandbox, call.rules));
    response.set(CONTENT_DISPOSITION, &format!("attachment; filename=\"{}.bundle\"", call.sandbox.id()));
    Ok(response)
}

/// Everything that happened, in order, in pieces.
fn list(call: &Call<'_>) -> Answer {
    let secrets = secrets(call)?;
    let limit = page::limit(call)?;
    let after = page::after(call)?;
    let log = call.sandbox.log(Log::clone);
    let mut rest = log.behind(after);
    let entries: Vec<_> = rest.by_ref().take(limit).collect();
    let next = entries.last().filter(|_| rest.next().is_some()).map(|last| last.id);
    let records: Vec<Json> = entries.iter().map(|entry| shown::entry(call.registry, entry, secrets)).collect();
    let mut list = page::list(records, log.len(), next);
    list["evicted"] = json!(log.evicted());
    list["seed"] = json!(call.sandbox.ground().seed);
    ok(&list)
}

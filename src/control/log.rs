//! `/log`: everything that made a sandbox what it is.

use http::StatusCode;
use http::header::CONTENT_DISPOSITION;
use serde_json::{Value as Json, json};

use super::secrets::secrets;
use super::{Answer, Call, ok, page, shown, written};
use crate::bundle;
use crate::exchange::{Problem, Response};
use crate::journal::{Entry, Log};
use crate::mask::Secrets;
use crate::record;
use crate::sandbox::Registry;

/// The longest name of a scenario.
const MOST_NAME: usize = 200;

/// `?format=json|lines&limit=&after=&order=&secrets=`, `?format=bundle` or `?format=scenario&name=`
pub(super) fn show(call: &Call<'_>) -> Answer {
    match call.query("format").as_deref() {
        None | Some("json") => list(call, shown::entry),
        Some("lines") => list(call, shown::brief),
        Some("bundle") => file(call),
        Some("scenario") => scenario(call),
        Some(other) => {
            let detail =
                format!("`format` is `json`, `lines`, `bundle` or `scenario`, not `{}`.", written::quoted(other));
            Err(Problem::bad_request("format-invalid", detail))
        }
    }
}

/// Refuses parameters that have no meaning for a format, and why.
fn without(call: &Call<'_>, names: &[&str], format: &str, why: &str) -> Result<(), Problem> {
    match names.iter().find(|name| call.query(name).is_some()) {
        Some(name) => {
            let detail = format!("`{name}` has no meaning for a {format}: {why}.");
            Err(Problem::bad_request("format-invalid", detail))
        }
        None => Ok(()),
    }
}

/// What happened, told as steps that can be done again.
fn scenario(call: &Call<'_>) -> Answer {
    let why = "it is told from the beginning, and no secret stands in it";
    without(call, &["limit", "after", "order", "secrets"], "scenario", why)?;
    let name = call.query("name").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    if name.as_ref().is_some_and(|name| name.chars().count() > MOST_NAME || name.contains(char::is_control)) {
        let detail = format!("`name` has at most {MOST_NAME} characters, all of one line.");
        return Err(Problem::bad_request("name-invalid", detail));
    }
    let text = record::scenario(call.sandbox, call.rules, name.as_deref()).map_err(|why| {
        let detail = format!("The log is no scenario: {why}.");
        Problem::new("log-untellable", StatusCode::CONFLICT, "The log cannot be told as a scenario", detail)
    })?;
    let mut response = Response::new(StatusCode::OK).with_body("application/yaml", text);
    response.set(CONTENT_DISPOSITION, &format!("attachment; filename=\"{}.yaml\"", call.sandbox.id()));
    Ok(response)
}

/// The whole log, as it is kept, to be done again. A part of it, or one without secrets, could not be.
fn file(call: &Call<'_>) -> Answer {
    let why = "it is the whole log, with secrets as they were sent";
    without(call, &["limit", "after", "order", "secrets", "name"], "bundle", why)?;
    let mut response =
        Response::new(StatusCode::OK).with_body("application/x-ndjson", bundle::write(call.sandbox, call.rules));
    response.set(CONTENT_DISPOSITION, &format!("attachment; filename=\"{}.bundle\"", call.sandbox.id()));
    Ok(response)
}

/// Everything that happened, in pieces, each thing as `show` says.
fn list(call: &Call<'_>, show: fn(&Registry, &Entry, Secrets) -> Json) -> Answer {
    without(call, &["name"], "list", "it has none")?;
    let secrets = secrets(call)?;
    let limit = page::limit(call)?;
    let after = page::after(call)?;
    let log = call.sandbox.log(Log::clone);
    // One more than is shown says whether there are more.
    let most = limit + 1;
    let mut entries: Vec<_> = match page::order(call)? {
        page::Order::Oldest => log.behind(after).take(most).collect(),
        page::Order::Newest if call.query("after").is_none() => log.before(u64::MAX).take(most).collect(),
        page::Order::Newest => log.before(after).take(most).collect(),
    };
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|last| last.id);
    let records: Vec<Json> = entries.iter().map(|entry| show(call.registry, entry, secrets)).collect();
    let mut list = page::list(records, log.len(), next);
    list["evicted"] = json!(log.evicted());
    list["seed"] = json!(call.sandbox.ground().seed);
    ok(&list)
}

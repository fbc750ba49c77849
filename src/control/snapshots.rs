//! `/snapshots` and `/rewind`: going back to what was.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::body::{invalid, members};
use super::clock::clock_shown;
use super::{Answer, Call, done, ok, page, shown};
use crate::diagnostic::one_of;
use crate::exchange::{Problem, Response};
use crate::sandbox::{Back, NotRewound, NotTaken, Snapshot, snapshot_name};

fn line(call: &Call<'_>, name: &str, snapshot: &Snapshot) -> Json {
    json!({
        "name": name,
        "at": snapshot.at().to_string(),
        "entries": snapshot.position(),
        "from": format!("{}@{name}", call.sandbox.id()),
    })
}

/// The problem for a snapshot that is not there.
pub(super) fn unknown<'n>(known: impl Iterator<Item = &'n str>) -> Problem {
    let mut known = known.peekable();
    let there = if known.peek().is_none() { "none".to_owned() } else { one_of(known) };
    let detail = format!("There is no such snapshot: the sandbox has {there}. POST /_standin/snapshots takes one.");
    Problem::not_found("snapshot-unknown", detail)
}

fn gone(call: &Call<'_>) -> Problem {
    let all = call.sandbox.snapshots();
    unknown(all.iter().map(|(name, _)| name.as_str()))
}

fn named(call: &Call<'_>) -> Result<String, Problem> {
    snapshot_name(call.parameter("name"))
        .map_err(|why| Problem::bad_request("snapshot-name-invalid", format!("{why}.")))
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let all = call.sandbox.snapshots();
    page::counted(call, all.len(), |place| all.get(place).map(|(name, snapshot)| line(call, name, snapshot)))
}

/// `{name?}`
pub(super) fn take(call: &Call<'_>) -> Answer {
    let members = members(call, &["name"])?;
    let name = members.text("name")?.map(|text| snapshot_name(text).map_err(|why| invalid("name", why))).transpose()?;
    let wished = name.clone().unwrap_or_default();
    match call.sandbox.take(name, call.real) {
        Ok((name, snapshot)) => Ok(Response::json(StatusCode::CREATED, &line(call, &name, &snapshot))),
        Err(NotTaken::Exists) => {
            let detail = format!(
                "There is a snapshot `{wished}`. DELETE /_standin/snapshots/{wished} forgets it; without `name` the server gives one."
            );
            Err(Problem::new("snapshot-exists", StatusCode::CONFLICT, "The snapshot cannot be taken", detail))
        }
        Err(NotTaken::Full(most)) => {
            let detail =
                format!("There are {most} snapshots, as many as there may be. Delete one, or raise --max-snapshots.");
            Err(Problem::new("snapshots-full", StatusCode::TOO_MANY_REQUESTS, "There are too many snapshots", detail))
        }
    }
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let name = named(call)?;
    let snapshot = call.sandbox.snapshot_named(&name).ok_or_else(|| gone(call))?;
    ok(&line(call, &name, &snapshot))
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    if call.sandbox.drop_snapshot(&named(call)?) { done() } else { Err(gone(call)) }
}

pub(super) fn restore(call: &Call<'_>) -> Answer {
    members(call, &[])?;
    let (back, reloaded) = call.sandbox.restore(&named(call)?, call.real).ok_or_else(|| gone(call))?;
    let mut shown = self::back(call, back);
    // Only where packs are others than they were then.
    if !reloaded.is_empty() {
        shown["reloaded"] = reloaded.iter().map(shown::reloaded).collect();
    }
    ok(&shown)
}

/// `{to: <entry>}`
pub(super) fn rewind(call: &Call<'_>) -> Answer {
    let members = members(call, &["to"])?;
    let Some(to) = members.number("to")? else {
        let detail = "Give `to`, the number of an entry: the sandbox will be as it was just before it.";
        return Err(Problem::bad_request("rewind-where", detail));
    };
    let back_to = call.sandbox.rewind(to, call.real).map_err(|why| match why {
        NotRewound::Unknown => Problem::not_found("entry-unknown", format!("There is no entry {to}.")),
        NotRewound::Gone(first) => {
            let first = match first {
                Some(first) => format!("the oldest that is kept is {first}"),
                None => "nothing is kept".to_owned(),
            };
            let detail = format!("Entry {to} is gone: it was undone, reset, or had to make room; {first}.");
            Problem::new("entry-evicted", StatusCode::GONE, "The entry is not kept any more", detail)
        }
        NotRewound::Reloaded(entry) => {
            let detail = format!(
                "Entry {entry} replaced a pack: what is in the log up to it was done by another one, and cannot be undone \
                 by this one. Restore a snapshot, or rewind to an entry behind it."
            );
            Problem::new("rewind-reloaded", StatusCode::CONFLICT, "A pack was replaced since", detail)
        }
    })?;
    ok(&back(call, back_to))
}

fn back(call: &Call<'_>, back: Back) -> Json {
    json!({
        "sandbox": call.sandbox.id().as_str(),
        "clock": clock_shown(back.now, back.mode),
        "entries": back.position,
    })
}

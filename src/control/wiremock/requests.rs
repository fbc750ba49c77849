//! `/__admin/requests`: the journal.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::mappings::{mistaken, now, number};
use super::shapes::Logged;
use crate::clock::Instant;
use crate::control::body::object;
use crate::control::{Answer, Call, ok};
use crate::exchange::Problem;
use crate::journal::{Entry, Kept, Log};
use crate::stub::{Asked, Content, RequestPattern};

/// The log as it is now: nobody waits while it is looked through.
pub(super) fn copy(call: &Call<'_>) -> Log {
    call.sandbox.log(Log::clone)
}

/// The exchanges of the journal for which something holds, the newest first.
pub(super) fn those(log: &Log, holds: impl Fn(&Kept) -> bool) -> Vec<&Arc<Entry>> {
    let mut found: Vec<_> = log.exchanges().filter(|entry| entry.kept().is_some_and(&holds)).collect();
    found.reverse();
    found
}

/// Those with what must not be read of them.
fn logged<'e>(call: &Call<'_>, entries: &[&'e Arc<Entry>]) -> Vec<Logged<'e>> {
    entries.iter().filter_map(|entry| Logged::new(call, entry)).collect()
}

/// The pattern in the body.
pub(super) fn pattern(call: &Call<'_>) -> Result<(Json, RequestPattern), Problem> {
    let written = Json::Object(object(call)?);
    let pattern = RequestPattern::parse(&written).map_err(|mistakes| mistaken(&mistakes))?;
    Ok((written, pattern))
}

fn fits(call: &Call<'_>, pattern: &RequestPattern, kept: &Kept) -> bool {
    let request = kept.request();
    pattern.matches(&Asked::new(&request, &request.received(), call.rules.json_depth))
}

fn events(call: &Call<'_>, found: &[&Arc<Entry>]) -> Vec<Json> {
    let stubs = now(call);
    logged(call, found).iter().map(|logged| logged.event(&stubs)).collect()
}

/// `?limit=`, `?since=`, `?unmatched=true`, `?matchingStub=`
pub(super) fn list(call: &Call<'_>) -> Answer {
    let limit = number(call, "limit")?.unwrap_or(usize::MAX);
    let since = call.query("since").map(|text| {
        Instant::parse(&text).map_err(|why| Problem::bad_request("since-invalid", format!("`since`: {why}.")))
    });
    let since = since.transpose()?;
    let stub = call.query("matchingStub");
    let unmatched = call.query("unmatched").is_some_and(|text| text == "true");
    let log = copy(call);
    let mut found = those(&log, |kept| {
        stub.as_deref().is_none_or(|stub| kept.stub.as_deref() == Some(stub)) && (!unmatched || kept.unmatched)
    });
    found.retain(|entry| since.is_none_or(|since| entry.at >= since));
    let total = found.len();
    found.truncate(limit);
    ok(&json!({
        "requests": events(call, &found),
        "meta": { "total": total },
        "requestJournalDisabled": false,
        "evicted": log.journal_evicted(),
    }))
}

pub(super) fn clear(call: &Call<'_>) -> Answer {
    call.sandbox.empty_journal();
    ok(&json!({}))
}

pub(super) fn count(call: &Call<'_>) -> Answer {
    let (_, pattern) = pattern(call)?;
    let log = copy(call);
    let count = log.exchanges().filter_map(|entry| entry.kept()).filter(|one| fits(call, &pattern, one)).count();
    ok(&json!({ "count": count, "requestJournalDisabled": false, "evicted": log.journal_evicted() }))
}

fn requests(call: &Call<'_>, log: &Log, found: &[&Arc<Entry>]) -> Answer {
    let requests: Vec<Json> = logged(call, found).iter().map(Logged::request).collect();
    ok(&json!({ "requests": requests, "requestJournalDisabled": false, "evicted": log.journal_evicted() }))
}

pub(super) fn find(call: &Call<'_>) -> Answer {
    let (_, pattern) = pattern(call)?;
    let log = copy(call);
    requests(call, &log, &those(&log, |kept| fits(call, &pattern, kept)))
}

pub(super) fn unmatched(call: &Call<'_>) -> Answer {
    let log = copy(call);
    requests(call, &log, &those(&log, |kept| kept.unmatched))
}

/// Takes exchanges out of the journal; the log stays.
fn forget(call: &Call<'_>, found: &[&Arc<Entry>]) -> Answer {
    let events = events(call, found);
    call.sandbox.forget(&found.iter().map(|entry| entry.id).collect::<Vec<_>>());
    ok(&json!({ "serveEvents": events }))
}

pub(super) fn remove(call: &Call<'_>) -> Answer {
    let (_, pattern) = pattern(call)?;
    let log = copy(call);
    forget(call, &those(&log, |kept| fits(call, &pattern, kept)))
}

/// Those that a stub with such metadata answered.
pub(super) fn remove_by_metadata(call: &Call<'_>) -> Answer {
    let content = Content::parse(&Json::Object(object(call)?)).map_err(|mistakes| mistaken(&mistakes))?;
    let (stubs, log) = (now(call), copy(call));
    forget(
        call,
        &those(&log, |exchanged| {
            let story = exchanged.stub.as_deref().and_then(|id| stubs.get(id));
            story.is_some_and(|story| content.holds(story.stub.metadata()))
        }),
    )
}

fn id(call: &Call<'_>) -> Result<u64, Problem> {
    let text = call.parameter("id");
    let unknown = || Problem::not_found("entry-unknown", format!("There is no request `{text}` in the journal."));
    let id = text.parse().map_err(|_| unknown())?;
    let there = call.sandbox.log(|log| log.unforgotten(id).is_some_and(|entry| entry.is_exchange()));
    if there { Ok(id) } else { Err(unknown()) }
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let id = id(call)?;
    let entry = call.sandbox.log(|log| log.get(id).cloned());
    let logged = entry.as_deref().and_then(|entry| Logged::new(call, entry));
    ok(&logged.map_or(Json::Null, |logged| logged.event(&now(call))))
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    call.sandbox.forget(&[id(call)?]);
    ok(&json!({}))
}

//! `/__admin/mappings` and `/__admin/scenarios`.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use crate::control::body::{invalid, members, object};
use crate::control::settings::{self, refused};
use crate::control::stubs::{self, Known, scenario_shown};
use crate::control::{Answer, Call, ok};
use crate::engine::{self, Setting};
use crate::exchange::{Problem, Response};
use crate::journal::Log;
use crate::stub::{Content, Mistakes, Story, Stubs};

pub(super) fn now(call: &Call<'_>) -> Stubs {
    call.sandbox.controls().stubs
}

/// The problem for a pattern that cannot be used.
pub(super) fn mistaken(mistakes: &Mistakes) -> Problem {
    refused(&mistakes.iter().map(|mistake| engine::told("", mistake)).collect::<Vec<_>>())
}

/// `{mappings, meta: {total}}`
fn listed(all: &[&Json], total: usize) -> Answer {
    ok(&json!({ "mappings": all, "meta": { "total": total } }))
}

fn one(call: &Call<'_>, status: StatusCode, id: &str) -> Answer {
    let stubs = now(call);
    let story = stubs.get(id).ok_or_else(|| stubs::unknown(id))?;
    Ok(Response::json(status, &story.stub.source))
}

/// A number in the query.
pub(super) fn number(call: &Call<'_>, name: &str) -> Result<Option<usize>, Problem> {
    let wrong = |text: &str| Problem::bad_request("limit-invalid", format!("`{name}` is a number, not `{text}`."));
    call.query(name).map(|text| text.parse().map_err(|_| wrong(&text))).transpose()
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let (limit, offset) = (number(call, "limit")?, number(call, "offset")?);
    let stubs = now(call);
    let all = stubs.iter().map(|story| &story.stub.source);
    let piece: Vec<&Json> = all.skip(offset.unwrap_or(0)).take(limit.unwrap_or(usize::MAX)).collect();
    listed(&piece, stubs.len())
}

pub(super) fn add(call: &Call<'_>) -> Answer {
    let id = stubs::add_one(call, &object(call)?)?;
    one(call, StatusCode::CREATED, &id)
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    one(call, StatusCode::OK, &stubs::id(call)?)
}

pub(super) fn put(call: &Call<'_>) -> Answer {
    let id = stubs::put_one(call, &object(call)?, false)?;
    one(call, StatusCode::OK, &id)
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    stubs::delete_one(call)?;
    ok(&json!({}))
}

/// There are no stubs but those that were sent, so that none are left.
pub(super) fn clear(call: &Call<'_>) -> Answer {
    stubs::delete_all(call)?;
    ok(&json!({}))
}

pub(super) fn save(_: &Call<'_>) -> Answer {
    ok(&json!({ "message": "nothing is written: stubs live as long as their sandbox, and its log has them" }))
}

/// `{mappings, importOptions?: {duplicatePolicy?, deleteAllNotInImport?}}`
pub(super) fn import(call: &Call<'_>) -> Answer {
    let given = members(call, &["mappings", "importOptions", "meta"])?.all();
    let Some(Json::Array(mappings)) = given.get("mappings") else {
        return Err(invalid("mappings", "write a list of mappings"));
    };
    let nothing = Map::new();
    let options = given.get("importOptions").and_then(Json::as_object).unwrap_or(&nothing);
    let known = match options.get("duplicatePolicy").and_then(Json::as_str) {
        None | Some("OVERWRITE") => Known::Replaced,
        Some("IGNORE") => Known::Kept,
        Some(other) => {
            return Err(invalid("importOptions", format!("`duplicatePolicy` is OVERWRITE or IGNORE, not `{other}`")));
        }
    };
    let alone = options.get("deleteAllNotInImport") == Some(&Json::Bool(true));
    // The last that is added outranks its equals, and lists begin with it: so what was listed is the same again.
    stubs::add_all(call, mappings.iter().enumerate().rev(), known, alone)?;
    ok(&json!({}))
}

/// The stubs whose metadata fulfil the condition of the body.
fn with_metadata(call: &Call<'_>) -> Result<(Stubs, BTreeSet<Arc<str>>), Problem> {
    let content = Content::parse(&Json::Object(object(call)?)).map_err(|mistakes| mistaken(&mistakes))?;
    let stubs = now(call);
    let meant = stubs.iter().filter(|story| content.holds(story.stub.metadata()));
    let meant = meant.map(|story| Arc::clone(&story.stub.id)).collect();
    Ok((stubs, meant))
}

fn those(stubs: &Stubs, ids: &BTreeSet<Arc<str>>) -> Answer {
    let all: Vec<&Json> =
        stubs.iter().filter(|story| ids.contains(&story.stub.id)).map(|story| &story.stub.source).collect();
    listed(&all, all.len())
}

fn remove(call: &Call<'_>, ids: &BTreeSet<Arc<str>>) -> Answer {
    for id in ids {
        settings::set(call, |_| Ok(Setting::NoStub(id.to_string())))?;
    }
    ok(&json!({}))
}

pub(super) fn find_by_metadata(call: &Call<'_>) -> Answer {
    let (stubs, meant) = with_metadata(call)?;
    those(&stubs, &meant)
}

pub(super) fn remove_by_metadata(call: &Call<'_>) -> Answer {
    let (_, meant) = with_metadata(call)?;
    remove(call, &meant)
}

/// The stubs that answered nothing of what the journal has.
fn idle(call: &Call<'_>) -> (Stubs, BTreeSet<Arc<str>>) {
    let stubs = now(call);
    let log = call.sandbox.log(Log::clone);
    let used: BTreeSet<Arc<str>> = log.exchanges().filter_map(|entry| entry.kept()?.stub.clone()).collect();
    let idle = |story: &Story<'_>| (!used.contains(&story.stub.id)).then(|| Arc::clone(&story.stub.id));
    let idle = stubs.iter().filter_map(|story| idle(&story)).collect();
    (stubs, idle)
}

pub(super) fn unmatched(call: &Call<'_>) -> Answer {
    let (stubs, idle) = idle(call);
    those(&stubs, &idle)
}

pub(super) fn remove_unmatched(call: &Call<'_>) -> Answer {
    remove(call, &idle(call).1)
}

pub(super) fn scenarios(call: &Call<'_>) -> Answer {
    let stubs = now(call);
    let shown = |name: &Arc<str>| {
        let of = |story: &Story<'_>| story.stub.scenario.as_ref().is_some_and(|scenario| scenario.name == *name);
        let mappings: Vec<&Json> = stubs.iter().filter(of).map(|story| &story.stub.source).collect();
        let mut shown = scenario_shown(&stubs, name);
        shown["id"] = Json::from(&**name);
        shown["mappings"] = json!(mappings);
        shown
    };
    ok(&json!({ "scenarios": stubs.scenarios().iter().map(shown).collect::<Vec<_>>() }))
}

pub(super) fn reset_scenarios(call: &Call<'_>) -> Answer {
    stubs::reset_scenarios(call)?;
    ok(&json!({}))
}

pub(super) fn set_scenario(call: &Call<'_>) -> Answer {
    stubs::put_scenario(call)?;
    ok(&json!({}))
}

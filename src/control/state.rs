//! `/state/{pack}/{resource}`: records, as the wire spells them.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value as Json};

use super::body::object;
use super::{Answer, Call, done, ok, page};
use crate::diagnostic::one_of;
use crate::engine::{self, Edit, StateFault};
use crate::exchange::{Problem, Response};
use crate::journal::Happening;
use crate::pack::{Pack, ResourceId};
use crate::sandbox::{Intervention, notes};

fn resource(call: &Call<'_>, pack: &Pack) -> Result<ResourceId, Problem> {
    let name = call.parameter("resource");
    pack.resource_named(name).ok_or_else(|| {
        let known = one_of(pack.resources.iter().map(|resource| &*resource.name));
        Problem::not_found(
            "resource-unknown",
            format!("The pack `{}` has no resource `{name}`: it has {known}.", pack.name),
        )
    })
}

fn not_found(pack: &Pack, resource: ResourceId, id: &str) -> Problem {
    Problem::not_found("record-unknown", format!("There is no `{}` with the id `{id}`.", pack.resource(resource).name))
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let (index, pack) = call.pack()?;
    let resource = resource(call, pack)?;
    let limit = page::limit(call)?;
    let skip = usize::try_from(page::after(call)?).unwrap_or(usize::MAX);
    let world = call.sandbox.world(index);
    let sequences = world.sequences(resource, None);
    let records: Vec<Json> = (skip..skip.saturating_add(limit).min(sequences.len()))
        .filter_map(|index| world.at(resource, *sequences.get(index)?))
        .map(|record| engine::shown(pack, resource, record))
        .collect();
    let reached = skip.saturating_add(records.len());
    let next = (reached < sequences.len()).then_some(reached as u64);
    ok(&page::list(records, sequences.len(), next))
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let (index, pack) = call.pack()?;
    let resource = resource(call, pack)?;
    let id = call.parameter("id");
    let world = call.sandbox.world(index);
    let record = world.get(resource, id).ok_or_else(|| not_found(pack, resource, id))?;
    ok(&engine::shown(pack, resource, record))
}

pub(super) fn add(call: &Call<'_>) -> Answer {
    let fields = object(call)?;
    edit(call, Edit::Add(fields.clone()), Some(fields))
}

pub(super) fn put(call: &Call<'_>) -> Answer {
    let fields = object(call)?;
    edit(call, Edit::Put(call.parameter("id").to_owned(), fields.clone()), Some(fields))
}

pub(super) fn patch(call: &Call<'_>) -> Answer {
    let fields = object(call)?;
    edit(call, Edit::Patch(call.parameter("id").to_owned(), fields.clone()), Some(fields))
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    edit(call, Edit::Delete(call.parameter("id").to_owned()), None)
}

fn edit(call: &Call<'_>, edit: Edit, body: Option<Map<String, Json>>) -> Answer {
    let (index, pack) = call.pack()?;
    let resource = resource(call, pack)?;
    let (method, status) = match &edit {
        Edit::Add(_) => ("POST", StatusCode::CREATED),
        Edit::Put(..) => ("PUT", StatusCode::OK),
        Edit::Patch(..) => ("PATCH", StatusCode::OK),
        Edit::Delete(_) => ("DELETE", StatusCode::NO_CONTENT),
    };
    let entry = call.sandbox.intervene(index, call.real, |pack, moment| {
        let (change, id) = engine::edit(pack, moment, resource, &edit)?;
        let changes = notes(pack, &change.steps);
        let what = Happening::State {
            method,
            pack: Arc::clone(&pack.name),
            resource: Arc::clone(&pack.resource(resource).name),
            id,
            body: body.map(Json::Object),
            changes,
        };
        Ok(Intervention { change, what })
    });
    let entry = entry.map_err(|fault| match fault {
        StateFault::NotFound => not_found(pack, resource, call.parameter("id")),
        StateFault::Invalid(why) => Problem::new(
            "record-invalid",
            StatusCode::UNPROCESSABLE_ENTITY,
            "The record does not fit its resource",
            format!("{why}."),
        ),
        StateFault::Conflict(why) => {
            Problem::new("record-conflict", StatusCode::CONFLICT, "The record contradicts another", format!("{why}."))
        }
    })?;
    let Happening::State { id, .. } = &entry.what else { return done() };
    match call.sandbox.world(index).get(resource, id) {
        Some(record) if status != StatusCode::NO_CONTENT => {
            Ok(Response::json(status, &engine::shown(pack, resource, record)))
        }
        _ => done(),
    }
}

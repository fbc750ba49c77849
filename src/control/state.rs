//! `/state/{pack}/{resource}`: records, as the wire spells them.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value as Json;

use super::body::object;
use super::secrets::secrets;
use super::written::{Written, never, wrong};
use super::{Answer, Call, done, ok, page};
use crate::diagnostic::{did_you_mean, one_of};
use crate::engine::{self, Edit, StateFault};
use crate::exchange::{Problem, Response, spelled};
use crate::journal::{Happening, Text};
use crate::mask::{MASK, Mask, Secrets};
use crate::pack::{Pack, ResourceId};
use crate::sandbox::{Record, World};

/// The pack that the path names, with its records.
pub(super) fn held(call: &Call<'_>) -> Result<(Arc<Pack>, World), Problem> {
    Ok(call.sandbox.holding(call.pack()?.0))
}

pub(super) fn resource(call: &Call<'_>, pack: &Pack) -> Result<ResourceId, Problem> {
    let name = call.parameter("resource");
    pack.resource_named(name).ok_or_else(|| {
        let known = one_of(pack.resources.iter().map(|resource| &*resource.name));
        let meant = did_you_mean(name, pack.resources.iter().map(|resource| &*resource.name));
        Problem::not_found(
            "resource-unknown",
            format!("The pack `{}` has no resource `{name}`: it has {known}.{meant}", pack.name),
        )
    })
}

fn not_found(pack: &Pack, resource: ResourceId, id: &str) -> Problem {
    Problem::not_found("record-unknown", format!("There is no `{}` with the id `{id}`.", pack.resource(resource).name))
}

/// A record as the wire spells it, with its secret fields masked unless they were asked for.
pub(super) fn shown(pack: &Pack, resource: ResourceId, record: &Record, secrets: Secrets) -> Json {
    let mut shown = engine::shown(pack, resource, record);
    if secrets == Secrets::Masked {
        for field in pack.resource(resource).fields.iter().filter(|field| field.secret) {
            if let Some(value) = shown.get_mut(&*field.name).filter(|value| !value.is_null()) {
                *value = Json::from(MASK);
            }
        }
    }
    shown
}

/// Names that the query of a list can have.
pub(super) const CONDITIONS: &[&str] = &["text", "field", "value"];

/// Which records of a resource are meant.
struct Meant {
    /// Stands in one of their fields.
    text: Option<Text>,
    /// A field, and what it holds, as it is spelled without quotes.
    field: Option<(usize, String)>,
}

impl Meant {
    fn of(call: &Call<'_>, pack: &Pack, resource: ResourceId) -> Result<Self, Problem> {
        let written = Written::in_query(call, CONDITIONS);
        let definition = pack.resource(resource);
        let field = match (written.text("field")?, written.text("value")?) {
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(wrong("field", "`field` and `value` stand together: which field holds what"));
            }
            (Some(name), Some(value)) => {
                // What a secret holds is not found out by asking often.
                let open = || definition.fields.iter().filter(|field| !field.secret).map(|field| &*field.name);
                let known = open().any(|known| known == name);
                let (index, _) =
                    definition.field(name).filter(|_| known).ok_or_else(|| never("field", name, open()))?;
                Some((index, value.to_owned()))
            }
        };
        Ok(Meant { text: written.searched()?, field })
    }

    /// The owner whose records are meant, of which there is an index.
    fn owner(&self, pack: &Pack, resource: ResourceId) -> Option<&str> {
        let owner = pack.resource(resource).owner?;
        self.field.as_ref().filter(|(field, _)| *field == owner.field).map(|(_, value)| value.as_str())
    }

    fn is_all(&self) -> bool {
        self.text.is_none() && self.field.is_none()
    }

    fn holds(&self, pack: &Pack, resource: ResourceId, record: &Record) -> bool {
        let fields = &pack.resource(resource).fields;
        let wire = |index: usize| {
            let field = Some(&fields[index]).filter(|field| !field.secret)?;
            Some(spelled(record.values.to_wire(index, field, &pack.formats)?.as_ref()))
        };
        let in_field = |(index, wanted): &(usize, String)| wire(*index).is_some_and(|value| value == *wanted);
        let in_any = |text: &Text| (0..fields.len()).filter_map(wire).any(|value| text.fits(&value));
        self.field.as_ref().is_none_or(in_field) && self.text.as_ref().is_none_or(in_any)
    }
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let secrets = secrets(call)?;
    let (pack, world) = held(call)?;
    let resource = resource(call, &pack)?;
    let meant = Meant::of(call, &pack, resource)?;
    let sequences = world.sequences(resource, meant.owner(&pack, resource));
    let shown = |sequence: u64| Some(shown(&pack, resource, world.at(resource, sequence)?, secrets));
    if meant.is_all() {
        return page::counted(call, sequences.len(), |place| shown(*sequences.get(place)?));
    }
    let all = world.each(resource, &sequences).filter(|record| meant.holds(&pack, resource, record));
    let found: Vec<u64> = all.map(|record| record.sequence).collect();
    page::counted(call, found.len(), |place| shown(*found.get(place)?))
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let secrets = secrets(call)?;
    let (pack, world) = held(call)?;
    let resource = resource(call, &pack)?;
    let id = call.parameter("id");
    let record = world.get(resource, id).ok_or_else(|| not_found(&pack, resource, id))?;
    ok(&shown(&pack, resource, record, secrets))
}

pub(super) fn add(call: &Call<'_>) -> Answer {
    edit(call, Edit::Add(object(call)?))
}

pub(super) fn put(call: &Call<'_>) -> Answer {
    edit(call, Edit::Put(call.parameter("id").to_owned(), object(call)?))
}

pub(super) fn patch(call: &Call<'_>) -> Answer {
    edit(call, Edit::Patch(call.parameter("id").to_owned(), object(call)?))
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    edit(call, Edit::Delete(call.parameter("id").to_owned()))
}

/// Puts what a record has in the place of the mask, so that a record can be sent back as it was shown.
fn unmask(world: &World, pack: &Pack, resource: ResourceId, edit: &mut Edit) -> Result<(), StateFault> {
    let (stored, given) = match edit {
        Edit::Add(given) => (None, given),
        // What to change is not there, which says more than what is wrong with the change.
        Edit::Patch(id, _) if world.get(resource, id).is_none() => return Err(StateFault::NotFound),
        Edit::Put(id, given) | Edit::Patch(id, given) => (world.get(resource, id), given),
        Edit::Delete(_) => return Ok(()),
    };
    let fields = pack.resource(resource).fields.iter().enumerate();
    for (index, field) in fields.filter(|(_, field)| field.secret) {
        let Some(value) = given.get_mut(&*field.name).filter(|value| *value == MASK) else { continue };
        *value = match stored.and_then(|record| record.values.to_wire(index, field, &pack.formats)) {
            Some(stored) => stored.into_owned(),
            None => {
                let name = &field.name;
                let words =
                    format!("`{name}` is `{MASK}`, the mask of a secret, and there is none: send the secret itself");
                return Err(StateFault::Invalid(words));
            }
        };
    }
    Ok(())
}

fn edit(call: &Call<'_>, edit: Edit) -> Answer {
    let secrets = secrets(call)?;
    let (index, pack) = call.pack()?;
    resource(call, &pack)?;
    let status = match &edit {
        Edit::Add(_) => StatusCode::CREATED,
        Edit::Put(..) | Edit::Patch(..) => StatusCode::OK,
        Edit::Delete(_) => StatusCode::NO_CONTENT,
    };
    // The pack may be another by now, and once more when the record is shown.
    let entry = call.sandbox.intervene(index, call.real, |pack, moment| {
        let resource = resource(call, pack)?;
        let mut masked = edit.clone();
        let edited = unmask(moment.world, pack, resource, &mut masked)
            .and_then(|()| engine::edit(pack, moment, resource, &masked));
        edited.map_err(|fault| refused(call, pack, resource, &edit, fault))
    })?;
    let Happening::State { id, .. } = &entry.what else { return done() };
    let (pack, world) = held(call)?;
    let resource = resource(call, &pack)?;
    match world.get(resource, id) {
        Some(record) if status != StatusCode::NO_CONTENT => {
            Ok(Response::json(status, &shown(&pack, resource, record, secrets)))
        }
        _ => done(),
    }
}

/// The words of a refusal may quote what was sent.
fn refused(call: &Call<'_>, pack: &Pack, resource: ResourceId, edit: &Edit, fault: StateFault) -> Problem {
    let masked = |why: &str| match edit {
        Edit::Add(given) | Edit::Put(_, given) | Edit::Patch(_, given) => {
            Mask::of_value(&pack.face, &Json::Object(given.clone())).text(why).into_owned()
        }
        Edit::Delete(_) => why.to_owned(),
    };
    match fault {
        StateFault::NotFound => not_found(pack, resource, call.parameter("id")),
        StateFault::Invalid(why) => Problem::new(
            "record-invalid",
            StatusCode::UNPROCESSABLE_ENTITY,
            "The record does not fit its resource",
            format!("{}.", masked(&why)),
        ),
        StateFault::Conflict(why) => Problem::new(
            "record-conflict",
            StatusCode::CONFLICT,
            "The record contradicts another",
            format!("{}.", masked(&why)),
        ),
    }
}

//! Records as the control plane edits them: spelled as the wire spells them, checked as the pack declares them.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::fill::draft;
use super::scope;
use crate::diagnostic::nearest;
use crate::exchange::{JsonText, spelled};
use crate::journal::Happening;
use crate::pack::{Pack, ResourceId, Shape, Sort};
use crate::sandbox::{Change, Conflict, Intervention, Moment, Record, Step, Visibility, WorldEdit, notes};

/// What is done to a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Edit {
    /// A new record; fields that are not given take their defaults.
    Add(Map<String, Json>),
    /// All fields of the record with this id, which is made if there is none.
    Put(String, Map<String, Json>),
    /// Some fields; null where a field may be absent takes it away.
    Patch(String, Map<String, Json>),
    Delete(String),
}

/// Why an edit was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StateFault {
    NotFound,
    /// The value does not fit the resource; in words.
    Invalid(String),
    /// It contradicts another record; in words.
    Conflict(String),
}

/// A record as the wire spells it, every field of it.
pub(crate) fn shown(pack: &Pack, resource: ResourceId, record: &Record) -> Json {
    let fields = pack.resource(resource).fields.iter().enumerate();
    Json::Object(
        fields
            .filter_map(|(index, field)| {
                let value = record.values.to_wire(index, field, &pack.formats)?;
                Some((field.name.to_string(), value.into_owned()))
            })
            .collect(),
    )
}

impl Edit {
    /// The method that asks for it, and what is sent with it.
    fn parts(&self) -> (&'static str, Option<&Map<String, Json>>) {
        match self {
            Edit::Add(fields) => ("POST", Some(fields)),
            Edit::Put(_, fields) => ("PUT", Some(fields)),
            Edit::Patch(_, fields) => ("PATCH", Some(fields)),
            Edit::Delete(_) => ("DELETE", None),
        }
    }

    /// The edit that a log tells of. Nothing where there is no such edit.
    pub(crate) fn of(method: &str, id: &str, body: Option<Json>) -> Option<Self> {
        match (method, body) {
            ("POST", Some(Json::Object(fields))) => Some(Edit::Add(fields)),
            ("PUT", Some(Json::Object(fields))) => Some(Edit::Put(id.to_owned(), fields)),
            ("PATCH", Some(Json::Object(fields))) => Some(Edit::Patch(id.to_owned(), fields)),
            ("DELETE", None) => Some(Edit::Delete(id.to_owned())),
            _ => None,
        }
    }
}

/// Edits one record.
pub(crate) fn edit(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    resource: ResourceId,
    edit: &Edit,
) -> Result<Intervention, StateFault> {
    let (change, id) = change(pack, moment, resource, edit)?;
    let (method, body) = edit.parts();
    let what = Happening::State {
        method,
        pack: Arc::clone(&pack.name),
        resource: Arc::clone(&pack.resource(resource).name),
        id,
        body: body.cloned().map(|fields| JsonText::of(&Json::Object(fields))),
        changes: notes(pack, &change.steps),
    };
    Ok(Intervention { change, what })
}

/// What an edit does, and the record's id.
pub(crate) fn change(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    resource: ResourceId,
    edit: &Edit,
) -> Result<(Change, String), StateFault> {
    let world = moment.world;
    let definition = pack.resource(resource);
    let mut change = Change::default();
    let id = match edit {
        Edit::Add(given) => {
            let values = read(pack, resource, given, vec![None; definition.fields.len()])?;
            let values = complete(pack, moment, resource, values)?;
            let record = world.insert(pack, resource, values).map_err(conflict)?;
            let id = record.text(definition.id).unwrap_or_default();
            change.edits.push(WorldEdit::Put(resource, record));
            change.steps.push(Step { verb: "create", resource, id: id.clone() });
            id
        }
        Edit::Put(id, given) => {
            let mut values = read(pack, resource, given, vec![None; definition.fields.len()])?;
            own_id(pack, resource, id, &mut values)?;
            let values = complete(pack, moment, resource, values)?;
            let (verb, record) = match world.get(resource, id).map(|record| record.sequence) {
                Some(sequence) => ("update", world.update(pack, resource, sequence, values)),
                None => ("create", world.insert(pack, resource, values)),
            };
            change.edits.push(WorldEdit::Put(resource, record.map_err(conflict)?));
            change.steps.push(Step { verb, resource, id: id.clone() });
            id.clone()
        }
        Edit::Patch(id, given) => {
            let record = world.get(resource, id).cloned().ok_or(StateFault::NotFound)?;
            let mut values = read(pack, resource, given, record.values.to_vec())?;
            own_id(pack, resource, id, &mut values)?;
            let values = complete(pack, moment, resource, values)?;
            let record = world.update(pack, resource, record.sequence, values).map_err(conflict)?;
            change.edits.push(WorldEdit::Put(resource, record));
            change.steps.push(Step { verb: "update", resource, id: id.clone() });
            id.clone()
        }
        Edit::Delete(id) => {
            let record = world.get(resource, id).cloned().ok_or(StateFault::NotFound)?;
            world.delete(pack, resource, record.sequence, &mut change);
            id.clone()
        }
    };
    Ok((change, id))
}

fn read(
    pack: &Pack,
    resource: ResourceId,
    given: &Map<String, Json>,
    mut values: Vec<Option<Json>>,
) -> Result<Vec<Option<Json>>, StateFault> {
    let definition = pack.resource(resource);
    for (name, value) in given {
        let Some((index, field)) = definition.field(name) else {
            let meant = nearest(name, definition.fields.iter().map(|field| &*field.name));
            let meant = meant.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default();
            return Err(StateFault::Invalid(format!("a `{}` has no field `{name}`{meant}", definition.name)));
        };
        if value.is_null() && index == definition.id {
            return Err(StateFault::Invalid(format!("`{name}` is the id and cannot be null")));
        }
        if value.is_null() && field.optional {
            values[index] = None;
            continue;
        }
        values[index] = Some(field.from_wire(value, &pack.formats, 0).map_err(StateFault::Invalid)?);
    }
    Ok(values)
}

fn own_id(pack: &Pack, resource: ResourceId, id: &str, values: &mut [Option<Json>]) -> Result<(), StateFault> {
    let definition = pack.resource(resource);
    match &values[definition.id] {
        None => {
            let value = match definition.id_field().sort {
                Sort::Integer => id.parse::<i64>().map(Json::from).ok(),
                _ => Some(Json::from(id)),
            };
            let value =
                value.ok_or_else(|| StateFault::Invalid(format!("`{id}` is not an id of a `{}`", definition.name)))?;
            definition.id_field().check(&value).map_err(StateFault::Invalid)?;
            values[definition.id] = Some(value);
            Ok(())
        }
        Some(value) if spelled(value) == id => Ok(()),
        Some(_) => Err(StateFault::Invalid(format!("the id in the path is `{id}`, the one in the record is another"))),
    }
}

fn complete(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    resource: ResourceId,
    mut values: Vec<Option<Json>>,
) -> Result<Vec<Option<Json>>, StateFault> {
    let definition = pack.resource(resource);
    let slot = |name: &str| format!("{}.{name}", definition.name);
    if values[definition.id].is_none() {
        values[definition.id] = match definition.id_field().sort {
            Sort::Uuid => Some(Json::from(moment.draws.uuid(&slot(&definition.id_field().name), 0))),
            Sort::Integer => Some(Json::from(moment.world.next_integer(resource))),
            _ => None,
        };
    }
    let mut scope = scope::world(pack, moment, &Visibility::default());
    for (index, field) in definition.fields.iter().enumerate() {
        if values[index].is_some() || field.optional && field.default.is_none() {
            continue;
        }
        scope.bind("record", draft(pack, resource, &values));
        let value = match &field.default {
            Some(Shape::Literal(value)) => Some(value.clone()),
            Some(Shape::Value { expr, .. }) => pack
                .program
                .eval(*expr, &scope, &slot(&field.name))
                .map_err(|fault| {
                    StateFault::Invalid(format!("`{}` is missing, and its default fails: {fault}", field.name))
                })?
                .to_json(),
            _ => None,
        };
        match value {
            Some(value) => values[index] = Some(value),
            None if field.optional => {}
            None => return Err(StateFault::Invalid(format!("`{}` is missing", field.name))),
        }
    }
    owned(pack, moment, resource, &values)?;
    Ok(values)
}

/// A record whose owner does not exist would belong to nobody: no caller could ever see it.
fn owned(pack: &Pack, moment: &Moment<'_>, resource: ResourceId, values: &[Option<Json>]) -> Result<(), StateFault> {
    let definition = pack.resource(resource);
    let Some(owner) = definition.owner else { return Ok(()) };
    let id = match &values[owner.field] {
        Some(Json::String(id)) => id.clone(),
        Some(Json::Null) | None => return Ok(()),
        Some(id) => id.to_string(),
    };
    match moment.world.get(owner.resource, &id) {
        Some(_) => Ok(()),
        None => {
            let (field, owner) = (&definition.fields[owner.field].name, &pack.resource(owner.resource).name);
            Err(StateFault::Invalid(format!("`{field}`: there is no `{owner}` with the id `{id}`")))
        }
    }
}

fn conflict(conflict: Conflict) -> StateFault {
    match conflict {
        Conflict::Id(id) => StateFault::Conflict(format!("there is a record with the id `{id}`")),
        Conflict::Unique { with, .. } => {
            StateFault::Conflict(format!("the record `{with}` has the same values where they must be unique"))
        }
        Conflict::Fault(fault) => StateFault::Invalid(fault.to_string()),
    }
}

//! Records of one pack made again for another of its name.
//!
//! A record knows its fields by number and what it has proved by the pack's checks, so it is made anew when its pack
//! changes. What the new pack has no place for is kept aside in the world, and tried again whenever the pack changes: a
//! half-finished edit that a good one follows loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::fields::Fields;
use super::view::RecordView;
use super::world::{Conflict, Record, World};
use crate::clock::Format;
use crate::diagnostic::shortened;
use crate::expr::{Draws, Scope, Value as Expression};
use crate::journal::{Misfit, Part};
use crate::pack::{Field, Pack, Resource, ResourceId, Sort, Unique};

/// How much of a reason is kept: it may quote a value.
const LONGEST_REASON: usize = 200;

/// What a world's pack has no place for.
#[derive(Debug, Clone, Default)]
pub(super) struct Aside {
    /// Whole records, in the order in which they were put aside.
    records: Vec<Laid>,
    /// Fields of records that are there, without the rest of these.
    fields: Vec<Laid>,
    /// What the next records of resources that are gone are numbered by.
    counters: BTreeMap<Arc<str>, (u64, i64)>,
}

/// A record, or a part of one.
#[derive(Debug, Clone)]
struct Laid {
    resource: Arc<str>,
    sequence: u64,
    /// Empty where there is none.
    id: String,
    secret: bool,
    fields: BTreeMap<Arc<str>, Kept>,
    /// Fields that it could have and has not.
    absent: BTreeSet<Arc<str>>,
    reason: String,
}

/// A value of a field that may be read otherwise later.
#[derive(Debug, Clone)]
struct Kept {
    sort: Sort,
    /// As it was kept, and as the wire spelled it.
    value: Value,
    wire: Value,
    secret: bool,
}

impl Aside {
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.fields.is_empty() && self.counters.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.records.len() + self.fields.iter().map(|laid| laid.fields.len()).sum::<usize>()
    }

    /// What it has, records first.
    pub(super) fn misfits(&self) -> impl Iterator<Item = Misfit> {
        let record = |laid: &Laid, field: Option<&Arc<str>>| Misfit {
            what: Part::Record {
                resource: Arc::clone(&laid.resource),
                id: laid.id.clone(),
                secret: laid.secret,
                field: field.cloned(),
            },
            reason: laid.reason.clone(),
        };
        let records = self.records.iter().map(move |laid| record(laid, None));
        let fields = self.fields.iter();
        records.chain(fields.flat_map(move |laid| laid.fields.keys().map(move |name| record(laid, Some(name)))))
    }
}

impl Laid {
    /// All that a record has.
    fn of(pack: &Pack, resource: &Resource, record: &Record) -> Self {
        let values = resource.fields.iter().zip(record.values.to_vec());
        let fields = values.filter_map(|(field, value)| {
            let value = value?;
            let wire = field.to_wire(&value, &pack.formats).into_owned();
            Some((Arc::clone(&field.name), Kept { sort: field.sort, value, wire, secret: field.secret }))
        });
        let absent = resource.fields.iter().enumerate().filter(|(index, _)| !record.values.has(*index));
        Laid {
            resource: Arc::clone(&resource.name),
            sequence: record.sequence,
            id: record.text(resource.id).unwrap_or_default(),
            secret: resource.id_field().secret,
            fields: fields.collect(),
            absent: absent.map(|(_, field)| Arc::clone(&field.name)).collect(),
            reason: String::new(),
        }
    }
}

impl Kept {
    /// The value as another field would keep it. The error says why it cannot, and quotes no secret.
    fn read(&self, field: &Field, formats: &[Format]) -> Result<Value, String> {
        let read = match self.sort == field.sort {
            true => field.keep(self.value.clone()),
            false => field.from_wire(&self.wire, formats, 0),
        };
        read.map_err(|why| match self.secret || field.secret {
            true => format!("`{}` is of type {}, and its value is not", field.name, field.sort.name()),
            false => shortened(&why, LONGEST_REASON),
        })
    }
}

/// Whether records of `old` are, as they are, those of `new`: what they are kept and found by is the same, and so is all
/// that they remember, which is how the wire spells them, how shapes show them and which checks
/// they have passed.
pub(super) fn keeps_alike(old: &Pack, new: &Pack) -> bool {
    let field = |(old, new): (&Field, &Field)| {
        (&old.name, old.sort, old.format, old.optional, old.secret, old.internal)
            == (&new.name, new.sort, new.format, new.optional, new.secret, new.internal)
    };
    // What only some records must not share, an expression says, and that may rest on anything.
    let unique = |(old, new): (&Unique, &Unique)| {
        (&old.fields, old.ignore_case, old.only.or(new.only)) == (&new.fields, new.ignore_case, None)
    };
    let owner = |resource: &Resource| resource.owner.map(|owner| (owner.field, owner.resource));
    let resource = |(old, new): (&Resource, &Resource)| {
        (&old.name, old.id, owner(old), &old.lookups) == (&new.name, new.id, owner(new), &new.lookups)
            && all_alike(&old.fields, &new.fields, field)
            && all_alike(&old.unique, &new.unique, unique)
    };
    let schemas = |pack: &Pack| -> Vec<(String, String)> {
        pack.digests.iter().filter(|(path, _)| path.starts_with("schemas/")).cloned().collect()
    };
    old.formats == new.formats
        && old.checks == new.checks
        && old.renderings == new.renderings
        && schemas(old) == schemas(new)
        && all_alike(&old.resources, &new.resources, resource)
}

fn all_alike<T>(old: &[T], new: &[T], alike: impl Fn((&T, &T)) -> bool) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(alike)
}

/// The records of a world of `old` as `new` has them. What is missing in one comes from the seed record with its id, or
/// from the field's default.
pub(super) fn refit(old: &Pack, new: &Arc<Pack>, world: &World, seeds: &World, seed: u64) -> World {
    let mut work = Work { pack: new, seeds, seed, world: World::empty(new), aside: Aside::default() };
    let before = world.aside().cloned().unwrap_or_default();
    let mut parts: BTreeMap<(Arc<str>, u64), BTreeMap<Arc<str>, Kept>> =
        before.fields.into_iter().map(|laid| ((laid.resource, laid.sequence), laid.fields)).collect();
    let mut counters = before.counters;
    for (number, resource) in old.resources.iter().enumerate() {
        let id = ResourceId(number);
        counters.insert(Arc::clone(&resource.name), world.counters(id));
        for record in world.sequences(id, None).iter().filter_map(|sequence| world.at(id, *sequence)) {
            let mut laid = Laid::of(old, resource, record);
            laid.fields.extend(parts.remove(&(Arc::clone(&laid.resource), laid.sequence)).into_iter().flatten());
            work.place(laid);
        }
    }
    // Those that are there come first: what was put aside before contradicts them, and not they it.
    before.records.into_iter().for_each(|laid| work.place(laid));
    for (name, (sequence, integer)) in counters {
        match new.resource_named(&name) {
            Some(resource) => {
                let (placed, next) = work.world.counters(resource);
                work.world.set_counters(resource, (sequence.max(placed), integer.max(next)));
            }
            None => {
                work.aside.counters.insert(name, (sequence, integer));
            }
        }
    }
    if !work.aside.is_empty() {
        work.world.set_aside(work.aside);
    }
    work.world
}

struct Work<'w> {
    pack: &'w Arc<Pack>,
    seeds: &'w World,
    seed: u64,
    world: World,
    aside: Aside,
}

impl Work<'_> {
    /// Puts a record where it belongs: into the world as far as it fits, and aside.
    fn place(&mut self, mut laid: Laid) {
        let placed = match self.pack.resource_named(&laid.resource) {
            Some(resource) => self.values(resource, &laid).and_then(|values| {
                let put = self.world.put_back(self.pack, resource, laid.sequence, values);
                put.map(|()| resource).map_err(|conflict| told(&conflict, laid.secret))
            }),
            None => Err(format!("the pack `{}` has no resource `{}`", self.pack.name, laid.resource)),
        };
        match placed {
            Ok(resource) => {
                let resource = self.pack.resource(resource);
                laid.fields.retain(|name, _| resource.field(name).is_none());
                if !laid.fields.is_empty() {
                    laid.reason = format!("`{}` has no such field", laid.resource);
                    self.aside.fields.push(laid);
                }
            }
            Err(reason) => self.aside.records.push(Laid { reason, ..laid }),
        }
    }

    fn values(&self, resource: ResourceId, laid: &Laid) -> Result<Vec<Option<Value>>, String> {
        let definition = self.pack.resource(resource);
        let mut values = Vec::with_capacity(definition.fields.len());
        for field in &definition.fields {
            let kept = laid.fields.get(&*field.name);
            values.push(kept.map(|kept| kept.read(field, &self.pack.formats)).transpose()?);
        }
        let id = Record::draft(Fields::of(&values)).text(definition.id);
        let seeded = id.and_then(|id| self.seeds.get(resource, &id));
        for (index, field) in definition.fields.iter().enumerate() {
            if values[index].is_some() || field.optional && laid.absent.contains(&field.name) {
                continue;
            }
            if let Some(value) = seeded.and_then(|seeded| seeded.values.get(index)) {
                values[index] = Some(value.into_owned());
            } else if let Some(default) = &field.default {
                // A draw of its own for each record, before everything that can happen.
                let mut scope = Scope::new(Draws::new(self.seed, u64::MAX - 1 - laid.sequence));
                scope.bind(
                    "record",
                    RecordView::value(self.pack, resource, Arc::new(Record::draft(Fields::of(&values)))),
                );
                scope.bind("tables", Expression::json(&self.pack.tables));
                let made = super::view::default_value(self.pack, default, &scope, definition, index);
                values[index] = made.map_err(|conflict| told(&conflict, laid.secret))?;
            } else if !field.optional {
                return Err(format!("`{}` is missing, and has no default", field.name));
            }
        }
        match values[definition.id] {
            None | Some(Value::Null) => Err(format!("`{}`, its id, is missing", definition.id_field().name)),
            Some(_) => Ok(values),
        }
    }
}

/// Why a record cannot stand beside the others, in words.
fn told(conflict: &Conflict, secret: bool) -> String {
    let words = match conflict {
        Conflict::Id(_) => "another record has its id".to_owned(),
        Conflict::Unique { .. } if secret => {
            "another record has the same values, which the pack says are unique".to_owned()
        }
        Conflict::Unique { with, .. } => format!("`{with}` has the same values, which the pack says are unique"),
        Conflict::Fault(fault) => fault.to_string(),
    };
    shortened(&words, LONGEST_REASON)
}

//! Records as expressions see them.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::numbers::Numbers;
use super::wire::Wire;
use super::world::{Conflict, Record, World};
use crate::expr::{EvalFault, Scope, Source, Value};
use crate::pack::{Pack, Resource, ResourceId, Shape};

/// A record with the names of its fields.
#[derive(Clone)]
pub(crate) struct RecordView {
    pub(crate) pack: Arc<Pack>,
    pub(crate) resource: ResourceId,
    pub(crate) record: Arc<Record>,
}

impl RecordView {
    pub(crate) fn value(pack: &Arc<Pack>, resource: ResourceId, record: Arc<Record>) -> Value {
        Value::source(Arc::new(RecordView { pack: Arc::clone(pack), resource, record }))
    }
}

/// A record as it is written, in the hands of somebody else.
#[derive(Clone, Copy)]
pub(crate) struct RecordRef<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) resource: ResourceId,
    pub(crate) record: &'a Record,
}

impl<'a> RecordRef<'a> {
    /// A field as JSON, in the bytes that the wire has. Made once for each record.
    pub(crate) fn wire(self, field: usize) -> Option<&'a [u8]> {
        let wire = self.record.wire.get_or_init(|| {
            let (fields, values) = (&self.pack.resource(self.resource).fields, &self.record.values);
            Wire::new(fields.len(), |index, to| values.write(index, &fields[index], &self.pack.formats, to))
        });
        wire.get(field)
    }
}

impl RecordView {
    pub(crate) fn lend(&self) -> RecordRef<'_> {
        RecordRef { pack: &self.pack, resource: self.resource, record: &self.record }
    }
}

impl fmt::Debug for RecordView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Record").field(&self.record.sequence).finish()
    }
}

impl Source for RecordView {
    fn get(&self, name: &str) -> Option<Value> {
        let (index, _) = self.pack.resource(self.resource).field(name)?;
        self.record.values.expression(index)
    }

    fn names(&self) -> Vec<String> {
        let fields = self.pack.resource(self.resource).fields.iter().enumerate();
        fields.filter(|(index, _)| self.record.values.has(*index)).map(|(_, field)| field.name.to_string()).collect()
    }
}

/// Records of one resource in an order that someone chose.
pub(crate) struct RecordList {
    pub(crate) pack: Arc<Pack>,
    pub(crate) resource: ResourceId,
    pub(crate) records: Vec<Arc<Record>>,
}

impl fmt::Debug for RecordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecordList").field(&self.records.len()).finish()
    }
}

impl Source for RecordList {
    fn get(&self, _: &str) -> Option<Value> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn len(&self) -> usize {
        self.records.len()
    }

    fn items(&self) -> Option<Vec<Value>> {
        let value = |record: &Arc<Record>| RecordView::value(&self.pack, self.resource, Arc::clone(record));
        Some(self.records.iter().map(value).collect())
    }
}

/// Who is calling, and so which records exist for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visibility(Vec<(ResourceId, String)>);

impl Visibility {
    pub(crate) fn add(&mut self, resource: ResourceId, id: String) {
        self.0.push((resource, id));
    }

    /// Whether nobody in particular looks, so that everything is seen.
    pub(crate) fn is_everyone(&self) -> bool {
        self.0.is_empty()
    }

    /// The caller's own id, when callers of this resource are known.
    pub(crate) fn own(&self, resource: ResourceId) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == resource).map(|(_, id)| id.as_str())
    }

    /// Whether a record belongs to the caller, directly or through its owners.
    pub(crate) fn sees(&self, pack: &Pack, world: &World, resource: ResourceId, record: &Record) -> bool {
        let Some(owner) = pack.resource(resource).owner else { return true };
        let Some(id) = record.text(owner.field) else { return self.0.is_empty() };
        if let Some(own) = self.own(owner.resource) {
            return own == id;
        }
        world.get(owner.resource, &id).is_some_and(|record| self.sees(pack, world, owner.resource, record))
    }

    /// The caller's records of a resource, in the order of their creation.
    pub(crate) fn sequences(&self, pack: &Pack, world: &World, resource: ResourceId) -> Numbers {
        match pack.resource(resource).owner {
            None => world.sequences(resource, None),
            Some(owner) => match self.own(owner.resource) {
                Some(id) => world.sequences(resource, Some(id)),
                None if self.0.is_empty() => world.sequences(resource, None),
                // Down from the owners that are seen, so that what others have costs nothing.
                None => {
                    let field = pack.resource(owner.resource).id;
                    let owners = self.sequences(pack, world, owner.resource);
                    let ids = owners.iter().filter_map(|sequence| world.at(owner.resource, *sequence)?.text(field));
                    let mut owned = Vec::new();
                    ids.for_each(|id| owned.extend(world.sequences(resource, Some(&id)).iter().copied()));
                    owned.sort_unstable();
                    owned.into_iter().collect()
                }
            },
        }
    }
}

/// `records`: the caller's records by resource.
#[derive(Clone)]
pub(crate) struct RecordsRoot {
    pub(crate) pack: Arc<Pack>,
    pub(crate) world: World,
    pub(crate) visibility: Visibility,
}

impl fmt::Debug for RecordsRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}

impl Source for RecordsRoot {
    fn get(&self, name: &str) -> Option<Value> {
        let resource = self.pack.resource_named(name)?;
        Some(Value::source(Arc::new(Records { root: self.clone(), resource })))
    }

    fn names(&self) -> Vec<String> {
        self.pack.resources.iter().map(|resource| resource.name.to_string()).collect()
    }
}

/// `records.<resource>`: by id.
#[derive(Debug)]
struct Records {
    root: RecordsRoot,
    resource: ResourceId,
}

impl Source for Records {
    fn get(&self, id: &str) -> Option<Value> {
        let RecordsRoot { pack, world, visibility } = &self.root;
        let record = world.get(self.resource, id)?;
        visibility
            .sees(pack, world, self.resource, record)
            .then(|| RecordView::value(pack, self.resource, Arc::clone(record)))
    }

    fn names(&self) -> Vec<String> {
        let RecordsRoot { pack, world, visibility } = &self.root;
        let id = pack.resource(self.resource).id;
        let sequences = visibility.sequences(pack, world, self.resource);
        sequences.iter().filter_map(|sequence| world.at(self.resource, *sequence)?.text(id)).collect()
    }

    fn len(&self) -> usize {
        self.root.visibility.sequences(&self.root.pack, &self.root.world, self.resource).len()
    }
}

/// What a field's default yields, as the field keeps it.
pub(super) fn default_value(
    pack: &Pack,
    default: &Shape,
    scope: &Scope,
    resource: &Resource,
    field: usize,
) -> Result<Option<Json>, Conflict> {
    let fault = |message: String| {
        Conflict::Fault(EvalFault {
            expression: format!("default of {}.{}", resource.name, resource.fields[field].name),
            message,
        })
    };
    let value = match default {
        Shape::Literal(value) => value.clone(),
        Shape::Value { expr, .. } => {
            let slot = format!("{}.{}", resource.name, resource.fields[field].name);
            let value = pack.program.eval(*expr, scope, &slot).map_err(Conflict::Fault)?;
            match value.to_json() {
                Some(value) => value,
                None if resource.fields[field].optional => return Ok(None),
                None => return Err(fault("it is undefined".to_owned())),
            }
        }
        _ => return Err(fault("a default is an expression or a literal".to_owned())),
    };
    resource.fields[field].keep(value).map(Some).map_err(fault)
}

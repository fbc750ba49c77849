use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use imbl::{HashMap, OrdMap};
use serde_json::Value;

use super::controls::Controls;
use super::fields::Fields;
use super::numbers::Numbers;
use super::outbox::Draft;
use super::refit::Aside;
use super::view::RecordView;
use super::wire::{Rendered, Wire};
use crate::expr::{Draws, EvalFault, Scope, Value as Expression};
use crate::journal::Misfit;
use crate::pack::{ErrorId, Pack, ResourceId};

/// One object that an API keeps.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Rises with every record of its resource: the order of creation.
    pub(crate) sequence: u64,
    /// By field, as kept: timestamps in microseconds.
    pub(crate) values: Fields,
    /// The text that each uniqueness of the resource compares; `None` where the record does not count.
    unique: Box<[Option<Arc<str>>]>,
    /// The fields as the wire has them, made when first shown.
    pub(super) wire: OnceLock<Wire>,
    /// As the first shape that could be kept has shown it.
    rendered: OnceLock<Rendered>,
    /// Which checks of single fields this record has passed, by their numbers. A record never changes, so once is enough.
    proved: Marks,
}

/// A set of small numbers that only grows.
#[derive(Debug, Default)]
struct Marks(AtomicU64);

impl Clone for Marks {
    fn clone(&self) -> Self {
        Marks(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl Record {
    /// Whether the check with this number was passed before.
    pub(crate) fn is_proved(&self, check: u8) -> bool {
        self.proved.0.load(Ordering::Relaxed) & (1 << check) != 0
    }

    pub(crate) fn set_proved(&self, check: u8) {
        self.proved.0.fetch_or(1 << check, Ordering::Relaxed);
    }

    /// The record as this shape shows it, when that is known.
    pub(crate) fn rendered(&self, number: u16) -> Option<&[u8]> {
        self.rendered.get().filter(|known| known.number == number).map(|known| &*known.bytes)
    }

    /// Keeps how this shape shows the record, unless another one is kept.
    pub(crate) fn set_rendered(&self, number: u16, bytes: &[u8]) {
        self.rendered.get_or_init(|| Rendered { number, bytes: bytes.into() });
    }

    /// A record that is not in a world yet.
    pub(crate) fn draft(values: Fields) -> Self {
        Record {
            sequence: 0,
            values,
            unique: Box::default(),
            wire: OnceLock::new(),
            rendered: OnceLock::new(),
            proved: Marks::default(),
        }
    }

    /// The text of a field's value, as ids and look-ups compare it.
    pub(crate) fn text(&self, field: usize) -> Option<String> {
        self.values.text(field)
    }

    /// About how many bytes keeping it costs, without indexes.
    pub(super) fn size(&self) -> usize {
        size_of::<Record>() + self.values.size()
    }
}

/// From a text to the records that have it. Copying an entry copies no text and no list.
type Index = HashMap<Arc<str>, Postings>;

/// The records with one text, in the order of their creation. Most texts have one.
#[derive(Debug, Clone)]
enum Postings {
    One(u64),
    Many(Arc<Numbers>),
}

impl Postings {
    /// One that is not `own`.
    fn other(&self, own: Option<u64>) -> Option<u64> {
        match self {
            Postings::One(sequence) => Some(*sequence).filter(|sequence| Some(*sequence) != own),
            Postings::Many(sequences) => sequences.iter().copied().find(|sequence| Some(*sequence) != own),
        }
    }

    fn all(&self) -> Numbers {
        match self {
            Postings::One(sequence) => Numbers::from_iter([*sequence]),
            Postings::Many(sequences) => (**sequences).clone(),
        }
    }
}

/// The records of one resource with their indexes. All of it shares structure when it is copied.
#[derive(Debug, Clone, Default)]
struct Table {
    records: OrdMap<u64, Arc<Record>>,
    all: Numbers,
    ids: HashMap<Arc<str>, u64>,
    owners: Index,
    lookups: Vec<Index>,
    unique: Vec<Index>,
    sequence: u64,
    next_integer: i64,
}

/// All records of one pack. Copying it costs the same for ten records and for a million.
#[derive(Debug, Clone)]
pub(crate) struct World(Arc<Records>);

#[derive(Debug, Clone)]
struct Records {
    /// By resource.
    tables: Vec<Table>,
    /// What the pack has no place for; none as long as it has one for everything.
    aside: Option<Arc<Aside>>,
}

/// What one exchange, event or control call does to a world.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) edits: Vec<WorldEdit>,
    pub(crate) steps: Vec<Step>,
    /// What tests ask of the sandbox from then on, where that changes.
    pub(crate) controls: Option<Controls>,
    /// What is told to others.
    pub(crate) deliveries: Vec<Draft>,
}

impl Change {
    /// The ids of what is told to others.
    pub(crate) fn delivery_ids(&self) -> Vec<Arc<str>> {
        self.deliveries.iter().map(|draft| Arc::clone(&draft.id)).collect()
    }

    /// What tests ask of the sandbox from then on, to be changed; where nothing has changed it yet, what they ask now.
    pub(crate) fn controls(&mut self, now: &Controls) -> &mut Controls {
        self.controls.get_or_insert_with(|| now.clone())
    }
}

/// One record put or taken away. Prepared against one world, applied to that world.
#[derive(Debug, Clone)]
pub(crate) enum WorldEdit {
    /// A new record, or a record in the place of the one with its sequence number.
    Put(ResourceId, Arc<Record>),
    Delete(ResourceId, u64),
}

/// What was there before an edit.
#[derive(Debug, Clone)]
pub(crate) struct Undo {
    pub(super) resource: ResourceId,
    sequence: u64,
    /// The record with this sequence number; none where the edit made it.
    pub(super) before: Option<Arc<Record>>,
    counters: (u64, i64),
}

impl Undo {
    /// The number that the record has in its resource, whatever becomes of it.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// What became of one record.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) verb: &'static str,
    pub(crate) resource: ResourceId,
    pub(crate) id: String,
}

/// Why a record cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// Another record has the same id.
    Id(String),
    /// Another record has the same values where the pack says they are unique.
    Unique {
        error: ErrorId,
        at: crate::diagnostic::Location,
        with: String,
    },
    Fault(EvalFault),
}

/// The position in a log that nothing has: what seed records draw is drawn before everything.
const BEFORE_ALL: u64 = u64::MAX;

impl World {
    pub(crate) fn empty(pack: &Pack) -> Self {
        let table = |resource: &crate::pack::Resource| Table {
            lookups: vec![Index::new(); resource.lookups.len()],
            unique: vec![Index::new(); resource.unique.len()],
            next_integer: 1,
            ..Table::default()
        };
        World(Arc::new(Records { tables: pack.resources.iter().map(table).collect(), aside: None }))
    }

    /// The world that a sandbox starts with, its instants `shift` microseconds after the documented ones.
    pub(crate) fn seeded(pack: &Arc<Pack>, shift: i64, chance: u64) -> Result<Self, Conflict> {
        let mut world = World::empty(pack);
        for seed in &pack.seeds {
            let resource = pack.resource(seed.resource);
            let mut values = Vec::with_capacity(resource.fields.len());
            for (field, value) in resource.fields.iter().zip(&seed.values) {
                // What the pack's reading found good stays good.
                values.push(value.as_ref().and_then(|value| field.from_wire(value, &pack.formats, shift).ok()));
            }
            for index in 0..values.len() {
                if values[index].is_none()
                    && let Some(default) = &resource.fields[index].default
                {
                    let record = Arc::new(Record::draft(Fields::of(&values)));
                    let mut scope = Scope::new(Draws::new(chance, BEFORE_ALL));
                    scope.bind("record", RecordView::value(pack, seed.resource, record));
                    scope.bind("tables", Expression::json(&pack.tables));
                    values[index] = super::view::default_value(pack, default, &scope, resource, index)?;
                }
            }
            let record = world.insert(pack, seed.resource, values)?;
            world.apply(pack, &WorldEdit::Put(seed.resource, record));
        }
        Ok(world)
    }

    /// Whether this is the same copy, and not only equal.
    pub(crate) fn is(&self, other: &World) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What the next records of a resource are numbered by: their order, and integer ids.
    pub(super) fn counters(&self, resource: ResourceId) -> (u64, i64) {
        let table = self.table(resource);
        (table.sequence, table.next_integer)
    }

    /// A record at a place in the order, in a world that has none there. The counters go on from what they were.
    pub(super) fn put_back(
        &mut self,
        pack: &Arc<Pack>,
        resource: ResourceId,
        sequence: u64,
        values: Vec<Option<Value>>,
    ) -> Result<(), Conflict> {
        let record = self.prepare(pack, resource, values, sequence, None)?;
        self.apply(pack, &WorldEdit::Put(resource, record));
        Ok(())
    }

    pub(super) fn set_counters(&mut self, resource: ResourceId, (sequence, next_integer): (u64, i64)) {
        let table = self.table_mut(resource);
        (table.sequence, table.next_integer) = (sequence, next_integer);
    }

    fn table(&self, resource: ResourceId) -> &Table {
        &self.0.tables[resource.0]
    }

    fn table_mut(&mut self, resource: ResourceId) -> &mut Table {
        &mut Arc::make_mut(&mut self.0).tables[resource.0]
    }

    pub(super) fn aside(&self) -> Option<&Aside> {
        self.0.aside.as_deref()
    }

    pub(super) fn set_aside(&mut self, aside: Aside) {
        Arc::make_mut(&mut self.0).aside = Some(Arc::new(aside));
    }

    /// What of it the pack has no place for, and how much that is.
    pub(crate) fn misfits(&self) -> (usize, impl Iterator<Item = Misfit>) {
        (self.aside().map_or(0, Aside::len), self.aside().into_iter().flat_map(Aside::misfits))
    }

    // ---- reading

    pub(crate) fn get(&self, resource: ResourceId, id: &str) -> Option<&Arc<Record>> {
        let table = self.table(resource);
        table.records.get(table.ids.get(id)?)
    }

    /// The records whose look-up field has this text, the first created first. `index` is the field's place among the
    /// look-ups.
    pub(crate) fn lookup(&self, resource: ResourceId, index: usize, text: &str) -> impl Iterator<Item = &Arc<Record>> {
        let table = self.table(resource);
        let found = table.lookups.get(index).and_then(|index| index.get(text));
        let (one, many) = match found {
            None => (None, None),
            Some(Postings::One(sequence)) => (Some(sequence), None),
            Some(Postings::Many(sequences)) => (None, Some(sequences.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten()).filter_map(|sequence| table.records.get(sequence))
    }

    /// The records of an owner, or all, as their order of creation has them.
    pub(crate) fn sequences(&self, resource: ResourceId, owner: Option<&str>) -> Numbers {
        let table = self.table(resource);
        match owner {
            None => table.all.clone(),
            Some(owner) => table.owners.get(owner).map(Postings::all).unwrap_or_default(),
        }
    }

    pub(crate) fn at(&self, resource: ResourceId, sequence: u64) -> Option<&Arc<Record>> {
        self.table(resource).records.get(&sequence)
    }

    /// The records with these numbers, which rise. Where they are many of all, the table is walked along and not looked into
    /// for each.
    pub(crate) fn each<'w>(
        &'w self,
        resource: ResourceId,
        sequences: &'w Numbers,
    ) -> impl Iterator<Item = &'w Arc<Record>> {
        let records = &self.table(resource).records;
        let mut walk = (sequences.len() > records.len() / 8).then(|| records.iter().peekable());
        sequences.iter().filter_map(move |sequence| match &mut walk {
            None => records.get(sequence),
            Some(walk) => {
                while walk.next_if(|(known, _)| *known < sequence).is_some() {}
                walk.next_if(|(known, _)| *known == sequence).map(|(_, record)| record)
            }
        })
    }

    /// The id that the next record with an integer id gets.
    pub(crate) fn next_integer(&self, resource: ResourceId) -> i64 {
        self.table(resource).next_integer
    }

    // ---- writing

    /// A new record, if it contradicts no other. Its id must be among the values. Nothing changes yet.
    pub(crate) fn insert(
        &self,
        pack: &Arc<Pack>,
        resource: ResourceId,
        values: Vec<Option<Value>>,
    ) -> Result<Arc<Record>, Conflict> {
        self.prepare(pack, resource, values, self.table(resource).sequence, None)
    }

    /// New values for a record, if they contradict no other. Nothing changes yet.
    pub(crate) fn update(
        &self,
        pack: &Arc<Pack>,
        resource: ResourceId,
        sequence: u64,
        values: Vec<Option<Value>>,
    ) -> Result<Arc<Record>, Conflict> {
        self.prepare(pack, resource, values, sequence, Some(sequence))
    }

    /// What goes with a record: all that it owns, then itself. Nothing changes yet.
    pub(crate) fn delete(&self, pack: &Arc<Pack>, resource: ResourceId, sequence: u64, change: &mut Change) {
        let Some(record) = self.at(resource, sequence) else { return };
        let id = record.text(pack.resource(resource).id).unwrap_or_default();
        for (index, owned) in pack.resources.iter().enumerate() {
            if owned.owner.is_some_and(|owner| owner.resource == resource) {
                for sequence in self.sequences(ResourceId(index), Some(&id)).iter() {
                    self.delete(pack, ResourceId(index), *sequence, change);
                }
            }
        }
        change.edits.push(WorldEdit::Delete(resource, sequence));
        change.steps.push(Step { verb: "delete", resource, id });
    }

    /// Performs an edit that was prepared against this world. Where nobody else holds the world, it is done in place.
    pub(crate) fn apply(&mut self, pack: &Pack, edit: &WorldEdit) -> Undo {
        let (resource, sequence, record) = match edit {
            WorldEdit::Put(resource, record) => (*resource, record.sequence, Some(record)),
            WorldEdit::Delete(resource, sequence) => (*resource, *sequence, None),
        };
        let counters = self.counters(resource);
        let before = self.replace(pack, resource, sequence, record);
        if record.is_some() {
            let table = self.table_mut(resource);
            table.sequence = table.sequence.max(sequence + 1);
        }
        Undo { resource, sequence, before, counters }
    }

    /// Takes back an edit. All later ones were taken back before.
    pub(super) fn undo(&mut self, pack: &Pack, undo: &Undo) {
        self.replace(pack, undo.resource, undo.sequence, undo.before.as_ref());
        self.set_counters(undo.resource, undo.counters);
    }

    /// Puts a record, or none, in the place of the one with a sequence number, which is given back.
    fn replace(
        &mut self,
        pack: &Pack,
        resource: ResourceId,
        sequence: u64,
        record: Option<&Arc<Record>>,
    ) -> Option<Arc<Record>> {
        let before = self.at(resource, sequence).cloned();
        self.index(pack, resource, before.as_deref(), record.map(|record| &**record));
        let table = self.table_mut(resource);
        match (&before, record) {
            (None, Some(_)) => table.all.put(sequence),
            (Some(_), None) => table.all.take(sequence),
            (Some(_), Some(_)) | (None, None) => {}
        }
        match record {
            Some(record) => {
                table.records.insert(sequence, Arc::clone(record));
            }
            None => {
                table.records.remove(&sequence);
            }
        }
        before
    }

    /// This world after a change; this one stays as it is.
    pub(crate) fn after(&self, pack: &Pack, edits: &[WorldEdit]) -> Self {
        let mut world = self.clone();
        for edit in edits {
            world.apply(pack, edit);
        }
        world
    }

    fn prepare(
        &self,
        pack: &Arc<Pack>,
        resource: ResourceId,
        values: Vec<Option<Value>>,
        sequence: u64,
        own: Option<u64>,
    ) -> Result<Arc<Record>, Conflict> {
        let definition = pack.resource(resource);
        let mut record = Record { sequence, ..Record::draft(Fields::new(values)) };
        let table = self.table(resource);
        let id = record.text(definition.id).unwrap_or_default();
        if table.ids.get(id.as_str()).is_some_and(|other| Some(*other) != own) {
            return Err(Conflict::Id(id));
        }
        let mut keys = Vec::with_capacity(definition.unique.len());
        for (index, unique) in definition.unique.iter().enumerate() {
            let counts = match unique.only {
                None => true,
                Some(only) => {
                    let mut scope = Scope::new(Draws::default());
                    scope.bind("tables", Expression::json(&pack.tables));
                    scope.bind("record", RecordView::value(pack, resource, Arc::new(record.clone())));
                    pack.program.holds(only, &scope).map_err(Conflict::Fault)?
                }
            };
            let parts: Option<Vec<String>> = unique.fields.iter().map(|field| record.text(*field)).collect();
            let key = parts.filter(|_| counts).map(|parts| {
                let key = Value::from(parts).to_string();
                Arc::<str>::from(if unique.ignore_case { key.to_lowercase() } else { key })
            });
            if let Some(key) = &key
                && let Some(taken) = table.unique[index].get(&**key)
                && let Some(other) = taken.other(own)
            {
                let with = self.at(resource, other).and_then(|other| other.text(definition.id)).unwrap_or_default();
                return Err(Conflict::Unique { error: unique.error, at: unique.at.clone(), with });
            }
            keys.push(key);
        }
        record.unique = keys.into();
        Ok(Arc::new(record))
    }

    /// Has the indexes find a record in the place of another with its number, or of none. What both have alike is left
    /// as it is, so that an update costs what it changes.
    fn index(&mut self, pack: &Pack, resource: ResourceId, before: Option<&Record>, after: Option<&Record>) {
        let definition = pack.resource(resource);
        let table = self.table_mut(resource);
        let Some(sequence) = after.or(before).map(|record| record.sequence) else { return };
        let is_kept =
            |field: usize| before.zip(after).is_some_and(|(before, after)| before.values.agree(&after.values, field));
        let texts =
            |field: usize| (before.and_then(|record| record.text(field)), after.and_then(|record| record.text(field)));
        if !is_kept(definition.id) {
            let (old, new) = texts(definition.id);
            if let Some(old) = old {
                table.ids.remove(old.as_str());
            }
            if let Some(new) = new {
                table.ids.insert(new.into(), sequence);
            }
            if let Some(number) = after.and_then(|record| record.values.integer(definition.id)) {
                table.next_integer = table.next_integer.max(number.saturating_add(1));
            }
        }
        if let Some(owner) = definition.owner.filter(|owner| !is_kept(owner.field)) {
            let (old, new) = texts(owner.field);
            put_in_place(&mut table.owners, old.as_deref(), new.map(Arc::from), sequence);
        }
        for (index, field) in definition.lookups.iter().enumerate().filter(|(_, field)| !is_kept(**field)) {
            let (old, new) = texts(*field);
            put_in_place(&mut table.lookups[index], old.as_deref(), new.map(Arc::from), sequence);
        }
        for index in 0..definition.unique.len() {
            let key =
                |record: Option<&'_ Record>| record.and_then(|record| record.unique.get(index).cloned().flatten());
            put_in_place(&mut table.unique[index], key(before).as_deref(), key(after), sequence);
        }
    }
}

/// Has an index find a number by another text, or by none.
fn put_in_place(index: &mut Index, old: Option<&str>, new: Option<Arc<str>>, sequence: u64) {
    if old == new.as_deref() {
        return;
    }
    if let Some(old) = old {
        take(index, old, sequence);
    }
    if let Some(new) = new {
        add(index, new, sequence);
    }
}

fn add(index: &mut Index, key: Arc<str>, sequence: u64) {
    match index.get_mut(&key) {
        None => {
            index.insert(key, Postings::One(sequence));
        }
        Some(Postings::One(other)) if *other == sequence => {}
        Some(Postings::Many(list)) => Arc::make_mut(list).put(sequence),
        Some(postings) => {
            let mut list = postings.all();
            list.put(sequence);
            *postings = Postings::Many(Arc::new(list));
        }
    }
}

fn take(index: &mut Index, key: &str, sequence: u64) {
    let empty = match index.get_mut(key) {
        None => false,
        Some(Postings::One(other)) => *other == sequence,
        Some(Postings::Many(sequences)) => {
            let list = Arc::make_mut(sequences);
            list.take(sequence);
            list.is_empty()
        }
    };
    if empty {
        index.remove(key);
    }
}

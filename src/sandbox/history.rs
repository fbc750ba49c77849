//! How the worlds of a sandbox came to be, so that they can be made again as they were before any entry of its log.
//!
//! Every so often all worlds are kept as they are, which costs nothing but the nodes that change later; between two such
//! points the edits are kept. A copy of all of it costs the same however much there is.

use std::sync::Arc;

use imbl::Vector;
use serde_json::Value;

use super::world::{Record, World, WorldEdit};
use crate::clock::{Instant, Mode};
use crate::pack::Pack;

/// After how many edits all worlds are kept. More would make a rewind longer, fewer would make writing dearer: what is
/// kept cannot be changed in place.
const EVERY: usize = 64;

/// So many bytes of records count as one more edit, so that few large ones are not kept for long either.
const HEAVY: usize = 64 << 10;

#[derive(Debug, Clone)]
pub(super) struct History {
    /// The worlds before some entries, oldest first. There is always one.
    points: Vector<Point>,
    /// What entries behind the first point did, oldest first.
    done: Vector<Done>,
    /// How much was done since the last point.
    weight: usize,
}

/// All worlds, as they were before an entry.
#[derive(Debug, Clone)]
struct Point {
    entry: u64,
    past: Past,
}

/// What a sandbox was like at some time.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) worlds: Vec<World>,
    pub(super) now: Instant,
    pub(super) mode: Mode,
}

#[derive(Debug, Clone)]
struct Done {
    entry: u64,
    at: Instant,
    weight: usize,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// Edits of one pack's world.
    Edits(usize, Arc<[WorldEdit]>),
    Clock(Mode),
}

impl History {
    /// The history of a sandbox whose next entry has this number.
    pub(super) fn begin(entry: u64, past: Past) -> Self {
        History { points: Vector::unit(Point { entry, past }), done: Vector::new(), weight: 0 }
    }

    /// Whether it is time to keep all worlds before the next entry.
    pub(super) fn is_due(&self) -> bool {
        self.weight >= EVERY
    }

    pub(super) fn keep(&mut self, entry: u64, past: Past) {
        self.points.push_back(Point { entry, past });
        self.weight = 0;
    }

    /// An entry did these edits, which cost `bytes` to keep.
    pub(super) fn edited(&mut self, entry: u64, at: Instant, pack: usize, edits: Vec<WorldEdit>, bytes: usize) {
        if !edits.is_empty() {
            let weight = edits.len() + bytes / HEAVY;
            self.did(Done { entry, at, weight, what: What::Edits(pack, edits.into()) });
        }
    }

    pub(super) fn clock_set(&mut self, entry: u64, now: Instant, mode: Mode) {
        self.did(Done { entry, at: now, weight: 1, what: What::Clock(mode) });
    }

    fn did(&mut self, done: Done) {
        self.weight += done.weight;
        self.done.push_back(done);
    }

    /// Forgets what is needed for no entry from `first` on. What it frees is given back, to be dropped when nobody waits.
    pub(super) fn forget(&mut self, first: u64) -> Forgotten {
        let mut forgotten = Forgotten::default();
        while self.points.get(1).is_some_and(|second| second.entry <= first) {
            forgotten.points.extend(self.points.pop_front());
        }
        let Some(oldest) = self.points.front().map(|point| point.entry) else { return forgotten };
        while self.done.front().is_some_and(|done| done.entry < oldest) {
            forgotten.done.extend(self.done.pop_front());
        }
        forgotten
    }

    /// What the sandbox was like before an entry; the time is that of the last change before it. Nothing where that is
    /// not known any more.
    pub(super) fn before(&self, entry: u64, packs: &[Arc<Pack>]) -> Option<Past> {
        let point = self.points.iter().rev().find(|point| point.entry <= entry)?;
        let mut past = point.past.clone();
        let first = self.done.binary_search_by_key(&point.entry, |done| done.entry).unwrap_or_else(|place| place);
        for done in self.done.focus().narrow(first..).into_iter().take_while(|done| done.entry < entry) {
            past.now = done.at;
            match &done.what {
                What::Clock(mode) => past.mode = *mode,
                What::Edits(pack, edits) => {
                    for edit in edits.iter() {
                        past.worlds[*pack].apply(&packs[*pack], edit);
                    }
                }
            }
        }
        Some(past)
    }

    /// Forgets what an entry and those behind it did.
    pub(super) fn cut(&mut self, entry: u64) {
        while self.points.len() > 1 && self.points.back().is_some_and(|point| point.entry > entry) {
            self.points.pop_back();
        }
        while self.done.back().is_some_and(|done| done.entry >= entry) {
            self.done.pop_back();
        }
        let since = self.points.back().map_or(0, |point| point.entry);
        self.weight = self.done.iter().rev().take_while(|done| done.entry >= since).map(|done| done.weight).sum();
    }
}

/// What a history does not need any more.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    points: Vec<Point>,
    done: Vec<Done>,
}

/// About how many bytes keeping edits costs.
pub(super) fn size(edits: &[WorldEdit]) -> usize {
    let of = |edit: &WorldEdit| match edit {
        WorldEdit::Put(_, record) => record_size(record),
        WorldEdit::Delete(..) => 0,
    };
    size_of_val(edits) + edits.iter().map(of).sum::<usize>()
}

fn record_size(record: &Record) -> usize {
    size_of::<Record>() + record.values.iter().flatten().map(value_size).sum::<usize>()
}

fn value_size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(value_size).sum(),
            Value::Object(members) => members.iter().map(|(name, value)| name.len() + value_size(value)).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

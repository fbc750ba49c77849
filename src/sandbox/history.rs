//! How the worlds of a sandbox can be made again as they were before any entry of its log.
//!
//! Of every edit it is kept what was there before. So going back costs what was done since, however many records there
//! are, and worlds are changed in place as long as no snapshot and no fork has a part of them. A copy of a history costs the
//! same however long it is.

use std::collections::HashMap;
use std::sync::Arc;

use imbl::Vector;

use super::agenda::Agenda;
use super::controls::Controls;
use super::world::{Record, Undo, World};
use crate::clock::{Instant, Mode};
use crate::pack::{Pack, ResourceId};

/// What the entries of a log did.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// Oldest first.
    done: Vector<Done>,
    /// Whether the seed records were there before the first thing that happened.
    from_seeds: bool,
    /// The last entry that replaced a pack, 0 for none. What was before it cannot be made again with the packs of now.
    after: u64,
}

/// What a sandbox was like at some time.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) worlds: Vec<World>,
    pub(super) controls: Controls,
    pub(super) agenda: Agenda,
    pub(super) now: Instant,
    pub(super) mode: Mode,
}

#[derive(Debug, Clone)]
pub(super) struct Done {
    entry: u64,
    /// Behind a pointer, because a list has room for 64 of them at once.
    what: Arc<What>,
}

#[derive(Debug, Clone)]
enum What {
    /// Edits of one pack's world, in their order.
    Edits(usize, Box<[Undo]>),
    /// The clock was set, which moved so before.
    Clock(Mode),
    /// Tests had asked for this before.
    Controls(Controls),
    /// This was to happen before.
    Agenda(Agenda),
}

/// What became of one record by one edit.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) resource: ResourceId,
    /// None where the edit made it.
    pub(crate) before: Option<Arc<Record>>,
    /// None where the edit took it away.
    pub(crate) after: Option<Arc<Record>>,
}

impl History {
    pub(super) fn new(from_seeds: bool) -> Self {
        History { done: Vector::new(), from_seeds, after: 0 }
    }

    pub(super) fn is_from_seeds(&self) -> bool {
        self.from_seeds
    }

    pub(super) fn after(&self) -> u64 {
        self.after
    }

    /// A pack was replaced by an entry: all that was before is forgotten, and given back, to be dropped when nobody waits.
    pub(super) fn begin_after(&mut self, entry: u64) -> History {
        std::mem::replace(self, History { after: entry, ..History::new(false) })
    }

    pub(super) fn edited(&mut self, entry: u64, pack: usize, undo: Vec<Undo>) {
        self.done.push_back(Done { entry, what: Arc::new(What::Edits(pack, undo.into())) });
    }

    pub(super) fn clock_set(&mut self, entry: u64, before: Mode) {
        self.done.push_back(Done { entry, what: Arc::new(What::Clock(before)) });
    }

    pub(super) fn controlled(&mut self, entry: u64, before: Controls) {
        self.done.push_back(Done { entry, what: Arc::new(What::Controls(before)) });
    }

    pub(super) fn planned(&mut self, entry: u64, before: Agenda) {
        self.done.push_back(Done { entry, what: Arc::new(What::Agenda(before)) });
    }

    /// Forgets what entries before `first` did. It is given back, to be dropped when nobody waits.
    pub(super) fn forget(&mut self, first: u64) -> Vec<Done> {
        let mut forgotten = Vec::new();
        while self.done.front().is_some_and(|done| done.entry < first) {
            forgotten.extend(self.done.pop_front());
        }
        forgotten
    }

    /// What an entry's edits replaced, and by what, in their order. `worlds` are those of now: what nothing has replaced
    /// since stands there.
    pub(super) fn differences(&self, entry: u64, worlds: &[World]) -> Vec<Difference> {
        let mut all: Vec<Difference> = Vec::new();
        // Of each record the difference that waits for what came next.
        let mut open: HashMap<(ResourceId, u64), usize> = HashMap::new();
        let mut of = None;
        for done in self.done.iter().skip_while(|done| done.entry < entry) {
            if done.entry > entry && open.is_empty() {
                break;
            }
            let What::Edits(pack, undos) = &*done.what else { continue };
            if *pack != *of.get_or_insert(*pack) {
                continue;
            }
            for undo in undos {
                let record = (undo.resource, undo.sequence());
                if let Some(waiting) = open.remove(&record) {
                    all[waiting].after = undo.before.clone();
                }
                if done.entry == entry {
                    open.insert(record, all.len());
                    all.push(Difference { resource: undo.resource, before: undo.before.clone(), after: None });
                }
            }
        }
        for ((resource, sequence), waiting) in open {
            let world = of.and_then(|pack| worlds.get(pack));
            all[waiting].after = world.and_then(|world| world.at(resource, sequence)).cloned();
        }
        all
    }

    /// Undoes what an entry and those behind it did, the last first.
    pub(super) fn undo(&mut self, entry: u64, packs: &[Arc<Pack>], past: &mut Past) {
        while let Some(done) = self.done.pop_back() {
            if done.entry < entry {
                self.done.push_back(done);
                return;
            }
            match &*done.what {
                What::Clock(mode) => past.mode = *mode,
                What::Controls(before) => past.controls = before.clone(),
                What::Agenda(before) => past.agenda = before.clone(),
                What::Edits(pack, undo) => {
                    undo.iter().rev().for_each(|undo| past.worlds[*pack].undo(&packs[*pack], undo));
                }
            }
        }
    }
}

/// About how many bytes keeping what was there before costs.
pub(super) fn size(undo: &[Undo]) -> usize {
    let before = undo.iter().filter_map(|undo| undo.before.as_deref());
    size_of_val(undo) + before.map(Record::size).sum::<usize>()
}

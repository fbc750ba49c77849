//! Going back: what a sandbox was like at some time, with the log that made it so.
//!
//! The log always says how the present world came to be. So a rewind takes entries off it, and a restored snapshot brings
//! its own; only the numbers of entries go on, and are not used again. None of this depends on how many records there are.

use std::sync::Arc;

use super::agenda::Agenda;
use super::controls::Controls;
use super::ground::Ground;
use super::history::{Difference, History, Past};
use super::id::SandboxId;
use super::state::{Beginning, Sandbox, State};
use super::world::World;
use crate::clock::{Instant, Mode, Real};
use crate::exchange::is_label;
use crate::journal::{Entry, Limits, Log, Reloaded};

/// What a sandbox was like when somebody wanted to remember it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// With the packs that it was taken with.
    pub(super) ground: Arc<Ground>,
    past: Past,
    log: Log,
    history: History,
}

impl Snapshot {
    /// The virtual time at which it was taken.
    pub(crate) fn at(&self) -> Instant {
        self.past.now
    }

    /// How many things had happened by then.
    pub(crate) fn position(&self) -> u64 {
        self.log.position()
    }
}

/// The log of a sandbox, with what was before its first entry.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) ground: Arc<Ground>,
    /// The records of each pack; none where they are the seed records.
    pub(crate) worlds: Option<Vec<World>>,
    /// What tests asked of the sandbox.
    pub(crate) controls: Controls,
    /// What was to happen; none where that is what the seed records have.
    pub(crate) agenda: Option<Agenda>,
    pub(crate) at: Instant,
    pub(crate) mode: Mode,
    /// How many things had happened before.
    pub(crate) position: u64,
    /// Of it, what happened since the last pack was replaced: nothing before can be done again with the packs of now.
    pub(crate) entries: Vec<Arc<Entry>>,
    /// How many entries had to make room.
    pub(crate) evicted: u64,
    /// The records of each pack after all of it.
    pub(crate) present: Vec<World>,
    /// What is to happen after all of it.
    pub(crate) left: Agenda,
    /// How much of what went out is kept.
    pub(crate) limits: Limits,
}

/// Why there is no new snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotTaken {
    Exists,
    /// As many as there may be.
    Full(usize),
}

/// Why a sandbox cannot go back to before an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotRewound {
    /// There is no such entry yet.
    Unknown,
    /// The entry is not part of the log any more. The oldest one that is, if any.
    Gone(Option<u64>),
    /// Another pack made the log up to this entry, which replaced it.
    Reloaded(u64),
}

/// What came of going back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Back {
    pub(crate) now: Instant,
    pub(crate) mode: Mode,
    /// How many things have happened in what is now the log.
    pub(crate) position: u64,
}

/// Reads a snapshot's name, which is written as a sandbox's id is.
pub(crate) fn snapshot_name(text: &str) -> Result<String, String> {
    match is_label(text) {
        true => Ok(text.to_owned()),
        false => Err("a snapshot's name has 1 to 63 lower-case letters, digits and inner hyphens".to_owned()),
    }
}

impl Sandbox {
    /// What the sandbox is like now.
    pub(super) fn snapshot(&self, real: Real) -> Snapshot {
        self.caught_up(real).snapshot(real)
    }

    /// What the edits of an entry replaced, and by what, with the packs that it is of. An error is the entry that replaced
    /// a pack since.
    pub(crate) fn differences(&self, entry: u64) -> Result<(Arc<Ground>, Vec<Difference>), u64> {
        let (ground, history, worlds) = {
            let state = self.lock();
            (Arc::clone(&state.ground), state.history.clone(), state.worlds.clone())
        };
        match history.after() {
            after if entry <= after => Err(after),
            _ => Ok((ground, history.differences(entry, &worlds))),
        }
    }

    /// All that is kept of what happened.
    pub(crate) fn story(&self) -> Story {
        let (ground, log, mut history, present) = {
            let state = self.lock();
            let present = state.present(state.latest);
            (Arc::clone(&state.ground), state.log.clone(), state.history.clone(), present)
        };
        let entries: Vec<Arc<Entry>> = log.behind(history.after()).cloned().collect();
        let position = log.position() - entries.iter().filter(|entry| entry.counts()).count() as u64;
        let beginning = &self.beginning;
        let from_seeds = position == 0 && history.is_from_seeds();
        // What the seed records have happen is counted from the first instant.
        let first = || entries.first().map_or(present.now, |entry| entry.begin());
        let at = if from_seeds { beginning.instant } else { first() };
        let mut past = Past { now: at, ..present.clone() };
        if from_seeds {
            past = beginning.past(&ground);
        } else {
            history.undo(0, &ground.packs, &mut past);
        }
        let untouched = || past.worlds.iter().zip(&*ground.seeds).all(|(world, seed)| world.is(seed));
        Story {
            at,
            mode: past.mode,
            position,
            worlds: if from_seeds || untouched() { None } else { Some(past.worlds) },
            controls: past.controls,
            agenda: (!from_seeds).then_some(past.agenda),
            entries,
            evicted: log.evicted(),
            limits: log.limits(),
            present: present.worlds,
            left: present.agenda,
            ground,
        }
    }

    pub(crate) fn snapshots(&self) -> Vec<(String, Arc<Snapshot>)> {
        self.lock().snapshots.iter().map(|(name, snapshot)| (name.clone(), Arc::clone(snapshot))).collect()
    }

    pub(crate) fn snapshot_named(&self, name: &str) -> Option<Arc<Snapshot>> {
        self.lock().snapshots.get(name).cloned()
    }

    /// Remembers the present under a name; without one it is given one.
    pub(crate) fn take(&self, name: Option<String>, real: Real) -> Result<(String, Arc<Snapshot>), NotTaken> {
        let mut state = self.caught_up(real);
        if state.snapshots.len() >= self.beginning.snapshots {
            return Err(NotTaken::Full(self.beginning.snapshots));
        }
        let name = match name {
            Some(name) if state.snapshots.contains_key(&name) => return Err(NotTaken::Exists),
            Some(name) => name,
            None => loop {
                state.named += 1;
                let name = format!("snapshot-{}", state.named);
                if !state.snapshots.contains_key(&name) {
                    break name;
                }
            },
        };
        let snapshot = Arc::new(state.snapshot(real));
        state.snapshots.insert(name.clone(), Arc::clone(&snapshot));
        Ok((name, snapshot))
    }

    /// Forgets a snapshot. Says whether there was one.
    pub(crate) fn drop_snapshot(&self, name: &str) -> bool {
        let dropped = self.lock().snapshots.remove(name);
        dropped.is_some()
    }

    /// Back to a snapshot, which stays. Nothing where there is none of this name. With it comes what became of records
    /// whose packs were others when it was taken.
    pub(crate) fn restore(&self, name: &str, real: Real) -> Option<(Back, Vec<Reloaded>)> {
        let mut state = self.lock();
        let snapshot = Arc::clone(state.snapshots.get(name)?);
        state.log.return_to(&snapshot.log);
        let history = std::mem::replace(&mut state.history, snapshot.history.clone());
        let mut back = state.go_back(snapshot.past.clone(), real);
        let ground = Arc::clone(&state.ground);
        let (mut reloaded, mut replaced) = (Vec::new(), None);
        if !snapshot.ground.has_all(&ground.packs) {
            state.ground = Arc::clone(&snapshot.ground);
            let (became, left) = state.come_to(ground, real);
            (reloaded, replaced) = (became, Some(left));
            back.position = state.log.position();
        }
        self.settle(state, None, real);
        drop((history, replaced));
        Some((back, reloaded))
    }

    /// Back to before an entry of the log, which is undone with all behind it.
    pub(crate) fn rewind(&self, entry: u64, real: Real) -> Result<Back, NotRewound> {
        let mut state = self.lock();
        let gone = |log: &Log| NotRewound::Gone(log.first());
        let Some(found) = state.log.get(entry) else {
            let unknown = entry == 0 || entry >= state.log.next();
            return Err(if unknown { NotRewound::Unknown } else { gone(&state.log) });
        };
        if entry <= state.history.after() {
            return Err(NotRewound::Reloaded(state.history.after()));
        }
        let now = found.begin();
        let ground = Arc::clone(&state.ground);
        let mut past = state.present(now);
        // What nobody else has is changed in place.
        state.worlds.clear();
        state.history.undo(entry, &ground.packs, &mut past);
        state.log.cut(entry);
        let back = state.go_back(past, real);
        self.settle(state, None, real);
        Ok(back)
    }

    /// Back to the seed records, the first instant and the first draws; the log is dropped.
    pub(crate) fn reset(&self, real: Real) -> Back {
        let mut state = self.lock();
        state.log.clear();
        let first = self.beginning.past(&state.ground);
        let history = std::mem::replace(&mut state.history, History::new(true));
        let back = state.go_back(first, real);
        self.settle(state, None, real);
        drop(history);
        back
    }

    /// A sandbox before whose first entry so many things happened that it knows nothing of.
    pub(crate) fn after(
        id: SandboxId,
        beginning: Beginning,
        ground: Arc<Ground>,
        position: u64,
        real: Real,
    ) -> Sandbox {
        let log = Log::going_on(beginning.journal, 1, position);
        let state = State::from_past(beginning.past(&ground), ground, log, &beginning, real);
        Sandbox::with(id, beginning, state, real)
    }

    /// A sandbox that goes on from a snapshot of another. Where the log could not be replayed with what it begins with,
    /// it has a new one.
    pub(super) fn forked(
        id: SandboxId,
        beginning: Beginning,
        ground: Arc<Ground>,
        from: &Snapshot,
        keeps_log: bool,
        real: Real,
    ) -> Sandbox {
        let (log, history) = if keeps_log {
            (from.log.clone(), from.history.clone())
        } else {
            // What is drawn depends on seed and position. With the position of another time it would be drawn again.
            let log = Log::going_on(beginning.journal, from.log.next(), from.log.position());
            (log, History::new(false))
        };
        let same = from.ground.has_all(&ground.packs);
        let stands_on = Arc::clone(if same { &ground } else { &from.ground });
        let mut state = State { history, ..State::from_past(from.past.clone(), stands_on, log, &beginning, real) };
        state.agenda.requeue();
        if !same {
            drop(state.come_to(ground, real));
        }
        Sandbox::with(id, beginning, state, real)
    }
}

impl State {
    fn snapshot(&self, real: Real) -> Snapshot {
        let past = self.present(self.now(real));
        Snapshot { ground: Arc::clone(&self.ground), past, log: self.log.clone(), history: self.history.clone() }
    }

    /// Becomes what was, once log and history are those of then.
    fn go_back(&mut self, past: Past, real: Real) -> Back {
        self.clock.set(past.now, past.mode, real);
        self.latest = past.now;
        self.worlds = past.worlds;
        self.controls = past.controls;
        self.agenda = past.agenda;
        self.agenda.requeue();
        (self.by_hand, self.resume) = (false, None);
        self.changed();
        self.generation += 1;
        drop(self.watchers.take());
        Back { now: past.now, mode: past.mode, position: self.log.position() }
    }
}

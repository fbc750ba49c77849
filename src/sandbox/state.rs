use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::agenda::{Agenda, Changed};
use super::controls::Controls;
use super::deeds::{Carrier, Deeds};
use super::exchange::{Moment, Shown, Turns};
use super::ground::Ground;
use super::history::{self, Done, History, Past};
use super::id::SandboxId;
use super::outbox::{Draft, Orphan};
use super::snapshot::Snapshot;
use super::tally::Tally;
use super::watch::{Watchers, Woken};
use super::world::{Change, Undo, World, WorldEdit};
use crate::clock::{Clock, Instant, Mode, Real};
use crate::journal::{Entry, Happening, Limits, Log};
use crate::pack::{Pack, ResourceId};

/// What a sandbox starts with on whatever ground, and returns to when it is reset.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    pub(crate) instant: Instant,
    pub(crate) mode: Mode,
    pub(crate) journal: Limits,
    /// How many snapshots there may be.
    pub(crate) snapshots: usize,
    pub(crate) controls: Controls,
    /// What is to happen; what the ground has for its seed records where there is none.
    pub(crate) agenda: Option<Agenda>,
    /// How many things may be on the agenda that somebody asks for, or that webhooks send.
    pub(crate) most_agenda: usize,
    pub(crate) deeds: Deeds,
    pub(crate) carrier: Arc<dyn Carrier>,
    /// What was counted in sandboxes that are closed.
    pub(crate) counted: Arc<Mutex<Tally>>,
}

impl Beginning {
    pub(super) fn past(&self, ground: &Ground) -> Past {
        let agenda = self.agenda.clone().unwrap_or_else(|| ground.agenda(self.instant));
        let (worlds, controls) = (ground.seeds.to_vec(), self.controls.clone());
        Past { worlds, controls, agenda, now: self.instant, mode: self.mode }
    }
}

/// One isolated world. Everything in it changes under one lock, which is never held while waiting for anything.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(super) id: SandboxId,
    pub(super) beginning: Beginning,
    /// When somebody last used it.
    used: AtomicI64,
    /// How many follow its log.
    pub(super) watched: AtomicUsize,
    /// The place in the log that random draws of the next entry are keyed by, as the last exchange has left it.
    pub(super) position: AtomicU64,
    pub(super) shown: Shown,
    /// Whose turn it is to change it.
    pub(super) turns: Turns,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    /// Replaced as a whole, together with the worlds.
    pub(super) ground: Arc<Ground>,
    pub(super) worlds: Vec<World>,
    pub(super) controls: Controls,
    pub(super) agenda: Agenda,
    pub(super) most_agenda: usize,
    pub(super) clock: Clock,
    pub(super) log: Log,
    pub(super) history: History,
    pub(super) snapshots: BTreeMap<String, Arc<Snapshot>>,
    pub(super) watchers: Watchers,
    /// The instant of the last entry: time does not run backwards from one to the next, unless the clock is set back.
    pub(super) latest: Instant,
    /// Rises with everything but exchanges that change nothing.
    pub(super) version: u64,
    /// Rises when entries are taken off the log.
    pub(super) generation: u64,
    /// How many snapshots the sandbox has named itself.
    pub(super) named: u64,
    /// Nobody can reach it any more.
    pub(super) closed: bool,
    /// Nothing is done by itself: somebody says what is.
    pub(super) by_hand: bool,
    /// How time moves again when it has been advanced.
    pub(super) resume: Option<Mode>,
    /// How often it was advanced.
    pub(super) strides: u64,
    /// Results of attempts that came too late, the oldest first.
    pub(super) orphans: VecDeque<Orphan>,
    pub(super) tally: Tally,
    pub(super) shown: Shown,
}

/// What is done to a sandbox by what is written down.
#[derive(Debug, Default)]
pub(super) struct Doing {
    pub(super) pack: Option<usize>,
    pub(super) edits: Vec<WorldEdit>,
    pub(super) controls: Option<Controls>,
    pub(super) deliveries: Vec<Draft>,
    /// What is to happen from then on.
    pub(super) agenda: Option<Agenda>,
    /// What was to happen before, where that is another already.
    pub(super) before: Option<Agenda>,
    /// How much at the same instant led to it.
    pub(super) depth: u32,
}

impl Doing {
    pub(super) fn of(pack: usize, change: Change) -> Self {
        let Change { edits, controls, deliveries, .. } = change;
        Doing { pack: Some(pack), edits, controls, deliveries, ..Doing::default() }
    }
}

/// Something else than an exchange that changes records.
pub(crate) struct Intervention {
    pub(crate) change: Change,
    pub(crate) what: Happening,
}

impl Sandbox {
    pub(crate) fn new(id: SandboxId, beginning: Beginning, ground: Arc<Ground>, real: Real) -> Self {
        let log = Log::new(beginning.journal);
        let state = State::from_past(beginning.past(&ground), ground, log, &beginning, real);
        Sandbox::with(id, beginning, state, real)
    }

    pub(super) fn with(id: SandboxId, beginning: Beginning, state: State, real: Real) -> Self {
        let used = AtomicI64::new(real.0);
        let (position, shown) = (AtomicU64::new(state.log.position()), Arc::clone(&state.shown));
        let (watched, turns, state) = (AtomicUsize::new(0), Turns::default(), Mutex::new(state));
        Sandbox { id, beginning, used, watched, position, shown, turns, state }
    }

    /// What is done under the lock takes microseconds, and being woken takes as long again: so a while of trying comes
    /// first.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        for _ in 0..TRIES {
            if let Some(state) = self.state.try_lock() {
                return state;
            }
            std::hint::spin_loop();
        }
        self.state.lock()
    }

    pub(crate) fn id(&self) -> &SandboxId {
        &self.id
    }

    pub(crate) fn ground(&self) -> Arc<Ground> {
        Arc::clone(&self.lock().ground)
    }

    /// A pack with its records, as both are now.
    pub(crate) fn holding(&self, pack: usize) -> (Arc<Pack>, World) {
        let state = self.lock();
        (Arc::clone(&state.ground.packs[pack]), state.worlds[pack].clone())
    }

    /// Tells whoever watches that there is no more. What is under way is finished.
    pub(super) fn close(&self) {
        let woken = {
            let mut state = self.lock();
            state.closed = true;
            self.hand_over_if_closed(&mut state);
            state.watchers.take()
        };
        drop(woken);
    }

    /// Gives away what was counted where nobody will ask for it here any more.
    pub(super) fn hand_over_if_closed(&self, state: &mut State) {
        if state.closed {
            let tally = std::mem::take(&mut state.tally);
            self.beginning.counted.lock().absorb(tally);
        }
    }

    /// Notes that somebody uses it now.
    pub(crate) fn touch(&self, real: Real) {
        self.used.store(real.0, Ordering::Relaxed);
    }

    /// When somebody last used it, in real microseconds.
    pub(super) fn used(&self) -> i64 {
        self.used.load(Ordering::Relaxed)
    }

    /// For how many microseconds nobody has used it. Who follows its log uses it.
    pub(crate) fn idle(&self, real: Real) -> i64 {
        if self.watched.load(Ordering::Relaxed) > 0 {
            return 0;
        }
        real.0.saturating_sub(self.used())
    }

    /// Changes records in another way than by a request. Nothing happens when `act` refuses.
    pub(crate) fn intervene<E>(
        &self,
        pack: usize,
        real: Real,
        act: impl FnOnce(&Arc<Pack>, &Moment<'_>) -> Result<Intervention, E>,
    ) -> Result<Arc<Entry>, E> {
        let mut state = self.caught_up(real);
        let before = state.agenda.first();
        let moment = state.moment(pack, real);
        let at = moment.now;
        let Intervention { change, what } = act(&state.ground.packs[pack], &moment)?;
        let (entry, freed) = state.enter(at, what, Doing::of(pack, change));
        self.settle(state, before, real);
        drop(freed);
        Ok(entry)
    }

    /// Changes what tests ask of the sandbox. Nothing happens when `act` refuses.
    pub(crate) fn set<E>(
        &self,
        real: Real,
        act: impl FnOnce(&Controls) -> Result<(Controls, Happening), E>,
    ) -> Result<Arc<Entry>, E> {
        let mut state = self.caught_up(real);
        let (controls, what) = act(&state.controls)?;
        let at = state.now(real);
        let (entry, freed) = state.enter(at, what, Doing { controls: Some(controls), ..Doing::default() });
        drop(state);
        drop(freed);
        Ok(entry)
    }

    /// What tests ask of the sandbox now.
    pub(crate) fn controls(&self) -> Controls {
        self.lock().controls.clone()
    }

    pub(crate) fn clock(&self, real: Real) -> (Instant, Mode) {
        let state = self.caught_up(real);
        (state.now(real), state.mode())
    }

    /// Sets the time, the way it moves, or both. Nothing that was to happen meanwhile happens, and nothing is undone.
    pub(crate) fn set_clock(&self, now: Option<Instant>, mode: Option<Mode>, real: Real) -> (Instant, Mode) {
        let mut state = self.lock();
        let from = state.now(real);
        let now = now.unwrap_or(from);
        let before = state.mode();
        let mode = mode.unwrap_or(before);
        let freed = state.set_clock(from, now, (before, mode), real);
        drop(state);
        drop(freed);
        self.beginning.carrier.look(&self.id);
        (now, mode)
    }

    /// Puts the clock to the instant of an entry that is to happen again. This is no entry itself. Real time stands there, so
    /// that a clock that ticks does not move either.
    pub(crate) fn stand_at(&self, at: Instant) {
        let mut state = self.lock();
        let (real, mode) = (Real(0), state.mode());
        state.clock.set(at, mode, real);
        state.latest = at;
    }

    /// Reads the log while nothing is added to it.
    pub(crate) fn log<R>(&self, read: impl FnOnce(&Log) -> R) -> R {
        read(&self.lock().log)
    }

    /// Takes single exchanges out of the journal. Gives how many were in it.
    pub(crate) fn forget(&self, entries: &[u64]) -> usize {
        let mut state = self.lock();
        entries.iter().filter(|id| state.log.forget(**id)).count()
    }

    /// Empties the journal. The log, which proves how the world came to be, stays.
    pub(crate) fn empty_journal(&self) {
        self.lock().log.empty_journal();
    }
}

/// How often a held lock is tried before the thread sleeps.
const TRIES: u32 = 1000;

/// What had to make room, and who waited for what happened.
#[derive(Debug)]
#[must_use = "it is to be dropped when nobody waits"]
pub(super) struct Freed {
    _entries: Vec<Arc<Entry>>,
    _history: Vec<Done>,
    _woken: Woken,
}

impl State {
    /// A state that begins with what was, and a log that goes on from there.
    pub(super) fn from_past(past: Past, ground: Arc<Ground>, log: Log, beginning: &Beginning, real: Real) -> Self {
        State {
            ground,
            worlds: past.worlds,
            controls: past.controls,
            agenda: past.agenda,
            most_agenda: beginning.most_agenda,
            clock: Clock::new(past.now, past.mode, real),
            latest: past.now,
            history: History::new(true),
            log,
            snapshots: BTreeMap::new(),
            watchers: Watchers::default(),
            version: 0,
            generation: 0,
            named: 0,
            closed: false,
            by_hand: false,
            resume: None,
            strides: 0,
            orphans: VecDeque::new(),
            tally: Tally::default(),
            shown: Shown::default(),
        }
    }

    /// What was seen of the sandbox before does not hold any more.
    pub(super) fn changed(&mut self) {
        self.version += 1;
        self.unshow();
    }

    /// The virtual time; not before anything that has happened.
    pub(super) fn now(&self, real: Real) -> Instant {
        self.clock.now(real).max(self.latest)
    }

    /// What the sandbox is like now.
    pub(super) fn present(&self, now: Instant) -> Past {
        let (worlds, controls, agenda) = (self.worlds.clone(), self.controls.clone(), self.agenda.clone());
        Past { worlds, controls, agenda, now, mode: self.mode() }
    }

    /// How time moves when nobody advances it.
    pub(super) fn mode(&self) -> Mode {
        self.resume.unwrap_or_else(|| self.clock.mode())
    }

    /// Sets the clock, which moved in one way until now and moves in another from then on.
    pub(super) fn set_clock(&mut self, from: Instant, now: Instant, (before, mode): (Mode, Mode), real: Real) -> Freed {
        self.clock.set(now, mode, real);
        self.changed();
        let what = Happening::Clock { from, now, mode: mode.name() };
        let (entry, freed) = self.push(now, what, 0);
        self.history.clock_set(entry.id, before);
        freed
    }

    /// Does something and writes it down: the one way in which records, and what is to happen, change.
    pub(super) fn enter(&mut self, at: Instant, what: Happening, mut doing: Doing) -> (Arc<Entry>, Freed) {
        let followed = doing.pack.is_some_and(|pack| is_followed(&self.ground.packs[pack], &doing.edits));
        let planned = followed || !doing.deliveries.is_empty() || doing.agenda.is_some();
        let before = doing.before.take().or_else(|| planned.then(|| self.agenda.clone()));
        if let Some(agenda) = doing.agenda.take() {
            self.agenda = agenda;
        }
        let controls = doing.controls.take().map(|controls| std::mem::replace(&mut self.controls, controls));
        if !doing.edits.is_empty() {
            self.unshow();
        }
        let mut undo: Vec<Undo> = Vec::with_capacity(doing.edits.len());
        let mut due = Vec::new();
        if let Some(pack) = doing.pack {
            let (world, definition) = (&mut self.worlds[pack], &self.ground.packs[pack]);
            for edit in &doing.edits {
                undo.push(world.apply(definition, edit));
                if let Some(undone) = undo.last().filter(|_| followed) {
                    let after = if let WorldEdit::Put(_, record) = edit { Some(record) } else { None };
                    let changed = Changed { resource: undone.resource, before: undone.before.as_ref(), after };
                    due.extend(self.agenda.follow(pack, definition, &changed, at));
                }
            }
        }
        self.agenda.deepen(&due, doing.depth);
        self.post(&mut doing, at);
        let more = before.as_ref().map_or(0, |before| before.kept_beside(&self.agenda));
        let (entry, freed) = self.push(at, what, history::size(&undo) + more);
        if let (Some(pack), false) = (doing.pack, undo.is_empty()) {
            self.changed();
            self.history.edited(entry.id, pack, undo);
        }
        if let Some(controls) = controls {
            self.changed();
            self.history.controlled(entry.id, controls);
        }
        if let Some(before) = before {
            self.history.planned(entry.id, before);
        }
        (entry, freed)
    }

    pub(super) fn push(&mut self, at: Instant, what: Happening, more: usize) -> (Arc<Entry>, Freed) {
        self.latest = at;
        let (entry, evicted) = self.log.push(at, what, more);
        let first = self.log.first().filter(|_| !evicted.is_empty());
        let history = first.map(|first| self.history.forget(first)).unwrap_or_default();
        (entry, Freed { _entries: evicted, _history: history, _woken: self.watchers.take() })
    }
}

/// Whether a pack has something happen by itself to what is changed.
fn is_followed(pack: &Pack, edits: &[WorldEdit]) -> bool {
    let is_edited = |resource: ResourceId| {
        edits.iter().any(|edit| match edit {
            WorldEdit::Put(edited, _) | WorldEdit::Delete(edited, _) => *edited == resource,
        })
    };
    pack.events.iter().filter_map(|event| event.schedule.as_ref()).any(|schedule| is_edited(schedule.resource))
}

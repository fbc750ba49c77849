use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::id::SandboxId;
use super::world::{Change, Conflict, Step, World};
use crate::clock::{Clock, Instant, Mode, Real, Span};
use crate::exchange::{Request, Response};
use crate::expr::Draws;
use crate::journal::{Entry, Exchanged, Happening, Limits, Log, Note, Trace};
use crate::pack::{Options, Pack};

/// What a sandbox starts with, and returns to when it is reset.
#[derive(Debug, Clone)]
pub(super) struct Beginning {
    pub(super) packs: Arc<[Arc<Pack>]>,
    pub(super) worlds: Vec<World>,
    pub(super) instant: Instant,
    pub(super) mode: Mode,
    pub(super) seed: u64,
    /// For each pack.
    pub(super) options: Arc<[Options]>,
    pub(super) journal: Limits,
}

/// One isolated world. Everything in it changes under one lock, which is never held while waiting for anything.
#[derive(Debug)]
pub(crate) struct Sandbox {
    id: SandboxId,
    beginning: Beginning,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    worlds: Vec<World>,
    clock: Clock,
    log: Log,
    /// Rises with everything but exchanges that change nothing.
    version: u64,
}

/// What one exchange starts from.
struct Snapshot {
    world: World,
    clock: Clock,
    position: u64,
    version: u64,
}

impl Snapshot {
    fn moment<'a>(&'a self, options: &'a Options, seed: u64, real: Real) -> Moment<'a> {
        Moment { world: &self.world, now: self.clock.now(real), draws: Draws::new(seed, self.position), options }
    }
}

/// A pack's world at one instant: all that answering a request may depend on, besides the request.
#[derive(Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) world: &'a World,
    pub(crate) now: Instant,
    pub(crate) draws: Draws,
    pub(crate) options: &'a Options,
}

/// An answer, what it does to the world, and why.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) response: Response,
    pub(crate) change: Change,
    pub(crate) trace: Trace,
    /// The operation's id, once it is known which one was meant.
    pub(crate) operation: Option<Arc<str>>,
    /// The value of `Standin-Contract`.
    pub(crate) contract: Option<&'static str>,
}

/// An exchange that has become part of a sandbox's story.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) response: Response,
    /// The entry's number.
    pub(crate) entry: u64,
    /// The virtual instant at which it happened.
    pub(crate) at: Instant,
}

/// Something else than an exchange that changes records.
pub(crate) struct Intervention {
    pub(crate) change: Change,
    pub(crate) what: Happening,
}

impl Sandbox {
    pub(super) fn new(id: SandboxId, beginning: Beginning, real: Real) -> Self {
        let state = State::new(&beginning, real);
        Sandbox { id, beginning, state: Mutex::new(state) }
    }

    /// What is done under the lock takes microseconds, and being woken takes as long again: so a while of trying comes
    /// first.
    fn lock(&self) -> MutexGuard<'_, State> {
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

    pub(crate) fn seed(&self) -> u64 {
        self.beginning.seed
    }

    /// What the options of each pack are here. They never change.
    pub(crate) fn options(&self) -> &[Options] {
        &self.beginning.options
    }

    pub(crate) fn packs(&self) -> &[Arc<Pack>] {
        &self.beginning.packs
    }

    /// Answers a request with `handle` and commits what it changes. Exchanges of one sandbox happen one after the other:
    /// each sees one state of the world.
    pub(crate) fn exchange(
        &self,
        pack: usize,
        request: Arc<Request>,
        real_time: &dyn Fn() -> Real,
        handle: impl Fn(&Arc<Pack>, &Moment<'_>, &Arc<Request>) -> Exchange,
    ) -> Committed {
        let definition = &self.beginning.packs[pack];
        let real = real_time();
        let seed = self.beginning.seed;
        let options = &self.beginning.options[pack];
        let took = || u64::try_from(real_time().0.saturating_sub(real.0)).unwrap_or(0);
        // Reads are done on a snapshot, so that they wait for each other only while they are entered in the log. Calls
        // that will probably change the world would only get into each other's way, and have to be done again.
        if request.method.is_safe() {
            let before = self.lock().snapshot(pack);
            let moment = before.moment(options, seed, real);
            let exchange = handle(definition, &moment, &request);
            let (at, drew) = (moment.now, moment.draws.used());
            let took = took();
            let state = self.lock();
            // What happened meanwhile counts where the answer may depend on it.
            if state.version == before.version && !(drew && state.log.position() != before.position) {
                drop(before);
                return commit(state, pack, definition, at, request, exchange, took);
            }
        }
        let state = self.lock();
        let moment = state.moment(pack, options, seed, real);
        let at = moment.now;
        let exchange = handle(definition, &moment, &request);
        commit(state, pack, definition, at, request, exchange, took())
    }

    /// Changes records in another way than by a request. Nothing happens when `act` refuses.
    pub(crate) fn intervene<E>(
        &self,
        pack: usize,
        real: Real,
        act: impl FnOnce(&Arc<Pack>, &Moment<'_>) -> Result<Intervention, E>,
    ) -> Result<Arc<Entry>, E> {
        let mut state = self.lock();
        let moment = state.moment(pack, &self.beginning.options[pack], self.beginning.seed, real);
        let at = moment.now;
        let Intervention { change, what } = act(&self.beginning.packs[pack], &moment)?;
        state.perform(pack, &self.beginning.packs[pack], &change);
        Ok(state.log.push(at, what).0)
    }

    /// The records of a pack as they are now.
    pub(crate) fn world(&self, pack: usize) -> World {
        self.lock().worlds[pack].clone()
    }

    pub(crate) fn clock(&self, real: Real) -> (Instant, Mode) {
        let state = self.lock();
        (state.clock.now(real), state.clock.mode())
    }

    /// Sets the time, the way it moves, or both.
    pub(crate) fn set_clock(&self, now: Option<Instant>, mode: Option<Mode>, real: Real) -> (Instant, Mode) {
        let mut state = self.lock();
        let now = now.unwrap_or_else(|| state.clock.now(real));
        let mode = mode.unwrap_or_else(|| state.clock.mode());
        state.clock.set(now, mode, real);
        state.version += 1;
        state.log.push(now, Happening::Clock { now, mode: mode.name() });
        (now, mode)
    }

    /// Moves the time forward. An earlier target is refused with the present instant.
    pub(crate) fn advance(&self, by: Advance, real: Real) -> Result<(Instant, Mode), Instant> {
        let mut state = self.lock();
        let now = state.clock.now(real);
        let mode = state.clock.mode();
        let target = match by {
            Advance::By(span) => now.saturating_add(span),
            Advance::To(instant) => instant,
        };
        if target < now {
            return Err(now);
        }
        state.clock.set(target, mode, real);
        state.version += 1;
        state.log.push(target, Happening::Clock { now: target, mode: mode.name() });
        Ok((target, mode))
    }

    /// Back to the seed records, the first instant and the first draws; the log is dropped.
    pub(crate) fn reset(&self, real: Real) {
        let mut state = self.lock();
        state.worlds.clone_from(&self.beginning.worlds);
        state.clock = Clock::new(self.beginning.instant, self.beginning.mode, real);
        state.version += 1;
        state.log.clear();
    }

    /// Reads the log while nothing is added to it.
    pub(crate) fn log<R>(&self, read: impl FnOnce(&Log) -> R) -> R {
        read(&self.lock().log)
    }

    /// Empties the journal. What else happened stays in the log.
    pub(crate) fn forget_exchanges(&self) {
        self.lock().log.forget_exchanges();
    }
}

/// Makes an exchange part of the story.
fn commit(
    mut state: MutexGuard<'_, State>,
    pack: usize,
    definition: &Pack,
    at: Instant,
    request: Arc<Request>,
    exchange: Exchange,
    took: u64,
) -> Committed {
    let Exchange { response, change, trace, operation, contract } = exchange;
    state.perform(pack, definition, &change);
    let exchanged = Exchanged {
        pack: Arc::clone(&definition.name),
        operation,
        contract,
        request,
        response: response.clone(),
        trace,
        changes: notes(definition, &change.steps),
        took,
    };
    let (entry, evicted) = state.log.push(at, Happening::Exchange(Box::new(exchanged)));
    drop(state);
    // Whatever had to make room is freed when nobody waits.
    drop(evicted);
    Committed { response, entry: entry.id, at }
}

/// How often a held lock is tried before the thread sleeps.
const TRIES: u32 = 1000;

/// How far the clock is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advance {
    By(Span),
    To(Instant),
}

impl State {
    fn new(beginning: &Beginning, real: Real) -> Self {
        State {
            worlds: beginning.worlds.clone(),
            clock: Clock::new(beginning.instant, beginning.mode, real),
            log: Log::new(beginning.journal),
            version: 0,
        }
    }

    fn perform(&mut self, pack: usize, definition: &Pack, change: &Change) {
        for edit in &change.edits {
            self.worlds[pack].apply(definition, edit);
        }
        self.version += u64::from(!change.edits.is_empty());
    }

    /// The world as it is, for whoever holds the lock.
    fn moment<'a>(&'a self, pack: usize, options: &'a Options, seed: u64, real: Real) -> Moment<'a> {
        let draws = Draws::new(seed, self.log.position());
        Moment { world: &self.worlds[pack], now: self.clock.now(real), draws, options }
    }

    fn snapshot(&self, pack: usize) -> Snapshot {
        Snapshot {
            world: self.worlds[pack].clone(),
            clock: self.clock,
            position: self.log.position(),
            version: self.version,
        }
    }
}

/// What became of records, with the names that people know.
pub(crate) fn notes(pack: &Pack, steps: &[Step]) -> Vec<Note> {
    let note = |step: &Step| Note {
        verb: step.verb,
        resource: Arc::clone(&pack.resource(step.resource).name),
        id: step.id.clone(),
    };
    steps.iter().map(note).collect()
}

/// The worlds that all sandboxes of a server start with.
pub(super) fn seeded(packs: &[Arc<Pack>], shift: i64, seed: u64) -> Result<Vec<World>, (String, Conflict)> {
    let world = |pack| World::seeded(pack, shift, seed).map_err(|conflict| (pack.name.to_string(), conflict));
    packs.iter().map(world).collect()
}

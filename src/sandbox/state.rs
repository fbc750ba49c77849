use std::sync::Arc;

use parking_lot::Mutex;

use super::id::SandboxId;
use super::world::{Change, Conflict, Step, World};
use crate::clock::{Clock, Instant, Mode, Real, Span};
use crate::exchange::{Request, Response};
use crate::expr::Draws;
use crate::journal::{Entry, Exchanged, Happening, Limits, Log, Note, Trace};
use crate::pack::Pack;

/// What a sandbox starts with, and returns to when it is reset.
#[derive(Debug, Clone)]
pub(super) struct Beginning {
    pub(super) packs: Arc<[Arc<Pack>]>,
    pub(super) worlds: Vec<World>,
    pub(super) instant: Instant,
    pub(super) mode: Mode,
    pub(super) seed: u64,
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
}

/// A pack's world at one instant: all that answering a request may depend on, besides the request.
#[derive(Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) world: &'a World,
    pub(crate) now: Instant,
    pub(crate) draws: Draws,
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

    pub(crate) fn id(&self) -> &SandboxId {
        &self.id
    }

    pub(crate) fn seed(&self) -> u64 {
        self.beginning.seed
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
        handle: impl FnOnce(&Arc<Pack>, &Moment<'_>, &Arc<Request>) -> Exchange,
    ) -> Committed {
        let definition = &self.beginning.packs[pack];
        let mut state = self.state.lock();
        let real = real_time();
        let exchange = handle(definition, &self.moment(&state, pack, real), &request);
        let at = state.clock.now(real);
        let took = u64::try_from(real_time().0.saturating_sub(real.0)).unwrap_or(0);
        let changes = notes(definition, &exchange.change.steps);
        if let Some(world) = exchange.change.world {
            state.worlds[pack] = world;
        }
        let response = exchange.response.clone();
        let entry = state.log.push(at, Happening::Exchange(Box::new(Exchanged {
            pack: Arc::clone(&definition.name),
            operation: exchange.operation,
            contract: exchange.contract,
            request,
            response: exchange.response,
            trace: exchange.trace,
            changes,
            took,
        })));
        Committed { response, entry: entry.id, at }
    }

    /// Changes records in another way than by a request. Nothing happens when `act` refuses.
    pub(crate) fn intervene<E>(
        &self,
        pack: usize,
        real: Real,
        act: impl FnOnce(&Arc<Pack>, &Moment<'_>) -> Result<Intervention, E>,
    ) -> Result<Arc<Entry>, E> {
        let mut state = self.state.lock();
        let Intervention { change, what } = act(&self.beginning.packs[pack], &self.moment(&state, pack, real))?;
        if let Some(world) = change.world {
            state.worlds[pack] = world;
        }
        let at = state.clock.now(real);
        Ok(state.log.push(at, what))
    }

    fn moment<'s>(&self, state: &'s State, pack: usize, real: Real) -> Moment<'s> {
        Moment {
            world: &state.worlds[pack],
            now: state.clock.now(real),
            draws: Draws::new(self.beginning.seed, state.log.position()),
        }
    }

    /// The records of a pack as they are now.
    pub(crate) fn world(&self, pack: usize) -> World {
        self.state.lock().worlds[pack].clone()
    }

    pub(crate) fn clock(&self, real: Real) -> (Instant, Mode) {
        let state = self.state.lock();
        (state.clock.now(real), state.clock.mode())
    }

    /// Sets the time, the way it moves, or both.
    pub(crate) fn set_clock(&self, now: Option<Instant>, mode: Option<Mode>, real: Real) -> (Instant, Mode) {
        let mut state = self.state.lock();
        let now = now.unwrap_or_else(|| state.clock.now(real));
        let mode = mode.unwrap_or_else(|| state.clock.mode());
        state.clock.set(now, mode, real);
        state.log.push(now, Happening::Clock { now, mode: mode.name() });
        (now, mode)
    }

    /// Moves the time forward. An earlier target is refused with the present instant.
    pub(crate) fn advance(&self, by: Advance, real: Real) -> Result<(Instant, Mode), Instant> {
        let mut state = self.state.lock();
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
        state.log.push(target, Happening::Clock { now: target, mode: mode.name() });
        Ok((target, mode))
    }

    /// Back to the seed records, the first instant and the first draws; the log is dropped.
    pub(crate) fn reset(&self, real: Real) {
        let mut state = self.state.lock();
        state.worlds.clone_from(&self.beginning.worlds);
        state.clock = Clock::new(self.beginning.instant, self.beginning.mode, real);
        state.log.clear();
    }

    /// Reads the log while nothing is added to it.
    pub(crate) fn log<R>(&self, read: impl FnOnce(&Log) -> R) -> R {
        read(&self.state.lock().log)
    }

    /// Empties the journal. What else happened stays in the log.
    pub(crate) fn forget_exchanges(&self) {
        self.state.lock().log.forget_exchanges();
    }
}

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
pub(super) fn seeded(packs: &[Arc<Pack>], shift: i64) -> Result<Vec<World>, (String, Conflict)> {
    packs
        .iter()
        .map(|pack| World::seeded(pack, shift).map_err(|conflict| (pack.name.to_string(), conflict)))
        .collect()
}


//! An exchange with a sandbox: a request is answered in one state of its world, and becomes part of its story.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwapOption;
use parking_lot::MutexGuard;

use super::agenda::Key;
use super::controls::Controls;
use super::ground::Ground;
use super::state::{Doing, Sandbox, State};
use super::world::{Change, Step, World};
use crate::clock::{Clock, Instant, Mode, Real};
use crate::exchange::{Delivery, Request, Response};
use crate::expr::Draws;
use crate::journal::{Entry, Exchanged, Happening, Kept, Note, Trace};
use crate::pack::{Options, Pack, Reached};

/// A pack's world at one instant: all that answering a request may depend on, besides the request.
#[derive(Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) world: &'a World,
    pub(crate) controls: &'a Controls,
    pub(crate) now: Instant,
    pub(crate) mode: Mode,
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
    /// The stub that answered.
    pub(crate) stub: Option<Arc<str>>,
    /// None where the answer is sent at once and whole.
    pub(crate) delivery: Option<Box<Delivery>>,
    /// What it covers of the pack.
    pub(crate) reached: Reached,
}

/// An exchange that has become part of a sandbox's story.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) exchanged: Exchanged,
    pub(crate) entry: Arc<Entry>,
}

/// What reads look at without the lock: a sandbox as it was when one of them first needed it.
#[derive(Debug)]
pub(super) struct Seen {
    ground: Arc<Ground>,
    worlds: Vec<World>,
    controls: Controls,
    clock: Clock,
    mode: Mode,
    /// What is next on the agenda.
    due: Option<Key>,
    version: u64,
}

/// What reads look at, as long as it holds. It is put there and taken away under the lock.
pub(super) type Shown = Arc<ArcSwapOption<Seen>>;

/// Who may change a sandbox next. Tasks wait for it, and let others go on.
#[derive(Debug, Default)]
pub(super) struct Turns(tokio::sync::Mutex<()>);

/// That it is somebody's turn.
pub(crate) struct Turn<'a> {
    _guard: tokio::sync::MutexGuard<'a, ()>,
    /// Whether others were before.
    pub(crate) waited: bool,
}

impl Seen {
    /// Whether something is to be done before anybody looks.
    fn is_due(&self, real: Real) -> bool {
        self.due.is_some_and(|(at, _)| at <= self.clock.now(real))
    }

    fn moment(&self, pack: usize, real: Real, position: u64) -> Moment<'_> {
        Moment {
            world: &self.worlds[pack],
            controls: &self.controls,
            now: self.clock.now(real),
            mode: self.mode,
            draws: Draws::new(self.ground.seed, position),
            options: &self.ground.options[pack],
        }
    }

    /// Whether the sandbox is still like that.
    fn holds(&self, state: &State) -> bool {
        state.version == self.version
            && state.clock == self.clock
            && state.mode() == self.mode
            && state.next_due() == self.due
    }
}

/// What an exchange will be in the log, and does to the sandbox.
struct Told {
    exchanged: Exchanged,
    what: Happening,
    doing: Doing,
    reached: Reached,
}

impl Told {
    fn of(pack: Option<(usize, &Pack)>, request: Arc<Request>, exchange: Exchange, took: u64) -> Self {
        let Exchange { response, change, trace, operation, contract, stub, delivery, reached } = exchange;
        let exchanged = Exchanged {
            pack: pack.map(|(_, pack)| Arc::clone(&pack.face)),
            operation,
            contract,
            request,
            response,
            trace,
            changes: pack.map(|(_, pack)| notes(pack, &change.steps)).unwrap_or_default(),
            deliveries: change.delivery_ids(),
            stub,
            delivery,
            took,
        };
        let doing = match pack {
            Some((number, _)) => Doing::of(number, change),
            None => Doing { controls: change.controls, ..Doing::default() },
        };
        Told { what: Happening::Exchange(Kept::of(&exchanged)), exchanged, doing, reached }
    }
}

impl Sandbox {
    /// Waits until no other call is under way that may change the sandbox, as far as they wait so, too. Nothing depends on it:
    /// to wait for the lock takes a thread, and the time that it spends trying.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        match self.turns.0.try_lock() {
            Ok(guard) => Turn { _guard: guard, waited: false },
            Err(_) => Turn { _guard: self.turns.0.lock().await, waited: true },
        }
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
        let real = real_time();
        let took = || u64::try_from(real_time().0.saturating_sub(real.0)).unwrap_or(0);
        // Reads need no lock, so that they wait for each other only while they are entered in the log. Calls that will
        // probably change the world would only get into each other's way, and have to be done again.
        if request.method.is_safe() {
            let shown = self.shown.load();
            let made;
            let before = match shown.as_deref() {
                Some(seen) if !seen.is_due(real) => seen,
                _ => {
                    made = self.caught_up(real).show();
                    &*made
                }
            };
            let position = self.position.load(Ordering::Relaxed);
            let definition = &before.ground.packs[pack];
            let moment = before.moment(pack, real, position);
            let exchange = handle(definition, &moment, &request);
            let (at, drew) = (moment.now, moment.draws.used());
            let told = Told::of(Some((pack, definition)), Arc::clone(&request), exchange, took());
            let state = self.lock();
            // What happened meanwhile counts where the answer may depend on it.
            let holds = before.holds(&state) && at >= state.latest;
            if holds && !(drew && state.log.position() != position) {
                return self.commit(state, Some(pack), at, told, real);
            }
            // The next one would find out in vain, too.
            state.unshow();
        }
        let state = self.caught_up(real);
        let moment = state.moment(pack, real);
        let at = moment.now;
        let definition = &state.ground.packs[pack];
        let exchange = handle(definition, &moment, &request);
        let told = Told::of(Some((pack, definition)), request, exchange, took());
        self.commit(state, Some(pack), at, told, real)
    }

    /// Answers a request that leads to no pack, and enters it.
    pub(crate) fn astray(
        &self,
        request: Arc<Request>,
        real: Real,
        answer: impl FnOnce(&Ground, &Controls, &Draws, &Request) -> Exchange,
    ) -> Committed {
        let state = self.caught_up(real);
        let at = state.now(real);
        let draws = Draws::new(state.ground.seed, state.log.position());
        let exchange = answer(&state.ground, &state.controls, &draws, &request);
        self.commit(state, None, at, Told::of(None, request, exchange, 0), real)
    }

    /// Makes an exchange part of the story.
    fn commit(
        &self,
        mut state: MutexGuard<'_, State>,
        pack: Option<usize>,
        at: Instant,
        told: Told,
        real: Real,
    ) -> Committed {
        let Told { exchanged, what, doing, mut reached } = told;
        let State { tally, ground, .. } = &mut *state;
        let look = pack.and_then(|pack| {
            let (contract, status) = (exchanged.contract, exchanged.response.status);
            tally.count(pack, &ground.packs[pack], &mut reached, contract, status)
        });
        self.hand_over_if_closed(&mut state);
        let before = state.agenda.first();
        let (entry, freed) = state.enter(at, what, doing);
        self.position.store(state.log.position(), Ordering::Relaxed);
        self.settle(state, before, real);
        // Whatever had to make room is freed when nobody waits.
        drop(freed);
        if let Some(look) = look {
            self.look(&look, &exchanged.response);
        }
        Committed { exchanged, entry }
    }
}

impl State {
    /// The world as it is, for whoever holds the lock.
    pub(super) fn moment(&self, pack: usize, real: Real) -> Moment<'_> {
        let draws = Draws::new(self.ground.seed, self.log.position());
        self.moment_at(pack, self.now(real), draws)
    }

    pub(super) fn moment_at(&self, pack: usize, now: Instant, draws: Draws) -> Moment<'_> {
        let options = &self.ground.options[pack];
        Moment { world: &self.worlds[pack], controls: &self.controls, now, mode: self.mode(), draws, options }
    }

    /// Lets reads see how the sandbox is now.
    fn show(&self) -> Arc<Seen> {
        let seen = Arc::new(Seen {
            ground: Arc::clone(&self.ground),
            worlds: self.worlds.clone(),
            controls: self.controls.clone(),
            clock: self.clock,
            mode: self.mode(),
            due: self.next_due(),
            version: self.version,
        });
        self.shown.store(Some(Arc::clone(&seen)));
        seen
    }

    /// Takes away what reads see. It would keep alive what is replaced, and have it copied.
    pub(super) fn unshow(&self) {
        if self.shown.load().is_some() {
            self.shown.store(None);
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

//! Doing what is due: events whose time has come, and attempts to deliver webhooks.
//!
//! What is due comes before everything that happens after it: whoever looks at a sandbox has it done first, in the order of
//! the agenda. What goes out is handed to the [`Carrier`](super::Carrier); what came of it is told with
//! [`Sandbox::received`], whenever that is. While time is advanced, the one who advances it does all that.

use std::sync::Arc;

use parking_lot::MutexGuard;
use serde_json::Value as Json;

use super::agenda::{Agenda, Item, Key, MOST_DEPTH, Most, Planned};
use super::deeds::{Deeds, Fired, Occasion};
use super::exchange::notes;
use super::ground::Ground;
use super::outbox::{Attempt, Delivery, Orphan, State as Stand};
use super::state::{Doing, Freed, Sandbox, State};
use super::world::Change;
use crate::clock::{Instant, Mode, Real};
use crate::exchange::{JsonText, Outcome, Outgoing};
use crate::expr::Draws;
use crate::journal::{Attempted, Entry, Happening, Received, Scheduled};

/// An attempt that is under way.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    /// The pack's name.
    pub(crate) pack: Arc<str>,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) number: u32,
    pub(crate) sent: Arc<Outgoing>,
    /// What the sandbox was at when it went out: a result of another time changes nothing.
    generation: u64,
}

impl Ticket {
    /// The attempt as it went out.
    pub(crate) fn attempt(&self) -> Option<&Attempt> {
        self.delivery.attempts.iter().find(|attempt| attempt.number == self.number).map(|attempt| &**attempt)
    }
}

/// Something that was done because it was due.
#[derive(Debug)]
pub(crate) struct Performed {
    pub(crate) entry: Arc<Entry>,
    ticket: Option<Ticket>,
    freed: Freed,
}

/// Who advances the time of a sandbox. Until then, whoever else looks at it sees the instant that was reached.
#[derive(Debug)]
pub(crate) struct Stride {
    generation: u64,
    number: u64,
    pub(crate) from: Instant,
}

/// What comes next for whoever advances time.
#[derive(Debug)]
pub(crate) enum Next {
    Done(Arc<Entry>),
    /// An attempt is under way, and its outcome is waited for.
    Send(Arc<Entry>, Ticket),
    /// Others are under way.
    Wait,
    /// There is nothing more to do until the instant, which is reached.
    Arrived(Instant, Mode),
    /// The sandbox went back to another time, or is gone.
    Overtaken,
}

/// How many things are done before others have their turn.
const AT_ONCE: usize = 256;

impl Sandbox {
    /// The state when nothing is due any more, for whoever wants to see it or to change it.
    pub(super) fn caught_up(&self, real: Real) -> MutexGuard<'_, State> {
        loop {
            let mut state = self.lock();
            if !state.is_due(real) {
                return state;
            }
            let performed = state.perform(real, self.beginning.deeds, AT_ONCE);
            self.let_go(state, performed);
        }
    }

    /// Does what is due by now.
    pub(crate) fn catch_up(&self, real: Real) {
        drop(self.caught_up(real));
    }

    /// Does what became due by what was just done, and tells the carrier when it is to look again. `before` is when
    /// something was due before that.
    pub(super) fn settle(&self, mut state: MutexGuard<'_, State>, before: Option<Key>, real: Real) {
        if !state.is_due(real) {
            let other = state.agenda.first() != before;
            drop(state);
            if other {
                self.beginning.carrier.look(&self.id);
            }
            return;
        }
        let performed = state.perform(real, self.beginning.deeds, AT_ONCE);
        self.let_go(state, performed);
        self.beginning.carrier.look(&self.id);
    }

    fn let_go(&self, state: MutexGuard<'_, State>, performed: Vec<Performed>) {
        drop(state);
        for Performed { ticket, .. } in performed {
            if let Some(ticket) = ticket {
                self.beginning.carrier.carry(&self.id, ticket);
            }
        }
    }

    /// In how many real microseconds something is due; none where nothing will be while nobody does anything.
    pub(crate) fn next_due(&self, real: Real) -> Option<i64> {
        let state = self.lock();
        let (at, _) = state.next_due()?;
        let left = at.since(state.now(real)).micros().max(0);
        (left == 0 || state.clock.mode() == Mode::Ticking).then_some(left)
    }

    /// What is to happen and what went out, as it is now.
    pub(crate) fn agenda(&self, real: Real) -> Agenda {
        self.caught_up(real).agenda.clone()
    }

    /// How much may be on the agenda of what somebody asks for, or webhooks send. Events may take as many bytes as the log.
    pub(crate) fn most_agenda(&self) -> Most {
        Most { things: self.beginning.most_agenda, bytes: self.beginning.journal.bytes }
    }

    /// Results that came too late.
    pub(crate) fn orphans(&self) -> Vec<Orphan> {
        self.lock().orphans.iter().cloned().collect()
    }

    /// Changes what is to happen. Nothing changes when `act` refuses.
    pub(crate) fn plan<E>(
        &self,
        real: Real,
        act: impl FnOnce(&Ground, &Agenda, Instant) -> Result<(Agenda, Happening), E>,
    ) -> Result<Arc<Entry>, E> {
        let mut state = self.caught_up(real);
        let before = state.agenda.first();
        let at = state.now(real);
        let (agenda, what) = act(&state.ground, &state.agenda, at)?;
        let (entry, freed) = state.enter(at, what, Doing { agenda: Some(agenda), ..Doing::default() });
        self.settle(state, before, real);
        drop(freed);
        Ok(entry)
    }

    /// Whether an attempt belongs to the time that the sandbox is in.
    pub(crate) fn awaits(&self, ticket: &Ticket) -> bool {
        let state = self.lock();
        !state.closed && state.generation == ticket.generation
    }

    /// When something is due first.
    pub(crate) fn first_due(&self) -> Option<Instant> {
        self.lock().agenda.first().map(|(at, _)| at)
    }

    /// Enters what came of an attempt. A result of a time that is gone changes nothing.
    pub(crate) fn received(&self, ticket: &Ticket, outcome: Arc<Outcome>, took: u64, real: Real) -> Option<Arc<Entry>> {
        let mut state = self.caught_up(real);
        if state.closed || state.generation != ticket.generation {
            state.orphan(ticket, outcome, took);
            return None;
        }
        let before = state.agenda.first();
        let at = state.now(real);
        let entered = state.receive(at, &ticket.delivery.id, ticket.number, outcome, took);
        self.settle(state, before, real);
        let (entry, freed) = entered?;
        drop(freed);
        Some(entry)
    }

    // ---- advancing

    /// Begins to advance time: it stands still until that ends, but for the steps.
    pub(crate) fn stride(&self, real: Real) -> Stride {
        let mut state = self.caught_up(real);
        let now = state.now(real);
        state.resume = Some(state.clock.mode());
        state.by_hand = true;
        state.strides += 1;
        state.clock.set(now, Mode::Frozen, real);
        Stride { generation: state.generation, number: state.strides, from: now }
    }

    /// The next thing that is due until an instant, at its own instant; when there is none, that instant is reached and
    /// time goes on as before, or as `then` says.
    pub(crate) fn step(&self, stride: &Stride, target: Instant, then: Option<Mode>, real: Real) -> Next {
        let mut state = self.lock();
        if state.closed || !state.is_in(stride) {
            return Next::Overtaken;
        }
        if state.agenda.outbox.under_way() > 0 {
            return Next::Wait;
        }
        let now = state.now(real);
        if let Some((at, _)) = state.agenda.first().filter(|(at, _)| *at <= target) {
            state.clock.set(at.max(now), Mode::Frozen, real);
            let Some(performed) = state.perform_next(self.beginning.deeds) else { return Next::Overtaken };
            drop(state);
            let Performed { entry, ticket, freed } = performed;
            drop(freed);
            return match ticket {
                Some(ticket) => Next::Send(entry, ticket),
                None => Next::Done(entry),
            };
        }
        let before = state.end_stride();
        let mode = then.unwrap_or(before);
        let target = target.max(now);
        // What was done last has reached the instant already.
        let there = target == now && now > stride.from && mode == before;
        let freed = match there {
            true => None,
            false => Some(state.set_clock(now, target, (before, mode), real)),
        };
        if there {
            state.clock.set(now, mode, real);
        }
        drop(state);
        drop(freed);
        self.beginning.carrier.look(&self.id);
        Next::Arrived(target, mode)
    }

    /// Ends an advance where it is.
    pub(crate) fn halt(&self, stride: &Stride, real: Real) {
        let mut state = self.lock();
        if state.is_in(stride) {
            let now = state.now(real);
            let mode = state.end_stride();
            state.clock.set(now, mode, real);
            drop(state);
            self.beginning.carrier.look(&self.id);
        }
    }

    /// Ends an advance that is under way, and lets the time stand where it is. Says whether there was one.
    pub(crate) fn freeze(&self, real: Real) -> Option<Instant> {
        let mut state = self.lock();
        state.resume?;
        let now = state.now(real);
        let before = state.end_stride();
        let freed = state.set_clock(now, now, (before, Mode::Frozen), real);
        drop(state);
        drop(freed);
        self.beginning.carrier.look(&self.id);
        Some(now)
    }

    // ---- doing it again

    /// From now on nothing is done by itself: a log says what is.
    pub(crate) fn by_hand(&self) {
        self.lock().by_hand = true;
    }

    /// Does what is due next, whenever that is.
    pub(crate) fn perform_again(&self) -> Option<Arc<Entry>> {
        let mut state = self.lock();
        let performed = state.perform_next(self.beginning.deeds)?;
        drop(state);
        Some(performed.entry)
    }

    /// Takes back the attempts of a delivery that are under way, where one of them had this place, or none is named. A log
    /// does not say when the sandbox went back to another time and took them back; that it did is seen when something happens
    /// that could not otherwise.
    pub(crate) fn take_back_again(&self, id: &str, place: Option<Key>) {
        let mut state = self.lock();
        let Some(delivery) = state.agenda.outbox.get(id).filter(|known| known.state == Stand::Sending) else { return };
        let had = |place| delivery.attempts.iter().any(|one| one.outcome.is_none() && one.key() == place);
        if place.is_none_or(had) {
            state.agenda.take_back(id);
        }
    }

    /// Enters what came of an attempt. None where no such attempt is under way.
    pub(crate) fn receive_again(&self, id: &str, number: u32, outcome: Outcome, took: u64) -> Option<Arc<Entry>> {
        let mut state = self.lock();
        let at = state.latest;
        let (entry, freed) = state.receive(at, id, number, Arc::new(outcome), took)?;
        drop(state);
        drop(freed);
        Some(entry)
    }
}

impl State {
    /// Whether something is due that whoever looks has to do first.
    pub(super) fn is_due(&self, real: Real) -> bool {
        self.next_due().is_some_and(|(at, _)| at <= self.now(real))
    }

    /// What is done by itself next.
    pub(super) fn next_due(&self) -> Option<Key> {
        self.agenda.first().filter(|_| !self.by_hand && !self.closed)
    }

    fn perform(&mut self, real: Real, deeds: Deeds, most: usize) -> Vec<Performed> {
        let mut performed = Vec::new();
        while performed.len() < most && self.is_due(real) {
            let Some(done) = self.perform_next(deeds) else { break };
            performed.push(done);
        }
        performed
    }

    /// Does what is next on the agenda, at its own instant, or at that of the last entry where that is later.
    fn perform_next(&mut self, deeds: Deeds) -> Option<Performed> {
        let before = self.agenda.clone();
        let (key, item) = self.agenda.take()?;
        let from = self.latest;
        let at = key.0.max(from);
        Some(match &item.what {
            Planned::Attempt { delivery, planned } => {
                self.attempt(at, from, before, (key, *planned), &item, delivery, deeds)
            }
            Planned::Asked { event, input } => self.fire(at, from, before, &item, Occasion::Asked(event, input), deeds),
            Planned::Tied { event, id } => self.fire(at, from, before, &item, Occasion::Tied(event, id), deeds),
        })
    }

    fn fire(
        &mut self,
        at: Instant,
        from: Instant,
        before: Agenda,
        item: &Item,
        occasion: Occasion<'_>,
        deeds: Deeds,
    ) -> Performed {
        let pack = Arc::clone(&self.ground.packs[item.pack]);
        let (Occasion::Asked(name, _) | Occasion::Tied(name, _)) = occasion;
        let fired = if item.depth > MOST_DEPTH {
            let why =
                "things at one instant led to others again and again, to this one at last: it would go on for ever";
            let why = why.to_owned();
            Fired { input: Json::Null, change: Err(why) }
        } else {
            let draws = Draws::new(self.ground.seed, self.log.position());
            (deeds.fire)(&pack, &self.moment_at(item.pack, at, draws), &occasion)
        };
        let (change, refused) = match fired.change {
            Ok(change) => (change, None),
            Err(why) => (Change::default(), Some(why)),
        };
        let what = Happening::Event {
            pack: Arc::clone(&pack.name),
            name: name.into(),
            input: JsonText::of(&fired.input),
            changes: notes(&pack, &change.steps),
            deliveries: change.delivery_ids(),
            scheduled: Some(Box::new(Scheduled { from, refused })),
        };
        let doing = Doing { before: Some(before), depth: item.depth, ..Doing::of(item.pack, change) };
        let (entry, freed) = self.enter(at, what, doing);
        Performed { entry, ticket: None, freed }
    }

    #[allow(clippy::too_many_arguments, reason = "all of it is known where the item was taken out")]
    fn attempt(
        &mut self,
        at: Instant,
        from: Instant,
        before: Agenda,
        ((due, place), planned): (Key, bool),
        item: &Item,
        id: &Arc<str>,
        deeds: Deeds,
    ) -> Performed {
        let pack = Arc::clone(&self.ground.packs[item.pack]);
        let known = self.agenda.outbox.get(id).cloned();
        let number = known.as_ref().map_or(1, |delivery| delivery.next_attempt());
        let sent = match &known {
            Some(delivery) => {
                let draws = Draws::new(self.ground.seed, delivery.position);
                (deeds.attempt)(&pack, &self.moment_at(item.pack, at, draws), delivery, number).map(Arc::new)
            }
            None => Err("it is not kept any more".to_owned()),
        };
        let delivery = self.agenda.outbox.change(id, |delivery| {
            if planned {
                delivery.next = None;
            }
            match &sent {
                Ok(sent) => {
                    let attempt = Attempt { number, at, due, place, planned, sent: Arc::clone(sent), outcome: None };
                    delivery.attempts.push(Arc::new(attempt));
                    delivery.state = Stand::Sending;
                }
                // What somebody asked for besides changes nothing of what was, or is to be.
                Err(_) if !planned && delivery.is_taken() => delivery.state = Stand::Delivered,
                Err(_) if !planned && delivery.next.is_some() => delivery.state = Stand::Waiting,
                Err(why) => {
                    delivery.state = Stand::Dropped(why.clone());
                    delivery.next = None;
                }
            }
            delivery.clone()
        });
        if let (Err(_), Some(delivery), None) = (&sent, &known, delivery.as_ref().and_then(|delivery| delivery.next)) {
            self.agenda.settle(delivery);
        }
        let generation = self.generation;
        let ticket = sent.as_ref().ok().zip(delivery).map(|(sent, delivery)| Ticket {
            pack: Arc::clone(&pack.name),
            delivery: Arc::new(delivery),
            number,
            sent: Arc::clone(sent),
            generation,
        });
        let webhook = known.map_or_else(|| Arc::from(""), |delivery| Arc::clone(&delivery.webhook));
        let face = Arc::clone(&pack.face);
        let attempted = Attempted { pack: face, webhook, delivery: Arc::clone(id), number, due, place, from, sent };
        let what = Happening::Attempt(Box::new(attempted));
        let (entry, freed) = self.enter(at, what, Doing { before: Some(before), ..Doing::default() });
        Performed { entry, ticket, freed }
    }

    /// Enters what came of the attempt that is under way. None where there is no such attempt.
    fn receive(
        &mut self,
        at: Instant,
        id: &str,
        number: u32,
        outcome: Arc<Outcome>,
        took: u64,
    ) -> Option<(Arc<Entry>, Freed)> {
        let before = self.agenda.clone();
        let delivery = Arc::clone(self.agenda.outbox.get(id)?);
        let place = delivery.attempts.iter().position(|one| one.number == number && one.outcome.is_none())?;
        let attempt = &delivery.attempts[place];
        let pack = Arc::clone(&self.ground.packs[delivery.pack]);
        let taken = outcome.is_taken() || delivery.is_taken();
        let webhook = pack.webhook_named(&delivery.webhook);
        let next = match (attempt.planned, delivery.next) {
            _ if taken => None,
            (false, next) => next,
            (true, _) => {
                let interval = webhook.and_then(|webhook| webhook.retries.get(delivery.planned() - 1));
                interval.map(|interval| attempt.due.saturating_add(*interval))
            }
        };
        let sent = Arc::clone(&attempt.sent);
        let done = Attempt { outcome: Some((Arc::clone(&outcome), took)), ..(**attempt).clone() };
        self.agenda.settle(&delivery);
        let delivery = self.agenda.outbox.change(id, |delivery| {
            delivery.attempts[place] = Arc::new(done);
            delivery.next = next;
            delivery.state = match (taken, next) {
                // One that somebody asked for and a planned one can be under way together.
                _ if delivery.attempts.iter().any(|one| one.outcome.is_none()) => Stand::Sending,
                (true, _) => Stand::Delivered,
                (false, Some(_)) => Stand::Waiting,
                (false, None) => Stand::Failed,
            };
            delivery.clone()
        })?;
        if let Some(next) = next {
            self.agenda.retry(&delivery, next);
        }
        self.bound_outbox();
        let what = Happening::Outcome(Box::new(Received {
            pack: Arc::clone(&pack.face),
            webhook: Arc::clone(&delivery.webhook),
            delivery: Arc::clone(&delivery.id),
            number,
            sent,
            outcome,
            took,
        }));
        Some(self.enter(at, what, Doing { before: Some(before), ..Doing::default() }))
    }

    fn orphan(&mut self, ticket: &Ticket, outcome: Arc<Outcome>, took: u64) {
        let Some(attempt) = ticket.attempt() else { return };
        let attempt = Attempt { outcome: Some((outcome, took)), ..attempt.clone() };
        let number = self.orphans.back().map_or(1, |last| last.number + 1);
        if self.orphans.len() >= MOST_ORPHANS {
            self.orphans.pop_front();
        }
        self.orphans.push_back(Orphan { number, delivery: Arc::clone(&ticket.delivery), attempt });
    }

    /// Whether this advance is under way.
    fn is_in(&self, stride: &Stride) -> bool {
        self.resume.is_some() && self.generation == stride.generation && self.strides == stride.number
    }

    /// Time goes on as it did before it was advanced.
    fn end_stride(&mut self) -> Mode {
        self.by_hand = false;
        self.resume.take().unwrap_or(Mode::Frozen)
    }

    /// Puts what an effect or event makes go out into the outbox.
    pub(super) fn post(&mut self, doing: &mut Doing, at: Instant) {
        let Some(pack) = doing.pack else { return };
        let (cause, position) = (self.log.next(), self.log.position());
        for draft in std::mem::take(&mut doing.deliveries) {
            // What is under way keeps its place, to which it may come back.
            let full = self.agenda.bounded() + self.agenda.outbox.absent() >= self.most_agenda;
            let (state, first) = match &draft.unsent {
                Some(how) => (Stand::Unsent(Arc::clone(how)), None),
                None if let Some(why) = draft.dropped => (Stand::Dropped(why.to_owned()), None),
                None if full => {
                    let why = format!("the agenda has {} things, as many as it may (--max-agenda)", self.most_agenda);
                    (Stand::Dropped(why), None)
                }
                None => (Stand::Waiting, Some(draft.first)),
            };
            let delivery = Delivery {
                number: self.agenda.number(),
                id: draft.id,
                pack,
                webhook: draft.webhook,
                cause,
                position,
                made: at,
                about: draft.about,
                to: draft.to,
                media: draft.media,
                body: draft.body,
                state,
                attempts: Vec::new(),
                next: first,
            };
            self.agenda.post(delivery, first);
        }
        self.bound_outbox();
    }

    /// As many deliveries are kept as entries, and as many bytes.
    fn bound_outbox(&mut self) {
        let limits = self.log.limits();
        self.agenda.outbox.bound(limits.entries, limits.bytes);
    }
}

/// How many results that came too late are kept.
const MOST_ORPHANS: usize = 100;

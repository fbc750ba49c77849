//! What is to happen by itself, at which virtual instant, and what went out already. A copy shares all of it.

use std::sync::Arc;

use imbl::{HashMap, OrdMap};

use super::outbox::{Delivery, Outbox, State};
use super::view::RecordView;
use super::world::{Record, World};
use crate::clock::{Instant, Span};
use crate::exchange::JsonText;
use crate::expr::{Draws, Scope, Value};
use crate::pack::{Due, Event, Pack, ResourceId, Schedule};

/// What waits for its instant, in the order of instant and number, with what came of webhooks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agenda {
    queue: OrdMap<Key, Arc<Item>>,
    /// Where the events of records stand.
    tied: HashMap<Tie, Key>,
    /// Where events that somebody asked for stand, by their numbers.
    asked: OrdMap<u64, Instant>,
    /// What those take.
    bytes: usize,
    /// The number that the next thing will have.
    next: u64,
    pub(crate) outbox: Outbox,
}

/// The instant at which something happens, and its number, which says what comes first of things of one instant.
pub(crate) type Key = (Instant, u64);

/// Pack, event, and the id of a record.
type Tie = (usize, Arc<str>, Arc<str>);

/// How much there may be on an agenda of what somebody asks for, or webhooks send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Most {
    pub(crate) things: usize,
    /// Of events that somebody asks for.
    pub(crate) bytes: usize,
}

impl Most {
    /// Any number, of any size.
    pub(crate) const NONE: Most = Most { things: usize::MAX, bytes: usize::MAX };
}

/// About how many bytes of an agenda are not shared with one that a change has made of it.
const COPIED: usize = 4096;

/// About how many bytes an event takes that somebody asked for, besides its input.
const EACH: usize = 256;

/// One thing that is to happen.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) pack: usize,
    pub(crate) what: Planned,
    /// How much at the same instant led to it: one more than what led to that, times how many things that led to at once.
    pub(crate) depth: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Planned {
    /// An event that somebody asked for.
    Asked { event: Arc<str>, input: JsonText },
    /// An event that a pack has for this record.
    Tied { event: Arc<str>, id: Arc<str> },
    /// An attempt to deliver a webhook.
    Attempt {
        delivery: Arc<str>,
        /// One of the webhook's plan, and not one that somebody asked for.
        planned: bool,
    },
}

/// How deep things may lead to others at one instant. In a line a hundred can; whatever branches, there are at most ten
/// thousand, for at each step no more than a hundred are this deep.
pub(crate) const MOST_DEPTH: u32 = 100;

impl Planned {
    /// About how many bytes it takes of what agendas have room for.
    fn size(&self) -> usize {
        match self {
            Planned::Asked { input, .. } => EACH + input.len(),
            Planned::Tied { .. } | Planned::Attempt { .. } => 0,
        }
    }
}

impl Agenda {
    /// What sandboxes begin with: the events that packs have for the records that are there from the start.
    pub(super) fn beginning(packs: &[Arc<Pack>], worlds: &[World], now: Instant) -> Self {
        let mut agenda = Agenda::default();
        for (number, (pack, world)) in packs.iter().zip(worlds).enumerate() {
            agenda.tie_all(number, pack, world, now, |_| true);
        }
        agenda
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// How much of it somebody asked for, or goes out. What packs have for their records is as much as these are.
    pub(crate) fn bounded(&self) -> usize {
        self.queue.len() - self.tied.len()
    }

    /// About how many bytes the events take that somebody asked for.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// About how many bytes keeping this agenda costs when another one has taken its place.
    pub(super) fn kept_beside(&self, after: &Agenda) -> usize {
        COPIED + self.bytes.saturating_sub(after.bytes) + self.outbox.bytes().saturating_sub(after.outbox.bytes())
    }

    /// The number that the next thing will have.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn set_next(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// When the next thing happens.
    pub(crate) fn first(&self) -> Option<Key> {
        self.queue.get_min().map(|(key, _)| *key)
    }

    /// Everything, in order.
    pub(crate) fn items(&self) -> impl Iterator<Item = (Key, &Item)> {
        self.queue.iter().map(|(key, item)| (*key, &**item))
    }

    /// The next thing, which is taken out.
    pub(super) fn take(&mut self) -> Option<(Key, Arc<Item>)> {
        let key = self.first()?;
        let item = self.remove(key)?;
        Some((key, item))
    }

    fn remove(&mut self, key: Key) -> Option<Arc<Item>> {
        let item = self.queue.remove(&key)?;
        self.bytes -= item.what.size();
        match &item.what {
            Planned::Asked { .. } => {
                self.asked.remove(&key.1);
            }
            Planned::Tied { event, id } => {
                self.tied.remove(&(item.pack, Arc::clone(event), Arc::clone(id)));
            }
            Planned::Attempt { .. } => {}
        }
        Some(item)
    }

    /// Puts something at a place where nothing is.
    pub(crate) fn put(&mut self, key: Key, item: Item) {
        match &item.what {
            Planned::Asked { .. } => {
                self.asked.insert(key.1, key.0);
            }
            Planned::Tied { event, id } => {
                self.tied.insert((item.pack, Arc::clone(event), Arc::clone(id)), key);
            }
            Planned::Attempt { .. } => {}
        }
        self.next = self.next.max(key.1 + 1);
        self.bytes += item.what.size();
        self.queue.insert(key, Arc::new(item));
    }

    fn add(&mut self, at: Instant, item: Item) -> Key {
        let key = (at, self.next);
        self.put(key, item);
        key
    }

    /// Has an event happen at an instant. Gives its number.
    pub(crate) fn ask(&mut self, at: Instant, pack: usize, event: Arc<str>, input: JsonText) -> u64 {
        self.add(at, Item { pack, what: Planned::Asked { event, input }, depth: 0 }).1
    }

    /// An event that somebody asked for, by its number.
    pub(crate) fn asked(&self, number: u64) -> Option<(Instant, &Item)> {
        let at = *self.asked.get(&number)?;
        Some((at, self.queue.get(&(at, number))?))
    }

    /// Takes back what somebody asked for. Says whether it was there.
    pub(crate) fn cancel(&mut self, number: u64) -> bool {
        let at = self.asked.get(&number).copied();
        at.and_then(|at| self.remove((at, number))).is_some()
    }

    // ---- events of records

    /// Has the events that a pack has for a resource follow the change of one of its records. Gives the places of those that
    /// are due at once.
    pub(super) fn follow(&mut self, number: usize, pack: &Arc<Pack>, change: &Changed<'_>, now: Instant) -> Vec<Key> {
        let mut due = Vec::new();
        for event in &pack.events {
            let Some(schedule) = event.schedule.as_ref().filter(|schedule| schedule.resource == change.resource) else {
                continue;
            };
            let resource = pack.resource(change.resource);
            let either = change.after.or(change.before);
            let Some(id) = either.and_then(|record| record.text(resource.id)) else { continue };
            let tie = (number, Arc::clone(&event.name), Arc::from(id));
            let was = change.before.map_or(Told::Nothing, |record| told(pack, schedule, record));
            let is = change.after.map_or(Told::Nothing, |record| told(pack, schedule, record));
            if was == is {
                continue;
            }
            if let Some(key) = self.tied.get(&tie).copied() {
                self.remove(key);
            }
            due.extend(self.tie(tie, is, now).filter(|(at, _)| *at <= now));
        }
        due
    }

    fn tie(&mut self, (pack, event, id): Tie, told: Told, now: Instant) -> Option<Key> {
        let at = match told {
            Told::Nothing => return None,
            Told::At(at) => at,
            Told::After(span) => now.saturating_add(span),
        };
        Some(self.add(at, Item { pack, what: Planned::Tied { event, id }, depth: 0 }))
    }

    /// Says of what is due at once how much led to it.
    pub(super) fn deepen(&mut self, due: &[Key], depth: u32) {
        let many = u32::try_from(due.len()).unwrap_or(u32::MAX);
        let depth = depth.saturating_mul(many).saturating_add(1);
        for key in due {
            if let Some(item) = self.queue.get(key).map(|item| Item::clone(item)) {
                self.queue.insert(*key, Arc::new(Item { depth, ..item }));
            }
        }
    }

    fn tie_all(
        &mut self,
        number: usize,
        pack: &Arc<Pack>,
        world: &World,
        now: Instant,
        wanted: impl Fn(&Event) -> bool,
    ) {
        for event in &pack.events {
            let Some(schedule) = event.schedule.as_ref().filter(|_| wanted(event)) else { continue };
            for sequence in world.sequences(schedule.resource, None).iter() {
                let Some(record) = world.at(schedule.resource, *sequence) else { continue };
                let Some(id) = record.text(pack.resource(schedule.resource).id) else { continue };
                let tie = (number, Arc::clone(&event.name), Arc::from(id));
                self.tie(tie, told(pack, schedule, record), now);
            }
        }
    }

    /// Goes over to another pack: events of records that there are no more, or that are not for them any more, are taken
    /// out; those that an event has only now come in. What is there keeps its instant.
    pub(super) fn renew(
        &mut self,
        number: usize,
        before: Option<&Pack>,
        pack: &Arc<Pack>,
        world: &World,
        now: Instant,
    ) {
        let schedule = |pack: &Pack, name: &str| {
            let event = pack.event_named(name)?;
            let schedule = event.schedule.as_ref()?;
            Some(Arc::clone(&pack.resource(schedule.resource).name))
        };
        let stays = |event: &str, id: &str| {
            let known = pack.event_named(event)?;
            let schedule = known.schedule.as_ref()?;
            let record = world.get(schedule.resource, id)?;
            (told(pack, schedule, record) != Told::Nothing).then_some(())
        };
        let gone: Vec<Key> = self
            .tied
            .iter()
            .filter(|((of, event, id), _)| *of == number && stays(event, id).is_none())
            .map(|(_, key)| *key)
            .collect();
        for key in gone {
            self.remove(key);
        }
        self.tie_all(number, pack, world, now, |event| {
            before.is_none_or(|before| schedule(before, &event.name) != schedule(pack, &event.name))
        });
    }

    // ---- webhooks

    /// Has a delivery made at an instant for the first time.
    pub(super) fn post(&mut self, delivery: Delivery, first: Option<Instant>) {
        let (pack, id) = (delivery.pack, Arc::clone(&delivery.id));
        let number = delivery.number;
        self.outbox.put(delivery);
        if let Some(at) = first {
            let what = Planned::Attempt { delivery: id, planned: true };
            self.put((at, number), Item { pack, what, depth: 0 });
        }
    }

    /// The number of the next delivery, by which its attempts come in order, too.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Has an attempt made that is none of the plan.
    pub(crate) fn redeliver(&mut self, delivery: &Delivery, now: Instant) {
        let what = Planned::Attempt { delivery: Arc::clone(&delivery.id), planned: false };
        let pack = delivery.pack;
        self.outbox.change(&delivery.id, |delivery| delivery.state = State::Waiting);
        self.add(now, Item { pack, what, depth: 0 });
    }

    /// Has the next planned attempt of a delivery made at an instant.
    pub(super) fn retry(&mut self, delivery: &Delivery, at: Instant) {
        let what = Planned::Attempt { delivery: Arc::clone(&delivery.id), planned: true };
        self.put((at, delivery.number), Item { pack: delivery.pack, what, depth: 0 });
    }

    /// The planned attempt of a delivery is not made any more.
    pub(super) fn settle(&mut self, delivery: &Delivery) {
        if let Some(at) = delivery.next {
            self.remove((at, delivery.number));
        }
    }

    /// Attempts that are under way are to be made once more: their results belong to a time that is gone.
    pub(crate) fn requeue(&mut self) {
        for id in self.outbox.sending() {
            self.take_back(&id);
        }
    }

    /// The attempts of a delivery that are under way are to be made once more, at the places that they had: so it does not
    /// matter whether they are taken back at once or only when they are made.
    pub(super) fn take_back(&mut self, id: &str) {
        let Some(taken_back) = self.outbox.change(id, Delivery::take_back) else { return };
        let Some(delivery) = self.outbox.get(id) else { return };
        let (id, pack) = (Arc::clone(&delivery.id), delivery.pack);
        for (key, planned) in taken_back {
            let what = Planned::Attempt { delivery: Arc::clone(&id), planned };
            self.put(key, Item { pack, what, depth: 0 });
        }
    }
}

/// What became of a record.
pub(super) struct Changed<'a> {
    pub(super) resource: ResourceId,
    pub(super) before: Option<&'a Arc<Record>>,
    pub(super) after: Option<&'a Arc<Record>>,
}

/// What a record tells of the event that a pack has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    At(Instant),
    After(Span),
}

/// What cannot be told has been found when the pack was read.
fn told(pack: &Arc<Pack>, schedule: &Schedule, record: &Arc<Record>) -> Told {
    let mut scope = Scope::new(Draws::default());
    scope.bind("tables", Value::json(&pack.tables));
    scope.bind("record", RecordView::value(pack, schedule.resource, Arc::clone(record)));
    if schedule.when.is_some_and(|when| !pack.program.holds(when, &scope).unwrap_or(false)) {
        return Told::Nothing;
    }
    match schedule.due {
        Due::After(span) => Told::After(span),
        Due::At(expr) => {
            let at = pack.program.eval(expr, &scope, "").ok().filter(|value| !value.is_null());
            at.and_then(|value| value.as_instant()).map_or(Told::Nothing, Told::At)
        }
    }
}

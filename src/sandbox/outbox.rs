//! What goes out to others: deliveries of webhooks, with every attempt. How answers get to clients is another thing, which
//! `exchange::Delivery` says.

use std::sync::Arc;

use bytes::Bytes;
use imbl::{HashMap, OrdMap, OrdSet};
use serde_json::Value as Json;

use super::agenda::Key;
use crate::clock::Instant;
use crate::exchange::{Outcome, Outgoing};

/// All deliveries that are kept, the oldest first. A copy shares all of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    all: OrdMap<u64, Arc<Delivery>>,
    numbers: HashMap<Arc<str>, u64>,
    /// Those whose attempt is under way.
    sending: OrdSet<u64>,
    /// Those of which nothing more is planned.
    settled: OrdSet<u64>,
    bytes: usize,
    evicted: u64,
}

/// What a webhook tells one receiver.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// Rises in a sandbox with each.
    pub(crate) number: u64,
    /// Drawn: the same steps give the same.
    pub(crate) id: Arc<str>,
    pub(crate) pack: usize,
    pub(crate) webhook: Arc<str>,
    /// The entry that caused it.
    pub(crate) cause: u64,
    /// How many things had happened before that: what attempts draw depends on it.
    pub(crate) position: u64,
    pub(crate) made: Instant,
    pub(crate) about: Arc<[(Arc<str>, About)]>,
    /// Where it was to go when it was made.
    pub(crate) to: Option<Arc<str>>,
    pub(crate) media: &'static str,
    pub(crate) body: Bytes,
    pub(crate) state: State,
    pub(crate) attempts: Vec<Arc<Attempt>>,
    /// When the next planned attempt is made.
    pub(crate) next: Option<Instant>,
}

/// What a name of the webhook's expressions stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum About {
    /// A record, as it is when somebody asks, and as it was last where there is none any more.
    Record {
        resource: Arc<str>,
        id: Arc<str>,
    },
    /// A record that this has taken away.
    Gone {
        resource: Arc<str>,
        fields: Json,
    },
    Value(Json),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// An attempt is to come.
    Waiting,
    /// One is under way.
    Sending,
    /// A receiver has taken it.
    Delivered,
    /// It got there in another way, and was never sent.
    Unsent(Arc<str>),
    /// All attempts were made, and none was taken.
    Failed,
    /// It was given up before, for this reason.
    Dropped(String),
}

impl State {
    /// Every word for a state. What is unsent counts as delivered.
    pub(crate) const WORDS: [&str; 5] = ["waiting", "sending", "delivered", "failed", "dropped"];

    pub(crate) fn word(&self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Sending => "sending",
            State::Delivered | State::Unsent(_) => "delivered",
            State::Failed => "failed",
            State::Dropped(_) => "dropped",
        }
    }

    fn is_settled(&self) -> bool {
        !matches!(self, State::Waiting | State::Sending)
    }
}

/// One attempt to deliver.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// The first is 1.
    pub(crate) number: u32,
    pub(crate) at: Instant,
    /// When it was to be made.
    pub(crate) due: Instant,
    /// The number that it had on the agenda.
    pub(crate) place: u64,
    /// One of the webhook's plan, and not one that somebody asked for.
    pub(crate) planned: bool,
    pub(crate) sent: Arc<Outgoing>,
    /// With the real microseconds that it took; none while it is under way.
    pub(crate) outcome: Option<(Arc<Outcome>, u64)>,
}

/// What an effect or event makes go out.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) webhook: Arc<str>,
    pub(crate) id: Arc<str>,
    pub(crate) about: Arc<[(Arc<str>, About)]>,
    pub(crate) to: Option<Arc<str>>,
    pub(crate) media: &'static str,
    pub(crate) body: Bytes,
    /// How it gets there without being sent.
    pub(crate) unsent: Option<Arc<str>>,
    /// Why it is given up at once.
    pub(crate) dropped: Option<&'static str>,
    /// When it is sent first.
    pub(crate) first: Instant,
}

/// About how many bytes a delivery takes, or an attempt, besides texts.
const EACH: usize = 256;

/// A result of an attempt that was made in a time that is gone: it changes nothing.
#[derive(Debug, Clone)]
pub(crate) struct Orphan {
    /// Rises by one with each in a sandbox.
    pub(crate) number: u64,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) attempt: Attempt,
}

impl Attempt {
    /// The place that it had on the agenda.
    pub(crate) fn key(&self) -> Key {
        (self.due, self.place)
    }
}

impl Delivery {
    /// How many attempts of the plan were made.
    pub(crate) fn planned(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.planned).count()
    }

    /// The number that its next attempt has.
    pub(crate) fn next_attempt(&self) -> u32 {
        self.attempts.iter().map(|attempt| attempt.number).max().unwrap_or(0).saturating_add(1)
    }

    /// Whether a receiver has taken it.
    pub(crate) fn is_taken(&self) -> bool {
        let taken = |attempt: &Arc<Attempt>| attempt.outcome.as_ref().is_some_and(|(outcome, _)| outcome.is_taken());
        self.attempts.iter().any(taken)
    }

    /// Takes back the attempts that are under way. Gives the place of each on the agenda, and whether it was planned.
    pub(super) fn take_back(&mut self) -> Vec<(Key, bool)> {
        let (made, taken) = std::mem::take(&mut self.attempts).into_iter().partition(|one| one.outcome.is_some());
        self.attempts = made;
        self.state = State::Waiting;
        let taken: Vec<Arc<Attempt>> = taken;
        if let Some(planned) = taken.iter().find(|attempt| attempt.planned) {
            self.next = Some(planned.due);
        }
        taken.iter().map(|attempt| (attempt.key(), attempt.planned)).collect()
    }

    /// About how many bytes keeping it costs. What makes room follows from it, and that is the same on every machine, and
    /// whether or not an attempt under way was taken back.
    fn size(&self) -> usize {
        let over = self.attempts.iter().filter_map(|attempt| Some((attempt, attempt.outcome.as_ref()?)));
        let attempts = over.map(|(attempt, (outcome, _))| EACH + attempt.sent.size() + outcome.size());
        EACH + self.body.len() + attempts.sum::<usize>()
    }
}

impl Outbox {
    /// How many had to make room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// About how many bytes keeping all of it costs.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Delivery>> {
        self.all.values()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Arc<Delivery>> {
        self.all.get(self.numbers.get(id)?)
    }

    /// How many deliveries have an attempt that is under way.
    pub(crate) fn under_way(&self) -> usize {
        self.sending.len()
    }

    /// How many attempts are under way, which may come back to the agenda.
    pub(super) fn absent(&self) -> usize {
        let all = self.sending.iter().filter_map(|number| self.all.get(number));
        all.map(|delivery| delivery.attempts.iter().filter(|attempt| attempt.outcome.is_none()).count()).sum()
    }

    /// The deliveries whose attempt is under way.
    pub(super) fn sending(&self) -> Vec<Arc<str>> {
        self.sending.iter().filter_map(|number| self.all.get(number)).map(|delivery| Arc::clone(&delivery.id)).collect()
    }

    pub(crate) fn put(&mut self, delivery: Delivery) {
        self.numbers.insert(Arc::clone(&delivery.id), delivery.number);
        self.set(Arc::new(delivery));
    }

    /// Changes a delivery, if it is there.
    pub(super) fn change<R>(&mut self, id: &str, change: impl FnOnce(&mut Delivery) -> R) -> Option<R> {
        let mut delivery = Delivery::clone(self.get(id)?);
        let changed = change(&mut delivery);
        self.set(Arc::new(delivery));
        Some(changed)
    }

    fn set(&mut self, delivery: Arc<Delivery>) {
        let number = delivery.number;
        match delivery.state {
            State::Sending => self.sending.insert(number),
            _ => self.sending.remove(&number),
        };
        match delivery.state.is_settled() {
            true => self.settled.insert(number),
            false => self.settled.remove(&number),
        };
        self.bytes += delivery.size();
        if let Some(before) = self.all.insert(number, delivery) {
            self.bytes -= before.size();
        }
    }

    /// Lets the oldest of which nothing more is planned make room, down to a number and a size.
    pub(super) fn bound(&mut self, entries: usize, bytes: usize) {
        while self.all.len() > entries || self.bytes > bytes {
            let Some(number) = self.settled.remove_min() else { return };
            let Some(delivery) = self.all.remove(&number) else { return };
            self.numbers.remove(&delivery.id);
            self.bytes -= delivery.size();
            self.evicted += 1;
        }
    }

    pub(crate) fn set_evicted(&mut self, evicted: u64) {
        self.evicted = evicted;
    }
}

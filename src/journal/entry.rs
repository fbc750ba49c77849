use std::sync::Arc;

use super::{Face, Kept, Reloaded, Trace};
use crate::clock::Instant;
use crate::exchange::{Delivery, JsonText, Outcome, Outgoing, Request, Response};

/// One thing that happened in a sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Rises by one and is never used again in this sandbox, whatever is reset.
    pub(crate) id: u64,
    /// The virtual instant.
    pub(crate) at: Instant,
    pub(crate) what: Happening,
}

/// What can happen: everything that changes a world, and reads, which are part of its story.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Exchange(Kept),
    /// The clock was set.
    Clock {
        /// What it was before.
        from: Instant,
        now: Instant,
        mode: &'static str,
    },
    /// A record was put, changed or taken away by the control plane.
    State {
        method: &'static str,
        pack: Arc<str>,
        resource: Arc<str>,
        id: String,
        body: Option<JsonText>,
        changes: Vec<Note>,
    },
    /// An event of a pack was fired, or its time had come.
    Event {
        pack: Arc<str>,
        name: Arc<str>,
        input: JsonText,
        changes: Vec<Note>,
        /// The ids of what it tells others.
        deliveries: Vec<Arc<str>>,
        /// None where somebody fired it.
        scheduled: Option<Box<Scheduled>>,
    },
    /// A webhook was sent, or given up.
    Attempt(Box<Attempted>),
    /// What came of it.
    Outcome(Box<Received>),
    /// What a test asked of the sandbox was changed by the control plane.
    Setting {
        method: &'static str,
        /// Below `/_standin`.
        path: String,
        body: Option<JsonText>,
    },
    /// Another pack of the same name took the place of one.
    Reload(Box<Reloaded>),
}

/// An event whose time had come.
#[derive(Debug, Clone)]
pub(crate) struct Scheduled {
    /// The instant before.
    pub(crate) from: Instant,
    /// Why it did not happen, in words.
    pub(crate) refused: Option<String>,
}

/// An attempt to deliver a webhook.
#[derive(Debug, Clone)]
pub(crate) struct Attempted {
    /// The pack as it was then.
    pub(crate) pack: Arc<Face>,
    pub(crate) webhook: Arc<str>,
    pub(crate) delivery: Arc<str>,
    /// The first is 1.
    pub(crate) number: u32,
    /// When it was to be made, and the number that it had among all that was to happen.
    pub(crate) due: Instant,
    pub(crate) place: u64,
    /// The instant before.
    pub(crate) from: Instant,
    /// What goes out; else why nothing ever will, in words.
    pub(crate) sent: Result<Arc<Outgoing>, String>,
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The pack as it was then.
    pub(crate) pack: Arc<Face>,
    pub(crate) webhook: Arc<str>,
    pub(crate) delivery: Arc<str>,
    pub(crate) number: u32,
    pub(crate) sent: Arc<Outgoing>,
    pub(crate) outcome: Arc<Outcome>,
    /// In real microseconds.
    pub(crate) took: u64,
}

/// A request with its answer and the reasons for it.
#[derive(Debug, Clone)]
pub(crate) struct Exchanged {
    /// The pack as it was then; none where the path leads to none.
    pub(crate) pack: Option<Arc<Face>>,
    pub(crate) operation: Option<Arc<str>>,
    pub(crate) contract: Option<&'static str>,
    pub(crate) request: Arc<Request>,
    pub(crate) response: Response,
    pub(crate) trace: Trace,
    pub(crate) changes: Vec<Note>,
    /// The ids of what it tells others.
    pub(crate) deliveries: Vec<Arc<str>>,
    /// The stub that answered in place of the pack.
    pub(crate) stub: Option<Arc<str>>,
    /// None where the answer is sent at once and whole.
    pub(crate) delivery: Option<Box<Delivery>>,
    /// How long the engine took, in real microseconds.
    pub(crate) took: u64,
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// `create`, `update` or `delete`.
    pub(crate) verb: &'static str,
    pub(crate) resource: Arc<str>,
    pub(crate) id: String,
}

impl Exchanged {
    /// The name of the pack.
    pub(crate) fn pack_name(&self) -> Option<&str> {
        self.pack.as_ref().map(|face| &*face.name)
    }
}

impl Entry {
    /// The exchange as the log keeps it, for who needs to know little of it.
    pub(crate) fn kept(&self) -> Option<&Kept> {
        match &self.what {
            Happening::Exchange(kept) => Some(kept),
            _ => None,
        }
    }

    /// The exchange, where it is one; it is unpacked each time.
    pub(crate) fn exchange(&self) -> Option<Exchanged> {
        self.kept().map(Kept::exchanged)
    }

    pub(crate) fn is_exchange(&self) -> bool {
        self.kept().is_some()
    }

    /// What became of records of a pack.
    pub(crate) fn changes(&self) -> Option<(&str, &[Note])> {
        match &self.what {
            Happening::Exchange(kept) => Some((kept.pack_name()?, &kept.changes)),
            Happening::State { pack, changes, .. } | Happening::Event { pack, changes, .. } => Some((pack, changes)),
            _ => None,
        }
    }

    /// The instant until which nothing of it had happened.
    pub(crate) fn begin(&self) -> Instant {
        match &self.what {
            Happening::Clock { from, .. } => *from,
            Happening::Event { scheduled: Some(scheduled), .. } => scheduled.from,
            Happening::Attempt(attempt) => attempt.from,
            _ => self.at,
        }
    }

    /// Whether random draws of what comes after depend on it. When an answer of a receiver comes is not the sandbox's to
    /// say, so what is drawn does not depend on it; nor on how often a clock was moved to get where it is, so that what
    /// is done again at its own instants draws the same on a clock that stands and on one that ticks.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self.what, Happening::Clock { .. } | Happening::Attempt(_) | Happening::Outcome(_))
    }

    /// About how many bytes keeping this entry costs.
    pub(crate) fn size(&self) -> usize {
        size_of::<Entry>()
            + match &self.what {
                Happening::Exchange(kept) => kept.size(),
                Happening::Clock { .. } => 0,
                Happening::Reload(reloaded) => reloaded.size(),
                Happening::State { id, body, changes, .. } => {
                    id.len() + body.as_ref().map_or(0, JsonText::len) + size_of_notes(changes)
                }
                Happening::Event { input, changes, deliveries, .. } => {
                    input.len() + size_of_notes(changes) + size_of_ids(deliveries)
                }
                Happening::Attempt(attempt) => {
                    size_of::<Attempted>() + attempt.sent.as_ref().map_or_else(String::len, |sent| sent.size())
                }
                Happening::Outcome(received) => size_of::<Received>() + received.outcome.size(),
                Happening::Setting { path, body, .. } => path.len() + body.as_ref().map_or(0, JsonText::len),
            }
    }
}

/// About how many bytes keeping these costs.
pub(super) fn size_of_notes(notes: &[Note]) -> usize {
    notes.iter().map(|note| size_of::<Note>() + note.id.len()).sum()
}

/// The same of ids.
pub(super) fn size_of_ids(ids: &[Arc<str>]) -> usize {
    ids.iter().map(|id| size_of::<Arc<str>>() + id.len()).sum()
}

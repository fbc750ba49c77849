//! Waiting for what happens next. Whoever watches asks for entries when it can take some; nothing is kept for it, so one
//! that never asks costs nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use super::state::Sandbox;
use crate::journal::Entry;

/// Who waits for the next entry of a sandbox.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    last: u64,
    waiting: BTreeMap<u64, Waker>,
}

/// Those who are to look again. Dropping it wakes them, which takes a while where there are many: so after the lock.
#[derive(Debug, Default)]
#[must_use = "it is to be dropped when nobody waits"]
pub(super) struct Woken(BTreeMap<u64, Waker>);

impl Drop for Woken {
    fn drop(&mut self) {
        while let Some((_, waker)) = self.0.pop_first() {
            waker.wake();
        }
    }
}

impl Watchers {
    pub(super) fn take(&mut self) -> Woken {
        Woken(std::mem::take(&mut self.waiting))
    }
}

/// One who follows the log of a sandbox.
#[derive(Debug)]
pub(crate) struct Watch {
    sandbox: Arc<Sandbox>,
    key: u64,
    /// The last entry that it knows.
    after: u64,
    generation: u64,
    /// Whether what it says it knows has still to be looked up.
    new: bool,
}

/// What a watcher learns, in the order of what happened.
#[derive(Debug)]
pub(crate) enum News {
    Entries(Vec<Arc<Entry>>),
    /// Entries that it knows may have been undone: the sandbox was reset, rewound or restored. The last entry in the log
    /// that it can know, 0 for none.
    Undone(u64),
    /// Entries that it does not know had to make room.
    Evicted {
        /// The last of them.
        last: u64,
        /// How many the log has lost in all.
        count: u64,
    },
    /// The sandbox was deleted, and all is told.
    Closed,
}

impl Watch {
    /// Follows what happens after an entry; without one, after the last that there is.
    pub(crate) fn new(sandbox: Arc<Sandbox>, after: Option<u64>) -> Self {
        let mut state = sandbox.lock();
        state.watchers.last += 1;
        let (key, generation) = (state.watchers.last, state.generation);
        let new = after.is_some();
        let after = after.unwrap_or(state.log.next() - 1);
        drop(state);
        sandbox.watched.fetch_add(1, Ordering::Relaxed);
        Watch { sandbox, key, after, generation, new }
    }

    pub(crate) fn sandbox(&self) -> &Arc<Sandbox> {
        &self.sandbox
    }

    /// Takes back what was told of entries behind this one: they are told again.
    pub(crate) fn back_to(&mut self, id: u64) {
        self.after = id;
    }

    /// What there is to learn, at most so many entries at once. Exchanges that the journal has forgotten are left out.
    pub(crate) fn poll(&mut self, context: &Context<'_>, most: usize) -> Poll<News> {
        let mut state = self.sandbox.lock();
        let log = &state.log;
        let (last, lost) = (log.next() - 1, log.lost());
        let evicted = self.after < lost;
        let undone = self.new && !evicted && self.after > 0 && log.get(self.after).is_none();
        if state.generation != self.generation || undone && self.after != lost {
            (self.generation, self.new) = (state.generation, false);
            self.after = log.last_until(self.after);
            return Poll::Ready(News::Undone(self.after));
        }
        self.new = false;
        if evicted {
            self.after = lost;
            return Poll::Ready(News::Evicted { last: lost, count: log.evicted() });
        }
        let entries: Vec<_> = log.unforgotten_behind(self.after).take(most).cloned().collect();
        if let Some(newest) = entries.last() {
            self.after = newest.id;
            return Poll::Ready(News::Entries(entries));
        }
        // Whatever else there is has been forgotten, and need not be looked at again.
        self.after = last;
        if state.closed {
            return Poll::Ready(News::Closed);
        }
        state.watchers.waiting.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.sandbox.lock().watchers.waiting.remove(&self.key);
        self.sandbox.watched.fetch_sub(1, Ordering::Relaxed);
    }
}

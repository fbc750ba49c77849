use std::collections::VecDeque;
use std::sync::Arc;

use super::{Entry, Happening};
use crate::clock::Instant;

/// How much of the past is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { entries: 10_000, bytes: 64 << 20 }
    }
}

/// Everything that happened in a sandbox, oldest first, as far as it is kept.
#[derive(Debug)]
pub(crate) struct Log {
    entries: VecDeque<(Arc<Entry>, usize)>,
    limits: Limits,
    bytes: usize,
    next: u64,
    /// How many things happened since the sandbox began or was reset.
    position: u64,
    evicted: u64,
}

impl Log {
    pub(crate) fn new(limits: Limits) -> Self {
        Log { entries: VecDeque::new(), limits, bytes: 0, next: 1, position: 0, evicted: 0 }
    }

    /// The number that the next entry will have.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The place in the log that random draws of the next entry are keyed by.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// How many entries had to make room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Adds an entry. What had to make room is given back, to be dropped when nobody waits.
    pub(crate) fn push(&mut self, at: Instant, what: Happening) -> (Arc<Entry>, Vec<Arc<Entry>>) {
        let entry = Arc::new(Entry { id: self.next, at, what });
        let size = entry.size();
        let mut evicted = Vec::new();
        self.next += 1;
        self.position += 1;
        self.bytes += size;
        self.entries.push_back((Arc::clone(&entry), size));
        while self.entries.len() > self.limits.entries || (self.bytes > self.limits.bytes && self.entries.len() > 1) {
            let Some((old, size)) = self.entries.pop_front() else { break };
            self.bytes -= size;
            self.evicted += 1;
            evicted.push(old);
        }
        (entry, evicted)
    }

    /// Forgets what happened. Numbers of entries go on.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
        self.position = 0;
        self.evicted = 0;
    }

    /// Forgets exchanges only; what else happened, and the position, stays.
    pub(crate) fn forget_exchanges(&mut self) {
        let before = self.entries.len();
        self.entries.retain(|(entry, _)| entry.exchange().is_none());
        self.bytes = self.entries.iter().map(|(_, size)| size).sum();
        self.evicted += (before - self.entries.len()) as u64;
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Arc<Entry>> {
        let index = self.entries.partition_point(|(entry, _)| entry.id < id);
        self.entries.get(index).map(|(entry, _)| entry).filter(|entry| entry.id == id)
    }

    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        self.entries.iter().map(|(entry, _)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(log: &mut Log) -> u64 {
        let now = Instant::from_micros(0);
        log.push(now, Happening::Clock { now, mode: "frozen" }).0.id
    }

    #[test]
    fn old_entries_make_room_and_numbers_go_on() {
        let mut log = Log::new(Limits { entries: 2, bytes: 1 << 20 });
        let ids: Vec<u64> = (0..4).map(|_| clock(&mut log)).collect();
        assert_eq!(ids, [1, 2, 3, 4]);
        assert_eq!(log.entries().map(|entry| entry.id).collect::<Vec<_>>(), [3, 4]);
        assert_eq!((log.evicted(), log.position()), (2, 4));
        assert!(log.get(2).is_none() && log.get(3).is_some() && log.get(9).is_none());
        log.clear();
        assert_eq!((clock(&mut log), log.position(), log.evicted()), (5, 1, 0));
    }

    #[test]
    fn bytes_are_bounded_but_the_newest_entry_is_kept() {
        let mut log = Log::new(Limits { entries: 100, bytes: 1 });
        clock(&mut log);
        clock(&mut log);
        assert_eq!(log.entries().count(), 1);
    }
}

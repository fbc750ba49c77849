use std::sync::Arc;

use imbl::{OrdSet, Vector};

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

/// Everything that made a sandbox what it is, oldest first, as far as it is kept. A copy costs the same however long it
/// is: snapshots and forks have one.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    entries: Vector<Kept>,
    limits: Limits,
    bytes: usize,
    next: u64,
    /// How many things happened since the sandbox began or was reset.
    position: u64,
    evicted: u64,
    /// The last entry that had to make room.
    lost: u64,
    journal: Journal,
}

/// What the journal leaves out, which can be emptied while the log goes on.
#[derive(Debug, Clone, Default)]
struct Journal {
    /// The last entry that is not in it.
    after: u64,
    /// Single exchanges behind that which are not in it either.
    forgotten: OrdSet<u64>,
    /// How many exchanges behind that had to make room.
    evicted: u64,
}

/// An entry with the bytes that keeping it costs.
#[derive(Debug, Clone)]
struct Kept(Arc<Entry>, usize);

impl Log {
    pub(crate) fn new(limits: Limits) -> Self {
        let journal = Journal::default();
        Log { entries: Vector::new(), limits, bytes: 0, next: 1, position: 0, evicted: 0, lost: 0, journal }
    }

    /// An empty log in which something happened before: `position` things that it knows nothing of.
    pub(crate) fn going_on(limits: Limits, next: u64, position: u64) -> Self {
        Log { next, position, ..Log::new(limits) }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// The number that the next entry will have.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The place in the log that random draws of the next entry are keyed by.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// How many entries are kept.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many entries had to make room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The number of the last entry that had to make room, 0 for none.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// How many exchanges had to make room since the journal was last emptied.
    pub(crate) fn journal_evicted(&self) -> u64 {
        self.journal.evicted
    }

    /// Adds an entry that costs `more` bytes besides its own. What had to make room is given back, to be dropped when
    /// nobody waits.
    pub(crate) fn push(&mut self, at: Instant, what: Happening, more: usize) -> (Arc<Entry>, Vec<Arc<Entry>>) {
        let entry = Arc::new(Entry { id: self.next, at, what });
        let size = entry.size() + more;
        let mut evicted = Vec::new();
        self.next += 1;
        self.position += u64::from(entry.counts());
        self.bytes += size;
        self.entries.push_back(Kept(Arc::clone(&entry), size));
        while self.entries.len() > self.limits.entries || (self.bytes > self.limits.bytes && self.entries.len() > 1) {
            let Some(Kept(old, size)) = self.entries.pop_front() else { break };
            self.bytes -= size;
            self.evicted += 1;
            self.lost = old.id;
            if self.journal.forgotten.remove(&old.id).is_none() && old.id > self.journal.after && old.is_exchange() {
                self.journal.evicted += 1;
            }
            evicted.push(old);
        }
        (entry, evicted)
    }

    /// Forgets what happened. Numbers of entries go on.
    pub(crate) fn clear(&mut self) {
        *self = Log::going_on(self.limits, self.next, 0);
    }

    /// Empties the journal; the log stays.
    pub(crate) fn empty_journal(&mut self) {
        self.journal = Journal { after: self.next - 1, ..Journal::default() };
    }

    /// Takes one exchange out of the journal; the log stays. Gives whether it was in it.
    pub(crate) fn forget(&mut self, id: u64) -> bool {
        let there = self.unforgotten(id).is_some_and(|entry| entry.is_exchange());
        if there {
            self.journal.forgotten.insert(id);
        }
        there
    }

    /// Takes away an entry that is kept, and all behind it. Gives how many.
    pub(crate) fn cut(&mut self, id: u64) -> u64 {
        let undone = self.entries.split_off(self.index(id));
        self.bytes -= undone.iter().map(|Kept(_, size)| size).sum::<usize>();
        self.position -= undone.iter().filter(|Kept(entry, _)| entry.counts()).count() as u64;
        self.journal.forgotten = std::mem::take(&mut self.journal.forgotten).split(&id).0;
        undone.len() as u64
    }

    /// What was undone since an earlier copy of this log was made is forgotten: the copy goes on with this one's numbers.
    pub(crate) fn return_to(&mut self, earlier: &Log) {
        *self = Log { next: self.next, ..earlier.clone() };
    }

    pub(crate) fn first(&self) -> Option<u64> {
        self.entries.front().map(|Kept(entry, _)| entry.id)
    }

    /// The number of the last entry that is not behind this one; 0 where there is none.
    pub(crate) fn last_until(&self, id: u64) -> u64 {
        let behind = self.index(id.saturating_add(1));
        behind.checked_sub(1).and_then(|last| self.entries.get(last)).map_or(0, |Kept(entry, _)| entry.id)
    }

    /// The place of the first entry with this number or a later one.
    fn index(&self, id: u64) -> usize {
        self.entries.binary_search_by_key(&id, |Kept(entry, _)| entry.id).unwrap_or_else(|place| place)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Arc<Entry>> {
        self.entries.get(self.index(id)).map(|Kept(entry, _)| entry).filter(|entry| entry.id == id)
    }

    /// An entry, unless it is an exchange that the journal has forgotten.
    pub(crate) fn unforgotten(&self, id: u64) -> Option<&Arc<Entry>> {
        self.get(id).filter(|entry| self.remembers(entry))
    }

    fn remembers(&self, entry: &Entry) -> bool {
        (entry.id > self.journal.after && !self.journal.forgotten.contains(&entry.id)) || !entry.is_exchange()
    }

    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        self.entries.iter().map(|Kept(entry, _)| entry)
    }

    /// The entries behind one, which need not be kept itself.
    pub(crate) fn behind(&self, id: u64) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.focus().narrow(self.index(id.saturating_add(1))..).into_iter().map(|Kept(entry, _)| entry)
    }

    /// The entries before one, which need not be kept itself, the newest first.
    pub(crate) fn before(&self, id: u64) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().take(self.index(id)).rev().map(|Kept(entry, _)| entry)
    }

    /// Those behind one without exchanges that the journal has forgotten.
    pub(crate) fn unforgotten_behind(&self, id: u64) -> impl Iterator<Item = &Arc<Entry>> {
        self.behind(id).filter(|entry| self.remembers(entry))
    }

    /// The exchanges that the journal has, oldest first.
    pub(crate) fn exchanges(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.unforgotten_behind(self.journal.after).filter(|entry| entry.is_exchange())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(log: &mut Log) -> u64 {
        let what = Happening::Setting { method: "DELETE", path: "/faults".to_owned(), body: None };
        log.push(Instant::from_micros(0), what, 0).0.id
    }

    fn clock(log: &mut Log) -> u64 {
        let now = Instant::from_micros(0);
        log.push(now, Happening::Clock { from: now, now, mode: "frozen" }, 0).0.id
    }

    fn ids(log: &Log) -> Vec<u64> {
        log.entries().map(|entry| entry.id).collect()
    }

    #[test]
    fn old_entries_make_room_and_numbers_go_on() {
        let mut log = Log::new(Limits { entries: 2, bytes: 1 << 20 });
        let made: Vec<u64> = (0..4).map(|_| setting(&mut log)).collect();
        assert_eq!(made, [1, 2, 3, 4]);
        assert_eq!(ids(&log), [3, 4]);
        assert_eq!((log.evicted(), log.lost(), log.position()), (2, 2, 4));
        assert!(log.get(2).is_none() && log.get(3).is_some() && log.get(9).is_none());
        log.clear();
        assert_eq!((setting(&mut log), log.position(), log.evicted()), (5, 1, 0));
    }

    #[test]
    fn bytes_are_bounded_but_the_newest_entry_is_kept() {
        let mut log = Log::new(Limits { entries: 100, bytes: 1 });
        setting(&mut log);
        setting(&mut log);
        assert_eq!(log.entries().count(), 1);
    }

    #[test]
    fn what_is_cut_off_frees_its_place_and_not_its_number() {
        let mut log = Log::new(Limits::default());
        (0..5).for_each(|_| {
            setting(&mut log);
        });
        let (bytes, earlier) = (log.bytes, log.clone());
        assert_eq!((log.cut(4), ids(&log), log.position()), (2, vec![1, 2, 3], 3));
        assert_eq!(log.bytes, bytes / 5 * 3);
        assert_eq!((setting(&mut log), ids(&log)), (6, vec![1, 2, 3, 6]));
        assert_eq!(log.behind(4).map(|entry| entry.id).collect::<Vec<_>>(), [6]);
        assert_eq!(log.before(6).map(|entry| entry.id).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(log.before(u64::MAX).map(|entry| entry.id).collect::<Vec<_>>(), [6, 3, 2, 1]);
        log.return_to(&earlier);
        assert_eq!((setting(&mut log), ids(&log), log.position()), (7, vec![1, 2, 3, 4, 5, 7], 6));
    }

    #[test]
    fn what_is_drawn_does_not_depend_on_moves_of_the_clock() {
        let mut log = Log::new(Limits::default());
        setting(&mut log);
        assert_eq!((clock(&mut log), log.position()), (2, 1));
        assert_eq!((setting(&mut log), log.position()), (3, 2));
        assert_eq!((log.cut(2), log.position()), (2, 1));
    }
}

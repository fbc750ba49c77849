//! Rising numbers: which records there are, in the order of their creation.

use std::sync::Arc;

use imbl::Vector;

/// How many numbers a chunk has at most.
const FULL: usize = 512;

/// A list of rising numbers, of which a copy costs nothing. They lie in chunks of the list, each of which is copied when
/// somebody else has it too, so that one number is put anywhere, or taken from anywhere, at the price of its chunk.
///
/// One long persistent vector would be taken apart and joined again for each number that leaves its middle, and be slower to
/// read from then on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbers {
    /// None of them is empty.
    chunks: Vector<Chunk>,
    len: usize,
    /// Whether a chunk other than the last is not full, so that places must be counted.
    loose: bool,
}

#[derive(Debug, Clone)]
struct Chunk {
    /// How many there are, so that counting does not look into all chunks.
    len: usize,
    numbers: Arc<Vec<u64>>,
}

impl Chunk {
    fn new(numbers: Vec<u64>) -> Self {
        Chunk { len: numbers.len(), numbers: Arc::new(numbers) }
    }

    fn edit<R>(&mut self, edit: impl FnOnce(&mut Vec<u64>) -> R) -> R {
        let numbers = Arc::make_mut(&mut self.numbers);
        let result = edit(numbers);
        self.len = numbers.len();
        result
    }
}

impl Numbers {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &u64> {
        self.chunks.iter().flat_map(|chunk| chunk.numbers.iter())
    }

    /// The number at a place.
    pub(crate) fn get(&self, place: usize) -> Option<&u64> {
        if !self.loose {
            return self.chunks.get(place / FULL)?.numbers.get(place % FULL);
        }
        let mut left = place;
        for chunk in &self.chunks {
            if left < chunk.len {
                return chunk.numbers.get(left);
            }
            left -= chunk.len;
        }
        None
    }

    /// Puts a number into its place, unless it is there.
    pub(crate) fn put(&mut self, number: u64) {
        // Nearly always the newest.
        if self.chunks.last().and_then(|chunk| chunk.numbers.last()).is_none_or(|last| *last < number) {
            self.len += 1;
            match self.chunks.back_mut().filter(|chunk| chunk.len < FULL) {
                Some(chunk) => chunk.edit(|numbers| numbers.push(number)),
                None => self.chunks.push_back(Chunk::new(vec![number])),
            }
            return;
        }
        let index = self.holder(number);
        let Some(chunk) = self.chunks.get_mut(index) else { return };
        let Err(place) = chunk.numbers.binary_search(&number) else { return };
        self.len += 1;
        self.loose = true;
        let rest = chunk.edit(|numbers| {
            numbers.insert(place, number);
            (numbers.len() > FULL).then(|| numbers.split_off(FULL / 2))
        });
        if let Some(rest) = rest {
            self.chunks.insert(index + 1, Chunk::new(rest));
        }
    }

    /// Takes a number away, if it is there.
    pub(crate) fn take(&mut self, number: u64) {
        let index = self.holder(number);
        let is_last = index + 1 == self.chunks.len();
        let Some(chunk) = self.chunks.get_mut(index) else { return };
        let Ok(place) = chunk.numbers.binary_search(&number) else { return };
        self.len -= 1;
        self.loose |= !is_last;
        chunk.edit(|numbers| numbers.remove(place));
        if chunk.len == 0 {
            self.chunks.remove(index);
        }
        if self.chunks.len() <= 1 {
            self.loose = false;
        }
    }

    /// The chunk that has a number, or would have it.
    fn holder(&self, number: u64) -> usize {
        let first = |chunk: &Chunk| chunk.numbers.first().copied().unwrap_or(0);
        match self.chunks.binary_search_by(|chunk| first(chunk).cmp(&number)) {
            Ok(index) => index,
            Err(index) => index.saturating_sub(1),
        }
    }
}

impl FromIterator<u64> for Numbers {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut made = Numbers::default();
        numbers.into_iter().for_each(|number| made.put(number));
        made
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Numbers that look like chance.
    fn mixed(number: u64) -> u64 {
        number.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17) % 5_000
    }

    fn same(numbers: &Numbers, wanted: &BTreeSet<u64>) {
        let found: Vec<u64> = numbers.iter().copied().collect();
        assert_eq!(found, wanted.iter().copied().collect::<Vec<_>>());
        assert_eq!(numbers.len(), wanted.len());
        for (place, number) in found.iter().enumerate().step_by(37) {
            assert_eq!(numbers.get(place), Some(number));
        }
        assert_eq!(numbers.get(found.len()), None);
        assert!(numbers.chunks.iter().all(|chunk| (1..=FULL).contains(&chunk.len) && chunk.len == chunk.numbers.len()));
    }

    #[test]
    fn numbers_come_and_go_anywhere() {
        let (mut numbers, mut wanted) = (Numbers::default(), BTreeSet::new());
        for turn in 0..20_000 {
            let number = mixed(turn);
            if turn % 3 == 2 {
                numbers.take(number);
                wanted.remove(&number);
            } else {
                numbers.put(number);
                wanted.insert(number);
            }
            if turn % 2_000 == 0 {
                same(&numbers, &wanted);
            }
        }
        same(&numbers, &wanted);
        for number in 0..5_000 {
            numbers.take(number);
        }
        assert!(numbers.is_empty() && numbers.chunks.is_empty() && !numbers.loose);
    }

    #[test]
    fn a_copy_stays_what_it_was() {
        let before: Numbers = (0..3_000).collect();
        let mut after = before.clone();
        after.take(1_500);
        after.put(3_000);
        assert_eq!((before.len(), after.len()), (3_000, 3_000));
        assert_eq!((before.get(1_500), after.get(1_500)), (Some(&1_500), Some(&1_501)));
        let shared = |place: usize| Arc::ptr_eq(&before.chunks[place].numbers, &after.chunks[place].numbers);
        assert!(shared(0) && shared(4) && !shared(1_500 / FULL) && !shared(5));
    }

    #[test]
    fn places_are_counted_only_where_a_chunk_has_room() {
        let mut numbers: Numbers = (0..2_000).collect();
        assert!(!numbers.loose);
        numbers.take(1_999);
        numbers.put(1_999);
        assert!(!numbers.loose);
        numbers.take(10);
        assert!(numbers.loose);
        assert_eq!(numbers.get(1_000), Some(&1_001));
    }
}

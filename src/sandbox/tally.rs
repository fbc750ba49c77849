//! What requests have covered of packs, and what came that no pack tells of. It is no part of what a sandbox was like: no
//! rewind undoes it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::StatusCode;

use super::state::Sandbox;
use crate::exchange::Response;
use crate::pack::{Misfit, OfOperation, Operation, Pack, Reached, Unsettled};

/// How many different things of one sort are told apart.
const MOST: usize = 1000;

/// The most characters that are kept of what a client sent.
const LONGEST: usize = 200;

/// What was counted in one sandbox, or in several.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// By the pack's number; none as long as nothing is counted.
    packs: Vec<Option<OfPack>>,
    /// Requests that no operation answers.
    pub(crate) undocumented: Sorts<Undocumented>,
    /// Mismatches of requests with the contract, by the operation's id.
    pub(crate) violations: Sorts<(Arc<str>, Misfit)>,
    /// Answers that no pack declares, by the operation's id and the status.
    pub(crate) undeclared: Sorts<(Arc<str>, u16)>,
}

#[derive(Debug, Clone)]
struct OfPack {
    /// The one that counters are numbered by.
    pack: Arc<Pack>,
    counts: Counts,
}

/// Counters that are not zero, by their numbers, which rise: most sandboxes use few of all that a pack has.
#[derive(Debug, Clone, Default)]
struct Counts(Vec<(usize, u64)>);

impl Counts {
    fn get(&self, counter: usize) -> u64 {
        self.place(counter).map_or(0, |place| self.0[place].1)
    }

    fn add(&mut self, counter: usize, times: u64) {
        match self.place(counter) {
            Ok(place) => self.0[place].1 += times,
            Err(place) => self.0.insert(place, (counter, times)),
        }
    }

    fn place(&self, counter: usize) -> Result<usize, usize> {
        self.0.binary_search_by_key(&counter, |(number, _)| *number)
    }
}

/// A request that no operation answers. What is known to be secret is masked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Undocumented {
    pub(crate) pack: Option<Arc<str>>,
    pub(crate) method: String,
    pub(crate) path: String,
}

/// How often each of different things came, as far as they are told apart.
#[derive(Debug, Clone)]
pub(crate) struct Sorts<K> {
    pub(crate) known: BTreeMap<K, u64>,
    /// How often others came.
    pub(crate) more: u64,
}

impl<K> Default for Sorts<K> {
    fn default() -> Self {
        Sorts { known: BTreeMap::new(), more: 0 }
    }
}

impl<K: Ord> Sorts<K> {
    pub(crate) fn add(&mut self, key: K, times: u64) {
        let full = self.known.len() >= MOST;
        match self.known.get_mut(&key) {
            Some(count) => *count += times,
            None if full => self.more += times,
            None => drop(self.known.insert(key, times)),
        }
    }

    fn absorb(&mut self, other: Self) {
        other.known.into_iter().for_each(|(key, times)| self.add(key, times));
        self.more += other.more;
    }
}

/// What says which example an answer shows, when there is time to look.
#[derive(Debug)]
pub(super) struct Look {
    number: usize,
    pack: Arc<Pack>,
    unsettled: Vec<Unsettled>,
}

impl Tally {
    /// Counts an exchange with a pack.
    pub(super) fn count(
        &mut self,
        number: usize,
        pack: &Arc<Pack>,
        reached: &mut Reached,
        contract: Option<&str>,
        status: StatusCode,
    ) -> Option<Look> {
        let first = *reached.operation.iter().chain(&reached.candidates).next()?;
        let counts = self.of(number, pack);
        let mut unsettled = pack.answers.count(pack, reached, |counter| counts.add(counter, 1));
        unsettled.retain(|unsettled| !pack.answers.is_settled(unsettled, |counter| counts.get(counter) > 0));
        let operation = || Arc::clone(&pack.operation(first).name);
        for misfit in reached.misfits.drain(..) {
            let pointer = kept(misfit.pointer);
            self.violations.add((operation(), Misfit { pointer, ..misfit }), 1);
        }
        if reached.undeclared && contract == Some("assumed") {
            self.undeclared.add((operation(), status.as_u16()), 1);
        }
        (!unsettled.is_empty()).then(|| Look { number, pack: Arc::clone(pack), unsettled })
    }

    /// The counters of a pack.
    fn of(&mut self, number: usize, pack: &Arc<Pack>) -> &mut Counts {
        if self.packs.len() <= number {
            self.packs.resize(number + 1, None);
        }
        let place = &mut self.packs[number];
        let other = place.take_if(|of| !Arc::ptr_eq(&of.pack, pack));
        let of = place.get_or_insert_with(|| match other {
            Some(before) => before.on(pack),
            None => OfPack { pack: Arc::clone(pack), counts: Counts::default() },
        });
        &mut of.counts
    }

    /// Goes over to these packs. What they do not have any more is forgotten.
    pub(crate) fn renew(&mut self, packs: &[Arc<Pack>]) {
        for (number, pack) in packs.iter().enumerate() {
            if self.packs.get(number).is_some_and(Option::is_some) {
                self.of(number, pack);
            }
        }
    }

    /// All counters of a pack, if something was counted.
    pub(crate) fn counts(&self, number: usize) -> Option<Vec<u64>> {
        let OfPack { pack, counts } = self.packs.get(number)?.as_ref()?;
        let mut all = vec![0; pack.answers.counters()];
        counts.0.iter().for_each(|(counter, times)| all[*counter] = *times);
        Some(all)
    }

    /// Adds what another has counted on the same packs.
    pub(crate) fn absorb(&mut self, other: Tally) {
        for (number, of) in other.packs.into_iter().enumerate() {
            let Some(of) = of else { continue };
            let own = self.of(number, &of.pack);
            of.counts.0.iter().for_each(|(counter, times)| own.add(*counter, *times));
        }
        self.undocumented.absorb(other.undocumented);
        self.violations.absorb(other.violations);
        self.undeclared.absorb(other.undeclared);
    }
}

impl OfPack {
    /// The same counts on another pack of the name, by names.
    fn on(self, pack: &Arc<Pack>) -> Self {
        let now: HashMap<Name<'_>, usize> = names(pack).collect();
        let mut counts = Counts::default();
        for (name, counter) in names(&self.pack) {
            // The request led to the operation, whatever answer it got.
            let led = |name: &Name<'_>| match name {
                Name::Answer(operation, ..) => now.get(&Name::Led(operation)).copied(),
                _ => None,
            };
            let times = self.counts.get(counter);
            if let Some(place) = now.get(&name).copied().or_else(|| led(&name)).filter(|_| times > 0) {
                counts.add(place, times);
            }
        }
        OfPack { pack: Arc::clone(pack), counts }
    }
}

/// What a counter is called, as far as that is the same when a pack is read again.
#[derive(PartialEq, Eq, Hash)]
enum Name<'p> {
    /// Requests that got none of its answers.
    Led(&'p str),
    /// An answer of an operation with a status, or an error's; the how many-eth.
    Answer(&'p str, Option<&'p str>, u16, usize),
    Example(&'p str),
}

/// Each counter with its name.
fn names(pack: &Pack) -> impl Iterator<Item = (Name<'_>, usize)> {
    pack.operations.iter().flat_map(move |operation| of_operation(pack, operation))
}

fn of_operation<'p>(pack: &'p Pack, operation: &'p Operation) -> Vec<(Name<'p>, usize)> {
    let of: &OfOperation = pack.answers.operation(operation.number);
    let mut names = vec![(Name::Led(&operation.name), *of.led().start())];
    let mut nth: BTreeMap<(Option<&str>, u16), usize> = BTreeMap::new();
    for (place, declared) in of.declared.iter().enumerate() {
        let error = declared.error.map(|error| &*pack.error(error).name);
        let status = declared.reply(pack, operation).status.as_u16();
        let nth = nth.entry((error, status)).and_modify(|nth| *nth += 1).or_default();
        names.push((Name::Answer(&operation.name, error, status, *nth), of.answer(place)));
    }
    let shown = of.shown.iter().enumerate();
    names.extend(shown.map(|(place, shown)| (Name::Example(&pack.examples[shown.example].path), of.example(place))));
    names
}

impl Sandbox {
    /// Finds out in a body which example it shows.
    pub(super) fn look(&self, look: &Look, response: &Response) {
        let Look { number, pack, unsettled } = look;
        let settled = unsettled.iter().flat_map(|unsettled| pack.answers.settle(unsettled, &response.body));
        let shown: Vec<usize> = settled.collect();
        if shown.is_empty() {
            return;
        }
        let mut state = self.lock();
        if state.closed {
            let mut counted = self.beginning.counted.lock();
            let counts = counted.of(*number, pack);
            return shown.into_iter().for_each(|counter| counts.add(counter, 1));
        }
        // Packs may have been replaced meanwhile.
        if state.tally.packs.get(*number).and_then(Option::as_ref).is_some_and(|of| Arc::ptr_eq(&of.pack, pack)) {
            let counts = state.tally.of(*number, pack);
            shown.into_iter().for_each(|counter| counts.add(counter, 1));
        }
    }

    /// Counts a request that no operation answers, with what may be shown of its path.
    pub(crate) fn note_undocumented(&self, pack: Option<&Arc<str>>, method: &str, path: &str) {
        let [method, path] = [method, path].map(|text| kept(text.to_owned()));
        let mut state = self.lock();
        state.tally.undocumented.add(Undocumented { pack: pack.cloned(), method, path }, 1);
        self.hand_over_if_closed(&mut state);
    }

    /// What was counted here.
    pub(crate) fn tally(&self) -> Tally {
        self.lock().tally.clone()
    }

    /// Begins to count anew.
    pub(crate) fn forget_tally(&self) {
        let before = std::mem::take(&mut self.lock().tally);
        drop(before);
    }
}

fn kept(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

//! Whether a history is as if its calls had happened one after the other.

use std::collections::HashSet;

use serde_json::json;

use super::{Call, Done, Model, beginning};

/// Judges by the order that the server claims. The error names the first call that this order does not explain.
pub(super) fn by_log(history: &[Done]) -> Result<(), String> {
    let mut order: Vec<&Done> = history.iter().collect();
    order.sort_by_key(|done| done.entry);
    let mut model = beginning();
    // The latest beginning so far: whoever comes now must not have ended before it.
    let mut latest = 0;
    for pair in order.windows(2) {
        if pair[0].entry == pair[1].entry {
            return Err(format!("two calls have one number: {pair:?}"));
        }
    }
    for done in order {
        if done.end < latest {
            return Err(format!("it had ended before one in front of it began: {done:?}"));
        }
        latest = latest.max(done.begin);
        let before = model.clone();
        if !done.call.explain(&mut model) {
            return Err(format!("{done:?}\ndoes not follow from {before:?}"));
        }
    }
    Ok(())
}

/// Tries all orders: the next call is any that began before the earliest end of those that are left. The same calls left
/// with the same model are tried once.
pub(super) fn by_search(history: &[Done]) -> bool {
    let mut order: Vec<&Done> = history.iter().collect();
    order.sort_by_key(|done| done.begin);
    let mut search = Search { order, left: vec![true; history.len()], tried: HashSet::new() };
    search.go(0, &beginning())
}

struct Search<'h> {
    order: Vec<&'h Done>,
    left: Vec<bool>,
    tried: HashSet<(Vec<usize>, String)>,
}

impl Search<'_> {
    /// `first` is the first call that is left.
    fn go(&mut self, first: usize, model: &Model) -> bool {
        let Some(first) = (first..self.order.len()).find(|place| self.left[*place]) else { return true };
        let (left, taken): (Vec<usize>, Vec<usize>) = (first..self.order.len()).partition(|place| self.left[*place]);
        let earliest = left.iter().map(|place| self.order[*place].end).min().unwrap_or(u64::MAX);
        let next = left.into_iter().take_while(|place| self.order[*place].begin < earliest).collect::<Vec<_>>();
        if !self.tried.insert(([vec![first], taken].concat(), format!("{model:?}"))) {
            return false;
        }
        for place in next {
            let mut after = model.clone();
            if self.order[place].call.explain(&mut after) {
                self.left[place] = false;
                if self.go(first, &after) {
                    return true;
                }
                self.left[place] = true;
            }
        }
        false
    }
}

fn done(call: Call, begin: u64, end: u64, entry: u64) -> Done {
    Done { call, begin, end, entry }
}

fn show(saw: Option<&str>) -> Call {
    let id = super::CUSTOMERS[0].0.to_owned();
    Call::Show { id, saw: saw.map(|name| (name.to_owned(), false)) }
}

fn delete(there: bool) -> Call {
    Call::Delete { id: super::CUSTOMERS[0].0.to_owned(), there }
}

/// The judges themselves: small histories that are good, and such that are not.
#[test]
fn judges_tell_good_histories_from_bad_ones() {
    let name = Some(super::CUSTOMERS[0].1.0);
    for (history, log, search) in [
        // One after the other.
        (vec![done(show(name), 0, 1, 1), done(delete(true), 2, 3, 2), done(show(None), 4, 5, 3)], true, true),
        // Side by side, either order.
        (vec![done(show(name), 0, 3, 1), done(delete(true), 1, 2, 2)], true, true),
        (vec![done(show(None), 0, 3, 2), done(delete(true), 1, 2, 1)], true, true),
        // There is an order, and it is not the one that the server claims.
        (vec![done(show(name), 0, 3, 2), done(delete(true), 1, 2, 1)], false, true),
        // Gone, and there again.
        (vec![done(delete(true), 0, 1, 1), done(show(name), 2, 3, 2)], false, false),
        // Deleted twice.
        (vec![done(delete(true), 0, 3, 1), done(delete(true), 1, 2, 2)], false, false),
        (vec![done(delete(true), 0, 3, 1), done(delete(false), 1, 2, 2)], true, true),
        // Against the time: what came later cannot have been first.
        (vec![done(show(None), 0, 1, 2), done(delete(true), 2, 3, 1)], false, false),
        // Two that have one number.
        (vec![done(show(name), 0, 1, 1), done(show(name), 2, 3, 1)], false, true),
    ] {
        assert_eq!((by_log(&history).is_ok(), by_search(&history)), (log, search), "{}", json!(format!("{history:?}")));
    }
}

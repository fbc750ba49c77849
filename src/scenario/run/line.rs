//! What is known in one line of steps, and what its expressions are evaluated with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde_json::Value as Json;

use crate::clock::Instant;
use crate::expr::{Draws, Scope, Source, Value};
use crate::pack::OperationId;
use crate::scenario::{Answer, Shown};

/// One line of steps: what was kept, and the last answer. Each branch of a `parallel` has its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) kept: BTreeMap<Arc<str>, Json>,
    /// Within `repeat` and `parallel: N`.
    pub(super) round: Option<usize>,
    pub(super) last: Option<Last>,
    /// What came in place of an answer, where that was expected.
    pub(super) fault: Option<&'static str>,
    pub(super) depth: usize,
    /// Where the line stands among all lines. Draws depend on it, and not on when its steps have their turn.
    pub(super) path: u64,
}

/// The last thing that was asked, and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Last {
    pub(super) answer: Answer,
    /// What was sent, as it is shown where the journal has nothing of it. Its secrets are not masked yet.
    pub(super) sent: Shown,
    /// None for a call of the control plane.
    pub(super) call: Option<(usize, Option<OperationId>)>,
}

impl Line {
    /// The line of the steps within a step.
    pub(super) fn inner(&self, number: u64, round: Option<usize>) -> Line {
        let path = mix(number, round.unwrap_or(0) as u64);
        Line { round: round.or(self.round), depth: self.depth + 1, path, ..self.clone() }
    }

    /// The number of a step by its place in the line.
    pub(super) fn number(&self, place: usize) -> u64 {
        mix(self.path, place as u64)
    }
}

fn mix(path: u64, place: u64) -> u64 {
    path.wrapping_mul(1_000_003).wrapping_add(place).wrapping_add(1)
}

/// The virtual time, which is asked for only where an expression wants it.
#[derive(Debug, Default)]
pub(super) struct Now {
    known: Mutex<Option<Instant>>,
    wanted: AtomicBool,
}

impl Now {
    /// Whether an expression wanted the time, and it was not known.
    pub(super) fn is_missing(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) && self.known.lock().is_none()
    }

    pub(super) fn set(&self, now: Instant) {
        *self.known.lock() = Some(now);
    }
}

/// A scope's way to it.
#[derive(Debug)]
struct Asked(Arc<Now>);

impl Source for Asked {
    fn get(&self, name: &str) -> Option<Value> {
        if name != "now" {
            return None;
        }
        self.0.wanted.store(true, Ordering::Relaxed);
        Some(Value::instant(self.0.known.lock().unwrap_or(Instant::START)))
    }

    fn names(&self) -> Vec<String> {
        vec!["now".to_owned()]
    }
}

/// What is the same for all steps of one run.
pub(super) struct Given<'a> {
    pub(super) row: &'a Json,
    pub(super) base: &'a str,
    pub(super) sandbox: &'a str,
    pub(super) receivers: Json,
    pub(super) seed: u64,
}

/// The names of a step, with the chance that belongs to it.
pub(super) fn scope(given: &Given<'_>, line: &Line, number: u64, now: &Arc<Now>) -> Scope {
    let mut scope = Scope::new(Draws::new(given.seed, number));
    scope.set_lazy(Arc::new(Asked(Arc::clone(now))));
    for (name, value) in &line.kept {
        scope.bind(Arc::clone(name), Value::json(value));
    }
    scope.bind("row", Value::json(given.row));
    scope.bind("base", Value::string(given.base));
    scope.bind("sandbox", Value::string(given.sandbox));
    scope.bind("receivers", Value::json(&given.receivers));
    if let Some(round) = line.round {
        scope.bind("round", Value::integer(i64::try_from(round).unwrap_or(i64::MAX)));
    }
    if let Some(last) = &line.last {
        scope.bind("response", last.answer.value());
    }
    scope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_numbers_by_their_place_and_not_by_their_turn() {
        let line = Line::default();
        assert_eq!([line.number(0), line.number(1)], [1, 2]);
        let rounds: Vec<u64> = (1..=3).map(|round| line.inner(line.number(0), Some(round)).number(0)).collect();
        let other = line.inner(line.number(1), Some(1)).number(0);
        let mut all = [&rounds[..], &[other, 1, 2]].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn the_time_is_wanted_where_an_expression_has_it() {
        let now = Arc::new(Now::default());
        let (row, receivers) = (Json::Null, Json::Null);
        let given = Given { row: &row, base: "b", sandbox: "s", receivers, seed: 1 };
        let scope = scope(&given, &Line::default(), 1, &now);
        assert!(scope.lookup("row").is_some() && scope.lookup("response").is_none() && !now.is_missing());
        assert!(scope.lookup("now").is_some() && now.is_missing());
        now.set(Instant::from_micros(7));
        assert_eq!(scope.lookup("now").and_then(|value| value.as_i64()), Some(7));
        assert!(!now.is_missing());
    }
}

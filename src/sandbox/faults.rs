use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::exchange::Manner;

/// What is to go wrong, and how often it has. A copy shares all of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    rules: Arc<[Fault]>,
    /// How often each rule has applied.
    applied: Arc<[u64]>,
}

/// One rule: for which exchanges, how often, and what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    /// Only in this pack.
    pub(crate) pack: Option<Arc<str>>,
    /// Only for this operation, by its id.
    pub(crate) operation: Option<Arc<str>>,
    /// Of the exchanges that it is for, from 0 to 1.
    pub(crate) share: f64,
    /// At most so many times.
    pub(crate) count: Option<u64>,
    pub(crate) when: When,
    pub(crate) latency: Option<Latency>,
    pub(crate) failure: Option<Failure>,
    /// As it was given, without how often it has applied.
    pub(crate) source: Value,
}

/// Whether what a request does is lost with its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Nothing is done.
    Before,
    /// It is done, and only the answer is lost.
    After,
}

/// How long an answer is held back, in real time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Latency {
    Fixed(Duration),
    /// The median times e to the power of a normal deviate times sigma.
    LogNormal {
        median: Duration,
        sigma: f64,
        most: Duration,
    },
}

/// What comes in place of the answer, or of a part of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// An error of the pack, by its name.
    Error(Arc<str>),
    /// A body that is no JSON, in an answer that is whole.
    MalformedBody,
    /// Bytes at random in place of an answer.
    RandomData,
    Wire(Manner),
}

impl Faults {
    /// Rules, each with how often it has applied.
    pub(crate) fn new(rules: Vec<(Fault, u64)>) -> Self {
        let (rules, applied): (Vec<Fault>, Vec<u64>) = rules.into_iter().unzip();
        Faults { rules: rules.into(), applied: applied.into() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Each rule with how often it has applied.
    pub(crate) fn rules(&self) -> impl ExactSizeIterator<Item = (&Fault, u64)> {
        self.rules.iter().zip(self.applied.iter().copied())
    }

    /// The same, after some of the rules applied once more. None where nothing depends on that.
    pub(crate) fn counting(&self, rules: &[usize]) -> Option<Faults> {
        let mut applied = self.applied.to_vec();
        rules.iter().for_each(|rule| applied[*rule] += 1);
        (!rules.is_empty()).then(|| Faults { rules: Arc::clone(&self.rules), applied: applied.into() })
    }
}

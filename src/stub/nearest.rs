use std::sync::Arc;

use super::asked::Asked;
use super::mapping::Stub;
use super::stubs::Stubs;
use crate::diagnostic::shortened;

/// One thing in which a request differs from what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// `method`, `url`, `path`, `query`, `header`, `cookie`, `form`, `body`, `scenario` or `times`.
    pub(crate) part: &'static str,
    pub(crate) name: Option<String>,
    pub(crate) expected: String,
    /// None where nothing was sent.
    pub(crate) actual: Option<String>,
}

/// A stub that a request nearly matches.
#[derive(Debug, Clone)]
pub(crate) struct Near {
    pub(crate) stub: Arc<Stub>,
    /// From 0, which matches, to 1.
    pub(crate) distance: f64,
    pub(crate) differences: Vec<Difference>,
}

/// How many near misses there are at most, and how much of a value each repeats.
pub(crate) const MOST: usize = 3;
const SHOWN: usize = 200;

impl Difference {
    pub(super) fn new(
        part: &'static str,
        name: Option<&str>,
        expected: impl Into<String>,
        actual: Option<&str>,
    ) -> Self {
        Difference {
            part,
            name: name.map(str::to_owned),
            expected: shortened(&expected.into(), SHOWN),
            actual: actual.map(|actual| shortened(actual, SHOWN)),
        }
    }
}

impl Stubs {
    /// The stubs that a request comes nearest to without matching them.
    pub(crate) fn nearest(&self, asked: &Asked<'_>) -> Vec<Near> {
        let near = self.iter().filter_map(|story| {
            let (distance, differences) = story.compare(asked);
            (!differences.is_empty()).then(|| Near { stub: Arc::clone(story.stub), distance, differences })
        });
        let mut near: Vec<Near> = near.collect();
        near.sort_by(|one, other| one.distance.total_cmp(&other.distance));
        near.truncate(MOST);
        near
    }
}

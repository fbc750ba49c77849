use std::sync::Arc;

use imbl::OrdMap;
use serde_json::Value;

use crate::clock::Instant;
use crate::pack::Policy;

/// How often each pack may be called, and how often each caller has. A copy shares all of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    all: Option<Arc<[Limit]>>,
    /// By the limit's number and the caller.
    windows: OrdMap<(usize, Arc<str>), Window>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limit {
    pub(crate) pack: Arc<str>,
    pub(crate) policy: Policy,
    /// As it was given.
    pub(crate) source: Value,
}

/// What one caller has done of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) begin: Instant,
    pub(crate) used: u64,
}

impl Window {
    /// Whether it counts no more. Before it began it does not either: then the clock was set back.
    fn is_over(&self, policy: &Policy, now: Instant) -> bool {
        now < self.begin || now.since(self.begin).micros() >= policy.window.micros()
    }
}

/// With so many windows for the first time, and with each doubling of them, those that are over are taken away.
const SWEPT: usize = 1024;

impl Limits {
    pub(crate) fn new(all: Vec<Limit>) -> Self {
        Limits { all: (!all.is_empty()).then(|| all.into()), windows: OrdMap::new() }
    }

    /// The same limits, of which so much has been used.
    pub(crate) fn going_on(self, windows: impl IntoIterator<Item = ((usize, Arc<str>), Window)>) -> Self {
        Limits { windows: windows.into_iter().collect(), ..self }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_none()
    }

    /// All limits.
    pub(crate) fn all(&self) -> &[Limit] {
        self.all.as_deref().unwrap_or_default()
    }

    /// All windows that were opened, whether they are over or not.
    pub(crate) fn windows(&self) -> impl Iterator<Item = (usize, &Arc<str>, Window)> {
        self.windows.iter().map(|((number, caller), window)| (*number, caller, *window))
    }

    /// The window of a caller now, if there is one.
    pub(crate) fn window(&self, number: usize, caller: &Arc<str>, now: Instant) -> Option<Window> {
        let policy = &self.all().get(number)?.policy;
        self.windows.get(&(number, Arc::clone(caller))).copied().filter(|window| !window.is_over(policy, now))
    }

    /// The same, after one more request of a caller that these limits are for.
    pub(crate) fn counting(&self, numbers: &[usize], caller: &Arc<str>, now: Instant) -> Limits {
        let mut windows = self.windows.clone();
        for number in numbers {
            let Window { begin, used } = self.window(*number, caller, now).unwrap_or(Window { begin: now, used: 0 });
            let before = windows.insert((*number, Arc::clone(caller)), Window { begin, used: used + 1 });
            if before.is_none() && windows.len() >= SWEPT && windows.len().is_power_of_two() {
                let all = self.all();
                let live = windows.iter().filter(|((number, _), window)| {
                    all.get(*number).is_some_and(|limit| !window.is_over(&limit.policy, now))
                });
                windows = live.map(|(key, window)| (key.clone(), *window)).collect();
            }
        }
        Limits { all: self.all.clone(), windows }
    }
}

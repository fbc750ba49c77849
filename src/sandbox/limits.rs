use std::sync::Arc;

use imbl::OrdMap;
use serde_json::Value;

use crate::clock::Instant;
use crate::pack::{Pack, PackLimit, Policy};

/// How often each pack may be called, and how often each caller has. A copy shares all of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    asked: Option<Arc<[Limit]>>,
    others: Others,
    windows: OrdMap<Counted, Window>,
}

/// A limit that somebody has asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limit {
    pub(crate) pack: Arc<str>,
    pub(crate) policy: Policy,
    /// As it was given.
    pub(crate) source: Value,
}

/// What holds for packs that nobody has asked a limit for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Others {
    /// The limits of their documentation.
    #[default]
    Own,
    /// The same, but for these packs, which have none.
    OwnBut(Arc<[Arc<str>]>),
    /// They have none.
    Unlimited,
}

/// What is counted: pack, name of the policy, caller.
pub(crate) type Counted = (Arc<str>, Arc<str>, Arc<str>);

/// What one caller has done of one policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) begin: Instant,
    pub(crate) end: Instant,
    pub(crate) used: u64,
}

impl Window {
    /// Whether it counts. Before it began it does not either: then the clock was set back.
    fn is_open(&self, now: Instant) -> bool {
        (self.begin..self.end).contains(&now)
    }
}

/// With so many windows for the first time, and with each doubling of them, those that are over are taken away.
const SWEPT: usize = 1024;

impl Limits {
    pub(crate) fn new(asked: Vec<Limit>, others: Others) -> Self {
        Limits { asked: (!asked.is_empty()).then(|| asked.into()), others, windows: OrdMap::new() }
    }

    /// The same limits, of which so much has been used.
    pub(crate) fn going_on(self, windows: impl IntoIterator<Item = (Counted, Window)>) -> Self {
        Limits { windows: windows.into_iter().collect(), ..self }
    }

    /// Whether nobody has asked for anything, and nothing was counted.
    pub(crate) fn is_untouched(&self) -> bool {
        self.asked.is_none() && self.others == Others::Own && self.windows.is_empty()
    }

    /// The limits that somebody has asked for.
    pub(crate) fn asked(&self) -> &[Limit] {
        self.asked.as_deref().unwrap_or_default()
    }

    pub(crate) fn others(&self) -> &Others {
        &self.others
    }

    /// The limits of a pack's documentation, where they hold.
    pub(crate) fn own<'p>(&self, pack: &'p Pack) -> &'p [PackLimit] {
        let holds = match &self.others {
            Others::Own => true,
            Others::OwnBut(names) => !names.contains(&pack.name),
            Others::Unlimited => false,
        };
        let asked = || self.asked().iter().any(|limit| limit.pack == pack.name);
        if holds && !pack.limits.is_empty() && !asked() { &pack.limits } else { &[] }
    }

    /// What callers of a pack have to keep to.
    pub(crate) fn policies<'l>(&'l self, pack: &'l Pack) -> impl Iterator<Item = &'l Policy> {
        let asked = self.asked().iter().filter(|limit| limit.pack == pack.name).map(|limit| &limit.policy);
        asked.chain(self.own(pack).iter().map(|limit| &limit.policy))
    }

    /// All windows that were opened, whether they are over or not.
    pub(crate) fn windows(&self) -> impl Iterator<Item = (&Counted, Window)> {
        self.windows.iter().map(|(counted, window)| (counted, *window))
    }

    /// The windows of a policy that are open now, with their callers.
    pub(crate) fn open<'l>(
        &'l self,
        pack: &'l str,
        name: &'l str,
        now: Instant,
    ) -> impl Iterator<Item = (&'l str, Window)> {
        let first = (Arc::from(pack), Arc::from(name), Arc::from(""));
        let of = move |counted: &Counted| *counted.0 == *pack && *counted.1 == *name;
        let all = self.windows.range(first..).take_while(move |(counted, _)| of(counted));
        all.filter(move |(_, window)| window.is_open(now)).map(|(counted, window)| (&*counted.2, *window))
    }

    /// The window of a caller now, if there is one.
    pub(crate) fn window(&self, counted: &Counted, now: Instant) -> Option<Window> {
        self.windows.get(counted).copied().filter(|window| window.is_open(now))
    }

    /// The same, with these windows in place of what they were.
    pub(crate) fn with(&self, counted: Vec<(Counted, Window)>, now: Instant) -> Limits {
        let mut windows = self.windows.clone();
        for (key, window) in counted {
            let before = windows.insert(key, window);
            if before.is_none() && windows.len() >= SWEPT && windows.len().is_power_of_two() {
                let open = windows.iter().filter(|(_, window)| window.is_open(now));
                windows = open.map(|(key, window)| (key.clone(), *window)).collect();
            }
        }
        Limits { windows, ..self.clone() }
    }
}

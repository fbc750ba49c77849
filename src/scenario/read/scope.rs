//! What is known at a step.

use std::collections::BTreeMap;

use crate::diagnostic::Location;
use crate::expr::{Kind, Names};
use crate::pack::OperationId;

/// What a line of steps knows: names, the last answer, the pack that is meant.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// None where the head names one that does not exist.
    pub(super) pack: Option<usize>,
    pub(super) names: Names,
    /// Names that were kept, each where it was last.
    pub(super) kept: BTreeMap<String, Location>,
    pub(super) receivers: BTreeMap<String, Location>,
    pub(super) last: Last,
    /// Something is in force that makes answers others than the pack's.
    pub(super) altered: bool,
}

/// Where the last answer came from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Last {
    Nothing,
    /// Of the control plane.
    Control,
    Call(Called),
    /// Of a call that cannot be read, about which enough has been said.
    Unknown,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Called {
    pub(super) pack: usize,
    /// All that may have answered; empty where no operation has method and path.
    pub(super) operations: Vec<OperationId>,
    /// Anything may have been answered.
    pub(super) altered: bool,
    /// What the client may ask for by `Prefer`.
    pub(super) prefers: bool,
}

/// Names that scenarios give no other meaning.
pub(super) const OWN: [&str; 8] = ["row", "round", "response", "receivers", "base", "sandbox", "now", "call"];

impl Scope {
    pub(super) fn new(pack: Option<usize>, row: Option<Kind>) -> Self {
        let mut names = Names::default();
        names.bind("now", Kind::Instant(0));
        names.bind("base", Kind::String);
        names.bind("sandbox", Kind::String);
        if let Some(row) = row {
            names.bind("row", row);
        }
        let mut scope = Scope {
            pack,
            names,
            kept: BTreeMap::new(),
            receivers: BTreeMap::new(),
            last: Last::Nothing,
            altered: false,
        };
        scope.bind_receivers();
        scope
    }

    pub(super) fn answered(&mut self, last: Last) {
        self.last = last;
        let response = vec![
            ("status".to_owned(), Kind::Integer),
            ("headers".to_owned(), Kind::map("the headers", Kind::String)),
            ("body".to_owned(), Kind::Any),
            ("text".to_owned(), Kind::String),
        ];
        self.names.bind("response", Kind::object("the answer", response));
    }

    pub(super) fn receives(&mut self, name: &str, at: Location) {
        self.receivers.insert(name.to_owned(), at);
        self.bind_receivers();
    }

    fn bind_receivers(&mut self) {
        let known = self.receivers.keys().map(|name| (name.clone(), Kind::String)).collect();
        self.names.bind("receivers", Kind::object("the list of receivers", known));
    }

    /// What arrived, for expectations of it.
    pub(super) fn with_call(&self) -> Names {
        let call = vec![
            ("method".to_owned(), Kind::String),
            ("path".to_owned(), Kind::String),
            ("headers".to_owned(), Kind::map("the headers", Kind::String)),
            ("body".to_owned(), Kind::Any),
            ("text".to_owned(), Kind::String),
        ];
        self.names.with("call", Kind::object("the call that arrived", call))
    }

    /// Keeps a name.
    pub(super) fn keep(&mut self, name: &str, kind: Kind, at: Location) {
        self.names.bind(name, kind);
        self.kept.insert(name.to_owned(), at);
    }

    /// Takes over what steps within a step have left behind; `round` and its like are theirs alone.
    pub(super) fn take_over(&mut self, inner: &Scope) {
        for (name, at) in &inner.kept {
            if let Some(kind) = inner.names.get(name) {
                self.keep(name, kind.clone(), at.clone());
            }
        }
        for (name, at) in &inner.receivers {
            self.receives(name, at.clone());
        }
        self.altered |= inner.altered;
    }
}

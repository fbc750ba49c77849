use super::{Diagnostics, Key, Node, NodeKind, Spanned};
use crate::diagnostic::{Code, Diagnostic, Location, all_of, nearest};

/// Reads the keys of one mapping. Each key that the format has is asked for once; what was not asked for is unknown.
pub(crate) struct Fields<'n> {
    what: &'static str,
    at: Location,
    members: &'n [(Key, Node)],
    asked: Vec<&'static str>,
    missing: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// `what` names the mapping in messages: `an operation`.
    pub(crate) fn of(node: &'n Node, what: &'static str, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            NodeKind::Map(members) => {
                Some(Fields { what, at: node.at.clone(), members, asked: Vec::new(), missing: Vec::new() })
            }
            _ => {
                wrong_kind(node, &format!("{what} is written as a mapping"), diagnostics);
                None
            }
        }
    }

    /// The place of the whole mapping.
    pub(crate) fn at(&self) -> Location {
        self.at.clone()
    }

    pub(crate) fn take(&mut self, name: &'static str) -> Option<&'n Node> {
        self.entry(name).map(|(_, node)| node)
    }

    /// The key too, for messages about it.
    pub(crate) fn entry(&mut self, name: &'static str) -> Option<(&'n Key, &'n Node)> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        self.members.iter().find(|(key, _)| key.name == name).map(|(key, node)| (key, node))
    }

    pub(crate) fn required(&mut self, name: &'static str) -> Option<&'n Node> {
        let found = self.take(name);
        if found.is_none() {
            self.missing.push(name);
        }
        found
    }

    pub(crate) fn text(&mut self, name: &'static str, diagnostics: &mut Diagnostics) -> Option<Spanned<String>> {
        text(self.take(name)?, &format!("`{name}`"), diagnostics)
    }

    /// A text that people read: a title, a place in the documentation, a reason.
    pub(crate) fn prose(&mut self, name: &'static str, diagnostics: &mut Diagnostics) -> Option<Spanned<String>> {
        let node = self.take(name)?;
        // What has been said in a wrong form is not missing too.
        let unread = || Spanned { value: String::new(), at: node.at.clone() };
        Some(prose(node, name, diagnostics).unwrap_or_else(unread))
    }

    pub(crate) fn required_prose(
        &mut self,
        name: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<String>> {
        prose(self.required(name)?, name, diagnostics)
    }

    pub(crate) fn required_text(
        &mut self,
        name: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<String>> {
        text(self.required(name)?, &format!("`{name}`"), diagnostics)
    }

    pub(crate) fn flag(&mut self, name: &'static str, diagnostics: &mut Diagnostics) -> bool {
        match self.take(name).map(|node| (&node.kind, node)) {
            None => false,
            Some((NodeKind::Boolean(value), _)) => *value,
            Some((kind, node)) => {
                let message = format!("`{name}` is `true` or `false`, not {}", node.sort());
                let meant = match kind {
                    NodeKind::String(word) => truth(word),
                    _ => None,
                };
                let diagnostic = Diagnostic::error(Code::KindWrong, node.at.clone(), message);
                diagnostics.push(diagnostic.suggest(meant.map(str::to_owned)));
                false
            }
        }
    }

    /// The items of a list; a single value stands for a list of one.
    pub(crate) fn list(&mut self, name: &'static str) -> &'n [Node] {
        match self.take(name) {
            None => &[],
            Some(node) => match &node.kind {
                NodeKind::List(items) => items,
                _ => std::slice::from_ref(node),
            },
        }
    }

    pub(crate) fn texts(&mut self, name: &'static str, diagnostics: &mut Diagnostics) -> Vec<Spanned<String>> {
        self.list(name).iter().filter_map(|node| text(node, &format!("an item of `{name}`"), diagnostics)).collect()
    }

    /// The members of a mapping whose keys are free.
    pub(crate) fn named(&mut self, name: &'static str, diagnostics: &mut Diagnostics) -> &'n [(Key, Node)] {
        match self.take(name).map(|node| (&node.kind, node)) {
            None => &[],
            Some((NodeKind::Map(members), _)) => members,
            Some((_, node)) => {
                wrong_kind(node, &format!("`{name}` is a mapping from names"), diagnostics);
                &[]
            }
        }
    }

    /// Whether every key has been asked for.
    pub(crate) fn complete(&self) -> bool {
        self.members.iter().all(|(key, _)| self.asked.contains(&key.name.as_str()))
    }

    /// Reports the keys that nobody asked for, and those that are needed and missing. A misspelt key counts once.
    pub(crate) fn finish(self, diagnostics: &mut Diagnostics) {
        let unknown = || self.members.iter().filter(|(key, _)| !self.asked.contains(&key.name.as_str()));
        let meant = |key: &Key| nearest(&key.name, self.asked.iter().copied());
        let mut missing = self.missing.clone();
        missing.retain(|name| !unknown().any(|(key, _)| meant(key).as_deref() == Some(*name)));
        // A key with a name of its author's own may be the one that is needed.
        let replaced = match missing.as_slice() {
            [name] if unknown().any(|(key, _)| meant(key).is_none()) => {
                let name = *name;
                missing.clear();
                format!("; `{name}` is needed")
            }
            _ => String::new(),
        };
        for name in &missing {
            let start = Location::new(self.at.file, self.at.range.start..self.at.range.start);
            let message = format!("{} needs `{name}`", self.what);
            diagnostics.push(Diagnostic::error(Code::KeyMissing, start, message));
        }
        for (key, _) in unknown() {
            let message = format!("{} has no key `{}`", self.what, key.name);
            let diagnostic = Diagnostic::error(Code::KeyUnknown, key.at.clone(), message)
                .suggest(meant(key))
                .help(format!("the keys are {}{replaced}", all_of(self.asked.iter().copied())));
            diagnostics.push(diagnostic);
        }
    }
}

/// What other spellings of the two truth values mean.
fn truth(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "true" | "yes" | "on" => Some("true"),
        "false" | "no" | "off" => Some("false"),
        _ => None,
    }
}

pub(crate) fn text(node: &Node, what: &str, diagnostics: &mut Diagnostics) -> Option<Spanned<String>> {
    match &node.kind {
        NodeKind::String(value) => Some(Spanned { value: value.clone(), at: node.at.clone() }),
        _ => {
            wrong_kind(node, &format!("{what} is a text"), diagnostics);
            None
        }
    }
}

/// A text for people, which is there and is no expression.
pub(crate) fn prose(node: &Node, name: &str, diagnostics: &mut Diagnostics) -> Option<Spanned<String>> {
    let text = text(node, &format!("`{name}`"), diagnostics)?;
    let message = match text.value.trim() {
        "" => format!("`{name}` says nothing"),
        words if words.starts_with('=') => format!("`{name}` is a text for people, not an expression"),
        _ => return Some(text),
    };
    diagnostics.push(Diagnostic::error(Code::ValueWrong, text.at.clone(), message));
    Some(text)
}

pub(crate) fn wrong_kind(node: &Node, wanted: &str, diagnostics: &mut Diagnostics) {
    let message = format!("{wanted}, not {}", node.sort());
    diagnostics.push(Diagnostic::error(Code::KindWrong, node.at.clone(), message));
}

//! Which place of an example is shown from where.

use crate::diagnostic::Location;
use crate::exchange;
use crate::pack::source::{Key, Template};

/// The example that a shape is made from, and what is shown where.
pub(super) struct Plan<'a> {
    /// The fixture that the example stands in, for messages.
    pub(super) path: String,
    pub(super) shows: Vec<Shown<'a>>,
    pub(super) folder: &'a str,
    pub(super) ignore_case: bool,
}

pub(super) struct Shown<'a> {
    pub(super) at: Location,
    pub(super) segments: Vec<String>,
    pub(super) template: &'a Template,
    /// Written as a key, not as a pointer.
    pub(super) plain: bool,
    /// The key was written with `?`: left out when its value is undefined.
    pub(super) optional: bool,
    pub(super) used: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn new(key: &Key, template: &'a Template) -> Self {
        let (name, optional) = match key.name.strip_suffix('?') {
            Some(name) => (name, true),
            None => (key.name.as_str(), false),
        };
        let plain = !name.starts_with('/');
        let segments = match name {
            "" => Vec::new(),
            name if plain => vec![name.to_owned()],
            name => exchange::segments(name),
        };
        Shown { at: key.at.clone(), segments, template, plain, optional, used: false }
    }

    pub(super) fn pointer(&self) -> String {
        self.segments.iter().map(|segment| exchange::child("", segment)).collect()
    }

    /// As its author wrote it.
    pub(super) fn written(&self) -> String {
        if self.plain { self.segments.concat() } else { self.pointer() }
    }

    /// The pointer that was probably meant: a key may be a path of another notation, such as `meta.total`.
    pub(super) fn path(&self) -> String {
        match self.plain {
            true => format!("/{}", self.segments.concat().replace('.', "/")),
            false => self.pointer(),
        }
    }

    /// A pointer in the spelling that the author chose, as far as it can say this place: a key has no levels.
    pub(super) fn spelt(&self, pointer: &str) -> String {
        let key = pointer.trim_start_matches('/');
        if self.plain && !key.contains('/') { key } else { pointer }.to_owned()
    }
}

/// Where in the example the work is: with `*` for every list item, and as it really is.
#[derive(Clone, Default)]
pub(super) struct At {
    pub(super) pattern: Vec<String>,
    pub(super) actual: Vec<String>,
}

impl At {
    pub(super) fn key(&self, key: &str) -> At {
        let mut at = self.clone();
        at.pattern.push(key.to_owned());
        at.actual.push(key.to_owned());
        at
    }

    /// The pointer that packs name this place by.
    pub(super) fn pointer(&self) -> String {
        self.pattern.iter().fold(String::new(), |pointer, segment| exchange::child(&pointer, segment))
    }

    pub(super) fn item(&self, index: &str) -> At {
        let mut at = self.clone();
        at.pattern.push("*".to_owned());
        at.actual.push(index.to_owned());
        at
    }
}

impl<'a> Plan<'a> {
    pub(super) fn new(path: String, shows: &'a [(Key, Template)], folder: &'a str, ignore_case: bool) -> Self {
        let shows = shows.iter().map(|(key, template)| Shown::new(key, template)).collect();
        Plan { path, shows, folder, ignore_case }
    }

    /// What is shown at exactly this place, and whether it may be left out.
    pub(super) fn exact(&mut self, at: &At) -> Option<(&'a Template, bool)> {
        let shown = self.shows.iter_mut().find(|shown| shown.segments == at.pattern || shown.segments == at.actual)?;
        shown.used = true;
        Some((shown.template, shown.optional))
    }

    pub(super) fn below(&self, at: &At) -> bool {
        let longer = |shown: &Shown<'_>, prefix: &[String]| {
            shown.segments.len() > prefix.len() && shown.segments.starts_with(prefix)
        };
        self.shows.iter().any(|shown| longer(shown, &at.pattern) || longer(shown, &at.actual))
    }
}

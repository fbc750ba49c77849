use std::fmt;
use std::sync::Arc;

use serde_json::Value;

/// What is known about a value before it exists.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// Nothing is known; every use is allowed.
    Any,
    Null,
    Boolean,
    Integer,
    Number,
    String,
    /// An instant, to be written in the format with this number.
    Instant(usize),
    Span,
    List(Box<Kind>),
    Object(Arc<ObjectKind>),
}

/// What is known about the members of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ObjectKind {
    /// For messages: ``the request body``, ``an `item` ``.
    pub(crate) what: String,
    /// The resource, when the object is a record.
    pub(crate) resource: Option<usize>,
    pub(crate) fields: Vec<(String, Kind)>,
    /// The kind of every member that is not named; `None` when there are no others.
    pub(crate) rest: Option<Kind>,
    /// All values that some of the members may have.
    pub(crate) choices: Vec<(String, Vec<Value>)>,
}

impl Kind {
    /// An object of which only these members exist.
    pub(crate) fn object(what: impl Into<String>, fields: Vec<(String, Kind)>) -> Kind {
        Kind::Object(Arc::new(ObjectKind {
            what: what.into(),
            resource: None,
            fields,
            rest: None,
            choices: Vec::new(),
        }))
    }

    /// An object whose members all have one kind.
    pub(crate) fn map(what: impl Into<String>, rest: Kind) -> Kind {
        Kind::Object(Arc::new(ObjectKind {
            what: what.into(),
            resource: None,
            fields: Vec::new(),
            rest: Some(rest),
            choices: Vec::new(),
        }))
    }

    /// The resource of a record.
    pub(crate) fn resource(&self) -> Option<usize> {
        match self {
            Kind::Object(object) => object.resource,
            _ => None,
        }
    }

    /// The kind of a value that has this kind or the other.
    pub(crate) fn or(self, other: Kind) -> Kind {
        match (self, other) {
            (a, b) if a == b => a,
            (Kind::Integer, Kind::Number) | (Kind::Number, Kind::Integer) => Kind::Number,
            _ => Kind::Any,
        }
    }

    /// Whether comparing the two can ever be meant.
    pub(crate) fn comparable(&self, other: &Kind) -> bool {
        use Kind::{Any, Instant, Integer, Null, Number};
        match (self, other) {
            (Any | Null, _) | (_, Any | Null) => true,
            (Integer | Number, Integer | Number) => true,
            (Instant(_), Instant(_)) => true,
            (Kind::List(a), Kind::List(b)) => a.comparable(b),
            (Kind::Object(_), Kind::Object(_)) => true,
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Any => f.write_str("any value"),
            Kind::Null => f.write_str("null"),
            Kind::Boolean => f.write_str("a boolean"),
            Kind::Integer => f.write_str("an integer"),
            Kind::Number => f.write_str("a number"),
            Kind::String => f.write_str("a string"),
            Kind::Instant(_) => f.write_str("an instant"),
            Kind::Span => f.write_str("a length of time"),
            Kind::List(_) => f.write_str("a list"),
            Kind::Object(object) => f.write_str(&object.what),
        }
    }
}

/// The names that an expression may use at one place of a pack, each with its kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    known: Vec<(String, Kind)>,
    /// Something that would have bound names is broken: an unknown name may be one of them.
    open: bool,
}

impl Names {
    /// Adds a name, or gives it a new kind.
    pub(crate) fn bind(&mut self, name: impl Into<String>, kind: Kind) {
        let name = name.into();
        match self.known.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = kind,
            None => self.known.push((name, kind)),
        }
    }

    pub(crate) fn with(&self, name: impl Into<String>, kind: Kind) -> Names {
        let mut names = self.clone();
        names.bind(name, kind);
        names
    }

    /// All names but these.
    pub(crate) fn without(&self, others: &[&str]) -> Names {
        let mut names = self.clone();
        names.known.retain(|(known, _)| !others.contains(&known.as_str()));
        names
    }

    /// From now on only names that are near a known one count as mistakes.
    pub(crate) fn open(&mut self) {
        self.open = true;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Kind> {
        self.known.iter().find(|(known, _)| known == name).map(|(_, kind)| kind)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|(name, _)| name.as_str())
    }
}

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minijinja::value::{Enumerator, Object};

use super::{Draws, Source, Value};

/// A name in a scope: one that the engine gives, or one from a pack.
#[derive(Debug, Clone)]
pub(crate) enum Name {
    Fixed(&'static str),
    Shared(Arc<str>),
}

impl Name {
    fn as_str(&self) -> &str {
        match self {
            Name::Fixed(name) => name,
            Name::Shared(name) => name,
        }
    }
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        Name::Fixed(name)
    }
}

impl From<Arc<str>> for Name {
    fn from(name: Arc<str>) -> Self {
        Name::Shared(name)
    }
}

/// The values that the names of an expression stand for, and the chance that it may use. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    names: Vec<(Name, Value)>,
    /// Names whose values are made only when they are asked for.
    lazy: Option<Arc<dyn Source>>,
    draws: Draws,
}

/// The name under which functions find the draws; not a name that an expression can pass the check with.
pub(super) const DRAWS: &str = "__draws";

impl Scope {
    pub(crate) fn new(draws: Draws) -> Self {
        Scope { names: Vec::new(), lazy: None, draws }
    }

    pub(crate) fn draws(&self) -> &Draws {
        &self.draws
    }

    /// Names whose values are made when asked for; names that are bound come before them.
    pub(crate) fn set_lazy(&mut self, source: Arc<dyn Source>) {
        self.lazy = Some(source);
    }

    /// What makes those names, where it is of this kind and nobody else has it.
    pub(crate) fn lazy_mut<S: Source>(&mut self) -> Option<&mut S> {
        let source: &mut dyn Any = Arc::get_mut(self.lazy.as_mut()?)?;
        source.downcast_mut()
    }

    /// Adds a name, or gives it a new value.
    pub(crate) fn bind(&mut self, name: impl Into<Name>, value: Value) {
        let name = name.into();
        match self.names.iter_mut().find(|(known, _)| known.as_str() == name.as_str()) {
            Some(entry) => entry.1 = value,
            None => {
                if self.names.capacity() == 0 {
                    self.names.reserve(8);
                }
                self.names.push((name, value));
            }
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.names.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| value)
    }

    /// The value of a name, bound or lazy.
    pub(crate) fn lookup(&self, name: &str) -> Option<Value> {
        self.get(name).cloned().or_else(|| self.lazy.as_ref()?.get(name))
    }

    /// The root of an evaluation; its draws, if it may have any, are named `slot`.
    pub(super) fn root(&self, slot: Option<&str>) -> minijinja::Value {
        let draws = slot.map(|slot| {
            let drawn = AtomicU32::new(0);
            minijinja::Value::from_object(Slot { draws: self.draws.clone(), name: slot.to_owned(), drawn })
        });
        minijinja::Value::from_object(Root { scope: self.clone(), draws })
    }
}

#[derive(Debug)]
struct Root {
    scope: Scope,
    draws: Option<minijinja::Value>,
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<minijinja::Value> {
        if key == DRAWS {
            return self.draws.clone();
        }
        self.scope.lookup(key).map(|value| value.0)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// The draws of one evaluation: the first under the slot's own name, further ones numbered.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) draws: Draws,
    pub(super) name: String,
    drawn: AtomicU32,
}

impl Slot {
    pub(super) fn next(&self) -> u32 {
        self.drawn.fetch_add(1, Ordering::Relaxed)
    }
}

impl Object for Slot {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

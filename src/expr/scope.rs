use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minijinja::value::{Enumerator, Object};

use super::{Draws, Value};

/// The values that the names of an expression stand for, and the chance that it may use. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    names: Vec<(Arc<str>, Value)>,
    draws: Draws,
}

/// The name under which functions find the draws; not a name that an expression can pass the check with.
pub(super) const DRAWS: &str = "__draws";

impl Scope {
    pub(crate) fn new(draws: Draws) -> Self {
        Scope { names: Vec::with_capacity(12), draws }
    }

    pub(crate) fn draws(&self) -> &Draws {
        &self.draws
    }

    /// Adds a name, or gives it a new value.
    pub(crate) fn bind(&mut self, name: impl Into<Arc<str>>, value: Value) {
        let name = name.into();
        match self.names.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.names.push((name, value)),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.names.iter().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    /// The root of an evaluation; its draws, if it may have any, are named `slot`.
    pub(super) fn root(&self, slot: Option<&str>) -> minijinja::Value {
        let draws = slot.map(|slot| {
            let drawn = AtomicU32::new(0);
            minijinja::Value::from_object(Slot { draws: self.draws.clone(), name: slot.to_owned(), drawn })
        });
        minijinja::Value::from_object(Root { names: self.names.clone(), draws })
    }
}

#[derive(Debug)]
struct Root {
    names: Vec<(Arc<str>, Value)>,
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
        self.names.iter().find(|(name, _)| &**name == key).map(|(_, value)| value.0.clone())
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

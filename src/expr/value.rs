use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use serde_json::Value as Json;

use crate::clock::Instant;

/// Something with named members that expressions may look into: a record, the records of a resource, a body. Members
/// are made when asked for, so nothing is copied to evaluate an expression.
pub(crate) trait Source: Any + Debug + Send + Sync {
    fn get(&self, name: &str) -> Option<Value>;
    /// Every member's name, in order.
    fn names(&self) -> Vec<String>;
    fn len(&self) -> usize {
        self.names().len()
    }
    /// The items, for a source that is a list and has no names.
    fn items(&self) -> Option<Vec<Value>> {
        None
    }
}

/// A value that expressions compute with.
#[derive(Debug, Clone)]
pub(crate) struct Value(pub(super) minijinja::Value);

#[derive(Debug)]
pub(super) struct Members(Arc<dyn Source>);

impl Members {
    pub(super) fn get(&self, name: &str) -> Option<minijinja::Value> {
        self.0.get(name).map(|value| value.0)
    }
}

/// A source that is a list.
#[derive(Debug)]
struct Items(Arc<dyn Source>);

impl Object for Items {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let index = key.as_usize()?;
        self.0.items()?.into_iter().nth(index).map(|value| value.0)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.items().unwrap_or_default().into_iter().map(|value| value.0).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }
}

impl Object for Members {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        match key.as_str() {
            Some(name) => self.get_value_by_str(name),
            // Records with integer ids are found by the number too.
            None if key.is_integer() => self.get_value_by_str(&key.to_string()),
            None => None,
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<minijinja::Value> {
        self.0.get(key).map(|value| value.0)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.names().into_iter().map(minijinja::Value::from).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }
}

impl Value {
    pub(crate) fn undefined() -> Self {
        Value(minijinja::Value::UNDEFINED)
    }

    pub(crate) fn null() -> Self {
        Value(minijinja::Value::from(()))
    }

    pub(crate) fn source(source: Arc<dyn Source>) -> Self {
        Value(minijinja::Value::from_object(Members(source)))
    }

    pub(crate) fn list(items: Vec<Value>) -> Self {
        Value(items.into_iter().map(|value| value.0).collect())
    }

    /// A list whose items are made when asked for.
    pub(crate) fn list_source(source: Arc<dyn Source>) -> Self {
        Value(minijinja::Value::from_object(Items(source)))
    }

    pub(crate) fn string(text: &str) -> Self {
        Value(minijinja::Value::from(text))
    }

    pub(crate) fn boolean(value: bool) -> Self {
        Value(minijinja::Value::from(value))
    }

    pub(crate) fn integer(value: i64) -> Self {
        Value(minijinja::Value::from(value))
    }

    pub(crate) fn instant(instant: Instant) -> Self {
        Value::integer(instant.micros())
    }

    /// Scalars as they are; objects and arrays copied.
    pub(crate) fn json(json: &Json) -> Self {
        match json {
            Json::Null => Value::null(),
            Json::Bool(value) => Value::boolean(*value),
            Json::String(text) => Value::string(text),
            Json::Number(number) => match number.as_i64() {
                Some(integer) => Value::integer(integer),
                None => Value(minijinja::Value::from(minijinja::value::Serde(number))),
            },
            other => Value(minijinja::Value::from(minijinja::value::Serde(other))),
        }
    }

    /// As JSON. `None` for what JSON cannot say: undefined, or an integer beyond 64 bits.
    pub(crate) fn to_json(&self) -> Option<Json> {
        match self.0.kind() {
            ValueKind::Undefined | ValueKind::Invalid => None,
            ValueKind::String => self.0.as_str().map(Json::from),
            ValueKind::Number if self.0.is_integer() => match self.0.as_i64() {
                Some(integer) => Some(Json::from(integer)),
                None => serde_json::to_value(&self.0).ok().filter(Json::is_u64),
            },
            _ => serde_json::to_value(&self.0).ok(),
        }
    }

    pub(crate) fn is_undefined(&self) -> bool {
        self.0.is_undefined()
    }

    pub(crate) fn is_null(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn is_true(&self) -> bool {
        self.0.is_true()
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }

    pub(crate) fn as_i64(&self) -> Option<i64> {
        self.0.as_i64()
    }

    /// A whole number, and nothing that merely can be read as one.
    pub(crate) fn as_whole(&self) -> Option<i64> {
        if self.0.is_integer() { self.0.as_i64() } else { None }
    }

    pub(crate) fn as_instant(&self) -> Option<Instant> {
        self.0.as_i64().map(Instant::from_micros)
    }

    /// The source that the value was made from, when it is a `T`.
    pub(crate) fn downcast<T: 'static>(&self) -> Option<&T> {
        let source: &dyn Any = match self.0.downcast_object_ref::<Members>() {
            Some(members) => &*members.0,
            None => &*self.0.downcast_object_ref::<Items>()?.0,
        };
        source.downcast_ref()
    }

    /// The items of a list, the keys of an object; `None` for other values.
    pub(crate) fn items(&self) -> Option<Vec<Value>> {
        match self.0.kind() {
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
                self.0.try_iter().ok().map(|items| items.map(Value).collect())
            }
            _ => None,
        }
    }

    /// As text: a string without quotes, everything else as JSON would write it.
    pub(crate) fn text(&self) -> String {
        match self.0.as_str() {
            Some(text) => text.to_owned(),
            None => self.to_json().map_or_else(String::new, |json| json.to_string()),
        }
    }
}

/// A parsed body, looked into without copying it.
impl Source for Arc<Json> {
    fn get(&self, name: &str) -> Option<Value> {
        let object = self.as_object()?;
        // Among a handful, looking at each is quicker than hashing the name.
        let found = match object.len() {
            0..=16 => object.iter().find(|(known, _)| *known == name).map(|(_, value)| value),
            _ => object.get(name),
        };
        found.map(Value::json)
    }

    fn names(&self) -> Vec<String> {
        self.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
    }
}

/// A handful of named values.
impl<N: AsRef<str> + Debug + Send + Sync + 'static> Source for Vec<(N, Value)> {
    fn get(&self, name: &str) -> Option<Value> {
        self.iter().find(|(known, _)| known.as_ref() == name).map(|(_, value)| value.clone())
    }

    fn names(&self) -> Vec<String> {
        self.iter().map(|(name, _)| name.as_ref().to_owned()).collect()
    }
}

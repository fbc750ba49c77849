//! The values that a schema lists, by the name of the property that may have them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Library, Reference, Schema};

impl Schema {
    /// Every `enum` and `const` of a property, in any branch. The same property may come more than once.
    pub(crate) fn options(&self) -> Vec<(String, Vec<Value>)> {
        let mut walk = Walk { schema: self, seen: BTreeSet::new(), found: Vec::new() };
        walk.at(&self.reference);
        walk.found
    }
}

impl Library {
    /// The names of all properties that are `writeOnly`: they are sent, and shown to nobody.
    pub(crate) fn write_only(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (name, document) in &self.shelf.documents {
            self.write_only_within(document, name, &mut found);
        }
        found
    }

    fn write_only_within(&self, value: &Value, document: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.write_only_within(item, document, found)),
            Value::Object(object) => {
                let properties = object.get("properties").and_then(Value::as_object).into_iter().flatten();
                let only = properties.filter(|(_, property)| self.is_write_only(property, document, MOST_LEVELS));
                found.extend(only.map(|(name, _)| name.clone()));
                object.values().for_each(|inner| self.write_only_within(inner, document, found));
            }
            _ => {}
        }
    }

    /// Whether a property says so itself, in a branch, or where it refers to.
    fn is_write_only(&self, schema: &Value, document: &str, levels: usize) -> bool {
        let Some(levels) = levels.checked_sub(1) else { return false };
        schema.get("writeOnly") == Some(&Value::Bool(true))
            || branches(schema).any(|inner| self.is_write_only(inner, document, levels))
            || Reference::of(schema, document).is_some_and(|target| {
                self.get(&target).is_some_and(|referred| self.is_write_only(referred, &target.document, levels))
            })
    }
}

struct Walk<'a> {
    schema: &'a Schema,
    /// Places that a reference led to already: schemas may refer to themselves.
    seen: BTreeSet<(String, String)>,
    found: Vec<(String, Vec<Value>)>,
}

impl Walk<'_> {
    fn at(&mut self, reference: &Reference) {
        if self.seen.insert((reference.document.clone(), reference.pointer.clone()))
            && let Some(schema) = self.get(reference)
        {
            self.walk(&schema, &reference.document);
        }
    }

    fn get(&self, reference: &Reference) -> Option<Value> {
        self.schema.shelf.documents.get(&reference.document)?.pointer(&reference.pointer).cloned()
    }

    fn walk(&mut self, value: &Value, document: &str) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, document)),
            Value::Object(object) => {
                for (name, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
                    self.property(name, property, document);
                }
                if let Some(target) = Reference::of(value, document) {
                    self.at(&target);
                }
                // `$defs` count where they are referred to.
                object.iter().filter(|(key, _)| *key != "$defs").for_each(|(_, inner)| self.walk(inner, document));
            }
            _ => {}
        }
    }

    fn property(&mut self, name: &str, property: &Value, document: &str) {
        let mut options = Vec::new();
        self.listed(property, document, MOST_LEVELS, &mut options);
        self.found.extend(options.into_iter().map(|options| (name.to_owned(), options)));
    }

    /// What a value, or an item of it, is listed as: right here, in a branch, or where a reference leads.
    fn listed(&self, schema: &Value, document: &str, levels: usize, options: &mut Vec<Vec<Value>>) {
        let Some(levels) = levels.checked_sub(1) else { return };
        let own = schema.get("enum").and_then(Value::as_array).cloned();
        options.extend(own.or_else(|| schema.get("const").map(|value| vec![value.clone()])));
        for inner in branches(schema).chain(schema.get("items")) {
            self.listed(inner, document, levels, options);
        }
        if let Some(target) = Reference::of(schema, document)
            && let Some(referred) = self.get(&target)
        {
            self.listed(&referred, &target.document, levels, options);
        }
    }
}

/// How deep branches and references of one property are followed: schemas may refer to themselves.
const MOST_LEVELS: usize = 8;

/// What else a schema says about the same value, always or under conditions.
pub(super) fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    ["then", "else"].into_iter().filter_map(|key| schema.get(key)).chain(lists)
}

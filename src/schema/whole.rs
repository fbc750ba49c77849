//! All documents of a library as one schema: what they refer to is then compiled once, and not again for everyone that
//! refers to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jsonschema::{Draft, ValidationOptions, Validator};
use serde_json::{Map, Value, json};

use super::Reference;
use super::lint::{LISTED, NAMED, ONE};
use crate::exchange;

type Documents = BTreeMap<String, Arc<Value>>;

/// Every document and every definition in one, compiled together.
#[derive(Debug)]
pub(super) struct Whole {
    validator: Validator,
    parts: BTreeSet<Reference>,
}

impl Whole {
    /// None where a document is written in a way that could mean something else here, or something is wrong with one; then
    /// each is to be compiled as it stands.
    pub(super) fn new(documents: &Documents, options: &ValidationOptions<'static>) -> Option<Self> {
        let (schema, parts) = joined(documents)?;
        Some(Whole { validator: options.build(&schema).ok()?, parts })
    }

    pub(super) fn has(&self, reference: &Reference) -> bool {
        self.parts.contains(reference)
    }

    pub(super) fn fits(&self, reference: &Reference, value: &Value) -> bool {
        self.validator.is_valid(&Value::Object([(key(reference), value.clone())].into_iter().collect()))
    }
}

/// The member that has to fit a schema.
fn key(reference: &Reference) -> String {
    format!("{}#{}", reference.document, reference.pointer)
}

/// A schema of an object with a member for each.
fn joined(documents: &Documents) -> Option<(Value, BTreeSet<Reference>)> {
    let mut inside = Map::new();
    let mut members = Map::new();
    let mut parts = BTreeSet::new();
    for (number, (name, document)) in documents.iter().enumerate() {
        if !is_plain(name) {
            return None;
        }
        inside.insert(number.to_string(), Moved { documents, number }.schema(document)?);
        let definitions = document.get("$defs").and_then(Value::as_object).into_iter().flatten();
        let pointers = definitions.map(|(definition, _)| exchange::child("/$defs", definition));
        for pointer in std::iter::once(String::new()).chain(pointers) {
            let target = format!("#/$defs/{number}{pointer}");
            let part = Reference { document: name.clone(), pointer };
            members.insert(key(&part), json!({ "$ref": target }));
            parts.insert(part);
        }
    }
    Some((json!({ "$defs": inside, "properties": members }), parts))
}

/// Whether a name means the same in a URI, and beside any other.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A document at its place among the others.
struct Moved<'a> {
    documents: &'a Documents,
    number: usize,
}

impl Moved<'_> {
    fn schema(&self, schema: &Value) -> Option<Value> {
        let Value::Object(object) = schema else { return Some(schema.clone()) };
        // Of another draft the words would mean something else.
        if Draft::Draft202012.detect(schema) != Draft::Draft202012 {
            return None;
        }
        let mut moved = Map::new();
        for (key, value) in object {
            let value = match (key.as_str(), value) {
                // Nothing is referred to by an anchor.
                ("$schema" | "$anchor", _) => continue,
                ("$ref", Value::String(text)) => self.reference(text)?.into(),
                (key, value) if ONE.contains(&key) => self.schema(value)?,
                (key, Value::Object(named)) if NAMED.contains(&key) => {
                    let named = named.iter().map(|(name, schema)| Some((name.clone(), self.schema(schema)?)));
                    Value::Object(named.collect::<Option<_>>()?)
                }
                (key, Value::Array(listed)) if LISTED.contains(&key) => {
                    Value::Array(listed.iter().map(|schema| self.schema(schema)).collect::<Option<_>>()?)
                }
                // What is no schema may be referred to as one all the same.
                (_, value) if has_references(value) => return None,
                (_, value) => value.clone(),
            };
            moved.insert(key.clone(), value);
        }
        Some(Value::Object(moved))
    }

    fn reference(&self, text: &str) -> Option<String> {
        let (file, pointer) = text.split_once('#').unwrap_or((text, ""));
        let number = match file.strip_suffix(".json") {
            None if file.is_empty() => self.number,
            None => return None,
            Some(name) => self.documents.keys().position(|known| known == name)?,
        };
        Some(format!("#/$defs/{number}{pointer}"))
    }
}

fn has_references(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.iter().any(|(key, value)| key.starts_with('$') || has_references(value)),
        Value::Array(items) => items.iter().any(has_references),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Library, Place};
    use super::*;

    fn library(documents: Value) -> Library {
        let Value::Object(documents) = documents else { panic!("an object of documents") };
        let (library, faults) = Library::new(documents.into_iter().collect(), BTreeSet::new());
        assert_eq!(faults, []);
        library
    }

    #[test]
    fn what_fits_the_whole_fits_the_schema_by_itself() {
        let library = library(json!({
            "list": { "$schema": "https://json-schema.org/draft/2020-12/schema", "items": { "$ref": "item.json" } },
            "item": {
                "type": "object",
                "properties": { "name": { "$ref": "#/$defs/na~1me" }, "of": { "$ref": "list.json" }, "$ref": { "type": "null" } },
                "additionalProperties": false,
                "$defs": { "na/me": { "type": "string", "pattern": "^[a-z]+$" }, "date": { "format": "date" } },
            },
        }));
        assert!(library.whole.is_some());
        let values = [
            json!([{ "name": "a", "of": [{}] }]),
            json!([{ "name": "A" }]),
            json!({ "name": "a" }),
            json!({ "$ref": 1 }),
            json!("2024-02-30"),
            json!("text"),
        ];
        for name in ["list", "item", "item#/$defs/na~1me", "item#/$defs/date"] {
            let schema = library.compile(&Reference::parse(name)).unwrap();
            for value in &values {
                let whole = library.violations(&schema, value, Place::Body);
                assert_eq!(library.fits(&schema, value), schema.is_valid(value), "{name} {value}");
                assert_eq!(whole, schema.violations(value, Place::Body), "{name} {value}");
            }
        }
    }

    #[test]
    fn documents_in_folders_are_compiled_as_they_stand() {
        for odd in [
            json!({ "folder/a": {}, "b": {} }),
            json!({ "a": { "x-more": { "b": { "$ref": "#" } } } }),
            json!({ "a": { "const": { "$ref": "b.json" } } }),
            json!({ "a": { "$schema": "http://json-schema.org/draft-07/schema#" } }),
        ] {
            let library = library(odd.clone());
            assert!(library.whole.is_none(), "{odd}");
            assert!(library.names().all(|name| library.compile(&Reference::parse(name)).is_ok()));
        }
    }
}

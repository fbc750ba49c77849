//! What can be wrong with schema documents, found by reading them.

use std::collections::BTreeMap;

use jsonschema::Draft;
use serde_json::Value;

use super::Reference;
use crate::exchange;

/// A mistake in a schema document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// The document's name without `.json`; empty for a schema that stands in another file.
    pub(crate) document: String,
    /// JSON pointer to the keyword.
    pub(crate) pointer: String,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// Not a JSON Schema of draft 2020-12, or a word that it does not know.
    Invalid,
    /// A `$ref` that leads nowhere, or out of the pack.
    Reference,
    /// An `oneOf` that could only say "none of these".
    OneOf,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, document: &str, pointer: &str, message: impl Into<String>) -> Self {
        Fault { kind, document: document.to_owned(), pointer: pointer.to_owned(), message: message.into() }
    }
}

pub(super) fn all(documents: &BTreeMap<String, Value>) -> Vec<Fault> {
    documents.iter().flat_map(|(name, schema)| one(name, schema, documents)).collect()
}

pub(super) fn one(name: &str, schema: &Value, documents: &BTreeMap<String, Value>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Err(error) = jsonschema::options().with_draft(Draft::Draft202012).offline().build(&without_references(schema)) {
        faults.push(Fault::new(FaultKind::Invalid, name, error.instance_path().as_str(), error.to_string()));
        return faults;
    }
    Walk { name, documents, faults: &mut faults }.schema(schema, "");
    faults
}

/// The schema with every `$ref` taken out, so that it can be checked against the meta-schema alone.
fn without_references(schema: &Value) -> Value {
    match schema {
        Value::Object(object) => object
            .iter()
            .filter(|(key, _)| *key != "$ref")
            .map(|(key, value)| (key.clone(), without_references(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_references).collect(),
        other => other.clone(),
    }
}

/// Keywords whose value is one schema.
const ONE: &[&str] = &[
    "additionalProperties", "unevaluatedProperties", "propertyNames", "items", "unevaluatedItems", "contains", "not",
    "if", "then", "else", "contentSchema",
];
/// Keywords whose value is an object of schemas.
const NAMED: &[&str] = &["properties", "patternProperties", "dependentSchemas", "$defs"];
/// Keywords whose value is an array of schemas.
const LISTED: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is no schema.
const PLAIN: &[&str] = &[
    "$schema", "$comment", "$ref", "$anchor", "title", "description", "default", "deprecated", "readOnly", "writeOnly",
    "examples", "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
    "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains",
    "maxProperties", "minProperties", "required", "dependentRequired", "format", "contentEncoding", "contentMediaType",
];

struct Walk<'a> {
    name: &'a str,
    documents: &'a BTreeMap<String, Value>,
    faults: &'a mut Vec<Fault>,
}

impl Walk<'_> {
    fn fault(&mut self, kind: FaultKind, pointer: &str, message: String) {
        self.faults.push(Fault::new(kind, self.name, pointer, message));
    }

    fn schema(&mut self, schema: &Value, pointer: &str) {
        let Value::Object(object) = schema else { return };
        for (key, value) in object {
            let here = exchange::child(pointer, key);
            match key.as_str() {
                "$id" => {
                    let message = "`$id` is not used here: a schema is known by its file name".to_owned();
                    self.fault(FaultKind::Invalid, &here, message);
                }
                "$ref" => self.reference(value, &here),
                key if ONE.contains(&key) => self.schema(value, &here),
                key if NAMED.contains(&key) => {
                    for (name, schema) in value.as_object().into_iter().flatten() {
                        self.schema(schema, &exchange::child(&here, name));
                    }
                }
                key if LISTED.contains(&key) => {
                    if key == "oneOf" && !object.contains_key("x-error") {
                        let message = "`oneOf` cannot say which branch was meant: use `if` and `then`, or name the error with `x-error`";
                        self.fault(FaultKind::OneOf, &here, message.to_owned());
                    }
                    for (index, schema) in value.as_array().into_iter().flatten().enumerate() {
                        self.schema(schema, &exchange::child(&here, &index.to_string()));
                    }
                }
                key if PLAIN.contains(&key) || key.starts_with("x-") => {}
                unknown => {
                    let message = format!("`{unknown}` is not a keyword of JSON Schema 2020-12");
                    self.fault(FaultKind::Invalid, &here, message);
                }
            }
        }
    }

    fn reference(&mut self, value: &Value, pointer: &str) {
        let Some(text) = value.as_str() else { return };
        let Some(pointer_text) = text.split_once('#').map_or(Some(""), |(_, fragment)| Some(fragment)) else { return };
        if text.contains("://") {
            let message = format!("`{text}` is outside the pack: nothing is fetched, copy the schema into a file of the pack");
            return self.fault(FaultKind::Reference, pointer, message);
        }
        let target = Reference::parse(text);
        let document = if target.document.is_empty() { self.name } else { &target.document };
        let found = self.documents.get(document).and_then(|root| root.pointer(pointer_text)).is_some();
        if !found {
            self.fault(FaultKind::Reference, pointer, format!("`{text}` leads to no schema of this pack"));
        }
    }
}

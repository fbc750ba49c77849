//! What can be wrong with schema documents, found by reading them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jsonschema::Draft;
use serde_json::Value;

use super::Reference;
use crate::diagnostic::nearest;
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
    /// What was probably meant.
    pub(crate) suggestion: Option<String>,
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
        let (document, pointer) = (document.to_owned(), pointer.to_owned());
        Fault { kind, document, pointer, message: message.into(), suggestion: None }
    }
}

/// What a document may refer to: the documents there are, and the names of those that are broken, about which enough
/// has been said.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) documents: &'a BTreeMap<String, Arc<Value>>,
    pub(super) broken: &'a BTreeSet<String>,
}

/// What reading the documents finds.
pub(super) fn all(known: Known<'_>) -> Vec<Fault> {
    known.documents.iter().flat_map(|(name, schema)| one(name, schema, known)).collect()
}

/// Of each document in which nothing is wrong so far, what making it ready finds. In the order of the documents, as `all`.
pub(super) fn try_all(known: Known<'_>, faults: &mut Vec<Fault>) {
    let mut all = Vec::new();
    for (name, schema) in known.documents {
        let mut own: Vec<Fault> = faults.extract_if(.., |fault| fault.document == *name).collect();
        try_one(name, schema, &mut own);
        all.append(&mut own);
    }
    all.append(faults);
    *faults = all;
}

pub(super) fn one(name: &str, schema: &Value, known: Known<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    Walk { name, known, faults: &mut faults }.schema(schema, "");
    let bare = without_references(schema);
    for error in jsonschema::draft202012::meta::validator().iter_errors(&bare) {
        let pointer = error.instance_path().as_str();
        // The walk has better words for what it knows.
        if !faults.iter().any(|fault| fault.pointer.starts_with(pointer)) {
            faults.push(Fault::new(FaultKind::Invalid, name, pointer, words(&error)));
        }
    }
    faults
}

/// What is wrong with a schema by itself, whatever it refers to, where reading it found nothing.
pub(super) fn try_one(name: &str, schema: &Value, faults: &mut Vec<Fault>) {
    if faults.is_empty()
        && let Err(error) =
            jsonschema::options().with_draft(Draft::Draft202012).offline().build(&without_references(schema))
    {
        faults.push(Fault::new(FaultKind::Invalid, name, error.instance_path().as_str(), words(&error)));
    }
}

fn words(error: &jsonschema::ValidationError<'_>) -> String {
    let keyword = exchange::segments(error.instance_path().as_str()).pop().unwrap_or_default();
    match (keyword.as_str(), error.instance().as_ref()) {
        ("pattern", Value::String(pattern)) => format!("`{pattern}` is not a regular expression"),
        ("", _) => format!("this is not a JSON Schema: {error}"),
        _ => format!("`{keyword}` cannot be this: {error}"),
    }
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
pub(super) const ONE: &[&str] = &[
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "items",
    "unevaluatedItems",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "contentSchema",
];
/// Keywords whose value is an object of schemas.
pub(super) const NAMED: &[&str] = &["properties", "patternProperties", "dependentSchemas", "$defs"];
/// Keywords whose value is an array of schemas.
pub(super) const LISTED: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is no schema.
const PLAIN: &[&str] = &[
    "$schema",
    "$comment",
    "$ref",
    "$anchor",
    "title",
    "description",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "examples",
    "type",
    "enum",
    "const",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxContains",
    "minContains",
    "maxProperties",
    "minProperties",
    "required",
    "dependentRequired",
    "format",
    "contentEncoding",
    "contentMediaType",
];

struct Walk<'a> {
    name: &'a str,
    known: Known<'a>,
    faults: &'a mut Vec<Fault>,
}

/// Values of `type`.
const TYPES: &[&str] = &["string", "integer", "number", "boolean", "object", "array", "null"];
/// Values of `format`.
pub(super) const FORMATS: &[&str] = &[
    "date",
    "date-time",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uri-template",
    "json-pointer",
    "relative-json-pointer",
    "regex",
    "uuid",
];

impl Walk<'_> {
    fn fault(&mut self, kind: FaultKind, pointer: &str, message: String) {
        self.faults.push(Fault::new(kind, self.name, pointer, message));
    }

    /// A word that is not among those that there are.
    fn word(&mut self, word: &str, words: &[&str], pointer: &str, message: String) {
        let fault = Fault::new(FaultKind::Invalid, self.name, pointer, message);
        self.faults.push(Fault { suggestion: nearest(word, words.iter().copied()), ..fault });
    }

    fn types(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::String(word) if !TYPES.contains(&word.as_str()) => {
                self.word(word, TYPES, pointer, format!("`{word}` is not a type of JSON"));
            }
            Value::Array(words) => {
                for (index, word) in words.iter().enumerate() {
                    self.types(word, &exchange::child(pointer, &index.to_string()));
                }
            }
            _ => {}
        }
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
                "type" => self.types(value, &here),
                "format" => match value.as_str() {
                    Some(word) if !FORMATS.contains(&word) => {
                        self.word(word, FORMATS, &here, format!("`{word}` is not a format that is checked"));
                    }
                    _ => {}
                },
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
                    let words: Vec<&str> = [ONE, NAMED, LISTED, PLAIN].concat();
                    self.word(unknown, &words, &here, message);
                }
            }
        }
    }

    fn reference(&mut self, value: &Value, pointer: &str) {
        let Some(text) = value.as_str() else { return };
        let Some(pointer_text) = text.split_once('#').map_or(Some(""), |(_, fragment)| Some(fragment)) else { return };
        if text.contains("://") {
            let message = format!(
                "`{text}` is outside the pack, and nothing is fetched: copy the schema into a file of the pack"
            );
            return self.fault(FaultKind::Reference, pointer, message);
        }
        let target = Reference::parse(text);
        let document = if target.document.is_empty() { self.name } else { &target.document };
        if self.known.broken.contains(document) {
            return;
        }
        match self.known.documents.get(document) {
            None => {
                let names = self.known.documents.keys().chain(self.known.broken).map(|name| format!("{name}.json"));
                let names: Vec<String> = names.collect();
                let message = format!("there is no schema file `{document}.json` beside this one");
                let fault = Fault::new(FaultKind::Reference, self.name, pointer, message);
                let own = document.rsplit('/').next().unwrap_or_default();
                let own = format!("{own}.json");
                let suggestion = nearest(&format!("{document}.json"), names.iter().map(String::as_str))
                    .or_else(|| nearest(&own, names.iter().map(String::as_str)));
                self.faults.push(Fault { suggestion, ..fault });
            }
            Some(root) if root.pointer(pointer_text).is_none() => {
                let message = format!("`{document}.json` has nothing at `{pointer_text}`");
                let defs = root.get("$defs").and_then(Value::as_object).into_iter().flatten();
                let defs: Vec<String> = defs.map(|(name, _)| exchange::child("#/$defs", name)).collect();
                let wanted = format!("#{}", pointer_text.replace("/definitions/", "/$defs/"));
                // Files are schemas too: `#/$defs/item` may have been meant for `item.json`.
                let last = format!("{}.json", pointer_text.rsplit('/').next().unwrap_or_default());
                let file = self.known.documents.contains_key(last.trim_end_matches(".json")).then_some(last);
                let suggestion = nearest(&wanted, defs.iter().map(String::as_str)).or(file);
                let fault = Fault::new(FaultKind::Reference, self.name, pointer, message);
                self.faults.push(Fault { suggestion, ..fault });
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Schemas may stand in the files of a pack too, and editors know them by `schemas/format`.
    #[test]
    fn editors_know_the_same_words() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/format/operation.json"));
        let document: Value = serde_json::from_str(&text.unwrap()).unwrap();
        let keywords: BTreeSet<&str> = [ONE, NAMED, LISTED, PLAIN].concat().into_iter().collect();
        for name in ["schema", "parameter"] {
            let properties = document["$defs"][name]["properties"].as_object().unwrap();
            assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), keywords, "{name}");
            assert_eq!(properties["type"]["anyOf"][0]["enum"], Value::from(TYPES));
            assert_eq!(properties["format"]["enum"], Value::from(FORMATS));
        }
    }
}

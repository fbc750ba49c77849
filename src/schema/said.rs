//! What a schema says about one place of a value: the properties that it knows there, and values that it might take.

use std::ptr;

use serde_json::{Map, Value, json};

use super::options::branches;
use super::{Reference, Schema};
use crate::exchange::distinct;

/// The most parts of a schema that are looked at for one place: schemas may refer to themselves.
const MOST_PARTS: usize = 200;
/// The longest text and the longest list of samples.
const LONGEST: u64 = 1000;

/// A text for each format. Where a pattern asks for something, one of them may be it.
const SAMPLES: &[(&str, &str)] = &[
    ("uri", "https://example.com/"),
    ("uuid", "00000000-0000-0000-0000-000000000000"),
    ("date", "2024-01-01"),
    ("date-time", "2024-01-01T00:00:00Z"),
    ("email", "name@example.com"),
    ("hostname", "example.com"),
    ("time", "00:00:00Z"),
    ("duration", "P1D"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("idn-email", "name@example.com"),
    ("idn-hostname", "example.com"),
    ("uri-reference", "/"),
    ("iri", "https://example.com/"),
    ("iri-reference", "/"),
    ("uri-template", "/{name}"),
    ("json-pointer", "/name"),
    ("relative-json-pointer", "0"),
    ("regex", ".*"),
];

/// The parts of a schema that may say something about one place, in any branch.
#[derive(Debug)]
pub(crate) struct Said<'s>(Vec<&'s Map<String, Value>>);

/// A part of a schema, and the document that its references start from.
type Part<'s> = (&'s Value, &'s str);

impl Schema {
    /// What is said about the place that these segments of a pointer lead to, whatever the conditions are.
    pub(crate) fn said(&self, segments: &[String]) -> Said<'_> {
        let mut parts = self.spread(self.part(&self.reference).into_iter().collect());
        for segment in segments {
            let below = parts.iter().flat_map(|(schema, document)| step(schema, segment).map(|part| (part, *document)));
            parts = self.spread(below.collect());
        }
        Said(parts.into_iter().filter_map(|(schema, _)| schema.as_object()).collect())
    }

    fn part(&self, reference: &Reference) -> Option<Part<'_>> {
        match (&self.inline, reference.document.as_str()) {
            (Some(inline), "") => Some((inline.pointer(&reference.pointer)?, "")),
            (_, document) => {
                let (name, document) = self.shelf.documents.get_key_value(document)?;
                Some((document.pointer(&reference.pointer)?, name))
            }
        }
    }

    /// Adds what is said of the same value in branches and where references lead.
    fn spread<'s>(&'s self, mut parts: Vec<Part<'s>>) -> Vec<Part<'s>> {
        let mut next = 0;
        while let Some((schema, document)) = parts.get(next).copied() {
            next += 1;
            let referred = Reference::of(schema, document).and_then(|target| self.part(&target));
            for part in referred.into_iter().chain(branches(schema).map(|inner| (inner, document))) {
                if parts.len() < MOST_PARTS && !parts.iter().any(|(known, _)| ptr::eq(*known, part.0)) {
                    parts.push(part);
                }
            }
        }
        parts
    }
}

/// What a schema says one step below.
fn step<'s>(schema: &'s Value, segment: &str) -> impl Iterator<Item = &'s Value> {
    let index = segment.parse::<usize>().ok();
    let property = schema.get("properties").and_then(|properties| properties.get(segment));
    let other = || ["additionalProperties", "unevaluatedProperties"].into_iter().find_map(|key| schema.get(key));
    let listed = index.and_then(|index| schema.get("prefixItems")?.get(index));
    let item = listed.or_else(|| index.and_then(|_| schema.get("items")));
    property.or_else(other).into_iter().chain(item)
}

impl Said<'_> {
    /// The names of the properties that are known here.
    pub(crate) fn properties(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for part in &self.0 {
            let known = part.get("properties").and_then(Value::as_object).into_iter().flatten();
            names.extend(known.map(|(name, _)| name.as_str()));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether the values that may stand here are listed.
    pub(crate) fn lists(&self) -> bool {
        self.all("enum").chain(self.all("const")).next().is_some()
    }

    /// Values that might fit here, the likeliest first: what the schema itself names, then the least of each type.
    pub(crate) fn samples(&self) -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        for key in ["const", "default"] {
            found.extend(self.all(key).cloned());
        }
        for key in ["enum", "examples"] {
            found.extend(self.all(key).filter_map(|listed| listed.get(0)).cloned());
        }
        for kind in self.kinds() {
            match kind {
                "object" => found.push(json!({})),
                "array" => found.push(json!([])),
                "boolean" => found.extend([json!(true), json!(false)]),
                "null" => found.push(Value::Null),
                "integer" | "number" => found.extend(self.numbers()),
                _ => found.extend(self.texts()),
            }
        }
        distinct(found)
    }

    fn all(&self, key: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter_map(move |part| part.get(key))
    }

    /// The types that are named; where there is none, what the keywords are about.
    fn kinds(&self) -> Vec<&str> {
        let named = self.all("type").flat_map(|kind| match kind {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect::<Vec<_>>(),
        });
        let kinds = distinct(named);
        if !kinds.is_empty() {
            return kinds;
        }
        let about = |keys: &[&str]| keys.iter().any(|key| self.all(key).next().is_some());
        match () {
            () if about(&["properties", "required", "additionalProperties"]) => vec!["object"],
            () if about(&["items", "prefixItems", "minItems"]) => vec!["array"],
            () if about(&["minimum", "maximum", "multipleOf"]) => vec!["number"],
            () => vec!["string"],
        }
    }

    fn numbers(&self) -> Vec<Value> {
        let next = |key: &str, by: i64| {
            let limits = self.all(key).filter_map(Value::as_i64);
            limits.filter_map(|limit| limit.checked_add(by)).map(Value::from).collect::<Vec<_>>()
        };
        let mut found: Vec<Value> = self.all("minimum").chain(self.all("maximum")).cloned().collect();
        found.extend(next("exclusiveMinimum", 1));
        found.extend(next("exclusiveMaximum", -1));
        found.extend([json!(0), json!(1)]);
        found.extend(self.all("multipleOf").cloned());
        found
    }

    fn texts(&self) -> Vec<Value> {
        let limits = |key: &str| self.all(key).filter_map(Value::as_u64).collect::<Vec<_>>();
        let least = limits("minLength").into_iter().max().unwrap_or(0).min(LONGEST);
        let most = limits("maxLength").into_iter().min().unwrap_or(LONGEST);
        let mut found: Vec<Value> = Vec::new();
        for format in self.all("format").filter_map(Value::as_str) {
            found.extend(SAMPLES.iter().filter(|(known, _)| *known == format).map(|(_, text)| json!(text)));
        }
        let plain = "text";
        let fits = (least..=most).contains(&(plain.len() as u64));
        found.push(if fits { json!(plain) } else { json!("x".repeat(usize::try_from(least).unwrap_or(0).max(1))) });
        found.extend(SAMPLES.iter().map(|(_, text)| json!(text)));
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::{Library, lint};
    use super::*;

    fn schema(text: Value) -> Schema {
        let other = json!({ "$defs": { "day": { "enum": ["mon", "tue"] }, "loop": { "$ref": "#/$defs/loop" } } });
        let documents = BTreeMap::from([("whole".to_owned(), text), ("other".to_owned(), other)]);
        let (library, faults) = Library::new(documents, BTreeSet::new());
        assert_eq!(faults, []);
        library.compile(&Reference::parse("whole")).unwrap()
    }

    fn at(pointer: &str) -> Vec<String> {
        crate::exchange::segments(pointer)
    }

    #[test]
    fn every_branch_and_reference_speaks_of_its_place() {
        let schema = schema(json!({
            "properties": { "a": { "type": "integer", "minimum": 3 }, "days": { "items": { "$ref": "other.json#/$defs/day" } } },
            "allOf": [{ "if": { "required": ["a"] }, "then": { "properties": { "b": { "$ref": "other.json#/$defs/loop" } } } }],
            "additionalProperties": { "properties": { "deep": { "const": 7 } } },
        }));
        assert_eq!(schema.said(&at("")).properties(), ["a", "b", "days"]);
        assert_eq!(schema.said(&at("/other")).properties(), ["deep"]);
        assert_eq!(schema.said(&at("/other/deep")).samples()[0], json!(7));
        assert_eq!(schema.said(&at("/days/4")).samples()[0], json!("mon"));
        assert!(schema.said(&at("/days/4")).lists() && !schema.said(&at("/a")).lists());
        assert_eq!(schema.said(&at("/a")).samples()[..2], [json!(3), json!(0)]);
        assert!(schema.said(&at("/a/nothing/there")).properties().is_empty());
    }

    #[test]
    fn samples_fit_what_they_are_samples_of() {
        for format in lint::FORMATS {
            let schema = schema(json!({ "type": "string", "format": format }));
            let first = schema.said(&[]).samples().swap_remove(0);
            assert!(schema.is_valid(&first), "{format}: {first}");
        }
        for text in [
            json!({ "type": "string", "minLength": 7 }),
            json!({ "type": "string", "maxLength": 2 }),
            json!({ "type": "integer", "exclusiveMinimum": 5 }),
            json!({ "type": "number", "maximum": -2 }),
            json!({ "type": ["boolean", "null"] }),
            json!({ "default": "as said" }),
            json!({ "items": { "type": "string" } }),
            json!({ "required": [] }),
        ] {
            let schema = schema(text.clone());
            let first = schema.said(&[]).samples().swap_remove(0);
            assert!(schema.is_valid(&first), "{text}: {first}");
        }
    }
}

//! JSON Schema 2020-12: compile once, check often, and say what does not fit in terms that a pack can map to a
//! vendor's error codes. Nothing is ever fetched.
//!
//! The only user of the `jsonschema` crate. Must not know packs or requests. Start with [`Library`].

mod lint;
mod options;
mod reach;
mod said;
mod violation;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

pub(crate) use lint::{Fault, FaultKind};
pub(crate) use violation::{Place, Violation};

/// Where a schema lives: `<name>` for a whole file, `<name>#/pointer` for a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) document: String,
    /// JSON pointer, empty for the whole document.
    pub(crate) pointer: String,
}

impl Reference {
    pub(crate) fn parse(text: &str) -> Self {
        let (document, pointer) = text.split_once('#').unwrap_or((text, ""));
        Reference { document: document.trim_end_matches(".json").to_owned(), pointer: pointer.to_owned() }
    }
}

const SCHEME: &str = "standin:///";

fn uri(document: &str) -> String {
    format!("{SCHEME}{document}.json")
}

/// All schema documents of a pack by name, able to refer to each other by file name (`item.json#/$defs/name`).
#[derive(Debug)]
pub(crate) struct Library {
    documents: Arc<BTreeMap<String, Value>>,
    registry: Registry<'static>,
    /// Documents that are left out because of what is wrong in them.
    broken: BTreeSet<String>,
    /// Validators share formats that the vendor's documents need.
    options: jsonschema::ValidationOptions<'static>,
}

impl Library {
    /// Checks every document and how they refer to each other. Returns every fault; documents with faults are left out.
    /// `broken` names documents that cannot be read; that others refer to them is no further fault.
    pub(crate) fn new(documents: BTreeMap<String, Value>, mut broken: BTreeSet<String>) -> (Self, Vec<Fault>) {
        let faults = lint::all(lint::Known { documents: &documents, broken: &broken });
        broken.extend(faults.iter().map(|fault| fault.document.clone()));
        let documents: BTreeMap<String, Value> =
            documents.into_iter().filter(|(name, _)| faults.iter().all(|fault| &fault.document != name)).collect();
        let pairs = documents.iter().map(|(name, value)| (uri(name), value.clone()));
        let registry =
            Registry::new().extend(pairs).and_then(|builder| builder.prepare()).or_else(|_| Registry::new().prepare());
        let mut faults = faults;
        let registry = match registry {
            Ok(registry) => registry,
            Err(error) => {
                faults.push(Fault::new(FaultKind::Invalid, "", "", error.to_string()));
                return (Library::empty(), faults);
            }
        };
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .should_validate_formats(true)
            // What is taken for a pattern can be matched: expressions read it alike.
            .with_format("regex", |pattern: &str| crate::exchange::whole_text(pattern).is_ok())
            .should_ignore_unknown_formats(false);
        (Library { documents: Arc::new(documents), registry, broken, options }, faults)
    }

    fn empty() -> Self {
        let registry = Registry::new().prepare();
        let Ok(registry) = registry else { unreachable!("a registry without documents has nothing to refuse") };
        Library {
            documents: Arc::default(),
            registry,
            broken: BTreeSet::new(),
            options: jsonschema::options().offline(),
        }
    }

    /// Whether a document cannot be used, itself or through what it refers to.
    pub(crate) fn is_broken(&self, document: &str) -> bool {
        self.broken.contains(document) || (!self.broken.is_empty() && self.documents.contains_key(document))
    }

    /// The names of all documents that can be used.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.documents.keys().map(String::as_str)
    }

    /// The schema's own text, for reading its properties.
    pub(crate) fn get(&self, reference: &Reference) -> Option<&Value> {
        self.documents.get(&reference.document)?.pointer(&reference.pointer)
    }

    /// Makes a schema of a document ready for use.
    pub(crate) fn compile(&self, reference: &Reference) -> Result<Schema, Fault> {
        if self.get(reference).is_none() {
            let message = match self.documents.contains_key(&reference.document) {
                true => format!("`{}.json` has nothing at `{}`", reference.document, reference.pointer),
                false => format!("there is no schema `{}`", reference.document),
            };
            return Err(Fault::new(FaultKind::Reference, &reference.document, "", message));
        }
        let target = format!("{}#{}", uri(&reference.document), reference.pointer);
        self.build(&json!({ "$ref": target }), reference.clone())
    }

    /// Makes a schema that stands inside another file, such as the parameters of an operation, ready for use.
    pub(crate) fn compile_inline(&self, schema: &Value) -> Result<Schema, Vec<Fault>> {
        let faults = lint::one("", schema, lint::Known { documents: &self.documents, broken: &self.broken });
        if !faults.is_empty() {
            return Err(faults);
        }
        let nowhere = Reference { document: String::new(), pointer: String::new() };
        self.build(schema, nowhere).map_err(|fault| vec![fault])
    }

    fn build(&self, schema: &Value, reference: Reference) -> Result<Schema, Fault> {
        let document = reference.document.as_str();
        let validator = self
            .options
            .clone()
            .with_registry(&self.registry)
            .with_base_uri(format!("{SCHEME}inline"))
            .build(schema)
            .map_err(|error| {
                Fault::new(FaultKind::Invalid, document, error.instance_path().as_str(), error.to_string())
            })?;
        let inline = document.is_empty().then(|| Arc::new(schema.clone()));
        Ok(Schema { validator: Arc::new(validator), documents: Arc::clone(&self.documents), inline, reference })
    }
}

/// One compiled schema. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    validator: Arc<Validator>,
    documents: Arc<BTreeMap<String, Value>>,
    inline: Option<Arc<Value>>,
    /// Where it lives; without a document for an inline schema.
    reference: Reference,
}

impl Schema {
    pub(crate) fn is_valid(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Everything that does not fit, in the order of the schema's keywords; empty when all fits.
    pub(crate) fn violations(&self, value: &Value, place: Place) -> Vec<Violation> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        self.each_violation(value, place).collect()
    }

    /// The same, each made when it is asked for: there may be as many as the value has parts.
    pub(crate) fn each_violation<'a>(&'a self, value: &'a Value, place: Place) -> impl Iterator<Item = Violation> + 'a {
        self.validator.iter_errors(value).flat_map(move |error| violation::from_error(&error, place, self))
    }

    /// The same for JSON that is not read yet. What cannot be read, because it is nested too deeply, fits nothing.
    pub(crate) fn violations_within(&self, json: &[u8], place: Place) -> Vec<Violation> {
        match serde_json::from_slice(json) {
            Ok(value) => self.violations(&value, place),
            Err(error) => vec![violation::unreadable(&error, place, self)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(documents: Value) -> (Library, Vec<Fault>) {
        let Value::Object(documents) = documents else { panic!("an object of documents") };
        Library::new(documents.into_iter().collect(), BTreeSet::new())
    }

    #[test]
    fn documents_refer_to_each_other_by_file_name() {
        let (library, faults) = library(json!({
            "create": { "type": "object", "properties": { "name": { "$ref": "parts.json#/$defs/name" } }, "required": ["name"] },
            "parts": { "$defs": { "name": { "type": "string", "minLength": 1, "x-error": "blank" } } },
        }));
        assert_eq!(faults, []);
        let schema = library.compile(&Reference::parse("create")).unwrap();
        assert!(schema.is_valid(&json!({ "name": "x" })));
        let violations = schema.violations(&json!({ "name": "" }), Place::Body);
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].pointer, "/name");
        assert_eq!(violations[0].keyword, "minLength");
        assert_eq!(violations[0].schema, "parts.json#/$defs/name/minLength");
        assert_eq!(violations[0].row.as_deref(), Some("blank"));
    }

    #[test]
    fn a_missing_property_is_named_by_its_own_pointer() {
        let (library, _) = library(json!({
            "create": { "type": "object", "required": ["name", "age"], "properties": { "name": {}, "age": {} }, "additionalProperties": false },
        }));
        let schema = library.compile(&Reference::parse("create")).unwrap();
        let found: Vec<_> = schema
            .violations(&json!({ "x": 1 }), Place::Body)
            .into_iter()
            .map(|violation| (violation.keyword, violation.pointer))
            .collect();
        for expected in [("required", "/name"), ("required", "/age"), ("additionalProperties", "/x")] {
            assert!(found.contains(&(expected.0.to_owned(), expected.1.to_owned())), "{found:?}");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_to_be_read_fits_nothing() {
        let (library, _) = library(json!({ "any": {} }));
        let schema = library.compile(&Reference::parse("any")).unwrap();
        let nested = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
        assert_eq!(schema.violations_within(nested(100).as_bytes(), Place::Response), []);
        let found = schema.violations_within(nested(200).as_bytes(), Place::Response);
        assert_eq!((found.len(), found[0].schema.as_str()), (1, "any.json#"));
        assert!(found[0].message.contains("recursion limit"), "{}", found[0].message);
    }

    #[test]
    fn listed_values_are_found_by_property_through_branches_and_references() {
        let (library, faults) = library(json!({
            "send": {
                "properties": {
                    "kind": { "enum": ["a", "b"] },
                    "state": { "if": { "type": "integer" }, "then": { "enum": [1, 2] }, "else": { "type": "integer" } },
                    "list": { "items": { "$ref": "#" } },
                    "days": { "items": { "$ref": "parts.json#/$defs/day" } },
                },
                "allOf": [{ "then": { "properties": { "day": { "$ref": "parts.json#/$defs/day" } } } }],
            },
            "parts": { "$defs": { "day": { "enum": ["mon"] }, "unused": { "properties": { "x": { "const": 1 } } } } },
        }));
        assert_eq!(faults, []);
        let options = library.compile(&Reference::parse("send")).unwrap().options();
        let expected = [
            ("kind".to_owned(), vec![json!("a"), json!("b")]),
            ("state".to_owned(), vec![json!(1), json!(2)]),
            ("days".to_owned(), vec![json!("mon")]),
            ("day".to_owned(), vec![json!("mon")]),
        ];
        assert_eq!(options, expected);
    }

    #[test]
    fn properties_that_are_only_sent_are_found_wherever_they_stand() {
        let (library, faults) = library(json!({
            "login": { "allOf": [{ "properties": { "secret": { "writeOnly": true }, "name": { "writeOnly": false } } }] },
            "refers": { "properties": {
                "pass": { "$ref": "parts.json#/$defs/secret" },
                "code": { "anyOf": [{ "type": "string", "writeOnly": true }, { "type": "null" }] },
            } },
            "parts": { "$defs": { "secret": { "writeOnly": true }, "pin": { "properties": { "pin": { "type": "string", "writeOnly": true } } } } },
        }));
        assert_eq!(faults, []);
        assert_eq!(library.write_only().into_iter().collect::<Vec<_>>(), ["code", "pass", "pin", "secret"]);
    }

    #[test]
    fn faults_name_document_and_pointer() {
        let (_, faults) = library(json!({
            "a": { "properties": { "x": { "$ref": "b.json" } } },
            "c": { "type": "strin" },
            "d": { "propertees": {} },
            "e": { "$ref": "https://example.com/schema.json" },
        }));
        let found: Vec<_> = faults.iter().map(|fault| (fault.document.as_str(), fault.pointer.as_str())).collect();
        assert_eq!(found, [("a", "/properties/x/$ref"), ("c", "/type"), ("d", "/propertees"), ("e", "/$ref")]);
    }
}

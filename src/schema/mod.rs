//! JSON Schema 2020-12: compile once, check often, and say what does not fit in terms that a pack can map to a
//! vendor's error codes. Nothing is ever fetched.
//!
//! The only user of the `jsonschema` crate. Must not know packs or requests. Start with [`Library`].

mod lint;
mod options;
mod reach;
mod said;
mod violation;
mod whole;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use crate::exchange;

pub(crate) use lint::{Fault, FaultKind};
pub(crate) use violation::{Place, Violation};
use whole::Whole;

/// Where a schema lives: `<name>` for a whole file, `<name>#/pointer` for a part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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

    /// Where the `$ref` of a schema in a document leads; none where it has no `$ref`.
    pub(crate) fn of(schema: &Value, document: &str) -> Option<Self> {
        let mut reference = Reference::parse(schema.get("$ref")?.as_str()?);
        if reference.document.is_empty() {
            document.clone_into(&mut reference.document);
        }
        Some(reference)
    }
}

const SCHEME: &str = "standin:///";

fn uri(document: &str) -> String {
    format!("{SCHEME}{document}.json")
}

/// All schema documents of a pack by name, able to refer to each other by file name (`item.json#/$defs/name`).
#[derive(Debug)]
pub(crate) struct Library {
    shelf: Arc<Shelf>,
    /// Documents that are left out because of what is wrong in them.
    broken: BTreeSet<String>,
    /// Every document and every definition in one: they were all made ready, so each can be by itself, which is left to
    /// its first use. None where something is wrong, so that each is tried.
    whole: Option<Whole>,
    /// What was asked for, so that whoever names a schema again has the same one.
    made: RefCell<BTreeMap<Reference, Schema>>,
}

/// What schemas are made from.
#[derive(Debug)]
struct Shelf {
    documents: BTreeMap<String, Arc<Value>>,
    registry: Registry<'static>,
    /// Validators share formats that the vendor's documents need.
    options: jsonschema::ValidationOptions<'static>,
}

impl Library {
    /// Checks every document and how they refer to each other. Returns every fault; documents with faults are left out.
    /// `broken` names documents that cannot be read; that others refer to them is no further fault.
    pub(crate) fn new(documents: BTreeMap<String, Value>, mut broken: BTreeSet<String>) -> (Self, Vec<Fault>) {
        let documents: BTreeMap<String, Arc<Value>> =
            documents.into_iter().map(|(name, document)| (name, Arc::new(document))).collect();
        let known = lint::Known { documents: &documents, broken: &broken };
        let mut faults = lint::all(known);
        if faults.is_empty()
            && let Ok(shelf) = Shelf::new(documents.clone())
            && shelf.is_complete()
            && let Some(whole) = Whole::new(&documents, &shelf.options)
        {
            return (Library { shelf: Arc::new(shelf), broken, whole: Some(whole), made: RefCell::default() }, faults);
        }
        lint::try_all(known, &mut faults);
        broken.extend(faults.iter().map(|fault| fault.document.clone()));
        let documents =
            documents.into_iter().filter(|(name, _)| faults.iter().all(|fault| &fault.document != name)).collect();
        match Shelf::new(documents) {
            Ok(shelf) => (Library { shelf: Arc::new(shelf), broken, whole: None, made: RefCell::default() }, faults),
            Err(words) => {
                faults.push(Fault::new(FaultKind::Invalid, "", "", words));
                (Library::empty(), faults)
            }
        }
    }

    /// One without documents.
    pub(crate) fn empty() -> Self {
        let registry = Registry::new().prepare();
        let Ok(registry) = registry else { unreachable!("a registry without documents has nothing to refuse") };
        let shelf = Shelf { documents: BTreeMap::new(), registry, options: options() };
        Library { shelf: Arc::new(shelf), broken: BTreeSet::new(), whole: None, made: RefCell::default() }
    }

    /// Whether a document cannot be used, itself or through what it refers to.
    pub(crate) fn is_broken(&self, document: &str) -> bool {
        self.broken.contains(document) || (!self.broken.is_empty() && self.shelf.documents.contains_key(document))
    }

    /// The names of all documents that can be used.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.shelf.documents.keys().map(String::as_str)
    }

    /// The schema's own text, for reading its properties.
    pub(crate) fn get(&self, reference: &Reference) -> Option<&Value> {
        self.shelf.documents.get(&reference.document)?.pointer(&reference.pointer)
    }

    /// A schema of a document, which is known to be ready for use.
    pub(crate) fn compile(&self, reference: &Reference) -> Result<Schema, Fault> {
        if let Some(known) = self.made.borrow().get(reference)
            && let Some(Some(_)) = known.validator.get()
        {
            return Ok(known.clone());
        }
        if self.get(reference).is_none() {
            let message = match self.shelf.documents.contains_key(&reference.document) {
                true => format!("`{}.json` has nothing at `{}`", reference.document, reference.pointer),
                false => format!("there is no schema `{}`", reference.document),
            };
            return Err(Fault::new(FaultKind::Reference, &reference.document, "", message));
        }
        let schema = self.part(reference);
        if !self.has_whole(reference) {
            let validator = self.shelf.build(&target(reference)).map_err(|error| fault(&error, &reference.document))?;
            let _ = schema.validator.set(Some(validator));
        }
        Ok(schema)
    }

    fn has_whole(&self, reference: &Reference) -> bool {
        self.whole.as_ref().is_some_and(|whole| whole.has(reference))
    }

    /// Whether a value fits a schema of this library. When a pack is loaded, many are asked once, and never again.
    pub(crate) fn fits(&self, schema: &Schema, value: &Value) -> bool {
        match &self.whole {
            Some(whole) if schema.is_unmade() && whole.has(&schema.reference) => whole.fits(&schema.reference, value),
            _ => schema.is_valid(value),
        }
    }

    /// What does not fit, for what is asked as seldom.
    pub(crate) fn violations(&self, schema: &Schema, value: &Value, place: Place) -> Vec<Violation> {
        if self.fits(schema, value) { Vec::new() } else { schema.violations(value, place) }
    }

    /// A part of a schema that can be made ready as a whole, so that nothing can be wrong with it. It is made ready when
    /// it is first asked: most parts never are, because the records that they are shown from have passed them.
    pub(crate) fn part(&self, reference: &Reference) -> Schema {
        let mut made = self.made.borrow_mut();
        made.entry(reference.clone())
            .or_insert_with(|| Schema {
                validator: Arc::default(),
                shelf: Arc::clone(&self.shelf),
                inline: None,
                reference: reference.clone(),
            })
            .clone()
    }

    /// Makes a schema that stands inside another file, such as the parameters of an operation, ready for use.
    pub(crate) fn compile_inline(&self, schema: &Value) -> Result<Schema, Vec<Fault>> {
        let known = lint::Known { documents: &self.shelf.documents, broken: &self.broken };
        let mut faults = lint::one("", schema, known);
        if faults.is_empty() {
            match self.shelf.build(schema) {
                Ok(validator) => return Ok(self.inline(schema, validator)),
                Err(error) => {
                    lint::try_one("", schema, &mut faults);
                    if faults.is_empty() {
                        faults.push(fault(&error, ""));
                    }
                }
            }
        }
        Err(faults)
    }

    fn inline(&self, schema: &Value, validator: Validator) -> Schema {
        Schema {
            validator: Arc::new(OnceLock::from(Some(validator))),
            shelf: Arc::clone(&self.shelf),
            inline: Some(Arc::new(schema.clone())),
            reference: Reference { document: String::new(), pointer: String::new() },
        }
    }
}

/// A schema that is nothing but the one that is referred to.
fn target(reference: &Reference) -> Value {
    json!({ "$ref": format!("{}#{}", uri(&reference.document), reference.pointer) })
}

fn fault(error: &jsonschema::ValidationError<'_>, document: &str) -> Fault {
    Fault::new(FaultKind::Invalid, document, error.instance_path().as_str(), error.to_string())
}

fn options() -> jsonschema::ValidationOptions<'static> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        // What is taken for a pattern can be matched: expressions read it alike.
        .with_format("regex", |pattern: &str| exchange::whole_text(pattern).is_ok())
        .should_ignore_unknown_formats(false)
}

impl Shelf {
    fn new(documents: BTreeMap<String, Arc<Value>>) -> Result<Self, String> {
        let pairs = documents.iter().map(|(name, value)| (uri(name), Arc::clone(value)));
        let registry =
            Registry::new().extend(pairs).and_then(|builder| builder.prepare()).or_else(|_| Registry::new().prepare());
        let registry = registry.map_err(|error| error.to_string())?;
        Ok(Shelf { documents, registry, options: options() })
    }

    /// Whether every document can be referred to.
    fn is_complete(&self) -> bool {
        self.documents.keys().all(|name| self.registry.contains_resource(&uri(name)))
    }

    fn build(&self, schema: &Value) -> Result<Validator, jsonschema::ValidationError<'static>> {
        self.options.clone().with_registry(&self.registry).with_base_uri(format!("{SCHEME}inline")).build(schema)
    }
}

/// One schema. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    /// None inside for a part that cannot be made ready by itself, which says nothing then.
    validator: Arc<OnceLock<Option<Validator>>>,
    shelf: Arc<Shelf>,
    inline: Option<Arc<Value>>,
    /// Where it lives; without a document for an inline schema.
    reference: Reference,
}

impl Schema {
    fn is_unmade(&self) -> bool {
        self.validator.get().is_none()
    }

    fn validator(&self) -> Option<&Validator> {
        self.validator.get_or_init(|| self.shelf.build(&target(&self.reference)).ok()).as_ref()
    }

    pub(crate) fn is_valid(&self, value: &Value) -> bool {
        self.validator().is_none_or(|validator| validator.is_valid(value))
    }

    /// Everything that does not fit, in the order of the schema's keywords; empty when all fits.
    pub(crate) fn violations(&self, value: &Value, place: Place) -> Vec<Violation> {
        if self.is_valid(value) {
            return Vec::new();
        }
        self.each_violation(value, place).collect()
    }

    /// The same, each made when it is asked for: there may be as many as the value has parts.
    pub(crate) fn each_violation<'a>(&'a self, value: &'a Value, place: Place) -> impl Iterator<Item = Violation> + 'a {
        let errors = self.validator().into_iter().flat_map(|validator| validator.iter_errors(value));
        errors.flat_map(move |error| violation::from_error(&error, place, self))
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

//! What expressions know: the names in scope at each place of a pack, and their kinds.

use serde_json::Value;

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::expr::{Kind, Names};
use crate::pack::{Auth, ResourceId, Scheme};
use crate::schema::{Library, Reference};

/// What is in scope without being a record.
const RESERVED: [&str; 16] = [
    "now",
    "ticking",
    "request",
    "base",
    "path",
    "query",
    "headers",
    "body",
    "records",
    "tables",
    "options",
    "page",
    "input",
    "violation",
    "violations",
    "refusal",
];

impl Resolver<'_> {
    /// The names that are in scope everywhere: `now`, `ticking`, `request`, `records`, `tables`, `options`, `base`, and the request's parts,
    /// of which nothing is known yet.
    pub(super) fn common_names(&self) -> Names {
        let mut names = Names::default();
        names.bind("now", Kind::Instant(0));
        names.bind("ticking", Kind::Boolean);
        let request = vec![("method".to_owned(), Kind::String), ("path".to_owned(), Kind::String)];
        names.bind("request", Kind::object("the request", request));
        names.bind("base", Kind::String);
        names.bind("path", Kind::map("the path", Kind::Any));
        names.bind("query", Kind::map("the query", Kind::Any));
        names.bind("headers", Kind::map("the headers", Kind::Any));
        names.bind("body", Kind::Any);
        names.bind("records", self.records_kind());
        names.bind("tables", json_kind("the tables", &self.tables));
        names.bind("options", self.options_kind());
        names
    }

    /// A name for a record that means something else in expressions.
    pub(super) fn check_reserved(&mut self, name: &str, at: &Location) {
        if RESERVED.contains(&name) {
            let message = format!("`{name}` means something else in expressions");
            let diagnostic = Diagnostic::error(Code::NameDuplicate, at.clone(), message);
            self.report(diagnostic.help("give the record another name"));
        }
    }

    /// What defaults and uniquenesses see: the record, and what never changes.
    pub(super) fn record_names(&self, resource: ResourceId) -> Names {
        let mut names = Names::default();
        names.bind("record", self.record_kind(resource));
        names.bind("tables", json_kind("the tables", &self.tables));
        names
    }

    fn records_kind(&self) -> Kind {
        let all = self.resources.iter().zip(&self.record_kinds).map(|(resource, kind)| {
            (resource.name.to_string(), Kind::map(format!("the `{}` records", resource.name), kind.clone()))
        });
        Kind::object("the records", all.collect())
    }

    pub(super) fn record_kind(&self, resource: ResourceId) -> Kind {
        self.record_kinds[resource.0].clone()
    }

    /// The records that a scheme leaves in scope: the caller, and the owner that it acts for.
    pub(super) fn callers(&self, scheme: &Scheme) -> Vec<(String, ResourceId)> {
        let owner = scheme.acts_for.map(|owner| (self.resources[owner.0].name.to_string(), owner));
        [(scheme.bind.to_string(), scheme.resource)].into_iter().chain(owner).collect()
    }

    /// The callers that an operation's schemes leave in scope. After `any` that is what each of its schemes leaves: which of
    /// them succeeds is not known, so an expression may ask whether a name is defined.
    pub(super) fn bind_callers(&self, auth: &Auth, names: &mut Names) {
        match auth {
            Auth::Open => {}
            Auth::Scheme(scheme) => {
                for (name, resource) in self.callers(&self.schemes[scheme.0]) {
                    names.bind(name, self.record_kind(resource));
                }
            }
            Auth::Optional(inner) => self.bind_callers(inner, names),
            Auth::All(parts) => parts.iter().for_each(|part| self.bind_callers(part, names)),
            Auth::Any(parts) => {
                let schemes = parts.iter().flat_map(Auth::schemes);
                for (name, resource) in schemes.flat_map(|scheme| self.callers(&self.schemes[scheme.0])) {
                    let kind = self.record_kind(resource);
                    let kind = match names.get(&name) {
                        Some(known) => known.clone().or(kind),
                        None => kind,
                    };
                    names.bind(name, kind);
                }
            }
        }
    }
}

/// What is known about a JSON document that never changes.
pub(super) fn json_kind(what: &str, value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Boolean,
        Value::Number(number) if number.is_f64() => Kind::Number,
        Value::Number(_) => Kind::Integer,
        Value::String(_) => Kind::String,
        Value::Array(items) => {
            let item = items.iter().map(|item| json_kind("an item", item)).reduce(Kind::or);
            Kind::List(Box::new(item.unwrap_or(Kind::Any)))
        }
        Value::Object(object) => {
            let fields = object.iter().map(|(key, value)| (key.clone(), json_kind(&format!("`{key}`"), value)));
            Kind::object(what, fields.collect())
        }
    }
}

/// What a schema says about a value.
pub(super) fn schema_kind(library: &Library, what: &str, schema: &Value, document: &str) -> Kind {
    let mut walk = SchemaWalk { library, depth: 0 };
    walk.kind(what, schema, document)
}

struct SchemaWalk<'a> {
    library: &'a Library,
    depth: usize,
}

impl<'a> SchemaWalk<'a> {
    fn kind(&mut self, what: &str, schema: &Value, document: &str) -> Kind {
        if self.depth > 16 {
            return Kind::Any;
        }
        self.depth += 1;
        let kind = self.inner(what, schema, document);
        self.depth -= 1;
        kind
    }

    fn inner(&mut self, what: &str, schema: &Value, document: &str) -> Kind {
        let mut fields = Vec::new();
        self.properties(schema, document, &mut fields);
        if !fields.is_empty() {
            return Kind::object(what, fields);
        }
        if let Some((target, document)) = self.target(schema, document) {
            return self.kind(what, target, &document);
        }
        match schema.get("type") {
            Some(Value::String(word)) => match word.as_str() {
                "string" => Kind::String,
                "boolean" => Kind::Boolean,
                "integer" => Kind::Integer,
                "number" => Kind::Number,
                "null" => Kind::Null,
                "array" => match schema.get("items") {
                    Some(items) => Kind::List(Box::new(self.kind("an item", items, document))),
                    None => Kind::List(Box::new(Kind::Any)),
                },
                _ => Kind::map(what, Kind::Any),
            },
            _ => Kind::Any,
        }
    }

    fn target(&self, schema: &Value, document: &str) -> Option<(&'a Value, String)> {
        let reference = Reference::of(schema, document)?;
        Some((self.library.get(&reference)?, reference.document))
    }

    /// Every property that the schema or one of its branches names.
    fn properties(&mut self, schema: &Value, document: &str, out: &mut Vec<(String, Kind)>) {
        if self.depth > 16 {
            return;
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let kind = self.kind(&format!("`{name}`"), property, document);
            match out.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => *known = merged(known.clone(), kind),
                None => out.push((name.clone(), kind)),
            }
        }
        self.depth += 1;
        if let Some((target, document)) = self.target(schema, document) {
            self.properties(target, &document, out);
        }
        for branch in ["if", "then", "else"].iter().filter_map(|key| schema.get(key)) {
            self.properties(branch, document, out);
        }
        for list in ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema.get(key)?.as_array()) {
            for branch in list {
                self.properties(branch, document, out);
            }
        }
        self.depth -= 1;
    }
}

/// One property seen in several branches: objects gather their members, everything else must agree.
fn merged(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (Kind::Any, other) | (other, Kind::Any) => other,
        (Kind::Object(a), Kind::Object(b)) => {
            let mut fields = a.fields.clone();
            for (name, kind) in &b.fields {
                match fields.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) => *known = merged(known.clone(), kind.clone()),
                    None => fields.push((name.clone(), kind.clone())),
                }
            }
            match (&a.rest, &b.rest, fields.is_empty()) {
                (None, None, _) | (_, _, false) => Kind::object(a.what.clone(), fields),
                _ => Kind::map(a.what.clone(), Kind::Any),
            }
        }
        (a, b) => a.or(b),
    }
}

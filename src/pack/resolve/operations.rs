//! Operation and event files, and the routes between them.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderValue, Method};
use serde_json::Value;

use super::kinds::schema_kind;
use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, FileId, Location};
use crate::exchange;
use crate::expr::{self, Kind, Names};
use crate::pack::source::{
    BodySource, EffectSource, EffectVerb, EventSource, ListSource, LoadSource, Manifest, OperationSource, ParameterSource,
    Spanned, Template,
};
use crate::pack::{
    BodyRule, Credential, Effect, ErrorId, Event, Example, List, Load, NamedError, Operation, OperationId, Parameter,
    Parameters, Provenance, ReadRule, Reads, Refusal, Replay, ResourceId, Router, Row, Shape, Turn, Verb,
};
use crate::schema::{Place, Reference};

/// What a pack is put together from.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) credentials: Vec<Credential>,
    pub(super) credential_places: Vec<Location>,
    pub(super) errors: Vec<NamedError>,
    pub(super) rejections: BTreeMap<Refusal, ErrorId>,
    pub(super) rows: Vec<Row>,
    pub(super) headers: Vec<(http::HeaderName, Shape)>,
    pub(super) operations: Vec<Operation>,
    /// Folder and file stem of each operation.
    pub(super) operation_files: Vec<(String, String)>,
    pub(super) events: Vec<Event>,
    pub(super) examples: Vec<Example>,
    pub(super) replays: Vec<Replay>,
    /// An operation or event could not be read, so that nobody knows what it would have used.
    pub(super) incomplete: bool,
}

impl Resolver<'_> {
    pub(super) fn operations(&mut self, manifest: &Manifest, parts: &mut Parts) {
        let files: Vec<(String, FileId)> = self.fixtures.iter().map(|(path, id)| ((*path).to_owned(), *id)).collect();
        for (path, file) in files {
            let Some((folder, name)) = path.rsplit_once('/') else { continue };
            let Some(stem) = name.strip_suffix(".yaml") else { continue };
            if let Some(event) = stem.strip_suffix(".event") {
                self.used.insert(path.clone());
                if let Some(event) = self.event_file(file, event) {
                    parts.events.push(event);
                } else {
                    parts.incomplete = true;
                }
            } else if !stem.contains('.') && !path.starts_with("scenarios/") {
                self.used.insert(path.clone());
                if let Some(operation) = self.operation_file(file, folder, stem, manifest) {
                    parts.operations.push(operation);
                    parts.operation_files.push((folder.to_owned(), stem.to_owned()));
                } else {
                    parts.incomplete = true;
                }
            }
        }
    }

    fn operation_file(&mut self, file: FileId, folder: &str, stem: &str, manifest: &Manifest) -> Option<Operation> {
        let node = self.yaml(file)?;
        let source = OperationSource::read(&node, &mut self.diagnostics)?;
        self.operation(&source, folder, stem, manifest)
    }

    fn event_file(&mut self, file: FileId, name: &str) -> Option<Event> {
        let node = self.yaml(file)?;
        let source = EventSource::read(&node, &mut self.diagnostics)?;
        self.event(&source, name)
    }

    fn operation(&mut self, source: &OperationSource, folder: &str, stem: &str, manifest: &Manifest) -> Option<Operation> {
        let (method, template) = self.request_line(source.request.as_ref()?)?;
        let provenance = self.operation_provenance(source);
        let auth = self.auth(source.auth.as_ref())?;
        let mut names = self.common_names();
        self.bind_callers(&auth, &mut names);
        names.bind("path", path_kind(&template));
        // Kept as a failure until everything else has been looked at: without its condition this is another operation.
        let when = match &source.when {
            Some(node) => {
                let condition = Template::condition(node, &mut self.diagnostics);
                self.condition(condition.as_ref(), &names).map(Some)
            }
            None => Some(None),
        };
        let mut parameters = Vec::new();
        for (place, given) in [(Place::Path, &source.path), (Place::Query, &source.query), (Place::Header, &source.headers)] {
            if let Some(found) = self.parameters(place, given) {
                names.bind(scope_name(place), parameters_kind(place, &found, &template));
                parameters.push(found);
            }
        }
        self.check_path_parameters(source, &template);
        let body = match &source.body {
            Some(body) => Some(self.body(body)?),
            None => None,
        };
        if let (Some(body), Some(given)) = (&body, &source.body) {
            let reference = Reference::parse(&body.schema_name);
            if let Some(schema) = self.library.get(&reference).cloned() {
                names.bind("body", schema_kind(&self.library, "the request body", &schema, &reference.document));
            }
            if method == Method::GET || method == Method::DELETE {
                let message = format!("a {method} has no body that servers may rely on");
                self.report(Diagnostic::warning(Code::ValueWrong, given.schema.at.clone(), message));
            }
        }
        let ignore_case = self.read_rules(&source.read, names.get("body").cloned().unwrap_or(Kind::Any));
        let mut late = BTreeSet::from(["body".to_owned()]);
        let loads = self.loads(&source.load, &mut names, &mut late);
        let mut guards = Vec::new();
        for name in &source.guards {
            let known: Vec<String> = manifest.guards.iter().map(|guard| guard.name.name.clone()).collect();
            if let Some(index) = self.lookup("guard", name, &known)
                && let Some(guard) = self.guard(&manifest.guards[index], &names, &late)
            {
                guards.push(guard);
            }
        }
        let list = match &source.list {
            Some(list) => Some(self.list(list, &mut names)?),
            None => None,
        };
        let effects = self.effects(&source.effects, &mut names, folder);
        let mut replies = Vec::new();
        for reply in &source.respond {
            if let Some(reply) = self.reply(reply, &names, folder, source.docs.as_ref()) {
                replies.push(reply);
            }
        }
        self.check_cases(source);
        Some(Operation {
            header: HeaderValue::from_str(&format!("{}/{folder}/{stem}", self.name))
                .unwrap_or(HeaderValue::from_static("unnamed")),
            name: format!("{}/{folder}/{stem}", self.name).into(),
            title: source.title.as_ref()?.value.as_str().into(),
            description: source.description.as_ref().map(|text| text.value.clone()),
            notes: source.notes.as_ref().map(|text| text.value.clone()),
            method,
            template: template.into(),
            provenance,
            auth,
            when: when?,
            parameters,
            body,
            ignore_case,
            loads,
            guards,
            list,
            effects: effects?,
            replies,
            at: source.request.as_ref()?.at.clone(),
        })
    }

    fn operation_provenance(&mut self, source: &OperationSource) -> Provenance {
        match (&source.docs, &source.assumed) {
            (_, Some(reason)) => Provenance::Assumed(reason.value.as_str().into()),
            (Some(docs), None) => Provenance::Documented(Some(docs.value.as_str().into())),
            (None, None) => {
                let help = "name the place with `docs`, or give a reason with `assumed`";
                let at = source.title.as_ref().map_or_else(|| source.at.clone(), |title| title.at.clone());
                let message = "nothing says where this operation comes from";
                self.report(Diagnostic::error(Code::ProvenanceMissing, at, message).help(help));
                Provenance::Documented(None)
            }
        }
    }

    fn request_line(&mut self, line: &Spanned<String>) -> Option<(Method, String)> {
        let parts = line.value.split_once(' ').map(|(method, path)| (Method::from_bytes(method.as_bytes()), path.trim()));
        let Some((Ok(method), path)) = parts else {
            let message = format!("`{}` is not a method and a path", line.value);
            self.report(Diagnostic::error(Code::RouteInvalid, line.at.clone(), message).help("write it like `GET /customers/{uuid}`"));
            return None;
        };
        let wrong = if !path.starts_with('/') {
            Some("a path begins with `/`")
        } else if path.contains('?') {
            Some("a path has no query: list its parameters under `query`")
        } else if method.as_str().bytes().any(|byte| byte.is_ascii_lowercase()) {
            Some("methods are written in capitals")
        } else if path.split('/').any(|part| part.contains(['{', '}']) && !(part.starts_with('{') && part.ends_with('}') && part.len() > 2)) {
            Some("a parameter fills a whole segment: `/{uuid}/`")
        } else {
            None
        };
        match wrong {
            Some(message) => {
                self.error(Code::RouteInvalid, &line.at, message);
                None
            }
            None => Some((method, path.to_owned())),
        }
    }

    fn check_path_parameters(&mut self, source: &OperationSource, template: &str) {
        let Some(node) = &source.path.node else { return };
        let crate::pack::source::NodeKind::Map(members) = &node.kind else { return };
        for (key, _) in members {
            if !template.split('/').any(|part| part == format!("{{{}}}", key.name)) {
                self.error(Code::NameUnknown, &key.at, format!("the path has no parameter `{{{}}}`", key.name));
            }
        }
    }

    fn check_cases(&mut self, source: &OperationSource) {
        for (index, case) in source.respond.iter().enumerate() {
            let last = index + 1 == source.respond.len();
            if case.when.is_none() && !last {
                let message = "an answer without `when` always holds: those after it are never given";
                self.error(Code::ValueWrong, &case.at, message);
            } else if case.when.is_some() && last {
                self.error(Code::KeyMissing, &case.at, "the last answer has no `when`, so that there always is one");
            }
        }
    }

    fn parameters(&mut self, place: Place, source: &ParameterSource) -> Option<Parameters> {
        let given = source.schema.as_ref()?;
        let node = source.node.as_ref()?;
        let schema = match self.library.compile_inline(&given.value) {
            Ok(schema) => schema,
            Err(fault) => {
                // Properties of the object schema are the keys of the mapping.
                let steps: Vec<String> = exchange::segments(&fault.pointer).into_iter().skip(1).collect();
                let at = node.nearest(&steps).at.clone();
                self.error(Code::SchemaInvalid, &at, fault.message);
                return None;
            }
        };
        let properties = given.value.get("properties").and_then(Value::as_object);
        let known: Vec<Parameter> = properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| Parameter {
                name: name.clone(),
                reads: match schema.get("type").and_then(Value::as_str) {
                    Some("integer") => Reads::Integer,
                    Some("number") => Reads::Number,
                    Some("boolean") => Reads::Boolean,
                    _ => Reads::Text,
                },
                default: schema.get("default").cloned(),
                schema: schema.clone(),
            })
            .collect();
        let optional = schema.is_valid(&Value::Object(serde_json::Map::new()));
        let defaults = known.iter().filter_map(|parameter| Some((parameter.name.clone(), parameter.default.clone()?)));
        let defaults = optional.then(|| std::sync::Arc::new(Value::Object(defaults.collect())));
        Some(Parameters { place, schema, known, defaults, at: given.at.clone() })
    }

    fn body(&mut self, source: &BodySource) -> Option<BodyRule> {
        Some(BodyRule {
            schema: self.schema(&source.schema)?,
            schema_name: source.schema.value.clone(),
            form: source.form,
            optional: source.optional,
        })
    }

    /// The spelling that the body's schema gives to keys that are read ignoring case.
    fn read_rules(&mut self, pointers: &[Spanned<String>], body: Kind) -> Vec<ReadRule> {
        let mut rules = Vec::new();
        for pointer in pointers {
            let mut kind = body.clone();
            for segment in exchange::segments(&pointer.value) {
                kind = match &kind {
                    Kind::Object(object) => {
                        object.fields.iter().find(|(name, _)| *name == segment).map_or(Kind::Any, |(_, kind)| kind.clone())
                    }
                    _ => Kind::Any,
                };
            }
            match &kind {
                Kind::Object(object) if !object.fields.is_empty() => {
                    let keys = object.fields.iter().map(|(name, _)| name.clone()).collect();
                    rules.push(ReadRule { pointer: pointer.value.clone(), keys });
                }
                _ => {
                    let message = format!("the body's schema names no properties at `{}`", pointer.value);
                    self.error(Code::ShapeTarget, &pointer.at, message);
                }
            }
        }
        rules
    }

    /// `late` are the names that are known only once the body fits its schema; loads that look at them are added.
    fn loads(&mut self, sources: &[LoadSource], names: &mut Names, late: &mut BTreeSet<String>) -> Vec<Load> {
        let mut loads = Vec::new();
        for source in sources {
            let own = Spanned { value: source.name.name.clone(), at: source.name.at.clone() };
            let resource = self.resource_named(source.resource.as_ref().unwrap_or(&own));
            let id = self.expression(&source.id, names);
            let otherwise = source.otherwise.as_ref().and_then(|error| self.error_named(error));
            if let (Some(resource), Some((id, _))) = (resource, id) {
                names.bind(source.name.name.clone(), self.record_kind(resource));
                let turn = turn(&source.id, late);
                if turn == Turn::AfterBody {
                    late.insert(source.name.name.clone());
                }
                loads.push(Load {
                    name: source.name.name.as_str().into(),
                    resource,
                    id,
                    otherwise,
                    optional: source.optional,
                    turn,
                    at: source.name.at.clone(),
                });
            }
        }
        loads
    }

    fn list(&mut self, source: &ListSource, names: &mut Names) -> Option<List> {
        let from = self.resource_named(&source.from)?;
        let record = self.record_kind(from);
        let inner = names.with("record", record.clone());
        let only = self.condition(source.only.as_ref(), &inner);
        let mut number = |template: Option<&Template>| Some(self.expression(template?, names)?.0);
        let list = List {
            from,
            only,
            number: number(source.number.as_ref()),
            size: number(source.size.as_ref()),
            sort: number(source.sort.as_ref()),
            descending: number(source.descending.as_ref()),
            first: source.first,
            at: source.at.clone(),
        };
        let counts = ["number", "size", "total", "last", "from", "to"].map(|name| (name.to_owned(), Kind::Integer));
        let records = ("records".to_owned(), Kind::List(Box::new(record)));
        names.bind("page", Kind::object("the page", counts.into_iter().chain([records]).collect()));
        Some(list)
    }

    fn effects(&mut self, sources: &[EffectSource], names: &mut Names, folder: &str) -> Option<Vec<Effect>> {
        let effects: Vec<_> = sources.iter().map(|source| self.effect(source, names, folder)).collect();
        effects.into_iter().collect()
    }

    fn effect(&mut self, source: &EffectSource, names: &mut Names, folder: &str) -> Option<Effect> {
        let when = match &source.when {
            Some(when) => Some(self.expression(when, names)?.0),
            None => None,
        };
        let resource = match source.verb {
            EffectVerb::Create => self.resource_named(&source.target)?,
            EffectVerb::Update | EffectVerb::Delete => match names.get(&source.target.value).map(Kind::resource) {
                Some(Some(resource)) => ResourceId(resource),
                found => {
                    let message = match found {
                        None => format!("`{}` is not in scope here", source.target.value),
                        Some(_) => format!("`{}` is not a record", source.target.value),
                    };
                    let help = "load the record first, with `load`, or name a caller";
                    self.report(Diagnostic::error(Code::ExprUnknownName, source.target.at.clone(), message).help(help));
                    return None;
                }
            },
        };
        let known: Vec<String> = self.resources[resource.0].fields.iter().map(|field| field.name.to_string()).collect();
        let what = format!("field of `{}`", self.resources[resource.0].name);
        let mut set = Vec::new();
        for (key, template) in &source.set {
            let name = Spanned { value: key.name.clone(), at: key.at.clone() };
            let field = self.lookup(&what, &name, &known);
            if let (Some(field), Some(shape)) = (field, self.value(template, names, folder)) {
                self.check_set(resource, field, &shape, template);
                set.push((field, shape));
            }
        }
        let unset = source.unset.iter().filter_map(|name| self.lookup(&what, name, &known)).collect();
        let name = source.name.as_ref().unwrap_or(&source.target).value.clone();
        if source.verb == EffectVerb::Create {
            names.bind(name.clone(), self.record_kind(resource));
        }
        Some(Effect {
            verb: match source.verb {
                EffectVerb::Create => Verb::Create,
                EffectVerb::Update => Verb::Update,
                EffectVerb::Delete => Verb::Delete,
            },
            resource,
            name: name.into(),
            when,
            set,
            unset,
            at: source.target.at.clone(),
        })
    }

    /// Whether a field can hold what is known of a value.
    fn check_set(&mut self, resource: ResourceId, field: usize, shape: &Shape, template: &Template) {
        let field = &self.resources[resource.0].fields[field];
        let wanted = field.kind();
        let fits = match shape {
            Shape::Value { kind, .. } => wanted.comparable(kind),
            Shape::Literal(value) if field.sort == crate::pack::Sort::Timestamp => value.is_null(),
            Shape::Literal(value) => field.check(value).is_ok(),
            _ => true,
        };
        if !fits {
            let message = match shape {
                Shape::Value { kind, .. } => format!("`{}` is {wanted}, and this is {kind}", field.name),
                _ => format!("`{}` is {wanted}, and this is not", field.name),
            };
            self.error(Code::ExprKinds, &template.at(), message);
        }
    }

    fn event(&mut self, source: &EventSource, name: &str) -> Option<Event> {
        let provenance = match (&source.docs, &source.assumed) {
            (_, Some(reason)) => Provenance::Assumed(reason.value.as_str().into()),
            (Some(docs), None) => Provenance::Documented(Some(docs.value.as_str().into())),
            (None, None) => {
                let help = "name the place with `docs`, or give a reason with `assumed`";
                let message = "nothing says where this event comes from";
                self.report(Diagnostic::error(Code::ProvenanceMissing, source.at.clone(), message).help(help));
                return None;
            }
        };
        let mut names = Names::default();
        for known in ["now", "records", "tables"] {
            if let Some(kind) = self.common_names().get(known) {
                names.bind(known, kind.clone());
            }
        }
        let input = self.parameters(Place::Body, &source.input);
        if let Some(input) = &input {
            names.bind("input", parameters_kind(Place::Body, input, ""));
        }
        let loads = self.loads(&source.load, &mut names, &mut BTreeSet::new());
        let effects = self.effects(&source.effects, &mut names, "");
        Some(Event {
            name: name.into(),
            title: source.title.as_ref()?.value.clone(),
            description: source.description.as_ref().map(|text| text.value.clone()),
            provenance,
            input,
            loads,
            effects: effects?,
            at: source.at.clone(),
        })
    }

    /// Puts every operation on its path, with operations that share one told apart.
    pub(super) fn routes(&mut self, parts: &Parts) -> Option<Router> {
        let mut router = Router::default();
        for (index, operation) in parts.operations.iter().enumerate() {
            if let Err(reason) = router.add(&operation.template, &operation.method, OperationId(index)) {
                let message = format!("the path cannot be told from another: {reason}");
                self.error(Code::RouteAmbiguous, &operation.at, message);
            }
        }
        for ((method, template), candidates) in router.shared() {
            let of = |id: &OperationId| &parts.operations[id.0];
            let open: Vec<&OperationId> = candidates.iter().filter(|id| of(id).when.is_none()).collect();
            if let [first, second, ..] = open.as_slice() {
                let message = format!("two operations answer {method} {template}, and no `when` tells them apart");
                let diagnostic = Diagnostic::error(Code::RouteAmbiguous, of(second).at.clone(), message)
                    .related(of(first).at.clone(), "the other one")
                    .help("add `when` to all but one of them");
                self.diagnostics.push(diagnostic);
            }
            if let Some(other) = candidates.iter().skip(1).find(|id| of(id).auth != of(&candidates[0]).auth) {
                let message = format!("operations on {method} {template} ask for different credentials");
                let diagnostic = Diagnostic::error(Code::RouteAuth, of(other).at.clone(), message)
                    .related(of(&candidates[0]).at.clone(), "the other one")
                    .help("callers are identified before it is known which operation is meant: give both the same `auth`");
                self.diagnostics.push(diagnostic);
            }
        }
        for ((method, template), candidates) in router.shared() {
            let of = |id: &OperationId| &parts.operations[id.0];
            let first = of(&candidates[0]);
            if let Some(other) = candidates.iter().skip(1).map(of).find(|other| read_of(other) != read_of(first)) {
                let message = format!("operations on {method} {template} read path, query or headers differently");
                let diagnostic = Diagnostic::error(Code::RouteAmbiguous, other.at.clone(), message)
                    .related(first.at.clone(), "the other one")
                    .help("these are read before it is known which operation is meant: give both the same parameters");
                self.diagnostics.push(diagnostic);
            }
        }
        router.sort(|id| parts.operations[id.0].when.is_none());
        Some(router)
    }
}

/// Whether an expression can be judged before the body is known to fit its schema.
pub(super) fn turn(template: &Template, late: &BTreeSet<String>) -> Turn {
    match template {
        Template::Expression { text, .. } if expr::mentioned(text).iter().any(|name| late.contains(name)) => Turn::AfterBody,
        _ => Turn::BeforeBody,
    }
}

/// The parameters of an operation, those of the path by their place in it.
fn read_of(operation: &Operation) -> Vec<(&'static str, String, &Value)> {
    let names = parameter_names(&operation.template);
    let name = |place: Place, name: &str| match place {
        Place::Path => names.iter().position(|known| *known == name).map_or_else(String::new, |index| index.to_string()),
        _ => name.to_owned(),
    };
    let all = operation.parameters.iter().flat_map(|parameters| {
        let place = parameters.place;
        parameters.known.iter().map(move |known| (place.name(), name(place, &known.name), &known.schema))
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    all
}

fn scope_name(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "headers",
        Place::Body | Place::Response => "body",
    }
}

fn path_kind(template: &str) -> Kind {
    let names = parameter_names(template);
    Kind::object("the path", names.into_iter().map(|name| (name.to_owned(), Kind::String)).collect())
}

/// The names in braces, in order.
pub(crate) fn parameter_names(template: &str) -> Vec<&str> {
    template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
}

fn parameters_kind(place: Place, parameters: &Parameters, template: &str) -> Kind {
    let mut fields: Vec<(String, Kind)> = parameters
        .known
        .iter()
        .map(|parameter| {
            let kind = match parameter.reads {
                Reads::Text => Kind::String,
                Reads::Integer => Kind::Integer,
                Reads::Number => Kind::Number,
                Reads::Boolean => Kind::Boolean,
            };
            (parameter.name.clone(), kind)
        })
        .collect();
    for name in parameter_names(template) {
        if place == Place::Path && !fields.iter().any(|(known, _)| known == name) {
            fields.push((name.to_owned(), Kind::String));
        }
    }
    let what = match place {
        Place::Path => "the path",
        Place::Query => "the query",
        Place::Header => "the headers",
        Place::Body | Place::Response => "the input",
    };
    Kind::object(what, fields)
}


//! Operation and event files, and the routes between them.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;

use super::Resolver;
use super::kinds::schema_kind;
use crate::diagnostic::{Code, Diagnostic, FileId, Location, all_of, nearest, there_are};
use crate::exchange;
use crate::expr::{self, Kind, Names};
use crate::pack::source::{BodySource, EventSource, Manifest, OperationSource, ParameterSource, Spanned, Template};
use crate::pack::{
    BodyRule, Credential, ErrorId, Event, Example, Guard, NamedError, Operation, OperationId, Parameter, Parameters,
    Provenance, ReadRule, Reads, Refusal, Replay, Router, Row, Shape, Turn, parameter_names,
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
    pub(super) headers: Vec<(HeaderName, Shape)>,
    pub(super) operations: Vec<Operation>,
    /// Folder and file stem of each operation.
    pub(super) operation_files: Vec<(String, String)>,
    /// Of those that could not be made too.
    pub(super) broken_files: Vec<(String, String)>,
    pub(super) titles: Vec<Spanned<String>>,
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
                let event = self.event_file(file, event, parts);
                parts.events.extend(event);
            } else if !stem.contains('.') && !path.starts_with("scenarios/") {
                self.used.insert(path.clone());
                match self.operation_file(file, folder, stem, manifest, parts) {
                    Some(operation) => {
                        parts.operations.push(operation);
                        parts.operation_files.push((folder.to_owned(), stem.to_owned()));
                    }
                    None => parts.broken_files.push((folder.to_owned(), stem.to_owned())),
                }
            }
        }
    }

    fn operation_file(
        &mut self,
        file: FileId,
        folder: &str,
        stem: &str,
        manifest: &Manifest,
        parts: &mut Parts,
    ) -> Option<Operation> {
        let node = self.yaml(file);
        let before = self.diagnostics.len();
        let source = node.and_then(|node| OperationSource::read(&node, &mut self.diagnostics));
        parts.incomplete |= source.is_none();
        let source = source?;
        parts.titles.extend(source.title.clone());
        let clean = self.diagnostics.len() == before;
        // What the unreadable part would have used is not known.
        parts.incomplete |= self.unread_keys(before);
        self.operation(&source, folder, stem, manifest, clean)
    }

    /// Whether keys that cannot be read were found since there were so many diagnostics.
    fn unread_keys(&self, before: usize) -> bool {
        let codes = [Code::KeyUnknown, Code::KeyMissing, Code::KindWrong];
        self.diagnostics[before..].iter().any(|found| codes.contains(&found.code))
    }

    fn event_file(&mut self, file: FileId, name: &str, parts: &mut Parts) -> Option<Event> {
        let node = self.yaml(file);
        let before = self.diagnostics.len();
        let source = node.and_then(|node| EventSource::read(&node, &mut self.diagnostics));
        parts.incomplete |= source.is_none();
        let clean = !self.unread_keys(before);
        self.event(&source?, name, clean)
    }

    /// Goes on after a mistake, so that the next one is found too. `clean` is whether all keys could be read.
    fn operation(
        &mut self,
        source: &OperationSource,
        folder: &str,
        stem: &str,
        manifest: &Manifest,
        clean: bool,
    ) -> Option<Operation> {
        let line = source.request.as_ref().and_then(|line| self.request_line(line));
        let provenance = self.operation_provenance(source);
        let mut names = self.common_names();
        if !clean {
            names.open();
        }
        let auth = self.auth(source.auth.as_ref());
        match &auth {
            Some(auth) => self.bind_callers(auth, &mut names),
            None => names.open(),
        }
        let template = line.as_ref().map_or("", |(_, template)| template.as_str());
        if line.is_some() {
            names.bind("path", path_kind(template));
        }
        let condition = source.when.as_ref().and_then(|node| Template::condition(node, &mut self.diagnostics));
        let when = self.condition(condition.as_ref(), &names);
        let mut parameters = Vec::new();
        for (place, given) in
            [(Place::Path, &source.path), (Place::Query, &source.query), (Place::Header, &source.headers)]
        {
            match self.parameters(place, given) {
                Some(found) => {
                    if line.is_some() || place != Place::Path {
                        names.bind(scope_name(place), parameters_kind(place, &found, template));
                    }
                    parameters.push(found);
                }
                None if given.node.is_some() => names.bind(scope_name(place), Kind::Any),
                None => {}
            }
        }
        if line.is_some() {
            self.check_path_parameters(source, template);
        }
        let body = source.body.as_ref().and_then(|body| self.body(body));
        if let (Some(body), Some(given)) = (&body, &source.body) {
            let reference = Reference::parse(&body.schema_name);
            if let Some(schema) = self.library.get(&reference).cloned() {
                names.bind("body", schema_kind(&self.library, "the request body", &schema, &reference.document));
            }
            if let Some((method @ (Method::GET | Method::DELETE), _)) = &line {
                let message = format!("a {method} has no body that servers may rely on");
                self.report(Diagnostic::warning(Code::ValueWrong, given.schema.at.clone(), message));
            }
        }
        let ignore_case = match names.get("body").cloned() {
            Some(Kind::Any) if source.body.is_some() => Vec::new(),
            kind => self.read_rules(&source.read, kind.unwrap_or(Kind::Any)),
        };
        let mut late = BTreeSet::from(["body".to_owned()]);
        let loads = self.loads(&source.load, &mut names, &mut late);
        let guards = self.guards(&source.guards, manifest, &names, &late);
        let list = source.list.as_ref().and_then(|list| self.list(list, &mut names));
        if source.list.is_some() && list.is_none() {
            names.bind("page", Kind::Any);
        }
        let effects = self.effects(&source.effects, &mut names, folder);
        let mut replies = Vec::new();
        for reply in &source.respond {
            if let Some(reply) = self.reply(reply, &names, folder, Some(source)) {
                replies.push(reply);
            }
        }
        self.check_cases(source);
        let (method, template) = line?;
        if when.is_none() && source.when.is_some() {
            return None;
        }
        Some(Operation {
            header: HeaderValue::from_str(&format!("{}/{folder}/{stem}", self.name))
                .unwrap_or(HeaderValue::from_static("unnamed")),
            name: format!("{}/{folder}/{stem}", self.name).into(),
            title: source.title.as_ref()?.value.as_str().into(),
            description: source.description.as_ref().map(|text| text.value.clone()),
            notes: source.notes.as_ref().map(|text| text.value.clone()),
            method,
            template: template.into(),
            unmounted: source.unmounted,
            provenance,
            auth: auth?,
            when,
            parameters,
            body,
            ignore_case,
            loads,
            guards,
            list,
            effects,
            replies,
            at: source.request.as_ref()?.at.clone(),
        })
    }

    fn guards(
        &mut self,
        sources: &[Spanned<String>],
        manifest: &Manifest,
        names: &Names,
        late: &BTreeSet<String>,
    ) -> Vec<Guard> {
        let known: Vec<String> = manifest.guards.iter().map(|guard| guard.name.name.clone()).collect();
        let mut guards = Vec::new();
        for name in sources {
            let Some(index) = self.lookup("guard", name, &known) else {
                let meant = nearest(&name.value, known.iter().map(String::as_str));
                self.used_guards.extend(known.iter().position(|guard| Some(guard) == meant.as_ref()));
                continue;
            };
            self.used_guards.insert(index);
            if let Some(twin) =
                sources.iter().take_while(|other| other.at != name.at).find(|other| other.value == name.value)
            {
                let message = format!("the guard `{}` stands here twice", name.value);
                let diagnostic = Diagnostic::error(Code::NameDuplicate, name.at.clone(), message)
                    .related(twin.at.clone(), "the first")
                    .help("take one out");
                self.report(diagnostic);
            }
            guards.extend(self.guard(&manifest.guards[index], names, late));
        }
        guards
    }

    fn operation_provenance(&mut self, source: &OperationSource) -> Provenance {
        self.said_twice(source.docs.as_ref(), source.assumed.as_ref());
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
        let Some((word, rest)) = line.value.split_once(' ') else {
            let message = format!("`{}` is not a method and a path", line.value);
            self.report(
                Diagnostic::error(Code::RouteInvalid, line.at.clone(), message).help("write it like `GET /items/{id}`"),
            );
            return None;
        };
        let path = rest.trim();
        let part = |from: usize, length: usize| match line.at.range.len() == line.value.len() {
            true => Location::new(line.at.file, line.at.range.start + from..line.at.range.start + from + length),
            false => line.at.clone(),
        };
        let method = METHODS.contains(&word).then(|| Method::from_bytes(word.as_bytes()).ok()).flatten();
        if method.is_none() {
            let message = format!("`{word}` is not a method");
            let diagnostic = Diagnostic::error(Code::RouteInvalid, part(0, word.len()), message)
                .suggest(nearest(&word.to_ascii_uppercase(), METHODS.iter().copied()))
                .help(format!("the methods are {}, in capitals", all_of(METHODS.iter().copied())));
            self.report(diagnostic);
        }
        let whole = |part: &str| part.starts_with('{') && part.ends_with('}') && part.len() > 2;
        let names = parameter_names(path);
        let wrong = if path.split('/').any(|part| part.len() > 1 && part.starts_with(':')) {
            Some(("a parameter stands in braces", "write it like `/items/{id}`"))
        } else if !path.starts_with('/') {
            Some(("a path begins with `/`", "write it like `/items/{id}`"))
        } else if path.contains('?') {
            Some(("a path has no query", "list its parameters under `query`"))
        } else if path.contains(char::is_whitespace) {
            Some(("a path has no spaces", "write them as `%20`"))
        } else if path.split('/').any(|part| part.contains(['{', '}']) && !whole(part)) {
            Some(("a parameter fills a whole segment", "write it like `/items/{id}`"))
        } else if (1..names.len()).any(|index| names[..index].contains(&names[index])) {
            Some(("a parameter stands in the path twice", "give each a name of its own"))
        } else {
            None
        };
        if let Some((message, help)) = wrong {
            let from = line.value.len() - line.value[word.len()..].trim_start().len();
            let diagnostic = Diagnostic::error(Code::RouteInvalid, part(from, path.len()), message);
            self.report(diagnostic.help(help));
            return None;
        }
        Some((method?, path.to_owned()))
    }

    fn check_path_parameters(&mut self, source: &OperationSource, template: &str) {
        let Some(node) = &source.path.node else { return };
        let crate::pack::source::NodeKind::Map(members) = &node.kind else { return };
        for (key, _) in members {
            if !template.split('/').any(|part| part == format!("{{{}}}", key.name)) {
                let names = parameter_names(template);
                let message = format!("the path has no parameter `{{{}}}`", key.name);
                let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message)
                    .suggest(nearest(&key.name, names.iter().copied()))
                    .help(there_are(names));
                self.report(diagnostic);
            }
        }
    }

    fn check_cases(&mut self, source: &OperationSource) {
        for (index, case) in source.respond.iter().enumerate() {
            let last = index + 1 == source.respond.len();
            if case.when.is_none() && !last {
                let message = "this answer has no `when`, so those after it are never given";
                let start = Location::new(case.at.file, case.at.range.start..case.at.range.start);
                self.report(
                    Diagnostic::error(Code::ValueWrong, start, message).help("give it a `when`, or put it last"),
                );
                return;
            }
            if let (Some(when), true) = (&case.when, last) {
                let message = "when this does not hold there is no answer";
                let diagnostic = Diagnostic::error(Code::KeyMissing, when.at.clone(), message);
                self.report(diagnostic.help("leave `when` out of the last answer, or add one without it"));
            }
        }
    }

    fn parameters(&mut self, place: Place, source: &ParameterSource) -> Option<Parameters> {
        let given = source.schema.as_ref()?;
        let node = source.node.as_ref()?;
        let schema = match self.library.compile_inline(&given.value) {
            Ok(schema) => schema,
            Err(faults) => {
                for fault in faults {
                    // Properties of the object schema are the keys of the mapping.
                    let steps: Vec<String> = exchange::segments(&fault.pointer).into_iter().skip(1).collect();
                    let word = steps
                        .last()
                        .is_some_and(|last| matches!(last.as_str(), "type" | "format" | "$ref" | "pattern"));
                    let at = if word { node.nearest(&steps).at.clone() } else { node.nearest_key(&steps) };
                    let diagnostic = Diagnostic::error(super::fault_code(fault.kind), at, fault.message);
                    self.report(diagnostic.suggest(fault.suggestion));
                }
                return None;
            }
        };
        let must = given.value.get("required").and_then(Value::as_array);
        let properties = given.value.get("properties").and_then(Value::as_object);
        let known: Vec<Parameter> = properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| Parameter {
                required: must.is_some_and(|names| names.iter().any(|known| known == name)),
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
        for parameter in
            known.iter().filter(|known| place == Place::Header && HeaderName::try_from(&known.name).is_err())
        {
            let at = node.nearest_key(std::slice::from_ref(&parameter.name));
            self.error(Code::ValueWrong, &at, format!("`{}` is not the name of a header", parameter.name));
        }
        for parameter in &known {
            let Some(default) = &parameter.default else { continue };
            let alone = Value::Object([(parameter.name.clone(), default.clone())].into_iter().collect());
            let own = exchange::child("", &parameter.name);
            let faults = schema.violations(&alone, place);
            if let Some(fault) = faults.iter().find(|fault| fault.value.is_some() && fault.pointer.starts_with(&own)) {
                let at = node.nearest(&[parameter.name.clone(), "default".to_owned()]).at.clone();
                let message = format!("the default does not fit its own schema: {}", fault.message);
                self.error(Code::ValueWrong, &at, message);
            }
        }
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
                    Kind::Object(object) => object
                        .fields
                        .iter()
                        .find(|(name, _)| *name == segment)
                        .map_or(Kind::Any, |(_, kind)| kind.clone()),
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

    fn event(&mut self, source: &EventSource, name: &str, clean: bool) -> Option<Event> {
        self.said_twice(source.docs.as_ref(), source.assumed.as_ref());
        let provenance = match (&source.docs, &source.assumed) {
            (_, Some(reason)) => Provenance::Assumed(reason.value.as_str().into()),
            (Some(docs), None) => Provenance::Documented(Some(docs.value.as_str().into())),
            (None, None) => {
                let help = "name the place with `docs`, or give a reason with `assumed`";
                let message = "nothing says where this event comes from";
                let at = source.title.as_ref().map_or(&source.at, |title| &title.at).clone();
                self.report(Diagnostic::error(Code::ProvenanceMissing, at, message).help(help));
                Provenance::Documented(None)
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
        if source.effects.is_empty() && clean {
            let at = source.title.as_ref().map_or(&source.at, |title| &title.at).clone();
            let help = "say under `effects` what it changes";
            self.report(Diagnostic::error(Code::KeyMissing, at, "this event changes nothing").help(help));
        }
        Some(Event {
            name: name.into(),
            title: source.title.as_ref()?.value.clone(),
            description: source.description.as_ref().map(|text| text.value.clone()),
            provenance,
            input,
            loads,
            effects,
            at: source.at.clone(),
        })
    }

    /// Puts every operation on its path, with operations that share one told apart.
    pub(super) fn routes(&mut self, parts: &Parts) -> Option<Router> {
        let mut router = Router::default();
        for (index, operation) in parts.operations.iter().enumerate() {
            if let Err(reason) = router.add(&operation.template, &operation.method, OperationId(index)) {
                let message = format!("the path cannot be told from another: {reason}");
                self.report(
                    Diagnostic::error(Code::RouteAmbiguous, operation.at.clone(), message)
                        .help("change one of the two"),
                );
            }
        }
        // One message about two operations is enough.
        let mut told = Vec::new();
        for ((method, template), candidates) in router.shared() {
            let of = |id: &OperationId| &parts.operations[id.0];
            let open: Vec<&OperationId> = candidates.iter().filter(|id| of(id).when.is_none()).collect();
            if let [first, second, ..] = open.as_slice() {
                let message = format!("two operations answer {method} {template}, and no `when` tells them apart");
                let diagnostic = Diagnostic::error(Code::RouteAmbiguous, of(second).at.clone(), message)
                    .related(of(first).at.clone(), "the other one")
                    .help("add `when` to all but one of them");
                self.diagnostics.push(diagnostic);
                told.push(of(second).at.clone());
                continue;
            }
            if let Some(other) = candidates.iter().skip(1).find(|id| of(id).auth != of(&candidates[0]).auth) {
                let message = format!("operations on {method} {template} ask for different credentials");
                let diagnostic = Diagnostic::error(Code::RouteAuth, of(other).at.clone(), message)
                    .related(of(&candidates[0]).at.clone(), "the other one")
                    .help(
                        "callers are identified before it is known which operation is meant: give both the same `auth`",
                    );
                self.diagnostics.push(diagnostic);
                told.push(of(other).at.clone());
            }
        }
        for ((method, template), candidates) in router.shared() {
            let of = |id: &OperationId| &parts.operations[id.0];
            let first = of(&candidates[0]);
            let differs = |other: &&Operation| !told.contains(&other.at) && read_of(other) != read_of(first);
            if let Some(other) = candidates.iter().skip(1).map(of).find(differs) {
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

/// What an operation may begin with.
pub(super) const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Whether an expression can be judged before the body is known to fit its schema.
pub(super) fn turn(template: &Template, late: &BTreeSet<String>) -> Turn {
    match template {
        Template::Expression { text, .. } if expr::mentioned(text).iter().any(|name| late.contains(name)) => {
            Turn::AfterBody
        }
        _ => Turn::BeforeBody,
    }
}

/// The parameters of an operation, those of the path by their place in it.
fn read_of(operation: &Operation) -> Vec<(&'static str, String, &Value)> {
    let names = parameter_names(&operation.template);
    let name = |place: Place, name: &str| match place {
        Place::Path => {
            names.iter().position(|known| *known == name).map_or_else(String::new, |index| index.to_string())
        }
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

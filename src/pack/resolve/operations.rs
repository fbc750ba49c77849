//! Operation files.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, HeaderValue, Method};

use super::Resolver;
use super::kinds::schema_kind;
use super::request::{parameters_kind, path_kind, scope_name};
use crate::diagnostic::{Code, Diagnostic, FileId, Location, nearest};
use crate::expr::{self, Kind, Names};
use crate::pack::source::{Manifest, OperationSource, Spanned, Template};
use crate::pack::{
    Credential, ErrorId, Event, Example, Guard, NamedError, Operation, OperationId, PackLimit, Payload, Provenance,
    Refusal, Replay, Row, Shape, Turn, Webhook,
};
use crate::schema::{Place, Reference};

/// What a pack is put together from.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) credentials: Vec<Credential>,
    pub(super) credential_places: Vec<Location>,
    pub(super) errors: Vec<NamedError>,
    pub(super) rejections: BTreeMap<Refusal, ErrorId>,
    pub(super) limits: Vec<PackLimit>,
    pub(super) rows: Vec<Row>,
    pub(super) headers: Vec<(HeaderName, Shape)>,
    pub(super) operations: Vec<Operation>,
    /// Folder and file stem of each operation.
    pub(super) operation_files: Vec<(String, String)>,
    /// Of those that could not be made too.
    pub(super) broken_files: Vec<(String, String)>,
    pub(super) titles: Vec<Spanned<String>>,
    pub(super) events: Vec<Event>,
    pub(super) webhooks: Vec<Webhook>,
    /// Folder and file stem of each webhook.
    pub(super) webhook_files: Vec<(String, String)>,
    /// Of those that could not be made too.
    pub(super) broken_webhooks: Vec<(String, String)>,
    pub(super) examples: Vec<Example>,
    pub(super) replays: Vec<Replay>,
    pub(super) payloads: Vec<Payload>,
    /// An operation or event could not be read, so that nobody knows what it would have used.
    pub(super) incomplete: bool,
}

impl Resolver<'_> {
    pub(super) fn operations(&mut self, manifest: &Manifest, parts: &mut Parts) {
        let files: Vec<(String, FileId)> = self.fixtures.iter().map(|(path, id)| ((*path).to_owned(), *id)).collect();
        let mut webhooks = Vec::new();
        for (path, file) in files {
            let Some((folder, name)) = path.rsplit_once('/') else { continue };
            let Some(stem) = name.strip_suffix(".yaml") else { continue };
            if let Some(event) = stem.strip_suffix(".event") {
                self.used.insert(path.clone());
                let event = self.event_file(file, event, parts);
                if let Some(event) = &event {
                    let known = parts.events.iter().map(|known| (&*known.name, &known.at));
                    self.check_only("event", (&event.name, &event.at), known);
                }
                parts.events.extend(event);
            } else if let Some(webhook) = stem.strip_suffix(".webhook") {
                self.used.insert(path.clone());
                webhooks.push((folder.to_owned(), webhook.to_owned(), file));
            } else if !stem.contains('.') {
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
        // They may be on any event of the pack.
        for (folder, name, file) in webhooks {
            let webhook = self.webhook_file(file, &folder, &name, parts);
            if let Some(webhook) = &webhook {
                let known = parts.webhooks.iter().map(|known| (&*known.name, &known.at));
                self.check_only("webhook", (&webhook.name, &webhook.at), known);
            }
            match webhook {
                Some(webhook) => {
                    parts.webhooks.push(webhook);
                    parts.webhook_files.push((folder, name));
                }
                None => parts.broken_webhooks.push((folder, name)),
            }
        }
    }

    /// What is called by the name of its file is the only one of that name.
    fn check_only<'p>(
        &mut self,
        what: &str,
        (name, at): (&str, &Location),
        mut known: impl Iterator<Item = (&'p str, &'p Location)>,
    ) {
        if let Some((_, twin)) = known.find(|(other, _)| *other == name) {
            let message = format!("there are two {what}s `{name}`");
            let article = if what == "event" { "an" } else { "a" };
            let diagnostic = Diagnostic::error(Code::NameDuplicate, at.clone(), message)
                .related(twin.clone(), "the other one")
                .help(format!("{article} {what} is called by the name of its file: rename one of the two"));
            self.report(diagnostic);
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
        let mut source = source?;
        parts.titles.extend(source.title.clone());
        let clean = self.diagnostics.len() == before;
        // What the unreadable part would have used is not known.
        parts.incomplete |= self.unread_keys(before);
        source.respond.iter_mut().for_each(|reply| self.shape_of(reply));
        self.operation(&source, folder, stem, manifest, clean)
    }

    /// Whether keys that cannot be read were found since there were so many diagnostics.
    pub(super) fn unread_keys(&self, before: usize) -> bool {
        let codes = [Code::KeyUnknown, Code::KeyMissing, Code::KindWrong];
        self.diagnostics[before..].iter().any(|found| codes.contains(&found.code))
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
        let title = source.title.as_ref().map_or(&source.at, |title| &title.at);
        let provenance = self.stated_provenance("operation", source.docs.as_ref(), source.assumed.as_ref(), title);
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
        self.check_cases(&source.respond);
        let wanted = self.wanted(&source.option);
        let also = self.also(&source.also, template, &wanted);
        let (method, template) = line?;
        if when.is_none() && source.when.is_some() {
            return None;
        }
        Some(Operation {
            number: OperationId(0),
            header: HeaderValue::from_str(&format!("{}/{folder}/{stem}", self.name))
                .unwrap_or(HeaderValue::from_static("unnamed")),
            name: format!("{}/{folder}/{stem}", self.name).into(),
            title: source.title.as_ref()?.value.as_str().into(),
            description: source.description.as_ref().map(|text| text.value.clone()),
            notes: source.notes.as_ref().map(|text| text.value.clone()),
            method,
            template: template.into(),
            also,
            wanted,
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

    /// Where an operation, an event or a webhook comes from; `at` is its title, or the whole of it.
    pub(super) fn stated_provenance(
        &mut self,
        what: &str,
        docs: Option<&Spanned<String>>,
        assumed: Option<&Spanned<String>>,
        at: &Location,
    ) -> Provenance {
        self.said_twice(docs, assumed);
        match (docs, assumed) {
            (_, Some(reason)) => Provenance::Assumed(reason.value.as_str().into()),
            (Some(docs), None) => Provenance::Documented(Some(docs.value.as_str().into())),
            (None, None) => {
                let help = "name the place with `docs`, or give a reason with `assumed`";
                let message = format!("nothing says where this {what} comes from");
                self.report(Diagnostic::error(Code::ProvenanceMissing, at.clone(), message).help(help));
                Provenance::Documented(None)
            }
        }
    }
}

/// Whether an expression can be judged before the body is known to fit its schema.
pub(super) fn turn(template: &Template, late: &BTreeSet<String>) -> Turn {
    match template {
        Template::Expression { text, .. } if expr::mentioned(text).iter().any(|name| late.contains(name)) => {
            Turn::AfterBody
        }
        _ => Turn::BeforeBody,
    }
}

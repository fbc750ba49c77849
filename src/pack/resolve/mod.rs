//! From files to a pack: links names, compiles expressions, schemas and shapes, and reports every mistake on the way.

mod auth;
mod choices;
mod effects;
mod errors;
mod events;
mod examples;
mod file_names;
mod format_schemas;
mod kinds;
mod limits;
mod lint;
mod manifest;
mod never;
mod operations;
mod options;
mod payloads;
mod plan;
mod proof;
mod references;
mod replies;
mod request;
mod routes;
mod schedules;
mod seeds;
mod shapes;
mod shared;
mod sides;
mod survey;
mod verbatim;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::files::MANIFEST;
use super::source::{Diagnostics, Key, Manifest, Node, ReplySource, Spanned, Template, told};
use super::{
    Answers, CredentialPlace, ErrorId, Files, Loaded, Operation, Pack, PackOption, Resource, ResourceId, Scheme, Shape,
    parameter_names,
};
use crate::clock::Format;
use crate::diagnostic::{self, Code, Diagnostic, FileId, Location, SourceMap, nearest, there_are};
use crate::expr::{self, ExprId, Kind, Names, Sources};
use crate::journal::Face;
use crate::schema::Library;

/// Reads a pack. It is there when there is no error.
pub(super) fn pack(files: &Files) -> Loaded {
    let mut resolver = Resolver::new(files);
    let pack = resolver.run();
    resolver.settle();
    let Resolver { diagnostics, sources, .. } = resolver;
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == diagnostic::Severity::Error);
    match pack {
        Some(mut pack) if !failed => {
            pack.set_sources(Arc::new(sources), 0);
            let name = pack.name.to_string();
            Loaded { name, pack: Some(pack), diagnostics, sources: SourceMap::default() }
        }
        _ => Loaded { name: files.folder.clone(), pack: None, diagnostics, sources },
    }
}

/// Everything known while a pack is read.
struct Resolver<'f> {
    files: &'f Files,
    sources: SourceMap,
    diagnostics: Diagnostics,
    fixtures: BTreeMap<&'f str, FileId>,
    schemas: BTreeMap<&'f str, FileId>,
    /// Parsed JSON files; `None` for those that are broken.
    documents: BTreeMap<String, Option<Arc<Value>>>,
    used: BTreeSet<String>,
    used_schemas: BTreeSet<String>,
    used_errors: BTreeSet<ErrorId>,
    used_guards: BTreeSet<usize>,
    used_schemes: BTreeSet<usize>,
    used_shapes: BTreeSet<usize>,
    used_formats: BTreeSet<usize>,
    used_options: BTreeSet<usize>,
    /// Options whose values cannot be read, about which enough has been said.
    broken_options: BTreeSet<usize>,
    /// Schemes that cannot be made, about which enough has been said.
    broken_schemes: BTreeSet<String>,
    /// Operations that do not exist and have examples, each told once.
    told_operations: BTreeSet<String>,
    /// Kinds of things of which one was named that does not exist: which was meant is not known, so none is unused.
    lost: BTreeSet<String>,
    /// Files that are not text.
    unread: BTreeSet<FileId>,
    expressions: Sources,
    library: Library,
    name: String,
    formats: Vec<Format>,
    format_names: Vec<String>,
    resources: Vec<Resource>,
    /// What expressions know of each resource's records.
    record_kinds: Vec<Kind>,
    error_names: Vec<String>,
    /// Errors that only faults give, each with the place where it says so.
    faults: BTreeMap<String, Location>,
    schemes: Vec<Scheme>,
    shapes: Vec<(Key, Option<ReplySource>)>,
    tables: Value,
    options: Vec<PackOption>,
    constants: Vec<Spanned<String>>,
    used_constants: BTreeSet<String>,
    /// Parts of schemas that single fields are checked against; their places are numbers that records remember.
    checks: Vec<String>,
    /// How records are shown by shapes that ask for nothing else; their places are numbers that records remember.
    renderings: Vec<(String, Shape)>,
}

impl<'f> Resolver<'f> {
    fn new(files: &'f Files) -> Self {
        let mut resolver = Resolver {
            files,
            sources: SourceMap::default(),
            diagnostics: Vec::new(),
            fixtures: BTreeMap::new(),
            schemas: BTreeMap::new(),
            documents: BTreeMap::new(),
            used: BTreeSet::new(),
            used_schemas: BTreeSet::new(),
            used_errors: BTreeSet::new(),
            used_guards: BTreeSet::new(),
            used_schemes: BTreeSet::new(),
            used_shapes: BTreeSet::new(),
            used_formats: BTreeSet::new(),
            used_options: BTreeSet::new(),
            broken_options: BTreeSet::new(),
            broken_schemes: BTreeSet::new(),
            told_operations: BTreeSet::new(),
            lost: BTreeSet::new(),
            unread: BTreeSet::new(),
            expressions: Sources::default(),
            library: Library::empty(),
            name: files.folder.clone(),
            formats: Vec::new(),
            format_names: Vec::new(),
            resources: Vec::new(),
            record_kinds: Vec::new(),
            error_names: Vec::new(),
            faults: BTreeMap::new(),
            schemes: Vec::new(),
            shapes: Vec::new(),
            tables: Value::Null,
            options: Vec::new(),
            constants: Vec::new(),
            used_constants: BTreeSet::new(),
            checks: Vec::new(),
            renderings: Vec::new(),
        };
        for (path, bytes) in &files.fixtures {
            let id = resolver.file(format!("{}/{path}", files.shown.0), bytes);
            resolver.fixtures.insert(path, id);
        }
        for (path, bytes) in &files.schemas {
            let id = resolver.file(format!("{}/{path}", files.shown.1), bytes);
            resolver.schemas.insert(path, id);
        }
        resolver.refused_files();
        resolver
    }

    fn file(&mut self, shown: String, bytes: &[u8]) -> FileId {
        let meant = shown;
        let shown = self.files.misnamed.get(&meant).unwrap_or(&meant).clone();
        let id = self.text_file(shown.clone(), bytes);
        if shown != meant {
            self.misnamed(id, &shown, &meant);
        }
        id
    }

    fn text_file(&mut self, shown: String, bytes: &[u8]) -> FileId {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.sources.add(shown, text.into()),
            Err(error) => {
                let at = error.valid_up_to();
                let id = self.sources.add(shown, String::from_utf8_lossy(bytes).into());
                self.unread.insert(id);
                let place = Location::new(id, at..at + char::REPLACEMENT_CHARACTER.len_utf8());
                let message = "the file is not UTF-8: this byte does not belong there";
                self.report(Diagnostic::error(Code::FileUnreadable, place, message).help("save the file as UTF-8"));
                id
            }
        }
    }

    fn run(&mut self) -> Option<Pack> {
        self.read_schemas();
        let Some(manifest_file) = self.fixtures.get(MANIFEST).copied() else {
            let shown = format!("{}/{MANIFEST}", self.files.shown.0);
            let place = Location::whole(self.sources.add(shown, "".into()));
            let help =
                "every pack has one, with at least `pack` and `title`; a folder that is no pack has no operations";
            self.report(Diagnostic::error(Code::FileMissing, place, "this file is missing").help(help));
            self.survey();
            return None;
        };
        self.used.insert(MANIFEST.to_owned());
        let node = self.yaml(manifest_file);
        match node.and_then(|node| Manifest::read(&node, &mut self.diagnostics)) {
            Some(mut manifest) => {
                self.shared_shapes(&mut manifest);
                self.pack(&manifest)
            }
            None => {
                self.survey();
                None
            }
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn error(&mut self, code: Code, at: &Location, message: impl Into<String>) {
        self.report(Diagnostic::error(code, at.clone(), message));
    }

    /// Sorts what was found by place and drops what was found twice.
    fn settle(&mut self) {
        let sources = &self.sources;
        self.diagnostics.sort_by_key(|diagnostic| {
            let place = diagnostic.location.as_ref().map(|at| (sources.path(at.file).to_owned(), at.range.start));
            (diagnostic.severity, place, diagnostic.message.clone())
        });
        self.diagnostics.dedup_by(|a, b| a.code == b.code && a.location == b.location && a.message == b.message);
    }

    fn failed(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == diagnostic::Severity::Error)
    }

    fn yaml(&mut self, file: FileId) -> Option<Node> {
        if self.unread.contains(&file) {
            return None;
        }
        let text = self.sources.text(file).to_owned();
        Node::parse(&text, file, &mut self.diagnostics)
    }

    /// Compiles an expression, or reports what is wrong with it.
    fn expression(&mut self, template: &Template, names: &Names) -> Option<(ExprId, Kind)> {
        let Template::Expression { text, node, offset } = template else {
            let diagnostic = Diagnostic::error(Code::KindWrong, template.at(), "an expression is needed here");
            let meant = match template {
                Template::Literal(literal) => match literal.value.as_str() {
                    Some(text) => Some(shapes::in_marks(text).unwrap_or(text).to_owned()),
                    None => Some(literal.value.to_string()),
                },
                _ => None,
            };
            let meant = meant.map(|meant| format!("= {meant}"));
            self.report(diagnostic.suggest(meant).help("an expression begins with `=`"));
            return None;
        };
        let (kind, faults) = expr::check(text, names);
        if faults.is_empty() {
            return Some((self.expressions.expression(text), kind));
        }
        for fault in faults {
            let file = self.sources.text(node.at.file);
            let diagnostic = told(fault, node, *offset, text, file);
            self.report(diagnostic);
        }
        None
    }

    fn condition(&mut self, template: Option<&Template>, names: &Names) -> Option<ExprId> {
        let template = template?;
        let found = self.expression(template, names).map(|(id, _)| id);
        if let (Some(_), Template::Expression { text, .. }) = (found, template)
            && !text.contains('(')
            && expr::mentioned(text).is_empty()
        {
            let message = format!("`{text}` is the same whatever the request is");
            let help = "leave it out where it always holds; where it never does, leave out what it decides";
            self.report(Diagnostic::error(Code::ValueWrong, template.at(), message).help(help));
        }
        found
    }

    /// The number of the thing with this name, or a report with a suggestion.
    fn lookup(&mut self, what: &str, name: &Spanned<String>, known: &[String]) -> Option<usize> {
        if let Some(index) = known.iter().position(|other| *other == name.value) {
            return Some(index);
        }
        let meant = nearest(&name.value, known.iter().map(String::as_str));
        if meant.is_none() {
            self.lost.insert(what.to_owned());
        }
        let diagnostic =
            Diagnostic::error(Code::NameUnknown, name.at.clone(), format!("there is no {what} `{}`", name.value))
                .suggest(meant)
                .help(there_are(known.iter().map(String::as_str)));
        self.report(diagnostic);
        None
    }

    /// The number of a resource's field, or a report with a suggestion.
    fn field_named(&mut self, resource: ResourceId, name: &Spanned<String>) -> Option<usize> {
        let known = &self.resources[resource.0];
        if let Some((index, _)) = known.field(&name.value) {
            return Some(index);
        }
        let fields: Vec<&str> = known.fields.iter().map(|field| &*field.name).collect();
        if fields.is_empty() {
            // That there are none has been said.
            return None;
        }
        let message = format!("`{}` has no field `{}`", known.name, name.value);
        let diagnostic = Diagnostic::error(Code::NameUnknown, name.at.clone(), message)
            .suggest(nearest(&name.value, fields.iter().copied()))
            .help(there_are(fields));
        self.report(diagnostic);
        None
    }

    fn error_named(&mut self, name: &Spanned<String>) -> Option<ErrorId> {
        let known = self.error_names.clone();
        let id = self.lookup("error", name, &known).map(ErrorId);
        // What was probably meant is not unused.
        let meant = || nearest(&name.value, known.iter().map(String::as_str));
        let used = id.or_else(|| known.iter().position(|error| Some(error) == meant().as_ref()).map(ErrorId));
        self.used_errors.extend(used);
        self.check_not_a_fault(name);
        id
    }

    fn resource_named(&mut self, name: &Spanned<String>) -> Option<ResourceId> {
        let known: Vec<String> = self.resources.iter().map(|resource| resource.name.to_string()).collect();
        self.lookup("resource", name, &known).map(ResourceId)
    }

    fn format_named(&mut self, name: Option<&Spanned<String>>) -> usize {
        let Some(name) = name else { return 0 };
        let known = self.format_names.clone();
        let found = self.lookup("time format", name, &known).unwrap_or(0);
        self.used_formats.insert(found);
        found
    }

    fn finish(&mut self, manifest: &Manifest, parts: operations::Parts, keys: Arc<expr::Keys>) -> Option<Pack> {
        let router = self.routes(&parts);
        let seeds = self.seeds(manifest);
        self.check_given_ids(&parts, &seeds);
        self.lint(manifest, &parts);
        let expressions = std::mem::take(&mut self.expressions);
        let program = match expressions.build(keys) {
            Ok(program) => program,
            Err(fault) => {
                self.report(Diagnostic::general(Code::ExprSyntax, fault.to_string()));
                return None;
            }
        };
        let fields = self.resources.iter().flat_map(|resource| &resource.fields).filter(|field| field.secret);
        let secrets: BTreeSet<String> = fields.map(|field| field.name.to_ascii_lowercase()).collect();
        let has_secret =
            |template: &str| parameter_names(template).iter().any(|name| secrets.contains(&name.to_ascii_lowercase()));
        let lines = parts.operations.iter().flat_map(Operation::lines).map(|line| line.template);
        let secret_paths = lines.filter(|template| has_secret(template)).collect();
        let mut sent_secrets = secrets.clone();
        sent_secrets.extend(self.library.write_only().iter().map(|name| name.to_ascii_lowercase()));
        let digests = super::digest::digests(self.files);
        let name: Arc<str> = self.name.as_str().into();
        let mounts = self.mounts(manifest);
        let mut face = Face {
            name: Arc::clone(&name),
            digest: super::digest::of_all(&digests),
            secrets: secrets.into_iter().collect(),
            sent_secrets: sent_secrets.into_iter().collect(),
            secret_paths,
            mounts: mounts.clone(),
            ..Face::default()
        };
        for scheme in &self.schemes {
            match &scheme.place {
                CredentialPlace::Header(name) => face.headers.push(name.clone()),
                CredentialPlace::Query(name) => face.query.push(name.clone()),
            }
        }
        let id_is_secret = |resource: &&Resource| resource.fields.get(resource.id).is_some_and(|field| field.secret);
        let secret_ids = self.resources.iter().filter(id_is_secret);
        face.secret_ids = secret_ids.map(|resource| Arc::clone(&resource.name)).collect();
        let mut pack = Pack {
            digests,
            name,
            title: manifest.title.as_ref().map(|title| title.value.clone()).unwrap_or_default(),
            description: manifest.description.as_ref().map(|text| text.value.clone()),
            mounts,
            formats: std::mem::take(&mut self.formats),
            options: std::mem::take(&mut self.options),
            resources: std::mem::take(&mut self.resources),
            schemes: std::mem::take(&mut self.schemes),
            credentials: parts.credentials,
            errors: parts.errors,
            rejections: parts.rejections,
            rows: parts.rows,
            limits: parts.limits,
            operations: parts.operations,
            events: parts.events,
            webhooks: parts.webhooks,
            examples: parts.examples,
            replays: parts.replays,
            payloads: parts.payloads,
            headers: parts.headers,
            tables: Arc::new(std::mem::take(&mut self.tables)),
            router: router.unwrap_or_default(),
            seeds,
            program,
            sources: Arc::default(),
            face: Arc::new(face),
            checks: std::mem::take(&mut self.checks),
            renderings: std::mem::take(&mut self.renderings),
            constants: self.constants.iter().map(|constant| constant.value.clone()).collect(),
            answers: Answers::default(),
        };
        pack.number();
        Some(pack)
    }
}

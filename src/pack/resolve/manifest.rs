//! `pack.yaml`: formats, resources, errors, guards, rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Resolver;
use super::operations::{Parts, turn};
use crate::clock::{Format, Instant, Span};
use crate::diagnostic::{Code, Diagnostic, nearest, there_are};
use crate::exchange::{self, Pattern};
use crate::expr::{Kind, Names, ObjectKind};
use crate::pack::source::{
    FieldSource, Fields, GuardSource, Manifest, Node, NodeKind, ResourceSource, RowSource, Spanned,
};
use crate::pack::{Field, Given, Owner, Pack, Provenance, Refusal, Resource, ResourceId, Row, Sort, Unique};
use crate::schema::Place;

/// What types are called elsewhere.
const ELSEWHERE: [(&str, &str); 9] = [
    ("text", "string"),
    ("date", "timestamp"),
    ("datetime", "timestamp"),
    ("date-time", "timestamp"),
    ("float", "number"),
    ("decimal", "number"),
    ("array", "json"),
    ("list", "json"),
    ("map", "object"),
];

impl Resolver<'_> {
    /// The whole pack, in the order in which its parts need each other.
    pub(super) fn pack(&mut self, manifest: &Manifest) -> Option<Pack> {
        self.names(manifest);
        self.check_mounts(manifest);
        self.formats(manifest);
        self.constants.clone_from(&manifest.constants);
        self.tables = manifest.tables.iter().map(|(key, value)| (key.name.clone(), value.clone())).collect();
        self.options(manifest);
        self.error_names = manifest.errors.iter().map(|error| error.name.name.clone()).collect();
        let faults = manifest.errors.iter().filter_map(|error| Some((error.name.name.clone(), error.fault()?.clone())));
        self.faults = faults.collect();
        self.resources(manifest);
        let keys = self.keys(manifest);
        for source in &manifest.schemes {
            match self.scheme(source, manifest) {
                Some(scheme) => self.schemes.push(scheme),
                None => {
                    self.broken_schemes.insert(source.name.name.clone());
                }
            }
        }
        self.defaults(manifest);
        let mut parts = Parts { errors: self.errors(manifest), ..Parts::default() };
        parts.rejections = self.rejections(manifest);
        parts.limits = self.limits(manifest);
        for source in &manifest.credentials {
            if let Some((credential, at)) = self.credential(source) {
                parts.credentials.push(credential);
                parts.credential_places.push(at);
            }
        }
        let names = self.error_names_scope(manifest);
        parts.rows = manifest.rows.iter().filter_map(|row| self.row(row, &names)).collect();
        parts.headers = self.headers(&manifest.headers, &self.common_names(), "");
        self.operations(manifest, &mut parts);
        self.examples(&mut parts);
        self.finish(manifest, parts, keys)
    }

    fn names(&mut self, manifest: &Manifest) {
        if let Some(name) = &manifest.name {
            if name.value != self.files.folder {
                let message = format!("the pack is called `{}` but its folder `{}`", name.value, self.files.folder);
                self.report(
                    Diagnostic::error(Code::ValueWrong, name.at.clone(), message).help("give both the same name"),
                );
            }
            if name.value == self.files.folder && !exchange::is_label(&name.value) {
                let message = format!("`{}` cannot be part of a host name", name.value);
                let help = "a pack's name has lower-case letters, digits and hyphens, at most 63";
                self.report(Diagnostic::error(Code::ValueWrong, name.at.clone(), message).help(help));
            }
        }
    }

    /// Where else the pack's paths begin.
    fn check_mounts(&mut self, manifest: &Manifest) {
        for mount in manifest.mount.iter().filter(|mount| !mount.value.starts_with('/')) {
            let message = "a mount begins with `/`";
            self.report(Diagnostic::error(Code::ValueWrong, mount.at.clone(), message).help("write it like `/api`"));
        }
    }

    pub(super) fn mounts(&self, manifest: &Manifest) -> Vec<String> {
        let prefixes = manifest.mount.iter().map(|mount| mount.value.trim_end_matches('/').to_owned());
        let mut mounts: Vec<String> = prefixes.filter(|prefix| !prefix.is_empty()).collect();
        // The longest first, so that no prefix hides a longer one.
        mounts.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        mounts.push(String::new());
        mounts
    }

    fn formats(&mut self, manifest: &Manifest) {
        self.format_names.push("default".to_owned());
        let default = match &manifest.timestamps {
            Some(node) => self.format(node),
            None => Format::default(),
        };
        self.formats.push(default);
        for (key, node) in &manifest.formats {
            let format = self.format(node);
            self.format_names.push(key.name.clone());
            self.formats.push(format);
        }
    }

    /// A pattern, or `{ pattern, offset }`.
    fn format(&mut self, node: &Node) -> Format {
        let (pattern, offset) = match &node.kind {
            NodeKind::String(pattern) => (Spanned { value: pattern.clone(), at: node.at.clone() }, None),
            _ => {
                let Some(mut fields) = Fields::of(node, "a time format that is not one pattern", &mut self.diagnostics)
                else {
                    return Format::default();
                };
                let pattern = fields.required_text("pattern", &mut self.diagnostics);
                let offset = fields.text("offset", &mut self.diagnostics);
                fields.finish(&mut self.diagnostics);
                let Some(pattern) = pattern else { return Format::default() };
                (pattern, offset)
            }
        };
        let whole = |format: Format| {
            let written = format.write(Instant::START);
            let earlier = Instant::START.saturating_add(Span::from_micros(-5 * 3_600_000_000));
            match format.read(&written) == format.read(&format.write(earlier)) {
                true => Err(format!("`{}` does not say date and time: `{written}` is a whole day", pattern.value)),
                false => Ok(format),
            }
        };
        let made = Format::new(&pattern.value, None)
            .and_then(whole)
            .map_err(|message| (&pattern.at, message))
            .and_then(|format| match &offset {
                None => Ok(format),
                Some(offset) => {
                    Format::new(&pattern.value, Some(&offset.value)).map_err(|message| (&offset.at, message))
                }
            });
        made.unwrap_or_else(|(at, message)| {
            let mut diagnostic = Diagnostic::error(Code::ValueWrong, at.clone(), message);
            if *at == pattern.at {
                diagnostic = diagnostic.help("write it like `%Y-%m-%d %H:%M:%S`");
            }
            self.report(diagnostic);
            Format::default()
        })
    }

    // ---- resources

    fn resources(&mut self, manifest: &Manifest) {
        for source in &manifest.resources {
            let resource = self.resource(source);
            self.resources.push(resource);
        }
        for (index, source) in manifest.resources.iter().enumerate() {
            self.owner(index, source, manifest);
        }
        self.references(manifest);
        self.owner_loops(manifest);
        for (index, resource) in self.resources.iter().enumerate() {
            let fields = resource.fields.iter().map(|field| (field.name.to_string(), field.kind())).collect();
            self.record_kinds.push(Kind::Object(Arc::new(ObjectKind {
                what: format!("the `{}` record", resource.name),
                resource: Some(index),
                fields,
                rest: None,
                choices: Vec::new(),
            })));
        }
        for (index, source) in manifest.resources.iter().enumerate() {
            self.constraints(index, source);
        }
    }

    fn resource(&mut self, source: &ResourceSource) -> Resource {
        let mut fields: Vec<Field> = Vec::new();
        for field in &source.fields {
            if let Some(field) = self.field(field) {
                fields.push(field);
            }
        }
        let by_name: BTreeMap<Arc<str>, usize> =
            fields.iter().enumerate().map(|(index, field)| (Arc::clone(&field.name), index)).collect();
        let known: Vec<String> = fields.iter().map(|field| field.name.to_string()).collect();
        let id = match &source.id {
            Some(id) if !known.is_empty() => self.lookup("field", id, &known).unwrap_or(0),
            _ => 0,
        };
        if let (Some(field), Some(id)) = (fields.get(id), &source.id)
            && !matches!(field.sort, Sort::Uuid | Sort::String | Sort::Integer)
        {
            let message =
                format!("an id is a uuid, a string or an integer, and `{}` is of type {}", id.value, field.sort.name());
            self.error(Code::ValueWrong, &id.at, message);
        }
        if let (Some(field), Some(id)) = (fields.get(id), &source.id)
            && field.optional
        {
            self.error(Code::ValueWrong, &id.at, format!("an id is always there, and `{}` is optional", id.value));
        }
        self.check_reserved(&source.name.name, &source.name.at);
        if fields.is_empty() {
            self.error(Code::KeyMissing, &source.name.at, "a resource needs `fields`");
        }
        Resource {
            name: source.name.name.as_str().into(),
            id,
            owner: None,
            fields,
            unique: Vec::new(),
            lookups: Vec::new(),
            not_found: None,
            by_name,
        }
    }

    fn field(&mut self, source: &FieldSource) -> Option<Field> {
        // A field of unknown type is there all the same: what uses it is not at fault.
        let unknown = Spanned { value: "json".to_owned(), at: source.name.at.clone() };
        let word = source.sort.as_ref().unwrap_or(&unknown);
        let (name, secret) =
            if word.value == "secret" { ("string", true) } else { (word.value.as_str(), source.secret) };
        let known: Vec<String> =
            Sort::NAMES.iter().map(|(name, _)| (*name).to_owned()).chain(["secret".to_owned()]).collect();
        let found = match ELSEWHERE.iter().find(|(other, _)| *other == name) {
            None => self.lookup("type", &Spanned { value: name.to_owned(), at: word.at.clone() }, &known),
            Some((_, meant)) => {
                let diagnostic =
                    Diagnostic::error(Code::NameUnknown, word.at.clone(), format!("there is no type `{name}`"));
                let help = there_are(known.iter().map(String::as_str));
                self.report(diagnostic.suggest(Some((*meant).to_owned())).help(help));
                None
            }
        };
        let sort = found.and_then(|index| Sort::NAMES.get(index)).map_or(Sort::Json, |(_, sort)| *sort);
        if let Some(format) = &source.format
            && sort != Sort::Timestamp
            && found.is_some()
        {
            self.error(Code::ValueWrong, &format.at, "only a timestamp has a format");
        }
        Some(Field {
            name: source.name.name.as_str().into(),
            sort,
            format: self.format_named(source.format.as_ref()),
            default: None,
            optional: source.optional,
            secret,
            internal: source.internal,
            refers: None,
        })
    }

    fn owner(&mut self, index: usize, source: &ResourceSource, manifest: &Manifest) {
        let Some(owner) = &source.owner else { return };
        let Some(field) = self.field_named(ResourceId(index), owner) else { return };
        let declared = manifest.resources[index].fields.iter().find(|declared| declared.name.name == owner.value);
        let Some(refers) = declared.and_then(|field| field.refers.as_ref()) else {
            let message = format!("`{}` does not say whose id it holds", owner.value);
            self.report(
                Diagnostic::error(Code::KeyMissing, owner.at.clone(), message)
                    .help(format!("write the field as `{}: {{ type: uuid, refers: <resource> }}`", owner.value)),
            );
            return;
        };
        if let Some(resource) = self.resource_named(refers) {
            self.resources[index].owner = Some(Owner { field, resource });
        }
    }

    /// What fields refer to exists, and its id is of the same kind.
    fn references(&mut self, manifest: &Manifest) {
        for (index, source) in manifest.resources.iter().enumerate() {
            for field in &source.fields {
                let Some(refers) = &field.refers else { continue };
                // The owner's resource has been looked up.
                let owner = source.owner.as_ref().is_some_and(|owner| owner.value == field.name.name);
                let known = |resource: &Resource| *resource.name == *refers.value;
                let target = match self.resources.iter().position(known) {
                    None if owner => None,
                    None => self.resource_named(refers).map(|target| target.0),
                    found => found,
                };
                let id = target.and_then(|target| self.resources[target].fields.get(self.resources[target].id));
                let own = self.resources[index].field(&field.name.name);
                let number = own.map(|(number, _)| number);
                if let (Some(id), Some((_, own))) = (id, own)
                    && !id.kind().comparable(&own.kind())
                {
                    let message = format!(
                        "`{}` is of type {}, and the id of `{}` of type {}",
                        own.name,
                        own.sort.name(),
                        refers.value,
                        id.sort.name()
                    );
                    self.error(Code::ValueWrong, &refers.at, message);
                }
                if let Some(number) = number {
                    self.resources[index].fields[number].refers = target.map(ResourceId);
                }
            }
        }
    }

    fn constraints(&mut self, index: usize, source: &ResourceSource) {
        let names = self.record_names(ResourceId(index));
        for unique in &source.unique {
            let fields: Vec<usize> =
                unique.fields.iter().filter_map(|name| self.field_named(ResourceId(index), name)).collect();
            if let Some(twice) = (1..fields.len())
                .find(|index| fields[..*index].contains(&fields[*index]))
                .map(|index| &unique.fields[index])
            {
                let message = format!("`{}` stands here twice", twice.value);
                self.report(Diagnostic::error(Code::NameDuplicate, twice.at.clone(), message).help("take one out"));
            }
            let only = self.condition(unique.only.as_ref(), &names);
            let Some(error) = unique.error.as_ref().and_then(|error| self.error_named(error)) else { continue };
            if unique.fields.is_empty() {
                self.error(Code::KeyMissing, &unique.at, "a uniqueness needs `fields`");
                continue;
            }
            if fields.len() != unique.fields.len() {
                continue;
            }
            let unique = Unique { fields, ignore_case: unique.ignore_case, only, error, at: unique.at.clone() };
            self.resources[index].unique.push(unique);
        }
        self.resources[index].not_found = source.not_found.as_ref().and_then(|name| self.error_named(name));
    }

    fn defaults(&mut self, manifest: &Manifest) {
        for (index, source) in manifest.resources.iter().enumerate() {
            let names = self.record_names(ResourceId(index));
            for field in &source.fields {
                let Some(default) = &field.default else { continue };
                let shape = self.value(default, &names, "");
                if let Some((number, _)) = self.resources[index].field(&field.name.name) {
                    if let Some(shape) = &shape {
                        self.check_set(ResourceId(index), number, shape, default, &names);
                    }
                    self.resources[index].fields[number].default = shape;
                }
            }
        }
    }

    // ---- rejections, guards, rows

    fn rejections(&mut self, manifest: &Manifest) -> BTreeMap<Refusal, crate::pack::ErrorId> {
        let mut rejections = BTreeMap::new();
        for (key, error) in &manifest.rejections {
            let Some(refusal) = Refusal::ALL.into_iter().find(|refusal| refusal.name() == key.name) else {
                let names = Refusal::ALL.map(Refusal::name);
                let diagnostic = Diagnostic::error(
                    Code::NameUnknown,
                    key.at.clone(),
                    format!("there is no rejection `{}`", key.name),
                )
                .suggest(nearest(&key.name, names))
                .help(there_are(names));
                self.report(diagnostic);
                continue;
            };
            let found = match refusal {
                Refusal::RateLimit => self.fault_named(error),
                _ => self.error_named(error),
            };
            if let Some(error) = found {
                rejections.insert(refusal, error);
            }
        }
        rejections
    }

    pub(super) fn guard(
        &mut self,
        source: &GuardSource,
        names: &Names,
        late: &BTreeSet<String>,
    ) -> Option<crate::pack::Guard> {
        let otherwise = source.otherwise.as_ref().and_then(|error| self.error_named(error));
        Some(crate::pack::Guard {
            name: source.name.name.as_str().into(),
            require: self.condition(source.require.as_ref(), names)?,
            otherwise: otherwise?,
            turn: turn(source.require.as_ref()?, late),
            provenance: match (&source.docs, &source.assumed) {
                (_, Some(reason)) => Some(Provenance::Assumed(reason.value.as_str().into())),
                (Some(docs), None) => Some(Provenance::Documented(Some(docs.value.as_str().into()))),
                (None, None) => None,
            },
            at: source.name.at.clone(),
        })
    }

    fn row(&mut self, source: &RowSource, names: &Names) -> Option<Row> {
        let place = match &source.place {
            None => None,
            Some(word) => {
                let known: Vec<String> = Place::REQUEST.iter().map(|place| place.name().to_owned()).collect();
                self.lookup("part of a request", word, &known).and_then(|index| Place::REQUEST.get(index)).copied()
            }
        };
        if let Some(pointer) = &source.pointer
            && !pointer.value.is_empty()
            && !pointer.value.starts_with('/')
        {
            self.error(Code::ValueWrong, &pointer.at, "a pointer begins with `/`");
        }
        let violation = match names.get("violations") {
            Some(Kind::List(item)) => (**item).clone(),
            _ => Kind::Any,
        };
        let names = names.with("violation", violation);
        let mut item = Vec::new();
        for (key, template) in &source.item {
            if let Some(shape) = self.value(template, &names, "") {
                item.push((key.name.clone(), shape));
            }
        }
        Some(Row {
            name: source.name.as_ref().map(|name| name.value.clone()),
            place,
            pointer: source.pointer.as_ref().map(|pointer| Pattern::new(&pointer.value)),
            keywords: source.keyword.iter().map(|keyword| keyword.value.clone()).collect(),
            wanted: self.wanted(&source.option),
            gives: match &source.tolerate {
                Some(reason) => Given::Tolerated(reason.value.trim().into()),
                None => Given::Error { error: self.error_named(source.error.as_ref()?)?, item },
            },
            at: source.at.clone(),
        })
    }
}

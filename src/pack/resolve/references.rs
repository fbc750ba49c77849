//! What pack files refer to by name: JSON files, parts of them, and schemas.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::Resolver;
use crate::diagnostic::{self, Code, Diagnostic, FileId, Location, nearest, there_are};
use crate::exchange::{self, JsonFaultKind};
use crate::pack::source::Spanned;
use crate::schema::{FaultKind, Library, Reference, Schema};

impl Resolver<'_> {
    pub(super) fn read_schemas(&mut self) {
        let mut documents = BTreeMap::new();
        let mut broken = BTreeSet::new();
        for (path, id) in self.schemas.clone() {
            let Some(name) = path.strip_suffix(".json") else { continue };
            match self.json(id) {
                Some(value) => {
                    documents.insert(name.to_owned(), value);
                }
                None => {
                    broken.insert(name.to_owned());
                }
            }
        }
        let (library, faults) = Library::new(documents, broken);
        self.library = library;
        // A document that is no schema has no places that one could refer to.
        let empty: Vec<String> = faults
            .iter()
            .filter(|fault| matches!(fault.kind, FaultKind::Invalid) && fault.pointer.is_empty())
            .map(|fault| format!("`{}.json` has nothing at", fault.document))
            .collect();
        for fault in faults {
            if empty.iter().any(|start| fault.message.starts_with(start)) {
                continue;
            }
            let at = self.schema_place(&fault.document, &fault.pointer);
            let diagnostic = Diagnostic::error(fault_code(fault.kind), at, fault.message);
            self.report(diagnostic.suggest(fault.suggestion));
        }
    }

    /// The keyword that is wrong, or the word behind it.
    pub(super) fn schema_place(&self, document: &str, pointer: &str) -> Location {
        let file = self.schemas.get(format!("{document}.json").as_str()).copied().unwrap_or(FileId(0));
        let text = self.sources.text(file);
        let mut segments = exchange::segments(pointer);
        let word = segments
            .last()
            .is_some_and(|last| matches!(last.as_str(), "type" | "format" | "$ref" | "pattern" | "x-error"));
        if word && let Some(range) = diagnostic::value_range(text, &segments) {
            return Location::new(file, range);
        }
        loop {
            if let Some(range) = diagnostic::key_range(text, &segments) {
                return Location::new(file, range);
            }
            if segments.pop().is_none() {
                return Location::whole(file);
            }
        }
    }

    pub(super) fn json(&mut self, file: FileId) -> Option<Value> {
        if self.unread.contains(&file) {
            return None;
        }
        if self.sources.text(file).starts_with('\u{feff}') {
            let message = "this is not JSON: a byte order mark stands before it";
            let diagnostic = Diagnostic::error(Code::JsonSyntax, Location::whole(file), message);
            self.report(diagnostic.help("save the file as UTF-8 without a byte order mark"));
            return None;
        }
        match exchange::parse_json(self.sources.text(file).as_bytes(), 100) {
            Ok(value) => Some(value),
            Err(fault) => {
                let text = self.sources.text(file);
                let start: usize = text.split_inclusive('\n').take(fault.line.saturating_sub(1)).map(str::len).sum();
                let mut at = (start + fault.column.saturating_sub(1)).min(text.len());
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                let end = text[at..].chars().next().map_or(at, |character| at + character.len_utf8());
                if let (JsonFaultKind::DuplicateKey, Some(name)) = (fault.kind, fault.message.split('`').nth(1)) {
                    let quoted = format!("\"{name}\"");
                    let start = text[..end].rfind(&quoted);
                    let range = start.map_or(at..end, |start| start..start + quoted.len());
                    let diagnostic = Diagnostic::error(
                        Code::KeyDuplicate,
                        Location::new(file, range),
                        format!("`{name}` stands here twice"),
                    );
                    self.report(
                        diagnostic.help("readers of JSON disagree about which of the two counts: take one out"),
                    );
                    return None;
                }
                let message = format!("this is not JSON: {}", fault.message);
                self.error(Code::JsonSyntax, &Location::new(file, at..end), message);
                None
            }
        }
    }

    /// A fixture's parsed JSON. Broken files are reported once.
    pub(super) fn document(&mut self, path: &str) -> Option<Arc<Value>> {
        self.used.insert(path.to_owned());
        if let Some(known) = self.documents.get(path) {
            return known.clone();
        }
        let file = *self.fixtures.get(path)?;
        let value = self.json(file).map(Arc::new);
        self.documents.insert(path.to_owned(), value.clone());
        value
    }

    /// The path of a fixture that a file in `folder` names: beside it, or from the pack's folder.
    pub(super) fn find(&mut self, name: &Spanned<String>, folder: &str) -> Option<String> {
        let beside = if folder.is_empty() { name.value.clone() } else { format!("{folder}/{}", name.value) };
        for path in [beside.as_str(), name.value.as_str()] {
            if self.fixtures.contains_key(path) {
                return Some(path.to_owned());
            }
        }
        let known: Vec<&str> = self
            .fixtures
            .keys()
            .filter_map(|path| match folder.is_empty() {
                true => Some(*path),
                false => path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
            })
            .collect();
        let own = name.value.rsplit('/').next().unwrap_or_default();
        // A side file is not what was meant by its example.
        let ending = |path: &str| path.rsplit_once('.').map(|(_, ending)| ending.to_owned());
        let known: Vec<&str> =
            known.into_iter().filter(|path| !path.ends_with(".yaml") || ending(own) == ending(path)).collect();
        let same = |path: &&str| **path == *own || path.rsplit_once('.').is_some_and(|(stem, _)| stem == own);
        let by_part = known.iter().copied().find(same).map(str::to_owned);
        let meant = by_part.or_else(|| nearest(&name.value, known));
        if let Some(meant) = &meant {
            self.used.insert(if folder.is_empty() { meant.clone() } else { format!("{folder}/{meant}") });
        }
        let message = format!("there is no file `{beside}`");
        let diagnostic = Diagnostic::error(Code::ExampleMissing, name.at.clone(), message)
            .suggest(meant)
            .help("files are looked for beside this one, then in the pack's folder");
        self.report(diagnostic);
        None
    }

    /// An example, or a part of one, named as `file.json#/pointer`: its path, the steps to the part, and the part.
    pub(super) fn part(&mut self, reference: &Spanned<String>, folder: &str) -> Option<(String, Vec<String>, Value)> {
        let (file, pointer) = reference.value.split_once('#').unwrap_or((&reference.value, ""));
        let path = self.find(&Spanned { value: file.to_owned(), at: reference.at.clone() }, folder)?;
        let document = self.document(&path)?;
        match document.pointer(pointer) {
            Some(part) => Some((path, exchange::segments(pointer), part.clone())),
            None => {
                let at = match reference.at.range.len() == reference.value.len() {
                    true => {
                        Location::new(reference.at.file, reference.at.range.end - pointer.len()..reference.at.range.end)
                    }
                    false => reference.at.clone(),
                };
                let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
                let keys = document
                    .pointer(parent)
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                    .map(|(key, _)| key.as_str());
                let meant = nearest(key, keys).map(|key| format!("{parent}/{key}"));
                let diagnostic =
                    Diagnostic::error(Code::ExampleMissing, at, format!("`{path}` has nothing at `{pointer}`"))
                        .suggest(meant);
                self.report(diagnostic.help("what stands behind `#` is a JSON pointer into the file"));
                None
            }
        }
    }

    /// The place of a value in a JSON fixture.
    pub(super) fn json_place(&self, path: &str, segments: &[String]) -> Location {
        let file = self.fixtures.get(path).copied().unwrap_or(FileId(0));
        let range = diagnostic::key_range(self.sources.text(file), segments);
        range.map_or_else(|| Location::whole(file), |range| Location::new(file, range))
    }

    pub(super) fn schema(&mut self, name: &Spanned<String>) -> Option<Schema> {
        let reference = Reference::parse(&name.value);
        self.used_schemas.insert(reference.document.clone());
        match self.library.compile(&reference) {
            Ok(schema) => Some(schema),
            // What is wrong inside the file has been said.
            Err(_) if self.library.is_broken(&reference.document) => None,
            Err(fault) => {
                let mut diagnostic = Diagnostic::error(fault_code(fault.kind), name.at.clone(), fault.message);
                // Without any schema the first that is missed says so for all.
                if self.schemas.is_empty() && !self.lost.insert("schema".to_owned()) {
                    return None;
                }
                if self.library.get(&Reference::parse(&reference.document)).is_none() {
                    let names = self.schemas.keys().filter_map(|path| path.strip_suffix(".json"));
                    // Schemas are named without their folder.
                    let name = reference.document.rsplit('/').next().unwrap_or_default();
                    let meant = nearest(&reference.document, names.clone()).or_else(|| nearest(name, names.clone()));
                    let help = match self.schemas.is_empty() {
                        true => format!("there is none at all in `{}`: is that the folder?", self.files.shown.1),
                        false => there_are(names),
                    };
                    diagnostic = diagnostic.help(help).suggest(meant.clone());
                    self.used_schemas.extend(meant);
                }
                self.report(diagnostic);
                None
            }
        }
    }

    // ---- names and expressions
}

pub(super) fn fault_code(kind: FaultKind) -> Code {
    match kind {
        FaultKind::Invalid => Code::SchemaInvalid,
        FaultKind::Reference => Code::SchemaReference,
        FaultKind::OneOf => Code::SchemaOneOf,
    }
}

//! What is declared and can never count: rows behind others, words that no schema has, conditions without a question.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Resolver;
use super::operations::Parts;
use crate::diagnostic::{Code, Diagnostic, all_of, nearest};
use crate::exchange;
use crate::expr;
use crate::pack::parameter_names;
use crate::pack::source::{Manifest, RowSource, Spanned, Template};
use crate::schema::{Place, Reference};

/// Every word that the schemas of one part of requests have, as a key or a text.
struct Words {
    all: BTreeSet<String>,
    /// Of those, the names of properties or parameters.
    names: BTreeSet<String>,
    /// A property that no schema names may be at fault.
    closed: bool,
}

impl Words {
    fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.all.insert(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(object) => {
                for (key, value) in object {
                    match (key.as_str(), value) {
                        ("properties", Value::Object(named)) => self.names.extend(named.keys().cloned()),
                        ("required", Value::Array(named)) => {
                            self.names.extend(named.iter().filter_map(Value::as_str).map(str::to_owned));
                        }
                        _ => {}
                    }
                    self.all.insert(key.clone());
                    self.closed |=
                        key.starts_with("additional") || key.starts_with("unevaluated") || key == "propertyNames";
                    self.add(value);
                }
            }
            Value::Bool(false) => {
                self.all.insert("falseSchema".to_owned());
            }
            _ => {}
        }
    }
}

impl Resolver<'_> {
    pub(super) fn never(&mut self, manifest: &Manifest, parts: &Parts) {
        self.shadowed_rows(manifest);
        self.ungiven(manifest, parts);
        if !self.failed() && !parts.incomplete {
            self.idle_rows(manifest, parts);
            self.idle_rejections(manifest, parts);
        }
    }

    /// A row that only sees what an earlier row has taken.
    fn shadowed_rows(&mut self, manifest: &Manifest) {
        let text = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
        let open = |row: &RowSource| row.place.is_none() && row.pointer.is_none() && row.keyword.is_empty();
        let covers = |first: &RowSource, second: &RowSource| {
            let words = |row: &RowSource| -> BTreeSet<String> {
                row.keyword.iter().map(|keyword| keyword.value.clone()).collect()
            };
            (first.option.pairs.is_empty() || first.option.same(&second.option))
                && (first.place.is_none() || text(&first.place) == text(&second.place))
                && (first.pointer.is_none() || text(&first.pointer) == text(&second.pointer))
                && (first.keyword.is_empty() || !second.keyword.is_empty() && words(second).is_subset(&words(first)))
        };
        for (index, row) in manifest.rows.iter().enumerate() {
            // A schema that asks for a row by name finds it wherever it stands.
            if row.name.is_some() {
                continue;
            }
            let before = manifest.rows[..index].iter().filter(|first| first.name.is_none() || !open(first));
            if let Some(first) = before.into_iter().find(|first| covers(first, row)) {
                let message = "no violation comes as far as this row: an earlier one takes them all";
                let diagnostic = Diagnostic::error(Code::NeverUsed, row.at.clone(), message)
                    .related(first.at.clone(), "this one takes them")
                    .help("the first row that fits counts: put the narrower row first, or take this one out");
                self.report(diagnostic);
            }
        }
    }

    /// Errors that look at what comes with a violation, or with a refusal, and are given by something else.
    fn ungiven(&mut self, manifest: &Manifest, parts: &Parts) {
        let rows = manifest.rows.iter().filter_map(|row| row.error.as_ref()).map(|error| ("a row", error.clone()));
        let rejections = manifest.rejections.iter().map(|(_, error)| ("a rejection", error.clone()));
        let guards = manifest.guards.iter().filter_map(|guard| Some(("a guard", guard.otherwise.clone()?)));
        let schemes = manifest.schemes.iter().filter_map(|scheme| Some(("a scheme", scheme.otherwise.clone()?)));
        let missed =
            manifest.resources.iter().filter_map(|resource| Some(("`not-found`", resource.not_found.clone()?)));
        let unique = manifest.resources.iter().flat_map(|resource| &resource.unique);
        let unique = unique.filter_map(|unique| Some(("a uniqueness", unique.error.clone()?)));
        let loads = parts.operations.iter().flat_map(|operation| &operation.loads).filter_map(|load| {
            let value = self.error_names.get(load.otherwise?.0)?.clone();
            Some(("a load", Spanned { value, at: load.at.clone() }))
        });
        let others = guards.chain(schemes).chain(missed).chain(unique).chain(loads);
        let givers: Vec<_> = rows.chain(rejections).chain(others).collect();
        let mut found = Vec::new();
        for source in &manifest.errors {
            // What is wrong with a condition has been said.
            let when = source.cases.iter().filter_map(|case| Template::condition(case.when.as_ref()?, &mut Vec::new()));
            let conditions: Vec<Template> = when.collect();
            let templates = source.cases.iter().flat_map(|case| {
                let named = case.show.iter().chain(&case.with).chain(&case.headers);
                named.map(|(_, template)| template).chain(&case.whole)
            });
            let shown: Vec<_> = templates.chain(&conditions).flat_map(Template::expressions).collect();
            for (word, giver) in [("violations", "a row"), ("refusal", "a rejection")] {
                let Some(place) = shown.iter().find(|(text, _)| needs(text, word)).map(|(_, shown)| shown.at()) else {
                    continue;
                };
                let wrong = givers.iter().filter(|(kind, error)| *kind != giver && error.value == source.name.name);
                for (kind, error) in wrong {
                    let message = format!("`{}` looks at `{word}`, and {kind} gives none", source.name.name);
                    let help = format!(
                        "name an error that looks at something else here; `{word}` is there when {giver} gives the error"
                    );
                    let diagnostic = Diagnostic::error(Code::ExprUnknownName, error.at.clone(), message);
                    found.push(diagnostic.related(place.clone(), "looked at here").help(help));
                }
            }
        }
        self.diagnostics.extend(found);
    }

    fn words(&self, place: Place, parts: &Parts) -> Words {
        let mut words = Words { all: BTreeSet::new(), names: BTreeSet::new(), closed: false };
        if place == Place::Body {
            let mut waiting: Vec<String> = parts
                .operations
                .iter()
                .filter_map(|operation| Some(Reference::parse(&operation.body.as_ref()?.schema_name).document))
                .collect();
            let mut seen = BTreeSet::new();
            while let Some(document) = waiting.pop() {
                let Some(schema) = self.library.get(&Reference::parse(&document)) else { continue };
                if seen.insert(document) {
                    words.add(schema);
                    let referred: BTreeSet<&str> = words.all.iter().map(|word| document_of(word)).collect();
                    let others = self.library.names().filter(|name| !seen.contains(*name) && referred.contains(name));
                    waiting.extend(others.map(str::to_owned));
                }
            }
            return words;
        }
        let all = parts.operations.iter().flat_map(|operation| &operation.parameters);
        for known in all.filter(|parameters| parameters.place == place).flat_map(|parameters| &parameters.known) {
            words.names.insert(known.name.clone());
            words.add(&known.schema);
            if known.required {
                words.all.insert("required".to_owned());
            }
        }
        // The path of an operation that says nothing about its parameters has texts there.
        if place == Place::Path {
            let paths = parts.operations.iter().flat_map(|operation| parameter_names(&operation.template));
            words.names.extend(paths.map(str::to_owned));
        }
        words
    }

    /// Rows for keywords and places that no schema has.
    fn idle_rows(&mut self, manifest: &Manifest, parts: &Parts) {
        let places = Place::REQUEST.map(|place| (place, self.words(place, parts)));
        for row in &manifest.rows {
            let own = row.place.as_ref().map(|place| place.value.as_str());
            let seen = || places.iter().filter(|(place, _)| own.is_none_or(|own| place.name() == own));
            if seen().next().is_none() {
                continue;
            }
            let part = own.map_or_else(|| "request".to_owned(), |own| format!("request's {own}"));
            let words: BTreeSet<&str> = seen().flat_map(|(_, words)| words.all.iter().map(String::as_str)).collect();
            for keyword in row.keyword.iter().filter(|keyword| !words.contains(keyword.value.as_str())) {
                let message = format!("no schema of a {part} has the keyword `{}`", keyword.value);
                let diagnostic = Diagnostic::error(Code::NeverUsed, keyword.at.clone(), message)
                    .suggest(nearest(&keyword.value, words.iter().copied()))
                    .help("take it out, or correct the keyword of JSON Schema");
                self.report(diagnostic);
            }
            let Some(pointer) = &row.pointer else { continue };
            let closed = seen().any(|(_, words)| words.closed);
            let step = |step: &&String| !step.starts_with('*') && step.parse::<usize>().is_err();
            let steps = exchange::segments(&pointer.value);
            let names: BTreeSet<&str> = seen().flat_map(|(_, words)| words.names.iter().map(String::as_str)).collect();
            let Some(lost) = steps.iter().filter(step).find(|step| !names.contains(step.as_str())) else { continue };
            let meant = nearest(lost, names.iter().copied());
            if closed && meant.is_none() {
                continue;
            }
            let message = format!("no schema of a {part} names `{lost}`");
            let diagnostic = Diagnostic::error(Code::NeverUsed, pointer.at.clone(), message)
                .suggest(meant.map(|meant| pointer.value.replace(lost.as_str(), &meant)))
                .help("name a place of the request by its JSON pointer; `*` stands for any one segment");
            self.report(diagnostic);
        }
    }

    /// Refusals of bodies and parameters in a pack that has none.
    fn idle_rejections(&mut self, manifest: &Manifest, parts: &Parts) {
        let bodies = parts.operations.iter().any(|operation| operation.body.is_some());
        let parameters = parts.operations.iter().any(|operation| operation.template.contains('{'));
        for (key, _) in &manifest.rejections {
            let idle = match key.name.as_str() {
                "body-missing" | "body-syntax" | "body-duplicate-key" | "body-too-deep" | "media-type" => !bodies,
                "parameter" => !parameters,
                _ => false,
            };
            if idle {
                let what = if key.name == "parameter" { "a parameter in its path" } else { "a `body`" };
                let message = format!("nothing is refused so: no operation has {what}");
                self.report(Diagnostic::error(Code::NeverUsed, key.at.clone(), message).help("take it out"));
            }
        }
    }

    /// Owners that own each other: no record of theirs would ever belong to a caller.
    pub(super) fn owner_loops(&mut self, manifest: &Manifest) {
        let mut told = BTreeSet::new();
        for (start, source) in manifest.resources.iter().enumerate() {
            let mut way = vec![start];
            while let Some(owner) = way.last().and_then(|last| self.resources.get(*last)?.owner) {
                if owner.resource.0 == start {
                    break;
                }
                if way.contains(&owner.resource.0) {
                    way.clear();
                    break;
                }
                way.push(owner.resource.0);
            }
            let closes = way.last().and_then(|last| self.resources.get(*last)?.owner).is_some();
            let Some(owner) = source.owner.as_ref().filter(|_| closes && way.len() > 1) else { continue };
            let members: BTreeSet<usize> = way.iter().copied().collect();
            if told.insert(members) {
                let names = all_of(way.iter().map(|index| &*self.resources[*index].name));
                let message = format!("{names} own each other");
                let help = "let one of them have no `owner`: a record belongs to one that was there before";
                self.report(Diagnostic::error(Code::ValueWrong, owner.at.clone(), message).help(help));
            }
        }
    }
}

/// Whether an expression needs a name: it looks at it, and does not ask whether it is defined.
fn needs(text: &str, name: &str) -> bool {
    expr::mentioned(text).contains(name) && !text.contains("defined") && !text.contains("default")
}

/// The document that a word of a schema leads to, if it is a reference.
fn document_of(word: &str) -> &str {
    let file = word.split_once('#').map_or(word, |(file, _)| file);
    file.strip_suffix(".json").unwrap_or(file)
}

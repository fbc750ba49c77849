//! What is probably not meant, although everything can be read.

use std::borrow::Cow;

use serde_json::Value;

use super::Resolver;
use super::operations::Parts;
use crate::diagnostic::{Code, Diagnostic, Location, nearest};
use crate::exchange;
use crate::pack::source::{ErrorSource, Manifest, RowSource, Spanned};
use crate::pack::{Decode, ErrorId};
use crate::schema::Reference;

impl Resolver<'_> {
    pub(super) fn lint(&mut self, manifest: &Manifest, parts: &Parts) {
        self.titles(parts);
        for (index, guard) in manifest.guards.iter().enumerate() {
            self.said_twice(guard.docs.as_ref(), guard.assumed.as_ref());
            let silent = guard.docs.is_none() && guard.assumed.is_none();
            if silent && self.used_guards.contains(&index) {
                let message = format!("nothing says where the guard `{}` comes from", guard.name.name);
                let help = "name the place with `docs`, or give a reason with `assumed`";
                self.report(Diagnostic::error(Code::ProvenanceMissing, guard.name.at.clone(), message).help(help));
            }
        }
        self.rows(manifest);
        self.asked_rows(manifest, parts);
        self.credentials(manifest, parts);
        self.never(manifest, parts);
        self.check_topics();
        // What would have used a name or file is not known.
        if parts.incomplete {
            return;
        }
        // In a pack with other mistakes only that is unused which no file names: what names it may be broken.
        let lenient = self.failed();
        self.unused_files(lenient);
        self.unused_names(manifest, lenient);
    }

    /// What is documented is not assumed.
    pub(super) fn said_twice(&mut self, docs: Option<&Spanned<String>>, assumed: Option<&Spanned<String>>) {
        if let (Some(docs), Some(assumed)) = (docs, assumed) {
            let message = "what is documented is not assumed too";
            let diagnostic = Diagnostic::error(Code::ValueWrong, assumed.at.clone(), message)
                .related(docs.at.clone(), "documented, says this")
                .help(
                    "leave out `docs` or `assumed`; where only the body of an answer is assumed, write `assumed-body`",
                );
            self.report(diagnostic);
        }
    }

    fn unused_names(&mut self, manifest: &Manifest, lenient: bool) {
        let mut unused: Vec<(Location, String, &str)> = Vec::new();
        for (index, guard) in manifest.guards.iter().enumerate() {
            // The guard is at fault then, not its error.
            let error = guard
                .otherwise
                .as_ref()
                .and_then(|name| self.error_names.iter().position(|known| *known == name.value));
            self.used_errors.extend(error.map(ErrorId));
            let used = self.used_guards.contains(&index)
                || self.lost.contains("guard")
                || (lenient && self.mentions(&guard.name.name) > 1);
            if !used {
                let message = format!("no operation has the guard `{}`", guard.name.name);
                unused.push((guard.name.at.clone(), message, "name it under `guards` of an operation, or take it out"));
            }
        }
        for (index, ErrorSource { name: key, .. }) in manifest.errors.iter().enumerate() {
            let used = self.used_errors.contains(&ErrorId(index))
                || self.faults.contains_key(&key.name)
                || self.lost.contains("error")
                || (lenient && self.mentions(&key.name) > 1);
            if !used {
                let message = format!("nothing gives the error `{}`", key.name);
                let help = "name it in a guard, a scheme, a resource, a row of `violations` or under `rejections`, or take it out";
                unused.push((key.at.clone(), message, help));
            }
        }
        for (index, (key, _)) in manifest.shapes.iter().enumerate() {
            let used = self.used_shapes.contains(&index)
                || self.lost.contains("shape")
                || (lenient && self.mentions(&key.name) > 1);
            if !used {
                let message = format!("nothing has the shape `{}`", key.name);
                unused.push((
                    key.at.clone(),
                    message,
                    "name it as `shape` of an answer or a webhook's body, or take it out",
                ));
            }
        }
        // Which scheme a broken one, or the `auth` of a broken operation, would have been is not known.
        if !lenient {
            for (index, scheme) in self.schemes.iter().enumerate() {
                if !self.used_schemes.contains(&index) {
                    let message = format!("no operation asks for the scheme `{}`", scheme.name);
                    unused.push((scheme.at.clone(), message, "name it under `auth` of an operation, or take it out"));
                }
            }
            self.unused_data(manifest, &mut unused);
            self.unused_options(manifest, &mut unused);
        }
        for constant in &self.constants {
            if self.used_constants.contains(&constant.value) {
                continue;
            }
            let key = constant.value.rsplit('/').next().unwrap_or_default();
            let quoted = format!("\"{key}\"");
            let shown = || {
                self.fixtures
                    .iter()
                    .any(|(path, id)| path.ends_with(".json") && self.sources.text(*id).contains(&quoted))
            };
            if !lenient || !shown() {
                let message = format!("no shape has the constant `{}`", constant.value);
                unused.push((constant.at.clone(), message, "take it out"));
            }
        }
        for (at, message, help) in unused {
            self.report(Diagnostic::error(Code::NameUnused, at, message).help(help));
        }
    }

    /// Formats, tables, keys and parts of schemas that nothing names.
    fn unused_data(&self, manifest: &Manifest, unused: &mut Vec<(Location, String, &str)>) {
        for (index, (key, _)) in manifest.formats.iter().enumerate() {
            // The pack's own format comes first.
            if !self.used_formats.contains(&(index + 1)) {
                let message = format!("no field has the format `{}`", key.name);
                unused.push((key.at.clone(), message, "name it as `format` of a timestamp, or take it out"));
            }
        }
        let texts = || self.fixtures.iter().filter(|(path, _)| path.ends_with(".yaml") || path.ends_with(".html"));
        let said = |words: &str| texts().any(|(_, id)| self.sources.text(*id).contains(words));
        for (key, _) in &manifest.tables {
            let spellings = ["tables.", "tables['", "tables[\""].map(|open| said(&format!("{open}{}", key.name)));
            let chosen = texts().any(|(_, id)| {
                let text = self.sources.text(*id);
                text.match_indices("tables[").any(|(at, open)| !text[at + open.len()..].starts_with(['"', '\'']))
            });
            if !spellings.contains(&true) && !chosen {
                let message = format!("no expression looks at `tables.{}`", key.name);
                unused.push((key.at.clone(), message, "take it out"));
            }
        }
        for (key, _) in &manifest.keys {
            if self.mentions(&key.name) < 2 {
                let message = format!("nothing is signed or verified with the key `{}`", key.name);
                unused.push((key.at.clone(), message, "name it in `decode` or in `jwt(…)`, or take it out"));
            }
        }
        for document in self.library.names() {
            let definitions = self.library.get(&Reference::parse(document)).and_then(|schema| schema.get("$defs"));
            for (name, _) in definitions.and_then(Value::as_object).into_iter().flatten() {
                let reference = format!("#/$defs/{name}");
                let referred = self.schemas.values().any(|id| self.sources.text(*id).contains(&reference));
                if !referred && !said(&reference) {
                    let at = self.schema_place(document, &exchange::child("/$defs", name));
                    let message = format!("nothing refers to `{document}.json{reference}`");
                    unused.push((at, message, "take it out, or refer to it with `$ref`"));
                }
            }
        }
    }

    /// How often a name stands in the pack's files; where it is declared counts.
    pub(super) fn mentions(&self, name: &str) -> usize {
        let part = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '.' | '/');
        let texts =
            self.fixtures.iter().filter(|(path, _)| path.ends_with(".yaml")).map(|(_, id)| self.sources.text(*id));
        let words = texts.flat_map(|text| text.split(|character| !part(character)));
        words.filter(|word| *word == name).count()
    }

    fn rows(&mut self, manifest: &Manifest) {
        // Of rows with one name the first counts whose option holds.
        let name = |row: &RowSource| row.name.as_ref().map(|name| name.value.clone());
        let told = |row: &&RowSource| {
            let before = manifest.rows.iter().take_while(|other| other.at != row.at);
            let twins: Vec<&RowSource> = before.filter(|other| name(other) == name(row)).collect();
            let hides = |other: &&RowSource| other.option.pairs.is_empty() || other.option.same(&row.option);
            twins.is_empty() || twins.iter().any(hides)
        };
        let names = manifest.rows.iter().filter(told).filter_map(|row| row.name.clone());
        let names: Vec<Spanned<String>> = names.collect();
        self.twice("rows are called", &names);
        let labels: Vec<Spanned<String>> =
            manifest.credentials.iter().filter_map(|source| source.label.clone()).collect();
        self.twice("credentials are labelled", &labels);
    }

    /// A schema that asks for a row by name must find it.
    fn asked_rows(&mut self, manifest: &Manifest, parts: &Parts) {
        let known: Vec<&str> = manifest.rows.iter().filter_map(|row| Some(row.name.as_ref()?.value.as_str())).collect();
        let unknown = |name: &str| !known.contains(&name);
        let mut asked: Vec<(Location, String)> = Vec::new();
        for document in self.library.names() {
            let Some(schema) = self.library.get(&Reference::parse(document)) else { continue };
            for (pointer, name) in rows_asked_for(schema).into_iter().filter(|(_, name)| unknown(name)) {
                asked.push((self.schema_place(document, &pointer), name));
            }
        }
        for parameters in parts.operations.iter().flat_map(|operation| &operation.parameters) {
            let names = parameters.known.iter().flat_map(|parameter| rows_asked_for(&parameter.schema));
            let names = names.map(|(_, name)| name).filter(|name| unknown(name));
            asked.extend(names.map(|name| (parameters.at.clone(), name)));
        }
        for (at, name) in asked {
            let message = format!("no row of `violations` is called `{name}`");
            let diagnostic =
                Diagnostic::error(Code::NameUnknown, at, message).suggest(nearest(&name, known.iter().copied()));
            self.report(diagnostic.help(format!("give a row of `violations` in pack.yaml the `name: {name}`")));
        }
    }

    fn titles(&mut self, parts: &Parts) {
        self.twice("operations are called", &parts.titles);
    }

    fn twice(&mut self, what: &str, names: &[Spanned<String>]) {
        for (index, name) in names.iter().enumerate() {
            if let Some(twin) = names[..index].iter().find(|other| other.value == name.value) {
                let message = format!("two {what} `{}`", name.value);
                let diagnostic = Diagnostic::error(Code::NameDuplicate, name.at.clone(), message)
                    .related(twin.at.clone(), "the first")
                    .help("give each a name of its own");
                self.report(diagnostic);
            }
        }
    }

    /// A credential that the start text prints must work.
    fn credentials(&mut self, manifest: &Manifest, parts: &Parts) {
        for (credential, at) in parts.credentials.iter().zip(&parts.credential_places) {
            let scheme = &self.schemes[credential.scheme.0];
            let wanted = match scheme.decode.first() {
                Some(Decode::Bearer) => "Bearer ",
                Some(Decode::Basic) => "Basic ",
                _ => "",
            };
            let Some(value) = credential.value.strip_prefix(wanted) else {
                let message =
                    format!("the scheme `{}` takes values that begin with `{}`", scheme.name, wanted.trim_end());
                let help = "write the value as a client sends it";
                self.report(Diagnostic::error(Code::CredentialInvalid, at.clone(), message).help(help));
                continue;
            };
            let resource = &self.resources[scheme.resource.0];
            let field = &resource.fields[scheme.field];
            let plain = scheme.value.is_none() && matches!(scheme.decode.as_slice(), [] | [Decode::Bearer]);
            let seeds = manifest.resources.get(scheme.resource.0).map_or(&[][..], |source| &source.seed);
            let written = seeds.iter().all(|seed| seed.example.is_none() && seed.set.is_empty());
            if !plain || field.default.is_some() || !written {
                continue;
            }
            let pointer = [field.name.to_string()];
            let holds = |node: &crate::pack::source::Node| node.nearest(&pointer).as_str() == Some(value);
            let records = || seeds.iter().flat_map(|seed| &seed.records);
            let complete = records().all(|node| node.nearest(&pointer) != node);
            if complete && !records().any(holds) {
                let message = format!("no seed record of `{}` has the `{}` `{value}`", resource.name, field.name);
                let help = "a listed credential works: give a seed record this value, or take the credential out";
                self.report(Diagnostic::error(Code::CredentialInvalid, at.clone(), message).help(help));
            }
        }
    }

    fn unused_files(&mut self, lenient: bool) {
        let mut unused: Vec<(Location, String, Option<String>)> = Vec::new();
        for (path, id) in &self.fixtures {
            let name = path.rsplit('/').next().unwrap_or(path);
            let named = || {
                let texts = self.fixtures.iter().filter(|(path, _)| path.ends_with(".yaml"));
                lenient && texts.into_iter().any(|(_, id)| self.sources.text(*id).contains(name))
            };
            if !self.used.contains(*path) && !path.starts_with("scenarios/") && !path.ends_with(".md") && !named() {
                let message = format!("nothing uses `{path}`");
                unused.push((Location::whole(*id), message, Resolver::meant_role(path)));
            }
        }
        for (path, id) in &self.schemas {
            let name = path.trim_end_matches(".json");
            let referred = self
                .schemas
                .iter()
                .any(|(other, id)| other != path && self.sources.text(*id).contains(&format!("\"{path}")));
            let used = self.used_schemas.contains(name) || referred || (lenient && self.mentions(name) > 0);
            if !used {
                unused.push((Location::whole(*id), format!("nothing uses the schema `{name}`"), None));
            }
        }
        for (at, message, meant) in unused {
            let help = "name it where it belongs, or take it away";
            self.report(Diagnostic::error(Code::FileUnused, at, message).suggest(meant).help(help));
        }
    }
}

/// The place of every `x-error` in a schema, and the row that it names.
fn rows_asked_for(schema: &Value) -> Vec<(String, String)> {
    fn walk<'s>(value: &'s Value, steps: &mut Vec<Cow<'s, str>>, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    steps.push(key.into());
                    walk(value, steps, found);
                    steps.pop();
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    steps.push(index.to_string().into());
                    walk(value, steps, found);
                    steps.pop();
                }
            }
            Value::String(name) if steps.last().is_some_and(|key| key == "x-error") => {
                let pointer = steps.iter().fold(String::new(), |pointer, step| exchange::child(&pointer, step));
                found.push((pointer, name.clone()));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(schema, &mut Vec::new(), &mut found);
    found
}

#[cfg(test)]
mod tests {
    use crate::pack::{Files, load};

    const OPERATION: &str = "operation: Send\nrequest: POST /parcels\ndocs: x\nbody: send\nrespond: { status: 204 }\n";
    const SCHEMA: &str = r#"{ "type": "object", "x-error": "name" }"#;

    /// Code and help of everything that is found in a pack with these files beside its manifest.
    fn diagnostics(manifest: &str, fixtures: &[(&str, &str)], schema: &str) -> Vec<(&'static str, String)> {
        let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
        let mut files = Files {
            folder: "parcels".to_owned(),
            shown: ("fixtures".to_owned(), "schemas".to_owned()),
            fixtures: fixtures.iter().map(|(path, text)| file(path, text)).collect(),
            schemas: [file("send.json", schema)].into(),
            ..Files::default()
        };
        files.fixtures.extend([file("pack.yaml", &format!("pack: parcels\ntitle: Parcels\n{manifest}"))]);
        let loaded = load(&files);
        loaded.diagnostics.into_iter().map(|found| (found.code.name(), found.help.unwrap_or_default())).collect()
    }

    fn codes(manifest: &str, fixtures: &[(&str, &str)]) -> Vec<&'static str> {
        diagnostics(manifest, fixtures, "{}").into_iter().map(|(code, _)| code).collect()
    }

    #[test]
    fn a_schema_asks_for_rows_that_exist() {
        let files = [("parcels/send.yaml", OPERATION)];
        let help = "give a row of `violations` in pack.yaml the `name: name`".to_owned();
        assert_eq!(diagnostics("", &files, SCHEMA), [("name-unknown", help)]);
        let rows = "errors: { bad: { status: 400, docs: x } }\nviolations: [{ name: name, error: bad }]\n";
        assert_eq!(diagnostics(rows, &files, SCHEMA), []);
    }

    #[test]
    fn what_a_broken_operation_may_use_is_not_called_unused() {
        let manifest = "errors: { bad: { status: 400, docs: x } }\n";
        let files = [("parcels/send.yaml", "operation: [\n"), ("parcels/send.200.json", "{}")];
        assert_eq!(codes(manifest, &files), ["yaml-syntax"]);
    }

    #[test]
    fn what_no_operation_reads_is_not_refused() {
        let operation = OPERATION.replace("body: send\n", "");
        let manifest = "errors: { bad: { status: 400, docs: x } }\nrejections: { body-syntax: bad, parameter: bad }\n";
        let found = codes(manifest, &[("parcels/send.yaml", operation.as_str())]);
        assert_eq!(found, ["never-used", "never-used", "file-unused"]);
    }

    #[test]
    fn errors_do_not_choose_themselves() {
        let manifest = "errors: { bad: { status: 400, docs: x, when: 1 == 2 } }\nrejections: { body-syntax: bad }\n";
        assert_eq!(codes(manifest, &[("parcels/send.yaml", OPERATION)]), ["value-wrong"]);
    }

    #[test]
    fn what_no_shape_of_a_choice_has_is_found() {
        let answer = "{ status: 200, docs: x, show: { each: \"= ['a']\", as: item, shape: { by: = item, a: send.200.json }, show: { id: = item, nmae: 1 } } }";
        let operation = OPERATION.replace("{ status: 204 }", answer);
        let files = [("parcels/send.yaml", operation.as_str()), ("parcels/send.200.json", r#"{ "id": "a" }"#)];
        assert_eq!(codes("", &files), ["shape-target"]);
    }

    #[test]
    fn operations_on_one_path_read_it_alike() {
        let with = |title: &str, request: &str, rest: &str| {
            OPERATION
                .replace("Send", title)
                .replace("/parcels", request)
                .replace("body: send", &format!("body: send\n{rest}"))
        };
        let first = with("Send", "/{id}", "path: { id: { type: integer } }\nwhen: body.kind == 'a'");
        let pair = |second: &str| codes("", &[("parcels/a.yaml", first.as_str()), ("parcels/b.yaml", second)]);
        assert_eq!(pair(&with("Other", "/{number}", "path: { number: { type: integer } }")), Vec::<&str>::new());
        assert_eq!(pair(&with("Other", "/{number}", "path: { number: { type: string } }")), ["route-ambiguous"]);
        assert_eq!(pair(&with("Other", "/{number}", "when: body.kind is")), ["expr-syntax"]);
    }
}

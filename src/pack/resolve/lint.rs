//! What is probably not meant, although everything can be read.

use serde_json::Value;

use super::operations::Parts;
use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Location, nearest};
use crate::exchange;
use crate::pack::source::Manifest;
use crate::pack::{Decode, ErrorId};
use crate::schema::Reference;

impl Resolver<'_> {
    pub(super) fn lint(&mut self, manifest: &Manifest, parts: &Parts) {
        if !parts.incomplete {
            self.unused_files();
        }
        for (index, (key, _)) in manifest.errors.iter().enumerate() {
            if !parts.incomplete && !self.used_errors.contains(&ErrorId(index)) {
                let message = format!("nothing gives the error `{}`", key.name);
                self.report(
                    Diagnostic::error(Code::ErrorUnused, key.at.clone(), message)
                        .help("name it in a guard, a scheme, a resource, a row of `violations` or under `rejections`, or take it out"),
                );
            }
        }
        for constant in self.constants.clone() {
            if !parts.incomplete && !self.used_constants.contains(&constant.value) {
                let message = format!("no example has the constant `{}`", constant.value);
                self.report(Diagnostic::error(Code::ShapeTarget, constant.at, message).help("take it out"));
            }
        }
        for (index, row) in parts.rows.iter().enumerate() {
            let twin = row.name.as_ref().and_then(|name| {
                parts.rows[..index].iter().find(|other| other.name.as_ref() == Some(name)).map(|other| (name, other))
            });
            if let Some((name, other)) = twin {
                let diagnostic =
                    Diagnostic::error(Code::NameDuplicate, row.at.clone(), format!("two rows are called `{name}`"))
                        .related(other.at.clone(), "the first");
                self.report(diagnostic);
            }
        }
        self.asked_rows(parts);
        self.titles(parts);
        self.credentials(parts);
    }

    /// A schema that asks for a row by name must find it.
    fn asked_rows(&mut self, parts: &Parts) {
        let mut asked: Vec<(Location, String)> = Vec::new();
        for document in self.library.names().map(str::to_owned).collect::<Vec<_>>() {
            let Some(schema) = self.library.get(&Reference::parse(&document)) else { continue };
            for (pointer, name) in rows_asked_for(schema) {
                asked.push((self.schema_place(&document, &pointer), name));
            }
        }
        for parameters in parts.operations.iter().flat_map(|operation| &operation.parameters) {
            let schemas = parameters.known.iter().map(|parameter| &parameter.schema);
            asked.extend(schemas.flat_map(rows_asked_for).map(|(_, name)| (parameters.at.clone(), name)));
        }
        let known: Vec<&str> = parts.rows.iter().filter_map(|row| row.name.as_deref()).collect();
        for (at, name) in asked {
            if !known.contains(&name.as_str()) {
                let message = format!("no row of `violations` is called `{name}`");
                let diagnostic = Diagnostic::error(Code::NameUnknown, at, message).suggest(nearest(&name, known.iter().copied()));
                self.report(diagnostic.help(format!("give a row of `violations` in pack.yaml the `name: {name}`")));
            }
        }
    }

    fn titles(&mut self, parts: &Parts) {
        for (index, operation) in parts.operations.iter().enumerate() {
            if let Some(twin) = parts.operations[..index].iter().find(|other| other.title == operation.title) {
                let message = format!("two operations are called `{}`", operation.title);
                let diagnostic = Diagnostic::error(Code::NameDuplicate, operation.at.clone(), message)
                    .related(twin.at.clone(), "the first");
                self.report(diagnostic);
            }
        }
    }

    /// A credential that the start text prints must work.
    fn credentials(&mut self, parts: &Parts) {
        for (credential, at) in parts.credentials.iter().zip(&parts.credential_places) {
            let scheme = &self.schemes[credential.scheme.0];
            let wanted = match scheme.decode.first() {
                Some(Decode::Bearer) => Some("Bearer "),
                Some(Decode::Basic) => Some("Basic "),
                _ => None,
            };
            if let Some(prefix) = wanted
                && !credential.value.starts_with(prefix)
            {
                let message = format!("the scheme `{}` takes values that begin with `{}`", scheme.name, prefix.trim_end());
                let help = "write the value as a client sends it";
                self.report(Diagnostic::error(Code::CredentialInvalid, at.clone(), message).help(help));
            }
        }
    }

    fn unused_files(&mut self) {
        let mut unused: Vec<(Location, String)> = Vec::new();
        for (path, id) in &self.fixtures {
            if !self.used.contains(*path) && !path.starts_with("scenarios/") && !path.ends_with(".md") {
                unused.push((Location::whole(*id), format!("nothing uses `{path}`")));
            }
        }
        for (path, id) in &self.schemas {
            let name = path.trim_end_matches(".json");
            let referred = self.schemas.keys().any(|other| {
                other != path
                    && self.sources.text(self.schemas[other]).contains(&format!("\"{path}"))
            });
            if !self.used_schemas.contains(name) && !referred {
                unused.push((Location::whole(*id), format!("nothing uses the schema `{name}`")));
            }
        }
        for (at, message) in unused {
            self.report(Diagnostic::error(Code::FileUnused, at, message).help("name it, or take it away"));
        }
    }
}

/// The place of every `x-error` in a schema, and the row that it names.
fn rows_asked_for(schema: &Value) -> Vec<(String, String)> {
    let named = |(pointer, value): (String, Value)| match value {
        Value::String(name) if pointer.ends_with("/x-error") => Some((pointer, name)),
        _ => None,
    };
    exchange::leaves(schema).into_iter().filter_map(named).collect()
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
            OPERATION.replace("Send", title).replace("/parcels", request).replace("body: send", &format!("body: send\n{rest}"))
        };
        let first = with("Send", "/{id}", "path: { id: { type: integer } }\nwhen: body.kind == 'a'");
        let pair = |second: &str| codes("", &[("parcels/a.yaml", first.as_str()), ("parcels/b.yaml", second)]);
        assert_eq!(pair(&with("Other", "/{number}", "path: { number: { type: integer } }")), Vec::<&str>::new());
        assert_eq!(pair(&with("Other", "/{number}", "path: { number: { type: string } }")), ["route-ambiguous"]);
        assert_eq!(pair(&with("Other", "/{number}", "when: body.kind is")), ["expr-syntax"]);
    }
}

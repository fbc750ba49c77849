//! Side files against the pack: do the names in them exist, can the request be made?

use http::HeaderName;

use super::Resolver;
use super::operations::Parts;
use crate::clock::Instant;
use crate::diagnostic::{Code, Diagnostic, Location, nearest, there_are};
use crate::pack::source::{GivenSource, Key, NodeKind, Side, Spanned};
use crate::pack::{Operation, ResourceId, parameter_names};

impl Resolver<'_> {
    pub(super) fn check_sides(&mut self, parts: &Parts) {
        let labels: Vec<String> = parts.credentials.iter().map(|credential| credential.label.clone()).collect();
        for example in &parts.examples {
            let side = &example.side;
            let operation = &parts.operations[example.operation.0];
            if self.broken_schemes.is_empty() {
                for label in side.caller.iter().flatten() {
                    self.lookup("credential", label, &labels);
                }
            }
            self.check_request(side, operation);
            if let Some(instant) = &side.instant
                && let Err(message) = Instant::parse(&instant.value)
            {
                let diagnostic = Diagnostic::error(Code::ValueWrong, instant.at.clone(), message);
                self.report(diagnostic.help("write an instant like 2024-10-01T17:15:12Z"));
            }
            for given in &side.given {
                self.check_given(given);
            }
            for (key, _) in &side.next {
                self.check_draw(key);
            }
            if let Some(name) = &side.body_of {
                self.check_body_of(name, parts);
            }
            self.check_pointers(&example.path, side, example.json.as_deref());
        }
        self.check_paths(parts);
    }

    fn check_request(&mut self, side: &Side, operation: &Operation) {
        let names = parameter_names(&operation.template);
        for (key, _) in side.path.iter().filter(|(key, _)| !names.contains(&key.name.as_str())) {
            let message = format!("the path of `{}` has no parameter `{{{}}}`", operation.title, key.name);
            let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message)
                .suggest(nearest(&key.name, names.iter().copied()))
                .help(there_are(names.iter().copied()));
            self.report(diagnostic);
        }
        for (key, _) in &side.headers {
            if HeaderName::try_from(key.name.as_str()).is_err() {
                self.error(Code::ValueWrong, &key.at, format!("`{}` is not the name of a header", key.name));
            }
        }
        if let Some(method) = &side.method
            && http::Method::from_bytes(method.value.as_bytes()).is_err()
        {
            self.error(Code::ValueWrong, &method.at, format!("`{}` is not a method", method.value));
        }
    }

    /// Every parameter of the path is given, by the answer's side file or by its request's.
    fn check_paths(&mut self, parts: &Parts) {
        for replay in &parts.replays {
            let examples =
                [replay.answer, replay.request].map(|index| index.and_then(|index| parts.examples.get(index)));
            let Some(example) = examples.into_iter().flatten().next() else { continue };
            let operation = &parts.operations[example.operation.0];
            let given: Vec<&str> = examples
                .into_iter()
                .flatten()
                .flat_map(|example| &example.side.path)
                .map(|(key, _)| key.name.as_str())
                .collect();
            for name in parameter_names(&operation.template) {
                let at = example.side.at.clone().unwrap_or_else(|| example.at.clone());
                // In a side file with other mistakes the parameter may be there under another name.
                let spoilt = self
                    .diagnostics
                    .iter()
                    .any(|other| other.location.as_ref().is_some_and(|place| place.file == at.file));
                if given.contains(&name) || spoilt {
                    continue;
                }
                let at = Location::new(at.file, at.range.start..at.range.start);
                let message = format!("nothing says which `{{{name}}}` this example was made with");
                let help = format!("write `request: {{ path: {{ {name}: … }} }}` into its side file");
                self.report(Diagnostic::error(Code::KeyMissing, at, message).help(help));
            }
        }
    }

    fn check_given(&mut self, given: &GivenSource) {
        let name = Spanned { value: given.resource.name.clone(), at: given.resource.at.clone() };
        let Some(resource) = self.resource_named(&name) else { return };
        let Some(NodeKind::Map(members)) = given.fields.as_ref().map(|fields| &fields.kind) else { return };
        for (key, node) in members {
            let Some(field) = self.field_named(resource, &Spanned { value: key.name.clone(), at: key.at.clone() })
            else {
                continue;
            };
            let field = &self.resources[resource.0].fields[field];
            if let Err(message) = field.from_wire(&node.to_json(), &self.formats, 0) {
                self.error(Code::ValueWrong, &node.at, message);
            }
        }
    }

    /// `item.code`, or `item#2.code` for the second one made; deeper names are of values that are drawn in
    /// parts.
    fn check_draw(&mut self, key: &Key) {
        let Some((record, rest)) = key.name.split_once('.') else { return };
        let resource = record.split_once('#').map_or(record, |(resource, _)| resource);
        let names: Vec<&str> = self.resources.iter().map(|known| &*known.name).collect();
        let Some(index) = names.iter().position(|known| *known == resource) else {
            if let Some(meant) = nearest(resource, names) {
                let message = format!("nothing draws `{}`", key.name);
                self.report(
                    Diagnostic::error(Code::NameUnknown, key.at.clone(), message)
                        .suggest(Some(format!("{meant}.{rest}"))),
                );
            }
            return;
        };
        let field = rest.split('.').next().unwrap_or(rest);
        self.field_named(ResourceId(index), &Spanned { value: field.to_owned(), at: key.at.clone() });
    }

    fn check_body_of(&mut self, name: &Spanned<String>, parts: &Parts) {
        let end = format!("/{}", name.value);
        if parts.examples.iter().any(|example| *example.path == *name.value || example.path.ends_with(&end)) {
            return;
        }
        let names = parts.examples.iter().filter_map(|example| example.path.rsplit('/').next());
        let message = format!("there is no example `{}`", name.value);
        self.report(
            Diagnostic::error(Code::ExampleMissing, name.at.clone(), message).suggest(nearest(&name.value, names)),
        );
    }

    /// What is declared about a place of the example is about a place that it has.
    fn check_pointers(&mut self, path: &str, side: &Side, json: Option<&serde_json::Value>) {
        let Some(json) = json else { return };
        for (key, _) in side.differs.iter().chain(&side.absent).chain(&side.constant) {
            if json.pointer(&key.name).is_none() {
                let known: Vec<String> =
                    crate::exchange::leaves(json).into_iter().map(|(pointer, _)| pointer).collect();
                let message = format!("`{path}` has nothing at `{}`", key.name);
                let diagnostic = Diagnostic::error(Code::ShapeTarget, key.at.clone(), message)
                    .suggest(nearest(&key.name, known.iter().map(String::as_str)));
                self.report(diagnostic.help("name a place of the example by its JSON pointer"));
            }
        }
    }
}

//! Side files against the pack: do the names in them exist, can the request be made?

use http::HeaderName;
use serde_json::Value;

use super::Resolver;
use super::operations::Parts;
use crate::clock::Instant;
use crate::diagnostic::{Code, Diagnostic, Location, Severity, nearest, there_are};
use crate::pack::source::{GivenSource, Key, NodeKind, Side, Spanned};
use crate::pack::{Cause, Effect, Operation, ResourceId, Seed, Verb, parameter_names};
use crate::schema::Place;

/// What draws values when an example is replayed.
struct Maker<'p> {
    title: &'p str,
    effects: &'p [Effect],
    hurt: bool,
}

impl<'p> Maker<'p> {
    fn of(operation: &'p Operation, hurt: bool) -> Self {
        Maker { title: &operation.title, effects: &operation.effects, hurt }
    }
}

impl Resolver<'_> {
    pub(super) fn check_sides(&mut self, parts: &Parts) {
        let labels: Vec<String> = parts.credentials.iter().map(|credential| credential.label.clone()).collect();
        for example in &parts.examples {
            let operation = &parts.operations[example.operation.0];
            self.check_call(&example.side, operation, &labels, parts);
            self.check_side(&example.side, &Maker::of(operation, self.is_hurt(&operation.at)));
            self.check_pointers(&example.path, &example.side, example.json.as_deref());
        }
        for payload in &parts.payloads {
            let side = &payload.side;
            match &payload.cause {
                Some(Cause::Call { operation, .. }) => {
                    let operation = &parts.operations[operation.0];
                    self.check_call(side, operation, &labels, parts);
                    self.check_side(side, &Maker::of(operation, self.is_hurt(&operation.at)));
                }
                Some(Cause::Event { event, .. }) => {
                    let event = &parts.events[*event];
                    let hurt = self.is_hurt(&event.at);
                    self.check_side(side, &Maker { title: &event.title, effects: &event.effects, hurt });
                }
                None => {}
            }
            self.check_pointers(&payload.path, side, payload.json.as_deref());
        }
        self.check_paths(parts);
    }

    /// What the side file says of the call.
    fn check_call(&mut self, side: &Side, operation: &Operation, labels: &[String], parts: &Parts) {
        if self.broken_schemes.is_empty() {
            for label in side.caller.iter().flatten() {
                self.lookup("credential", label, labels);
            }
        }
        self.check_request(side, operation);
        if let Some(also) = &side.also {
            self.check_side_line(also, operation);
        }
        if let Some(name) = &side.body_of {
            self.check_body_of(name, parts);
        }
    }

    /// What it says of the world.
    fn check_side(&mut self, side: &Side, maker: &Maker<'_>) {
        self.check_side_options(&side.options);
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
            self.check_draw(key, maker);
        }
    }

    /// Whether something is wrong with an operation's or event's file, so that its examples may be right.
    fn is_hurt(&self, at: &Location) -> bool {
        let here = |found: &Diagnostic| found.location.as_ref().is_some_and(|place| place.file == at.file);
        self.diagnostics.iter().any(|found| found.severity == Severity::Error && here(found))
    }

    fn check_request(&mut self, side: &Side, operation: &Operation) {
        let names = parameter_names(&operation.template);
        let hurt = self.is_hurt(&operation.at);
        for (key, _) in side.path.iter().filter(|(key, _)| !hurt && !names.contains(&key.name.as_str())) {
            let message = format!("the path of `{}` has no parameter `{{{}}}`", operation.title, key.name);
            let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message)
                .suggest(nearest(&key.name, names.iter().copied()))
                .help(there_are(names.iter().copied()));
            self.report(diagnostic);
        }
        let listed = operation.parameters.iter().filter(|parameters| parameters.place == Place::Query);
        let listed: Vec<&str> = listed.flat_map(|query| &query.known).map(|known| known.name.as_str()).collect();
        for (key, _) in side.query.iter().filter(|(key, _)| !listed.contains(&key.name.as_str())) {
            // A parameter that is not listed may be there to show that it is ignored.
            if let Some(meant) = nearest(&key.name, listed.iter().copied()) {
                let message = format!("the query of `{}` has no parameter `{}`", operation.title, key.name);
                self.report(Diagnostic::error(Code::NameUnknown, key.at.clone(), message).suggest(Some(meant)));
            }
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
            let sides: Vec<&Side> = examples.into_iter().flatten().map(|example| &example.side).collect();
            self.check_path(&parts.operations[example.operation.0], &sides, &example.at, "request: { path");
        }
        for payload in &parts.payloads {
            if let Some(Cause::Call { operation, request }) = &payload.cause {
                let request = request.and_then(|index| parts.examples.get(index)).map(|example| &example.side);
                let sides: Vec<&Side> = std::iter::once(&payload.side).chain(request).collect();
                self.check_path(&parts.operations[operation.0], &sides, &payload.at, "cause: { …, path");
            }
        }
    }

    fn check_path(&mut self, operation: &Operation, sides: &[&Side], example: &Location, under: &str) {
        if self.is_hurt(&operation.at) {
            return;
        }
        let given: Vec<&str> = sides.iter().flat_map(|side| &side.path).map(|(key, _)| key.name.as_str()).collect();
        for name in parameter_names(&operation.template) {
            let at = sides.first().and_then(|side| side.at.clone()).unwrap_or_else(|| example.clone());
            // In a side file with other mistakes the parameter may be there under another name.
            let spoilt =
                self.diagnostics.iter().any(|other| other.location.as_ref().is_some_and(|place| place.file == at.file));
            if given.contains(&name) || spoilt {
                continue;
            }
            let at = Location::new(at.file, at.range.start..at.range.start);
            let message = format!("nothing says which `{{{name}}}` this example was made with");
            let help = format!("write `{under}: {{ {name}: … }} }}` into its side file");
            self.report(Diagnostic::error(Code::KeyMissing, at, message).help(help));
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

    /// A record that is changed or taken away is a seed record; a new one has all that it needs.
    pub(super) fn check_given_ids(&mut self, parts: &Parts, seeds: &[Seed]) {
        // What cannot be read may be the very record.
        if self.failed() {
            return;
        }
        let sides = parts.examples.iter().map(|example| &example.side);
        let sides = sides.chain(parts.payloads.iter().map(|payload| &payload.side));
        let given: Vec<&GivenSource> = sides.flat_map(|side| &side.given).collect();
        for given in given {
            let Some(resource) = self.resources.iter().position(|known| *known.name == *given.resource.name) else {
                continue;
            };
            let known = &self.resources[resource];
            let id = |seed: &Seed| match seed.values.get(known.id)?.as_ref()? {
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            let own = || seeds.iter().filter(|seed| seed.resource.0 == resource);
            // A default may make any id.
            let made = own().any(|seed| id(seed).is_none());
            let ids: Vec<String> = own().filter_map(id).collect();
            let Some(key) = given.id.as_ref().filter(|key| !made && !ids.contains(&key.name)) else { continue };
            let set = |name: &str| match given.fields.as_ref().map(|fields| &fields.kind) {
                Some(NodeKind::Map(members)) => members.iter().any(|(key, _)| key.name == name),
                _ => false,
            };
            let needed = known.fields.iter().enumerate().filter(|(index, field)| {
                *index != known.id && !field.optional && field.default.is_none() && !set(&field.name)
            });
            if given.fields.is_some() && needed.count() == 0 {
                continue;
            }
            let message = format!("there is no seed record of `{}` with the id `{}`", known.name, key.name);
            let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message)
                .suggest(nearest(&key.name, ids.iter().map(String::as_str)))
                .help("name a record of the pack's `seed`; a new record has all of its fields");
            self.report(diagnostic);
        }
    }

    /// `item.code`, or `item#2.code` for the second one made; deeper names are of values that are drawn in
    /// parts.
    fn check_draw(&mut self, key: &Key, maker: &Maker<'_>) {
        let Some((record, rest)) = key.name.split_once('.') else {
            let own = |effect: &Effect| {
                let resource = &self.resources[effect.resource.0];
                resource.field(&key.name).map(|_| format!("{}.{}", resource.name, key.name))
            };
            let meant = maker.effects.iter().find_map(own);
            // Values of pages and of rows are drawn by their own name.
            if meant.is_none() && self.mentions(&key.name) > 1 {
                return;
            }
            let message = format!("nothing draws `{}`", key.name);
            let help = "what is drawn is called `<resource>.<field>`, or `response.<key>` where an answer draws it";
            self.report(Diagnostic::error(Code::NameUnknown, key.at.clone(), message).suggest(meant).help(help));
            return;
        };
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
        let made = |effect: &Effect| effect.resource.0 == index && effect.verb != Verb::Delete;
        if !maker.effects.iter().any(made) {
            if maker.hurt {
                return;
            }
            let message = format!("`{}` makes or changes no `{resource}`, so that nothing draws this", maker.title);
            self.report(Diagnostic::error(Code::NeverUsed, key.at.clone(), message).help("take it out"));
            return;
        }
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
    fn check_pointers(&mut self, path: &str, side: &Side, json: Option<&Value>) {
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

//! Events: what no call of the API makes.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Story;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Location, nearest, there_are};
use crate::pack::Event;
use crate::pack::source::{Fields, Node, NodeKind, wrong_kind};
use crate::scenario::{Ask, Fires, Value};
use crate::schema::Place;

impl Story<'_, '_> {
    pub(super) fn event(&mut self, fields: &mut Fields<'_>, scope: &Scope) -> Option<(Ask, String)> {
        let index = self.step_pack(fields, scope);
        let name = self.named("event", fields);
        let after = fields.take("after").map(|node| self.span("after", node, &scope.names).map(Fires::After));
        let at = fields.entry("at");
        let when = match (after, at) {
            (None, None) => Some(Fires::Now),
            (Some(after), None) => after,
            (None, Some((_, node))) => self.instant("at", node, &scope.names).map(Fires::At),
            (Some(_), Some((key, _))) => {
                let diagnostic =
                    Diagnostic::error(Code::ValueWrong, key.at.clone(), "`after` says already when it happens");
                self.reader.report(diagnostic.help("take one of the two out"));
                None
            }
        };
        let given = fields.take("input");
        let pack = Arc::clone(self.reader.pack(index?));
        let name = name?;
        let Some(event) = pack.event_named(&name.value) else {
            let known: Vec<&str> = pack.events.iter().map(|event| &*event.name).collect();
            let message = format!("the pack `{}` has no event `{}`", pack.name, name.value);
            let diagnostic = Diagnostic::error(Code::NameUnknown, name.at, message);
            let diagnostic = diagnostic.suggest(nearest(&name.value, known.iter().copied()));
            self.reader.report(diagnostic.help(there_are(known)));
            return None;
        };
        let input = self.input(event, given, &name.at, scope);
        let words = format!("event {}", event.name);
        Some((Ask::Event { pack: index?, event: Arc::clone(&event.name), input: input?, when: when? }, words))
    }

    /// The event of the pack that has `send` as its step.
    pub(super) fn send(&mut self, fields: &mut Fields<'_>, scope: &Scope) -> Option<(Ask, String)> {
        let index = self.step_pack(fields, scope)?;
        let (key, node) = fields.entry("send")?;
        let pack = Arc::clone(self.reader.pack(index));
        let Some(event) = pack.events.iter().find(|event| event.sends) else {
            let message = format!("nothing is sent in the pack `{}`", pack.name);
            let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message);
            let sending = self.reader.ground.packs.iter().find(|(pack, _)| pack.events.iter().any(|event| event.sends));
            self.reader.report(match sending {
                Some((other, _)) => diagnostic
                    .help(format!("`{}` has an event for it: say `pack: {}` beside it", other.name, other.name)),
                None => diagnostic.help("an event file that says `step: send` makes it one"),
            });
            return None;
        };
        let input = self.input(event, Some(node), &key.at, scope)?;
        Some((Ask::Event { pack: index, event: Arc::clone(&event.name), input, when: Fires::Now }, "send".to_owned()))
    }

    /// The parameters of an event.
    fn input(&mut self, event: &Event, given: Option<&Node>, at: &Location, scope: &Scope) -> Option<Value> {
        let known = || event.input.iter().flat_map(|input| &input.known).map(|parameter| parameter.name.as_str());
        let nothing = Value::Written(Json::Object(serde_json::Map::new()));
        let (value, members) = match given.map(|node| (node, &node.kind)) {
            None => (nothing, [].as_slice()),
            Some((_, NodeKind::Map(members))) => (self.mapping(members, &scope.names)?, members.as_slice()),
            Some((node, _)) => {
                wrong_kind(node, "the input of an event is a mapping", &mut self.reader.diagnostics);
                return None;
            }
        };
        let unknown: Vec<_> = members.iter().filter(|(key, _)| !known().any(|known| known == key.name)).collect();
        for (key, _) in &unknown {
            let message = format!("the event `{}` takes no `{}`", event.name, key.name);
            let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message);
            self.reader.report(diagnostic.suggest(nearest(&key.name, known())).help(there_are(known())));
        }
        if !unknown.is_empty() {
            return None;
        }
        let required = event.input.iter().flat_map(|input| input.required());
        let missing: Vec<&str> = required.filter(|name| !members.iter().any(|(key, _)| key.name == *name)).collect();
        if let [first, ..] = missing.as_slice() {
            let message =
                format!("the event `{}` needs {}", event.name, crate::diagnostic::all_of(missing.iter().copied()));
            let help = match given {
                Some(_) => format!("add `{first}`"),
                None => format!("say `input: {{ {first}: … }}`"),
            };
            self.reader.report(Diagnostic::error(Code::KeyMissing, at.clone(), message).help(help));
            return None;
        }
        if let (Some(written), Some(input), Some(node)) = (value.written(), &event.input, given) {
            for violation in input.schema.violations(written, Place::Body) {
                let place = node.nearest(&crate::exchange::segments(&violation.pointer)).at.clone();
                let message = format!("`{}` does not take this: {}", event.name, violation.message);
                self.reader.error(Code::ValueWrong, &place, message);
            }
        }
        Some(value)
    }
}

//! Event files.

use std::collections::BTreeSet;

use super::Resolver;
use super::operations::Parts;
use super::request::parameters_kind;
use super::schedules::Declared;
use crate::diagnostic::{Code, Diagnostic, FileId, nearest};
use crate::expr::Names;
use crate::pack::source::{EventSource, Spanned};
use crate::pack::{Event, EventGuard};
use crate::schema::Place;

/// The step of scenarios that an event may have.
const SEND: &str = "send";

impl Resolver<'_> {
    pub(super) fn event_file(&mut self, file: FileId, name: &str, parts: &mut Parts) -> Option<Event> {
        let node = self.yaml(file);
        let before = self.diagnostics.len();
        let source = node.and_then(|node| EventSource::read(&node, &mut self.diagnostics));
        parts.incomplete |= source.is_none();
        let clean = !self.unread_keys(before);
        let source = source?;
        let sends = source.step.as_ref().is_some_and(|step| self.sends(step, parts));
        self.event(&source, name, clean).map(|event| Event { sends, ..event })
    }

    /// Whether scenarios have the step `send` for it. One event of a pack has it.
    fn sends(&mut self, step: &Spanned<String>, parts: &Parts) -> bool {
        if step.value != SEND {
            let message = format!("scenarios have no step `{}` for an event", step.value);
            let diagnostic = Diagnostic::error(Code::ValueWrong, step.at.clone(), message);
            self.report(diagnostic.suggest(nearest(&step.value, [SEND])).help("it is `send`"));
            return false;
        }
        if let Some(other) = parts.events.iter().find(|event| event.sends) {
            let message = format!("the step `send` is that of `{}` already", other.name);
            let diagnostic = Diagnostic::error(Code::NameDuplicate, step.at.clone(), message);
            self.report(diagnostic.related(other.at.clone(), "the other event").help("one event of a pack has it"));
            return false;
        }
        true
    }

    /// What is known where no request is: in events and webhooks.
    pub(super) fn happening_names(&self) -> Names {
        let mut names = Names::default();
        for known in ["now", "records", "tables", "options"] {
            if let Some(kind) = self.common_names().get(known) {
                names.bind(known, kind.clone());
            }
        }
        names
    }

    fn event(&mut self, source: &EventSource, name: &str, clean: bool) -> Option<Event> {
        let title = source.title.as_ref().map_or(&source.at, |title| &title.at);
        let provenance = self.stated_provenance("event", source.docs.as_ref(), source.assumed.as_ref(), title);
        let common = self.happening_names();
        let mut names = common.clone();
        let input = self.parameters(Place::Body, &source.input);
        if let Some(input) = &input {
            names.bind("input", parameters_kind(Place::Body, input, ""));
        }
        let loads = self.loads(&source.load, &mut names, &mut BTreeSet::new());
        let mut guards = Vec::new();
        for guard in &source.guards {
            let require = self.condition(guard.require.as_ref(), &names);
            if let (Some(require), Some(otherwise)) = (require, &guard.otherwise) {
                guards.push(EventGuard { require, otherwise: otherwise.value.clone() });
            }
        }
        let effects = self.effects(&source.effects, &mut names, "");
        if source.effects.is_empty() && clean {
            let at = source.title.as_ref().map_or(&source.at, |title| &title.at).clone();
            let help = "say under `effects` what it changes";
            self.report(Diagnostic::error(Code::KeyMissing, at, "this event changes nothing").help(help));
        }
        let declared = match (&input, &source.input.node) {
            (None, Some(_)) => Declared::Broken,
            (input, _) => Declared::Known(input.as_ref()),
        };
        let schedule = source.schedule.as_ref().and_then(|source| self.schedule(source, &common, declared));
        Some(Event {
            name: name.into(),
            title: source.title.as_ref()?.value.clone(),
            description: source.description.as_ref().map(|text| text.value.clone()),
            provenance,
            input,
            loads,
            guards,
            effects,
            sends: false,
            schedule,
            at: source.at.clone(),
        })
    }
}

//! `schedule` of events: which records they happen to by themselves, when, and with what input.

use serde_json::{Map, Value};

use super::Resolver;
use crate::clock::Span;
use crate::diagnostic::{Code, Diagnostic, Location, all_of, nearest, there_are};
use crate::exchange::child;
use crate::expr::{Kind, Names};
use crate::pack::source::{Key, ScheduleSource, Spanned, Template};
use crate::pack::{Due, Member, Parameter, Parameters, Schedule, Shape};
use crate::schema::Place;

impl Resolver<'_> {
    /// `names` are those that every event knows.
    pub(super) fn schedule(
        &mut self,
        source: &ScheduleSource,
        names: &Names,
        declared: Declared<'_>,
    ) -> Option<Schedule> {
        let resource = source.of.as_ref().and_then(|of| self.resource_named(of));
        let mut own = match resource {
            Some(resource) => self.record_names(resource),
            None => {
                let mut own = Names::default().with("tables", Kind::Any).with("record", Kind::Any);
                own.open();
                own
            }
        };
        let when = self.condition(source.when.as_ref(), &own);
        let due = self.due(source, &own);
        for (name, kind) in names.iter().filter_map(|name| Some((name, names.get(name)?))) {
            own.bind(name, kind.clone());
        }
        let mut members = Some(Vec::new());
        for (key, template) in source.input.iter().flatten() {
            let shape = self.value(template, &own, "");
            if let Declared::Known(declared) = declared {
                self.check_input(key, template, shape.as_ref(), declared);
            }
            members = members.zip(shape).map(|(mut members, shape)| {
                members.push(Member::new(&key.name, shape, false));
                members
            });
        }
        if let Declared::Known(declared) = declared {
            self.check_required(source, declared);
        }
        if source.when.is_some() && when.is_none() {
            return None;
        }
        source.input.as_ref()?;
        let input = Shape::Object(members?);
        Some(Schedule { resource: resource?, when, due: due?, input })
    }

    /// Exactly one of `after` and `at`.
    fn due(&mut self, source: &ScheduleSource, names: &Names) -> Option<Due> {
        match (&source.after, &source.instant) {
            (Some(after), None) => Some(Due::After(self.span("after", after)?)),
            (None, Some(instant)) => {
                let (id, kind) = self.expression(instant, names)?;
                if !Kind::Instant(0).comparable(&kind) {
                    let message = format!("`at` is an instant, not {kind}");
                    let help = "name a timestamp of the record: `= record.expires_at`";
                    self.report(Diagnostic::error(Code::ExprKinds, instant.at(), message).help(help));
                }
                Some(Due::At(id))
            }
            (Some(after), Some(_)) => {
                let message = "a schedule has one of `after` and `at`";
                let diagnostic = Diagnostic::error(Code::ValueWrong, after.at.clone(), message);
                self.report(diagnostic.help("leave out one of the two"));
                None
            }
            (None, None) => {
                let message = "nothing says when this is due";
                let help = "give it `after`, a length of time, or `at`, an instant";
                self.report(Diagnostic::error(Code::KeyMissing, start(&source.at), message).help(help));
                None
            }
        }
    }

    /// A length of time that is more than nothing.
    pub(super) fn span(&mut self, key: &str, text: &Spanned<String>) -> Option<Span> {
        match Span::parse(&text.value) {
            Ok(span) if span.micros() > 0 => Some(span),
            Ok(_) => {
                let message = format!("`{key}` is more than nothing");
                let diagnostic = Diagnostic::error(Code::ValueWrong, text.at.clone(), message);
                self.report(diagnostic.help("write a length of time like 10 seconds"));
                None
            }
            Err(message) => {
                self.error(Code::ValueWrong, &text.at, message);
                None
            }
        }
    }

    /// Whether the event takes what it is given.
    fn check_input(&mut self, key: &Key, template: &Template, shape: Option<&Shape>, declared: Option<&Parameters>) {
        let known = || declared.into_iter().flat_map(|declared| &declared.known);
        let Some(parameter) = known().find(|parameter| parameter.name == key.name) else {
            let names = || known().map(|parameter| parameter.name.as_str());
            let message = format!("the event has no parameter `{}`", key.name);
            let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message)
                .suggest(nearest(&key.name, names()))
                .help(there_are(names()));
            self.report(diagnostic);
            return;
        };
        let wrong = match shape {
            Some(Shape::Value { kind, .. }) => {
                // An instant is written as a text.
                let wanted = scalar(parameter).filter(|wanted| {
                    !wanted.comparable(kind) && (*wanted != Kind::String || !matches!(kind, Kind::Instant(_)))
                });
                wanted.map(|wanted| (Code::ExprKinds, format!("`{}` is {wanted}, and this is {kind}", key.name)))
            }
            Some(Shape::Literal(value)) => {
                let alone = Value::Object(Map::from_iter([(key.name.clone(), value.clone())]));
                let own = child("", &key.name);
                let violations = declared.map(|declared| declared.schema.violations(&alone, Place::Body));
                let mut violations = violations.into_iter().flatten();
                let fault = violations.find(|fault| fault.value.is_some() && fault.pointer.starts_with(&own));
                let words = |words: &str| format!("`{}` does not fit the event: {words}", key.name);
                fault.map(|fault| (Code::ValueWrong, words(&fault.message)))
            }
            _ => None,
        };
        if let Some((code, message)) = wrong {
            self.error(code, &template.at(), message);
        }
    }

    fn check_required(&mut self, source: &ScheduleSource, declared: Option<&Parameters>) {
        let Some(input) = &source.input else { return };
        let given = |name: &str| input.iter().any(|(key, _)| key.name == name);
        let names = declared.into_iter().flat_map(Parameters::required);
        let missing: Vec<&str> = names.filter(|name| !given(name)).collect();
        // A parameter under another name is wrong, not missing.
        let known = |key: &Key| {
            declared.is_some_and(|declared| declared.known.iter().any(|parameter| parameter.name == key.name))
        };
        if missing.is_empty() || input.iter().any(|(key, _)| !known(key)) {
            return;
        }
        let message = format!("the event gets no {}", all_of(missing));
        let help = "give it under `input` of the schedule: it is required";
        self.report(Diagnostic::error(Code::KeyMissing, start(&source.input_at), message).help(help));
    }
}

/// What is known of the input that an event declares.
#[derive(Debug, Clone, Copy)]
pub(super) enum Declared<'p> {
    Known(Option<&'p Parameters>),
    /// It cannot be read, about which enough has been said.
    Broken,
}

/// The kind of a parameter whose schema says that it is a single value.
fn scalar(parameter: &Parameter) -> Option<Kind> {
    match parameter.schema.get("type").and_then(Value::as_str)? {
        "string" => Some(Kind::String),
        "integer" => Some(Kind::Integer),
        "number" => Some(Kind::Number),
        "boolean" => Some(Kind::Boolean),
        _ => None,
    }
}

pub(super) fn start(at: &Location) -> Location {
    Location::new(at.file, at.range.start..at.range.start)
}

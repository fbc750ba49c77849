//! What an operation or event works on and changes: loaded records, the page of a list, effects.

use std::collections::BTreeSet;

use super::Resolver;
use super::operations::turn;
use crate::diagnostic::{Code, Diagnostic, Severity, all_of, nearest};
use crate::expr::{Kind, Names};
use crate::pack::source::{EffectSource, EffectVerb, ListSource, LoadSource, Spanned, Template};
use crate::pack::{Effect, List, Load, ResourceId, Shape, Sort, Turn, Verb};

impl From<EffectVerb> for Verb {
    fn from(verb: EffectVerb) -> Self {
        match verb {
            EffectVerb::Create => Verb::Create,
            EffectVerb::Update => Verb::Update,
            EffectVerb::Delete => Verb::Delete,
        }
    }
}

impl Resolver<'_> {
    /// `late` are the names that are known only once the body fits its schema; loads that look at them are added.
    pub(super) fn loads(
        &mut self,
        sources: &[LoadSource],
        names: &mut Names,
        late: &mut BTreeSet<String>,
    ) -> Vec<Load> {
        let mut loads = Vec::new();
        for source in sources {
            let own = Spanned { value: source.name.name.clone(), at: source.name.at.clone() };
            if source.resource.is_some() {
                self.check_reserved(&own.value, &own.at);
            }
            let resource = self.resource_named(source.resource.as_ref().unwrap_or(&own));
            let id = self.expression(&source.id, names);
            let otherwise = source.otherwise.as_ref().and_then(|error| self.error_named(error));
            match resource {
                Some(resource) => names.bind(source.name.name.clone(), self.record_kind(resource)),
                None => {
                    names.bind(source.name.name.clone(), Kind::Any);
                    names.open();
                }
            }
            let by = match (resource, &source.by) {
                (Some(resource), Some(by)) => match self.load_by(resource, by) {
                    Some(field) => Some(field),
                    None => continue,
                },
                _ => None,
            };
            if let (Some(resource), Some((_, kind))) = (resource, &id) {
                let known = &self.resources[resource.0];
                let field = known.fields.get(by.unwrap_or(known.id)).filter(|field| field.sort == Sort::Uuid);
                if let Some(field) = field.filter(|_| !Kind::String.comparable(kind)) {
                    let message = match by {
                        Some(_) => format!("`{}` of `{}` is a uuid, and this is {kind}", field.name, known.name),
                        None => format!("the id of `{}` is a uuid, and this is {kind}", known.name),
                    };
                    self.error(Code::ExprKinds, &source.id.at(), message);
                }
            }
            if let (Some(resource), Some((id, _))) = (resource, id) {
                let by = by.map(|field| self.found_by(resource, field));
                let turn = turn(&source.id, late);
                if turn == Turn::AfterBody {
                    late.insert(source.name.name.clone());
                }
                loads.push(Load {
                    name: source.name.name.as_str().into(),
                    resource,
                    id,
                    by,
                    otherwise,
                    optional: source.optional,
                    turn,
                    at: source.name.at.clone(),
                });
            }
        }
        loads
    }

    /// The field that a record is loaded by in place of its id.
    fn load_by(&mut self, resource: ResourceId, by: &Spanned<String>) -> Option<usize> {
        let field = self.field_named(resource, by)?;
        let known = &self.resources[resource.0];
        let sort = known.fields[field].sort;
        if field == known.id {
            let message = format!("`{}` is the id of `{}`, which records are loaded by anyway", by.value, known.name);
            self.report(Diagnostic::error(Code::ValueWrong, by.at.clone(), message).help("leave `by` out"));
            return None;
        }
        if !matches!(sort, Sort::Uuid | Sort::String | Sort::Integer) {
            let kept = sort.name();
            let message =
                format!("records are loaded by a uuid, a string or an integer, and `{}` is of type {kept}", by.value);
            self.error(Code::ValueWrong, &by.at, message);
            return None;
        }
        Some(field)
    }

    /// Has records found by this field; the field's place among the look-ups of its resource.
    pub(super) fn found_by(&mut self, resource: ResourceId, field: usize) -> usize {
        let lookups = &mut self.resources[resource.0].lookups;
        lookups.iter().position(|known| *known == field).unwrap_or_else(|| {
            lookups.push(field);
            lookups.len() - 1
        })
    }

    pub(super) fn list(&mut self, source: &ListSource, names: &mut Names) -> Option<List> {
        let from = self.resource_named(&source.from)?;
        let record = self.record_kind(from);
        let inner = names.with("record", record.clone());
        let only = self.condition(source.only.as_ref(), &inner);
        let mut number = |template: Option<&Template>| Some(self.expression(template?, names)?.0);
        let list = List {
            from,
            only,
            number: number(source.number.as_ref()),
            size: number(source.size.as_ref()),
            sort: number(source.sort.as_ref()),
            descending: number(source.descending.as_ref()),
            first: source.first,
            at: source.at.clone(),
        };
        let counts = ["number", "size", "total", "last", "from", "to"].map(|name| (name.to_owned(), Kind::Integer));
        let records = ("records".to_owned(), Kind::List(Box::new(record)));
        names.bind("page", Kind::object("the page", counts.into_iter().chain([records]).collect()));
        Some(list)
    }

    pub(super) fn effects(&mut self, sources: &[EffectSource], names: &mut Names, folder: &str) -> Vec<Effect> {
        sources.iter().filter_map(|source| self.effect(source, names, folder)).collect()
    }

    fn effect(&mut self, source: &EffectSource, names: &mut Names, folder: &str) -> Option<Effect> {
        let when = self.condition(source.when.as_ref(), names);
        let resource = match source.verb {
            EffectVerb::Create => match self.resource_named(&source.target) {
                Some(resource) => resource,
                None => {
                    names.open();
                    return None;
                }
            },
            EffectVerb::Update | EffectVerb::Delete => match names.get(&source.target.value).map(Kind::resource) {
                Some(Some(resource)) => ResourceId(resource),
                Some(None) if names.get(&source.target.value) == Some(&Kind::Any) && names.is_open() => return None,
                found => {
                    let records =
                        names.iter().filter(|name| names.get(name).is_some_and(|kind| kind.resource().is_some()));
                    let meant = nearest(&source.target.value, records);
                    if found.is_none() && meant.is_none() && names.is_open() {
                        return None;
                    }
                    let message = match found {
                        None => format!("`{}` is not in scope here", source.target.value),
                        Some(_) => format!("`{}` is not a record", source.target.value),
                    };
                    let help = "an effect changes a record that `load` or `auth` has found";
                    let diagnostic = Diagnostic::error(Code::ExprUnknownName, source.target.at.clone(), message);
                    self.report(diagnostic.suggest(meant).help(help));
                    return None;
                }
            },
        };
        let mut set = Vec::new();
        for (key, template) in &source.set {
            let name = Spanned { value: key.name.clone(), at: key.at.clone() };
            let field = self.field_named(resource, &name);
            if let (Some(field), Some(shape)) = (field, self.value(template, names, folder)) {
                self.check_set(resource, field, &shape, template, names);
                set.push((field, shape));
            }
        }
        let mut unset = Vec::new();
        for name in &source.unset {
            let Some(field) = self.field_named(resource, name) else { continue };
            if !self.resources[resource.0].fields[field].optional {
                let message = format!("`{}` cannot be absent", name.value);
                let help = "mark the field `optional`, or `set` it to null";
                self.report(Diagnostic::error(Code::ValueWrong, name.at.clone(), message).help(help));
            }
            unset.push(field);
        }
        if source.verb == EffectVerb::Create {
            self.check_complete(resource, source);
        }
        if source.verb == EffectVerb::Update && source.set.is_empty() && source.unset.is_empty() {
            let message = "this update changes nothing";
            let diagnostic = Diagnostic::error(Code::KeyMissing, source.target.at.clone(), message);
            self.report(diagnostic.help("say under `set` or `unset` what changes"));
        }
        if let Some(name) = &source.name {
            self.check_reserved(&name.value, &name.at);
        }
        let name = source.name.as_ref().unwrap_or(&source.target).value.clone();
        if source.verb == EffectVerb::Create {
            names.bind(name.clone(), self.record_kind(resource));
        }
        Some(Effect {
            verb: source.verb.into(),
            resource,
            name: name.into(),
            when,
            set,
            unset,
            at: source.target.at.clone(),
        })
    }

    /// Whether a new record gets every field that it needs.
    fn check_complete(&mut self, resource: ResourceId, source: &EffectSource) {
        let known = &self.resources[resource.0];
        let set =
            |name: &str| source.set.iter().any(|(key, _)| key.name == name || nearest(&key.name, [name]).is_some());
        let made = |index: usize, sort: Sort| index == known.id && matches!(sort, Sort::Uuid | Sort::Integer);
        let missing: Vec<&str> = known
            .fields
            .iter()
            .enumerate()
            .filter(|(index, field)| !field.optional && field.default.is_none() && !made(*index, field.sort))
            .map(|(_, field)| &*field.name)
            .filter(|name| !set(name))
            .collect();
        // A field under another name is wrong, not missing.
        let misnamed = source.set.iter().any(|(key, _)| known.field(&key.name).is_none());
        if !missing.is_empty() && !misnamed {
            let message = format!("a new `{}` gets no {}", known.name, all_of(missing));
            let help = "set it, or give the field a `default`, or mark it `optional`";
            self.report(Diagnostic::error(Code::KeyMissing, source.target.at.clone(), message).help(help));
        }
    }

    /// Whether a field can hold what is known of a value.
    pub(super) fn check_set(
        &mut self,
        resource: ResourceId,
        field: usize,
        shape: &Shape,
        template: &Template,
        names: &Names,
    ) {
        let field = &self.resources[resource.0].fields[field];
        let wanted = field.kind();
        let fits = match shape {
            Shape::Value { kind, .. } => wanted.comparable(kind),
            Shape::Literal(value) if field.sort == Sort::Timestamp => value.is_null(),
            Shape::Literal(value) => field.check(value).is_ok(),
            Shape::List(_) => field.sort == Sort::Json,
            Shape::Object(_) => matches!(field.sort, Sort::Json | Sort::Object),
            _ => true,
        };
        if fits {
            return;
        }
        let (message, help) = match shape {
            Shape::Value { kind, .. } => (format!("`{}` is {wanted}, and this is {kind}", field.name), None),
            Shape::Literal(value) => {
                let help = match value.as_str() {
                    Some(text) if super::shapes::in_marks(text).is_some() || super::shapes::reads(text, names) => {
                        Some("an expression begins with `=`")
                    }
                    _ if wanted == Kind::Instant(field.format) => {
                        Some("an instant is made by an expression: `= now`, or `= \"2024-10-01T17:15:12Z\"|instant`")
                    }
                    _ => None,
                };
                (format!("`{}` is of type {}, and {value} is not", field.name, field.sort.name()), help)
            }
            _ => (format!("`{}` is of type {}, and this is not", field.name, field.sort.name()), None),
        };
        let at = template.at();
        // Said once is enough.
        self.diagnostics.retain(|other| other.severity == Severity::Error || other.location.as_ref() != Some(&at));
        let mut diagnostic = Diagnostic::error(Code::ExprKinds, at, message);
        diagnostic.help = help.map(str::to_owned);
        self.report(diagnostic);
    }
}

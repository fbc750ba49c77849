//! From examples and `show` to shapes.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Resolver;
use super::plan::{At, Plan, Shown};
use crate::diagnostic::{Code, Diagnostic, all_of, nearest};
use crate::exchange;
use crate::expr::{self, ExprId, Kind, Names};
use crate::pack::source::{Key, LikeSource, ShownSource, Template};
use crate::pack::{Each, Member, ResourceId, Shape, Sort};

/// What the keys of an example are looked up in, besides `show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Nothing,
    Record(ResourceId),
    Json,
}

fn unfilled(pointer: &str) -> String {
    match pointer {
        "" => "nothing fills the example".to_owned(),
        pointer => format!("nothing fills `{pointer}`"),
    }
}

/// Every pointer into an example, with `*` for the items of lists.
pub(super) fn patterns(value: &Value, pointer: &str, out: &mut Vec<String>) {
    let mut add = |key: &str, value: &Value| {
        let at = exchange::child(pointer, key);
        if !out.contains(&at) {
            out.push(at.clone());
        }
        patterns(value, &at, out);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| add(key, value)),
        Value::Array(items) => items.iter().for_each(|item| add("*", item)),
        _ => {}
    }
}

/// Whether a text was probably meant to be evaluated: a path such as `body.name` whose first name is in scope, or the
/// call of a function that there is.
pub(super) fn is_expression(text: &str, names: &Names) -> bool {
    let word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let path = || {
        let first = text.split('.').next().unwrap_or_default();
        text.contains('.') && text.split('.').all(word) && names.get(first).is_some()
    };
    let call = || text.ends_with(')') && text.split('(').next().is_some_and(word);
    (path() || call()) && expr::check(text, names).1.is_empty()
}

/// Whether a text is an expression about something that is in scope.
pub(super) fn reads(text: &str, names: &Names) -> bool {
    !expr::mentioned(text).is_empty() && expr::check(text, names).1.is_empty()
}

/// The expression in a text that is written as templates of other tools are: `{{ body.name }}`, `${body.name}`.
pub(super) fn in_marks(text: &str) -> Option<&str> {
    let inner = |open: &str, close: &str| text.trim().strip_prefix(open)?.strip_suffix(close);
    inner("{{", "}}").or_else(|| inner("${", "}")).map(str::trim)
}

impl Resolver<'_> {
    /// The shape of an example in which `show` says where values come from.
    pub(super) fn like(
        &mut self,
        like: &LikeSource,
        whole: Option<&Template>,
        shows: &[(Key, Template)],
        names: &Names,
        folder: &str,
    ) -> Option<Shape> {
        let (path, actual, example) = self.laid(like, folder)?;
        let mut plan = Plan::new(path, shows, folder, like.ignore_case);
        let at = At { pattern: Vec::new(), actual };
        let before = self.diagnostics.len();
        let shape = match whole {
            Some(template) => self.template(&mut plan, template, Some(&example), &at, names),
            None => self.node(&mut plan, &example, &at, Context::Nothing, names),
        };
        self.unused(&plan, &example, before);
        shape
    }

    /// An example with others laid over it: its file, the place in that file, and what it says.
    pub(super) fn laid(&mut self, like: &LikeSource, folder: &str) -> Option<(String, Vec<String>, Value)> {
        let (path, mut actual, mut example) = self.part(&like.example, folder)?;
        for (key, fragment) in &like.lay {
            let (_, _, part) = self.part(fragment, folder)?;
            match example.pointer_mut(&key.name) {
                Some(place) => *place = part,
                None => {
                    let message = format!("`{}` has nothing at `{}`", like.example.value, key.name);
                    self.error(Code::ShapeTarget, &key.at, message);
                    return None;
                }
            }
            // What the fragment brings cannot be pointed at in the file below it.
            actual.truncate(0);
        }
        Some((path, actual, example))
    }

    /// A value that is made from no example.
    pub(super) fn value(&mut self, template: &Template, names: &Names, folder: &str) -> Option<Shape> {
        let mut plan = Plan::new(String::new(), &[], folder, false);
        self.template(&mut plan, template, None, &At::default(), names)
    }

    /// What is shown and has no place in the example. That nothing fills the place that was meant is no news then;
    /// `before` is how many diagnostics there were before the example was walked.
    pub(super) fn unused(&mut self, plan: &Plan<'_>, example: &Value, before: usize) {
        // What could not be made was not looked at either.
        let broken = self.diagnostics[before..].iter().any(|diagnostic| diagnostic.code != Code::ShapeUnfilled);
        for shown in plan.shows.iter().filter(|shown| !shown.used) {
            if example.pointer(&shown.pointer().replace("/*", "/0")).is_some() {
                if !broken && !self.failed() {
                    let message = format!("another value fills all that is around `{}`", shown.pointer());
                    let diagnostic = Diagnostic::error(Code::ShapeTarget, shown.at.clone(), message);
                    self.report(diagnostic.help("show the parts of that value one by one, or leave this out"));
                }
                continue;
            }
            let mut known = Vec::new();
            patterns(example, "", &mut known);
            self.nowhere("the example has no", shown, &known, before);
        }
    }

    pub(super) fn nowhere(&mut self, what: &str, shown: &Shown<'_>, known: &[String], before: usize) {
        let pointer = shown.path();
        let last = pointer.rsplit('/').next().unwrap_or_default();
        let same = |place: &&String| place.rsplit('/').next() == Some(last);
        let meant = nearest(&pointer, known.iter().map(String::as_str)).or_else(|| known.iter().find(same).cloned());
        if let Some(meant) = &meant {
            let itself = unfilled(meant);
            let below = format!("nothing fills `{meant}/");
            let follows = |found: &Diagnostic| {
                found.code == Code::ShapeUnfilled && (found.message == itself || found.message.starts_with(&below))
            };
            let old = self.diagnostics.split_off(before);
            self.diagnostics.extend(old.into_iter().filter(|diagnostic| !follows(diagnostic)));
        }
        let mark = if shown.optional { "?" } else { "" };
        let message = format!("{what} `{}`, and what it does not have is not sent", shown.written());
        let diagnostic = Diagnostic::error(Code::ShapeTarget, shown.at.clone(), message);
        let diagnostic = diagnostic.suggest(meant.map(|meant| shown.spelt(&meant) + mark));
        self.report(diagnostic.help("show what the example has: it is never edited"));
    }

    pub(super) fn node(
        &mut self,
        plan: &mut Plan<'_>,
        example: &Value,
        at: &At,
        context: Context,
        names: &Names,
    ) -> Option<Shape> {
        if let Some((template, _)) = plan.exact(at) {
            return self.template(plan, template, Some(example), at, names);
        }
        match example {
            Value::Object(object) => self.object(plan, object, at, context, names),
            Value::Array(items) if plan.below(at) => {
                let items = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.node(plan, item, &at.item(&index.to_string()), context, names));
                Some(Shape::List(items.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?))
            }
            constant => self.constant(plan, constant, at, context),
        }
    }

    fn object(
        &mut self,
        plan: &mut Plan<'_>,
        object: &Map<String, Value>,
        at: &At,
        context: Context,
        names: &Names,
    ) -> Option<Shape> {
        let mut members = Vec::new();
        let mut complete = true;
        for (key, child) in object {
            match self.member(plan, key, child, &at.key(key), context, names) {
                Some(member) => members.push(member),
                None => complete = false,
            }
        }
        complete.then_some(Shape::Object(members))
    }

    fn member(
        &mut self,
        plan: &mut Plan<'_>,
        key: &str,
        child: &Value,
        at: &At,
        context: Context,
        names: &Names,
    ) -> Option<Member> {
        let member = |shape: Shape, optional: bool| Member::new(key, shape, optional);
        if let Some((template, optional)) = plan.exact(at) {
            return Some(member(self.template(plan, template, Some(child), at, names)?, optional));
        }
        let inner = child.as_object().filter(|object| !object.is_empty());
        match context {
            Context::Record(resource) => {
                let found = self.resources[resource.0]
                    .spelled(key, plan.ignore_case)
                    .map(|(index, field)| (index, field.sort, field.optional));
                if let Some((index, sort, optional)) = found {
                    let shape = match inner {
                        Some(object) if sort == Sort::Object || plan.below(at) => Shape::Inside {
                            of: Box::new(Shape::Field(index)),
                            inner: Box::new(self.object(plan, object, at, Context::Json, names)?),
                        },
                        _ => Shape::Field(index),
                    };
                    return Some(member(shape, optional));
                }
            }
            // Any key may be a member here, so only a constant that names the very place is one.
            Context::Json if self.constants.iter().any(|constant| constant.value == at.pointer()) => {
                return Some(member(self.constant(plan, child, at, context)?, false));
            }
            Context::Json => {
                let of = Shape::Member { name: key.to_owned(), ignore_case: plan.ignore_case };
                let shape = match inner {
                    Some(object) => Shape::Inside {
                        of: Box::new(of),
                        inner: Box::new(self.object(plan, object, at, Context::Json, names)?),
                    },
                    None => of,
                };
                return Some(member(shape, true));
            }
            Context::Nothing => {}
        }
        if inner.is_some() || plan.below(at) {
            return Some(member(self.node(plan, child, at, context, names)?, false));
        }
        Some(member(self.constant(plan, child, at, context)?, false))
    }

    /// A part of the example that nothing fills: declared to be constant, or a mistake.
    fn constant(&mut self, plan: &Plan<'_>, value: &Value, at: &At, context: Context) -> Option<Shape> {
        let pointer = at.pointer();
        let key = at.pattern.last().map_or("", String::as_str);
        if let Some(constant) =
            self.constants.iter().find(|constant| constant.value == pointer || constant.value == key)
        {
            self.used_constants.insert(constant.value.clone());
            return Some(Shape::Literal(value.clone()));
        }
        let place = self.json_place(&plan.path, &at.actual);
        let mut diagnostic = Diagnostic::error(Code::ShapeUnfilled, place, unfilled(&pointer));
        if let Context::Record(resource) = context {
            let resource = &self.resources[resource.0];
            let fields: Vec<&str> = resource.fields.iter().map(|field| &*field.name).collect();
            diagnostic = diagnostic.suggest(nearest(key, fields.iter().copied()));
            let help = format!("`{}` has {}; or give `{pointer}` under `show`", resource.name, all_of(fields));
            self.report(diagnostic.help(help));
        } else {
            let help = format!("give `{pointer}` under `show`, or list `{key}` under `constants` in pack.yaml");
            self.report(diagnostic.help(help));
        }
        None
    }

    fn template(
        &mut self,
        plan: &mut Plan<'_>,
        template: &Template,
        example: Option<&Value>,
        at: &At,
        names: &Names,
    ) -> Option<Shape> {
        match template {
            Template::Literal(literal) => {
                if let Some(text) = literal.value.as_str()
                    && (is_expression(text, names) || in_marks(text).is_some())
                {
                    let message = format!("`{text}` is sent as this very text");
                    let diagnostic = Diagnostic::warning(Code::ValueWrong, literal.at.clone(), message);
                    let inner = in_marks(text).map(|inner| format!("= {inner}"));
                    self.report(diagnostic.suggest(inner).help("an expression begins with `=`"));
                }
                Some(Shape::Literal(literal.value.clone()))
            }
            Template::List(items, _) => {
                let items: Vec<_> = items.iter().map(|item| self.template(plan, item, None, at, names)).collect();
                Some(Shape::List(items.into_iter().collect::<Option<_>>()?))
            }
            Template::Map(members, _) => {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, optional, template)| {
                        let child = example.and_then(|example| example.get(&key.name));
                        let shape = self.template(plan, template, child, &at.key(&key.name), names)?;
                        Some(Member::new(&key.name, shape, *optional))
                    })
                    .collect();
                Some(Shape::Object(members.into_iter().collect::<Option<_>>()?))
            }
            Template::Expression { .. } => {
                let (expr, kind) = self.expression(template, names)?;
                if let Some(resource) = kind.resource().map(ResourceId) {
                    let inner = self.record(plan, resource, example, at, &names.with("record", kind))?;
                    return Some(Shape::record(expr, "record".into(), resource, inner));
                }
                if let Kind::List(item) = &kind
                    && let Some(resource) = item.resource().map(ResourceId)
                {
                    let first = example.and_then(|example| example.get(0));
                    let item =
                        self.record(plan, resource, first, &at.item("0"), &names.with("record", (**item).clone()))?;
                    return Some(Shape::Each(Box::new(Each {
                        over: expr,
                        name: "record".into(),
                        resource: Some(resource),
                        with: Vec::new(),
                        only: None,
                        key: None,
                        gather: false,
                        bare: item.is_bare(),
                        item,
                    })));
                }
                Some(Shape::Value { expr, kind })
            }
            Template::Shown(shown) => self.shown(plan, shown, example, at, names),
        }
    }

    fn record(
        &mut self,
        plan: &mut Plan<'_>,
        resource: ResourceId,
        example: Option<&Value>,
        at: &At,
        names: &Names,
    ) -> Option<Shape> {
        match example {
            Some(Value::Object(object)) => self.object(plan, object, at, Context::Record(resource), names),
            _ => Some(Shape::Fields),
        }
    }

    fn shown(
        &mut self,
        plan: &mut Plan<'_>,
        shown: &ShownSource,
        example: Option<&Value>,
        at: &At,
        names: &Names,
    ) -> Option<Shape> {
        let (over, kind) = self.expression(&shown.over, names)?;
        let item_kind = match (&kind, shown.each) {
            (_, false) => kind.clone(),
            (Kind::List(item), true) => (**item).clone(),
            (Kind::Any, true) => Kind::Any,
            (Kind::Object(_), true) => Kind::String,
            (other, true) => {
                self.error(Code::ExprKinds, &shown.over.at(), format!("`each` goes over a list, not {other}"));
                return None;
            }
        };
        let name: Arc<str> = shown.name.as_ref().map_or("record", |name| &name.value).into();
        let resource = item_kind.resource().map(ResourceId);
        let mut names = names.with(name.to_string(), item_kind);
        let with = self.with(&shown.with, &mut names)?;
        let only = match &shown.only {
            Some(only) => Some(self.expression(only, &names)?.0),
            None => None,
        };
        let key = match &shown.key {
            Some(key) => Some(self.expression(key, &names)?.0),
            None => None,
        };
        let element = match (example, shown.each) {
            (Some(Value::Array(items)), true) => items.first().map(|item| (item, at.item("0"))),
            (Some(Value::Object(object)), true) => object.iter().next().map(|(key, item)| (item, at.item(key))),
            (example, _) => example.map(|example| (example, at.clone())),
        };
        let item = self.item(plan, shown, resource, element, &names)?;
        if !shown.each {
            return match resource {
                Some(resource) => Some(Shape::record(over, name, resource, item)),
                None => {
                    let message = "`of` takes a record".to_owned();
                    self.error(Code::ExprKinds, &shown.over.at(), message);
                    None
                }
            };
        }
        let gather = shown.values.is_some();
        let bare = only.is_none() && key.is_none() && item.is_bare();
        Some(Shape::Each(Box::new(Each { over, name, resource, with, only, key, gather, item, bare })))
    }

    /// Names for the items of a list; each sees those above it.
    pub(super) fn with(&mut self, with: &[(Key, Template)], names: &mut Names) -> Option<Vec<(Arc<str>, ExprId)>> {
        let mut made = Some(Vec::new());
        for (key, template) in with {
            let value = match template {
                Template::Expression { .. } => self.expression(template, names),
                _ => {
                    self.error(Code::KindWrong, &template.at(), format!("`{}` is an expression: `= …`", key.name));
                    None
                }
            };
            names.bind(&key.name, value.as_ref().map_or(Kind::Any, |(_, kind)| kind.clone()));
            made = made.zip(value).map(|(mut made, (expr, _))| {
                made.push((key.name.as_str().into(), expr));
                made
            });
        }
        made
    }

    fn item(
        &mut self,
        plan: &mut Plan<'_>,
        shown: &ShownSource,
        resource: Option<ResourceId>,
        element: Option<(&Value, At)>,
        names: &Names,
    ) -> Option<Shape> {
        if let Some(value) = shown.value.as_ref().or(shown.values.as_ref()) {
            return self.template(plan, value, None, &At::default(), names);
        }
        let context = resource.map_or(Context::Nothing, Context::Record);
        if let Some(choice) = &shown.shape {
            return self.choice(plan, choice, &shown.show, context, names);
        }
        if let Some(like) = &shown.like {
            let (path, actual, example) = self.part(&like.example, plan.folder)?;
            return self.inner_plan(path, actual, &example, &shown.show, context, names, plan.folder, like.ignore_case);
        }
        match element {
            Some((example, at)) if !shown.show.is_empty() => {
                let path = plan.path.clone();
                self.inner_plan(path, at.actual, example, &shown.show, context, names, plan.folder, plan.ignore_case)
            }
            Some((example, at)) => self.node(plan, example, &at, context, names),
            None if shown.show.is_empty() => Some(Shape::Fields),
            None => {
                let members: Vec<_> = shown
                    .show
                    .iter()
                    .map(|(key, template)| {
                        let shape = self.template(plan, template, None, &At::default(), names)?;
                        Some(Member::new(&key.name, shape, false))
                    })
                    .collect();
                Some(Shape::Object(members.into_iter().collect::<Option<_>>()?))
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn inner_plan(
        &mut self,
        path: String,
        actual: Vec<String>,
        example: &Value,
        shows: &[(Key, Template)],
        context: Context,
        names: &Names,
        folder: &str,
        ignore_case: bool,
    ) -> Option<Shape> {
        let mut plan = Plan::new(path, shows, folder, ignore_case);
        let at = At { pattern: Vec::new(), actual };
        let before = self.diagnostics.len();
        let shape = self.node(&mut plan, example, &at, context, names);
        self.unused(&plan, example, before);
        shape
    }
}

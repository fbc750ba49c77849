//! Values: written out, or expressions.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Reader, Story};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{self, ExprId, Kind, Names};
use crate::pack::source::{Key, Node, NodeKind, told, wrong_kind};
use crate::scenario::Value;

/// An expression in a text: what stands behind `=`, and how many bytes stand before it. `==` begins a text that begins with
/// `=`.
pub(super) fn expression_in(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix('=').filter(|rest| !rest.starts_with('='))?;
    let expression = rest.trim_start();
    Some((expression.trim_end(), text.len() - expression.len()))
}

/// A text that is no expression, as it is meant.
fn literal(text: &str) -> &str {
    if text.starts_with("==") { &text[1..] } else { text }
}

impl Story<'_, '_> {
    /// A value and what is known of it.
    pub(super) fn value(&mut self, node: &Node, names: &Names) -> Option<(Value, Kind)> {
        match &node.kind {
            NodeKind::String(text) => {
                let Some((expression, offset)) = expression_in(text) else {
                    return Some((Value::Written(literal(text).into()), Kind::String));
                };
                let (id, kind) = self.expression(node, expression, offset, names)?;
                Some(match kind {
                    Kind::Instant(_) => (Value::Instant(id), Kind::String),
                    Kind::Span => (Value::Span(id), Kind::String),
                    kind => (Value::Expression(id), kind),
                })
            }
            NodeKind::List(items) => {
                let values: Vec<_> = items.iter().map(|item| self.value(item, names)).collect();
                let (values, kinds): (Vec<Value>, Vec<Kind>) =
                    values.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
                let kind = kinds.into_iter().reduce(Kind::or).unwrap_or(Kind::Any);
                Some((together(values), Kind::List(Box::new(kind))))
            }
            NodeKind::Map(members) => Some((self.mapping(members, names)?, Kind::map("an object", Kind::Any))),
            other => Some((Value::Written(node.to_json()), scalar(other))),
        }
    }

    pub(super) fn mapping(&mut self, members: &[(Key, Node)], names: &Names) -> Option<Value> {
        let values: Vec<_> =
            members.iter().map(|(key, node)| Some((key.name.clone(), self.value(node, names)?.0))).collect();
        let values = values.into_iter().collect::<Option<Vec<(String, Value)>>>()?;
        let written: Option<Map<String, Json>> =
            values.iter().map(|(name, value)| Some((name.clone(), value.written()?.clone()))).collect();
        Some(written.map_or(Value::Map(values), |written| Value::Written(Json::Object(written))))
    }

    /// Values by free names: parameters, fields.
    pub(super) fn named_values(&mut self, members: &[(Key, Node)], names: &Names) -> Vec<(Arc<str>, Value)> {
        let mut values = Vec::new();
        for (key, node) in members {
            values.extend(self.value(node, names).map(|(value, _)| (key.name.as_str().into(), value)));
        }
        values
    }

    /// Compiles an expression, or reports what is wrong with it.
    fn expression(&mut self, node: &Node, text: &str, offset: usize, names: &Names) -> Option<(ExprId, Kind)> {
        self.texts.push(text.to_owned());
        let (kind, faults) = expr::check(text, names);
        if faults.is_empty() {
            return Some((self.expressions.expression(text), kind));
        }
        for fault in faults {
            let diagnostic = match self.not_yet(&fault, node, offset, text) {
                Some(diagnostic) => diagnostic,
                None => told(fault, node, offset, text, self.reader.sources.text(node.at.file)),
            };
            self.reader.report(diagnostic);
        }
        None
    }

    /// An expression that is true or false, and not always the same.
    pub(super) fn condition(&mut self, node: &Node, names: &Names) -> Option<ExprId> {
        let Some(text) = node.as_str() else {
            wrong_kind(node, "what must hold is an expression", &mut self.reader.diagnostics);
            return None;
        };
        let Some((expression, offset)) = expression_in(text) else {
            let diagnostic = Diagnostic::error(Code::KindWrong, node.at.clone(), "an expression is needed here");
            self.reader.report(
                diagnostic.help(format!("an expression begins with `=`: `= {}`", text.trim_start_matches('='))),
            );
            return None;
        };
        let (id, kind) = self.expression(node, expression, offset, names)?;
        let at = || node.part(offset..offset + expression.len());
        if expr::mentioned(expression).is_empty() {
            let message = format!("`{expression}` is the same whatever happens");
            let help = "say something about `response`, about what was kept, or about `call` where something arrived";
            self.reader.report(Diagnostic::error(Code::ValueWrong, at(), message).help(help));
            return None;
        }
        if !matches!(kind, Kind::Boolean | Kind::Any) {
            let message = format!("this is {kind}, and what must hold is true or false");
            let help = "compare it with something, such as `… == 1`, or ask whether it `is defined`";
            self.reader.report(Diagnostic::error(Code::ExprKinds, at(), message).help(help));
            return None;
        }
        Some(id)
    }
}

impl Reader<'_> {
    /// A value that is written out, such as a row of a table.
    pub(super) fn written(&mut self, node: &Node, what: &str) -> Option<Json> {
        match &node.kind {
            NodeKind::String(text) if expression_in(text).is_some() => {
                let message = format!("{what} is written out, and this is an expression");
                let help = "a text that begins with `=` is written with `==`";
                self.report(Diagnostic::error(Code::ValueWrong, node.at.clone(), message).help(help));
                None
            }
            NodeKind::String(text) => Some(literal(text).into()),
            NodeKind::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.written(item, what)).collect();
                items.into_iter().collect::<Option<Vec<Json>>>().map(Json::Array)
            }
            NodeKind::Map(members) => {
                let members: Vec<_> =
                    members.iter().map(|(key, node)| Some((key.name.clone(), self.written(node, what)?))).collect();
                members.into_iter().collect::<Option<Map<String, Json>>>().map(Json::Object)
            }
            _ => Some(node.to_json()),
        }
    }
}

/// A list of values, written out where all of them are.
pub(super) fn together(values: Vec<Value>) -> Value {
    let written: Option<Vec<Json>> = values.iter().map(|value| value.written().cloned()).collect();
    written.map_or(Value::List(values), |items| Value::Written(Json::Array(items)))
}

fn scalar(kind: &NodeKind) -> Kind {
    match kind {
        NodeKind::Boolean(_) => Kind::Boolean,
        NodeKind::Number(number) if number.is_f64() => Kind::Number,
        NodeKind::Number(_) => Kind::Integer,
        _ => Kind::Any,
    }
}

/// What is known of a member of a row, from its value in one of them.
pub(super) fn kind_of(value: &Json) -> Kind {
    match value {
        Json::Null => Kind::Any,
        Json::Bool(_) => Kind::Boolean,
        Json::Number(number) if number.is_f64() => Kind::Number,
        Json::Number(_) => Kind::Integer,
        Json::String(_) => Kind::String,
        Json::Array(_) => Kind::List(Box::new(Kind::Any)),
        Json::Object(_) => Kind::map("an object", Kind::Any),
    }
}

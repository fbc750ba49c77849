use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::clock::{Instant, Span};
use crate::expr::{EvalFault, ExprId, Program, Scope};

/// A value of a scenario: written out, or made from what is known when its step has its turn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Holds no expression.
    Written(Json),
    Expression(ExprId),
    /// An expression whose value is an instant, which is written as RFC 3339 has it.
    Instant(ExprId),
    /// An expression whose value is a length of time, which is written as people do: `7d`.
    Span(ExprId),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// What expressions of a scenario are evaluated with.
pub(crate) struct Known<'a> {
    pub(crate) program: &'a Arc<Program>,
    pub(crate) scope: Scope,
}

impl Value {
    /// The value in JSON. The error says which expression has none.
    pub(crate) fn json(&self, known: &Known<'_>) -> Result<Json, EvalFault> {
        match self {
            Value::Written(json) => Ok(json.clone()),
            Value::Expression(id) => known.json(*id),
            Value::Instant(id) => Ok(match known.json(*id)?.as_i64().map(Instant::from_micros) {
                Some(instant) => Json::String(instant.to_string()),
                None => Json::Null,
            }),
            Value::Span(id) => Ok(match known.json(*id)?.as_i64().map(Span::from_micros) {
                Some(span) => Json::String(span.to_string()),
                None => Json::Null,
            }),
            Value::List(items) => items.iter().map(|item| item.json(known)).collect(),
            Value::Map(members) => members
                .iter()
                .map(|(name, value)| Ok((name.clone(), value.json(known)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Json::Object),
        }
    }

    /// The value as text of a URL or a header: a string as it is, everything else as JSON.
    pub(crate) fn text(&self, known: &Known<'_>) -> Result<String, EvalFault> {
        Ok(match self.json(known)? {
            Json::String(text) => text,
            other => other.to_string(),
        })
    }

    /// Whether it is the same whatever has happened.
    pub(crate) fn written(&self) -> Option<&Json> {
        match self {
            Value::Written(json) => Some(json),
            _ => None,
        }
    }
}

impl Known<'_> {
    /// The value of an expression; one that is undefined is an error.
    pub(crate) fn json(&self, id: ExprId) -> Result<Json, EvalFault> {
        let value = self.program.eval(id, &self.scope, self.program.text(id))?;
        value.to_json().ok_or_else(|| EvalFault {
            expression: self.program.text(id).to_owned(),
            message: "it is undefined".to_owned(),
        })
    }

    /// Whether a condition holds.
    pub(crate) fn holds(&self, id: ExprId) -> Result<bool, EvalFault> {
        self.program.holds(id, &self.scope)
    }
}

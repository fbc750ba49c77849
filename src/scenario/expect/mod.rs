//! What an answer must be, held against what came. Pure: everything that is wrong is told at once.
//!
//! Start with [`answer`], [`received`] and [`nearest`].

mod body;
mod called;
mod nearest;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use serde_json::{Map, Value as Json};

use super::{Expect, Known, Miss, Status, Value};
use crate::diagnostic::shortened;
use crate::expr::{self, EvalFault, ExprId};

pub(crate) use called::{Arrived, From, received};
pub(crate) use nearest::nearest;

/// The most that is kept of a value. What is shown of it is less, and is cut off when secrets are out of it.
const KEPT: usize = 1 << 16;

const OPERATION: &str = "standin-operation";
const CONTRACT: &str = "standin-contract";

/// An answer as it came.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    json: Option<Arc<Json>>,
}

impl Answer {
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Bytes) -> Self {
        let json = serde_json::from_slice(&body).ok().map(Arc::new);
        Answer { status, headers, body, json }
    }

    /// The body, where it is JSON.
    pub(crate) fn json(&self) -> Option<&Arc<Json>> {
        self.json.as_ref()
    }

    /// `response` of expressions: `status`, `headers` by their names in small letters, `body` (JSON, else null), `text`.
    pub(crate) fn value(&self) -> expr::Value {
        members(vec![
            ("status", expr::Value::integer(self.status.into())),
            ("headers", headers(&self.headers)),
            ("body", json(self.json())),
            ("text", expr::Value::string(&String::from_utf8_lossy(&self.body))),
        ])
    }
}

/// Everything in which an answer is not what is expected of it. What happened besides is not looked at.
pub(crate) fn answer(expect: &Expect, answer: &Answer, known: &Known<'_>) -> Vec<Miss> {
    let mut misses = Vec::new();
    misses.extend(status(&expect.status, answer.status, known));
    for (what, header, wanted) in
        [("operation", OPERATION, &expect.operation), ("contract", CONTRACT, &expect.contract)]
    {
        let Some(wanted) = wanted else { continue };
        let found = line(&answer.headers, &HeaderName::from_static(header));
        if found.as_deref() != Some(&**wanted) {
            misses.push(miss(what, wanted, &found.unwrap_or_else(|| "none".to_owned())));
        }
    }
    misses.extend(lines(&expect.headers, &answer.headers, known));
    misses.extend(body::misses(&expect.body, &answer.body, answer.json().map(|json| &**json), known));
    misses.extend(conditions(&expect.that, known));
    misses
}

fn status(wanted: &[Status], found: u16, known: &Known<'_>) -> Option<Miss> {
    const WHAT: &str = "status";
    let mut words = Vec::new();
    for status in wanted {
        let status = match status {
            Status::Made(id) => match known.json(*id) {
                Ok(json) => match Status::read(&json) {
                    Some(status) => status,
                    None => return Some(miss(WHAT, &format!("a status, which {json} is not"), &found.to_string())),
                },
                Err(fault) => return Some(without_value(WHAT, &fault)),
            },
            status => *status,
        };
        if status.holds(found) {
            return None;
        }
        words.push(status.to_string());
    }
    (!words.is_empty()).then(|| miss(WHAT, &words.join(" or "), &found.to_string()))
}

/// Headers that are not what they are expected to be; null is for one that must not be there.
fn lines(wanted: &[(HeaderName, Value)], found: &HeaderMap, known: &Known<'_>) -> Vec<Miss> {
    let mut misses = Vec::new();
    for (name, value) in wanted {
        let what = format!("header {name}");
        let wanted = match value.json(known) {
            Ok(wanted) => wanted,
            Err(fault) => {
                misses.push(without_value(&what, &fault));
                continue;
            }
        };
        let there = line(found, name);
        let each = || found.get_all(name).iter().filter_map(|value| value.to_str().ok());
        match (&wanted, &there) {
            (Json::Null, None) => {}
            (Json::Null, Some(there)) => misses.push(miss(&what, "absent", there)),
            (_, None) => misses.push(miss(&what, &plain(&wanted), "absent")),
            (_, Some(there)) => {
                let wanted = plain(&wanted);
                if *there != wanted && !each().any(|one| one == wanted) {
                    misses.push(miss(&what, &wanted, there));
                }
            }
        }
    }
    misses
}

/// Expressions that are not true.
fn conditions(wanted: &[ExprId], known: &Known<'_>) -> Vec<Miss> {
    let one = |id: &ExprId| {
        let text = known.program.text(*id);
        match known.holds(*id) {
            Ok(true) => None,
            Ok(false) => {
                let sides = known.program.sides(*id, &known.scope);
                let found = match sides {
                    Some((left, right)) => format!("{} and {}", shown(&left), shown(&right)),
                    None => known.json(*id).map_or_else(|_| "undefined".to_owned(), |value| shown(&value)),
                };
                Some(miss("that", text, &found))
            }
            Err(fault) => Some(without_value("that", &fault)),
        }
    };
    wanted.iter().filter_map(one).collect()
}

/// All lines of a header.
fn line(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn headers(headers: &HeaderMap) -> expr::Value {
    let text = |name: &HeaderName| Some((name.as_str().to_owned(), Json::String(line(headers, name)?)));
    let map: Map<String, Json> = headers.keys().filter_map(text).collect();
    json(Some(&Arc::new(Json::Object(map))))
}

fn json(json: Option<&Arc<Json>>) -> expr::Value {
    json.map_or_else(expr::Value::null, |json| expr::Value::json(json))
}

fn members(members: Vec<(&str, expr::Value)>) -> expr::Value {
    let members: Vec<(String, expr::Value)> =
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    expr::Value::source(Arc::new(members))
}

fn miss(what: &str, wanted: &str, found: &str) -> Miss {
    Miss { what: what.to_owned(), wanted: shortened(wanted, KEPT), found: shortened(found, KEPT) }
}

fn without_value(what: &str, fault: &EvalFault) -> Miss {
    miss(what, &fault.expression, &format!("it has no value: {}", fault.message))
}

fn shown(json: &Json) -> String {
    shortened(&json.to_string(), KEPT)
}

/// A text as it is, everything else as JSON.
fn plain(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;

//! Steps of the control plane: which call each of them is.

use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value as Json, json};

use crate::exchange::segment;
use crate::expr::EvalFault;
use crate::pack::Pack;
use crate::scenario::{Ask, Edit, Fires, Known, Move, Value};

/// A call of the control plane of the sandbox.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Json>,
}

impl Asked {
    fn new(method: Method, path: impl Into<String>, body: Option<Json>) -> Self {
        Asked { method, path: path.into(), body }
    }

    fn post(path: impl Into<String>, body: Json) -> Self {
        Asked::new(Method::POST, path, Some(body))
    }
}

pub(super) fn asked<'p>(ask: &Ask, pack: impl Fn(usize) -> &'p Pack, known: &Known<'_>) -> Result<Asked, EvalFault> {
    let empty = || json!({});
    Ok(match ask {
        Ask::Advance(Move::By(by)) => Asked::post("/clock/advance", json!({ "by": by.json(known)? })),
        Ask::Advance(Move::To(to)) => Asked::post("/clock/advance", json!({ "to": to.json(known)? })),
        Ask::Advance(Move::Next) => Asked::post("/clock/advance", json!({ "to": "next" })),
        Ask::Clock { now, mode } => {
            let mut body = Map::new();
            if let Some(now) = now {
                body.insert("now".to_owned(), now.json(known)?);
            }
            if let Some(mode) = mode {
                body.insert("mode".to_owned(), json!(mode));
            }
            Asked::new(Method::PUT, "/clock", Some(Json::Object(body)))
        }
        Ask::Event { pack: number, event, input, when } => {
            let (pack, input) = (&pack(*number).name, input.json(known)?);
            let planned = |when: &str, at: Json| {
                let mut body = json!({ "pack": &**pack, "event": &**event, "input": input });
                body[when] = at;
                Asked::post("/clock/agenda", body)
            };
            match when {
                Fires::Now => Asked::post(format!("/events/{pack}/{event}"), input),
                Fires::After(after) => planned("after", after.json(known)?),
                Fires::At(at) => planned("at", at.json(known)?),
            }
        }
        Ask::Faults(rules) => settings("faults", rules, known)?,
        Ask::Limits(rules) => settings("limits", rules, known)?,
        Ask::Stub(Some(mapping)) => Asked::post("/stubs", mapping.json(known)?),
        Ask::Stub(None) => Asked::new(Method::DELETE, "/stubs", None),
        Ask::Edit(edit) => edited(edit, pack(edit.pack), known)?,
        Ask::Snapshot(name) => Asked::post("/snapshots", json!({ "name": name.json(known)? })),
        Ask::Restore(name) => Asked::post(format!("/snapshots/{}/restore", part(name, known)?), empty()),
        Ask::Rewind(to) => {
            // An answer's header has it as text.
            let to = to.json(known)?;
            let number = to.as_str().and_then(|text| text.trim().parse::<u64>().ok());
            Asked::post("/rewind", json!({ "to": number.map_or(to, Json::from) }))
        }
        Ask::Reset => Asked::post("/reset", empty()),
        Ask::Control { method, path, parameters, query, body } => {
            let body = body.as_ref().map(|body| body.json(known)).transpose()?;
            Asked::new(method.clone(), target(path, parameters, query, known)?, body)
        }
        Ask::Redeliver(id) => Asked::post(format!("/webhooks/{}/redeliver", part(id, known)?), empty()),
    })
}

/// A path with its parameters, and a query.
fn target(
    path: &str,
    parameters: &[(Arc<str>, Value)],
    query: &[(Arc<str>, Value)],
    known: &Known<'_>,
) -> Result<String, EvalFault> {
    let mut target = path.to_owned();
    for (name, value) in parameters {
        target = target.replace(&format!("{{{name}}}"), &part(value, known)?);
    }
    for (name, value) in query {
        let sign = if target.contains('?') { '&' } else { '?' };
        target = format!("{target}{sign}{}={}", segment(name), part(value, known)?);
    }
    Ok(target)
}

/// Rules that take the place of all that were there.
fn settings(name: &str, rules: &[Value], known: &Known<'_>) -> Result<Asked, EvalFault> {
    if rules.is_empty() {
        return Ok(Asked::new(Method::DELETE, format!("/{name}"), None));
    }
    let rules = rules.iter().map(|rule| rule.json(known)).collect::<Result<Vec<_>, _>>()?;
    let body = Map::from_iter([(name.to_owned(), Json::Array(rules))]);
    Ok(Asked::new(Method::PUT, format!("/{name}"), Some(Json::Object(body))))
}

/// What a record holds is shown, so that a scenario can keep its secrets and use them.
fn edited(edit: &Edit, pack: &Pack, known: &Known<'_>) -> Result<Asked, EvalFault> {
    let mut path = format!("/state/{}/{}", pack.name, edit.resource);
    if let Some(id) = &edit.id {
        path.push('/');
        path.push_str(&part(id, known)?);
    }
    if edit.method != Method::DELETE {
        path.push_str("?secrets=show");
    }
    let body = edit.fields.as_ref().map(|fields| fields.json(known)).transpose()?;
    Ok(Asked::new(edit.method.clone(), path, body))
}

fn part(value: &Value, known: &Known<'_>) -> Result<String, EvalFault> {
    Ok(segment(&value.text(known)?))
}

//! Errors that only faults give. No request leads to them, so each case is rendered and compared with its example.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde_json::Value as Json;

use super::compare::{self, Finding};
use super::prepare::{self, Prepared, SEED};
use super::{CaseResult, failures, mutate};
use crate::clock::{Instant, Mode, Span};
use crate::engine;
use crate::expr::Draws;
use crate::pack::{Content, NamedError, Options, Pack, Reply};
use crate::sandbox::{Controls, Exchange};

/// A check for each case of each such error: it can be rendered, and looks like its example.
pub(super) fn render(pack: &Arc<Pack>) -> Vec<CaseResult> {
    each(pack, |reply| {
        let shown = shown(reply);
        let (plain, other) = moments(pack)?;
        let exchange = send(pack, &plain, reply);
        let mut findings = failures(&exchange);
        if let (Some(shown), true) = (&shown, findings.is_empty()) {
            let other = send(pack, &other, reply);
            findings = compare::json(shown, &exchange.response.body);
            findings.retain(|finding| !follows(finding, &other));
        }
        Ok(findings.iter().map(Finding::to_string).collect())
    })
}

/// Keys of the examples that the schemas do not insist on, where there are schemas.
pub(super) fn loose(pack: &Arc<Pack>) -> Vec<CaseResult> {
    let results = each(pack, |reply| {
        let shown = shown(reply);
        let fixed = match &reply.body {
            Content::Fixed { json, .. } => json.as_deref(),
            _ => None,
        };
        let (Some(json), Some(schema)) = (shown.as_ref().or(fixed), &reply.schema) else { return Ok(Vec::new()) };
        Ok(mutate::gaps(json, schema, &reply.body, |_| false))
    });
    results.into_iter().map(|result| CaseResult { name: format!("{} (mutated)", result.name), ..result }).collect()
}

/// The example that an answer has the shape of.
fn shown(reply: &Reply) -> Option<Json> {
    serde_json::from_slice(reply.shown.as_deref()?).ok()
}

fn each(pack: &Arc<Pack>, look: impl Fn(&Reply) -> Result<Vec<String>, String>) -> Vec<CaseResult> {
    let mut results = Vec::new();
    for error in pack.errors.iter().filter(|error| error.fault) {
        for (index, reply) in error.replies.iter().enumerate() {
            let findings = look(reply).unwrap_or_else(|words| vec![words]);
            results.push(CaseResult { name: name(pack, error, index), findings, declared: 0, notes: Vec::new() });
        }
    }
    results
}

/// `shop/errors/overloaded`; the cases of one that has several are numbered.
fn name(pack: &Pack, error: &NamedError, case: usize) -> String {
    match error.replies.len() {
        1 => format!("{}/errors/{}", pack.name, error.name),
        _ => format!("{}/errors/{} (case {})", pack.name, error.name, case + 1),
    }
}

/// A plain request in a fresh world, and another one: later, with a clock that stands, elsewhere, with another method, path and chance.
fn moments(pack: &Arc<Pack>) -> Result<(Prepared, Prepared), String> {
    let world = prepare::seeded(pack)?;
    let request = prepare::plain(pack, Method::GET, "/", Bytes::new());
    let plain = Prepared {
        request,
        world,
        at: Instant::START,
        mode: Mode::Ticking,
        draws: Draws::new(SEED, 0),
        options: Options::defaults(&pack.options),
        template: "/".into(),
    };
    let mut other = plain.clone();
    other.request.method = Method::POST;
    other.request.path = "/elsewhere".to_owned();
    other.request.base = "https://elsewhere.example:8443/x".to_owned();
    other.at = plain.at.saturating_add(Span::from_micros(90_061_234_567));
    other.mode = Mode::Frozen;
    other.draws = Draws::new(SEED + 1, 7);
    Ok((plain, other))
}

fn send(pack: &Arc<Pack>, prepared: &Prepared, reply: &Reply) -> Exchange {
    engine::fault_case(pack, &prepared.moment(&Controls::default()), &Arc::new(prepared.request.clone()), reply)
}

/// Whether a value is another only because it follows the request, the time or chance: no example can show that of a
/// request that nobody sent. It has the example's type all the same.
fn follows(finding: &Finding, other: &Exchange) -> bool {
    let Finding::Value { pointer, expected, actual } = finding else { return false };
    let other = serde_json::from_slice::<Json>(&other.response.body).unwrap_or_default();
    let same_type = std::mem::discriminant(expected) == std::mem::discriminant(actual);
    same_type && other.pointer(pointer).is_some_and(|other| other != actual)
}

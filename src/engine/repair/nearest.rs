//! The documented requests of an operation, the nearest first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Judge;
use crate::engine::input;
use crate::exchange::{leaves, segments};
use crate::pack::{BodyRule, Example, OperationId};

/// A documented request.
pub(super) struct Known {
    /// Its file.
    pub(super) path: String,
    /// The whole body, with the spelling of the schema.
    pub(super) body: Json,
    /// Whether it fits the schema itself: not every documented request does.
    pub(super) fits: bool,
}

/// The documented requests of an operation, the nearest to a body first; without a body in the order of the pack.
pub(super) fn examples(judge: &mut Judge<'_>, operation: usize, body: Option<&Json>) -> Vec<Known> {
    let of_operation = |example: &&Example| example.operation == OperationId(operation) && example.status.is_none();
    let pack = judge.pack;
    let read = body.map(|body| judge.read(body).unwrap_or_else(|| body.clone()));
    let read: Option<BTreeMap<String, Json>> = read.map(|read| leaves(&read).into_iter().collect());
    let mut found: Vec<_> = pack
        .examples
        .iter()
        .filter(of_operation)
        .filter_map(|example| {
            let body = judge.read(&whole(example, judge.rule.form)?)?;
            let known = Known { path: pack.sources.path(example.at.file).to_owned(), fits: judge.fits(&body), body };
            Some((read.as_ref().map(|read| distance(judge.rule, read, &known.body)), known))
        })
        .collect();
    found.sort_by_key(|(distance, _)| *distance);
    found.into_iter().map(|(_, known)| known).collect()
}

/// The whole body that an example is, or stands in.
fn whole(example: &Example, form: bool) -> Option<Json> {
    if example.side.fragment.is_some() {
        return None;
    }
    match (example.laid(), &example.json) {
        (Some(whole), _) => whole.ok(),
        (None, Some(json)) => Some(Json::clone(json)),
        (None, None) if form => input::form(example.text.trim().as_bytes()).ok(),
        (None, None) => None,
    }
}

/// How far an example is from a body: words of a list that are others, because they often say which kind of body this
/// is; then all leaves that differ; then, the other way round, those that are equal.
fn distance(rule: &BodyRule, body: &BTreeMap<String, Json>, example: &Json) -> (usize, usize, Reverse<usize>) {
    let leaves = leaves(example);
    let (mut others, mut both, mut equal) = (0, 0, 0);
    for (pointer, documented) in &leaves {
        let Some(sent) = body.get(pointer) else { continue };
        both += 1;
        if sent == documented {
            equal += 1;
        } else if rule.schema.said(&segments(pointer)).lists() {
            others += 1;
        }
    }
    (others, body.len() + leaves.len() - both - equal, Reverse(equal))
}

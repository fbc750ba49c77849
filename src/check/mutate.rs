//! Do the answers follow their inputs, do the schemas hold the examples, is every error given?

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::prepare::{self, Prepared};
use super::{CaseResult, faults, judge, name, payload, vary};
use crate::diagnostic::Location;
use crate::exchange::{Pattern, Response, child, leaves, segments};
use crate::journal::Stage;
use crate::pack::source::Side;
use crate::pack::{self, Content, Example, Files, Operation, Pack, Replay, Reply, Shape};
use crate::sandbox::Exchange;
use crate::schema::Schema;

/// Alters every input of every replay, every key of every example, and the table of violations.
pub(crate) fn mutate(pack: &Arc<Pack>, files: &Files) -> Vec<CaseResult> {
    let mut results = Vec::new();
    let mut given: BTreeSet<String> = BTreeSet::new();
    for replay in &pack.replays {
        let Ok(prepared) = prepare::prepare(pack, replay) else { continue };
        let exchange = prepared.send(pack);
        given.extend(rendered(pack, &exchange));
        let mut findings = Vec::new();
        if let Some(answer) = replay.answer {
            let example = &pack.examples[answer];
            findings.extend(constants(pack, example, &prepared, &exchange));
            findings.extend(loose(pack, example, &exchange));
        }
        results.push(result(format!("{} (mutated)", name(pack, replay)), findings));
    }
    results.extend(faults::loose(pack));
    results.extend(payload::altered(pack));
    results.push(result(format!("{}/answers", pack.name), never_given(pack, &given)));
    results.push(result(format!("{}/violations", pack.name), redundant_rows(pack, files)));
    results
}

pub(super) fn result(name: String, findings: Vec<String>) -> CaseResult {
    CaseResult { name, findings, declared: 0, notes: Vec::new() }
}

/// The places of the answers that an exchange was rendered from.
fn rendered(pack: &Pack, exchange: &Exchange) -> Vec<String> {
    let rendered = exchange.trace.steps().filter(|step| step.stage == Stage::Render);
    rendered.filter_map(|step| step.place).map(|place| exact(pack, &place)).collect()
}

pub(super) fn exact(pack: &Pack, place: &Location) -> String {
    let (line, column) = pack.sources.line_column(place);
    format!("{}:{line}:{column}", pack.sources.path(place.file))
}

/// Leaves of the answer that no input changes, and that nobody declared to be constant.
fn constants(pack: &Arc<Pack>, example: &Example, base: &Prepared, exchange: &Exchange) -> Vec<String> {
    if is_fixed(pack, exchange) || exchange.response.body.is_empty() {
        return Vec::new();
    }
    let answer = read(&exchange.response);
    let still = leaves(&answer);
    let operation = pack.operation(example.operation);
    let variations = vary::variations(pack, operation, base);
    let others = variations.iter().filter_map(|varied| {
        let other = varied.send(pack).response;
        (other.status == exchange.response.status).then(|| read(&other))
    });
    // A leaf that is gone with what it stood in follows nothing; the items of a refusal come and go.
    let gone = exchange.response.status.is_success();
    followed(pack, &example.side, still, others, gone, "the whole answer")
}

/// Which leaves are the same in all others, without being declared to be so.
pub(super) fn followed(
    pack: &Pack,
    side: &Side,
    mut still: Vec<(String, Json)>,
    others: impl Iterator<Item = Json>,
    gone: bool,
    whole: &str,
) -> Vec<String> {
    still.retain(|(pointer, _)| !declared(pack, pointer));
    for other in others {
        still.retain(|(pointer, value)| other.pointer(pointer).map_or(gone, |other| other == value));
        if still.is_empty() {
            break;
        }
    }
    let said = &side.constant;
    let mut found: Vec<String> = said
        .iter()
        .filter(|(key, _)| !still.iter().any(|(pointer, _)| *pointer == key.name))
        .map(|(key, _)| {
            format!("`{}` is declared `constant`, and it follows what is sent: take the declaration out", key.name)
        })
        .collect();
    still.retain(|(pointer, _)| !said.iter().any(|(key, _)| key.name == *pointer));
    found.extend(still.into_iter().map(|(pointer, value)| {
        let what = if pointer.is_empty() { whole.to_owned() } else { format!("`{pointer}`") };
        format!("{what} is {value} whatever is sent and whatever the records are: show where it comes from, or give the reason under `constant` in the side file")
    }));
    found
}

/// An answer as JSON; another text, such as a page, is one leaf.
fn read(response: &Response) -> Json {
    let text = || Json::from(String::from_utf8_lossy(&response.body));
    serde_json::from_slice(&response.body).unwrap_or_else(|_| text())
}

/// Whether the answer was said to be static.
fn is_fixed(pack: &Pack, exchange: &Exchange) -> bool {
    let places = rendered(pack, exchange);
    let fixed = |reply: &Reply| matches!(reply.body, Content::Fixed { .. }) && places.contains(&exact(pack, &reply.at));
    pack.operations.iter().flat_map(|operation| &operation.replies).any(fixed)
        || pack.errors.iter().flat_map(|error| &error.replies).any(fixed)
}

fn declared(pack: &Pack, pointer: &str) -> bool {
    let key = segments(pointer).pop().unwrap_or_default();
    pack.constants.iter().any(|constant| match constant.starts_with('/') {
        true => Pattern::new(constant).matches(pointer),
        false => *constant == key,
    })
}

/// Keys of a success example that its schema does not insist on.
fn loose(pack: &Pack, example: &Example, exchange: &Exchange) -> Vec<String> {
    let (Some(json), Some(status)) = (&example.json, example.status.filter(|status| *status < 300)) else {
        return Vec::new();
    };
    let Some((operation, reply)) = reply(pack, exchange) else { return Vec::new() };
    let Some(schema) = &reply.schema else {
        return vec![format!("the answer {status} of `{}` has no `schema`", operation.name)];
    };
    let same = |other: &&Example| other.operation == example.operation && other.status == example.status;
    let others = || pack.examples.iter().filter(same).filter_map(|other| other.json.as_deref());
    gaps(json, schema, &reply.body, |pointer| shown_without(others(), schema, pointer))
}

/// Keys that a schema lets go, or whose type it does not say. Some may be absent: those that the answer's shape may lack,
/// and those for which `absent` says so.
pub(super) fn gaps(json: &Json, schema: &Schema, body: &Content, absent: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    if !schema.is_valid(json) {
        return found;
    }
    let mut lacking = Vec::new();
    if let Content::Shaped(shape) = body {
        may_lack(shape, "", &mut lacking);
    }
    for pointer in keys(json) {
        let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", ""));
        let mut without = json.clone();
        if let Some(Json::Object(object)) = without.pointer_mut(parent) {
            object.shift_remove(&segments(&format!("/{key}"))[0]);
        }
        let absent = lacking.iter().any(|pattern| pattern.matches(&pointer)) || absent(&pointer);
        if schema.is_valid(&without) && !absent {
            found.push(format!("the schema allows an answer without `{pointer}`: list it under `required`, or add an example that lacks it"));
        }
        let mut retyped = json.clone();
        if let Some(value) = retyped.pointer_mut(&pointer) {
            *value = match value {
                Json::String(_) => json!(12345),
                Json::Null => json!({ "x": 1 }),
                _ => json!("x"),
            };
        }
        if schema.is_valid(&retyped) {
            found.push(format!("the schema allows any type at `{pointer}`: give it a `type`"));
        }
    }
    found
}

/// Whether one of these documents has the object but not this key: then the key may be absent.
pub(super) fn shown_without<'j>(documents: impl Iterator<Item = &'j Json>, schema: &Schema, pointer: &str) -> bool {
    let mut steps = segments(pointer);
    let Some(key) = steps.pop() else { return false };
    documents.filter(|document| schema.is_valid(document)).any(|document| lacks(document, &steps, &key))
}

/// Whether an object at this place lacks a key. Any item stands for every item of its list.
fn lacks(value: &Json, steps: &[String], key: &str) -> bool {
    match (value, steps.split_first()) {
        (Json::Object(object), None) => !object.contains_key(key),
        (Json::Object(object), Some((step, rest))) => object.get(step).is_some_and(|inner| lacks(inner, rest, key)),
        (Json::Array(items), Some((_, rest))) => items.iter().any(|item| lacks(item, rest, key)),
        _ => false,
    }
}

/// The case of an operation's answer that was given.
fn reply<'p>(pack: &'p Pack, exchange: &Exchange) -> Option<(&'p Operation, &'p Reply)> {
    let places = rendered(pack, exchange);
    let all =
        pack.operations.iter().flat_map(|operation| operation.replies.iter().map(move |reply| (operation, reply)));
    all.into_iter().find(|(_, reply)| places.contains(&exact(pack, &reply.at)))
}

/// The members that the pack says an answer may lack: fields that are optional, keys marked with `?`, and keys that come
/// from the values of a list, and all fields where some are left out by an expression.
fn may_lack(shape: &Shape, pointer: &str, out: &mut Vec<Pattern>) {
    match shape {
        Shape::Object(members) => {
            for member in members {
                let at = child(pointer, &member.key);
                if member.optional && !of_json(&member.shape) {
                    out.push(Pattern::new(&at));
                }
                may_lack(&member.shape, &at, out);
            }
        }
        Shape::List(items) => {
            for (index, item) in items.iter().enumerate() {
                may_lack(item, &child(pointer, &index.to_string()), out);
            }
        }
        Shape::Each(each) => {
            let at = format!("{pointer}/*");
            may_lack(&each.item, &at, out);
            if each.key.is_some() {
                out.push(Pattern::new(&at));
            }
        }
        Shape::Record { inner, .. } | Shape::Inside { inner, .. } => may_lack(inner, pointer, out),
        Shape::Choice { arms, otherwise, .. } => {
            let arms = arms.iter().map(|(_, arm)| arm).chain(otherwise.as_deref());
            arms.for_each(|arm| may_lack(arm, pointer, out));
        }
        Shape::Except(_) => out.push(Pattern::new(&format!("{pointer}/*"))),
        Shape::Literal(_) | Shape::Value { .. } | Shape::Field(_) | Shape::Member { .. } | Shape::Fields => {}
    }
}

/// Members of JSON objects are left out when they are absent, but nobody said that they may be.
fn of_json(shape: &Shape) -> bool {
    match shape {
        Shape::Member { .. } => true,
        Shape::Inside { of, .. } => of_json(of),
        _ => false,
    }
}

/// The pointer of every member of every object.
fn keys(value: &Json) -> Vec<String> {
    fn walk(value: &Json, pointer: &str, out: &mut Vec<String>) {
        match value {
            Json::Object(object) => {
                for (key, value) in object {
                    let at = child(pointer, key);
                    out.push(at.clone());
                    walk(value, &at, out);
                }
            }
            Json::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    walk(value, &child(pointer, &index.to_string()), out);
                }
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(value, "", &mut out);
    out
}

/// Answers and errors that no example shows: nobody would notice if they were gone.
fn never_given(pack: &Pack, given: &BTreeSet<String>) -> Vec<String> {
    let unseen = |reply: &Reply| !given.contains(&exact(pack, &reply.at));
    let answers = pack.operations.iter().flat_map(|operation| {
        operation.replies.iter().filter(|reply| unseen(reply)).map(move |reply| {
            let (status, place) = (reply.status.as_u16(), exact(pack, &reply.at));
            format!("no example shows the answer {status} of `{}` ({place}): add one, or a side file", operation.title)
        })
    });
    let errors = pack.errors.iter().filter(|error| !error.fault).flat_map(|error| {
        error.replies.iter().filter(|reply| unseen(reply)).map(move |reply| {
            let what = if error.replies.len() > 1 { "this case of the error" } else { "the error" };
            format!(
                "no example gives {what} `{}` ({}): add one, such as `<operation>.{}.json` with its side file",
                error.name,
                exact(pack, &reply.at),
                reply.status.as_u16()
            )
        })
    });
    answers.chain(errors).collect()
}

/// Rows of `violations` that can be deleted without any replay telling.
fn redundant_rows(pack: &Arc<Pack>, files: &Files) -> Vec<String> {
    let outcome = |pack: &Arc<Pack>, replay: &Replay| {
        let prepared = prepare::prepare(pack, replay).ok()?;
        Some(judge(pack, replay, &prepared.send(pack)).0.len())
    };
    let before: Vec<_> = pack.replays.iter().map(|replay| outcome(pack, replay)).collect();
    let mut found = Vec::new();
    for (index, row) in pack.rows.iter().enumerate() {
        let Some(less) = pack::load(files).pack else { continue };
        let less = Arc::new(less.without_row(index));
        let after: Vec<_> = less.replays.iter().map(|replay| outcome(&less, replay)).collect();
        if before == after {
            let place = exact(pack, &row.at);
            found.push(format!(
                "the row at {place} can be deleted and no example tells: add one that needs it, or take it out"
            ));
        }
    }
    found
}

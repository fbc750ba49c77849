//! Expectations that nothing could ever fulfil.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::Story;
use super::scope::Called;
use crate::diagnostic::{Code, Diagnostic, Location, all_of};
use crate::exchange::{equal, segments};
use crate::pack::source::{Node, NodeKind, Spanned};
use crate::pack::{ErrorId, Operation, OperationId, Pack, Refusal, Reply, Row, Verb};
use crate::scenario::{Content, Except, Expect, Status, Value};
use crate::schema::Place;

/// Where the parts of an expectation stand.
pub(super) struct Places {
    pub(super) status: Option<Location>,
    pub(super) contract: Option<Spanned<String>>,
    pub(super) operation: Option<(Location, OperationId)>,
    pub(super) fault: Option<Spanned<String>>,
}

/// Parts of an expectation that need an answer.
pub(super) const ANSWERED: [&str; 13] = [
    "status",
    "headers",
    "like",
    "shape",
    "equals",
    "body",
    "absent",
    "text",
    "contains",
    "schema",
    "contract",
    "operation",
    "that",
];

impl Story<'_, '_> {
    /// Tells of an expectation of an answer that cannot hold.
    pub(super) fn could_hold(&mut self, expect: &Expect, node: &Node, places: &Places, called: Option<&Called>) {
        if let Some(fault) = &places.fault {
            self.nothing_besides(fault, node);
            return;
        }
        self.agree(&expect.body, node);
        self.shown_with(expect, node, called);
        let without = |status: &Status| matches!(status, Status::Is(204 | 304));
        if !expect.status.is_empty()
            && expect.status.iter().all(without)
            && let Some((key, at)) = ["like", "shape", "equals", "body", "contains", "schema"]
                .into_iter()
                .find_map(|name| Some((name, part(node, name)?.at.clone())))
        {
            let message = format!("`{key}` can never hold: an answer with {} has no body", expect.status[0]);
            self.never(&at, message, "take one of the two out");
        }
        let Some(called) = called.filter(|called| !called.altered && !called.prefers && !called.operations.is_empty())
        else {
            return;
        };
        let pack = std::sync::Arc::clone(self.reader.pack(called.pack));
        let title = self.title(called.pack, called.operations[0]);
        let known = statuses(&pack, &called.operations);
        if let Some(at) = &places.status
            && !expect.status.is_empty()
            && !expect.status.iter().any(|wanted| known.iter().any(|code| wanted.holds(*code)))
        {
            let wanted: Vec<String> = expect.status.iter().map(Status::to_string).collect();
            let message = format!("`{title}` never answers with {}", wanted.join(" or "));
            let codes: Vec<String> = known.iter().map(u16::to_string).collect();
            let help = format!(
                "its statuses are {}; a fault, a limit or a stub before it makes others possible",
                all_of(codes.iter().map(String::as_str))
            );
            self.never(at, message, &help);
        }
        if let Some((at, id)) = &places.operation
            && !called.operations.contains(id)
        {
            let other = self.title(called.pack, *id);
            let message = format!("this is a call of `{title}`, and never answered by `{other}`");
            self.never(at, message, "take it out, or call the other one");
        }
        if let Some(contract) = &places.contract {
            let fits = |reply: &&Reply| {
                expect.status.is_empty() || expect.status.iter().any(|wanted| wanted.holds(reply.status.as_u16()))
            };
            let contracts: BTreeSet<&str> = replies(&pack, &called.operations)
                .into_iter()
                .filter(fits)
                .map(|reply| reply.provenance.header())
                .collect();
            if !contracts.is_empty() && !contracts.contains(contract.value.as_str()) {
                let wanted: Vec<String> = expect.status.iter().map(Status::to_string).collect();
                let with = if wanted.is_empty() { String::new() } else { format!(" with {}", wanted.join(" or ")) };
                let message = format!("no answer of `{title}`{with} is `{}`", contract.value);
                self.never(
                    &contract.at,
                    message,
                    &format!("such an answer is {}", crate::diagnostic::one_of(contracts)),
                );
            }
        }
    }

    fn never(&mut self, at: &Location, message: String, help: &str) {
        self.reader.report(Diagnostic::error(Code::NeverUsed, at.clone(), message).help(help));
    }

    /// Where no answer comes, nothing is said of one.
    fn nothing_besides(&mut self, fault: &Spanned<String>, node: &Node) {
        let NodeKind::Map(members) = &node.kind else { return };
        if let Some((key, _)) = members.iter().find(|(key, _)| ANSWERED.contains(&key.name.as_str())) {
            let message = format!("`{}` can never hold: with `fault: {}` no answer comes", key.name, fault.value);
            self.never(&key.at, message, "take one of the two out");
        }
    }

    /// An example that shows another status than the one that is expected.
    fn shown_with(&mut self, expect: &Expect, node: &Node, called: Option<&Called>) {
        for name in ["like", "shape"] {
            let Some(place) = part(node, name) else { continue };
            let path = expect.body.iter().find_map(|content| match (name, content) {
                ("like", Content::Like { example, .. }) | ("shape", Content::Shape { example, .. }) => Some(example),
                _ => None,
            });
            let pack = called.map(|called| std::sync::Arc::clone(self.reader.pack(called.pack)));
            let Some((path, pack)) = path.zip(pack) else { continue };
            let Some(example) = pack.examples.iter().find(|example| example.path == *path) else { continue };
            let Some(status) = example.status else { continue };
            let wanted: Vec<String> = expect.status.iter().map(Status::to_string).collect();
            if !wanted.is_empty() && !expect.status.iter().any(|wanted| wanted.holds(status)) {
                let message =
                    format!("`{path}` shows an answer with {status}, and {} is expected", wanted.join(" or "));
                self.never(&place.at, message, "name another example, or expect its status");
            }
        }
    }

    /// What is said of one body in several ways.
    pub(super) fn agree(&mut self, contents: &[Content], node: &Node) {
        let mut absent: Vec<&str> = Vec::new();
        let mut values: Vec<(&str, &Value)> = Vec::new();
        let mut whole: Vec<(&'static str, &Json, &[Except])> = Vec::new();
        let (mut text, mut schema) = (None, None);
        for content in contents {
            match content {
                Content::Absent(pointers) => absent.extend(pointers.iter().map(|pointer| &**pointer)),
                Content::At(pairs) => values.extend(pairs.iter().map(|(pointer, value)| (&**pointer, value))),
                Content::Like { json: Some(json), except, .. } => whole.push(("like", json, except)),
                Content::Equals { value: Value::Written(json), except } => whole.push(("equals", json, except)),
                Content::Text(Value::Written(Json::String(written))) => text = Some(written),
                Content::Schema { name, schema: compiled } => schema = Some((name, compiled)),
                _ => {}
            }
        }
        let body = part(node, "body");
        for (pointer, value) in &values {
            let at = body.and_then(|body| part(body, pointer)).map_or(&node.at, |node| &node.at);
            if let Some(gone) = absent.iter().find(|gone| below(pointer, gone)) {
                self.never(
                    at,
                    format!("`{pointer}` can never be there: `absent` has `{gone}`"),
                    "take one of the two out",
                );
                continue;
            }
            if pointer.split('/').any(|segment| segment == "*") {
                continue;
            }
            for (name, json, _) in whole.iter().filter(|(_, _, except)| !excepted(pointer, except)) {
                match (json.pointer(pointer), value.written()) {
                    (None, _) => {
                        self.never(
                            at,
                            format!("`{pointer}` can never be there: `{name}` has no such key"),
                            "take one of the two out",
                        );
                    }
                    (Some(shown), Some(wanted)) if !equal(shown, wanted) => {
                        let message = format!("`{pointer}` can never be {wanted}: with `{name}` it is {shown}");
                        self.never(at, message, &format!("say `except: [{pointer}]` beside `{name}`"));
                    }
                    _ => {}
                }
            }
        }
        let gone = part(node, "absent").unwrap_or(node);
        for pointer in &absent {
            let there =
                whole.iter().find(|(_, json, except)| json.pointer(pointer).is_some() && !excepted(pointer, except));
            if let Some((name, ..)) = there {
                self.never(
                    &gone.at,
                    format!("`{pointer}` can never be absent: `{name}` has it"),
                    "take one of the two out",
                );
            }
        }
        if let Some((schema_name, schema)) = schema {
            for (name, json, _) in whole.iter().filter(|(.., except)| except.is_empty()) {
                let Some(violation) = schema.violations(json, Place::Response).into_iter().next() else { continue };
                let at = part(node, name).map_or(&node.at, |found| {
                    if *name == "equals" { &found.nearest(&segments(&violation.pointer)).at } else { &found.at }
                });
                let message = format!("this can never fit `{schema_name}`: {}", violation.message);
                self.never(at, message, "take one of the two out");
            }
        }
        if let Some(text) = text {
            let json =
                ["like", "shape", "equals", "body", "schema"].into_iter().find(|name| part(node, name).is_some());
            if let Some(name) = json.filter(|_| serde_json::from_str::<Json>(text).is_err() && whole_is_json(contents))
            {
                let at = part(node, "text").map_or(&node.at, |node| &node.at);
                self.never(at, format!("this text is no JSON, which `{name}` expects"), "take one of the two out");
            }
            for content in contents {
                let Content::Contains(parts) = content else { continue };
                let missing =
                    parts.iter().find_map(|part| part.written()?.as_str().filter(|part| !text.contains(*part)));
                if let (Some(missing), Some(at)) = (missing, part(node, "contains").map(|node| &node.at)) {
                    self.never(at, format!("`text` has no `{missing}`"), "take one of the two out");
                }
            }
        }
    }

    /// Receivers whose URL nobody is told.
    pub(super) fn told_receivers(&mut self) {
        let told = |name: &str| {
            let is_it = |text: &String| {
                let mut rest = text.as_str();
                while let Some((_, behind)) = rest.split_once("receivers") {
                    let Some(member) = behind.strip_prefix('.') else { return true };
                    let end = member.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(member.len());
                    if &member[..end] == name {
                        return true;
                    }
                    rest = behind;
                }
                false
            };
            self.texts.iter().any(is_it)
        };
        let mut seen = BTreeSet::new();
        let lost: Vec<(String, Location)> = self
            .receivers
            .iter()
            .filter(|(name, _)| super::flow::is_plain(name) && !told(name) && seen.insert(name.clone()))
            .cloned()
            .collect();
        for (name, at) in lost {
            let message = format!("nobody is told where `{name}` listens, so nothing ever arrives there");
            self.never(&at, message, &format!("give its URL to something: `= receivers.{name}`"));
        }
    }
}

/// Whether something besides the text says that the body is JSON.
fn whole_is_json(contents: &[Content]) -> bool {
    contents.iter().any(|content| {
        matches!(
            content,
            Content::Like { json: Some(_), .. } | Content::Shape { .. } | Content::Equals { .. } | Content::At(_)
        )
    })
}

/// The value of a key of a mapping.
fn part<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    match &node.kind {
        NodeKind::Map(members) => members.iter().find(|(key, _)| key.name == name).map(|(_, node)| node),
        _ => None,
    }
}

/// Whether a pointer is another one, or leads below it.
fn below(pointer: &str, above: &str) -> bool {
    pointer.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn excepted(pointer: &str, except: &[Except]) -> bool {
    let parts = segments(pointer);
    except.iter().any(|one| match one {
        Except::Name(name) => parts.iter().any(|part| **part == **name),
        Except::Pointer(_, pattern) => {
            let ends = pointer.match_indices('/').map(|(at, _)| at).skip(1).chain([pointer.len()]);
            ends.into_iter().any(|end| pattern.matches(&pointer[..end]))
        }
    })
}

/// Every answer that operations can give without a fault.
fn replies<'p>(pack: &'p Pack, operations: &[OperationId]) -> Vec<&'p Reply> {
    let mut all: Vec<&Reply> = Vec::new();
    for id in operations {
        let operation = pack.operation(*id);
        all.extend(&operation.replies);
        for error in errors(pack, operation) {
            all.extend(&pack.error(error).replies);
        }
    }
    all
}

fn errors(pack: &Pack, operation: &Operation) -> Vec<ErrorId> {
    let mut errors: Vec<ErrorId> =
        operation.auth.schemes().into_iter().map(|scheme| pack.scheme(scheme).otherwise).collect();
    errors.extend(operation.loads.iter().filter_map(|load| load.otherwise.or(pack.resource(load.resource).not_found)));
    errors.extend(operation.guards.iter().map(|guard| guard.otherwise));
    errors.extend(pack.rows.iter().filter_map(Row::error));
    errors.extend(pack.rejections.values());
    let changed = operation.effects.iter().filter(|effect| effect.verb != Verb::Delete);
    errors.extend(changed.flat_map(|effect| pack.resource(effect.resource).unique.iter().map(|unique| unique.error)));
    errors
}

/// What the server says of requests before any operation is asked.
const OF_SERVER: [u16; 5] = [400, 408, 413, 414, 431];

/// Every status that operations can answer with.
fn statuses(pack: &Pack, operations: &[OperationId]) -> BTreeSet<u16> {
    let own = replies(pack, operations).into_iter().map(|reply| reply.status.as_u16());
    // What no error of the pack says the server says itself.
    let server = OF_SERVER.into_iter();
    own.chain(server).chain(Refusal::ALL.into_iter().map(|refusal| refusal.status().as_u16())).collect()
}

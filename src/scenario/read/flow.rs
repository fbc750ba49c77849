//! Steps within steps, and receivers.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use super::Story;
use super::scope::{Last, Scope};
use crate::clock::Span;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::expr::Kind;
use crate::pack::source::{Fields, Key, Node, NodeKind, wrong_kind};
use crate::scenario::{Branches, Receive, Reply, Step, What};

/// The most rounds, lines of steps at once, and answers of a receiver.
const MOST_ROUNDS: usize = 10_000;
const MOST_AT_ONCE: usize = 256;
const MOST_ANSWERS: usize = 1_000;
/// The most receivers of a scenario.
const MOST_RECEIVERS: usize = 20;
/// The longest that a receiver waits before it answers, in real time.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

impl Story<'_, '_> {
    pub(super) fn repeat(&mut self, fields: &mut Fields<'_>, scope: &mut Scope) -> Option<(What, String)> {
        let times = fields.take("repeat").and_then(|node| self.count("repeat", node, 1..=MOST_ROUNDS));
        let node = fields.required("steps")?;
        let mut inner = scope.clone();
        inner.names.bind("round", Kind::Integer);
        inner.altered |= alters(node);
        let steps = self.steps(node, &mut inner);
        scope.take_over(&inner);
        if inner.last != scope.last {
            scope.answered(inner.last);
        }
        let times = times?;
        Some((What::Repeat { times, steps }, format!("repeat {times} times")))
    }

    pub(super) fn parallel(&mut self, fields: &mut Fields<'_>, scope: &mut Scope) -> Option<(What, String)> {
        let node = fields.take("parallel")?;
        if let NodeKind::List(lines) = &node.kind {
            let each = self.branches(node, lines, scope)?;
            let words = format!("{} lines of steps at once", each.len());
            return Some((What::Parallel(Branches::Each(each)), words));
        }
        let times = self.count("parallel", node, 2..=MOST_AT_ONCE);
        let steps = fields.required("steps")?;
        let mut inner = scope.clone();
        inner.names.bind("round", Kind::Integer);
        inner.altered |= alters(steps);
        let steps = self.steps(steps, &mut inner);
        scope.altered |= inner.altered;
        for (name, at) in &inner.receivers {
            scope.receives(name, at.clone());
        }
        let times = times?;
        Some((What::Parallel(Branches::Copies(times, steps)), format!("{times} times at once")))
    }

    fn branches(&mut self, node: &Node, lines: &[Node], scope: &mut Scope) -> Option<Vec<Vec<Step>>> {
        if lines.len() < 2 || lines.len() > MOST_AT_ONCE {
            let message = format!("2 to {MOST_AT_ONCE} lines of steps are done at once, and here are {}", lines.len());
            let diagnostic = Diagnostic::error(Code::ValueWrong, node.at.clone(), message);
            self.reader.report(diagnostic.help("each line is a list of steps: `- [{ call: … }, { call: … }]`"));
            return None;
        }
        let (mut all, mut kept): (_, BTreeMap<String, Location>) = (Vec::new(), BTreeMap::new());
        // What is altered beside them may be so for these.
        scope.altered |= alters(node);
        let outer = scope.clone();
        for line in lines {
            let mut inner = outer.clone();
            inner.kept.clear();
            all.push(self.steps(line, &mut inner));
            for (name, at) in &inner.kept {
                let Some(twin) = kept.insert(name.clone(), at.clone()) else { continue };
                let message = format!("`{name}` is kept by two lines of steps that are done at once");
                let diagnostic = Diagnostic::error(Code::NameDuplicate, at.clone(), message);
                self.reader.report(diagnostic.related(twin, "the other one").help("give each a name of its own"));
            }
            scope.take_over(&inner);
        }
        Some(all)
    }

    /// A whole number within bounds.
    pub(super) fn count(&mut self, name: &str, node: &Node, bounds: std::ops::RangeInclusive<usize>) -> Option<usize> {
        let number = match &node.kind {
            NodeKind::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
            _ => None,
        };
        let fits = number.filter(|number| bounds.contains(number));
        if fits.is_none() {
            let said = match &node.kind {
                NodeKind::Number(number) => number.to_string(),
                _ => node.sort().to_owned(),
            };
            let message = format!("`{name}` is a whole number from {} to {}, not {said}", bounds.start(), bounds.end());
            let code = if number.is_some() { Code::ValueWrong } else { Code::KindWrong };
            self.reader.error(code, &node.at, message);
        }
        fits
    }

    pub(super) fn receive(&mut self, fields: &mut Fields<'_>, scope: &mut Scope) -> Option<(What, String)> {
        let name = self.named("receive", fields)?;
        let answers = fields.take("answers");
        let answers: Vec<Reply> = match answers.map(|node| (node, &node.kind)) {
            None => vec![Reply { status: StatusCode::OK, headers: Vec::new(), body: None, delay: None, hang: false }],
            Some((node, NodeKind::List(items))) => {
                if items.is_empty() || items.len() > MOST_ANSWERS {
                    let message = format!("a receiver has 1 to {MOST_ANSWERS} answers, and this one {}", items.len());
                    self.reader.error(Code::ValueWrong, &node.at, message);
                }
                items.iter().filter_map(|item| self.reply(item)).collect()
            }
            Some((node, _)) => self.reply(node).into_iter().collect(),
        };
        if !is_plain(&name.value) {
            let message = format!("`{}` is no name for a receiver", name.value);
            let meant: String = name.value.to_lowercase().replace(['-', ' ', '.'], "_");
            let meant = (meant != name.value && is_plain(&meant)).then_some(meant);
            let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message).suggest(meant);
            self.reader.report(diagnostic.help("a name has small letters, digits and `_`, and begins with a letter"));
            return None;
        }
        if scope.receivers.len() >= MOST_RECEIVERS && !scope.receivers.contains_key(&name.value) {
            let message = format!("a scenario has at most {MOST_RECEIVERS} receivers");
            self.reader.error(Code::ValueWrong, &name.at, message);
        }
        let words = format!("receive {}", name.value);
        scope.receives(&name.value, name.at);
        if scope.last == Last::Unknown {
            scope.last = Last::Nothing;
        }
        Some((What::Receive(Receive { name: name.value.into(), answers }), words))
    }

    fn reply(&mut self, node: &Node) -> Option<Reply> {
        let mut reply = Reply { status: StatusCode::OK, headers: Vec::new(), body: None, delay: None, hang: false };
        if let NodeKind::Number(_) = node.kind {
            reply.status = self.reply_status(node)?;
            return Some(reply);
        }
        let mut fields = Fields::of(node, "an answer of a receiver", &mut self.reader.diagnostics)?;
        if let Some(node) = fields.take("status") {
            reply.status = self.reply_status(node).unwrap_or(StatusCode::OK);
        }
        for (key, node) in fields.named("headers", &mut self.reader.diagnostics) {
            let Some(name) = self.header_name(key) else { continue };
            let Some(value) = self.reader.written(node, "a header") else { continue };
            let value = crate::exchange::spelled(&value);
            if HeaderValue::from_str(&value).is_err() {
                self.reader.error(
                    Code::ValueWrong,
                    &node.at,
                    format!("HTTP cannot have this as the value of `{name}`"),
                );
                continue;
            }
            reply.headers.push((name, value));
        }
        reply.body = fields.take("body").and_then(|node| self.reader.written(node, "the body of an answer"));
        reply.delay = fields.text("delay", &mut self.reader.diagnostics).and_then(|text| {
            let read =
                Span::parse(&text.value).map(|span| Duration::from_micros(u64::try_from(span.micros()).unwrap_or(0)));
            match read {
                Ok(delay) if delay <= LONGEST_DELAY => Some(delay),
                Ok(_) => {
                    let message = format!("a receiver waits at most {} seconds, in real time", LONGEST_DELAY.as_secs());
                    self.reader.error(Code::ValueWrong, &text.at, message);
                    None
                }
                Err(why) => {
                    self.reader.error(Code::ValueWrong, &text.at, why);
                    None
                }
            }
        });
        reply.hang = fields.flag("hang", &mut self.reader.diagnostics);
        fields.finish(&mut self.reader.diagnostics);
        Some(reply)
    }

    fn reply_status(&mut self, node: &Node) -> Option<StatusCode> {
        let NodeKind::Number(number) = &node.kind else {
            wrong_kind(node, "a status is a number from 200 to 599", &mut self.reader.diagnostics);
            return None;
        };
        let status =
            number.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|code| (200..600).contains(code));
        if status.is_none() {
            self.reader.error(
                Code::ValueWrong,
                &node.at,
                format!("a status is a number from 200 to 599, not {number}"),
            );
        }
        status.and_then(|code| StatusCode::from_u16(code).ok())
    }

    /// The name of a header, as HTTP has it.
    pub(super) fn header_name(&mut self, key: &Key) -> Option<HeaderName> {
        let name = HeaderName::try_from(key.name.as_str()).ok();
        if name.is_none() {
            let message = format!("`{}` cannot be the name of a header", key.name);
            self.reader.error(Code::ValueWrong, &key.at, message);
        }
        name
    }
}

/// Whether any of these steps makes answers others than the pack's. A later one does so for the next round.
fn alters(node: &Node) -> bool {
    let words = ["fault", "limit", "stub", "restore", "rewind"];
    match &node.kind {
        NodeKind::List(items) => items.iter().any(alters),
        NodeKind::Map(members) => members
            .iter()
            .any(|(key, inner)| words.contains(&key.name.as_str()) || key.name != "expect" && alters(inner)),
        _ => false,
    }
}

/// Whether something that expressions name can be called so.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && name.chars().all(plain) && name.len() <= 60
}

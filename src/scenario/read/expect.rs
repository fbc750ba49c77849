//! `expect`: what the answer must be, and what must have happened.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Story;
use super::never::{ANSWERED, Places};
use super::scope::{Last, Scope};
use super::value::expression_in;
use crate::client::FAULTS;
use crate::diagnostic::{Code, Diagnostic, nearest, one_of};
use crate::expr::{Kind, Names};
use crate::pack::source::{Fields, Node, NodeKind, Spanned, wrong_kind};
use crate::pack::{OperationId, Provenance};
use crate::scenario::{Count, Expect, Status, Value};

/// Conditions of a pattern of exchanges, and of one of deliveries.
const OF_EXCHANGES: [&str; 17] = [
    "operation",
    "method",
    "path",
    "pathPattern",
    "pack",
    "status",
    "contract",
    "stub",
    "since",
    "until",
    "text",
    "finding",
    "unmatched",
    "query",
    "headers",
    "body",
    "after",
];
const OF_DELIVERIES: [&str; 10] =
    ["pack", "webhook", "state", "to", "url", "urlPattern", "attempts", "status", "headers", "body"];

impl Story<'_, '_> {
    /// Whether an `expect` step says something of the last answer.
    pub(super) fn looks_at_answer(&self, fields: &mut Fields<'_>) -> bool {
        match fields.take("expect").map(|node| &node.kind) {
            // An expression may be about what was kept alone; where it is not, it is told itself.
            Some(NodeKind::Map(members)) => members
                .iter()
                .any(|(key, _)| key.name == "fault" || key.name != "that" && ANSWERED.contains(&key.name.as_str())),
            _ => false,
        }
    }

    pub(super) fn expectation(&mut self, node: &Node, scope: &mut Scope) -> Option<Expect> {
        let before = self.reader.errors();
        let mut fields = Fields::of(node, "`expect`", &mut self.reader.diagnostics)?;
        let names = scope.names.clone();
        let called = match &scope.last {
            Last::Call(called) => Some(called.clone()),
            _ => None,
        };
        let pack = called.as_ref().map(|called| called.pack).or(scope.pack);
        let operations: Vec<OperationId> = called.iter().flat_map(|called| called.operations.clone()).collect();
        let status_at = fields.take("status").map(|node| node.at.clone());
        let status = self.statuses(&mut fields, &names);
        let headers = self.headers("headers", &mut fields, &names);
        let fault = self.fault_named(&mut fields);
        let body = self.contents(&mut fields, pack, &operations, None, &names);
        let that = self.conditions(&mut fields, &names);
        let contract = self.contract(&mut fields);
        let operation = fields.text("operation", &mut self.reader.diagnostics);
        let operation = operation.zip(pack).and_then(|(name, pack)| {
            let (index, id) = self.operation_named(pack, &name)?;
            Some((Arc::clone(&self.reader.pack(index).operation(id).name), name.at, id))
        });
        let journal = self.patterns("journal", &mut fields, scope);
        let deliveries = self.patterns("deliveries", &mut fields, scope);
        let received = self.received(&mut fields, scope);
        let nothing = fields.complete() && matches!(&node.kind, NodeKind::Map(members) if members.is_empty());
        fields.finish(&mut self.reader.diagnostics);
        if nothing {
            let diagnostic = Diagnostic::error(Code::KeyMissing, node.at.clone(), "nothing is expected here");
            self.reader.report(diagnostic.help("say what must be, such as `status: 200`, or take `expect` out"));
        }
        let expect = Expect {
            status,
            headers,
            body,
            that,
            contract: contract.as_ref().map(|contract| contract.value.as_str().into()),
            operation: operation.as_ref().map(|(name, ..)| Arc::clone(name)),
            fault: fault.as_ref().map(|fault| fault.value.as_str().into()),
            journal,
            deliveries,
            received,
        };
        let places = Places { status: status_at, contract, operation: operation.map(|(_, at, id)| (at, id)), fault };
        self.could_hold(&expect, node, &places, called.as_ref());
        (self.reader.errors() == before).then_some(expect)
    }

    pub(super) fn statuses(&mut self, fields: &mut Fields<'_>, names: &Names) -> Vec<Status> {
        fields.list("status").iter().filter_map(|node| self.status(node, names)).collect()
    }

    fn status(&mut self, node: &Node, names: &Names) -> Option<Status> {
        if node.as_str().is_some_and(|text| expression_in(text).is_some()) {
            let (value, kind) = self.value(node, names)?;
            return match (value, kind) {
                (Value::Expression(id), Kind::Any | Kind::Integer | Kind::Number | Kind::String) => {
                    Some(Status::Made(id))
                }
                (_, kind) => {
                    let message = format!("a status is a number or a class such as `2xx`, and this is {kind}");
                    self.reader.report(Diagnostic::error(Code::ExprKinds, node.at.clone(), message));
                    None
                }
            };
        }
        let found = Status::read(&node.to_json());
        if found.is_none() {
            let said = match &node.kind {
                NodeKind::Number(number) => number.to_string(),
                NodeKind::String(text) => format!("`{text}`"),
                _ => node.sort().to_owned(),
            };
            let meant = node.as_str().and_then(|text| {
                let small = text.to_lowercase();
                let digits = small.trim();
                let class =
                    digits.len() == 3 && digits.ends_with("xx") && digits.starts_with(['1', '2', '3', '4', '5']);
                (class || digits.parse::<u16>().is_ok_and(|code| (100..600).contains(&code))).then(|| digits.to_owned())
            });
            let message = format!("a status is a number from 100 to 599, or a class such as `2xx`, not {said}");
            let diagnostic = Diagnostic::error(Code::ValueWrong, node.at.clone(), message).suggest(meant);
            self.reader.report(diagnostic);
        }
        found
    }

    fn fault_named(&mut self, fields: &mut Fields<'_>) -> Option<Spanned<String>> {
        let name = fields.text("fault", &mut self.reader.diagnostics)?;
        if FAULTS.contains(&name.value.as_str()) {
            return Some(name);
        }
        let message = format!("no call fails with `{}`", name.value);
        let part = || FAULTS.iter().find(|fault| name.value.len() > 2 && fault.contains(name.value.as_str()));
        let meant = nearest(&name.value, FAULTS).or_else(|| part().map(|fault| (*fault).to_owned()));
        let diagnostic = Diagnostic::error(Code::NameUnknown, name.at.clone(), message).suggest(meant);
        self.reader.report(diagnostic.help(format!("it is {}", one_of(FAULTS))));
        None
    }

    pub(super) fn conditions(&mut self, fields: &mut Fields<'_>, names: &Names) -> Vec<crate::expr::ExprId> {
        fields.list("that").iter().filter_map(|node| self.condition(node, names)).collect()
    }

    fn contract(&mut self, fields: &mut Fields<'_>) -> Option<Spanned<String>> {
        let contract = fields.text("contract", &mut self.reader.diagnostics)?;
        if Provenance::HEADERS.contains(&contract.value.as_str()) {
            return Some(contract);
        }
        let message = format!("there is no contract `{}`", contract.value);
        let diagnostic = Diagnostic::error(Code::ValueWrong, contract.at, message);
        let diagnostic = diagnostic.suggest(nearest(&contract.value, Provenance::HEADERS));
        self.reader.report(diagnostic.help(format!("it is {}", one_of(Provenance::HEADERS))));
        None
    }

    /// Patterns of exchanges or deliveries, each with how many there must be.
    fn patterns(&mut self, what: &'static str, fields: &mut Fields<'_>, scope: &Scope) -> Vec<(Count, Value)> {
        let (noun, known): (_, &[&'static str]) = match what {
            "journal" => ("an item of `journal`", &OF_EXCHANGES),
            _ => ("an item of `deliveries`", &OF_DELIVERIES),
        };
        let mut all = Vec::new();
        for node in fields.list(what) {
            let Some(mut fields) = Fields::of(node, noun, &mut self.reader.diagnostics) else { continue };
            let count = self.counted(&mut fields);
            let mut members = Vec::new();
            for name in known {
                let Some(node) = fields.take(name) else { continue };
                let Some((value, _)) = self.value(node, &scope.names) else { continue };
                let value = self.named_in_pattern(name, node, value, &mut fields, scope);
                members.extend(value.map(|value| ((*name).to_owned(), value)));
            }
            fields.finish(&mut self.reader.diagnostics);
            let written: Option<serde_json::Map<String, Json>> =
                members.iter().map(|(name, value)| Some((name.clone(), value.written()?.clone()))).collect();
            let value = written.map_or(Value::Map(members), |written| Value::Written(Json::Object(written)));
            all.push((count, value));
        }
        all
    }

    /// Operations may be named by their titles; webhooks, packs and contracts are those that there are.
    fn named_in_pattern(
        &mut self,
        name: &str,
        node: &Node,
        value: Value,
        fields: &mut Fields<'_>,
        scope: &Scope,
    ) -> Option<Value> {
        let Some(text) = value.written().and_then(Json::as_str).map(str::to_owned) else { return Some(value) };
        let text = Spanned { value: text, at: node.at.clone() };
        let pack = match fields.take("pack").and_then(|node| Some((node.as_str()?, node))) {
            Some((name, _)) => self.reader.ground.packs.iter().position(|(pack, _)| *pack.name == *name),
            None => scope.pack,
        };
        match name {
            "pack" => self.reader.pack_named(&text).map(|_| value),
            "operation" => {
                let (index, id) = self.operation_named(pack?, &text)?;
                Some(Value::Written((&*self.reader.pack(index).operation(id).name).into()))
            }
            "webhook" => {
                self.webhook_named(pack?, &text)?;
                Some(value)
            }
            _ => Some(value),
        }
    }

    /// `count`: a number, or `{least, most}`.
    pub(super) fn counted(&mut self, fields: &mut Fields<'_>) -> Count {
        let Some(node) = fields.take("count") else { return Count::SOME };
        let whole = |node: &Node| match &node.kind {
            NodeKind::Number(number) => number.as_u64(),
            _ => None,
        };
        if let Some(exactly) = whole(node) {
            return Count { least: exactly, most: Some(exactly) };
        }
        if !matches!(node.kind, NodeKind::Map(_)) {
            wrong_kind(node, "`count` is a whole number, or `{ least: 1, most: 3 }`", &mut self.reader.diagnostics);
            return Count::SOME;
        }
        let Some(mut fields) = Fields::of(node, "a count", &mut self.reader.diagnostics) else { return Count::SOME };
        let mut bound = |name: &'static str| {
            let node = fields.take(name)?;
            if whole(node).is_none() {
                wrong_kind(node, &format!("`{name}` is a whole number"), &mut self.reader.diagnostics);
            }
            whole(node)
        };
        let (least, most) = (bound("least"), bound("most"));
        fields.finish(&mut self.reader.diagnostics);
        let count = Count { least: least.unwrap_or(0), most };
        if let Some(most) = most.filter(|most| *most < count.least) {
            let message = format!("at least {} and at most {most}: no number is both", count.least);
            self.reader.error(Code::ValueWrong, &node.at, message);
        } else if count.least == 0 && most.is_none() {
            let diagnostic = Diagnostic::error(Code::ValueWrong, node.at.clone(), "every number of them would do");
            self.reader.report(diagnostic.help("say how many there are at least or at most"));
        }
        count
    }

    pub(super) fn webhook_named(&mut self, pack: usize, name: &Spanned<String>) -> Option<usize> {
        let pack = self.reader.pack(pack);
        let found = pack.webhooks.iter().position(|webhook| *webhook.name == *name.value);
        if found.is_none() {
            let known: Vec<&str> = pack.webhooks.iter().map(|webhook| &*webhook.name).collect();
            self.reader.unknown("webhook", name, &known);
        }
        found
    }
}

impl Story<'_, '_> {
    /// An operation, for messages.
    pub(super) fn title(&self, pack: usize, id: OperationId) -> Arc<str> {
        Arc::clone(&self.reader.pack(pack).operation(id).title)
    }
}

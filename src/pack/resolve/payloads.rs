//! Payloads: documented bodies of webhooks, and what each comes of.

use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::Resolver;
use super::examples::{is_declared, request_of};
use super::operations::Parts;
use crate::diagnostic::{Code, Diagnostic, FileId, Location, nearest, there_are};
use crate::exchange::segments;
use crate::pack::source::{CauseSource, Key, Node, NodeKind, PayloadSide, Spanned};
use crate::pack::{Cause, Content, OperationId, Payload, Webhook};
use crate::schema::Place;

impl Resolver<'_> {
    pub(super) fn payload(
        &mut self,
        path: &str,
        file: FileId,
        (name, variant): (&str, Option<&str>),
        parts: &Parts,
    ) -> Option<Payload> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let own = |(known, stem): &(String, String)| known == folder && stem == name;
        let Some(webhook) = parts.webhook_files.iter().position(own) else {
            match parts.broken_webhooks.iter().any(own) {
                true => self.read_only(path, file),
                false => self.no_webhook(path, file, (folder, name), parts),
            }
            return None;
        };
        self.used.insert(path.to_owned());
        let json = match path.ends_with(".json") {
            true => self.document(path),
            false => None,
        };
        let before = self.diagnostics.len();
        let side = self.side_node(path).and_then(|node| PayloadSide::read(&node, &mut self.diagnostics));
        let clean = self.diagnostics.len() == before;
        let PayloadSide { side, cause, to, sent } = side.unwrap_or_default();
        if cause.is_none() && side.fragment.is_none() && clean {
            let at = side.at.clone().unwrap_or_else(|| Location::whole(file));
            let at = Location::new(at.file, at.range.start..at.range.start);
            let message = "nothing says what this payload comes of";
            let help = "write `cause: { event: … }` or `cause: { operation: … }` into its side file";
            self.report(Diagnostic::error(Code::KeyMissing, at, message).help(help));
        }
        let cause = cause.and_then(|cause| match cause {
            CauseSource::Event { name, input } => self.event_cause(&name, input.as_ref(), parts),
            CauseSource::Operation(name) => {
                let operation = self.operation_cause(&name, parts)?;
                let request = |variant| request_of(&parts.examples, operation, variant);
                let request = (!side.has_body()).then(|| request(variant).or_else(|| request(None))).flatten();
                Some(Cause::Call { operation, request })
            }
        });
        self.check_sent(&sent, &parts.webhooks[webhook]);
        Some(Payload {
            verbatim: self.verbatim(path),
            path: path.into(),
            webhook,
            text: self.sources.text(file).into(),
            json,
            side,
            cause,
            to,
            headers: sent,
            at: Location::whole(file),
        })
    }

    fn no_webhook(&mut self, path: &str, file: FileId, (folder, name): (&str, &str), parts: &Parts) {
        let all = parts.webhook_files.iter().chain(&parts.broken_webhooks);
        let known: Vec<&str> = all.filter(|(known, _)| known == folder).map(|(_, stem)| stem.as_str()).collect();
        // Folders without webhooks hold what other files name.
        if known.is_empty() {
            return;
        }
        self.used.insert(path.to_owned());
        let message = format!("there is no webhook `{folder}/{name}.webhook.yaml` that would send this payload");
        let diagnostic = Diagnostic::error(Code::ExampleMissing, Location::whole(file), message)
            .suggest(nearest(name, known))
            .help("a payload is named after its webhook: `<webhook>.payload.json`");
        self.report(diagnostic);
    }

    fn event_cause(&mut self, name: &Spanned<String>, input: Option<&Node>, parts: &Parts) -> Option<Cause> {
        let known = self.event_names();
        self.lookup("event", name, &known)?;
        let event = parts.events.iter().position(|event| *event.name == *name.value)?;
        let given = input.map_or_else(|| Value::Object(serde_json::Map::new()), Node::to_json);
        let declared = parts.events[event].input.as_ref();
        let names: Vec<&str> =
            declared.into_iter().flat_map(|input| &input.known).map(|known| known.name.as_str()).collect();
        // What is no mapping has been reported.
        let (members, mut unknown): (&[_], bool) = match input.map(|node| &node.kind) {
            Some(NodeKind::Map(members)) => (members, false),
            Some(_) => (&[], true),
            None => (&[], false),
        };
        for (key, _) in members.iter().filter(|(key, _)| !names.contains(&key.name.as_str())) {
            unknown = true;
            let message = format!("the event `{}` has no parameter `{}`", name.value, key.name);
            let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message)
                .suggest(nearest(&key.name, names.iter().copied()))
                .help(there_are(names.iter().copied()));
            self.report(diagnostic);
        }
        let violations = declared.map(|declared| declared.schema.violations(&given, Place::Body));
        // A parameter under another name is wrong, not missing.
        for violation in violations.into_iter().flatten().filter(|_| !unknown) {
            let at = input.map_or(&name.at, |node| &node.nearest(&segments(&violation.pointer)).at).clone();
            let message = format!("`{}` cannot be fired so: {}", name.value, violation.message);
            self.error(Code::ValueWrong, &at, message);
        }
        Some(Cause::Event { event, input: given })
    }

    fn operation_cause(&mut self, name: &Spanned<String>, parts: &Parts) -> Option<OperationId> {
        let names = |files: &[(String, String)]| -> Vec<String> {
            files.iter().map(|(folder, stem)| format!("{folder}/{stem}")).collect()
        };
        // Of one that cannot be read enough has been said.
        if names(&parts.broken_files).contains(&name.value) {
            return None;
        }
        self.lookup("operation", name, &names(&parts.operation_files)).map(OperationId)
    }

    /// Headers that are compared are headers that are sent.
    fn check_sent(&mut self, sent: &[(Key, Spanned<String>)], webhook: &Webhook) {
        let own = webhook.headers.iter().map(|(name, _)| name.as_str());
        let signature = webhook.signature.iter().map(|signature| signature.header.as_str());
        let names: Vec<&str> = own.chain(signature).chain([CONTENT_TYPE.as_str()]).collect();
        for (key, _) in sent.iter().filter(|(key, _)| !names.iter().any(|name| key.name.eq_ignore_ascii_case(name))) {
            let message = format!("the webhook `{}` sends no header `{}`", webhook.name, key.name);
            let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message)
                .suggest(nearest(&key.name.to_ascii_lowercase(), names.iter().copied()))
                .help(there_are(names.iter().copied()));
            self.report(diagnostic);
        }
    }

    /// Payloads against the schemas that are said to describe them. The payload is never at fault.
    pub(super) fn check_payloads(&mut self, parts: &Parts) {
        let mut faults = Vec::new();
        for payload in parts.payloads.iter().filter(|payload| payload.side.fragment.is_none()) {
            let webhook = &parts.webhooks[payload.webhook];
            let (Some(json), Some(schema), false) =
                (&payload.json, &webhook.schema, matches!(webhook.body, Content::Empty))
            else {
                continue;
            };
            let violations = self.library.violations(schema, json, Place::Response).into_iter();
            let undeclared = violations.filter(|violation| !is_declared(violation, &payload.side));
            faults.extend(undeclared.map(|violation| (payload.path.to_string(), violation)));
        }
        self.misfits(faults);
    }
}

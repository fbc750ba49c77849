//! Example files with their side files, and which of them make an exchange to replay.

use std::sync::Arc;

use super::Resolver;
use super::operations::Parts;
use crate::diagnostic::{Code, Diagnostic, FileId, Location, nearest};
use crate::pack::source::{ExampleSource, Node, PayloadSide, Side, payload_of};
use crate::pack::{Content, Example, OperationId, Options, Replay};
use crate::schema::{Place, Violation};

impl Resolver<'_> {
    pub(super) fn examples(&mut self, parts: &mut Parts) {
        self.check_verbatim();
        let files: Vec<(String, FileId)> = self.fixtures.iter().map(|(path, id)| ((*path).to_owned(), *id)).collect();
        let mut payloads = Vec::new();
        for (path, file) in &files {
            let Some((folder, name)) = path.rsplit_once('/') else { continue };
            let by_itself = [".event.yaml", ".webhook.yaml"].iter().any(|end| name.ends_with(end));
            if path.starts_with("scenarios/") || by_itself || self.corrected(path).is_some() {
                continue;
            }
            if let Some((webhook, variant)) = payload_of(name) {
                let own = |(known, stem): &(String, String)| known == folder && stem == webhook;
                match name.ends_with(".yaml") {
                    true if parts.broken_webhooks.iter().any(own) => self.read_only(path, *file),
                    true => self.lone_side_file(path, *file),
                    false => payloads.push((path.as_str(), *file, webhook, variant)),
                }
                continue;
            }
            let Some(found) = ExampleSource::of_file(name) else { continue };
            let operation =
                parts.operation_files.iter().position(|(known, stem)| known == folder && *stem == found.operation);
            let broken = parts.broken_files.iter().any(|(known, stem)| known == folder && *stem == found.operation);
            let Some(operation) = operation else {
                match broken {
                    true => self.read_only(path, *file),
                    false => self.no_operation(path, *file, folder, &found, parts),
                }
                continue;
            };
            if name.ends_with(".yaml") {
                self.lone_side_file(path, *file);
                continue;
            }
            self.used.insert(path.clone());
            let example = self.example(path, *file, found, OperationId(operation));
            parts.examples.push(example);
        }
        parts.replays = replays(&parts.examples);
        for (path, file, webhook, variant) in payloads {
            let payload = self.payload(path, file, (webhook, variant), parts);
            parts.payloads.extend(payload);
        }
        self.check_examples(parts);
        self.check_payloads(parts);
        self.check_sides(parts);
    }

    fn no_operation(&mut self, path: &str, file: FileId, folder: &str, found: &ExampleSource, parts: &Parts) {
        let all = parts.operation_files.iter().chain(&parts.broken_files);
        let known: Vec<&str> = all.filter(|(known, _)| known == folder).map(|(_, stem)| stem.as_str()).collect();
        // Folders without operations hold what other files name.
        if known.is_empty() {
            return;
        }
        self.used.insert(path.to_owned());
        // One message for all examples of one operation.
        if !self.told_operations.insert(format!("{folder}/{}", found.operation)) {
            return;
        }
        let message =
            format!("there is no operation `{folder}/{}.yaml` that this would be an example of", found.operation);
        let diagnostic = Diagnostic::error(Code::ExampleMissing, Location::whole(file), message)
            .suggest(nearest(&found.operation, known))
            .help("an example is named after its operation: `<operation>.<status>.json` or `<operation>.request.json`");
        self.report(diagnostic);
    }

    /// An example of an operation that is broken: it is looked at by itself.
    pub(super) fn read_only(&mut self, path: &str, file: FileId) {
        self.used.insert(path.to_owned());
        if path.ends_with(".json") {
            self.document(path);
        } else if path.ends_with(".yaml")
            && let Some(node) = self.yaml(file)
        {
            match path.rsplit('/').next().and_then(payload_of) {
                Some(_) => drop(PayloadSide::read(&node, &mut self.diagnostics)),
                None => drop(Side::read(&node, &mut self.diagnostics)),
            }
        }
    }

    fn lone_side_file(&mut self, path: &str, file: FileId) {
        self.used.insert(path.to_owned());
        let stem = path.trim_end_matches(".yaml");
        let beside = |end: &str| self.fixtures.contains_key(format!("{stem}.{end}").as_str());
        if !["json", "html", "txt"].into_iter().any(beside) {
            // An answer that names the example has said so.
            let missed = format!("there is no file `{stem}.json`");
            if self.diagnostics.iter().any(|found| found.message == missed) {
                return;
            }
            let message = format!("there is no example `{stem}.json` that this would describe");
            let help = "a side file has the name of its example";
            self.report(Diagnostic::error(Code::ExampleMissing, Location::whole(file), message).help(help));
        }
    }

    fn example(&mut self, path: &str, file: FileId, found: ExampleSource, operation: OperationId) -> Example {
        let json = match path.ends_with(".json") {
            true => self.document(path),
            false => None,
        };
        let side = self.side_node(path).and_then(|node| Side::read(&node, &mut self.diagnostics));
        Example {
            verbatim: self.verbatim(path),
            path: path.into(),
            operation,
            status: found.status,
            variant: found.variant,
            text: self.sources.text(file).into(),
            json,
            side: side.unwrap_or_default(),
            at: Location::whole(file),
        }
    }

    /// What stands in the side file of an example.
    pub(super) fn side_node(&mut self, path: &str) -> Option<Node> {
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let side = self.fixtures.get(format!("{stem}.yaml").as_str()).copied()?;
        self.yaml(side)
    }

    /// The documentation's own bytes, where an example corrects them.
    pub(super) fn verbatim(&self, path: &str) -> Option<Arc<str>> {
        let own = format!("{}.txt", path.strip_suffix(".json")?);
        self.fixtures.contains_key(own.as_str()).then(|| own.into())
    }

    /// Examples against the schemas that are said to describe them. The example is never at fault.
    fn check_examples(&mut self, parts: &Parts) {
        let mut faults = Vec::new();
        for (index, example) in parts.examples.iter().enumerate() {
            let operation = &parts.operations[example.operation.0];
            let Some(json) = &example.json else { continue };
            if example.side.fragment.is_some() || example.side.around.is_some() {
                continue;
            }
            let violations = match example.status {
                None => {
                    let refused = parts.replays.iter().any(|replay| {
                        replay.request == Some(index)
                            && replay.answer.is_some_and(|answer| parts.examples[answer].status >= Some(400))
                    });
                    match &operation.body {
                        Some(body) if !refused => {
                            let sent = parts.replays.iter().filter(|replay| replay.request == Some(index));
                            let options: Vec<Options> = sent.map(|replay| self.side_options(parts, replay)).collect();
                            let tolerated = |violation: &Violation| {
                                let row = |options| parts.rows.iter().find(|row| row.fits(violation, options));
                                options.iter().any(|options| row(options).is_some_and(|row| row.error().is_none()))
                            };
                            let mut read = json.as_ref().clone();
                            // Keys that collide are found when the request is replayed.
                            let _ = operation.ignore_case.iter().try_for_each(|rule| rule.normalise(&mut read));
                            let mut violations = self.library.violations(&body.schema, &read, Place::Body);
                            violations.retain(|violation| !tolerated(violation));
                            violations
                        }
                        _ => Vec::new(),
                    }
                }
                Some(status) => {
                    // Which of several cases the example shows is known when it is replayed; here it must fit one.
                    let replies = operation.replies.iter().filter(|reply| reply.status.as_u16() == status);
                    let replies = replies.filter(|reply| !matches!(reply.body, Content::Empty));
                    let schemas = || replies.clone().filter_map(|reply| reply.schema.as_ref());
                    if schemas().any(|schema| self.library.fits(schema, json)) {
                        continue;
                    }
                    let violations = schemas().map(|schema| schema.violations(json, Place::Response));
                    violations.min_by_key(Vec::len).unwrap_or_default()
                }
            };
            let undeclared = |violation: &Violation| !is_declared(violation, &example.side);
            let violations = violations.into_iter().filter(undeclared);
            faults.extend(violations.map(|violation| (example.path.to_string(), violation)));
        }
        self.misfits(faults);
    }

    /// Examples with places that do not fit their schemas.
    pub(super) fn misfits(&mut self, faults: Vec<(String, Violation)>) {
        for (path, violation) in faults {
            let at = self.json_place(&path, &crate::exchange::segments(&violation.pointer));
            let pointer = if violation.pointer.is_empty() { "the example" } else { &violation.pointer };
            let message = format!("`{pointer}` does not fit its schema: {}", violation.message)
                .replace("`the example`", "the example");
            let help = format!(
                "the schema says so at {}; an example shows what the documentation shows, so mend the schema, or declare `{}` under `differs` in the side file",
                violation.schema, violation.pointer
            );
            self.report(Diagnostic::error(Code::ExampleSchema, at, message).help(help));
        }
    }
}

/// A part of something else is nothing to send.
fn part(example: &Example) -> bool {
    example.side.fragment.is_some() && example.side.around.is_none()
}

/// The documented request of an operation with this variant.
pub(super) fn request_of(examples: &[Example], operation: OperationId, variant: Option<&str>) -> Option<usize> {
    examples.iter().position(|example| {
        example.operation == operation
            && example.status.is_none()
            && example.variant.as_deref() == variant
            && !part(example)
    })
}

/// Whether a side file says that a place of its example differs, or is not there.
pub(super) fn is_declared(violation: &Violation, side: &Side) -> bool {
    side.differs.iter().chain(&side.absent).any(|(key, _)| violation.pointer.starts_with(&key.name))
}

/// Answers with their requests; then the requests that no answer belongs to.
fn replays(examples: &[Example]) -> Vec<Replay> {
    let request = |operation: OperationId, variant: Option<&str>| request_of(examples, operation, variant);
    let mut replays = Vec::new();
    let mut paired = Vec::new();
    for (index, example) in examples.iter().enumerate() {
        let Some(status) = example.status else { continue };
        if part(example) {
            continue;
        }
        let own = example.side.has_body();
        let same = request(example.operation, example.variant.as_deref());
        let found = match (own, same) {
            (true, _) => None,
            (false, Some(same)) => Some(same),
            (false, None) if status < 400 => request(example.operation, None),
            (false, None) => None,
        };
        paired.extend(found);
        replays.push(Replay { answer: Some(index), request: found });
    }
    for (index, example) in examples.iter().enumerate() {
        if example.status.is_none() && !paired.contains(&index) && example.side.fragment.is_none() {
            replays.push(Replay { answer: None, request: Some(index) });
        }
    }
    replays
}

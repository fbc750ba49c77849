//! Whether enough was exercised, and nothing came that should not.

use super::{Assumed, Listed, OperationItem, Report, Undocumented, Violation};

/// How many things are named of those that are missing.
const NAMED: usize = 20;

/// What is asked of a report.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Bar {
    /// At least so many of a hundred items.
    pub(crate) under: Option<f64>,
    /// None of these.
    pub(crate) on: Vec<Kind>,
}

/// What a server is not to be sent, or to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Violation,
    Assumed,
    Undocumented,
}

impl Bar {
    /// What is wrong, in words; nothing where all is well.
    pub(crate) fn judge(&self, report: &Report) -> Option<String> {
        let mut words = String::new();
        if let Some(under) = self.under {
            words.push_str(&too_few(report, under).unwrap_or_default());
        }
        for kind in &self.on {
            words.push_str(&kind.found(report).unwrap_or_default());
        }
        (!words.is_empty()).then_some(words)
    }
}

impl Kind {
    fn found(self, report: &Report) -> Option<String> {
        match self {
            Kind::Violation => {
                let line = |one: &Violation| (one.words(), one.hits);
                found("requests did not fit the contract", &report.violations, line)
            }
            Kind::Assumed => {
                let line = |one: &Assumed| (one.words(), one.hits);
                found("answers were given that no documentation promises", &report.assumed, line)
            }
            Kind::Undocumented => {
                let line = |one: &Undocumented| (one.words(), one.hits);
                found("requests came that no operation answers", &report.undocumented, line)
            }
        }
    }
}

fn found<T>(head: &str, listed: &Listed<T>, line: impl Fn(&T) -> (String, u64)) -> Option<String> {
    if listed.is_empty() {
        return None;
    }
    let lines = listed.records.iter().map(line).map(|(words, hits)| format!("{words}, {}", times(hits)));
    let others = if listed.more > 0 { format!("  and others, {}\n", times(listed.more)) } else { String::new() };
    Some(format!("{head}:\n{}{others}", some(&lines.collect::<Vec<_>>())))
}

/// The first lines, and how many there are besides.
fn some(lines: &[String]) -> String {
    let mut words: String = lines.iter().take(NAMED).map(|line| format!("  {line}\n")).collect();
    if lines.len() > NAMED {
        words.push_str(&format!("  and {} more\n", lines.len() - NAMED));
    }
    words
}

fn times(hits: u64) -> String {
    if hits == 1 { "once".to_owned() } else { format!("{hits} times") }
}

fn too_few(report: &Report, under: f64) -> Option<String> {
    let items = report.summary.items;
    let counted = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if counted(items.exercised) * 100.0 >= under * counted(items.total) {
        return None;
    }
    let missing: Vec<String> = report
        .packs
        .iter()
        .flat_map(|pack| pack.operations.iter().flat_map(|operation| missing(&pack.pack, operation)))
        .collect();
    let (exercised, total, percent) = (items.exercised, items.total, report.summary.percent);
    Some(format!(
        "{exercised} of {total} items were exercised, {percent:.1} %, and {under} % are asked for; not exercised:\n{}  \
         an answer without its cause: the request with the header `Prefer: code=STATUS` or `Prefer: example=NAME`\n",
        some(&missing)
    ))
}

/// What of an operation is to be exercised yet, with the request for it.
fn missing(pack: &str, operation: &OperationItem) -> Vec<String> {
    let OperationItem { operation: id, method, path, statuses, examples, errors, .. } = operation;
    let request = format!("{method} /{pack}{path}");
    let mut lines = Vec::new();
    if operation.hits == 0 && operation.contract.counts() {
        lines.push(format!("operation {id}: {request}"));
    }
    for item in statuses.iter().filter(|item| item.hits == 0 && item.contract.counts()) {
        lines.push(format!("status {} of {id}: {request}, answered with {}", item.status, item.status));
    }
    for item in examples.iter().filter(|item| item.hits == 0 && item.contract.counts()) {
        lines.push(format!("example {pack}/{}: {request}, answered with {} as it shows", item.example, item.status));
    }
    for item in errors.iter().filter(|item| item.hits == 0 && item.contract.counts()) {
        let cause = if item.fault { ", by a fault" } else { "" };
        let (error, status, at) = (&item.error, item.status, format!("{}:{}", item.at.file, item.at.line));
        lines.push(format!("error {error} of {id}: {request}, answered with {status}{cause} ({at})"));
    }
    lines
}

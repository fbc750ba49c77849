//! What `standin check` prints.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::junit::{self, Case, Suite};

/// One replay, or one thing that was tried on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Result {
    pub(crate) name: String,
    /// Empty when all is as documented.
    pub(crate) findings: Vec<String>,
    /// Declared differences.
    pub(crate) declared: usize,
    /// What was sent and answered, for failures.
    pub(crate) notes: Vec<String>,
}

/// All that was found in one pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackReport {
    pub(crate) pack: String,
    pub(crate) operations: usize,
    pub(crate) examples: usize,
    pub(crate) warnings: usize,
    /// Examples that are parts of others, each with the reason why it is not replayed by itself.
    pub(crate) fragments: Vec<(String, String)>,
    pub(crate) results: Vec<Result>,
}

impl PackReport {
    pub(crate) fn failed(&self) -> usize {
        self.results.iter().filter(|result| !result.findings.is_empty()).count()
    }

    fn declared(&self) -> usize {
        self.results.iter().map(|result| result.declared).sum()
    }
}

/// Failures with their reasons, then a line per pack.
pub(crate) fn text(reports: &[PackReport]) -> String {
    let mut out = String::new();
    for result in reports.iter().flat_map(|report| &report.results).filter(|result| !result.findings.is_empty()) {
        let _ = writeln!(out, "failed: {}", result.name);
        for finding in &result.findings {
            let _ = writeln!(out, "  - {finding}");
        }
        for note in &result.notes {
            let _ = writeln!(out, "    {note}");
        }
    }
    let _ = writeln!(
        out,
        "{:<20} {:>10} {:>8} {:>6} {:>6} {:>8} {:>8}",
        "pack", "operations", "examples", "checks", "failed", "declared", "warnings"
    );
    for report in reports {
        let _ = writeln!(
            out,
            "{:<20} {:>10} {:>8} {:>6} {:>6} {:>8} {:>8}",
            report.pack,
            report.operations,
            report.examples,
            report.results.len(),
            report.failed(),
            report.declared(),
            report.warnings,
        );
    }
    out
}

pub(crate) fn to_json(reports: &[PackReport]) -> Json {
    let report = |report: &PackReport| {
        let results: Vec<Json> = report
            .results
            .iter()
            .map(|result| json!({ "name": result.name, "passed": result.findings.is_empty(), "findings": result.findings, "declared": result.declared }))
            .collect();
        json!({
            "pack": report.pack,
            "operations": report.operations,
            "examples": report.examples,
            "warnings": report.warnings,
            "failed": report.failed(),
            "declared": report.declared(),
            "fragments": report.fragments.iter().map(|(name, reason)| json!({ "name": name, "reason": reason })).collect::<Vec<_>>(),
            "results": results,
        })
    };
    reports.iter().map(report).collect()
}

/// JUnit's XML: a suite per pack, a case per replay.
pub(crate) fn junit(reports: &[PackReport]) -> String {
    let case = |pack: &str, result: &Result| Case {
        name: result.name.clone(),
        class: pack.to_owned(),
        place: None,
        took: None,
        properties: Vec::new(),
        result: match &*result.findings {
            [] => junit::Result::Passed,
            findings => junit::Result::Failed { message: findings.join("; "), text: result.notes.join("\n") },
        },
        printed: String::new(),
    };
    let suite = |report: &PackReport| Suite {
        name: report.pack.clone(),
        cases: report.results.iter().map(|result| case(&report.pack, result)).collect(),
        ..Suite::default()
    };
    junit::write("standin check", &reports.iter().map(suite).collect::<Vec<_>>())
}

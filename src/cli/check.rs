//! `standin check`

use std::sync::Arc;

use serde_json::json;

use super::Exit;
use super::args::{Check, Format};
use super::output::{err, out};
use super::packs;
use crate::check::{self, CaseResult, PackReport};
use crate::diagnostic::{Diagnostic, Severity, render, to_json};
use crate::pack::{self, Loaded};

pub(super) fn run(arguments: &Check) -> Exit {
    let all = match packs::read(&arguments.packs) {
        Ok(all) => all,
        Err(exit) => return exit,
    };
    let mut reports = Vec::new();
    let mut diagnostics = Vec::new();
    let mut broken = false;
    let mut hint = None;
    for files in &all {
        let loaded = pack::load(files);
        let warnings = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning).count();
        if arguments.format == Format::Json {
            diagnostics.extend(to_json(&loaded.diagnostics, loaded.sources()).as_array().cloned().unwrap_or_default());
            broken |= loaded.pack.is_none();
        } else {
            broken |= !packs::tell(&loaded);
            hint = hint.or(loaded.diagnostics.first().map(|diagnostic| diagnostic.code.name()));
        }
        let unserved = if arguments.format == Format::Junit { failures(&loaded) } else { vec![unserved(&loaded)] };
        let Some(pack) = loaded.pack.map(Arc::new) else {
            let results = unserved;
            let fragments = Vec::new();
            reports.push(PackReport { pack: loaded.name, operations: 0, examples: 0, warnings, fragments, results });
            continue;
        };
        let mut results = check::replay(&pack);
        if arguments.mutate {
            results.extend(check::mutate(&pack, files));
        }
        reports.push(PackReport {
            pack: pack.name.to_string(),
            operations: pack.operations.len(),
            examples: pack.examples.len() + pack.payloads.len(),
            warnings,
            fragments: check::fragments(&pack),
            results,
        });
    }
    if let Some(code) = hint {
        err(&format!("`standin explain {code}` says more about a code\n"));
    }
    match arguments.format {
        Format::Text => out(&check::text(&reports)),
        Format::Json => {
            let report = json!({ "diagnostics": diagnostics, "packs": check::to_json(&reports) });
            out(&format!("{report:#}\n"));
        }
        Format::Junit => out(&check::junit(&reports)),
    }
    match (broken, reports.iter().any(|report| report.failed() > 0)) {
        (true, _) => Exit::Broken,
        (false, true) => Exit::Failed,
        (false, false) => Exit::Good,
    }
}

/// The one line of a pack that has errors, which are told elsewhere.
fn unserved(loaded: &Loaded) -> CaseResult {
    let errors = loaded.errors();
    let findings = vec![format!("the pack has {errors} error{}", if errors == 1 { "" } else { "s" })];
    CaseResult { name: loaded.name.clone(), findings, declared: 0, notes: Vec::new() }
}

/// A failure for each error, named by its place and with the excerpt: readers of JUnit see nothing else.
fn failures(loaded: &Loaded) -> Vec<CaseResult> {
    let errors = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let failure = |diagnostic: &Diagnostic| {
        let place = diagnostic.location.as_ref().map_or_else(|| loaded.name.clone(), |at| loaded.sources().place(at));
        CaseResult {
            name: format!("{place} {}", diagnostic.code.name()),
            findings: vec![diagnostic.message.clone()],
            declared: 0,
            notes: vec![render(std::slice::from_ref(diagnostic), loaded.sources(), false)],
        }
    };
    errors.map(failure).collect()
}

//! `standin check`

use std::sync::Arc;

use serde_json::json;

use super::Exit;
use super::args::{Check, Format};
use super::output::out;
use super::packs;
use crate::check::{self, CaseResult, PackReport};
use crate::diagnostic::{Severity, to_json};
use crate::pack;

pub(super) fn run(arguments: &Check) -> Exit {
    let all = match packs::read(&arguments.packs) {
        Ok(all) => all,
        Err(exit) => return exit,
    };
    let mut reports = Vec::new();
    let mut diagnostics = Vec::new();
    let mut broken = false;
    for files in &all {
        let loaded = pack::load(files);
        let warnings = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning).count();
        if arguments.format == Format::Json {
            diagnostics.extend(to_json(&loaded.diagnostics, loaded.sources()).as_array().cloned().unwrap_or_default());
            broken |= loaded.pack.is_none();
        } else {
            broken |= !packs::tell(&loaded);
        }
        let Some(pack) = loaded.pack.map(Arc::new) else {
            let findings = vec!["the pack is broken: its mistakes are on standard error".to_owned()];
            let results = vec![CaseResult { name: loaded.name.clone(), findings, declared: 0, notes: Vec::new() }];
            reports.push(PackReport { pack: loaded.name, operations: 0, examples: 0, warnings, results });
            continue;
        };
        let mut results = check::replay(&pack);
        if arguments.mutate {
            results.extend(check::mutate(&pack, files));
        }
        reports.push(PackReport {
            pack: pack.name.to_string(),
            operations: pack.operations.len(),
            examples: pack.examples.len(),
            warnings,
            results,
        });
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

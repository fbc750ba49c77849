//! `standin check`

use std::sync::Arc;

use serde_json::json;

use super::Exit;
use super::args::{Check, Format, Packs};
use super::output::{err, out};
use super::{packs, scenarios};
use crate::check::{self, CaseResult, PackReport};
use crate::diagnostic::{Diagnostic, Severity, SourceMap, render, to_json};
use crate::pack;
use crate::scenario::{self, Ground, Read, Source};

pub(super) fn run(arguments: &Check) -> Exit {
    let all = match packs::read(&arguments.packs) {
        Ok(all) => all,
        Err(exit) => return exit,
    };
    let mut ground = Ground::default();
    let mut reports = Vec::new();
    let mut diagnostics = Vec::new();
    let mut broken = false;
    let mut hint = None;
    for (files, loaded) in all.iter().zip(packs::load(&all)) {
        let warnings = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning).count();
        if arguments.format == Format::Json {
            diagnostics.extend(to_json(&loaded.diagnostics, loaded.sources()).as_array().cloned().unwrap_or_default());
            broken |= loaded.pack.is_none();
        } else {
            broken |= !packs::tell(&loaded);
            hint = hint.or(loaded.diagnostics.first().map(|diagnostic| diagnostic.code.name()));
        }
        let unserved = match arguments.format {
            Format::Junit => failures(&loaded.name, &loaded.diagnostics, loaded.sources()),
            Format::Text | Format::Json => vec![wrong("the pack has", &loaded.name, loaded.errors())],
        };
        let Some(pack) = loaded.pack.map(Arc::new) else {
            ground.broken.push(files.folder.clone());
            let results = unserved;
            let fragments = Vec::new();
            reports.push(PackReport { pack: loaded.name, operations: 0, examples: 0, warnings, fragments, results });
            continue;
        };
        let mut results = check::replay(&pack);
        if arguments.mutate {
            results.extend(check::mutate(&pack, files));
        }
        ground.packs.push((Arc::clone(&pack), Arc::new(files.clone())));
        reports.push(PackReport {
            pack: pack.name.to_string(),
            operations: pack.operations.len(),
            examples: pack.examples.len() + pack.payloads.len(),
            warnings,
            fragments: check::fragments(&pack),
            results,
        });
    }
    let told = match scenarios_of(&arguments.packs, ground) {
        Ok(told) => told,
        Err(exit) => return exit,
    };
    for (pack, read) in &told {
        broken |= read.errors() > 0;
        match arguments.format {
            Format::Json => {
                diagnostics.extend(to_json(&read.diagnostics, &read.sources).as_array().cloned().unwrap_or_default());
            }
            Format::Text | Format::Junit => {
                scenarios::tell(pack, read);
                hint = hint.or(read.diagnostics.first().map(|diagnostic| diagnostic.code.name()));
            }
        }
        if let Some(report) = reports.iter_mut().find(|report| report.pack == *pack) {
            report.warnings += read.diagnostics.len() - read.errors();
            report.results.extend(match arguments.format {
                Format::Junit => failures(pack, &read.diagnostics, &read.sources),
                Format::Text | Format::Json => {
                    (read.errors() > 0).then(|| wrong("the scenarios have", pack, read.errors())).into_iter().collect()
                }
            });
        }
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

/// What came of reading the scenarios of each pack that is checked. They may be about other packs, too.
fn scenarios_of(arguments: &Packs, mut ground: Ground) -> Result<Vec<(String, Read)>, Exit> {
    let checked = ground.packs.len();
    if ground.packs.iter().all(|(_, files)| files.scenarios.is_empty()) {
        return Ok(Vec::new());
    }
    if !arguments.packs.is_empty() {
        for files in packs::all(&arguments.folders)? {
            let known = ground.packs.iter().any(|(_, known)| known.folder == files.folder);
            if known || ground.broken.contains(&files.folder) {
                continue;
            }
            match pack::load(&files).pack {
                Some(pack) => ground.packs.push((Arc::new(pack), Arc::new(files))),
                None => ground.broken.push(files.folder),
            }
        }
    }
    let found = scenarios::of_packs(&ground)?;
    let read = |index: usize| {
        let own: Vec<Source> = found.sources.iter().filter(|source| source.pack == Some(index)).cloned().collect();
        let name = ground.packs[index].0.name.to_string();
        (name, scenario::read(&own, &ground, &|path| found.include(path)))
    };
    Ok((0..checked).map(read).collect())
}

/// The one line about errors, which are told elsewhere.
fn wrong(what: &str, name: &str, errors: usize) -> CaseResult {
    let findings = vec![format!("{what} {errors} error{}", if errors == 1 { "" } else { "s" })];
    CaseResult { name: name.to_owned(), findings, declared: 0, notes: Vec::new() }
}

/// A failure for each error, named by its place and with the excerpt: readers of JUnit see nothing else.
fn failures(name: &str, diagnostics: &[Diagnostic], sources: &SourceMap) -> Vec<CaseResult> {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let failure = |diagnostic: &Diagnostic| {
        let place = diagnostic.location.as_ref().map_or_else(|| name.to_owned(), |at| sources.place(at));
        CaseResult {
            name: format!("{place} {}", diagnostic.code.name()),
            findings: vec![diagnostic.message.clone()],
            declared: 0,
            notes: vec![render(std::slice::from_ref(diagnostic), sources, false)],
        }
    };
    errors.map(failure).collect()
}

//! The Common Test Report Format (ctrf.io): one JSON file that tools of many test runners read.

use serde_json::{Value as Json, json};

use super::super::outcome::{Outcome, Run, Told, ToldStep};
use super::{scenarios, text};
use crate::clock::Instant;

pub(super) fn write(run: &Run, started: Instant) -> String {
    let start = started.micros() / 1000;
    let millis = |took: std::time::Duration| i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    let report = json!({
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "generatedBy": "standin run",
        "results": {
            "tool": {"name": "standin", "version": env!("CARGO_PKG_VERSION")},
            "summary": {
                "tests": run.told.len(),
                "passed": run.count(Outcome::Passed),
                // What could not be run is wrong as well: readers take `other` for what is no cause of concern.
                "failed": run.count(Outcome::Failed) + run.count(Outcome::Broken),
                "pending": 0,
                "skipped": run.count(Outcome::Skipped),
                "other": 0,
                "suites": scenarios(run),
                "start": start,
                "stop": start.saturating_add(millis(run.took)),
                "duration": millis(run.took),
                "extra": {"target": run.target},
            },
            "tests": run.told.iter().map(|told| test(told, millis(told.took))).collect::<Json>(),
        },
    });
    format!("{report:#}\n")
}

fn test(told: &Told, duration: i64) -> Json {
    let status = |outcome| match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed | Outcome::Broken => "failed",
        Outcome::Skipped => "skipped",
    };
    let step = |step: &ToldStep| {
        let status = if step.failure.is_none() { "passed" } else { status(told.outcome) };
        json!({"name": step.words, "status": status, "extra": {"place": step.place}})
    };
    let mut test = json!({
        "name": told.title(),
        "status": status(told.outcome),
        "rawStatus": told.outcome.word(),
        "duration": duration,
        "suite": [told.file, told.scenario],
        "type": "scenario",
        "filePath": told.file,
        "line": told.line,
        "tags": told.tags,
        "steps": told.steps.iter().map(step).collect::<Json>(),
        "extra": {"pack": told.pack, "sandbox": told.sandbox, "seed": told.seed, "again": told.again},
    });
    if told.outcome != Outcome::Passed {
        test["message"] = told.message().into();
    }
    if matches!(told.outcome, Outcome::Failed | Outcome::Broken) {
        test["trace"] = text::plain(&text::failure(told)).into();
    }
    if let Some(case) = &told.case {
        test["parameters"] = json!({"case": case});
    }
    test
}

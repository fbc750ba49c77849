//! Everything that is known of a run, as JSON. schemas/report/run.json describes it.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::super::outcome::{Failure, Miss, Outcome, Run, Shown, Told, ToldStep};
use super::scenarios;
use crate::clock::Instant;

/// The version of the format.
const VERSION: u32 = 1;

pub(super) fn write(run: &Run, started: Instant) -> String {
    let report = json!({
        "run": VERSION,
        "standin": env!("CARGO_PKG_VERSION"),
        "target": run.target,
        "started": started.to_string(),
        "tookMicros": micros(run.took),
        "totals": {
            "scenarios": scenarios(run),
            "runs": run.told.len(),
            "passed": run.count(Outcome::Passed),
            "failed": run.count(Outcome::Failed),
            "broken": run.count(Outcome::Broken),
            "skipped": run.count(Outcome::Skipped),
        },
        "runs": run.told.iter().map(of_told).collect::<Json>(),
    });
    format!("{report:#}\n")
}

fn of_told(told: &Told) -> Json {
    json!({
        "scenario": told.scenario,
        "case": told.case,
        "file": told.file,
        "line": told.line,
        "tags": told.tags,
        "pack": told.pack,
        "sandbox": told.sandbox,
        "seed": told.seed,
        "outcome": told.outcome.word(),
        "tookMicros": micros(told.took),
        "again": told.again,
        "steps": told.steps.iter().map(of_step).collect::<Json>(),
    })
}

fn of_step(step: &ToldStep) -> Json {
    json!({
        "place": step.place,
        "words": step.words,
        "depth": step.depth,
        "tookMicros": micros(step.took),
        "failure": step.failure.as_deref().map(of_failure),
    })
}

fn of_failure(failure: &Failure) -> Json {
    let misses = |all: &[Miss]| -> Json {
        all.iter().map(|miss| json!({"what": miss.what, "expected": miss.wanted, "found": miss.found})).collect()
    };
    let shown = |message: &Shown| {
        let headers = message.headers.iter().map(|(name, value)| json!([name, value]));
        json!({"line": message.line, "headers": headers.collect::<Json>(), "body": message.body})
    };
    let nearest = failure.nearest.as_ref();
    json!({
        "summary": failure.summary,
        "misses": misses(&failure.misses),
        "request": failure.request.as_ref().map(shown),
        "response": failure.response.as_ref().map(shown),
        "trace": failure.trace,
        "nearest": nearest.map(|near| json!({"example": near.example, "differences": misses(&near.differences)})),
        "help": failure.help,
    })
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

//! Mistakes in scenarios, each with the exact words that its author gets.
//!
//! Each file of `tests/cases/scenarios` is one scenario with one mistake, about the correct pack of
//! `tests/cases/diagnostics/base` with the files in `base` laid over it. What it includes besides is in a folder of its name.
//! Beside it stands what `standin check` then says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::diagnostics::check;
use crate::support;

const CASES: &str = "tests/cases/scenarios";

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(support::repository(CASES)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    files
}

/// The correct pack, with a case among its scenarios.
fn laid_out(case: Option<&Path>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    support::copy(&support::repository("tests/cases/diagnostics/base"), folder.path());
    let pack = folder.path().join("fixtures/shop");
    support::copy(&support::repository(CASES).join("base"), &pack);
    if let Some(case) = case {
        let name = case.file_stem().unwrap();
        fs::copy(case, pack.join("scenarios").join(case.file_name().unwrap())).unwrap();
        if case.with_extension("").is_dir() {
            support::copy(&case.with_extension(""), &pack.join("scenarios").join(name));
        }
    }
    folder
}

#[test]
fn every_mistake_in_a_scenario_is_told_in_these_words() {
    let (mut failures, cases) = (String::new(), cases());
    assert!(cases.len() >= 40, "{} cases", cases.len());
    for case in cases {
        let folder = laid_out(Some(&case));
        let output = check(folder.path(), &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        if !said.starts_with("error[") || said.contains("panicked") || output.status.code() != Some(3) {
            failures.push_str(&format!("{}: exit code {:?}\n{said}\n", case.display(), output.status.code()));
        }
        if let Err(difference) = support::golden(&case.with_extension("txt"), &said) {
            failures.push_str(&difference);
            failures.push('\n');
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn tools_are_told_what_is_wrong_with_a_scenario() {
    let folder = laid_out(Some(&support::repository(CASES).join("call-unknown.yaml")));
    let output = check(folder.path(), &["--format", "json"]);
    assert!(output.status.code() == Some(3) && output.stderr.is_empty(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = &report["diagnostics"][0];
    assert_eq!(found["at"]["file"], "fixtures/shop/scenarios/call-unknown.yaml");
    assert_eq!((&found["at"]["line"], &found["at"]["column"]), (&3.into(), &11.into()));
    assert_eq!(found["label"], "did you mean `List the items`?");
    let output = check(folder.path(), &["--format", "junit"]);
    let elements = crate::cli::well_formed(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(elements.iter().filter(|name| *name == "failure").count(), 1);
}

/// The cases differ from what is right in their mistake only.
#[test]
fn what_is_right_in_a_scenario_is_passed_over() {
    let folder = laid_out(None);
    let story =
        "scenario: A story\ninclude: setup/item.yaml\nsteps:\n  - call: Show an item\n    path: { id: = item }\n";
    fs::write(folder.path().join("fixtures/shop/scenarios/right.yaml"), story).unwrap();
    let output = check(folder.path(), &[]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && err.is_empty(), "{err}{out}");
}

/// What stands before steps of the page that use what others have kept.
const BEFORE: &str = "scenario: A part of one\npack: reportei\nsteps:\n  - receive: inbox\n  - call: List all customers\n    \
                      query: { page: = receivers.inbox }\n    keep: { id: x, key: x, delivery: x }\n";

#[test]
fn the_examples_of_the_page_are_read() {
    let page = fs::read_to_string(support::repository("docs/scenarios.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for tree in ["fixtures", "schemas"] {
        support::copy(&support::repository(tree), &folder.path().join(tree));
    }
    let blocks = crate::markdown::blocks(&page);
    let blocks: Vec<_> = blocks.iter().filter(|block| block.language == "yaml" && block.info.is_empty()).collect();
    assert!(blocks.len() >= 9, "{}", blocks.len());
    for block in blocks {
        let text = match block.text.starts_with("scenario:") {
            true => block.text.clone(),
            false => {
                let steps: String = block.text.lines().map(|line| format!("  {line}\n")).collect();
                format!("{BEFORE}{steps}")
            }
        };
        let path = folder.path().join(format!("fixtures/reportei/scenarios/page-{}.yaml", block.line));
        fs::write(path, text).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_standin"))
        .args(["check", "reportei"])
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// What the readers of scenarios ask for by name.
#[test]
fn every_key_of_scenarios_is_on_the_page() {
    let schema = fs::read_to_string(support::repository("schemas/format/scenario.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let page = fs::read_to_string(support::repository("docs/scenarios.md")).unwrap();
    let mut missing = Vec::new();
    for (name, part) in schema["$defs"].as_object().unwrap() {
        // Patterns of exchanges and deliveries are explained where they come from.
        let elsewhere = ["exchanges", "deliveries"].contains(&name.as_str());
        for key in part["properties"].as_object().into_iter().flatten().map(|(key, _)| key).filter(|_| !elsewhere) {
            if !page.contains(&format!("`{key}`")) && !page.contains(&format!("`{key}: ")) {
                missing.push(format!("{name}: {key}"));
            }
        }
    }
    assert!(missing.is_empty(), "docs/scenarios.md does not mention {missing:?}");
}

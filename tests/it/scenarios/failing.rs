//! For each kind of expectation a scenario that must fail, with the report that it gives beside it.

use std::collections::BTreeMap;

use regex::Regex;

use super::{out, report, run, settled};
use crate::support::{golden, repository};

const FOLDER: &str = "tests/cases/failing";

/// A file per scenario; the text of its failure, or failures, is the golden file beside it.
#[test]
fn what_fails_says_where_and_why_and_how_to_repeat_it() {
    let output = run(&[FOLDER]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = settled(&out(&output));
    let mut told: BTreeMap<&str, String> = BTreeMap::new();
    let starts = Regex::new("(?m)^(failed|broken): ").unwrap();
    let starts: Vec<usize> = starts.find_iter(&text).map(|found| found.start()).collect();
    let summary = text.trim_end().rfind('\n').unwrap() + 1;
    for (start, end) in starts.iter().zip(starts.iter().skip(1).chain([&summary])) {
        let block = &text[*start..*end];
        let (_, rest) = block.split_once("--> tests/cases/failing/").unwrap();
        let name = rest.split_once(".yaml:").unwrap().0;
        told.entry(name).or_default().push_str(block);
    }
    let mut wrong = Vec::new();
    for file in std::fs::read_dir(repository(FOLDER)).unwrap() {
        let path = file.unwrap().path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if path.extension().is_some_and(|end| end == "yaml") {
            let told = told.remove(name.as_str()).unwrap_or_else(|| panic!("{name} does not fail"));
            wrong.extend(golden(&path.with_extension("txt"), &told).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn a_report_for_others_has_all_that_a_failure_tells() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.json");
    let file = file.to_str().unwrap();
    run(&["tests/cases/failing/table.yaml", "--report", &format!("json={file}")]);
    let told = report(folder.path(), "run.json");
    let runs = told["runs"].as_array().unwrap();
    let ends: Vec<&str> = runs.iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    assert_eq!(ends, ["passed", "failed", "passed"]);
    let failure = &runs[1]["steps"][0]["failure"];
    assert_eq!(failure["misses"][0]["what"], "status", "{failure}");
    assert_eq!(failure["request"]["line"], "POST /reportei/customers");
    assert_eq!(failure["response"]["line"], "422 Unprocessable Entity");
    assert_eq!(failure["nearest"]["example"], "customers/create.422.blank-name.json");
    assert!(failure["trace"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains("body schema")));
    assert!(failure["help"].as_str().unwrap().contains("JSON Patch"));
    assert_eq!(runs[1]["again"], "standin run tests/cases/failing/table.yaml --case 'an empty name'");
}

#[test]
fn a_call_that_a_rule_breaks_off_says_so_and_how_that_is_expected() {
    let output = run(&["tests/cases/failing/no-answer.yaml"]);
    let text = out(&output);
    for part in ["of the faults: connection-reset", "expect: { fault: connection-reset }"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("look at the log"), "{text}");
}

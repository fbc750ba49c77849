//! Errors of packs: what `check --mutate` asks of each case.

use std::path::Path;
use std::process::Output;

use crate::server::standin;
use crate::support;

/// A copy of one of the hard cases in which one text of one file is replaced.
pub fn planted(case: &str, file: &str, old: &str, new: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    support::copy(&support::repository("tests/cases/format").join(case), folder.path());
    support::replace(&folder.path().join(file), old, new);
    folder
}

pub fn check(folder: &Path, more: &[&str]) -> Output {
    standin()
        .args(["check", "--fixtures", "fixtures", "--schemas", "schemas"])
        .args(more)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// What a check that fails prints.
pub fn failing(folder: &Path, more: &[&str]) -> String {
    let output = check(folder, more);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{err}{out}");
    assert!(err.is_empty(), "{err}");
    out.into_owned()
}

#[test]
fn a_case_of_an_error_that_no_example_gives_is_noticed() {
    let never = "    - when: request.path == \"/nowhere\"\n      status: 423\n      docs: gates.md#errors\n";
    let folder = planted("error-cases", "fixtures/gates/pack.yaml", "  invalid:\n", &format!("  invalid:\n{never}"));
    assert!(check(folder.path(), &["gates"]).status.success());
    let out = failing(folder.path(), &["gates", "--mutate"]);
    let culprit = "no example gives this case of the error `invalid` (fixtures/gates/pack.yaml:29:15)";
    assert!(out.contains(culprit), "{out}");
}

#[test]
fn the_first_case_whose_condition_holds_is_given() {
    let folder = planted("error-cases", "fixtures/gates/pack.yaml", "== \"DELETE\"", "!= \"DELETE\"");
    let out = failing(folder.path(), &["gates"]);
    assert!(out.contains("status is 410, documented is 404"), "{out}");
    assert!(out.contains("status is 404, documented is 410"), "{out}");
}

#[test]
fn an_error_that_only_faults_give_is_compared_with_its_example() {
    let manifest = "fixtures/lamps/pack.yaml";
    let folder = planted("faults", manifest, "error: Something went wrong.", "error: Something is wrong.");
    let out = failing(folder.path(), &["lamps"]);
    let culprit = "failed: lamps/errors/broken (case 2)\n  - `/error` is \"Something is wrong.\", documented is \"Something went wrong.\"\n";
    assert!(out.contains(culprit), "{out}");
    let folder = planted("faults", manifest, "= request.method ~ \" \" ~ request.path", "= epoch_seconds(now)");
    assert!(
        failing(folder.path(), &["lamps"]).contains("  - `/not_done` is 1727802912, documented is \"PUT /lamps/1\"\n")
    );
    let folder = planted("faults", "fixtures/lamps/errors/not-done.json", "}", ", \"id\": 7 }");
    let output = check(folder.path(), &["lamps"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing fills `/id`"), "{output:?}");
}

#[test]
fn the_schema_of_an_error_that_only_faults_give_is_held_to_its_example() {
    let schema = "schemas/lamps/overloaded.json";
    let folder = planted("faults", schema, "\"type\": \"string\"", "\"type\": \"integer\"");
    let out = failing(folder.path(), &["lamps"]);
    assert!(out.contains("failed: lamps/errors/overloaded\n  - the answer does not fit its own schema"), "{out}");
    let folder = planted("faults", schema, "\"required\": [\"error\"], ", "");
    assert!(check(folder.path(), &["lamps"]).status.success());
    let out = failing(folder.path(), &["lamps", "--mutate"]);
    let culprit = "failed: lamps/errors/overloaded (mutated)\n  - the schema allows an answer without `/error`";
    assert!(out.contains(culprit), "{out}");
}

#[test]
fn each_case_of_an_error_that_only_faults_give_is_a_check() {
    let output = check(&support::repository("tests/cases/format/faults"), &["lamps", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = report["packs"][0]["results"].as_array().unwrap();
    let names: Vec<&str> = results.iter().map(|result| result["name"].as_str().unwrap()).collect();
    let errors = ["lamps/errors/overloaded", "lamps/errors/broken (case 1)", "lamps/errors/broken (case 2)"];
    assert_eq!(names, [&["lamps/lamps/list.200.json"], errors.as_slice()].concat());
}

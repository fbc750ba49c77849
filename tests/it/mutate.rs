//! `check --mutate` on packs in which one thing is planted that a plain replay cannot see.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{self, replace};

/// A copy of the `reportei` pack in which one text of one file is replaced.
fn planted(file: &str, old: &str, new: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for tree in ["fixtures/reportei", "schemas/reportei"] {
        support::copy(&support::repository(tree), &folder.path().join(tree));
    }
    replace(&folder.path().join(file), old, new);
    folder
}

fn check(folder: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_standin"))
        .args(["check", "reportei"])
        .args(more)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Plain replay is content; `--mutate` fails and names the culprit.
fn noticed_by_mutation_only(folder: &Path, culprits: &[&str]) {
    let output = check(folder, &[]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && err.is_empty(), "{err}{out}");
    let output = check(folder, &["--mutate"]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{err}{out}");
    assert!(err.is_empty(), "{err}");
    for culprit in culprits {
        assert!(out.contains(culprit), "{culprit:?} is not named:\n{out}");
    }
}

#[test]
fn an_answer_that_ignores_its_record_is_noticed() {
    let folder = planted(
        "fixtures/reportei/customers/show.yaml",
        "    customer: = customer\n",
        "    customer: = customer\n    /customer/merchant: Reportei\n",
    );
    noticed_by_mutation_only(
        folder.path(),
        &[
            "failed: reportei/customers/show.200.json (mutated)",
            "`/customer/merchant` is \"Reportei\" whatever is sent",
        ],
    );
}

#[test]
fn an_error_that_no_example_gives_is_noticed() {
    let folder = planted(
        "fixtures/reportei/pack.yaml",
        "rejections:\n",
        "  teapot:\n    status: 418\n    like: errors/too-large.json\n    static: It is always the same.\n    assumed: Nobody has asked it.\n\n\
         rejections:\n  body-duplicate-key: teapot\n",
    );
    // The key stands there already, for another error.
    replace(&folder.path().join("fixtures/reportei/pack.yaml"), "  body-duplicate-key: unreadable\n", "");
    noticed_by_mutation_only(folder.path(), &["failed: reportei/answers", "no example gives the error `teapot`"]);
}

#[test]
fn a_row_of_violations_that_does_nothing_is_noticed() {
    let row = "  - { in: query, pointer: /page, keyword: enum, error: invalid }\n";
    let folder = planted("fixtures/reportei/pack.yaml", "violations:\n", &format!("violations:\n{row}"));
    let manifest = fs::read_to_string(folder.path().join("fixtures/reportei/pack.yaml")).unwrap();
    let line = manifest.lines().position(|line| line.contains("/page, keyword: enum")).unwrap() + 1;
    let culprit = format!("the row at fixtures/reportei/pack.yaml:{line}:");
    noticed_by_mutation_only(folder.path(), &["failed: reportei/violations", &culprit]);
}

#[test]
fn a_schema_that_lets_keys_go_is_noticed() {
    let folder = planted("schemas/reportei/customer.json", "    \"is_paying\",\n", "");
    noticed_by_mutation_only(folder.path(), &["the schema allows an answer without `/customer/is_paying`"]);
}

#[test]
fn a_schema_that_allows_any_type_is_noticed() {
    let folder = planted(
        "schemas/reportei/customer.json",
        "\"name\": {\n      \"type\": \"string\"\n    }",
        "\"name\": {\n      \"description\": \"Anything goes.\"\n    }",
    );
    noticed_by_mutation_only(folder.path(), &["the schema allows any type at `/customer/name`"]);
}

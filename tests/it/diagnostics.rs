//! Mistakes in packs, each with the exact words that its author gets.
//!
//! Each folder of `tests/cases/diagnostics` but `base` is one mistake: files laid over the correct pack in `base`,
//! `delete.txt` with the files that are taken out of it, and `expected.txt`, what `standin check` then says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support;

const CASES: &str = "tests/cases/diagnostics";

/// Codes that no pack on disk can provoke, with the reason.
const UNPROVOKED: &[(&str, &str)] = &[];

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(support::repository(CASES)).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.is_dir() && !folder.ends_with("base"));
    folders.sort();
    folders
}

/// The correct pack with the files of a case laid over it.
fn laid_out(case: Option<&Path>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    support::copy(&support::repository(CASES).join("base"), folder.path());
    let Some(case) = case else { return folder };
    for tree in ["fixtures", "schemas"] {
        if case.join(tree).is_dir() {
            support::copy(&case.join(tree), &folder.path().join(tree));
        }
    }
    for path in fs::read_to_string(case.join("delete.txt")).unwrap_or_default().lines() {
        fs::remove_file(folder.path().join(path)).unwrap_or_else(|error| panic!("{}: {path}: {error}", case.display()));
    }
    folder
}

fn check(folder: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_standin"))
        .args(["check", "--fixtures", "fixtures", "--schemas", "schemas", "shop"])
        .args(more)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

#[test]
fn every_mistake_is_told_in_these_words() {
    let mut failures = String::new();
    let cases = cases();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    for case in cases {
        let folder = laid_out(Some(&case));
        let output = check(folder.path(), &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        if said.is_empty() || said.contains("panicked") {
            failures.push_str(&format!("{}: nothing useful is said: {said}\n", case.display()));
        }
        let broken = said.contains("cannot be served");
        if broken != (output.status.code() == Some(3)) {
            failures.push_str(&format!("{}: exit code {:?}\n", case.display(), output.status.code()));
        }
        if let Err(difference) = support::golden(&case.join("expected.txt"), &said) {
            failures.push_str(&difference);
            failures.push('\n');
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn the_pack_without_a_mistake_is_clean() {
    let folder = laid_out(None);
    let output = check(folder.path(), &["--mutate"]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && err.is_empty(), "{err}{out}");
}

/// The words that stand in brackets in messages, read from the source.
fn codes() -> BTreeSet<String> {
    let source = fs::read_to_string(support::repository("src/diagnostic/code.rs")).unwrap();
    let words = source.lines().filter_map(|line| line.trim().split_once("=> \"")?.1.strip_suffix("\","));
    let words: BTreeSet<String> = words.map(str::to_owned).collect();
    assert!(words.len() > 20, "{words:?}");
    words
}

#[test]
fn every_code_is_provoked() {
    let said: String =
        cases().iter().map(|case| fs::read_to_string(case.join("expected.txt")).unwrap_or_default()).collect();
    let excepted: BTreeSet<&str> = UNPROVOKED.iter().map(|(code, _)| *code).collect();
    let missing: Vec<String> = codes()
        .into_iter()
        .filter(|code| !said.contains(&format!("[{code}]")) && !excepted.contains(code.as_str()))
        .collect();
    assert!(missing.is_empty(), "no case has {missing:?}");
    let stale: Vec<&&str> = excepted.iter().filter(|code| said.contains(&format!("[{code}]"))).collect();
    assert!(stale.is_empty(), "{stale:?} have cases now");
}

#[test]
fn every_code_is_explained() {
    let page = fs::read_to_string(support::repository("docs/diagnostics.md")).unwrap_or_default();
    let explained = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    let explained: Vec<String> = explained.map(str::to_owned).collect();
    let unique: BTreeSet<String> = explained.iter().cloned().collect();
    assert_eq!(unique.len(), explained.len(), "a code is explained twice");
    assert_eq!(unique, codes());
}

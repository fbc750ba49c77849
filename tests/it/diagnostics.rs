//! Mistakes in packs, each with the exact words that its author gets.
//!
//! Each folder of `tests/cases/diagnostics` but `base` is one mistake: files laid over the correct pack in `base`,
//! `delete.txt` with the files that are taken out of it, and `expected.txt`, what `standin check` then says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{self, keys};

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

/// `standin check` of the pack in a folder.
pub(crate) fn check(folder: &Path, more: &[&str]) -> Output {
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

/// A place in a file that is there, with its beginning not behind its end.
fn assert_place(at: &Value, folder: &Path) {
    assert_eq!(keys(at), ["file", "line", "column", "end", "text"]);
    assert_eq!(keys(&at["end"]), ["line", "column"]);
    assert!(folder.join(at["file"].as_str().unwrap()).exists(), "{at}");
    let position = |of: &Value| (of["line"].as_u64().unwrap(), of["column"].as_u64().unwrap());
    assert!(position(at) >= (1, 1) && position(at) <= position(&at["end"]), "{at}");
}

#[test]
fn tools_are_told_what_people_are_told() {
    let known = codes();
    let told = |case: &Path| {
        let folder = laid_out(Some(case));
        let output = check(folder.path(), &["--format", "json"]);
        let expected = fs::read_to_string(case.join("expected.txt")).unwrap();
        assert!(output.stderr.is_empty(), "{}", case.display());
        let broken = expected.contains("cannot be served");
        assert_eq!(output.status.code() == Some(3), broken, "{}", case.display());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(keys(&report), ["diagnostics", "packs"]);
        let mut titles = Vec::new();
        for found in report["diagnostics"].as_array().unwrap() {
            assert_eq!(keys(found), ["code", "severity", "message", "at", "label", "related", "help"]);
            let (code, severity) = (found["code"].as_str().unwrap(), found["severity"].as_str().unwrap());
            assert!(known.contains(code) && ["error", "warning"].contains(&severity), "{found}");
            // A file that is missing has a place all the same.
            if code != "file-missing" {
                assert_place(&found["at"], folder.path());
            }
            for related in found["related"].as_array().unwrap() {
                assert_eq!(keys(related), ["at", "message"]);
                assert_place(&related["at"], folder.path());
            }
            for text in ["label", "help"] {
                assert!(found[text].is_string() || found[text].is_null(), "{found}");
            }
            titles.push(format!("{severity}[{code}]: {}", found["message"].as_str().unwrap()));
        }
        let shown = expected.lines().filter(|line| line.starts_with("error[") || line.starts_with("warning["));
        assert_eq!(titles, shown.collect::<Vec<_>>(), "{}", case.display());

        let output = check(folder.path(), &["--format", "junit"]);
        let elements = crate::cli::well_formed(&String::from_utf8(output.stdout).unwrap());
        let failures = elements.iter().filter(|name| *name == "failure").count();
        let errors = titles.iter().filter(|title| title.starts_with("error")).count();
        assert!(!broken || failures == errors, "{}: {failures} failures", case.display());
    };
    cases().iter().for_each(|case| told(case));
}

#[test]
fn every_code_explains_itself() {
    let explain = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_standin")).arg("explain").args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (exit, list, _) = explain(&[]);
    assert_eq!((exit, list.lines().count()), (Some(0), codes().len()), "{list}");
    for code in codes() {
        assert!(
            list.lines().any(|line| line.starts_with(&format!("{code} ")) && line.ends_with('.')),
            "{code}: {list}"
        );
        let (exit, text, _) = explain(&[&code]);
        assert!(exit == Some(0) && text.starts_with(&format!("{code}\n\n")) && text.lines().count() >= 3, "{text}");
        assert!(!text.contains("```") && !text.contains("##") && !text.contains("**"), "{text}");
    }
    assert_eq!(explain(&["error[key-unknown]"]), explain(&["key-unknown"]));
    let (exit, out, words) = explain(&["key-unknwon"]);
    assert_eq!((exit, out.as_str()), (Some(2), ""));
    assert!(words.contains("there is no code `key-unknwon`: did you mean `key-unknown`?"), "{words}");
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

/// Words of a message are no names, wherever they are told apart from expressions.
#[test]
fn a_text_that_says_violations_needs_none() {
    let folder = laid_out(None);
    let path = folder.path().join("fixtures/shop/pack.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let fixed = "    like: errors/sold.json\n    static: The words name no item.\n";
    assert!(text.contains(fixed), "{text}");
    for shown in ["\"No refusal and no violations: it is sold\"", "'= \"no violations of \" ~ request.path'"] {
        let shown = format!("    like: errors/sold.json\n    show: {{ error: {shown} }}\n");
        fs::write(&path, text.replace(fixed, &shown)).unwrap();
        let said = String::from_utf8(check(folder.path(), &[]).stderr).unwrap();
        assert!(!said.contains("error["), "{said}");
    }
}

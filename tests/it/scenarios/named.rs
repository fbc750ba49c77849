//! What is run of what is named: files, folders, and lines in files.

use super::{asking, err, out, run};
use crate::support::write;

const ROWS: &str = "with:\n  - { case: First, x: 1 }\n  - { case: second, x: 2 }\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    asking(folder.path(), "Table", ROWS, "{ status: 200 }");
    write(folder.path(), "setup/first.yaml", "setup: First\npack: reportei\nsteps:\n  - call: List all customers\n");
    folder
}

/// The names of the rows that would be run.
#[track_caller]
fn rows(paths: &[&str]) -> Vec<String> {
    let output = run(&[&["--list"], paths].concat());
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    out(&output).lines().filter_map(|line| Some(line.split_once("--case ")?.1.to_owned())).collect()
}

#[test]
fn a_file_that_is_named_whole_and_by_a_line_is_run_whole() {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    let file = format!("{path}/Table.yaml");
    let at = |line: &str| format!("{file}:{line}");
    for whole in [path, &file] {
        assert_eq!(rows(&[whole, &at("5")]), ["First", "second"], "{whole}");
        assert_eq!(rows(&[&at("5"), whole]), ["First", "second"], "{whole}");
    }
    assert_eq!(rows(&[&at("4"), &at("5")]), ["First", "second"]);
    // As reports write the place of a step.
    assert_eq!(rows(&[&at("5:7")]), ["second"]);
    assert_eq!(rows(&[&at("1")]), ["First", "second"]);
}

#[test]
fn a_line_that_leads_nowhere_is_told() {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    let refused = |paths: &[&str]| {
        let paths: Vec<String> = paths.iter().map(|name| format!("{path}/{name}")).collect();
        let output = run(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((output.status.code(), &*out(&output)), (Some(2), ""), "{}", err(&output));
        err(&output).replace(path, "PATH")
    };
    for line in ["99", "0"] {
        let told = refused(&[&format!("Table.yaml:{line}")]);
        let wanted = format!("`PATH/Table.yaml` has 8 lines, and none is number {line}\n");
        assert_eq!(told, format!("error: PATH/Table.yaml:{line}: {wanted}"));
    }
    for line in ["x", "", "3:x", "-1"] {
        let told = refused(&[&format!("Table.yaml:{line}")]);
        assert!(told.contains("behind a file stands the number of a line, such as `PATH/Table.yaml:3`"), "{told}");
    }
    assert!(refused(&["setup:3"]).contains("`PATH/setup` is a folder: name one of its files"));
}

#[test]
fn a_setup_is_not_run_by_itself() {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    let (setups, setup) = (format!("{path}/setup"), format!("{path}/setup/first.yaml"));
    for named in [&setups, &setup, &format!("{setup}:1")] {
        let output = run(&[named]);
        let wanted = format!(
            "error: `{setup}` is a setup, which scenarios include; it is not run by itself\nname a scenario that includes it\n"
        );
        assert_eq!((output.status.code(), err(&output)), (Some(2), wanted), "{named}");
    }
    // A shell names all files of a folder.
    assert_eq!(rows(&[&setup, &format!("{path}/Table.yaml")]), ["First", "second"]);
}

//! Hard cases of the pack format: each folder of `tests/cases/format` has a small pack that must load without a word,
//! replay its examples and stand every alteration.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn every_hard_case_loads_replays_and_stands_alterations() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/format");
    let mut failures = String::new();
    let mut folders: Vec<_> = fs::read_dir(&cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    for folder in folders {
        let packs = fs::read_dir(folder.join("fixtures")).unwrap();
        let packs: Vec<_> = packs.map(|entry| entry.unwrap().file_name()).collect();
        let output = Command::new(env!("CARGO_BIN_EXE_standin"))
            .args(["check", "--mutate", "--fixtures", "fixtures", "--schemas", "schemas"])
            .args(&packs)
            .current_dir(&folder)
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !output.status.success() || !err.is_empty() {
            failures.push_str(&format!("{}\n{err}{out}\n", folder.display()));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

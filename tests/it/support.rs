//! What several tests need.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A path within the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a text with a golden file. With `UPDATE` set in the environment the file is written instead.
pub(crate) fn golden(path: &Path, actual: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE").is_some() {
        return fs::write(path, actual).map_err(|error| format!("{}: {error}", path.display()));
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    Err(format!(
        "{} is not what came (UPDATE=1 cargo test rewrites it):\n{}",
        path.display(),
        difference(&expected, actual)
    ))
}

/// The lines from the first to the last that differ: `-` expected, `+` actual.
fn difference(expected: &str, actual: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - before;
    let after = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let mut out = format!("  … {before} equal lines\n");
    for line in &old[before..old.len() - after] {
        let _ = writeln!(out, "- {line}");
    }
    for line in &new[before..new.len() - after] {
        let _ = writeln!(out, "+ {line}");
    }
    let _ = writeln!(out, "  … {after} equal lines");
    out
}

/// Writes a file below a folder, with the folders that it stands in.
pub(crate) fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Copies a folder with everything in it over another.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

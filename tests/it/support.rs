//! What several tests need.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;
use tempfile::NamedTempFile;

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

/// Replaces the first occurrence of a text in a file, which must have it. Whoever follows the file sees all of it or none:
/// a file that is written in place is empty at first, and may be looked at then.
#[track_caller]
pub(crate) fn replace(path: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(old), "{} has no {old:?}", path.display());
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.replacen(old, new, 1).as_bytes()).unwrap();
    file.persist(path).unwrap();
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

/// The text at a key of an object.
#[track_caller]
pub(crate) fn text<'j>(object: &'j Json, key: &str) -> &'j str {
    object[key].as_str().unwrap_or_else(|| panic!("{key} of {object}"))
}

/// The keys of an object, in its order.
#[track_caller]
pub(crate) fn keys(object: &Json) -> Vec<&str> {
    object.as_object().unwrap_or_else(|| panic!("{object}")).keys().map(String::as_str).collect()
}

/// A part of a JSON Web Token: its header or its claims.
#[track_caller]
pub(crate) fn part(token: &str, nth: usize) -> Json {
    let part = token.split('.').nth(nth).unwrap_or_else(|| panic!("{token} has no part {nth}"));
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

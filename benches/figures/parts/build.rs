//! What it takes to build and to test, how large the outcome is, and which dependencies cost most.
//!
//! Builds go to a folder of their own, which is empty at first. A quick run builds nothing and tells only what can be counted.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use tempfile::TempDir;

use crate::options::Options;
use crate::process::standin;
use crate::section::{Section, Table};

/// How many of the dearest dependencies are shown.
const DEAREST: usize = 20;
/// A file in the middle of the program: what is above it depends on it.
const TOUCHED: &str = "src/engine/mod.rs";

pub fn run(options: &Options) -> Section {
    let about = format!(
        "One build after the other in an empty folder, with everything downloaded before; incremental builds after \
         `{TOUCHED}` was touched."
    );
    let mut section = Section::new("Build", &about);
    section.tables.push(sizes());
    if !options.quick {
        let folder = TempDir::new().expect("a folder");
        let (times, timings) = builds(folder.path());
        section.tables.push(times);
        section.tables.push(dearest(&timings));
    }
    section
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(root());
    command
}

fn sizes() -> Table {
    let mut table = Table::new("What is built", &["what", "#"]);
    let crates = |edges: &str| {
        let output = cargo(&["tree", "--locked", "-e", edges, "--prefix", "none", "--format", "{p}"]).output();
        let output = output.expect("cargo tree runs").stdout;
        let output = String::from_utf8_lossy(&output).into_owned();
        // Two versions of a crate are two; the program itself is none.
        let names: BTreeSet<Vec<&str>> = output.lines().map(|line| line.split(' ').take(2).collect()).collect();
        names.len() - 1
    };
    let direct = cargo(&["tree", "--locked", "-e", "normal", "--depth", "1", "--prefix", "none"]).output();
    let direct = String::from_utf8_lossy(&direct.expect("cargo tree runs").stdout).lines().count() - 1;
    let size = fs::metadata(standin()).map_or(0, |metadata| metadata.len());
    table.row(vec!["dependencies that `Cargo.toml` names".to_owned(), direct.to_string()]);
    table.row(vec!["crates in the program".to_owned(), crates("normal").to_string()]);
    table.row(vec!["crates that a build compiles".to_owned(), crates("normal,build").to_string()]);
    table.row(vec!["size of the release binary, MiB".to_owned(), format!("{:.1}", size as f64 / f64::from(1 << 20))]);
    table
}

/// The table of times, and what cargo says of the release build.
fn builds(folder: &Path) -> (Table, String) {
    let mut table = Table::new("How long it takes", &["what", "command", "#s"]);
    let touched = || {
        let file = fs::File::options().append(true).open(root().join(TOUCHED)).expect("the file");
        file.set_modified(SystemTime::now()).expect("it is touched");
    };
    let mut row = |what: &str, arguments: &[&str]| {
        eprintln!("cargo {}", arguments.join(" "));
        let mut command = cargo(arguments);
        // What the tests start has no business with the binary that is measured.
        command.env("CARGO_TARGET_DIR", folder).env_remove("STANDIN_BINARY").stdout(Stdio::null());
        let started = Instant::now();
        let output = command.output().expect("cargo runs");
        let took = started.elapsed().as_secs_f64();
        // Where a test fails or a tool is missing the time means nothing.
        let shown = if output.status.success() { format!("{took:.1}") } else { "failed".to_owned() };
        if !output.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        }
        table.row(vec![what.to_owned(), format!("`cargo {}`", arguments.join(" ")), shown]);
    };
    row("clean release build", &["build", "--locked", "--release", "--timings"]);
    let timings = timings(folder);
    touched();
    row("incremental release build", &["build", "--locked", "--release"]);
    row("clean debug build", &["build", "--locked"]);
    touched();
    row("incremental debug build", &["build", "--locked"]);
    touched();
    row("incremental check", &["check", "--locked"]);
    row("build of the tests", &["nextest", "run", "--locked", "--no-run"]);
    touched();
    row("incremental build of the tests", &["nextest", "run", "--locked", "--no-run"]);
    row("run of the tests", &["nextest", "run", "--locked"]);
    (table, timings)
}

/// The page that cargo makes of a build.
fn timings(folder: &Path) -> String {
    fs::read_to_string(folder.join("cargo-timings/cargo-timing.html")).unwrap_or_default()
}

/// The crates whose compilation took longest, by the data in cargo's page.
fn dearest(page: &str) -> Table {
    let title = "The dearest dependencies of the release build";
    let mut table = Table::new(title, &["crate", "#s of one processor", "#share"]);
    let data = page.split_once("const UNIT_DATA = ").and_then(|(_, rest)| rest.split_once("];"));
    let units: Vec<serde_json::Value> =
        data.and_then(|(data, _)| serde_json::from_str(&format!("{data}]")).ok()).unwrap_or_default();
    let mut crates: Vec<(String, f64)> = Vec::new();
    for unit in &units {
        let name = format!("{} {}", unit["name"].as_str().unwrap_or("?"), unit["version"].as_str().unwrap_or_default());
        let took = unit["duration"].as_f64().unwrap_or(0.0);
        match crates.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += took,
            None => crates.push((name, took)),
        }
    }
    let all: f64 = crates.iter().map(|(_, took)| took).sum();
    crates.sort_by(|left, right| right.1.total_cmp(&left.1));
    for (name, took) in crates.iter().take(DEAREST) {
        table.row(vec![name.clone(), format!("{took:.1}"), format!("{:.1} %", 100.0 * took / all)]);
    }
    table.remarks = format!(
        "{} crates, {all:.0} s in all; a crate's build script counts as part of it. What runs beside others has its \
         time counted as if it ran alone.",
        crates.len()
    );
    table
}

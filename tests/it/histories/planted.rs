//! The judges are only worth something if they see a race. So one is planted in the way that exchanges are committed, in a
//! copy of the sources, and the program that comes of it must be convicted.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::server::standin;
use crate::support::repository;
use crate::tree::files;

/// What the race is, by files: calls that change records are answered on what reads see too, without a turn, and
/// committed whatever has happened since.
const PLANTED: [(&str, &str, &str); 3] = [
    ("src/sandbox/exchange.rs", "if request.method.is_safe() {", "if true {"),
    ("src/sandbox/exchange.rs", "let holds = before.holds(&state) && at >= state.latest;", "let holds = true;"),
    ("src/server/dispatch.rs", "    if parts.method.is_safe() {", "    if true {"),
];

/// How many histories it may take until a race shows. It shows in nearly every one.
const HISTORIES: u64 = 20;

/// Where the tests were built; what both builds need is there.
fn target() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_standin"));
    binary.ancestors().nth(2).unwrap().to_owned()
}

/// Writes a file, unless it is so already: then nothing has to be built anew.
fn put(path: &Path, text: impl AsRef<[u8]>) {
    if fs::read(path).is_ok_and(|there| there == text.as_ref()) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The program with the race in it, under another name, so that it does not overwrite the one that is tested. Its sources
/// stand in one place for all runs, as the compiler keeps something for each place.
fn planted() -> PathBuf {
    let place = target().join("planted");
    let sources = ["src/", "docs/", "fixtures/", "schemas/", "Cargo.lock", "build.rs"];
    let wanted = |path: &String| sources.iter().any(|source| path.starts_with(source));
    let paths: Vec<String> = files("").into_iter().filter(wanted).collect();
    for path in &paths {
        let mut bytes = fs::read(repository(path)).unwrap();
        for (_, shipped, race) in PLANTED.iter().filter(|(file, ..)| file == path) {
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(text.matches(shipped).count(), 1, "{path} has `{shipped}`");
            bytes = text.replace(shipped, race).into_bytes();
        }
        put(&place.join(path), bytes);
    }
    for part in ["src", "fixtures", "schemas"] {
        let gone = walk(&place.join(part)).into_iter().filter(|file| {
            let path = file.strip_prefix(&place).unwrap().to_str().unwrap();
            !paths.iter().any(|known| known == path)
        });
        gone.for_each(|file| fs::remove_file(file).unwrap());
    }
    let manifest = fs::read_to_string(repository("Cargo.toml")).unwrap();
    let benches = manifest.find("[[bench]]").unwrap();
    let program = "[[bin]]\nname = \"standin-planted\"\npath = \"src/main.rs\"\n";
    put(&place.join("Cargo.toml"), format!("{}{program}", &manifest[..benches]));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--locked", "--offline", "--quiet", "--bin", "standin-planted", "--target-dir"])
        .arg(target())
        .current_dir(&place)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target().join("debug/standin-planted")
}

/// Every file below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_race_in_the_commit_path_is_found() {
    let mut command = Command::new(planted());
    let arguments = standin();
    command.current_dir(arguments.get_current_dir().unwrap()).env("NO_COLOR", "1");
    command.args(["serve", "--port", "0", "--log", "off", "--threads", "4"]);
    let server = Server::spawn(command);
    let (mut by_log, mut by_search) = (0, 0);
    for seed in 0..HISTORIES {
        let history = history(&server, seed, 8, 25);
        by_log += u64::from(judge::by_log(&history).is_err());
        by_search += u64::from(!judge::by_search(&history));
        if by_log > 0 && by_search > 0 {
            return;
        }
    }
    panic!("in {HISTORIES} histories the log convicts it {by_log} times, the search {by_search} times");
}

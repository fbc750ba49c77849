//! What is said of a run: a line while it goes on, the failures, the last line, and files for others.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::cli::Exit;
use crate::cli::output::{err, out, painted};
use crate::cli::serve::usage;
use crate::clock::Instant;
use crate::diagnostic::{Diagnostic, Severity, one_of, shortened};
use crate::scenario::report::{self, Format};
use crate::scenario::{Failure, Outcome, Read, Run, Told, ToldStep};

/// Takes what stands in a line of a terminal away.
const CLEAR: &str = "\r\x1b[2K";

/// The most of a name that is shown while it goes on.
const NAME: usize = 60;

/// How far a run is. Nothing is said of it where nobody looks.
pub(super) struct Progress {
    all: usize,
    ended: AtomicUsize,
    failed: AtomicUsize,
    is_seen: bool,
}

impl Progress {
    pub(super) fn new(all: usize) -> Self {
        let is_seen = std::io::stderr().is_terminal();
        Progress { all, ended: AtomicUsize::new(0), failed: AtomicUsize::new(0), is_seen }
    }

    pub(super) fn ended(&self, told: &Told) {
        let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        let is_bad = told.outcome != Outcome::Passed;
        let failed = self.failed.fetch_add(usize::from(is_bad), Ordering::Relaxed) + usize::from(is_bad);
        if self.is_seen {
            let failed = if failed == 0 { String::new() } else { format!(", {failed} failed") };
            // What a file says does not reach the terminal as it is: it may have codes of terminals in it.
            let name: String = told.scenario.chars().filter(|character| !character.is_control()).collect();
            err(&format!("{CLEAR}{ended} of {}{failed}: {}", self.all, shortened(&name, NAME)));
        }
    }

    /// Nothing of it stays.
    pub(super) fn clear(&self) {
        if self.is_seen {
            err(CLEAR);
        }
    }
}

/// The failures one after the other, then how many there were of what.
pub(super) fn say(run: &Run) {
    for told in run.told.iter().filter(|told| matches!(told.outcome, Outcome::Failed | Outcome::Broken)) {
        out(&painted(&report::failure(told)));
        out("\n");
    }
    out(&painted(&report::summary(run)));
}

/// What is reported where scenarios have mistakes: each by itself.
pub(super) fn mistakes(read: &Read) -> Run {
    let errors = read.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    unbegun(errors.map(|found| mistake(read, found)).collect())
}

/// What is reported where it did not come to that.
pub(super) fn nothing() -> Run {
    let summary = "the run did not come to its end: what it says on standard error tells why".to_owned();
    unbegun(vec![broken("standin run", "standin run", (1, 1), Failure { summary, ..Failure::default() })])
}

fn unbegun(told: Vec<Told>) -> Run {
    Run { target: "no server".to_owned(), told, took: Duration::ZERO }
}

fn mistake(read: &Read, found: &Diagnostic) -> Told {
    let at = found.location.as_ref();
    let file = at.map_or("standin run", |at| read.sources.path(at.file));
    let place = at.map_or((1, 1), |at| read.sources.line_column(at));
    let remedy: Vec<&str> = [&found.label, &found.help].into_iter().flatten().map(String::as_str).collect();
    let help = (!remedy.is_empty()).then(|| remedy.join("\n"));
    broken(&found.message, file, place, Failure { summary: found.message.clone(), help, ..Failure::default() })
}

fn broken(title: &str, file: &str, (line, column): (usize, usize), failure: Failure) -> Told {
    let step = ToldStep {
        place: format!("{file}:{line}:{column}"),
        words: "read the scenario".to_owned(),
        depth: 0,
        took: Duration::ZERO,
        failure: Some(Box::new(failure)),
    };
    Told {
        scenario: title.to_owned(),
        case: None,
        file: file.to_owned(),
        line,
        tags: Vec::new(),
        pack: String::new(),
        sandbox: None,
        seed: None,
        outcome: Outcome::Broken,
        took: Duration::ZERO,
        steps: vec![step],
        again: String::new(),
    }
}

/// A file that a run is reported in.
#[derive(Debug)]
pub(super) struct Report {
    text: String,
    format: Format,
    path: PathBuf,
}

/// `FORMAT=FILE` of each. What cannot be written is found out before anything runs.
pub(super) fn reports(given: &[String]) -> Result<Vec<Report>, Exit> {
    let mut all: Vec<Report> = Vec::new();
    for text in given {
        let report = one(text)?;
        if let Some(twin) = all.iter().find(|other| other.is_in(&report)) {
            return Err(usage(&format!(
                "--report {text}: {} is written there: give each a file of its own",
                twin.text
            )));
        }
        all.push(report);
    }
    Ok(all)
}

fn one(text: &str) -> Result<Report, Exit> {
    let known = || Format::ALL.iter().map(|format| format.name());
    let named = text.split_once('=').filter(|(_, file)| !file.is_empty());
    let found = named.and_then(|(name, file)| Some((Format::ALL.into_iter().find(|one| one.name() == name)?, file)));
    let Some((format, file)) = found else {
        return Err(usage(&format!("--report {text}: write FORMAT=FILE with {}", one_of(known()))));
    };
    let path = PathBuf::from(file);
    can_be_written(&path).map_err(|error| {
        usage(&format!("--report {text} cannot be written: {error}: give a file in a folder that there is"))
    })?;
    Ok(Report { text: text.to_owned(), format, path })
}

/// Leaves everything as it was: a report that is there stays until there is another, and no empty one comes before it.
fn can_be_written(path: &Path) -> std::io::Result<()> {
    let is_new = std::fs::symlink_metadata(path).is_err();
    OpenOptions::new().create(true).append(true).open(path)?;
    if is_new { std::fs::remove_file(path) } else { Ok(()) }
}

impl Report {
    /// Whether both are one file. What is no file, such as a terminal, takes both.
    fn is_in(&self, other: &Report) -> bool {
        let whole = |path: &Path| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let there = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
            path.canonicalize().ok().or_else(there).filter(|path| path.is_file() || !path.exists())
        };
        whole(&self.path).is_some_and(|path| whole(&other.path) == Some(path))
    }

    pub(super) fn write(&self, run: &Run, started: Instant) -> Result<(), Exit> {
        let written =
            File::create(&self.path).and_then(|mut file| file.write_all(self.format.write(run, started).as_bytes()));
        written.map_err(|error| usage(&format!("--report {} cannot be written: {error}", self.text)))
    }
}

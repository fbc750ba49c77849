//! What is said of a run: a line while it goes on, the failures, the last line, and files for others.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cli::Exit;
use crate::cli::output::{err, out, painted};
use crate::cli::serve::usage;
use crate::clock::Instant;
use crate::diagnostic::{one_of, shortened};
use crate::scenario::report::{self, Format};
use crate::scenario::{Outcome, Run, Told};

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

/// A file that a run is reported in.
#[derive(Debug)]
pub(super) struct Report {
    text: String,
    format: Format,
    path: PathBuf,
}

/// `FORMAT=FILE` of each. What cannot be written is found out before anything runs.
pub(super) fn reports(given: &[String]) -> Result<Vec<Report>, Exit> {
    given.iter().map(|text| one(text)).collect()
}

fn one(text: &str) -> Result<Report, Exit> {
    let known = || Format::ALL.iter().map(|format| format.name());
    let named = text.split_once('=').filter(|(_, file)| !file.is_empty());
    let found = named.and_then(|(name, file)| Some((Format::ALL.into_iter().find(|one| one.name() == name)?, file)));
    let Some((format, file)) = found else {
        return Err(usage(&format!("--report {text}: write FORMAT=FILE with {}", one_of(known()))));
    };
    let path = PathBuf::from(file);
    OpenOptions::new().create(true).append(true).open(&path).map_err(|error| {
        usage(&format!("--report {text} cannot be written: {error}: give a file in a folder that there is"))
    })?;
    Ok(Report { text: text.to_owned(), format, path })
}

impl Report {
    pub(super) fn write(&self, run: &Run, started: Instant) -> Result<(), Exit> {
        let written =
            File::create(&self.path).and_then(|mut file| file.write_all(self.format.write(run, started).as_bytes()));
        written.map_err(|error| usage(&format!("--report {} cannot be written: {error}", self.text)))
    }
}

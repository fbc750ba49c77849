//! Which of the scenarios that there are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::cli::Exit;
use crate::cli::serve::usage;
use crate::diagnostic::{or_rather, there_are};
use crate::exchange::distinct;
use crate::scenario::{Scenario, Turn};

#[derive(Debug, Args)]
pub(super) struct Choice {
    /// Only scenarios with this tag; `!TAG` leaves those out that have it. May be given more than once
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only scenarios whose name has this text in it, in any case
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Only the row of this name, of scenarios with a table
    #[arg(long, value_name = "ROW")]
    case: Option<String>,
}

/// Where scenarios are looked for, and which rows of them are meant.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Everything that was named, without lines.
    pub(super) paths: Vec<PathBuf>,
    /// What was named without a line.
    whole: Vec<PathBuf>,
    lines: Vec<Line>,
}

/// A line of a file that was named.
#[derive(Debug)]
struct Line {
    text: String,
    file: String,
    line: usize,
}

impl Named {
    pub(super) fn read(given: &[String]) -> Result<Self, Exit> {
        let mut named = Named::default();
        for text in given {
            match line(text)? {
                Some(line) => {
                    named.paths.push(PathBuf::from(&line.file));
                    named.lines.push(line);
                }
                None => {
                    let path = plain(text);
                    named.paths.push(path.clone());
                    named.whole.push(path);
                }
            }
        }
        Ok(named)
    }

    /// Each line leads to a scenario. `files` are the texts of all that were read.
    fn check(&self, scenarios: &[Arc<Scenario>], files: &BTreeMap<String, String>) -> Result<(), Exit> {
        for Line { text, file, line } in &self.lines {
            let count = files.get(file).map_or(0, |text| text.lines().count());
            if !(1..=count).contains(line) {
                let plural = if count == 1 { "" } else { "s" };
                return Err(usage(&format!("{text}: `{file}` has {count} line{plural}, and none is number {line}")));
            }
            if !scenarios.iter().any(|scenario| *scenario.file == **file) {
                return Err(is_setup(file));
            }
        }
        match files.keys().next() {
            Some(file) if scenarios.is_empty() => Err(is_setup(file)),
            _ => Ok(()),
        }
    }

    /// Whether a row was named: with its line, with its file, or with a folder.
    fn has(&self, scenario: &Scenario, row: usize) -> bool {
        let file = Path::new(&*scenario.file);
        let is_within = |path: &PathBuf| file.starts_with(path) || path == Path::new(".") && file.is_relative();
        if self.paths.is_empty() || self.whole.iter().any(is_within) {
            return true;
        }
        let mut here = self.lines.iter().filter(|line| *line.file == *scenario.file);
        here.any(|line| match scenario.rows.iter().rposition(|given| given.lines.contains(&line.line)) {
            Some(named) => named == row,
            None => true,
        })
    }
}

fn is_setup(file: &str) -> Exit {
    usage(&format!(
        "`{file}` is a setup, which scenarios include; it is not run by itself\nname a scenario that includes it"
    ))
}

/// `FILE:LINE`, or `FILE:LINE:COLUMN` as reports write it, where no file has that name.
fn line(text: &str) -> Result<Option<Line>, Exit> {
    let there = |path: &str| Path::new(path).exists();
    let mut parts = text.match_indices(':').map(|(at, _)| (&text[..at], &text[at + 1..]));
    let Some((file, rest)) = parts.find(|(file, _)| there(file)).filter(|_| !there(text)) else { return Ok(None) };
    if Path::new(file).is_dir() {
        return Err(usage(&format!("{text}: `{file}` is a folder: name one of its files before a line")));
    }
    let (number, column) = rest.split_once(':').unwrap_or((rest, "1"));
    let (Ok(line), Ok(_)) = (number.parse(), column.parse::<usize>()) else {
        return Err(usage(&format!(
            "{text}: behind a file stands the number of a line, such as `{file}:3`, not `{rest}`"
        )));
    };
    let file = plain(file).to_string_lossy().replace('\\', "/");
    Ok(Some(Line { text: text.to_owned(), file, line }))
}

/// A path without `./`, so that a file has one name.
fn plain(path: &str) -> PathBuf {
    let path = Path::new(path);
    let short = path.strip_prefix(".").ok().filter(|short| !short.as_os_str().is_empty());
    short.unwrap_or(path).to_owned()
}

impl Choice {
    /// What is to be run: each row by itself. The error says what there is instead.
    pub(super) fn turns(
        &self,
        scenarios: &[Arc<Scenario>],
        named: &Named,
        files: &BTreeMap<String, String>,
    ) -> Result<Vec<Turn>, Exit> {
        named.check(scenarios, files)?;
        if scenarios.is_empty() {
            return Err(usage(
                "there is no scenario: name files, or folders with `scenarios` in them, such as `standin run fixtures`",
            ));
        }
        let tagged: Vec<&Arc<Scenario>> = scenarios.iter().filter(|scenario| self.has_tags(&scenario.tags)).collect();
        let mut of_tag = self.tag.iter().map(|tag| tag.trim_start_matches('!')).collect::<Vec<_>>();
        let tags = || distinct(scenarios.iter().flat_map(|scenario| scenario.tags.iter().cloned()));
        of_tag.retain(|tag| !tags().iter().any(|known| known == tag));
        if let Some(unknown) = of_tag.first() {
            let tags = tags();
            let known = || tags.iter().map(String::as_str);
            let (meant, there) = (or_rather(unknown, known()), there_are(known()));
            return Err(usage(&format!("--tag {unknown}: no scenario has this tag{meant}\n{there}")));
        }
        let called: Vec<&Arc<Scenario>> = tagged.into_iter().filter(|scenario| self.has_name(&scenario.name)).collect();
        let mut turns = Vec::new();
        for scenario in &called {
            let rows = scenario.rows.iter().enumerate().filter(|(row, given)| {
                self.case.as_ref().is_none_or(|case| given.case.as_deref().is_some_and(|known| same(known, case)))
                    && named.has(scenario, *row)
            });
            turns.extend(rows.map(|(row, _)| Turn { scenario: Arc::clone(scenario), row }));
        }
        if !turns.is_empty() {
            return Ok(turns);
        }
        Err(usage(&match (&self.case, &self.name) {
            (Some(case), _) if !called.is_empty() => {
                let rows = || called.iter().flat_map(|scenario| &scenario.rows).filter_map(|row| row.case.as_deref());
                let known = distinct(rows());
                let there = if known.is_empty() {
                    "none of these scenarios has a table".to_owned()
                } else {
                    there_are(known.iter().copied())
                };
                format!("--case {case}: no row has this name{}\n{there}", or_rather(case, known.iter().copied()))
            }
            (_, Some(name)) if scenarios.iter().all(|scenario| !self.has_name(&scenario.name)) => {
                format!(
                    "--name {name}: no scenario has this in its name: `standin run --list` shows those that there are"
                )
            }
            _ => format!(
                "none of {} scenarios fits all of what is asked for: leave one of --tag, --name and --case out",
                scenarios.len()
            ),
        }))
    }

    fn has_tags(&self, tags: &[String]) -> bool {
        let has = |tag: &str| tags.iter().any(|known| known == tag);
        let (without, with): (Vec<&str>, Vec<&str>) =
            self.tag.iter().map(String::as_str).partition(|tag| tag.starts_with('!'));
        let is_in = with.is_empty() || with.iter().any(|tag| has(tag));
        is_in && !without.iter().any(|tag| has(&tag[1..]))
    }

    fn has_name(&self, name: &str) -> bool {
        self.name.as_ref().is_none_or(|text| name.to_lowercase().contains(&text.to_lowercase()))
    }
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

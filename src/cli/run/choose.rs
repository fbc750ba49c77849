//! Which of the scenarios that there are.

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

/// A line of a file that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) file: String,
    pub(super) line: usize,
}

impl Choice {
    /// What is to be run: each row by itself. The error says what there is instead.
    pub(super) fn turns(&self, scenarios: &[Arc<Scenario>], lines: &[Line]) -> Result<Vec<Turn>, Exit> {
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
        let named: Vec<&Arc<Scenario>> = tagged.into_iter().filter(|scenario| self.has_name(&scenario.name)).collect();
        let mut turns = Vec::new();
        for scenario in &named {
            let rows = scenario.rows.iter().enumerate().filter(|(row, given)| {
                self.case.as_ref().is_none_or(|case| given.case.as_deref().is_some_and(|known| same(known, case)))
                    && self.is_at(scenario, *row, lines)
            });
            turns.extend(rows.map(|(row, _)| Turn { scenario: Arc::clone(scenario), row }));
        }
        if !turns.is_empty() {
            return Ok(turns);
        }
        Err(usage(&match (&self.case, &self.name) {
            (Some(case), _) if !named.is_empty() => {
                let rows = || named.iter().flat_map(|scenario| &scenario.rows).filter_map(|row| row.case.as_deref());
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

    /// Whether the file was named without a line, or with one that leads to this row.
    fn is_at(&self, scenario: &Scenario, row: usize, lines: &[Line]) -> bool {
        let mut here = lines.iter().filter(|line| *line.file == *scenario.file).peekable();
        if here.peek().is_none() {
            return true;
        }
        here.any(|line| match scenario.rows.iter().rposition(|given| given.lines.contains(&line.line)) {
            Some(named) => named == row,
            None => true,
        })
    }
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

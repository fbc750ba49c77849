//! Coverage as the command line asks for it: in which formats, into which files, and how much is enough.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Exit;
use super::output::{err, out};
use super::serve::{real_now, usage};
use crate::coverage::{self, Bar, Kind, Report};
use crate::diagnostic::one_of;

/// The files that say themselves how they are written.
const ENDINGS: &str = "a file that ends in .txt, .json, .html, .xml or .info";

/// What of a report is shown, and where.
#[derive(Debug, Args)]
pub(super) struct Shown {
    /// File that the report is written to, in place of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How the report is written [default: what the ending of --output says, `table` without --output]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// End with exit code 1 when less of what is documented was exercised
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_under: Option<f64>,
}

/// What becomes of coverage when a server ends.
#[derive(Debug, Args)]
pub(super) struct AtEnd {
    /// Write what was exercised to this file at the end; its ending says how, unless FORMAT does: table, json, html,
    /// cobertura, lcov. May be given more than once
    #[arg(long, value_name = "[FORMAT=]FILE")]
    exit_report: Vec<String>,
    #[command(flatten)]
    enough: Enough,
}

/// What becomes of coverage when scenarios have been run.
#[derive(Debug, Args)]
pub(super) struct AfterRun {
    /// Write what the scenarios exercised to this file; its ending says how, unless FORMAT does: table, json, html,
    /// cobertura, lcov. May be given more than once
    #[arg(long, value_name = "[FORMAT=]FILE")]
    coverage: Vec<String>,
    #[command(flatten)]
    enough: Enough,
}

/// How much is enough, and what is too much.
#[derive(Debug, Args)]
struct Enough {
    /// End with exit code 1 when less of what is documented was exercised
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_under: Option<f64>,
    /// End with exit code 1 when one of these came
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    fail_on: Vec<FailOn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A request that did not fit the contract
    Violation,
    /// An answer that no documentation promises
    Assumed,
    /// A request that no operation answers
    Undocumented,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Html,
    Cobertura,
    Lcov,
}

impl Format {
    fn render(self, report: &Report) -> String {
        match self {
            Format::Table => coverage::text(report),
            Format::Json => format!("{:#}\n", report.to_json()),
            Format::Html => coverage::html(report),
            Format::Cobertura => coverage::cobertura(report, real_now()),
            Format::Lcov => coverage::lcov(report),
        }
    }

    fn of_ending(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Format::Table),
            "json" => Some(Format::Json),
            "html" | "htm" => Some(Format::Html),
            "xml" => Some(Format::Cobertura),
            "info" | "lcov" => Some(Format::Lcov),
            _ => None,
        }
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse().ok();
    let fits = |number: &f64| (0.0..=100.0).contains(number);
    number.filter(fits).ok_or_else(|| "it is a number from 0 to 100, such as 90".to_owned())
}

impl Shown {
    /// How the report is written. Asked before anything is read: a mistake is told at once.
    pub(super) fn format(&self) -> Result<Format, Exit> {
        match (self.format, &self.output) {
            (Some(format), _) => Ok(format),
            (None, None) => Ok(Format::Table),
            (None, Some(file)) => Format::of_ending(file).ok_or_else(|| {
                usage(&format!(
                    "--output {}: the ending says no format: give --format with {}, or {ENDINGS}",
                    file.display(),
                    known()
                ))
            }),
        }
    }

    /// Shows a report, and says whether it is enough.
    pub(super) fn show(&self, report: &Report, format: Format) -> Exit {
        let text = format.render(report);
        match &self.output {
            None => out(&text),
            Some(file) => {
                if let Err(error) = std::fs::write(file, text) {
                    return usage(&format!("--output {} cannot be written: {error}", file.display()));
                }
            }
        }
        judged(&Bar { under: self.fail_under, on: Vec::new() }, report)
    }
}

fn judged(bar: &Bar, report: &Report) -> Exit {
    match bar.judge(report) {
        None => Exit::Good,
        Some(words) => {
            err(&words);
            Exit::Failed
        }
    }
}

/// What is done with the report of a server.
pub(super) struct Plan {
    files: Vec<(String, PathBuf, Format)>,
    bar: Bar,
}

impl AtEnd {
    pub(super) fn plan(&self) -> Result<Plan, Exit> {
        self.enough.plan("--exit-report", &self.exit_report)
    }
}

impl AfterRun {
    pub(super) fn plan(&self) -> Result<Plan, Exit> {
        self.enough.plan("--coverage", &self.coverage)
    }
}

impl Enough {
    /// Finds out at the start what would go wrong at the end.
    fn plan(&self, flag: &str, given: &[String]) -> Result<Plan, Exit> {
        let mut files = Vec::new();
        for text in given {
            let (format, path) = named(flag, text)?;
            let text = format!("{flag} {text}");
            // Whatever was there stays until the report is there.
            OpenOptions::new().create(true).append(true).open(&path).map_err(|error| {
                usage(&format!("{text} cannot be written: {error}: give a file in a folder that there is"))
            })?;
            files.push((text, path, format));
        }
        let kind = |on: &FailOn| match on {
            FailOn::Violation => Kind::Violation,
            FailOn::Assumed => Kind::Assumed,
            FailOn::Undocumented => Kind::Undocumented,
        };
        Ok(Plan { files, bar: Bar { under: self.fail_under, on: self.fail_on.iter().map(kind).collect() } })
    }
}

/// `FORMAT=FILE`, or a file whose ending says the format.
fn named(flag: &str, text: &str) -> Result<(Format, PathBuf), Exit> {
    if let Some((name, file)) = text.split_once('=')
        && is_word(name)
    {
        return match Format::from_str(name, false) {
            Ok(format) if !file.is_empty() => Ok((format, file.into())),
            Ok(_) => Err(usage(&format!("{flag} {text}: the file is missing: write {name}=FILE"))),
            Err(_) => Err(usage(&format!(
                "{flag} {text}: there is no format `{name}`: write FORMAT=FILE with {}; a file of this name is ./{text}",
                known()
            ))),
        };
    }
    let path = PathBuf::from(text);
    let unsaid = || {
        let known = known();
        usage(&format!("{flag} {text}: the ending says no format: write FORMAT=FILE with {known}, or {ENDINGS}"))
    };
    Format::of_ending(&path).map(|format| (format, path)).ok_or_else(unsaid)
}

/// Whether it is read as the name of a format. What has a dot or a slash is a file.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character))
}

fn known() -> String {
    let values: Vec<_> = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
    one_of(values.iter().map(|value| value.get_name()))
}

impl Plan {
    /// Whether anybody wants to know what was exercised.
    pub(super) fn is_wanted(&self) -> bool {
        !self.files.is_empty() || self.bar != Bar::default()
    }

    /// Writes what was asked for, and judges. How else the server ended comes first.
    pub(super) fn follow(&self, ended: Exit, covered: impl FnOnce() -> Report) -> Exit {
        if !self.is_wanted() {
            return ended;
        }
        let report = covered();
        let mut unwritten = None;
        for (text, path, format) in &self.files {
            let written = File::create(path).and_then(|mut file| file.write_all(format.render(&report).as_bytes()));
            if let Err(error) = written {
                unwritten = Some(usage(&format!("{text} cannot be written: {error}")));
            }
        }
        let judged = judged(&self.bar, &report);
        match ended {
            Exit::Good => unwritten.unwrap_or(judged),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_said_or_seen_in_the_ending() {
        let read =
            |text: &str| named("--exit-report", text).ok().map(|(format, path)| (format, path.display().to_string()));
        let is = |format, path: &str| Some((format, path.to_owned()));
        assert_eq!(read("lcov=a.json"), is(Format::Lcov, "a.json"));
        assert_eq!(read("out/a=b.HTML"), is(Format::Html, "out/a=b.HTML"));
        assert_eq!(read("cobertura.xml"), is(Format::Cobertura, "cobertura.xml"));
        assert_eq!((read("report"), read("json="), read("yaml=x"), read("")), (None, None, None, None));
        // A word before the sign is a format and nothing else: a typing mistake is no file.
        assert_eq!((read("bogus=x.json"), read("./bogus=x.json")), (None, is(Format::Json, "./bogus=x.json")));
    }

    #[test]
    fn the_file_of_a_report_says_its_format_or_the_command_line_does() {
        let chosen =
            |format, output: &str| Shown { output: Some(output.into()), format, fail_under: None }.format().ok();
        assert_eq!(
            (chosen(None, "a.lcov"), chosen(None, "m.foo"), chosen(None, "m")),
            (Some(Format::Lcov), None, None)
        );
        assert_eq!(chosen(Some(Format::Json), "m.foo"), Some(Format::Json));
    }

    #[test]
    fn a_percentage_is_from_0_to_100() {
        assert_eq!((percent("90"), percent("99.5"), percent("0 %")), (Ok(90.0), Ok(99.5), Ok(0.0)));
        for text in ["-1", "101", "", "NaN", "inf", "half"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }
}

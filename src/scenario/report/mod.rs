//! What came of a run, for whoever reads it: people at a terminal or a browser, and servers of CI.
//!
//! Each format is a pure function of a [`Run`]. Start with [`Format::write`], and with [`text`] for the terminal.

mod ctrf;
mod html;
mod json;
mod junit;
mod text;

use super::outcome::{Outcome, Run, Told};
use crate::clock::Instant;

pub(crate) use text::{Piece, Tone, failure, summary};

/// A kind of file that a run is reported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Junit,
    Ctrf,
    Json,
    Html,
}

impl Format {
    pub(crate) const ALL: [Format; 4] = [Format::Junit, Format::Ctrf, Format::Json, Format::Html];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Junit => "junit",
            Format::Ctrf => "ctrf",
            Format::Json => "json",
            Format::Html => "html",
        }
    }

    /// The whole file. `started` is the real time at which the run began.
    pub(crate) fn write(self, run: &Run, started: Instant) -> String {
        match self {
            Format::Junit => junit::write(run),
            Format::Ctrf => ctrf::write(run, started),
            Format::Json => json::write(run, started),
            Format::Html => html::write(run, started),
        }
    }
}

impl Told {
    /// The scenario, and its row where there is a table.
    pub(super) fn title(&self) -> String {
        match &self.case {
            Some(case) => format!("{} ({case})", self.scenario),
            None => self.scenario.clone(),
        }
    }

    /// Why it did not pass, in a line.
    pub(super) fn summary(&self) -> Option<&str> {
        self.steps.iter().rev().find_map(|step| step.failure.as_ref()).map(|failure| failure.summary.as_str())
    }

    /// The same for what has no failure to tell of.
    pub(super) fn message(&self) -> &str {
        self.summary().unwrap_or(match self.outcome {
            Outcome::Passed => "",
            Outcome::Failed => "an expectation does not hold",
            Outcome::Broken => "it could not be run",
            Outcome::Skipped => "another scenario failed before it",
        })
    }
}

/// How many scenarios there are, each counted once with all its rows: a file has one.
fn scenarios(run: &Run) -> usize {
    let mut seen: Vec<_> = run.told.iter().map(|told| &told.file).collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use super::super::outcome::{Failure, Miss, Nearest, Shown, ToldStep};
    use super::*;

    fn miss(what: &str, wanted: &str, found: &str) -> Miss {
        Miss { what: what.into(), wanted: wanted.into(), found: found.into() }
    }

    fn step(line: usize, words: &str, depth: usize, failure: Option<Failure>) -> ToldStep {
        ToldStep {
            place: format!("scenarios/names.yaml:{line}:5"),
            words: words.into(),
            depth,
            took: Duration::from_micros(12_345),
            failure: failure.map(Box::new),
        }
    }

    fn told(scenario: &str, case: Option<&str>, outcome: Outcome, steps: Vec<ToldStep>) -> Told {
        Told {
            scenario: scenario.into(),
            case: case.map(str::to_owned),
            file: "scenarios/names.yaml".into(),
            line: 3,
            tags: vec!["names".into(), "a<b&c".into()],
            pack: "shop".into(),
            sandbox: (outcome != Outcome::Skipped).then(|| "run-7".into()),
            seed: Some(1),
            outcome,
            took: Duration::from_micros(1_234_567),
            steps,
            again: format!("standin run scenarios/names.yaml --case '{}'", case.unwrap_or_default()),
        }
    }

    /// Everything that a report may have to tell of, with text that no format takes as it is.
    fn sample() -> Run {
        let failure = Failure {
            summary: "2 things are not as expected: status; /errors/name".into(),
            misses: vec![miss("status", "422", "201"), miss("/errors/name", "[\n  \"<b>\"\n]", "nothing")],
            request: Some(Shown {
                line: "POST /shop/carts".into(),
                headers: vec![("authorization".into(), "••••".into()), ("x-odd".into(), "a\"]]>".into())],
                body: "{\n  \"name\": \"</script><b>\"\n}".into(),
            }),
            response: Some(Shown { line: "201 Created".into(), headers: Vec::new(), body: String::new() }),
            trace: vec!["route  carts/create  fixtures/shop/carts/create.yaml:2".into(), "odd\u{1b}[31m\u{0}".into()],
            nearest: Some(Nearest {
                example: "fixtures/shop/carts/create.422.json".into(),
                differences: vec![miss("/errors", "an object", "nothing")],
            }),
            help: Some("send a name,\nor expect 201".into()),
        };
        let down = Failure { summary: "nobody listens on http://127.0.0.1:1".into(), ..Failure::default() };
        let mut other = told("Nothing to see", None, Outcome::Passed, Vec::new());
        (other.file, other.line, other.tags, other.seed) = ("scenarios/other.yaml".into(), 1, Vec::new(), None);
        let passed = vec![step(9, "call Create a cart", 0, None), step(14, "advance 7 days", 0, None)];
        let failed = vec![
            step(
                9,
                "repeat 2 times",
                0,
                Some(Failure { summary: "a step within it failed".into(), ..Failure::default() }),
            ),
            step(10, "call Create a cart", 1, Some(failure)),
        ];
        let mut late = other_row("late", Outcome::Skipped);
        late.again.clear();
        Run {
            target: "http://127.0.0.1:4010".into(),
            told: vec![
                told("Names", Some("a name"), Outcome::Passed, passed),
                told("Names", Some("an \"empty\" name"), Outcome::Failed, failed),
                told("Names", Some("down"), Outcome::Broken, vec![step(9, "call Create a cart", 0, Some(down))]),
                other_row("no step", Outcome::Broken),
                late,
                other,
            ],
            took: Duration::from_millis(3_210),
        }
    }

    fn other_row(case: &str, outcome: Outcome) -> Told {
        told("Names", Some(case), outcome, Vec::new())
    }

    fn started() -> Instant {
        Instant::from_micros(1_727_802_912_000_000)
    }

    /// The golden files, which other programs are shown as well (`tests/it/reports.rs`).
    fn golden(name: &str, actual: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/reports").join(name);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, actual).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(actual, expected, "{} (UPDATE=1 cargo test rewrites it)", path.display());
    }

    #[test]
    fn every_format_tells_everything() {
        let run = sample();
        for format in Format::ALL {
            let name = match format {
                Format::Junit => "run.junit.xml",
                Format::Ctrf => "run.ctrf.json",
                Format::Json => "run.json",
                Format::Html => "run.html",
            };
            golden(name, &format.write(&run, started()));
        }
        let mut out = String::new();
        for told in run.told.iter().filter(|told| told.outcome != Outcome::Passed) {
            out.push_str(&text::plain(&failure(told)));
            out.push('\n');
        }
        out.push_str(&text::plain(&summary(&run)));
        golden("run.txt", &out);
    }

    #[test]
    fn a_run_of_nothing_is_a_report_too() {
        let run = Run { target: "t".into(), ..Run::default() };
        for format in Format::ALL {
            assert!(format.write(&run, started()).len() > 100);
        }
        assert_eq!(text::plain(&summary(&run)), "0 scenarios: 0 passed in 0 ms\n");
    }

    #[test]
    fn what_is_good_and_what_is_bad_have_their_tones() {
        let run = sample();
        let pieces = failure(&run.told[1]);
        let toned =
            |tone| pieces.iter().filter(|piece| piece.tone == tone).map(|piece| &*piece.text).collect::<Vec<_>>();
        assert!(toned(Tone::Bad).starts_with(&["failed"]) && toned(Tone::Bad).contains(&"201"), "{pieces:?}");
        assert!(toned(Tone::Good).contains(&"422"), "{pieces:?}");
        let tones: Vec<_> = summary(&run).into_iter().map(|piece| (piece.tone, piece.text)).collect();
        assert!(tones.contains(&(Tone::Good, "2 passed".into())) && tones.contains(&(Tone::Bad, "1 failed".into())));
    }
}

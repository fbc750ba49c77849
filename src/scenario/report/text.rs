//! For the terminal. What is coloured, and how, is the terminal's business: a text is made of pieces that say what they are.

use std::time::Duration;

use super::super::outcome::{Failure, Miss, Outcome, Run, Shown, Told, ToldStep};
use super::scenarios;

/// A piece of text, which may have several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// What tells a part from the next.
    Strong,
    /// Beside the point.
    Soft,
}

/// The pieces of a text, in their order.
#[derive(Default)]
struct Text(Vec<Piece>);

impl Text {
    /// What a server has sent must not steer a terminal.
    fn add(&mut self, tone: Tone, text: impl AsRef<str>) {
        let steers = |character: char| character.is_control() && character != '\n';
        let text = text.as_ref().replace(steers, "\u{fffd}");
        match self.0.last_mut() {
            Some(last) if last.tone == tone => last.text.push_str(&text),
            _ => self.0.push(Piece { tone, text }),
        }
    }

    fn plain(&mut self, text: impl AsRef<str>) {
        self.add(Tone::Plain, text);
    }
}

/// All about one that did not pass: place, steps, what is wrong with the last one, and how to repeat it.
pub(crate) fn failure(told: &Told) -> Vec<Piece> {
    let mut out = Text::default();
    out.add(Tone::Bad, told.outcome.word());
    out.add(Tone::Strong, format!(": {}\n", told.title()));
    out.add(Tone::Soft, format!("  --> {}:{}\n", told.file, told.line));
    for step in &told.steps {
        of_step(&mut out, step);
    }
    // Steps within steps fail with them: the innermost tells why.
    let failed = told.steps.iter().rev().find_map(|step| step.failure.as_ref());
    match failed {
        Some(failure) => of_failure(&mut out, failure),
        None => out.plain(format!("  {}\n", told.message())),
    }
    if !told.again.is_empty() {
        out.add(Tone::Strong, "  again");
        out.plain(format!("  {}\n", told.again));
    }
    out.0
}

fn of_step(out: &mut Text, step: &ToldStep) {
    let indent = "  ".repeat(step.depth);
    out.plain("  ");
    match step.failure {
        None => out.add(Tone::Good, "ok    "),
        Some(_) => out.add(Tone::Bad, "failed"),
    }
    out.add(Tone::Soft, format!(" {:>7}", time(step.took)));
    out.plain(format!("  {indent}{}", step.words));
    out.add(Tone::Soft, format!("  {}\n", step.place));
}

fn of_failure(out: &mut Text, failure: &Failure) {
    out.plain("\n");
    // The summary is the first of what is wrong, in a line.
    if failure.misses.is_empty() {
        out.plain("  ");
        out.add(Tone::Bad, failure.summary.trim_end());
        out.plain("\n");
    }
    misses(out, "  ", &failure.misses);
    if let Some(request) = &failure.request {
        shown(out, "request", request);
    }
    if let Some(response) = &failure.response {
        shown(out, "response", response);
    }
    if !failure.trace.is_empty() {
        out.add(Tone::Strong, "  trace\n");
        failure.trace.iter().for_each(|line| out.plain(indented("    ", line)));
    }
    if let Some(nearest) = &failure.nearest {
        out.add(Tone::Strong, "  nearest example");
        out.plain(format!("  {}\n", nearest.example));
        misses(out, "    ", &nearest.differences);
    }
    if let Some(help) = &failure.help {
        out.add(Tone::Strong, "  help");
        out.plain(format!("  {}\n", indented("        ", help).trim()));
    }
}

fn misses(out: &mut Text, indent: &str, all: &[Miss]) {
    for miss in all {
        out.plain(format!("{indent}{}\n", miss.what));
        // How many more there are is all that is told of them.
        if miss.wanted.is_empty() && miss.found.is_empty() {
            continue;
        }
        out.plain(format!("{indent}  expected  "));
        out.add(Tone::Good, hanging(&miss.wanted, indent.len() + 12));
        out.plain(format!("\n{indent}  found     "));
        out.add(Tone::Bad, hanging(&miss.found, indent.len() + 12));
        out.plain("\n");
    }
}

fn shown(out: &mut Text, what: &str, message: &Shown) {
    out.add(Tone::Strong, format!("  {what}"));
    out.plain(format!("  {}\n", message.line));
    for (name, value) in &message.headers {
        out.add(Tone::Soft, format!("    {name}: {value}\n"));
    }
    if !message.body.trim().is_empty() {
        out.plain(format!("\n{}\n", indented("    ", message.body.trim_end())));
    }
}

/// Every line behind so much space.
fn indented(indent: &str, text: &str) -> String {
    text.lines().map(|line| format!("{indent}{line}\n")).collect()
}

/// Lines behind the first stand below it.
fn hanging(text: &str, column: usize) -> String {
    text.trim_end().replace('\n', &format!("\n{:column$}", ""))
}

/// The last line: how many there were, what came of them, and how long it took.
pub(crate) fn summary(run: &Run) -> Vec<Piece> {
    let mut out = Text::default();
    let (stories, runs) = (scenarios(run), run.told.len());
    out.plain(format!("{stories} scenario{}", plural(stories)));
    if runs != stories {
        out.plain(format!(", {runs} runs"));
    }
    out.plain(": ");
    let tone = |outcome| match outcome {
        Outcome::Passed => Tone::Good,
        Outcome::Failed | Outcome::Broken => Tone::Bad,
        Outcome::Skipped => Tone::Soft,
    };
    let all = [Outcome::Passed, Outcome::Failed, Outcome::Broken, Outcome::Skipped];
    let counted = all.map(|outcome| (outcome, run.count(outcome))).into_iter();
    // Where there is nothing, nothing has passed.
    let counted = counted.filter(|(outcome, count)| *count > 0 || *outcome == Outcome::Passed && runs == 0);
    for (number, (outcome, count)) in counted.enumerate() {
        out.plain(if number == 0 { "" } else { ", " });
        out.add(tone(outcome), format!("{count} {}", outcome.word()));
    }
    out.plain(format!(" in {}\n", time(run.took)));
    out.0
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// A length of time for people: `12 ms`, `3.2 s`.
pub(super) fn time(took: Duration) -> String {
    match took.as_millis() {
        millis @ ..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}

/// The text without what its pieces are.
pub(super) fn plain(pieces: &[Piece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

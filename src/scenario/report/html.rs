//! One page for browsers. What failed is open; what passed opens by a click, or by keyboard.

use std::fmt::Write as _;

use super::super::outcome::{Failure, Miss, Outcome, Run, Shown, Told, ToldStep};
use super::{scenarios, text};
use crate::clock::Instant;
use crate::exchange::{code, escaped, page};

pub(super) fn write(run: &Run, started: Instant) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<p>{} on {}, begun at <time datetime=\"{started}\">{started}</time>. Written by standin {}.</p>",
        escaped(text::plain(&text::summary(run)).trim_end()),
        code(&run.target),
        env!("CARGO_PKG_VERSION")
    );
    totals(&mut out, run);
    let mut file = None;
    for told in &run.told {
        if file != Some(&told.file) {
            let _ = writeln!(out, "<h2>{}</h2>", escaped(&told.file));
            file = Some(&told.file);
        }
        of_told(&mut out, told);
    }
    let bad = run.count(Outcome::Failed) + run.count(Outcome::Broken);
    let title = match bad {
        0 => format!("{} scenarios passed", scenarios(run)),
        bad => format!("{bad} of {} runs did not pass", run.told.len()),
    };
    page(&title, &out)
}

fn totals(out: &mut String, run: &Run) {
    out.push_str("<table>\n<caption>Runs</caption>\n<thead><tr>");
    let all = [Outcome::Passed, Outcome::Failed, Outcome::Broken, Outcome::Skipped];
    for outcome in all {
        let _ = write!(out, "<th scope=\"col\" class=\"number\">{}</th>", outcome.word());
    }
    out.push_str("</tr></thead>\n<tbody><tr>");
    for outcome in all {
        let _ = write!(out, "<td class=\"number\">{}</td>", run.count(outcome));
    }
    out.push_str("</tr></tbody>\n</table>\n");
}

fn of_told(out: &mut String, told: &Told) {
    let (open, class) = match told.outcome {
        Outcome::Passed => ("", "yes"),
        Outcome::Failed | Outcome::Broken => (" open", "no"),
        Outcome::Skipped => ("", ""),
    };
    let _ = writeln!(
        out,
        "<details{open}>\n<summary><span class=\"{class}\">{}</span> {} ({})</summary>",
        told.outcome.word(),
        escaped(&told.title()),
        text::time(told.took)
    );
    let mut facts = vec![format!("{}:{}", told.file, told.line)];
    // None where a file could not be read.
    facts.extend(Some(&told.pack).filter(|pack| !pack.is_empty()).map(|pack| format!("pack {pack}")));
    facts.extend(told.sandbox.as_ref().map(|sandbox| format!("sandbox {sandbox}")));
    facts.extend(told.seed.map(|seed| format!("seed {seed}")));
    facts.extend(told.tags.iter().map(|tag| format!("tag {tag}")));
    let facts: Vec<String> = facts.iter().map(|fact| code(fact)).collect();
    let _ = writeln!(out, "<p>{}</p>", facts.join(" · "));
    if !told.steps.is_empty() {
        steps(out, &told.steps);
    }
    match told.steps.iter().rev().find_map(|step| step.failure.as_ref()) {
        Some(failure) => of_failure(out, failure),
        None if told.outcome != Outcome::Passed => paragraph(out, told.message()),
        None => {}
    }
    if told.outcome != Outcome::Passed && !told.again.is_empty() {
        let _ = writeln!(out, "<p>Again: {}</p>", code(&told.again));
    }
    out.push_str("</details>\n");
}

fn steps(out: &mut String, all: &[ToldStep]) {
    out.push_str(
        "<table>\n<caption>Steps</caption>\n<thead><tr><th scope=\"col\">outcome</th><th scope=\"col\">step</th>\
         <th scope=\"col\" class=\"number\">took</th><th scope=\"col\">place</th></tr></thead>\n<tbody>\n",
    );
    for step in all {
        let (class, word) = if step.failure.is_none() { ("yes", "ok") } else { ("no", "failed") };
        let within = "› ".repeat(step.depth);
        let _ = writeln!(
            out,
            "<tr><td class=\"{class}\">{word}</td><td>{within}{}</td><td class=\"number\">{}</td><td>{}</td></tr>",
            escaped(&step.words),
            text::time(step.took),
            code(&step.place)
        );
    }
    out.push_str("</tbody>\n</table>\n");
}

fn of_failure(out: &mut String, failure: &Failure) {
    let _ = writeln!(out, "<p class=\"no\">{}</p>", lines(&failure.summary));
    misses(out, "What is wrong", &failure.misses);
    for (what, message) in [("Request", &failure.request), ("Response", &failure.response)] {
        if let Some(message) = message {
            shown(out, what, message);
        }
    }
    if !failure.trace.is_empty() {
        let _ = writeln!(out, "<h3>Trace</h3>\n<pre>{}</pre>", preformatted(&failure.trace.join("\n")));
    }
    if let Some(nearest) = &failure.nearest {
        let _ = writeln!(out, "<h3>Nearest example</h3>\n<p>{}</p>", code(&nearest.example));
        misses(out, "In what it is another", &nearest.differences);
    }
    if let Some(help) = &failure.help {
        let _ = writeln!(out, "<p>{}</p>", lines(help));
    }
}

fn misses(out: &mut String, caption: &str, all: &[Miss]) {
    if all.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<table>\n<caption>{caption}</caption>\n<thead><tr><th scope=\"col\">what</th><th scope=\"col\">expected</th>\
         <th scope=\"col\">found</th></tr></thead>\n<tbody>"
    );
    for miss in all {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            code(&miss.what),
            code(&miss.wanted),
            code(&miss.found)
        );
    }
    out.push_str("</tbody>\n</table>\n");
}

fn shown(out: &mut String, what: &str, message: &Shown) {
    let mut text = format!("{}\n", message.line);
    for (name, value) in &message.headers {
        let _ = writeln!(text, "{name}: {value}");
    }
    if !message.body.is_empty() {
        let _ = write!(text, "\n{}", message.body);
    }
    let _ = writeln!(out, "<h3>{what}</h3>\n<pre>{}</pre>", preformatted(&text));
}

fn paragraph(out: &mut String, text: &str) {
    let _ = writeln!(out, "<p>{}</p>", lines(text));
}

/// Text whose lines stay lines.
fn lines(text: &str) -> String {
    escaped(text.trim_end()).replace("&#10;", "<br>")
}

fn preformatted(text: &str) -> String {
    escaped(text.trim_end()).replace("&#10;", "\n")
}

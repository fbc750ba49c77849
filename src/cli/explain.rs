//! `standin explain`

use std::fmt::Write as _;

use super::Exit;
use super::args::Explain;
use super::output::{err, out};
use crate::diagnostic::{explanations, or_rather};

pub(super) fn run(arguments: &Explain) -> Exit {
    let Some(code) = &arguments.code else {
        out(&list());
        return Exit::Good;
    };
    // What stands in a message may be pasted whole: `error[key-unknown]`.
    let code = code.split_once('[').map_or(code.as_str(), |(_, rest)| rest.trim_end_matches(':')).trim_end_matches(']');
    if let Some((code, text)) = explanations().find(|(known, _)| *known == code) {
        out(&format!("{code}\n\n{}", plain(text)));
        return Exit::Good;
    }
    let meant = or_rather(code, explanations().map(|(known, _)| known));
    err(&format!("error: there is no code `{code}`{meant}\n`standin explain` lists all codes\n"));
    Exit::Usage
}

/// The codes, each with the first sentence about it.
fn list() -> String {
    let width = explanations().map(|(code, _)| code.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (code, text) in explanations() {
        let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let sentence = paragraph.split_inclusive(". ").next().unwrap_or_default();
        let _ = writeln!(out, "{code:<width$}  {}", words(sentence.trim_end()));
    }
    out
}

/// A section as a terminal shows it: examples stand out by their indentation.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if line.is_empty() {
            out.push('\n');
        } else if inside {
            let _ = writeln!(out, "    {line}");
        } else {
            let _ = writeln!(out, "{}", words(line));
        }
    }
    out
}

/// Prose without marks of emphasis. What stands in backticks is quoted, as it is in messages.
fn words(line: &str) -> String {
    let parts = line.split('`').enumerate();
    let parts = parts.map(|(index, part)| if index % 2 == 0 { part.replace('*', "") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`")
}

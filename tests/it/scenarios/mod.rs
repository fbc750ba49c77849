//! `standin run`: the shipped scenarios pass, and what fails says why.

mod again;
mod asked;
mod failing;
mod named;
mod written;

use std::path::Path;
use std::process::Output;

use regex::Regex;
use serde_json::Value as Json;

use crate::server::standin;
use crate::support::write;

/// Runs scenarios with these arguments.
fn run(arguments: &[&str]) -> Output {
    standin().arg("run").args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What it says when it has ended with this code, without what is another time by time.
#[track_caller]
fn said(code: i32, arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{}{}", out(&output), err(&output));
    assert_eq!(err(&output), "", "nothing is said on standard error where nobody looks at a terminal");
    settled(&out(&output))
}

/// A report without times, ports, and numbers of sandboxes.
fn settled(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, instead) in [
        (r"(?m)^(  (?:ok    |failed)) +[\d.]+ (?:ms|s)  ", "$1  "),
        (r"(?m) in [\d.]+ (?:ms|s)$", ""),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:4010"),
        (r"sandbox-\d+", "sandbox-1"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, instead).into_owned();
    }
    text
}

/// The report of a run as JSON, from the file of this name in a folder.
fn report(folder: &Path, name: &str) -> Json {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// A scenario that asks for the customers, with what it expects of them.
fn asking(folder: &Path, name: &str, head: &str, expect: &str) {
    let text =
        format!("scenario: {name}\npack: reportei\n{head}steps:\n  - call: List all customers\n    expect: {expect}\n");
    write(folder, &format!("{name}.yaml"), &text);
}

//! What is made of the arguments for shells (`standin completions`) and for readers (`standin man`).

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output, Stdio};

use regex::Regex;

use crate::cli::refused;
use crate::server::standin;

fn printed(arguments: &[&str]) -> String {
    let output = standin().args(arguments).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && err.is_empty(), "{arguments:?}: {err}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that `--help` lists, each with its flags; commands within another have its name before theirs.
fn commands() -> Vec<(String, BTreeSet<String>)> {
    let mut all = Vec::new();
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let flag = Regex::new(r"(?m)^(?: {6}|  -\w, )(--[a-z][a-z-]*)").unwrap();
    while let Some(name) = open.pop() {
        let words: Vec<&str> = name.iter().map(String::as_str).chain(["--help"]).collect();
        let help = printed(&words);
        if !name.is_empty() {
            all.push((name.join(" "), flag.captures_iter(&help).map(|found| found[1].to_owned()).collect()));
        }
        let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let lines = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let words = lines.filter_map(|line| line.split_whitespace().next());
        open.extend(words.map(|word| name.iter().cloned().chain([word.to_owned()]).collect::<Vec<_>>()));
    }
    all
}

#[test]
fn every_shell_gets_a_script_with_every_command_and_flag() {
    let all = commands();
    for known in [("serve", "--port"), ("coverage merge", "--output")] {
        assert!(all.iter().any(|(name, flags)| name == known.0 && flags.contains(known.1)), "{known:?}: {all:?}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed(&["completions", shell]);
        for (command, flags) in &all {
            assert!(command.split(' ').all(|word| script.contains(word)), "{shell}: {command}");
            for flag in flags {
                // fish names flags without their dashes.
                let shown = if shell == "fish" { format!(" -l {}", &flag[2..]) } else { flag.clone() };
                assert!(script.contains(&shown), "{shell}: {command} {flag}");
            }
        }
    }
}

/// Asks bash what it would complete the last word to.
fn completed(words: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("standin.bash");
    fs::write(&script, printed(&["completions", "bash"])).unwrap();
    let output: Output = Command::new("bash")
        .args(["--norc", "-c"])
        .arg(format!(
            "set -e; bash -n '{0}'; . '{0}'; COMP_WORDS=({words} ''); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             [ -n \"$LAST\" ] && COMP_WORDS[$COMP_CWORD]=$LAST; \
             _standin standin \"$LAST\" \"${{COMP_WORDS[$COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display()
        ))
        .env("LAST", "--p")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_the_flags_of_a_command() {
    let wanted = ["--port", "--port-file"].map(str::to_owned);
    assert_eq!(completed("standin serve"), BTreeSet::from(wanted));
}

#[test]
fn every_command_has_a_page_with_its_flags() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("man/man1");
    let listed = printed(&["man", "--output", place.to_str().unwrap()]);
    let mut wanted = vec![place.join("standin.1")];
    for (command, flags) in commands() {
        let name = format!("standin-{}", command.replace(' ', "-"));
        let path = place.join(format!("{name}.1"));
        let page = fs::read_to_string(&path).unwrap();
        well_formed(&page, &name);
        for flag in flags {
            let shown = format!("\\fB{}\\fR", flag.replace('-', "\\-"));
            assert!(page.contains(&shown), "{command}: {flag}: {page}");
        }
        wanted.push(path);
    }
    let mut pages: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    wanted.sort();
    assert_eq!(pages, wanted);
    let mut lines: Vec<_> = listed.lines().map(std::path::PathBuf::from).collect();
    lines.sort();
    assert_eq!(lines, wanted);
    let main = printed(&["man"]);
    well_formed(&main, "standin");
    assert_eq!(fs::read_to_string(place.join("standin.1")).unwrap(), main);
    for (command, _) in commands().iter().filter(|(command, _)| !command.contains(' ')) {
        assert!(main.contains(&format!("standin\\-{command}(1)")), "{command}: {main}");
    }
}

/// What every page of `man` has, in this order; and no line that roff would take for a request of its own by accident.
#[track_caller]
fn well_formed(page: &str, name: &str) {
    let title = format!(".TH {name} 1 ");
    assert!(page.lines().any(|line| line.starts_with(&title)), "{name} has no title: {page}");
    let order: Vec<usize> = [".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS"]
        .iter()
        .map(|part| page.find(part).unwrap_or_else(|| panic!("{name} has no {part}")))
        .collect();
    assert!(order.is_sorted(), "{name}: {order:?}");
    let known = ["TH", "SH", "TP", "RS", "RE", "br", "PP", "ie", "el", "sp", "IP", "nf", "fi", "SS", "P"];
    for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
        let word = line[1..].split_whitespace().next().unwrap_or_default();
        assert!(known.contains(&word), "{name}: {line}");
    }
}

#[test]
fn what_cannot_be_written_or_made_is_refused() {
    refused(&["completions", "cmd"], &["cmd", "bash", "elvish", "fish", "powershell", "zsh"]);
    refused(&["completions"], &["<SHELL>"]);
    refused(&["man", "--output", "Cargo.toml"], &["--output Cargo.toml: the pages cannot be written", "name a folder"]);
}

//! Names that steps keep, and why one is not known at a place.

use std::sync::Arc;

use super::Story;
use super::flow::is_plain;
use super::scope::{OWN, Scope};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::expr::Fault;
use crate::pack::source::{Fields, Key, Node, NodeKind};
use crate::scenario::Value;

/// A name that some step keeps.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    name: String,
    at: Location,
    /// The steps that are done many times at once, outside of which it is not known.
    copies: Option<Location>,
    /// Its line of steps among others beside it, and all of these.
    branch: Option<(Location, Location)>,
}

/// Words that expressions have for themselves.
const WORDS: [&str; 11] = ["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "null"];

impl Story<'_, '_> {
    /// Finds what all steps of a file keep, before they are read.
    pub(super) fn survey(&mut self, steps: &[Node]) {
        survey(steps, None, None, &mut self.keeps, &mut self.receivers);
    }

    /// What a step keeps, once it was answered.
    pub(super) fn keep(&mut self, fields: &mut Fields<'_>, scope: &mut Scope) -> Vec<(Arc<str>, Value)> {
        let members = fields.named("keep", &mut self.reader.diagnostics);
        // What is kept together does not see each other.
        let names = scope.names.clone();
        let mut kept = Vec::new();
        for (key, node) in members {
            let value = self.value(node, &names);
            if !self.is_free(key) {
                continue;
            }
            let (value, kind) = value.unwrap_or((Value::Written(serde_json::Value::Null), crate::expr::Kind::Any));
            scope.keep(&key.name, kind, key.at.clone());
            kept.push((key.name.as_str().into(), value));
        }
        kept
    }

    /// Whether something can be kept under this name.
    fn is_free(&mut self, key: &Key) -> bool {
        let name = key.name.as_str();
        let plain = is_plain(name);
        let (message, help) = if OWN.contains(&name) {
            (format!("`{name}` has a meaning of its own"), "keep it under another name")
        } else if WORDS.contains(&name) {
            (format!("`{name}` is a word of expressions"), "keep it under another name")
        } else if !plain {
            let help = "a name has small letters, digits and `_`, and begins with a letter";
            (format!("`{name}` is no name for a value that is kept"), help)
        } else {
            return true;
        };
        let meant: String = name.to_lowercase().replace(['-', ' ', '.'], "_");
        let meant = (!plain && meant != name && !OWN.contains(&meant.as_str())).then_some(meant);
        let diagnostic = Diagnostic::error(Code::ValueWrong, key.at.clone(), message);
        self.reader.report(diagnostic.suggest(meant).help(help));
        false
    }

    /// Better words for a name that is there, but not here.
    pub(super) fn not_yet(&self, fault: &Fault, node: &Node, offset: usize, text: &str) -> Option<Diagnostic> {
        let name = text.get(fault.range.clone())?;
        let at = node.part(offset + fault.range.start..offset + fault.range.end);
        match fault.code {
            Code::ExprUnknownName => {
                if name == "response" {
                    let diagnostic = Diagnostic::error(fault.code, at, "nothing has been answered yet");
                    return Some(diagnostic.help("`response` is the answer of the step before, or of this one where it keeps or expects something"));
                }
                if name == "round" {
                    let diagnostic =
                        Diagnostic::error(fault.code, at, "`round` is known within `repeat` and `parallel: N` only");
                    return Some(diagnostic.help("it counts them, from 1"));
                }
                if name == "row" {
                    let diagnostic =
                        Diagnostic::error(fault.code, at, "the scenario has no table, so there is no `row`");
                    return Some(diagnostic.help("give it one with `with`"));
                }
                if name == "call" {
                    let diagnostic = Diagnostic::error(fault.code, at, "`call` is known in `received` only");
                    return Some(diagnostic.help("the last answer is `response`"));
                }
                let kept = self.keeps.iter().rev().find(|kept| kept.name == name)?;
                Some(unreached(kept, fault.code, at))
            }
            Code::ExprUnknownField if text[..fault.range.start].ends_with("receivers.") => {
                let (_, first) = self.receivers.iter().find(|(known, _)| known == name)?;
                let message = format!("the receiver `{name}` does not listen yet");
                let diagnostic = Diagnostic::error(fault.code, at, message).related(first.clone(), "it begins here");
                Some(diagnostic.help("move that step before this one"))
            }
            _ => None,
        }
    }
}

fn unreached(kept: &Kept, code: Code, at: Location) -> Diagnostic {
    let within = |whole: &Location| {
        whole.file == at.file && whole.range.start <= at.range.start && at.range.end <= whole.range.end
    };
    let name = &kept.name;
    let (message, help) = match (&kept.copies, &kept.branch) {
        (Some(copies), _) if !within(copies) => (
            format!("`{name}` is kept by steps that are done many times at once, and not known behind them"),
            "give each line of steps a name of its own with `parallel: [[…], […]]`, or `repeat` them",
        ),
        (_, Some((own, all))) if within(all) && !within(own) => (
            format!("`{name}` is kept by steps beside these, and not known here"),
            "keep it before both, or use it behind them",
        ),
        _ => (format!("`{name}` is not kept yet"), "move the step that keeps it before this one"),
    };
    Diagnostic::error(code, at, message).related(kept.at.clone(), "kept here").help(help)
}

fn survey(
    steps: &[Node],
    copies: Option<&Location>,
    branch: Option<(&Location, &Location)>,
    keeps: &mut Vec<Kept>,
    receivers: &mut Vec<(String, Location)>,
) {
    for step in steps {
        let NodeKind::Map(members) = &step.kind else { continue };
        let find = |name: &str| members.iter().find(|(key, _)| key.name == name).map(|(_, node)| node);
        if let Some(NodeKind::Map(names)) = find("keep").map(|node| &node.kind) {
            keeps.extend(names.iter().map(|(key, _)| Kept {
                name: key.name.clone(),
                at: key.at.clone(),
                copies: copies.cloned(),
                branch: branch.map(|(own, all)| (own.clone(), all.clone())),
            }));
        }
        if let Some(node) = find("receive")
            && let Some(name) = node.as_str()
        {
            receivers.push((name.to_owned(), node.at.clone()));
        }
        let (parallel, inner) = (find("parallel"), find("steps"));
        if let Some(node) = inner
            && let NodeKind::List(steps) = &node.kind
        {
            survey(steps, parallel.map(|_| &node.at).or(copies), branch, keeps, receivers);
        }
        if let Some(node) = parallel
            && let NodeKind::List(branches) = &node.kind
        {
            for line in branches {
                if let NodeKind::List(steps) = &line.kind {
                    survey(steps, copies, Some((&line.at, &node.at)), keeps, receivers);
                }
            }
        }
    }
}

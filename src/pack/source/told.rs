//! What is said of an expression that cannot be used.

use super::Node;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::Fault;

/// The mistake at its place. The expression is the part of the node's text behind `offset` bytes; `file` is the text of the
/// whole file.
pub(crate) fn told(fault: Fault, node: &Node, offset: usize, expression: &str, file: &str) -> Diagnostic {
    let at = node.part(offset + fault.range.start..offset + fault.range.end);
    let mut diagnostic = Diagnostic::error(fault.code, at, fault.message).suggest(fault.suggestion);
    diagnostic.help = fault.help;
    // What YAML cut off is not seen in the message.
    let behind = file.get(node.at.range.end..).unwrap_or_default();
    let quotes = if behind.starts_with(',') {
        Some("inside `{ }` and `[ ]` a comma ends the value: put the whole expression in quotes")
    } else if behind.trim_start_matches(' ').starts_with('#') && behind.starts_with(' ') {
        Some("` #` begins a comment: put the whole expression in quotes")
    } else {
        expression.get(fault.range.start..).and_then(spelling)
    };
    match (fault.code, quotes) {
        (Code::ExprSyntax, Some(help)) => diagnostic.help(help),
        _ => diagnostic,
    }
}

/// What an expression has in place of something that other languages write so.
fn spelling(rest: &str) -> Option<&'static str> {
    let table = [
        ("&&", "conditions are joined with `and`"),
        ("||", "conditions are joined with `or`"),
        ("===", "values are compared with `==`"),
        ("=>", "there are no functions of your own"),
        ("=", "values are compared with `==`"),
        ("!", "the opposite is said with `not`"),
        ("?", "a choice is written `a if condition else b`"),
        ("${", "an expression stands behind `=` without marks around it"),
        ("day", "a length of time is written `days(7)`"),
        ("hour", "a length of time is written `hours(7)`"),
        ("minute", "a length of time is written `minutes(7)`"),
        ("{{", "an expression stands behind `=` without marks around it"),
    ];
    table.iter().find(|(mark, _)| rest.starts_with(mark)).map(|(_, help)| *help)
}

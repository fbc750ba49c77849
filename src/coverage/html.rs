//! A report as one page that needs nothing else: no script, no other file. What is folded opens by keyboard, too.

use std::fmt::Write as _;

use super::{Contract, Listed, OperationItem, PackReport, Report, Share, Summary};
use crate::exchange::{code, escaped, page};

/// The whole page.
pub(crate) fn html(report: &Report) -> String {
    let mut out = String::new();
    let percent = report.summary.percent;
    let title = format!("Coverage: {percent:.1} %");
    let _ = writeln!(
        out,
        "<p>{} of {} items were exercised. What is assumed does not count. Written by standin {}.</p>",
        report.summary.items.exercised,
        report.summary.items.total,
        escaped(&report.standin)
    );
    begin(&mut out, "Packs", &["pack", "operations", "statuses", "examples", "errors", "covered"]);
    for pack in &report.packs {
        let name = format!("<a href=\"#{0}\">{0}</a>", escaped(&pack.pack));
        row(&mut out, &name, &pack.summary);
    }
    row(&mut out, "all", &report.summary);
    out.push_str("</tbody>\n</table>\n");
    report.packs.iter().for_each(|pack| of_pack(&mut out, pack));
    listed(&mut out, "Requests that no operation answers", &["request", "times"], &report.undocumented, |one| {
        vec![code(&one.words()), one.hits.to_string()]
    });
    listed(
        &mut out,
        "Mismatches of requests with the contract",
        &["operation", "in", "pointer", "keyword", "times"],
        &report.violations,
        |one| {
            let texts = [&one.operation, &one.place, &one.pointer, &one.keyword].map(|text| code(text));
            texts.into_iter().chain([one.hits.to_string()]).collect()
        },
    );
    listed(
        &mut out,
        "Answers that no documentation promises",
        &["operation", "status", "error", "times"],
        &report.assumed,
        |one| {
            let error = one.error.as_deref().map(code).unwrap_or_default();
            vec![code(&one.operation), one.status.to_string(), error, one.hits.to_string()]
        },
    );
    page(&title, &out)
}

fn of_pack(out: &mut String, pack: &PackReport) {
    let (name, title) = (escaped(&pack.pack), escaped(&pack.title));
    let _ = writeln!(out, "<section aria-labelledby=\"{name}\">\n<h2 id=\"{name}\">{title} ({name})</h2>");
    for operation in &pack.operations {
        let Summary { items, .. } = Summary::of(std::iter::once(operation));
        let OperationItem { operation: id, title, method, path, statuses, examples, errors, .. } = operation;
        let _ = writeln!(
            out,
            "<details>\n<summary><code>{}</code> {}: {}, {} requests</summary>",
            escaped(&format!("{method} {path}")),
            escaped(title),
            mark(items),
            operation.hits
        );
        begin(out, id, &["item", "", "contract", "times", "place"]);
        item(out, "operation", "", operation.contract, operation.hits, &operation.at);
        for one in statuses {
            item(out, "status", &one.status.to_string(), one.contract, one.hits, &one.at);
        }
        for one in examples {
            item(out, "example", &one.example, one.contract, one.hits, &one.at);
        }
        for one in errors {
            item(out, "error", &format!("{} ({})", one.error, one.status), one.contract, one.hits, &one.at);
        }
        out.push_str("</tbody>\n</table>\n</details>\n");
    }
    out.push_str("</section>\n");
}

fn item(out: &mut String, kind: &str, name: &str, contract: Contract, hits: u64, at: &super::Place) {
    let (words, class) = match (contract.counts(), hits) {
        (false, _) => ("assumed, not counted", ""),
        (true, 0) => ("not exercised", "no"),
        (true, _) => ("exercised", "yes"),
    };
    let place = code(&format!("{}:{}", at.file, at.line));
    let name = if name.is_empty() { String::new() } else { code(name) };
    let _ = writeln!(
        out,
        "<tr><td>{kind} {name}</td><td class=\"{class}\">{words}</td><td>{}</td><td class=\"number\">{hits}</td><td>{place}</td></tr>",
        contract.word()
    );
}

/// The beginning of a table.
fn begin(out: &mut String, caption: &str, columns: &[&str]) {
    let _ = writeln!(out, "<table>\n<caption>{}</caption>\n<thead><tr>", escaped(caption));
    for column in columns {
        let class = if *column == "times" { " class=\"number\"" } else { "" };
        let column = if column.is_empty() { "exercised" } else { column };
        let _ = write!(out, "<th scope=\"col\"{class}>{column}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

fn row(out: &mut String, name: &str, summary: &Summary) {
    let Summary { percent, operations, statuses, examples, errors, .. } = *summary;
    let _ = write!(out, "<tr><th scope=\"row\">{name}</th>");
    for share in [operations, statuses, examples, errors] {
        let _ = write!(out, "<td>{}</td>", mark(share));
    }
    let _ = writeln!(out, "<td>{percent:.1} %</td></tr>");
}

/// So many of so many, in a colour that says no more than the numbers do.
fn mark(share: Share) -> String {
    let class = if share.exercised == share.total { "yes" } else { "no" };
    format!("<span class=\"{class}\">{} of {}</span>", share.exercised, share.total)
}

fn listed<T>(out: &mut String, head: &str, columns: &[&str], listed: &Listed<T>, cells: impl Fn(&T) -> Vec<String>) {
    if listed.is_empty() {
        return;
    }
    begin(out, head, columns);
    for one in &listed.records {
        out.push_str("<tr>");
        for (cell, column) in cells(one).iter().zip(columns) {
            let class = if *column == "times" { " class=\"number\"" } else { "" };
            let _ = write!(out, "<td{class}>{cell}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
    if listed.more > 0 {
        let _ = writeln!(out, "<p>Others came {} times; they are not told apart.</p>", listed.more);
    }
}

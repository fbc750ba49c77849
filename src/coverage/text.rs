//! A report as a table.

use std::fmt::Write as _;

use super::{Listed, OperationItem, Report, Share, Summary};

/// How much is shown of what came and should not.
const SHOWN: usize = 20;

/// A line per pack and one per operation, then what came and is not documented.
pub(crate) fn text(report: &Report) -> String {
    let names = report.packs.iter().flat_map(|pack| &pack.operations).map(|operation| operation.operation.len());
    let width = names.chain(report.packs.iter().map(|pack| pack.pack.len())).max().unwrap_or(0).max("operation".len());
    let mut out = String::new();
    head(&mut out, width, "pack");
    for pack in &report.packs {
        row(&mut out, width, &pack.pack, &pack.summary);
    }
    row(&mut out, width, "all", &report.summary);
    for pack in report.packs.iter().filter(|pack| !pack.operations.is_empty()) {
        out.push('\n');
        let _ = writeln!(
            out,
            "{:<width$}  {:>10} {:>9} {:>9} {:>9}  request",
            "operation", "requests", "statuses", "examples", "errors"
        );
        for operation in &pack.operations {
            let Summary { statuses, examples, errors, .. } = Summary::of(std::iter::once(operation));
            let OperationItem { operation: id, hits, method, path, .. } = operation;
            let [statuses, examples, errors] = [statuses, examples, errors].map(share);
            let request = format!("{method} /{}{path}", pack.pack);
            let _ = writeln!(out, "{id:<width$}  {hits:>10} {statuses:>9} {examples:>9} {errors:>9}  {request}");
        }
    }
    listed(&mut out, "requests that no operation answers", &report.undocumented, |one| (one.hits, one.words()));
    listed(&mut out, "mismatches of requests with the contract", &report.violations, |one| (one.hits, one.words()));
    listed(&mut out, "answers that no documentation promises", &report.assumed, |one| (one.hits, one.words()));
    out
}

fn head(out: &mut String, width: usize, name: &str) {
    let _ = writeln!(
        out,
        "{name:<width$}  {:>10} {:>9} {:>9} {:>9} {:>8}",
        "operations", "statuses", "examples", "errors", "covered"
    );
}

fn row(out: &mut String, width: usize, name: &str, summary: &Summary) {
    let Summary { percent, operations, statuses, examples, errors, .. } = summary;
    let [operations, statuses, examples, errors] = [*operations, *statuses, *examples, *errors].map(share);
    let _ = writeln!(
        out,
        "{name:<width$}  {operations:>10} {statuses:>9} {examples:>9} {errors:>9} {:>8}",
        format!("{percent:.1} %")
    );
}

fn share(share: Share) -> String {
    format!("{}/{}", share.exercised, share.total)
}

fn listed<T>(out: &mut String, head: &str, listed: &Listed<T>, line: impl Fn(&T) -> (u64, String)) {
    if listed.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{head}");
    for one in listed.records.iter().take(SHOWN) {
        let (hits, words) = line(one);
        let _ = writeln!(out, "{hits:>10}  {words}");
    }
    if listed.records.len() > SHOWN {
        let _ = writeln!(out, "{:>10}  and {} more", "", listed.records.len() - SHOWN);
    }
    if listed.more > 0 {
        let _ = writeln!(out, "{:>10}  others, which are not told apart", listed.more);
    }
}

//! A report for tools that know coverage of code: files of packs, with how often each of their lines was exercised.
//!
//! A line counts as often as what begins on it: an operation, its statuses, an error; a file of an example has one line.
//! What is assumed is left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{OperationItem, PackReport, Place, Report};
use crate::clock::Instant;
use crate::exchange::escaped;

/// A file of a pack.
#[derive(Default)]
struct File<'r> {
    lines: BTreeMap<usize, u64>,
    /// The operations that it is of.
    operations: Vec<&'r OperationItem>,
}

impl File<'_> {
    fn covered(&self) -> usize {
        self.lines.values().filter(|hits| **hits > 0).count()
    }
}

/// The files of a pack in the order of their paths.
fn files(pack: &PackReport) -> BTreeMap<&str, File<'_>> {
    let mut files: BTreeMap<&str, File<'_>> = BTreeMap::new();
    for operation in &pack.operations {
        // What stands on one line, such as the only answer with a status, is one thing.
        let mut own: BTreeMap<&Place, u64> = BTreeMap::new();
        let items = [(&operation.at, operation.contract, operation.hits)].into_iter();
        let items = items.chain(operation.statuses.iter().map(|item| (&item.at, item.contract, item.hits)));
        let items = items.chain(operation.errors.iter().map(|item| (&item.at, item.contract, item.hits)));
        let items = items.chain(operation.examples.iter().map(|item| (&item.at, item.contract, item.hits)));
        for (at, _, hits) in items.filter(|(_, contract, _)| contract.counts()) {
            let most = own.entry(at).or_default();
            *most = hits.max(*most);
        }
        for (at, hits) in own {
            let sum = files.entry(&at.file).or_default().lines.entry(at.line).or_default();
            *sum = sum.saturating_add(hits);
        }
        if operation.contract.counts() {
            files.entry(&operation.at.file).or_default().operations.push(operation);
        }
    }
    files
}

/// The tracefile of lcov.
pub(crate) fn lcov(report: &Report) -> String {
    let mut out = String::new();
    for (path, file) in report.packs.iter().flat_map(files) {
        let path = path.replace(['\r', '\n'], " ");
        let _ = writeln!(out, "TN:\nSF:{path}");
        for operation in &file.operations {
            let _ = writeln!(out, "FN:{},{}", operation.at.line, operation.operation);
        }
        for operation in &file.operations {
            let _ = writeln!(out, "FNDA:{},{}", operation.hits, operation.operation);
        }
        let hit = file.operations.iter().filter(|operation| operation.hits > 0).count();
        let _ = writeln!(out, "FNF:{}\nFNH:{hit}", file.operations.len());
        for (line, hits) in &file.lines {
            let _ = writeln!(out, "DA:{line},{hits}");
        }
        let _ = writeln!(out, "LF:{}\nLH:{}\nend_of_record", file.lines.len(), file.covered());
    }
    out
}

/// Cobertura's XML, in the order of its DTD. A package is a pack, a class a file, a method an operation.
pub(crate) fn cobertura(report: &Report, now: Instant) -> String {
    let packs: Vec<_> = report.packs.iter().map(|pack| (pack, files(pack))).collect();
    let all = |files: &BTreeMap<&str, File<'_>>| {
        files.values().fold((0, 0), |(covered, valid), file| (covered + file.covered(), valid + file.lines.len()))
    };
    let (covered, valid) =
        packs.iter().map(|(_, files)| all(files)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE coverage SYSTEM \"http://cobertura.sourceforge.net/xml/coverage-04.dtd\">\n",
    );
    let _ = writeln!(
        out,
        "<coverage line-rate=\"{}\" branch-rate=\"0\" lines-covered=\"{covered}\" lines-valid=\"{valid}\" \
         branches-covered=\"0\" branches-valid=\"0\" complexity=\"0\" version=\"standin {}\" timestamp=\"{}\">",
        rate(covered, valid),
        escaped(&report.standin),
        now.micros().div_euclid(1000)
    );
    out.push_str("  <sources>\n    <source>.</source>\n  </sources>\n  <packages>\n");
    for (pack, files) in &packs {
        let (covered, valid) = all(files);
        let (name, rate) = (escaped(&pack.pack), rate(covered, valid));
        let _ = writeln!(out, "    <package name=\"{name}\" line-rate=\"{rate}\" branch-rate=\"0\" complexity=\"0\">");
        out.push_str("      <classes>\n");
        for (path, file) in files {
            class(&mut out, path, file);
        }
        out.push_str("      </classes>\n    </package>\n");
    }
    out.push_str("  </packages>\n</coverage>\n");
    out
}

fn class(out: &mut String, path: &str, file: &File<'_>) {
    let (path, rate) = (escaped(path), rate(file.covered(), file.lines.len()));
    let _ = writeln!(
        out,
        "        <class name=\"{path}\" filename=\"{path}\" line-rate=\"{rate}\" branch-rate=\"0\" complexity=\"0\">"
    );
    out.push_str("          <methods>\n");
    for operation in &file.operations {
        let (name, line, hits) = (escaped(&operation.operation), operation.at.line, operation.hits);
        let signature = escaped(&format!("{} {}", operation.method, operation.path));
        let rate = u8::from(hits > 0);
        let _ = writeln!(
            out,
            "            <method name=\"{name}\" signature=\"{signature}\" line-rate=\"{rate}\" branch-rate=\"0\" \
             complexity=\"0\">\n              <lines>\n                <line number=\"{line}\" hits=\"{hits}\"/>\n              \
             </lines>\n            </method>"
        );
    }
    out.push_str("          </methods>\n          <lines>\n");
    for (line, hits) in &file.lines {
        let _ = writeln!(out, "            <line number=\"{line}\" hits=\"{hits}\"/>");
    }
    out.push_str("          </lines>\n        </class>\n");
}

/// Between 0 and 1, with four decimals, rounded down.
fn rate(covered: usize, valid: usize) -> String {
    let parts = (covered * 10_000).checked_div(valid).unwrap_or(10_000);
    format!("{}.{:04}", parts / 10_000, parts % 10_000)
}

//! Several reports as one: of several runs, or of parts of a suite that ran side by side. What is the same is found by name.

use std::collections::BTreeSet;

use super::{Contract, Listed, OperationItem, PackReport, Report};
use crate::exchange::distinct;

/// Reports that were put together, and where they differ.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) report: Report,
    /// In words.
    pub(crate) notes: Vec<String>,
}

/// How many things are told apart in a list, and how many are named in a note.
const MOST: usize = 1000;
const NAMED: usize = 5;

impl Merged {
    /// Of reports, each with the name by which it is told apart.
    pub(crate) fn of(reports: Vec<(String, Report)>) -> Self {
        let mut merged = Merged { report: Report::new(Vec::new()), notes: Vec::new() };
        let versions = distinct(reports.iter().map(|(_, report)| report.standin.clone()));
        if versions.len() > 1 {
            merged
                .notes
                .push(format!("the files were written by different versions of standin: {}", versions.join(", ")));
        }
        let mut first: Option<String> = None;
        for (name, report) in reports {
            let Report { packs, undocumented, violations, assumed, .. } = report;
            for pack in packs {
                merged.pack(first.as_deref(), &name, pack);
            }
            let into = &mut merged.report;
            put(
                &mut into.undocumented,
                undocumented,
                |one| &mut one.hits,
                |one, other| (&one.pack, &one.method, &one.path) == (&other.pack, &other.method, &other.path),
            );
            put(
                &mut into.violations,
                violations,
                |one| &mut one.hits,
                |one, other| {
                    (&one.operation, &one.place, &one.pointer, &one.keyword)
                        == (&other.operation, &other.place, &other.pointer, &other.keyword)
                },
            );
            put(
                &mut into.assumed,
                assumed,
                |one| &mut one.hits,
                |one, other| (&one.operation, one.status, &one.error) == (&other.operation, other.status, &other.error),
            );
            first.get_or_insert(name);
        }
        merged.report.sum();
        merged
    }

    fn pack(&mut self, first: Option<&str>, name: &str, pack: PackReport) {
        let Some(known) = self.report.packs.iter_mut().find(|known| known.pack == pack.pack) else {
            self.report.packs.push(pack);
            return;
        };
        if pack.digests.iter().any(|digest| !known.digests.contains(digest)) {
            let (own, theirs) =
                (names(&known.operations, &pack.operations), names(&pack.operations, &known.operations));
            let mut words =
                format!("the pack `{}` of {name} has other files than that of {}", pack.pack, first.unwrap_or(name));
            let sides = [("only there", theirs.difference(&own)), ("not there", own.difference(&theirs))];
            for (side, items) in sides.map(|(side, items)| (side, items.cloned().collect::<Vec<_>>())) {
                if !items.is_empty() {
                    let more = items.len().saturating_sub(NAMED);
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    let named = items.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
                    words.push_str(&format!("; {side}: {named}{more}"));
                }
            }
            words.push_str("; items are put together by their names");
            self.notes.push(words);
            let digests = known.digests.drain(..).chain(pack.digests);
            known.digests = distinct(digests);
        }
        for operation in pack.operations {
            match known.operations.iter_mut().find(|known| known.operation == operation.operation) {
                Some(known) => into(known, operation),
                None => known.operations.push(operation),
            }
        }
    }
}

/// Everything that operations have, in words; of those that others have not, only that they are there.
fn names(operations: &[OperationItem], others: &[OperationItem]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for one in operations {
        let id = &one.operation;
        if others.iter().all(|other| other.operation != *id) {
            names.insert(format!("operation {id}"));
            continue;
        }
        names.extend(one.statuses.iter().map(|item| format!("status {} of {id}", item.status)));
        names.extend(one.examples.iter().map(|item| format!("example {}", item.example)));
        names.extend(one.errors.iter().map(|item| format!("error {} of {id}", item.error)));
    }
    names
}

fn into(known: &mut OperationItem, more: OperationItem) {
    let OperationItem { hits, contract, statuses, errors, examples, .. } = more;
    both((&mut known.hits, &mut known.contract), (hits, contract));
    for item in statuses {
        match known.statuses.iter_mut().find(|known| known.status == item.status) {
            Some(known) => both((&mut known.hits, &mut known.contract), (item.hits, item.contract)),
            None => known.statuses.push(item),
        }
    }
    known.statuses.sort_by_key(|item| item.status);
    for item in errors {
        match known.errors.iter_mut().find(|known| known.error == item.error) {
            Some(known) => both((&mut known.hits, &mut known.contract), (item.hits, item.contract)),
            None => known.errors.push(item),
        }
    }
    for item in examples {
        match known.examples.iter_mut().find(|known| known.example == item.example) {
            Some(known) => both((&mut known.hits, &mut known.contract), (item.hits, item.contract)),
            None => known.examples.push(item),
        }
    }
}

fn both((hits, contract): (&mut u64, &mut Contract), (more, other): (u64, Contract)) {
    *hits = hits.saturating_add(more);
    *contract = contract.or(other);
}

/// Adds what is listed to what is there, as far as there is room for it.
fn put<T>(into: &mut Listed<T>, more: Listed<T>, hits: impl Fn(&mut T) -> &mut u64, same: impl Fn(&T, &T) -> bool) {
    into.more = into.more.saturating_add(more.more);
    for mut one in more.records {
        let times = *hits(&mut one);
        let full = into.records.len() >= MOST;
        match into.records.iter_mut().find(|known| same(known, &one)) {
            Some(known) => *hits(known) = hits(known).saturating_add(times),
            None if full => into.more = into.more.saturating_add(times),
            None => into.records.push(one),
        }
    }
}

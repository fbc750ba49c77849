//! What requests have exercised of what packs promise: worked out of what was counted, written and read as a file, merged,
//! judged and shown.
//!
//! Must not know: how requests are answered, files, the terminal. Start with [`Report`] and [`of_sandbox`].

mod html;
mod judge;
mod lines;
mod merge;
mod read;
mod text;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Real;
use crate::diagnostic::Location;
use crate::exchange::distinct;
use crate::pack::{OfOperation, Operation, Options, Pack, Provenance};
use crate::sandbox::{Registry, Sandbox, Sorts, Tally};

pub(crate) use html::html;
pub(crate) use judge::{Bar, Kind};
pub(crate) use lines::{cobertura, lcov};
pub(crate) use merge::Merged;
pub(crate) use read::read;
pub(crate) use text::text;

/// The number of the format.
const FORMAT: u64 = 1;

/// What was exercised, and what was not. This is the format of coverage files, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    /// The number of the format.
    pub(crate) coverage: u64,
    /// The version that wrote it.
    pub(crate) standin: String,
    pub(crate) summary: Summary,
    pub(crate) packs: Vec<PackReport>,
    /// Requests that no operation answers.
    pub(crate) undocumented: Listed<Undocumented>,
    /// Mismatches of requests with the contract.
    pub(crate) violations: Listed<Violation>,
    /// Answers that no documentation promises.
    pub(crate) assumed: Listed<Assumed>,
}

/// What was exercised of one pack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PackReport {
    pub(crate) pack: String,
    pub(crate) title: String,
    /// SHA-256 of all files of the pack; of each pack that was merged.
    pub(crate) digests: Vec<String>,
    pub(crate) summary: Summary,
    pub(crate) operations: Vec<OperationItem>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationItem {
    /// `<pack>/<folder>/<file>`.
    pub(crate) operation: String,
    pub(crate) title: String,
    pub(crate) method: String,
    /// Without the pack's name in front.
    pub(crate) path: String,
    pub(crate) contract: Contract,
    pub(crate) hits: u64,
    pub(crate) at: Place,
    pub(crate) statuses: Vec<StatusItem>,
    pub(crate) errors: Vec<ErrorItem>,
    pub(crate) examples: Vec<ExampleItem>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusItem {
    pub(crate) status: u16,
    pub(crate) contract: Contract,
    pub(crate) hits: u64,
    pub(crate) at: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorItem {
    pub(crate) error: String,
    pub(crate) status: u16,
    /// Only a fault gives it.
    pub(crate) fault: bool,
    pub(crate) contract: Contract,
    pub(crate) hits: u64,
    pub(crate) at: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleItem {
    /// Path within the pack's folder.
    pub(crate) example: String,
    pub(crate) status: u16,
    /// The error that it shows.
    pub(crate) error: Option<String>,
    pub(crate) contract: Contract,
    pub(crate) hits: u64,
    pub(crate) at: Place,
}

/// Whether the documentation promises something, in the words of `Standin-Contract`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Contract {
    #[serde(rename = "documented")]
    Documented,
    #[serde(rename = "documented; body=assumed")]
    BodyAssumed,
    #[serde(rename = "assumed")]
    Assumed,
}

/// A line of a pack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// Different things of one sort, and how often there were others, which are not told apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed<T> {
    pub(crate) records: Vec<T>,
    pub(crate) more: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Undocumented {
    /// Null where the path leads to none.
    pub(crate) pack: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) hits: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Violation {
    pub(crate) operation: String,
    #[serde(rename = "in")]
    pub(crate) place: String,
    pub(crate) pointer: String,
    pub(crate) keyword: String,
    pub(crate) hits: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assumed {
    pub(crate) operation: String,
    pub(crate) status: u16,
    pub(crate) error: Option<String>,
    pub(crate) hits: u64,
}

/// How much was exercised. What is assumed does not count.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Summary {
    /// With one decimal, rounded down.
    pub(crate) percent: f64,
    pub(crate) items: Share,
    pub(crate) operations: Share,
    pub(crate) statuses: Share,
    pub(crate) examples: Share,
    pub(crate) errors: Share,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Share {
    pub(crate) exercised: usize,
    pub(crate) total: usize,
}

impl Contract {
    fn of(provenance: &Provenance) -> Self {
        match provenance {
            Provenance::Documented(_) => Contract::Documented,
            Provenance::BodyAssumed { .. } => Contract::BodyAssumed,
            Provenance::Assumed(_) => Contract::Assumed,
        }
    }

    fn word(self) -> &'static str {
        let [documented, body_assumed, assumed] = Provenance::HEADERS;
        match self {
            Contract::Documented => documented,
            Contract::BodyAssumed => body_assumed,
            Contract::Assumed => assumed,
        }
    }

    /// Of several answers the one that the documentation says most of.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Contract::Documented, _) | (_, Contract::Documented) => Contract::Documented,
            (Contract::BodyAssumed, _) | (_, Contract::BodyAssumed) => Contract::BodyAssumed,
            _ => Contract::Assumed,
        }
    }

    /// Whether something of this contract is to be exercised.
    pub(crate) fn counts(self) -> bool {
        self != Contract::Assumed
    }
}

impl Share {
    fn add(&mut self, contract: Contract, hits: u64) {
        if contract.counts() {
            self.total += 1;
            self.exercised += usize::from(hits > 0);
        }
    }

    fn and(self, other: Share) -> Share {
        Share { exercised: self.exercised + other.exercised, total: self.total + other.total }
    }
}

impl Summary {
    fn of<'o>(operations: impl Iterator<Item = &'o OperationItem>) -> Self {
        let mut summary = Summary::default();
        for operation in operations {
            summary.operations.add(operation.contract, operation.hits);
            operation.statuses.iter().for_each(|item| summary.statuses.add(item.contract, item.hits));
            operation.examples.iter().for_each(|item| summary.examples.add(item.contract, item.hits));
            operation.errors.iter().for_each(|item| summary.errors.add(item.contract, item.hits));
        }
        let Summary { operations, statuses, examples, errors, .. } = summary;
        summary.items = operations.and(statuses).and(examples).and(errors);
        summary.percent = percent(summary.items);
        summary
    }
}

/// Rounded down, so that only all is 100.
fn percent(share: Share) -> f64 {
    let tenths = (share.exercised * 1000).checked_div(share.total).unwrap_or(1000);
    f64::from(u32::try_from(tenths).unwrap_or(1000)) / 10.0
}

impl Report {
    /// With summaries, in the order of names where there is no other.
    fn new(packs: Vec<PackReport>) -> Self {
        let mut report = Report {
            coverage: FORMAT,
            standin: env!("CARGO_PKG_VERSION").to_owned(),
            summary: Summary::default(),
            packs,
            undocumented: Listed::default(),
            violations: Listed::default(),
            assumed: Listed::default(),
        };
        report.sum();
        report
    }

    fn sum(&mut self) {
        for pack in &mut self.packs {
            pack.summary = Summary::of(pack.operations.iter());
        }
        self.summary = Summary::of(self.packs.iter().flat_map(|pack| &pack.operations));
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Undocumented {
    /// In words, without how often.
    fn words(&self) -> String {
        let pack = self.pack.as_ref().map(|pack| format!("/{pack}")).unwrap_or_default();
        format!("{} {pack}{}", self.method, self.path)
    }
}

impl Violation {
    fn words(&self) -> String {
        format!("{}: {} `{}` ({})", self.operation, self.place, self.pointer, self.keyword)
    }
}

impl Assumed {
    fn words(&self) -> String {
        let error = self.error.as_ref().map(|error| format!(" `{error}`")).unwrap_or_default();
        format!("{}: {}{error}", self.operation, self.status)
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Listed { records: Vec::new(), more: 0 }
    }
}

impl<T> Listed<T> {
    fn of<K>(sorts: &Sorts<K>, record: impl Fn(&K, u64) -> T) -> Self {
        let records = sorts.known.iter().map(|(key, hits)| record(key, *hits)).collect();
        Listed { records, more: sorts.more }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.more == 0
    }
}

/// What a tally says about packs. With each pack come the options that sandboxes have chosen of it: what exists with none
/// of them is left out, unless it was exercised all the same.
fn of(packs: &[Arc<Pack>], options: &[Vec<Options>], tally: &Tally) -> Report {
    let mut assumed = Sorts::default();
    for ((operation, status), hits) in &tally.undeclared.known {
        assumed.add((operation.to_string(), *status, None), *hits);
    }
    assumed.more += tally.undeclared.more;
    let mut reports = Vec::with_capacity(packs.len());
    for (number, pack) in packs.iter().enumerate() {
        let nothing = vec![0; pack.answers.counters()];
        let counts = tally.counts(number).filter(|counts| counts.len() == nothing.len()).unwrap_or(nothing);
        let options = options.get(number).map(Vec::as_slice).unwrap_or_default();
        let seen = Seen { pack, counts: &counts, options };
        let operations = pack.operations.iter().filter_map(|operation| seen.operation(operation)).collect();
        for operation in &pack.operations {
            seen.assumed(operation, &mut assumed);
        }
        reports.push(PackReport {
            pack: pack.name.to_string(),
            title: pack.title.clone(),
            digests: vec![pack.face.digest.clone()],
            summary: Summary::default(),
            operations,
        });
    }
    let undocumented = Listed::of(&tally.undocumented, |key, hits| Undocumented {
        pack: key.pack.as_deref().map(str::to_owned),
        method: key.method.clone(),
        path: key.path.clone(),
        hits,
    });
    let violations = Listed::of(&tally.violations, |(operation, misfit), hits| Violation {
        operation: operation.to_string(),
        place: misfit.place.to_owned(),
        pointer: misfit.pointer.clone(),
        keyword: misfit.keyword.clone(),
        hits,
    });
    let assumed = Listed::of(&assumed, |(operation, status, error), hits| Assumed {
        operation: operation.clone(),
        status: *status,
        error: error.clone(),
        hits,
    });
    Report { undocumented, violations, assumed, ..Report::new(reports) }
}

/// What was counted in one sandbox.
pub(crate) fn of_sandbox(sandbox: &Sandbox) -> Report {
    let (ground, mut tally) = (sandbox.ground(), sandbox.tally());
    tally.renew(&ground.packs);
    let options: Vec<Vec<Options>> = ground.options.iter().map(|options| vec![options.clone()]).collect();
    of(&ground.packs, &options, &tally)
}

/// What was counted in all sandboxes of a server, those that are closed included.
pub(crate) fn of_server(registry: &Registry, real: Real) -> Report {
    let (packs, tally) = (registry.packs(), registry.tally(real));
    let grounds: Vec<_> = registry.list(real).iter().map(|sandbox| sandbox.ground()).collect();
    let of_pack = |number: usize| distinct(grounds.iter().filter_map(|ground| ground.options.get(number).cloned()));
    let options: Vec<Vec<Options>> = (0..packs.len()).map(of_pack).collect();
    of(&packs, &options, &tally)
}

/// One pack with what was counted of it.
struct Seen<'a> {
    pack: &'a Pack,
    counts: &'a [u64],
    options: &'a [Options],
}

impl Seen<'_> {
    fn at(&self, location: &Location) -> Place {
        let sources = &self.pack.sources;
        Place { file: sources.path(location.file).to_owned(), line: sources.line_column(location).0 }
    }

    fn operation(&self, operation: &Operation) -> Option<OperationItem> {
        let of = self.pack.answers.operation(operation.number);
        let hits = of.led().map(|counter| self.counts[counter]).sum();
        let is_there = |options: &Options| operation.lines().any(|line| line.wanted.holds(options));
        if hits == 0 && !self.options.iter().any(is_there) {
            return None;
        }
        let (statuses, errors) = self.answers(operation, of);
        Some(OperationItem {
            operation: operation.name.to_string(),
            title: operation.title.to_string(),
            method: operation.method.to_string(),
            path: operation.template.to_string(),
            contract: Contract::of(&operation.provenance),
            hits,
            at: self.at(&operation.at),
            statuses,
            errors,
            examples: self.examples(operation, of),
        })
    }

    /// The statuses in their order, and the errors in the order of what gives them.
    fn answers(&self, operation: &Operation, of: &OfOperation) -> (Vec<StatusItem>, Vec<ErrorItem>) {
        let (mut statuses, mut errors): (Vec<StatusItem>, Vec<ErrorItem>) = Default::default();
        for (place, declared) in of.declared.iter().enumerate() {
            let hits = self.counts[of.answer(place)];
            if hits == 0 && !self.options.iter().any(|options| of.is_there(declared, options)) {
                continue;
            }
            let reply = declared.reply(self.pack, operation);
            let (status, contract) = (reply.status.as_u16(), Contract::of(&reply.provenance));
            match statuses.iter_mut().find(|item| item.status == status) {
                Some(item) => (item.hits, item.contract) = (item.hits + hits, item.contract.or(contract)),
                None => statuses.push(StatusItem { status, contract, hits, at: self.at(&reply.at) }),
            }
            let Some(error) = declared.error.map(|error| self.pack.error(error)) else { continue };
            match errors.iter_mut().find(|item| *item.error == *error.name) {
                Some(item) => (item.hits, item.contract) = (item.hits + hits, item.contract.or(contract)),
                None => {
                    let (error, fault, at) = (error.name.to_string(), error.fault, self.at(&reply.at));
                    errors.push(ErrorItem { error, status, fault, contract, hits, at });
                }
            }
        }
        statuses.sort_by_key(|item| item.status);
        (statuses, errors)
    }

    fn examples(&self, operation: &Operation, of: &OfOperation) -> Vec<ExampleItem> {
        let mut items = Vec::new();
        for (place, shown) in of.shown.iter().enumerate() {
            let hits = self.counts[of.example(place)];
            let example = &self.pack.examples[shown.example];
            // Whoever has other options cannot get it, where it says which it needs.
            let needed = !example.side.options.is_empty();
            if hits == 0 && needed && !self.options.contains(&shown.options) {
                continue;
            }
            let Some(status) = example.status else { continue };
            let declared = shown.alike.iter().max_by_key(|(_, likeness)| *likeness);
            let declared = declared.map(|(declared, _)| &of.declared[*declared]);
            let reply = declared.map(|declared| declared.reply(self.pack, operation));
            let contract = match (&example.side.assumed, reply) {
                (Some(_), _) | (None, None) => Contract::Assumed,
                (None, Some(reply)) => Contract::of(&reply.provenance),
            };
            let error = declared.and_then(|declared| declared.error);
            items.push(ExampleItem {
                example: example.path.to_string(),
                status,
                error: error.map(|error| self.pack.error(error).name.to_string()),
                contract,
                hits,
                at: self.at(&example.at),
            });
        }
        items
    }

    /// Adds the answers of an operation that were given and are assumed.
    fn assumed(&self, operation: &Operation, assumed: &mut Sorts<(String, u16, Option<String>)>) {
        let of = self.pack.answers.operation(operation.number);
        for (place, declared) in of.declared.iter().enumerate() {
            let (hits, reply) = (self.counts[of.answer(place)], declared.reply(self.pack, operation));
            if hits > 0 && matches!(reply.provenance, Provenance::Assumed(_)) {
                let error = declared.error.map(|error| self.pack.error(error).name.to_string());
                assumed.add((operation.name.to_string(), reply.status.as_u16(), error), hits);
            }
        }
    }
}

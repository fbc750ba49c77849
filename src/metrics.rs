//! What a server has counted of its exchanges, as Prometheus reads it.
//!
//! The only user of `prometheus-client`. Labels are ids of packs and words of this program, never what a client sent:
//! so there is an end to the series. Must not know: sandboxes, the engine, the control plane. Start with [`Metrics::count`] and
//! [`Metrics::shown`].

use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::exchange::{Delivery, Outcome};
use crate::journal::{Exchanged, is_unmatched};
use crate::pack::{Pack, Provenance};

/// The upper ends of the buckets that durations are sorted into, in seconds.
const BUCKETS: [f64; 16] =
    [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0];

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    OpenMetrics,
    /// The text format of Prometheus before OpenMetrics, which everything reads.
    Text,
}

impl Format {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPack {
    pack: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOperation {
    pack: Arc<str>,
    /// Empty where none is known.
    operation: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAnswer {
    pack: Arc<str>,
    operation: Arc<str>,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfContract {
    pack: Arc<str>,
    contract: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDelivery {
    pack: Arc<str>,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAttempt {
    pack: Arc<str>,
    result: &'static str,
}

/// The metrics of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<OfAnswer, Counter>,
    families: Families,
    /// By the number of the pack.
    packs: Vec<PackMetrics>,
    /// Packs that came after those.
    later: RwLock<Vec<PackMetrics>>,
    /// Requests that led to no pack.
    elsewhere: Counter,
    connections: Gauge,
    kept: [Gauge; 3],
    /// The label where there is nothing to name.
    nothing: Arc<str>,
}

/// Metrics that packs have.
#[derive(Debug)]
struct Families {
    findings: Family<OfOperation, Counter>,
    deliveries: Family<OfDelivery, Counter>,
    attempts: Family<OfAttempt, Counter>,
    took: Family<OfPack, Histogram, fn() -> Histogram>,
    answers: Family<OfContract, Counter>,
    unmatched: Family<OfPack, Counter>,
}

impl Families {
    /// What can be named beforehand begins at zero, so that the first time that it rises is seen.
    fn begin(&self, pack: &Pack, nothing: &Arc<str>) {
        let name = || Arc::clone(&pack.name);
        for kind in Delivery::WORDS {
            drop(self.deliveries.get_or_create(&OfDelivery { pack: name(), kind }));
        }
        for operation in pack.operations.iter().map(|operation| &operation.name).chain([nothing]) {
            drop(self.findings.get_or_create(&OfOperation { pack: name(), operation: Arc::clone(operation) }));
        }
    }

    fn of(&self, pack: &Pack) -> PackMetrics {
        let name = || Arc::clone(&pack.name);
        let answers = |contract| self.answers.get_or_create_owned(&OfContract { pack: name(), contract });
        PackMetrics {
            requests: Recent::default(),
            took: self.took.get_or_create_owned(&OfPack { pack: name() }),
            answers: Provenance::HEADERS.map(answers),
            unmatched: self.unmatched.get_or_create_owned(&OfPack { pack: name() }),
        }
    }
}

/// What every exchange of a pack counts in, found once.
#[derive(Debug)]
struct PackMetrics {
    requests: Recent,
    took: Histogram,
    /// In the order of [`Provenance::HEADERS`].
    answers: [Counter; 3],
    unmatched: Counter,
}

/// How many counters of a pack are found without a lock.
const RECENT: usize = 64;

/// Counters by operation and status: those that were needed first at their place. A place is never given to another, so
/// nobody waits to look there.
#[derive(Debug)]
struct Recent([OnceLock<(Arc<str>, u16, Counter)>; RECENT]);

impl Default for Recent {
    fn default() -> Self {
        Recent([const { OnceLock::new() }; RECENT])
    }
}

impl Recent {
    /// Does something with the counter of an operation and a status, which `named` finds where it is not here.
    fn of<R>(&self, operation: &Arc<str>, code: u16, named: impl Fn() -> Counter, act: impl Fn(&Counter) -> R) -> R {
        // Names of operations lie where they lie for as long as there is their pack.
        let place = (operation.as_ptr().addr() >> 4) ^ usize::from(code);
        let (known, status, counter) = self.0[place % RECENT].get_or_init(|| (Arc::clone(operation), code, named()));
        match *status == code && (Arc::ptr_eq(known, operation) || **known == **operation) {
            true => act(counter),
            false => act(&named()),
        }
    }
}

/// What the open sandboxes have, as it is when metrics are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) sandboxes: u64,
    /// Of all their logs.
    pub(crate) entries: u64,
    /// Those that had to make room.
    pub(crate) evicted: u64,
}

impl Metrics {
    pub(crate) fn new(packs: &[Arc<Pack>]) -> Self {
        let build = Family::<Build, Gauge>::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        let requests = Family::<OfAnswer, Counter>::default();
        let findings = Family::<OfOperation, Counter>::default();
        let took = Family::<OfPack, Histogram, fn() -> Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let answers = Family::<OfContract, Counter>::default();
        let unmatched = Family::<OfPack, Counter>::default();
        let deliveries = Family::<OfDelivery, Counter>::default();
        let attempts = Family::<OfAttempt, Counter>::default();
        let connections = Gauge::default();
        let kept: [Gauge; 3] = Default::default();
        let nothing: Arc<str> = "".into();
        let elsewhere = unmatched.get_or_create_owned(&OfPack { pack: Arc::clone(&nothing) });
        let families = Families { findings, deliveries, attempts, took, answers, unmatched };
        let numbered = packs.iter().map(|pack| families.of(pack)).collect();
        packs.iter().for_each(|pack| families.begin(pack, &nothing));
        let Families { findings, deliveries, attempts, took, answers, unmatched } = &families;
        let mut registry = Registry::default();
        let about = "The version of standin that runs";
        registry.register("standin_build_info", about, build);
        let about = "Requests, by the pack and operation they led to and the status they got";
        registry.register("standin_requests", about, requests.clone());
        let about = "How long the engine took for an answer, in real time";
        registry.register("standin_request_duration_seconds", about, took.clone());
        let about = "Failures of packs in answers, such as mismatches with their schemas";
        registry.register("standin_contract_findings", about, findings.clone());
        registry.register("standin_answers", "Answers, by what promises them", answers.clone());
        registry.register("standin_unmatched_requests", "Requests that no operation answers", unmatched.clone());
        let about = "Answers that faults delayed or broke on the wire, by what was done to them";
        registry.register("standin_deliveries", about, deliveries.clone());
        let about = "Attempts to deliver webhooks, by what came of them";
        registry.register("standin_webhook_attempts", about, attempts.clone());
        registry.register("standin_connections", "Open connections", connections.clone());
        let [sandboxes, entries, evicted] = kept.clone();
        registry.register("standin_sandboxes", "Open sandboxes", sandboxes);
        registry.register("standin_journal_entries", "Entries that the logs of open sandboxes keep", entries);
        // No counter: it falls when a sandbox is reset or closed.
        let about = "Entries that had to make room in the logs of open sandboxes";
        registry.register("standin_journal_evicted", about, evicted);
        let later = RwLock::default();
        Metrics { registry, requests, families, packs: numbered, later, elsewhere, connections, kept, nothing }
    }

    /// Learns of packs that were replaced, and of further ones.
    pub(crate) fn know(&self, packs: &[Arc<Pack>]) {
        packs.iter().for_each(|pack| self.families.begin(pack, &self.nothing));
        let mut later = self.later.write();
        for pack in packs.iter().skip(self.packs.len() + later.len()) {
            later.push(self.families.of(pack));
        }
    }

    /// Counts an exchange with a pack, which is given by its number; without one the path led to none.
    pub(crate) fn count(&self, pack: Option<usize>, exchanged: &Exchanged) {
        match pack.map(|pack| (pack, self.packs.get(pack))) {
            Some((_, Some(of))) => self.count_in(Some(of), exchanged),
            // A pack that there was not from the beginning.
            Some((pack, None)) => self.count_in(self.later.read().get(pack - self.packs.len()), exchanged),
            None => self.count_in(None, exchanged),
        }
    }

    fn count_in(&self, of: Option<&PackMetrics>, exchanged: &Exchanged) {
        let pack = || Arc::clone(exchanged.pack.as_ref().map_or(&self.nothing, |face| &face.name));
        let operation = || Arc::clone(exchanged.operation.as_ref().unwrap_or(&self.nothing));
        let code = exchanged.response.status.as_u16();
        let named = || self.requests.get_or_create_owned(&OfAnswer { pack: pack(), operation: operation(), code });
        match of {
            Some(of) => {
                of.requests.of(exchanged.operation.as_ref().unwrap_or(&self.nothing), code, named, Counter::inc)
            }
            None => named().inc(),
        };
        if let Some(of) = of {
            of.took.observe(seconds(exchanged.took));
            let contract = Provenance::HEADERS.iter().position(|known| exchanged.contract == Some(*known));
            if let Some(answers) = contract.and_then(|contract| of.answers.get(contract)) {
                answers.inc();
            }
        }
        if is_unmatched(exchanged) {
            of.map_or(&self.elsewhere, |of| &of.unmatched).inc();
        }
        if let Some(delivery) = &exchanged.delivery {
            self.families.deliveries.get_or_create(&OfDelivery { pack: pack(), kind: delivery.word() }).inc();
        }
        let findings = exchanged.trace.findings();
        if findings > 0 {
            let of = OfOperation { pack: pack(), operation: operation() };
            self.families.findings.get_or_create(&of).inc_by(u64::from(findings));
        }
    }

    /// Counts an attempt to deliver a webhook of a pack.
    pub(crate) fn attempted(&self, pack: &Arc<str>, outcome: &Outcome) {
        self.families.attempts.get_or_create(&OfAttempt { pack: Arc::clone(pack), result: outcome.word() }).inc();
    }

    /// Counts a connection as open until what is given back is dropped.
    pub(crate) fn connection(&self) -> Connection {
        self.connections.inc();
        Connection(self.connections.clone())
    }

    /// All metrics as they are now.
    pub(crate) fn shown(&self, format: Format, kept: Kept) -> String {
        for (gauge, now) in self.kept.iter().zip([kept.sandboxes, kept.entries, kept.evicted]) {
            gauge.set(i64::try_from(now).unwrap_or(i64::MAX));
        }
        let mut shown = String::new();
        // Writing into memory cannot fail.
        let _ = text::encode(&mut shown, &self.registry);
        match format {
            Format::OpenMetrics => shown,
            Format::Text => before_open_metrics(&shown),
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection(Gauge);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn seconds(micros: u64) -> f64 {
    std::time::Duration::from_micros(micros).as_secs_f64()
}

/// OpenMetrics in the older format, in which a counter has the name of its samples, and the end is not marked.
fn before_open_metrics(text: &str) -> String {
    let counter = |line: &str| Some(line.strip_prefix("# TYPE ")?.strip_suffix(" counter")?.to_owned());
    let counters: Vec<String> = text.lines().filter_map(counter).collect();
    let mut older = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF") {
        let about = ["# HELP ", "# TYPE "].into_iter().find_map(|head| Some((head, line.strip_prefix(head)?)));
        match about.and_then(|(head, rest)| Some((head, rest.split_once(' ')?))) {
            Some((head, (name, rest))) if counters.iter().any(|counter| counter == name) => {
                older.extend([head, name, "_total ", rest]);
            }
            _ => older.push_str(line),
        }
        older.push('\n');
    }
    older
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_operation_and_status_has_its_own_counter_whoever_came_first() {
        let recent = Recent::default();
        let all: RefCell<HashMap<(String, u16), Counter>> = RefCell::default();
        let (operations, codes) = (0..2 * RECENT, [200, 204, 404]);
        let names: Vec<Arc<str>> = operations.clone().map(|number| format!("operation {number}").into()).collect();
        // The same text in another place, as after a pack was replaced, counts for the same operation.
        let again: Vec<Arc<str>> = operations.map(|number| format!("operation {number}").into()).collect();
        for name in names.iter().chain(&again) {
            for code in codes {
                let named = || all.borrow_mut().entry((name.to_string(), code)).or_default().clone();
                for _ in 0..code / 100 {
                    recent.of(name, code, named, Counter::inc);
                }
            }
        }
        let all = all.into_inner();
        assert_eq!(all.len(), names.len() * codes.len());
        for ((name, code), counter) in all {
            assert_eq!(counter.get(), u64::from(2 * (code / 100)), "{name} {code}");
        }
        assert!(recent.0.iter().filter(|place| place.get().is_some()).count() > 1, "places are used");
    }
}

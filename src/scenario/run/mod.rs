//! Scenarios, run: each row of each in a sandbox of its own, over HTTP, many side by side.
//!
//! Nothing waits for time to pass: a step waits for its answer, and whoever looks at deliveries waits until none is under
//! way. Must not know: how scenarios are written, and how a report looks. Start with [`run`].

mod ask;
mod call;
mod line;
mod look;
mod mask;
mod show;
mod story;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::{Failure, Outcome, Run, Scenario, Told, ToldStep};
use crate::client::Client;
use crate::clock::Real;
use crate::coverage;
use crate::pack::Pack;

/// Says what to type to run a row of a scenario again.
type Again = Box<dyn Fn(&Scenario, usize) -> String + Send + Sync>;

/// How scenarios are to be run.
pub(crate) struct Plan {
    pub(crate) client: Client,
    /// Whether the server runs in this process. It has no log then that anybody could look at.
    pub(crate) own: bool,
    /// Those that the scenarios were read against.
    pub(crate) packs: Vec<Arc<Pack>>,
    /// How many run side by side.
    pub(crate) jobs: usize,
    /// Whether the first failure is the last thing that is run.
    pub(crate) fail_fast: bool,
    /// Whether sandboxes stay when their scenario has ended.
    pub(crate) keep: bool,
    /// Whether it is asked what each has exercised.
    pub(crate) covers: bool,
    /// How long one scenario may take, in real time.
    pub(crate) timeout: Duration,
    pub(crate) real: Box<dyn Fn() -> Real + Send + Sync>,
    /// What to type to run one again and nothing else.
    pub(crate) again: Again,
    /// Hears of each that has ended.
    pub(crate) ended: Box<dyn Fn(&Told) + Send + Sync>,
}

/// A row of a scenario: what is run by itself.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) row: usize,
}

/// What came of running scenarios.
pub(crate) struct Ran {
    /// In the order in which they were given, however they ended.
    pub(crate) run: Run,
    /// What they exercised, by sandbox, where that was asked for.
    pub(crate) covered: Vec<(String, coverage::Report)>,
    /// Whether the run was stopped before its end.
    pub(crate) is_stopped: bool,
}

/// Runs them all, or until `stop` is ready: then those under way are left, and their sandboxes deleted.
pub(crate) async fn run(plan: Plan, turns: Vec<Turn>, stop: impl Future<Output = ()>) -> Ran {
    let began = (plan.real)();
    let work = Arc::new(Work {
        next: AtomicUsize::new(0),
        has_failed: AtomicBool::new(false),
        told: Mutex::new(turns.iter().map(|_| None).collect()),
        covered: Mutex::default(),
        open: Mutex::default(),
        plan,
        turns,
    });
    let mut workers = JoinSet::new();
    for _ in 0..work.plan.jobs.clamp(1, work.turns.len().max(1)) {
        let work = Arc::clone(&work);
        workers.spawn(async move { work.on().await });
    }
    let is_stopped = tokio::select! {
        () = async { while workers.join_next().await.is_some() {} } => false,
        () = stop => true,
    };
    if is_stopped {
        workers.shutdown().await;
        let open = std::mem::take(&mut *work.open.lock());
        for sandbox in open.iter().filter(|_| !work.plan.keep) {
            story::end(&work.plan, sandbox).await;
        }
    }
    let told = std::mem::take(&mut *work.told.lock());
    let told = told.into_iter().zip(&work.turns);
    let run = Run {
        target: work.plan.client.base().to_owned(),
        told: told.map(|(told, turn)| told.unwrap_or_else(|| work.plan.told(turn))).collect(),
        took: took(began, (work.plan.real)()),
    };
    Ran { run, covered: std::mem::take(&mut *work.covered.lock()), is_stopped }
}

struct Work {
    plan: Plan,
    turns: Vec<Turn>,
    next: AtomicUsize,
    has_failed: AtomicBool,
    told: Mutex<Vec<Option<Told>>>,
    covered: Mutex<Vec<(String, coverage::Report)>>,
    /// The sandboxes of those that are under way.
    open: Mutex<BTreeSet<String>>,
}

impl Work {
    /// Takes one after the other until there is none.
    async fn on(&self) {
        loop {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(turn) = self.turns.get(place) else { return };
            if self.plan.fail_fast && self.has_failed.load(Ordering::Relaxed) {
                return;
            }
            let (told, covered) = story::tell(&self.plan, turn, &self.open).await;
            self.covered.lock().extend(covered);
            if told.outcome != Outcome::Passed {
                self.has_failed.store(true, Ordering::Relaxed);
            }
            (self.plan.ended)(&told);
            self.told.lock()[place] = Some(told);
        }
    }
}

impl Plan {
    fn pack(&self, number: usize) -> &Arc<Pack> {
        &self.packs[number]
    }

    /// What is told of one that has not had its turn.
    fn told(&self, turn: &Turn) -> Told {
        let Turn { scenario, row } = turn;
        Told {
            scenario: scenario.name.to_string(),
            case: scenario.rows[*row].case.as_deref().map(str::to_owned),
            file: scenario.file.to_string(),
            line: scenario.line_of(*row),
            tags: scenario.tags.clone(),
            pack: self.pack(scenario.pack).name.to_string(),
            sandbox: None,
            seed: scenario.given.seed,
            outcome: Outcome::Skipped,
            took: Duration::ZERO,
            steps: Vec::new(),
            again: (self.again)(scenario, *row),
        }
    }
}

fn took(began: Real, ended: Real) -> Duration {
    Duration::from_micros(u64::try_from(ended.0.saturating_sub(began.0)).unwrap_or(0))
}

/// What stands in the place of a step where nothing could be run.
fn unmade(scenario: &Scenario, words: &str, summary: String, help: Option<String>) -> ToldStep {
    ToldStep {
        place: format!("{}:{}:1", scenario.file, scenario.line),
        words: words.to_owned(),
        depth: 0,
        took: Duration::ZERO,
        failure: Some(Box::new(Failure { summary, help, ..Failure::default() })),
    }
}

use std::time::Duration;

/// What came of a run of scenarios, in the order of files and rows.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// Where they ran.
    pub(crate) target: String,
    pub(crate) told: Vec<Told>,
    pub(crate) took: Duration,
}

/// What came of one scenario, or of one row of its table.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) scenario: String,
    /// What the row is called; none where there is no table.
    pub(crate) case: Option<String>,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) tags: Vec<String>,
    pub(crate) pack: String,
    /// The sandbox that it ran in, where there is one yet.
    pub(crate) sandbox: Option<String>,
    pub(crate) seed: Option<u64>,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
    /// Those that had their turn, in the order in which they began; steps within others stand behind them.
    pub(crate) steps: Vec<ToldStep>,
    /// What to type to run it again and nothing else.
    pub(crate) again: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// An expectation does not hold.
    Failed,
    /// It could not be run: the server is down, or refuses what the scenario asks of it.
    Broken,
    /// It was not run, as another one failed before it.
    Skipped,
}

#[derive(Debug)]
pub(crate) struct ToldStep {
    /// `file:line:column`
    pub(crate) place: String,
    pub(crate) words: String,
    /// 0 for the steps of the scenario, 1 for those within one of them, and so on.
    pub(crate) depth: usize,
    pub(crate) took: Duration,
    pub(crate) failure: Option<Box<Failure>>,
}

/// Why a step failed. Secrets are masked in all of it.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    /// The first thing that is wrong, in a line.
    pub(crate) summary: String,
    /// Everything that is wrong: each what was expected, and what was there.
    pub(crate) misses: Vec<Miss>,
    pub(crate) request: Option<Shown>,
    pub(crate) response: Option<Shown>,
    /// A line for each stage: its name, its verdict, what it found, and where in the pack.
    pub(crate) trace: Vec<String>,
    /// The documented example that the answer is nearest to, and in what it is another.
    pub(crate) nearest: Option<Nearest>,
    /// What to do about it, where that is known.
    pub(crate) help: Option<String>,
}

/// One expectation that does not hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Miss {
    /// `status`, `header retry-after`, `/order/name`, …
    pub(crate) what: String,
    pub(crate) wanted: String,
    pub(crate) found: String,
}

/// A request or an answer, as a report shows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shown {
    /// `POST /shop/orders`, or `201 Created`
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    /// JSON on several lines, or text; shortened where it is long.
    pub(crate) body: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Nearest {
    /// The file in the pack.
    pub(crate) example: String,
    pub(crate) differences: Vec<Miss>,
}

impl Outcome {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Broken => "broken",
            Outcome::Skipped => "skipped",
        }
    }
}

impl Run {
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.told.iter().filter(|told| told.outcome == outcome).count()
    }
}

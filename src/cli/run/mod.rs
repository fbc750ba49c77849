//! `standin run`: scenarios, told to a server.

mod choose;
mod own;
mod tell;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use http::Method;

use super::Exit;
use super::args::PackFolders;
use super::output::{coloured, err, out};
use super::packs;
use super::report::{self, AfterRun};
use super::scenarios;
use super::serve::{duration, real_now, stopped, usage};
use super::target::{client, say_token};
use crate::client::Client;
use crate::coverage::Merged;
use crate::diagnostic::render;
use crate::pack::Pack;
use crate::scenario::{self, Outcome, Plan, Ran, Scenario, Turn};

use crate::server::monotonic;

use choose::{Choice, Named};
use own::{Own, Packs};
use tell::Progress;

/// The most that run side by side.
const MOST_JOBS: usize = 256;

#[derive(Debug, Args)]
pub(super) struct Run {
    /// Scenario files, and folders of them; FILE:LINE means the scenario or the row of its table there, besides what else
    /// is named [default: those of the packs]
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    #[command(flatten)]
    folders: PackFolders,
    #[command(flatten)]
    choice: Choice,
    /// List what would be run, and run nothing
    #[arg(long)]
    list: bool,
    /// Run what is affected again whenever files of scenarios or packs change, until it is interrupted
    #[arg(long, conflicts_with = "list")]
    watch: bool,
    /// URL of the server to run against [default: one in this process, with the packs that are here]
    #[arg(long, value_name = "URL")]
    target: Option<String>,
    /// What the control plane of --target asks for; STANDIN_TOKEN in the environment does the same
    #[arg(long, value_name = "TOKEN", requires = "target")]
    token: Option<String>,
    /// PEM file of certificates to trust besides the system's, such as what --tls-trust-file of the server has written
    #[arg(long, value_name = "FILE", requires = "target")]
    ca: Option<PathBuf>,
    /// How many run side by side [default: twice as many as there are cores]
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<usize>,
    /// Run nothing more once one has failed
    #[arg(long)]
    fail_fast: bool,
    /// Leave the sandboxes of the server as they are at the end, to look at them
    #[arg(long, requires = "target")]
    keep_sandboxes: bool,
    /// Longest real time that one scenario may take
    #[arg(long, value_name = "TIME", default_value = "60s")]
    timeout: String,
    /// Write a report for others: junit, ctrf, json or html. May be given more than once
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<String>,
    #[command(flatten)]
    coverage: AfterRun,
}

pub(super) fn run(arguments: &Run) -> Exit {
    start(arguments).unwrap_or_else(|exit| exit)
}

fn start(arguments: &Run) -> Result<Exit, Exit> {
    let setup = Setup::read(arguments)?;
    if arguments.watch {
        return watch::follow(&setup);
    }
    let told = setup.told()?;
    let turns = setup.turns(&told)?;
    if arguments.list {
        list(&turns);
        return Ok(Exit::Good);
    }
    setup.run(told.packs, turns)
}

/// What the arguments say, once it is known to be possible.
struct Setup<'a> {
    arguments: &'a Run,
    named: Named,
    jobs: usize,
    timeout: Duration,
    reports: Vec<tell::Report>,
    coverage: report::Plan,
    target: Option<Client>,
}

/// Packs, and what is told of them.
struct ToldOf {
    packs: Packs,
    scenarios: Vec<Arc<Scenario>>,
    /// The files that were read, by their path, with those that are only included.
    files: BTreeMap<String, String>,
}

impl<'a> Setup<'a> {
    fn read(arguments: &'a Run) -> Result<Self, Exit> {
        let jobs = match arguments.jobs {
            Some(jobs) if (1..=MOST_JOBS).contains(&jobs) => jobs,
            Some(_) => return Err(usage(&format!("--jobs is a number from 1 to {MOST_JOBS}"))),
            None => std::thread::available_parallelism().map_or(2, usize::from).saturating_mul(2).min(MOST_JOBS),
        };
        let target = match &arguments.target {
            Some(url) => Some(client(url, arguments.token.as_deref(), arguments.ca.as_deref())?),
            None => None,
        };
        Ok(Setup {
            arguments,
            named: Named::read(&arguments.paths)?,
            jobs,
            timeout: duration("--timeout", &arguments.timeout)?,
            reports: tell::reports(&arguments.report)?,
            coverage: arguments.coverage.plan()?,
            target,
        })
    }

    /// Reads packs and scenarios, and says everything that is wrong with them. Nothing runs where something is.
    fn told(&self) -> Result<ToldOf, Exit> {
        let found = || {
            let packs = Packs::load(&packs::all(&self.arguments.folders)?)?;
            let found = scenarios::find(&self.named.paths, &packs.ground)?;
            Ok((packs, found))
        };
        let (packs, found) = found().map_err(|exit| self.stopped(exit, tell::nothing()))?;
        let read = scenario::read(&found.sources, &packs.ground, &|path| found.include(path));
        err(&render(&read.diagnostics, &read.sources, coloured()));
        let errors = read.errors();
        if errors > 0 {
            let plural = if errors == 1 { "" } else { "s" };
            err(&format!("the scenarios have {errors} error{plural}, and nothing was run\n"));
            return Err(self.stopped(Exit::Broken, tell::mistakes(&read)));
        }
        let files = read.sources.all().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        Ok(ToldOf { packs, scenarios: read.scenarios.into_iter().map(Arc::new).collect(), files })
    }

    fn turns(&self, told: &ToldOf) -> Result<Vec<Turn>, Exit> {
        let turns = self.arguments.choice.turns(&told.scenarios, &self.named, &told.files);
        turns.map_err(|exit| self.stopped(exit, tell::nothing()))
    }

    /// The reports of a run that did not come to its end say so: one of an earlier run would be taken for one of this.
    fn stopped(&self, exit: Exit, run: scenario::Run) -> Exit {
        if self.arguments.list {
            return exit;
        }
        let started = real_now();
        match self.reports.iter().try_for_each(|report| report.write(&run, started)) {
            Ok(()) => exit,
            Err(exit) => exit,
        }
    }

    /// Runs them, and says what came of it.
    fn run(&self, packs: Packs, turns: Vec<Turn>) -> Result<Exit, Exit> {
        let arguments = self.arguments;
        let all = packs.all();
        let progress = Arc::new(Progress::new(turns.len()));
        let (told, again) = (Arc::clone(&progress), again(arguments));
        let plan = |client: Client| Plan {
            client,
            own: self.target.is_none(),
            packs: all.clone(),
            jobs: self.jobs,
            fail_fast: arguments.fail_fast,
            keep: arguments.keep_sandboxes,
            covers: self.coverage.is_wanted(),
            timeout: self.timeout,
            real: Box::new(monotonic()),
            again: Box::new(again),
            ended: Box::new(move |one| told.ended(one)),
        };
        let started = real_now();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| usage(&format!("the runtime cannot be started: {error}")))?;
        let ran = runtime.block_on(async {
            let stop = stopped().map_err(|error| usage(&format!("signals cannot be heard: {error}")))?;
            if let Some(client) = &self.target {
                compare(client, &all).await?;
                return Ok(scenario::run(plan(client.clone()), turns, stop).await);
            }
            let own = Own::start(packs, &arguments.folders, self.jobs * 2).await?;
            let ran = scenario::run(plan(own.client.clone()), turns, stop).await;
            own.stop().await;
            Ok(ran)
        });
        runtime.shutdown_background();
        progress.clear();
        let Ran { run, covered, is_stopped } = ran.map_err(|exit| self.stopped(exit, tell::nothing()))?;
        if is_stopped {
            err("interrupted: what was under way was left, and its sandboxes deleted\n");
            return Err(self.stopped(Exit::Failed, tell::nothing()));
        }
        tell::say(&run);
        for report in &self.reports {
            report.write(&run, started)?;
        }
        let is_bad = |told: &scenario::Told| matches!(told.outcome, Outcome::Failed | Outcome::Broken);
        let exit = if run.told.iter().any(is_bad) { Exit::Failed } else { Exit::Good };
        Ok(self.coverage.follow(exit, || Merged::of(covered).report))
    }
}

fn list(turns: &[Turn]) {
    let mut last: Option<&Scenario> = None;
    for Turn { scenario, row } in turns {
        if last.is_none_or(|last| !std::ptr::eq(last, &**scenario)) {
            let tags: String = scenario.tags.iter().map(|tag| format!(" #{tag}")).collect();
            out(&format!("{}:{}  {}{tags}\n", scenario.file, scenario.line, scenario.name));
            last = Some(scenario);
        }
        if let Some(case) = &scenario.rows[*row].case {
            out(&format!("  --case {}\n", quoted(case)));
        }
    }
}

/// Says where the packs of a server are others than those that scenarios were read against. That a server is not there, or
/// wants another token, is said once, and not of each scenario.
async fn compare(client: &Client, packs: &[Arc<Pack>]) -> Result<(), Exit> {
    let told = client.control(None, Method::GET, "/reload", None).await.map_err(|fault| {
        err(&format!("error: {fault}\n"));
        say_token(&fault);
        Exit::Failed
    })?;
    for there in told["packs"].as_array().into_iter().flatten() {
        let (Some(name), Some(digest)) = (there["pack"].as_str(), there["digest"].as_str()) else { continue };
        let here = packs.iter().find(|pack| *pack.name == *name);
        if here.is_some_and(|here| here.face.digest != digest) {
            err(&format!(
                "warning: the pack `{name}` of {} is another one than here: what scenarios expect is read from the one here\n\
                 serve the same files there, or name those that are served with --fixtures and --schemas\n",
                client.base()
            ));
        }
    }
    Ok(())
}

/// What to type to run one row again and nothing else.
fn again(arguments: &Run) -> impl Fn(&Scenario, usize) -> String + Send + Sync + 'static {
    let mut flags = String::new();
    for (flag, folder) in [("--fixtures", &arguments.folders.fixtures), ("--schemas", &arguments.folders.schemas)] {
        if let Some(folder) = folder {
            flags.push_str(&format!(" {flag} {}", quoted(&folder.display().to_string())));
        }
    }
    if let Some(target) = &arguments.target {
        flags.push_str(&format!(" --target {}", quoted(target)));
    }
    move |scenario, row| {
        let case = scenario.rows[row].case.as_ref().map(|case| format!(" --case {}", quoted(case))).unwrap_or_default();
        format!("standin run {}{case}{flags}", quoted(&scenario.file))
    }
}

/// A word of a command, as shells read it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

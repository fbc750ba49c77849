//! `standin coverage`: what was exercised, of a server that runs or of files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use http::Method;

use super::Exit;
use super::output::err;
use super::report::Shown;
use super::serve::usage;
use super::target::{Target, say_token, wait};
use crate::coverage::{self, Merged, Report};

/// The largest file that is read.
const LARGEST: u64 = 64 << 20;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Coverage {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    server: OfServer,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Put coverage files together: of several runs, or of parts of a suite that ran side by side
    Merge(Merge),
}

#[derive(Debug, Args)]
struct Merge {
    /// Coverage files, as --format json and --exit-report FILE.json write them
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
struct OfServer {
    #[command(flatten)]
    server: Target,
    /// The one sandbox whose requests count [default: all that there are and were]
    #[arg(long, value_name = "ID")]
    sandbox: Option<String>,
}

pub(super) fn run(arguments: &Coverage) -> Exit {
    let (shown, merge) = match &arguments.action {
        Some(Action::Merge(merge)) => (&merge.shown, Some(&merge.files)),
        None => (&arguments.shown, None),
    };
    let shown_in = |format| {
        let report = merge.map_or_else(|| arguments.server.ask(), |files| merged(files))?;
        Ok(shown.show(&report, format))
    };
    shown.format().and_then(shown_in).unwrap_or_else(|exit| exit)
}

fn merged(files: &[PathBuf]) -> Result<Report, Exit> {
    let read = |file: &PathBuf| Ok((file.display().to_string(), report(file)?));
    let Merged { report, notes } = Merged::of(files.iter().map(read).collect::<Result<_, Exit>>()?);
    for note in notes {
        err(&format!("note: {note}\n"));
    }
    Ok(report)
}

fn report(path: &Path) -> Result<Report, Exit> {
    let unread = |why: String| usage(&format!("{} cannot be read: {why}", path.display()));
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    let length = read.map_err(|error| unread(error.to_string()))?;
    if u64::try_from(length).is_ok_and(|length| length > LARGEST) {
        return Err(unread(format!("it has more than {} MiB", LARGEST >> 20)));
    }
    coverage::read(&bytes).map_err(|(line, why)| {
        err(&format!("error: {}:{line}: {why}\n", path.display()));
        Exit::Broken
    })
}

impl OfServer {
    fn ask(&self) -> Result<Report, Exit> {
        let client = self.server.client()?;
        let path = if self.sandbox.is_some() { "/coverage" } else { "/coverage?of=server" };
        let answer = wait(client.control(self.sandbox.as_deref(), Method::GET, path, None))?;
        let failed = |why: &str| {
            err(&format!("error: {why}\n"));
            Exit::Failed
        };
        let answer = answer.map_err(|fault| {
            let exit = failed(&fault.to_string());
            say_token(&fault);
            exit
        })?;
        coverage::read(answer.to_string().as_bytes())
            .map_err(|(_, why)| failed(&format!("{}/_standin{path}: {why}", client.base())))
    }
}

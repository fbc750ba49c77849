//! The terminal: arguments, commands, exit codes. The only user of clap and of terminal colours.
//!
//! Start with [`main`].

mod access;
mod args;
mod check;
mod chosen;
mod coverage;
mod exec;
mod explain;
mod limits;
mod output;
mod packs;
mod pages;
mod readyz;
mod record;
mod reload;
mod replay;
mod report;
mod routes;
mod run;
mod scenarios;
mod serve;
mod target;
mod tls;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Arguments, Command};

use crate::diagnostic::nearest;

/// How a command ended. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// All is well; for `serve`, it was asked to stop.
    Good,
    /// A check failed, a server is not ready, or less was covered than is asked for.
    Failed,
    /// The command line says something that cannot be.
    Usage,
    /// A pack or another file is broken.
    Broken,
    /// The address is taken.
    Taken,
    /// As the command of `--exec` did, which was not well.
    Command(u8),
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::Good => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Broken => 3,
            Exit::Taken => 4,
            Exit::Command(code) => code,
        }
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = with_default_command(std::env::args_os().collect());
    let exit = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => match arguments.command {
            Command::Serve(serve) => serve::run(&serve),
            Command::Check(check) => check::run(&check),
            Command::Coverage(coverage) => coverage::run(&coverage),
            Command::Record(record) => record::run(&record),
            Command::Replay(replay) => replay::run(replay),
            Command::Run(run) => run::run(&run),
            Command::Routes(routes) => routes::run(&routes),
            Command::Explain(explain) => explain::run(&explain),
            Command::Readyz(readyz) => readyz::run(&readyz),
            Command::Completions(completions) => pages::complete(&completions),
            Command::Man(man) => pages::man(&man),
        },
        Err(error) => {
            // Help and version come this way too. A closed pipe is nobody's fault.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage } else { Exit::Good }
        }
    };
    ExitCode::from(exit.code())
}

/// `standin` alone, `standin --port 0` and `standin PACK` mean `standin serve`; what is nearly a command does not.
fn with_default_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let first = arguments.get(1).and_then(|argument| argument.to_str());
    let serves = match first {
        None => arguments.len() == 1,
        Some("-h" | "--help" | "-V" | "--version") => false,
        Some(first) if first.starts_with('-') => true,
        Some(first) => {
            let program = Arguments::command();
            let commands = || program.get_subcommands().map(clap::Command::get_name).chain(["help"]);
            nearest(first, commands()).is_none() && commands().all(|command| command != first)
        }
    };
    if serves {
        arguments.insert(1, OsString::from("serve"));
    }
    arguments
}

//! The terminal: arguments, commands, exit codes. The only user of clap and of terminal colours.
//!
//! Start with [`main`].

mod access;
mod args;
mod check;
mod chosen;
mod explain;
mod limits;
mod output;
mod packs;
mod reload;
mod replay;
mod routes;
mod serve;
mod tls;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command};

use crate::diagnostic::nearest;

const COMMANDS: [&str; 6] = ["serve", "check", "replay", "routes", "explain", "help"];

/// How a command ended. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// All is well; for `serve`, it was asked to stop.
    Good = 0,
    /// A check failed.
    Failed = 1,
    /// The command line says something that cannot be.
    Usage = 2,
    /// A pack is broken.
    Broken = 3,
    /// The address is taken.
    Taken = 4,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = with_default_command(std::env::args_os().collect());
    let exit = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => match arguments.command {
            Command::Serve(serve) => serve::run(&serve),
            Command::Check(check) => check::run(&check),
            Command::Replay(replay) => replay::run(replay),
            Command::Routes(routes) => routes::run(&routes),
            Command::Explain(explain) => explain::run(&explain),
        },
        Err(error) => {
            // Help and version come this way too. A closed pipe is nobody's fault.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage } else { Exit::Good }
        }
    };
    ExitCode::from(exit as u8)
}

/// `standin` alone, `standin --port 0` and `standin PACK` mean `standin serve`; what is nearly a command does not.
fn with_default_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let first = arguments.get(1).and_then(|argument| argument.to_str());
    let serves = match first {
        None => arguments.len() == 1,
        Some("-h" | "--help" | "-V" | "--version") => false,
        Some(first) => first.starts_with('-') || nearest(first, COMMANDS).is_none() && !COMMANDS.contains(&first),
    };
    if serves {
        arguments.insert(1, OsString::from("serve"));
    }
    arguments
}

//! `standin serve --exec -- COMMAND`: the one place that starts a process, and it starts what the command line names.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitStatus;

use clap::Args;
use tokio::process::{Child, Command};

use super::Exit;
use super::serve::usage;

#[derive(Debug, Args)]
pub(super) struct Exec {
    /// Run the command behind `--` once the server is ready, and end with it
    #[arg(long, requires = "command")]
    pub(super) exec: bool,
    /// The command of --exec, with its arguments; STANDIN_URL in its environment is the URL of the server
    #[arg(last = true, value_name = "COMMAND", requires = "exec")]
    command: Vec<OsString>,
}

/// Variables that are added to the environment.
pub(super) type Variables = Vec<(String, OsString)>;

/// The URL of a server, and of each pack that it serves.
pub(super) fn urls<'p>(url: &str, packs: impl Iterator<Item = &'p str>) -> Variables {
    let mut variables: Variables = vec![("STANDIN_URL".to_owned(), url.into())];
    variables.extend(packs.map(|pack| (variable(pack), format!("{url}/{pack}").into())));
    variables
}

/// `STANDIN_MY_SHOP_URL` for `my-shop`.
fn variable(pack: &str) -> String {
    let letter = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' };
    format!("STANDIN_{}_URL", pack.chars().map(letter).collect::<String>())
}

/// How the command comes to trust the certificate in a file: Node adds it to those that it has. What would take their
/// place is left to the command.
pub(super) fn trust(file: &Path) -> Variables {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
    let mut variables: Variables = vec![("STANDIN_TRUST_FILE".to_owned(), file.clone().into())];
    if std::env::var_os("NODE_EXTRA_CA_CERTS").is_none() {
        variables.push(("NODE_EXTRA_CA_CERTS".to_owned(), file.into()));
    }
    variables
}

/// A command that runs.
pub(super) struct Running {
    child: Child,
    signals: Signals,
}

impl Exec {
    /// Starts the command. What it reads and writes is what this process does.
    pub(super) fn start(&self, variables: Variables) -> Result<Running, Exit> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(usage("--exec needs a command behind `--`, such as --exec -- npm test"));
        };
        let signals = Signals::new().map_err(|error| usage(&format!("signals cannot be heard: {error}")))?;
        let mut command = Command::new(program);
        command.args(arguments).envs(variables).kill_on_drop(true);
        let child = command.spawn().map_err(|error| {
            let remedy = match error.kind() {
                ErrorKind::NotFound => "name a program that PATH has, or its path",
                ErrorKind::PermissionDenied => "name a file that may be executed",
                _ => "try the command by itself",
            };
            usage(&format!("--exec: `{}` cannot be started: {error}: {remedy}", program.display()))
        })?;
        Ok(Running { child, signals })
    }
}

impl Running {
    /// How the command ended. Until then it gets the signals that this process gets.
    pub(super) async fn ended(&mut self) -> Exit {
        let Running { child, signals } = self;
        loop {
            let signal = tokio::select! {
                status = child.wait() => return status.map_or_else(|error| usage(&format!("--exec: {error}")), code),
                signal = signals.next() => signal,
            };
            if let Some(id) = child.id() {
                signal.pass_to(id);
            }
        }
    }
}

/// The exit code of a command; 128 and the number of the signal that it died of.
fn code(status: ExitStatus) -> Exit {
    #[cfg(unix)]
    let died = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let died = None;
    match status.code().or(died) {
        Some(0) => Exit::Good,
        // Elsewhere codes are larger; 1 means the same.
        Some(code) => Exit::Command(u8::try_from(code).unwrap_or(1)),
        None => Exit::Failed,
    }
}

#[cfg(unix)]
mod signals {
    use std::io::{self, IsTerminal as _, stdin};

    use rustix::process::{Pid, Signal, kill_process};
    use tokio::signal::unix::{self, SignalKind, signal};

    /// The signals that ask a process to end.
    pub(super) struct Signals {
        interrupt: unix::Signal,
        terminate: unix::Signal,
    }

    pub(super) enum Heard {
        Interrupt,
        Terminate,
    }

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
        }

        pub(super) async fn next(&mut self) -> Heard {
            tokio::select! {
                _ = self.interrupt.recv() => Heard::Interrupt,
                _ = self.terminate.recv() => Heard::Terminate,
            }
        }
    }

    impl Heard {
        pub(super) fn pass_to(&self, id: u32) {
            let signal = match self {
                // A terminal interrupts every process that it runs in front, so that the command has heard it, too.
                Heard::Interrupt if stdin().is_terminal() => return,
                Heard::Interrupt => Signal::INT,
                Heard::Terminate => Signal::TERM,
            };
            if let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw) {
                // It may have ended just now.
                let _ = kill_process(id, signal);
            }
        }
    }
}

/// Elsewhere the console tells every process itself.
#[cfg(not(unix))]
mod signals {
    use std::io;

    pub(super) struct Signals;

    pub(super) struct Heard;

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Signals)
        }

        pub(super) async fn next(&mut self) -> Heard {
            let _ = tokio::signal::ctrl_c().await;
            Heard
        }
    }

    impl Heard {
        pub(super) fn pass_to(&self, _: u32) {}
    }
}

use signals::Signals;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_has_a_variable_of_its_name() {
        let found = urls("http://127.0.0.1:1", ["shop", "my-shop2"].into_iter());
        let names: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(
            names,
            [
                ("STANDIN_URL", "http://127.0.0.1:1"),
                ("STANDIN_SHOP_URL", "http://127.0.0.1:1/shop"),
                ("STANDIN_MY_SHOP2_URL", "http://127.0.0.1:1/my-shop2"),
            ]
        );
    }
}

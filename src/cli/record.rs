//! `standin record`: the log of a sandbox as a scenario file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use http::Method;

use super::Exit;
use super::output::{err, out};
use super::target::{Target, wait};
use crate::client::{Client, ControlFault};

#[derive(Debug, Args)]
pub(super) struct Record {
    #[command(flatten)]
    server: Target,
    /// The sandbox whose log is told
    #[arg(long, value_name = "ID", default_value = "default")]
    sandbox: String,
    /// File to write; - writes to standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// What people call the scenario [default: after the sandbox and the instant at which its time begins]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Record) -> Exit {
    arguments.record().map_or_else(|exit| exit, |()| Exit::Good)
}

fn failed(why: &str) -> Exit {
    err(&format!("error: {why}\n"));
    Exit::Failed
}

impl Record {
    fn record(&self) -> Result<(), Exit> {
        // A file that is there is told before anything is asked for.
        if !self.force && !is_standard_output(&self.output) && self.output.exists() {
            return Err(self.taken());
        }
        let client = self.server.client()?;
        let text = wait(self.ask(&client))??;
        if is_standard_output(&self.output) {
            out(&text);
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).create_new(!self.force);
        let written = options.open(&self.output).and_then(|mut file| file.write_all(text.as_bytes()));
        let file = self.output.display();
        match written {
            Ok(()) => {
                let count = text.lines().filter(|line| line.starts_with("  - ")).count();
                let steps = if count == 1 { "1 step".to_owned() } else { format!("{count} steps") };
                out(&format!("{file}: {steps}. To run it: standin run {file}\n"));
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(self.taken()),
            Err(error) => {
                err(&format!("error: {file} cannot be written: {error}\n"));
                Err(Exit::Usage)
            }
        }
    }

    fn taken(&self) -> Exit {
        err(&format!("error: {} is there already: name another file, or say --force\n", self.output.display()));
        Exit::Usage
    }

    async fn ask(&self, client: &Client) -> Result<String, Exit> {
        let index = client.control(None, Method::GET, "/", None).await.map_err(|fault| self.refused(&fault))?;
        let version = index["version"].as_str().unwrap_or_default();
        let own = env!("CARGO_PKG_VERSION");
        if version != own {
            let why = format!(
                "{} is standin {version}, and this is {own}: what one tells, the other may not understand. Record with \
                 `standin` {version}, or start the server with this one",
                client.base()
            );
            return Err(failed(&why));
        }
        let name = self.name.as_ref().map(|name| format!("&name={}", encoded(name))).unwrap_or_default();
        let path = format!("/log?format=scenario{name}");
        let text = client.control_text(Some(&self.sandbox), Method::GET, &path, None).await;
        text.map_err(|fault| self.refused(&fault))
    }

    fn refused(&self, fault: &ControlFault) -> Exit {
        match fault {
            ControlFault::Refused(refused) if refused.slug == "token-required" => {
                failed(&format!("{refused_detail} (--token, or STANDIN_TOKEN)", refused_detail = refused.detail))
            }
            fault => failed(&fault.to_string()),
        }
    }
}

fn is_standard_output(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

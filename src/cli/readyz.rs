//! `standin readyz`: for what starts a server and must know when it can be called, such as a container's health check.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Method;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::Exit;
use super::output::{err, out};
use super::serve::{duration, usage};
use super::tls::contents;
use crate::client::Client;

/// Where the server is that clients of the commands call, unless it is said.
const VARIABLE: &str = "STANDIN_URL";
const USUAL: &str = "http://127.0.0.1:4010";

/// Between two questions to a server that is not ready yet.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(super) struct Readyz {
    /// URL of the server [default: STANDIN_URL of the environment, else http://127.0.0.1:4010]
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// PEM file of certificates to trust besides the system's, such as what --tls-trust-file of the server has written
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Longest time until the server answers
    #[arg(long, value_name = "TIME", default_value = "5s")]
    timeout: String,
    /// Ask again until the server is ready, for this long at most
    #[arg(long, value_name = "TIME")]
    wait: Option<String>,
}

pub(super) fn run(arguments: &Readyz) -> Exit {
    let (client, wait) = match read(arguments) {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return usage(&format!("the runtime cannot be started: {error}")),
    };
    match runtime.block_on(asked(&client, wait)) {
        Ok(()) => {
            out(&format!("{} is ready\n", client.base()));
            Exit::Good
        }
        Err(why) => {
            err(&format!("error: {why}\n"));
            Exit::Failed
        }
    }
}

fn read(arguments: &Readyz) -> Result<(Client, Option<Duration>), Exit> {
    let from_environment = || std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
    let (url, place) = match (&arguments.url, from_environment()) {
        (Some(url), _) => (url.clone(), String::new()),
        (None, Some(url)) => (url, format!(" (the URL is that of {VARIABLE})")),
        (None, None) => (USUAL.to_owned(), String::new()),
    };
    let ca = arguments.ca.as_ref().map(|file| contents("--ca", file)).transpose()?;
    let client = Client::new(&url, None, ca.as_deref()).map_err(|why| usage(&format!("{why}{place}")))?;
    let time = duration("--timeout", &arguments.timeout)?;
    let wait = arguments.wait.as_ref().map(|wait| duration("--wait", wait)).transpose()?;
    Ok((client.within(time), wait))
}

/// Asks once, or as long as it may take. The error says why the server is not ready.
async fn asked(client: &Client, wait: Option<Duration>) -> Result<(), String> {
    let Some(wait) = wait else { return is_ready(client).await };
    let mut why = format!("{} does not answer", client.base());
    let until_ready = async {
        while let Err(now) = is_ready(client).await {
            why = now;
            sleep(PAUSE).await;
        }
    };
    timeout(wait, until_ready).await.map_err(|_| format!("after {wait:?}: {why}"))
}

async fn is_ready(client: &Client) -> Result<(), String> {
    match client.control(None, Method::GET, "/readyz", None).await {
        Ok(answer) if answer == json!({"status": "ok"}) => Ok(()),
        Ok(answer) => Err(format!("{} says {answer} and not that it is ready: look at its log", client.base())),
        Err(fault) => Err(fault.to_string()),
    }
}

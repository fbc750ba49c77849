//! A server that runs, as the command line names it.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::output::err;
use super::serve::usage;
use super::tls::contents;
use crate::client::{Client, ControlFault};

/// Where the server and its token stand when the command line says nothing.
const URL: &str = "STANDIN_URL";
const TOKEN: &str = "STANDIN_TOKEN";
const USUAL: &str = "http://127.0.0.1:4010";

#[derive(Debug, Args)]
pub(super) struct Target {
    /// URL of the server [default: STANDIN_URL of the environment, else http://127.0.0.1:4010]
    #[arg(long, value_name = "URL")]
    target: Option<String>,
    /// What its control plane asks for; STANDIN_TOKEN in the environment does the same
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// PEM file of certificates to trust besides the system's, such as what --tls-trust-file of the server has written
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Target {
    pub(super) fn client(&self) -> Result<Client, Exit> {
        let url = self.target.clone().or_else(|| from_environment(URL)).unwrap_or_else(|| USUAL.to_owned());
        client(&url, self.token.as_deref(), self.ca.as_deref())
    }
}

/// A client of a server that the command line names. Its token may stand in the environment.
pub(super) fn client(url: &str, token: Option<&str>, ca: Option<&Path>) -> Result<Client, Exit> {
    let token = token.map(str::to_owned).or_else(|| from_environment(TOKEN));
    let ca = ca.map(|file| contents("--ca", file)).transpose()?;
    Client::new(url, token.as_deref(), ca.as_deref()).map_err(|why| usage(&why))
}

fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// Says how a token is given, where the server has asked for one.
pub(super) fn say_token(fault: &ControlFault) {
    if fault.is_about_token() {
        err("give the token of the server with --token, or as STANDIN_TOKEN\n");
    }
}

/// Waits for an answer of a server.
pub(super) fn wait<T>(answer: impl Future<Output = T>) -> Result<T, Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| usage(&format!("the runtime cannot be started: {error}")))?;
    Ok(runtime.block_on(answer))
}

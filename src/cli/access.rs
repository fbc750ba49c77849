//! Who may call the server, and whom it may call, as the command line and the environment say it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ring::rand::{SecureRandom as _, SystemRandom};

use super::Exit;
use super::args::Serve;
use super::serve::usage;
use crate::server::Hosts;
use crate::webhook::{self, Allowed};

/// Where a token may stand that is not to be in the list of processes.
pub(super) const VARIABLE: &str = "STANDIN_TOKEN";

/// The fewest characters of a token: fewer can be guessed.
const LEAST: usize = 16;

/// What was chosen, and what is chosen for whoever chose nothing.
pub(super) struct Access {
    pub(super) hosts: Hosts,
    pub(super) token: Token,
}

pub(super) enum Token {
    /// This machine is all that can call.
    None,
    Given(String),
    /// Made here, and therefore printed.
    Made(String),
}

impl Token {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Token::None => None,
            Token::Given(text) | Token::Made(text) => Some(text),
        }
    }
}

pub(super) fn read(arguments: &Serve) -> Result<Access, Exit> {
    let hosts = Hosts::parse(&arguments.allow_host).map_err(|message| usage(&format!("--allow-host: {message}")))?;
    let token = match (&arguments.token, std::env::var_os(VARIABLE)) {
        (Some(text), _) => Token::Given(checked("--token", text)?),
        (None, Some(text)) => Token::Given(checked(VARIABLE, &text.to_string_lossy())?),
        (None, None) if arguments.host.is_loopback() => Token::None,
        (None, None) => Token::Made(made()?),
    };
    Ok(Access { hosts, token })
}

/// The words never hold the token: it may be almost right.
fn checked(place: &str, text: &str) -> Result<String, Exit> {
    let wrong = if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        "may have ASCII letters, digits and signs only, and no spaces".to_owned()
    } else if text.len() < LEAST {
        format!("has {} characters, and needs {LEAST} at least", text.len())
    } else {
        return Ok(text.to_owned());
    };
    Err(usage(&format!("the token of {place} {wrong}: `openssl rand -hex 16` makes a good one")))
}

/// Whom webhooks may be sent to.
pub(super) fn way_out(arguments: &Serve) -> Result<webhook::Gate, Exit> {
    let allowed = arguments.allow_webhook_host.iter().map(|text| Allowed::parse(text)).collect::<Result<_, _>>();
    allowed.map(webhook::Gate::new).map_err(|message| usage(&format!("--allow-webhook-host: {message}")))
}

fn made() -> Result<String, Exit> {
    let mut bytes = [0_u8; 16];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        Err(_) => Err(usage("the system has no randomness for a token: give one with --token")),
    }
}

/// The address by which this machine reaches a server: one that listens on all interfaces has no address of its own.
pub(super) fn callable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), address.port()),
        _ => address,
    }
}

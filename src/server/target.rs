//! Which sandbox and which pack a request is for, and what is left of its path.

use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{StatusCode, Version, header};

use crate::exchange::Problem;
use crate::pack::Pack;
use crate::sandbox::SandboxId;

/// Where a request came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Door {
    /// The pack whose own port it is.
    pub(super) pack: Option<usize>,
    pub(super) address: SocketAddr,
    /// The port that all packs are served on.
    pub(super) main: u16,
}

/// Where a request leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// `None` when nothing was said.
    pub(super) sandbox: Option<SandboxId>,
    /// Scheme and host, as a browser writes them into `Origin`.
    pub(super) origin: String,
    /// Scheme, host and the prefixes that were taken off the path.
    pub(super) base: String,
    pub(super) to: Destination,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// The control plane, with the path behind `/_standin`.
    Control(String),
    /// A pack by its number, with the path within it.
    Pack(usize, String),
    /// The root of a server of several packs.
    Root,
    /// No pack has this prefix.
    Nowhere(String),
}

const CONTROL: &str = "/_standin";
const SANDBOX_HEADER: &str = "standin-sandbox";

/// Reads path, host and header.
pub(super) fn find(parts: &Parts, packs: &[Arc<Pack>], door: &Door) -> Result<Target, Problem> {
    let host = host(parts, door)?;
    let (host_sandbox, host_pack) = from_host(&host, packs)?;
    let (path_sandbox, path) = from_path(parts.uri.path())?;
    let headers = parts.headers.get_all(SANDBOX_HEADER).iter();
    let header_sandboxes =
        headers.map(|value| sandbox(value.to_str().unwrap_or_default())).collect::<Result<Vec<_>, _>>()?;
    let said: Vec<&SandboxId> = [&path_sandbox, &host_sandbox].into_iter().flatten().chain(&header_sandboxes).collect();
    if let Some(other) = said.iter().find(|id| **id != said[0]) {
        let detail = format!("Path, host and header name different sandboxes: `{}` and `{other}`.", said[0]);
        return Err(Problem::bad_request("sandbox-selectors-disagree", detail));
    }
    let chosen = said.first().map(|id| (*id).clone());
    let origin = format!("http://{host}");
    let to_control = path == CONTROL || path.starts_with("/_standin/");
    // Links of the control plane lead to all packs, and only the main port does.
    let mut base = match door.pack {
        Some(_) if to_control => format!("http://{}:{}", without_port(&host), door.main),
        _ => origin.clone(),
    };
    // Links must lead back into the sandbox; a header cannot be part of a link.
    if host_sandbox.is_none()
        && let Some(id) = &chosen
    {
        base.push_str("/~");
        base.push_str(id.as_str());
    }
    let to = if to_control {
        Destination::Control(path[CONTROL.len()..].to_owned())
    } else if let Some(pack) = host_pack {
        Destination::Pack(pack, path.to_owned())
    } else {
        by_prefix(path, packs, door.pack, &mut base)
    };
    Ok(Target { sandbox: chosen, origin, base, to })
}

fn by_prefix(path: &str, packs: &[Arc<Pack>], own: Option<usize>, base: &mut String) -> Destination {
    let (first, rest) = path.strip_prefix('/').map_or(("", path), |path| match path.find('/') {
        Some(at) => (&path[..at], &path[at..]),
        None => (path, "/"),
    });
    if let Some(pack) = packs.iter().position(|pack| &*pack.name == first)
        && own.is_none_or(|own| own == pack)
    {
        base.push('/');
        base.push_str(first);
        return Destination::Pack(pack, rest.to_owned());
    }
    match (own, packs.len()) {
        (Some(own), _) => Destination::Pack(own, path.to_owned()),
        (None, 1) => Destination::Pack(0, path.to_owned()),
        (None, _) if path == "/" => Destination::Root,
        (None, _) => Destination::Nowhere(path.to_owned()),
    }
}

/// The host that the client called, with its port.
fn host(parts: &Parts, door: &Door) -> Result<String, Problem> {
    if let Some(authority) = parts.uri.authority() {
        return Ok(authority.as_str().to_ascii_lowercase());
    }
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    match (hosts.next().map(|value| value.to_str()), hosts.next()) {
        (_, Some(_)) => Err(Problem::bad_request("host-twice", "The request has more than one Host header.")),
        (Some(Ok(host)), None) => Ok(host.to_ascii_lowercase()),
        (Some(Err(_)), None) => Err(Problem::bad_request("host-unreadable", "The Host header is not text.")),
        (None, None) if parts.version == Version::HTTP_10 => Ok(door.address.to_string()),
        (None, None) => {
            Err(Problem::bad_request("host-missing", "The request has no Host header, which HTTP/1.1 needs."))
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn from_host(host: &str, packs: &[Arc<Pack>]) -> Result<(Option<SandboxId>, Option<usize>), Problem> {
    let name = without_port(host).trim_end_matches('.');
    let loopback = name == "localhost"
        || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if loopback {
        return Ok((None, None));
    }
    let Some(labels) = name.strip_suffix(".localhost") else {
        let detail =
            format!("`{name}` is not a name of this server: use localhost, a loopback address, or <pack>.localhost.");
        return Err(Problem::new("host-unknown", StatusCode::FORBIDDEN, "The host is not served here", detail));
    };
    let (first, pack_name) = match labels.rsplit_once('.') {
        None => (None, labels),
        Some((first, pack)) => (Some(first), pack),
    };
    let Some(pack) = packs.iter().position(|pack| &*pack.name == pack_name) else {
        let detail = format!("`{pack_name}` is not a pack of this server. A host is written [sandbox.]pack.localhost.");
        return Err(Problem::not_found("pack-unknown", detail));
    };
    let id = first.map(sandbox).transpose()?;
    Ok((id, Some(pack)))
}

/// Takes `/~id` (or `/%7Eid`) off a path.
fn from_path(path: &str) -> Result<(Option<SandboxId>, &str), Problem> {
    let marked = ["/~", "/%7E", "/%7e"].into_iter().find_map(|mark| path.strip_prefix(mark));
    let Some(marked) = marked else { return Ok((None, path)) };
    let (id, rest) = match marked.find('/') {
        Some(at) => (&marked[..at], &marked[at..]),
        None => (marked, "/"),
    };
    Ok((Some(sandbox(id)?), rest))
}

fn sandbox(text: &str) -> Result<SandboxId, Problem> {
    SandboxId::parse(text).map_err(|message| Problem::bad_request("sandbox-id-invalid", format!("{message}.")))
}

//! Which sandbox and which pack a request is for, and what is left of its path.

use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, Method};

use super::gate::{Host, without_port};
use super::session::{LOGIN, LOGOUT};
use crate::exchange::Problem;
use crate::pack::Pack;
use crate::sandbox::SandboxId;

/// Where a request came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Door {
    /// The pack whose own port it is.
    pub(super) pack: Option<usize>,
    pub(super) address: SocketAddr,
    pub(super) scheme: Scheme,
    /// The port that all packs are served on.
    pub(super) main: u16,
}

/// How URLs of a server begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// The port that need not be said.
    pub(super) fn port(self) -> &'static str {
        match self {
            Scheme::Http => ":80",
            Scheme::Https => ":443",
        }
    }
}

/// Where a request leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// `None` when nothing was said.
    pub(super) sandbox: Option<SandboxId>,
    /// Scheme, host and the prefixes that were taken off the path.
    pub(super) base: String,
    pub(super) to: Destination,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// The control plane, with the path behind `/_standin`.
    Control(String),
    /// The control plane as WireMock's clients know it, with the path behind `/__admin`.
    Admin(String),
    /// A pack by its number, with the path within it; empty where not even a slash stood behind the pack's prefix.
    Pack(usize, String),
    /// The root of a server of several packs.
    Root,
    /// No pack has this prefix.
    Nowhere(String),
}

/// Which rules hold for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    /// The control plane, and the index at the root.
    Control,
    /// Whether the server lives, and what its pages look like: questions about no sandbox.
    Health,
    /// Where a browser gives the token.
    Login,
    /// Where it gives back what it got for it.
    Logout,
    /// Everything else: packs, and paths where there is none.
    Api,
}

const CONTROL: &str = "/_standin";
const ADMIN: &str = "/__admin";
const SANDBOX_HEADER: HeaderName = HeaderName::from_static("standin-sandbox");

/// The path behind a prefix.
pub(super) fn behind<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The control plane that a path leads to, by either of its names.
fn control(path: &str) -> Option<Destination> {
    let own = behind(path, CONTROL).map(|rest| Destination::Control(rest.to_owned()));
    own.or_else(|| behind(path, ADMIN).map(|rest| Destination::Admin(rest.to_owned())))
}

/// Says which rules hold. It cannot fail, so that they hold for requests, too, in which something else is wrong.
pub(super) fn area(parts: &Parts, host: &Host, packs: &[Arc<Pack>], door: &Door) -> Area {
    let (_, path) = marked(parts.uri.path());
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    match behind(path, CONTROL).or_else(|| behind(path, ADMIN).map(|_| "")) {
        Some("/livez" | "/readyz") if reads => Area::Health,
        Some(LOGIN) => Area::Login,
        Some(LOGOUT) if parts.method == Method::POST => Area::Logout,
        Some(rest) if reads && rest.starts_with("/ui/assets/") => Area::Health,
        Some(_) => Area::Control,
        None if path == "/" && host.labels.is_none() && door.pack.is_none() && packs.len() != 1 => Area::Control,
        None => Area::Api,
    }
}

/// Reads path, host and header.
pub(super) fn find(parts: &Parts, host: &Host, packs: &[Arc<Pack>], door: &Door) -> Result<Target, Problem> {
    let (host_sandbox, host_pack) = from_host(host, packs)?;
    let (path_sandbox, path) = from_path(parts.uri.path())?;
    let headers = parts.headers.get_all(&SANDBOX_HEADER).iter();
    let header_sandboxes =
        headers.map(|value| sandbox(value.to_str().unwrap_or_default())).collect::<Result<Vec<_>, _>>()?;
    let said: Vec<&SandboxId> = [&path_sandbox, &host_sandbox].into_iter().flatten().chain(&header_sandboxes).collect();
    if let Some(other) = said.iter().find(|id| **id != said[0]) {
        let detail = format!("Path, host and header name different sandboxes: `{}` and `{other}`.", said[0]);
        return Err(Problem::bad_request("sandbox-selectors-disagree", detail));
    }
    let chosen = said.first().map(|id| (*id).clone());
    let to_control = control(path);
    let scheme = door.scheme.word();
    // Links of the control plane lead to all packs, and only the main port does.
    let mut base = match door.pack {
        Some(_) if to_control.is_some() => format!("{scheme}://{}:{}", without_port(&host.authority), door.main),
        _ => [scheme, "://", &host.authority].concat(),
    };
    // Links must lead back into the sandbox; a header cannot be part of a link.
    if host_sandbox.is_none()
        && let Some(id) = &chosen
    {
        base.push_str("/~");
        base.push_str(id.as_str());
    }
    let to = if let Some(control) = to_control {
        control
    } else if let Some(pack) = host_pack {
        Destination::Pack(pack, path.to_owned())
    } else {
        by_prefix(path, packs, door.pack, &mut base)
    };
    Ok(Target { sandbox: chosen, base, to })
}

fn by_prefix(path: &str, packs: &[Arc<Pack>], own: Option<usize>, base: &mut String) -> Destination {
    let (first, rest) = path.strip_prefix('/').map_or(("", path), |path| match path.find('/') {
        Some(at) => (&path[..at], &path[at..]),
        None => (path, ""),
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

fn from_host(host: &Host, packs: &[Arc<Pack>]) -> Result<(Option<SandboxId>, Option<usize>), Problem> {
    let Some(labels) = host.labels.as_deref() else { return Ok((None, None)) };
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
    let (id, rest) = marked(path);
    Ok((id.map(sandbox).transpose()?, rest))
}

fn marked(path: &str) -> (Option<&str>, &str) {
    let marked = ["/~", "/%7E", "/%7e"].into_iter().find_map(|mark| path.strip_prefix(mark));
    let Some(marked) = marked else { return (None, path) };
    match marked.find('/') {
        Some(at) => (Some(&marked[..at]), &marked[at..]),
        None => (Some(marked), "/"),
    }
}

fn sandbox(text: &str) -> Result<SandboxId, Problem> {
    SandboxId::parse(text).map_err(|message| Problem::bad_request("sandbox-id-invalid", format!("{message}.")))
}

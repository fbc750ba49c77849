//! The HTTP client of our own commands: what they call a server with that somebody has named on the command line.
//!
//! Connections are kept and used again. Answers are taken as they are: nothing is followed, nothing is decoded, no proxy
//! of the environment is asked. Where there is no whole answer, a [`Fault`] says what came instead, under the name that
//! docs/faults.md has for it. Must not know: packs and scenarios. Start with [`Client::send`] and [`Client::control`].

mod control;
mod fault;
mod pool;
mod target;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response};
use tokio::time::timeout;

use crate::line::{AGENT, FRAMING, Trust};

pub(crate) use control::ControlFault;
pub(crate) use fault::Fault;
use pool::{Pool, Stage};
use target::Target;

/// How long an answer may take unless a command says otherwise.
const TIME: Duration = Duration::from_secs(30);

/// The most bytes of an answer: the log of a sandbox may be as large, and its bodies are written in base64 there.
const MOST_BODY: usize = 256 << 20;

/// Where a server is, and how it is spoken to. A copy shares the connections.
#[derive(Clone)]
pub(crate) struct Client {
    shared: Arc<Shared>,
    time: Duration,
    most: usize,
}

struct Shared {
    target: Target,
    token: Option<HeaderValue>,
    pool: Pool,
}

/// An extension of a request that is to be seen once, whatever comes of it: it goes out on a connection of its own and is
/// never sent again. Whoever waits for a fault asks for it: a connection that a server ends is otherwise hard to tell from
/// one that it has ended before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Once;

impl Client {
    /// A client of the server at a URL, which may have a path that goes before all others. The token is for the control
    /// plane. `ca` is a PEM file of certificates that are trusted besides the system's. The error is what is wrong with one
    /// of them.
    pub(crate) fn new(target: &str, token: Option<&str>, ca: Option<&[u8]>) -> Result<Self, String> {
        let target = Target::read(target)?;
        let token = token.map(bearer).transpose()?;
        let trust = match ca {
            Some(pem) => Trust::besides(pem).map_err(|why| format!("the file of certificates {why}"))?,
            None => Trust::default(),
        };
        let shared = Shared { target, token, pool: Pool::new(trust) };
        Ok(Client { shared: Arc::new(shared), time: TIME, most: MOST_BODY })
    }

    /// The same client, which waits for an answer as long as this.
    pub(crate) fn within(&self, time: Duration) -> Self {
        Client { time, ..self.clone() }
    }

    /// The URL of the server, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.shared.target.base
    }

    /// Sends a request whose URI is a path, with or without a query, below the base, and reads the whole answer. Headers
    /// are sent as they are, but for those that say where the request goes and how long it is.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Fault> {
        let target = &self.shared.target;
        let is_once = request.extensions().get::<Once>().is_some();
        let request = self.framed(request)?;
        let mut stage = Stage::Resolve;
        let sent = self.shared.pool.send(target, request, is_once, self.most, &mut stage);
        match timeout(self.time, sent).await {
            Ok(answered) => answered,
            Err(_) => Err(Fault::Late(stage.late(target, self.time))),
        }
    }

    /// The request as it goes out: to the path below the base, with headers of ours around those given.
    fn framed(&self, request: Request<Bytes>) -> Result<Request<Bytes>, Fault> {
        let target = &self.shared.target;
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("", PathAndQuery::as_str);
        if !path.starts_with('/') || parts.uri.authority().is_some() {
            let words = format!("`{}` is no path below {}: begin it with a slash", parts.uri, target.base);
            return Err(Fault::Unsendable(words));
        }
        let path: PathAndQuery = format!("{}{path}", target.prefix).parse().map_err(|error| {
            Fault::Unsendable(format!("`{path}` below {} cannot be asked for: {error}", target.base))
        })?;
        parts.uri = path.into();
        for name in FRAMING {
            parts.headers.remove(name);
        }
        parts.headers.insert(http::header::HOST, target.host_header.clone());
        parts.headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        Ok(Request::from_parts(parts, body))
    }
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut value =
        value.map_err(|_| "the token cannot be part of a header: give it without line breaks".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;

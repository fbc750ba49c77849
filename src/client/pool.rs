//! Connections to one server, kept between requests.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use super::fault::{Fault, LOG};
use super::target::{Target, listed};
use crate::line::{Distrust, Line, MOST_HEAD, MOST_HEADERS, Meter, Trust, size};

/// The most connections that are kept while nobody uses them.
const MOST_IDLE: usize = 64;

/// What may stand around a body, such as interim answers and the sizes of chunks, besides as much as the body itself.
const MOST_AROUND: usize = 1 << 20;

pub(super) struct Pool {
    trust: Trust,
    idle: Mutex<Vec<Connection>>,
}

struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    meter: Meter,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    Resolve,
    Connect,
    Secure,
    Answer,
    Body(StatusCode),
}

impl Pool {
    pub(super) fn new(trust: Trust) -> Self {
        Pool { trust, idle: Mutex::default() }
    }

    pub(super) async fn send(
        &self,
        target: &Target,
        request: Request<Bytes>,
        is_once: bool,
        most: usize,
        stage: &mut Stage,
    ) -> Result<Response<Bytes>, Fault> {
        if !is_once && let Some(mut connection) = self.take().await {
            match connection.exchange(target, request.clone(), most, stage).await {
                Ok(response) => {
                    self.keep(connection);
                    return Ok(response);
                }
                // The server ended the connection when it was idle, and has seen nothing of the request.
                Err(Fault::Reset(_) | Fault::Empty(_)) if connection.meter.read() == 0 => {}
                Err(fault) => return Err(fault),
            }
        }
        let mut connection = self.connect(target, most, stage).await?;
        let response = connection.exchange(target, request, most, stage).await?;
        if !is_once {
            self.keep(connection);
        }
        Ok(response)
    }

    /// A connection that was used before and is still there.
    async fn take(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle.lock().pop()?;
            // It may be about to end: the server has said so, or has hung up.
            if connection.sender.ready().await.is_ok() {
                connection.meter.reset();
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock();
        if idle.len() < MOST_IDLE && !connection.sender.is_closed() {
            idle.push(connection);
        }
    }

    async fn connect(&self, target: &Target, most: usize, stage: &mut Stage) -> Result<Connection, Fault> {
        *stage = Stage::Resolve;
        let addresses = match target.known() {
            Ok(addresses) => addresses,
            Err(name) => lookup_host((name, target.port)).await.map(Iterator::collect).unwrap_or_default(),
        };
        *stage = Stage::Connect;
        let stream = reach(target, &addresses).await?;
        let _ = stream.set_nodelay(true);
        let most = most.saturating_mul(2).saturating_add(MOST_AROUND);
        if !target.is_secure {
            return Connection::new(target, stream, most).await;
        }
        *stage = Stage::Secure;
        let stream = self.trust.greet(&target.host, stream).await;
        Connection::new(target, stream.map_err(|distrust| untrusted(target, &distrust))?, most).await
    }
}

impl Connection {
    async fn new<S>(target: &Target, stream: S, most: usize) -> Result<Self, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let line = Line::new(stream, most);
        let meter = line.meter();
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MOST_HEAD).max_headers(MOST_HEADERS);
        let greeted = builder.handshake(TokioIo::new(line)).await;
        let (sender, connection) = greeted.map_err(|error| Fault::of(target, &error, 0, None))?;
        // It moves the bytes, and ends with the sender or with the line. What goes wrong is told to whoever waits.
        tokio::spawn(async {
            let _ = connection.await;
        });
        Ok(Connection { sender, meter })
    }

    async fn exchange(
        &mut self,
        target: &Target,
        request: Request<Bytes>,
        most: usize,
        stage: &mut Stage,
    ) -> Result<Response<Bytes>, Fault> {
        *stage = Stage::Answer;
        let meter = &self.meter;
        let broken = |error: &hyper::Error, status| Fault::of(target, error, meter.read(), status);
        let answered = self.sender.send_request(request.map(Full::new)).await;
        let (parts, mut body) = answered.map_err(|error| broken(&error, None))?.into_parts();
        // A head that is read in one piece is whole before hyper looks at its size.
        if size(&parts.headers) > MOST_HEAD {
            return Err(Fault::head_too_large(target));
        }
        *stage = Stage::Body(parts.status);
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(&error, Some(parts.status)))?;
            let data = frame.into_data().unwrap_or_default();
            if data.len() > most - whole.len() {
                return Err(Fault::body_too_large(target, most));
            }
            whole.extend_from_slice(&data);
        }
        Ok(Response::from_parts(parts, whole.freeze()))
    }
}

/// Connects to the first address where somebody listens.
async fn reach(target: &Target, addresses: &[SocketAddr]) -> Result<TcpStream, Fault> {
    let mut errors = Vec::new();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => errors.push(error.kind()),
        }
    }
    let base = &target.base;
    let remedy = "start `standin serve`, or name another server";
    Err(Fault::Down(match errors.iter().find(|kind| **kind != ErrorKind::ConnectionRefused) {
        _ if errors.is_empty() => {
            format!("nobody knows an address of {base}: correct its name, or make it known to this machine")
        }
        None => format!("nobody listens on {base}: {remedy}"),
        Some(kind) => format!("{base} ({}) cannot be reached ({kind}): {remedy}", listed(addresses)),
    }))
}

fn untrusted(target: &Target, distrust: &Distrust) -> Fault {
    let base = &target.base;
    match distrust {
        Distrust::Nobody(why) => Fault::Untrusted(format!(
            "{base} cannot be trusted, as {why}: install the system's certificates, or name a PEM file of certificates that \
             are to be trusted"
        )),
        Distrust::Ended => Fault::Untrusted(format!(
            "{base} ended the connection during the TLS handshake: see whether it speaks https at that port"
        )),
        Distrust::Unknown => Fault::Untrusted(format!(
            "{base} has a certificate that nobody vouches for whom this machine trusts: name the PEM file of who does, \
             such as what `--tls-trust-file` of the server has written"
        )),
        Distrust::Wrong(what) => Fault::Untrusted(format!("{base} {what}")),
    }
}

impl Stage {
    /// What the time was over with.
    pub(super) fn late(self, target: &Target, time: Duration) -> String {
        let base = &target.base;
        match self {
            Stage::Resolve => {
                format!("the name in {base} was not looked up within {time:?}: see who answers for names here")
            }
            Stage::Connect => format!(
                "{base} did not take the connection within {time:?}: see whether the server runs and can be reached"
            ),
            Stage::Secure => {
                format!("{base} did not finish the TLS handshake within {time:?}: see whether it speaks https there")
            }
            Stage::Answer => format!("{base} did not answer within {time:?}: {LOG}"),
            Stage::Body(status) => {
                format!("{base} answered with status {} and was not done within {time:?}: {LOG}", status.as_u16())
            }
        }
    }
}

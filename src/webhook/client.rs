//! One attempt to deliver: from the URL to the last byte of the answer, within a time.
//!
//! Each attempt has a connection of its own, to the addresses that the gate has checked. Answers are taken as they are:
//! nothing is followed, nothing is decoded. Start with [`Client::send`].

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::{Future, pending};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::DELIVERY;
use super::gate::{Gate, Refusal, To, Way, checked};
use super::line::Line;
use super::tls::Trust;
use crate::exchange::{Answered, Failed, MOST_ANSWER, Outcome, Outgoing};

/// The most bytes and headers of the head of an answer.
const MOST_HEAD: usize = 32 << 10;
const MOST_HEADERS: usize = 100;

const AGENT: &str = concat!("standin/", env!("CARGO_PKG_VERSION"));

/// What frames a request, says where it goes or names it. These are ours alone.
const OURS: [HeaderName; 11] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    DELIVERY,
];

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// What sends deliveries, for one server.
pub(crate) struct Client {
    gate: Gate,
    /// Who is asked for the addresses of a name.
    resolve: Box<dyn Fn(String, u16) -> Found + Send + Sync>,
    trust: Trust,
}

/// How far an attempt has come.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Resolve,
    Connect,
    Secure,
    Answer,
    Body(StatusCode),
}

impl Client {
    pub(crate) fn new(gate: Gate) -> Self {
        let resolve = |name: String, port| -> Found {
            Box::pin(async move { lookup_host((name, port)).await.map(Iterator::collect) })
        };
        Client { gate, resolve: Box::new(resolve), trust: Trust::default() }
    }

    /// Makes one attempt. Whatever the receiver does, it is over when the time of `outgoing` is.
    pub(crate) async fn send(&self, outgoing: &Outgoing, delivery: &str) -> Outcome {
        let way = match self.gate.open(&outgoing.url) {
            Ok(way) => way,
            Err((why, words)) => return Outcome::Failed(why, words),
        };
        let mut stage = Stage::Resolve;
        match timeout(outgoing.timeout, self.attempt(&way, outgoing, delivery, &mut stage)).await {
            Ok(Ok(answered)) => Outcome::Answered(answered),
            Ok(Err((why, words))) => Outcome::Failed(why, words),
            Err(_) => Outcome::Failed(Failed::Timeout, stage.late(&way, outgoing.timeout)),
        }
    }

    async fn attempt(
        &self,
        way: &Way,
        outgoing: &Outgoing,
        delivery: &str,
        stage: &mut Stage,
    ) -> Result<Answered, Refusal> {
        let request = request(way, outgoing, delivery)?;
        let found;
        let addresses = match &way.to {
            To::Addresses(addresses) => addresses,
            To::Name(name, port) => {
                let resolved = (self.resolve)(name.clone(), *port).await.unwrap_or_default();
                found = checked(name, resolved)?;
                &found
            }
        };
        *stage = Stage::Connect;
        let stream = connect(way, addresses).await?;
        let _ = stream.set_nodelay(true);
        if !way.is_secure {
            return exchange(way, stream, request, stage).await;
        }
        *stage = Stage::Secure;
        let stream = self.trust.greet(way, stream).await?;
        exchange(way, stream, request, stage).await
    }
}

/// The request as it is sent: the headers of the delivery in their order, within those that are ours.
fn request(way: &Way, outgoing: &Outgoing, delivery: &str) -> Result<Request<Full<Bytes>>, Refusal> {
    let unsendable = |what: &str| (Failed::Url, format!("the {what} cannot be part of a request: change it"));
    let host = HeaderValue::from_str(&way.authority).map_err(|_| unsendable("host of the webhook's URL"))?;
    let delivery = HeaderValue::from_str(delivery).map_err(|_| unsendable("id of the delivery"))?;
    let mut headers = HeaderMap::with_capacity(outgoing.headers.len() + 5);
    headers.insert(header::HOST, host);
    if !outgoing.headers.contains_key(header::USER_AGENT) {
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    }
    headers.insert(DELIVERY, delivery);
    for (name, value) in outgoing.headers.iter().filter(|(name, _)| !OURS.contains(name)) {
        headers.append(name, value.clone());
    }
    headers.insert(header::CONTENT_LENGTH, outgoing.body.len().into());
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    let mut request = Request::new(Full::new(outgoing.body.clone()));
    *request.method_mut() = Method::POST;
    let target: PathAndQuery = way.target.parse().map_err(|_| unsendable("path of the webhook's URL"))?;
    *request.uri_mut() = target.into();
    *request.headers_mut() = headers;
    Ok(request)
}

/// Connects to the first address where somebody listens.
async fn connect(way: &Way, addresses: &[SocketAddr]) -> Result<TcpStream, Refusal> {
    let mut errors = Vec::new();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => errors.push(error.kind()),
        }
    }
    let listed = listed(addresses);
    let remedy = "start the receiver, or change the URL of the webhook";
    Err(match errors.iter().find(|kind| **kind != ErrorKind::ConnectionRefused) {
        _ if errors.is_empty() => {
            let words = format!(
                "nobody knows an address of `{}`: correct the name in the URL of the webhook, or make it known to this \
                 machine",
                way.host
            );
            (Failed::Unresolved, words)
        }
        None => (Failed::Unreachable, format!("nobody listens on {listed}: {remedy}")),
        Some(kind) => (Failed::Unreachable, format!("{listed} cannot be reached ({kind}): {remedy}")),
    })
}

/// Some of the addresses, for words.
fn listed(addresses: &[SocketAddr]) -> String {
    const SOME: usize = 4;
    let shown: Vec<String> = addresses.iter().take(SOME).map(SocketAddr::to_string).collect();
    let mut text = shown.join(", ");
    if addresses.len() > SOME {
        let _ = write!(text, " and {} more", addresses.len() - SOME);
    }
    text
}

/// Sends a request, and reads its answer as far as it is kept.
async fn exchange<S>(
    way: &Way,
    stream: S,
    request: Request<Full<Bytes>>,
    stage: &mut Stage,
) -> Result<Answered, Refusal>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    *stage = Stage::Answer;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MOST_HEAD).max_headers(MOST_HEADERS);
    let greeted = builder.handshake(TokioIo::new(Line::new(stream))).await;
    let (mut sender, connection) = greeted.map_err(|error| broken(way, &error, None))?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(|error| broken(way, &error, None))?;
        let (parts, mut body) = response.into_parts();
        *stage = Stage::Body(parts.status);
        let (mut kept, mut cut) = (Vec::new(), false);
        while !cut && let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(way, &error, Some(parts.status)))?;
            let data = frame.into_data().unwrap_or_default();
            let room = data.len().min(MOST_ANSWER - kept.len());
            kept.extend_from_slice(&data[..room]);
            cut = room < data.len();
        }
        Ok(Answered { status: parts.status, headers: parts.headers, body: kept.into(), cut })
    };
    // It moves the bytes. What goes wrong with it is told to whoever waits for the answer.
    let moves = pin!(async {
        let _ = connection.await;
        pending::<Infallible>().await
    });
    tokio::select! {
        biased;
        answered = answered => answered,
        never = moves => match never {},
    }
}

fn broken(way: &Way, error: &hyper::Error, status: Option<StatusCode>) -> Refusal {
    let receiver = &way.authority;
    let words = if error.is_parse_too_large() {
        format!(
            "the head of the answer of `{receiver}` is too large: it may have {} KiB and {MOST_HEADERS} headers",
            MOST_HEAD >> 10
        )
    } else if error.is_parse() {
        format!("what `{receiver}` answered is no HTTP/1.1: see what listens there, and whether it wants `https://`")
    } else if let Some(status) = status {
        format!(
            "`{receiver}` answered with status {} and broke off before the end of the body: look at the receiver's log",
            status.as_u16()
        )
    } else {
        format!("`{receiver}` ended the connection without an answer: look at the receiver's log")
    };
    (Failed::Broken, words)
}

impl Stage {
    /// What the time was over with.
    fn late(self, way: &Way, time: Duration) -> String {
        let receiver = &way.authority;
        match self {
            Stage::Resolve => {
                format!("the name `{}` was not looked up within {time:?}: see who answers for names here", way.host)
            }
            Stage::Connect => format!(
                "`{receiver}` did not take the connection within {time:?}: see whether the receiver runs and can be reached"
            ),
            Stage::Secure => {
                format!(
                    "`{receiver}` did not finish the TLS handshake within {time:?}: see whether it speaks https there"
                )
            }
            Stage::Answer => {
                format!("`{receiver}` did not answer within {time:?}: let the receiver answer first, and work then")
            }
            Stage::Body(status) => format!(
                "`{receiver}` answered with status {} and was not done within {time:?}: let the receiver end its answer",
                status.as_u16()
            ),
        }
    }
}

//! Answers that do not come at once and whole: late, piece by piece, cut off, or with something else in their place.
//!
//! hyper writes no invalid answer. Where one is wanted, it waits for an answer that never comes, and the socket writes
//! what it is ordered to as soon as all answers before it are out; then the connection ends. In HTTP/2, where other
//! streams share the connection, the stream is reset instead. Start with [`deliver`].

use std::fmt::Write as _;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Method, StatusCode, Version};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::Shared;
use super::deliver::{Content, Delivered, bodiless, headless};
use super::pace::{Answer, Pace, Turn, Watching};
use crate::exchange::{Delivery, Manner};

/// What no chunk begins with.
const NO_CHUNK: &[u8] = b"this is not a chunk\r\n";

/// An answer is not finished, because that is what is wanted.
#[derive(Debug)]
pub(super) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a fault ends this answer")
    }
}

impl std::error::Error for Broken {}

/// What the socket does in place of an answer.
#[derive(Debug)]
pub(super) enum Order {
    /// Writes these bytes, and ends.
    Write(Bytes),
    Reset,
}

/// Where a socket finds its order.
#[derive(Debug, Default)]
pub(super) struct Instead {
    ordered: AtomicBool,
    order: Mutex<Option<Order>>,
}

impl Instead {
    fn set(&self, order: Order) {
        *self.order.lock() = Some(order);
        self.ordered.store(true, Ordering::Release);
    }

    pub(super) fn is_ordered(&self) -> bool {
        self.ordered.load(Ordering::Acquire)
    }

    pub(super) fn take(&self) -> Option<Order> {
        self.order.lock().take()
    }
}

/// What of a request decides in which form its answer is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    version: Version,
    head: bool,
}

impl Asked {
    pub(super) fn of<B>(request: &hyper::Request<B>) -> Self {
        Asked { version: request.version(), head: *request.method() == Method::HEAD }
    }

    /// Leaves the body of an answer away where nothing else would.
    pub(super) fn headless(self, response: Delivered) -> Delivered {
        if self.head && self.version == Version::HTTP_2 { headless(response) } else { response }
    }

    /// Whether an answer of this status has no body.
    fn is_bodiless(self, status: StatusCode) -> bool {
        self.head || bodiless(status)
    }
}

/// Answers as a delivery says.
pub(super) async fn deliver(
    shared: &Shared,
    turn: Turn,
    asked: Asked,
    response: Delivered,
    delivery: Box<Delivery>,
) -> Result<hyper::Response<Answer>, Broken> {
    let Delivery { delay, manner } = *delivery;
    wait(shared, turn.pace(), delay).await;
    let http2 = asked.version == Version::HTTP_2;
    let order = match manner {
        Manner::Whole => return Ok(turn.answer(response)),
        // There is no body that could be cut.
        Manner::Truncated if http2 && asked.is_bodiless(response.status()) => return Err(Broken),
        Manner::Dribble { pieces, over } => {
            let (parts, body) = apart(response).await;
            let content = Content::Pieces(Box::new(Pieces::dribbled(shared, body, pieces, over)));
            return Ok(turn.answer(hyper::Response::from_parts(parts, content)));
        }
        Manner::Truncated if http2 => {
            let (parts, body) = apart(response).await;
            let content = Content::Pieces(Box::new(Pieces::truncated(shared, body)));
            return Ok(turn.answer(hyper::Response::from_parts(parts, content)));
        }
        Manner::Reset => Order::Reset,
        // Nothing of this can be said in frames.
        Manner::Malformed | Manner::Garbage(_) | Manner::Empty if http2 => return Err(Broken),
        Manner::Truncated => {
            let (parts, body) = apart(response).await;
            Order::Write(truncated(asked, &parts, &body))
        }
        Manner::Malformed => Order::Write(malformed(asked, &response.into_parts().0)),
        Manner::Garbage(bytes) => Order::Write(bytes),
        Manner::Empty => Order::Write(Bytes::new()),
    };
    turn.pace().instead.set(order);
    turn.pace().wake();
    // The connection ends, and this with it.
    pending().await
}

/// Lets a real time pass. It ends early when the server stops; and when the client says nothing more, as one does that
/// has gone: who only has nothing more to say gets its answer then.
async fn wait(shared: &Shared, pace: &Pace, delay: Duration) {
    if delay.is_zero() {
        return;
    }
    let mut passes = pin!(sleep(delay));
    let mut stops = pin!(shared.stops());
    pace.watches(Watching::Begins);
    poll_fn(|cx| {
        let ends = pace.has_hung_up() || passes.as_mut().poll(cx).is_ready() || stops.as_mut().poll(cx).is_ready();
        if ends { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    pace.watches(Watching::Ends);
}

/// Head and body of an answer that is there.
async fn apart(response: Delivered) -> (http::response::Parts, Bytes) {
    let (parts, content) = response.into_parts();
    let body = match content {
        Content::Whole(body) => body.collect().await.map_or_else(|never| match never {}, |body| body.to_bytes()),
        Content::Stream(_) | Content::Pieces(_) => Bytes::new(),
    };
    (parts, body)
}

/// The head of an answer of HTTP/1, without the end of it.
fn head(asked: Asked, parts: &http::response::Parts) -> Vec<u8> {
    let mut line = if asked.version == Version::HTTP_10 { "HTTP/1.0 " } else { "HTTP/1.1 " }.to_owned();
    let _ = write!(line, "{} {}\r\n", parts.status.as_str(), parts.status.canonical_reason().unwrap_or_default());
    let mut head = line.into_bytes();
    for (name, value) in &parts.headers {
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            head.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
    }
    head
}

/// The head, and half of the body that it promises; it promises a byte where there is none. Where no body is allowed the
/// cut is in the status line: clients take a head that ends later for a whole one.
fn truncated(asked: Asked, parts: &http::response::Parts, body: &[u8]) -> Bytes {
    let mut head = head(asked, parts);
    if asked.is_bodiless(parts.status) {
        head.truncate("HTTP/1.1 20".len());
        return head.into();
    }
    let length = format!("content-length: {}\r\n\r\n", body.len().max(1));
    [&head, length.as_bytes(), &body[..body.len() / 2]].concat().into()
}

/// The head, and a chunk that is none. Where no body is allowed the head has it.
fn malformed(asked: Asked, parts: &http::response::Parts) -> Bytes {
    // HTTP/1.0 has no chunks.
    let asked = Asked { version: Version::HTTP_11, ..asked };
    let between: &[u8] = if asked.is_bodiless(parts.status) { b"" } else { b"transfer-encoding: chunked\r\n\r\n" };
    [&head(asked, parts), between, NO_CHUNK].concat().into()
}

/// A body that comes piece by piece.
pub(super) struct Pieces {
    /// What has not come yet.
    rest: Bytes,
    /// How long the whole body is, by what the head says.
    promised: u64,
    /// How many pieces have come, of how many.
    come: u32,
    pieces: u32,
    over: Duration,
    begin: Instant,
    next: Pin<Box<Sleep>>,
    stops: Pin<Box<dyn Future<Output = ()> + Send>>,
    breaks: Option<Breaks>,
}

/// After its pieces a body breaks off.
enum Breaks {
    Then,
    /// Once the last piece is taken: a stream of HTTP/2 that is reset drops what waits to be sent.
    When(oneshot::Receiver<()>),
}

/// Bytes, and who hears that they are taken.
type Next = (Bytes, Option<oneshot::Sender<()>>);

impl Pieces {
    fn dribbled(shared: &Shared, body: Bytes, pieces: u32, over: Duration) -> Self {
        let begin = Instant::now();
        Pieces {
            promised: length(&body),
            // No piece is empty.
            pieces: pieces.min(u32::try_from(body.len()).unwrap_or(u32::MAX)),
            come: 0,
            rest: body,
            over,
            begin,
            next: Box::pin(sleep_until(begin)),
            stops: Box::pin(shared.stops()),
            breaks: None,
        }
    }

    fn truncated(shared: &Shared, mut body: Bytes) -> Self {
        let promised = length(&body).max(1);
        body.truncate(body.len() / 2);
        Pieces { promised, breaks: Some(Breaks::Then), ..Pieces::dribbled(shared, body, 1, Duration::ZERO) }
    }

    pub(super) fn promised(&self) -> u64 {
        self.promised
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty() && self.breaks.is_none()
    }

    /// The next piece, when it is due; nothing after the last. What there is to wait for is not waited for once the
    /// server stops or the client has said that it has nothing more to say.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, pace: &Pace) -> Poll<Option<Result<Next, Broken>>> {
        if self.rest.is_empty() {
            return match &mut self.breaks {
                None => Poll::Ready(None),
                Some(Breaks::Then) => Poll::Ready(Some(Err(Broken))),
                Some(Breaks::When(taken)) => {
                    let _ = ready!(Pin::new(taken).poll(cx));
                    Poll::Ready(Some(Err(Broken)))
                }
            };
        }
        if pace.has_hung_up() || self.stops.as_mut().poll(cx).is_ready() {
            self.come = self.pieces - 1;
        } else {
            ready!(self.next.as_mut().poll(cx));
        }
        self.come += 1;
        // All of the same size, but for what cannot be divided.
        let left = usize::try_from(self.pieces - self.come).unwrap_or(0) + 1;
        let piece = self.rest.split_to(self.rest.len() / left);
        if self.pieces > 1 {
            let due = self.begin + self.over * self.come / (self.pieces - 1);
            self.next.as_mut().reset(due);
        }
        let taken = self.breaks.as_mut().filter(|_| self.rest.is_empty()).map(|breaks| {
            let (sender, receiver) = oneshot::channel();
            *breaks = Breaks::When(receiver);
            sender
        });
        Poll::Ready(Some(Ok((piece, taken))))
    }
}

fn length(body: &Bytes) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(status: u16) -> http::response::Parts {
        let response = hyper::Response::builder().status(status).header("x-a", "1").header("content-length", "9");
        response.body(()).unwrap().into_parts().0
    }

    const GET: Asked = Asked { version: Version::HTTP_11, head: false };

    #[test]
    fn a_truncated_body_is_always_shorter_than_promised() {
        for length in 0..5 {
            let written = truncated(GET, &parts(200), &vec![b'x'; length]);
            let text = std::str::from_utf8(&written).unwrap();
            let promised = length.max(1);
            let head = format!("HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-length: {promised}\r\n\r\n");
            assert_eq!(text, head + &"x".repeat(length / 2));
            assert!(length / 2 < promised);
        }
    }

    #[test]
    fn an_answer_without_a_body_is_no_whole_head() {
        for (asked, status) in [(Asked { head: true, ..GET }, 200), (GET, 204), (GET, 304)] {
            let cut = truncated(asked, &parts(status), b"");
            assert_eq!(cut, format!("HTTP/1.1 {}", &status.to_string()[..2]).into_bytes());
            let broken = malformed(asked, &parts(status));
            let text = std::str::from_utf8(&broken).unwrap();
            assert!(text.ends_with("x-a: 1\r\nthis is not a chunk\r\n") && !text.contains("transfer"), "{text}");
        }
    }
}

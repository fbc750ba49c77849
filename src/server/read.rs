use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use super::Limits;
use crate::exchange::{Body, Problem};

/// How much of a body that is too large is read before it is refused, so that the client gets to hear why.
const DRAINED: usize = 8 << 20;
const DRAINED_FOR: Duration = Duration::from_secs(1);

/// How many more bytes of bodies the server may hold, over all connections.
#[derive(Debug)]
pub(crate) struct Room(AtomicUsize);

impl Room {
    /// One body always has room.
    pub(super) fn new(limits: &Limits) -> Self {
        Room(AtomicUsize::new(limits.bodies.max(limits.body)))
    }
}

/// What one request has of the room, until it is answered.
pub(super) struct Held<'r> {
    room: &'r Room,
    bytes: usize,
}

impl<'r> Held<'r> {
    pub(super) fn new(room: &'r Room) -> Self {
        Held { room, bytes: 0 }
    }

    fn take(&mut self, bytes: usize) -> bool {
        let left = |left: usize| left.checked_sub(bytes);
        let had = self.room.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok();
        self.bytes += if had { bytes } else { 0 };
        had
    }

    fn give_back(&mut self) {
        self.room.0.fetch_add(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Reads a body whole, within the limits of size, time and room.
pub(super) async fn body(incoming: Incoming, limits: &Limits, held: &mut Held<'_>) -> Result<Body, Problem> {
    if incoming.is_end_stream() {
        return Ok(Body::Whole(Bytes::new()));
    }
    match timeout(limits.body_timeout, collect(incoming, limits.body, held)).await {
        Ok(result) => result,
        Err(_) => {
            let detail = format!("The body was not complete after {} seconds.", limits.body_timeout.as_secs_f32());
            Err(Problem::new("body-timeout", http::StatusCode::REQUEST_TIMEOUT, "The body came too slowly", detail))
        }
    }
}

/// Takes what comes of a body that nobody wants, for a while. A stream of HTTP/2 that is answered before its body has
/// come is reset, and there are clients that give up the answer, or the connection, for that.
pub(super) async fn drain(mut incoming: Incoming) {
    let all = async {
        let mut size = 0_usize;
        while let Some(Ok(frame)) = incoming.frame().await {
            size = size.saturating_add(frame.data_ref().map_or(0, Bytes::len));
            if size > DRAINED {
                break;
            }
        }
    };
    let _ = timeout(DRAINED_FOR, all).await;
}

async fn collect(mut incoming: Incoming, limit: usize, held: &mut Held<'_>) -> Result<Body, Problem> {
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    let mut size = 0_usize;
    let announced = incoming.size_hint().exact();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| broken_off(size, announced, &error))?;
        let Ok(data) = frame.into_data() else { continue };
        size = size.saturating_add(data.len());
        if size > limit {
            if size > DRAINED.max(limit) {
                break;
            }
            first = None;
            rest = BytesMut::new();
            held.give_back();
        } else if !held.take(data.len()) {
            // Waiting could last for ever: others that are half read may wait for the same room.
            drop((first, rest));
            held.give_back();
            drain(incoming).await;
            return Err(full());
        } else if first.is_none() && rest.is_empty() {
            // Most bodies come in one piece.
            first = Some(data);
        } else {
            if let Some(first) = first.take() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(match size > limit {
        true => Body::TooLarge { limit },
        false => Body::Whole(match first {
            // It is a part of the buffer that the connection reads into, and of any size less than that.
            Some(data) => Bytes::copy_from_slice(&data),
            None => exact(rest),
        }),
    })
}

/// Bodies are kept for long, so what grew larger than it had to is made small again.
fn exact(body: BytesMut) -> Bytes {
    match body.capacity() - body.len() > body.len() / 8 {
        true => Bytes::copy_from_slice(&body),
        false => body.freeze(),
    }
}

fn full() -> Problem {
    let detail = "The bodies that are being read have no room for this one (--max-body-total): send it again later.";
    let status = http::StatusCode::SERVICE_UNAVAILABLE;
    Problem::new("bodies-full", status, "Too many bodies at once", detail).header(http::header::RETRY_AFTER, "1")
}

fn broken_off(size: usize, announced: Option<u64>, error: &hyper::Error) -> Problem {
    let detail = match announced {
        Some(announced) => format!("The body broke off: {size} of {announced} bytes came."),
        None => match error.source() {
            Some(reason) => format!("The body broke off after {size} bytes: {reason}."),
            None => format!("The body broke off after {size} bytes."),
        },
    };
    Problem::bad_request("body-incomplete", detail)
}

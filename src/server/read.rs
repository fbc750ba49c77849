use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use super::Limits;
use crate::exchange::{Body, Problem};

/// How much of a body that is too large is read before it is refused, so that the client gets to hear why.
const DRAINED: usize = 8 << 20;

/// Reads a body whole, within the limits of size and time.
pub(super) async fn body(incoming: Incoming, limits: &Limits) -> Result<Body, Problem> {
    if incoming.is_end_stream() {
        return Ok(Body::Whole(Bytes::new()));
    }
    match timeout(limits.body_timeout, collect(incoming, limits.body)).await {
        Ok(result) => result,
        Err(_) => {
            let detail = format!("The body was not complete after {} seconds.", limits.body_timeout.as_secs_f32());
            Err(Problem::new("body-timeout", http::StatusCode::REQUEST_TIMEOUT, "The body came too slowly", detail))
        }
    }
}

async fn collect(mut incoming: Incoming, limit: usize) -> Result<Body, Problem> {
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    let mut size = 0_usize;
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| Problem::bad_request("body-incomplete", format!("The body broke off: {error}.")))?;
        let Ok(data) = frame.into_data() else { continue };
        size = size.saturating_add(data.len());
        if size > limit {
            if size > DRAINED.max(limit) {
                break;
            }
            first = None;
            rest = BytesMut::new();
        } else if first.is_none() && rest.is_empty() {
            // Most bodies come in one piece, which need not be copied.
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
        false => Body::Whole(first.unwrap_or_else(|| rest.freeze())),
    })
}

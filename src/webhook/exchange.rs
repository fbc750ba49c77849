//! A request and its answer, on a line to the receiver that is there already.

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::client::Stage;
use super::gate::{Refusal, Way};
use crate::exchange::DELIVERY;
use crate::exchange::{Answered, Failed, MOST_ANSWER, Outgoing};
use crate::line::{AGENT, FRAMING, Flooded, Line, MOST_HEAD, MOST_HEADERS, size};

/// The most bytes that are read of a receiver.
const MOST_READ: usize = 256 << 10;

/// The request as it is sent: the headers of the delivery in their order, within those that are ours.
pub(super) fn request(way: &Way, outgoing: &Outgoing, delivery: &str) -> Result<Request<Full<Bytes>>, Refusal> {
    let unsendable = |what: &str| (Failed::Url, format!("the {what} cannot be part of a request: change it"));
    let host = HeaderValue::from_str(&way.authority).map_err(|_| unsendable("host of the webhook's URL"))?;
    let delivery = HeaderValue::from_str(delivery).map_err(|_| unsendable("id of the delivery"))?;
    let mut headers = HeaderMap::with_capacity(outgoing.headers.len() + 5);
    headers.insert(header::HOST, host);
    if !outgoing.headers.contains_key(header::USER_AGENT) {
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    }
    headers.insert(DELIVERY, delivery);
    for (name, value) in outgoing.headers.iter().filter(|(name, _)| !FRAMING.contains(name) && **name != DELIVERY) {
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

/// Sends a request, and reads its answer as far as it is kept.
pub(super) async fn exchange<S>(
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
    let greeted = builder.handshake(TokioIo::new(Line::new(stream, MOST_READ))).await;
    let (mut sender, connection) = greeted.map_err(|error| broken(way, &error, None))?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(|error| broken(way, &error, None))?;
        let (parts, mut body) = response.into_parts();
        // A head that is read in one piece is whole before hyper looks at its size.
        if size(&parts.headers) > MOST_HEAD {
            return Err(large(way));
        }
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
        return large(way);
    } else if Flooded::is_cause_of(error) {
        format!(
            "`{receiver}` sent more than {} KiB and was not done: let it send fewer interim answers, and larger chunks",
            MOST_READ >> 10
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

fn large(way: &Way) -> Refusal {
    let words = format!(
        "the head of the answer of `{}` is too large: it may have {} KiB and {MOST_HEADERS} headers",
        way.authority,
        MOST_HEAD >> 10
    );
    (Failed::Broken, words)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::super::client::tests::{LONG, answered, to};
    use super::super::gate::Gate;
    use super::*;
    use crate::exchange::Outcome;

    #[test]
    fn an_agent_of_the_pack_and_an_empty_body_are_sent() {
        let mut outgoing = to("http://localhost/".to_owned(), LONG);
        outgoing.headers.insert("user-agent", HeaderValue::from_static("theirs"));
        outgoing.body = Bytes::new();
        let way = Gate::default().open(&outgoing.url).unwrap();
        let request = request(&way, &outgoing, "d1").unwrap();
        assert_eq!(request.headers().get_all("user-agent").iter().collect::<Vec<_>>(), ["theirs"]);
        assert_eq!(request.headers()["content-length"], "0");
    }

    /// Neither is an accident of the network: both ends of this line are in order before the client looks.
    #[tokio::test]
    async fn an_answer_counts_that_was_there_before_the_request() {
        let way = Gate::default().open("http://localhost/").unwrap();
        for hangs_up in [false, true] {
            let mut outgoing = to(String::new(), LONG);
            outgoing.body = vec![b'x'; 1 << 20].into();
            let (near, mut far) = duplex(4096);
            far.write_all(b"HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
            let far = (!hangs_up).then_some(far);
            let request = request(&way, &outgoing, "d1").unwrap();
            let outcome = exchange(&way, near, request, &mut Stage::Answer).await.map(Outcome::Answered);
            assert_eq!(answered(outcome.unwrap()), (413, "no".to_owned(), false), "hangs up: {hangs_up}");
            drop(far);
        }
    }
}

//! Requests that are refused before anything is looked up: their framing or their host can be read in two ways.

use http::{Request, StatusCode, header};

use super::framing::Fault;
use super::target::Scheme;
use crate::exchange::Problem;

/// What a request with a fault in its framing is answered. The connection must end with it.
pub(super) fn of_fault(fault: Fault) -> Problem {
    let title = "The request can be read in more than one way";
    let detail = format!("{}.", fault.words());
    let status = StatusCode::BAD_REQUEST;
    match fault {
        Fault::LineEnd => Problem::new("line-end", status, title, detail),
        Fault::Length | Fault::LengthAndChunks => Problem::new("length-ambiguous", status, title, detail),
        Fault::Coding | Fault::Chunk => Problem::new("transfer-encoding", status, title, detail),
    }
}

/// The last words to a client of HTTP/1 whose head did not become complete in time. There is no request that hyper could
/// answer.
pub(super) fn late() -> Vec<u8> {
    let detail = "The headers of the request were not complete in time.";
    bytes(Problem::new("header-timeout", StatusCode::REQUEST_TIMEOUT, "The headers came too slowly", detail))
}

/// The words to a client that wants TLS from a port that has none.
pub(super) fn tls() -> Vec<u8> {
    let detail = "This port speaks http: begin the URL with http://, or start standin with --tls.";
    bytes(Problem::new("tls-unexpected", StatusCode::BAD_REQUEST, "TLS is not spoken here", detail))
}

/// What a client is answered that speaks plain HTTP to a port that has TLS.
pub(super) fn plain() -> Problem {
    let detail = "This port speaks https: begin the URL with https:// instead of http://.";
    Problem::new("tls-missing", StatusCode::BAD_REQUEST, "Plain HTTP is not spoken here", detail)
}

/// An answer as bytes, the last ones of its connection.
fn bytes(problem: Problem) -> Vec<u8> {
    let mut response = problem.into_response();
    response.set(header::CONNECTION, "close");
    let mut bytes = format!("HTTP/1.1 {}\r\ncontent-length: {}\r\n", response.status, response.body.len()).into_bytes();
    for (name, value) in response.headers.iter() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&response.body);
    bytes
}

/// Checks that a request names one host: the target's authority, if it has one, and every `Host` are the same.
pub(super) fn of_host<B>(request: &Request<B>, scheme: Scheme) -> Option<Problem> {
    let authority = request.uri().authority()?;
    // Without the port that every URL of the scheme has.
    let named = |host: &str| host.strip_suffix(scheme.port()).unwrap_or(host).to_ascii_lowercase();
    let foreign = request
        .headers()
        .get_all(header::HOST)
        .iter()
        .find(|host| !host.to_str().is_ok_and(|host| named(host) == named(authority.as_str())))?;
    let foreign = String::from_utf8_lossy(foreign.as_bytes());
    let detail = format!("The target of the request says `{authority}`, and its Host header `{foreign}`.");
    Some(Problem::bad_request("host-disagrees", detail))
}

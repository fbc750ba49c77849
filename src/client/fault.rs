//! What came in place of a whole answer.

use std::fmt;
use std::io::{self, ErrorKind};

use http::StatusCode;

use super::target::Target;
use crate::line::{Flooded, MOST_HEAD, MOST_HEADERS};

/// The names of all of them.
pub(crate) const FAULTS: [&str; 10] = [
    "down",
    "untrusted",
    "connection-reset",
    "empty-response",
    "truncated-body",
    "malformed-chunk",
    "random-data",
    "too-large",
    "timeout",
    "unsendable",
];

/// The remedy where only the server knows more.
pub(super) const LOG: &str = "look at the log of the server";

/// Why there is no answer. Each has words: place, cause and remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody is there.
    Down(String),
    /// Nobody vouches for who is there.
    Untrusted(String),
    /// The connection was reset, before an answer or within it.
    Reset(String),
    /// The connection ended without an answer.
    Empty(String),
    /// The answer ended before its end: in its head, or with less of a body than it had announced.
    Truncated(String),
    /// What came as the body's next chunk is none.
    Malformed(String),
    /// What came is no answer of HTTP.
    Random(String),
    /// The answer is more than is read.
    Large(String),
    /// The time was over.
    Late(String),
    /// The request cannot be sent.
    Unsendable(String),
}

impl Fault {
    /// A word for programs. It never changes. Faults that a rule can ask for have the name that they have there.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Fault::Down(_) => "down",
            Fault::Untrusted(_) => "untrusted",
            Fault::Reset(_) => "connection-reset",
            Fault::Empty(_) => "empty-response",
            Fault::Truncated(_) => "truncated-body",
            Fault::Malformed(_) => "malformed-chunk",
            Fault::Random(_) => "random-data",
            Fault::Large(_) => "too-large",
            Fault::Late(_) => "timeout",
            Fault::Unsendable(_) => "unsendable",
        }
    }

    /// The words, without sending people to a log that is not there, or knows no more.
    pub(crate) fn without_log(&self) -> &str {
        let words = self.words();
        words.strip_suffix(LOG).and_then(|words| words.strip_suffix(": ")).unwrap_or(words)
    }

    fn words(&self) -> &str {
        match self {
            Fault::Down(words)
            | Fault::Untrusted(words)
            | Fault::Reset(words)
            | Fault::Empty(words)
            | Fault::Truncated(words)
            | Fault::Malformed(words)
            | Fault::Random(words)
            | Fault::Large(words)
            | Fault::Late(words)
            | Fault::Unsendable(words) => words,
        }
    }

    /// What hyper's error means: before the head of an answer was complete, of which so many bytes had come, or after it.
    pub(super) fn of(target: &Target, error: &hyper::Error, came: usize, status: Option<StatusCode>) -> Self {
        let base = &target.base;
        let at = match status {
            Some(status) => format!("{base} answered with status {}, and", status.as_u16()),
            None => base.clone(),
        };
        let kind =
            std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
        let log = LOG;
        if error.is_parse_too_large() {
            return Fault::head_too_large(target);
        }
        if Flooded::is_cause_of(error) {
            return Fault::Large(format!("{at} sent more than is read: ask for less at once"));
        }
        match (status, kind) {
            (_, Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe)) => {
                Fault::Reset(format!("{at} reset the connection: {log}"))
            }
            (Some(_), Some(ErrorKind::InvalidData | ErrorKind::InvalidInput)) => {
                Fault::Malformed(format!("{at} sent something in the body that is no chunk: {log}"))
            }
            (Some(_), _) => Fault::Truncated(format!("{at} broke off before the end of the body: {log}")),
            (None, _) if error.is_parse() => Fault::Random(format!(
                "{at} sent something that is no HTTP/1.1: see what listens there, and whether it wants `https://`"
            )),
            (None, _) if came > 0 => Fault::Truncated(format!("{at} broke off within the head of its answer: {log}")),
            (None, _) => Fault::Empty(format!("{at} ended the connection without an answer: {log}")),
        }
    }

    pub(super) fn head_too_large(target: &Target) -> Self {
        Fault::Large(format!(
            "the head of the answer of {} is too large: it may have {} KiB and {MOST_HEADERS} headers",
            target.base,
            MOST_HEAD >> 10
        ))
    }

    pub(super) fn body_too_large(target: &Target, most: usize) -> Self {
        Fault::Large(format!(
            "the body of the answer of {} is too large: it may have {most} bytes; ask for less at once",
            target.base
        ))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

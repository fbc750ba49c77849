use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};

/// The header that names a delivery. No call goes out without it, so that servers of this kind know one by it.
pub(crate) const DELIVERY: HeaderName = HeaderName::from_static("standin-delivery");

/// A request that goes out: one attempt to deliver a webhook. Its method is POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// As the receiver's owner wrote it; whether it is a URL that may be called is seen when it is sent.
    pub(crate) url: String,
    /// In the order of the pack; those that frame the message are not among them.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// In real time, from the connection to the last byte of the answer.
    pub(crate) timeout: Duration,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered(Answered),
    /// There is no answer: why, and the same in words with the remedy.
    Failed(Failed, String),
}

/// The answer of a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// At most [`MOST_ANSWER`] bytes of it.
    pub(crate) body: Bytes,
    /// There was more of the body.
    pub(crate) cut: bool,
}

/// How much of the body of a receiver's answer is read and kept.
pub(crate) const MOST_ANSWER: usize = 64 << 10;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// What stands in the place of a URL is none that can be called.
    Url,
    /// The gate does not let it out.
    Forbidden,
    /// Nobody knows the host.
    Unresolved,
    /// Nobody answers there.
    Unreachable,
    /// The connection is not trusted.
    Untrusted,
    /// The time was over first.
    Timeout,
    /// The connection ended, or what came is no HTTP.
    Broken,
}

impl Failed {
    pub(crate) const ALL: [Failed; 7] = [
        Failed::Url,
        Failed::Forbidden,
        Failed::Unresolved,
        Failed::Unreachable,
        Failed::Untrusted,
        Failed::Timeout,
        Failed::Broken,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Failed::Url => "url",
            Failed::Forbidden => "forbidden",
            Failed::Unresolved => "unresolved",
            Failed::Unreachable => "unreachable",
            Failed::Untrusted => "untrusted",
            Failed::Timeout => "timeout",
            Failed::Broken => "broken",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Failed> {
        Failed::ALL.into_iter().find(|failed| failed.word() == word)
    }
}

impl Outcome {
    /// Whether the receiver has taken it: an answer of 200 to 299.
    pub(crate) fn is_taken(&self) -> bool {
        matches!(self, Outcome::Answered(answered) if answered.status.is_success())
    }

    /// Of the answer, where there is one.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Outcome::Answered(answered) => Some(answered.status),
            Outcome::Failed(..) => None,
        }
    }

    /// What came of it, in one word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Outcome::Answered(answered) if answered.status.is_success() => "taken",
            Outcome::Answered(_) => "refused",
            Outcome::Failed(failed, _) => failed.word(),
        }
    }

    /// About how many bytes keeping it costs.
    pub(crate) fn size(&self) -> usize {
        match self {
            Outcome::Answered(answered) => lines(&answered.headers) + answered.body.len(),
            Outcome::Failed(_, words) => words.len(),
        }
    }
}

impl Outgoing {
    /// About how many bytes keeping it costs, besides the body, which all attempts share.
    pub(crate) fn size(&self) -> usize {
        self.url.len() + lines(&self.headers)
    }
}

fn lines(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

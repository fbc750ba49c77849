use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use super::{Check, Content, Provenance, ResourceId, Shape, Verb};
use crate::clock::Span;
use crate::diagnostic::Location;
use crate::expr::ExprId;
use crate::schema::Schema;

/// How often a delivery is tried again at most: each attempt is kept, with what was sent and answered.
pub(crate) const MOST_RETRIES: usize = 100;

/// How long an attempt takes where the pack says nothing.
pub(crate) const USUAL_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest that an attempt may take: the time is real, and whoever moves the clock waits for it.
pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What an API tells others by calling them.
#[derive(Debug)]
pub(crate) struct Webhook {
    /// The file's name without `.webhook.yaml`.
    pub(crate) name: Arc<str>,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) provenance: Provenance,
    /// What makes it go out. Those that name a resource name the same one, whose record is in scope under its name; with
    /// events `input` is in scope.
    pub(crate) on: Vec<Trigger>,
    /// To whom: one delivery for each item of this list, which is in scope under the name; one where there is none.
    pub(crate) each: Option<(ExprId, Arc<str>)>,
    /// Further names, in order.
    pub(crate) with: Vec<(Arc<str>, ExprId)>,
    /// Asked when it happens, and before every attempt.
    pub(crate) when: Option<ExprId>,
    /// The receiver's URL, as it is at each attempt. Where it is undefined when it happens, nothing goes out.
    pub(crate) to: ExprId,
    /// How deliveries without URL get there, which are then listed as delivered and not sent.
    pub(crate) unsent: Option<Arc<str>>,
    /// Made when it happens, and the same at every attempt.
    pub(crate) body: Content,
    pub(crate) schema: Option<Schema>,
    pub(crate) check: Check,
    /// Made at each attempt.
    pub(crate) headers: Vec<(HeaderName, Shape)>,
    pub(crate) signature: Option<Signature>,
    /// From what happens to the first attempt.
    pub(crate) after: Span,
    /// From each attempt to the next.
    pub(crate) retries: Vec<Span>,
    /// Of one attempt, in real time.
    pub(crate) timeout: Duration,
    pub(crate) at: Location,
}

/// What makes a webhook go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// An effect on a record of a resource.
    Effect(Verb, ResourceId),
    /// An event of the pack, by its name.
    Event(Arc<str>),
}

/// How the receiver can tell who sent it: an HMAC in a header, made at each attempt.
#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) header: HeaderName,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: ExprId,
    pub(crate) key_encoding: KeyEncoding,
    /// What is signed, where that is not the body; `payload` is the body as text.
    pub(crate) input: Option<ExprId>,
    pub(crate) encoding: Encoding,
    /// The header's value, where that is more than the `signature`.
    pub(crate) value: Option<ExprId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    HmacSha1,
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

/// What the bytes of a key are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyEncoding {
    /// Those of the text.
    Text,
    Hex,
    Base64,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Hex,
    Base64,
}

impl Algorithm {
    pub(crate) const ALL: [Algorithm; 4] =
        [Algorithm::HmacSha1, Algorithm::HmacSha256, Algorithm::HmacSha384, Algorithm::HmacSha512];

    /// The word that packs have for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Algorithm::HmacSha1 => "hmac-sha1",
            Algorithm::HmacSha256 => "hmac-sha256",
            Algorithm::HmacSha384 => "hmac-sha384",
            Algorithm::HmacSha512 => "hmac-sha512",
        }
    }
}

impl KeyEncoding {
    pub(crate) const ALL: [KeyEncoding; 3] = [KeyEncoding::Text, KeyEncoding::Hex, KeyEncoding::Base64];

    pub(crate) fn word(self) -> &'static str {
        match self {
            KeyEncoding::Text => "text",
            KeyEncoding::Hex => "hex",
            KeyEncoding::Base64 => "base64",
        }
    }
}

impl Encoding {
    pub(crate) const ALL: [Encoding; 2] = [Encoding::Hex, Encoding::Base64];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Encoding::Hex => "hex",
            Encoding::Base64 => "base64",
        }
    }
}

/// When an event happens by itself, to each record of a resource.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) resource: ResourceId,
    /// Of which records; of all where it says nothing. `record` and `tables` are in scope.
    pub(crate) when: Option<ExprId>,
    pub(crate) due: Due,
    /// The event's input, from the record as it is when it happens; `record` is in scope, and what events know.
    pub(crate) input: Shape,
}

/// At which instant an event happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// At an instant that the record tells, and again when it tells another one. Never where it tells none.
    At(ExprId),
    /// So long after the record has come to be one of those it happens to, once. What is there from the start counts from
    /// the sandbox's beginning.
    After(Span),
}

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, StatusCode};

use super::{Check, Shape};
use crate::diagnostic::Location;
use crate::expr::{ExprId, TemplateId};
use crate::schema::Schema;

/// An error of the pack, by its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ErrorId(pub(crate) usize);

/// One way to answer.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Its place among the cases that it is one of.
    pub(crate) number: usize,
    pub(crate) when: Option<ExprId>,
    pub(crate) status: StatusCode,
    pub(crate) body: Content,
    pub(crate) headers: Vec<(HeaderName, Shape)>,
    pub(crate) schema: Option<Schema>,
    /// What is left to check of the body when its schema is set.
    pub(crate) check: Check,
    /// The example that it has the shape of.
    pub(crate) shown: Option<Bytes>,
    pub(crate) provenance: Provenance,
    pub(crate) at: Location,
}

#[derive(Debug)]
pub(crate) enum Content {
    Empty,
    /// The bytes of a file, as they stand.
    Fixed {
        bytes: Bytes,
        media_type: &'static str,
        json: Option<Arc<serde_json::Value>>,
    },
    Shaped(Shape),
    Page {
        template: TemplateId,
        with: Vec<(Arc<str>, Shape)>,
    },
}

/// As what files are sent.
pub(crate) const MEDIA_TYPES: [&str; 3] = ["application/json", "text/html; charset=utf-8", "text/plain; charset=utf-8"];

/// How a file is sent, by its name.
pub(crate) fn media_type(path: &str) -> &'static str {
    let [json, html, other] = MEDIA_TYPES;
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("json") => json,
        Some("html") => html,
        _ => other,
    }
}

/// A named error.
#[derive(Debug)]
pub(crate) struct NamedError {
    pub(crate) name: Arc<str>,
    /// Its cases: the first whose condition holds is given.
    pub(crate) replies: Vec<Reply>,
    /// Nothing in the pack gives it: a fault does.
    pub(crate) fault: bool,
}

/// Whether the vendor's documentation promises an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// With its place.
    Documented(Option<Arc<str>>),
    /// Status and meaning are documented, the body is assumed for this reason.
    BodyAssumed { docs: Option<Arc<str>>, reason: Arc<str> },
    /// Assumed for this reason.
    Assumed(Arc<str>),
}

impl Provenance {
    /// Every value of `Standin-Contract`.
    pub(crate) const HEADERS: [&str; 3] = ["documented", "documented; body=assumed", "assumed"];

    /// The value of `Standin-Contract`.
    pub(crate) fn header(&self) -> &'static str {
        let [documented, body_assumed, assumed] = Self::HEADERS;
        match self {
            Provenance::Documented(_) => documented,
            Provenance::BodyAssumed { .. } => body_assumed,
            Provenance::Assumed(_) => assumed,
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Provenance::Documented(docs) => serde_json::json!({ "contract": self.header(), "docs": docs.as_deref() }),
            Provenance::BodyAssumed { docs, reason } => {
                serde_json::json!({ "contract": self.header(), "docs": docs.as_deref(), "reason": &**reason })
            }
            Provenance::Assumed(reason) => serde_json::json!({ "contract": self.header(), "reason": &**reason }),
        }
    }
}

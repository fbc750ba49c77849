use std::sync::Arc;

use super::{ErrorId, ResourceId};
use crate::diagnostic::Location;
use crate::expr::ExprId;

/// A scheme, by its place in the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SchemeId(pub(crate) usize);

/// How a caller is identified: where the credential is, how it is decoded, and which record it finds.
#[derive(Debug)]
pub(crate) struct Scheme {
    pub(crate) name: Arc<str>,
    pub(crate) place: CredentialPlace,
    pub(crate) decode: Vec<Decode>,
    pub(crate) resource: ResourceId,
    pub(crate) field: usize,
    /// What the field must equal; the credential itself when absent.
    pub(crate) value: Option<ExprId>,
    /// An owner of the found record, directly or through others: the caller sees what belongs to that one.
    pub(crate) acts_for: Option<ResourceId>,
    /// The name under which the found record is in scope.
    pub(crate) bind: Arc<str>,
    pub(crate) require: Option<ExprId>,
    pub(crate) otherwise: ErrorId,
    pub(crate) at: Location,
}

/// Where a credential stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CredentialPlace {
    Header(http::HeaderName),
    Query(String),
}

impl CredentialPlace {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            CredentialPlace::Header(_) => "header",
            CredentialPlace::Query(_) => "query",
        }
    }

    pub(crate) fn parameter(&self) -> &str {
        match self {
            CredentialPlace::Header(name) => name.as_str(),
            CredentialPlace::Query(name) => name,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decode {
    /// Takes `Bearer ` away.
    Bearer,
    /// Makes `{username, password}` of `Basic <base64>`.
    Basic,
    /// Checks a signature and makes the claims of a token.
    Jwt(String),
}

impl Decode {
    /// The word that stands before the credential.
    pub(crate) fn word(&self) -> Option<&'static str> {
        match self {
            Decode::Bearer => Some("Bearer"),
            Decode::Basic => Some("Basic"),
            Decode::Jwt(_) => None,
        }
    }
}

/// A credential that everyone may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) label: String,
    pub(crate) scheme: SchemeId,
    /// As a client sends it: `Bearer test-token`.
    pub(crate) value: String,
}

use std::sync::Arc;

use serde_json::Value;

use super::OperationId;
use super::source::Side;
use crate::diagnostic::Location;

/// A documented (or assumed) request or answer, byte for byte, with what is known about how it came about.
#[derive(Debug)]
pub(crate) struct Example {
    /// Path within the pack's folder.
    pub(crate) path: Arc<str>,
    /// The path of the documentation's own bytes, where they are no JSON and this file corrects them.
    pub(crate) verbatim: Option<Arc<str>>,
    pub(crate) operation: OperationId,
    /// `None` for a request.
    pub(crate) status: Option<u16>,
    pub(crate) variant: Option<String>,
    pub(crate) text: Arc<str>,
    /// The parsed text, when it is JSON.
    pub(crate) json: Option<Arc<Value>>,
    pub(crate) side: Side,
    pub(crate) at: Location,
}

/// A documented exchange to send again: an answer with its request, or a request alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replay {
    /// Numbers of examples in the pack.
    pub(crate) answer: Option<usize>,
    pub(crate) request: Option<usize>,
}

use std::sync::Arc;

use serde_json::Value;

use super::OperationId;
use super::source::{Key, Side, Spanned};
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

/// A documented (or assumed) body of a webhook, byte for byte, with what it comes of.
#[derive(Debug)]
pub(crate) struct Payload {
    /// Path within the pack's folder.
    pub(crate) path: Arc<str>,
    pub(crate) verbatim: Option<Arc<str>>,
    /// Its place among the pack's webhooks.
    pub(crate) webhook: usize,
    pub(crate) text: Arc<str>,
    /// The parsed text, when it is JSON.
    pub(crate) json: Option<Arc<Value>>,
    /// With the request of a cause that is a call.
    pub(crate) side: Side,
    /// None for a fragment.
    pub(crate) cause: Option<Cause>,
    /// To whom it goes, where several are told; null for the one without a URL.
    pub(crate) to: Option<Spanned<Option<String>>>,
    /// Headers of the first attempt.
    pub(crate) headers: Vec<(Key, Spanned<String>)>,
    pub(crate) at: Location,
}

/// What a payload comes of.
#[derive(Debug)]
pub(crate) enum Cause {
    /// An event, by its place in the pack.
    Event { event: usize, input: Value },
    /// A call, with the number of the example that is its body where the side file gives none.
    Call { operation: OperationId, request: Option<usize> },
}

impl Example {
    /// The whole body that a fragment stands in, when the side file says what is `around` it. The error says why the
    /// fragment does not go in there.
    pub(crate) fn laid(&self) -> Option<Result<Value, String>> {
        let (whole, pointer) = self.side.around.as_ref()?;
        let mut whole = whole.to_json();
        let fragment = self.json.as_deref().cloned().unwrap_or(Value::Null);
        Some(lay(&mut whole, &pointer.value, fragment).map(|()| whole))
    }
}

/// Puts a fragment at a pointer, as a new key if need be.
fn lay(whole: &mut Value, pointer: &str, fragment: Value) -> Result<(), String> {
    if let Some(place) = whole.pointer_mut(pointer) {
        *place = fragment;
        return Ok(());
    }
    let (parent, key) = pointer.rsplit_once('/').ok_or_else(|| format!("`{pointer}` is not a pointer"))?;
    match whole.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.insert(key.to_owned(), fragment);
            Ok(())
        }
        _ => Err(format!("the body around the fragment has no object at `{parent}`")),
    }
}

/// A documented exchange to send again: an answer with its request, or a request alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replay {
    /// Numbers of examples in the pack.
    pub(crate) answer: Option<usize>,
    pub(crate) request: Option<usize>,
}

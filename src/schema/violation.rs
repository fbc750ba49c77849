use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::{SCHEME, Schema};
use crate::exchange;

/// Which part of a request or answer was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Body,
    Response,
}

impl Place {
    /// The word for it in packs and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Body => "body",
            Place::Response => "response",
        }
    }

    pub(crate) const REQUEST: [Place; 4] = [Place::Path, Place::Query, Place::Header, Place::Body];
}

/// One mismatch with a schema.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Violation {
    pub(crate) place: Place,
    /// JSON pointer to what is wrong; a missing or unexpected property is named by its own pointer.
    pub(crate) pointer: String,
    /// The schema's keyword, such as `required` or `minLength`.
    pub(crate) keyword: String,
    /// In words, without the value.
    pub(crate) message: String,
    /// What was there; absent for a missing property.
    pub(crate) value: Option<Value>,
    /// The keyword's value in the schema.
    pub(crate) expected: Option<Value>,
    /// The schema's place: `<file>#<pointer>`.
    pub(crate) schema: String,
    /// The row of the pack's error table that the schema itself asks for (`x-error`).
    pub(crate) row: Option<String>,
}

impl Violation {
    /// The name that people call the place by: `name`, `scopes.0.permission`.
    pub(crate) fn field(&self) -> String {
        exchange::segments(&self.pointer).join(".")
    }
}

pub(super) fn from_error(error: &ValidationError<'_>, place: Place, schema: &Schema) -> Vec<Violation> {
    let parent = error.instance_path().as_str();
    let (document, pointer) = keyword_place(error);
    let root = match (&schema.inline, document.as_str()) {
        (Some(inline), "") => Some(inline.as_ref()),
        _ => schema.shelf.documents.get(&document).map(|document| &**document),
    };
    let violation = |pointer_to: String, value: Option<Value>| Violation {
        place,
        message: words(error),
        pointer: pointer_to,
        keyword: error.kind().keyword().to_owned(),
        value,
        expected: root.and_then(|root| root.pointer(&pointer)).cloned(),
        schema: if document.is_empty() { format!("#{pointer}") } else { format!("{document}.json#{pointer}") },
        row: root.and_then(|root| row(root, &pointer)),
    };
    match error.kind() {
        Kind::Required { property } => {
            vec![violation(exchange::child(parent, property.as_str().unwrap_or_default()), None)]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => unexpected
            .iter()
            .map(|name| violation(exchange::child(parent, name), error.instance().get(name).cloned()))
            .collect(),
        _ => vec![violation(parent.to_owned(), Some(error.instance().as_ref().clone()))],
    }
}

/// What is no JSON that can be read.
pub(super) fn unreadable(error: &serde_json::Error, place: Place, schema: &Schema) -> Violation {
    let document = &schema.reference.document;
    Violation {
        place,
        pointer: String::new(),
        keyword: "type".to_owned(),
        message: format!("the value cannot be read: {error}"),
        value: None,
        expected: None,
        schema: format!("{document}.json#{}", schema.reference.pointer),
        row: None,
    }
}

/// The document and the pointer of the keyword that failed, with all references resolved.
fn keyword_place(error: &ValidationError<'_>) -> (String, String) {
    let Some(uri) = error.absolute_keyword_location() else {
        return (String::new(), error.schema_path().as_str().to_owned());
    };
    let text = uri.as_str();
    let (document, fragment) = text.split_once('#').unwrap_or((text, ""));
    let document = document.strip_prefix(SCHEME).unwrap_or(document).trim_end_matches(".json");
    let pointer = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy().into_owned();
    (if document == "inline" { String::new() } else { document.to_owned() }, pointer)
}

/// The nearest `x-error` on the way from the keyword up to the root of its document.
fn row(root: &Value, pointer: &str) -> Option<String> {
    let mut pointer = pointer;
    while let Some((parent, _)) = pointer.rsplit_once('/') {
        pointer = parent;
        if let Some(Value::String(name)) = root.pointer(pointer).and_then(|schema| schema.get("x-error")) {
            return Some(name.clone());
        }
    }
    None
}

/// A sentence that does not repeat the value, which may be long or secret.
fn words(error: &ValidationError<'_>) -> String {
    error.masked_with("the value").to_string()
}

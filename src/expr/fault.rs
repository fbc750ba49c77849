use std::ops::Range;

use crate::diagnostic::Code;

/// A mistake in an expression or template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    /// Bytes within the expression's text.
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
    pub(crate) help: Option<String>,
}

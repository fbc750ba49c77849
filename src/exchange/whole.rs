use regex::{Error, Regex, RegexBuilder};

/// The most memory that a compiled pattern may take, in bytes.
const MOST: usize = 10 << 20;

/// A pattern for whole texts, in time linear in the text: look-around and references back are no part of it.
pub(crate) fn whole_text(pattern: &str) -> Result<Regex, Error> {
    RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(MOST).build()
}

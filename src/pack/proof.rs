use std::sync::OnceLock;

use crate::schema::Schema;

/// What is left to check of an answer when its shape is known: the shape already proves most of a schema.
///
/// A check may be too careful (then the whole answer is held against its schema), never too lax.
#[derive(Debug, Clone)]
pub(crate) enum Check {
    /// Nothing.
    Proven,
    /// A single value.
    Leaf(Leaf),
    /// The members of an object, in the order of the shape.
    Members(Vec<Check>),
    /// Every item of a list.
    Items(Box<Check>),
    /// What is inside a record.
    Inner(Box<Check>),
    /// All that is shown of a record, where it depends on nothing else. The number is that of the shape under its schema,
    /// in [`Pack::renderings`](super::Pack): what a record has shown once it can show again.
    Rendered(u16, Box<Check>),
    /// The part of the schema that says all about this value.
    Whole(Schema),
}

#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) types: Types,
    /// The least that a number may be.
    pub(crate) least: Option<i64>,
    /// What else the schema says.
    pub(crate) rest: Option<Schema>,
    /// The first short value that fitted: many are the same in every answer.
    pub(crate) fitted: OnceLock<Box<[u8]>>,
    /// A number by which a record remembers that one of its fields has passed.
    pub(crate) number: Option<u8>,
}

/// A set of JSON types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types(u8);

impl Types {
    pub(crate) const ALL: Types = Types(0x7f);
    const NAMES: [&'static str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

    pub(crate) fn none() -> Self {
        Types(0)
    }

    /// Adds a type by its name in JSON Schema; every integer is a number.
    pub(crate) fn add(&mut self, name: &str) {
        if let Some(place) = Types::NAMES.iter().position(|known| *known == name) {
            self.0 |= 1 << place;
            if name == "number" {
                self.0 |= 1 << 2;
            }
        }
    }

    /// Whether a value that is spelled so has one of the types.
    pub(crate) fn has(self, json: &[u8]) -> bool {
        let place = match json.first() {
            Some(b'n') => 0,
            Some(b't' | b'f') => 1,
            Some(b'"') => 4,
            Some(b'[') => 5,
            Some(b'{') => 6,
            _ if json.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => 3,
            _ => 2,
        };
        self.0 & (1 << place) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_off_the_spelling() {
        let mut types = Types::none();
        types.add("integer");
        types.add("null");
        assert!(types.has(b"7") && types.has(b"-7") && types.has(b"null"));
        assert!(!types.has(b"7.5") && !types.has(b"\"7\"") && !types.has(b"true") && !types.has(b"[]"));
        let mut number = Types::none();
        number.add("number");
        assert!(number.has(b"7") && number.has(b"1e3"));
    }
}

//! The words that expressions may use, besides the names in scope. The format's documentation lists the same words.

use super::Kind;

/// A function, filter or test: its name, how many arguments it takes, and what comes out.
pub(crate) struct Word {
    pub(crate) name: &'static str,
    pub(crate) arguments: std::ops::RangeInclusive<usize>,
    /// The result for the kind of the first argument (a filter's input).
    pub(crate) result: fn(&Kind) -> Kind,
}

const fn word(name: &'static str, arguments: std::ops::RangeInclusive<usize>, result: fn(&Kind) -> Kind) -> Word {
    Word { name, arguments, result }
}

fn span(_: &Kind) -> Kind {
    Kind::Span
}
fn string(_: &Kind) -> Kind {
    Kind::String
}
fn boolean(_: &Kind) -> Kind {
    Kind::Boolean
}
fn integer(_: &Kind) -> Kind {
    Kind::Integer
}
fn number(_: &Kind) -> Kind {
    Kind::Number
}
fn any(_: &Kind) -> Kind {
    Kind::Any
}
fn same(kind: &Kind) -> Kind {
    kind.clone()
}
fn element(kind: &Kind) -> Kind {
    match kind {
        Kind::List(item) => (**item).clone(),
        _ => Kind::Any,
    }
}
fn members(kind: &Kind) -> Kind {
    match kind {
        Kind::Object(object) => Kind::List(Box::new(object.rest.clone().unwrap_or(Kind::Any))),
        _ => Kind::List(Box::new(Kind::Any)),
    }
}
fn list(_: &Kind) -> Kind {
    Kind::List(Box::new(Kind::Any))
}
fn instant(_: &Kind) -> Kind {
    Kind::Instant(0)
}
fn instants(_: &Kind) -> Kind {
    Kind::List(Box::new(Kind::Instant(0)))
}
fn object(_: &Kind) -> Kind {
    Kind::map("an object", Kind::Any)
}

/// `name(…)`.
pub(crate) const FUNCTIONS: &[Word] = &[
    word("days", 1..=1, span),
    word("hours", 1..=1, span),
    word("minutes", 1..=1, span),
    word("seconds", 1..=1, span),
    word("random_hex", 1..=1, string),
    word("random_alphanumeric", 1..=1, string),
    word("random_digits", 1..=1, string),
    word("random_uuid", 0..=0, string),
    word("derived_hex", 2..=2, string),
    word("derived_alphanumeric", 2..=2, string),
    word("derived_digits", 2..=2, string),
    word("merge", 2..=2, object),
    word("without", 2..=9, object),
    word("dates", 3..=3, instants),
    word("epoch_seconds", 1..=1, integer),
    word("epoch_milliseconds", 1..=1, integer),
    word("allows", 3..=3, boolean),
    word("accepts", 2..=2, boolean),
    word("jwt", 2..=2, string),
];

/// `value|name(…)`. Arguments do not count the value.
pub(crate) const FILTERS: &[Word] = &[
    word("lower", 0..=0, string),
    word("upper", 0..=0, string),
    word("trim", 0..=1, string),
    word("replace", 2..=2, string),
    word("split", 1..=2, list),
    word("join", 0..=1, string),
    word("length", 0..=0, integer),
    word("default", 1..=2, any),
    word("first", 0..=0, element),
    word("last", 0..=0, element),
    word("list", 0..=0, same),
    word("values", 0..=0, members),
    word("sort", 0..=3, same),
    word("unique", 0..=1, same),
    word("select", 1..=3, same),
    word("reject", 1..=3, same),
    word("selectattr", 1..=3, same),
    word("rejectattr", 1..=3, same),
    word("map", 1..=3, list),
    word("sum", 0..=0, number),
    word("min", 0..=0, element),
    word("max", 0..=0, element),
    word("abs", 0..=0, same),
    word("round", 0..=1, number),
    word("int", 0..=0, integer),
    word("string", 0..=0, string),
    word("time", 1..=2, string),
    word("instant", 0..=2, instant),
    word("md5", 0..=0, string),
    word("sha256", 0..=0, string),
    word("tojson", 0..=0, string),
];

/// `value is name(…)`, also by name in `select` and its like.
pub(crate) const TESTS: &[Word] = &[
    word("defined", 0..=0, boolean),
    word("undefined", 0..=0, boolean),
    word("none", 0..=0, boolean),
    word("string", 0..=0, boolean),
    word("number", 0..=0, boolean),
    word("integer", 0..=0, boolean),
    word("boolean", 0..=0, boolean),
    word("mapping", 0..=0, boolean),
    word("sequence", 0..=0, boolean),
    word("true", 0..=0, boolean),
    word("false", 0..=0, boolean),
    word("eq", 1..=1, boolean),
    word("ne", 1..=1, boolean),
    word("in", 1..=1, boolean),
    word("startingwith", 1..=1, boolean),
    word("endingwith", 1..=1, boolean),
    word("matching", 1..=1, boolean),
];

pub(crate) fn find(table: &'static [Word], name: &str) -> Option<&'static Word> {
    table.iter().find(|word| word.name == name)
}

/// Words of the language itself.
const KEYWORDS: [&str; 13] =
    ["true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else"];

/// Whether expressions have a name for something else, so that no value can be called so.
pub(crate) fn is_word(name: &str) -> bool {
    KEYWORDS.contains(&name) || find(FUNCTIONS, name).is_some()
}

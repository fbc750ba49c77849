//! An answer against its documented example: status, keys, order of keys, values.

use std::collections::BTreeSet;
use std::fmt;

use http::HeaderName;
use serde_json::Value as Json;

use crate::exchange::{Difference, Differs, Response, differences};
use crate::pack::Example;
use crate::pack::source::{Key, Side, Spanned};

/// One thing that is not as documented.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Finding {
    Status {
        expected: String,
        actual: u16,
        body: String,
    },
    NotJson(String),
    /// The example has it, the answer does not.
    Missing(String),
    /// The answer has it, the example does not.
    Extra(String),
    Value {
        pointer: String,
        expected: Json,
        actual: Json,
    },
    Order {
        pointer: String,
        expected: Vec<String>,
        actual: Vec<String>,
    },
    /// The first line of a text that is another, by its number; an absent line is empty.
    Text {
        line: usize,
        expected: String,
        actual: String,
    },
    /// A header of the answer; nothing where it has none, or should have none.
    Header {
        name: String,
        expected: Option<String>,
        actual: Option<String>,
    },
    /// A declared difference that is none.
    Stale(String),
    Schema(String),
    /// A webhook sends what does not fit its schema.
    Told(String),
    Fault(String),
}

impl Finding {
    /// Another status than the documented one.
    pub(super) fn unexpected(expected: &str, response: &Response) -> Self {
        let body = String::from_utf8_lossy(&response.body).into_owned();
        Finding::Status { expected: expected.to_owned(), actual: response.status.as_u16(), body }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Status { expected, actual, body } => {
                write!(f, "status is {actual}, documented is {expected}: {body}")
            }
            Finding::NotJson(text) => write!(f, "the body is not JSON: {text}"),
            Finding::Missing(pointer) => write!(f, "`{pointer}` is documented and missing"),
            Finding::Extra(pointer) => write!(f, "`{pointer}` is not documented"),
            Finding::Value { pointer, expected, actual } => {
                write!(f, "`{pointer}` is {actual}, documented is {expected}")
            }
            Finding::Order { pointer, expected, actual } => {
                write!(
                    f,
                    "the keys of `{pointer}` come as {}, documented is {}",
                    actual.join(", "),
                    expected.join(", ")
                )
            }
            Finding::Text { line, expected, actual } => {
                write!(f, "line {line} is `{actual}`, documented is `{expected}`")
            }
            Finding::Header { name, expected: Some(expected), actual: None } => {
                write!(f, "the header `{name}` is documented as `{expected}` and missing")
            }
            Finding::Header { name, expected: Some(expected), actual: Some(actual) } => {
                write!(f, "the header `{name}` is `{actual}`, documented is `{expected}`")
            }
            Finding::Header { name, actual, .. } => {
                write!(f, "the header `{name}` is `{}`, documented is none", actual.as_deref().unwrap_or_default())
            }
            Finding::Stale(pointer) => {
                write!(
                    f,
                    "`{pointer}` is declared to differ or be absent, and is as documented: take the declaration out"
                )
            }
            Finding::Schema(words) => write!(f, "the answer does not fit its own schema: {words}"),
            Finding::Told(words) => write!(f, "what a webhook sends does not fit its schema: {words}"),
            Finding::Fault(words) => write!(f, "the pack has no answer: {words}"),
        }
    }
}

/// Everything that differs without being declared, and how many declared differences there are.
pub(super) fn answer(example: &Example, response: &Response) -> (Vec<Finding>, usize) {
    let status = response.status.as_u16();
    if example.status.is_some_and(|expected| expected != status) {
        let expected = example.status.map_or_else(String::new, |status| status.to_string());
        return (vec![Finding::unexpected(&expected, response)], 0);
    }
    body((example.json.as_deref(), &example.text), &example.side, &response.body)
}

/// The headers that the side file of an example names.
pub(super) fn headers(side: &Side, response: &Response) -> Vec<Finding> {
    let finding = |(key, expected): &(Key, Option<Spanned<String>>)| {
        let name = HeaderName::from_bytes(key.name.as_bytes()).ok();
        let actual = name.and_then(|name| response.headers.get(&name));
        let actual = actual.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let expected = expected.as_ref().map(|expected| expected.value.clone());
        (actual != expected).then(|| Finding::Header { name: key.name.clone(), expected, actual })
    };
    side.answered.iter().filter_map(finding).collect()
}

/// A body against the documented one, which may be JSON and is a text.
pub(super) fn body((shown, text): (Option<&Json>, &str), side: &Side, body: &[u8]) -> (Vec<Finding>, usize) {
    let Some(expected) = shown else {
        return (lines(text, &String::from_utf8_lossy(body)).into_iter().collect(), 0);
    };
    match json(expected, body).as_slice() {
        [finding @ Finding::NotJson(_)] => (vec![finding.clone()], 0),
        found => declared(side, found.to_vec()),
    }
}

/// Everything in which the JSON of a body differs from an example.
pub(super) fn json(expected: &Json, body: &[u8]) -> Vec<Finding> {
    let Ok(actual) = serde_json::from_slice::<Json>(body) else {
        return vec![Finding::NotJson(String::from_utf8_lossy(body).into_owned())];
    };
    let finding = |Difference { pointer, what }| match what {
        Differs::Missing(_) => Finding::Missing(pointer),
        Differs::Extra(_) => Finding::Extra(pointer),
        Differs::Value(expected, actual) => Finding::Value { pointer, expected, actual },
        Differs::Order(expected, actual) => Finding::Order { pointer, expected, actual },
    };
    differences(expected, &actual).into_iter().map(finding).collect()
}

/// Texts by line; white space at the end of the whole does not count.
fn lines(expected: &str, actual: &str) -> Option<Finding> {
    let (expected, actual) = (expected.trim_end(), actual.trim_end());
    if expected == actual {
        return None;
    }
    let split = |text: &str| -> Vec<String> { text.split('\n').map(str::to_owned).collect() };
    let (mut expected, mut actual) = (split(expected), split(actual));
    let most = expected.len().max(actual.len());
    expected.resize(most, String::new());
    actual.resize(most, String::new());
    let mut pairs = expected.into_iter().zip(actual).enumerate();
    pairs.find(|(_, (expected, actual))| expected != actual).map(|(index, (expected, actual))| Finding::Text {
        line: index + 1,
        expected,
        actual,
    })
}

fn declared(side: &Side, found: Vec<Finding>) -> (Vec<Finding>, usize) {
    let differs: BTreeSet<&str> = side.differs.iter().map(|(key, _)| key.name.as_str()).collect();
    let absent: BTreeSet<&str> = side.absent.iter().map(|(key, _)| key.name.as_str()).collect();
    let mut used = BTreeSet::new();
    let mut findings = Vec::new();
    for finding in found {
        let known = match &finding {
            Finding::Value { pointer, .. } => differs.get(pointer.as_str()),
            Finding::Missing(pointer) => absent.get(pointer.as_str()),
            _ => None,
        };
        match known {
            Some(pointer) => {
                used.insert(*pointer);
            }
            None => findings.push(finding),
        }
    }
    let stale = differs.union(&absent).filter(|pointer| !used.contains(**pointer));
    findings.extend(stale.map(|pointer| Finding::Stale((*pointer).to_owned())));
    (findings, used.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_differ_at_their_first_other_line() {
        let found = |expected, actual| lines(expected, actual).map(|finding| finding.to_string());
        assert_eq!(found("a\nb\n", "a\nb"), None);
        assert_eq!(found("a\nb\nc", "a\nx\ny").as_deref(), Some("line 2 is `x`, documented is `b`"));
        assert_eq!(found("a\nb", "a").as_deref(), Some("line 2 is ``, documented is `b`"));
    }
}

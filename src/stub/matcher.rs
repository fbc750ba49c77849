use serde_json::Value as Json;

use super::asked::Said;
use super::json::Wanted;
use super::jsonpath::{Found, Path};
use super::pattern::Pattern;
use crate::diagnostic::shortened;

/// A condition on one value, which may not be there.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    EqualTo { text: String, any_case: bool },
    Contains { text: String, any_case: bool },
    DoesNotContain(String),
    Matches(Expression),
    DoesNotMatch(Expression),
    EqualToJson(Wanted),
    MatchesJsonPath { path: Path, written: String, value: Option<Box<Matcher>> },
    BinaryEqualTo(Vec<u8>),
    Absent,
    Anything,
    And(Vec<Matcher>),
    Or(Vec<Matcher>),
    Not(Box<Matcher>),
}

/// A regular expression, as it was written and as it is used.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    pub(super) written: String,
    pub(super) pattern: Pattern,
}

impl Matcher {
    /// Whether it holds. Of a value that is not there holds what says that something is not.
    pub(super) fn holds(&self, value: Option<&Said<'_>>) -> bool {
        let text = || value.and_then(Said::text);
        match self {
            Matcher::EqualTo { text: wanted, any_case: false } => {
                value.is_some_and(|value| value.bytes() == wanted.as_bytes())
            }
            Matcher::EqualTo { text: wanted, any_case: true } => {
                text().is_some_and(|text| text.to_lowercase() == wanted.to_lowercase())
            }
            Matcher::Contains { text: wanted, any_case: false } => text().is_some_and(|text| text.contains(wanted)),
            Matcher::Contains { text: wanted, any_case: true } => {
                text().is_some_and(|text| text.to_lowercase().contains(&wanted.to_lowercase()))
            }
            Matcher::DoesNotContain(wanted) => text().is_none_or(|text| !text.contains(wanted)),
            Matcher::Matches(expression) => text().is_some_and(|text| expression.pattern.fits(text) == Some(true)),
            Matcher::DoesNotMatch(expression) => text().is_none_or(|text| expression.pattern.fits(text) == Some(false)),
            Matcher::EqualToJson(wanted) => value.and_then(Said::json).is_some_and(|json| wanted.fits(json)),
            Matcher::MatchesJsonPath { path, value: None, .. } => {
                value.and_then(Said::json).is_some_and(|json| finds_something(path, json))
            }
            Matcher::MatchesJsonPath { path, value: Some(matcher), .. } => {
                value.is_some_and(|value| value.json().is_some_and(|json| finds(path, json, matcher, value.depth())))
            }
            Matcher::BinaryEqualTo(wanted) => value.is_some_and(|value| value.bytes() == wanted),
            Matcher::Absent => value.is_none(),
            Matcher::Anything => true,
            Matcher::And(all) => all.iter().all(|matcher| matcher.holds(value)),
            Matcher::Or(any) => any.iter().any(|matcher| matcher.holds(value)),
            Matcher::Not(matcher) => !matcher.holds(value),
        }
    }

    /// Whether it holds of one of the values that a name has, or of none where it has none.
    pub(super) fn holds_of(&self, values: &[Said<'_>]) -> bool {
        match values {
            [] => self.holds(None),
            values => values.iter().any(|value| self.holds(Some(value))),
        }
    }

    /// What it asks for, for whoever looks for the reason why it does not hold.
    pub(super) fn words(&self) -> String {
        let quoted = |text: &str| format!("`{}`", shortened(text, 120));
        let all = |matchers: &[Matcher], word: &str| matchers.iter().map(Matcher::words).collect::<Vec<_>>().join(word);
        match self {
            Matcher::EqualTo { text, any_case } => format!("equal to {}{}", quoted(text), cased(*any_case)),
            Matcher::Contains { text, any_case } => format!("contains {}{}", quoted(text), cased(*any_case)),
            Matcher::DoesNotContain(text) => format!("does not contain {}", quoted(text)),
            Matcher::Matches(expression) => format!("matches {}", quoted(&expression.written)),
            Matcher::DoesNotMatch(expression) => format!("does not match {}", quoted(&expression.written)),
            Matcher::EqualToJson(wanted) => format!("JSON equal to {}", quoted(&wanted.value.to_string())),
            Matcher::MatchesJsonPath { written, value: None, .. } => format!("has {}", quoted(written)),
            Matcher::MatchesJsonPath { written, value: Some(matcher), .. } => {
                format!("has {} that is {}", quoted(written), matcher.words())
            }
            Matcher::BinaryEqualTo(bytes) => format!("equal to {} given bytes", bytes.len()),
            Matcher::Absent => "absent".to_owned(),
            Matcher::Anything => "anything".to_owned(),
            Matcher::And(matchers) => all(matchers, " and "),
            Matcher::Or(matchers) => all(matchers, " or "),
            Matcher::Not(matcher) => format!("not {}", matcher.words()),
        }
    }

    /// How far a value is from what is asked for: 0 where it holds, 1 where nothing is alike.
    pub(super) fn distance(&self, values: &[Said<'_>]) -> f64 {
        if self.holds_of(values) {
            return 0.0;
        }
        let Matcher::EqualTo { text: wanted, .. } = self else { return 1.0 };
        let far = values.iter().filter_map(Said::text).map(|text| distance(wanted, text));
        far.fold(1.0, f64::min)
    }
}

fn cased(any_case: bool) -> &'static str {
    if any_case { ", in any case" } else { "" }
}

/// How far two texts are from each other, from 0 to 1, as far as their beginnings say so.
pub(super) fn distance(one: &str, other: &str) -> f64 {
    if one == other {
        return 0.0;
    }
    const LOOKED_AT: usize = 100;
    let begin = |text: &str| text.chars().take(LOOKED_AT).collect::<String>();
    (1.0 - strsim::normalized_levenshtein(&begin(one), &begin(other))).max(0.01)
}

/// As WireMock has it: a path that leads to one place finds nothing there where it finds null, `[]` or `{}`.
fn finds_something(path: &Path, json: &Json) -> bool {
    match path.find(json) {
        Found::One(Json::Null) | Found::Nothing => false,
        Found::One(Json::Array(items)) => !items.is_empty(),
        Found::One(Json::Object(members)) => !members.is_empty(),
        Found::One(_) | Found::Several(_) => true,
    }
}

/// Whether the condition holds of one of the values that are found; of a list its items are meant, unless JSON is asked for.
fn finds(path: &Path, json: &Json, matcher: &Matcher, depth: usize) -> bool {
    let whole = matches!(matcher, Matcher::EqualToJson(_) | Matcher::MatchesJsonPath { .. });
    let each = |values: &[&Json]| {
        let values: Vec<Said<'_>> = values.iter().map(|value| Said::of_json(value, depth)).collect();
        matcher.holds_of(&values)
    };
    match path.find(json) {
        Found::Nothing | Found::One(Json::Null) => matcher.holds(None),
        Found::One(Json::Array(items)) if !whole => each(&items.iter().collect::<Vec<_>>()),
        Found::One(value) => matcher.holds(Some(&Said::of_json(value, depth))),
        Found::Several(values) if !whole => each(&values),
        Found::Several(values) => {
            let list = Json::Array(values.into_iter().cloned().collect());
            matcher.holds(Some(&Said::of_json(&list, depth)))
        }
    }
}

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
    ///
    /// Where the effort of the value was given up, what is returned means nothing.
    pub(super) fn holds(&self, value: Option<&Said<'_>>) -> bool {
        // What it costs to look at all of the value as text, if that is still to be had.
        let text = || value.filter(|value| value.effort().spend(value.bytes().len())).map(Said::text);
        let fits = |value: &Said<'_>, expression: &Expression| expression.pattern.fits(value.text(), value.effort());
        match self {
            Matcher::EqualTo { text: wanted, any_case: false } => value.is_some_and(|value| value.text() == wanted),
            Matcher::EqualTo { text: wanted, any_case: true } => {
                text().is_some_and(|text| text.to_lowercase() == wanted.to_lowercase())
            }
            Matcher::Contains { text: wanted, any_case: false } => text().is_some_and(|text| text.contains(wanted)),
            Matcher::Contains { text: wanted, any_case: true } => {
                text().is_some_and(|text| text.to_lowercase().contains(&wanted.to_lowercase()))
            }
            Matcher::DoesNotContain(wanted) => text().is_none_or(|text| !text.contains(wanted)),
            Matcher::Matches(expression) => value.is_some_and(|value| fits(value, expression) == Some(true)),
            Matcher::DoesNotMatch(expression) => value.is_none_or(|value| fits(value, expression) == Some(false)),
            Matcher::EqualToJson(wanted) => value.is_some_and(|value| {
                value.effort().spend(value.bytes().len())
                    && value.json().is_some_and(|json| wanted.fits(json, value.bytes().len(), value.effort()))
            }),
            Matcher::MatchesJsonPath { path, value: matcher, .. } => value.is_some_and(|value| {
                value.effort().spend(value.bytes().len().saturating_mul(path.looks()))
                    && value.json().is_some_and(|json| match matcher {
                        None => finds_something(path, json),
                        Some(matcher) => finds(path, json, matcher, value),
                    })
            }),
            Matcher::BinaryEqualTo(wanted) => value.is_some_and(|value| value.bytes() == wanted),
            Matcher::Absent => value.is_none_or(Said::is_no_body),
            Matcher::Anything => true,
            Matcher::And(all) => all.iter().all(|matcher| matcher.holds(value)),
            Matcher::Or(any) => any.iter().any(|matcher| matcher.holds(value)),
            Matcher::Not(matcher) => !matcher.holds(value),
        }
    }

    /// Whether it looks at little of a value.
    pub(super) fn is_cheap(&self) -> bool {
        match self {
            Matcher::EqualTo { any_case: false, .. }
            | Matcher::BinaryEqualTo(_)
            | Matcher::Absent
            | Matcher::Anything => true,
            Matcher::And(inner) | Matcher::Or(inner) => inner.iter().all(Matcher::is_cheap),
            Matcher::Not(inner) => inner.is_cheap(),
            _ => false,
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
        if self.holds_of(values) { 0.0 } else { self.far(values) }
    }

    /// The same, where it does not hold.
    pub(super) fn far(&self, values: &[Said<'_>]) -> f64 {
        let Matcher::EqualTo { text: wanted, .. } = self else { return 1.0 };
        let far = values.iter().map(|value| distance(wanted, value.text()));
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
fn finds(path: &Path, json: &Json, matcher: &Matcher, said: &Said<'_>) -> bool {
    let whole = matches!(matcher, Matcher::EqualToJson(_) | Matcher::MatchesJsonPath { .. });
    let inner = |value: &Json| {
        let inner = Said::of_json(value, said.depth()).within(said.effort());
        said.effort().spend(inner.bytes().len()) && matcher.holds(Some(&inner))
    };
    let each = |values: &[&Json]| match values {
        [] => matcher.holds(None),
        values => values.iter().any(|value| !said.effort().gave_up() && inner(value)),
    };
    match path.find(json) {
        Found::Nothing | Found::One(Json::Null) => matcher.holds(None),
        Found::One(Json::Array(items)) if !whole => each(&items.iter().collect::<Vec<_>>()),
        Found::One(value) => inner(value),
        Found::Several(values) if !whole => each(&values),
        Found::Several(values) => inner(&Json::Array(values.into_iter().cloned().collect())),
    }
}

use serde_json::Value as Json;

use super::{Comparison, Found, Operand, Path, Query, Segment, Selector, Test};
use crate::exchange::equal;

/// How many values a path may look at: all of the largest body some times over.
const STEPS: usize = 2_000_000;

/// Following it takes too many steps.
struct TooLong;

struct Walk<'j> {
    root: &'j Json,
    left: usize,
}

impl Path {
    pub(in crate::stub) fn find<'j>(&self, document: &'j Json) -> Found<'j> {
        let mut walk = Walk { root: document, left: STEPS };
        match walk.query(&self.query, document) {
            Err(TooLong) => Found::GivenUp,
            Ok(found) if found.is_empty() => Found::Nothing,
            Ok(found) if self.query.is_singular() => Found::One(found[0]),
            Ok(found) => Found::Several(found),
        }
    }
}

impl<'j> Walk<'j> {
    fn step(&mut self) -> Result<(), TooLong> {
        self.left = self.left.checked_sub(1).ok_or(TooLong)?;
        Ok(())
    }

    fn query(&mut self, query: &Query, here: &'j Json) -> Result<Vec<&'j Json>, TooLong> {
        let mut found = vec![if query.from_root { self.root } else { here }];
        for segment in &query.segments {
            let mut next = Vec::new();
            for value in found {
                self.segment(segment, value, &mut next)?;
            }
            found = next;
        }
        Ok(found)
    }

    fn segment(&mut self, segment: &Segment, value: &'j Json, out: &mut Vec<&'j Json>) -> Result<(), TooLong> {
        for selector in &segment.selectors {
            self.step()?;
            self.select(selector, value, out)?;
        }
        if segment.descends {
            // As deep as a body may be nested, which is bounded where bodies are read.
            match value {
                Json::Array(items) => items.iter().try_for_each(|item| self.segment(segment, item, out))?,
                Json::Object(members) => members.values().try_for_each(|item| self.segment(segment, item, out))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn select(&mut self, selector: &Selector, value: &'j Json, out: &mut Vec<&'j Json>) -> Result<(), TooLong> {
        match (selector, value) {
            (Selector::Name(name), Json::Object(members)) => out.extend(members.get(name)),
            (Selector::Index(index), Json::Array(items)) => {
                out.extend(place(*index, items.len()).and_then(|index| items.get(index)));
            }
            (Selector::Slice { start, end, step }, Json::Array(items)) => {
                for index in slice(*start, *end, *step, items.len()) {
                    self.step()?;
                    out.extend(items.get(index));
                }
            }
            (Selector::Wildcard | Selector::Filter(_), Json::Array(items)) => {
                items.iter().try_for_each(|item| self.child(selector, item, out))?;
            }
            (Selector::Wildcard | Selector::Filter(_), Json::Object(members)) => {
                members.values().try_for_each(|item| self.child(selector, item, out))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn child(&mut self, selector: &Selector, child: &'j Json, out: &mut Vec<&'j Json>) -> Result<(), TooLong> {
        self.step()?;
        let chosen = match selector {
            Selector::Filter(test) => self.holds(test, child)?,
            _ => true,
        };
        if chosen {
            out.push(child);
        }
        Ok(())
    }

    fn holds(&mut self, test: &Test, here: &'j Json) -> Result<bool, TooLong> {
        self.step()?;
        Ok(match test {
            Test::Any(tests) => {
                for test in tests {
                    if self.holds(test, here)? {
                        return Ok(true);
                    }
                }
                false
            }
            Test::All(tests) => {
                for test in tests {
                    if !self.holds(test, here)? {
                        return Ok(false);
                    }
                }
                true
            }
            Test::Not(test) => !self.holds(test, here)?,
            Test::Exists(query) => !self.query(query, here)?.is_empty(),
            Test::Compare(left, comparison, right) => {
                let (left, right) = (self.operand(left, here)?, self.operand(right, here)?);
                compares(left.as_ref().map(Value::json), *comparison, right.as_ref().map(Value::json))
            }
            Test::Pattern(text, pattern) => {
                let text = self.operand(text, here)?;
                text.as_ref().and_then(|text| text.json().as_str()).is_some_and(|text| pattern.fits(text) == Some(true))
            }
        })
    }

    fn operand<'o>(&mut self, operand: &'o Operand, here: &'j Json) -> Result<Option<Value<'o>>, TooLong>
    where
        'j: 'o,
    {
        Ok(match operand {
            Operand::Literal(value) => Some(Value::Of(value)),
            Operand::Value(query) | Operand::Only(query) => match self.query(query, here)?.as_slice() {
                [only] => Some(Value::Of(only)),
                _ => None,
            },
            Operand::Count(query) => Some(Value::Made(Json::from(self.query(query, here)?.len()))),
            Operand::Length(of) => self.operand(of, here)?.and_then(|value| length(value.json())),
        })
    }
}

/// A value of the document or of the path, or one that was worked out.
enum Value<'j> {
    Of(&'j Json),
    Made(Json),
}

impl Value<'_> {
    fn json(&self) -> &Json {
        match self {
            Value::Of(value) => value,
            Value::Made(value) => value,
        }
    }
}

fn length(value: &Json) -> Option<Value<'static>> {
    let length = match value {
        Json::String(text) => text.chars().count(),
        Json::Array(items) => items.len(),
        Json::Object(members) => members.len(),
        _ => return None,
    };
    Some(Value::Made(Json::from(length)))
}

fn compares(left: Option<&Json>, comparison: Comparison, right: Option<&Json>) -> bool {
    let same = match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => equal(left, right),
        _ => false,
    };
    let less = |left: Option<&Json>, right: Option<&Json>| match (left, right) {
        (Some(Json::Number(left)), Some(Json::Number(right))) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left < right,
            _ => left.as_f64() < right.as_f64(),
        },
        (Some(Json::String(left)), Some(Json::String(right))) => left < right,
        _ => false,
    };
    match comparison {
        Comparison::Equal => same,
        Comparison::Unequal => !same,
        Comparison::Less => less(left, right),
        Comparison::LessOrEqual => same || less(left, right),
        Comparison::Greater => less(right, left),
        Comparison::GreaterOrEqual => same || less(right, left),
    }
}

/// An index from the front, or from the back where it is negative.
fn place(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// The places of a slice, in its direction.
fn slice(start: Option<i64>, end: Option<i64>, step: i64, length: usize) -> Vec<usize> {
    let count = i64::try_from(length).unwrap_or(i64::MAX);
    let from_front = |index: i64| if index < 0 { index.saturating_add(count) } else { index };
    let (mut at, until) = match step {
        0 => return Vec::new(),
        1.. => {
            let (start, end) = (from_front(start.unwrap_or(0)), from_front(end.unwrap_or(count)));
            (start.clamp(0, count), end.clamp(0, count))
        }
        _ => {
            let (start, end) = (start.map_or(count - 1, from_front), end.map_or(-1, from_front));
            (start.clamp(-1, count - 1), end.clamp(-1, count - 1))
        }
    };
    let mut places = Vec::new();
    while if step > 0 { at < until } else { at > until } {
        places.extend(usize::try_from(at));
        at = at.saturating_add(step);
    }
    places
}

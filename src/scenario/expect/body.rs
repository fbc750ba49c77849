//! Bodies, part by part.

use serde_json::{Map, Value as Json};

use super::{KEPT, miss, plain, shown, without_value};
use crate::diagnostic::shortened;
use crate::exchange::{child, equal, segments};
use crate::scenario::{Content, Except, Known, Miss};
use crate::schema::Place;

/// The most differences of one body that are told.
const MOST: usize = 20;

const BODY: &str = "body";
const ABSENT: &str = "absent";

/// How two values are compared.
#[derive(Clone, Copy)]
struct How<'a> {
    except: &'a [Except],
    /// Keys stand in the same order.
    ordered: bool,
    /// Only types count, and items of a list are like the first.
    types: bool,
}

/// Everything in which a body is not what is expected of it.
pub(super) fn misses(wanted: &[Content], bytes: &[u8], json: Option<&Json>, known: &Known<'_>) -> Vec<Miss> {
    let mut out = Vec::new();
    for content in wanted {
        one(content, bytes, json, known, &mut out);
    }
    if out.len() > MOST {
        let more = out.len() - MOST;
        out.truncate(MOST);
        out.push(miss(BODY, "what is expected", &format!("{more} more differences")));
    }
    out
}

fn one(content: &Content, bytes: &[u8], json: Option<&Json>, known: &Known<'_>, out: &mut Vec<Miss>) {
    let text = || String::from_utf8_lossy(bytes);
    let no_json = |like: &str| {
        let found = if bytes.is_empty() { "an empty body".to_owned() } else { shortened(&text(), KEPT) };
        miss(BODY, &format!("JSON{like}"), &found)
    };
    match content {
        Content::Like { example, json: Some(example_json), except, .. } => match json {
            Some(json) => How { except, ordered: true, types: false }.compare("", example_json, json, out),
            None => out.push(no_json(&format!(" like `{example}`"))),
        },
        Content::Like { example, text: wanted, .. } => {
            if text() != **wanted {
                out.push(miss(BODY, &format!("the text of `{example}`: {wanted}"), &text()));
            }
        }
        Content::Shape { example, json: wanted } => match json {
            Some(json) => How { except: &[], ordered: true, types: true }.compare("", wanted, json, out),
            None => out.push(no_json(&format!(" in the shape of `{example}`"))),
        },
        Content::Equals { value, except } => match (value.json(known), json) {
            (Ok(wanted), Some(json)) => How { except, ordered: false, types: false }.compare("", &wanted, json, out),
            (Ok(_), None) => out.push(no_json("")),
            (Err(fault), _) => out.push(without_value(BODY, &fault)),
        },
        Content::At(values) => {
            let Some(json) = json else { return out.push(no_json("")) };
            for (pointer, value) in values {
                let wanted = match value.json(known) {
                    Ok(wanted) => wanted,
                    Err(fault) => {
                        out.push(without_value(pointer, &fault));
                        continue;
                    }
                };
                let found = found(json, pointer);
                if found.is_empty() {
                    out.push(miss(pointer, &shown(&wanted), ABSENT));
                }
                for (pointer, found) in found {
                    // The order of keys is a matter of `like` and `shape`.
                    if !equal(&wanted, found) {
                        out.push(miss(&pointer, &shown(&wanted), &shown(found)));
                    }
                }
            }
        }
        Content::Absent(pointers) => {
            let Some(json) = json else { return out.push(no_json("")) };
            for (pointer, there) in pointers.iter().flat_map(|pointer| found(json, pointer)) {
                out.push(miss(&pointer, ABSENT, &shown(there)));
            }
        }
        Content::Text(value) => match value.json(known) {
            Ok(wanted) if plain(&wanted) == text() => {}
            Ok(wanted) => out.push(miss(BODY, &plain(&wanted), &text())),
            Err(fault) => out.push(without_value(BODY, &fault)),
        },
        Content::Contains(values) => {
            for value in values {
                match value.json(known) {
                    Ok(wanted) if text().contains(&plain(&wanted)) => {}
                    Ok(wanted) => out.push(miss(BODY, &format!("a text with `{}` in it", plain(&wanted)), &text())),
                    Err(fault) => out.push(without_value(BODY, &fault)),
                }
            }
        }
        Content::Schema { name, schema } => {
            let Some(json) = json else { return out.push(no_json(&format!(" that fits `{name}`"))) };
            for violation in schema.each_violation(json, Place::Response).take(MOST) {
                let found = violation.value.as_ref().map_or_else(|| ABSENT.to_owned(), shown);
                let at = if violation.pointer.is_empty() { BODY } else { &violation.pointer };
                out.push(miss(at, &format!("{} (`{}`)", violation.message, violation.schema), &found));
            }
        }
    }
}

impl How<'_> {
    fn compare(self, pointer: &str, wanted: &Json, found: &Json, out: &mut Vec<Miss>) {
        let at = if pointer.is_empty() { BODY } else { pointer };
        let is_excepted = self.except.iter().any(|except| except.is(pointer));
        if is_excepted || self.types && !is_container(wanted) {
            if !same_type(wanted, found) {
                out.push(miss(at, &format!("{}, as in {}", sort(wanted), shown(wanted)), &shown(found)));
            }
            return;
        }
        match (wanted, found) {
            (Json::Object(wanted), Json::Object(found)) => self.objects(pointer, wanted, found, out),
            (Json::Array(wanted), Json::Array(found)) if self.types => {
                let Some(first) = wanted.first() else { return };
                for (index, item) in found.iter().enumerate() {
                    self.compare(&child(pointer, &index.to_string()), first, item, out);
                }
            }
            (Json::Array(wanted), Json::Array(found)) => {
                for index in 0..wanted.len().max(found.len()) {
                    let at = child(pointer, &index.to_string());
                    match (wanted.get(index), found.get(index)) {
                        (Some(wanted), Some(found)) => self.compare(&at, wanted, found, out),
                        (Some(wanted), None) => out.push(miss(&at, &shown(wanted), ABSENT)),
                        (None, Some(found)) => out.push(miss(&at, ABSENT, &shown(found))),
                        (None, None) => {}
                    }
                }
            }
            (wanted, found) if equal(wanted, found) => {}
            (wanted, found) => out.push(miss(at, &shown(wanted), &shown(found))),
        }
    }

    fn objects(self, pointer: &str, wanted: &Map<String, Json>, found: &Map<String, Json>, out: &mut Vec<Miss>) {
        for (key, wanted) in wanted {
            let at = child(pointer, key);
            match found.get(key) {
                Some(found) => self.compare(&at, wanted, found, out),
                None => out.push(miss(&at, &shown(wanted), ABSENT)),
            }
        }
        for (key, found) in found.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
            out.push(miss(&child(pointer, key), ABSENT, &shown(found)));
        }
        let keys = |one: &Map<String, Json>, other: &Map<String, Json>| -> Vec<String> {
            one.keys().filter(|key| other.contains_key(*key)).cloned().collect()
        };
        if self.ordered {
            let (first, second) = (keys(wanted, found), keys(found, wanted));
            if first != second {
                let at = if pointer.is_empty() { BODY } else { pointer };
                out.push(miss(
                    at,
                    &format!("keys in the order {}", first.join(", ")),
                    &format!("the order {}", second.join(", ")),
                ));
            }
        }
    }
}

impl Except {
    /// Whether it means the value at this pointer.
    fn is(&self, pointer: &str) -> bool {
        match self {
            Except::Name(name) => segments(pointer).last().is_some_and(|last| *last == **name),
            Except::Pointer(_, pattern) => pattern.matches(pointer),
        }
    }
}

/// The values at a pointer in which `*` is any part, each with its own pointer.
fn found<'j>(json: &'j Json, pointer: &str) -> Vec<(String, &'j Json)> {
    let mut found = vec![(String::new(), json)];
    for segment in segments(pointer) {
        let mut next = Vec::new();
        for (at, value) in found {
            match value {
                Json::Object(object) if segment == "*" => {
                    next.extend(object.iter().map(|(key, value)| (child(&at, key), value)));
                }
                Json::Array(items) if segment == "*" => {
                    next.extend(items.iter().enumerate().map(|(index, value)| (child(&at, &index.to_string()), value)));
                }
                Json::Object(object) => {
                    next.extend(object.get(&segment).map(|value| (child(&at, &segment), value)));
                }
                Json::Array(items) => {
                    let item = segment.parse::<usize>().ok().and_then(|index| items.get(index));
                    next.extend(item.map(|value| (child(&at, &segment), value)));
                }
                _ => {}
            }
        }
        found = next;
    }
    found
}

fn is_container(json: &Json) -> bool {
    matches!(json, Json::Object(_) | Json::Array(_))
}

/// An example with null says nothing of the type.
fn same_type(wanted: &Json, found: &Json) -> bool {
    wanted.is_null() || sort(wanted) == sort(found)
}

fn sort(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

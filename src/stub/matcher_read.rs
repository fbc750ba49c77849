use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::json::Wanted;
use super::jsonpath::Path;
use super::matcher::{Expression, Matcher};
use super::pattern::{self, Pattern, PatternFault};
use super::read::{Known, Members, Reader, scalar, shown};
use crate::exchange::{child, parse_json};

/// The most conditions of one stub, and how deep they and the JSON in them may be nested.
const CONDITIONS: usize = 200;
const DEPTH: usize = 8;
const JSON_DEPTH: usize = 128;

/// What may stand in a condition: first what says what is asked for, of which there is one, then what says more about it.
const MEMBERS: &[&str] = &[
    "equalTo",
    "contains",
    "doesNotContain",
    "matches",
    "doesNotMatch",
    "equalToJson",
    "matchesJsonPath",
    "binaryEqualTo",
    "absent",
    "anything",
    "and",
    "or",
    "not",
    "caseInsensitive",
    "ignoreArrayOrder",
    "ignoreExtraElements",
    "expression",
];
const KINDS: &[&str] = MEMBERS.split_at(13).0;

const NO_XML: &str = "XML is not read here: use `contains` or `matches`";
const NO_DATES: &str = "dates are not compared here: use `matches`";
const NO_SCHEMA: &str = "use `matchesJsonPath`, one condition for each thing that matters";
const NO_LISTS: &str = "a condition on a name that comes several times holds when one of its values fits";

const KNOWN: Known = Known {
    members: MEMBERS,
    refused: &[
        ("equalToXml", NO_XML),
        ("matchesXPath", NO_XML),
        ("xPathNamespaces", NO_XML),
        ("matchesJsonSchema", NO_SCHEMA),
        ("schemaVersion", NO_SCHEMA),
        ("before", NO_DATES),
        ("after", NO_DATES),
        ("equalToDateTime", NO_DATES),
        ("hasExactly", NO_LISTS),
        ("includes", NO_LISTS),
    ],
};

/// Reads conditions by name, such as those of headers.
pub(super) fn by_name(reader: &mut Reader, members: &Members<'_>, name: &str) -> Vec<(String, Matcher)> {
    let Some(value) = members.said(name) else { return Vec::new() };
    let at = members.place(name);
    let Some(map) = reader.any_object(&at, value) else { return Vec::new() };
    map.iter().filter_map(|(name, value)| Some((name.clone(), matcher(reader, &child(&at, name), value)?))).collect()
}

/// Reads one condition.
pub(super) fn matcher(reader: &mut Reader, at: &str, value: &Json) -> Option<Matcher> {
    nested(reader, at, value, 0)
}

/// Reads a list of conditions.
pub(super) fn list(reader: &mut Reader, at: &str, value: &Json) -> Vec<Matcher> {
    several(reader, at, value, 0)
}

fn several(reader: &mut Reader, at: &str, value: &Json, depth: usize) -> Vec<Matcher> {
    let Some(items) = value.as_array() else {
        reader.mistake(
            at,
            format!("{} is no list", shown(value)),
            "write a list of conditions: `[{\"contains\": \"…\"}]`",
        );
        return Vec::new();
    };
    let each = |(index, item): (usize, &Json)| nested(reader, &child(at, &index.to_string()), item, depth);
    items.iter().enumerate().filter_map(each).collect()
}

fn nested(reader: &mut Reader, at: &str, value: &Json, depth: usize) -> Option<Matcher> {
    reader.conditions += 1;
    if reader.conditions > CONDITIONS {
        if reader.conditions == CONDITIONS + 1 {
            reader.mistake(
                at,
                format!("this is condition {}", reader.conditions),
                format!("have at most {CONDITIONS}"),
            );
        }
        return None;
    }
    if depth > DEPTH {
        reader.mistake(at, format!("conditions are nested deeper than {DEPTH} levels"), "nest them less");
        return None;
    }
    if let Some(text) = scalar(value) {
        let remedy = format!("write `{{\"equalTo\": {}}}`", Json::from(text));
        reader.mistake(at, format!("{} is no condition", shown(value)), remedy);
        return None;
    }
    let members = reader.object(at, value, &KNOWN)?;
    let kinds: Vec<&str> = KINDS.iter().copied().filter(|kind| members.said(kind).is_some()).collect();
    match kinds.as_slice() {
        [kind] => {
            let matcher = one(reader, &members, kind, depth);
            modifiers(reader, &members, kind);
            matcher
        }
        [] => {
            // A member that is not understood was told already.
            if members.map.keys().all(|name| KNOWN.members.contains(&name.as_str())) {
                reader.mistake(at, "nothing is asked for", "write one condition, such as `{\"equalTo\": \"…\"}`");
            }
            None
        }
        [first, second, ..] => {
            let cause = format!("`{first}` and `{second}` stand in one condition");
            reader.mistake(at, cause, "write `{\"and\": [{…}, {…}]}`, or two conditions where there may be a list");
            None
        }
    }
}

/// Members that say more about a condition of some kinds only.
fn modifiers(reader: &mut Reader, members: &Members<'_>, kind: &str) {
    for (modifier, kinds) in [
        ("caseInsensitive", &["equalTo", "contains"][..]),
        ("ignoreArrayOrder", &["equalToJson"]),
        ("ignoreExtraElements", &["equalToJson"]),
        ("expression", &[]),
    ] {
        let given = members.said(modifier).filter(|value| **value != Json::Bool(false));
        if given.is_some() && !kinds.contains(&kind) {
            let cause = format!("`{modifier}` says nothing about `{kind}`");
            let remedy = match kinds {
                [] => "it stands inside `matchesJsonPath`".to_owned(),
                kinds => format!("leave it out; it belongs to `{}`", kinds.join("` and `")),
            };
            reader.mistake(&members.place(modifier), cause, remedy);
        }
    }
}

fn one(reader: &mut Reader, members: &Members<'_>, kind: &str, depth: usize) -> Option<Matcher> {
    let at = members.place(kind);
    let value = members.said(kind)?;
    Some(match kind {
        "equalTo" => {
            let any_case = reader.flag(members, "caseInsensitive");
            Matcher::EqualTo { text: text(reader, &at, value)?, any_case }
        }
        "contains" => {
            let any_case = reader.flag(members, "caseInsensitive");
            Matcher::Contains { text: text(reader, &at, value)?, any_case }
        }
        "doesNotContain" => Matcher::DoesNotContain(text(reader, &at, value)?),
        "matches" => Matcher::Matches(expression(reader, &at, value, pattern::whole)?),
        "doesNotMatch" => Matcher::DoesNotMatch(expression(reader, &at, value, pattern::whole)?),
        "equalToJson" => equal_to_json(reader, members, &at, value)?,
        "matchesJsonPath" => json_path(reader, &at, value, depth)?,
        "binaryEqualTo" => Matcher::BinaryEqualTo(base64(reader, &at, value)?),
        "absent" => {
            if *value != Json::Bool(true) && value != "(absent)" {
                let remedy = "write `true`; what must be there is `{\"matches\": \".*\"}`";
                reader.mistake(&at, format!("`absent` is {}", shown(value)), remedy);
            }
            Matcher::Absent
        }
        "anything" => Matcher::Anything,
        "and" => Matcher::And(several(reader, &at, value, depth + 1)),
        "or" => Matcher::Or(several(reader, &at, value, depth + 1)),
        _ => Matcher::Not(Box::new(nested(reader, &at, value, depth + 1)?)),
    })
}

fn text(reader: &mut Reader, at: &str, value: &Json) -> Option<String> {
    let text = scalar(value);
    if text.is_none() {
        let remedy = "write a text, a number, `true` or `false`; JSON is compared by `equalToJson`";
        reader.mistake(at, format!("{} is no text", shown(value)), remedy);
    }
    text
}

/// Reads a regular expression.
pub(super) fn expression(
    reader: &mut Reader,
    at: &str,
    value: &Json,
    compile: fn(&str) -> Result<Pattern, PatternFault>,
) -> Option<Expression> {
    let Some(written) = value.as_str() else {
        reader.mistake(at, format!("{} is no text", shown(value)), "write a regular expression in quotes");
        return None;
    };
    match compile(written) {
        Ok(pattern) => {
            reader.compiled += pattern.size();
            Some(Expression { written: written.to_owned(), pattern })
        }
        Err(PatternFault { column, words }) => {
            let cause = format!("the regular expression cannot be used: character {column}: {words}");
            reader.mistake(
                at,
                cause,
                "it must fit the whole text, as in Java; look-around and `\\1` are not supported",
            );
            None
        }
    }
}

pub(super) fn base64(reader: &mut Reader, at: &str, value: &Json) -> Option<Vec<u8>> {
    let bytes = value.as_str().and_then(|text| STANDARD.decode(text).ok());
    if bytes.is_none() {
        reader.mistake(at, format!("{} is not Base64", shown(value)), "write Base64 with its padding, such as `AQI=`");
    }
    bytes
}

fn equal_to_json(reader: &mut Reader, members: &Members<'_>, at: &str, value: &Json) -> Option<Matcher> {
    let wanted = match value {
        Json::String(text) => match parse_json(text.as_bytes(), JSON_DEPTH) {
            Ok(value) => value,
            Err(fault) => {
                let cause = format!("the text is no JSON, and nothing is equal to it: {fault}");
                reader.mistake(at, cause, "write JSON, either as it is or in a text");
                return None;
            }
        },
        value => value.clone(),
    };
    let any_order = reader.flag(members, "ignoreArrayOrder");
    let more = reader.flag(members, "ignoreExtraElements");
    match Wanted::new(wanted, any_order, more) {
        Ok(wanted) => Some(Matcher::EqualToJson(wanted)),
        Err(why) => {
            reader.mistake(at, why, "leave it out, or use `matchesJsonPath`");
            None
        }
    }
}

/// A path alone, or an object of the path and a condition on what it finds.
fn json_path(reader: &mut Reader, at: &str, value: &Json, depth: usize) -> Option<Matcher> {
    let (place, written, inner) = match value {
        Json::Object(map) => {
            let mut rest = map.clone();
            let place = child(at, "expression");
            let Some(Json::String(written)) = rest.shift_remove("expression") else {
                reader.mistake(&place, "there is no path", "write it as `expression`, beside one condition");
                return None;
            };
            let inner = match rest.is_empty() {
                true => None,
                false => Some(Box::new(nested(reader, at, &Json::Object(rest), depth + 1)?)),
            };
            (place, written, inner)
        }
        Json::String(written) => (at.to_owned(), written.clone(), None),
        other => {
            reader.mistake(at, format!("{} is no path", shown(other)), "write a text, such as `$.name`");
            return None;
        }
    };
    match Path::parse(&written) {
        Ok(path) => Some(Matcher::MatchesJsonPath { path, written, value: inner }),
        Err(fault) => {
            let cause = format!("the JSONPath cannot be used: character {}: {}", fault.column, fault.words);
            reader.mistake(&place, cause, "write JSONPath as RFC 9535 has it, such as `$.items[?(@.id == 'a')]`");
            None
        }
    }
}

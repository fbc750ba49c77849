//! Conditions that no request can fulfil: what one of them says exactly, the others are held against.

use serde_json::Value as Json;

use super::asked::Said;
use super::matcher::Matcher;
use super::read::{Members, Reader};
use super::request::{Named, Place, RequestPattern, Url};
use super::request_read::is_header_value;
use crate::exchange::child;

/// Says which conditions of a request contradict each other.
pub(super) fn request(reader: &mut Reader, members: &Members<'_>, pattern: &RequestPattern) {
    let path = match &pattern.url {
        Url::Exactly(url) => Some(("url", url.split('?').next().unwrap_or_default())),
        Url::Path(path) => Some(("urlPath", path.as_str())),
        Url::Any | Url::Pattern(_) | Url::PathPattern(_) | Url::Template(_) => None,
    };
    if let Some((member, path)) = path
        && ["/_standin", "/__admin"].iter().any(|own| path.strip_prefix(own).is_some_and(is_below))
    {
        let cause = format!("calls of `{path}` are for the server itself, and reach no stub");
        reader.mistake(&members.place(member), cause, "choose another path");
    }
    let bodies: Vec<&Matcher> = pattern.body.iter().collect();
    together(reader, &members.place("bodyPatterns"), &bodies);
    for Named { place, name, matcher } in &pattern.named {
        let of = match place {
            Place::Path => "pathParameters",
            Place::Query => "queryParameters",
            Place::Header => "headers",
            Place::Cookie => "cookies",
            Place::Form => "formParameters",
        };
        let at = child(&members.place(of), name);
        if let (Place::Header, Matcher::EqualTo { text, .. }) = (place, matcher)
            && !is_header_value(text)
        {
            reader.mistake(&at, "no header can have this value", "a value is one line, with no space around it");
        }
        together(reader, &at, &[matcher]);
        if let (Place::Query, Url::Exactly(url)) = (place, &pattern.url) {
            let query = url.split_once('?').map_or("", |(_, query)| query);
            let pairs = form_urlencoded::parse(query.as_bytes()).filter(|pair| pair.0 == name.as_str());
            let values: Vec<String> = pairs.map(|pair| pair.1.into_owned()).collect();
            let values: Vec<Said<'_>> = values.iter().map(|value| Said::new(value.as_bytes(), DEPTH)).collect();
            if !matcher.holds_of(&values) {
                let cause = format!("`url` says the whole query, in which `{name}` is not {}", matcher.words());
                reader.mistake(&at, cause, "use `urlPath`, or leave the parameter out");
            }
        }
    }
}

fn is_below(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

/// How deep a value of a header may be nested to be read as JSON.
const DEPTH: usize = 128;

/// All conditions that hold at once: those of a list, and of every `and` in it.
fn flat<'m>(matchers: &[&'m Matcher], out: &mut Vec<&'m Matcher>) {
    for matcher in matchers {
        match matcher {
            Matcher::And(inner) => flat(&inner.iter().collect::<Vec<_>>(), out),
            other => out.push(other),
        }
    }
}

/// Says when conditions on one value cannot hold at once.
fn together(reader: &mut Reader, at: &str, matchers: &[&Matcher]) {
    let mut all = Vec::new();
    flat(matchers, &mut all);
    let contradiction = all.iter().find_map(|exact| {
        let said = only(exact)?;
        let other = all.iter().find(|other| !holds(other, said.as_ref(), exact))?;
        Some((exact.words(), other.words()))
    });
    if let Some((exact, other)) = contradiction {
        let cause = format!("nothing is at once {exact} and {other}");
        reader.mistake(at, cause, "leave one of them out, or write two stubs");
    }
    for matcher in all {
        inner(reader, at, matcher);
    }
}

/// Conditions inside others are looked at for themselves.
fn inner(reader: &mut Reader, at: &str, matcher: &Matcher) {
    match matcher {
        Matcher::Or(any) => any.iter().for_each(|one| together(reader, at, &[one])),
        Matcher::MatchesJsonPath { value: Some(value), .. } => together(reader, at, &[value]),
        _ => {}
    }
}

/// The only value of which a condition holds, none for one that is not there.
fn only(matcher: &Matcher) -> Option<Option<Said<'_>>> {
    match matcher {
        Matcher::EqualTo { text, any_case: false } => Some(Some(Said::new(text.as_bytes(), DEPTH))),
        Matcher::BinaryEqualTo(bytes) => Some(Some(Said::new(&bytes[..], DEPTH))),
        Matcher::EqualToJson(wanted) if wanted.is_exact() => Some(Some(Said::of_json(&wanted.value, DEPTH))),
        Matcher::Absent => Some(None),
        _ => None,
    }
}

fn holds(matcher: &Matcher, said: Option<&Said<'_>>, exact: &Matcher) -> bool {
    let is_json = |matcher: &Matcher| matches!(matcher, Matcher::EqualToJson(_) | Matcher::MatchesJsonPath { .. });
    // JSON can be written in several ways, so that only what looks at it as JSON can be judged.
    match exact {
        Matcher::EqualToJson(wanted) if !is_json(matcher) => match &wanted.value {
            Json::Object(_) | Json::Array(_) | Json::String(_) | Json::Number(_) => !matches!(matcher, Matcher::Absent),
            _ => may_hold(matcher, said),
        },
        _ => may_hold(matcher, said),
    }
}

/// Of what is given up nothing is known.
fn may_hold(matcher: &Matcher, said: Option<&Said<'_>>) -> bool {
    matcher.holds(said) || said.is_some_and(|said| said.effort().gave_up())
}

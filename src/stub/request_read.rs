use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Method};
use serde_json::Value as Json;

use super::matcher_read::{self, by_name};
use super::never;
use super::pattern;
use super::read::{Known, Members, Mistakes, Reader, shown};
use super::request::{Named, Place, RequestPattern, Url, parameter};
use crate::exchange::child;

const NO_ADDRESS: &str = "requests are not told apart by it here: leave it out";

const KNOWN: Known = Known {
    members: &[
        "method",
        "url",
        "urlPattern",
        "urlPath",
        "urlPathPattern",
        "urlPathTemplate",
        "pathParameters",
        "queryParameters",
        "headers",
        "cookies",
        "formParameters",
        "basicAuthCredentials",
        "bodyPatterns",
        // No condition: a client's model of requests has it.
        "metadata",
    ],
    refused: &[
        ("host", NO_ADDRESS),
        ("port", NO_ADDRESS),
        ("scheme", NO_ADDRESS),
        ("clientIp", NO_ADDRESS),
        ("multipartPatterns", "the whole body can be looked at by `bodyPatterns` with `contains` and `matches`"),
        ("customMatcher", "no code runs here: use the conditions that there are"),
    ],
};
const URLS: &[&str] = &["url", "urlPattern", "urlPath", "urlPathPattern", "urlPathTemplate"];
const CREDENTIALS: Known = Known { members: &["username", "password"], refused: &[] };

impl RequestPattern {
    /// Reads a pattern, and tells everything that is wrong with it.
    pub(crate) fn parse(pattern: &Json) -> Result<Self, Mistakes> {
        let mut reader = Reader::default();
        let read = request(&mut reader, "", pattern);
        reader.finish(read)
    }
}

pub(super) fn request(reader: &mut Reader, at: &str, value: &Json) -> Option<RequestPattern> {
    let members = reader.object(at, value, &KNOWN)?;
    let mut named = Vec::new();
    for (member, place) in [
        ("pathParameters", Place::Path),
        ("headers", Place::Header),
        ("queryParameters", Place::Query),
        ("cookies", Place::Cookie),
        ("formParameters", Place::Form),
    ] {
        let read = by_name(reader, &members, member);
        named.extend(read.into_iter().map(|(name, matcher)| Named { place, name, matcher }));
    }
    let bodies = members.said("bodyPatterns");
    let pattern = RequestPattern {
        method: method(reader, &members),
        url: url(reader, &members),
        authorization: authorization(reader, &members),
        named,
        body: bodies.map(|list| matcher_read::list(reader, &members.place("bodyPatterns"), list)).unwrap_or_default(),
    };
    names(reader, &members, &pattern);
    never::request(reader, &members, &pattern);
    Some(pattern)
}

fn method(reader: &mut Reader, members: &Members<'_>) -> Option<Method> {
    let written = reader.text(members, "method")?;
    let upper = written.to_ascii_uppercase();
    if upper == "ANY" {
        return None;
    }
    let at = members.place("method");
    match Method::from_bytes(upper.as_bytes()) {
        Ok(Method::CONNECT) => {
            let cause = "a request with the method `CONNECT` has no path and never arrives here";
            reader.mistake(&at, cause, "write another method, or `ANY`");
            None
        }
        Ok(method) => Some(method),
        Err(_) => {
            reader.mistake(
                &at,
                format!("{} is no method", shown(&written.into())),
                "write one such as `GET`, or `ANY`",
            );
            None
        }
    }
}

fn url(reader: &mut Reader, members: &Members<'_>) -> Url {
    let given: Vec<&str> = URLS.iter().copied().filter(|name| members.said(name).is_some()).collect();
    let name = match given.as_slice() {
        [] => return Url::Any,
        [name] => *name,
        [first, second, ..] => {
            let cause = format!("`{first}` and `{second}` are both given");
            reader.mistake(&members.place(second), cause, format!("write one of `{}`", URLS.join("`, `")));
            return Url::Any;
        }
    };
    let at = members.place(name);
    let (Some(value), Some(text)) = (members.said(name), reader.text(members, name)) else { return Url::Any };
    match name {
        "urlPattern" | "urlPathPattern" => {
            let Some(expression) = matcher_read::expression(reader, &at, value, pattern::whole_path) else {
                return Url::Any;
            };
            if name == "urlPattern" { Url::Pattern(expression) } else { Url::PathPattern(expression) }
        }
        _ => {
            path(reader, &at, name, text);
            match name {
                "url" => Url::Exactly(text.to_owned()),
                "urlPath" => Url::Path(text.to_owned()),
                _ => Url::Template(text.to_owned()),
            }
        }
    }
}

/// Says what a path never is.
fn path(reader: &mut Reader, at: &str, name: &str, text: &str) {
    let strange = |character: char| character.is_whitespace() || character.is_control() || character == '#';
    if text.contains("://") {
        let remedy = "write what stands behind the host, and behind the prefix of a sandbox";
        reader.mistake(at, "it has a scheme and a host, and a path has none", remedy);
    } else if !text.starts_with('/') {
        reader.mistake(at, "it does not begin with `/`, and every path does", format!("write `/{text}`"));
    } else if name != "url" && text.contains('?') {
        reader.mistake(at, "a path has no query", "write `queryParameters` beside it, or use `url`");
    } else if let Some(found) = text.chars().find(|character| strange(*character)) {
        let encoded =
            percent_encoding::utf8_percent_encode(&found.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string();
        let cause = format!("{found:?} is never part of a URL as it is sent");
        reader.mistake(at, cause, format!("URLs are compared as they are sent: write `{encoded}`"));
    }
}

fn authorization(reader: &mut Reader, members: &Members<'_>) -> Option<String> {
    let name = "basicAuthCredentials";
    let credentials = reader.object(&members.place(name), members.said(name)?, &CREDENTIALS)?;
    let mut part = |part: &str| {
        let text = reader.text(&credentials, part);
        if text.is_none() && credentials.said(part).is_none() {
            reader.mistake(
                &credentials.place(part),
                format!("there is no `{part}`"),
                "write both, even if it is empty",
            );
        }
        text
    };
    let (user, password) = (part("username"), part("password"));
    Some(format!("Basic {}", STANDARD.encode(format!("{}:{}", user?, password?))))
}

/// Says which names there never are.
fn names(reader: &mut Reader, members: &Members<'_>, pattern: &RequestPattern) {
    for Named { place, name, .. } in &pattern.named {
        match place {
            Place::Header if HeaderName::from_bytes(name.as_bytes()).is_err() => {
                let at = child(&members.place("headers"), name);
                reader.mistake(&at, "no header can have this name", "write one such as `Accept`");
            }
            Place::Path => {
                let template = if let Url::Template(template) = &pattern.url { template.as_str() } else { "" };
                if !template.split('/').any(|segment| parameter(segment) == Some(name)) {
                    let at = child(&members.place("pathParameters"), name);
                    let cause = format!("no path has a parameter `{name}`");
                    reader.mistake(&at, cause, format!("write `urlPathTemplate` with `{{{name}}}` in it"));
                }
            }
            _ => {}
        }
    }
}

/// Whether a header can have this value.
pub(super) fn is_header_value(text: &str) -> bool {
    HeaderValue::from_bytes(text.as_bytes()).is_ok() && text.trim() == text
}

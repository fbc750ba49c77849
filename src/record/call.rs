//! A request as a `call`.

use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderName};
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};

use super::caller::Caller;
use super::known::{As, Side, scalars};
use super::step::Step;
use super::tell::Teller;
use super::yaml::Yaml;
use crate::exchange::{Body, Request, parse_json};
use crate::journal::Exchanged;
use crate::pack::{Operation, Options, Pack, parameter_names, path_values};

/// Methods that a scenario can name.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"];

/// The media types that JSON and forms are sent as where nothing else is said.
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Deeper JSON is written as text: a file is read to a bounded depth.
pub(super) const DEEPEST: usize = 24;

/// So many bytes that are all alike are written as a number.
const MANY: usize = 256;

/// Headers that come of how a client is made, or of the way that a request took.
const OF_CLIENTS: [&str; 27] = [
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "cache-control",
    "connection",
    "content-length",
    "dnt",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "pragma",
    "priority",
    "proxy-connection",
    "referer",
    "standin-sandbox",
    "te",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
];

/// What a path leads to, as the reader of scenarios finds it.
fn found<'p>(pack: &'p Pack, options: &Options, method: &Method, path: &str) -> Option<&'p Operation> {
    pack.within(path).find_map(|(rest, mounted)| {
        let (route, _) = pack.router.find(rest, options)?;
        let is_get = *method == Method::HEAD && route.candidates(method).is_empty();
        let there = route.candidates(if is_get { &Method::GET } else { method }).iter();
        let mut there = there.filter(|candidate| candidate.wanted.holds(options));
        let first = there.find(|candidate| !(mounted && pack.operation(candidate.operation).unmounted))?;
        Some(pack.operation(first.operation))
    })
}

impl Teller<'_> {
    /// The step for an exchange. The error says why there is none.
    pub(super) fn call(&mut self, entry: u64, exchanged: &Exchanged) -> Result<Step, String> {
        let request = &*exchanged.request;
        let method = &request.method;
        if !METHODS.contains(&method.as_str()) {
            return Err(format!("`{method}` is no method that a scenario can name"));
        }
        let Some(name) = exchanged.pack_name() else { return self.astray(entry, exchanged) };
        let number = self.pack_number(name).ok_or_else(|| format!("the pack `{name}` is not served any more"))?;
        let pack = Arc::clone(&self.story.ground.packs[number]);
        self.places(request, Some(&pack));
        let mut step = Step::new(entry);
        let operation = self.target(number, &pack, exchanged, &mut step);
        if number != self.main {
            step.say("pack", Yaml::word(name));
        }
        let mut caller = Caller::of(&pack, operation, request);
        caller.tell(&mut step);
        self.message(exchanged, &caller, step)
    }

    /// A request that led to no pack.
    fn astray(&mut self, entry: u64, exchanged: &Exchanged) -> Result<Step, String> {
        let request = &*exchanged.request;
        self.places(request, None);
        let mut step = Step::new(entry);
        step.say("call", Yaml::word(format!("{} {}", request.method, written(&request.path))));
        step.say("pack", Yaml::Null);
        self.message(exchanged, &Caller::default(), step)
    }

    /// What is sent besides method and path, and what comes back.
    fn message(&mut self, exchanged: &Exchanged, caller: &Caller, mut step: Step) -> Result<Step, String> {
        let (entry, request) = (step.entry, &*exchanged.request);
        self.query(entry, request, caller, &mut step);
        let (body, media) = self.body(entry, exchanged)?;
        self.headers(entry, request, caller, media, &mut step);
        if let Some((word, body)) = body {
            step.say(word, body);
        }
        self.answer(entry, exchanged, &mut step);
        Ok(step)
    }

    /// What is called: by its title where that says all, else by method and path. Gives the operation that lends the call
    /// its credentials.
    fn target<'p>(
        &mut self,
        number: usize,
        pack: &'p Pack,
        exchanged: &Exchanged,
        step: &mut Step,
    ) -> Option<&'p Operation> {
        let request = &*exchanged.request;
        let options = &self.story.ground.options[number];
        let said = exchanged.operation.as_deref();
        let said = said.and_then(|name| pack.operations.iter().find(|operation| *operation.name == *name));
        let values = said.filter(|operation| operation.method == request.method && operation.wanted.holds(options));
        let values = values.and_then(|operation| {
            let values = path_values(&operation.template, &request.path)?;
            let decoded = |value: &str| percent_decode_str(value).decode_utf8().ok().map(|text| text.into_owned());
            let values: Option<Vec<String>> = values.into_iter().map(decoded).collect();
            // A client takes dots out of a path.
            Some((operation, values.filter(|values| values.iter().all(|value| value != "." && value != ".."))?))
        });
        let Some((operation, values)) = values else {
            let found = found(pack, options, &request.method, &request.path);
            let path = self.concrete(&request.path, step);
            step.say("call", Yaml::word(format!("{} {path}", request.method)));
            if found.is_none() {
                step.say("undocumented", Yaml::Boolean(true));
            }
            return found;
        };
        let same = pack.operations.iter().filter(|other| other.title == operation.title).count();
        let id = operation.name.strip_prefix(&*pack.name).and_then(|rest| rest.strip_prefix('/'));
        let title = if same == 1 { &*operation.title } else { id.unwrap_or(&operation.name) };
        step.say("call", Yaml::word(title));
        let names = parameter_names(&operation.template);
        if !names.is_empty() {
            let pairs = names
                .iter()
                .zip(values)
                .map(|(name, value)| ((*name).to_owned(), self.known.text(&value, step.entry, Side::Sent, As::Text)));
            let pairs = pairs.collect();
            step.say("path", Yaml::Map(pairs));
        }
        Some(operation)
    }

    /// A path as it was sent, but for parts that are known by a name.
    fn concrete(&mut self, path: &str, step: &mut Step) -> String {
        let mut pairs = Vec::new();
        let parts: Vec<String> = path
            .split('/')
            .map(|part| {
                let Ok(text) = percent_decode_str(part).decode_utf8() else { return written(part) };
                match self.known.text(&text, step.entry, Side::Sent, As::Text) {
                    Yaml::Word(expression) => {
                        let name = format!("part{}", pairs.len() + 1);
                        pairs.push((name.clone(), Yaml::Word(expression)));
                        format!("{{{name}}}")
                    }
                    _ => written(part),
                }
            })
            .collect();
        if !pairs.is_empty() {
            step.say("path", Yaml::Map(pairs));
        }
        parts.join("/")
    }

    fn query(&mut self, entry: u64, request: &Request, caller: &Caller, step: &mut Step) {
        let query = request.query.as_deref().unwrap_or_default();
        let mut pairs: Vec<(String, Vec<Yaml>)> = Vec::new();
        for (name, value) in
            form_urlencoded::parse(query.as_bytes()).filter(|(name, value)| !(name.is_empty() && value.is_empty()))
        {
            if caller.says_query(&name) {
                continue;
            }
            let value = number_or_text(self.known.text(&value, entry, Side::Sent, As::Text));
            match pairs.iter_mut().find(|(known, _)| **known == *name) {
                Some((_, values)) => values.push(value),
                None => pairs.push((name.into_owned(), vec![value])),
            }
        }
        let mut pairs: Vec<(String, Yaml)> =
            pairs.into_iter().map(|(name, values)| (name, one_or_all(values))).collect();
        pairs.extend(caller.absent_query().map(|name| (name.to_owned(), Yaml::Null)));
        if !pairs.is_empty() {
            step.say("query", Yaml::Map(pairs));
        }
    }

    fn headers(
        &mut self,
        entry: u64,
        request: &Request,
        caller: &Caller,
        media: Option<&'static str>,
        step: &mut Step,
    ) {
        let mut all: Vec<(String, Yaml)> = Vec::new();
        let mut names: Vec<&HeaderName> = Vec::new();
        for name in request.headers.keys() {
            if !caller.says_header(name) && !names.contains(&name) && self.matters(&request.headers, name) {
                names.push(name);
            }
        }
        let has_body = !request.body.bytes().is_empty() || matches!(request.body, Body::TooLarge { .. });
        for name in names {
            let values: Vec<String> = request
                .headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            let is_usual = *name == header::CONTENT_TYPE
                && matches!(&*values, [only] if Some(&**only) == media || (!has_body && [JSON, FORM].contains(&&**only)));
            if is_usual {
                continue;
            }
            let values = values.iter().map(|value| self.known.text(value, entry, Side::Sent, As::Text));
            let values: Vec<Yaml> = values.collect();
            all.push((titled(name.as_str()), one_or_all(values)));
        }
        if media.is_some() && !request.headers.contains_key(header::CONTENT_TYPE) {
            all.push(("Content-Type".to_owned(), Yaml::Null));
        }
        all.extend(caller.absent_headers().map(|name| (titled(name.as_str()), Yaml::Null)));
        if !all.is_empty() {
            step.say("headers", Yaml::Map(all));
        }
    }

    /// Whether an answer may depend on a header.
    fn matters(&self, headers: &HeaderMap, name: &HeaderName) -> bool {
        let text = name.as_str();
        if self.asked_for.contains(text) {
            return !matches!(text, "host" | "content-length" | "transfer-encoding" | "connection");
        }
        let is_any = *name == header::ACCEPT && headers.get(name).is_some_and(|value| value == "*/*");
        !is_any && !OF_CLIENTS.contains(&text) && !text.starts_with("sec-") && !text.starts_with("x-forwarded-")
    }

    /// The word for the body with the body, and the media type that it is sent with where nothing is said.
    #[expect(clippy::type_complexity, reason = "a word and a value, and what is sent besides")]
    fn body(
        &mut self,
        entry: u64,
        exchanged: &Exchanged,
    ) -> Result<(Option<(&'static str, Yaml)>, Option<&'static str>), String> {
        let request = &*exchanged.request;
        let bytes = match &request.body {
            Body::TooLarge { limit } => {
                let count = Yaml::Number((*limit as u64 + 1).into());
                return Ok((Some(("bytes", count)), Some("application/octet-stream")));
            }
            Body::Whole(bytes) if bytes.is_empty() => return Ok((None, None)),
            Body::Whole(bytes) => bytes,
        };
        // Nobody means anything by them but how many they are.
        if bytes.len() >= MANY && bytes.iter().all(|byte| *byte == b'x') {
            let count = Yaml::Number((bytes.len() as u64).into());
            return Ok((Some(("bytes", count)), Some("application/octet-stream")));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Ok((Some(("base64", Yaml::word(STANDARD.encode(bytes)))), None));
        };
        let media = media(request);
        if media == FORM
            && let Some(form) = self.form(entry, text)
        {
            return Ok((Some(("form", form)), Some(FORM)));
        }
        // A stub may look at the bytes.
        let is_exact = |json: &Json| exchanged.stub.is_none() || json.to_string().as_bytes() == &**bytes;
        if let Ok(json) = parse_json(bytes, DEEPEST)
            && !json.is_null()
            && is_exact(&json)
        {
            let json = self.json(&json, entry, Side::Sent);
            return Ok((Some(("body", json)), Some(JSON)));
        }
        Ok((Some(("text", self.known.text(text, entry, Side::Sent, As::Text))), None))
    }

    /// A form whose pairs say all that its text says.
    fn form(&mut self, entry: u64, text: &str) -> Option<Yaml> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let mut seen = HashSet::new();
        let mut last = None;
        // Pairs of one name stand together, and each has a sign of equality.
        let is_plain = !pairs.is_empty()
            && text.split('&').all(|pair| pair.contains('='))
            && pairs.iter().all(|(name, _)| {
                let goes_on = last == Some(name);
                last = Some(name);
                goes_on || seen.insert(name)
            });
        if !is_plain || text.contains('\u{fffd}') {
            return None;
        }
        let mut form: Vec<(String, Vec<Yaml>)> = Vec::new();
        for (name, value) in &pairs {
            let value = number_or_text(self.known.text(value, entry, Side::Sent, As::Text));
            match form.last_mut().filter(|(known, _)| known == name) {
                Some((_, values)) => values.push(value),
                None => form.push((name.clone(), vec![value])),
            }
        }
        Some(Yaml::Map(form.into_iter().map(|(name, values)| (name, one_or_all(values))).collect()))
    }

    /// A value with what is known in it by name.
    pub(super) fn json(&mut self, value: &Json, entry: u64, side: Side) -> Yaml {
        match value {
            Json::String(text) => self.known.text(text, entry, side, As::Json),
            Json::Number(number) => self.known.number(number, entry, side),
            Json::Array(items) => Yaml::List(items.iter().map(|item| self.json(item, entry, side)).collect()),
            Json::Object(object) => {
                Yaml::Map(object.iter().map(|(name, value)| (name.clone(), self.json(value, entry, side))).collect())
            }
            other => Yaml::of(other),
        }
    }

    /// Every text of a request that may be a value of somebody's.
    pub(super) fn said(&self, request: &Request) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        said.extend(request.path.split('/').map(decoded));
        let query = request.query.as_deref().unwrap_or_default();
        said.extend(form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned()));
        for value in request.headers.values() {
            let text = String::from_utf8_lossy(value.as_bytes());
            if let Some((_, rest)) = text.split_once(' ') {
                said.push(rest.to_owned());
            }
            said.push(text.into_owned());
        }
        let bytes = request.body.bytes();
        if media(request) == FORM {
            said.extend(form_urlencoded::parse(bytes).map(|(_, value)| value.into_owned()));
        } else if let Ok(json) = serde_json::from_slice::<Json>(bytes) {
            said.extend(scalars(&json).map(|(_, leaf)| crate::exchange::spelled(&leaf)));
        }
        said
    }
}

fn media(request: &Request) -> String {
    let media = request.header("content-type").unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A path as it may stand in a step: braces are those of parameters there.
fn written(path: &str) -> String {
    path.replace('{', "%7B").replace('}', "%7D").replace(' ', "%20").replace('#', "%23")
}

/// A text that is a whole number is written as one where all is text.
fn number_or_text(value: Yaml) -> Yaml {
    match &value {
        Yaml::Text(text) => match text.parse::<u32>() {
            Ok(number) if number.to_string() == *text => Yaml::Number(number.into()),
            _ => value,
        },
        _ => value,
    }
}

fn one_or_all(mut values: Vec<Yaml>) -> Yaml {
    if values.len() == 1 { values.remove(0) } else { Yaml::List(values) }
}

/// `content-type` as `Content-Type`. Names that begin with `x-` stay as APIs write them.
fn titled(name: &str) -> String {
    if name.starts_with("x-") {
        return name.to_owned();
    }
    let parts = name.split('-').map(|part| match part.chars().next() {
        Some(first) => first.to_ascii_uppercase().to_string() + &part[first.len_utf8()..],
        None => String::new(),
    });
    parts.collect::<Vec<_>>().join("-")
}

/// The members of a mapping.
pub(super) fn object(value: &Json) -> Map<String, Json> {
    value.as_object().cloned().unwrap_or_default()
}

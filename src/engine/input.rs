//! Path, query, headers and body, read and brought into the types that the pack gives them.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use serde_json::{Map, Value as Json};

use super::route::{Found, Match};
use super::{Call, Rejection, scope};
use crate::exchange::{self, Body, JsonFaultKind};
use crate::expr::Value;
use crate::journal::{Stage, Verdict};
use crate::pack::{Candidate, Operation, Parameter, Reads, Refusal};
use crate::schema::Place;

/// Reads path, query and headers by the formats of the first candidate; candidates of one route share them.
pub(super) fn formats(call: &mut Call<'_>, found: &Found<'_>) -> Result<(), Rejection> {
    let Match { operation, line } = found.candidates[0];
    let mut texts = Vec::with_capacity(found.values.len());
    for (name, text) in line.names.iter().zip(&found.values) {
        match percent_encoding::percent_decode_str(text).decode_utf8() {
            Ok(text) => texts.push(text),
            Err(_) => return Err(refuse(call, operation, format!("the path's `{name}` is not UTF-8"))),
        }
    }
    if let (None, [], Some(defaults)) = (&call.query, found.values.as_slice(), defaults(operation)) {
        call.scope.bind("query", defaults);
        call.trace.passed(Stage::Formats, Some(&operation.at), "nothing is given");
        return Ok(());
    }
    let query = query(call);
    let mut violations = Vec::new();
    let mut path: Vec<Value> = texts.iter().map(|text| Value::string(text)).collect();
    let mut query_values = Map::new();
    for parameters in &operation.parameters {
        let given = match parameters.place {
            Place::Path => typed(&parameters.known, |name| Some(texts[place(line, name)?].to_string())),
            Place::Query => typed(&parameters.known, |name| query.get(name)?.as_str().map(str::to_owned)),
            _ => typed(&parameters.known, |name| call.request.header(name).map(str::to_owned)),
        };
        let given = Json::Object(given);
        violations.extend(parameters.schema.violations(&given, parameters.place));
        if let Json::Object(given) = given {
            match parameters.place {
                Place::Path => {
                    for (name, value) in given.iter().filter(|(_, value)| !value.is_string()) {
                        if let Some(place) = place(line, name) {
                            path[place] = Value::json(value);
                        }
                    }
                }
                Place::Query => {
                    query_values = with_defaults(given, &parameters.known);
                }
                Place::Header
                    if parameters.known.iter().any(|known| known.default.is_some() || known.reads != Reads::Text) =>
                {
                    let values = Arc::new(Json::Object(with_defaults(given, &parameters.known)));
                    call.scope.bind("headers", scope::read_headers(call.request, values));
                }
                _ => {}
            }
        }
    }
    let unknown: BTreeSet<&String> = query.keys().filter(|name| !is_known(operation, call, name)).collect();
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.into_iter().take(8).map(|name| format!("`{name}`")).collect();
        let words = format!("not documented, so ignored: {}", names.join(", "));
        call.trace.add(Stage::Formats, Verdict::Noted, Some(&operation.at), words);
    }
    let count = violations.len();
    let violations = super::reject::not_tolerated(call, Stage::Formats, violations.into_iter());
    call.scope.bind("path", Value::source(Arc::new(named(found, &path))));
    call.scope.bind("query", Value::source(Arc::new(Arc::new(Json::Object(query_values)))));
    if violations.is_empty() {
        let words = match count {
            0 => "path, query and headers fit",
            _ => "path, query and headers fit, but for what is let pass",
        };
        call.trace.passed(Stage::Formats, Some(&operation.at), words);
        return Ok(());
    }
    call.trace.add(Stage::Formats, Verdict::Refused, Some(&operation.at), super::reject::words(&violations));
    Err(Rejection::Invalid(violations))
}

/// Where in the path a parameter stands.
fn place(line: &Candidate, name: &str) -> Option<usize> {
    line.names.iter().position(|known| **known == *name)
}

/// The values of the path by their names, also by those that the other candidates have for them.
fn named(found: &Found<'_>, values: &[Value]) -> Vec<(Arc<str>, Value)> {
    let mut named: Vec<(Arc<str>, Value)> = Vec::with_capacity(values.len());
    for Match { line, .. } in &found.candidates {
        for (name, value) in line.names.iter().zip(values) {
            match named.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.clone_from(value),
                None => named.push((Arc::clone(name), value.clone())),
            }
        }
    }
    named
}

/// What was given, and what is meant by not giving the rest.
fn with_defaults(mut given: Map<String, Json>, known: &[Parameter]) -> Map<String, Json> {
    for parameter in known {
        if let (Some(default), false) = (&parameter.default, given.contains_key(&parameter.name)) {
            given.insert(parameter.name.clone(), default.clone());
        }
    }
    given
}

/// What the query is when nothing is given and only the query has rules.
fn defaults(operation: &Operation) -> Option<Value> {
    match operation.parameters.as_slice() {
        [] => Some(Value::source(Arc::new(Vec::<(Arc<str>, Value)>::new()))),
        [only] if only.place == Place::Query => {
            only.defaults.as_ref().map(|defaults| Value::source(Arc::new(Arc::clone(defaults))))
        }
        _ => None,
    }
}

fn refuse(call: &mut Call<'_>, operation: &Operation, words: String) -> Rejection {
    call.trace.add(Stage::Formats, Verdict::Refused, Some(&operation.at), &words);
    Rejection::Refused(Refusal::Parameter, words)
}

/// The query's parameters; of several with one name the last counts.
fn query(call: &Call<'_>) -> Map<String, Json> {
    let text = call.query.as_deref().unwrap_or_default();
    form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| (name.into_owned(), Json::from(value.into_owned())))
        .collect()
}

fn is_known(operation: &Operation, call: &Call<'_>, name: &str) -> bool {
    let credential = || {
        operation.auth.schemes().into_iter().any(|scheme| {
            let place = &call.pack.scheme(scheme).place;
            place.word() == "query" && place.parameter() == name
        })
    };
    operation.has_query(name) || credential()
}

/// The parameters that are there, each read by its type. Text that cannot be read so stays text, and its schema says no.
fn typed(known: &[Parameter], text_of: impl Fn(&str) -> Option<String>) -> Map<String, Json> {
    known
        .iter()
        .filter_map(|parameter| {
            let text = text_of(&parameter.name)?;
            let value = match parameter.reads {
                Reads::Text => None,
                Reads::Integer => text.parse::<i64>().ok().map(Json::from),
                Reads::Number => text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Json::Number),
                Reads::Boolean => match text.as_str() {
                    "true" | "1" => Some(Json::Bool(true)),
                    "false" | "0" => Some(Json::Bool(false)),
                    _ => None,
                },
            };
            Some((parameter.name.clone(), value.unwrap_or(Json::from(text))))
        })
        .collect()
}

/// Reads the body when one of the candidates has one. A body that nobody asks for is not looked at.
pub(super) fn body(call: &mut Call<'_>, found: &Found<'_>) -> Result<Option<Arc<Json>>, Rejection> {
    let Some((operation, rule)) =
        found.candidates.iter().find_map(|found| Some((found.operation, found.operation.body.as_ref()?)))
    else {
        return Ok(None);
    };
    let result = match &call.request.body {
        Body::TooLarge { limit } => Err((Refusal::BodyTooLarge, format!("the body is larger than {limit} bytes"))),
        Body::Whole(bytes) if bytes.is_empty() => match rule.optional {
            true => Ok(None),
            false => Err((Refusal::BodyMissing, "the request has no body".to_owned())),
        },
        Body::Whole(bytes) => media_type(call, rule.form).and_then(|()| match rule.form {
            true => form(bytes).map(Some),
            false => json(bytes, call.rules.json_depth).map(Some),
        }),
    };
    match result {
        Ok(body) => {
            call.trace.passed(Stage::ParseBody, Some(&operation.at), if body.is_some() { "read" } else { "no body" });
            let body = body.map(Arc::new);
            bind(call, body.clone().unwrap_or_else(|| Arc::new(Json::Object(Map::new()))));
            Ok(body)
        }
        Err((refusal, words)) => {
            call.trace.add(Stage::ParseBody, Verdict::Refused, Some(&operation.at), &words);
            Err(Rejection::Refused(refusal, words))
        }
    }
}

fn bind(call: &mut Call<'_>, body: Arc<Json>) {
    call.scope.bind(
        "body",
        match body.is_object() {
            true => Value::source(Arc::new(body)),
            false => Value::json(&body),
        },
    );
}

/// Gives keys that the chosen operation reads ignoring case the spelling of its schema. Keys that then collide are refused.
pub(super) fn spelling(
    call: &mut Call<'_>,
    operation: &Operation,
    body: Option<Arc<Json>>,
) -> Result<Option<Arc<Json>>, Rejection> {
    let Some(body) = body else { return Ok(None) };
    if operation.ignore_case.is_empty() {
        return Ok(Some(body));
    }
    let mut spelled = Json::clone(&body);
    for rule in &operation.ignore_case {
        if let Err(key) = rule.normalise(&mut spelled) {
            let words = format!("`{}` has `{key}` twice, in different cases", rule.pointer);
            call.trace.add(Stage::ParseBody, Verdict::Refused, Some(&operation.at), &words);
            return Err(Rejection::Refused(Refusal::BodyDuplicateKey, words));
        }
    }
    let spelled = Arc::new(spelled);
    bind(call, Arc::clone(&spelled));
    Ok(Some(spelled))
}

pub(super) type Refused = (Refusal, String);

fn media_type(call: &Call<'_>, form: bool) -> Result<(), Refused> {
    let wanted = if form { "application/x-www-form-urlencoded" } else { "application/json" };
    let Some(header) = call.request.headers.get(CONTENT_TYPE) else { return Ok(()) };
    let given = header.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let fits = given == wanted || (!form && given.starts_with("application/") && given.ends_with("+json"));
    match fits {
        true => Ok(()),
        false => Err((Refusal::MediaType, format!("the body is sent as `{given}` and not as `{wanted}`"))),
    }
}

fn json(bytes: &[u8], depth: usize) -> Result<Json, Refused> {
    exchange::parse_json(bytes, depth).map_err(|fault| {
        let refusal = match fault.kind {
            JsonFaultKind::Syntax => Refusal::BodySyntax,
            JsonFaultKind::DuplicateKey => Refusal::BodyDuplicateKey,
            JsonFaultKind::TooDeep => Refusal::BodyTooDeep,
            JsonFaultKind::TooMany => Refusal::BodyTooLarge,
        };
        (refusal, format!("the body is not usable JSON: {fault}"))
    })
}

/// The members of a form.
pub(super) fn form(bytes: &[u8]) -> Result<Json, Refused> {
    let mut object = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        if object.contains_key(name.as_ref()) {
            return Err((Refusal::BodyDuplicateKey, format!("the form has `{name}` twice")));
        }
        object.insert(name.into_owned(), Json::from(value.into_owned()));
    }
    Ok(Json::Object(object))
}

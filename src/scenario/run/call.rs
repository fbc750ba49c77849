//! A call of an API, as it is sent: path, query, headers, credentials and body.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value as Json};

use crate::exchange::{segment, segments};
use crate::expr::EvalFault;
use crate::pack::{CredentialPlace, Pack, parameter_name};
use crate::scenario::{Body, Call, Known};

/// What cannot stand in a URI. Everything else of a path that is written out is sent as it is.
const IMPOSSIBLE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}').add(b'#');

/// A request without its place on the server.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) method: Method,
    /// Below the pack, with the query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why a call cannot be made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unmade {
    pub(super) words: String,
    pub(super) help: Option<String>,
}

impl Unmade {
    fn new(words: String, help: &str) -> Self {
        Unmade { words, help: Some(help.to_owned()) }
    }
}

impl From<EvalFault> for Unmade {
    fn from(fault: EvalFault) -> Self {
        Unmade { words: fault.to_string(), help: None }
    }
}

impl Ready {
    pub(super) fn request(&self, before: &str) -> Result<Request<Bytes>, Unmade> {
        let built = Request::builder().method(self.method.clone()).uri(format!("{before}{}", self.path));
        let mut request = built.body(self.body.clone()).map_err(|error| {
            Unmade::new(format!("`{}` cannot be called: {error}", self.path), "correct the path or the query")
        })?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }
}

/// Makes a call with what is known now.
pub(super) fn ready(call: &Call, pack: &Pack, known: &Known<'_>) -> Result<Ready, Unmade> {
    let mut query = Vec::new();
    for (name, value) in &call.query {
        pairs(name, value.json(known)?, &mut query);
    }
    let (mut headers, body) = body(call, known)?;
    for (scheme, credential) in &call.credentials {
        match &pack.scheme(*scheme).place {
            CredentialPlace::Header(name) if !call.headers.iter().any(|(given, _)| given == name) => {
                headers.insert(name.clone(), header(name, credential)?);
            }
            CredentialPlace::Query(name) if !call.query.iter().any(|(given, _)| **given == **name) => {
                query.push((name.clone(), credential.to_string()));
            }
            CredentialPlace::Header(_) | CredentialPlace::Query(_) => {}
        }
    }
    for (name, value) in &call.headers {
        headers.remove(name);
        let values = match value.json(known)? {
            Json::Array(values) => values,
            value => vec![value],
        };
        for value in values.iter().filter(|value| !value.is_null()) {
            headers.append(name.clone(), header(name, &plain(value))?);
        }
    }
    let mut path = path(call, known)?;
    for (name, value) in &query {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&format!("{}={}", segment(name), segment(value)));
    }
    Ok(Ready { method: call.method.clone(), path, headers, body })
}

/// A template with its parameters; what is written out is sent as it is.
fn path(call: &Call, known: &Known<'_>) -> Result<String, Unmade> {
    let (path, query) = match call.path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (&*call.path, None),
    };
    let mut parts = Vec::new();
    for part in path.split('/') {
        let given = parameter_name(part).and_then(|name| call.parameters.iter().find(|(given, _)| **given == *name));
        parts.push(match given {
            Some((_, value)) => segment(&value.text(known)?),
            None => utf8_percent_encode(part, IMPOSSIBLE).to_string(),
        });
    }
    let mut path = parts.join("/");
    if let Some(query) = query {
        path.push('?');
        path.extend(utf8_percent_encode(query, IMPOSSIBLE));
    }
    Ok(path)
}

/// A value of a query or a form: a list gives the name several times, null leaves it out.
fn pairs(name: &str, value: Json, out: &mut Vec<(String, String)>) {
    match value {
        Json::Null => {}
        Json::Array(items) => out.extend(items.iter().map(|item| (name.to_owned(), plain(item)))),
        value => out.push((name.to_owned(), plain(&value))),
    }
}

fn body(call: &Call, known: &Known<'_>) -> Result<(HeaderMap, Bytes), Unmade> {
    let (media, bytes) = match &call.body {
        Body::None if call.change.is_empty() => (None, Bytes::new()),
        Body::None => (Some("application/json"), Bytes::from(changed(call, Json::Object(Map::new()), known)?)),
        Body::Json(value) => (Some("application/json"), Bytes::from(changed(call, value.json(known)?, known)?)),
        Body::Form(fields) => {
            let mut form = Vec::new();
            for (name, value) in fields {
                pairs(name, value.json(known)?, &mut form);
            }
            let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            (Some("application/x-www-form-urlencoded"), Bytes::from(text))
        }
        Body::Text(value, media) => (media.as_deref(), Bytes::from(value.text(known)?)),
        Body::Exact(bytes) => (None, bytes.clone()),
        Body::Bytes(count) => (Some("application/octet-stream"), Bytes::from(vec![b'x'; *count])),
    };
    let mut headers = HeaderMap::new();
    if let Some(media) = media {
        headers.insert(CONTENT_TYPE, header(&CONTENT_TYPE, media)?);
    }
    Ok((headers, bytes))
}

/// JSON with other values laid over it, and without what is removed.
fn changed(call: &Call, mut json: Json, known: &Known<'_>) -> Result<String, Unmade> {
    for (pointer, value) in &call.change {
        put(&mut json, pointer, value.json(known)?)?;
    }
    for pointer in &call.remove {
        let (above, last) = above(&mut json, pointer)?;
        let is_gone = match above {
            Json::Object(object) => object.shift_remove(&last).is_some(),
            Json::Array(items) => {
                let place = last.parse::<usize>().ok().filter(|place| *place < items.len());
                place.map(|place| items.remove(place)).is_some()
            }
            _ => false,
        };
        if !is_gone {
            return Err(missing(pointer));
        }
    }
    Ok(json.to_string())
}

/// A new last key is added; everything before it must be there.
fn put(json: &mut Json, pointer: &str, value: Json) -> Result<(), Unmade> {
    if pointer.is_empty() {
        *json = value;
        return Ok(());
    }
    let (above, last) = above(json, pointer)?;
    match above {
        Json::Object(object) => {
            object.insert(last, value);
        }
        Json::Array(items) => match last.parse::<usize>() {
            Ok(place) if place < items.len() => items[place] = value,
            Ok(place) if place == items.len() => items.push(value),
            _ if last == "-" => items.push(value),
            _ => return Err(missing(pointer)),
        },
        _ => return Err(missing(pointer)),
    }
    Ok(())
}

/// What holds the value at a pointer, and the last part of the pointer.
fn above<'j>(json: &'j mut Json, pointer: &str) -> Result<(&'j mut Json, String), Unmade> {
    let last = segments(pointer).pop().ok_or_else(|| missing(pointer))?;
    let (before, _) = pointer.rsplit_once('/').ok_or_else(|| missing(pointer))?;
    json.pointer_mut(before).map(|above| (above, last)).ok_or_else(|| missing(pointer))
}

fn missing(pointer: &str) -> Unmade {
    Unmade::new(format!("the body has nothing at `{pointer}`"), "correct the pointer, or the body that it is about")
}

fn header(name: &HeaderName, value: &str) -> Result<HeaderValue, Unmade> {
    HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
        Unmade::new(format!("`{name}` cannot be sent: its value has characters that no header may have"), "correct it")
    })
}

/// A text as it is, everything else as JSON.
fn plain(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::expr::{Keys, Scope, Sources};
    use crate::scenario::Value;

    fn call() -> Call {
        Call {
            pack: 0,
            operation: None,
            method: Method::POST,
            path: "/a/{id}/b".into(),
            parameters: vec![("id".into(), Value::Written(json!("x/ä z")))],
            query: Vec::new(),
            headers: Vec::new(),
            credentials: Vec::new(),
            body: Body::None,
            change: Vec::new(),
            remove: Vec::new(),
            outside: false,
        }
    }

    fn made<T>(make: impl Fn(&Known<'_>) -> T) -> T {
        let program = Arc::new(Sources::default().build(Arc::new(Keys::default())).unwrap());
        make(&Known { program: &program, scope: Scope::default() })
    }

    #[test]
    fn parameters_are_encoded_and_what_is_written_out_is_not() {
        let path = |template: &str| made(|known| path(&Call { path: template.into(), ..call() }, known).unwrap());
        assert_eq!(path("/a/{id}/b"), "/a/x%2F%C3%A4%20z/b");
        assert_eq!(path("/a%2Fb/{other}/c d?e=f g&h"), "/a%2Fb/%7Bother%7D/c%20d?e=f%20g&h");
    }

    #[test]
    fn a_body_is_changed_at_pointers() {
        let changed = |change: &[(&str, Json)], remove: &[&str]| {
            let call = Call {
                body: Body::Json(Value::Written(json!({ "a": { "b": [1, 2] }, "c": 3 }))),
                change: change.iter().map(|(at, value)| ((*at).into(), Value::Written(value.clone()))).collect(),
                remove: remove.iter().map(|at| (*at).into()).collect(),
                ..call()
            };
            made(|known| body(&call, known))
        };
        let text = |made: Result<(HeaderMap, Bytes), Unmade>| String::from_utf8(made.unwrap().1.to_vec()).unwrap();
        let changes = [("/a/b/0", json!(7)), ("/a/b/2", json!(8)), ("/d", json!(null))];
        assert_eq!(text(changed(&changes, &["/c"])), r#"{"a":{"b":[7,2,8]},"d":null}"#);
        assert_eq!(text(changed(&[("", json!([1]))], &["/0"])), "[]");
        for pointer in ["/x/y", "/a/b/9", "/c/d", "x"] {
            let unmade = changed(&[(pointer, json!(1))], &[]).unwrap_err();
            assert_eq!(unmade.words, format!("the body has nothing at `{pointer}`"));
        }
        assert_eq!(changed(&[], &["/x"]).unwrap_err().words, "the body has nothing at `/x`");
    }

    #[test]
    fn lists_give_a_name_several_times_and_null_leaves_it_out() {
        let mut out = Vec::new();
        for (name, value) in [("a", json!(["x", 1])), ("b", json!(null)), ("c", json!(true))] {
            pairs(name, value, &mut out);
        }
        let told: Vec<String> = out.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(told, ["a=x", "a=1", "c=true"]);
    }
}

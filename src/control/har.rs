//! Exchanges as an HTTP Archive, HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>), for browsers and the other
//! tools that read one.
//!
//! What is masked in the journal is masked here; sizes are of what is shown. Members of our own begin with `_`. Start
//! with [`archive`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value as Json, json};

use super::journal::Piece;
use super::{Answer, Call, shown};
use crate::clock::{Format, Instant, Span};
use crate::exchange::{Body, Request, Response, in_millis};
use crate::journal::{Entry, Exchanged};
use crate::mask::{MASK, Mask, Secrets, is_form};

/// What a URL cannot have as it stands; a mask is not ASCII either. What is encoded stays as it was sent.
const NOT_IN_URLS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// The exchanges of a piece of the journal as a file.
pub(super) fn archive(call: &Call<'_>, piece: &Piece<'_>, secrets: Secrets) -> Answer {
    let entries: Vec<Json> = piece.entries.iter().filter_map(|kept| entry(call, kept, secrets)).collect();
    let har = json!({
        "log": {
            "version": "1.2",
            "creator": { "name": "standin", "version": env!("CARGO_PKG_VERSION") },
            "entries": entries,
            "_total": piece.total,
            "_next": piece.next,
            "_evicted": piece.evicted,
        },
    });
    let mut response = Response::json(StatusCode::OK, &har);
    response.set(CONTENT_DISPOSITION, &format!("attachment; filename=\"{}.har\"", call.sandbox.id()));
    Ok(response)
}

fn entry(call: &Call<'_>, entry: &Entry, secrets: Secrets) -> Option<Json> {
    let exchanged = entry.exchange()?;
    let Exchanged { request: sent, response: given, took, .. } = &exchanged;
    let mask = shown::mask(call.registry, &exchanged, secrets);
    let time = in_millis(*took);
    Some(json!({
        "startedDateTime": entry.at.to_string(),
        "time": time,
        "request": request(sent, &mask, secrets),
        "response": response(sent, given, entry.at, &mask, secrets),
        "cache": {},
        "timings": { "send": 0, "wait": time, "receive": 0 },
        "_entry": entry.id,
        "_pack": exchanged.pack_name(),
        "_operation": exchanged.operation.as_deref(),
        "_contract": exchanged.contract,
    }))
}

fn request(request: &Request, mask: &Mask, secrets: Secrets) -> Json {
    let query = request.query.as_deref().map(|query| mask.query(query));
    let mut url = format!("{}{}", request.base, mask.path(&request.path));
    if let Some(query) = &query {
        url.push('?');
        url.push_str(query);
    }
    let lines = request.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).map(String::from_utf8_lossy);
    let cookies: Vec<Json> = lines.flat_map(|line| sent_cookies(&line, mask, secrets)).collect();
    let mut written = json!({
        "method": request.method.as_str(),
        "url": utf8_percent_encode(&url, NOT_IN_URLS).to_string(),
        "httpVersion": version(request),
        "cookies": cookies,
        "headers": pairs_of(&mask.headers(&request.headers)),
        "queryString": pairs(query.as_deref().unwrap_or_default()),
        "headersSize": -1,
        "bodySize": 0,
    });
    let media = request.headers.get(CONTENT_TYPE);
    let mime = text_of(media);
    match &request.body {
        Body::TooLarge { limit } => {
            written["bodySize"] = json!(-1);
            let why = format!("The body was longer than {limit} bytes, and is not kept.");
            written["postData"] = json!({ "mimeType": mime, "text": "", "comment": why });
        }
        Body::Whole(bytes) => {
            let content = Content::new(bytes, mask.sent_body(bytes, media));
            written["bodySize"] = json!(content.size());
            match content {
                Content::Nothing => {}
                Content::Text(text) if is_form(media) => {
                    written["postData"] = json!({ "mimeType": mime, "params": pairs(&text) });
                }
                Content::Text(text) => written["postData"] = json!({ "mimeType": mime, "text": text }),
                // HAR knows no encoding of what is sent.
                Content::Binary(bytes) => {
                    let text = STANDARD.encode(bytes);
                    written["postData"] = json!({ "mimeType": mime, "text": text, "_encoding": "base64" });
                }
            }
        }
    }
    written
}

fn response(request: &Request, response: &Response, at: Instant, mask: &Mask, secrets: Secrets) -> Json {
    let media = response.headers.get(&CONTENT_TYPE);
    // The answer to HEAD is told without its body.
    let content = match request.method {
        Method::HEAD => Content::Nothing,
        _ => Content::new(&response.body, mask.body(&response.body, media)),
    };
    let mut written = json!({ "size": content.size(), "mimeType": text_of(media) });
    match content {
        Content::Nothing => {}
        Content::Text(text) => written["text"] = json!(text),
        Content::Binary(bytes) => {
            written["text"] = json!(STANDARD.encode(bytes));
            written["encoding"] = json!("base64");
        }
    }
    let headers = mask.headers(response.headers.iter());
    let cookies = response.headers.iter().filter(|(name, _)| *name == SET_COOKIE);
    let cookies = cookies.map(|(_, value)| String::from_utf8_lossy(value.as_bytes()));
    json!({
        "status": response.status.as_u16(),
        "statusText": response.status.canonical_reason().unwrap_or_default(),
        "httpVersion": version(request),
        "cookies": cookies.map(|line| given_cookie(&line, at, mask, secrets)).collect::<Vec<_>>(),
        "redirectURL": headers[LOCATION.as_str()].as_str().unwrap_or_default(),
        "headers": pairs_of(&headers),
        "bodySize": written["size"],
        "content": written,
        "headersSize": -1,
    })
}

fn version(request: &Request) -> String {
    format!("{:?}", request.version)
}

fn text_of(value: Option<&HeaderValue>) -> String {
    value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

/// A body as it may be read.
enum Content<'b> {
    Nothing,
    Text(String),
    Binary(&'b Bytes),
}

impl<'b> Content<'b> {
    /// From what the journal shows of a body.
    fn new(body: &'b Bytes, mut shown: Json) -> Self {
        match shown.get_mut("text").map(Json::take) {
            Some(Json::String(text)) => Content::Text(text),
            _ if body.is_empty() => Content::Nothing,
            _ => Content::Binary(body),
        }
    }

    fn size(&self) -> usize {
        match self {
            Content::Nothing => 0,
            Content::Text(text) => text.len(),
            Content::Binary(bytes) => bytes.len(),
        }
    }
}

fn pair(name: &str, value: &str) -> Json {
    json!({ "name": name, "value": value })
}

/// The pairs of a query or a form, decoded.
fn pairs(text: &str) -> Vec<Json> {
    form_urlencoded::parse(text.as_bytes()).map(|(name, value)| pair(&name, &value)).collect()
}

/// Headers as a list, from the object that the journal shows: a repeated one is as many.
fn pairs_of(headers: &Json) -> Vec<Json> {
    let one = |(name, value): (&String, &Json)| -> Vec<Json> {
        match value {
            Json::Array(values) => values.iter().map(|value| pair(name, value.as_str().unwrap_or_default())).collect(),
            value => vec![pair(name, value.as_str().unwrap_or_default())],
        }
    };
    headers.as_object().into_iter().flatten().flat_map(one).collect()
}

/// Name and value of a cookie. One that is written without a name has an empty one.
fn cookie(text: &str, mask: &Mask, secrets: Secrets) -> Map<String, Json> {
    let (name, value) = text.split_once('=').unwrap_or(("", text));
    let value = if secrets == Secrets::Masked { MASK } else { value.trim() };
    [("name", mask.text(name.trim())), ("value", value.into())]
        .into_iter()
        .map(|(key, text)| (key.to_owned(), Json::from(text)))
        .collect()
}

fn sent_cookies(line: &str, mask: &Mask, secrets: Secrets) -> Vec<Json> {
    let given = line.split(';').filter(|part| !part.trim().is_empty());
    given.map(|part| cookie(part, mask, secrets).into()).collect()
}

/// A cookie with its attributes. An end that cannot be read is left out.
fn given_cookie(line: &str, at: Instant, mask: &Mask, secrets: Secrets) -> Json {
    let mut parts = line.split(';');
    let mut written = cookie(parts.next().unwrap_or_default(), mask, secrets);
    let mut lasts = None;
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let known = match name.as_str() {
            "path" | "domain" => (name, Json::from(mask.text(value))),
            "httponly" => ("httpOnly".to_owned(), Json::from(true)),
            "secure" => (name, Json::from(true)),
            // What is said as a length of time counts more.
            "max-age" => {
                lasts = value.parse().ok().map(|seconds| at.saturating_add(seconds_of(seconds))).or(lasts);
                continue;
            }
            "expires" => {
                lasts = lasts.or_else(|| http_date(value));
                continue;
            }
            _ => continue,
        };
        written.extend([known]);
    }
    if let Some(end) = lasts {
        written.insert("expires".to_owned(), Json::from(end.to_string()));
    }
    written.into()
}

fn seconds_of(seconds: i64) -> Span {
    Span::from_micros(seconds.saturating_mul(1_000_000))
}

/// `Tue, 08 Oct 2024 17:15:12 GMT`
fn http_date(text: &str) -> Option<Instant> {
    Format::new("%a, %d %b %Y %H:%M:%S GMT", None).ok()?.read(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_with_their_attributes() {
        let line = "sid=abc; Path=/customers; Domain=example.com; HttpOnly; Secure; SameSite=Lax; Expires=Tue, 08 Oct 2024 17:15:12 GMT";
        let at = Instant::START;
        let mask = Mask::default();
        let wanted = json!({
            "name": "sid", "value": "abc", "path": "/customers", "domain": "example.com",
            "httpOnly": true, "secure": true, "expires": "2024-10-08T17:15:12Z",
        });
        assert_eq!(given_cookie(line, at, &mask, Secrets::Shown), wanted);
        for (attributes, expires) in [
            ("", Json::Null),
            ("; Max-Age=60", json!("2024-10-01T17:16:12Z")),
            ("; Max-Age=60; Expires=Tue, 08 Oct 2024 17:15:12 GMT", json!("2024-10-01T17:16:12Z")),
            ("; Expires=Tue, 08 Oct 2024 17:15:12 GMT; max-age=0", json!("2024-10-01T17:15:12Z")),
            ("; Max-Age=soon; Expires=later", Json::Null),
            ("; Max-Age=9223372036854775807", json!("9999-12-30T22:00:00Z")),
        ] {
            let cookie = given_cookie(&format!("sid=abc{attributes}"), at, &mask, Secrets::Shown);
            assert_eq!(cookie["expires"], expires, "{attributes}");
        }
        assert_eq!(given_cookie("sid=abc; Path=/", at, &mask, Secrets::Masked)["value"], MASK);
        assert_eq!(
            sent_cookies("a=1; b = \"2\" ;; bare", &mask, Secrets::Shown),
            [pair("a", "1"), pair("b", "\"2\""), pair("", "bare")]
        );
    }

    #[test]
    fn a_body_is_as_long_as_what_is_shown_of_it() {
        let body = Bytes::from_static(b"\xff\xfe secret");
        for (shown, size) in [(json!({ "text": "abc•••" }), 12), (json!({ "base64": "…" }), 9)] {
            assert_eq!(Content::new(&body, shown).size(), size);
        }
        assert_eq!(Content::new(&Bytes::new(), Json::Null).size(), 0);
    }
}

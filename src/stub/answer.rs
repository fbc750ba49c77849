use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    X_CONTENT_TYPE_OPTIONS,
};
use serde_json::Value as Json;

use super::delay::{self, Delay};
use super::matcher_read::base64;
use super::read::{Known, Members, Reader, scalar, shown};
use crate::diagnostic::{did_you_mean, one_of};
use crate::exchange::{Headers, Response, child};

/// What a stub answers, and how.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    response: Response,
    /// What is always waited.
    pub(crate) wait: Duration,
    /// What is drawn and waited besides.
    pub(crate) delay: Delay,
    pub(crate) manner: Manner,
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Whole,
    Dribble { pieces: u32, over: Duration },
    Fault(Fault),
}

/// What is sent instead of the answer, in WireMock's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    EmptyResponse,
    ConnectionReset,
    MalformedChunk,
    RandomData,
}

const FAULTS: &[(&str, Fault)] = &[
    ("EMPTY_RESPONSE", Fault::EmptyResponse),
    ("CONNECTION_RESET_BY_PEER", Fault::ConnectionReset),
    ("MALFORMED_RESPONSE_CHUNK", Fault::MalformedChunk),
    ("RANDOM_DATA_THEN_CLOSE", Fault::RandomData),
];

const NO_FILES: &str = "no file that a call names is read: write the body as `body`, `jsonBody` or `base64Body`";
const NO_PROXY: &str = "stubs call nobody: write the answer itself";
const NO_CODE: &str = "answers are not transformed: write the answer itself";

const KNOWN: Known = Known {
    members: &[
        "status",
        "statusMessage",
        "headers",
        "body",
        "jsonBody",
        "base64Body",
        "fixedDelayMilliseconds",
        "delayDistribution",
        "chunkedDribbleDelay",
        "fault",
        "fromConfiguredStub",
        "metadata",
    ],
    refused: &[
        ("bodyFileName", NO_FILES),
        ("proxyBaseUrl", NO_PROXY),
        ("proxyUrlPrefixToRemove", NO_PROXY),
        ("additionalProxyRequestHeaders", NO_PROXY),
        ("removeProxyRequestHeaders", NO_PROXY),
        ("transformers", NO_CODE),
        ("transformerParameters", NO_CODE),
    ],
};
const BODIES: &[&str] = &["body", "jsonBody", "base64Body"];

/// The most bytes of all headers of an answer.
const HEADERS: usize = 16 << 10;

impl Answer {
    pub(crate) fn response(&self) -> &Response {
        &self.response
    }
}

pub(super) fn answer(reader: &mut Reader, at: &str, value: &Json) -> Option<Answer> {
    let members = reader.object(at, value, &KNOWN)?;
    let status = reader.whole(&members, "status", 200, 599).unwrap_or(200);
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or_default();
    let mut response = Response::new(status);
    headers(reader, &members, &mut response.headers);
    body(reader, &members, &mut response);
    if reader.text(&members, "statusMessage").is_some() {
        reader.note("`statusMessage` is not sent: HTTP/2 has none, and clients go by the status");
    }
    let (wait, delay) = delay::read(reader, &members);
    let dribble = delay::dribble(reader, &members);
    let fault = reader.text(&members, "fault").and_then(|name| fault(reader, &members, name));
    let manner = match (fault, dribble) {
        (Some(fault), _) => Manner::Fault(fault),
        (None, Some((pieces, over))) => Manner::Dribble { pieces, over },
        (None, None) => Manner::Whole,
    };
    Some(Answer { response, wait, delay, manner })
}

fn fault(reader: &mut Reader, members: &Members<'_>, name: &str) -> Option<Fault> {
    let found = FAULTS.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault);
    if found.is_none() {
        let known = || FAULTS.iter().map(|(known, _)| *known);
        let cause = format!("there is no fault {}", shown(&name.into()));
        reader.mistake(
            &members.place("fault"),
            cause,
            format!("write {}.{}", one_of(known()), did_you_mean(name, known())),
        );
    }
    found
}

/// What the server says about every answer.
const OWN: [&str; 4] = ["date", "standin-entry", "standin-stub", "matched-stub-id"];

fn headers(reader: &mut Reader, members: &Members<'_>, headers: &mut Headers) {
    let Some(value) = members.said("headers") else { return };
    let at = members.place("headers");
    let Some(map) = reader.any_object(&at, value) else { return };
    let mut bytes = 0;
    for (name, value) in map {
        let at = child(&at, name);
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
            reader.mistake(&at, "no header can have this name", "write one such as `Content-Type`");
            continue;
        };
        // Recorded mappings have them. They are of one connection, and the server writes those of its own.
        if [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, TRAILER, UPGRADE, TE].contains(&header)
            || header == "keep-alive"
        {
            reader.note(format!("`{name}` is not sent: the server writes what frames an answer"));
            continue;
        }
        if OWN.contains(&header.as_str()) {
            reader.note(format!("`{name}` is not sent: the server writes its own"));
            continue;
        }
        let values = match value {
            Json::Array(values) => values.iter().collect(),
            value => vec![value],
        };
        for value in values {
            let value = scalar(value).and_then(|text| HeaderValue::from_bytes(text.trim().as_bytes()).ok());
            match value {
                Some(value) => {
                    bytes += name.len() + value.len();
                    headers.append(header.clone(), value);
                }
                None => {
                    reader.mistake(&at, "no header can have this value", "write one line of text, or a list of them");
                }
            }
        }
    }
    if bytes > HEADERS {
        reader.mistake(&at, format!("the headers have {bytes} bytes"), format!("send at most {HEADERS}"));
    }
}

fn body(reader: &mut Reader, members: &Members<'_>, response: &mut Response) {
    let given: Vec<&str> = BODIES.iter().copied().filter(|name| members.said(name).is_some()).collect();
    let name = match given.as_slice() {
        // WireMock tells `jsonBody: null` from no `jsonBody` no more than its clients do.
        [] => return,
        [name] => *name,
        [first, second, ..] => {
            let cause = format!("`{first}` and `{second}` are both given");
            return reader.mistake(&members.place(second), cause, "write one body");
        }
    };
    let Some(value) = members.said(name) else { return };
    let at = members.place(name);
    let body = match name {
        "jsonBody" => {
            response.headers.set_default(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Some(Bytes::from(value.to_string()))
        }
        "base64Body" => base64(reader, &at, value).map(Bytes::from),
        _ => reader.text(members, name).map(|text| Bytes::from(text.to_owned())),
    };
    let Some(body) = body else { return };
    if matches!(response.status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
        && !body.is_empty()
    {
        let cause = format!("an answer with the status {} has no body", response.status.as_u16());
        return reader.mistake(&at, cause, "leave the body out, or send another status");
    }
    if response.headers.get(&CONTENT_TYPE).is_none() {
        // A browser must not take it for a page, which would have the origin of the control plane.
        response.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    response.body = body;
}

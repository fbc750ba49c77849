//! The lines of a bundle, as they are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::agenda::AgendaLine;

/// What the first line says it is.
pub(super) const NAME: &str = "standin";
/// Rises when a bundle is written in a way that an older standin would take for something else. One that has more in it is
/// refused without that: members that are not known are none.
pub(super) const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Head {
    pub(super) bundle: String,
    pub(super) format: u32,
    /// Of the standin that wrote it.
    pub(super) version: String,
    pub(super) sandbox: String,
    pub(super) seed: u64,
    /// `<pack>.<option>` with its value.
    pub(super) options: Map<String, Json>,
    pub(super) rules: Rules,
    /// None where nothing happens by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) agenda: Option<Bounds>,
    pub(super) start: Start,
    pub(super) packs: Vec<PackLine>,
    /// How many entries before the first line had to make room.
    pub(super) evicted: u64,
}

/// What the server was told that answers depend on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Rules {
    pub(super) json_depth: usize,
    pub(super) strict: bool,
}

/// How much may be to happen, and how much of what went out is kept: what finds no room is given up.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Bounds {
    pub(super) things: usize,
    pub(super) deliveries: usize,
    pub(super) bytes: usize,
}

/// What was before the first entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Start {
    pub(super) at: String,
    pub(super) mode: String,
    /// Microseconds by which the seed records are moved.
    pub(super) shift: i64,
    /// How many things had happened: random draws depend on it.
    pub(super) position: u64,
    /// The records by pack; the seed records where there are none.
    pub(super) worlds: Option<Map<String, Json>>,
    /// What tests asked of the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) controls: Option<Json>,
    /// What was to happen; what the seed records have where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) agenda: Option<AgendaLine>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PackLine {
    pub(super) name: String,
    /// Each file that the pack was read from, with its SHA-256.
    pub(super) files: Map<String, Json>,
}

/// One entry of the log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EntryLine {
    pub(super) entry: u64,
    pub(super) at: String,
    pub(super) what: What,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum What {
    Exchange(Box<ExchangeLine>),
    #[serde(rename_all = "camelCase")]
    Clock {
        from: String,
        now: String,
        mode: String,
    },
    #[serde(rename_all = "camelCase")]
    State {
        method: String,
        pack: String,
        resource: String,
        id: String,
        body: Option<Json>,
        changes: Vec<ChangeLine>,
    },
    #[serde(rename_all = "camelCase")]
    Event {
        pack: String,
        event: String,
        input: Json,
        changes: Vec<ChangeLine>,
        /// None where somebody fired it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scheduled: Option<ScheduledLine>,
    },
    Attempt(Box<AttemptLine>),
    Outcome(Box<OutcomeLine>),
    #[serde(rename_all = "camelCase")]
    Setting {
        method: String,
        path: String,
        body: Option<Json>,
    },
}

/// An event whose time had come.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScheduledLine {
    /// The instant before.
    pub(super) from: String,
    /// Why it did not happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}

/// An attempt to deliver a webhook.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AttemptLine {
    pub(super) pack: String,
    pub(super) webhook: String,
    pub(super) delivery: String,
    pub(super) attempt: u32,
    /// Its place on the agenda.
    pub(super) due: String,
    pub(super) place: u64,
    /// The instant before.
    pub(super) from: String,
    pub(super) result: ResultLine,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum ResultLine {
    Sent(SentLine),
    /// Nothing is sent any more, and why.
    GivenUp(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SentLine {
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Payload,
    pub(super) timeout_millis: u64,
}

/// What came of an attempt.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OutcomeLine {
    pub(super) delivery: String,
    pub(super) attempt: u32,
    pub(super) outcome: CameLine,
    pub(super) took_micros: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum CameLine {
    Answered {
        status: u16,
        headers: Vec<(String, String)>,
        body: Payload,
        /// There was more of the body.
        cut: bool,
    },
    Failed {
        how: String,
        why: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExchangeLine {
    /// None where the path leads to no pack.
    pub(super) pack: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) request: RequestLine,
    pub(super) response: ResponseLine,
    /// How it was sent, where that was not at once and whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) delivery: Option<DeliveryLine>,
    pub(super) changes: Vec<ChangeLine>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RequestLine {
    pub(super) method: String,
    pub(super) base: String,
    pub(super) path: String,
    /// Not even a slash stood behind the prefix of the pack.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) bare: bool,
    pub(super) query: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Payload,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResponseLine {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Payload,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeliveryLine {
    pub(super) delay_millis: u64,
    /// What went wrong on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<String>,
    /// In how many pieces the body came, over how many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dribble: Option<(u32, u64)>,
}

/// What became of one record.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeLine {
    pub(super) verb: String,
    pub(super) resource: String,
    pub(super) id: String,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) end: Sum,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sum {
    pub(super) entries: u64,
    /// SHA-256 of the records that are there at the end, in the form of `worlds`.
    pub(super) records: String,
    /// Of what is to happen and went out, in the form of `agenda`; none where the head has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) agenda: Option<String>,
    /// Of all bytes before this line.
    pub(super) sha256: String,
}

/// Bytes, as text where they are text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Payload {
    Text(String),
    Base64(String),
    /// It was longer than so many bytes and was thrown away.
    LargerThan(usize),
}

impl Payload {
    pub(super) fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Payload::Text(text.to_owned()),
            Err(_) => Payload::Base64(STANDARD.encode(bytes)),
        }
    }

    pub(super) fn bytes(self) -> Result<Bytes, String> {
        match self {
            Payload::Text(text) => Ok(Bytes::from(text)),
            Payload::Base64(text) => {
                STANDARD.decode(&text).map(Bytes::from).map_err(|why| format!("`base64` is no Base64: {why}"))
            }
            Payload::LargerThan(_) => Ok(Bytes::new()),
        }
    }
}

/// A header as it is written: each byte of its value is the character of that number, so that none is lost.
pub(super) fn header_line(name: &HeaderName, value: &HeaderValue) -> (String, String) {
    (name.as_str().to_owned(), value.as_bytes().iter().copied().map(char::from).collect())
}

pub(super) fn header_lines(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| header_line(name, value)).collect()
}

/// The headers that were written so.
pub(super) fn headers(lines: Vec<(String, String)>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = header(line)?;
        headers.try_append(name, value).map_err(|_| "there are more headers than can be sent".to_owned())?;
    }
    Ok(headers)
}

fn header((name, value): (String, String)) -> Result<(HeaderName, HeaderValue), String> {
    let bytes: Option<Vec<u8>> = value.chars().map(|character| u8::try_from(character).ok()).collect();
    let value = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
    let name_read = HeaderName::try_from(name.as_str()).ok();
    name_read.zip(value).ok_or_else(|| format!("`{name}` is not a header that can be sent"))
}

//! The lines of a bundle, as they are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// What the first line says it is.
pub(super) const NAME: &str = "standin";
/// Rises when a bundle is written in another way.
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
    },
    #[serde(rename_all = "camelCase")]
    Setting {
        method: String,
        path: String,
        body: Option<Json>,
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

pub(super) fn header((name, value): (String, String)) -> Result<(HeaderName, HeaderValue), String> {
    let bytes: Option<Vec<u8>> = value.chars().map(|character| u8::try_from(character).ok()).collect();
    let value = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
    let name_read = HeaderName::try_from(name.as_str()).ok();
    name_read.zip(value).ok_or_else(|| format!("`{name}` is not a header that can be sent"))
}

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, DATE, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, StatusCode};
use http_body_util::Full;
use hyper::body::Body as _;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use parking_lot::Mutex;

use super::faulty::Pieces;
use super::stream::Stream;
use crate::clock::Instant;
use crate::exchange::Response;
use crate::sandbox::Committed;

const ENTRY: HeaderName = HeaderName::from_static("standin-entry");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// A page may contain what a client sent, and has the same origin as the control plane: it may show and submit, and
/// nothing runs in it.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'self'",
);

/// An answer as hyper wants it.
pub(super) type Delivered = hyper::Response<Content>;

/// The body of an answer: all of it, or what makes it.
pub(super) enum Content {
    Whole(Full<Bytes>),
    Stream(Box<Stream>),
    Pieces(Box<Pieces>),
}

/// An answer of the control plane or of the server itself.
pub(super) fn plain(mut response: Response) -> Delivered {
    response.headers.set_default(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut made = made(response);
    made.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    made
}

/// An answer of the control plane that goes on.
pub(super) fn stream(head: Response, stream: Stream) -> Delivered {
    plain(head).map(|_| Content::Stream(Box::new(stream)))
}

/// An answer of an API, with the number of its entry, dated in virtual time. How it is to be sent, where that is not at
/// once and whole, goes along as an extension.
pub(super) fn committed(committed: Committed, dates: &Dates) -> Delivered {
    let Committed { exchanged, entry } = committed;
    let mut made = made(exchanged.response);
    if let Some(delivery) = exchanged.delivery {
        made.extensions_mut().insert(delivery);
    }
    let headers = made.headers_mut();
    headers.insert(ENTRY, HeaderValue::from(entry.id));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    harmless(headers);
    if let Some(date) = dates.of(entry.at) {
        headers.insert(DATE, date);
    }
    made
}

/// What a browser may do with an answer of a pack, where the pack says nothing else.
fn harmless(headers: &mut HeaderMap) {
    // Of several types a browser may take any one.
    let types = headers.get_all(CONTENT_TYPE);
    if types.iter().all(|media| media == "application/json") {
        return;
    }
    // XML can bring scripts, too: XHTML, SVG.
    let has = |word: &[u8]| {
        let mut parts = types.iter().flat_map(|media| media.as_bytes().windows(word.len()));
        parts.any(|part| part.eq_ignore_ascii_case(word))
    };
    let active = has(b"html") || has(b"xml");
    if active {
        headers.entry(CONTENT_SECURITY_POLICY).or_insert(PAGE_POLICY);
        // The path of a page may hold ids, which the sites that it links to need not know.
        headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    }
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(NOSNIFF);
}

/// An answer to HEAD in HTTP/2, where nothing else would leave its body away.
pub(super) fn headless(response: Delivered) -> Delivered {
    let (mut parts, content) = response.into_parts();
    let content = match content {
        Content::Whole(body) => {
            let length = body.size_hint().exact().filter(|_| !bodiless(parts.status));
            if let Some(length) = length {
                parts.headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
            }
            Content::Whole(Full::default())
        }
        other => other,
    };
    hyper::Response::from_parts(parts, content)
}

/// Whether no answer of this status has a body.
pub(super) fn bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Ends an HTTP/1.1 connection after this answer.
pub(super) fn closing(mut response: Delivered) -> Delivered {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn made(response: Response) -> Delivered {
    let mut made = hyper::Response::new(Content::Whole(Full::new(response.body)));
    *made.status_mut() = response.status;
    let headers = made.headers_mut();
    headers.reserve(8);
    for (name, value) in response.headers {
        headers.append(name, value);
    }
    made
}

/// The `Date` of the last second that was asked for: most answers come within the same one.
#[derive(Debug, Default)]
pub(crate) struct Dates(Mutex<Option<(i64, HeaderValue)>>);

impl Dates {
    fn of(&self, at: Instant) -> Option<HeaderValue> {
        let second = at.micros().div_euclid(1_000_000);
        // Whoever would have to wait writes the date anew.
        let Some(mut last) = self.0.try_lock() else { return date(at) };
        match last.as_ref() {
            Some((known, value)) if *known == second => Some(value.clone()),
            _ => {
                let value = date(at)?;
                *last = Some((second, value.clone()));
                Some(value)
            }
        }
    }
}

/// The form of RFC 9110, section 5.6.7.
fn date(at: Instant) -> Option<HeaderValue> {
    let text = strtime::format("%a, %d %b %Y %H:%M:%S GMT", &at.timestamp().to_zoned(TimeZone::UTC)).ok()?;
    HeaderValue::from_str(&text).ok()
}

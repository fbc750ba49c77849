//! `/__admin/near-misses`: what nearly matched, and in what it differs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use serde_json::{Map, Value as Json, json};

use super::mappings::now;
use super::requests::{copy, pattern, those};
use super::shapes::{Logged, near_miss, request};
use crate::control::body::{invalid, object};
use crate::control::{Answer, Call, ok};
use crate::exchange::{Body, Problem, Request, spelled};
use crate::mask::Mask;
use crate::stub::{Asked, NEAR_MISSES, Stubs};

/// For how many requests near misses are looked for, the newest first: each is held against every stub.
const REQUESTS: usize = 20;

fn answer(near: &[Json]) -> Answer {
    ok(&json!({ "nearMisses": near }))
}

fn of_stubs(call: &Call<'_>, stubs: &Stubs, sent: &Request, shown: &Json, mask: &Mask) -> Vec<Json> {
    let path = sent.received();
    let near = stubs.nearest(&Asked::new(sent, &path, call.rules.json_depth));
    let shown = |near: &crate::stub::Near| {
        near_miss(shown.clone(), ("stubMapping", &near.stub.source), near.distance, &near.differences, mask)
    };
    near.iter().map(shown).collect()
}

/// The nearest stubs of each request that nothing answered.
pub(super) fn of_unmatched(call: &Call<'_>) -> Answer {
    let (log, stubs) = (copy(call), now(call));
    let found = those(&log, |kept| kept.unmatched);
    let newest = found.iter().take(REQUESTS).filter_map(|entry| Logged::new(call, entry));
    let near =
        newest.flat_map(|one| of_stubs(call, &stubs, &one.exchanged.request, &one.request(), &one.mask).into_iter());
    answer(&near.collect::<Vec<_>>())
}

/// The stubs that a request which the body describes comes nearest to.
pub(super) fn of_request(call: &Call<'_>) -> Answer {
    let sent = described(&object(call)?)?;
    let mask = Mask::default();
    answer(&of_stubs(call, &now(call), &sent, &request(&sent, &mask), &mask))
}

/// The requests of the journal that come nearest to a pattern.
pub(super) fn of_pattern(call: &Call<'_>) -> Answer {
    let (written, pattern) = pattern(call)?;
    let log = copy(call);
    let compare = |sent: &Request| pattern.compare(&Asked::new(sent, &sent.received(), call.rules.json_depth));
    let exchanges = log.exchanges().filter_map(|entry| Some((entry, compare(&entry.kept()?.request()))));
    let mut near: Vec<_> = exchanges.collect();
    near.sort_by(|(_, one), (_, other)| one.0.total_cmp(&other.0));
    let shown = near.iter().take(NEAR_MISSES).filter_map(|(entry, (distance, differences))| {
        let logged = Logged::new(call, entry)?;
        let pattern = ("requestPattern", &written);
        Some(near_miss(logged.request(), pattern, *distance, differences, &logged.mask))
    });
    answer(&shown.collect::<Vec<_>>())
}

/// A request as WireMock writes one down. What it says besides its line, headers and body is of no use here.
fn described(given: &Map<String, Json>) -> Result<Request, Problem> {
    let text = |name: &str| given.get(name).and_then(Json::as_str);
    let url = match (text("url"), text("absoluteUrl")) {
        (Some(url), _) => url,
        (None, Some(url)) => {
            let authority = url.find("://").map_or(0, |at| at + 3);
            url[authority..].find('/').map_or("/", |at| &url[authority + at..])
        }
        (None, None) => return Err(invalid("url", "write the path of the request, with its query")),
    };
    if !url.starts_with('/') {
        return Err(invalid("url", "it begins with `/`"));
    }
    let (path, query) = match url.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (url, None),
    };
    let method = Method::from_bytes(text("method").unwrap_or("GET").as_bytes());
    let mut headers = HeaderMap::new();
    for (name, value) in given.get("headers").and_then(Json::as_object).into_iter().flatten() {
        let header = HeaderName::from_bytes(name.as_bytes());
        let header = header.map_err(|_| invalid("headers", format!("no header is called `{name}`")))?;
        let values = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let value = HeaderValue::from_str(&spelled(value));
            headers.append(header.clone(), value.map_err(|_| invalid("headers", format!("`{name}` is not one line")))?);
        }
    }
    let body = match (text("body"), text("bodyAsBase64")) {
        (Some(body), _) => Bytes::from(body.to_owned()),
        (None, Some(body)) => STANDARD.decode(body).map(Bytes::from).map_err(|why| invalid("bodyAsBase64", why))?,
        (None, None) => Bytes::new(),
    };
    Ok(Request {
        method: method.map_err(|_| invalid("method", "it is no method"))?,
        base: "http://localhost".to_owned(),
        path: path.to_owned(),
        bare: false,
        query,
        version: Version::HTTP_11,
        headers,
        body: Body::Whole(body),
    })
}

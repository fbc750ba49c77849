//! Requests and near misses as WireMock shows them, with what is secret masked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, COOKIE};
use serde_json::{Map, Value as Json, json};

use crate::control::{Call, shown};
use crate::exchange::{Request, apart};
use crate::journal::{Entry, Exchanged, is_unmatched};
use crate::mask::{MASK, Mask, Secrets};
use crate::stub::{Difference, Stubs};

/// An exchange of the journal, with its mask.
pub(super) struct Logged<'e> {
    pub(super) entry: &'e Entry,
    pub(super) exchanged: Exchanged,
    pub(super) mask: Mask,
}

impl<'e> Logged<'e> {
    pub(super) fn new(call: &Call<'_>, entry: &'e Entry) -> Option<Self> {
        let exchanged = entry.exchange()?;
        let mask = shown::mask(call.registry, &exchanged, Secrets::Masked);
        Some(Logged { entry, exchanged, mask })
    }

    pub(super) fn request(&self) -> Json {
        let mut request = request(&self.exchanged.request, &self.mask);
        request["loggedDate"] = json!(self.entry.at.micros().div_euclid(1000));
        request["loggedDateString"] = json!(self.entry.at.to_string());
        request
    }

    /// A request with its answer, and the stub that gave it as it is now.
    pub(super) fn event(&self, stubs: &Stubs) -> Json {
        let Exchanged { response, stub, took, delivery, .. } = &self.exchanged;
        let headers = self.mask.headers(response.headers.iter());
        let body = text(&self.mask.body(&response.body, response.headers.get(&CONTENT_TYPE)));
        let delay = delivery.as_deref().map_or(0, |delivery| delivery.delay.as_millis());
        let mut event = json!({
            "id": self.entry.id.to_string(),
            "request": self.request(),
            "responseDefinition": { "status": response.status.as_u16(), "fromConfiguredStub": stub.is_some() },
            "response": { "status": response.status.as_u16(), "headers": headers, "body": body.0, "bodyAsBase64": body.1 },
            "wasMatched": !is_unmatched(&self.exchanged),
            "timing": { "processTime": took / 1000, "addedDelay": u64::try_from(delay).unwrap_or(u64::MAX) },
        });
        if let Some(story) = stub.as_deref().and_then(|id| stubs.get(id)) {
            event["stubMapping"] = story.stub.source.clone();
        }
        event
    }
}

/// A request as it was sent.
pub(super) fn request(request: &Request, mask: &Mask) -> Json {
    let headers = &request.headers;
    let path = request.received();
    let mut url = mask.path(&path).into_owned();
    if let Some(query) = &request.query {
        url.push('?');
        url.push_str(&mask.query(query));
    }
    let (origin, _) = apart(&request.base);
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(';')).filter_map(|pair| Some(pair.trim().split_once('=')?.0));
    let cookies: Map<String, Json> = names.map(|name| (name.to_owned(), Json::from(MASK))).collect();
    let body = text(&mask.sent_body(&bytes::Bytes::copy_from_slice(request.body.bytes()), headers.get(CONTENT_TYPE)));
    json!({
        "url": url,
        "absoluteUrl": format!("{origin}{url}"),
        "method": request.method.as_str(),
        "clientIp": "127.0.0.1",
        "headers": mask.headers(headers),
        "cookies": cookies,
        "browserProxyRequest": false,
        "body": body.0,
        "bodyAsBase64": body.1,
    })
}

/// What is shown of a body, as text and as Base64.
fn text(shown: &Json) -> (String, String) {
    if let Some(encoded) = shown["base64"].as_str() {
        let bytes = STANDARD.decode(encoded).unwrap_or_default();
        return (String::from_utf8_lossy(&bytes).into_owned(), encoded.to_owned());
    }
    let text = shown["text"].as_str().unwrap_or_default();
    (text.to_owned(), STANDARD.encode(text))
}

/// `{request, stubMapping or requestPattern, matchResult: {distance, differences}}`
pub(super) fn near_miss(
    request: Json,
    pattern: (&str, &Json),
    distance: f64,
    differences: &[Difference],
    mask: &Mask,
) -> Json {
    let difference = |difference: &Difference| {
        json!({
            "in": difference.part,
            "name": difference.name,
            "expected": difference.expected,
            "actual": difference.actual,
        })
    };
    let mut differences = differences.iter().map(difference).collect::<Json>();
    mask.texts_within(&mut differences);
    let mut near = json!({ "request": request });
    near[pattern.0] = pattern.1.clone();
    near["matchResult"] = json!({ "distance": distance, "differences": differences });
    near
}

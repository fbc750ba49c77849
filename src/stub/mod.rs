//! Canned answers in WireMock's mapping JSON: read with everything wrong with them at once, matched, and counted down.
//!
//! PURE, as the engine is: a request and the stubs of one moment in, a stub and the stubs behind it out. Must not know:
//! packs, sandboxes, how answers are delivered. Start with [`Stub::parse`] and [`Stubs::serve`].

mod answer;
mod asked;
mod delay;
mod dump;
mod json;
mod jsonpath;
mod mapping;
mod matcher;
mod matcher_read;
mod nearest;
mod never;
mod pattern;
mod read;
mod request;
mod request_read;
mod stubs;

pub(crate) use answer::{Fault, Manner};
pub(crate) use asked::{Asked, PassedOver};
pub(crate) use delay::Delay;
pub(crate) use mapping::{Stub, said_id};
pub(crate) use nearest::{Difference, MOST as NEAR_MISSES, Near};
pub(crate) use read::{Mistake, Mistakes};
pub(crate) use request::{Content, RequestPattern};
pub(crate) use stubs::{Full, NoState, Served, Story, Stubs};

#[cfg(test)]
mod samples {
    //! Mappings and requests of unit tests.

    use bytes::Bytes;
    use http::{HeaderName, HeaderValue, Method, Version};
    use serde_json::{Value as Json, json};

    use super::{Asked, Mistakes, RequestPattern, Stub};
    use crate::exchange::{Body, Request};

    pub(super) const ID: &str = "0b8a4b21-6d1c-4d34-a0de-2f0e0e3a5e7b";

    /// `GET /a?b=c`, headers such as `Accept: x`, a body.
    pub(super) fn request(line: &str, headers: &[&str], body: &[u8]) -> Request {
        let (method, url) = line.split_once(' ').unwrap();
        let (path, query) = match url.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (url, None),
        };
        let headers = headers.iter().map(|line| line.split_once(": ").unwrap()).map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        });
        Request {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            base: "http://localhost".to_owned(),
            path: path.to_owned(),
            bare: false,
            query,
            version: Version::HTTP_11,
            headers: headers.collect(),
            body: Body::Whole(Bytes::copy_from_slice(body)),
        }
    }

    pub(super) fn asked(request: &Request) -> Asked<'_> {
        Asked::new(request, &request.path, 64)
    }

    pub(super) fn parse(mapping: &Json) -> Result<Stub, Mistakes> {
        Stub::parse(mapping.as_object().unwrap(), ID)
    }

    pub(super) fn pattern(pattern: Json) -> RequestPattern {
        RequestPattern::parse(&pattern).unwrap_or_else(|mistakes| panic!("{pattern}: {mistakes:?}"))
    }

    /// A stub that answers `/name`, laid over by `more`.
    pub(super) fn named(name: &str, more: Json) -> Stub {
        let mut mapping = json!({
            "name": name,
            "request": { "url": format!("/{name}") },
            "response": { "status": 200, "body": name },
        });
        mapping.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let id = format!("00000000-0000-4000-8000-{digits:0>12}");
        Stub::parse(mapping.as_object().unwrap(), &id).unwrap_or_else(|mistakes| panic!("{mapping}: {mistakes:?}"))
    }
}

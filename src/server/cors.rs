//! Pages of any origin may call the packs, with credentials: an app under development does not come from this server.
//!
//! Never for the control plane, which is behind [`super::gate`]. Start with [`preflight`] and [`open`].

use http::header::{
    self, ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, VARY,
};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use super::deliver::{self, Delivered};
use crate::exchange::Response;

const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// How long a browser may remember a preflight, in seconds: short, since the next server on this port may be another.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

const YES: HeaderValue = HeaderValue::from_static("true");

/// Headers that every page may read (the Fetch standard's safelist), and those that no page reads.
const NOT_NAMED: [HeaderName; 10] = [
    header::CACHE_CONTROL,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::PRAGMA,
    header::SET_COOKIE,
    header::CONNECTION,
    VARY,
];

/// The page that calls. A browser sends one origin, so several are nobody's.
pub(super) fn origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut all = headers.get_all(header::ORIGIN).iter();
    match (all.next(), all.next()) {
        (Some(one), None) if !one.is_empty() => Some(one.clone()),
        _ => None,
    }
}

/// Answers a browser that asks whether a page may call. Any page may, any path: what is wrong with the call itself, the
/// call's own answer says.
pub(super) fn preflight(parts: &Parts) -> Option<Delivered> {
    if parts.method != Method::OPTIONS {
        return None;
    }
    let origin = origin(&parts.headers)?;
    let method = parts.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut answer = deliver::plain(Response::new(StatusCode::NO_CONTENT));
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, YES);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
    for wanted in parts.headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.append(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if parts.headers.get(REQUEST_PRIVATE_NETWORK) == Some(&YES) {
        headers.insert(ALLOW_PRIVATE_NETWORK, YES);
    }
    headers.insert(
        VARY,
        HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    );
    Some(answer)
}

/// Lets the page read an answer. What the pack itself says about this is left as it is.
pub(super) fn open(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    if let Some(origin) = origin {
        if !headers.contains_key(ACCESS_CONTROL_EXPOSE_HEADERS)
            && let Some(names) = beyond_the_safelist(headers)
        {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names);
        }
        if !headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.entry(ACCESS_CONTROL_ALLOW_CREDENTIALS).or_insert(YES);
        }
    }
    vary(headers);
}

fn beyond_the_safelist(headers: &HeaderMap) -> Option<HeaderValue> {
    let names =
        headers.keys().filter(|name| !NOT_NAMED.contains(name) && !name.as_str().starts_with("access-control-"));
    let names: Vec<&str> = names.map(HeaderName::as_str).collect();
    HeaderValue::from_str(&names.join(", ")).ok().filter(|names| !names.is_empty())
}

/// The answer to one origin must not be kept for another.
fn vary(headers: &mut HeaderMap) {
    let merged = match headers.get(VARY).map(HeaderValue::to_str) {
        None => HeaderValue::from_static("Origin"),
        Some(Ok(known)) => {
            if known.split(',').any(|name| matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("origin")) {
                return;
            }
            match HeaderValue::from_str(&format!("{known}, Origin")) {
                Ok(merged) => merged,
                Err(_) => return,
            }
        }
        Some(Err(_)) => return,
    };
    headers.insert(VARY, merged);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(given: &[(&'static str, &str)], origin: Option<&str>) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        open(&mut headers, origin.map(|origin| HeaderValue::from_str(origin).unwrap()));
        let known: Vec<&str> = given.iter().map(|(name, _)| *name).filter(|name| *name != "vary").collect();
        let new = headers.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        let mut new: Vec<(String, String)> =
            new.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        new.sort();
        new
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn headers_beyond_the_safelist_are_named() {
        let given = [("content-type", "a/b"), ("location", "/x"), ("retry-after", "1"), ("set-cookie", "a=b")];
        assert_eq!(
            opened(&given, Some("https://app.example")),
            pairs(&[
                ("access-control-allow-credentials", "true"),
                ("access-control-allow-origin", "https://app.example"),
                ("access-control-expose-headers", "location, retry-after"),
                ("vary", "Origin"),
            ])
        );
        let none = opened(&[("content-type", "a/b")], Some("null"));
        assert!(none.iter().all(|(name, _)| name != "access-control-expose-headers"), "{none:?}");
        assert_eq!(opened(&given, None), pairs(&[("vary", "Origin")]));
    }

    #[test]
    fn what_the_pack_says_wins() {
        let given = [("access-control-allow-origin", "https://own.example"), ("etag", "1")];
        assert_eq!(
            opened(&given, Some("https://app.example")),
            pairs(&[("access-control-expose-headers", "etag"), ("vary", "Origin")])
        );
        let given = [("access-control-expose-headers", "X-Total")];
        assert_eq!(
            opened(&given, Some("https://app.example")),
            pairs(&[
                ("access-control-allow-credentials", "true"),
                ("access-control-allow-origin", "https://app.example"),
                ("vary", "Origin"),
            ])
        );
    }

    #[test]
    fn vary_is_merged_with_what_is_there() {
        for (known, merged) in [
            ("Accept", "Accept, Origin"),
            ("Accept, origin", "Accept, origin"),
            ("*", "*"),
            ("X-Origin", "X-Origin, Origin"),
        ] {
            assert_eq!(opened(&[("vary", known)], None), pairs(&[("vary", merged)]));
        }
    }
}

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, Method, Version};

use super::apart;

/// Whether a text can be one part of a host name, written in lower case.
pub(crate) fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// What a client sent, after the server has read it whole and taken the sandbox and pack out of the target.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Scheme, authority and every prefix that led to this pack, without a trailing slash:
    /// `http://127.0.0.1:4010/~checkout/shop`. Links in answers start with it.
    pub(crate) base: String,
    /// The path within the pack as received, still percent-encoded; starts with `/`.
    pub(crate) path: String,
    /// Nothing stood behind the prefix that led to the pack, not even the slash that `path` is.
    pub(crate) bare: bool,
    /// What followed `?`, still encoded.
    pub(crate) query: Option<String>,
    /// Of HTTP, as the connection spoke it. No answer depends on it.
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// The body of a request as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// All of it; empty when none was sent.
    Whole(Bytes),
    /// It was longer than `limit` bytes and was thrown away.
    TooLarge { limit: usize },
}

/// None was sent.
impl Default for Body {
    fn default() -> Self {
        Body::Whole(Bytes::new())
    }
}

impl Body {
    /// The most bytes that a body may have when nothing else is said: 2 MiB.
    pub(crate) const LIMIT: usize = 2 << 20;

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Body::Whole(bytes) => bytes,
            Body::TooLarge { .. } => &[],
        }
    }
}

impl Request {
    /// The value of a header when it is readable text: UTF-8, of which ASCII is a part.
    pub(crate) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    /// The values of a header that comes in several lines, as the one line that means the same (RFC 9110, 5.3).
    pub(crate) fn header_line(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut lines =
            self.headers.get_all(name).iter().filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
        let first = lines.next()?;
        let rest: Vec<&str> = lines.collect();
        Some(if rest.is_empty() { first.into() } else { format!("{first}, {}", rest.join(", ")).into() })
    }

    /// The path as received, behind the prefix of the sandbox: with the prefix that led to the pack, where one did.
    pub(crate) fn received(&self) -> Cow<'_, str> {
        let (_, prefixes) = apart(&self.base);
        let mount = match prefixes.strip_prefix("/~") {
            Some(sandbox) => sandbox.find('/').map_or("", |at| &sandbox[at..]),
            None => prefixes,
        };
        match (mount, self.bare) {
            ("", _) => Cow::Borrowed(&self.path),
            (mount, true) => Cow::Borrowed(mount),
            (mount, false) => Cow::Owned(format!("{mount}{}", self.path)),
        }
    }

    /// Path and query as one string, as a journal shows it.
    pub(crate) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// About how many bytes keeping this request costs.
    pub(crate) fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        self.path.len() + self.query.as_ref().map_or(0, String::len) + headers + self.body.bytes().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_as_received_has_the_mount_and_not_the_sandbox() {
        for (base, path, bare, received) in [
            ("http://127.0.0.1:4010/~checkout/shop", "/a", false, "/shop/a"),
            ("http://127.0.0.1:4010/shop", "/", false, "/shop/"),
            ("http://127.0.0.1:4010/shop", "/", true, "/shop"),
            ("http://127.0.0.1:4010", "/shop/a", false, "/shop/a"),
            ("http://127.0.0.1:4010/~checkout", "/a", false, "/a"),
            ("https://checkout.shop.localhost", "/a", false, "/a"),
        ] {
            let request = Request {
                method: Method::GET,
                base: base.to_owned(),
                path: path.to_owned(),
                bare,
                query: None,
                version: Version::HTTP_11,
                headers: HeaderMap::new(),
                body: Body::Whole(Bytes::new()),
            };
            assert_eq!(request.received(), received, "{base} {path}");
        }
    }
}

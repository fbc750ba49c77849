use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::Headers;

/// An answer, complete.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

impl Response {
    pub(crate) fn new(status: StatusCode) -> Self {
        Response { status, headers: Headers::default(), body: Bytes::new() }
    }

    /// An answer with a JSON body.
    pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        Response::new(status).with_body("application/json", body.to_string())
    }

    pub(crate) fn with_body(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.body = body.into();
        self
    }

    /// Sets a header. A value that HTTP cannot carry, such as one of several lines, leaves the header out and gives false.
    pub(crate) fn set(&mut self, name: HeaderName, value: &str) -> bool {
        let value = HeaderValue::from_str(value);
        value.map(|value| self.headers.insert(name, value)).is_ok()
    }

    /// About how many bytes keeping this answer costs.
    pub(crate) fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        headers + self.body.len()
    }
}

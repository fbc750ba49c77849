use http::{HeaderName, StatusCode};
use serde_json::{Value, json};

use super::Response;

/// The server's own refusal, as RFC 9457 describes it. An API's documented errors have that API's shape instead.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    /// The last part of the `type` URI: stable, for programs.
    pub(crate) slug: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    /// What is wrong this time, and what to do.
    pub(crate) detail: String,
    /// Further members, after the standard ones.
    pub(crate) members: Vec<(String, Value)>,
    pub(crate) headers: Vec<(HeaderName, String)>,
}

impl Problem {
    pub(crate) fn new(slug: &'static str, status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Problem { slug, status, title, detail: detail.into(), members: Vec::new(), headers: Vec::new() }
    }

    /// A 400 for a call that cannot be understood.
    pub(crate) fn bad_request(slug: &'static str, detail: impl Into<String>) -> Self {
        Problem::new(slug, StatusCode::BAD_REQUEST, "The request cannot be understood", detail)
    }

    /// A 404 for a thing that does not exist.
    pub(crate) fn not_found(slug: &'static str, detail: impl Into<String>) -> Self {
        Problem::new(slug, StatusCode::NOT_FOUND, "No such thing here", detail)
    }

    pub(crate) fn with(mut self, member: &str, value: Value) -> Self {
        self.members.push((member.to_owned(), value));
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("urn:standin:problem:{}", self.slug),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(object) = body.as_object_mut() {
            object.extend(self.members);
        }
        let mut response = Response::new(self.status).with_body("application/problem+json", body.to_string());
        for (name, value) in self.headers {
            response.set(name, &value);
        }
        response
    }
}

//! Calls of the control plane.

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Map, Value};

use super::Client;
use super::fault::Fault;

/// Why a call of the control plane gave nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ControlFault {
    /// There is no whole answer.
    Fault(Fault),
    /// The server refuses.
    Refused(Refused),
    /// What answers is no control plane: words.
    Strange(String),
}

/// A problem, as RFC 9457 describes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    /// The last part of the `type` URI: stable, for programs.
    pub(crate) slug: String,
    pub(crate) title: String,
    /// What is wrong this time, and what to do.
    pub(crate) detail: String,
    /// Further members.
    pub(crate) members: Map<String, Value>,
}

impl Client {
    /// Calls the control plane of a sandbox; without one, that of the sandbox that the target leads to. An answer without
    /// a body is `null`.
    pub(crate) async fn control(
        &self,
        sandbox: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ControlFault> {
        let response = self.asked(sandbox, method, path, body, "application/json").await?;
        match response.body() {
            bytes if bytes.is_empty() => Ok(Value::Null),
            bytes => serde_json::from_slice(bytes).map_err(|_| self.strange(path, response.status())),
        }
    }

    /// Calls the control plane where it answers with something else than JSON.
    pub(crate) async fn control_text(
        &self,
        sandbox: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<String, ControlFault> {
        let response = self.asked(sandbox, method, path, body, "*/*").await?;
        let status = response.status();
        String::from_utf8(response.into_body().into()).map_err(|_| self.strange(path, status))
    }

    async fn asked(
        &self,
        sandbox: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
        accept: &'static str,
    ) -> Result<Response<Bytes>, ControlFault> {
        let response = self.control_answer(sandbox, method, path, body, accept).await.map_err(ControlFault::Fault)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let path = below(sandbox, path);
        Err(Refused::read(&response).map_or_else(|| self.strange(&path, response.status()), ControlFault::Refused))
    }

    /// Calls the control plane, and gives whatever it answers.
    pub(crate) async fn control_answer(
        &self,
        sandbox: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
        accept: &'static str,
    ) -> Result<Response<Bytes>, Fault> {
        let path = below(sandbox, path);
        let built = Request::builder().method(method).uri(&*path).header(ACCEPT, accept);
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut request = built
            .body(Bytes::from(text))
            .map_err(|error| Fault::Unsendable(format!("`{path}` cannot be asked for: {error}")))?;
        if body.is_some() {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(token) = &self.shared.token {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        self.send(request).await
    }

    fn strange(&self, path: &str, status: StatusCode) -> ControlFault {
        ControlFault::Strange(format!(
            "{}{path} answered with status {} and is no control plane of standin: name the URL of a server that \
             `standin serve` has started",
            self.base(),
            status.as_u16()
        ))
    }
}

/// Where a path of the control plane is.
fn below(sandbox: Option<&str>, path: &str) -> String {
    match sandbox {
        Some(id) => format!("/~{id}/_standin{path}"),
        None => format!("/_standin{path}"),
    }
}

impl ControlFault {
    /// Whether the control plane wants a token, or another one.
    pub(crate) fn is_about_token(&self) -> bool {
        matches!(self, ControlFault::Refused(refused) if refused.slug == "token-required")
    }
}

impl Refused {
    fn read(response: &Response<Bytes>) -> Option<Self> {
        let Ok(Value::Object(mut members)) = serde_json::from_slice(response.body()) else { return None };
        let mut text = |member: &str| match members.remove(member) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (kind, title, detail) = (text("type")?, text("title")?, text("detail")?);
        members.remove("status");
        let slug = kind.strip_prefix("urn:standin:problem:")?.to_owned();
        Some(Refused { status: response.status(), slug, title, detail, members })
    }
}

impl fmt::Display for ControlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlFault::Fault(fault) => fault.fmt(f),
            ControlFault::Refused(refused) => write!(f, "{} ({})", refused.detail, refused.slug),
            ControlFault::Strange(words) => f.write_str(words),
        }
    }
}

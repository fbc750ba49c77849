use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value as Json;

use super::Ground;
use super::refused::Refused;
use crate::control::Reply;
use crate::exchange::{Body, Problem, Request, Response};

/// The control plane, as a client of it sees it: calls by method and path, JSON there and back. It applies to the
/// sandbox that the address of the page selects.
pub(super) struct Plane<'a> {
    ground: Ground<'a>,
    base: &'a str,
    version: http::Version,
}

impl<'a> Plane<'a> {
    pub(super) fn new(ground: Ground<'a>, request: &'a Request) -> Self {
        Plane { ground, base: &request.base, version: request.version }
    }

    /// Scheme, host and sandbox, as the browser wrote them.
    pub(super) fn base(&self) -> &'a str {
        self.base
    }

    /// Whether the control plane asks clients beyond this process for a token.
    pub(super) fn is_guarded(&self) -> bool {
        self.ground.guarded
    }

    pub(super) fn sandbox(&self) -> &'a str {
        self.ground.sandbox.id().as_str()
    }

    /// Reads what stands at a path behind `/_standin`, with its query.
    pub(super) async fn get(&self, path: &str) -> Result<Json, Refused> {
        self.send(Method::GET, path, None).await
    }

    /// Calls with a body or without one. An answer without a body is null.
    pub(super) async fn send(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Json, Refused> {
        let response = self.call(method, path, body).await?;
        if response.body.is_empty() {
            return Ok(Json::Null);
        }
        serde_json::from_slice(&response.body).map_err(|error| unreadable(path, &error.to_string()))
    }

    /// The same, for an answer that is no JSON.
    pub(super) async fn text(&self, path: &str) -> Result<String, Refused> {
        let response = self.call(Method::GET, path, None).await?;
        String::from_utf8(response.body.to_vec()).map_err(|error| unreadable(path, &error.to_string()))
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Response, Refused> {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path, None),
        };
        let mut headers = HeaderMap::new();
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let request = Request {
            method,
            base: self.base.to_owned(),
            path: path.to_owned(),
            bare: false,
            query,
            version: self.version,
            headers,
            body: Body::Whole(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default()),
        };
        let Ground { control, sandbox, real, .. } = self.ground;
        let sandbox = Arc::clone(sandbox);
        let response = match control.answer(&sandbox, &request, real()) {
            Reply::Whole(response) => response,
            Reply::Later(response) => response.await,
            Reply::Stream(..) => return Err(unreadable(path, "it does not end")),
        };
        match response.status.is_success() {
            true => Ok(response),
            false => Err(Refused::of(response)),
        }
    }
}

fn unreadable(path: &str, why: &str) -> Refused {
    let detail = format!("What the control plane says at `{path}` cannot be shown: {why}.");
    let title = "The page cannot be made";
    Problem::new("page-failed", StatusCode::INTERNAL_SERVER_ERROR, title, detail).into()
}

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;

use super::target::{self, Destination, Door, Target};
use super::{Line, Shared, deliver, read};
use crate::control;
use crate::engine;
use crate::exchange::{Body, Problem, Request, Response};
use crate::sandbox::{Sandbox, SandboxId};

/// Control plane, index or API? Reads the request, finds who answers it, and sends what they say.
pub(super) async fn answer(
    shared: &Shared,
    door: &Door,
    request: hyper::Request<Incoming>,
) -> hyper::Response<Full<Bytes>> {
    let (parts, incoming) = request.into_parts();
    let target = match target::find(&parts, shared.registry.packs(), door) {
        Ok(target) => target,
        Err(problem) => return deliver::plain(problem.into_response()),
    };
    let body = match read::body(incoming, &shared.limits).await {
        Ok(body) => body,
        Err(problem) => return deliver::plain(closing(problem.into_response())),
    };
    let Target { sandbox, origin, base, to } = target;
    let sandbox = match find(shared, sandbox.as_ref()) {
        Ok(sandbox) => sandbox,
        Err(problem) => return deliver::plain(problem.into_response()),
    };
    let too_large = matches!(body, Body::TooLarge { .. });
    let request = |path: String| Request {
        method: parts.method,
        base,
        path,
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
    };
    let delivered = match to {
        Destination::Pack(pack, path) => api(shared, &sandbox, pack, request(path)),
        Destination::Control(path) => deliver::plain(controlled(shared, &sandbox, &origin, &request(path))),
        Destination::Root => deliver::plain(shared.control.answer(&sandbox, &request(String::new()), (shared.real)())),
        Destination::Nowhere(path) => deliver::plain(engine::unmatched(shared.registry.packs(), &request(path))),
    };
    if too_large { deliver::closing(delivered) } else { delivered }
}

fn find(shared: &Shared, id: Option<&SandboxId>) -> Result<Arc<Sandbox>, Problem> {
    let Some(id) = id else { return Ok(Arc::clone(shared.registry.default_sandbox())) };
    shared.registry.get(id).map_err(|why| control::no_sandbox(id, &why))
}

fn api(shared: &Shared, sandbox: &Sandbox, pack: usize, request: Request) -> hyper::Response<Full<Bytes>> {
    let request = Arc::new(request);
    let limits = shared.engine;
    let committed = sandbox.exchange(pack, Arc::clone(&request), &shared.real, |pack, moment, request| {
        engine::handle(pack, moment, request, limits)
    });
    (shared.log)(&Line {
        sandbox: sandbox.id().as_str(),
        method: request.method.as_str(),
        path: &request.path,
        pack: &sandbox.packs()[pack].name,
        status: committed.response.status.as_u16(),
        entry: committed.entry,
        at: committed.at,
    });
    deliver::committed(committed, &shared.dates)
}

fn controlled(shared: &Shared, sandbox: &Arc<Sandbox>, own: &str, request: &Request) -> Response {
    if let Some(foreign) = foreign_origin(&request.headers, own) {
        let detail = format!("Pages of `{foreign}` may not steer this server.");
        return Problem::new("origin-foreign", StatusCode::FORBIDDEN, "The origin is not this server's own", detail)
            .into_response();
    }
    shared.control.answer(sandbox, request, (shared.real)())
}

/// The `Origin` of a page that is not this server's own.
fn foreign_origin(headers: &HeaderMap, own: &str) -> Option<String> {
    let origin = headers.get(header::ORIGIN)?;
    let origin = origin.to_str().unwrap_or("an unreadable origin");
    (origin != own).then(|| origin.to_owned())
}

/// What was not read of a body would be taken for the next request.
fn closing(mut response: Response) -> Response {
    response.set(header::CONNECTION, "close");
    response
}

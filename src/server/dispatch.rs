use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Version, header};
use hyper::body::{Body as _, Incoming};
use tokio::task::yield_now;

use super::deliver::Delivered;
use super::gate::{self, Host, Needs};
use super::line::ExchangeLine;
use super::stream::Stream;
use super::target::{self, Area, Destination, Door, Target};
use super::{Line, Shared, cors, deliver, read, session};
use crate::control::{self, Reply};
use crate::engine;
use crate::exchange::{Body, Problem, Request, Response, apart, weight};
use crate::journal::{Face, is_unmatched};
use crate::mask;
use crate::pack::Pack;
use crate::sandbox::{Committed, Sandbox, SandboxId};
use crate::ui;

/// Says that a pack is not what its files are.
const RELOAD: HeaderName = HeaderName::from_static("standin-reload");

/// An answer that is there, or one that something has to be waited for.
pub(super) enum Answering {
    Ready(Delivered),
    /// On the heap, so that the many that are there need no room for it.
    Waits(Pin<Box<dyn Future<Output = Delivered> + Send>>),
}

impl Answering {
    fn waits(answer: impl Future<Output = Delivered> + Send + 'static) -> Self {
        Answering::Waits(Box::pin(answer))
    }

    /// Answers without reading the body first, and ends the connection.
    pub(super) fn refusal(request: hyper::Request<Incoming>, problem: Problem) -> Self {
        let (parts, incoming) = request.into_parts();
        Answering::waits(async move { deliver::closing(refuse(&parts, incoming, problem).await) })
    }
}

/// Control plane, index or API? Lets in who may call, reads the request, finds who answers it, and sends what they say.
pub(super) fn answer(shared: &Arc<Shared>, door: &Door, request: hyper::Request<Incoming>) -> Answering {
    let (parts, incoming) = request.into_parts();
    let host = match gate::host(&parts, door, &shared.gate.hosts) {
        Ok(host) => host,
        Err(problem) => return Answering::waits(async move { refuse(&parts, incoming, problem).await }),
    };
    let lent = shared.registry.lent_packs();
    let area = target::area(&parts, &host, &lent, door);
    if area == Area::Api {
        return play(shared, door, &lent, &host, parts, incoming);
    }
    let (shared, door, packs) = (Arc::clone(shared), *door, Arc::clone(&lent));
    Answering::waits(async move {
        let needs = if area == Area::Control { Needs::Token } else { Needs::Nothing };
        match shared.gate.admit(&parts.headers, &host, door.scheme, needs) {
            Ok(()) if area == Area::Logout => session::logout(&host, door.scheme),
            Ok(()) if area == Area::Login => session::login(&shared, &door, &host, parts, incoming).await,
            Ok(()) => steer(&shared, &door, &packs, &host, area, parts, incoming).await,
            Err(problem) if problem.slug == "token-required" && is_page(&parts, &host, &packs, &door) => {
                session::ask(&parts)
            }
            Err(problem) => refuse(&parts, incoming, problem).await,
        }
    })
}

/// Whether a browser wants to see a page, or has sent the form of one.
fn is_page(parts: &Parts, host: &Host, packs: &[Arc<Pack>], door: &Door) -> bool {
    target::find(parts, host, packs, door).is_ok_and(|target| page(&target.to, parts).is_some())
}

/// Answers without reading the body first. In HTTP/1.1 that ends the connection, unless the body is there already.
pub(super) async fn refuse(parts: &Parts, incoming: Incoming, problem: Problem) -> Delivered {
    if parts.version == Version::HTTP_2 && !parts.headers.contains_key(header::EXPECT) {
        read::drain(incoming).await;
    }
    deliver::plain(problem.into_response())
}

/// A call of an API, or of a path where there is none. Where no body has to come, the answer is there at once.
fn play(
    shared: &Arc<Shared>,
    door: &Door,
    packs: &[Arc<Pack>],
    host: &Host,
    parts: Parts,
    incoming: Incoming,
) -> Answering {
    if shared.cors
        && let Some(answer) = cors::preflight(&parts)
    {
        return Answering::Ready(answer);
    }
    let origin = if shared.cors { cors::origin(&parts.headers) } else { None };
    let target = match target::find(&parts, host, packs, door) {
        Ok(target) => target,
        Err(problem) => {
            let shared = Arc::clone(shared);
            return Answering::waits(async move {
                let refusal = refuse(&parts, incoming, problem).await;
                opened(&shared, refusal, origin)
            });
        }
    };
    // Streams of HTTP/2 are answered beside each other, each in a task of its own. What may change a sandbox waits there
    // for its turn.
    if incoming.is_end_stream() && parts.version != Version::HTTP_2 && parts.method.is_safe() {
        let delivered = match &target.sandbox {
            None => played(shared, shared.registry.default_sandbox(), target, parts, Body::default()),
            Some(id) => match find(shared, Some(id)) {
                Ok(sandbox) => played(shared, &sandbox, target, parts, Body::default()),
                Err(problem) => deliver::plain(problem.into_response()),
            },
        };
        return Answering::Ready(opened(shared, delivered, origin));
    }
    let shared = Arc::clone(shared);
    Answering::waits(async move {
        let delivered = match in_turn(&shared, target, parts, incoming).await {
            Ok(delivered) => delivered,
            Err(response) => deliver::plain(response),
        };
        opened(&shared, delivered, origin)
    })
}

/// A call of an API whose body has to be read, or which may change a sandbox.
async fn in_turn(shared: &Shared, target: Target, parts: Parts, incoming: Incoming) -> Result<Delivered, Response> {
    let mut held = read::Held::new(&shared.bodies);
    let body = read::body(incoming, &shared.limits, &mut held).await;
    let body = body.map_err(|problem| closing(problem.into_response()))?;
    let sandbox = find(shared, target.sandbox.as_ref()).map_err(Problem::into_response)?;
    if parts.method.is_safe() {
        return Ok(played(shared, &sandbox, target, parts, body));
    }
    let turn = sandbox.turn().await;
    let delivered = played(shared, &sandbox, target, parts, body);
    let waited = turn.waited;
    drop(turn);
    if waited {
        // Whose turn it is now goes on first, here, and others may send this answer.
        yield_now().await;
    }
    Ok(delivered)
}

/// Lets pages of any origin read an answer of an API, where they may.
fn opened(shared: &Shared, mut delivered: Delivered, origin: Option<HeaderValue>) -> Delivered {
    if shared.cors {
        cors::open(delivered.headers_mut(), origin);
    }
    delivered
}

/// Answers a call of an API whose body is there.
fn played(shared: &Shared, sandbox: &Sandbox, target: Target, mut parts: Parts, body: Body) -> Delivered {
    let Target { base, to, .. } = target;
    session::strip(&mut parts.headers);
    let too_large = matches!(body, Body::TooLarge { .. });
    let delivered = match to {
        Destination::Pack(pack, path) => api(shared, sandbox, pack, Arc::new(request(parts, base, path, body))),
        // What steers the server is no API, and nobody was asked for the token here.
        Destination::Control(path) | Destination::Admin(path) | Destination::Nowhere(path) => {
            nowhere(shared, sandbox, Arc::new(request(parts, base, path, body)))
        }
        Destination::Root => nowhere(shared, sandbox, Arc::new(request(parts, base, String::new(), body))),
    };
    if too_large { deliver::closing(delivered) } else { delivered }
}

fn request(parts: Parts, base: String, path: String, body: Body) -> Request {
    Request {
        method: parts.method,
        base,
        bare: path.is_empty(),
        path: if path.is_empty() { "/".to_owned() } else { path },
        query: parts.uri.query().map(str::to_owned),
        version: parts.version,
        headers: parts.headers,
        body,
    }
}

/// What steers the server, and its pages.
async fn steer(
    shared: &Arc<Shared>,
    door: &Door,
    packs: &[Arc<Pack>],
    host: &Host,
    area: Area,
    parts: Parts,
    incoming: Incoming,
) -> Delivered {
    let target = match target::find(&parts, host, packs, door) {
        Ok(target) => target,
        Err(problem) => return refuse(&parts, incoming, problem).await,
    };
    let mut held = read::Held::new(&shared.bodies);
    let body = match read::body(incoming, &shared.limits, &mut held).await {
        Ok(body) => body,
        Err(problem) => return deliver::plain(closing(problem.into_response())),
    };
    let Target { sandbox, base, to } = target;
    // Health needs no token, so it must not say which sandboxes there are.
    let sandbox = find(shared, sandbox.as_ref().filter(|_| area != Area::Health));
    let too_large = matches!(body, Body::TooLarge { .. });
    if let Some(path) = page(&to, &parts) {
        let delivered = deliver::plain(shown(shared, sandbox, request(parts, base, path, body)).await);
        return if too_large { deliver::closing(delivered) } else { delivered };
    }
    let sandbox = match sandbox {
        Ok(sandbox) => sandbox,
        Err(problem) => return deliver::plain(problem.into_response()),
    };
    let delivered = match to {
        Destination::Admin(path) => {
            let request = request(parts, base, path, body);
            // Lists have whole bodies in them, twice.
            let answer = || shared.control.answer_as_wiremock(&sandbox, &request, (shared.real)());
            deliver::plain(shared.aside.run(answer).await)
        }
        Destination::Control(path) | Destination::Pack(_, path) | Destination::Nowhere(path) => {
            controlled(shared, &sandbox, request(parts, base, path, body)).await
        }
        Destination::Root => controlled(shared, &sandbox, request(parts, base, String::new(), body)).await,
    };
    if too_large { deliver::closing(delivered) } else { delivered }
}

async fn controlled(shared: &Arc<Shared>, sandbox: &Arc<Sandbox>, request: Request) -> Delivered {
    let answer = || shared.control.answer(sandbox, &request, (shared.real)());
    let slow = shared.control.is_slow(&request);
    match if slow { shared.aside.run(answer).await } else { answer() } {
        Reply::Whole(response) => deliver::plain(response),
        Reply::Later(response) => deliver::plain(response.await),
        Reply::Stream(head, feed) => deliver::stream(head, Stream::new(*feed, shared)),
    }
}

/// The path of a page, where one is asked for: of the dashboard, or the index, which is JSON for programs.
fn page(to: &Destination, parts: &Parts) -> Option<String> {
    match to {
        Destination::Control(path) => target::behind(path, "/ui").map(str::to_owned),
        Destination::Root => {
            let mut lines = parts.headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
            let html = lines.any(|line| line.contains("text/html") && weight(line, "text/html") > 0);
            html.then(|| "/index".to_owned())
        }
        _ => None,
    }
}

/// A page. Where its sandbox is not there, it says so, and shows what is.
async fn shown(shared: &Shared, sandbox: Result<Arc<Sandbox>, Problem>, mut request: Request) -> Response {
    let (sandbox, lost) = match sandbox {
        Ok(sandbox) => (sandbox, None),
        Err(problem) => {
            request.base.truncate(apart(&request.base).0.len());
            (Arc::clone(shared.registry.default_sandbox()), Some(problem))
        }
    };
    let guarded = shared.gate.token.is_some();
    let ground = ui::Ground { control: &shared.control, sandbox: &sandbox, real: &*shared.real, guarded };
    let answer = async {
        match lost {
            None => shared.ui.answer(ground, &request).await,
            Some(problem) => shared.ui.lost(ground, &request, problem).await,
        }
    };
    // A page is made of several calls, and some of them read files.
    shared.aside.wait_for(answer).await
}

fn find(shared: &Shared, id: Option<&SandboxId>) -> Result<Arc<Sandbox>, Problem> {
    let Some(id) = id else { return Ok(Arc::clone(shared.registry.default_sandbox())) };
    shared.registry.get(id, (shared.real)()).map_err(|why| control::no_sandbox(id, &why))
}

fn api(shared: &Shared, sandbox: &Sandbox, pack: usize, request: Arc<Request>) -> Delivered {
    let rules = shared.rules;
    let committed = sandbox.exchange(pack, Arc::clone(&request), &shared.real, |pack, moment, request| {
        engine::handle(pack, moment, request, rules)
    });
    tell(shared, sandbox, Some(pack), &request, &committed);
    let mut delivered = deliver::committed(committed, &shared.dates);
    if let Some(note) = shared.reloader.note(pack) {
        delivered.headers_mut().insert(RELOAD, note);
    }
    delivered
}

/// A path that no pack has.
fn nowhere(shared: &Shared, sandbox: &Sandbox, request: Arc<Request>) -> Delivered {
    let rules = shared.rules;
    let committed = sandbox.astray(Arc::clone(&request), (shared.real)(), |ground, controls, draws, request| {
        engine::astray(&ground.packs, &ground.options, controls, draws, request, rules)
    });
    tell(shared, sandbox, None, &request, &committed);
    deliver::committed(committed, &shared.dates)
}

/// Counts an exchange, and writes it into the request log. Without a pack the path leads to none.
fn tell(shared: &Shared, sandbox: &Sandbox, pack: Option<usize>, request: &Request, committed: &Committed) {
    let Committed { exchanged, entry } = committed;
    shared.metrics.count(pack, exchanged);
    let unmatched = is_unmatched(exchanged);
    if shared.log.is_none() && !unmatched {
        return;
    }
    let packs = shared.registry.packs();
    let faces: Vec<&Face> = match &exchanged.pack {
        Some(face) => vec![face],
        None => packs.iter().map(|pack| &*pack.face).collect(),
    };
    let path = mask::path_shown(&faces, request, &exchanged.response);
    if unmatched {
        sandbox.note_undocumented(exchanged.pack.as_ref().map(|face| &face.name), request.method.as_str(), &path);
    }
    let Some(log) = &shared.log else { return };
    log(&Line::Exchange(ExchangeLine {
        sandbox: sandbox.id().as_str(),
        method: request.method.as_str(),
        path: &path,
        pack: exchanged.pack_name(),
        status: exchanged.response.status.as_u16(),
        delivery: exchanged.delivery.as_ref().map(|delivery| delivery.word()),
        entry: entry.id,
        at: entry.at,
    }));
}

/// What was not read of a body would be taken for the next request.
fn closing(mut response: Response) -> Response {
    response.set(header::CONNECTION, "close");
    response
}

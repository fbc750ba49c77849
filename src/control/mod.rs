//! The control plane, `/_standin`: what a test, a script or a dashboard steers the server with.
//!
//! JSON in, JSON out, problems for errors; [`routes`] is the one table. It reads and changes sandboxes as a test would
//! and must not know how the engine answers requests. Start with [`Control::answer`].

mod agenda;
mod body;
mod changes;
mod clock;
mod coverage;
mod delivered;
mod diagnostics;
mod differences;
mod events;
mod faults;
mod har;
mod journal;
mod limits;
mod log;
mod metrics;
mod operation;
mod packs;
mod page;
mod pattern;
mod reload;
mod routes;
mod sandboxes;
mod secrets;
mod settings;
mod shown;
mod snapshots;
mod state;
mod stream;
mod stubs;
mod webhooks;
mod wiremock;
mod written;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value as Json, json};

use crate::clock::{Real, Span};
use crate::diagnostic::{did_you_mean, one_of};
use crate::engine;
use crate::exchange::{Problem, Request, Response};
use crate::metrics::Metrics;
use crate::pack::Pack;
use crate::reload::Reloader;
use crate::sandbox::{Closing, NotThere, Registry, Sandbox, SandboxId};
use crate::webhook::Courier;
use routes::{Handler, ROUTES, Row};

pub(crate) use stream::Feed;

/// The control plane of one server.
pub(crate) struct Control {
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
    reloader: Arc<Reloader>,
    courier: Arc<Courier>,
    rules: engine::Rules,
    run: String,
    own: Table,
    wiremock: Table,
}

/// One call, with what its handler may use.
pub(crate) struct Call<'a> {
    pub(crate) registry: &'a Arc<Registry>,
    pub(crate) sandbox: &'a Arc<Sandbox>,
    pub(crate) request: &'a Request,
    pub(crate) parameters: Parameters,
    pub(crate) real: Real,
    pub(crate) metrics: &'a Metrics,
    pub(crate) reloader: &'a Reloader,
    pub(crate) courier: &'a Arc<Courier>,
    pub(crate) rules: engine::Rules,
    pub(crate) run: &'a str,
}

/// What a handler gives.
pub(crate) type Answer = Result<Response, Problem>;

/// What a handler gives that has to wait for others.
pub(crate) type Later<'a, R = Answer> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// What the control plane says to a call.
pub(crate) enum Reply<'a> {
    Whole(Response),
    /// An answer that others have to be waited for.
    Later(Later<'a, Response>),
    /// The head of an answer, and what its body is made of, as it happens.
    Stream(Response, Box<Feed>),
}

impl Control {
    /// `run` tells this server from one that was started at another time.
    pub(crate) fn new(
        registry: Arc<Registry>,
        metrics: Arc<Metrics>,
        reloader: Arc<Reloader>,
        courier: Arc<Courier>,
        rules: engine::Rules,
        run: String,
    ) -> Self {
        let (own, wiremock) = (Table::new("/_standin", ROUTES), Table::new("/__admin", wiremock::ROUTES));
        Control { registry, metrics, reloader, courier, rules, run, own, wiremock }
    }

    /// Whether a call may wait for files, so that whoever waits for it should let others go on.
    pub(crate) fn is_slow(&self, request: &Request) -> bool {
        self.own.find(request).is_ok_and(|(row, _)| matches!(row.handler, Handler::Slow(_)))
    }

    /// Answers one call. The request's path is what stands behind `/_standin`.
    pub(crate) fn answer<'a>(&'a self, sandbox: &'a Arc<Sandbox>, request: &'a Request, real: Real) -> Reply<'a> {
        self.respond(&self.own, sandbox, request, real).unwrap_or_else(|problem| Reply::Whole(problem.into_response()))
    }

    /// Answers a call of a client of WireMock. The request's path is what stands behind `/__admin`.
    pub(crate) fn answer_as_wiremock(&self, sandbox: &Arc<Sandbox>, request: &Request, real: Real) -> Response {
        match self.respond(&self.wiremock, sandbox, request, real) {
            Ok(Reply::Whole(response) | Reply::Stream(response, _)) => response,
            // None of its rows waits.
            Ok(Reply::Later(_)) => Response::new(StatusCode::NOT_IMPLEMENTED),
            Err(problem) => wiremock::refusal(&problem),
        }
    }

    fn respond<'a>(
        &'a self,
        table: &Table,
        sandbox: &'a Arc<Sandbox>,
        request: &'a Request,
        real: Real,
    ) -> Result<Reply<'a>, Problem> {
        let (row, parameters) = table.find(request)?;
        let Control { registry, metrics, reloader, courier, rules, run, .. } = self;
        let rules = *rules;
        let call = Call { registry, metrics, reloader, courier, sandbox, request, parameters, real, rules, run };
        match row.handler {
            Handler::Whole(answer) | Handler::Slow(answer) => answer(&call).map(Reply::Whole),
            Handler::Later(answer) => {
                let answer = answer(call);
                Ok(Reply::Later(Box::pin(async { answer.await.unwrap_or_else(Problem::into_response) })))
            }
            Handler::Stream(follow) => {
                let feed = follow(&call)?;
                let head = Response::new(StatusCode::OK).with_body("text/event-stream", Bytes::new());
                Ok(match request.method == Method::HEAD {
                    true => Reply::Whole(head),
                    false => Reply::Stream(head, Box::new(feed)),
                })
            }
        }
    }
}

/// What stands in a path where a row has a name, decoded.
type Parameters = Vec<(String, String)>;

/// Rows by their paths.
struct Table {
    prefix: &'static str,
    rows: &'static [Row],
    paths: matchit::Router<Vec<usize>>,
}

impl Table {
    fn new(prefix: &'static str, rows: &'static [Row]) -> Self {
        let mut paths = matchit::Router::new();
        let mut templates: Vec<&str> = rows.iter().map(|row| row.path).collect();
        templates.dedup();
        for template in templates {
            let there = (0..rows.len()).filter(|index| rows[*index].path == template).collect();
            // The table is ours: two equal paths stand side by side, and no others collide.
            let _ = paths.insert(template, there);
        }
        Table { prefix, rows, paths }
    }

    /// The row for a call, and the parameters of its path.
    fn find(&self, request: &Request) -> Result<(&'static Row, Parameters), Problem> {
        let prefix = self.prefix;
        let path = match request.path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let Ok(found) = self.paths.at(path) else {
            let detail = match prefix {
                "/_standin" => format!("The control plane has no `{path}`. GET /_standin lists what it has."),
                _ => {
                    format!("There is no `{prefix}{path}`. Of WireMock's calls there are those for stubs and requests.")
                }
            };
            return Err(Problem::not_found("control-path-unknown", detail));
        };
        let rows: Vec<&'static Row> = found.value.iter().map(|index| &self.rows[*index]).collect();
        let wanted = if request.method == Method::HEAD { Method::GET } else { request.method.clone() };
        let Some(row) = rows.iter().find(|row| row.method == wanted.as_str()) else {
            let allowed = rows.iter().map(|row| if row.method == "GET" { "GET, HEAD" } else { row.method });
            let allowed = allowed.collect::<Vec<_>>().join(", ");
            let detail = format!("{} is not among the methods of `{prefix}{path}`: {allowed}.", request.method);
            let problem = Problem::new(
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "The path exists, the method does not",
                detail,
            );
            return Err(problem.header(header::ALLOW, allowed));
        };
        known_query(row, request.query.as_deref().unwrap_or_default())?;
        let parameters = found
            .params
            .iter()
            .map(|(name, value)| {
                let value = percent_encoding::percent_decode_str(value).decode_utf8();
                let value =
                    value.map_err(|_| Problem::bad_request("path-unreadable", format!("`{name}` is not UTF-8.")))?;
                Ok((name.to_owned(), value.into_owned()))
            })
            .collect::<Result<_, Problem>>()?;
        Ok((row, parameters))
    }
}

/// A parameter that is misspelt would otherwise be taken for one that is not there.
fn known_query(row: &Row, query: &str) -> Result<(), Problem> {
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    let known = || row.query.iter().copied().flatten().copied();
    let Some(unknown) = names.find(|name| known().all(|known| known != &**name)) else { return Ok(()) };
    let meant = did_you_mean(&unknown, known());
    let known = if row.query.is_empty() { "none".to_owned() } else { one_of(known()) };
    let detail = format!("`{unknown}` is no parameter here: the query may have {known}.{meant}");
    Err(Problem::bad_request("query-unknown", detail))
}

impl Call<'_> {
    /// A parameter of the path.
    fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The last value of a parameter in the query.
    fn query(&self, name: &str) -> Option<String> {
        let query = self.request.query.as_deref()?;
        form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == name)
            .last()
            .map(|(_, value)| value.into_owned())
    }

    /// The pack that the path names, and its number.
    fn pack(&self) -> Result<(usize, Arc<Pack>), Problem> {
        let name = self.parameter("pack");
        let ground = self.sandbox.ground();
        let found = ground.packs.iter().position(|pack| &*pack.name == name);
        found.map(|number| (number, Arc::clone(&ground.packs[number]))).ok_or_else(|| {
            let known = one_of(ground.packs.iter().map(|pack| &*pack.name));
            Problem::not_found("pack-unknown", format!("There is no pack `{name}`: there are {known}."))
        })
    }

    /// Scheme, host and sandbox, as the caller wrote them.
    fn base(&self) -> &str {
        &self.request.base
    }

    /// Where a pack is reached in a sandbox, in the way that the caller reached this server: by host or by path.
    fn pack_url(&self, sandbox: &SandboxId, pack: &Pack) -> String {
        let (scheme, rest) = self.base().split_once("://").unwrap_or(("http", self.base()));
        let authority = rest.split('/').next().unwrap_or_default();
        let name = authority.trim_end_matches(|character: char| character.is_ascii_digit()).trim_end_matches(':');
        match name.trim_end_matches('.').strip_suffix(".localhost") {
            Some(_) => {
                let port = &authority[name.len()..];
                let id = if sandbox.is_default() { String::new() } else { format!("{sandbox}.") };
                format!("{scheme}://{id}{}.localhost{port}", pack.name)
            }
            None => {
                let id = if sandbox.is_default() { String::new() } else { format!("/~{sandbox}") };
                format!("{scheme}://{authority}{id}/{}", pack.name)
            }
        }
    }

    fn headers(&self) -> &HeaderMap {
        &self.request.headers
    }
}

/// A JSON answer.
fn ok(body: &Json) -> Answer {
    Ok(Response::json(StatusCode::OK, body))
}

/// A call that did what it should and has nothing to say.
fn done() -> Answer {
    Ok(Response::new(StatusCode::NO_CONTENT))
}

/// The problem for a sandbox that is not there.
pub(crate) fn no_sandbox(id: &SandboxId, why: &NotThere) -> Problem {
    match why {
        NotThere::Unknown => {
            let detail = format!("There is no sandbox `{id}`. POST /_standin/sandboxes makes one.");
            Problem::not_found("sandbox-unknown", detail)
        }
        NotThere::Closed(how) => {
            let detail = format!("The sandbox `{id}` {}; ids are not used again.", ended(*how));
            Problem::new("sandbox-closed", StatusCode::GONE, "The sandbox is closed", detail)
        }
    }
}

/// How a sandbox ended, in words.
fn ended(how: Closing) -> String {
    match how {
        Closing::Deleted => "was deleted".to_owned(),
        Closing::Idle(micros) => {
            format!("was closed: nobody used it for {} (--sandbox-idle-timeout)", Span::from_micros(micros))
        }
    }
}

/// `/_standin`
fn index(call: &Call<'_>) -> Answer {
    let root = format!("{}/_standin", call.base());
    let packs: Vec<Json> = call
        .sandbox
        .ground()
        .packs
        .iter()
        .map(|pack| json!({ "name": &*pack.name, "title": pack.title, "baseUrl": call.pack_url(call.sandbox.id(), pack) }))
        .collect();
    let routes: Vec<String> =
        ROUTES.iter().map(|row| format!("{} /_standin{}", row.method, row.path.trim_end_matches('/'))).collect();
    ok(&json!({
        "name": "standin",
        "version": env!("CARGO_PKG_VERSION"),
        "run": call.run,
        "sandbox": call.sandbox.id().as_str(),
        "packs": packs,
        "sandboxes": call.registry.list(call.real).len(),
        "links": {
            "packs": format!("{root}/packs"),
            "sandboxes": format!("{root}/sandboxes"),
            "clock": format!("{root}/clock"),
            "agenda": format!("{root}/clock/agenda"),
            "journal": format!("{root}/journal"),
            "events": format!("{root}/events"),
            "stubs": format!("{root}/stubs"),
            "webhooks": format!("{root}/webhooks"),
            "metrics": format!("{root}/metrics"),
            "coverage": format!("{root}/coverage"),
            "reload": format!("{root}/reload"),
        },
        "routes": routes,
    }))
}

/// `/livez` and `/readyz`: nothing but that it runs. Packs are loaded before the server listens.
fn health(_: &Call<'_>) -> Answer {
    ok(&json!({ "status": "ok" }))
}

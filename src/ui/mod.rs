//! Pages for people: the index, a reference for each pack, and the dashboard, `/_standin/ui/`.
//!
//! They are made of what the control plane says and change what it can change: [`plane`] is the only way to anything
//! else, and whatever a page does a script can do as well. Must not know packs, sandboxes or the engine. [`routes`] is the
//! one table of pages, `templates` is what they look like, [`assets`] what a browser loads besides. Start with
//! [`Ui::answer`].

mod answer;
mod assets;
mod body;
mod clock;
mod coverage;
mod curl;
mod entry;
mod events;
mod faults;
mod form;
mod index;
mod journal;
mod limits;
mod moments;
mod plane;
mod records;
mod reference;
mod refused;
mod reload;
mod routes;
mod sandboxes;
mod story;
mod stubs;
mod timeline;
mod tree;
mod visit;
mod webhooks;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::Method;

use crate::clock::Real;
use crate::control::Control;
use crate::exchange::{Problem, Request, Response};
use crate::expr::Pages;
use crate::sandbox::Sandbox;
use answer::Answer;
use plane::Plane;
use refused::Refused;
use routes::ROUTES;
use visit::Visit;

/// What a page is made of, when it is there.
type Later<'v, R = Result<Answer, Refused>> = Pin<Box<dyn Future<Output = R> + Send + 'v>>;

/// What stands in a path where its row has a name, decoded.
type Parameters = Vec<(String, String)>;

/// The pages of one server.
pub(crate) struct Ui {
    pages: Pages,
    paths: matchit::Router<Vec<usize>>,
}

/// What a page is asked of: the control plane, the sandbox that the address selects, and the time.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) control: &'a Control,
    pub(crate) sandbox: &'a Arc<Sandbox>,
    pub(crate) real: &'a (dyn Fn() -> Real + Send + Sync),
    /// Whether the control plane asks for a token.
    pub(crate) guarded: bool,
}

impl Ui {
    pub(crate) fn new() -> Self {
        let mut paths = matchit::Router::new();
        let mut templates: Vec<&str> = ROUTES.iter().map(|row| row.path).collect();
        templates.dedup();
        for template in templates {
            let there = (0..ROUTES.len()).filter(|index| ROUTES[*index].path == template).collect();
            // The table is ours: two equal paths stand side by side, and no others collide.
            let _ = paths.insert(template, there);
        }
        Ui { pages: Pages::new(assets::TEMPLATES.to_vec()), paths }
    }

    /// The page behind `/_standin/ui`, which the request's path does not have any more.
    pub(crate) async fn answer(&self, ground: Ground<'_>, request: &Request) -> Response {
        let plane = Plane::new(ground, request);
        let mut visit = Visit { plane, pages: &self.pages, request, parameters: Vec::new(), seen: None };
        // Files of the pages are given to everybody, who is to learn nothing else.
        let is_file = request.path.starts_with("/assets");
        let made = match self.find(request) {
            Err(_) if is_file => {
                let problem = Problem::not_found("page-unknown", "There is no such file of the pages.");
                Ok(Answer::File(problem.into_response()))
            }
            Ok((row, parameters)) => {
                visit.parameters = parameters;
                match visit.may_change(row.method) {
                    Ok(()) => {
                        if row.method == "GET" && !is_file && !visit.is_part() {
                            visit.seen = Some(visit.last().await);
                        }
                        (row.handler)(&visit).await
                    }
                    Err(refused) => Err(refused),
                }
            }
            Err(refused) => Err(refused),
        };
        answer::respond(&visit, made).await
    }

    /// The page that says why there is none: the sandbox that the address names is not there. `ground` has another one.
    pub(crate) async fn lost(&self, ground: Ground<'_>, request: &Request, problem: Problem) -> Response {
        let plane = Plane::new(ground, request);
        let visit = Visit { plane, pages: &self.pages, request, parameters: Vec::new(), seen: None };
        answer::respond(&visit, Err(problem.into())).await
    }

    /// The page that asks for the token: `base` is scheme and host, `to` the path to go on to, `missed` says that what was
    /// given is not it. It knows nothing of the server.
    pub(crate) fn login(&self, base: &str, to: &str, missed: bool) -> Response {
        answer::login(&self.pages, base, to, missed)
    }

    fn find(&self, request: &Request) -> Result<(&'static routes::Row, Parameters), Refused> {
        let path = match request.path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let none = || {
            let detail = format!("There is no page `{path}`: the dashboard begins at /_standin/ui/.");
            Problem::not_found("page-unknown", detail)
        };
        let found = self.paths.at(path).map_err(|_| none())?;
        let rows = || found.value.iter().map(|index| &ROUTES[*index]);
        let wanted = if request.method == Method::HEAD { "GET" } else { request.method.as_str() };
        let Some(row) = rows().find(|row| row.method == wanted) else {
            let allowed = rows().map(|row| if row.method == "GET" { "GET, HEAD" } else { row.method });
            let allowed = allowed.collect::<Vec<_>>().join(", ");
            let detail = format!("{} is not among the methods of this page: {allowed}.", request.method);
            let title = "The path exists, the method does not";
            let problem = Problem::new("method-not-allowed", http::StatusCode::METHOD_NOT_ALLOWED, title, detail);
            return Err(problem.header(http::header::ALLOW, allowed).into());
        };
        let decoded =
            |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
        let parameters = found.params.iter().map(|(name, value)| Some((name.to_owned(), decoded(value).ok()?)));
        Ok((row, parameters.collect::<Option<_>>().ok_or_else(none)?))
    }
}

//! What becomes of what a page gives: HTML with what is around it, a part of a page, a redirection, a refusal.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value as Json, json};

use super::refused::Refused;
use super::visit::Visit;
use crate::exchange::{Problem, Response, apart};
use crate::expr::Pages;

const HTML: &str = "text/html; charset=utf-8";

const REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");
const RETARGET: HeaderName = HeaderName::from_static("hx-retarget");
const RESWAP: HeaderName = HeaderName::from_static("hx-reswap");

/// What a page gives.
pub(super) enum Answer {
    /// A page, with what is around it. The template extends `layout.html`.
    Page(&'static str, Json),
    /// A part of a page, for the script of one that is there already.
    Part(&'static str, Json),
    /// What a form asked for is done. This page shows it, and says so with one of the notes of `notes.html`.
    Done { to: String, note: &'static str },
    /// Something that is saved, or that a browser loads besides pages.
    File(Response),
}

/// What the pages may load and do. Scripts are those that come with standin: what a client has sent, and what a stub
/// answers, is on the same host, and must not become one.
fn policy(origin: &str) -> String {
    // A policy cannot spell every host that there is: an address in brackets, a name of a container with `_`.
    let name = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    let spelled = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'));
    let own = if spelled { format!("{origin}/_standin/ui/assets/") } else { "'self'".to_owned() };
    format!(
        "default-src 'none'; script-src {own}; style-src {own}; img-src 'self' data:; connect-src 'self'; form-action \
         'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// The answer that a browser gets.
pub(super) async fn respond(visit: &Visit<'_>, made: Result<Answer, Refused>) -> Response {
    let mut response = match made {
        Ok(Answer::Page(template, context)) => page(visit, StatusCode::OK, template, context).await,
        Ok(Answer::Part(template, context)) => part(visit, template, context).await,
        Ok(Answer::Done { to, note }) => done(visit, &to, note),
        Ok(Answer::File(response)) => response,
        Err(refused) => refusal(visit, refused).await,
    };
    guard(&mut response, visit.plane.base());
    response
}

/// The page that asks for the token.
pub(super) fn login(pages: &Pages, base: &str, to: &str, missed: bool) -> Response {
    let status = if missed { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    let version = env!("CARGO_PKG_VERSION");
    let mut response = render(pages, status, "login.html", &json!({ "to": to, "missed": missed, "version": version }));
    guard(&mut response, base);
    response
}

/// What a browser may do with a page.
fn guard(response: &mut Response, base: &str) {
    // The server has let this host in; what a header cannot carry could not have been its host.
    response.set(header::CONTENT_SECURITY_POLICY, &policy(apart(base).0));
    response.headers.set_default(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response.headers.set_default(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}

async fn page(visit: &Visit<'_>, status: StatusCode, template: &str, mut context: Json) -> Response {
    context["ui"] = visit.frame().await;
    render(visit.pages, status, template, &context)
}

async fn part(visit: &Visit<'_>, template: &str, mut context: Json) -> Response {
    // What is within the frame needs to know where it is, and nothing else.
    context["ui"] = json!({
        "root": visit.root(), "prefix": visit.prefix(), "origin": visit.origin(), "sandbox": visit.plane.sandbox(),
        "path": visit.request.path, "query": visit.request.query,
    });
    render(visit.pages, StatusCode::OK, template, &context)
}

fn render(pages: &Pages, status: StatusCode, template: &str, context: &Json) -> Response {
    match pages.render(template, context) {
        Ok(html) => Response::new(status).with_body(HTML, html),
        Err(fault) => {
            let title = "The page cannot be made";
            let detail = format!("The template {fault}. This is a mistake in standin.");
            Problem::new("page-failed", StatusCode::INTERNAL_SERVER_ERROR, title, detail).into_response()
        }
    }
}

fn done(visit: &Visit<'_>, to: &str, note: &str) -> Response {
    let (path, fragment) = to.split_once('#').map_or((to, String::new()), |(path, at)| (path, format!("#{at}")));
    let mark = if path.contains('?') { '&' } else { '?' };
    let to = format!("{path}{mark}done={note}{fragment}");
    let (status, name) = match visit.is_part() {
        true => (StatusCode::OK, REDIRECT),
        false => (StatusCode::SEE_OTHER, header::LOCATION),
    };
    let mut response = Response::new(status).with_body(HTML, Bytes::new());
    response.set(name, &to);
    response
}

/// A form that was refused keeps what was typed: the script puts the reason above it. Everybody else gets a page.
async fn refusal(visit: &Visit<'_>, refused: Refused) -> Response {
    let context = json!({ "slug": refused.slug(), "problem": refused.problem });
    if !visit.is_part() {
        return page(visit, refused.status, "problem.html", context).await;
    }
    let mut response = part(visit, "problem-part.html", context).await;
    response.status = refused.status;
    response.set(RETARGET, "#problem");
    response.set(RESWAP, "innerHTML");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_those_of_the_pages_wherever_that_can_be_said() {
        for origin in ["http://127.0.0.1:4010", "https://localhost", "http://one.shop.localhost:4010"] {
            assert!(policy(origin).contains(&format!("script-src {origin}/_standin/ui/assets/;")), "{origin}");
        }
        for origin in ["http://[::1]:4010", "http://my_service:4010"] {
            assert!(policy(origin).contains("script-src 'self';"), "{origin}");
        }
    }
}

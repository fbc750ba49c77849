//! The token of the control plane, traded for a cookie: a browser cannot be told to send a header with a page.
//!
//! The cookie holds no token, is not readable by scripts, is not sent by pages of other sites, and never comes to an API.

use http::header::{COOKIE, LOCATION, REFERER, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use hyper::body::Incoming;

use super::deliver::{self, Delivered};
use super::gate::{Host, Token};
use super::target::{Door, Scheme};
use super::{Shared, read};
use crate::exchange::{Body, Problem, Response};

const PREFIX: &str = "standin-session-";

/// Where the token is asked for, and where a browser is to forget it, behind `/_standin`.
pub(super) const LOGIN: &str = "/ui/login";
pub(super) const LOGOUT: &str = "/ui/logout";

/// Browsers do not tell the cookies of one port from those of another, so the name does.
fn name(host: &Host, scheme: Scheme) -> String {
    let port = host.authority.rsplit_once(':').map(|(_, port)| port);
    let port = port.filter(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    format!("{PREFIX}{}", port.unwrap_or(&scheme.port()[1..]))
}

/// The cookies of a request, by name.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// Whether a browser has traded this token.
pub(super) fn holds(token: &Token, headers: &HeaderMap, host: &Host, scheme: Scheme) -> bool {
    let name = name(host, scheme);
    cookies(headers).any(|(known, value)| known == name && token.is_session(value))
}

/// Takes our cookies out of a request that an API answers: they are nothing that it, or its journal, may know.
pub(super) fn strip(headers: &mut HeaderMap) {
    if !cookies(headers).any(|(name, _)| name.starts_with(PREFIX)) {
        return;
    }
    let kept: Vec<String> = cookies(headers)
        .filter(|(name, _)| !name.starts_with(PREFIX))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    headers.remove(COOKIE);
    if let Ok(line) = HeaderValue::from_str(&kept.join("; "))
        && !line.is_empty()
    {
        headers.insert(COOKIE, line);
    }
}

/// What a browser gets in place of a page that asks for the token: the page where it is asked for.
pub(super) fn ask(parts: &Parts) -> Delivered {
    // A form is not sent again by opening its address; what it is about is where it came from.
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let from = || parts.headers.get(REFERER).and_then(|from| from.to_str().ok()?.parse::<Uri>().ok());
    let wanted = if reads { Some(parts.uri.clone()) } else { from() };
    let wanted = wanted.as_ref().and_then(Uri::path_and_query).map_or("/_standin/ui/", |wanted| wanted.as_str());
    let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("to", wanted).finish();
    let to = format!("/_standin{LOGIN}?{query}");
    let (status, name) = match parts.headers.contains_key("hx-request") {
        true => (StatusCode::UNAUTHORIZED, HeaderName::from_static("hx-redirect")),
        false => (StatusCode::SEE_OTHER, LOCATION),
    };
    let mut response = Response::new(status);
    response.set(name, &to);
    deliver::plain(response)
}

/// Has a browser forget what it keeps.
pub(super) fn logout(host: &Host, scheme: Scheme) -> Delivered {
    entered("/_standin/ui/", Some(format!("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", name(host, scheme))))
}

/// Shows the page that asks for the token, or takes it.
pub(super) async fn login(shared: &Shared, door: &Door, host: &Host, parts: Parts, incoming: Incoming) -> Delivered {
    let mut held = read::Held::new(&shared.bodies);
    let body = match read::body(incoming, &shared.limits, &mut held).await {
        Ok(Body::Whole(body)) => body,
        Ok(Body::TooLarge { limit }) => {
            return deliver::closing(deliver::plain(too_large(limit).into_response()));
        }
        Err(problem) => return deliver::closing(deliver::plain(problem.into_response())),
    };
    let base = format!("{}://{}", door.scheme.word(), host.authority);
    let field = |bytes: &[u8], wanted: &str| {
        let found = form_urlencoded::parse(bytes).filter(|(name, _)| name == wanted).last();
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let page = |to: &str, missed| deliver::plain(shared.ui.login(&base, &local(to), missed));
    match parts.method {
        Method::GET | Method::HEAD => page(&field(parts.uri.query().unwrap_or_default().as_bytes(), "to"), false),
        Method::POST => {
            let to = field(&body, "to");
            let given = field(&body, "token");
            let Some(token) = shared.gate.token.as_ref() else { return entered(&local(&to), None) };
            if !token.is(given.trim()) {
                return page(&to, true);
            }
            let secure = if door.scheme == Scheme::Https { "; Secure" } else { "" };
            let (name, session) = (name(host, door.scheme), token.session());
            entered(&local(&to), Some(format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict{secure}")))
        }
        _ => deliver::plain(wrong().into_response()),
    }
}

fn wrong() -> Problem {
    let title = "The path exists, the method does not";
    let detail = "The page of the token is read, and takes a short form: GET, HEAD, POST.";
    Problem::new("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, title, detail)
        .header(http::header::ALLOW, "GET, HEAD, POST")
}

fn too_large(limit: usize) -> Problem {
    let detail = format!("The form has more than {limit} bytes, and a token is short.");
    Problem::new("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large", detail)
}

fn entered(to: &str, cookie: Option<String>) -> Delivered {
    let mut response = Response::new(StatusCode::SEE_OTHER);
    response.set(LOCATION, to);
    if let Some(cookie) = cookie {
        response.set(SET_COOKIE, &cookie);
    }
    deliver::plain(response)
}

/// Where to go on. Whoever made the link may not lead to another server: a path begins with one slash.
fn local(to: &str) -> String {
    let path = to.starts_with('/') && !to[1..].starts_with(['/', '\\']);
    let fine = path && to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if fine { to.to_owned() } else { "/_standin/ui/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(authority: &str) -> Host {
        Host { authority: authority.to_owned(), labels: None }
    }

    fn with(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn a_session_is_of_one_token_and_one_port() {
        let (token, other) = (Token::new("0123456789abcdef"), Token::new("fedcba9876543210"));
        let session = token.session();
        let holds = |token: &Token, line: &str, at: &str| holds(token, &with(&[line]), &host(at), Scheme::Http);
        let line = format!("a=b; standin-session-4010={session}");
        assert!(holds(&token, &line, "localhost:4010"));
        assert!(!holds(&other, &line, "localhost:4010"));
        assert!(!holds(&token, &line, "localhost:4011"));
        assert!(!holds(&token, "standin-session-4010=0123456789abcdef", "localhost:4010"));
        assert!(!holds(&token, "standin-session-4010=", "localhost:4010"));
        assert!(holds(&token, &format!("standin-session-80={session}"), "standin"));
        assert!(!session.contains("0123456789abcdef"));
    }

    #[test]
    fn an_api_never_sees_it() {
        let mut headers = with(&["a=b; standin-session-4010=x", "standin-session-9=y; c=d=e"]);
        strip(&mut headers);
        assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["a=b; c=d=e"]);
        let mut headers = with(&["standin-session-4010=x"]);
        strip(&mut headers);
        assert!(!headers.contains_key(COOKIE));
        let mut headers = with(&["a=b; c", "d"]);
        strip(&mut headers);
        assert_eq!(headers, with(&["a=b; c", "d"]), "what has none of ours stays as it was sent");
    }

    #[test]
    fn nobody_is_led_to_another_server() {
        for to in ["/_standin/ui/journal/7?a=b%20c", "/", "/~one/_standin/ui/"] {
            assert_eq!(local(to), to);
        }
        for to in ["", "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\r\nb: c", "/a\\b", "/é"]
        {
            assert_eq!(local(to), "/_standin/ui/", "{to}");
        }
    }
}

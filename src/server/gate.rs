//! Who may call what: a known host for everything; the server's own origin, and its token, for the control plane.
//!
//! It looks at the head of a request only, and stands in front of every route. Start with [`host`] and
//! [`Gate::admit`].

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, StatusCode, Version, header};
use ring::hmac;

use super::session;
use super::target::{Door, Scheme};
use crate::exchange::DELIVERY;
use crate::exchange::Problem;

/// The rules of one server.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) hosts: Hosts,
    /// What the control plane asks for; nothing when there is no token.
    pub(crate) token: Option<Token>,
}

/// Names and addresses that this server answers to besides its own.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Hosts {
    names: Vec<String>,
    addresses: Vec<IpAddr>,
}

/// The host of a request, which is one of this server's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// As a browser writes it behind the scheme: in lower case, with the port.
    pub(super) authority: String,
    /// What stands before `.localhost`, unless the whole name is allowed.
    pub(super) labels: Option<String>,
}

impl Hosts {
    /// Reads names as they are written on the command line. An error says what is wrong with the first that is none.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, String> {
        let mut hosts = Hosts::default();
        for text in texts {
            let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
            if let Some(address) = address(&name).or_else(|| name.parse().ok()) {
                hosts.addresses.push(address.to_canonical());
            } else if is_name(&name) {
                hosts.names.push(name);
            } else {
                return Err(format!("`{}` {}", text.escape_debug(), wrong(&name)));
            }
        }
        Ok(hosts)
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Whether a name or an address literal, without port and trailing dot, may be called.
    fn admits(&self, name: &str, door: &Door) -> bool {
        match address(name) {
            // A name can be made to lead here by whoever owns it, an address cannot.
            Some(address) => {
                let address = address.to_canonical();
                address.is_loopback()
                    || address == door.address.ip().to_canonical()
                    || self.addresses.contains(&address)
            }
            None => name == "localhost" || self.names.iter().any(|known| known == name),
        }
    }
}

/// An address as it stands in a URL: IPv6 in brackets, IPv4 without.
fn address(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => inside.parse().ok().map(IpAddr::V6),
        None => text.parse().ok().map(IpAddr::V4),
    }
}

/// Names of containers have underscores, too.
fn is_name(text: &str) -> bool {
    let word = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(word)
}

fn wrong(name: &str) -> &'static str {
    let port = |(host, port): (&str, &str)| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && (is_name(host) || address(host).is_some())
    };
    if name.contains("://") {
        "has a scheme: write the host alone, such as `standin` or `api.test`"
    } else if name.rsplit_once(':').is_some_and(port) {
        "has a port: leave it out, a host is allowed with any port"
    } else if name.contains('*') {
        "has a wildcard: names are exact, so allow each of them"
    } else {
        "is no host name: it has letters, digits, hyphens and dots, such as `standin` or `api.test`"
    }
}

/// Finds the host that the client called, and refuses names that are not this server's: behind such a name may be a
/// page of someone else who made it lead here.
pub(super) fn host(parts: &Parts, door: &Door, hosts: &Hosts) -> Result<Host, Problem> {
    let authority = called(parts, door)?;
    let name = without_port(&authority);
    let name = name.strip_suffix('.').unwrap_or(name);
    let labels = match name.strip_suffix(".localhost") {
        _ if hosts.admits(name, door) => None,
        Some(labels) => Some(labels.to_owned()),
        None => {
            let detail = format!(
                "`{name}` is not a name of this server: use localhost, a loopback address or <pack>.localhost, or start \
                 it with --allow-host and the name."
            );
            return Err(Problem::new("host-unknown", StatusCode::FORBIDDEN, "The host is not served here", detail));
        }
    };
    Ok(Host { authority, labels })
}

fn called(parts: &Parts, door: &Door) -> Result<String, Problem> {
    if let Some(authority) = parts.uri.authority() {
        return Ok(authority.as_str().to_ascii_lowercase());
    }
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    match (hosts.next().map(|value| value.to_str()), hosts.next()) {
        (_, Some(_)) => Err(Problem::bad_request("host-twice", "The request has more than one Host header.")),
        (Some(Ok(host)), None) => Ok(host.to_ascii_lowercase()),
        (Some(Err(_)), None) => Err(Problem::bad_request("host-unreadable", "The Host header is not text.")),
        (None, None) if parts.version == Version::HTTP_10 => Ok(door.address.to_string()),
        (None, None) => {
            Err(Problem::bad_request("host-missing", "The request has no Host header, which HTTP/1.1 needs."))
        }
    }
}

pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// What a call of the control plane needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Token,
    /// Health says nothing that must be kept from anyone, and the page of the token is where it is given.
    Nothing,
}

impl Gate {
    /// Lets a call through to the control plane, or says why not.
    pub(super) fn admit(&self, headers: &HeaderMap, host: &Host, scheme: Scheme, needs: Needs) -> Result<(), Problem> {
        if headers.contains_key(DELIVERY) {
            return Err(delivered());
        }
        if let Some(foreign) = foreign_origin(headers, &format!("{}://{}", scheme.word(), host.authority)) {
            let detail =
                format!("Pages of `{foreign}` may not steer this server: call it from no page, or from its own.");
            return Err(Problem::new(
                "origin-foreign",
                StatusCode::FORBIDDEN,
                "The origin is not this server's own",
                detail,
            ));
        }
        match &self.token {
            Some(token) if needs == Needs::Token && !session::holds(token, headers, host, scheme) => token.ask(headers),
            _ => Ok(()),
        }
    }
}

/// Who may set the URL of a webhook may call packs, and would have standin steer itself.
fn delivered() -> Problem {
    let detail = "A delivery of a webhook may call packs, and not what steers the server: change the URL of the webhook, or \
                  leave the header `Standin-Delivery` out.";
    Problem::new("delivery-refused", StatusCode::FORBIDDEN, "Deliveries may not call the control plane", detail)
}

/// The `Origin` of a page that is not this server's own. Browsers write it in exactly one way, and send it once.
fn foreign_origin(headers: &HeaderMap, own: &str) -> Option<String> {
    let mut origins = headers.get_all(header::ORIGIN).iter().peekable();
    origins.peek()?;
    let foreign = origins.find(|origin| origin.as_bytes() != own.as_bytes());
    match foreign {
        Some(origin) => Some(origin.to_str().unwrap_or("an unreadable origin").to_owned()),
        None if headers.get_all(header::ORIGIN).iter().count() > 1 => Some("more than one origin".to_owned()),
        None => None,
    }
}

const SESSION: &[u8] = b"a browser that knows the token";

/// What the control plane asks for, kept in a form that it cannot be read from.
#[derive(Debug)]
pub(crate) struct Token {
    key: hmac::Key,
    tag: hmac::Tag,
}

impl Token {
    pub(crate) fn new(text: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes());
        let tag = hmac::sign(&key, text.as_bytes());
        Token { key, tag }
    }

    /// How long this takes says nothing about how much of a guess is right.
    pub(super) fn is(&self, given: &str) -> bool {
        hmac::verify(&self.key, given.as_bytes(), self.tag.as_ref()).is_ok()
    }

    /// What a browser keeps in place of the token, which cannot be found by it.
    pub(super) fn session(&self) -> String {
        hmac::sign(&self.key, SESSION).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The same of how long it takes.
    pub(super) fn is_session(&self, given: &str) -> bool {
        let digits = given.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        digits.collect::<Option<Vec<u8>>>().is_some_and(|tag| hmac::verify(&self.key, SESSION, &tag).is_ok())
    }

    fn ask(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let given = match (all.next(), all.next()) {
            (Some(one), None) => one.to_str().ok().and_then(bearer),
            _ => None,
        };
        let what = match given {
            Some(given) if self.is(given) => return Ok(()),
            Some(_) => "another token was sent",
            None => "none was sent",
        };
        let detail = format!(
            "The control plane asks for `Authorization: Bearer <token>`, and {what}. The token is the one given with \
             --token or STANDIN_TOKEN; without either it was made at the start, and is printed there."
        );
        let problem =
            Problem::new("token-required", StatusCode::UNAUTHORIZED, "The control plane asks for a token", detail);
        Err(problem.header(header::WWW_AUTHENTICATE, "Bearer realm=\"standin\""))
    }
}

fn bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn door(address: &str) -> Door {
        Door { pack: None, address: address.parse().unwrap(), scheme: Scheme::Http, main: 4010 }
    }

    fn hosts(names: &[&str]) -> Result<Hosts, String> {
        Hosts::parse(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    fn ask(text: &str, allowed: &[&str], at: &str) -> Result<Host, &'static str> {
        let (parts, ()) = http::Request::builder().header("host", text).body(()).unwrap().into_parts();
        host(&parts, &door(at), &hosts(allowed).unwrap()).map_err(|problem| problem.slug)
    }

    #[test]
    fn own_names_and_the_address_of_the_connection_are_hosts() {
        for (text, at) in [
            ("localhost", "127.0.0.1:4010"),
            ("LOCALHOST.:80", "127.0.0.1:4010"),
            ("127.9.9.9", "127.0.0.1:4010"),
            ("[::1]:4010", "[::1]:4010"),
            ("192.0.2.7:4010", "192.0.2.7:4010"),
            ("192.0.2.7", "[::ffff:192.0.2.7]:4010"),
            ("[::ffff:192.0.2.7]", "192.0.2.7:4010"),
            ("[2001:db8::7]:1", "[2001:db8::7]:4010"),
        ] {
            assert_eq!(ask(text, &[], at).unwrap().labels, None, "{text}");
        }
        assert_eq!(ask("a.b.localhost", &[], "127.0.0.1:1").unwrap().labels.as_deref(), Some("a.b"));
    }

    #[test]
    fn other_names_and_other_addresses_are_not() {
        for text in [
            "",
            ".",
            "evil.example",
            "localhost.evil.example",
            "localhost..",
            "evillocalhost",
            "192.0.2.8",
            "192.0.2.7.evil.example",
            "192.0.2.7..",
            "[192.0.2.7]",
            "[localhost]",
            "[::1",
            "::1",
            "0.0.0.0",
            "[::]",
            "3221225991",
            "192.0.519",
            "evil@192.0.2.7",
            "standin.evil.example",
            "xstandin",
        ] {
            assert_eq!(ask(text, &["standin"], "192.0.2.7:4010"), Err("host-unknown"), "{text}");
        }
    }

    #[test]
    fn an_allowed_name_is_exact_in_any_case_with_any_port() {
        for text in ["standin", "STANDIN:4010", "standin.", "standin.:1", "api.test", "10.0.0.7:80", "[2001:db8::7]"] {
            let allowed = ["Standin", "api.test.", "10.0.0.7", "[2001:DB8::7]"];
            assert_eq!(ask(text, &allowed, "192.0.2.7:1").unwrap().labels, None, "{text}");
        }
        let own = ask("shop.localhost", &["shop.localhost"], "127.0.0.1:1").unwrap();
        assert_eq!(own.labels, None, "an allowed name is like localhost, and chooses nothing");
        for text in ["a.standin", "standin.test", "test", "10.0.0.8"] {
            assert_eq!(ask(text, &["standin", "api.test"], "192.0.2.7:1"), Err("host-unknown"), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_name_cannot_be_allowed() {
        for (text, words) in [
            ("http://standin", "`http://standin` has a scheme: write the host alone"),
            ("standin:4010", "`standin:4010` has a port: leave it out"),
            ("[::1]:4010", "has a port"),
            ("*.test", "`*.test` has a wildcard: names are exact"),
            ("", "`` is no host name"),
            (".", "is no host name"),
            ("a..b", "is no host name"),
            ("-a", "is no host name"),
            ("a b", "is no host name"),
            ("a/b", "is no host name"),
            ("a\n", "`a\\n` is no host name"),
            ("bücher.test", "is no host name"),
            ("[::1", "is no host name"),
        ] {
            let error = hosts(&["fine", text]).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(hosts(&[&"a".repeat(64)]).is_err() && hosts(&[&["a"; 128].join(".")]).is_err());
        assert!(hosts(&["::1", "my_service", "xn--bcher-kva.test", "1.2.3.4"]).is_ok());
    }

    #[test]
    fn only_the_exact_own_origin_passes() {
        let own = "http://localhost:4010";
        let foreign = |origins: &[&str]| {
            let mut headers = HeaderMap::new();
            for origin in origins {
                headers.append(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            foreign_origin(&headers, own)
        };
        assert_eq!((foreign(&[]), foreign(&[own])), (None, None));
        for origin in [
            "",
            "null",
            "http://localhost",
            "http://localhost:4010/",
            "http://localhost:4010/a",
            "http://localhost:40100",
            "HTTP://LOCALHOST:4010",
            "http://Localhost:4010",
            "https://localhost:4010",
            "http://localhost.:4010",
            "http://evil@localhost:4010",
            "http://localhost:4010, http://localhost:4010",
        ] {
            assert_eq!(foreign(&[origin]).as_deref(), Some(origin));
            assert_eq!(foreign(&[own, origin]).as_deref(), Some(origin));
        }
        assert_eq!(foreign(&[own, own]).as_deref(), Some("more than one origin"));
    }

    #[test]
    fn one_token_passes() {
        let token = Token::new("0123456789abcdef");
        let ask = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            token.ask(&headers).is_ok()
        };
        for good in ["Bearer 0123456789abcdef", "bearer 0123456789abcdef", "BEARER  0123456789abcdef"] {
            assert!(ask(&[good]), "{good}");
        }
        for bad in [
            &[][..],
            &[""],
            &["Bearer"],
            &["Bearer "],
            &["0123456789abcdef"],
            &["Basic 0123456789abcdef"],
            &["Bearer 0123456789abcde"],
            &["Bearer 0123456789abcdeff"],
            &["Bearer 0123456789ABCDEF"],
            &["Bearer 0123456789abcdef, Bearer 0123456789abcdef"],
            &["Bearer 0123456789abcdef", "Bearer 0123456789abcdef"],
            &["Bearer 0123456789abcdef", "Bearer x"],
        ] {
            assert!(!ask(bad), "{bad:?}");
        }
    }
}

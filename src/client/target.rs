//! Where a server is, as it is written on a command line.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderValue;
use url::{Host, Position, Url};

/// The longest text that is read as a URL.
const MOST_URL: usize = 8 << 10;

/// The URL of a server, read.
#[derive(Debug)]
pub(super) struct Target {
    /// As it is shown: without a slash at the end.
    pub(super) base: String,
    pub(super) is_secure: bool,
    pub(super) host: Host<String>,
    pub(super) port: u16,
    /// What goes before every path: empty, or with a slash in front and none at the end.
    pub(super) prefix: String,
    pub(super) host_header: HeaderValue,
}

impl Target {
    /// The error never repeats what was written: there may be a password in it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let wrong =
            |why: &str| format!("this is no URL of a server, as {why}: write one such as `http://127.0.0.1:4010`");
        if text.len() > MOST_URL {
            return Err(wrong(&format!("it has {} bytes, and may have {MOST_URL}", text.len())));
        }
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it begins with neither `http://` nor `https://`"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it has a user name or a password in it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has a `?` or a `#` in it"));
        }
        let Some((host, port)) = url.host().map(|host| host.to_owned()).zip(url.port_or_known_default()) else {
            return Err(wrong("it has no host"));
        };
        let host_header = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]);
        Ok(Target {
            base: url[..Position::AfterPath].trim_end_matches('/').to_owned(),
            is_secure: url.scheme() == "https",
            host,
            port,
            prefix: url.path().trim_end_matches('/').to_owned(),
            host_header: host_header.map_err(|_| wrong("its host cannot be sent"))?,
        })
    }

    /// The addresses that are known without asking anybody.
    pub(super) fn known(&self) -> Result<Vec<SocketAddr>, &str> {
        let addresses: Vec<IpAddr> = match &self.host {
            Host::Ipv4(address) => vec![(*address).into()],
            Host::Ipv6(address) => vec![(*address).into()],
            Host::Domain(name) if is_local(name) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Host::Domain(name) => return Err(name),
        };
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, self.port)).collect())
    }
}

/// Not every system knows names below `localhost`; they are this machine nevertheless.
fn is_local(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// Some of the addresses, for words.
pub(super) fn listed(addresses: &[SocketAddr]) -> String {
    const SOME: usize = 4;
    let shown: Vec<String> = addresses.iter().take(SOME).map(SocketAddr::to_string).collect();
    let mut text = shown.join(", ");
    if addresses.len() > SOME {
        let _ = write!(text, " and {} more", addresses.len() - SOME);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_a_server_is_read() {
        for (text, base, host, prefix, is_secure) in [
            ("http://127.0.0.1:4010", "http://127.0.0.1:4010", "127.0.0.1:4010", "", false),
            ("http://LOCALHOST:80/", "http://localhost", "localhost", "", false),
            ("https://a.b.localhost:4010/x/y//", "https://a.b.localhost:4010/x/y", "a.b.localhost:4010", "/x/y", true),
            ("http://[::1]:9/~alice", "http://[::1]:9/~alice", "[::1]:9", "/~alice", false),
        ] {
            let target = Target::read(text).unwrap();
            assert_eq!((&*target.base, &*target.prefix, target.is_secure), (base, prefix, is_secure), "{text}");
            assert_eq!(target.host_header, host, "{text}");
        }
        let known = |text| Target::read(text).unwrap().known().map(|all| listed(&all)).map_err(str::to_owned);
        assert_eq!(known("http://x.localhost.:1/"), Ok("127.0.0.1:1, [::1]:1".to_owned()));
        assert_eq!(known("https://[::1]/"), Ok("[::1]:443".to_owned()));
        assert_eq!(known("http://xlocalhost/"), Err("xlocalhost".to_owned()));
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused_without_being_repeated() {
        let long = format!("http://hidden/{}", "a".repeat(MOST_URL));
        for (text, words) in [
            ("", "relative URL without a base"),
            ("hidden:4010", "it begins with neither `http://` nor `https://`"),
            ("127.0.0.1:4010", "relative URL without a base"),
            ("ftp://hidden/", "it begins with neither"),
            ("http://", "empty host"),
            ("http://me:hidden@localhost/", "it has a user name or a password in it"),
            ("http://hidden@localhost/", "it has a user name or a password in it"),
            ("http://localhost/?hidden", "it has a `?` or a `#` in it"),
            ("http://localhost/#hidden", "it has a `?` or a `#` in it"),
            (&long, "bytes, and may have 8192"),
        ] {
            let error = Target::read(text).unwrap_err();
            assert!(error.contains(words) && !error.contains("hidden"), "{text}: {error}");
            assert!(error.ends_with("write one such as `http://127.0.0.1:4010`"), "{error}");
        }
    }
}

//! Which calls are let out, and to which addresses: the one way out of a server.
//!
//! Whoever can set the URL of a webhook can be anybody who may call a pack. So a URL says where to knock, and never
//! what may be reached: that is this machine, and what the command line names. Start with [`Gate::open`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Position, Url};

use super::address::barred;
use crate::exchange::Failed;

/// The longest text that is read as a URL.
const MOST_URL: usize = 8 << 10;

/// The longest name that the system of names has room for.
const MOST_NAME: usize = 253;

/// Why a call is not made: for programs, and in words with the remedy.
pub(super) type Refusal = (Failed, String);

/// Who may be called besides this machine.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    allowed: Vec<Allowed>,
}

/// One name or address, with one port or with all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowed {
    host: Named,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    Address(IpAddr),
    Name(String),
    /// All names that end with a dot and this.
    Below(String),
}

/// A URL that may be called.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) is_secure: bool,
    pub(super) host: Host<String>,
    /// Host and port as the URL has them: the port only where it is not the usual one.
    pub(super) authority: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) to: To,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum To {
    Addresses(Vec<SocketAddr>),
    /// Whose addresses are to be looked up, and [`checked`].
    Name(String, u16),
}

impl Allowed {
    /// Reads a host as it is written on the command line. An error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let refused = |why: &str| format!("`{}` {why}", text.escape_debug());
        if text.contains("://") {
            return Err(refused("has a scheme: write the host alone, such as `hooks.example.com` or `10.1.2.3:8080`"));
        }
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address without brackets has no port.
            Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, Some(port)),
            _ => (text, None),
        };
        let port = match port.map(str::parse) {
            None => None,
            Some(Ok(port @ 1_u16..)) => Some(port),
            Some(_) => return Err(refused("has a port that is none: it is a number from 1 to 65535")),
        };
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address = match bare {
            Some(inside) => inside.parse().ok().map(IpAddr::V6),
            None => host.parse().ok(),
        };
        if let Some(address) = address {
            return match barred(address) {
                None => Ok(Allowed { host: Named::Address(address.to_canonical()), port }),
                Some(kind) => Err(refused(&format!("is an address that nothing is ever sent to: it is {kind}"))),
            };
        }
        let (below, name) = host.strip_prefix("*.").map_or((false, host), |name| (true, name));
        if name.contains('*') {
            return Err(refused("has a wildcard that is not in front of a name: write it as in `*.example.com`"));
        }
        match Host::parse(name) {
            Ok(Host::Domain(name)) if is_name(undotted(&name)) => {
                let name = undotted(&name).to_owned();
                Ok(Allowed { host: if below { Named::Below(name) } else { Named::Name(name) }, port })
            }
            Ok(Host::Ipv4(address)) if !below => {
                Err(refused(&format!("is an address in another spelling: write `{address}`")))
            }
            _ => Err(refused("is no host: write a name, `*.` and a name, or an address, such as `hooks.example.com`")),
        }
    }

    fn admits(&self, host: &Host<String>, port: u16) -> bool {
        let called = match (&self.host, host) {
            (Named::Address(known), Host::Ipv4(address)) => *known == IpAddr::V4(*address),
            (Named::Address(known), Host::Ipv6(address)) => *known == IpAddr::V6(*address).to_canonical(),
            (Named::Name(known), Host::Domain(name)) => known == undotted(name),
            (Named::Below(known), Host::Domain(name)) => below(undotted(name), known),
            (Named::Address(_), Host::Domain(_)) | (Named::Name(_) | Named::Below(_), _) => false,
        };
        called && self.port.is_none_or(|known| known == port)
    }
}

/// What names look like is the URL's business; here it is whether each part of it is there.
fn is_name(text: &str) -> bool {
    text.len() <= MOST_NAME && text.split('.').all(|label| (1..=63).contains(&label.len()))
}

/// A name may end with a dot, which says that it is whole.
fn undotted(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.')).is_some_and(|labels| !labels.is_empty())
}

impl Gate {
    pub(crate) fn new(allowed: Vec<Allowed>) -> Self {
        Gate { allowed }
    }

    /// Reads the URL of a receiver, and says whether it may be called. Nobody is asked for a name that may not.
    pub(super) fn open(&self, text: &str) -> Result<Way, Refusal> {
        let url = read(text)?;
        let Some((host, port)) = url.host().map(|host| host.to_owned()).zip(url.port_or_known_default()) else {
            return Err(wrong("it has no host"));
        };
        let authority = url[Position::BeforeHost..Position::AfterPort].to_owned();
        let allowed = self.allowed.iter().any(|allowed| allowed.admits(&host, port));
        let refused = || {
            let words = format!(
                "`{authority}` is not let out: webhooks go to this machine only, and to what `--allow-webhook-host \
                 {host}` allows at the start"
            );
            (Failed::Forbidden, words)
        };
        let literal = |address: IpAddr| {
            let address = address.to_canonical();
            match barred(address) {
                Some(kind) => Err(never(&authority, kind)),
                None if allowed || address.is_loopback() => Ok(To::Addresses(vec![SocketAddr::new(address, port)])),
                None => Err(refused()),
            }
        };
        let to = match &host {
            Host::Ipv4(address) => literal((*address).into())?,
            Host::Ipv6(address) => literal((*address).into())?,
            Host::Domain(name) if undotted(name).len() > MOST_NAME => {
                return Err(wrong(&format!(
                    "its host has {} characters, and no name has more than {MOST_NAME}",
                    name.len()
                )));
            }
            // What the system makes of these names is not asked: it might be another machine.
            Host::Domain(name) if undotted(name) == "localhost" || below(undotted(name), "localhost") => {
                let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
                To::Addresses(both.map(|address| SocketAddr::new(address, port)).to_vec())
            }
            Host::Domain(name) if allowed => To::Name(name.clone(), port),
            Host::Domain(_) => return Err(refused()),
        };
        let target = url[Position::BeforePath..Position::AfterQuery].to_owned();
        Ok(Way { is_secure: url.scheme() == "https", host, authority, target, to })
    }
}

/// The words never repeat what was written: there may be a password in it.
fn read(text: &str) -> Result<Url, Refusal> {
    if text.len() > MOST_URL {
        return Err(wrong(&format!("it has {} bytes, and may have {MOST_URL}", text.len())));
    }
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it begins with neither `http://` nor `https://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let words = "the URL of the webhook has a user name or a password in it: take the credentials out";
        return Err((Failed::Url, words.to_owned()));
    }
    Ok(url)
}

fn wrong(why: &str) -> Refusal {
    let words =
        format!("the webhook has no URL that can be called, as {why}: write one such as `http://localhost:8080/hook`");
    (Failed::Url, words)
}

fn never(host: &str, kind: &str) -> Refusal {
    (
        Failed::Forbidden,
        format!("nothing is ever sent to `{host}`: the address is {kind}; give the webhook the URL of a receiver"),
    )
}

/// The addresses of an allowed name, none of which is barred. They may be private: containers are called by names.
pub(super) fn checked(name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refusal> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        let ip = address.ip().to_canonical();
        if let Some(kind) = barred(ip) {
            // Not even the others: whoever answers for the name would only have to ask again.
            return Err(never(&format!("{name} ({ip})"), kind));
        }
        let address = SocketAddr::new(ip, address.port());
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(allowed: &[&str]) -> Gate {
        Gate::new(allowed.iter().map(|text| Allowed::parse(text).unwrap()).collect())
    }

    /// Where a URL leads: addresses, `name:port`, or why it is refused.
    fn ask(gate: &Gate, text: &str) -> String {
        match gate.open(text) {
            Ok(Way { to: To::Addresses(addresses), .. }) => {
                addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(" ")
            }
            Ok(Way { to: To::Name(name, port), .. }) => format!("{name}:{port}"),
            Err((why, _)) => why.word().to_owned(),
        }
    }

    #[test]
    fn only_this_machine_is_called_unless_more_is_named() {
        let closed = gate(&[]);
        for (text, to) in [
            ("http://127.0.0.1:8080/hook", "127.0.0.1:8080"),
            ("http://127.255.0.9", "127.255.0.9:80"),
            ("https://127.0.0.1/", "127.0.0.1:443"),
            ("http://[::1]:9/", "[::1]:9"),
            ("http://[0:0:0::1]/", "[::1]:80"),
            // One address, as the standard of URLs reads it.
            ("http://2130706433/", "127.0.0.1:80"),
            ("http://0x7f.1/", "127.0.0.1:80"),
            ("http://0177.0.0.1/", "127.0.0.1:80"),
            ("http://127.1/", "127.0.0.1:80"),
            ("http://%31%32%37.0.0.1/", "127.0.0.1:80"),
            ("http://127\u{3002}0\u{ff0e}0.1/", "127.0.0.1:80"),
            ("http://[::ffff:127.0.0.1]/", "127.0.0.1:80"),
            ("http://[::ffff:7f00:1]/", "127.0.0.1:80"),
            ("http://localhost:3000/", "127.0.0.1:3000 [::1]:3000"),
            ("HTTP://LocalHost./", "127.0.0.1:80 [::1]:80"),
            ("http://a.b.localhost/", "127.0.0.1:80 [::1]:80"),
            (" http://lo\tcalhost\n/ ", "127.0.0.1:80 [::1]:80"),
            ("http:localhost", "127.0.0.1:80 [::1]:80"),
            ("http:\\\\localhost\\", "127.0.0.1:80 [::1]:80"),
            ("http://hooks.example.com/", "forbidden"),
            ("http://localhost.example.com/", "forbidden"),
            ("http://xlocalhost/", "forbidden"),
            ("http://localhost../", "forbidden"),
            ("http://.localhost/", "forbidden"),
            ("http://127.0.0.1.example.com/", "forbidden"),
            ("http://128.0.0.1/", "forbidden"),
            ("http://10.1.2.3/", "forbidden"),
            ("http://192.168.0.1/", "forbidden"),
            ("http://93.184.216.34/", "forbidden"),
            ("http://0.0.0.0/", "forbidden"),
            ("http://0/", "forbidden"),
            ("http://169.254.169.254/latest/meta-data/", "forbidden"),
            ("http://2852039166/", "forbidden"),
            ("http://0xa9fea9fe/", "forbidden"),
            ("http://[::ffff:169.254.169.254]/", "forbidden"),
            ("http://[::ffff:a9fe:a9fe]/", "forbidden"),
            ("http://[::127.0.0.1]/", "forbidden"),
            ("http://[::]/", "forbidden"),
            ("http://[fd00:ec2::254]/", "forbidden"),
            ("http://[2001:db8::1]/", "forbidden"),
            ("http://[fe80::1]/", "forbidden"),
        ] {
            assert_eq!(ask(&closed, text), to, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_repeated() {
        let gate = gate(&["*.example.com"]);
        let long = format!("http://localhost/{}", "a".repeat(MOST_URL));
        let name = format!("http://{}.example.com/", ["a"; 130].join("."));
        for (text, words) in [
            ("", "relative URL without a base"),
            ("   ", "relative URL without a base"),
            ("/hidden", "relative URL without a base"),
            ("localhost", "relative URL without a base"),
            ("hidden:8080/x", "it begins with neither `http://` nor `https://`"),
            ("ftp://localhost/hidden", "it begins with neither"),
            ("file:///hidden", "it begins with neither"),
            ("ws://localhost/hidden", "it begins with neither"),
            ("javascript:hidden", "it begins with neither"),
            ("http://", "empty host"),
            ("http:///", "empty host"),
            ("http://?hidden", "empty host"),
            ("http://localhost:99999/hidden", "invalid port number"),
            ("http://localhost:hidden/", "invalid port number"),
            ("http://[::1/hidden", "invalid IPv6 address"),
            ("http://[fe80::1%25eth0]/hidden", "invalid IPv6 address"),
            ("http://1.2.3.4.5/hidden", "invalid IPv4 address"),
            ("http://256.0.0.1/hidden", "invalid IPv4 address"),
            ("http://hid den/", "invalid international domain name"),
            ("http://hidden<x>/", "invalid international domain name"),
            ("http://hidden:hidden@", "empty host"),
            ("http://hidden:hidden@localhost/", "a user name or a password in it: take the credentials out"),
            ("http://hidden@localhost/", "a user name or a password in it"),
            ("http://:hidden@localhost/", "a user name or a password in it"),
            ("https://hidden:hidden@169.254.169.254/", "a user name or a password in it"),
            ("http://hooks.example.com@hidden.example.com/", "a user name or a password in it"),
            (&long, "it has 8209 bytes, and may have 8192"),
            (&name, "its host has 271 characters, and no name has more than 253"),
        ] {
            let (why, said) = gate.open(text).unwrap_err();
            assert_eq!(why, Failed::Url, "{text:?}: {said}");
            assert!(said.contains(words) && !said.contains("hidden"), "{text:?}: {said}");
        }
    }

    #[test]
    fn a_name_that_is_allowed_is_called_and_its_neighbours_are_not() {
        let open = gate(&[
            "Hooks.Example.com.",
            "*.shop.test",
            "my_service:8080",
            "b\u{fc}cher.test",
            "10.1.2.3",
            "10.1.2.4:81",
            "[fd00::1]",
            "fd00::2",
            "[fd00::3]:8443",
            "::ffff:10.9.9.9",
        ]);
        for (text, to) in [
            ("https://hooks.example.com/x", "hooks.example.com:443"),
            ("http://HOOKS.example.com.:8080/", "hooks.example.com.:8080"),
            ("http://a.shop.test/", "a.shop.test:80"),
            ("http://a.b.shop.test./", "a.b.shop.test.:80"),
            ("http://my_service:8080/", "my_service:8080"),
            ("http://xn--bcher-kva.test/", "xn--bcher-kva.test:80"),
            ("http://B\u{dc}CHER.test/", "xn--bcher-kva.test:80"),
            ("http://10.1.2.3:9/", "10.1.2.3:9"),
            ("http://0x0a010203/", "10.1.2.3:80"),
            ("http://[::ffff:10.1.2.3]/", "10.1.2.3:80"),
            ("http://10.1.2.4:81/", "10.1.2.4:81"),
            ("http://[fd00::1]:9/", "[fd00::1]:9"),
            ("http://[fd00::2]/", "[fd00::2]:80"),
            ("https://[fd00::3]:8443/", "[fd00::3]:8443"),
            ("http://10.9.9.9/", "10.9.9.9:80"),
            ("http://localhost/", "127.0.0.1:80 [::1]:80"),
            ("http://example.com/", "forbidden"),
            ("http://a.hooks.example.com/", "forbidden"),
            ("http://xhooks.example.com/", "forbidden"),
            ("http://hooks.example.com../", "forbidden"),
            ("http://shop.test/", "forbidden"),
            ("http://.shop.test/", "forbidden"),
            ("http://ashop.test/", "forbidden"),
            ("http://a.shop.test.evil.test/", "forbidden"),
            ("http://my_service/", "forbidden"),
            ("http://my_service:8081/", "forbidden"),
            ("http://10.1.2.4/", "forbidden"),
            ("http://[fd00::3]/", "forbidden"),
            ("http://[fd00::4]/", "forbidden"),
        ] {
            assert_eq!(ask(&open, text), to, "{text:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_flag_or_the_kind_of_address() {
        for (text, words) in [
            (
                "http://hooks.example.com/secret?key=secret",
                "`hooks.example.com` is not let out: webhooks go to this machine only, and to what \
                 `--allow-webhook-host hooks.example.com` allows at the start",
            ),
            (
                "http://[fd00::7]:81/",
                "`[fd00::7]:81` is not let out: webhooks go to this machine only, and to what \
                 `--allow-webhook-host [fd00::7]` allows at the start",
            ),
            (
                "http://[::ffff:169.254.169.254]/",
                "nothing is ever sent to `[::ffff:a9fe:a9fe]`: the address is where clouds tell machines their secrets; \
                 give the webhook the URL of a receiver",
            ),
        ] {
            assert_eq!(gate(&[]).open(text).unwrap_err(), (Failed::Forbidden, words.to_owned()));
        }
    }

    #[test]
    fn the_url_says_host_and_path_as_they_are_sent() {
        for (text, authority, target, is_secure) in [
            ("http://LOCALHOST:80", "localhost", "/", false),
            ("http://localhost:8080/a b/../c?d=e f#hidden", "localhost:8080", "/c?d=e%20f", false),
            ("https://localhost:443//x?", "localhost", "//x?", true),
            ("https://[::1]:80/?#", "[::1]:80", "/?", true),
            ("http://localhost./\u{e4}", "localhost.", "/%C3%A4", false),
        ] {
            let way = gate(&[]).open(text).unwrap();
            assert_eq!((&*way.authority, &*way.target, way.is_secure), (authority, target, is_secure), "{text}");
        }
    }

    #[test]
    fn one_barred_address_of_a_name_bars_the_name() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let private = addresses(&["10.0.0.7:80", "[fd00::1]:80", "127.0.0.1:80"]);
        assert_eq!(checked("hooks", private.clone()), Ok(private));
        let doubled = addresses(&["10.0.0.7:80", "[::ffff:10.0.0.7]:80", "10.0.0.7:80"]);
        assert_eq!(checked("hooks", doubled), Ok(addresses(&["10.0.0.7:80"])));
        for bad in [
            "169.254.169.254:80",
            "[::ffff:169.254.169.254]:80",
            "[fe80::1]:80",
            "0.0.0.0:80",
            "[64:ff9b::a9fe:aa02]:80",
        ] {
            for found in [addresses(&[bad]), addresses(&["10.0.0.7:80", bad]), addresses(&[bad, "10.0.0.7:80"])] {
                let (why, words) = checked("hooks", found).unwrap_err();
                assert_eq!(why, Failed::Forbidden);
                assert!(words.starts_with("nothing is ever sent to `hooks ("), "{words}");
            }
        }
    }

    #[test]
    fn what_is_no_host_cannot_be_allowed() {
        for (text, words) in [
            ("http://hooks.test", "`http://hooks.test` has a scheme: write the host alone"),
            ("hooks.test:0", "has a port that is none: it is a number from 1 to 65535"),
            ("hooks.test:", "has a port that is none"),
            ("hooks.test:99999", "has a port that is none"),
            ("[fd00::1]:x", "has a port that is none"),
            ("*", "has a wildcard that is not in front of a name: write it as in `*.example.com`"),
            ("a.*.test", "has a wildcard that is not in front"),
            ("*.*.test", "has a wildcard that is not in front"),
            ("169.254.169.254", "`169.254.169.254` is an address that nothing is ever sent to: it is where clouds"),
            ("[::ffff:169.254.0.1]:80", "nothing is ever sent to: it is link-local"),
            ("0.0.0.0", "nothing is ever sent to: it is unspecified"),
            ("0x7f.1", "is an address in another spelling: write `127.0.0.1`"),
            ("2130706433", "is an address in another spelling: write `127.0.0.1`"),
            ("", "`` is no host: write a name"),
            (".", "is no host"),
            ("*.", "is no host"),
            ("*.10.0.0.1", "is no host"),
            ("a..b", "is no host"),
            ("a b", "is no host"),
            ("a/b", "is no host"),
            ("user@hooks.test", "is no host"),
            ("hooks.test\n", "`hooks.test\\n` is no host"),
            ("[::1", "is no host"),
            ("10.0.0.0/8", "is no host"),
        ] {
            let error = Allowed::parse(text).unwrap_err();
            assert!(error.contains(words), "{text:?}: {error}");
        }
        assert!(Allowed::parse(&"a".repeat(64)).is_err() && Allowed::parse(&["a"; 128].join(".")).is_err());
    }
}

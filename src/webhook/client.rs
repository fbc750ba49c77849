//! One attempt to deliver: from the URL to the last byte of the answer, within a time.
//!
//! Each attempt has a connection of its own, to the addresses that the gate has checked. Answers are taken as they are:
//! nothing is followed, nothing is decoded. Start with [`Client::send`].

use std::fmt::Write as _;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use http::StatusCode;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::exchange::{exchange, request};
use super::gate::{Gate, Refusal, To, Way, checked};
use super::tls::greet;
use crate::exchange::{Answered, Failed, Outcome, Outgoing};
use crate::line::Trust;

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// What sends deliveries, for one server.
pub(crate) struct Client {
    gate: Gate,
    /// Who is asked for the addresses of a name.
    resolve: Box<dyn Fn(String, u16) -> Found + Send + Sync>,
    trust: Trust,
}

/// How far an attempt has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    Resolve,
    Connect,
    Secure,
    Answer,
    Body(StatusCode),
}

impl Client {
    pub(crate) fn new(gate: Gate) -> Self {
        let resolve = |name: String, port| -> Found {
            Box::pin(async move { lookup_host((name, port)).await.map(Iterator::collect) })
        };
        Client { gate, resolve: Box::new(resolve), trust: Trust::default() }
    }

    /// Makes one attempt. Whatever the receiver does, it is over when the time of `outgoing` is.
    pub(crate) async fn send(&self, outgoing: &Outgoing, delivery: &str) -> Outcome {
        let way = match self.gate.open(&outgoing.url) {
            Ok(way) => way,
            Err((why, words)) => return Outcome::Failed(why, words),
        };
        let mut stage = Stage::Resolve;
        match timeout(outgoing.timeout, self.attempt(&way, outgoing, delivery, &mut stage)).await {
            Ok(Ok(answered)) => Outcome::Answered(answered),
            Ok(Err((why, words))) => Outcome::Failed(why, words),
            Err(_) => Outcome::Failed(Failed::Timeout, stage.late(&way, outgoing.timeout)),
        }
    }

    async fn attempt(
        &self,
        way: &Way,
        outgoing: &Outgoing,
        delivery: &str,
        stage: &mut Stage,
    ) -> Result<Answered, Refusal> {
        let request = request(way, outgoing, delivery)?;
        let found;
        let addresses = match &way.to {
            To::Addresses(addresses) => addresses,
            To::Name(name, port) => {
                let resolved = (self.resolve)(name.clone(), *port).await.unwrap_or_default();
                found = checked(name, resolved)?;
                &found
            }
        };
        *stage = Stage::Connect;
        let stream = connect(way, addresses).await?;
        let _ = stream.set_nodelay(true);
        if !way.is_secure {
            return exchange(way, stream, request, stage).await;
        }
        *stage = Stage::Secure;
        let stream = greet(&self.trust, way, stream).await?;
        exchange(way, stream, request, stage).await
    }
}

/// Connects to the first address where somebody listens.
async fn connect(way: &Way, addresses: &[SocketAddr]) -> Result<TcpStream, Refusal> {
    let mut errors = Vec::new();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => errors.push(error.kind()),
        }
    }
    let listed = listed(addresses);
    let remedy = "start the receiver, or change the URL of the webhook";
    Err(match errors.iter().find(|kind| **kind != ErrorKind::ConnectionRefused) {
        _ if errors.is_empty() => {
            let words = format!(
                "nobody knows an address of `{}`: correct the name in the URL of the webhook, or make it known to this \
                 machine",
                way.host
            );
            (Failed::Unresolved, words)
        }
        None => (Failed::Unreachable, format!("nobody listens on {listed}: {remedy}")),
        Some(kind) => (Failed::Unreachable, format!("{listed} cannot be reached ({kind}): {remedy}")),
    })
}

/// Some of the addresses, for words.
fn listed(addresses: &[SocketAddr]) -> String {
    const SOME: usize = 4;
    let shown: Vec<String> = addresses.iter().take(SOME).map(SocketAddr::to_string).collect();
    let mut text = shown.join(", ");
    if addresses.len() > SOME {
        let _ = write!(text, " and {} more", addresses.len() - SOME);
    }
    text
}

impl Stage {
    /// What the time was over with.
    fn late(self, way: &Way, time: Duration) -> String {
        let receiver = &way.authority;
        match self {
            Stage::Resolve => {
                format!("the name `{}` was not looked up within {time:?}: see who answers for names here", way.host)
            }
            Stage::Connect => format!(
                "`{receiver}` did not take the connection within {time:?}: see whether the receiver runs and can be reached"
            ),
            Stage::Secure => {
                format!(
                    "`{receiver}` did not finish the TLS handshake within {time:?}: see whether it speaks https there"
                )
            }
            Stage::Answer => {
                format!("`{receiver}` did not answer within {time:?}: let the receiver answer first, and work then")
            }
            Stage::Body(status) => format!(
                "`{receiver}` answered with status {} and was not done within {time:?}: let the receiver end its answer",
                status.as_u16()
            ),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::HashMap;
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};
    use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::spawn;
    use tokio::task::JoinHandle;
    use tokio_rustls::rustls::RootCertStore;

    use super::super::gate::Allowed;
    use super::*;
    use crate::exchange::MOST_ANSWER;
    use crate::line::{MOST_HEAD, MOST_HEADERS};

    /// How long an attempt that ends by itself may take; nothing waits for it.
    pub(in super::super) const LONG: Duration = Duration::from_secs(30);
    /// How long one may take that does not end.
    const SHORT: Duration = Duration::from_millis(150);

    impl Client {
        pub(in super::super) fn trusting(roots: RootCertStore) -> Self {
            Client { trust: Trust::of(roots), ..Client::new(Gate::default()) }
        }
    }

    pub(in super::super) fn to(url: String, timeout: Duration) -> Outgoing {
        Outgoing { url, headers: HeaderMap::new(), body: Bytes::from_static(b"{\"a\":1}"), timeout }
    }

    /// Waits for one call, and treats it as it is told to.
    pub(in super::super) async fn receiver<F, T>(
        act: impl FnOnce(TcpStream) -> F + Send + 'static,
    ) -> (u16, JoinHandle<T>)
    where
        F: Future<Output = T> + Send,
        T: Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (port, spawn(async move { act(listener.accept().await.unwrap().0).await }))
    }

    /// A whole request with the body of [`to`].
    pub(in super::super) async fn heard(stream: &mut (impl AsyncRead + Unpin)) -> String {
        let mut request = Vec::new();
        while !request.ends_with(b"{\"a\":1}") {
            assert!(stream.read_buf(&mut request).await.unwrap() > 0, "{}", String::from_utf8_lossy(&request));
        }
        String::from_utf8(request).unwrap()
    }

    /// What comes of a receiver that hears the request, says this, and hangs up.
    async fn told(answer: impl Into<Vec<u8>>) -> Outcome {
        let answer = answer.into();
        let (port, _) = receiver(|mut stream| async move {
            heard(&mut stream).await;
            let _ = stream.write_all(&answer).await;
        })
        .await;
        let outcome = Client::new(Gate::default()).send(&to(format!("http://127.0.0.1:{port}/"), LONG), "d1").await;
        masked(outcome, port)
    }

    fn masked(outcome: Outcome, port: u16) -> Outcome {
        match outcome {
            Outcome::Failed(why, words) => Outcome::Failed(why, words.replace(&port.to_string(), "PORT")),
            answered => answered,
        }
    }

    pub(in super::super) fn answered(outcome: Outcome) -> (u16, String, bool) {
        match outcome {
            Outcome::Answered(answered) => {
                (answered.status.as_u16(), String::from_utf8(answered.body.to_vec()).unwrap(), answered.cut)
            }
            Outcome::Failed(why, words) => panic!("{why:?}: {words}"),
        }
    }

    #[track_caller]
    pub(in super::super) fn failed(outcome: Outcome, why: Failed, words: &str) {
        assert_eq!(outcome, Outcome::Failed(why, words.to_owned()));
    }

    #[tokio::test]
    async fn a_delivery_is_sent_as_it_is_within_a_frame_of_ours() {
        let (port, request) = receiver(|mut stream| async move {
            let request = heard(&mut stream).await;
            stream
                .write_all(b"HTTP/1.1 202 Fine\r\nX-Told: a\r\nX-Told: b\r\nContent-Length: 2\r\n\r\nok")
                .await
                .unwrap();
            request
        })
        .await;
        let mut outgoing = to(format!("http://LOCALHOST:{port}//hook/a b?c={{d}}#e"), LONG);
        for (name, value) in [
            ("x-b", "1"),
            ("host", "evil.example"),
            ("content-length", "999"),
            ("x-a", "2"),
            ("transfer-encoding", "chunked"),
            ("connection", "keep-alive"),
            ("standin-delivery", "forged"),
            ("expect", "100-continue"),
            ("content-type", "application/json"),
            ("x-a", "3"),
        ] {
            outgoing.headers.append(name, HeaderValue::from_static(value));
        }
        let outcome = Client::new(Gate::default()).send(&outgoing, "default-7").await;
        let Outcome::Answered(answered) = outcome else { panic!("{outcome:?}") };
        assert_eq!((answered.status.as_u16(), &*answered.body, answered.cut), (202, &b"ok"[..], false));
        assert_eq!(answered.headers.get_all("x-told").iter().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(
            request.await.unwrap(),
            format!(
                "POST //hook/a%20b?c={{d}} HTTP/1.1\r\nhost: localhost:{port}\r\nuser-agent: standin/{}\r\n\
                 standin-delivery: default-7\r\nx-b: 1\r\nx-a: 2\r\nx-a: 3\r\ncontent-type: application/json\r\n\
                 content-length: 7\r\nconnection: close\r\n\r\n{{\"a\":1}}",
                env!("CARGO_PKG_VERSION")
            )
        );
    }

    #[tokio::test]
    async fn every_answer_is_an_answer() {
        for (answer, outcome) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, "ok")),
            ("HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nsick", (500, "sick")),
            ("HTTP/1.1 204 No Content\r\n\r\n", (204, "")),
            ("HTTP/1.0 403 No\r\n\r\nuntil the end", (403, "until the end")),
            ("HTTP/1.1 299 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nin\r\n4\r\n two\r\n0\r\n\r\n", (299, "in two")),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!",
                (200, "!"),
            ),
            ("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", (101, "")),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more than that", (200, "ok")),
        ] {
            let (status, body, cut) = answered(told(answer).await);
            assert_eq!((status, &*body, cut), (outcome.0, outcome.1, false), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_redirection_is_an_answer_and_not_followed() {
        let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = elsewhere.local_addr().unwrap();
        for status in [301, 302, 303, 307, 308] {
            let answer = format!("HTTP/1.1 {status} Go\r\nLocation: http://{there}/\r\nContent-Length: 0\r\n\r\n");
            assert_eq!(answered(told(answer).await).0, status);
        }
        let connected = elsewhere.into_std().unwrap().accept();
        assert_eq!(connected.unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn what_is_no_answer_is_told_as_what_it_is() {
        let no_http =
            "what `127.0.0.1:PORT` answered is no HTTP/1.1: see what listens there, and whether it wants `https://`";
        let ended = "`127.0.0.1:PORT` ended the connection without an answer: look at the receiver's log";
        let large = "the head of the answer of `127.0.0.1:PORT` is too large: it may have 32 KiB and 100 headers";
        let broken = "`127.0.0.1:PORT` answered with status 200 and broke off before the end of the body: look at the receiver's log";
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(MOST_HEAD));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(MOST_HEADERS + 1));
        for (answer, words) in [
            ("", ended),
            ("HTTP/1.1 200 OK\r\nConte", ended),
            ("HTTP/1.1 100 Continue\r\n\r\n", ended),
            ("220 mail.example ESMTP\r\n", no_http),
            ("\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{16}", no_http),
            ("HTTP/1.1 two hundred\r\n\r\n", no_http),
            ("HTTP/1.1 200 OK\r\nno header\r\n\r\n", no_http),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", no_http),
            (&long, large),
            (&many, large),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", broken),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", broken),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsoon\r\n", broken),
        ] {
            failed(told(answer).await, Failed::Broken, words);
        }
        let nearly = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(MOST_HEAD - 64));
        assert_eq!(answered(told(nearly).await).0, 200);
        let just = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(MOST_HEADERS));
        assert_eq!(answered(told(just).await).0, 200);
    }

    #[tokio::test]
    async fn of_a_long_body_the_beginning_is_kept() {
        let body = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length));
        for (length, cut) in [(MOST_ANSWER - 1, false), (MOST_ANSWER, false), (MOST_ANSWER + 1, true), (5 << 20, true)]
        {
            let (status, kept, was_cut) = answered(told(body(length)).await);
            assert_eq!((status, kept.len(), was_cut), (200, length.min(MOST_ANSWER), cut));
        }
        // It has no end, and the receiver sees that nobody listens any more.
        let (port, endless) = receiver(|mut stream| async move {
            heard(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        })
        .await;
        let outcome = Client::new(Gate::default()).send(&to(format!("http://127.0.0.1:{port}"), LONG), "d1").await;
        let (_, kept, cut) = answered(outcome);
        assert_eq!((kept.len(), cut), (MOST_ANSWER, true));
        endless.await.unwrap();
    }

    /// Neither ends, and neither fills what is kept of a head or a body.
    #[tokio::test]
    async fn whoever_floods_the_line_is_left_long_before_the_time_is_over() {
        for (first, again) in [
            ("", "HTTP/1.1 100 Continue\r\n\r\n"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0000000001\r\nx\r\n"),
        ] {
            let (port, endless) = receiver(move |mut stream| async move {
                heard(&mut stream).await;
                stream.write_all(first.as_bytes()).await.unwrap();
                let flood = again.repeat(100);
                while stream.write_all(flood.as_bytes()).await.is_ok() {}
            })
            .await;
            let outcome = Client::new(Gate::default()).send(&to(format!("http://127.0.0.1:{port}"), LONG), "d1").await;
            let words = "`127.0.0.1:PORT` sent more than 256 KiB and was not done: let it send fewer interim answers, and \
                         larger chunks";
            failed(masked(outcome, port), Failed::Broken, words);
            endless.await.unwrap();
        }
    }

    #[tokio::test]
    async fn whoever_does_not_end_is_left_when_the_time_is_over() {
        let answer = "did not answer within 150ms: let the receiver answer first, and work then";
        let end = "answered with status 200 and was not done within 150ms: let the receiver end its answer";
        for (first, again, words) in [
            ("", "", answer),
            ("HTTP/1.1 200 OK\r\n", "", answer),
            ("HTTP/1.1 200 OK\r\n", "X: y\r\n", answer),
            ("", "HTTP/1.1 100 Continue\r\n\r\n", answer),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "", end),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", end),
        ] {
            let (port, slow) = receiver(move |mut stream| async move {
                heard(&mut stream).await;
                stream.write_all(first.as_bytes()).await.unwrap();
                let (mut hears, mut says) = stream.split();
                // A little now and then, until nobody is there any more.
                let trickle = async {
                    while !again.is_empty() && says.write_all(again.as_bytes()).await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                };
                let gone = async { while hears.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {} };
                tokio::join!(trickle, gone);
            })
            .await;
            let outcome = Client::new(Gate::default()).send(&to(format!("http://127.0.0.1:{port}"), SHORT), "d1").await;
            failed(masked(outcome, port), Failed::Timeout, &format!("`127.0.0.1:PORT` {words}"));
            slow.await.unwrap();
        }
    }

    /// An address where nobody listens, for as long as the socket lives.
    fn deaf() -> (TcpSocket, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    #[tokio::test]
    async fn nobody_there_is_told_with_the_address() {
        let (_socket, address) = deaf();
        let outcome = Client::new(Gate::default()).send(&to(format!("http://{address}/"), LONG), "d1").await;
        let words = format!("nobody listens on {address}: start the receiver, or change the URL of the webhook");
        failed(outcome, Failed::Unreachable, &words);
    }

    /// A client that may call `*.test`, with the addresses of names; what has none is not found out about.
    fn knowing(names: &[(&'static str, &[SocketAddr])]) -> (Client, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let (counted, names) = (Arc::clone(&asked), names.iter().map(|(name, all)| (*name, all.to_vec())));
        let names: HashMap<_, _> = names.collect();
        let resolve = move |name: String, _| -> Found {
            counted.fetch_add(1, Ordering::Relaxed);
            match names.get(&*name).cloned() {
                Some(all) if all.is_empty() => Box::pin(async { Err(ErrorKind::NotFound.into()) }),
                Some(all) => Box::pin(async { Ok(all) }),
                None => Box::pin(pending()),
            }
        };
        let gate = Gate::new(vec![Allowed::parse("*.test").unwrap()]);
        (Client { resolve: Box::new(resolve), ..Client::new(gate) }, asked)
    }

    #[tokio::test]
    async fn an_allowed_name_is_looked_up_once_and_its_addresses_are_tried_in_order() {
        let (_socket, nobody) = deaf();
        let (port, request) = receiver(|mut stream| async move {
            let request = heard(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            request
        })
        .await;
        let here = SocketAddr::from(([127, 0, 0, 1], port));
        let (client, asked) =
            knowing(&[("hooks.test", &[nobody, here]), ("nobody.test", &[nobody]), ("none.test", &[])]);
        assert_eq!(answered(client.send(&to("http://hooks.test/".to_owned(), LONG), "d1").await).0, 200);
        assert!(request.await.unwrap().contains("host: hooks.test\r\n"), "the name is told, not the address");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let words = format!("nobody listens on {nobody}: start the receiver, or change the URL of the webhook");
        failed(client.send(&to("http://nobody.test/".to_owned(), LONG), "d1").await, Failed::Unreachable, &words);
        let words = "nobody knows an address of `none.test`: correct the name in the URL of the webhook, or make it known to \
                     this machine";
        failed(client.send(&to("http://none.test/".to_owned(), LONG), "d1").await, Failed::Unresolved, words);
        let words = "the name `slow.test` was not looked up within 150ms: see who answers for names here";
        failed(client.send(&to("http://slow.test/".to_owned(), SHORT), "d1").await, Failed::Timeout, words);
    }

    #[tokio::test]
    async fn nobody_is_called_by_a_name_with_a_barred_address_or_asked_for_one_that_is_not_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let (client, asked) = knowing(&[("hooks.test", &[here, "169.254.169.254:80".parse().unwrap()])]);
        let words = "nothing is ever sent to `hooks.test (169.254.169.254)`: the address is where clouds tell machines their \
                     secrets; give the webhook the URL of a receiver";
        failed(client.send(&to("http://hooks.test/".to_owned(), LONG), "d1").await, Failed::Forbidden, words);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        for url in ["http://hooks.example/", "http://test/", &format!("http://localhost.:{}/", deaf().1.port())] {
            let Outcome::Failed(why, _) = client.send(&to(url.to_owned(), LONG), "d1").await else { panic!("{url}") };
            assert!(matches!(why, Failed::Forbidden | Failed::Unreachable), "{url}: {why:?}");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1, "a name was looked up");
        let connected = listener.into_std().unwrap().accept();
        assert_eq!(connected.unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

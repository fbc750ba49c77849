//! The HTTP client of our own commands: what they call a server with that somebody has named on the command line.
//!
//! Connections are kept and used again. Answers are taken as they are: nothing is followed, nothing is decoded, no proxy
//! of the environment is asked. Where there is no whole answer, a [`Fault`] says what came instead, under the name that
//! docs/faults.md has for it. Must not know: packs and scenarios. Start with [`Client::send`] and [`Client::control`].

mod control;
mod fault;
mod pool;
mod receiver;
mod target;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response};
use tokio::time::timeout;

use crate::line::{AGENT, FRAMING, Trust};

pub(crate) use control::ControlFault;
pub(crate) use fault::{FAULTS, Fault};
use pool::{Pool, Stage};
pub(crate) use receiver::{Heard, Receiver, Says};
use target::Target;

/// How long an answer may take unless a command says otherwise.
const TIME: Duration = Duration::from_secs(30);

/// The most bytes of an answer: the log of a sandbox may be as large, and its bodies are written in base64 there.
const MOST_BODY: usize = 256 << 20;

/// Where a server is, and how it is spoken to. A copy shares the connections.
#[derive(Clone)]
pub(crate) struct Client {
    shared: Arc<Shared>,
    time: Duration,
    most: usize,
}

struct Shared {
    target: Target,
    token: Option<HeaderValue>,
    pool: Pool,
}

/// An extension of a request that is to be seen once, whatever comes of it: it goes out on a connection of its own and is
/// never sent again. Whoever waits for a fault asks for it: a connection that a server ends is otherwise hard to tell from
/// one that it has ended before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Once;

impl Client {
    /// A client of the server at a URL, which may have a path that goes before all others. The token is for the control
    /// plane. `ca` is a PEM file of certificates that are trusted besides the system's. The error is what is wrong with one
    /// of them.
    pub(crate) fn new(target: &str, token: Option<&str>, ca: Option<&[u8]>) -> Result<Self, String> {
        let target = Target::read(target)?;
        let token = token.map(bearer).transpose()?;
        let trust = match ca {
            Some(pem) => Trust::besides(pem).map_err(|why| format!("the file of certificates {why}"))?,
            None => Trust::default(),
        };
        let shared = Shared { target, token, pool: Pool::new(trust) };
        Ok(Client { shared: Arc::new(shared), time: TIME, most: MOST_BODY })
    }

    /// The same client, which waits for an answer as long as this.
    pub(crate) fn within(&self, time: Duration) -> Self {
        Client { time, ..self.clone() }
    }

    /// The URL of the server, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.shared.target.base
    }

    /// Sends a request whose URI is a path, with or without a query, below the base, and reads the whole answer. Headers
    /// are sent as they are, but for those that say where the request goes and how long it is.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Fault> {
        let target = &self.shared.target;
        let is_once = request.extensions().get::<Once>().is_some();
        let request = self.framed(request)?;
        let mut stage = Stage::Resolve;
        let sent = self.shared.pool.send(target, request, is_once, self.most, &mut stage);
        match timeout(self.time, sent).await {
            Ok(answered) => answered,
            Err(_) => Err(Fault::Late(stage.late(target, self.time))),
        }
    }

    /// The request as it goes out: to the path below the base, with headers of ours around those given.
    fn framed(&self, request: Request<Bytes>) -> Result<Request<Bytes>, Fault> {
        let target = &self.shared.target;
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("", PathAndQuery::as_str);
        if !path.starts_with('/') || parts.uri.authority().is_some() {
            let words = format!("`{}` is no path below {}: begin it with a slash", parts.uri, target.base);
            return Err(Fault::Unsendable(words));
        }
        let path: PathAndQuery = format!("{}{path}", target.prefix).parse().map_err(|error| {
            Fault::Unsendable(format!("`{path}` below {} cannot be asked for: {error}", target.base))
        })?;
        parts.uri = path.into();
        for name in FRAMING {
            parts.headers.remove(name);
        }
        parts.headers.insert(http::header::HOST, target.host_header.clone());
        parts.headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        Ok(Request::from_parts(parts, body))
    }
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut value =
        value.map_err(|_| "the token cannot be part of a header: give it without line breaks".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::future::Future;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Method, StatusCode};
    use rcgen::{CertificateParams, KeyPair};
    use serde_json::json;
    use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpSocket, TcpStream};
    use tokio::spawn;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

    use super::*;

    /// How long one may take that does not end.
    const SHORT: Duration = Duration::from_millis(150);

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /// A server that treats every connection, which it counts from 0, as it is told to.
    async fn server<F>(act: impl Fn(usize, TcpStream) -> F + Send + 'static) -> (String, Arc<AtomicUsize>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                spawn(act(counted.fetch_add(1, Ordering::Relaxed), stream));
            }
        });
        (base, connections)
    }

    /// The next request, which has a body of seven bytes if it has one; nothing when the client has gone.
    async fn heard(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
        let mut request = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&request);
            if text.ends_with("{\"a\":1}") || text.ends_with("\r\n\r\n") && !text.contains("content-length: 7") {
                return Some(text.into_owned());
            }
            if stream.read_buf(&mut request).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Answers every request of a connection.
    async fn answers(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) {
        while heard(&mut stream).await.is_some() {
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }

    /// Says this to the first request, and hangs up.
    async fn says(answer: impl Into<Vec<u8>>) -> String {
        let answer = answer.into();
        let act = move |_, mut stream: TcpStream| {
            let answer = answer.clone();
            async move {
                heard(&mut stream).await;
                let _ = stream.write_all(&answer).await;
            }
        };
        server(act).await.0
    }

    fn to(base: &str) -> Client {
        Client::new(base, None, None).unwrap()
    }

    fn get(path: &str) -> Request<Bytes> {
        Request::get(path).body(Bytes::new()).unwrap()
    }

    fn once(path: &str) -> Request<Bytes> {
        Request::get(path).extension(Once).body(Bytes::new()).unwrap()
    }

    #[track_caller]
    fn text(answered: Result<Response<Bytes>, Fault>) -> (u16, String) {
        let response = answered.unwrap();
        (response.status().as_u16(), String::from_utf8(response.into_body().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_request_goes_below_the_base_with_its_headers_in_a_frame_of_ours() {
        let seen = Arc::new(parking_lot::Mutex::new(String::new()));
        let kept = Arc::clone(&seen);
        let (base, _) = server(move |_, mut stream| {
            let kept = Arc::clone(&kept);
            async move {
                *kept.lock() = heard(&mut stream).await.unwrap();
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
        })
        .await;
        let client = to(&format!("{base}/below//"));
        assert_eq!(client.base(), format!("{base}/below"));
        let request = Request::post("/a//b%20c?d=e&f")
            .header("x-a", "1")
            .header("host", "evil.example")
            .header("content-length", "999")
            .header("transfer-encoding", "chunked")
            .header("connection", "close")
            .header("x-a", "2")
            .body(Bytes::from_static(b"{\"a\":1}"));
        assert_eq!(text(client.send(request.unwrap()).await), (200, "ok".to_owned()));
        let host = base.strip_prefix("http://").unwrap();
        let wanted = format!(
            "POST /below/a//b%20c?d=e&f HTTP/1.1\r\nx-a: 1\r\nx-a: 2\r\nhost: {host}\r\nuser-agent: {AGENT}\r\n\
             content-length: 7\r\n\r\n{{\"a\":1}}"
        );
        assert_eq!(*seen.lock(), wanted);
        for path in ["*", "http://127.0.0.1/x"] {
            let fault = client.send(get(path)).await.unwrap_err();
            assert_eq!(fault.name(), "unsendable", "{fault}");
        }
    }

    #[tokio::test]
    async fn every_answer_is_an_answer_and_none_is_followed() {
        for (answer, outcome) in [
            (OK, (200, "ok")),
            ("HTTP/1.1 302 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", (302, "")),
            ("HTTP/1.1 204 No Content\r\n\r\n", (204, "")),
            ("HTTP/1.0 403 No\r\n\r\nuntil the end", (403, "until the end")),
            ("HTTP/1.1 299 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nin\r\n4\r\n two\r\n0\r\n\r\n", (299, "in two")),
            ("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\n!", (500, "!")),
        ] {
            let base = says(answer).await;
            assert_eq!(text(to(&base).send(get("/")).await), (outcome.0, outcome.1.to_owned()), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_connection_is_used_again_and_many_tasks_share_a_client() {
        let (base, connections) = server(|_, stream| answers(stream, OK)).await;
        let client = to(&base);
        for _ in 0..5 {
            assert_eq!(text(client.send(get("/")).await).0, 200);
        }
        assert_eq!(connections.load(Ordering::Relaxed), 1);
        // Whoever asks for a connection of its own has one, and it is not kept.
        for made in 2..4 {
            assert_eq!(text(client.send(once("/")).await).0, 200);
            assert_eq!(connections.load(Ordering::Relaxed), made);
        }
        let send = |client: Client| spawn(async move { client.send(get("/")).await });
        let tasks: Vec<_> = (0..20).map(|_| send(client.clone())).collect();
        for task in tasks {
            assert_eq!(text(task.await.unwrap()).0, 200);
        }
        assert_eq!(text(client.send(get("/")).await).0, 200);
        assert!(connections.load(Ordering::Relaxed) <= 23);
    }

    #[tokio::test]
    async fn a_connection_that_was_ended_while_idle_is_no_fault() {
        // The first says nothing of its end before it ends, after the next request has come.
        let (base, connections) = server(|number, mut stream| async move {
            heard(&mut stream).await;
            stream.write_all(OK.as_bytes()).await.unwrap();
            if number > 0 {
                answers(stream, OK).await;
            } else {
                heard(&mut stream).await;
            }
        })
        .await;
        let client = to(&base);
        for sent in [1, 2, 2] {
            assert_eq!(text(client.send(get("/")).await).0, 200);
            assert_eq!(connections.load(Ordering::Relaxed), sent);
        }
    }

    #[tokio::test]
    async fn what_has_begun_is_not_sent_again_and_neither_is_what_goes_on_a_new_connection() {
        // The second answer breaks off; nothing further is answered.
        let (base, connections) = server(|_, mut stream| async move {
            heard(&mut stream).await;
            stream.write_all(OK.as_bytes()).await.unwrap();
            heard(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200").await.unwrap();
        })
        .await;
        let client = to(&base);
        assert_eq!(text(client.send(get("/")).await).0, 200);
        assert_eq!(client.send(get("/")).await.unwrap_err().name(), "truncated-body");
        assert_eq!(connections.load(Ordering::Relaxed), 1);

        let (base, connections) = server(|_, mut stream| async move {
            heard(&mut stream).await;
        })
        .await;
        for request in [get("/"), once("/")] {
            assert_eq!(to(&base).send(request).await.unwrap_err().name(), "empty-response");
        }
        assert_eq!(connections.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn what_comes_in_place_of_an_answer_is_told_as_what_it_is() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(101));
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(32 << 10));
        let body = "answered with status 200, and";
        for (answer, name, words) in [
            ("", "empty-response", "BASE ended the connection without an answer: look at the log of the server"),
            ("HTTP/1.1 200 OK\r\nConte", "truncated-body", "BASE broke off within the head of its answer"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
                "truncated-body",
                "broke off before the end of the body",
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", "truncated-body", body),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nthis\r\n", "malformed-chunk", body),
            ("220 mail.example ESMTP\r\n", "random-data", "BASE sent something that is no HTTP/1.1"),
            ("HTTP/1.1 200 OK\r\nno header\r\n\r\n", "random-data", "whether it wants `https://`"),
            (&many, "too-large", "the head of the answer of BASE is too large: it may have 32 KiB and 100 headers"),
            (&long, "too-large", "the head of the answer of BASE is too large"),
        ] {
            let base = says(answer).await;
            let fault = to(&base).send(get("/")).await.unwrap_err();
            let said = fault.to_string().replace(&base, "BASE");
            assert!(fault.name() == name && said.contains(words), "{answer:.60}: {}: {said}", fault.name());
        }
    }

    #[tokio::test]
    async fn a_reset_is_told_from_an_end() {
        for (answer, words) in [
            ("", "BASE reset the connection"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
                "BASE answered with status 200, and reset the connection",
            ),
        ] {
            let (base, _) = server(move |_, mut stream| async move {
                heard(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.set_zero_linger().unwrap();
            })
            .await;
            let fault = to(&base).send(get("/")).await.unwrap_err();
            let said = fault.to_string().replace(&base, "BASE");
            assert!(fault.name() == "connection-reset" && said.starts_with(words), "{}: {said}", fault.name());
        }
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_bound() {
        for (length, is_whole) in [(1000, true), (1001, false)] {
            let base = says(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length))).await;
            let client = Client { most: 1000, ..to(&base) };
            match client.send(get("/")).await {
                Ok(response) => assert_eq!((response.body().len(), is_whole), (length, true)),
                Err(fault) => assert_eq!((fault.name(), is_whole), ("too-large", false)),
            }
        }
        // What stands around a body has a bound too.
        let (base, _) = server(|_, mut stream| async move {
            heard(&mut stream).await;
            let flood = "HTTP/1.1 100 Continue\r\n\r\n".repeat(100);
            while stream.write_all(flood.as_bytes()).await.is_ok() {}
        })
        .await;
        let fault = Client { most: 1000, ..to(&base) }.send(get("/")).await.unwrap_err();
        assert_eq!(fault.name(), "too-large", "{fault}");
    }

    #[tokio::test]
    async fn whoever_does_not_end_is_left_when_the_time_is_over() {
        for (answer, words) in [
            ("", "BASE did not answer within 150ms"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
                "BASE answered with status 200 and was not done within 150ms",
            ),
        ] {
            let (base, _) = server(move |_, mut stream| async move {
                heard(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                let _ = stream.read(&mut [0; 1]).await;
            })
            .await;
            let fault = to(&base).within(SHORT).send(get("/")).await.unwrap_err();
            let said = fault.to_string().replace(&base, "BASE");
            assert!(fault.name() == "timeout" && said.starts_with(words), "{}: {said}", fault.name());
        }
    }

    #[tokio::test]
    async fn nobody_there_is_told_with_what_to_do() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let base = format!("http://{}", socket.local_addr().unwrap());
        let fault = to(&base).send(get("/")).await.unwrap_err();
        let words = format!("nobody listens on {base}: start `standin serve`, or name another server");
        assert_eq!((fault.name(), fault.to_string()), ("down", words));
    }

    #[tokio::test]
    async fn the_control_plane_is_given_the_token_and_nobody_else_is() {
        let requests = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let (base, _) = server(move |_, mut stream| {
            let kept = Arc::clone(&kept);
            async move {
                while let Some(request) = heard(&mut stream).await {
                    kept.lock().push(request);
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"b\":2}").await.unwrap();
                }
            }
        })
        .await;
        let client = Client::new(&base, Some("secret"), None).unwrap();
        let body = json!({"a": 1});
        let told = client.control(Some("alice"), Method::PUT, "/clock", Some(&body)).await;
        assert_eq!(told, Ok(json!({"b": 2})));
        assert_eq!(client.control_text(None, Method::GET, "/metrics", None).await.as_deref(), Ok("{\"b\":2}"));
        client.send(get("/pack/x")).await.unwrap();
        let requests = requests.lock();
        let head = |number: usize| -> (&str, HashMap<&str, &str>) {
            let mut lines = requests[number].split("\r\n");
            let first = lines.next().unwrap();
            (first, lines.take_while(|line| !line.is_empty()).map(|line| line.split_once(": ").unwrap()).collect())
        };
        let (line, headers) = head(0);
        assert_eq!(line, "PUT /~alice/_standin/clock HTTP/1.1");
        assert_eq!((headers["authorization"], headers["content-type"]), ("Bearer secret", "application/json"));
        let (line, headers) = head(1);
        assert_eq!((line, headers["authorization"]), ("GET /_standin/metrics HTTP/1.1", "Bearer secret"));
        assert!(!headers.contains_key("content-type"));
        assert!(!head(2).1.contains_key("authorization"));
    }

    #[tokio::test]
    async fn a_problem_is_a_refusal_and_what_is_no_control_plane_is_told_so() {
        let problem = json!({
            "type": "urn:standin:problem:unknown-sandbox", "title": "No", "status": 404, "detail": "make it", "near": [1],
        })
        .to_string();
        let answer =
            |status: &str, body: &str| format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let base = says(answer("404 Not Found", &problem)).await;
        let told = to(&base).control(None, Method::GET, "/clock", None).await.unwrap_err();
        assert_eq!(told.to_string(), "make it (unknown-sandbox)");
        let ControlFault::Refused(refused) = told else { panic!("{told:?}") };
        assert_eq!((refused.status, &*refused.slug, &*refused.title), (StatusCode::NOT_FOUND, "unknown-sandbox", "No"));
        assert_eq!(json!(refused.members), json!({"near": [1]}));
        for (status, body) in
            [("404 Not Found", "<html>"), ("500 Oh", r#"{"type": "about:blank"}"#), ("200 OK", "<html>")]
        {
            let base = says(answer(status, body)).await;
            let told = to(&base).control(None, Method::GET, "/clock", None).await.unwrap_err();
            assert!(told.to_string().contains("is no control plane of standin: name the URL"), "{status}: {told}");
        }
        let base = says("HTTP/1.1 204 No Content\r\n\r\n").await;
        assert_eq!(to(&base).control(None, Method::DELETE, "/faults", None).await, Ok(json!(null)));
        let base = says("").await;
        let told = to(&base).control(None, Method::GET, "/clock", None).await.unwrap_err();
        assert!(matches!(told, ControlFault::Fault(Fault::Empty(_))), "{told:?}");
    }

    #[tokio::test]
    async fn a_certificate_that_is_named_is_trusted_and_no_other() {
        let make = || {
            let key = KeyPair::generate().unwrap();
            (CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap(), key)
        };
        let (certificate, key) = make();
        let secret = PrivatePkcs8KeyDer::from(key.serialize_der());
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = builder.with_single_cert(vec![certificate.der().clone()], secret.into()).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (base, connections) = server(move |_, stream| {
            let acceptor = acceptor.clone();
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answers(stream, OK).await;
                }
            }
        })
        .await;
        let base = base.replace("http://127.0.0.1", "https://localhost");
        let client = Client::new(&base, None, Some(certificate.pem().as_bytes())).unwrap();
        for _ in 0..2 {
            assert_eq!(text(client.send(get("/")).await), (200, "ok".to_owned()));
        }
        assert_eq!(connections.load(Ordering::Relaxed), 1);
        let other = Client::new(&base, None, Some(make().0.pem().as_bytes())).unwrap();
        let fault = other.send(get("/")).await.unwrap_err();
        assert_eq!(fault.name(), "untrusted");
        assert!(fault.to_string().starts_with(&format!("{base} has a certificate that nobody vouches for")), "{fault}");
    }

    #[test]
    fn what_a_client_is_made_of_is_checked() {
        let wrong = |target, token, ca| Client::new(target, token, ca).err().unwrap_or_default();
        assert!(wrong("hidden", None, None).starts_with("this is no URL of a server"));
        let words = wrong("http://localhost", Some("a\nb"), None);
        assert_eq!(words, "the token cannot be part of a header: give it without line breaks");
        for (pem, words) in [
            (&b"nothing"[..], "the file of certificates has no certificate"),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "has no certificate in place 1"),
            (b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "is no PEM file of certificates"),
        ] {
            let said = wrong("https://localhost", None, Some(pem));
            assert!(said.contains(words), "{said}");
        }
    }
}

//! A receiver of calls on this machine: it keeps what it hears, and answers as it is told to.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::line::{MOST_HEAD, MOST_HEADERS};

/// The most connections at once. Whoever comes then waits.
const MOST_CONNECTIONS: usize = 256;

/// The largest body of a call.
const MOST_BODY: usize = 8 << 20;

/// The most calls that are kept, and the most bytes of their bodies.
const MOST_CALLS: usize = 10_000;
const MOST_BYTES: usize = 64 << 20;

/// How long a caller may take for the head of a call.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Says {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    pub(crate) delay: Option<Duration>,
    /// None ever comes.
    pub(crate) hangs: bool,
}

/// A call, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) method: Method,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What it is answered; nothing where no answer ever comes.
    pub(crate) status: Option<StatusCode>,
}

/// Listens on a free port of the loopback until it is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
    /// Everybody who serves it ends with this.
    _open: watch::Sender<()>,
}

struct Book {
    answers: Vec<Says>,
    /// How many of the answers were given.
    given: usize,
    heard: Vec<Heard>,
    bytes: usize,
    lost: usize,
}

impl Receiver {
    /// Begins to listen. The answers are given in their order; the last one goes on.
    pub(crate) async fn listen(answers: Vec<Says>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let book = Book { answers, given: 0, heard: Vec::new(), bytes: 0, lost: 0 };
        let book = Arc::new(Mutex::new(book));
        let (open, end) = watch::channel(());
        tokio::spawn(accept(listener, Arc::clone(&book), end));
        Ok(Receiver { address, book, _open: open })
    }

    /// `http://127.0.0.1:54321`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Other answers from now on. What was heard stays.
    pub(crate) fn says(&self, answers: Vec<Says>) {
        let mut book = self.book.lock();
        (book.answers, book.given) = (answers, 0);
    }

    /// What was heard, in the order in which it came.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.book.lock().heard.clone()
    }

    /// How many calls were not kept, as they were too many or too large.
    pub(crate) fn lost(&self) -> usize {
        self.book.lock().lost
    }
}

/// Ready once the receiver is gone.
async fn ended(end: &mut watch::Receiver<()>) {
    while end.changed().await.is_ok() {}
}

async fn accept(listener: TcpListener, book: Arc<Mutex<Book>>, mut end: watch::Receiver<()>) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ended(&mut end) => return,
        };
        // A connection that is gone before it is taken is no reason to end, nor is a lack of descriptors.
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, Arc::clone(&book), end.clone(), place));
            }
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn serve(stream: TcpStream, book: Arc<Mutex<Book>>, mut end: watch::Receiver<()>, _place: OwnedSemaphorePermit) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, Arc::clone(&book)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(MOST_HEAD).max_headers(MOST_HEADERS);
    tokio::select! {
        _ = builder.serve_connection(TokioIo::new(stream), service) => {}
        () = ended(&mut end) => {}
    }
}

async fn answer(request: Request<Incoming>, book: Arc<Mutex<Book>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, mut body) = request.into_parts();
    let mut whole = BytesMut::new();
    let mut is_whole = true;
    while let Some(frame) = body.frame().await {
        let Some(data) = frame.ok().and_then(|frame| frame.into_data().ok()) else {
            is_whole = false;
            break;
        };
        if data.len() > MOST_BODY - whole.len() {
            is_whole = false;
            break;
        }
        whole.extend_from_slice(&data);
    }
    let says = book.lock().write(&parts, whole.freeze(), is_whole);
    if let Some(delay) = says.delay {
        tokio::time::sleep(delay).await;
    }
    if says.hangs {
        std::future::pending::<()>().await;
    }
    let mut response = Response::new(Full::new(says.body));
    *response.status_mut() = says.status;
    for (name, value) in says.headers {
        // How long the answer is, its body says.
        if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

impl Book {
    /// Keeps a call, and says what it is answered.
    fn write(&mut self, parts: &http::request::Parts, body: Bytes, is_whole: bool) -> Says {
        if !is_whole || self.heard.len() >= MOST_CALLS || body.len() > MOST_BYTES - self.bytes {
            self.lost += 1;
            return Says::status(StatusCode::INSUFFICIENT_STORAGE);
        }
        let says = self.answers.get(self.given).or(self.answers.last()).cloned();
        let says = says.unwrap_or_else(|| Says::status(StatusCode::OK));
        self.given = self.given.saturating_add(1);
        self.bytes += body.len();
        self.heard.push(Heard {
            method: parts.method.clone(),
            path: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            headers: parts.headers.clone(),
            body,
            status: (!says.hangs).then_some(says.status),
        });
        says
    }
}

impl Says {
    /// A status and nothing else.
    pub(crate) fn status(status: StatusCode) -> Self {
        Says { status, headers: Vec::new(), body: Bytes::new(), delay: None, hangs: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    fn post(path: &str, body: &str) -> Request<Bytes> {
        Request::post(path).header("x-a", "1").body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    async fn status(client: &Client, request: Request<Bytes>) -> u16 {
        client.send(request).await.unwrap().status().as_u16()
    }

    fn says(status: u16) -> Says {
        Says::status(StatusCode::from_u16(status).unwrap())
    }

    #[tokio::test]
    async fn answers_come_in_their_order_and_what_was_heard_is_kept() {
        let receiver = Receiver::listen(vec![says(500), says(201)]).await.unwrap();
        let client = Client::new(&receiver.url(), None, None).unwrap();
        for wanted in [500, 201, 201] {
            assert_eq!(status(&client, post("/hook?a=%20", "{}")).await, wanted);
        }
        receiver.says(vec![says(204)]);
        assert_eq!(status(&client, post("/other", "")).await, 204);
        let heard = receiver.heard();
        let told: Vec<_> =
            heard.iter().map(|call| (call.path.as_str(), call.status.map(|status| status.as_u16()))).collect();
        let first = [("/hook?a=%20", Some(500)), ("/hook?a=%20", Some(201)), ("/hook?a=%20", Some(201))];
        assert_eq!(told, [&first[..], &[("/other", Some(204))]].concat());
        assert_eq!(
            (&heard[0].body[..], heard[0].headers["x-a"].as_bytes(), receiver.lost()),
            (&b"{}"[..], &b"1"[..], 0)
        );
    }

    #[tokio::test]
    async fn whoever_hangs_up_or_sends_too_much_does_no_harm() {
        let hangs = Says { hangs: true, ..says(200) };
        let late = Says { delay: Some(Duration::from_millis(20)), ..says(202) };
        let receiver = Receiver::listen(vec![hangs, late]).await.unwrap();
        let client = Client::new(&receiver.url(), None, None).unwrap();
        let fault = client.within(Duration::from_millis(100)).send(post("/", "")).await.unwrap_err();
        assert_eq!(fault.name(), "timeout");
        assert_eq!(status(&client, post("/", "")).await, 202);
        let large = "x".repeat(MOST_BODY + 1);
        let _ = client.send(post("/", &large)).await;
        assert_eq!((receiver.heard().len(), receiver.lost()), (2, 1));
        assert_eq!(receiver.heard()[0].status, None);
        let url = receiver.url();
        drop(receiver);
        let client = Client::new(&url, None, None).unwrap();
        let gone =
            tokio::time::timeout(Duration::from_secs(30), async { while client.send(post("/", "")).await.is_ok() {} });
        gone.await.unwrap();
    }
}

//! Connections that are kept busy, with one request under way on each.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::client::Client;
use crate::process::Server;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Http1 => "HTTP/1.1",
            Protocol::Http2 => "HTTP/2",
        }
    }
}

/// A request as both protocols send it.
#[derive(Clone)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Request {
    pub fn wire(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: localhost\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        text.into_bytes()
    }

    fn message(&self) -> hyper::Request<Full<Bytes>> {
        let mut message = hyper::Request::builder().method(self.method).uri(format!("http://localhost{}", self.path));
        for (name, value) in &self.headers {
            message = message.header(*name, value);
        }
        message.body(Full::new(Bytes::from(self.body.clone()))).expect("a request")
    }
}

/// What a server did under load.
pub struct Measured {
    /// Requests per second.
    pub rate: f64,
    /// Processor microseconds of the server per request.
    pub cost: f64,
}

/// Whether the time is over, and how many were answered.
struct Run {
    ends: Instant,
    answered: std::cell::Cell<u64>,
}

/// Loads a server for a while. Connections are there before anything is measured.
pub async fn load(
    server: &Server,
    protocol: Protocol,
    connections: usize,
    request: &Request,
    length: Duration,
) -> Measured {
    let tasks = LocalSet::new();
    let mut ready = Vec::new();
    for _ in 0..connections {
        ready.push(Connection::new(server.address, protocol, request).await);
    }
    let (before, started) = (server.cpu(), Instant::now());
    let run = Rc::new(Run { ends: started + length, answered: std::cell::Cell::new(0) });
    for mut connection in ready {
        let run = Rc::clone(&run);
        tasks.spawn_local(async move {
            while Instant::now() < run.ends {
                connection.once().await;
                run.answered.set(run.answered.get() + 1);
            }
        });
    }
    tasks.await;
    let (elapsed, answered) = (started.elapsed().as_secs_f64(), run.answered.get() as f64);
    Measured { rate: answered / elapsed, cost: server.cpu().since(&before) / answered }
}

/// A connection, and what it sends again and again.
enum Connection {
    Http1(Client, Vec<u8>),
    Http2(http2::SendRequest<Full<Bytes>>, hyper::Request<Full<Bytes>>),
}

impl Connection {
    async fn new(address: SocketAddr, protocol: Protocol, request: &Request) -> Self {
        match protocol {
            Protocol::Http1 => Connection::Http1(Client::new(address).await, request.wire()),
            Protocol::Http2 => {
                let stream = TcpStream::connect(address).await.expect("a connection");
                stream.set_nodelay(true).expect("no delay");
                let (sender, connection) =
                    http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("a handshake");
                tokio::spawn(connection);
                Connection::Http2(sender, request.message())
            }
        }
    }

    /// Sends the request and reads its answer whole, which must be a success.
    async fn once(&mut self) {
        match self {
            Connection::Http1(client, request) => {
                client.send(request).await;
            }
            Connection::Http2(sender, request) => {
                let answer = sender.send_request(request.clone()).await.expect("an answer");
                assert!(answer.status().is_success(), "{}", answer.status());
                let mut body = answer.into_body();
                while let Some(frame) = body.frame().await {
                    frame.expect("a piece of the body");
                }
            }
        }
    }
}

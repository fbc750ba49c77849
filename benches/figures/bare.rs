//! The limit: hyper alone, which sends one answer to everything.

use std::fs;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;

/// This program as the bare server, with the answer that it sends, as it is on an HTTP/1.1 wire.
pub fn command(answer: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg("--bare").arg(answer);
    command
}

/// An answer as hyper takes it.
#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Serves until it is killed.
pub fn serve(answer: &str) {
    let answer = Answer::read(&fs::read(answer).expect("the answer"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("listening on http://{}", listener.local_addr().expect("an address"));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    let Answer { status, headers, body } = answer.clone();
                    async move {
                        request.into_body().collect().await?;
                        let mut response = hyper::Response::new(Full::new(body));
                        *response.status_mut() = status;
                        *response.headers_mut() = headers;
                        Ok::<_, hyper::Error>(response)
                    }
                });
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

impl Answer {
    fn read(wire: &[u8]) -> Self {
        let end = memchr::memmem::find(wire, b"\r\n\r\n").expect("a head");
        let head = std::str::from_utf8(&wire[..end]).expect("a readable head");
        let status = head.get(9..12).and_then(|status| status.parse().ok()).expect("a status");
        let mut headers = HeaderMap::new();
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            // These are hyper's own.
            if !matches!(name, "content-length" | "date" | "connection") {
                let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
                headers.append(name, HeaderValue::from_str(value).expect("a value"));
            }
        }
        Answer { status, headers, body: Bytes::copy_from_slice(&wire[end + 4..]) }
    }
}

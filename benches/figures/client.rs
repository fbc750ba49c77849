//! A client that costs little: one HTTP/1.1 connection, with one request under way at a time.

use std::net::SocketAddr;

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The merchant of the documented customers.
pub const TOKEN: &str = "Bearer reportei-test-token";

/// Runs a part on one thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub async fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Client { stream, buffer: Vec::with_capacity(8192) }
    }

    pub async fn post(&mut self, path: &str, body: &str) -> &[u8] {
        self.call("POST", path, body).await
    }

    /// A call as the merchant, which must succeed; the answer's body.
    pub async fn call(&mut self, method: &str, path: &str, body: &str) -> &[u8] {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {TOKEN}\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
        );
        self.send(request.as_bytes()).await
    }

    /// Sends a request as it stands and reads the answer whole, which must be a success.
    pub async fn send(&mut self, request: &[u8]) -> &[u8] {
        let body = self.exchange(request).await;
        assert!(self.buffer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(&self.buffer));
        &self.buffer[body..]
    }

    /// Sends a request as it stands and reads the answer whole, whatever it is; its status.
    pub async fn ask(&mut self, request: &[u8]) -> u16 {
        self.exchange(request).await;
        std::str::from_utf8(&self.buffer[9..12]).ok().and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// Sends a request and reads its answer into the buffer; where the body begins.
    async fn exchange(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).await.expect("sent");
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.expect("an answer");
            assert!(read > 0, "the server hung up");
            let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") else { continue };
            let length = length(&self.buffer[..end + 2]);
            let body = end + 4;
            while self.buffer.len() < body + length {
                assert!(self.stream.read_buf(&mut self.buffer).await.expect("the rest") > 0, "the server hung up");
            }
            return body;
        }
    }

    /// The last answer, head and body.
    pub fn answer(&self) -> &[u8] {
        &self.buffer
    }
}

fn length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let Some(at) = memmem::find(head, NAME) else { return 0 };
    let digits = head[at + NAME.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))
}

//! Requests by the thousand, many of them under way on one connection: how servers come to what they are measured with.

use std::net::SocketAddr;

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How many requests are under way on a connection.
const AT_ONCE: u64 = 64;
/// Over how many connections.
const CONNECTIONS: u64 = 4;

/// Sends so many requests, each made of its number, all of which must be answered with a success.
pub async fn all(address: SocketAddr, requests: u64, request: impl Fn(u64) -> String + Clone + Send + 'static) {
    let share = requests.div_ceil(CONNECTIONS);
    let part = |part: u64| tokio::spawn(some(address, part * share..requests.min((part + 1) * share), request.clone()));
    let parts: Vec<_> = (0..CONNECTIONS).map(part).collect();
    for part in parts {
        part.await.expect("all are answered");
    }
}

async fn some(address: SocketAddr, numbers: std::ops::Range<u64>, request: impl Fn(u64) -> String) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let mut buffer = Vec::with_capacity(1 << 16);
    let mut next = numbers.start;
    while next < numbers.end {
        let end = numbers.end.min(next + AT_ONCE);
        let sent: String = (next..end).map(&request).collect();
        stream.write_all(sent.as_bytes()).await.expect("sent");
        let mut missing = end - next;
        buffer.clear();
        while missing > 0 {
            assert!(stream.read_buf(&mut buffer).await.expect("an answer") > 0, "the server hung up");
            let mut read = 0;
            while let Some(length) = answer(&buffer[read..]) {
                read += length;
                missing -= 1;
            }
            buffer.drain(..read);
        }
        next = end;
    }
}

/// The length of the answer that the bytes begin with, if it is there as a whole.
fn answer(bytes: &[u8]) -> Option<usize> {
    let head = memmem::find(bytes, b"\r\n\r\n")? + 4;
    assert!(bytes.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(bytes));
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let body = memmem::find(&bytes[..head], NAME).map_or(0, |at| {
        let digits = bytes[at + NAME.len()..head].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))
    });
    (bytes.len() >= head + body).then_some(head + body)
}

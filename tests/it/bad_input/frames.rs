//! HTTP/2, frame by frame.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use super::*;
use crate::server::eventually;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `method path` for localhost: indexed fields of the static table, and literals.
pub(crate) fn fields(method: &str, path: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let literal = |index: u8, value: &str| [vec![index], text(value)].concat();
    // 0x0f 0x08: `authorization`, the 23rd of the table, without indexing.
    [vec![0x86], literal(0x02, method), literal(0x04, path), literal(0x01, "localhost"), literal(0x0f, "")]
        .concat()
        .split_last()
        .map(|(_, most)| [most, &[0x08], &text(REPORTEI.1)].concat())
        .unwrap()
}

pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Client {
    pub(crate) fn open(server: &Server) -> Client {
        let mut client = Client { stream: server.connect(), buffer: Vec::new() };
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        client.send(&frame(SETTINGS, 0, 0, &[]));
        client
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next frame; none once the connection has ended.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut part = [0; 16 << 10];
        loop {
            if let Some([a, b, c, kind, flags, stream @ ..]) = self.buffer.first_chunk::<9>() {
                let end = 9 + usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).unwrap();
                if self.buffer.len() >= end {
                    let (kind, flags, stream) = (*kind, *flags, u32::from_be_bytes(*stream));
                    let payload = self.buffer[9..end].to_vec();
                    self.buffer.drain(..end);
                    return Some(Frame { kind, flags, stream, payload });
                }
            }
            match self.stream.read(&mut part) {
                Ok(0) => return None,
                Ok(count) => self.buffer.extend_from_slice(&part[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("the connection is not ended: {error}"),
            }
        }
    }

    /// All frames until the connection ends, without a word.
    fn listen(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// All frames until the connection ends. Answers settings, and pings where that is asked for.
    fn until_the_end(&mut self, answer_pings: bool) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(next) = self.next() {
            let answer = next.kind == SETTINGS || next.kind == PING && answer_pings;
            if answer && next.flags & ACK == 0 {
                let payload = if next.kind == PING { next.payload.clone() } else { Vec::new() };
                let _ = self.stream.write_all(&frame(next.kind, ACK, 0, &payload));
            }
            frames.push(next);
        }
        frames
    }

    /// Sends a request and waits for the end of its answer.
    pub(crate) fn exchange(&mut self, stream: u32, method: &str, path: &str) {
        self.send(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &fields(method, path)));
        loop {
            let next = self.next().expect("an answer");
            assert!(next.kind != GOAWAY && next.kind != RST_STREAM, "{next:?}");
            if next.stream == stream && next.flags & END_STREAM != 0 && matches!(next.kind, HEADERS | DATA) {
                return;
            }
        }
    }
}

/// The error codes of the GOAWAY frames among these.
fn goodbyes(frames: &[Frame]) -> Vec<u32> {
    let goodbyes = frames.iter().filter(|frame| frame.kind == GOAWAY);
    goodbyes.map(|frame| u32::from_be_bytes(frame.payload[4..8].try_into().unwrap())).collect()
}

const NO_ERROR: u32 = 0;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

fn with(limits: &[&str]) -> Server {
    Server::start(&[&["reportei", "--freeze"], limits].concat())
}

#[test]
fn an_idle_connection_ends_with_goaway() {
    let server = with(&["--idle-timeout", "50ms", "--write-timeout", "100ms"]);
    let watch = server.watch();
    // Who says nothing more gets to hear it once, and is cut off; who answers the ping is let go in order.
    for (answers, expected) in [(false, vec![NO_ERROR]), (true, vec![NO_ERROR, NO_ERROR])] {
        let mut client = Client::open(&server);
        assert_eq!(goodbyes(&client.until_the_end(answers)), expected);
        let mut client = Client::open(&server);
        client.exchange(1, "GET", "/customers");
        assert_eq!(goodbyes(&client.until_the_end(answers)), expected);
    }
    watch.unharmed();
}

#[test]
fn pings_do_not_keep_a_connection() {
    let server = with(&["--idle-timeout", "100ms"]);
    let watch = server.watch();
    let mut client = Client::open(&server);
    client.exchange(1, "GET", "/customers");
    let ping = frame(PING, 0, 0, b"are you?");
    let mut pongs = 0;
    eventually("GOAWAY", || {
        if client.stream.write_all(&ping).is_err() {
            return Some(());
        }
        loop {
            match client.next() {
                None => return Some(()),
                Some(next) if next.kind == GOAWAY => return Some(()),
                Some(next) if next.kind == PING => {
                    pongs += 1;
                    return None;
                }
                Some(_) => {}
            }
        }
    });
    assert!(pongs > 1, "{pongs}");
    watch.unharmed();
}

#[test]
fn headers_that_do_not_become_complete_end_the_connection() {
    let server = with(&["--header-timeout", "100ms", "--idle-timeout", "1h"]);
    let watch = server.watch();
    let fields = fields("POST", "/customers");
    let whole = frame(HEADERS, END_STREAM, 1, &fields);
    for bytes in [&whole[..1], &whole[..9], &whole[..whole.len() - 1], &whole] {
        let mut client = Client::open(&server);
        client.send(bytes);
        assert_eq!(goodbyes(&client.listen()), [NO_ERROR], "{}", bytes.len());
    }
    // More of them now and then do not help.
    let mut client = Client::open(&server);
    client.send(&whole);
    client.stream.set_nodelay(true).unwrap();
    client.stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let next = frame(CONTINUATION, 0, 1, &[]);
    let mut sent = 0;
    eventually("the end of the connection", || {
        let gone = client.stream.write_all(&next).is_err();
        sent += 1;
        gone.then_some(()).or_else(|| match client.stream.read(&mut [0; 1024]) {
            Ok(0) => Some(()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Some(()),
            _ => None,
        })
    });
    assert!(sent > 2, "{sent}");
    watch.unharmed();
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0);
}

/// Opening streams and resetting them at once costs the server more than the client.
#[test]
fn a_flood_of_resets_ends_the_connection() {
    let server = with(&[]);
    let watch = server.watch();
    let mut client = Client::open(&server);
    let fields = fields("GET", "/customers");
    let mut flood = Vec::new();
    for stream in (1..20_000).step_by(2) {
        flood.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &fields));
        flood.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    let _ = client.stream.write_all(&flood);
    assert_eq!(goodbyes(&client.until_the_end(false)), [ENHANCE_YOUR_CALM]);
    watch.unharmed();
}

#[test]
fn a_flood_of_continuations_ends_the_connection() {
    let server = with(&[]);
    let watch = server.watch();
    let field = [&[0x00, 0x01, b'x', 0x7f, 0x81, 0x7b][..], &[b'y'; 16_000]].concat();
    for payload in [&field[..], &[]] {
        let mut client = Client::open(&server);
        client.send(&frame(HEADERS, END_STREAM, 1, &fields("GET", "/customers")));
        let piece = frame(CONTINUATION, 0, 1, payload);
        let most = (16 << 20) / piece.len();
        let sent = (0..most).take_while(|_| client.stream.write_all(&piece).is_ok()).count();
        assert!(sent < most, "all was taken");
    }
    watch.unharmed();
}

/// Each of these is answered; who floods the server with them and reads nothing is not waited for.
#[test]
fn a_flood_of_pings_or_settings_that_nobody_reads_is_cut_off() {
    let server = with(&["--write-timeout", "100ms"]);
    let watch = server.watch();
    for piece in [frame(PING, 0, 0, b"flooding"), frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])] {
        let mut client = Client::open(&server);
        let many = piece.repeat(1000);
        let error = loop {
            if let Err(error) = client.stream.write_all(&many) {
                break error;
            }
        };
        assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    }
    watch.unharmed();
}

#[test]
fn streams_beyond_the_limit_are_refused() {
    let server = with(&[]);
    let watch = server.watch();
    let mut client = Client::open(&server);
    // The limit is told in the first frame.
    let settings = client.next().unwrap();
    let limit = settings.payload.chunks(6).find(|setting| setting[..2] == [0, 3]).map(|setting| setting[5]);
    assert_eq!((settings.kind, limit), (SETTINGS, Some(200)));
    client.send(&frame(SETTINGS, ACK, 0, &[]));
    let fields = fields("POST", "/customers");
    for number in 0..201 {
        client.send(&frame(HEADERS, END_HEADERS, number * 2 + 1, &fields));
    }
    let refused = loop {
        let next = client.next().expect("one is refused");
        if next.kind == RST_STREAM {
            break next;
        }
    };
    assert_eq!((refused.stream, refused.payload), (401, REFUSED_STREAM.to_be_bytes().to_vec()));
    watch.unharmed();
}

#[test]
fn a_request_names_one_host_here_too() {
    let server = with(&[]);
    let watch = server.watch();
    // `host` is the 38th of the static table; the status is the first field of an answer, 200 the 8th and 400 the 12th.
    for (host, status) in [("localhost", 0x88), ("evil.example", 0x8c)] {
        let mut client = Client::open(&server);
        let host = [&[0x0f, 0x17, u8::try_from(host.len()).unwrap()], host.as_bytes()].concat();
        let fields = [fields("GET", "/customers"), host].concat();
        client.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &fields));
        let answer = std::iter::from_fn(|| client.next()).find(|frame| frame.kind == HEADERS).unwrap();
        assert_eq!(answer.payload[0], status);
    }
    watch.unharmed();
}

/// A window of nothing: the answer waits in the server, and its time runs.
#[test]
fn who_opens_no_window_for_the_answer_is_cut_off() {
    let server = with(&["--write-timeout", "100ms"]);
    let watch = server.watch();
    let stream = "/_standin/journal/stream";
    for (window, path) in [(0, "/customers"), (1, "/customers"), (0, stream), (1, stream)] {
        let mut client = Client::open(&server);
        client.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, window]));
        client.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &fields("GET", path)));
        let frames = client.until_the_end(true);
        assert!(frames.iter().any(|frame| frame.kind == HEADERS && frame.stream == 1), "{path} {window}");
        assert!(!frames.iter().any(|frame| frame.kind == DATA && frame.flags & END_STREAM != 0), "{path} {window}");
    }
    watch.unharmed();
}

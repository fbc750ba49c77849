//! Where the messages of a client begin and end on the wire, read along with hyper and more strictly than it.
//!
//! hyper takes a few forms of which others on the way may think differently, and says nothing about them: line ends
//! without CR, several lengths, a length beside chunks (which it drops), codings in front of `chunked`. Where two
//! readers can differ, one request can hide another, so each of these is a [`Fault`] here. In HTTP/1.1 this is the
//! one place that knows, for every byte, whether it belongs to a head or to a body; in HTTP/2 it follows frames.

use super::framing_lines::{Coding, Kind, Lines};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What is wrong with how a message is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Fault {
    LineEnd = 1,
    Length,
    LengthAndChunks,
    Coding,
    Chunk,
}

impl Fault {
    pub(super) const ALL: [Fault; 5] =
        [Fault::LineEnd, Fault::Length, Fault::LengthAndChunks, Fault::Coding, Fault::Chunk];

    pub(super) fn words(self) -> &'static str {
        match self {
            Fault::LineEnd => "A line of the request ends in LF without CR",
            Fault::Length => "Content-Length must be there once, and be a number",
            Fault::LengthAndChunks => "The request has both Content-Length and Transfer-Encoding",
            Fault::Coding => "Transfer-Encoding must be there once, and be `chunked`",
            Fault::Chunk => "a chunk is not framed as HTTP/1.1 says",
        }
    }
}

/// What the bytes of one read were.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// A head was complete, or a frame: what follows is another.
    pub(super) boundary: bool,
    /// In a head; who reads on answers it with a refusal.
    pub(super) bad_head: Option<Fault>,
    /// In a body: from this byte on nothing may be used.
    pub(super) bad_body: Option<usize>,
}

#[derive(Debug)]
enum State {
    /// So many bytes are those of HTTP/2's preface.
    Preface(usize),
    Lines(Kind),
    /// So many bytes of a body or a chunk, then lines.
    Skip(u64, Kind),
    Frames(Frames),
    /// Nothing behind a fault is looked at.
    Over,
}

#[derive(Debug)]
pub(super) struct Scan {
    state: State,
    lines: Lines,
    /// How many whole heads there were.
    heads: u64,
}

impl Scan {
    pub(super) fn new() -> Self {
        Scan { state: State::Preface(0), lines: Lines::default(), heads: 0 }
    }

    pub(super) fn heads(&self) -> u64 {
        self.heads
    }

    pub(super) fn http2(&self) -> bool {
        matches!(self.state, State::Frames(_))
    }

    /// Is a head under way: begun and not complete?
    pub(super) fn in_head(&self) -> bool {
        match &self.state {
            State::Preface(matched) => *matched > 0,
            State::Lines(Kind::Request) => self.lines.partial(),
            State::Lines(Kind::Header) => true,
            State::Lines(_) | State::Skip(..) => false,
            State::Frames(frames) => frames.in_head(),
            State::Over => true,
        }
    }

    /// Reads on.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Seen {
        let mut seen = Seen::default();
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match &mut self.state {
                State::Preface(matched) => {
                    let before = *matched;
                    let wanted = &PREFACE[before..];
                    let same = wanted.iter().zip(rest).take_while(|(wanted, byte)| wanted == byte).count();
                    if same == wanted.len() {
                        self.state = State::Frames(Frames::default());
                        seen.boundary = true;
                        at += same;
                    } else if same == rest.len() {
                        self.state = State::Preface(before + same);
                        at += same;
                    } else {
                        self.state = State::Lines(Kind::Request);
                        let mut fed = 0;
                        while fed < before && matches!(self.state, State::Lines(_)) {
                            fed += self.lines(&PREFACE[fed..before], &mut seen);
                        }
                    }
                }
                State::Lines(_) => {
                    let used = self.lines(rest, &mut seen);
                    if seen.bad_body.is_some() {
                        seen.bad_body = Some(at);
                        return seen;
                    }
                    at += used;
                }
                State::Skip(left, then) => {
                    let here = u64::try_from(rest.len()).unwrap_or(u64::MAX);
                    if here < *left {
                        *left -= here;
                        return seen;
                    }
                    at += usize::try_from(*left).unwrap_or(rest.len());
                    self.state = State::Lines(*then);
                }
                State::Frames(frames) => {
                    seen.boundary |= frames.take(rest);
                    return seen;
                }
                State::Over => return seen,
            }
        }
        seen
    }

    /// Takes one line, or what there is of it, and says how many bytes that is.
    fn lines(&mut self, bytes: &[u8], seen: &mut Seen) -> usize {
        let State::Lines(kind) = self.state else { return bytes.len() };
        let mut used = 0;
        let Some(line) = self.lines.next(bytes, &mut used, kind) else {
            if self.lines.too_long(kind) {
                self.fault(kind, Fault::Chunk, seen);
            }
            return used;
        };
        let next = line.and_then(|line| self.lines.read(kind, line));
        match next {
            Ok(Coding::Next(kind)) => self.state = State::Lines(kind),
            Ok(Coding::Skip(length, then)) => self.state = State::Skip(length, then),
            Ok(Coding::Complete) => self.state = State::Lines(Kind::Request),
            Err(fault) => self.fault(kind, fault, seen),
        }
        if kind == Kind::Header && !matches!(self.state, State::Lines(Kind::Header) | State::Over) {
            self.heads += 1;
            seen.boundary = true;
        }
        used
    }

    fn fault(&mut self, kind: Kind, fault: Fault, seen: &mut Seen) {
        self.state = State::Over;
        match kind {
            Kind::Request | Kind::Header => seen.bad_head = Some(fault),
            _ => seen.bad_body = Some(0),
        }
    }
}

/// The frames of HTTP/2, as far as heads go.
#[derive(Debug, Default)]
struct Frames {
    header: [u8; 9],
    have: usize,
    /// What is left of a frame's payload.
    left: usize,
    data: bool,
    /// HEADERS have begun, and END_HEADERS has not come.
    open: bool,
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

impl Frames {
    fn in_head(&self) -> bool {
        self.open || self.have > 0 && !(self.have == self.header.len() && self.data)
    }

    /// Says whether a head, or a frame that is none, ended here.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        let mut boundary = false;
        while !bytes.is_empty() {
            if self.have < self.header.len() {
                let here = bytes.len().min(self.header.len() - self.have);
                self.header[self.have..self.have + here].copy_from_slice(&bytes[..here]);
                self.have += here;
                bytes = &bytes[here..];
                if self.have < self.header.len() {
                    return boundary;
                }
                let [a, b, c, kind, flags, ..] = self.header;
                self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.data = kind == DATA;
                if matches!(kind, HEADERS | CONTINUATION) {
                    self.open = true;
                }
                self.header[4] = flags;
            }
            let here = bytes.len().min(self.left);
            self.left -= here;
            bytes = &bytes[here..];
            if self.left == 0 {
                if matches!(self.header[3], HEADERS | CONTINUATION) && self.header[4] & END_HEADERS != 0 {
                    self.open = false;
                }
                self.have = 0;
                boundary |= !self.open;
            }
        }
        boundary
    }
}

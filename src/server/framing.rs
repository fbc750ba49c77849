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

    /// Is a body under way: more of it must come?
    pub(super) fn in_body(&self) -> bool {
        matches!(self.state, State::Skip(..) | State::Lines(Kind::ChunkSize | Kind::ChunkEnd | Kind::Trailer))
    }

    /// Is nothing under way: neither a head nor a body?
    pub(super) fn at_rest(&self) -> bool {
        !self.in_head() && !self.in_body()
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
                let [a, b, c, kind, ..] = self.header;
                self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.data = kind == DATA;
                if matches!(kind, HEADERS | CONTINUATION) {
                    self.open = true;
                }
                // What is left of it is a body, which has a time of its own.
                boundary |= self.data && !self.open;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn preface() -> Scan {
        let mut scan = Scan::new();
        scan.take(PREFACE);
        assert!(scan.http2());
        scan
    }

    #[test]
    fn the_body_of_a_frame_is_no_head_wherever_it_is_cut() {
        for cut in 0..9 {
            let mut scan = preface();
            let frame = [0, 0, 100, DATA, 0, 0, 0, 0, 1, b'x'];
            scan.take(&frame[..cut]);
            assert_eq!(scan.in_head(), cut > 0, "{cut}");
            let seen = scan.take(&frame[cut..]);
            assert_eq!((seen.boundary, scan.in_head()), (true, false), "{cut}");
        }
    }

    #[test]
    fn heads_of_several_frames_are_under_way_until_they_end() {
        let mut scan = preface();
        let seen = scan.take(&[0, 0, 1, HEADERS, 0, 0, 0, 0, 1, b'x']);
        assert_eq!((seen.boundary, scan.in_head()), (false, true));
        let seen = scan.take(&[0, 0, 0, CONTINUATION, END_HEADERS, 0, 0, 0, 1]);
        assert_eq!((seen.boundary, scan.in_head()), (true, false));
    }

    /// Heads, and where a fault is.
    fn read(pieces: &[&[u8]]) -> (u64, Option<Fault>, Option<usize>) {
        let mut scan = Scan::new();
        let (mut before, mut bad_head, mut bad_body) = (0, None, None);
        for piece in pieces {
            let seen = scan.take(piece);
            bad_head = bad_head.or(seen.bad_head);
            bad_body = bad_body.or(seen.bad_body.map(|at| before + at));
            before += piece.len();
        }
        (scan.heads(), bad_head, bad_body)
    }

    #[test]
    fn it_reads_alike_wherever_it_is_cut() {
        let chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n0a \r\n0123456789\r\n";
        for text in [
            format!("\r\n{chunks}00\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
            format!("{chunks}0\nX: y\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
            format!("{chunks}0\r\nX: y\r\r\n"),
            format!("{chunks}1\r\nab\r\n"),
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r\n".to_owned(),
            "PUT / HTTP/1.1\r\ncontent-length:3\r\n\r\n\n\n\nGET / HTTP/1.1\nX: y\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n".to_owned(),
        ] {
            let whole = read(&[text.as_bytes()]);
            for first in 0..text.len() {
                for second in first..text.len() {
                    let bytes = text.as_bytes();
                    let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                    let (heads, bad_head, bad_body) = read(&pieces);
                    assert_eq!((heads, bad_head), (whole.0, whole.1), "{text:?} cut at {first} and {second}");
                    // The beginning of a bad line may be in the hands of who reads, never its end.
                    assert_eq!(bad_body.is_some(), whole.2.is_some(), "{text:?} cut at {first} and {second}");
                    assert!(bad_body >= whole.2, "{text:?} cut at {first} and {second}");
                }
            }
        }
    }
}

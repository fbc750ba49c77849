//! The lines of HTTP/1.1 that say where things end: of heads, of chunks, of trailers.

use super::framing::Fault;

/// The longest line in the framing of chunks. Nobody needs extensions; a trailer may be a long value.
const LONGEST: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The first line of a head, or empty lines before it.
    Request,
    Header,
    ChunkSize,
    /// The line end behind a chunk.
    ChunkEnd,
    Trailer,
}

/// What follows a line.
pub(super) enum Coding {
    Next(Kind),
    Skip(u64, Kind),
    /// The message is complete.
    Complete,
}

#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The beginning of a line whose end has not come; empty, and nothing allocated, for who sends whole heads.
    kept: Vec<u8>,
    length: Option<u64>,
    chunked: bool,
}

/// A line without its end: in the bytes that came, or kept from before.
pub(super) enum Line<'b> {
    Here(&'b [u8]),
    Kept(Vec<u8>),
}

impl Lines {
    /// Has something of a line come that is more than an empty line?
    pub(super) fn partial(&self) -> bool {
        !matches!(self.kept.as_slice(), b"" | b"\r")
    }

    pub(super) fn too_long(&self, kind: Kind) -> bool {
        !matches!(kind, Kind::Request | Kind::Header) && self.kept.len() > LONGEST
    }

    /// The next whole line. Its end is CR LF: nothing else is one, and neither is there a CR or LF within.
    pub(super) fn next<'b>(
        &mut self,
        bytes: &'b [u8],
        used: &mut usize,
        kind: Kind,
    ) -> Option<Result<Line<'b>, Fault>> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.kept.extend_from_slice(bytes);
            *used = bytes.len();
            return None;
        };
        *used = end + 1;
        let fault = match kind {
            Kind::Request | Kind::Header => Fault::LineEnd,
            _ => Fault::Chunk,
        };
        let line = if self.kept.is_empty() {
            Line::Here(&bytes[..end])
        } else {
            let mut kept = std::mem::take(&mut self.kept);
            kept.extend_from_slice(&bytes[..end]);
            Line::Kept(kept)
        };
        let Some((b'\r', line_bytes)) = line.bytes().split_last() else { return Some(Err(fault)) };
        let long = fault == Fault::Chunk && line_bytes.len() > LONGEST;
        if long || memchr::memchr(b'\r', line_bytes).is_some() {
            return Some(Err(fault));
        }
        Some(Ok(line))
    }

    /// What a line says about what follows it.
    pub(super) fn read(&mut self, kind: Kind, line: Line<'_>) -> Result<Coding, Fault> {
        let line = line.bytes();
        let line = &line[..line.len().saturating_sub(1)];
        match kind {
            Kind::Request if line.is_empty() => Ok(Coding::Next(Kind::Request)),
            Kind::Request => {
                self.length = None;
                self.chunked = false;
                Ok(Coding::Next(Kind::Header))
            }
            Kind::Header if line.is_empty() => Ok(match self.length {
                _ if self.chunked => Coding::Next(Kind::ChunkSize),
                Some(length) if length > 0 => Coding::Skip(length, Kind::Request),
                _ => Coding::Complete,
            }),
            Kind::Header => self.header(line).map(|()| Coding::Next(Kind::Header)),
            Kind::ChunkSize => match chunk_size(line).ok_or(Fault::Chunk)? {
                0 => Ok(Coding::Next(Kind::Trailer)),
                size => Ok(Coding::Skip(size, Kind::ChunkEnd)),
            },
            Kind::ChunkEnd if line.is_empty() => Ok(Coding::Next(Kind::ChunkSize)),
            Kind::ChunkEnd => Err(Fault::Chunk),
            Kind::Trailer if line.is_empty() => Ok(Coding::Complete),
            Kind::Trailer => Ok(Coding::Next(Kind::Trailer)),
        }
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Fault> {
        // Almost every header has a name of another length than these two.
        let named = |name: &[u8]| line.get(name.len()) == Some(&b':') && line[..name.len()].eq_ignore_ascii_case(name);
        if named(b"content-length") {
            let value = line[b"content-length:".len()..].trim_ascii();
            if self.chunked {
                return Err(Fault::LengthAndChunks);
            }
            if self.length.is_some() || value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
                return Err(Fault::Length);
            }
            let digits = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            self.length = Some(digits.ok_or(Fault::Length)?);
        } else if named(b"transfer-encoding") {
            let value = line[b"transfer-encoding:".len()..].trim_ascii();
            if self.length.is_some() {
                return Err(Fault::LengthAndChunks);
            }
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Fault::Coding);
            }
            self.chunked = true;
        }
        Ok(())
    }
}

impl Line<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Line::Here(bytes) => bytes,
            Line::Kept(bytes) => bytes,
        }
    }
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = memchr::memchr(b';', line).unwrap_or(line.len());
    let digits = line[..end].trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

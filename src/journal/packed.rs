//! Pieces of memory one behind the other, each with its length before it.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

/// What stands for a length where there is nothing.
const NONE: u32 = u32::MAX;

/// Writes pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Packer(pub(super) Vec<u8>);

impl Packer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn bytes<const N: usize>(&mut self, bytes: [u8; N]) {
        self.0.extend_from_slice(&bytes);
    }

    pub(super) fn number(&mut self, number: u32) {
        self.bytes(number.to_le_bytes());
    }

    pub(super) fn long(&mut self, number: u64) {
        self.bytes(number.to_le_bytes());
    }

    pub(super) fn piece(&mut self, bytes: &[u8]) {
        // Nothing of a request or an answer is 4 GiB long.
        self.number(u32::try_from(bytes.len()).unwrap_or(0));
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.piece(text.as_bytes());
    }

    pub(super) fn none(&mut self) {
        self.number(NONE);
    }

    pub(super) fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.none(),
        }
    }

    pub(super) fn headers<'h>(
        &mut self,
        count: usize,
        headers: impl Iterator<Item = (&'h HeaderName, &'h HeaderValue)>,
    ) {
        self.number(u32::try_from(count).unwrap_or(0));
        for (name, value) in headers {
            self.text(name.as_str());
            self.piece(value.as_bytes());
        }
    }
}

/// Reads what a [`Packer`] wrote, in the same order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unpacker<'p>(pub(super) &'p [u8]);

impl<'p> Unpacker<'p> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    fn bytes(&mut self, count: usize) -> &'p [u8] {
        let (bytes, rest) = self.0.split_at_checked(count).unwrap_or_default();
        self.0 = rest;
        bytes
    }

    pub(super) fn byte(&mut self) -> usize {
        self.bytes(1).first().map_or(0, |byte| usize::from(*byte))
    }

    pub(super) fn number(&mut self) -> u32 {
        self.bytes(4).try_into().map_or(0, u32::from_le_bytes)
    }

    pub(super) fn long(&mut self) -> u64 {
        self.bytes(8).try_into().map_or(0, u64::from_le_bytes)
    }

    pub(super) fn piece(&mut self) -> Option<&'p [u8]> {
        match self.number() {
            NONE => None,
            length => Some(self.bytes(length as usize)),
        }
    }

    pub(super) fn optional(&mut self) -> Option<&'p str> {
        self.piece().map(|piece| std::str::from_utf8(piece).unwrap_or_default())
    }

    pub(super) fn text(&mut self) -> &'p str {
        self.optional().unwrap_or_default()
    }

    pub(super) fn skip(&mut self, pieces: usize) {
        for _ in 0..pieces {
            self.piece();
        }
    }

    /// Goes over headers, and says whether something holds for one of their values.
    pub(super) fn values(&mut self, holds: &dyn Fn(&[u8]) -> bool) -> bool {
        let mut found = false;
        for _ in 0..self.number() {
            self.skip(1);
            let value = self.piece().unwrap_or_default();
            found = found || holds(value);
        }
        found
    }

    pub(super) fn headers(&mut self, mut each: impl FnMut(HeaderName, HeaderValue)) {
        for _ in 0..self.number() {
            let name = HeaderName::from_bytes(self.piece().unwrap_or_default());
            let value = HeaderValue::from_bytes(self.piece().unwrap_or_default());
            // What was a header is one.
            if let (Ok(name), Ok(value)) = (name, value) {
                each(name, value);
            }
        }
    }

    /// A body; where it was not packed, the one that is shared.
    pub(super) fn body(&mut self, shared: impl FnOnce() -> Bytes) -> Bytes {
        self.piece().map_or_else(shared, Bytes::copy_from_slice)
    }
}

//! The lines on which this program calls others: what webhooks and the commands' own client share.
//!
//! A line is there already when it comes here: who may be called, and at which address, is known to those who call. Must
//! not know: what is said, and to whom. Start with [`Line`] and [`Trust`].

mod stream;
mod tls;

use http::{HeaderName, header};

pub(crate) use stream::{Flooded, Line, Meter};
pub(crate) use tls::{Distrust, Trust};

/// How this program names itself, unless a request says otherwise.
pub(crate) const AGENT: &str = concat!("standin/", env!("CARGO_PKG_VERSION"));

/// The most bytes and headers of the head of an answer.
pub(crate) const MOST_HEAD: usize = 32 << 10;
pub(crate) const MOST_HEADERS: usize = 100;

/// What frames a request or says where it goes. Whoever writes a request gives none of these.
pub(crate) const FRAMING: [HeaderName; 10] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// What the fields of a head take on the wire.
pub(crate) fn size(headers: &http::HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

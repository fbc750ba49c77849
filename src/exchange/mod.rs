//! One request and its answer as plain values.
//!
//! Must not know: hyper, packs, sandboxes. Uses the `http` crate's method, header and status types only.
//! Start with [`Request`] and [`Response`]; [`Problem`] is the server's own way to refuse.

mod accepts;
mod address;
mod curl;
mod delivery;
mod difference;
mod equal;
mod headers;
mod json;
mod json_text;
mod markup;
mod outgoing;
mod pointer;
mod preferences;
mod problem;
mod request;
mod response;
mod whole;

pub(crate) use accepts::{accepts, is_media, weight};
pub(crate) use address::{apart, segment};
pub(crate) use curl::{Sent, curl, quoted};
pub(crate) use delivery::{Delivery, LONGEST_DELAY, MOST_PIECES, Manner, in_millis, millis};
pub(crate) use difference::{Difference, Differs, differences};
pub(crate) use equal::{equal, same_number};
pub(crate) use headers::Headers;
pub(crate) use json::{JsonFaultKind, distinct, parse as parse_json, spelled};
pub(crate) use json_text::JsonText;
pub(crate) use markup::{code, escaped, page};
pub(crate) use outgoing::{Answered, DELIVERY, Failed, MOST_ANSWER, Outcome, Outgoing};
pub(crate) use pointer::{Pattern, child, leaves, segments};
pub(crate) use preferences::{Preferences, preference};
pub(crate) use problem::Problem;
pub(crate) use request::{Body, Request, is_label};
pub(crate) use response::Response;
pub(crate) use whole::whole_text;

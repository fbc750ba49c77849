//! A sandbox's log as a file that proves itself: what is needed to do everything in it again, and what came of it.
//!
//! A bundle is text, one JSON value a line: a head, an entry a line, and an end with the digest of all before it. So one
//! that was cut short or altered is known by the line. Must not know: sockets, the terminal. Start with [`write()`],
//! [`read`] and [`replay`].

mod agenda;
mod compare;
mod format;
mod read;
mod replay;
mod write;

pub(crate) use read::{Bundle, read};
pub(crate) use replay::{Difference, Proof, again, replay};
pub(crate) use write::{write, write_story};

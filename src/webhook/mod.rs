//! What goes out: webhooks of packs, sent when their instant has come.
//!
//! Must not know: which API it plays, what is told, or why; a sandbox says what is sent and when, and is told what came of
//! it. Start with [`Courier`].

mod client;
mod courier;

pub(crate) use client::Client;
pub(crate) use courier::{Advanced, Courier, Mailbox, NotAdvanced, post};

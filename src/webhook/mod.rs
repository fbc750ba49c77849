//! What goes out: webhooks of packs, sent when their instant has come. Nothing else that a server does makes a connection.
//!
//! A sandbox says what is sent and when, and is told what came of it (`courier.rs`). Every attempt is a call of
//! [`Client::send`], and every call passes [`Gate`] (`gate.rs`, `address.rs`): this machine, and what
//! `--allow-webhook-host` names. Must not know: which API it plays, what is told, or why. Start with [`Courier`].

mod address;
mod client;
mod courier;
mod exchange;
mod gate;
mod tls;

use client::Client;
pub(crate) use courier::{Advanced, Courier, Ended, Log, Mailbox, NotAdvanced, post};
pub(crate) use gate::{Allowed, Gate};

//! What a sandbox needs of others: how what is due is worked out, and who takes what goes out.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::exchange::Moment;
use super::id::SandboxId;
use super::outbox::Delivery;
use super::perform::Ticket;
use super::world::Change;
use crate::exchange::{JsonText, Outgoing};
use crate::pack::Pack;

/// How what is due is worked out. The engine knows.
#[derive(Clone, Copy)]
pub(crate) struct Deeds {
    pub(crate) fire: fn(&Arc<Pack>, &Moment<'_>, &Occasion<'_>) -> Fired,
    /// What an attempt sends; else why nothing is sent any more, in words.
    pub(crate) attempt: fn(&Arc<Pack>, &Moment<'_>, &Delivery, u32) -> Result<Outgoing, String>,
}

impl fmt::Debug for Deeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deeds")
    }
}

/// An event whose time has come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Occasion<'a> {
    /// Somebody asked for it with this input.
    Asked(&'a str, &'a JsonText),
    /// A pack has it for the record with this id.
    Tied(&'a str, &'a str),
}

/// What comes of an event whose time has come.
#[derive(Debug)]
pub(crate) struct Fired {
    pub(crate) input: Json,
    /// What it does; else why it does not happen, in words.
    pub(crate) change: Result<Change, String>,
}

/// Who takes what goes out of sandboxes, and looks at them when something is due.
pub(crate) trait Carrier: Send + Sync + fmt::Debug {
    /// Takes an attempt that is under way now.
    fn carry(&self, sandbox: &SandboxId, ticket: Ticket);
    /// Something is due at another time than it was.
    fn look(&self, sandbox: &SandboxId);
}

/// Where there is nobody: nothing goes out, and nobody looks.
#[derive(Debug)]
pub(crate) struct Nobody;

impl Carrier for Nobody {
    fn carry(&self, _: &SandboxId, _: Ticket) {}
    fn look(&self, _: &SandboxId) {}
}

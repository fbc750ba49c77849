//! What happened in a sandbox, in order: the log, and its view of exchanges, the journal.
//!
//! Must not know: worlds, the engine, the server. Start with [`Log`]; a [`Trace`] says why an answer is what it is.

mod entry;
mod face;
mod kept;
mod log;
mod packed;
mod query;
mod trace;

pub(crate) use entry::{Attempted, Entry, Exchanged, Happening, Note, Received, Scheduled};
pub(crate) use face::{Because, Face, Misfit, Part, Reloaded};
pub(crate) use kept::Kept;
pub(crate) use log::{Limits, Log};
pub(crate) use query::{
    BodyPattern, Filter, PathPattern, PatternFault, StatusFilter, Text, has_headers, is_called, is_unmatched,
};
pub(crate) use trace::{Stage, Step, Trace, Verdict};

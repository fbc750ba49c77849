//! One isolated world: records, virtual clock, log, chance.
//!
//! Must not know: the engine, HTTP, the server. Start with [`Sandbox`]; [`World`] is what the engine reads and makes
//! anew, [`Registry`] holds all sandboxes of a server.

mod id;
mod registry;
mod state;
mod view;
mod world;

pub(crate) use id::SandboxId;
pub(crate) use registry::{NotMade, NotThere, Registry, Settings, Wish};
pub(crate) use state::{Advance, Committed, Exchange, Intervention, Moment, Sandbox, notes};
pub(crate) use view::{RecordList, RecordView, RecordsRoot, Visibility};
pub(crate) use world::{Change, Conflict, Record, Step, World, WorldEdit};

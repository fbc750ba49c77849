//! One isolated world: records, virtual clock, log, chance.
//!
//! Must not know: the engine, HTTP, the server. Start with [`Sandbox`]; [`World`] is what the engine reads and makes
//! anew, [`Registry`] holds all sandboxes of a server.

mod adopt;
pub(crate) mod agenda;
mod controls;
mod deeds;
mod dump;
mod exchange;
mod faults;
mod fields;
mod ground;
mod history;
mod id;
mod limits;
mod numbers;
pub(crate) mod outbox;
mod perform;
mod refit;
mod registry;
mod snapshot;
mod state;
mod tally;
mod view;
mod watch;
mod wire;
mod world;

pub(crate) use controls::Controls;
pub(crate) use deeds::{Carrier, Deeds, Fired, Nobody, Occasion};
pub(crate) use exchange::{Committed, Exchange, Moment, notes};
pub(crate) use faults::{Failure, Fault, Faults, Latency, When};
pub(crate) use fields::Fields;
pub(crate) use ground::Ground;
pub(crate) use history::Difference;
pub(crate) use id::SandboxId;
pub(crate) use limits::{Counted, Limit, Limits, Others, Window};
pub(crate) use numbers::Numbers;
pub(crate) use perform::{Next, Stride, Ticket};
pub(crate) use registry::{Closing, NotMade, NotThere, Origin, Registry, Replacement, Settings, Standing, Wish};
pub(crate) use snapshot::{Back, NotRewound, NotTaken, Snapshot, Story, snapshot_name};
pub(crate) use state::{Beginning, Intervention, Sandbox};
pub(crate) use tally::{Sorts, Tally};
pub(crate) use view::{RecordList, RecordRef, RecordView, RecordsRoot, Visibility};
pub(crate) use watch::{News, Watch};
pub(crate) use world::{Change, Conflict, Record, Step, World, WorldEdit};

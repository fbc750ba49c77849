//! standin: a local stand-in for real HTTP APIs.
//!
//! The program is [`main`]; everything else is private. The modules, from the lowest to the highest; a module uses only
//! those above it in this list, and `tests/it/architecture.rs` holds it to that:
//!
//! - `exchange`, `clock`, `diagnostic`: plain values: a request and its answer, virtual time, a mistake with its place
//! - `expr`, `schema`, `journal`, `stub`, `junit`: expressions and JSON Schemas, compiled when a pack is loaded; what
//!   happened, and why; canned answers of a test; results, for servers of CI
//! - `pack`: an API as data
//! - `sandbox`: one isolated world of records, clock, log and chance
//! - `coverage`, `engine`, `mask`, `metrics`, `line`: what of packs was exercised; one request in, one exchange out, pure;
//!   what must not be read; what is counted of exchanges; connections to others
//! - `bundle`, `reload`, `webhook`, `client`: a log as a file that proves itself; packs read again while they are served;
//!   what goes out; what commands call a server with
//! - `record`: a log as a story
//! - `control`, `check`, `scenario`: the control plane; documented examples, sent again; stories, told and run
//! - `ui`: pages for people
//! - `server`: sockets, and the real clock
//! - `cli`: the terminal

mod bundle;
mod check;
mod cli;
mod client;
mod clock;
mod control;
mod coverage;
mod diagnostic;
mod engine;
mod exchange;
mod expr;
mod journal;
mod junit;
mod line;
mod mask;
mod metrics;
mod pack;
mod record;
mod reload;
mod sandbox;
mod scenario;
mod schema;
mod server;
mod stub;
mod ui;
mod webhook;

pub use cli::main;

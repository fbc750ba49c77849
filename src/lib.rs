//! standin: a local stand-in for real HTTP APIs.

mod check;
mod cli;
mod clock;
mod control;
mod diagnostic;
mod engine;
mod exchange;
mod expr;
mod journal;
mod pack;
mod sandbox;
mod schema;
mod server;

pub use cli::main;

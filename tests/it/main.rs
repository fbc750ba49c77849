//! Everything that is tested from outside, in one binary.

mod bad_input;
mod cli;
mod control;
mod curl;
mod customers;
mod diagnostics;
mod format;
mod server;
mod trial;

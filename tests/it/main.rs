//! Everything that is tested from outside, in one binary.

mod curl;
mod customers;
mod diagnostics;
mod format;
mod server;

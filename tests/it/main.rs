//! Everything that is tested from outside, in one binary.

mod architecture;
mod bad_input;
mod capillary;
mod cli;
mod control;
mod curl;
mod customers;
mod diagnostics;
mod docs;
mod documented;
mod errors;
mod format;
mod hubster;
mod integrations;
mod markdown;
mod mutate;
mod optimizeplayer;
mod options;
mod rust;
mod safe;
mod server;
mod shapes;
mod support;
mod tree;
mod trial;
mod tutorial;

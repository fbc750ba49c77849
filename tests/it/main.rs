//! Everything that is tested from outside, in one binary.

mod architecture;
mod diagnostics;
mod docs;
mod format;
mod markdown;
mod mutate;
mod rust;
mod support;
mod tree;

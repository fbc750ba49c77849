//! Everything that is tested from outside, in one binary.

mod architecture;
mod diagnostics;
mod docs;
mod format;
mod markdown;
mod rust;
mod tree;

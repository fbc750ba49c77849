//! Everything that is tested from outside, in one binary.

mod architecture;
mod diagnostics;
mod format;
mod rust;
mod tree;

//! What can be measured, one part a file.

pub mod build;
mod ceiling;
pub mod hyper;
pub mod memory;
pub mod start;

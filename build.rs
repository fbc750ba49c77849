//! Rebuilds the crate when a file is added to or taken from the packs that are part of the binary.

fn main() {
    println!("cargo::rerun-if-changed=fixtures");
    println!("cargo::rerun-if-changed=schemas");
}

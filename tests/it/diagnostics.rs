//! Mistakes in packs, each with the exact words that its author gets.

//! Writing to the terminal. A closed pipe ends the output, not the program with an error.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};

pub(super) fn out(text: &str) {
    let _ = stdout().lock().write_all(text.as_bytes()).and_then(|()| stdout().flush());
}

pub(super) fn err(text: &str) {
    let _ = stderr().lock().write_all(text.as_bytes());
}

/// Whether messages are coloured: on a terminal, unless `NO_COLOR` says no.
pub(super) fn coloured() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

//! Writing to the terminal. A closed pipe ends the output, not the program with an error.

use std::ffi::OsStr;
use std::io::{IsTerminal as _, Write as _, stderr, stdout};

pub(super) fn out(text: &str) {
    let _ = stdout().lock().write_all(text.as_bytes()).and_then(|()| stdout().flush());
}

pub(super) fn err(text: &str) {
    let _ = stderr().lock().write_all(text.as_bytes());
}

/// Whether messages are coloured: on a terminal, unless `NO_COLOR` says no.
pub(super) fn coloured() -> bool {
    wanted(stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref())
}

fn wanted(terminal: bool, no_color: Option<&OsStr>) -> bool {
    terminal && no_color.is_none_or(OsStr::is_empty)
}

#[test]
fn colours_are_for_terminals_whose_owner_wants_them() {
    let no = |value: &'static str| Some(OsStr::new(value));
    assert!(wanted(true, None) && wanted(true, no("")));
    assert!(!wanted(true, no("1")) && !wanted(false, None) && !wanted(false, no("")));
}

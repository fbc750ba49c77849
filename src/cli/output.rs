//! Writing to the terminal. A closed pipe ends the output, not the program with an error.

use std::ffi::OsStr;
use std::io::{IsTerminal as _, Write as _, stderr, stdout};

use crate::scenario::report::{Piece, Tone};

pub(super) fn out(text: &str) {
    let _ = stdout().lock().write_all(text.as_bytes()).and_then(|()| stdout().flush());
}

pub(super) fn err(text: &str) {
    let _ = stderr().lock().write_all(text.as_bytes());
}

/// Text whose pieces have colours where standard output wants them. Nothing in it reaches the terminal as a code.
pub(super) fn painted(pieces: &[Piece]) -> String {
    let colours = wanted(stdout().is_terminal(), std::env::var_os("NO_COLOR").as_deref());
    let mut text = String::new();
    for Piece { tone, text: piece } in pieces {
        let piece: String = piece.chars().filter(|one| *one == '\n' || !one.is_control()).collect();
        let code = match tone {
            Tone::Plain => "",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Strong => "1",
            Tone::Soft => "2",
        };
        match (colours, code) {
            (false, _) | (true, "") => text.push_str(&piece),
            (true, code) => text.push_str(&format!("\x1b[{code}m{piece}\x1b[0m")),
        }
    }
    text
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

//! Which packs a command is about.

use std::fmt::Write as _;

use super::Exit;
use super::args::Packs;
use super::output::{coloured, err};
use crate::diagnostic::{nearest, one_of, render};
use crate::pack::{self, Files, Folders, Loaded};

/// Reads the packs that are named, or all. What cannot be read is said, with the exit code.
pub(super) fn read(arguments: &Packs) -> Result<Vec<Files>, Exit> {
    let folders = Folders { fixtures: arguments.fixtures.clone(), schemas: arguments.schemas.clone() };
    let all = pack::read_all(&folders).map_err(|error| {
        err(&format!("error: packs cannot be read: {error}\n"));
        Exit::Broken
    })?;
    if arguments.packs.is_empty() {
        return match all.is_empty() {
            false => Ok(all),
            true => {
                err(&format!("error: there is no pack: no folder of {} has a pack.yaml\n", folders.fixtures.display()));
                Err(Exit::Usage)
            }
        };
    }
    let mut chosen = Vec::new();
    for name in &arguments.packs {
        match all.iter().find(|files| files.folder == *name) {
            Some(files) if chosen.iter().any(|other: &Files| other.folder == files.folder) => {}
            Some(files) => chosen.push(files.clone()),
            None => {
                let names = all.iter().map(|files| files.folder.as_str());
                let mut message = format!("error: there is no pack `{name}`");
                if let Some(meant) = nearest(name, names.clone()) {
                    let _ = write!(message, ": did you mean `{meant}`?");
                }
                let _ = writeln!(message, "\nthere are {}", one_of(names));
                err(&message);
                return Err(Exit::Usage);
            }
        }
    }
    Ok(chosen)
}

/// Prints everything there is to say about a pack, and whether it can be served.
pub(super) fn tell(loaded: &Loaded) -> bool {
    err(&render(&loaded.diagnostics, loaded.sources(), coloured()));
    if loaded.pack.is_none() {
        let errors = loaded.errors();
        let plural = if errors == 1 { "" } else { "s" };
        err(&format!("the pack `{}` has {errors} error{plural} and cannot be served\n", loaded.name));
    }
    loaded.pack.is_some()
}

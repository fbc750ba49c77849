//! Which packs a command is about.

use std::cmp::Reverse;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Exit;
use super::args::{PackFolders, Packs};
use super::output::{coloured, err};
use crate::diagnostic::{or_rather, render, there_are};
use crate::pack::{self, Files, Folders, Loaded};

/// Reads the packs that are named, or all. What cannot be read is said, with the exit code.
pub(super) fn read(arguments: &Packs) -> Result<Vec<Files>, Exit> {
    let folders = folders(&arguments.folders)?;
    let all = all(&arguments.folders)?;
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
                let meant = or_rather(name, names.clone());
                err(&format!("error: there is no pack `{name}`{meant}\n{}\n", there_are(names)));
                return Err(Exit::Usage);
            }
        }
    }
    Ok(chosen)
}

/// Reads every pack that there is.
pub(super) fn all(arguments: &PackFolders) -> Result<Vec<Files>, Exit> {
    pack::read_all(&folders(arguments)?).map_err(|error| {
        err(&format!("error: packs cannot be read: {error}\n"));
        Exit::Broken
    })
}

pub(super) fn folders(arguments: &PackFolders) -> Result<Folders, Exit> {
    let PackFolders { fixtures, schemas } = arguments;
    Ok(Folders {
        fixtures: folder("--fixtures", fixtures.as_deref(), "fixtures")?,
        schemas: folder("--schemas", schemas.as_deref(), "schemas")?,
    })
}

/// A folder that is asked for is there: with a misspelt one the copies in the binary would be checked instead.
fn folder(flag: &str, given: Option<&Path>, default: &str) -> Result<PathBuf, Exit> {
    match given {
        None => Ok(PathBuf::from(default)),
        Some(given) if given.is_dir() => Ok(given.to_owned()),
        Some(given) => {
            err(&format!(
                "error: {flag}: there is no folder `{}`\nwithout {flag} it is `{default}`\n",
                given.display()
            ));
            Err(Exit::Usage)
        }
    }
}

/// Loads packs, in their order. No pack knows another one, so they are read side by side, the largest first.
pub(super) fn load(all: &[Files]) -> Vec<Loaded> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(all.len());
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|index| Reverse(all[*index].bytes()));
    let next = AtomicUsize::new(0);
    let work = || {
        let taken = std::iter::from_fn(|| order.get(next.fetch_add(1, Ordering::Relaxed)));
        taken.map(|index| (*index, pack::load(&all[*index]))).collect::<Vec<_>>()
    };
    let mut loaded = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut loaded = work();
        for other in others {
            loaded.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        loaded
    });
    loaded.sort_by_key(|(index, _)| *index);
    loaded.into_iter().map(|(_, loaded)| loaded).collect()
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

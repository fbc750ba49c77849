//! `standin run --watch`: what is affected is run again whenever files change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Setup, ToldOf};
use crate::cli::Exit;
use crate::cli::output::err;
use crate::cli::packs;
use crate::cli::serve::usage;
use crate::reload::Changes;
use crate::scenario::{Scenario, Turn};

/// What was there when scenarios were last run.
#[derive(Default)]
struct Seen {
    /// The digests of packs, by name.
    packs: BTreeMap<String, String>,
    /// The texts of scenarios and of what they include, by path.
    files: BTreeMap<String, String>,
}

/// Runs everything, then what is affected by each change, until the process is interrupted.
pub(super) fn follow(setup: &Setup<'_>) -> Result<Exit, Exit> {
    let mut seen = Seen::default();
    loop {
        // What changes from here on is heard; what changed before is read.
        let changes = Changes::at(&places(setup)?);
        let changes = changes.map_err(|why| usage(&format!("--watch: changes cannot be followed: {why}")))?;
        // What is wrong has been said, and may be mended.
        let told = setup.told();
        if let Ok(told) = told {
            again(setup, told, &mut seen)?;
        }
        err("waiting for changes; Ctrl+C ends\n");
        if !changes.wait() {
            return Err(usage("--watch: changes are not told any more"));
        }
    }
}

/// Where changes count: the folders of packs, and what was named.
fn places(setup: &Setup<'_>) -> Result<Vec<PathBuf>, Exit> {
    let folders = packs::folders(&setup.arguments.folders)?;
    let named = setup.named.paths.iter().chain([&folders.fixtures, &folders.schemas]);
    let there: BTreeSet<PathBuf> = named.filter_map(|path| fs::canonicalize(path).ok()).collect();
    Ok(there.into_iter().collect())
}

fn again(setup: &Setup<'_>, told: ToldOf, seen: &mut Seen) -> Result<(), Exit> {
    let digests = told.packs.all().iter().map(|pack| (pack.name.to_string(), pack.face.digest.clone())).collect();
    let before = std::mem::replace(seen, Seen { packs: digests, files: told.files.clone() });
    let affected = |scenario: &Scenario| seen.affects(&before, &told, scenario);
    let scenarios: Vec<Arc<Scenario>> =
        told.scenarios.iter().filter(|scenario| affected(scenario)).map(Arc::clone).collect();
    if scenarios.is_empty() {
        return Ok(());
    }
    let all = setup.turns(&told)?;
    let is_affected = |turn: &Turn| scenarios.iter().any(|scenario| Arc::ptr_eq(scenario, &turn.scenario));
    let turns: Vec<Turn> = all.into_iter().filter(is_affected).collect();
    if !turns.is_empty() {
        setup.run(told.packs, turns)?;
    }
    Ok(())
}

impl Seen {
    /// Whether something changed that a scenario is made of: its file, a file that only is included, or a pack.
    fn affects(&self, before: &Seen, told: &ToldOf, scenario: &Scenario) -> bool {
        let differs = |path: &str| self.files.get(path) != before.files.get(path);
        let is_story = |path: &str| told.scenarios.iter().any(|scenario| *scenario.file == *path);
        let packs = told.packs.all();
        let mut used = scenario.packs().into_iter().map(|pack| &*packs[pack].name);
        differs(&scenario.file)
            || self.files.keys().any(|path| !is_story(path) && differs(path))
            || used.any(|name| self.packs.get(name) != before.packs.get(name))
    }
}

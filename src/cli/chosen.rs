//! `--option`: what users choose where a pack leaves it to them.

use std::sync::Arc;

use super::Exit;
use super::serve::usage;
use crate::exchange::spelled;
use crate::pack::{Chosen, Pack};

/// Reads `PACK.NAME` and `PACK.NAME=VALUE`.
pub(super) fn read(given: &[String], packs: &[Arc<Pack>]) -> Result<Vec<Chosen>, Exit> {
    let mut all: Vec<Chosen> = Vec::new();
    for text in given {
        let refuse = |why: &str| usage(&format!("--option {text}: {why}"));
        let (path, value) = text.split_once('=').map_or((text.as_str(), None), |(path, value)| (path, Some(value)));
        let (pack, definition) = Chosen::find(packs, path).map_err(|why| refuse(&why))?;
        let value = match value {
            Some(value) => definition.parse(value).map_err(|why| refuse(&why))?,
            None if definition.is_boolean() => definition.parse("true").map_err(|why| refuse(&why))?,
            None => {
                let values = definition.spelled().join("|");
                return Err(refuse(&format!("it is no boolean: write {path}={values}")));
            }
        };
        let chosen = definition.choose(pack, value);
        let other = all.iter().find(|other| other.is_for(&chosen));
        if other.is_some_and(|other| other.value != chosen.value) {
            return Err(refuse(&format!("`{path}` is given twice, with different values")));
        }
        if other.is_none() {
            all.push(chosen);
        }
    }
    Ok(all)
}

/// What was chosen of one pack, as it can be typed again: `put-update=true`.
pub(super) fn shown(chosen: &[Chosen], pack: &Pack) -> Vec<String> {
    let own = chosen.iter().filter(|one| one.pack == pack.name);
    own.map(|one| format!("{}={}", one.option, spelled(&one.value))).collect()
}

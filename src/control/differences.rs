//! What became of records, told with each change of an entry: the record before it and after it.

use serde_json::{Value as Json, json};

use super::{Call, state};
use crate::journal::Entry;
use crate::mask::{Mask, Secrets};
use crate::sandbox::{Difference, Ground};

/// Of how many changes of one entry the records are told.
const MOST: usize = 100;

/// Adds to the changes of an entry what each made of its record, or why that is not known.
pub(super) fn tell(call: &Call<'_>, entry: &Entry, changes: &mut Json, mask: &Mask, secrets: Secrets) {
    let (Some((pack, _)), Some(changes)) = (entry.changes(), changes.as_array_mut()) else { return };
    if changes.is_empty() {
        return;
    }
    let (ground, all) = match call.sandbox.differences(entry.id) {
        Ok(found) => found,
        Err(by) => {
            let why = format!("a pack was edited since, in entry {by}: what was before is not kept");
            return changes.iter_mut().for_each(|change| change["unknown"] = json!(why));
        }
    };
    let Some(pack) = ground.packs.iter().position(|known| *known.name == *pack) else { return };
    // One edit is one change. Where that is not so, the entry was undone while it was read.
    if all.len() != changes.len() {
        return changes.iter_mut().for_each(|change| change["unknown"] = json!("the entry was undone just now"));
    }
    for (change, difference) in changes.iter_mut().zip(&all).take(MOST) {
        let Json::Object(more) = told(&ground, pack, difference, mask, secrets) else { continue };
        change.as_object_mut().into_iter().for_each(|change| change.extend(more.clone()));
    }
    for change in changes.iter_mut().skip(MOST) {
        change["unknown"] = json!(format!("of the changes of one entry, the first {MOST} are told"));
    }
}

fn told(ground: &Ground, pack: usize, difference: &Difference, mask: &Mask, secrets: Secrets) -> Json {
    let Difference { resource, before, after } = difference;
    let pack = &ground.packs[pack];
    let shown = |record: &Option<_>| {
        let record = record.as_deref()?;
        let mut shown = state::shown(pack, *resource, record, secrets);
        mask.value(&mut shown);
        Some(shown)
    };
    let mut told = json!({ "before": shown(before), "after": shown(after) });
    if let (Some(before), Some(after)) = (before, after) {
        // A secret that is another looks the same behind its mask.
        let fields = pack.resource(*resource).fields.iter().enumerate();
        let changed = fields.filter(|(index, _)| !before.values.agree(&after.values, *index));
        told["changed"] = changed.map(|(_, field)| &*field.name).collect();
    }
    told
}

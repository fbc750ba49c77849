//! `/reload`: whether the packs that are served are those on disk, and what no longer fits them.

use serde_json::{Value as Json, json};

use super::body::members;
use super::{Answer, Call, ok, shown};
use crate::reload::{Shown, Standing};

/// The most sandboxes of which misfits are listed, and the most of each pack there.
const SANDBOXES: usize = 100;
const LISTED: usize = 20;

pub(super) fn show(call: &Call<'_>) -> Answer {
    ok(&state(call))
}

/// Looks now, and says what changed.
pub(super) fn look(call: &Call<'_>) -> Answer {
    members(call, &[])?;
    let changed = call.reloader.look();
    let mut state = state(call);
    state["changed"] = json!(changed);
    ok(&state)
}

fn state(call: &Call<'_>) -> Json {
    let Shown { watch, last, trouble, packs } = call.reloader.shown();
    let found = call.registry.list(call.real).into_iter().flat_map(|sandbox| {
        let misfits = sandbox.misfits(LISTED);
        misfits.into_iter().map(move |(pack, aside, listed)| {
            json!({
                "sandbox": sandbox.id().as_str(),
                "pack": &*pack,
                "aside": aside,
                "misfits": listed.iter().map(shown::misfit).collect::<Vec<_>>(),
            })
        })
    });
    json!({
        "watch": watch.word(),
        "at": last.map(|(at, _)| at.to_string()),
        "tookMillis": last.map(|(_, took)| took),
        "trouble": trouble,
        "packs": packs.into_iter().map(pack).collect::<Vec<_>>(),
        "misfits": found.take(SANDBOXES).collect::<Vec<_>>(),
    })
}

fn pack(standing: Standing) -> Json {
    let Standing { name, state, served, on_disk, at, place, digest, files, seeds, diagnostics } = standing;
    json!({
        "pack": name,
        "state": state,
        "served": served,
        "from": if on_disk { "disk" } else { "built-in" },
        "at": at.map(|at| at.to_string()),
        "place": place,
        "digest": digest,
        "files": files,
        "seeds": seeds,
        "diagnostics": diagnostics,
    })
}

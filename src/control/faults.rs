//! `/faults`: what is to go wrong.

use http::StatusCode;
use serde_json::json;

use super::body::members;
use super::{Answer, Call, done, ok};
use crate::engine::{self, Mistake, Setting};
use crate::exchange::Problem;

/// The rules, each with how often it has applied.
pub(super) fn list(call: &Call<'_>) -> Answer {
    ok(&engine::faults_shown(&call.sandbox.controls().faults))
}

pub(super) fn put(call: &Call<'_>) -> Answer {
    let given = members(call, &["faults"])?.all();
    set(call, &Setting::Faults(given.into()))?;
    list(call)
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    set(call, &Setting::NoFaults)?;
    done()
}

/// Changes what is asked of the sandbox.
pub(super) fn set(call: &Call<'_>, setting: &Setting) -> Result<(), Problem> {
    let packs = &call.sandbox.ground().packs;
    let entry = call.sandbox.set(call.real, |controls| engine::set(packs, controls, setting));
    entry.map(|_| ()).map_err(|mistakes| refused(&mistakes))
}

/// The problem for settings that cannot be.
pub(super) fn refused(mistakes: &[Mistake]) -> Problem {
    let shown = |mistake: &Mistake| json!({ "pointer": mistake.pointer, "message": mistake.message });
    let detail = match mistakes {
        [only] if only.pointer.is_empty() => format!("{}.", only.message),
        [only] => {
            let end = if only.message.ends_with(['.', '?']) { "" } else { "." };
            format!("`{}`: {}{end}", only.pointer, only.message)
        }
        _ => format!("{} mistakes; nothing was changed.", mistakes.len()),
    };
    Problem::new("setting-invalid", StatusCode::UNPROCESSABLE_ENTITY, "This cannot be asked of a sandbox", detail)
        .with("mistakes", mistakes.iter().map(shown).collect())
}

//! What tests ask of a sandbox besides records and time: faults, limits, stubs. All of it is changed in one way.

use http::StatusCode;
use serde_json::json;

use super::Call;
use crate::engine::{self, Mistake, Setting};
use crate::exchange::Problem;
use crate::sandbox::Controls;

/// Why nothing was set.
pub(super) enum NotSet {
    /// There is no such thing to set.
    Unknown(Problem),
    Mistakes(Vec<Mistake>),
}

impl From<NotSet> for Problem {
    fn from(why: NotSet) -> Problem {
        match why {
            NotSet::Unknown(problem) => problem,
            NotSet::Mistakes(mistakes) => refused(&mistakes),
        }
    }
}

/// Changes what a test asks of the sandbox, in one step that sees how it is.
pub(super) fn set(call: &Call<'_>, setting: impl FnOnce(&Controls) -> Result<Setting, NotSet>) -> Result<(), Problem> {
    let ground = call.sandbox.ground();
    let set = call.sandbox.set(call.real, |controls| {
        let setting = setting(controls)?;
        engine::set(&ground.packs, controls, &setting).map_err(NotSet::Mistakes)
    });
    Ok(set.map(|_| ())?)
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

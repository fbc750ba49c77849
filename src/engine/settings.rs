//! What tests ask of a sandbox besides records and time, as the control plane and a log say it.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::fault::{self, Mistake};
use crate::journal::Happening;
use crate::pack::Pack;
use crate::sandbox::{Controls, Faults};

/// One change of what is asked.
#[derive(Debug, Clone)]
pub(crate) enum Setting {
    /// `{"faults": [rule…]}`, in place of all rules that were there.
    Faults(Json),
    /// No more faults.
    NoFaults,
}

impl Setting {
    /// The setting that a log has written down.
    pub(crate) fn of(method: &str, path: &str, body: Option<Json>) -> Option<Setting> {
        match (method, path, body) {
            ("PUT", "/faults", Some(body)) => Some(Setting::Faults(body)),
            ("DELETE", "/faults", None) => Some(Setting::NoFaults),
            _ => None,
        }
    }

    /// Method, path below `/_standin` and body.
    fn parts(&self) -> (&'static str, String, Option<&Json>) {
        match self {
            Setting::Faults(body) => ("PUT", "/faults".to_owned(), Some(body)),
            Setting::NoFaults => ("DELETE", "/faults".to_owned(), None),
        }
    }
}

/// What a sandbox is asked after a setting, and how a log writes that down. Nothing changes where there is a mistake.
pub(crate) fn set(
    packs: &[Arc<Pack>],
    controls: &Controls,
    setting: &Setting,
) -> Result<(Controls, Happening), Vec<Mistake>> {
    let mut controls = controls.clone();
    match setting {
        Setting::Faults(given) => controls.faults = fault::read(packs, given)?,
        Setting::NoFaults => controls.faults = Faults::default(),
    }
    let (method, path, body) = setting.parts();
    Ok((controls, Happening::Setting { method, path, body: body.cloned() }))
}

/// All that is asked of a sandbox, so that `controls` makes the same of it. None where nothing is.
pub(crate) fn dumped(controls: &Controls) -> Option<Json> {
    (!controls.faults.is_empty()).then(|| json!({ "faults": fault::dump(&controls.faults) }))
}

/// What `dumped` wrote.
pub(crate) fn controls(packs: &[Arc<Pack>], dumped: &Json) -> Result<Controls, Vec<Mistake>> {
    let mut controls = Controls::default();
    if let Some(faults) = dumped.get("faults") {
        controls.faults = fault::undump(packs, faults)?;
    }
    Ok(controls)
}

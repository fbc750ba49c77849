//! What tests ask of a sandbox besides records and time, as the control plane and a log say it.

use std::sync::Arc;

use serde_json::Value as Json;

use super::mistake::Mistake;
use super::{fault, limit};
use crate::journal::Happening;
use crate::pack::Pack;
use crate::sandbox::{Controls, Faults, Limits, Others};

/// One change of what is asked.
#[derive(Debug, Clone)]
pub(crate) enum Setting {
    /// `{"faults": [rule…]}`, in place of all rules that were there.
    Faults(Json),
    /// No more faults.
    NoFaults,
    /// `{"limits": [rule…]}`, in place of all limits that were there.
    Limits(Json),
    /// No more limits.
    NoLimits,
}

impl Setting {
    /// The setting that a log has written down.
    pub(crate) fn of(method: &str, path: &str, body: Option<Json>) -> Option<Setting> {
        match (method, path, body) {
            ("PUT", "/faults", Some(body)) => Some(Setting::Faults(body)),
            ("DELETE", "/faults", None) => Some(Setting::NoFaults),
            ("PUT", "/limits", Some(body)) => Some(Setting::Limits(body)),
            ("DELETE", "/limits", None) => Some(Setting::NoLimits),
            _ => None,
        }
    }

    /// Method, path below `/_standin` and body.
    fn parts(&self) -> (&'static str, String, Option<&Json>) {
        match self {
            Setting::Faults(body) => ("PUT", "/faults".to_owned(), Some(body)),
            Setting::NoFaults => ("DELETE", "/faults".to_owned(), None),
            Setting::Limits(body) => ("PUT", "/limits".to_owned(), Some(body)),
            Setting::NoLimits => ("DELETE", "/limits".to_owned(), None),
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
        Setting::Limits(given) => controls.limits = limit::read(packs, given)?,
        Setting::NoLimits => controls.limits = Limits::new(Vec::new(), Others::Unlimited),
    }
    let (method, path, body) = setting.parts();
    Ok((controls, Happening::Setting { method, path, body: body.cloned() }))
}

/// All that is asked of a sandbox, so that `controls` makes the same of it. None where nothing is.
pub(crate) fn dumped(controls: &Controls) -> Option<Json> {
    let mut dumped = serde_json::Map::new();
    if !controls.faults.is_empty() {
        dumped.insert("faults".to_owned(), fault::dump(&controls.faults));
    }
    if !controls.limits.is_untouched() {
        dumped.insert("limits".to_owned(), limit::dump(&controls.limits));
    }
    (!dumped.is_empty()).then_some(Json::Object(dumped))
}

/// What `dumped` wrote.
pub(crate) fn controls(packs: &[Arc<Pack>], dumped: &Json) -> Result<Controls, Vec<Mistake>> {
    let mut controls = Controls::default();
    if let Some(faults) = dumped.get("faults") {
        controls.faults = fault::undump(packs, faults)?;
    }
    if let Some(limits) = dumped.get("limits") {
        controls.limits = limit::undump(packs, limits)?;
    }
    Ok(controls)
}

//! What tests ask of a sandbox besides records and time, as the control plane and a log say it.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value as Json};

use super::mistake::Mistake;
use super::{fault, limit};
use crate::diagnostic::one_of;
use crate::exchange::JsonText;
use crate::journal::Happening;
use crate::pack::Pack;
use crate::sandbox::{Controls, Faults, Limits, Others};
use crate::stub::{self, Full, NoState, Stub, Stubs};

/// What stands before the id of a stub, and before the name of a scenario.
const STUBS: &str = "/stubs/";
const SCENARIOS: &str = "/scenarios/";

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
    /// A stub with this id, in place of the one that has it.
    Stub(String, Json),
    /// `{"mappings": [mapping…]}`, each with its id; with `"alone": true` there are no others then but those
    /// whose ids stand in `keep`.
    Stubs(Json),
    NoStub(String),
    NoStubs,
    /// A scenario of stubs is put into a state: `{"state": …}`, the first one where it is null.
    Scenario(String, Json),
    /// All are put into their first one.
    NoScenarios,
}

impl Setting {
    /// The setting that a log has written down.
    pub(crate) fn of(method: &str, path: &str, body: Option<Json>) -> Option<Setting> {
        let behind = |prefix: &str| {
            let name = path.strip_prefix(prefix)?;
            Some(percent_decode_str(name).decode_utf8().ok()?.into_owned())
        };
        match (method, path, body) {
            ("PUT", "/faults", Some(body)) => Some(Setting::Faults(body)),
            ("DELETE", "/faults", None) => Some(Setting::NoFaults),
            ("PUT", "/limits", Some(body)) => Some(Setting::Limits(body)),
            ("DELETE", "/limits", None) => Some(Setting::NoLimits),
            ("POST", "/stubs", Some(body)) => Some(Setting::Stubs(body)),
            ("DELETE", "/stubs", None) => Some(Setting::NoStubs),
            ("POST", "/scenarios/reset", None) => Some(Setting::NoScenarios),
            ("PUT", _, Some(body)) if path.starts_with(STUBS) => Some(Setting::Stub(behind(STUBS)?, body)),
            ("DELETE", _, None) => Some(Setting::NoStub(behind(STUBS)?)),
            ("PUT", _, Some(body)) => Some(Setting::Scenario(behind(SCENARIOS)?, body)),
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
            Setting::Stub(id, mapping) => ("PUT", format!("{STUBS}{id}"), Some(mapping)),
            Setting::Stubs(body) => ("POST", "/stubs".to_owned(), Some(body)),
            Setting::NoStub(id) => ("DELETE", format!("{STUBS}{id}"), None),
            Setting::NoStubs => ("DELETE", "/stubs".to_owned(), None),
            Setting::Scenario(name, state) => {
                ("PUT", format!("{SCENARIOS}{}", utf8_percent_encode(name, NON_ALPHANUMERIC)), Some(state))
            }
            Setting::NoScenarios => ("POST", "/scenarios/reset".to_owned(), None),
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
        Setting::Faults(given) => controls.faults = fault::read(packs, given, fault::Named::Known)?,
        Setting::NoFaults => controls.faults = Faults::default(),
        Setting::Limits(given) => controls.limits = limit::read(packs, given)?,
        Setting::NoLimits => controls.limits = Limits::new(Vec::new(), Others::Unlimited),
        Setting::Stub(id, mapping) => put(&mut controls.stubs, "", id, mapping)?,
        Setting::Stubs(body) => {
            if body["alone"] == true {
                let kept: Vec<&str> = body["keep"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
                controls.stubs.retain(&kept);
            }
            for (index, mapping) in body["mappings"].as_array().into_iter().flatten().enumerate() {
                let id = mapping["id"].as_str().unwrap_or_default();
                put(&mut controls.stubs, &format!("/mappings/{index}"), id, mapping)?;
            }
        }
        Setting::NoStub(id) => {
            controls.stubs.remove(id);
        }
        Setting::NoStubs => controls.stubs.clear(),
        Setting::Scenario(name, body) => {
            let state = body["state"].as_str();
            controls.stubs.set_state(name, state).map_err(|why| vec![no_state(name, state, &why)])?;
        }
        Setting::NoScenarios => controls.stubs.reset_scenarios(),
    }
    let (method, path, body) = setting.parts();
    Ok((controls, Happening::Setting { method, path, body: body.map(JsonText::of) }))
}

/// Adds a stub; `at` is the place of its mapping in what was sent.
fn put(stubs: &mut Stubs, at: &str, id: &str, mapping: &Json) -> Result<(), Vec<Mistake>> {
    let whole = |message: String| vec![Mistake { pointer: at.to_owned(), message }];
    let mapping = mapping.as_object().ok_or_else(|| whole("a mapping is an object".to_owned()))?;
    let stub = Stub::parse(mapping, id)
        .map_err(|mistakes| mistakes.iter().map(|mistake| told(at, mistake)).collect::<Vec<_>>())?;
    stubs.put(Arc::new(stub)).map_err(|full| {
        whole(match full {
            Full::Count(most) => format!("there are {most} stubs, as many as there may be: delete some"),
            Full::Bytes(most) => format!("all stubs take {} MiB, as much as they may: delete some", most >> 20),
        })
    })
}

/// A mistake in a mapping that stands at a place in what was sent.
pub(crate) fn told(at: &str, mistake: &stub::Mistake) -> Mistake {
    let stub::Mistake { pointer, cause, remedy } = mistake;
    let message = if remedy.is_empty() { cause.clone() } else { format!("{cause}: {remedy}") };
    Mistake { pointer: format!("{at}{pointer}"), message }
}

fn no_state(name: &str, state: Option<&str>, why: &NoState) -> Mistake {
    let message = match why {
        NoState::Scenario => format!("no stub has a scenario `{name}`"),
        NoState::State(known) => {
            let known = one_of(known.iter().map(|state| &**state));
            format!(
                "no stub of `{name}` asks for the state `{}` or leads to it: write {known}",
                state.unwrap_or_default()
            )
        }
    };
    Mistake { pointer: "/state".to_owned(), message }
}

/// All that is asked of a sandbox, so that `controls` makes the same of it. None where nothing is.
pub(crate) fn dumped(controls: &Controls) -> Option<Json> {
    let mut dumped = Map::new();
    if !controls.faults.is_empty() {
        dumped.insert("faults".to_owned(), fault::shown(&controls.faults));
    }
    if !controls.limits.is_untouched() {
        dumped.insert("limits".to_owned(), limit::dump(&controls.limits));
    }
    // The number of those that were added gives ids to the next ones.
    if controls.stubs.added() > 0 {
        dumped.insert("stubs".to_owned(), controls.stubs.dump());
    }
    (!dumped.is_empty()).then_some(Json::Object(dumped))
}

/// What `dumped` wrote.
pub(crate) fn controls(packs: &[Arc<Pack>], dumped: &Json) -> Result<Controls, Vec<Mistake>> {
    let mut controls = Controls::default();
    if let Some(faults) = dumped.get("faults") {
        controls.faults = fault::read(packs, faults, fault::Named::Ever)?;
    }
    if let Some(limits) = dumped.get("limits") {
        controls.limits = limit::undump(packs, limits)?;
    }
    if let Some(stubs) = dumped.get("stubs") {
        let told = |mistakes: Vec<stub::Mistake>| mistakes.iter().map(|mistake| told("", mistake)).collect::<Vec<_>>();
        controls.stubs = Stubs::undump(stubs).map_err(told)?;
    }
    Ok(controls)
}

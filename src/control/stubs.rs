//! `/stubs` and `/scenarios`: answers that a test gives itself, before any pack.

use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::body::{invalid, members, object};
use super::settings::{NotSet, set};
use super::{Answer, Call, done, ok, page};
use crate::engine::{self, Mistake, Setting};
use crate::exchange::{Problem, Response};
use crate::expr::Draws;
use crate::stub::{self, Story, Stubs};

/// The id that a mapping says, or the next one: it follows from the seed and from how many stubs there were.
fn id_for(seed: u64, at: &str, mapping: &Map<String, Json>, stubs: &Stubs, before: u64) -> Result<String, NotSet> {
    let said = stub::said_id(mapping).map_err(|mistake| NotSet::Mistakes(vec![engine::told(at, &mistake)]))?;
    let draws = Draws::new(seed, 0);
    let mut made = (stubs.added() + before..).map(|number| draws.derived_uuid(&["stub", &number.to_string()]));
    Ok(said.unwrap_or_else(|| made.find(|id| stubs.get(id).is_none()).unwrap_or_default()))
}

/// Adds a mapping, and gives the id of the stub.
pub(super) fn add_one(call: &Call<'_>, mapping: &Map<String, Json>) -> Result<String, Problem> {
    let mut added = String::new();
    let seed = call.sandbox.ground().seed;
    set(call, |controls| {
        added = id_for(seed, "", mapping, &controls.stubs, 0)?;
        Ok(Setting::Stub(added.clone(), identified(mapping, &added)))
    })?;
    Ok(added)
}

/// What becomes of mappings whose id is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Replaced,
    Kept,
}

/// Adds all mappings of a list, or none, in this order. `alone` takes away those that are not in it.
pub(super) fn add_all<'m>(
    call: &Call<'_>,
    mappings: impl Iterator<Item = (usize, &'m Json)>,
    known: Known,
    alone: bool,
) -> Result<(), Problem> {
    let seed = call.sandbox.ground().seed;
    set(call, |controls| {
        let (mut all, mut kept) = (Vec::new(), Vec::new());
        for (index, mapping) in mappings {
            let at = format!("/mappings/{index}");
            let Json::Object(mapping) = mapping else {
                let message = "a mapping is an object".to_owned();
                return Err(NotSet::Mistakes(vec![Mistake { pointer: at, message }]));
            };
            let id = id_for(seed, &at, mapping, &controls.stubs, all.len() as u64)?;
            match known == Known::Replaced || controls.stubs.get(&id).is_none() {
                true => all.push(identified(mapping, &id)),
                false => kept.push(id),
            }
        }
        let mut setting = json!({ "mappings": all });
        if alone {
            setting["alone"] = true.into();
            setting["keep"] = kept.into();
        }
        Ok(Setting::Stubs(setting))
    })
}

fn identified(mapping: &Map<String, Json>, id: &str) -> Json {
    let mut mapping = mapping.clone();
    mapping.shift_remove("uuid");
    mapping.insert("id".to_owned(), id.into());
    Json::Object(mapping)
}

/// Puts a mapping in the place of a stub; makes one where `make` says so.
pub(super) fn put_one(call: &Call<'_>, mapping: &Map<String, Json>, make: bool) -> Result<String, Problem> {
    let id = id(call)?;
    set(call, |controls| {
        let said = stub::said_id(mapping).map_err(|mistake| NotSet::Mistakes(vec![engine::told("", &mistake)]))?;
        if said.is_some_and(|said| said != id) {
            let message = "it is not the id in the path: leave it out".to_owned();
            return Err(NotSet::Mistakes(vec![Mistake { pointer: "/id".to_owned(), message }]));
        }
        if !make && controls.stubs.get(&id).is_none() {
            return Err(NotSet::Unknown(unknown(&id)));
        }
        Ok(Setting::Stub(id.clone(), identified(mapping, &id)))
    })?;
    Ok(id)
}

pub(super) fn delete_one(call: &Call<'_>) -> Result<(), Problem> {
    let id = id(call)?;
    set(call, |controls| match controls.stubs.get(&id) {
        Some(_) => Ok(Setting::NoStub(id.clone())),
        None => Err(NotSet::Unknown(unknown(&id))),
    })
}

pub(super) fn delete_all(call: &Call<'_>) -> Result<(), Problem> {
    set(call, |_| Ok(Setting::NoStubs))
}

/// The id in the path, in small letters.
pub(super) fn id(call: &Call<'_>) -> Result<String, Problem> {
    let text = call.parameter("id");
    uuid::Uuid::try_parse(text).map(|id| id.to_string()).map_err(|_| unknown(text))
}

pub(super) fn unknown(id: &str) -> Problem {
    Problem::not_found(
        "stub-unknown",
        format!("There is no stub `{id}`. GET /_standin/stubs lists those that there are."),
    )
}

/// A mapping with what became of it.
fn shown(stubs: &Stubs, story: &Story<'_>) -> Json {
    json!({
        "id": &*story.stub.id,
        "left": story.left,
        "notes": stubs.notes(story.stub),
        "mapping": story.stub.source,
    })
}

fn one(call: &Call<'_>, status: StatusCode, id: &str) -> Answer {
    let stubs = call.sandbox.controls().stubs;
    let story = stubs.get(id).ok_or_else(|| unknown(id))?;
    Ok(Response::json(status, &shown(&stubs, &story)))
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let stubs = call.sandbox.controls().stubs;
    let all: Vec<Story<'_>> = stubs.iter().collect();
    page::counted(call, all.len(), |place| all.get(place).map(|story| shown(&stubs, story)))
}

/// A mapping, or `{mappings: […]}`.
pub(super) fn add(call: &Call<'_>) -> Answer {
    let given = object(call)?;
    match given.get("mappings").and_then(Json::as_array) {
        Some(mappings) => {
            members(call, &["mappings"])?;
            add_all(call, mappings.iter().enumerate(), Known::Replaced, false)?;
            Ok(Response::json(StatusCode::CREATED, &json!({ "total": call.sandbox.controls().stubs.len() })))
        }
        None => one(call, StatusCode::CREATED, &add_one(call, &given)?),
    }
}

pub(super) fn clear(call: &Call<'_>) -> Answer {
    delete_all(call)?;
    done()
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    one(call, StatusCode::OK, &id(call)?)
}

pub(super) fn put(call: &Call<'_>) -> Answer {
    one(call, StatusCode::OK, &put_one(call, &object(call)?, true)?)
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    delete_one(call)?;
    done()
}

/// A scenario with its state, and the states that its stubs ask for or lead to.
pub(super) fn scenario_shown(stubs: &Stubs, name: &str) -> Json {
    let states: Vec<Json> = stubs.states_of(name).iter().map(|state| Json::from(&**state)).collect();
    json!({ "name": name, "state": stubs.state(name), "possibleStates": states })
}

pub(super) fn scenarios(call: &Call<'_>) -> Answer {
    let stubs = call.sandbox.controls().stubs;
    let names: Vec<_> = stubs.scenarios().into_iter().collect();
    page::counted(call, names.len(), |place| names.get(place).map(|name| scenario_shown(&stubs, name)))
}

/// `{state}`; the first state where none is said.
pub(super) fn put_scenario(call: &Call<'_>) -> Result<String, Problem> {
    let name = call.parameter("name").to_owned();
    let given = members(call, &["state"])?;
    let state = given.text("state")?.map(str::to_owned);
    if state.as_deref() == Some("") {
        return Err(invalid("state", "it is empty"));
    }
    set(call, |controls| match controls.stubs.states_of(&name).is_empty() {
        true => {
            let detail =
                format!("No stub has a scenario `{name}`. GET /_standin/scenarios lists those that there are.");
            Err(NotSet::Unknown(Problem::not_found("scenario-unknown", detail)))
        }
        false => Ok(Setting::Scenario(name.clone(), json!({ "state": state }))),
    })?;
    Ok(name)
}

pub(super) fn set_scenario(call: &Call<'_>) -> Answer {
    let name = put_scenario(call)?;
    ok(&scenario_shown(&call.sandbox.controls().stubs, &name))
}

pub(super) fn reset_scenarios(call: &Call<'_>) -> Answer {
    members(call, &[])?;
    set(call, |_| Ok(Setting::NoScenarios))?;
    done()
}

//! `/events`: what can happen without an API call, and making it happen.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::body::object;
use super::{Answer, Call, ok, page, shown};
use crate::diagnostic::{did_you_mean, one_of, or_rather};
use crate::engine::{self, EventFault};
use crate::exchange::Problem;
use crate::expr::passed_on;
use crate::mask::Secrets;
use crate::pack::{Due, Event, Pack, Schedule};
use crate::sandbox::Moment;

/// When an event happens by itself: conditions and instants as the pack says them.
pub(super) fn schedule_shown(pack: &Pack, schedule: &Schedule) -> Json {
    let text = |expression| pack.program.text(expression);
    let (after, at) = match schedule.due {
        Due::After(span) => (Some(span.to_string()), None),
        Due::At(instant) => (None, Some(text(instant))),
    };
    json!({
        "of": &*pack.resource(schedule.resource).name,
        "when": schedule.when.map(text),
        "after": after,
        "at": at,
    })
}

/// Of the parameters that choose a record: which resource it is of, and which field of it they are.
fn referred(pack: &Pack, event: &Event) -> Json {
    let known = |name: &String| event.input.iter().flat_map(|input| &input.known).any(|known| known.name == *name);
    let chosen = event.loads.iter().filter_map(|load| {
        let parameter = passed_on(pack.program.text(load.id), "input").filter(known)?;
        let resource = pack.resource(load.resource);
        let field = load.by.and_then(|by| resource.lookups.get(by)).unwrap_or(&resource.id);
        Some((parameter, json!({ "resource": &*resource.name, "field": &*resource.fields[*field].name })))
    });
    Json::Object(chosen.collect())
}

fn event_shown(pack: &Pack, event: &Event) -> Json {
    let parameters: Json = event
        .input
        .iter()
        .flat_map(|input| &input.known)
        .map(|parameter| (parameter.name.clone(), parameter.schema.clone()))
        .collect();
    let required: Vec<&str> = event.input.iter().flat_map(|input| input.required()).collect();
    json!({
        "pack": &*pack.name,
        "name": &*event.name,
        "title": event.title,
        "description": event.description,
        "provenance": event.provenance.to_json(),
        "at": pack.sources.place(&event.at),
        "parameters": parameters,
        "required": required,
        "refers": referred(pack, event),
        "schedule": event.schedule.as_ref().map(|schedule| schedule_shown(pack, schedule)),
        "path": format!("/_standin/events/{}/{}", pack.name, event.name),
    })
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let ground = call.sandbox.ground();
    let events: Vec<Json> =
        ground.packs.iter().flat_map(|pack| pack.events.iter().map(|event| event_shown(pack, event))).collect();
    let total = events.len();
    ok(&page::list(events, total, None))
}

fn misfit(name: &str, violations: Vec<Json>) -> Problem {
    let detail = format!("The input of `{name}` does not fit. GET /_standin/events shows its parameters.");
    Problem::new("event-invalid", StatusCode::UNPROCESSABLE_ENTITY, "The event cannot be fired so", detail)
        .with("violations", violations.into())
}

pub(super) fn named<'p>(pack: &'p Pack, name: &str) -> Result<&'p Event, Problem> {
    pack.event_named(name).ok_or_else(|| {
        let names = pack.events.iter().map(|event| &*event.name);
        let meant = did_you_mean(name, names.clone());
        let detail = format!("The pack `{}` has no event `{name}`: it has {}.{meant}", pack.name, one_of(names));
        Problem::not_found("event-unknown", detail)
    })
}

/// The input of an event that has all of its parameters and no others.
fn known(event: &Event, input: Map<String, Json>) -> Result<Json, Problem> {
    let known = || event.input.iter().flat_map(|input| &input.known).map(|parameter| parameter.name.as_str());
    // A misspelt parameter is one mistake: what is then missing is not told too.
    if let Some(unknown) = input.keys().find(|name| known().all(|known| known != name.as_str())) {
        let message = format!("there is no such parameter{}", or_rather(unknown, known()));
        let pointer = crate::exchange::child("", unknown);
        let violation = json!({ "pointer": pointer, "keyword": "additionalProperties", "message": message });
        return Err(misfit(&event.name, vec![violation]));
    }
    Ok(Json::Object(input))
}

/// The input of an event that is to happen later, if it fits.
pub(super) fn fits(event: &Event, input: Map<String, Json>) -> Result<Json, Problem> {
    let input = known(event, input)?;
    engine::fits(event, &input).map_err(|fault| refused(&event.name, fault))?;
    Ok(input)
}

pub(super) fn fire(call: &Call<'_>) -> Answer {
    let (index, pack) = call.pack()?;
    let name = call.parameter("event");
    named(&pack, name)?;
    let input = object(call)?;
    // The pack may be another by now.
    let fired = |pack: &Arc<Pack>, moment: &Moment<'_>| {
        let event = named(pack, name)?;
        let input = known(event, input.clone())?;
        engine::fire(pack, moment, event, &input).map_err(|fault| refused(name, fault))
    };
    let entry = call.sandbox.intervene(index, call.real, fired)?;
    ok(&shown::entry(call.registry, &entry, Secrets::Masked))
}

fn refused(name: &str, fault: EventFault) -> Problem {
    match fault {
        EventFault::Invalid(violations) => {
            let listed: Vec<Json> = violations
                .iter()
                .map(|violation| json!({ "pointer": violation.pointer, "keyword": violation.keyword, "message": violation.message }))
                .collect();
            misfit(name, listed)
        }
        EventFault::Missing(why) => Problem::not_found("record-unknown", format!("{why}.")),
        EventFault::Refused(why) => {
            // A pack may write its words as a sentence.
            let end = if why.ends_with(['.', '!', '?']) { "" } else { "." };
            Problem::new("event-refused", StatusCode::CONFLICT, "The event cannot happen now", format!("{why}{end}"))
        }
    }
}

//! `/clock/agenda`: what is to happen by itself.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::body::{invalid, object};
use super::events::{fits, named};
use super::secrets::secrets;
use super::{Answer, Call, done, ok, page};
use crate::clock::{Instant, Span};
use crate::diagnostic::{did_you_mean, one_of};
use crate::engine::{self, Ask, NotPlanned, Plan};
use crate::exchange::{JsonText, Problem, Response};
use crate::mask::{Mask, Secrets};
use crate::pack::Pack;
use crate::sandbox::Ground;
use crate::sandbox::agenda::{Agenda, Item, Key, Planned};

fn item_shown(ground: &Ground, agenda: &Agenda, (at, number): Key, item: &Item, secrets: Secrets) -> Json {
    let pack = &ground.packs[item.pack];
    let mut shown = json!({ "id": number, "at": at.to_string(), "pack": &*pack.name });
    let more = match &item.what {
        Planned::Asked { event, input } => {
            let mut input = input.read();
            if secrets == Secrets::Masked {
                Mask::of_value(&pack.face, &input).value(&mut input);
            }
            json!({ "kind": "event", "event": &**event, "input": input, "record": null })
        }
        Planned::Tied { event, id } => {
            let known = pack.event_named(event);
            let resource = known.and_then(|event| event.schedule.as_ref()).map(|schedule| schedule.resource);
            let resource = resource.map(|resource| &*pack.resource(resource).name);
            json!({ "kind": "event", "event": &**event, "record": { "resource": resource, "id": &**id } })
        }
        Planned::Attempt { delivery, planned } => {
            let known = agenda.outbox.get(delivery);
            json!({
                "kind": "attempt", "webhook": known.map(|known| &*known.webhook), "delivery": &**delivery,
                "attempt": known.map(|known| known.next_attempt()), "planned": planned,
            })
        }
    };
    if let (Some(shown), Json::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
    shown
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let secrets = secrets(call)?;
    let limit = page::limit(call)?;
    let skip = usize::try_from(page::after(call)?).unwrap_or(usize::MAX);
    let agenda = call.sandbox.agenda(call.real);
    let ground = call.sandbox.ground();
    let shown = agenda.items().skip(skip).take(limit);
    let records: Vec<Json> = shown.map(|(key, item)| item_shown(&ground, &agenda, key, item, secrets)).collect();
    let end = skip.saturating_add(records.len());
    ok(&page::list(records, agenda.len(), (end < agenda.len()).then_some(end as u64)))
}

fn number(call: &Call<'_>) -> Result<u64, Problem> {
    call.parameter("id").parse().map_err(|_| unknown(call.parameter("id")))
}

fn unknown(id: impl std::fmt::Display) -> Problem {
    let detail = format!(
        "There is no event `{id}` on the agenda that somebody asked for: it has happened, or was taken back, or was never \
         asked for. GET /_standin/clock/agenda shows what is to happen."
    );
    Problem::not_found("agenda-unknown", detail)
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let (secrets, number) = (secrets(call)?, number(call)?);
    let agenda = call.sandbox.agenda(call.real);
    let (at, item) = agenda.asked(number).ok_or_else(|| unknown(number))?;
    ok(&item_shown(&call.sandbox.ground(), &agenda, (at, number), item, secrets))
}

/// `{pack, event, input?, at | after}`, or `{events: [several of that]}`
pub(super) fn add(call: &Call<'_>) -> Answer {
    let secrets = secrets(call)?;
    let mut body = object(call)?;
    let ground = call.sandbox.ground();
    let (now, _) = call.sandbox.clock(call.real);
    let several = body.contains_key("events");
    let given: Vec<Map<String, Json>> = match body.remove("events") {
        None => vec![body],
        Some(_) if !body.is_empty() => {
            return Err(Problem::bad_request("body-member-unknown", "Beside `events` there is nothing else."));
        }
        Some(Json::Array(events)) => {
            let object = |event: Json| match event {
                Json::Object(event) => Ok(event),
                other => Err(invalid("events", format!("each is an object, not {other}"))),
            };
            events.into_iter().map(object).collect::<Result<_, _>>()?
        }
        Some(other) => return Err(invalid("events", format!("it must be a list, not {other}"))),
    };
    let asked = given.iter().enumerate().map(|(index, event)| {
        let at = |problem: Problem| if several { problem.with("index", index.into()) } else { problem };
        asked(&ground, event, now).map_err(at)
    });
    let plan = Plan::Ask(asked.collect::<Result<_, _>>()?);
    let most = call.sandbox.most_agenda();
    let first = std::cell::Cell::new(0);
    let entry = call.sandbox.plan(call.real, |ground, agenda, now| {
        first.set(agenda.next());
        engine::plan(&ground.packs, agenda, &plan, now, most)
    });
    let entry = entry.map_err(|why| not_planned(&why))?;
    let agenda = call.sandbox.agenda(call.real);
    let records: Vec<Json> = (first.get()..)
        .take(given.len())
        .map(|number| match agenda.asked(number) {
            Some((at, item)) => item_shown(&ground, &agenda, (at, number), item, secrets),
            // What is due now has happened.
            None => json!({ "id": number, "at": entry.at.to_string() }),
        })
        .collect();
    let total = records.len();
    match several {
        true => Ok(Response::json(StatusCode::CREATED, &page::list(records, total, None))),
        false => Ok(Response::json(StatusCode::CREATED, &records.into_iter().next().unwrap_or_default())),
    }
}

fn asked(ground: &Ground, given: &Map<String, Json>, now: Instant) -> Result<Ask, Problem> {
    const KNOWN: [&str; 5] = ["pack", "event", "input", "at", "after"];
    if let Some(unknown) = given.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        let meant = did_you_mean(unknown, KNOWN);
        let detail = format!("`{unknown}` is not understood here: an event has {}.{meant}", one_of(KNOWN));
        return Err(Problem::bad_request("body-member-unknown", detail));
    }
    let text = |name: &str| match given.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.as_str())),
        Some(other) => Err(invalid(name, format!("it must be a text, not {other}"))),
    };
    let required = |name: &str| text(name)?.ok_or_else(|| invalid(name, "it is missing"));
    let pack = pack_named(ground, required("pack")?)?;
    let event = named(&ground.packs[pack], required("event")?)?;
    let input = match given.get("input") {
        None | Some(Json::Null) => Map::new(),
        Some(Json::Object(input)) => input.clone(),
        Some(other) => return Err(invalid("input", format!("it must be an object, not {other}"))),
    };
    let input = fits(event, input)?;
    let at = match (text("at")?, text("after")?) {
        (Some(at), None) => Instant::parse(at).map_err(|why| invalid("at", why))?,
        (None, Some(after)) => now.saturating_add(Span::parse(after).map_err(|why| invalid("after", why))?),
        _ => {
            return Err(Problem::bad_request(
                "agenda-when",
                "Give either `at` (an instant) or `after` (a length of time).",
            ));
        }
    };
    if at < now {
        let detail = format!("It is {now}, and {at} is over. POST /_standin/events lets an event happen now.");
        return Err(Problem::bad_request("agenda-past", detail));
    }
    Ok(Ask { pack, event: Arc::clone(&event.name), input: JsonText::of(&input), at })
}

fn pack_named(ground: &Ground, name: &str) -> Result<usize, Problem> {
    let names = || ground.packs.iter().map(|pack: &Arc<Pack>| &*pack.name);
    names().position(|known| known == name).ok_or_else(|| {
        let meant = did_you_mean(name, names());
        Problem::not_found("pack-unknown", format!("There is no pack `{name}`: there are {}.{meant}", one_of(names())))
    })
}

pub(super) fn cancel(call: &Call<'_>) -> Answer {
    let plan = Plan::Cancel(number(call)?);
    let most = call.sandbox.most_agenda();
    let planned =
        call.sandbox.plan(call.real, |ground, agenda, now| engine::plan(&ground.packs, agenda, &plan, now, most));
    planned.map_err(|why| not_planned(&why))?;
    done()
}

/// The problem for a plan that is not followed.
pub(super) fn not_planned(why: &NotPlanned) -> Problem {
    match why {
        NotPlanned::Full(most) => {
            let detail = format!(
                "The agenda has room for {most} things (--max-agenda). Advance the time, or take something back, or reset."
            );
            Problem::new("agenda-full", StatusCode::TOO_MANY_REQUESTS, "The agenda is full", detail)
        }
        NotPlanned::Heavy(most) => {
            let detail = format!(
                "What waits on the agenda has room for {most} bytes (--max-journal-bytes). Advance the time, or take something \
                 back, or reset."
            );
            Problem::new("agenda-full", StatusCode::TOO_MANY_REQUESTS, "The agenda is full", detail)
        }
        NotPlanned::NoEvent(number) => unknown(number),
        NotPlanned::NoDelivery(id) => {
            let detail = format!(
                "There is no delivery `{id}`: it was undone, or had to make room, or never was. GET /_standin/webhooks shows \
                 those that there are."
            );
            Problem::not_found("delivery-unknown", detail)
        }
        NotPlanned::Unsent(id) => {
            let detail = format!("The delivery `{id}` has no receiver's URL, so that nothing can be sent.");
            Problem::new("delivery-unsent", StatusCode::CONFLICT, "The delivery is none that is sent", detail)
        }
        NotPlanned::UnderWay(id) => {
            let detail = format!("An attempt of the delivery `{id}` is under way. Wait for what comes of it.");
            Problem::new("delivery-under-way", StatusCode::CONFLICT, "The delivery is under way", detail)
        }
    }
}

//! `/events`: what can happen without a call of an API, and having it happen.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::form::Form;
use super::records::{Kind, changes, place};
use super::refused::Refused;
use super::visit::Visit;
use crate::exchange::{Problem, segment, spelled};

/// Of how many records one can be chosen in a list; of more, its id is typed.
const CHOICES: usize = 200;

/// How many deliveries are shown with what came of them.
const DELIVERIES: usize = 20;

/// Every event of every pack.
pub(super) fn list<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let packs = visit.plane.get("/packs").await?;
        let events = visit.plane.get("/events").await?;
        let events: &[Json] = events["records"].as_array().map_or(&[], Vec::as_slice);
        let known = packs["records"].as_array().into_iter().flatten();
        let packs = known.map(|pack| {
            let own: Vec<&Json> = events.iter().filter(|event| event["pack"] == pack["name"]).collect();
            json!({ "name": pack["name"], "title": pack["title"], "events": own })
        });
        Ok(Answer::Page("events.html", json!({ "packs": packs.collect::<Vec<_>>() })))
    })
}

/// One event, with a form of its parameters; with `?fired=` what it did.
pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let (pack, name) = (visit.parameter("pack"), visit.parameter("event"));
        let fired = match visit.query("fired") {
            Some(entry) => fired(visit, &entry).await?,
            None => Json::Null,
        };
        let here = format!("{}/events/{}/{}", visit.root(), segment(pack), segment(name));
        if visit.is_part() {
            return Ok(Answer::Part("event-fired.html", json!({ "fired": fired, "here": here })));
        }
        let event = find(visit, pack, name).await?;
        let whole = visit.plane.get(&format!("/packs/{}", segment(pack))).await?;
        let mut parameters = Vec::new();
        for parameter in names(&event) {
            parameters.push(field(visit, &whole, &event, &parameter).await?);
        }
        let context = json!({
            "event": event, "title": whole["title"], "parameters": parameters, "fired": fired, "here": here,
        });
        Ok(Answer::Page("event.html", context))
    })
}

/// The event, or why there is none.
async fn find(visit: &Visit<'_>, pack: &str, name: &str) -> Result<Json, Refused> {
    let all = visit.plane.get("/events").await?;
    let mut events = all["records"].as_array().into_iter().flatten();
    if let Some(event) = events.find(|event| event["pack"] == *pack && event["name"] == *name) {
        return Ok(event.clone());
    }
    // The pack first: of one that is not there nothing else is worth saying.
    visit.plane.get(&format!("/packs/{}", segment(pack))).await?;
    let detail = format!("The pack `{pack}` has no event `{name}`. The page Events lists those that there are.");
    Err(Problem::not_found("event-unknown", detail).into())
}

fn names(event: &Json) -> Vec<String> {
    event["parameters"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// How a parameter is filled in.
async fn field(visit: &Visit<'_>, pack: &Json, event: &Json, name: &str) -> Result<Json, Refused> {
    let schema = &event["parameters"][name];
    let required = event["required"].as_array().is_some_and(|all| all.iter().any(|known| known == name));
    let refers = &event["refers"][name];
    let mut choices = Vec::new();
    let mut more = false;
    if let Some(values) = schema["enum"].as_array() {
        choices.extend(values.iter().map(|value| json!({ "value": spelled(value), "label": null })));
    } else if schema["type"] == "boolean" {
        choices.extend(["true", "false"].map(|value| json!({ "value": value, "label": null })));
    } else if let Some(kind) = refers["resource"].as_str().and_then(|resource| Kind::named(pack, resource)) {
        let by = refers["field"].as_str().unwrap_or_default();
        // What a secret field holds is typed by those who know it.
        if kind.field(by).is_some_and(|field| field["type"] != "secret") {
            let piece = visit.plane.get(&format!("{}?limit={CHOICES}", kind.path())).await?;
            let records = piece["records"].as_array().into_iter().flatten();
            let choice = |record: &Json| json!({ "value": spelled(&record[by]), "label": kind.label(record) });
            choices.extend(records.filter(|record| !record[by].is_null()).map(choice));
            more = !piece["next"].is_null();
        }
    }
    let kinds = [("object", "json"), ("array", "json"), ("integer", "number"), ("number", "number")];
    let kind = kinds.iter().find(|(kind, _)| schema["type"] == *kind).map_or("text", |(_, shown)| shown);
    let hints = ["format", "pattern", "minimum", "maximum", "minLength", "maxLength"];
    let hints = hints.iter().filter(|hint| !schema[**hint].is_null());
    Ok(json!({
        "name": name, "required": required, "type": schema["type"], "description": schema["description"],
        "resource": refers["resource"], "choices": choices, "more": more, "kind": kind,
        "hints": hints.map(|hint| format!("{hint} {}", spelled(&schema[*hint]))).collect::<Vec<_>>(),
        "value": visit.query(&format!("p.{name}")),
    }))
}

/// What somebody typed for a parameter, as JSON. What does not fit the control plane refuses in its own words.
fn value(event: &Json, name: &str, typed: &str) -> Result<Json, Refused> {
    let schema = &event["parameters"][name];
    if let Some(values) = schema["enum"].as_array() {
        let chosen = values.iter().find(|value| spelled(value) == typed);
        return Ok(chosen.cloned().unwrap_or_else(|| Json::from(typed)));
    }
    let read = || serde_json::from_str::<Json>(typed.trim());
    match schema["type"].as_str() {
        Some("string") => Ok(Json::from(typed)),
        Some("object" | "array") => read().map_err(|error| {
            let detail = format!("`{name}` is not JSON: {error}.");
            Problem::bad_request("form-invalid", detail).into()
        }),
        _ => Ok(read().unwrap_or_else(|_| Json::from(typed))),
    }
}

/// The parameters that were filled in.
fn input(event: &Json, form: &Form) -> Result<Json, Refused> {
    let mut input = Map::new();
    for name in names(event) {
        if let Some(typed) = form.typed(&format!("p.{name}")).filter(|typed| !typed.is_empty()) {
            input.insert(name.clone(), value(event, &name, typed)?);
        }
    }
    Ok(Json::Object(input))
}

/// Has an event happen, and goes back to the page that asked for it.
pub(super) fn fire<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let (pack, name) = (visit.parameter("pack"), visit.parameter("event"));
        let event = find(visit, pack, name).await?;
        let form = visit.form()?;
        let input = input(&event, &form)?;
        let path = format!("/events/{}/{}", segment(pack), segment(name));
        let entry = visit.plane.send(Method::POST, &path, Some(&input)).await?;
        let to = match (form.typed("resource"), form.typed("record")) {
            (Some(resource), Some(id)) => {
                format!("{}/records/{}/{}/{}", visit.root(), segment(pack), segment(resource), segment(id))
            }
            _ => format!("{}{path}?fired={}", visit.root(), entry["entry"]),
        };
        Ok(Answer::Done { to, note: "event-fired" })
    })
}

/// What an event did, and what became of what it made go out.
async fn fired(visit: &Visit<'_>, entry: &str) -> Result<Json, Refused> {
    let whole = visit.plane.get(&format!("/journal/{}", segment(entry))).await?;
    let mut deliveries = Vec::new();
    let ids = whole["deliveries"].as_array().into_iter().flatten().filter_map(Json::as_str);
    for id in ids.clone().take(DELIVERIES) {
        // It may be undone by now, or have made room.
        let delivery = visit.plane.get(&format!("/webhooks/{}", segment(id))).await.unwrap_or_default();
        deliveries.push(
            json!({ "id": id, "webhook": delivery["webhook"], "state": delivery["state"], "to": delivery["to"] }),
        );
    }
    Ok(json!({
        "place": place(visit, &whole), "event": whole["event"], "input": whole["input"],
        "changes": changes(visit, &whole), "deliveries": deliveries,
        "more": ids.count().saturating_sub(DELIVERIES),
    }))
}

/// The events that take a record, with the other parameters that they have.
pub(super) async fn taking(visit: &Visit<'_>, kind: &Kind, record: &Json) -> Result<Vec<Json>, Refused> {
    let all = visit.plane.get("/events").await?;
    let mut found = Vec::new();
    for event in all["records"].as_array().into_iter().flatten().filter(|event| event["pack"] == kind.pack["name"]) {
        let own = event["refers"].as_object().into_iter().flatten();
        let mut own = own.filter(|(_, refers)| refers["resource"] == *kind.name);
        let Some((parameter, by)) = own.find_map(|(name, refers)| Some((name, refers["field"].as_str()?))) else {
            continue;
        };
        let mut others = Vec::new();
        for name in names(event).iter().filter(|name| *name != parameter) {
            others.push(field(visit, &kind.pack, event, name).await?);
        }
        found.push(json!({
            "event": event, "parameter": parameter, "value": spelled(&record[by]), "others": others,
        }));
    }
    Ok(found)
}

//! `/stubs`: answers that a test gives itself, and the scenarios that they tell.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::form::Form;
use super::refused::Refused;
use super::visit::Visit;
use crate::diagnostic::shortened;
use crate::exchange::{apart, segment};

/// How many a page lists.
const LISTED: usize = 50;

/// The members of a request that say a URL, as the form offers them.
const PLACES: [&str; 5] = ["urlPath", "url", "urlPathTemplate", "urlPathPattern", "urlPattern"];

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let after: usize = visit.query("after").and_then(|text| text.parse().ok()).unwrap_or_default();
        let list = visit.plane.get(&format!("/stubs?limit={LISTED}&after={after}")).await?;
        let mut lines = Vec::new();
        for stub in list["records"].as_array().into_iter().flatten() {
            lines.push(line(visit, stub).await?);
        }
        let scenarios = visit.plane.get("/scenarios?limit=1000").await?;
        let context = json!({
            "stubs": lines, "total": list["total"], "next": list["next"], "first": after == 0,
            "scenarios": scenarios["records"],
        });
        Ok(match visit.is_part() {
            true => Answer::Part("stubs-list.html", context),
            false => Answer::Page("stubs.html", context),
        })
    })
}

/// A form for a new one. `?entry=` is an exchange that it is to match, and whose answer it gives.
pub(super) fn new<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let (mapping, entry) = match visit.query("entry") {
            Some(entry) => {
                let path = format!("/journal/{}", segment(&entry));
                let shown = visit.plane.get(&path).await?;
                (of_exchange(&shown["exchange"], visit.plane.sandbox()), shown["entry"].clone())
            }
            None => (json!({ "request": { "method": "GET" }, "response": { "status": 200 } }), Json::Null),
        };
        let masked = mapping.to_string().contains('•');
        Ok(Answer::Page(
            "stub-new.html",
            json!({ "mapping": mapping, "fill": fill(&mapping), "entry": entry, "masked": masked }),
        ))
    })
}

pub(super) fn stub<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let stub = visit.plane.get(&one(visit)).await?;
        let line = line(visit, &stub).await?;
        if visit.is_part() {
            return Ok(Answer::Part("stub-facts.html", json!({ "line": line })));
        }
        let mut mapping = stub["mapping"].clone();
        if let Some(members) = mapping.as_object_mut() {
            // WireMock's other name for the id, which stands in the address.
            members.shift_remove("uuid");
        }
        Ok(Answer::Page("stub.html", json!({ "line": line, "mapping": mapping })))
    })
}

pub(super) fn add<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let form = visit.form()?;
        let mapping = match form.given("JSON") {
            Some(_) => form.json("JSON")?,
            None => read(&form),
        };
        let made = visit.plane.send(Method::POST, "/stubs", Some(&mapping)).await?;
        let to = match made["id"].as_str() {
            Some(id) => format!("{}/stubs/{id}", visit.root()),
            None => format!("{}/stubs", visit.root()),
        };
        Ok(Answer::Done { to, note: "stub-made" })
    })
}

pub(super) fn change<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let mapping = visit.form()?.json("JSON")?;
        // Somebody may have taken it away meanwhile: then it is not made again by this.
        visit.plane.get(&one(visit)).await?;
        visit.plane.send(Method::PUT, &one(visit), Some(&mapping)).await?;
        Ok(Answer::Done { to: format!("{}{}", visit.root(), one(visit)), note: "stub-changed" })
    })
}

pub(super) fn remove<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        visit.plane.send(Method::DELETE, &one(visit), None).await?;
        Ok(done(visit, "stub-removed"))
    })
}

pub(super) fn clear<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        visit.plane.send(Method::DELETE, "/stubs", None).await?;
        Ok(done(visit, "stubs-cleared"))
    })
}

pub(super) fn scenario<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let state = visit.form()?.text("state").to_owned();
        let path = format!("/scenarios/{}", segment(visit.parameter("name")));
        visit.plane.send(Method::PUT, &path, Some(&json!({ "state": state }))).await?;
        Ok(done(visit, "scenario-set"))
    })
}

pub(super) fn reset_scenarios<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        visit.plane.send(Method::POST, "/scenarios/reset", None).await?;
        Ok(done(visit, "scenarios-reset"))
    })
}

fn done(visit: &Visit<'_>, note: &'static str) -> Answer {
    Answer::Done { to: format!("{}/stubs", visit.root()), note }
}

/// The path of the stub that the address names.
fn one(visit: &Visit<'_>) -> String {
    format!("/stubs/{}", segment(visit.parameter("id")))
}

/// A stub in short.
async fn line(visit: &Visit<'_>, stub: &Json) -> Result<Json, Refused> {
    let count = visit.plane.send(Method::POST, "/journal/count", Some(&json!({ "stub": stub["id"] }))).await?;
    let mapping = &stub["mapping"];
    let (request, response) = (&mapping["request"], &mapping["response"]);
    let (kind, place) = place(request).unwrap_or(("", "any path"));
    let conditions = ["queryParameters", "pathParameters", "headers", "cookies", "formParameters", "bodyPatterns"];
    let count_of =
        |member: &str| request[member].as_object().map_or(0, Map::len) + request[member].as_array().map_or(0, Vec::len);
    let conditions: usize = conditions.into_iter().map(count_of).sum();
    let basic = usize::from(!request["basicAuthCredentials"].is_null());
    Ok(json!({
        "id": stub["id"],
        "name": mapping["name"],
        "method": request["method"].as_str().unwrap_or("ANY"),
        "kind": kind,
        "place": place,
        "conditions": conditions + basic,
        "status": response["status"].as_u64().unwrap_or(200),
        "fault": response["fault"],
        "answer": short(response),
        "delay": response["fixedDelayMilliseconds"],
        "priority": mapping["priority"].as_u64().unwrap_or(5),
        "scenario": mapping["scenarioName"],
        "required": mapping["requiredScenarioState"],
        "next": mapping["newScenarioState"],
        "left": stub["left"],
        "notes": stub["notes"],
        "answered": count["count"],
        "evicted": count["evicted"],
    }))
}

fn place(request: &Json) -> Option<(&'static str, &str)> {
    PLACES.into_iter().find_map(|kind| Some((kind, request[kind].as_str()?)))
}

/// The beginning of what a stub answers.
fn short(response: &Json) -> String {
    const MOST: usize = 120;
    let body = match (&response["body"], &response["jsonBody"], &response["base64Body"]) {
        (Json::String(text), ..) => text.clone(),
        (_, json, _) if !json.is_null() => json.to_string(),
        (.., Json::String(_)) => "bytes".to_owned(),
        _ => String::new(),
    };
    shortened(&body, MOST)
}

/// A mapping for an exchange as the journal shows it.
fn of_exchange(exchange: &Json, sandbox: &str) -> Json {
    let (request, response) = (&exchange["request"], &exchange["response"]);
    // Stubs see a path as it was received, behind the prefix of the sandbox.
    let base = request["base"].as_str().unwrap_or_default();
    let (_, before) = apart(base);
    let own = format!("/~{sandbox}");
    let before = before.strip_prefix(&own).filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(before);
    let path = format!("{before}{}", request["path"].as_str().unwrap_or_default());
    let place = match request["query"].as_str() {
        Some(query) => ("url", format!("{path}?{query}")),
        None => ("urlPath", path),
    };
    let mut answer = Map::new();
    answer.insert("status".to_owned(), response["status"].clone());
    let media = response["headers"]["content-type"].as_str();
    if let Some(media) = media {
        answer.insert("headers".to_owned(), json!({ "Content-Type": media }));
    }
    match (&response["body"]["text"], &response["body"]["base64"]) {
        (Json::String(text), _) => match serde_json::from_str::<Json>(text) {
            Ok(body) if media == Some("application/json") => {
                answer.shift_remove("headers");
                answer.insert("jsonBody".to_owned(), body);
            }
            _ => {
                answer.insert("body".to_owned(), text.as_str().into());
            }
        },
        (_, Json::String(bytes)) => {
            answer.insert("base64Body".to_owned(), bytes.as_str().into());
        }
        _ => {}
    }
    json!({ "request": { "method": request["method"], place.0: place.1 }, "response": answer })
}

/// What stands in the form for a mapping.
fn fill(mapping: &Json) -> Json {
    let (request, response) = (&mapping["request"], &mapping["response"]);
    let (kind, place) = place(request).unwrap_or(("urlPath", ""));
    let media = response["headers"]["Content-Type"].as_str();
    let (media, body) = match &response["jsonBody"] {
        Json::Null => (media.unwrap_or("text/plain"), response["body"].as_str().unwrap_or_default().to_owned()),
        json => ("application/json", serde_json::to_string_pretty(json).unwrap_or_default()),
    };
    let media = if response["headers"].is_null() && body.is_empty() { "application/json" } else { media };
    json!({
        "method": request["method"], "kind": kind, "place": place, "status": response["status"], "media": media,
        "body": body, "bytes": response["base64Body"],
    })
}

/// The mapping that a form describes. Whether it can be is for the control plane to say.
fn read(form: &Form) -> Json {
    let mut request = Map::new();
    request.insert("method".to_owned(), form.text("method").into());
    if let Some(place) = form.given("place") {
        request.insert(form.given("kind").unwrap_or("urlPath").to_owned(), place.into());
    }
    let mut response = Map::new();
    if let Some(status) = form.number("status") {
        response.insert("status".to_owned(), status);
    }
    let (body, media) = (form.exact("body"), form.given("media"));
    if !body.is_empty() {
        match serde_json::from_str::<Json>(body) {
            Ok(json) if media == Some("application/json") => {
                response.insert("jsonBody".to_owned(), json);
            }
            _ => {
                if let Some(media) = media {
                    response.insert("headers".to_owned(), json!({ "Content-Type": media }));
                }
                response.insert("body".to_owned(), body.into());
            }
        }
    } else if let Some(bytes) = form.given("bytes") {
        response.insert("base64Body".to_owned(), bytes.into());
    }
    if let Some(delay) = form.number("delay") {
        response.insert("fixedDelayMilliseconds".to_owned(), delay);
    }
    let mut mapping = Map::new();
    for name in ["name", "scenarioName", "requiredScenarioState", "newScenarioState"] {
        if let Some(text) = form.given(name) {
            mapping.insert(name.to_owned(), text.into());
        }
    }
    for name in ["priority", "times"] {
        if let Some(number) = form.number(name) {
            mapping.insert(name.to_owned(), number);
        }
    }
    mapping.insert("request".to_owned(), request.into());
    mapping.insert("response".to_owned(), response.into());
    mapping.into()
}

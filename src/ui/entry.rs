//! `/journal/{entry}`: one entry, with all that is known of it.

use http::{Method, StatusCode, header};
use serde_json::{Value as Json, json};

use super::answer::Answer;
use super::body::{self, Kept};
use super::journal::{self, Chosen};
use super::refused::Refused;
use super::visit::Visit;
use super::{Later, curl};
use crate::exchange::{Problem, Response};

/// How many characters of a value are shown among the differences of a record.
const VALUE: usize = 300;

async fn entry(visit: &Visit<'_>) -> Result<Json, Refused> {
    let secrets = if is_open(visit) { "?secrets=show" } else { "" };
    let entry = number(visit)?;
    visit.plane.get(&format!("/journal/{entry}{secrets}")).await
}

fn number(visit: &Visit<'_>) -> Result<u64, Refused> {
    let text = visit.parameter("entry");
    text.parse().map_err(|_| {
        let detail = format!("`{text}` is not the number of an entry: the journal lists those that there are.");
        Problem::bad_request("entry-invalid", detail).into()
    })
}

/// Whether secrets are to be read.
fn is_open(visit: &Visit<'_>) -> bool {
    visit.query("secrets").as_deref() == Some("show")
}

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let mut entry = entry(visit).await?;
        let id = entry["entry"].as_u64().unwrap_or_default();
        let chosen = Chosen::of(visit);
        let mut shown = journal::beside(visit, &chosen, id).await?;
        shown["newer"] = beyond(visit, &chosen, &shown["list"], id, "").await?;
        shown["older"] = beyond(visit, &chosen, &shown["list"], id, "order=newest&").await?;
        shown["open"] = json!(is_open(visit));
        match entry["exchange"].get("request") {
            Some(request) => shown["curl"] = curl::command(request, &file_name(id, "request")),
            None => shown["whole"] = body::json(&entry.to_string()),
        }
        let within = if entry["exchange"].is_object() { &mut entry["exchange"] } else { &mut entry };
        tell_changes(within);
        let at = format!("{}/journal/{id}/body", visit.root());
        let open = if is_open(visit) { "?secrets=show" } else { "" };
        for side in ["request", "response"] {
            if let Some(message) = entry.pointer_mut(&format!("/exchange/{side}")) {
                let media = message["headers"]["content-type"].as_str().unwrap_or_default().to_owned();
                message["body"] = body::shown(&message["body"], &media, &format!("{at}/{side}{open}"));
            }
        }
        shown["entry"] = entry;
        Ok(Answer::Page("journal-entry.html", shown))
    })
}

/// The number of the exchange beside one, as it is chosen; null where there is none.
async fn beyond(visit: &Visit<'_>, chosen: &Chosen, list: &Json, id: u64, order: &str) -> Result<Json, Refused> {
    let lines = list["records"].as_array().map(Vec::as_slice).unwrap_or_default();
    let place = lines.iter().position(|line| line["entry"] == id);
    let near = place.and_then(|place| if order.is_empty() { place.checked_sub(1) } else { place.checked_add(1) });
    if let Some(line) = near.and_then(|place| lines.get(place)) {
        return Ok(line["entry"].clone());
    }
    let found = visit.plane.get(&format!("/journal?{order}limit=1&after={id}&{}", chosen.query())).await?;
    Ok(found["records"][0]["entry"].clone())
}

/// Makes of what records were before and after the lines that a page shows.
fn tell_changes(within: &mut Json) {
    for change in within["changes"].as_array_mut().into_iter().flatten() {
        let empty = serde_json::Map::new();
        let (before, after) = (change["before"].as_object(), change["after"].as_object());
        let (known, both) = (change["unknown"].is_null(), before.is_some() && after.is_some());
        let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
        let mut names: Vec<&String> = before.keys().collect();
        names.extend(after.keys().filter(|name| !before.contains_key(*name)));
        let changed = |name: &str| change["changed"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        let rows = names.into_iter().filter(|name| !both || changed(name)).map(
            |name| json!({ "name": name, "before": before.get(name).map(value), "after": after.get(name).map(value) }),
        );
        let rows: Vec<Json> = if known { rows.collect() } else { Vec::new() };
        change["rows"] = rows.into();
    }
}

fn value(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn file_name(entry: u64, side: &str) -> String {
    format!("standin-{entry}-{side}.txt")
}

/// A body as it is, as a file: no browser takes it for a page.
pub(super) fn whole_body<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let side = visit.parameter("side");
        if !["request", "response"].contains(&side) {
            let detail = format!("An exchange has a `request` and a `response`, not a `{side}`.");
            return Err(Problem::not_found("page-unknown", detail).into());
        }
        let entry = entry(visit).await?;
        let bytes = match Kept::of(&entry["exchange"][side]["body"]) {
            Kept::Nothing | Kept::TooLarge(_) => Vec::new(),
            Kept::Text(text) => text.as_bytes().to_vec(),
            Kept::Binary(bytes) => bytes,
        };
        let mut response = Response::new(StatusCode::OK).with_body("text/plain; charset=utf-8", bytes);
        let name = file_name(number(visit)?, side);
        response.set(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
        response.set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        Ok(Answer::File(response))
    })
}

pub(super) fn rewind<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let entry = number(visit)?;
        visit.plane.send(Method::POST, "/rewind", Some(&json!({ "to": entry }))).await?;
        Ok(Answer::Done { to: format!("{}/journal", visit.root()), note: "rewound" })
    })
}

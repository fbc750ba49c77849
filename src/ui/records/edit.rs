//! Forms that make, change and take away records.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::kind::Kind;
use crate::exchange::{Problem, segment, spelled};
use crate::ui::Later;
use crate::ui::answer::Answer;
use crate::ui::form::Form;
use crate::ui::refused::Refused;
use crate::ui::visit::Visit;

/// A text of more characters than this has several lines to stand in.
const LINE: usize = 70;

/// `/records/{pack}/{resource}/{id}/edit`, with `?as=json` for all of it at once.
pub(in crate::ui) fn form<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let kind = Kind::of(visit).await?;
        let id = visit.parameter("id");
        let record = visit.plane.get(&kind.path_of(id)).await?;
        let rows: Vec<Json> = kind.fields.iter().map(|field| row(field, record.get(name_of(field)))).collect();
        let template = match visit.query("as").as_deref() {
            Some("json") => "record-json.html",
            _ => "record-edit.html",
        };
        let context = json!({
            "pack": { "name": kind.pack["name"], "title": kind.pack["title"] },
            "resource": kind.name,
            "id": id,
            "label": kind.label(&record),
            "here": kind.page(visit, id),
            "list": format!("{}/records/{}/{}", visit.root(), segment(kind.pack_name()), segment(&kind.name)),
            "record": record,
            "rows": rows,
        });
        Ok(Answer::Page(template, context))
    })
}

fn name_of(field: &Json) -> &str {
    field["name"].as_str().unwrap_or_default()
}

fn is_json(field: &Json) -> bool {
    field["type"] == "json" || field["type"] == "object"
}

fn is_nothing(value: Option<&Json>) -> bool {
    value.is_none_or(Json::is_null)
}

/// A field of the form: what stands in it, and what stood in the record, by which it is known what was changed.
fn row(field: &Json, value: Option<&Json>) -> Json {
    let nothing = is_nothing(value);
    let text = match value {
        _ if nothing || field["type"] == "secret" => String::new(),
        Some(value) if is_json(field) => serde_json::to_string_pretty(value).unwrap_or_default(),
        value => value.map(spelled).unwrap_or_default(),
    };
    json!({
        "name": field["name"], "type": field["type"], "format": field["format"], "id": field["id"],
        "refers": field["refers"], "optional": field["optional"], "nothing": nothing,
        "long": is_json(field) || text.contains(['\n', '\r']) || text.chars().count() > LINE,
        "text": text,
        "was": value.filter(|_| field["type"] != "secret").map(Json::to_string),
    })
}

/// A text as a form says it that nobody has touched: lines end in one way there.
fn as_sent(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// What was typed into a field, where it is something else than what stood there. Null is nothing.
fn changed(field: &Json, form: &Form) -> Result<Option<Json>, Refused> {
    let name = name_of(field);
    let Some(typed) = form.typed(&format!("f.{name}")) else { return Ok(None) };
    let was: Option<Json> = form.typed(&format!("was.{name}")).and_then(|was| serde_json::from_str(was).ok());
    let none = form.typed(&format!("none.{name}")).is_some();
    if field["type"] == "secret" {
        let held = form.typed(&format!("held.{name}")).is_some();
        return Ok(match (none, typed) {
            (true, "") => held.then_some(Json::Null),
            (_, "") => None,
            (_, typed) => Some(Json::from(typed)),
        });
    }
    // Who types into a field that has nothing need not say that it is to have something.
    if none && (!is_nothing(was.as_ref()) || typed.trim().is_empty()) {
        return Ok((!is_nothing(was.as_ref())).then_some(Json::Null));
    }
    let value = match field["type"].as_str().unwrap_or_default() {
        "json" | "object" => serde_json::from_str(typed).map_err(|error| {
            let detail = format!("`{name}` is not JSON: {error}. A text stands in quotes.");
            Problem::bad_request("form-invalid", detail)
        })?,
        // What is none of these the control plane refuses in its own words.
        "integer" | "number" | "boolean" => {
            let read = serde_json::from_str(typed.trim()).ok();
            read.filter(|value: &Json| value.is_number() || value.is_boolean()).unwrap_or_else(|| Json::from(typed))
        }
        "uuid" | "timestamp" => Json::from(typed.trim()),
        _ if was.as_ref().and_then(Json::as_str).is_some_and(|was| as_sent(was) == typed) => return Ok(None),
        _ => Json::from(typed),
    };
    Ok((was.as_ref() != Some(&value)).then_some(value))
}

/// Changes what was changed in the form, and nothing else.
pub(in crate::ui) fn patch<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let kind = Kind::of(visit).await?;
        let form = visit.form()?;
        let mut given = Map::new();
        for field in kind.fields.iter().filter(|field| field["id"] != true) {
            if let Some(value) = changed(field, &form)? {
                given.insert(name_of(field).to_owned(), value);
            }
        }
        let id = visit.parameter("id");
        if given.is_empty() {
            visit.plane.get(&kind.path_of(id)).await?;
            return Ok(Answer::Done { to: kind.page(visit, id), note: "record-same" });
        }
        visit.plane.send(Method::PATCH, &kind.path_of(id), Some(&Json::Object(given))).await?;
        Ok(Answer::Done { to: kind.page(visit, id), note: "record-changed" })
    })
}

/// The record that was typed as JSON. What an object has twice, say, is for the control plane to refuse.
fn written(visit: &Visit<'_>) -> Result<Json, Refused> {
    visit.form()?.json("record")
}

/// Puts what was typed in the place of the record.
pub(in crate::ui) fn put<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let kind = Kind::of(visit).await?;
        let id = visit.parameter("id");
        // Whoever edits a record that is gone meanwhile should hear of it, and not make it again.
        visit.plane.get(&kind.path_of(id)).await?;
        visit.plane.send(Method::PUT, &kind.path_of(id), Some(&written(visit)?)).await?;
        Ok(Answer::Done { to: kind.page(visit, id), note: "record-changed" })
    })
}

pub(in crate::ui) fn create<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let kind = Kind::of(visit).await?;
        let made = visit.plane.send(Method::POST, &kind.path(), Some(&written(visit)?)).await?;
        Ok(Answer::Done { to: kind.page(visit, &kind.id(&made)), note: "record-made" })
    })
}

pub(in crate::ui) fn delete<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let kind = Kind::of(visit).await?;
        visit.plane.send(Method::DELETE, &kind.path_of(visit.parameter("id")), None).await?;
        let list = format!("{}/records/{}/{}", visit.root(), segment(kind.pack_name()), segment(&kind.name));
        Ok(Answer::Done { to: list, note: "record-deleted" })
    })
}

//! `/records` and `/records/{pack}/{resource}`

use serde_json::{Map, Value as Json, json};

use super::kind::{Kind, in_line, page, within};
use crate::exchange::{segment, spelled};
use crate::ui::Later;
use crate::ui::answer::Answer;
use crate::ui::visit::Visit;

/// How many columns a table has.
const COLUMNS: usize = 7;

/// How many records stand on a page.
const PIECE: usize = 50;

/// Every resource of every pack, with how many records it has.
pub(in crate::ui) fn resources<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let known = visit.plane.get("/packs").await?;
        let mut packs = Vec::new();
        for pack in known["records"].as_array().into_iter().flatten() {
            let name = pack["name"].as_str().unwrap_or_default();
            let whole = visit.plane.get(&format!("/packs/{}", segment(name))).await?;
            let mut resources = Vec::new();
            for resource in whole["resources"].as_array().into_iter().flatten().filter_map(Json::as_str) {
                let Some(kind) = Kind::named(&whole, resource) else { continue };
                let total = visit.plane.get(&format!("{}?limit=1", kind.path())).await?["total"].clone();
                let owner = kind.fields.iter().find(|field| field["owner"] == true);
                resources
                    .push(json!({ "name": resource, "total": total, "owner": owner.map(|field| &field["refers"]) }));
            }
            packs.push(json!({ "name": name, "title": whole["title"], "resources": resources }));
        }
        let context = json!({ "packs": packs });
        Ok(match visit.is_part() {
            true => Answer::Part("records-all-list.html", context),
            false => Answer::Page("records-all.html", context),
        })
    })
}

/// What the query of a list says, as the control plane is asked.
fn asked(visit: &Visit<'_>) -> (String, Json) {
    let mut said = Map::new();
    let mut query = String::new();
    for name in ["text", "field", "value"] {
        let value = visit.query(name);
        if let Some(value) = &value {
            query.push_str(&format!("&{name}={}", segment(value)));
        }
        said.insert(name.to_owned(), Json::from(value));
    }
    (query, Json::Object(said))
}

/// The records of a resource.
pub(in crate::ui) fn list<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let kind = Kind::of(visit).await?;
        let (query, said) = asked(visit);
        let after: usize = visit.query("after").and_then(|text| text.parse().ok()).unwrap_or_default();
        let piece = visit.plane.get(&format!("{}?limit={PIECE}&after={after}{query}", kind.path())).await?;
        let records: &[Json] = piece["records"].as_array().map_or(&[], Vec::as_slice);
        let columns = columns(&kind, records);
        let rows: Vec<Json> = records.iter().map(|record| row(visit, &kind, &columns, record)).collect();
        let context = json!({
            "pack": { "name": kind.pack["name"], "title": kind.pack["title"] },
            "resource": kind.name,
            "here": format!("{}/records/{}/{}", visit.root(), segment(kind.pack_name()), segment(&kind.name)),
            "query": query,
            "said": said,
            "columns": columns,
            "rows": rows,
            "total": piece["total"],
            "first": after + 1,
            "last": after + rows.len(),
            "next": piece["next"],
            "before": (after > 0).then(|| after.saturating_sub(PIECE)),
            "after": after,
        });
        if visit.is_part() {
            return Ok(Answer::Part("records-list.html", context));
        }
        let mut context = context;
        context["fields"] = Json::from(kind.fields.clone());
        context["skeleton"] = skeleton(visit, &kind).await;
        context["open"] = Json::from(visit.query("new").is_some());
        Ok(Answer::Page("records.html", context))
    })
}

/// The id first, then what fits in a line and is there, and what names other records at the end.
fn columns(kind: &Kind, records: &[Json]) -> Vec<Json> {
    let fits = |field: &&Json| {
        let name = field["name"].as_str().unwrap_or_default();
        let told = |record: &Json| match &record[name] {
            Json::Null => false,
            Json::Object(_) | Json::Array(_) => within(&record[name]).is_some(),
            _ => true,
        };
        field["id"] == true || field["type"] != "secret" && records.iter().any(told)
    };
    let mut columns: Vec<&Json> = kind.fields.iter().filter(fits).collect();
    columns.sort_by_key(|field| (field["id"] != true, field["refers"].is_string()));
    let most = columns.into_iter().take(COLUMNS);
    most.map(|field| json!({ "name": field["name"], "type": field["type"], "refers": field["refers"] })).collect()
}

fn row(visit: &Visit<'_>, kind: &Kind, columns: &[Json], record: &Json) -> Json {
    let cell = |column: &Json| {
        let value = &record[column["name"].as_str().unwrap_or_default()];
        let target = column["refers"].as_str().filter(|_| !value.is_null());
        let text = if value.is_null() { None } else { within(value).or_else(|| Some(in_line(value))) };
        let href = target.map(|target| page(visit, kind.pack_name(), target, &spelled(value)));
        json!({ "text": text, "href": href, "type": column["type"] })
    };
    let id = kind.id(record);
    json!({ "id": id, "href": kind.page(visit, &id), "cells": columns.iter().skip(1).map(cell).collect::<Vec<_>>() })
}

/// A new record, as far as it can be guessed: what must be given, with values that can be kept.
async fn skeleton(visit: &Visit<'_>, kind: &Kind) -> Json {
    let now = visit.plane.get("/clock").await.unwrap_or_default()["now"].clone();
    let chosen = |name: &str| visit.query("value").filter(|_| visit.query("field").as_deref() == Some(name));
    let mut record = Map::new();
    for field in &kind.fields {
        let name = field["name"].as_str().unwrap_or_default();
        let chosen = chosen(name);
        if field["required"] != true && chosen.is_none() {
            continue;
        }
        let value = match (chosen, field["refers"].as_str().and_then(|target| Kind::named(&kind.pack, target))) {
            (Some(value), _) => match field["type"].as_str() {
                Some("integer" | "number" | "boolean") => serde_json::from_str(&value).unwrap_or(Json::from(value)),
                _ => Json::from(value),
            },
            // The first record that there is: which one is meant nobody knows.
            (None, Some(target)) => {
                let first = visit.plane.get(&format!("{}?limit=1", target.path())).await.unwrap_or_default();
                first["records"].get(0).map_or(Json::Null, |record| record[target.id_field()].clone())
            }
            (None, None) => match field["type"].as_str().unwrap_or_default() {
                "uuid" => Json::from("00000000-0000-4000-8000-000000000000"),
                "boolean" => Json::from(false),
                "integer" | "number" => Json::from(0),
                "timestamp" => now.clone(),
                "json" | "object" => json!({}),
                _ => Json::from(""),
            },
        };
        record.insert(name.to_owned(), value);
    }
    Json::Object(record)
}

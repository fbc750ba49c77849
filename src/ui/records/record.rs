//! `/records/{pack}/{resource}/{id}`

use serde_json::{Value as Json, json};

use super::change::{changes, place};
use super::kind::{Kind, page};
use crate::exchange::{segment, spelled};
use crate::ui::answer::Answer;
use crate::ui::refused::Refused;
use crate::ui::visit::Visit;
use crate::ui::{Later, events};

/// How many entries of its history are shown, and how many of the records that refer to it.
const HISTORY: usize = 20;
const RELATED: usize = 5;

pub(in crate::ui) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let kind = Kind::of(visit).await?;
        let id = visit.parameter("id");
        let history = history(visit, &kind, id).await?;
        let record = match visit.plane.get(&kind.path_of(id)).await {
            Ok(record) => record,
            // What is not there any more has a history at least.
            Err(refused) if refused.slug() == "record-unknown" && history["total"] != 0 => Json::Null,
            Err(refused) => return Err(refused),
        };
        let mut context = json!({
            "pack": { "name": kind.pack["name"], "title": kind.pack["title"] },
            "resource": kind.name,
            "id": id,
            "here": kind.page(visit, id),
            "list": format!("{}/records/{}/{}", visit.root(), segment(kind.pack_name()), segment(&kind.name)),
            "label": kind.label(&record),
            "gone": record.is_null(),
            "rows": rows(visit, &kind, &record).await,
            "related": if record.is_null() { Vec::new() } else { related(visit, &kind, id).await? },
            "history": history,
        });
        if visit.is_part() {
            return Ok(Answer::Part("record-facts.html", context));
        }
        context["events"] = match record.is_null() {
            true => json!([]),
            false => events::taking(visit, &kind, &record).await?.into(),
        };
        Ok(Answer::Page("record.html", context))
    })
}

/// Every field of the resource, with what the record has in it.
async fn rows(visit: &Visit<'_>, kind: &Kind, record: &Json) -> Vec<Json> {
    let mut rows = Vec::new();
    for field in &kind.fields {
        let name = field["name"].as_str().unwrap_or_default();
        let value = record.get(name);
        let target = field["refers"].as_str().zip(value.filter(|value| !value.is_null()));
        let refers = match target.and_then(|(target, value)| Some((Kind::named(&kind.pack, target)?, spelled(value)))) {
            None => Json::Null,
            Some((target, id)) => {
                let there = visit.plane.get(&target.path_of(&id)).await.ok();
                let label = there.as_ref().and_then(|record| target.label(record));
                json!({ "href": target.page(visit, &id), "there": there.is_some(), "label": label })
            }
        };
        rows.push(json!({
            "name": name, "type": field["type"], "format": field["format"], "id": field["id"], "owner": field["owner"],
            "target": field["refers"], "internal": field["internal"], "optional": field["optional"],
            "absent": value.is_none(), "value": value,
            "text": value.filter(|value| !value.is_object() && !value.is_array()).map(spelled),
            "refers": refers,
        }));
    }
    rows
}

/// Records whose fields name this one.
async fn related(visit: &Visit<'_>, kind: &Kind, id: &str) -> Result<Vec<Json>, Refused> {
    let mut found = Vec::new();
    let others = kind.pack["resources"].as_array().into_iter().flatten().filter_map(Json::as_str);
    for other in others.filter_map(|name| Kind::named(&kind.pack, name)) {
        for field in other.fields.iter().filter(|field| field["refers"] == *kind.name) {
            let name = field["name"].as_str().unwrap_or_default();
            let query = format!("field={}&value={}", segment(name), segment(id));
            let piece = visit.plane.get(&format!("{}?limit={RELATED}&{query}", other.path())).await?;
            let records = piece["records"].as_array().into_iter().flatten();
            let list =
                format!("{}/records/{}/{}?{query}", visit.root(), segment(kind.pack_name()), segment(&other.name));
            found.push(json!({
                "resource": other.name, "field": name, "owned": field["owner"], "total": piece["total"], "list": list,
                "records": records.map(|record| other.line(visit, record)).collect::<Vec<_>>(),
            }));
        }
    }
    Ok(found)
}

/// What became of it, the newest first.
async fn history(visit: &Visit<'_>, kind: &Kind, id: &str) -> Result<Json, Refused> {
    let piece = visit.plane.get(&format!("{}/changes?limit={HISTORY}", kind.path_of(id))).await?;
    let own = page(visit, kind.pack_name(), &kind.name, id);
    let mut entries = Vec::new();
    for line in piece["records"].as_array().into_iter().flatten() {
        // The journal may have forgotten it meanwhile; what it did is in the line, too.
        let whole = visit.plane.get(&format!("/journal/{}", line["entry"])).await.ok();
        let mut shown = place(visit, line);
        shown["kept"] = Json::from(whole.is_some());
        let mut line = line.clone();
        line["pack"] = kind.pack["name"].clone();
        let all = changes(visit, whole.as_ref().unwrap_or(&line));
        shown["changes"] = all.into_iter().filter(|change| change["href"] == *own).collect();
        entries.push(shown);
    }
    Ok(json!({ "entries": entries, "total": piece["total"], "evicted": piece["evicted"] }))
}

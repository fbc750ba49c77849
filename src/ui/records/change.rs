use serde_json::{Map, Value as Json, json};

use super::kind::{in_line, page};
use crate::exchange::segment;
use crate::ui::visit::Visit;

/// What an entry of the log did to records: each with its page, and what became of its fields where that is still known.
/// `whole` is the entry as `/journal/{entry}` shows it.
pub(in crate::ui) fn changes(visit: &Visit<'_>, whole: &Json) -> Vec<Json> {
    let of = if whole["exchange"].is_object() { &whole["exchange"] } else { whole };
    let pack = of["pack"].as_str().unwrap_or_default();
    let change = |change: &Json| {
        let text = |name: &str| change[name].as_str().unwrap_or_default();
        json!({
            "verb": text("verb"), "pack": pack, "resource": text("resource"), "id": text("id"),
            "href": page(visit, pack, text("resource"), text("id")),
            "differences": differences(change), "unknown": change["unknown"],
        })
    };
    of["changes"].as_array().into_iter().flatten().map(change).collect()
}

/// The fields that are others than before. Nothing where one of the two is not known, or is not there.
fn differences(change: &Json) -> Vec<Json> {
    let (Some(before), Some(after)) = (change["before"].as_object(), change["after"].as_object()) else {
        return Vec::new();
    };
    let side = |record: &Map<String, Json>, name: &str| record.get(name).map(in_line);
    let names = change["changed"].as_array().into_iter().flatten().filter_map(Json::as_str);
    names.map(|name| json!({ "field": name, "before": side(before, name), "after": side(after, name) })).collect()
}

/// What an entry of the log was, in words, and where its page is.
pub(in crate::ui) fn place(visit: &Visit<'_>, line: &Json) -> Json {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let words = match line["kind"].as_str().unwrap_or_default() {
        "exchange" => format!("{} {}", text(&line["method"]), text(&line["path"])),
        "event" => format!("event {}", text(&line["event"])),
        "state" => format!("control plane: {}", text(&line["method"])),
        other => other.to_owned(),
    };
    let number = line["entry"].to_string();
    json!({
        "entry": line["entry"], "at": line["at"], "kind": line["kind"], "words": words, "operation": line["operation"],
        "href": format!("{}/journal/{}", visit.root(), segment(&number)),
    })
}

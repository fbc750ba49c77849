//! `/reference`: what each API promises, made of what the control plane says of its pack.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::refused::Refused;
use super::tree;
use super::visit::Visit;
use crate::exchange::{Sent, curl, segment};

/// Every pack, as `/packs/{pack}` says it.
pub(super) async fn packs(visit: &Visit<'_>) -> Result<Vec<Json>, Refused> {
    let list = visit.plane.get("/packs").await?;
    let mut packs = Vec::new();
    for pack in items(&list, "records") {
        packs.push(visit.plane.get(&format!("/packs/{}", text(pack, "name"))).await?);
    }
    Ok(packs)
}

pub(super) fn list<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let query = visit.query("q").unwrap_or_default();
        let shown: Vec<Json> = packs(visit).await?.iter().map(|pack| with_folders(pack, &query)).collect();
        let found: u64 = shown.iter().filter_map(|pack| pack["found"].as_u64()).sum();
        Ok(Answer::Page("reference.html", json!({ "packs": shown, "q": query, "found": found })))
    })
}

pub(super) fn pack<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let query = visit.query("q").unwrap_or_default();
        let pack = visit.plane.get(&format!("/packs/{}", segment(visit.parameter("pack")))).await?;
        let events = visit.plane.get("/events").await?;
        let own = items(&events, "records").filter(|event| event["pack"] == pack["name"]);
        let context = json!({
            "events": own.collect::<Vec<_>>(), "defects": defects(&pack), "q": query, "pack": with_folders(&pack, &query),
        });
        Ok(Answer::Page("reference-pack.html", context))
    })
}

pub(super) fn operation<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let pack = visit.plane.get(&format!("/packs/{}", segment(visit.parameter("pack")))).await?;
        let named: Vec<String> = visit.parameter("operation").split('/').map(segment).collect();
        let path = format!("/packs/{}/operations/{}", segment(text(&pack, "name")), named.join("/"));
        let operation = visit.plane.get(&path).await?;
        let schemas = &operation["schemas"];
        let body = operation["request"]["schema"].as_str();
        let parameters: Vec<Json> = items(&operation, "parameters")
            .map(|parameter| {
                let mut shown = parameter.clone();
                shown["said"] = tree::value(schemas, &parameter["schema"]);
                shown
            })
            .collect();
        let answers: Vec<Json> = items(&operation, "answers").map(|answer| explained(&operation, answer)).collect();
        let form = form(visit, &pack, &operation).await;
        let context = json!({
            "pack": with_folders(&pack, ""),
            "operation": operation,
            "parameters": parameters,
            "body": body.map(|name| json!({ "rows": tree::rows(schemas, name), "text": schema_text(schemas, name) })),
            "answers": answers,
            "needed": needed(&operation["auth"]),
            "options": options(&pack, &operation),
            "defects": defects(&json!({ "operations": [operation] })),
            "form": form,
        });
        Ok(Answer::Page("reference-operation.html", context))
    })
}

fn items<'j>(object: &'j Json, key: &str) -> impl Iterator<Item = &'j Json> {
    object[key].as_array().into_iter().flatten()
}

fn text<'j>(object: &'j Json, key: &str) -> &'j str {
    object[key].as_str().unwrap_or_default()
}

/// The folder of an operation's file within its pack.
fn folder(operation: &Json) -> &str {
    let own = text(operation, "id").split_once('/').map_or("", |(_, own)| own);
    own.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A pack with its operations by their folders, as far as they have every word that is looked for.
fn with_folders(pack: &Json, query: &str) -> Json {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let has = |operation: &&Json| {
        let said = ["id", "title", "method", "path", "description", "notes"].map(|key| text(operation, key));
        let said = said.join(" ").to_lowercase();
        words.iter().all(|word| said.contains(word))
    };
    let mut folders: Vec<(&str, Vec<&Json>)> = Vec::new();
    let mut found = 0;
    for operation in items(pack, "operations").filter(has) {
        found += 1;
        match folders.iter_mut().find(|(known, _)| *known == folder(operation)) {
            Some((_, operations)) => operations.push(operation),
            None => folders.push((folder(operation), vec![operation])),
        }
    }
    let folders: Vec<Json> =
        folders.into_iter().map(|(name, operations)| json!({ "name": name, "operations": operations })).collect();
    let mut shown = pack.clone();
    shown["total"] = json!(items(pack, "operations").count());
    shown["folders"] = json!(folders);
    shown["found"] = json!(found);
    shown
}

/// What is wrong in the vendor's documentation, as far as the pack says so, by operation.
fn defects(pack: &Json) -> Vec<Json> {
    let of = |operation: &Json| {
        let told = |example: &&Json| {
            let lists = ["differs", "absent"].into_iter().flat_map(|key| items(example, key)).next().is_some();
            lists || example["verbatim"].is_string() || example["notes"].is_string()
        };
        let examples: Vec<&Json> = items(operation, "examples").filter(told).collect();
        let any = operation["notes"].is_string() || !examples.is_empty();
        any.then(|| {
            json!({
                "id": operation["id"], "title": operation["title"], "notes": operation["notes"], "examples": examples,
            })
        })
    };
    items(pack, "operations").filter_map(of).collect()
}

/// An answer with the rows of its schema and the examples that show it.
fn explained(operation: &Json, answer: &Json) -> Json {
    let mut shown = answer.clone();
    let schemas = &operation["schemas"];
    let name = answer["schema"].as_str();
    let paths: Vec<&Json> = items(answer, "examples").collect();
    let examples: Vec<&Json> =
        items(operation, "examples").filter(|example| paths.contains(&&example["path"])).collect();
    shown["rows"] = json!(name.map(|name| tree::rows(schemas, name)));
    shown["schemaText"] = json!(name.map(|name| schema_text(schemas, name)));
    shown["examples"] = json!(examples);
    shown
}

fn schema_text(schemas: &Json, name: &str) -> Json {
    let (document, pointer) = name.split_once('#').unwrap_or((name, ""));
    schemas[document].pointer(pointer).cloned().unwrap_or_default()
}

/// Who must be known, in words.
fn needed(auth: &Json) -> String {
    let each = |parts: &Json, word: &str| {
        let parts: Vec<String> = parts.as_array().into_iter().flatten().map(needed).collect();
        parts.join(word)
    };
    match auth.as_object().and_then(|auth| auth.iter().next()) {
        Some((kind, scheme)) if kind == "scheme" => scheme.as_str().unwrap_or_default().to_owned(),
        Some((kind, parts)) if kind == "all" => each(parts, " and "),
        Some((kind, parts)) if kind == "any" => each(parts, " or "),
        Some((_, inner)) => format!("{}, which may be left out", needed(inner)),
        None => String::new(),
    }
}

/// The schemes that an expression of `auth` names.
fn schemes(auth: &Json, found: &mut Vec<String>) {
    for (kind, inner) in auth.as_object().into_iter().flatten() {
        match (kind.as_str(), inner) {
            ("scheme", Json::String(name)) => found.push(name.clone()),
            ("optional", inner) => schemes(inner, found),
            (_, inner) => inner.as_array().into_iter().flatten().for_each(|part| schemes(part, found)),
        }
    }
}

/// The options that change the operation, with their values.
fn options(pack: &Json, operation: &Json) -> Vec<Json> {
    let named: Vec<&Json> = items(operation, "options").collect();
    items(pack, "options").filter(|option| named.contains(&&option["name"])).cloned().collect()
}

/// What a try begins with: a documented request that works with the records that are there from the start, if there is
/// one. What it does not say of the path is taken from a record.
async fn form(visit: &Visit<'_>, pack: &Json, operation: &Json) -> Json {
    let good = |request: &&Json| request["status"].as_u64().is_some_and(|status| (200..300).contains(&status));
    let own = |request: &&Json| request["template"] == operation["path"];
    let all = || items(operation, "requests").filter(own);
    let sample = all().filter(good).find(|request| request["seeded"] == true);
    let sample = sample.or_else(|| all().find(|request| request["status"].is_null()));
    let sample = sample.or_else(|| all().find(good)).or_else(|| all().next()).cloned().unwrap_or_default();

    let mut fields: Vec<Json> = Vec::new();
    for name in text(operation, "path").split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let value = match sample["path"][name].as_str() {
            Some(value) => value.to_owned(),
            None => of_record(visit, pack, operation, name).await.unwrap_or_default(),
        };
        fields.push(field(operation, "path", name, &value, true));
    }
    for place in ["query", "header"] {
        let given = &sample[if place == "query" { "query" } else { "headers" }];
        let known = items(operation, "parameters").filter(|parameter| parameter["in"] == place);
        let mut names: Vec<&str> = known.map(|parameter| text(parameter, "name")).collect();
        let more = given.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let more: Vec<&str> = more
            .filter(|name| !name.eq_ignore_ascii_case("content-type"))
            .filter(|name| !items(pack, "schemes").any(|scheme| text(scheme, "parameter").eq_ignore_ascii_case(name)))
            .filter(|name| !names.contains(name))
            .collect();
        names.extend(more);
        for name in names {
            fields.push(field(operation, place, name, given[name].as_str().unwrap_or_default(), false));
        }
    }
    let credentials = credentials(pack, operation, &sample);
    let body = sample["body"].as_str();
    let has_body = operation["request"].is_object() || body.is_some_and(|body| !body.is_empty());
    let media = sample["headers"]["content-type"].as_str().or(operation["request"]["mediaType"].as_str());
    let media = media.unwrap_or("application/json");
    let body = has_body.then(|| json!({ "text": body.unwrap_or_default(), "mediaType": media }));
    let command = command(text(pack, "baseUrl"), operation, &fields, &credentials, body.as_ref());
    json!({ "fields": fields, "credentials": credentials, "body": body, "curl": command, "sample": sample })
}

fn field(operation: &Json, place: &str, name: &str, value: &str, required: bool) -> Json {
    let known = items(operation, "parameters").find(|known| known["in"] == place && known["name"] == name);
    let none = Json::Null;
    let known = known.unwrap_or(&none);
    let said = tree::value(&operation["schemas"], &known["schema"]);
    let default = match &known["default"] {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    json!({
        "in": place, "name": name, "value": value, "required": required || known["required"] == true,
        "type": said["type"], "default": default,
    })
}

/// The id of the first record that an operation would look up by a parameter of its path.
async fn of_record(visit: &Visit<'_>, pack: &Json, operation: &Json, name: &str) -> Option<String> {
    let wanted = format!("path.{name}");
    let load = items(operation, "loads").find(|load| text(load, "id") == wanted)?;
    let (pack, resource) = (segment(text(pack, "name")), segment(text(load, "resource")));
    let list = visit.plane.get(&format!("/state/{pack}/{resource}?limit=1")).await.ok()?;
    match &items(&list, "records").next()?[name] {
        Json::String(id) => Some(id.clone()),
        Json::Null => None,
        other => Some(other.to_string()),
    }
}

/// A field for each place in which the operation looks for credentials, with all that are known there.
fn credentials(pack: &Json, operation: &Json, sample: &Json) -> Vec<Json> {
    let mut named = Vec::new();
    schemes(&operation["auth"], &mut named);
    let asked: Vec<&Json> = items(sample, "as").collect();
    let mut places: Vec<Map<String, Json>> = Vec::new();
    for scheme in items(pack, "schemes").filter(|scheme| named.iter().any(|name| scheme["name"] == **name)) {
        let same = |known: &&mut Map<String, Json>| known["in"] == scheme["in"] && known["name"] == scheme["parameter"];
        let known = items(pack, "credentials").filter(|credential| credential["scheme"] == scheme["name"]);
        let known: Vec<Json> = known.cloned().collect();
        match places.iter_mut().find(same) {
            Some(place) => {
                if let Some(all) = place["known"].as_array_mut() {
                    all.extend(known);
                }
            }
            None => {
                let place = json!({ "in": scheme["in"], "name": scheme["parameter"], "known": known });
                places.extend(place.as_object().cloned());
            }
        }
    }
    let unasked = sample["as"].is_null();
    for place in &mut places {
        let known: Vec<Json> = place["known"].as_array().cloned().unwrap_or_default();
        let chosen = known.iter().find(|credential| asked.contains(&&credential["label"]));
        let chosen = chosen.or_else(|| known.first().filter(|_| unasked));
        place.insert("value".to_owned(), chosen.map_or_else(|| json!(""), |credential| credential["value"].clone()));
    }
    places.into_iter().map(Json::Object).collect()
}

/// The command that sends what the form has. `try.js` writes the same one when the form is changed.
fn command(base: &str, operation: &Json, fields: &[Json], credentials: &[Json], body: Option<&Json>) -> String {
    let mut path = text(operation, "path").to_owned();
    let (mut query, mut headers) = (form_urlencoded::Serializer::new(String::new()), Vec::new());
    for field in fields {
        let (name, value) = (text(field, "name"), text(field, "value"));
        match text(field, "in") {
            "path" => path = path.replace(&format!("{{{name}}}"), &component(value)),
            _ if value.is_empty() => {}
            "query" => drop(query.append_pair(name, value)),
            _ => headers.push((name.to_owned(), value.to_owned())),
        }
    }
    for credential in credentials.iter().filter(|credential| !text(credential, "value").is_empty()) {
        let (name, value) = (text(credential, "name"), text(credential, "value"));
        match text(credential, "in") {
            "query" => drop(query.append_pair(name, value)),
            _ => headers.push((name.to_owned(), value.to_owned())),
        }
    }
    let body = body.map(|body| (text(body, "text"), text(body, "mediaType"))).filter(|(text, _)| !text.is_empty());
    headers.extend(body.map(|(_, media)| ("content-type".to_owned(), media.to_owned())));
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    let url = format!("{base}{path}{mark}{query}");
    let with = if base.starts_with("https:") { "curl -s -k" } else { "curl -s" };
    let method = text(operation, "method");
    curl(with, Sent { method, url: &url, headers: &headers, body: body.map(|(text, _)| text) })
}

/// A segment of a path, as `encodeURIComponent` of a browser writes it.
fn component(text: &str) -> String {
    const PLAIN: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'!')
        .remove(b'~')
        .remove(b'*')
        .remove(b'\'')
        .remove(b'(')
        .remove(b')');
    utf8_percent_encode(text, PLAIN).to_string()
}

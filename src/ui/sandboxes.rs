//! `/sandboxes`: the worlds of this server, and the snapshots of the one that is looked at.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::form::Form;
use super::moments;
use super::visit::{Visit, records};
use crate::clock::Span;
use crate::exchange::segment;

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let after = visit.query("after").map(|after| format!("?after={}", segment(&after))).unwrap_or_default();
        let mut all = visit.plane.get(&format!("/sandboxes{after}")).await?;
        let server = visit.plane.get("/sandboxes/default").await?;
        for sandbox in all["records"].as_array_mut().into_iter().flatten() {
            tell(sandbox, &server);
        }
        if visit.is_part() {
            return Ok(Answer::Part("sandboxes-list.html", json!({ "all": all })));
        }
        let mut own = visit.plane.get(&format!("/sandboxes/{}", segment(visit.plane.sandbox()))).await?;
        tell(&mut own, &server);
        let snapshots = visit.plane.get("/snapshots?limit=1000").await?;
        let mut packs = Vec::new();
        for pack in records(&mut visit.plane.get("/packs").await?) {
            let name = pack["name"].as_str().unwrap_or_default();
            let whole = visit.plane.get(&format!("/packs/{}", segment(name))).await?;
            packs.push(json!({ "name": name, "title": pack["title"], "options": whole["options"] }));
        }
        let context = json!({ "all": all, "own": own, "snapshots": snapshots, "packs": packs });
        Ok(Answer::Page("sandboxes.html", context))
    })
}

/// What a list says of a sandbox besides what it is told: the options that are not those of the server, and for how long
/// nobody has used it.
fn tell(sandbox: &mut Json, server: &Json) {
    let differs = |(name, value): &(&String, &Json)| server["options"][name.as_str()] != **value;
    let options = sandbox["options"].as_object().into_iter().flatten();
    let chosen: Map<String, Json> =
        options.filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect();
    let idle = sandbox["idleSeconds"].as_i64().unwrap_or_default();
    sandbox["chosen"] = Json::Object(chosen);
    sandbox["idle"] = match idle {
        0..60 => Json::Null,
        seconds => json!(moments::length(Span::from_micros(seconds.saturating_mul(1_000_000)))),
    };
}

/// The body that makes a sandbox, of a form whose empty fields say nothing.
fn wish(form: &Form) -> Json {
    let mut wish = Map::new();
    for name in ["id", "from", "clock", "mode"] {
        wish.extend(form.given(name).map(|text| (name.to_owned(), json!(text))));
    }
    // What is no number is for the control plane to refuse, in its words.
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    wish.extend(form.given("seed").map(|seed| ("seed".to_owned(), read(seed))));
    let options = form.all("option:").into_iter().filter(|(_, value)| !value.is_empty());
    let options: Map<String, Json> = options.map(|(name, value)| (name.to_owned(), read(value))).collect();
    if !options.is_empty() {
        wish.insert("options".to_owned(), Json::Object(options));
    }
    Json::Object(wish)
}

pub(super) fn create<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let made = visit.plane.send(Method::POST, "/sandboxes", Some(&wish(&visit.form()?))).await?;
        let to = format!("{}/sandboxes", home(visit, made["id"].as_str().unwrap_or_default()));
        Ok(Answer::Done { to, note: "sandbox-made" })
    })
}

/// Where the dashboard of a sandbox begins, whatever sandbox is looked at.
fn home(visit: &Visit<'_>, id: &str) -> String {
    match id {
        "default" => format!("{}/_standin/ui", visit.origin()),
        id => format!("{}/~{id}/_standin/ui", visit.origin()),
    }
}

pub(super) fn delete<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let id = visit.parameter("id");
        visit.plane.send(Method::DELETE, &format!("/sandboxes/{}", segment(id)), None).await?;
        // The page of a sandbox goes with it.
        let root = if id == visit.plane.sandbox() { home(visit, "default") } else { visit.root() };
        Ok(Answer::Done { to: format!("{root}/sandboxes"), note: "sandbox-deleted" })
    })
}

pub(super) fn reset<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        visit.plane.send(Method::POST, "/reset", None).await?;
        Ok(Answer::Done { to: format!("{}/sandboxes", visit.root()), note: "reset" })
    })
}

// ---- snapshots of this sandbox ----

/// What changes a snapshot leads back to the list of them.
fn listed(visit: &Visit<'_>, note: &'static str) -> Answer {
    Answer::Done { to: format!("{}/sandboxes#snapshots", visit.root()), note }
}

fn snapshot(visit: &Visit<'_>) -> String {
    format!("/snapshots/{}", segment(visit.parameter("name")))
}

pub(super) fn take<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let form = visit.form()?;
        let wish: Json = form.given("name").map(|name| ("name".to_owned(), json!(name))).into_iter().collect();
        visit.plane.send(Method::POST, "/snapshots", Some(&wish)).await?;
        Ok(listed(visit, "snapshot-taken"))
    })
}

pub(super) fn restore<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        visit.plane.send(Method::POST, &format!("{}/restore", snapshot(visit)), None).await?;
        Ok(listed(visit, "snapshot-restored"))
    })
}

pub(super) fn forget<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        visit.plane.send(Method::DELETE, &snapshot(visit), None).await?;
        Ok(listed(visit, "snapshot-deleted"))
    })
}

//! `/webhooks`: what went out, what is to go out, and what came of it.

use http::Method;
use serde_json::{Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::visit::Visit;
use crate::exchange::segment;

/// How many deliveries stand on a page, and how many attempts of one.
const PIECE: usize = 50;
const ATTEMPTS: usize = 20;

/// What the control plane can choose by.
const FILTERS: [&str; 3] = ["pack", "webhook", "state"];

const STATES: [&str; 6] = ["waiting", "sending", "delivered", "failed", "dropped", "orphaned"];

pub(super) fn list<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let said: Json = FILTERS.iter().map(|name| ((*name).to_owned(), Json::from(visit.query(name)))).collect();
        let chosen = FILTERS.iter().filter_map(|name| Some(format!("&{name}={}", segment(&visit.query(name)?))));
        let query: String = chosen.collect();
        let after = visit.query("after").map(|after| format!("&after={}", segment(&after))).unwrap_or_default();
        let list = visit.plane.get(&format!("/webhooks?order=newest&limit={PIECE}{query}{after}")).await?;
        let mut context = json!({
            "list": list, "query": query, "after": after, "said": said, "filtered": !query.is_empty(),
            "here": format!("{}/webhooks", visit.root()),
        });
        if visit.is_part() {
            return Ok(Answer::Part("webhooks-list.html", context));
        }
        let packs = visit.plane.get("/packs").await?;
        let mut all = Vec::new();
        for pack in packs["records"].as_array().into_iter().flatten() {
            let name = pack["name"].as_str().unwrap_or_default();
            let whole = visit.plane.get(&format!("/packs/{}", segment(name))).await?;
            if whole["webhooks"].as_array().is_some_and(|webhooks| !webhooks.is_empty()) {
                all.push(json!({ "name": name, "title": whole["title"], "webhooks": whole["webhooks"] }));
            }
        }
        context["packs"] = all.into();
        context["states"] = json!(STATES);
        Ok(Answer::Page("webhooks.html", context))
    })
}

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let id = visit.parameter("id");
        let delivery = visit.plane.get(&format!("/webhooks/{}", segment(id))).await?;
        let pack =
            visit.plane.get(&format!("/packs/{}", segment(delivery["pack"].as_str().unwrap_or_default()))).await?;
        let webhooks = pack["webhooks"].as_array().into_iter().flatten();
        let webhook = webhooks.into_iter().find(|webhook| webhook["name"] == delivery["webhook"]);
        let all = delivery["attempts"].as_array().map_or(0, Vec::len);
        let newest = delivery["attempts"].as_array().into_iter().flatten().rev().take(ATTEMPTS);
        let attempts: Vec<Json> = newest.map(|attempt| shown(attempt, webhook)).collect();
        let context = json!({
            "delivery": delivery, "webhook": webhook, "attempts": attempts, "older": all - attempts.len(),
            "here": format!("{}/webhooks/{}", visit.root(), segment(id)),
        });
        Ok(match visit.is_part() {
            true => Answer::Part("webhook-attempts.html", context),
            false => Answer::Page("webhook.html", context),
        })
    })
}

/// An attempt with its bodies as one reads them.
fn shown(attempt: &Json, webhook: Option<&Json>) -> Json {
    let mut shown = attempt.clone();
    for side in ["request", "response"] {
        let body = readable(&attempt[side]["body"]);
        if shown[side].is_object() {
            shown[side]["body"] = body;
        }
    }
    shown["signature"] = webhook.map_or(Json::Null, |webhook| webhook["signature"]["header"].clone());
    shown
}

/// JSON over several lines, any other text as it is, and of what is no text how much there is.
fn readable(body: &Json) -> Json {
    if let Some(text) = body["text"].as_str() {
        let read = serde_json::from_str::<Json>(text).ok().and_then(|value| serde_json::to_string_pretty(&value).ok());
        return json!({ "text": read.unwrap_or_else(|| text.to_owned()) });
    }
    match body["base64"].as_str() {
        Some(code) => json!({ "bytes": code.trim_end_matches('=').len() * 3 / 4 }),
        None => Json::Null,
    }
}

/// Has a delivery attempted once more, and waits for what comes of it.
pub(super) fn redeliver<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let id = visit.parameter("id");
        let delivery = visit.plane.send(Method::POST, &format!("/webhooks/{}/redeliver", segment(id)), None).await?;
        let last = delivery["attempts"].as_array().and_then(|attempts| attempts.last()).cloned().unwrap_or_default();
        let note = match last["result"].as_str() {
            Some("taken") => "redelivered",
            Some(_) => "redelivery-failed",
            None => "redelivery-waits",
        };
        Ok(Answer::Done { to: format!("{}/webhooks/{}", visit.root(), segment(id)), note })
    })
}

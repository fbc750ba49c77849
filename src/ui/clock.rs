//! `/clock`: the time of the sandbox, how it is moved, and what is to happen.

use http::Method;
use serde_json::{Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::refused::Refused;
use super::visit::{Visit, records};
use super::{moments, story};
use crate::clock::Instant;
use crate::exchange::{Problem, segment};

/// How much of what an advance did is told at once.
const TOLD: u64 = 200;

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let clock = visit.plane.get("/clock").await?;
        let mut context = json!({ "clock": clock });
        let part = visit.query("part").filter(|_| visit.is_part());
        if part.as_deref() == Some("mode") {
            // The button in the bar of every page: who has the script goes nowhere with it.
            context["back"] = json!("/clock");
            return Ok(Answer::Part("clock-mode.html", context));
        }
        if part.as_deref() != Some("agenda") {
            let first = agenda(visit, &clock, "limit=1").await?;
            context["next"] = first["records"][0]["until"].clone();
        }
        if part.as_deref() == Some("face") {
            return Ok(Answer::Part("clock-face.html", context));
        }
        let after = visit.query("agenda").map(|after| format!("after={}", segment(&after))).unwrap_or_default();
        context["agenda"] = agenda(visit, &clock, &after).await?;
        if part.is_some() {
            return Ok(Answer::Part("clock-agenda.html", context));
        }
        context["shown"] = json!(visit.query("agenda"));
        context["moved"] = moved(visit).await?;
        Ok(Answer::Page("clock.html", context))
    })
}

/// What is to happen, each thing with the words for when.
async fn agenda(visit: &Visit<'_>, clock: &Json, query: &str) -> Result<Json, Refused> {
    let now = clock["now"].as_str().and_then(|now| Instant::parse(now).ok());
    let mut agenda = visit.plane.get(&format!("/clock/agenda?{query}")).await?;
    for item in agenda["records"].as_array_mut().into_iter().flatten() {
        *item = story::planned(item.take());
        item["until"] = json!(now.zip(story::instant(item)).map(|(now, at)| moments::until(now, at)));
    }
    Ok(agenda)
}

/// What an advance did, by the numbers of its first and last entry that stand in the query, `3-9`; `none` where nothing
/// was due.
async fn moved(visit: &Visit<'_>) -> Result<Json, Refused> {
    let Some(said) = visit.query("moved") else { return Ok(Json::Null) };
    let range = said.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let Some((first, last)) = range else { return Ok(json!({ "entries": [], "some": false })) };
    let (first, last): (u64, u64) = (first, last);
    let after = first.saturating_sub(1);
    // An attempt and its outcome are two entries.
    let mut log = visit.plane.get(&format!("/log?format=lines&limit={}&after={after}", TOLD * 2)).await?;
    let done = |entry: &Json| {
        let kind = matches!(entry["kind"].as_str(), Some("event" | "attempt"));
        kind && entry["entry"].as_u64().is_some_and(|number| number <= last)
    };
    let mut entries: Vec<Json> = story::told(records(&mut log)).into_iter().filter(done).collect();
    entries.truncate(usize::try_from(TOLD).unwrap_or(usize::MAX));
    let told = entries.last().and_then(|entry| entry["entry"].as_u64()).unwrap_or(last);
    Ok(json!({ "entries": entries, "some": true, "more": told < last }))
}

/// The entries that an advance made, as the page's address says them.
fn made(answer: &Json) -> String {
    let number = |entry: Option<&Json>| entry.and_then(|entry| entry["entry"].as_u64());
    let done = answer["done"].as_array().map_or(&[][..], Vec::as_slice);
    match (number(done.first()), number(done.last())) {
        (Some(first), Some(last)) => format!("{first}-{last}"),
        _ => "none".to_owned(),
    }
}

fn done(visit: &Visit<'_>, answer: &Json, note: &'static str) -> Answer {
    Answer::Done { to: format!("{}/clock?moved={}", visit.root(), made(answer)), note }
}

/// `by` a length of time, or `to` an instant or `next`.
pub(super) fn advance<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let form = visit.form()?;
        let body: Json =
            ["by", "to"].into_iter().filter_map(|name| Some((name.to_owned(), form.given(name)?))).collect();
        let answer = visit.plane.send(Method::POST, "/clock/advance", Some(&body)).await?;
        Ok(done(visit, &answer, "advanced"))
    })
}

/// `now`, an instant.
pub(super) fn set<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let form = visit.form()?;
        let answer = visit.plane.send(Method::PUT, "/clock", Some(&json!({ "now": form.text("now") }))).await?;
        Ok(done(visit, &answer, "clock-set"))
    })
}

/// `mode`
pub(super) fn mode<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        change_mode(visit).await?;
        Ok(Answer::Done { to: format!("{}/clock", visit.root()), note: "clock-mode" })
    })
}

async fn change_mode(visit: &Visit<'_>) -> Result<Json, Refused> {
    let form = visit.form()?;
    visit.plane.send(Method::PUT, "/clock", Some(&json!({ "mode": form.text("mode") }))).await
}

pub(super) fn cancel<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let path = format!("/clock/agenda/{}", segment(visit.parameter("id")));
        visit.plane.send(Method::DELETE, &path, None).await?;
        Ok(Answer::Done { to: format!("{}/clock#agenda", visit.root()), note: "cancelled" })
    })
}

// ---- the controls that every page has ----

pub(super) fn quick_mode<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let back = back(visit, visit.form()?.text("back"))?;
        let clock = change_mode(visit).await?;
        Ok(match visit.is_part() {
            true => Answer::Part("clock-mode.html", json!({ "clock": clock, "back": back })),
            false => Answer::Done { to: format!("{}{back}", visit.root()), note: "clock-mode" },
        })
    })
}

pub(super) fn quick_advance<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let form = visit.form()?;
        let body = json!({ "by": form.text("by") });
        let back = back(visit, form.text("back"))?;
        let answer = visit.plane.send(Method::POST, "/clock/advance", Some(&body)).await?;
        let count = answer["done"].as_array().map_or(0, Vec::len) as u64 + answer["more"].as_u64().unwrap_or_default();
        Ok(match visit.is_part() {
            true => Answer::Part("clock-said.html", json!({ "count": count, "moved": made(&answer) })),
            false => Answer::Done { to: format!("{}{back}", visit.root()), note: "advanced" },
        })
    })
}

/// The page that a form stood on, to which its sender goes back: a path of the dashboard.
fn back(visit: &Visit<'_>, said: &str) -> Result<String, Refused> {
    let bad = || {
        let detail =
            format!("`back` is a path of the dashboard, such as `/clock`, in the sandbox `{}`.", visit.plane.sandbox());
        Problem::bad_request("form-invalid", detail)
    };
    let plain = said.starts_with('/') && said.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain {
        return Err(bad().into());
    }
    // A page says only what was done last.
    let (path, query) = said.split_once('?').unwrap_or((said, ""));
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("done=")).collect();
    Ok(if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) })
}

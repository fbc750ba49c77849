//! `/limits`: how often callers may call.

use http::{Method, StatusCode};
use serde_json::{Map, Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::refused::Refused;
use super::visit::Visit;
use crate::exchange::Problem;

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let limits = visit.plane.get("/limits").await?;
        let shown = limits["limits"].as_array().into_iter().flatten();
        let lines = shown.map(|limit| json!({ "limit": limit, "was": bare(limit).to_string() })).collect::<Json>();
        if visit.is_part() {
            return Ok(Answer::Part("limits-list.html", json!({ "limits": lines })));
        }
        let packs = visit.plane.get("/packs").await?;
        Ok(Answer::Page("limits.html", json!({ "limits": lines, "packs": packs["records"] })))
    })
}

pub(super) fn add<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let form = visit.form()?;
        let mut limit = Map::new();
        for name in ["pack", "quota", "window", "name", "headers"] {
            let value = if name == "quota" { form.number(name) } else { form.given(name).map(Json::from) };
            if let Some(value) = value {
                limit.insert(name.to_owned(), value);
            }
        }
        let mut limits = limits(visit).await?;
        limits.push(limit.into());
        set(visit, limits, "limits-set").await
    })
}

pub(super) fn remove<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let was = visit.form()?.json("was")?;
        let mut limits = limits(visit).await?;
        let Some(place) = limits.iter().position(|limit| *limit == was) else {
            let detail = "This limit is not there any more: somebody has changed the limits. Load the page again.";
            let problem = Problem::new("page-outdated", StatusCode::CONFLICT, "The page is out of date", detail);
            return Err(problem.into());
        };
        limits.remove(place);
        set(visit, limits, "limit-removed").await
    })
}

/// Everybody begins anew.
pub(super) fn reset<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let limits = limits(visit).await?;
        set(visit, limits, "limits-reset").await
    })
}

pub(super) fn clear<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        visit.plane.send(Method::DELETE, "/limits", None).await?;
        Ok(done(visit, "limits-cleared"))
    })
}

pub(super) fn json<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let text = json!({ "limits": limits(visit).await? });
        Ok(Answer::Page("settings-json.html", json!({ "what": "limits", "text": text })))
    })
}

pub(super) fn put<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let all = visit.form()?.json("JSON")?;
        visit.plane.send(Method::PUT, "/limits", Some(&all)).await?;
        Ok(done(visit, "limits-set"))
    })
}

/// The limits as they are set.
async fn limits(visit: &Visit<'_>) -> Result<Vec<Json>, Refused> {
    let shown = visit.plane.get("/limits").await?;
    Ok(shown["limits"].as_array().into_iter().flatten().map(bare).collect())
}

/// A limit without what was used of it.
fn bare(limit: &Json) -> Json {
    let mut limit = limit.clone();
    if let Some(members) = limit.as_object_mut() {
        members.shift_remove("callers");
    }
    limit
}

async fn set(visit: &Visit<'_>, limits: Vec<Json>, note: &'static str) -> Result<Answer, Refused> {
    visit.plane.send(Method::PUT, "/limits", Some(&json!({ "limits": limits }))).await?;
    Ok(done(visit, note))
}

fn done(visit: &Visit<'_>, note: &'static str) -> Answer {
    Answer::Done { to: format!("{}/limits", visit.root()), note }
}

//! `/reload`: whether the packs that are served are those on disk, and what is wrong with these.

use http::Method;
use serde_json::{Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::visit::Visit;
use crate::exchange::segment;

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let mut state = visit.plane.get("/reload").await?;
        for pack in state["packs"].as_array_mut().into_iter().flatten() {
            pack["diagnostics"].as_array_mut().into_iter().flatten().for_each(mark);
        }
        let context = json!({ "state": state });
        Ok(match visit.is_part() {
            true => Answer::Part("reload-state.html", context),
            false => Answer::Page("reload.html", context),
        })
    })
}

/// What every page says where a pack on disk cannot be used.
pub(super) fn banner<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let frame = visit.frame().await;
        Ok(Answer::Part("broken.html", json!({ "broken": frame["broken"], "part": true })))
    })
}

pub(super) fn look<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let looked = visit.plane.send(Method::POST, "/reload", None).await?;
        let changed = looked["changed"].as_array().is_some_and(|changed| !changed.is_empty());
        let note = if changed { "looked-changed" } else { "looked" };
        Ok(Answer::Done { to: format!("{}/reload", visit.root()), note })
    })
}

/// What a code means.
pub(super) fn explain<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let code = segment(visit.parameter("code"));
        let mut explained = visit.plane.get(&format!("/diagnostics/{code}")).await?;
        explained["blocks"] = blocks(explained["text"].as_str().unwrap_or_default());
        Ok(Answer::Page("diagnostic.html", json!({ "explained": explained })))
    })
}

/// Marks in the line of a diagnostic what it is about: what stands before, in and behind it.
fn mark(diagnostic: &mut Json) {
    let at = &diagnostic["at"];
    let Some(line) = at["text"].as_str() else { return };
    let column = |place: &Json| place["column"].as_u64().and_then(|column| usize::try_from(column).ok());
    let start = column(at).unwrap_or(1).saturating_sub(1);
    // A place of many lines is shown by its first.
    let end = if at["end"]["line"] == at["line"] { column(&at["end"]).map(|end| end.saturating_sub(1)) } else { None };
    let part = |from: usize, to: usize| line.chars().skip(from).take(to.saturating_sub(from)).collect::<String>();
    let end = end.unwrap_or(usize::MAX).max(start);
    diagnostic["marked"] = json!([part(0, start), part(start, end), part(end, usize::MAX)]);
}

/// Text and examples of Markdown, one after the other, as paragraphs.
fn blocks(text: &str) -> Json {
    let parts = text.split("\n```").enumerate().flat_map(|(index, part)| match index % 2 {
        0 => part.split("\n\n").map(|text| (false, text.trim())).filter(|(_, text)| !text.is_empty()).collect(),
        _ => vec![(true, part.split_once('\n').map_or("", |(_, code)| code))],
    });
    parts.map(|(code, text)| json!({ "code": code, "text": if code { text.into() } else { words(text) } })).collect()
}

/// Prose, in pieces: every second one is code.
fn words(text: &str) -> Json {
    text.replace('\n', " ")
        .split('`')
        .enumerate()
        .map(|(index, part)| match index % 2 {
            0 => part.replace('*', ""),
            _ => part.to_owned(),
        })
        .collect()
}

//! `/timeline`: what happened when in virtual time, and what is to happen.

use serde_json::json;

use super::Later;
use super::answer::Answer;
use super::story;
use super::visit::{Visit, records};
use crate::exchange::segment;

/// How much of the past one page tells.
const PAST: usize = 200;

/// How much of what is to happen it tells.
const AHEAD: usize = 50;

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let older = visit.query("after");
        let after = older.as_deref().map(|after| format!("&after={}", segment(after))).unwrap_or_default();
        let mut log = visit.plane.get(&format!("/log?format=lines&order=newest&limit={PAST}{after}")).await?;
        let mut entries = records(&mut log);
        entries.reverse();
        let mut entries = story::told(entries);
        let mut ahead = 0;
        // What is older than the newest page does not lead to now.
        if older.is_none() {
            let mut clock = visit.plane.get("/clock").await?;
            let mut agenda = visit.plane.get(&format!("/clock/agenda?limit={AHEAD}")).await?;
            clock["at"] = clock["now"].take();
            clock["kind"] = json!("now");
            entries.push(clock);
            let planned = records(&mut agenda);
            ahead = agenda["total"].as_u64().unwrap_or_default().saturating_sub(planned.len() as u64);
            entries.extend(planned.into_iter().map(story::planned).map(|mut item| {
                item["plan"] = item["kind"].take();
                item["kind"] = json!("planned");
                item
            }));
        }
        let context = json!({
            "days": story::days(entries), "next": log["next"], "evicted": log["evicted"], "total": log["total"],
            "newest": older.is_none(), "ahead": ahead,
        });
        Ok(match visit.is_part() {
            true => Answer::Part("timeline-days.html", context),
            false => Answer::Page("timeline.html", context),
        })
    })
}

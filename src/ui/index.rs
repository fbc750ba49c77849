//! `/`: what runs here, and how to begin.

use serde_json::{Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::reference::packs;
use super::visit::Visit;

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let packs = packs(visit).await?;
        let operations: usize = packs.iter().map(|pack| pack["operations"].as_array().map_or(0, Vec::len)).sum();
        let plane = format!("{}/_standin", visit.plane.base());
        let with = if plane.starts_with("https:") { "curl -s -k" } else { "curl -s" };
        let json = "-H 'Content-Type: application/json'";
        let steps: Vec<Json> = [
            ("A sandbox of your own", format!("{with} '{plane}/sandboxes' {json} -d '{{\"id\": \"my-test\"}}'")),
            ("A week later", format!("{with} '{plane}/clock/advance' {json} -d '{{\"by\": \"7d\"}}'")),
            ("Everything as it was", format!("{with} -X POST '{plane}/reset'")),
        ]
        .into_iter()
        .map(|(title, command)| json!({ "title": title, "command": command }))
        .collect();
        let context = json!({ "packs": packs, "operations": operations, "steps": steps });
        Ok(Answer::Page("index.html", context))
    })
}

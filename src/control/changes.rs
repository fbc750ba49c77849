//! `/state/{pack}/{resource}/{id}/changes`: what became of one record, and because of what.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::secrets::secrets;
use super::{Answer, Call, ok, page, shown, state};
use crate::journal::{Entry, Log, Note};

/// The newest first. A record that is not there any more, or never was, has what the log knows of its id.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let secrets = secrets(call)?;
    let (limit, after) = (page::limit(call)?, page::after(call)?);
    let (pack, _) = state::held(call)?;
    let resource = Arc::clone(&pack.resource(state::resource(call, &pack)?).name);
    let id = call.parameter("id");
    let is_it = |note: &Note| *note.resource == *resource && note.id == id;
    let log = call.sandbox.log(Log::clone);
    let did = |entry: &Entry| entry.changes().is_some_and(|(of, notes)| *of == *pack.name && notes.iter().any(is_it));
    let older = log.entries().rev().filter(|entry| after == 0 || entry.id < after);
    let found: Vec<&Arc<Entry>> = older.filter(|entry| did(entry)).collect();
    let piece = &found[..limit.min(found.len())];
    let next = piece.last().filter(|_| piece.len() < found.len()).map(|last| last.id);
    let records = piece.iter().map(|entry| {
        let whole = shown::with_records(call, entry, secrets);
        let places = entry.changes().map(|(_, notes)| notes.iter().enumerate().filter(|(_, note)| is_it(note)));
        let all = if whole["exchange"].is_null() { &whole["changes"] } else { &whole["exchange"]["changes"] };
        let own: Vec<&Json> = places.into_iter().flatten().filter_map(|(place, _)| all.get(place)).collect();
        json!({
            "entry": entry.id,
            "at": entry.at.to_string(),
            "kind": whole["kind"],
            "operation": whole["exchange"]["operation"],
            "event": whole["event"],
            "method": if whole["method"].is_null() { &whole["exchange"]["request"]["method"] } else { &whole["method"] },
            "path": whole["exchange"]["request"]["path"],
            "changes": own,
        })
    });
    let mut list = page::list(records.collect(), found.len(), next);
    list["evicted"] = json!(log.evicted());
    ok(&list)
}

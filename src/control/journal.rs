//! `/journal` and `/log`

use serde_json::{Value as Json, json};

use super::mask::secrets;
use super::{Answer, Call, done, ok, page, shown};
use crate::exchange::Problem;
use crate::journal::Filter;

fn filter(call: &Call<'_>) -> Result<Filter, Problem> {
    Ok(Filter {
        operation: call.query("operation"),
        method: call.query("method"),
        path: call.query("path"),
        pack: call.query("pack"),
        status: call.query("status"),
        contract: call.query("contract"),
        after: page::after(call)?,
    })
}

/// `?operation=&method=&path=&pack=&status=&contract=&after=&limit=`
pub(super) fn list(call: &Call<'_>) -> Answer {
    let filter = filter(call)?;
    let limit = page::limit(call)?;
    let (entries, total, evicted) = call.sandbox.log(|log| {
        let mut matching = log.entries().filter(|entry| filter.matches(entry));
        let entries: Vec<_> = matching.by_ref().take(limit).cloned().collect();
        (entries.clone(), entries.len() + matching.count(), log.evicted())
    });
    let next = (total > entries.len()).then(|| entries.last().map_or(0, |entry| entry.id));
    let records = entries.iter().map(|entry| shown::summary(call.registry, entry)).collect();
    let mut list = page::list(records, total, next);
    list["evicted"] = json!(evicted);
    ok(&list)
}

pub(super) fn clear(call: &Call<'_>) -> Answer {
    call.sandbox.forget_exchanges();
    done()
}

/// One entry with request, answer and trace.
pub(super) fn show(call: &Call<'_>) -> Answer {
    let text = call.parameter("entry");
    let id: u64 = text
        .parse()
        .map_err(|_| Problem::bad_request("entry-invalid", format!("`{text}` is not the number of an entry.")))?;
    let (entry, next) = call.sandbox.log(|log| (log.get(id).cloned(), log.next()));
    match entry {
        Some(entry) => ok(&shown::entry(call.registry, &entry, secrets(call)?)),
        None if (1..next).contains(&id) => {
            let detail = format!("Entry {id} is gone: it was reset, cleared, or had to make room.");
            Err(Problem::new("entry-evicted", http::StatusCode::GONE, "The entry is not kept any more", detail))
        }
        None => Err(Problem::not_found("entry-unknown", format!("There is no entry {id}."))),
    }
}

/// Everything that happened, in order. `?secrets=show` for a log that can be sent again.
pub(super) fn log(call: &Call<'_>) -> Answer {
    let secrets = secrets(call)?;
    let limit = page::limit(call)?;
    let after = page::after(call)?;
    let (entries, total, evicted, left) = call.sandbox.log(|log| {
        let mut rest = log.entries().filter(|entry| entry.id > after);
        let entries: Vec<_> = rest.by_ref().take(limit).cloned().collect();
        (entries, log.entries().count(), log.evicted(), rest.count())
    });
    let next = if left > 0 { entries.last().map(|entry| entry.id) } else { None };
    let records: Vec<Json> = entries.iter().map(|entry| shown::entry(call.registry, entry, secrets)).collect();
    let mut list = page::list(records, total, next);
    list["evicted"] = json!(evicted);
    list["seed"] = json!(call.sandbox.seed());
    ok(&list)
}

//! `/journal` and `/log`

use serde_json::json;

use super::mask::secrets;
use super::{Answer, Call, done, ok, page, shown};
use crate::diagnostic::did_you_mean;
use crate::exchange::Problem;
use crate::journal::{Filter, StatusFilter, is_called};
use crate::pack::Provenance;

/// Reads the conditions. One that no exchange could ever fulfil is a mistake: it would count nothing, and look like an
/// answer.
fn filter(call: &Call<'_>) -> Result<Filter, Problem> {
    let packs = call.registry.packs();
    let operations = || packs.iter().flat_map(|pack| &pack.operations).map(|operation| &*operation.name);
    let short = |name: &str| name.rsplit('/').next().map(str::to_owned);
    let operation = call.query("operation");
    if let Some(wanted) = operation.as_deref()
        && !operations().any(|name| is_called(name, wanted))
    {
        let shorts: Vec<String> = operations().filter_map(short).collect();
        return Err(never("operation", wanted, operations().chain(shorts.iter().map(String::as_str))));
    }
    let pack = call.query("pack");
    if let Some(wanted) = pack.as_deref().filter(|wanted| !packs.iter().any(|pack| &*pack.name == *wanted)) {
        return Err(never("pack", wanted, packs.iter().map(|pack| &*pack.name)));
    }
    let contract = call.query("contract");
    if let Some(wanted) = contract.as_deref().filter(|wanted| !Provenance::HEADERS.contains(wanted)) {
        return Err(never("contract", wanted, Provenance::HEADERS.into_iter()));
    }
    let status = call.query("status").map(|text| {
        let detail = "`status` is a number from 100 to 599, or a class such as `4xx`.";
        StatusFilter::parse(&text).ok_or_else(|| Problem::bad_request("filter-invalid", detail))
    });
    Ok(Filter {
        operation,
        method: call.query("method"),
        path: call.query("path"),
        pack,
        status: status.transpose()?,
        contract,
        after: page::after(call)?,
    })
}

/// How many characters of a filter are repeated to whoever sent it.
const QUOTED: usize = 80;

fn never<'n>(filter: &str, wanted: &str, known: impl Iterator<Item = &'n str>) -> Problem {
    let meant = did_you_mean(wanted, known);
    let mut shown: String = wanted.chars().take(QUOTED).collect();
    if shown.len() < wanted.len() {
        shown.push('…');
    }
    Problem::bad_request("filter-invalid", format!("There is no {filter} `{shown}`.{meant}"))
}

/// `?operation=&method=&path=&pack=&status=&contract=&after=&limit=`
pub(super) fn list(call: &Call<'_>) -> Answer {
    let filter = filter(call)?;
    let limit = page::limit(call)?;
    let (entries, total, evicted) = call.sandbox.log(|log| {
        let mut matching = log.exchanges().filter(|entry| filter.matches(entry));
        let entries: Vec<_> = matching.by_ref().take(limit).cloned().collect();
        let total = entries.len() + matching.count();
        (entries, total, log.journal_evicted())
    });
    let next = (total > entries.len()).then(|| entries.last().map_or(0, |entry| entry.id));
    let records = entries.iter().map(|entry| shown::summary(call.registry, entry)).collect();
    let mut list = page::list(records, total, next);
    list["evicted"] = json!(evicted);
    ok(&list)
}

pub(super) fn clear(call: &Call<'_>) -> Answer {
    call.sandbox.empty_journal();
    done()
}

/// One entry with request, answer and trace.
pub(super) fn show(call: &Call<'_>) -> Answer {
    let text = call.parameter("entry");
    let id: u64 = text
        .parse()
        .map_err(|_| Problem::bad_request("entry-invalid", format!("`{text}` is not the number of an entry.")))?;
    let (entry, next) = call.sandbox.log(|log| (log.unforgotten(id).cloned(), log.next()));
    match entry {
        Some(entry) => ok(&shown::entry(call.registry, &entry, secrets(call)?)),
        None if (1..next).contains(&id) => {
            let detail = format!("Entry {id} is gone: it was reset, undone, cleared, or had to make room.");
            Err(Problem::new("entry-evicted", http::StatusCode::GONE, "The entry is not kept any more", detail))
        }
        None => Err(Problem::not_found("entry-unknown", format!("There is no entry {id}."))),
    }
}

//! `/journal`

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::page::Order;
use super::secrets::secrets;
use super::{Answer, Call, done, har, ok, page, pattern, shown, written};
use crate::engine;
use crate::exchange::Problem;
use crate::journal::{Entry, Exchanged, Filter, Log};
use crate::sandbox::Ground;

/// The log as it is now: whoever looks through it takes his time, and nobody waits for that.
fn copy(call: &Call<'_>) -> Log {
    call.sandbox.log(Log::clone)
}

/// One piece of a list.
pub(super) struct Piece<'e> {
    pub(super) entries: &'e [&'e Arc<Entry>],
    pub(super) total: usize,
    pub(super) next: Option<u64>,
    pub(super) evicted: u64,
}

impl<'e> Piece<'e> {
    fn new(found: &'e [&'e Arc<Entry>], limit: usize, log: &Log) -> Self {
        let entries = &found[..limit.min(found.len())];
        let next = entries.last().filter(|_| entries.len() < found.len()).map(|last| last.id);
        Piece { entries, total: found.len(), next, evicted: log.journal_evicted() }
    }

    /// Each entry as `show` says.
    fn list(&self, show: impl Fn(&Entry) -> Json) -> Answer {
        let records = self.entries.iter().map(|entry| show(entry)).collect();
        let mut list = page::list(records, self.total, self.next);
        list["evicted"] = json!(self.evicted);
        ok(&list)
    }
}

/// How the journal is written.
enum Format {
    Lines,
    Har,
}

/// The exchanges that fulfil the conditions of the query.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let filter = pattern::of_query(call)?;
    let secrets = secrets(call)?;
    let limit = page::said(call)?;
    let order = page::order(call)?;
    let after = page::after(call)?;
    let format = match call.query("format").as_deref() {
        None | Some("json") => Format::Lines,
        Some("har") => Format::Har,
        Some(other) => {
            let detail = format!("`format` is `json` or `har`, not `{}`.", written::quoted(other));
            return Err(Problem::bad_request("format-invalid", detail));
        }
    };
    let log = copy(call);
    let found = match order {
        Order::Oldest => Filter { after, ..filter }.select(log.exchanges()),
        Order::Newest => {
            let all = call.query("after").is_none();
            let mut older = filter.select(log.exchanges().take_while(|entry| all || entry.id < after));
            older.reverse();
            older
        }
    };
    let piece = |most| Piece::new(&found, limit.unwrap_or(most), &log);
    match format {
        Format::Lines => piece(page::DEFAULT).list(|entry| shown::summary(call.registry, entry, secrets)),
        // A HAR is a file: what is not said to be cut is whole.
        Format::Har => har::archive(call, &piece(usize::MAX), secrets),
    }
}

/// How many exchanges fulfil the conditions of the body.
pub(super) fn count(call: &Call<'_>) -> Answer {
    let filter = pattern::of_body(call)?;
    let log = copy(call);
    ok(&json!({ "count": filter.select(log.exchanges()).len(), "evicted": log.journal_evicted() }))
}

/// The exchanges that no operation answered, with what was probably meant.
pub(super) fn unmatched(call: &Call<'_>) -> Answer {
    let secrets = secrets(call)?;
    let limit = page::limit(call)?;
    let after = page::after(call)?;
    let log = copy(call);
    let behind = log.exchanges().filter(|entry| entry.id > after);
    let found: Vec<&Arc<Entry>> = behind.filter(|entry| entry.kept().is_some_and(|kept| kept.unmatched)).collect();
    Piece::new(&found, limit, &log).list(|entry| {
        let Some(exchanged) = entry.exchange() else { return Json::Null };
        let mask = shown::mask(call.registry, &exchanged, secrets);
        let mut misses = near_misses(call, &exchanged);
        mask.texts_within(&mut misses);
        let mut line = shown::line(entry, &exchanged, &mask);
        line["nearMisses"] = misses;
        line
    })
}

/// Those of the pack that the request led to, or of all packs where it led to none.
pub(super) fn near_misses(call: &Call<'_>, exchanged: &Exchanged) -> Json {
    let ground = call.sandbox.ground();
    let Ground { packs, options, .. } = &*ground;
    match packs.iter().position(|pack| Some(&*pack.name) == exchanged.pack_name()) {
        Some(at) => engine::near_misses(&packs[at..=at], &options[at..=at], &exchanged.request),
        None => engine::near_misses(packs, options, &exchanged.request),
    }
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
        Some(entry) => ok(&shown::whole_entry(call, &entry, secrets(call)?)),
        None if (1..next).contains(&id) => {
            let detail = format!("Entry {id} is gone: it was reset, undone, cleared, or had to make room.");
            Err(Problem::new("entry-evicted", http::StatusCode::GONE, "The entry is not kept any more", detail))
        }
        None => Err(Problem::not_found("entry-unknown", format!("There is no entry {id}."))),
    }
}

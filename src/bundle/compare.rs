//! In what a thing came out otherwise than it was written down, in words: one line a fact.

use serde_json::Value as Json;

use super::format::{
    AttemptLine, ChangeLine, DeliveryLine, EntryLine, RequestLine, ResponseLine, ResultLine, ScheduledLine, SentLine,
    What,
};
use super::write::{changes, entry_line, response_line};
use crate::diagnostic::shortened;
use crate::exchange::{self, Differs, Response, differences};
use crate::journal::{Entry, Happening};

/// In what an entry came out otherwise; nothing where it did not. The error says why it cannot be done at all.
pub(super) type Facts = Result<Vec<String>, String>;

/// What an entry did, for people.
pub(super) fn name(line: &EntryLine) -> (String, Option<String>) {
    match &line.what {
        What::Exchange(exchange) => {
            let RequestLine { method, path, .. } = &exchange.request;
            let pack = exchange.pack.as_deref().map_or_else(String::new, |pack| format!(" of `{pack}`"));
            (format!("{method} {path}{pack}"), exchange.operation.clone())
        }
        What::Clock { now, .. } => (format!("the clock set to {now}"), None),
        What::Setting { method, path, .. } => (format!("{method} of the setting `{path}`"), None),
        What::State { method, pack, resource, id, .. } => {
            (format!("{method} of the record `{id}` of `{pack}/{resource}`"), None)
        }
        What::Event { pack, event, scheduled: None, .. } => (format!("the event `{pack}/{event}`"), None),
        What::Event { pack, event, .. } => (format!("the event `{pack}/{event}`, whose time had come"), None),
        What::Attempt(attempt) => {
            let AttemptLine { pack, webhook, delivery, attempt, .. } = &**attempt;
            (format!("attempt {attempt} of the delivery `{delivery}` of `{pack}/{webhook}`"), None)
        }
        What::Outcome(outcome) => {
            (format!("the outcome of attempt {} of the delivery `{}`", outcome.attempt, outcome.delivery), None)
        }
    }
}

fn fact<T: PartialEq>(facts: &mut Vec<String>, what: &str, was: &T, is: &T, shown: impl Fn(&T) -> String) {
    if was != is {
        facts.push(format!("{what}: it was {}, it is {}", shown(was), shown(is)));
    }
}

/// In what something whose time had come differs from what was written down.
pub(super) fn performed(then: EntryLine, entry: &Entry) -> Facts {
    let now = entry_line(entry).ok_or("it was not entered in the log")?;
    let (was, is) = (name(&then).0, name(&now).0);
    let mut facts = Vec::new();
    fact(&mut facts, "at", &then.at, &now.at, String::clone);
    match (then.what, now.what) {
        (What::Attempt(then), What::Attempt(now)) if was == is => {
            fact(&mut facts, "due", &then.due, &now.due, String::clone);
            fact(&mut facts, "place", &then.place, &now.place, u64::to_string);
            attempt(&mut facts, then.result, now.result)?;
        }
        (
            What::Event { input, changes: then, scheduled: Some(scheduled), .. },
            What::Event { input: now, scheduled: Some(present), .. },
        ) if was == is => {
            if let Some((was, is, pointer)) = json_difference(&input, &now) {
                facts.push(format!("input: `{pointer}` was {was}, is {is}"));
            }
            let refused = |scheduled: ScheduledLine| scheduled.refused;
            let shown = |refused: &Option<String>| refused.clone().unwrap_or_else(|| "none".to_owned());
            fact(&mut facts, "refusal", &refused(scheduled), &refused(present), shown);
            facts.extend(changed(&then, entry));
        }
        _ => facts.push(format!("next: it was {was}, it is {is}")),
    }
    Ok(facts)
}

fn attempt(facts: &mut Vec<String>, then: ResultLine, now: ResultLine) -> Result<(), String> {
    match (then, now) {
        (ResultLine::Sent(then), ResultLine::Sent(now)) => sent(facts, then, now)?,
        (then, now) => {
            let shown = |result: &ResultLine| match result {
                ResultLine::Sent(sent) => format!("sent to {}", sent.url),
                ResultLine::GivenUp(why) => format!("given up: {why}"),
            };
            fact(facts, "attempt", &shown(&then), &shown(&now), String::clone);
        }
    }
    Ok(())
}

fn sent(facts: &mut Vec<String>, then: SentLine, now: SentLine) -> Result<(), String> {
    fact(facts, "url", &then.url, &now.url, String::clone);
    facts.extend(headers(&then.headers, &now.headers));
    if then.body != now.body {
        facts.push(body(&then.body.bytes()?, &now.body.bytes()?));
    }
    fact(facts, "timeout", &then.timeout_millis, &now.timeout_millis, |millis| format!("{millis} ms"));
    Ok(())
}

/// In what an answer differs from the one that was written down.
pub(super) fn answer(then: ResponseLine, response: &Response) -> Facts {
    let now = response_line(response);
    let mut facts = Vec::new();
    fact(&mut facts, "status", &then.status, &now.status, u16::to_string);
    facts.extend(headers(&then.headers, &now.headers));
    if then.body != now.body {
        facts.push(body(&then.body.bytes()?, &response.body));
    }
    Ok(facts)
}

/// The first header that is another, in words.
fn headers(then: &[(String, String)], now: &[(String, String)]) -> Option<String> {
    let shown = |header: Option<&(String, String)>| match header {
        Some((name, value)) => format!("`{name}: {value}`"),
        None => "missing".to_owned(),
    };
    let (was, is) = first_difference(then, now)?;
    Some(format!("header: it was {}, it is {}", shown(was), shown(is)))
}

/// How an answer was sent, in words.
pub(super) fn way(delivery: Option<&DeliveryLine>) -> String {
    delivery.and_then(|delivery| serde_json::to_string(delivery).ok()).unwrap_or_else(|| "at once".to_owned())
}

fn first_difference<'l, T: PartialEq>(then: &'l [T], now: &'l [T]) -> Option<(Option<&'l T>, Option<&'l T>)> {
    let place = (0..then.len().max(now.len())).find(|place| then.get(*place) != now.get(*place))?;
    Some((then.get(place), now.get(place)))
}

/// How many characters of a body are shown.
const SHOWN: usize = 120;

/// Where two bodies differ, by pointer where both are JSON.
fn body(then: &[u8], now: &[u8]) -> String {
    let json = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).ok();
    if let (Some(was), Some(is)) = (json(then), json(now))
        && let Some((was, is, pointer)) = json_difference(&was, &is)
    {
        return format!("body: `{pointer}` was {was}, is {is}");
    }
    let same = then.iter().zip(now).take_while(|(was, is)| was == is).count();
    let rest = |bytes: &[u8]| shortened(&String::from_utf8_lossy(&bytes[same..]), SHOWN);
    format!("body: from byte {same} on it was {:?}, it is {:?}", rest(then), rest(now))
}

/// What was and is at the first place where two values differ, with its pointer.
fn json_difference(was: &Json, is: &Json) -> Option<(String, String, String)> {
    let shown = |value: Json| shortened(&value.to_string(), SHOWN);
    let missing = || "missing".to_owned();
    differences(was, is).into_iter().find_map(|exchange::Difference { pointer, what }| {
        Some(match what {
            Differs::Missing(was) => (shown(was), missing(), pointer),
            Differs::Extra(is) => (missing(), shown(is), pointer),
            Differs::Value(was, is) => (shown(was), shown(is), pointer),
            // Where the keys only come in another order, the bytes say more.
            Differs::Order(..) => return None,
        })
    })
}

/// What an entry did to records, where it is not what was written down.
pub(super) fn changed(then: &[ChangeLine], entry: &Entry) -> Vec<String> {
    let notes = match &entry.what {
        Happening::Exchange(kept) => &kept.changes,
        Happening::State { changes, .. } | Happening::Event { changes, .. } => changes,
        Happening::Clock { .. }
        | Happening::Setting { .. }
        | Happening::Reload(_)
        | Happening::Attempt(_)
        | Happening::Outcome(_) => return Vec::new(),
    };
    let now = changes(notes);
    let shown = |change: Option<&ChangeLine>| match change {
        Some(ChangeLine { verb, resource, id }) => format!("`{verb} {resource} {id}`"),
        None => "none".to_owned(),
    };
    let difference = first_difference(then, &now);
    difference.map(|(was, is)| format!("change: it was {}, it is {}", shown(was), shown(is))).into_iter().collect()
}

//! What happened, as pages tell it: lines of the log, each with what came of it.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::moments;
use crate::clock::Instant;

/// The instant of an entry, or of something that is to happen.
pub(super) fn instant(entry: &Json) -> Option<Instant> {
    entry["at"].as_str().and_then(|at| Instant::parse(at).ok())
}

/// Entries in the order of the log. An attempt has its outcome, where both are there, and a move of the clock its length.
pub(super) fn told(entries: Vec<Json>) -> Vec<Json> {
    let mut attempts: HashMap<(String, u64), usize> = HashMap::new();
    let mut told: Vec<Json> = Vec::with_capacity(entries.len());
    for mut entry in entries {
        let attempt = || Some((entry["delivery"].as_str()?.to_owned(), entry["attempt"].as_u64()?));
        match entry["kind"].as_str() {
            Some("attempt") => {
                attempts.extend(attempt().map(|key| (key, told.len())));
                entry["outcome"] = Json::Null;
            }
            Some("outcome") if let Some(place) = attempt().and_then(|key| attempts.remove(&key)) => {
                told[place]["outcome"] = entry["outcome"].take();
                continue;
            }
            Some("clock") => {
                let read = |name: &str| entry[name].as_str().and_then(|at| Instant::parse(at).ok());
                if let (Some(from), Some(now)) = (read("from"), read("now")) {
                    let way = match now.cmp(&from) {
                        std::cmp::Ordering::Less => "back",
                        std::cmp::Ordering::Equal => "none",
                        std::cmp::Ordering::Greater => "forward",
                    };
                    entry["way"] = json!(way);
                    entry["length"] = json!(moments::length(now.since(from)));
                }
            }
            _ => {}
        }
        told.push(entry);
    }
    told
}

/// Something of the agenda: what an event was asked for with, as text.
pub(super) fn planned(mut item: Json) -> Json {
    if !item["input"].is_null() {
        item["input"] = json!(item["input"].to_string());
    }
    item
}

/// What happened and what is to happen, by days, in the order of the log: time may have been set back.
pub(super) fn days(entries: Vec<Json>) -> Vec<Json> {
    let mut days: Vec<Json> = Vec::new();
    let mut before: Option<Instant> = None;
    let mut date = String::new();
    for mut entry in entries {
        let text = entry["at"].as_str().unwrap_or_default().to_owned();
        let at = instant(&entry);
        let gap = before.zip(at).and_then(|(before, at)| moments::gap(before, at));
        let today = text.get(..10).unwrap_or_default();
        if days.is_empty() || date != today {
            today.clone_into(&mut date);
            let name = at.map_or_else(|| date.clone(), moments::day);
            days.push(json!({ "date": date, "name": name, "gap": gap, "entries": [] }));
            entry["gap"] = Json::Null;
        } else {
            entry["gap"] = json!(gap);
        }
        entry["same"] = json!(before.is_some() && before == at && entry["gap"].is_null());
        before = at.or(before);
        if let Some(entries) = days.last_mut().and_then(|day| day["entries"].as_array_mut()) {
            entries.push(entry);
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_told_with_its_attempt_and_alone_where_that_is_not_there() {
        let outcome = |delivery: &str, attempt: u64| json!({ "kind": "outcome", "delivery": delivery, "attempt": attempt, "outcome": { "result": "taken" } });
        let entries = vec![
            outcome("d0", 1),
            json!({ "kind": "attempt", "delivery": "d1", "attempt": 2 }),
            outcome("d1", 1),
            outcome("d1", 2),
        ];
        let told = told(entries);
        let kinds: Vec<&Json> = told.iter().map(|entry| &entry["kind"]).collect();
        assert_eq!(kinds, ["outcome", "attempt", "outcome"]);
        assert_eq!(told[1]["outcome"]["result"], "taken");
    }

    #[test]
    fn a_day_that_comes_again_after_the_clock_was_set_back_is_told_again() {
        let entry = |at: &str| json!({ "kind": "event", "at": at });
        let told = days(vec![
            entry("2024-10-01T10:00:00Z"),
            entry("2024-10-01T10:00:00Z"),
            entry("2024-10-01T11:00:00Z"),
            entry("2024-10-07T11:00:00Z"),
            entry("2024-10-01T11:00:00Z"),
        ]);
        let dates: Vec<(&Json, &Json)> = told.iter().map(|day| (&day["date"], &day["gap"])).collect();
        let (first, last) = (json!("2024-10-01"), json!("2024-10-07"));
        let (later, earlier) = (json!("6 days later"), json!("6 days earlier"));
        assert_eq!(dates, [(&first, &Json::Null), (&last, &later), (&first, &earlier)]);
        let gaps: Vec<(&Json, &Json)> =
            told[0]["entries"].as_array().unwrap().iter().map(|entry| (&entry["gap"], &entry["same"])).collect();
        let (yes, no, hour) = (json!(true), json!(false), json!("1 hour later"));
        assert_eq!(gaps, [(&Json::Null, &no), (&Json::Null, &yes), (&hour, &no)]);
    }
}

//! Instants and lengths of time, in words.

use crate::clock::{Format, Instant, Span};

const UNITS: [(i64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];

/// The larger two units of a length: nobody who reads `60 days` asks for the seconds.
pub(super) fn length(span: Span) -> String {
    let seconds = span.micros().unsigned_abs() / 1_000_000;
    let mut left = i64::try_from(seconds).unwrap_or(i64::MAX);
    let mut words = Vec::new();
    for (unit, name) in UNITS {
        let count = left / unit;
        left %= unit;
        match count {
            // What is between two units is said with both or with neither.
            0 if words.is_empty() => continue,
            0 => break,
            1 => words.push(format!("1 {name}")),
            _ => words.push(format!("{count} {name}s")),
        }
        if words.len() == 2 {
            break;
        }
    }
    if words.is_empty() { "less than a second".to_owned() } else { words.join(" ") }
}

/// How one instant lies to the one before: `6 days later`. Nothing where that is less than a minute.
pub(super) fn gap(before: Instant, at: Instant) -> Option<String> {
    let span = at.since(before);
    match span.micros() / 60_000_000 {
        0 => None,
        1.. => Some(format!("{} later", length(span))),
        _ => Some(format!("{} earlier", length(span))),
    }
}

/// When something is to happen: `in 6 days`.
pub(super) fn until(now: Instant, at: Instant) -> String {
    if at <= now { "now".to_owned() } else { format!("in {}", length(at.since(now))) }
}

/// A day as one says it: `Tuesday, 1 October 2024`.
pub(super) fn day(at: Instant) -> String {
    Format::for_people("%A, %-d %B %Y", None).map_or_else(|_| at.to_string(), |format| format.write(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn lengths_are_said_with_two_units_at_most() {
        let said = |text: &str| length(Span::parse(text).unwrap());
        let lengths = [
            ("60d", "60 days"),
            ("1d 3h 5m", "1 day 3 hours"),
            ("1d 5m", "1 day"),
            ("90s", "1 minute 30 seconds"),
            ("3600s", "1 hour"),
            ("20ms", "less than a second"),
        ];
        for (text, words) in lengths {
            assert_eq!(said(text), words, "{text}");
        }
    }

    #[test]
    fn gaps_have_a_direction_and_short_ones_are_not_told() {
        let begin = at("2024-10-01T17:15:12Z");
        assert_eq!(gap(begin, at("2024-10-07T17:15:12Z")).as_deref(), Some("6 days later"));
        assert_eq!(gap(begin, at("2024-09-30T17:15:12Z")).as_deref(), Some("1 day earlier"));
        assert_eq!((gap(begin, at("2024-10-01T17:16:11Z")), gap(begin, at("2024-10-01T17:14:13Z"))), (None, None));
    }

    #[test]
    fn what_is_to_happen_is_so_far_away() {
        let now = at("9999-12-30T21:00:00Z");
        assert_eq!(until(now, at("9999-12-30T22:00:00Z")), "in 1 hour");
        assert_eq!(until(now, now), "now");
        assert_eq!(day(at("2024-10-01T17:15:12Z")), "Tuesday, 1 October 2024");
    }
}

//! What tests want to go wrong: which rules apply to an exchange, and what becomes of its answer.
//!
//! An exchange is worked out as if nothing was wrong. A fault that comes before the change then drops what the request
//! does, and one that comes after it loses the answer only.

mod read;

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Call, Meant, Outcome, reject, scope};
use crate::exchange::{Delivery, Manner};
use crate::expr::Draws;
use crate::journal::{Stage, Verdict};
use crate::sandbox::{Change, Failure, Fault, Latency, When};

pub(crate) use read::{Named, read, shown};

/// How many bytes come where random ones do.
pub(super) const GARBAGE: usize = 64;

/// Lets the rules that apply do to an answer what they say.
pub(super) fn inject(call: &mut Call<'_>, meant: &Meant<'_>, mut outcome: Outcome) -> (Outcome, Option<Box<Delivery>>) {
    let faults = &call.moment.controls.faults;
    if faults.is_empty() {
        return (outcome, None);
    }
    let mut applied = Vec::new();
    let mut delay = None;
    let mut failed = None;
    for (number, (rule, times)) in faults.rules().enumerate() {
        let says_more = (rule.latency.is_some() && delay.is_none()) || (rule.failure.is_some() && failed.is_none());
        if !says_more || rule.count.is_some_and(|count| times >= count) || !is_for(call, meant, rule) {
            continue;
        }
        let nth = u32::try_from(number).unwrap_or(u32::MAX);
        if rule.share < 1.0 && unit(&call.moment.draws, "fault.share", nth) >= rule.share {
            continue;
        }
        applied.push(number);
        if let (Some(latency), None) = (rule.latency, delay) {
            let chosen = drawn(latency, &call.moment.draws, nth);
            let words = format!("rule {} of the faults: the answer waits {} ms", number + 1, chosen.as_millis());
            call.trace.add(Stage::Fault, Verdict::Noted, None, words);
            delay = Some(chosen);
        }
        if let (Some(failure), None) = (&rule.failure, &failed) {
            failed = Some((number, failure, rule.when));
        }
    }
    let mut manner = Manner::Whole;
    if let Some((number, failure, when)) = failed {
        (outcome, manner) = fail(call, meant, outcome, number, failure, when);
    }
    if let Some(faults) = faults.counting(&applied) {
        outcome.change.controls(call.moment.controls).faults = faults;
    }
    let delivery = Delivery { delay: delay.unwrap_or_default(), manner };
    (outcome, (delivery != Delivery::default()).then(|| Box::new(delivery)))
}

/// What leads to no operation is told so, whatever is to go wrong, and is not counted.
fn is_for(call: &Call<'_>, meant: &Meant<'_>, rule: &Fault) -> bool {
    let leads = meant.operation.is_some() || !meant.candidates.is_empty();
    let in_pack = rule.pack.as_ref().is_none_or(|pack| *pack == call.pack.name);
    let of_operation = rule.operation.as_ref().is_none_or(|name| meant.may_be(name));
    let known = match &rule.failure {
        Some(Failure::Error(name)) => call.pack.error_named(name).is_some(),
        _ => true,
    };
    leads && in_pack && of_operation && known
}

fn fail(
    call: &mut Call<'_>,
    meant: &Meant<'_>,
    mut outcome: Outcome,
    number: usize,
    failure: &Failure,
    when: When,
) -> (Outcome, Manner) {
    let mut manner = Manner::Whole;
    let loses = !matches!(failure, Failure::Wire(Manner::Dribble { .. }));
    if loses && when == When::Before {
        outcome.change = Change::default();
        // No limit was asked about it either.
        call.admission = None;
        // What is not done is not seen either.
        scope::see(&mut call.scope, call.pack, call.moment, &call.visibility, Some(call.request), &[]);
    }
    let what = match failure {
        Failure::Error(name) => {
            if let Some(error) = call.pack.error_named(name) {
                let change = std::mem::take(&mut outcome.change);
                outcome = Outcome { change, ..reject::uncaused(call, meant.operation, error) };
            }
            format!("the error `{name}`")
        }
        Failure::MalformedBody => {
            outcome.given = None;
            outcome.response.body = malformed(&outcome.response.body);
            "malformed-body".to_owned()
        }
        Failure::RandomData => {
            outcome.given = None;
            manner = Manner::Garbage(Bytes::from(call.moment.draws.bytes("fault.data", 0, GARBAGE)));
            "random-data".to_owned()
        }
        Failure::Wire(wire) => {
            // What does not come whole was not given.
            if loses {
                outcome.given = None;
            }
            manner = wire.clone();
            wire.fault().unwrap_or("dribble").to_owned()
        }
    };
    let loss = match (loses, when) {
        (false, _) => "nothing is lost",
        (true, When::Before) => "what the request does is not done",
        (true, When::After) => "only the answer is lost",
    };
    let words = format!("rule {} of the faults: {what}; {loss}", number + 1);
    call.trace.add(Stage::Fault, Verdict::Noted, None, words);
    (outcome, manner)
}

/// The first half of a body, and something that no JSON ends with.
fn malformed(body: &Bytes) -> Bytes {
    let mut broken = BytesMut::from(&body[..body.len() / 2]);
    broken.put_slice(b"}{");
    broken.freeze()
}

/// The real time that an answer waits, in whole milliseconds.
fn drawn(latency: Latency, draws: &Draws, nth: u32) -> Duration {
    match latency {
        Latency::Fixed(delay) => delay,
        Latency::LogNormal { median, sigma, most } => log_normal(median, sigma, draws, "fault.latency", nth).min(most),
    }
}

/// A log-normal time: half of all are below the median.
pub(super) fn log_normal(median: Duration, sigma: f64, draws: &Draws, name: &str, nth: u32) -> Duration {
    let radius = (-2.0 * (1.0 - unit(draws, name, nth * 2)).ln()).sqrt();
    let deviate = radius * (std::f64::consts::TAU * unit(draws, name, nth * 2 + 1)).cos();
    let millis = (median.as_secs_f64() * 1000.0 * (sigma * deviate).exp()).round();
    Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(Duration::MAX)
}

/// A number from 0 to 1, without 1.
pub(super) fn unit(draws: &Draws, name: &str, nth: u32) -> f64 {
    let bytes = draws.bytes(name, nth, 4);
    let number = bytes.iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    f64::from(number) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_log_normal_times_are_below_the_median() {
        let median = Duration::from_millis(100);
        let times: Vec<Duration> =
            (0..2000).map(|position| log_normal(median, 0.5, &Draws::new(7, position), "t", 3)).collect();
        let below = times.iter().filter(|time| **time < median).count();
        assert!((900..1100).contains(&below), "{below}");
        // One in six is more than one sigma above.
        let far = times.iter().filter(|time| time.as_secs_f64() > 0.1 * 0.5_f64.exp()).count();
        assert!((260..390).contains(&far), "{far}");
        assert_eq!(times[9], log_normal(median, 0.5, &Draws::new(7, 9), "t", 3));
    }

    #[test]
    fn a_malformed_body_is_no_json_whatever_it_was() {
        for body in ["", "1", "12", "\"ab\"", "{\"a\":1}", "[]", "null"] {
            let broken = malformed(&Bytes::from_static(body.as_bytes()));
            assert!(serde_json::from_slice::<serde_json::Value>(&broken).is_err(), "{body}");
        }
    }
}

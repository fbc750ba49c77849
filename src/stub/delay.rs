use std::time::Duration;

use super::read::{Known, Members, Reader};
use crate::exchange::{LONGEST_DELAY, MOST_PIECES};

/// How long an answer waits. What is drawn is drawn by whoever sends the answer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Delay {
    #[default]
    None,
    Uniform {
        lower: Duration,
        upper: Duration,
    },
    LogNormal {
        median: Duration,
        sigma: f64,
        most: Duration,
    },
}

/// The longest that an answer may wait, in milliseconds.
const MOST: u64 = LONGEST_DELAY.as_secs() * 1000;

const DISTRIBUTION: Known =
    Known { members: &["type", "milliseconds", "lower", "upper", "median", "sigma", "maxValue"], refused: &[] };
const DRIBBLE: Known = Known { members: &["numberOfChunks", "totalDuration"], refused: &[] };

/// Milliseconds that are always waited, and those that are drawn.
pub(super) fn read(reader: &mut Reader, members: &Members<'_>) -> (Duration, Delay) {
    let fixed = reader.whole(members, "fixedDelayMilliseconds", 0, MOST).unwrap_or(0);
    let (more, drawn) = match members.said("delayDistribution") {
        None => (0, Delay::None),
        Some(value) => match reader.object(&members.place("delayDistribution"), value, &DISTRIBUTION) {
            None => (0, Delay::None),
            Some(distribution) => drawn(reader, &distribution),
        },
    };
    (Duration::from_millis(fixed + more), drawn)
}

fn drawn(reader: &mut Reader, of: &Members<'_>) -> (u64, Delay) {
    let need = |reader: &mut Reader, name: &str| {
        if of.said(name).is_none() {
            reader.mistake(&of.place(name), format!("there is no `{name}`"), "write it, in milliseconds");
        }
        reader.whole(of, name, 0, MOST).unwrap_or(0)
    };
    match of.said("type").and_then(|kind| kind.as_str()) {
        Some("fixed") => (need(reader, "milliseconds"), Delay::None),
        Some("uniform") => {
            let (lower, upper) = (need(reader, "lower"), need(reader, "upper"));
            if lower > upper {
                let cause = format!("`lower` is {lower} and `upper` is {upper}");
                reader.mistake(&of.place("lower"), cause, "write the smaller one as `lower`");
            }
            (0, Delay::Uniform { lower: Duration::from_millis(lower), upper: Duration::from_millis(upper) })
        }
        Some("lognormal") => {
            let median = Duration::from_millis(need(reader, "median"));
            if of.said("sigma").is_none() {
                reader.mistake(&of.place("sigma"), "there is no `sigma`", "write it, such as 0.4");
            }
            let sigma = reader.number(of, "sigma", 0.0, 10.0).unwrap_or(0.0);
            let most = Duration::from_millis(reader.whole(of, "maxValue", 0, MOST).unwrap_or(MOST));
            (0, Delay::LogNormal { median, sigma, most })
        }
        _ => {
            reader.mistake(&of.place("type"), "no such distribution", "write `fixed`, `uniform` or `lognormal`");
            (0, Delay::None)
        }
    }
}

/// In how many pieces an answer comes, and over how long.
pub(super) fn dribble(reader: &mut Reader, members: &Members<'_>) -> Option<(u32, Duration)> {
    let value = members.said("chunkedDribbleDelay")?;
    let dribble = reader.object(&members.place("chunkedDribbleDelay"), value, &DRIBBLE)?;
    for name in DRIBBLE.members.iter().filter(|name| dribble.said(name).is_none()) {
        reader.mistake(&dribble.place(name), format!("there is no `{name}`"), "write both");
    }
    let pieces = reader.whole(&dribble, "numberOfChunks", 1, u64::from(MOST_PIECES))?;
    let over = reader.whole(&dribble, "totalDuration", 0, MOST)?;
    Some((u32::try_from(pieces).ok()?, Duration::from_millis(over)))
}

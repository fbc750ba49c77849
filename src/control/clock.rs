//! `/clock`

use serde_json::{Value as Json, json};

use super::body::{invalid, members};
use super::{Answer, Call, ok};
use crate::clock::{Instant, Mode, Span};
use crate::exchange::Problem;
use crate::sandbox::Advance;

/// A sandbox's time.
pub(super) fn clock_shown(now: Instant, mode: Mode) -> Json {
    json!({ "now": now.to_string(), "mode": mode.name() })
}

fn answer((now, mode): (Instant, Mode)) -> Answer {
    ok(&clock_shown(now, mode))
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    answer(call.sandbox.clock(call.real))
}

/// `{now?, mode?}`
pub(super) fn set(call: &Call<'_>) -> Answer {
    let members = members(call, &["now", "mode"])?;
    let now = members.text("now")?.map(|text| Instant::parse(text).map_err(|why| invalid("now", why))).transpose()?;
    let bad = |name: &str| invalid("mode", format!("it is `ticking` or `frozen`, not `{name}`"));
    let mode = members.text("mode")?.map(|name| Mode::named(name).ok_or_else(|| bad(name))).transpose()?;
    if now.is_none() && mode.is_none() {
        return Err(Problem::bad_request("nothing-to-set", "Give `now`, `mode` or both."));
    }
    answer(call.sandbox.set_clock(now, mode, call.real))
}

/// `{by: "7d"}` or `{to: "2024-10-08T17:15:12Z"}`
pub(super) fn advance(call: &Call<'_>) -> Answer {
    let members = members(call, &["by", "to"])?;
    let by = match (members.text("by")?, members.text("to")?) {
        (Some(by), None) => Advance::By(Span::parse(by).map_err(|why| invalid("by", why))?),
        (None, Some(to)) => Advance::To(Instant::parse(to).map_err(|why| invalid("to", why))?),
        _ => {
            return Err(Problem::bad_request(
                "advance-what",
                "Give either `by` (a length of time) or `to` (an instant).",
            ));
        }
    };
    match call.sandbox.advance(by, call.real) {
        Ok((now, _)) => ok(&json!({ "now": now.to_string(), "done": [] })),
        Err(now) => {
            let detail =
                format!("It is {now}, and time does not run backwards here. PUT /_standin/clock sets an earlier time.");
            Err(Problem::bad_request("advance-backwards", detail))
        }
    }
}

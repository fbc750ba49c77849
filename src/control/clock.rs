//! `/clock`: the time of a sandbox, and what happens while it is advanced.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::body::{Members, invalid, members};
use super::{Answer, Call, Later, ok, shown};
use crate::clock::{Instant, Mode, Span};
use crate::exchange::Problem;
use crate::mask::Secrets;
use crate::sandbox::Sandbox;
use crate::webhook::{Advanced, NotAdvanced};

/// A sandbox's time.
pub(super) fn clock_shown(now: Instant, mode: Mode) -> Json {
    json!({ "now": now.to_string(), "mode": mode.name() })
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let (now, mode) = call.sandbox.clock(call.real);
    ok(&clock_shown(now, mode))
}

/// `mode` of a body.
pub(super) fn mode(members: &Members) -> Result<Option<Mode>, Problem> {
    let bad = |name: &str| invalid("mode", format!("it is `ticking` or `frozen`, not `{name}`"));
    members.text("mode")?.map(|name| Mode::named(name).ok_or_else(|| bad(name))).transpose()
}

/// `{now?, mode?}`
pub(super) fn set(call: Call<'_>) -> Later<'_> {
    Box::pin(async move {
        let members = members(&call, &["now", "mode"])?;
        let now =
            members.text("now")?.map(|text| Instant::parse(text).map_err(|why| invalid("now", why))).transpose()?;
        let mode = mode(&members)?;
        match (now, mode) {
            (None, None) => Err(Problem::bad_request("nothing-to-set", "Give `now`, `mode` or both.")),
            (None, Some(Mode::Frozen)) if let Some(now) = call.sandbox.freeze(call.real) => {
                ok(&clock_shown(now, Mode::Frozen))
            }
            // Whoever advances the time has had its turn then.
            (None, mode) => match call.courier.advance(call.sandbox, |now, _| Ok::<_, ()>(now), mode).await {
                Ok(advanced) => ok(&clock_shown(advanced.now, advanced.mode)),
                Err(why) => Err(refused(why)),
            },
            (Some(now), mode) => to(&call, call.sandbox, now, mode).await.and_then(|answer| ok(&answer)),
        }
    })
}

/// Sets the time of a sandbox: a later instant is advanced to; an earlier one undoes nothing, and nothing happens.
pub(super) async fn to(
    call: &Call<'_>,
    sandbox: &Arc<Sandbox>,
    instant: Instant,
    mode: Option<Mode>,
) -> Result<Json, Problem> {
    let later = |now: Instant, _: Option<Instant>| if instant < now { Err(()) } else { Ok(instant) };
    let (mut answer, (now, mode)) = match call.courier.advance(sandbox, later, mode).await {
        Ok(advanced) => (done(call, &advanced), (advanced.now, advanced.mode)),
        Err(NotAdvanced::Refused(())) => (json!({ "done": [] }), sandbox.set_clock(Some(instant), mode, call.real)),
        Err(why) => return Err(refused(why)),
    };
    let mut shown = clock_shown(now, mode);
    for name in ["done", "more"] {
        if let Some(value) = answer.get_mut(name) {
            shown[name] = value.take();
        }
    }
    Ok(shown)
}

/// How far time is advanced.
enum By {
    Span(Span),
    Instant(Instant),
    /// To what happens next.
    Next,
}

/// Why time is not advanced.
enum NotBy {
    /// It is later already.
    Over(Instant),
    /// Nothing is to happen.
    Nothing,
}

/// `{by: "7d"}`, `{to: "2024-10-08T17:15:12Z"}` or `{to: "next"}`
pub(super) fn advance(call: Call<'_>) -> Later<'_> {
    Box::pin(async move {
        let members = members(&call, &["by", "to"])?;
        let by = match (members.text("by")?, members.text("to")?) {
            (Some(by), None) => By::Span(Span::parse(by).map_err(|why| invalid("by", why))?),
            (None, Some("next")) => By::Next,
            (None, Some(to)) => By::Instant(Instant::parse(to).map_err(|why| invalid("to", why))?),
            _ => {
                return Err(Problem::bad_request(
                    "advance-what",
                    "Give either `by` (a length of time) or `to` (an instant, or `next`).",
                ));
            }
        };
        let target = |now: Instant, first: Option<Instant>| {
            let target = match by {
                By::Span(span) => now.saturating_add(span),
                By::Instant(instant) => instant,
                By::Next => first.ok_or(NotBy::Nothing)?.max(now),
            };
            if target < now { Err(NotBy::Over(now)) } else { Ok(target) }
        };
        match call.courier.advance(call.sandbox, target, None).await {
            Ok(advanced) => ok(&done(&call, &advanced)),
            Err(NotAdvanced::Refused(NotBy::Over(now))) => {
                let detail = format!(
                    "It is {now}, and time does not run backwards here. PUT /_standin/clock sets an earlier time."
                );
                Err(Problem::bad_request("advance-backwards", detail))
            }
            Err(NotAdvanced::Refused(NotBy::Nothing)) => {
                let detail = "The agenda is empty. GET /_standin/clock/agenda shows what is to happen.";
                Err(Problem::new("agenda-empty", StatusCode::CONFLICT, "Nothing is to happen", detail))
            }
            Err(NotAdvanced::Overtaken) => Err(refused(NotAdvanced::<NotBy>::Overtaken)),
            Err(NotAdvanced::Endless(at)) => Err(refused(NotAdvanced::<NotBy>::Endless(at))),
        }
    })
}

fn refused<E>(why: NotAdvanced<E>) -> Problem {
    let (slug, title, detail) = match why {
        NotAdvanced::Overtaken | NotAdvanced::Refused(_) => (
            "advance-overtaken",
            "The sandbox is at another time",
            "While its time was advanced the sandbox was reset, rewound, restored or deleted, or its clock frozen."
                .to_owned(),
        ),
        NotAdvanced::Endless(at) => (
            "advance-endless",
            "There is no end to what happens",
            format!(
                "Millions of things happened, and it is {at}. GET /_standin/log shows the last; advance again to go on."
            ),
        ),
    };
    Problem::new(slug, StatusCode::CONFLICT, title, detail)
}

/// `{now, done}`, with `more` when not everything that was done is listed: how much is not.
fn done(call: &Call<'_>, advanced: &Advanced) -> Json {
    let done: Vec<Json> = advanced
        .done
        .iter()
        .map(|done| {
            let mut entry = shown::entry(call.registry, &done.entry, Secrets::Masked);
            if let Some(outcome) = &done.outcome {
                entry["outcome"] = shown::entry(call.registry, outcome, Secrets::Masked)["outcome"].clone();
            }
            entry
        })
        .collect();
    let more = advanced.count - done.len() as u64;
    let mut answer = json!({ "now": advanced.now.to_string(), "done": done });
    if more > 0 {
        answer["more"] = json!(more);
    }
    answer
}

//! Deliveries of webhooks, and what became of each attempt, as JSON.

use http::header::CONTENT_TYPE;
use serde_json::{Value as Json, json};

use crate::exchange::{Outcome, Outgoing, in_millis};
use crate::mask::Mask;
use crate::sandbox::outbox::{Attempt, Delivery, Orphan, State};

/// The word for a result that came too late, among those of [`State`].
pub(super) const ORPHANED: &str = "orphaned";

/// How much is told of attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// A line each.
    Lines,
    /// With all that was sent and came back.
    Whole,
}

/// A delivery, whose pack has this name.
pub(super) fn delivery(pack: &str, delivery: &Delivery, mask: &Mask, detail: Detail) -> Json {
    let next = delivery.next.map(|next| next.to_string());
    let (channel, reason) = match &delivery.state {
        State::Unsent(how) => (&**how, None),
        State::Dropped(why) => ("webhook", Some(mask.text(why))),
        State::Waiting | State::Sending | State::Delivered | State::Failed => ("webhook", None),
    };
    let attempts = delivery.attempts.iter().map(|one| attempt(one, mask, detail));
    json!({
        "id": &*delivery.id,
        "pack": pack,
        "webhook": &*delivery.webhook,
        "cause": delivery.cause,
        "at": delivery.made.to_string(),
        "state": delivery.state.word(),
        "channel": channel,
        "to": delivery.to.as_deref().map(|to| mask.url(to)),
        "next": next,
        "reason": reason,
        "attempts": attempts.collect::<Vec<_>>(),
    })
}

/// A result that came too late, as a delivery with one attempt.
pub(super) fn orphan(pack: &str, orphan: &Orphan, mask: &Mask, detail: Detail) -> Json {
    let mut shown =
        delivery(pack, &Delivery { attempts: Vec::new(), ..Delivery::clone(&orphan.delivery) }, mask, detail);
    shown["state"] = ORPHANED.into();
    shown["next"] = Json::Null;
    shown["attempts"] = json!([attempt(&orphan.attempt, mask, detail)]);
    shown
}

/// One attempt.
fn attempt(attempt: &Attempt, mask: &Mask, detail: Detail) -> Json {
    let outcome = attempt.outcome.as_ref().map(|(outcome, took)| (&**outcome, *took));
    let (number, at) = (attempt.number, attempt.at.to_string());
    let latency = outcome.map(|(_, took)| in_millis(took));
    let result = outcome.map(|(outcome, _)| outcome.word());
    let error = outcome.and_then(|(outcome, _)| error(outcome, mask));
    match detail {
        Detail::Lines => {
            let status = outcome.and_then(|(outcome, _)| outcome.status()).map(|status| status.as_u16());
            json!({
                "attempt": number, "at": at, "result": result, "status": status, "error": error,
                "latencyMillis": latency,
            })
        }
        Detail::Whole => json!({
            "attempt": number,
            "at": at,
            "due": attempt.due.to_string(),
            "planned": attempt.planned,
            "result": result,
            "request": request(&attempt.sent, mask),
            "response": outcome.and_then(|(outcome, _)| response(outcome, mask)),
            "error": error,
            "latencyMillis": latency,
        }),
    }
}

/// What went out.
pub(super) fn request(sent: &Outgoing, mask: &Mask) -> Json {
    json!({
        "method": "POST",
        "url": mask.url(&sent.url),
        "headers": mask.headers(&sent.headers),
        "body": mask.body(&sent.body, sent.headers.get(CONTENT_TYPE)),
    })
}

/// What came of an attempt.
pub(super) fn outcome(outcome: &Outcome, took: u64, mask: &Mask) -> Json {
    json!({
        "result": outcome.word(),
        "response": response(outcome, mask),
        "error": error(outcome, mask),
        "latencyMillis": in_millis(took),
    })
}

fn response(outcome: &Outcome, mask: &Mask) -> Option<Json> {
    let Outcome::Answered(answered) = outcome else { return None };
    Some(json!({
        "status": answered.status.as_u16(),
        "headers": mask.headers(&answered.headers),
        "body": mask.body(&answered.body, answered.headers.get(CONTENT_TYPE)),
        "cut": answered.cut,
    }))
}

fn error(outcome: &Outcome, mask: &Mask) -> Option<Json> {
    let Outcome::Failed(why, words) = outcome else { return None };
    Some(json!({ "kind": why.word(), "message": mask.text(words) }))
}

//! What somebody wants to happen later, or once more, as the control plane and a log say it.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::clock::Instant;
use crate::exchange::JsonText;
use crate::journal::Happening;
use crate::pack::Pack;
use crate::sandbox::agenda::{Agenda, Most};
use crate::sandbox::outbox::State;

const AGENDA: &str = "/clock/agenda";
const WEBHOOKS: &str = "/webhooks/";
const REDELIVER: &str = "/redeliver";

/// One change of what is to happen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plan {
    /// These events are to happen.
    Ask(Vec<Ask>),
    /// An event that was asked for is not to happen.
    Cancel(u64),
    /// A delivery is attempted once more, now.
    Redeliver(String),
}

/// An event with its input, and when it is to happen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ask {
    /// The pack's number.
    pub(crate) pack: usize,
    pub(crate) event: Arc<str>,
    pub(crate) input: JsonText,
    pub(crate) at: Instant,
}

/// Why a plan is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotPlanned {
    /// As many things as there may be.
    Full(usize),
    /// As many bytes of what is asked for as there may be.
    Heavy(usize),
    /// Nobody asked for an event with this number, or it is over.
    NoEvent(u64),
    NoDelivery(String),
    /// The delivery is none that is sent.
    Unsent(String),
    /// An attempt is under way.
    UnderWay(String),
}

impl Plan {
    /// The plan that a log has written down. None where it is none; the error says what is wrong with it.
    pub(crate) fn of(
        packs: &[Arc<Pack>],
        method: &str,
        path: &str,
        body: Option<&Json>,
    ) -> Option<Result<Plan, String>> {
        let redelivered = || path.strip_prefix(WEBHOOKS)?.strip_suffix(REDELIVER);
        match (method, body) {
            ("POST", Some(body)) if path == AGENDA => {
                let events = body["events"].as_array().map(Vec::as_slice).unwrap_or_default();
                Some(events.iter().map(|event| Ask::of(packs, event)).collect::<Result<_, _>>().map(Plan::Ask))
            }
            ("DELETE", None) => Some(Ok(Plan::Cancel(path.strip_prefix(AGENDA)?.strip_prefix('/')?.parse().ok()?))),
            ("POST", None) => Some(Ok(Plan::Redeliver(redelivered()?.to_owned()))),
            _ => None,
        }
    }

    /// How a log writes it down.
    fn written(&self, packs: &[Arc<Pack>]) -> Happening {
        let (method, path, body) = match self {
            Plan::Ask(asked) => {
                let events: Vec<Json> = asked.iter().map(|ask| ask.written(packs)).collect();
                ("POST", AGENDA.to_owned(), Some(json!({ "events": events })))
            }
            Plan::Cancel(number) => ("DELETE", format!("{AGENDA}/{number}"), None),
            Plan::Redeliver(id) => ("POST", format!("{WEBHOOKS}{id}{REDELIVER}"), None),
        };
        Happening::Setting { method, path, body: body.as_ref().map(JsonText::of) }
    }
}

impl Ask {
    fn of(packs: &[Arc<Pack>], written: &Json) -> Result<Ask, String> {
        let text = |name: &str| written[name].as_str().ok_or_else(|| format!("an event of the agenda has no `{name}`"));
        let (pack, event) = (text("pack")?, text("event")?);
        let number = packs.iter().position(|known| *known.name == *pack);
        Ok(Ask {
            pack: number.ok_or_else(|| format!("there is no pack `{pack}`"))?,
            event: event.into(),
            input: JsonText::of(&written["input"]),
            at: Instant::parse(text("at")?)?,
        })
    }

    fn written(&self, packs: &[Arc<Pack>]) -> Json {
        let Ask { pack, event, input, at } = self;
        json!({ "pack": &*packs[*pack].name, "event": &**event, "input": input.read(), "at": at.to_string() })
    }
}

/// What is to happen after a plan, and how a log writes that down. The agenda has room for so much.
pub(crate) fn plan(
    packs: &[Arc<Pack>],
    agenda: &Agenda,
    plan: &Plan,
    now: Instant,
    most: Most,
) -> Result<(Agenda, Happening), NotPlanned> {
    let mut agenda = agenda.clone();
    match plan {
        Plan::Ask(asked) => {
            if agenda.bounded().saturating_add(asked.len()) > most.things {
                return Err(NotPlanned::Full(most.things));
            }
            for Ask { pack, event, input, at } in asked {
                agenda.ask((*at).max(now), *pack, Arc::clone(event), input.clone());
            }
            if agenda.bytes() > most.bytes {
                return Err(NotPlanned::Heavy(most.bytes));
            }
        }
        Plan::Cancel(number) => {
            if !agenda.cancel(*number) {
                return Err(NotPlanned::NoEvent(*number));
            }
        }
        Plan::Redeliver(id) => {
            let delivery = agenda.outbox.get(id).cloned().ok_or_else(|| NotPlanned::NoDelivery(id.clone()))?;
            match delivery.state {
                State::Unsent(_) => return Err(NotPlanned::Unsent(id.clone())),
                State::Sending => return Err(NotPlanned::UnderWay(id.clone())),
                _ if agenda.bounded() >= most.things => return Err(NotPlanned::Full(most.things)),
                _ => agenda.redeliver(&delivery, now),
            }
        }
    }
    Ok((agenda, plan.written(packs)))
}

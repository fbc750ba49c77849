//! What is to happen by itself and what went out, as a bundle has them, and back.
//!
//! Packs are named, so that it does not depend on their order here. What the agenda knows twice is written once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::format::{CameLine, Payload, header_lines, headers};
use crate::clock::Instant;
use crate::exchange::{Answered, Failed, JsonText, Outcome, Outgoing, millis};
use crate::pack::{MEDIA_TYPES, Pack, sha256};
use crate::sandbox::agenda::{Agenda, Item, Planned};
use crate::sandbox::outbox::{About, Attempt, Delivery, State};

/// The most that anything is numbered by: far more than can come to be, and far less than can be counted.
pub(super) const LONGEST: u64 = 1 << 60;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AgendaLine {
    /// The number that the next thing will have.
    next: u64,
    /// In order.
    things: Vec<ThingLine>,
    /// The oldest first.
    deliveries: Vec<PostLine>,
    /// How many deliveries had to make room.
    evicted: u64,
}

/// One thing that is to happen.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ThingLine {
    at: String,
    number: u64,
    pack: String,
    what: PlannedLine,
    depth: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum PlannedLine {
    Asked { event: String, input: Json },
    Tied { event: String, id: String },
    Attempt { delivery: String, planned: bool },
}

/// What a webhook tells one receiver. Which entry caused it is left out: nothing follows from it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PostLine {
    number: u64,
    id: String,
    pack: String,
    webhook: String,
    position: u64,
    made: String,
    about: Vec<(String, AboutLine)>,
    to: Option<String>,
    media: String,
    body: Payload,
    state: StateLine,
    attempts: Vec<TriedLine>,
    next: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum AboutLine {
    Record { resource: String, id: String },
    Gone { resource: String, fields: Json },
    Value(Json),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum StateLine {
    Waiting,
    Sending,
    Delivered,
    Unsent(String),
    Failed,
    Dropped(String),
}

/// An attempt. Its body is that of the delivery.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TriedLine {
    number: u32,
    at: String,
    due: String,
    place: u64,
    planned: bool,
    url: String,
    headers: Vec<(String, String)>,
    timeout_millis: u64,
    /// With the real microseconds that it took; none while it was under way.
    outcome: Option<(CameLine, u64)>,
}

impl AgendaLine {
    pub(super) fn of(agenda: &Agenda, packs: &[Arc<Pack>]) -> Self {
        let thing = |((at, number), item): ((Instant, u64), &Item)| ThingLine {
            at: at.to_string(),
            number,
            pack: packs[item.pack].name.to_string(),
            what: match &item.what {
                Planned::Asked { event, input } => PlannedLine::Asked { event: event.to_string(), input: input.read() },
                Planned::Tied { event, id } => PlannedLine::Tied { event: event.to_string(), id: id.to_string() },
                Planned::Attempt { delivery, planned } => {
                    PlannedLine::Attempt { delivery: delivery.to_string(), planned: *planned }
                }
            },
            depth: item.depth,
        };
        AgendaLine {
            next: agenda.next(),
            things: agenda.items().map(thing).collect(),
            deliveries: agenda.outbox.all().map(|delivery| PostLine::of(delivery, packs)).collect(),
            evicted: agenda.outbox.evicted(),
        }
    }

    /// The agenda that was written so. The error says in words what cannot be.
    pub(super) fn read(self, packs: &[Arc<Pack>]) -> Result<Agenda, String> {
        if self.next > LONGEST {
            return Err(format!("nothing has so many things as `next` says: {}", self.next));
        }
        let mut agenda = Agenda::default();
        let mut rising = 0;
        for line in self.deliveries {
            if !(rising..self.next).contains(&line.number) {
                return Err("the numbers of deliveries do not rise to `next`".to_owned());
            }
            rising = line.number + 1;
            let delivery = line.read(packs)?;
            if delivery.attempts.iter().any(|attempt| attempt.place >= self.next) {
                return Err(format!(
                    "an attempt of the delivery `{}` has a `place` that is not below `next`",
                    delivery.id
                ));
            }
            if agenda.outbox.get(&delivery.id).is_some() {
                return Err(format!("two deliveries have the id `{}`", delivery.id));
            }
            agenda.outbox.put(delivery);
        }
        let (mut numbers, mut ties) = (HashSet::new(), HashSet::new());
        for ThingLine { at, number, pack, what, depth } in self.things {
            if number >= self.next || !numbers.insert(number) {
                return Err(format!("{number} is not the number of one thing alone, or not below `next`"));
            }
            let (place, definition) = named(packs, &pack)?;
            let what = match what {
                PlannedLine::Asked { event, input } => {
                    Planned::Asked { event: event.into(), input: JsonText::of(&input) }
                }
                PlannedLine::Attempt { delivery, planned } => Planned::Attempt { delivery: delivery.into(), planned },
                PlannedLine::Tied { event, id } => {
                    let known = definition.event_named(&event);
                    if known.is_none_or(|event| event.schedule.is_none()) {
                        return Err(format!("the pack `{pack}` has no event `{event}` that happens by itself"));
                    }
                    if !ties.insert((place, event.clone(), id.clone())) {
                        return Err(format!("the event `{pack}/{event}` stands there twice for `{id}`"));
                    }
                    Planned::Tied { event: event.into(), id: id.into() }
                }
            };
            agenda.put((Instant::parse(&at)?, number), Item { pack: place, what, depth });
        }
        agenda.set_next(self.next);
        agenda.outbox.set_evicted(self.evicted);
        Ok(agenda)
    }
}

/// The digest of what is to happen and went out. An attempt that is under way counts as one that is still to be made: whether
/// it was taken back, the log does not say.
pub(super) fn digest(agenda: &Agenda, packs: &[Arc<Pack>]) -> String {
    let mut agenda = agenda.clone();
    agenda.requeue();
    sha256(&serde_json::to_vec(&AgendaLine::of(&agenda, packs)).unwrap_or_default())
}

fn named<'p>(packs: &'p [Arc<Pack>], name: &str) -> Result<(usize, &'p Arc<Pack>), String> {
    let found = packs.iter().enumerate().find(|(_, pack)| *pack.name == *name);
    found.ok_or_else(|| format!("the bundle is not about the pack `{name}`"))
}

impl PostLine {
    fn of(delivery: &Delivery, packs: &[Arc<Pack>]) -> Self {
        let about = |about: &About| match about {
            About::Record { resource, id } => AboutLine::Record { resource: resource.to_string(), id: id.to_string() },
            About::Gone { resource, fields } => {
                AboutLine::Gone { resource: resource.to_string(), fields: fields.clone() }
            }
            About::Value(value) => AboutLine::Value(value.clone()),
        };
        PostLine {
            number: delivery.number,
            id: delivery.id.to_string(),
            pack: packs[delivery.pack].name.to_string(),
            webhook: delivery.webhook.to_string(),
            position: delivery.position,
            made: delivery.made.to_string(),
            about: delivery.about.iter().map(|(name, is)| (name.to_string(), about(is))).collect(),
            to: delivery.to.as_deref().map(str::to_owned),
            media: delivery.media.to_owned(),
            body: Payload::of(&delivery.body),
            state: match &delivery.state {
                State::Waiting => StateLine::Waiting,
                State::Sending => StateLine::Sending,
                State::Delivered => StateLine::Delivered,
                State::Unsent(how) => StateLine::Unsent(how.to_string()),
                State::Failed => StateLine::Failed,
                State::Dropped(why) => StateLine::Dropped(why.clone()),
            },
            attempts: delivery.attempts.iter().map(|attempt| TriedLine::of(attempt)).collect(),
            next: delivery.next.map(|next| next.to_string()),
        }
    }

    fn read(self, packs: &[Arc<Pack>]) -> Result<Delivery, String> {
        let (pack, _) = named(packs, &self.pack)?;
        let (id, body) = (self.id, self.body.bytes()?);
        let media = MEDIA_TYPES.into_iter().chain([""]).find(|known| *known == self.media);
        let about = |about| match about {
            AboutLine::Record { resource, id } => About::Record { resource: resource.into(), id: id.into() },
            AboutLine::Gone { resource, fields } => About::Gone { resource: resource.into(), fields },
            AboutLine::Value(value) => About::Value(value),
        };
        let attempts = self.attempts.into_iter().map(|line| line.read(&body).map(Arc::new));
        let attempts: Vec<Arc<Attempt>> = attempts.collect::<Result<_, _>>()?;
        if !attempts.is_sorted_by(|one, next| one.number < next.number) {
            return Err(format!("the numbers of the attempts of the delivery `{id}` do not rise"));
        }
        let state = match self.state {
            StateLine::Waiting => State::Waiting,
            StateLine::Sending if attempts.iter().all(|attempt| attempt.outcome.is_some()) => {
                return Err(format!("no attempt of the delivery `{id}` is under way, and it is `sending`"));
            }
            StateLine::Sending => State::Sending,
            StateLine::Delivered => State::Delivered,
            StateLine::Unsent(how) => State::Unsent(how.into()),
            StateLine::Failed => State::Failed,
            StateLine::Dropped(why) => State::Dropped(why),
        };
        Ok(Delivery {
            number: self.number,
            pack,
            webhook: self.webhook.into(),
            cause: 0,
            position: self.position,
            made: Instant::parse(&self.made)?,
            about: self.about.into_iter().map(|(name, is)| (name.into(), about(is))).collect(),
            to: self.to.map(Into::into),
            media: media.ok_or_else(|| format!("the delivery `{id}` has a body of no type: `{}`", self.media))?,
            state,
            attempts,
            next: self.next.map(|next| Instant::parse(&next)).transpose()?,
            id: id.into(),
            body,
        })
    }
}

impl TriedLine {
    fn of(attempt: &Attempt) -> Self {
        TriedLine {
            number: attempt.number,
            at: attempt.at.to_string(),
            due: attempt.due.to_string(),
            place: attempt.place,
            planned: attempt.planned,
            url: attempt.sent.url.clone(),
            headers: header_lines(&attempt.sent.headers),
            timeout_millis: millis(attempt.sent.timeout),
            outcome: attempt.outcome.as_ref().map(|(outcome, took)| (came(outcome), *took)),
        }
    }

    fn read(self, body: &bytes::Bytes) -> Result<Attempt, String> {
        let outcome = self.outcome.map(|(line, took)| Ok::<_, String>((Arc::new(outcome(line)?), took)));
        Ok(Attempt {
            number: self.number,
            at: Instant::parse(&self.at)?,
            due: Instant::parse(&self.due)?,
            place: self.place,
            planned: self.planned,
            sent: Arc::new(Outgoing {
                url: self.url,
                headers: headers(self.headers)?,
                body: body.clone(),
                timeout: Duration::from_millis(self.timeout_millis),
            }),
            outcome: outcome.transpose()?,
        })
    }
}

/// What came of an attempt.
pub(super) fn came(outcome: &Outcome) -> CameLine {
    match outcome {
        Outcome::Answered(answered) => CameLine::Answered {
            status: answered.status.as_u16(),
            headers: header_lines(&answered.headers),
            body: Payload::of(&answered.body),
            cut: answered.cut,
        },
        Outcome::Failed(how, why) => CameLine::Failed { how: how.word().to_owned(), why: why.clone() },
    }
}

/// What was written so.
pub(super) fn outcome(line: CameLine) -> Result<Outcome, String> {
    match line {
        CameLine::Answered { status, headers: lines, body, cut } => Ok(Outcome::Answered(Answered {
            status: StatusCode::from_u16(status).map_err(|_| format!("{status} is no status of an answer"))?,
            headers: headers(lines)?,
            body: body.bytes()?,
            cut,
        })),
        CameLine::Failed { how, why } => {
            let known = Failed::of(&how);
            Ok(Outcome::Failed(known.ok_or_else(|| format!("`{how}` is no way in which an attempt fails"))?, why))
        }
    }
}

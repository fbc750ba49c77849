use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::agenda::{self, AgendaLine};
use super::format::{
    AttemptLine, Bounds, ChangeLine, DeliveryLine, End, EntryLine, ExchangeLine, FORMAT, Head, NAME, OutcomeLine,
    PackLine, Payload, RequestLine, ResponseLine, ResultLine, Rules, ScheduledLine, SentLine, Start, Sum, What,
    header_line, header_lines,
};
use crate::engine;
use crate::exchange::{Body, Delivery, JsonText, Manner, Outgoing, Request, Response, millis};
use crate::journal::{Attempted, Entry, Happening, Note, Received};
use crate::pack::{Pack, sha256};
use crate::sandbox::{Ground, Sandbox, Story, World};

/// The log of a sandbox with all that is needed to do it again. Secrets stand in it as they were sent.
pub(crate) fn write(sandbox: &Sandbox, rules: engine::Rules) -> Vec<u8> {
    write_story(sandbox, &sandbox.story(), rules)
}

/// The same of a story of the sandbox that somebody has.
pub(crate) fn write_story(sandbox: &Sandbox, story: &Story, rules: engine::Rules) -> Vec<u8> {
    let packs = &story.ground.packs;
    let mut bytes = Vec::new();
    let head = head(sandbox, story, rules);
    line(&mut bytes, &head);
    let lines: Vec<EntryLine> = story.entries.iter().filter_map(|entry| entry_line(entry)).collect();
    lines.iter().for_each(|entry| line(&mut bytes, entry));
    let sum = Sum {
        entries: lines.len() as u64,
        records: records(&story.present, packs),
        agenda: head.agenda.map(|_| agenda::digest(&story.left, packs)),
        sha256: sha256(&bytes),
    };
    line(&mut bytes, &End { end: sum });
    bytes
}

/// Nothing that is written here can fail to be JSON: all keys are texts.
fn line(out: &mut Vec<u8>, value: &impl Serialize) {
    let _ = serde_json::to_writer(&mut *out, value);
    out.push(b'\n');
}

fn head(sandbox: &Sandbox, story: &Story, rules: engine::Rules) -> Head {
    let Ground { packs, options, .. } = &*story.ground;
    let by_itself = happens_by_itself(story);
    let options = packs.iter().zip(&**options).flat_map(|(pack, options)| options.by_path(pack));
    Head {
        bundle: NAME.to_owned(),
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sandbox: sandbox.id().to_string(),
        seed: story.ground.seed,
        options: options.map(|(path, value)| (path, value.clone())).collect(),
        rules: Rules { json_depth: rules.json_depth, strict: rules.strict },
        agenda: by_itself.then(|| Bounds {
            things: sandbox.most_agenda().things,
            deliveries: story.limits.entries,
            bytes: story.limits.bytes,
        }),
        start: Start {
            at: story.at.to_string(),
            mode: story.mode.name().to_owned(),
            shift: story.ground.shift,
            position: story.position,
            controls: engine::dumped(&story.controls),
            worlds: story.worlds.as_ref().map(|worlds| dumps(worlds, packs)),
            agenda: story.agenda.as_ref().filter(|_| by_itself).map(|agenda| AgendaLine::of(agenda, packs)),
        },
        packs: packs.iter().map(|pack| PackLine { name: pack.name.to_string(), files: files(pack) }).collect(),
        evicted: story.evicted,
    }
}

/// Whether anything does, or did: else what is to happen is left out.
fn happens_by_itself(story: &Story) -> bool {
    let can = |pack: &Arc<Pack>| !pack.webhooks.is_empty() || pack.events.iter().any(|event| event.schedule.is_some());
    story.left.next() > 0 || story.ground.packs.iter().any(can)
}

/// The records of each pack, by its name.
fn dumps(worlds: &[World], packs: &[Arc<Pack>]) -> Map<String, Json> {
    worlds.iter().zip(packs).map(|(world, pack)| (pack.name.to_string(), world.dump(pack))).collect()
}

/// The digest of all records.
pub(super) fn records(worlds: &[World], packs: &[Arc<Pack>]) -> String {
    sha256(Json::Object(dumps(worlds, packs)).to_string().as_bytes())
}

/// The files that a pack was read from, with their digests.
pub(super) fn files(pack: &Arc<Pack>) -> Map<String, Json> {
    pack.digests.iter().map(|(path, digest)| (path.clone(), Json::from(digest.as_str()))).collect()
}

/// None for the change of a pack, behind which a bundle begins.
pub(super) fn entry_line(entry: &Entry) -> Option<EntryLine> {
    let what = match &entry.what {
        Happening::Exchange(kept) => {
            let exchanged = kept.exchanged();
            What::Exchange(Box::new(ExchangeLine {
                pack: exchanged.pack_name().map(str::to_owned),
                operation: exchanged.operation.as_deref().map(str::to_owned),
                request: request_line(&exchanged.request),
                response: response_line(&exchanged.response),
                delivery: exchanged.delivery.as_deref().map(delivery_line),
                changes: changes(&exchanged.changes),
            }))
        }
        Happening::Clock { from, now, mode } => {
            What::Clock { from: from.to_string(), now: now.to_string(), mode: (*mode).to_owned() }
        }
        Happening::State { method, pack, resource, id, body, changes: noted } => What::State {
            method: (*method).to_owned(),
            pack: pack.to_string(),
            resource: resource.to_string(),
            id: id.clone(),
            body: body.as_ref().map(JsonText::read),
            changes: changes(noted),
        },
        Happening::Setting { method, path, body } => {
            What::Setting { method: (*method).to_owned(), path: path.clone(), body: body.as_ref().map(JsonText::read) }
        }
        Happening::Reload(_) => return None,
        Happening::Event { pack, name, input, changes: noted, scheduled, .. } => What::Event {
            pack: pack.to_string(),
            event: name.to_string(),
            input: input.read(),
            changes: changes(noted),
            scheduled: scheduled.as_deref().map(|scheduled| ScheduledLine {
                from: scheduled.from.to_string(),
                refused: scheduled.refused.clone(),
            }),
        },
        Happening::Attempt(attempted) => What::Attempt(Box::new(attempt_line(attempted))),
        Happening::Outcome(received) => What::Outcome(Box::new(outcome_line(received))),
    };
    Some(EntryLine { entry: entry.id, at: entry.at.to_string(), what })
}

fn attempt_line(attempted: &Attempted) -> AttemptLine {
    AttemptLine {
        pack: attempted.pack.name.to_string(),
        webhook: attempted.webhook.to_string(),
        delivery: attempted.delivery.to_string(),
        attempt: attempted.number,
        due: attempted.due.to_string(),
        place: attempted.place,
        from: attempted.from.to_string(),
        result: match &attempted.sent {
            Ok(sent) => ResultLine::Sent(sent_line(sent)),
            Err(why) => ResultLine::GivenUp(why.clone()),
        },
    }
}

fn sent_line(sent: &Outgoing) -> SentLine {
    SentLine {
        url: sent.url.clone(),
        headers: header_lines(&sent.headers),
        body: Payload::of(&sent.body),
        timeout_millis: millis(sent.timeout),
    }
}

fn outcome_line(received: &Received) -> OutcomeLine {
    OutcomeLine {
        delivery: received.delivery.to_string(),
        attempt: received.number,
        outcome: agenda::came(&received.outcome),
        took_micros: received.took,
    }
}

fn request_line(request: &Request) -> RequestLine {
    RequestLine {
        method: request.method.to_string(),
        base: request.base.clone(),
        path: request.path.clone(),
        bare: request.bare,
        query: request.query.clone(),
        headers: request.headers.iter().map(|(name, value)| header_line(name, value)).collect(),
        body: match &request.body {
            Body::Whole(bytes) => Payload::of(bytes),
            Body::TooLarge { limit } => Payload::LargerThan(*limit),
        },
    }
}

pub(super) fn response_line(response: &Response) -> ResponseLine {
    ResponseLine {
        status: response.status.as_u16(),
        headers: response.headers.iter().map(|(name, value)| header_line(name, value)).collect(),
        body: Payload::of(&response.body),
    }
}

pub(super) fn delivery_line(delivery: &Delivery) -> DeliveryLine {
    DeliveryLine {
        delay_millis: millis(delivery.delay),
        fault: delivery.manner.fault().map(str::to_owned),
        dribble: match delivery.manner {
            Manner::Dribble { pieces, over } => Some((pieces, millis(over))),
            _ => None,
        },
    }
}

pub(super) fn changes(notes: &[Note]) -> Vec<ChangeLine> {
    let change = |note: &Note| ChangeLine {
        verb: note.verb.to_owned(),
        resource: note.resource.to_string(),
        id: note.id.clone(),
    };
    notes.iter().map(change).collect()
}

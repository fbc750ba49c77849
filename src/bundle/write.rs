use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::format::{
    ChangeLine, DeliveryLine, End, EntryLine, ExchangeLine, FORMAT, Head, NAME, PackLine, Payload, RequestLine,
    ResponseLine, Rules, Start, Sum, What, header_line,
};
use crate::engine;
use crate::exchange::{Body, Delivery, Manner, Request, Response, millis};
use crate::journal::{Entry, Happening, Note};
use crate::pack::{Pack, sha256};
use crate::sandbox::{Ground, Sandbox, Story, World};

/// The log of a sandbox with all that is needed to do it again. Secrets stand in it as they were sent.
pub(crate) fn write(sandbox: &Sandbox, rules: engine::Rules) -> Vec<u8> {
    let story = sandbox.story();
    let mut bytes = Vec::new();
    line(&mut bytes, &head(sandbox, &story, rules));
    let lines: Vec<EntryLine> = story.entries.iter().filter_map(|entry| entry_line(entry)).collect();
    lines.iter().for_each(|entry| line(&mut bytes, entry));
    let records = records(&story.present, &story.ground.packs);
    let end = End { end: Sum { entries: lines.len() as u64, records, sha256: sha256(&bytes) } };
    line(&mut bytes, &end);
    bytes
}

/// Nothing that is written here can fail to be JSON: all keys are texts.
fn line(out: &mut Vec<u8>, value: &impl Serialize) {
    let _ = serde_json::to_writer(&mut *out, value);
    out.push(b'\n');
}

fn head(sandbox: &Sandbox, story: &Story, rules: engine::Rules) -> Head {
    let Ground { packs, options, .. } = &*story.ground;
    let options = packs.iter().zip(&**options).flat_map(|(pack, options)| options.by_path(pack));
    Head {
        bundle: NAME.to_owned(),
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sandbox: sandbox.id().to_string(),
        seed: story.ground.seed,
        options: options.map(|(path, value)| (path, value.clone())).collect(),
        rules: Rules { json_depth: rules.json_depth, strict: rules.strict },
        start: Start {
            at: story.at.to_string(),
            mode: story.mode.name().to_owned(),
            shift: story.ground.shift,
            position: story.position,
            controls: engine::dumped(&story.controls),
            worlds: story.worlds.as_ref().map(|worlds| dumps(worlds, packs)),
        },
        packs: packs.iter().map(|pack| PackLine { name: pack.name.to_string(), files: files(pack) }).collect(),
        evicted: story.evicted,
    }
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
fn entry_line(entry: &Entry) -> Option<EntryLine> {
    let what = match &entry.what {
        Happening::Exchange(exchanged) => What::Exchange(Box::new(ExchangeLine {
            pack: exchanged.pack_name().map(str::to_owned),
            operation: exchanged.operation.as_deref().map(str::to_owned),
            request: request_line(&exchanged.request),
            response: response_line(&exchanged.response),
            delivery: exchanged.delivery.as_deref().map(delivery_line),
            changes: changes(&exchanged.changes),
        })),
        Happening::Clock { from, now, mode } => {
            What::Clock { from: from.to_string(), now: now.to_string(), mode: (*mode).to_owned() }
        }
        Happening::State { method, pack, resource, id, body, changes: noted } => What::State {
            method: (*method).to_owned(),
            pack: pack.to_string(),
            resource: resource.to_string(),
            id: id.clone(),
            body: body.clone(),
            changes: changes(noted),
        },
        Happening::Setting { method, path, body } => {
            What::Setting { method: (*method).to_owned(), path: path.clone(), body: body.clone() }
        }
        Happening::Reload(_) | Happening::Attempt(_) | Happening::Outcome(_) => return None,
        Happening::Event { pack, name, input, changes: noted, .. } => What::Event {
            pack: pack.to_string(),
            event: name.to_string(),
            input: input.clone(),
            changes: changes(noted),
        },
    };
    Some(EntryLine { entry: entry.id, at: entry.at.to_string(), what })
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

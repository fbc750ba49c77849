//! Entries of the log as JSON, with what is secret masked.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use serde_json::{Value as Json, json};

use super::{Call, delivered, differences, journal};
use crate::engine::{self, Repair};
use crate::exchange::{Body, Delivery, JsonText, Manner, Outcome, Outgoing, millis};
use crate::journal::{
    Attempted, Entry, Exchanged, Face, Happening, Misfit, Note, Part, Received, Reloaded, is_unmatched,
};
use crate::mask::{MASK, Mask, Secrets};
use crate::sandbox::Registry;

/// One line of the journal.
pub(super) fn summary(registry: &Registry, entry: &Entry, secrets: Secrets) -> Json {
    let Some(exchanged) = entry.exchange() else { return Json::Null };
    line(entry, &exchanged, &mask(registry, &exchanged, secrets))
}

/// The same, for who has the mask already.
pub(super) fn line(entry: &Entry, exchanged: &Exchanged, mask: &Mask) -> Json {
    json!({
        "entry": entry.id,
        "at": entry.at.to_string(),
        "pack": exchanged.pack_name(),
        "operation": exchanged.operation.as_deref(),
        "contract": exchanged.contract,
        "stub": exchanged.stub.as_deref(),
        "method": exchanged.request.method.as_str(),
        "path": mask.path(&exchanged.request.path),
        "status": exchanged.response.status.as_u16(),
        "changes": exchanged.changes.len(),
        "findings": exchanged.trace.findings(),
        "tookMicros": exchanged.took,
    })
}

/// All that is known of an entry.
pub(super) fn entry(registry: &Registry, entry: &Entry, secrets: Secrets) -> Json {
    let mut shown = json!({ "entry": entry.id, "at": entry.at.to_string() });
    let more = match &entry.what {
        Happening::Exchange(kept) => {
            json!({ "kind": "exchange", "exchange": exchange(registry, &kept.exchanged(), secrets) })
        }
        Happening::Clock { from, now, mode } => {
            json!({ "kind": "clock", "from": from.to_string(), "now": now.to_string(), "mode": mode })
        }
        Happening::State { method, pack, resource, id, body, changes } => {
            let mut body = body.as_ref().map(JsonText::read).unwrap_or_default();
            let mask = given(known(registry, pack), &mut body, secrets);
            json!({
                "kind": "state", "method": method, "pack": &**pack, "resource": &**resource,
                "id": mask.text(id), "body": body, "changes": notes(changes, &mask),
            })
        }
        Happening::Reload(reloaded) => {
            let mut shown = self::reloaded(reloaded);
            shown["kind"] = json!("reload");
            shown
        }
        Happening::Setting { method, path, body } => {
            json!({ "kind": "setting", "method": method, "path": path, "body": body.as_ref().map(JsonText::read) })
        }
        Happening::Attempt(attempt) => {
            let Attempted { pack, webhook, delivery, number, sent, .. } = &**attempt;
            let (request, given_up) = match sent {
                Ok(sent) => (Some(delivered::request(sent, &attempt_mask(pack, sent, None, secrets))), None),
                Err(why) => (None, Some(why)),
            };
            json!({
                "kind": "attempt", "pack": &*pack.name, "webhook": &**webhook, "delivery": &**delivery,
                "attempt": number, "request": request, "givenUp": given_up,
            })
        }
        Happening::Outcome(received) => {
            let Received { pack, webhook, delivery, number, sent, outcome, took } = &**received;
            let mask = attempt_mask(pack, sent, Some(outcome), secrets);
            json!({
                "kind": "outcome", "pack": &*pack.name, "webhook": &**webhook, "delivery": &**delivery,
                "attempt": number, "outcome": delivered::outcome(outcome, *took, &mask),
            })
        }
        Happening::Event { pack, name, input, changes, deliveries, scheduled } => {
            let mut input = input.read();
            let mask = given(known(registry, pack), &mut input, secrets);
            let refused = scheduled.as_ref().and_then(|scheduled| scheduled.refused.as_deref());
            json!({
                "kind": "event", "pack": &**pack, "event": &**name, "input": input, "changes": notes(changes, &mask),
                "deliveries": ids(deliveries), "scheduled": scheduled.is_some(),
                "refused": refused.map(|why| mask.text(why)),
            })
        }
    };
    if let (Some(shown), Json::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
    shown
}

/// The same in short: an exchange as a line of the journal, and of the others nothing that somebody sent.
pub(super) fn brief(registry: &Registry, entry: &Entry, secrets: Secrets) -> Json {
    if let Some(exchanged) = entry.exchange() {
        let mut shown = line(entry, &exchanged, &mask(registry, &exchanged, secrets));
        shown["kind"] = json!("exchange");
        return shown;
    }
    let mut shown = self::entry(registry, entry, secrets);
    let sent = [("", "body"), ("", "input"), ("/request", "headers"), ("/request", "body")];
    for (within, name) in sent.into_iter().chain([("/outcome/response", "headers"), ("/outcome/response", "body")]) {
        if let Some(object) = shown.pointer_mut(within).and_then(Json::as_object_mut) {
            object.shift_remove(name);
        }
    }
    shown
}

/// What became of records when a pack was replaced.
pub(super) fn reloaded(reloaded: &Reloaded) -> Json {
    let Reloaded { pack, because, files, misfits, aside } = reloaded;
    json!({
        "pack": &*pack.name,
        "because": because.word(),
        "digest": pack.digest,
        "files": files,
        "aside": aside,
        "misfits": misfits.iter().map(misfit).collect::<Vec<_>>(),
    })
}

/// Something that a pack has no place for.
pub(super) fn misfit(misfit: &Misfit) -> Json {
    let Misfit { what, reason } = misfit;
    match what {
        Part::Option(path) => json!({ "option": path, "reason": reason }),
        Part::Record { resource, id, secret, field } => {
            let id = if *secret { MASK } else { id };
            json!({ "resource": &**resource, "id": id, "field": field.as_deref(), "reason": reason })
        }
    }
}

/// All that is known of an entry, with what is worked out for who reads this one: what it made of records, and what was
/// probably meant.
pub(super) fn whole_entry(call: &Call<'_>, entry: &Entry, secrets: Secrets) -> Json {
    let mut shown = with_records(call, entry, secrets);
    let Some(exchanged) = entry.exchange() else { return shown };
    let mask = mask(call.registry, &exchanged, secrets);
    if let Some(near) = near_miss(call, &exchanged, &mask) {
        shown["exchange"]["nearMiss"] = near;
    }
    if is_unmatched(&exchanged) {
        let mut misses = journal::near_misses(call, &exchanged);
        mask.texts_within(&mut misses);
        shown["exchange"]["nearMisses"] = misses;
    }
    shown
}

/// All that is known of an entry, its changes with what they made of records.
pub(super) fn with_records(call: &Call<'_>, entry: &Entry, secrets: Secrets) -> Json {
    let mut shown = self::entry(call.registry, entry, secrets);
    let (mask, changes) = match &entry.what {
        Happening::Exchange(kept) => {
            (mask(call.registry, &kept.exchanged(), secrets), &mut shown["exchange"]["changes"])
        }
        Happening::State { pack, body: Some(said), .. } | Happening::Event { pack, input: said, .. } => {
            (given(known(call.registry, pack), &mut said.read(), secrets), &mut shown["changes"])
        }
        Happening::State { .. } => (Mask::default(), &mut shown["changes"]),
        _ => return shown,
    };
    differences::tell(call, entry, changes, &mask, secrets);
    shown
}

fn near_miss(call: &Call<'_>, exchanged: &Exchanged, mask: &Mask) -> Option<Json> {
    let ground = call.sandbox.ground();
    let number = ground.packs.iter().position(|pack| Some(&*pack.name) == exchanged.pack_name())?;
    let Repair { example, mut patch } =
        engine::repair(&ground.packs[number], &ground.options[number], exchanged, call.rules)?;
    if let Some(patch) = &mut patch {
        mask.patch(patch);
    }
    Some(json!({ "example": example, "patch": patch }))
}

/// What is secret in a pack as it is now.
fn known(registry: &Registry, name: &str) -> Option<Arc<Face>> {
    registry.packs().iter().find(|pack| &*pack.name == name).map(|pack| Arc::clone(&pack.face))
}

/// Masks what a call of the control plane said, and gives the mask for the rest of the entry.
fn given(face: Option<Arc<Face>>, value: &mut Json, secrets: Secrets) -> Mask {
    let (Some(face), Secrets::Masked) = (face, secrets) else { return Mask::default() };
    let mask = Mask::of_value(&face, value);
    mask.value(value);
    mask
}

fn notes(notes: &[Note], mask: &Mask) -> Json {
    let shown = |note: &Note| json!({ "verb": note.verb, "resource": &*note.resource, "id": mask.text(&note.id) });
    notes.iter().map(shown).collect()
}

fn ids(ids: &[Arc<str>]) -> Vec<&str> {
    ids.iter().map(|id| &**id).collect()
}

fn attempt_mask(face: &Face, sent: &Outgoing, outcome: Option<&Outcome>, secrets: Secrets) -> Mask {
    match secrets {
        Secrets::Shown => Mask::default(),
        Secrets::Masked => Mask::of_attempt(face, sent, outcome),
    }
}

fn exchange(registry: &Registry, exchanged: &Exchanged, secrets: Secrets) -> Json {
    let Exchanged { request, response, trace, .. } = exchanged;
    let mask = mask(registry, exchanged, secrets);
    let steps: Vec<Json> = trace
        .steps()
        .map(|step| {
            let place = step.place.as_ref().zip(exchanged.pack.as_ref()).map(|(place, face)| face.sources.place(place));
            let detail = mask.text(step.detail);
            json!({ "stage": step.stage.name(), "verdict": step.verdict.name(), "detail": detail, "at": place })
        })
        .collect();
    json!({
        "pack": exchanged.pack_name(),
        "operation": exchanged.operation.as_deref(),
        "contract": exchanged.contract,
        "stub": exchanged.stub.as_deref(),
        "tookMicros": exchanged.took,
        "request": {
            "method": request.method.as_str(),
            "base": request.base,
            "path": mask.path(&request.path),
            "query": request.query.as_deref().map(|query| mask.query(query)),
            "headers": mask.headers(&request.headers),
            "body": match &request.body {
                Body::TooLarge { limit } => json!({ "largerThan": limit }),
                Body::Whole(bytes) => mask.sent_body(bytes, request.headers.get(CONTENT_TYPE)),
            },
        },
        "response": {
            "status": response.status.as_u16(),
            "headers": mask.headers(response.headers.iter()),
            "body": mask.body(&response.body, response.headers.get(&CONTENT_TYPE)),
        },
        "delivery": exchanged.delivery.as_deref().map(delivery),
        "changes": notes(&exchanged.changes, &mask),
        "deliveries": ids(&exchanged.deliveries),
        "trace": steps,
    })
}

/// How an answer was sent, where that was not at once and whole.
fn delivery(delivery: &Delivery) -> Json {
    let mut shown = json!({ "delayMillis": millis(delivery.delay), "fault": delivery.manner.fault() });
    if let Manner::Dribble { pieces, over } = delivery.manner {
        shown["dribble"] = json!({ "pieces": pieces, "overMillis": millis(over) });
    }
    shown
}

/// What must not be read of an exchange.
pub(super) fn mask(registry: &Registry, exchanged: &Exchanged, secrets: Secrets) -> Mask {
    let Exchanged { pack, request, response, changes, .. } = exchanged;
    match (secrets, pack) {
        (Secrets::Shown, _) => Mask::default(),
        (Secrets::Masked, Some(face)) => Mask::of_exchange(&[face], request, response, changes),
        (Secrets::Masked, None) => {
            let packs = registry.packs();
            let faces: Vec<&Face> = packs.iter().map(|pack| &*pack.face).collect();
            Mask::of_exchange(&faces, request, response, changes)
        }
    }
}

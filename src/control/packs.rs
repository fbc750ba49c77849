//! `/packs`

use serde_json::{Value as Json, json};

use super::events::schedule_shown;
use super::{Answer, Call, ok, page};
use crate::clock::Span;
use crate::pack::source::{Side, Spanned};
use crate::pack::{Event, NamedError, Operation, Pack, PackLimit, Provenance, Reply, Signature, Trigger, Webhook};

pub(super) fn list(call: &Call<'_>) -> Answer {
    let packs: Vec<Json> = call
        .sandbox
        .ground()
        .packs
        .iter()
        .map(|pack| {
            json!({
                "name": &*pack.name,
                "title": pack.title,
                "description": pack.description,
                "baseUrl": call.pack_url(call.sandbox.id(), pack),
                "operations": pack.operations.len(),
            })
        })
        .collect();
    let total = packs.len();
    ok(&page::list(packs, total, None))
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let (index, pack) = call.pack()?;
    let credentials: Vec<Json> = pack
        .credentials
        .iter()
        .map(|credential| {
            let scheme = pack.scheme(credential.scheme);
            json!({
                "label": credential.label,
                "scheme": &*scheme.name,
                "in": scheme.place.word(),
                "name": scheme.place.parameter(),
                "value": credential.value,
            })
        })
        .collect();
    let options: Vec<Json> = call.sandbox.ground().options[index]
        .iter(&pack.options)
        .map(|(option, value)| {
            json!({
                "name": &*option.name,
                "description": option.description,
                "values": option.values,
                "default": option.values.get(option.default),
                "value": value,
            })
        })
        .collect();
    let resources: Vec<&str> = pack.resources.iter().map(|resource| &*resource.name).collect();
    let operations: Vec<Json> = pack.operations.iter().map(|known| operation(&pack, known)).collect();
    let errors: Vec<Json> = pack.errors.iter().map(error).collect();
    let limits: Vec<Json> = pack.limits.iter().map(limit).collect();
    let events: Vec<&str> = pack.events.iter().map(|event| &*event.name).collect();
    let schedules: Vec<Json> = pack.events.iter().filter_map(|event| scheduled(&pack, event)).collect();
    let webhooks: Vec<Json> =
        pack.webhooks.iter().enumerate().map(|(index, known)| webhook(&pack, index, known)).collect();
    ok(&json!({
        "name": &*pack.name,
        "title": pack.title,
        "description": pack.description,
        "baseUrl": call.pack_url(call.sandbox.id(), &pack),
        "mounts": pack.mounts.iter().filter(|mount| !mount.is_empty()).collect::<Vec<_>>(),
        "options": options,
        "credentials": credentials,
        "resources": resources,
        "events": events,
        "schedules": schedules,
        "webhooks": webhooks,
        "operations": operations,
        "errors": errors,
        "limits": limits,
    }))
}

fn scheduled(pack: &Pack, event: &Event) -> Option<Json> {
    let mut shown = json!({ "event": &*event.name });
    let schedule = schedule_shown(pack, event.schedule.as_ref()?);
    if let (Some(shown), Json::Object(schedule)) = (shown.as_object_mut(), schedule) {
        shown.extend(schedule);
    }
    Some(shown)
}

fn webhook(pack: &Pack, index: usize, webhook: &Webhook) -> Json {
    let own = pack.payloads.iter().filter(|payload| payload.webhook == index);
    let examples: Vec<Json> =
        own.map(|payload| shown_example(&payload.path, payload.verbatim.as_deref(), None, &payload.side)).collect();
    let on = |trigger: &Trigger| match trigger {
        Trigger::Effect(verb, resource) => json!({ verb.word(): &*pack.resource(*resource).name }),
        Trigger::Event(event) => json!({ "event": &**event }),
    };
    let timeout = Span::from_micros(i64::try_from(webhook.timeout.as_micros()).unwrap_or(i64::MAX));
    json!({
        "name": &*webhook.name,
        "title": webhook.title,
        "description": webhook.description,
        "provenance": webhook.provenance.to_json(),
        "at": pack.sources.place(&webhook.at),
        "on": webhook.on.iter().map(on).collect::<Vec<_>>(),
        "unsent": webhook.unsent.as_deref(),
        "headers": webhook.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        "signature": webhook.signature.as_ref().map(|signature| signed(pack, signature)),
        "after": webhook.after.to_string(),
        "retries": webhook.retries.iter().map(Span::to_string).collect::<Vec<_>>(),
        "timeout": timeout.to_string(),
        "examples": examples,
    })
}

/// How a receiver verifies it. The key is a secret of who gave it.
fn signed(pack: &Pack, signature: &Signature) -> Json {
    json!({
        "header": signature.header.as_str(),
        "algorithm": signature.algorithm.word(),
        "encoding": signature.encoding.word(),
        "input": signature.input.map_or("payload", |input| pack.program.text(input)),
    })
}

fn limit(PackLimit { policy, provenance, .. }: &PackLimit) -> Json {
    json!({
        "name": &*policy.name,
        "quota": policy.quota,
        "windowSeconds": policy.seconds(),
        "headers": policy.headers.name(),
        "provenance": provenance.to_json(),
    })
}

fn error(error: &NamedError) -> Json {
    json!({ "name": &*error.name, "fault": error.fault, "answers": answers(&error.replies) })
}

fn answers(replies: &[Reply]) -> Vec<Json> {
    let answer = |reply: &Reply| json!({ "status": reply.status.as_u16(), "provenance": reply.provenance.to_json() });
    replies.iter().map(answer).collect()
}

fn shown_example(path: &str, verbatim: Option<&str>, status: Option<u16>, side: &Side) -> Json {
    let text = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
    json!({
        "path": path,
        "verbatim": verbatim,
        "status": status,
        "docs": text(&side.docs),
        "assumed": text(&side.assumed),
        "notes": text(&side.notes),
    })
}

fn operation(pack: &Pack, operation: &Operation) -> Json {
    let guards: Vec<Json> = operation
        .guards
        .iter()
        .map(|guard| json!({ "name": &*guard.name, "provenance": guard.provenance.as_ref().map(Provenance::to_json) }))
        .collect();
    let examples: Vec<Json> = pack
        .examples
        .iter()
        .filter(|example| pack.operation(example.operation).name == operation.name)
        .map(|example| shown_example(&example.path, example.verbatim.as_deref(), example.status, &example.side))
        .collect();
    let also: Vec<Json> = operation.also.iter().map(|line| line.to_json(&pack.options)).collect();
    json!({
        "id": &*operation.name,
        "title": &*operation.title,
        "description": operation.description,
        "notes": operation.notes,
        "method": operation.method.as_str(),
        "path": &*operation.template,
        "also": also,
        "option": operation.wanted.to_json(&pack.options),
        "unmounted": operation.unmounted,
        "at": pack.sources.place(&operation.at),
        "provenance": operation.provenance.to_json(),
        "body": operation.body.as_ref().map(|body| &body.schema_name),
        "guards": guards,
        "answers": answers(&operation.replies),
        "examples": examples,
    })
}

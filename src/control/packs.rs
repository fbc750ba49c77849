//! `/packs`

use serde_json::{Value as Json, json};

use super::events::schedule_shown;
use super::{Answer, Call, ok, page};
use crate::clock::Span;
use crate::pack::source::{Key, Side, Spanned};
use crate::pack::{
    Decode, Event, Field, NamedError, Operation, Pack, PackLimit, Provenance, Reply, Resource, Scheme, Shape,
    Signature, Sort, Trigger, Webhook,
};

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
                "baseUrl": base(call, pack),
                "hostUrl": host_url(call, pack),
                "operations": pack.operations.len(),
            })
        })
        .collect();
    let total = packs.len();
    ok(&page::list(packs, total, None))
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let (index, pack) = call.pack()?;
    let base = base(call, &pack);
    let own = &call.sandbox.ground().options[index];
    let first = pack.easiest(own).map(|(operation, called)| {
        json!({ "operation": &*operation.name, "curl": called.curl(curl_for(&base), &base, &pack) })
    });
    let schemes: Vec<Json> = pack.schemes.iter().map(|known| scheme(&pack, known)).collect();
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
    let options: Vec<Json> = own
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
        "baseUrl": base,
        "hostUrl": host_url(call, &pack),
        "try": first,
        "mounts": pack.mounts.iter().filter(|mount| !mount.is_empty()).collect::<Vec<_>>(),
        "options": options,
        "schemes": schemes,
        "credentials": credentials,
        "resources": resources,
        "fields": pack.resources.iter().map(|one| (one.name.to_string(), fields(&pack, one))).collect::<Json>(),
        "events": events,
        "schedules": schedules,
        "webhooks": webhooks,
        "operations": operations,
        "errors": errors,
        "limits": limits,
    }))
}

/// What records of a resource have. A default is written as in a pack, so that a text with `=` is an expression.
fn fields(pack: &Pack, resource: &Resource) -> Json {
    let made = |index: usize, field: &Field| index == resource.id && matches!(field.sort, Sort::Uuid | Sort::Integer);
    let shown = |(index, field): (usize, &Field)| {
        let default = field.default.as_ref().map(|shape| match shape {
            Shape::Value { expr, .. } => Json::from(format!("= {}", pack.program.text(*expr))),
            Shape::Literal(value) => field.to_wire(value, &pack.formats).into_owned(),
            _ => Json::Null,
        });
        json!({
            "name": &*field.name,
            "type": if field.secret { "secret" } else { field.sort.name() },
            "format": (field.sort == Sort::Timestamp).then(|| pack.formats[field.format].pattern()),
            "id": index == resource.id,
            "owner": resource.owner.is_some_and(|owner| owner.field == index),
            "refers": field.refers.map(|target| &*pack.resource(target).name),
            "required": !field.optional && field.default.is_none() && !made(index, field),
            "optional": field.optional,
            "internal": field.internal,
            "default": default,
        })
    };
    resource.fields.iter().enumerate().map(shown).collect()
}

/// Where a pack is reached in the sandbox of the call.
pub(super) fn base(call: &Call<'_>, pack: &Pack) -> String {
    call.pack_url(call.sandbox.id(), pack)
}

/// The same by host, where the caller is on this machine: names that end in `localhost` lead here.
fn host_url(call: &Call<'_>, pack: &Pack) -> Option<String> {
    let (scheme, rest) = call.base().split_once("://")?;
    let uri: http::uri::Authority = rest.split('/').next()?.parse().ok()?;
    let host = uri.host().trim_matches(['[', ']']);
    let loopback = host.strip_prefix("127.").map(|rest| rest.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()));
    let here = ["localhost", "::1"].contains(&host) || host.ends_with(".localhost") || loopback == Some(true);
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    let sandbox = call.sandbox.id();
    let id = if sandbox.is_default() { String::new() } else { format!("{sandbox}.") };
    here.then(|| format!("{scheme}://{id}{}.localhost{port}", pack.name))
}

/// The beginning of a command. Whom the caller trusts is not known here, so a certificate is not asked for.
pub(super) fn curl_for(base: &str) -> &'static str {
    if base.starts_with("https:") { "curl -s -k" } else { "curl -s" }
}

fn scheme(pack: &Pack, scheme: &Scheme) -> Json {
    let resource = pack.resource(scheme.resource);
    json!({
        "name": &*scheme.name,
        "in": scheme.place.word(),
        "parameter": scheme.place.parameter(),
        "decode": scheme.decode.iter().map(|step| match step {
            Decode::Bearer => "bearer",
            Decode::Basic => "basic",
            Decode::Jwt(_) => "jwt",
        }).collect::<Vec<_>>(),
        "finds": format!("{}.{}", resource.name, resource.fields[scheme.field].name),
        "require": scheme.require.map(|require| pack.program.text(require)),
        "error": &*pack.error(scheme.otherwise).name,
        "at": pack.sources.place(&scheme.at),
    })
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

/// Where an answer is known to be another than the documentation shows, each with the reason.
fn reasons(known: &[(Key, Spanned<String>)]) -> Json {
    let reason = |(key, reason): &(Key, Spanned<String>)| json!({ "pointer": key.name, "reason": reason.value });
    known.iter().map(reason).collect()
}

pub(super) fn shown_example(path: &str, verbatim: Option<&str>, status: Option<u16>, side: &Side) -> Json {
    let text = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
    json!({
        "path": path,
        "verbatim": verbatim,
        "status": status,
        "docs": text(&side.docs),
        "assumed": text(&side.assumed),
        "notes": text(&side.notes),
        "differs": reasons(&side.differs),
        "absent": reasons(&side.absent),
    })
}

pub(super) fn operation(pack: &Pack, operation: &Operation) -> Json {
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

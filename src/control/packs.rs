//! `/packs`

use serde_json::{Value as Json, json};

use super::{Answer, Call, ok, page};
use crate::pack::{Operation, Pack};

pub(super) fn list(call: &Call<'_>) -> Answer {
    let packs: Vec<Json> = call
        .registry
        .packs()
        .iter()
        .map(|pack| {
            json!({
                "name": &*pack.name,
                "title": pack.title,
                "description": pack.description,
                "baseUrl": base_url(call, pack),
                "operations": pack.operations.len(),
            })
        })
        .collect();
    let total = packs.len();
    ok(&page::list(packs, total, None))
}

/// Where the pack is reached, in the selected sandbox.
pub(super) fn base_url(call: &Call<'_>, pack: &Pack) -> String {
    format!("{}/{}", call.base(), pack.name)
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let (_, pack) = call.pack()?;
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
    let resources: Vec<&str> = pack.resources.iter().map(|resource| &*resource.name).collect();
    let operations: Vec<Json> = pack.operations.iter().map(|known| operation(pack, known)).collect();
    let events: Vec<&str> = pack.events.iter().map(|event| &*event.name).collect();
    ok(&json!({
        "name": &*pack.name,
        "title": pack.title,
        "description": pack.description,
        "baseUrl": base_url(call, pack),
        "mounts": pack.mounts.iter().filter(|mount| !mount.is_empty()).collect::<Vec<_>>(),
        "credentials": credentials,
        "resources": resources,
        "events": events,
        "operations": operations,
    }))
}

fn operation(pack: &Pack, operation: &Operation) -> Json {
    let answers = operation.replies.iter();
    let answers: Vec<Json> = answers
        .map(|reply| json!({ "status": reply.status.as_u16(), "provenance": reply.provenance.to_json() }))
        .collect();
    json!({
        "id": &*operation.name,
        "title": &*operation.title,
        "description": operation.description,
        "notes": operation.notes,
        "method": operation.method.as_str(),
        "path": &*operation.template,
        "at": pack.sources.place(&operation.at),
        "provenance": operation.provenance.to_json(),
        "body": operation.body.as_ref().map(|body| &body.schema_name),
        "answers": answers,
    })
}

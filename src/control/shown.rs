//! Entries of the log as JSON, with what is secret masked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

use crate::exchange::Body;
use crate::journal::{Entry, Exchanged, Happening, Note};
use crate::pack::{CredentialPlace, Pack};
use crate::sandbox::Registry;

/// Whether credentials and fields of type `secret` can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    Masked,
    Shown,
}

const MASK: &str = "•••";

/// One line of the journal.
pub(super) fn summary(entry: &Entry) -> Json {
    let Some(exchanged) = entry.exchange() else { return Json::Null };
    json!({
        "entry": entry.id,
        "at": entry.at.to_string(),
        "pack": &*exchanged.pack,
        "operation": exchanged.operation.as_deref(),
        "contract": exchanged.contract,
        "method": exchanged.request.method.as_str(),
        "path": exchanged.request.path,
        "status": exchanged.response.status.as_u16(),
        "changes": exchanged.changes.len(),
        "tookMicros": exchanged.took,
    })
}

/// All that is known of an entry.
pub(super) fn entry(registry: &Registry, entry: &Entry, secrets: Secrets) -> Json {
    let mut shown = json!({ "entry": entry.id, "at": entry.at.to_string() });
    let more = match &entry.what {
        Happening::Exchange(exchanged) => {
            let pack = registry.packs().iter().find(|pack| pack.name == exchanged.pack);
            json!({ "kind": "exchange", "exchange": exchange(pack.map(AsRef::as_ref), exchanged, secrets) })
        }
        Happening::Clock { now, mode } => json!({ "kind": "clock", "now": now.to_string(), "mode": mode }),
        Happening::State { method, pack, resource, id, body, changes } => {
            let known = registry.packs().iter().find(|known| known.name == *pack);
            let mut body = body.clone().unwrap_or(Json::Null);
            if let (Some(known), Secrets::Masked) = (known, secrets) {
                mask_json(&mut body, &secret_names(known));
            }
            json!({
                "kind": "state", "method": method, "pack": &**pack, "resource": &**resource, "id": id,
                "body": body, "changes": notes(changes),
            })
        }
        Happening::Event { pack, name, input, changes } => {
            let known = registry.packs().iter().find(|known| known.name == *pack);
            let mut input = input.clone();
            if let (Some(known), Secrets::Masked) = (known, secrets) {
                mask_json(&mut input, &secret_names(known));
            }
            json!({ "kind": "event", "pack": &**pack, "event": &**name, "input": input, "changes": notes(changes) })
        }
    };
    if let (Some(shown), Json::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
    shown
}

fn notes(notes: &[Note]) -> Json {
    notes.iter().map(|note| json!({ "verb": note.verb, "resource": &*note.resource, "id": note.id })).collect()
}

fn exchange(pack: Option<&Pack>, exchanged: &Exchanged, secrets: Secrets) -> Json {
    let mask = match secrets {
        Secrets::Masked => pack.map(Mask::of),
        Secrets::Shown => None,
    };
    let mask = mask.unwrap_or_default();
    let Exchanged { request, response, trace, .. } = exchanged;
    let steps: Vec<Json> = trace
        .steps()
        .iter()
        .map(|step| {
            let place = step.place.as_ref().zip(pack).map(|(place, pack)| pack.sources.place(place));
            json!({ "stage": step.stage.name(), "verdict": step.verdict.name(), "detail": step.detail.text(), "at": place })
        })
        .collect();
    json!({
        "pack": &*exchanged.pack,
        "operation": exchanged.operation.as_deref(),
        "contract": exchanged.contract,
        "tookMicros": exchanged.took,
        "request": {
            "method": request.method.as_str(),
            "base": request.base,
            "path": request.path,
            "query": request.query.as_deref().map(|query| mask.query(query)),
            "headers": mask.headers(&request.headers),
            "body": match &request.body {
                Body::TooLarge { limit } => json!({ "largerThan": limit }),
                Body::Whole(bytes) => mask.body(bytes),
            },
        },
        "response": {
            "status": response.status.as_u16(),
            "headers": mask.headers(response.headers.iter()),
            "body": mask.body(&response.body),
        },
        "changes": notes(&exchanged.changes),
        "trace": steps,
    })
}

fn secret_names(pack: &Pack) -> Vec<String> {
    let fields = pack.resources.iter().flat_map(|resource| &resource.fields);
    fields.filter(|field| field.secret).map(|field| field.name.to_string()).collect()
}

/// What must not be read, of one pack.
#[derive(Default)]
struct Mask {
    headers: Vec<String>,
    query: Vec<String>,
    members: Vec<String>,
}

impl Mask {
    fn of(pack: &Pack) -> Self {
        let mut mask = Mask { members: secret_names(pack), ..Mask::default() };
        for scheme in &pack.schemes {
            match &scheme.place {
                CredentialPlace::Header(name) => mask.headers.push(name.as_str().to_owned()),
                CredentialPlace::Query(name) => mask.query.push(name.clone()),
            }
        }
        mask
    }

    fn headers<'h>(&self, headers: impl IntoIterator<Item = (&'h http::HeaderName, &'h http::HeaderValue)>) -> Json {
        let mut shown = Map::new();
        for (name, value) in headers {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let text = match self.headers.iter().any(|secret| secret == name.as_str()) {
                true => masked_credential(&text),
                false => text,
            };
            // A name that comes once has a text, a repeated one a list of them: joined they could mean something else.
            match shown.get_mut(name.as_str()) {
                Some(Json::Array(all)) => all.push(Json::from(text)),
                Some(first) => *first = json!([first.take(), text]),
                None => {
                    shown.insert(name.as_str().to_owned(), Json::from(text));
                }
            }
        }
        Json::Object(shown)
    }

    fn query(&self, query: &str) -> String {
        if self.query.is_empty() {
            return query.to_owned();
        }
        let masked = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if self.query.iter().any(|secret| secret == name) => format!("{name}={MASK}"),
            _ => pair.to_owned(),
        });
        masked.collect::<Vec<_>>().join("&")
    }

    /// Text as `{text}`, with members that are secret masked where it is JSON; everything else as `{base64}`.
    fn body(&self, body: &Bytes) -> Json {
        if body.is_empty() {
            return Json::Null;
        }
        let Ok(text) = std::str::from_utf8(body) else { return json!({ "base64": STANDARD.encode(body) }) };
        if self.members.is_empty() {
            return json!({ "text": text });
        }
        match serde_json::from_str::<Json>(text) {
            Ok(mut value) => match mask_json(&mut value, &self.members) {
                true => json!({ "text": value.to_string() }),
                false => json!({ "text": text }),
            },
            // What cannot be read cannot be masked in part.
            Err(_) if self.members.iter().any(|secret| text.contains(secret.as_str())) => json!({ "text": MASK }),
            Err(_) => json!({ "text": text }),
        }
    }
}

/// The scheme's word says something and gives nothing away; anything else in its place may be the secret itself.
fn masked_credential(text: &str) -> String {
    match text.split_once(' ') {
        Some((scheme, _)) if ["bearer", "basic", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            format!("{scheme} {MASK}")
        }
        _ => MASK.to_owned(),
    }
}

/// Masks members by name, wherever they stand. Says whether there were any.
fn mask_json(value: &mut Json, secret: &[String]) -> bool {
    match value {
        Json::Object(object) => {
            let mut masked = false;
            for (key, value) in object {
                if secret.contains(key) && !value.is_null() {
                    *value = Json::from(MASK);
                    masked = true;
                } else {
                    masked |= mask_json(value, secret);
                }
            }
            masked
        }
        Json::Array(items) => {
            let mut masked = false;
            for item in items {
                masked |= mask_json(item, secret);
            }
            masked
        }
        _ => false,
    }
}

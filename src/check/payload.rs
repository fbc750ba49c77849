//! Documented payloads: the event or call that each comes of happens again, and what the webhook then sends is compared.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value as Json;

use super::compare::{self, Finding};
use super::prepare::{self, Prepared};
use super::{CaseResult, failures, mutate, vary};
use crate::engine::{self, EventFault};
use crate::exchange::leaves;
use crate::pack::{Cause, Content, Options, Pack, Payload, Webhook};
use crate::sandbox::outbox::{Delivery, Draft, State};
use crate::sandbox::{Change, Controls};
use crate::schema::{Place, Violation};

/// What comes of a payload's cause.
struct Told {
    change: Change,
    /// The webhook's deliveries, and which of them the payload is.
    drafts: Vec<Draft>,
    own: usize,
}

impl Told {
    fn body(&self) -> Bytes {
        self.drafts.get(self.own).map(|draft| draft.body.clone()).unwrap_or_default()
    }
}

/// Replays every payload that has a cause.
pub(super) fn replay(pack: &Arc<Pack>) -> Vec<CaseResult> {
    replayed(pack).map(|(payload, cause)| case(pack, payload, cause)).collect()
}

/// Alters all that each payload comes of, and each of its keys; and asks whether each webhook has one.
pub(super) fn altered(pack: &Arc<Pack>) -> Vec<CaseResult> {
    let mut results: Vec<CaseResult> = replayed(pack)
        .map(|(payload, cause)| {
            let mut findings = constants(pack, payload, cause);
            findings.extend(loose(pack, payload));
            mutate::result(format!("{} (mutated)", name(pack, payload)), findings)
        })
        .collect();
    if !pack.webhooks.is_empty() {
        let shown = |index: usize| replayed(pack).any(|(payload, _)| payload.webhook == index);
        let unseen = pack.webhooks.iter().enumerate().filter(|(index, _)| !shown(*index));
        let finding = |(_, webhook): (usize, &Webhook)| {
            let Webhook { name, at, .. } = webhook;
            let place = mutate::exact(pack, at);
            format!(
                "no payload shows what `{name}` sends ({place}): add `{name}.payload.json` with a side file that says what it comes of"
            )
        };
        results.push(mutate::result(format!("{}/webhooks", pack.name), unseen.map(finding).collect()));
    }
    results
}

fn replayed(pack: &Pack) -> impl Iterator<Item = (&Payload, &Cause)> {
    let whole = pack.payloads.iter().filter(|payload| payload.side.fragment.is_none());
    whole.filter_map(|payload| Some((payload, payload.cause.as_ref()?)))
}

fn name(pack: &Pack, payload: &Payload) -> String {
    format!("{}/{}", pack.name, payload.path)
}

fn case(pack: &Arc<Pack>, payload: &Payload, cause: &Cause) -> CaseResult {
    let (mut findings, mut declared, mut notes) = (Vec::new(), 0, Vec::new());
    match prepared(pack, payload, cause).map_err(|why| vec![why]).and_then(|prepared| {
        let told = tell(pack, payload, cause, &prepared)?;
        Ok((prepared, told))
    }) {
        Err(found) => findings = found,
        Ok((prepared, told)) => {
            let (found, known) = compare::body((payload.json.as_deref(), &payload.text), &payload.side, &told.body());
            declared = known;
            findings.extend(found.iter().map(Finding::to_string));
            findings.extend(unfit(&pack.webhooks[payload.webhook], &told.body()));
            match attempt(pack, &prepared, &told) {
                Err(why) => findings.push(why),
                Ok(sent) => findings.extend(headers(payload, sent.as_ref())),
            }
            if !findings.is_empty() {
                notes.push(format!("sent: {}", String::from_utf8_lossy(&told.body())));
            }
        }
    }
    CaseResult { name: name(pack, payload), findings, declared, notes }
}

/// The cause, ready to happen; the input of an event stands in the place of a body.
fn prepared(pack: &Arc<Pack>, payload: &Payload, cause: &Cause) -> Result<Prepared, String> {
    match cause {
        Cause::Call { operation, request } => {
            let request = request.map(|index| &pack.examples[index]);
            let sides: Vec<_> = std::iter::once(&payload.side).chain(request.map(|example| &example.side)).collect();
            prepare::call(pack, *operation, &sides, request)
        }
        Cause::Event { input, .. } => {
            let sides = [&payload.side];
            let options = Options::replayed(&pack.options, None, &sides);
            let request = prepare::plain(pack, Method::POST, "/", Bytes::from(input.to_string()));
            prepare::happening(pack, &sides, options, request, "/".into())
        }
    }
}

fn tell(pack: &Arc<Pack>, payload: &Payload, cause: &Cause, prepared: &Prepared) -> Result<Told, Vec<String>> {
    let change = happen(pack, cause, prepared)?;
    let webhook = &pack.webhooks[payload.webhook].name;
    let drafts: Vec<Draft> = change.deliveries.iter().filter(|draft| draft.webhook == *webhook).cloned().collect();
    let own = chosen(payload, &drafts).map_err(|why| vec![why])?;
    Ok(Told { change, drafts, own })
}

/// What the cause does. The error says why it does nothing.
fn happen(pack: &Arc<Pack>, cause: &Cause, prepared: &Prepared) -> Result<Change, Vec<String>> {
    match cause {
        Cause::Call { .. } => {
            let exchange = prepared.send(pack);
            let mut findings = failures(&exchange);
            if !exchange.response.status.is_success() {
                findings.push(Finding::unexpected("a success", &exchange.response));
            }
            match findings.is_empty() {
                true => Ok(exchange.change),
                false => Err(findings.iter().map(Finding::to_string).collect()),
            }
        }
        Cause::Event { event, .. } => {
            let input = serde_json::from_slice::<Json>(prepared.request.body.bytes()).unwrap_or_default();
            let fired = engine::fire(pack, &prepared.moment(&Controls::default()), &pack.events[*event], &input);
            fired.map(|done| done.change).map_err(|fault| {
                let words = match fault {
                    EventFault::Missing(why) | EventFault::Refused(why) => why,
                    EventFault::Invalid(violations) => told(&violations),
                };
                vec![format!("the event does not happen: {words}")]
            })
        }
    }
}

fn told(violations: &[Violation]) -> String {
    let words: Vec<String> =
        violations.iter().map(|violation| format!("`{}`: {}", violation.pointer, violation.message)).collect();
    words.join("; ")
}

/// Which of a webhook's deliveries the payload is.
fn chosen(payload: &Payload, drafts: &[Draft]) -> Result<usize, String> {
    let wanted = payload.to.as_ref().map(|to| to.value.as_deref());
    let fits = |draft: &Draft| wanted.is_none_or(|to| draft.to.as_deref() == to);
    let mut found = drafts.iter().enumerate().filter(|(_, draft)| fits(draft)).map(|(index, _)| index);
    let whither: Vec<String> = drafts
        .iter()
        .map(|draft| draft.to.as_deref().map_or_else(|| "null".to_owned(), |url| format!("`{url}`")))
        .collect();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) if drafts.is_empty() => Err("nobody is told anything by this webhook".to_owned()),
        (None, _) => Err(format!("nobody is told under this `to`; there are {}", whither.join(", "))),
        (Some(_), Some(_)) => {
            Err(format!("several are told, so that `to` must say which; there are {}", whither.join(", ")))
        }
    }
}

/// What the first attempt sends besides the body; nothing where it gets there in another way.
fn attempt(pack: &Arc<Pack>, prepared: &Prepared, told: &Told) -> Result<Option<HeaderMap>, String> {
    let Some(draft) = told.drafts.get(told.own).filter(|draft| draft.to.is_some()) else { return Ok(None) };
    let world = prepared.world.after(pack, &told.change.edits);
    let then = Prepared { world, at: draft.first, ..prepared.clone() };
    let delivery = Delivery {
        number: 1,
        id: Arc::clone(&draft.id),
        pack: 0,
        webhook: Arc::clone(&draft.webhook),
        cause: 0,
        position: 0,
        made: prepared.at,
        about: Arc::clone(&draft.about),
        to: draft.to.clone(),
        media: draft.media,
        body: draft.body.clone(),
        state: State::Waiting,
        attempts: Vec::new(),
        next: Some(draft.first),
    };
    let sent = (engine::DEEDS.attempt)(pack, &then.moment(&Controls::default()), &delivery, 1);
    sent.map(|sent| Some(sent.headers)).map_err(|why| format!("the first attempt is not made: {why}"))
}

/// Documented headers that are others.
fn headers(payload: &Payload, sent: Option<&HeaderMap>) -> Vec<String> {
    let finding = |name: &str, expected: &str| {
        let Some(sent) = sent else {
            return Some(format!("the header `{name}` is documented, and this delivery is not sent"));
        };
        match sent.get(name).map(|value| String::from_utf8_lossy(value.as_bytes())) {
            None => Some(format!("the header `{name}` is documented and missing")),
            Some(actual) if actual != expected => {
                Some(format!("the header `{name}` is `{actual}`, documented is `{expected}`"))
            }
            Some(_) => None,
        }
    };
    payload.headers.iter().filter_map(|(key, expected)| finding(&key.name, &expected.value)).collect()
}

/// What the schema refuses of a body. Of a call its trace has told that, of an event nothing has.
fn unfit(webhook: &Webhook, body: &[u8]) -> Option<String> {
    let json = serde_json::from_slice::<Json>(body).ok()?;
    let violations = webhook.schema.as_ref()?.violations(&json, Place::Response);
    (!violations.is_empty()).then(|| Finding::Told(told(&violations)).to_string())
}

/// Leaves of the body that nothing changes, and that nobody declared to be constant.
fn constants(pack: &Arc<Pack>, payload: &Payload, cause: &Cause) -> Vec<String> {
    let webhook = &pack.webhooks[payload.webhook];
    let Ok(base) = prepared(pack, payload, cause) else { return Vec::new() };
    let Ok(told) = tell(pack, payload, cause, &base) else { return Vec::new() };
    if matches!(webhook.body, Content::Fixed { .. }) {
        return Vec::new();
    }
    let variations = match cause {
        Cause::Call { operation, .. } => vary::variations(pack, pack.operation(*operation), &base),
        Cause::Event { event, .. } => vary::events(pack, &pack.events[*event], &base),
    };
    let read = |body: &Bytes| serde_json::from_slice::<Json>(body).unwrap_or_default();
    let answers = variations.iter().filter_map(|varied| {
        let change = happen(pack, cause, varied).ok()?;
        let drafts: Vec<&Draft> = change.deliveries.iter().filter(|draft| draft.webhook == webhook.name).collect();
        // Where it goes may be what was altered.
        let same = drafts.get(told.own).filter(|_| drafts.len() == told.drafts.len());
        let to = || drafts.iter().find(|draft| draft.to == told.drafts[told.own].to);
        Some(read(&same.or_else(to)?.body))
    });
    let still = leaves(&read(&told.body()));
    mutate::followed(pack, &payload.side, still, answers, true, "the whole body")
}

/// Keys that the schema does not insist on.
fn loose(pack: &Pack, payload: &Payload) -> Vec<String> {
    let webhook = &pack.webhooks[payload.webhook];
    let Some(json) = &payload.json else { return Vec::new() };
    let Some(schema) = &webhook.schema else {
        return vec![format!("the body of `{}` has no `schema`", webhook.name)];
    };
    let others = pack.payloads.iter().filter(|other| other.webhook == payload.webhook);
    let others: Vec<&Json> = others.filter_map(|other| other.json.as_deref()).collect();
    mutate::gaps(json, schema, &webhook.body, |pointer| mutate::shown_without(others.iter().copied(), schema, pointer))
}

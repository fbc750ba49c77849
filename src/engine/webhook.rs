//! What is told to others: which webhooks an effect or event makes go out, and what each attempt sends.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value as Json, json};

use super::fill::{self, Slot, fill};
use super::{Call, Rejection, reject, scope, sign};
use crate::exchange::{DELIVERY, Outgoing, spelled};
use crate::expr::{Scope, Value};
use crate::journal::{Stage, Trace, Verdict};
use crate::pack::{Check, Content, Pack, ResourceId, Signature, Trigger, Verb, Webhook};
use crate::sandbox::outbox::{About, Delivery, Draft};
use crate::sandbox::{Change, Moment, Record, RecordView, Visibility, WorldEdit};
use crate::schema::Place;

/// What a request's effects make go out.
pub(super) fn after_request(call: &mut Call<'_>, change: &mut Change) -> Result<(), Rejection> {
    if change.edits.is_empty() || call.pack.webhooks.is_empty() {
        return Ok(());
    }
    change.deliveries = drafts(call.pack, call.moment, change, None, &mut call.trace)?;
    // What a webhook's own call makes go out could make the same call again, and so on.
    if call.request.headers.contains_key(&DELIVERY) {
        let why =
            "the request that caused it was itself a delivery of a webhook (Standin-Delivery): nothing goes round";
        change.deliveries.iter_mut().for_each(|draft| draft.dropped = Some(why));
    }
    Ok(())
}

/// What an event and its effects make go out.
pub(super) fn after_event(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    change: &mut Change,
    (event, input): (&str, &Json),
    trace: &mut Trace,
) -> Result<(), Rejection> {
    if !pack.webhooks.is_empty() {
        change.deliveries = drafts(pack, moment, change, Some((event, input)), trace)?;
    }
    Ok(())
}

/// What became of one record, all in all.
struct Became<'a> {
    verb: Verb,
    resource: ResourceId,
    sequence: u64,
    record: &'a Arc<Record>,
}

/// One thing for each record that a webhook may tell of, whatever was done to it in turn.
fn became<'a>(pack: &Pack, moment: &'a Moment<'_>, change: &'a Change) -> Vec<Became<'a>> {
    let is_told = |resource: ResourceId| {
        let mut triggers = pack.webhooks.iter().flat_map(|webhook| &webhook.on);
        triggers.any(|trigger| matches!(trigger, Trigger::Effect(_, told) if *told == resource))
    };
    let mut all: Vec<Became<'a>> = Vec::new();
    for edit in &change.edits {
        let (resource, sequence) = match edit {
            WorldEdit::Put(resource, record) => (*resource, record.sequence),
            WorldEdit::Delete(resource, sequence) => (*resource, *sequence),
        };
        if !is_told(resource) {
            continue;
        }
        let known = all.iter().position(|one| one.resource == resource && one.sequence == sequence);
        let before = moment.world.at(resource, sequence);
        match (edit, known) {
            (WorldEdit::Put(_, record), Some(known)) => all[known].record = record,
            (WorldEdit::Put(_, record), None) => {
                let verb = if before.is_some() { Verb::Update } else { Verb::Create };
                all.push(Became { verb, resource, sequence, record });
            }
            (WorldEdit::Delete(..), Some(known)) if all[known].verb == Verb::Create => {
                all.remove(known);
            }
            (WorldEdit::Delete(..), Some(known)) => all[known].verb = Verb::Delete,
            (WorldEdit::Delete(..), None) => {
                if let Some(record) = before {
                    all.push(Became { verb: Verb::Delete, resource, sequence, record });
                }
            }
        }
    }
    all
}

fn drafts(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    change: &Change,
    event: Option<(&str, &Json)>,
    trace: &mut Trace,
) -> Result<Vec<Draft>, Rejection> {
    let became = became(pack, moment, change);
    if became.is_empty() && event.is_none() {
        return Ok(Vec::new());
    }
    let mut scope = Scope::new(moment.draws.clone());
    scope::see(&mut scope, pack, moment, &Visibility::default(), None, &change.edits);
    let mut drafts = Vec::new();
    for webhook in &pack.webhooks {
        let before = drafts.len();
        let (mut asked, mut number) = (false, 0);
        for trigger in &webhook.on {
            match trigger {
                Trigger::Effect(verb, resource) => {
                    for one in became.iter().filter(|one| one.verb == *verb && one.resource == *resource) {
                        asked = true;
                        let name = Arc::clone(&pack.resource(*resource).name);
                        let mut scope = scope.clone();
                        scope.bind(Arc::clone(&name), RecordView::value(pack, *resource, Arc::clone(one.record)));
                        let about = (name, about_record(pack, one));
                        each(pack, moment, webhook, &scope, about, &mut number, &mut drafts, trace)?;
                    }
                }
                Trigger::Event(name) => {
                    if let Some((_, input)) = event.filter(|(fired, _)| **fired == **name) {
                        asked = true;
                        let mut scope = scope.clone();
                        scope.bind("input", Value::source(Arc::new(Arc::new(input.clone()))));
                        let about = (Arc::from("input"), About::Value(input.clone()));
                        each(pack, moment, webhook, &scope, about, &mut number, &mut drafts, trace)?;
                    }
                }
            }
        }
        if asked {
            let words = match drafts.len() - before {
                0 => format!("`{}`: there is nobody to tell", webhook.name),
                1 => format!("`{}` goes out", webhook.name),
                many => format!("`{}` goes out to {many}", webhook.name),
            };
            trace.passed(Stage::Webhooks, Some(&webhook.at), words);
        }
    }
    Ok(drafts)
}

fn about_record(pack: &Arc<Pack>, one: &Became<'_>) -> About {
    let definition = pack.resource(one.resource);
    let resource = Arc::clone(&definition.name);
    match one.verb {
        Verb::Delete => {
            let fields = definition.fields.iter().zip(one.record.values.to_vec());
            let fields = fields.filter_map(|(field, value)| Some((field.name.to_string(), value?)));
            About::Gone { resource, fields: Json::Object(fields.collect()) }
        }
        _ => About::Record { resource, id: one.record.text(definition.id).unwrap_or_default().into() },
    }
}

/// One delivery for each item, or one.
#[allow(clippy::too_many_arguments, reason = "one call each for effects and events")]
fn each(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    webhook: &Webhook,
    scope: &Scope,
    about: (Arc<str>, About),
    number: &mut u32,
    drafts: &mut Vec<Draft>,
    trace: &mut Trace,
) -> Result<(), Rejection> {
    let Some((over, name)) = &webhook.each else {
        return draft(pack, moment, webhook, scope.clone(), vec![about], number, drafts, trace);
    };
    let items = pack.program.eval(*over, scope, "")?.items();
    let items = items.ok_or_else(|| Rejection::Fault(format!("`{}` is not a list", pack.program.text(*over))))?;
    for item in items {
        let is = match item.downcast::<RecordView>() {
            Some(view) => {
                let definition = pack.resource(view.resource);
                let id = view.record.text(definition.id).unwrap_or_default().into();
                About::Record { resource: Arc::clone(&definition.name), id }
            }
            None => About::Value(item.to_json().unwrap_or(Json::Null)),
        };
        let mut inner = scope.clone();
        inner.bind(Arc::clone(name), item);
        let about = vec![about.clone(), (Arc::clone(name), is)];
        draft(pack, moment, webhook, inner, about, number, drafts, trace)?;
    }
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "what `each` has, for one item")]
fn draft(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    webhook: &Webhook,
    mut scope: Scope,
    about: Vec<(Arc<str>, About)>,
    number: &mut u32,
    drafts: &mut Vec<Draft>,
    trace: &mut Trace,
) -> Result<(), Rejection> {
    *number += 1;
    let name = format!("webhook.{}#{number}", webhook.name);
    let id: Arc<str> = moment.draws.uuid(&name, 0).into();
    let slot = Slot::new(&name);
    scope.bind("delivery", Value::json(&json!({ "id": &*id })));
    surround(pack, webhook, &mut scope, slot)?;
    if webhook.when.map_or(Ok(true), |when| pack.program.holds(when, &scope))? {
        let to = url(pack, webhook, &scope, slot)?;
        if to.is_some() || webhook.unsent.is_some() {
            let (media, body) = body(pack, webhook, &scope, trace)?;
            let unsent = if to.is_some() { None } else { webhook.unsent.clone() };
            let first = moment.now.saturating_add(webhook.after);
            let webhook = Arc::clone(&webhook.name);
            drafts.push(Draft { webhook, id, about: about.into(), to, media, body, unsent, dropped: None, first });
        }
    }
    Ok(())
}

/// Binds the further names of a webhook.
fn surround(pack: &Arc<Pack>, webhook: &Webhook, scope: &mut Scope, slot: Slot<'_>) -> Result<(), Rejection> {
    for (name, expr) in &webhook.with {
        let value = fill::evaluated(pack, *expr, scope, slot.step(name))?;
        scope.bind(Arc::clone(name), value);
    }
    Ok(())
}

/// Where it goes; nowhere when that is undefined, null or blank.
fn url(pack: &Arc<Pack>, webhook: &Webhook, scope: &Scope, slot: Slot<'_>) -> Result<Option<Arc<str>>, Rejection> {
    let to = fill::evaluated(pack, webhook.to, scope, slot.step("to"))?;
    let to = (!to.is_undefined() && !to.is_null()).then(|| to.text());
    Ok(to.filter(|to| !to.trim().is_empty()).map(Arc::from))
}

fn body(
    pack: &Arc<Pack>,
    webhook: &Webhook,
    scope: &Scope,
    trace: &mut Trace,
) -> Result<(&'static str, Bytes), Rejection> {
    let (media, bytes, suspect) = match &webhook.body {
        Content::Fixed { bytes, media_type, json } => {
            (*media_type, bytes.clone(), json.is_some() && !matches!(webhook.check, Check::Proven))
        }
        Content::Shaped(shape) => {
            let written = fill::body(pack, shape, &webhook.check, scope)?;
            ("application/json", written.body.into(), written.suspect)
        }
        Content::Empty | Content::Page { .. } => ("", Bytes::new(), false),
    };
    if let Some(schema) = webhook.schema.as_ref().filter(|_| suspect) {
        let violations = schema.violations_within(&bytes, Place::Response);
        if !violations.is_empty() {
            trace.add(Stage::Webhooks, Verdict::Failed, Some(&webhook.at), reject::words(&violations));
        }
    }
    Ok((media, bytes))
}

/// What an attempt sends, in the world as it is then: everything but the body, which stays what it was. The error says why
/// nothing is sent any more.
pub(crate) fn attempt(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    delivery: &Delivery,
    number: u32,
) -> Result<Outgoing, String> {
    let webhook = pack.webhook_named(&delivery.webhook);
    let webhook = webhook.ok_or_else(|| format!("the pack has no webhook `{}` any more", delivery.webhook))?;
    let mut scope = scope::world(pack, moment, &Visibility::default());
    for (name, about) in &*delivery.about {
        scope.bind(Arc::clone(name), bound(pack, moment, about)?);
    }
    let name = format!("delivery.{}.{number}", delivery.id);
    let slot = Slot::new(&name);
    scope.bind("delivery", Value::json(&json!({ "id": &*delivery.id, "attempt": number })));
    let told = |rejection: Rejection| match rejection {
        Rejection::Fault(words) | Rejection::Refused(_, words) => words,
        _ => "the pack refuses it".to_owned(),
    };
    surround(pack, webhook, &mut scope, slot).map_err(told)?;
    if let Some(when) = webhook.when
        && !pack.program.holds(when, &scope).map_err(|fault| fault.to_string())?
    {
        return Err(format!("`{}` does not hold any more", pack.program.text(when)));
    }
    let to = url(pack, webhook, &scope, slot).map_err(told)?;
    let to = to.ok_or_else(|| "there is no URL any more".to_owned())?;
    let mut headers = HeaderMap::new();
    if !delivery.media.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(delivery.media));
    }
    for (name, shape) in &webhook.headers {
        let value = fill(pack, shape, &scope, slot.step("header").step(name.as_str())).map_err(told)?;
        if let Some(value) = value {
            headers.insert(name.clone(), line(name.as_str(), &spelled(&value))?);
        }
    }
    if let Some(signature) = &webhook.signature {
        let value =
            sign::signed(pack, signature, &mut scope, &delivery.body, slot).map_err(|why| told_of(signature, &why))?;
        headers.insert(signature.header.clone(), line(signature.header.as_str(), &value)?);
    }
    Ok(Outgoing { url: to.to_string(), headers, body: delivery.body.clone(), timeout: webhook.timeout })
}

fn told_of(signature: &Signature, why: &str) -> String {
    format!("the header `{}` cannot be signed: {why}", signature.header)
}

fn line(name: &str, value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value)
        .map_err(|_| format!("the header `{name}` has more than one line, or other control characters"))
}

/// What a name stands for now.
fn bound(pack: &Arc<Pack>, moment: &Moment<'_>, about: &About) -> Result<Value, String> {
    let resource_of =
        |name: &str| pack.resource_named(name).ok_or_else(|| format!("the pack has no resource `{name}` any more"));
    match about {
        About::Value(value) => Ok(Value::source(Arc::new(Arc::new(value.clone())))),
        About::Record { resource, id } => {
            let number = resource_of(resource)?;
            let record = moment.world.get(number, id);
            let record = record.ok_or_else(|| format!("there is no such `{resource}` any more"))?;
            Ok(RecordView::value(pack, number, Arc::clone(record)))
        }
        About::Gone { resource, fields } => {
            let number = resource_of(resource)?;
            let nothing = Map::new();
            let fields = fields.as_object().unwrap_or(&nothing);
            let known = &pack.resource(number).fields;
            let values: Vec<_> = known.iter().map(|field| fields.get(&*field.name).cloned()).collect();
            Ok(fill::draft(pack, number, &values))
        }
    }
}

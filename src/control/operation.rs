//! `/packs/{pack}/operations/…`: everything that a pack says of one operation, for who writes a client of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::packs::{base, operation as summary, shown_example};
use super::{Answer, Call, ok};
use crate::clock::Instant;
use crate::diagnostic::did_you_mean;
use crate::exchange::{Problem, preference};
use crate::pack::source::Side;
use crate::pack::{
    Auth, CalledBody, Content, Effect, ErrorId, Example, Guard, List, Load, OfOperation, Operation, Options, Pack,
    Provenance, Replay, Reply, Shape, Trigger, media_type,
};
use crate::schema::Schema;

pub(super) fn show(call: &Call<'_>) -> Answer {
    let (index, pack) = call.pack()?;
    let options = &call.sandbox.ground().options[index];
    let operation = named(&pack, call.parameter("operation"))?;
    let mut shown = summary(&pack, operation);
    if let Json::Object(shown) = &mut shown {
        shown.extend(detail(call, &pack, operation, options));
    }
    ok(&shown)
}

fn named<'p>(pack: &'p Pack, name: &str) -> Result<&'p Operation, Problem> {
    let own = |operation: &'p Operation| operation.name.split_once('/').map_or("", |(_, own)| own);
    pack.operations.iter().find(|operation| own(operation) == name).ok_or_else(|| {
        let meant = did_you_mean(name, pack.operations.iter().map(own));
        let detail = format!(
            "The pack `{}` has no operation `{name}`: GET /_standin/packs/{0} lists those that it has.{meant}",
            pack.name
        );
        Problem::not_found("operation-unknown", detail)
    })
}

fn detail(call: &Call<'_>, pack: &Pack, operation: &Operation, options: &Options) -> Map<String, Json> {
    let base = base(call, pack);
    let of = pack.answers.operation(operation.number);
    let mut schemas = BTreeMap::new();
    let used = operation.parameters.iter().map(|parameters| &parameters.schema);
    let used = used.chain(operation.body.iter().map(|body| &body.schema));
    let answered = of.declared.iter().filter_map(|known| known.reply(pack, operation).schema.as_ref());
    used.chain(answered).for_each(|schema| schemas.extend(schema.documents()));
    let parameters: Vec<Json> = operation.parameters.iter().flat_map(parameters).collect();
    let examples = pack.examples.iter().filter(|example| example.operation == operation.number);
    let requests = pack.replays.iter().filter_map(|replay| request(pack, operation, replay, &base));
    let shown = json!({
        "there": operation.wanted.holds(options),
        "auth": auth(pack, &operation.auth),
        "when": operation.when.map(|when| pack.program.text(when)),
        "parameters": parameters,
        "request": operation.body.as_ref().map(|body| json!({
            "mediaType": operation.body_type(),
            "required": !body.optional,
            "schema": body.schema.name(),
            "ignoreCase": operation.ignore_case.iter().map(|rule| rule.pointer.as_str()).collect::<Vec<_>>(),
        })),
        "loads": operation.loads.iter().map(|known| load(pack, known)).collect::<Vec<_>>(),
        "guards": operation.guards.iter().map(|known| guard(pack, known)).collect::<Vec<_>>(),
        "list": operation.list.as_ref().map(|known| list(pack, known)),
        "effects": operation.effects.iter().map(|known| effect(pack, known)).collect::<Vec<_>>(),
        "webhooks": webhooks(pack, operation),
        "options": changing(pack, operation, of),
        "answers": answers(pack, operation, of, options),
        "examples": examples.map(|one| example(pack, of, one)).collect::<Vec<_>>(),
        "requests": requests.collect::<Vec<_>>(),
        "schemas": schemas,
    });
    match shown {
        Json::Object(shown) => shown,
        _ => Map::new(),
    }
}

/// `{scheme}`, `{all: […]}`, `{any: […]}`, `{optional: …}`; null where nobody need be known.
fn auth(pack: &Pack, wanted: &Auth) -> Json {
    let each = |parts: &[Auth]| parts.iter().map(|part| auth(pack, part)).collect::<Vec<_>>();
    match wanted {
        Auth::Open => Json::Null,
        Auth::Scheme(scheme) => json!({ "scheme": &*pack.scheme(*scheme).name }),
        Auth::All(parts) => json!({ "all": each(parts) }),
        Auth::Any(parts) => json!({ "any": each(parts) }),
        Auth::Optional(inner) => json!({ "optional": auth(pack, inner) }),
    }
}

fn parameters(of: &crate::pack::Parameters) -> impl Iterator<Item = Json> + '_ {
    of.known.iter().map(|parameter| {
        json!({
            "in": of.place.name(),
            "name": parameter.name,
            "required": parameter.required,
            "default": parameter.default,
            "schema": parameter.schema,
        })
    })
}

fn error_name(pack: &Pack, error: ErrorId) -> &str {
    &pack.error(error).name
}

fn load(pack: &Pack, load: &Load) -> Json {
    let resource = pack.resource(load.resource);
    let error = load.otherwise.or(resource.not_found).filter(|_| !load.optional);
    json!({
        "name": &*load.name,
        "resource": &*resource.name,
        "id": pack.program.text(load.id),
        "error": error.map(|error| error_name(pack, error)),
    })
}

fn guard(pack: &Pack, guard: &Guard) -> Json {
    json!({
        "name": &*guard.name,
        "require": pack.program.text(guard.require),
        "error": error_name(pack, guard.otherwise),
        "provenance": guard.provenance.as_ref().map(Provenance::to_json),
        "at": pack.sources.place(&guard.at),
    })
}

fn list(pack: &Pack, list: &List) -> Json {
    let text = |expression: Option<_>| expression.map(|expression| pack.program.text(expression));
    json!({
        "from": &*pack.resource(list.from).name,
        "only": text(list.only),
        "page": text(list.number),
        "size": text(list.size),
        "sort": text(list.sort),
        "descending": text(list.descending),
        "first": list.first,
    })
}

/// What a field is set to, as the pack says it; null for what is made of several parts.
fn said(pack: &Pack, shape: &Shape) -> Json {
    match shape {
        Shape::Literal(value) => value.clone(),
        Shape::Value { expr, .. } => Json::String(format!("= {}", pack.program.text(*expr))),
        _ => Json::Null,
    }
}

fn effect(pack: &Pack, effect: &Effect) -> Json {
    let resource = pack.resource(effect.resource);
    let field = |number: usize| resource.fields.get(number).map(|field| field.name.to_string()).unwrap_or_default();
    let set: Map<String, Json> = effect.set.iter().map(|(number, shape)| (field(*number), said(pack, shape))).collect();
    json!({
        "verb": effect.verb.word(),
        "resource": &*resource.name,
        "when": effect.when.map(|when| pack.program.text(when)),
        "set": set,
        "unset": effect.unset.iter().map(|number| field(*number)).collect::<Vec<_>>(),
        "at": pack.sources.place(&effect.at),
    })
}

/// The names of those that its effects set off.
fn webhooks<'p>(pack: &'p Pack, operation: &Operation) -> Vec<&'p str> {
    let sets_off = |trigger: &Trigger| match trigger {
        Trigger::Effect(verb, resource) => {
            operation.effects.iter().any(|effect| effect.verb == *verb && effect.resource == *resource)
        }
        Trigger::Event(_) => false,
    };
    let told = pack.webhooks.iter().filter(|webhook| webhook.on.iter().any(sets_off));
    told.map(|webhook| &*webhook.name).collect()
}

/// The options that change whether it is there or what it answers: those that it asks for, and those that its file and
/// its guards speak of.
fn changing<'p>(pack: &'p Pack, operation: &Operation, of: &OfOperation) -> Vec<&'p str> {
    let mut asked: BTreeSet<usize> = operation.wanted.pairs().map(|(option, _)| option).collect();
    asked.extend(operation.also.iter().flat_map(|line| line.wanted.pairs()).map(|(option, _)| option));
    let mut texts = vec![pack.sources.text(operation.at.file)];
    texts.extend(operation.guards.iter().map(|guard| pack.program.text(guard.require)));
    let replies = of.declared.iter().map(|known| known.reply(pack, operation));
    texts.extend(replies.filter_map(|reply| reply.when).map(|when| pack.program.text(when)));
    let speaks = |key: &str| texts.iter().any(|text| has_word(text, &format!("options.{key}")));
    let known = pack.options.iter().enumerate();
    known
        .filter(|(number, option)| asked.contains(number) || speaks(&option.key))
        .map(|(_, option)| &*option.name)
        .collect()
}

/// Whether a text has a name that does not go on behind it.
fn has_word(text: &str, word: &str) -> bool {
    let goes_on = |rest: &str| rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    text.match_indices(word).any(|(at, _)| !goes_on(&text[at + word.len()..]))
}

/// Every answer of its own, then every error that a request can meet with these options.
fn answers(pack: &Pack, operation: &Operation, of: &OfOperation, options: &Options) -> Vec<Json> {
    let there = of.declared.iter().enumerate().filter(|(_, known)| of.is_there(known, options));
    there
        .map(|(place, known)| {
            let reply = known.reply(pack, operation);
            let examples = of.shown.iter().filter(|shown| shown.best() == Some(place));
            let examples: Vec<&str> = examples.map(|shown| &*pack.examples[shown.example].path).collect();
            let code = preference("code", reply.status.as_str());
            let error = known.error.map(|error| pack.error(error));
            let prefer = match error {
                Some(error) => format!("{code}, {}", preference("example", &error.name)),
                None => code,
            };
            json!({
                "error": error.map(|error| &*error.name),
                "fault": error.is_some_and(|error| error.fault),
                "status": reply.status.as_u16(),
                "when": reply.when.map(|when| pack.program.text(when)),
                "headers": reply.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
                "mediaType": sent_as(&reply.body),
                "schema": reply.schema.as_ref().and_then(Schema::name),
                "shown": shape_of(reply),
                "provenance": reply.provenance.to_json(),
                "at": pack.sources.place(&reply.at),
                "prefer": prefer,
                "examples": examples,
            })
        })
        .collect()
}

fn sent_as(body: &Content) -> Option<&str> {
    match body {
        Content::Empty => None,
        Content::Fixed { media_type, .. } => Some(media_type),
        Content::Shaped(_) => Some("application/json"),
        Content::Page { .. } => Some("text/html; charset=utf-8"),
    }
}

/// The body as the pack's file has it: what is sent, or what gives it its shape.
fn shape_of(reply: &Reply) -> Option<String> {
    let bytes = match &reply.body {
        Content::Fixed { bytes, .. } => Some(bytes),
        _ => reply.shown.as_ref(),
    };
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn example(pack: &Pack, of: &OfOperation, example: &Example) -> Json {
    let mut shown = shown_example(&example.path, example.verbatim.as_deref(), example.status, &example.side);
    let file = example.path.rsplit_once('/').map_or(&*example.path, |(_, file)| file);
    let can_be_asked_for = of.shown.iter().any(|shown| std::ptr::eq(&pack.examples[shown.example], example));
    // The documentation's own bytes, where they are no JSON.
    let own = example
        .verbatim
        .as_ref()
        .and_then(|path| pack.sources.all().find(|(known, _)| known.ends_with(&format!("/{path}"))));
    shown["text"] = json!(&*example.text);
    shown["verbatimText"] = json!(own.map(|(_, text)| text));
    shown["mediaType"] = json!(media_type(&example.path));
    shown["fragment"] = json!(example.side.fragment.as_ref().map(|reason| reason.value.as_str()));
    shown["prefer"] = json!(can_be_asked_for.then(|| preference("example", file)));
    shown
}

/// A documented exchange as a request that can be sent again. One with other records, another time or other options than
/// those of the start is not `seeded`: its answer is another one then.
fn request(pack: &Pack, operation: &Operation, replay: &Replay, base: &str) -> Option<Json> {
    let example = pack.examples.get(replay.answer.or(replay.request)?)?;
    if example.operation != operation.number {
        return None;
    }
    let (sides, request) = pack.sides(replay);
    let called = pack.called(operation, &sides, request).ok()?;
    let at_start = |side: &&Side| {
        let instant = side.instant.as_ref().and_then(|text| Instant::parse(&text.value).ok());
        instant.is_none_or(|instant| instant == Instant::START)
    };
    let seeded = sides.iter().all(|side| side.given.is_empty() && at_start(side) && side.options.is_empty());
    let text = match &called.body {
        Some(CalledBody::Text(text)) => Some(text.as_str()),
        // What only its size is known of is not written out.
        Some(CalledBody::Bytes(_)) => return None,
        None => None,
    };
    let pairs = |pairs: &[(String, String)]| -> Json {
        pairs.iter().map(|(name, value)| (name.clone(), Json::from(value.as_str()))).collect::<Map<_, _>>().into()
    };
    Some(json!({
        "example": &*example.path,
        "status": example.status,
        "seeded": seeded,
        "method": called.method.as_str(),
        "template": &*called.template,
        "as": called.credentials.iter().map(|known| known.label.as_str()).collect::<Vec<_>>(),
        "path": pairs(&called.path),
        "query": pairs(&called.query),
        "headers": pairs(&called.headers),
        "mediaType": text.map(|_| called.media_type),
        "body": text,
        "curl": called.curl(super::packs::curl_for(base), base, pack),
    }))
}

//! Every way to send a documented request a little differently: one input altered at a time.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value as Json, json};

use super::prepare::Prepared;
use crate::clock::{Format, Instant, Mode, Span};
use crate::engine::{self, Edit};
use crate::exchange::{Body, leaves, segments, spelled};
use crate::expr::Draws;
use crate::pack::{Credential, CredentialPlace, Event, Example, Operation, Pack, Parameter, ResourceId, Sort};
use crate::sandbox::{Controls, Moment};
use crate::schema::Place;

pub(super) fn variations(pack: &Arc<Pack>, operation: &Operation, base: &Prepared) -> Vec<Prepared> {
    let mut all = Vec::new();
    let listed = operation.body.as_ref().map(|rule| rule.schema.options()).unwrap_or_default();
    bodies(pack, requests(pack, operation), &listed, base, &mut all);
    queries(operation, base, &mut all);
    headers(operation, base, &mut all);
    paths(pack, base, &mut all);
    callers(pack, operation, base, &mut all);
    surroundings(pack, base, &mut all);
    let mut elsewhere = base.clone();
    elsewhere.request.base = "https://elsewhere.example:8443/x".to_owned();
    all.push(elsewhere);
    all
}

/// Every way to fire an event a little differently; its input stands for the body of a request.
pub(super) fn events(pack: &Arc<Pack>, event: &Event, base: &Prepared) -> Vec<Prepared> {
    let mut all = Vec::new();
    let listed = event.input.as_ref().map(|input| input.schema.options()).unwrap_or_default();
    bodies(pack, std::iter::empty(), &listed, base, &mut all);
    surroundings(pack, base, &mut all);
    all
}

/// Other records, another time, a clock that stands or does not, other chance.
fn surroundings(pack: &Arc<Pack>, base: &Prepared, all: &mut Vec<Prepared>) {
    worlds(pack, base, all);
    // Near enough for what is about to run out, and far enough for what runs out late.
    for micros in [1_000_000, -1_000_000, 3_601_234_567, 24 * 400 * 3_600_000_000] {
        all.push(Prepared { at: base.at.saturating_add(Span::from_micros(micros)), ..base.clone() });
    }
    let mode = if base.mode == Mode::Ticking { Mode::Frozen } else { Mode::Ticking };
    all.push(Prepared { mode, ..base.clone() });
    all.push(Prepared { draws: Draws::new(99, 7), ..base.clone() });
}

/// Other values of the same type, then one of another.
fn others(value: &Json) -> Vec<Json> {
    match value {
        Json::String(text) => match uuid::Uuid::try_parse(text) {
            Ok(_) => vec![json!("7b0d3c52-9f1e-4d6a-8c3b-5a4e2f1d0c9b")],
            Err(_) => vec![json!(format!("{text}x")), json!(7), json!("")],
        },
        Json::Bool(value) => vec![json!(!value), json!("x")],
        Json::Number(number) => {
            // The next number may be another record's id already.
            let more = |by: i64| match number.as_i64() {
                Some(whole) => json!(whole.saturating_add(by)),
                None => json!(number.as_f64().unwrap_or(0.0) + 1.5),
            };
            vec![more(1), more(1000), json!("x")]
        }
        Json::Null => vec![json!("x"), json!(1)],
        Json::Array(_) => vec![json!(["x"]), json!("x")],
        Json::Object(_) => vec![json!({ "x": 1 }), json!("x")],
    }
}

/// An instant a little later and a little earlier; nothing for a text in another format.
fn shifted(format: &Format, text: &str) -> Vec<Json> {
    let Ok(instant) = format.read(text) else { return Vec::new() };
    let by = |micros: i64| json!(format.write(instant.saturating_add(Span::from_micros(micros))));
    vec![by(3_661_001_000), by(-3_661_001_000)]
}

/// Another day where the value is a date, other instants where it is written in one of the pack's formats.
fn moved(pack: &Pack, value: &Json) -> Vec<Json> {
    let Some(text) = value.as_str() else { return Vec::new() };
    if let (Ok(start), Ok(day)) = (Instant::parse(&format!("{text}T00:00:00Z")), Format::for_people("%Y-%m-%d", None)) {
        return vec![json!(day.write(start.saturating_add(Span::from_micros(86_400_000_000))))];
    }
    pack.formats.iter().flat_map(|format| shifted(format, text)).collect()
}

/// `documented` are whole bodies; what the schema lists for a name is `listed`.
fn bodies<'p>(
    pack: &Pack,
    documented: impl Iterator<Item = &'p Json>,
    listed: &[(String, Vec<Json>)],
    base: &Prepared,
    all: &mut Vec<Prepared>,
) {
    let bytes = base.request.body.bytes();
    let Ok(body) = serde_json::from_slice::<Json>(bytes) else {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().collect();
        with_body(base, "{".to_owned(), all);
        with_body(base, "{}".to_owned(), all);
        for index in 0..pairs.len() {
            let mut altered = pairs.clone();
            altered[index].1.push('x');
            with_body(base, form_urlencoded::Serializer::new(String::new()).extend_pairs(altered).finish(), all);
        }
        return;
    };
    with_body(base, "[]".to_owned(), all);
    with_body(base, "{}".to_owned(), all);
    for request in documented {
        with_body(base, request.to_string(), all);
    }
    for (pointer, value) in leaves(&body) {
        // An item of a list is what the list's name says.
        let named = |step: &String| step.parse::<usize>().is_err();
        let key = segments(&pointer).into_iter().rev().find(named).unwrap_or_default();
        let options =
            listed.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&key)).flat_map(|(_, options)| options);
        for other in moved(pack, &value)
            .into_iter()
            .chain(others(&value))
            .chain(options.filter(|other| **other != value).cloned())
        {
            let mut altered = body.clone();
            if let Some(place) = altered.pointer_mut(&pointer) {
                *place = other;
                with_body(base, altered.to_string(), all);
            }
        }
        if let Some((parent, key)) = pointer.rsplit_once('/') {
            let mut altered = body.clone();
            if let Some(Json::Object(object)) = altered.pointer_mut(parent) {
                object.shift_remove(key);
                with_body(base, altered.to_string(), all);
            }
        }
    }
}

/// The documented request bodies of an operation.
fn requests<'p>(pack: &'p Pack, operation: &'p Operation) -> impl Iterator<Item = &'p Json> {
    let own = |example: &&Example| example.status.is_none() && pack.operation(example.operation).name == operation.name;
    pack.examples.iter().filter(own).filter_map(|example| example.json.as_deref())
}

fn with_body(base: &Prepared, text: String, all: &mut Vec<Prepared>) {
    let mut altered = base.clone();
    altered.request.body = Body::Whole(Bytes::from(text));
    all.push(altered);
}

fn queries(operation: &Operation, base: &Prepared, all: &mut Vec<Prepared>) {
    let given: Vec<(String, String)> =
        form_urlencoded::parse(base.request.query.as_deref().unwrap_or_default().as_bytes()).into_owned().collect();
    // Once beside what was sent, once instead of it.
    let mut with = |name: &str, value: &str| {
        let beside = given.iter().filter(|(known, _)| known != name).cloned();
        for mut pairs in [beside.collect(), Vec::new()] {
            pairs.push((name.to_owned(), value.to_owned()));
            let mut altered = base.clone();
            altered.request.query = Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish());
            all.push(altered);
        }
    };
    for parameters in operation.parameters.iter().filter(|parameters| parameters.place == Place::Query) {
        for parameter in &parameters.known {
            for value in texts(parameter) {
                with(&parameter.name, value);
            }
        }
    }
    for (name, value) in &given {
        with(name, &format!("{value}x"));
    }
}

/// What a parameter may be sent as: of each type something, and what its schema lists.
fn texts(parameter: &Parameter) -> impl Iterator<Item = &str> {
    let listed = parameter.schema.get("enum").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    ["1", "2", "true", "false", "x", "-1", "0"].into_iter().chain(listed)
}

/// Each header that the operation reads, with other values, and those that were sent altered.
fn headers(operation: &Operation, base: &Prepared, all: &mut Vec<Prepared>) {
    let mut with = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            let mut altered = base.clone();
            altered.request.headers.insert(name, value);
            all.push(altered);
        }
    };
    for parameters in operation.parameters.iter().filter(|parameters| parameters.place == Place::Header) {
        for parameter in &parameters.known {
            texts(parameter).for_each(|value| with(&parameter.name, value));
            if let Some(given) = base.request.header(&parameter.name) {
                with(&parameter.name, &format!("{given}x"));
            }
        }
    }
}

/// The same operation on every other record.
fn paths(pack: &Arc<Pack>, base: &Prepared, all: &mut Vec<Prepared>) {
    let actual: Vec<&str> = base.request.path.split('/').collect();
    for (index, segment) in base.template.split('/').enumerate() {
        if !segment.starts_with('{') {
            continue;
        }
        for (resource, id, _) in records(pack, base) {
            if pack.resource(resource).id_field().sort == Sort::Boolean || actual.get(index) == Some(&id.as_str()) {
                continue;
            }
            let mut segments: Vec<&str> = actual.clone();
            if let Some(place) = segments.get_mut(index) {
                *place = &id;
            }
            let mut altered = base.clone();
            altered.request.path = segments.join("/");
            all.push(altered);
        }
        let Some(given) = actual.get(index) else { continue };
        let next = given.parse::<i64>().ok().and_then(|number| number.checked_add(1)).map(|number| number.to_string());
        for text in [Some(format!("{given}x")), next, Some("0".to_owned())].into_iter().flatten() {
            let mut segments = actual.clone();
            segments[index] = &text;
            let mut altered = base.clone();
            altered.request.path = segments.join("/");
            all.push(altered);
        }
    }
}

/// Each known credential in place of the one that was sent; and those of two schemes at once, because somebody else has
/// both.
fn callers(pack: &Arc<Pack>, operation: &Operation, base: &Prepared, all: &mut Vec<Prepared>) {
    let asked = operation.auth.schemes();
    let known = pack.credentials.iter().filter(|credential| asked.contains(&credential.scheme));
    for credential in known.clone() {
        let Some(altered) = sent_with(pack, base, credential) else { continue };
        for other in known.clone().filter(|other| credential.scheme.0 < other.scheme.0) {
            all.extend(sent_with(pack, &altered, other));
        }
        all.push(altered);
    }
    let custom = base.request.headers.keys().filter(|name| !matches!(name.as_str(), "content-type"));
    for name in custom.cloned().collect::<Vec<_>>() {
        let mut altered = base.clone();
        altered.request.headers.remove(&name);
        all.push(altered);
    }
}

fn sent_with(pack: &Pack, base: &Prepared, credential: &Credential) -> Option<Prepared> {
    let mut altered = base.clone();
    match &pack.scheme(credential.scheme).place {
        CredentialPlace::Header(name) => {
            altered.request.headers.insert(name.clone(), HeaderValue::from_str(&credential.value).ok()?);
        }
        CredentialPlace::Query(name) => {
            let given = form_urlencoded::parse(base.request.query.as_deref().unwrap_or_default().as_bytes());
            let others = given.filter(|(known, _)| known != name);
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(others).append_pair(name, &credential.value);
            altered.request.query = Some(query.finish());
        }
    }
    Some(altered)
}

fn records(pack: &Arc<Pack>, base: &Prepared) -> Vec<(ResourceId, String, Map<String, Json>)> {
    let mut found = Vec::new();
    for index in 0..pack.resources.len() {
        let resource = ResourceId(index);
        for sequence in base.world.sequences(resource, None).iter() {
            let Some(record) = base.world.at(resource, *sequence) else { continue };
            let id = record.text(pack.resource(resource).id).unwrap_or_default();
            if let Json::Object(fields) = engine::shown(pack, resource, record) {
                found.push((resource, id, fields));
            }
        }
    }
    found
}

/// How many others a record is given to, one after the other.
const MOST_OWNERS: usize = 4;

/// Every record with one field altered, taken away, and doubled.
fn worlds(pack: &Arc<Pack>, base: &Prepared, all: &mut Vec<Prepared>) {
    let with = |resource: ResourceId, edits: &[Edit]| {
        let mut world = base.world.clone();
        for edit in edits {
            let controls = Controls::default();
            let moment = Moment { world: &world, ..base.moment(&controls) };
            match engine::change(pack, &moment, resource, edit) {
                Ok((change, _)) => world = world.after(pack, &change.edits),
                // An alteration that the pack does not allow shows nothing.
                Err(_) => return None,
            }
        }
        Some(Prepared { world, ..base.clone() })
    };
    let all_records = records(pack, base);
    for (resource, id, fields) in &all_records {
        let (resource, definition) = (*resource, pack.resource(*resource));
        let id_name = definition.id_field().name.to_string();
        for (index, field) in definition.fields.iter().enumerate() {
            let Some(value) = fields.get(&*field.name) else { continue };
            // A record may belong to somebody else who is there.
            let owner = definition.owner.filter(|owner| owner.field == index).map(|owner| owner.resource);
            let owners = all_records.iter().filter(|(known, ..)| Some(*known) == owner).map(|(_, id, _)| json!(id));
            let owners = owners.filter(|id| spelled(id) != spelled(value)).take(MOST_OWNERS);
            for other in altered(pack, field.sort, field.format, value).into_iter().chain(owners) {
                if index == definition.id {
                    let mut renamed = fields.clone();
                    renamed.insert(id_name.clone(), other.clone());
                    let moved = with(resource, &[Edit::Delete(id.clone()), Edit::Add(renamed)]);
                    all.extend(moved.iter().filter_map(|moved| following(moved, value, &other)));
                    all.extend(moved);
                } else {
                    let patch = Map::from_iter([(field.name.to_string(), other.clone())]);
                    let patched = with(resource, &[Edit::Patch(id.clone(), patch)]);
                    all.extend(patched.iter().filter_map(|patched| following(patched, value, &other)));
                    all.extend(patched);
                }
            }
        }
        all.extend(with(resource, &[Edit::Delete(id.clone())]));
        let mut twin = fields.clone();
        twin.shift_remove(&id_name);
        all.extend(with(resource, &[Edit::Add(twin)]));
    }
}

/// The same request where it names what a record has been given instead: in the path, the query, or the body, of which
/// texts are compared ignoring case.
fn following(changed: &Prepared, old: &Json, new: &Json) -> Option<Prepared> {
    let (from, to) = (spelled(old), spelled(new));
    if from.is_empty() || from == to {
        return None;
    }
    let mut request = changed.request.clone();
    let path: Vec<&str> =
        request.path.split('/').map(|segment| if segment == from { to.as_str() } else { segment }).collect();
    request.path = path.join("/");
    if let Some(query) = &changed.request.query {
        let pairs = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), if value == from { to.clone() } else { value.into_owned() }));
        request.query = Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish());
    }
    let mut named = request.path != changed.request.path || request.query != changed.request.query;
    if let Ok(mut body) = serde_json::from_slice::<Json>(changed.request.body.bytes()) {
        let same = |leaf: &Json| match (leaf, old) {
            (Json::String(leaf), Json::String(old)) => leaf.to_lowercase() == old.to_lowercase(),
            (leaf, old) => leaf.is_number() && leaf == old,
        };
        let pointers: Vec<String> =
            leaves(&body).into_iter().filter(|(_, leaf)| same(leaf)).map(|(pointer, _)| pointer).collect();
        if !pointers.is_empty() {
            for place in &pointers {
                if let Some(place) = body.pointer_mut(place) {
                    *place = new.clone();
                }
            }
            request.body = Body::Whole(Bytes::from(body.to_string()));
            named = true;
        }
    }
    named.then(|| Prepared { request, ..changed.clone() })
}

fn altered(pack: &Pack, sort: Sort, format: usize, value: &Json) -> Vec<Json> {
    match (sort, value) {
        (Sort::Timestamp, Json::String(text)) => shifted(&pack.formats[format], text),
        (Sort::Json | Sort::Object, value @ (Json::Object(_) | Json::Array(_))) => {
            let mut all = Vec::new();
            for (pointer, leaf) in leaves(value) {
                for other in others(&leaf).into_iter().take(1) {
                    let mut altered = value.clone();
                    if let Some(place) = altered.pointer_mut(&pointer) {
                        *place = other;
                        all.push(altered);
                    }
                }
            }
            all
        }
        (_, value) => others(value),
    }
}

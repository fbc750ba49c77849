//! The documented request, and the world that it was sent to.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use serde_json::{Map, Value as Json};

use crate::clock::Instant;
use crate::engine::{self, Edit, Rules};
use crate::exchange::{Body, Request, spelled};
use crate::expr::Draws;
use crate::pack::source::{Key, Node, Side};
use crate::pack::{
    Credential, CredentialPlace, Example, Operation, OperationId, Options, Pack, Replay, parameter_name,
};
use crate::sandbox::{Controls, Exchange, Moment, World};

/// A request ready to be sent, with the moment that it meets.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) request: Request,
    pub(super) world: World,
    pub(super) at: Instant,
    pub(super) draws: Draws,
    pub(super) options: Options,
    /// The path that it was sent to, with the names of its parameters.
    pub(super) template: Arc<str>,
}

/// The seed of replays. Any would do: what an example shows of chance is given by `next`.
pub(super) const SEED: u64 = 1;
const RULES: Rules = Rules { json_depth: 100, strict: false };

impl Prepared {
    pub(super) fn send(&self, pack: &Arc<Pack>) -> Exchange {
        engine::handle(pack, &self.moment(&Controls::default()), &Arc::new(self.request.clone()), RULES)
    }

    /// The moment that whatever happens meets.
    pub(super) fn moment<'a>(&'a self, controls: &'a Controls) -> Moment<'a> {
        let Prepared { world, at, draws, options, .. } = self;
        Moment { world, controls, now: *at, draws: draws.clone(), options }
    }
}

pub(super) fn prepare(pack: &Arc<Pack>, replay: &Replay) -> Result<Prepared, String> {
    let answer = replay.answer.map(|index| &pack.examples[index]);
    let request = replay.request.map(|index| &pack.examples[index]);
    let example = answer.or(request).ok_or_else(|| "there is nothing to replay".to_owned())?;
    // What the answer's side file does not say, the request's may.
    let both = [answer.map(|example| &example.side), request.map(|example| &example.side)];
    let sides: Vec<&Side> = both.into_iter().flatten().collect();
    call(pack, example.operation, &sides, request)
}

/// A documented call; of the side files the first counts.
pub(super) fn call(
    pack: &Arc<Pack>,
    operation: OperationId,
    sides: &[&Side],
    request: Option<&Example>,
) -> Result<Prepared, String> {
    let operation = pack.operation(operation);
    let options = Options::replayed(&pack.options, Some(operation), sides);
    let mut built = build(pack, operation, sides)?;
    if let Some(side) = sides.first() {
        body(pack, operation, side, request, &mut built)?;
    }
    let template = Arc::clone(line(operation, sides).1);
    happening(pack, sides, options, built, template)
}

/// The moment that side files describe, with what is sent then.
pub(super) fn happening(
    pack: &Arc<Pack>,
    sides: &[&Side],
    options: Options,
    request: Request,
    template: Arc<str>,
) -> Result<Prepared, String> {
    let at = instant(sides)?;
    let mut world = seeded(pack)?;
    for side in sides.iter().rev() {
        world = given(pack, world, side, at, &options)?;
    }
    let forced: BTreeMap<String, Json> =
        sides.iter().flat_map(|side| &side.next).map(|(key, node)| (key.name.clone(), node.to_json())).collect();
    Ok(Prepared { request, world, at, draws: Draws::new(SEED, 0).forcing(forced), options, template })
}

pub(super) fn seeded(pack: &Arc<Pack>) -> Result<World, String> {
    World::seeded(pack, 0, SEED).map_err(|conflict| format!("the seed records contradict each other: {conflict:?}"))
}

/// A request that nothing is known of but its method, path and body.
pub(super) fn plain(pack: &Pack, method: Method, path: &str, body: Bytes) -> Request {
    Request {
        method,
        base: format!("http://localhost/{}", pack.name),
        path: path.to_owned(),
        bare: false,
        query: None,
        version: Version::HTTP_11,
        headers: HeaderMap::new(),
        body: Body::Whole(body),
    }
}

fn instant(sides: &[&Side]) -> Result<Instant, String> {
    match sides.iter().find_map(|side| side.instant.as_ref()) {
        Some(text) => Instant::parse(&text.value),
        None => Ok(Instant::START),
    }
}

fn given(pack: &Arc<Pack>, mut world: World, side: &Side, at: Instant, options: &Options) -> Result<World, String> {
    for source in &side.given {
        let name = &source.resource.name;
        let resource = pack.resource_named(name).ok_or_else(|| format!("`given`: there is no resource `{name}`"))?;
        let fields = source.fields.as_ref().map(|node| match node.to_json() {
            Json::Object(fields) => fields,
            _ => Map::new(),
        });
        let edit = match (&source.id, fields) {
            (None, Some(fields)) => Edit::Add(fields),
            (Some(id), Some(fields)) if world.get(resource, &id.name).is_some() => Edit::Patch(id.name.clone(), fields),
            (Some(id), Some(fields)) => Edit::Put(id.name.clone(), fields),
            (Some(id), None) => Edit::Delete(id.name.clone()),
            (None, None) => continue,
        };
        let controls = Controls::default();
        let moment = Moment { world: &world, controls: &controls, now: at, draws: Draws::new(SEED, 0), options };
        let (change, _) = engine::change(pack, &moment, resource, &edit)
            .map_err(|fault| format!("`given`: the `{name}` cannot be so: {fault:?}"))?;
        world = world.after(pack, &change.edits);
    }
    Ok(world)
}

fn build(pack: &Pack, operation: &Operation, sides: &[&Side]) -> Result<Request, String> {
    let find = |read: fn(&Side) -> &Vec<(Key, Node)>, name: &str| {
        sides
            .iter()
            .find_map(|side| read(side).iter().find(|(key, _)| key.name == name))
            .map(|(_, node)| node.to_json())
    };
    let (own, template) = line(operation, sides);
    let mut path = String::new();
    for segment in template.split('/').skip(1) {
        path.push('/');
        match parameter_name(segment) {
            None => path.push_str(segment),
            Some(name) => {
                let value = find(|side| &side.path, name)
                    .ok_or_else(|| format!("the side file does not say `request: {{ path: {{ {name}: … }} }}`"))?;
                path.push_str(&encoded(&spelled(&value)));
            }
        }
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (key, node) in sides.iter().flat_map(|side| &side.query) {
        query.append_pair(&key.name, &spelled(&node.to_json()));
    }
    let mut headers = HeaderMap::new();
    for credential in credentials(pack, operation, sides)? {
        match &pack.scheme(credential.scheme).place {
            CredentialPlace::Header(name) => insert(&mut headers, name.clone(), &credential.value)?,
            CredentialPlace::Query(name) => {
                query.append_pair(name, &credential.value);
            }
        }
    }
    for (key, node) in sides.iter().flat_map(|side| &side.headers) {
        let name = HeaderName::try_from(key.name.as_str())
            .map_err(|_| format!("`{}` is not the name of a header", key.name))?;
        insert(&mut headers, name, &spelled(&node.to_json()))?;
    }
    let query = query.finish();
    let base = sides
        .iter()
        .find_map(|side| side.base.as_ref())
        .map_or_else(|| format!("http://localhost/{}", pack.name), |base| base.value.clone());
    let method = match sides.iter().find_map(|side| side.method.as_ref()) {
        Some(method) => {
            Method::from_bytes(method.value.as_bytes()).map_err(|_| format!("`{}` is not a method", method.value))?
        }
        None => own.clone(),
    };
    let query = (!query.is_empty()).then_some(query);
    Ok(Request { base, query, headers, ..plain(pack, method, &path, Bytes::new()) })
}

/// The method and path that a documented call was sent to.
fn line<'o>(operation: &'o Operation, sides: &[&Side]) -> (&'o Method, &'o Arc<str>) {
    operation.line_of(sides).map_or((&operation.method, &operation.template), |line| (&line.method, &line.template))
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), String> {
    let value = HeaderValue::from_str(value).map_err(|_| format!("`{value}` cannot be the value of a header"))?;
    headers.insert(name, value);
    Ok(())
}

fn encoded(segment: &str) -> String {
    percent_encoding::utf8_percent_encode(segment, percent_encoding::NON_ALPHANUMERIC).to_string().replace("%2D", "-")
}

/// The credentials that a documented call is sent with: those that the side file labels, else the first of each scheme
/// that the operation needs.
fn credentials<'p>(pack: &'p Pack, operation: &Operation, sides: &[&Side]) -> Result<Vec<&'p Credential>, String> {
    if let Some(labels) = sides.iter().find_map(|side| side.caller.as_ref()) {
        let find = |label: &str| pack.credentials.iter().find(|credential| credential.label == label);
        return labels
            .iter()
            .map(|label| find(&label.value).ok_or_else(|| format!("there is no credential `{}`", label.value)))
            .collect();
    }
    let known = pack.known_credentials(&operation.auth);
    known.map_err(|scheme| format!("the pack lists no credential for the scheme `{}`", scheme.name))
}

fn body(
    pack: &Pack,
    operation: &Operation,
    side: &Side,
    request: Option<&Example>,
    built: &mut Request,
) -> Result<(), String> {
    if let Some(bytes) = side.bytes {
        built.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        built.body = match bytes > Body::LIMIT {
            true => Body::TooLarge { limit: Body::LIMIT },
            false => Body::Whole(Bytes::from(vec![b' '; bytes])),
        };
        return Ok(());
    }
    let text = if let Some(text) = &side.text {
        Some(text.value.clone())
    } else if let Some(node) = &side.body {
        Some(node.to_json()).map(|value| match (&operation.body, &value) {
            (Some(rule), Json::Object(object)) if rule.form => {
                let pairs = object.iter().map(|(key, value)| (key, spelled(value)));
                form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
            }
            _ => value.to_string(),
        })
    } else if let Some(other) = &side.body_of {
        let found = pack
            .examples
            .iter()
            .find(|example| *example.path == *other.value || example.path.ends_with(&format!("/{}", other.value)));
        Some(found.ok_or_else(|| format!("there is no example `{}`", other.value))?.text.to_string())
    } else if let Some(request) = request {
        Some(match request.laid() {
            None => request.text.to_string(),
            Some(whole) => whole?.to_string(),
        })
    } else {
        None
    };
    if let Some(text) = text {
        built.body = Body::Whole(Bytes::from(text));
        if !built.headers.contains_key(header::CONTENT_TYPE) {
            let form = operation.body.as_ref().is_some_and(|rule| rule.form);
            let media = if form { "application/x-www-form-urlencoded" } else { "application/json" };
            built.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        }
    }
    Ok(())
}

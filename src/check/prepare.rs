//! The documented request, and the world that it was sent to.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use serde_json::{Map, Value as Json};

use crate::clock::{Instant, Mode};
use crate::engine::{self, Edit, Rules};
use crate::exchange::{Body, Request};
use crate::expr::Draws;
use crate::pack::source::Side;
use crate::pack::{Called, CalledBody, Example, OperationId, Options, Pack, Replay};
use crate::sandbox::{Controls, Exchange, Moment, World};

/// A request ready to be sent, with the moment that it meets.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) request: Request,
    pub(super) world: World,
    pub(super) at: Instant,
    pub(super) mode: Mode,
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
        let Prepared { world, at, mode, draws, options, .. } = self;
        Moment { world, controls, now: *at, mode: *mode, draws: draws.clone(), options }
    }
}

pub(super) fn prepare(pack: &Arc<Pack>, replay: &Replay) -> Result<Prepared, String> {
    let example = replay.answer.or(replay.request).map(|index| &pack.examples[index]);
    let example = example.ok_or_else(|| "there is nothing to replay".to_owned())?;
    let (sides, request) = pack.sides(replay);
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
    let called = pack.called(operation, sides, request)?;
    let template = Arc::clone(&called.template);
    happening(pack, sides, options, build(pack, called)?, template)
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
    let mode = if sides.iter().any(|side| side.frozen) { Mode::Frozen } else { Mode::Ticking };
    Ok(Prepared { request, world, at, mode, draws: Draws::new(SEED, 0).forcing(forced), options, template })
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
        let moment = Moment {
            world: &world,
            controls: &controls,
            now: at,
            mode: Mode::Ticking,
            draws: Draws::new(SEED, 0),
            options,
        };
        let (change, _) = engine::change(pack, &moment, resource, &edit)
            .map_err(|fault| format!("`given`: the `{name}` cannot be so: {fault:?}"))?;
        world = world.after(pack, &change.edits);
    }
    Ok(world)
}

fn build(pack: &Pack, called: Called<'_>) -> Result<Request, String> {
    let (carried, query) = pack.carried(&called);
    let mut headers = HeaderMap::new();
    for (name, value) in &carried {
        let known = HeaderName::try_from(name.as_str());
        insert(&mut headers, known.map_err(|_| format!("`{name}` is not the name of a header"))?, value)?;
    }
    let path = called.target();
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish();
    let base = called.base.unwrap_or_else(|| format!("http://localhost/{}", pack.name));
    let query = (!query.is_empty()).then_some(query);
    let mut request = Request { base, query, headers, ..plain(pack, called.method, &path, Bytes::new()) };
    let media = match called.body {
        None => return Ok(request),
        Some(CalledBody::Bytes(bytes)) => {
            request.body = match bytes > Body::LIMIT {
                true => Body::TooLarge { limit: Body::LIMIT },
                false => Body::Whole(Bytes::from(vec![b' '; bytes])),
            };
            "application/json"
        }
        Some(CalledBody::Text(text)) => {
            request.body = Body::Whole(Bytes::from(text));
            called.media_type
        }
    };
    if !request.headers.contains_key(header::CONTENT_TYPE) {
        request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    }
    Ok(request)
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), String> {
    let value = HeaderValue::from_str(value).map_err(|_| format!("`{value}` cannot be the value of a header"))?;
    headers.insert(name, value);
    Ok(())
}

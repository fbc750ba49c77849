//! The names that every expression of an operation may use.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::clock::{Instant, Mode};
use crate::exchange::Request;
use crate::expr::{Scope, Source, Value};
use crate::pack::{Options, Pack};
use crate::sandbox::{Moment, RecordsRoot, Visibility, World, WorldEdit};

pub(super) fn begin(pack: &Arc<Pack>, moment: &Moment<'_>, request: &Arc<Request>) -> Scope {
    let mut scope = Scope::new(moment.draws.clone());
    see(&mut scope, pack, moment, &Visibility::default(), Some(request), &[]);
    scope
}

/// `now`, `records`, `tables` and `options`: what events know too.
pub(super) fn world(pack: &Arc<Pack>, moment: &Moment<'_>, visibility: &Visibility) -> Scope {
    let mut scope = Scope::new(moment.draws.clone());
    see(&mut scope, pack, moment, visibility, None, &[]);
    scope
}

/// Lets a scope see this world, after some effects, as this caller does. Nothing is made before an expression asks for it.
pub(super) fn see(
    scope: &mut Scope,
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    visibility: &Visibility,
    request: Option<&Arc<Request>>,
    edits: &[WorldEdit],
) {
    if let Some(known) = scope.lazy_mut::<Surroundings>().filter(|known| known.are_of(pack, moment, request)) {
        known.visibility.clone_from(visibility);
        known.edits.clear();
        known.edits.extend_from_slice(edits);
        return;
    }
    scope.set_lazy(Arc::new(Surroundings {
        pack: Arc::clone(pack),
        world: moment.world.clone(),
        edits: edits.to_vec(),
        now: moment.now,
        mode: moment.mode,
        options: moment.options.clone(),
        visibility: visibility.clone(),
        request: request.cloned(),
    }));
}

/// The names that are always there.
struct Surroundings {
    pack: Arc<Pack>,
    world: World,
    /// What was done to the world since; performed on a copy when somebody looks.
    edits: Vec<WorldEdit>,
    now: Instant,
    mode: Mode,
    options: Options,
    visibility: Visibility,
    request: Option<Arc<Request>>,
}

impl Surroundings {
    fn are_of(&self, pack: &Arc<Pack>, moment: &Moment<'_>, request: Option<&Arc<Request>>) -> bool {
        Arc::ptr_eq(&self.pack, pack)
            && self.world.is(moment.world)
            && self.now == moment.now
            && self.request.as_ref().map(Arc::as_ptr) == request.map(Arc::as_ptr)
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Source for Surroundings {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "now" => Some(Value::instant(self.now)),
            "ticking" => Some(Value::json(&Json::Bool(self.mode == Mode::Ticking))),
            "records" => Some(Value::source(Arc::new(RecordsRoot {
                pack: Arc::clone(&self.pack),
                world: self.world.after(&self.pack, &self.edits),
                visibility: self.visibility.clone(),
            }))),
            "tables" => Some(Value::source(Arc::new(Arc::clone(&self.pack.tables)))),
            "options" => Some(Value::source(Arc::new(OptionsView {
                pack: Arc::clone(&self.pack),
                options: self.options.clone(),
            }))),
            "request" => Some(Value::source(Arc::new(RequestView(Arc::clone(self.request.as_ref()?))))),
            "headers" => Some(Value::source(Arc::new(HeadersView(Arc::clone(self.request.as_ref()?))))),
            "base" => Some(Value::string(&self.request.as_ref()?.base)),
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// `options`: what this sandbox has chosen.
#[derive(Debug)]
struct OptionsView {
    pack: Arc<Pack>,
    options: Options,
}

impl Source for OptionsView {
    fn get(&self, name: &str) -> Option<Value> {
        let known = &self.pack.options;
        let index = known.iter().position(|option| option.key == name)?;
        known[index].values.get(self.options.value(index)?).map(Value::json)
    }

    fn names(&self) -> Vec<String> {
        self.pack.options.iter().map(|option| option.key.clone()).collect()
    }
}

/// `request`: what was asked, as received.
#[derive(Debug)]
struct RequestView(Arc<Request>);

impl Source for RequestView {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "method" => Some(Value::string(self.0.method.as_str())),
            "path" => Some(Value::string(&self.0.path)),
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["method".to_owned(), "path".to_owned()]
    }
}

/// `headers`: by lower-case name; what is not text does not exist.
#[derive(Debug)]
struct HeadersView(Arc<Request>);

impl Source for HeadersView {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.header_line(name).map(|line| Value::string(&line))
    }

    fn names(&self) -> Vec<String> {
        self.0.headers.keys().map(|name| name.as_str().to_owned()).collect()
    }
}

/// `headers` of an operation that reads some of them by type, or has a default for one.
pub(super) fn read_headers(request: &Arc<Request>, values: Arc<Json>) -> Value {
    Value::source(Arc::new(ReadHeaders { all: HeadersView(Arc::clone(request)), values }))
}

#[derive(Debug)]
struct ReadHeaders {
    all: HeadersView,
    values: Arc<Json>,
}

impl Source for ReadHeaders {
    fn get(&self, name: &str) -> Option<Value> {
        Source::get(&self.values, name).or_else(|| self.all.get(name))
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.all.names();
        let known = self.values.as_object().into_iter().flat_map(serde_json::Map::keys);
        names.extend(known.filter(|name| self.all.get(name).is_none()).cloned());
        names
    }
}

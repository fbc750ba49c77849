//! The names that every expression of an operation may use.

use std::any::Any;
use std::sync::Arc;

use crate::exchange::Request;
use crate::expr::{Scope, Source, Value};
use crate::pack::Pack;
use crate::sandbox::{Moment, RecordsRoot, Visibility};

pub(super) fn begin(pack: &Arc<Pack>, moment: &Moment<'_>, request: &Arc<Request>) -> Scope {
    let mut scope = world(pack, moment, &Visibility::default());
    scope.bind("request", Value::source(Arc::new(RequestView(Arc::clone(request)))));
    scope.bind("headers", Value::source(Arc::new(HeadersView(Arc::clone(request)))));
    scope.bind("base", Value::string(&request.base));
    scope
}

/// `now`, `records` and `tables`: what events know too.
pub(super) fn world(pack: &Arc<Pack>, moment: &Moment<'_>, visibility: &Visibility) -> Scope {
    let mut scope = Scope::new(moment.draws.clone());
    scope.bind("now", Value::instant(moment.now));
    if pack.tables.as_object().is_some_and(|tables| !tables.is_empty()) {
        scope.bind("tables", Value::source(Arc::new(Arc::clone(&pack.tables))));
    }
    bind_records(&mut scope, pack, moment, visibility);
    scope
}

/// Binds `records` to what this caller may see.
pub(super) fn bind_records(scope: &mut Scope, pack: &Arc<Pack>, moment: &Moment<'_>, visibility: &Visibility) {
    let root =
        RecordsRoot { pack: Arc::clone(pack), world: moment.world.clone(), visibility: visibility.clone() };
    scope.bind("records", Value::source(Arc::new(root)));
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

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `headers`: by lower-case name; what is not text does not exist.
#[derive(Debug)]
struct HeadersView(Arc<Request>);

impl Source for HeadersView {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.header(name).map(Value::string)
    }

    fn names(&self) -> Vec<String> {
        self.0.headers.keys().map(|name| name.as_str().to_owned()).collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

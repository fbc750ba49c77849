use std::collections::BTreeMap;

use http::Method;

use super::OperationId;

/// Finds the operations of a path. More literal segments win; file order never matters.
#[derive(Debug, Default)]
pub(crate) struct Router {
    paths: matchit::Router<usize>,
    routes: Vec<Route>,
}

/// One path and what can be done there.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) template: String,
    /// Candidates per method, those with a condition first.
    pub(crate) methods: Vec<(Method, Vec<OperationId>)>,
}

impl Route {
    /// The operations that a method means here; HEAD means GET where nothing else is said.
    pub(crate) fn candidates(&self, method: &Method) -> Option<&[OperationId]> {
        let find = |method: &Method| self.methods.iter().find(|(known, _)| known == method);
        find(method)
            .or_else(|| if *method == Method::HEAD { find(&Method::GET) } else { None })
            .map(|(_, candidates)| candidates.as_slice())
    }
}

impl Router {
    /// Adds an operation. The error is matchit's, about two templates that cannot be told apart.
    pub(crate) fn add(&mut self, template: &str, method: &Method, operation: OperationId) -> Result<(), String> {
        let index = match self.routes.iter().position(|route| same(&route.template, template)) {
            Some(index) => index,
            None => {
                self.paths.insert(template, self.routes.len()).map_err(|error| error.to_string())?;
                self.routes.push(Route { template: template.to_owned(), methods: Vec::new() });
                self.routes.len() - 1
            }
        };
        let methods = &mut self.routes[index].methods;
        match methods.iter_mut().find(|(known, _)| known == method) {
            Some((_, candidates)) => candidates.push(operation),
            None => methods.push((method.clone(), vec![operation])),
        }
        Ok(())
    }

    /// The route of a path, with the encoded texts of its parameters by their order in the template.
    pub(crate) fn find<'r, 'p>(&'r self, path: &'p str) -> Option<(&'r Route, Vec<&'p str>)> {
        let found = self.paths.at(path).ok()?;
        let values = found.params.iter().map(|(_, value)| value).collect();
        Some((&self.routes[*found.value], values))
    }

    /// Sorts the candidates of each route by `rank`.
    pub(crate) fn sort(&mut self, rank: impl Fn(OperationId) -> bool) {
        for route in &mut self.routes {
            for (_, candidates) in &mut route.methods {
                candidates.sort_by_key(|operation| (rank(*operation), *operation));
            }
        }
    }

    /// Groups of operations that share method and path.
    pub(crate) fn shared(&self) -> BTreeMap<(String, String), &[OperationId]> {
        let groups = self.routes.iter().flat_map(|route| {
            route
                .methods
                .iter()
                .map(|(method, candidates)| ((method.to_string(), route.template.clone()), candidates.as_slice()))
        });
        groups.filter(|(_, candidates)| candidates.len() > 1).collect()
    }
}

/// The name of the parameter that a segment of a template stands for.
pub(crate) fn parameter_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// The names of a template's parameters, in order.
pub(crate) fn parameter_names(template: &str) -> Vec<&str> {
    template.split('/').filter_map(parameter_name).collect()
}

/// Whether two templates match the same paths: they differ in the names of parameters at most.
fn same(a: &str, b: &str) -> bool {
    let (mut left, mut right) = (a.split('/'), b.split('/'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(x), Some(y)) if x == y || (parameter_name(x).is_some() && parameter_name(y).is_some()) => {}
            _ => return false,
        }
    }
}

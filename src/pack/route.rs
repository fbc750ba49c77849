use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::Method;

use super::{Line, OperationId, Options, Wanted};
use crate::diagnostic::Location;

/// Finds the operations of a path. More literal segments win; file order never matters.
#[derive(Debug, Default)]
pub(crate) struct Router {
    paths: matchit::Router<usize>,
    routes: Vec<Route>,
    /// Routes by their templates without the names of parameters.
    shapes: HashMap<String, usize>,
}

/// One path and what can be done there.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) template: String,
    /// Candidates per method, those with a condition first.
    pub(crate) methods: Vec<(Method, Vec<Candidate>)>,
}

/// An operation at one of its methods and paths.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) operation: OperationId,
    pub(crate) template: Arc<str>,
    /// The names that the path's parameters have here, in order.
    pub(crate) names: Vec<Arc<str>>,
    /// What options must be for it to exist.
    pub(crate) wanted: Wanted,
    pub(crate) at: Location,
}

impl Route {
    /// The operations that a method means here.
    pub(crate) fn candidates(&self, method: &Method) -> &[Candidate] {
        self.methods.iter().find(|(known, _)| known == method).map_or(&[], |(_, candidates)| candidates)
    }

    fn exists(&self, options: &Options) -> bool {
        self.methods.iter().flat_map(|(_, candidates)| candidates).any(|candidate| candidate.wanted.holds(options))
    }
}

impl Router {
    /// Adds a line of an operation. The error is matchit's, about two templates that cannot be told apart.
    pub(crate) fn add(&mut self, operation: OperationId, line: Line) -> Result<(), String> {
        let shape = shape(&line.template);
        let index = match self.shapes.get(&shape) {
            Some(index) => *index,
            None => {
                self.paths.insert(&*line.template, self.routes.len()).map_err(|error| error.to_string())?;
                self.routes.push(Route { template: line.template.to_string(), methods: Vec::new() });
                self.shapes.insert(shape, self.routes.len() - 1);
                self.routes.len() - 1
            }
        };
        let Line { method, template, wanted, at } = line;
        let names = parameter_names(&template).into_iter().map(Arc::from).collect();
        let candidate = Candidate { operation, template, names, wanted, at };
        let methods = &mut self.routes[index].methods;
        match methods.iter_mut().find(|(known, _)| *known == method) {
            Some((_, candidates)) => candidates.push(candidate),
            None => methods.push((method, vec![candidate])),
        }
        Ok(())
    }

    /// The route of a path, with the encoded texts of its parameters by their order in the template.
    pub(crate) fn find<'r, 'p>(&'r self, path: &'p str, options: &Options) -> Option<(&'r Route, Vec<&'p str>)> {
        let found = self.paths.at(path).ok()?;
        let route = &self.routes[*found.value];
        if route.exists(options) {
            return Some((route, found.params.iter().map(|(_, value)| value).collect()));
        }
        // Nothing is there with these options, so that a path with fewer literal segments may be meant.
        let others = self.routes.iter().filter(|route| route.exists(options));
        let fitting = others.filter_map(|route| Some((route, path_values(&route.template, path)?)));
        fitting.max_by_key(|(route, _)| {
            route.template.split('/').map(|part| parameter_name(part).is_none()).collect::<Vec<bool>>()
        })
    }

    /// Sorts the candidates of each route by `rank`.
    pub(crate) fn sort(&mut self, rank: impl Fn(OperationId) -> bool) {
        for route in &mut self.routes {
            for (_, candidates) in &mut route.methods {
                candidates.sort_by_key(|candidate| (rank(candidate.operation), candidate.operation));
            }
        }
    }

    /// Groups of operations that share method and path.
    pub(crate) fn shared(&self) -> BTreeMap<(String, String), &[Candidate]> {
        let groups = self.routes.iter().flat_map(|route| {
            route
                .methods
                .iter()
                .map(|(method, candidates)| ((method.to_string(), route.template.clone()), candidates.as_slice()))
        });
        groups.filter(|(_, candidates)| candidates.len() > 1).collect()
    }
}

/// What stands in a path in place of a template's parameters, if it fits.
pub(crate) fn path_values<'p>(template: &str, path: &'p str) -> Option<Vec<&'p str>> {
    let (mut parts, mut given) = (template.split('/'), path.split('/'));
    let mut found = Vec::new();
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return Some(found),
            (Some(part), Some(text)) if parameter_name(part).is_some() && !text.is_empty() => found.push(text),
            (Some(part), Some(text)) if part == text => {}
            _ => return None,
        }
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

/// What is the same for templates that match the same paths: they differ in the names of parameters at most.
fn shape(template: &str) -> String {
    let mut shape = String::with_capacity(template.len());
    for (index, part) in template.split('/').enumerate() {
        if index > 0 {
            shape.push('/');
        }
        shape.push_str(if parameter_name(part).is_some() { "{}" } else { part });
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::FileId;

    #[test]
    fn templates_that_differ_in_names_of_parameters_are_one_route() {
        let line = |method: Method, template: &str| Line {
            method,
            template: template.into(),
            wanted: Wanted::default(),
            at: Location::new(FileId(0), 0..0),
        };
        let mut router = Router::default();
        let lines = [
            (Method::GET, "/things/{id}"),
            (Method::PUT, "/things/{thing}"),
            (Method::GET, "/things/{id}/parts"),
            (Method::GET, "/{things}/all"),
        ];
        for (number, (method, template)) in lines.into_iter().enumerate() {
            router.add(OperationId(number), line(method, template)).unwrap();
        }
        assert_eq!(router.routes.len(), 3);
        assert_eq!(router.routes[0].methods.len(), 2);
        assert_eq!(router.shapes["/things/{}"], 0);
        assert_eq!(router.shapes["/{}/all"], 2);
    }
}

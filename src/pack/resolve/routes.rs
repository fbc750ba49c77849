//! The routes between operations: which path leads where, and what tells operations on one path apart.

use serde_json::Value;

use super::Resolver;
use super::operations::Parts;
use crate::diagnostic::{Code, Diagnostic};
use crate::pack::{Candidate, Operation, OperationId, Router, parameter_names};
use crate::schema::Place;

impl Resolver<'_> {
    /// Puts every operation on its path, with operations that share one told apart.
    pub(super) fn routes(&mut self, parts: &Parts) -> Option<Router> {
        let mut router = Router::default();
        for (index, operation) in parts.operations.iter().enumerate() {
            for line in operation.lines() {
                let at = line.at.clone();
                if let Err(reason) = router.add(OperationId(index), line) {
                    let message = format!("the path cannot be told from another: {reason}");
                    self.report(Diagnostic::error(Code::RouteAmbiguous, at, message).help("change one of the two"));
                }
            }
        }
        // One message about two operations is enough.
        let mut told = Vec::new();
        for ((method, template), candidates) in router.shared() {
            let of = |candidate: &Candidate| &parts.operations[candidate.operation.0];
            if let Some((first, second)) = pair(candidates, |a, b| a.operation == b.operation) {
                let message = format!("this operation answers {method} {template} twice");
                let diagnostic = Diagnostic::error(Code::RouteAmbiguous, second.at.clone(), message)
                    .related(first.at.clone(), "the first")
                    .help("take one out");
                self.diagnostics.push(diagnostic);
                told.push(second.at.clone());
                continue;
            }
            let open = |a: &Candidate, b: &Candidate| of(a).when.is_none() && of(b).when.is_none();
            if let Some((first, second)) = pair(candidates, open) {
                let message = format!("two operations answer {method} {template}, and no `when` tells them apart");
                let diagnostic = Diagnostic::error(Code::RouteAmbiguous, second.at.clone(), message)
                    .related(first.at.clone(), "the other one")
                    .help(match (first.wanted.is_empty(), second.wanted.is_empty()) {
                        (true, true) => "add `when` to all but one of them",
                        _ => "add `when` to all but one of them, or let their `option`s exclude each other",
                    });
                self.diagnostics.push(diagnostic);
                told.push(second.at.clone());
                continue;
            }
            if let Some((first, other)) = pair(candidates, |a, b| of(a).auth != of(b).auth) {
                let message = format!("operations on {method} {template} ask for different credentials");
                let diagnostic = Diagnostic::error(Code::RouteAuth, other.at.clone(), message)
                    .related(first.at.clone(), "the other one")
                    .help(
                        "callers are identified before it is known which operation is meant: give both the same `auth`",
                    );
                self.diagnostics.push(diagnostic);
                told.push(other.at.clone());
            }
        }
        for ((method, template), candidates) in router.shared() {
            let read = |candidate: &Candidate| read_of(&parts.operations[candidate.operation.0], &candidate.template);
            let differ = |a: &Candidate, b: &Candidate| !told.contains(&b.at) && read(a) != read(b);
            if let Some((first, other)) = pair(candidates, differ) {
                let message = format!("operations on {method} {template} read path, query or headers differently");
                let diagnostic = Diagnostic::error(Code::RouteAmbiguous, other.at.clone(), message)
                    .related(first.at.clone(), "the other one")
                    .help("these are read before it is known which operation is meant: give both the same parameters");
                self.diagnostics.push(diagnostic);
            }
        }
        router.sort(|id| parts.operations[id.0].when.is_none());
        Some(router)
    }
}

/// The first two candidates that are there together with some options, and of which this is so.
fn pair(candidates: &[Candidate], is: impl Fn(&Candidate, &Candidate) -> bool) -> Option<(&Candidate, &Candidate)> {
    let with_earlier = |(index, second): (usize, &'_ Candidate)| {
        let together = |first: &&Candidate| !first.wanted.excludes(&second.wanted) && is(first, second);
        candidates[..index].iter().position(|first| together(&first)).map(|first| (first, index))
    };
    let (first, second) = candidates.iter().enumerate().find_map(with_earlier)?;
    Some((&candidates[first], &candidates[second]))
}

/// The parameters of an operation, those of the path by their place in a template.
fn read_of<'o>(operation: &'o Operation, template: &str) -> Vec<(&'static str, String, &'o Value)> {
    let names = parameter_names(template);
    let name = |place: Place, name: &str| match place {
        Place::Path => {
            names.iter().position(|known| *known == name).map_or_else(String::new, |index| index.to_string())
        }
        _ => name.to_owned(),
    };
    let all = operation.parameters.iter().flat_map(|parameters| {
        let place = parameters.place;
        parameters.known.iter().map(move |known| (place.name(), name(place, &known.name), &known.schema))
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    all
}

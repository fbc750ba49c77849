//! The routes between operations: which path leads where, and what tells operations on one path apart.

use serde_json::Value;

use super::Resolver;
use super::operations::Parts;
use crate::diagnostic::{Code, Diagnostic};
use crate::pack::{Operation, OperationId, Router, parameter_names};
use crate::schema::Place;

impl Resolver<'_> {
    /// Puts every operation on its path, with operations that share one told apart.
    pub(super) fn routes(&mut self, parts: &Parts) -> Option<Router> {
        let mut router = Router::default();
        for (index, operation) in parts.operations.iter().enumerate() {
            if let Err(reason) = router.add(&operation.template, &operation.method, OperationId(index)) {
                let message = format!("the path cannot be told from another: {reason}");
                self.report(
                    Diagnostic::error(Code::RouteAmbiguous, operation.at.clone(), message)
                        .help("change one of the two"),
                );
            }
        }
        // One message about two operations is enough.
        let mut told = Vec::new();
        for ((method, template), candidates) in router.shared() {
            let of = |id: &OperationId| &parts.operations[id.0];
            let open: Vec<&OperationId> = candidates.iter().filter(|id| of(id).when.is_none()).collect();
            if let [first, second, ..] = open.as_slice() {
                let message = format!("two operations answer {method} {template}, and no `when` tells them apart");
                let diagnostic = Diagnostic::error(Code::RouteAmbiguous, of(second).at.clone(), message)
                    .related(of(first).at.clone(), "the other one")
                    .help("add `when` to all but one of them");
                self.diagnostics.push(diagnostic);
                told.push(of(second).at.clone());
                continue;
            }
            if let Some(other) = candidates.iter().skip(1).find(|id| of(id).auth != of(&candidates[0]).auth) {
                let message = format!("operations on {method} {template} ask for different credentials");
                let diagnostic = Diagnostic::error(Code::RouteAuth, of(other).at.clone(), message)
                    .related(of(&candidates[0]).at.clone(), "the other one")
                    .help(
                        "callers are identified before it is known which operation is meant: give both the same `auth`",
                    );
                self.diagnostics.push(diagnostic);
                told.push(of(other).at.clone());
            }
        }
        for ((method, template), candidates) in router.shared() {
            let of = |id: &OperationId| &parts.operations[id.0];
            let first = of(&candidates[0]);
            let differs = |other: &&Operation| !told.contains(&other.at) && read_of(other) != read_of(first);
            if let Some(other) = candidates.iter().skip(1).map(of).find(differs) {
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

/// The parameters of an operation, those of the path by their place in it.
fn read_of(operation: &Operation) -> Vec<(&'static str, String, &Value)> {
    let names = parameter_names(&operation.template);
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

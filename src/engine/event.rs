//! Changes that no API call makes.

use std::sync::Arc;

use serde_json::Value as Json;

use super::guard::{self, Missing};
use super::{Rejection, behave, scope};
use crate::expr::Value;
use crate::journal::{Happening, Trace};
use crate::pack::{Event, Pack};
use crate::sandbox::{Change, Intervention, Moment, Visibility, notes};
use crate::schema::{Place, Violation};

/// Why an event did not happen.
#[derive(Debug)]
pub(crate) enum EventFault {
    /// The input does not fit the event.
    Invalid(Vec<Violation>),
    /// The record that it is about does not exist; in words.
    Missing(String),
    /// It cannot happen now; in words.
    Refused(String),
}

/// Fires an event of a pack: checks its input, loads its records, judges its guards, performs its effects.
pub(crate) fn fire(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    event: &Event,
    input: &Json,
) -> Result<Intervention, EventFault> {
    let change = change(pack, moment, event, input)?;
    let what = Happening::Event {
        pack: Arc::clone(&pack.name),
        name: Arc::clone(&event.name),
        input: input.clone(),
        changes: notes(pack, &change.steps),
    };
    Ok(Intervention { change, what })
}

fn change(pack: &Arc<Pack>, moment: &Moment<'_>, event: &Event, input: &Json) -> Result<Change, EventFault> {
    if let Some(parameters) = &event.input {
        let violations = parameters.schema.violations(input, Place::Body);
        if !violations.is_empty() {
            return Err(EventFault::Invalid(violations));
        }
    }
    // Events see the whole world: nobody in particular calls.
    let visibility = Visibility::default();
    let mut scope = scope::world(pack, moment, &visibility);
    scope.bind("input", Value::source(Arc::new(Arc::new(input.clone()))));
    let mut trace = Trace::new();
    let loaded = guard::records(pack, moment, &visibility, event.loads.iter(), &mut scope, &mut trace);
    match loaded {
        Ok(None) => {}
        Ok(Some(Missing { resource, .. })) => {
            let words = trace.steps().last().map_or("", |step| step.detail.text());
            return Err(EventFault::Missing(format!("{}: {words}", pack.resource(resource).name)));
        }
        Err(rejection) => return Err(refused(pack, rejection)),
    }
    for guard in &event.guards {
        match pack.program.holds(guard.require, &scope) {
            Ok(true) => {}
            Ok(false) => return Err(EventFault::Refused(guard.otherwise.clone())),
            Err(fault) => return Err(refused(pack, fault.into())),
        }
    }
    behave::effects(pack, moment, &visibility, &event.effects, &mut scope, &mut trace, None)
        .map_err(|rejection| refused(pack, rejection))
}

fn refused(pack: &Pack, rejection: Rejection) -> EventFault {
    EventFault::Refused(match rejection {
        Rejection::Named(error) => format!("the pack refuses it with `{}`", pack.error(error).name),
        Rejection::Fault(words) | Rejection::Refused(_, words) => words,
        Rejection::Invalid(_) | Rejection::Problem(_) => "it does not fit".to_owned(),
    })
}

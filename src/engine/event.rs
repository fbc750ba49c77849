//! Changes that no API call makes.

use std::sync::Arc;

use serde_json::Value as Json;

use super::fill::{Slot, fill};
use super::guard::{self, Missing};
use super::{Rejection, behave, reject, scope, webhook};
use crate::exchange::JsonText;
use crate::expr::Value;
use crate::journal::{Happening, Trace};
use crate::pack::{Event, Pack};
use crate::sandbox::{Change, Deeds, Fired, Intervention, Moment, Occasion, RecordView, Visibility, notes};
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
        input: JsonText::of(input),
        changes: notes(pack, &change.steps),
        deliveries: change.delivery_ids(),
        scheduled: None,
    };
    Ok(Intervention { change, what })
}

/// How what is due in a sandbox is worked out.
pub(crate) const DEEDS: Deeds = Deeds { fire: due, attempt: webhook::attempt };

/// An event whose time has come.
fn due(pack: &Arc<Pack>, moment: &Moment<'_>, occasion: &Occasion<'_>) -> Fired {
    let (Occasion::Asked(name, _) | Occasion::Tied(name, _)) = occasion;
    let Some(event) = pack.event_named(name) else {
        return Fired { input: Json::Null, change: Err(format!("the pack has no event `{name}` any more")) };
    };
    let input = match occasion {
        Occasion::Asked(_, input) => input.read(),
        Occasion::Tied(_, id) => match tied(pack, moment, event, id) {
            Ok(input) => input,
            Err(why) => return Fired { input: Json::Null, change: Err(why) },
        },
    };
    let change = change(pack, moment, event, &input).map_err(|fault| match fault {
        EventFault::Missing(why) | EventFault::Refused(why) => why,
        EventFault::Invalid(violations) => reject::words(&violations),
    });
    Fired { input, change }
}

/// The input of an event that a pack has for a record.
fn tied(pack: &Arc<Pack>, moment: &Moment<'_>, event: &Event, id: &str) -> Result<Json, String> {
    let schedule = event.schedule.as_ref().ok_or("the event does not happen by itself any more")?;
    let name = &pack.resource(schedule.resource).name;
    let record =
        moment.world.get(schedule.resource, id).ok_or_else(|| format!("there is no `{name}` `{id}` any more"))?;
    let mut scope = scope::world(pack, moment, &Visibility::default());
    scope.bind("record", RecordView::value(pack, schedule.resource, Arc::clone(record)));
    let filled = fill(pack, &schedule.input, &scope, Slot::new("input"));
    let input = filled.map_err(|rejection| match rejection {
        Rejection::Fault(words) => words,
        _ => "its input cannot be made".to_owned(),
    })?;
    Ok(input.unwrap_or_default())
}

/// Whether an event can have an input.
pub(crate) fn fits(event: &Event, input: &Json) -> Result<(), EventFault> {
    let violations = event.input.as_ref().map(|parameters| parameters.schema.violations(input, Place::Body));
    match violations.unwrap_or_default() {
        none if none.is_empty() => Ok(()),
        violations => Err(EventFault::Invalid(violations)),
    }
}

fn change(pack: &Arc<Pack>, moment: &Moment<'_>, event: &Event, input: &Json) -> Result<Change, EventFault> {
    fits(event, input)?;
    // Events see the whole world: nobody in particular calls.
    let visibility = Visibility::default();
    let mut scope = scope::world(pack, moment, &visibility);
    scope.bind("input", Value::source(Arc::new(Arc::new(input.clone()))));
    let mut trace = Trace::new();
    let loaded = guard::records(pack, moment, &visibility, event.loads.iter(), &mut scope, &mut trace);
    match loaded {
        Ok(None) => {}
        Ok(Some(Missing { resource, .. })) => {
            let words = trace.steps().last().map_or("", |step| step.detail);
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
    let mut change = behave::effects(pack, moment, &visibility, &event.effects, &mut scope, &mut trace, None)
        .map_err(|rejection| refused(pack, rejection))?;
    webhook::after_event(pack, moment, &mut change, (&event.name, input), &mut trace)
        .map_err(|rejection| refused(pack, rejection))?;
    Ok(change)
}

fn refused(pack: &Pack, rejection: Rejection) -> EventFault {
    EventFault::Refused(match rejection {
        Rejection::Named(error) => format!("the pack refuses it with `{}`", pack.error(error).name),
        Rejection::Fault(words) | Rejection::Refused(_, words) => words,
        Rejection::Invalid(_) | Rejection::Problem(_) => "it does not fit".to_owned(),
    })
}

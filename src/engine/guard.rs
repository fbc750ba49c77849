use std::sync::Arc;

use super::{Call, Rejection};
use crate::expr::{Scope, Value};
use crate::journal::{Stage, Trace, Verdict};
use crate::pack::{ErrorId, Load, Operation, Pack, Refusal, ResourceId, Turn};
use crate::sandbox::{Moment, Record, RecordView, Visibility};

/// Looks up the records that an operation is about and whose turn it is. Those of other accounts do not exist.
pub(super) fn load(call: &mut Call<'_>, operation: &Operation, turn: Turn) -> Result<(), Rejection> {
    let Call { pack, moment, visibility, .. } = call;
    let loads = operation.loads.iter().filter(|load| load.turn == turn);
    match records(pack, moment, visibility, loads, &mut call.scope, &mut call.trace)? {
        None => Ok(()),
        Some(Missing { error: Some(error), .. }) => Err(Rejection::Named(error)),
        Some(Missing { resource, .. }) => {
            let name = &call.pack.resource(resource).name;
            Err(Rejection::Refused(Refusal::NotFound, format!("there is no such `{name}`")))
        }
    }
}

/// A record that is not there, with the error that the pack has for it.
pub(super) struct Missing {
    pub(super) resource: ResourceId,
    pub(super) error: Option<ErrorId>,
}

/// Binds each record under its name; stops at the first that is missing.
pub(super) fn records<'l>(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    visibility: &Visibility,
    loads: impl IntoIterator<Item = &'l Load>,
    scope: &mut Scope,
    trace: &mut Trace,
) -> Result<Option<Missing>, Rejection> {
    for load in loads {
        let id = pack.program.eval(load.id, scope, "")?;
        let sees = |record: &&Arc<Record>| visibility.sees(pack, moment.world, load.resource, record);
        let record = match load.by {
            _ if id.is_undefined() || id.is_null() => None,
            None => moment.world.get(load.resource, &id.text()).filter(sees),
            Some(index) => moment.world.lookup(load.resource, index, &id.text()).find(sees),
        };
        let field = load.by.map(|index| {
            let resource = pack.resource(load.resource);
            &resource.fields[resource.lookups[index]]
        });
        match record {
            Some(record) => {
                match field {
                    None => trace.passed(Stage::Load, Some(&load.at), &load.name),
                    Some(field) => {
                        trace.passed(Stage::Load, Some(&load.at), format!("{} by `{}`", load.name, field.name));
                    }
                }
                let value = RecordView::value(pack, load.resource, Arc::clone(record));
                scope.bind(Arc::clone(&load.name), value);
            }
            None if load.optional => {
                trace.add(Stage::Load, Verdict::Noted, Some(&load.at), "absent, which is allowed");
                scope.bind(Arc::clone(&load.name), Value::null());
            }
            None => {
                let resource = pack.resource(load.resource);
                let whose = if visibility.is_everyone() { "there is" } else { "this caller has" };
                let key = field.unwrap_or_else(|| resource.id_field());
                let words = match field {
                    _ if key.secret => format!("{whose} no `{}` with this `{}`", resource.name, key.name),
                    None => format!("{whose} no `{}` with the id `{}`", resource.name, id.text()),
                    Some(field) => {
                        format!("{whose} no `{}` with the `{}` `{}`", resource.name, field.name, id.text())
                    }
                };
                trace.add(Stage::Load, Verdict::Refused, Some(&load.at), words);
                return Ok(Some(Missing { resource: load.resource, error: load.otherwise.or(resource.not_found) }));
            }
        }
    }
    Ok(None)
}

/// Conditions whose turn it is with the error that each gives, in order.
pub(super) fn check(call: &mut Call<'_>, operation: &Operation, turn: Turn) -> Result<(), Rejection> {
    for guard in operation.guards.iter().filter(|guard| guard.turn == turn) {
        if !call.pack.program.holds(guard.require, &call.scope)? {
            let words = format!("`{}`: `{}` does not hold", guard.name, call.pack.program.text(guard.require));
            call.trace.add(Stage::Guards, Verdict::Refused, Some(&guard.at), words);
            return Err(Rejection::Named(guard.otherwise));
        }
        call.trace.passed(Stage::Guards, Some(&guard.at), &guard.name);
    }
    Ok(())
}

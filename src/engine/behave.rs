//! What an operation does: its page of records, and its effects on a copy of the world.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value as Json;

use super::fill::{Slot, draft, evaluated, fill};
use super::{Call, Rejection, scope};
use crate::exchange::Request;
use crate::expr::{ExprId, Scope, Source, Value};
use crate::journal::{Stage, Trace, Verdict};
use crate::pack::{Effect, List, Operation, Pack, ResourceId, Shape, Sort, Verb};
use crate::sandbox::{
    Change, Conflict, Moment, Numbers, Record, RecordList, RecordView, Step, Visibility, World, WorldEdit,
};

pub(super) fn apply(call: &mut Call<'_>, operation: &Operation) -> Result<Change, Rejection> {
    if let Some(list) = &operation.list {
        page(call, list)?;
    }
    let Call { pack, moment, visibility, scope, trace, request, .. } = call;
    effects(pack, moment, visibility, &operation.effects, scope, trace, Some(request))
}

/// Performs effects in order on a copy of the world. Later effects, and the answer, see what earlier ones did.
pub(super) fn effects(
    pack: &Arc<Pack>,
    moment: &Moment<'_>,
    visibility: &Visibility,
    effects: &[Effect],
    scope: &mut Scope,
    trace: &mut Trace,
    request: Option<&Arc<Request>>,
) -> Result<Change, Rejection> {
    if effects.is_empty() {
        return Ok(Change::default());
    }
    let mut work = Work { pack, base: moment.world, own: None, change: Change::default(), created: 0 };
    for effect in effects {
        if let Some(when) = effect.when
            && !pack.program.holds(when, scope)?
        {
            trace.add(Stage::Behave, Verdict::Noted, Some(&effect.at), "its condition does not hold: nothing done");
            continue;
        }
        match work.perform(effect, scope) {
            Ok(words) => trace.passed(Stage::Behave, Some(&effect.at), words),
            Err(rejection) => {
                if let Rejection::Named(error) = &rejection {
                    let words = format!("not unique: `{}`", pack.error(*error).name);
                    trace.add(Stage::Behave, Verdict::Refused, Some(&effect.at), words);
                }
                return Err(rejection);
            }
        }
        scope::see(scope, pack, moment, visibility, request, &work.change.edits);
    }
    Ok(work.change)
}

struct Work<'a> {
    pack: &'a Arc<Pack>,
    base: &'a World,
    /// The world after the effects so far; made when a further effect has to see it.
    own: Option<World>,
    change: Change,
    created: u32,
}

impl<'a> Work<'a> {
    fn world(&self) -> &World {
        self.own.as_ref().unwrap_or(self.base)
    }

    fn perform(&mut self, effect: &Effect, scope: &mut Scope) -> Result<&'a str, Rejection> {
        if !self.change.edits.is_empty() {
            self.own = Some(self.base.after(self.pack, &self.change.edits));
        }
        match effect.verb {
            Verb::Create => self.create(effect, scope),
            Verb::Update => self.update(effect, scope),
            Verb::Delete => self.delete(effect, scope),
        }
    }

    fn create(&mut self, effect: &Effect, scope: &mut Scope) -> Result<&'a str, Rejection> {
        let pack = self.pack;
        let resource = pack.resource(effect.resource);
        let mut values: Vec<Option<Json>> = vec![None; resource.fields.len()];
        self.created += 1;
        let numbered = format!("{}#{}", resource.name, self.created);
        let prefix = if self.created == 1 { &*resource.name } else { numbered.as_str() };
        let prefix = Slot::new(prefix);
        self.set(effect, scope, &mut values, prefix)?;
        let id = resource.id_field();
        if values[resource.id].is_none() {
            values[resource.id] = match id.sort {
                Sort::Uuid => Some(Json::from(scope.draws().uuid(&prefix.step(&id.name).name(), 0))),
                Sort::Integer => Some(self.next_integer(effect.resource, scope, &prefix.step(&id.name).name())),
                _ => None,
            };
        }
        for (index, field) in resource.fields.iter().enumerate() {
            if let (None, Some(default)) = (&values[index], &field.default) {
                let mut inner = scope.clone();
                inner.bind("record", draft(self.pack, effect.resource, &values));
                values[index] = self.value(default, &inner, effect.resource, index, prefix.step(&field.name))?;
            }
            if values[index].is_none() && !field.optional {
                return Err(Rejection::Fault(format!("nothing sets `{}.{}`", resource.name, field.name)));
            }
        }
        let record = self.world().insert(self.pack, effect.resource, values).map_err(conflict)?;
        self.done("create", effect, &record, scope);
        Ok(&resource.name)
    }

    /// The next number, unless a replayed example says which.
    fn next_integer(&self, resource: ResourceId, scope: &Scope, slot: &str) -> Json {
        match scope.draws().forced(slot) {
            Some(forced) => forced.clone(),
            None => Json::from(self.world().next_integer(resource)),
        }
    }

    fn update(&mut self, effect: &Effect, scope: &mut Scope) -> Result<&'a str, Rejection> {
        let Some(record) = self.current(effect, scope)? else {
            return Ok("there is no record: nothing done");
        };
        let pack = self.pack;
        let resource = pack.resource(effect.resource);
        let mut values = record.values.to_vec();
        self.set(effect, scope, &mut values, Slot::new(&resource.name))?;
        for field in &effect.unset {
            values[*field] = None;
        }
        if record.values.are(&values) {
            return Ok("nothing is different: nothing done");
        }
        let record = self.world().update(self.pack, effect.resource, record.sequence, values).map_err(conflict)?;
        self.done("update", effect, &record, scope);
        Ok(&resource.name)
    }

    fn delete(&mut self, effect: &Effect, scope: &Scope) -> Result<&'a str, Rejection> {
        let Some(record) = self.current(effect, scope)? else {
            return Ok("there is no record: nothing done");
        };
        let mut change = std::mem::take(&mut self.change);
        self.world().delete(self.pack, effect.resource, record.sequence, &mut change);
        self.change = change;
        let pack = self.pack;
        Ok(&pack.resource(effect.resource).name)
    }

    /// The record that a name stands for, as the world has it now.
    fn current(&self, effect: &Effect, scope: &Scope) -> Result<Option<Arc<Record>>, Rejection> {
        let Some(value) = scope.get(&effect.name) else { return Ok(None) };
        match value.downcast::<RecordView>() {
            Some(view) => Ok(self.world().at(effect.resource, view.record.sequence).cloned()),
            None if value.is_null() => Ok(None),
            None => Err(Rejection::Fault(format!("`{}` is not a record", effect.name))),
        }
    }

    fn done(&mut self, verb: &'static str, effect: &Effect, record: &Arc<Record>, scope: &mut Scope) {
        let id = record.text(self.pack.resource(effect.resource).id).unwrap_or_default();
        self.change.steps.push(Step { verb, resource: effect.resource, id });
        self.change.edits.push(WorldEdit::Put(effect.resource, Arc::clone(record)));
        let value = RecordView::value(self.pack, effect.resource, Arc::clone(record));
        scope.bind(Arc::clone(&effect.name), value);
    }

    fn set(
        &self,
        effect: &Effect,
        scope: &Scope,
        values: &mut [Option<Json>],
        slot: Slot<'_>,
    ) -> Result<(), Rejection> {
        let pack = self.pack;
        let resource = pack.resource(effect.resource);
        for (field, shape) in &effect.set {
            let name = &resource.fields[*field].name;
            values[*field] = self.value(shape, scope, effect.resource, *field, slot.step(name))?;
        }
        Ok(())
    }

    /// A field's value as it is kept: instants stay instants.
    fn value(
        &self,
        shape: &Shape,
        scope: &Scope,
        resource: ResourceId,
        field: usize,
        slot: Slot<'_>,
    ) -> Result<Option<Json>, Rejection> {
        let definition = self.pack.resource(resource);
        let field = &definition.fields[field];
        let value = match shape {
            Shape::Value { expr, .. } => evaluated(self.pack, *expr, scope, slot)?.to_json(),
            shape => fill(self.pack, shape, scope, slot)?,
        };
        match value {
            Some(value) => Ok(Some(field.keep(value).map_err(Rejection::Fault)?)),
            None if field.optional => Ok(None),
            None => {
                Err(Rejection::Fault(format!("`{}.{}` is set to something undefined", definition.name, field.name)))
            }
        }
    }
}

fn conflict(conflict: Conflict) -> Rejection {
    match conflict {
        Conflict::Unique { error, .. } => Rejection::Named(error),
        Conflict::Id(id) => Rejection::Fault(format!("the id `{id}` is taken")),
        Conflict::Fault(fault) => fault.into(),
    }
}

/// Binds `page`: the records that the caller sees on it, and the numbers about it.
fn page(call: &mut Call<'_>, list: &List) -> Result<(), Rejection> {
    let Call { pack, moment, visibility, scope, .. } = call;
    let whole = |expr: Option<ExprId>| -> Result<Option<i64>, Rejection> {
        match expr {
            None => Ok(None),
            Some(expr) => Ok(pack.program.eval(expr, scope, "")?.as_i64()),
        }
    };
    let number = whole(list.number)?.unwrap_or(list.first).max(list.first);
    let sort = match list.sort {
        None => None,
        Some(expr) => {
            let value = pack.program.eval(expr, scope, "")?;
            if value.is_undefined() || value.is_null() {
                None
            } else {
                pack.resource(list.from).field(&value.text()).map(|(index, _)| index)
            }
        }
    };
    let descending = match list.descending {
        None => false,
        Some(expr) => pack.program.holds(expr, scope)?,
    };
    let size_wish = whole(list.size)?;
    let mut sequences = visibility.sequences(pack, moment.world, list.from);
    if let Some(only) = list.only {
        let mut inner = scope.clone();
        let mut kept = Numbers::default();
        for record in moment.world.each(list.from, &sequences) {
            inner.bind("record", RecordView::value(pack, list.from, Arc::clone(record)));
            if pack.program.holds(only, &inner)? {
                kept.put(record.sequence);
            }
        }
        sequences = kept;
    }
    let total = sequences.len();
    let size = size_wish.and_then(|size| usize::try_from(size).ok()).unwrap_or(total).max(1);
    let skip = usize::try_from(number - list.first).unwrap_or(usize::MAX).saturating_mul(size);
    let record = |sequence: &u64| moment.world.at(list.from, *sequence).cloned();
    let shown: Vec<Arc<Record>> = match (sort, descending) {
        (None, false) => {
            (skip..skip.saturating_add(size).min(total)).filter_map(|index| record(sequences.get(index)?)).collect()
        }
        (None, true) => (skip..skip.saturating_add(size).min(total))
            .filter_map(|index| record(sequences.get(total - 1 - index)?))
            .collect(),
        (Some(field), _) => {
            let all: Vec<&Arc<Record>> = moment.world.each(list.from, &sequences).collect();
            // Equal values keep the order of creation.
            let shown = piece(all, skip, size, |a, b| {
                let order = a.values.compare(&b.values, field);
                let order = if descending { order.reverse() } else { order };
                order.then_with(|| a.sequence.cmp(&b.sequence))
            });
            shown.into_iter().cloned().collect()
        }
    };
    let last = total.div_ceil(size).max(1);
    let count = |count: usize| Value::integer(i64::try_from(count).unwrap_or(i64::MAX));
    let (from, to) = match shown.len() {
        0 => (Value::null(), Value::null()),
        many => (count(skip + 1), count(skip + many)),
    };
    let records = RecordList { pack: Arc::clone(pack), resource: list.from, records: shown };
    let values = Page([
        ("records", Value::list_source(Arc::new(records))),
        ("number", Value::integer(number)),
        ("size", count(size)),
        ("total", count(total)),
        ("last", Value::integer(i64::try_from(last).unwrap_or(i64::MAX).saturating_add(list.first - 1))),
        ("from", from),
        ("to", to),
    ]);
    call.scope.bind("page", Value::source(Arc::new(values)));
    call.trace.passed(Stage::Behave, Some(&list.at), "page of records");
    Ok(())
}

/// A piece of what a list would be in an order in which no two are equal. Only the piece is sorted.
fn piece<T>(mut all: Vec<T>, skip: usize, size: usize, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    if skip >= all.len() {
        return Vec::new();
    }
    if skip > 0 {
        all.select_nth_unstable_by(skip, &order);
        all.drain(..skip);
    }
    if size < all.len() {
        all.select_nth_unstable_by(size, &order);
        all.truncate(size);
    }
    all.sort_unstable_by(order);
    all
}

/// `page`: the records of a page and the numbers about it.
#[derive(Debug)]
struct Page([(&'static str, Value); 7]);

impl Source for Page {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| (*name).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_what_the_whole_would_have_there() {
        let all: Vec<u64> = (0..50).map(|number| number * 37 % 50).collect();
        for skip in 0..52 {
            for size in 1..52 {
                let whole: Vec<u64> = (0..50).skip(skip).take(size).collect();
                assert_eq!(piece(all.clone(), skip, size, Ord::cmp), whole, "{skip} and {size}");
            }
        }
    }
}

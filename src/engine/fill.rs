//! Shapes to values.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Rejection;
use crate::clock::Instant;
use crate::expr::{ExprId, Kind, Scope, Value};
use crate::pack::{Each, Member, Pack, Shape};
use crate::sandbox::{Record, RecordView};

/// What the members of a shape are looked up in.
#[derive(Clone, Copy)]
pub(super) enum Current<'a> {
    Nothing,
    Record(&'a RecordView),
    Json(&'a Json),
}

/// The name of the thing that is being made, by which its draws are keyed: `customer.api_token`.
#[derive(Clone, Copy)]
pub(super) struct Slot<'a> {
    within: Option<&'a Slot<'a>>,
    name: &'a str,
}

impl<'a> Slot<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Slot { within: None, name }
    }

    pub(super) fn step(&'a self, name: &'a str) -> Slot<'a> {
        Slot { within: Some(self), name }
    }

    pub(super) fn name(&self) -> String {
        match self.within {
            Some(within) => format!("{}.{}", within.name(), self.name),
            None => self.name.to_owned(),
        }
    }
}

/// A value, or `None` where it is undefined.
pub(super) fn fill(
    pack: &Arc<Pack>,
    shape: &Shape,
    scope: &Scope,
    current: Current<'_>,
    slot: Slot<'_>,
) -> Result<Option<Json>, Rejection> {
    Ok(match shape {
        Shape::Literal(value) => Some(value.clone()),
        Shape::Value { expr, kind } => written(pack, &evaluated(pack, *expr, scope, slot)?, kind),
        Shape::Field(index) => match current {
            Current::Record(view) => field(view, *index),
            _ => None,
        },
        Shape::Member { name, ignore_case } => match current {
            Current::Json(Json::Object(object)) => member(object, name, *ignore_case).cloned(),
            _ => None,
        },
        Shape::Fields => match current {
            Current::Record(view) => Some(fields(view)),
            _ => None,
        },
        Shape::List(items) => {
            let mut out = Vec::with_capacity(items.len());
            for item in items {
                out.push(fill(pack, item, scope, current, slot)?.ok_or_else(|| undefined("an item of a list"))?);
            }
            Some(Json::Array(out))
        }
        Shape::Object(members) => Some(object(pack, members, scope, current, slot)?),
        Shape::Record { of, name, inner, .. } => {
            let value = pack.program.eval(*of, scope, "")?;
            if value.is_null() {
                return Ok(Some(Json::Null));
            }
            let view = value.downcast::<RecordView>().ok_or_else(|| not_a_record(pack, *of))?;
            let mut inner_scope = scope.clone();
            inner_scope.bind(Arc::clone(name), value.clone());
            fill(pack, inner, &inner_scope, Current::Record(view), slot)?
        }
        Shape::Inside { of, inner } => match fill(pack, of, scope, current, slot)? {
            Some(value @ Json::Object(_)) => fill(pack, inner, scope, Current::Json(&value), slot)?,
            other => other,
        },
        Shape::Each(each) => Some(every(pack, each, scope, slot)?),
        Shape::Choice { by, arms, otherwise } => {
            let value = pack.program.eval(*by, scope, "")?;
            let text = value.text();
            let arm = arms.iter().find(|(name, _)| *name == text).map(|(_, shape)| shape).or(otherwise.as_deref());
            match arm {
                Some(shape) => fill(pack, shape, scope, current, slot)?,
                None => return Err(Rejection::Fault(format!("no shape is for `{text}`"))),
            }
        }
    })
}

fn object(
    pack: &Arc<Pack>,
    members: &[Member],
    scope: &Scope,
    current: Current<'_>,
    slot: Slot<'_>,
) -> Result<Json, Rejection> {
    let mut out = Map::with_capacity(members.len());
    for member in members {
        match fill(pack, &member.shape, scope, current, slot.step(&member.key))? {
            Some(value) => {
                out.insert(member.key.clone(), value);
            }
            None if member.optional => {}
            None => return Err(undefined(&format!("`{}`", member.key))),
        }
    }
    Ok(Json::Object(out))
}

fn every(pack: &Arc<Pack>, each: &Each, scope: &Scope, slot: Slot<'_>) -> Result<Json, Rejection> {
    let value = pack.program.eval(each.over, scope, "")?;
    let items = value.items().ok_or_else(|| Rejection::Fault(format!("`{}` is not a list", pack.program.text(each.over))))?;
    let mut list = Vec::new();
    let mut keyed = Map::new();
    let mut inner = scope.clone();
    for (index, item) in items.into_iter().enumerate() {
        inner.bind(Arc::clone(&each.name), item.clone());
        if let Some(only) = each.only
            && !pack.program.holds(only, &inner)?
        {
            continue;
        }
        let current = match item.downcast::<RecordView>() {
            Some(view) if each.resource.is_some() => Current::Record(view),
            _ => Current::Nothing,
        };
        let number = index.to_string();
        let made = fill(pack, &each.item, &inner, current, slot.step(&number))?.ok_or_else(|| undefined("an item"))?;
        match each.key {
            None => list.push(made),
            Some(key) => {
                let key = pack.program.eval(key, &inner, "")?.text();
                if each.gather {
                    match keyed.entry(key).or_insert_with(|| Json::Array(Vec::new())) {
                        Json::Array(items) => items.push(made),
                        other => *other = made,
                    }
                } else {
                    keyed.insert(key, made);
                }
            }
        }
    }
    Ok(if each.key.is_some() { Json::Object(keyed) } else { Json::Array(list) })
}

/// The value of an expression, whose draws are keyed by the slot.
pub(super) fn evaluated(pack: &Pack, expr: ExprId, scope: &Scope, slot: Slot<'_>) -> Result<Value, Rejection> {
    let name = if pack.program.draws(expr) { slot.name() } else { String::new() };
    Ok(pack.program.eval(expr, scope, &name)?)
}

/// A value as the wire spells it: instants in the format of their kind.
pub(super) fn written(pack: &Pack, value: &Value, kind: &Kind) -> Option<Json> {
    match kind {
        Kind::Instant(format) if !value.is_null() => {
            value.as_instant().map(|instant: Instant| Json::from(pack.formats[*format].write(instant)))
        }
        _ => value.to_json(),
    }
}

fn field(view: &RecordView, index: usize) -> Option<Json> {
    let field = &view.pack.resource(view.resource).fields[index];
    view.record.values[index].as_ref().map(|value| field.to_wire(value, &view.pack.formats))
}

fn fields(view: &RecordView) -> Json {
    let resource = view.pack.resource(view.resource);
    let shown = resource.fields.iter().enumerate().filter(|(_, field)| !field.internal);
    Json::Object(shown.filter_map(|(index, known)| Some((known.name.to_string(), field(view, index)?))).collect())
}

fn member<'j>(object: &'j Map<String, Json>, name: &str, ignore_case: bool) -> Option<&'j Json> {
    object.get(name).or_else(|| {
        ignore_case.then(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))?
    })
}

fn undefined(what: &str) -> Rejection {
    Rejection::Fault(format!("{what} has no value"))
}

fn not_a_record(pack: &Pack, expr: ExprId) -> Rejection {
    Rejection::Fault(format!("`{}` is not a record", pack.program.text(expr)))
}

/// A view of values that are not in the world yet.
pub(super) fn draft(pack: &Arc<Pack>, resource: crate::pack::ResourceId, values: &[Option<Json>]) -> Value {
    RecordView::value(pack, resource, Arc::new(Record::draft(values.to_vec())))
}

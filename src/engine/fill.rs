//! Shapes to JSON, written straight into the bytes that are sent.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Rejection;
use crate::clock::Instant;
use crate::expr::{ExprId, Kind, Scope, Value};
use crate::pack::{Check, Each, Leaf, Member, Pack, Shape};
use crate::sandbox::{Fields, Record, RecordList, RecordRef, RecordView};
use crate::schema::Schema;

/// What the members of a shape are looked up in.
#[derive(Clone, Copy)]
pub(super) enum Current<'a> {
    Nothing,
    Record(RecordRef<'a>),
    Json(&'a Json),
}

/// The name of the thing that is being made, by which its draws are keyed: `account.token`.
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
pub(super) fn fill(pack: &Arc<Pack>, shape: &Shape, scope: &Scope, slot: Slot<'_>) -> Result<Option<Json>, Rejection> {
    match shape {
        Shape::Literal(value) => Ok(Some(value.clone())),
        Shape::Value { expr, kind } => Ok(written(pack, &evaluated(pack, *expr, scope, slot)?, kind)),
        shape => {
            let mut writer = Writer::new(pack);
            if !writer.shape(shape, &Check::Proven, scope, Current::Nothing, slot)? {
                return Ok(None);
            }
            // What was written is JSON.
            Ok(serde_json::from_slice(&writer.out).ok())
        }
    }
}

/// A whole body, and whether something in it must be looked at again: what the shape does not prove did not hold.
pub(super) struct Written {
    pub(super) body: Vec<u8>,
    pub(super) suspect: bool,
}

pub(super) fn body(pack: &Arc<Pack>, shape: &Shape, check: &Check, scope: &Scope) -> Result<Written, Rejection> {
    let mut writer = Writer::new(pack);
    match writer.shape(shape, check, scope, Current::Nothing, Slot::new("response"))? {
        true => Ok(Written { body: writer.out, suspect: writer.suspect }),
        false => Err(undefined("the body")),
    }
}

struct Writer<'a> {
    pack: &'a Arc<Pack>,
    out: Vec<u8>,
    suspect: bool,
}

impl<'a> Writer<'a> {
    fn new(pack: &'a Arc<Pack>) -> Self {
        Writer { pack, out: Vec::with_capacity(512), suspect: false }
    }

    /// Writes a value. Nothing is written and `false` given when it is undefined.
    fn shape(
        &mut self,
        shape: &Shape,
        check: &Check,
        scope: &Scope,
        current: Current<'_>,
        slot: Slot<'_>,
    ) -> Result<bool, Rejection> {
        let start = self.out.len();
        let check = match check {
            Check::Rendered(_, check) => check,
            check => check,
        };
        let there = match shape {
            Shape::Literal(value) => self.json(value),
            Shape::Value { expr, kind } => {
                let value = evaluated(self.pack, *expr, scope, slot)?;
                self.value(&value, kind)
            }
            Shape::Field(index) => match current {
                Current::Record(view) => self.field(view, *index, check),
                _ => false,
            },
            Shape::Member { name, ignore_case } => match current {
                Current::Json(Json::Object(object)) => match member(object, name, *ignore_case) {
                    Some(value) => self.json(value),
                    None => false,
                },
                _ => false,
            },
            Shape::Fields => match current {
                Current::Record(view) => self.fields(view, &[]),
                _ => false,
            },
            Shape::Except(except) => match current {
                Current::Record(view) => {
                    let names = self.pack.program.eval(*except, scope, "")?;
                    let names: Option<Vec<String>> = names
                        .items()
                        .and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
                    let no_texts =
                        || Rejection::Fault(format!("`{}` is not a list of texts", self.pack.program.text(*except)));
                    self.fields(view, &names.ok_or_else(no_texts)?)
                }
                _ => false,
            },
            Shape::List(items) => {
                self.out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    self.comma(index);
                    if !self.shape(item, &Check::Proven, scope, current, slot)? {
                        return Err(undefined("an item of a list"));
                    }
                }
                self.out.push(b']');
                true
            }
            Shape::Object(members) => self.object(members, check, scope, current, slot)?,
            Shape::Record { of, name, inner, bare, .. } => {
                let value = self.pack.program.eval(*of, scope, "")?;
                if value.is_null() {
                    self.suspect |= matches!(check, Check::Inner(_));
                    self.json(&Json::Null)
                } else {
                    let view = value.downcast::<RecordView>().ok_or_else(|| not_a_record(self.pack, *of))?;
                    let check = inner_check(check);
                    match bare {
                        true => self.record(inner, check, scope, view.lend(), slot)?,
                        false => {
                            let mut scope = scope.clone();
                            scope.bind(Arc::clone(name), value.clone());
                            self.shape(inner, check, &scope, Current::Record(view.lend()), slot)?
                        }
                    }
                }
            }
            Shape::Inside { of, inner } => match inside(of, current) {
                Some(value @ Json::Object(_)) => {
                    self.shape(inner, &Check::Proven, scope, Current::Json(value), slot)?
                }
                Some(other) => self.json(other),
                None => false,
            },
            Shape::Each(each) => self.every(each, check, scope, slot)?,
            Shape::Choice { by, arms, otherwise } => {
                let text = self.pack.program.eval(*by, scope, "")?.text();
                let arm = arms.iter().find(|(name, _)| *name == text).map(|(_, shape)| shape).or(otherwise.as_deref());
                match arm {
                    Some(shape) => self.shape(shape, &Check::Proven, scope, current, slot)?,
                    None => return Err(Rejection::Fault(format!("no shape is for `{text}`"))),
                }
            }
        };
        if there {
            self.check(check, start, matches!(shape, Shape::Field(_)));
        }
        Ok(there)
    }

    /// Looks at what was just written, where the shape does not prove it.
    fn check(&mut self, check: &Check, start: usize, field: bool) {
        let written = &self.out[start..];
        let fits = match check {
            Check::Whole(schema) => valid(schema, written),
            // Fields were checked where their record is known.
            Check::Leaf(_) if field => true,
            Check::Leaf(leaf) => leaf_fits(leaf, written),
            _ => true,
        };
        self.suspect |= !fits;
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
    }

    fn json(&mut self, value: &Json) -> bool {
        // Writing into memory cannot fail, and every JSON value can be written.
        let _ = serde_json::to_writer(&mut self.out, value);
        true
    }

    fn value(&mut self, value: &Value, kind: &Kind) -> bool {
        if let Kind::Instant(format) = kind
            && let Some(instant) = value.as_instant()
        {
            let text = self.pack.formats[*format].write(instant);
            let _ = serde_json::to_writer(&mut self.out, &text);
            return true;
        }
        if let Some(text) = value.as_str() {
            let _ = serde_json::to_writer(&mut self.out, text);
            return true;
        }
        match value.as_whole() {
            Some(number) => serde_json::to_writer(&mut self.out, &number).is_ok(),
            None => value.to_json().is_some_and(|json| self.json(&json)),
        }
    }

    fn field(&mut self, view: RecordRef<'_>, index: usize, check: &Check) -> bool {
        let Some(wire) = view.wire(index) else { return false };
        if let Check::Leaf(leaf) = check {
            let known = leaf.number.is_some_and(|number| view.record.is_proved(number));
            if !known {
                let fits = leaf_fits(leaf, wire);
                self.suspect |= !fits;
                if let (true, Some(number)) = (fits, leaf.number) {
                    view.record.set_proved(number);
                }
            }
        }
        self.out.extend_from_slice(wire);
        true
    }

    fn fields(&mut self, view: RecordRef<'_>, except: &[String]) -> bool {
        self.out.push(b'{');
        let mut written = 0;
        for (index, field) in view.pack.resource(view.resource).fields.iter().enumerate() {
            let Some(wire) = view.wire(index).filter(|_| !field.internal) else { continue };
            if except.iter().any(|name| **name == *field.name) {
                continue;
            }
            self.comma(written);
            written += 1;
            let _ = serde_json::to_writer(&mut self.out, &*field.name);
            self.out.push(b':');
            self.out.extend_from_slice(wire);
        }
        self.out.push(b'}');
        true
    }

    fn object(
        &mut self,
        members: &[Member],
        check: &Check,
        scope: &Scope,
        current: Current<'_>,
        slot: Slot<'_>,
    ) -> Result<bool, Rejection> {
        self.out.push(b'{');
        let mut written = 0;
        for (index, member) in members.iter().enumerate() {
            let check = match check {
                Check::Members(checks) => checks.get(index).unwrap_or(&Check::Proven),
                _ => &Check::Proven,
            };
            let before = self.out.len();
            self.comma(written);
            self.out.extend_from_slice(&member.encoded);
            if self.shape(&member.shape, check, scope, current, slot.step(&member.key))? {
                written += 1;
            } else if member.optional {
                self.out.truncate(before);
            } else {
                return Err(undefined(&format!("`{}`", member.key)));
            }
        }
        self.out.push(b'}');
        Ok(true)
    }

    fn every(&mut self, each: &Each, check: &Check, scope: &Scope, slot: Slot<'_>) -> Result<bool, Rejection> {
        let value = self.pack.program.eval(each.over, scope, "")?;
        let check = match check {
            Check::Items(check) => check,
            _ => &Check::Proven,
        };
        if let (true, Some(list)) = (each.bare, value.downcast::<RecordList>()) {
            return self.records(each, list, check, scope, slot);
        }
        let items = value
            .items()
            .ok_or_else(|| Rejection::Fault(format!("`{}` is not a list", self.pack.program.text(each.over))))?;
        let mut keyed: Vec<(String, Vec<Vec<u8>>)> = Vec::new();
        let mut inner = scope.clone();
        let mut written = 0;
        if each.key.is_none() {
            self.out.push(b'[');
        }
        for (index, item) in items.into_iter().enumerate() {
            inner.bind(Arc::clone(&each.name), item.clone());
            let number = index.to_string();
            for (name, expr) in &each.with {
                let value = evaluated(self.pack, *expr, &inner, slot.step(&number).step(name))?;
                inner.bind(Arc::clone(name), value);
            }
            if let Some(only) = each.only
                && !self.pack.program.holds(only, &inner)?
            {
                continue;
            }
            let current = match item.downcast::<RecordView>() {
                Some(view) if each.resource.is_some() => Current::Record(view.lend()),
                _ => Current::Nothing,
            };
            if each.key.is_none() {
                self.comma(written);
                written += 1;
            }
            let start = self.out.len();
            if !self.shape(&each.item, check, &inner, current, slot.step(&number))? {
                return Err(undefined("an item"));
            }
            if let Some(key) = each.key {
                let key = self.pack.program.eval(key, &inner, "")?.text();
                let made = self.out.split_off(start);
                match keyed.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, values)) if each.gather => values.push(made),
                    Some((_, values)) => *values = vec![made],
                    None => keyed.push((key, vec![made])),
                }
            }
        }
        match each.key {
            None => self.out.push(b']'),
            Some(_) => self.keyed(keyed, each.gather),
        }
        Ok(true)
    }

    fn keyed(&mut self, keyed: Vec<(String, Vec<Vec<u8>>)>, gather: bool) {
        self.out.push(b'{');
        for (index, (key, values)) in keyed.into_iter().enumerate() {
            self.comma(index);
            let _ = serde_json::to_writer(&mut self.out, &key);
            self.out.push(b':');
            if gather {
                self.out.push(b'[');
            }
            self.out.extend_from_slice(&values.join(&b','));
            if gather {
                self.out.push(b']');
            }
        }
        self.out.push(b'}');
    }

    /// A list of records whose shape asks for nothing but their fields.
    fn records(
        &mut self,
        each: &Each,
        list: &RecordList,
        check: &Check,
        scope: &Scope,
        slot: Slot<'_>,
    ) -> Result<bool, Rejection> {
        self.out.push(b'[');
        for (index, record) in list.records.iter().enumerate() {
            self.comma(index);
            let view = RecordRef { pack: &list.pack, resource: list.resource, record };
            if !self.record(&each.item, check, scope, view, slot)? {
                return Err(undefined("an item"));
            }
        }
        self.out.push(b']');
        Ok(true)
    }

    /// A record in a shape that asks for nothing but its fields. What it has shown before, and was found to fit, is there
    /// already.
    fn record(
        &mut self,
        shape: &Shape,
        check: &Check,
        scope: &Scope,
        view: RecordRef<'_>,
        slot: Slot<'_>,
    ) -> Result<bool, Rejection> {
        let Check::Rendered(number, check) = check else {
            return self.shape(shape, check, scope, Current::Record(view), slot);
        };
        if let Some(bytes) = view.record.rendered(*number) {
            self.out.extend_from_slice(bytes);
            return Ok(true);
        }
        let (start, before) = (self.out.len(), std::mem::take(&mut self.suspect));
        let there = self.shape(shape, check, scope, Current::Record(view), slot)?;
        if there && !self.suspect {
            view.record.set_rendered(*number, &self.out[start..]);
        }
        self.suspect |= before;
        Ok(there)
    }
}

fn inner_check(check: &Check) -> &Check {
    match check {
        Check::Inner(inner) => inner,
        // The whole is looked at once, when it has been written.
        _ => &Check::Proven,
    }
}

fn leaf_fits(leaf: &Leaf, written: &[u8]) -> bool {
    leaf.types.has(written)
        && leaf.least.is_none_or(|least| at_least(written, least))
        && leaf.rest.as_ref().is_none_or(|schema| {
            if leaf.fitted.get().is_some_and(|fitted| **fitted == *written) {
                return true;
            }
            let fits = valid(schema, written);
            if fits && written.len() <= SHORT {
                leaf.fitted.get_or_init(|| written.into());
            }
            fits
        })
}

/// The longest value that is remembered to have fitted.
const SHORT: usize = 256;

/// Whether a number is large enough; what is no number is not asked.
fn at_least(written: &[u8], least: i64) -> bool {
    match written.first() {
        Some(b'-' | b'0'..=b'9') => std::str::from_utf8(written)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
            .is_some_and(|number| number >= least),
        _ => true,
    }
}

fn valid(schema: &Schema, written: &[u8]) -> bool {
    serde_json::from_slice(written).is_ok_and(|value| schema.is_valid(&value))
}

/// The JSON object that a shape steps into.
fn inside<'a>(of: &Shape, current: Current<'a>) -> Option<&'a Json> {
    match (of, current) {
        (Shape::Field(index), Current::Record(view)) => view.record.values.nested(*index),
        (Shape::Member { name, ignore_case }, Current::Json(Json::Object(object))) => {
            member(object, name, *ignore_case)
        }
        _ => None,
    }
}

/// The value of an expression, whose draws are keyed by the slot.
pub(super) fn evaluated(pack: &Pack, expr: ExprId, scope: &Scope, slot: Slot<'_>) -> Result<Value, Rejection> {
    let name = if pack.program.draws(expr) { slot.name() } else { String::new() };
    Ok(pack.program.eval(expr, scope, &name)?)
}

/// A value as the wire spells it: instants in the format of their kind.
fn written(pack: &Pack, value: &Value, kind: &Kind) -> Option<Json> {
    match kind {
        Kind::Instant(format) if !value.is_null() => {
            value.as_instant().map(|instant: Instant| Json::from(pack.formats[*format].write(instant)))
        }
        _ => value.to_json(),
    }
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
    RecordView::value(pack, resource, Arc::new(Record::draft(Fields::of(values))))
}

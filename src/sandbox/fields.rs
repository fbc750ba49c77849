//! The values of a record's fields, kept small.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::clock::Format;
use crate::expr::Value as Expression;
use crate::pack::Field;

/// What a record has, by field. A JSON value takes 72 bytes, whatever is in it, because it might be an object; nearly no
/// field is one, and what is kept here takes 24.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields(Box<[Cell]>);

#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Absent,
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    /// A list or an object.
    Nested(Box<Value>),
}

impl Cell {
    /// A copy of a value.
    fn of(value: Option<&Value>) -> Self {
        match value {
            Some(Value::String(text)) => Cell::Text(text.as_str().into()),
            value => Cell::new(value.cloned()),
        }
    }

    fn new(value: Option<Value>) -> Self {
        match value {
            None => Cell::Absent,
            Some(Value::Null) => Cell::Null,
            Some(Value::Bool(value)) => Cell::Bool(value),
            Some(Value::Number(number)) => Cell::Number(number),
            Some(Value::String(text)) => Cell::Text(text.into()),
            Some(nested) => Cell::Nested(Box::new(nested)),
        }
    }

    fn value(&self) -> Option<Cow<'_, Value>> {
        Some(match self {
            Cell::Absent => return None,
            Cell::Null => Cow::Owned(Value::Null),
            Cell::Bool(value) => Cow::Owned(Value::Bool(*value)),
            Cell::Number(number) => Cow::Owned(Value::Number(number.clone())),
            Cell::Text(text) => Cow::Owned(Value::String(text.to_string())),
            Cell::Nested(value) => Cow::Borrowed(value),
        })
    }

    /// Where values of one kind stand among others.
    fn rank(&self) -> u8 {
        match self {
            Cell::Absent | Cell::Null => 0,
            Cell::Bool(_) => 1,
            Cell::Number(_) => 2,
            Cell::Text(_) => 3,
            Cell::Nested(_) => 4,
        }
    }
}

impl Fields {
    pub(super) fn new(values: Vec<Option<Value>>) -> Self {
        Fields(values.into_iter().map(Cell::new).collect())
    }

    /// Copies of values.
    pub(crate) fn of(values: &[Option<Value>]) -> Self {
        Fields(values.iter().map(|value| Cell::of(value.as_ref())).collect())
    }

    pub(crate) fn has(&self, field: usize) -> bool {
        self.0.get(field).is_some_and(|cell| *cell != Cell::Absent)
    }

    pub(crate) fn get(&self, field: usize) -> Option<Cow<'_, Value>> {
        self.0.get(field)?.value()
    }

    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = Option<Cow<'_, Value>>> {
        self.0.iter().map(Cell::value)
    }

    /// The values, to be changed.
    pub(crate) fn to_vec(&self) -> Vec<Option<Value>> {
        self.all().map(|value| value.map(Cow::into_owned)).collect()
    }

    /// Whether these are the values.
    pub(crate) fn are(&self, values: &[Option<Value>]) -> bool {
        self.0.len() == values.len()
            && self.0.iter().zip(values).all(|(cell, value)| match (cell, value) {
                (Cell::Text(text), Some(Value::String(value))) => **text == **value,
                (cell, value) => cell.value().as_deref() == value.as_ref(),
            })
    }

    /// Whether another record has the same in this field.
    pub(crate) fn agree(&self, other: &Fields, field: usize) -> bool {
        self.0.get(field) == other.0.get(field)
    }

    /// A field as the wire spells it.
    pub(crate) fn to_wire(&self, index: usize, field: &Field, formats: &[Format]) -> Option<Cow<'_, Value>> {
        Some(match self.get(index)? {
            Cow::Borrowed(value) => field.to_wire(value, formats),
            Cow::Owned(value) => {
                let spelled = match field.to_wire(&value, formats) {
                    Cow::Owned(spelled) => Some(spelled),
                    Cow::Borrowed(_) => None,
                };
                Cow::Owned(spelled.unwrap_or(value))
            }
        })
    }

    /// Writes a field as the wire spells it; nothing where it is absent.
    pub(super) fn write(&self, index: usize, field: &Field, formats: &[Format], to: &mut Vec<u8>) {
        // What JSON is made of can be written, and a list takes everything.
        let _ = match &self.0[index] {
            Cell::Text(text) => serde_json::to_writer(to, &**text),
            _ => self.to_wire(index, field, formats).map_or(Ok(()), |value| serde_json::to_writer(to, &*value)),
        };
    }

    /// As ids and look-ups compare it.
    pub(super) fn text(&self, field: usize) -> Option<String> {
        match self.0.get(field)? {
            Cell::Absent | Cell::Null => None,
            Cell::Text(text) => Some(text.to_string()),
            other => other.value().map(|value| value.to_string()),
        }
    }

    pub(super) fn integer(&self, field: usize) -> Option<i64> {
        match self.0.get(field)? {
            Cell::Number(number) => Some(number.as_i64().unwrap_or(0)),
            _ => None,
        }
    }

    /// As expressions see it.
    pub(super) fn expression(&self, field: usize) -> Option<Expression> {
        Some(match self.0.get(field)? {
            Cell::Absent => return None,
            Cell::Null => Expression::null(),
            Cell::Bool(value) => Expression::boolean(*value),
            Cell::Number(number) => match number.as_i64() {
                Some(integer) => Expression::integer(integer),
                None => Expression::json(&Value::Number(number.clone())),
            },
            Cell::Text(text) => Expression::string(text),
            Cell::Nested(value) => Expression::json(value),
        })
    }

    /// A list or an object.
    pub(crate) fn nested(&self, field: usize) -> Option<&Value> {
        match self.0.get(field)? {
            Cell::Nested(value) => Some(value),
            _ => None,
        }
    }

    /// An order over the values of one field: absent first, then by value; texts by their characters.
    pub(crate) fn compare(&self, other: &Fields, field: usize) -> Ordering {
        match (&self.0[field], &other.0[field]) {
            (Cell::Bool(a), Cell::Bool(b)) => a.cmp(b),
            (Cell::Number(a), Cell::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
            },
            (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    /// About how many bytes keeping them costs.
    pub(super) fn size(&self) -> usize {
        let more = |cell: &Cell| match cell {
            Cell::Text(text) => text.len(),
            Cell::Nested(value) => size_of::<Value>() + value_size(value),
            Cell::Absent | Cell::Null | Cell::Bool(_) | Cell::Number(_) => 0,
        };
        size_of_val(&*self.0) + self.0.iter().map(more).sum::<usize>()
    }
}

/// What a member of an object takes besides its name: its place, and that in the table that finds it.
const MEMBER: usize = 120;

/// What a value takes behind itself.
fn value_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + value_size(item)).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| MEMBER + name.len() + value_size(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_kept_is_what_was_given() {
        assert_eq!(size_of::<Cell>(), 24);
        let values = [
            None,
            Some(json!(null)),
            Some(json!(true)),
            Some(json!(-7)),
            Some(json!(u64::MAX)),
            Some(json!(1.0)),
            Some(json!("a text")),
            Some(json!({ "b": [1, null], "a": {} })),
            Some(json!([])),
        ];
        let fields = Fields::new(values.to_vec());
        assert_eq!((&fields, fields.to_vec()), (&Fields::of(&values), values.to_vec()));
        assert!(fields.are(&values) && !fields.are(&values[1..]));
        for (index, value) in values.iter().enumerate() {
            assert_eq!((fields.has(index), fields.get(index).as_deref()), (value.is_some(), value.as_ref()));
            let mut others = values.to_vec();
            others[index] = Some(json!("another text"));
            assert!(!fields.are(&others), "{value:?}");
            let others = Fields::new(others);
            assert!(!fields.agree(&others, index) && fields.agree(&others, (index + 1) % values.len()), "{value:?}");
            assert_eq!(fields.nested(index).is_some(), index > 6);
            let seen = fields.expression(index).map(|seen| seen.to_json());
            assert_eq!(seen, value.as_ref().map(|value| Expression::json(value).to_json()), "{value:?}");
        }
        let texts = ["true", "-7", "18446744073709551615", "1.0", "a text", r#"{"b":[1,null],"a":{}}"#, "[]"];
        assert_eq!((2..9).filter_map(|index| fields.text(index)).collect::<Vec<_>>(), texts);
        assert!(fields.text(0).is_none() && fields.text(1).is_none() && fields.text(9).is_none());
    }

    #[test]
    fn values_of_one_kind_come_in_their_order_and_absent_ones_first() {
        let rising = [None, Some(json!(false)), Some(json!(true)), Some(json!(-1)), Some(json!(2.5)), Some(json!(3))];
        let rising = rising.into_iter().chain([Some(json!("B")), Some(json!("a")), Some(json!([]))]);
        let rising: Vec<Fields> = rising.map(|value| Fields::new(vec![value])).collect();
        for (a, one) in rising.iter().enumerate() {
            for (b, other) in rising.iter().enumerate() {
                assert_eq!(one.compare(other, 0), a.cmp(&b), "{one:?} {other:?}");
            }
        }
        let same = |a, b| Fields::new(vec![a]).compare(&Fields::new(vec![b]), 0) == Ordering::Equal;
        assert!(same(None, Some(json!(null))) && same(Some(json!([1])), Some(json!({}))));
    }
}

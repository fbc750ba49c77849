use std::sync::Arc;

use serde_json::Value;

use super::ResourceId;
use crate::expr::{ExprId, Kind};

/// How a JSON value is made: the compiled form of an example, or of a value in a pack file.
///
/// A shape is filled in a scope, and perhaps with a current record or JSON object whose members it shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// The same every time.
    Literal(Value),
    /// An expression; instants in it are written in the format of its kind.
    Value {
        expr: ExprId,
        kind: Kind,
    },
    /// A field of the current record, by its number.
    Field(usize),
    /// A member of the current JSON object.
    Member {
        name: String,
        ignore_case: bool,
    },
    /// Every field of the current record that is not internal.
    Fields,
    /// Of these fields, those that a list of texts does not name.
    Except(ExprId),
    List(Vec<Shape>),
    Object(Vec<Member>),
    /// Makes another record current. Null stays null.
    /// `bare` when the inner shape shows nothing but what the record has, so that the name need not be bound.
    Record {
        of: ExprId,
        name: Arc<str>,
        resource: ResourceId,
        inner: Box<Shape>,
        bare: bool,
    },
    /// Makes an object inside the current record or object current.
    Inside {
        of: Box<Shape>,
        inner: Box<Shape>,
    },
    /// One item for each value of a list.
    Each(Box<Each>),
    /// One of several shapes, by the text of a value.
    Choice {
        by: ExprId,
        arms: Vec<(String, Shape)>,
        otherwise: Option<Box<Shape>>,
    },
}

/// A key of an object and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: String,
    /// The key as JSON, with its colon.
    pub(crate) encoded: Box<[u8]>,
    pub(crate) shape: Shape,
    /// Left out when its value is undefined.
    pub(crate) optional: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Each {
    pub(crate) over: ExprId,
    /// The name that stands for the item.
    pub(crate) name: Arc<str>,
    /// Set when the items are records.
    pub(crate) resource: Option<ResourceId>,
    /// Further names for each item, in order.
    pub(crate) with: Vec<(Arc<str>, ExprId)>,
    pub(crate) only: Option<ExprId>,
    /// With a key an object is made, without one a list.
    pub(crate) key: Option<ExprId>,
    /// Items of one key are gathered in a list.
    pub(crate) gather: bool,
    pub(crate) item: Shape,
    /// Nothing but fields of records is shown, so that the name need not be bound.
    pub(crate) bare: bool,
}

impl Member {
    pub(crate) fn new(key: &str, shape: Shape, optional: bool) -> Self {
        let encoded = format!("{}:", Value::from(key)).into_bytes().into_boxed_slice();
        Member { key: key.to_owned(), encoded, shape, optional }
    }
}

impl Shape {
    /// Makes a record current in an inner shape.
    pub(crate) fn record(of: ExprId, name: Arc<str>, resource: ResourceId, inner: Shape) -> Self {
        let bare = inner.is_bare();
        Shape::Record { of, name, resource, inner: Box::new(inner), bare }
    }

    /// How many parts of a value are as they always are in what is made with this; `None` when it could not be made.
    pub(crate) fn likeness(&self, value: &Value) -> Option<usize> {
        match self {
            Shape::Literal(literal) => (literal == value).then_some(1),
            Shape::Object(members) => {
                let Value::Object(object) = value else { return None };
                let foreign = object.keys().any(|key| members.iter().all(|member| member.key != *key));
                let part = |member: &Member| match object.get(&member.key) {
                    Some(value) => member.shape.likeness(value),
                    None => member.optional.then_some(0),
                };
                if foreign { None } else { members.iter().map(part).sum() }
            }
            Shape::List(items) => {
                let values = value.as_array().filter(|values| values.len() == items.len())?;
                items.iter().zip(values).map(|(item, value)| item.likeness(value)).sum()
            }
            Shape::Record { .. } | Shape::Inside { .. } if value.is_null() => Some(0),
            Shape::Record { inner, .. } | Shape::Inside { inner, .. } => inner.likeness(value),
            Shape::Each(each) => match value {
                Value::Array(values) if each.key.is_none() => {
                    values.iter().map(|value| each.item.likeness(value)).sum()
                }
                Value::Object(_) if each.key.is_some() => Some(0),
                _ => None,
            },
            Shape::Choice { arms, otherwise, .. } => {
                let shapes = arms.iter().map(|(_, shape)| shape).chain(otherwise.as_deref());
                shapes.filter_map(|shape| shape.likeness(value)).max()
            }
            Shape::Value { .. } | Shape::Field(_) | Shape::Member { .. } | Shape::Fields | Shape::Except(_) => Some(0),
        }
    }

    /// Whether no expression is evaluated in it.
    pub(crate) fn is_bare(&self) -> bool {
        match self {
            Shape::Literal(_) | Shape::Field(_) | Shape::Member { .. } | Shape::Fields => true,
            Shape::List(items) => items.iter().all(Shape::is_bare),
            Shape::Object(members) => members.iter().all(|member| member.shape.is_bare()),
            Shape::Inside { inner, .. } => inner.is_bare(),
            Shape::Value { .. } | Shape::Except(_) | Shape::Record { .. } | Shape::Each(_) | Shape::Choice { .. } => {
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An error of one code, whose words follow the request, and one of whatever codes there are.
    fn shapes() -> [Shape; 2] {
        let member = |key: &str, shape| Member::new(key, shape, false);
        let error = |code| Shape::Object(vec![member("code", code), member("words", Shape::Field(0))]);
        let whole = |errors| {
            let status = member("status", Shape::Literal(json!(400)));
            Shape::Object(vec![status, Member::new("note", Shape::Field(1), true), member("errors", errors)])
        };
        let each = Shape::List(vec![error(Shape::Field(2))]);
        [whole(Shape::List(vec![error(Shape::Literal(json!(201)))])), whole(each)]
    }

    #[test]
    fn what_is_the_same_every_time_tells_shapes_apart() {
        let [one, any] = shapes();
        let like = |value: &Value| (one.likeness(value), any.likeness(value));
        let error = |code: i64| json!({ "status": 400, "errors": [{ "code": code, "words": "x" }] });
        assert_eq!(like(&error(201)), (Some(2), Some(1)));
        assert_eq!(like(&error(206)), (None, Some(1)));
        let mut noted = error(201);
        noted["note"] = json!("a key that may be there");
        assert_eq!(like(&noted), (Some(2), Some(1)));
        noted["other"] = json!("a key that may not");
        assert_eq!(like(&noted), (None, None));
        for other in [json!({ "status": 400 }), json!({ "status": 401, "errors": [] }), json!([]), json!(null)] {
            assert_eq!(like(&other), (None, None), "{other}");
        }
        let mut two = error(201);
        two["errors"] = json!([two["errors"][0], two["errors"][0]]);
        assert_eq!(like(&two), (None, None));
    }
}

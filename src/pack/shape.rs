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

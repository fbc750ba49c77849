use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{ErrorId, Shape};
use crate::clock::{Format, Instant};
use crate::diagnostic::Location;
use crate::expr::{ExprId, Kind};

/// A resource, by its place in the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ResourceId(pub(crate) usize);

/// A kind of object that the API keeps.
#[derive(Debug)]
pub(crate) struct Resource {
    /// The vendor's singular noun.
    pub(crate) name: Arc<str>,
    /// The field that is the record's id.
    pub(crate) id: usize,
    pub(crate) owner: Option<Owner>,
    pub(crate) fields: Vec<Field>,
    pub(crate) unique: Vec<Unique>,
    /// Fields that records are found by.
    pub(crate) lookups: Vec<usize>,
    pub(crate) not_found: Option<ErrorId>,
    /// Field numbers by name.
    pub(crate) by_name: BTreeMap<Arc<str>, usize>,
}

/// A record belongs to the record that one of its fields names, is seen by that one's callers only, and goes with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) field: usize,
    pub(crate) resource: ResourceId,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: Arc<str>,
    pub(crate) sort: Sort,
    /// The number of the pack's time format that a timestamp is written in.
    pub(crate) format: usize,
    /// What the field holds when nothing sets it. Sees the record so far as `record`.
    pub(crate) default: Option<Shape>,
    /// May be absent; an answer then leaves the key out.
    pub(crate) optional: bool,
    /// Masked wherever it is shown to people.
    pub(crate) secret: bool,
    /// Never part of `shape: fields`.
    pub(crate) internal: bool,
    /// The resource whose id it holds.
    pub(crate) refers: Option<ResourceId>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    String,
    Boolean,
    Integer,
    Number,
    Uuid,
    /// Kept as microseconds, written in the field's format.
    Timestamp,
    /// Any JSON, copied whole into answers.
    Json,
    /// A JSON object of which an answer shows the keys that its example has.
    Object,
}

impl Sort {
    pub(crate) const NAMES: [(&'static str, Sort); 8] = [
        ("string", Sort::String),
        ("boolean", Sort::Boolean),
        ("integer", Sort::Integer),
        ("number", Sort::Number),
        ("uuid", Sort::Uuid),
        ("timestamp", Sort::Timestamp),
        ("json", Sort::Json),
        ("object", Sort::Object),
    ];

    pub(crate) fn name(self) -> &'static str {
        Sort::NAMES.iter().find(|(_, sort)| *sort == self).map_or("", |(name, _)| name)
    }

    fn holds(self, value: &Value) -> bool {
        match self {
            Sort::String => value.is_string(),
            Sort::Uuid => value.as_str().is_some_and(|text| uuid::Uuid::try_parse(text).is_ok() && text.len() == 36),
            Sort::Boolean => value.is_boolean(),
            Sort::Integer => {
                value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
            }
            Sort::Timestamp => value.is_i64() || value.is_u64(),
            Sort::Number => value.is_number(),
            Sort::Json => true,
            Sort::Object => value.is_object(),
        }
    }
}

/// Fields that no two records may share.
#[derive(Debug)]
pub(crate) struct Unique {
    pub(crate) fields: Vec<usize>,
    pub(crate) ignore_case: bool,
    /// Only records for which this holds count; it sees `record`.
    pub(crate) only: Option<ExprId>,
    pub(crate) error: ErrorId,
    pub(crate) at: Location,
}

impl Resource {
    pub(crate) fn field(&self, name: &str) -> Option<(usize, &Field)> {
        let index = *self.by_name.get(name)?;
        Some((index, &self.fields[index]))
    }

    /// The field that a key of an example means; with `ignore_case` in whatever case the key is written.
    pub(crate) fn spelled(&self, key: &str, ignore_case: bool) -> Option<(usize, &Field)> {
        self.field(key).or_else(|| {
            let like = |(_, field): &(usize, &Field)| ignore_case && field.name.eq_ignore_ascii_case(key);
            self.fields.iter().enumerate().find(like)
        })
    }

    pub(crate) fn id_field(&self) -> &Field {
        &self.fields[self.id]
    }
}

/// Below this every whole number has a spelling of its own among numbers with fractions, too.
const WHOLE: f64 = 9_007_199_254_740_992.0;

impl Field {
    /// What expressions know about the field.
    pub(crate) fn kind(&self) -> Kind {
        match self.sort {
            Sort::String | Sort::Uuid => Kind::String,
            Sort::Boolean => Kind::Boolean,
            Sort::Integer => Kind::Integer,
            Sort::Number => Kind::Number,
            Sort::Timestamp => Kind::Instant(self.format),
            Sort::Json => Kind::Any,
            Sort::Object => Kind::map(format!("`{}`", self.name), Kind::Any),
        }
    }

    /// Takes a value as the wire spells it: a timestamp becomes its instant, `shift` microseconds later.
    #[allow(clippy::wrong_self_convention, reason = "the field reads the value; it is not made from it")]
    pub(crate) fn from_wire(&self, value: &Value, formats: &[Format], shift: i64) -> Result<Value, String> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        if self.sort == Sort::Timestamp {
            let text = value.as_str().ok_or_else(|| format!("`{}` is a timestamp, not {value}", self.name))?;
            let instant = formats[self.format].read(text).or_else(|wrong| Instant::parse(text).map_err(|_| wrong))?;
            return Ok(Value::from(Instant::from_micros(instant.micros().saturating_add(shift)).micros()));
        }
        self.keep(value.clone())
    }

    /// The value as the field keeps it: a whole number that was written with a fraction is `600`, not `600.0`.
    pub(crate) fn keep(&self, value: Value) -> Result<Value, String> {
        self.check(&value)?;
        match (self.sort, value.as_f64()) {
            (Sort::Integer, Some(number)) if value.is_f64() && number.abs() < WHOLE => {
                #[allow(clippy::cast_possible_truncation, reason = "a whole number that is small enough")]
                let whole = number as i64;
                Ok(Value::from(whole))
            }
            _ => Ok(value),
        }
    }

    /// Whether the field can keep this value, given as it is kept.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        if value.is_null() || self.sort.holds(value) {
            return Ok(());
        }
        Err(format!("`{}` is of type {}, and {value} is not", self.name, self.sort.name()))
    }

    /// As the wire spells it.
    pub(crate) fn to_wire<'v>(&self, value: &'v Value, formats: &[Format]) -> Cow<'v, Value> {
        match (self.sort, value.as_i64()) {
            (Sort::Timestamp, Some(micros)) => {
                Cow::Owned(Value::from(formats[self.format].write(Instant::from_micros(micros))))
            }
            _ => Cow::Borrowed(value),
        }
    }
}

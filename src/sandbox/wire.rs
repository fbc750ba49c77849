//! Records in the bytes that answers have of them.

/// The fields of a record as JSON, one behind the other.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    bytes: Box<[u8]>,
    /// Where each field ends. One that is absent ends where it begins: no JSON is empty.
    ends: Box<[u32]>,
}

impl Wire {
    /// `write` writes the field of a number, or nothing where it is absent.
    pub(super) fn new(fields: usize, write: impl Fn(usize, &mut Vec<u8>)) -> Self {
        let (mut bytes, mut ends) = (Vec::with_capacity(32 * fields), Vec::with_capacity(fields));
        for field in 0..fields {
            write(field, &mut bytes);
            ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        Wire { bytes: bytes.into(), ends: ends.into() }
    }

    pub(super) fn get(&self, field: usize) -> Option<&[u8]> {
        let end = *self.ends.get(field)? as usize;
        let start = field.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.bytes.get(start..end).filter(|bytes| !bytes.is_empty())
    }
}

/// A record as one shape of an answer shows it, where that depends on nothing but the record, and fits its schema.
#[derive(Debug, Clone)]
pub(super) struct Rendered {
    /// The number of the shape in its pack.
    pub(super) number: u16,
    pub(super) bytes: Box<[u8]>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn fields_stand_where_they_are_and_absent_ones_nowhere() {
        let values = [Some(json!("a \"b\"")), None, Some(json!(null)), Some(json!({"c": [1.5, -2]})), None];
        let text = |field: usize| values[field].as_ref().map(Value::to_string).unwrap_or_default();
        let wire = Wire::new(values.len(), |field, to| to.extend_from_slice(text(field).as_bytes()));
        for (field, value) in values.iter().enumerate() {
            let text = value.as_ref().map(Value::to_string);
            assert_eq!(wire.get(field), text.as_ref().map(String::as_bytes), "{field}");
        }
        assert_eq!(wire.get(values.len()), None);
    }
}

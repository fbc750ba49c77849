use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Why a body is not the JSON that we accept, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonFault {
    pub(crate) kind: JsonFaultKind,
    /// One-based; both 0 when the place is unknown.
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonFaultKind {
    /// Not JSON at all, or cut short.
    Syntax,
    /// The same key twice in one object: two readers would see two different requests.
    DuplicateKey,
    /// Nested deeper than allowed.
    TooDeep,
    /// So many small values that they would take more memory than they may.
    TooMany,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {})", self.message, self.line, self.column)
    }
}

const DUPLICATE: &str = "duplicate key ";
const DEEP: &str = "nested deeper than ";
const MANY: &str = "more values than ";

/// How many bytes of memory the values of a document may take, and how many times its text where that is more. A value takes
/// 72 bytes, whatever is in it, and an object some hundreds, so that two bytes of text can be sixty times as much in memory;
/// what people send is five to twenty times as much.
const ROOM: usize = 64 << 20;
const TIMES: usize = 32;
/// What an object takes that is not empty, and each of its members besides the name and the value.
const OBJECT: usize = 256;
const MEMBER: usize = 56;

/// Reads one JSON document: UTF-8, no duplicate keys, at most `max_depth` levels of objects and arrays, and no more values
/// than there is room for.
pub(crate) fn parse(bytes: &[u8], max_depth: usize) -> Result<Value, JsonFault> {
    let most = ROOM.max(bytes.len().saturating_mul(TIMES));
    let room = Room { left: Cell::new(most), most };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Strict { remaining: max_depth, max_depth, room: &room }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| fault(&error))
}

/// The values without those that are equal to an earlier one.
pub(crate) fn distinct<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

/// A value as it is typed: texts without quotes.
pub(crate) fn spelled(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn fault(error: &serde_json::Error) -> JsonFault {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let kind = if message.starts_with(DUPLICATE) {
        JsonFaultKind::DuplicateKey
    } else if message.starts_with(DEEP) || message.starts_with("recursion limit") {
        JsonFaultKind::TooDeep
    } else if message.starts_with(MANY) {
        JsonFaultKind::TooMany
    } else {
        JsonFaultKind::Syntax
    };
    JsonFault { kind, line: error.line(), column: error.column(), message }
}

/// How much memory values may still take.
struct Room {
    left: Cell<usize>,
    most: usize,
}

impl Room {
    fn take<E: de::Error>(&self, bytes: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.ok_or_else(|| E::custom(format_args!("{MANY}{} MiB of memory hold", self.most >> 20)))?);
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Strict<'r> {
    remaining: usize,
    max_depth: usize,
    room: &'r Room,
}

impl Strict<'_> {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.remaining.checked_sub(1) {
            Some(remaining) => Ok(Strict { remaining, ..self }),
            None => Err(E::custom(format_args!("{DEEP}{} levels", self.max_depth))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            if items.len() == items.capacity() {
                // It becomes twice as large.
                self.room.take(items.len().max(4) * size_of::<Value>())?;
            }
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(de::Error::custom(format_args!("{DUPLICATE}`{key}`")));
            }
            let base = if object.is_empty() { OBJECT } else { 0 };
            self.room.take(base + MEMBER + key.len() + size_of::<Value>())?;
            let value = access.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keeps_key_order_and_kinds() {
        let value = parse(br#"{"b":1,"a":[true,null,1.5,"x"]}"#, 8).unwrap();
        assert_eq!(value.to_string(), r#"{"b":1,"a":[true,null,1.5,"x"]}"#);
    }

    #[test]
    fn names_the_duplicate_key_and_its_place() {
        let fault = parse(b"{\"name\":1,\n\"name\":2}", 8).unwrap_err();
        assert_eq!((fault.kind, fault.line), (JsonFaultKind::DuplicateKey, 2));
        assert_eq!(fault.message, "duplicate key `name`");
    }

    #[test]
    fn stops_at_the_depth_limit_without_using_the_stack() {
        let deep = "[".repeat(100_000);
        assert_eq!(parse(deep.as_bytes(), 64).unwrap_err().kind, JsonFaultKind::TooDeep);
        assert_eq!(parse(b"[[1]]", 2).unwrap(), json!([[1]]));
        assert_eq!(parse(b"[[[1]]]", 2).unwrap_err().kind, JsonFaultKind::TooDeep);
    }

    #[test]
    fn values_have_room_for_what_people_send_and_not_for_any_number() {
        let list = |item: &str, bytes: usize| format!("[{}0]", format!("{item},").repeat(bytes / (item.len() + 1)));
        for item in ["0.0123456", r#"{"id":1,"name":"a name"}"#, "\"text\"", "[-46.633308,-23.550520]"] {
            assert!(parse(list(item, 2 << 20).as_bytes(), 8).is_ok(), "{item}");
        }
        for item in ["0", r#"{"":0}"#, "[0]"] {
            assert!(parse(list(item, 512 << 10).as_bytes(), 8).is_ok(), "{item}");
            let fault = parse(list(item, 2 << 20).as_bytes(), 8).unwrap_err();
            assert_eq!(fault.kind, JsonFaultKind::TooMany, "{item}");
            assert_eq!(fault.message, "more values than 64 MiB of memory hold");
        }
        // Where the text is long, there is more room.
        assert!(parse(list(r#"{"id":1,"name":"a name"}"#, 16 << 20).as_bytes(), 8).is_ok());
    }

    #[test]
    fn refuses_what_is_not_json() {
        for bad in [&b""[..], b"{", b"{}x", b"\"\xff\"", b"1e400", b"\"\\ud800\"", b"{'a':1}"] {
            assert_eq!(parse(bad, 8).unwrap_err().kind, JsonFaultKind::Syntax, "{bad:?}");
        }
    }
}

use serde_json::{Map, Value};

use super::child;

/// One thing in which two JSON values differ.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    pub(crate) pointer: String,
    pub(crate) what: Differs,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Differs {
    /// Only the first has it.
    Missing(Value),
    /// Only the second has it.
    Extra(Value),
    /// What each has there.
    Value(Value, Value),
    /// The keys that both have, in the order of each.
    Order(Vec<String>, Vec<String>),
}

/// Everything in which two JSON values differ, in the order of the first.
pub(crate) fn differences(one: &Value, other: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(String::new(), one, other, &mut found);
    found
}

fn walk(pointer: String, one: &Value, other: &Value, out: &mut Vec<Difference>) {
    let differs = |pointer, what| Difference { pointer, what };
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                let at = child(&pointer, key);
                match other.get(key) {
                    Some(same) => walk(at, value, same, out),
                    None => out.push(differs(at, Differs::Missing(value.clone()))),
                }
            }
            for (key, value) in other.iter().filter(|(key, _)| !one.contains_key(*key)) {
                out.push(differs(child(&pointer, key), Differs::Extra(value.clone())));
            }
            let shared = |object: &Map<String, Value>, other: &Map<String, Value>| -> Vec<String> {
                object.keys().filter(|key| other.contains_key(*key)).cloned().collect()
            };
            let (first, second) = (shared(one, other), shared(other, one));
            if first != second {
                out.push(differs(pointer, Differs::Order(first, second)));
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for index in 0..one.len().max(other.len()) {
                let at = child(&pointer, &index.to_string());
                match (one.get(index), other.get(index)) {
                    (Some(value), Some(same)) => walk(at, value, same, out),
                    (Some(value), None) => out.push(differs(at, Differs::Missing(value.clone()))),
                    (None, Some(value)) => out.push(differs(at, Differs::Extra(value.clone()))),
                    (None, None) => {}
                }
            }
        }
        (one, other) if one == other => {}
        (one, other) => out.push(differs(pointer, Differs::Value(one.clone(), other.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn first(one: Value, other: Value) -> Option<(String, Differs)> {
        differences(&one, &other).into_iter().next().map(|found| (found.pointer, found.what))
    }

    #[test]
    fn differences_come_with_their_places_in_the_order_of_the_first_value() {
        assert_eq!(first(json!({ "a": [1, { "b": 2 }] }), json!({ "a": [1, { "b": 2 }] })), None);
        let two = json!({ "a": [1, { "b/c": 2 }], "d": 3 });
        assert_eq!(
            first(two, json!({ "a": [1, { "b/c": 4 }], "d": 5 })),
            Some(("/a/1/b~1c".to_owned(), Differs::Value(json!(2), json!(4))))
        );
        assert_eq!(first(json!([1]), json!([1, 2])), Some(("/1".to_owned(), Differs::Extra(json!(2)))));
        assert_eq!(first(json!({ "a": 1 }), json!({})), Some(("/a".to_owned(), Differs::Missing(json!(1)))));
        assert_eq!(first(json!({}), json!({ "a": 1 })), Some(("/a".to_owned(), Differs::Extra(json!(1)))));
        let keys = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            first(json!({ "a": 1, "b": 2 }), json!({ "b": 2, "a": 1 })),
            Some((String::new(), Differs::Order(keys("a b"), keys("b a"))))
        );
    }
}

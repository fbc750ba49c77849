use serde_json::Value;

use super::child;

/// Where two JSON values first differ, in the order of the first one, with what each has there.
pub(crate) fn first_difference(one: &Value, other: &Value) -> Option<(String, Option<Value>, Option<Value>)> {
    walk(String::new(), one, other)
}

fn walk(pointer: String, one: &Value, other: &Value) -> Option<(String, Option<Value>, Option<Value>)> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let members = one.iter().find_map(|(name, value)| match other.get(name) {
                Some(same) => walk(child(&pointer, name), value, same),
                None => Some((child(&pointer, name), Some(value.clone()), None)),
            });
            let more = || other.iter().find(|(name, _)| !one.contains_key(*name));
            members.or_else(|| more().map(|(name, value)| (child(&pointer, name), None, Some(value.clone()))))
        }
        (Value::Array(one), Value::Array(other)) => (0..one.len().max(other.len())).find_map(|index| {
            let at = child(&pointer, &index.to_string());
            match (one.get(index), other.get(index)) {
                (Some(value), Some(same)) => walk(at, value, same),
                (value, same) => Some((at, value.cloned(), same.cloned())),
            }
        }),
        (one, other) if one == other => None,
        (one, other) => Some((pointer, Some(one.clone()), Some(other.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_found_with_its_place() {
        let found = |one: Value, other: Value| {
            first_difference(&one, &other).map(|(at, one, other)| format!("{at} {one:?} {other:?}"))
        };
        assert_eq!(found(json!({ "a": [1, { "b": 2 }] }), json!({ "a": [1, { "b": 2 }] })), None);
        let two = json!({ "a": [1, { "b/c": 2 }], "d": 3 });
        assert_eq!(
            first_difference(&two, &json!({ "a": [1, { "b/c": 4 }], "d": 5 })),
            Some(("/a/1/b~1c".to_owned(), Some(json!(2)), Some(json!(4))))
        );
        assert_eq!(first_difference(&json!([1]), &json!([1, 2])), Some(("/1".to_owned(), None, Some(json!(2)))));
        assert_eq!(first_difference(&json!({ "a": 1 }), &json!({})), Some(("/a".to_owned(), Some(json!(1)), None)));
        assert_eq!(first_difference(&json!({}), &json!({ "a": 1 })), Some(("/a".to_owned(), None, Some(json!(1)))));
    }
}

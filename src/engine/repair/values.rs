//! Values that could stand in the place of another: what it can be read as, and what is spelled like it.

use serde_json::{Value as Json, json};

use crate::diagnostic;
use crate::exchange::spelled;

/// The longest text that is compared letter by letter.
const LONGEST: usize = 128;

/// The types of JSON, in the order in which they are tried.
pub(super) const TYPES: [&str; 6] = ["integer", "number", "boolean", "string", "array", "object"];

/// What a value is when it is read as another type: `"7"` as the integer 7.
pub(super) fn read_as(value: &Json, kind: &str) -> Option<Json> {
    let parsed = || value.as_str().and_then(|text| serde_json::from_str::<Json>(text.trim()).ok());
    let whole = |number: f64| format!("{number:.0}").parse::<i64>().ok().filter(|_| number.fract() == 0.0);
    let own = match kind {
        "integer" => parsed().and_then(|read| read.as_i64().or_else(|| whole(read.as_f64()?))).map(Json::from),
        "number" => parsed().filter(Json::is_number),
        "boolean" => match spelled(value).trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(json!(true)),
            "false" | "0" => Some(json!(false)),
            _ => None,
        },
        "string" => (value.is_number() || value.is_boolean()).then(|| json!(value.to_string())),
        "array" => parsed().filter(Json::is_array).or_else(|| match value {
            Json::Null | Json::Array(_) => None,
            item => Some(json!([item])),
        }),
        "object" => parsed().filter(Json::is_object),
        _ => None,
    };
    // Somebody may have put one value into a list.
    own.or_else(|| match value.as_array().map(Vec::as_slice) {
        Some([only]) if is(only, kind) => Some(only.clone()),
        _ => None,
    })
}

fn is(value: &Json, kind: &str) -> bool {
    match kind {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// The values of a list that are spelled like this one, the nearest first.
pub(super) fn near(value: &Json, list: &[Json]) -> Vec<Json> {
    let text = spelled(value);
    let alike = |known: &&Json| spelled(known).eq_ignore_ascii_case(text.trim());
    let names: Vec<&str> = list.iter().filter_map(Json::as_str).collect();
    list.iter().filter(alike).cloned().chain(meant(&text, &names).map(Json::from)).collect()
}

/// A list by how its values are spelled, the nearest to this one first.
pub(super) fn sorted(value: &Json, list: &[Json]) -> Vec<Json> {
    let text: String = spelled(value).chars().take(LONGEST).collect();
    let mut sorted = list.to_vec();
    sorted.sort_by_key(|known| strsim::damerau_levenshtein(&text, &spelled(known)));
    sorted
}

/// Which of the names that a text could be is meant, when it is near one of them.
pub(super) fn meant(text: &str, names: &[&str]) -> Option<String> {
    diagnostic::nearest(text, names.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_what_they_look_like() {
        for (value, kind, read) in [
            (json!("7"), "integer", Some(json!(7))),
            (json!(" -7 "), "integer", Some(json!(-7))),
            (json!("7.0"), "integer", Some(json!(7))),
            (json!("7.5"), "integer", None),
            (json!("1e300"), "integer", None),
            (json!("seven"), "integer", None),
            (json!([7]), "integer", Some(json!(7))),
            (json!([7, 8]), "integer", None),
            (json!("7.5"), "number", Some(json!(7.5))),
            (json!("True"), "boolean", Some(json!(true))),
            (json!(0), "boolean", Some(json!(false))),
            (json!(2), "boolean", None),
            (json!(1), "string", Some(json!("1"))),
            (json!(false), "string", Some(json!("false"))),
            (json!(null), "string", None),
            (json!({}), "string", None),
            (json!("a"), "array", Some(json!(["a"]))),
            (json!("[\"a\"]"), "array", Some(json!(["a"]))),
            (json!(null), "array", None),
            (json!("{\"a\":1}"), "object", Some(json!({ "a": 1 }))),
            (json!([{ "a": 1 }]), "object", Some(json!({ "a": 1 }))),
            (json!([]), "object", None),
        ] {
            assert_eq!(read_as(&value, kind), read, "{value} as {kind}");
        }
    }

    #[test]
    fn of_a_list_the_nearest_comes_first() {
        let list = [json!("alpha"), json!("gamma"), json!(3000)];
        for (value, first) in [
            (json!("GAMMA"), Some(json!("gamma"))),
            (json!("gama"), Some(json!("gamma"))),
            (json!("3000"), Some(json!(3000))),
            (json!("something else"), None),
            (json!("x".repeat(100_000)), None),
        ] {
            assert_eq!(near(&value, &list).first(), first.as_ref(), "{value}");
        }
        assert_eq!(sorted(&json!("ggmmg"), &list), [json!("gamma"), json!("alpha"), json!(3000)]);
        assert_eq!(sorted(&json!("x".repeat(100_000)), &list).len(), 3);
    }
}

//! Where a JSON pointer lands in the text of a document. Used for messages only, so it may read the text again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::value::RawValue;

/// The bytes of the value at a pointer (given as unescaped segments).
pub(crate) fn value_range(text: &str, segments: &[String]) -> Option<Range<usize>> {
    let mut raw: &RawValue = serde_json::from_str(text).ok()?;
    for segment in segments {
        raw = step(raw, segment)?;
    }
    let start = offset(text, raw.get());
    Some(start..start + raw.get().len())
}

/// The bytes of the key that a pointer ends with, quotes included; of the value where it ends in an index.
pub(crate) fn key_range(text: &str, segments: &[String]) -> Option<Range<usize>> {
    let value = value_range(text, segments)?;
    let key = serde_json::to_string(segments.last()?).ok()?;
    let parent = value_range(text, &segments[..segments.len() - 1])?;
    let before = text.get(parent.start..value.start)?;
    match before.rfind(&key) {
        Some(at) => Some(parent.start + at..parent.start + at + key.len()),
        None => Some(value),
    }
}

fn step<'a>(raw: &'a RawValue, segment: &str) -> Option<&'a RawValue> {
    if raw.get().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
        return items.get(segment.parse::<usize>().ok()?).copied();
    }
    let members: BTreeMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(raw.get()).ok()?;
    members.get(segment).copied()
}

fn offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_values_and_keys_by_their_bytes() {
        let text = "{\n  \"data\": [ {\"a\": 1}, {\"a\": 22} ]\n}";
        let at = |segments: &[&str]| segments.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(&text[value_range(text, &at(&["data", "1", "a"])).unwrap()], "22");
        assert_eq!(&text[key_range(text, &at(&["data", "1", "a"])).unwrap()], "\"a\"");
        assert!(key_range(text, &at(&["data", "1", "a"])).unwrap().start > 24);
        assert_eq!(value_range(text, &at(&["data", "2"])), None);
    }
}

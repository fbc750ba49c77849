//! What must not be read in a patch of what was sent.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{MASK, Mask};
use crate::exchange::segments;

impl Mask {
    /// The operations of a JSON Patch of what was sent, whose values come from there or from an example. Names of a form
    /// and of the query count, too: in a patch both are members.
    pub(crate) fn patch(&self, operations: &mut Json) {
        let mut sent = self.for_what_is_sent().into_owned();
        sent.members = sent.members.iter().chain(&self.query).cloned().collect();
        for operation in operations.as_array_mut().into_iter().flatten().filter_map(Json::as_object_mut) {
            let path = operation.get("path").and_then(Json::as_str).unwrap_or_default();
            let secret = segments(path).iter().any(|name| sent.member(name));
            for (key, value) in operation {
                match secret && key == "value" && !value.is_null() {
                    true => *value = Json::from(MASK),
                    false => sent.everything(value),
                }
            }
        }
    }

    /// Takes known secrets out of all of a value: members, keys, texts, and numbers that are one.
    fn everything(&self, value: &mut Json) {
        self.members(value);
        match value {
            Json::Object(object) => {
                for (key, mut value) in std::mem::take(object) {
                    self.everything(&mut value);
                    object.insert(self.text(&key).into_owned(), value);
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.everything(item)),
            Json::Number(number) if matches!(self.text(&number.to_string()), Cow::Owned(_)) => {
                *value = Json::from(MASK);
            }
            other => self.texts_within(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::mask;
    use super::*;

    #[test]
    fn a_patch_is_masked_like_what_was_sent() {
        let mask = mask(&["hidden-token", "12345678"]);
        let mut patch = json!([
            { "op": "add", "path": "/a/Pin", "value": 1 },
            { "op": "add", "path": "/code/0", "value": "c" },
            { "op": "replace", "path": "/key", "value": "k" },
            { "op": "replace", "path": "/b", "value": { "pin": 1, "x": ["hidden-token", 12345678, 7], "hidden-token": null } },
            { "op": "move", "from": "/pim", "path": "/pin" },
            { "op": "remove", "path": "/hidden-token" },
            { "op": "add", "path": "/pin", "value": null },
        ]);
        mask.patch(&mut patch);
        let shown = json!([
            { "op": "add", "path": "/a/Pin", "value": MASK },
            { "op": "add", "path": "/code/0", "value": MASK },
            { "op": "replace", "path": "/key", "value": MASK },
            { "op": "replace", "path": "/b", "value": { "pin": MASK, "x": [MASK, MASK, 7], MASK: null } },
            { "op": "move", "from": "/pim", "path": "/pin" },
            { "op": "remove", "path": "/•••" },
            { "op": "add", "path": "/pin", "value": null },
        ]);
        assert_eq!(patch, shown);
    }
}

//! What is secret in a sandbox: whatever its log masks.
//!
//! The log is read twice, with secrets and without; where the two differ, a secret stands. So a report masks what the
//! server masks, and nothing here needs to know why.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;

/// What stands in the place of a secret.
pub(super) const MASK: &str = "•••";

/// Texts of this length are hidden wherever they stand, shorter ones where they are the whole value.
const TELLING: usize = 8;

/// The texts that are secret.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Adds what one rendering masks of the other.
    pub(super) fn add(&mut self, masked: &Json, whole: &Json) {
        match (masked, whole) {
            (Json::Object(masked), Json::Object(whole)) => {
                for (key, masked) in masked {
                    self.add(masked, whole.get(key).unwrap_or(&Json::Null));
                }
            }
            (Json::Array(masked), Json::Array(whole)) => {
                masked.iter().zip(whole).for_each(|(masked, whole)| self.add(masked, whole));
            }
            (Json::String(masked), Json::String(whole)) if masked != whole => self.add_text(masked, whole),
            (Json::String(masked), whole) if masked == MASK => self.push(&whole.to_string()),
            _ => {}
        }
    }

    fn add_text(&mut self, masked: &str, whole: &str) {
        if masked == MASK {
            self.push(whole);
        }
        let json =
            |text: &str| serde_json::from_str(text).ok().filter(|json: &Json| json.is_object() || json.is_array());
        if let (Some(masked), Some(whole)) = (json(masked), json(whole)) {
            return self.add(&masked, &whole);
        }
        // What stands between two masks is the same in both.
        let mut pieces = masked.split(MASK);
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = whole.strip_prefix(first) else { return };
        let mut pieces = pieces.peekable();
        while let Some(piece) = pieces.next() {
            let end = match pieces.peek() {
                None if rest.ends_with(piece) => rest.len() - piece.len(),
                None => return,
                Some(_) => match rest.find(piece) {
                    Some(at) if !piece.is_empty() => at,
                    _ => return,
                },
            };
            self.push(&rest[..end]);
            rest = &rest[end + piece.len()..];
        }
    }

    fn push(&mut self, text: &str) {
        if text.is_empty() || self.0.iter().any(|known| known == text) {
            return;
        }
        self.0.push(text.to_owned());
        let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        if encoded != text {
            self.0.push(encoded);
        }
        // What holds another one is hidden first.
        self.0.sort_by_key(|text| std::cmp::Reverse(text.len()));
    }

    /// The text without them.
    pub(super) fn hidden(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in &self.0 {
            if secret.len() >= TELLING {
                shown = shown.replace(secret, MASK);
            } else if shown == *secret {
                return MASK.to_owned();
            } else {
                shown = shown.replace(&format!("\"{secret}\""), &format!("\"{MASK}\""));
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secrets(masked: &Json, whole: &Json) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add(masked, whole);
        secrets
    }

    #[test]
    fn what_one_rendering_masks_is_hidden_wherever_it_stands() {
        let masked = json!({ "headers": { "a": "Bearer •••", "u": "/x?k=•••&l=•••" }, "n": 1, "b": "{\"t\":\"•••\"}" });
        let whole = json!({
            "headers": { "a": "Bearer first-secret", "u": "/x?k=second%20one&l=third-secret" },
            "n": 1,
            "b": "{ \"t\": \"abc\" }",
        });
        let secrets = secrets(&masked, &whole);
        let text = "first-secret, second%20one: third-secret; \"abc\" in abcd";
        assert_eq!(secrets.hidden(text), "•••, •••: •••; \"•••\" in abcd");
        assert_eq!(secrets.hidden("abc"), "•••");
    }

    #[test]
    fn what_cannot_be_told_apart_is_left() {
        let secrets = secrets(&json!(["a•••", "•••x", "••••••"]), &json!(["b", "y", "zz"]));
        assert_eq!(secrets.hidden("b y zz"), "b y zz");
    }
}

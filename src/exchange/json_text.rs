use serde_json::Value;

/// JSON that is kept for long and seldom looked at: its text, because its values take about ten times as much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonText(Box<str>);

impl JsonText {
    pub(crate) fn of(value: &Value) -> Self {
        JsonText(value.to_string().into())
    }

    /// The values. They are those that it was made of, in their order.
    pub(crate) fn read(&self) -> Value {
        // What is not nested deeper than a body may be can be read again.
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// In bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_read_is_what_it_was_made_of() {
        let numbers = json!([0, -1, u64::MAX, i64::MIN, 0.1, 1.0, -0.0, 1e300, 2.5e-8]);
        let value = json!({ "b": null, "a": ["\u{0}\"\\\u{1f600}", true, {}], "numbers": numbers });
        let read = JsonText::of(&value).read();
        assert_eq!(read, value);
        assert_eq!(read.to_string(), value.to_string());
        let deep = (0..123).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(JsonText::of(&deep).read(), deep);
    }
}

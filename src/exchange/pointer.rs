use serde_json::Value;

/// The unescaped segments of a JSON pointer (RFC 6901). The empty pointer has none.
pub(crate) fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect()
}

/// The pointer one step below `parent`.
pub(crate) fn child(parent: &str, segment: &str) -> String {
    format!("{parent}/{}", segment.replace('~', "~0").replace('/', "~1"))
}

/// Every leaf of a document with its pointer, in document order. Empty objects and arrays are leaves.
pub(crate) fn leaves(document: &Value) -> Vec<(String, Value)> {
    fn walk(value: &Value, pointer: &str, out: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(object) if !object.is_empty() => {
                for (key, value) in object {
                    walk(value, &child(pointer, key), out);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, value) in items.iter().enumerate() {
                    walk(value, &child(pointer, &index.to_string()), out);
                }
            }
            leaf => out.push((pointer.to_owned(), leaf.clone())),
        }
    }
    let mut out = Vec::new();
    walk(document, "", &mut out);
    out
}

/// A pointer in which `*` stands for any one segment and a final `**` for all that follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<String>);

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Self {
        Pattern(segments(pattern))
    }

    pub(crate) fn matches(&self, pointer: &str) -> bool {
        let mut wanted = self.0.iter().peekable();
        let mut actual = segments(pointer).into_iter();
        while let Some(want) = wanted.next() {
            if want == "**" && wanted.peek().is_none() {
                return true;
            }
            match actual.next() {
                Some(segment) if want == "*" || *want == segment => {}
                _ => return false,
            }
        }
        actual.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_segment() {
        let pattern = Pattern::new("/scopes/*/permission");
        assert!(pattern.matches("/scopes/0/permission"));
        assert!(!pattern.matches("/scopes/permission"));
        assert!(!pattern.matches("/scopes/0/1/permission"));
        assert!(Pattern::new("/start/**").matches("/start/0/text"));
        assert!(Pattern::new("").matches(""));
        assert!(!Pattern::new("").matches("/name"));
    }

    #[test]
    fn segments_are_unescaped() {
        assert_eq!(segments("/a~1b/~0c"), ["a/b", "~c"]);
        assert_eq!(child("/x", "a/b"), "/x/a~1b");
    }
}

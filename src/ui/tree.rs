//! A JSON Schema as rows that one can read: each member with its type and what it must be, those within others
//! below them.

use serde_json::{Map, Value as Json, json};

/// The most rows of one schema, and how deep they go: schemas may refer to themselves.
const MOST_ROWS: usize = 400;
const DEEPEST: usize = 7;
/// The most parts of a schema that are read for one value.
const MOST_PARTS: usize = 60;
/// The most values of a list that are written out.
const MOST_VALUES: usize = 40;

/// A part of a schema, and the name of the document that its references start from.
#[derive(Clone, Copy)]
struct Part<'s> {
    schema: &'s Map<String, Json>,
    document: &'s str,
}

struct Tree<'s> {
    /// Documents by their names.
    documents: &'s Json,
    rows: Vec<Json>,
}

/// The rows of a schema by its name, `item` or `item#/$defs/name`.
pub(super) fn rows(documents: &Json, name: &str) -> Vec<Json> {
    let mut tree = Tree { documents, rows: Vec::new() };
    if let Some(part) = tree.named(name, "") {
        let parts = tree.spread(part);
        if let Some(name) = item(&parts).map(|_| "each item") {
            tree.value(name, &parts, false, 0, &mut Vec::new());
        } else {
            tree.members(&parts, 0, &mut Vec::new());
        }
    }
    tree.rows
}

/// Type and rules of one value: `{type, rules}`.
pub(super) fn value(documents: &Json, schema: &Json) -> Json {
    let tree = Tree { documents, rows: Vec::new() };
    let parts = schema.as_object().map(|schema| tree.spread(Part { schema, document: "" })).unwrap_or_default();
    json!({ "type": kind(&parts), "rules": rules(&parts) })
}

impl<'s> Tree<'s> {
    /// Where a reference leads.
    fn named(&self, reference: &str, from: &'s str) -> Option<Part<'s>> {
        let (document, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let document = match document.trim_end_matches(".json") {
            "" => from,
            document => document,
        };
        let (document, whole) = self.documents.as_object()?.get_key_value(document)?;
        Some(Part { schema: whole.pointer(pointer)?.as_object()?, document })
    }

    /// Everything that always holds of one value: the schema, where it refers to, and all of `allOf`.
    fn spread(&self, part: Part<'s>) -> Vec<Part<'s>> {
        let mut parts = vec![part];
        let mut next = 0;
        while let Some(Part { schema, document }) = parts.get(next).copied() {
            next += 1;
            let referred = schema.get("$ref").and_then(Json::as_str).and_then(|to| self.named(to, document));
            let all = schema.get("allOf").and_then(Json::as_array).into_iter().flatten();
            let all = all.filter_map(Json::as_object).map(|schema| Part { schema, document });
            for part in referred.into_iter().chain(all) {
                let known = parts.iter().any(|known| std::ptr::eq(known.schema, part.schema));
                if !known && parts.len() < MOST_PARTS {
                    parts.push(part);
                }
            }
        }
        parts
    }

    fn row(&mut self, row: Json) {
        if self.rows.len() < MOST_ROWS {
            self.rows.push(row);
        }
    }

    fn label(&mut self, words: String, depth: usize) {
        self.row(json!({ "label": words, "depth": depth }));
    }

    /// The members of an object, and what holds of it under conditions.
    fn members(&mut self, parts: &[Part<'s>], depth: usize, above: &mut Vec<*const Map<String, Json>>) {
        let required: Vec<&str> = parts
            .iter()
            .filter_map(|part| part.schema.get("required")?.as_array())
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        let mut told: Vec<&str> = Vec::new();
        for part in parts {
            for name in part.schema.get("properties").and_then(Json::as_object).into_iter().flat_map(Map::keys) {
                if told.contains(&name.as_str()) {
                    continue;
                }
                told.push(name);
                // What several parts say of one member is said together.
                let said = parts.iter().filter_map(|part| {
                    let schema = part.schema.get("properties")?.get(name)?.as_object()?;
                    Some(Part { schema, document: part.document })
                });
                let all: Vec<Part<'s>> = said.flat_map(|part| self.spread(part)).collect();
                self.value(name, &all, required.contains(&name.as_str()), depth, above);
            }
            if let Some(others) = part.schema.get("additionalProperties").and_then(Json::as_object) {
                let parts = self.spread(Part { schema: others, document: part.document });
                self.value("any other name", &parts, false, depth, above);
            }
        }
        for name in required.iter().filter(|name| !told.contains(name)) {
            self.row(json!({ "name": name, "required": true, "type": "", "rules": [], "depth": depth }));
        }
        self.branches(parts, depth, above);
    }

    /// A member, an item, or whatever else has a name.
    fn value(
        &mut self,
        name: &str,
        parts: &[Part<'s>],
        required: bool,
        depth: usize,
        above: &mut Vec<*const Map<String, Json>>,
    ) {
        let description = parts.iter().find_map(|part| part.schema.get("description")?.as_str());
        self.row(json!({
            "name": name, "required": required, "type": kind(parts), "rules": rules(parts),
            "description": description, "depth": depth,
        }));
        let again = parts.iter().any(|part| above.contains(&std::ptr::from_ref(part.schema)));
        if again || depth >= DEEPEST {
            return;
        }
        let before = above.len();
        above.extend(parts.iter().map(|part| std::ptr::from_ref(part.schema)));
        self.members(parts, depth + 1, above);
        if let Some(items) = item(parts) {
            let parts = self.spread(items);
            let nested = parts.iter().any(|part| {
                ["properties", "items", "allOf", "oneOf", "anyOf", "if"]
                    .iter()
                    .any(|key| part.schema.contains_key(*key))
            });
            if nested && !parts.iter().any(|part| above.contains(&std::ptr::from_ref(part.schema))) {
                above.extend(parts.iter().map(|part| std::ptr::from_ref(part.schema)));
                if let Some(inner) = item(&parts) {
                    let inner = self.spread(inner);
                    self.value("each item", &inner, false, depth + 1, above);
                }
                self.members(&parts, depth + 1, above);
            }
        }
        above.truncate(before);
    }

    /// What holds under conditions, and what there is to choose from.
    fn branches(&mut self, parts: &[Part<'s>], depth: usize, above: &mut Vec<*const Map<String, Json>>) {
        for part in parts {
            if let Some(condition) = part.schema.get("if") {
                let words = condition_words(condition);
                for (key, label) in [("then", format!("When {words}")), ("else", "Otherwise".to_owned())] {
                    self.branch(part.schema.get(key), part.document, &label, depth, above);
                }
            }
            for key in ["oneOf", "anyOf"] {
                let arms = part.schema.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
                for (number, arm) in arms.iter().enumerate() {
                    let title = arm.get("title").and_then(Json::as_str);
                    let label = title.map_or_else(|| format!("Possibility {}", number + 1), str::to_owned);
                    self.branch(Some(arm), part.document, &label, depth, above);
                }
            }
        }
    }

    /// One branch, where it says more of members than the type of the whole does.
    fn branch(
        &mut self,
        schema: Option<&'s Json>,
        document: &'s str,
        label: &str,
        depth: usize,
        above: &mut Vec<*const Map<String, Json>>,
    ) {
        let Some(schema) = schema.and_then(Json::as_object) else { return };
        let parts = self.spread(Part { schema, document });
        let seen = parts.iter().any(|part| above.contains(&std::ptr::from_ref(part.schema)));
        let says = |part: &Part<'_>| {
            ["properties", "required", "if", "oneOf", "anyOf"].iter().any(|key| part.schema.contains_key(*key))
        };
        if seen || depth >= DEEPEST || !parts.iter().any(says) {
            return;
        }
        self.label(label.to_owned(), depth);
        let before = above.len();
        above.extend(parts.iter().map(|part| std::ptr::from_ref(part.schema)));
        self.members(&parts, depth + 1, above);
        above.truncate(before);
    }
}

/// The schema of a list's items.
fn item<'s>(parts: &[Part<'s>]) -> Option<Part<'s>> {
    parts.iter().find_map(|part| Some(Part { schema: part.schema.get("items")?.as_object()?, document: part.document }))
}

/// The types that a value may have, in words.
fn kind(parts: &[Part<'_>]) -> String {
    let own = |schema: &Map<String, Json>| match schema.get("type")? {
        Json::String(one) => Some(one.clone()),
        Json::Array(several) => Some(several.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" or ")),
        _ => None,
    };
    if let Some(kind) = parts.iter().find_map(|part| own(part.schema)) {
        let items = item(parts).and_then(|item| own(item.schema));
        return match items {
            Some(items) if kind == "array" => format!("array of {items}"),
            _ => kind,
        };
    }
    let arms =
        parts.iter().flat_map(|part| ["oneOf", "anyOf"].into_iter().filter_map(|key| part.schema.get(key)?.as_array()));
    let mut kinds: Vec<String> = arms.flatten().filter_map(Json::as_object).filter_map(own).collect();
    if kinds.is_empty() {
        // `{"if": {"type": …}, "then": …, "else": {"type": …}}` takes what its condition names.
        kinds.extend(parts.iter().filter_map(|part| own(part.schema.get("else")?.as_object()?)));
        kinds.extend(parts.iter().filter_map(|part| own(part.schema.get("if")?.as_object()?)));
    }
    if kinds.is_empty() && parts.iter().any(|part| part.schema.contains_key("properties")) {
        kinds.push("object".to_owned());
    }
    kinds.dedup();
    kinds.join(" or ")
}

/// Keywords whose value is said as it is, and the words before it.
const SAID: &[(&str, &str)] = &[
    ("format", "format"),
    ("pattern", "matches"),
    ("minLength", "characters ≥"),
    ("maxLength", "characters ≤"),
    ("minimum", "≥"),
    ("exclusiveMinimum", ">"),
    ("maximum", "≤"),
    ("exclusiveMaximum", "<"),
    ("multipleOf", "a multiple of"),
    ("minItems", "items ≥"),
    ("maxItems", "items ≤"),
    ("minProperties", "members ≥"),
    ("maxProperties", "members ≤"),
    ("const", "always"),
    ("default", "default"),
];

/// What a value must be, each rule in few words.
fn rules(parts: &[Part<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for part in parts {
        said(part.schema, &mut found);
        // What a value of this type must be besides.
        if let Some(then) = part.schema.get("then").and_then(Json::as_object)
            && part.schema.get("if").is_some_and(|condition| condition.get("type").is_some())
        {
            said(then, &mut found);
        }
    }
    let mut once: Vec<String> = Vec::new();
    found.into_iter().for_each(|rule| {
        if !once.contains(&rule) {
            once.push(rule);
        }
    });
    once
}

fn said(schema: &Map<String, Json>, found: &mut Vec<String>) {
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        let more = values.len().saturating_sub(MOST_VALUES);
        let shown: Vec<String> = values.iter().take(MOST_VALUES).map(Json::to_string).collect();
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        found.push(format!("one of {}{more}", shown.join(", ")));
    }
    for (keyword, words) in SAID {
        if let Some(value) = schema.get(*keyword) {
            let value = match (value, *keyword) {
                (Json::String(text), "format" | "pattern") => text.clone(),
                (other, _) => other.to_string(),
            };
            found.push(format!("{words} {value}"));
        }
    }
    for (keyword, words) in [("uniqueItems", "all different"), ("writeOnly", "sent only"), ("readOnly", "shown only")] {
        if schema.get(keyword) == Some(&Json::Bool(true)) {
            found.push(words.to_owned());
        }
    }
    if schema.get("additionalProperties") == Some(&Json::Bool(false)) {
        found.push("no other members".to_owned());
    }
}

/// A condition in few words, such as `channelId is "Direct"`.
fn condition_words(condition: &Json) -> String {
    let is = |(name, schema): (&String, &Json)| {
        let listed = schema.get("enum").and_then(Json::as_array);
        match (schema.get("const"), listed) {
            (Some(value), _) => Some(format!("{name} is {value}")),
            (None, Some(values)) => {
                let values: Vec<String> = values.iter().take(MOST_VALUES).map(Json::to_string).collect();
                Some(format!("{name} is {}", values.join(" or ")))
            }
            (None, None) => None,
        }
    };
    let members = condition.get("properties").and_then(Json::as_object).into_iter().flatten();
    let words: Vec<String> = members.filter_map(is).collect();
    if !words.is_empty() {
        return words.join(" and ");
    }
    if let Some(names) = condition.get("required").and_then(Json::as_array) {
        let names: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
        return format!("{} is there", names.join(" and "));
    }
    match condition.get("type") {
        Some(kind) => format!("it is of type {}", kind.to_string().replace('"', "")),
        None => format!("it fits {condition}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(documents: &Json, name: &str) -> Vec<String> {
        let line = |row: &Json| {
            let indent = "  ".repeat(usize::try_from(row["depth"].as_u64().unwrap()).unwrap());
            if let Some(label) = row["label"].as_str() {
                return format!("{indent}({label})");
            }
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let rules: Vec<&str> = row["rules"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
            let mark = if row["required"] == true { "!" } else { "" };
            format!("{indent}{}{mark} {} [{}]", text("name"), text("type"), rules.join("; "))
        };
        rows(documents, name).iter().map(line).collect()
    }

    #[test]
    fn members_stand_below_what_they_are_in_wherever_references_lead() {
        let documents = json!({
            "create": {
                "type": "object", "required": ["name", "kind"], "additionalProperties": false,
                "properties": {
                    "name": { "$ref": "parts.json#/$defs/name" },
                    "kind": { "if": { "type": "string" }, "then": { "enum": ["a", "b"] }, "else": { "type": "integer" } },
                    "lines": { "type": "array", "items": { "type": "object", "properties": { "n": { "type": "integer", "minimum": 1 } } } },
                },
                "allOf": [{
                    "if": { "properties": { "kind": { "const": "a" } } },
                    "then": { "required": ["note"], "properties": { "note": { "type": "string" } } },
                }],
            },
            "parts": { "$defs": { "name": { "type": ["string", "null"], "maxLength": 9 } } },
        });
        assert_eq!(
            lines(&documents, "create"),
            [
                "name! string or null [characters ≤ 9]",
                "kind! integer or string [one of \"a\", \"b\"]",
                "lines array of object []",
                "  n integer [≥ 1]",
                "(When kind is \"a\")",
                "  note! string []",
            ]
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let documents = json!({
            "node": { "type": "object", "properties": { "next": { "$ref": "node.json" }, "all": { "type": "array", "items": { "$ref": "#" } } } },
        });
        let lines = lines(&documents, "node");
        assert!(lines.len() < 20, "{lines:?}");
        assert_eq!(lines[0], "next object []");
        let wide: Map<String, Json> = (0..1000).map(|n| (format!("m{n}"), json!({ "type": "string" }))).collect();
        assert_eq!(rows(&json!({ "wide": { "properties": wide } }), "wide").len(), MOST_ROWS);
        assert!(rows(&json!({}), "gone").is_empty());
    }
}

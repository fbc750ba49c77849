//! A schema for those who want to read it: its name, its text, and whatever it refers to.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Reference, Schema};

impl Schema {
    /// As packs name it, `item` or `item#/$defs/name`; none where it stands inside another file.
    pub(crate) fn name(&self) -> Option<String> {
        let Reference { document, pointer } = &self.reference;
        match (document.as_str(), pointer.as_str()) {
            ("", _) => None,
            (document, "") => Some(document.to_owned()),
            (document, pointer) => Some(format!("{document}#{pointer}")),
        }
    }

    /// The documents that it needs, whole, by name: its own, and those that are referred to.
    pub(crate) fn documents(&self) -> BTreeMap<String, &Value> {
        let mut found = BTreeMap::new();
        match &self.inline {
            Some(inline) => self.reach(inline, "", &mut found),
            None => self.reach_document(&self.reference.document, &mut found),
        }
        found
    }

    fn reach_document<'s>(&'s self, name: &str, found: &mut BTreeMap<String, &'s Value>) {
        if let Some(document) = self.shelf.documents.get(name)
            && found.insert(name.to_owned(), document).is_none()
        {
            self.reach(document, name, found);
        }
    }

    fn reach<'s>(&'s self, value: &'s Value, document: &str, found: &mut BTreeMap<String, &'s Value>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.reach(item, document, found)),
            Value::Object(object) => {
                if let Some(target) = Reference::of(value, document) {
                    self.reach_document(&target.document, found);
                }
                object.values().for_each(|inner| self.reach(inner, document, found));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::super::{Library, Reference};

    #[test]
    fn a_schema_brings_what_it_refers_to_and_nothing_else() {
        let documents = [
            ("list".to_owned(), json!({ "items": { "$ref": "item.json" } })),
            ("item".to_owned(), json!({ "properties": { "of": { "$ref": "list.json" } }, "$defs": { "name": {} } })),
            ("other".to_owned(), json!({ "type": "string" })),
        ];
        let (library, faults) = Library::new(documents.into_iter().collect(), BTreeSet::new());
        assert_eq!(faults, []);
        let schema = library.compile(&Reference::parse("item#/$defs/name")).unwrap();
        assert_eq!(schema.name().as_deref(), Some("item#/$defs/name"));
        assert_eq!(schema.documents().into_keys().collect::<Vec<_>>(), ["item", "list"]);
        let inline = library.compile_inline(&json!({ "properties": { "x": { "$ref": "other.json" } } })).unwrap();
        assert_eq!(inline.name(), None);
        assert_eq!(inline.documents().into_keys().collect::<Vec<_>>(), ["other"]);
    }
}

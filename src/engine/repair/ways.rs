//! What can be done about one violation, the best first: what keeps more of what the client sent is better.

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, MoveOperation, PatchOperation, RemoveOperation, ReplaceOperation};
use serde_json::{Map, Value as Json};

use super::nearest::Known;
use super::values;
use crate::exchange::{child, distinct, segments};
use crate::pack::{BodyRule, Operation};
use crate::schema::Violation;

/// The most members of one object among which a misspelt one is looked for.
const MOST_MEMBERS: usize = 200;

/// One violation of a body as it is now. What mends it is one operation on that body.
pub(super) struct Case<'a> {
    pub(super) operation: &'a Operation,
    pub(super) rule: &'a BodyRule,
    pub(super) known: &'a [Known],
    pub(super) body: &'a Json,
    pub(super) violation: &'a Violation,
}

impl<'a> Case<'a> {
    /// What was probably meant. If more rules count then, those count that were meant, too.
    pub(super) fn meant(&self) -> Vec<PatchOperation> {
        let place = self.place();
        let found = match (self.violation.keyword.as_str(), &self.violation.value, &self.violation.expected) {
            ("required", ..) => place.misspelt(),
            ("additionalProperties" | "unevaluatedProperties" | "falseSchema", ..) => vec![place.other_name()],
            ("type", Some(value), Some(expected)) => place.read_as(value, &types(expected)),
            ("anyOf" | "oneOf", Some(value), _) => place.read_as(value, &values::TYPES),
            ("enum", Some(value), Some(Json::Array(list))) => place.replace_all(values::near(value, list)),
            ("const", _, Some(only)) => vec![place.replace(only.clone())],
            ("maxItems", Some(Json::Array(items)), Some(most)) => {
                let most = most.as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(items.len());
                vec![place.replace(items.iter().take(most).cloned().collect())]
            }
            ("uniqueItems", Some(Json::Array(items)), _) => {
                vec![place.replace(distinct(items).into_iter().cloned().collect())]
            }
            _ => Vec::new(),
        };
        found.into_iter().flatten().collect()
    }

    /// What would do.
    pub(super) fn guessed(&self) -> Vec<PatchOperation> {
        let place = self.place();
        let found = match (self.violation.keyword.as_str(), &self.violation.value, &self.violation.expected) {
            ("required", ..) => place.new_value(),
            ("additionalProperties" | "unevaluatedProperties" | "falseSchema", ..) => vec![place.remove()],
            // A body of another kind has nothing that could be kept.
            ("type", Some(value), _) if place.pointer.is_empty() && !value.is_object() => place.whole(),
            ("enum", Some(value), Some(Json::Array(list))) => {
                place.replace_all(place.documented().into_iter().chain(values::sorted(value, list)))
            }
            ("minItems" | "contains", Some(Json::Array(items)), _) => {
                let item = child(place.pointer, &items.len().to_string());
                Place { pointer: &item, ..place }.new_value()
            }
            ("minimum" | "maximum", _, Some(limit)) => place.other_value(Some(limit)),
            _ => place.other_value(None),
        };
        found.into_iter().flatten().collect()
    }

    fn place(&self) -> Place<'a> {
        let Case { operation, rule, known, body, violation } = *self;
        Place { operation, rule, known, body, pointer: &violation.pointer }
    }
}

fn types(expected: &Json) -> Vec<&str> {
    match expected {
        Json::Array(types) => types.iter().filter_map(Json::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// A place of the body, named with the spelling of the schema.
struct Place<'a> {
    operation: &'a Operation,
    rule: &'a BodyRule,
    known: &'a [Known],
    body: &'a Json,
    pointer: &'a str,
}

impl Place<'_> {
    // ---- one operation ----

    fn add(&self, value: Json) -> Option<PatchOperation> {
        let path = parsed(&self.as_sent(self.pointer))?;
        Some(PatchOperation::Add(AddOperation { path, value }))
    }

    fn replace(&self, value: Json) -> Option<PatchOperation> {
        let path = parsed(&self.as_sent(self.pointer))?;
        Some(PatchOperation::Replace(ReplaceOperation { path, value }))
    }

    /// The whole body cannot be taken away.
    fn remove(&self) -> Option<PatchOperation> {
        let path = parsed(&self.as_sent(self.pointer))?;
        (!self.pointer.is_empty()).then_some(PatchOperation::Remove(RemoveOperation { path }))
    }

    fn moved(from: &str, to: &str) -> Option<PatchOperation> {
        Some(PatchOperation::Move(MoveOperation { from: parsed(from)?, path: parsed(to)? }))
    }

    fn replace_all(&self, values: impl IntoIterator<Item = Json>) -> Vec<Option<PatchOperation>> {
        values.into_iter().map(|value| self.replace(value)).collect()
    }

    // ---- ways ----

    /// The members that a missing one may be: misspelt, or further up.
    fn misspelt(&self) -> Vec<Option<PatchOperation>> {
        let Some((parent, name)) = self.split() else { return Vec::new() };
        let to = self.as_sent(self.pointer);
        let mut found = Vec::new();
        let mut level = Some(parent);
        while let Some(pointer) = level {
            let place = self.as_sent(pointer);
            let object = self.body.pointer(&place).and_then(Json::as_object);
            let keys = object.into_iter().flat_map(Map::keys).take(MOST_MEMBERS);
            let near: Vec<&String> = keys.filter(|key| values::meant(key, &[&name]).is_some()).collect();
            // What the schema says is looked up only where it is asked for: there may be many violations.
            let others = if near.is_empty() || pointer != parent { Vec::new() } else { self.absent(pointer) };
            let names: Vec<&str> = others.iter().map(String::as_str).chain([name.as_str()]).collect();
            let meant = |key: &&String| values::meant(key, &names).is_some_and(|meant| meant == name);
            let strays = near.into_iter().filter(|key| self.is_stray(pointer, key)).filter(meant);
            found.extend(strays.map(|stray| Self::moved(&child(&place, stray), &to)));
            level = pointer.rsplit_once('/').map(|(above, _)| above);
        }
        found
    }

    /// The property that an unknown member may be.
    fn other_name(&self) -> Option<PatchOperation> {
        let (parent, name) = self.split()?;
        let absent = self.absent(parent);
        let absent: Vec<&str> = absent.iter().map(String::as_str).collect();
        let meant = values::meant(&name, &absent)?;
        Self::moved(&self.as_sent(self.pointer), &child(&self.as_sent(parent), &meant))
    }

    fn read_as(&self, value: &Json, types: &[&str]) -> Vec<Option<PatchOperation>> {
        self.replace_all(types.iter().filter_map(|kind| values::read_as(value, kind)))
    }

    fn whole(&self) -> Vec<Option<PatchOperation>> {
        let examples = self.known.iter().filter(|example| example.fits).map(|example| example.body.clone());
        self.replace_all(examples.chain(self.samples()))
    }

    fn new_value(&self) -> Vec<Option<PatchOperation>> {
        self.documented().into_iter().chain(self.samples()).map(|value| self.add(value)).collect()
    }

    /// Another value, at last none: one that is documented, a limit, one that the schema would take. What else could be in
    /// the place of the whole is for the examples to say.
    fn other_value(&self, limit: Option<&Json>) -> Vec<Option<PatchOperation>> {
        if self.pointer.is_empty() {
            return Vec::new();
        }
        let values = self.documented().into_iter().chain(limit.cloned()).chain(self.samples());
        values.map(|value| self.replace(value)).chain([self.remove()]).collect()
    }

    // ---- what is known of the place ----

    /// The values that documented requests have here, the nearest first. Of a list that is shorter any item will do.
    fn documented(&self) -> Vec<Json> {
        let mut found = Vec::new();
        for example in self.known {
            let mut at = Some(&example.body);
            for segment in segments(self.pointer) {
                at = match at {
                    Some(Json::Array(items)) => {
                        let index = segment.parse::<usize>().ok();
                        index.and_then(|index| items.get(index)).or(items.first())
                    }
                    Some(Json::Object(object)) => object.get(&segment),
                    _ => None,
                };
            }
            found.extend(at);
        }
        distinct(found).into_iter().cloned().collect()
    }

    fn samples(&self) -> Vec<Json> {
        self.rule.schema.said(&segments(self.pointer)).samples()
    }

    /// The object above, and the name in it.
    fn split(&self) -> Option<(&str, String)> {
        let (parent, _) = self.pointer.rsplit_once('/')?;
        Some((parent, segments(self.pointer).pop()?))
    }

    /// Properties that are known at a pointer and not there.
    fn absent(&self, pointer: &str) -> Vec<String> {
        let said = self.rule.schema.said(&segments(pointer));
        let object = self.body.pointer(&self.as_sent(pointer)).and_then(Json::as_object);
        let there = |name: &str| object.is_some_and(|object| self.key(object, pointer, name).is_some());
        said.properties().into_iter().filter(|name| !there(name)).map(str::to_owned).collect()
    }

    /// Whether the schema knows no property of this name at a pointer.
    fn is_stray(&self, pointer: &str, key: &str) -> bool {
        let said = self.rule.schema.said(&segments(pointer));
        !said.properties().into_iter().any(|name| self.is_spelled(pointer, key, name))
    }

    // ---- keys that are read ignoring case ----

    fn ignores_case(&self, pointer: &str) -> bool {
        self.operation.ignore_case.iter().any(|rule| rule.pointer == pointer)
    }

    fn is_spelled(&self, pointer: &str, key: &str, name: &str) -> bool {
        key == name || (self.ignores_case(pointer) && key.eq_ignore_ascii_case(name))
    }

    /// How a property is spelled in the object at a pointer.
    fn key<'o>(&self, object: &'o Map<String, Json>, pointer: &str, name: &str) -> Option<&'o String> {
        let other = || object.keys().find(|key| key.eq_ignore_ascii_case(name));
        let own = object.get_key_value(name).map(|(key, _)| key);
        own.or_else(|| if self.ignores_case(pointer) { other() } else { None })
    }

    /// A pointer in the spelling of the schema as one into the body as it was sent.
    fn as_sent(&self, pointer: &str) -> String {
        let (mut read, mut sent) = (String::new(), String::new());
        for segment in segments(pointer) {
            let object = self.body.pointer(&sent).and_then(Json::as_object);
            let key = object.and_then(|object| self.key(object, &read, &segment));
            sent = child(&sent, key.unwrap_or(&segment));
            read = child(&read, &segment);
        }
        sent
    }
}

fn parsed(pointer: &str) -> Option<PointerBuf> {
    PointerBuf::parse(pointer).ok()
}

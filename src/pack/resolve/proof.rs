//! What the shape of an answer proves of its schema.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::Resolver;
use crate::exchange::child;
use crate::pack::proof::{Check, Leaf, Types};
use crate::pack::{Content, Shape};
use crate::schema::{Reference, Schema};

/// Keywords that say nothing about a value.
const ANNOTATIONS: &[&str] = &["title", "description", "$schema", "$defs", "$comment", "examples", "default"];

impl Resolver<'_> {
    /// What is left to check of an answer with this body.
    pub(super) fn proof(&mut self, body: &Content, schema: &Schema, name: &str) -> Check {
        match body {
            Content::Empty | Content::Page { .. } => Check::Proven,
            // The same bytes every time: what is right once is right.
            Content::Fixed { json: Some(json), .. } if self.library.fits(schema, json) => Check::Proven,
            Content::Fixed { .. } => Check::Whole(schema.clone()),
            Content::Shaped(shape) => self.prove(shape, &Reference::parse(name), 0),
        }
    }

    fn prove(&mut self, shape: &Shape, at: &Reference, depth: usize) -> Check {
        let Some(node) = self.library.get(at).cloned() else { return Check::Proven };
        let target = Reference::of(&node, &at.document);
        let Value::Object(node) = node else { return self.whole(at) };
        let says: Vec<&str> = node
            .keys()
            .map(String::as_str)
            .filter(|key| !ANNOTATIONS.contains(key) && !key.starts_with("x-"))
            .collect();
        if says.is_empty() {
            return Check::Proven;
        }
        if let (["$ref"], Some(target), true) = (says.as_slice(), target, depth < 32) {
            return self.prove(shape, &target, depth + 1);
        }
        match shape {
            Shape::Literal(value) if plainly_fits(value, &node, &says) || self.library.part(at).is_valid(value) => {
                Check::Proven
            }
            Shape::Value { .. } | Shape::Member { .. } => self.leaf(&node, &says, at, None),
            Shape::Field(field) => self.leaf(&node, &says, at, Some(*field)),
            Shape::Object(_) => self.members(shape, &node, &says, at, depth),
            Shape::Record { inner, .. } => match self.prove(inner, at, depth + 1) {
                Check::Whole(schema) => Check::Whole(schema),
                check => Check::Inner(Box::new(self.rendered(inner, at, check))),
            },
            Shape::Each(each) if each.key.is_none() => {
                let only = says.iter().all(|key| matches!(*key, "type" | "items"));
                match (only, node.get("type").and_then(Value::as_str), node.contains_key("items")) {
                    (true, Some("array") | None, true) => {
                        let at = below(at, &["items"]);
                        let check = self.prove(&each.item, &at, depth + 1);
                        let of_records = each.bare && each.resource.is_some();
                        Check::Items(Box::new(if of_records { self.rendered(&each.item, &at, check) } else { check }))
                    }
                    (true, Some("array") | None, false) => Check::Proven,
                    _ => self.whole(at),
                }
            }
            _ => self.whole(at),
        }
    }

    /// What a record shows with a shape and a check, when both depend on the record alone.
    fn rendered(&mut self, shape: &Shape, at: &Reference, check: Check) -> Check {
        if !shape.is_bare() {
            return check;
        }
        let schema = self.followed(at);
        let known = self.renderings.iter().position(|(known, face)| *known == schema && face == shape);
        let number = known.unwrap_or_else(|| {
            self.renderings.push((schema, shape.clone()));
            self.renderings.len() - 1
        });
        match u16::try_from(number) {
            Ok(number) => Check::Rendered(number, Box::new(check)),
            Err(_) => check,
        }
    }

    /// Where a schema is that may only refer to another one.
    fn followed(&self, at: &Reference) -> String {
        let mut at = at.clone();
        for _ in 0..32 {
            let node = self.library.get(&at).filter(|node| node.as_object().is_some_and(|node| node.len() == 1));
            let Some(target) = node.and_then(|node| Reference::of(node, &at.document)) else { break };
            at = target;
        }
        format!("{}#{}", at.document, at.pointer)
    }

    fn members(
        &mut self,
        shape: &Shape,
        node: &Map<String, Value>,
        says: &[&str],
        at: &Reference,
        depth: usize,
    ) -> Check {
        let Shape::Object(members) = shape else { return self.whole(at) };
        let closed = ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|key| node.get(*key) == Some(&Value::Bool(false)));
        let known = says.iter().all(|key| match *key {
            "type" => node.get("type").and_then(Value::as_str) == Some("object"),
            "properties" | "required" => true,
            "additionalProperties" | "unevaluatedProperties" => node[*key] == Value::Bool(false),
            _ => false,
        });
        let properties = node.get("properties").and_then(Value::as_object);
        let has = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
        let always = |name: &Value| {
            let name = name.as_str().unwrap_or_default();
            members.iter().any(|member| member.key == name && !member.optional)
        };
        let complete = node.get("required").and_then(Value::as_array).into_iter().flatten().all(always);
        let fits = !closed || members.iter().all(|member| has(&member.key));
        if !known || !complete || !fits {
            return self.whole(at);
        }
        let checks = members.iter().map(|member| match has(&member.key) {
            true => self.prove(&member.shape, &below(at, &["properties", &member.key]), depth + 1),
            false => Check::Proven,
        });
        Check::Members(checks.collect())
    }

    fn leaf(&mut self, node: &Map<String, Value>, says: &[&str], at: &Reference, field: Option<usize>) -> Check {
        let mut types = Types::ALL;
        if let Some(value) = node.get("type") {
            types = Types::none();
            for name in
                value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter().filter_map(Value::as_str)
            {
                types.add(name);
            }
        }
        let least = node.get("minimum").and_then(Value::as_i64);
        let known = |key: &str| key == "type" || (key == "minimum" && least.is_some());
        let rest = says.iter().any(|key| !known(key)).then(|| self.library.part(at));
        let number = match (&rest, field) {
            (Some(_), Some(field)) => {
                let name = format!("{}#{} {field}", at.document, at.pointer);
                let number = self.checks.iter().position(|known| *known == name).unwrap_or_else(|| {
                    self.checks.push(name);
                    self.checks.len() - 1
                });
                u8::try_from(number).ok().filter(|number| *number < 64)
            }
            _ => None,
        };
        Check::Leaf(Leaf { types, least, rest, fitted: OnceLock::new(), number })
    }

    fn whole(&mut self, at: &Reference) -> Check {
        Check::Whole(self.library.part(at))
    }
}

/// Whether a value fits a schema that says nothing but its type or the values that there are. Others are asked whole.
fn plainly_fits(value: &Value, node: &Map<String, Value>, says: &[&str]) -> bool {
    says.iter().all(|key| match (*key, &node[*key]) {
        ("type", Value::String(name)) => matches!(
            (name.as_str(), value),
            ("null", Value::Null)
                | ("boolean", Value::Bool(_))
                | ("string", Value::String(_))
                | ("number", Value::Number(_))
                | ("array", Value::Array(_))
                | ("object", Value::Object(_))
        ),
        ("const", Value::String(only)) => value.as_str() == Some(only),
        ("enum", Value::Array(listed)) => value.is_string() && listed.contains(value),
        _ => false,
    })
}

fn below(at: &Reference, steps: &[&str]) -> Reference {
    let pointer = steps.iter().fold(at.pointer.clone(), |pointer, step| child(&pointer, step));
    Reference { document: at.document.clone(), pointer }
}

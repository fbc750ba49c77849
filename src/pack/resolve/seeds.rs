//! The records that every sandbox starts with.

use serde_json::{Map, Value};

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Location, nearest, one_of};
use crate::pack::source::{Manifest, NodeKind, SeedSource};
use crate::pack::{ResourceId, Seed};

impl Resolver<'_> {
    pub(super) fn seeds(&mut self, manifest: &Manifest) -> Vec<Seed> {
        let mut seeds = Vec::new();
        for (index, resource) in manifest.resources.iter().enumerate() {
            for source in &resource.seed {
                self.seed(ResourceId(index), source, &mut seeds);
            }
        }
        self.check_ids(&seeds);
        seeds
    }

    fn seed(&mut self, resource: ResourceId, source: &SeedSource, seeds: &mut Vec<Seed>) {
        if let Some(example) = &source.example {
            let Some((path, steps, part)) = self.part(example, "") else { return };
            let items = match part {
                Value::Array(items) => items,
                single => vec![single],
            };
            let many = items.len() > 1;
            for (index, item) in items.into_iter().enumerate() {
                let mut steps = steps.clone();
                if many || item.is_object() && self.is_list(&path, &steps) {
                    steps.push(index.to_string());
                }
                let Value::Object(object) = item else {
                    self.error(Code::SeedInvalid, &example.at, "a record is an object");
                    continue;
                };
                let mut found = Vec::new();
                self.fields_of(resource, object, &steps, &mut found);
                let members: Vec<_> =
                    found.into_iter().map(|(key, value, at)| (key, value, self.json_place(&path, &at))).collect();
                let over = source.set.iter().map(|(key, node)| (key.name.clone(), node.to_json(), node.at.clone()));
                let members = members.into_iter().chain(over).collect();
                self.record_seed(resource, members, source.at.clone(), seeds);
            }
        }
        for record in &source.records {
            let NodeKind::Map(fields) = &record.kind else {
                self.error(Code::SeedInvalid, &record.at, "a record is a mapping of fields");
                continue;
            };
            let members = fields
                .iter()
                .chain(&source.set)
                .map(|(key, node)| (key.name.clone(), node.to_json(), key.at.clone()))
                .collect();
            self.record_seed(resource, members, record.at.clone(), seeds);
        }
    }

    /// The members of an example by their place. An object that is no field itself has fields in it, as shapes show them.
    fn fields_of(
        &self,
        resource: ResourceId,
        object: Map<String, Value>,
        steps: &[String],
        out: &mut Vec<(String, Value, Vec<String>)>,
    ) {
        for (key, value) in object {
            let mut at = steps.to_vec();
            at.push(key.clone());
            match value {
                Value::Object(inner) if self.resources[resource.0].field(&key).is_none() && !inner.is_empty() => {
                    self.fields_of(resource, inner, &at, out);
                }
                value => out.push((key, value, at)),
            }
        }
    }

    fn is_list(&self, path: &str, steps: &[String]) -> bool {
        let pointer: String = steps.iter().map(|step| format!("/{step}")).collect();
        self.documents.get(path).and_then(|document| document.as_ref()?.pointer(&pointer)).is_some_and(Value::is_array)
    }

    fn record_seed(
        &mut self,
        resource: ResourceId,
        members: Vec<(String, Value, Location)>,
        at: Location,
        seeds: &mut Vec<Seed>,
    ) {
        let mut values = vec![None; self.resources[resource.0].fields.len()];
        for (key, value, place) in members {
            let known = &self.resources[resource.0];
            let Some((index, field)) = known.field(&key) else {
                let names: Vec<&str> = known.fields.iter().map(|field| &*field.name).collect();
                let message = format!("a `{}` has no field `{key}`", known.name);
                let diagnostic = Diagnostic::error(Code::SeedInvalid, place, message)
                    .suggest(nearest(&key, names.iter().copied()))
                    .help(format!("the fields are {}", one_of(names)));
                self.report(diagnostic);
                continue;
            };
            match field.from_wire(&value, &self.formats, 0) {
                Ok(_) => values[index] = Some(value),
                Err(message) => self.error(Code::SeedInvalid, &place, message),
            }
        }
        let missing: Vec<String> = self.resources[resource.0]
            .fields
            .iter()
            .zip(&values)
            .filter(|(field, value)| value.is_none() && field.default.is_none() && !field.optional)
            .map(|(field, _)| field.name.to_string())
            .collect();
        if !missing.is_empty() {
            let message = format!("the record lacks {}", one_of(missing.iter().map(String::as_str)).replace(" or ", " and "));
            let help = "give the value under `set`, or the field a `default`, or mark it `optional`";
            self.report(Diagnostic::error(Code::SeedInvalid, at.clone(), message).help(help));
        }
        seeds.push(Seed { resource, values, at });
    }

    fn check_ids(&mut self, seeds: &[Seed]) {
        for (index, seed) in seeds.iter().enumerate() {
            let id = self.resources[seed.resource.0].id;
            let Some(value) = &seed.values[id] else { continue };
            let twin = seeds[..index].iter().find(|other| other.resource == seed.resource && other.values[id].as_ref() == Some(value));
            if let Some(twin) = twin {
                let message = format!("two seed records have the id {value}");
                let diagnostic =
                    Diagnostic::error(Code::SeedInvalid, seed.at.clone(), message).related(twin.at.clone(), "the first");
                self.diagnostics.push(diagnostic);
            }
        }
    }
}

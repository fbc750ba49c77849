//! The records that every sandbox starts with.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Location, all_of, nearest};
use crate::exchange;
use crate::pack::source::{Manifest, NodeKind, SeedSource};
use crate::pack::{ResourceId, Seed};

/// Where each field of a seed record stands.
type Places = Vec<Option<Place>>;

/// Where a value stands: in a file of ours, or at the steps into an example, which is looked for when it is told.
#[derive(Clone)]
enum Place {
    At(Location),
    Json(Rc<str>, Vec<String>),
}

impl Resolver<'_> {
    pub(super) fn seeds(&mut self, manifest: &Manifest) -> Vec<Seed> {
        let mut seeds = Vec::new();
        // Resources of which not all records are known.
        let mut partly = BTreeSet::new();
        for (index, resource) in manifest.resources.iter().enumerate() {
            for source in &resource.seed {
                let before = (self.diagnostics.len(), seeds.len());
                self.seed(ResourceId(index), source, &mut seeds);
                if self.diagnostics.len() > before.0 || seeds.len() == before.1 {
                    partly.insert(index);
                }
            }
        }
        self.check_ids(&seeds);
        self.check_unique(&seeds);
        self.check_owners(&seeds, &partly);
        seeds.into_iter().map(|(seed, _)| seed).collect()
    }

    fn seed(&mut self, resource: ResourceId, source: &SeedSource, seeds: &mut Vec<(Seed, Places)>) {
        if let Some(example) = &source.example {
            let Some((path, steps, part)) = self.part(example, "") else { return };
            if let Some(inside) = self.records_inside(resource, &part) {
                let message =
                    format!("this is no record of `{}`: none of its keys is a field", self.resources[resource.0].name);
                let reference = example.value.split_once('#').map_or(example.value.as_str(), |(file, _)| file);
                let pointer: String = steps.iter().map(|step| format!("/{step}")).collect();
                let diagnostic = Diagnostic::error(Code::SeedInvalid, example.at.clone(), message);
                let help = "name the part that is a record, or a list of records, by its JSON pointer";
                self.report(diagnostic.suggest(Some(format!("{reference}#{pointer}{inside}"))).help(help));
                return;
            }
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
                    let at = self.json_place(&path, &steps);
                    self.error(Code::SeedInvalid, &at, "a seed record is an object, and this is not");
                    continue;
                };
                let mut found = Vec::new();
                self.fields_of(resource, object, &steps, &mut found);
                let file: Rc<str> = path.as_str().into();
                let members = found.into_iter().map(|(key, value, at)| (key, value, Place::Json(Rc::clone(&file), at)));
                let own = |at: &Location| Place::At(at.clone());
                let over = source.set.iter().map(|(key, node)| (key.name.clone(), node.to_json(), own(&node.at)));
                let members = members.chain(over).collect();
                self.record_seed(resource, members, source.at.clone(), seeds);
            }
        }
        for record in &source.records {
            let NodeKind::Map(fields) = &record.kind else {
                self.error(Code::SeedInvalid, &record.at, "a seed record is a mapping of fields");
                continue;
            };
            let members = fields
                .iter()
                .chain(&source.set)
                .map(|(key, node)| (key.name.clone(), node.to_json(), Place::At(key.at.clone())))
                .collect();
            self.record_seed(resource, members, record.at.clone(), seeds);
        }
    }

    /// Where the records are in an object that is none: the first member that is one, or a list of such.
    fn records_inside(&self, resource: ResourceId, part: &Value) -> Option<String> {
        let fits = |value: &Value| {
            let value = value.get(0).unwrap_or(value);
            let known = |key: &String| self.resources[resource.0].field(key).is_some();
            value.as_object().is_some_and(|object| object.keys().any(known))
        };
        let object = part.as_object().filter(|_| !fits(part))?;
        // An object in a record is opened; a list is not.
        let (key, _) = object.iter().find(|(_, value)| value.is_array() && fits(value))?;
        Some(exchange::child("", key))
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
        members: Vec<(String, Value, Place)>,
        at: Location,
        seeds: &mut Vec<(Seed, Places)>,
    ) {
        let mut values = vec![None; self.resources[resource.0].fields.len()];
        if values.is_empty() {
            return;
        }
        let mut places = vec![None; values.len()];
        // Fields that something is wrong with already.
        let mut told: Vec<String> = Vec::new();
        for (key, value, place) in members {
            let known = &self.resources[resource.0];
            let Some((index, field)) = known.field(&key) else {
                let names: Vec<&str> = known.fields.iter().map(|field| &*field.name).collect();
                let message = format!("`{}` has no field `{key}`", known.name);
                let meant = nearest(&key, names.iter().copied());
                told.extend(meant.clone());
                let diagnostic = Diagnostic::error(Code::SeedInvalid, self.found(&place), message)
                    .suggest(meant)
                    .help(format!("the fields are {}", all_of(names)));
                self.report(diagnostic);
                continue;
            };
            places[index] = Some(place.clone());
            match field.from_wire(&value, &self.formats, 0) {
                Ok(_) => values[index] = Some(value),
                Err(message) => {
                    told.push(key);
                    self.error(Code::SeedInvalid, &self.found(&place), message);
                }
            }
        }
        let missing: Vec<String> = self.resources[resource.0]
            .fields
            .iter()
            .zip(&values)
            .filter(|(field, value)| value.is_none() && field.default.is_none() && !field.optional)
            .map(|(field, _)| field.name.to_string())
            .filter(|name| !told.contains(name))
            .collect();
        if !missing.is_empty() {
            let message = format!("the record lacks {}", all_of(missing.iter().map(String::as_str)));
            let help = "give the value under `set`, or the field a `default`, or mark it `optional`";
            self.report(Diagnostic::error(Code::SeedInvalid, at.clone(), message).help(help));
        }
        seeds.push((Seed { resource, values, at }, places));
    }

    fn found(&self, place: &Place) -> Location {
        match place {
            Place::At(at) => at.clone(),
            Place::Json(path, steps) => self.json_place(path, steps),
        }
    }

    /// The place of a field, or of the whole record.
    fn place_of(&self, (seed, places): &(Seed, Places), field: usize) -> Location {
        places.get(field).and_then(Option::as_ref).map_or_else(|| seed.at.clone(), |place| self.found(place))
    }

    fn check_ids(&mut self, seeds: &[(Seed, Places)]) {
        for (index, record) in seeds.iter().enumerate() {
            let seed = &record.0;
            let known = &self.resources[seed.resource.0];
            fn value(seed: &Seed, id: usize) -> Option<&Value> {
                seed.values.get(id)?.as_ref()
            }
            let Some(id) = value(seed, known.id) else { continue };
            let same =
                |(other, _): &&(Seed, Places)| other.resource == seed.resource && value(other, known.id) == Some(id);
            if let Some(twin) = seeds[..index].iter().find(same) {
                let message = format!("two seed records of `{}` have the id {id}", known.name);
                let diagnostic = Diagnostic::error(Code::SeedInvalid, self.place_of(record, known.id), message)
                    .related(self.place_of(twin, known.id), "the first")
                    .help("give each an id of its own");
                self.diagnostics.push(diagnostic);
            }
        }
    }

    /// What no two records may share, for every record and for text that is written out.
    fn check_unique(&mut self, seeds: &[(Seed, Places)]) {
        let mut found = Vec::new();
        for (number, resource) in self.resources.iter().enumerate() {
            let own: Vec<_> = seeds.iter().filter(|(seed, _)| seed.resource.0 == number).collect();
            for unique in resource.unique.iter().filter(|unique| unique.only.is_none()) {
                let values = |seed: &Seed| -> Option<Vec<String>> {
                    let text = |field: &usize| {
                        seed.values.get(*field)?.as_ref().filter(|value| !value.is_null()).map(Value::to_string)
                    };
                    let texts: Option<Vec<String>> = unique.fields.iter().map(text).collect();
                    texts.map(|texts| match unique.ignore_case {
                        true => texts.iter().map(|text| text.to_lowercase()).collect(),
                        false => texts,
                    })
                };
                let last = unique.fields.last().copied().unwrap_or(resource.id);
                let all: Vec<_> = own.iter().map(|(seed, _)| values(seed)).collect();
                for (index, record) in own.iter().enumerate().filter(|(index, _)| all[*index].is_some()) {
                    if let Some(first) = all[..index].iter().position(|other| *other == all[index]) {
                        let fields = all_of(unique.fields.iter().map(|field| &*resource.fields[*field].name));
                        let message = format!("two seed records of `{}` have the same {fields}", resource.name);
                        let diagnostic = Diagnostic::error(Code::SeedInvalid, self.place_of(record, last), message)
                            .related(self.place_of(own[first], last), "the first")
                            .related(unique.at.clone(), "no two may, says this");
                        found.push(diagnostic);
                    }
                }
            }
        }
        self.diagnostics.append(&mut found);
    }

    /// A seed record belongs to a seed record.
    fn check_owners(&mut self, seeds: &[(Seed, Places)], partly: &BTreeSet<usize>) {
        for record in seeds {
            let seed = &record.0;
            let Some(owner) = self.resources[seed.resource.0].owner else { continue };
            let Some(Some(id)) = seed.values.get(owner.field) else { continue };
            let known = self.resources[owner.resource.0].id;
            let exists = |(other, _): &(Seed, Places)| {
                other.resource == owner.resource && other.values.get(known).and_then(Option::as_ref) == Some(id)
            };
            // A default may make any id.
            let made = self.resources[owner.resource.0].fields.get(known).is_some_and(|field| field.default.is_some());
            let sound = !self.resources[owner.resource.0].fields.is_empty() && !partly.contains(&owner.resource.0);
            if sound && !id.is_null() && !made && !seeds.iter().any(exists) {
                let at = self.place_of(record, owner.field);
                let message =
                    format!("there is no seed record of `{}` with the id {id}", self.resources[owner.resource.0].name);
                self.diagnostics.push(
                    Diagnostic::error(Code::SeedInvalid, at, message).help("name the record that this one belongs to"),
                );
            }
        }
    }
}

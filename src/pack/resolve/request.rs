//! What a request of an operation is made of: its first line, parameters and body.

use http::{HeaderName, Method};
use serde_json::Value;

use super::Resolver;
use super::references::fault_code;
use crate::diagnostic::{Code, Diagnostic, Location, all_of, nearest, there_are};
use crate::exchange;
use crate::expr::Kind;
use crate::pack::source::{BodySource, OperationSource, ParameterSource, Spanned};
use crate::pack::{BodyRule, Parameter, Parameters, ReadRule, Reads, parameter_names};
use crate::schema::Place;

/// What an operation may begin with.
pub(super) const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

impl Resolver<'_> {
    pub(super) fn request_line(&mut self, line: &Spanned<String>) -> Option<(Method, String)> {
        let Some((word, rest)) = line.value.split_once(' ') else {
            let message = format!("`{}` is not a method and a path", line.value);
            self.report(
                Diagnostic::error(Code::RouteInvalid, line.at.clone(), message).help("write it like `GET /items/{id}`"),
            );
            return None;
        };
        let path = rest.trim();
        let part = |from: usize, length: usize| match line.at.range.len() == line.value.len() {
            true => Location::new(line.at.file, line.at.range.start + from..line.at.range.start + from + length),
            false => line.at.clone(),
        };
        let method = METHODS.contains(&word).then(|| Method::from_bytes(word.as_bytes()).ok()).flatten();
        if method.is_none() {
            let message = format!("`{word}` is not a method");
            let diagnostic = Diagnostic::error(Code::RouteInvalid, part(0, word.len()), message)
                .suggest(nearest(&word.to_ascii_uppercase(), METHODS.iter().copied()))
                .help(format!("the methods are {}, in capitals", all_of(METHODS.iter().copied())));
            self.report(diagnostic);
        }
        let whole = |part: &str| part.starts_with('{') && part.ends_with('}') && part.len() > 2;
        let names = parameter_names(path);
        let wrong = if path.split('/').any(|part| part.len() > 1 && part.starts_with(':')) {
            Some(("a parameter stands in braces", "write it like `/items/{id}`"))
        } else if !path.starts_with('/') {
            Some(("a path begins with `/`", "write it like `/items/{id}`"))
        } else if path.contains('?') {
            Some(("a path has no query", "list its parameters under `query`"))
        } else if path.contains(char::is_whitespace) {
            Some(("a path has no spaces", "write them as `%20`"))
        } else if path.split('/').any(|part| part.contains(['{', '}']) && !whole(part)) {
            Some(("a parameter fills a whole segment", "write it like `/items/{id}`"))
        } else if (1..names.len()).any(|index| names[..index].contains(&names[index])) {
            Some(("a parameter stands in the path twice", "give each a name of its own"))
        } else {
            None
        };
        if let Some((message, help)) = wrong {
            let from = line.value.len() - line.value[word.len()..].trim_start().len();
            let diagnostic = Diagnostic::error(Code::RouteInvalid, part(from, path.len()), message);
            self.report(diagnostic.help(help));
            return None;
        }
        Some((method?, path.to_owned()))
    }

    pub(super) fn check_path_parameters(&mut self, source: &OperationSource, template: &str) {
        let Some(node) = &source.path.node else { return };
        let crate::pack::source::NodeKind::Map(members) = &node.kind else { return };
        for (key, _) in members {
            if !template.split('/').any(|part| part == format!("{{{}}}", key.name)) {
                let names = parameter_names(template);
                let message = format!("the path has no parameter `{{{}}}`", key.name);
                let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message)
                    .suggest(nearest(&key.name, names.iter().copied()))
                    .help(there_are(names));
                self.report(diagnostic);
            }
        }
    }

    pub(super) fn parameters(&mut self, place: Place, source: &ParameterSource) -> Option<Parameters> {
        let given = source.schema.as_ref()?;
        let node = source.node.as_ref()?;
        let schema = match self.library.compile_inline(&given.value) {
            Ok(schema) => schema,
            Err(faults) => {
                for fault in faults {
                    // Properties of the object schema are the keys of the mapping.
                    let steps: Vec<String> = exchange::segments(&fault.pointer).into_iter().skip(1).collect();
                    let word = steps
                        .last()
                        .is_some_and(|last| matches!(last.as_str(), "type" | "format" | "$ref" | "pattern"));
                    let at = if word { node.nearest(&steps).at.clone() } else { node.nearest_key(&steps) };
                    let diagnostic = Diagnostic::error(fault_code(fault.kind), at, fault.message);
                    self.report(diagnostic.suggest(fault.suggestion));
                }
                return None;
            }
        };
        let must = given.value.get("required").and_then(Value::as_array);
        let properties = given.value.get("properties").and_then(Value::as_object);
        let known: Vec<Parameter> = properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| Parameter {
                required: must.is_some_and(|names| names.iter().any(|known| known == name)),
                name: name.clone(),
                reads: match schema.get("type").and_then(Value::as_str) {
                    Some("integer") => Reads::Integer,
                    Some("number") => Reads::Number,
                    Some("boolean") => Reads::Boolean,
                    _ => Reads::Text,
                },
                default: schema.get("default").cloned(),
                schema: schema.clone(),
            })
            .collect();
        for Parameter { name, .. } in known.iter().filter(|_| place == Place::Header) {
            let at = node.nearest_key(std::slice::from_ref(name));
            let lower = name.to_ascii_lowercase();
            if HeaderName::try_from(name).is_err() {
                self.error(Code::ValueWrong, &at, format!("`{name}` is not the name of a header"));
            } else if lower != *name {
                let diagnostic = Diagnostic::error(Code::ValueWrong, at, format!("`{name}` has capitals"));
                let help = "headers are listed by their lower-case names, which expressions have for them too";
                self.report(diagnostic.suggest(Some(lower)).help(help));
            }
        }
        for parameter in &known {
            let Some(default) = &parameter.default else { continue };
            let alone = Value::Object([(parameter.name.clone(), default.clone())].into_iter().collect());
            let own = exchange::child("", &parameter.name);
            let faults = schema.violations(&alone, place);
            if let Some(fault) = faults.iter().find(|fault| fault.value.is_some() && fault.pointer.starts_with(&own)) {
                let at = node.nearest(&[parameter.name.clone(), "default".to_owned()]).at.clone();
                let message = format!("the default does not fit its own schema: {}", fault.message);
                self.error(Code::ValueWrong, &at, message);
            }
        }
        let optional = schema.is_valid(&Value::Object(serde_json::Map::new()));
        let defaults = known.iter().filter_map(|parameter| Some((parameter.name.clone(), parameter.default.clone()?)));
        let defaults = optional.then(|| std::sync::Arc::new(Value::Object(defaults.collect())));
        Some(Parameters { place, schema, known, defaults, at: given.at.clone() })
    }

    pub(super) fn body(&mut self, source: &BodySource) -> Option<BodyRule> {
        Some(BodyRule {
            schema: self.schema(&source.schema)?,
            schema_name: source.schema.value.clone(),
            form: source.form,
            optional: source.optional,
        })
    }

    /// The spelling that the body's schema gives to keys that are read ignoring case.
    pub(super) fn read_rules(&mut self, pointers: &[Spanned<String>], body: Kind) -> Vec<ReadRule> {
        let mut rules = Vec::new();
        for pointer in pointers {
            let mut kind = body.clone();
            for segment in exchange::segments(&pointer.value) {
                kind = match &kind {
                    Kind::Object(object) => object
                        .fields
                        .iter()
                        .find(|(name, _)| *name == segment)
                        .map_or(Kind::Any, |(_, kind)| kind.clone()),
                    _ => Kind::Any,
                };
            }
            match &kind {
                Kind::Object(object) if !object.fields.is_empty() => {
                    let keys = object.fields.iter().map(|(name, _)| name.clone()).collect();
                    rules.push(ReadRule { pointer: pointer.value.clone(), keys });
                }
                _ => {
                    let message = format!("the body's schema names no properties at `{}`", pointer.value);
                    self.error(Code::ShapeTarget, &pointer.at, message);
                }
            }
        }
        rules
    }
}

pub(super) fn scope_name(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "headers",
        Place::Body | Place::Response => "body",
    }
}

pub(super) fn path_kind(template: &str) -> Kind {
    let names = parameter_names(template);
    Kind::object("the path", names.into_iter().map(|name| (name.to_owned(), Kind::String)).collect())
}

pub(super) fn parameters_kind(place: Place, parameters: &Parameters, template: &str) -> Kind {
    let mut fields: Vec<(String, Kind)> = parameters
        .known
        .iter()
        .map(|parameter| {
            let kind = match parameter.reads {
                Reads::Text => Kind::String,
                Reads::Integer => Kind::Integer,
                Reads::Number => Kind::Number,
                Reads::Boolean => Kind::Boolean,
            };
            (parameter.name.clone(), kind)
        })
        .collect();
    for name in parameter_names(template) {
        if place == Place::Path && !fields.iter().any(|(known, _)| known == name) {
            fields.push((name.to_owned(), Kind::String));
        }
    }
    let what = match place {
        Place::Path => "the path",
        Place::Query => "the query",
        Place::Header => "the headers",
        Place::Body | Place::Response => "the input",
    };
    Kind::object(what, fields)
}

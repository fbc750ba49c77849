//! Options: what a pack leaves to whoever runs it, and what depends on it.

use serde_json::Value;

use super::Resolver;
use super::operations::Parts;
use crate::diagnostic::{Code, Diagnostic, Location, all_of, nearest, there_are};
use crate::exchange::spelled;
use crate::expr::{Kind, ObjectKind};
use crate::pack::source::{Key, LineSource, Manifest, Node, NodeKind, OptionSource, Spanned, WantedSource};
use crate::pack::{Line, Operation, Options, PackOption, Replay, Wanted, parameter_names};

impl Resolver<'_> {
    pub(super) fn options(&mut self, manifest: &Manifest) {
        for source in &manifest.options {
            self.option_name(&source.name);
            let values = self.option_values(source);
            if values.is_none() {
                self.broken_options.insert(self.options.len());
            }
            let name = source.name.name.as_str();
            let mut option = PackOption {
                name: name.into(),
                key: PackOption::key(name),
                description: source.description.as_ref().map(|text| text.value.trim().to_owned()).unwrap_or_default(),
                values: values.unwrap_or_default(),
                default: 0,
            };
            option.default = self.option_default(source, &option);
            self.options.push(option);
        }
    }

    /// The name is typed in a shell, and is a name in expressions with `_` for `-`: so no two become the same there.
    fn option_name(&mut self, key: &Key) {
        let name = key.name.as_str();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(plain) && !name.ends_with('-')
        {
            return;
        }
        let meant: String = name.to_lowercase().replace(['_', ' ', '.'], "-");
        let meant = Some(meant).filter(|meant| meant.bytes().all(plain) && meant != name);
        let message = format!("`{name}` cannot be the name of an option");
        let help = "it has lower-case letters, digits and hyphens, and begins with a letter";
        self.report(Diagnostic::error(Code::ValueWrong, key.at.clone(), message).suggest(meant).help(help));
    }

    /// The values that an option may have; `None` when they cannot be read.
    fn option_values(&mut self, source: &OptionSource) -> Option<Vec<Value>> {
        let Some((at, nodes)) = &source.values else { return Some(vec![Value::Bool(false), Value::Bool(true)]) };
        let before = self.diagnostics.len();
        let mut values: Vec<Value> = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            let value = node.to_json();
            if !(value.is_string() || value.is_i64()) {
                let message = format!("a value of an option is a text or a whole number, not {}", node.sort());
                let boolean = matches!(node.kind, NodeKind::Boolean(_));
                let help = if boolean {
                    "leave `values` out: without them an option is true or false"
                } else {
                    "write texts, or whole numbers"
                };
                self.report(Diagnostic::error(Code::KindWrong, node.at.clone(), message).help(help));
                continue;
            }
            if let Some(first) = values.iter().position(|known| *known == value) {
                let message = format!("`{}` stands here twice", spelled(&value));
                let diagnostic = Diagnostic::error(Code::NameDuplicate, node.at.clone(), message);
                self.report(diagnostic.related(nodes[first].at.clone(), "the first").help("take one out"));
                continue;
            }
            if values.first().is_some_and(|first| first.is_string() != value.is_string()) {
                let message = "the values of an option are of one kind, and this one is of another";
                let diagnostic = Diagnostic::error(Code::KindWrong, node.at.clone(), message)
                    .related(nodes[index - 1].at.clone(), "of the first kind")
                    .help("write all of them as texts (a number in quotes), or all as whole numbers");
                self.report(diagnostic);
                continue;
            }
            values.push(value);
        }
        if self.diagnostics.len() > before {
            return None;
        }
        if let [] | [_] = values.as_slice() {
            // That it is no list has been said.
            let said = self.diagnostics.iter().any(|found| found.location.as_ref() == Some(at));
            if !said {
                let message = match values.is_empty() {
                    true => "an option without values cannot be anything",
                    false => "an option with one value is no choice",
                };
                let help = "list the values that it may have, or leave `values` out: then it is true or false";
                self.report(Diagnostic::error(Code::ValueWrong, at.clone(), message).help(help));
            }
            return None;
        }
        Some(values)
    }

    fn option_default(&mut self, source: &OptionSource, option: &PackOption) -> usize {
        let Some(node) = source.default.as_ref().filter(|_| !option.values.is_empty()) else { return 0 };
        option.read(&node.to_json()).unwrap_or_else(|words| {
            self.error(Code::ValueWrong, &node.at, format!("the default cannot be so: {words}"));
            0
        })
    }

    /// What expressions know of `options`.
    pub(super) fn options_kind(&self) -> Kind {
        let kind = |index: usize, option: &PackOption| match option.values.first() {
            _ if self.broken_options.contains(&index) => Kind::Any,
            Some(Value::Bool(_)) => Kind::Boolean,
            Some(Value::Number(_)) => Kind::Integer,
            _ => Kind::String,
        };
        let fields = self.options.iter().enumerate().map(|(index, option)| (option.key.clone(), kind(index, option)));
        let choices = self.options.iter().map(|option| (option.key.clone(), option.values.clone()));
        Kind::Object(std::sync::Arc::new(ObjectKind {
            what: "the pack's `options`".to_owned(),
            resource: None,
            fields: fields.collect(),
            rest: None,
            choices: choices.filter(|(_, values)| !values.is_empty()).collect(),
        }))
    }

    /// What must hold for something with `option` to be there.
    pub(super) fn wanted(&mut self, source: &WantedSource) -> Wanted {
        let pairs = source.pairs.iter().filter_map(|(name, node)| self.chosen(name, node.as_ref(), true));
        Wanted::new(pairs.collect())
    }

    /// An option and one of its values, by their numbers.
    fn chosen(&mut self, name: &Spanned<String>, node: Option<&Node>, used: bool) -> Option<(usize, usize)> {
        let known: Vec<String> = self.options.iter().map(|option| option.name.to_string()).collect();
        let Some(index) = self.lookup("option", name, &known) else {
            // What was probably meant is not unused.
            let meant = nearest(&name.value, known.iter().map(String::as_str));
            self.used_options.extend(known.iter().position(|option| Some(option) == meant.as_ref()));
            return None;
        };
        if used {
            self.used_options.insert(index);
        }
        if self.broken_options.contains(&index) {
            return None;
        }
        let option = &self.options[index];
        let read = match node {
            Some(node) => option.read(&node.to_json()).map_err(|words| (node.at.clone(), words)),
            None if option.is_boolean() => Ok(1),
            None => {
                let value = option.spelled().into_iter().next().unwrap_or_default();
                let words =
                    format!("it is no boolean: write which of its values, such as `{{ {}: {value} }}`", name.value);
                Err((name.at.clone(), words))
            }
        };
        match read {
            Ok(value) => Some((index, value)),
            Err((at, words)) => {
                self.error(Code::ValueWrong, &at, format!("`{}` cannot be so: {words}", name.value));
                None
            }
        }
    }

    /// What an example's side file says about options.
    pub(super) fn check_side_options(&mut self, given: &[(Key, Node)]) {
        for (key, node) in given {
            let name = Spanned { value: key.name.clone(), at: key.at.clone() };
            self.chosen(&name, Some(node), false);
        }
    }

    /// The further methods and paths of an operation.
    pub(super) fn also(&mut self, sources: &[LineSource], template: &str, wanted: &Wanted) -> Vec<Line> {
        let mut lines = Vec::new();
        for source in sources {
            let more = self.wanted(&source.option);
            let Some(request) = &source.request else { continue };
            let Some((method, path)) = self.request_line(request) else { continue };
            let (mut own, mut other) = (parameter_names(template), parameter_names(&path));
            own.sort_unstable();
            other.sort_unstable();
            if own != other {
                let names = |names: &[&str]| match names {
                    [] => "no parameters".to_owned(),
                    names => all_of(names.iter().copied()),
                };
                let message = format!("this path has {}, and `request` has {}", names(&other), names(&own));
                let help = "every line of an operation has the same parameters, by the same names, in any order";
                self.report(Diagnostic::error(Code::RouteInvalid, request.at.clone(), message).help(help));
                continue;
            }
            if wanted.excludes(&more) {
                let message = "this line never exists: the operation's own `option` excludes it";
                let help = "take it out, or leave one of the two `option`s out";
                self.report(Diagnostic::error(Code::NeverUsed, request.at.clone(), message).help(help));
                continue;
            }
            lines.push(Line { method, template: path.into(), wanted: wanted.and(&more), at: request.at.clone() });
        }
        lines
    }

    /// The line of an operation that an example was sent to.
    pub(super) fn check_side_line(&mut self, also: &Spanned<String>, operation: &Operation) {
        if operation.line(&also.value).is_some() {
            return;
        }
        let lines: Vec<String> =
            operation.also.iter().map(|line| format!("{} {}", line.method, line.template)).collect();
        let message = format!("`{}` has no line `{}` under `also`", operation.title, also.value);
        let diagnostic = Diagnostic::error(Code::NameUnknown, also.at.clone(), message)
            .suggest(nearest(&also.value, lines.iter().map(String::as_str)))
            .help(there_are(lines.iter().map(String::as_str)));
        self.report(diagnostic);
    }

    /// What options are when an exchange is replayed.
    pub(super) fn side_options(&self, parts: &Parts, replay: &Replay) -> Options {
        let examples =
            [replay.answer, replay.request].into_iter().flatten().filter_map(|index| parts.examples.get(index));
        let examples: Vec<_> = examples.collect();
        let sides: Vec<_> = examples.iter().map(|example| &example.side).collect();
        match examples.first() {
            Some(example) => Options::replayed(&self.options, Some(&parts.operations[example.operation.0]), &sides),
            None => Options::defaults(&self.options),
        }
    }

    /// Options that nothing depends on.
    pub(super) fn unused_options(&self, manifest: &Manifest, unused: &mut Vec<(Location, String, &str)>) {
        let texts = || self.fixtures.iter().filter(|(path, _)| path.ends_with(".yaml") || path.ends_with(".html"));
        let texts: Vec<&str> = texts().map(|(_, id)| self.sources.text(*id)).collect();
        let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        let chosen = || {
            texts.iter().any(|text| {
                text.match_indices("options[").any(|(at, open)| !text[at + open.len()..].starts_with(['"', '\'', ' ']))
            })
        };
        for (index, source) in manifest.options.iter().enumerate() {
            let Some(option) = self.options.get(index).filter(|_| !self.used_options.contains(&index)) else {
                continue;
            };
            let said = |open: &str| {
                let words = format!("{open}{}", option.key);
                texts.iter().any(|text| text.match_indices(&words).any(|(at, _)| ends(&text[at + words.len()..])))
            };
            if !["options.", "options['", "options[\""].into_iter().any(said) && !chosen() {
                let message = format!("nothing depends on the option `{}`", option.name);
                let help =
                    "name it under `option` of an operation or a row, look at it in an expression, or take it out";
                unused.push((source.name.at.clone(), message, help));
            }
        }
    }
}

//! What the control plane is asked.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Story;
use super::scope::Scope;
use super::value::{expression_in, together};
use crate::clock::{Instant, Mode, Span};
use crate::diagnostic::{Code, Diagnostic, all_of, nearest};
use crate::engine::{self, Setting};
use crate::expr::Names;
use crate::pack::parameter_names;
use crate::pack::source::{Fields, Node, NodeKind, Spanned, wrong_kind};
use crate::sandbox::Controls;
use crate::scenario::{Ask, Edit, Move, Value};

/// Methods of the control plane.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// What takes all rules away.
const NONE: &str = "none";

impl Story<'_, '_> {
    /// A step of the control plane by its word, and what it does in a few words.
    pub(super) fn ask(
        &mut self,
        word: &'static str,
        fields: &mut Fields<'_>,
        scope: &mut Scope,
    ) -> Option<(Ask, String)> {
        match word {
            "advance" => self.advance(fields.take(word)?, &scope.names),
            "clock" => self.clock(fields.take(word)?, &scope.names),
            "event" => self.event(fields, scope),
            "send" => self.send(fields, scope),
            "fault" | "limit" => self.rules(word, fields, scope),
            "stub" => self.stub(fields.take(word)?, scope),
            "create" | "update" | "delete" => self.edit(word, fields, scope),
            "control" => self.control(fields, scope),
            "snapshot" | "restore" => {
                let node = fields.take(word)?;
                let value = self.text_value(word, node, &scope.names)?;
                let words = shown(node, word);
                // With the records come the faults, limits and stubs of then.
                scope.altered |= word == "restore";
                Some((if word == "snapshot" { Ask::Snapshot(value) } else { Ask::Restore(value) }, words))
            }
            "rewind" | "redeliver" => {
                let node = fields.take(word)?;
                let (value, _) = self.value(node, &scope.names)?;
                let words = shown(node, word);
                scope.altered |= word == "rewind";
                Some((if word == "rewind" { Ask::Rewind(value) } else { Ask::Redeliver(value) }, words))
            }
            _ => {
                let node = fields.take("reset")?;
                if node.kind != NodeKind::Boolean(true) {
                    let diagnostic = Diagnostic::error(Code::ValueWrong, node.at.clone(), "`reset` is `true`");
                    self.reader.report(diagnostic.suggest(Some("true".to_owned())));
                    return None;
                }
                // It takes away faults, limits and stubs, too.
                scope.altered = false;
                Some((Ask::Reset, "reset".to_owned()))
            }
        }
    }

    /// Any call of the control plane.
    fn control(&mut self, fields: &mut Fields<'_>, scope: &mut Scope) -> Option<(Ask, String)> {
        let name = self.named("control", fields);
        let members = fields.named("path", &mut self.reader.diagnostics);
        let parameters = self.named_values(members, &scope.names);
        let query = self.query(fields, &scope.names);
        let body = fields.take("body").and_then(|node| self.value(node, &scope.names)).map(|(value, _)| value);
        let name = name?;
        let line = name.value.split_once(' ').map(|(method, path)| (method, path.trim()));
        let Some((method, path)) = line.filter(|(method, path)| METHODS.contains(method) && path.starts_with('/'))
        else {
            let message = format!("`{}` is no call of the control plane", name.value);
            let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message);
            self.reader.report(diagnostic.help("write it like `GET /clock`: a method and a path below `/_standin`"));
            return None;
        };
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        if !self.is_path(path, &name) {
            return None;
        }
        let wanted = parameter_names(path);
        let unknown = members.iter().find(|(key, _)| !wanted.contains(&key.name.as_str()));
        let missing = wanted.iter().find(|name| !members.iter().any(|(key, _)| key.name == **name));
        if let Some((key, _)) = unknown {
            let message = format!("`{path}` has no parameter `{}`", key.name);
            let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message);
            self.reader.report(diagnostic.suggest(nearest(&key.name, wanted.iter().copied())));
        } else if let Some(missing) = missing {
            let message = format!("the path needs `{missing}`: it is `{path}`");
            let diagnostic = Diagnostic::error(Code::KeyMissing, name.at.clone(), message);
            self.reader.report(diagnostic.help(format!("say `path: {{ {missing}: … }}`")));
        }
        // Stubs may answer from then on, or others.
        scope.altered |= method != Method::GET;
        let words = format!("control {}", name.value);
        Some((Ask::Control { method, path: path.into(), parameters, query, body }, words))
    }

    /// A text, written out or not.
    fn text_value(&mut self, word: &str, node: &Node, names: &Names) -> Option<Value> {
        let (value, _) = self.value(node, names)?;
        match value.written() {
            Some(Json::String(text)) if text.trim().is_empty() => {
                self.reader.error(Code::ValueWrong, &node.at, format!("`{word}` says nothing"));
                None
            }
            Some(Json::String(_)) | None => Some(value),
            Some(_) => {
                wrong_kind(node, &format!("`{word}` is a text"), &mut self.reader.diagnostics);
                None
            }
        }
    }

    /// A length of time.
    pub(super) fn span(&mut self, word: &str, node: &Node, names: &Names) -> Option<Value> {
        let value = self.text_value(word, node, names)?;
        let why = match (&value, value.written().and_then(Json::as_str)) {
            (Value::Instant(_), _) => "this is an instant, and a length of time is needed".to_owned(),
            (_, Some(text)) => match Span::parse(text) {
                Ok(span) if span.micros() < 0 => "time does not run backwards here".to_owned(),
                Ok(_) => return Some(value),
                Err(why) => why,
            },
            _ => return Some(value),
        };
        self.reader.error(Code::ValueWrong, &node.at, why);
        None
    }

    /// An instant.
    pub(super) fn instant(&mut self, word: &str, node: &Node, names: &Names) -> Option<Value> {
        let value = self.text_value(word, node, names)?;
        let why = match (&value, value.written().and_then(Json::as_str)) {
            (Value::Span(_), _) => "this is a length of time, and an instant is needed".to_owned(),
            (_, Some(text)) => match Instant::parse(text) {
                Ok(_) => return Some(value),
                Err(why) => why,
            },
            _ => return Some(value),
        };
        self.reader.error(Code::ValueWrong, &node.at, why);
        None
    }

    fn advance(&mut self, node: &Node, names: &Names) -> Option<(Ask, String)> {
        if !matches!(node.kind, NodeKind::Map(_)) {
            if node.as_str().is_some_and(|text| text == "next" || Instant::parse(text).is_ok()) {
                let text = node.as_str().unwrap_or_default();
                let message = format!("`{text}` is no length of time");
                let diagnostic = Diagnostic::error(Code::ValueWrong, node.at.clone(), message);
                self.reader.report(diagnostic.help(format!("say where to: `advance: {{ to: {text} }}`")));
                return None;
            }
            let value = self.span("advance", node, names)?;
            return Some((Ask::Advance(Move::By(value)), shown(node, "advance")));
        }
        let mut fields = Fields::of(node, "an advance", &mut self.reader.diagnostics)?;
        let (by, to) = (fields.take("by"), fields.take("to"));
        fields.finish(&mut self.reader.diagnostics);
        match (by, to) {
            (Some(by), None) => Some((Ask::Advance(Move::By(self.span("by", by, names)?)), shown(by, "advance"))),
            (None, Some(to)) if to.as_str() == Some("next") => {
                Some((Ask::Advance(Move::Next), "advance to what happens next".to_owned()))
            }
            (None, Some(to)) => Some((Ask::Advance(Move::To(self.instant("to", to, names)?)), shown(to, "advance to"))),
            _ => {
                let message = "an advance has either `by`, a length of time, or `to`, an instant";
                self.reader.error(Code::ValueWrong, &node.at, message);
                None
            }
        }
    }

    fn clock(&mut self, node: &Node, names: &Names) -> Option<(Ask, String)> {
        let mut fields = Fields::of(node, "`clock`", &mut self.reader.diagnostics)?;
        let now = fields.take("now");
        let mode = fields.text("mode", &mut self.reader.diagnostics);
        let (said_now, said_mode) = (now.is_some(), mode.is_some());
        fields.finish(&mut self.reader.diagnostics);
        let words = match (now, &mode) {
            (Some(now), _) => shown(now, "set the clock to"),
            (None, mode) => format!("set the clock {}", mode.as_ref().map_or("", |mode| mode.value.as_str())),
        };
        let now = match now {
            Some(now) => Some(self.instant("now", now, names)?),
            None => None,
        };
        let mode = match mode {
            Some(mode) => Some(self.mode(&mode)?),
            None => None,
        };
        if !said_now && !said_mode {
            let diagnostic = Diagnostic::error(Code::KeyMissing, node.at.clone(), "the clock is not set to anything");
            self.reader.report(diagnostic.help("give `now`, `mode` or both"));
            return None;
        }
        Some((Ask::Clock { now, mode }, words))
    }

    fn mode(&mut self, mode: &Spanned<String>) -> Option<&'static str> {
        let found = Mode::named(&mode.value).map(Mode::name);
        if found.is_none() {
            let words = [Mode::Ticking, Mode::Frozen].map(Mode::name);
            let message = format!("a clock is {}, not `{}`", crate::diagnostic::one_of(words), mode.value);
            let diagnostic = Diagnostic::error(Code::ValueWrong, mode.at.clone(), message);
            self.reader.report(diagnostic.suggest(nearest(&mode.value, words)));
        }
        found
    }

    /// Faults or limits: all that hold from then on.
    fn rules(&mut self, word: &'static str, fields: &mut Fields<'_>, scope: &mut Scope) -> Option<(Ask, String)> {
        let node = fields.take(word)?;
        let ask = |rules| if word == "fault" { Ask::Faults(rules) } else { Ask::Limits(rules) };
        if node.as_str() == Some(NONE) {
            return Some((ask(Vec::new()), format!("no {word}s")));
        }
        scope.altered = true;
        let items = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            NodeKind::Map(_) => std::slice::from_ref(node),
            _ => {
                let message = format!("`{word}` is a rule, a list of rules, or `{NONE}`, not {}", node.sort());
                let meant = node.as_str().and_then(|text| nearest(text, [NONE]));
                self.reader.report(Diagnostic::error(Code::KindWrong, node.at.clone(), message).suggest(meant));
                return None;
            }
        };
        let mut rules = Vec::new();
        for item in items {
            let NodeKind::Map(_) = item.kind else {
                wrong_kind(item, "a rule is a mapping", &mut self.reader.diagnostics);
                continue;
            };
            let value = self.value(item, &scope.names).map(|(value, _)| value);
            rules.extend(value.and_then(|value| self.rule(item, value, scope)));
        }
        // What is not written out is seen when it is asked for.
        if let (Some(written), true) = (together(rules.clone()).written(), rules.len() == items.len()) {
            let setting = match word {
                "fault" => Setting::Faults(json!({ "faults": written })),
                _ => Setting::Limits(json!({ "limits": written })),
            };
            self.accepted(node, &setting, items);
        }
        Some((ask(rules), if items.len() == 1 { format!("a {word}") } else { format!("{} {word}s", items.len()) }))
    }

    /// A rule with the id of its operation in place of a title; without a pack it is about the step's.
    fn rule(&mut self, node: &Node, value: Value, scope: &Scope) -> Option<Value> {
        let mut members: Vec<(String, Value)> = match value {
            Value::Written(Json::Object(members)) => {
                members.into_iter().map(|(name, value)| (name, Value::Written(value))).collect()
            }
            Value::Map(members) => members,
            other => return Some(other),
        };
        let NodeKind::Map(nodes) = &node.kind else { return None };
        let node_of = |name: &str| nodes.iter().find(|(key, _)| key.name == name).map(|(_, node)| node);
        if let Some(node) = node_of("operation")
            && let Some(text) = node.as_str().filter(|text| expression_in(text).is_none())
        {
            let name = Spanned { value: text.to_owned(), at: node.at.clone() };
            let pack = match node_of("pack").map(|node| (node, node.as_str())) {
                Some((node, Some(pack))) => {
                    self.reader.pack_named(&Spanned { value: pack.to_owned(), at: node.at.clone() })
                }
                _ => scope.pack,
            };
            let (index, id) = self.operation_named(pack?, &name)?;
            let id = self.reader.pack(index).operation(id).name.to_string();
            for (_, value) in members.iter_mut().filter(|(name, _)| name == "operation") {
                *value = Value::Written(id.clone().into());
            }
        } else if node_of("pack").is_none()
            && node_of("operation").is_none()
            && let Some(pack) = scope.pack
        {
            members.insert(0, ("pack".to_owned(), Value::Written((&*self.reader.pack(pack).name).into())));
        }
        let written: Option<Map<String, Json>> =
            members.iter().map(|(name, value)| Some((name.clone(), value.written()?.clone()))).collect();
        Some(written.map_or(Value::Map(members), |written| Value::Written(Json::Object(written))))
    }

    /// Whether a sandbox would take a setting; what is wrong with it is told at its place.
    fn accepted(&mut self, node: &Node, setting: &Setting, items: &[Node]) {
        let Err(mistakes) = engine::set(&self.reader.packs(), &Controls::default(), setting) else { return };
        let depth = |mistake: &engine::Mistake| mistake.pointer.matches('/').count();
        // That a rule does nothing follows from what is wrong within it.
        let deepest = mistakes.iter().map(depth).max().unwrap_or_default();
        for mistake in mistakes.iter().filter(|mistake| depth(mistake) > 2 || deepest <= 2) {
            let mut segments = crate::exchange::segments(&mistake.pointer);
            // `/faults/0/operation`: one rule stands there without a list.
            segments.drain(..segments.len().min(1));
            let rule =
                segments.first().and_then(|index| index.parse::<usize>().ok()).and_then(|index| items.get(index));
            let at = match rule {
                Some(rule) => rule.nearest(&segments[1..]).at.clone(),
                None => node.at.clone(),
            };
            let message = match (mistake.message.strip_prefix("it "), segments.last()) {
                (Some(rest), Some(member)) if segments.len() > 1 => format!("`{member}` {rest}"),
                _ => mistake.message.clone(),
            };
            self.reader.error(Code::ValueWrong, &at, message);
        }
    }

    fn stub(&mut self, node: &Node, scope: &mut Scope) -> Option<(Ask, String)> {
        if node.as_str() == Some(NONE) {
            return Some((Ask::Stub(None), "no stubs".to_owned()));
        }
        scope.altered = true;
        let NodeKind::Map(members) = &node.kind else {
            let message = format!("`stub` is a mapping of WireMock's, or `{NONE}`, not {}", node.sort());
            let meant = node.as_str().and_then(|text| nearest(text, [NONE]));
            self.reader.report(Diagnostic::error(Code::KindWrong, node.at.clone(), message).suggest(meant));
            return None;
        };
        let value = self.mapping(members, &scope.names)?;
        if let Some(written) = value.written() {
            let setting = Setting::Stub(uuid::Uuid::nil().to_string(), written.clone());
            if let Err(mistakes) = engine::set(&self.reader.packs(), &Controls::default(), &setting) {
                for mistake in mistakes {
                    let at = node.nearest(&crate::exchange::segments(&mistake.pointer)).at.clone();
                    self.reader.error(Code::ValueWrong, &at, mistake.message);
                }
            }
        }
        Some((Ask::Stub(Some(value)), "a stub".to_owned()))
    }

    fn edit(&mut self, word: &'static str, fields: &mut Fields<'_>, scope: &Scope) -> Option<(Ask, String)> {
        let index = self.step_pack(fields, scope);
        let name = self.named(word, fields);
        let method = match word {
            "create" => Method::POST,
            "update" => Method::PATCH,
            _ => Method::DELETE,
        };
        let id = match word {
            "create" => None,
            _ => fields.required("id").and_then(|node| self.value(node, &scope.names).map(|(value, _)| value)),
        };
        let given = match word {
            "delete" => None,
            _ => fields.required("fields"),
        };
        let values = match given {
            Some(node) => match &node.kind {
                NodeKind::Map(members) => self.mapping(members, &scope.names),
                _ => {
                    wrong_kind(node, "`fields` is a mapping of fields", &mut self.reader.diagnostics);
                    None
                }
            },
            None => None,
        };
        let (index, name) = (index?, name?);
        let pack = std::sync::Arc::clone(self.reader.pack(index));
        let Some(resource) = pack.resource_named(&name.value) else {
            let known: Vec<&str> = pack.resources.iter().map(|resource| &*resource.name).collect();
            self.reader.unknown("resource", &name, &known);
            return None;
        };
        let resource = pack.resource(resource);
        if let Some(NodeKind::Map(members)) = given.map(|node| &node.kind) {
            for (key, node) in members {
                let Some((_, field)) = resource.field(&key.name) else {
                    let fields: Vec<&str> = resource.fields.iter().map(|field| &*field.name).collect();
                    let message = format!("`{}` has no field `{}`", resource.name, key.name);
                    let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message);
                    let diagnostic = diagnostic.suggest(nearest(&key.name, fields.iter().copied()));
                    self.reader.report(diagnostic.help(format!("its fields are {}", all_of(fields))));
                    continue;
                };
                let written = values.as_ref().and_then(Value::written).and_then(|values| values.get(&key.name));
                if let Some(Err(why)) = written.map(|value| field.from_wire(value, &pack.formats, 0)) {
                    self.reader.error(Code::ValueWrong, &node.at, why);
                }
            }
        }
        if (word != "create" && id.is_none()) || (word != "delete" && values.is_none()) {
            return None;
        }
        let words = format!("{word} a record: {}", name.value);
        Some((Ask::Edit(Edit { pack: index, method, resource: name.value.into(), id, fields: values }), words))
    }
}

/// A step in a few words: its word, and what stands behind it where that is written out.
pub(super) fn shown(node: &Node, word: &str) -> String {
    match node.as_str() {
        Some(text) => format!("{word} {}", crate::diagnostic::shortened(text.trim_start_matches('=').trim(), 60)),
        None => word.to_owned(),
    }
}

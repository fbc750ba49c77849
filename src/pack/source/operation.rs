//! `<topic>/<name>.yaml` and `<topic>/<name>.event.yaml`.

use serde_json::{Value, json};

use super::fields::{Fields, text, wrong_kind};
use super::template::{ignore_case, templates};
use super::{
    Diagnostics, Key, LineSource, Node, NodeKind, ReplySource, ScheduleSource, Spanned, Template, WantedSource,
};
use crate::diagnostic::{Code, Diagnostic, Location, nearest, one_of};

#[derive(Debug, Clone)]
pub(crate) struct OperationSource {
    pub(crate) at: Location,
    pub(crate) title: Option<Spanned<String>>,
    /// `GET /items/{id}`.
    pub(crate) request: Option<Spanned<String>>,
    /// Further methods and paths.
    pub(crate) also: Vec<LineSource>,
    /// What options must be for it to exist.
    pub(crate) option: WantedSource,
    /// Not reached under the pack's mount prefixes.
    pub(crate) unmounted: bool,
    pub(crate) docs: Option<Spanned<String>>,
    pub(crate) assumed: Option<Spanned<String>>,
    pub(crate) description: Option<Spanned<String>>,
    pub(crate) notes: Option<Spanned<String>>,
    pub(crate) auth: Option<AuthSource>,
    pub(crate) when: Option<Node>,
    pub(crate) path: ParameterSource,
    pub(crate) query: ParameterSource,
    pub(crate) headers: ParameterSource,
    pub(crate) body: Option<BodySource>,
    /// Pointers whose keys are read ignoring case.
    pub(crate) read: Vec<Spanned<String>>,
    pub(crate) load: Vec<LoadSource>,
    pub(crate) guards: Vec<Spanned<String>>,
    pub(crate) list: Option<ListSource>,
    pub(crate) effects: Vec<EffectSource>,
    pub(crate) respond: Vec<ReplySource>,
}

/// Which schemes must, or may, identify the caller.
#[derive(Debug, Clone)]
pub(crate) enum AuthSource {
    Scheme(Spanned<String>),
    All(Vec<AuthSource>),
    Any(Vec<AuthSource>),
    Optional(Box<AuthSource>),
}

/// Parameters by name, each with a JSON Schema and perhaps `required: true`.
#[derive(Debug, Clone, Default)]
pub(crate) struct ParameterSource {
    /// An object schema over all of them.
    pub(crate) schema: Option<Spanned<Value>>,
    pub(crate) node: Option<Node>,
}

#[derive(Debug, Clone)]
pub(crate) struct BodySource {
    pub(crate) schema: Spanned<String>,
    /// `application/json` or `application/x-www-form-urlencoded`.
    pub(crate) form: bool,
    pub(crate) optional: bool,
}

/// `<name>: = id` or `<name>: {id: = …, by: <field>, of: <resource>, else: <error>, optional: true}`.
#[derive(Debug, Clone)]
pub(crate) struct LoadSource {
    pub(crate) name: Key,
    pub(crate) id: Template,
    /// The field that is looked at in place of the resource's id.
    pub(crate) by: Option<Spanned<String>>,
    pub(crate) resource: Option<Spanned<String>>,
    pub(crate) otherwise: Option<Spanned<String>>,
    pub(crate) optional: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct ListSource {
    pub(crate) at: Location,
    pub(crate) from: Spanned<String>,
    pub(crate) only: Option<Template>,
    pub(crate) number: Option<Template>,
    pub(crate) size: Option<Template>,
    pub(crate) sort: Option<Template>,
    pub(crate) descending: Option<Template>,
    /// The number of the first page.
    pub(crate) first: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EffectVerb {
    Create,
    Update,
    Delete,
}

#[derive(Debug, Clone)]
pub(crate) struct EffectSource {
    pub(crate) verb: EffectVerb,
    /// A resource for `create`; the name of a record for the others.
    pub(crate) target: Spanned<String>,
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) when: Option<Template>,
    pub(crate) set: Vec<(Key, Template)>,
    pub(crate) unset: Vec<Spanned<String>>,
}

#[derive(Debug, Clone)]
pub(crate) struct EventSource {
    pub(crate) at: Location,
    pub(crate) title: Option<Spanned<String>>,
    pub(crate) docs: Option<Spanned<String>>,
    pub(crate) assumed: Option<Spanned<String>>,
    pub(crate) description: Option<Spanned<String>>,
    pub(crate) input: ParameterSource,
    pub(crate) load: Vec<LoadSource>,
    pub(crate) guards: Vec<EventGuardSource>,
    pub(crate) effects: Vec<EffectSource>,
    pub(crate) schedule: Option<ScheduleSource>,
    /// The step of scenarios that fires it.
    pub(crate) step: Option<Spanned<String>>,
}

/// `{require: <condition>, else: <words>}`: an event refuses in words, because no API answers it.
#[derive(Debug, Clone)]
pub(crate) struct EventGuardSource {
    pub(crate) require: Option<Template>,
    pub(crate) otherwise: Option<Spanned<String>>,
}

#[derive(Debug, Clone)]
pub(crate) struct GuardSource {
    pub(crate) name: Key,
    pub(crate) require: Option<Template>,
    pub(crate) otherwise: Option<Spanned<String>>,
    pub(crate) docs: Option<Spanned<String>>,
    pub(crate) assumed: Option<Spanned<String>>,
}

impl OperationSource {
    pub(crate) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "an operation", diagnostics)?;
        let source = OperationSource {
            at: fields.at(),
            title: fields.required_prose("operation", diagnostics),
            request: fields.required_text("request", diagnostics),
            also: fields.list("also").iter().filter_map(|node| LineSource::read(node, diagnostics)).collect(),
            option: WantedSource::read(fields.take("option"), diagnostics),
            unmounted: fields.flag("unmounted", diagnostics),
            docs: fields.prose("docs", diagnostics),
            assumed: fields.prose("assumed", diagnostics),
            description: fields.prose("description", diagnostics),
            notes: fields.prose("notes", diagnostics),
            auth: fields.take("auth").and_then(|node| AuthSource::read(node, diagnostics)),
            when: fields.take("when").cloned(),
            path: ParameterSource::read(fields.take("path"), diagnostics),
            query: ParameterSource::read(fields.take("query"), diagnostics),
            headers: ParameterSource::read(fields.take("headers"), diagnostics),
            body: fields.take("body").and_then(|node| BodySource::read(node, diagnostics)),
            read: read_rules(fields.named("read", diagnostics), diagnostics),
            load: loads(fields.named("load", diagnostics), diagnostics),
            guards: fields.texts("guards", diagnostics),
            list: fields.take("list").and_then(|node| ListSource::read(node, diagnostics)),
            effects: effects(fields.list("effects"), diagnostics),
            respond: match fields.required("respond") {
                None => Vec::new(),
                Some(node) => match &node.kind {
                    NodeKind::List(items) => {
                        items.iter().filter_map(|node| ReplySource::read(node, "an answer", diagnostics)).collect()
                    }
                    _ => ReplySource::read(node, "an answer", diagnostics).into_iter().collect(),
                },
            },
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

impl EventSource {
    pub(crate) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "an event", diagnostics)?;
        let source = EventSource {
            at: fields.at(),
            title: fields.required_prose("event", diagnostics),
            docs: fields.prose("docs", diagnostics),
            assumed: fields.prose("assumed", diagnostics),
            description: fields.prose("description", diagnostics),
            input: ParameterSource::read(fields.take("input"), diagnostics),
            load: loads(fields.named("load", diagnostics), diagnostics),
            guards: event_guards(fields.list("guards"), diagnostics),
            effects: effects(fields.list("effects"), diagnostics),
            schedule: fields.take("schedule").and_then(|node| ScheduleSource::read(node, diagnostics)),
            step: fields.text("step", diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

fn event_guards(items: &[Node], diagnostics: &mut Diagnostics) -> Vec<EventGuardSource> {
    items.iter().filter_map(|node| EventGuardSource::read(node, diagnostics)).collect()
}

fn read_rules(members: &[(Key, Node)], diagnostics: &mut Diagnostics) -> Vec<Spanned<String>> {
    for (_, node) in members {
        if node.as_str() != Some("ignore-case") {
            let message = "a body can only be read `ignore-case`";
            let diagnostic = Diagnostic::error(Code::ValueWrong, node.at.clone(), message);
            diagnostics.push(diagnostic.suggest(nearest(node.as_str().unwrap_or_default(), ["ignore-case"])));
        }
    }
    members.iter().map(|(key, _)| Spanned { value: key.name.clone(), at: key.at.clone() }).collect()
}

fn loads(members: &[(Key, Node)], diagnostics: &mut Diagnostics) -> Vec<LoadSource> {
    members.iter().filter_map(|(key, node)| LoadSource::read(key, node, diagnostics)).collect()
}

fn effects(items: &[Node], diagnostics: &mut Diagnostics) -> Vec<EffectSource> {
    items.iter().filter_map(|node| EffectSource::read(node, diagnostics)).collect()
}

impl AuthSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            NodeKind::String(name) => Some(AuthSource::Scheme(Spanned { value: name.clone(), at: node.at.clone() })),
            NodeKind::List(items) => Some(AuthSource::All(AuthSource::many(items, &node.at, diagnostics))),
            NodeKind::Map(members) => match members.as_slice() {
                [(key, value)] if matches!(key.name.as_str(), "all" | "any" | "optional") => {
                    if key.name == "optional" {
                        return Some(AuthSource::Optional(Box::new(AuthSource::read(value, diagnostics)?)));
                    }
                    let NodeKind::List(items) = &value.kind else {
                        wrong_kind(value, &format!("`{}` is a list of schemes", key.name), diagnostics);
                        return None;
                    };
                    let inner = AuthSource::many(items, &value.at, diagnostics);
                    Some(if key.name == "all" { AuthSource::All(inner) } else { AuthSource::Any(inner) })
                }
                _ => {
                    let words = ["all", "any", "optional"];
                    let unknown = members.iter().find(|(key, _)| !words.contains(&key.name.as_str()));
                    let at = unknown.map_or(&node.at, |(key, _)| &key.at).clone();
                    let message = format!("`auth` has one key: {}", one_of(words));
                    let diagnostic = Diagnostic::error(Code::KeyUnknown, at, message);
                    diagnostics.push(diagnostic.suggest(unknown.and_then(|(key, _)| nearest(&key.name, words))));
                    None
                }
            },
            _ => {
                wrong_kind(node, "`auth` names schemes", diagnostics);
                None
            }
        }
    }

    fn many(items: &[Node], at: &Location, diagnostics: &mut Diagnostics) -> Vec<Self> {
        if items.is_empty() {
            let message = "no scheme is named, so that everyone would be let in";
            let diagnostic = Diagnostic::error(Code::ValueWrong, at.clone(), message);
            diagnostics.push(
                diagnostic
                    .help("name a scheme of `auth` in pack.yaml; an operation that is open to everyone has no `auth`"),
            );
        }
        items.iter().filter_map(|item| AuthSource::read(item, diagnostics)).collect()
    }
}

impl ParameterSource {
    fn read(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Self {
        let Some(node) = node else { return ParameterSource::default() };
        let NodeKind::Map(members) = &node.kind else {
            wrong_kind(node, "parameters are a mapping from names to schemas", diagnostics);
            return ParameterSource::default();
        };
        let mut properties = serde_json::Map::new();
        let mut required = Vec::new();
        for (key, value) in members {
            let NodeKind::Map(_) = &value.kind else {
                wrong_kind(
                    value,
                    &format!("the parameter `{}` has a schema, such as `{{ type: string }}`", key.name),
                    diagnostics,
                );
                continue;
            };
            let mut schema = value.to_json();
            match schema.as_object_mut().and_then(|schema| schema.shift_remove("required")) {
                Some(Value::Bool(true)) => {
                    if schema.get("default").is_some() {
                        let at = value.nearest_key(&["default".to_owned()]);
                        let message = "a parameter that is `required` needs no `default`: it is never absent";
                        diagnostics
                            .push(Diagnostic::error(Code::ValueWrong, at, message).help("leave out one of the two"));
                    }
                    required.push(key.name.clone());
                }
                None | Some(Value::Bool(false)) => {}
                Some(_) => {
                    let node = value.nearest(&["required".to_owned()]);
                    wrong_kind(node, "`required` of a parameter is `true` or `false`", diagnostics);
                }
            }
            properties.insert(key.name.clone(), schema);
        }
        let schema = json!({ "type": "object", "properties": properties, "required": required });
        ParameterSource { schema: Some(Spanned { value: schema, at: node.at.clone() }), node: Some(node.clone()) }
    }
}

impl BodySource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        if node.as_str().is_some() {
            return Some(BodySource { schema: text(node, "`body`", diagnostics)?, form: false, optional: false });
        }
        let mut fields = Fields::of(node, "`body`", diagnostics)?;
        let schema = fields.required_text("schema", diagnostics);
        let form = match fields.text("media", diagnostics) {
            None => false,
            Some(media) => match media.value.as_str() {
                "application/json" => false,
                "application/x-www-form-urlencoded" => true,
                _ => {
                    let message = "`media` is `application/json` or `application/x-www-form-urlencoded`";
                    diagnostics.push(Diagnostic::error(Code::ValueWrong, media.at, message));
                    false
                }
            },
        };
        let optional = fields.flag("optional", diagnostics);
        fields.finish(diagnostics);
        Some(BodySource { schema: schema?, form, optional })
    }
}

impl LoadSource {
    fn read(key: &Key, node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        if node.as_str().is_some() {
            let id = Template::read(node, diagnostics);
            let name = key.clone();
            return Some(LoadSource { name, id, by: None, resource: None, otherwise: None, optional: false });
        }
        let mut fields = Fields::of(node, "a record to load", diagnostics)?;
        let id = fields.required("id").map(|node| Template::read(node, diagnostics));
        let by = fields.text("by", diagnostics);
        let resource = fields.text("of", diagnostics);
        let otherwise = fields.text("else", diagnostics);
        let optional = fields.flag("optional", diagnostics);
        if let (Some(otherwise), true) = (&otherwise, optional) {
            let message = "a record that is `optional` may be absent, so that `else` is never given";
            diagnostics.push(
                Diagnostic::error(Code::ValueWrong, otherwise.at.clone(), message).help("leave out one of the two"),
            );
        }
        fields.finish(diagnostics);
        Some(LoadSource { name: key.clone(), id: id?, by, resource, otherwise, optional })
    }
}

impl ListSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a list", diagnostics)?;
        let from = fields.required_text("from", diagnostics);
        let mut template =
            |fields: &mut Fields<'_>, name| fields.take(name).map(|node| Template::read(node, diagnostics));
        let number = template(&mut fields, "number");
        let size = template(&mut fields, "size");
        let sort = template(&mut fields, "sort");
        let descending = template(&mut fields, "descending");
        let first = fields.take("first").and_then(|node| {
            let number = if let NodeKind::Number(number) = &node.kind { number.as_i64() } else { None };
            if number.is_none() {
                let message = "`first` is the number of the first page, a whole number";
                diagnostics.push(Diagnostic::error(Code::KindWrong, node.at.clone(), message));
            }
            number
        });
        let only = fields.take("where").and_then(|node| Template::condition(node, diagnostics));
        let at = fields.at();
        fields.finish(diagnostics);
        Some(ListSource { at, from: from?, only, number, size, sort, descending, first: first.unwrap_or(1) })
    }
}

impl EffectSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "an effect", diagnostics)?;
        let verbs = [("create", EffectVerb::Create), ("update", EffectVerb::Update), ("delete", EffectVerb::Delete)];
        let mut found = Vec::new();
        for (word, verb) in verbs {
            if let Some(target) = fields.text(word, diagnostics) {
                found.push((verb, target));
            }
        }
        let mut source = None;
        match found.pop() {
            Some((verb, target)) if found.is_empty() => {
                source = Some(EffectSource {
                    verb,
                    target,
                    name: fields.text("as", diagnostics),
                    when: fields.take("when").and_then(|node| Template::condition(node, diagnostics)),
                    set: templates(fields.named("set", diagnostics), diagnostics),
                    unset: fields.texts("unset", diagnostics),
                });
            }
            Some(_) => {
                let message = "an effect does one thing: it creates, updates or deletes";
                let diagnostic = Diagnostic::error(Code::ValueWrong, fields.at(), message);
                diagnostics.push(diagnostic.help("write one item of the list for each"));
                return None;
            }
            None => {
                for name in ["as", "when", "set", "unset"] {
                    fields.take(name);
                }
                if fields.complete() {
                    let message = format!("an effect has one of the keys {}", one_of(verbs.map(|(word, _)| word)));
                    diagnostics.push(Diagnostic::error(Code::KeyMissing, fields.at(), message));
                }
            }
        }
        if let Some(source) = &source {
            source.check_keys(node, diagnostics);
        }
        fields.finish(diagnostics);
        source
    }

    /// Each key means something to some of the verbs only.
    fn check_keys(&self, node: &Node, diagnostics: &mut Diagnostics) {
        let NodeKind::Map(members) = &node.kind else { return };
        for (key, _) in members {
            let (message, help) = match (self.verb, key.name.as_str()) {
                (EffectVerb::Update | EffectVerb::Delete, "as") => {
                    ("`as` names a record that is created", "leave it out: the record is in scope under its name")
                }
                (EffectVerb::Create, "unset") => (
                    "a new record has nothing to `unset`",
                    "leave it out: an optional field that nothing sets is absent",
                ),
                (EffectVerb::Delete, "set" | "unset") => {
                    ("a record that is deleted has no fields to change", "leave it out, or `update` the record")
                }
                _ => continue,
            };
            diagnostics.push(Diagnostic::error(Code::ValueWrong, key.at.clone(), message).help(help));
        }
    }
}

impl GuardSource {
    pub(super) fn read(key: &Key, node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a guard", diagnostics)?;
        let source = GuardSource {
            name: key.clone(),
            require: fields.required("require").and_then(|node| Template::condition(node, diagnostics)),
            otherwise: fields.required_text("else", diagnostics),
            docs: fields.prose("docs", diagnostics),
            assumed: fields.prose("assumed", diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

impl EventGuardSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a guard of an event", diagnostics)?;
        let source = EventGuardSource {
            require: fields.required("require").and_then(|node| Template::condition(node, diagnostics)),
            otherwise: fields.required_prose("else", diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

/// `ignore_case` is shared with the manifest's `unique`.
pub(super) fn case_flag(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> bool {
    ignore_case(fields, "case", diagnostics)
}

//! Values that are made per request: what effects set, what answers show.

use serde_json::Value;

use super::fields::{Fields, text, wrong_kind};
use super::{Diagnostics, Key, Node, NodeKind, Spanned};
use crate::diagnostic::{Code, Diagnostic, Location, nearest};

/// A value as written: `= expression`, a literal, a list or mapping of values, or `each`/`of` with a shape.
#[derive(Debug, Clone)]
pub(crate) enum Template {
    /// The text behind `=`; the node for places in it, and how many bytes stand before the expression.
    Expression {
        text: String,
        node: Node,
        offset: usize,
    },
    Literal(Spanned<Value>),
    List(Vec<Template>, Location),
    /// A key that ends in `?` is left out when its value is undefined.
    Map(Vec<(Key, bool, Template)>, Location),
    Shown(Box<ShownSource>),
}

/// `{each: …}` or `{of: …}`: one or many values in a shape.
#[derive(Debug, Clone)]
pub(crate) struct ShownSource {
    pub(crate) at: Location,
    /// `each`: a list is made. `of`: one value.
    pub(crate) each: bool,
    pub(crate) over: Template,
    /// The name that stands for the item; `record` when it is not given.
    pub(crate) name: Option<Spanned<String>>,
    /// Further names for each item.
    pub(crate) with: Vec<(Key, Template)>,
    pub(crate) only: Option<Template>,
    pub(crate) key: Option<Template>,
    pub(crate) value: Option<Template>,
    /// `values`: everything with the same key, as a list.
    pub(crate) values: Option<Template>,
    pub(crate) like: Option<LikeSource>,
    pub(crate) shape: Option<ChoiceSource>,
    pub(crate) show: Vec<(Key, Template)>,
}

/// `shape: fields`, `shape: {except: = …}`, or `shape: {by: = …, <value>: <example>, <value>: {like: <example>, show: {…}}, else: …}`.
#[derive(Debug, Clone)]
pub(crate) struct ChoiceSource {
    pub(crate) by: Option<Template>,
    pub(crate) arms: Vec<(Key, ArmSource)>,
    pub(crate) otherwise: Option<ArmSource>,
}

/// One shape of a choice.
#[derive(Debug, Clone)]
pub(crate) enum ArmSource {
    /// `fields` or an example, and what is shown in this shape only.
    Like { like: Spanned<String>, show: Vec<(Key, Template)> },
    /// A value that has no example.
    Show(Template),
    /// Every field but those that an expression names.
    Except(Template),
}

/// `like: <example>` or `like: {example: …, lay: {pointer: example}, case: ignore}`.
#[derive(Debug, Clone)]
pub(crate) struct LikeSource {
    pub(crate) example: Spanned<String>,
    pub(crate) lay: Vec<(Key, Spanned<String>)>,
    pub(crate) ignore_case: bool,
}

/// One way to answer: a case of `respond`, or an entry of `errors`; or the body of a webhook or a named shape, which have less.
#[derive(Debug, Clone)]
pub(crate) struct ReplySource {
    pub(crate) at: Location,
    /// What messages call it.
    pub(crate) noun: &'static str,
    pub(crate) when: Option<Node>,
    /// Of an error: where it says that only a fault gives it.
    pub(crate) fault: Option<Location>,
    pub(crate) status: Option<Spanned<u16>>,
    /// The name of one of the pack's shapes, in place of `like` and `show`.
    pub(crate) shape: Option<Spanned<String>>,
    pub(crate) like: Option<LikeSource>,
    /// One template for the whole body, or templates by key or pointer.
    pub(crate) whole: Option<Template>,
    pub(crate) show: Vec<(Key, Template)>,
    pub(crate) fixed: Option<Spanned<String>>,
    pub(crate) page: Option<Spanned<String>>,
    pub(crate) with: Vec<(Key, Template)>,
    pub(crate) headers: Vec<(Key, Template)>,
    pub(crate) schema: Option<Spanned<String>>,
    pub(crate) docs: Option<Spanned<String>>,
    pub(crate) assumed: Option<Spanned<String>>,
    pub(crate) assumed_body: Option<Spanned<String>>,
}

impl Template {
    pub(crate) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Template {
        match &node.kind {
            NodeKind::String(value) => match value.strip_prefix('=') {
                Some(rest) => {
                    let expression = rest.trim_start();
                    let offset = value.len() - expression.len();
                    Template::Expression { text: expression.trim_end().to_owned(), node: node.clone(), offset }
                }
                None => Template::Literal(Spanned { value: value.clone().into(), at: node.at.clone() }),
            },
            NodeKind::List(items) => {
                Template::List(items.iter().map(|item| Template::read(item, diagnostics)).collect(), node.at.clone())
            }
            NodeKind::Map(members) if members.iter().any(|(key, _)| key.name == "each" || key.name == "of") => {
                match ShownSource::read(node, diagnostics) {
                    Some(shown) => Template::Shown(Box::new(shown)),
                    None => Template::Literal(Spanned { value: Value::Null, at: node.at.clone() }),
                }
            }
            NodeKind::Map(members) => {
                let members = members
                    .iter()
                    .map(|(key, value)| {
                        let template = Template::read(value, diagnostics);
                        match key.name.strip_suffix('?') {
                            Some(name) => (Key { name: name.to_owned(), at: key.at.clone() }, true, template),
                            None => (key.clone(), false, template),
                        }
                    })
                    .collect();
                Template::Map(members, node.at.clone())
            }
            _ => Template::Literal(Spanned { value: node.to_json(), at: node.at.clone() }),
        }
    }

    /// A condition or expression that is written without `=`.
    pub(crate) fn condition(node: &Node, diagnostics: &mut Diagnostics) -> Option<Template> {
        match node.as_str() {
            Some(value) if value.starts_with('=') => {
                let at = node.part(0..1);
                let diagnostic = Diagnostic::error(Code::ValueWrong, at, "a condition is written without `=`");
                diagnostics.push(diagnostic.help("leave out the `=`"));
                None
            }
            Some(value) => {
                Some(Template::Expression { text: value.trim_end().to_owned(), node: node.clone(), offset: 0 })
            }
            None => match node.kind {
                NodeKind::Boolean(value) => {
                    Some(Template::Expression { text: value.to_string(), node: node.clone(), offset: 0 })
                }
                _ => {
                    wrong_kind(node, "a condition is an expression", diagnostics);
                    None
                }
            },
        }
    }

    /// The texts of all expressions in it, each with its template.
    pub(crate) fn expressions(&self) -> Vec<(&str, &Template)> {
        match self {
            Template::Expression { text, .. } => vec![(text, self)],
            Template::Literal(_) => Vec::new(),
            Template::List(items, _) => items.iter().flat_map(Template::expressions).collect(),
            Template::Map(members, _) => members.iter().flat_map(|(_, _, value)| value.expressions()).collect(),
            Template::Shown(shown) => {
                let ShownSource { over, only, key, value, values, shape, .. } = &**shown;
                let own = [only, key, value, values].into_iter().flatten();
                let named = shown.with.iter().chain(&shown.show).map(|(_, template)| template);
                let all =
                    std::iter::once(over).chain(own).chain(named).chain(shape.iter().flat_map(ChoiceSource::templates));
                all.flat_map(Template::expressions).collect()
            }
        }
    }

    pub(crate) fn at(&self) -> Location {
        match self {
            Template::Expression { text, node, offset } => node.part(*offset..offset + text.len()),
            Template::Literal(literal) => literal.at.clone(),
            Template::List(_, at) | Template::Map(_, at) => at.clone(),
            Template::Shown(shown) => shown.at.clone(),
        }
    }
}

impl ShownSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a shown value", diagnostics)?;
        let each = fields.take("each");
        let of = fields.take("of");
        let over = Template::read(each.or(of)?, diagnostics);
        let source = ShownSource {
            at: fields.at(),
            each: each.is_some(),
            over,
            name: fields.text("as", diagnostics),
            with: match each {
                Some(_) => templates(fields.named("with", diagnostics), diagnostics),
                None => Vec::new(),
            },
            only: fields.take("where").and_then(|node| Template::condition(node, diagnostics)),
            key: fields.take("key").map(|node| Template::read(node, diagnostics)),
            value: fields.take("value").map(|node| Template::read(node, diagnostics)),
            values: fields.take("values").map(|node| Template::read(node, diagnostics)),
            like: fields.take("like").and_then(|node| LikeSource::read(node, diagnostics)),
            shape: fields.take("shape").and_then(|node| ChoiceSource::read(node, diagnostics)),
            show: templates(fields.named("show", diagnostics), diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

impl ChoiceSource {
    fn templates(&self) -> impl Iterator<Item = &Template> {
        let arms = self.arms.iter().map(|(_, arm)| arm).chain(&self.otherwise);
        let shown = arms.flat_map(|arm| match arm {
            ArmSource::Like { show, .. } => show.iter().map(|(_, template)| template).collect(),
            ArmSource::Show(template) | ArmSource::Except(template) => vec![template],
        });
        self.by.iter().chain(shown)
    }

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        if let NodeKind::String(_) = &node.kind {
            let otherwise = ArmSource::read(node, diagnostics);
            return Some(ChoiceSource { by: None, arms: Vec::new(), otherwise });
        }
        let NodeKind::Map(members) = &node.kind else {
            wrong_kind(node, "`shape` is `fields` or a mapping with `by`", diagnostics);
            return None;
        };
        // Under `by`, `except` is a value like any other.
        let has = |name: &str| members.iter().any(|(key, _)| key.name == name);
        if has("except") && !has("by") {
            let mut fields = Fields::of(node, "every field but some", diagnostics)?;
            let except = fields.take("except").map(|node| ArmSource::Except(Template::read(node, diagnostics)));
            fields.finish(diagnostics);
            return Some(ChoiceSource { by: None, arms: Vec::new(), otherwise: except });
        }
        let mut choice = ChoiceSource { by: None, arms: Vec::new(), otherwise: None };
        for (key, value) in members {
            match key.name.as_str() {
                "by" => choice.by = Some(Template::read(value, diagnostics)),
                "else" => choice.otherwise = ArmSource::read(value, diagnostics),
                _ => choice.arms.extend(ArmSource::read(value, diagnostics).map(|arm| (key.clone(), arm))),
            }
        }
        if choice.by.is_none() {
            let start = Location::new(node.at.file, node.at.range.start..node.at.range.start);
            diagnostics.push(Diagnostic::error(Code::KeyMissing, start, "a choice of shapes needs `by`"));
            return None;
        }
        Some(choice)
    }
}

impl ArmSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        if node.as_str().is_some() {
            return Some(ArmSource::Like { like: text(node, "a shape", diagnostics)?, show: Vec::new() });
        }
        let mut fields = Fields::of(node, "a shape of a choice", diagnostics)?;
        let show = fields.take("show");
        let except = fields.entry("except");
        if let (Some((key, _)), true) = (except, show.is_some() || fields.take("like").is_some()) {
            let message = "`except` shows fields as they are: it has no `like` and no `show`";
            let diagnostic = Diagnostic::error(Code::ValueWrong, key.at.clone(), message);
            diagnostics.push(diagnostic.help("leave out one of them"));
            return None;
        }
        let arm = match (fields.take("like"), show, except) {
            (None, None, Some((_, except))) => Some(ArmSource::Except(Template::read(except, diagnostics))),
            (None, Some(show), _) => Some(ArmSource::Show(Template::read(show, diagnostics))),
            _ => {
                let like = fields.required_text("like", diagnostics);
                let show = templates(fields.named("show", diagnostics), diagnostics);
                like.map(|like| ArmSource::Like { like, show })
            }
        };
        fields.finish(diagnostics);
        arm
    }
}

impl LikeSource {
    pub(super) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        if node.as_str().is_some() {
            let example = text(node, "`like`", diagnostics)?;
            return Some(LikeSource { example, lay: Vec::new(), ignore_case: false });
        }
        let mut fields = Fields::of(node, "`like`", diagnostics)?;
        let example = fields.required_text("example", diagnostics);
        let lay = fields
            .named("lay", diagnostics)
            .iter()
            .filter_map(|(key, node)| Some((key.clone(), text(node, "a fragment", diagnostics)?)))
            .collect();
        let ignore_case = ignore_case(&mut fields, "case", diagnostics);
        fields.finish(diagnostics);
        Some(LikeSource { example: example?, lay, ignore_case })
    }
}

/// `<name>: ignore`.
pub(super) fn ignore_case(fields: &mut Fields<'_>, name: &'static str, diagnostics: &mut Diagnostics) -> bool {
    match fields.text(name, diagnostics) {
        None => false,
        Some(word) => {
            if word.value != "ignore" {
                let message = format!("`{name}` can only be `ignore`");
                let diagnostic = Diagnostic::error(Code::ValueWrong, word.at, message);
                diagnostics.push(diagnostic.suggest(nearest(&word.value, ["ignore"])));
            }
            true
        }
    }
}

pub(super) fn templates(members: &[(Key, Node)], diagnostics: &mut Diagnostics) -> Vec<(Key, Template)> {
    members.iter().map(|(key, node)| (key.clone(), Template::read(node, diagnostics))).collect()
}

impl ReplySource {
    pub(super) fn read(node: &Node, what: &'static str, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, what, diagnostics)?;
        let when = fields.take("when").cloned();
        let fault = match what {
            "an error" => {
                let at = node.nearest_key(&["fault".to_owned()]);
                let given = fields.flag("fault", diagnostics);
                // What has been said in a wrong form was meant all the same.
                let meant = fields.take("fault").is_some_and(|value| !matches!(value.kind, NodeKind::Boolean(_)));
                (given || meant).then_some(at)
            }
            _ => None,
        };
        let status = fields.required("status").and_then(|node| status(node, diagnostics));
        let shown = ReplySource::shown("answer", &mut fields, diagnostics);
        let source = ReplySource {
            when,
            fault,
            status,
            shape: fields.text("shape", diagnostics),
            fixed: fields.prose("static", diagnostics),
            page: fields.text("page", diagnostics),
            with: templates(fields.named("with", diagnostics), diagnostics),
            headers: templates(fields.named("headers", diagnostics), diagnostics),
            schema: fields.text("schema", diagnostics),
            docs: fields.prose("docs", diagnostics),
            assumed: fields.prose("assumed", diagnostics),
            assumed_body: fields.prose("assumed-body", diagnostics),
            ..shown
        };
        fields.finish(diagnostics);
        Some(source)
    }

    /// The body of a webhook.
    pub(super) fn read_body(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "the body of a webhook", diagnostics)?;
        let shown = ReplySource::shown("body", &mut fields, diagnostics);
        let source = ReplySource {
            shape: fields.text("shape", diagnostics),
            fixed: fields.prose("static", diagnostics),
            schema: fields.text("schema", diagnostics),
            ..shown
        };
        fields.finish(diagnostics);
        Some(source)
    }

    /// A shape that answers and webhooks name.
    pub(super) fn read_shape(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a named shape", diagnostics)?;
        let given = fields.required("show").is_some();
        let source = ReplySource::shown("shape", &mut fields, diagnostics);
        fields.finish(diagnostics);
        given.then_some(source)
    }

    /// What is shown, and nothing else.
    fn shown(noun: &'static str, fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Self {
        let like = fields.take("like").and_then(|node| LikeSource::read(node, diagnostics));
        let (whole, show) = shows(fields, diagnostics);
        ReplySource {
            at: fields.at(),
            noun,
            when: None,
            fault: None,
            status: None,
            shape: None,
            like,
            whole,
            show,
            fixed: None,
            page: None,
            with: Vec::new(),
            headers: Vec::new(),
            schema: None,
            docs: None,
            assumed: None,
            assumed_body: None,
        }
    }
}

/// One template for a whole body, or templates by key or pointer.
fn shows(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> (Option<Template>, Vec<(Key, Template)>) {
    let Some(node) = fields.take("show") else { return (None, Vec::new()) };
    match &node.kind {
        NodeKind::Map(members) if !members.iter().any(|(key, _)| key.name == "each" || key.name == "of") => {
            (None, templates(members, diagnostics))
        }
        _ => (Some(Template::read(node, diagnostics)), Vec::new()),
    }
}

fn status(node: &Node, diagnostics: &mut Diagnostics) -> Option<Spanned<u16>> {
    if let NodeKind::Number(number) = &node.kind
        && let Some(value) = number.as_u64().and_then(|value| u16::try_from(value).ok())
        && (200..600).contains(&value)
    {
        return Some(Spanned { value, at: node.at.clone() });
    }
    let message = "`status` is a number from 200 to 599";
    let mut diagnostic = Diagnostic::error(Code::ValueWrong, node.at.clone(), message);
    if let NodeKind::String(text) = &node.kind
        && text.parse::<u16>().is_ok()
    {
        diagnostic = diagnostic.help("write the number without quotation marks");
    }
    diagnostics.push(diagnostic);
    None
}

//! `<example>.yaml`, the side file of an example: how it came about, and where it is known to differ.

use super::fields::{Fields, prose, text, wrong_kind};
use super::{Diagnostics, Key, Node, NodeKind, Spanned};
use crate::diagnostic::{Code, Diagnostic, Location};

#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    pub(crate) at: Option<Location>,
    /// Credential labels, one for each scheme; `None` takes the first of each, an empty list sends none.
    pub(crate) caller: Option<Vec<Spanned<String>>>,
    pub(crate) path: Vec<(Key, Node)>,
    pub(crate) query: Vec<(Key, Node)>,
    pub(crate) headers: Vec<(Key, Node)>,
    /// Scheme and host, with a prefix if there was one.
    pub(crate) base: Option<Spanned<String>>,
    pub(crate) body: Option<Node>,
    /// The body as text, for what is not JSON.
    pub(crate) text: Option<Spanned<String>>,
    /// A body of this many bytes.
    pub(crate) bytes: Option<usize>,
    /// Another example whose text is the body.
    pub(crate) body_of: Option<Spanned<String>>,
    /// A whole body and the pointer at which the example, a fragment, is laid into it.
    pub(crate) around: Option<(Node, Spanned<String>)>,
    /// Method and path, for a request that no operation has.
    pub(crate) method: Option<Spanned<String>>,
    /// Which of the operation's further methods and paths is called.
    pub(crate) also: Option<Spanned<String>>,
    /// Values of the pack's options.
    pub(crate) options: Vec<(Key, Node)>,
    pub(crate) given: Vec<GivenSource>,
    pub(crate) instant: Option<Spanned<String>>,
    /// Whether the clock stands.
    pub(crate) frozen: bool,
    /// Headers of the answer; `None` for one that it does not have.
    pub(crate) answered: Vec<(Key, Option<Spanned<String>>)>,
    pub(crate) next: Vec<(Key, Node)>,
    pub(crate) differs: Vec<(Key, Spanned<String>)>,
    pub(crate) absent: Vec<(Key, Spanned<String>)>,
    /// Leaves that are the same whatever is sent, each with the reason.
    pub(crate) constant: Vec<(Key, Spanned<String>)>,
    pub(crate) assumed: Option<Spanned<String>>,
    pub(crate) docs: Option<Spanned<String>>,
    pub(crate) notes: Option<Spanned<String>>,
    /// A reason why this file is an example of a part only and is not replayed by itself.
    pub(crate) fragment: Option<Spanned<String>>,
}

/// A change to the seed records before an example is replayed.
#[derive(Debug, Clone)]
pub(crate) struct GivenSource {
    pub(crate) resource: Key,
    /// `None` for a record that is added.
    pub(crate) id: Option<Key>,
    /// `None` for a record that is taken away.
    pub(crate) fields: Option<Node>,
}

/// What the example is a picture of: a request, or an answer with its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExampleSource {
    /// The operation's file name without `.yaml`.
    pub(crate) operation: String,
    /// `None` for a request.
    pub(crate) status: Option<u16>,
    pub(crate) variant: Option<String>,
}

impl ExampleSource {
    /// Reads `create.request.json`, `create.201.json`, `create.201.with-note.json`; other names are no examples.
    pub(crate) fn of_file(name: &str) -> Option<Self> {
        let stem = name.rsplit_once('.').filter(|(_, end)| matches!(*end, "json" | "html" | "txt" | "yaml"))?.0;
        let mut parts = stem.splitn(3, '.');
        let (operation, role, variant) = (parts.next()?, parts.next()?, parts.next());
        let status = match role {
            "request" => None,
            digits => Some(digits.parse().ok().filter(|status| (100..600).contains(status))?),
        };
        Some(ExampleSource { operation: operation.to_owned(), status, variant: variant.map(str::to_owned) })
    }
}

/// The webhook and the variant that a payload is of: `sold.payload.json`, `sold.payload.twice.json`.
pub(crate) fn payload_of(name: &str) -> Option<(&str, Option<&str>)> {
    let stem = name.rsplit_once('.').filter(|(_, end)| matches!(*end, "json" | "txt" | "yaml"))?.0;
    let mut parts = stem.splitn(3, '.');
    let webhook = parts.next()?;
    (parts.next()? == "payload").then_some((webhook, parts.next()))
}

/// The keys that say what the body of a request is.
const BODIES: [&str; 4] = ["body", "text", "bytes", "body-of"];

impl Side {
    pub(crate) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a side file", diagnostics)?;
        let mut side = Side::about(&mut fields, diagnostics);
        side.frozen = fields.flag("frozen", diagnostics);
        for (key, node) in fields.named("headers", diagnostics) {
            let value = match &node.kind {
                NodeKind::Null => Some(None),
                _ => text(node, &format!("`{}`", key.name), diagnostics).map(Some),
            };
            side.answered.extend(value.map(|value| (key.clone(), value)));
        }
        if let Some(node) = fields.take("request") {
            side.request(node, diagnostics);
        }
        fields.finish(diagnostics);
        Some(side)
    }

    /// What is said of examples of every kind.
    pub(super) fn about(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Self {
        Side {
            at: Some(fields.at()),
            options: fields.named("options", diagnostics).to_vec(),
            given: given(fields.named("given", diagnostics), diagnostics),
            instant: fields.text("at", diagnostics),
            next: fields.named("next", diagnostics).to_vec(),
            differs: reasons(fields.named("differs", diagnostics), diagnostics),
            absent: reasons(fields.named("absent", diagnostics), diagnostics),
            constant: reasons(fields.named("constant", diagnostics), diagnostics),
            assumed: fields.prose("assumed", diagnostics),
            docs: fields.prose("docs", diagnostics),
            notes: fields.prose("notes", diagnostics),
            fragment: fields.prose("fragment", diagnostics),
            ..Side::default()
        }
    }

    /// Whether it says what the body of the request is.
    pub(crate) fn has_body(&self) -> bool {
        self.body.is_some() || self.text.is_some() || self.body_of.is_some() || self.bytes.is_some()
    }

    fn request(&mut self, node: &Node, diagnostics: &mut Diagnostics) {
        let Some(mut fields) = Fields::of(node, "`request`", diagnostics) else { return };
        self.called(&mut fields, node, diagnostics);
        fields.finish(diagnostics);
    }

    /// The keys of a request; the node is the mapping that has them.
    pub(super) fn called(&mut self, fields: &mut Fields<'_>, node: &Node, diagnostics: &mut Diagnostics) {
        self.caller = fields.take("as").map(|node| match &node.kind {
            NodeKind::Null => Vec::new(),
            NodeKind::List(items) => {
                items.iter().filter_map(|node| text(node, "a credential's label", diagnostics)).collect()
            }
            _ => text(node, "a credential's label", diagnostics).into_iter().collect(),
        });
        self.also = fields.text("also", diagnostics);
        self.method = fields.text("method", diagnostics);
        self.path = fields.named("path", diagnostics).to_vec();
        self.query = fields.named("query", diagnostics).to_vec();
        self.headers = fields.named("headers", diagnostics).to_vec();
        self.base = fields.text("base", diagnostics);
        self.body = fields.take("body").cloned();
        self.text = fields.text("text", diagnostics);
        self.bytes = fields.take("bytes").and_then(|node| {
            let number = if let NodeKind::Number(number) = &node.kind { number.as_u64() } else { None };
            if number.is_none() {
                let message = "`bytes` is the size of a body, a whole number";
                diagnostics.push(Diagnostic::error(Code::KindWrong, node.at.clone(), message));
            }
            number.and_then(|bytes| usize::try_from(bytes).ok())
        });
        self.body_of = fields.text("body-of", diagnostics);
        if let NodeKind::Map(members) = &node.kind {
            let mut bodies = members.iter().filter(|(key, _)| BODIES.contains(&key.name.as_str()));
            if let (Some((first, _)), Some((second, _))) = (bodies.next(), bodies.next()) {
                let message = format!("a request has one body, and `{}` says it already", first.name);
                let diagnostic = Diagnostic::error(Code::ValueWrong, second.at.clone(), message);
                diagnostics.push(diagnostic.help("take one out"));
            }
        }
        if let Some(node) = fields.take("around")
            && let Some(mut inner) = Fields::of(node, "`around`", diagnostics)
        {
            let pointer = inner.required_text("at", diagnostics);
            let body = inner.required("body");
            if let (Some(pointer), Some(body)) = (pointer, body) {
                self.around = Some((body.clone(), pointer));
            }
            inner.finish(diagnostics);
        }
    }
}

fn reasons(members: &[(Key, Node)], diagnostics: &mut Diagnostics) -> Vec<(Key, Spanned<String>)> {
    members.iter().filter_map(|(key, node)| Some((key.clone(), prose(node, &key.name, diagnostics)?))).collect()
}

/// `<resource>: {<id>: {fields}, <id>: null}` or `<resource>: [{fields}]`.
fn given(members: &[(Key, Node)], diagnostics: &mut Diagnostics) -> Vec<GivenSource> {
    let mut out = Vec::new();
    for (resource, node) in members {
        match &node.kind {
            NodeKind::List(items) => out.extend(items.iter().map(|item| GivenSource {
                resource: resource.clone(),
                id: None,
                fields: Some(item.clone()),
            })),
            NodeKind::Map(records) => out.extend(records.iter().map(|(id, record)| GivenSource {
                resource: resource.clone(),
                id: Some(id.clone()),
                fields: (record.kind != NodeKind::Null).then(|| record.clone()),
            })),
            _ => wrong_kind(node, "`given` has records by id, or a list of new ones", diagnostics),
        }
    }
    if members.is_empty() {
        return out;
    }
    for source in &out {
        if let Some(fields) = &source.fields
            && !matches!(fields.kind, NodeKind::Map(_))
        {
            let diagnostic =
                Diagnostic::error(Code::KindWrong, fields.at.clone(), "a given record is a mapping of fields");
            diagnostics.push(diagnostic.help("write null to take the record away"));
        }
    }
    out
}

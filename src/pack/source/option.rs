//! `options` of a pack, and `option` and `also` wherever something depends on them.

use super::fields::{Fields, text, wrong_kind};
use super::{Diagnostics, Key, Node, NodeKind, Spanned};
use crate::diagnostic::Location;

/// A choice that the pack leaves to whoever runs it.
#[derive(Debug, Clone)]
pub(crate) struct OptionSource {
    pub(crate) name: Key,
    pub(crate) description: Option<Spanned<String>>,
    /// `None` for a boolean.
    pub(crate) values: Option<(Location, Vec<Node>)>,
    pub(crate) default: Option<Node>,
}

/// `option: <name>`, or `option: {<name>: <value>, …}`: what options must be.
#[derive(Debug, Clone, Default)]
pub(crate) struct WantedSource {
    /// `None` stands for `true`.
    pub(crate) pairs: Vec<(Spanned<String>, Option<Node>)>,
}

/// A further method and path of an operation: `PUT /items/{id}` or `{request: …, option: …}`.
#[derive(Debug, Clone)]
pub(crate) struct LineSource {
    pub(crate) request: Option<Spanned<String>>,
    pub(crate) option: WantedSource,
}

impl OptionSource {
    pub(super) fn read(key: &Key, node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "an option", diagnostics)?;
        let source = OptionSource {
            name: key.clone(),
            description: fields.required_prose("description", diagnostics),
            values: match fields.take("values").map(|node| (&node.kind, node)) {
                None => None,
                Some((NodeKind::List(items), node)) => Some((node.at.clone(), items.clone())),
                Some((_, node)) => {
                    wrong_kind(node, "`values` is a list", diagnostics);
                    Some((node.at.clone(), Vec::new()))
                }
            },
            default: fields.required("default").cloned(),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

impl WantedSource {
    pub(super) fn read(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Self {
        let Some(node) = node else { return WantedSource::default() };
        let pairs = match &node.kind {
            NodeKind::String(name) => vec![(Spanned { value: name.clone(), at: node.at.clone() }, None)],
            NodeKind::Map(members) => {
                let pair = |(key, value): &(Key, Node)| {
                    (Spanned { value: key.name.clone(), at: key.at.clone() }, Some(value.clone()))
                };
                members.iter().map(pair).collect()
            }
            _ => {
                wrong_kind(node, "`option` is the name of an option, or a mapping from names to values", diagnostics);
                Vec::new()
            }
        };
        WantedSource { pairs }
    }

    /// Names and values, without their places: whether two ask for the same.
    pub(crate) fn same(&self, other: &WantedSource) -> bool {
        let plain = |source: &WantedSource| {
            let value = |node: &Option<Node>| node.as_ref().map_or(serde_json::Value::Bool(true), Node::to_json);
            let mut pairs: Vec<(String, String)> =
                source.pairs.iter().map(|(name, node)| (name.value.clone(), value(node).to_string())).collect();
            pairs.sort();
            pairs
        };
        plain(self) == plain(other)
    }
}

impl LineSource {
    pub(super) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        if node.as_str().is_some() {
            return Some(LineSource { request: text(node, "`also`", diagnostics), option: WantedSource::default() });
        }
        let mut fields = Fields::of(node, "a further way to an operation", diagnostics)?;
        let source = LineSource {
            request: fields.required_text("request", diagnostics),
            option: WantedSource::read(fields.take("option"), diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

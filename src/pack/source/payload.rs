//! `<webhook>.payload.yaml`, the side file of a payload: what it comes of, and where it is known to differ.

use super::example::Side;
use super::fields::{Fields, text, wrong_kind};
use super::{Diagnostics, Key, Node, NodeKind, Spanned};
use crate::diagnostic::{Code, Diagnostic};

/// What the side file of a payload says: all that the side file of an example does, with a cause in place of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct PayloadSide {
    /// With the request of a cause that is a call.
    pub(crate) side: Side,
    pub(crate) cause: Option<CauseSource>,
    /// To whom it goes, where several are told; null for the one without a URL.
    pub(crate) to: Option<Spanned<Option<String>>>,
    /// Of the first attempt.
    pub(crate) sent: Vec<(Key, Spanned<String>)>,
}

#[derive(Debug, Clone)]
pub(crate) enum CauseSource {
    Event {
        name: Spanned<String>,
        input: Option<Node>,
    },
    /// `<folder>/<file>` of an operation.
    Operation(Spanned<String>),
}

impl PayloadSide {
    pub(crate) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "the side file of a payload", diagnostics)?;
        let cause = fields.take("cause");
        let mut payload = PayloadSide {
            side: Side::about(&mut fields, diagnostics),
            cause: None,
            to: fields.take("to").and_then(|node| match &node.kind {
                NodeKind::Null => Some(Spanned { value: None, at: node.at.clone() }),
                _ => text(node, "`to`", diagnostics).map(|to| Spanned { value: Some(to.value), at: to.at }),
            }),
            sent: Vec::new(),
        };
        for (key, node) in fields.named("headers", diagnostics) {
            payload.sent.extend(text(node, &format!("`{}`", key.name), diagnostics).map(|sent| (key.clone(), sent)));
        }
        fields.finish(diagnostics);
        payload.cause = cause.and_then(|node| payload.cause(node, diagnostics));
        Some(payload)
    }

    fn cause(&mut self, node: &Node, diagnostics: &mut Diagnostics) -> Option<CauseSource> {
        let mut fields = Fields::of(node, "a cause", diagnostics)?;
        let event = fields.text("event", diagnostics);
        let operation = fields.text("operation", diagnostics);
        let cause = match (event, operation) {
            (Some(name), None) => {
                let input = fields.take("input");
                if let Some(input) = input
                    && !matches!(input.kind, NodeKind::Map(_))
                {
                    wrong_kind(input, "`input` is a mapping from names", diagnostics);
                }
                Some(CauseSource::Event { name, input: input.cloned() })
            }
            (None, Some(operation)) => {
                self.side.called(&mut fields, node, diagnostics);
                Some(CauseSource::Operation(operation))
            }
            (Some(_), Some(operation)) => {
                let message = "a payload comes of one thing: an event or a call";
                let diagnostic = Diagnostic::error(Code::ValueWrong, operation.at, message);
                diagnostics.push(diagnostic.help("leave out one of the two"));
                return None;
            }
            (None, None) => {
                fields.take("input");
                self.side.called(&mut fields, node, diagnostics);
                if fields.complete() {
                    let message = "a cause has one of the keys `event` and `operation`";
                    diagnostics.push(Diagnostic::error(Code::KeyMissing, fields.at(), message));
                }
                None
            }
        };
        fields.finish(diagnostics);
        cause
    }
}

//! What is expected of a body.

use std::sync::Arc;

use super::Story;
use super::example::ShownBody;
use crate::diagnostic::{Code, Diagnostic};
use crate::exchange::Pattern;
use crate::expr::Names;
use crate::pack::OperationId;
use crate::pack::source::{Fields, NodeKind, Spanned, wrong_kind};
use crate::scenario::{Content, Except};

impl Story<'_, '_> {
    /// Everything that is said of a body: an answer's, or that of a call that arrived.
    pub(super) fn contents(
        &mut self,
        fields: &mut Fields<'_>,
        pack: Option<usize>,
        operations: &[OperationId],
        webhook: Option<usize>,
        names: &Names,
    ) -> Vec<Content> {
        let mut all = Vec::new();
        let except = self.exceptions(fields);
        let like = fields.text("like", &mut self.reader.diagnostics);
        let shape = fields.text("shape", &mut self.reader.diagnostics);
        let shown = |story: &mut Self, name: &Spanned<String>| story.shown_body(pack?, operations, webhook, name);
        if let Some(name) = &like
            && let Some(ShownBody { path, text, json, .. }) = shown(self, name)
        {
            all.push(Content::Like { example: path, json, text, except: Arc::clone(&except) });
        }
        if let Some(name) = &shape
            && let Some(ShownBody { path, json, .. }) = shown(self, name)
        {
            match json {
                Some(json) => all.push(Content::Shape { example: path, json }),
                None => {
                    let message = format!("`{path}` is no JSON and has no shape");
                    let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message);
                    self.reader.report(diagnostic.help("expect it with `like`"));
                }
            }
        }
        let equals = fields.entry("equals");
        if let Some((_, node)) = equals
            && let Some((value, _)) = self.value(node, names)
        {
            all.push(Content::Equals { value, except: Arc::clone(&except) });
        }
        if !except.is_empty() && like.is_none() && equals.is_none() {
            let at = fields.entry("except").map_or_else(|| fields.at(), |(key, _)| key.at.clone());
            let diagnostic = Diagnostic::error(Code::ValueWrong, at, "there is nothing to except from");
            self.reader.report(diagnostic.help("`except` goes with `like` or `equals`"));
        }
        let mut values: Vec<(Arc<str>, crate::scenario::Value)> = Vec::new();
        for (key, node) in fields.named("body", &mut self.reader.diagnostics) {
            let value = self.value(node, names);
            if self.is_pointer(&key.name, &key.at) {
                values.extend(value.map(|(value, _)| (key.name.as_str().into(), value)));
            }
        }
        if !values.is_empty() {
            all.push(Content::At(values));
        }
        let absent = fields.texts("absent", &mut self.reader.diagnostics);
        let absent: Vec<Arc<str>> = absent
            .into_iter()
            .filter(|pointer| self.is_pointer(&pointer.value, &pointer.at))
            .map(|pointer| pointer.value.into())
            .collect();
        if !absent.is_empty() {
            all.push(Content::Absent(absent));
        }
        if let Some(node) = fields.take("text")
            && let Some((value, _)) = self.value(node, names)
        {
            match value.written() {
                Some(written) if !written.is_string() => {
                    wrong_kind(node, "`text` is a text", &mut self.reader.diagnostics);
                }
                _ => all.push(Content::Text(value)),
            }
        }
        let mut contains = Vec::new();
        for node in fields.list("contains") {
            let Some((value, _)) = self.value(node, names) else { continue };
            match value.written() {
                Some(written) if !written.is_string() => {
                    wrong_kind(node, "what a body contains is a text", &mut self.reader.diagnostics);
                }
                _ => contains.push(value),
            }
        }
        if !contains.is_empty() {
            all.push(Content::Contains(contains));
        }
        let schema = fields.text("schema", &mut self.reader.diagnostics);
        if let (Some(name), Some(pack)) = (schema, pack)
            && let Some(schema) = self.reader.schema(pack, &name)
        {
            all.push(Content::Schema { name: name.value.into(), schema: Box::new(schema) });
        }
        all
    }

    fn exceptions(&mut self, fields: &mut Fields<'_>) -> Arc<[Except]> {
        if let Some(node) = fields.take("except")
            && matches!(node.kind, NodeKind::Map(_))
        {
            wrong_kind(node, "`except` is a list of names and pointers", &mut self.reader.diagnostics);
            return Arc::default();
        }
        let mut all = Vec::new();
        for part in fields.texts("except", &mut self.reader.diagnostics) {
            if !part.value.starts_with('/') {
                all.push(Except::Name(part.value.into()));
            } else if self.is_pointer(&part.value, &part.at) {
                all.push(Except::Pointer(part.value.as_str().into(), Pattern::new(&part.value)));
            }
        }
        all.into()
    }
}

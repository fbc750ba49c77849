//! Answers: cases of `respond`, and named errors.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, StatusCode};

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::expr::{self, Kind, Names};
use crate::pack::source::{Key, OperationSource, ReplySource, Spanned, Template};
use crate::pack::{Check, Content, Provenance, Reply, Shape, media_type};

impl Resolver<'_> {
    pub(super) fn reply(
        &mut self,
        source: &ReplySource,
        names: &Names,
        folder: &str,
        operation: Option<&OperationSource>,
    ) -> Option<Reply> {
        let condition = source.when.as_ref().and_then(|node| Template::condition(node, &mut self.diagnostics));
        let when = self.condition(condition.as_ref(), names);
        let body = self.content(source, names, folder);
        let headers = self.headers(&source.headers, names, folder);
        let schema = source.schema.as_ref().and_then(|name| self.schema(name));
        let shown = match &body {
            Some(Content::Shaped(_)) => self.example_of(source, folder),
            _ => None,
        };
        let provenance = self.provenance(source, operation);
        let status = source.status.as_ref()?;
        let body = body?;
        self.schema_has_a_body(source, &body);
        let check = match (&schema, &source.schema) {
            (Some(schema), Some(name)) => self.proof(&body, schema, &name.value),
            _ => Check::Proven,
        };
        Some(Reply {
            number: 0,
            when,
            status: StatusCode::from_u16(status.value).ok()?,
            body,
            check,
            headers,
            schema,
            shown,
            provenance,
            at: status.at.clone(),
        })
    }

    /// What is no JSON is held against no schema, and whoever gives it one expects something else.
    pub(super) fn schema_has_a_body(&mut self, source: &ReplySource, body: &Content) {
        let Some(schema) = &source.schema else { return };
        let what = match body {
            Content::Empty => "no body",
            Content::Page { .. } => "a page",
            Content::Fixed { json: None, .. } => "a text that is no JSON",
            Content::Fixed { .. } | Content::Shaped(_) => return,
        };
        let message = format!("this {} has {what}, so that nothing is held against `{}`", source.noun, schema.value);
        let diagnostic = Diagnostic::error(Code::ValueWrong, schema.at.clone(), message);
        let help = match source.noun {
            "answer" => "leave `schema` out, or give the answer a JSON body",
            _ => "leave `schema` out, or let the body be JSON",
        };
        self.report(diagnostic.help(help));
    }

    /// Every case but the last has a condition.
    pub(super) fn check_cases(&mut self, cases: &[ReplySource]) {
        for (index, case) in cases.iter().enumerate() {
            let last = index + 1 == cases.len();
            if case.when.is_none() && !last {
                let message = "this answer has no `when`, so those after it are never given";
                let start = Location::new(case.at.file, case.at.range.start..case.at.range.start);
                self.report(
                    Diagnostic::error(Code::ValueWrong, start, message).help("give it a `when`, or put it last"),
                );
                return;
            }
            if let (Some(when), true) = (&case.when, last) {
                let message = "when this does not hold there is no answer";
                let diagnostic = Diagnostic::error(Code::KeyMissing, when.at.clone(), message);
                self.report(diagnostic.help("leave `when` out of the last answer, or add one without it"));
            }
        }
    }

    /// What an answer does not say its operation says.
    fn provenance(&mut self, source: &ReplySource, operation: Option<&OperationSource>) -> Provenance {
        let text = |text: &Spanned<String>| -> Arc<str> { text.value.as_str().into() };
        self.said_twice(source.docs.as_ref(), source.assumed.as_ref());
        let docs = source.docs.as_ref().or(operation.and_then(|operation| operation.docs.as_ref())).map(text);
        let assumed = operation.and_then(|operation| operation.assumed.as_ref());
        match (&source.assumed, &source.assumed_body, &docs) {
            (Some(reason), None, _) => Provenance::Assumed(text(reason)),
            (None, Some(reason), _) => Provenance::BodyAssumed { docs, reason: text(reason) },
            (None, None, Some(_)) => Provenance::Documented(docs),
            // That the operation says nothing has been reported.
            (None, None, None) if operation.is_some() => match assumed {
                Some(reason) => Provenance::Assumed(text(reason)),
                None => Provenance::Documented(None),
            },
            (None, None, None) => {
                let message = "nothing says where this answer comes from";
                let help = "name the place with `docs`, or give a reason with `assumed` (or `assumed-body`)";
                self.report(Diagnostic::error(Code::ProvenanceMissing, source.at.clone(), message).help(help));
                Provenance::Documented(None)
            }
            (Some(_), Some(body), _) => {
                self.error(Code::ValueWrong, &body.at, "`assumed` covers the body too: leave out `assumed-body`");
                Provenance::Documented(None)
            }
        }
    }

    pub(super) fn headers(
        &mut self,
        source: &[(Key, Template)],
        names: &Names,
        folder: &str,
    ) -> Vec<(HeaderName, Shape)> {
        let mut headers = Vec::new();
        for (index, (key, template)) in source.iter().enumerate() {
            if let Some((message, help)) = unsendable(key, template, &source[..index]) {
                self.report(Diagnostic::error(Code::ValueWrong, key.at.clone(), message).help(help));
                continue;
            }
            match HeaderName::try_from(key.name.as_str()) {
                Ok(name) => {
                    let Some(shape) = self.value(template, names, folder) else { continue };
                    let what = match &shape {
                        Shape::Value { kind: kind @ (Kind::List(_) | Kind::Object(_)), .. } => Some(kind.to_string()),
                        Shape::Record { .. } => Some("a record".to_owned()),
                        Shape::Each(_) => Some("a list".to_owned()),
                        _ => None,
                    };
                    if let Some(what) = what {
                        self.error(Code::ExprKinds, &template.at(), format!("a header is one text, not {what}"));
                    }
                    headers.push((name, shape));
                }
                Err(_) => self.error(Code::ValueWrong, &key.at, format!("`{}` is not the name of a header", key.name)),
            }
        }
        headers
    }

    pub(super) fn content(&mut self, source: &ReplySource, names: &Names, folder: &str) -> Option<Content> {
        // A shape that there is stands in the place of its name; of another enough has been said.
        if source.shape.is_some() {
            return None;
        }
        let others =
            source.like.is_some() || source.whole.is_some() || !source.show.is_empty() || source.fixed.is_some();
        if let (Some(page), true) = (&source.page, others) {
            let message = "an answer that is a page has no `like`, `show` or `static`";
            let help = "give the page its names under `with`, or leave out `page`";
            self.report(Diagnostic::error(Code::ValueWrong, page.at.clone(), message).help(help));
        }
        if let (None, Some((key, _))) = (&source.page, source.with.first()) {
            let message = "`with` names what a page sees, and this answer is none";
            let help = "values of a shape are given under `show`";
            self.report(Diagnostic::error(Code::ValueWrong, key.at.clone(), message).help(help));
        }
        if let Some(page) = &source.page {
            return self.page(page, &source.with, names, folder);
        }
        let shown = source.whole.is_some() || !source.show.is_empty();
        match (&source.like, shown, &source.fixed) {
            (None, false, None) => Some(Content::Empty),
            (None, true, None) => {
                let shape = match &source.whole {
                    Some(template) => self.value(template, names, folder),
                    None => {
                        let at = source.at.clone();
                        let map = source.show.iter().map(|(key, value)| (key.clone(), false, value.clone())).collect();
                        self.value(&Template::Map(map, at), names, folder)
                    }
                };
                Some(Content::Shaped(shape?))
            }
            (Some(like), true, None) => {
                let shape = self.like(like, source.whole.as_ref(), &source.show, names, folder)?;
                Some(Content::Shaped(shape))
            }
            (Some(like), false, Some(_)) => self.fixed(&like.example, folder),
            (Some(like), false, None) => {
                let cause = if source.noun == "answer" { "the request was" } else { "happened" };
                let message = format!("the example is sent as it stands, whatever {cause}");
                let help = "say with `show` where its values come from, or with `static` why they never change";
                self.report(Diagnostic::error(Code::ShapeUnfilled, like.example.at.clone(), message).help(help));
                None
            }
            (_, true, Some(fixed)) => {
                self.error(Code::ValueWrong, &fixed.at, "what is `static` shows nothing: leave out one of the two");
                None
            }
            (None, false, Some(fixed)) => {
                let message = format!("a static {} needs the example that is sent: add `like`", source.noun);
                self.error(Code::KeyMissing, &fixed.at, message);
                None
            }
        }
    }

    fn fixed(&mut self, example: &Spanned<String>, folder: &str) -> Option<Content> {
        if example.value.contains('#') {
            let (_, _, part) = self.part(example, folder)?;
            let bytes = Bytes::from(part.to_string());
            return Some(Content::Fixed { bytes, media_type: "application/json", json: Some(Arc::new(part)) });
        }
        let path = self.find(example, folder)?;
        self.used.insert(path.clone());
        let media_type = media_type(&path);
        let json = match media_type {
            "application/json" => Some(self.document(&path)?),
            _ => None,
        };
        let bytes = self.files.fixtures.get(&path).map(|bytes| Bytes::from(bytes.clone()))?;
        Some(Content::Fixed { bytes, media_type, json })
    }

    /// The whole example that an answer names as its shape: the bytes of a file, unless it is made of several.
    fn example_of(&mut self, source: &ReplySource, folder: &str) -> Option<Bytes> {
        let like = source.like.as_ref()?;
        if !like.lay.is_empty() {
            return self.laid(like, folder).map(|(_, _, example)| example.to_string().into());
        }
        match self.fixed(&like.example, folder)? {
            Content::Fixed { bytes, .. } => Some(bytes),
            _ => None,
        }
    }

    fn page(
        &mut self,
        page: &Spanned<String>,
        with: &[(Key, Template)],
        names: &Names,
        folder: &str,
    ) -> Option<Content> {
        let path = self.find(page, folder)?;
        self.used.insert(path.clone());
        let file = *self.fixtures.get(path.as_str())?;
        let text = self.sources.text(file).to_owned();
        let mut names = names.clone();
        let mut given = Vec::new();
        for (key, template) in with {
            let kind = match template {
                Template::Expression { text, .. } => expr::check(text, &names).0,
                _ => Kind::Any,
            };
            if let Some(shape) = self.value(template, &names, folder) {
                given.push((Arc::from(key.name.as_str()), shape));
            }
            names.bind(key.name.clone(), kind);
        }
        let faults = expr::check_template(&text, &names);
        if faults.is_empty() {
            if !self.unread.contains(&file) {
                self.unshown(&path, &text, with);
            }
            return Some(Content::Page { template: self.expressions.template(path, text), with: given });
        }
        for fault in faults {
            let at = Location::new(file, fault.range);
            let mut diagnostic = Diagnostic::error(fault.code, at, fault.message).suggest(fault.suggestion);
            diagnostic.help = fault.help;
            self.report(diagnostic);
        }
        None
    }

    /// Names that a page is given and does not mention.
    fn unshown(&mut self, path: &str, text: &str, with: &[(Key, Template)]) {
        let part = |character: char| character.is_alphanumeric() || character == '_';
        for (key, _) in with {
            if !text.split(|character| !part(character)).any(|word| word == key.name) {
                let message = format!("`{path}` does not show `{}`", key.name);
                let diagnostic = Diagnostic::error(Code::NameUnused, key.at.clone(), message);
                self.report(diagnostic.help("take it out, or name it in the page"));
            }
        }
    }
}

/// Headers that say how a message is framed and what becomes of its connection.
const FRAMING: [&str; 8] =
    ["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "date"];

/// Why a pack cannot set a header of this name, with the remedy.
pub(super) fn own_header(name: &str) -> Option<(String, &'static str)> {
    let lower = name.to_ascii_lowercase();
    if FRAMING.contains(&lower.as_str()) {
        return Some((format!("`{name}` is the server's own to set"), "leave it out"));
    }
    lower.starts_with("standin-").then(|| (format!("`{name}` is one of standin's own headers"), "give it another name"))
}

/// Why an answer cannot have a header, with the remedy.
fn unsendable(key: &Key, template: &Template, before: &[(Key, Template)]) -> Option<(String, &'static str)> {
    let name = key.name.to_ascii_lowercase();
    if let Some(own) = own_header(&key.name) {
        return Some(own);
    }
    if before.iter().any(|(other, _)| other.name.eq_ignore_ascii_case(&name)) {
        return Some((format!("`{}` stands here twice, and case means nothing in it", key.name), "take one out"));
    }
    match template {
        Template::Literal(text) if text.value.as_str().is_some_and(|text| text.contains(['\r', '\n', '\0'])) => {
            Some((format!("`{}` has more than one line", key.name), "a header is one line"))
        }
        Template::List(..) | Template::Map(..) => {
            Some((format!("`{}` is no text", key.name), "a header is one text, or an expression that gives one"))
        }
        _ => None,
    }
}

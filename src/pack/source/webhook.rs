//! `<topic>/<name>.webhook.yaml`, and `schedule` of events: what happens by itself.

use super::fields::{Fields, wrong_kind};
use super::template::templates;
use super::{Diagnostics, EffectVerb, Key, Node, NodeKind, ReplySource, Spanned, Template};
use crate::diagnostic::{Code, Diagnostic, Location, nearest, one_of};
use crate::pack::{Algorithm, Encoding, KeyEncoding};

#[derive(Debug, Clone)]
pub(crate) struct WebhookSource {
    pub(crate) at: Location,
    pub(crate) title: Option<Spanned<String>>,
    pub(crate) docs: Option<Spanned<String>>,
    pub(crate) assumed: Option<Spanned<String>>,
    pub(crate) description: Option<Spanned<String>>,
    /// `None` for an item that cannot be read.
    pub(crate) on: Vec<Option<TriggerSource>>,
    /// Where it says `on`.
    pub(crate) on_at: Option<Location>,
    pub(crate) each: Option<Template>,
    /// The name of an item of `each`.
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) with: Vec<(Key, Template)>,
    pub(crate) when: Option<Template>,
    pub(crate) to: Option<Template>,
    pub(crate) unsent: Option<Spanned<String>>,
    pub(crate) headers: Vec<(Key, Template)>,
    pub(crate) sign: Option<SignSource>,
    pub(crate) body: Option<ReplySource>,
    pub(crate) after: Option<Spanned<String>>,
    pub(crate) retries: Vec<Spanned<String>>,
    pub(crate) timeout: Option<Spanned<String>>,
}

/// `{create: <resource>}` and its like, or `{event: <name>}`.
#[derive(Debug, Clone)]
pub(crate) struct TriggerSource {
    /// `None` for an event.
    pub(crate) verb: Option<EffectVerb>,
    pub(crate) target: Spanned<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct SignSource {
    pub(crate) header: Option<Spanned<String>>,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) key: Option<Template>,
    pub(crate) key_encoding: KeyEncoding,
    pub(crate) input: Option<Template>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) value: Option<Template>,
}

#[derive(Debug, Clone)]
pub(crate) struct ScheduleSource {
    pub(crate) at: Location,
    pub(crate) of: Option<Spanned<String>>,
    pub(crate) when: Option<Template>,
    pub(crate) after: Option<Spanned<String>>,
    pub(crate) instant: Option<Template>,
    /// `None` when it cannot be read.
    pub(crate) input: Option<Vec<(Key, Template)>>,
    /// Where the input stands, or would stand.
    pub(crate) input_at: Location,
}

impl WebhookSource {
    pub(crate) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a webhook", diagnostics)?;
        let source = WebhookSource {
            at: fields.at(),
            title: fields.required_prose("webhook", diagnostics),
            docs: fields.prose("docs", diagnostics),
            assumed: fields.prose("assumed", diagnostics),
            description: fields.prose("description", diagnostics),
            on_at: fields.required("on").map(|node| node.at.clone()),
            on: fields.list("on").iter().map(|node| TriggerSource::read(node, diagnostics)).collect(),
            each: template(&mut fields, "each", diagnostics),
            name: fields.text("as", diagnostics),
            with: templates(fields.named("with", diagnostics), diagnostics),
            when: fields.take("when").and_then(|node| Template::condition(node, diagnostics)),
            to: fields.required("to").map(|node| Template::read(node, diagnostics)),
            unsent: fields.prose("unsent", diagnostics),
            headers: templates(fields.named("headers", diagnostics), diagnostics),
            sign: fields.take("sign").and_then(|node| SignSource::read(node, diagnostics)),
            body: fields.required("body").and_then(|node| ReplySource::read_body(node, diagnostics)),
            after: fields.text("after", diagnostics),
            retries: retries(&mut fields, diagnostics),
            timeout: fields.text("timeout", diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

/// How often there are some is said by how many there are: a number is no list of one.
fn retries(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<Spanned<String>> {
    match fields.take("retries") {
        Some(node) if !matches!(node.kind, NodeKind::List(_) | NodeKind::String(_)) => {
            wrong_kind(node, "`retries` are lengths of time such as `[2 minutes, 4 minutes]`", diagnostics);
            Vec::new()
        }
        _ => fields.texts("retries", diagnostics),
    }
}

impl TriggerSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "what a webhook is on", diagnostics)?;
        let words = [
            ("create", Some(EffectVerb::Create)),
            ("update", Some(EffectVerb::Update)),
            ("delete", Some(EffectVerb::Delete)),
            ("event", None),
        ];
        let given = words.iter().filter(|(word, _)| fields.take(word).is_some()).count();
        let mut found = None;
        for (word, verb) in words {
            if let Some(target) = fields.text(word, diagnostics) {
                found = Some(TriggerSource { verb, target });
            }
        }
        if given > 1 {
            let message = "each item of `on` names one thing";
            let diagnostic = Diagnostic::error(Code::ValueWrong, fields.at(), message);
            diagnostics.push(diagnostic.help("write one item of the list for each"));
            return None;
        }
        if given == 0 && fields.complete() {
            let message = format!("an item of `on` has one of the keys {}", one_of(words.map(|(word, _)| word)));
            diagnostics.push(Diagnostic::error(Code::KeyMissing, fields.at(), message));
        }
        fields.finish(diagnostics);
        found
    }
}

impl SignSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a signature", diagnostics)?;
        let header = fields.required_text("header", diagnostics);
        fields.required("algorithm");
        let algorithm = word(&mut fields, "algorithm", Algorithm::ALL.map(|known| (known.word(), known)), diagnostics);
        let key = fields.required("key").map(|node| Template::read(node, diagnostics));
        let key_encodings = KeyEncoding::ALL.map(|known| (known.word(), known));
        let key_encoding = word(&mut fields, "key-encoding", key_encodings, diagnostics);
        let input = template(&mut fields, "input", diagnostics);
        fields.required("encoding");
        let encoding = word(&mut fields, "encoding", Encoding::ALL.map(|known| (known.word(), known)), diagnostics);
        let value = template(&mut fields, "value", diagnostics);
        fields.finish(diagnostics);
        let key_encoding = key_encoding.unwrap_or(KeyEncoding::Text);
        Some(SignSource { header, algorithm, key, key_encoding, input, encoding, value })
    }
}

impl ScheduleSource {
    pub(super) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a schedule", diagnostics)?;
        let mut source = ScheduleSource {
            at: fields.at(),
            of: fields.required_text("of", diagnostics),
            when: fields.take("when").and_then(|node| Template::condition(node, diagnostics)),
            after: fields.text("after", diagnostics),
            instant: template(&mut fields, "at", diagnostics),
            input: Some(templates(fields.named("input", diagnostics), diagnostics)),
            input_at: fields.at(),
        };
        if let Some(node) = fields.take("input") {
            source.input_at = node.at.clone();
            source.input = source.input.filter(|_| matches!(node.kind, NodeKind::Map(_)));
        }
        fields.finish(diagnostics);
        Some(source)
    }
}

fn template(fields: &mut Fields<'_>, name: &'static str, diagnostics: &mut Diagnostics) -> Option<Template> {
    fields.take(name).map(|node| Template::read(node, diagnostics))
}

/// One of a closed set of words.
fn word<T, const N: usize>(
    fields: &mut Fields<'_>,
    name: &'static str,
    words: [(&'static str, T); N],
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let given = fields.text(name, diagnostics)?;
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let meant = nearest(&given.value, known.iter().copied());
    let message = format!("`{name}` is {}, not `{}`", one_of(known), given.value);
    let found = words.into_iter().find(|(word, _)| *word == given.value).map(|(_, value)| value);
    if found.is_none() {
        diagnostics.push(Diagnostic::error(Code::ValueWrong, given.at, message).suggest(meant));
    }
    found
}

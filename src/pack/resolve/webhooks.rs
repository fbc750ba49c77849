//! Webhook files.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Uri};
use serde_json::Value;

use super::Resolver;
use super::operations::Parts;
use super::replies::own_header;
use super::request::parameters_kind;
use super::schedules::start;
use super::shapes::reads;
use crate::clock::Span;
use crate::diagnostic::{Code, Diagnostic, FileId, Location};
use crate::expr::{self, ExprId, Kind, Names};
use crate::pack::source::{EffectVerb, SignSource, Spanned, Template, TriggerSource, WebhookSource};
use crate::pack::webhook::{LONGEST_TIMEOUT, MOST_RETRIES, USUAL_TIMEOUT};
use crate::pack::{Check, Content, ResourceId, Signature, Trigger, Verb, Webhook};
use crate::schema::Place;

/// What is in scope in webhooks by itself.
const OWN: [&str; 8] = ["now", "records", "tables", "options", "input", "delivery", "payload", "signature"];

impl Resolver<'_> {
    pub(super) fn webhook_file(
        &mut self,
        file: FileId,
        folder: &str,
        name: &str,
        parts: &mut Parts,
    ) -> Option<Webhook> {
        let node = self.yaml(file);
        let before = self.diagnostics.len();
        let source = node.and_then(|node| WebhookSource::read(&node, &mut self.diagnostics));
        let clean = !self.unread_keys(before);
        parts.incomplete |= source.is_none() || !clean;
        let mut source = source?;
        source.body.iter_mut().for_each(|body| self.shape_of(body));
        self.webhook(&source, folder, name, clean, parts)
    }

    /// Goes on after a mistake, so that the next one is found too.
    fn webhook(
        &mut self,
        source: &WebhookSource,
        folder: &str,
        name: &str,
        clean: bool,
        parts: &Parts,
    ) -> Option<Webhook> {
        let before = self.diagnostics.len();
        let title = source.title.as_ref().map_or(&source.at, |title| &title.at);
        let provenance = self.stated_provenance("webhook", source.docs.as_ref(), source.assumed.as_ref(), title);
        let mut names = self.happening_names();
        if !clean {
            names.open();
        }
        let on = self.triggers(source, &mut names, parts);
        let each = self.webhook_each(source, &mut names);
        names.bind("delivery", delivery(&[("id", Kind::String)]));
        for (key, _) in &source.with {
            self.check_hides(&key.name, &key.at, &names);
        }
        let with = self.with(&source.with, &mut names);
        let when = self.condition(source.when.as_ref(), &names);
        let to = source.to.as_ref().and_then(|to| self.receiver(to, &names));
        let body = source.body.as_ref().and_then(|body| self.content(body, &names, folder));
        match (&body, &source.body) {
            (Some(Content::Empty), Some(given)) if clean => {
                let message = "the body of a webhook needs `like`, `show` or `shape`";
                self.error(Code::KeyMissing, &start(&given.at), message);
            }
            (Some(Content::Empty) | None, _) | (_, None) => {}
            (Some(body), Some(given)) => self.schema_has_a_body(given, body),
        }
        let asked = source.body.as_ref().and_then(|body| body.schema.as_ref());
        let schema = asked.and_then(|name| self.schema(name));
        let check = match (&body, &schema, asked) {
            (Some(body), Some(schema), Some(name)) => self.proof(body, schema, &name.value),
            _ => Check::Proven,
        };
        names.bind("delivery", delivery(&[("id", Kind::String), ("attempt", Kind::Integer)]));
        let headers = self.headers(&source.headers, &names, folder);
        let hosts = source.headers.iter().filter_map(|(key, _)| Some((key.at.clone(), of_the_url(&key.name)?)));
        let hosts: Vec<_> = hosts.collect();
        for (at, (message, help)) in hosts {
            self.report(Diagnostic::error(Code::ValueWrong, at, message).help(help));
        }
        let signature = source.sign.as_ref().map(|sign| self.signature(sign, source, &names));
        let after = source.after.as_ref().map(|after| self.span("after", after));
        let retries = self.retries(&source.retries);
        let timeout = self.timeout(source.timeout.as_ref());
        if clean && self.diagnostics.len() == before {
            self.check_unused(source);
            self.check_happens(source, &on, parts);
        }
        if source.when.is_some() && when.is_none() {
            return None;
        }
        Some(Webhook {
            name: name.into(),
            title: source.title.as_ref()?.value.clone(),
            description: source.description.as_ref().map(|text| text.value.clone()),
            provenance,
            on,
            each: each?,
            with: with?,
            when,
            to: to?,
            unsent: source.unsent.as_ref().map(|how| how.value.as_str().into()),
            body: body?,
            schema,
            check,
            headers,
            signature: match signature {
                Some(signature) => Some(signature?),
                None => None,
            },
            after: after.unwrap_or(Some(Span::from_micros(0)))?,
            retries,
            timeout: timeout?,
            at: source.at.clone(),
        })
    }

    /// What makes it go out; the names that come with it.
    fn triggers(&mut self, source: &WebhookSource, names: &mut Names, parts: &Parts) -> Vec<Trigger> {
        let mut on: Vec<Trigger> = Vec::new();
        let mut inputs = Vec::new();
        if source.on.iter().any(Option::is_none) {
            names.open();
        }
        for trigger in source.on.iter().flatten() {
            let found = match trigger.verb {
                Some(verb) => {
                    self.resource_named(&trigger.target).map(|resource| Trigger::Effect(verb.into(), resource))
                }
                None => self.event_named(&trigger.target, parts).map(|kind| {
                    inputs.push(kind);
                    Trigger::Event(trigger.target.value.as_str().into())
                }),
            };
            let Some(found) = found else {
                names.open();
                continue;
            };
            if let Some(first) = on.first() {
                self.check_together(&trigger.target, first, &found, &on);
            }
            on.push(found);
        }
        if let (true, Some(at)) = (source.on.is_empty(), &source.on_at)
            && !names.is_open()
        {
            let message = "nothing makes this webhook go out";
            let help = "name under `on` what does: `{ create: <resource> }` or `{ event: <name> }`";
            self.report(Diagnostic::error(Code::KeyMissing, start(at), message).help(help));
            names.open();
        }
        match (on.first(), inputs.as_slice()) {
            (Some(Trigger::Effect(_, resource)), _) => {
                let name = self.resources[resource.0].name.to_string();
                let at = source.on.iter().flatten().map(|trigger| trigger.target.at.clone()).next();
                let kind = self.record_kind(*resource);
                self.bind_new(&name, &at.unwrap_or_else(|| source.at.clone()), kind, names);
            }
            (_, [Some(kind)]) => names.bind("input", kind.clone()),
            (_, [] | [None]) => {}
            // Of several events the input of each may be looked at.
            _ => names.bind("input", Kind::Any),
        }
        on
    }

    /// The names of all events, also of those that could not be made.
    pub(super) fn event_names(&self) -> Vec<String> {
        let stem = |path: &&str| Some(path.rsplit('/').next()?.strip_suffix(".event.yaml")?.to_owned());
        self.fixtures.keys().filter_map(stem).collect()
    }

    /// What is known of an event's input, if it has one.
    fn event_named(&mut self, name: &Spanned<String>, parts: &Parts) -> Option<Option<Kind>> {
        let known = self.event_names();
        self.lookup("event", name, &known)?;
        // Of one that cannot be read enough has been said.
        let Some(event) = parts.events.iter().find(|event| *event.name == *name.value) else {
            return Some(Some(Kind::Any));
        };
        Some(event.input.as_ref().map(|input| parameters_kind(Place::Body, input, "")))
    }

    fn check_together(&mut self, at: &Spanned<String>, first: &Trigger, found: &Trigger, before: &[Trigger]) {
        let (message, help) = match (first, found) {
            _ if before.contains(found) => ("this makes it go out already".to_owned(), "take one out"),
            (Trigger::Event(_), Trigger::Event(_)) => return,
            (Trigger::Effect(_, one), Trigger::Effect(_, other)) if one == other => return,
            (Trigger::Effect(_, one), Trigger::Effect(..)) => {
                let one = &self.resources[one.0].name;
                (format!("this webhook is about records of `{one}`"), "write a webhook for each resource")
            }
            _ => (
                "effects and events do not make the same webhook go out".to_owned(),
                "write a webhook for each of the two: with effects the record is in scope, with events their `input`",
            ),
        };
        self.report(Diagnostic::error(Code::ValueWrong, at.at.clone(), message).help(help));
    }

    /// `Some(None)` where there is none.
    fn webhook_each(&mut self, source: &WebhookSource, names: &mut Names) -> Option<Option<(ExprId, Arc<str>)>> {
        let (each, name) = match (&source.each, &source.name) {
            (None, None) => return Some(None),
            (None, Some(name)) => {
                let message = "`as` names the items of `each`, and there is none";
                let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message);
                self.report(diagnostic.help("take it out, or say with `each` for what list of things it goes out"));
                names.bind(&name.value, Kind::Any);
                return None;
            }
            (Some(each), None) => {
                let message = "the items of `each` have no name";
                let diagnostic = Diagnostic::error(Code::KeyMissing, each.at(), message);
                self.report(diagnostic.help("give them one with `as`"));
                names.open();
                return None;
            }
            (Some(each), Some(name)) => (each, name),
        };
        let found = self.expression(each, names);
        let kind = match found.as_ref().map(|(_, kind)| kind) {
            Some(Kind::List(item)) => (**item).clone(),
            None | Some(Kind::Any) => Kind::Any,
            Some(other) => {
                self.error(Code::ExprKinds, &each.at(), format!("`each` goes over a list, not {other}"));
                Kind::Any
            }
        };
        self.bind_new(&name.value, &name.at, kind, names);
        found.map(|(id, _)| Some((id, name.value.as_str().into())))
    }

    /// Binds a name that hides no other.
    fn bind_new(&mut self, name: &str, at: &Location, kind: Kind, names: &mut Names) {
        self.check_hides(name, at, names);
        if names.get(name).is_none() {
            names.bind(name, kind);
        }
    }

    /// A name that would hide another.
    fn check_hides(&mut self, name: &str, at: &Location, names: &Names) {
        if names.get(name).is_none() && !OWN.contains(&name) {
            return;
        }
        let message = format!("`{name}` means something else in this webhook");
        let diagnostic = Diagnostic::error(Code::NameDuplicate, at.clone(), message);
        self.report(diagnostic.help("give it another name"));
    }

    /// The receiver's URL: an expression, or the URL itself.
    fn receiver(&mut self, to: &Template, names: &Names) -> Option<ExprId> {
        if let Template::Literal(literal) = to
            && let Some(text) = literal.value.as_str()
        {
            if !is_url(text) {
                let message = format!("`{text}` is not a URL");
                let meant = reads(text, names).then(|| format!("= {text}"));
                let help = "write it like `http://127.0.0.1:9000/hook`; an expression begins with `=`";
                self.report(Diagnostic::error(Code::ValueWrong, literal.at.clone(), message).suggest(meant).help(help));
                return None;
            }
            if has_credentials(text) {
                let message = "this URL has a user name or a password in it";
                let help = "such a URL is never called: take the credentials out";
                self.report(Diagnostic::error(Code::ValueWrong, literal.at.clone(), message).help(help));
                return None;
            }
            return Some(self.expressions.expression(&Value::from(text).to_string()));
        }
        let (id, kind) = self.expression(to, names)?;
        if !matches!(kind, Kind::Any | Kind::String | Kind::Null) {
            self.error(Code::ExprKinds, &to.at(), format!("`to` is a URL as text, not {kind}"));
        }
        Some(id)
    }

    fn signature(&mut self, sign: &SignSource, source: &WebhookSource, names: &Names) -> Option<Signature> {
        let header = sign.header.as_ref().and_then(|header| self.sign_header(header, source));
        let key = sign.key.as_ref().and_then(|key| self.text_of("key", key, names));
        let names = names.with("payload", Kind::String);
        let input = sign.input.as_ref().map(|input| self.text_of("input", input, &names));
        let names = names.with("signature", Kind::String);
        let value = sign.value.as_ref().map(|value| {
            let found = self.text_of("value", value, &names)?;
            let shown = value.expressions().iter().any(|(text, _)| expr::mentioned(text).contains("signature"));
            if !shown {
                let message = "this header does not show the `signature`";
                let help = "name it: `= \"v1,\" ~ signature`; or leave `value` out, and it is the signature alone";
                self.report(Diagnostic::error(Code::ValueWrong, value.at(), message).help(help));
            }
            Some(found)
        });
        Some(Signature {
            header: header?,
            algorithm: sign.algorithm?,
            key: key?,
            key_encoding: sign.key_encoding,
            input: match input {
                Some(input) => Some(input?),
                None => None,
            },
            encoding: sign.encoding?,
            value: match value {
                Some(value) => Some(value?),
                None => None,
            },
        })
    }

    fn sign_header(&mut self, header: &Spanned<String>, source: &WebhookSource) -> Option<HeaderName> {
        let twin = source.headers.iter().find(|(key, _)| key.name.eq_ignore_ascii_case(&header.value));
        if let Some((twin, _)) = twin {
            let message = format!("`{}` stands under `headers`, too", header.value);
            let diagnostic = Diagnostic::error(Code::NameDuplicate, header.at.clone(), message);
            self.report(diagnostic.related(twin.at.clone(), "here").help("take it out there: the signature sets it"));
        }
        if let Some((message, _)) = own_header(&header.value).or_else(|| of_the_url(&header.value)) {
            let diagnostic = Diagnostic::error(Code::ValueWrong, header.at.clone(), message);
            self.report(diagnostic.help("give it another name"));
            return None;
        }
        let name = HeaderName::try_from(header.value.as_str()).ok();
        if name.is_none() {
            self.error(Code::ValueWrong, &header.at, format!("`{}` is not the name of a header", header.value));
        }
        name
    }

    /// An expression that gives a text.
    fn text_of(&mut self, what: &str, template: &Template, names: &Names) -> Option<ExprId> {
        let (id, kind) = self.expression(template, names)?;
        if !matches!(kind, Kind::Any | Kind::String) {
            self.error(Code::ExprKinds, &template.at(), format!("`{what}` is a text, not {kind}"));
        }
        Some(id)
    }

    fn retries(&mut self, source: &[Spanned<String>]) -> Vec<Span> {
        if let Some(first) = source.get(MOST_RETRIES) {
            let message = format!("there are at most {MOST_RETRIES} retries, and this is one more");
            self.report(Diagnostic::error(Code::ValueWrong, first.at.clone(), message).help("take the rest out"));
            return Vec::new();
        }
        source.iter().filter_map(|retry| self.span("retries", retry)).collect()
    }

    fn timeout(&mut self, source: Option<&Spanned<String>>) -> Option<Duration> {
        let Some(text) = source else { return Some(USUAL_TIMEOUT) };
        let span = self.span("timeout", text)?;
        let timeout = Duration::from_micros(u64::try_from(span.micros()).unwrap_or(u64::MAX));
        if timeout > LONGEST_TIMEOUT {
            let message = format!("an attempt takes at most {} seconds", LONGEST_TIMEOUT.as_secs());
            let help = "the time is real: who moves the clock waits for it";
            self.report(Diagnostic::error(Code::ValueWrong, text.at.clone(), message).help(help));
            return None;
        }
        Some(timeout)
    }

    /// Names that nothing of the webhook looks at.
    fn check_unused(&mut self, source: &WebhookSource) {
        let body =
            source.body.iter().flat_map(|body| body.whole.iter().chain(body.show.iter().map(|(_, shown)| shown)));
        let sign = source.sign.iter().flat_map(|sign| [&sign.key, &sign.input, &sign.value]).flatten();
        let rest = source.headers.iter().map(|(_, header)| header).chain(source.when.iter()).chain(source.to.iter());
        let rest: Vec<&Template> = rest.chain(body).chain(sign).collect();
        let mentioned = |templates: &mut dyn Iterator<Item = &Template>| -> BTreeSet<String> {
            templates.flat_map(Template::expressions).flat_map(|(text, _)| expr::mentioned(text)).collect()
        };
        let named = source.name.iter().map(|name| (0, &name.value, &name.at));
        let with = source.with.iter().enumerate().map(|(index, (key, _))| (index + 1, &key.name, &key.at));
        let mut unused = Vec::new();
        for (from, name, at) in named.chain(with) {
            let later = source.with[from..].iter().map(|(_, template)| template);
            if !mentioned(&mut later.chain(rest.iter().copied())).contains(name) {
                unused.push((format!("nothing of this webhook looks at `{name}`"), at.clone()));
            }
        }
        for (message, at) in unused {
            let help = "take it out, or look at it";
            self.report(Diagnostic::error(Code::NameUnused, at, message).help(help));
        }
    }

    /// A webhook on what no operation and no event does would never go out.
    fn check_happens(&mut self, source: &WebhookSource, on: &[Trigger], parts: &Parts) {
        if self.failed() || parts.incomplete {
            return;
        }
        let of_operations = parts.operations.iter().flat_map(|operation| &operation.effects);
        let of_events = parts.events.iter().flat_map(|event| &event.effects);
        let done: Vec<Trigger> =
            of_operations.chain(of_events).map(|effect| Trigger::Effect(effect.verb, effect.resource)).collect();
        let happens = |trigger: &Trigger| match trigger {
            Trigger::Event(_) => true,
            Trigger::Effect(verb, resource) => {
                // Records go with their owner.
                let mut way: Vec<ResourceId> = vec![*resource];
                while let Some(owner) = way.last().and_then(|last| self.resources[last.0].owner)
                    && *verb == Verb::Delete
                    && !way.contains(&owner.resource)
                {
                    way.push(owner.resource);
                }
                way.iter().any(|resource| done.contains(&Trigger::Effect(*verb, *resource)))
            }
        };
        let idle: Vec<&TriggerSource> = source
            .on
            .iter()
            .flatten()
            .zip(on)
            .filter(|(_, trigger)| !happens(trigger))
            .map(|(source, _)| source)
            .collect();
        for trigger in idle {
            let does = match trigger.verb {
                Some(EffectVerb::Create) => "creates",
                Some(EffectVerb::Update) => "updates",
                _ => "deletes",
            };
            let message = format!("no operation and no event {does} records of `{}`", trigger.target.value);
            let diagnostic = Diagnostic::error(Code::NeverUsed, trigger.target.at.clone(), message);
            self.report(diagnostic.help("take it out, or name what happens"));
        }
    }
}

/// A delivery, of which so much is known.
fn delivery(fields: &[(&str, Kind)]) -> Kind {
    Kind::object("the delivery", fields.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect())
}

/// Whom a request is for is said by its URL, and by no header of the pack.
fn of_the_url(name: &str) -> Option<(String, &'static str)> {
    let message = || (format!("`{name}` is what the URL in `to` says"), "leave it out");
    name.eq_ignore_ascii_case("host").then(message)
}

fn is_url(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty())
    })
}

fn has_credentials(url: &str) -> bool {
    let url = url.parse::<Uri>().ok();
    url.as_ref().and_then(Uri::authority).is_some_and(|authority| authority.as_str().contains('@'))
}

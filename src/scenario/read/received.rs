//! `received`: what must have arrived at a receiver.

use std::sync::Arc;

use super::Story;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, nearest, there_are};
use crate::pack::source::{Fields, Node};
use crate::scenario::Sent;

impl Story<'_, '_> {
    pub(super) fn received(&mut self, fields: &mut Fields<'_>, scope: &Scope) -> Vec<Sent> {
        fields.list("received").iter().filter_map(|node| self.sent(node, scope)).collect()
    }

    fn sent(&mut self, node: &Node, scope: &Scope) -> Option<Sent> {
        let mut fields = Fields::of(node, "an item of `received`", &mut self.reader.diagnostics)?;
        let names = scope.with_call();
        let pack = self.step_pack(&mut fields, scope);
        let at = fields.required_text("at", &mut self.reader.diagnostics);
        let count = self.counted(&mut fields);
        let webhook = fields.text("webhook", &mut self.reader.diagnostics);
        let webhook = webhook.zip(pack).and_then(|(name, pack)| Some((pack, self.webhook_named(pack, &name)?)));
        let status = self.statuses(&mut fields, &names);
        let headers = self.headers("headers", &mut fields, &names);
        let body = self.contents(&mut fields, pack, &[], webhook.map(|(_, webhook)| webhook), &names);
        let that = self.conditions(&mut fields, &names);
        let key = fields.entry("signed-with");
        self.agree(&body, node);
        let signed = key.and_then(|(key, node)| {
            let (value, _) = self.value(node, &names)?;
            let pack = self.reader.pack(pack?);
            let mut webhooks = pack.webhooks.iter().enumerate();
            let signs = webhooks.any(|(index, signing)| {
                webhook.is_none_or(|(_, webhook)| webhook == index) && signing.signature.is_some()
            });
            if !signs {
                let message = match webhook {
                    Some((_, webhook)) => format!("the webhook `{}` signs nothing", pack.webhooks[webhook].name),
                    None => format!("no webhook of `{}` signs anything", pack.name),
                };
                let diagnostic = Diagnostic::error(Code::ValueWrong, key.at.clone(), message);
                self.reader.report(diagnostic.help("take it out"));
            }
            signs.then_some(value)
        });
        fields.finish(&mut self.reader.diagnostics);
        let at = at?;
        if !scope.receivers.contains_key(&at.value) {
            let known = || scope.receivers.keys().map(String::as_str);
            let later = self.receivers.iter().find(|(name, _)| *name == at.value).map(|(_, place)| place.clone());
            let message = match later {
                Some(_) => format!("the receiver `{}` does not listen yet", at.value),
                None => format!("there is no receiver `{}`", at.value),
            };
            let diagnostic = Diagnostic::error(Code::NameUnknown, at.at, message);
            self.reader.report(match later {
                Some(place) => diagnostic.related(place, "it begins here").help("move that step before this one"),
                None if scope.receivers.is_empty() => {
                    diagnostic.help(format!("a step makes it: `- receive: {}`", at.value))
                }
                None => diagnostic.suggest(nearest(&at.value, known())).help(there_are(known())),
            });
            return None;
        }
        let webhook = webhook.map(|(pack, webhook)| (pack, Arc::clone(&self.reader.pack(pack).webhooks[webhook].name)));
        Some(Sent { at: at.value.into(), count, webhook, status, headers, body, signed, that })
    }
}

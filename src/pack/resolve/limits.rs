//! `limits`: how often an API may be called, where its documentation says so.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, nearest, there_are};
use crate::pack::source::{LimitSource, Manifest, NodeKind, Spanned};
use crate::pack::{Family, PackLimit, Policy, Provenance};

impl Resolver<'_> {
    pub(super) fn limits(&mut self, manifest: &Manifest) -> Vec<PackLimit> {
        let mut limits: Vec<PackLimit> = Vec::new();
        for source in &manifest.limits {
            let Some(limit) = self.limit(source) else { continue };
            if let Some(first) = limits.iter().find(|known| known.policy.name == limit.policy.name) {
                let message = format!("two limits are called `{}`", limit.policy.name);
                let diagnostic = Diagnostic::error(Code::NameDuplicate, limit.at.clone(), message)
                    .related(first.at.clone(), "the first")
                    .help("give each a `name` of its own: callers read it in `RateLimit`");
                self.report(diagnostic);
            } else if let Some(first) = limits.first().filter(|known| known.policy.headers != limit.policy.headers) {
                let message = "the limits of a pack are told in the same headers";
                let diagnostic = Diagnostic::error(Code::ValueWrong, limit.at.clone(), message)
                    .related(first.at.clone(), format!("this one is told as `{}`", first.policy.headers.name()))
                    .help("give all of them the same `headers`");
                self.report(diagnostic);
            }
            limits.push(limit);
        }
        limits
    }

    fn limit(&mut self, source: &LimitSource) -> Option<PackLimit> {
        self.said_twice(source.docs.as_ref(), source.assumed.as_ref());
        let provenance = match (&source.docs, &source.assumed) {
            (_, Some(reason)) => Provenance::Assumed(reason.value.as_str().into()),
            (Some(docs), None) => Provenance::Documented(Some(docs.value.as_str().into())),
            (None, None) => {
                let message = "nothing says where this limit comes from";
                let diagnostic = Diagnostic::error(Code::ProvenanceMissing, source.at.clone(), message);
                self.report(diagnostic.help("name the place with `docs`, or give a reason with `assumed`"));
                Provenance::Documented(None)
            }
        };
        let quota = source.quota.as_ref().and_then(|node| {
            let number = match &node.kind {
                NodeKind::Number(number) => number.as_u64(),
                _ => None,
            };
            let read = Policy::read_quota(number);
            read.map_err(|why| self.error(Code::ValueWrong, &node.at, format!("a quota: {why}"))).ok()
        });
        let window = self.limited(source.window.as_ref(), "a window", Policy::read_window);
        let name = match &source.name {
            None => Some(Policy::UNNAMED.into()),
            name => self.limited(name.as_ref(), "the name of a limit", Policy::read_name),
        };
        let headers = match &source.headers {
            None => Some(Family::default()),
            Some(word) => self.family(word),
        };
        let policy = Policy { name: name?, quota: quota?, window: window?, headers: headers? };
        Some(PackLimit { policy, provenance, at: source.at.clone() })
    }

    fn limited<T>(
        &mut self,
        text: Option<&Spanned<String>>,
        what: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = text?;
        read(&text.value).map_err(|why| self.error(Code::ValueWrong, &text.at, format!("{what}: {why}"))).ok()
    }

    fn family(&mut self, word: &Spanned<String>) -> Option<Family> {
        let found = Family::named(&word.value);
        if found.is_none() {
            let names = Family::ALL.map(Family::name);
            let message = format!("there are no headers `{}` for a limit", word.value);
            let diagnostic = Diagnostic::error(Code::NameUnknown, word.at.clone(), message);
            self.report(diagnostic.suggest(nearest(&word.value, names)).help(there_are(names)));
        }
        found
    }
}

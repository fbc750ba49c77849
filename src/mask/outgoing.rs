//! What must not be read of webhooks: of what is sent, of where it goes, and of what receivers say.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use percent_encoding::percent_decode_str;

use super::{MASK, Mask, Texts};
use crate::exchange::{Outcome, Outgoing};
use crate::journal::Face;
use crate::sandbox::outbox::Delivery;

impl Mask {
    /// For a delivery with all its attempts.
    pub(crate) fn of_delivery(face: &Face, delivery: &Delivery) -> Self {
        let media = (!delivery.media.is_empty()).then(|| HeaderValue::from_static(delivery.media));
        Mask::with_texts(face, |mask, texts| {
            if let Some(to) = &delivery.to {
                mask.url_texts(to, texts);
            }
            mask.body_texts(&delivery.body, media.as_ref(), texts);
            for attempt in &delivery.attempts {
                mask.attempt_texts(&attempt.sent, attempt.outcome.as_ref().map(|(outcome, _)| &**outcome), texts);
            }
        })
    }

    /// For one attempt, as far as something has come of it.
    pub(crate) fn of_attempt(face: &Face, sent: &Outgoing, outcome: Option<&Outcome>) -> Self {
        Mask::with_texts(face, |mask, texts| mask.attempt_texts(sent, outcome, texts))
    }

    fn with_texts(face: &Face, find: impl FnOnce(&Mask, &mut Texts)) -> Self {
        let mut mask = Mask::of_pack(face);
        let mut texts = Texts::default();
        find(&mask, &mut texts);
        let mut found = texts.longest_first();
        found.retain(|text| !mask.secret_name(text));
        mask.texts = found;
        mask
    }

    fn attempt_texts(&self, sent: &Outgoing, outcome: Option<&Outcome>, texts: &mut Texts) {
        self.url_texts(&sent.url, texts);
        self.message_texts(&sent.headers, &sent.body, texts);
        if let Some(Outcome::Answered(answered)) = outcome {
            self.message_texts(&answered.headers, &answered.body, texts);
        }
    }

    fn message_texts(&self, headers: &HeaderMap, body: &[u8], texts: &mut Texts) {
        for (name, value) in headers.iter().filter(|(name, _)| self.headers.contains(name)) {
            texts.credential(name, &String::from_utf8_lossy(value.as_bytes()));
        }
        self.body_texts(body, headers.get(CONTENT_TYPE), texts);
    }

    fn url_texts(&self, url: &str, texts: &mut Texts) {
        let Parts { user, query, .. } = Parts::of(url);
        if let Some(password) = user.and_then(|user| user.split_once(':')).map(|(_, password)| password) {
            texts.add(password);
            texts.add(&percent_decode_str(password).decode_utf8_lossy());
        }
        if let Some(query) = query {
            self.pairs(query, texts);
        }
    }

    /// Where a webhook goes. Whoever stands before the host is masked: that is a name with its password.
    pub(crate) fn url<'u>(&self, url: &'u str) -> Cow<'u, str> {
        if !self.hides() {
            return Cow::Borrowed(url);
        }
        let Parts { scheme, user, place, query, fragment } = Parts::of(url);
        let mut shown = scheme.to_owned();
        if user.is_some() {
            shown.push_str(MASK);
            shown.push('@');
        }
        shown.push_str(&self.path(place));
        if let Some(query) = query {
            shown.push('?');
            shown.push_str(&self.query(query));
        }
        if let Some(fragment) = fragment {
            shown.push('#');
            shown.push_str(&self.query(fragment));
        }
        Cow::Owned(shown)
    }

    /// The same without query and fragment, for the request log.
    pub(crate) fn url_place(&self, url: &str) -> String {
        let url = self.url(url);
        url.split(['?', '#']).next().unwrap_or_default().to_owned()
    }

    /// Whether anything is to be masked: the headers of credentials always are.
    fn hides(&self) -> bool {
        !self.headers.is_empty()
    }
}

/// The parts of what should be a URL.
struct Parts<'u> {
    /// With what stands before the host.
    scheme: &'u str,
    user: Option<&'u str>,
    /// Host, port and path.
    place: &'u str,
    query: Option<&'u str>,
    fragment: Option<&'u str>,
}

impl<'u> Parts<'u> {
    fn of(url: &'u str) -> Self {
        let cut = |text: &'u str, at: char| text.split_once(at).map_or((text, None), |(text, rest)| (text, Some(rest)));
        let (rest, fragment) = cut(url, '#');
        let (rest, query) = cut(rest, '?');
        let named = rest.find(':').filter(|end| rest[..*end].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let start = named.map_or(0, |end| end + 1);
        let slashes = rest[start..].bytes().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
        // One without a scheme begins a path.
        let host = if named.is_none() && slashes == 1 { 0 } else { start + slashes };
        let (scheme, rest) = rest.split_at(host);
        let end = rest.find(['/', '\\']).unwrap_or(rest.len());
        match rest[..end].rfind('@') {
            Some(at) => Parts { scheme, user: Some(&rest[..at]), place: &rest[at + 1..], query, fragment },
            None => Parts { scheme, user: None, place: rest, query, fragment },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::mask;
    use super::*;

    #[test]
    fn a_url_is_masked_in_all_its_parts() {
        let mask = mask(&["hidden-token"]);
        for (url, shown) in [
            ("http://localhost:9/hook", "http://localhost:9/hook"),
            ("http://localhost:9/hook?key=1&a=b#key=2", "http://localhost:9/hook?key=•••&a=b#key=•••"),
            ("http://localhost/hidden-token/x?a=hidden-token", "http://localhost/•••/x?a=•••"),
            ("https://me:pass@localhost/@me", "https://•••@localhost/@me"),
            ("https://me:p@ss@localhost", "https://•••@localhost"),
            ("https:\\\\me:pass@localhost\\x", "https:\\\\•••@localhost\\x"),
            ("//me:pass@localhost/x", "//•••@localhost/x"),
            ("me:pass@localhost/x", "me:•••@localhost/x"),
            ("/@me?a@b", "/@me?a@b"),
            ("no URL at all", "no URL at all"),
            ("", ""),
        ] {
            assert_eq!(mask.url(url), shown, "{url}");
            assert_eq!(Mask::default().url(url), url);
        }
        assert_eq!(mask.url_place("http://a:b@localhost:9/hook?a=b#c"), "http://•••@localhost:9/hook");
    }
}

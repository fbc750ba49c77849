//! What must not be read where something is shown: by the place where it stands, and by its text wherever it comes
//! again.
//!
//! Places are those of the pack's schemes, fields that are `secret`, and headers that hold credentials whatever the
//! pack says. What stood there in an exchange is then looked for in all of it: in paths, headers and traces. Start with
//! [`Mask::of_exchange`].

mod outgoing;
mod patch;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, PROXY_AUTHORIZATION, SET_COOKIE};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json, json};

use crate::exchange::{Outgoing, Request, Response};
use crate::journal::{Face, Note};
use crate::pack::{is_one_of, secrets_in_path};

/// Whether credentials and fields of type `secret` can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    Masked,
    Shown,
}

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "•••";

/// Headers of credentials in every API. A client may send a real one to the wrong server.
const ALWAYS: [HeaderName; 4] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE];

/// The least characters that a text has which is looked for everywhere: shorter ones are words of other texts, too.
const LEAST: usize = 8;

/// The path of a request for the request log. Where it leads to no pack, what is secret in any of them is masked.
pub(crate) fn path_shown<'r>(faces: &[&Face], request: &'r Request, response: &Response) -> Cow<'r, str> {
    Mask::of_exchange(faces, request, response, &[]).path(&request.path)
}

/// Where an attempt went, for the request log: without query and fragment, which may hold a credential.
pub(crate) fn url_shown(face: &Face, sent: &Outgoing) -> String {
    Mask::of_attempt(face, sent, None).url_place(&sent.url)
}

/// What must not be read, of one pack and one entry.
#[derive(Debug, Default, Clone)]
pub(crate) struct Mask {
    headers: Vec<HeaderName>,
    query: Vec<String>,
    /// Of members and of pairs in queries and forms, in small letters: APIs write one name in several cases.
    members: Arc<[String]>,
    /// The same in what is sent: those, and more.
    sent: Arc<[String]>,
    /// Secrets that are known, the longest first: one may be part of another.
    texts: Vec<String>,
}

impl Mask {
    fn of_pack(face: &Face) -> Self {
        let headers = ALWAYS.iter().chain(&face.headers).cloned().collect();
        let (members, sent) = (Arc::clone(&face.secrets), Arc::clone(&face.sent_secrets));
        Mask { headers, query: face.query.clone(), members, sent, texts: Vec::new() }
    }

    /// What is secret in any of several packs.
    fn of_packs(faces: &[&Face]) -> Self {
        let mut masks = faces.iter().map(|face| Mask::of_pack(face));
        let Some(first) = masks.next() else { return Mask { headers: ALWAYS.to_vec(), ..Mask::default() } };
        masks.fold(first, |mut all, other| {
            all.headers.extend(other.headers);
            all.query.extend(other.query);
            all.members = all.members.iter().chain(&*other.members).cloned().collect();
            all.sent = all.sent.iter().chain(&*other.sent).cloned().collect();
            all
        })
    }

    /// For a request and its answer, with every secret that stands in a place of secrets there. The pack is the one that
    /// answered; where none did, there are all that might have been meant.
    pub(crate) fn of_exchange(faces: &[&Face], request: &Request, response: &Response, changes: &[Note]) -> Self {
        let mut mask = Mask::of_packs(faces);
        mask.texts = mask.known_texts(faces, request, response, changes);
        mask.spellings(request);
        mask
    }

    /// What stands in a place of secrets, the longest first.
    fn known_texts(&self, faces: &[&Face], request: &Request, response: &Response, changes: &[Note]) -> Vec<String> {
        let sent = self.for_what_is_sent();
        let mut texts = Texts::default();
        for (name, value) in request.headers.iter().chain(response.headers.iter()) {
            if self.headers.contains(name) {
                texts.credential(name, &String::from_utf8_lossy(value.as_bytes()));
            }
        }
        if let Some(query) = &request.query {
            self.pairs(query, &mut texts);
        }
        for part in faces.iter().flat_map(|face| secrets_in_path(face, &request.path)) {
            texts.add(&percent_decode_str(part).decode_utf8_lossy());
            texts.add(part);
        }
        // An id that is secret is often told in another form, as a part of a link.
        for change in changes {
            if faces.iter().any(|face| face.secret_ids.contains(&change.resource)) {
                texts.add(&change.id);
            }
        }
        sent.body_texts(request.body.bytes(), request.headers.get(CONTENT_TYPE), &mut texts);
        self.body_texts(&response.body, response.headers.get(&CONTENT_TYPE), &mut texts);
        let mut found = texts.longest_first();
        // Documentation writes the name of a field where its value would be; the name itself tells nothing.
        found.retain(|text| !sent.secret_name(text));
        found
    }

    /// The mask for the body of a request, in which more is secret.
    fn for_what_is_sent(&self) -> Cow<'_, Self> {
        match self.sent.len() == self.members.len() {
            true => Cow::Borrowed(self),
            false => Cow::Owned(Mask { members: Arc::clone(&self.sent), ..self.clone() }),
        }
    }

    /// The body of a request, as [`Mask::body`] shows one.
    pub(crate) fn sent_body(&self, body: &Bytes, media: Option<&HeaderValue>) -> Json {
        self.for_what_is_sent().body(body, media)
    }

    /// Adds the encodings in which path and query have known secrets: a trace or a near miss may quote them so.
    fn spellings(&mut self, request: &Request) {
        if self.texts.is_empty() {
            return;
        }
        let query = request.query.as_deref().unwrap_or_default();
        let parts = request.path.split('/').chain(query.split(['&', '='])).chain([request.path.as_str()]);
        let hidden = parts.filter(|part| matches!(self.encoded(part), Cow::Borrowed(MASK)));
        let mut hidden: Vec<String> = hidden.map(str::to_owned).collect();
        self.texts.append(&mut hidden);
        self.texts.sort_by_key(|text| Reverse(text.len()));
    }

    /// For what a call of the control plane says about records.
    pub(crate) fn of_value(face: &Face, value: &Json) -> Self {
        let mut mask = Mask::of_pack(face);
        let mut texts = Texts::default();
        texts.members(value, &mask.members);
        mask.texts = texts.longest_first();
        mask
    }

    /// Secrets that stand somewhere in what it is for, the longest first.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Whether a member or pair of this name is secret, in whatever case an API writes it.
    pub(crate) fn member(&self, name: &str) -> bool {
        is_one_of(&self.members, name)
    }

    /// The same of what is sent.
    pub(crate) fn sent_member(&self, name: &str) -> bool {
        is_one_of(&self.sent, name)
    }

    /// Whether a header holds a credential.
    pub(crate) fn header(&self, name: &HeaderName) -> bool {
        self.headers.contains(name)
    }

    fn secret_name(&self, name: &str) -> bool {
        self.query.iter().any(|secret| secret == name) || self.member(name)
    }

    /// The secrets among the pairs of a query or a form, decoded and as they stand there.
    fn pairs(&self, text: &str, out: &mut Texts) {
        for pair in text.split('&') {
            if let Some((name, value)) = decoded_pair(pair)
                && self.secret_name(&name)
            {
                out.add(&value);
                out.add(pair.split_once('=').map_or("", |(_, raw)| raw));
            }
        }
    }

    fn body_texts(&self, bytes: &[u8], media: Option<&HeaderValue>, out: &mut Texts) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if is_form(media) {
            self.pairs(text, out);
        } else if self.may_name_a_secret(text)
            && let Ok(value) = serde_json::from_str::<Json>(text)
        {
            out.members(&value, &self.members);
        }
    }

    /// Whether the name of a secret field stands in a text, perhaps written with escapes.
    fn may_name_a_secret(&self, text: &str) -> bool {
        let contains = |text: &str| self.members.iter().any(|secret| text.contains(secret.as_str()));
        !self.members.is_empty() && (text.contains("\\u") || contains(&text.to_ascii_lowercase()))
    }

    /// Takes known secrets out of a text.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut shown = Cow::Borrowed(text);
        for secret in &self.texts {
            if shown.contains(secret.as_str()) {
                shown = Cow::Owned(shown.replace(secret.as_str(), MASK));
            }
        }
        shown
    }

    /// Takes known secrets out of one part of a path or a query, however it is encoded.
    fn encoded<'t>(&self, part: &'t str) -> Cow<'t, str> {
        let shown = self.text(part);
        if !part.contains(['%', '+']) {
            return shown;
        }
        let hidden = |decoded: &str| self.texts.iter().any(|secret| decoded.contains(secret.as_str()));
        let plain = percent_decode_str(&shown).decode_utf8_lossy().into_owned();
        let spaced = percent_decode_str(&shown.replace('+', " ")).decode_utf8_lossy().into_owned();
        if hidden(&plain) || hidden(&spaced) { Cow::Borrowed(MASK) } else { shown }
    }

    pub(crate) fn path<'t>(&self, path: &'t str) -> Cow<'t, str> {
        if self.texts.is_empty() {
            return Cow::Borrowed(path);
        }
        let parts: Vec<Cow<'_, str>> = path.split('/').map(|part| self.encoded(part)).collect();
        let shown = self.text(&parts.join("/")).into_owned();
        // A secret with a slash in it, which is encoded or not.
        match self.encoded(&shown) {
            Cow::Borrowed(MASK) => Cow::Owned(format!("/{MASK}")),
            _ if shown == path => Cow::Borrowed(path),
            _ => Cow::Owned(shown),
        }
    }

    pub(crate) fn query(&self, query: &str) -> String {
        let shown = query.split('&').map(|pair| match decoded_pair(pair) {
            Some((name, _)) if self.secret_name(&name) => {
                format!("{}={MASK}", pair.split_once('=').map_or(pair, |(name, _)| name))
            }
            _ => self.encoded(pair).into_owned(),
        });
        self.text(&shown.collect::<Vec<_>>().join("&")).into_owned()
    }

    pub(crate) fn headers<'h>(&self, headers: impl IntoIterator<Item = (&'h HeaderName, &'h HeaderValue)>) -> Json {
        let mut shown = Map::new();
        for (name, value) in headers {
            let text = String::from_utf8_lossy(value.as_bytes());
            let text = match self.headers.contains(name) {
                true => masked_credential(&text),
                false if text.contains('%') => {
                    text.split('/').map(|part| self.encoded(part)).collect::<Vec<_>>().join("/")
                }
                false => self.text(&text).into_owned(),
            };
            // A name that comes once has a text, a repeated one a list of them: joined they could mean something else.
            match shown.get_mut(name.as_str()) {
                Some(Json::Array(all)) => all.push(Json::from(text)),
                Some(first) => *first = json!([first.take(), text]),
                None => {
                    shown.insert(name.as_str().to_owned(), Json::from(text));
                }
            }
        }
        Json::Object(shown)
    }

    /// Text as `{text}`, with members that are secret masked where it is JSON or a form; everything else as `{base64}`.
    pub(crate) fn body(&self, body: &Bytes, media: Option<&HeaderValue>) -> Json {
        if body.is_empty() {
            return Json::Null;
        }
        let Ok(text) = std::str::from_utf8(body) else {
            // Nobody would see the secret in there, and everybody could read it.
            let has = |secret: &String| body.windows(secret.len()).any(|part| part == secret.as_bytes());
            return match self.texts.iter().any(has) || self.members.iter().any(has) {
                true => json!({ "text": MASK }),
                false => json!({ "base64": STANDARD.encode(body) }),
            };
        };
        if is_form(media) {
            return json!({ "text": self.query(text) });
        }
        if !self.may_name_a_secret(text) {
            return json!({ "text": self.text(text) });
        }
        match serde_json::from_str::<Json>(text) {
            Ok(mut value) => match self.members(&mut value) {
                true => json!({ "text": self.text(&value.to_string()) }),
                false => json!({ "text": self.text(text) }),
            },
            // What cannot be read cannot be masked in part.
            Err(_) => json!({ "text": MASK }),
        }
    }

    /// A value that the control plane was given, with known secrets taken out of all its texts.
    pub(crate) fn value(&self, value: &mut Json) {
        self.members(value);
        self.texts_within(value);
    }

    /// Takes known secrets out of all texts of a value.
    pub(crate) fn texts_within(&self, value: &mut Json) {
        match value {
            Json::String(text) => {
                if let Cow::Owned(shown) = self.text(text) {
                    *text = shown;
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.texts_within(item)),
            Json::Object(object) => object.values_mut().for_each(|item| self.texts_within(item)),
            _ => {}
        }
    }

    /// Masks members by name, wherever they stand. Says whether there were any.
    fn members(&self, value: &mut Json) -> bool {
        match value {
            Json::Object(object) => {
                let mut masked = false;
                for (key, value) in object {
                    if self.member(key) && !value.is_null() {
                        *value = Json::from(MASK);
                        masked = true;
                    } else {
                        masked |= self.members(value);
                    }
                }
                masked
            }
            Json::Array(items) => {
                let mut masked = false;
                for item in items {
                    masked |= self.members(item);
                }
                masked
            }
            _ => false,
        }
    }
}

pub(crate) fn is_form(media: Option<&HeaderValue>) -> bool {
    let media = media.and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn decoded_pair(pair: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(pair.as_bytes()).next()
}

/// The scheme's word says something and gives nothing away; anything else in its place may be the secret itself.
fn masked_credential(text: &str) -> String {
    match text.split_once(' ') {
        Some((scheme, _)) if ["bearer", "basic", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            format!("{scheme} {MASK}")
        }
        _ => MASK.to_owned(),
    }
}

/// Secrets as they are found.
#[derive(Default)]
struct Texts(BTreeSet<String>);

impl Texts {
    fn add(&mut self, text: &str) {
        if text.chars().count() < LEAST || text == MASK {
            return;
        }
        // As it stands in the text of a JSON body.
        let quoted = Json::from(text).to_string();
        self.0.insert(quoted[1..quoted.len() - 1].to_owned());
        self.0.insert(text.to_owned());
    }

    /// The value of a header that holds a credential: all of it, and the part that a client would use elsewhere.
    fn credential(&mut self, name: &HeaderName, value: &str) {
        self.add(value);
        if *name == COOKIE || *name == SET_COOKIE {
            // Of an answer's cookie the attributes are no secret.
            let most = if *name == SET_COOKIE { 1 } else { usize::MAX };
            for pair in value.split(';').take(most) {
                self.add(pair.split_once('=').map_or(pair, |(_, value)| value).trim().trim_matches('"'));
            }
            return;
        }
        let Some((scheme, rest)) = value.split_once(' ') else { return };
        self.add(rest.trim());
        for part in rest.split([' ', ',', ';']) {
            self.add(part);
        }
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(decoded) = STANDARD.decode(rest.trim())
        {
            let decoded = String::from_utf8_lossy(&decoded);
            self.add(&decoded);
            self.add(decoded.split_once(':').map_or("", |(_, password)| password));
        }
    }

    /// Members by name, wherever they stand, and all that is in them.
    fn members(&mut self, value: &Json, secret: &[String]) {
        match value {
            Json::Object(object) => {
                for (key, value) in object {
                    match secret.iter().any(|secret| secret.eq_ignore_ascii_case(key)) {
                        true => self.leaves(value),
                        false => self.members(value, secret),
                    }
                }
            }
            Json::Array(items) => items.iter().for_each(|item| self.members(item, secret)),
            _ => {}
        }
    }

    fn leaves(&mut self, value: &Json) {
        match value {
            Json::Object(object) => object.values().for_each(|value| self.leaves(value)),
            Json::Array(items) => items.iter().for_each(|item| self.leaves(item)),
            Json::String(text) => self.add(text),
            Json::Number(number) => self.add(&number.to_string()),
            Json::Null | Json::Bool(_) => {}
        }
    }

    fn longest_first(self) -> Vec<String> {
        let mut texts: Vec<String> = self.0.into_iter().collect();
        texts.sort_by_key(|text| Reverse(text.len()));
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn mask(texts: &[&str]) -> Mask {
        let mut found = Texts::default();
        texts.iter().for_each(|text| found.add(text));
        Mask {
            headers: ALWAYS.to_vec(),
            query: vec!["key".to_owned()],
            members: ["pin".to_owned()].into(),
            sent: ["code".to_owned(), "pin".to_owned()].into(),
            texts: found.longest_first(),
        }
    }

    #[test]
    fn a_path_is_masked_however_the_secret_is_written() {
        let mask = mask(&["hidden-token", "hidden-token-2", "with/slash+and space", "short"]);
        for (path, shown) in [
            ("/a/hidden-token/b", "/a/•••/b"),
            ("/a/hidden-token-2", "/a/•••"),
            ("/a/x-hidden-token.json", "/a/x-•••.json"),
            ("/a/%68idden%2Dtoken/b", "/a/•••/b"),
            ("/a/%68idden-token%2Fb/c", "/a/•••/c"),
            ("/a/with/slash+and space", "/a/•••"),
            ("/a/with%2Fslash%2Band%20space/b", "/a/•••/b"),
            ("/a/with/slash%2Band%20space", "/•••"),
            ("/a/short/hidden", "/a/short/hidden"),
            ("/%ff/%zz", "/%ff/%zz"),
        ] {
            assert_eq!(mask.path(path), shown, "{path}");
        }
    }

    #[test]
    fn queries_and_forms_are_masked_by_name_and_by_text() {
        let mask = mask(&["hidden-token"]);
        for (query, shown) in [
            ("key=a&b=c", "key=•••&b=c"),
            ("k%65y=a", "k%65y=•••"),
            ("pin=1&pin=2", "pin=•••&pin=•••"),
            ("a=hidden-token&b", "a=•••&b"),
            ("a=hidden%2Dtoken&b", "•••&b"),
            ("", ""),
        ] {
            assert_eq!(mask.query(query), shown);
        }
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(mask.body(&Bytes::from("a=1&pin=2"), Some(&form)), json!({ "text": "a=1&pin=•••" }));
    }

    #[test]
    fn a_body_is_masked_in_part_where_it_can_be_read_and_as_a_whole_elsewhere() {
        let mask = mask(&["hidden-token"]);
        for (body, shown) in [
            (&b"{\"pin\":1,\"a\":\"hidden-token\"}"[..], json!({ "text": "{\"pin\":\"•••\",\"a\":\"•••\"}" })),
            (b"{\"a\": [{\"pi\\u006e\": {\"b\": 1}}]}", json!({ "text": "{\"a\":[{\"pin\":\"•••\"}]}" })),
            (b"{\"pin\":null, \"a\": 1}", json!({ "text": "{\"pin\":null, \"a\": 1}" })),
            (b"{\"PIN\":1,\"code\":2}", json!({ "text": "{\"PIN\":\"•••\",\"code\":2}" })),
            (b"{\"pin\":12345", json!({ "text": MASK })),
            (b"{\"pi\\u006e\":12345", json!({ "text": MASK })),
            (b"<p>hidden-token</p>", json!({ "text": "<p>•••</p>" })),
            (b"\xff hidden-token", json!({ "text": MASK })),
            (b"\xff pin=1", json!({ "text": MASK })),
            (b"\xff", json!({ "base64": "/w==" })),
        ] {
            assert_eq!(mask.body(&Bytes::from_static(body), None), shown);
        }
        let sent = mask.sent_body(&Bytes::from_static(b"{\"pin\":1,\"Code\":2}"), None);
        assert_eq!(sent, json!({ "text": "{\"pin\":\"•••\",\"Code\":\"•••\"}" }));
    }

    #[test]
    fn credentials_give_the_texts_that_a_client_could_use() {
        let found = |name: HeaderName, value: &str| {
            let mut texts = Texts::default();
            texts.credential(&name, value);
            texts.0.into_iter().collect::<Vec<_>>()
        };
        let basic = format!("Basic {}", STANDARD.encode("somebody:hidden-password"));
        let texts = found(AUTHORIZATION, &basic);
        for text in ["hidden-password", "somebody:hidden-password", &basic, &basic["Basic ".len()..]] {
            assert!(texts.iter().any(|known| known == text), "{text}: {texts:?}");
        }
        assert!(!texts.iter().any(|known| known == "somebody"), "a name is no secret");
        assert_eq!(
            found(COOKIE, "a=12345678; b=\"abcdefgh\""),
            ["12345678", "a=12345678; b=\"abcdefgh\"", "a=12345678; b=\\\"abcdefgh\\\"", "abcdefgh"]
        );
        assert_eq!(found(SET_COOKIE, "a=12345678; Path=/customers").len(), 2);
        assert_eq!(found(AUTHORIZATION, "Bearer ab"), ["Bearer ab"]);
    }
}

//! Secrets that a client made up itself: others stand in their place, everywhere and always the same.
//!
//! What is derived of such a secret comes out otherwise then. So everything is done again with those in its place, and
//! what is told is what came of that.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value as Json, json};

use super::Unrecordable;
use super::known::{From, Known, LEAST_SECRET, scalars};
use super::tell::Untold;
use crate::bundle;
use crate::engine::Rules;
use crate::exchange::{Body, JsonText, Response, spelled};
use crate::journal::{Entry, Exchanged, Face, Happening, Note};
use crate::mask::{MASK, Mask};
use crate::sandbox::{Sandbox, Story};

/// What stands in the place of what, the longest first.
struct Instead {
    all: Vec<(String, String)>,
    /// The same of those that are too short to be looked for, by the entry that says one.
    short: HashMap<u64, Vec<(String, String)>>,
    /// Bodies that cannot be read, by their entries, with what they say instead.
    bodies: HashMap<u64, String>,
}

/// The entries with other secrets in the place of those that clients made up.
pub(super) fn replaced(sandbox: &Sandbox, story: &Story, rules: Rules) -> Result<Vec<Arc<Entry>>, Unrecordable> {
    let mut finder = Finder {
        story,
        known: Known::of(story),
        told: HashSet::new(),
        made: HashSet::new(),
        all: Vec::new(),
        short: HashMap::new(),
        bodies: HashMap::new(),
        untold: Vec::new(),
    };
    story.entries.iter().for_each(|entry| finder.look(entry));
    let Finder { all, short, bodies, untold, .. } = finder;
    if !untold.is_empty() {
        return Err(Unrecordable::Untold(untold));
    }
    if all.is_empty() && short.is_empty() && bodies.is_empty() {
        return Ok(story.entries.clone());
    }
    let instead = Instead { all: spellings(&all), short, bodies };
    let text = String::from_utf8_lossy(&bundle::write_story(sandbox, story, rules)).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let last = lines.len().saturating_sub(1);
    for (line, entry) in lines.iter_mut().take(last).skip(1).zip(&story.entries) {
        *line = instead.line(line, entry.id);
    }
    let text = lines.join("\n") + "\n";
    let strange = |entry: u64, why: String| {
        let why = format!("with another secret in the place of the one that was sent it cannot be done again: {why}");
        Unrecordable::Untold(vec![Untold { entry, why }])
    };
    let bundle = bundle::read(text.as_bytes()).map_err(|why| strange(0, why.to_string()))?;
    let done = bundle::again(bundle, &story.ground.packs).map_err(|(entry, why)| strange(entry, why))?;
    let then = story.entries.iter().zip(done);
    Ok(then.map(|(then, now)| Arc::new(Entry { id: then.id, at: then.at, what: now.what.clone() })).collect())
}

struct Finder<'s> {
    story: &'s Story,
    known: Known,
    /// What answers said.
    told: HashSet<String>,
    /// Records that were made so far.
    made: HashSet<(Arc<str>, String)>,
    all: Vec<(String, String)>,
    short: HashMap<u64, Vec<(String, String)>>,
    bodies: HashMap<u64, String>,
    untold: Vec<Untold>,
}

impl Finder<'_> {
    fn look(&mut self, entry: &Entry) {
        match &entry.what {
            Happening::Exchange(kept) => {
                let exchanged = kept.exchanged();
                self.request(entry.id, &exchanged);
                if let Ok(json) = serde_json::from_slice::<Json>(&exchanged.response.body) {
                    self.tells(&json);
                }
                self.changes(&exchanged.changes);
            }
            Happening::State { pack, body, changes, .. } => {
                self.body(pack, body.as_ref().map(JsonText::read).as_ref(), changes);
                self.changes(changes);
            }
            Happening::Event { pack, input, changes, scheduled, .. } => {
                if scheduled.is_none() {
                    self.body(pack, Some(&input.read()), changes);
                }
                self.changes(changes);
            }
            Happening::Setting { body, .. } => {
                let body = body.as_ref().map(JsonText::read);
                let packs: Vec<Arc<str>> = self.story.ground.packs.iter().map(|pack| Arc::clone(&pack.name)).collect();
                packs.iter().for_each(|pack| self.body(pack, body.as_ref(), &[]));
            }
            _ => {}
        }
    }

    fn changes(&mut self, changes: &[Note]) {
        let made = changes.iter().filter(|note| note.verb == "create");
        self.made.extend(made.map(|note| (Arc::clone(&note.resource), note.id.clone())));
    }

    fn tells(&mut self, json: &Json) {
        for (_, leaf) in scalars(json) {
            let text = spelled(&leaf);
            if let Some((_, tail)) = text.rsplit_once('/') {
                self.told.insert(tail.to_owned());
            }
            self.told.insert(text);
        }
    }

    fn body(&mut self, pack: &str, body: Option<&Json>, changes: &[Note]) {
        let face = self.story.ground.packs.iter().find(|known| *known.name == *pack).map(|pack| Arc::clone(&pack.face));
        let Some((face, body)) = face.zip(body) else { return };
        let mask = Mask::of_value(&face, body);
        for text in mask.texts() {
            if !mask.member(text) && !self.is_known(text, changes) {
                self.add(text.clone());
            }
        }
    }

    fn request(&mut self, entry: u64, exchanged: &Exchanged) {
        let packs = &self.story.ground.packs;
        let faces: Vec<Arc<Face>> = match &exchanged.pack {
            Some(face) => vec![Arc::clone(face)],
            None => packs.iter().map(|pack| Arc::clone(&pack.face)).collect(),
        };
        let faces: Vec<&Face> = faces.iter().map(|face| &**face).collect();
        let request = &exchanged.request;
        let mask = Mask::of_exchange(&faces, request, &Response::new(StatusCode::OK), &[]);
        let texts = mask.texts();
        for text in texts {
            // Of what is written in two ways, the plain one counts; of what holds another secret, that one.
            let is_whole =
                |other: &String| other != text && (text.contains(other.as_str()) || is_spelling(text, other));
            if texts.iter().any(is_whole) || self.is_known(text, &exchanged.changes) {
                continue;
            }
            // A name and a password, and the two together.
            match decoded(text) {
                Some((name, password)) if self.is_known(&format!("{name}:{password}"), &[]) => {}
                Some((_, password)) if self.is_known(&password, &[]) && password.len() >= LEAST_SECRET => {
                    let why = "it is called with a secret that is known, and a name that no credential of the pack has it \
                               with: call with one of the pack's credentials";
                    self.untold.push(Untold { entry, why: why.to_owned() });
                }
                Some((name, password)) => {
                    let other = self.add(password);
                    let both = STANDARD.encode(format!("{name}:{other}"));
                    self.all.push((text.clone(), both));
                }
                None => drop(self.add(text.clone())),
            }
        }
        self.short(entry, exchanged, &faces, &mask);
        self.unreadable(entry, exchanged, &mask);
    }

    /// A body in which secrets cannot be told from what is none, as it is not what it should be: every longer word is another
    /// one then, unless somebody else knows it.
    fn unreadable(&mut self, entry: u64, exchanged: &Exchanged, mask: &Mask) {
        let Body::Whole(bytes) = &exchanged.request.body else { return };
        if mask.sent_body(bytes, exchanged.request.headers.get(CONTENT_TYPE)) != json!({ "text": MASK }) {
            return;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            let why = "its body is no text, and may hold a secret: send it as JSON or as a form";
            self.untold.push(Untold { entry, why: why.to_owned() });
            return;
        };
        let is_part = |c: char| c.is_alphanumeric() || "-_.~+/=".contains(c);
        let mut other = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(is_part) {
            let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |end| start + end);
            let word = &rest[start..end];
            other.push_str(&rest[..start]);
            let is_plain = word.len() < LEAST_SECRET || mask.sent_member(word) || self.is_known(word, &[]);
            other.push_str(&if is_plain { word.to_owned() } else { instead(word, 1) });
            rest = &rest[end..];
        }
        other.push_str(rest);
        if other != text {
            self.bodies.insert(entry, other);
        }
    }

    /// Secrets that are too short to be looked for everywhere, at the places where secrets stand.
    fn short(&mut self, entry: u64, exchanged: &Exchanged, faces: &[&Face], mask: &Mask) {
        let request = &exchanged.request;
        let mut found: Vec<String> = Vec::new();
        let is_form = request.header("content-type").is_some_and(|media| media.contains("form-urlencoded"));
        let query = request.query.as_deref().unwrap_or_default().as_bytes();
        let form = if is_form { request.body.bytes() } else { b"" };
        let names =
            |name: &str| mask.member(name) || faces.iter().any(|face| face.query.iter().any(|known| known == name));
        let pairs = form_urlencoded::parse(query).chain(form_urlencoded::parse(form));
        found.extend(pairs.filter(|(name, _)| names(name)).map(|(_, value)| value.into_owned()));
        for (name, value) in &request.headers {
            if mask.header(name) {
                let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
                found.push(text.split_once(' ').map_or(text.clone(), |(_, rest)| rest.trim().to_owned()));
            }
        }
        if let Body::Whole(bytes) = &request.body
            && let Ok(json) = serde_json::from_slice::<Json>(bytes)
        {
            let secrets = scalars(&json).filter(|(pointer, leaf)| {
                leaf.is_string() && crate::exchange::segments(pointer).iter().any(|name| mask.sent_member(name))
            });
            found.extend(secrets.map(|(_, leaf)| spelled(&leaf)));
        }
        for text in found {
            let is_short = !text.is_empty() && text.chars().count() < LEAST_SECRET;
            if is_short && !names(&text) && !self.is_known(&text, &[]) {
                let other = instead(&text, 1);
                self.short.entry(entry).or_default().push((text, other));
            }
        }
    }

    /// Whether a secret can be used without being written out. `changes` is what the entry did that says it.
    fn is_known(&self, text: &str, changes: &[Note]) -> bool {
        if self.told.contains(text) {
            return true;
        }
        match self.known.source(text).map(|source| (source.entry, &source.from)) {
            // A record that came to be has it: it was there before, or was told to have it now.
            Some((u64::MAX, From::Look { of: Some(record), .. })) => {
                let changed = changes.iter().any(|note| (&note.resource, &note.id) == (&record.0, &record.1));
                !changed && self.made.contains(record)
            }
            Some((_, From::Look { .. })) => true,
            _ => self.is_made_of_known(text),
        }
    }

    /// Whether most of a text is what an answer said, and what is left is too short for a secret.
    fn is_made_of_known(&self, text: &str) -> bool {
        const LEAST: usize = 16;
        let ends = (0..LEAST_SECRET).flat_map(|before| (0..LEAST_SECRET - before).map(move |behind| (before, behind)));
        let mut parts = ends.filter_map(|(before, behind)| text.get(before..text.len().checked_sub(behind)?));
        parts.any(|part| part.len() >= LEAST && self.told.contains(part))
    }

    /// Gives what stands in the place of a secret.
    fn add(&mut self, text: String) -> String {
        if let Some((_, other)) = self.all.iter().find(|(known, _)| *known == text) {
            return other.clone();
        }
        let others = (1..).map(|number| instead(&text, number));
        let is_free = |other: &String| *other != text && self.all.iter().all(|(_, taken)| taken != other);
        // There are as many as there are numbers; a text without letters and digits has none.
        let other =
            others.take(self.all.len() + 2).find(is_free).unwrap_or_else(|| format!("secret-{}", self.all.len() + 1));
        self.all.push((text, other.clone()));
        other
    }
}

impl Instead {
    /// A line of a bundle with other secrets in it.
    fn line(&self, line: &str, entry: u64) -> String {
        let mut line = line.to_owned();
        if let Some(body) = self.bodies.get(&entry)
            && let Ok(mut whole) = serde_json::from_str::<Json>(&line)
        {
            whole["what"]["exchange"]["request"]["body"] = json!({ "text": body });
            line = whole.to_string();
        }
        for (text, other) in &self.all {
            if line.contains(text.as_str()) {
                line = line.replace(text.as_str(), other);
            }
        }
        for (text, other) in self.short.get(&entry).into_iter().flatten() {
            let quote = |text: &str| Json::from(Json::from(text).to_string()).to_string().trim_matches('"').to_owned();
            let plain = |text: &str| Json::from(text).to_string().trim_matches('"').to_owned();
            for (before, behind) in [("=", "\""), ("=", "&"), (" ", "\"")] {
                let (old, new) = (plain(text), plain(other));
                line = line.replace(&format!("{before}{old}{behind}"), &format!("{before}{new}{behind}"));
            }
            line = line.replace(&quote(text), &quote(other));
            line =
                line.replace(&format!(",{}]", Json::from(text.as_str())), &format!(",{}]", Json::from(other.as_str())));
        }
        line
    }
}

/// Each pair in the ways in which it may be written, the longest first.
fn spellings(all: &[(String, String)]) -> Vec<(String, String)> {
    let escaped = |text: &str| {
        let quoted = Json::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let form = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut spelled: Vec<(String, String)> = Vec::new();
    for (text, other) in all {
        let ways: [&dyn Fn(&str) -> String; 4] = [&escaped, &|text| escaped(&escaped(text)), &encoded, &form];
        for way in ways {
            let pair = (way(text), way(other));
            if !spelled.contains(&pair) {
                spelled.push(pair);
            }
        }
    }
    spelled.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    spelled
}

/// Whether a text is another one as a URL or a form writes it.
fn is_spelling(text: &str, other: &str) -> bool {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    text.contains(['%', '+']) && (decoded(text) == *other || decoded(&text.replace('+', " ")) == *other)
}

/// A text of the same shape that says nothing: letters and digits are others, the last of them count.
fn instead(text: &str, number: usize) -> String {
    let is_hexadecimal = text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let mut other: Vec<char> = text
        .chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'a'..='z' if is_hexadecimal => 'e',
            'A'..='Z' if is_hexadecimal => 'E',
            'A'..='Z' => 'X',
            c if c.is_alphabetic() => 'x',
            c => c,
        })
        .collect();
    let mut rest = number;
    for c in other.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        let letters = if is_hexadecimal { 4 } else { 23 };
        let (first, count) = match *c {
            '9' => (b'1', 8),
            'e' => (b'a', letters),
            'E' => (b'A', letters),
            'x' => (b'a', letters),
            'X' => (b'A', letters),
            _ => continue,
        };
        *c = char::from(first + u8::try_from((rest - 1) % count).unwrap_or(0));
        rest = (rest - 1) / count;
    }
    other.into_iter().collect()
}

/// The name and the password of a credential as HTTP's Basic has it.
fn decoded(text: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let is_text = decoded.chars().all(|c| !c.is_control());
    decoded.split_once(':').filter(|_| is_text).map(|(name, password)| (name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_place_of_a_secret_has_its_shape() {
        assert_eq!(instead("wrong-Token-17", 1), "xxxxx-Xxxxx-91");
        assert_eq!(instead("0b8a4b21-6d1c", 1), "9e9e9e99-9e9a");
        assert_eq!(instead("hunter", 25), "xxxxab");
        let all: HashSet<String> = (1..200).map(|number| instead("s3cret", number)).collect();
        assert_eq!(all.len(), 199);
    }
}

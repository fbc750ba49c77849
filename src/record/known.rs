//! Values that are not written out: what an answer gave and a later request uses, and secrets that are known elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::yaml::Yaml;
use crate::exchange::{leaves, segment};
use crate::expr::is_word;
use crate::pack::{Decode, Pack, Resource, ResourceId, is_one_of};
use crate::sandbox::{Story, World};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// The entry whose answer has it; 0 where it is looked up before everything.
    pub(super) entry: u64,
    pub(super) from: From,
    /// What it is called, as far as its place says.
    pub(super) hint: String,
    pub(super) is_number: bool,
    pub(super) is_secret: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// The answer of a step, by an expression.
    Answer(String),
    /// A call of the control plane, by its path below `/_standin`, whether it shows secrets, and an expression; with the
    /// record that it is of.
    Look { path: String, secrets: bool, expression: String, of: Option<(Arc<str>, String)> },
}

/// How a value is used.
#[derive(Debug, Default)]
struct Use {
    /// Once all is known.
    name: String,
    /// The first entry that says it.
    first: u64,
}

/// Whether a client says something or is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Only here a value comes to be kept.
    Sent,
    Shown,
}

/// How a value stands where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// In a URL or a header, where all is text.
    Text,
    /// In JSON, as a text.
    Json,
}

/// The values, by their texts.
#[derive(Debug, Default)]
pub(super) struct Known {
    sources: HashMap<String, Source>,
    /// How long those are that are looked for within longer texts, the longest first.
    lengths: BTreeSet<std::cmp::Reverse<usize>>,
    /// Texts that the client said before anybody told it.
    said: HashSet<String>,
    /// What is used.
    wanted: BTreeMap<String, Use>,
    /// Fixed parts of this server that stand in texts, with the expressions for them: of each entry anew.
    pub(super) places: Vec<(String, String)>,
    /// Whether what is used is settled.
    settled: bool,
}

/// The least characters of a value that is looked for within longer texts.
const LEAST_WITHIN: usize = 16;
/// The least characters that a secret has which is looked for.
pub(super) const LEAST_SECRET: usize = 8;
/// Longer texts are not looked through.
const MOST_TEXT: usize = 16 << 10;
/// The most records that are looked at for what they hold.
const MOST_RECORDS: usize = 10_000;

/// Words that name nothing without what they are of.
const BARE: [&str; 11] = ["id", "uuid", "key", "token", "name", "code", "secret", "value", "number", "sid", "guid"];

impl Known {
    /// With the secrets that the packs and their records have.
    pub(super) fn of(story: &Story) -> Self {
        let mut known = Known::default();
        for (number, pack) in story.ground.packs.iter().enumerate() {
            known.credentials(pack);
            let worlds = [(0, &story.ground.seeds[number]), (u64::MAX, &story.present[number])];
            for (entry, world) in worlds {
                known.records(pack, entry, world);
            }
        }
        known
    }

    fn credentials(&mut self, pack: &Pack) {
        for (index, credential) in pack.credentials.iter().enumerate() {
            let whole = format!("response.body.credentials[{index}].value");
            let mut add = |text: &str, expression: String| {
                let path = format!("/packs/{}", pack.name);
                let from = From::Look { path, secrets: false, expression, of: None };
                let hint = format!("{}_credential", snake(&credential.label));
                self.add(text, Source { entry: 0, from, hint, is_number: false, is_secret: true });
            };
            let decode = &pack.scheme(credential.scheme).decode;
            if decode.iter().any(|decode| *decode == Decode::Bearer || *decode == Decode::Basic)
                && let Some((_, rest)) = credential.value.split_once(' ')
            {
                add(rest, format!("{whole}|split(\" \")|last"));
            }
            add(&credential.value, whole);
        }
    }

    /// The secret fields of records. Of those that only come to be it is not known when.
    fn records(&mut self, pack: &Pack, entry: u64, world: &World) {
        for (number, resource) in pack.resources.iter().enumerate() {
            let id = &resource.fields[resource.id];
            let secrets = || resource.fields.iter().enumerate().filter(|(_, field)| field.secret);
            if id.secret || secrets().next().is_none() {
                continue;
            }
            let sequences = world.sequences(ResourceId(number), None);
            for sequence in sequences.iter().take(MOST_RECORDS) {
                let Some(record) = world.at(ResourceId(number), *sequence) else { continue };
                let Some(id) = record.text(resource.id) else { continue };
                for (index, field) in secrets() {
                    // Documentation writes the name of a field where its value would be.
                    let is_secret = |text: &String| text.len() >= LEAST_SECRET && !is_one_of(&pack.face.secrets, text);
                    let Some(text) = record.text(index).filter(is_secret) else { continue };
                    let path = format!("/state/{}/{}/{}", pack.name, resource.name, segment(&id));
                    let expression = format!("response.body{}", member(&field.name));
                    let of = Some((Arc::clone(&resource.name), id.clone()));
                    let from = From::Look { path, secrets: true, expression, of };
                    let hint = snake(&field.name);
                    self.add(&text, Source { entry, from, hint, is_number: false, is_secret: true });
                }
            }
        }
    }

    /// The first to know a value is asked for it.
    pub(super) fn add(&mut self, text: &str, source: Source) {
        let is_within = text.len() >= LEAST_WITHIN || (source.is_secret && text.len() >= LEAST_SECRET);
        if is_within && !source.is_number {
            self.lengths.insert(std::cmp::Reverse(text.len()));
        }
        match self.sources.get(text) {
            // What a step shows is nearer than what has to be looked up.
            Some(known) if known.entry <= source.entry => {}
            _ => drop(self.sources.insert(text.to_owned(), source)),
        }
    }

    /// A value that an answer shows.
    pub(super) fn given(&mut self, text: &str, source: Source) {
        let eligible = match source.is_secret {
            true => text.len() >= LEAST_SECRET,
            false => source.is_number || is_id(text),
        };
        if eligible && !self.said.contains(text) {
            self.add(text, source);
        }
    }

    /// A value that the client says: nobody had to tell it.
    pub(super) fn say(&mut self, text: &str) {
        if !self.sources.contains_key(text) && text.len() <= MOST_TEXT {
            self.said.insert(text.to_owned());
        }
    }

    fn usable(&self, text: &str, entry: u64, side: Side, how: As) -> bool {
        let Some(source) = self.sources.get(text) else { return false };
        let is_there = match &source.from {
            From::Answer(_) => source.entry < entry,
            From::Look { .. } => true,
        };
        is_there
            && (how == As::Text || !source.is_number)
            && match side {
                Side::Sent => !self.settled || self.wanted.contains_key(text),
                Side::Shown => self.wanted.contains_key(text),
            }
    }

    fn name(&mut self, text: &str, entry: u64) -> String {
        let first = || Use { name: String::new(), first: entry };
        self.wanted.entry(text.to_owned()).or_insert_with(first).name.clone()
    }

    /// How a text is written: out, or made of what is known.
    pub(super) fn text(&mut self, text: &str, entry: u64, side: Side, how: As) -> Yaml {
        if self.usable(text, entry, side, how) {
            return Yaml::expression(&self.name(text, entry));
        }
        let parts = self.parts(text, entry, side);
        match parts.iter().any(|part| matches!(part, Part::Name(_))) {
            false => Yaml::Text(text.to_owned()),
            true => {
                let words = parts.into_iter().map(|part| match part {
                    Part::Text(text) => Json::from(text).to_string(),
                    Part::Name(name) => name,
                });
                Yaml::expression(&words.collect::<Vec<_>>().join(" ~ "))
            }
        }
    }

    /// A number that a record is known by.
    pub(super) fn number(&mut self, number: &serde_json::Number, entry: u64, side: Side) -> Yaml {
        let text = number.to_string();
        let is_number = self.sources.get(&text).is_some_and(|source| source.is_number);
        match is_number && self.usable(&text, entry, side, As::Text) {
            true => Yaml::expression(&self.name(&text, entry)),
            false => Yaml::Number(number.clone()),
        }
    }

    fn parts(&mut self, text: &str, entry: u64, side: Side) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut rest = text;
        if text.len() <= MOST_TEXT {
            let mut at = 0;
            while at < rest.len() {
                match self.part(rest, at, entry, side) {
                    Some((length, name)) => {
                        if at > 0 {
                            parts.push(Part::Text(rest[..at].to_owned()));
                        }
                        parts.push(Part::Name(name));
                        rest = &rest[at + length..];
                        at = 0;
                    }
                    None => at += rest[at..].chars().next().map_or(1, char::len_utf8),
                }
            }
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        parts
    }

    /// What is known and stands at a place of a text: how long it is, and the expression for it.
    fn part(&mut self, text: &str, at: usize, entry: u64, side: Side) -> Option<(usize, String)> {
        // Nothing of it begins within a word.
        if text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        let ends = |end: usize| !text[end..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.');
        let place = self.places.iter().find(|(place, _)| text[at..].starts_with(&**place) && ends(at + place.len()));
        if let Some((place, expression)) = place {
            return Some((place.len(), expression.clone()));
        }
        let lengths: Vec<usize> = self.lengths.iter().map(|length| length.0).collect();
        let found = lengths
            .into_iter()
            .find(|length| text.get(at..at + length).is_some_and(|part| self.usable(part, entry, side, As::Json)))?;
        let name = self.name(&text[at..at + found], entry);
        Some((found, name))
    }

    /// From now on only what is used is known, each by a name.
    pub(super) fn settle(&mut self, story: &Story, taken: &[String]) {
        let mut names: HashSet<String> = taken.iter().cloned().collect();
        let mut wanted: Vec<(u64, String)> = Vec::new();
        for text in self.wanted.keys() {
            wanted.push((self.sources.get(text).map_or(0, |source| source.entry), text.clone()));
        }
        wanted.sort();
        for (_, text) in wanted {
            let hint = self.sources.get(&text).map(|source| source.hint.clone()).unwrap_or_default();
            let name = named(story, &text, &hint);
            let mut numbered = (1..).map(|number| if number == 1 { name.clone() } else { format!("{name}_{number}") });
            let free = numbered.find(|name| !names.contains(name)).unwrap_or_default();
            names.insert(free.clone());
            if let Some(used) = self.wanted.get_mut(&text) {
                used.name = free;
            }
        }
        self.settled = true;
    }

    /// What is kept of the answer of an entry: its text, its name and the expression that gives it.
    pub(super) fn kept(&self, entry: u64) -> Vec<(&str, &str, &str)> {
        let kept = self.wanted.iter().filter_map(|(text, used)| match self.sources.get(text) {
            Some(Source { entry: of, from: From::Answer(expression), .. }) if *of == entry => {
                Some((text.as_str(), used.name.as_str(), expression.as_str()))
            }
            _ => None,
        });
        kept.collect()
    }

    /// What is to be looked up before an entry, 0 for what is there from the beginning: its name, and where.
    pub(super) fn looked_up(&self, entry: u64) -> Vec<(&str, &Source)> {
        let looks = self.wanted.iter().filter_map(|(text, used)| {
            let source = self.sources.get(text).filter(|source| matches!(source.from, From::Look { .. }))?;
            let before = if source.entry == 0 { 0 } else { used.first };
            (before == entry).then_some((used.name.as_str(), source))
        });
        looks.collect()
    }

    pub(super) fn source(&self, text: &str) -> Option<&Source> {
        self.sources.get(text)
    }
}

#[derive(Debug)]
enum Part {
    Text(String),
    Name(String),
}

/// Whether a text looks like what somebody made up to tell one thing from others.
fn is_id(text: &str) -> bool {
    let is_date = text.len() >= 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[..4].iter().all(u8::is_ascii_digit);
    (8..=512).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:+/=~-".contains(&byte))
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.parse::<f64>().is_err()
        && !text.contains("://")
        && !(is_date && text.as_bytes().get(7) == Some(&b'-'))
}

/// What a value is called: by the record whose id it is, or by where it stands.
fn named(story: &Story, text: &str, hint: &str) -> String {
    let packs = story.ground.packs.iter().enumerate();
    let mut of_record = packs.flat_map(|(number, pack)| {
        let worlds = [&story.present[number], &story.ground.seeds[number]];
        pack.resources.iter().enumerate().filter_map(move |(index, resource)| {
            let id = ResourceId(index);
            worlds.iter().any(|world| world.get(id, text).is_some()).then(|| id_name(resource))
        })
    });
    // The number of a record is the number of many.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let of_record = if is_number { None } else { of_record.next() };
    let mut name = of_record.unwrap_or_else(|| hint.to_owned());
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "value_");
    }
    if is_word(&name) || RESERVED.contains(&&*name) { format!("{name}_value") } else { name }
}

/// What the id of a resource is called.
pub(super) fn id_name(resource: &Resource) -> String {
    let (name, field) = (snake(&resource.name), snake(&resource.fields[resource.id].name));
    if field.contains(&name) { field } else { format!("{name}_{field}") }
}

/// Names that scenarios have for something else.
const RESERVED: [&str; 8] = ["row", "round", "response", "receivers", "base", "sandbox", "now", "call"];

/// `itemId` and `Item-ID` as `item_id`.
pub(super) fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
        } else {
            if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    out.trim_end_matches('_').to_owned()
}

/// The name for what stands at a pointer.
pub(super) fn hint(pointer: &str) -> String {
    let names: Vec<String> = crate::exchange::segments(pointer)
        .iter()
        .filter(|name| name.parse::<usize>().is_err())
        .map(|name| snake(name))
        .collect();
    match names.as_slice() {
        [] => "value".to_owned(),
        [.., parent, last] if BARE.contains(&&**last) && parent != "data" => format!("{parent}_{last}"),
        [.., last] => last.clone(),
    }
}

/// The expression for what stands at a pointer of the last answer's body.
pub(super) fn at(pointer: &str) -> String {
    let mut expression = "response.body".to_owned();
    for name in crate::exchange::segments(pointer) {
        match name.parse::<usize>() {
            Ok(index) => expression.push_str(&format!("[{index}]")),
            Err(_) => expression.push_str(&member(&name)),
        }
    }
    expression
}

fn member(name: &str) -> String {
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !is_word(name);
    if is_name { format!(".{name}") } else { format!("[{}]", Json::from(name)) }
}

/// The texts and numbers of a value with their pointers.
pub(super) fn scalars(value: &Json) -> impl Iterator<Item = (String, Json)> {
    leaves(value).into_iter().filter(|(_, leaf)| leaf.is_string() || leaf.is_number())
}

//! The entries of a log, one after the other, as steps.
//!
//! Everything is told twice: first to see which values are used, then with their names.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::call::object;
use super::known::{self, As, From, Known, Side, Source, scalars};
use super::receive::{Receivers, origin};
use super::step::Step;
use super::yaml::Yaml;
use crate::clock::{Instant, Span};
use crate::exchange::{JsonText, Request};
use crate::journal::{Entry, Exchanged, Face, Happening, Note};
use crate::pack::Pack;
use crate::sandbox::Story;

/// An entry for which there is no step, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Untold {
    pub(crate) entry: u64,
    pub(crate) why: String,
}

/// What tells a log.
pub(super) struct Teller<'s> {
    pub(super) story: &'s Story,
    entries: &'s [Arc<Entry>],
    /// The pack that is meant where nothing is said.
    pub(super) main: usize,
    pub(super) known: Known,
    receivers: Receivers,
    /// Headers that stubs ask for.
    pub(super) asked_for: HashSet<String>,
    /// The instant that the steps have reached.
    cursor: Instant,
    steps: Vec<Step>,
    untold: Vec<Untold>,
}

impl<'s> Teller<'s> {
    pub(super) fn new(story: &'s Story, entries: &'s [Arc<Entry>]) -> Self {
        let said: HashSet<String> = entries.iter().flat_map(|entry| origins_said(entry)).collect();
        let receivers = Receivers::of(entries, &said);
        Teller {
            story,
            entries,
            main: main_pack(story, entries),
            known: Known::of(story),
            receivers,
            asked_for: asked_for(entries),
            cursor: story.at,
            steps: Vec::new(),
            untold: Vec::new(),
        }
    }

    /// All steps, or what cannot be told.
    pub(super) fn tell(mut self) -> Result<(Arc<Pack>, Vec<Step>), Vec<Untold>> {
        self.walk();
        let taken: Vec<String> = self.receivers.places().map(|(_, name)| name).collect();
        self.known.settle(self.story, &taken);
        self.receivers.begin_again();
        (self.cursor, self.steps) = (self.story.at, Vec::new());
        self.untold.clear();
        self.walk();
        if !self.untold.is_empty() {
            return Err(self.untold);
        }
        let mut steps = Vec::new();
        for (name, answers) in self.receivers.answers() {
            let mut step = Step::of(0, "receive", Yaml::word(name));
            if let Some(answers) = answers {
                step.say("answers", answers);
            }
            steps.push(step);
        }
        steps.append(&mut self.steps);
        Ok((Arc::clone(&self.story.ground.packs[self.main]), steps))
    }

    fn walk(&mut self) {
        self.look_up(0);
        // The last instant at which something happened by itself.
        let mut last = self.cursor;
        for (place, entry) in self.entries.iter().enumerate() {
            match &entry.what {
                Happening::Attempt(_) | Happening::Outcome(_) | Happening::Event { scheduled: Some(_), .. } => {
                    last = entry.at;
                }
                Happening::Clock { from, now, .. } => {
                    self.attend(place);
                    match now < from {
                        true => {
                            self.reach(entry.id, last.min(*from), place);
                            let members = vec![("now".to_owned(), Yaml::word(now.to_string()))];
                            self.steps.push(Step::of(entry.id, "clock", Yaml::Map(members)));
                            (self.cursor, last) = (*now, *now);
                        }
                        false => self.advance(entry.id, *now),
                    }
                }
                what => {
                    self.attend(place);
                    self.reach(entry.id, entry.at, place);
                    match self.step(entry.id, what) {
                        Ok(step) => self.add(step),
                        Err(why) => self.untold.push(Untold { entry: entry.id, why }),
                    }
                }
            }
        }
        self.attend(self.entries.len());
        self.reach(u64::MAX, last, self.entries.len());
    }

    /// Lets the time go on to an instant.
    fn reach(&mut self, entry: u64, instant: Instant, place: usize) {
        if instant > self.cursor {
            let members = vec![("to".to_owned(), Yaml::word(instant.to_string()))];
            self.steps.push(Step::of(entry, "advance", Yaml::Map(members)));
            self.cursor = instant;
            self.attend(place);
        }
    }

    /// The time was set to a later one.
    fn advance(&mut self, entry: u64, instant: Instant) {
        if instant > self.cursor {
            let span = instant.since(self.cursor);
            let what = words(span).map(Yaml::word);
            let to = || Yaml::Map(vec![("to".to_owned(), Yaml::word(instant.to_string()))]);
            self.steps.push(Step::of(entry, "advance", what.unwrap_or_else(to)));
            self.cursor = instant;
        }
    }

    /// Says of the last step what has arrived by its end.
    fn attend(&mut self, place: usize) {
        let main = &self.story.ground.packs[self.main].name;
        if let Some(step) = self.steps.last_mut()
            && let Some(arrived) = self.receivers.arrived(self.cursor, place, main)
        {
            step.wants("received", arrived);
        }
    }

    fn add(&mut self, mut step: Step) {
        self.look_up(step.entry);
        for (_, name, expression) in self.known.kept(step.entry) {
            step.keep(name, expression);
        }
        self.steps.push(step);
    }

    /// Steps that look up what the step of an entry is the first to need; what is there from the beginning, for 0.
    fn look_up(&mut self, entry: u64) {
        let mut found: Vec<(&str, Step)> = Vec::new();
        for (name, source) in self.known.looked_up(entry) {
            let From::Look { path, secrets, expression, .. } = &source.from else { continue };
            let place = found.iter().position(|(known, _)| *known == path.as_str()).unwrap_or_else(|| {
                let mut step = Step::control(entry, "GET", path);
                if *secrets {
                    step.say("query", Yaml::Map(vec![("secrets".to_owned(), Yaml::word("show"))]));
                }
                found.push((path, step));
                found.len() - 1
            });
            found[place].1.keep(name, expression);
        }
        self.steps.extend(found.into_iter().map(|(_, step)| step));
    }

    fn step(&mut self, entry: u64, what: &Happening) -> Result<Step, String> {
        match what {
            Happening::Exchange(kept) => {
                let exchanged = kept.exchanged();
                let said = self.said(&exchanged.request);
                let step = self.call(entry, &exchanged)?;
                said.iter().for_each(|text| self.known.say(text));
                self.gives(entry, &exchanged);
                Ok(step)
            }
            Happening::State { method, pack, resource, id, body, changes } => {
                let body = body.as_ref().map(JsonText::read);
                self.places_of(None);
                let step = self.edit(entry, method, pack, resource, id, body.as_ref());
                self.says(body.as_ref());
                if *method == "POST" {
                    self.made(entry, pack, changes);
                }
                step
            }
            Happening::Event { pack, name, input, changes, .. } => {
                let input = &input.read();
                self.places_of(None);
                let mut step = Step::of(entry, "event", Yaml::word(&**name));
                self.of_pack(pack, &mut step)?;
                if !object(input).is_empty() {
                    let input = self.json(input, entry, Side::Sent);
                    step.say("input", input);
                }
                self.says(Some(input));
                for (index, note) in changes.iter().enumerate().filter(|(_, note)| note.verb == "create") {
                    let expression = format!("response.body.changes[{index}].id");
                    self.record(entry, pack, note, expression);
                }
                Ok(step)
            }
            Happening::Setting { method, path, body } => {
                let body = body.as_ref().map(JsonText::read);
                self.places_of(None);
                let step = self.setting(entry, method, path, body.as_ref());
                self.says(body.as_ref());
                step
            }
            Happening::Reload(reloaded) => {
                Err(format!("the pack `{}` was replaced by another one", reloaded.pack.name))
            }
            Happening::Clock { .. } | Happening::Attempt(_) | Happening::Outcome(_) => Err("it is no step".to_owned()),
        }
    }

    fn of_pack(&self, name: &str, step: &mut Step) -> Result<(), String> {
        let number = self.pack_number(name).ok_or_else(|| format!("the pack `{name}` is not served any more"))?;
        if number != self.main {
            step.say("pack", Yaml::word(name));
        }
        Ok(())
    }

    fn edit(
        &mut self,
        entry: u64,
        method: &str,
        pack: &str,
        resource: &str,
        id: &str,
        body: Option<&Json>,
    ) -> Result<Step, String> {
        let fields = body.map(|body| self.json(body, entry, Side::Sent));
        let known_id = self.known.text(id, entry, Side::Sent, As::Text);
        let word = match method {
            "POST" => "create",
            "PATCH" => "update",
            "DELETE" => "delete",
            _ => {
                let mut step = Step::control(entry, method, &format!("/state/{pack}/{resource}/{{id}}"));
                step.say("path", Yaml::Map(vec![("id".to_owned(), known_id)]));
                step.say("body", fields.unwrap_or(Yaml::Null));
                return Ok(step);
            }
        };
        let mut step = Step::of(entry, word, Yaml::word(resource));
        self.of_pack(pack, &mut step)?;
        if word != "create" {
            step.say("id", known_id);
        }
        if let Some(fields) = fields {
            step.say("fields", fields);
        }
        Ok(step)
    }

    fn setting(&mut self, entry: u64, method: &str, path: &str, body: Option<&Json>) -> Result<Step, String> {
        let none = || Yaml::word("none");
        let mut given = |value: &Json| self.json(value, entry, Side::Sent);
        let events = body.and_then(|body| body["events"].as_array());
        let step = match (method, path, body) {
            ("PUT", "/faults", Some(body)) => Step::of(entry, "fault", rules(given(&body["faults"]))),
            ("PUT", "/limits", Some(body)) => Step::of(entry, "limit", rules(given(&body["limits"]))),
            ("DELETE", "/faults", _) => Step::of(entry, "fault", none()),
            ("DELETE", "/limits", _) => Step::of(entry, "limit", none()),
            ("DELETE", "/stubs", _) => Step::of(entry, "stub", none()),
            ("POST", "/stubs", Some(body)) if body.get("alone").is_some() => {
                return Err("stubs were put in the place of all others by a client of WireMock".to_owned());
            }
            ("PUT", _, Some(body)) if path.starts_with("/stubs/") => Step::of(entry, "stub", given(body)),
            ("POST", "/clock/agenda", _) if events.is_some_and(|events| events.len() == 1) => {
                let event = &events.map(Vec::as_slice).unwrap_or_default()[0];
                let text = |name: &str| event[name].as_str().unwrap_or_default();
                let mut step = Step::of(entry, "event", Yaml::word(text("event")));
                let input = given(&event["input"]);
                self.of_pack(text("pack"), &mut step)?;
                if !object(&event["input"]).is_empty() {
                    step.say("input", input);
                }
                step.say("at", Yaml::word(text("at")));
                step
            }
            ("POST", _, None) if path.starts_with("/webhooks/") => {
                let id = path.trim_start_matches("/webhooks/").trim_end_matches("/redeliver");
                Step::of(entry, "redeliver", Yaml::Text(id.to_owned()))
            }
            _ => {
                let mut step = Step::control(entry, method, path);
                if let Some(body) = body {
                    step.say("body", given(body));
                }
                step
            }
        };
        Ok(step)
    }

    // ---- what is known of whom

    pub(super) fn pack_number(&self, name: &str) -> Option<usize> {
        self.story.ground.packs.iter().position(|pack| *pack.name == *name)
    }

    /// The masks of an exchange are those of its pack; where it led to none, those of all.
    pub(super) fn faces<'f>(&'f self, exchanged: &'f Exchanged) -> Vec<&'f Face> {
        match &exchanged.pack {
            Some(face) => vec![face],
            None => self.story.ground.packs.iter().map(|pack| &*pack.face).collect(),
        }
    }

    /// What of this server stands in the texts of an exchange.
    pub(super) fn places(&mut self, request: &Request, pack: Option<&Pack>) {
        let main = &self.story.ground.packs[self.main].name;
        let base = pack.map(|pack| {
            let expression = match pack.name == *main {
                true => "base".to_owned(),
                false => format!("base|replace(\"/{main}\", \"/{}\")", pack.name),
            };
            (request.base.clone(), expression)
        });
        self.places_of(base);
    }

    fn places_of(&mut self, base: Option<(String, String)>) {
        self.known.places = base.into_iter().chain(self.receivers.places()).collect();
    }

    fn says(&mut self, body: Option<&Json>) {
        for (_, leaf) in body.into_iter().flat_map(scalars) {
            self.known.say(&crate::exchange::spelled(&leaf));
        }
    }

    /// What the answer of an exchange gives.
    fn gives(&mut self, entry: u64, exchanged: &Exchanged) {
        let is_lost = exchanged.delivery.as_ref().is_some_and(|delivery| delivery.manner.fault().is_some());
        let Ok(json) = serde_json::from_slice::<Json>(&exchanged.response.body) else { return };
        if is_lost || exchanged.request.method == http::Method::HEAD {
            return;
        }
        let mask = self.mask(exchanged);
        let created = |text: &str| exchanged.changes.iter().find(|note| note.verb == "create" && note.id == text);
        for (pointer, leaf) in scalars(&json) {
            let text = crate::exchange::spelled(&leaf);
            let segments = crate::exchange::segments(&pointer);
            let is_secret = segments.iter().any(|name| mask.member(name)) || mask.texts().contains(&text);
            let expression = known::at(&pointer);
            let pack = exchanged.pack_name().unwrap_or_default();
            let of = created(&text).map(|note| self.id_of(pack, &note.resource));
            let is_number = leaf.is_number();
            if is_number && of.is_none() {
                continue;
            }
            let is_url = !is_number && text.starts_with("http") && text.len() < 2048;
            if is_url
                && let Some((_, tail)) = text.rsplit_once('/')
                && !tail.contains(['?', '#'])
            {
                let from = From::Answer(format!("{expression}|split(\"/\")|last"));
                let hint = known::hint(&pointer);
                self.known.given(
                    tail,
                    Source { entry, from, hint, is_number, is_secret: mask.texts().iter().any(|text| text == tail) },
                );
            }
            let hint = of.unwrap_or_else(|| known::hint(&pointer));
            let from = From::Answer(expression);
            self.known.given(&text, Source { entry, from, hint, is_number, is_secret });
        }
    }

    /// What the ids of a resource are called.
    fn id_of(&self, pack: &str, resource: &str) -> String {
        let pack = self.pack_number(pack).map(|number| &self.story.ground.packs[number]);
        let found = pack.and_then(|pack| Some(pack.resource(pack.resource_named(resource)?)));
        found.map_or_else(|| format!("{}_id", known::snake(resource)), known::id_name)
    }

    /// A record that was made past the API.
    fn made(&mut self, entry: u64, pack: &str, changes: &[Note]) {
        let Some(number) = self.pack_number(pack) else { return };
        let pack = Arc::clone(&self.story.ground.packs[number]);
        for note in changes.iter().filter(|note| note.verb == "create").take(1) {
            let Some(resource) = pack.resource_named(&note.resource).map(|id| pack.resource(id)) else { continue };
            let field = &resource.fields[resource.id].name;
            self.record(entry, &pack.name, note, known::at(&crate::exchange::child("", field)));
        }
    }

    fn record(&mut self, entry: u64, pack: &str, note: &Note, expression: String) {
        let Some(number) = self.pack_number(pack) else { return };
        let pack = &self.story.ground.packs[number];
        if pack.face.secret_ids.contains(&note.resource) {
            return;
        }
        let hint = self.id_of(&pack.name, &note.resource);
        let is_number = note.id.parse::<u64>().is_ok();
        // The log has ids as texts.
        let expression =
            if is_number && expression.contains(".changes[") { format!("{expression}|int") } else { expression };
        let source = Source { entry, from: From::Answer(expression), hint, is_number, is_secret: false };
        self.known.given(&note.id, source);
    }
}

fn rules(value: Yaml) -> Yaml {
    match value {
        Yaml::List(items) if items.is_empty() => Yaml::word("none"),
        other => other,
    }
}

/// A length of time as people say it; none where it has a fraction of a second.
fn words(span: Span) -> Option<String> {
    let seconds = span.micros() / 1_000_000;
    if span.micros() % 1_000_000 != 0 {
        return None;
    }
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let (count, unit) =
        units.iter().find_map(|(length, unit)| (seconds % length == 0).then(|| (seconds / length, unit)))?;
    Some(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
}

/// The pack that most entries are about.
fn main_pack(story: &Story, entries: &[Arc<Entry>]) -> usize {
    let packs = &story.ground.packs;
    let mut counts = vec![0_usize; packs.len()];
    for entry in entries {
        let name = match &entry.what {
            Happening::Exchange(kept) => kept.pack_name(),
            Happening::State { pack, .. } | Happening::Event { pack, .. } => Some(&**pack),
            _ => None,
        };
        if let Some(number) = name.and_then(|name| packs.iter().position(|pack| *pack.name == *name)) {
            counts[number] += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    counts.iter().position(|count| *count == most).unwrap_or(0)
}

/// Scheme, host and port of every URL that a client wrote in what an entry has of it.
fn origins_said(entry: &Entry) -> Vec<String> {
    let within = |value: &Json| -> Vec<String> {
        scalars(value).filter_map(|(_, leaf)| Some(origins(leaf.as_str()?).collect::<Vec<_>>())).flatten().collect()
    };
    match &entry.what {
        Happening::Exchange(kept) => {
            let exchanged = kept.exchanged();
            let body = exchanged.request.body.bytes();
            let query = exchanged.request.query.as_deref().unwrap_or_default();
            let mut found = serde_json::from_slice::<Json>(body).map(|json| within(&json)).unwrap_or_default();
            for (_, value) in form_urlencoded::parse(body).chain(form_urlencoded::parse(query.as_bytes())) {
                found.extend(origins(&value));
            }
            found
        }
        Happening::State { body: Some(body), .. } => within(&body.read()),
        Happening::Event { input, scheduled: None, .. } => within(&input.read()),
        Happening::Setting { body: Some(body), .. } => within(&body.read()),
        _ => Vec::new(),
    }
}

/// Scheme, host and port of the URLs in a text.
fn origins(text: &str) -> impl Iterator<Item = String> + '_ {
    text.match_indices("://").filter_map(|(at, _)| {
        let start = text[..at].rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |before| before + 1);
        // What stands before it may be wider than a byte.
        origin(text.get(start..)?).map(str::to_owned)
    })
}

/// The headers that stubs ask for.
fn asked_for(entries: &[Arc<Entry>]) -> HashSet<String> {
    let mut names = HashSet::new();
    for entry in entries {
        let Happening::Setting { body: Some(body), path, .. } = &entry.what else { continue };
        if !path.starts_with("/stubs") {
            continue;
        }
        let body = &body.read();
        let several = body["mappings"].as_array().into_iter().flatten();
        for mapping in std::iter::once(body).chain(several) {
            names.extend(object(&mapping["request"]["headers"]).keys().map(|name| name.to_ascii_lowercase()));
            if mapping["request"].get("basicAuthCredentials").is_some() {
                names.insert("authorization".to_owned());
            }
            if mapping["request"].get("cookies").is_some() {
                names.insert("cookie".to_owned());
            }
        }
    }
    names
}

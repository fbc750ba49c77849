use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::super::mistake::{self, Mistake, Place, QUOTED, quoted};
use crate::clock::Instant;
use crate::diagnostic::{did_you_mean, shortened, there_are};
use crate::pack::{Family, Pack, Policy};
use crate::sandbox::{Counted, Limit, Limits, Others, Window};

/// The most limits at once.
const MOST: usize = 100;

const MEMBERS: [&str; 5] = ["pack", "quota", "window", "name", "headers"];

/// Reads `{"limits": [rule…]}`; all mistakes at once. Nothing has been used of them, and there are no others.
pub(crate) fn read(packs: &[Arc<Pack>], given: &Json) -> Result<Limits, Vec<Mistake>> {
    Ok(Limits::new(rules(packs, given)?, Others::Unlimited))
}

fn rules(packs: &[Arc<Pack>], given: &Json) -> Result<Vec<Limit>, Vec<Mistake>> {
    let rules = mistake::rules(given, "limits", MOST)?;
    let mut mistakes = Vec::new();
    let mut all: Vec<Limit> = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let place = Place { at: format!("/limits/{index}"), mistakes: &mut mistakes };
        let mut reader = Reader { packs, place };
        let Some(limit) = reader.rule(rule) else { continue };
        reader.beside(&limit, &all);
        all.push(limit);
    }
    if mistakes.is_empty() { Ok(all) } else { Err(mistakes) }
}

/// What every sandbox begins with: the limits that are given, and for packs of which nothing is said those of their
/// documentation; `unlimited` are packs that have none.
pub(crate) fn at_start(packs: &[Arc<Pack>], given: &[Json], unlimited: &[String]) -> Result<Limits, Vec<Mistake>> {
    let wrong = |message| vec![Mistake { pointer: "/unlimited".to_owned(), message }];
    let unlimited: Result<Vec<Arc<str>>, String> =
        unlimited.iter().map(|name| mistake::pack(packs, name).map(|pack| Arc::clone(&pack.name))).collect();
    let unlimited = unlimited.map_err(wrong)?;
    let others = if unlimited.is_empty() { Others::Own } else { Others::OwnBut(unlimited.into()) };
    Ok(Limits::new(rules(packs, &json!({ "limits": given }))?, others))
}

/// The limits with what has been used of them, so that `undump` makes the same of it.
pub(crate) fn dump(limits: &Limits) -> Json {
    let rules: Vec<&Json> = limits.asked().iter().map(|limit| &limit.source).collect();
    let others = match limits.others() {
        Others::Own => json!("own"),
        Others::OwnBut(names) => names.iter().map(|name| &**name).collect(),
        Others::Unlimited => json!("unlimited"),
    };
    let window = |((pack, name, caller), window): (&Counted, Window)| {
        json!([&**pack, &**name, &**caller, window.begin.micros(), window.end.micros(), window.used])
    };
    json!({ "limits": rules, "others": others, "windows": limits.windows().map(window).collect::<Vec<Json>>() })
}

pub(crate) fn undump(packs: &[Arc<Pack>], dumped: &Json) -> Result<Limits, Vec<Mistake>> {
    let text = |value: &Json| value.as_str().map(Arc::from);
    let others = match &dumped["others"] {
        Json::Array(names) => Others::OwnBut(names.iter().filter_map(text).collect()),
        Json::String(word) if word == "own" => Others::Own,
        _ => Others::Unlimited,
    };
    let window = |window: &Json| {
        let instant = |place: usize| window.get(place)?.as_i64().map(Instant::from_micros);
        let counted = (text(window.get(0)?)?, text(window.get(1)?)?, text(window.get(2)?)?);
        Some((counted, Window { begin: instant(3)?, end: instant(4)?, used: window.get(5)?.as_u64()? }))
    };
    let windows = dumped["windows"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(Limits::new(rules(packs, dumped)?, others).going_on(windows.iter().filter_map(window)))
}

/// A limit of a pack as it could be asked for.
pub(super) fn rule(pack: &Pack, policy: &Policy) -> Json {
    let window = format!("{}s", policy.seconds());
    let headers = policy.headers.name();
    json!({ "pack": &*pack.name, "name": &*policy.name, "quota": policy.quota, "window": window, "headers": headers })
}

/// Reads one limit.
struct Reader<'r> {
    packs: &'r [Arc<Pack>],
    place: Place<'r>,
}

impl Reader<'_> {
    fn wrong(&mut self, member: &str, message: impl Into<String>) {
        self.place.wrong(member, message);
    }

    /// What was read, or else what is wrong with it.
    fn good<T>(&mut self, member: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|why| self.wrong(member, why)).ok()
    }

    fn rule(&mut self, given: &Json) -> Option<Limit> {
        let before = self.place.mistakes.len();
        let members = self.place.members("a limit", given, &MEMBERS)?;
        let packs = self.packs;
        let pack = self.text(members, "pack", "the name of a pack", |name| mistake::pack(packs, name));
        let quota = match members.get("quota") {
            None => Err("it is missing: how many requests are allowed".to_owned()),
            Some(quota) => Policy::read_quota(quota.as_u64()).map_err(|why| format!("{why}, not {}", quoted(quota))),
        };
        let quota = self.good("quota", quota);
        let window = self.text(members, "window", "a time such as \"1m\"", Policy::read_window);
        let name = match members.contains_key("name") {
            true => self.text(members, "name", "a text", Policy::read_name),
            false => Some(Policy::UNNAMED.into()),
        };
        let headers = match members.contains_key("headers") {
            true => self.text(members, "headers", "a text", family),
            false => Some(Family::default()),
        };
        let policy = Policy { name: name?, quota: quota?, window: window?, headers: headers? };
        let limit = Limit { pack: Arc::clone(&pack?.name), policy, source: given.clone() };
        (self.place.mistakes.len() == before).then_some(limit)
    }

    fn text<T>(
        &mut self,
        members: &Map<String, Json>,
        name: &str,
        what: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let read = match members.get(name) {
            Some(Json::String(text)) => read(text).map_err(|why| shortened(&why, QUOTED * 4)),
            Some(other) => Err(format!("it is {what}, not {}", quoted(other))),
            None => Err(format!("it is missing: {what}")),
        };
        self.good(name, read)
    }

    /// Whether a limit can be beside those before it.
    fn beside(&mut self, limit: &Limit, before: &[Limit]) {
        let same_pack = || before.iter().filter(|other| other.pack == limit.pack);
        if same_pack().any(|other| other.policy.name == limit.policy.name) {
            let name = &limit.policy.name;
            self.wrong("name", format!("two limits of `{}` are called `{name}`: give one another `name`", limit.pack));
        }
        if let Some(other) = same_pack().find(|other| other.policy.headers != limit.policy.headers) {
            let told = other.policy.headers.name();
            self.wrong("headers", format!("all limits of a pack are told in the same headers, and one is in `{told}`"));
        }
    }
}

fn family(name: &str) -> Result<Family, String> {
    let names = Family::ALL.map(Family::name);
    let meant = did_you_mean(name, names);
    let name = shortened(name, QUOTED);
    Family::named(&name).ok_or_else(|| format!("there are no headers `{name}`: {}.{meant}", there_are(names)))
}

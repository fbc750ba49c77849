use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::super::mistake::{self, Mistake, Place, QUOTED, quoted};
use crate::clock::Span;
use crate::diagnostic::{all_of, did_you_mean, one_of, shortened, there_are};
use crate::exchange::{LONGEST_DELAY, MOST_PIECES, Manner};
use crate::pack::Pack;
use crate::sandbox::{Failure, Fault, Faults, Latency, When};

/// The most rules at once.
const MOST_RULES: usize = 100;
/// The widest log-normal distribution: with it one time in six is twenty times the median.
const WIDEST: f64 = 3.0;

/// How often a rule has applied, as it is shown.
const APPLIED: &str = "applied";
const MEMBERS: [&str; 10] =
    ["pack", "operation", "share", "count", "when", "latency", "error", "fault", "dribble", APPLIED];
const FAULTS: [&str; 6] =
    ["connection-reset", "empty-response", "truncated-body", "malformed-body", "malformed-chunk", "random-data"];

/// Which operations and errors a rule may name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// Those that there are.
    Known,
    /// Also those that there were, before a pack was read again.
    Ever,
}

/// Reads `{"faults": [rule…]}`; all mistakes at once.
pub(crate) fn read(packs: &[Arc<Pack>], given: &Json, named: Named) -> Result<Faults, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let rules = mistake::rules(given, "faults", MOST_RULES)?;
    let mut read = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let mut reader =
            Reader { packs, named, place: Place { at: format!("/faults/{index}"), mistakes: &mut mistakes } };
        read.extend(reader.rule(rule));
    }
    if mistakes.is_empty() { Ok(Faults::new(read)) } else { Err(mistakes) }
}

/// The rules with how often each has applied, so that `read` makes the same of it.
pub(crate) fn shown(faults: &Faults) -> Json {
    let shown = faults.rules().map(|(rule, applied)| {
        let mut shown = rule.source.clone();
        shown[APPLIED] = applied.into();
        shown
    });
    json!({ "faults": shown.collect::<Vec<Json>>() })
}

/// Reads one rule.
struct Reader<'r> {
    packs: &'r [Arc<Pack>],
    named: Named,
    place: Place<'r>,
}

impl Reader<'_> {
    fn wrong(&mut self, member: &str, message: impl Into<String>) {
        self.place.wrong(member, message);
    }

    /// A rule, and how often it has applied.
    fn rule(&mut self, given: &Json) -> Option<(Fault, u64)> {
        let before = self.place.mistakes.len();
        let members = self.place.members("a rule", given, &MEMBERS)?;
        let pack = self.pack(members);
        let operation = self.operation(members, pack.as_deref());
        let latency = members.get("latency").and_then(|given| self.latency(given));
        let failure = self.failure(members, pack.as_deref());
        let fault = Fault {
            share: self.share(members.get("share")),
            count: self.count(members.get("count")),
            when: self.when(members, failure.as_ref()),
            pack,
            operation,
            latency,
            failure,
            source: without(members, APPLIED),
        };
        let applied = self.applied(members.get(APPLIED));
        let does = ["latency", "error", "fault", "dribble"];
        if does.iter().all(|name| !members.contains_key(*name)) {
            self.wrong("", format!("the rule does nothing: give it {}", one_of(does)));
        }
        (self.place.mistakes.len() == before).then_some((fault, applied))
    }

    fn text<'m>(&mut self, members: &'m Map<String, Json>, name: &str) -> Option<&'m str> {
        match members.get(name)? {
            Json::String(text) => Some(text),
            other => {
                self.wrong(name, format!("it is a text, not {}", quoted(other)));
                None
            }
        }
    }

    /// The pack of the rule; an operation's id begins with it.
    fn pack(&mut self, members: &Map<String, Json>) -> Option<Arc<str>> {
        let said = self.text(members, "pack");
        let packs = self.packs;
        let found = said.and_then(|name| match mistake::pack(packs, name) {
            Ok(pack) => Some(pack),
            Err(message) => {
                self.wrong("pack", message);
                None
            }
        });
        let of_operation = members.get("operation").and_then(Json::as_str).and_then(|id| id.split('/').next());
        let of_operation = of_operation.and_then(|name| packs.iter().find(|pack| *pack.name == *name));
        if let (Some(said), Some(other)) = (found, of_operation)
            && said.name != other.name
        {
            self.wrong(
                "operation",
                format!("it is an operation of `{}`, and the rule is for `{}`", other.name, said.name),
            );
        }
        found.or(of_operation).map(|pack| Arc::clone(&pack.name))
    }

    fn operation(&mut self, members: &Map<String, Json>, pack: Option<&str>) -> Option<Arc<str>> {
        let id = self.text(members, "operation")?;
        let known = || self.packs.iter().flat_map(|pack| pack.operations.iter().map(|operation| &operation.name));
        let found = known().find(|name| &***name == id);
        if found.is_none() && self.named == Named::Ever {
            return Some(id.into());
        }
        if found.is_none() {
            let of = |name: &str| pack.is_none_or(|pack| name.split('/').next() == Some(pack));
            let meant = did_you_mean(id, known().map(|name| &**name).filter(|name| of(name)));
            let id = shortened(id, QUOTED);
            self.wrong("operation", format!("there is no operation `{id}`: `standin routes` lists them.{meant}"));
        }
        found.map(Arc::clone)
    }

    fn share(&mut self, given: Option<&Json>) -> f64 {
        let read = match given {
            None => return 1.0,
            Some(Json::Number(number)) => number.as_f64(),
            Some(Json::String(text)) => {
                text.strip_suffix('%').and_then(|text| text.trim().parse::<f64>().ok()).map(|percent| percent / 100.0)
            }
            Some(_) => None,
        };
        match (read, given) {
            (Some(share), _) if share > 0.0 && share <= 1.0 => share,
            (Some(0.0), Some(given)) => {
                self.wrong("share", format!("a rule with the share {} never applies: take it away", quoted(given)));
                1.0
            }
            (_, given) => {
                let given = given.map(quoted).unwrap_or_default();
                self.wrong("share", format!("it is more than 0 and at most 1, or a text such as \"25%\", not {given}"));
                1.0
            }
        }
    }

    fn count(&mut self, given: Option<&Json>) -> Option<u64> {
        let given = given?;
        match given.as_u64() {
            Some(count) if count > 0 => Some(count),
            _ => {
                self.wrong("count", format!("it is a whole number from 1, not {}", quoted(given)));
                None
            }
        }
    }

    fn applied(&mut self, given: Option<&Json>) -> u64 {
        let Some(given) = given else { return 0 };
        given.as_u64().unwrap_or_else(|| {
            self.wrong(APPLIED, format!("it is a whole number from 0, not {}", quoted(given)));
            0
        })
    }

    fn when(&mut self, members: &Map<String, Json>, failure: Option<&Failure>) -> When {
        let Some(text) = self.text(members, "when") else { return When::Before };
        let fails = failure.is_some_and(|failure| !matches!(failure, Failure::Wire(Manner::Dribble { .. })));
        match text {
            _ if !fails && (members.contains_key("latency") || members.contains_key("dribble")) => {
                self.wrong("when", "it belongs to `error` and `fault`: an answer that is only late loses nothing");
            }
            "before" => {}
            "after" => return When::After,
            other => self.wrong("when", format!("it is \"before\" or \"after\", not \"{}\"", shortened(other, QUOTED))),
        }
        When::Before
    }

    fn failure(&mut self, members: &Map<String, Json>, pack: Option<&str>) -> Option<Failure> {
        let said: Vec<&str> =
            ["error", "fault", "dribble"].into_iter().filter(|name| members.contains_key(*name)).collect();
        if let [first, second, ..] = said.as_slice() {
            self.wrong(second, format!("a rule has one of `error`, `fault` and `dribble`, and this one has `{first}`"));
            return None;
        }
        match *said.first()? {
            "error" => self.error(members, pack),
            "fault" => self.fault(members),
            _ => self.dribble(members.get("dribble")?),
        }
    }

    fn error(&mut self, members: &Map<String, Json>, pack: Option<&str>) -> Option<Failure> {
        let name = self.text(members, "error")?;
        let packs = self.packs.iter().filter(|known| pack.is_none_or(|name| name == &*known.name));
        let mut known: Vec<&Arc<str>> = packs.flat_map(|pack| pack.errors.iter().map(|error| &error.name)).collect();
        known.sort_unstable();
        known.dedup();
        let Some(found) = known.iter().find(|known| &****known == name) else {
            if self.named == Named::Ever {
                return Some(Failure::Error(name.into()));
            }
            let meant = did_you_mean(name, known.iter().map(|name| &***name));
            let of = pack.map_or("no pack".to_owned(), |pack| format!("the pack `{pack}`, which"));
            let has = all_of(known.iter().map(|name| &***name));
            let words = match pack {
                Some(_) => format!("it is no error of {of} has {has}.{meant}"),
                None => format!("{of} has such an error.{meant}"),
            };
            self.wrong("error", words);
            return None;
        };
        Some(Failure::Error(Arc::clone(found)))
    }

    fn fault(&mut self, members: &Map<String, Json>) -> Option<Failure> {
        let name = self.text(members, "fault")?;
        Some(match name {
            "connection-reset" => Failure::Wire(Manner::Reset),
            "empty-response" => Failure::Wire(Manner::Empty),
            "truncated-body" => Failure::Wire(Manner::Truncated),
            "malformed-chunk" => Failure::Wire(Manner::Malformed),
            "malformed-body" => Failure::MalformedBody,
            "random-data" => Failure::RandomData,
            other => {
                let meant = did_you_mean(other, FAULTS);
                self.wrong("fault", format!("there is no such fault: {}.{meant}", there_are(FAULTS)));
                return None;
            }
        })
    }

    fn dribble(&mut self, given: &Json) -> Option<Failure> {
        let members = self.object("dribble", given, &["pieces", "over"])?;
        let pieces = members.get("pieces").and_then(Json::as_u64).and_then(|pieces| u32::try_from(pieces).ok());
        let pieces = pieces.filter(|pieces| (1..=MOST_PIECES).contains(pieces));
        if pieces.is_none() {
            self.wrong("dribble", format!("`pieces` is a whole number from 1 to {MOST_PIECES}"));
        }
        let over = self.time("dribble", "over", members.get("over"));
        Some(Failure::Wire(Manner::Dribble { pieces: pieces?, over: over? }))
    }

    /// A time, or `{median, sigma, most}`.
    fn latency(&mut self, given: &Json) -> Option<Latency> {
        if given.is_string() {
            return self.time("latency", "latency", Some(given)).map(Latency::Fixed);
        }
        let members = self.object("latency", given, &["median", "sigma", "most"])?;
        let median = self.time("latency", "median", members.get("median"));
        let most = match members.get("most") {
            None => Some(LONGEST_DELAY),
            most => self.time("latency", "most", most),
        };
        let sigma = members.get("sigma").and_then(Json::as_f64).filter(|sigma| (0.0..=WIDEST).contains(sigma));
        if sigma.is_none() {
            self.wrong("latency", format!("`sigma` is a number from 0 to {WIDEST}: 0.4 is a common spread"));
        }
        Some(Latency::LogNormal { median: median?, sigma: sigma?, most: most? })
    }

    fn object<'g>(&mut self, name: &str, given: &'g Json, known: &[&str]) -> Option<&'g Map<String, Json>> {
        let Json::Object(members) = given else {
            let one = if name == "latency" { "a time such as \"250ms\", or an object" } else { "an object" };
            let known = all_of(known.iter().copied());
            self.wrong(name, format!("it is {one} with {known}, not {}", quoted(given)));
            return None;
        };
        if let Some(unknown) = members.keys().find(|name| !known.contains(&name.as_str())) {
            let meant = did_you_mean(unknown, known.iter().copied());
            let unknown = shortened(unknown, QUOTED);
            self.wrong(
                name,
                format!("`{unknown}` is not understood: it has {}.{meant}", all_of(known.iter().copied())),
            );
            return None;
        }
        Some(members)
    }

    fn time(&mut self, member: &str, name: &str, given: Option<&Json>) -> Option<Duration> {
        let text = match given {
            Some(Json::String(text)) => text,
            Some(other) => {
                self.wrong(member, format!("`{name}` is a time such as \"250ms\", not {}", quoted(other)));
                return None;
            }
            None => {
                self.wrong(member, format!("`{name}` is missing: a time such as \"250ms\""));
                return None;
            }
        };
        let read = Span::parse(text).map(Span::micros);
        match read.map(u64::try_from) {
            Ok(Ok(micros)) if Duration::from_micros(micros) <= LONGEST_DELAY => Some(Duration::from_micros(micros)),
            Ok(Ok(_)) => {
                self.wrong(member, format!("`{name}` is at most {} minutes", LONGEST_DELAY.as_secs() / 60));
                None
            }
            Ok(Err(_)) => {
                self.wrong(member, format!("`{name}` is {text}: nothing can come before it is asked for"));
                None
            }
            Err(why) => {
                self.wrong(member, format!("`{name}`: {}", shortened(&why, QUOTED * 2)));
                None
            }
        }
    }
}

fn without(members: &Map<String, Json>, name: &str) -> Json {
    let mut members = members.clone();
    members.shift_remove(name);
    Json::Object(members)
}

use std::fmt;
use std::sync::Arc;

use http::{Method, Version};
use serde_json::{Map, Value as Json};

use super::agenda::{LONGEST, digest, outcome};
use super::compare::{Facts, answer, changed, name, performed, way};
use super::format::{EntryLine, ExchangeLine, Head, OutcomeLine, Payload, RequestLine, What, headers};
use super::read::Bundle;
use super::write::{delivery_line, files, records};
use crate::clock::{Instant, Mode, Real};
use crate::diagnostic::all_of;
use crate::engine::{self, Edit, EventFault, Mistake, NotPlanned, Plan, Rules, Setting, StateFault};
use crate::exchange::{Body, Request};
use crate::journal::{self, Entry};
use crate::pack::{Chosen, Pack};
use crate::sandbox::agenda::{Agenda, Most};
use crate::sandbox::{Beginning, Controls, Ground, Nobody, Sandbox, SandboxId, World};

/// What came of doing everything in a bundle again.
#[derive(Debug)]
pub(crate) struct Proof {
    pub(crate) sandbox: String,
    pub(crate) seed: u64,
    /// Of the standin that wrote the bundle.
    pub(crate) version: String,
    /// How many entries had to make room before the first, and are not proved.
    pub(crate) evicted: u64,
    /// How many entries came out the same, and how many of them are exchanges.
    pub(crate) entries: usize,
    pub(crate) exchanges: usize,
    /// How many are attempts to deliver a webhook.
    pub(crate) attempts: usize,
    /// Packs of the bundle whose files are others here.
    pub(crate) changed: Vec<PackChange>,
    pub(crate) altered: bool,
    /// The first entry that came out otherwise.
    pub(crate) difference: Option<Difference>,
    /// Whether the records at the end are those that were there: then the log has everything that changed them.
    pub(crate) records: bool,
    /// Whether what is to happen then, and what went out, is what it was.
    pub(crate) agenda: bool,
}

impl Proof {
    /// Whether everything came out as it is written, and what is written is what was.
    pub(crate) fn holds(&self) -> bool {
        !self.altered && self.difference.is_none() && self.records && self.agenda
    }
}

/// Files of a pack that are not what they were.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PackChange {
    pub(crate) pack: String,
    pub(crate) files: Vec<String>,
}

/// An entry that came out otherwise.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) entry: u64,
    /// Of the bundle.
    pub(crate) line: usize,
    /// What was done.
    pub(crate) what: String,
    pub(crate) operation: Option<String>,
    /// How it came out otherwise: one line a fact.
    pub(crate) facts: Vec<String>,
}

/// Why nothing can be done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unplayable {
    /// Packs that the bundle is about and that are not here.
    Packs(Vec<String>),
    /// The head is not what it should be; in words.
    Head(String),
    /// The records that the log begins with do not fit the pack; in words.
    World(String, String),
}

impl fmt::Display for Unplayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unplayable::Packs(names) => {
                write!(f, "the bundle is about {}: not here", all_of(names.iter().map(String::as_str)))
            }
            Unplayable::Head(words) => f.write_str(words),
            Unplayable::World(pack, words) => {
                write!(f, "the records that the log begins with do not fit the pack `{pack}`: {words}")
            }
        }
    }
}

/// Nothing depends on the real time here.
const STILL: Real = Real(0);

/// Does everything in a bundle again, in a sandbox like the one that it is of. `packs` are those that are here.
pub(crate) fn replay(bundle: Bundle, packs: &[Arc<Pack>]) -> Result<Proof, Unplayable> {
    let Bundle { mut head, entries, records: then, agenda: left, altered } = bundle;
    let (player, changed) = player(&mut head, packs)?;
    let bounds = head.agenda;
    let mut proof = Proof {
        sandbox: head.sandbox,
        seed: head.seed,
        version: head.version,
        evicted: head.evicted,
        entries: 0,
        exchanges: 0,
        attempts: 0,
        changed,
        altered,
        difference: None,
        records: false,
        agenda: false,
    };
    for (index, line) in entries.into_iter().enumerate() {
        let (exchange, attempt) = (matches!(line.what, What::Exchange(_)), matches!(line.what, What::Attempt(_)));
        let entry = line.entry;
        let (what, operation) = name(&line);
        let facts = player.play(line).unwrap_or_else(|why| vec![why]);
        if !facts.is_empty() {
            proof.difference = Some(Difference { entry, line: index + 2, what, operation, facts });
            break;
        }
        proof.entries += 1;
        proof.exchanges += usize::from(exchange);
        proof.attempts += usize::from(attempt);
    }
    let worlds: Vec<World> = (0..player.packs.len()).map(|pack| player.sandbox.holding(pack).1).collect();
    proof.records = records(&worlds, &player.packs) == then;
    // Where it is not told, nothing happened by itself when the bundle was written.
    let present = || digest(&player.sandbox.agenda(STILL), &player.packs);
    proof.agenda = left == bounds.map(|_| present());
    Ok(proof)
}

/// Does everything in a bundle again, whatever comes out otherwise, and gives the entries that come of it: one for each of the
/// bundle. The error is what cannot be done at all, with its entry.
pub(crate) fn again(bundle: Bundle, packs: &[Arc<Pack>]) -> Result<Vec<Arc<Entry>>, (u64, String)> {
    let Bundle { mut head, entries, .. } = bundle;
    let (player, _) = player(&mut head, packs).map_err(|why| (0, why.to_string()))?;
    let mut done = Vec::with_capacity(entries.len());
    for line in entries {
        let number = line.entry;
        player.play(line).map_err(|why| (number, why))?;
        let entry = player.sandbox.log(|log| log.entries().next_back().cloned());
        done.push(entry.ok_or_else(|| (number, "it was not entered in the log".to_owned()))?);
    }
    Ok(done)
}

/// A sandbox like the one that a bundle is of, and what is another in the packs that are here.
fn player(head: &mut Head, packs: &[Arc<Pack>]) -> Result<(Player, Vec<PackChange>), Unplayable> {
    let used: Vec<Option<&Arc<Pack>>> =
        head.packs.iter().map(|line| packs.iter().find(|pack| *pack.name == *line.name)).collect();
    let missing = head.packs.iter().zip(&used).filter(|(_, found)| found.is_none());
    let missing: Vec<String> = missing.map(|(line, _)| line.name.clone()).collect();
    if !missing.is_empty() {
        return Err(Unplayable::Packs(missing));
    }
    let packs: Arc<[Arc<Pack>]> = used.into_iter().flatten().cloned().collect();
    let changed = head.packs.iter().zip(&*packs).filter_map(|(line, pack)| change(&line.files, pack)).collect();
    let agenda = head.start.agenda.take().map(|line| line.read(&packs)).transpose();
    let agenda = agenda.map_err(|why| Unplayable::Head(format!("what was to happen when the log begins: {why}")))?;
    Ok((
        Player {
            rules: Rules { json_depth: head.rules.json_depth, strict: head.rules.strict },
            sandbox: sandbox(head, agenda, &packs)?,
            packs,
        },
        changed,
    ))
}

fn change(then: &Map<String, Json>, pack: &Arc<Pack>) -> Option<PackChange> {
    let now = files(pack);
    let other = |path: &&String| then.get(*path) != now.get(*path);
    let mut files: Vec<String> = then.keys().chain(now.keys()).filter(other).cloned().collect();
    files.sort();
    files.dedup();
    (!files.is_empty()).then(|| PackChange { pack: pack.name.to_string(), files })
}

/// A sandbox as it was before the first entry.
fn sandbox(head: &Head, agenda: Option<Agenda>, packs: &Arc<[Arc<Pack>]>) -> Result<Sandbox, Unplayable> {
    let bad = |words: String| Unplayable::Head(words);
    let chosen: Result<Vec<Chosen>, String> = head
        .options
        .iter()
        .map(|(path, value)| {
            let (pack, definition) = Chosen::find(packs, path)?;
            let value = definition.read(value).map_err(|why| format!("`{path}`: {why}"))?;
            Ok(definition.choose(pack, value))
        })
        .collect();
    let chosen = chosen.map_err(|why| bad(format!("an option of the bundle: {why}")))?;
    let start = &head.start;
    let ground = match &start.worlds {
        None => Ground::new(Arc::clone(packs), chosen, start.shift, head.seed)
            .map_err(|(pack, conflict)| Unplayable::World(pack, format!("{conflict:?}")))?,
        Some(dumps) => {
            let world = |pack: &Arc<Pack>| {
                let dump = dumps.get(&*pack.name).ok_or_else(|| "they are missing".to_owned());
                dump.and_then(|dump| World::from_dump(pack, dump))
                    .map_err(|why| Unplayable::World(pack.name.to_string(), why))
            };
            let worlds = packs.iter().map(world).collect::<Result<_, _>>()?;
            Ground::beginning_with(Arc::clone(packs), chosen, worlds, start.shift, head.seed)
        }
    };
    let beginning = Beginning {
        instant: Instant::parse(&start.at).map_err(bad)?,
        mode: mode(&start.mode).map_err(bad)?,
        // What was done is compared at once, and need not be kept; but what went out is kept as long as it was.
        journal: head.agenda.map_or(journal::Limits { entries: 1, bytes: 0 }, |bounds| journal::Limits {
            entries: bounds.deliveries,
            bytes: bounds.bytes,
        }),
        snapshots: 0,
        agenda,
        most_agenda: head.agenda.map_or(usize::MAX, |bounds| bounds.things),
        deeds: engine::DEEDS,
        carrier: Arc::new(Nobody),
        counted: Arc::default(),
        controls: match &start.controls {
            None => Controls::default(),
            Some(dumped) => engine::controls(packs, dumped).map_err(|mistakes| bad(told(&mistakes)))?,
        },
    };
    let id = SandboxId::parse(&head.sandbox).map_err(bad)?;
    // Far more than can happen, and far less than can be counted.
    if start.position > LONGEST {
        return Err(bad(format!("no log is as long as `position` says: {}", start.position)));
    }
    let sandbox = Sandbox::after(id, beginning, Arc::new(ground), start.position, STILL);
    sandbox.by_hand();
    Ok(sandbox)
}

/// Mistakes in one line.
fn told(mistakes: &[Mistake]) -> String {
    let told = mistakes.iter().map(|mistake| format!("`{}`: {}", mistake.pointer, mistake.message));
    told.collect::<Vec<_>>().join("; ")
}

fn mode(name: &str) -> Result<Mode, String> {
    Mode::named(name).ok_or_else(|| format!("`{name}` is no way for a clock to move"))
}

struct Player {
    sandbox: Sandbox,
    packs: Arc<[Arc<Pack>]>,
    rules: Rules,
}

impl Player {
    fn play(&self, line: EntryLine) -> Facts {
        match line.what {
            What::Clock { from, now, mode: how } => {
                self.sandbox.stand_at(Instant::parse(&from)?);
                self.sandbox.set_clock(Some(Instant::parse(&now)?), Some(mode(&how)?), STILL);
                Ok(Vec::new())
            }
            What::Exchange(exchange) => {
                self.sandbox.stand_at(Instant::parse(&line.at)?);
                self.exchange(*exchange)
            }
            What::Event { scheduled: Some(ref scheduled), .. } => {
                let from = Instant::parse(&scheduled.from)?;
                self.due(from, line)
            }
            What::Attempt(ref attempt) => {
                let place = (Instant::parse(&attempt.due)?, attempt.place);
                self.sandbox.take_back_again(&attempt.delivery, Some(place));
                let from = Instant::parse(&attempt.from)?;
                self.due(from, line)
            }
            What::Outcome(came) => {
                self.sandbox.stand_at(Instant::parse(&line.at)?);
                let OutcomeLine { delivery, attempt, outcome: line, took_micros } = *came;
                let entry = self.sandbox.receive_again(&delivery, attempt, outcome(line)?, took_micros);
                entry.map(|_| Vec::new()).ok_or_else(|| "no such attempt is under way".to_owned())
            }
            What::Event { pack, event, input, changes, scheduled: None } => {
                self.sandbox.stand_at(Instant::parse(&line.at)?);
                let (index, definition) = self.pack(&pack)?;
                let event = definition.event_named(&event);
                let event = event.ok_or_else(|| format!("the pack `{pack}` has no such event any more"))?;
                let entry = self
                    .sandbox
                    .intervene(index, STILL, |pack, moment| engine::fire(pack, moment, event, &input))
                    .map_err(|fault| match fault {
                        EventFault::Invalid(_) => "it is refused: its input does not fit".to_owned(),
                        EventFault::Missing(why) | EventFault::Refused(why) => format!("it is refused: {why}"),
                    })?;
                Ok(changed(&changes, &entry))
            }
            What::Setting { method, path, body } => {
                self.sandbox.stand_at(Instant::parse(&line.at)?);
                if let Some(plan) = Plan::of(&self.packs, &method, &path, body.as_ref()) {
                    return self.plan(&plan?);
                }
                let setting =
                    Setting::of(&method, &path, body).ok_or_else(|| format!("`{method} {path}` sets nothing"))?;
                let set = self.sandbox.set(STILL, |controls| engine::set(&self.packs, controls, &setting));
                set.map(|_| Vec::new()).map_err(|mistakes| format!("it is refused: {}", told(&mistakes)))
            }
            What::State { method, pack, resource, id, body, changes } => {
                self.sandbox.stand_at(Instant::parse(&line.at)?);
                let (index, definition) = self.pack(&pack)?;
                let resource = definition
                    .resource_named(&resource)
                    .ok_or_else(|| format!("the pack `{pack}` has no resource `{resource}` any more"))?;
                let edit = Edit::of(&method, &id, body).ok_or_else(|| format!("`{method}` is no edit of a record"))?;
                let entry = self
                    .sandbox
                    .intervene(index, STILL, |pack, moment| engine::edit(pack, moment, resource, &edit))
                    .map_err(|fault| match fault {
                        StateFault::NotFound => "there is no such record".to_owned(),
                        StateFault::Invalid(why) | StateFault::Conflict(why) => format!("it is refused: {why}"),
                    })?;
                Ok(changed(&changes, &entry))
            }
        }
    }

    /// Something whose time had come.
    fn due(&self, from: Instant, line: EntryLine) -> Facts {
        self.sandbox.stand_at(from);
        let entry = self.sandbox.perform_again().ok_or("nothing is to happen")?;
        performed(line, &entry)
    }

    /// A change of what is to happen.
    fn plan(&self, plan: &Plan) -> Facts {
        if let Plan::Redeliver(id) = plan {
            self.sandbox.take_back_again(id, None);
        }
        // That there was room is said by its being there.
        let planned =
            self.sandbox.plan(STILL, |ground, agenda, now| engine::plan(&ground.packs, agenda, plan, now, Most::NONE));
        planned.map(|_| Vec::new()).map_err(|why| match why {
            NotPlanned::Full(_) | NotPlanned::Heavy(_) => "it is refused: the agenda is full".to_owned(),
            NotPlanned::NoEvent(number) => format!("it is refused: nobody has asked for an event {number}"),
            NotPlanned::NoDelivery(id) => format!("it is refused: there is no delivery `{id}`"),
            NotPlanned::Unsent(id) => format!("it is refused: the delivery `{id}` is none that is sent"),
            NotPlanned::UnderWay(id) => format!("it is refused: an attempt of the delivery `{id}` is under way"),
        })
    }

    fn pack(&self, name: &str) -> Result<(usize, &Arc<Pack>), String> {
        let found = self.packs.iter().enumerate().find(|(_, pack)| *pack.name == *name);
        found.ok_or_else(|| format!("the bundle has no pack `{name}`"))
    }

    fn exchange(&self, line: ExchangeLine) -> Facts {
        let ExchangeLine { pack, operation, request, response, delivery, changes: then } = line;
        let request = Arc::new(read(request)?);
        match pack {
            Some(name) => {
                let (index, _) = self.pack(&name)?;
                let rules = self.rules;
                self.sandbox.exchange(index, request, &|| STILL, |pack, moment, request| {
                    engine::handle(pack, moment, request, rules)
                });
            }
            None => {
                let rules = self.rules;
                self.sandbox.astray(request, STILL, |ground, controls, draws, request| {
                    engine::astray(&ground.packs, &ground.options, controls, draws, request, rules)
                });
            }
        }
        let entry = self.sandbox.log(|log| log.entries().next_back().cloned());
        let Some(exchanged) = entry.as_ref().and_then(|entry| entry.exchange()) else {
            return Err("it was not entered in the log".to_owned());
        };
        let mut facts = answer(response, &exchanged.response)?;
        if exchanged.operation.as_deref() != operation.as_deref() {
            let named = |name: Option<&str>| name.map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
            let (then, now) = (named(operation.as_deref()), named(exchanged.operation.as_deref()));
            facts.push(format!("operation: it was {then}, it is {now}"));
        }
        let sent = exchanged.delivery.as_deref().map(delivery_line);
        if sent != delivery {
            facts.push(format!("delivery: it was {}, it is {}", way(delivery.as_ref()), way(sent.as_ref())));
        }
        if let Some(entry) = &entry {
            facts.append(&mut changed(&then, entry));
        }
        Ok(facts)
    }
}

fn read(line: RequestLine) -> Result<Request, String> {
    let method = Method::from_bytes(line.method.as_bytes()).map_err(|_| format!("`{}` is no method", line.method))?;
    let body = match line.body {
        Payload::LargerThan(limit) => Body::TooLarge { limit },
        body => Body::Whole(body.bytes()?),
    };
    Ok(Request {
        method,
        base: line.base,
        path: line.path,
        bare: line.bare,
        query: line.query,
        version: Version::HTTP_11,
        headers: headers(line.headers)?,
        body,
    })
}

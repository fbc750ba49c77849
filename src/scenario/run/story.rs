//! One scenario, told in a sandbox of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method};
use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};
use tokio::time::timeout;

use super::line::{Given, Last, Line, Now, scope};
use super::show::sent;
use super::{Plan, Turn, ask, call, took, unmade};
use crate::client::{ControlFault, Fault, Once, Receiver, Says};
use crate::clock::Instant;
use crate::coverage;
use crate::expr::EvalFault;
use crate::pack::Pack;
use crate::scenario::{
    Answer, Ask, Branches, Call, Failure, Known, Miss, Outcome, Receive, Reply, Scenario, Shown, Step, Told, ToldStep,
    What,
};

/// How long one call may take at most. A scenario may have less.
const CALL: Duration = Duration::from_secs(30);

/// How long the end of a sandbox is waited for.
const END: Duration = Duration::from_secs(10);

/// The most steps of which a report tells. Further ones are run, and told when they fail.
const MOST_TOLD: usize = 10_000;

/// Why a line of steps goes no further.
pub(super) enum Halt {
    /// A step within this one has failed, and says why.
    Within,
    Failed(Box<Failure>),
    /// The server is down, or refuses what the scenario needs to be run at all.
    Broken(Box<Failure>),
}

impl Halt {
    pub(super) fn failed(summary: impl Into<String>, help: Option<String>) -> Self {
        Halt::Failed(Box::new(Failure { summary: summary.into(), help, ..Failure::default() }))
    }
}

impl From<EvalFault> for Halt {
    fn from(fault: EvalFault) -> Self {
        Halt::failed(fault.to_string(), None)
    }
}

impl From<call::Unmade> for Halt {
    fn from(unmade: call::Unmade) -> Self {
        Halt::failed(unmade.words, unmade.help)
    }
}

/// What is the same for all steps of one run.
pub(super) struct Story<'a> {
    pub(super) plan: &'a Plan,
    pub(super) scenario: &'a Scenario,
    pub(super) row: &'a Json,
    pub(super) sandbox: String,
    base: String,
    seed: u64,
    pub(super) receivers: Mutex<BTreeMap<Arc<str>, Arc<Receiver>>>,
    /// Those that have arrived, by their ids, as they were when somebody last looked.
    pub(super) deliveries: Mutex<BTreeMap<String, Json>>,
    book: Mutex<Book>,
    /// What is waited for, while something is.
    pub(super) waits: Mutex<Option<String>>,
}

/// The steps that had their turn.
#[derive(Default)]
struct Book {
    steps: Vec<ToldStep>,
    /// Those that have not ended.
    open: Vec<usize>,
    broken: bool,
}

/// Tells the scenario to its end, or to where it fails.
pub(super) async fn tell(
    plan: &Plan,
    turn: &Turn,
    open: &Mutex<BTreeSet<String>>,
) -> (Told, Option<(String, coverage::Report)>) {
    let began = (plan.real)();
    let mut covered = None;
    let mut told = plan.told(turn);
    let scenario = &*turn.scenario;
    match made(plan, scenario).await {
        Ok((sandbox, seed)) => {
            open.lock().insert(sandbox.clone());
            told.sandbox = Some(sandbox.clone());
            told.seed = Some(seed);
            let base = format!("{}/~{sandbox}/{}", plan.client.base(), plan.pack(scenario.pack).name);
            let story = Story {
                plan,
                scenario,
                row: &scenario.rows[turn.row].values,
                sandbox,
                base,
                seed,
                receivers: Mutex::default(),
                deliveries: Mutex::default(),
                book: Mutex::default(),
                waits: Mutex::default(),
            };
            let mut line = Line::default();
            if timeout(plan.timeout, story.steps(&scenario.steps, &mut line)).await.is_err() {
                story.late();
            }
            let book = std::mem::take(&mut *story.book.lock());
            let has_failed = book.steps.iter().any(|step| step.failure.is_some());
            told.outcome = match (book.broken, has_failed) {
                (true, _) => Outcome::Broken,
                (false, true) => Outcome::Failed,
                (false, false) => Outcome::Passed,
            };
            told.steps = book.steps;
            if plan.covers {
                covered = story.covered().await;
            }
            if !plan.keep {
                end(plan, &story.sandbox).await;
            }
            open.lock().remove(&story.sandbox);
        }
        Err(step) => {
            told.outcome = Outcome::Broken;
            told.steps.push(*step);
        }
    }
    told.took = took(began, (plan.real)());
    (told, covered)
}

/// Deletes a sandbox. What is not there any more has ended, too.
pub(super) async fn end(plan: &Plan, sandbox: &str) {
    let path = format!("/sandboxes/{sandbox}");
    let _ = plan.client.within(END).control(None, Method::DELETE, &path, None).await;
}

/// Makes a sandbox: its id, and its seed.
async fn made(plan: &Plan, scenario: &Scenario) -> Result<(String, u64), Box<ToldStep>> {
    let given = &scenario.given;
    let mut body = Map::new();
    body.insert("mode".to_owned(), json!(if given.ticking { "ticking" } else { "frozen" }));
    if let Some(clock) = given.clock {
        body.insert("clock".to_owned(), json!(clock.to_string()));
    }
    if let Some(seed) = given.seed {
        body.insert("seed".to_owned(), json!(seed));
    }
    if !given.options.is_empty() {
        body.insert("options".to_owned(), given.options.iter().cloned().collect());
    }
    let broken = |summary: String, help: Option<String>| Box::new(unmade(scenario, "make its sandbox", summary, help));
    let call = plan.client.within(CALL.min(plan.timeout));
    let answer = call.control(None, Method::POST, "/sandboxes", Some(&Json::Object(body))).await.map_err(|fault| {
        let help = match &fault {
            ControlFault::Refused(refused) => remedy(&refused.slug),
            ControlFault::Fault(_) | ControlFault::Strange(_) => None,
        };
        broken(fault.to_string(), help)
    })?;
    let (Some(id), Some(seed)) = (answer["id"].as_str(), answer["seed"].as_u64()) else {
        return Err(broken(format!("{} made no sandbox", plan.client.base()), None));
    };
    let name = &*plan.pack(scenario.pack).name;
    if answer["baseUrls"].get(name).is_none() {
        let help = format!("serve it there: `standin serve {name}`, or all packs");
        return Err(broken(format!("{} does not serve the pack `{name}`", plan.client.base()), Some(help)));
    }
    Ok((id.to_owned(), seed))
}

fn remedy(slug: &str) -> Option<String> {
    let words = match slug {
        "token-required" => "give the server's token with --token, or as STANDIN_TOKEN",
        "sandboxes-full" => "delete sandboxes that nobody needs, or have fewer --jobs",
        "host-unknown" => "start the server with --allow-host and this name",
        _ => return None,
    };
    Some(words.to_owned())
}

type Lane<'s> = Pin<Box<dyn Future<Output = Result<(), Halt>> + Send + 's>>;

impl Story<'_> {
    /// One step after the other, until one fails.
    pub(super) fn steps<'s>(&'s self, steps: &'s [Step], line: &'s mut Line) -> Lane<'s> {
        Box::pin(async move {
            for (place, step) in steps.iter().enumerate() {
                let number = line.number(place);
                let turn = self.begin(step, line);
                let began = (self.plan.real)();
                let outcome = self.step(step, number, line).await;
                let took = took(began, (self.plan.real)());
                let is_good = outcome.is_ok();
                self.end(turn, step, line, took, outcome);
                if !is_good {
                    return Err(Halt::Within);
                }
            }
            Ok(())
        })
    }

    fn begin(&self, step: &Step, line: &Line) -> Option<usize> {
        let mut book = self.book.lock();
        if book.steps.len() >= MOST_TOLD {
            return None;
        }
        let turn = book.steps.len();
        book.steps.push(told(step, line));
        book.open.push(turn);
        Some(turn)
    }

    fn end(&self, turn: Option<usize>, step: &Step, line: &Line, took: Duration, outcome: Result<(), Halt>) {
        let mut book = self.book.lock();
        let failure = match outcome {
            Ok(()) => None,
            Err(Halt::Within) => {
                let summary = "a step within it has failed".to_owned();
                Some(Box::new(Failure { summary, ..Failure::default() }))
            }
            Err(Halt::Failed(failure)) => Some(failure),
            Err(Halt::Broken(failure)) => {
                book.broken = true;
                Some(failure)
            }
        };
        match turn {
            Some(turn) => {
                book.open.retain(|open| *open != turn);
                book.steps[turn].took = took;
                book.steps[turn].failure = failure;
            }
            None if failure.is_some() => book.steps.push(ToldStep { took, failure, ..told(step, line) }),
            None => {}
        }
    }

    /// The time is over: what was under way has failed.
    fn late(&self) {
        let waits = self.waits.lock().take().map_or_else(String::new, |what| format!(", and waited for {what}"));
        let summary = format!("the scenario was not done within {:?}: this was under way{waits}", self.plan.timeout);
        let help = "see what it waits for, or give it longer with --timeout".to_owned();
        let failure = Box::new(Failure { summary, help: Some(help), ..Failure::default() });
        let mut book = self.book.lock();
        match book.open.last().copied() {
            Some(turn) => book.steps[turn].failure = Some(failure),
            None => {
                let step = unmade(self.scenario, "run it", failure.summary, failure.help);
                book.steps.push(step);
            }
        }
    }

    async fn step(&self, step: &Step, number: u64, line: &mut Line) -> Result<(), Halt> {
        match &step.what {
            What::Call(call) => self.call(step, call, number, line).await?,
            What::Ask(ask) => self.ask(step, ask, number, line).await?,
            What::Receive(receive) => self.receive(receive).await?,
            What::Repeat { times, steps } => {
                for round in 1..=*times {
                    let mut inner = line.inner(number, Some(round));
                    self.steps(steps, &mut inner).await?;
                    (line.kept, line.last, line.fault) = (inner.kept, inner.last, inner.fault);
                }
            }
            What::Parallel(branches) => self.parallel(branches, number, line).await?,
            What::Expect => {}
        }
        self.look(step, number, line).await?;
        self.keep(step, number, line).await
    }

    /// All branches at once. What they keep is known afterwards, unless they all keep the same.
    async fn parallel(&self, branches: &Branches, number: u64, line: &mut Line) -> Result<(), Halt> {
        let lanes: Vec<(&[Step], Line)> = match branches {
            Branches::Copies(count, steps) => {
                (1..=*count).map(|round| (&steps[..], line.inner(number, Some(round)))).collect()
            }
            Branches::Each(branches) => {
                let inner = |place: usize| Line { round: line.round, ..line.inner(number, Some(place)) };
                branches.iter().enumerate().map(|(place, steps)| (&steps[..], inner(place))).collect()
            }
        };
        let ended = all(lanes.into_iter().map(|(steps, mut inner)| async move {
            let outcome = self.steps(steps, &mut inner).await;
            outcome.map(|()| inner)
        }))
        .await;
        let mut kept = Vec::new();
        for inner in ended {
            kept.extend(inner?.kept);
        }
        if let Branches::Each(_) = branches {
            // A branch has what was known before, too; only what it changed counts.
            for (name, value) in kept {
                if line.kept.get(&name) != Some(&value) {
                    line.kept.insert(name, value);
                }
            }
        }
        Ok(())
    }

    async fn call(&self, step: &Step, call: &Call, number: u64, line: &mut Line) -> Result<(), Halt> {
        let pack = self.plan.pack(call.pack);
        let ready = self.known(number, line, |known| Ok(call::ready(call, pack, known)?)).await?;
        let name = if call.outside { String::new() } else { format!("/{}", pack.name) };
        let before = format!("/~{}{name}", self.sandbox);
        let mut request = ready.request(&before)?;
        let wanted = step.expect.as_ref().and_then(|expect| expect.fault.as_deref());
        if wanted.is_some() {
            request.extensions_mut().insert(Once);
        }
        let shown = sent(&ready.method, &format!("{name}{}", ready.path), &ready.headers, &ready.body);
        let client = self.plan.client.within(CALL.min(self.plan.timeout));
        match client.send(request).await {
            Ok(response) => {
                let answer = answered(response);
                line.last = Some(Last { answer, sent: shown, call: Some((call.pack, call.operation)) });
                line.fault = None;
                Ok(())
            }
            Err(fault) if wanted == Some(fault.name()) => {
                (line.last, line.fault) = (None, Some(fault.name()));
                Ok(())
            }
            Err(fault) => {
                let trace = match call.outside {
                    true => None,
                    false => self.broken_off(&fault, &ready.method, &ready.path).await,
                };
                Err(self.unanswered(&fault, wanted, shown, trace).await)
            }
        }
    }

    /// Nothing whole came back. There is a trace where a rule has seen to that.
    async fn unanswered(&self, fault: &Fault, wanted: Option<&str>, sent: Shown, trace: Option<Vec<String>>) -> Halt {
        let name = fault.name();
        let words = if self.plan.own || trace.is_some() { fault.without_log().to_owned() } else { fault.to_string() };
        let found = format!("{name} ({words})");
        let help = match (&trace, fault) {
            (Some(_), _) => Some(format!(
                "a rule of the faults has done this: where it is meant, write `expect: {{ fault: {name} }}`"
            )),
            (None, Fault::Late(_)) => Some("give it longer with --timeout".to_owned()),
            (None, _) => None,
        };
        let wanted = wanted.unwrap_or("a whole answer").to_owned();
        let is_broken = matches!(fault, Fault::Down(_) | Fault::Untrusted(_));
        let (summary, misses) = if is_broken {
            (words, Vec::new())
        } else {
            let miss = Miss { what: "answer".to_owned(), wanted, found };
            (format!("no answer came: {}", miss.found), vec![miss])
        };
        let request = self.secrets().await.map(|secrets| secrets.shown(sent));
        let failure = Box::new(Failure {
            summary,
            misses,
            request,
            trace: trace.unwrap_or_default(),
            help,
            ..Failure::default()
        });
        if is_broken { Halt::Broken(failure) } else { Halt::Failed(failure) }
    }

    async fn ask(&self, step: &Step, ask: &Ask, number: u64, line: &mut Line) -> Result<(), Halt> {
        if matches!(ask, Ask::Rewind(_) | Ask::Restore(_) | Ask::Reset) {
            self.remember().await?;
        }
        let packs = |number: usize| -> &Pack { self.plan.pack(number) };
        let asked = self.known(number, line, |known| Ok(ask::asked(ask, packs, known)?)).await?;
        let text = asked.body.as_ref().map(Json::to_string).unwrap_or_default();
        let shown = sent(&asked.method, &format!("/_standin{}", asked.path), &http::HeaderMap::new(), text.as_bytes());
        // An advance may wait for many receivers. The scenario's own limit holds.
        let client = self.plan.client.within(self.plan.timeout);
        let sandbox = Some(&*self.sandbox);
        let came = client.control_answer(sandbox, asked.method, &asked.path, asked.body.as_ref(), "application/json");
        let answer = match came.await {
            Ok(response) => answered(response),
            Err(fault) => return Err(self.unanswered(&fault, None, shown, None).await),
        };
        let is_refused = !(200..300).contains(&answer.status);
        let says_status = step.expect.as_ref().is_some_and(|expect| !expect.status.is_empty());
        (line.last, line.fault) = (Some(Last { answer, sent: shown, call: None }), None);
        if is_refused && !says_status {
            return Err(self.refused(line).await);
        }
        Ok(())
    }

    async fn receive(&self, receive: &Receive) -> Result<(), Halt> {
        let answers: Vec<Says> = receive.answers.iter().map(says).collect::<Result<_, _>>()?;
        let there = self.receivers.lock().get(&receive.name).cloned();
        if let Some(there) = there {
            there.says(answers);
            return Ok(());
        }
        let made = Receiver::listen(answers).await.map_err(|error| {
            let help = "see whether this machine has sockets and ports left".to_owned();
            Halt::failed(format!("no receiver can listen on this machine: {error}"), Some(help))
        })?;
        self.receivers.lock().insert(Arc::clone(&receive.name), Arc::new(made));
        Ok(())
    }

    async fn keep(&self, step: &Step, number: u64, line: &mut Line) -> Result<(), Halt> {
        if step.keep.is_empty() {
            return Ok(());
        }
        let kept = self
            .known(number, line, |known| {
                let values = step.keep.iter().map(|(name, value)| match value.json(known) {
                    Ok(value) => Ok((Arc::clone(name), value)),
                    Err(fault) => Err((Arc::clone(name), fault)),
                });
                Ok(values.collect::<Result<Vec<_>, _>>())
            })
            .await?;
        match kept {
            Ok(kept) => {
                line.kept.extend(kept);
                Ok(())
            }
            Err((name, fault)) => {
                let wanted = fault.expression;
                let miss = Miss { what: format!("keep `{name}`"), wanted, found: fault.message };
                Err(self.failed(line, vec![miss]).await)
            }
        }
    }

    /// Has something made of what is known now. Where it turns out to need the virtual time, that is asked for, and it is
    /// made again.
    pub(super) async fn known<T>(
        &self,
        number: u64,
        line: &Line,
        make: impl Fn(&Known<'_>) -> Result<T, Halt>,
    ) -> Result<T, Halt> {
        let now = Arc::new(Now::default());
        let urls = |(name, receiver): (&Arc<str>, &Arc<Receiver>)| (name.to_string(), Json::String(receiver.url()));
        let receivers: Map<String, Json> = self.receivers.lock().iter().map(urls).collect();
        let given = Given {
            row: self.row,
            base: &self.base,
            sandbox: &self.sandbox,
            receivers: Json::Object(receivers),
            seed: self.seed,
        };
        let make = || {
            let known = Known { program: &self.scenario.program, scope: scope(&given, line, number, &now) };
            make(&known)
        };
        let made = make();
        if !now.is_missing() {
            return made;
        }
        drop(made);
        now.set(self.now().await?);
        make()
    }

    /// What was exercised in the sandbox.
    async fn covered(&self) -> Option<(String, coverage::Report)> {
        let told = self.control(Method::GET, "/coverage", None).await.ok()?;
        let report = coverage::read(told.to_string().as_bytes()).ok()?;
        Some((self.sandbox.clone(), report))
    }

    /// The virtual time of the sandbox.
    pub(super) async fn now(&self) -> Result<Instant, Halt> {
        let clock = self.control(Method::GET, "/clock", None).await?;
        let now = clock["now"].as_str().and_then(|text| Instant::parse(text).ok());
        now.ok_or_else(|| Halt::failed("the server does not say what time it is", None))
    }

    /// A call of the control plane that no step asks for.
    pub(super) async fn control(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Json, Halt> {
        let client = self.plan.client.within(CALL.min(self.plan.timeout));
        client.control(Some(&self.sandbox), method, path, body).await.map_err(|fault| {
            let failure = |fault: &ControlFault| Box::new(Failure { summary: fault.to_string(), ..Failure::default() });
            match fault {
                ControlFault::Refused(_) => Halt::Failed(failure(&fault)),
                ControlFault::Fault(_) | ControlFault::Strange(_) => Halt::Broken(failure(&fault)),
            }
        })
    }
}

fn told(step: &Step, line: &Line) -> ToldStep {
    let words = match line.round {
        Some(round) => format!("{}, round {round}", step.words),
        None => step.words.to_string(),
    };
    ToldStep { place: step.place.to_string(), words, depth: line.depth, took: Duration::ZERO, failure: None }
}

fn answered(response: http::Response<Bytes>) -> Answer {
    let (parts, body) = response.into_parts();
    Answer::new(parts.status.as_u16(), parts.headers, body)
}

fn says(reply: &Reply) -> Result<Says, Halt> {
    let mut headers = Vec::new();
    for (name, value) in &reply.headers {
        let value = HeaderValue::from_bytes(value.as_bytes());
        let value = value.map_err(|_| Halt::failed(format!("`{name}` cannot be the header of an answer"), None))?;
        headers.push((name.clone(), value));
    }
    let body = match &reply.body {
        None => Bytes::new(),
        Some(Json::String(text)) => Bytes::copy_from_slice(text.as_bytes()),
        Some(json) => {
            if !reply.headers.iter().any(|(name, _)| *name == http::header::CONTENT_TYPE) {
                headers.push((http::header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
            }
            Bytes::from(json.to_string())
        }
    };
    Ok(Says { status: reply.status, headers, body, delay: reply.delay, hangs: reply.hang })
}

/// Waits for all of them. Each goes on whenever it can.
async fn all<T>(futures: impl Iterator<Item = impl Future<Output = T> + Send>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        let mut is_done = true;
        for (future, done) in &mut waiting {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *done = Some(value),
                    Poll::Pending => is_done = false,
                }
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}

//! What a step expects: of the last answer, of the journal, of deliveries, and of what has arrived.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value as Json, json};

use super::line::Line;
use super::show::left_open;
use super::story::{Halt, Story};
use crate::client::{self, Receiver};
use crate::clock::Instant;
use crate::engine::Heard;
use crate::exchange::{DELIVERY, distinct, segment};
use crate::expr::mentioned;
use crate::scenario::{Answer, Arrived, Count, Expect, From, Miss, Sent, Step, Value, What, answer, received};

/// How often it is asked whether anything is under way: soon at first, and then less often.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The most deliveries that a report lists.
const MOST_LISTED: usize = 10;

/// What is counted, and where.
struct Counted {
    word: &'static str,
    path: &'static str,
    one: &'static str,
    many: &'static str,
}

const JOURNAL: Counted = Counted { word: "journal", path: "/journal/count", one: "exchange", many: "exchanges" };
const DELIVERIES: Counted =
    Counted { word: "deliveries", path: "/webhooks/count", one: "delivery", many: "deliveries" };

impl Story<'_> {
    /// Everything that the step expects.
    pub(super) async fn look(&self, step: &Step, number: u64, line: &Line) -> Result<(), Halt> {
        let none = Expect::default();
        let expect = step.expect.as_deref().unwrap_or(&none);
        let is_about_answer = self.is_about_answer(expect);
        if matches!(step.what, What::Call(_)) && !is_about_answer {
            self.answered_by_an_operation(line).await?;
        }
        if let Some(wanted) = expect.fault.as_deref()
            && line.fault != Some(wanted)
        {
            let found = match (&line.last, line.fault) {
                (Some(last), _) => format!("a whole answer with status {}", last.answer.status),
                (None, Some(fault)) => fault.to_owned(),
                (None, None) => "no call yet".to_owned(),
            };
            let miss = Miss { what: "fault".to_owned(), wanted: wanted.to_owned(), found };
            return Err(self.failed(line, vec![miss]).await);
        }
        if expect.fault.is_none() {
            let last = match &line.last {
                Some(last) => last.answer.clone(),
                // What was kept can be looked at without one.
                None if !is_about_answer => Answer::new(0, HeaderMap::new(), Bytes::new()),
                None => {
                    let help = "put it behind a call that is answered".to_owned();
                    return Err(Halt::failed("there is no answer that this could be about", Some(help)));
                }
            };
            let misses = self.known(number, line, |known| Ok(answer(expect, &last, known))).await?;
            if !misses.is_empty() {
                let help = left_open(expect, &misses);
                let mut halt = self.failed(line, misses).await;
                if let Halt::Failed(failure) = &mut halt {
                    failure.help = failure.help.take().or(help);
                }
                return Err(halt);
            }
        }
        let mut misses = Vec::new();
        for (count, conditions) in &expect.journal {
            misses.extend(self.counted(&JOURNAL, *count, conditions, number, line).await?);
        }
        if !expect.deliveries.is_empty() || !expect.received.is_empty() {
            self.settle().await?;
        }
        for (count, conditions) in &expect.deliveries {
            misses.extend(self.counted(&DELIVERIES, *count, conditions, number, line).await?);
        }
        if !expect.received.is_empty() {
            misses.extend(self.received(&expect.received, number, line).await?);
        }
        match misses.is_empty() {
            true => Ok(()),
            false => Err(self.missed(misses).await),
        }
    }

    /// Whether anything of it is about the last answer.
    fn is_about_answer(&self, expect: &Expect) -> bool {
        let Expect { status, headers, body, that, contract, operation, fault, .. } = expect;
        let program = &self.scenario.program;
        !(status.is_empty() && headers.is_empty() && body.is_empty())
            || contract.is_some()
            || operation.is_some()
            || fault.is_some()
            || that.iter().any(|id| mentioned(program.text(*id)).contains("response"))
    }

    /// Of a call of which nothing is said, an operation of the pack answers, or a stub of the scenario.
    async fn answered_by_an_operation(&self, line: &Line) -> Result<(), Halt> {
        let Some(last) = &line.last else { return Ok(()) };
        let has = |name| last.answer.headers.contains_key(name);
        let is_documented = last.call.is_some_and(|(_, operation)| operation.is_some());
        if !is_documented || has("standin-operation") || has("standin-stub") {
            return Ok(());
        }
        let found = format!("status {}, and no operation has made it", last.answer.status);
        let wanted = "an answer of an operation".to_owned();
        Err(self.failed(line, vec![Miss { what: "answer".to_owned(), wanted, found }]).await)
    }

    async fn counted(
        &self,
        counted: &Counted,
        count: Count,
        conditions: &Value,
        number: u64,
        line: &Line,
    ) -> Result<Option<Miss>, Halt> {
        let conditions = self.known(number, line, |known| Ok(conditions.json(known)?)).await?;
        let ask = async |body: &Json| -> Result<u64, Halt> {
            let told = self.control(Method::POST, counted.path, Some(body)).await?;
            told["count"].as_u64().ok_or_else(|| Halt::failed(format!("{} gives no count", counted.path), None))
        };
        let found = ask(&conditions).await?;
        if count.holds(found) {
            return Ok(None);
        }
        let all = ask(&json!({})).await?;
        let is_any = conditions.as_object().is_some_and(serde_json::Map::is_empty);
        let what = if is_any { counted.word.to_owned() } else { format!("{} {conditions}", counted.word) };
        let noun = |count: u64| if count == 1 { counted.one } else { counted.many };
        let wanted = format!("{} {}", count.words(), noun(count.most.unwrap_or(count.least)));
        let mut told = format!("{found} of {all} {}", noun(all));
        if counted.word == DELIVERIES.word && all > 0 {
            told.push_str(&self.listed().await?);
        }
        Ok(Some(Miss { what, wanted, found: told }))
    }

    /// The deliveries that there are, in a few words each.
    async fn listed(&self) -> Result<String, Halt> {
        let list = self.control(Method::GET, &format!("/webhooks?limit={MOST_LISTED}"), None).await?;
        let one = |delivery: &Json| {
            let text = |name: &str| delivery[name].as_str().unwrap_or_default().to_owned();
            let attempt = |attempt: &Json| match attempt["status"].as_u64() {
                Some(status) => status.to_string(),
                None => attempt["result"].as_str().unwrap_or("under way").to_owned(),
            };
            let attempts: Vec<String> = delivery["attempts"].as_array().into_iter().flatten().map(attempt).collect();
            let attempts = if attempts.is_empty() { String::new() } else { format!(" ({})", attempts.join(", ")) };
            format!("{}/{} {}{attempts}", text("pack"), text("webhook"), text("state"))
        };
        let records: Vec<String> = list["records"].as_array().into_iter().flatten().map(one).collect();
        Ok(format!(": {}", records.join("; ")))
    }

    /// Waits until nothing of the sandbox is under way, or due at this instant.
    async fn settle(&self) -> Result<(), Halt> {
        let mut pause = FIRST_PAUSE;
        loop {
            // What leaves the agenda meanwhile is under way.
            let agenda = self.control(Method::GET, "/clock/agenda?limit=1", None).await?;
            let now = self.now().await?;
            let first = agenda["records"][0]["at"].as_str().and_then(|text| Instant::parse(text).ok());
            let is_due = first.is_some_and(|first| first <= now);
            let sending = self.control(Method::GET, "/webhooks?state=sending&limit=1", None).await?;
            let sending = sending["total"].as_u64().unwrap_or(0);
            *self.waits.lock() = match (sending, is_due) {
                (0, false) => None,
                (0, true) => Some("what is due at this instant".to_owned()),
                (1, _) => Some("a delivery of a webhook that is under way".to_owned()),
                (count, _) => Some(format!("{count} deliveries of webhooks that are under way")),
            };
            if self.waits.lock().is_none() {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn received(&self, wanted: &[Sent], number: u64, line: &Line) -> Result<Vec<Miss>, Halt> {
        let receivers = self.receivers.lock().clone();
        let is_from = |sent: &Sent| sent.webhook.is_some() || sent.signed.is_some();
        let origins = wanted.iter().any(is_from);
        let mut arrived = Vec::new();
        for (name, receiver) in receivers.iter().filter(|(name, _)| wanted.iter().any(|sent| sent.at == **name)) {
            if receiver.lost() > 0 {
                let summary = format!("the receiver `{name}` was sent more than it keeps: {} calls", receiver.lost());
                return Err(Halt::failed(summary, Some("have less sent to it".to_owned())));
            }
            arrived.extend(self.arrived(name, receiver, origins).await?);
        }
        let packs = &self.plan.packs;
        self.known(number, line, |known| {
            Ok(wanted.iter().filter_map(|sent| received(sent, &arrived, packs, known)).collect())
        })
        .await
    }

    /// What a receiver has heard, each with the delivery that it was part of.
    async fn arrived(&self, name: &Arc<str>, receiver: &Receiver, origins: bool) -> Result<Vec<Arrived>, Halt> {
        let mut deliveries: BTreeMap<String, Option<Json>> = BTreeMap::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut arrived = Vec::new();
        for call in receiver.heard() {
            let id = call.headers.get(&DELIVERY).and_then(|value| value.to_str().ok()).filter(|_| origins);
            let mut from = None;
            if let Some(id) = id {
                let delivery = match deliveries.get(id) {
                    Some(delivery) => delivery.clone(),
                    None => {
                        let delivery = self.delivery(id).await?;
                        deliveries.insert(id.to_owned(), delivery.clone());
                        delivery
                    }
                };
                let before = seen.entry(id.to_owned()).or_default();
                from = delivery.and_then(|delivery| origin(&delivery, id, &receiver.url(), *before, &call));
                *before += 1;
            }
            arrived.push(Arrived {
                at: Arc::clone(name),
                method: call.method,
                path: call.path,
                headers: call.headers,
                body: call.body,
                status: call.status.map(|status| status.as_u16()),
                from,
            });
        }
        Ok(arrived)
    }

    /// A delivery of this sandbox, with all of its attempts.
    async fn delivery(&self, id: &str) -> Result<Option<Json>, Halt> {
        let path = format!("/webhooks/{}?secrets=show", segment(id));
        match self.control(Method::GET, &path, None).await {
            Ok(delivery) => {
                self.deliveries.lock().insert(id.to_owned(), delivery.clone());
                Ok(Some(delivery))
            }
            // It was undone, or is somebody else's.
            Err(Halt::Failed(_)) => Ok(self.deliveries.lock().get(id).cloned()),
            Err(halt) => Err(halt),
        }
    }

    /// Remembers the deliveries that have arrived, before they are undone.
    pub(super) async fn remember(&self) -> Result<(), Halt> {
        let receivers = self.receivers.lock().clone();
        let heard = receivers.values().flat_map(|receiver| receiver.heard());
        for id in distinct(heard.filter_map(|call| Some(call.headers.get(&DELIVERY)?.to_str().ok()?.to_owned()))) {
            self.delivery(&id).await?;
        }
        Ok(())
    }
}

/// Which attempt a call was: among those that went to this receiver, the one of its number.
fn origin(delivery: &Json, id: &str, url: &str, before: usize, call: &client::Heard) -> Option<From> {
    let here = |attempt: &&Json| {
        let to = attempt["request"]["url"].as_str().and_then(|to| to.strip_prefix(url));
        to.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    };
    let attempt = delivery["attempts"].as_array()?.iter().filter(here).nth(before)?;
    let heard = Heard {
        delivery: id.to_owned(),
        attempt: u32::try_from(attempt["attempt"].as_u64()?).ok()?,
        at: Instant::parse(attempt["at"].as_str()?).ok()?,
        body: call.body.clone(),
    };
    let text = |name: &str| Some(delivery[name].as_str()?.to_owned());
    Some(From { pack: text("pack")?, webhook: text("webhook")?, heard })
}

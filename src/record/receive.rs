//! Those who were told something, and what they answered: receivers of the scenario stand in their place.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::clock::Instant;
use crate::exchange::{Failed, Outcome};
use crate::journal::{Attempted, Entry, Happening};

use super::yaml::Yaml;

/// Everybody who was told something and whose URL came from the client.
#[derive(Debug, Default)]
pub(super) struct Receivers {
    all: Vec<Receiver>,
    attempts: Vec<Attempt>,
    /// How many attempts were told of at last.
    told: usize,
}

#[derive(Debug)]
struct Receiver {
    name: String,
    /// Scheme, host and port, as the client wrote them.
    origin: String,
}

/// An attempt that went to one of them.
#[derive(Debug)]
struct Attempt {
    /// The place of its entry in the log.
    place: usize,
    at: Instant,
    receiver: usize,
    pack: Arc<str>,
    webhook: Arc<str>,
    /// What came of it, and the place of the entry that says so.
    reply: Option<(usize, Reply)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Status(u16),
    /// The time was over first.
    Hang,
    /// There was nobody, or no answer.
    Nobody,
}

/// Calls that are counted together: receiver, pack, webhook and answered status.
type Kind<'a> = (usize, &'a Arc<str>, &'a Arc<str>, u16);

/// What stands for somebody who is not there: a receiver of a scenario always is.
const IN_PLACE: u16 = 503;

impl Receivers {
    /// `said` has the origins of URLs that the client wrote.
    pub(super) fn of(entries: &[Arc<Entry>], said: &HashSet<String>) -> Self {
        let mut receivers = Receivers::default();
        let mut under_way: BTreeMap<(&str, u32), usize> = BTreeMap::new();
        for (place, entry) in entries.iter().enumerate() {
            match &entry.what {
                Happening::Attempt(attempted) => {
                    let Some(receiver) = receivers.reached(attempted, said) else { continue };
                    under_way.insert((&attempted.delivery, attempted.number), receivers.attempts.len());
                    receivers.attempts.push(Attempt {
                        place,
                        at: entry.at,
                        receiver,
                        pack: Arc::clone(&attempted.pack.name),
                        webhook: Arc::clone(&attempted.webhook),
                        reply: None,
                    });
                }
                Happening::Outcome(received) => {
                    let Some(index) = under_way.remove(&(&*received.delivery, received.number)) else { continue };
                    receivers.attempts[index].reply = Some((place, reply(&received.outcome)));
                }
                _ => {}
            }
        }
        // Where nothing is ever let out, nobody stands in the place of anybody.
        let refused = |receiver: usize| {
            let mut all = receivers.attempts.iter().filter(|attempt| attempt.receiver == receiver);
            all.all(|attempt| attempt.reply.is_none())
        };
        let refused: Vec<bool> = (0..receivers.all.len()).map(refused).collect();
        if refused.iter().any(|refused| *refused) {
            receivers.attempts.retain(|attempt| !refused[attempt.receiver]);
        }
        receivers
    }

    fn reached(&mut self, attempted: &Attempted, said: &HashSet<String>) -> Option<usize> {
        let sent = attempted.sent.as_ref().ok()?;
        let origin = origin(&sent.url)?;
        if let Some(index) = self.all.iter().position(|known| known.origin == origin) {
            return Some(index);
        }
        if !said.contains(origin) {
            return None;
        }
        let name = match self.all.len() {
            0 => "inbox".to_owned(),
            count => format!("inbox_{}", count + 1),
        };
        self.all.push(Receiver { name, origin: origin.to_owned() });
        Some(self.all.len() - 1)
    }

    /// Nothing has been told of what arrived.
    pub(super) fn begin_again(&mut self) {
        self.told = 0;
    }

    /// What stands in texts, and the expressions for it.
    pub(super) fn places(&self) -> impl Iterator<Item = (String, String)> {
        let used = self.all.iter().enumerate().filter(|(index, _)| self.is_used(*index));
        used.map(|(_, receiver)| (receiver.origin.clone(), format!("receivers.{}", receiver.name)))
    }

    fn is_used(&self, receiver: usize) -> bool {
        self.attempts.iter().any(|attempt| attempt.receiver == receiver)
    }

    /// The names of receivers, each with what it answers in order; with nothing where it takes everything.
    pub(super) fn answers(&self) -> Vec<(&str, Option<Yaml>)> {
        let used = self.all.iter().enumerate().filter(|(index, _)| self.is_used(*index));
        let answers = used.map(|(index, receiver)| {
            let own = self.attempts.iter().filter(|attempt| attempt.receiver == index);
            let mut replies: Vec<Reply> =
                own.map(|attempt| attempt.reply.map_or(Reply::Status(200), |(_, reply)| reply)).collect();
            while let [.., before, last] = replies.as_slice()
                && before == last
            {
                replies.pop();
            }
            let is_taken = replies == [Reply::Status(200)];
            let answers = replies.into_iter().map(|reply| match reply {
                Reply::Status(status) => Yaml::Number(status.into()),
                Reply::Hang => Yaml::Map(vec![("hang".to_owned(), Yaml::Boolean(true))]),
                Reply::Nobody => Yaml::Number(IN_PLACE.into()),
            });
            (&*receiver.name, (!is_taken).then(|| Yaml::List(answers.collect())))
        });
        answers.collect()
    }

    /// What has arrived until an instant, as an expectation, where that is settled before the entry at `place` and more than
    /// was told before.
    pub(super) fn arrived(&mut self, now: Instant, place: usize, main: &str) -> Option<Yaml> {
        let sent: Vec<&Attempt> =
            self.attempts.iter().filter(|attempt| attempt.place < place && attempt.at <= now).collect();
        let is_settled = sent.iter().all(|attempt| attempt.reply.is_some_and(|(answered, _)| answered < place));
        if sent.len() <= self.told || !is_settled {
            return None;
        }
        self.told = sent.len();
        let mut counts: Vec<(Kind<'_>, u64)> = Vec::new();
        for attempt in sent {
            let status = match attempt.reply {
                Some((_, Reply::Status(status))) => status,
                Some((_, Reply::Nobody)) => IN_PLACE,
                _ => continue,
            };
            let kind = (attempt.receiver, &attempt.pack, &attempt.webhook, status);
            match counts.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((kind, 1)),
            }
        }
        let shown = counts.into_iter().map(|((receiver, pack, webhook, status), count)| {
            let mut members = vec![("at".to_owned(), Yaml::word(&*self.all[receiver].name))];
            if **pack == *main {
                members.push(("webhook".to_owned(), Yaml::word(&**webhook)));
            }
            members.push(("status".to_owned(), Yaml::Number(status.into())));
            members.push(("count".to_owned(), Yaml::Number(count.into())));
            Yaml::Map(members)
        });
        let shown: Vec<Yaml> = shown.collect();
        (!shown.is_empty()).then_some(Yaml::List(shown))
    }
}

fn reply(outcome: &Outcome) -> Reply {
    match outcome {
        Outcome::Answered(answered) => Reply::Status(answered.status.as_u16()),
        Outcome::Failed(Failed::Timeout, _) => Reply::Hang,
        Outcome::Failed(..) => Reply::Nobody,
    }
}

/// Scheme, host and port of a URL.
pub(super) fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    Some(&url[..end])
}

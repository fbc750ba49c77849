//! `/webhooks`: what goes out, with every attempt.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value as Json, json};

use super::agenda::not_planned;
use super::body::members;
use super::delivered::{self, Detail, ORPHANED};
use super::secrets::secrets;
use super::written::{Written, never, quoted, shown, wrong};
use super::{Answer, Call, Later, no_sandbox, ok, page};
use crate::engine::{self, NotPlanned, Plan};
use crate::exchange::{Problem, Response};
use crate::journal::{BodyPattern, PathPattern, StatusFilter, has_headers};
use crate::mask::{Mask, Secrets};
use crate::sandbox::Ground;
use crate::sandbox::agenda::{Agenda, Planned};
use crate::sandbox::outbox::{Attempt, Delivery, Orphan, State};

/// Names that a query can have; a body has those of [`SENT`], too.
pub(super) const CONDITIONS: &[&str] = &["pack", "webhook", "state"];

const SENT: &[&str] = &["to", "url", "urlPattern", "attempts", "status", "headers", "body"];

/// Behind every number that a delivery can have come the results that came too late.
const BEHIND: u64 = 1 << 52;

/// How much longer than the time of an attempt its outcome is waited for.
const MORE: Duration = Duration::from_secs(2);

/// Which deliveries are meant. Every condition that is given must hold. Those on a request are about the last attempt.
#[derive(Debug, Default)]
struct Pattern {
    pack: Option<String>,
    webhook: Option<String>,
    state: Option<String>,
    /// Where it was to go when it was made.
    to: Option<String>,
    /// Where it went.
    url: Option<String>,
    url_pattern: Option<PathPattern>,
    /// At least and at most so many.
    attempts: Option<(usize, usize)>,
    /// Of the last answer that came.
    status: Option<StatusFilter>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<BodyPattern>,
}

impl Pattern {
    fn of(written: &Written, call: &Call<'_>) -> Result<Pattern, Problem> {
        let packs = &call.sandbox.ground().packs;
        let pack = written.among("pack", || packs.iter().map(|pack| &*pack.name))?;
        let theirs = packs.iter().filter(|other| pack.as_deref().is_none_or(|name| *other.name == *name));
        let webhooks: Vec<&str> = theirs.flat_map(|pack| &pack.webhooks).map(|webhook| &*webhook.name).collect();
        let webhook = written.text("webhook")?;
        if let Some(wanted) = webhook.filter(|wanted| !webhooks.contains(wanted)) {
            return Err(never("webhook", wanted, webhooks.into_iter()));
        }
        let filled = |name: &str| match written.text(name)? {
            Some(text) if text.trim().is_empty() => Err(wrong(name, "nothing goes to an empty URL")),
            text => Ok(text.map(str::to_owned)),
        };
        Ok(Pattern {
            pack,
            webhook: webhook.map(str::to_owned),
            state: written.among("state", || State::WORDS.into_iter().chain([ORPHANED]))?,
            to: filled("to")?,
            url: filled("url")?,
            url_pattern: written.expression("urlPattern")?,
            attempts: attempts(written)?,
            status: written.status()?,
            headers: written.headers()?,
            body: written.body(call.rules.json_depth),
        })
    }

    fn holds(&self, ground: &Ground, one: One<'_>) -> bool {
        let (delivery, attempts) = (one.delivery(), one.attempts());
        let last = attempts.last().map(|attempt| &attempt.sent);
        let given = |wanted: &Option<String>, is: Option<&str>| wanted.is_none() || wanted.as_deref() == is;
        let answer = || attempts.iter().rev().find_map(|attempt| attempt.outcome.as_ref()?.0.status());
        given(&self.pack, Some(&ground.packs[delivery.pack].name))
            && given(&self.webhook, Some(&delivery.webhook))
            && given(&self.state, Some(one.state()))
            && given(&self.to, delivery.to.as_deref())
            && given(&self.url, last.map(|sent| &*sent.url))
            && self.attempts.is_none_or(|(least, most)| (least..=most).contains(&attempts.len()))
            && self.status.is_none_or(|wanted| answer().is_some_and(|status| wanted.holds(status.as_u16())))
            && (self.headers.is_empty() || last.is_some_and(|sent| has_headers(&sent.headers, &self.headers)))
            && self.url_pattern.as_ref().is_none_or(|pattern| last.is_some_and(|sent| pattern.fits(&sent.url)))
            && self.body.as_ref().is_none_or(|body| body.holds(&delivery.body))
    }
}

/// A number, or two with what is between them: `2`, `"2-4"`, `"2-"`.
fn attempts(written: &Written) -> Result<Option<(usize, usize)>, Problem> {
    let Some(said) = written.said("attempts") else { return Ok(None) };
    let read = |text: &str| match text.split_once('-') {
        None => text.parse().ok().map(|exactly| (exactly, exactly)),
        Some((least, "")) => least.parse().ok().map(|least| (least, usize::MAX)),
        Some((least, most)) => least.parse().ok().zip(most.parse().ok()),
    };
    let range = match said {
        Json::Number(number) => read(&number.to_string()),
        Json::String(text) => read(text),
        _ => None,
    };
    match range {
        Some((least, most)) if most < least => {
            Err(wrong("attempts", format!("no number is at least {least} and at most {most}")))
        }
        Some(range) => Ok(Some(range)),
        None => {
            let why = format!("it is a number, or two such as `2-4` or `2-`, not {}", shown(said));
            Err(wrong("attempts", why))
        }
    }
}

/// What a list has: deliveries, and behind them results that came too late.
#[derive(Debug, Clone, Copy)]
enum One<'a> {
    Kept(&'a Arc<Delivery>),
    Late(&'a Orphan),
}

impl<'a> One<'a> {
    /// Rises from one to the next.
    fn number(self) -> u64 {
        match self {
            One::Kept(delivery) => delivery.number + 1,
            One::Late(orphan) => BEHIND + orphan.number,
        }
    }

    fn delivery(self) -> &'a Delivery {
        match self {
            One::Kept(delivery) => delivery,
            One::Late(orphan) => &orphan.delivery,
        }
    }

    fn attempts(self) -> Vec<&'a Attempt> {
        match self {
            One::Kept(delivery) => delivery.attempts.iter().map(|attempt| &**attempt).collect(),
            One::Late(orphan) => vec![&orphan.attempt],
        }
    }

    fn state(self) -> &'static str {
        match self {
            One::Kept(delivery) => delivery.state.word(),
            One::Late(_) => ORPHANED,
        }
    }

    fn shown(self, ground: &Ground, secrets: Secrets, detail: Detail) -> Json {
        let pack = &ground.packs[self.delivery().pack];
        match self {
            One::Kept(delivery) => {
                let mask = match secrets {
                    Secrets::Shown => Mask::default(),
                    Secrets::Masked => Mask::of_delivery(&pack.face, delivery),
                };
                delivered::delivery(&pack.name, delivery, &mask, detail)
            }
            One::Late(orphan) => {
                let mask = match secrets {
                    Secrets::Shown => Mask::default(),
                    Secrets::Masked => {
                        let outcome = orphan.attempt.outcome.as_ref().map(|(outcome, _)| &**outcome);
                        Mask::of_attempt(&pack.face, &orphan.attempt.sent, outcome)
                    }
                };
                delivered::orphan(&pack.name, orphan, &mask, detail)
            }
        }
    }
}

/// What there is, the oldest first.
struct Found {
    ground: Arc<Ground>,
    agenda: Agenda,
    orphans: Vec<Orphan>,
}

impl Found {
    fn new(call: &Call<'_>) -> Found {
        let agenda = call.sandbox.agenda(call.real);
        Found { agenda, orphans: call.sandbox.orphans(), ground: call.sandbox.ground() }
    }

    fn kept(&self) -> impl Iterator<Item = One<'_>> {
        self.agenda.outbox.all().map(One::Kept)
    }

    fn late(&self) -> impl Iterator<Item = One<'_>> {
        self.orphans.iter().map(One::Late)
    }
}

/// `?pack=&webhook=&state=&limit=&after=&order=&secrets=`
pub(super) fn list(call: &Call<'_>) -> Answer {
    let secrets = secrets(call)?;
    let limit = page::limit(call)?;
    let after = page::after(call)?;
    let newest = page::order(call)? == page::Order::Newest;
    let pattern = Pattern::of(&Written::in_query(call, CONDITIONS), call)?;
    let all = Found::new(call);
    let behind = |one: &One<'_>| match newest {
        true => after == 0 || one.number() < after,
        false => one.number() > after,
    };
    let meant = all.kept().chain(all.late()).filter(|one| behind(one) && pattern.holds(&all.ground, *one));
    let mut found: Vec<One<'_>> = meant.collect();
    if newest {
        found.reverse();
    }
    let piece = &found[..limit.min(found.len())];
    let next = piece.last().filter(|_| piece.len() < found.len()).map(|last| last.number());
    let records = piece.iter().map(|one| one.shown(&all.ground, secrets, Detail::Lines)).collect();
    let mut list = page::list(records, found.len(), next);
    list["evicted"] = json!(all.agenda.outbox.evicted());
    ok(&list)
}

/// How many deliveries fulfil the conditions of the body. Results that came too late are of another time, and count only
/// where somebody asks for them.
pub(super) fn count(call: &Call<'_>) -> Answer {
    let pattern = Pattern::of(&Written::in_body(call, &[CONDITIONS, SENT])?, call)?;
    let all = Found::new(call);
    let holds = |one: &One<'_>| pattern.holds(&all.ground, *one);
    let count = match pattern.state.as_deref() {
        Some(ORPHANED) => all.late().filter(holds).count(),
        _ => all.kept().filter(holds).count(),
    };
    ok(&json!({ "count": count, "evicted": all.agenda.outbox.evicted() }))
}

/// One delivery with all of its attempts; where there is only a result that came too late, the last of these.
pub(super) fn show(call: &Call<'_>) -> Answer {
    let secrets = secrets(call)?;
    let id = call.parameter("id");
    let all = Found::new(call);
    let kept = all.agenda.outbox.get(id).map(One::Kept);
    let one = kept.or_else(|| all.late().filter(|late| *late.delivery().id == *id).last());
    let one = one.ok_or_else(|| not_planned(&NotPlanned::NoDelivery(quoted(id))))?;
    ok(&one.shown(&all.ground, secrets, Detail::Whole))
}

/// Has a delivery attempted once more, now, and waits for what comes of it.
pub(super) fn redeliver(call: Call<'_>) -> Later<'_> {
    Box::pin(async move {
        let secrets = secrets(&call)?;
        members(&call, &[])?;
        let id = call.parameter("id");
        let plan = Plan::Redeliver(id.to_owned());
        let most = call.sandbox.most_agenda();
        let (mut before, mut time) = (0, Duration::ZERO);
        let planned = call.sandbox.plan(call.real, |ground, agenda, now| {
            if let Some(delivery) = agenda.outbox.get(id) {
                before = delivery.next_attempt();
                let webhook = ground.packs[delivery.pack].webhook_named(&delivery.webhook);
                time = webhook.map_or(Duration::ZERO, |webhook| webhook.timeout);
            }
            engine::plan(&ground.packs, agenda, &plan, now, most)
        });
        planned.map_err(|why| not_planned(&why))?;
        let over = call.courier.until(call.sandbox, time + MORE, |agenda| {
            (is_over(agenda, id, before) || call.registry.find(call.sandbox.id()).is_none()).then_some(())
        });
        let status = if over.await.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
        let own = call.sandbox.id();
        call.registry.get(own, call.real).map_err(|why| no_sandbox(own, &why))?;
        let all = Found::new(&call);
        let delivery = all.agenda.outbox.get(id).ok_or_else(gone)?;
        Ok(Response::json(status, &One::Kept(delivery).shown(&all.ground, secrets, Detail::Whole)))
    })
}

/// Whether the attempt that somebody asked for, of this number or a later one, has come to its end, or will never be made.
fn is_over(agenda: &Agenda, id: &str, from: u32) -> bool {
    let Some(delivery) = agenda.outbox.get(id) else { return true };
    let asked = |attempt: &&Arc<Attempt>| !attempt.planned && attempt.number >= from;
    match delivery.attempts.iter().find(asked) {
        Some(attempt) => attempt.outcome.is_some(),
        None => {
            let to_come =
                |what: &Planned| matches!(what, Planned::Attempt { delivery, planned: false } if **delivery == *id);
            !agenda.items().any(|(_, item)| to_come(&item.what))
        }
    }
}

fn gone() -> Problem {
    let detail = "While it was attempted, the sandbox was reset, rewound or restored, or the delivery had to make room. \
                  GET /_standin/webhooks shows those that there are, and results that came too late.";
    Problem::new("delivery-gone", StatusCode::GONE, "The delivery is not kept any more", detail)
}

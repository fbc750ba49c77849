//! The request log: one line for each exchange, and for each attempt to deliver a webhook.

use std::sync::Arc;

use crate::clock::Instant;
use crate::mask;
use crate::sandbox::Registry;
use crate::webhook::{self, Ended};

/// Hears of every line.
pub(crate) type Log = Arc<dyn Fn(&Line<'_>) + Send + Sync>;

pub(crate) enum Line<'a> {
    Exchange(ExchangeLine<'a>),
    Attempt(AttemptLine<'a>),
}

/// One exchange in the request log.
pub(crate) struct ExchangeLine<'a> {
    pub(crate) sandbox: &'a str,
    pub(crate) method: &'a str,
    /// Within the pack, with what is known to be secret masked; the query is left out, as it may hold a credential.
    pub(crate) path: &'a str,
    /// None where the path leads to no pack.
    pub(crate) pack: Option<&'a str>,
    pub(crate) status: u16,
    /// What was done to the answer, where it was not sent at once and whole.
    pub(crate) delivery: Option<&'static str>,
    pub(crate) entry: u64,
    pub(crate) at: Instant,
}

/// One attempt to deliver a webhook in the request log.
pub(crate) struct AttemptLine<'a> {
    pub(crate) sandbox: &'a str,
    pub(crate) pack: &'a str,
    pub(crate) webhook: &'a str,
    pub(crate) delivery: &'a str,
    pub(crate) number: u32,
    /// Masked, and without its query, as a path is.
    pub(crate) url: &'a str,
    /// None where there was no answer.
    pub(crate) status: Option<u16>,
    /// What came of it, in one word.
    pub(crate) result: &'static str,
    /// In real microseconds.
    pub(crate) took: u64,
    /// None where the sandbox was at another time when the answer came.
    pub(crate) entry: Option<u64>,
    pub(crate) at: Instant,
}

/// Has attempts told to the request log.
pub(super) fn of_attempts(log: Log, registry: Arc<Registry>) -> webhook::Log {
    Box::new(move |ended: &Ended<'_>| {
        let Ended { sandbox, ticket, outcome, took, entry } = *ended;
        let (delivery, packs) = (&ticket.delivery, registry.packs());
        let Some((attempt, pack)) = ticket.attempt().zip(packs.get(delivery.pack)) else { return };
        log(&Line::Attempt(AttemptLine {
            sandbox: sandbox.as_str(),
            pack: &ticket.pack,
            webhook: &delivery.webhook,
            delivery: &delivery.id,
            number: ticket.number,
            url: &mask::url_shown(&pack.face, &ticket.sent),
            status: outcome.status().map(|status| status.as_u16()),
            result: outcome.word(),
            took,
            entry: entry.map(|entry| entry.id),
            at: attempt.at,
        }));
    })
}

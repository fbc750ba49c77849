//! How often a caller may call: counted per pack and credential, on the sandbox's clock.
//!
//! A caller is a credential: where several are needed, the one of the first scheme. All who need none, or bring none, are
//! one caller. What is refused counts for nothing.

mod read;

use std::fmt::Write as _;
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use serde_json::{Value as Json, json};

use super::{Call, Outcome, Rejection, authenticate};
use crate::clock::Instant;
use crate::journal::{Stage, Verdict};
use crate::pack::{Credential, Family, Pack, Policy, Refusal, sha256};
use crate::sandbox::{Counted, Limits, Window};

pub(crate) use read::{at_start, dump, read, undump};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");
const X_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The most callers of one limit that are shown.
const SHOWN: usize = 1000;

const SECOND: i64 = 1_000_000;

/// What becomes of a request that limits were asked about.
#[derive(Debug)]
pub(super) struct Admission {
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What is counted, where it was let in.
    counted: Option<Limits>,
}

/// Where a caller stands with one policy, after this request if that is let in.
struct Standing<'l> {
    policy: &'l Policy,
    remaining: u64,
    /// When the window ends.
    end: Instant,
}

impl Standing<'_> {
    /// Whole seconds until then, none of which is too few.
    fn seconds(&self, now: Instant) -> i64 {
        round_up(self.end.since(now).micros())
    }
}

fn round_up(micros: i64) -> i64 {
    micros.div_euclid(SECOND) + i64::from(micros.rem_euclid(SECOND) > 0)
}

/// How a caller is told from others, by the credential as its scheme reads it, which this does not show.
pub(super) fn caller(credential: &Json) -> Arc<str> {
    sha256(credential.to_string().as_bytes())[..32].into()
}

/// Whether anything is counted of the callers of this pack.
pub(super) fn counts(call: &Call<'_>) -> bool {
    call.moment.controls.limits.policies(call.pack).next().is_some()
}

/// Lets a request in, or refuses it because its caller has had as many as it may have.
pub(super) fn admit(call: &mut Call<'_>) -> Result<(), Rejection> {
    if !counts(call) {
        return Ok(());
    }
    let (moment, pack) = (call.moment, call.pack);
    let (limits, now) = (&moment.controls.limits, moment.now);
    let caller = call.caller.clone().unwrap_or_default();
    // Each with the window that this request falls into.
    let found: Vec<(&Policy, Counted, Window)> = limits
        .policies(pack)
        .map(|policy| {
            let counted = (Arc::clone(&pack.name), Arc::clone(&policy.name), Arc::clone(&caller));
            let end = now.saturating_add(policy.window);
            let window = limits.window(&counted, now).unwrap_or(Window { begin: now, end, used: 0 });
            (policy, counted, window)
        })
        .collect();
    let refused = found.iter().any(|(policy, _, window)| window.used >= policy.quota);
    let standings: Vec<Standing<'_>> = found
        .iter()
        .map(|(policy, _, window)| Standing {
            policy,
            remaining: policy.quota.saturating_sub(window.used + u64::from(!refused)),
            end: window.end,
        })
        .collect();
    let mut headers = told(&standings, now);
    if !refused {
        call.trace.passed(Stage::Limit, None, words(&standings, now));
        let once_more =
            |(_, counted, window): (&Policy, Counted, Window)| (counted, Window { used: window.used + 1, ..window });
        let counted = Some(limits.with(found.into_iter().map(once_more).collect(), now));
        call.admission = Some(Box::new(Admission { headers, counted }));
        return Ok(());
    }
    // With several that are used up, the last one to end decides.
    let spent = standings.iter().filter(|standing| standing.remaining == 0).max_by_key(|standing| standing.end);
    let Some(spent) = spent else { return Ok(()) };
    let (quota, wait) = (spent.policy.quota, spent.seconds(now));
    headers.push((RETRY_AFTER, HeaderValue::from(wait)));
    let window = spent.policy.seconds();
    let words = format!("{quota} requests in {window} seconds are allowed, and the next one in {wait} seconds");
    call.trace.add(Stage::Limit, Verdict::Refused, None, format!("`{}`: {words}", spent.policy.name));
    call.admission = Some(Box::new(Admission { headers, counted: None }));
    Err(Rejection::Refused(Refusal::RateLimit, words))
}

fn words(standings: &[Standing<'_>], now: Instant) -> String {
    let mut words = String::new();
    for standing in standings {
        let Standing { policy, remaining, .. } = standing;
        let separator = if words.is_empty() { "" } else { "; " };
        let seconds = standing.seconds(now);
        let _ = write!(words, "{separator}`{}`: {remaining} of {} left for {seconds} s", policy.name, policy.quota);
    }
    words
}

/// The headers that tell a caller where it stands. The policies of a pack have the same.
fn told(standings: &[Standing<'_>], now: Instant) -> Vec<(HeaderName, HeaderValue)> {
    let text = |text: String| HeaderValue::try_from(text).ok();
    let Some(first) = standings.first() else { return Vec::new() };
    match first.policy.headers {
        Family::None => Vec::new(),
        Family::RateLimit => {
            let list = |item: &dyn Fn(&Standing<'_>) -> String| {
                text(standings.iter().map(item).collect::<Vec<_>>().join(", "))
            };
            let policies = list(&|Standing { policy, .. }| {
                format!("\"{}\";q={};w={}", policy.name, policy.quota, policy.seconds())
            });
            let standing = list(&|standing| {
                format!("\"{}\";r={};t={}", standing.policy.name, standing.remaining, standing.seconds(now))
            });
            [(POLICY, policies), (STANDING, standing)]
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect()
        }
        Family::XRateLimit => {
            let tightest =
                standings.iter().min_by_key(|standing| (standing.remaining, std::cmp::Reverse(standing.end)));
            let tightest = tightest.unwrap_or(first);
            vec![
                (X_LIMIT, HeaderValue::from(tightest.policy.quota)),
                (X_REMAINING, HeaderValue::from(tightest.remaining)),
                (X_RESET, HeaderValue::from(round_up(tightest.end.micros()))),
            ]
        }
    }
}

/// Counts a request that was let in, and tells its caller.
pub(super) fn settle(call: &mut Call<'_>, outcome: &mut Outcome) {
    let Some(admission) = call.admission.take() else { return };
    let Admission { headers, counted } = *admission;
    for (name, value) in headers {
        outcome.response.headers.insert(name, value);
    }
    if let Some(limits) = counted {
        outcome.change.controls(call.moment.controls).limits = limits;
    }
}

/// All limits, each with what its callers have used now. No credential is shown, only its label.
pub(crate) fn shown(packs: &[Arc<Pack>], limits: &Limits, now: Instant) -> Json {
    let asked = limits.asked().iter().map(|limit| (limit.source.clone(), &limit.pack, &limit.policy));
    let own = packs.iter().flat_map(|pack| {
        limits.own(pack).iter().map(move |limit| (read::rule(pack, &limit.policy), &pack.name, &limit.policy))
    });
    let one = |(mut shown, name, policy): (Json, &Arc<str>, &Policy)| {
        let pack = packs.iter().find(|pack| pack.name == *name);
        let callers = limits.open(name, &policy.name, now).map(|(caller, window)| {
            json!({
                "credential": !caller.is_empty(),
                "label": pack.and_then(|pack| label(pack, caller)),
                "used": window.used,
                "remaining": policy.quota.saturating_sub(window.used),
                "reset": window.end.to_string(),
            })
        });
        shown["callers"] = callers.take(SHOWN).collect();
        shown
    };
    json!({ "limits": asked.chain(own).map(one).collect::<Vec<Json>>() })
}

/// The label of a caller's credential, where it is one that everyone may know.
fn label<'p>(pack: &'p Pack, caller: &str) -> Option<&'p str> {
    let is_it = |known: &&Credential| {
        let read = authenticate::decode(pack, &pack.scheme(known.scheme).decode, &known.value);
        read.is_some_and(|read| *self::caller(&read) == *caller)
    };
    pack.credentials.iter().find(is_it).map(|known| known.label.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Span;

    fn standing(policy: &Policy, remaining: u64, end: i64) -> Standing<'_> {
        Standing { policy, remaining, end: Instant::from_micros(end) }
    }

    fn policy(name: &str, quota: u64, seconds: i64, headers: Family) -> Policy {
        Policy { name: name.into(), quota, window: Span::from_micros(seconds * SECOND), headers }
    }

    fn texts(headers: &[(HeaderName, HeaderValue)]) -> Vec<(&str, &str)> {
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
    }

    #[test]
    fn headers_have_the_shape_of_their_family() {
        let now = Instant::from_micros(10 * SECOND);
        let [burst, daily] = [("burst", 100, 60), ("daily", 1000, 86_400)]
            .map(|(name, quota, window)| policy(name, quota, window, Family::RateLimit));
        let both = [standing(&burst, 50, 40 * SECOND - 1), standing(&daily, 7, 10 * SECOND + 1)];
        assert_eq!(
            texts(&told(&both, now)),
            [
                ("ratelimit-policy", r#""burst";q=100;w=60, "daily";q=1000;w=86400"#),
                ("ratelimit", r#""burst";r=50;t=30, "daily";r=7;t=1"#),
            ]
        );
        let [burst, daily] = [&burst, &daily].map(|one| Policy { headers: Family::XRateLimit, ..one.clone() });
        let both = [standing(&burst, 50, 40 * SECOND - 1), standing(&daily, 7, 99 * SECOND + 1)];
        assert_eq!(
            texts(&told(&both, now)),
            [("x-ratelimit-limit", "1000"), ("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", "100")]
        );
        let none = policy("none", 1, 1, Family::None);
        assert_eq!(texts(&told(&[standing(&none, 0, 0)], now)), []);
    }
}

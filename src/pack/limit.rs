use std::sync::Arc;

use super::Provenance;
use crate::clock::Span;
use crate::diagnostic::Location;
use crate::exchange::is_label;

/// How many requests a caller may make in a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) name: Arc<str>,
    pub(crate) quota: u64,
    /// Of whole seconds. It begins with its first request.
    pub(crate) window: Span,
    pub(crate) headers: Family,
}

/// A limit that the documentation of an API promises.
#[derive(Debug)]
pub(crate) struct PackLimit {
    pub(crate) policy: Policy,
    pub(crate) provenance: Provenance,
    pub(crate) at: Location,
}

/// The headers that tell callers where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Family {
    /// `RateLimit-Policy` and `RateLimit`, as in draft-ietf-httpapi-ratelimit-headers from its eighth edition on.
    #[default]
    RateLimit,
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`.
    XRateLimit,
    None,
}

impl Family {
    pub(crate) const ALL: [Family; 3] = [Family::RateLimit, Family::XRateLimit, Family::None];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Family::RateLimit => "ratelimit",
            Family::XRateLimit => "x-ratelimit",
            Family::None => "none",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}

const MOST: u64 = 1_000_000_000;
const LONGEST: i64 = 366 * 24 * 3600 * SECOND;
const SECOND: i64 = 1_000_000;

impl Policy {
    /// The name of one that is given none.
    pub(crate) const UNNAMED: &str = "default";

    pub(crate) fn read_quota(quota: Option<u64>) -> Result<u64, String> {
        let quota = quota.filter(|quota| (1..=MOST).contains(quota));
        quota.ok_or_else(|| format!("it is a whole number from 1 to {MOST}"))
    }

    pub(crate) fn read_window(text: &str) -> Result<Span, String> {
        let window = Span::parse(text)?;
        match window.micros() {
            ..SECOND => Err("it lasts at least a second".to_owned()),
            micros if micros % SECOND != 0 => Err("it lasts whole seconds: the headers say no less".to_owned()),
            micros if micros > LONGEST => Err("it lasts at most 366 days".to_owned()),
            _ => Ok(window),
        }
    }

    pub(crate) fn read_name(text: &str) -> Result<Arc<str>, String> {
        match is_label(text) {
            true => Ok(text.into()),
            false => Err("it has 1 to 63 lower-case letters, digits and inner hyphens".to_owned()),
        }
    }

    /// The window in seconds.
    pub(crate) fn seconds(&self) -> i64 {
        self.window.micros() / SECOND
    }
}

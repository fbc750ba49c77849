//! The documented example that an answer is nearest to.

use serde_json::Value as Json;

use super::{Answer, miss, shown};
use crate::exchange::{Differs, differences};
use crate::pack::{Example, OperationId, Pack};
use crate::scenario::{Miss, Nearest};

/// Of the examples of an operation the one that an answer differs least from: with its status, if there is one. None where
/// the operation has no example with JSON, or the answer has none.
pub(crate) fn nearest(pack: &Pack, operation: OperationId, answer: &Answer) -> Option<Nearest> {
    let found = answer.json()?;
    let shown = |example: &Example| -> Option<(String, u16, Json)> {
        let body = match example.laid() {
            Some(laid) => laid.ok()?,
            None if example.side.fragment.is_some() => return None,
            None => example.json.as_deref()?.clone(),
        };
        Some((example.path.to_string(), example.status?, body))
    };
    let of_it = pack.examples.iter().filter(|example| example.operation == operation);
    let (example, status, body) = of_it.filter_map(shown).min_by_key(|(_, status, body)| {
        let keys = differences(body, found).iter().filter(|one| !matches!(one.what, Differs::Value(..))).count();
        (*status != answer.status, keys, differences(body, found).len())
    })?;
    let mut told: Vec<Miss> = Vec::new();
    if status != answer.status {
        told.push(miss("status", &status.to_string(), &answer.status.to_string()));
    }
    for difference in differences(&body, found) {
        let at = if difference.pointer.is_empty() { "body" } else { &difference.pointer };
        told.push(match difference.what {
            Differs::Missing(wanted) => miss(at, &self::shown(&wanted), "absent"),
            Differs::Extra(found) => miss(at, "absent", &self::shown(&found)),
            Differs::Value(wanted, found) => miss(at, &self::shown(&wanted), &self::shown(&found)),
            Differs::Order(wanted, found) => miss(
                at,
                &format!("keys in the order {}", wanted.join(", ")),
                &format!("the order {}", found.join(", ")),
            ),
        });
    }
    Some(Nearest { example, differences: told })
}

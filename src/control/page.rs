//! Long lists, in pieces: `?limit=` at most so many, `?after=` where the last piece ended.

use serde_json::{Value as Json, json};

use super::{Answer, Call, ok, written};
use crate::exchange::Problem;

pub(super) const DEFAULT: usize = 100;
const MOST: usize = 1000;

/// How many items are asked for.
pub(super) fn limit(call: &Call<'_>) -> Result<usize, Problem> {
    Ok(said(call)?.unwrap_or(DEFAULT))
}

/// How many items are asked for, where somebody says so.
pub(super) fn said(call: &Call<'_>) -> Result<Option<usize>, Problem> {
    match call.query("limit") {
        None => Ok(None),
        Some(text) => match text.parse() {
            Ok(limit) if (1..=MOST).contains(&limit) => Ok(Some(limit)),
            _ => Err(Problem::bad_request(
                "limit-invalid",
                format!("`limit` is a number from 1 to {MOST}, not `{text}`."),
            )),
        },
    }
}

/// The number behind which the piece begins.
pub(super) fn after(call: &Call<'_>) -> Result<u64, Problem> {
    match call.query("after") {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| {
            Problem::bad_request("after-invalid", format!("`after` is the `next` of an earlier answer, not `{text}`."))
        }),
    }
}

/// In which order the items of a log are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As things happened.
    Oldest,
    /// The newest first: `after` goes on towards older ones.
    Newest,
}

pub(super) fn order(call: &Call<'_>) -> Result<Order, Problem> {
    match call.query("order").as_deref() {
        None | Some("oldest") => Ok(Order::Oldest),
        Some("newest") => Ok(Order::Newest),
        Some(other) => {
            let detail = format!("`order` is `oldest` or `newest`, not `{}`.", written::quoted(other));
            Err(Problem::bad_request("order-invalid", detail))
        }
    }
}

/// A piece of a list whose items are counted from 0: its `next` is the place where the piece behind it begins.
pub(super) fn counted(call: &Call<'_>, total: usize, show: impl Fn(usize) -> Option<Json>) -> Answer {
    let limit = limit(call)?;
    let skip = usize::try_from(after(call)?).unwrap_or(usize::MAX);
    let end = skip.saturating_add(limit).min(total);
    let records = (skip..end).filter_map(show).collect();
    ok(&list(records, total, (end < total).then_some(end as u64)))
}

/// `{records, total, next}`: `next` is null at the end.
pub(super) fn list(records: Vec<Json>, total: usize, next: Option<u64>) -> Json {
    json!({ "records": records, "total": total, "next": next })
}

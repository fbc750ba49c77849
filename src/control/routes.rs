//! Every path of the control plane.

use super::pattern::CONDITIONS;
use super::stream::{self, Feed};
use super::{
    Answer, Call, Later, agenda, changes, clock, coverage, diagnostics, events, faults, health, index, journal, limits,
    log, metrics, operation, packs, reload, sandboxes, snapshots, state, stubs, webhooks,
};
use crate::exchange::Problem;

/// A method, a path below `/_standin`, the parameters that its query may have, and what answers it.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) query: Names,
    pub(super) handler: Handler,
}

/// What answers a call: at once, or as things happen.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    Whole(fn(&Call<'_>) -> Answer),
    /// The same, after files were read, or when somebody has read them.
    Slow(fn(&Call<'_>) -> Answer),
    /// The same, when others have done something.
    Later(for<'a> fn(Call<'a>) -> Later<'a>),
    Stream(fn(&Call<'_>) -> Result<Feed, Problem>),
}

/// Groups of names.
pub(super) type Names = &'static [&'static [&'static str]];

pub(super) const fn row(
    method: &'static str,
    path: &'static str,
    query: Names,
    handler: fn(&Call<'_>) -> Answer,
) -> Row {
    Row { method, path, query, handler: Handler::Whole(handler) }
}

const fn slow_row(method: &'static str, path: &'static str, query: Names, handler: fn(&Call<'_>) -> Answer) -> Row {
    Row { method, path, query, handler: Handler::Slow(handler) }
}

const fn later_row(
    method: &'static str,
    path: &'static str,
    query: Names,
    handler: for<'a> fn(Call<'a>) -> Later<'a>,
) -> Row {
    Row { method, path, query, handler: Handler::Later(handler) }
}

const fn stream_row(
    method: &'static str,
    path: &'static str,
    query: Names,
    handler: fn(&Call<'_>) -> Result<Feed, Problem>,
) -> Row {
    Row { method, path, query, handler: Handler::Stream(handler) }
}

pub(super) const NONE: Names = &[];
const SCOPE: Names = &[&["of"]];
const SECRETS: Names = &[&["secrets"]];
const PIECES: Names = &[&["limit", "after"]];
const RECORDS: Names = &[&["limit", "after", "secrets"]];
const LOG: Names = &[&["limit", "after", "order", "secrets", "format", "name"]];
const STATE: Names = &[state::CONDITIONS, &["limit", "after", "secrets"]];
const FILTERS: Names = &[CONDITIONS, &["limit", "after", "order", "format", "secrets"]];
const DELIVERIES: Names = &[webhooks::CONDITIONS, &["limit", "after", "order", "secrets"]];
const FOLLOWED: Names = &[CONDITIONS, &["after"]];

/// Rows of one path stand together.
pub(super) const ROUTES: &[Row] = &[
    row("GET", "/", NONE, index),
    row("GET", "/livez", NONE, health),
    row("GET", "/readyz", NONE, health),
    row("GET", "/metrics", NONE, metrics::show),
    row("GET", "/coverage", SCOPE, coverage::show),
    row("DELETE", "/coverage", SCOPE, coverage::forget),
    slow_row("GET", "/reload", NONE, reload::show),
    slow_row("POST", "/reload", NONE, reload::look),
    row("GET", "/diagnostics/{code}", NONE, diagnostics::explain),
    row("GET", "/packs", NONE, packs::list),
    row("GET", "/packs/{pack}", NONE, packs::show),
    row("GET", "/packs/{pack}/operations/{*operation}", NONE, operation::show),
    row("GET", "/sandboxes", PIECES, sandboxes::list),
    later_row("POST", "/sandboxes", NONE, sandboxes::create),
    row("GET", "/sandboxes/{id}", NONE, sandboxes::show),
    row("DELETE", "/sandboxes/{id}", NONE, sandboxes::delete),
    row("POST", "/reset", NONE, sandboxes::reset),
    row("GET", "/snapshots", PIECES, snapshots::list),
    row("POST", "/snapshots", NONE, snapshots::take),
    row("GET", "/snapshots/{name}", NONE, snapshots::show),
    row("DELETE", "/snapshots/{name}", NONE, snapshots::delete),
    row("POST", "/snapshots/{name}/restore", NONE, snapshots::restore),
    row("POST", "/rewind", NONE, snapshots::rewind),
    row("GET", "/clock", NONE, clock::show),
    later_row("PUT", "/clock", NONE, clock::set),
    later_row("POST", "/clock/advance", NONE, clock::advance),
    row("GET", "/clock/agenda", RECORDS, agenda::list),
    row("POST", "/clock/agenda", SECRETS, agenda::add),
    row("GET", "/clock/agenda/{id}", SECRETS, agenda::show),
    row("DELETE", "/clock/agenda/{id}", NONE, agenda::cancel),
    row("GET", "/state/{pack}/{resource}", STATE, state::list),
    row("POST", "/state/{pack}/{resource}", SECRETS, state::add),
    row("GET", "/state/{pack}/{resource}/{id}", SECRETS, state::show),
    row("PUT", "/state/{pack}/{resource}/{id}", SECRETS, state::put),
    row("PATCH", "/state/{pack}/{resource}/{id}", SECRETS, state::patch),
    row("DELETE", "/state/{pack}/{resource}/{id}", NONE, state::delete),
    row("GET", "/state/{pack}/{resource}/{id}/changes", RECORDS, changes::list),
    row("GET", "/events", NONE, events::list),
    row("POST", "/events/{pack}/{event}", NONE, events::fire),
    row("GET", "/faults", NONE, faults::list),
    row("POST", "/faults", NONE, faults::add),
    row("PUT", "/faults", NONE, faults::put),
    row("DELETE", "/faults", NONE, faults::delete),
    row("PUT", "/faults/{rule}", NONE, faults::put_one),
    row("DELETE", "/faults/{rule}", NONE, faults::delete_one),
    row("GET", "/limits", NONE, limits::list),
    row("PUT", "/limits", NONE, limits::put),
    row("DELETE", "/limits", NONE, limits::delete),
    row("GET", "/stubs", PIECES, stubs::list),
    row("POST", "/stubs", NONE, stubs::add),
    row("DELETE", "/stubs", NONE, stubs::clear),
    row("GET", "/stubs/{id}", NONE, stubs::show),
    row("PUT", "/stubs/{id}", NONE, stubs::put),
    row("DELETE", "/stubs/{id}", NONE, stubs::delete),
    row("GET", "/scenarios", PIECES, stubs::scenarios),
    row("PUT", "/scenarios/{name}", NONE, stubs::set_scenario),
    row("POST", "/scenarios/reset", NONE, stubs::reset_scenarios),
    row("GET", "/webhooks", DELIVERIES, webhooks::list),
    row("POST", "/webhooks/count", NONE, webhooks::count),
    row("GET", "/webhooks/{id}", SECRETS, webhooks::show),
    later_row("POST", "/webhooks/{id}/redeliver", SECRETS, webhooks::redeliver),
    row("GET", "/journal", FILTERS, journal::list),
    row("DELETE", "/journal", NONE, journal::clear),
    row("POST", "/journal/count", NONE, journal::count),
    row("GET", "/journal/unmatched", RECORDS, journal::unmatched),
    stream_row("GET", "/journal/stream", FOLLOWED, stream::follow),
    row("GET", "/journal/{entry}", SECRETS, journal::show),
    row("GET", "/log", LOG, log::show),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_paths_collide_and_rows_of_one_path_stand_together() {
        for rows in [ROUTES, crate::control::wiremock::ROUTES] {
            let mut router = matchit::Router::new();
            let mut paths: Vec<&str> = rows.iter().map(|row| row.path).collect();
            paths.dedup();
            for path in paths {
                router.insert(path, ()).unwrap_or_else(|error| panic!("{path}: {error}"));
            }
        }
    }
}

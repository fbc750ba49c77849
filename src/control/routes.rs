//! Every path of the control plane.

use super::{Answer, Call, clock, events, health, index, journal, packs, sandboxes, state};

/// A method, a path below `/_standin`, and what answers it.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) handler: fn(&Call<'_>) -> Answer,
}

const fn row(method: &'static str, path: &'static str, handler: fn(&Call<'_>) -> Answer) -> Row {
    Row { method, path, handler }
}

/// Rows of one path stand together.
pub(super) const ROUTES: &[Row] = &[
    row("GET", "/", index),
    row("GET", "/livez", health),
    row("GET", "/readyz", health),
    row("GET", "/packs", packs::list),
    row("GET", "/packs/{pack}", packs::show),
    row("GET", "/sandboxes", sandboxes::list),
    row("POST", "/sandboxes", sandboxes::create),
    row("GET", "/sandboxes/{id}", sandboxes::show),
    row("DELETE", "/sandboxes/{id}", sandboxes::delete),
    row("POST", "/reset", sandboxes::reset),
    row("GET", "/clock", clock::show),
    row("PUT", "/clock", clock::set),
    row("POST", "/clock/advance", clock::advance),
    row("GET", "/state/{pack}/{resource}", state::list),
    row("POST", "/state/{pack}/{resource}", state::add),
    row("GET", "/state/{pack}/{resource}/{id}", state::show),
    row("PUT", "/state/{pack}/{resource}/{id}", state::put),
    row("PATCH", "/state/{pack}/{resource}/{id}", state::patch),
    row("DELETE", "/state/{pack}/{resource}/{id}", state::delete),
    row("GET", "/events", events::list),
    row("POST", "/events/{pack}/{event}", events::fire),
    row("GET", "/journal", journal::list),
    row("DELETE", "/journal", journal::clear),
    row("GET", "/journal/{entry}", journal::show),
    row("GET", "/log", journal::log),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_paths_collide_and_rows_of_one_path_stand_together() {
        let mut router = matchit::Router::new();
        let mut paths: Vec<&str> = ROUTES.iter().map(|row| row.path).collect();
        paths.dedup();
        for path in paths {
            router.insert(path, ()).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }
}

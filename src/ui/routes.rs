//! Every page, by the path behind `/_standin/ui`.

use super::visit::Visit;
use super::{
    Later, assets, clock, coverage, entry, events, faults, index, journal, limits, records, reference, reload,
    sandboxes, stubs, timeline, webhooks,
};

/// A method, a path, and what answers it.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) handler: for<'v> fn(&'v Visit<'_>) -> Later<'v>,
}

const fn get(path: &'static str, handler: for<'v> fn(&'v Visit<'_>) -> Later<'v>) -> Row {
    Row { method: "GET", path, handler }
}

const fn post(path: &'static str, handler: for<'v> fn(&'v Visit<'_>) -> Later<'v>) -> Row {
    Row { method: "POST", path, handler }
}

/// Rows of one path stand together.
pub(super) const ROUTES: &[Row] = &[
    get("/assets/{file}", assets::file),
    get("/index", index::show),
    get("/", journal::show),
    get("/journal", journal::show),
    post("/journal/clear", journal::clear),
    get("/journal/scenario", journal::scenario),
    get("/journal/{entry}", entry::show),
    get("/journal/{entry}/body/{side}", entry::whole_body),
    post("/journal/{entry}/rewind", entry::rewind),
    get("/clock", clock::show),
    post("/clock/advance", clock::advance),
    post("/clock/set", clock::set),
    post("/clock/mode", clock::mode),
    post("/clock/agenda/{id}/cancel", clock::cancel),
    post("/clock/quick/mode", clock::quick_mode),
    post("/clock/quick/advance", clock::quick_advance),
    get("/timeline", timeline::show),
    get("/sandboxes", sandboxes::show),
    post("/sandboxes", sandboxes::create),
    post("/sandboxes/reset", sandboxes::reset),
    post("/sandboxes/{id}/delete", sandboxes::delete),
    post("/snapshots", sandboxes::take),
    post("/snapshots/{name}/restore", sandboxes::restore),
    post("/snapshots/{name}/delete", sandboxes::forget),
    get("/records", records::resources),
    get("/records/{pack}/{resource}", records::list),
    post("/records/{pack}/{resource}", records::create),
    get("/records/{pack}/{resource}/{id}", records::show),
    post("/records/{pack}/{resource}/{id}", records::patch),
    get("/records/{pack}/{resource}/{id}/edit", records::form),
    post("/records/{pack}/{resource}/{id}/json", records::put),
    post("/records/{pack}/{resource}/{id}/delete", records::delete),
    get("/events", events::list),
    get("/events/{pack}/{event}", events::show),
    post("/events/{pack}/{event}", events::fire),
    get("/webhooks", webhooks::list),
    get("/webhooks/{id}", webhooks::show),
    post("/webhooks/{id}/redeliver", webhooks::redeliver),
    get("/faults", faults::show),
    post("/faults", faults::add),
    post("/faults/clear", faults::clear),
    get("/faults/json", faults::json),
    post("/faults/json", faults::put),
    get("/faults/{rule}", faults::rule),
    post("/faults/{rule}", faults::change),
    post("/faults/{rule}/remove", faults::remove),
    get("/limits", limits::show),
    post("/limits", limits::add),
    post("/limits/remove", limits::remove),
    post("/limits/reset", limits::reset),
    post("/limits/clear", limits::clear),
    get("/limits/json", limits::json),
    post("/limits/json", limits::put),
    get("/stubs", stubs::show),
    post("/stubs", stubs::add),
    get("/stubs/new", stubs::new),
    post("/stubs/clear", stubs::clear),
    get("/stubs/{id}", stubs::stub),
    post("/stubs/{id}", stubs::change),
    post("/stubs/{id}/remove", stubs::remove),
    post("/scenarios/reset", stubs::reset_scenarios),
    post("/scenarios/{name}/state", stubs::scenario),
    get("/coverage", coverage::show),
    get("/coverage/report.json", coverage::download),
    post("/coverage/clear", coverage::clear),
    get("/reload", reload::show),
    get("/reload/banner", reload::banner),
    post("/reload/look", reload::look),
    get("/diagnostics/{code}", reload::explain),
    get("/reference", reference::list),
    get("/reference/{pack}", reference::pack),
    get("/reference/{pack}/{*operation}", reference::operation),
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

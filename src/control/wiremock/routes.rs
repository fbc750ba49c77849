use super::{mappings, near_misses, requests, server};
use crate::control::routes::{NONE, Names, Row, row};

const PIECES: Names = &[&["limit", "offset"]];
const SERVED: Names = &[&["limit", "since", "unmatched", "matchingStub"]];

/// Every path of `/__admin`. Rows of one path stand together.
pub(in crate::control) const ROUTES: &[Row] = &[
    row("GET", "/mappings", PIECES, mappings::list),
    row("POST", "/mappings", NONE, mappings::add),
    row("DELETE", "/mappings", NONE, mappings::clear),
    row("POST", "/mappings/reset", NONE, mappings::clear),
    row("POST", "/mappings/save", NONE, mappings::save),
    row("POST", "/mappings/import", NONE, mappings::import),
    row("POST", "/mappings/find-by-metadata", NONE, mappings::find_by_metadata),
    row("POST", "/mappings/remove-by-metadata", NONE, mappings::remove_by_metadata),
    row("GET", "/mappings/unmatched", NONE, mappings::unmatched),
    row("DELETE", "/mappings/unmatched", NONE, mappings::remove_unmatched),
    row("GET", "/mappings/{id}", NONE, mappings::show),
    row("PUT", "/mappings/{id}", NONE, mappings::put),
    row("DELETE", "/mappings/{id}", NONE, mappings::delete),
    row("GET", "/requests", SERVED, requests::list),
    row("DELETE", "/requests", NONE, requests::clear),
    row("POST", "/requests/reset", NONE, requests::clear),
    row("POST", "/requests/count", NONE, requests::count),
    row("POST", "/requests/find", NONE, requests::find),
    row("POST", "/requests/remove", NONE, requests::remove),
    row("POST", "/requests/remove-by-metadata", NONE, requests::remove_by_metadata),
    row("GET", "/requests/unmatched", NONE, requests::unmatched),
    row("GET", "/requests/unmatched/near-misses", NONE, near_misses::of_unmatched),
    // A client from npm asks for them here.
    row("POST", "/requests/near-misses/request", NONE, near_misses::of_request),
    row("POST", "/requests/near-misses/request-pattern", NONE, near_misses::of_pattern),
    row("GET", "/requests/{id}", NONE, requests::show),
    row("DELETE", "/requests/{id}", NONE, requests::delete),
    row("POST", "/near-misses/request", NONE, near_misses::of_request),
    row("POST", "/near-misses/request-pattern", NONE, near_misses::of_pattern),
    row("GET", "/scenarios", NONE, mappings::scenarios),
    row("POST", "/scenarios/reset", NONE, mappings::reset_scenarios),
    row("PUT", "/scenarios/{name}/state", NONE, mappings::set_scenario),
    row("GET", "/health", NONE, server::health),
    row("GET", "/version", NONE, server::version),
    row("POST", "/reset", NONE, server::reset),
    row("POST", "/shutdown", NONE, server::shutdown),
    row("GET", "/settings", NONE, server::settings),
    row("POST", "/settings", NONE, server::settings),
    row("POST", "/recordings/start", NONE, server::recordings),
    row("POST", "/recordings/stop", NONE, server::recordings),
    row("POST", "/recordings/snapshot", NONE, server::recordings),
    row("GET", "/recordings/status", NONE, server::recordings),
];

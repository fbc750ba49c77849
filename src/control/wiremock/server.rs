//! `/__admin/health` and what is asked of a whole server.

use http::StatusCode;
use serde_json::json;

use crate::control::{Answer, Call, ok, stubs};
use crate::exchange::Problem;

/// The timestamp is of the sandbox's clock, as all are here.
pub(super) fn health(call: &Call<'_>) -> Answer {
    ok(&json!({
        "status": "healthy",
        "message": "standin answers WireMock's calls for stubs and requests",
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeInSeconds": call.real.0 / 1_000_000,
        "timestamp": call.sandbox.clock(call.real).0.to_string(),
    }))
}

pub(super) fn version(_: &Call<'_>) -> Answer {
    ok(&json!({ "version": env!("CARGO_PKG_VERSION") }))
}

/// Stubs, states and journal; records and time stay.
pub(super) fn reset(call: &Call<'_>) -> Answer {
    stubs::delete_all(call)?;
    call.sandbox.empty_journal();
    ok(&json!({}))
}

fn not_done(detail: &str) -> Answer {
    Err(Problem::new("not-supported", StatusCode::NOT_IMPLEMENTED, "This is not done here", detail))
}

pub(super) fn shutdown(_: &Call<'_>) -> Answer {
    not_done("No call ends the server, which others may use: end its process.")
}

pub(super) fn settings(_: &Call<'_>) -> Answer {
    not_done("There are no settings for all stubs: give each stub its delay, or use PUT /_standin/faults.")
}

pub(super) fn recordings(_: &Call<'_>) -> Answer {
    not_done("Nothing is recorded from other servers, because no other server is asked: write the stubs themselves.")
}

//! `/coverage`: what was exercised of what the packs promise, in a sandbox or in all of the server.

use super::{Answer, Call, done, ok};
use crate::coverage;
use crate::exchange::Problem;

/// Whose requests count.
enum Scope {
    Sandbox,
    /// Of all sandboxes, those that are closed included.
    Server,
}

fn scope(call: &Call<'_>) -> Result<Scope, Problem> {
    match call.query("of").as_deref() {
        None | Some("sandbox") => Ok(Scope::Sandbox),
        Some("server") => Ok(Scope::Server),
        Some(other) => {
            Err(Problem::bad_request("coverage-of-unknown", format!("`of` is `sandbox` or `server`, not `{other}`.")))
        }
    }
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let report = match scope(call)? {
        Scope::Sandbox => coverage::of_sandbox(call.sandbox),
        Scope::Server => coverage::of_server(call.registry, call.real),
    };
    ok(&report.to_json())
}

/// Counts from nothing again.
pub(super) fn forget(call: &Call<'_>) -> Answer {
    match scope(call)? {
        Scope::Sandbox => call.sandbox.forget_tally(),
        Scope::Server => call.registry.forget_tally(call.real),
    }
    done()
}

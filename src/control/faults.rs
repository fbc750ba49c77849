//! `/faults`: what is to go wrong.

use super::body::members;
use super::settings::set;
use super::{Answer, Call, done, ok};
use crate::engine::{self, Setting};

/// The rules, each with how often it has applied.
pub(super) fn list(call: &Call<'_>) -> Answer {
    ok(&engine::faults_shown(&call.sandbox.controls().faults))
}

pub(super) fn put(call: &Call<'_>) -> Answer {
    let given = members(call, &["faults"])?.all();
    set(call, |_| Ok(Setting::Faults(given.into())))?;
    list(call)
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    set(call, |_| Ok(Setting::NoFaults))?;
    done()
}

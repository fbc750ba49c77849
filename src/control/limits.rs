//! `/limits`: how often callers may call.

use super::body::members;
use super::settings::set;
use super::{Answer, Call, done, ok};
use crate::engine::{self, Setting};

/// The limits, each with what its callers have used of it now.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let (now, _) = call.sandbox.clock(call.real);
    ok(&engine::limits_shown(&call.sandbox.ground().packs, &call.sandbox.controls().limits, now))
}

pub(super) fn put(call: &Call<'_>) -> Answer {
    let given = members(call, &["limits"])?.all();
    set(call, |_| Ok(Setting::Limits(given.into())))?;
    list(call)
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    set(call, |_| Ok(Setting::NoLimits))?;
    done()
}

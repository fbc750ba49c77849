use super::faults::Faults;
use super::limits::Limits;
use crate::stub::Stubs;

/// What tests have asked of a sandbox besides records and time. A copy shares all of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Controls {
    pub(crate) faults: Faults,
    pub(crate) limits: Limits,
    pub(crate) stubs: Stubs,
}

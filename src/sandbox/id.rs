use std::fmt;

use crate::exchange::is_label;

/// A sandbox's name: a DNS label, so that it can stand in a host name, a path and a header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SandboxId(String);

impl SandboxId {
    pub(crate) const DEFAULT: &'static str = "default";

    pub(crate) fn default_id() -> Self {
        SandboxId(Self::DEFAULT.to_owned())
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match is_label(text) {
            true => Ok(SandboxId(text.to_owned())),
            false => Err("a sandbox's id has 1 to 63 lower-case letters, digits and inner hyphens".to_owned()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_default(&self) -> bool {
        self.0 == Self::DEFAULT
    }
}

impl fmt::Display for SandboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

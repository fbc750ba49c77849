use std::sync::Arc;

use http::HeaderName;

use crate::diagnostic::SourceMap;

/// What showing an entry needs of the pack that it is of. A pack can be replaced while its entries are kept: their places
/// are in the files that it had then, and what was secret then stays so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Face {
    /// The pack's name.
    pub(crate) name: Arc<str>,
    pub(crate) sources: Arc<SourceMap>,
    /// SHA-256 of all its files.
    pub(crate) digest: String,
    /// How many bytes it keeps that no other face of the pack does.
    pub(crate) own: usize,
    /// Headers and names in queries that hold credentials.
    pub(crate) headers: Vec<HeaderName>,
    pub(crate) query: Vec<String>,
    /// Names, in small letters, of members that are not shown: fields that are `secret`.
    pub(crate) secrets: Arc<[String]>,
    /// The same of what is sent: those, and properties of bodies that are `writeOnly`.
    pub(crate) sent_secrets: Arc<[String]>,
    /// Templates with a parameter that has such a name, and the prefixes under which all templates are reached.
    pub(crate) secret_paths: Vec<Arc<str>>,
    pub(crate) mounts: Vec<String>,
    /// Resources whose ids are secret.
    pub(crate) secret_ids: Vec<Arc<str>>,
}

/// What became of a pack's records when another pack of its name took its place.
#[derive(Debug, Clone)]
pub(crate) struct Reloaded {
    pub(crate) pack: Arc<Face>,
    pub(crate) because: Because,
    /// The files that are others, in the order of their paths.
    pub(crate) files: Vec<String>,
    /// The first of those that are kept aside.
    pub(crate) misfits: Vec<Misfit>,
    /// How many are kept aside in all.
    pub(crate) aside: usize,
}

/// Why a sandbox has another pack than it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Because {
    /// The files of the pack changed.
    Edited,
    /// It went back to a snapshot from before such a change, or is a fork of one.
    Restored,
}

/// Something of a sandbox that its pack has no place for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) what: Part,
    pub(crate) reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// A record; a single field of it where one is named.
    Record {
        resource: Arc<str>,
        id: String,
        /// Whether the id must not be read.
        secret: bool,
        field: Option<Arc<str>>,
    },
    /// A value that was chosen for an option, as `pack.option`.
    Option(String),
}

impl Because {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Because::Edited => "edited",
            Because::Restored => "restored",
        }
    }
}

impl Reloaded {
    /// About how many bytes keeping it costs, with the texts that are kept for its entries.
    pub(crate) fn size(&self) -> usize {
        let files: usize = self.files.iter().map(String::len).sum();
        let misfits: usize = self.misfits.iter().map(|misfit| size_of::<Misfit>() + misfit.reason.len()).sum();
        size_of::<Reloaded>() + files + misfits + self.pack.own
    }
}

use super::{Entry, Exchanged};

/// Which exchanges are asked for. Every condition that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// The operation's id or the part behind the last `/` of it.
    pub(crate) operation: Option<String>,
    pub(crate) method: Option<String>,
    /// Path within the pack.
    pub(crate) path: Option<String>,
    pub(crate) pack: Option<String>,
    /// A status, or a class such as `4xx`.
    pub(crate) status: Option<String>,
    pub(crate) contract: Option<String>,
    /// Only entries after this number.
    pub(crate) after: u64,
}

impl Filter {
    pub(crate) fn matches(&self, entry: &Entry) -> bool {
        entry.id > self.after && entry.exchange().is_some_and(|exchanged| self.matches_exchange(exchanged))
    }

    fn matches_exchange(&self, exchanged: &Exchanged) -> bool {
        let given = |wanted: &Option<String>, holds: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(holds);
        given(&self.operation, &|wanted| {
            exchanged.operation.as_deref().is_some_and(|name| name == wanted || name.rsplit('/').next() == Some(wanted))
        }) && given(&self.method, &|wanted| exchanged.request.method.as_str().eq_ignore_ascii_case(wanted))
            && given(&self.path, &|wanted| exchanged.request.path == wanted)
            && given(&self.pack, &|wanted| &*exchanged.pack == wanted)
            && given(&self.status, &|wanted| status_matches(exchanged.response.status.as_u16(), wanted))
            && given(&self.contract, &|wanted| exchanged.contract == Some(wanted))
    }
}

fn status_matches(status: u16, wanted: &str) -> bool {
    match wanted.strip_suffix("xx") {
        Some(class) => class == (status / 100).to_string(),
        None => wanted == status.to_string(),
    }
}

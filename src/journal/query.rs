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
    pub(crate) status: Option<StatusFilter>,
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
        given(&self.operation, &|wanted| exchanged.operation.as_deref().is_some_and(|name| is_called(name, wanted)))
            && given(&self.method, &|wanted| exchanged.request.method.as_str().eq_ignore_ascii_case(wanted))
            && given(&self.path, &|wanted| exchanged.request.path == wanted)
            && given(&self.pack, &|wanted| exchanged.pack.as_deref() == Some(wanted))
            && self.status.is_none_or(|wanted| wanted.holds(exchanged.response.status.as_u16()))
            && given(&self.contract, &|wanted| exchanged.contract == Some(wanted))
    }
}

/// Whether an operation's id, or the part behind its last `/`, is this name.
pub(crate) fn is_called(operation: &str, name: &str) -> bool {
    operation == name || operation.rsplit('/').next() == Some(name)
}

/// A status, or a class such as `4xx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusFilter {
    Exactly(u16),
    Class(u16),
}

impl StatusFilter {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(class) = text.strip_suffix("xx") {
            return matches!(class, "1" | "2" | "3" | "4" | "5")
                .then(|| class.parse().ok().map(StatusFilter::Class))?;
        }
        let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        let status = text.parse().ok().filter(|status| digits && (100..600).contains(status))?;
        Some(StatusFilter::Exactly(status))
    }

    fn holds(self, status: u16) -> bool {
        match self {
            StatusFilter::Exactly(wanted) => status == wanted,
            StatusFilter::Class(class) => status / 100 == class,
        }
    }
}

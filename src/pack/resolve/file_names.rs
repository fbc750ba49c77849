//! Files whose names or places make them useless: what they are called decides what they are.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, FileId, Location, nearest};

impl Resolver<'_> {
    pub(super) fn refused_files(&mut self) {
        for refused in &self.files.refused {
            let place = Location::whole(self.sources.add(refused.path.clone(), "".into()));
            let message = format!("this is left out: {}", refused.reason);
            self.report(Diagnostic::error(Code::FileUnreadable, place, message).help(refused.remedy));
        }
    }

    /// A file that is read under the name that was meant, so that this is all there is to say about it.
    pub(super) fn misnamed(&mut self, file: FileId, shown: &str, meant: &str) {
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let message = format!("nothing reads a file called `{}`", name(shown));
        let diagnostic = Diagnostic::error(Code::FileUnused, Location::whole(file), message);
        self.report(diagnostic.suggest(Some(name(meant))).help("endings are `.yaml` and `.json`, in small letters"));
    }

    /// Operations that stand in no topic. They may use what then seems to be unused.
    pub(super) fn check_topics(&mut self) {
        let lost = |path: &&str| !path.contains('/') && path.ends_with(".yaml") && !self.used.contains(*path);
        let lost: Vec<String> = self.fixtures.keys().copied().filter(lost).map(str::to_owned).collect();
        for path in lost {
            let Some(id) = self.fixtures.get(path.as_str()).copied() else { continue };
            let message = format!("nothing uses `{path}`");
            let help = format!(
                "operations, events and webhooks stand in the folder of their topic: move it to `<topic>/{path}`"
            );
            self.report(Diagnostic::error(Code::FileUnused, Location::whole(id), message).help(help));
            self.used.insert(path);
        }
    }

    /// What a file was probably meant to be that is called nearly like an example, an event, a webhook or a payload.
    pub(super) fn meant_role(path: &str) -> Option<String> {
        let name = path.rsplit('/').next()?;
        let parts: Vec<&str> = name.split('.').collect();
        let role = *parts.get(1).filter(|_| parts.len() > 2)?;
        let meant = nearest(role, ["request", "event", "webhook", "payload"])?;
        let parts = parts.iter().enumerate().map(|(index, part)| if index == 1 { meant.as_str() } else { part });
        Some(parts.collect::<Vec<_>>().join(".")).filter(|meant| meant != name)
    }
}

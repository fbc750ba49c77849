//! What can be said about the other files of a pack whose `pack.yaml` cannot be read.

use super::Resolver;
use crate::diagnostic::FileId;
use crate::pack::source::{EventSource, OperationSource, WebhookSource};

impl Resolver<'_> {
    /// Every file by itself: whether it can be read, and whether its keys are those of its kind.
    pub(super) fn survey(&mut self) {
        let files: Vec<(String, FileId)> = self.fixtures.iter().map(|(path, id)| ((*path).to_owned(), *id)).collect();
        for (path, file) in files {
            let Some((_, name)) = path.rsplit_once('/') else { continue };
            match name.strip_suffix(".yaml") {
                Some(stem) if stem.ends_with(".event") => {
                    if let Some(node) = self.yaml(file) {
                        EventSource::read(&node, &mut self.diagnostics);
                    }
                }
                Some(stem) if stem.ends_with(".webhook") => {
                    if let Some(node) = self.yaml(file) {
                        WebhookSource::read(&node, &mut self.diagnostics);
                    }
                }
                Some(stem) if !stem.contains('.') => {
                    if let Some(node) = self.yaml(file) {
                        OperationSource::read(&node, &mut self.diagnostics);
                    }
                }
                _ => self.read_only(&path, file),
            }
        }
    }
}

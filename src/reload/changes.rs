//! For a command that does something again whenever files are others: it waits here until they may be.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use notify::{Config, Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::watch::{QUIET, concerns};

/// How often nothing must be quiet before that is given up.
const PATIENCE: usize = 50;

/// Hears when something at some paths, or below them, may have changed.
pub(crate) struct Changes {
    receiver: Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl Changes {
    /// All of them are there, and without links. The error says why nothing can be heard.
    pub(crate) fn at(paths: &[PathBuf]) -> Result<Self, String> {
        let ours = paths.to_vec();
        let (sender, receiver) = mpsc::channel();
        let heard = move |event: Result<Event, notify::Error>| {
            if concerns(&event, &ours) {
                let _ = sender.send(());
            }
        };
        let made = RecommendedWatcher::new(heard, Config::default().with_follow_symlinks(false));
        let mut watcher = made.map_err(|error| error.to_string())?;
        for path in paths {
            // Editors put a new file in the place of the old one, so that its folder is what is watched.
            let (folder, mode) = match path.parent().filter(|_| !path.is_dir()) {
                Some(folder) => (folder, RecursiveMode::NonRecursive),
                None => (path.as_path(), RecursiveMode::Recursive),
            };
            watcher.watch(folder, mode).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(Changes { receiver, _watcher: watcher })
    }

    /// Waits for the next change, and then until no more come. False where none will ever come.
    pub(crate) fn wait(&self) -> bool {
        self.next(None) && {
            let _ = (0..PATIENCE).find(|_| !self.next(Some(QUIET)));
            true
        }
    }

    fn next(&self, most: Option<Duration>) -> bool {
        match most {
            None => self.receiver.recv().is_ok(),
            Some(most) => !matches!(self.receiver.recv_timeout(most), Err(RecvTimeoutError::Timeout)),
        }
    }
}

//! When to look: files change in bursts, and a folder can go and come back.
//!
//! Folders are watched, never single files, since editors put a new file in the place of the old one. An event only says
//! that it is time to look; what changed, the digests of all files say. So nothing depends on which events come.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::{Reloader, Watch};

/// How long nothing must happen before files are read, and how long that is waited for at most, in microseconds.
pub(super) const QUIET: Duration = Duration::from_millis(100);
const PATIENCE: i64 = 500_000;

/// How often files are read where no events say that they changed.
const POLL: Duration = Duration::from_millis(500);

/// How often it is looked for folders of which not even the parent is there.
const BLIND: Duration = Duration::from_secs(1);

/// How often files that are found changed are read again, until they stay what they are.
const AGAIN: usize = 5;

pub(super) enum Signal {
    Changed,
    Stop,
}

/// Looks until it is dropped.
pub(crate) struct Watching(Sender<Signal>);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.send(Signal::Stop);
    }
}

/// Begins to look, on a thread of its own. Nothing where it is not to, or the system has no more threads.
pub(crate) fn start(reloader: &Arc<Reloader>) -> Option<Watching> {
    let (sender, receiver) = mpsc::channel();
    let _ = reloader.follower.set(sender.clone());
    let follower = Follower { reloader: Arc::clone(reloader), receiver, sender: sender.clone() };
    let follow = match reloader.watch {
        Watch::Off => return None,
        Watch::Events => Follower::events,
        Watch::Poll => Follower::poll,
    };
    let started = thread::Builder::new().name("reload".to_owned()).spawn(move || follow(&follower));
    started.ok().map(|_| Watching(sender))
}

struct Follower {
    reloader: Arc<Reloader>,
    receiver: Receiver<Signal>,
    sender: Sender<Signal>,
}

/// Whether there is more to wait for.
enum Heard {
    Change,
    Nothing,
    Stop,
}

impl Follower {
    fn wait(&self, most: Option<Duration>) -> Heard {
        let signal = match most {
            None => self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(most) => self.receiver.recv_timeout(most),
        };
        match signal {
            Ok(Signal::Changed) => Heard::Change,
            Err(RecvTimeoutError::Timeout) => Heard::Nothing,
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => Heard::Stop,
        }
    }

    /// Looks when the system says that something changed, and again and again while it cannot.
    fn events(&self) {
        let mut eyes = None;
        loop {
            // What happens from here on is heard; what happened before is looked at. The old eyes close after that.
            let blind = match Eyes::open(self) {
                Ok(open) => {
                    self.reloader.unfollowed(None);
                    self.reloader.look_alone();
                    eyes.insert(open).blind.then_some(BLIND)
                }
                Err(error) => {
                    eyes = None;
                    self.reloader.unfollowed(Some(format!(
                        "changes of files cannot be followed: {error}; they are read again and again, as with --watch=poll"
                    )));
                    if matches!(self.look_once(), Heard::Stop) {
                        return;
                    }
                    Some(POLL)
                }
            };
            match self.wait(blind) {
                Heard::Change => {}
                Heard::Nothing => continue,
                Heard::Stop => return,
            }
            let began = (self.reloader.real)();
            while (self.reloader.real)().0.saturating_sub(began.0) < PATIENCE {
                match self.wait(Some(QUIET)) {
                    Heard::Change => {}
                    Heard::Nothing => break,
                    Heard::Stop => return,
                }
            }
        }
    }

    /// Looks again and again.
    fn poll(&self) {
        while !matches!(self.look_once(), Heard::Stop) {
            if matches!(self.wait(Some(POLL)), Heard::Stop) {
                return;
            }
        }
    }

    /// Reads all files, and looks where they are others, once they stay what they are.
    fn look_once(&self) -> Heard {
        let mut scan = self.reloader.scan();
        if !self.reloader.differs(&scan) {
            return Heard::Nothing;
        }
        // Somebody may be writing.
        for _ in 0..AGAIN {
            if matches!(self.wait(Some(QUIET)), Heard::Stop) {
                return Heard::Stop;
            }
            let again = self.reloader.scan();
            if std::mem::replace(&mut scan, again).same(&scan) {
                break;
            }
        }
        self.reloader.look_alone();
        Heard::Change
    }
}

/// What watches the folders as they are now.
struct Eyes {
    _watcher: RecommendedWatcher,
    /// Whether there is a folder whose coming nothing would say.
    blind: bool,
}

impl Eyes {
    fn open(follower: &Follower) -> Result<Self, notify::Error> {
        let roots = follower.reloader.folders.roots().map_err(notify::Error::io)?;
        let ours: Vec<PathBuf> =
            roots.iter().flat_map(|root| root.links.iter().chain([&root.path]).chain(&root.real)).cloned().collect();
        let sender = follower.sender.clone();
        let heard = move |event: Result<Event, notify::Error>| {
            if concerns(&event, &ours) {
                let _ = sender.send(Signal::Changed);
            }
        };
        let mut watcher = RecommendedWatcher::new(heard, Config::default().with_follow_symlinks(false))?;
        let mut watched: BTreeMap<&Path, RecursiveMode> = BTreeMap::new();
        for root in &roots {
            match &root.real {
                Some(real) if root.deep => {
                    watched.insert(real, RecursiveMode::Recursive);
                }
                Some(real) => {
                    watched.entry(real).or_insert(RecursiveMode::NonRecursive);
                }
                None => {}
            }
            let above = root.links.iter().filter_map(|link| link.parent());
            for folder in above.chain(root.parent.as_deref()) {
                watched.entry(folder).or_insert(RecursiveMode::NonRecursive);
            }
        }
        for (path, mode) in &watched {
            match watcher.watch(path, *mode) {
                Err(error) if is_gone(&error) => {}
                watching => watching?,
            }
        }
        Ok(Eyes { _watcher: watcher, blind: roots.iter().any(|root| root.parent.is_none()) })
    }
}

/// Whether it is about a folder that has gone meanwhile, which those around it tell.
fn is_gone(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::PathNotFound => true,
        notify::ErrorKind::Io(error) => error.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}

/// Whether something that is ours may have changed. That files are read is told, too.
pub(super) fn concerns(event: &Result<Event, notify::Error>, ours: &[PathBuf]) -> bool {
    let Ok(event) = event else { return true };
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => {}
        EventKind::Access(_) => return false,
        _ => {}
    }
    let is_ours = |path: &PathBuf| ours.iter().any(|root| path.starts_with(root));
    event.need_rescan() || event.paths.is_empty() || event.paths.iter().any(is_ours)
}

//! Packs read again while they are served: a good edit is live at once, a bad one leaves the last good pack serving.
//!
//! The only user of `notify`. Everything is read and checked beside the requests; only then are packs exchanged, sandbox by
//! sandbox. Must not know: HTTP, the terminal. Start with [`Reloader`]; `watch.rs` says when it looks.

mod changes;
mod status;
mod watch;

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};

use http::HeaderValue;
use parking_lot::{Mutex, RwLock};

use crate::clock::{Instant, Real};
use crate::diagnostic::{Code, Diagnostic, Severity, SourceMap, to_json};
use crate::metrics::Metrics;
use crate::pack::{self, Files, Folders, Loaded, Pack};
use crate::sandbox::{Registry, Replacement};
use status::Status;

pub(crate) use changes::Changes;
pub(crate) use status::{Shown, Standing};
use watch::Signal;
pub(crate) use watch::start;

/// How it is noticed that files change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    /// The system says so.
    Events,
    /// All files are read again and again.
    Poll,
    /// Only when somebody asks.
    Off,
}

impl Watch {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Watch::Events => "events",
            Watch::Poll => "poll",
            Watch::Off => "off",
        }
    }
}

/// What is read again, and who hears of it.
pub(crate) struct Plan {
    pub(crate) folders: Folders,
    /// Whether every pack that there is is served, so that new ones are, too.
    pub(crate) all: bool,
    /// The packs that are served, by their numbers, as they were read.
    pub(crate) read: Vec<Read>,
    pub(crate) watch: Watch,
    pub(crate) told: Option<Told>,
}

/// A pack as it was read when the server started.
#[derive(Debug)]
pub(crate) struct Read {
    name: String,
    print: String,
    on_disk: bool,
    diagnostics: serde_json::Value,
}

impl Read {
    pub(crate) fn new(files: &Files, loaded: &Loaded) -> Self {
        Read {
            name: files.folder.clone(),
            print: loaded.pack.as_ref().map_or_else(|| files.print(), |pack| files.print_of(&pack.digests)),
            on_disk: files.on_disk,
            diagnostics: to_json(&loaded.diagnostics, loaded.sources()),
        }
    }
}

/// Hears what came of it, for the log output.
pub(crate) type Told = Box<dyn Fn(&News<'_>) + Send + Sync>;

/// Something to tell.
#[derive(Debug)]
pub(crate) enum News<'n> {
    Pack {
        at: Instant,
        pack: &'n str,
        what: What<'n>,
        /// In real milliseconds.
        took: i64,
        diagnostics: &'n [Diagnostic],
        sources: &'n SourceMap,
    },
    /// Files cannot be read or watched; in words.
    Trouble { at: Instant, words: &'n str },
}

/// What became of a pack.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What<'n> {
    /// It is another one now.
    Live {
        /// The files that changed.
        files: &'n [String],
        /// Whether sandboxes begin with other records.
        seeds: bool,
        /// How many records and values of all sandboxes have no place in it.
        aside: usize,
    },
    /// Its files are again those that are served.
    Mended,
    /// It has errors. The last good one is served, if there was one.
    Stale { errors: usize, served: bool },
    /// Its folder is not there any more. The last good one is served.
    Gone,
}

/// Reads packs again, and puts them in the place of those that are served.
pub(crate) struct Reloader {
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
    folders: Folders,
    all: bool,
    watch: Watch,
    told: Option<Told>,
    /// A counter of real microseconds, and the real time.
    real: Box<dyn Fn() -> Real + Send + Sync>,
    wall: fn() -> Instant,
    /// Tells the thread that looks by itself, if there is one.
    follower: OnceLock<Sender<Signal>>,
    /// Whoever holds it reads files, or exchanges packs.
    turn: Mutex<()>,
    known: Mutex<Known>,
    /// What answers of each pack say about it, by its number; looked at only when there is something to say.
    notes: RwLock<Vec<Option<HeaderValue>>>,
    noted: AtomicBool,
}

#[derive(Debug, Clone, Default)]
struct Known {
    packs: Vec<Status>,
    /// When something was last found to be another, and how long it took.
    last: Option<(Instant, i64)>,
    /// Why packs cannot be read, and why no events come.
    trouble: Option<String>,
    unfollowed: Option<String>,
}

/// The packs on disk as they were found.
pub(crate) struct Scan(Result<Vec<(Files, String)>, io::Error>);

impl Scan {
    /// Whether both found the same.
    pub(crate) fn same(&self, other: &Scan) -> bool {
        let prints = |scan: &Scan| -> Option<Vec<String>> {
            Some(scan.0.as_ref().ok()?.iter().map(|(_, print)| print.clone()).collect())
        };
        prints(self) == prints(other)
    }
}

/// A pack that was read without errors and is not served yet.
struct Fresh {
    /// Its place among those that are known.
    status: usize,
    print: String,
    pack: Arc<Pack>,
    diagnostics: Vec<Diagnostic>,
}

impl Reloader {
    pub(crate) fn new(
        plan: Plan,
        registry: Arc<Registry>,
        metrics: Arc<Metrics>,
        real: Box<dyn Fn() -> Real + Send + Sync>,
        wall: fn() -> Instant,
    ) -> Self {
        let Plan { folders, all, read, watch, told } = plan;
        let packs = read.into_iter().enumerate().map(|(number, read)| Status::served(number, read)).collect();
        Reloader {
            registry,
            metrics,
            folders,
            all,
            watch,
            told,
            real,
            wall,
            follower: OnceLock::new(),
            turn: Mutex::new(()),
            known: Mutex::new(Known { packs, ..Known::default() }),
            notes: RwLock::default(),
            noted: AtomicBool::new(false),
        }
    }

    /// What answers of a pack say about it; nothing as long as its files are what is served.
    pub(crate) fn note(&self, pack: usize) -> Option<HeaderValue> {
        if !self.noted.load(Ordering::Relaxed) {
            return None;
        }
        self.notes.read().get(pack).cloned().flatten()
    }

    /// What the last look found; one that is under way is waited for.
    pub(crate) fn shown(&self) -> Shown {
        let _turn = self.turn.lock();
        let known = self.known.lock();
        let packs = known.packs.iter().map(|status| status.standing(&self.registry.packs())).collect();
        let watch = if known.unfollowed.is_some() { Watch::Poll } else { self.watch };
        let trouble = known.trouble.as_ref().or(known.unfollowed.as_ref()).cloned();
        Shown { watch, last: known.last, trouble, packs }
    }

    /// Reads the packs on disk. Nothing comes of it yet.
    pub(crate) fn scan(&self) -> Scan {
        let known: Vec<String> = self.known.lock().packs.iter().map(|status| status.name.clone()).collect();
        let found = pack::read_disk(&self.folders, &known);
        let printed = |files: Files| {
            let print = files.print();
            (files, print)
        };
        Scan(found.map(|found| found.into_iter().map(printed).collect()))
    }

    /// Whether something is another than when somebody last looked.
    pub(crate) fn differs(&self, scan: &Scan) -> bool {
        let known = self.known.lock();
        let found = match &scan.0 {
            Ok(found) => found,
            Err(error) => return known.trouble != Some(unread(error)),
        };
        let other = |(files, print): &(Files, String)| {
            let status = known.packs.iter().find(|status| status.name == files.folder);
            status.map_or(self.all, |status| status.tried.as_ref() != Some(print))
        };
        known.trouble.is_some() || found.iter().any(other) || known.packs.iter().any(|status| status.is_gone(found))
    }

    /// Looks because somebody asked. Gives the packs that are others, or stand otherwise.
    pub(crate) fn look(&self) -> Vec<String> {
        let changed = self.look_alone();
        // What was found may be at other places than what is followed.
        if let Some(follower) = self.follower.get() {
            let _ = follower.send(Signal::Changed);
        }
        changed
    }

    /// Looks at all files, and makes of them what can be made.
    fn look_alone(&self) -> Vec<String> {
        let _turn = self.turn.lock();
        let began = (self.real)();
        match self.scan().0 {
            Ok(found) => self.take(found, began),
            Err(error) => {
                self.trouble(unread(&error));
                Vec::new()
            }
        }
    }

    fn take(&self, found: Vec<(Files, String)>, began: Real) -> Vec<String> {
        // Whoever asks meanwhile is told what was known before.
        let Known { mut packs, mut last, unfollowed, .. } = self.known.lock().clone();
        let mut changed = self.gone(&mut packs, &found, began);
        let mut fresh = Vec::new();
        for (files, print) in found {
            let place = match packs.iter().position(|status| status.name == files.folder) {
                Some(place) => place,
                None if self.all => {
                    packs.push(Status::unknown(files.folder.clone()));
                    packs.len() - 1
                }
                None => continue,
            };
            let status = &mut packs[place];
            status.on_disk = true;
            if status.tried.as_ref() == Some(&print) {
                continue;
            }
            changed.push(files.folder.clone());
            status.tried = Some(print.clone());
            status.at = Some((self.wall)());
            if status.served.as_ref() == Some(&print) {
                status.mend();
                self.tell(&status.name, What::Mended, began, &[], &SourceMap::default());
                continue;
            }
            let Loaded { pack, diagnostics, sources, .. } = pack::load(&files);
            match pack {
                Some(pack) => {
                    let before = status.number.and_then(|number| self.registry.packs().get(number).cloned());
                    let pack = Arc::new(match before {
                        Some(before) => pack.sharing(&before),
                        None => pack,
                    });
                    fresh.push(Fresh { status: place, print, pack, diagnostics });
                }
                None => {
                    let before = status.number.and_then(|number| self.registry.packs().get(number).cloned());
                    let edited = files.changed_since(before.as_ref().map_or(&[], |before| &before.digests));
                    self.failed(status, &diagnostics, &sources, &edited, began);
                }
            }
        }
        self.serve(&mut packs, fresh, began);
        if !changed.is_empty() {
            last = Some(((self.wall)(), self.since(began)));
        }
        let notes: Vec<Option<HeaderValue>> = self.notes_of(&packs);
        self.noted.store(notes.iter().any(Option::is_some), Ordering::Relaxed);
        *self.notes.write() = notes;
        let told = !changed.is_empty() || self.known.lock().trouble.is_some();
        *self.known.lock() = Known { packs, last, trouble: None, unfollowed };
        if told {
            self.tell_standing();
        }
        changed
    }

    /// Notices packs whose folders are not there any more.
    fn gone(&self, packs: &mut Vec<Status>, found: &[(Files, String)], began: Real) -> Vec<String> {
        let mut changed = Vec::new();
        for status in packs.iter_mut().filter(|status| status.is_gone(found)) {
            changed.push(status.name.clone());
            status.at = Some((self.wall)());
            status.vanish(&self.folders);
            if status.number.is_some() {
                self.tell(&status.name, What::Gone, began, &[], &SourceMap::default());
            }
        }
        // One that never was served leaves nothing.
        packs.retain(|status| status.number.is_some() || status.tried.is_some());
        changed
    }

    fn failed(
        &self,
        status: &mut Status,
        diagnostics: &[Diagnostic],
        sources: &SourceMap,
        edited: &BTreeSet<String>,
        began: Real,
    ) {
        status.fail(diagnostics, sources, edited, &self.folders);
        let errors = diagnostics.iter().filter(|one| one.severity == Severity::Error).count();
        let what = What::Stale { errors, served: status.number.is_some() };
        self.tell(&status.name, what, began, diagnostics, sources);
    }

    /// Puts packs in the place of those of their names, or behind all others.
    fn serve(&self, known: &mut [Status], mut fresh: Vec<Fresh>, began: Real) {
        while !fresh.is_empty() {
            let before = self.registry.packs();
            let mut packs = before.to_vec();
            let mut numbers = Vec::new();
            for one in &fresh {
                let number = known[one.status].number.unwrap_or(packs.len());
                match packs.get_mut(number) {
                    Some(place) => *place = Arc::clone(&one.pack),
                    None => packs.push(Arc::clone(&one.pack)),
                }
                numbers.push(number);
            }
            match self.registry.replace(packs, (self.real)()) {
                Ok(replacement) => {
                    self.metrics.know(&replacement.now.packs);
                    for (one, number) in fresh.iter().zip(numbers) {
                        self.replaced(&mut known[one.status], one, number, before.get(number), &replacement, began);
                    }
                    return;
                }
                // What is derived for seed records came out twice, which nobody can see in the files.
                Err((name, conflict)) => {
                    let Some(at) = fresh.iter().position(|one| *one.pack.name == *name) else { return };
                    let one = fresh.remove(at);
                    let words = format!("the seed records contradict each other: {conflict:?}");
                    let diagnostic = Diagnostic::general(Code::SeedInvalid, words);
                    self.failed(&mut known[one.status], &[diagnostic], &one.pack.sources, &BTreeSet::new(), began);
                }
            }
        }
    }

    fn replaced(
        &self,
        status: &mut Status,
        fresh: &Fresh,
        number: usize,
        before: Option<&Arc<Pack>>,
        replacement: &Replacement,
        began: Real,
    ) {
        let Fresh { print, pack, diagnostics, .. } = fresh;
        let files = match before {
            Some(before) => pack.files_changed_since(before),
            None => pack.digests.iter().map(|(path, _)| path.clone()).collect(),
        };
        let seeds = before.is_some_and(|before| replacement.has_other_seeds(number, before, pack));
        let aside = self.registry.list((self.real)()).into_iter().flat_map(|sandbox| sandbox.misfits(0));
        let aside = aside.filter(|(name, ..)| *name == pack.name).map(|(_, count, _)| count).sum();
        status.serve(number, print, files, seeds, to_json(diagnostics, &pack.sources));
        let what = What::Live { files: &status.files, seeds, aside };
        self.tell(&status.name, what, began, diagnostics, &pack.sources);
    }

    fn notes_of(&self, known: &[Status]) -> Vec<Option<HeaderValue>> {
        let mut notes = vec![None; self.registry.packs().len()];
        for status in known {
            if let Some(place) = status.number.and_then(|number| notes.get_mut(number)) {
                *place = status.note();
            }
        }
        notes
    }

    /// Says what is in the way of all packs, once.
    fn trouble(&self, words: String) {
        let before = self.known.lock().trouble.replace(words.clone());
        if before.as_ref() != Some(&words) {
            self.tell_trouble(&words);
        }
    }

    /// Says why no events come, once; nothing as soon as they do.
    fn unfollowed(&self, words: Option<String>) {
        let before = std::mem::replace(&mut self.known.lock().unfollowed, words.clone());
        if let Some(words) = words.filter(|words| before.as_ref() != Some(words)) {
            self.tell_trouble(&words);
        }
    }

    /// Tells those who watch sandboxes how packs stand.
    fn tell_standing(&self) {
        let packs = self.known.lock();
        let stale = packs.packs.iter().filter_map(|status| Some((status.name.clone(), status.word()?))).collect();
        drop(packs);
        self.registry.tell_standing(stale, (self.real)());
    }

    fn tell_trouble(&self, words: &str) {
        self.tell_standing();
        if let Some(told) = &self.told {
            told(&News::Trouble { at: (self.wall)(), words });
        }
    }

    fn tell(&self, pack: &str, what: What<'_>, began: Real, diagnostics: &[Diagnostic], sources: &SourceMap) {
        if let Some(told) = &self.told {
            told(&News::Pack { at: (self.wall)(), pack, what, took: self.since(began), diagnostics, sources });
        }
    }

    /// Real milliseconds since then.
    fn since(&self, began: Real) -> i64 {
        (self.real)().0.saturating_sub(began.0) / 1000
    }
}

fn unread(error: &io::Error) -> String {
    format!("packs cannot be read: {error}")
}

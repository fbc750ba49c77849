use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;

use super::controls::Controls;
use super::id::SandboxId;
use super::snapshot::Snapshot;
use super::state::{Beginning, Sandbox, seeded};
use super::world::Conflict;
use crate::clock::{Instant, Mode, Real};
use crate::journal::Limits;
use crate::pack::{Chosen, Options, Pack};

/// What new sandboxes are like, and how many there may be.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) instant: Instant,
    pub(crate) mode: Mode,
    /// Microseconds by which the documented world is moved.
    pub(crate) shift: i64,
    pub(crate) seed: u64,
    /// What is chosen instead of the packs' defaults.
    pub(crate) options: Vec<Chosen>,
    pub(crate) journal: Limits,
    /// How many sandboxes there may be besides `default`.
    pub(crate) most: usize,
    /// How many snapshots each may have.
    pub(crate) snapshots: usize,
    /// After how many real microseconds without use a sandbox is closed; never where there are none.
    pub(crate) idle: Option<i64>,
}

/// What one sandbox is to have instead.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) id: Option<SandboxId>,
    pub(crate) instant: Option<Instant>,
    pub(crate) seed: Option<u64>,
    pub(crate) options: Vec<Chosen>,
    pub(crate) from: Option<Origin>,
}

/// What a sandbox is forked from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) sandbox: SandboxId,
    /// One of its snapshots; its present where there is none.
    pub(crate) snapshot: Option<String>,
}

/// Why there is no such sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotThere {
    /// There never was one in this run.
    Unknown,
    /// There was one. Its id is not used again.
    Closed(Closing),
}

/// How a sandbox ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    Deleted,
    /// Nobody used it for this many real microseconds.
    Idle(i64),
}

/// Why a sandbox could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotMade {
    Exists,
    Closed(Closing),
    /// What it was to be forked from is not there.
    Origin(SandboxId, NotThere),
    /// The sandbox that it was to be forked from has no such snapshot; those that it has.
    Snapshot(Vec<String>),
    /// As many as there may be.
    Full(usize),
    /// A pack has this name, and a host `name.localhost` would be either.
    PackName,
}

/// All sandboxes of a server. `default` always exists.
pub(crate) struct Registry {
    packs: Arc<[Arc<Pack>]>,
    settings: Settings,
    /// What a sandbox begins with of which nothing else is said.
    first: Beginning,
    sandboxes: RwLock<Shelf>,
    default: Arc<Sandbox>,
}

#[derive(Default)]
struct Shelf {
    open: BTreeMap<SandboxId, Arc<Sandbox>>,
    closed: BTreeMap<SandboxId, Closing>,
    named: u64,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Registry {
    /// Fails when the seed records of a pack contradict each other, with that pack's name.
    pub(crate) fn new(packs: Vec<Arc<Pack>>, settings: Settings, real: Real) -> Result<Self, (String, Conflict)> {
        let packs: Arc<[Arc<Pack>]> = packs.into();
        let worlds = seeded(&packs, settings.shift, settings.seed)?;
        let defaults: Vec<Options> = packs.iter().map(|pack| Options::defaults(&pack.options)).collect();
        let first = Beginning {
            packs: Arc::clone(&packs),
            worlds,
            instant: settings.instant,
            mode: settings.mode,
            shift: settings.shift,
            seed: settings.seed,
            options: chosen(&defaults, &settings.options),
            journal: settings.journal,
            snapshots: settings.snapshots,
            controls: Controls::default(),
        };
        let default = Arc::new(Sandbox::new(SandboxId::default_id(), first.clone(), real));
        Ok(Registry { packs, settings, first, sandboxes: RwLock::new(Shelf::default()), default })
    }

    pub(crate) fn packs(&self) -> &[Arc<Pack>] {
        &self.packs
    }

    pub(crate) fn default_sandbox(&self) -> &Arc<Sandbox> {
        &self.default
    }

    /// A sandbox that somebody wants to use now.
    pub(crate) fn get(&self, id: &SandboxId, real: Real) -> Result<Arc<Sandbox>, NotThere> {
        if id.is_default() {
            return Ok(Arc::clone(&self.default));
        }
        let found = self.sandboxes.read().find(id)?;
        if self.settings.idle.is_some_and(|most| found.idle(real) > most) {
            let mut shelf = self.sandboxes.write();
            self.close_idle(&mut shelf, real);
            // Somebody else may have used it meanwhile.
            shelf.find(id)?;
        }
        found.touch(real);
        Ok(found)
    }

    /// All sandboxes, `default` first.
    pub(crate) fn list(&self, real: Real) -> Vec<Arc<Sandbox>> {
        let mut shelf = self.sandboxes.write();
        self.close_idle(&mut shelf, real);
        std::iter::once(&self.default).chain(shelf.open.values()).cloned().collect()
    }

    fn close_idle(&self, shelf: &mut Shelf, real: Real) {
        let Some(most) = self.settings.idle else { return };
        let idle = shelf.open.iter().filter(|(_, sandbox)| sandbox.idle(real) > most);
        let idle: Vec<SandboxId> = idle.map(|(id, _)| id.clone()).collect();
        for id in idle {
            shelf.close(&id, Closing::Idle(most));
        }
    }

    pub(crate) fn create(&self, wish: Wish, real: Real) -> Result<Arc<Sandbox>, NotMade> {
        let origin = wish.from.as_ref().map(|origin| self.origin(origin, real)).transpose()?;
        let before = origin.as_ref().map_or(&self.first, |(sandbox, _)| &sandbox.beginning);
        let seed = wish.seed.unwrap_or(before.seed);
        let options = match wish.options.as_slice() {
            [] => Arc::clone(&before.options),
            wished => chosen(&before.options, wished),
        };
        // What is derived for seed records follows from the seed, too. That they contradict each other with this one alone is
        // next to impossible; then they are those of the server's seed.
        let worlds = match seed == before.seed {
            true => None,
            false => seeded(&self.packs, self.settings.shift, seed).ok(),
        };
        let keeps_log = seed == before.seed && options == before.options;
        let instant = wish.instant.filter(|_| origin.is_none()).unwrap_or(before.instant);
        let worlds = worlds.unwrap_or_else(|| before.worlds.clone());
        let beginning = Beginning { worlds, instant, seed, options, ..before.clone() };
        let mut shelf = self.sandboxes.write();
        self.close_idle(&mut shelf, real);
        let id = self.id(&mut shelf, wish.id)?;
        let sandbox = match origin {
            None => Sandbox::new(id.clone(), beginning, real),
            Some((_, snapshot)) => {
                let sandbox = Sandbox::forked(id.clone(), beginning, &snapshot, keeps_log, real);
                if wish.instant.is_some() {
                    sandbox.set_clock(wish.instant, None, real);
                }
                sandbox
            }
        };
        let sandbox = Arc::new(sandbox);
        shelf.open.insert(id, Arc::clone(&sandbox));
        Ok(sandbox)
    }

    /// What a fork goes on from.
    fn origin(&self, origin: &Origin, real: Real) -> Result<(Arc<Sandbox>, Arc<Snapshot>), NotMade> {
        let missing = |why| NotMade::Origin(origin.sandbox.clone(), why);
        let sandbox = self.get(&origin.sandbox, real).map_err(missing)?;
        let snapshot = match &origin.snapshot {
            None => Arc::new(sandbox.snapshot(real)),
            Some(name) => sandbox
                .snapshot_named(name)
                .ok_or_else(|| NotMade::Snapshot(sandbox.snapshots().into_iter().map(|(name, _)| name).collect()))?,
        };
        Ok((sandbox, snapshot))
    }

    /// The id of a new sandbox, if there may be one.
    fn id(&self, shelf: &mut Shelf, wished: Option<SandboxId>) -> Result<SandboxId, NotMade> {
        let named = match wished {
            Some(id) if self.packs.iter().any(|pack| &*pack.name == id.as_str()) => return Err(NotMade::PackName),
            Some(id) if id.is_default() => return Err(NotMade::Exists),
            Some(id) => match shelf.find(&id) {
                Ok(_) => return Err(NotMade::Exists),
                Err(NotThere::Closed(how)) => return Err(NotMade::Closed(how)),
                Err(NotThere::Unknown) => Some(id),
            },
            None => None,
        };
        if shelf.open.len() >= self.settings.most {
            return Err(NotMade::Full(self.settings.most));
        }
        match named {
            Some(id) => Ok(id),
            None => loop {
                shelf.named += 1;
                let Ok(id) = SandboxId::parse(&format!("sandbox-{}", shelf.named)) else { continue };
                if matches!(shelf.find(&id), Err(NotThere::Unknown)) {
                    break Ok(id);
                }
            },
        }
    }

    pub(crate) fn delete(&self, id: &SandboxId) -> Result<(), NotThere> {
        let mut shelf = self.sandboxes.write();
        shelf.find(id)?;
        shelf.close(id, Closing::Deleted);
        Ok(())
    }
}

impl Shelf {
    fn find(&self, id: &SandboxId) -> Result<Arc<Sandbox>, NotThere> {
        match self.open.get(id) {
            Some(sandbox) => Ok(Arc::clone(sandbox)),
            None => Err(self.closed.get(id).map_or(NotThere::Unknown, |how| NotThere::Closed(*how))),
        }
    }

    fn close(&mut self, id: &SandboxId, how: Closing) {
        if let Some(sandbox) = self.open.remove(id) {
            sandbox.close();
            self.closed.insert(id.clone(), how);
        }
    }
}

/// The options of all packs, with some of them chosen otherwise.
fn chosen(options: &[Options], chosen: &[Chosen]) -> Arc<[Options]> {
    options.iter().enumerate().map(|(pack, options)| options.choosing(pack, chosen)).collect()
}

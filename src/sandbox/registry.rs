use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;

use super::id::SandboxId;
use super::state::{Beginning, Sandbox, seeded};
use super::world::{Conflict, World};
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
    pub(crate) most: usize,
}

/// What one sandbox is to have instead.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) id: Option<SandboxId>,
    pub(crate) instant: Option<Instant>,
    pub(crate) seed: Option<u64>,
    pub(crate) options: Vec<Chosen>,
}

/// Why there is no such sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotThere {
    /// There never was one in this run.
    Unknown,
    /// There was, and it was deleted. Its id is not used again.
    Closed,
}

/// Why a sandbox could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotMade {
    Exists,
    Closed,
    /// As many as there may be.
    Full(usize),
    /// A pack has this name, and a host `name.localhost` would be either.
    PackName,
}

/// All sandboxes of a server. `default` always exists.
pub(crate) struct Registry {
    packs: Arc<[Arc<Pack>]>,
    settings: Settings,
    worlds: Vec<World>,
    options: Arc<[Options]>,
    sandboxes: RwLock<Shelf>,
    default: Arc<Sandbox>,
}

#[derive(Default)]
struct Shelf {
    open: BTreeMap<SandboxId, Arc<Sandbox>>,
    closed: BTreeSet<SandboxId>,
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
        let options = chosen(&defaults, &settings.options);
        let beginning = Beginning {
            packs: Arc::clone(&packs),
            worlds: worlds.clone(),
            instant: settings.instant,
            mode: settings.mode,
            seed: settings.seed,
            options: Arc::clone(&options),
            journal: settings.journal,
        };
        let default = Arc::new(Sandbox::new(SandboxId::default_id(), beginning, real));
        Ok(Registry { packs, settings, worlds, options, sandboxes: RwLock::new(Shelf::default()), default })
    }

    pub(crate) fn packs(&self) -> &[Arc<Pack>] {
        &self.packs
    }

    pub(crate) fn default_sandbox(&self) -> &Arc<Sandbox> {
        &self.default
    }

    pub(crate) fn get(&self, id: &SandboxId) -> Result<Arc<Sandbox>, NotThere> {
        if id.is_default() {
            return Ok(Arc::clone(&self.default));
        }
        let shelf = self.sandboxes.read();
        match shelf.open.get(id) {
            Some(sandbox) => Ok(Arc::clone(sandbox)),
            None if shelf.closed.contains(id) => Err(NotThere::Closed),
            None => Err(NotThere::Unknown),
        }
    }

    pub(crate) fn list(&self) -> Vec<Arc<Sandbox>> {
        let shelf = self.sandboxes.read();
        std::iter::once(&self.default).chain(shelf.open.values()).cloned().collect()
    }

    pub(crate) fn create(&self, wish: Wish, real: Real) -> Result<Arc<Sandbox>, NotMade> {
        // What is derived for seed records follows from the seed, too. That they contradict each other with this one alone is
        // next to impossible; then they are those of the server's seed.
        let own = wish.seed.filter(|seed| *seed != self.settings.seed);
        let own = own.and_then(|seed| seeded(&self.packs, self.settings.shift, seed).ok());
        let mut shelf = self.sandboxes.write();
        if shelf.open.len() + 1 >= self.settings.most {
            return Err(NotMade::Full(self.settings.most));
        }
        let id = match wish.id {
            Some(id) if self.packs.iter().any(|pack| &*pack.name == id.as_str()) => return Err(NotMade::PackName),
            Some(id) if id.is_default() || shelf.open.contains_key(&id) => return Err(NotMade::Exists),
            Some(id) if shelf.closed.contains(&id) => return Err(NotMade::Closed),
            Some(id) => id,
            None => loop {
                shelf.named += 1;
                let Ok(id) = SandboxId::parse(&format!("sandbox-{}", shelf.named)) else { continue };
                if !shelf.open.contains_key(&id) && !shelf.closed.contains(&id) {
                    break id;
                }
            },
        };
        let beginning = Beginning {
            packs: Arc::clone(&self.packs),
            worlds: own.unwrap_or_else(|| self.worlds.clone()),
            instant: wish.instant.unwrap_or(self.settings.instant),
            mode: self.settings.mode,
            seed: wish.seed.unwrap_or(self.settings.seed),
            options: match wish.options.as_slice() {
                [] => Arc::clone(&self.options),
                wished => chosen(&self.options, wished),
            },
            journal: self.settings.journal,
        };
        let sandbox = Arc::new(Sandbox::new(id.clone(), beginning, real));
        shelf.open.insert(id, Arc::clone(&sandbox));
        Ok(sandbox)
    }

    pub(crate) fn delete(&self, id: &SandboxId) -> Result<(), NotThere> {
        let mut shelf = self.sandboxes.write();
        match shelf.open.remove(id) {
            Some(_) => {
                shelf.closed.insert(id.clone());
                Ok(())
            }
            None if shelf.closed.contains(id) => Err(NotThere::Closed),
            None => Err(NotThere::Unknown),
        }
    }
}

/// The options of all packs, with some of them chosen otherwise.
fn chosen(options: &[Options], chosen: &[Chosen]) -> Arc<[Options]> {
    options.iter().enumerate().map(|(pack, options)| options.choosing(pack, chosen)).collect()
}

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::RwLock;

use super::controls::Controls;
use super::deeds::{Carrier, Deeds};
use super::ground::Ground;
use super::id::SandboxId;
use super::snapshot::Snapshot;
use super::state::{Beginning, Sandbox};
use super::tally::Tally;
use super::world::Conflict;
use crate::clock::{Instant, Mode, Real};
use crate::journal::Limits;
use crate::pack::{Chosen, Pack};

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
    /// What every sandbox is asked of at its beginning.
    pub(crate) controls: Controls,
    pub(crate) journal: Limits,
    /// How many sandboxes there may be besides `default`.
    pub(crate) most: usize,
    /// How many snapshots each may have.
    pub(crate) snapshots: usize,
    /// How many things may be on the agenda of each that somebody asks for, or that webhooks send.
    pub(crate) agenda: usize,
    pub(crate) deeds: Deeds,
    pub(crate) carrier: Arc<dyn Carrier>,
    /// After how many real microseconds without use a sandbox is closed; never where there are none.
    pub(crate) idle: Option<i64>,
}

/// What one sandbox is to have instead.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) id: Option<SandboxId>,
    /// At which it begins; a fork goes on from the time of what it is forked from.
    pub(crate) instant: Option<Instant>,
    /// Whether its time stands still, from its beginning on. A fork begins as what it is forked from.
    pub(crate) mode: Option<Mode>,
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
    /// What paths, hosts and ports lead to. Every sandbox has at least these.
    packs: ArcSwap<Arc<[Arc<Pack>]>>,
    /// What a sandbox stands on of which nothing else is said.
    ground: RwLock<Arc<Ground>>,
    settings: Settings,
    first: Beginning,
    sandboxes: RwLock<Shelf>,
    default: Arc<Sandbox>,
    /// How the packs on disk stand.
    standing: RwLock<Standing>,
}

/// How the packs on disk stand, which every sandbox is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// How often it was told.
    pub(crate) number: u64,
    /// The packs whose files are not what is served, each with a word that says why.
    pub(crate) stale: Arc<[(String, &'static str)]>,
}

/// What was replaced, and by what.
#[derive(Debug)]
pub(crate) struct Replacement {
    before: Arc<Ground>,
    pub(crate) now: Arc<Ground>,
}

impl Replacement {
    /// Whether sandboxes begin with other records of a pack.
    pub(crate) fn has_other_seeds(&self, number: usize, before: &Pack, now: &Pack) -> bool {
        self.before.seeds[number].dump(before) != self.now.seeds[number].dump(now)
    }
}

#[derive(Default)]
struct Shelf {
    open: BTreeMap<SandboxId, Arc<Sandbox>>,
    closed: BTreeMap<SandboxId, Closing>,
    named: u64,
    /// Until then, in real microseconds, none of those that are open can have gone unused for too long, so that nobody
    /// needs to look.
    quiet: i64,
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
        let ground = Ground::new(Arc::clone(&packs), settings.options.clone(), settings.shift, settings.seed)?;
        let ground = Arc::new(ground);
        let first = Beginning {
            instant: settings.instant,
            mode: settings.mode,
            journal: settings.journal,
            snapshots: settings.snapshots,
            controls: settings.controls.clone(),
            agenda: None,
            most_agenda: settings.agenda,
            deeds: settings.deeds,
            carrier: Arc::clone(&settings.carrier),
            counted: Arc::default(),
        };
        let default = Sandbox::new(SandboxId::default_id(), first.clone(), Arc::clone(&ground), real);
        Ok(Registry {
            packs: ArcSwap::from_pointee(packs),
            ground: RwLock::new(ground),
            settings,
            first,
            sandboxes: RwLock::new(Shelf::default()),
            default: Arc::new(default),
            standing: RwLock::default(),
        })
    }

    /// How the packs on disk stand.
    pub(crate) fn standing(&self) -> Standing {
        self.standing.read().clone()
    }

    /// How often that was told.
    pub(crate) fn told(&self) -> u64 {
        self.standing.read().number
    }

    /// Tells all who watch a sandbox how the packs on disk stand now.
    pub(crate) fn tell_standing(&self, stale: Vec<(String, &'static str)>, real: Real) {
        {
            let mut standing = self.standing.write();
            // All is well, as it was.
            if standing.stale.is_empty() && stale.is_empty() {
                return;
            }
            *standing = Standing { number: standing.number + 1, stale: stale.into() };
        }
        for sandbox in self.list(real) {
            drop(sandbox.lock().watchers.take());
        }
    }

    pub(crate) fn packs(&self) -> Arc<[Arc<Pack>]> {
        Arc::clone(&**self.packs.load())
    }

    /// The packs for whoever needs them only for a moment: nothing counts who has them, which all threads would do.
    pub(crate) fn lent_packs(&self) -> impl Deref<Target = Arc<Arc<[Arc<Pack>]>>> + use<> {
        self.packs.load()
    }

    /// Puts other packs in the place of those that there are, with further ones behind them. Each has the name of the one
    /// whose number it has. Fails, and changes nothing, when the seed records of one contradict each other.
    pub(crate) fn replace(&self, packs: Vec<Arc<Pack>>, real: Real) -> Result<Replacement, (String, Conflict)> {
        let packs: Arc<[Arc<Pack>]> = packs.into();
        let Settings { options, shift, seed, .. } = &self.settings;
        let ground = Arc::new(Ground::new(Arc::clone(&packs), options.clone(), *shift, *seed)?);
        let before = std::mem::replace(&mut *self.ground.write(), Arc::clone(&ground));
        // New sandboxes have them from here on; when those that there are have them, too, they can be reached.
        let replaced: Vec<_> = self.list(real).iter().map(|sandbox| sandbox.adopt(&ground, real)).collect();
        self.packs.store(Arc::new(packs));
        drop(replaced);
        Ok(Replacement { before, now: ground })
    }

    /// A sandbox that is there, whether or not somebody uses it.
    pub(crate) fn find(&self, id: &SandboxId) -> Option<Arc<Sandbox>> {
        if id.is_default() { Some(Arc::clone(&self.default)) } else { self.sandboxes.read().open.get(id).cloned() }
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
        if real.0 <= shelf.quiet {
            return;
        }
        let idle = shelf.open.iter().filter(|(_, sandbox)| sandbox.idle(real) > most);
        let idle: Vec<SandboxId> = idle.map(|(id, _)| id.clone()).collect();
        for id in idle {
            shelf.close(&id, Closing::Idle(most));
        }
        // Who is used meanwhile is idle later still.
        shelf.quiet = shelf.open.values().map(|sandbox| sandbox.used().saturating_add(most)).min().unwrap_or(i64::MAX);
    }

    /// What was counted in all sandboxes that there are and were.
    pub(crate) fn tally(&self, real: Real) -> Tally {
        let open = self.list(real);
        let packs = self.packs();
        let mut sum = self.first.counted.lock().clone();
        sum.renew(&packs);
        for sandbox in open {
            let mut tally = sandbox.tally();
            tally.renew(&packs);
            sum.absorb(tally);
        }
        sum
    }

    /// Begins to count anew in all sandboxes.
    pub(crate) fn forget_tally(&self, real: Real) {
        self.list(real).iter().for_each(|sandbox| sandbox.forget_tally());
        *self.first.counted.lock() = Tally::default();
    }

    pub(crate) fn create(&self, wish: Wish, real: Real) -> Result<Arc<Sandbox>, NotMade> {
        let origin = wish.from.as_ref().map(|origin| self.origin(origin, real)).transpose()?;
        let before = origin.as_ref().map_or(&self.first, |(sandbox, _)| &sandbox.beginning);
        let stood_on = origin.as_ref().map_or_else(|| self.ground.read().clone(), |(sandbox, _)| sandbox.ground());
        let ground = match (wish.seed.unwrap_or(stood_on.seed), wish.options.as_slice()) {
            (seed, []) if seed == stood_on.seed => Arc::clone(&stood_on),
            (seed, wished) => Arc::new(stood_on.wished(seed, wished)),
        };
        let keeps_log = ground.seed == stood_on.seed && ground.options == stood_on.options;
        let instant = wish.instant.filter(|_| origin.is_none()).unwrap_or(before.instant);
        let mode = wish.mode.filter(|_| origin.is_none()).unwrap_or(before.mode);
        let beginning = Beginning { instant, mode, ..before.clone() };
        let mut shelf = self.sandboxes.write();
        self.close_idle(&mut shelf, real);
        let id = self.id(&mut shelf, wish.id)?;
        let sandbox = match origin {
            None => Sandbox::new(id.clone(), beginning, ground, real),
            Some((_, snapshot)) => Sandbox::forked(id.clone(), beginning, ground, &snapshot, keeps_log, real),
        };
        // Packs may have been replaced meanwhile. Who does that looks for sandboxes afterwards, and waits for the shelf.
        let present = Arc::clone(&self.ground.read());
        drop(sandbox.adopt(&present, real));
        let sandbox = Arc::new(sandbox);
        shelf.open.insert(id.clone(), Arc::clone(&sandbox));
        shelf.quiet = shelf.quiet.min(real.0.saturating_add(self.settings.idle.unwrap_or(i64::MAX)));
        drop(shelf);
        self.settings.carrier.look(&id);
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
            Some(id) if self.packs().iter().any(|pack| &*pack.name == id.as_str()) => return Err(NotMade::PackName),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Fired, Nobody};

    fn registry(idle: i64) -> Registry {
        let settings = Settings {
            instant: Instant::START,
            mode: Mode::Frozen,
            shift: 0,
            seed: 1,
            options: Vec::new(),
            controls: Controls::default(),
            journal: Limits::default(),
            most: 10,
            snapshots: 10,
            agenda: 10,
            deeds: Deeds {
                fire: |_, _, _| Fired { input: serde_json::Value::Null, change: Err(String::new()) },
                attempt: |_, _, _, _| Err(String::new()),
            },
            carrier: Arc::new(Nobody),
            idle: Some(idle),
        };
        Registry::new(Vec::new(), settings, Real(0)).unwrap()
    }

    #[test]
    fn nobody_looks_who_is_idle_before_anyone_can_be() {
        let registry = registry(100);
        let made = |real: i64| registry.create(Wish::default(), Real(real)).unwrap();
        let quiet = || registry.sandboxes.read().quiet;
        let open = |real: i64| registry.list(Real(real)).len();
        let (first, second) = (made(10), made(50));
        assert_eq!(quiet(), 110);
        assert_eq!(open(110), 3);
        first.touch(Real(105));
        assert_eq!((open(120), quiet()), (3, 150));
        // The second goes; the first was used later.
        assert_eq!((open(151), quiet()), (2, 205));
        assert_eq!(registry.get(second.id(), Real(151)).unwrap_err(), NotThere::Closed(Closing::Idle(100)));
        assert_eq!((open(206), quiet()), (1, i64::MAX));
        made(300);
        assert_eq!(quiet(), 400);
    }
}

//! A sandbox gets other packs while it is used. The records are made again on a copy, and exchanged between two things
//! that happen: an exchange is answered by one pack or by the other, never by both.

use std::sync::Arc;

use super::ground::Ground;
use super::history::History;
use super::refit::{keeps_alike, refit};
use super::state::{Freed, Sandbox, State};
use super::world::World;
use crate::clock::Real;
use crate::journal::{Because, Happening, Misfit, Reloaded};
use crate::pack::Pack;

/// How often records are made again on a copy, while others change them, before others wait.
const TRIES: u32 = 3;

/// The most misfits that an entry lists.
const LISTED: usize = 20;

/// What replaced packs leave behind.
#[derive(Debug)]
#[must_use = "it is to be dropped when nobody waits"]
pub(super) struct Replaced {
    _freed: Vec<Freed>,
    _history: Vec<History>,
    _worlds: Vec<World>,
    _ground: Arc<Ground>,
}

/// What a sandbox will be on another ground.
struct Renewed {
    ground: Arc<Ground>,
    worlds: Vec<World>,
    /// For each pack that is another.
    reloaded: Vec<Reloaded>,
}

impl Renewed {
    fn new(from: &Ground, worlds: &[World], ground: Arc<Ground>, because: Because) -> Self {
        let mut renewed = Vec::with_capacity(ground.packs.len());
        let mut reloaded = Vec::new();
        for (number, pack) in ground.packs.iter().enumerate() {
            let (before, world) = (from.packs.get(number), worlds.get(number));
            let world = match before.zip(world) {
                Some((before, world)) if Arc::ptr_eq(before, pack) => {
                    renewed.push(world.clone());
                    continue;
                }
                // Nobody has made anything of them: they are those of the pack.
                Some((_, world)) if world.is(&from.seeds[number]) => ground.seeds[number].clone(),
                Some((before, world)) if world.aside().is_none() && keeps_alike(before, pack) => world.clone(),
                Some((before, world)) => refit(before, pack, world, &ground.seeds[number], ground.seed),
                None => ground.seeds[number].clone(),
            };
            let (aside, listed) = misfits(&ground, pack, &world, LISTED);
            reloaded.push(Reloaded {
                pack: Arc::clone(&pack.face),
                because,
                files: before.map_or_else(
                    || pack.digests.iter().map(|(path, _)| path.clone()).collect(),
                    |before| pack.files_changed_since(before),
                ),
                misfits: listed,
                aside,
            });
            renewed.push(world);
        }
        Renewed { ground, worlds: renewed, reloaded }
    }
}

/// How much a pack has no place for, and the first of it.
fn misfits(ground: &Ground, pack: &Pack, world: &World, most: usize) -> (usize, Vec<Misfit>) {
    let (aside, records) = world.misfits();
    (aside + ground.unmet(pack).count(), ground.unmet(pack).chain(records).take(most).collect())
}

impl Sandbox {
    /// Goes over to the packs of another ground, with everything that was chosen here. Nothing happens where it has them.
    /// Whoever follows the sandbox is woken when what is given back is dropped.
    pub(super) fn adopt(&self, other: &Ground, real: Real) -> Option<Replaced> {
        for tried in 0.. {
            let (ground, worlds, version) = {
                let state = self.lock();
                (Arc::clone(&state.ground), state.worlds.clone(), state.version)
            };
            if ground.has_all(&other.packs) {
                return None;
            }
            let next = Arc::new(ground.on(other));
            let renewed = (tried < TRIES).then(|| Renewed::new(&ground, &worlds, Arc::clone(&next), Because::Edited));
            drop(worlds);
            let mut state = self.lock();
            let renewed = match renewed {
                Some(renewed) if state.version == version => renewed,
                // Others are quicker.
                None if Arc::ptr_eq(&state.ground, &ground) => {
                    Renewed::new(&ground, &state.worlds, next, Because::Edited)
                }
                _ => continue,
            };
            let replaced = state.renew(renewed, real);
            drop(state);
            self.beginning.carrier.look(&self.id);
            return Some(replaced);
        }
        None
    }

    /// How much each pack has no place for, and the first of it; packs that have one for everything are left out.
    pub(crate) fn misfits(&self, most: usize) -> Vec<(Arc<str>, usize, Vec<Misfit>)> {
        let (ground, worlds) = {
            let state = self.lock();
            (Arc::clone(&state.ground), state.worlds.clone())
        };
        let all = ground.packs.iter().zip(&worlds).map(|(pack, world)| {
            let (count, listed) = misfits(&ground, pack, world, most);
            (Arc::clone(&pack.name), count, listed)
        });
        all.filter(|(_, count, _)| *count > 0).collect()
    }
}

impl State {
    /// Goes over to another ground after it has gone back to a time when it stood on one of then. Gives what became of the
    /// packs that are others.
    pub(super) fn come_to(&mut self, ground: Arc<Ground>, real: Real) -> (Vec<Reloaded>, Replaced) {
        let renewed = Renewed::new(&self.ground, &self.worlds, ground, Because::Restored);
        let reloaded = renewed.reloaded.clone();
        (reloaded, self.renew(renewed, real))
    }

    fn renew(&mut self, renewed: Renewed, real: Real) -> Replaced {
        let at = self.now(real);
        let _ground = std::mem::replace(&mut self.ground, renewed.ground);
        let _worlds = std::mem::replace(&mut self.worlds, renewed.worlds);
        for (number, pack) in self.ground.packs.iter().enumerate() {
            let before = _ground.packs.get(number);
            if before.is_none_or(|before| !Arc::ptr_eq(before, pack)) {
                self.agenda.renew(number, before.map(|before| &**before), pack, &self.worlds[number], at);
            }
        }
        self.tally.renew(&self.ground.packs);
        self.changed();
        let (mut _freed, mut _history) = (Vec::new(), Vec::new());
        for reloaded in renewed.reloaded {
            let (entry, freed) = self.push(at, Happening::Reload(Box::new(reloaded)), 0);
            _freed.push(freed);
            _history.push(self.history.begin_after(entry.id));
        }
        Replaced { _freed, _history, _worlds, _ground }
    }
}

//! What sandboxes stand on: the packs, what was chosen of them, and the records that they begin with.

use std::sync::{Arc, OnceLock};

use super::agenda::Agenda;
use super::world::{Conflict, World};
use crate::clock::Instant;
use crate::journal::{Misfit, Part};
use crate::pack::{Chosen, Options, Pack};

/// Packs with all that is worked out of them for a sandbox. It never changes; a sandbox gets another one, between two
/// things that happen in it. A pack keeps its number in all that follow.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    pub(crate) packs: Arc<[Arc<Pack>]>,
    /// For each pack.
    pub(crate) options: Arc<[Options]>,
    /// What was chosen instead of the packs' defaults, whether or not they have it now.
    pub(crate) chosen: Arc<[Chosen]>,
    /// The records of each pack that a sandbox begins with.
    pub(crate) seeds: Arc<[World]>,
    /// Microseconds by which the seed records are moved.
    pub(crate) shift: i64,
    pub(crate) seed: u64,
    /// What the seed records have happen, for sandboxes that begin at an instant; made when it is first asked for.
    agenda: Arc<OnceLock<(Instant, Agenda)>>,
}

impl Ground {
    /// Fails when the seed records of a pack contradict each other, with that pack's name.
    pub(crate) fn new(
        packs: Arc<[Arc<Pack>]>,
        chosen: Vec<Chosen>,
        shift: i64,
        seed: u64,
    ) -> Result<Self, (String, Conflict)> {
        let world = |pack| World::seeded(pack, shift, seed).map_err(|conflict| (pack.name.to_string(), conflict));
        let seeds = packs.iter().map(world).collect::<Result<_, _>>()?;
        Ok(Ground::beginning_with(packs, chosen, seeds, shift, seed))
    }

    /// With records that are not those of the packs.
    pub(crate) fn beginning_with(
        packs: Arc<[Arc<Pack>]>,
        chosen: Vec<Chosen>,
        seeds: Vec<World>,
        shift: i64,
        seed: u64,
    ) -> Self {
        let options = options(&packs, &chosen);
        Ground { packs, options, chosen: chosen.into(), seeds: seeds.into(), shift, seed, agenda: Arc::default() }
    }

    /// What sandboxes that begin at an instant have to happen.
    pub(super) fn agenda(&self, now: Instant) -> Agenda {
        let (at, agenda) = self.agenda.get_or_init(|| (now, Agenda::beginning(&self.packs, &self.seeds, now)));
        if *at == now { agenda.clone() } else { Agenda::beginning(&self.packs, &self.seeds, now) }
    }

    /// The same with another seed, and with more chosen, which outranks what was. What is derived for seed records follows
    /// from the seed, too. That they contradict each other with this one alone is next to impossible; then they stay.
    pub(super) fn wished(&self, seed: u64, wished: &[Chosen]) -> Self {
        let mut ground = self.clone();
        if !wished.is_empty() {
            let kept = self.chosen.iter().filter(|one| wished.iter().all(|other| !other.is_for(one)));
            ground.chosen = kept.chain(wished).cloned().collect();
            ground.options = options(&ground.packs, &ground.chosen);
        }
        if seed != self.seed {
            (ground.seed, ground.agenda) = (seed, Arc::default());
            let seeded = self.packs.iter().map(|pack| World::seeded(pack, self.shift, seed)).collect::<Result<_, _>>();
            if let Ok(seeds) = seeded {
                ground.seeds = seeds;
            }
        }
        ground
    }

    /// The same on the packs of another ground, which has at least as many.
    pub(super) fn on(&self, other: &Ground) -> Self {
        let seeds = other.packs.iter().zip(&*other.seeds).enumerate().map(|(number, (pack, theirs))| {
            if self.has(number, pack) {
                return self.seeds[number].clone();
            }
            let own = if self.seed == other.seed { None } else { World::seeded(pack, self.shift, self.seed).ok() };
            own.unwrap_or_else(|| theirs.clone())
        });
        Ground {
            packs: Arc::clone(&other.packs),
            options: options(&other.packs, &self.chosen),
            chosen: Arc::clone(&self.chosen),
            seeds: seeds.collect(),
            shift: self.shift,
            seed: self.seed,
            agenda: Arc::default(),
        }
    }

    /// Whether the pack with this number is the very same.
    pub(super) fn has(&self, number: usize, pack: &Arc<Pack>) -> bool {
        self.packs.get(number).is_some_and(|own| Arc::ptr_eq(own, pack))
    }

    /// Whether the packs are the very same.
    pub(super) fn has_all(&self, packs: &[Arc<Pack>]) -> bool {
        self.packs.len() == packs.len() && packs.iter().enumerate().all(|(number, pack)| self.has(number, pack))
    }

    /// What was chosen and cannot be in a pack as it is now.
    pub(crate) fn unmet<'g>(&'g self, pack: &'g Pack) -> impl Iterator<Item = Misfit> + 'g {
        self.chosen.iter().filter(|one| one.pack == pack.name).filter_map(|one| {
            let reason = one.number(pack).err()?;
            Some(Misfit { what: Part::Option(one.path()), reason })
        })
    }
}

fn options(packs: &[Arc<Pack>], chosen: &[Chosen]) -> Arc<[Options]> {
    packs.iter().map(|pack| Options::chosen(pack, chosen)).collect()
}

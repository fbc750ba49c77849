use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ring::digest;
use serde_json::Value as Json;

/// Chance that repeats: every draw is a function of the sandbox's seed, the position in its log and the name of the
/// thing drawn, so it does not depend on threads, other sandboxes, or what else is drawn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draws {
    seed: u64,
    position: u64,
    /// What some names must yield instead, by name; for replaying documented examples.
    forced: Option<Arc<BTreeMap<String, Json>>>,
    /// Set by the first draw: what drew nothing does not depend on its position.
    used: Arc<AtomicBool>,
}

impl Draws {
    pub(crate) fn new(seed: u64, position: u64) -> Self {
        Draws { seed, position, ..Draws::default() }
    }

    pub(crate) fn forcing(mut self, forced: BTreeMap<String, Json>) -> Self {
        self.forced = Some(Arc::new(forced));
        self
    }

    pub(crate) fn forced(&self, name: &str) -> Option<&Json> {
        self.forced.as_ref()?.get(name)
    }

    /// Whether anything was drawn that depends on the position in the log.
    pub(crate) fn used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// `count` bytes for the `nth` draw under `name`.
    pub(crate) fn bytes(&self, name: &str, nth: u32, count: usize) -> Vec<u8> {
        self.used.store(true, Ordering::Relaxed);
        keyed(&[&self.seed.to_le_bytes(), &self.position.to_le_bytes(), name.as_bytes(), &nth.to_le_bytes()], count)
    }

    /// `count` bytes that follow from the seed and the inputs alone: the same input gives the same value at any time.
    pub(crate) fn derived(&self, inputs: &[&str], count: usize) -> Vec<u8> {
        let seed = self.seed.to_le_bytes();
        let parts: Vec<&[u8]> = std::iter::once(&seed[..]).chain(inputs.iter().map(|input| input.as_bytes())).collect();
        keyed(&parts, count)
    }

    /// A version 4 UUID for `name`.
    pub(crate) fn uuid(&self, name: &str, nth: u32) -> String {
        if let Some(Json::String(forced)) = self.forced(name) {
            return forced.clone();
        }
        uuid_of(&self.bytes(name, nth, 16))
    }

    /// A version 4 UUID that follows from the seed and the inputs alone.
    pub(crate) fn derived_uuid(&self, inputs: &[&str]) -> String {
        uuid_of(&self.derived(inputs, 16))
    }
}

fn uuid_of(bytes: &[u8]) -> String {
    let mut sixteen = [0; 16];
    sixteen.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    uuid::Builder::from_random_bytes(sixteen).into_uuid().to_string()
}

fn keyed(parts: &[&[u8]], count: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(count.next_multiple_of(32));
    let mut block = 0_u32;
    while out.len() < count {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&block.to_le_bytes());
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        out.extend_from_slice(context.finish().as_ref());
        block += 1;
    }
    out.truncate(count);
    out
}

/// One character of `alphabet` for each of `count` places, from bytes with equal chances.
pub(crate) fn spell(alphabet: &[u8], count: usize, mut more: impl FnMut(u32, usize) -> Vec<u8>) -> String {
    // A byte beyond the last whole multiple of the alphabet would favour its first characters.
    let fair = 256 - 256 % alphabet.len();
    let mut out = String::with_capacity(count);
    let mut round = 0;
    // Where no byte is unfair, none is thrown away.
    let wanted = if fair == 256 { count } else { count * 2 };
    while out.len() < count {
        for byte in more(round, wanted) {
            if usize::from(byte) < fair && out.len() < count {
                out.push(char::from(alphabet[usize::from(byte) % alphabet.len()]));
            }
        }
        round += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_position_and_name_only() {
        let draws = Draws::new(7, 3);
        assert_eq!(draws.bytes("a", 0, 40), draws.bytes("a", 0, 40));
        assert_ne!(draws.bytes("a", 0, 16), draws.bytes("b", 0, 16));
        assert_ne!(draws.bytes("a", 0, 16), Draws::new(7, 4).bytes("a", 0, 16));
        assert_ne!(draws.bytes("a", 0, 16), Draws::new(8, 3).bytes("a", 0, 16));
        assert_eq!(draws.derived(&["x", "y"], 8), Draws::new(7, 9).derived(&["x", "y"], 8));
        assert_ne!(draws.derived(&["x", "y"], 8), draws.derived(&["xy", ""], 8));
    }

    #[test]
    fn uuids_are_version_4_and_can_be_forced() {
        let uuid = uuid::Uuid::parse_str(&Draws::new(1, 1).uuid("customer.uuid", 0)).unwrap();
        assert_eq!(uuid.get_version_num(), 4);
        let forced = Draws::new(1, 1).forcing(BTreeMap::from([("customer.uuid".to_owned(), Json::from("x"))]));
        assert_eq!(forced.uuid("customer.uuid", 0), "x");
    }

    #[test]
    fn spelling_fills_every_place_from_the_alphabet() {
        let draws = Draws::new(1, 1);
        let text = spell(b"0123456789", 200, |round, count| draws.bytes("n", round, count));
        assert_eq!(text.len(), 200);
        assert!(text.bytes().all(|byte| byte.is_ascii_digit()));
    }
}

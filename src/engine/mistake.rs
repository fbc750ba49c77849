//! What is wrong with something that a sandbox is asked, and what those who read it share.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::diagnostic::{all_of, did_you_mean, shortened, there_are};
use crate::exchange::child;
use crate::pack::Pack;

/// How much of a value is quoted.
pub(super) const QUOTED: usize = 80;

/// Something that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// A JSON pointer into what was sent.
    pub(crate) pointer: String,
    pub(crate) message: String,
}

/// One rule, by its place in what was sent, and where mistakes in it are noted.
pub(super) struct Place<'m> {
    pub(super) at: String,
    pub(super) mistakes: &'m mut Vec<Mistake>,
}

impl Place<'_> {
    /// Notes what is wrong with a member, or with the whole rule where none is named.
    pub(super) fn wrong(&mut self, member: &str, message: impl Into<String>) {
        let pointer = if member.is_empty() { self.at.clone() } else { child(&self.at, member) };
        self.mistakes.push(Mistake { pointer, message: message.into() });
    }

    /// The members of a rule, which is called so and may have these.
    pub(super) fn members<'g>(&mut self, what: &str, given: &'g Json, known: &[&str]) -> Option<&'g Map<String, Json>> {
        let Json::Object(members) = given else {
            self.wrong("", format!("{what} is an object, not {}", quoted(given)));
            return None;
        };
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            let meant = did_you_mean(name, known.iter().copied());
            self.wrong(name, format!("{what} may have {}.{meant}", all_of(known.iter().copied())));
        }
        Some(members)
    }
}

/// The rules of `{"<member>": [rule…]}`, of which there are not too many.
pub(super) fn rules<'g>(given: &'g Json, member: &str, most: usize) -> Result<&'g [Json], Vec<Mistake>> {
    let wrong = |message: String| Err(vec![Mistake { pointer: format!("/{member}"), message }]);
    match given.get(member) {
        Some(Json::Array(rules)) if rules.len() <= most => Ok(rules),
        Some(Json::Array(rules)) => wrong(format!("there are {} rules: at most {most}", rules.len())),
        other => {
            let found = other.map_or("nothing".to_owned(), quoted);
            wrong(format!("it is a list of rules, not {found}; an empty list for none"))
        }
    }
}

/// The pack of this name.
pub(super) fn pack<'p>(packs: &'p [Arc<Pack>], name: &str) -> Result<&'p Arc<Pack>, String> {
    let found = packs.iter().find(|pack| *pack.name == *name);
    let names = packs.iter().map(|pack| &*pack.name);
    found.ok_or_else(|| format!("there is no pack `{}`: {}", shortened(name, QUOTED), there_are(names)))
}

/// A value, or how it begins.
pub(super) fn quoted(value: &Json) -> String {
    shortened(&value.to_string(), QUOTED)
}

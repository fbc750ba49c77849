//! A log as a scenario: what was done in a sandbox, told as steps that can be done again, with what came of each as what is
//! expected.
//!
//! No secret stands in it: callers are named by labels, what an answer gave is kept under a name, and what a client made up
//! has something else in its place. Must not know: the control plane, how scenarios are read and run. Start with
//! [`scenario`].

mod answer;
mod call;
mod caller;
mod known;
mod receive;
mod secret;
mod step;
mod tell;
mod yaml;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::engine::{self, Rules};
use crate::journal::{Entry, Happening};
use crate::mask::Mask;
use crate::pack::Pack;
use crate::sandbox::{Sandbox, Story};
use step::Step;
use tell::Teller;
pub(crate) use tell::Untold;
use yaml::Yaml;

/// Why a log is no scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unrecordable {
    /// Nothing has happened.
    Empty,
    /// The first entries had to make room: so many.
    Evicted(u64),
    /// The sandbox does not begin as a new one does; in words.
    Began(String),
    /// Entries that a scenario cannot tell.
    Untold(Vec<Untold>),
    /// It has more steps than are read: so many.
    Long(usize),
    /// It is more than is written: so many bytes.
    Large(usize),
}

/// The most steps that are read of a file.
const MOST_STEPS: usize = 1_000;

/// The most bytes that are read of one.
const MOST: usize = 1 << 20;

/// The most entries that are named of those that cannot be told.
const MOST_UNTOLD: usize = 10;

/// The log of a sandbox as the text of a scenario file. Without a name it is called after the sandbox and where its time
/// begins.
pub(crate) fn scenario(sandbox: &Sandbox, rules: Rules, name: Option<&str>) -> Result<String, Unrecordable> {
    let story = sandbox.story();
    begins_as_new(&story)?;
    let entries = secret::replaced(sandbox, &story, rules)?;
    let (pack, steps) = Teller::new(&story, &entries).tell().map_err(Unrecordable::Untold)?;
    match steps.len() {
        0 => return Err(Unrecordable::Empty),
        count if count > MOST_STEPS => return Err(Unrecordable::Long(count)),
        _ => {}
    }
    let named = || format!("What happened in {} from {}", sandbox.id(), story.at);
    let text = written(&story, &name.map_or_else(named, str::to_owned), &pack, steps);
    if text.len() > MOST {
        return Err(Unrecordable::Large(text.len()));
    }
    let hidden = secrets(&story);
    match hidden.iter().find(|(text_of, _)| text.contains(text_of.as_str())) {
        Some((_, entry)) => {
            let why = "a secret of it would stand in the file: send one that an answer gave, or a known credential"
                .to_owned();
            Err(Unrecordable::Untold(vec![Untold { entry: *entry, why }]))
        }
        None => Ok(text),
    }
}

/// A scenario begins with the seed records, and nothing has happened in it.
fn begins_as_new(story: &Story) -> Result<(), Unrecordable> {
    if story.evicted > 0 {
        return Err(Unrecordable::Evicted(story.evicted));
    }
    if story.entries.is_empty() {
        return Err(Unrecordable::Empty);
    }
    // What cannot be read is not worked out.
    let steps = story.entries.iter().filter(|entry| is_step(entry)).count();
    if steps > MOST_STEPS {
        return Err(Unrecordable::Long(steps));
    }
    let began = |why: &str| Err(Unrecordable::Began(why.to_owned()));
    if story.position > 0 || story.worlds.is_some() || story.agenda.is_some() {
        return began(
            "its log begins with what was made before: a pack was edited, or it is a fork with another seed or other \
             options. Begin with a new sandbox, or with POST /_standin/reset",
        );
    }
    if story.ground.shift != 0 {
        return began("the seed records were moved to the time of today (--clock now). Record on a server without it");
    }
    if engine::dumped(&story.controls).is_some() {
        return began("the server gives every sandbox limits of its own (--limit). Record on a server without them");
    }
    Ok(())
}

/// Whether somebody did it, so that there is a step for it.
fn is_step(entry: &Entry) -> bool {
    match &entry.what {
        Happening::Exchange(_) | Happening::State { .. } | Happening::Setting { .. } | Happening::Reload(_) => true,
        Happening::Event { scheduled, .. } => scheduled.is_none(),
        Happening::Clock { .. } | Happening::Attempt(_) | Happening::Outcome(_) => false,
    }
}

fn written(story: &Story, name: &str, pack: &Arc<Pack>, steps: Vec<Step>) -> String {
    let mut head = vec![
        ("scenario".to_owned(), Yaml::word(name)),
        ("pack".to_owned(), Yaml::word(&*pack.name)),
        ("about".to_owned(), Yaml::word(format!("Recorded by standin {}.", env!("CARGO_PKG_VERSION")))),
        ("tags".to_owned(), Yaml::List(vec![Yaml::word("recorded")])),
        ("clock".to_owned(), Yaml::word(story.at.to_string())),
        ("seed".to_owned(), Yaml::Number(story.ground.seed.into())),
    ];
    let packs = story.ground.packs.iter().zip(&*story.ground.options);
    let chosen = packs.flat_map(|(pack, options)| {
        options.iter(&pack.options).filter_map(move |(option, value)| {
            let is_default = option.values.get(option.default) == Some(value);
            (!is_default).then(|| (format!("{}.{}", pack.name, option.name), Yaml::of(value)))
        })
    });
    let chosen: Vec<(String, Yaml)> = chosen.collect();
    if !chosen.is_empty() {
        head.push(("options".to_owned(), Yaml::Map(chosen)));
    }
    let steps = steps.into_iter().map(Step::yaml).collect();
    let steps = Yaml::document(&[("steps".to_owned(), Yaml::List(steps))]);
    format!("{}\n{steps}", Yaml::document(&head))
}

/// Every secret of the log with the entry that has it.
fn secrets(story: &Story) -> BTreeSet<(String, u64)> {
    let mut found = BTreeSet::new();
    let mut known = BTreeSet::new();
    let face_of = |name: &str| story.ground.packs.iter().find(|pack| *pack.name == *name).map(|pack| &*pack.face);
    for entry in &story.entries {
        let mask = match &entry.what {
            Happening::Exchange(kept) => {
                let exchanged = kept.exchanged();
                let Some(face) = &exchanged.pack else { continue };
                Mask::of_exchange(&[face], &exchanged.request, &exchanged.response, &exchanged.changes)
            }
            Happening::State { pack, body: Some(value), .. } | Happening::Event { pack, input: value, .. } => {
                let Some(face) = face_of(pack) else { continue };
                Mask::of_value(face, &value.read())
            }
            _ => continue,
        };
        for text in mask.texts() {
            if known.insert(text.clone()) {
                found.insert((text.clone(), entry.id));
            }
        }
    }
    found
}

impl fmt::Display for Unrecordable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unrecordable::Empty => f.write_str("nothing has happened in the sandbox. Call its packs first"),
            Unrecordable::Evicted(count) => write!(
                f,
                "the log is truncated: its first {count} entries had to make room, and without them the rest does not come \
                 out the same. Keep more of it (--max-journal-entries, --max-journal-bytes), or record earlier"
            ),
            Unrecordable::Began(why) => write!(f, "the sandbox did not begin as a new one does: {why}"),
            Unrecordable::Untold(untold) => {
                write!(f, "a scenario cannot tell all of it: ")?;
                for (index, Untold { entry, why }) in untold.iter().take(MOST_UNTOLD).enumerate() {
                    write!(f, "{}entry {entry}: {why}", if index > 0 { "; " } else { "" })?;
                }
                match untold.len().saturating_sub(MOST_UNTOLD) {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
            Unrecordable::Long(count) => {
                write!(f, "the scenario would have {count} steps, and {MOST_STEPS} is the most. Record a shorter story")
            }
            Unrecordable::Large(bytes) => {
                write!(f, "the scenario would have {bytes} bytes, and {MOST} is the most. Record a shorter story")
            }
        }
    }
}

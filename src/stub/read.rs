use serde_json::{Map, Value as Json};

use crate::diagnostic::{did_you_mean, one_of, shortened};
use crate::exchange::child;

/// One thing that is wrong with JSON that was sent: the place, the cause, the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// A JSON pointer into what was sent.
    pub(crate) pointer: String,
    pub(crate) cause: String,
    pub(crate) remedy: String,
}

/// Everything that is wrong; at least one thing.
pub(crate) type Mistakes = Vec<Mistake>;

/// The most mistakes that are told at once.
const TOLD: usize = 50;
/// How much of a value is repeated.
const QUOTED: usize = 60;

/// Collects mistakes while JSON is read, and remarks about what has no effect.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) mistakes: Vec<Mistake>,
    pub(super) notes: Vec<String>,
    /// How many conditions were read, and about how many bytes their compiled form takes.
    pub(super) conditions: usize,
    pub(super) compiled: usize,
}

/// Which members an object may have.
pub(super) struct Known {
    /// What is understood.
    pub(super) members: &'static [&'static str],
    /// What WireMock knows and is not done here, with the reason and what to do instead.
    pub(super) refused: &'static [(&'static str, &'static str)],
}

/// An object of which all members are known.
#[derive(Clone)]
pub(super) struct Members<'j> {
    pub(super) at: String,
    pub(super) map: &'j Map<String, Json>,
}

impl Reader {
    pub(super) fn mistake(&mut self, at: &str, cause: impl Into<String>, remedy: impl Into<String>) {
        if self.mistakes.len() < TOLD {
            self.mistakes.push(Mistake { pointer: at.to_owned(), cause: cause.into(), remedy: remedy.into() });
        }
    }

    pub(super) fn note(&mut self, words: impl Into<String>) {
        self.notes.push(words.into());
    }

    /// What was read, unless something is wrong with it.
    pub(super) fn finish<T>(&mut self, read: Option<T>) -> Result<T, Mistakes> {
        match read {
            Some(read) if self.mistakes.is_empty() => Ok(read),
            _ => Err(std::mem::take(&mut self.mistakes)),
        }
    }

    pub(super) fn object<'j>(&mut self, at: &str, value: &'j Json, known: &Known) -> Option<Members<'j>> {
        let map = self.any_object(at, value)?;
        for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            let place = child(at, name);
            if let Some((_, why)) = known.refused.iter().find(|(refused, _)| refused == name) {
                if !is_empty(value) {
                    self.mistake(&place, format!("`{name}` is not supported"), *why);
                }
            } else if !known.members.contains(&name.as_str()) {
                let meant = did_you_mean(name, known.members.iter().copied());
                let all = one_of(known.members.iter().copied());
                let cause = format!("`{}` is not understood here", shortened(name, QUOTED));
                self.mistake(&place, cause, format!("write {all}.{meant}"));
            }
        }
        Some(Members { at: at.to_owned(), map })
    }

    pub(super) fn any_object<'j>(&mut self, at: &str, value: &'j Json) -> Option<&'j Map<String, Json>> {
        let object = value.as_object();
        if object.is_none() {
            self.mistake(at, format!("{} is no object", shown(value)), "write an object: `{…}`");
        }
        object
    }

    pub(super) fn text<'j>(&mut self, members: &Members<'j>, name: &str) -> Option<&'j str> {
        let value = members.said(name)?;
        let text = value.as_str();
        if text.is_none() {
            self.mistake(&members.place(name), format!("{} is no text", shown(value)), "write it in quotes");
        }
        text
    }

    pub(super) fn flag(&mut self, members: &Members<'_>, name: &str) -> bool {
        let Some(value) = members.said(name) else { return false };
        value.as_bool().unwrap_or_else(|| {
            self.mistake(&members.place(name), format!("{} is neither true nor false", shown(value)), "write `true`");
            false
        })
    }

    /// A whole number from `least` to `most`.
    pub(super) fn whole(&mut self, members: &Members<'_>, name: &str, least: u64, most: u64) -> Option<u64> {
        let value = members.said(name)?;
        // Clients of languages with one kind of number write `5.0` as well.
        let number = value.as_u64().or_else(|| value.as_f64().filter(|n| n.fract() == 0.0).and_then(as_whole));
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let cause = format!("{} is no whole number from {least} to {most}", shown(value));
                let why = if value.as_f64().is_some_and(|n| n < 0.0) { "nothing here can be negative" } else { "" };
                let remedy = if why.is_empty() { format!("write one, such as {least}") } else { why.to_owned() };
                self.mistake(&members.place(name), cause, remedy);
                None
            }
        }
    }

    /// A number from `least` to `most`.
    pub(super) fn number(&mut self, members: &Members<'_>, name: &str, least: f64, most: f64) -> Option<f64> {
        let value = members.said(name)?;
        match value.as_f64() {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let cause = format!("{} is no number from {least} to {most}", shown(value));
                self.mistake(&members.place(name), cause, "write one in this range");
                None
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn as_whole(number: f64) -> Option<u64> {
    (0.0..9e15).contains(&number).then_some(number as u64)
}

impl<'j> Members<'j> {
    /// A member, unless it is null, which is how clients say nothing.
    pub(super) fn said(&self, name: &str) -> Option<&'j Json> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn place(&self, name: &str) -> String {
        child(&self.at, name)
    }
}

/// What says nothing: clients write it where their models have a member and their users gave none.
fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(members) => members.is_empty(),
        _ => false,
    }
}

pub(super) fn shown(value: &Json) -> String {
    match value {
        Json::Object(_) => "an object".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        other => format!("`{}`", shortened(&other.to_string(), QUOTED)),
    }
}

/// The text of a value that is sent as a text; numbers and truth values may be written as they are.
pub(super) fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

//! What is wrong with a pack: the place, the fact, the remedy.
//!
//! Must not know: what a pack is. Start with [`Diagnostic`]; [`render`] shows it to a person, [`to_json`] to a tool.

mod code;
mod explain;
mod json_place;
mod render;
mod source_map;

pub(crate) use code::Code;
pub(crate) use explain::explanations;
pub(crate) use json_place::{key_range, value_range};
pub(crate) use render::{render, to_json};
pub(crate) use source_map::{FileId, Location, SourceMap};

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// The pack is not served.
    Error,
    /// The pack is served; something in it is probably not meant.
    Warning,
}

impl Severity {
    /// The word that begins a message.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One mistake in a pack. The message starts in lower case, states the fact and quotes names in backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) location: Option<Location>,
    /// Short text beside the marked place, such as ``did you mean `name`?``
    pub(crate) label: Option<String>,
    /// Other places that have to do with it, each with its reason.
    pub(crate) related: Vec<(Location, String)>,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl Diagnostic {
    pub(crate) fn error(code: Code, location: Location, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            location: Some(location),
            label: None,
            related: Vec::new(),
            help: None,
        }
    }

    pub(crate) fn warning(code: Code, location: Location, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, location, message) }
    }

    /// An error that belongs to no file.
    pub(crate) fn general(code: Code, message: impl Into<String>) -> Self {
        Diagnostic { location: None, ..Diagnostic::error(code, Location::whole(FileId(0)), message) }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Marks the place with a suggestion, if there is one.
    pub(crate) fn suggest(self, suggestion: Option<String>) -> Self {
        match suggestion {
            Some(name) => self.label(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    pub(crate) fn related(mut self, location: Location, reason: impl Into<String>) -> Self {
        self.related.push((location, reason.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// What to say behind a sentence about an unknown name: `` Did you mean `…`?``, or nothing.
pub(crate) fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|meant| format!(" Did you mean `{meant}`?")).unwrap_or_default()
}

/// As [`did_you_mean`], where the sentence goes on: ``: did you mean `…`?``
pub(crate) fn or_rather<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default()
}

/// A text, or how it begins: what somebody sent is repeated to him, but not all of it.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// The candidate that `name` was probably meant to be.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let most = |candidate: &str| 1 + name.len().min(candidate.len()) / 4;
    let length = name.chars().count();
    let near = candidates
        .iter()
        // Comparing takes time with the product of both lengths, and no distance is less than their difference.
        .filter(|candidate| length.abs_diff(candidate.chars().count()) <= most(candidate))
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= most(candidate))
        .min()
        .map(|(_, candidate)| candidate);
    let plain = |word: &str| word.replace(['-', '_'], "").to_lowercase();
    let alike = || candidates.iter().copied().find(|candidate| plain(candidate) == plain(name));
    // Abbreviations: `int`, `desc`.
    let mut longer = candidates.iter().copied().filter(|candidate| name.len() >= 3 && candidate.starts_with(name));
    let only = longer.next().filter(|_| longer.next().is_none());
    near.or_else(alike).or(only).map(str::to_owned)
}

/// A choice of names for a message: `` `a`, `b` or `c` ``.
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    listed(names, "or")
}

/// A list of names for a message: `` `a`, `b` and `c` ``.
pub(crate) fn all_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    listed(names, "and")
}

/// What there is instead of a name that is unknown: `` there are `a` and `b` ``.
pub(crate) fn there_are<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.as_slice() {
        [] => "there is none".to_owned(),
        [only] => format!("there is only `{only}`"),
        names => format!("there are {}", all_of(names.iter().copied())),
    }
}

fn listed<'a>(names: impl IntoIterator<Item = &'a str>, and: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {and} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_near_or_absent() {
        assert_eq!(nearest("nmae", ["name", "uuid"]), Some("name".to_owned()));
        assert_eq!(nearest("colour", ["name", "uuid"]), None);
        assert_eq!(nearest("CreatedAt", ["created_at", "uuid"]), Some("created_at".to_owned()));
        assert_eq!(nearest("int", ["integer", "string"]), Some("integer".to_owned()));
        assert_eq!(nearest("str", ["string", "strict"]), None);
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(there_are(["a", "b"]), "there are `a` and `b`");
        assert_eq!(there_are(["a"]), "there is only `a`");
    }
}

//! One step: which word it has, and what every step may say besides.

use super::Story;
use super::scope::{Last, Scope};
use crate::diagnostic::{Code, Diagnostic, Location, all_of, nearest};
use crate::pack::source::{Fields, Key, Node, NodeKind, Spanned, wrong_kind};
use crate::scenario::{Step, What};

/// What a step can do: the word, and what messages call such a step.
const WORDS: [(&str, &str); 21] = [
    ("call", "a `call` step"),
    ("advance", "an `advance` step"),
    ("clock", "a `clock` step"),
    ("event", "an `event` step"),
    ("send", "a `send` step"),
    ("fault", "a `fault` step"),
    ("limit", "a `limit` step"),
    ("stub", "a `stub` step"),
    ("create", "a `create` step"),
    ("update", "an `update` step"),
    ("delete", "a `delete` step"),
    ("snapshot", "a `snapshot` step"),
    ("restore", "a `restore` step"),
    ("rewind", "a `rewind` step"),
    ("reset", "a `reset` step"),
    ("receive", "a `receive` step"),
    ("redeliver", "a `redeliver` step"),
    ("control", "a `control` step"),
    ("repeat", "a `repeat` step"),
    ("parallel", "a `parallel` step"),
    ("expect", "an `expect` step"),
];

/// The most steps of one list.
const MOST_STEPS: usize = 1_000;

/// The most steps that one run takes, all rounds counted.
const MOST_TAKEN: usize = 100_000;

impl Story<'_, '_> {
    pub(super) fn steps(&mut self, node: &Node, scope: &mut Scope) -> Vec<Step> {
        let NodeKind::List(items) = &node.kind else {
            wrong_kind(node, "`steps` is a list", &mut self.reader.diagnostics);
            return Vec::new();
        };
        if items.is_empty() {
            let diagnostic = Diagnostic::error(Code::ValueWrong, node.at.clone(), "there are no steps");
            self.reader.report(diagnostic.help("say what is done, such as `- call: …`"));
        } else if items.len() > MOST_STEPS {
            let message = format!("a list has at most {MOST_STEPS} steps, and this one {}", items.len());
            self.reader.error(Code::ValueWrong, &node.at, message);
        }
        items.iter().take(MOST_STEPS).filter_map(|item| self.step(item, scope)).collect()
    }

    fn step(&mut self, node: &Node, scope: &mut Scope) -> Option<Step> {
        let NodeKind::Map(members) = &node.kind else {
            let diagnostic = Diagnostic::error(
                Code::KindWrong,
                node.at.clone(),
                format!("a step is a mapping, not {}", node.sort()),
            );
            let word = node.as_str().and_then(|text| text.split_whitespace().next()).unwrap_or_default();
            let word = WORDS.iter().find(|(known, _)| *known == word).map_or("call", |(word, _)| word);
            self.reader.report(diagnostic.help(format!("write it with a colon: `- {word}: …`")));
            return None;
        };
        let Some((word, noun)) = self.word(node, members) else {
            // What it would have kept and answered is not known.
            scope.last = Last::Unknown;
            scope.names.open();
            return None;
        };
        let mut fields = Fields::of(node, noun, &mut self.reader.diagnostics)?;
        let title = fields.prose("step", &mut self.reader.diagnostics);
        let done = self.done(word, node, &mut fields, scope);
        if done.is_none() {
            scope.answered(Last::Unknown);
        }
        let expected = fields.take("expect");
        let expect = expected.and_then(|node| self.expectation(node, scope));
        let keep = self.keep(&mut fields, scope);
        fields.finish(&mut self.reader.diagnostics);
        let (what, words) = done?;
        if expected.is_some() && expect.is_none() {
            return None;
        }
        let words = title.map_or(words, |title| title.value);
        let sources = &self.reader.sources;
        let (line, column) = sources.line_column(&node.at);
        let place = format!("{}:{line}:{column}", sources.path(node.at.file));
        Some(Step { place: place.into(), words: words.into(), what, expect: expect.map(Box::new), keep })
    }

    /// The one word that a step has.
    fn word(&mut self, node: &Node, members: &[(Key, Node)]) -> Option<(&'static str, &'static str)> {
        let of = |key: &Key| WORDS.iter().find(|(word, _)| *word == key.name).copied();
        let mut found =
            members.iter().filter_map(|(key, _)| Some((key, of(key)?))).filter(|(_, (word, _))| *word != "expect");
        match (found.next(), found.next()) {
            (Some((first, _)), Some((second, _))) => {
                let message = format!("a step does one thing, and this one has `{}` already", first.name);
                let diagnostic = Diagnostic::error(Code::ValueWrong, second.at.clone(), message);
                self.reader.report(diagnostic.help(format!("begin another step: `- {}: …`", second.name)));
                None
            }
            (Some((_, word)), None) => Some(word),
            (None, _) if members.iter().any(|(key, _)| key.name == "expect") => WORDS.last().copied(),
            (None, _) => {
                let words = || WORDS.iter().map(|(word, _)| *word);
                let own = ["step", "keep", "steps"];
                let others = || members.iter().filter(|(key, _)| !own.contains(&key.name.as_str()));
                let meant = others().find_map(|(key, _)| Some((key, nearest(&key.name, words())?)));
                let (at, message, meant) = match (meant, others().next()) {
                    (Some((key, meant)), _) => {
                        (key.at.clone(), format!("there is no step `{}`", key.name), Some(meant))
                    }
                    (None, Some((key, _))) => (key.at.clone(), format!("there is no step `{}`", key.name), None),
                    _ => (node.at.clone(), "this step does nothing".to_owned(), None),
                };
                let diagnostic = Diagnostic::error(Code::KeyUnknown, at, message).suggest(meant);
                self.reader.report(diagnostic.help(format!("the steps are {}", all_of(words()))));
                None
            }
        }
    }

    /// What a step does, and that in a few words.
    fn done(
        &mut self,
        word: &'static str,
        node: &Node,
        fields: &mut Fields<'_>,
        scope: &mut Scope,
    ) -> Option<(What, String)> {
        match word {
            "call" => self.call(fields, scope),
            "receive" => self.receive(fields, scope),
            "repeat" => self.repeat(fields, scope),
            "parallel" => self.parallel(fields, scope),
            "expect" => {
                if scope.last == Last::Nothing && self.looks_at_answer(fields) {
                    let diagnostic =
                        Diagnostic::error(Code::ValueWrong, node.at.clone(), "nothing has been answered yet");
                    self.reader.report(diagnostic.help("say what is called before this step"));
                    return None;
                }
                Some((What::Expect, "expect".to_owned()))
            }
            _ => {
                let before = self.reader.errors();
                let asked = self.ask(word, fields, scope);
                let asked = asked.filter(|_| self.reader.errors() == before);
                if asked.is_some() {
                    scope.answered(Last::Control);
                }
                asked.map(|(ask, words)| (What::Ask(ask), words))
            }
        }
    }

    /// The pack that a step is about.
    pub(super) fn step_pack(&mut self, fields: &mut Fields<'_>, scope: &Scope) -> Option<usize> {
        match fields.text("pack", &mut self.reader.diagnostics) {
            Some(name) => self.reader.pack_named(&name),
            None => scope.pack,
        }
    }

    /// The text behind the word of a step, which is written out.
    pub(super) fn named(&mut self, word: &'static str, fields: &mut Fields<'_>) -> Option<Spanned<String>> {
        let text = fields.text(word, &mut self.reader.diagnostics)?;
        if super::value::expression_in(&text.value).is_some() {
            let message = format!("`{word}` is written out, and this is an expression");
            self.reader.error(Code::ValueWrong, &text.at, message);
            return None;
        }
        Some(text)
    }

    /// A run ends.
    pub(super) fn bounded(&mut self, steps: &[Step], at: &Location) {
        let taken = taken(steps);
        if taken > MOST_TAKEN {
            let message = format!("a run would take {taken} steps, and {MOST_TAKEN} are the most");
            let diagnostic = Diagnostic::error(Code::ValueWrong, at.clone(), message);
            self.reader.report(diagnostic.help("repeat less of it"));
        }
    }
}

fn taken(steps: &[Step]) -> usize {
    use crate::scenario::Branches;
    let of = |step: &Step| match &step.what {
        What::Repeat { times, steps } | What::Parallel(Branches::Copies(times, steps)) => {
            times.saturating_mul(taken(steps))
        }
        What::Parallel(Branches::Each(lines)) => lines.iter().map(|steps| taken(steps)).fold(0, usize::saturating_add),
        _ => 0,
    };
    steps.iter().map(of).fold(steps.len(), usize::saturating_add)
}

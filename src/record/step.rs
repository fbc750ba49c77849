use super::yaml::Yaml;

/// A step of a scenario as it is written.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// The entry that it is of.
    pub(super) entry: u64,
    what: Vec<(String, Yaml)>,
    expect: Vec<(String, Yaml)>,
    keep: Vec<(String, Yaml)>,
}

impl Step {
    pub(super) fn new(entry: u64) -> Self {
        Step { entry, what: Vec::new(), expect: Vec::new(), keep: Vec::new() }
    }

    /// A step of one word.
    pub(super) fn of(entry: u64, word: &str, value: Yaml) -> Self {
        let mut step = Step::new(entry);
        step.say(word, value);
        step
    }

    /// A call of the control plane that has no word of its own.
    pub(super) fn control(entry: u64, method: &str, path: &str) -> Self {
        Step::of(entry, "control", Yaml::word(format!("{method} {path}")))
    }

    pub(super) fn say(&mut self, word: &str, value: Yaml) {
        self.what.push((word.to_owned(), value));
    }

    pub(super) fn wants(&mut self, word: &str, value: Yaml) {
        self.expect.push((word.to_owned(), value));
    }

    pub(super) fn keep(&mut self, name: &str, expression: &str) {
        self.keep.push((name.to_owned(), Yaml::expression(expression)));
    }

    pub(super) fn yaml(self) -> Yaml {
        let Step { mut what, expect, keep, .. } = self;
        for (word, members) in [("expect", expect), ("keep", keep)] {
            if !members.is_empty() {
                what.push((word.to_owned(), Yaml::Map(members)));
            }
        }
        Yaml::Map(what)
    }
}

//! The command line behind `--`.

/// What was asked for.
pub struct Options {
    /// Short rounds and small numbers, to see that everything works.
    pub quick: bool,
    /// Tables and pictures are written, too.
    pub write: bool,
    /// The parts that were named; none are the usual ones.
    pub parts: Vec<String>,
    arguments: Vec<String>,
}

/// Flags that stand alone; all others have a value.
const ALONE: &[&str] = &["--bench", "--quick", "--write", "--same-headers"];

impl Options {
    pub fn read() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let mut parts = Vec::new();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            if !word.starts_with("--") {
                parts.push(word.clone());
            } else if !ALONE.contains(&word.as_str()) {
                words.next();
            }
        }
        let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
        Options { quick: has("--quick"), write: has("--write"), parts, arguments }
    }

    pub fn has(&self, flag: &str) -> bool {
        self.arguments.iter().any(|argument| argument == flag)
    }

    /// What stands behind a flag.
    pub fn text(&self, flag: &str) -> Option<String> {
        let at = self.arguments.iter().position(|argument| argument == flag)?;
        self.arguments.get(at + 1).cloned()
    }

    /// The number behind a flag; else the one of a full run, or of a quick one.
    pub fn number(&self, flag: &str, full: u64, quick: u64) -> u64 {
        let default = if self.quick { quick } else { full };
        match self.text(flag) {
            Some(text) => text.parse().unwrap_or_else(|_| panic!("{flag} has a number behind it")),
            None => default,
        }
    }

    /// The words behind a flag, with commas between them.
    pub fn list(&self, flag: &str, default: &str) -> Vec<String> {
        let text = self.text(flag).unwrap_or_else(|| default.to_owned());
        text.split(',').map(str::to_owned).collect()
    }
}

use std::fmt;

use serde::Deserialize;
use serde_json::Value as Json;

use super::format::{End, EntryLine, FORMAT, Head, NAME};
use crate::pack::sha256;

/// A bundle that was read whole.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub(super) head: Head,
    pub(super) entries: Vec<EntryLine>,
    /// The digest of the records at the end.
    pub(super) records: String,
    /// That of what is to happen then and went out.
    pub(super) agenda: Option<String>,
    /// Whether its bytes are not those that were written.
    pub(crate) altered: bool,
}

impl Bundle {
    /// The packs that it is about, by name.
    pub(crate) fn packs(&self) -> Vec<&str> {
        self.head.packs.iter().map(|pack| pack.name.as_str()).collect()
    }
}

/// Why a bundle cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// One-based.
    pub(crate) line: usize,
    pub(crate) why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// The first line is not that of a bundle.
    NoBundle,
    /// Written in another way than this standin reads; with the version of the one that wrote it, if it says so.
    Format { found: u64, version: Option<String> },
    /// There is no last line.
    CutShort { entries: usize },
    /// Something stands behind the last line.
    GoesOn,
    /// Lines are missing or too many.
    Count { said: u64, found: usize },
    /// The line is not what it should be; in words.
    Line(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::NoBundle => f.write_str(
                "this is not a bundle: its first line would begin with {\"bundle\":\"standin\". \
                 GET /_standin/log?format=bundle gives one",
            ),
            Why::Format { found, version } => {
                let by = version.as_ref().map(|version| format!(" (standin {version})")).unwrap_or_default();
                write!(
                    f,
                    "the bundle has format {found}, this standin reads {FORMAT}: replay it with the one that wrote it{by}"
                )
            }
            Why::CutShort { entries } => {
                write!(
                    f,
                    "the bundle is cut short after {entries} entries: its last line is missing; download it again"
                )
            }
            Why::GoesOn => f.write_str("something stands behind the last line of the bundle: take it away"),
            Why::Count { said, found } => {
                write!(f, "the bundle has {found} entries and says that it has {said}: lines were taken out or put in")
            }
            Why::Line(words) => f.write_str(words),
        }
    }
}

/// Reads a bundle. One that was altered, but can be read, is read.
pub(crate) fn read(bytes: &[u8]) -> Result<Bundle, Unreadable> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().map(|(index, line)| (index + 1, line));
    let head = head(lines.next().map_or(&[][..], |(_, line)| line))?;
    let mut entries: Vec<EntryLine> = Vec::new();
    let mut offset = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
    for (number, line) in lines {
        let start = offset;
        offset += line.len();
        let unreadable = |why| Unreadable { line: number, why };
        if !line.ends_with(b"\n") {
            return Err(unreadable(Why::CutShort { entries: entries.len() }));
        }
        if line.starts_with(b"{\"end\":") {
            let End { end } = parse(line).map_err(unreadable)?;
            if offset < bytes.len() {
                return Err(Unreadable { line: number + 1, why: Why::GoesOn });
            }
            if end.entries != entries.len() as u64 {
                return Err(unreadable(Why::Count { said: end.entries, found: entries.len() }));
            }
            let altered = end.sha256 != sha256(&bytes[..start]);
            return Ok(Bundle { head, entries, records: end.records, agenda: end.agenda, altered });
        }
        let entry: EntryLine = parse(line).map_err(unreadable)?;
        if let Some(before) = entries.last().map(|before| before.entry).filter(|before| *before >= entry.entry) {
            let words = format!("entry {} stands behind entry {before}: numbers rise", entry.entry);
            return Err(unreadable(Why::Line(words)));
        }
        entries.push(entry);
    }
    Err(Unreadable { line: entries.len() + 2, why: Why::CutShort { entries: entries.len() } })
}

fn head(line: &[u8]) -> Result<Head, Unreadable> {
    let unreadable = |why| Unreadable { line: 1, why };
    let value: Json = serde_json::from_slice(line).map_err(|_| {
        let cut = line.starts_with(b"{\"bundle\":\"standin\"") && !line.ends_with(b"\n");
        unreadable(if cut { Why::CutShort { entries: 0 } } else { Why::NoBundle })
    })?;
    if value["bundle"] != NAME {
        return Err(unreadable(Why::NoBundle));
    }
    match value["format"].as_u64() {
        Some(found) if found == u64::from(FORMAT) => parse(line).map_err(unreadable),
        Some(found) => {
            let version = value["version"].as_str().map(str::to_owned);
            Err(unreadable(Why::Format { found, version }))
        }
        None => Err(unreadable(Why::NoBundle)),
    }
}

fn parse<'l, T: Deserialize<'l>>(line: &'l [u8]) -> Result<T, Why> {
    serde_json::from_slice(line).map_err(|fault| {
        // The place is within the line, of which serde counts as the first.
        let words = fault.to_string();
        let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
        Why::Line(format!("{words} (column {})", fault.column()))
    })
}

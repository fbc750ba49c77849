//! `standin replay`

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::Exit;
use super::args::{ListFormat, Packs, Replay};
use super::output::{err, out};
use super::packs;
use crate::bundle::{self, Bundle, Difference, Proof};
use crate::pack;

pub(super) fn run(arguments: Replay) -> Exit {
    match proof(arguments) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn proof(arguments: Replay) -> Result<Exit, Exit> {
    let Replay { file, folders, format } = arguments;
    let bundle = read(&file)?;
    // Those that the bundle is about are taken, whatever else there is; each says what is wrong with it.
    let needed = bundle.packs();
    let mut packs = Vec::new();
    for files in packs::read(&Packs { packs: Vec::new(), folders })? {
        if needed.contains(&files.folder.as_str()) {
            let loaded = pack::load(&files);
            if !packs::tell(&loaded) {
                return Err(Exit::Broken);
            }
            packs.extend(loaded.pack.map(Arc::new));
        }
    }
    let proof = bundle::replay(bundle, &packs).map_err(|why| {
        err(&format!("error: {}: {why}\n", file.display()));
        Exit::Broken
    })?;
    out(&match format {
        ListFormat::Text => text(&file, &proof),
        ListFormat::Json => format!("{:#}\n", to_json(&proof)),
    });
    Ok(if proof.holds() { Exit::Good } else { Exit::Failed })
}

fn read(file: &Path) -> Result<Bundle, Exit> {
    let bytes = if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(file)
    };
    let bytes = bytes.map_err(|error| {
        err(&format!("error: {} cannot be read: {error}\n", file.display()));
        Exit::Usage
    })?;
    bundle::read(&bytes).map_err(|why| {
        err(&format!("error: {}:{}: {why}\n", file.display(), why.line));
        Exit::Broken
    })
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn text(file: &Path, proof: &Proof) -> String {
    let mut text = String::new();
    let Proof { sandbox, seed, version, entries, exchanges, .. } = proof;
    let _ = writeln!(text, "{}: sandbox `{sandbox}`, seed {seed}, written by standin {version}", file.display());
    if proof.evicted > 0 {
        let evicted = proof.evicted;
        let _ = writeln!(
            text,
            "note: {evicted} entries before the first had to make room; the bundle has the records that they left"
        );
    }
    for change in &proof.changed {
        let _ = writeln!(text, "note: the pack `{}` has changed since: {}", change.pack, change.files.join(", "));
    }
    if proof.altered {
        let _ = writeln!(text, "altered: the bundle is not what was written: its digest is another");
    }
    let same = counted(*entries, "entry", "entries");
    let mut among = counted(*exchanges, "exchange", "exchanges");
    if proof.attempts > 0 {
        among = format!("{among} and {}", counted(proof.attempts, "attempt of a webhook", "attempts of webhooks"));
    }
    match &proof.difference {
        None if proof.records && proof.agenda => {
            let _ = writeln!(text, "same: {same}, {among} among them, byte for byte, and the records at the end");
        }
        None => {
            if !proof.records {
                let words = "different: the records at the end: something that changed them is not in the bundle";
                let _ = writeln!(text, "{words}");
            }
            if !proof.agenda {
                let _ = writeln!(
                    text,
                    "different: what is to happen at the end, or went out: something that changed it is not in the bundle"
                );
            }
            let _ = writeln!(text, "before it {same} came out the same, {among} among them");
        }
        Some(difference) => {
            let Difference { entry, line, what, operation, facts } = difference;
            let _ = writeln!(text, "different: entry {entry}, {what} ({}:{line})", file.display());
            if let Some(operation) = operation {
                let _ = writeln!(text, "  operation {operation}");
            }
            for fact in facts {
                let _ = writeln!(text, "  {fact}");
            }
            let _ = writeln!(text, "before it {same} came out the same, {among} among them");
        }
    }
    text
}

fn to_json(proof: &Proof) -> Json {
    let changed = proof.changed.iter().map(|change| json!({ "pack": change.pack, "files": change.files }));
    let difference = proof.difference.as_ref().map(|difference| {
        let Difference { entry, line, what, operation, facts } = difference;
        json!({ "entry": entry, "line": line, "what": what, "operation": operation, "facts": facts })
    });
    json!({
        "sandbox": proof.sandbox,
        "seed": proof.seed,
        "version": proof.version,
        "evicted": proof.evicted,
        "entries": proof.entries,
        "exchanges": proof.exchanges,
        "attempts": proof.attempts,
        "changed": changed.collect::<Vec<_>>(),
        "altered": proof.altered,
        "difference": difference,
        "records": proof.records,
        "agenda": proof.agenda,
    })
}

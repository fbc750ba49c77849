//! Which scenarios a command is about: files and folders that are named, else those of the packs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::Exit;
use super::output::{coloured, err};
use super::serve::usage;
use crate::diagnostic::render;
use crate::scenario::{Ground, Read, Source};

/// The largest file, the most of them, and how deep folders are looked into.
const LARGEST: u64 = 1 << 20;
const MOST: usize = 10_000;
const DEEPEST: usize = 12;

/// The folder in a pack that has its scenarios.
const FOLDER: &str = "scenarios";
const MANIFEST: &str = "pack.yaml";

/// The files that were found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Sorted by path, each once. Those that are there to be included are among them.
    pub(super) sources: Vec<Source>,
    /// Files of the packs by the path that people know, also of packs that are in the binary.
    known: BTreeMap<String, String>,
}

impl Found {
    /// The text of a file that another one includes.
    pub(super) fn include(&self, path: &str) -> Result<String, String> {
        match read(Path::new(path)) {
            Err(_) if self.known.contains_key(path) => Ok(self.known[path].clone()),
            found => found,
        }
    }
}

/// The scenarios of packs; the error is that files cannot be read, which has been said.
pub(super) fn of_packs(ground: &Ground) -> Result<Found, Exit> {
    let mut found = Found::default();
    let mut broken = false;
    for (index, (_, files)) in ground.packs.iter().enumerate() {
        for (path, bytes) in &files.scenarios.files {
            let shown = format!("{}/{FOLDER}/{path}", files.shown.0);
            let Ok(text) = String::from_utf8(bytes.clone()) else {
                err(&format!("error: {shown} is not UTF-8\nsave the file as UTF-8\n"));
                broken = true;
                continue;
            };
            if is_scenario(&shown) {
                found.sources.push(Source { shown: shown.clone(), text: text.clone(), pack: Some(index) });
            }
            found.known.insert(shown, text);
        }
        for refused in &files.scenarios.refused {
            err(&format!("error: {} is left out: {}\n{}\n", refused.path, refused.reason, refused.remedy));
            broken = true;
        }
    }
    if broken { Err(Exit::Broken) } else { Ok(found) }
}

/// Finds scenarios: of each path that is a file this one; of a folder all files in folders `scenarios` below it, and where
/// it has no packs all files. Without paths those of the packs.
pub(super) fn find(paths: &[PathBuf], ground: &Ground) -> Result<Found, Exit> {
    let mut found = of_packs(ground)?;
    if !paths.is_empty() {
        found.sources.clear();
    }
    let mut broken = false;
    let mut files = BTreeSet::new();
    for path in paths {
        gather(path, &mut files)?;
    }
    for path in files {
        let shown = shown(&path);
        match read(&path) {
            Ok(text) => found.sources.push(Source { pack: pack_of(&path, ground), shown, text }),
            Err(why) => {
                err(&format!("error: {shown}: {why}\n"));
                broken = true;
            }
        }
    }
    match (broken, found.sources.is_empty()) {
        (true, _) => Err(Exit::Broken),
        (false, false) => Ok(found),
        (false, true) if paths.is_empty() => {
            Err(usage("the packs have no scenarios\nthey are files `fixtures/<pack>/scenarios/<name>.yaml`"))
        }
        (false, true) => {
            let named: Vec<String> = paths.iter().map(|path| format!("`{}`", shown(path))).collect();
            Err(usage(&format!(
                "there is no scenario in {}\nscenarios are files that end in `.yaml`; those of a pack are in its folder `{FOLDER}`",
                named.join(", ")
            )))
        }
    }
}

/// Prints everything there is to say about scenarios, and whether they can be run.
pub(super) fn tell(whose: &str, read: &Read) -> bool {
    err(&render(&read.diagnostics, &read.sources, coloured()));
    let errors = read.errors();
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        err(&format!("the scenarios of `{whose}` have {errors} error{plural}\n"));
    }
    errors == 0
}

/// A file that is named, or those of a folder that are meant.
fn gather(path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<(), Exit> {
    let metadata = fs::metadata(path).map_err(|error| usage(&format!("{}: {error}", shown(path))))?;
    if !metadata.is_dir() {
        files.insert(path.to_owned());
        return Ok(());
    }
    let mut inside = Vec::new();
    walk(path, 0, &mut inside).map_err(|error| usage(&format!("{}: {error}", shown(path))))?;
    let of_scenarios = |file: &PathBuf| {
        let rest = file.strip_prefix(path).unwrap_or(file);
        let parents = rest.parent().into_iter().flat_map(Path::components);
        let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        parents.chain(whole.components()).any(|part| part.as_os_str() == FOLDER)
    };
    let has_packs = inside.iter().any(|file| file.file_name().is_some_and(|name| name == MANIFEST));
    for file in inside.into_iter().filter(|file| !has_packs || of_scenarios(file)) {
        let name = shown(&file);
        if is_scenario(&name) {
            files.insert(file);
        } else if Path::new(&name).extension().is_some_and(|end| end.eq_ignore_ascii_case("yml") || end == "YAML") {
            err(&format!("warning: {name} is not read: the name of a scenario ends in `.yaml`\n"));
        }
    }
    Ok(())
}

/// Every file below a folder; links to folders are not followed.
fn walk(folder: &Path, depth: usize, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if out.len() >= MOST {
            return Err(std::io::Error::other(format!("there are more than {MOST} files: name a folder within")));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let kind = fs::symlink_metadata(&path)?.file_type();
        if name.starts_with('.') {
            continue;
        }
        if !kind.is_dir() {
            out.push(path);
        } else if depth < DEEPEST {
            walk(&path, depth + 1, out)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    if metadata.len() > LARGEST {
        return Err(format!("a scenario has at most 1 MiB, and this file {} bytes", metadata.len()));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8: save it as such".to_owned())
}

/// The pack in whose folder `scenarios` a file is.
fn pack_of(path: &Path, ground: &Ground) -> Option<usize> {
    let whole = fs::canonicalize(path).ok()?;
    let mut above = whole.ancestors().skip(1);
    let scenarios = above.find(|folder| folder.file_name().is_some_and(|name| name == FOLDER))?;
    let folder = scenarios.parent()?.file_name()?;
    ground.packs.iter().position(|(_, files)| *files.folder == *folder)
}

fn is_scenario(path: &str) -> bool {
    path.ends_with(".yaml")
}

/// A path as people write it.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).to_string_lossy().replace('\\', "/")
}

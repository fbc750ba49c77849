//! Reading a pack's files, from disk or from the copy in the binary. The only part of the pack module with I/O.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "fixtures/"]
struct EmbeddedFixtures;

#[derive(RustEmbed)]
#[folder = "schemas/"]
struct EmbeddedSchemas;

/// Everything that belongs to one pack, read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// The name of the pack's folder.
    pub(crate) folder: String,
    /// How messages begin the path of a fixture and of a schema.
    pub(crate) shown: (String, String),
    /// Contents by path within the pack's folder, with `/` between the parts.
    pub(crate) fixtures: BTreeMap<String, Vec<u8>>,
    pub(crate) schemas: BTreeMap<String, Vec<u8>>,
}

/// Where packs are looked for on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folders {
    pub(crate) fixtures: PathBuf,
    pub(crate) schemas: PathBuf,
}

const LARGEST_FILE: u64 = 4 << 20;
const MOST_FILES: usize = 5_000;
const DEEPEST: usize = 6;
/// The file that makes a folder a pack.
pub(crate) const MANIFEST: &str = "pack.yaml";

/// All packs: those in the binary, each replaced by the folder of the same name on disk, and the further ones on disk.
pub(crate) fn all(folders: &Folders) -> io::Result<Vec<Files>> {
    let mut packs: BTreeMap<String, Files> =
        embedded().into_iter().map(|files| (files.folder.clone(), files)).collect();
    for files in on_disk(folders)? {
        packs.insert(files.folder.clone(), files);
    }
    Ok(packs.into_values().collect())
}

fn embedded() -> Vec<Files> {
    let mut packs: BTreeMap<String, Files> = BTreeMap::new();
    for path in EmbeddedFixtures::iter() {
        let Some((folder, rest)) = path.split_once('/') else { continue };
        let Some(file) = EmbeddedFixtures::get(&path) else { continue };
        let files = packs.entry(folder.to_owned()).or_insert_with(|| Files {
            folder: folder.to_owned(),
            shown: (format!("fixtures/{folder}"), format!("schemas/{folder}")),
            ..Files::default()
        });
        files.fixtures.insert(rest.to_owned(), file.data.into_owned());
    }
    for path in EmbeddedSchemas::iter() {
        let Some((folder, rest)) = path.split_once('/') else { continue };
        if let (Some(files), Some(file)) = (packs.get_mut(folder), EmbeddedSchemas::get(&path)) {
            files.schemas.insert(rest.to_owned(), file.data.into_owned());
        }
    }
    packs.into_values().filter(|files| files.fixtures.contains_key(MANIFEST)).collect()
}

fn on_disk(folders: &Folders) -> io::Result<Vec<Files>> {
    let mut packs = Vec::new();
    let entries = match fs::read_dir(&folders.fixtures) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(packs),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let Some(folder) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if !path.join(MANIFEST).is_file() {
            continue;
        }
        let schemas = folders.schemas.join(&folder);
        let mut files = Files { shown: (shown(&path), shown(&schemas)), folder, ..Files::default() };
        read(&path, "", 0, &mut files.fixtures)?;
        if schemas.is_dir() {
            read(&schemas, "", 0, &mut files.schemas)?;
        }
        packs.push(files);
    }
    packs.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(packs)
}

fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn read(folder: &Path, prefix: &str, depth: usize, out: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        // What editors leave behind is no fixture.
        if name.starts_with('.') || name.ends_with('~') || name.ends_with(".swp") {
            continue;
        }
        let inner = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let metadata = fs::metadata(&path)?;
        if metadata.is_dir() {
            if depth < DEEPEST {
                read(&path, &inner, depth + 1, out)?;
            }
        } else if metadata.len() > LARGEST_FILE || out.len() >= MOST_FILES {
            let message = format!("{}: a pack has at most {MOST_FILES} files of at most 4 MiB", path.display());
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        } else {
            out.insert(inner, fs::read(&path)?);
        }
    }
    Ok(())
}

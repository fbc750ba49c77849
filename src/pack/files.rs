//! Reading a pack's files, from disk or from the copy in the binary. The only part of the pack module with I/O.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Whether they are those of a folder, and not of the binary.
    pub(crate) on_disk: bool,
    /// Contents by path within the pack's folder, with `/` between the parts.
    pub(crate) fixtures: BTreeMap<String, Vec<u8>>,
    pub(crate) schemas: BTreeMap<String, Vec<u8>>,
    /// What is in the folder `scenarios`, by path within it: it is about the pack, and nothing of the pack itself.
    pub(crate) scenarios: Scenarios,
    /// Files that are kept under the name that was meant, with the one that they have: `…/pack.yml` by `…/pack.yaml`,
    /// both as messages show them.
    pub(crate) misnamed: BTreeMap<String, String>,
    /// Files that are not read, by path within their folder, each with the reason.
    pub(crate) refused: Vec<Refused>,
}

/// The scenarios of a pack, as they stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scenarios {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Files that are not read, each with the reason.
    pub(crate) refused: Vec<Refused>,
}

impl Scenarios {
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.refused.is_empty()
    }
}

/// A file or folder that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// As messages show it.
    pub(crate) path: String,
    pub(crate) reason: String,
    pub(crate) remedy: &'static str,
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
/// The folder of a pack's scenarios.
const SCENARIOS: &str = "scenarios";

/// All packs: those in the binary, each replaced by the folder of the same name on disk, and the further ones on disk.
pub(crate) fn all(folders: &Folders) -> io::Result<Vec<Files>> {
    let mut packs: BTreeMap<String, Files> =
        embedded().into_iter().map(|files| (files.folder.clone(), files)).collect();
    let known: Vec<String> = packs.keys().cloned().collect();
    for files in read_disk(folders, &known)? {
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
        match of_scenarios(rest) {
            Some(inner) => files.scenarios.files.insert(inner.to_owned(), file.data.into_owned()),
            None => files.fixtures.insert(rest.to_owned(), file.data.into_owned()),
        };
    }
    for path in EmbeddedSchemas::iter() {
        let Some((folder, rest)) = path.split_once('/') else { continue };
        if let (Some(files), Some(file)) = (packs.get_mut(folder), EmbeddedSchemas::get(&path)) {
            files.schemas.insert(rest.to_owned(), file.data.into_owned());
        }
    }
    packs.into_values().filter(|files| files.fixtures.contains_key(MANIFEST)).collect()
}

/// The packs that have folders, by name. What vanishes while it is read is not there. A folder that cannot be read is one
/// where a pack of its name is known.
pub(crate) fn read_disk(folders: &Folders, known: &[String]) -> io::Result<Vec<Files>> {
    let mut packs = Vec::new();
    let told = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", shown(&folders.fixtures)));
    for entry in there(fs::read_dir(&folders.fixtures)).map_err(told)?.into_iter().flatten() {
        let path = entry.map_err(told)?.path();
        let Some(folder) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if folder.starts_with('.') {
            continue;
        }
        let schemas = folders.schemas.join(&folder);
        let mut files = Files { shown: (shown(&path), shown(&schemas)), folder, on_disk: true, ..Files::default() };
        files.fixtures = files.read(&path);
        files.set_scenarios_apart();
        if !(files.is_pack() || known.contains(&files.folder) && !files.refused.is_empty()) {
            continue;
        }
        files.schemas = files.read(&schemas);
        packs.push(files);
    }
    packs.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(packs)
}

impl Files {
    /// A digest of everything that was read, and of what could not be.
    pub(crate) fn print(&self) -> String {
        self.print_of(&super::digest::digests(self))
    }

    /// The same where the digests of the files are known.
    pub(crate) fn print_of(&self, digests: &[(String, String)]) -> String {
        let Files { misnamed, refused, .. } = self;
        super::digest::sha256(format!("{digests:?} {misnamed:?} {refused:?}").as_bytes())
    }

    /// How much is to be read when it is loaded.
    pub(crate) fn bytes(&self) -> usize {
        self.fixtures.values().chain(self.schemas.values()).map(Vec::len).sum()
    }

    /// The files, as messages show them, that are others than those with these digests.
    pub(crate) fn changed_since(&self, before: &[(String, String)]) -> BTreeSet<String> {
        let known: BTreeSet<&(String, String)> = before.iter().collect();
        let kinds = [("fixtures", &self.shown.0), ("schemas", &self.shown.1)];
        let shown = |path: &str| {
            kinds.iter().find_map(|(kind, shown)| {
                let inner = path.strip_prefix(kind)?.strip_prefix('/')?.strip_prefix(&self.folder)?;
                Some(format!("{shown}{inner}"))
            })
        };
        let others = super::digest::digests(self).into_iter().filter(|one| !known.contains(one));
        others.filter_map(|(path, _)| shown(&path)).collect()
    }

    /// A folder with a manifest, whether it can be read or not; or with files in topics that would be operations if it had
    /// one.
    fn is_pack(&self) -> bool {
        let topic = |path: &String| path.ends_with(".yaml") && path.contains('/');
        let refused = |refused: &Refused| {
            let inner = refused.path.strip_prefix(&self.shown.0).and_then(|path| path.strip_prefix('/'));
            inner.is_some_and(|inner| meant(inner) == MANIFEST)
        };
        self.fixtures.contains_key(MANIFEST) || self.fixtures.keys().any(topic) || self.refused.iter().any(refused)
    }

    fn set_scenarios_apart(&mut self) {
        let names: Vec<String> = self.fixtures.keys().filter(|path| of_scenarios(path).is_some()).cloned().collect();
        for path in names {
            if let Some((inner, bytes)) = of_scenarios(&path).zip(self.fixtures.remove(&path)) {
                self.scenarios.files.insert(inner.to_owned(), bytes);
            }
        }
        let folder = format!("{}/{SCENARIOS}", self.shown.0);
        let inside =
            |path: &str| path.strip_prefix(&folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let (apart, own) = std::mem::take(&mut self.refused).into_iter().partition(|refused| inside(&refused.path));
        (self.scenarios.refused, self.refused) = (apart, own);
    }

    /// Everything below a folder, with names set right that can only mean one thing.
    fn read(&mut self, folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut found = Found::default();
        match fs::metadata(folder).and_then(|metadata| Ok((metadata.is_dir(), fs::canonicalize(folder)?))) {
            Ok((true, root)) => {
                found.root = root;
                found.read(folder, "", 0);
            }
            // What is no folder is none of a pack.
            Ok((false, _)) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => found.unreadable(folder, &error),
        }
        for (path, bytes) in &found.files {
            let meant = if of_scenarios(path).is_some() { path.clone() } else { meant(path) };
            let taken = meant != *path && found.files.contains_key(&meant);
            if meant != *path && !taken {
                let shown = shown(folder);
                self.misnamed.insert(format!("{shown}/{meant}"), format!("{shown}/{path}"));
            }
            files.insert(if taken { path.clone() } else { meant }, bytes.clone());
        }
        self.refused.append(&mut found.refused);
        files
    }
}

/// The rest of a path that leads into the folder of scenarios.
fn of_scenarios(path: &str) -> Option<&str> {
    path.strip_prefix(SCENARIOS)?.strip_prefix('/')
}

/// What may have gone meanwhile.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// A folder of packs or schemas, as it is to be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    /// From the root of the file system, as it was given and without links.
    pub(crate) path: PathBuf,
    pub(crate) real: Option<PathBuf>,
    /// Whether what is in its folders counts, too.
    pub(crate) deep: bool,
    /// The folder that it is in, if that is there: there it comes and goes.
    pub(crate) parent: Option<PathBuf>,
    /// Links on the way to it, each in a folder without links: another may come in its place.
    pub(crate) links: Vec<PathBuf>,
}

impl Folders {
    /// Both folders, whether they are there or not, and what packs and their schemas are linked to.
    pub(crate) fn roots(&self) -> io::Result<Vec<Root>> {
        let mut roots = vec![root(&self.fixtures, true)?, root(&self.schemas, true)?];
        let linked = |folder: &PathBuf| -> io::Result<Vec<PathBuf>> {
            let inside = there(fs::read_dir(folder))?.into_iter().flatten();
            Ok(inside.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_symlink()).collect())
        };
        // A folder that is no pack may have any number of folders in it.
        for link in linked(&self.fixtures)? {
            let inside = fs::read_dir(&link).into_iter().flatten().flatten();
            let is_pack =
                inside.take(MOST_FILES).any(|entry| entry.file_name().to_str().map(meant).as_deref() == Some(MANIFEST));
            roots.push(root(&link, is_pack)?);
        }
        for link in linked(&self.schemas)? {
            let is_pack = link.file_name().is_some_and(|name| self.fixtures.join(name).is_dir());
            roots.push(root(&link, is_pack)?);
        }
        Ok(roots)
    }
}

fn root(folder: &Path, deep: bool) -> io::Result<Root> {
    let mut path = std::path::absolute(folder)?;
    let links = links(&path);
    let parent = path.parent().and_then(|parent| fs::canonicalize(parent).ok()).filter(|parent| parent.is_dir());
    if let Some((parent, name)) = parent.as_ref().zip(path.file_name()) {
        path = parent.join(name);
    }
    let real = fs::canonicalize(&path).ok().filter(|real| real.is_dir());
    Ok(Root { path, real, deep, parent, links })
}

/// The links that lead to a path.
fn links(path: &Path) -> Vec<PathBuf> {
    // As systems do.
    const MOST_LINKS: usize = 40;
    let parts =
        |path: &Path| -> Vec<PathBuf> { path.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect() };
    let (mut at, mut rest, mut links) = (PathBuf::new(), parts(path), Vec::new());
    while let Some(part) = rest.pop() {
        if part == Path::new("..") {
            at.pop();
            continue;
        }
        let next = at.join(part);
        match fs::read_link(&next) {
            Ok(target) if links.len() < MOST_LINKS => {
                links.push(next);
                rest.append(&mut parts(&target));
            }
            _ => at = next,
        }
    }
    links
}

/// The name that a file should have: endings are small, YAML's is `.yaml`, and so is the manifest's.
fn meant(path: &str) -> String {
    let (stem, end) = path.rsplit_once('.').unwrap_or((path, ""));
    let end = match end.to_ascii_lowercase().as_str() {
        "yml" | "yaml" => "yaml",
        "json" => "json",
        _ => return path.to_owned(),
    };
    match format!("{stem}.{end}") {
        manifest if manifest.eq_ignore_ascii_case(MANIFEST) => MANIFEST.to_owned(),
        other => other,
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// What is below one folder.
#[derive(Default)]
struct Found {
    root: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
    refused: Vec<Refused>,
}

/// How the names of files end that editors and merges leave behind, in small letters.
const LEFT_BEHIND: [&str; 12] = [
    "~",
    ".bak",
    ".orig",
    ".rej",
    ".save",
    ".tmp",
    ".swp",
    ".swo",
    ".swx",
    "___jb_tmp___",
    "___jb_old___",
    "thumbs.db",
];

/// Whether a file is none of a pack, whatever is in it. `4913` is what Vim tries a folder with.
fn is_left_behind(name: &str) -> bool {
    let small = name.to_ascii_lowercase();
    name.starts_with('.')
        || name == "4913"
        || name.starts_with('#') && name.ends_with('#')
        || LEFT_BEHIND.iter().any(|end| small.ends_with(end))
}

impl Found {
    fn read(&mut self, folder: &Path, prefix: &str, depth: usize) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.unreadable(folder, &error),
        };
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => return self.unreadable(folder, &error),
            };
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if is_left_behind(name) {
                continue;
            }
            let inner = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            self.entry(&path, inner, depth);
        }
    }

    fn entry(&mut self, path: &Path, inner: String, depth: usize) {
        let linked = match fs::symlink_metadata(path) {
            Ok(itself) => itself.is_symlink(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.unreadable(path, &error),
        };
        let inside = !linked || fs::canonicalize(path).is_ok_and(|target| target.starts_with(&self.root));
        let metadata = match fs::metadata(path) {
            Ok(metadata) if !linked || (inside && !metadata.is_dir()) => metadata,
            Ok(_) => {
                self.refuse(path, "a link to a folder, or out of the pack, is not followed", "put the files here");
                return;
            }
            // Editors put another file in the place of one.
            Err(error) if !linked && error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.unreadable(path, &error),
        };
        if metadata.is_dir() && depth < DEEPEST {
            return self.read(path, &inner, depth + 1);
        }
        // Reading a pipe would wait for whoever writes to it.
        if !metadata.is_dir() && !metadata.is_file() {
            self.refuse(path, "it is a pipe, a socket or a device, and no file", "take it away");
        } else if metadata.is_dir() {
            let reason = format!("folders nest {DEEPEST} deep at most");
            self.refuse(path, reason, "move its files up");
        } else if metadata.len() > LARGEST_FILE {
            let reason = format!("a file has at most 4 MiB, and this one {} bytes", metadata.len());
            self.refuse(path, reason, "shorten it, or take it away");
        } else if self.files.len() >= MOST_FILES {
            let reason = format!("a pack has at most {MOST_FILES} files, and this is one more");
            if !self.refused.iter().any(|other| other.reason == reason) {
                self.refuse(path, reason, "take files away that nothing uses");
            }
        } else {
            match fs::read(path) {
                Ok(bytes) => {
                    self.files.insert(inner, bytes);
                }
                Err(error) if !linked && error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.unreadable(path, &error),
            }
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.refuse(path, format!("it cannot be read: {error}"), "mend it, or take it away");
    }

    fn refuse(&mut self, path: &Path, reason: impl Into<String>, remedy: &'static str) {
        self.refused.push(Refused { path: shown(path), reason: reason.into(), remedy });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(fill: impl Fn(&Path)) -> Files {
        let folder = tempfile::tempdir().unwrap();
        let fixtures = folder.path().join("fixtures");
        fs::create_dir_all(fixtures.join("shop/items")).unwrap();
        fs::write(fixtures.join("shop/pack.yaml"), "pack: shop\n").unwrap();
        fill(&fixtures.join("shop"));
        let folders = Folders { fixtures, schemas: folder.path().join("schemas") };
        read_disk(&folders, &[]).unwrap().remove(0)
    }

    fn reasons(files: &Files) -> Vec<&str> {
        files.refused.iter().map(|refused| refused.reason.as_str()).collect()
    }

    #[test]
    fn a_file_that_is_too_large_is_left_out_by_itself() {
        let files = shop(|folder| {
            fs::File::create(folder.join("items/large.json")).unwrap().set_len(LARGEST_FILE + 1).unwrap();
            fs::write(folder.join("items/list.YML"), "").unwrap();
        });
        assert_eq!(reasons(&files), ["a file has at most 4 MiB, and this one 4194305 bytes"]);
        assert_eq!(files.fixtures.keys().collect::<Vec<_>>(), ["items/list.yaml", "pack.yaml"]);
        assert_eq!(files.misnamed.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_files_of_the_pack_only() {
        let files = shop(|folder| {
            let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, folder.join("items").join(name)).unwrap();
            link(&folder.join("pack.yaml"), "inside.yaml");
            link(&folder.join("../../outside.json"), "dangling.json");
            link(folder, "loop");
            fs::write(folder.join("../outside.json"), "{}").unwrap();
            link(&folder.join("../outside.json"), "outside.json");
        });
        assert_eq!(files.fixtures.keys().collect::<Vec<_>>(), ["items/inside.yaml", "pack.yaml"]);
        let mut found = reasons(&files);
        found.sort_unstable();
        let outside = "a link to a folder, or out of the pack, is not followed";
        assert!(found[..2] == [outside; 2] && found[2].starts_with("it cannot be read"), "{found:?}");
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let (mut found, folder) = (Found::default(), tempfile::tempdir().unwrap());
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        found.read(&file, "", 0);
        assert!(found.refused[0].path.ends_with("/file"), "{:?}", found.refused);
        assert!(found.refused[0].reason.starts_with("it cannot be read: "), "{:?}", found.refused);
        // A folder that is none is nobody's, unless a pack of its name is known.
        let fixtures = folder.path().join("fixtures");
        fs::create_dir(&fixtures).unwrap();
        std::os::unix::fs::symlink("shop", fixtures.join("shop")).unwrap();
        let folders = Folders { fixtures, schemas: folder.path().join("schemas") };
        assert!(read_disk(&folders, &[]).unwrap().is_empty());
        let packs = read_disk(&folders, &["shop".to_owned()]).unwrap();
        assert!(packs[0].refused[0].path.ends_with("fixtures/shop"), "{packs:?}");
        let error = read_disk(&Folders { fixtures: file, schemas: folders.schemas }, &[]).unwrap_err().to_string();
        assert!(error.contains("/file: "), "{error}");
    }

    #[test]
    fn what_editors_leave_behind_is_not_read() {
        let left = "#list.yaml# list.yaml~ list.yaml.bak list.json.ORIG list.rej a.tmp .a.swp a.swo a.swx 4913 Thumbs.db \
                    list.yaml___jb_tmp___ list.yaml___jb_old___ list.yaml.save";
        let files = shop(|folder| {
            for name in left.split_whitespace().chain(["#1.json", "bak.json", "49131.json"]) {
                fs::write(folder.join("items").join(name), "").unwrap();
            }
        });
        let kept = ["items/#1.json", "items/49131.json", "items/bak.json", "pack.yaml"];
        assert_eq!(files.fixtures.keys().collect::<Vec<_>>(), kept);
    }

    #[cfg(unix)]
    #[test]
    fn links_on_the_way_are_found_one_behind_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(folder.path()).unwrap();
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, top.join(name)).unwrap();
        fs::create_dir_all(top.join("v1/inner")).unwrap();
        link("v1/../v1", "real");
        link("real", "current");
        link("round", "round");
        assert_eq!(links(&top.join("current/inner")), [top.join("current"), top.join("real")]);
        assert!(links(&top.join("round/inner")).len() <= 40);
    }
}

//! From files to scenarios: looks names up in the packs, compiles expressions, and finds what is wrong before anything runs.
//!
//! Pure: texts come in, and so does what includes ask for. Must not know: how a scenario is run. Start with [`read`].

mod ask;
mod call;
mod content;
mod event;
mod example;
mod expect;
mod flow;
mod format_schema;
mod head;
mod keep;
mod never;
mod received;
mod scope;
mod step;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Scenario;
use crate::diagnostic::{Code, Diagnostic, Location, Severity, SourceMap, nearest, there_are};
use crate::expr::Sources;
use crate::pack::source::{Diagnostics, Node, NodeKind, Spanned};
use crate::pack::{Files, Options, Pack};
use crate::schema::{Library, Reference, Schema};

/// A file of a scenario, or of what scenarios include.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The path as people know it.
    pub(crate) shown: String,
    pub(crate) text: String,
    /// The pack in whose folder it is, by its place in the [`Ground`].
    pub(crate) pack: Option<usize>,
}

/// What scenarios are read against.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ground {
    /// Each with the files that it was made of.
    pub(crate) packs: Vec<(Arc<Pack>, Arc<Files>)>,
    /// Packs that have errors, about which enough has been said.
    pub(crate) broken: Vec<String>,
}

/// What came of reading.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Those without errors, in the order of their files.
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) sources: SourceMap,
}

impl Read {
    pub(crate) fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }
}

/// The most files that one scenario includes.
const MOST_INCLUDED: usize = 32;

/// Reads every file. `include` gives the text of a file by its path, which is written as that of the file that asks for it;
/// the error says why there is none.
pub(crate) fn read(found: &[Source], ground: &Ground, include: &dyn Fn(&str) -> Result<String, String>) -> Read {
    let mut reader = Reader {
        ground,
        include,
        sources: SourceMap::default(),
        diagnostics: Vec::new(),
        files: BTreeMap::new(),
        libraries: BTreeMap::new(),
        included: BTreeSet::new(),
    };
    let files: Vec<(Rc<File>, &Source)> =
        found.iter().map(|source| (reader.file(&source.shown, &source.text), source)).collect();
    let mut scenarios = Vec::new();
    for (file, source) in files.iter().filter(|(file, _)| !file.is_setup()) {
        scenarios.extend(reader.scenario(file, source.pack));
    }
    // What scenarios include was read with them.
    for (file, source) in files.iter().filter(|(file, _)| file.is_setup()) {
        if !reader.included.contains(&file.shown) {
            reader.setup_alone(file, source.pack);
        }
    }
    reader.settle();
    Read { scenarios, diagnostics: reader.diagnostics, sources: reader.sources }
}

/// Everything known while files are read.
struct Reader<'g> {
    ground: &'g Ground,
    include: &'g dyn Fn(&str) -> Result<String, String>,
    sources: SourceMap,
    diagnostics: Diagnostics,
    /// By path.
    files: BTreeMap<String, Rc<File>>,
    /// The schemas of packs of which one was asked for.
    libraries: BTreeMap<usize, Library>,
    included: BTreeSet<String>,
}

/// A file that was read.
struct File {
    shown: String,
    /// None where it is no YAML.
    node: Option<Node>,
}

impl File {
    fn is_setup(&self) -> bool {
        match self.node.as_ref().map(|node| &node.kind) {
            Some(NodeKind::Map(members)) => {
                let has = |name: &str| members.iter().any(|(key, _)| key.name == name);
                has("setup") && !has("scenario")
            }
            _ => false,
        }
    }
}

/// One scenario while it is read.
struct Story<'r, 'g> {
    reader: &'r mut Reader<'g>,
    expressions: Sources,
    /// What is chosen of each pack.
    options: Vec<Options>,
    /// Where names are kept, in all of its files.
    keeps: Vec<keep::Kept>,
    /// All expressions.
    texts: Vec<String>,
    /// Where receivers are asked for.
    receivers: Vec<(String, Location)>,
}

impl<'g> Reader<'g> {
    fn file(&mut self, shown: &str, text: &str) -> Rc<File> {
        if let Some(known) = self.files.get(shown) {
            return Rc::clone(known);
        }
        let id = self.sources.add(shown, text.into());
        let node = Node::parse(text, id, &mut self.diagnostics);
        let file = Rc::new(File { shown: shown.to_owned(), node });
        self.files.insert(shown.to_owned(), Rc::clone(&file));
        file
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn error(&mut self, code: Code, at: &Location, message: impl Into<String>) {
        self.report(Diagnostic::error(code, at.clone(), message));
    }

    fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }

    /// Sorts what was found by place and drops what was found twice: what several scenarios include is read for each.
    fn settle(&mut self) {
        let sources = &self.sources;
        self.diagnostics.sort_by_key(|found| {
            let place = found.location.as_ref().map(|at| (sources.path(at.file).to_owned(), at.range.start));
            (found.severity, place, found.message.clone())
        });
        self.diagnostics.dedup_by(|a, b| a.code == b.code && a.location == b.location && a.message == b.message);
    }

    fn pack(&self, index: usize) -> &'g Arc<Pack> {
        &self.ground.packs[index].0
    }

    fn packs(&self) -> Vec<Arc<Pack>> {
        self.ground.packs.iter().map(|(pack, _)| Arc::clone(pack)).collect()
    }

    fn pack_named(&mut self, name: &Spanned<String>) -> Option<usize> {
        let found = self.ground.packs.iter().position(|(pack, _)| *pack.name == *name.value);
        if self.ground.broken.contains(&name.value) {
            let message = format!("the pack `{}` has errors", name.value);
            let diagnostic = Diagnostic::error(Code::NameUnknown, name.at.clone(), message);
            self.report(diagnostic.help("mend the pack first: `standin check` tells what is wrong with it"));
        } else if found.is_none() {
            let names: Vec<&str> = self.ground.packs.iter().map(|(pack, _)| &*pack.name).collect();
            self.unknown("pack", name, &names);
        }
        found
    }

    /// Says that there is nothing of this name.
    fn unknown(&mut self, what: &str, name: &Spanned<String>, known: &[&str]) {
        let meant = nearest(&name.value, known.iter().copied());
        // A long list is of use to nobody who has been told what he meant.
        let help = (meant.is_none() || known.len() <= 12).then(|| there_are(known.iter().copied()));
        let message = format!("there is no {what} `{}`", name.value);
        let mut diagnostic = Diagnostic::error(Code::NameUnknown, name.at.clone(), message).suggest(meant);
        diagnostic.help = help;
        self.report(diagnostic);
    }

    /// A schema of a pack: `file.json`, or `file.json#/$defs/part`.
    fn schema(&mut self, pack: usize, name: &Spanned<String>) -> Option<Schema> {
        let files = &self.ground.packs[pack].1;
        let library = self.libraries.entry(pack).or_insert_with(|| library(files));
        let reference = Reference::parse(&name.value);
        match library.compile(&reference) {
            Ok(schema) => Some(schema),
            Err(fault) => {
                let known: Vec<String> = library.names().map(|name| format!("{name}.json")).collect();
                let document = format!("{}.json", reference.document);
                let diagnostic = Diagnostic::error(Code::NameUnknown, name.at.clone(), fault.message);
                let diagnostic = match known.contains(&document) {
                    true => diagnostic.help("the part behind `#` is a JSON pointer, such as `#/$defs/item`"),
                    false => {
                        let known = || known.iter().map(String::as_str);
                        diagnostic.suggest(nearest(&document, known())).help(there_are(known()))
                    }
                };
                self.report(diagnostic);
                None
            }
        }
    }
}

/// The pack has been loaded, so its schemas can be read.
fn library(files: &Files) -> Library {
    let read = |(path, bytes): (&String, &Vec<u8>)| -> Option<(String, Json)> {
        Some((path.strip_suffix(".json")?.to_owned(), serde_json::from_slice(bytes).ok()?))
    };
    Library::new(files.schemas.iter().filter_map(read).collect(), BTreeSet::new()).0
}

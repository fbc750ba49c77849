//! The head of a scenario: what it is called, what its sandbox begins with, its table, and what it includes.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::scope::Scope;
use super::value::kind_of;
use super::{File, MOST_INCLUDED, Reader, Story};
use crate::clock::Instant;
use crate::diagnostic::{Code, Diagnostic, Location, shortened};
use crate::expr::{Kind, Sources};
use crate::pack::source::{Fields, Node, NodeKind, Spanned, wrong_kind};
use crate::pack::{Chosen, Options};
use crate::scenario::{Given, Row, Scenario, Step};

/// The most rows of a table, and tags of a scenario.
const MOST_ROWS: usize = 1_000;
const MOST_TAGS: usize = 20;

/// A row as it is written: its name and its values.
type Written = (Option<Spanned<String>>, Map<String, Json>);

/// What stands before the steps of a file.
struct Head<'n> {
    pack: Option<Spanned<String>>,
    includes: Vec<Spanned<String>>,
    steps: Option<&'n Node>,
}

impl<'g> Reader<'g> {
    pub(super) fn scenario(&mut self, file: &File, folder: Option<usize>) -> Option<Scenario> {
        let node = file.node.as_ref()?;
        let before = self.errors();
        let mut fields = Fields::of(node, "a scenario", &mut self.diagnostics)?;
        let (name_at, name) = match fields.entry("scenario") {
            Some((key, _)) => (key.at.clone(), fields.required_prose("scenario", &mut self.diagnostics)),
            None => (node.at.clone(), fields.required_prose("scenario", &mut self.diagnostics)),
        };
        fields.prose("about", &mut self.diagnostics);
        let tags = self.tags(&mut fields);
        let given = self.given(&mut fields);
        let (rows, row) = self.rows(&mut fields);
        let head = self.head(&mut fields);
        fields.finish(&mut self.diagnostics);
        let pack = self.pack_of(&head, folder, node);
        let mut scope = Scope::new(pack, row);
        let mut story = self.story(&given);
        let mut steps = story.included(file, &head, &mut scope, &mut vec![file.shown.clone()], &mut BTreeSet::new());
        steps.extend(story.own_steps(&head, &mut scope));
        story.bounded(&steps, &name_at);
        story.told_receivers();
        let expressions = std::mem::take(&mut story.expressions);
        if self.errors() > before {
            return None;
        }
        let program = match expressions.build(Arc::default()) {
            Ok(program) => Arc::new(program),
            Err(fault) => {
                self.error(Code::ExprSyntax, &name_at, fault.to_string());
                return None;
            }
        };
        Some(Scenario {
            name: name?.value.into(),
            tags,
            file: file.shown.as_str().into(),
            line: self.sources.line_column(&name_at).0,
            pack: pack?,
            given,
            rows,
            steps,
            program,
        })
    }

    /// A file that is there to be included, and is not.
    pub(super) fn setup_alone(&mut self, file: &File, folder: Option<usize>) {
        let Some(node) = &file.node else { return };
        let Some(head) = self.setup(node) else { return };
        let pack = self.pack_of(&head, folder, node);
        // Whoever includes it may have a table.
        let mut scope = Scope::new(pack, Some(Kind::Any));
        let mut story = self.story(&Given::default());
        story.included(file, &head, &mut scope, &mut vec![file.shown.clone()], &mut BTreeSet::new());
        story.own_steps(&head, &mut scope);
    }

    fn setup<'n>(&mut self, node: &'n Node) -> Option<Head<'n>> {
        let mut fields = Fields::of(node, "a setup", &mut self.diagnostics)?;
        fields.required_prose("setup", &mut self.diagnostics);
        fields.prose("about", &mut self.diagnostics);
        let head = self.head(&mut fields);
        fields.finish(&mut self.diagnostics);
        Some(head)
    }

    fn head<'n>(&mut self, fields: &mut Fields<'n>) -> Head<'n> {
        Head {
            pack: fields.text("pack", &mut self.diagnostics),
            includes: fields.texts("include", &mut self.diagnostics),
            steps: fields.required("steps"),
        }
    }

    fn pack_of(&mut self, head: &Head<'_>, folder: Option<usize>, node: &Node) -> Option<usize> {
        match (&head.pack, folder) {
            (Some(name), _) => self.pack_named(name),
            (None, Some(folder)) => Some(folder),
            (None, None) => {
                let start = Location::new(node.at.file, node.at.range.start..node.at.range.start);
                let diagnostic = Diagnostic::error(Code::KeyMissing, start, "nothing says which pack this is about");
                self.report(diagnostic.help("give it `pack`, or put it into the folder `scenarios` of a pack"));
                None
            }
        }
    }

    fn story(&mut self, given: &Given) -> Story<'_, 'g> {
        let chosen: Vec<Chosen> = given
            .options
            .iter()
            .filter_map(|(path, value)| {
                let (pack, option) = path.split_once('.')?;
                Some(Chosen { pack: pack.into(), option: option.into(), value: value.clone() })
            })
            .collect();
        let options = self.ground.packs.iter().map(|(pack, _)| {
            let own: Vec<Chosen> = chosen.iter().filter(|one| one.pack == pack.name).cloned().collect();
            Options::chosen(pack, &own)
        });
        let options = options.collect();
        Story {
            reader: self,
            expressions: Sources::default(),
            options,
            keeps: Vec::new(),
            texts: Vec::new(),
            receivers: Vec::new(),
        }
    }

    fn tags(&mut self, fields: &mut Fields<'_>) -> Vec<String> {
        let tags = fields.texts("tags", &mut self.diagnostics);
        let mut all: Vec<String> = Vec::new();
        for tag in tags {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let fits = !tag.value.is_empty() && tag.value.len() <= 40 && tag.value.chars().all(plain);
            if all.contains(&tag.value) {
                let message = format!("the tag `{}` stands here twice", tag.value);
                self.report(Diagnostic::error(Code::NameDuplicate, tag.at, message).help("take one of the two out"));
            } else if !fits || tag.value.starts_with('-') {
                let meant: String = tag.value.trim().to_lowercase().replace([' ', '_', '.'], "-");
                let meant = (meant != tag.value && !meant.is_empty() && meant.chars().all(plain)).then_some(meant);
                let message = format!("`{}` is no tag", shortened(&tag.value, 40));
                let diagnostic = Diagnostic::error(Code::ValueWrong, tag.at, message).suggest(meant);
                self.report(
                    diagnostic.help("a tag is a word of small letters, digits and `-`, with at most 40 of them"),
                );
            } else if all.len() == MOST_TAGS {
                let message = format!("a scenario has at most {MOST_TAGS} tags");
                self.error(Code::ValueWrong, &tag.at, message);
            } else {
                all.push(tag.value);
            }
        }
        all
    }

    fn given(&mut self, fields: &mut Fields<'_>) -> Given {
        let clock = fields.text("clock", &mut self.diagnostics).and_then(|text| match Instant::parse(&text.value) {
            Ok(instant) => Some(instant),
            Err(why) => {
                self.error(Code::ValueWrong, &text.at, why);
                None
            }
        });
        let ticking = fields.flag("ticking", &mut self.diagnostics);
        let seed = fields.take("seed").and_then(|node| {
            let seed = match &node.kind {
                NodeKind::Number(number) => number.as_u64(),
                _ => None,
            };
            if seed.is_none() {
                let said =
                    if let NodeKind::Number(number) = &node.kind { number.to_string() } else { node.sort().to_owned() };
                self.error(Code::ValueWrong, &node.at, format!("`seed` is a whole number from 0, not {said}"));
            }
            seed
        });
        let mut options = Vec::new();
        let packs = self.packs();
        for (key, node) in fields.named("options", &mut self.diagnostics) {
            let found = Chosen::find(&packs, &key.name);
            let read = found.map_err(|why| (&key.at, why)).and_then(|(pack, option)| {
                let value = node.to_json();
                let number = option.read(&value).map_err(|why| (&node.at, format!("`{}`: {why}", key.name)))?;
                Ok((key.name.clone(), option.choose(pack, number).value))
            });
            match read {
                Ok(chosen) => options.push(chosen),
                Err((at, why)) => self.error(Code::ValueWrong, at, why),
            }
        }
        Given { clock, ticking, seed, options }
    }

    /// The rows of the table, and what is known of each of them.
    fn rows(&mut self, fields: &mut Fields<'_>) -> (Vec<Row>, Option<Kind>) {
        let nothing = || vec![Row { case: None, lines: 0..=0, values: Arc::new(Json::Null) }];
        let Some(node) = fields.take("with") else { return (nothing(), None) };
        let NodeKind::List(items) = &node.kind else {
            wrong_kind(node, "`with` is a list of rows", &mut self.diagnostics);
            return (nothing(), Some(Kind::Any));
        };
        if items.is_empty() || items.len() > MOST_ROWS {
            let message = format!("a table has 1 to {MOST_ROWS} rows, and this one {}", items.len());
            self.error(Code::ValueWrong, &node.at, message);
            return (nothing(), Some(Kind::Any));
        }
        let mut rows = Vec::new();
        let mut members: Option<Vec<(String, Kind)>> = None;
        let mut cases: Vec<Spanned<String>> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Some((case, values)) = self.row(item) else { continue };
            if let Some(twin) = case.as_ref().and_then(|case| cases.iter().find(|other| other.value == case.value)) {
                let (at, twin) = (case.as_ref().map_or(&item.at, |case| &case.at).clone(), twin.clone());
                let message = format!("two rows are called `{}`", twin.value);
                let diagnostic = Diagnostic::error(Code::NameDuplicate, at, message).related(twin.at, "the other one");
                self.report(diagnostic.help("give each a name of its own, or leave `case` out"));
            }
            match &mut members {
                None => members = Some(values.iter().map(|(name, value)| (name.clone(), kind_of(value))).collect()),
                Some(known) => {
                    self.same_members(item, &values, known, items);
                    for (name, kind) in known.iter_mut() {
                        if let Some(value) = values.get(name) {
                            *kind = kind.clone().or(kind_of(value));
                        }
                    }
                }
            }
            let name = case.as_ref().map_or_else(|| (index + 1).to_string(), |case| case.value.clone());
            let lines = self.sources.line_column(&item.at).0..=self.sources.end_line_column(&item.at).0;
            rows.push(Row { case: Some(name.into()), lines, values: Arc::new(Json::Object(values)) });
            cases.extend(case);
        }
        (rows, Some(members.map_or(Kind::Any, |members| Kind::object("the row", members))))
    }

    fn row(&mut self, item: &Node) -> Option<Written> {
        let NodeKind::Map(members) = &item.kind else {
            wrong_kind(item, "a row is a mapping", &mut self.diagnostics);
            return None;
        };
        let (mut case, mut values, mut whole) = (None, Map::new(), true);
        for (key, node) in members {
            if key.name == "case" {
                case = crate::pack::source::prose(node, "case", &mut self.diagnostics);
                continue;
            }
            match self.written(node, "a row") {
                Some(value) => {
                    values.insert(key.name.clone(), value);
                }
                None => whole = false,
            }
        }
        whole.then_some((case, values))
    }

    /// All rows have the same members.
    fn same_members(&mut self, item: &Node, values: &Map<String, Json>, known: &[(String, Kind)], items: &[Node]) {
        let first = items[0].at.clone();
        for (name, _) in known.iter().filter(|(name, _)| !values.contains_key(name)) {
            let meant = values.keys().find(|other| {
                !known.iter().any(|(known, _)| known == *other)
                    && crate::diagnostic::nearest(other, [name.as_str()]).is_some()
            });
            let message = format!("this row has no `{name}`, which the first has");
            let at = match (meant, &item.kind) {
                (Some(meant), NodeKind::Map(members)) => {
                    members.iter().find(|(key, _)| key.name == *meant).map_or(&item.at, |(key, _)| &key.at)
                }
                _ => &item.at,
            };
            let diagnostic = Diagnostic::error(Code::KeyMissing, at.clone(), message);
            let diagnostic = diagnostic.suggest(meant.map(|_| name.clone())).related(first.clone(), "the first row");
            self.report(diagnostic.help("all rows have the same keys: null stands for nothing"));
        }
        let mut missing = known.iter().filter(|(name, _)| !values.contains_key(name));
        if missing.next().is_some() {
            return;
        }
        let NodeKind::Map(members) = &item.kind else { return };
        for (key, _) in members.iter().filter(|(key, _)| key.name != "case") {
            if !known.iter().any(|(name, _)| *name == key.name) {
                let message = format!("this row has `{}`, which the first has not", key.name);
                let diagnostic = Diagnostic::error(Code::KeyUnknown, key.at.clone(), message);
                let diagnostic = diagnostic.related(first.clone(), "the first row");
                self.report(diagnostic.help("all rows have the same keys: null stands for nothing"));
            }
        }
    }

    fn included_file(&mut self, path: &str, at: &Location) -> Option<Rc<File>> {
        if let Some(known) = self.files.get(path) {
            return Some(Rc::clone(known));
        }
        match (self.include)(path) {
            Ok(text) => Some(self.file(path, &text)),
            Err(why) => {
                let diagnostic =
                    Diagnostic::error(Code::FileMissing, at.clone(), format!("`{path}` cannot be included: {why}"));
                self.report(diagnostic.help("the path is relative to this file"));
                None
            }
        }
    }
}

impl Story<'_, '_> {
    /// The steps of everything that a file includes, in order, each file once.
    fn included(
        &mut self,
        file: &File,
        head: &Head<'_>,
        scope: &mut Scope,
        above: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        for (index, name) in head.includes.iter().enumerate() {
            let twin = head.includes[..index].iter().find(|other| other.value == name.value);
            if let Some(twin) = twin {
                let message = format!("`{}` is included twice", name.value);
                let diagnostic = Diagnostic::error(Code::NameDuplicate, name.at.clone(), message);
                self.reader.report(diagnostic.related(twin.at.clone(), "first here").help("take one of the two out"));
                continue;
            }
            let Some(path) = beside(&file.shown, &name.value) else {
                let message = format!("`{}` is no path from this file to another", name.value);
                let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message);
                self.reader.report(diagnostic.help("write a path relative to this file, such as `setup/account.yaml`"));
                scope.names.open();
                continue;
            };
            if above.contains(&path) {
                let way = above.iter().skip_while(|one| **one != path).chain([&path]);
                let way = way.map(|one| format!("`{one}`")).collect::<Vec<_>>().join(" includes ");
                let diagnostic =
                    Diagnostic::error(Code::ValueWrong, name.at.clone(), format!("this goes round: {way}"));
                self.reader.report(diagnostic.help("take one of these includes out"));
                continue;
            }
            if !done.insert(path.clone()) {
                continue;
            }
            if done.len() > MOST_INCLUDED {
                let message = format!("a scenario includes at most {MOST_INCLUDED} files");
                self.reader.error(Code::ValueWrong, &name.at, message);
                return steps;
            }
            steps.extend(self.include(&path, name, scope, above, done));
        }
        steps
    }

    fn include(
        &mut self,
        path: &str,
        name: &Spanned<String>,
        scope: &mut Scope,
        above: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Vec<Step> {
        self.reader.included.insert(path.to_owned());
        let Some(file) = self.reader.included_file(path, &name.at) else {
            // It would have kept names.
            scope.names.open();
            return Vec::new();
        };
        let Some(node) = &file.node else {
            self.reader.error(Code::FileUnreadable, &name.at, format!("`{path}` cannot be read"));
            scope.names.open();
            return Vec::new();
        };
        if !file.is_setup() {
            let message = format!("`{path}` is not there to be included");
            let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message);
            self.reader.report(diagnostic.help("what is included says `setup: …` where a scenario says `scenario: …`"));
            scope.names.open();
            return Vec::new();
        }
        let Some(head) = self.reader.setup(node) else { return Vec::new() };
        let outer = scope.pack;
        if let Some(pack) = &head.pack {
            scope.pack = self.reader.pack_named(pack);
        }
        above.push(path.to_owned());
        let mut steps = self.included(&file, &head, scope, above, done);
        above.pop();
        steps.extend(self.own_steps(&head, scope));
        scope.pack = outer;
        steps
    }

    fn own_steps(&mut self, head: &Head<'_>, scope: &mut Scope) -> Vec<Step> {
        let Some(node) = head.steps else { return Vec::new() };
        if let NodeKind::List(items) = &node.kind {
            self.survey(items);
        }
        self.steps(node, scope)
    }
}

/// A path that is written in a file, as that of the file is. None where it leads out of everything.
fn beside(file: &str, path: &str) -> Option<String> {
    let rooted = path.starts_with('/') || path.contains('\\') || path.trim().is_empty();
    if rooted {
        return None;
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." && !last.is_empty() => {
                    parts.pop();
                }
                Some(&"") => return None,
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

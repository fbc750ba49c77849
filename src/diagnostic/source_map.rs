use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A file of a pack, by its number in the [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId(pub(crate) u32);

/// A stretch of bytes in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) file: FileId,
    pub(crate) range: Range<usize>,
}

impl Location {
    pub(crate) fn new(file: FileId, range: Range<usize>) -> Self {
        Location { file, range }
    }

    /// The beginning of a file, for what concerns all of it.
    pub(crate) fn whole(file: FileId) -> Self {
        Location { file, range: 0..0 }
    }
}

#[derive(Debug)]
struct SourceFile {
    path: String,
    text: Arc<str>,
    /// Byte offset of the start of each line.
    lines: Vec<usize>,
}

/// Every file that a pack was read from, with its text.
#[derive(Debug, Default)]
pub(crate) struct SourceMap {
    files: Vec<Arc<SourceFile>>,
}

impl SourceMap {
    pub(crate) fn add(&mut self, path: impl Into<String>, text: Arc<str>) -> FileId {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.files.push(Arc::new(SourceFile { path: path.into(), text, lines }));
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize).map(Arc::as_ref)
    }

    /// The same files, of which those that another map has, too, are kept once. With it comes how many bytes of text are
    /// its own.
    pub(crate) fn sharing(&self, other: &SourceMap) -> (SourceMap, usize) {
        let known: BTreeMap<&str, &Arc<SourceFile>> =
            other.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let mut own = 0;
        let shared = self.files.iter().map(|file| match known.get(file.path.as_str()) {
            Some(same) if same.text == file.text => Arc::clone(same),
            _ => {
                own += file.text.len();
                Arc::clone(file)
            }
        });
        (SourceMap { files: shared.collect() }, own)
    }

    /// Every file: its path and its text.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|file| (&*file.path, &*file.text))
    }

    pub(crate) fn path(&self, id: FileId) -> &str {
        self.file(id).map_or("", |file| &file.path)
    }

    pub(crate) fn text(&self, id: FileId) -> &str {
        self.file(id).map_or("", |file| &file.text)
    }

    /// One-based line and column; columns count characters.
    pub(crate) fn line_column(&self, location: &Location) -> (usize, usize) {
        self.at(location.file, location.range.start)
    }

    /// The same of the character behind the place.
    pub(crate) fn end_line_column(&self, location: &Location) -> (usize, usize) {
        self.at(location.file, location.range.end.max(location.range.start))
    }

    fn at(&self, file: FileId, offset: usize) -> (usize, usize) {
        let Some(file) = self.file(file) else { return (0, 0) };
        let offset = offset.min(file.text.len());
        let line = file.lines.partition_point(|start| *start <= offset).max(1);
        let column = file.text.get(file.lines[line - 1]..offset).map_or(1, |before| before.chars().count() + 1);
        (line, column)
    }

    /// `path:line`, as a trace shows a place.
    pub(crate) fn place(&self, location: &Location) -> String {
        format!("{}:{}", self.path(location.file), self.line_column(location).0)
    }
}

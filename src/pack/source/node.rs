use std::borrow::Cow;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Number, Value};

use super::Diagnostics;
use crate::diagnostic::{Code, Diagnostic, FileId, Location};

/// A YAML value with its place. Only the plain core of YAML is read: no anchors, aliases or tags, no duplicate keys;
/// `true`, `false`, `null` and JSON's numbers are what they are, every other plain word is a string.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) at: Location,
    /// For a string: the bytes of the file that spell exactly this string, when there are such.
    verbatim: Option<Range<usize>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeKind {
    Null,
    Boolean(bool),
    Number(Number),
    String(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) at: Location,
}

const DEEPEST: usize = 32;
const ALIASES: &str = "write the value out; text that begins with `*` stands in quotation marks";

impl Node {
    /// Reads the one document of a file. `None` when it cannot be read at all; the reason is among the diagnostics.
    pub(crate) fn parse(text: &str, file: FileId, diagnostics: &mut Diagnostics) -> Option<Node> {
        let mut builder =
            Builder { text, file, offsets: Offsets::new(text), parser: Parser::new_from_str(text), diagnostics };
        builder.document()
    }

    /// What kind of value this is, for a message.
    pub(crate) fn sort(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Boolean(_) => "a boolean",
            NodeKind::Number(_) => "a number",
            NodeKind::String(_) => "a text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a mapping",
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The same value as JSON.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Boolean(value) => Value::Bool(*value),
            NodeKind::Number(number) => Value::Number(number.clone()),
            NodeKind::String(text) => Value::String(text.clone()),
            NodeKind::List(items) => items.iter().map(Node::to_json).collect(),
            NodeKind::Map(members) => Value::Object(
                members.iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The node at a JSON pointer, or the last one on the way there.
    pub(crate) fn nearest(&self, segments: &[String]) -> &Node {
        let Some((first, rest)) = segments.split_first() else { return self };
        let next = match &self.kind {
            NodeKind::Map(members) => members.iter().find(|(key, _)| key.name == *first).map(|(_, node)| node),
            NodeKind::List(items) => first.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        next.map_or(self, |node| node.nearest(rest))
    }

    /// The place of the key that a JSON pointer ends with, or of the last one on the way there.
    pub(crate) fn nearest_key(&self, segments: &[String]) -> Location {
        let Some((last, parents)) = segments.split_last() else { return self.at.clone() };
        match &self.nearest(parents).kind {
            NodeKind::Map(members) => match members.iter().find(|(key, _)| key.name == *last) {
                Some((key, _)) => key.at.clone(),
                None => self.nearest_key(parents),
            },
            _ => self.nearest(segments).at.clone(),
        }
    }

    /// The place of a part of this string, given in bytes of the string; the whole place when the file spells the
    /// string in another way (escapes, folded lines).
    pub(crate) fn part(&self, range: Range<usize>) -> Location {
        match &self.verbatim {
            Some(whole) if whole.start + range.end <= whole.end => {
                Location::new(self.at.file, whole.start + range.start..whole.start + range.end)
            }
            _ => self.at.clone(),
        }
    }
}

/// Byte offsets of the characters of a text: the YAML crate counts characters.
struct Offsets(Option<Vec<usize>>);

impl Offsets {
    fn new(text: &str) -> Self {
        Offsets((!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()))
    }

    fn byte(&self, character: usize) -> usize {
        match &self.0 {
            None => character,
            Some(offsets) => offsets.get(character).or(offsets.last()).copied().unwrap_or(0),
        }
    }
}

struct Builder<'a, 'd> {
    text: &'a str,
    file: FileId,
    offsets: Offsets,
    parser: Parser<'a, StrInput<'a>>,
    diagnostics: &'d mut Diagnostics,
}

impl<'a> Builder<'a, '_> {
    fn next(&mut self) -> Option<(Event<'a>, Range<usize>)> {
        match self.parser.next_event()? {
            Ok((event, span)) => {
                let start = self.offsets.byte(span.start.index()).min(self.text.len());
                Some((event, start..self.offsets.byte(span.end.index()).clamp(start, self.text.len())))
            }
            Err(error) => {
                let at = self.offsets.byte(error.marker().index()).min(self.text.len());
                self.broken(at, error.info());
                None
            }
        }
    }

    fn location(&self, range: Range<usize>) -> Location {
        Location::new(self.file, range)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// What the YAML crate says, with a remedy where its words suggest one.
    fn broken(&mut self, mut at: usize, info: &str) {
        if info.contains("unknown anchor") {
            let rest = &self.text[at..];
            let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}')).unwrap_or(rest.len());
            return self.feature("aliases", ALIASES, at..at + end);
        }
        let line = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let lines = &self.text[line..].lines().next().unwrap_or_default();
        let before = self.text[line..at].trim_end();
        let column = "keys of one mapping begin in the same column, deeper than the key above them";
        let (message, help) = if info.contains("tab") && self.text[line..].trim_start_matches(' ').starts_with('\t') {
            at = line + self.text[line..].find('\t').unwrap_or(0);
            ("a tab stands in the indentation".to_owned(), Some("indent with spaces"))
        } else if info.contains("mapping values are not allowed")
            && lines.matches(": ").count() < 2
            && !lines.ends_with(':')
        {
            at = line + (lines.len() - lines.trim_start().len());
            ("this key is indented deeper than the line above allows".to_owned(), Some(column))
        } else if info.contains("did not find expected key") && before.ends_with(['}', ']', '"', '\'']) {
            let help = "text that begins with a bracket or quotation mark stands in quotation marks as a whole";
            ("the value has ended here, and something follows".to_owned(), Some(help))
        } else if info.contains("did not find expected") && before.trim_start_matches([' ', '-']).is_empty() {
            ("this line begins in another column than those it belongs to".to_owned(), Some(column))
        } else if info.contains("unexpected character") {
            let help = "text that begins with it stands in quotation marks";
            ("text without quotation marks cannot begin with this character".to_owned(), Some(help))
        } else if info.contains("simple key expect") {
            let above = self.text[..line].trim_end();
            at = above.rfind('\n').map_or(0, |end| end + 1);
            at += above[at..].len() - above[at..].trim_start().len();
            ("this line has no value".to_owned(), Some("a key and its value are parted by `: `, with a space"))
        } else if info.contains("mapping values are not allowed") {
            let help = "text that has `: ` in it stands in quotation marks";
            ("a second `:` stands in this line".to_owned(), Some(help))
        } else if info.contains("illegal placement of ':'") {
            (format!("this is not YAML: {info}"), Some("is a bracket before it closed?"))
        } else if info.contains("did not find expected ','") {
            let help = "inside `{ }` and `[ ]` commas and brackets end a value: put an expression with one in quotation marks; is every bracket closed?";
            (format!("this is not YAML: {info}"), Some(help))
        } else if info.contains("quoted scalar") {
            (format!("this is not YAML: {info}"), Some("is the quotation mark closed?"))
        } else {
            (format!("this is not YAML: {info}"), None)
        };
        let end = self.text[at..].chars().next().map_or(at, |character| at + character.len_utf8());
        let mut diagnostic = Diagnostic::error(Code::YamlSyntax, self.location(at..end), message);
        diagnostic.help = help.map(str::to_owned);
        self.report(diagnostic);
    }

    fn feature(&mut self, what: &str, help: &str, range: Range<usize>) {
        let message = format!("{what} are not used in packs");
        self.report(Diagnostic::error(Code::YamlFeature, self.location(range), message).help(help));
    }

    /// Refuses anchors and tags.
    fn plain<T>(&mut self, anchor: usize, tag: Option<T>, range: &Range<usize>) {
        if anchor != 0 {
            self.feature("anchors", "write the value out where it is needed", range.clone());
        }
        if tag.is_some() {
            self.feature(
                "tags",
                "write the value without one: text in quotation marks is text, and in expressions `!` is `not`",
                range.clone(),
            );
        }
    }

    fn document(&mut self) -> Option<Node> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_), _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => {
                    let at = Location::whole(self.file);
                    self.report(
                        Diagnostic::error(Code::YamlSyntax, at, "the file is empty").help("fill it, or take it away"),
                    );
                    return None;
                }
                (event, range) => {
                    let node = self.node(event, range, 0)?;
                    while let Some((event, range)) = self.next() {
                        match event {
                            Event::DocumentStart(_) => {
                                self.feature("several documents in one file", "give each a file of its own", range);
                            }
                            Event::StreamEnd => return Some(node),
                            _ => {}
                        }
                    }
                    return None;
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, range: Range<usize>, depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            let message = format!("nested deeper than {DEEPEST} levels");
            self.report(Diagnostic::error(Code::YamlSyntax, self.location(range), message));
            return None;
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.plain(anchor, tag, &range);
                Some(self.scalar(text, style, range))
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain(anchor, tag, &range);
                let mut items = Vec::new();
                let mut end = range.end;
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, last) => {
                            let range = range.start..end.max(last.end.min(last.start + 1));
                            return Some(self.made(NodeKind::List(items), range));
                        }
                        (event, range) => {
                            let item = self.node(event, range, depth + 1)?;
                            end = item.at.range.end;
                            items.push(item);
                        }
                    }
                }
            }
            Event::MappingStart(anchor, tag) => {
                self.plain(anchor, tag, &range);
                self.mapping(range, depth)
            }
            Event::Alias(_) => {
                self.feature("aliases", ALIASES, range);
                None
            }
            _ => None,
        }
    }

    fn mapping(&mut self, range: Range<usize>, depth: usize) -> Option<Node> {
        let mut members: Vec<(Key, Node)> = Vec::new();
        let mut end = range.end;
        loop {
            let (event, key_range) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let range = range.start..end.max(range.start);
                return Some(self.made(NodeKind::Map(members), range));
            }
            let Event::Scalar(name, _, _, _) = event else {
                let braces =
                    self.text[..key_range.start].ends_with('{') && self.text[key_range.start..].starts_with('{');
                let help = match braces {
                    true => "an expression is written with `=` and without braces: `= body.name`",
                    false => "a key is one word, or text in quotation marks",
                };
                self.feature("keys that are not text", help, key_range);
                return None;
            };
            let key = Key { name: name.into_owned(), at: self.location(key_range) };
            let (event, value_range) = self.next()?;
            let value = self.node(event, value_range, depth + 1)?;
            end = value.at.range.end.max(key.at.range.end);
            match members.iter().find(|(known, _)| known.name == key.name) {
                Some((first, _)) => {
                    let message = format!("`{}` stands here twice", key.name);
                    let diagnostic = Diagnostic::error(Code::KeyDuplicate, key.at.clone(), message)
                        .related(first.at.clone(), "first here")
                        .help("take one of the two out");
                    self.report(diagnostic);
                }
                None => members.push((key, value)),
            }
        }
    }

    fn made(&self, kind: NodeKind, range: Range<usize>) -> Node {
        Node { kind, at: self.location(range), verbatim: None }
    }

    fn scalar(&mut self, text: Cow<'a, str>, style: ScalarStyle, range: Range<usize>) -> Node {
        if style == ScalarStyle::Plain {
            let kind = match text.as_ref() {
                "" | "~" | "null" => Some(NodeKind::Null),
                "true" => Some(NodeKind::Boolean(true)),
                "false" => Some(NodeKind::Boolean(false)),
                other => serde_json::from_str::<Number>(other).ok().map(NodeKind::Number),
            };
            if let Some(kind) = kind {
                return self.made(kind, range);
            }
        }
        let trimmed = self.text[range.clone()].trim_end();
        let range = range.start..range.start + trimmed.len();
        // Most stand there as they are, which need not be looked for.
        let at = if trimmed.starts_with(&*text) { Some(0) } else { trimmed.find(&*text) };
        let verbatim = at.map(|at| range.start + at..range.start + at + text.len());
        Node { kind: NodeKind::String(text.into_owned()), at: self.location(range), verbatim }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Option<Node>, Vec<Code>) {
        let mut diagnostics = Vec::new();
        let node = Node::parse(text, FileId(0), &mut diagnostics);
        (node, diagnostics.into_iter().map(|diagnostic| diagnostic.code).collect())
    }

    #[test]
    fn plain_words_stay_words() {
        let (node, codes) = parse("a: NO\nb: 0185128\nc: 1.10\nd: true\ne: null\nf: \"7\"\ng: 7\nh: on\n");
        assert_eq!(codes, []);
        let expected = serde_json::json!({
            "a": "NO", "b": "0185128", "c": 1.10, "d": true, "e": null, "f": "7", "g": 7, "h": "on"
        });
        assert_eq!(node.unwrap().to_json(), expected);
    }

    #[test]
    fn places_are_bytes_even_after_wide_characters() {
        let text = "ä: x\nname: = body.nmae\n";
        let (node, _) = parse(text);
        let node = node.unwrap();
        let value = node.nearest(&["name".to_owned()]);
        assert_eq!(&text[value.at.range.clone()], "= body.nmae");
        assert_eq!(&text[value.part(2..11).range], "body.nmae");
    }

    #[test]
    fn what_yaml_could_also_do_is_refused() {
        assert_eq!(parse("a: &x 1\n").1, [Code::YamlFeature]);
        assert_eq!(parse("a: !!str 1\n").1, [Code::YamlFeature]);
        assert_eq!(parse("a: 1\na: 2\n").1, [Code::KeyDuplicate]);
        assert_eq!(parse("").1, [Code::YamlSyntax]);
        assert_eq!(parse("a: [1\n").1, [Code::YamlSyntax]);
        assert_eq!(parse("a: 1\n\tb: 2\n").1, [Code::YamlSyntax]);
        assert_eq!(parse(&"[".repeat(200)).1, [Code::YamlSyntax]);
    }
}

//! Documented bytes that are no JSON, beside the JSON that they were meant to be.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, FileId, Location};

/// What the corrected file may have more or less of than the documentation.
fn is_punctuation(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '{' | '}' | '[' | ']' | ',' | '"' | '\'' | '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}'
        )
}

impl Resolver<'_> {
    /// The JSON file that a `.txt` is the documented spelling of.
    pub(super) fn corrected(&self, path: &str) -> Option<String> {
        let json = format!("{}.json", path.strip_suffix(".txt")?);
        self.fixtures.contains_key(json.as_str()).then_some(json)
    }

    /// Every such pair: the two say the same, and the documentation needs to be corrected.
    pub(super) fn check_verbatim(&mut self) {
        let pair = |(own, file): (&&str, &FileId)| Some(((*own).to_owned(), *file, self.corrected(own)?));
        let pairs: Vec<(String, FileId, String)> = self.fixtures.iter().filter_map(pair).collect();
        for (own, documented, path) in pairs {
            let Some(corrected) = self.fixtures.get(path.as_str()).copied() else { continue };
            self.used.insert(own);
            // A file that cannot be read has been reported, or is when it is used.
            if self.unread.contains(&documented) || self.document(&path).is_none() {
                continue;
            }
            let (text, json) = (self.sources.text(documented), self.sources.text(corrected));
            if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
                let message = format!("the documentation's bytes are JSON, and `{path}` corrects what needs none");
                let help = "give the `.json` file these bytes, and take the `.txt` file away";
                self.report(Diagnostic::error(Code::ValueWrong, Location::whole(documented), message).help(help));
            } else if let Some((own, documentation)) = first_difference(json, text) {
                let message = "the corrected file says something else than the documentation";
                let diagnostic = Diagnostic::error(Code::ValueWrong, Location::new(corrected, own), message)
                    .related(Location::new(documented, documentation), "documented is this")
                    .help("the two may differ in brackets, braces, commas, quotes and white space only");
                self.report(diagnostic);
            }
        }
    }
}

type Range = std::ops::Range<usize>;

/// The first place where a text has not what JSON says, in both: each string, number, word and colon must come in its
/// order, letter for letter, with nothing but punctuation between them.
fn first_difference(json: &str, text: &str) -> Option<(Range, Range)> {
    let mut at = 0;
    let mut before = None;
    for token in tokens(json) {
        let wanted = &json[token.clone()];
        let mut from = at;
        let end = loop {
            // Two words that grow together are no longer what they were.
            let joined = from == at && joins(before, wanted);
            match reads(wanted, &text[from..]).filter(|_| !joined) {
                Some(length) => break Some(from + length),
                None => match text[from..].chars().next().filter(|next| is_punctuation(*next)) {
                    Some(next) => from += next.len_utf8(),
                    None => break None,
                },
            }
        };
        let Some(end) = end else { return Some((token, word(text, from))) };
        before = wanted.chars().last().or(before);
        at = end;
    }
    let rest = text[at..].find(|character: char| !is_punctuation(character))?;
    let end = json.trim_end().len();
    Some((end.saturating_sub(1)..end, word(text, at + rest)))
}

fn joins(before: Option<char>, wanted: &str) -> bool {
    let part = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    part(before) && part(wanted.chars().next())
}

/// How much of a text spells a token; a quotation mark inside a string may have lost its backslash.
fn reads(token: &str, text: &str) -> Option<usize> {
    if text.starts_with(token) {
        return Some(token.len());
    }
    let plain = token.replace("\\\"", "\"");
    (plain != token && text.starts_with(&plain)).then_some(plain.len())
}

/// From here to the end of the word, or of the text.
fn word(text: &str, from: usize) -> Range {
    let rest = &text[from..];
    let length = rest.find(|character: char| is_punctuation(character)).unwrap_or(rest.len());
    from..from + length
}

/// The places of what JSON says: contents of strings, numbers, words and colons.
fn tokens(json: &str) -> Vec<Range> {
    let bytes = json.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        match byte {
            b'"' => {
                at += 1;
                while let Some(inner) = bytes.get(at).filter(|inner| **inner != b'"') {
                    at += if *inner == b'\\' { 2 } else { 1 };
                }
                found.push(start + 1..at.min(bytes.len()));
                at += 1;
            }
            b':' => {
                at += 1;
                found.push(start..at);
            }
            b'{' | b'}' | b'[' | b']' | b',' => at += 1,
            byte if byte.is_ascii_whitespace() => at += 1,
            _ => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b"{}[],:\"".contains(byte);
                at += bytes[start..].iter().position(ends).unwrap_or(bytes.len() - start);
                found.push(start..at);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    /// What differs, as both spell it.
    fn difference<'a>(json: &'a str, text: &'a str) -> Option<(&'a str, &'a str)> {
        first_difference(json, text).map(|(own, documented)| (&json[own], &text[documented]))
    }

    #[test]
    fn punctuation_may_differ() {
        let json = r#"{ "id": 7, "tags": ["a b", "{c}"], "said": "\"no\"", "none": "", "note": null }"#;
        let texts = [
            r#""id": 7, "tags": ["a b", "{c}"], "said": "\"no\"", "none": "", "note": null"#,
            r#"{ "id": 7, "tags": ["a b", "{c}"], "said": ""no"", "none": "", "note": null, }"#,
            "{ id: 7\n tags: ['a b' '{c}'],\n said: '\"no\"', none: '', note: null }}",
            r#"{ "id: 7, "tags": [“a b”, "{c}", "said": "\"no\"", "none": , "note": null"#,
        ];
        for text in texts {
            assert_eq!(difference(json, text), None, "{text}");
        }
    }

    #[test]
    fn nothing_else_may() {
        let json = r#"{ "id": 7, "name": "a b", "list": [1, 2] }"#;
        let differs = |text| difference(json, text);
        assert_eq!(differs("{ id: 8, name: 'a b', list: [1, 2] }"), Some(("7", "8")));
        assert_eq!(differs("{ id: 7, name: 'ab', list: [1, 2] }"), Some(("a b", "ab")));
        assert_eq!(differs("{ id: 7, name: 'a  b', list: [1, 2] }"), Some(("a b", "a")));
        assert_eq!(differs("{ id 7, name: 'a b', list: [1, 2] }"), Some((":", "7")));
        assert_eq!(differs("{ id: 7, name: 'a b', list: [12] }"), Some(("2", "2")));
        assert_eq!(differs("{ id: 7, name: 'a b', list: [1, 2], more: 3 }"), Some(("}", "more:")));
        assert_eq!(differs("{ id: 7, name: 'a b' }"), Some(("list", "")));
        assert_eq!(differs("{ id: 7, // the id\n name: 'a b', list: [1, 2] }"), Some(("name", "//")));
    }
}

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use serde_json::Value as Json;

use super::{Entry, Exchanged, Kept};
use crate::clock::Instant;
use crate::exchange::{equal, parse_json};

/// Which exchanges are asked for. Every condition that is given must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// The operation's id or the part behind the last `/` of it.
    pub(crate) operation: Option<String>,
    pub(crate) method: Option<String>,
    /// Path within the pack.
    pub(crate) path: Option<String>,
    pub(crate) path_pattern: Option<PathPattern>,
    pub(crate) pack: Option<String>,
    pub(crate) status: Option<StatusFilter>,
    pub(crate) contract: Option<String>,
    /// The id of a stub.
    pub(crate) stub: Option<String>,
    /// The first instant that counts.
    pub(crate) since: Option<Instant>,
    /// The first instant that does not count any more.
    pub(crate) until: Option<Instant>,
    /// Whether the trace has a step that failed.
    pub(crate) finding: Option<bool>,
    /// Whether nothing was found that answers it.
    pub(crate) unmatched: Option<bool>,
    /// Pairs that the query must have, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// Headers that the request must have.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) text: Option<Text>,
    pub(crate) body: Option<BodyPattern>,
    /// Only entries after this number.
    pub(crate) after: u64,
}

impl Filter {
    /// The entries that fulfil all conditions, in their order.
    pub(crate) fn select<'e>(&self, entries: impl IntoIterator<Item = &'e Arc<Entry>>) -> Vec<&'e Arc<Entry>> {
        let mut line = Vec::new();
        entries.into_iter().filter(|entry| self.matches(entry, &mut line)).collect()
    }

    /// `line` is room to write in, so that a long selection takes it once.
    fn matches(&self, entry: &Entry, line: &mut Vec<u8>) -> bool {
        entry.id > self.after
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
            && entry.kept().is_some_and(|kept| self.matches_head(kept) && self.matches_rest(kept, line))
    }

    /// What costs little.
    fn matches_head(&self, kept: &Kept) -> bool {
        let given = |wanted: &Option<String>, holds: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(holds);
        self.status.is_none_or(|wanted| wanted.holds(kept.status.as_u16()))
            && self.finding.is_none_or(|wanted| (kept.findings > 0) == wanted)
            && self.unmatched.is_none_or(|wanted| kept.unmatched == wanted)
            && given(&self.method, &|wanted| kept.method.as_str().eq_ignore_ascii_case(wanted))
            && given(&self.pack, &|wanted| kept.pack_name() == Some(wanted))
            && given(&self.contract, &|wanted| kept.contract == Some(wanted))
            && given(&self.stub, &|wanted| kept.stub.as_deref() == Some(wanted))
            && given(&self.path, &|wanted| kept.path() == wanted)
            && given(&self.operation, &|wanted| kept.operation.as_deref().is_some_and(|name| is_called(name, wanted)))
            && self.path_pattern.as_ref().is_none_or(|pattern| pattern.fits(kept.path()))
    }

    /// What reads bodies comes last.
    fn matches_rest(&self, kept: &Kept, line: &mut Vec<u8>) -> bool {
        (self.headers.is_empty() || has_headers(&kept.request().headers, &self.headers))
            && self.query.iter().all(|(name, value)| has_pair(kept, name, value))
            && self.text.as_ref().is_none_or(|text| text.is_in(kept, line))
            && self.body.as_ref().is_none_or(|body| body.holds(kept.sent_body()))
    }
}

/// Whether there are all of these headers; of one that came in several lines any counts.
pub(crate) fn has_headers(headers: &HeaderMap, wanted: &[(HeaderName, HeaderValue)]) -> bool {
    wanted.iter().all(|(name, value)| headers.get_all(name).iter().any(|one| one == value))
}

/// Whether an operation's id, or the part behind its last `/`, is this name.
pub(crate) fn is_called(operation: &str, name: &str) -> bool {
    operation == name || operation.rsplit('/').next() == Some(name)
}

/// Whether no operation has the method and path of the request, and no stub either: nothing was found to answer it.
pub(crate) fn is_unmatched(exchanged: &Exchanged) -> bool {
    exchanged.operation.is_none() && exchanged.stub.is_none() && !exchanged.trace.is_routed()
}

fn has_pair(kept: &Kept, name: &str, value: &str) -> bool {
    let query = kept.target().1.unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|pair| pair.0 == name && pair.1 == value)
}

/// A status, or a class such as `4xx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusFilter {
    Exactly(u16),
    Class(u16),
}

impl StatusFilter {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(class) = text.strip_suffix("xx") {
            return matches!(class, "1" | "2" | "3" | "4" | "5")
                .then(|| class.parse().ok().map(StatusFilter::Class))?;
        }
        let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        let status = text.parse().ok().filter(|status| digits && (100..600).contains(status))?;
        Some(StatusFilter::Exactly(status))
    }

    pub(crate) fn holds(self, status: u16) -> bool {
        match self {
            StatusFilter::Exactly(wanted) => status == wanted,
            StatusFilter::Class(class) => status / 100 == class,
        }
    }
}

/// A regular expression for paths, in time linear in the path. A path is ASCII, so classes such as `\w` are, too.
#[derive(Debug, Clone)]
pub(crate) struct PathPattern(Regex);

/// Why there is no such pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PatternFault {
    /// What is wrong, and at which character, counted from 1.
    Syntax { column: usize, words: String },
    /// It is well written and would cost too much.
    TooBig,
}

impl PathPattern {
    /// The most memory that a compiled pattern may take, in bytes. The time for one byte of a path can grow with it.
    const MOST: usize = 32 << 10;

    pub(crate) fn parse(pattern: &str) -> Result<Self, PatternFault> {
        let fault = |span: &regex_syntax::ast::Span, kind: String| PatternFault::Syntax {
            column: pattern[..span.start.offset].chars().count() + 1,
            words: kind,
        };
        // The words of the compiler are a drawing of several lines; its parser knows the place.
        ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).map_err(|error| match error {
            regex_syntax::Error::Parse(error) => fault(error.span(), error.kind().to_string()),
            regex_syntax::Error::Translate(error) => fault(error.span(), error.kind().to_string()),
            _ => PatternFault::Syntax { column: 1, words: error.to_string() },
        })?;
        let built = RegexBuilder::new(pattern).unicode(false).size_limit(Self::MOST).build();
        built.map(PathPattern).map_err(|_| PatternFault::TooBig)
    }

    pub(crate) fn fits(&self, path: &str) -> bool {
        self.0.is_match(path.as_bytes())
    }
}

/// A text that is looked for in all of an exchange, in capital or small letters.
#[derive(Debug, Clone)]
pub(crate) struct Text(Regex);

impl Text {
    /// There is none for a text whose search would take too much memory.
    pub(crate) fn new(text: &str) -> Option<Self> {
        RegexBuilder::new(&regex::escape(text)).case_insensitive(true).build().ok().map(Text)
    }

    pub(crate) fn fits(&self, text: &str) -> bool {
        self.0.is_match(text.as_bytes())
    }

    fn is_in(&self, kept: &Kept, line: &mut Vec<u8>) -> bool {
        let found = |bytes: &[u8]| self.0.is_match(bytes);
        let (path, query) = kept.target();
        line.clear();
        for part in [kept.method.as_str(), " ", path] {
            line.extend_from_slice(part.as_bytes());
        }
        if let Some(query) = query {
            line.push(b'?');
            line.extend_from_slice(query.as_bytes());
        }
        found(line)
            || kept.operation.as_deref().is_some_and(|operation| found(operation.as_bytes()))
            || kept.any_text(&found)
    }
}

/// JSON that the body of a request must have in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BodyPattern {
    pub(crate) wanted: Json,
    /// How deep a body may be nested to be read.
    pub(crate) depth: usize,
}

impl BodyPattern {
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        !bytes.is_empty() && parse_json(bytes, self.depth).is_ok_and(|value| contains(&value, &self.wanted))
    }
}

/// Whether a value has all that is wanted: an object may have more members, anything else is equal.
fn contains(value: &Json, wanted: &Json) -> bool {
    match (value, wanted) {
        (Json::Object(value), Json::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| value.get(name).is_some_and(|value| contains(value, wanted)))
        }
        _ => equal(value, wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_contained_and_everything_else_is_equal() {
        let value = json!({ "a": { "b": [1, { "c": 2 }], "d": null }, "e": 1.0 });
        for wanted in [
            json!({}),
            json!({ "a": {} }),
            json!({ "a": { "b": [1, { "c": 2 }] } }),
            json!({ "a": { "d": null } }),
            json!({ "e": 1 }),
            value.clone(),
        ] {
            assert!(contains(&value, &wanted), "{wanted}");
        }
        for wanted in [
            json!({ "a": { "b": [1] } }),
            json!({ "a": { "b": [1, {}] } }),
            json!({ "a": { "b": [{ "c": 2 }, 1] } }),
            json!({ "a": null }),
            json!({ "f": null }),
            json!({ "e": true }),
            json!({ "e": "1" }),
            json!([]),
            json!(null),
        ] {
            assert!(!contains(&value, &wanted), "{wanted}");
        }
        assert!(contains(&json!([{ "a": 1, "b": 2 }]), &json!([{ "b": 2, "a": 1 }])));
        assert!(!contains(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)));
    }

    #[test]
    fn a_pattern_is_refused_at_the_character_where_it_is_wrong() {
        for (pattern, column, words) in [
            ("(a", 1, "unclosed group"),
            ("/ä/a)", 5, "unopened group"),
            ("/a/[z-a]", 5, "invalid character class range"),
            ("a**{2,1}", 4, "invalid repetition count range"),
            (r"a\", 2, "incomplete escape sequence"),
            (r"(a)\1", 4, "backreferences are not supported"),
            ("(?=a)", 1, "look-around"),
            (r"a\pL", 2, "Unicode not allowed here"),
        ] {
            match PathPattern::parse(pattern) {
                Err(PatternFault::Syntax { column: at, words: told }) => {
                    assert_eq!(at, column, "{pattern}: {told}");
                    assert!(told.contains(words), "{pattern}: {told}");
                }
                other => panic!("{pattern}: {other:?}"),
            }
        }
        for pattern in ["((a{1,100}){1,100}){1,100}", "[a-z]{5000}"] {
            assert_eq!(PathPattern::parse(pattern).unwrap_err(), PatternFault::TooBig, "{pattern}");
        }
        for pattern in ["", r"^/customers/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", r"(a+)+$", r"\w{1,20}/\d+"] {
            assert!(PathPattern::parse(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn a_text_of_the_most_characters_can_be_looked_for() {
        for letter in ["k", "ß", "ſ", "Σ", "("] {
            assert!(Text::new(&letter.repeat(200)).is_some(), "{letter}");
        }
        let text = Text::new("Ä(B").unwrap();
        assert!(text.0.is_match("xxä(bxx".as_bytes()) && !text.0.is_match(b"xxABxx"));
    }
}

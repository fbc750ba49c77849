//! JSONPath (RFC 9535), for `matchesJsonPath`: read once, followed in time that grows with the document alone.
//!
//! The library follows every path to its end, and a path of a few characters, such as `$[*,*][*,*][*,*]`, can select more
//! than any memory holds. So a path may only have so much of what multiplies; all that is common in stubs is far below.

use serde_json::Value as Json;
use serde_json_path::JsonPath;

/// The longest path, in bytes.
const LONGEST: usize = 1000;
/// How deep brackets may stand in each other.
const DEEPEST: usize = 16;
/// How many commas there may be: each can select the same once more.
const MOST_COMMAS: usize = 4;

/// A path into JSON.
#[derive(Debug, Clone)]
pub(super) struct Path {
    path: JsonPath,
    /// Whether it can lead to one place at most.
    singular: bool,
}

/// What a path finds.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'j> {
    /// The path can lead to one place only, and there is this.
    One(&'j Json),
    /// The path can lead to several places.
    Several(Vec<&'j Json>),
    Nothing,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathFault {
    /// The character where it is wrong, counted from 1.
    pub(super) column: usize,
    pub(super) words: String,
}

impl Path {
    pub(super) fn parse(text: &str) -> Result<Self, PathFault> {
        let fault = |column: usize, words: &str| PathFault { column, words: words.to_owned() };
        if text.len() > LONGEST {
            return Err(fault(1, "a path has at most 1000 bytes"));
        }
        if !text.starts_with('$') {
            return Err(fault(1, "a path begins with `$`, the whole document: `$.name`"));
        }
        let mut path = Outline::default();
        path.draw(text)?;
        match JsonPath::parse(text) {
            Ok(parsed) => Ok(Path { path: parsed, singular: !path.plural }),
            Err(why) => {
                let at = text.char_indices().nth(why.position()).map_or(text.len(), |(at, _)| at);
                Err(PathFault { column: why.position() + 1, words: remedy(text, at) })
            }
        }
    }

    /// How often it looks at a document, about, in the time that looking through a text of its length takes.
    pub(super) fn looks(&self) -> usize {
        if self.singular { 0 } else { 8 }
    }

    pub(super) fn find<'j>(&self, document: &'j Json) -> Found<'j> {
        let found = self.path.query(document).all();
        match (found.as_slice(), self.singular) {
            ([], _) => Found::Nothing,
            ([only], true) => Found::One(only),
            _ => Found::Several(found),
        }
    }
}

/// What stands in a path outside of its texts.
#[derive(Debug, Default)]
struct Outline {
    /// It can lead to more places than one.
    plural: bool,
    commas: usize,
    descents: usize,
    open: usize,
}

impl Outline {
    fn draw(&mut self, text: &str) -> Result<(), PathFault> {
        let mut quote = None;
        let mut before = ' ';
        let mut escaped = false;
        for (index, character) in text.chars().enumerate() {
            if let Some(end) = quote {
                if !escaped && character == end {
                    quote = None;
                }
                escaped = character == '\\' && !escaped;
                continue;
            }
            self.plural |= matches!(character, '*' | '?' | ':' | ',');
            match character {
                '\'' | '"' => quote = Some(character),
                '[' | '(' => self.open += 1,
                ']' | ')' => self.open = self.open.saturating_sub(1),
                ',' => self.commas += 1,
                '.' if before == '.' => {
                    self.plural = true;
                    self.descents += 1;
                }
                _ => {}
            }
            let words = match character {
                '$' if index > 0 => "`$` stands at the beginning only: a filter looks at its own value, `@`",
                _ if self.descents > 1 => "`..` stands in a path once: each looks through everything below",
                _ if self.commas > MOST_COMMAS => "a path has at most 4 commas: each can select the same once more",
                _ if self.open > DEEPEST => "brackets stand in each other 16 deep at most",
                _ => "",
            };
            if !words.is_empty() {
                return Err(PathFault { column: index + 1, words: words.to_owned() });
            }
            before = character;
        }
        Ok(())
    }
}

/// What to write instead. People know other spellings from other tools.
fn remedy(text: &str, at: usize) -> String {
    let (read, rest) = text.split_at(at);
    let near = |words: &str| rest.trim_start().starts_with(words) || read.trim_end().ends_with(words);
    if rest.contains("=~") {
        "there is no `=~`: look at the value with `{\"expression\": \"$.name\", \"matches\": \"…\"}`".to_owned()
    } else if text.ends_with("()") {
        "functions such as `length()` are not part of a path: count in a filter of your test, or match the whole"
            .to_owned()
    } else if near("-") || rest.starts_with(|character: char| !character.is_ascii()) {
        "a name with such a character stands in brackets: `$['content-type']`".to_owned()
    } else if rest.contains(" in ") || rest.contains(" = ") {
        "a filter compares with `==`, `!=`, `<`, `<=`, `>` and `>=`, joined by `&&` and `||`".to_owned()
    } else {
        "this is no JSONPath (RFC 9535): names are `.name` or `['name']`, places `[0]`, filters `[?@.price < 10]`"
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(path: &str, document: &Json) -> Json {
        match Path::parse(path).unwrap_or_else(|fault| panic!("{path}: {fault:?}")).find(document) {
            Found::One(value) => json!([value]),
            Found::Several(values) => json!(values),
            Found::Nothing => json!([]),
        }
    }

    #[test]
    fn paths_find_what_the_standard_says() {
        let store = json!({ "store": {
            "book": [
                { "category": "reference", "title": "Sayings", "price": 8.95 },
                { "category": "fiction", "title": "Sword", "price": 12.99 },
                { "category": "fiction", "title": "Moby", "isbn": "0-553", "price": 8.99 },
            ],
            "bicycle": { "color": "red", "price": 399 },
        } });
        for (path, wanted) in [
            ("$.store.book[*].title", json!(["Sayings", "Sword", "Moby"])),
            ("$['store'][\"bicycle\"]['color']", json!(["red"])),
            ("$..price", json!([8.95, 12.99, 8.99, 399])),
            ("$.store.book[-1].title", json!(["Moby"])),
            ("$.store.book[0,2].title", json!(["Sayings", "Moby"])),
            ("$.store.book[:2].title", json!(["Sayings", "Sword"])),
            ("$..book[?(@.isbn)].title", json!(["Moby"])),
            ("$..book[?@.price<10].title", json!(["Sayings", "Moby"])),
            ("$..book[?(@.price < 10 && @.category == 'fiction')].title", json!(["Moby"])),
            ("$..book[?!(@.price < 10) || @.isbn].title", json!(["Sword", "Moby"])),
            ("$.store.*.color", json!(["red"])),
            ("$.nothing", json!([])),
            ("$['a..b,$']", json!([])),
            ("$", json!([store.clone()])),
        ] {
            assert_eq!(found(path, &store), wanted, "{path}");
        }
        assert_eq!(Path::parse("$.a[0]['b,*']").unwrap().find(&json!({"a": [{"b,*": 1}]})), Found::One(&json!(1)));
        assert!(matches!(Path::parse("$.a[*]").unwrap().find(&json!({"a": [1]})), Found::Several(_)));
    }

    #[test]
    fn what_is_no_path_is_refused_at_its_character() {
        for (path, column, words) in [
            ("", 1, "begins with `$`"),
            ("a.b", 1, "begins with `$`"),
            ("$.", 3, "names are `.name`"),
            ("$.a[0", 6, "places `[0]`"),
            ("$.a['b", 7, "is no JSONPath"),
            ("$.a.length()", 11, "functions such as `length()`"),
            ("$.a[?(@.b = 1)]", 6, "`==`"),
            ("$.a[?(@.b =~ /x/)]", 6, "there is no `=~`"),
            ("$.content-type", 10, "`$['content-type']`"),
            ("$[?@.a == $.b]", 11, "at the beginning only"),
            ("$..a..b", 6, "in a path once"),
            ("$[*,*][*,*][*,*][*,*][*,*]", 24, "at most 4 commas"),
        ] {
            let fault = Path::parse(path).unwrap_err();
            assert_eq!(fault.column, column, "{path}: {fault:?}");
            assert!(fault.words.contains(words), "{path}: {fault:?}");
        }
        let nested = format!("$[?{}@.a{}]", "(".repeat(400), ")".repeat(400));
        for path in [nested, format!("$[?{}@.a]", "!".repeat(900)), format!("${}", ".a".repeat(10_000))] {
            assert!(Path::parse(&path).is_err());
        }
    }
}

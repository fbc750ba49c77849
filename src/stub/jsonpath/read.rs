use serde_json::Value as Json;

use super::{Comparison, Operand, Path, Query, Segment, Selector, Test};
use crate::stub::pattern;

/// The most characters that a path may have, and how deep its filters may be nested.
const LENGTH: usize = 1000;
const DEPTH: usize = 16;

/// Why a text is no path, and at which character, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::stub) struct PathFault {
    pub(in crate::stub) column: usize,
    pub(in crate::stub) words: String,
}

type Read<T> = Result<T, PathFault>;

impl Path {
    pub(in crate::stub) fn parse(text: &str) -> Read<Path> {
        let mut reader = Reader { text: text.chars().collect(), at: 0, depth: 0 };
        if reader.text.len() > LENGTH {
            return reader.fault(format!("it has {} characters: a path has at most {LENGTH}", reader.text.len()));
        }
        if !reader.take("$") {
            return reader.fault("a path begins with `$`, the whole document: write `$.name`");
        }
        let query = Query { from_root: true, segments: reader.segments()? };
        reader.blank();
        match reader.peek() {
            None => Ok(Path { query }),
            Some('(') => reader.fault("functions stand in filters: `$.list[?length(@.name) > 2]`"),
            Some(_) => reader.expected("`.`, `..` or `[`"),
        }
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

fn is_name(character: char) -> bool {
    // Hyphens are no part of the standard's short names; they cannot mean anything else, and many write them.
    character.is_ascii_alphanumeric() || character == '_' || character == '-' || !character.is_ascii()
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next_is(&self, what: &str) -> bool {
        what.chars().enumerate().all(|(offset, character)| self.text.get(self.at + offset) == Some(&character))
    }

    fn take(&mut self, what: &str) -> bool {
        let found = self.next_is(what);
        if found {
            self.at += what.chars().count();
        }
        found
    }

    /// The same, behind blanks.
    fn token(&mut self, what: &str) -> bool {
        self.blank();
        self.take(what)
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|character| matches!(character, ' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn fault<T>(&self, words: impl Into<String>) -> Read<T> {
        Err(PathFault { column: self.at + 1, words: words.into() })
    }

    fn expected<T>(&self, what: &str) -> Read<T> {
        match self.peek() {
            Some(character) => self.fault(format!("`{character}` stands where {what} is expected")),
            None => self.fault(format!("it ends where {what} is expected")),
        }
    }

    fn need(&mut self, what: &str) -> Read<()> {
        if self.token(what) { Ok(()) } else { self.expected(&format!("`{what}`")) }
    }

    fn segments(&mut self) -> Read<Vec<Segment>> {
        let mut segments = Vec::new();
        loop {
            let before = self.at;
            self.blank();
            if self.take("..") {
                self.blank();
                let selectors = if self.next_is("[") { self.bracket()? } else { vec![self.short()?] };
                segments.push(Segment { descends: true, selectors });
            } else if self.take(".") {
                self.blank();
                segments.push(Segment { descends: false, selectors: vec![self.short()?] });
            } else if self.next_is("[") {
                segments.push(Segment { descends: false, selectors: self.bracket()? });
            } else {
                self.at = before;
                return Ok(segments);
            }
        }
    }

    /// What may follow a dot.
    fn short(&mut self) -> Read<Selector> {
        if self.take("*") {
            return Ok(Selector::Wildcard);
        }
        let name: String = self.text[self.at..].iter().take_while(|character| is_name(**character)).collect();
        if name.is_empty() {
            return self.expected("a name or `*`");
        }
        self.at += name.chars().count();
        Ok(Selector::Name(name))
    }

    fn bracket(&mut self) -> Read<Vec<Selector>> {
        self.need("[")?;
        let mut selectors = Vec::new();
        loop {
            selectors.push(self.selector()?);
            if self.token("]") {
                return Ok(selectors);
            }
            if !self.take(",") {
                return self.expected("`,` or `]`");
            }
        }
    }

    fn selector(&mut self) -> Read<Selector> {
        self.blank();
        match self.peek() {
            Some('*') => {
                self.at += 1;
                Ok(Selector::Wildcard)
            }
            Some('\'' | '"') => Ok(Selector::Name(self.quoted()?)),
            Some('?') => {
                self.at += 1;
                Ok(Selector::Filter(self.any()?))
            }
            Some('-' | ':' | '0'..='9') => self.index(),
            _ => self.expected("a selector: a name in quotes, a number, `*` or `?`"),
        }
    }

    fn index(&mut self) -> Read<Selector> {
        let start = self.integer()?;
        if !self.token(":") {
            return match start {
                Some(index) => Ok(Selector::Index(index)),
                None => self.expected("a number"),
            };
        }
        let end = self.integer()?;
        let step = if self.token(":") { self.integer()? } else { None };
        Ok(Selector::Slice { start, end, step: step.unwrap_or(1) })
    }

    fn integer(&mut self) -> Read<Option<i64>> {
        self.blank();
        let begin = self.at;
        let negative = self.take("-");
        if !self.take("0") || negative {
            while self.peek().is_some_and(|character| character.is_ascii_digit()) {
                self.at += 1;
            }
        }
        let text: String = self.text[begin..self.at].iter().collect();
        match text.as_str() {
            "" => Ok(None),
            text => match text.parse::<i64>().ok().filter(|number| number.unsigned_abs() < 1 << 53) {
                Some(number) => Ok(Some(number)),
                None => {
                    self.at = begin;
                    self.fault("the number cannot be used: it is not whole, or too large")
                }
            },
        }
    }

    /// A text in quotes, with the escapes of JSON and the quote itself.
    fn quoted(&mut self) -> Read<String> {
        let begin = self.at;
        let quote = self.text[begin];
        let mut json = String::from('"');
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    self.at = begin;
                    return self.fault("the text is not closed");
                }
                Some(character) if character == quote => break,
                Some('\\') if self.text.get(self.at + 1) == Some(&'\'') => {
                    json.push('\'');
                    self.at += 1;
                }
                Some('\\') => {
                    json.push('\\');
                    self.at += 1;
                    json.extend(self.peek());
                }
                Some('"') => json.push_str("\\\""),
                Some(character) => json.push(character),
            }
            self.at += 1;
        }
        json.push('"');
        match serde_json::from_str(&json) {
            Ok(text) => {
                self.at += 1;
                Ok(text)
            }
            Err(_) => {
                self.at = begin;
                self.fault("the text has an escape that JSON does not know, or a control character")
            }
        }
    }

    fn any(&mut self) -> Read<Test> {
        self.depth += 1;
        if self.depth > DEPTH {
            return self.fault(format!("it is nested deeper than {DEPTH} levels"));
        }
        let mut tests = vec![self.all()?];
        while self.token("||") {
            tests.push(self.all()?);
        }
        self.depth -= 1;
        Ok(Test::Any(tests))
    }

    fn all(&mut self) -> Read<Test> {
        let mut tests = vec![self.one()?];
        while self.token("&&") {
            tests.push(self.one()?);
        }
        Ok(Test::All(tests))
    }

    fn one(&mut self) -> Read<Test> {
        self.blank();
        if self.peek() == Some('!') && !self.next_is("!=") {
            self.at += 1;
            self.depth += 1;
            if self.depth > DEPTH {
                return self.fault(format!("it is nested deeper than {DEPTH} levels"));
            }
            let test = self.one()?;
            self.depth -= 1;
            return Ok(Test::Not(Box::new(test)));
        }
        if self.take("(") {
            let test = self.any()?;
            self.need(")")?;
            return Ok(test);
        }
        if self.next_is("match(") || self.next_is("search(") {
            return self.pattern();
        }
        let begin = self.at;
        let left = self.operand()?;
        self.blank();
        let Some(comparison) = self.comparison()? else {
            return match left {
                Operand::Value(query) => Ok(Test::Exists(query)),
                _ => self.expected("`==`, `!=`, `<`, `<=`, `>` or `>=`"),
            };
        };
        self.singular(&left, begin)?;
        self.blank();
        let begin = self.at;
        let right = self.operand()?;
        self.singular(&right, begin)?;
        Ok(Test::Compare(left, comparison, right))
    }

    fn comparison(&mut self) -> Read<Option<Comparison>> {
        if self.next_is("=~") {
            return self.fault("`=~` is no part of JSONPath: write `match(@.name, 'pattern')`");
        }
        let all = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        if let Some((_, comparison)) = all.into_iter().find(|(sign, _)| self.take(sign)) {
            return Ok(Some(comparison));
        }
        match self.peek() {
            None | Some(')' | ']' | ',' | '&' | '|') => Ok(None),
            Some(_) => self.expected("`==`, `!=`, `<`, `<=`, `>` or `>=`"),
        }
    }

    fn singular(&mut self, operand: &Operand, begin: usize) -> Read<()> {
        match operand {
            Operand::Value(query) if !query.is_singular() => {
                self.at = begin;
                self.fault("a comparison is of one value, and this can find several: use names and numbers alone")
            }
            _ => Ok(()),
        }
    }

    fn operand(&mut self) -> Read<Operand> {
        self.blank();
        match self.peek() {
            Some('@' | '$') => Ok(Operand::Value(self.query()?)),
            Some('\'' | '"') => Ok(Operand::Literal(Json::from(self.quoted()?))),
            Some('-' | '0'..='9') => self.number(),
            Some(letter) if letter.is_ascii_alphabetic() => self.word(),
            _ => self.expected("a value"),
        }
    }

    fn query(&mut self) -> Read<Query> {
        let from_root = self.take("$");
        if !from_root && !self.take("@") {
            return self.expected("a path that begins with `@` or `$`");
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return self.fault(format!("it is nested deeper than {DEPTH} levels"));
        }
        let segments = self.segments()?;
        self.depth -= 1;
        Ok(Query { from_root, segments })
    }

    fn number(&mut self) -> Read<Operand> {
        let begin = self.at;
        while self.peek().is_some_and(|character| character.is_ascii_digit() || "+-.eE".contains(character)) {
            self.at += 1;
        }
        let text: String = self.text[begin..self.at].iter().collect();
        match serde_json::from_str(&text) {
            Ok(number) => Ok(Operand::Literal(number)),
            Err(_) => {
                self.at = begin;
                self.fault(format!("`{text}` is no number of JSON"))
            }
        }
    }

    /// A name without quotes: `true`, `false`, `null` or a function.
    fn word(&mut self) -> Read<Operand> {
        let begin = self.at;
        let word: String =
            self.text[begin..].iter().take_while(|character| character.is_ascii_alphanumeric()).collect();
        self.at += word.len();
        match word.as_str() {
            "true" => return Ok(Operand::Literal(Json::Bool(true))),
            "false" => return Ok(Operand::Literal(Json::Bool(false))),
            "null" => return Ok(Operand::Literal(Json::Null)),
            _ => {}
        }
        if !self.take("(") {
            self.at = begin;
            return self.fault(format!("`{word}` is no value: a text stands in quotes, a path begins with `@` or `$`"));
        }
        self.depth += 1;
        let operand = match word.as_str() {
            _ if self.depth > DEPTH => return self.fault(format!("it is nested deeper than {DEPTH} levels")),
            "length" => {
                let begin = self.at;
                let of = self.operand()?;
                self.singular(&of, begin)?;
                Operand::Length(Box::new(of))
            }
            "count" => {
                self.blank();
                Operand::Count(self.query()?)
            }
            "value" => {
                self.blank();
                Operand::Only(self.query()?)
            }
            _ => {
                self.at = begin;
                let known = "there are `length`, `count`, `value`, `match` and `search`";
                return self.fault(format!("there is no function `{word}`: {known}"));
            }
        };
        self.depth -= 1;
        self.need(")")?;
        Ok(operand)
    }

    fn pattern(&mut self) -> Read<Test> {
        let whole = self.take("match(");
        if !whole {
            self.take("search(");
        }
        let begin = self.at;
        let text = self.operand()?;
        self.singular(&text, begin)?;
        self.need(",")?;
        self.blank();
        if !matches!(self.peek(), Some('\'' | '"')) {
            return self.expected("a text, the regular expression,");
        }
        let begin = self.at;
        let expression = self.quoted()?;
        let compiled = if whole { pattern::whole(&expression) } else { pattern::part(&expression) };
        let compiled = compiled.or_else(|fault| {
            self.at = begin;
            self.fault(format!("the regular expression cannot be used: {}", fault.words))
        })?;
        self.need(")")?;
        Ok(Test::Pattern(text, compiled))
    }
}

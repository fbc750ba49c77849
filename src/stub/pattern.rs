//! Regular expressions as Java writes them, as far as their time is linear in the text: `\d`, `\w`, `\s` and `\b` are of
//! ASCII, `.` is any character, and look-around, references back and possessive quantifiers are no part of them.

use std::sync::Arc;

use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use regex_syntax::ast::{self, Ast, Flag, FlagsItemKind, RepetitionKind, Visitor};
use regex_syntax::hir::literal::Extractor;

use super::asked::Effort;

/// The most memory that a compiled expression may take, and what is worked out while it is used, in bytes.
const MOST: usize = 1 << 20;
const WORKED_OUT: usize = 512 << 10;
const LENGTH: usize = 2000;
/// How often what is worked out may be thrown away for one text, and what each of its bytes costs beside those of the text.
const THROWN_AWAY: usize = 4;
const STATES: usize = 2;

/// An expression that works out its states as a text needs them, and gives up where nearly every byte needs another one.
/// Without that, one of a few dozen characters can take seconds for the largest body.
#[derive(Clone)]
pub(super) struct Pattern {
    automaton: Arc<DFA>,
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pattern").field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Pattern {
    /// None where working it out was given up.
    pub(super) fn fits(&self, text: &str, effort: &Effort) -> Option<bool> {
        if !effort.spend(text.len()) {
            return None;
        }
        // What was worked out for other texts would decide what is given up: the same request has the same answer.
        let mut worked_out = self.automaton.create_cache();
        let before = worked_out.memory_usage();
        let input = Input::new(text).anchored(Anchored::Yes).earliest(true);
        let found = self.automaton.try_search_fwd(&mut worked_out, &input);
        let filled = worked_out.clear_count().saturating_mul(WORKED_OUT);
        let grown = worked_out.memory_usage().saturating_sub(before);
        if !effort.spend(filled.saturating_add(grown).saturating_mul(STATES)) {
            return None;
        }
        if found.is_err() {
            effort.give_up();
        }
        found.map(|found| found.is_some()).ok()
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.automaton.get_nfa().memory_usage() + self.automaton.memory_usage()
    }
}

/// Why there is no such expression, and at which character, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PatternFault {
    pub(super) column: usize,
    pub(super) words: String,
}

/// For texts that are whole of this form.
pub(super) fn whole(expression: &str) -> Result<Pattern, PatternFault> {
    compiled(&wrapped(expression)?)
}

/// As [`whole`], for something that begins with `/`.
pub(super) fn whole_path(expression: &str) -> Result<Pattern, PatternFault> {
    let wrapped = wrapped(expression)?;
    let pattern = compiled(&wrapped)?;
    let begins = regex_syntax::parse(&wrapped).map(|hir| Extractor::new().extract(&hir));
    let first = begins.as_ref().ok().and_then(|begins| begins.literals()).unwrap_or_default();
    let other = |literal: &[u8]| literal.first().is_some_and(|first| *first != b'/');
    if !first.is_empty() && first.iter().all(|literal| other(literal.as_bytes())) {
        let words = "what it is held against begins with `/`, and this begins otherwise: begin with `/`".to_owned();
        return Err(PatternFault { column: 1, words });
    }
    Ok(pattern)
}

fn wrapped(expression: &str) -> Result<String, PatternFault> {
    Ok(format!("\\A(?:{})\\z", read(expression)?))
}

fn compiled(expression: &str) -> Result<Pattern, PatternFault> {
    let fault = |words: &str| PatternFault { column: 1, words: words.to_owned() };
    let never = "no text is of this form";
    let hir = regex_syntax::parse(expression).map_err(|error| fault(&error.to_string()))?;
    hir.properties().minimum_len().ok_or_else(|| fault(never))?;
    let automaton = DFA::builder()
        .syntax(syntax::Config::new().dot_matches_new_line(true))
        .thompson(thompson::Config::new().nfa_size_limit(Some(MOST)))
        .configure(
            DFA::config()
                .cache_capacity(WORKED_OUT)
                .skip_cache_capacity_check(true)
                .minimum_cache_clear_count(Some(THROWN_AWAY)),
        )
        .build(expression)
        .map_err(|error| {
            let nfa =
                std::error::Error::source(&error).and_then(|source| source.downcast_ref::<thompson::BuildError>());
            match nfa.is_some_and(|error| error.size_limit().is_some()) {
                true => fault("it is too large once repetitions are written out: repeat less, or write `+` or `*`"),
                false => fault(&format!("it cannot be made: {error}")),
            }
        })?;
    Ok(Pattern { automaton: Arc::new(automaton) })
}

/// Checks an expression, and writes its classes as those of ASCII.
fn read(expression: &str) -> Result<String, PatternFault> {
    let column = |at: usize| expression[..at].chars().count() + 1;
    if expression.len() > LENGTH {
        let words = format!("it has {} bytes: an expression has at most {LENGTH}", expression.len());
        return Err(PatternFault { column: 1, words });
    }
    let ast = ast::parse::Parser::new().parse(expression).map_err(|error| {
        let linear = "; only what takes time linear in the text is understood here";
        let words = match error.kind() {
            ast::ErrorKind::UnsupportedBackreference | ast::ErrorKind::UnsupportedLookAround => linear,
            _ => "",
        };
        PatternFault { column: column(error.span().start.offset), words: format!("{}{words}", error.kind()) }
    })?;
    let found = ast::visit(&ast, Classes::default())
        .map_err(|(at, words)| PatternFault { column: column(at), words: words.to_owned() })?;
    let mut out = String::with_capacity(expression.len());
    let mut done = 0;
    for (span, ascii) in found {
        out.push_str(&expression[done..span.start.offset]);
        out.push_str(ascii);
        done = span.end.offset;
    }
    out.push_str(&expression[done..]);
    Ok(out)
}

/// The places of classes, in their order, with what they are written as.
#[derive(Default)]
struct Classes(Vec<(ast::Span, &'static str)>);

impl Classes {
    fn class(&mut self, class: &ast::ClassPerl) {
        let ascii = match (&class.kind, class.negated) {
            (ast::ClassPerlKind::Digit, false) => "[0-9]",
            (ast::ClassPerlKind::Digit, true) => "[^0-9]",
            (ast::ClassPerlKind::Space, false) => "[\\t-\\r ]",
            (ast::ClassPerlKind::Space, true) => "[^\\t-\\r ]",
            (ast::ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
            (ast::ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
        };
        self.0.push((class.span, ascii));
    }

    /// The classes that have names of POSIX are of ASCII in Java.
    fn posix(&mut self, class: &ast::ClassUnicode) {
        let ast::ClassUnicodeKind::Named(name) = &class.kind else { return };
        if let Some((_, ascii, other)) = POSIX.iter().find(|(posix, _, _)| posix == name) {
            self.0.push((class.span, if class.negated { other } else { ascii }));
        }
    }
}

/// What a name stands for in `\p{…}` and in `\P{…}`.
const POSIX: &[(&str, &str, &str)] = &[
    ("Lower", r"[a-z]", r"[^a-z]"),
    ("Upper", r"[A-Z]", r"[^A-Z]"),
    ("Alpha", r"[A-Za-z]", r"[^A-Za-z]"),
    ("Digit", r"[0-9]", r"[^0-9]"),
    ("Alnum", r"[0-9A-Za-z]", r"[^0-9A-Za-z]"),
    ("XDigit", r"[0-9A-Fa-f]", r"[^0-9A-Fa-f]"),
    ("Punct", r"[!-/:-@\[-`{-~]", r"[^!-/:-@\[-`{-~]"),
    ("Graph", r"[!-~]", r"[^!-~]"),
    ("Print", r"[ -~]", r"[^ -~]"),
    ("Blank", r"[ \t]", r"[^ \t]"),
    ("Space", r"[\t-\r ]", r"[^\t-\r ]"),
    ("Cntrl", r"[\x00-\x1f\x7f]", r"[^\x00-\x1f\x7f]"),
    ("ASCII", r"[\x00-\x7f]", r"[^\x00-\x7f]"),
];

const VERTICAL: &str = r"`\v` is not understood here: write `[\n\x0B\f\r]`";

/// `\v` is one character here, and a class in Java.
fn is_vertical(literal: &ast::Literal) -> bool {
    literal.kind == ast::LiteralKind::Special(ast::SpecialLiteralKind::VerticalTab)
}

impl Visitor for Classes {
    type Output = Vec<(ast::Span, &'static str)>;
    type Err = (usize, &'static str);

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        let flags = match ast {
            Ast::ClassPerl(class) => {
                self.class(class);
                None
            }
            Ast::ClassUnicode(class) => {
                self.posix(class);
                None
            }
            Ast::Literal(literal) if is_vertical(literal) => return Err((literal.span.start.offset, VERTICAL)),
            Ast::Assertion(assertion) => {
                match assertion.kind {
                    ast::AssertionKind::WordBoundary => self.0.push((assertion.span, "(?-u:\\b)")),
                    ast::AssertionKind::NotWordBoundary => {
                        return Err((assertion.span.start.offset, "`\\B` is not understood here"));
                    }
                    ast::AssertionKind::StartLine
                    | ast::AssertionKind::EndLine
                    | ast::AssertionKind::StartText
                    | ast::AssertionKind::EndText => {}
                    _ => {
                        let words = "of the bounds of words only `\\b` is understood here";
                        return Err((assertion.span.start.offset, words));
                    }
                }
                None
            }
            // Java would read the second as possessive, which never gives back what it has taken.
            Ast::Repetition(outer) => match &*outer.ast {
                Ast::Repetition(_) if outer.op.kind == RepetitionKind::OneOrMore => {
                    let words = "possessive quantifiers are not supported: leave out the second `+`";
                    return Err((outer.op.span.start.offset, words));
                }
                _ => None,
            },
            Ast::Flags(set) => Some(&set.flags),
            Ast::Group(group) => group.flags(),
            _ => None,
        };
        for item in flags.iter().flat_map(|flags| &flags.items) {
            if let FlagsItemKind::Flag(Flag::IgnoreWhitespace | Flag::Unicode | Flag::SwapGreed | Flag::CRLF) =
                item.kind
            {
                return Err((item.span.start.offset, "of the flags `i`, `m` and `s` are understood here"));
            }
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Self::Err> {
        match item {
            ast::ClassSetItem::Perl(class) => self.class(class),
            ast::ClassSetItem::Unicode(class) => self.posix(class),
            ast::ClassSetItem::Ascii(class) => {
                let words = "`[:alpha:]` and the like are read otherwise by Java: write `\\p{Alpha}`";
                return Err((class.span.start.offset, words));
            }
            ast::ClassSetItem::Literal(literal) if is_vertical(literal) => {
                return Err((literal.span.start.offset, VERTICAL));
            }
            ast::ClassSetItem::Range(range) => {
                if let Some(end) = [&range.start, &range.end].into_iter().find(|end| is_vertical(end)) {
                    return Err((end.span.start.offset, VERTICAL));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_binary_op_pre(&mut self, operation: &ast::ClassSetBinaryOp) -> Result<(), Self::Err> {
        match operation.kind {
            ast::ClassSetBinaryOpKind::Intersection => Ok(()),
            ast::ClassSetBinaryOpKind::Difference | ast::ClassSetBinaryOpKind::SymmetricDifference => {
                let words = "`--` and `~~` in a class are read otherwise by Java: write `&&[^…]`, or `\\-` and `\\~`";
                Err((operation.span.start.offset, words))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::stub::request::{RequestPattern, Verdict};
    use crate::stub::samples::{asked, pattern, request};

    #[test]
    fn an_expression_is_of_the_whole_text_and_its_classes_are_of_ascii() {
        for (expression, fits, other) in [
            ("a+", "aaa", "aab"),
            ("a|b", "b", "bb"),
            (r"\d{3}", "123", "12a"),
            (r"\d", "7", "\u{0667}"),
            (r"[\d-]+", "1-2", "1_2"),
            (r"\w+", "a_1", "ä"),
            (r"\W", "ä", "a"),
            (r".*\bfoo\b.*", "a foo b", "afoo b"),
            ("(?i)abc", "aBc", "abd"),
            (".*", "a\nb", ""),
            ("...", "äöü", "ab"),
            ("[a-z&&[^b]]", "a", "b"),
            (r"\s", "\u{b}", "\u{a0}"),
            ("^ab$", "ab", "abc"),
            (r"\p{Alpha}+", "aZ", "ä"),
            (r"\p{Lower}\p{Upper}", "aZ", "äZ"),
            (r"[\p{Digit}\p{Punct}]+", "1![`~", "1!a"),
            (r"[^\p{Alnum}]\P{Alpha}", "ä1", "äa"),
            (r"\p{L}\p{IsGreek}", "äα", "1α"),
        ] {
            let regex = whole(expression).unwrap_or_else(|fault| panic!("{expression}: {fault:?}"));
            assert_eq!(regex.fits(fits, &Effort::new()), Some(true), "{expression}: {fits}");
            assert!(other.is_empty() || regex.fits(other, &Effort::new()) == Some(false), "{expression}: {other}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_at_its_character() {
        for (expression, column, words) in [
            ("ä(b", 2, "unclosed group"),
            ("a)(b", 2, "unopened group"),
            ("(?=a)", 1, "linear in the text"),
            (r"(a)\1", 4, "linear in the text"),
            ("a++", 3, "possessive"),
            ("(?x) a # b", 3, "`i`, `m` and `s`"),
            (r"[a&&b]", 1, "no text"),
            (r"\Qa\E", 1, "escape"),
            (r"a\h", 2, "escape"),
            (r"\R", 1, "escape"),
            (r"a\Z", 2, "escape"),
            (r"\G", 1, "escape"),
            (r"(?<n>a)\k<n>", 8, "escape"),
            (r"\cA", 1, "escape"),
            (r"\H", 1, "escape"),
            (r"\V", 1, "escape"),
            (r"\X", 1, "escape"),
            (r"\e", 1, "escape"),
            (r"\012", 1, "linear in the text"),
            (r"a\B", 2, r"`\B`"),
            ("(?>a)", 3, "flag"),
            (r"\p{javaLowerCase}", 1, "not found"),
            (r"a\v", 2, r"[\n\x0B\f\r]"),
            (r"[\t-\v]", 5, r"[\n\x0B\f\r]"),
            ("[a-z--b]", 2, "`--` and `~~`"),
            ("[a~~b]", 2, "`--` and `~~`"),
            ("[[:alpha:]]", 2, r"\p{Alpha}"),
            (r"a\b{start}b", 2, "bounds of words"),
            (r"\<a", 1, "bounds of words"),
            (r"\p{InGreek}", 1, "not found"),
            (&"((a{1,100}){1,100}){1,100}".repeat(2), 1, "too large"),
            (&"a".repeat(3000), 1, "at most 2000"),
        ] {
            let fault = whole(expression).unwrap_err();
            assert!(fault.words.contains(words), "{expression}: {fault:?}");
            assert_eq!(fault.column, column, "{expression}: {fault:?}");
        }
    }

    #[test]
    fn an_expression_of_a_path_must_be_able_to_begin_it() {
        for never in ["a/.*", "(?:a|b)/c", "http://.*", r"\?a=b"] {
            assert!(whole_path(never).unwrap_err().words.contains("begin with `/`"), "{never}");
        }
        for fine in ["/a/.*", ".*", "^/a$", "(/a)?/b", "[^a]b", "(?i)/a", "/?a", ""] {
            assert!(whole_path(fine).is_ok(), "{fine}");
        }
    }

    /// A text of which nearly every byte leads such an expression to another state.
    fn restless(bytes: usize) -> String {
        let mut state = 88_172_645_463_325_252_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if state & 1 == 0 { 'a' } else { 'b' }
        };
        (0..bytes).map(|_| next()).collect()
    }

    #[test]
    fn expressions_that_are_made_to_be_slow_are_given_up_and_neither_they_nor_their_opposite_hold() {
        let text = restless(2 << 20);
        let body = request("POST /", &[], text.as_bytes());
        for expression in ["[ab]*a[ab]{1000}", "(?:[ab]*a[ab]{300}){3}", "(.*a.{50}){4}b?", ".*a.{60}"] {
            for condition in [
                json!({ "matches": expression }),
                json!({ "doesNotMatch": expression }),
                json!({ "not": { "matches": expression } }),
                json!({ "or": [{ "doesNotMatch": expression }, { "anything": true }] }),
            ] {
                let pattern = pattern(json!({ "bodyPatterns": [{ "contains": "a" }, condition] }));
                let asked = asked(&body);
                let place = "/request/bodyPatterns/1".to_owned();
                assert_eq!(pattern.judge(&asked), Verdict::GivenUp(place), "{condition}");
                assert!(!pattern.matches(&asked), "{condition}");
                let (distance, differences) = pattern.compare(&asked);
                assert!(distance > 0.0 && differences[0].expected.ends_with("which was given up"), "{differences:?}");
            }
        }
        // Those that others would look for long are no effort here.
        for expression in ["(a+)+c", "(a|aa|b|ab)*c", "(.*a){12}x", "([ab]*)*c"] {
            let pattern = pattern(json!({ "bodyPatterns": [{ "doesNotMatch": expression }] }));
            assert!(pattern.matches(&asked(&body)), "{expression}");
        }
    }

    #[test]
    fn what_is_given_up_contradicts_nothing() {
        let exact = json!({ "equalTo": restless(2 << 20) });
        let asks = json!({ "bodyPatterns": [exact, { "matches": ".*a.{60}" }] });
        assert!(RequestPattern::parse(&asks).is_ok());
    }

    #[test]
    fn what_was_worked_out_for_other_texts_decides_nothing() {
        let expression = whole(".*a.{60}").unwrap();
        let (short, long) = (restless(500), restless(1 << 20));
        let spent = || {
            let effort = Effort::new();
            (expression.fits(&short, &effort), Effort::MOST - effort.left())
        };
        let alone = spent();
        assert!(alone.0.is_some() && alone.1 > 20 * short.len(), "states are paid for: {alone:?}");
        assert_eq!(expression.fits(&long, &Effort::new()), None);
        assert_eq!(spent(), alone);
    }

    #[test]
    fn many_slow_expressions_take_as_long_as_a_few() {
        let body = request("POST /", &[], restless(2 << 20).as_bytes());
        let asked = asked(&body);
        let slow = pattern(json!({ "bodyPatterns": [{ "not": { "matches": "(.*a.{20}[^b]){2}z" } }] }));
        let before = asked.effort.left();
        for _ in 0..1000 {
            assert!(!slow.matches(&asked));
        }
        // What was begun with what was left is more than that by one text at most.
        let one = (2 << 20) + STATES * (THROWN_AWAY + 1) * WORKED_OUT;
        assert!(before - asked.effort.left() <= Effort::MOST && asked.effort.left() < one, "{}", asked.effort.left());
    }
}

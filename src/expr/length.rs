//! How long expressions may be.

use super::Fault;
use crate::diagnostic::Code;

/// The most signs and words of operations in one expression. Each may nest what stands before it, and what is nested is
/// walked through by recursion.
const MOST_OPERATIONS: usize = 200;

/// What is wrong with an expression that is too long to be read.
pub(super) fn of_expression(text: &str) -> Option<Fault> {
    let mut operations = 0;
    let mut quote = None;
    let mut word = String::new();
    for sign in text.chars().chain([' ']) {
        match quote {
            Some(open) => {
                if sign == open {
                    quote = None;
                }
                continue;
            }
            None if matches!(sign, '"' | '\'') => quote = Some(sign),
            None => {}
        }
        if sign.is_alphanumeric() || sign == '_' {
            word.push(sign);
            continue;
        }
        operations += usize::from(matches!(&*word, "not" | "and" | "or" | "in" | "is" | "if" | "else"));
        word.clear();
        operations += usize::from("+-*/%~|.[({<>=!".contains(sign));
    }
    (operations > MOST_OPERATIONS).then(|| Fault {
        code: Code::ExprSyntax,
        range: 0..text.len(),
        message: format!("this expression has {operations} operations, and it may have {MOST_OPERATIONS}"),
        suggestion: None,
        help: Some("make several of it".to_owned()),
    })
}

/// The first tag of a page whose expression is too long.
pub(super) fn of_page(text: &str) -> Option<Fault> {
    tags(text).find_map(|(at, tag)| of_expression(tag).map(|fault| Fault { range: at..at + tag.len(), ..fault }))
}

/// The tags of a page, each with its place: what stands between `{` and `}` of two characters.
fn tags(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let begins = text.match_indices("{{").chain(text.match_indices("{%"));
    begins.map(|(at, _)| {
        let rest = &text[at + 2..];
        let end = [rest.find("}}"), rest.find("%}")].into_iter().flatten().min().unwrap_or(rest.len());
        (at + 2, &rest[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_counted_and_what_is_quoted_is_not() {
        for short in ["1", "a.b|c == d[0]", &format!("\"{}\"", "+".repeat(300)), &format!("[1{}]", ", 1".repeat(300))] {
            assert_eq!(of_expression(short), None, "{short}");
        }
        for long in ["1 + ", "not ", "'a' ~ ", "a.", "a|", "x if y else "].map(|part| part.repeat(201)) {
            let fault = of_expression(&long).unwrap();
            assert_eq!((fault.code, fault.range), (Code::ExprSyntax, 0..long.len()), "{long}");
        }
        assert_eq!(of_expression(&"1+".repeat(200)), None);
    }

    #[test]
    fn a_page_is_as_long_as_it_wants_and_its_expressions_are_not() {
        assert_eq!(of_page(&"<p>{{ a.b + 1 }}</p>{% if a.b %}c{% endif %}".repeat(100)), None);
        let fault = of_page(&format!("<p>{{% if {}a %}}b{{% endif %}}", "not ".repeat(201))).unwrap();
        assert_eq!(fault.range.start, 5);
    }
}

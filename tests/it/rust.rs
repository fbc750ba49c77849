//! Just enough of Rust's grammar to tell code from comments, texts and unit tests.

/// A source file, character for character: blanked parts are spaces, so that lines and columns stay what they are.
pub struct Source {
    /// Without comments and the insides of texts.
    pub code: String,
    /// Everything but items under `#[cfg(test)]`, comments and texts included.
    pub product: String,
    /// Both: code without comments, texts and unit tests.
    pub product_code: String,
}

impl Source {
    pub fn new(text: &str) -> Self {
        let code = without_comments_and_texts(text);
        let tests = test_items(&code);
        Source { product: blanked(text, &tests), product_code: blanked(&code, &tests), code }
    }
}

/// The number of the line that a byte stands in.
pub fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn blanked(text: &str, ranges: &[std::ops::Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        for byte in &mut bytes[range.clone()] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| panic!("an item does not begin or end at a character: {error}"))
}

fn without_comments_and_texts(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => end_of_line(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => end_of_block(bytes, at),
            b'"' => end_of_text(bytes, at),
            b'r' if !is_word(bytes, at.wrapping_sub(1)) || bytes[at - 1] == b'b' => match end_of_raw(bytes, at) {
                Some(end) => end,
                None => at + 1,
            },
            b'\'' => end_of_character(bytes, at),
            _ => at + 1,
        };
        if end > at + 1 {
            let keep = matches!(bytes[at], b'"');
            for byte in &mut out[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
            if keep {
                (out[at], out[end - 1]) = (b'"', b'"');
            }
        }
        at = end;
    }
    String::from_utf8(out).unwrap()
}

fn is_word(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn end_of_block(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0;
    let mut here = at;
    while here < bytes.len() {
        if bytes[here..].starts_with(b"/*") {
            depth += 1;
            here += 2;
        } else if bytes[here..].starts_with(b"*/") {
            depth -= 1;
            here += 2;
            if depth == 0 {
                return here;
            }
        } else {
            here += 1;
        }
    }
    here
}

fn end_of_text(bytes: &[u8], at: usize) -> usize {
    let mut here = at + 1;
    while here < bytes.len() {
        match bytes[here] {
            b'\\' => here += 2,
            b'"' => return here + 1,
            _ => here += 1,
        }
    }
    bytes.len()
}

/// `r"…"`, `r#"…"#`.
fn end_of_raw(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    if bytes.get(at + 1 + hashes) != Some(&b'"') {
        return None;
    }
    let closing: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let from = at + 2 + hashes;
    let length = bytes[from..].windows(closing.len()).position(|window| window == closing)?;
    Some(from + length + closing.len())
}

/// A character; a lifetime is no text.
fn end_of_character(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at + 1) == Some(&b'\\') {
        let from = at + 3;
        return bytes[from..].iter().position(|byte| *byte == b'\'').map_or(bytes.len(), |length| from + length + 1);
    }
    // The longest character has four bytes.
    (2..6)
        .find(|length| bytes.get(at + length) == Some(&b'\''))
        .filter(|length| std::str::from_utf8(&bytes[at + 1..at + length]).is_ok_and(|text| text.chars().count() == 1))
        .map_or(at + 1, |length| at + length + 1)
}

/// The items under `#[cfg(test)]`: to the closing brace or the semicolon.
fn test_items(code: &str) -> Vec<std::ops::Range<usize>> {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = code[from..].find(ATTRIBUTE).map(|at| from + at) {
        let mut depth = 0;
        let mut end = code.len();
        for (offset, byte) in code[start + ATTRIBUTE.len()..].bytes().enumerate() {
            match byte {
                b'{' | b'(' | b'[' => depth += 1,
                b'}' | b')' | b']' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(byte, b'}' | b';') {
                end = start + ATTRIBUTE.len() + offset + 1;
                break;
            }
        }
        found.push(start..end);
        from = end;
    }
    found
}

#[test]
fn comments_texts_and_tests_are_told_from_code() {
    let text = r##"
use crate::a; // crate::b
/* crate::c /* deep */ still */
fn f<'a>(x: &'a str) -> char { g("crate::d \" still", r#"crate::e"#, b"x"); '"' }
#[cfg(test)]
mod tests { fn t() { crate::f::x(); } }
fn after() { crate::h::x(); }
"##;
    let source = Source::new(text);
    let has = |text: &str| ["a", "b", "c", "d", "e", "f", "h"].map(|name| text.contains(&format!("crate::{name}")));
    assert_eq!(has(&source.code), [true, false, false, false, false, true, true]);
    assert_eq!(has(&source.product), [true, true, true, true, true, false, true]);
    assert_eq!(has(&source.product_code), [true, false, false, false, false, false, true]);
    assert_eq!(source.code.len(), text.len());
    assert_eq!(line(text, text.find("mod tests").unwrap()), 6);
}

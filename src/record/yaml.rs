//! YAML as packs and scenarios have it, written for people: short values in one line, nothing in quotation marks that
//! needs none.

use serde_json::{Number, Value as Json};

/// What is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Yaml {
    Null,
    Boolean(bool),
    Number(Number),
    /// A value that is this text, whatever it begins with.
    Text(String),
    /// A word of the format, or a value that is an expression: it stands as it is.
    Word(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

/// The longest line that a list or a mapping is written in.
const WIDTH: usize = 110;

impl Yaml {
    pub(super) fn word(text: impl Into<String>) -> Self {
        Yaml::Word(text.into())
    }

    /// An expression.
    pub(super) fn expression(text: &str) -> Self {
        Yaml::Word(format!("= {text}"))
    }

    /// A JSON value as it is.
    pub(super) fn of(value: &Json) -> Self {
        match value {
            Json::Null => Yaml::Null,
            Json::Bool(value) => Yaml::Boolean(*value),
            Json::Number(number) => Yaml::Number(number.clone()),
            Json::String(text) => Yaml::Text(text.clone()),
            Json::Array(items) => Yaml::List(items.iter().map(Yaml::of).collect()),
            Json::Object(object) => {
                Yaml::Map(object.iter().map(|(name, value)| (name.clone(), Yaml::of(value))).collect())
            }
        }
    }

    /// The document whose top is this mapping.
    pub(super) fn document(members: &[(String, Yaml)]) -> String {
        let mut out = String::new();
        mapping(members, 0, &mut out);
        out
    }

    /// In one line; none where it has no place in one.
    fn flow(&self, most: usize) -> Option<String> {
        let mut out = String::new();
        self.flow_into(&mut out, most)?;
        Some(out)
    }

    fn flow_into(&self, out: &mut String, most: usize) -> Option<()> {
        if out.len() > most {
            return None;
        }
        match self {
            Yaml::Null => out.push_str("null"),
            Yaml::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Yaml::Number(number) => out.push_str(&number.to_string()),
            Yaml::Text(text) => scalar(&literal(text), Within::Flow, out),
            Yaml::Word(text) => scalar(text, Within::Flow, out),
            Yaml::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    item.flow_into(out, most)?;
                }
                out.push(']');
            }
            Yaml::Map(members) if members.is_empty() => out.push_str("{}"),
            Yaml::Map(members) => {
                out.push_str("{ ");
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    scalar(name, Within::Flow, out);
                    out.push_str(": ");
                    value.flow_into(out, most)?;
                }
                out.push_str(" }");
            }
        }
        (out.len() <= most).then_some(())
    }

    fn is_empty(&self) -> bool {
        match self {
            Yaml::List(items) => items.is_empty(),
            Yaml::Map(members) => members.is_empty(),
            _ => false,
        }
    }
}

/// Where a scalar stands: within brackets more has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Block,
    Flow,
}

/// A text that is no expression.
fn literal(text: &str) -> String {
    if text.starts_with('=') { format!("={text}") } else { text.to_owned() }
}

fn mapping(members: &[(String, Yaml)], indent: usize, out: &mut String) {
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        let start = out.len();
        scalar(name, Within::Block, out);
        out.push(':');
        after(value, indent, indent + out.len() - start, out);
    }
}

fn list(items: &[Yaml], indent: usize, out: &mut String) {
    for item in items {
        out.extend(std::iter::repeat_n(' ', indent));
        out.push('-');
        match item {
            // A step begins in the line of its dash.
            Yaml::Map(members) if !members.is_empty() && indent == STEPS => {
                out.push(' ');
                mapping(members, indent + 2, out);
            }
            Yaml::Map(members) if !members.is_empty() => match item.flow(WIDTH.saturating_sub(indent + 2)) {
                Some(line) => line_of(&line, out),
                None => {
                    out.push(' ');
                    mapping(members, indent + 2, out);
                }
            },
            other => after(other, indent, indent + 1, out),
        }
    }
}

/// Where the dashes of steps stand.
const STEPS: usize = 2;

fn line_of(text: &str, out: &mut String) {
    out.push(' ');
    out.push_str(text);
    out.push('\n');
}

/// What stands behind a key or a dash that begins at `indent`, of which the line has `used` columns.
fn after(value: &Yaml, indent: usize, used: usize, out: &mut String) {
    match value {
        Yaml::Text(text) => {
            out.push(' ');
            scalar(&literal(text), Within::Block, out);
            out.push('\n');
        }
        Yaml::Word(text) => {
            out.push(' ');
            scalar(text, Within::Block, out);
            out.push('\n');
        }
        Yaml::List(items) if !value.is_empty() => {
            let is_steps = indent == 0 && items.iter().all(|item| matches!(item, Yaml::Map(_)));
            match value.flow(WIDTH.saturating_sub(used + 1)).filter(|_| !is_steps) {
                Some(line) => line_of(&line, out),
                None => {
                    out.push('\n');
                    list(items, indent + 2, out);
                }
            }
        }
        Yaml::Map(members) if !value.is_empty() => match value.flow(WIDTH.saturating_sub(used + 1)) {
            Some(line) => line_of(&line, out),
            None => {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent + 2));
                mapping(members, indent + 2, out);
            }
        },
        other => line_of(&other.flow(usize::MAX).unwrap_or_default(), out),
    }
}

fn scalar(text: &str, within: Within, out: &mut String) {
    if is_plain(text, within) {
        out.push_str(text);
    } else if text.chars().any(is_escaped) || !text.contains(['"', '\\']) {
        quoted(text, out);
    } else {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    }
}

/// Whether a text is itself without quotation marks. Says no where it might be, too.
fn is_plain(text: &str, within: Within) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let begins = first.is_alphabetic() || matches!(first, '/' | '=' | '_' | '(') || first.is_ascii_digit();
    let is_word = matches!(text, "null" | "true" | "false") || serde_json::from_str::<Number>(text).is_ok();
    let is_within = |c: char| match within {
        Within::Block => !matches!(c, '\t'),
        Within::Flow => !matches!(c, ',' | '[' | ']' | '{' | '}' | ':' | '\t'),
    };
    begins
        && !is_word
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(|c| !is_escaped(c) && is_within(c))
        // An expression is spelled in quotation marks or not at all.
        && (within == Within::Block || !text.contains('"'))
}

/// What YAML has no place for as it stands, or what an editor would not show.
fn is_escaped(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_escaped(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnostic::FileId;
    use crate::pack::source::Node;

    /// What is read from what is written.
    fn read(value: &Json) -> Json {
        let text = Yaml::document(&[("value".to_owned(), Yaml::of(value))]);
        let mut diagnostics = Vec::new();
        let node = Node::parse(&text, FileId(0), &mut diagnostics);
        assert!(diagnostics.is_empty(), "{text}\n{diagnostics:?}");
        node.unwrap().to_json()["value"].clone()
    }

    /// A value whose texts are written as literals are read: one sign less.
    fn spelled(value: &Json) -> Json {
        match value {
            Json::String(text) => literal(text).into(),
            Json::Array(items) => items.iter().map(spelled).collect(),
            Json::Object(object) => object.iter().map(|(name, value)| (name.clone(), spelled(value))).collect(),
            other => other.clone(),
        }
    }

    #[test]
    fn what_is_written_is_short() {
        let value = json!({
            "body": { "name": "New customer", "tags": ["a", "b"], "url": "http://localhost/x" },
            "long": { "a": "x".repeat(60), "b": ["y".repeat(90), { "c": null, "d": [] }] },
            "text": "= base", "number": 7, "digits": "7", "no": "null", "odd": "a: b", "sign": "it's \"so\"", "line": "a\nb"
        });
        let Yaml::Map(members) = Yaml::of(&value) else { panic!() };
        let long = ["x".repeat(60), "y".repeat(90)];
        assert_eq!(
            Yaml::document(&members),
            format!(
                "body: {{ name: New customer, tags: [a, b], url: \"http://localhost/x\" }}\n\
                 long:\n  a: {}\n  b:\n    - {}\n    - {{ c: null, d: [] }}\n\
                 text: == base\nnumber: 7\ndigits: \"7\"\nno: \"null\"\nodd: \"a: b\"\nsign: it's \"so\"\nline: \"a\\nb\"\n",
                long[0], long[1]
            )
        );
    }

    /// Texts that YAML would read as something else, and parts of such.
    const ODD: [&str; 44] = [
        "",
        " ",
        "a",
        "a b",
        "a: b",
        "a:",
        ":a",
        "a #b",
        "#a",
        "- a",
        "-",
        "-1",
        "1e5",
        "0x1f",
        "01",
        ".5",
        "+1",
        "1_000",
        "~",
        "yes",
        "null",
        "true",
        "---",
        "...",
        "? a",
        "| a",
        "> a",
        "&a",
        "*a",
        "!a",
        "%a",
        "@a",
        "`a",
        "a, b",
        "[a",
        "{a}",
        "'a'",
        "\"a\"",
        "\\n",
        "a\n b\n",
        "\t",
        "\u{1f600}ü\u{0}\u{7f}\u{85}\u{2028}\u{feff}",
        "= a",
        "==",
    ];

    /// A value of so many levels that follows from a number.
    fn odd(number: &mut u32, depth: u32) -> Json {
        *number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let chance = *number >> 8;
        let one = |chance: u32| ODD[usize::try_from(chance).unwrap() % ODD.len()];
        let text = |chance: u32| match chance % 3 {
            0 => one(chance).to_owned(),
            _ => format!("{}{}", one(chance), one(chance / 50)),
        };
        match chance % 8 {
            0 | 1 if depth > 0 => (0..chance / 8 % 4).map(|_| odd(number, depth - 1)).collect(),
            2 | 3 if depth > 0 => {
                (0..chance / 8 % 4).map(|index| (text(chance + index * 7), odd(number, depth - 1))).collect()
            }
            4 => Json::from((f64::from(chance) - 1e6) / 1e3),
            5 => Json::from(i64::from(chance) - (1 << 20)),
            _ => text(chance / 8).into(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for mut number in 0..20_000 {
            let value = odd(&mut number, 4);
            assert_eq!(read(&value), spelled(&value));
        }
    }
}

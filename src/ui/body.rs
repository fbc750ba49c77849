//! Bodies that were captured, as a page shows them: text in pieces with what each is, never more than fits. What the
//! pieces say is escaped by the template.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde_json::{Value as Json, json};

/// How many bytes of a body are shown.
const MOST: usize = 48 << 10;

/// How many pieces have a colour.
const COLOURED: usize = 4000;

/// How many bytes of what is no text are shown, and in how long lines.
const HEX: usize = 256;
const HEX_LINE: usize = 16;

/// A body as the control plane tells it.
pub(super) enum Kept<'b> {
    Nothing,
    /// The most that would have been kept.
    TooLarge(u64),
    Text(&'b str),
    Binary(Vec<u8>),
}

impl<'b> Kept<'b> {
    pub(super) fn of(body: &'b Json) -> Self {
        if let Some(text) = body["text"].as_str() {
            return Kept::Text(text);
        }
        if let Some(limit) = body["largerThan"].as_u64() {
            return Kept::TooLarge(limit);
        }
        match body["base64"].as_str().and_then(|text| STANDARD.decode(text).ok()) {
            Some(bytes) => Kept::Binary(bytes),
            None => Kept::Nothing,
        }
    }
}

/// A body with its media type; `href` is where the whole of it is.
pub(super) fn shown(body: &Json, media: &str, href: &str) -> Json {
    let form = media.split(';').next().is_some_and(|kind| kind.trim() == "application/x-www-form-urlencoded");
    match Kept::of(body) {
        Kept::Nothing => json!({ "kind": "none" }),
        Kept::TooLarge(limit) => json!({ "kind": "too-large", "limit": limit }),
        Kept::Text(text) => {
            let raw = start(text, MOST);
            let mut shown = json!({
                "kind": "text", "size": text.len(), "raw": raw, "cut": raw.len() < text.len(), "href": href,
            });
            if let Some(pieces) = pretty(text) {
                shown["pretty"] = pieces;
            } else if form {
                let pairs = form_urlencoded::parse(raw.as_bytes()).map(|(name, value)| json!([name, value]));
                shown["pairs"] = pairs.collect();
            }
            shown
        }
        Kept::Binary(bytes) => {
            let lines: Vec<Json> = bytes[..bytes.len().min(HEX)].chunks(HEX_LINE).map(hex).collect();
            json!({ "kind": "binary", "size": bytes.len(), "lines": lines, "cut": bytes.len() > HEX, "href": href })
        }
    }
}

/// JSON of ours, in pieces.
pub(super) fn json(text: &str) -> Json {
    pretty(text).unwrap_or_else(|| json!([{ "kind": "", "text": start(text, MOST) }]))
}

fn hex(bytes: &[u8]) -> Json {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let plain = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '·' };
    json!({ "hex": digits.join(" "), "text": bytes.iter().map(plain).collect::<String>() })
}

/// The beginning of a text, of no more than so many bytes.
fn start(text: &str, most: usize) -> &str {
    &text[..(0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)]
}

/// Text in pieces that say what they are.
#[derive(Default)]
struct Pieces {
    all: Vec<(&'static str, String)>,
    bytes: usize,
}

impl Pieces {
    fn add(&mut self, kind: &'static str, text: &str) {
        let kind = if self.all.len() < COLOURED { kind } else { "" };
        let text = start(text, MOST.saturating_sub(self.bytes));
        self.bytes += text.len();
        match self.all.last_mut() {
            Some((last, before)) if *last == kind => before.push_str(text),
            _ => self.all.push((kind, text.to_owned())),
        }
    }

    fn line(&mut self, depth: usize) {
        self.add("", "\n");
        self.add("", &"  ".repeat(depth.min(MOST)));
    }
}

/// JSON over several lines, as it was written otherwise: names that come twice, the digits of numbers, escapes. None for
/// what is no JSON.
fn pretty(text: &str) -> Option<Json> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut pieces = Pieces::default();
    let mut open: Vec<char> = Vec::new();
    let mut is_name = false;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next().filter(|_| pieces.bytes < MOST) {
        let mut length = 1;
        match first {
            '{' | '[' => {
                let inner = rest[1..].trim_start();
                if inner.starts_with(['}', ']']) {
                    length = rest.len() - inner.len() + 1;
                    pieces.add("", if first == '{' { "{}" } else { "[]" });
                } else {
                    open.push(first);
                    is_name = first == '{';
                    pieces.add("", &rest[..1]);
                    pieces.line(open.len());
                }
            }
            '}' | ']' => {
                open.pop();
                pieces.line(open.len());
                pieces.add("", &rest[..1]);
            }
            ',' => {
                is_name = open.last() == Some(&'{');
                pieces.add("", ",");
                pieces.line(open.len());
            }
            ':' => {
                is_name = false;
                pieces.add("", ": ");
            }
            '"' => {
                length = string_end(rest);
                pieces.add(if is_name { "name" } else { "string" }, &rest[..length]);
            }
            _ => {
                length = rest.find(|end: char| ",]}".contains(end) || end.is_whitespace()).unwrap_or(rest.len());
                pieces.add(if first.is_alphabetic() { "word" } else { "number" }, &rest[..length]);
            }
        }
        rest = rest[length..].trim_start();
    }
    Some(pieces.all.into_iter().map(|(kind, text)| json!({ "kind": kind, "text": text })).collect())
}

/// Behind the second quote of a text that begins with one.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let pieces = pretty(text).unwrap();
        pieces.as_array().unwrap().iter().map(|piece| piece["text"].as_str().unwrap()).collect()
    }

    #[test]
    fn json_is_spread_over_lines_and_stays_as_it_was_written() {
        let text = r#" {"a":[1.50,{}, [ ] ,{"\u0041\"":null,"a":1e400}],"a":"x:,{}\\" , "é":true} "#;
        let lines = [
            "{",
            r#"  "a": ["#,
            "    1.50,",
            "    {},",
            "    [],",
            "    {",
            r#"      "\u0041\"": null,"#,
            r#"      "a": 1e400"#,
            "    }",
            "  ],",
            r#"  "a": "x:,{}\\","#,
            r#"  "é": true"#,
            "}",
        ];
        assert_eq!(written(text), lines.join("\n"));
        assert_eq!(written("7"), "7");
        for no_json in ["", "{", "{a: 1}", "nothing", "[1,]"] {
            assert_eq!(pretty(no_json), None, "{no_json}");
        }
    }

    #[test]
    fn names_and_values_are_told_apart() {
        let kinds = |text: &str| -> Vec<String> {
            let pieces = pretty(text).unwrap();
            let coloured = pieces.as_array().unwrap().iter().filter(|piece| piece["kind"] != "");
            coloured.map(|piece| format!("{} {}", piece["kind"], piece["text"]).replace(['"', '\\'], "")).collect()
        };
        let all = kinds(r#"{"a":"b","c":["d",{"e":-1}],"f":false}"#);
        assert_eq!(all, ["name a", "string b", "name c", "string d", "name e", "number -1", "name f", "word false"]);
    }

    #[test]
    fn what_is_long_or_deep_is_cut() {
        let long = format!("[{}1]", "1,".repeat(1 << 20));
        let text = format!("\"{}\"", "é".repeat(1 << 20));
        let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
        for text in [&long, &text, &deep] {
            assert!(written(text).len() <= MOST, "{}", written(text).len());
            assert!(pretty(text).unwrap().as_array().unwrap().len() <= COLOURED + 1);
        }
        assert_eq!(start("aé", 2), "a");
        let shown = shown(&json!({ "text": long }), "application/json", "/there");
        assert_eq!(
            (&shown["cut"], &shown["size"], &shown["href"]),
            (&json!(true), &json!(long.len()), &json!("/there"))
        );
        assert_eq!(shown["raw"].as_str().unwrap().len(), MOST);
    }

    #[test]
    fn what_is_no_text_is_told_in_bytes() {
        let bytes: Vec<u8> = (0..=255).chain([7]).collect();
        let shown = shown(&json!({ "base64": STANDARD.encode(bytes) }), "image/png", "/there");
        let lines = shown["lines"].as_array().unwrap();
        assert_eq!((lines.len(), &shown["size"], &shown["cut"]), (16, &json!(257), &json!(true)));
        assert_eq!(
            lines[2],
            json!({ "hex": "20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f", "text": " !\"#$%&'()*+,-./" })
        );
    }
}

use std::fmt::Write as _;

const STYLE: &str = "
:root { color-scheme: light dark; --line: #c8ccd0; --soft: #f2f4f6; --yes: #17692f; --no: #a3200d; --text: #1b1f23; --page: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --line: #43494f; --soft: #23272b; --yes: #6fd08c; --no: #ff9a8a; --text: #e6e8ea; --page: #16191c; }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: var(--text);
  background: var(--page); }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
th, td { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
th[scope=col] { background: var(--soft); }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
code { font-family: ui-monospace, monospace; font-size: 0.92em; }
details { border: 1px solid var(--line); border-radius: 6px; margin: 0.4rem 0; padding: 0.3rem 0.8rem; }
summary { cursor: pointer; }
summary:focus-visible { outline: 3px solid; outline-offset: 2px; }
pre { background: var(--soft); padding: 0.5rem 0.8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.yes { color: var(--yes); } .no { color: var(--no); font-weight: 600; }
";

/// Text as XML 1.0 and HTML can carry it, between tags and in attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' | '\r' => out.push(' '),
            // Neither has a meaning in XML, however it is written.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other if other.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// Text that stands for itself, in a line of a page.
pub(crate) fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// A page of HTML that needs nothing else: no script, no other file. The body is markup, the title is text.
pub(crate) fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    let mut out = String::with_capacity(body.len() + STYLE.len() + 512);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    );
    out
}

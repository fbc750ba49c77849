//! A request as a command of a shell.

use std::fmt::Write as _;

/// What a command sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: Option<&'a str>,
}

/// A curl command that sends it: `with` is how the command begins, `curl -s` and what it trusts.
pub(crate) fn curl(with: &str, sent: Sent<'_>) -> String {
    let mut command = with.to_owned();
    match (sent.method, sent.body) {
        ("GET", None) => {}
        // Of a HEAD curl would wait for a body.
        ("HEAD", None) => command.push_str(" -I"),
        (method, _) => {
            let _ = write!(command, " -X {method}");
        }
    }
    for (name, value) in sent.headers {
        // An empty value is written with a semicolon; with a colon curl leaves the header out.
        let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        let _ = write!(command, " -H {}", quoted(&line));
    }
    if let Some(body) = sent.body {
        let _ = write!(command, " --data-raw {}", quoted(body));
    }
    // In an address curl would take brackets for a pattern.
    let globs = sent.url.contains(['[', ']', '{', '}']);
    let _ = write!(command, "{} {}", if globs { " -g" } else { "" }, quoted(sent.url));
    command
}

/// A text that a shell takes as it is.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_every_text_as_it_is() {
        let headers = [("x-note".to_owned(), "it's; $HOME".to_owned()), ("x-none".to_owned(), String::new())];
        let sent = Sent { method: "POST", url: "http://[::1]:1/a", headers: &headers, body: Some("@a 'b'\n") };
        let expected = "curl -s -X POST -H 'x-note: it'\\''s; $HOME' -H 'x-none;' --data-raw '@a '\\''b'\\''\n' -g \
                        'http://[::1]:1/a'";
        assert_eq!(curl("curl -s", sent), expected);
    }

    #[test]
    fn a_plain_read_is_a_plain_command() {
        let sent = |method| Sent { method, url: "http://localhost/a?b=1", headers: &[], body: None };
        assert_eq!(curl("curl -s", sent("GET")), "curl -s 'http://localhost/a?b=1'");
        assert_eq!(curl("curl -s", sent("HEAD")), "curl -s -I 'http://localhost/a?b=1'");
        assert_eq!(curl("curl -s", sent("DELETE")), "curl -s -X DELETE 'http://localhost/a?b=1'");
    }
}

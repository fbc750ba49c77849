//! A request that was captured, as a command for a shell.
//!
//! It is pasted into terminals, and others wrote what is in it: everything stands in single quotes, and what a terminal
//! would take for keys that somebody pressed stands in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::body::Kept;
use crate::exchange;

/// What the control plane has in place of a secret.
const MASK: &str = "•••";

/// What stands there in a command.
const SECRET: &str = "<secret>";

/// Bodies of more bytes are read from a file: systems bound the length of a command.
const MOST: usize = 64 << 10;

/// Headers that curl makes itself, for what it sends.
const ITS_OWN: [&str; 6] = ["host", "content-length", "connection", "transfer-encoding", "expect", "accept-encoding"];

/// The command, whether something is masked in it, and whether it reads `file`.
pub(super) fn command(request: &Json, file: &str) -> Json {
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    let mut url = format!("{}{}", text("base"), text("path"));
    if let Some(query) = request["query"].as_str() {
        url.push('?');
        url.push_str(query);
    }
    let body = Kept::of(&request["body"]);
    let mut parts = vec!["curl".to_owned()];
    match (text("method"), &body) {
        ("GET", Kept::Nothing) | ("POST", Kept::Text(_) | Kept::Binary(_)) => {}
        ("HEAD", Kept::Nothing) => parts.push("--head".to_owned()),
        (method, _) => parts.push(format!("-X {}", quoted(method))),
    }
    // Brackets and steps back would be read by curl itself.
    if url.contains(['[', ']', '{', '}']) {
        parts.push("--globoff".to_owned());
    }
    if url.contains("/.") {
        parts.push("--path-as-is".to_owned());
    }
    parts.push(quoted(&url));
    let mut lines = vec![parts.join(" ")];
    let headers = request["headers"].as_object();
    for (name, value) in headers.into_iter().flatten() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values.iter().filter_map(Json::as_str).filter(|value| !is_its_own(name, value)) {
            let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            lines.push(format!("-H {}", quoted(&line)));
        }
    }
    if !matches!(body, Kept::Nothing) && !headers.is_some_and(|all| all.contains_key("content-type")) {
        // Otherwise curl says that it is a form.
        lines.push("-H 'content-type:'".to_owned());
    }
    let mut before = String::new();
    let mut reads_file = false;
    match &body {
        Kept::Nothing => {}
        Kept::Text(text) if text.len() <= MOST && is_harmless(text) => {
            lines.push(format!("--data-raw {}", quoted(text)));
        }
        Kept::Text(text) if text.len() <= MOST => before = piped(text.as_bytes()),
        Kept::Binary(bytes) if bytes.len() <= MOST => before = piped(bytes),
        Kept::Text(_) | Kept::Binary(_) | Kept::TooLarge(_) => {
            reads_file = true;
            lines.push(format!("--data-binary {}", quoted(&format!("@{file}"))));
        }
    }
    if !before.is_empty() {
        lines.push("--data-binary @-".to_owned());
    }
    let command = format!("{before}{}", lines.join(" \\\n  "));
    let masked = command.contains(MASK);
    json!({
        "text": command.replace(MASK, SECRET), "masked": masked, "file": reads_file.then_some(file),
        "lost": matches!(body, Kept::TooLarge(_)),
    })
}

fn is_its_own(name: &str, value: &str) -> bool {
    ITS_OWN.contains(&name)
        || (name == "accept" && value == "*/*")
        || (name == "user-agent" && value.starts_with("curl/"))
}

/// Whether a terminal takes it for text, whatever it makes of what is pasted.
fn is_harmless(text: &str) -> bool {
    !text.chars().any(|character| character.is_control() && !['\n', '\t'].contains(&character))
}

fn piped(bytes: &[u8]) -> String {
    format!("printf %s {} | base64 -d | ", quoted(&STANDARD.encode(bytes)))
}

/// Quoted where that is needed only.
fn quoted(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=@%+".contains(character);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => exchange::quoted(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(method: &str, path: &str, headers: Json, body: Json) -> String {
        let request = json!({
            "method": method, "base": "http://localhost:4010/reportei", "path": path, "query": null, "headers": headers,
            "body": body,
        });
        command(&request, "body.txt")["text"].as_str().unwrap().to_owned()
    }

    #[test]
    fn what_curl_does_by_itself_is_not_said() {
        let headers = json!({ "host": "localhost", "accept": "*/*", "user-agent": "curl/8", "x-a": ["1", ""] });
        let url = "http://localhost:4010/reportei/customers";
        assert_eq!(
            made("GET", "/customers", headers.clone(), Json::Null),
            format!("curl {url} \\\n  -H 'x-a: 1' \\\n  -H 'x-a;'")
        );
        assert_eq!(made("HEAD", "/customers", json!({}), Json::Null), format!("curl --head {url}"));
        assert_eq!(made("DELETE", "/customers", json!({}), Json::Null), format!("curl -X DELETE {url}"));
        assert_eq!(made("POST", "/customers", json!({}), Json::Null), format!("curl -X POST {url}"));
        let json = json!({ "content-type": "application/json" });
        assert_eq!(
            made("POST", "/customers", json, json!({ "text": "{\"a\": \"it's\"}" })),
            format!("curl {url} \\\n  -H 'content-type: application/json' \\\n  --data-raw '{{\"a\": \"it'\\''s\"}}'")
        );
    }

    #[test]
    fn nothing_that_was_sent_is_read_by_a_shell_a_terminal_or_curl() {
        let text = |text: &str| made("POST", "/", json!({ "content-type": "a/b" }), json!({ "text": text }));
        assert!(text("$(date) `date` \"\\ !! *\n'").ends_with("--data-raw '$(date) `date` \"\\ !! *\n'\\'''"));
        assert!(text("@/etc/passwd").ends_with("--data-raw @/etc/passwd"));
        for keys in ["a\u{1b}[201~\rdate\n", "a\u{0}b", "\u{9b}1A", "\u{3}"] {
            let made = text(keys);
            assert!(
                is_harmless(&made) && made.starts_with("printf %s ") && made.ends_with("--data-binary @-"),
                "{made}"
            );
        }
        assert!(made("GET", "/{a,b}/../[1-9]", json!({}), Json::Null).contains("--globoff --path-as-is '"));
        assert!(text(&"x".repeat(MOST + 1)).ends_with("--data-binary @body.txt"));
        assert!(made("POST", "/", json!({}), json!({ "base64": "/wA=" })).contains("-H 'content-type:'"));
    }

    #[test]
    fn a_mask_is_told_as_one() {
        let request = json!({
            "method": "GET", "base": "http://localhost", "path": "/", "query": format!("api_key={MASK}"), "body": null,
            "headers": { "authorization": format!("Bearer {MASK}") },
        });
        let made = command(&request, "body.txt");
        assert_eq!(made["masked"], json!(true));
        let wanted = "curl 'http://localhost/?api_key=<secret>' \\\n  -H 'authorization: Bearer <secret>'";
        assert_eq!(made["text"], wanted);
    }
}

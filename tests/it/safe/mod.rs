//! What is safe when nothing is said: who may call what, and what nobody gets to read.

mod access;
mod cors;
mod found;
mod gate;
mod masked;

use std::fs;

use regex::Regex;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::server::{Answer, FORM, JSON, REPORTEI, Server, case, standin};
use crate::tree::{files, read};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const TOKEN: &str = "0123456789-the-token";
const BEARER: (&str, &str) = ("Authorization", "Bearer 0123456789-the-token");
const MASK: &str = "•••";

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

/// A server of a pack that sets headers of its own, and of the pack that comes with it.
pub(crate) fn two_packs(more: &[&str]) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| crate::support::write(folder.path(), path, text);
    write(
        "fixtures/notes/pack.yaml",
        r#"
pack: notes
title: Notes
auth:
  key: { in: query, name: api_key, finds: note.key, else: nobody }
credentials: [{ label: one, scheme: key, value: documented-key }]
resources:
  note:
    id: id
    not-found: gone
    fields: { id: integer, text: string, key: { type: secret, optional: true } }
    seed:
      records: [{ id: 1, text: One, key: documented-key }, { id: 2, text: Two }]
errors:
  nobody: { status: 401, like: nobody.json, static: It names nobody., docs: notes.md }
  gone: { status: 404, like: nobody.json, static: It names nothing., docs: notes.md }
rejections: {}
"#,
    );
    write("fixtures/notes/nobody.json", "{}");
    let operation = |name: &str, text: &str| {
        let text = format!("operation: {name}\ndocs: notes.md\n{text}");
        write(&format!("fixtures/notes/notes/{name}.yaml"), &text);
    };
    operation(
        "own",
        "request: GET /own\nrespond:\n  status: 200\n  headers: { Access-Control-Allow-Origin: https://own.example, Vary: Accept, X-Total: \"1\" }\n  like: own.200.json\n  static: It is always the same.\n",
    );
    write("fixtures/notes/notes/own.200.json", "{}");
    operation(
        "moved",
        "request: GET /moved\nauth: key\nrespond:\n  status: 302\n  headers: { Location: '= \"/next/\" ~ note.key', Set-Cookie: session=response-cookie-1; Path=/, Retry-After: \"1\" }\n",
    );
    operation(
        "page",
        "request: GET /page\nrespond:\n  status: 200\n  headers: { Content-Security-Policy: default-src 'self', Referrer-Policy: origin }\n  like: page.200.html\n  static: It is always the same.\n",
    );
    write("fixtures/notes/notes/page.200.html", "<!doctype html>\n<title>Page</title>\n");
    write(
        "fixtures/notes/notes/tell.event.yaml",
        "event: A key is told\ndocs: notes.md\ninput: { key: { type: string }, id: { type: integer, required: true } }\nload: { note: = input.id }\neffects: [{ update: note, set: { text: = input.key } }]\n",
    );
    let builtin = crate::tree::root();
    for name in ["fixtures/reportei", "schemas/reportei"] {
        crate::support::copy(&builtin.join(name), &folder.path().join(name));
    }
    fs::create_dir_all(folder.path().join("schemas/notes")).unwrap();
    let [fixtures, schemas] = ["fixtures", "schemas"].map(|name| folder.path().join(name).display().to_string());
    let server = Server::start(&[&["--freeze", "--fixtures", &fixtures, "--schemas", &schemas], more].concat());
    (server, folder)
}

/// The rows of a table of the control plane as its source has them: method and path behind its prefix.
fn rows_of(file: &str) -> Vec<(String, String)> {
    let product = crate::rust::Source::new(&read(file)).product;
    let pattern = Regex::new(r#"row\(\s*"([A-Z]+)",\s*"([^"]+)""#).unwrap();
    let rows: Vec<_> =
        pattern.captures_iter(&product).map(|found| (found[1].to_owned(), found[2].to_owned())).collect();
    assert_eq!(rows.len(), product.matches("row(\"").count(), "every row is found");
    assert!(rows.len() >= 25, "{rows:?}");
    rows
}

/// Those behind `/_standin`.
fn rows() -> Vec<(String, String)> {
    rows_of("src/control/routes.rs")
}

/// Those behind `/__admin`, as they are called.
fn admin_rows() -> Vec<(String, String)> {
    let called = |path: &str| format!("/__admin{}", path.replace("{id}", "1").replace("{name}", "trial"));
    rows_of("src/control/wiremock/routes.rs").into_iter().map(|(method, path)| (method, called(&path))).collect()
}

/// A path with something in the place of each parameter.
fn filled(path: &str) -> String {
    let id = if path.starts_with("/sandboxes") { "default" } else { FIRST };
    let filled = path
        .replace("{pack}", "reportei")
        .replace("{resource}", "customer")
        .replace("{event}", "revoke")
        .replace("{entry}", "1")
        .replace("{name}", "trial")
        .replace("{rule}", "1")
        .replace("{code}", "expr-unknown-name")
        .replace("{*operation}", "customers/create")
        .replace("{id}", id);
    assert!(!filled.contains('{'), "a parameter that is not filled in: {filled}");
    format!("/_standin{}", filled.trim_end_matches('/'))
}

/// Whether a page of another origin could read an answer.
fn readable(answer: &Answer) -> bool {
    answer.headers.iter().any(|(name, _)| name.starts_with("access-control-"))
}

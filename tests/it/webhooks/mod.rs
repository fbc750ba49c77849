//! Webhooks over HTTP: a pack that tells receivers of this machine, and what the control plane shows of it.

mod deliveries;
mod log;
mod masked;
mod redeliver;
mod too_late;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::receiver::Receiver;
use crate::server::{Answer, JSON, Server, eventually, standin};
use crate::support::{self, text};

/// A pack that tells each hook of every note, and the first of what becomes of notes otherwise.
const PACK: &[(&str, &str)] = &[
    (
        "pack.yaml",
        r#"
pack: post
title: Post
description: Notes, and who is told of them.
timestamps: "%Y-%m-%dT%H:%M:%SZ"
resources:
  note:
    id: id
    fields: { id: integer, text: string, pin: secret }
  hook:
    id: id
    fields: { id: string, url: { type: string, optional: true }, key: secret }
    seed: { records: [{ id: h1, key: key-of-the-first-hook }] }
"#,
    ),
    (
        "notes/write.yaml",
        r#"
operation: Write a note
request: POST /notes
docs: notes.md#write
body: note
effects: [{ create: note, set: { text: = body.text, pin: = body.pin } }]
respond: { status: 201, schema: note, like: write.201.json, show: { "": = note } }
"#,
    ),
    ("notes/write.201.json", r#"{ "id": 1, "text": "Hello", "pin": "a-pin-of-the-note" }"#),
    (
        "notes/written.webhook.yaml",
        r#"
webhook: A note was written
docs: notes.md#hooks
on: { create: note }
each: = records.hook|values
as: hook
to: = hook.url
unsent: pigeon
headers:
  x-note-hook: = hook.id
  x-note-attempt: = delivery.attempt
  authorization: '= "Bearer " ~ hook.key'
sign: { header: x-note-signature, algorithm: hmac-sha256, key: = hook.key, encoding: hex }
body: { like: written.payload.json, show: { note: = note } }
retries: [2 minutes, 4 minutes]
timeout: 30 seconds
"#,
    ),
    ("notes/written.payload.json", r#"{ "note": { "id": 1, "text": "Hello", "pin": "a-pin-of-the-note" } }"#),
    (
        "notes/written.payload.yaml",
        "cause: { operation: notes/write, body: { text: Hello, pin: a-pin-of-the-note } }\n",
    ),
    (
        "notes/shred.event.yaml",
        r#"
event: A note is shredded
docs: notes.md#shred
input: { id: { type: integer, required: true } }
load: { note: = input.id }
effects: [{ delete: note }]
schedule: { of: note, after: 60 days, input: { id: = record.id } }
"#,
    ),
    (
        "notes/shredded.webhook.yaml",
        r#"
webhook: A note was shredded
docs: notes.md#hooks
on: { event: shred }
with: { hook: = records.hook.h1 }
to: = hook.url
body: { show: { id: = input.id } }
retries: [1 second]
timeout: 30 seconds
"#,
    ),
];

const SCHEMA: &str = r#"{
  "type": "object",
  "properties": { "id": { "type": "integer" }, "text": { "type": "string" }, "pin": { "type": "string" } },
  "required": ["text", "pin"]
}"#;

/// The files of that pack.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in PACK {
        support::write(folder.path(), &format!("fixtures/post/{path}"), text);
    }
    support::write(folder.path(), "schemas/post/note.json", SCHEMA);
    folder
}

/// A server of that pack.
struct Post {
    server: Server,
    _folder: TempDir,
}

impl Post {
    /// At a frozen time.
    fn start(more: &[&str]) -> Post {
        Post::with_log("off", &[&["--freeze"], more].concat())
    }

    fn with_log(log: &str, more: &[&str]) -> Post {
        Post::serving(folder(), log, more)
    }

    fn serving(folder: TempDir, log: &str, more: &[&str]) -> Post {
        let mut command = standin();
        command.current_dir(folder.path()).args(["serve", "post", "--port", "0", "--log", log]).args(more);
        Post { server: Server::spawn(command), _folder: folder }
    }

    /// The same, with the first hook at this receiver.
    fn telling(receiver: &Receiver) -> Post {
        let post = Post::start(&[]);
        post.hook("h1", &receiver.url("/hook"));
        post
    }

    /// Has a hook at this URL.
    #[track_caller]
    fn hook(&self, id: &str, url: &str) {
        let path = format!("/state/post/hook/{id}");
        let known = self.server.control("GET", &path, None).status == 200;
        let answer = match known {
            true => self.server.control("PATCH", &path, Some(json!({ "url": url }))).expect(200),
            false => {
                let key = format!("key-of-the-hook-{id}");
                let body = json!({ "id": id, "url": url, "key": key });
                self.server.control("POST", "/state/post/hook", Some(body)).expect(201)
            }
        };
        assert_eq!(answer.json()["url"], url, "{answer}");
    }

    /// Writes a note. Gives the entry.
    #[track_caller]
    fn write(&self, text: &str) -> u64 {
        self.write_in("", text)
    }

    #[track_caller]
    fn write_in(&self, sandbox: &str, text: &str) -> u64 {
        let body = json!({ "text": text, "pin": "a-pin-of-the-note" }).to_string();
        let answer = self.server.call("POST", &format!("{sandbox}/post/notes"), &[JSON], body).expect(201);
        answer.header("standin-entry").unwrap().parse().unwrap()
    }

    fn list(&self, query: &str) -> Answer {
        self.server.control("GET", &format!("/webhooks{query}"), None)
    }

    #[track_caller]
    fn records(&self, query: &str) -> Vec<Json> {
        self.list(query).expect(200).json()["records"].as_array().unwrap().clone()
    }

    /// The ids of what is listed, in order.
    #[track_caller]
    fn ids(&self, query: &str) -> Vec<String> {
        self.records(query).iter().map(|record| text(record, "id").to_owned()).collect()
    }

    #[track_caller]
    fn show(&self, id: &str) -> Json {
        self.server.control("GET", &format!("/webhooks/{id}?secrets=show"), None).expect(200).json()
    }

    /// The only delivery, once nothing of it is under way.
    #[track_caller]
    fn landed(&self) -> Json {
        let all = self.all_landed();
        assert_eq!(all.len(), 1, "{all:#?}");
        self.show(text(&all[0], "id"))
    }

    /// All deliveries, once nothing of them is under way.
    #[track_caller]
    fn all_landed(&self) -> Vec<Json> {
        eventually("the deliveries to land", || {
            let all = self.records("");
            all.iter().all(|record| record["state"] != "sending").then_some(all)
        })
    }

    fn redeliver(&self, id: &str) -> Answer {
        self.server.control("POST", &format!("/webhooks/{id}/redeliver?secrets=show"), None)
    }

    fn advance(&self, by: &str) -> Answer {
        self.server.control("POST", "/clock/advance", Some(json!({ "by": by })))
    }

    fn count(&self, pattern: Json) -> Answer {
        self.server.control("POST", "/webhooks/count", Some(pattern))
    }
}

/// What came of each attempt, in one word.
#[track_caller]
fn results(delivery: &Json) -> Vec<&str> {
    let attempts = delivery["attempts"].as_array().unwrap_or_else(|| panic!("{delivery:#}"));
    attempts.iter().map(|attempt| attempt["result"].as_str().unwrap_or("none")).collect()
}

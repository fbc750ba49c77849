//! What happens by itself, over HTTP: the agenda, and what an advance does.

mod asked;
mod back;
mod during;
mod records;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::server::{Answer, Server, standin};
use crate::support::{self, text};

/// Bells that ring when their time has come, and can be struck; and two that set each other off.
const PACK: &[(&str, &str)] = &[
    (
        "pack.yaml",
        r#"
pack: tower
title: Tower
description: Bells.
timestamps: "%Y-%m-%dT%H:%M:%SZ"
resources:
  bell:
    id: id
    fields:
      id: integer
      state: string
      due: { type: timestamp, optional: true }
      rung: { type: integer, default: 0 }
      token: { type: string, default: "" }
      url: { type: string, optional: true }
"#,
    ),
    (
        "bells/cast.yaml",
        r#"
operation: Cast a bell
request: POST /bells
docs: bells.md#cast
effects: [{ create: bell, set: { state: silent, token: = random_hex(8) } }]
respond: { status: 201, like: cast.201.json, show: { "": = bell } }
"#,
    ),
    ("bells/cast.201.json", r#"{ "id": 1, "state": "silent", "token": "0123abcd" }"#),
    (
        "bells/ring.event.yaml",
        r#"
event: A bell rings when its time has come
docs: bells.md#time
input: { id: { type: integer, required: true } }
load: { bell: = input.id }
effects: [{ update: bell, set: { rung: = bell.rung + 1 } }]
schedule: { of: bell, when: record.state == "set", at: = record.due if (record.due is defined) else null, input: { id: = record.id } }
"#,
    ),
    (
        "bells/tire.event.yaml",
        r#"
event: A bell that swings grows tired
docs: bells.md#time
input: { id: { type: integer, required: true } }
load: { bell: = input.id }
effects: [{ update: bell, set: { state: tired } }]
schedule: { of: bell, when: record.state == "swinging", after: 60 days, input: { id: = record.id } }
"#,
    ),
    (
        "bells/strike.event.yaml",
        r#"
event: Somebody strikes a bell
docs: bells.md#strike
input: { id: { type: integer, required: true }, token: { type: string } }
load: { bell: = input.id }
guards: [{ require: bell.state != "cracked", else: The bell is cracked }]
effects: [{ update: bell, set: { rung: = bell.rung + 1, token: = input.token|default(random_hex(8)) } }]
"#,
    ),
    (
        "bells/flip.event.yaml",
        r#"
event: One of two that set each other off
docs: bells.md#two
input: { id: { type: integer, required: true } }
load: { bell: = input.id }
effects: [{ update: bell, set: { state: flop, rung: = bell.rung + 1 } }]
schedule: { of: bell, when: record.state == "flip", at: = record.due if (record.due is defined) else null, input: { id: = record.id } }
"#,
    ),
    (
        "bells/flop.event.yaml",
        r#"
event: The other one
docs: bells.md#two
input: { id: { type: integer, required: true } }
load: { bell: = input.id }
effects: [{ update: bell, set: { state: flip, rung: = bell.rung + 1 } }]
schedule: { of: bell, when: record.state == "flop", at: = record.due if (record.due is defined) else null, input: { id: = record.id } }
"#,
    ),
    (
        "bells/split.event.yaml",
        r#"
event: One becomes two, each of which becomes two
docs: bells.md#two
input: { id: { type: integer, required: true } }
effects:
  - { create: bell, as: one, set: { state: split, due: = now } }
  - { create: bell, as: two, set: { state: split, due: = now } }
schedule: { of: bell, when: record.state == "split", at: = record.due if (record.due is defined) else null, input: { id: = record.id } }
"#,
    ),
    (
        "bells/cast.webhook.yaml",
        r#"
webhook: A bell was cast
docs: bells.md#hooks
on: { create: bell }
with: { ear: '= records.bell["9"]' }
to: = ear.url if (ear is defined) else null
body: { show: { id: = bell.id } }
timeout: 30 seconds
"#,
    ),
    (
        "bells/struck.webhook.yaml",
        r#"
webhook: A bell was struck
docs: bells.md#hooks
on: { event: strike }
with: { bell: "= records.bell[input.id]" }
to: = bell.url
body: { show: { id: = input.id } }
retries: [2 minutes, 4 minutes]
timeout: 30 seconds
"#,
    ),
];

/// When the sandboxes of these tests begin.
const BEGIN: &str = "2024-10-01T17:15:12Z";

struct Tower {
    server: Server,
    _folder: TempDir,
}

impl Tower {
    /// At a frozen time.
    fn start(more: &[&str]) -> Tower {
        Tower::ticking(&[&["--freeze"], more].concat())
    }

    fn ticking(more: &[&str]) -> Tower {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in PACK {
            support::write(folder.path(), &format!("fixtures/tower/{path}"), text);
        }
        let mut command = standin();
        command.current_dir(folder.path()).args(["serve", "tower", "--port", "0", "--log", "off"]).args(more);
        Tower { server: Server::spawn(command), _folder: folder }
    }

    fn control(&self, method: &str, path: &str, body: Json) -> Answer {
        self.server.control(method, path, Some(body).filter(|body| !body.is_null()))
    }

    /// A bell in this state, due at this instant.
    #[track_caller]
    fn bell(&self, id: u32, state: &str, due: &str) {
        let body = json!({ "id": id, "state": state, "due": due });
        self.control("POST", "/state/tower/bell", body).expect(201);
    }

    #[track_caller]
    fn change(&self, id: u32, change: Json) {
        self.control("PATCH", &format!("/state/tower/bell/{id}"), change).expect(200);
    }

    #[track_caller]
    fn seen(&self, id: u32, field: &str) -> Json {
        self.control("GET", &format!("/state/tower/bell/{id}"), json!(null)).expect(200).json()[field].clone()
    }

    /// What is to happen: the instant, and what it is about.
    #[track_caller]
    fn agenda(&self) -> Vec<(String, String)> {
        self.agenda_in("")
    }

    #[track_caller]
    fn agenda_in(&self, sandbox: &str) -> Vec<(String, String)> {
        let answer = self.server.get(&format!("{sandbox}/_standin/clock/agenda")).expect(200).json();
        let records = answer["records"].as_array().unwrap();
        assert_eq!(answer["total"], records.len());
        let line = |record: &Json| {
            let what = record["event"].as_str().or(record["webhook"].as_str()).unwrap();
            let about = record["record"]["id"].as_str().map(|id| format!(" {id}")).unwrap_or_default();
            (text(record, "at").to_owned(), format!("{what}{about}"))
        };
        records.iter().map(line).collect()
    }

    #[track_caller]
    fn ask(&self, body: Json) -> Json {
        self.control("POST", "/clock/agenda", body).expect(201).json()
    }

    /// Has a bell be struck at this instant. Gives its number on the agenda.
    #[track_caller]
    fn strike(&self, id: u32, at: &str) -> u64 {
        let asked = self.ask(json!({ "pack": "tower", "event": "strike", "input": { "id": id }, "at": at }));
        asked["id"].as_u64().unwrap()
    }

    #[track_caller]
    fn advance(&self, body: Json) -> Json {
        self.control("POST", "/clock/advance", body).expect(200).json()
    }

    #[track_caller]
    fn now(&self) -> String {
        text(&self.server.get("/_standin/clock").expect(200).json(), "now").to_owned()
    }
}

/// What an answer says was done: the instant, and which event.
#[track_caller]
fn done(answer: &Json) -> Vec<(&str, String)> {
    let line = |entry: &'_ Json| {
        let what = entry["event"].as_str().or(entry["webhook"].as_str()).unwrap().to_owned();
        let id = entry["input"]["id"].as_u64().map(|id| format!(" {id}")).unwrap_or_default();
        format!("{what}{id}")
    };
    answer["done"].as_array().unwrap().iter().map(|entry| (text(entry, "at"), line(entry))).collect()
}

/// Lines as they are compared.
fn lines(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(at, what)| ((*at).to_owned(), (*what).to_owned())).collect()
}

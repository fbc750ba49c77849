//! Options of packs, as the command line and the control plane set them: values, operations, lines, callers, refusals.
//! The pack is the one of `tests/cases/format/options`.

use std::process::{Command, Output};

use serde_json::{Value as Json, json};

use crate::errors;
use crate::server::{Answer, JSON, Server, standin};
use crate::support;

const PACK: &str = "tests/cases/format/options";

/// A command about the pack `printers`.
fn command(arguments: &[&str]) -> Command {
    let mut command = standin();
    command.args(arguments).current_dir(support::repository(PACK));
    command
}

/// Serves the packs `printers` and `reportei`.
fn start(options: &[&str]) -> Server {
    let mut command = command(&["serve", "--port", "0", "--log", "off", "--freeze"]);
    for option in options {
        command.args(["--option", option]);
    }
    Server::spawn(command)
}

fn output(arguments: &[&str]) -> (Output, String) {
    let output = command(arguments).output().unwrap();
    let words = String::from_utf8(output.stderr.clone()).unwrap();
    (output, words)
}

/// Makes a sandbox with these options, and gives what stands in front of the pack's paths there.
fn sandbox(server: &Server, id: &str, options: Json) -> String {
    server.control("POST", "/sandboxes", Some(json!({ "id": id, "options": options }))).expect(201);
    format!("/~{id}/printers")
}

fn call(server: &Server, method: &str, path: &str, body: &str) -> Answer {
    server.call(method, path, &[JSON], body)
}

fn state(server: &Server, base: &str) -> Json {
    server.get(&format!("{base}/printers/p1")).expect(200).json()["state"].clone()
}

#[test]
fn sandboxes_of_one_server_have_options_of_their_own() {
    let server = start(&[]);
    let words = sandbox(&server, "words", json!({}));
    let numbers =
        sandbox(&server, "numbers", json!({ "printers.state-enums": "numbers", "printers.put-update": true }));
    // At the same time.
    std::thread::scope(|scope| {
        for (base, expected) in [(&words, json!("ready")), (&numbers, json!(1))] {
            let server = &server;
            scope.spawn(move || (0..50).for_each(|_| assert_eq!(state(server, base), expected, "{base}")));
        }
    });
    let (path, body) = ("/sites/west/printers/p1", r#"{"copies":2}"#);
    for (base, allowed, refused) in [(&words, "POST", "PUT"), (&numbers, "PUT", "POST")] {
        call(&server, allowed, &format!("{base}{path}"), body).expect(200);
        call(&server, refused, &format!("{base}{path}"), body).problem(405, "method-not-allowed");
    }
    // What is not there is neither allowed nor nearly matched.
    let answer = call(&server, "PUT", &format!("{words}{path}"), body);
    assert_eq!(answer.header("allow"), Some("POST"));
    assert!(!answer.text().contains("with PUT"), "{answer}");
    let answer = call(&server, "POST", &format!("{numbers}{path}"), body);
    assert_eq!(answer.header("allow"), Some("PUT, PATCH"));
}

#[test]
fn a_path_that_is_not_there_hides_none_with_parameters() {
    let server = start(&[]);
    let with = sandbox(&server, "with", json!({ "printers.default-printer": true, "printers.unknown-code": 4404 }));
    server.get(&format!("{with}/printers/default")).expect(200);
    let answer = server.get("/printers/printers/default").expect(404);
    assert_eq!(answer.header("standin-operation"), Some("printers/printers/show"));
    assert_eq!(answer.json(), json!({ "code": 404, "path": "/printers/default" }));
    let unknown = server.get(&format!("{with}/printers/p9")).expect(404);
    assert_eq!(unknown.json()["code"], 4404);
    assert_eq!(server.call("HEAD", &format!("{with}/printers/default"), &[], "").status, 200);
    // Of a whole route that is not there nothing is said, by the index of several packs neither.
    let nowhere = server.get("/printers/v1/printers/p1");
    nowhere.problem(404, "no-operation");
    assert_eq!(nowhere.json()["nearMisses"], json!([]));
    let line = sandbox(&server, "line", json!({ "printers.v1-paths": true }));
    let bodies = ["/v1/printers/p1", "/printers/p1"].map(|path| server.get(&format!("{line}{path}")).expect(200).body);
    assert_eq!(bodies[0], bodies[1]);
    let near = |prefix: &str| server.get(&format!("{prefix}/v1/printers/p1")).expect(404).json()["nearMisses"].clone();
    let shown = |near: Json| near.to_string().contains("GET /v1/printers/{id}");
    assert!(shown(near("/~line")) && !shown(near("/~with")));
}

#[test]
fn lines_have_their_parameters_in_any_order() {
    let server = start(&["printers.put-update"]);
    for (path, method, site) in [
        ("/sites/s1/printers/p2", "PUT", "s1"),
        ("/printers/p2/at/s2", "PUT", "s2"),
        ("/sites/s3/printers/p2", "PATCH", "s3"),
    ] {
        let answer = call(&server, method, &format!("/printers{path}"), r#"{"copies":5}"#).expect(200);
        assert_eq!(answer.json(), json!({ "id": "p2", "site": site, "copies": 5 }));
        assert_eq!(answer.header("standin-operation"), Some("printers/printers/update-put"));
    }
}

#[test]
fn operations_that_exclude_each_other_may_ask_for_other_callers() {
    let server = start(&["printers.job-auth=key"]);
    let open = sandbox(&server, "open", json!({ "printers.job-auth": "nobody" }));
    assert_eq!(server.get(&format!("{open}/jobs")).expect(200).json()["for"], Json::Null);
    server.get("/printers/jobs").expect(401);
    assert_eq!(server.call("GET", "/printers/jobs", &[("x-key", "ann-key")], "").expect(200).json()["for"], "ann");
}

#[test]
fn what_a_row_tolerates_goes_on_and_the_trace_says_so() {
    let server = start(&["printers.copies=ignored", "printers.loose-query=true"]);
    let strict = sandbox(&server, "strict", json!({ "printers.copies": "named", "printers.loose-query": false }));
    let (path, body) = ("/sites/west/printers/p2", r#"{"copies":"many"}"#);
    let answer = call(&server, "POST", &format!("/printers{path}"), body).expect(200);
    assert_eq!(answer.json()["copies"], 7);
    let entry = server.control("GET", &format!("/journal/{}", answer.header("standin-entry").unwrap()), None);
    let trace = entry.expect(200).json()["exchange"]["trace"].clone();
    let steps = trace.as_array().unwrap().iter().filter(|step| step["stage"] == "body schema");
    let steps: Vec<&Json> = steps.collect();
    assert_eq!(steps.len(), 2, "{trace}");
    assert_eq!(steps[0]["verdict"], "noted");
    let told = steps[0]["detail"].as_str().unwrap();
    assert!(told.contains("body `/copies`") && told.contains("The changelog says that it is ignored."), "{told}");
    assert!(steps[0]["at"].as_str().unwrap().starts_with("fixtures/printers/pack.yaml:"), "{trace}");
    assert_eq!(steps[1]["verdict"], "passed");
    // Beside what is not tolerated it hides nothing.
    let mixed = call(&server, "POST", &format!("/printers{path}"), r#"{"copies":"many","size":1}"#).expect(400);
    assert_eq!(mixed.json(), json!({ "fields": ["size"] }));
    assert_eq!(call(&server, "POST", &format!("{strict}{path}"), body).expect(422).json()["sent"], "many");
    server.get("/printers/printers/p1?copies=many").expect(200);
    server.get(&format!("{strict}/printers/p1?copies=many")).expect(400);
}

#[test]
fn events_follow_options_and_a_reset_keeps_them() {
    let server = start(&["printers.state-enums=numbers"]);
    sandbox(&server, "words", json!({ "printers.state-enums": "words" }));
    let jam = |prefix: &str| {
        let path = format!("{prefix}/_standin/events/printers/jam");
        server.call("POST", &path, &[JSON], r#"{"id":"p1"}"#).expect(200);
        server.get(&format!("{prefix}/_standin/state/printers/printer/p1")).expect(200).json()["state"].clone()
    };
    assert_eq!((jam(""), jam("/~words")), (json!("2"), json!("jammed")));
    for prefix in ["", "/~words"] {
        server.call("POST", &format!("{prefix}/_standin/reset"), &[], "").expect(200);
    }
    assert_eq!((state(&server, "/printers"), state(&server, "/~words/printers")), (json!(1), json!("ready")));
    let options =
        |id: &str| server.control("GET", &format!("/sandboxes/{id}"), None).expect(200).json()["options"].clone();
    assert_eq!(options("default")["printers.state-enums"], "numbers");
    assert_eq!(options("words")["printers.state-enums"], "words");
}

#[test]
fn the_control_plane_shows_options_and_what_depends_on_them() {
    let server = start(&["printers.unknown-code=4404", "printers.put-update"]);
    let made =
        server.control("POST", "/sandboxes", Some(json!({ "id": "a", "options": { "printers.copies": "named" } })));
    let all = json!({
        "printers.put-update": true, "printers.v1-paths": false, "printers.default-printer": false,
        "printers.state-enums": "words", "printers.unknown-code": 4404, "printers.job-auth": "nobody",
        "printers.copies": "named", "printers.loose-query": false,
    });
    let mut shown = made.expect(201).json()["options"].clone();
    // Other packs are served too.
    shown.as_object_mut().unwrap().retain(|name, _| name.starts_with("printers."));
    assert_eq!(shown, all);
    let pack = |prefix: &str| server.get(&format!("{prefix}/_standin/packs/printers")).expect(200).json();
    let copies = |value: &str| {
        json!({
            "name": "copies", "description": "What is said about a number of copies that cannot be.",
            "values": ["refused", "named", "ignored"], "default": "refused", "value": value,
        })
    };
    assert_eq!(pack("")["options"][6], copies("refused"));
    assert_eq!(pack("/~a")["options"][6], copies("named"));
    let operations = pack("")["operations"].as_array().unwrap().clone();
    let operation = |id: &str| operations.iter().find(|one| one["id"] == format!("printers/{id}")).unwrap();
    let show = operation("printers/show");
    let line = json!({ "method": "GET", "path": "/v1/printers/{id}", "option": { "v1-paths": true } });
    assert_eq!((&show["also"], &show["option"]), (&json!([line]), &Json::Null));
    assert_eq!(operation("printers/update")["option"], json!({ "put-update": false }));
}

#[test]
fn options_that_cannot_be_are_refused_and_nothing_is_made() {
    let server = start(&[]);
    for (options, words) in [
        (json!({ "printers.copie": "named" }), "the pack `printers` has no option `copie`: did you mean `copies`?"),
        (json!({ "printer.copies": "named" }), "the pack `printer` is not served: did you mean `printers`?"),
        (json!({ "copies": "named" }), "did you mean `printers.copies`?"),
        (json!({ "printers.copies": "nmaed" }), "did you mean `named`?"),
        (json!({ "printers.copies": true }), "`printers.copies`: it is `refused`, `named` or `ignored`, not true"),
        (json!({ "printers.put-update": "true" }), "it is a boolean: write true, not \"true\""),
        (json!({ "printers.unknown-code": "404" }), "it is a whole number: write 404, not \"404\""),
        (json!(["printers.put-update"]), "it must be an object"),
    ] {
        let body = json!({ "id": "a", "options": options });
        let answer = server.control("POST", "/sandboxes", Some(body));
        let detail = answer.problem(400, "member-invalid");
        assert!(detail.contains(words), "{detail}");
        assert_eq!(answer.json()["member"], "options");
    }
    server.control("GET", "/sandboxes/a", None).problem(404, "sandbox-unknown");
}

#[test]
fn the_command_line_refuses_options_that_cannot_be() {
    for (given, words) in [
        (
            &["printers.copie=named"][..],
            &["--option printers.copie=named: ", "did you mean `copies`?", "`v1-paths`"][..],
        ),
        (&["printer.copies=named"], &["the pack `printer` is not served: did you mean `printers`?", "`reportei`"]),
        (&["reportei.copies=named"], &["the pack `reportei` has no option `copies`", "there is none"]),
        (&["copies=named"], &["did you mean `printers.copies`?"]),
        (&["printers.copies=nmaed"], &["`refused`, `named` or `ignored`", "did you mean `named`?"]),
        (&["printers.copies"], &["it is no boolean: write printers.copies=refused|named|ignored"]),
        (&["printers.put-update=yes"], &["it is `false` or `true`"]),
        (&["printers.put-update", "printers.put-update=false"], &["`printers.put-update` is given twice"]),
    ] {
        let options = given.iter().flat_map(|given| ["--option", given]);
        let arguments: Vec<&str> = ["serve", "--port", "0"].into_iter().chain(options).collect();
        let (output, said) = output(&arguments);
        assert_eq!(output.status.code(), Some(2), "{given:?}: {said}");
        assert!(output.stdout.is_empty());
        for words in words {
            assert!(said.contains(words), "{given:?}: {said}");
        }
    }
}

#[test]
fn the_start_text_shows_what_was_chosen_and_nothing_else() {
    let mut server = start(&["printers.put-update", "printers.copies=named", "printers.copies=named"]);
    let text = server.start_text();
    let line =
        text.lines().position(|line| line == "  options     put-update=true").unwrap_or_else(|| panic!("{text}"));
    assert_eq!(text.lines().nth(line + 1), Some("              copies=named"));
    let plain = start(&[]).start_text();
    assert!(!plain.contains("options"), "{plain}");
    // The command to try is one that works with these options.
    let tried = |text: &str| text.lines().find(|line| line.contains("/printers/")).unwrap_or_default().to_owned();
    assert!(tried(&plain).contains("/printers/jobs") && !tried(&plain).contains("x-key"), "{plain}");
    let keyed = start(&["printers.job-auth=key"]).start_text();
    assert!(tried(&keyed).contains("-H 'x-key: ann-key'"), "{keyed}");
}

#[test]
fn routes_list_every_line_with_what_it_asks_for() {
    let (text, _) = output(&["routes", "printers"]);
    let text = String::from_utf8(text.stdout).unwrap();
    for (start, end) in [
        ("GET     /printers/printers/{id} ", "printers/printers/show        documented"),
        ("GET     /printers/v1/printers/{id} ", "printers/printers/show        documented  with v1-paths"),
        ("PATCH   /printers/sites/{site}/printers/{id} ", "documented  with put-update"),
        ("POST    /printers/sites/{site}/printers/{id} ", "documented  with put-update=false"),
        ("GET     /printers/jobs ", "printers/jobs/list            documented  with job-auth=nobody"),
    ] {
        assert!(text.lines().any(|line| line.starts_with(start) && line.ends_with(end)), "{start}: {text}");
    }
    let (listed, _) = output(&["routes", "printers", "--format", "json"]);
    let listed: Json = serde_json::from_slice(&listed.stdout).unwrap();
    let show = listed.as_array().unwrap().iter().find(|one| one["operation"] == "printers/printers/show").unwrap();
    assert_eq!(show["also"][0]["option"], json!({ "v1-paths": true }));
}

/// A copy of the pack in which one text of one file is replaced, and what `check --mutate` says about it.
fn planted(file: &str, old: &str, new: &str) -> (Option<i32>, String) {
    let folder = errors::planted("options", &format!("fixtures/printers/{file}"), old, new);
    let output = command(&["check", "--mutate", "printers"]).current_dir(folder.path()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn rows_with_options_are_judged_by_replays_that_have_them() {
    let row = "  - { name: copies, option: { copies: named }, error: named }\n";
    let idle = "  - { in: query, keyword: type, option: { copies: named }, tolerate: Nobody asks. }\n";
    let (exit, said) = planted("pack.yaml", row, &format!("{idle}{row}"));
    assert!(exit == Some(1) && said.contains("can be deleted and no example tells"), "{said}");
    // A row that tolerates counts when a replay depends on it, and is told when none does.
    let (exit, said) = planted("printers/show.200.loose.yaml", "copies: many", "copies: 3");
    assert!(exit == Some(1) && said.contains("/pack.yaml:") && said.contains("no example tells"), "{said}");
}

#[test]
fn examples_are_replayed_with_the_options_of_their_side_files() {
    let side = "printers/show.200.numbers.yaml";
    let (exit, said) = planted(side, "state-enums: numbers", "state-enums: words");
    assert!(exit == Some(1) && said.contains("show.200.numbers.json"), "{said}");
    // Without the line the other one is called, which says another path.
    let (exit, said) = planted("printers/show.404.v1.yaml", "also: \"GET /v1/printers/{id}\", ", "");
    assert!(exit == Some(1) && said.contains("show.404.v1.json"), "{said}");
}

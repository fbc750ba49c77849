//! What counts, and for what.

use std::fs;
use std::io::Write as _;

use serde_json::{Value as Json, json};

use super::{covered, exercised, hits, operation};
use crate::server::{REPORTEI, Server, case, connect, request};
use crate::support::repository;

const LIST: &str = "reportei/customers/list";
const SHOW: &str = "reportei/customers/show";
const CREATE: &str = "reportei/customers/create";
const CUSTOMER: &str = "/customers/caedbbbe-7d93-476f-b965-bf97cd7ce874";

fn served() -> Server {
    Server::start(&["reportei", "--freeze"])
}

#[test]
fn an_answer_covers_its_operation_status_example_and_error() {
    let server = served();
    let before = covered(&server);
    assert_eq!(before["summary"]["items"]["exercised"], 0);
    assert_eq!(exercised(&before, LIST), Vec::<String>::new());
    server.api("GET", "/customers", None).expect(200);
    server.api("GET", "/customers", None).expect(200);
    server.call("GET", "/customers", &[], "").expect(401);
    server.call("HEAD", CUSTOMER, &[REPORTEI], "").expect(200);
    server.api("GET", "/customers/nobody", None).expect(404);
    let report = covered(&server);
    assert_eq!((hits(&report, LIST, "operation"), hits(&report, LIST, "status 200")), (3, 2));
    assert_eq!(
        exercised(&report, LIST),
        [
            "status 200",
            "status 401",
            "example customers/list.200.json",
            "example customers/list.401.no-token.json",
            "error unauthenticated"
        ]
    );
    assert_eq!((hits(&report, SHOW, "operation"), hits(&report, SHOW, "error customer-not-found")), (2, 1));
    assert_eq!(hits(&report, SHOW, "example customers/show.200.json"), 1);
    // Three examples show the same answer of the three causes that it has.
    assert_eq!(hits(&report, SHOW, "example customers/show.404.malformed.json"), 1);
    let item = &operation(&report, SHOW)["statuses"][0];
    assert_eq!(item["at"], json!({ "file": "fixtures/reportei/customers/show.yaml", "line": 12 }));
    assert_eq!(item["contract"], "documented");
    assert_eq!(report["summary"]["operations"]["exercised"], 2);
}

#[test]
fn of_several_examples_the_one_with_the_keys_and_values_of_the_body_is_exercised() {
    let server = served();
    server.api("POST", "/customers", Some(json!({ "name": 7 }))).expect(422);
    let report = covered(&server);
    assert_eq!(hits(&report, CREATE, "example customers/create.422.name-number.json"), 1);
    assert_eq!(hits(&report, CREATE, "example customers/create.422.no-name.json"), 0);
    server.api("POST", "/customers", Some(json!({}))).expect(422);
    let report = covered(&server);
    assert_eq!(hits(&report, CREATE, "example customers/create.422.no-name.json"), 1);
    assert_eq!(hits(&report, CREATE, "example customers/create.422.name-number.json"), 1);
    // What has other keys than all of them shows none.
    server.api("GET", "/customers?per_page=0&sortBy=api_token", None).expect(422);
    let report = covered(&server);
    assert_eq!(exercised(&report, LIST), ["status 422", "error invalid"]);
    server.api("GET", "/customers?per_page=0", None).expect(422);
    let report = covered(&server);
    assert_eq!(hits(&report, LIST, "example customers/list.422.per-page-zero.json"), 1);
    assert_eq!(hits(&report, LIST, "error invalid"), 2);
}

#[test]
fn what_does_not_fit_is_listed_and_so_is_what_nobody_documents() {
    let server = served();
    server.api("POST", "/customers", Some(json!({ "name": 7 }))).expect(422);
    server.api("POST", "/customers", Some(json!({ "name": 7 }))).expect(422);
    server.call("POST", "/customers", &[REPORTEI, crate::server::JSON], "{").expect(400);
    server.api("PUT", "/customers", None).expect(405);
    server.get("/no/such/path").expect(404);
    let report = covered(&server);
    assert_eq!(
        report["violations"],
        json!({ "records": [
            { "operation": CREATE, "in": "body", "pointer": "", "keyword": "body-syntax", "hits": 1 },
            { "operation": CREATE, "in": "body", "pointer": "/name", "keyword": "type", "hits": 2 },
        ], "more": 0 })
    );
    assert_eq!(
        report["assumed"]["records"],
        json!([
            { "operation": CREATE, "status": 400, "error": "unreadable", "hits": 1 },
            { "operation": CREATE, "status": 422, "error": "invalid", "hits": 2 },
        ])
    );
    assert_eq!(
        report["undocumented"]["records"],
        json!([
            { "pack": "reportei", "method": "GET", "path": "/no/such/path", "hits": 1 },
            { "pack": "reportei", "method": "PUT", "path": "/customers", "hits": 1 },
        ])
    );
    // What is assumed is listed and does not count.
    let invalid = &operation(&report, CREATE)["errors"];
    let invalid = invalid.as_array().unwrap().iter().find(|error| error["error"] == "invalid").unwrap();
    assert_eq!(invalid["contract"], "assumed");
    assert_eq!(report["summary"]["errors"]["exercised"], 0);
}

#[test]
fn a_secret_in_a_path_that_nobody_answers_is_masked() {
    let server = served();
    let token = REPORTEI.1.trim_start_matches("Bearer ");
    server.call("GET", &format!("/customer/{token}"), &[REPORTEI], "").expect(404);
    let text = covered(&server).to_string();
    assert!(text.contains("/customer/•••") && !text.contains(token), "{text}");
}

#[test]
fn different_things_are_told_apart_up_to_a_number() {
    let server = served();
    let mut stream = connect(format!("127.0.0.1:{}", server.port()).parse().unwrap());
    let mut all = Vec::new();
    for number in 0..1020 {
        let one = request("localhost", "GET", &format!("/nothing/{}", number % 1010), &[], b"");
        let text = String::from_utf8(one).unwrap().replace("Connection: close\r\n", "");
        all.extend_from_slice(text.as_bytes());
    }
    all.extend_from_slice(&request("localhost", "GET", "/_standin/livez", &[], b""));
    let mut reading = stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || stream.write_all(&all).unwrap());
    let mut answers = Vec::new();
    std::io::Read::read_to_end(&mut reading, &mut answers).unwrap();
    sending.join().unwrap();
    let listed = &covered(&server)["undocumented"];
    assert_eq!(listed["records"].as_array().unwrap().len(), 1000);
    assert_eq!(listed["more"], 10);
}

#[test]
fn a_long_path_is_cut() {
    let server = served();
    server.get(&format!("/{}", "x".repeat(4000))).expect(404);
    let report = covered(&server);
    let path = report["undocumented"]["records"][0]["path"].as_str().unwrap();
    assert!(path.chars().count() == 201 && path.ends_with("x…"), "{path}");
}

#[test]
fn what_is_asked_for_by_preference_covers_what_it_gives() {
    let server = served();
    let prefer = |value: &str| server.call("GET", CUSTOMER, &[("Prefer", value)], "");
    prefer("example=foreign").expect(404);
    prefer("code=401").expect(401);
    let report = covered(&server);
    assert_eq!(
        exercised(&report, SHOW),
        [
            "status 401",
            "status 404",
            "example customers/show.404.foreign.json",
            "error unauthenticated",
            "error customer-not-found"
        ]
    );
    prefer("example=no-such").problem(400, "preference-unknown");
    let again = covered(&server);
    assert_eq!(exercised(&again, SHOW), exercised(&report, SHOW));
    assert_eq!(hits(&again, SHOW, "operation"), 3);
}

#[test]
fn a_stub_covers_nothing_and_a_fault_what_it_gives() {
    let server = case("faults", &[]);
    let report = covered(&server);
    let pack = report["packs"][0]["pack"].as_str().unwrap().to_owned();
    let found = report["packs"][0]["operations"].as_array().unwrap();
    let found = found.iter().find(|one| one["method"] == "GET" && !one["path"].as_str().unwrap().contains('{'));
    let found = found.unwrap();
    let (id, path) = (found["operation"].as_str().unwrap(), format!("/{pack}{}", found["path"].as_str().unwrap()));
    let fault = found["errors"].as_array().unwrap().iter().find(|error| error["fault"] == true).unwrap();
    let (error, status) = (fault["error"].as_str().unwrap(), u16::try_from(fault["status"].as_u64().unwrap()).unwrap());
    let rule = json!({ "faults": [{ "operation": id, "error": error }] });
    server.control("PUT", "/faults", Some(rule)).expect(200);
    server.get(&path).expect(status);
    let given = covered(&server);
    assert_eq!((hits(&given, id, &format!("error {error}")), hits(&given, id, &format!("status {status}"))), (1, 1));
    // An answer that does not come whole covers the operation only.
    let rule = json!({ "faults": [{ "operation": id, "fault": "empty-response" }] });
    server.control("PUT", "/faults", Some(rule)).expect(200);
    assert!(server.raw(&request("localhost", "GET", &path, &[], b"")).is_empty());
    let broken = covered(&server);
    assert_eq!(hits(&broken, id, "operation"), 2);
    assert_eq!(exercised(&broken, id), exercised(&given, id));
    server.control("DELETE", "/faults", None);
    let stub = json!({ "request": { "urlPath": path }, "response": { "status": 200 } });
    server.control("POST", "/stubs", Some(stub)).expect(201);
    server.get(&path).expect(200);
    assert_eq!(covered(&server), broken);
}

#[test]
fn each_sandbox_counts_and_the_server_counts_all_with_those_that_are_closed() {
    let server = served();
    for id in ["one", "two"] {
        server.control("POST", "/sandboxes", Some(json!({ "id": id }))).expect(201);
    }
    let list =
        |sandbox: &str| server.call("GET", &format!("/~{sandbox}/reportei/customers"), &[REPORTEI], "").expect(200);
    list("one");
    list("two");
    server.call("GET", "/~two/nowhere", &[], "").expect(404);
    server.api("GET", CUSTOMER, None).expect(200);
    let of = |path: &str| server.get(path).expect(200).json();
    let one = of("/~one/_standin/coverage?of=sandbox");
    assert_eq!((hits(&one, LIST, "operation"), hits(&one, SHOW, "operation")), (1, 0));
    assert_eq!(one["undocumented"]["records"], json!([]));
    let open = of("/_standin/coverage?of=server");
    assert_eq!((hits(&open, LIST, "operation"), hits(&open, SHOW, "operation")), (2, 1));
    server.control("DELETE", "/sandboxes/one", None).expect(204);
    server.control("DELETE", "/sandboxes/two", None).expect(204);
    assert_eq!(of("/_standin/coverage?of=server"), open);
    assert_eq!(hits(&of("/_standin/coverage"), LIST, "operation"), 0);
    server.control("DELETE", "/coverage", None).expect(204);
    let rest = of("/_standin/coverage?of=server");
    assert_eq!((hits(&rest, LIST, "operation"), hits(&rest, SHOW, "operation")), (2, 0));
    server.control("DELETE", "/coverage?of=server", None).expect(204);
    let nothing = of("/_standin/coverage?of=server");
    assert_eq!(nothing["summary"]["items"]["exercised"], 0);
    assert_eq!(nothing["undocumented"], json!({ "records": [], "more": 0 }));
}

#[test]
fn going_back_undoes_no_coverage() {
    let server = served();
    server.control("POST", "/snapshots", Some(json!({ "name": "before" }))).expect(201);
    server.api("GET", "/customers", None).expect(200);
    server.api("POST", "/customers", Some(json!({ "name": "New" }))).expect(201);
    let report = covered(&server);
    server.control("POST", "/rewind", Some(json!({ "to": 1 }))).expect(200);
    assert_eq!(covered(&server), report);
    server.control("POST", "/snapshots/before/restore", None).expect(200);
    assert_eq!(covered(&server), report);
    server.control("POST", "/reset", None).expect(200);
    assert_eq!(covered(&server), report);
    // A fork is another sandbox.
    server.control("POST", "/sandboxes", Some(json!({ "id": "fork", "from": "default" }))).expect(201);
    let fork = server.get("/~fork/_standin/coverage").expect(200).json();
    assert_eq!(fork["summary"]["items"]["exercised"], 0);
}

#[test]
fn what_options_leave_out_is_not_asked_for() {
    let plain = Server::start(&["hubster", "--freeze"]);
    let chosen = Server::with_options("hubster", &["hubster.get-enums=numbers"]);
    let has = |report: &Json, name: &str| {
        let examples = operation(report, "hubster/integrations/get")["examples"].as_array().unwrap();
        examples.iter().any(|example| example["example"] == format!("integrations/get.200.{name}.json"))
    };
    let (plain, numbers) = (covered(&plain), covered(&chosen));
    assert!(!has(&plain, "numbers") && has(&numbers, "numbers"));
    assert!(has(&plain, "messenger-whole") && has(&numbers, "messenger-whole"));
    // In another sandbox of the server it can be had.
    let wish = json!({ "id": "other", "options": { "hubster.get-enums": "strings" } });
    chosen.control("POST", "/sandboxes", Some(wish)).expect(201);
    let all = chosen.control("GET", "/coverage?of=server", None).expect(200).json();
    assert!(has(&all, "numbers") && has(&all, "strings") && !has(&numbers, "strings"));
}

#[test]
fn the_answer_fits_its_schema() {
    let schema: Json = serde_json::from_slice(&fs::read(repository("schemas/report/coverage.json")).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let server = Server::start(&["--freeze"]);
    server.call("POST", "/reportei/customers", &[REPORTEI, crate::server::JSON], "{}").expect(422);
    server.get("/nowhere").expect(404);
    let report = covered(&server);
    assert!(report["packs"].as_array().unwrap().len() >= 4);
    for list in ["undocumented", "violations", "assumed"] {
        assert_eq!(report[list]["records"].as_array().unwrap().len(), 1, "{list}");
    }
    let wrong: Vec<String> =
        schema.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    // It says what is wrong with others.
    for (pointer, value) in
        [("/coverage", json!(2)), ("/packs/0/operations/0/hits", json!(-1)), ("/assumed/more", json!(null))]
    {
        let mut other = report.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        assert!(!schema.is_valid(&other), "{pointer}");
    }
}

#[test]
fn whose_coverage_is_one_of_two_words() {
    let server = served();
    let detail = server.control("GET", "/coverage?of=all", None).problem(400, "coverage-of-unknown");
    assert!(detail.contains("`sandbox` or `server`"), "{detail}");
    server.control("DELETE", "/coverage?of=", None).problem(400, "coverage-of-unknown");
    server.control("GET", "/coverage?off=server", None).problem(400, "query-unknown");
    server.control("POST", "/coverage", None).problem(405, "method-not-allowed");
}

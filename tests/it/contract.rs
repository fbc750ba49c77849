//! Our own answers against the contract: what does not fit its schema is a finding, and a strict server sends neither that
//! nor what is assumed. The pack is a cellar whose schemas say more than the fields of its records.

use serde_json::{Value as Json, json};

use crate::server::{Answer, JSON, Server, case};
use crate::support::{repository, text};

/// A cellar in which one field of the first barrel has this value.
pub(crate) fn cellar(more: &[&str], field: &str, value: &Json) -> Server {
    let server = case("mismatches", more);
    server.control("PATCH", "/state/cellar/barrel/1", Some(json!({ field: value }))).expect(200);
    server
}

pub(crate) fn send(server: &Server, request: &str) -> Answer {
    let mut words = request.splitn(3, ' ');
    let [method, path, body] = [(); 3].map(|()| words.next().unwrap_or_default());
    server.call(method, path, if body.is_empty() { &[] } else { &[JSON] }, body)
}

/// The line of the journal about an answer, and its trace.
pub(crate) fn told(server: &Server, answer: &Answer) -> (Json, Json) {
    let number: u64 = answer.header("standin-entry").unwrap_or_else(|| panic!("{answer}")).parse().unwrap();
    let list = server.control("GET", "/journal", None).expect(200).json();
    let line = list["records"].as_array().unwrap().iter().find(|line| line["entry"] == number);
    let entry = server.control("GET", &format!("/journal/{number}"), None).expect(200).json();
    (line.unwrap_or_else(|| panic!("{list}")).clone(), entry["exchange"]["trace"].clone())
}

/// The steps of a trace with this verdict.
pub(crate) fn steps<'t>(trace: &'t Json, verdict: &str) -> Vec<&'t Json> {
    trace.as_array().unwrap().iter().filter(|step| step["verdict"] == verdict).collect()
}

/// Checks that a place is in this file of the cellar, and leads to the status of an answer.
#[track_caller]
fn leads_to_an_answer(at: &str, file: &str) {
    let (path, line) = at.rsplit_once(':').unwrap();
    assert_eq!(path, format!("tests/cases/format/mismatches/fixtures/cellar/{file}"));
    let page = std::fs::read_to_string(repository(path)).unwrap();
    let line = page.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
    assert!(line.contains("status: "), "{at}: {line}");
}

const LONG: &str = "A name of more than twelve letters";

/// A value of the first barrel's field; a request whose answer shows it, where that answer is said, and the mismatch:
/// pointer, keyword and the schema's place.
fn mismatches() -> Vec<(&'static str, Json, &'static str, &'static str, [&'static str; 3])> {
    let [name, litres] = ["barrel.json#/properties/name/maxLength", "barrel.json#/properties/litres/minimum"];
    let grade = "barrel.json#/$defs/grade/enum";
    vec![
        // A field alone, in a list, and in the answer of an error.
        ("name", json!(LONG), "GET /barrels/1", "barrels/show.yaml", ["/name", "maxLength", name]),
        ("name", json!(LONG), "GET /barrels", "barrels/list.yaml", ["/barrels/0/name", "maxLength", name]),
        ("litres", json!(-1), "GET /barrels/1", "barrels/show.yaml", ["/litres", "minimum", litres]),
        ("litres", json!(-1), "GET /barrels", "barrels/list.yaml", ["/barrels/0/litres", "minimum", litres]),
        ("grade", json!("vinegar"), "GET /barrels/1", "barrels/show.yaml", ["/grade", "enum", grade]),
        ("grade", json!("vinegar"), "POST /barrels/1/sell", "pack.yaml", ["/grade", "enum", grade]),
        // What an expression gives.
        (
            "litres",
            json!(900),
            "GET /barrels",
            "barrels/list.yaml",
            ["/litres", "maximum", "barrels.json#/properties/litres/maximum"],
        ),
        // After a change.
        (
            "grade",
            json!("vinegar"),
            "PUT /barrels/1 {\"name\": \"Ash\"}",
            "barrels/rename.yaml",
            ["/grade", "enum", grade],
        ),
    ]
}

#[test]
fn an_answer_that_breaks_its_schema_is_sent_and_is_a_finding() {
    for (field, value, request, file, [pointer, _, schema]) in mismatches() {
        let server = cellar(&[], field, &value);
        let answer = send(&server, request);
        assert!(matches!(answer.status, 200 | 409), "{request}: {answer}");
        assert_eq!(answer.header("standin-contract"), Some("documented"), "{request}");
        let (line, trace) = told(&server, &answer);
        assert_eq!(line["findings"], 1, "{request}: {line}");
        assert_eq!(line["changes"], json!(usize::from(request.starts_with("PUT"))), "{request}: {line}");
        let failed = steps(&trace, "failed");
        assert_eq!((failed.len(), text(failed[0], "stage")), (1, "check response"), "{request}: {trace}");
        let detail = text(failed[0], "detail");
        assert!(detail.contains(&format!("response `{pointer}`: ")) && detail.contains(schema), "{request}: {detail}");
        leads_to_an_answer(text(failed[0], "at"), file);
        if request.starts_with("GET") {
            // What did not fit the first time is not taken to fit the second time.
            let again = send(&server, request);
            assert_eq!(again.text(), answer.text(), "{request}");
            assert_eq!(told(&server, &again).0["findings"], 1, "{request}");
        }
        // The other barrel breaks nothing, and neither does this one once it is mended.
        let (line, _) = told(&server, &send(&server, "GET /barrels/2"));
        assert_eq!(line["findings"], 0, "{line}");
        server.control("POST", "/reset", None).expect(200);
        let (line, trace) = told(&server, &send(&server, request));
        assert_eq!((&line["findings"], steps(&trace, "failed").len()), (&json!(0), 0), "{request}: {trace}");
    }
}

#[test]
fn a_strict_server_sends_a_problem_instead_and_changes_nothing() {
    for (field, value, request, file, [pointer, keyword, schema]) in mismatches() {
        let server = cellar(&["--strict"], field, &value);
        let watch = server.watch_pack("cellar");
        let answer = send(&server, request);
        let detail = answer.problem(500, "answer-mismatch");
        assert!(detail.starts_with("1 mismatches ") && detail.contains("--strict"), "{detail}");
        let problem = answer.json();
        let [violation] = problem["violations"].as_array().unwrap().as_slice() else { panic!("{answer}") };
        for (key, wanted) in [("in", "response"), ("pointer", pointer), ("keyword", keyword), ("schema", schema)] {
            assert_eq!(violation[key], wanted, "{request}: {answer}");
        }
        assert!(!text(violation, "message").is_empty() && !answer.text().contains(LONG), "{answer}");
        leads_to_an_answer(text(&problem, "at"), file);
        watch.unharmed();
        let (line, trace) = told(&server, &answer);
        for (key, wanted) in [("status", 500), ("findings", 1), ("changes", 0)] {
            assert_eq!(line[key], wanted, "{request}: {line}");
        }
        assert_eq!(text(steps(&trace, "failed")[0], "stage"), "check response");
        send(&server, "GET /barrels/2").expect(200);
    }
}

/// What a strict server answers of the same pack: documented answers as they are, also those of which only the body is
/// assumed, and the server's own problems.
#[test]
fn a_strict_server_refuses_what_is_assumed_and_nothing_else() {
    let reason = |answer: &Answer| text(&answer.json(), "reason").to_owned();
    let strict = case("mismatches", &["--strict"]);
    let watch = strict.watch_pack("cellar");
    for (request, why, file) in [
        ("POST /barrels/1/empty", "The page has a button for it and no request.", "barrels/empty.yaml"),
        ("GET /barrels/9", "The page names no barrel that is not there.", "pack.yaml"),
        ("GET /barrels/oak", "The page names no barrel that is not there.", "pack.yaml"),
    ] {
        let answer = send(&strict, request);
        let detail = answer.problem(501, "assumed-answer");
        assert!(detail.contains("--strict"), "{detail}");
        assert_eq!(reason(&answer), why, "{request}");
        leads_to_an_answer(text(&answer.json(), "at"), file);
        let (line, trace) = told(&strict, &answer);
        for (key, wanted) in [("status", 501), ("findings", 0), ("changes", 0)] {
            assert_eq!(line[key], wanted, "{request}: {line}");
        }
        let refused = steps(&trace, "refused");
        let last = refused.last().unwrap_or_else(|| panic!("{trace}"));
        assert_eq!((text(last, "stage"), &last["at"]), ("render", &answer.json()["at"]), "{trace}");
    }
    watch.unharmed();
    let empty = case("mismatches", &[]);
    for (request, status, contract) in [
        ("GET /barrels", 200, "documented"),
        ("PUT /barrels/1 {\"name\": \"Ash\"}", 200, "documented"),
        ("PUT /barrels/1 {}", 422, "documented"),
        ("POST /barrels/2/sell", 409, "documented"),
        ("POST /barrels/1/sell", 200, "documented; body=assumed"),
        ("GET /cellars", 404, "assumed"),
        ("PATCH /barrels/1", 405, "assumed"),
        ("PUT /barrels/1 {", 400, "assumed"),
    ] {
        let [answer, same] = [&strict, &empty].map(|server| send(server, request).expect(status));
        assert_eq!(answer.header("standin-contract"), Some(contract), "{request}: {answer}");
        assert_eq!(answer.text(), same.text().replace(&empty.url(), &strict.url()), "{request}");
    }
}

#[test]
fn without_strict_an_assumed_answer_is_given_and_does_what_it_says() {
    let server = case("mismatches", &[]);
    let answer = send(&server, "POST /barrels/1/empty").expect(200);
    assert_eq!((answer.header("standin-contract"), &answer.json()["litres"]), (Some("assumed"), &json!(0)));
    assert_eq!(server.state("cellar")["barrel"]["records"][0]["litres"], 0);
    send(&server, "GET /barrels/9").expect(404);
}

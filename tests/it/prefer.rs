//! `Prefer`, and its twins in the query: any answer that an operation has, by status or name, and strict handling.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;
use serde_json::{Value as Json, json};

use crate::contract::{cellar, send, steps, told};
use crate::documented::fragments_of;
use crate::server::{Answer, REPORTEI, Server, case};
use crate::support::{repository, text};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

/// Asks as nobody.
fn prefer(server: &Server, request: &str, preference: &str) -> Answer {
    let (method, path) = request.split_once(' ').unwrap();
    server.call(method, path, &[("Prefer", preference)], "")
}

fn applied(answer: &Answer) -> Option<&str> {
    answer.header("preference-applied")
}

/// The bytes of a file of a pack.
fn file(path: &str) -> Vec<u8> {
    fs::read(repository("fixtures").join(path)).unwrap()
}

#[track_caller]
fn shows(answer: &Answer, status: u16, path: &str) {
    assert_eq!((answer.status, answer.text()), (status, String::from_utf8(file(path)).unwrap()), "{path}");
}

// ---- what is picked ----

/// What the client says comes before who it is: nobody is asked for a token, and no record is looked for.
#[test]
fn a_status_picks_an_answer_without_credentials_and_changes_nothing() {
    let server = start();
    let watch = server.watch();
    let one = format!("/customers/{FIRST}");
    for (request, code, path) in [
        (format!("GET {one}"), 200, "reportei/customers/show.200.json"),
        (format!("GET {one}"), 404, "reportei/errors/customer-not-found.json"),
        (format!("DELETE {one}"), 200, "reportei/customers/delete.200.json"),
        ("GET /customers".to_owned(), 401, "reportei/errors/unauthenticated.json"),
        ("POST /customers".to_owned(), 201, "reportei/customers/create.201.json"),
        ("POST /customers".to_owned(), 415, "reportei/errors/unsupported-media-type.json"),
    ] {
        let answer = prefer(&server, &request, &format!("code={code}"));
        shows(&answer, code, path);
        assert_eq!(applied(&answer), Some(format!("code={code}").as_str()), "{request}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{request}");
        let (line, trace) = told(&server, &answer);
        assert_eq!((&line["changes"], &line["findings"]), (&json!(0), &json!(0)), "{request}: {line}");
        let stages: Vec<&str> = trace.as_array().unwrap().iter().map(|step| text(step, "stage")).collect();
        assert_eq!(stages[..2], ["route", "prefer"], "{trace}");
        assert!(!stages.contains(&"authenticate"), "{trace}");
    }
    watch.unharmed();
    assert_eq!(server.api("GET", &one, None).expect(200).json()["customer"]["uuid"], FIRST);
}

/// In the order in which a request would meet them; the others are asked for by name.
#[test]
fn of_several_answers_with_a_status_the_first_is_given_and_each_has_a_name() {
    let server = start();
    let session = "POST /customer-integrations/session";
    shows(&prefer(&server, session, "code=401"), 401, "reportei/errors/unauthenticated.json");
    for preference in
        ["example=trial-ended", "code=401, example=trial-ended", "example=create-session.401.trial-ended.json"]
    {
        let answer = prefer(&server, session, preference);
        shows(&answer, 401, "reportei/customer-integrations/create-session.401.trial-ended.json");
        assert_eq!(applied(&answer), Some(preference));
        assert_eq!(answer.header("standin-operation"), Some("reportei/customer-integrations/create-session"));
    }
    // By the name of the error, where the operation has no example of it.
    let answer = prefer(&server, session, "example=unauthenticated");
    shows(&answer, 401, "reportei/errors/unauthenticated.json");
}

#[test]
fn two_examples_of_one_answer_are_two_names() {
    let server = Server::start(&["hubster", "--freeze"]);
    let get = "GET /api/v1/integrations/nothing-like-an-id";
    for (name, path) in [("slack-whole", "get.200.slack-whole.json"), ("web-chat-whole", "get.200.web-chat-whole.json")]
    {
        for said in [name, path] {
            let answer = prefer(&server, get, &format!("example={said}"));
            shows(&answer, 200, &format!("hubster/integrations/{path}"));
            assert_eq!(answer.header("standin-contract"), Some("documented"));
        }
    }
    shows(&prefer(&server, get, "code=200"), 200, "hubster/integrations/get.200.json");
    // The page shows a part of this answer only, which is no answer.
    prefer(&server, get, "example=slack").problem(400, "preference-unknown");
}

/// Which one that is what is the same every time tells: words and codes that stand in the pack.
#[test]
fn an_example_has_the_contract_of_the_answer_that_it_shows() {
    let server = Server::start(&["hubster", "--freeze"]);
    for (id, name, contract) in [
        ("hubster/hubs/create", "name-taken", "documented"),
        ("hubster/hubs/create", "invalid", "documented; body=assumed"),
        ("hubster/integrations/create", "channel-taken", "documented"),
        ("hubster/integrations/create", "create.400.twice.json", "assumed"),
    ] {
        let path = server.operation(id)["path"].as_str().unwrap().to_owned();
        let answer = prefer(&server, &format!("POST {path}"), &format!("example={name}")).expect(400);
        assert_eq!(answer.header("standin-contract"), Some(contract), "{id} {name}");
    }
}

#[test]
fn errors_that_faults_and_limits_give_are_answers_too() {
    let server = Server::start(&["optimizeplayer", "--freeze"]);
    let list = server.operation("optimizeplayer/integrations/list");
    let answer = prefer(&server, &format!("GET {}", text(&list, "path")), "example=maintenance");
    shows(&answer, 503, "optimizeplayer/errors/maintenance.json");
    assert_eq!(answer.header("standin-operation"), Some("optimizeplayer/integrations/list"));
    // Nobody is limited here, and nothing is counted.
    let answer = prefer(&server, &format!("GET {}", text(&list, "path")), "code=429");
    shows(&answer, 429, "optimizeplayer/errors/too-many-requests.json");
}

#[test]
fn pages_and_texts_are_sent_as_what_they_are() {
    let server = start();
    let answer = prefer(&server, "GET /customer-integrations/session/nowhere", "example=nothing-connected");
    shows(&answer, 200, "reportei/customer-integrations/session-page.200.nothing-connected.html");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let answer = prefer(&server, "GET /customer-integrations/session/nowhere", "code=404");
    shows(&answer, 404, "reportei/customer-integrations/session-page.404.html");
}

/// Every example of every pack, by the name of its file, and every status that a problem lists.
#[test]
fn everything_that_is_listed_can_be_had() {
    let server = Server::start(&["--freeze"]);
    let parameter = Regex::new(r"\{[^}]*\}").unwrap();
    let mut seen = 0;
    for pack in ["capillary", "hubster", "optimizeplayer", "reportei"] {
        let watch = server.watch_pack(pack);
        let fragments = fragments_of(pack);
        let shown = server.control("GET", &format!("/packs/{pack}"), None).expect(200).json();
        // An operation that an option calls into being is not there.
        let there = shown["operations"].as_array().unwrap().iter().filter(|operation| operation["option"].is_null());
        for operation in there {
            let id = text(operation, "id");
            let path = parameter.replace_all(text(operation, "path"), "x").into_owned();
            let request = format!("{} /{pack}{path}", text(operation, "method"));
            let examples: Vec<&Json> = operation["examples"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|example| !example["status"].is_null())
                .collect();
            let problem = prefer(&server, &request, "code=599");
            problem.problem(400, "preference-unknown");
            let problem = problem.json();
            let files: BTreeSet<&str> =
                problem["examples"].as_array().unwrap().iter().filter_map(|example| example["file"].as_str()).collect();
            for example in examples {
                let path = text(example, "path");
                let name = path.rsplit('/').next().unwrap();
                if fragments.contains_key(&format!("{pack}/{path}")) {
                    assert!(!files.contains(name), "{path} is a part of an answer");
                    continue;
                }
                assert!(files.contains(name), "{id} has no {name}: {problem}");
                let answer = prefer(&server, &request, &format!("example={name}"));
                shows(&answer, u16::try_from(example["status"].as_u64().unwrap()).unwrap(), &format!("{pack}/{path}"));
                seen += 1;
            }
            for code in problem["codes"].as_array().unwrap() {
                let answer = prefer(&server, &request, &format!("code={code}"));
                assert_eq!(json!(answer.status), *code, "{id}: {answer}");
            }
            for named in problem["examples"].as_array().unwrap().iter().filter(|example| !example["name"].is_null()) {
                let preference = format!("code={}, example=\"{}\"", named["code"], text(named, "name"));
                assert_eq!(json!(prefer(&server, &request, &preference).status), named["code"], "{id}: {named}");
            }
        }
        watch.unharmed();
    }
    assert!(seen > 200, "{seen} examples");
}

/// Which of them is meant would be known by the body only.
#[test]
fn operations_on_one_path_offer_what_each_of_them_has() {
    let server = Server::start(&["hubster", "--freeze"]);
    let update = "POST /api/v1/integrations/hubs/x";
    for name in ["update.200.slack.json", "update-system.200.json", "update-web-chat.200.json"] {
        let answer = prefer(&server, update, &format!("example={name}"));
        shows(&answer, 200, &format!("hubster/integrations/{name}"));
        let operation = format!("hubster/integrations/{}", name.split('.').next().unwrap());
        assert_eq!(answer.header("standin-operation"), Some(operation.as_str()));
    }
}

#[test]
fn head_has_the_head_of_what_get_would_have() {
    let server = start();
    let path = format!("/customers/{FIRST}");
    let (get, head) =
        (prefer(&server, &format!("GET {path}"), "code=404"), prefer(&server, &format!("HEAD {path}"), "code=404"));
    assert_eq!((head.status, head.body.len(), applied(&head)), (404, 0, Some("code=404")));
    assert_eq!(head.header("content-length"), get.header("content-length"));
}

// ---- how it is asked for ----

#[test]
fn twins_in_the_query_mean_the_same_and_are_no_part_of_what_the_api_is_asked() {
    let server = start();
    let answer = server.get("/customers?__code=401");
    shows(&answer, 401, "reportei/errors/unauthenticated.json");
    assert_eq!(applied(&answer), Some("code=401"));
    let answer = server.get(&format!("/customers/{FIRST}?x=1&__example=unknown&__code=404"));
    shows(&answer, 404, "reportei/customers/show.404.unknown.json");

    // What an API is asked, and what it says of that, is the same without them.
    let plain = server.api("GET", "/customers?per_page=1", None).expect(200);
    let twin = server.api("GET", "/customers?__dynamic=true&per_page=1", None).expect(200);
    assert_eq!(twin.body, plain.body);
    assert_eq!((applied(&twin), applied(&plain)), (Some("dynamic=true"), None));
    let (_, trace) = told(&server, &twin);
    assert!(!trace.to_string().contains("__dynamic"), "{trace}");
    let (_, trace) = told(&server, &server.api("GET", "/customers?__other=1", None).expect(200));
    assert!(trace.to_string().contains("`__other`"), "only those three are taken out: {trace}");
    server.api("GET", "/customers?__dynamic=true&per_page=word", None).expect(422);
}

#[test]
fn header_and_query_must_agree() {
    let server = start();
    let both = |query: &str, header: &str| prefer(&server, &format!("GET /customers?{query}"), header);
    assert_eq!(applied(&both("__code=401", "code=401").expect(401)), Some("code=401"));
    assert_eq!(applied(&both("__code=401", "example=no-token").expect(401)), Some("code=401, example=no-token"));
    let detail = both("__code=200", "code=401").problem(400, "preferences-disagree");
    assert!(detail.contains("code=`401`") && detail.contains("__code=`200`"), "{detail}");
    both("__example=a", "example=b").problem(400, "preferences-disagree");
    both("__dynamic=true", "dynamic=false").problem(400, "preferences-disagree");
}

#[test]
fn the_header_is_read_as_its_rfc_says() {
    let server = start();
    let lines = [("Prefer", "respond-async, CODE = 401 ;x=y"), ("prefer", "code=404, example=\"no-token\"")];
    let answer = server.call("GET", "/customers", &lines, "").expect(401);
    assert_eq!(applied(&answer), Some("code=401, example=no-token"), "of two the first counts");
    for others in ["respond-async, wait=10", "return=minimal", "handling=odd", ", ,;=", "foo=\"code=401\""] {
        let answer = server.call("GET", "/customers", &[REPORTEI, ("Prefer", others)], "").expect(200);
        assert_eq!(applied(&answer), None, "{others}");
        let (_, trace) = told(&server, &answer);
        assert!(!trace.to_string().contains("prefer"), "{trace}");
    }
    let huge = format!("example={}", "x".repeat(60_000));
    let answer = prefer(&server, "GET /customers", &huge);
    let detail = answer.problem(400, "preference-unknown");
    assert!(detail.len() < 400, "{detail}");
    let many = vec!["wait=1"; 9000].join(",") + ",code=401";
    prefer(&server, "GET /customers", &many).expect(401);
}

#[test]
fn what_does_not_exist_is_refused_with_what_does() {
    let server = start();
    let watch = server.watch();
    let ask = |preference: &str| prefer(&server, "DELETE /customers/x", preference);
    let answer = ask("code=418");
    let detail = answer.problem(400, "preference-unknown");
    assert!(detail.contains("418"), "{detail}");
    let problem = answer.json();
    let codes: Vec<u64> = problem["codes"].as_array().unwrap().iter().map(|code| code.as_u64().unwrap()).collect();
    assert!(codes.contains(&200) && codes.contains(&401) && codes.contains(&404), "{problem}");
    let examples = problem["examples"].as_array().unwrap();
    assert!(examples.contains(&json!({ "code": 200, "name": null, "file": "delete.200.json" })), "{problem}");
    assert!(examples.contains(&json!({ "code": 404, "name": "customer-not-found" })), "{problem}");
    assert_eq!((applied(&answer), answer.header("standin-operation")), (None, Some("reportei/customers/delete")));
    let (line, trace) = told(&server, &answer);
    assert_eq!((&line["changes"], text(steps(&trace, "refused")[0], "stage")), (&json!(0), "prefer"));

    let detail = ask("example=customer-not-fuond").problem(400, "preference-unknown");
    assert!(detail.contains("Did you mean `customer-not-found`?"), "{detail}");
    let detail = ask("code=401, example=customer-not-found").problem(400, "preference-unknown");
    assert!(detail.contains("`customer-not-found` is an answer with 404, not with 401"), "{detail}");
    for wrong in
        ["code", "code=", "code=2e2", "code=99", "code=1000", "code=+40", "code=\"4 4\"", "code=-1", "code=099"]
    {
        let detail = ask(wrong).problem(400, "preference-unknown");
        assert!(detail.contains("three digits"), "{wrong}: {detail}");
    }
    for wrong in ["dynamic", "dynamic=1", "dynamic=True"] {
        let detail = ask(wrong).problem(400, "preference-unknown");
        assert!(detail.contains("`true` or `false`"), "{wrong}: {detail}");
    }
    ask("example=../pack.yaml").problem(400, "preference-unknown");
    watch.unharmed();
}

#[test]
fn dynamic_false_shows_the_documented_answer_and_true_the_usual_one() {
    let server = start();
    let watch = server.watch();
    let answer = prefer(&server, "DELETE /customers/x", "dynamic=false");
    shows(&answer, 200, "reportei/customers/delete.200.json");
    assert_eq!(applied(&answer), Some("dynamic=false"));
    let answer = prefer(&server, "POST /customers", "dynamic=false, code=201");
    shows(&answer, 201, "reportei/customers/create.201.json");
    assert_eq!(applied(&answer), Some("code=201, dynamic=false"));
    let answer = prefer(&server, "GET /customers", "dynamic=true").expect(401);
    assert_eq!(applied(&answer), Some("dynamic=true"));
    // What is picked is the documented answer, so this cannot be followed.
    assert_eq!(applied(&prefer(&server, "GET /customers", "code=401, dynamic=true")), Some("code=401"));
    watch.unharmed();
}

#[test]
fn paths_that_no_operation_has_and_the_control_plane_know_no_preferences() {
    let server = start();
    for (request, status, slug) in
        [("GET /nothing", 404, "no-operation"), ("PATCH /customers", 405, "method-not-allowed")]
    {
        let [with, without] = ["code=200, handling=strict", "x"].map(|preference| prefer(&server, request, preference));
        with.problem(status, slug);
        assert_eq!((with.body.clone(), applied(&with)), (without.body, None), "{request}");
    }
    assert_eq!(applied(&prefer(&server, "GET /_standin", "code=404").expect(200)), None);
}

#[test]
fn pages_of_other_origins_may_ask_and_see_what_was_followed() {
    let server = start();
    let origin = ("Origin", "https://app.example");
    let asks = [origin, ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "prefer")];
    let answer = server.call("OPTIONS", "/customers", &asks, "").expect(204);
    assert_eq!(answer.header("access-control-allow-headers"), Some("prefer"));
    let answer = server.call("GET", "/customers", &[origin, ("Prefer", "code=401")], "").expect(401);
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(exposed.split(", ").any(|name| name == "preference-applied"), "{exposed}");
}

// ---- handling ----

const STRICT: (&str, &str) = ("Prefer", "handling=strict");

#[test]
fn one_request_is_handled_as_a_strict_server_handles_all() {
    let server = cellar(&[], "litres", &json!(900));
    let watch = server.watch_pack("cellar");
    let answer = server.call("GET", "/barrels", &[STRICT], "");
    let detail = answer.problem(500, "answer-mismatch");
    assert!(detail.contains("handling=strict"), "{detail}");
    assert_eq!(applied(&answer), Some("handling=strict"));
    let answer = server.call("POST", "/barrels/2/empty", &[STRICT], "");
    answer.problem(501, "assumed-answer");
    assert_eq!(applied(&answer), Some("handling=strict"));
    watch.unharmed();
    let (_, trace) = told(&server, &answer);
    assert!(steps(&trace, "passed").iter().any(|step| text(step, "stage") == "prefer"), "{trace}");

    // The next one is handled as ever, and so is one that says so.
    let lenient = ("Prefer", "handling=lenient");
    assert_eq!(applied(&send(&server, "GET /barrels").expect(200)), None);
    assert_eq!(applied(&server.call("GET", "/barrels", &[lenient], "").expect(200)), Some("handling=lenient"));
    assert_eq!(applied(&server.call("GET", "/barrels/2", &[STRICT], "").expect(200)), Some("handling=strict"));
    server.call("POST", "/barrels/2/empty", &[("Prefer", "handling=lenient, handling=strict")], "").expect(200);
}

#[test]
fn a_strict_server_stays_strict_and_sends_no_assumed_answer_by_preference() {
    let server = case("mismatches", &["--strict"]);
    let answer = server.call("POST", "/barrels/1/empty", &[("Prefer", "handling=lenient")], "");
    answer.problem(501, "assumed-answer");
    assert_eq!(applied(&answer), None);
    for preference in ["code=200", "example=empty.200.json", "dynamic=false"] {
        let answer = prefer(&server, "POST /barrels/1/empty", preference);
        answer.problem(501, "assumed-answer");
        assert_eq!(applied(&answer), None, "{preference}");
    }
    let plain = case("mismatches", &[]);
    let answer = prefer(&plain, "POST /barrels/1/empty", "code=200").expect(200);
    assert_eq!(answer.header("standin-contract"), Some("assumed"));
    prefer(&plain, "POST /barrels/1/empty", "code=200, handling=strict").problem(501, "assumed-answer");
    let answer = prefer(&plain, "GET /barrels", "code=200, handling=strict").expect(200);
    assert_eq!(applied(&answer), Some("code=200, handling=strict"));
    assert_eq!(
        answer.body,
        fs::read(repository("tests/cases/format/mismatches/fixtures/cellar/barrels/list.200.json")).unwrap()
    );
}

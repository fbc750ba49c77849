//! The index and the reference, and what the control plane says for them.

use std::fs;

use serde_json::{Value as Json, json};

use crate::server::{Server, case};
use crate::support::{replace, repository, text, write};

const HTML: (&str, &str) = ("Accept", "text/html,*/*;q=0.8");

fn packs(server: &Server) -> Vec<String> {
    let list = server.control("GET", "/packs", None).expect(200).json();
    list["records"].as_array().unwrap().iter().map(|pack| text(pack, "name").to_owned()).collect()
}

/// Every operation of a pack, as the list has it.
fn operations(server: &Server, pack: &str) -> Vec<Json> {
    let pack = server.control("GET", &format!("/packs/{pack}"), None).expect(200).json();
    pack["operations"].as_array().unwrap().clone()
}

fn detail(server: &Server, id: &str) -> Json {
    let (pack, own) = id.split_once('/').unwrap();
    server.control("GET", &format!("/packs/{pack}/operations/{own}"), None).expect(200).json()
}

#[test]
fn every_operation_has_a_page_and_a_whole_description() {
    let server = Server::start(&["--freeze"]);
    let mut seen = 0;
    for pack in packs(&server) {
        server.get(&format!("/_standin/ui/reference/{pack}")).expect(200);
        for listed in operations(&server, &pack) {
            let id = text(&listed, "id");
            let page = server.get(&format!("/_standin/ui/reference/{id}")).expect(200).text();
            assert!(page.contains("Answers</h2>"), "{id}");
            let detail = detail(&server, id);
            assert_eq!(detail["title"], listed["title"]);
            let named = detail["answers"].as_array().unwrap().iter().map(|answer| &answer["schema"]);
            for name in named.chain([&detail["request"]["schema"]]).filter_map(Json::as_str) {
                let document = name.split('#').next().unwrap();
                assert!(detail["schemas"][document].is_object(), "{id} names {name}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 51);
}

#[test]
fn documented_requests_are_sent_again_as_they_are_told() {
    let server = Server::start(&["--freeze"]);
    let mut sent = 0;
    for pack in packs(&server) {
        for listed in operations(&server, &pack) {
            let detail = detail(&server, text(&listed, "id"));
            let seeded = |request: &&Json| request["seeded"] == true && !request["status"].is_null();
            for request in detail["requests"].as_array().unwrap().iter().filter(seeded) {
                let command = text(request, "curl");
                // An operation that only an option brings is not there.
                if detail["there"] == false || request["template"] != detail["path"] {
                    continue;
                }
                let output = std::process::Command::new("sh")
                    .args(["-c", &format!("{command} -o /dev/null -w '%{{http_code}}'")])
                    .output()
                    .unwrap();
                let status: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
                assert_eq!(status, request["status"], "{}: {command}", request["example"]);
                server.control("POST", "/reset", None).expect(200);
                sent += 1;
            }
        }
    }
    assert!(sent > 80, "only {sent} were sent");
}

#[test]
fn answers_name_their_examples_and_can_be_asked_for() {
    let server = Server::start(&["--freeze", "reportei"]);
    let detail = detail(&server, "reportei/customers/create");
    let answers = detail["answers"].as_array().unwrap();
    assert_eq!(answers[0]["examples"], json!(["customers/create.201.json"]));
    for answer in answers {
        let asked = server.call("POST", "/customers", &[("Prefer", text(answer, "prefer"))], "");
        assert_eq!(json!(asked.status), answer["status"], "{asked}");
    }
    assert_eq!(detail["effects"][0]["set"]["trial_ends_at"], "= now + days(7)");
    assert_eq!(detail["auth"], json!({ "scheme": "merchant" }));
}

#[test]
fn options_pages_and_webhooks_of_an_operation_are_told() {
    let server = Server::start(&["--freeze"]);
    let update = detail(&server, "hubster/integrations/update");
    assert_eq!(update["options"], json!(["put-update"]));
    let list = detail(&server, "reportei/customers/list");
    assert_eq!((&list["list"]["from"], &list["list"]["page"]), (&json!("customer"), &json!("query.page")));
    let asynchronous = detail(&server, "reportei/metrics/get-data-async");
    assert_eq!(asynchronous["webhooks"], json!(["collected"]));
    let form = detail(&server, "optimizeplayer/integrations/list-form");
    assert_eq!(form["there"], false);
}

#[test]
fn what_is_not_there_is_said_with_what_was_meant() {
    let server = Server::start(&["--freeze"]);
    let told = server.control("GET", "/packs/reportei/operations/customers/creat", None);
    assert!(told.problem(404, "operation-unknown").contains("Did you mean `customers/create`?"), "{told}");
    server.control("GET", "/packs/nobody/operations/a/b", None).problem(404, "pack-unknown");
    for path in ["nobody", "reportei/customers", "reportei/customers/none", "reportei/%3Cb%3E/x", "reportei/a/%2e%2e/b"]
    {
        let page = server.get(&format!("/_standin/ui/reference/{path}")).expect(404).text();
        assert!(!page.contains("<b>"), "{page}");
    }
    let page = server.get("/_standin/ui/reference?q=%3Cscript%3E").expect(200).text();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
}

#[test]
fn the_index_is_for_people_and_json_for_programs() {
    let server = Server::start(&["--freeze"]);
    let page = server.call("GET", "/", &[HTML], "").expect(200);
    assert!(page.text().contains("4 APIs, on this machine"), "{page}");
    assert!(server.get("/").expect(200).json()["packs"].is_array());
    // A server of one pack has the API there.
    let one = Server::start(&["--freeze", "reportei"]);
    assert!(!one.call("GET", "/", &[HTML], "").text().contains("on this machine"));
    assert!(one.get("/_standin/ui/index").expect(200).text().contains("1 API, on this machine"));
}

#[test]
fn the_url_by_host_is_told_where_it_leads_here() {
    let server = Server::start(&["--freeze", "--allow-host", "standin.example"]);
    let of = |host: &str, path: &str| {
        server.call("GET", &format!("{path}/_standin/packs/reportei"), &[("Host", host)], "").expect(200).json()
    };
    assert_eq!(of("127.0.0.1:4010", "")["hostUrl"], "http://reportei.localhost:4010");
    assert_eq!(of("[::1]:4010", "")["hostUrl"], "http://reportei.localhost:4010");
    assert_eq!(of("standin.example", "")["hostUrl"], Json::Null);
    server.control("POST", "/sandboxes", Some(json!({ "id": "alice" }))).expect(201);
    assert_eq!(of("localhost:4010", "/~alice")["hostUrl"], "http://alice.reportei.localhost:4010");
}

#[test]
fn packs_of_every_kind_have_pages() {
    for folder in fs::read_dir(repository("tests/cases/format")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let server = case(&name, &[]);
        server.get("/_standin/ui/index").expect(200);
        for pack in packs(&server) {
            server.get(&format!("/_standin/ui/reference/{pack}")).expect(200);
            for operation in operations(&server, &pack) {
                server.get(&format!("/_standin/ui/reference/{}", text(&operation, "id"))).expect(200);
            }
        }
    }
}

#[test]
fn the_words_of_a_pack_are_text() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "\"<script>harm()</script> `<b>` '\\\"\"";
    write(folder.path(), "fixtures/bad/pack.yaml", &format!("pack: bad\ntitle: {hostile}\ndescription: {hostile}\n"));
    let operation = "operation: TITLE\nrequest: GET /things\ndescription: TITLE\nnotes: TITLE\nassumed: TITLE\nrespond:\n  \
                     status: 200\n  like: list.200.json\n  static: TITLE\n";
    write(folder.path(), "fixtures/bad/things/list.yaml", operation);
    write(folder.path(), "fixtures/bad/things/list.200.json", "{\"a\": \"</code><script>harm()</script>\"}\n");
    replace(&folder.path().join("fixtures/bad/things/list.yaml"), "operation: TITLE", &format!("operation: {hostile}"));
    for key in ["description", "notes", "assumed"] {
        let path = folder.path().join("fixtures/bad/things/list.yaml");
        replace(&path, &format!("{key}: TITLE"), &format!("{key}: {hostile}"));
    }
    let [fixtures, schemas] = ["fixtures", "schemas"].map(|part| folder.path().join(part).display().to_string());
    fs::create_dir_all(&schemas).unwrap();
    let server = Server::start(&["--freeze", "--fixtures", &fixtures, "--schemas", &schemas, "bad"]);
    for path in ["index", "reference", "reference/bad", "reference/bad/things/list"] {
        let page = server.get(&format!("/_standin/ui/{path}")).expect(200).text();
        assert!(page.contains("&lt;script&gt;harm()"), "{path}: {page}");
        assert!(!page.contains("<script>harm") && !page.contains("<b>"), "{path}: {page}");
    }
}

//! What cannot be recorded is refused, with what to do about it.

use std::fs;
use std::net::TcpListener;

use serde_json::json;

use super::say;
use crate::receiver::{Receiver, Say};
use crate::server::{JSON, REPORTEI, Server};

#[track_caller]
fn refused(server: &Server, sandbox: &str, words: &[&str]) {
    let url = server.url();
    let said = say(&["record", "--target", &url, "--sandbox", sandbox]);
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
    assert!(said.errors.starts_with("error: "), "{said:?}");
    for words in words {
        assert!(said.errors.contains(words), "{words}: {said:?}");
    }
}

#[test]
fn a_log_without_its_beginning_is_no_story() {
    let server = Server::start(&["reportei", "--freeze", "--max-journal-entries", "2"]);
    refused(&server, "default", &["nothing has happened in the sandbox", "Call its packs first"]);
    for _ in 0..2 {
        server.api("GET", "/customers", None).expect(200);
    }
    let told = say(&["record", "--target", &server.url()]);
    assert_eq!(told.code, 0, "{told:?}");
    server.api("GET", "/customers", None).expect(200);
    refused(&server, "default", &["truncated: its first 1 entries", "--max-journal-entries", "record earlier"]);
    let answer = server.control("GET", "/log?format=scenario", None);
    assert!(answer.problem(409, "log-untellable").contains("truncated"), "{answer}");
}

#[test]
fn a_sandbox_that_began_with_something_is_no_new_one() {
    let server = Server::start(&["reportei", "--freeze"]);
    server.api("POST", "/customers", Some(json!({ "name": "One" }))).expect(201);
    let fork = json!({ "id": "fork", "from": "default", "seed": 9 });
    server.control("POST", "/sandboxes", Some(fork)).expect(201);
    server.call("GET", "/~fork/reportei/customers", &[REPORTEI], "").expect(200);
    refused(&server, "fork", &["did not begin as a new one does", "another seed", "POST /_standin/reset"]);
    let today = Server::start(&["reportei", "--freeze", "--clock", "now"]);
    today.api("GET", "/customers", None).expect(200);
    refused(&today, "default", &["--clock now"]);
}

#[test]
fn a_target_that_cannot_be_asked_is_named() {
    let server = Server::start(&["reportei", "--freeze", "--token", "let-me-in-please-1"]);
    let url = server.url();
    let asked = |arguments: &[&str]| say(&[&["record", "--target", &url][..], arguments].concat());
    for (arguments, words) in [
        (&["--token", "let-me-out-please"][..], "--token, or STANDIN_TOKEN"),
        (&[], "--token, or STANDIN_TOKEN"),
        (&["--token", "let-me-in-please-1", "--sandbox", "nobody"], "There is no sandbox `nobody`"),
        (&["--token", "let-me-in-please-1"], "nothing has happened"),
    ] {
        let said = asked(arguments);
        assert!(said.code == 1 && said.out.is_empty() && said.errors.contains(words), "{words}: {said:?}");
        assert!(!said.errors.contains("let-me-out-please"), "{said:?}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = say(&["record", "--target", &format!("http://{nobody}")]);
    assert!(said.code == 1 && said.errors.contains("standin serve"), "{said:?}");
    let said = say(&["record", "--target", "nowhere at all"]);
    assert!(said.code == 2 && said.errors.contains("this is no URL of a server"), "{said:?}");
}

/// A server of another version tells what this one may not understand.
#[test]
fn a_server_of_another_version_is_named() {
    let index = "{\"version\":\"0.0.1\"}";
    let other = Receiver::new([Say::answer(200, &[("Content-Type", "application/json")], index)]);
    let said = say(&["record", "--target", &other.url("")]);
    let words = format!("is standin 0.0.1, and this is {}", env!("CARGO_PKG_VERSION"));
    assert!(said.code == 1 && said.out.is_empty() && said.errors.contains(&words), "{said:?}");
    assert_eq!(other.heard().len(), 1);
}

/// No file is written that could not be read.
#[test]
fn a_story_that_is_too_long_is_refused() {
    let server = Server::start(&["reportei", "--freeze"]);
    for _ in 0..1001 {
        server.get("/");
    }
    refused(&server, "default", &["would have 1001 steps, and 1000 is the most"]);
}

/// Somebody's file stays what it is, also where nothing comes of the recording.
#[test]
fn a_file_that_is_there_stays() {
    let server = Server::start(&["reportei", "--freeze"]);
    server.api("GET", "/customers", None).expect(200);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.yaml");
    fs::write(&file, "mine").unwrap();
    let (path, url) = (file.to_str().unwrap(), server.url());
    let said = say(&["record", "--target", &url, "--output", path]);
    assert_eq!(said.errors, format!("error: {path} is there already: name another file, or say --force\n"));
    assert_eq!((said.code, fs::read_to_string(&file).unwrap().as_str()), (2, "mine"));
    let said = say(&["record", "--target", &url, "--output", path, "--force", "--sandbox", "nobody"]);
    assert_eq!((said.code, fs::read_to_string(&file).unwrap().as_str()), (1, "mine"));
    let said = say(&["record", "--target", &url, "--output", path, "--force"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(fs::read_to_string(&file).unwrap().starts_with("scenario: "));
    let nowhere = folder.path().join("no/such/folder.yaml");
    let said = say(&["record", "--target", &url, "--output", nowhere.to_str().unwrap()]);
    assert!(said.code == 2 && said.errors.contains("cannot be written"), "{said:?}");
}

/// What a scenario has no words for is named by its entry.
#[test]
fn entries_that_cannot_be_told_are_named() {
    let server = Server::start(&["reportei", "--freeze"]);
    server.api("GET", "/customers", None).expect(200);
    server.call("PURGE", "/customers", &[REPORTEI], "").expect(405);
    let mappings = json!({ "mappings": [], "importOptions": { "deleteAllNotInImport": true } }).to_string();
    server.call("POST", "/__admin/mappings/import", &[JSON], mappings).expect(200);
    refused(&server, "default", &["entry 2: `PURGE` is no method", "entry 3: stubs were put"]);
}

#[test]
fn parameters_that_mean_nothing_for_a_scenario_are_refused() {
    let server = Server::start(&["reportei", "--freeze"]);
    server.api("GET", "/customers", None).expect(200);
    for query in [
        "format=scenario&secrets=show",
        "format=scenario&limit=1",
        "format=scenario&after=1",
        "name=x",
        "format=bundle&name=x",
    ] {
        server.control("GET", &format!("/log?{query}"), None).problem(400, "format-invalid");
    }
    let long = "x".repeat(201);
    for name in [long.as_str(), "a%0Ab"] {
        server.control("GET", &format!("/log?format=scenario&name={name}"), None).problem(400, "name-invalid");
    }
    let named = server.control("GET", "/log?format=scenario&name=%20A%20day%20", None).expect(200).text();
    assert!(named.starts_with("scenario: A day\n"), "{named}");
}

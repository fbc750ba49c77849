//! WireMock's own clients steer standin: what they make of its answers is for them to say.

use std::path::Path;
use std::process::Command;

use super::*;
use crate::support::repository;

/// Runs a script of a consumer in a sandbox of its own.
fn driven(folder: &str, program: &Path, script: &str, install: &str) -> String {
    let consumer = repository(folder);
    let server = Server::start(&["--freeze"]);
    server.control("POST", "/sandboxes", Some(json!({ "id": "driven" }))).expect(201);
    let output =
        Command::new(program).arg(script).arg(format!("{}/~driven", server.url())).current_dir(&consumer).output();
    let output =
        output.unwrap_or_else(|error| panic!("{program:?} is not there: {error}; run `{install}` in {folder}"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}\n(if the client is missing: run `{install}` in {folder})");
    // It was this sandbox that was driven, and no other.
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0);
    said
}

#[test]
fn the_client_from_pypi_drives_stubs_and_journal() {
    let python = repository("tests/consumers/wiremock-python/venv/bin/python");
    let install = "python3 -m venv venv && venv/bin/pip install --require-hashes -r requirements.txt";
    let said = driven("tests/consumers/wiremock-python", &python, "drive.py", install);
    assert_eq!(said, "driven by wiremock from PyPI\n");
}

#[test]
fn the_clients_from_npm_drive_stubs_and_journal() {
    let said = driven("tests/consumers/wiremock-node", Path::new("node"), "drive.js", "npm ci");
    assert_eq!(said, "driven by wiremock-captain and wiremock-rest-client from npm\n");
}

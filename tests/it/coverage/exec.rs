//! `standin serve --exec -- COMMAND`: what the command finds, and how both end.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value as Json;

use super::hits;
use crate::server::{Server, eventually, standin};
use crate::support::repository;

/// Serves one pack for a command, with further arguments of ours.
fn exec(more: &[&str], command: &[&str]) -> Output {
    let serve = ["serve", "reportei", "--freeze", "--log", "off"];
    standin().args(serve).args(more).args(["--exec", "--"]).args(command).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A suite of Node's own runner.
fn suite(more: &[&str], name: &str) -> Output {
    let file = repository("tests/consumers/exec").join(name);
    exec(more, &["node", "--test", "--test-reporter=tap", file.to_str().unwrap()])
}

#[test]
fn a_suite_of_node_is_run_against_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("coverage.json");
    let page = folder.path().join("coverage.html");
    let (json, html) = (report.to_str().unwrap(), page.to_str().unwrap());
    let output = suite(
        &[
            "--exit-report",
            json,
            "--exit-report",
            html,
            "--fail-under",
            "5",
            "--fail-on",
            "violation,assumed,undocumented",
        ],
        "green.test.mjs",
    );
    assert_eq!(output.status.code(), Some(0), "{}\n{}", out(&output), err(&output));
    // Standard output is the command's alone.
    assert!(out(&output).starts_with("TAP version"), "{}", out(&output));
    assert!(out(&output).contains("# pass 3") && !out(&output).contains("standin"), "{}", out(&output));
    let first = err(&output);
    assert!(first.starts_with("standin listening on http://127.0.0.1:") && first.lines().count() == 1, "{first}");
    let report: Json = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!(
        (
            hits(&report, "reportei/customers/create", "status 201"),
            hits(&report, "reportei/customers/show", "operation")
        ),
        (1, 2)
    );
    assert_eq!(hits(&report, "reportei/customers/list", "error unauthenticated"), 1);
    assert!(fs::read_to_string(page).unwrap().contains("<h1>Coverage: "));
}

#[test]
fn a_suite_that_is_green_fails_where_too_little_is_covered() {
    let output = suite(&["--fail-under", "90"], "green.test.mjs");
    assert_eq!(output.status.code(), Some(1));
    let words = err(&output);
    assert!(words.contains("and 90 % are asked for; not exercised:"), "{words}");
    assert!(words.contains("error trial-ended of reportei/customer-integrations/delete: DELETE /reportei/customer-integrations/{uuid}, answered with 401 (fixtures/reportei/pack.yaml:"), "{words}");
    assert!(words.contains(" more\n") && words.contains("Prefer: code="), "{words}");
}

#[test]
fn the_code_of_a_suite_that_is_red_comes_first() {
    let output = suite(&["--fail-under", "90", "--fail-on", "violation"], "red.test.mjs");
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("# fail 1"), "{}", out(&output));
    let words = err(&output);
    assert!(
        words
            .contains("requests did not fit the contract:\n  reportei/customers/create: body `/name` (required), once"),
        "{words}"
    );
    // Its own code is kept, whatever else is wrong.
    let output = exec(&["--fail-under", "90"], &["sh", "-c", "exit 7"]);
    assert_eq!(output.status.code(), Some(7), "{}", err(&output));
    assert!(err(&output).contains("90 % are asked for"));
}

#[test]
fn each_kind_fails_only_where_it_is_asked_about() {
    let curl = |line: &str| format!("curl -s -o /dev/null {line}");
    let assumed = curl(
        "-X POST -H 'Authorization: Bearer reportei-test-token' -H 'Content-Type: text/plain' -d x $STANDIN_REPORTEI_URL/customers",
    );
    let cases = [
        (
            "undocumented",
            curl("$STANDIN_URL/nowhere"),
            "requests came that no operation answers:\n  GET /reportei/nowhere, once\n",
        ),
        (
            "assumed",
            assumed.clone(),
            "answers were given that no documentation promises:\n  reportei/customers/create: 415 `unsupported-media-type`, once\n",
        ),
        (
            "violation",
            assumed,
            "requests did not fit the contract:\n  reportei/customers/create: header `` (media-type), once\n",
        ),
    ];
    for (kind, command, words) in cases {
        let failed = exec(&["--fail-on", kind], &["sh", "-c", &command]);
        assert_eq!(failed.status.code(), Some(1), "{kind}: {}", err(&failed));
        assert!(err(&failed).contains(words), "{kind}: {}", err(&failed));
        let others = if kind == "undocumented" { "assumed,violation" } else { "undocumented" };
        assert_eq!(exec(&["--fail-on", others], &["sh", "-c", &command]).status.code(), Some(0), "{kind}");
    }
}

#[test]
fn the_command_has_our_streams_and_finds_the_server_in_its_environment() {
    let mut command = standin();
    command.args(["serve", "--log", "off", "--token", "0123456789abcdef", "--exec", "--", "sh", "-c"]);
    command.arg("cat; env | grep ^STANDIN_ | sort; echo said >&2");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"typed\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = err(&output);
    let url = said.lines().next().unwrap().trim_start_matches("standin listening on ");
    let wanted = format!(
        "typed\nSTANDIN_CAPILLARY_URL={url}/capillary\nSTANDIN_HUBSTER_URL={url}/hubster\n\
         STANDIN_OPTIMIZEPLAYER_URL={url}/optimizeplayer\nSTANDIN_REPORTEI_URL={url}/reportei\n\
         STANDIN_TOKEN=0123456789abcdef\nSTANDIN_URL={url}\n"
    );
    assert_eq!((output.status.code(), out(&output)), (Some(0), wanted));
    assert!(!url.ends_with(":4010") && said.ends_with("said\n"), "{said}");
}

#[test]
fn a_command_trusts_the_certificate_that_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trust.pem");
    let script = "fetch(process.env.STANDIN_URL + '/_standin/livez').then(a => a.text()).then(console.log)";
    let mut command = standin();
    command.env_remove("NODE_EXTRA_CA_CERTS").args(["serve", "reportei", "--log", "off", "--tls", "--tls-trust-file"]);
    let output = command.arg(&file).args(["--exec", "--", "node", "-e", script]).output().unwrap();
    assert_eq!((output.status.code(), out(&output).trim()), (Some(0), r#"{"status":"ok"}"#), "{}", err(&output));
    assert!(err(&output).starts_with("standin listening on https://"));
}

#[test]
fn a_port_that_is_given_is_taken() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let output = exec(&["--port", &port], &["sh", "-c", "echo $STANDIN_URL"]);
    assert_eq!(out(&output), format!("http://127.0.0.1:{port}\n"), "{}", err(&output));
    let server = Server::start(&["reportei"]);
    let output = exec(&["--port", &server.port().to_string()], &["echo", "never"]);
    assert_eq!((output.status.code(), out(&output)), (Some(4), String::new()));
}

#[test]
fn what_cannot_be_started_is_said() {
    let cases: [(&[&str], &[&str]); 4] = [
        (&["--exec", "--", "no-such-program"], &["`no-such-program` cannot be started", "PATH"]),
        (&["--exec", "--", "README.md/x"], &["`README.md/x` cannot be started"]),
        (&["--exec"], &["COMMAND"]),
        (&["--", "echo"], &["--exec"]),
    ];
    for (arguments, words) in cases {
        crate::cli::refused(&[&["serve", "--log", "off"], arguments].concat(), words);
    }
    crate::cli::refused(
        &["serve", "--exit-report", "no/such/folder/a.json"],
        &["--exit-report no/such/folder/a.json", "folder"],
    );
    crate::cli::refused(&["serve", "--exit-report", "bogus=x.json"], &["no format `bogus`", "`cobertura`", "./bogus"]);
    crate::cli::refused(&["serve", "--exit-report", "report"], &["FORMAT=FILE", "`cobertura`", ".json"]);
    crate::cli::refused(&["serve", "--fail-under", "101"], &["from 0 to 100"]);
    crate::cli::refused(&["serve", "--fail-on", "nothing"], &["violation", "assumed", "undocumented"]);
}

/// A server for a command that says when it runs.
fn running(script: &str) -> (Child, String) {
    let mut command = standin();
    command.args(["serve", "reportei", "--log", "off", "--exec", "--", "sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().to_owned())
}

fn ended(mut child: Child) -> Option<i32> {
    eventually("the end of the server", || child.try_wait().unwrap()).code()
}

#[test]
fn the_command_gets_the_signals_and_says_how_it_ends() {
    for (signal, number) in [("TERM", 15), ("INT", 2)] {
        let kill = |id: u32| {
            let status = Command::new("kill").arg(format!("-{signal}")).arg(id.to_string()).status().unwrap();
            assert!(status.success());
        };
        // It dies of it.
        let (child, _) = running("echo ready; exec sleep 600");
        kill(child.id());
        assert_eq!(ended(child), Some(128 + number), "{signal}");
        // It takes it and ends in its own way; the server answers until then.
        let script = format!(
            "trap 'kill $!; curl -sf -o /dev/null $STANDIN_URL/_standin/livez && exit 9' {signal}; sleep 600 & echo ready; wait"
        );
        let (child, _) = running(&script);
        kill(child.id());
        assert_eq!(ended(child), Some(9), "{signal}");
    }
}

#[test]
fn the_server_ends_with_its_command() {
    let (child, url) = running("echo $STANDIN_URL");
    assert_eq!(ended(child), Some(0));
    let address = url.trim_start_matches("http://");
    assert!(std::net::TcpStream::connect(address).is_err(), "{url} still listens");
}

#[test]
fn a_server_without_a_command_is_judged_when_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.info");
    fs::write(&file, "of the last run").unwrap();
    let mut server = Server::start(&["reportei", "--exit-report", file.to_str().unwrap(), "--fail-on", "undocumented"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "of the last run");
    server.api("GET", "/customers", None).expect(200);
    server.control("POST", "/sandboxes", Some(serde_json::json!({ "id": "gone" }))).expect(201);
    server.call("GET", "/~gone/nowhere", &[], "").expect(404);
    server.control("DELETE", "/sandboxes/gone", None).expect(204);
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(1));
    server.stderr_when(|text| text.contains("GET /reportei/nowhere, once"));
    let lines = fs::read_to_string(&file).unwrap();
    assert!(
        lines.contains("SF:fixtures/reportei/customers/list.yaml\n")
            && lines.contains("FNDA:1,reportei/customers/list\n"),
        "{lines}"
    );
}

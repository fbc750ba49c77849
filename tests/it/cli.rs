//! The command line: exit codes, what is printed where, and every flag that changes what is served.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::server::{Answer, REPORTEI, Server, eventually, standin};
use crate::support::replace;

fn run(arguments: &[&str]) -> Output {
    standin().args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Checks that a command line is refused with these words, and that nothing is printed on standard output.
#[track_caller]
pub(crate) fn refused(arguments: &[&str], words: &[&str]) {
    let output = run(arguments);
    let text = err(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert_eq!(out(&output), "", "{arguments:?}");
    for word in words {
        assert!(text.contains(word), "{arguments:?}: {text}");
    }
}

/// A copy of the packs and their schemas, to be changed.
fn copied() -> TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => copy(&entry.path(), &to.join(entry.file_name())),
                false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["fixtures", "schemas"] {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), &folder.path().join(name));
    }
    folder
}

// ---- exit codes ----

#[test]
fn exit_0_after_a_signal_once_requests_under_way_are_answered() {
    for signal in ["INT", "TERM"] {
        let mut server = Server::start(&["reportei", "--freeze"]);
        let mut stream = server.connect();
        let body = r#"{"name":"Under way"}"#;
        let head = format!(
            "POST /customers HTTP/1.1\r\nHost: localhost\r\n{}: {}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            REPORTEI.0,
            REPORTEI.1,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n", "the server has begun to read the request");
        server.signal(signal);
        let port = server.port();
        eventually("the port to be closed", || TcpStream::connect(("127.0.0.1", port)).err());
        stream.write_all(body.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let answer = Answer::read(&bytes, "POST").expect(201);
        assert_eq!(answer.json()["customer"]["name"], "Under way");
        assert_eq!(server.ended().code(), Some(0), "{signal}");
        assert_eq!(server.stderr_when(|_| true), "");
    }
}

#[test]
fn exit_0_after_a_signal_with_idle_connections() {
    let mut server = Server::start(&["reportei"]);
    let _silent = server.connect();
    let mut idle = server.connect();
    idle.write_all(b"GET /_standin/livez HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut first = [0; 15];
    idle.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn exit_0_for_help_version_and_a_good_check() {
    for arguments in
        [&["--help"][..], &["serve", "--help"], &["check", "-h"], &["--version"], &["check", "reportei"], &["routes"]]
    {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", err(&output));
        assert!(!out(&output).is_empty());
    }
    assert_eq!(out(&run(&["--version"])), format!("standin {}\n", env!("CARGO_PKG_VERSION")));
    assert!(out(&run(&["--help"])).contains("(the default command)"));
}

#[test]
fn exit_1_when_a_check_fails() {
    let folder = copied();
    replace(&folder.path().join("fixtures/reportei/customers/show.200.json"), "Reportei Customer 1", "Someone else");
    for extra in [&[][..], &["--mutate"], &["--format", "json"], &["--format", "junit"]] {
        let output = standin().arg("check").arg("reportei").args(extra).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{extra:?}: {}", err(&output));
        let text = out(&output);
        assert!(text.contains("show.200") && text.contains("name"), "{text}");
    }
}

#[test]
fn exit_2_for_what_cannot_be_asked() {
    refused(&["serve", "reporte"], &["there is no pack `reporte`", "did you mean `reportei`?"]);
    refused(&["check", "Reportei"], &["there is no pack `Reportei`", "did you mean `reportei`?"]);
    refused(&["routes", "nothing-like-it"], &["there is no pack `nothing-like-it`", "`reportei`"]);
    refused(&["sevre"], &["sevre", "serve"]);
    refused(&["reporte"], &["there is no pack `reporte`", "did you mean `reportei`?"]);
    refused(&["check", "--fixtures", "fixtrues"], &["--fixtures: there is no folder `fixtrues`", "it is `fixtures`"]);
    refused(&["routes", "--schemas", "README.md"], &["--schemas: there is no folder `README.md`"]);
    refused(&["--prot", "0"], &["--port"]);
    refused(&["serve", "--port", "70000"], &["70000"]);
    refused(&["serve", "--port", "-1"], &["-1"]);
    refused(&["serve", "--port"], &["--port"]);
    refused(&["serve", "--log", "loud"], &["loud", "text", "json", "off"]);
    refused(&["serve", "--seed", "-1"], &["-1"]);
    refused(&["serve", "--host", "localhost", "--port", "0"], &["localhost"]);
    refused(&["serve", "--host", "198.51.100.1", "--port", "0"], &["198.51.100.1"]);
    refused(&["check", "--format", "xml"], &["xml", "junit"]);
    for (flag, value) in [
        ("--max-json-depth", "0"),
        ("--max-json-depth", "121"),
        ("--max-connections", "0"),
        ("--max-sandboxes", "0"),
        ("--max-journal-entries", "0"),
    ] {
        refused(&["serve", "--port", "0", flag, value], &[flag]);
    }
    for value in ["reportei", "reportei=", "reportei=x", "=1", "reportei=70000"] {
        refused(&["serve", "--port", "0", "--listen", value], &["PACK=PORT", value]);
    }
    refused(
        &["serve", "reportei", "--port", "0", "--listen", "reporte=0"],
        &["`reporte` is not served", "did you mean `reportei`?"],
    );
    refused(&["serve", "--port", "0", "--port-file", "no/such/folder/port"], &["--port-file", "no/such/folder/port"]);
}

#[test]
fn exit_2_for_times_that_cannot_be_read() {
    for value in ["yesterday", "", "2024-13-01T00:00:00Z", "1727802912", "7d"] {
        refused(&["serve", "--port", "0", "--clock", value], &["--clock", "2024-10-01T17:15:12Z"]);
    }
    for flag in ["--header-timeout", "--body-timeout"] {
        for value in ["soon", "10", "", "1 month"] {
            refused(&["serve", "--port", "0", flag, value], &[flag, "90s"]);
        }
        for value in ["0s", "-1s"] {
            let value = format!("{flag}={value}");
            refused(&["serve", "--port", "0", &value], &[flag, "longer than nothing"]);
        }
    }
}

#[test]
fn exit_3_for_a_broken_pack_with_its_place() {
    let folder = copied();
    replace(
        &folder.path().join("fixtures/reportei/customers/show.yaml"),
        "customer: = path.uuid",
        "customer: = path.uid",
    );
    for arguments in [&["serve", "--port", "0"][..], &["check"], &["check", "--format", "json"], &["routes"]] {
        let output = standin().args(arguments).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", err(&output));
        let told = out(&output) + &err(&output);
        match arguments.contains(&"json") {
            false => assert!(told.contains("show.yaml:9"), "{arguments:?}: {told}"),
            true => {
                let report: Json = serde_json::from_str(&out(&output)).unwrap();
                let at = &report["diagnostics"][0]["at"];
                assert_eq!((&at["file"], &at["line"]), (&json!("fixtures/reportei/customers/show.yaml"), &json!(9)));
            }
        }
        assert!(!told.contains("listening"));
    }
}

#[test]
fn exit_3_for_files_that_are_no_pack() {
    for (path, text) in [
        ("fixtures/reportei/pack.yaml", "pack: [\n"),
        ("fixtures/reportei/pack.yaml", ""),
        ("fixtures/reportei/customers/list.200.json", "{"),
    ] {
        let folder = copied();
        fs::write(folder.path().join(path), text).unwrap();
        let output = standin().args(["serve", "--port", "0"]).current_dir(folder.path()).output().unwrap();
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(3), ""), "{path}: {}", err(&output));
        assert!(err(&output).contains(path), "{}", err(&output));
    }
}

#[test]
fn exit_4_when_the_address_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for arguments in [
        vec!["serve".to_owned(), "--port".to_owned(), port.clone()],
        vec!["--port=0".to_owned(), format!("--listen=reportei={port}")],
    ] {
        let output = standin().args(&arguments).output().unwrap();
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(4), ""), "{}", err(&output));
        let text = err(&output);
        assert!(text.contains(&format!("127.0.0.1:{port} is taken")), "{text}");
        let flag = if arguments.len() == 3 { "--port" } else { "--listen" };
        assert!(text.contains(flag), "the remedy names the flag: {text}");
    }
}

// ---- what is printed ----

#[test]
fn the_first_line_is_the_address_and_nothing_else() {
    let server = Server::start(&["reportei"]);
    assert_eq!(server.first_line, format!("standin listening on http://127.0.0.1:{}", server.port()));
    let six = Server::start(&["reportei", "--host", "::1"]);
    assert_eq!(six.first_line, format!("standin listening on http://[::1]:{}", six.port()));
    assert_eq!(six.get("/_standin/livez").status, 200);
}

#[test]
fn no_command_means_serve() {
    let mut command = standin();
    command.args(["--port", "0", "--log", "off"]);
    let mut server = Server::spawn(command);
    assert_eq!(server.get("/_standin/livez").status, 200);
    assert!(server.start_text().contains("/reportei"));
    let mut command = standin();
    command.args(["reportei", "--port", "0", "--log", "off"]);
    assert_eq!(Server::spawn(command).call("GET", "/customers", &[REPORTEI], "").status, 200);
}

#[test]
fn the_json_log_is_one_object_per_line() {
    let mut command = standin();
    command.args(["serve", "reportei", "--port", "0", "--freeze", "--log", "json"]);
    let server = Server::spawn(command);
    let first: Json = serde_json::from_str(&server.first_line).unwrap();
    assert_eq!(first, json!({ "event": "listening", "url": server.url(), "pid": server.pid() }));
    server.api("GET", "/customers?page=1", None).expect(200);
    server.get("/customers/%0a%1b[31m").expect(401);
    let text = server.stderr_when(|text| text.lines().count() >= 2);
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = json!({
        "event": "exchange", "at": "2024-10-01T17:15:12Z", "sandbox": "default", "pack": "reportei", "method": "GET", "path": "/customers",
        "status": 200, "entry": 1,
    });
    assert_eq!(lines[0], expected);
    assert_eq!((&lines[1]["status"], &lines[1]["entry"]), (&json!(401), &json!(2)));
}

#[test]
fn the_text_log_names_the_sandbox_and_cannot_be_forged() {
    let mut command = standin();
    command.args(["serve", "reportei", "--port", "0", "--freeze"]);
    let server = Server::spawn(command);
    server.control("POST", "/sandboxes", Some(json!({ "id": "alice" }))).expect(201);
    server.api("GET", "/~alice/customers", None).expect(200);
    server.api("GET", "/customers/%0aforged\u{85}\u{202e}", None).expect(404);
    let text = server.stderr_when(|text| text.lines().count() >= 2);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "2024-10-01T17:15:12Z ~alice GET /reportei/customers 200 #1");
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[1].is_ascii() && lines[1].ends_with("404 #1"), "{text}");
}

#[test]
fn the_port_file_has_the_port() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("port");
    let server = Server::start(&["reportei", "--port-file", file.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{}\n", server.port()));
}

#[test]
fn the_start_text_has_base_urls_credentials_and_a_command_that_works() {
    let mut server = Server::start(&["reportei", "--listen", "reportei=0"]);
    let text = server.start_text();
    let url = server.url();
    assert!(text.contains(&format!("base URL    {url}/reportei\n")), "{text}");
    assert!(text.contains(&format!("control plane {url}/_standin\n")), "{text}");
    let lines = |word: &str| text.lines().filter(|line| line.contains(word)).count();
    assert_eq!(
        (lines("authorization: Bearer "), lines("  x-customer-token: token-")),
        (3, 3),
        "each credential, and the command: {text}"
    );
    let own =
        text.lines().find_map(|line| line.strip_prefix("              http://")).unwrap_or_else(|| panic!("{text}"));
    let curl = |command: &str| {
        let output = Command::new("bash")
            .args(["-c", command])
            .env("CURL_HOME", "/nonexistent")
            .env_remove("http_proxy")
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", err(&output));
        serde_json::from_slice::<Json>(&output.stdout).unwrap_or_else(|error| panic!("{command}: {error}"))
    };
    let command = text.lines().find_map(|line| line.trim().strip_prefix("try ")).unwrap().trim();
    assert!(command.starts_with("curl "), "{command}");
    assert_eq!(curl(command)["meta"]["total"], 2);
    assert_eq!(curl(&command.replace(&format!("{url}/reportei"), &format!("http://{own}")))["meta"]["total"], 2);
}

/// A reader that has enough, such as `head`, is no error.
#[test]
fn a_closed_pipe_ends_the_output_quietly() {
    let mut child =
        standin().args(["routes", "--format", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
}

#[test]
fn routes_are_listed_as_text_and_json() {
    let text = out(&run(&["routes", "reportei"]));
    assert_eq!(text.lines().count(), 20);
    let settings = text.lines().find(|line| line.contains("/customers/settings")).unwrap();
    let words: Vec<&str> = settings.split_whitespace().collect();
    assert_eq!(words, ["GET", "/reportei/customers/settings", "reportei/customers/settings", "documented"]);
    let routes: Json = serde_json::from_str(&out(&run(&["routes", "reportei", "--format", "json"]))).unwrap();
    let routes = routes.as_array().unwrap();
    assert_eq!(routes.len(), 20);
    let create = routes.iter().find(|route| route["operation"] == "reportei/customers/create").unwrap();
    assert_eq!(
        (&create["method"], &create["path"], &create["pack"]),
        (&json!("POST"), &json!("/customers"), &json!("reportei"))
    );
    assert!(create["at"].as_str().unwrap().starts_with("fixtures/reportei/customers/create.yaml:"));
}

#[test]
fn check_reports_as_json_and_junit() {
    let report: Json = serde_json::from_str(&out(&run(&["check", "reportei", "--format", "json"]))).unwrap();
    assert_eq!(report["diagnostics"], json!([]));
    assert_eq!(report["packs"][0]["pack"], "reportei", "{report:#}");
    let junit = out(&run(&["check", "reportei", "--format", "junit"]));
    let cases = well_formed(&junit).into_iter().filter(|tag| tag == "testcase").count();
    assert_eq!(cases, report["packs"][0]["results"].as_array().unwrap().len());

    // A name and a finding with everything that XML has to escape.
    let folder = copied();
    replace(
        &folder.path().join("fixtures/reportei/customers/show.200.json"),
        "Reportei Customer 1",
        "<a href='x'>&amp; ]]>\\u0007",
    );
    let output =
        standin().args(["check", "reportei", "--format", "junit"]).current_dir(folder.path()).output().unwrap();
    assert!(well_formed(&out(&output)).contains(&"failure".to_owned()));
}

/// The names of the elements of an XML document, once it is known to be one as far as these reports go.
pub(crate) fn well_formed(xml: &str) -> Vec<String> {
    let body = xml.trim().strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap_or_else(|| panic!("{xml}"));
    let (mut open, mut names) = (Vec::new(), Vec::new());
    let mut rest = body;
    while let Some(at) = rest.find('<') {
        let text = &rest[..at];
        assert!(!text.contains('>') && !text.contains(|c: char| c.is_control() && !c.is_whitespace()), "{text:?}");
        let end = rest[at..].find('>').unwrap() + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{xml}");
            continue;
        }
        let name = tag.trim_end_matches('/').split_whitespace().next().unwrap().to_owned();
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert!(
            tag.split('&').skip(1).all(|after| ["lt;", "gt;", "amp;", "quot;", "apos;", "#"]
                .iter()
                .any(|known| after.starts_with(known))),
            "{tag}"
        );
        if !tag.ends_with('/') {
            open.push(name.clone());
        }
        names.push(name);
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    names
}

// ---- what is served ----

#[test]
fn packs_are_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = standin();
    command.args(["serve", "--port", "0", "--log", "off"]).current_dir(folder.path());
    let server = Server::spawn(command);
    server.api("GET", "/reportei/customers", None).expect(200);
    let check = standin().args(["check", "reportei"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{}", err(&check));
}

#[test]
fn a_folder_of_the_same_name_takes_the_place_of_a_built_in_pack() {
    let folder = copied();
    replace(&folder.path().join("fixtures/reportei/pack.yaml"), "title: Reportei Connect", "title: My own");
    replace(&folder.path().join("fixtures/reportei/errors/unauthenticated.json"), "Unauthenticated.", "Who are you?");
    // What has no pack.yaml is no pack.
    fs::create_dir(folder.path().join("fixtures/notes")).unwrap();
    fs::write(folder.path().join("fixtures/notes/readme.txt"), "nothing").unwrap();
    fs::write(folder.path().join("fixtures/.hidden"), "nothing").unwrap();
    let [fixtures, schemas] = ["fixtures", "schemas"].map(|name| folder.path().join(name).display().to_string());
    let server = Server::start(&["--fixtures", &fixtures, "--schemas", &schemas]);
    let packs = server.control("GET", "/packs", None).json();
    let titles: Vec<&str> =
        packs["records"].as_array().unwrap().iter().map(|pack| pack["title"].as_str().unwrap()).collect();
    assert!(titles.contains(&"My own") && !titles.contains(&"Reportei Connect"), "{titles:?}");
    assert_eq!(server.get("/reportei/customers").expect(401).json(), json!({ "message": "Who are you?" }));
}

#[test]
fn the_clock_starts_where_it_is_told() {
    let server = Server::start(&["reportei", "--freeze", "--clock", "2030-01-01T12:00:00+02:00"]);
    assert_eq!(
        server.control("GET", "/clock", None).json(),
        json!({ "now": "2030-01-01T10:00:00Z", "mode": "frozen" })
    );
    let list = server.api("GET", "/customers", None).json();
    assert_eq!(list["data"][0]["created_at"], "2024-09-24 17:07:34", "the documented world stays where it is");
    assert_eq!(server.control("POST", "/sandboxes", None).json()["clock"]["now"], "2030-01-01T10:00:00Z");
}

#[test]
fn clock_now_moves_the_documented_world_to_today() {
    #[allow(clippy::disallowed_methods, reason = "the flag is about the real time")]
    let now = Timestamp::now;
    let before = now();
    let server = Server::start(&["reportei", "--freeze", "--clock", "now"]);
    let after = now();
    let started: Timestamp = server.control("GET", "/clock", None).json()["now"].as_str().unwrap().parse().unwrap();
    assert!(
        (before.as_microsecond()..=after.as_microsecond()).contains(&started.as_microsecond()),
        "{before} {started} {after}"
    );
    let customer = server.api("GET", "/customers", None).json()["data"][0].clone();
    let read = |key: &str| format!("{}Z", customer[key].as_str().unwrap()).parse::<Timestamp>().unwrap().as_second();
    assert_eq!(
        read("trial_ends_at"),
        started.as_second() + 7 * 86_400,
        "as in the documentation: seven days from the start"
    );
    let documented = "2024-10-08T17:15:12Z".parse::<Timestamp>().unwrap().as_second()
        - "2024-09-24T17:07:34Z".parse::<Timestamp>().unwrap().as_second();
    assert_eq!(read("trial_ends_at") - read("created_at"), documented, "everything moves by the same span");
    let made = server.api("POST", "/customers", Some(json!({ "name": "Today" }))).expect(201).json();
    assert_eq!(made["customer"]["trial_ends_at"], customer["trial_ends_at"]);
}

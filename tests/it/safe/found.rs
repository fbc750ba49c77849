//! What was found in other tools, tried here. docs/security.md lists each by the name of its test.

use std::collections::BTreeSet;
use std::thread;

use super::*;

/// The calls of the control plane that take a body.
fn with_body() -> Vec<(String, String)> {
    let calls = rows().into_iter().filter(|(method, _)| matches!(&**method, "POST" | "PUT" | "PATCH"));
    calls.map(|(method, path)| (method, filled(&path))).collect()
}

/// Where the product has one of these words, outside comments, texts and unit tests.
fn product_has(words: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let sources: Vec<String> = files("src").into_iter().filter(|path| path.ends_with(".rs")).collect();
    assert!(sources.len() > 50);
    let words: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
    let pattern = Regex::new(&format!(r"\b(?:{})\b", words.join("|"))).unwrap();
    for path in sources {
        let code = crate::rust::Source::new(&read(&path)).product_code;
        let lines = code.lines().enumerate().filter(|(_, line)| pattern.is_match(line));
        let lines = lines.filter(|(_, line)| !allowed.iter().any(|allowed| line.contains(allowed)));
        found.extend(lines.map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim())));
    }
    found
}

#[test]
fn every_row_of_the_page_has_its_test() {
    let page = read("docs/security.md");
    let named: BTreeSet<String> =
        Regex::new(r"\| `([a-z0-9_]+)` \|").unwrap().captures_iter(&page).map(|found| found[1].to_owned()).collect();
    let source = read("tests/it/safe/found.rs");
    let pattern = Regex::new(r"#\[test\]\nfn ((?:cve|ghsa|dns|redos)_[a-z0-9_]+)\(").unwrap();
    let tests: BTreeSet<String> = pattern.captures_iter(&source).map(|found| found[1].to_owned()).collect();
    assert!(tests.len() >= 14, "{tests:?}");
    assert_eq!(named, tests);
}

#[test]
fn cve_2021_32827_no_foreign_page_reaches_the_control_plane() {
    let server = start();
    let watch = server.watch();
    let page = ("Origin", "https://evil.example");
    for (method, path) in rows() {
        let path = filled(&path);
        // What a page can send without asking, what it must ask for, and the asking.
        for headers in [&[page][..], &[page, ("Content-Type", "text/plain")], &[page, JSON], &[page, BEARER]] {
            let answer = server.call(&method, &path, headers, r#"{"mode":"ticking"}"#);
            answer.problem(403, "origin-foreign");
            assert!(!readable(&answer), "{answer}");
        }
        let ask = server.call("OPTIONS", &path, &[page, ("Access-Control-Request-Method", &method)], "");
        ask.problem(403, "origin-foreign");
        assert!(!readable(&ask), "{ask}");
    }
    // A form is posted without an `Origin` by old browsers; it is no JSON.
    for (method, path) in with_body() {
        server.call(&method, &path, &[FORM], "a=b").problem(415, "media-type");
    }
    watch.unharmed();
}

/// Ways out of a folder, to files that are there.
fn traversals() -> Vec<String> {
    let mut paths = Vec::new();
    for up in
        ["../", "..%2f", "..%2F", "%2e%2e/", "%2e%2e%2f", "..%252f", "..\\", "..%5c", "..%c0%af", "....//", ".%00./"]
    {
        for file in ["Cargo.toml", "fixtures/reportei/pack.yaml", "etc/passwd"] {
            paths.push(format!("{}{file}", up.repeat(6)));
            paths.push(format!("{}{}", up.repeat(2), file.replace('/', "%2F")));
        }
    }
    paths.extend(
        ["/etc/passwd", "%2Fetc%2Fpasswd", "file:%2F%2F%2Fetc%2Fpasswd", "pack.yaml", "Cargo.toml%00.json"]
            .map(str::to_owned),
    );
    paths
}

#[test]
fn cve_2025_59049_no_path_of_a_request_names_a_file() {
    let server = start();
    let watch = server.watch();
    let marks = ["[package]", "pack: reportei", "root:x", "reportei-test-token", "unauthenticated:"];
    for path in traversals() {
        for before in [
            "/",
            "/customers/",
            "/reportei/",
            "/reportei/customers/",
            "/~default/",
            "/_standin/",
            "/_standin/packs/",
            "/_standin/sandboxes/",
            "/_standin/state/reportei/",
            "/_standin/state/reportei/customer/",
            "/_standin/journal/",
        ] {
            let path = format!("{before}{path}");
            let bytes = crate::server::request("localhost", "GET", &path, &[REPORTEI], b"");
            let back = server.raw(&bytes);
            if back.is_empty() {
                continue;
            }
            let answer = Answer::read(&back, "GET");
            assert!((400..500).contains(&answer.status), "{path}: {answer}");
            for mark in marks {
                assert!(!answer.text().contains(mark), "{path} reads a file: {answer}");
            }
        }
        let id = format!("/_standin/state/reportei/customer/{}", path.replace('/', "%2F"));
        let body = server.call("PUT", &id, &[JSON], r#"{"name":"x"}"#);
        assert!(matches!(body.status, 400 | 404 | 422), "{id}: {body}");
    }
    watch.unharmed();
}

#[test]
fn cve_2024_45388_control_bodies_name_no_files() {
    let server = start();
    // There is a rule that could be replaced.
    server.control("PUT", "/faults", Some(json!({ "faults": [{ "latency": "1ms", "count": 1 }] }))).expect(200);
    let watch = server.watch();
    for (method, path) in with_body() {
        for member in ["bodyFile", "bodyFileName", "file", "path", "filePath", "$ref", "include", "fixtures", "schema"]
        {
            for file in ["Cargo.toml", "../Cargo.toml", "/etc/passwd", "file:///etc/passwd"] {
                // A count compares this one with the paths of requests.
                if path.ends_with("/journal/count") && member == "path" && file.starts_with('/') {
                    continue;
                }
                let answer = server.call(&method, &path, &[JSON], json!({ member: file }).to_string());
                assert!(matches!(answer.status, 400 | 422), "{method} {path} {member}: {answer}");
                assert!(!answer.text().contains("[package]") && !answer.text().contains("root:x"), "{answer}");
            }
        }
    }
    watch.unharmed();
}

#[test]
fn cve_2025_54123_nothing_is_executed() {
    // `std::process` has the exit code and the id of this process, too.
    let found = product_has(&["process", "libc", "dlopen", "libloading"], &["process::ExitCode", "process::id()"]);
    // What follows `--exec` on the command line, and the signals that it is sent.
    let elsewhere: Vec<_> = found.iter().filter(|line| !line.starts_with("src/cli/exec.rs:")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    let server = start();
    for path in ["/middleware", "/exec", "/script", "/api/v2/hoverfly/middleware", "/__admin/settings", "/shutdown"] {
        for method in ["PUT", "POST"] {
            let body = r#"{"binary":"sh","script":"touch x"}"#;
            server.call(method, &format!("/_standin{path}"), &[JSON], body).problem(404, "control-path-unknown");
        }
    }
}

#[test]
fn cve_2025_54376_every_control_route_asks_for_the_token() {
    gate::every_row_asks_for_the_token();
}

/// No connection is made, whoever asks for it, but by what has asked the gate. What the gate says is tested beside it.
#[test]
fn cve_2023_41327_cve_2023_41329_cve_2023_48910_what_goes_out_passes_one_gate() {
    let words =
        ["TcpStream::connect", "connect", "UdpSocket", "UnixStream", "reqwest", "ureq", "lookup_host", "ToSocketAddrs"];
    let found = product_has(&words, &[]);
    let found = found.into_iter().filter(|line| !line.contains("crate::"));
    // `client` is what commands call the server with that the command line names; a server has nothing of it. `line` is
    // handed a connection that is there.
    let places = ["src/webhook/", "src/client/", "src/line/"];
    let (there, elsewhere): (Vec<_>, Vec<_>) =
        found.partition(|line| places.iter().any(|place| line.starts_with(place)));
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    for call in ["TcpStream::connect(", "lookup_host("] {
        let places: Vec<_> = there.iter().filter(|line| line.contains(call)).collect();
        let [client, webhook] = &places[..] else { panic!("{call} {places:#?}") };
        assert!(
            client.starts_with("src/client/pool.rs:") && webhook.starts_with("src/webhook/client.rs:"),
            "{places:#?}"
        );
    }
    let of_commands = product_has(&["crate::client"], &[]);
    let may = ["src/client/", "src/cli/", "src/scenario/"];
    let others: Vec<_> = of_commands.iter().filter(|line| !may.iter().any(|place| line.starts_with(place))).collect();
    assert!(!of_commands.is_empty() && others.is_empty(), "{others:#?}");
    let manifest = read("Cargo.toml");
    for (name, features) in [("hyper-util", "client"), ("jsonschema", "resolve")] {
        let line = manifest.lines().find(|line| line.starts_with(&format!("{name} ="))).unwrap();
        assert!(line.contains("default-features = false") && !line.contains(features), "{line}");
    }
    for name in ["reqwest", "ureq", "isahc", "curl", "hyper-tls", "hyper-rustls"] {
        let lock = read("Cargo.lock");
        assert!(!lock.contains(&format!("name = \"{name}\"")), "{name} can make connections");
    }
}

#[test]
fn cve_2023_48910_a_schema_refers_to_no_address() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |name: &str| crate::support::copy(&crate::tree::root().join(name), &folder.path().join(name));
    copy("fixtures");
    copy("schemas");
    let schema = files("schemas/reportei").into_iter().find(|path| path.ends_with(".json")).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for reference in [
        format!("http://127.0.0.1:{port}/x.json"),
        format!("HTTP://127.0.0.1:{port}/x.json"),
        format!("//127.0.0.1:{port}/x.json"),
        "https://example.com/x.json".to_owned(),
        "file:///etc/passwd".to_owned(),
        "../../../Cargo.toml".to_owned(),
        "/etc/passwd".to_owned(),
    ] {
        fs::write(folder.path().join(&schema), json!({ "$ref": reference }).to_string()).unwrap();
        let output = standin().args(["serve", "--port", "0"]).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{reference}: {said}");
        assert!(said.contains("error[schema-reference]"), "{reference}: {said}");
    }
    assert!(listener.accept().is_err(), "somebody connected");
}

#[test]
fn cve_2018_9116_xml_is_not_read() {
    let server = start();
    let watch = server.watch();
    let xml = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>"#;
    for media in ["application/xml", "text/xml", "application/soap+xml"] {
        let headers = [REPORTEI, ("Content-Type", media)];
        let answer = server.call("POST", "/customers", &headers, xml).expect(415);
        assert!(!answer.text().contains("root:"), "{answer}");
        for (method, path) in with_body() {
            server.call(&method, &path, &[("Content-Type", media)], xml).problem(415, "media-type");
        }
    }
    assert!(
        !Regex::new(r#"name = "[^"]*xml[^"]*""#).unwrap().is_match(&read("Cargo.lock")),
        "a dependency that reads XML"
    );
    watch.unharmed();
}

#[test]
fn cve_2021_32090_captured_traffic_is_never_html() {
    let server = start();
    let script = "<script>alert(1)</script>";
    let headers = [REPORTEI, ("User-Agent", script), ("X-Script", script)];
    let posted =
        server.call("POST", "/customers", &[headers[0], headers[1], JSON], json!({ "name": script }).to_string());
    assert_eq!(posted.expect(201).header("content-type"), Some("application/json"));
    let encoded = script.replace('<', "%3C").replace('>', "%3E");
    let path = format!("/{encoded}?a={encoded}");
    let missed = server.call("GET", &path, &headers, "");
    missed.problem(404, "no-operation");
    assert_eq!(missed.header("x-content-type-options"), Some("nosniff"));
    for path in [
        "/journal",
        "/journal/1",
        "/journal/2",
        "/log",
        "/state/reportei/customer",
        "/%3Cscript%3E",
        "/packs/%3Cscript%3E",
    ] {
        for accept in ["text/html", "*/*"] {
            let answer = server.call("GET", &format!("/_standin{path}"), &[("Accept", accept)], "");
            let media = answer.header("content-type").unwrap();
            assert!(matches!(media, "application/json" | "application/problem+json"), "{path}: {media}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            answer.json();
        }
    }
    let entry = server.control("GET", "/journal/2", None).json();
    assert_eq!(entry["exchange"]["request"]["headers"]["x-script"], script, "it is told as it came");
    // A page of a pack shows it as text.
    let page = case("html-page", &[]).get("/visits/v1").expect(200);
    assert!(page.text().contains("&lt;script&gt;") && !page.text().contains("<script>"), "{page}");
}

#[test]
fn ghsa_fpxj_m5q8_fphw_limits_hold_on_every_route() {
    let server = Server::start(&["reportei", "--freeze", "--max-body", "1000", "--max-json-depth", "8"]);
    let watch = server.watch();
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(2000));
    let deep = format!("{}{}", "{\"a\":".repeat(20), "1".to_owned() + &"}".repeat(20));
    let long = "x".repeat(200_000);
    let routes: Vec<(String, String)> = rows().into_iter().map(|(method, path)| (method, filled(&path))).collect();
    for (method, path) in &routes {
        let status = server.call(method, path, &[("X-Long", &long)], "").status;
        assert_eq!(status, 431, "{method} {path}");
    }
    for (method, path) in with_body() {
        server.call(&method, &path, &[JSON], &large).problem(413, "body-too-large");
        let detail = server.call(&method, &path, &[JSON], &deep).problem(400, "body-syntax");
        assert!(detail.contains("deep"), "{detail}");
    }
    for (method, path) in [("POST", "/customers".to_owned()), ("PUT", format!("/customers/{FIRST}"))] {
        server.call(method, &path, &[REPORTEI, JSON], &large).expect(413);
        server.call(method, &path, &[REPORTEI, JSON], &deep).expect(400);
        assert_eq!(server.call(method, &path, &[REPORTEI, ("X-Long", &long)], "").status, 431);
    }
    watch.unharmed();
}

#[test]
fn ghsa_qx5x_85p8_vg4j_nothing_from_traffic_is_written() {
    let found =
        product_has(&["fs::write", "File::create", "OpenOptions", "create_dir", "create_dir_all", "fs::rename"], &[]);
    let elsewhere: Vec<_> = found.iter().filter(|line| !line.starts_with("src/cli/")).collect();
    assert!(!found.is_empty() && elsewhere.is_empty(), "only what the command line names is written: {elsewhere:#?}");
    let folder = tempfile::tempdir().unwrap();
    let mut command = standin();
    command.args(["serve", "reportei", "--port", "0", "--log", "off"]).current_dir(folder.path());
    let server = Server::spawn(command);
    for path in ["/customers/../x", "/customers/..%2Fx", "/customers/x.json"] {
        server.api("GET", path, None);
    }
    for id in ["../x", "x"] {
        server.control("POST", "/sandboxes", Some(json!({ "id": id })));
    }
    server.control("GET", "/log", None).expect(200);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a file was written");
}

#[test]
fn ghsa_w4vj_r5pg_3722_concurrent_calls_crash_nothing() {
    let server = start();
    thread::scope(|scope| {
        for worker in 0..4 {
            let server = &server;
            scope.spawn(move || {
                let id = format!("world-{worker}");
                for _ in 0..10 {
                    server.api("POST", "/customers", Some(json!({ "name": id }))).expect(201);
                    server.control("GET", "/log?secrets=show", None).expect(200);
                    server.control("POST", "/clock/advance", Some(json!({ "by": "1s" }))).expect(200);
                    server.control("DELETE", "/journal", None).expect(204);
                }
                server.control("POST", "/sandboxes", Some(json!({ "id": id }))).expect(201);
                server.control("DELETE", &format!("/sandboxes/{id}"), None).expect(204);
            });
        }
    });
    assert_eq!(server.control("GET", "/state/reportei/customer", None).json()["total"], 43);
    assert_eq!(server.stderr_when(|_| true), "");
}

#[test]
fn cve_2025_1302_no_filter_evaluates_code() {
    let server = start();
    server.api("GET", "/customers", None).expect(200);
    for code in ["$[?(@.constructor)]", "{{ 7*7 }}", "${7*7}", "' or '1'='1", "(()=>1)()", "= 7 * 7", ".*", "%00"] {
        let encoded: String = code.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = server.control("GET", &format!("/journal?text={encoded}"), None).expect(200).json();
        assert_eq!(found["total"], 0, "{code} is looked for as it is written");
        for filter in ["operation", "path", "pack", "status", "contract", "since", "finding"] {
            server.control("GET", &format!("/journal?{filter}={encoded}"), None).problem(400, "filter-invalid");
        }
        let made = server.api("POST", "/customers", Some(json!({ "name": code }))).expect(201).json();
        assert_eq!(made["customer"]["name"], code, "a text of a request is never an expression");
    }
}

#[test]
fn dns_rebinding_names_of_others_are_refused_everywhere() {
    let server = Server::start(&["reportei", "--freeze", "--allow-host", "standin.test"]);
    let watch = server.watch();
    let port = server.port();
    for name in
        ["evil.example", "standin.test.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "0.0.0.0"]
    {
        let host = format!("{name}:{port}");
        // To the browser the page and the server are one origin.
        let origin = format!("http://{host}");
        let headers = [("Host", host.as_str()), ("Origin", origin.as_str()), REPORTEI];
        let paths = rows().into_iter().map(|(method, path)| (method, filled(&path)));
        let packs =
            [("GET", "/customers"), ("GET", "/reportei/customers"), ("GET", "/"), ("GET", "/~default/customers")];
        for (method, path) in paths.chain(packs.map(|(method, path)| (method.to_owned(), path.to_owned()))) {
            let answer = server.call(&method, &path, &headers, "");
            answer.problem(403, "host-unknown");
            assert!(!readable(&answer), "{answer}");
        }
        let ask = [headers[0], headers[1], ("Access-Control-Request-Method", "GET")];
        server.call("OPTIONS", "/customers", &ask, "").problem(403, "host-unknown");
    }
    watch.unharmed();
}

/// With a matcher that tries every way, each of these would take longer than anyone waits.
#[test]
fn redos_a_nasty_text_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    crate::support::copy(&crate::tree::root().join("tests/cases/diagnostics/base"), folder.path());
    let nasty = format!("{}!", "a".repeat(50_000));
    let patterns = [
        "^([a-zA-Z]+)+$",
        "^([a-zA-Z]|[a-zA-Z][a-z])+$",
        "^([a-zA-Z]*)*$",
        "^(.*[a-zA-Z]){3,20}$",
        "^(?!x)([a-zA-Z]+)+$",
        r"^(?:([a-zA-Z])\1?)+$|^[A-Z][a-z]+$",
    ];
    for pattern in patterns {
        let schema = folder.path().join("schemas/shop/create-item.json");
        let mut value: Json = serde_json::from_str(&fs::read_to_string(&schema).unwrap()).unwrap();
        value["properties"]["name"]["pattern"] = json!(pattern);
        fs::write(&schema, value.to_string()).unwrap();
        let mut command = standin();
        command.args(["serve", "--port", "0", "--log", "off", "shop"]).current_dir(folder.path());
        let server = Server::spawn(command);
        let headers = [("Authorization", "Bearer first-token"), JSON];
        let body = json!({ "name": nasty, "price": 1 }).to_string();
        assert!(server.call("POST", "/items", &headers, body).expect(422).text().contains("error"), "{pattern}");
    }
    let server = start();
    let filter = "a*".repeat(10_000);
    for name in ["operation", "path", "pathPattern", "pack", "text", "until"] {
        let refused = server.control("GET", &format!("/journal?{name}={filter}"), None);
        assert!(refused.problem(400, "filter-invalid").len() < 200, "{name}: a long text is not repeated whole");
    }
    server.api("GET", &format!("/customers?sort={filter}"), None);
    server.api("GET", &format!("/{}", "customers/".repeat(3000)), None).expect(404);
}

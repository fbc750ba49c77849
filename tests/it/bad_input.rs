//! What a client can get wrong, by accident or on purpose: a clear answer in the API's shape or a problem of the server,
//! nothing changed, and the server goes on.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::process::Command;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::server::{Answer, JSON, REPORTEI, Server, request};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const LIMIT: usize = 2 << 20;

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

/// A server of two packs, where the prefix of a pack is needed.
fn two_packs() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "fixtures/pets/pack.yaml",
        "pack: pets\ntitle: Pets\nresources:\n  pet:\n    id: id\n    fields: { id: integer, name: string }\n    seed:\n      records: [{ id: 1, name: Rex }]\n",
    );
    write(
        "fixtures/pets/pets/list.yaml",
        "operation: List pets\nrequest: GET /pets\ndocs: pets.md\nlist: { from: pet }\nrespond:\n  status: 200\n  schema: pets\n  like: list.200.json\n  show: = page.records\n",
    );
    write("fixtures/pets/pets/list.200.json", r#"[{"id":1,"name":"Rex"}]"#);
    write("schemas/pets/pets.json", r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"array"}"#);
    let [fixtures, schemas] = ["fixtures", "schemas"].map(|name| folder.path().join(name).display().to_string());
    let server = Server::start(&["--freeze", "--fixtures", &fixtures, "--schemas", &schemas]);
    assert_eq!(server.get("/pets/pets").expect(200).json(), json!([{ "id": 1, "name": "Rex" }]));
    (server, folder)
}

/// Checks that an answer is Reportei's error with this message.
#[track_caller]
fn refused(answer: &Answer, status: u16, message: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (status, Some("application/json")), "{answer}");
    assert_eq!(answer.json(), json!({ "message": message }), "{answer}");
}

/// Checks that an answer is Reportei's refusal of a body that cannot be read, and that it says these words.
#[track_caller]
fn unreadable(answer: &Answer, words: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/json")), "{answer}");
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{answer}");
    let message = body["message"].as_str().unwrap();
    assert!(message.starts_with("The request cannot be read: ") && message.contains(words), "{message}");
}

/// All calls of the pack, with bodies that would be accepted.
fn calls() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("GET", "/customers".to_owned(), ""),
        ("GET", format!("/customers/{FIRST}"), ""),
        ("GET", "/customers/settings".to_owned(), ""),
        ("POST", "/customers".to_owned(), r#"{"name":"x"}"#),
        ("PUT", format!("/customers/{FIRST}"), r#"{"name":"x"}"#),
        ("DELETE", format!("/customers/{FIRST}"), ""),
        ("POST", format!("/customers/{FIRST}/update-payment-status"), r#"{"is_paying":true}"#),
    ]
}

/// The calls that have a body.
fn with_body() -> Vec<(&'static str, String)> {
    calls().into_iter().filter(|(_, _, body)| !body.is_empty()).map(|(method, path, _)| (method, path)).collect()
}

// ---- credentials ----

#[test]
fn credentials_that_are_missing_malformed_or_wrong_are_401() {
    let server = start();
    let watch = server.watch();
    let wrong = [
        "",
        "Bearer",
        "Bearer ",
        "reportei-test-token",
        "Basic reportei-test-token",
        "Bearerreportei-test-token",
        "Token reportei-test-token",
        "Bearer reportei-test-toke",
        "Bearer reportei-test-token2",
        "Bearer REPORTEI-TEST-TOKEN",
        "Bearer reportei-test-token, Bearer acme-test-token",
        "Bearer ' OR 1=1 --",
        "Bearer {{ merchant.access_token }}",
        "Bearer c1e6c85a-6441-4107-ab36-b8bf581b40e0",
    ];
    for (method, path, body) in calls() {
        refused(&server.call(method, &path, &[JSON], body), 401, "Unauthenticated.");
        for value in wrong {
            refused(&server.call(method, &path, &[("Authorization", value), JSON], body), 401, "Unauthenticated.");
        }
    }
    // A customer's token is not a merchant's.
    refused(
        &server.call("GET", "/customers", &[("Authorization", &format!("Bearer token-{FIRST}"))], ""),
        401,
        "Unauthenticated.",
    );
    watch.unharmed();
}

#[test]
fn credentials_come_before_everything_else_that_is_wrong() {
    let server = start();
    let watch = server.watch();
    for (method, path, body) in [
        ("GET", "/customers?per_page=0", ""),
        ("GET", "/customers/not-a-uuid", ""),
        ("POST", "/customers", "{"),
        ("POST", "/customers", ""),
    ] {
        refused(&server.call(method, path, &[JSON], body), 401, "Unauthenticated.");
    }
    watch.unharmed();
}

// ---- paths and methods ----

#[test]
fn unknown_paths_are_404_and_name_what_is_near() {
    let server = start();
    let watch = server.watch();
    for (method, path, operation, difference) in [
        ("GET", "/customer", "list", "`customers` where `customer` stands"),
        ("GET", "/Customers", "list", "`customers` where `Customers` stands"),
        ("GET", "/customers/", "list", "ends without `/`"),
        ("POST", "/customers/", "create", "ends without `/`"),
        ("POST", "/customers/x/update-payment", "update-payment-status", "update-payment-status"),
        ("GET", "/reportei/reportei/customers", "list", "twice"),
    ] {
        let answer = server.api(method, path, None);
        let detail = answer.problem(404, "no-operation");
        let near = answer.json()["nearMisses"].clone();
        let first = &near[0];
        assert!(near.as_array().unwrap().len() <= 3);
        assert_eq!(first["operation"], json!(format!("reportei/customers/{operation}")), "{method} {path}: {near:#}");
        let words = first["difference"].as_str().unwrap();
        assert!(words.contains(difference) && detail.contains(words), "{method} {path}: {detail}");
    }
    watch.unharmed();
}

#[test]
fn a_path_like_nothing_at_all_says_where_to_look() {
    let server = start();
    for path in ["/", "/favicon.ico", "/wp-admin/setup.php"] {
        let answer = server.get(path);
        let detail = answer.problem(404, "no-operation");
        assert_eq!(answer.json()["nearMisses"], json!([]), "{path}");
        assert!(detail.contains("/_standin"), "{detail}");
    }
}

#[test]
fn wrong_methods_are_405_with_allow() {
    let server = start();
    let watch = server.watch();
    for (path, allowed) in [
        ("/customers".to_owned(), "GET HEAD POST"),
        (format!("/customers/{FIRST}"), "DELETE GET HEAD PUT"),
        ("/customers/settings".to_owned(), "GET HEAD"),
        (format!("/customers/{FIRST}/update-payment-status"), "POST"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "get"] {
            if allowed.split(' ').any(|allowed| allowed == method) {
                continue;
            }
            let answer = server.api(method, &path, None);
            let detail = answer.problem(405, "method-not-allowed");
            assert!(detail.contains(method), "{detail}");
            let mut methods: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            methods.sort_unstable();
            assert_eq!(methods.join(" "), allowed, "{method} {path}");
        }
    }
    watch.unharmed();
}

#[test]
fn a_lost_prefix_is_named_with_the_pack_it_belongs_to() {
    let (server, _folder) = two_packs();
    let watch = server.watch();
    for (method, path, operation) in [
        ("GET", "/customers".to_owned(), "list"),
        ("GET", "/api/customers".to_owned(), "list"),
        ("POST", "/customers".to_owned(), "create"),
        ("DELETE", format!("/customers/{FIRST}"), "delete"),
        ("GET", "/customers/settings".to_owned(), "settings"),
    ] {
        let answer = server.api(method, &path, None);
        let detail = answer.problem(404, "no-operation");
        assert!(detail.contains("the base URL lost its prefix `/reportei`"), "{detail}");
        let first = &answer.json()["nearMisses"][0];
        assert_eq!(
            (&first["pack"], &first["operation"]),
            (&json!("reportei"), &json!(format!("reportei/customers/{operation}")))
        );
        assert_eq!(first["difference"], "the path exists in pack `reportei`: the base URL lost its prefix `/reportei`");
    }
    watch.unharmed();
}

#[test]
fn the_pack_that_was_asked_is_named() {
    let (server, _folder) = two_packs();
    let answer = server.api("GET", "/pets/customers", None);
    let detail = answer.problem(404, "no-operation");
    assert!(detail.contains("pack `pets`"), "{detail}");
}

#[test]
fn the_root_of_several_packs_is_read_only() {
    let (server, _folder) = two_packs();
    assert_eq!(server.get("/").expect(200).json()["name"], "standin");
    let answer = server.call("POST", "/", &[JSON], "{}");
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
}

#[test]
fn odd_paths_are_refused_and_never_normalised() {
    let server = start();
    let watch = server.watch();
    for path in [
        "//customers",
        "/customers//",
        "/./customers",
        "/../customers",
        "/customers/../customers",
        "/api/../customers",
        "/customers%2F",
        "/%2Fcustomers",
        "/customers%00",
        "/customers;a=b",
        "/%2e%2e/customers",
        "/customers\\settings",
        "/~default/../customers",
        "*",
        "/customers%3Fpage=1",
        "/%63ustomers",
    ] {
        let answer = server.api("GET", path, None);
        answer.problem(404, "no-operation");
    }
    for id in [
        ".",
        "..",
        "%00",
        "..%2F..",
        "%2e%2e",
        "a%2Fb",
        "%2Fetc%2Fpasswd",
        "%",
        "%zz",
        "%e2%82%ac",
        "€",
        "{{7*7}}",
        "%7B%7B7*7%7D%7D",
        "caedbbbe-7d93-476f-b965-bf97cd7ce874%00",
        "caedbbbe-7d93-476f-b965-bf97cd7ce874%2F",
        "..;",
        "null",
        "-1",
    ] {
        refused(&server.api("GET", &format!("/customers/{id}"), None), 404, "Customer not found.");
        refused(&server.api("DELETE", &format!("/customers/{id}"), None), 404, "Customer not found.");
    }
    for id in ["%ff", "%c0%ae%c0%ae", "%ed%a0%80"] {
        unreadable(&server.api("GET", &format!("/customers/{id}"), None), "not UTF-8");
    }
    // The id is compared after decoding, as every server does.
    server.api("GET", "/customers/%63aedbbbe-7d93-476f-b965-bf97cd7ce874", None).expect(200);
    watch.unharmed();
}

#[test]
fn odd_paths_of_the_control_plane_are_problems() {
    let server = start();
    let watch = server.watch();
    for path in [
        "/x",
        "//clock",
        "/../clock",
        "/../customers",
        "/clock/..",
        "/%63lock",
        "/state",
        "/state/reportei",
        "/journal/1/2",
        "/sandboxes/a/b",
        "/packs/reportei/x",
    ] {
        let answer = server.control("GET", path, None);
        let detail = answer.problem(404, "control-path-unknown");
        assert!(detail.contains("GET /_standin"), "{detail}");
    }
    for id in ["%00", "..", "%2e%2e%2fmerchant", "a%2Fb", "unknown"] {
        server.control("GET", &format!("/state/reportei/customer/{id}"), None).problem(404, "record-unknown");
        server.control("DELETE", &format!("/state/reportei/customer/{id}"), None).problem(404, "record-unknown");
    }
    server.control("GET", "/state/reportei/customer/%ff", None).problem(400, "path-unreadable");
    assert!(
        server
            .control("GET", "/state/reportei/customers", None)
            .problem(404, "resource-unknown")
            .contains("`customer`")
    );
    assert!(server.control("GET", "/state/reporte/customer", None).problem(404, "pack-unknown").contains("`reportei`"));
    server.control("GET", "/packs/reporte", None).problem(404, "pack-unknown");
    watch.unharmed();
}

#[test]
fn absolute_targets_are_taken_by_their_authority() {
    let server = start();
    let watch = server.watch();
    let url = server.url();
    let answer = server.api("GET", &format!("{url}/api/customers"), None).expect(200);
    assert_eq!(answer.json()["meta"]["path"], json!(format!("{url}/api/customers")));
    // The authority of the target counts, whatever Host says (RFC 9112, 3.2.2).
    server.call("GET", &format!("{url}/customers"), &[REPORTEI, ("Host", "evil.example")], "").expect(200);
    server.call("GET", "http://evil.example/customers", &[REPORTEI], "").problem(403, "host-unknown");
    server.call("GET", "http://evil.example/_standin/clock", &[], "").problem(403, "host-unknown");
    watch.unharmed();
}

// ---- bodies ----

#[test]
fn a_body_that_is_missing_is_400() {
    let server = start();
    let watch = server.watch();
    for (method, path) in with_body() {
        unreadable(&server.call(method, &path, &[REPORTEI, JSON], ""), "the request has no body");
        unreadable(&server.call(method, &path, &[REPORTEI], ""), "the request has no body");
        unreadable(
            &server.call(method, &path, &[REPORTEI, JSON, ("Content-Length", "0")], ""),
            "the request has no body",
        );
    }
    watch.unharmed();
}

#[test]
fn a_body_that_is_not_json_is_400_with_its_place() {
    let server = start();
    let watch = server.watch();
    for (body, words) in [
        ("name=x", "line 1"),
        ("{", "line 1, column 1"),
        ("{\"name\":\"x\"", "line 1"),
        ("{'name':'x'}", "line 1, column 2"),
        ("{\"name\":\"x\",}", "line 1"),
        ("{\n  \"name\": x\n}", "line 2"),
        ("{\"name\":\"x\"} {}", "line 1"),
        ("{\"name\":NaN}", "line 1"),
        ("{\"name\":1e400}", "line 1"),
        ("{\"name\":\"\\ud800\"}", "line 1"),
        ("{\"name\":\"a\nb\"}", "line 2"),
        (" ", "line 1"),
        ("\u{feff}{\"name\":\"x\"}", "line 1"),
    ] {
        for (method, path) in with_body() {
            let answer = server.call(method, &path, &[REPORTEI, JSON], body);
            unreadable(&answer, "not usable JSON");
            unreadable(&answer, words);
        }
    }
    watch.unharmed();
}

#[test]
fn duplicate_keys_are_400_and_named() {
    let server = start();
    let watch = server.watch();
    for body in [r#"{"name":"a","name":"b"}"#, r#"{"name":"a","n\u0061me":"b"}"#] {
        unreadable(&server.call("POST", "/customers", &[REPORTEI, JSON], body), "duplicate key `name`");
    }
    unreadable(
        &server.call("POST", "/customers", &[REPORTEI, JSON], r#"{"name":"a","x":{"y":1,"y":2}}"#),
        "duplicate key `y`",
    );
    watch.unharmed();
}

#[test]
fn a_hundred_thousand_levels_are_400() {
    let server = start();
    let watch = server.watch();
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    for body in
        [open.clone(), format!("{open}{close}"), r#"{"a":"#.repeat(100_000), format!(r#"{{"name":{open}{close}}}"#)]
    {
        for (method, path) in with_body() {
            unreadable(&server.call(method, &path, &[REPORTEI, JSON], &body), "nested deeper than 64 levels");
        }
        server.call("PUT", "/_standin/clock", &[JSON], &body).problem(400, "body-syntax");
    }
    watch.unharmed();
}

#[test]
fn bytes_that_are_not_utf8_are_400() {
    let server = start();
    let watch = server.watch();
    for body in
        [&b"{\"name\":\"\xff\"}"[..], b"\xff\xfe{\0}\0", b"{\"name\":\"\xed\xa0\x80\"}", b"{\"\x80\":1}", b"\0\0\0"]
    {
        for (method, path) in with_body() {
            unreadable(&server.call(method, &path, &[REPORTEI, JSON], body), "not usable JSON");
        }
        server.call("POST", "/_standin/sandboxes", &[JSON], body).problem(400, "body-syntax");
    }
    watch.unharmed();
}

#[test]
fn other_media_types_are_415() {
    let server = start();
    let watch = server.watch();
    let message = "The request body must be sent as application/json.";
    for media in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "text/json",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application",
        "",
        "json",
        "*/*",
        "application/jsonx",
        "\u{e9}",
    ] {
        for (method, path) in with_body() {
            refused(
                &server.call(method, &path, &[REPORTEI, ("Content-Type", media)], r#"{"name":"x","is_paying":true}"#),
                415,
                message,
            );
        }
    }
    watch.unharmed();
    for media in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.reportei+json"] {
        server.call("POST", "/customers", &[REPORTEI, ("Content-Type", media)], r#"{"name":"x"}"#).expect(201);
    }
    server.call("POST", "/customers", &[REPORTEI], r#"{"name":"x"}"#).expect(201);
}

#[test]
fn a_body_that_breaks_off_is_400_and_says_how_much_came() {
    let server = start();
    let watch = server.watch();
    let send = |length: &str, body: &str| {
        let head = format!(
            "POST /customers HTTP/1.1\r\nHost: localhost\r\n{}: {}\r\nContent-Type: application/json\r\n{length}\r\n\r\n",
            REPORTEI.0, REPORTEI.1
        );
        Answer::read(&server.raw(format!("{head}{body}").as_bytes()), "POST")
    };
    let answer = send("Content-Length: 100", r#"{"name":"x"}"#);
    let detail = answer.problem(400, "body-incomplete");
    assert!(detail.contains("12 of 100 bytes"), "{detail}");
    assert_eq!(answer.header("connection"), Some("close"));
    let answer = send("Content-Length: 100", "");
    assert!(answer.problem(400, "body-incomplete").contains("0 of 100 bytes"));
    let answer = send("Transfer-Encoding: chunked", "c\r\n{\"name\":\"x\"}\r\n");
    assert!(answer.problem(400, "body-incomplete").contains("12 bytes"));
    let answer = send("Transfer-Encoding: chunked", "zz\r\n{\"name\":\"x\"}\r\n");
    answer.problem(400, "body-incomplete");
    watch.unharmed();
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0, "what is not whole is no exchange");
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    let server = start();
    let frame = r#"{"name":""}"#.len();
    let body = format!(r#"{{"name":"{}"}}"#, "n".repeat(LIMIT - frame));
    assert_eq!(body.len(), LIMIT);
    server.call("POST", "/customers", &[REPORTEI, JSON], &body).expect(201);
}

#[test]
fn a_body_above_the_limit_is_413_and_the_connection_is_closed_cleanly() {
    let server = start();
    let watch = server.watch();
    let message = "The request body is too large.";
    let body = "x".repeat(LIMIT + 1);
    for (method, path) in with_body() {
        let answer = server.call(method, &path, &[REPORTEI, JSON], &body);
        refused(&answer, 413, message);
        assert_eq!(answer.header("connection"), Some("close"));
    }
    let mut chunked = format!(
        "POST /customers HTTP/1.1\r\nHost: localhost\r\n{}: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        REPORTEI.0, REPORTEI.1
    );
    for _ in 0..33 {
        chunked.push_str(&format!("10000\r\n{}\r\n", "x".repeat(0x10000)));
    }
    chunked.push_str("0\r\n\r\n");
    refused(&Answer::read(&server.raw(chunked.as_bytes()), "POST"), 413, message);
    server.call("PUT", "/_standin/clock", &[JSON], &body).problem(413, "body-too-large");
    // Who is not known does not get to hear about limits.
    refused(&server.call("POST", "/customers", &[JSON], &body), 401, "Unauthenticated.");
    watch.unharmed();
}

#[test]
fn a_body_above_the_limit_does_not_become_the_next_request() {
    let server = start();
    let smuggled = request("localhost", "DELETE", &format!("/customers/{FIRST}"), &[REPORTEI], b"");
    let body = [vec![b' '; LIMIT + 1], smuggled].concat();
    let head = format!(
        "POST /customers HTTP/1.1\r\nHost: localhost\r\n{}: {}\r\nContent-Length: {}\r\n\r\n",
        REPORTEI.0,
        REPORTEI.1,
        LIMIT + 1
    );
    let watch = server.watch();
    let answers = Answer::read_all(&server.raw(&[head.as_bytes(), &body].concat()), "POST");
    assert_eq!(answers.len(), 1, "the connection ends after a 413");
    assert_eq!(answers[0].status, 413);
    watch.unharmed();
}

#[test]
fn an_endless_body_is_cut_off_and_the_server_goes_on() {
    let server = start();
    let watch = server.watch();
    let mut stream = server.connect();
    let head = format!(
        "POST /customers HTTP/1.1\r\nHost: localhost\r\n{}: {}\r\nContent-Length: 1000000000000\r\n\r\n",
        REPORTEI.0, REPORTEI.1
    );
    stream.write_all(head.as_bytes()).unwrap();
    let piece = vec![b' '; 1 << 20];
    let mut sent = 0;
    while sent < 256 && stream.write_all(&piece).is_ok() {
        sent += 1;
    }
    assert!(sent < 256, "the server reads at most 8 MiB, besides what waits in buffers");
    watch.unharmed();
}

#[test]
fn max_body_and_max_json_depth_are_settings() {
    let server = Server::start(&["reportei", "--freeze", "--max-body", "20", "--max-json-depth", "2"]);
    server.call("POST", "/customers", &[REPORTEI, JSON], r#"{"name":"12345678"}"#).expect(201);
    refused(
        &server.call("POST", "/customers", &[REPORTEI, JSON], r#"{"name":"1234567890"}"#),
        413,
        "The request body is too large.",
    );
    unreadable(
        &server.call("POST", "/customers", &[REPORTEI, JSON], r#"{"name":[[1]]}"#),
        "nested deeper than 2 levels",
    );
}

/// Several requests on one connection: a refused one does not spoil those behind it.
#[test]
fn a_connection_goes_on_after_a_refusal() {
    let server = start();
    let keep = |method: &str, path: &str, body: &str| {
        let bytes = request("localhost", method, path, &[REPORTEI, JSON], body.as_bytes());
        String::from_utf8(bytes).unwrap().replace("Connection: close\r\n", "")
    };
    let all = [
        keep("POST", "/customers", "{"),
        keep("GET", "/nowhere", ""),
        keep("DELETE", &format!("/customers/{FIRST}"), "{\"ignored\": true}"),
        keep("PUT", "/customers", "{\"ignored\": true}"),
        keep("POST", "/_standin/sandboxes", "{\"idd\":1}"),
        keep("GET", "/customers", ""),
    ];
    let answers = Answer::read_all(&server.raw(all.concat().as_bytes()), "GET");
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [400, 404, 200, 405, 400, 200]);
}

// ---- headers and the protocol ----

#[test]
fn header_values_of_any_bytes_are_answered() {
    let server = start();
    let watch = server.watch();
    let send = |name: &str, value: &[u8], path: &str| {
        let head = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{name}: ");
        let host = if name == "Host" { "" } else { "\r\nHost: localhost" };
        let token = if name == "Authorization" { String::new() } else { format!("\r\n{}: {}", REPORTEI.0, REPORTEI.1) };
        Answer::read(
            &server.raw(&[head.as_bytes(), value, host.as_bytes(), token.as_bytes(), b"\r\n\r\n"].concat()),
            "GET",
        )
    };
    let bytes: Vec<u8> = (0x80..=0xff).collect();
    for value in [bytes.as_slice(), b"Bearer \xff", b"\xe2\x82\xac", "Bearer reportei-test-tokén".as_bytes()] {
        refused(&send("Authorization", value, "/customers"), 401, "Unauthenticated.");
        refused(&send("x-customer-token", value, "/customers/settings"), 401, "Invalid Customer Token");
        send("Standin-Sandbox", value, "/customers").problem(400, "sandbox-id-invalid");
        send("Host", value, "/customers").problem(400, "host-unreadable");
        send("Origin", value, "/_standin/clock").problem(403, "origin-foreign");
        for name in ["Accept", "User-Agent", "X-Anything", "Cookie", "Content-Type"] {
            assert_eq!(send(name, value, "/customers").status, 200, "{name}");
        }
    }
    // Control characters are not part of any header (RFC 9110, 5.5): the server refuses the whole request.
    for value in [&b"a\0b"[..], b"a\x07b", b"a\x7fb"] {
        let mut bytes = b"GET /customers HTTP/1.1\r\nHost: localhost\r\nX: ".to_vec();
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n\r\n");
        assert_eq!(Answer::read(&server.raw(&bytes), "GET").status, 400, "{value:?}");
    }
    watch.unharmed();
}

#[test]
fn headers_that_are_long_or_many_are_read_or_refused() {
    let server = start();
    let watch = server.watch();
    server.call("GET", "/customers", &[REPORTEI, ("X-Long", &"x".repeat(30_000))], "").expect(200);
    assert_eq!(server.call("GET", "/customers", &[REPORTEI, ("X-Long", &"x".repeat(200_000))], "").status, 431);
    let many: Vec<(String, String)> = (0..90).map(|number| (format!("X-{number}"), "x".to_owned())).collect();
    let mut headers: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.push(REPORTEI);
    server.call("GET", "/customers", &headers, "").expect(200);
    let more = headers.repeat(20);
    assert_eq!(server.call("GET", "/customers", &more, "").status, 431);
    let query = format!("/customers?x={}", "x".repeat(40_000));
    server.api("GET", &query, None).expect(200);
    let long = format!("/customers/{}", "x".repeat(200_000));
    let status = server.api("GET", &long, None).status;
    assert!(matches!(status, 414 | 431), "{status}");
    watch.unharmed();
}

#[test]
fn what_is_no_http_ends_the_connection_and_nothing_else() {
    let server = start();
    let watch = server.watch();
    for bytes in [
        &b""[..],
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /customers HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /cus",
        b"POST /customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /customers HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /customers HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n",
        b"GET /customers\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let back = server.raw(bytes);
        if back.starts_with(b"HTTP/") {
            let status = Answer::read_all(&back, "GET")[0].status;
            assert!((400..500).contains(&status), "{status} for {:?}", String::from_utf8_lossy(bytes));
        }
    }
    watch.unharmed();
}

#[test]
fn a_client_that_hangs_up_does_no_harm() {
    let server = start();
    let watch = server.watch();
    for bytes in [
        &b"GET /customers HTTP/1.1\r\n"[..],
        b"POST /customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{",
    ] {
        let mut stream = server.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    watch.unharmed();
}

/// A slow client gets an answer, or an end, once its time is over.
#[test]
fn a_body_that_never_comes_is_408() {
    let server = Server::start(&["reportei", "--freeze", "--body-timeout", "50ms", "--header-timeout", "50ms"]);
    let watch = server.watch();
    let mut stream = server.connect();
    let head = format!(
        "POST /customers HTTP/1.1\r\nHost: localhost\r\n{}: {}\r\nContent-Length: 50\r\n\r\n{{",
        REPORTEI.0, REPORTEI.1
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let answer = Answer::read(&bytes, "POST");
    let detail = answer.problem(408, "body-timeout");
    assert!(detail.contains("0.05 seconds"), "{detail}");
    let mut stream = server.connect();
    stream.write_all(b"GET /customers HT").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert!(bytes.is_empty() || Answer::read(&bytes, "GET").status == 408, "{}", String::from_utf8_lossy(&bytes));
    watch.unharmed();
}

#[test]
fn foreign_hosts_are_403_everywhere() {
    let server = start();
    let watch = server.watch();
    for host in [
        "evil.example",
        "localhost.evil.example",
        "evil.example:4010",
        "192.168.0.1",
        "127.0.0.1.evil.example",
        "[2001:db8::1]",
        "evil@127.0.0.1",
    ] {
        for path in ["/customers", "/_standin/clock", "/_standin", "/"] {
            let answer = server.call("GET", path, &[REPORTEI, ("Host", host)], "");
            let detail = answer.problem(403, "host-unknown");
            assert!(detail.contains("localhost"), "{detail}");
        }
    }
    server.call("GET", "/customers", &[REPORTEI, ("Host", "hubster.localhost")], "").problem(404, "pack-unknown");
    for host in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.1.2.3:80",
        "[::1]",
        "[::1]:80",
        "reportei.localhost",
        "localhost.",
    ] {
        server.call("GET", "/customers", &[REPORTEI, ("Host", host)], "").expect(200);
    }
    watch.unharmed();
}

#[test]
fn one_host_is_needed_since_http_1_1() {
    let server = start();
    let token = format!("{}: {}", REPORTEI.0, REPORTEI.1);
    let send = |text: String| Answer::read(&server.raw(text.as_bytes()), "GET");
    send(format!("GET /customers HTTP/1.1\r\n{token}\r\n\r\n")).problem(400, "host-missing");
    send(format!("GET /customers HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n{token}\r\n\r\n"))
        .problem(400, "host-twice");
}

#[test]
fn pages_of_other_origins_may_not_steer_the_server() {
    let server = start();
    let watch = server.watch();
    let port = server.port();
    for origin in
        ["https://evil.example", "null", "http://localhost:1", "file://", "", &format!("https://127.0.0.1:{port}")]
    {
        for (method, path) in [
            ("GET", "/_standin/clock"),
            ("POST", "/_standin/reset"),
            ("DELETE", "/_standin/journal"),
            ("GET", "/_standin/log"),
        ] {
            server.call(method, path, &[("Origin", origin)], "").problem(403, "origin-foreign");
        }
    }
    for (host, origin) in [
        (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}")),
        (format!("localhost:{port}"), format!("http://localhost:{port}")),
    ] {
        server.call("GET", "/_standin/clock", &[("Host", &host), ("Origin", &origin)], "").expect(200);
    }
    // The API itself is open to any page, as an API is.
    server.call("GET", "/customers", &[REPORTEI, ("Origin", "https://app.example")], "").expect(200);
    watch.unharmed();
}

/// A page can post a form or plain text anywhere without asking; neither is understood here.
#[test]
fn the_control_plane_takes_json_only() {
    let server = start();
    let watch = server.watch();
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let detail = server
            .call("PUT", "/_standin/clock", &[("Content-Type", media)], r#"{"mode":"ticking"}"#)
            .problem(415, "media-type");
        assert!(detail.contains("application/json"), "{detail}");
    }
    server.call("PUT", "/_standin/clock", &[], r#"{"mode":"ticking"}"#).problem(415, "media-type");
    watch.unharmed();
}

#[test]
fn http_1_0_is_answered_and_its_links_lead_back() {
    let server = start();
    let token = format!("{}: {}", REPORTEI.0, REPORTEI.1);
    let answer =
        Answer::read(&server.raw(format!("GET /customers HTTP/1.0\r\n{token}\r\n\r\n").as_bytes()), "GET").expect(200);
    assert_eq!(answer.json()["meta"]["path"], json!(format!("{}/api/customers", server.url())));
    let named = format!("GET /customers HTTP/1.0\r\nHost: localhost:{}\r\n{token}\r\n\r\n", server.port());
    let answer = Answer::read(&server.raw(named.as_bytes()), "GET").expect(200);
    assert_eq!(answer.json()["meta"]["path"], json!(format!("http://localhost:{}/api/customers", server.port())));
}

#[test]
fn http_2_with_prior_knowledge_is_answered_alike() {
    let server = start();
    let home = tempfile::tempdir().unwrap();
    let large = home.path().join("large.json");
    fs::write(&large, "x".repeat(LIMIT + 1)).unwrap();
    let large = format!("@{}", large.display());
    let curl = |arguments: &[&str]| {
        let token = format!("{}: {}", REPORTEI.0, REPORTEI.1);
        let output = Command::new("curl")
            .args([
                "--http2-prior-knowledge",
                "--silent",
                "--max-time",
                "30",
                "--header",
                &token,
                "--header",
                "Content-Type: application/json",
            ])
            .args(["--write-out", "\n%{http_code} %{http_version}"])
            .args(arguments)
            .env("CURL_HOME", home.path())
            .env_remove("http_proxy")
            .output()
            .expect("curl is there");
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, end) = text.rsplit_once('\n').unwrap();
        (end.to_owned(), serde_json::from_str::<Json>(body).unwrap_or(Json::Null))
    };
    let url = server.url();
    let (end, list) = curl(&[&format!("{url}/customers")]);
    assert_eq!(end, "200 2");
    assert_eq!(list, server.api("GET", "/customers", None).json());
    let (end, made) = curl(&["--data", r#"{"name":"Two"}"#, &format!("{url}/api/customers")]);
    assert_eq!((end.as_str(), &made["customer"]["name"]), ("201 2", &json!("Two")));
    assert_eq!(curl(&[&format!("{url}/nowhere")]).0, "404 2");
    assert_eq!(curl(&["--data", "{", &format!("{url}/customers")]).0, "400 2");
    assert_eq!(curl(&["--data-binary", &large, &format!("{url}/customers")]).0, "413 2");
    assert_eq!(curl(&["--header", "Host: evil.example", &format!("{url}/customers")]).0, "403 2");
    assert_eq!(server.get("/_standin/livez").status, 200);
}

#[test]
fn unknown_parameters_of_the_query_are_ignored_and_noted() {
    let server = start();
    let plain = server.api("GET", "/customers", None).expect(200);
    let answer = server.api("GET", "/customers?perPage=1&color=red&=&&x&%ff=%00&page", None);
    assert_eq!(answer.status, 422, "a known parameter without a value is not ignored: {answer}");
    let answer = server.api("GET", "/customers?perPage=1&color=red&&x&%ff=%00", None).expect(200);
    assert_eq!(answer.body, plain.body);
    let entry = server.control("GET", &format!("/journal/{}", answer.header("standin-entry").unwrap()), None).json();
    let noted: Vec<&Json> =
        entry["exchange"]["trace"].as_array().unwrap().iter().filter(|step| step["verdict"] == "noted").collect();
    assert_eq!(noted.len(), 1, "{entry:#}");
    for name in ["`perPage`", "`color`", "`x`"] {
        assert!(noted[0]["detail"].as_str().unwrap().contains(name), "{}", noted[0]);
    }
}

// ---- the control plane ----

#[test]
fn every_control_path_refuses_other_methods_with_allow() {
    let server = start();
    let watch = server.watch();
    let index = server.control("GET", "", None).json();
    let routes: Vec<(&str, &str)> = index["routes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| route.as_str().unwrap().split_once(' ').unwrap())
        .collect();
    assert!(routes.len() >= 25);
    for (_, path) in &routes {
        let mut allowed: Vec<&str> =
            routes.iter().filter(|(_, other)| other == path).map(|(method, _)| *method).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.sort_unstable();
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            if allowed.contains(&method) {
                continue;
            }
            let answer = server.call(method, path, &[JSON], "");
            assert_eq!(answer.status, 405, "{method} {path}: {answer}");
            let mut methods: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            methods.sort_unstable();
            assert_eq!(methods, allowed, "{method} {path}");
            if method != "HEAD" {
                answer.problem(405, "method-not-allowed");
            }
        }
    }
    watch.unharmed();
}

#[test]
fn every_control_path_with_a_body_refuses_what_is_no_object() {
    let server = start();
    let watch = server.watch();
    let customer = format!("/state/reportei/customer/{FIRST}");
    for (method, path) in [
        ("POST", "/sandboxes"),
        ("POST", "/reset"),
        ("PUT", "/clock"),
        ("POST", "/clock/advance"),
        ("POST", "/state/reportei/customer"),
        ("PUT", &customer),
        ("PATCH", &customer),
        ("POST", "/events/reportei/revoke"),
    ] {
        let call =
            |headers: &[(&str, &str)], body: &str| server.call(method, &format!("/_standin{path}"), headers, body);
        call(&[("Content-Type", "text/plain")], "{}").problem(415, "media-type");
        call(&[("Content-Type", "text/plain; application/json")], "{}").problem(415, "media-type");
        let detail = call(&[JSON], "{\n\"by\": }").problem(400, "body-syntax");
        assert!(detail.contains("line 2"), "{detail}");
        assert!(call(&[JSON], r#"{"a":1,"a":2}"#).problem(400, "body-syntax").contains("duplicate key `a`"));
        for body in ["[]", "1", "null", "\"7d\""] {
            call(&[JSON], body).problem(400, "body-kind");
        }
    }
    watch.unharmed();
}

#[test]
fn unknown_members_are_refused_with_what_was_meant() {
    let server = start();
    let watch = server.watch();
    for (method, path, body, meant) in [
        ("POST", "/sandboxes", json!({ "name": "a" }), None),
        ("POST", "/sandboxes", json!({ "Id": "a" }), Some("id")),
        ("POST", "/sandboxes", json!({ "clok": "2024-10-01T17:15:12Z" }), Some("clock")),
        ("PUT", "/clock", json!({ "mod": "frozen" }), Some("mode")),
        ("POST", "/clock/advance", json!({ "bye": "7d" }), Some("by")),
        ("POST", "/reset", json!({ "hard": true }), None),
    ] {
        let detail = server.control(method, path, Some(body.clone())).problem(400, "body-member-unknown");
        let member = body.as_object().unwrap().keys().next().unwrap();
        assert!(detail.contains(&format!("`{member}`")), "{detail}");
        if let Some(meant) = meant {
            assert!(detail.contains(&format!("Did you mean `{meant}`?")), "{detail}");
        }
    }
    watch.unharmed();
}

#[test]
fn bad_clock_calls_are_400_and_time_stands_still() {
    let server = start();
    let watch = server.watch();
    for (method, path, body, slug, words) in [
        ("PUT", "/clock", json!({}), "nothing-to-set", "`now`"),
        ("PUT", "/clock", json!({ "now": null }), "nothing-to-set", "`now`"),
        ("PUT", "/clock", json!({ "now": "yesterday" }), "member-invalid", "2024-10-01T17:15:12Z"),
        ("PUT", "/clock", json!({ "now": "2024-13-01T00:00:00Z" }), "member-invalid", "not an instant"),
        ("PUT", "/clock", json!({ "now": 1_727_802_912 }), "member-invalid", "must be a text"),
        ("PUT", "/clock", json!({ "mode": "fast" }), "member-invalid", "`ticking` or `frozen`"),
        ("PUT", "/clock", json!({ "mode": true }), "member-invalid", "must be a text"),
        (
            "PUT",
            "/clock",
            json!({ "now": "2030-01-01T00:00:00Z", "mode": "stopped" }),
            "member-invalid",
            "`ticking` or `frozen`",
        ),
        ("POST", "/clock/advance", json!({}), "advance-what", "either `by`"),
        ("POST", "/clock/advance", json!({ "by": "7d", "to": "2030-01-01T00:00:00Z" }), "advance-what", "either `by`"),
        ("POST", "/clock/advance", json!({ "by": "soon" }), "member-invalid", "7d"),
        ("POST", "/clock/advance", json!({ "by": "" }), "member-invalid", "7d"),
        ("POST", "/clock/advance", json!({ "by": "7" }), "member-invalid", "7d"),
        ("POST", "/clock/advance", json!({ "by": 7 }), "member-invalid", "must be a text"),
        ("POST", "/clock/advance", json!({ "by": "1 month" }), "member-invalid", "7d"),
        ("POST", "/clock/advance", json!({ "by": "9999999999999999999d" }), "member-invalid", "7d"),
        ("POST", "/clock/advance", json!({ "to": "tomorrow" }), "member-invalid", "not an instant"),
        ("POST", "/clock/advance", json!({ "by": "-1s" }), "advance-backwards", "PUT /_standin/clock"),
        ("POST", "/clock/advance", json!({ "by": "-P7D" }), "advance-backwards", "PUT /_standin/clock"),
        ("POST", "/clock/advance", json!({ "to": "2024-10-01T17:15:11Z" }), "advance-backwards", "PUT /_standin/clock"),
        ("POST", "/clock/advance", json!({ "to": "1970-01-01T00:00:00Z" }), "advance-backwards", "PUT /_standin/clock"),
    ] {
        let answer = server.control(method, path, Some(body.clone()));
        let detail = answer.problem(400, slug);
        assert!(detail.contains(words), "{body}: {detail}");
    }
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0, "a refused call is no event");
    watch.unharmed();
}

#[test]
fn at_the_ends_of_time_the_api_still_answers() {
    let server = start();
    for now in ["9999-12-30T21:59:59Z", "0000-01-01T00:00:00Z", "-000001-01-02T00:00:00Z", "9999-12-30T22:00:00Z"] {
        server.control("PUT", "/clock", Some(json!({ "now": now }))).expect(200);
        server.api("POST", "/customers", Some(json!({ "name": now }))).expect(201);
        server.api("GET", "/customers", None).expect(200);
    }
    server.control("POST", "/clock/advance", Some(json!({ "by": "2000000d" }))).expect(200);
    server.control("POST", "/clock/advance", Some(json!({ "by": "2000000d" }))).expect(200);
    assert_eq!(server.get("/_standin/livez").status, 200);
}

#[test]
fn bad_sandbox_calls_are_refused() {
    let server = start();
    let watch = server.watch();
    let long = "a".repeat(64);
    for id in ["", "A", "Alice", "-a", "a-", "a.b", "a/b", "a b", "~a", "ä", "..", "%61", long.as_str()] {
        let detail = server.control("POST", "/sandboxes", Some(json!({ "id": id }))).problem(400, "member-invalid");
        assert!(detail.contains("lower-case"), "{detail}");
    }
    let pack = server.control("POST", "/sandboxes", Some(json!({ "id": "reportei" }))).problem(400, "member-invalid");
    assert!(pack.contains("pack"), "{pack}");
    server.control("POST", "/sandboxes", Some(json!({ "id": "default" }))).problem(409, "sandbox-exists");
    for body in [
        json!({ "id": 1 }),
        json!({ "id": ["a"] }),
        json!({ "clock": "now" }),
        json!({ "clock": 0 }),
        json!({ "seed": -1 }),
        json!({ "seed": 1.5 }),
        json!({ "seed": "1" }),
        json!({ "seed": 18_446_744_073_709_551_616_f64 }),
    ] {
        let answer = server.control("POST", "/sandboxes", Some(body.clone()));
        answer.problem(400, "member-invalid");
        let member = body.as_object().unwrap().keys().next().unwrap();
        assert_eq!(answer.json()["member"], json!(member));
    }
    server.control("DELETE", "/sandboxes/default", None).problem(409, "sandbox-default");
    server.control("DELETE", "/sandboxes/unknown", None).problem(404, "sandbox-unknown");
    server.control("GET", "/sandboxes/unknown", None).problem(404, "sandbox-unknown");
    server.control("GET", "/sandboxes/Alice", None).problem(400, "sandbox-id-invalid");
    for path in [
        "/~/customers",
        "/~Alice/customers",
        "/~a.b/customers",
        "/~-/customers",
        "/~%41/customers",
        &format!("/~{long}/customers"),
    ] {
        server.api("GET", path, None).problem(400, "sandbox-id-invalid");
    }
    server.api("GET", "/~unknown/customers", None).problem(404, "sandbox-unknown");
    watch.unharmed();
}

#[test]
fn there_are_only_so_many_sandboxes() {
    let server = Server::start(&["reportei", "--freeze", "--max-sandboxes", "3"]);
    for id in ["one", "two"] {
        server.control("POST", "/sandboxes", Some(json!({ "id": id }))).expect(201);
    }
    let detail = server.control("POST", "/sandboxes", None).problem(429, "sandboxes-full");
    assert!(detail.contains("--max-sandboxes"), "{detail}");
    server.control("DELETE", "/sandboxes/one", None).expect(204);
    server.control("POST", "/sandboxes", Some(json!({ "id": "three" }))).expect(201);
}

#[test]
fn bad_state_calls_are_refused_with_the_reason() {
    let server = start();
    let watch = server.watch();
    let patch = |body: Json| server.control("PATCH", &format!("/state/reportei/customer/{FIRST}"), Some(body));
    for (body, words) in [
        (json!({ "is_payng": true }), "did you mean `is_paying`"),
        (json!({ "is_paying": "yes" }), "is_paying"),
        (json!({ "name": 7 }), "name"),
        (json!({ "uuid": null }), "cannot be null"),
        (json!({ "created_at": "yesterday" }), "%Y-%m-%d %H:%M:%S"),
        (json!({ "created_at": 0 }), "created_at"),
        (json!({ "uuid": "caedbbbe-7d93-476f-b965-bf97cd7ce875" }), "another"),
        (json!({ "uuid": "x" }), "uuid"),
        (json!({ "merchant_uuid": "x" }), "merchant_uuid"),
    ] {
        let detail = patch(body.clone()).problem(422, "record-invalid");
        assert!(detail.contains(words), "{body}: {detail}");
    }
    let detail =
        server.control("POST", "/state/reportei/customer", Some(json!({ "name": "x" }))).problem(422, "record-invalid");
    let post = server.control("POST", "/state/reportei/customer", Some(json!({ "uuid": null, "name": "x" })));
    assert!(post.problem(422, "record-invalid").contains("cannot be null"));
    assert!(detail.contains("is missing"), "{detail}");
    let full = server.control("GET", &format!("/state/reportei/customer/{FIRST}"), None).json();
    server.control("POST", "/state/reportei/customer", Some(full)).problem(409, "record-conflict");
    let id = "00000000-0000-4000-8000-000000000000";
    for (method, body) in [("PATCH", json!({ "name": "x" })), ("DELETE", json!({})), ("GET", json!({}))] {
        server.control(method, &format!("/state/reportei/customer/{id}"), Some(body)).problem(404, "record-unknown");
    }
    server.control("PUT", &format!("/state/reportei/customer/{id}"), Some(json!({}))).problem(422, "record-invalid");
    server
        .control("PUT", "/state/reportei/customer/not-a-uuid", Some(json!({ "name": "x" })))
        .problem(422, "record-invalid");
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0, "a refused edit is no event");
    watch.unharmed();
}

#[test]
fn bad_events_are_refused_with_the_reason() {
    let server = start();
    let watch = server.watch();
    let detail = server.control("POST", "/events/reportei/revok", Some(json!({}))).problem(404, "event-unknown");
    assert!(detail.contains("Did you mean `revoke`?"), "{detail}");
    server.control("POST", "/events/reporte/revoke", Some(json!({}))).problem(404, "pack-unknown");
    for body in [
        json!({}),
        json!({ "uuid": 1 }),
        json!({ "uuid": "x" }),
        json!({ "id": "6110b666-0327-4a81-b48e-9feb34d72f78" }),
    ] {
        let answer = server.control("POST", "/events/reportei/revoke", Some(body.clone()));
        let detail = answer.problem(422, "event-invalid");
        assert!(detail.contains("GET /_standin/events"), "{detail}");
        assert_eq!(answer.json()["violations"].as_array().unwrap().len(), 1, "{body}: {answer}");
    }
    let unknown = json!({ "uuid": "00000000-0000-4000-8000-000000000000" });
    server.control("POST", "/events/reportei/revoke", Some(unknown)).problem(404, "record-unknown");
    watch.unharmed();
}

#[test]
fn bad_numbers_in_lists_and_entries_are_400() {
    let server = start();
    let watch = server.watch();
    for path in ["/journal", "/log", "/sandboxes", "/state/reportei/customer"] {
        for query in ["limit=0", "limit=1001", "limit=abc", "limit=-1", "limit=", "limit=99999999999999999999"] {
            server.control("GET", &format!("{path}?{query}"), None).problem(400, "limit-invalid");
        }
        for query in ["after=abc", "after=-1", "after=1.5", "after=99999999999999999999"] {
            server.control("GET", &format!("{path}?{query}"), None).problem(400, "after-invalid");
        }
        let beyond = server.control("GET", &format!("{path}?after=18446744073709551615"), None).expect(200).json();
        assert_eq!((&beyond["records"], &beyond["next"]), (&json!([]), &Json::Null), "{path}");
    }
    for entry in ["abc", "-1", "1.5", "99999999999999999999", "%00"] {
        server.control("GET", &format!("/journal/{entry}"), None).problem(400, "entry-invalid");
    }
    for entry in ["0", "1", "18446744073709551615"] {
        server.control("GET", &format!("/journal/{entry}"), None).problem(404, "entry-unknown");
    }
    let detail = server.control("GET", "/log?secrets=yes", None).problem(400, "secrets-invalid");
    assert!(detail.contains("`show`"), "{detail}");
    watch.unharmed();
}

//! Pages of any origin may call packs and read their answers; the control plane is closed to them.

use super::*;

const APP: (&str, &str) = ("Origin", "https://app.example");

/// The headers of an answer that tell a browser what a page may do.
fn said(answer: &Answer) -> Vec<(&str, &str)> {
    let about = |name: &str| name.starts_with("access-control-") || name == "vary";
    let mut said: Vec<(&str, &str)> = answer
        .headers
        .iter()
        .filter(|(name, _)| about(name))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    said.sort_unstable();
    said
}

/// Checks that the page at `https://app.example` may read an answer, and which headers of it.
#[track_caller]
fn open(answer: &Answer, exposed: &[&str]) {
    let names =
        said(answer).iter().find(|(name, _)| *name == "access-control-expose-headers").map_or("", |(_, names)| *names);
    let mut named: Vec<&str> = names.split(", ").filter(|name| !name.is_empty()).collect();
    named.sort_unstable();
    assert_eq!(named, exposed, "{answer}");
    let rest: Vec<_> = said(answer).into_iter().filter(|(name, _)| *name != "access-control-expose-headers").collect();
    assert_eq!(
        rest,
        [
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-origin", "https://app.example"),
            ("vary", "Origin")
        ],
        "{answer}"
    );
}

#[test]
fn a_page_reads_the_answers_of_a_pack_and_their_headers() {
    let server = start();
    let exposed = ["date", "standin-contract", "standin-entry", "standin-operation"];
    open(&server.call("GET", "/customers", &[REPORTEI, APP], "").expect(200), &exposed);
    open(&server.call("GET", "/customers", &[APP], "").expect(401), &exposed);
    open(&server.call("HEAD", "/customers", &[REPORTEI, APP], "").expect(200), &exposed);
    assert_eq!(said(&server.api("GET", "/customers", None).expect(200)), [("vary", "Origin")], "no page asks");
    let null = server.call("GET", "/customers", &[REPORTEI, ("Origin", "null")], "").expect(200);
    assert_eq!(null.header("access-control-allow-origin"), Some("null"));
    let two = server.call("GET", "/customers", &[REPORTEI, APP, ("Origin", "https://b.example")], "").expect(200);
    assert_eq!(said(&two), [("vary", "Origin")], "no browser sends two origins");
}

#[test]
fn a_page_reads_what_the_server_itself_refuses() {
    let server = Server::start(&["reportei", "--freeze", "--max-body", "10", "--body-timeout", "50ms"]);
    let call = |path: &str, headers: &[(&str, &str)]| server.call("GET", path, &[headers, &[APP]].concat(), "");
    let nosniff = ["x-content-type-options"];
    let engine = ["date", "standin-contract", "standin-entry", "x-content-type-options"];
    let answer = call("/nothing", &[]);
    answer.problem(404, "no-operation");
    open(&answer, &engine);
    let answer = server.call("PUT", "/customers", &[APP], "");
    answer.problem(405, "method-not-allowed");
    open(&answer, &["allow", "date", "standin-contract", "standin-entry", "x-content-type-options"]);
    for (path, headers, status, slug) in [
        ("/~unknown/customers", &[][..], 404, "sandbox-unknown"),
        ("/~NO/customers", &[], 400, "sandbox-id-invalid"),
        ("/customers", &[("Standin-Sandbox", "NO")], 400, "sandbox-id-invalid"),
        ("/~a/customers", &[("Standin-Sandbox", "b")], 400, "sandbox-selectors-disagree"),
        ("/customers", &[("Host", "nothing.localhost")], 404, "pack-unknown"),
    ] {
        let answer = call(path, headers);
        answer.problem(status, slug);
        open(&answer, &nosniff);
    }
    let large = server.call("POST", "/customers", &[REPORTEI, JSON, APP], r#"{"name":"long enough"}"#).expect(413);
    open(&large, &["date", "standin-contract", "standin-entry", "standin-operation"]);
    let head =
        format!("POST /customers HTTP/1.1\r\nHost: localhost\r\n{}: {}\r\nContent-Length: 5\r\n\r\n", APP.0, APP.1);
    let broken = Answer::read(&server.raw(format!("{head}{{").as_bytes()), "POST");
    broken.problem(400, "body-incomplete");
    open(&broken, &nosniff);
    let slow = {
        use std::io::{Read as _, Write as _};
        let mut stream = server.connect();
        stream.write_all(head.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::read(&bytes, "POST")
    };
    slow.problem(408, "body-timeout");
    open(&slow, &nosniff);
    let foreign = server.call("GET", "/customers", &[APP, ("Host", "evil.example")], "");
    foreign.problem(403, "host-unknown");
    assert_eq!(said(&foreign), []);
}

#[test]
fn a_path_without_a_pack_is_open_too() {
    let (server, _folder) = two_packs(&[]);
    let answer = server.call("GET", "/nothing/at/all", &[APP], "");
    answer.problem(404, "no-operation");
    open(&answer, &["date", "standin-entry", "x-content-type-options"]);
}

#[test]
fn a_preflight_is_answered_for_every_path_and_leaves_no_trace() {
    let server = start();
    let ask = [APP, ("Access-Control-Request-Method", "PATCH")];
    for path in ["/customers", "/nothing", "/", "/~unknown/customers", "/~NO/customers", "/reportei/customers?a=b"] {
        let answer = server.call("OPTIONS", path, &ask, "").expect(204);
        assert_eq!(
            said(&answer),
            [
                ("access-control-allow-credentials", "true"),
                ("access-control-allow-methods", "PATCH"),
                ("access-control-allow-origin", "https://app.example"),
                ("access-control-max-age", "600"),
                ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
            ],
            "{path}"
        );
        assert_eq!((answer.header("standin-entry"), answer.body.as_slice()), (None, &b""[..]));
    }
    let headers = ("Access-Control-Request-Headers", "authorization,x-customer-token");
    let network = ("Access-Control-Request-Private-Network", "true");
    let answer = server.call("OPTIONS", "/customers", &[ask[0], ask[1], headers, network], "").expect(204);
    assert_eq!(answer.header("access-control-allow-headers"), Some("authorization,x-customer-token"));
    assert_eq!(answer.header("access-control-allow-private-network"), Some("true"));
    let answer = server.call("OPTIONS", "/customers", &[ask[0], ask[1], (network.0, "no")], "").expect(204);
    assert_eq!(answer.header("access-control-allow-private-network"), None);
    server.call("OPTIONS", "/customers", &[ask[0], ask[1], ("Host", "evil.example")], "").problem(403, "host-unknown");
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0);
}

#[test]
fn other_options_requests_are_the_apis() {
    let server = start();
    for headers in [&[][..], &[APP], &[("Access-Control-Request-Method", "GET")]] {
        server.call("OPTIONS", "/customers", headers, "").problem(405, "method-not-allowed");
    }
    let asked = server.call("GET", "/customers", &[REPORTEI, APP, ("Access-Control-Request-Method", "GET")], "");
    assert_eq!(asked.status, 200, "only OPTIONS is a preflight");
    assert_eq!(server.control("GET", "/journal", None).json()["total"], 4);
}

#[test]
fn what_a_pack_says_itself_is_sent() {
    let (server, _folder) = two_packs(&[]);
    let answer = server.call("GET", "/notes/own", &[APP], "").expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://own.example"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!(answer.header("vary"), Some("Accept, Origin"));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(exposed.split(", ").any(|name| name == "x-total"), "{exposed}");
    let moved = server.call("GET", "/notes/moved?api_key=documented-key", &[APP], "").expect(302);
    open(&moved, &["date", "location", "retry-after", "standin-contract", "standin-entry", "standin-operation"]);
}

#[test]
fn no_cors_leaves_it_all_out() {
    let server = Server::start(&["reportei", "--freeze", "--no-cors"]);
    for answer in [
        server.call("GET", "/customers", &[REPORTEI, APP], "").expect(200),
        server.call("GET", "/nothing", &[APP], "").expect(404),
        server.call("OPTIONS", "/customers", &[APP, ("Access-Control-Request-Method", "GET")], "").expect(405),
    ] {
        assert_eq!(said(&answer), [], "{answer}");
    }
}

#[test]
fn the_control_plane_has_none_of_it() {
    let (server, _folder) = two_packs(&[]);
    let own = server.url();
    for path in
        ["/_standin", "/_standin/clock", "/_standin/nothing", "/_standin/livez", "/", "/~unknown/_standin/clock"]
    {
        assert_eq!(said(&server.call("GET", path, &[("Origin", &own)], "")), [], "{path}");
        let refused = server.call("OPTIONS", path, &[APP, ("Access-Control-Request-Method", "GET")], "");
        refused.problem(403, "origin-foreign");
        assert_eq!(said(&refused), [], "{path}");
    }
}

// ---- what a browser may do with an answer ----

#[test]
fn no_script_runs_in_html_of_a_pack() {
    let server = case("html-page", &[]);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";
    for (path, status) in [("/visits/v1", 200), ("/visits/unknown", 404)] {
        let page = server.get(path).expect(status);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("content-security-policy"), Some(policy));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    }
    let (server, _folder) = two_packs(&[]);
    let page = server.get("/notes/page").expect(200);
    assert_eq!(page.header("content-security-policy"), Some("default-src 'self'"), "the pack's own");
    assert_eq!(page.header("referrer-policy"), Some("origin"));
    let api = server.get("/notes/own").expect(200);
    assert_eq!((api.header("content-security-policy"), api.header("x-content-type-options")), (None, None));
}

#[test]
fn answers_of_the_server_are_what_they_say() {
    let server = start();
    for path in ["/_standin", "/_standin/nothing", "/_standin/journal", "/nothing", "/~unknown/customers", "/~NO"] {
        assert_eq!(server.get(path).header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

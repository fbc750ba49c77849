//! Host, origin and token in front of every route of the control plane.

use super::*;

/// A way to call the sandbox `alice`, or the default one: what stands before the path, and headers.
type Way = (&'static str, Vec<(&'static str, String)>);

fn ways(server: &Server) -> Vec<Way> {
    vec![
        ("", vec![]),
        ("/~alice", vec![]),
        ("/%7Ealice", vec![]),
        ("", vec![("Standin-Sandbox", "alice".to_owned())]),
        ("", vec![("Host", format!("alice.reportei.localhost:{}", server.port()))]),
        // Whatever else is wrong with a request, the rules come first.
        ("/~unknown", vec![]),
        ("/~NO", vec![]),
        ("/~alice", vec![("Standin-Sandbox", "bob".to_owned())]),
        ("", vec![("Host", "nothing.localhost".to_owned())]),
    ]
}

/// Calls every row of the table, and paths that have none, in every way.
fn walk(server: &Server, more: &[(&str, &str)], look: impl Fn(&str, &str, &Answer)) {
    let mut calls: Vec<(String, String)> = Vec::new();
    for (method, path) in rows() {
        let path = filled(&path);
        calls.extend([&*method, "HEAD", "OPTIONS", "PUT"].map(|method| (method.to_owned(), path.clone())));
    }
    for (method, path) in admin_rows() {
        calls.extend([&*method, "HEAD", "OPTIONS", "PUT"].map(|method| (method.to_owned(), path.clone())));
    }
    for path in ["/__admin", "/__admin/", "/__admin/nothing", "/__admin/livez", "/__admin/health/"] {
        calls.push(("GET".to_owned(), path.to_owned()));
    }
    for path in
        ["/_standin/", "/_standin//", "/_standin/nothing", "/_standin/livez/", "/_standin/livez/x", "/_standin/clock/"]
    {
        calls.push(("GET".to_owned(), path.to_owned()));
    }
    for (before, headers) in ways(server) {
        let mut headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        headers.extend(more);
        for (method, path) in &calls {
            let path = format!("{before}{path}");
            look(method, &path, &server.call(method, &path, &headers, ""));
        }
    }
}

fn is_health(method: &str, path: &str) -> bool {
    let own = path.contains("/_standin/");
    own && matches!(method, "GET" | "HEAD") && (path.ends_with("/livez") || path.ends_with("/readyz"))
}

#[test]
fn the_index_lists_exactly_the_rows_of_the_table() {
    let server = start();
    let listed: Vec<String> = serde_json::from_value(server.control("GET", "", None).json()["routes"].clone()).unwrap();
    let rows: Vec<String> =
        rows().iter().map(|(method, path)| format!("{method} /_standin{}", path.trim_end_matches('/'))).collect();
    assert_eq!(listed, rows);
}

#[test]
fn no_row_answers_a_foreign_origin() {
    let server = start();
    let watch = server.watch();
    walk(&server, &[("Origin", "https://evil.example")], |method, path, answer| {
        assert_eq!(answer.status, 403, "{method} {path}: {answer}");
        assert!(!readable(answer), "{method} {path}: {answer}");
        if method != "HEAD" {
            let detail = answer.problem(403, "origin-foreign");
            assert!(detail.contains("`https://evil.example`"), "{detail}");
        }
    });
    watch.unharmed();
}

#[test]
fn no_row_answers_a_foreign_host() {
    let server = start();
    let watch = server.watch();
    walk(&server, &[("Host", "evil.example")], |method, path, answer| {
        assert_eq!(answer.status, 403, "{method} {path}: {answer}");
        if method != "HEAD" {
            answer.problem(403, "host-unknown");
        }
    });
    watch.unharmed();
}

/// A delivery goes where somebody else's URL leads.
#[test]
fn no_row_answers_a_delivery() {
    let server = Server::start(&["reportei", "--freeze", "--token", TOKEN]);
    let delivery = ("Standin-Delivery", "1");
    for more in [&[delivery][..], &[("STANDIN-DELIVERY", ""), BEARER], &[delivery, BEARER, JSON]] {
        walk(&server, more, |method, path, answer| {
            assert_eq!(answer.status, 403, "{method} {path}: {answer}");
            if method != "HEAD" {
                let detail = answer.problem(403, "delivery-refused");
                assert!(detail.contains("change the URL of the webhook"), "{detail}");
            }
        });
    }
}

#[test]
fn a_delivery_reaches_packs_and_stubs_and_nothing_else_in_any_spelling() {
    let (server, _folder) = two_packs(&[]);
    let delivery = ("Standin-Delivery", "default-1");
    let stub = json!({ "request": { "method": "POST", "url": "/reportei/hook" }, "response": { "status": 202 } });
    server.control("POST", "/stubs", Some(stub)).expect(201);
    server.call("POST", "/reportei/hook", &[delivery, JSON], "{}").expect(202);
    server.call("POST", "/~default/reportei/hook", &[delivery, JSON], "{}").expect(202);
    server.call("GET", "/reportei/customers", &[delivery, REPORTEI], "").expect(200);
    let pack = ("Host", "reportei.localhost");
    server.call("GET", "/customers", &[pack, delivery, REPORTEI], "").expect(200);
    for path in [
        "/",
        "/~default",
        "/%7Edefault/",
        "/_standin",
        "/_standin/reset",
        "/~default/_standin/reset",
        "/%7Edefault/_standin/reset",
        "/%7edefault/__admin/reset",
        "/~unknown/_standin/reset",
        "/__admin/mappings",
        "/_standin/livez",
        "/_standin/nothing",
    ] {
        for host in ["localhost", "127.0.0.1"] {
            server.call("POST", path, &[("Host", host), delivery, JSON], "{}").problem(403, "delivery-refused");
        }
        if path.contains('_') {
            for host in ["reportei.localhost", "default.reportei.localhost", "nothing.localhost"] {
                server.call("POST", path, &[("Host", host), delivery, JSON], "{}").problem(403, "delivery-refused");
            }
        }
    }
    // What only looks like it is a path of nobody.
    for path in
        ["/%5Fstandin/reset", "//_standin/reset", "/_STANDIN/reset", "/./_standin/reset", "/x/../_standin/reset"]
    {
        let answer = server.call("POST", path, &[delivery, JSON], "{}");
        assert_eq!(answer.status, 404, "{path}: {answer}");
        assert!(!answer.text().contains("control-path"), "{path}: {answer}");
    }
    let kept = server.control("GET", "/stubs", None).json();
    assert_eq!(kept["total"], 1, "nothing was reset: {kept}");
}

/// Every row but health asks for the token, with and without a wrong one.
pub fn every_row_asks_for_the_token() {
    let server = Server::start(&["reportei", "--freeze", "--token", TOKEN]);
    server.call("POST", "/_standin/sandboxes", &[BEARER, JSON], r#"{"id":"alice"}"#).expect(201);
    for wrong in [&[][..], &[("Authorization", "Bearer 0123456789-the-tokem")], &[("Authorization", "Basic eDp5")]] {
        walk(&server, wrong, |method, path, answer| {
            if is_health(method, path) {
                let selectors = answer.status == 400 || answer.status == 404;
                assert!(answer.status == 200 || selectors, "{method} {path}: {answer}");
                assert!(!answer.text().contains("sandbox-unknown"), "it says which sandboxes there are: {answer}");
                return;
            }
            assert_eq!(answer.status, 401, "{method} {path}: {answer}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"standin\""), "{answer}");
            if method != "HEAD" {
                let detail = answer.problem(401, "token-required");
                assert!(detail.contains("--token") && detail.contains("STANDIN_TOKEN"), "{detail}");
                assert!(!detail.contains("0123456789"), "{detail}");
            }
        });
    }
    walk(&server, &[BEARER], |method, path, answer| {
        assert!(!matches!(answer.status, 401 | 403), "{method} {path}: {answer}");
    });
}

#[test]
fn health_needs_no_token_and_says_nothing_else() {
    let server = Server::start(&["reportei", "--token", TOKEN]);
    for path in ["/_standin/livez", "/_standin/readyz", "/~unknown/_standin/livez"] {
        assert_eq!(server.get(path).expect(200).json(), json!({ "status": "ok" }), "{path}");
        assert_eq!(server.call("HEAD", path, &[], "").status, 200);
        server.call("POST", path, &[], "").problem(401, "token-required");
        server.call("GET", path, &[("Origin", "https://evil.example")], "").problem(403, "origin-foreign");
        server.call("GET", path, &[("Host", "evil.example")], "").problem(403, "host-unknown");
    }
}

#[test]
fn the_index_at_the_root_is_the_control_planes() {
    let (server, _folder) = two_packs(&["--token", TOKEN]);
    for path in ["/", "/~default/", "/~default", "/~unknown/"] {
        server.get(path).problem(401, "token-required");
        server.call("GET", path, &[BEARER, ("Origin", "https://evil.example")], "").problem(403, "origin-foreign");
    }
    let index = server.call("GET", "/", &[BEARER], "").expect(200).text();
    assert!(index.contains("\"notes\"") && index.contains("\"reportei\""), "{index}");
    // The root of a pack's own host is the pack's.
    let host = format!("notes.localhost:{}", server.port());
    server.call("GET", "/own", &[("Host", &host)], "").expect(200);
    server.call("GET", "/", &[("Host", &host)], "").problem(404, "no-operation");
}

#[test]
fn packs_never_ask_for_the_token() {
    let server = Server::start(&["reportei", "--freeze", "--token", TOKEN]);
    server.api("GET", "/customers", None).expect(200);
    server.api("GET", "/nothing", None).problem(404, "no-operation");
    let answer = server.call("GET", "/customers", &[BEARER], "");
    assert_eq!(
        answer.json(),
        json!({ "message": "Unauthenticated." }),
        "the token of the control plane is nothing to a pack"
    );
}

#[test]
fn only_the_servers_own_page_passes() {
    let server = start();
    let port = server.port();
    let own = format!("http://127.0.0.1:{port}");
    server.call("GET", "/_standin/clock", &[("Origin", &own)], "").expect(200);
    for origin in [
        format!("{own}/"),
        format!("{own}/page"),
        own.to_uppercase(),
        format!("http://localhost:{port}"),
        "http://127.0.0.1".to_owned(),
        "http://127.0.0.1:80".to_owned(),
        "null".to_owned(),
    ] {
        server.call("GET", "/_standin/clock", &[("Origin", &origin)], "").problem(403, "origin-foreign");
        let both = [("Origin", own.as_str()), ("Origin", origin.as_str())];
        server.call("GET", "/_standin/clock", &both, "").problem(403, "origin-foreign");
    }
    server.call("GET", "/_standin/clock", &[("Origin", &own), ("Origin", &own)], "").problem(403, "origin-foreign");
    // At the default port a browser writes none.
    let host = ("Host", "localhost");
    server.call("GET", "/_standin/clock", &[host, ("Origin", "http://localhost")], "").expect(200);
    server
        .call("GET", "/_standin/clock", &[host, ("Origin", "http://localhost:80")], "")
        .problem(403, "origin-foreign");
}

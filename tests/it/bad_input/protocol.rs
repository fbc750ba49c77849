//! Headers, hosts and the protocol.

use super::*;

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
    // A stream that is reset under what the client sends loses its answer.
    for _ in 0..10 {
        let foreign = ["--header", "Host: evil.example", "--data-binary", &large, &format!("{url}/customers")];
        assert_eq!(curl(&foreign).0, "403 2");
    }
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

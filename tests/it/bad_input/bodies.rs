//! Bodies that cannot be read.

use super::*;

// ---- bodies ----

#[test]
fn a_body_that_is_missing_is_400() {
    let server = start();
    let watch = server.watch();
    // Everything that a session can be asked for is optional.
    for (method, path) in with_body().into_iter().filter(|(_, path)| path != "/customer-integrations/session") {
        unreadable(&server.call(method, &path, &[REPORTEI, CUSTOMER, JSON], ""), "the request has no body");
        unreadable(&server.call(method, &path, &[REPORTEI, CUSTOMER], ""), "the request has no body");
        unreadable(
            &server.call(method, &path, &[REPORTEI, CUSTOMER, JSON, ("Content-Length", "0")], ""),
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
            let answer = server.call(method, &path, &[REPORTEI, CUSTOMER, JSON], body);
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
            unreadable(&server.call(method, &path, &[REPORTEI, CUSTOMER, JSON], &body), "nested deeper than 64 levels");
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
            unreadable(&server.call(method, &path, &[REPORTEI, CUSTOMER, JSON], body), "not usable JSON");
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
                &server.call(
                    method,
                    &path,
                    &[REPORTEI, CUSTOMER, ("Content-Type", media)],
                    r#"{"name":"x","is_paying":true}"#,
                ),
                415,
                message,
            );
        }
    }
    watch.unharmed();
    for media in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.reportei+json"] {
        server
            .call("POST", "/customers", &[REPORTEI, CUSTOMER, ("Content-Type", media)], r#"{"name":"x"}"#)
            .expect(201);
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
        let answer = server.call(method, &path, &[REPORTEI, CUSTOMER, JSON], &body);
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
fn a_body_of_countless_values_is_too_large() {
    let server = start();
    let watch = server.watch();
    let values = |many: usize| format!("[{}0]", "0,".repeat(many));
    let send = |body: &str| server.call("POST", "/customers", &[REPORTEI, JSON], body);
    refused(&send(&values(1_000_000)), 413, "The request body is too large.");
    watch.unharmed();
    // It is no customer, and it is read.
    send(&values(100_000)).expect(422);
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

#[test]
fn bodies_under_way_share_a_room() {
    let server = Server::start(&["reportei", "--freeze", "--max-body", "1000", "--max-body-total", "1"]);
    let head = |length: usize| {
        format!(
            "POST /customers HTTP/1.1\r\nHost: localhost\r\n{}: {}\r\nContent-Length: {length}\r\n\r\n",
            REPORTEI.0, REPORTEI.1
        )
    };
    let body = format!(r#"{{"name":"{}"}}"#, "n".repeat(900));
    let small = format!(r#"{{"name":"{}"}}"#, "s".repeat(200));
    let call = || server.call("POST", "/customers", &[REPORTEI, JSON], &small);
    // Whatever becomes of a body, its room comes back.
    for end in ["answered", "broken off", "gone"] {
        let (mut holder, answer) = crate::server::eventually("a full room", || {
            let mut holder = server.connect();
            holder.write_all((head(body.len()) + &body[..850]).as_bytes()).unwrap();
            server.get("/_standin/livez").expect(200);
            let answer = call();
            if answer.status != 201 {
                return Some((holder, answer));
            }
            // The call was first: this one holds nothing any more once it is answered.
            holder.shutdown(Shutdown::Write).unwrap();
            holder.read_to_end(&mut Vec::new()).unwrap();
            None
        });
        let detail = answer.problem(503, "bodies-full");
        assert!(detail.contains("--max-body-total"), "{detail}");
        assert_eq!((answer.header("retry-after"), answer.header("connection")), (Some("1"), Some("close")));
        server.api("GET", "/customers", None).expect(200);
        if end == "answered" {
            holder.write_all(&body.as_bytes()[850..]).unwrap();
        }
        if end == "gone" {
            drop(holder);
        } else {
            holder.shutdown(Shutdown::Write).unwrap();
            let mut back = Vec::new();
            holder.read_to_end(&mut back).unwrap();
            assert_eq!(Answer::read(&back, "POST").status, if end == "answered" { 201 } else { 400 });
        }
        crate::server::eventually("room", || (call().status == 201).then_some(()));
    }
    // One that is too large holds nothing.
    let mut large = server.connect();
    large.write_all((head(5000) + &"x".repeat(4000)).as_bytes()).unwrap();
    for _ in 0..20 {
        crate::server::eventually("room", || (call().status == 201).then_some(()));
    }
}

/// A connection that is closed under what the client sends is reset: many clients then look for no answer, and on some
/// systems there is none to find.
#[test]
fn who_is_refused_while_sending_can_send_it_all_and_reads_why() {
    let server = start();
    let watch = server.watch();
    let body = "x".repeat(3 << 20);
    let long = "y".repeat(1 << 20);
    let send = |method: &str, headers: &[(&str, &str)], body: &str| {
        let bytes = request("localhost", method, "/customers", headers, body.as_bytes());
        let mut stream = server.connect();
        stream.write_all(&bytes).unwrap();
        let mut back = Vec::new();
        stream.read_to_end(&mut back).unwrap();
        Answer::read(&back, method)
    };
    for _ in 0..5 {
        send("POST", &[("Host", "evil.example"), JSON], &body).problem(403, "host-unknown");
        send("POST", &[REPORTEI, ("Content-Length", "3145728")], &body).problem(400, "length-ambiguous");
        assert_eq!(send("GET", &[REPORTEI, ("X-Long", &long)], "").status, 431);
    }
    watch.unharmed();
}

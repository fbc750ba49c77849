//! Requests of HTTP/1.1 whose end can be seen in two places. Whatever is sent, one request is one answer, and what
//! hides in a request is not answered.

use super::*;

/// A request that must not be answered: it would create a customer.
fn hidden() -> String {
    let body = r#"{"name":"Smuggled"}"#;
    format!(
        "POST /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        REPORTEI.1,
        body.len()
    )
}

/// The head of a request that would create a customer, with these lines about its body.
fn head(lines: &str) -> String {
    format!("POST /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n{lines}\r\n\r\n", REPORTEI.1)
}

fn get() -> String {
    format!("GET /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\r\n", REPORTEI.1)
}

fn statuses(server: &Server, bytes: impl AsRef<[u8]>) -> Vec<u16> {
    answers(server, bytes).iter().map(|answer| answer.status).collect()
}

fn answers(server: &Server, bytes: impl AsRef<[u8]>) -> Vec<Answer> {
    Answer::read_all(&server.raw(bytes.as_ref()), "POST")
}

/// What the journal has, as method and path.
fn journal(server: &Server) -> Vec<String> {
    let page = server.control("GET", "/journal", None).json();
    let entries = page["records"].as_array().unwrap_or_else(|| panic!("{page:#}"));
    let text = |value: &Json| value.as_str().unwrap_or_else(|| panic!("{page:#}")).to_owned();
    entries.iter().map(|entry| format!("{} {}", text(&entry["method"]), text(&entry["path"]))).collect()
}

/// Each is refused with one 400 and the end of the connection. A request in front is answered, one behind is not.
#[track_caller]
fn refused_alone(server: &Server, request: &str, slug: Option<&str>) {
    for pipelined in [false, true] {
        let before = if pipelined { get() } else { String::new() };
        let all = answers(server, format!("{before}{request}{}", hidden()));
        let (last, first) = all.split_last().unwrap_or_else(|| panic!("no answer to {request:?}"));
        assert_eq!(first.len(), usize::from(pipelined), "{request:?}");
        assert!(first.iter().all(|answer| answer.status == 200), "{request:?}");
        assert_eq!(last.status, 400, "{request:?}: {last}");
        assert_eq!(last.header("connection"), Some("close"), "{request:?}: {last}");
        if let Some(slug) = slug {
            last.problem(400, slug);
        }
    }
}

#[track_caller]
fn nothing_came_of_it(server: &Server, watch: &crate::server::Watch<'_>) {
    watch.unharmed();
    let journal = journal(server);
    assert!(journal.iter().all(|line| line == "GET /customers"), "{journal:?}");
}

#[test]
fn a_length_is_one_number() {
    let server = start();
    let watch = server.watch();
    for lines in [
        "Content-Length: 2\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 2",
        "Content-Length: 2, 5",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5 5",
        "Content-Length: 5;",
        "Content-Length: \"5\"",
        "Content-Length: 5.0",
        "Content-Length: \u{665}",
        "Content-Length:",
        "Content-Length: 18446744073709551616",
        "Content-Length: 99999999999999999999999999",
        "Content-Length : 5",
        "Content-Length\t: 5",
        " Content-Length: 5",
        "X: y\r\n Content-Length: 5",
    ] {
        refused_alone(&server, &head(lines), None);
    }
    // hyper takes these two as one.
    refused_alone(&server, &head("Content-Length: 5\r\nContent-Length: 5"), Some("length-ambiguous"));
    refused_alone(&server, &head("Content-Length: 5\r\nX: y\r\ncontent-length: 5"), Some("length-ambiguous"));
    nothing_came_of_it(&server, &watch);
    // Space around the number is no part of it.
    for lines in ["Content-Length:2", "Content-Length: \t 2 \t ", "CONTENT-LENGTH: 002"] {
        assert_eq!(statuses(&server, head(lines) + "{}"), [422], "{lines:?}");
    }
}

#[test]
fn a_length_beside_chunks_is_refused() {
    let server = start();
    let watch = server.watch();
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nContent-Length: 0",
        "Content-Length: 0\r\nX: y\r\ntransfer-encoding:chunked",
        "Transfer-Encoding: Chunked\r\nContent-Length: 5\r\nContent-Length: 6",
    ] {
        refused_alone(&server, &(head(lines) + "0\r\n\r\n"), Some("length-ambiguous"));
    }
    nothing_came_of_it(&server, &watch);
}

#[test]
fn the_only_coding_is_chunked() {
    let server = start();
    let watch = server.watch();
    for lines in [
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: , chunked",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
    ] {
        refused_alone(&server, &(head(lines) + "0\r\n\r\n"), Some("transfer-encoding"));
    }
    for lines in [
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding:",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        " Transfer-Encoding: chunked",
        "X: y\r\n\tTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\n , identity",
        "Transfer-Encoding: \u{b}chunked",
        "Transfer-Encoding: chunked\0",
        "Transfer-Encoding: chunk\red",
        "X: y\rTransfer-Encoding: chunked",
    ] {
        refused_alone(&server, &(head(lines) + "0\r\n\r\n"), None);
    }
    let old = head("Transfer-Encoding: chunked").replace("HTTP/1.1", "HTTP/1.0");
    refused_alone(&server, &(old + "0\r\n\r\n"), None);
    nothing_came_of_it(&server, &watch);
    for lines in ["Transfer-Encoding: chunked", "transfer-encoding:\tChunked ", "TRANSFER-ENCODING: CHUNKED"] {
        assert_eq!(statuses(&server, head(lines) + "2\r\n{}\r\n0\r\n\r\n"), [422], "{lines:?}");
    }
}

#[test]
fn lines_of_a_head_end_in_cr_lf() {
    let server = start();
    let watch = server.watch();
    let good = head("Content-Length: 0");
    // Each line end in turn without its CR, then all of them.
    let ends: Vec<usize> = good.match_indices("\r\n").map(|(at, _)| at).collect();
    assert_eq!(ends.len(), 5);
    for at in ends {
        let mut bad = good.clone();
        bad.remove(at);
        refused_alone(&server, &bad, Some("line-end"));
    }
    refused_alone(&server, &good.replace("\r\n", "\n"), Some("line-end"));
    refused_alone(&server, &format!("\n{good}"), Some("line-end"));
    // One reader sees one header here, another sees two.
    refused_alone(&server, &head("X: y\nContent-Length: 100"), Some("line-end"));
    for bad in [good.replace("\r\n", "\r"), good.replace("Host", "\rHost"), good.replace("\r\n", "\r\r\n")] {
        refused_alone(&server, &format!("{bad}\r\n\r\n"), None);
    }
    nothing_came_of_it(&server, &watch);
    // Empty lines before a request are skipped (RFC 9112, 2.2).
    assert_eq!(statuses(&server, format!("\r\n\r\n{}\r\n{}", get(), get())), [200, 200]);
}

/// A body of chunks that is framed wrongly is never whole: nothing is done, and nothing behind it is read.
#[test]
fn chunks_are_framed_exactly() {
    let server = start();
    let watch = server.watch();
    let body = r#"{"name":"x"}"#;
    for bad in [
        format!("c\n{body}\r\n0\r\n\r\n"),
        format!("c\r\n{body}\n0\r\n\r\n"),
        format!("c\r\n{body}\r\n0\n\r\n"),
        format!("c\r\n{body}\r\n0\r\n\n"),
        format!("c\r\n{body}\r\n0\r\nX: y\n\r\n"),
        format!("c\r{body}\r\n0\r\n\r\n"),
        format!("c;a\nb\r\n{body}\r\n0\r\n\r\n"),
        format!("c;a\rb\r\n{body}\r\n0\r\n\r\n"),
        format!("-c\r\n{body}\r\n0\r\n\r\n"),
        format!("+c\r\n{body}\r\n0\r\n\r\n"),
        format!("0xc\r\n{body}\r\n0\r\n\r\n"),
        format!(" c\r\n{body}\r\n0\r\n\r\n"),
        format!("c c\r\n{body}\r\n0\r\n\r\n"),
        format!("\r\nc\r\n{body}\r\n0\r\n\r\n"),
        format!("b\r\n{body}\r\n0\r\n\r\n"),
        format!("d\r\n{body}\r\n0\r\n\r\n"),
        format!("1000000000000000c\r\n{body}\r\n0\r\n\r\n"),
        format!("fffffffffffffffff\r\n{body}\r\n0\r\n\r\n"),
        format!("c;{}\r\n{body}\r\n0\r\n\r\n", "x".repeat(5000)),
        format!("{}c\r\n{body}\r\n0\r\n\r\n", "0".repeat(5000)),
        format!("c;{}", "x".repeat(5000)),
        format!("c\r\n{body}\r\n0\r\nX: {}\r\n\r\n", "y".repeat(5000)),
    ] {
        let request = head("Transfer-Encoding: chunked") + &bad;
        let all = answers(&server, format!("{}{request}{}", get(), hidden()));
        assert_eq!(all.len(), 2, "{}", &bad[..bad.len().min(100)]);
        assert_eq!(all[0].status, 200);
        all[1].problem(400, "body-incomplete");
        assert_eq!(all[1].header("connection"), Some("close"), "{bad:?}");
        nothing_came_of_it(&server, &watch);
    }
    // The largest size there is: all that follows would belong to the chunk.
    let endless = head("Transfer-Encoding: chunked") + "ffffffffffffffff\r\n" + &hidden();
    answers(&server, endless)[0].problem(400, "body-incomplete");
    // Without the last line end the body goes on.
    let request = head("Transfer-Encoding: chunked") + &format!("c\r\n{body}\r\n0\r\n");
    let all = answers(&server, &request);
    assert_eq!(all.len(), 1);
    all[0].problem(400, "body-incomplete");
    nothing_came_of_it(&server, &watch);
}

/// Chunk by chunk one extension more: the sum is bounded.
#[test]
fn extensions_of_chunks_are_bounded() {
    let server = start();
    let watch = server.watch();
    let chunk = format!("1;{}\r\n \r\n", "x".repeat(1000));
    let request = head("Transfer-Encoding: chunked") + &chunk.repeat(40) + "0\r\n\r\n";
    let all = answers(&server, request);
    assert_eq!(all.len(), 1);
    let detail = all[0].problem(400, "body-incomplete");
    assert!(detail.contains("extensions"), "{detail}");
    nothing_came_of_it(&server, &watch);
}

/// Trailers do not count as headers: neither a length nor a host nor a credential comes from them.
#[test]
fn trailers_say_nothing() {
    let server = start();
    let trailers = "Content-Length: 500\r\nHost: evil.example\r\nAuthorization: Bearer acme-test-token\r\nTransfer-Encoding: gzip\r\n";
    let body = r#"{"name":"x"}"#;
    let request = head("Transfer-Encoding: chunked") + &format!("c\r\n{body}\r\n0\r\n{trailers}\r\n");
    assert_eq!(statuses(&server, format!("{request}{}", get())), [201, 200]);
    assert_eq!(journal(&server).len(), 2);
}

#[test]
fn what_stands_in_a_body_is_a_body() {
    let server = start();
    let watch = server.watch();
    let inner = hidden();
    let by_length = head(&format!("Content-Length: {}", inner.len())) + &inner;
    let by_chunks = head("Transfer-Encoding: chunked") + &format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
    // Also where nobody asks for a body.
    let unasked = get().replace("\r\n\r\n", &format!("\r\nContent-Length: {}\r\n\r\n{inner}", inner.len()));
    assert_eq!(statuses(&server, &by_length), [400]);
    assert_eq!(statuses(&server, &by_chunks), [400]);
    assert_eq!(statuses(&server, &unasked), [200]);
    assert_eq!(statuses(&server, [by_length, by_chunks, unasked, get()].concat()), [400, 400, 200, 200]);
    watch.unharmed();
    assert_eq!(journal(&server).len(), 7);
    assert_eq!(journal(&server).iter().filter(|line| *line == "POST /customers").count(), 4);
}

/// Wherever the network cuts a request, it is read alike: heads, sizes, chunks and trailers come in any pieces.
#[test]
fn it_does_not_matter_how_the_bytes_are_cut() {
    let server = start();
    let body = r#"{"name":"Cut"}"#;
    let chunked = head("Transfer-Encoding: chunked")
        + &format!("2;x=y\r\n{}\r\nC\r\n{}\r\n0\r\nX: y\r\n\r\n", &body[..2], &body[2..]);
    let bad = head("X: y\nContent-Length: 5");
    let all = format!("\r\n{}{chunked}{}{bad}{}", get(), get(), hidden());
    for size in [1, 2, 3, 7] {
        let mut stream = server.connect();
        stream.set_nodelay(true).unwrap();
        for piece in all.as_bytes().chunks(size) {
            // Once the refusal is sent, the server takes no more.
            if stream.write_all(piece).is_err() {
                break;
            }
        }
        let _ = stream.shutdown(Shutdown::Write);
        let mut back = Vec::new();
        let _ = stream.read_to_end(&mut back);
        let statuses: Vec<u16> = Answer::read_all(&back, "POST").iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 201, 200, 400], "{size}");
    }
    assert_eq!(journal(&server).len(), 12);
}

#[test]
fn a_request_names_one_host() {
    let server = start();
    let watch = server.watch();
    let send = |target: &str, hosts: &[&str]| {
        let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        let text =
            format!("GET {target} HTTP/1.1\r\n{hosts}Authorization: {}\r\nConnection: close\r\n\r\n", REPORTEI.1);
        Answer::read(&server.raw(text.as_bytes()), "GET")
    };
    let url = server.url();
    let host = url.trim_start_matches("http://");
    for other in ["evil.example", "localhost", "", "reportei.localhost", &format!("{host}0"), "\u{e9}"] {
        let answer = send(&format!("{url}/customers"), &[other]);
        let detail = answer.problem(400, "host-disagrees");
        assert!(detail.contains(host), "{detail}");
        assert_eq!(answer.header("connection"), Some("close"));
    }
    send(&format!("{url}/customers"), &[host, "evil.example"]).problem(400, "host-disagrees");
    send("http://evil.example/customers", &[host]).problem(400, "host-disagrees");
    send("http://evil.example/customers", &["evil.example"]).problem(403, "host-unknown");
    send("/customers", &[host, host]).problem(400, "host-twice");
    send(&format!("{url}/customers"), &[host]).expect(200);
    send("http://LocalHost/customers", &["localhost:80"]).expect(200);
    nothing_came_of_it(&server, &watch);
}

/// The body is not asked for where the answer is known without it, and never taken for a request.
#[test]
fn expect_100_continue_is_answered_once() {
    let server = start();
    let body = r#"{"name":"Asked"}"#;
    let lines = format!("Expect: 100-continue\r\nContent-Length: {}", body.len());
    assert_eq!(statuses(&server, head(&lines) + body), [100, 201]);
    let watch = server.watch();
    let lines = format!("Expect: 100-continue\r\nContent-Length: {}", LIMIT + 1);
    let large = [head(&lines).into_bytes(), vec![b' '; LIMIT + 1], hidden().into_bytes()].concat();
    assert_eq!(statuses(&server, large), [100, 413]);
    let lines = format!("Expect: 100-continue\r\nContent-Length: {}", hidden().len());
    let foreign = head(&lines).replace("Host: localhost", "Host: evil.example");
    assert_eq!(statuses(&server, foreign + &hidden()), [403]);
    watch.unharmed();
    assert_eq!(journal(&server), ["POST /customers", "POST /customers"]);
}

#[test]
fn upgrades_are_not_taken() {
    let server = start();
    let settings = "AAMAAABkAARAAAAAAAIAAAAA";
    for upgrade in ["h2c", "websocket", "TLS/1.0"] {
        let lines = format!(
            "\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: {settings}\r\n\r\n"
        );
        let request = get().replace("\r\n\r\n", &lines);
        assert_eq!(statuses(&server, format!("{request}{}", get())), [200, 200], "{upgrade}");
    }
    // Only from the first byte on is it HTTP/2.
    let all = answers(&server, format!("{}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", get()));
    assert_eq!(all.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200]);
    assert_eq!(journal(&server).len(), 7);
}

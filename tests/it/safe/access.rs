//! `--host`, `--allow-host` and `--token`: what is refused, what is printed, and what then holds.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::*;

fn refused(command: &mut Command, message: &str) {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{command:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("error: {message}\n"));
    assert!(output.stdout.is_empty());
}

fn serve(arguments: &[&str]) -> Command {
    let mut command = standin();
    command.args(["serve", "reportei", "--port", "0"]).args(arguments);
    command
}

#[test]
fn what_is_no_host_name_is_refused_with_a_remedy() {
    for (name, message) in [
        ("http://standin", "`http://standin` has a scheme: write the host alone, such as `standin` or `api.test`"),
        ("standin:4010", "`standin:4010` has a port: leave it out, a host is allowed with any port"),
        ("*.test", "`*.test` has a wildcard: names are exact, so allow each of them"),
        ("", "`` is no host name: it has letters, digits, hyphens and dots, such as `standin` or `api.test`"),
        ("a b", "`a b` is no host name: it has letters, digits, hyphens and dots, such as `standin` or `api.test`"),
    ] {
        refused(&mut serve(&["--allow-host", "fine", "--allow-host", name]), &format!("--allow-host: {message}"));
    }
}

#[test]
fn what_is_no_host_of_receivers_is_refused_with_a_remedy() {
    for (host, message) in [
        (
            "http://hooks.test/x",
            "`http://hooks.test/x` has a scheme: write the host alone, such as `hooks.example.com` or `10.1.2.3:8080`",
        ),
        ("*", "`*` has a wildcard that is not in front of a name: write it as in `*.example.com`"),
        ("hooks.test:0", "`hooks.test:0` has a port that is none: it is a number from 1 to 65535"),
        (
            "169.254.169.254",
            "`169.254.169.254` is an address that nothing is ever sent to: it is where clouds tell machines their secrets",
        ),
        ("0x0a000001", "`0x0a000001` is an address in another spelling: write `10.0.0.1`"),
        ("", "`` is no host: write a name, `*.` and a name, or an address, such as `hooks.example.com`"),
    ] {
        let arguments = ["--allow-webhook-host", "[fd00::1]:8443", "--allow-webhook-host", host];
        refused(&mut serve(&arguments), &format!("--allow-webhook-host: {message}"));
    }
}

#[test]
fn an_allowed_name_is_like_localhost() {
    let server = Server::start(&["reportei", "--freeze", "--allow-host", "Standin", "--allow-host", "api.test."]);
    let port = server.port();
    for host in ["standin".to_owned(), format!("STANDIN:{port}"), "standin.".to_owned(), format!("api.test:{port}")] {
        server.call("GET", "/customers", &[REPORTEI, ("Host", &host)], "").expect(200);
        let index = server.call("GET", "/_standin", &[("Host", &host)], "").expect(200).json();
        let base = format!("http://{}/reportei", host.to_lowercase());
        assert_eq!(index["packs"][0]["baseUrl"], json!(base), "links lead back to the name that was called");
        let origin = format!("http://{}", host.to_lowercase());
        server.call("GET", "/_standin", &[("Host", &host), ("Origin", &origin)], "").expect(200);
    }
    for host in ["reportei.standin", "alice.reportei.standin", "test", "xapi.test"] {
        let answer = server.call("GET", "/customers", &[REPORTEI, ("Host", host)], "");
        let detail = answer.problem(403, "host-unknown");
        assert!(detail.contains("--allow-host"), "{detail}");
    }
}

#[test]
fn a_token_that_is_none_is_refused_and_not_repeated() {
    let good = "`openssl rand -hex 16` makes a good one";
    let strange = "may have ASCII letters, digits and signs only, and no spaces";
    for (token, wrong) in [
        ("", "has 0 characters, and needs 16 at least"),
        ("0123456789abcde", "has 15 characters, and needs 16 at least"),
        ("                    ", strange),
        ("0123456789 abcdef", strange),
        ("0123456789abcdef\n", strange),
        ("0123456789abcdéf", strange),
    ] {
        refused(&mut serve(&["--token", token]), &format!("the token of --token {wrong}: {good}"));
        refused(serve(&[]).env("STANDIN_TOKEN", token), &format!("the token of STANDIN_TOKEN {wrong}: {good}"));
    }
}

#[test]
fn the_environment_may_have_the_token_and_the_flag_wins() {
    let token = |server: &Server, token: &str| {
        server.call("GET", "/_standin", &[("Authorization", &format!("Bearer {token}"))], "").status
    };
    let mut command = serve(&["--log", "off"]);
    command.env("STANDIN_TOKEN", "token-of-the-environment");
    let mut server = Server::spawn(command);
    assert!(!server.start_text().contains("token-of-the-environment"));
    assert_eq!((token(&server, "token-of-the-environment"), server.get("/_standin").status), (200, 401));
    let mut command = serve(&["--log", "json", "--token", "token-of-the-flag"]);
    command.env("STANDIN_TOKEN", "token-of-the-environment");
    let server = Server::spawn(command);
    let first: Json = serde_json::from_str(&server.first_line).unwrap();
    assert_eq!(first.get("token"), None, "a token that was given is not printed");
    assert_eq!((token(&server, "token-of-the-flag"), token(&server, "token-of-the-environment")), (200, 401));
}

/// The standard output of a server up to the last line of its start text.
fn printed(arguments: &[&str]) -> (Vec<String>, u16, std::process::Child) {
    let mut child = serve(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        lines.push(line.unwrap());
        if lines.last().is_some_and(|line| line.starts_with("token ")) {
            break;
        }
    }
    let port = lines[0].rsplit_once(':').unwrap().1.parse().unwrap();
    (lines, port, child)
}

#[test]
fn beyond_loopback_a_token_is_made_and_printed() {
    let mut tokens = Vec::new();
    let (host, loopback) = ("0.0.0.0", "127.0.0.1");
    for _ in 0..2 {
        let (lines, port, mut child) = printed(&["--host", host, "--listen", "reportei=0"]);
        assert_eq!(lines[0], format!("standin listening on http://{loopback}:{port}"));
        assert_eq!(lines[1], format!("on all interfaces: other machines can call port {port}"));
        assert!(lines.iter().skip(1).all(|line| !line.contains(host)), "a URL that nobody can call: {lines:?}");
        assert!(lines.contains(&format!("control plane http://{loopback}:{port}/_standin")), "{lines:?}");
        let token = lines.last().unwrap().strip_prefix("token         ").unwrap().to_owned();
        assert!(token.len() >= 32 && token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{token}");
        let address = format!("127.0.0.1:{port}").parse().unwrap();
        let call = |path: &str, headers: &[(&str, &str)]| crate::server::call(address, "GET", path, headers, "");
        call("/_standin/clock", &[]).problem(401, "token-required");
        call("/_standin/clock", &[("Authorization", &format!("Bearer {token}"))]).expect(200);
        call("/_standin/readyz", &[]).expect(200);
        call("/customers", &[REPORTEI]).expect(200);
        call("/customers", &[REPORTEI, ("Host", &format!("{host}:{port}"))]).problem(403, "host-unknown");
        call("/customers", &[REPORTEI, ("Host", "evil.example")]).problem(403, "host-unknown");
        child.kill().unwrap();
        child.wait().unwrap();
        tokens.push(token);
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn the_object_at_the_start_has_a_token_that_was_made() {
    let server = Server::spawn(serve(&["--log", "json", "--host", "0.0.0.0"]));
    let first: Json = serde_json::from_str(&server.first_line).unwrap();
    let token = first["token"].as_str().unwrap();
    let expected = json!({ "event": "listening", "url": server.url(), "pid": server.pid(), "token": token });
    assert_eq!(first, expected);
    server.call("GET", "/_standin", &[("Authorization", &format!("Bearer {token}"))], "").expect(200);
    server.get("/_standin").problem(401, "token-required");
}

#[test]
fn a_given_token_holds_beyond_loopback_and_is_not_printed() {
    let mut server = Server::spawn(serve(&["--log", "off", "--host", "0.0.0.0", "--token", TOKEN]));
    assert!(!server.start_text().contains(TOKEN));
    server.get("/_standin").problem(401, "token-required");
    server.call("GET", "/_standin", &[BEARER], "").expect(200);
}

//! `standin readyz`: whether a server can be called, for what starts one.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::process::Output;
use std::thread::{self, JoinHandle};

use tokio::net::TcpSocket;
use tokio::runtime::Builder;

use crate::cli::refused;
use crate::server::{Server, standin};

fn readyz(arguments: &[&str], url: Option<&str>) -> Output {
    let mut command = standin();
    command.arg("readyz").args(arguments).env_remove("STANDIN_URL");
    command.envs(url.map(|url| ("STANDIN_URL", url))).output().unwrap()
}

#[track_caller]
fn is_ready(output: &Output, url: &str) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), &*out, &*err), (Some(0), &*format!("{url} is ready\n"), ""));
}

#[track_caller]
fn is_not(output: &Output, words: &str) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code() == Some(1) && err.starts_with(&format!("error: {words}")), "{words}: {out}{err}");
    assert_eq!(out, "");
}

/// Gives each of these answers on a connection of its own, and then the last request.
fn answering(answers: &[&'static str]) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers = answers.to_vec();
    let serves = move || {
        let mut request = Vec::new();
        for answer in answers {
            let mut stream = listener.accept().unwrap().0;
            request.clear();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
        String::from_utf8(request).unwrap()
    };
    (url, thread::spawn(serves))
}

#[test]
fn a_server_is_ready_by_url_or_by_the_environment_and_without_a_token() {
    let server = Server::start(&["reportei", "--freeze", "--token", "0123456789abcdef"]);
    let url = format!("http://127.0.0.1:{}", server.port());
    is_ready(&readyz(&[&format!("{url}/")], None), &url);
    is_ready(&readyz(&[], Some(&url)), &url);
    is_ready(&readyz(&[&url], Some("http://127.0.0.1:1")), &url);
    is_ready(&readyz(&["--wait", "1h", &url], None), &url);
}

#[test]
fn a_server_with_a_certificate_of_its_own_is_ready_for_who_trusts_it() {
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("trust.pem");
    let trust = trust.to_str().unwrap();
    let server = Server::start(&["reportei", "--freeze", "--tls", "--tls-trust-file", trust]);
    let url = format!("https://localhost:{}", server.port());
    is_ready(&readyz(&[&url, "--ca", trust], None), &url);
    is_not(&readyz(&[&url], None), &format!("{url} has a certificate that nobody vouches for"));
    is_not(&readyz(&[&url.replace("https", "http")], None), "This port speaks https: begin the URL with https://");
}

#[test]
fn who_does_not_answer_as_a_server_does_is_not_ready() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It takes connections, and says nothing.
    is_not(&readyz(&[&url, "--timeout", "50ms"], None), &format!("{url} did not answer within 50ms"));
    is_not(&readyz(&[&url, "--wait", "50ms"], None), &format!("after 50ms: {url} does not answer"));
    for (answer, words) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "is no control plane of standin"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"status\":\"soon\"}", "says {\"status\":\"soon\"} and not"),
        ("HTTP/1.1 503 Wait\r\nContent-Length: 0\r\n\r\n", "/_standin/readyz answered with status 503"),
        ("", "ended the connection without an answer"),
    ] {
        let (url, answers) = answering(&[answer]);
        let output = readyz(&[&url], None);
        is_not(&output, &url);
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains(words), "{words}: {err}");
        assert!(answers.join().unwrap().starts_with("GET /_standin/readyz HTTP/1.1\r\n"));
    }
}

#[test]
fn nobody_there_is_told_at_once_or_when_the_waiting_is_over() {
    // The address is taken by a socket that does not listen.
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let _entered = runtime.enter();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let words = format!("nobody listens on {url}: start `standin serve`, or name another server");
    is_not(&readyz(&[&url], None), &words);
    is_not(&readyz(&[&url, "--wait", "250ms"], None), &format!("after 250ms: {words}"));
}

#[test]
fn who_waits_asks_until_the_server_is_ready() {
    let (url, answers) = answering(&[
        "",
        "HTTP/1.1 503 Wait\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}",
    ]);
    is_ready(&readyz(&[&url, "--wait", "60s"], None), &url);
    answers.join().unwrap();
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_to_write() {
    refused(&["readyz", "localhost:4010"], &["no URL of a server", "write one such as `http://127.0.0.1:4010`"]);
    refused(&["readyz", "http://me:secret@localhost/"], &["a user name or a password in it"]);
    refused(&["readyz", "--timeout", "soon"], &["--timeout: `soon` is not a length of time"]);
    refused(&["readyz", "--wait", "0s"], &["--wait must be longer than nothing"]);
    refused(&["readyz", "--ca", "nowhere.pem"], &["--ca nowhere.pem cannot be read"]);
    refused(&["readyz", "--ca", "Cargo.toml"], &["the file of certificates has no certificate"]);
    let output = readyz(&[], Some("nowhere"));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && err.contains("(the URL is that of STANDIN_URL)"), "{err}");
}

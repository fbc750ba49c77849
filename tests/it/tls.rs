//! TLS: who trusts which certificate, what is spoken through it, and what happens to who speaks otherwise. Clients are
//! curl and rustls; every certificate is made while the test runs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::cli::refused;
use crate::server::{Answer, JSON, REPORTEI, Server, connect, eventually, request};

type Client = StreamOwned<ClientConnection, TcpStream>;

/// A server whose certificate is made at its start, and the file that has it.
struct Secure {
    server: Server,
    trust: PathBuf,
    _folder: TempDir,
}

fn start(more: &[&str]) -> Secure {
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("trust.pem");
    let arguments = [&["--freeze", "--tls", "--tls-trust-file", trust.to_str().unwrap()], more].concat();
    let server = Server::start(&arguments);
    assert!(server.first_line.starts_with("standin listening on https://127.0.0."), "{}", server.first_line);
    Secure { server, trust, _folder: folder }
}

/// A server with files of a certificate, which curl trusts by the file `trust`.
fn given(folder: TempDir, trust: &str, certificate: &str, key: &str) -> Secure {
    let path = |name: &str| folder.path().join(name);
    let files = [path(certificate), path(key)].map(|file| file.to_str().unwrap().to_owned());
    let server = Server::start(&["reportei", "--freeze", "--tls-cert", &files[0], "--tls-key", &files[1]]);
    Secure { server, trust: path(trust), _folder: folder }
}

impl Secure {
    fn port(&self) -> u16 {
        self.server.port()
    }

    /// Calls a URL with curl, which trusts this server's certificate and nothing else.
    fn curl(&self, host: &str, path: &str, more: &[&str]) -> Output {
        let port = self.port();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--include", "--max-time", "30", "--cacert"]).arg(&self.trust);
        curl.args(["--resolve", &format!("{host}:{port}:127.0.0.1"), &format!("https://{host}:{port}{path}")]);
        curl.args(more).env_remove("https_proxy").output().expect("curl is there")
    }

    #[track_caller]
    fn answer(&self, host: &str, path: &str, more: &[&str]) -> Answer {
        let output = self.curl(host, path, &[&["--http1.1"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{host}{path}: {}", String::from_utf8_lossy(&output.stderr));
        Answer::read(&output.stdout, "GET")
    }

    fn client(&self, name: &str) -> Client {
        self.client_at(self.server.connect(), name)
    }

    fn client_at(&self, stream: TcpStream, name: &str) -> Client {
        self.client_with(stream, name, Arc::new(DefaultTimeProvider))
    }

    /// A client that trusts this server's certificate for one name, and has sent nothing yet.
    fn client_with(&self, stream: TcpStream, name: &str, time: Arc<dyn TimeProvider>) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.trust).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_details(Arc::new(ring::default_provider()), time);
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
    }

    /// How many connections there are besides the one that asks.
    fn others(&self) -> f64 {
        let page = self.answer("localhost", "/_standin/metrics", &[]).text();
        let line = page.lines().find_map(|line| line.strip_prefix("standin_connections ")).unwrap();
        line.parse::<f64>().unwrap() - 1.0
    }
}

/// The answer that a client gets who sends a request and reads until the server has said goodbye.
#[track_caller]
fn call(mut client: Client, bytes: &[u8]) -> Answer {
    client.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("the connection is ended with a goodbye");
    Answer::read(&answer, "GET")
}

fn livez(host: &str) -> Vec<u8> {
    request(host, "GET", "/_standin/livez", &[], b"")
}

// ---- the certificate that is made ----

#[test]
fn curl_trusts_it_by_the_file_for_every_kind_of_name_in_both_versions_of_http() {
    let secure = start(&[]);
    for host in ["localhost", "127.0.0.1", "reportei.localhost", "checkout.reportei.localhost"] {
        for (flag, version) in [("--http1.1", "HTTP/1.1 200"), ("--http2", "HTTP/2 200")] {
            let output = secure.curl(host, "/_standin/packs/reportei", &[flag, "--header", "Standin-Sandbox: default"]);
            let text = String::from_utf8(output.stdout).unwrap();
            if host.starts_with("checkout") {
                // There is no such sandbox; the certificate has its name all the same.
                assert!(text.contains("sandbox-selectors-disagree"), "{host}: {text}");
            } else {
                assert!(text.starts_with(version), "{host}: {text}{}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }
    let stranger = Command::new("curl").args(["--silent", &format!("{}/_standin/livez", secure.server.url())]).output();
    assert_eq!(stranger.unwrap().status.code(), Some(60), "who does not trust it is told so");
}

#[test]
fn it_has_the_names_of_the_server_and_no_others() {
    let secure = start(&["--allow-host", "api.test", "--allow-host", "10.0.0.7", "--host", "127.0.0.2"]);
    let own = [
        "localhost",
        "127.0.0.1",
        "127.0.0.2",
        "::1",
        "hubster.localhost",
        "a.hubster.localhost",
        "api.test",
        "10.0.0.7",
    ];
    for name in own {
        let host = if name == "::1" { "[::1]" } else { name };
        call(secure.client(name), &request(host, "GET", "/_standin/livez", &[("Connection", "close")], b""));
    }
    for name in ["evil.example", "api.test.evil.example", "a.api.test", "a.b.hubster.localhost", "127.0.0.3"] {
        let mut client = secure.client(name);
        let error = client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
        assert!(error.to_string().contains("certificate"), "{name}: {error}");
    }
}

#[test]
fn every_start_has_a_certificate_of_its_own_and_never_writes_the_key() {
    let (one, other) = (start(&["reportei"]), start(&["reportei"]));
    let texts = [&one, &other].map(|secure| fs::read_to_string(&secure.trust).unwrap());
    for text in &texts {
        assert_eq!(text.matches("-----BEGIN ").count(), 1, "{text}");
        assert!(text.starts_with("-----BEGIN CERTIFICATE-----"), "{text}");
    }
    assert_ne!(texts[0], texts[1]);
    let mut client = one.client_at(other.server.connect(), "localhost");
    assert!(client.write_all(&livez("localhost")).is_err(), "trust in one server is no trust in another");
}

/// A clock that is wrong by so many hours.
#[derive(Debug)]
struct Wrong(i64);

impl TimeProvider for Wrong {
    #[allow(clippy::disallowed_methods, reason = "certificates are about the real time")]
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = i64::try_from(UnixTime::now().as_secs()).unwrap() + self.0 * 3600;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds.try_into().unwrap())))
    }
}

#[test]
fn it_is_valid_from_yesterday_on_for_a_year() {
    let secure = start(&["reportei"]);
    for (hours, valid) in [(-25, false), (-23, true), (24 * 364, true), (24 * 366, false)] {
        let mut client = secure.client_with(secure.server.connect(), "localhost", Arc::new(Wrong(hours)));
        let said = client.write_all(&livez("localhost"));
        assert_eq!(said.is_ok(), valid, "{hours}: {said:?}");
    }
}

#[test]
fn the_start_text_says_how_to_trust_it() {
    let Secure { mut server, trust, .. } = start(&["reportei"]);
    let text = server.start_text();
    let url = server.url();
    assert!(text.contains(&format!("base URL    {url}/reportei\n")), "{text}");
    assert!(text.contains(&format!("try         curl -s --cacert '{}' ", trust.display())), "{text}");
    assert!(text.contains(&format!("control plane {url}/_standin\n")), "{text}");
    let mut bare = Server::start(&["reportei", "--tls"]);
    let text = bare.start_text();
    assert!(text.contains("try         curl -s -k "), "{text}");
}

// ---- URLs ----

#[test]
fn every_url_in_answers_is_https_and_leads_back() {
    let secure = start(&["--listen", "hubster=0"]);
    let (port, url) = (secure.port(), secure.server.url());
    let token = format!("{}: {}", REPORTEI.0, REPORTEI.1);
    let list = secure.answer("127.0.0.1", "/reportei/customers", &["--header", &token]).expect(200).json();
    let page = list["meta"]["path"].as_str().unwrap();
    let page = page.strip_prefix(&url).unwrap_or_else(|| panic!("{page} does not begin with {url}"));
    secure.answer("127.0.0.1", page, &["--header", &token]).expect(200);

    let index = secure.answer("localhost", "/_standin", &[]).expect(200).json();
    assert_eq!(index["links"]["clock"], json!(format!("https://localhost:{port}/_standin/clock")));
    let pack = secure.answer("reportei.localhost", "/_standin/packs/reportei", &[]).expect(200).json();
    assert_eq!(pack["baseUrl"], json!(format!("https://reportei.localhost:{port}")));
    assert!(!index.to_string().contains("http://"), "{index}");
    let har = secure.answer("localhost", "/_standin/journal?format=har", &[]).expect(200).json();
    assert_eq!(har["log"]["entries"][0]["request"]["url"], json!(format!("{url}/reportei/customers")));
}

#[test]
fn ports_of_packs_speak_tls_too() {
    let Secure { mut server, trust, _folder } = start(&["--listen", "hubster=0"]);
    let text = server.start_text();
    let own = text.lines().find_map(|line| line.trim().strip_prefix("https://127.0.0.1:")).expect("a port of its own");
    let own: SocketAddr = format!("127.0.0.1:{own}").parse().unwrap();
    let secure = Secure { server, trust, _folder };
    let index = request(&own.to_string(), "GET", "/_standin", &[], b"");
    let index = call(secure.client_at(connect(own), "127.0.0.1"), &index).expect(200).json();
    assert_eq!(index["links"]["packs"], json!(format!("{}/_standin/packs", secure.server.url())));
}

#[test]
fn only_the_own_https_origin_may_steer() {
    let secure = start(&["reportei"]);
    let freeze = |origin: &str| {
        let headers = ["--header", &format!("{}: {}", JSON.0, JSON.1), "--header", &format!("Origin: {origin}")];
        let body = ["--request", "PUT", "--data", r#"{"mode": "frozen"}"#];
        secure.answer("localhost", "/_standin/clock", &[&headers[..], &body].concat())
    };
    let port = secure.port();
    freeze(&format!("https://localhost:{port}")).expect(200);
    freeze(&format!("http://localhost:{port}")).problem(403, "origin-foreign");
    freeze("https://localhost").problem(403, "origin-foreign");
}

/// In https the port 443 goes without saying, and the port 80 does not.
#[test]
fn the_host_may_be_said_with_and_without_the_usual_port() {
    let secure = start(&["reportei"]);
    let ask = |target: &str| {
        let bytes =
            format!("GET https://{target}/_standin/livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        call(secure.client("localhost"), bytes.as_bytes())
    };
    ask("localhost:443").expect(200);
    ask("localhost:80").problem(400, "host-disagrees");
}

// ---- files ----

/// A key and a certificate that it signs itself, both as PEM.
fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// A folder with an authority (`ca.pem`), a certificate that it signed with its chain (`chain.pem`, `backwards.pem`), the
/// key of that (`key.pem`), and all in one (`all.pem`).
fn signed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let signer = KeyPair::generate().unwrap();
    let ca = authority.self_signed(&signer).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
    leaf.distinguished_name.push(DnType::CommonName, "localhost");
    let leaf = leaf.signed_by(&key, &Issuer::new(authority, signer)).unwrap().pem();
    let key = key.serialize_pem();
    for (name, text) in [
        ("ca.pem", ca.clone()),
        ("chain.pem", format!("{leaf}{ca}")),
        ("backwards.pem", format!("{ca}{leaf}")),
        ("all.pem", format!("the key\n{key}\nand its certificate\n{leaf}")),
        ("key.pem", key.clone()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn a_certificate_from_files_is_shown_with_its_chain() {
    for (certificate, key) in [("chain.pem", "key.pem"), ("all.pem", "all.pem")] {
        let secure = given(signed(), "ca.pem", certificate, key);
        secure.answer("localhost", "/_standin/livez", &[]).expect(200);
        assert_eq!(secure.curl("127.0.0.1", "/", &[]).status.code(), Some(60), "it has no such name");
    }
}

#[test]
fn files_that_do_not_do_are_refused_before_anything_listens() {
    let folder = signed();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = pair();
    let broken = certificate.replacen("\nMII", "\n*II", 1);
    // In its middle is the public key, which is no longer one that any key could fit.
    let text = certificate.lines().filter(|line| !line.starts_with("-----")).collect::<String>();
    let cut = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", &text[..64]);
    for (name, text) in [
        ("other.pem", certificate.as_str()),
        ("other.key", &key),
        ("broken.pem", &broken),
        ("cut.pem", &cut),
        ("open.key", &key[..key.len() / 2]),
        ("encrypted.key", &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")),
        ("odd.key", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
        ("locked.key", &key.replacen("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1)),
        (
            "tail.pem",
            &format!("{certificate}-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydA==\n-----END CERTIFICATE-----\n"),
        ),
        ("empty", ""),
        ("huge", &"x".repeat(1_100_000)),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    for (certificate, key, words) in [
        ("chain.pem", "other.key", &["--tls-key", "other.key", "does not fit", "chain.pem", "made together"][..]),
        ("other.pem", "key.pem", &["key.pem does not fit", "other.pem"]),
        ("backwards.pem", "key.pem", &["backwards.pem", "wrong order", "comes first"]),
        ("missing.pem", "key.pem", &["--tls-cert", "missing.pem", "cannot be read", "No such file", "give a PEM file"]),
        ("chain.pem", "missing.key", &["--tls-key", "missing.key", "cannot be read"]),
        (".", "key.pem", &["--tls-cert", "cannot be read"]),
        ("huge", "key.pem", &["huge has more than 1 MiB"]),
        ("empty", "key.pem", &["--tls-cert", "empty has no certificate", "-----BEGIN CERTIFICATE-----"]),
        ("key.pem", "chain.pem", &["key.pem has no certificate", "swapped"]),
        ("chain.pem", "ca.pem", &["--tls-key", "ca.pem has no private key", "swapped"]),
        ("broken.pem", "other.key", &["broken.pem is damaged", "no Base64"]),
        ("cut.pem", "other.key", &["cut.pem is damaged", "openssl x509"]),
        ("chain.pem", "open.key", &["open.key cannot be used", "no -----END line"]),
        ("chain.pem", "encrypted.key", &["encrypted.key is encrypted", "openssl pkey"]),
        ("chain.pem", "locked.key", &["locked.key is encrypted", "openssl pkey"]),
        ("tail.pem", "other.key", &["tail.pem is damaged", "in place 2 is no certificate"]),
        ("chain.pem", "odd.key", &["odd.key cannot be used", "P-256"]),
    ] {
        refused(
            &["serve", "reportei", "--port", "0", "--tls-cert", &path(certificate), "--tls-key", &path(key)],
            words,
        );
    }
    refused(&["serve", "reportei", "--port", "0", "--tls", "--tls-cert", "one.pem"], &["one.pem needs --tls-key"]);
    refused(&["serve", "reportei", "--port", "0", "--tls", "--tls-key", "one.key"], &["one.key needs --tls-cert"]);
    refused(&["serve", "reportei", "--port", "0", "--tls-trust-file", "t.pem"], &["t.pem needs --tls"]);
    let both = ["--tls-cert", &path("chain.pem"), "--tls-key", &path("key.pem"), "--tls-trust-file", &path("t.pem")];
    refused(&[&["serve", "--port", "0"][..], &both].concat(), &["t.pem is for the certificate that --tls makes"]);
    refused(&["serve", "reportei", "--port", "0", "--tls", "--tls-trust-file", "no/such/t.pem"], &["no/such/t.pem"]);
}

// ---- the wrong language ----

#[test]
fn plain_http_is_told_to_speak_https() {
    let secure = start(&["reportei"]);
    let detail = secure.server.get("/customers").problem(400, "tls-missing");
    assert!(detail.contains("https://"), "{detail}");
    let url = format!("http://127.0.0.1:{}/customers", secure.port());
    let output =
        Command::new("curl").args(["-s", "--http2-prior-knowledge", "--max-time", "30", &url]).output().unwrap();
    let problem: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(problem["type"], "urn:standin:problem:tls-missing");
    assert_eq!(secure.answer("localhost", "/_standin/journal", &[]).json()["total"], 0, "no pack was asked");
}

#[test]
fn tls_is_told_that_there_is_none() {
    let server = Server::start(&["reportei", "--freeze"]);
    let watch = server.watch();
    let answer = Answer::read(&server.raw(b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03"), "GET");
    let detail = answer.problem(400, "tls-unexpected");
    assert!(detail.contains("http://") && detail.contains("--tls"), "{detail}");
    let url = format!("https://127.0.0.1:{}/", server.port());
    let output = Command::new("curl").args(["-sk", "--max-time", "30", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(35), "curl is told at once");
    watch.unharmed();
}

#[test]
fn who_cannot_agree_on_a_version_goes_and_the_next_one_is_served() {
    let secure = start(&["reportei"]);
    let output = secure.curl("localhost", "/_standin/livez", &["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"]);
    assert_eq!(output.status.code(), Some(35));
    for version in ["1.2", "1.3"] {
        secure.answer("localhost", "/_standin/livez", &["--tls-max", version]).expect(200);
    }
}

// ---- limits ----

/// A hello that announces more than comes.
const BEGUN: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

#[test]
fn a_handshake_that_is_slow_is_ended() {
    let secure = start(&["reportei", "--header-timeout", "100ms", "--idle-timeout", "1h"]);
    for bytes in [&b""[..], b"\x16", BEGUN] {
        let mut stream = secure.server.connect();
        stream.write_all(bytes).unwrap();
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(ended.is_ok(), "{bytes:?}: {ended:?}");
        assert_eq!(rest, b"", "{bytes:?}");
    }
}

/// As browsers do it: there is nothing yet that an answer could be about.
#[test]
fn who_agrees_on_keys_in_advance_and_then_says_nothing_is_let_go_without_a_word() {
    let secure = start(&["reportei", "--header-timeout", "100ms", "--idle-timeout", "1h"]);
    let mut client = secure.client("localhost");
    client.flush().unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("a goodbye");
    assert_eq!(rest, b"");
}

/// Whoever has done nothing yet makes room before a client in the middle of a handshake does.
#[test]
fn a_handshake_keeps_its_place_as_the_beginning_of_a_head_does() {
    let secure = start(&["reportei", "--header-timeout", "1h", "--max-connections", "2"]);
    let mut slow = secure.client("localhost");
    slow.conn.write_tls(&mut slow.sock).unwrap();
    slow.conn.read_tls(&mut slow.sock).expect("the server's part of the handshake");
    slow.conn.process_new_packets().unwrap();
    let mut silent = secure.server.connect();
    call(secure.client("localhost"), &livez("localhost")).expect(200);
    assert!(matches!(silent.read(&mut [0]), Ok(0)), "it made room");
    call(slow, &livez("localhost")).expect(200);
}

#[test]
fn a_handshake_counts_as_a_connection() {
    let secure = start(&["reportei", "--header-timeout", "1h"]);
    assert!(secure.others().abs() < 0.5);
    let mut stream = secure.server.connect();
    stream.write_all(BEGUN).unwrap();
    eventually("the handshake among the connections", || (secure.others() > 0.5).then_some(()));
    drop(stream);
    eventually("the end of the connection", || (secure.others() < 0.5).then_some(()));
}

#[test]
fn what_is_said_in_tls_is_read_as_strictly_and_timed_as_well() {
    let secure = start(&["reportei", "--header-timeout", "100ms"]);
    let smuggled = call(secure.client("localhost"), b"GET /customers HTTP/1.1\nHost: localhost\r\n\r\n");
    smuggled.problem(400, "line-end");
    let late = call(secure.client("localhost"), b"GET /customers HTTP/1.1\r\nHost: loc");
    late.problem(408, "header-timeout");
    let hidden =
        b"POST /customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    call(secure.client("localhost"), hidden).problem(400, "length-ambiguous");
}

#[test]
fn who_takes_nothing_of_an_answer_is_cut_off() {
    let secure = start(&["reportei", "--write-timeout", "100ms", "--idle-timeout", "1h"]);
    let name = "x".repeat(300_000);
    let body = json!({ "name": name }).to_string();
    let file = secure.trust.with_file_name("body.json");
    fs::write(&file, body).unwrap();
    let headers = ["--request", "PATCH", "--header", "Content-Type: application/json"];
    let data = format!("@{}", file.display());
    let path = "/_standin/state/reportei/customer/caedbbbe-7d93-476f-b965-bf97cd7ce874";
    secure.answer("localhost", path, &[&headers[..], &["--data-binary", &data]].concat()).expect(200);
    // More answers than the buffers of two sockets hold, and none is read.
    let list = request("localhost", "GET", "/customers", &[REPORTEI], b"");
    let list = String::from_utf8(list).unwrap().replace("Connection: close\r\n", "").repeat(60);
    let mut greedy = secure.client("localhost");
    greedy.write_all(list.as_bytes()).unwrap();
    eventually("the end of the connection", || (secure.others() < 0.5).then_some(()));
}

/// An answer that goes on for ever ends when its reader has: before anything else is sent to keep it alive.
#[test]
fn a_reader_of_a_stream_that_hangs_up_is_noticed() {
    let secure = start(&["reportei"]);
    for goodbye in [true, false] {
        let mut client = secure.client("localhost");
        client.write_all(b"GET /_standin/journal/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let (mut text, mut part) = (String::new(), [0; 4096]);
        while !text.contains("retry: 1000") {
            let count = client.read(&mut part).unwrap();
            text.push_str(std::str::from_utf8(&part[..count]).unwrap());
        }
        if goodbye {
            client.conn.send_close_notify();
            client.flush().unwrap();
        } else {
            client.sock.shutdown(Shutdown::Write).unwrap();
        }
        while let Ok(count @ 1..) = client.read(&mut part) {
            text.push_str(std::str::from_utf8(&part[..count]).unwrap());
            assert!(!text.contains("keep-alive"), "{text}");
        }
        eventually("the end of the connection", || (secure.others() < 0.5).then_some(()));
    }
}

/// A goodbye would make an end in order of a reset, and of a body that breaks off.
#[test]
fn what_a_fault_does_to_a_connection_is_seen_through_tls() {
    let secure = start(&["reportei"]);
    for (fault, code) in [("connection-reset", 56), ("empty-response", 52), ("truncated-body", 18)] {
        let rules = json!({ "faults": [{ "fault": fault }] }).to_string();
        let body = ["--request", "PUT", "--header", "Content-Type: application/json", "--data", &rules];
        secure.answer("localhost", "/_standin/faults", &body).expect(200);
        for _ in 0..20 {
            let output = secure.curl("localhost", "/customers", &["--http1.1"]);
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(code), "{fault}: {words}");
            assert_eq!(words.contains("reset"), fault == "connection-reset", "{fault}: {words}");
        }
    }
}

#[test]
fn who_is_idle_at_the_end_hears_a_goodbye() {
    let mut secure = start(&["reportei"]);
    let mut client = secure.client("localhost");
    client.write_all(b"GET /_standin/livez HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut part = [0; 12];
    client.read_exact(&mut part).unwrap();
    let mut shaking = secure.server.connect();
    shaking.write_all(BEGUN).unwrap();
    secure.server.signal("TERM");
    // Without the goodbye this would be an error.
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("a goodbye");
    assert!(secure.server.ended().success());
}

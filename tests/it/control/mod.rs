//! The control plane's good paths: sandboxes however they are chosen, time, state, events, journal and log.

mod changes;
mod differences;
mod events;
mod har;
mod journal;
mod log;
mod patterns;
mod sandboxes;
mod snapshots;
mod state;
mod stream;
mod thousand;
mod unmatched;

use serde_json::{Value as Json, json};

use crate::server::{ACME, Answer, JSON, REPORTEI, Server, advance, call, case, eventually};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const SECOND: &str = "073c1e15-94d0-49b3-9861-a0e9b7ffb06c";
const INTEGRATION: &str = "6110b666-0327-4a81-b48e-9feb34d72f78";
const REPORTEI_MERCHANT: &str = "c1e6c85a-6441-4107-ab36-b8bf581b40e0";

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

/// A server with a port of its own for the pack, and that port's address.
fn with_own_port() -> (Server, std::net::SocketAddr) {
    let mut server = Server::start(&["reportei", "--freeze", "--listen", "reportei=0"]);
    let text = server.start_text();
    let own = text.lines().find_map(|line| line.trim().strip_prefix("http://")).unwrap_or_else(|| panic!("{text}"));
    let address = own.parse().unwrap();
    (server, address)
}

fn sandbox(server: &Server, body: Json) -> Json {
    server.control("POST", "/sandboxes", Some(body)).expect(201).json()
}

fn create(server: &Server, path: &str, name: &str) -> Json {
    server.api("POST", path, Some(json!({ "name": name }))).expect(201).json()["customer"].clone()
}

fn names(answer: &Answer) -> Vec<String> {
    answer.json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|customer| customer["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Five exchanges: list 200, create 201, create 422, show 404, list as nobody 401.
fn with_exchanges() -> Server {
    let server = start();
    server.api("GET", "/customers?page=1", None).expect(200);
    server.api("POST", "/api/customers", Some(json!({ "name": "x" }))).expect(201);
    server.api("POST", "/customers", Some(json!({}))).expect(422);
    server.api("GET", "/customers/unknown", None).expect(404);
    server.get("/customers").expect(401);
    server
}

/// The numbers of the entries that a list has.
fn numbers(list: &Json) -> Vec<u64> {
    list["records"].as_array().unwrap().iter().map(|entry| entry["entry"].as_u64().unwrap()).collect()
}

/// Follows a link to this server as a client would: the host as it stands there.
fn follow(server: &Server, link: &Json, headers: &[(&str, &str)]) -> Answer {
    let link = link.as_str().unwrap();
    let (host, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let (_, port) = host.rsplit_once(':').unwrap_or_else(|| panic!("{link} names no port"));
    assert_eq!(port, server.port().to_string(), "{link}");
    server.call("GET", &format!("/{path}"), &[headers, &[("Host", host)]].concat(), "")
}

/// A way to choose a sandbox: its name, what stands in front of a path of the pack, and headers.
type Way = (&'static str, String, Vec<(String, String)>);

/// The ways to choose the sandbox `alice`.
fn ways(server: &Server) -> Vec<Way> {
    let port = server.port();
    let host = |name: &str| ("Host".to_owned(), format!("{name}:{port}"));
    let header = || ("Standin-Sandbox".to_owned(), "alice".to_owned());
    vec![
        ("path", "/~alice".to_owned(), vec![]),
        ("path and prefix", "/~alice/reportei".to_owned(), vec![]),
        ("encoded path", "/%7Ealice".to_owned(), vec![]),
        ("encoded path in lower case", "/%7ealice/reportei".to_owned(), vec![]),
        ("host", String::new(), vec![host("alice.reportei.localhost")]),
        ("host in upper case", String::new(), vec![host("ALICE.Reportei.LOCALHOST")]),
        ("header", String::new(), vec![header()]),
        ("header and prefix", "/reportei".to_owned(), vec![header()]),
        ("header and the pack's host", String::new(), vec![header(), host("reportei.localhost")]),
        ("path and the pack's host", "/~alice".to_owned(), vec![host("reportei.localhost")]),
        ("path and localhost", "/~alice".to_owned(), vec![host("localhost")]),
        ("all three", "/~alice".to_owned(), vec![header(), host("alice.reportei.localhost")]),
    ]
}

fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

// ---- the index ----

#[test]
fn the_index_lists_packs_links_and_routes() {
    let server = start();
    for path in ["/_standin", "/_standin/"] {
        let index = server.get(path).expect(200).json();
        assert_eq!(index["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(index["packs"][0]["name"], "reportei");
        assert_eq!((&index["sandbox"], &index["sandboxes"]), (&json!("default"), &json!(1)));
        assert!(index["routes"].as_array().unwrap().contains(&json!("POST /_standin/clock/advance")));
    }
}

#[test]
fn livez_and_readyz_say_ok_and_nothing_else() {
    let server = start();
    for path in ["/livez", "/readyz"] {
        assert_eq!(server.control("GET", path, None).expect(200).json(), json!({ "status": "ok" }));
    }
}

#[test]
fn a_pack_shows_credentials_operations_and_where_they_stand() {
    let server = start();
    let pack = server.control("GET", "/packs/reportei", None).expect(200).json();
    assert_eq!(pack["baseUrl"], json!(format!("{}/reportei", server.url())));
    assert_eq!(pack["mounts"], json!(["/api"]));
    let known = json!({ "label": "reportei", "scheme": "merchant", "in": "header", "name": "authorization", "value": "Bearer reportei-test-token" });
    assert_eq!(pack["credentials"][0], known);
    for credential in pack["credentials"].as_array().unwrap() {
        let [name, value] = ["name", "value"].map(|key| credential[key].as_str().unwrap());
        let merchant = if credential["label"].as_str().unwrap().starts_with("acme") { ACME } else { REPORTEI };
        let (path, headers) = match credential["scheme"].as_str().unwrap() {
            "merchant" => ("/customers", vec![(name, value)]),
            _ => ("/customers/settings", vec![merchant, (name, value)]),
        };
        assert_eq!(server.call("GET", path, &headers, "").status, 200, "{credential}");
    }
    let operations = pack["operations"].as_array().unwrap();
    let create = operations.iter().find(|operation| operation["id"] == "reportei/customers/create").unwrap();
    assert_eq!((&create["method"], &create["path"]), (&json!("POST"), &json!("/customers")));
    assert!(create["at"].as_str().unwrap().starts_with("fixtures/reportei/customers/create.yaml:"), "{create}");
    let errors = pack["errors"].as_array().unwrap();
    let invalid = errors.iter().find(|error| error["name"] == "invalid").unwrap();
    assert_eq!((&invalid["fault"], &invalid["answers"][0]["status"]), (&json!(false), &json!(422)), "{invalid}");
    assert!(invalid["answers"][0]["provenance"]["contract"].is_string(), "{invalid}");
    assert_eq!(
        server.control("GET", "/packs", None).expect(200).json()["records"][0]["operations"],
        json!(operations.len())
    );
}

// ---- time ----

#[test]
fn the_clock_is_read_set_and_advanced() {
    let server = start();
    let frozen = |now: &str| json!({ "now": now, "mode": "frozen" });
    let clock = || server.control("GET", "/clock", None).expect(200).json();
    let put = |body: Json| server.control("PUT", "/clock", Some(body)).expect(200).json();
    assert_eq!(clock(), frozen("2024-10-01T17:15:12Z"));
    let set = |now: &str| json!({ "now": now, "mode": "frozen", "done": [] });
    assert_eq!(put(json!({ "now": "2024-11-24T18:00:00+01:00" })), set("2024-11-24T17:00:00Z"));
    assert_eq!(put(json!({ "now": "2020-01-01T00:00:00Z" })), set("2020-01-01T00:00:00Z"), "also back");
    assert_eq!(put(json!({ "now": "2024-02-29 12:00:00.25" })), set("2024-02-29T12:00:00.25Z"));
    assert_eq!(put(json!({ "mode": "ticking" }))["mode"], "ticking");
    let seen = clock()["now"].clone();
    eventually("the clock to tick", || (clock()["now"] != seen).then_some(()));
    assert_eq!(put(json!({ "now": "2024-10-01T17:15:12Z", "mode": "frozen" })), set("2024-10-01T17:15:12Z"));
    assert_eq!(clock(), frozen("2024-10-01T17:15:12Z"));
    let advanced =
        server.control("POST", "/clock/advance", Some(json!({ "to": "2024-10-08T17:15:12Z" }))).expect(200).json();
    assert_eq!(advanced, json!({ "now": "2024-10-08T17:15:12Z", "done": [] }));
    server.control("POST", "/clock/advance", Some(json!({ "to": "2024-10-08T17:15:12Z" }))).expect(200);
}

#[test]
fn a_length_of_time_is_spelled_in_many_ways() {
    let server = start();
    for (by, now) in [
        ("7d", "2024-10-08T17:15:12Z"),
        ("7 days", "2024-10-08T17:15:12Z"),
        ("1 week", "2024-10-08T17:15:12Z"),
        ("P7D", "2024-10-08T17:15:12Z"),
        ("P1W", "2024-10-08T17:15:12Z"),
        ("168h", "2024-10-08T17:15:12Z"),
        ("604800s", "2024-10-08T17:15:12Z"),
        ("90s", "2024-10-01T17:16:42Z"),
        ("PT90S", "2024-10-01T17:16:42Z"),
        ("1m 30s", "2024-10-01T17:16:42Z"),
        ("1h30m", "2024-10-01T18:45:12Z"),
        ("5 minutes", "2024-10-01T17:20:12Z"),
        ("250ms", "2024-10-01T17:15:12.25Z"),
        ("0s", "2024-10-01T17:15:12Z"),
    ] {
        server.control("PUT", "/clock", Some(json!({ "now": "2024-10-01T17:15:12Z" }))).expect(200);
        let advanced = server.control("POST", "/clock/advance", Some(json!({ "by": by }))).expect(200).json();
        assert_eq!(advanced["now"], now, "{by}");
    }
}

//! The four packs on one port, and each alone: they share a clock and a port, and nothing else.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::capillary::ADMIN;
use crate::hubster::PORTAL;
use crate::server::{Answer, FORM, JSON, REPORTEI, Server, advance, standin};
use crate::support::text;

/// A documented read of each pack, with the credential of its first account.
pub(crate) const READS: [(&str, &str, (&str, &str)); 4] = [
    ("capillary", "/v3/integrations/scopes", ADMIN),
    ("hubster", "/api/v1/integrations/00000000-0000-0000-0000-000000000102", PORTAL),
    ("optimizeplayer", "/api/v1/integrations/1?api_key=test_key", ("Accept", "application/json")),
    ("reportei", "/customers", REPORTEI),
];

fn all() -> Server {
    Server::start(&["--freeze"])
}

fn records(server: &Server) -> BTreeMap<&'static str, Json> {
    READS.iter().map(|(pack, ..)| (*pack, server.state(pack))).collect()
}

#[test]
fn all_four_are_reached_by_path_and_by_host() {
    let server = all();
    for (pack, path, credential) in READS {
        let by_path = server.call("GET", &format!("/{pack}{path}"), &[credential], "").expect(200);
        let host = format!("{pack}.localhost:{}", server.port());
        let by_host = server.call("GET", path, &[credential, ("Host", &host)], "").expect(200);
        // Reportei's list says how it was reached.
        let plain = |answer: &Answer| answer.text().replace(&format!("{host}/"), "").replace(&server.url()[7..], "");
        let without = |text: String| text.replace("http:///reportei", "http://").replace("http://api", "http:///api");
        assert_eq!(without(plain(&by_path)), without(plain(&by_host)));
        for answer in [&by_path, &by_host] {
            let operation = answer.header("standin-operation").unwrap();
            assert!(operation.starts_with(&format!("{pack}/")), "{operation}");
            assert_eq!(answer.header("standin-contract"), Some("documented"), "{answer}");
        }
    }
}

#[test]
fn each_alone_is_at_the_root_and_under_its_prefix() {
    let together = all();
    for (pack, path, credential) in READS {
        let alone = Server::start(&[pack, "--freeze"]);
        let at_root = alone.call("GET", path, &[credential], "").expect(200);
        let prefixed = alone.call("GET", &format!("/{pack}{path}"), &[credential], "").expect(200);
        let beside = together.call("GET", &format!("/{pack}{path}"), &[credential], "").expect(200);
        let plain = |answer: Answer, server: &Server| {
            let text = answer.text().replace(&server.url(), "").replace("\"/reportei/", "\"/");
            let headers = ["standin-operation", "standin-contract"].map(|name| answer.header(name).map(str::to_owned));
            (answer.status, text, headers)
        };
        let at_root = plain(at_root, &alone);
        assert_eq!(plain(prefixed, &alone), at_root);
        assert_eq!(plain(beside, &together), at_root);
        let listed = alone.control("GET", "/packs", None).expect(200).json();
        assert_eq!((&listed["total"], &listed["records"][0]["name"]), (&json!(1), &json!(pack)));
    }
}

/// Without a pack nobody can say whose path it is: the problem names those that have it.
#[test]
fn a_path_that_two_packs_have_belongs_to_neither_at_the_root() {
    let server = all();
    let answer = server.get("/api/v1/integrations/1");
    answer.problem(404, "no-operation");
    let text = answer.text();
    assert!(text.contains("hubster") && text.contains("optimizeplayer"), "{text}");
}

#[test]
fn the_same_path_in_two_packs_is_two_operations() {
    let server = all();
    let id = "00000000-0000-0000-0000-000000000102";
    let get = |path: &str| server.call("GET", path, &[PORTAL], "");
    // Each has its own credential, ids, records and errors.
    assert_eq!(
        get(&format!("/hubster/api/v1/integrations/{id}?api_key=test_key")).expect(200).json()["channelId"],
        102
    );
    assert_eq!(get("/optimizeplayer/api/v1/integrations/1?api_key=test_key").expect(200).json()["provider"], "stripe");
    let malformed = get("/hubster/api/v1/integrations/1?api_key=test_key").expect(400);
    assert_eq!(malformed.json()["errors"][0]["code"], 203);
    let malformed = get(&format!("/optimizeplayer/api/v1/integrations/{id}?api_key=test_key")).expect(422);
    assert_eq!(malformed.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["error", "message"]);
    let stranger = server.get(&format!("/hubster/api/v1/integrations/{id}?api_key=test_key")).expect(401);
    assert_eq!(stranger.json()["errors"][0]["code"], 102);
    let stranger = get("/optimizeplayer/api/v1/integrations/1").expect(401);
    assert_eq!(stranger.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["error", "message"]);
    for (pack, id) in [("hubster", id), ("optimizeplayer", "1")] {
        let path = format!("/{pack}/api/v1/integrations/{id}?api_key=test_key");
        let operation = get(&path).expect(200).header("standin-operation").unwrap().to_owned();
        assert!(operation.starts_with(pack), "{operation}");
    }
}

/// Every credential that everybody may know, at every pack that it is not of.
#[test]
fn no_credential_of_one_pack_opens_another() {
    let server = all();
    let before = records(&server);
    let credentials = |pack: &str| {
        let shown = server.control("GET", &format!("/packs/{pack}"), None).expect(200).json();
        shown["credentials"].as_array().unwrap().clone()
    };
    for (owner, ..) in READS {
        for credential in credentials(owner) {
            let (name, value) = (credential["name"].as_str().unwrap(), credential["value"].as_str().unwrap());
            for (other, path, _) in READS.iter().filter(|(other, ..)| *other != owner) {
                let bare = path.split('?').next().unwrap();
                let answer = match credential["in"].as_str() {
                    Some("query") => server.get(&format!("/{other}{bare}?{name}={value}")),
                    _ => server.call("GET", &format!("/{other}{bare}"), &[(name, value)], ""),
                };
                assert_eq!(answer.status, 401, "{owner} {value} at {other}: {answer}");
                assert_ne!(answer.header("content-type"), Some("application/problem+json"), "{answer}");
            }
        }
    }
    assert_eq!(records(&server), before);
}

#[test]
fn a_change_in_one_pack_changes_no_other() {
    let server = all();
    let client = json!({
        "name": "New", "description": "d", "expirationTokenTime": 600, "defaultTillId": 50_006_796,
        "scopes": [{ "entityId": 2, "permission": "READ", "resources": [] }],
    });
    let calls = [
        ("hubster", "POST", "/api/v1/hubs", PORTAL, json!({ "name": "New", "description": "d" })),
        ("reportei", "POST", "/customers", REPORTEI, json!({ "name": "New" })),
        ("capillary", "POST", "/v3/integrations/clients", ADMIN, client),
    ];
    for (pack, method, path, credential, body) in calls {
        let before = records(&server);
        let answer = server.call(method, &format!("/{pack}{path}"), &[credential, JSON], body.to_string());
        assert!(answer.status < 300, "{answer}");
        for (known, after) in records(&server) {
            assert_eq!(after == before[known], known != pack, "{pack} {known}");
        }
    }
    // Events are their pack's, too.
    let elsewhere = json!({ "integrationId": "00000000-0000-0000-0000-000000000102" });
    for pack in ["optimizeplayer", "reportei", "capillary"] {
        let path = format!("/events/{pack}/delete-integration");
        server.control("POST", &path, Some(elsewhere.clone())).problem(404, "event-unknown");
    }
}

#[test]
fn one_clock_is_for_all() {
    let server = all();
    let customer = ("x-customer-token", "token-caedbbbe-7d93-476f-b965-bf97cd7ce874");
    let session = || server.call("POST", "/reportei/customer-integrations/session", &[REPORTEI, customer], "");
    let form = "grant_type=client_credentials&client_id=hubster.portal.api.00000000000000000000000000000001&client_secret=hubster-portal-secret";
    let token = server.call("POST", "/hubster/connect/token", &[FORM], form).expect(200).json();
    let token = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let hubs = || server.call("GET", "/hubster/api/v1/hubs", &[("Authorization", &token)], "");
    session().expect(200);
    hubs().expect(200);
    advance(&server, "30 days");
    session().expect(401);
    hubs().expect(401);
}

#[test]
fn sandboxes_hold_all_packs_with_options_of_their_own() {
    let server = Server::start(&["--freeze", "--option", "hubster.fixed-typos"]);
    let options = json!({ "optimizeplayer.unknown-id": 404, "hubster.fixed-typos": false });
    server.control("POST", "/sandboxes", Some(json!({ "id": "other", "options": options }))).expect(201);
    for (prefix, typo, status) in [("", "AccountSid", 401), ("/~other", "AcccountSid", 404)] {
        let path = format!("{prefix}/hubster/api/v1/integrations/00000000-0000-0000-0000-000000000102");
        let read = server.call("GET", &path, &[PORTAL], "").expect(200).json();
        assert!(read["configuration"].get(typo).is_some(), "{read}");
        server.get(&format!("{prefix}/optimizeplayer/api/v1/integrations/99?api_key=test_key")).expect(status);
    }
}

#[test]
fn check_replays_every_pack_and_notices_what_is_altered() {
    let output = standin().args(["check", "--mutate", "--format", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    let packs = report["packs"].as_array().unwrap();
    let names: Vec<&str> = packs.iter().map(|pack| pack["pack"].as_str().unwrap()).collect();
    assert_eq!(names, READS.map(|(pack, ..)| pack));
    for pack in packs {
        let results = pack["results"].as_array().unwrap();
        assert!(results.iter().all(|result| result["findings"] == json!([])), "{pack}");
        assert!(results.iter().any(|result| text(result, "name").ends_with(" (mutated)")), "{pack}");
    }
}

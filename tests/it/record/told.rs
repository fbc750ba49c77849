//! How a story is told.

use std::fs;

use serde_json::json;

use super::{Recorded, happened, say};
use crate::receiver::{Receiver, Say};
use crate::server::{ACME, FORM, JSON, REPORTEI, Server, advance, eventually};
use crate::support::{golden, repository, text};

const PORTAL: (&str, &str) = ("Authorization", "Bearer hubster-portal-token");
const HUB: &str = "00000000-0000-0000-0000-0000000000a2";

/// Customers, a link of a session, wrong credentials, a trial that ends, a fault, a stub, and somebody who got lost.
#[test]
fn a_story_is_told_as_people_would_tell_it() {
    let server = Server::start(&["--freeze"]);
    let api = |caller: (&str, &str), method: &str, path: &str, body: Option<serde_json::Value>| {
        server.api_as(caller, method, &format!("/reportei{path}"), body)
    };
    let made = api(REPORTEI, "POST", "/customers", Some(json!({ "name": "Paper & Co: = new" }))).expect(201).json();
    let uuid = text(&made["customer"], "uuid");
    let token = text(&made["customer"], "api_token");
    let shown = format!("/customers/{uuid}");
    api(REPORTEI, "GET", &shown, None).expect(200);
    api(ACME, "GET", &shown, None).expect(404);
    api(("Authorization", "Bearer wrong-Token-17"), "GET", &shown, None).expect(401);
    api(("X-Nothing", "at all"), "GET", &shown, None).expect(401);
    let own = [REPORTEI, ("x-customer-token", token), JSON];
    let session = json!({ "redirect_url": "https://app.example/back" }).to_string();
    let session = server.call("POST", "/reportei/customer-integrations/session", &own, session).expect(200).json();
    let link = text(&session["integration_session"], "session_link").strip_prefix(&server.url()).unwrap().to_owned();
    server.get(&link).expect(200);
    server.call("POST", "/reportei/customers", &[REPORTEI, JSON], "{\"name\":").expect(400);
    let unreadable = "{\"key\": \"my-1st-key\", \"secret\": \"my-1st-secret-of-all\"";
    server.call("POST", "/capillary/v3/oauth/token/generate", &[JSON], unreadable).expect(400);
    server.get("/favicon.ico").expect(404);
    let fault =
        json!({ "faults": [{ "operation": "reportei/customers/list", "count": 1, "fault": "connection-reset" }] });
    server.control("PUT", "/faults", Some(fault)).expect(200);
    server.raw(&crate::server::request("localhost", "GET", "/reportei/customers", &[REPORTEI], b""));
    server.control("DELETE", "/faults", None).expect(204);
    let stub = json!({
        "request": { "urlPath": "/reportei/customers", "headers": { "User-Agent": { "contains": "cart" } } },
        "response": { "status": 503, "body": "Down for maintenance" },
    });
    server.control("POST", "/stubs", Some(stub)).expect(201);
    server.call("GET", "/reportei/customers?page=2", &[("User-Agent", "cart/1"), ("X-Tag", "a: b")], "").expect(503);
    server.control("DELETE", "/stubs", None).expect(204);
    let paying = json!({ "is_paying": true });
    server.control("PATCH", &format!("/state/reportei/customer/{uuid}"), Some(paying)).expect(200);
    let session_path = format!("/state/reportei/session/{}", text(&session["integration_session"], "session_uuid"));
    let mut kept = server.control("GET", &session_path, None).expect(200).json();
    kept["redirect_url"] = json!("https://app.example/another");
    server.control("PUT", &session_path, Some(kept)).expect(200);
    advance(&server, "7d");
    let expired = json!({
        "pack": "reportei", "event": "expire", "after": "2h", "input": { "uuid": "6110b666-0327-4a81-b48e-9feb34d72f78" },
    });
    server.control("POST", "/clock/agenda", Some(expired)).expect(201);
    advance(&server, "3h");
    api(REPORTEI, "DELETE", &shown, None).expect(200);
    let grant = "grant_type=client_credentials&client_id=hubster.portal.api.00000000000000000000000000000001&\
                 client_secret=hubster-portal-secret";
    server.call("POST", "/hubster/connect/token", &[FORM], grant);
    server.call("GET", "/optimizeplayer/api/v1/integrations?api_key=acme_key", &[], "").expect(200);
    let recorded = Recorded::of(&server, ["default"]);
    recorded.closed(&server);
    let told = recorded.text("default").replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let told = told.replace(&server.url(), "http://127.0.0.1:4010");
    golden(&repository("tests/cases/record/story.yaml"), &told).unwrap_or_else(|difference| panic!("{difference}"));
}

/// A clock that ticked stands still then, and moves to where each thing happened.
#[test]
fn what_happened_while_time_went_on_happens_at_the_same_instants() {
    let server = Server::start(&["reportei"]);
    for name in ["One", "Two", "Three"] {
        server.api("POST", "/customers", Some(json!({ "name": name }))).expect(201);
    }
    server.control("PUT", "/clock", Some(json!({ "now": "2024-09-01T00:00:00Z" }))).expect(200);
    server.api("GET", "/customers", None).expect(200);
    server.control("PUT", "/clock", Some(json!({ "now": "2024-10-20T00:00:00Z", "mode": "frozen" }))).expect(200);
    server.api("POST", "/customers", Some(json!({ "name": "Four" }))).expect(201);
    let recorded = Recorded::of(&server, ["default"]);
    let told = recorded.text("default");
    assert!(told.contains("- clock: { now: \"2024-09-01T00:00:00Z\" }") && !told.contains("ticking"), "{told}");
    recorded.closed(&server);
}

/// Somebody who was told something is a receiver of the scenario, which answers as that one did.
#[test]
fn receivers_answer_as_those_did_that_were_there() {
    let receiver = Receiver::new([Say::status(500), Say::status(500), Say::status(200)]);
    let server = Server::start(&["hubster", "--freeze"]);
    let url = receiver.url("/hook?of=shop");
    let body = json!({ "channelId": "System", "name": "hears", "configuration": { "webhookUrl": url, "events": ["message"] } });
    let made =
        server.api_as(PORTAL, "POST", &format!("/api/v1/integrations/hubs/{HUB}"), Some(body)).expect(200).json();
    let id = text(&made, "integrationId").to_owned();
    server.api_as(PORTAL, "GET", &format!("/api/v1/integrations/{id}"), None).expect(200);
    let said = json!({ "hubId": HUB, "from": "customer", "text": "Is anybody there?" });
    server.control("POST", "/events/hubster/send-activity", Some(said)).expect(200);
    receiver.heard_when(1);
    let settled = |count: u64| {
        eventually("outcomes", || {
            let counted = server.control("POST", "/webhooks/count", Some(json!({ "attempts": format!("{count}-") })));
            (counted.expect(200).json()["count"] == 1).then_some(())
        });
    };
    settled(1);
    advance(&server, "1h");
    settled(3);
    let recorded = Recorded::of(&server, ["default"]);
    let told = recorded.text("default");
    for line in [
        "  - receive: inbox\n    answers: [500, 500, 200]\n",
        "webhookUrl: = receivers.inbox ~ \"/hook?of=shop\"",
        "{ at: inbox, webhook: tell-system, status: 500, count: 2 }",
        "{ at: inbox, webhook: tell-system, status: 200, count: 1 }",
    ] {
        assert!(told.contains(line), "{line}:\n{told}");
    }
    assert!(!told.contains(&receiver.url("")), "{told}");
    // Nobody of the story is asked again.
    let heard = receiver.heard().len();
    recorded.run(&server);
    assert_eq!(receiver.heard().len(), heard);
}

/// What is recorded runs on a server of its own, too, and is called what somebody calls it.
#[test]
fn a_file_is_written_that_says_how_to_run_it() {
    let server = Server::start(&["reportei", "--freeze"]);
    let path = "/state/reportei/customer/caedbbbe-7d93-476f-b965-bf97cd7ce874";
    server.control("PATCH", path, Some(json!({ "name": "Renamed" }))).expect(200);
    server.api("GET", "/customers", None).expect(200);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("story.yaml");
    let file = file.to_str().unwrap();
    let url = server.url();
    let said = say(&["record", "--target", &url, "--output", file, "--name", "The name: = \"new\""]);
    assert_eq!((said.code, said.errors.as_str()), (0, ""), "{said:?}");
    assert_eq!(said.out, format!("{file}: 2 steps. To run it: standin run {file}\n"));
    let run = say(&["run", file]);
    assert!(run.code == 0 && run.out.contains("1 passed"), "{run:?}");
    let told = fs::read_to_string(file).unwrap();
    assert!(told.starts_with("scenario: 'The name: = \"new\"'\npack: reportei\n"), "{told}");
    // The same on standard output, but for the name.
    let shown = say(&["record", "--target", &url]);
    assert_eq!(shown.out.lines().skip(1).collect::<Vec<_>>(), told.lines().skip(1).collect::<Vec<_>>());
    // Another answer than the recorded one is a failure of the run.
    fs::write(file, told.replace("Renamed\n            created_at", "Another\n            created_at")).unwrap();
    let run = say(&["run", file]);
    assert!(run.code == 1 && run.out.contains("Another") && run.out.contains("Renamed"), "{run:?}");
}

/// Sandboxes side by side are told each by itself; a fork has the story of its origin.
#[test]
fn each_sandbox_is_told_by_itself() {
    let server = Server::start(&["capillary", "--freeze"]);
    for (id, seed) in [("one", 7), ("two", 8)] {
        server.control("POST", "/sandboxes", Some(json!({ "id": id, "seed": seed }))).expect(201);
    }
    std::thread::scope(|scope| {
        for id in ["one", "two"] {
            let server = &server;
            scope.spawn(move || {
                let admin = [crate::capillary::ADMIN, JSON];
                for name in ["Till", "Kiosk"] {
                    let body = json!({ "name": format!("{name} {id}"), "key": format!("{name}-{id}-key") }).to_string();
                    server.call("POST", &format!("/~{id}/capillary/v3/integrations/clients"), &admin, body);
                }
                server.call("GET", &format!("/~{id}/capillary/v3/integrations/clients"), &admin, "").expect(200);
            });
        }
    });
    server.control("POST", "/sandboxes", Some(json!({ "id": "fork", "from": "one" }))).expect(201);
    let recorded = Recorded::of(&server, ["one", "two", "fork"]);
    assert!(recorded.text("two").contains("seed: 8\n"), "{}", recorded.text("two"));
    assert_eq!(happened(&server, "fork").len(), 3);
    recorded.closed(&server);
}

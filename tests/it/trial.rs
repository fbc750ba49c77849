//! Time: what the page says about the trial, and that a log sent again gives the same bytes.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::server::{ACME, Answer, JSON, REPORTEI, Server};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const SECOND: &str = "073c1e15-94d0-49b3-9861-a0e9b7ffb06c";
const INTEGRATION: &str = "6110b666-0327-4a81-b48e-9feb34d72f78";

/// The trial ends at an instant that is compared, not at a timer: nothing about the customer changes when it comes, and
/// its customer pages keep working. (The pages that then refuse are Customer Integrations and Metrics.)
#[test]
fn after_exactly_seven_days_the_customer_is_as_it_was() {
    let server = Server::start(&["reportei", "--freeze"]);
    let made = server.api("POST", "/customers", Some(json!({ "name": "Trial" }))).expect(201);
    assert_eq!(made.header("date"), Some("Tue, 01 Oct 2024 17:15:12 GMT"));
    let customer = made.json()["customer"].clone();
    assert_eq!(customer["created_at"], "2024-10-01 17:15:12");
    assert_eq!(customer["trial_ends_at"], "2024-10-08 17:15:12");
    let own = format!("/customers/{}", customer["uuid"].as_str().unwrap());
    let token = ("x-customer-token", customer["api_token"].as_str().unwrap());
    let look = || {
        [
            server.call("GET", &own, &[REPORTEI], "").expect(200),
            server.call("GET", "/customers", &[REPORTEI], "").expect(200),
            server.call("GET", "/customers/settings", &[REPORTEI, token], "").expect(200),
        ]
    };
    let before = look();
    for (by, date) in [
        ("6 days 23h 59m 59s", "Tue, 08 Oct 2024 17:15:11 GMT"),
        ("1s", "Tue, 08 Oct 2024 17:15:12 GMT"),
        ("1s", "Tue, 08 Oct 2024 17:15:13 GMT"),
    ] {
        server.control("POST", "/clock/advance", Some(json!({ "by": by }))).expect(200);
        for (then, now) in before.iter().zip(look()) {
            assert_eq!(now.text(), then.text());
            assert_eq!(now.header("date"), Some(date));
        }
    }
    let renamed = server.api("PUT", &own, Some(json!({ "name": "Later" }))).expect(200).json();
    assert_eq!(renamed["customer"]["updated_at"], "2024-10-08 17:15:13");
    assert_eq!(renamed["customer"]["trial_ends_at"], "2024-10-08 17:15:12");
}

#[test]
fn a_ticking_clock_moves_and_a_frozen_one_does_not() {
    let now = |server: &Server| server.control("GET", "/clock", None).json();
    let ticking = Server::start(&["reportei"]);
    let first = now(&ticking);
    assert_eq!(first["mode"], "ticking");
    crate::server::eventually("time to pass", || (now(&ticking)["now"] != first["now"]).then_some(()));
    let frozen = Server::start(&["reportei", "--freeze"]);
    assert_eq!(now(&frozen), json!({ "now": "2024-10-01T17:15:12Z", "mode": "frozen" }));
    frozen.api("GET", "/customers", None).expect(200);
    assert_eq!(now(&frozen), json!({ "now": "2024-10-01T17:15:12Z", "mode": "frozen" }));
}

/// Plays a history of everything that can be in a log, and gives the answers of the API in order.
fn history(server: &Server) -> Vec<Answer> {
    let answers = std::cell::RefCell::new(Vec::new());
    let api = |caller: (&str, &str), method: &str, path: &str, body: Option<Json>| {
        let answer = server.api_as(caller, method, path, body);
        answers.borrow_mut().push(answer.clone());
        answer
    };
    let raw = |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        answers.borrow_mut().push(server.call(method, path, headers, body));
    };
    let control = |method: &str, path: &str, body: Json| server.control(method, path, Some(body));
    let uuid = |answer: &Answer| answer.json()["customer"]["uuid"].as_str().unwrap().to_owned();

    let one = api(REPORTEI, "POST", "/customers", Some(json!({ "name": "Açaí" })));
    let two = api(REPORTEI, "POST", "/reportei/api/customers", Some(json!({ "name": "Two" })));
    api(ACME, "POST", "/reportei/customers", Some(json!({ "name": "Three" })));
    api(REPORTEI, "GET", "/customers?per_page=2&page=2&sortBy=name&descending=true&color=red", None);
    control("POST", "/clock/advance", json!({ "by": "1h 30m" })).expect(200);
    api(REPORTEI, "PUT", &format!("/customers/{}", uuid(&one)), Some(json!({ "name": "One" })));
    api(REPORTEI, "POST", "/customers", Some(json!({ "name": "" })));
    api(REPORTEI, "GET", "/customers/unknown", None);
    api(REPORTEI, "PUT", "/customers", Some(json!({ "name": "x" })));
    api(REPORTEI, "GET", "/nowhere?a=b", None);
    raw("POST", "/customers", &[REPORTEI, JSON], b"{\"name\":\"\xff\"}");
    raw("POST", "/customers", &[REPORTEI, ("Content-Type", "text/plain")], b"name");
    raw("POST", "/customers", &[REPORTEI, JSON], &vec![b' '; (2 << 20) + 1]);
    raw("GET", "/customers", &[REPORTEI, ("X-Twice", "a"), ("X-Twice", "b, c"), ACME], b"");
    raw("GET", "/customers/settings", &[REPORTEI, ("x-customer-token", &format!("token-{SECOND}"))], b"");
    control("POST", "/events/reportei/revoke", json!({ "uuid": INTEGRATION })).expect(200);
    control("POST", "/events/reportei/revoke", json!({ "uuid": FIRST })).expect(404);
    raw("GET", "/customers/settings", &[REPORTEI, ("x-customer-token", &format!("token-{SECOND}"))], b"");
    control("PUT", "/clock", json!({ "now": "2030-02-28T23:59:59.5Z" })).expect(200);
    let added = control(
        "POST",
        "/state/reportei/customer",
        json!({
            "name": "Added", "created_at": "2024-09-24 17:07:34", "updated_at": "2024-09-24 17:07:34", "trial_ends_at": "2024-10-01 17:07:34",
            "is_paying": true, "merchant": "Reportei", "merchant_uuid": "c1e6c85a-6441-4107-ab36-b8bf581b40e0",
        }),
    );
    let added = added.expect(201).json()["uuid"].as_str().unwrap().to_owned();
    control(
        "PATCH",
        &format!("/state/reportei/customer/{added}"),
        json!({ "name": "Patched", "api_token": "my-own-token" }),
    )
    .expect(200);
    control("PATCH", &format!("/state/reportei/customer/{added}"), json!({ "name": 7 })).expect(422);
    raw("GET", "/customers/settings", &[REPORTEI, ("x-customer-token", "my-own-token")], b"");
    raw("HEAD", "/customers", &[REPORTEI], b"");
    api(
        REPORTEI,
        "POST",
        &format!("/customers/{}/update-payment-status", uuid(&two)),
        Some(json!({ "is_paying": true })),
    );
    api(REPORTEI, "DELETE", &format!("/customers/{}", uuid(&two)), None);
    server.control("DELETE", &format!("/state/reportei/customer/{FIRST}"), None).expect(204);
    api(REPORTEI, "POST", "/customers", Some(json!({ "name": "Last", "unknown": [1, 2.5, null] })));
    raw("GET", "/customers", &[], b"");
    api(REPORTEI, "GET", "/customers?per_page=100", None);
    answers.into_inner()
}

fn log(server: &Server) -> Vec<Json> {
    let log = server.control("GET", "/log?secrets=show&limit=1000", None).expect(200).json();
    assert_eq!((&log["next"], &log["evicted"]), (&Json::Null, &json!(0)));
    log["records"].as_array().unwrap().clone()
}

/// Sends the entries of a log in order, and gives the answers of the API.
fn replay(server: &Server, log: &[Json]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for entry in log {
        match entry["kind"].as_str().unwrap() {
            "exchange" => answers.push(send(server, &entry["exchange"]["request"])),
            "clock" => {
                server
                    .control("PUT", "/clock", Some(json!({ "now": entry["now"], "mode": entry["mode"] })))
                    .expect(200);
            }
            "state" => {
                let method = entry["method"].as_str().unwrap();
                let [pack, resource, id] = ["pack", "resource", "id"].map(|key| entry[key].as_str().unwrap());
                let id = if method == "POST" { String::new() } else { format!("/{id}") };
                let body = Some(entry["body"].clone()).filter(|body| !body.is_null());
                let answer = server.control(method, &format!("/state/{pack}/{resource}{id}"), body);
                assert!((200..300).contains(&answer.status), "{answer}");
            }
            // The time that is set anew makes it happen.
            "event" if entry["scheduled"] == true => {}
            "event" => {
                let [pack, event] = ["pack", "event"].map(|key| entry[key].as_str().unwrap());
                server.control("POST", &format!("/events/{pack}/{event}"), Some(entry["input"].clone())).expect(200);
            }
            other => panic!("a kind that cannot be sent again: {other}"),
        }
    }
    answers
}

fn send(server: &Server, request: &Json) -> Answer {
    let text = |key: &str| request[key].as_str().unwrap();
    // `http://host/prefix`: the host is among the headers.
    let prefix = text("base").splitn(4, '/').nth(3).map(|prefix| format!("/{prefix}")).unwrap_or_default();
    let query = request["query"].as_str().map(|query| format!("?{query}")).unwrap_or_default();
    let mut bytes = format!("{} {prefix}{}{query} HTTP/1.1\r\n", text("method"), text("path")).into_bytes();
    for (name, value) in request["headers"].as_object().unwrap() {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for value in values {
            bytes.extend_from_slice(format!("{name}: {}\r\n", value.as_str().unwrap()).as_bytes());
        }
    }
    bytes.extend_from_slice(b"\r\n");
    let body = &request["body"];
    if let Some(text) = body["text"].as_str() {
        bytes.extend_from_slice(text.as_bytes());
    } else if let Some(coded) = body["base64"].as_str() {
        bytes.extend_from_slice(&STANDARD.decode(coded).unwrap());
    } else if let Some(limit) = body["largerThan"].as_u64() {
        bytes.resize(bytes.len() + usize::try_from(limit).unwrap() + 1, b' ');
    }
    let mut stream = server.connect();
    stream.write_all(&bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Answer::read(&answer, text("method"))
}

#[test]
fn the_same_log_gives_the_same_bytes_in_another_process() {
    let start = || Server::start(&["reportei", "--freeze", "--seed", "42"]);
    let first = start();
    let answers = history(&first);
    let recorded = log(&first);
    assert!(recorded.len() > answers.len() && answers.len() > 20);

    let second = start();
    let replayed = replay(&second, &recorded);
    assert_eq!(replayed.len(), answers.len());
    for (again, then) in replayed.iter().zip(&answers) {
        assert_eq!(again, then, "\n{again}\nbut it was\n{then}");
    }

    // The logs are equal too, but for what is real: how long it took.
    let without_time = |mut log: Vec<Json>| {
        for entry in &mut log {
            if let Some(exchange) = entry["exchange"].as_object_mut() {
                exchange.remove("tookMicros");
            }
        }
        log
    };
    for (again, then) in without_time(log(&second)).iter().zip(without_time(recorded)) {
        assert_eq!(again, &then);
    }
    assert_eq!(first.world(), second.world());
}

/// What happens in other sandboxes, and what was there before a reset, has no part in it.
#[test]
fn the_same_log_gives_the_same_bytes_after_a_reset_and_beside_other_sandboxes() {
    let server = Server::start(&["reportei", "--freeze", "--seed", "42"]);
    let other = Server::start(&["reportei", "--freeze", "--seed", "42"]);
    for _ in 0..3 {
        other.api("POST", "/customers", Some(json!({ "name": "before" }))).expect(201);
    }
    other.control("POST", "/reset", None).expect(200);
    other.control("POST", "/sandboxes", Some(json!({ "id": "beside" }))).expect(201);
    let create = |server: &Server, path: &str| server.api("POST", path, Some(json!({ "name": "Same" }))).expect(201);
    for _ in 0..3 {
        create(&other, "/~beside/customers");
        assert_eq!(create(&server, "/customers").body, create(&other, "/customers").body);
    }
}

#[test]
fn another_seed_gives_other_ids_and_tokens() {
    let [one, two, again] = [1, 2, 1].map(|seed| {
        let server = Server::start(&["reportei", "--freeze", "--seed", &seed.to_string()]);
        server.api("POST", "/customers", Some(json!({ "name": "Seed" }))).expect(201).json()["customer"].clone()
    });
    assert_ne!(one["uuid"], two["uuid"]);
    assert_ne!(one["api_token"], two["api_token"]);
    assert_eq!(one, again);
    let server = Server::start(&["reportei", "--freeze"]);
    server.control("POST", "/sandboxes", Some(json!({ "id": "two", "seed": 2 }))).expect(201);
    let made = server.api("POST", "/~two/customers", Some(json!({ "name": "Seed" }))).json()["customer"].clone();
    assert_eq!(made, two, "a sandbox's seed is as good as the server's");
}

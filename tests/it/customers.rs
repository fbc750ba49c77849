//! Reportei's customers over the wire: what the documentation's page says, and what was decided where it is silent.
//! Names say which statement: `rN` is a numbered defect of the page, `rule_` a sentence about behaviour, `call_` a row
//! of the table of calls, `list_` the README on pagination.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::server::{ACME, Answer, JSON, REPORTEI, Server};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const SECOND: &str = "073c1e15-94d0-49b3-9861-a0e9b7ffb06c";
const FOREIGN: &str = "5b0c2d1e-3f4a-4b5c-8d6e-7f8091a2b3c4";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const INTEGRATION: &str = "6110b666-0327-4a81-b48e-9feb34d72f78";
const KEYS: [&str; 7] = ["uuid", "name", "created_at", "updated_at", "trial_ends_at", "is_paying", "merchant"];

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

fn create(server: &Server, name: &str) -> Json {
    server.api("POST", "/customers", Some(json!({ "name": name }))).expect(201).json()["customer"].clone()
}

fn text<'j>(object: &'j Json, key: &str) -> &'j str {
    object[key].as_str().unwrap_or_else(|| panic!("{key} of {object}"))
}

fn settings(server: &Server, merchant: (&str, &str), token: &str) -> Answer {
    server.call("GET", "/customers/settings", &[merchant, ("x-customer-token", token)], "")
}

fn keys(object: &Json) -> Vec<&str> {
    object.as_object().unwrap_or_else(|| panic!("{object}")).keys().map(String::as_str).collect()
}

fn names(list: &Json) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|customer| text(customer, "name")).collect()
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        && parts[2].starts_with('4')
        && parts[3].starts_with(['8', '9', 'a', 'b'])
}

// ---- 1.2: calls ----

#[test]
fn call_list_has_data_and_nine_meta_keys_in_the_documented_order() {
    let server = start();
    let answer = server.api("GET", "/customers", None).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!(keys(&body), ["data", "meta"]);
    assert_eq!(keys(&body["data"][0]), KEYS);
    let meta = ["current_page", "from", "last_page", "path", "per_page", "to", "total", "sortBy", "descending"];
    assert_eq!(keys(&body["meta"]), meta);
}

#[test]
fn call_show_gives_one_customer() {
    let server = start();
    let body = server.api("GET", &format!("/customers/{SECOND}"), None).expect(200).json();
    assert_eq!(keys(&body), ["customer"]);
    assert_eq!(keys(&body["customer"]), KEYS);
    assert_eq!(body["customer"]["name"], "Reportei Customer 2");
    assert_eq!(body["customer"]["is_paying"], true);
}

#[test]
fn call_settings_gives_the_integrations_of_the_tokens_customer() {
    let server = start();
    let body = settings(&server, REPORTEI, &format!("token-{SECOND}")).expect(200).json();
    assert_eq!(body["customer"]["uuid"], SECOND);
    assert_eq!(keys(&body["customer"]), [&KEYS[..], &["integrations"]].concat());
    assert_eq!(
        body["customer"]["integrations"],
        json!([{ "uuid": INTEGRATION, "integration": "Instagram Business", "name": "reportei", "slug": "instagram_business", "status": "active" }])
    );
    let other = settings(&server, REPORTEI, &format!("token-{FIRST}")).expect(200).json();
    assert_eq!(other["customer"]["integrations"], json!([]), "a customer without integrations has an empty list");
}

#[test]
fn call_create_gives_201_and_the_customer_can_be_read() {
    let server = start();
    let made = create(&server, "Padaria");
    assert!(is_uuid(text(&made, "uuid")), "{made}");
    assert_eq!(
        (&made["name"], &made["is_paying"], &made["merchant"]),
        (&json!("Padaria"), &json!(false), &json!("Reportei"))
    );
    let shown = server.api("GET", &format!("/customers/{}", text(&made, "uuid")), None).expect(200).json();
    for key in KEYS {
        assert_eq!(shown["customer"][key], made[key], "{key}");
    }
    let list = server.api("GET", "/customers", None).json();
    assert_eq!(list["data"][2], shown["customer"], "the newest is last");
}

#[test]
fn call_create_makes_a_new_customer_each_time_even_of_the_same_name() {
    let server = start();
    let made: Vec<Json> = (0..5).map(|_| create(&server, "Same")).collect();
    for key in ["uuid", "api_token"] {
        let distinct: BTreeSet<&str> = made.iter().map(|customer| text(customer, key)).collect();
        assert_eq!(distinct.len(), 5, "{key}");
    }
}

#[test]
fn call_update_gives_the_shape_of_show_and_changes_name_and_updated_at_only() {
    let server = start();
    let before = server.api("GET", &format!("/customers/{FIRST}"), None).json();
    server.control("POST", "/clock/advance", Some(json!({ "by": "90s" }))).expect(200);
    let body =
        server.api("PUT", &format!("/customers/{FIRST}"), Some(json!({ "name": "New name" }))).expect(200).json();
    let mut expected = before;
    expected["customer"]["name"] = json!("New name");
    expected["customer"]["updated_at"] = json!("2024-10-01 17:16:42");
    assert_eq!(body.to_string(), expected.to_string());
    assert_eq!(server.api("GET", &format!("/customers/{FIRST}"), None).json(), expected);
}

#[test]
fn call_delete_answers_with_the_documented_body_and_the_customer_is_gone() {
    let server = start();
    let answer = server.api("DELETE", &format!("/customers/{FIRST}"), None).expect(200);
    assert_eq!(answer.json(), json!({ "success": true, "message": "Record successfully removed" }));
    for (method, path, body) in [
        ("GET", format!("/customers/{FIRST}"), None),
        ("DELETE", format!("/customers/{FIRST}"), None),
        ("PUT", format!("/customers/{FIRST}"), Some(json!({ "name": "x" }))),
        ("POST", format!("/customers/{FIRST}/update-payment-status"), Some(json!({ "is_paying": true }))),
    ] {
        assert_eq!(
            server.api(method, &path, body).expect(404).json(),
            json!({ "message": "Customer not found." }),
            "{method} {path}"
        );
    }
    let list = server.api("GET", "/customers", None).json();
    assert_eq!((names(&list), &list["meta"]["total"]), (vec!["Reportei Customer 2"], &json!(1)));
}

/// A body is not asked for, so what it holds is of no interest.
#[test]
fn call_delete_ignores_a_body() {
    let server = start();
    let answer = server.call("DELETE", &format!("/customers/{FIRST}"), &[REPORTEI, JSON], "{not json");
    answer.expect(200);
}

#[test]
fn call_update_payment_status_takes_both_values() {
    let server = start();
    let path = format!("/customers/{FIRST}/update-payment-status");
    let is_paying = || server.api("GET", &format!("/customers/{FIRST}"), None).json()["customer"]["is_paying"].clone();
    for (value, message) in [
        (true, "Customer is now marked as a paying customer"),
        (true, "Customer is now marked as a paying customer"),
        (false, "Customer is no longer marked as a paying customer"),
        (false, "Customer is no longer marked as a paying customer"),
    ] {
        let answer = server.api("POST", &path, Some(json!({ "is_paying": value }))).expect(200);
        assert_eq!(answer.json(), json!({ "success": true, "message": message }));
        let contract = if value { "documented" } else { "documented; body=assumed" };
        assert_eq!(answer.header("standin-contract"), Some(contract), "the page shows the message for `true` only");
        assert_eq!(is_paying(), value);
    }
}

#[test]
fn call_update_payment_status_leaves_name_and_trial_alone() {
    let server = start();
    server.control("POST", "/clock/advance", Some(json!({ "by": "1h" }))).expect(200);
    let before = server.api("GET", &format!("/customers/{FIRST}"), None).json();
    server
        .api("POST", &format!("/customers/{FIRST}/update-payment-status"), Some(json!({ "is_paying": true })))
        .expect(200);
    let mut expected = before;
    expected["customer"]["is_paying"] = json!(true);
    expected["customer"]["updated_at"] = json!("2024-10-01 18:15:12");
    assert_eq!(server.api("GET", &format!("/customers/{FIRST}"), None).json(), expected);
}

#[test]
fn head_works_wherever_get_does() {
    let server = start();
    for path in [
        "/customers".to_owned(),
        format!("/customers/{FIRST}"),
        format!("/customers/{UNKNOWN}"),
        "/_standin/clock".to_owned(),
    ] {
        let get = server.call("GET", &path, &[REPORTEI], "");
        let head = server.call("HEAD", &path, &[REPORTEI], "");
        assert_eq!((head.status, head.body.as_slice()), (get.status, &b""[..]), "{path}");
        for name in ["content-type", "content-length", "standin-operation", "standin-contract"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[test]
fn answers_carry_operation_contract_entry_cache_control_and_the_virtual_date() {
    let server = start();
    let answer = server.api("GET", "/customers", None).expect(200);
    assert_eq!(answer.header("standin-operation"), Some("reportei/customers/list"));
    assert_eq!(answer.header("standin-contract"), Some("documented"));
    assert_eq!(answer.header("standin-entry"), Some("1"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("date"), Some("Tue, 01 Oct 2024 17:15:12 GMT"));
    let clock = server.control("GET", "/clock", None).expect(200);
    assert_ne!(clock.header("date"), Some("Tue, 01 Oct 2024 17:15:12 GMT"), "the control plane sends the real date");
    let refused = server.get("/customers").expect(401);
    assert_eq!(refused.header("standin-contract"), Some("documented; body=assumed"));
    assert_eq!(refused.header("standin-entry"), Some("2"));
}

#[test]
fn names_of_any_script_come_back_as_they_were_sent() {
    let server = start();
    for name in [
        "Açaí São João",
        "株式会社ラポルテイ",
        "Zoë 👩‍👩‍👧 & Söhne <b>\"'\\",
        "\u{202e}right to left",
        "tab\tand\nline",
        &"é".repeat(5000),
    ] {
        let made = create(&server, name);
        assert_eq!(made["name"], name);
        let uuid = text(&made, "uuid");
        assert_eq!(server.api("GET", &format!("/customers/{uuid}"), None).json()["customer"]["name"], name);
        let renamed = format!("{name}!");
        let body =
            server.api("PUT", &format!("/customers/{uuid}"), Some(json!({ "name": renamed }))).expect(200).json();
        assert_eq!(body["customer"]["name"], json!(renamed));
    }
    let escaped = server.call("POST", "/customers", &[REPORTEI, JSON], r#"{"name":"\u00e9\ud83d\ude00"}"#).expect(201);
    assert_eq!(escaped.json()["customer"]["name"], "é😀");
}

// ---- the documented behaviour ----

#[test]
fn rule_trial_is_exactly_seven_days() {
    let server = start();
    for (at, created, ends) in [
        ("2024-10-01T17:15:12Z", "2024-10-01 17:15:12", "2024-10-08 17:15:12"),
        ("2024-02-26T23:59:59Z", "2024-02-26 23:59:59", "2024-03-04 23:59:59"),
        ("2023-12-28T00:00:00.999999Z", "2023-12-28 00:00:00", "2024-01-04 00:00:00"),
        ("2025-03-27T12:00:00+05:30", "2025-03-27 06:30:00", "2025-04-03 06:30:00"),
    ] {
        server.control("PUT", "/clock", Some(json!({ "now": at }))).expect(200);
        let made = create(&server, "Trial");
        assert_eq!((text(&made, "created_at"), text(&made, "updated_at")), (created, created));
        assert_eq!((text(&made, "trial_ends_at"), &made["is_paying"]), (ends, &json!(false)));
    }
}

#[test]
fn rule_customers_keep_working_after_the_trial() {
    let server = start();
    let made = create(&server, "Late");
    let (uuid, token) = (text(&made, "uuid"), text(&made, "api_token"));
    server.control("POST", "/clock/advance", Some(json!({ "by": "8d" }))).expect(200);
    server.api("GET", "/customers", None).expect(200);
    server.api("GET", &format!("/customers/{uuid}"), None).expect(200);
    settings(&server, REPORTEI, token).expect(200);
    server.api("PUT", &format!("/customers/{uuid}"), Some(json!({ "name": "Later" }))).expect(200);
    server
        .api("POST", &format!("/customers/{uuid}/update-payment-status"), Some(json!({ "is_paying": true })))
        .expect(200);
    server.api("DELETE", &format!("/customers/{uuid}"), None).expect(200);
}

#[test]
fn rule_api_token_is_shown_once_and_works_as_x_customer_token() {
    let server = start();
    let made = create(&server, "Once");
    let (uuid, token) = (text(&made, "uuid"), text(&made, "api_token"));
    assert!(token.len() == 64 && token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{token}");
    let answer = settings(&server, REPORTEI, token).expect(200);
    assert_eq!(answer.json()["customer"]["uuid"], uuid);
    let path = format!("/customers/{uuid}");
    for answer in [
        answer,
        server.api("GET", "/customers", None),
        server.api("GET", &path, None),
        server.api("PUT", &path, Some(json!({ "name": "Twice" }))),
        server.api("POST", &format!("{path}/update-payment-status"), Some(json!({ "is_paying": true }))),
        server.api("DELETE", &path, None),
    ] {
        assert_eq!(answer.status, 200, "{answer}");
        assert!(!answer.text().contains(token) && !answer.text().contains("api_token"), "{answer}");
    }
}

#[test]
fn rule_a_deleted_customer_takes_its_integrations_and_its_token_with_it() {
    let server = start();
    let token = format!("token-{SECOND}");
    settings(&server, REPORTEI, &token).expect(200);
    server.api("DELETE", &format!("/customers/{SECOND}"), None).expect(200);
    assert_eq!(settings(&server, REPORTEI, &token).expect(401).json(), json!({ "message": "Invalid Customer Token" }));
    server.control("GET", &format!("/state/reportei/integration/{INTEGRATION}"), None).problem(404, "record-unknown");
    assert_eq!(server.control("GET", "/state/reportei/integration", None).json()["records"], json!([]));
    let entry = server.control("GET", "/journal/2", None).json();
    assert_eq!(
        entry["exchange"]["changes"],
        json!([
            { "verb": "delete", "resource": "integration", "id": INTEGRATION },
            { "verb": "delete", "resource": "customer", "id": SECOND },
        ])
    );
}

// ---- 2: defects of the page ----

#[test]
fn r1_every_route_answers_with_and_without_the_api_prefix() {
    let server = start();
    for base in ["", "/reportei"] {
        let [plain, prefixed] = ["", "/api"].map(|mount| {
            let call = |method, path: &str, body| server.api(method, &format!("{base}{mount}{path}"), body);
            let made = call("POST", "/customers", Some(json!({ "name": "R1" }))).expect(201).json();
            let own = format!("/customers/{}", text(&made["customer"], "uuid"));
            let token = text(&made["customer"], "api_token").to_owned();
            let settings = server.call(
                "GET",
                &format!("{base}{mount}/customers/settings"),
                &[REPORTEI, ("x-customer-token", &token)],
                "",
            );
            [
                call("GET", "/customers", None),
                settings,
                call("GET", &own, None),
                call("PUT", &own, Some(json!({ "name": "R1.1" }))),
                call("POST", &format!("{own}/update-payment-status"), Some(json!({ "is_paying": true }))),
                call("DELETE", &own, None),
            ]
            .map(|answer| (answer.status, answer.header("standin-operation").unwrap().to_owned()))
        });
        assert_eq!(plain, prefixed, "{base}");
        assert!(plain.iter().all(|(status, _)| *status == 200), "{plain:?}");
    }
    assert_eq!(server.api("GET", "/api/api/customers", None).status, 404);
}

#[test]
fn r1_meta_path_has_the_api_prefix_and_the_callers_base_url() {
    let server = start();
    let url = server.url();
    for (path, expected) in [
        ("/customers", format!("{url}/api/customers")),
        ("/api/customers", format!("{url}/api/customers")),
        ("/reportei/customers", format!("{url}/reportei/api/customers")),
        ("/reportei/api/customers?page=1", format!("{url}/reportei/api/customers")),
    ] {
        let body = server.api("GET", path, None).expect(200).json();
        assert_eq!(body["meta"]["path"], json!(expected), "{path}");
        let again = server.api("GET", expected.strip_prefix(&url).unwrap(), None).expect(200).json();
        assert_eq!(again["data"], body["data"], "the link leads back");
    }
}

#[test]
fn r3_put_customers_is_405_with_allow_and_changes_nothing() {
    let server = start();
    let before = server.world();
    for path in ["/customers", "/api/customers", "/reportei/customers"] {
        let answer = server.api("PUT", path, Some(json!({ "name": "Reportei Customer 3.1" })));
        answer.problem(405, "method-not-allowed");
        let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
        allowed.sort_unstable();
        assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    }
    server.api("DELETE", "/customers", None).problem(405, "method-not-allowed");
    assert_eq!(server.world(), before);
}

/// `-X PUT` and `-X POST` given twice are harmless: what is sent is the documented call. Real curl sends it in `curl.rs`.
#[test]
fn r4_r5_the_documented_put_and_post_work() {
    let server = start();
    server.api("PUT", &format!("/customers/{FIRST}"), Some(json!({ "name": "Reportei Customer 3.1" }))).expect(200);
    server
        .api("POST", &format!("/customers/{FIRST}/update-payment-status"), Some(json!({ "is_paying": true })))
        .expect(200);
}

#[test]
fn r8_the_customer_token_is_required_on_settings_and_ignored_elsewhere() {
    let server = start();
    let refused = json!({ "message": "Invalid Customer Token" });
    assert_eq!(server.api("GET", "/customers/settings", None).expect(401).json(), refused);
    for token in ["", "nobody", "token-", FIRST, "token-CAEDBBBE-7d93-476f-b965-bf97cd7ce874"] {
        assert_eq!(settings(&server, REPORTEI, token).expect(401).json(), refused, "{token:?}");
    }
    let path = format!("/customers/{FIRST}");
    let payment = format!("{path}/update-payment-status");
    for (method, path, body, status) in [
        ("GET", "/customers", "", 200),
        ("GET", path.as_str(), "", 200),
        ("POST", "/customers", r#"{"name":"x"}"#, 201),
        ("PUT", path.as_str(), r#"{"name":"x"}"#, 200),
        ("POST", payment.as_str(), r#"{"is_paying":true}"#, 200),
        ("DELETE", path.as_str(), "", 200),
    ] {
        let answer = server.call(method, path, &[REPORTEI, JSON, ("x-customer-token", "nobody")], body);
        assert_eq!(answer.status, status, "{method} {path}: {answer}");
    }
}

#[test]
fn r8_settings_need_the_merchants_token_too() {
    let server = start();
    let answer =
        server.call("GET", "/customers/settings", &[("x-customer-token", &format!("token-{SECOND}"))], "").expect(401);
    assert_eq!(answer.json(), json!({ "message": "Unauthenticated." }));
}

/// The two documented customers have a trial of about 14 days; a new one always has 7.
#[test]
fn r9_the_documented_customers_keep_their_fourteen_days() {
    let server = start();
    let list = server.api("GET", "/customers", None).json();
    for customer in list["data"].as_array().unwrap() {
        assert_eq!(customer["trial_ends_at"], "2024-10-08 17:15:12");
        assert!(text(customer, "created_at").starts_with("2024-09-24"));
    }
    assert_eq!(create(&server, "Seven")["trial_ends_at"], "2024-10-08 17:15:12");
}

/// The page shows one uuid with two names; the list's name is the record, in every answer.
#[test]
fn r10_one_uuid_has_one_name() {
    let server = start();
    let shown = server.api("GET", &format!("/customers/{SECOND}"), None).json();
    let settings = settings(&server, REPORTEI, &format!("token-{SECOND}")).json();
    for key in KEYS {
        assert_eq!(shown["customer"][key], settings["customer"][key], "{key}");
    }
}

#[test]
fn r16_settings_is_not_taken_for_a_uuid() {
    let server = start();
    let answer = settings(&server, REPORTEI, &format!("token-{SECOND}"));
    assert_eq!(answer.header("standin-operation"), Some("reportei/customers/settings"));
    let api = server.call(
        "GET",
        "/api/customers/settings",
        &[REPORTEI, ("x-customer-token", &format!("token-{SECOND}"))],
        "",
    );
    assert_eq!(api.header("standin-operation"), Some("reportei/customers/settings"));
    // The literal only reads, and does so for every method: it never means a customer with the id `settings`.
    let put = server.api("PUT", "/customers/settings", Some(json!({ "name": "x" })));
    put.problem(405, "method-not-allowed");
    assert_eq!(put.header("allow"), Some("GET, HEAD"));
}

#[test]
fn r17_create_has_name_before_uuid_and_show_has_not() {
    let server = start();
    let made = create(&server, "Order");
    assert_eq!(
        keys(&made),
        ["name", "uuid", "updated_at", "created_at", "trial_ends_at", "is_paying", "merchant", "api_token"]
    );
    let shown = server.api("GET", &format!("/customers/{}", text(&made, "uuid")), None).json();
    assert_eq!(keys(&shown["customer"]), KEYS);
}

// ---- two merchants ----

#[test]
fn a_foreign_customer_is_like_an_unknown_one() {
    let server = start();
    let before = server.world();
    for (method, rest, body) in [
        ("GET", "", None),
        ("DELETE", "", None),
        ("PUT", "", Some(json!({ "name": "taken over" }))),
        ("POST", "/update-payment-status", Some(json!({ "is_paying": true }))),
    ] {
        let answers =
            [(REPORTEI, FOREIGN), (REPORTEI, UNKNOWN), (ACME, FIRST), (ACME, SECOND)].map(|(caller, uuid)| {
                let answer = server.api_as(caller, method, &format!("/customers/{uuid}{rest}"), body.clone());
                let mut headers = answer.headers.clone();
                headers.retain(|(name, _)| name != "standin-entry");
                (answer.status, headers, answer.text())
            });
        assert_eq!(answers[0].0, 404, "{method}");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{method}: {answers:#?}");
    }
    assert_eq!(server.world(), before);
}

#[test]
fn merchants_have_lists_of_their_own() {
    let server = start();
    server.api_as(ACME, "POST", "/customers", Some(json!({ "name": "Acme Customer 2" }))).expect(201);
    let [ours, theirs] =
        [REPORTEI, ACME].map(|caller| server.api_as(caller, "GET", "/customers", None).expect(200).json());
    assert_eq!((names(&ours), &ours["meta"]["total"]), (vec!["Reportei Customer 1", "Reportei Customer 2"], &json!(2)));
    assert_eq!((names(&theirs), &theirs["meta"]["total"]), (vec!["Acme Customer 1", "Acme Customer 2"], &json!(2)));
    assert!(theirs["data"].as_array().unwrap().iter().all(|customer| customer["merchant"] == "Acme"));
}

#[test]
fn a_customer_token_works_with_its_own_merchant_only() {
    let server = start();
    settings(&server, ACME, &format!("token-{FOREIGN}")).expect(200);
    for (merchant, uuid) in [(REPORTEI, FOREIGN), (ACME, FIRST), (ACME, SECOND)] {
        let answer = settings(&server, merchant, &format!("token-{uuid}")).expect(401);
        assert_eq!(answer.json(), json!({ "message": "Invalid Customer Token" }));
    }
}

// ---- 3.2: pagination ----

/// A server whose merchant has customers `00` to `NN` besides the two documented ones, a minute apart.
fn crowded(count: usize) -> Server {
    let server = start();
    for number in 0..count {
        server.control("POST", "/clock/advance", Some(json!({ "by": "1m" }))).expect(200);
        create(&server, &format!("{number:02}"));
    }
    server
}

fn list(server: &Server, query: &str) -> Json {
    server.api("GET", &format!("/customers?{query}"), None).expect(200).json()
}

fn window(list: &Json) -> [Json; 6] {
    ["current_page", "from", "to", "last_page", "per_page", "total"].map(|key| list["meta"][key].clone())
}

#[test]
fn list_has_fifteen_on_a_page_unless_told_otherwise() {
    let server = crowded(15);
    let first = list(&server, "");
    assert_eq!(window(&first), [json!(1), json!(1), json!(15), json!(2), json!(15), json!(17)]);
    assert_eq!(names(&first)[..3], ["Reportei Customer 1", "Reportei Customer 2", "00"]);
    let second = list(&server, "page=2");
    assert_eq!(window(&second), [json!(2), json!(16), json!(17), json!(2), json!(15), json!(17)]);
    assert_eq!(names(&second), ["13", "14"]);
}

#[test]
fn list_takes_per_page_from_1_to_100() {
    let server = crowded(5);
    for (query, shown, expected) in [
        ("per_page=1", 1, [json!(1), json!(1), json!(1), json!(7), json!(1), json!(7)]),
        ("per_page=3", 3, [json!(1), json!(1), json!(3), json!(3), json!(3), json!(7)]),
        ("per_page=3&page=3", 1, [json!(3), json!(7), json!(7), json!(3), json!(3), json!(7)]),
        ("per_page=7", 7, [json!(1), json!(1), json!(7), json!(1), json!(7), json!(7)]),
        ("per_page=100", 7, [json!(1), json!(1), json!(7), json!(1), json!(100), json!(7)]),
    ] {
        let list = list(&server, query);
        assert_eq!((window(&list), names(&list).len()), (expected, shown), "{query}");
    }
}

#[test]
fn list_pages_together_hold_everybody_once() {
    let server = crowded(9);
    for size in [1, 2, 4, 11] {
        let mut seen = Vec::new();
        let last = list(&server, &format!("per_page={size}"))["meta"]["last_page"].as_u64().unwrap();
        for page in 1..=last {
            let list = list(&server, &format!("per_page={size}&page={page}"));
            seen.extend(names(&list).into_iter().map(str::to_owned));
        }
        let whole = list(&server, "per_page=100");
        assert_eq!(seen, names(&whole), "pages of {size}");
    }
}

#[test]
fn list_beyond_the_last_page_is_empty_with_from_and_to_null() {
    let server = start();
    for page in ["2", "1000", "9223372036854775807"] {
        let list = list(&server, &format!("page={page}"));
        assert_eq!(list["data"], json!([]));
        let number: u64 = page.parse().unwrap();
        assert_eq!(window(&list), [json!(number), Json::Null, Json::Null, json!(1), json!(15), json!(2)]);
    }
}

#[test]
fn list_without_customers_has_one_empty_page() {
    let server = start();
    server.api_as(ACME, "DELETE", &format!("/customers/{FOREIGN}"), None).expect(200);
    let list = server.api_as(ACME, "GET", "/customers", None).expect(200).json();
    assert_eq!(list["data"], json!([]));
    assert_eq!(window(&list), [json!(1), Json::Null, Json::Null, json!(1), json!(15), json!(0)]);
}

#[test]
fn list_sorts_by_every_field_in_both_directions() {
    let server = crowded(6);
    // Names and payment status that do not follow the order of creation.
    let all = list(&server, "per_page=100")["data"].as_array().unwrap().clone();
    for (customer, name) in all.iter().zip(["f", "b", "a", "g", "c", "h", "e", "d"]) {
        server.control("POST", "/clock/advance", Some(json!({ "by": "1m" }))).expect(200);
        let path = format!("/customers/{}", text(customer, "uuid"));
        server.api("PUT", &path, Some(json!({ "name": name }))).expect(200);
        if ["a", "c", "h"].contains(&name) {
            server
                .api("POST", &format!("{path}/update-payment-status"), Some(json!({ "is_paying": true })))
                .expect(200);
        }
    }
    let created = list(&server, "per_page=100")["data"].as_array().unwrap().clone();
    for field in KEYS {
        let value = |customer: &Json| match &customer[field] {
            Json::Bool(bool) => bool.to_string(),
            other => other.as_str().unwrap().to_owned(),
        };
        // Equal values keep the order of creation, whichever way the list is sorted.
        let mut ascending = created.clone();
        ascending.sort_by_key(value);
        let mut descending = created.clone();
        descending.sort_by_key(|customer| std::cmp::Reverse(value(customer)));
        for (query, expected, word) in [
            (format!("sortBy={field}"), &ascending, false),
            (format!("sortBy={field}&descending=false"), &ascending, false),
            (format!("sortBy={field}&descending=true"), &descending, true),
            (format!("sortBy={field}&descending=1"), &descending, true),
        ] {
            let list = list(&server, &query);
            assert_eq!(list["data"].as_array().unwrap(), expected, "{query}");
            assert_eq!((&list["meta"]["sortBy"], &list["meta"]["descending"]), (&json!(field), &json!(word)));
            let page = self::list(&server, &format!("{query}&per_page=3&page=2"));
            assert_eq!(page["data"].as_array().unwrap(), &expected[3..6], "{query}, second page of three");
        }
    }
}

#[test]
fn list_descending_alone_turns_the_order_of_creation() {
    let server = crowded(2);
    let list = list(&server, "descending=true");
    assert_eq!(names(&list), ["01", "00", "Reportei Customer 2", "Reportei Customer 1"]);
    assert_eq!((&list["meta"]["sortBy"], &list["meta"]["descending"]), (&Json::Null, &json!(true)));
}

#[test]
fn list_refuses_numbers_and_fields_that_cannot_be() {
    let server = start();
    for (query, field, message) in [
        ("per_page=0", "per_page", "The per page field must be at least 1."),
        ("per_page=-1", "per_page", "The per page field must be at least 1."),
        ("per_page=101", "per_page", "The per page field must not be greater than 100."),
        ("per_page=1000000000", "per_page", "The per page field must not be greater than 100."),
        ("per_page=1e9", "per_page", "The per page field must be an integer."),
        ("per_page=1.5", "per_page", "The per page field must be an integer."),
        ("per_page=abc", "per_page", "The per page field must be an integer."),
        ("per_page=", "per_page", "The per page field must be an integer."),
        ("per_page=99999999999999999999", "per_page", "The per page field must be an integer."),
        ("page=0", "page", "The page field must be at least 1."),
        ("page=abc", "page", "The page field must be an integer."),
        ("sortBy=api_token", "sortBy", "The selected sortBy is invalid."),
        ("sortBy=merchant_uuid", "sortBy", "The selected sortBy is invalid."),
        ("sortBy=Name", "sortBy", "The selected sortBy is invalid."),
        ("descending=down", "descending", "The descending field must be true or false."),
    ] {
        let body = server.api("GET", &format!("/customers?{query}"), None).expect(422).json();
        assert_eq!(body, json!({ "message": message, "errors": { field: [message] } }), "{query}");
    }
    let both = server.api("GET", "/customers?per_page=0&sortBy=x", None).expect(422).json();
    assert_eq!(keys(&both["errors"]).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["per_page", "sortBy"]));
}

#[test]
fn list_takes_the_last_of_a_parameter_given_twice() {
    let server = start();
    assert_eq!(list(&server, "per_page=1&per_page=2")["meta"]["per_page"], 2);
}

// ---- what a request may hold ----

#[test]
fn name_must_be_a_text_that_is_not_blank() {
    let server = start();
    let before = server.world();
    let required = "The name field is required.";
    let text = "The name field must be a string.";
    let object = "The request body must be an object.";
    for (body, field, message) in [
        (json!({}), "name", required),
        (json!({ "name": "" }), "name", required),
        (json!({ "name": " \t\n" }), "name", required),
        (json!({ "Name": "x" }), "name", required),
        (json!({ "name": null }), "name", text),
        (json!({ "name": 7 }), "name", text),
        (json!({ "name": ["x"] }), "name", text),
        (json!({ "name": { "a": 1 } }), "name", text),
        (json!([]), "body", object),
        (json!("name"), "body", object),
        (json!(null), "body", object),
    ] {
        for (method, path) in [("POST", "/customers".to_owned()), ("PUT", format!("/customers/{FIRST}"))] {
            let answer = server.api(method, &path, Some(body.clone())).expect(422);
            assert_eq!(answer.json(), json!({ "message": message, "errors": { field: [message] } }), "{method} {body}");
        }
    }
    assert_eq!(server.world(), before);
}

#[test]
fn is_paying_must_be_a_boolean() {
    let server = start();
    let before = server.world();
    let message = "The is paying field must be true or false.";
    for value in [json!("true"), json!(1), json!(0), json!(null), json!([])] {
        let body = server
            .api("POST", &format!("/customers/{FIRST}/update-payment-status"), Some(json!({ "is_paying": value })))
            .expect(422);
        assert_eq!(body.json(), json!({ "message": message, "errors": { "is_paying": [message] } }), "{value}");
    }
    let required = "The is paying field is required.";
    let body = server.api("POST", &format!("/customers/{FIRST}/update-payment-status"), Some(json!({}))).expect(422);
    assert_eq!(body.json(), json!({ "message": required, "errors": { "is_paying": [required] } }));
    assert_eq!(server.world(), before);
}

#[test]
fn unknown_keys_of_a_body_are_ignored() {
    let server = start();
    let body = json!({ "name": "x", "uuid": FIRST, "is_paying": true, "api_token": "mine", "merchant_uuid": UNKNOWN });
    let made = server.api("POST", "/customers", Some(body)).expect(201).json()["customer"].clone();
    assert_ne!(made["uuid"], FIRST);
    assert_ne!(made["api_token"], "mine");
    assert_eq!((&made["is_paying"], &made["merchant"]), (&json!(false), &json!("Reportei")));
}

/// Uuids are ids, and ids are compared as texts; the vendor writes them in lower case.
#[test]
fn a_uuid_that_is_unknown_or_malformed_is_404() {
    let server = start();
    for id in [UNKNOWN, "1", "not-a-uuid", &FIRST[1..], &format!("{FIRST}0"), "%20", "null", "{$uuid}", "%7B$uuid%7D"] {
        for (method, rest, body) in [
            ("GET", "", None),
            ("DELETE", "", None),
            ("PUT", "", Some(json!({ "name": "x" }))),
            ("POST", "/update-payment-status", Some(json!({ "is_paying": true }))),
        ] {
            let answer = server.api(method, &format!("/customers/{id}{rest}"), body).expect(404);
            assert_eq!(answer.json(), json!({ "message": "Customer not found." }), "{method} {id}");
        }
    }
}

#[test]
fn the_word_bearer_is_read_ignoring_case() {
    let server = start();
    for scheme in ["bearer", "BEARER"] {
        server
            .call("GET", "/customers", &[("authorization", &format!("{scheme} reportei-test-token"))], "")
            .expect(200);
    }
}

//! Section 2: defects of the page, by their numbers.

use super::*;

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

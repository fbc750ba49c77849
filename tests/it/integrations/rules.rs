//! Sentences about conventions, errors and state.

use super::*;

/// Every call of the API on integrations and metrics, with what a customer who may make it sends.
fn calls(server: &Server, customer: &Customer, integration: &str) -> Vec<(&'static str, String, Option<Json>)> {
    let session = customer.session(server);
    let id = text(&session, "session_uuid");
    vec![
        ("POST", "/customer-integrations/session".to_owned(), None),
        ("GET", "/customer-integrations".to_owned(), None),
        ("GET", format!("/customer-integrations/{integration}"), None),
        ("POST", "/metrics/get-data".to_owned(), Some(question(integration))),
        ("DELETE", format!("/customer-integrations/{integration}?session_id={id}"), None),
    ]
}

#[test]
fn rule_every_call_needs_the_merchants_token_and_these_the_customers_too() {
    let server = start();
    let customer = Customer::seed(FIRST);
    for (method, path, body) in calls(&server, &customer, SHOWN) {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let token = ("x-customer-token", customer.token.as_str());
        refused(&server.call(method, &path, &[token, JSON], &body), 401, "Unauthenticated.");
        if method != "DELETE" {
            refused(&server.call(method, &path, &[REPORTEI, JSON], &body), 401, "Invalid Customer Token");
        }
        refused(&server.call(method, &path, &[ACME, token, JSON], &body), 401, "Invalid Customer Token");
        server.call(method, &path, &[REPORTEI, token, JSON], &body).expect(200);
    }
}

#[test]
fn rule_timestamps_have_no_zone_and_a_sessions_expiry_has_six_digits_and_z() {
    let server = start();
    let customer = Customer::made(&server);
    server.control("PUT", "/clock", Some(json!({ "now": "2024-10-03T01:02:03.000040Z" }))).expect(200);
    let id = customer.connects(&server, "facebook");
    let shown = customer.get(&server, &format!("/customer-integrations/{id}")).expect(200).json();
    assert_eq!(text(&shown["customer_integration"], "created_at"), "2024-10-03 01:02:03");
    assert_eq!(text(&customer.session(&server), "expires_at"), "2024-10-03T01:07:03.000040Z");
}

#[test]
fn rule_the_link_is_401_once_the_session_has_run_out() {
    let server = start();
    let session = Customer::seed(FIRST).session(&server);
    let link = &session["session_link"];
    advance(&server, "4m 59s");
    open(&server, link).expect(200);
    advance(&server, "1s");
    for _ in 0..2 {
        let page = open(&server, link).expect(401);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.text().contains("This session has run out"), "{page}");
        advance(&server, "1d");
    }
    // Time is compared: back in its five minutes the session is what it was.
    server.control("PUT", "/clock", Some(json!({ "now": "2024-10-01T17:20:11.999999Z" }))).expect(200);
    open(&server, link).expect(200);
}

#[test]
fn rule_after_the_trial_integrations_and_metrics_are_401_and_customers_go_on() {
    let server = start();
    let customer = Customer::made(&server);
    let integration = customer.connects(&server, "instagram_business");
    advance(&server, "6 days 23h 59m 59s");
    let calls = calls(&server, &customer, &integration);
    let page = customer.session(&server)["session_link"].clone();
    for (method, path, body) in calls.iter().filter(|(method, _, _)| *method != "DELETE") {
        customer.call(&server, method, path, body.clone()).expect(200);
    }
    open(&server, &page).expect(200);
    advance(&server, "1s");
    let watch = server.watch();
    for (method, path, body) in calls {
        refused(&customer.call(&server, method, &path, body), 401, TRIAL_ENDED);
    }
    let page = open(&server, &page).expect(401);
    assert!(page.text().contains("The trial has ended"), "{page}");
    watch.unharmed();
    let own = format!("/customers/{}", customer.uuid);
    for path in ["/customers", &own, "/customers/settings", "/merchants/settings"] {
        customer.get(&server, path).expect(200);
    }
    customer.call(&server, "PUT", &own, Some(json!({ "name": "Later" }))).expect(200);
}

#[test]
fn rule_paying_lifts_the_block_and_not_paying_brings_it_back() {
    let server = start();
    let customer = Customer::made(&server);
    let integration = customer.connects(&server, "facebook");
    advance(&server, "7d");
    let path = format!("/customer-integrations/{integration}");
    for _ in 0..2 {
        refused(&customer.get(&server, &path), 401, TRIAL_ENDED);
        customer.pays(&server, true);
        customer.get(&server, &path).expect(200);
        customer.call(&server, "POST", "/metrics/get-data", Some(question(&integration))).expect(200);
        customer.pays(&server, false);
    }
    refused(&customer.get(&server, &path), 401, TRIAL_ENDED);
}

/// Whether a customer pays does not shorten its trial.
#[test]
fn rule_within_the_trial_paying_changes_nothing() {
    let server = start();
    let customer = Customer::made(&server);
    for is_paying in [true, false] {
        customer.pays(&server, is_paying);
        customer.session(&server);
    }
}

#[test]
fn rule_an_integration_that_is_not_active_becomes_so_by_reconnecting_only() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let status = || {
        let body = customer.get(&server, &format!("/customer-integrations/{SHOWN}")).expect(200).json();
        body["customer_integration"]["status"].as_str().unwrap().to_owned()
    };
    for (event, after) in [("revoke", "revoked"), ("expire", "expired")] {
        fire(&server, event, json!({ "uuid": SHOWN }));
        assert_eq!(status(), after);
        // Time, sessions and payments do not help.
        advance(&server, "1h");
        open(&server, &customer.session(&server)["session_link"]).expect(200);
        customer.pays(&server, true);
        assert_eq!(status(), after);
        fire(&server, "reconnect", json!({ "uuid": SHOWN }));
        assert_eq!(status(), "active");
    }
}

#[test]
fn rule_no_call_of_the_api_makes_an_integration() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let body = json!({ "integration": { "slug": "facebook" }, "network": "facebook" });
    for (method, path) in [
        ("POST", "/customer-integrations".to_owned()),
        ("PUT", format!("/customer-integrations/{SHOWN}")),
        ("PATCH", format!("/customer-integrations/{SHOWN}")),
    ] {
        customer.call(&server, method, &path, Some(body.clone())).problem(405, "method-not-allowed");
    }
    assert_eq!(server.world()["integration"]["total"], 3);
}

#[test]
fn rule_a_deleted_customer_takes_its_sessions_with_it() {
    let server = start();
    let customer = Customer::made(&server);
    let session = customer.session(&server);
    server.api("DELETE", &format!("/customers/{}", customer.uuid), None).expect(200);
    open(&server, &session["session_link"]).expect(404);
    assert_eq!(server.world()["session"]["total"], 0);
}

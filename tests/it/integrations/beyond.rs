//! What other pages of the vendor say.

use super::*;

#[test]
fn beyond_3_1_accept_json_is_sent_with_every_call_and_changes_nothing() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let path = format!("/customer-integrations/{SHOWN}");
    let plain = customer.get(&server, &path).expect(200);
    for accept in ["application/json", "*/*", "text/html", "application/xml"] {
        let headers = [REPORTEI, ("x-customer-token", customer.token.as_str()), ("Accept", accept)];
        assert_eq!(server.call("GET", &path, &headers, "").expect(200).body, plain.body);
    }
}

/// The newer collection deletes with `session_id` alone; a customer's token is looked at when it is there.
#[test]
fn beyond_3_1_the_session_alone_deletes() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let session = customer.session(&server);
    let path = format!("/customer-integrations/{SHOWN}?session_id={}", text(&session, "session_uuid"));
    let wrong = server.call("DELETE", &path, &[REPORTEI, ("x-customer-token", "nobody")], "");
    refused(&wrong, 401, "Invalid Customer Token");
    server.api("DELETE", &path, None).expect(200);
}

#[test]
fn beyond_3_3_every_error_has_a_message() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let nobody = Customer { uuid: FIRST.to_owned(), token: "nobody".to_owned() };
    let path = format!("/customer-integrations/{SHOWN}");
    fire(&server, "revoke", json!({ "uuid": SHOWN }));
    for (answer, status) in [
        (server.call("GET", &path, &[], ""), 401),
        (nobody.get(&server, &path), 401),
        (customer.get(&server, &format!("/customer-integrations/{SETTINGS}")), 404),
        (customer.call(&server, "DELETE", &path, None), 401),
        (customer.call(&server, "POST", "/customer-integrations/session", Some(json!({ "redirect_url": "x" }))), 422),
        (customer.call(&server, "POST", "/metrics/get-data", Some(json!({}))), 422),
        (customer.call(&server, "POST", "/metrics/get-data", Some(question(SHOWN))), 422),
    ] {
        let answer = answer.expect(status);
        assert!(answer.json()["message"].is_string(), "{answer}");
    }
}

#[test]
fn beyond_3_4_and_3_5_merchant_settings_show_limits_as_texts_customers_and_networks() {
    let server = start();
    let body = server.api("GET", "/merchants/settings", None).expect(200).json();
    let merchant = &body["merchant"];
    assert_eq!(
        keys(merchant),
        [
            "uuid",
            "name",
            "app_url",
            "redirect_url",
            "created_at",
            "updated_at",
            "rate_limit_per_minute",
            "rate_limit_per_second",
            "total_customers",
            "available_integrations"
        ]
    );
    assert_eq!((text(merchant, "rate_limit_per_minute"), text(merchant, "rate_limit_per_second")), ("999", "999"));
    assert_eq!(merchant["total_customers"], 2);
    Customer::made(&server);
    assert_eq!(server.api("GET", "/merchants/settings", None).json()["merchant"]["total_customers"], 3);
    let other = server.api_as(ACME, "GET", "/merchants/settings", None).expect(200).json();
    assert_eq!((&other["merchant"]["name"], &other["merchant"]["total_customers"]), (&json!("Acme"), &json!(1)));
    assert!(!other.to_string().contains("test-token"), "{other}");
}

#[test]
fn beyond_3_5_integrations_are_listed_a_page_at_a_time_and_filtered() {
    let server = start();
    let customer = Customer::made(&server);
    let made: Vec<String> =
        ["facebook", "facebook_ads", "google_analytics"].map(|network| customer.connects(&server, network)).into();
    fire(&server, "expire", json!({ "uuid": made[1] }));
    let list = |query: &str| {
        let body = customer.get(&server, &format!("/customer-integrations{query}")).expect(200).json();
        let ids = body["data"].as_array().unwrap().iter().map(|item| text(item, "uuid").to_owned()).collect::<Vec<_>>();
        (ids, body["meta"].clone())
    };
    let (all, meta) = list("");
    assert_eq!(all, made);
    assert_eq!(
        keys(&meta),
        ["current_page", "from", "last_page", "path", "per_page", "to", "total", "sortBy", "descending"]
    );
    assert_eq!(meta["path"], json!(format!("{}/api/customer-integrations", server.url())));
    let (page, meta) = list("?per_page=2&page=2");
    assert_eq!(page, made[2..]);
    assert_eq!(
        [&meta["from"], &meta["to"], &meta["last_page"], &meta["total"]],
        [&json!(3), &json!(3), &json!(2), &json!(3)]
    );
    assert_eq!(list("?status=expired").0, made[1..2]);
    assert_eq!(list("?status=revoked").0, Vec::<String>::new());
    assert_eq!(list("?source_name=reportei&status=active").0, [made[0].clone(), made[2].clone()]);
    assert_eq!(list("?source_name=other").0, Vec::<String>::new());
    let (beyond, meta) = list("?page=9");
    assert_eq!((beyond.len(), &meta["from"], &meta["to"]), (0, &Json::Null, &Json::Null));
    customer.get(&server, "/customer-integrations?status=synchronizing").expect(422);
}

#[test]
fn beyond_3_6_four_networks_can_be_connected_by_their_slugs() {
    let server = start();
    let customer = Customer::made(&server);
    let available = server.api("GET", "/merchants/settings", None).json()["merchant"]["available_integrations"].clone();
    for network in available.as_array().unwrap() {
        let id = customer.connects(&server, text(network, "slug"));
        let shown = customer.get(&server, &format!("/customer-integrations/{id}")).expect(200).json();
        assert_eq!(shown["customer_integration"]["integration"], *network);
    }
    assert_eq!(available.as_array().unwrap().len(), 4);
    for older in ["google_analytics_4", "twitter", "google_ads", "rd_station"] {
        let input = json!({ "customer_uuid": customer.uuid, "network": older });
        server.control("POST", "/events/reportei/connect", Some(input)).problem(422, "event-invalid");
    }
}

/// Options that came after the pages are ignored, not refused, and an answer has none of them.
#[test]
fn beyond_3_7_later_options_of_a_session_are_ignored() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let body = json!({
        "locale": "pt_br", "expires_in_minutes": 60, "close_on_finish": true,
        "enable_multi_account_selection": true, "limits": [{ "name": "integration_count", "value": 1 }],
    });
    let answer = customer.call(&server, "POST", "/customer-integrations/session", Some(body)).expect(200).json();
    let session = &answer["integration_session"];
    assert_eq!(text(session, "expires_at"), "2024-10-01T17:20:12.000000Z");
    assert_eq!(keys(session).len(), 8);
}

/// An earlier text of the page gave 403 for a link that ran out; later texts of other pages changed the message of the
/// payment status. The pages that the pack is about say otherwise.
#[test]
fn beyond_3_7_what_changed_before_and_after_the_pages_is_not_taken_up() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let session = customer.session(&server);
    advance(&server, "5m");
    open(&server, &session["session_link"]).expect(401);
    let path = format!("/customers/{FIRST}/update-payment-status");
    let paid = server.api("POST", &path, Some(json!({ "is_paying": true }))).expect(200).json();
    assert_eq!(paid["message"], "Customer is now marked as a paying customer");
}

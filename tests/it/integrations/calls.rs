//! The rows of the tables of calls.

use super::*;

#[test]
fn call_create_session_gives_the_link_for_five_minutes() {
    let server = start();
    let customer = Customer::seed(SECOND);
    server.control("PUT", "/clock", Some(json!({ "now": "2024-10-02T06:09:50.898761Z" }))).expect(200);
    let body = json!({ "redirect_url": "https://reportei.com/dashboard" });
    let answer = customer.call(&server, "POST", "/customer-integrations/session", Some(body)).expect(200);
    assert_eq!(answer.header("standin-operation"), Some("reportei/customer-integrations/create-session"));
    let body = answer.json();
    let session = &body["integration_session"];
    assert_eq!(
        keys(session),
        [
            "session_uuid",
            "session_link",
            "expires_at",
            "merchant",
            "merchant_uuid",
            "customer",
            "customer_uuid",
            "redirect_url"
        ]
    );
    assert_eq!(text(session, "expires_at"), "2024-10-02T06:14:50.898761Z");
    assert_eq!((text(session, "customer"), text(session, "customer_uuid")), ("Reportei Customer 2", SECOND));
    assert_eq!(
        (text(session, "merchant"), text(session, "merchant_uuid")),
        ("Reportei", "c1e6c85a-6441-4107-ab36-b8bf581b40e0")
    );
    assert_eq!(text(session, "redirect_url"), "https://reportei.com/dashboard");
    let link = format!("{}/customer-integrations/session/{}", server.url(), text(session, "session_uuid"));
    assert_eq!(text(session, "session_link"), link);
}

#[test]
fn call_create_session_makes_another_session_each_time() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let [one, two] = [customer.session(&server), customer.session(&server)];
    assert_ne!(one["session_uuid"], two["session_uuid"]);
    // The first goes on being valid.
    open(&server, &one["session_link"]).expect(200);
    open(&server, &two["session_link"]).expect(200);
}

#[test]
fn call_session_page_shows_what_is_connected_and_what_can_be() {
    let server = start();
    let customer = Customer::made(&server);
    let body = json!({ "redirect_url": "https://app.example/done?a=1&b=2" });
    let session = customer.call(&server, "POST", "/customer-integrations/session", Some(body)).expect(200).json();
    let link = &session["integration_session"]["session_link"];
    let page = open(&server, link).expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("standin-contract"), Some("documented; body=assumed"));
    let page = page.text();
    assert!(page.contains("Nothing is connected yet."), "{page}");
    for network in ["Instagram Business", "Facebook", "Meta Ads", "Google Analytics"] {
        assert!(page.contains(&format!("<h3>{network}</h3>")), "{network}: {page}");
    }
    assert!(
        page.contains(
            "<a class=\"button\" href=\"https:&#x2f;&#x2f;app.example&#x2f;done?a=1&amp;b=2\">Back to Reportei</a>"
        ),
        "{page}"
    );
    let integration = customer.connects(&server, "facebook_ads");
    let page = open(&server, link).expect(200).text();
    assert!(page.contains(&integration) && shows(&page, "Meta Ads", "active"), "{page}");
    assert!(!page.contains(SHOWN), "integrations of others are not shown: {page}");
    assert!(!page.contains("network-facebook_ads") && page.contains("network-facebook\""), "the others are: {page}");
    fire(&server, "revoke", json!({ "uuid": integration }));
    let page = open(&server, link).expect(200).text();
    assert!(shows(&page, "Meta Ads", "revoked") && page.contains("needs attention"), "{page}");
}

#[test]
fn call_session_page_says_when_every_network_is_connected() {
    let server = start();
    let customer = Customer::made(&server);
    let link = customer.session(&server)["session_link"].clone();
    for network in ["instagram_business", "facebook", "facebook_ads", "google_analytics"] {
        assert!(!open(&server, &link).expect(200).text().contains("is connected."));
        customer.connects(&server, network);
    }
    let page = open(&server, &link).expect(200).text();
    assert!(page.contains("Every network that Reportei offers is connected."), "{page}");
}

#[test]
fn call_session_page_has_no_button_without_redirect_url() {
    let server = start();
    let page = open(&server, &Customer::seed(FIRST).session(&server)["session_link"]).expect(200).text();
    assert!(!page.contains("Back to Reportei") && page.contains("</footer>"), "{page}");
}

#[test]
fn call_show_integration_gives_the_six_members() {
    let server = start();
    let body = Customer::seed(FIRST).get(&server, &format!("/customer-integrations/{SHOWN}")).expect(200).json();
    assert_eq!(
        body,
        json!({ "customer_integration": {
            "uuid": SHOWN, "source_name": "reportei", "status": "active",
            "created_at": "2024-09-24 17:08:08", "updated_at": "2024-09-24 17:08:08",
            "integration": { "name": "Instagram Business", "slug": "instagram_business" },
        } })
    );
    assert_eq!(
        keys(&body["customer_integration"]),
        ["uuid", "source_name", "status", "created_at", "updated_at", "integration"]
    );
}

#[test]
fn call_delete_integration_needs_a_valid_session_and_takes_it_away() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let session = customer.session(&server);
    let path = format!("/customer-integrations/{SHOWN}?session_id={}", text(&session, "session_uuid"));
    let answer = customer.call(&server, "DELETE", &path, None).expect(200);
    assert_eq!(answer.json(), json!({ "success": true, "message": "Record successfully removed" }));
    refused(&customer.get(&server, &format!("/customer-integrations/{SHOWN}")), 404, "Customer integration not found.");
    let settings = customer.get(&server, "/customers/settings").expect(200).json();
    assert_eq!(settings["customer"]["integrations"], json!([]));
    // What it had measured went with it, and the session did not.
    assert_eq!(server.world()["measurement"]["total"], 0);
    refused(&customer.call(&server, "DELETE", &path, None), 404, "Customer integration not found.");
    open(&server, &session["session_link"]).expect(200);
}

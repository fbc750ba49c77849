//! What customers and networks do without calling the API.

use super::*;

#[test]
fn connect_makes_an_active_integration_of_that_customer() {
    let server = start();
    let customer = Customer::made(&server);
    advance(&server, "1h");
    let entry = fire(&server, "connect", json!({ "customer_uuid": customer.uuid, "network": "google_analytics" }));
    assert_eq!((&entry["kind"], &entry["event"]), (&json!("event"), &json!("connect")));
    let id = text(&entry["changes"][0], "id").to_owned();
    assert_eq!(entry["changes"], json!([{ "verb": "create", "resource": "integration", "id": id }]));
    let shown = customer.get(&server, &format!("/customer-integrations/{id}")).expect(200).json();
    assert_eq!(
        shown["customer_integration"],
        json!({
            "uuid": id, "source_name": "reportei", "status": "active",
            "created_at": "2024-10-01 18:15:12", "updated_at": "2024-10-01 18:15:12",
            "integration": { "name": "Google Analytics", "slug": "google_analytics" },
        })
    );
    let settings = customer.get(&server, "/customers/settings").expect(200).json();
    assert_eq!(settings["customer"]["integrations"][0]["integration"], "Google Analytics");
}

/// The pages show two integrations of the same network, so a second one is no mistake.
#[test]
fn connect_twice_makes_two() {
    let server = start();
    let customer = Customer::made(&server);
    assert_ne!(customer.connects(&server, "facebook"), customer.connects(&server, "facebook"));
    let list = customer.get(&server, "/customer-integrations").expect(200).json();
    assert_eq!(list["meta"]["total"], 2);
}

#[test]
fn reconnect_keeps_the_id_and_says_when() {
    let server = start();
    let customer = Customer::seed(FIRST);
    fire(&server, "expire", json!({ "uuid": SHOWN }));
    advance(&server, "2h");
    let entry = fire(&server, "reconnect", json!({ "uuid": SHOWN }));
    assert_eq!(entry["changes"], json!([{ "verb": "update", "resource": "integration", "id": SHOWN }]));
    let shown = customer.get(&server, &format!("/customer-integrations/{SHOWN}")).expect(200).json();
    let integration = &shown["customer_integration"];
    assert_eq!((text(integration, "status"), text(integration, "updated_at")), ("active", "2024-10-01 19:15:12"));
    assert_eq!(text(integration, "created_at"), "2024-09-24 17:08:08");
}

/// A merchant that offers less: its customers connect what is offered.
#[test]
fn connect_offers_what_the_merchant_offers() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let merchant = "/state/reportei/merchant/c1e6c85a-6441-4107-ab36-b8bf581b40e0";
    let offer = json!({ "available_integrations": [{ "name": "Facebook Pages", "slug": "facebook" }] });
    server.control("PATCH", merchant, Some(offer)).expect(200);
    let id = customer.connects(&server, "facebook");
    let shown = customer.get(&server, &format!("/customer-integrations/{id}")).expect(200).json();
    assert_eq!(shown["customer_integration"]["integration"]["name"], "Facebook Pages");
    let watch = server.watch();
    let input = json!({ "customer_uuid": customer.uuid, "network": "google_analytics" });
    server.control("POST", "/events/reportei/connect", Some(input)).problem(409, "event-refused");
    watch.unharmed();
}

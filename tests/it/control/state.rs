//! Records and events.

use super::*;

// ---- state ----

fn record(name: &str) -> Json {
    json!({
        "name": name, "created_at": "2024-09-01 00:00:00", "updated_at": "2024-09-01 00:00:00", "trial_ends_at": "2024-09-08 00:00:00",
        "is_paying": false, "merchant": "Reportei", "merchant_uuid": REPORTEI_MERCHANT,
    })
}

#[test]
fn records_are_made_read_replaced_changed_and_deleted() {
    let server = start();
    let path = "/state/reportei/customer";
    let made = server.control("POST", &format!("{path}?secrets=show"), Some(record("Made"))).expect(201).json();
    let uuid = made["uuid"].as_str().unwrap();
    let own = format!("{path}/{uuid}");
    assert_eq!(made["api_token"], json!(format!("token-{uuid}")), "a default of the pack");
    assert_eq!(server.control("GET", &format!("{own}?secrets=show"), None).expect(200).json(), made);
    assert_eq!(server.api("GET", &format!("/customers/{uuid}"), None).expect(200).json()["customer"]["name"], "Made");

    let patched = server
        .control("PATCH", &own, Some(json!({ "is_paying": true, "trial_ends_at": "2024-10-01 17:15:12" })))
        .expect(200)
        .json();
    assert_eq!(
        (&patched["is_paying"], &patched["trial_ends_at"], &patched["name"]),
        (&json!(true), &json!("2024-10-01 17:15:12"), &json!("Made"))
    );
    let put = server.control("PUT", &own, Some(record("Put"))).expect(200).json();
    assert_eq!((&put["is_paying"], &put["uuid"], &put["name"]), (&json!(false), &json!(uuid), &json!("Put")));
    server.control("DELETE", &own, None).expect(204);
    server.control("DELETE", &own, None).problem(404, "record-unknown");
    server.api("GET", &format!("/customers/{uuid}"), None).expect(404);

    let chosen = "11111111-1111-4111-8111-111111111111";
    server.control("PUT", &format!("{path}/{chosen}"), Some(record("Chosen"))).expect(200);
    assert_eq!(
        server.api("GET", &format!("/customers/{chosen}"), None).expect(200).json()["customer"]["name"],
        "Chosen"
    );
}

#[test]
fn records_are_listed_in_pieces_in_the_order_of_their_making() {
    let server = start();
    for number in 0..4 {
        server.control("POST", "/state/reportei/customer", Some(record(&number.to_string()))).expect(201);
    }
    let mut names = Vec::new();
    let mut after = json!(0);
    while !after.is_null() {
        let piece =
            server.control("GET", &format!("/state/reportei/customer?limit=3&after={after}"), None).expect(200).json();
        assert_eq!(piece["total"], 7);
        names.extend(
            piece["records"].as_array().unwrap().iter().map(|record| record["name"].as_str().unwrap().to_owned()),
        );
        after = piece["next"].clone();
    }
    assert_eq!(names, ["Reportei Customer 1", "Reportei Customer 2", "Acme Customer 1", "0", "1", "2", "3"]);
}

/// The control plane may move a record to another owner: then that owner sees it.
#[test]
fn a_record_that_changes_its_owner_changes_its_list() {
    let server = start();
    let acme = "2f9d6b1c-8e4a-4c7d-9b35-6a1f0e2d3c4b";
    server
        .control(
            "PATCH",
            &format!("/state/reportei/customer/{FIRST}"),
            Some(json!({ "merchant_uuid": acme, "merchant": "Acme" })),
        )
        .expect(200);
    assert_eq!(names(&server.api("GET", "/customers", None)), ["Reportei Customer 2"]);
    let mut theirs = names(&server.api_as(ACME, "GET", "/customers", None));
    theirs.sort();
    assert_eq!(theirs, ["Acme Customer 1", "Reportei Customer 1"]);
    server.api("GET", &format!("/customers/{FIRST}"), None).expect(404);
}

/// A credential is a field like any other: change it, and the old one is void.
#[test]
fn a_changed_credential_takes_the_place_of_the_old_one() {
    let server = start();
    server
        .control(
            "PATCH",
            &format!("/state/reportei/merchant/{REPORTEI_MERCHANT}"),
            Some(json!({ "access_token": "rotated" })),
        )
        .expect(200);
    server.api("GET", "/customers", None).expect(401);
    server.call("GET", "/customers", &[("Authorization", "Bearer rotated")], "").expect(200);
}

#[test]
fn deleting_a_merchant_takes_everything_it_owns() {
    let server = start();
    server.control("DELETE", &format!("/state/reportei/merchant/{REPORTEI_MERCHANT}"), None).expect(204);
    server.api("GET", "/customers", None).expect(401);
    let world = server.world();
    assert_eq!(
        ["merchant", "customer", "integration", "session", "measurement"].map(|resource| &world[resource]["total"]),
        [&json!(1), &json!(1), &json!(1), &json!(0), &json!(0)]
    );
    let entry = &server.control("GET", "/log", None).json()["records"][0];
    // The merchant, two customers with an integration each, and three measurements of one of them.
    assert_eq!(entry["changes"].as_array().unwrap().len(), 8, "{entry:#}");
}

// ---- events ----

#[test]
fn events_are_listed_with_their_parameters() {
    let server = start();
    let list = server.control("GET", "/events", None).expect(200).json();
    let names: Vec<&str> =
        list["records"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["connect", "expire", "reconnect", "revoke"]);
    for event in list["records"].as_array().unwrap() {
        let (parameters, path) = (event["parameters"].as_object().unwrap(), event["path"].as_str().unwrap());
        let input = match event["name"].as_str().unwrap() {
            "connect" => json!({ "customer_uuid": SECOND, "network": parameters["network"]["enum"][1] }),
            _ => json!({ "uuid": INTEGRATION }),
        };
        assert!(parameters.keys().eq(input.as_object().unwrap().keys()), "{event}");
        server.call("POST", path, &[JSON], input.to_string()).expect(200);
    }
}

#[test]
fn a_parameter_that_an_event_does_not_have_is_refused() {
    let server = start();
    let input = json!({ "uuid": INTEGRATION, "uiud": INTEGRATION });
    let answer = server.control("POST", "/events/reportei/revoke", Some(input));
    answer.problem(422, "event-invalid");
    let violation = json!({ "pointer": "/uiud", "keyword": "additionalProperties", "message": "there is no such parameter: did you mean `uuid`?" });
    assert_eq!(answer.json()["violations"], json!([violation]));
}

#[test]
fn revoke_and_expire_change_what_settings_shows() {
    let server = start();
    let token = format!("token-{SECOND}");
    let status = || {
        let answer =
            server.call("GET", "/customers/settings", &[REPORTEI, ("x-customer-token", &token)], "").expect(200);
        answer.json()["customer"]["integrations"][0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(), "active");
    server.control("POST", "/clock/advance", Some(json!({ "by": "1h" }))).expect(200);
    for (event, after) in [("revoke", "revoked"), ("expire", "expired"), ("revoke", "revoked")] {
        let entry = server
            .control("POST", &format!("/events/reportei/{event}"), Some(json!({ "uuid": INTEGRATION })))
            .expect(200)
            .json();
        assert_eq!((&entry["kind"], &entry["event"]), (&json!("event"), &json!(event)));
        assert_eq!(entry["changes"], json!([{ "verb": "update", "resource": "integration", "id": INTEGRATION }]));
        assert_eq!(status(), after);
    }
    let record = server.control("GET", &format!("/state/reportei/integration/{INTEGRATION}"), None).json();
    assert_eq!(record["updated_at"], "2024-10-01 18:15:12");
    assert_eq!(record["created_at"], "2024-09-24 19:06:08");
}

//! How clients change and what they keep, and the limits.

use super::*;

#[test]
fn rule_key_and_secret_cannot_be_changed_and_a_body_that_tries_is_told() {
    let server = start();
    let made = create(&server, body());
    let key = text(&made, "clientKey");
    harmless(&server, || {
        for (field, value) in [
            ("clientKey", json!(UNKNOWN)),
            ("clientKey", json!(key)),
            ("clientKey", json!(null)),
            ("clientSecret", json!("x")),
            ("clientSecret", made["clientSecret"].clone()),
        ] {
            let message = format!("Invalid input. {field} cannot be modified.");
            invalid(&update(&server, key, with(field, value)), &[&message]);
        }
        let mut both = with("clientKey", json!("x"));
        both["clientSecret"] = json!("y");
        let words = ["Invalid input. clientKey cannot be modified.", "Invalid input. clientSecret cannot be modified."];
        invalid(&update(&server, key, both), &words);
    });
    // An update leaves them, and the secret still opens.
    assert_eq!(update(&server, key, body()).expect(200).json()["data"]["clientKey"], key);
    token(&server, &made);
}

#[test]
fn rule_after_creation_both_times_and_both_callers_are_the_same() {
    let server = start();
    let made = create(&server, body());
    let attribution = &made["attribution"];
    assert_eq!(keys(attribution), ["createdOn", "lastUpdatedOn", "lastUpdatedBy", "createdBy"]);
    assert_eq!(attribution["createdOn"], attribution["lastUpdatedOn"]);
    assert_eq!(attribution["createdBy"], attribution["lastUpdatedBy"]);
    assert_eq!(
        attribution["createdBy"],
        json!({ "id": 15_000_449, "code": "1371622280_919866643044", "description": "", "name": "Ashish Karan fd", "type": "ADMIN_USER" })
    );
}

#[test]
fn rule_update_and_delete_set_who_and_when_and_leave_the_creator() {
    let server = start();
    let till =
        json!({ "id": 50_006_796, "code": "mobilepush.1", "description": "", "name": "mobilepush.1", "type": "TILL" });
    let made = create(&server, body());
    let key = text(&made, "clientKey");
    advance(&server, "1h 1ms");
    let updated = server.api_as(TILL, "PUT", &own(key), Some(body())).expect(200).json()["data"].clone();
    advance(&server, "1d");
    let deleted = delete(&server, key).expect(200).json()["data"].clone();
    for (client, on) in [(&updated, "2024-10-01T23:45:12.001+0530"), (&deleted, "2024-10-02T23:45:12.001+0530")] {
        assert_eq!(client["attribution"]["lastUpdatedOn"], on);
        assert_eq!(client["attribution"]["createdOn"], made["attribution"]["createdOn"]);
        assert_eq!(client["attribution"]["createdBy"], made["attribution"]["createdBy"]);
    }
    assert_eq!(updated["attribution"]["lastUpdatedBy"], till);
    assert_eq!(deleted["attribution"]["lastUpdatedBy"], made["attribution"]["createdBy"]);
}

#[test]
fn rule_times_are_indian_with_milliseconds() {
    let server = start();
    for (now, written) in [
        ("2024-10-01T17:15:12Z", "2024-10-01T22:45:12.000+0530"),
        ("2020-04-15T08:44:06.104Z", "2020-04-15T14:14:06.104+0530"),
        ("2024-12-31T18:29:59.9999Z", "2024-12-31T23:59:59.999+0530"),
        ("2024-12-31T18:30:00Z", "2025-01-01T00:00:00.000+0530"),
        ("2024-02-29T00:00:00-08:00", "2024-02-29T13:30:00.000+0530"),
    ] {
        server.control("PUT", "/clock", Some(json!({ "now": now }))).expect(200);
        assert_eq!(create(&server, body())["attribution"]["createdOn"], written);
    }
}

#[test]
fn rule_update_replaces_the_scopes_and_keeps_what_is_left_out() {
    let server = start();
    let scopes = json!([
        { "entityId": 1, "permission": "READ", "resources": [] }, { "entityId": 3, "permission": "WRITE", "resources": [] },
    ]);
    let made = create(&server, with_scopes(scopes));
    let key = text(&made, "clientKey");
    let mut change = without("name");
    change.as_object_mut().unwrap().shift_remove("description");
    change["expirationTokenTime"] = json!(7);
    change["defaultTillId"] = json!(8);
    let updated = update(&server, key, change).expect(200).json()["data"].clone();
    assert_eq!(updated["scopes"], json!([{ "permission": "READWRITE", "entityId": 2 }]));
    for key in ["id", "name", "description", "clientKey", "isValid"] {
        assert_eq!(updated[key], made[key], "{key}");
    }
    assert_eq!((&updated["expirationTokenTime"], &updated["defaultTillId"]), (&json!(7), &json!(8)));
    let renamed = update(&server, key, with("name", json!("Other"))).expect(200).json()["data"].clone();
    assert_eq!((&renamed["name"], &renamed["description"]), (&json!("Other"), &json!("Sample description")));
    let described = update(&server, key, with("description", json!(""))).expect(200).json()["data"].clone();
    assert_eq!(described["description"], "");
}

#[test]
fn rule_a_deleted_client_is_read_and_nothing_else() {
    let server = start();
    let made = create(&server, body());
    let (key, secret) = (text(&made, "clientKey"), text(&made, "clientSecret"));
    let token = token(&server, &made);
    call_with(&server, &token, "GET", SCOPES, None).expect(200);
    for path in [CLIENTS, &*own(key)] {
        let answer = server.api_as(ADMIN, "GET", path, None).expect(200);
        assert_eq!(answer.header("standin-contract"), Some("documented"), "{path}");
    }
    assert_eq!(delete(&server, key).expect(200).json()["data"]["isValid"], false);
    harmless(&server, || {
        assert_eq!(show(&server, key)["isValid"], false);
        assert_eq!(list(&server).last().unwrap()["isValid"], false);
        for path in [CLIENTS, &*own(key)] {
            let answer = server.api_as(ADMIN, "GET", path, None).expect(200);
            assert_eq!(answer.header("standin-contract"), Some("assumed"), "{path}");
        }
        refused(&update(&server, key, body()), 400, 400, DELETED);
        refused(&delete(&server, key), 400, 400, DELETED);
        refused(&generate(&server, key, secret), 401, 401, NO_TOKEN);
        refused(&call_with(&server, &token, "GET", SCOPES, None), 401, 401, WRONG_TOKEN);
    });
}

#[test]
fn rule_an_org_has_at_most_fifteen_clients_and_deleted_ones_do_not_count() {
    let server = start();
    let full = "Invalid input. An org can have at most 15 API client accounts.";
    for _ in 3..15 {
        create(&server, body());
    }
    harmless(&server, || refused(&server.api_as(TILL, "POST", CLIENTS, Some(body())), 400, 400, full));
    // The other org has room; that this one is full is nothing to it.
    server.api_as(ACME, "POST", CLIENTS, Some(body())).expect(200);
    delete(&server, SECOND).expect(200);
    let made = create(&server, body());
    refused(&server.api_as(ADMIN, "POST", CLIENTS, Some(body())), 400, 400, full);
    assert_eq!(list(&server).len(), 16, "the deleted one is still listed");
    // What is there can still be changed.
    update(&server, text(&made, "clientKey"), body()).expect(200);
}

#[test]
fn rule_ids_rise_and_keys_are_never_the_same() {
    let server = start();
    let first = create(&server, body());
    delete(&server, text(&first, "clientKey")).expect(200);
    let second = create(&server, body());
    let foreign = server.api_as(ACME, "POST", CLIENTS, Some(body())).expect(200).json()["data"].clone();
    assert_eq!([&first["id"], &second["id"], &foreign["id"]], [880, 881, 882]);
    for key in ["clientKey", "clientSecret"] {
        assert_ne!(first[key], second[key]);
    }
}

#[test]
fn rule_names_need_not_be_different() {
    let server = start();
    let [one, two, other] = ["Twin", "Twin", "TWIN"].map(|name| create(&server, with("name", json!(name))));
    assert_eq!((&one["name"], &two["name"], &other["name"]), (&json!("Twin"), &json!("Twin"), &json!("TWIN")));
    update(&server, FIRST, with("name", json!("twin"))).expect(200);
}

#[test]
fn rule_orgs_do_not_see_each_other() {
    let server = start();
    let listed = server.api_as(ACME, "GET", CLIENTS, None).expect(200).json()["data"].clone();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["clientKey"]), (1, &json!(FOREIGN)));
    harmless(&server, || {
        for (caller, key) in [(ADMIN, FOREIGN), (ADMIN, UNKNOWN), (TILL, FOREIGN), (ACME, FIRST), (ACME, THIRD)] {
            refused(&server.api_as(caller, "GET", &own(key), None), 404, 404, NOT_FOUND);
            refused(&server.api_as(caller, "PUT", &own(key), Some(body())), 404, 404, NOT_FOUND);
            refused(&server.api_as(caller, "DELETE", &own(key), None), 404, 404, NOT_FOUND);
        }
    });
    // Tokens see what their client's org has.
    let answer = generate(&server, FOREIGN, FOREIGN_SECRET).expect(200).json();
    let token = text(&answer["data"], "accessToken");
    let seen = call_with(&server, token, "GET", CLIENTS, None).expect(200).json();
    assert_eq!(seen["data"].as_array().unwrap().len(), 1);
    refused(&call_with(&server, token, "GET", &own(FIRST), None), 404, 404, NOT_FOUND);
    let made = call_with(&server, token, "POST", CLIENTS, Some(body())).expect(200).json();
    refused(&server.api_as(ADMIN, "GET", &own(text(&made["data"], "clientKey")), None), 404, 404, NOT_FOUND);
}

#[test]
fn a_missing_mandatory_field_is_400_or_as_the_option_says_403() {
    for (status, options) in
        [(400, &[][..]), (400, &["capillary.missing-field-status=400"]), (403, &["capillary.missing-field-status=403"])]
    {
        let server = Server::with_options("capillary", options);
        let words = |field: &str| format!("Mandatory field is missing. Field {field} is mandatory.");
        harmless(&server, || {
            let code = u64::from(status);
            for field in ["name", "description", "expirationTokenTime", "defaultTillId", "scopes"] {
                let answer = server.api_as(ADMIN, "POST", CLIENTS, Some(without(field)));
                refused(&answer, status, code, &words(field));
            }
            for field in ["expirationTokenTime", "defaultTillId", "scopes"] {
                refused(&update(&server, FIRST, without(field)), status, code, &words(field));
            }
            for (field, scope) in [
                ("entityId", json!({ "permission": "READ", "resources": [] })),
                ("permission", json!({ "entityId": 1, "resources": [] })),
                ("resources", json!({ "entityId": 1, "permission": "READ" })),
            ] {
                let answer = update(&server, FIRST, with_scopes(json!([scope])));
                refused(&answer, status, code, &words(&format!("scopes.0.{field}")));
            }
            let answer = server.call("POST", GENERATE, &[JSON], r#"{"secret":"x"}"#);
            refused(&answer, status, code, &words("key"));
            // What is there and wrong is 400 all the same.
            let wrong = "Invalid input. expirationTokenTime must be a whole number.";
            invalid(&update(&server, FIRST, with("expirationTokenTime", json!("10"))), &[wrong]);
            let mut both = without("scopes");
            both["expirationTokenTime"] = json!("10");
            refused_all(&update(&server, FIRST, both), status, &[(code, &words("scopes")), (400, wrong)]);
        });
    }
}

#[test]
fn a_sandbox_may_choose_the_status_of_a_missing_field() {
    let server = start();
    let options = json!({ "id": "table", "options": { "capillary.missing-field-status": 403 } });
    server.control("POST", "/sandboxes", Some(options)).expect(201);
    server.api_as(ADMIN, "POST", &format!("/~table{CLIENTS}"), Some(without("name"))).expect(403);
    server.api_as(ADMIN, "POST", CLIENTS, Some(without("name"))).expect(400);
}

//! Defects of the page, by their numbers. Those of the wording alone are noted at the operation that they stand with.

use super::*;

/// Checks that the notes of an operation have these words.
#[track_caller]
fn noted(server: &Server, row: &str, operation: &str, words: &str) {
    let operation = server.operation(&format!("capillary/{operation}"));
    let notes = text(&operation, "notes").replace('\n', " ");
    assert!(notes.contains(words) && notes.contains(&format!("({row})")), "{row}: {notes}");
}

#[test]
fn c1_scopes_and_clients_are_two_calls() {
    let server = start();
    let scopes = server.api_as(ADMIN, "GET", SCOPES, None).expect(200);
    assert_eq!(scopes.header("standin-operation"), Some("capillary/scopes/list"));
    let clients = server.api_as(ADMIN, "GET", CLIENTS, None).expect(200);
    assert_eq!(clients.header("standin-operation"), Some("capillary/clients/list"));
    assert!(!clients.text().contains("TargetGroups"));
    noted(&server, "C1", "scopes/list", "The sample request of the page calls `/v3/integrations/clients`");
}

#[test]
fn c2_scheme_and_host_mean_nothing() {
    let server = start();
    for host in ["localhost", "127.0.0.1:80", "capillary.localhost:4010"] {
        let answer = server.call("GET", SCOPES, &[ADMIN, ("Host", host)], "").expect(200);
        assert_eq!(answer.json()["data"][0]["id"], 1);
    }
    noted(&server, "C2", "scopes/list", "http://");
    noted(&server, "C2", "clients/list", "nightly.capillary.in");
}

#[test]
fn c3_scopes_and_resources_are_arrays() {
    let server = start();
    harmless(&server, || {
        let scope = json!({ "entityId": 1, "permission": "READ", "resources": [] });
        let answer = server.api_as(ADMIN, "POST", CLIENTS, Some(with_scopes(scope)));
        invalid(&answer, &["Invalid input. scopes must be an array."]);
        let scopes = json!([{ "entityId": 1, "permission": "READ", "resources": {} }]);
        let answer = server.api_as(ADMIN, "POST", CLIENTS, Some(with_scopes(scopes)));
        invalid(&answer, &["Invalid input. scopes.0.resources must be an array."]);
    });
    noted(&server, "C3", "clients/create", "arrays only");
}

#[test]
fn c4_resources_must_be_there_and_may_be_empty() {
    let server = start();
    create(&server, with_scopes(json!([{ "entityId": 2, "permission": "WRITE", "resources": [] }])));
    let scopes = json!([{ "entityId": 2, "permission": "WRITE" }]);
    let answer = server.api_as(ADMIN, "POST", CLIENTS, Some(with_scopes(scopes)));
    invalid(&answer, &["Mandatory field is missing. Field scopes.0.resources is mandatory."]);
    noted(&server, "C4", "clients/create", "may be empty");
}

#[test]
fn c5_resources_never_come_back() {
    let server = start();
    let pattern = ".*v3/integrations/.*";
    let scopes = json!([{ "entityId": 1, "permission": "READWRITE", "resources": [pattern] }]);
    let answer = server.api_as(ADMIN, "POST", CLIENTS, Some(with_scopes(scopes.clone()))).expect(200);
    let made = answer.json()["data"].clone();
    let key = text(&made, "clientKey");
    // They count all the same.
    let token = token(&server, &made);
    call_with(&server, &token, "GET", SCOPES, None).expect(200);
    for answer in [
        answer,
        server.api_as(ADMIN, "GET", &own(key), None),
        server.api_as(ADMIN, "GET", CLIENTS, None),
        update(&server, key, with_scopes(scopes)),
        delete(&server, key),
    ] {
        assert_eq!(answer.status, 200, "{answer}");
        assert!(!answer.text().contains(pattern) && !answer.text().contains("resources"), "{answer}");
    }
    noted(&server, "C5", "clients/create", "`resources` never comes back");
}

/// The list and the details contradict each other: the record is the one whose address the page shows.
#[test]
fn c6_one_client_has_one_key_and_one_creator() {
    let server = start();
    let listed = list(&server)[0].clone();
    let mut shown = show(&server, FIRST);
    shown.as_object_mut().unwrap().shift_remove("scopes");
    assert_eq!(listed, shown);
    assert_eq!(shown["attribution"]["createdBy"]["code"], "1371622280_919866643044");
    refused(&server.api_as(ADMIN, "GET", &own("t3OPbJA3M2dJFFDFVdESW3MHb"), None), 404, 404, NOT_FOUND);
    noted(&server, "C6", "clients/list", "ends in MHb");
}

#[test]
fn c7_the_key_in_the_answer_is_the_one_in_the_path() {
    let server = start();
    for key in [FIRST, SECOND, THIRD] {
        assert_eq!(update(&server, key, body()).expect(200).json()["data"]["clientKey"], key);
        assert_eq!(show(&server, key)["clientKey"], key);
    }
    refused(&update(&server, "AAyjgiPapXefvmBEw7810dSio", body()), 404, 404, NOT_FOUND);
    noted(&server, "C7", "clients/update", "the key of an answer is that of the path");
}

/// The examples of Update and Delete are of one client at two times; each is replayed for itself, and here after another.
#[test]
fn c8_update_and_delete_follow_each_other_in_any_order_that_makes_sense() {
    let server = start();
    let updated = update(&server, THIRD, with("name", json!("NewName2"))).expect(200).json()["data"].clone();
    assert_eq!((&updated["name"], &updated["isValid"]), (&json!("NewName2"), &json!(true)));
    let deleted = delete(&server, THIRD).expect(200).json()["data"].clone();
    assert_eq!((&deleted["name"], &deleted["isValid"]), (&json!("NewName2"), &json!(false)));
    refused(&update(&server, THIRD, body()), 400, 400, DELETED);
    noted(&server, "C8", "clients/delete", "a day before");
}

#[test]
fn c9_the_client_has_an_id_of_its_own() {
    let server = start();
    let made = create(&server, body());
    assert_eq!(made["id"], 880);
    assert_eq!(made["attribution"]["createdBy"]["id"], 15_000_449);
    assert!(made["isValid"] == true && made["scopes"].is_array());
    noted(&server, "C9", "clients/create", "explains `id` as that of the associate or till");
}

#[test]
fn c10_the_last_update_is_the_creation_only_at_first() {
    let server = start();
    let made = create(&server, body());
    let key = text(&made, "clientKey");
    advance(&server, "1s");
    assert_eq!(show(&server, key)["attribution"], made["attribution"], "time alone changes nothing");
    let updated = update(&server, key, body()).expect(200).json()["data"].clone();
    assert_ne!(updated["attribution"]["lastUpdatedOn"], updated["attribution"]["createdOn"]);
    noted(&server, "C10", "clients/create", "the same as the created date");
}

#[test]
fn c11_any_positive_number_is_a_till() {
    let server = start();
    for till in [1, 15_000_449, 50_014_941, i64::MAX] {
        assert_eq!(create(&server, with("defaultTillId", json!(till)))["defaultTillId"], till);
    }
    noted(&server, "C11", "clients/create", "any positive integer is taken");
}

#[test]
fn c12_creators_are_admin_users_and_tills() {
    let server = start();
    for (caller, kind) in [(ADMIN, "ADMIN_USER"), (TILL, "TILL"), (ACME, "ADMIN_USER")] {
        let made = server.api_as(caller, "POST", CLIENTS, Some(body())).expect(200).json();
        assert_eq!(made["data"]["attribution"]["createdBy"]["type"], kind);
    }
    noted(&server, "C12", "clients/create", "\"user or Till\"");
}

#[test]
fn c13_both_documented_ways_to_authenticate_are_taken() {
    let server = start();
    let token = full_token(&server);
    for header in [ADMIN, TILL, (TOKEN, &token), ("x-cap-api-oauth-token", &token)] {
        server.call("GET", SCOPES, &[header], "").expect(200);
        server.call("GET", CLIENTS, &[header], "").expect(200);
    }
    noted(&server, "C13", "scopes/list", "both schemes");
}

#[test]
fn c14_errors_have_the_shape_of_the_set_and_say_that_it_is_assumed() {
    let server = start();
    for answer in [
        server.get(SCOPES).expect(401),
        server.api_as(ADMIN, "GET", &own(UNKNOWN), None).expect(404),
        server.api_as(ADMIN, "POST", CLIENTS, Some(json!({}))).expect(400),
    ] {
        let body = answer.json();
        assert_eq!(keys(&body), ["data", "errors"]);
        assert_eq!(keys(&body["errors"][0]), ["code", "message"]);
        assert_eq!(answer.header("standin-contract"), Some("documented; body=assumed"));
    }
    noted(&server, "C14", "scopes/list", "table of statuses");
}

#[test]
fn c15_the_repeated_sentences_are_noted() {
    let server = start();
    noted(&server, "C15", "scopes/list", "the same two sentences");
}

#[test]
fn c16_every_success_is_200() {
    let server = start();
    let made = create(&server, body());
    let path = own(text(&made, "clientKey"));
    for (method, path, sent) in [
        ("GET", SCOPES, None),
        ("POST", CLIENTS, Some(body())),
        ("GET", CLIENTS, None),
        ("GET", &path, None),
        ("PUT", &path, Some(body())),
        ("DELETE", &path, None),
    ] {
        server.api_as(ADMIN, method, path, sent).expect(200);
    }
    noted(&server, "C16", "scopes/list", "a success is 200");
}

#[test]
fn c17_the_updated_client_is_none_that_create_shows() {
    let server = start();
    noted(&server, "C17", "clients/update", "No example of Create makes the client that is updated");
}

#[test]
fn c18_the_ids_of_scopes_have_these_names() {
    let server = start();
    let scopes = server.api_as(ADMIN, "GET", SCOPES, None).expect(200).json()["data"].clone();
    let name = |id: u64| {
        let scope = scopes.as_array().unwrap().iter().find(|scope| scope["id"] == id).unwrap();
        text(scope, "entity").to_owned()
    };
    assert_eq!([1, 2, 3].map(name), ["TargetGroups", "All", "Transaction"]);
    noted(&server, "C18", "scopes/list", "TargetGroups, All and Transaction");
}

//! The commands of the page: what it shows is what comes, and who sees what.

use super::*;

const FULL: [&str; 8] =
    ["id", "attribution", "name", "clientKey", "isValid", "description", "expirationTokenTime", "defaultTillId"];

#[test]
fn call_1_scopes_are_the_three_of_the_page() {
    let server = start();
    for caller in [ADMIN, TILL, ACME] {
        let answer = server.api_as(caller, "GET", SCOPES, None).expect(200);
        assert_eq!(
            answer.json(),
            json!({ "data": [
                { "id": 1, "entity": "TargetGroups" }, { "id": 2, "entity": "All" }, { "id": 3, "entity": "Transaction" },
            ], "errors": null })
        );
        assert_eq!(answer.header("standin-contract"), Some("documented"));
    }
}

#[test]
fn call_2_the_documented_client_is_created_by_the_till_of_the_example() {
    let server = start();
    server.control("PUT", "/clock", Some(json!({ "now": "2020-04-15T14:14:06.104+05:30" }))).expect(200);
    let request = fs::read_to_string(repository("fixtures/capillary/clients/create.request.json")).unwrap();
    let answer = server.call("POST", CLIENTS, &[TILL, JSON], request).expect(200).json();
    let documented = fs::read_to_string(repository("fixtures/capillary/clients/create.200.json")).unwrap();
    let mut documented: Json = serde_json::from_str(&documented).unwrap();
    for key in ["clientKey", "clientSecret"] {
        let (known, ours) = (text(&documented["data"], key).len(), text(&answer["data"], key));
        assert!(ours.len() == known && ours.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key} {ours}");
        documented["data"][key] = json!(ours);
    }
    assert_eq!(answer, documented);
    assert_eq!(answer.to_string(), documented.to_string(), "the order of keys is that of the page");
}

#[test]
fn call_3_the_list_has_the_clients_without_secrets_and_scopes() {
    let server = start();
    let all = list(&server);
    let ids: Vec<&Json> = all.iter().map(|client| &client["id"]).collect();
    assert_eq!(ids, [865, 867, 879]);
    assert!(all.iter().all(|client| keys(client) == FULL));
    let made = create(&server, body());
    let all = list(&server);
    assert_eq!((all.len(), &all[3]["id"]), (4, &made["id"]));
    assert_eq!(keys(&all[3]), FULL);
}

#[test]
fn call_4_details_have_the_scopes_and_no_secret() {
    let server = start();
    let client = show(&server, FIRST);
    assert_eq!(client["id"], 865);
    let scope = |id: u64| json!({ "permission": "WRITE", "entityId": id });
    assert_eq!(client["scopes"], json!([scope(1), scope(2), scope(3)]));
    let expected: Vec<&str> = FULL.into_iter().chain(["scopes"]).collect();
    assert_eq!(keys(&client), expected);
}

#[test]
fn call_5_the_documented_update_changes_the_client() {
    let server = start();
    server.control("PUT", "/clock", Some(json!({ "now": "2020-04-15T13:31:25.031+05:30" }))).expect(200);
    let request = fs::read_to_string(repository("fixtures/capillary/clients/update.request.json")).unwrap();
    let answer = server.call("PUT", &own(THIRD), &[TILL, JSON], request).expect(200);
    let documented = fs::read_to_string(repository("fixtures/capillary/clients/update.200.json")).unwrap();
    assert_eq!(answer.json(), serde_json::from_str::<Json>(&documented).unwrap());
    assert_eq!(show(&server, THIRD), answer.json()["data"], "and it stays so");
}

#[test]
fn call_6_the_documented_deletion_makes_the_client_invalid() {
    let server = start();
    server.control("PUT", "/clock", Some(json!({ "now": "2020-04-14T17:17:30.727+05:30" }))).expect(200);
    let answer = server.call("DELETE", &own(THIRD), &[TILL], "").expect(200);
    let documented = fs::read_to_string(repository("fixtures/capillary/clients/delete.200.json")).unwrap();
    assert_eq!(answer.json(), serde_json::from_str::<Json>(&documented).unwrap());
    assert_eq!(keys(&answer.json()["data"]), FULL);
}

#[test]
fn a_secret_is_shown_once() {
    let server = start();
    let made = create(&server, body());
    let (key, secret) = (text(&made, "clientKey"), text(&made, "clientSecret"));
    for answer in [
        server.api_as(ADMIN, "GET", CLIENTS, None),
        server.api_as(ADMIN, "GET", &own(key), None),
        generate(&server, key, secret),
        update(&server, key, body()),
        delete(&server, key),
        server.api_as(ADMIN, "GET", &own(key), None),
    ] {
        assert_eq!(answer.status, 200, "{answer}");
        assert!(!answer.text().contains(secret) && !answer.text().contains("clientSecret"), "{answer}");
    }
    // Nor does it stand in the journal, in what was sent or in what was answered; nor does the token.
    let token = token(&server, &create(&server, body()));
    call_with(&server, &token, "GET", SCOPES, None).expect(200);
    let journal = server.control("GET", "/journal?limit=100", None).expect(200);
    let count = journal.json()["records"].as_array().unwrap().len();
    assert_eq!(count, 10);
    for entry in 1..=count {
        let entry = server.control("GET", &format!("/journal/{entry}"), None).expect(200);
        assert!(!entry.text().contains(secret) && !entry.text().contains(&token), "{entry}");
    }
}

#[test]
fn every_answer_has_a_request_id_of_its_own() {
    let server = start();
    let answers = [
        server.api_as(ADMIN, "GET", SCOPES, None).expect(200),
        server.api_as(ADMIN, "GET", SCOPES, None).expect(200),
        server.api_as(ADMIN, "POST", CLIENTS, Some(body())).expect(200),
        server.api_as(ADMIN, "POST", CLIENTS, Some(json!({}))).expect(400),
        server.api_as(ADMIN, "GET", &own(UNKNOWN), None).expect(404),
        server.get(SCOPES).expect(401),
        server.call("HEAD", SCOPES, &[ADMIN], "").expect(200),
        server.call("POST", CLIENTS, &[ADMIN, ("Content-Type", "text/plain")], "x").expect(415),
        generate(&server, UNKNOWN, "x").expect(401),
    ];
    let mut ids: Vec<&str> = answers.iter().map(|answer| answer.header("x-cap-requestid").unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), answers.len());
}

#[test]
fn calls_work_below_the_packs_name_and_with_a_query() {
    let server = start();
    for prefix in ["", "/capillary"] {
        server.api_as(ADMIN, "GET", &format!("{prefix}{SCOPES}?a=b"), None).expect(200);
        server.api_as(ADMIN, "GET", &format!("{prefix}{CLIENTS}?page=2&size=1"), None).expect(200);
        server.api_as(ADMIN, "GET", &format!("{prefix}{}?x", own(FIRST)), None).expect(200);
    }
    server.api_as(ADMIN, "GET", &format!("{SCOPES}/"), None).problem(404, "no-operation");
}

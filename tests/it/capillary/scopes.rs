//! What the scopes of a client allow its tokens.

use super::*;

/// Every call, by what it does: reads, or writes.
fn calls(server: &Server, token: &str) -> [(bool, Answer); 6] {
    let made = create(server, body());
    let path = own(text(&made, "clientKey"));
    let call = |method, path: &str, body| call_with(server, token, method, path, body);
    let answers = [
        (true, call("GET", SCOPES, None)),
        (true, call("GET", CLIENTS, None)),
        (true, call("GET", &path, None)),
        (false, call("POST", CLIENTS, Some(body()))),
        (false, call("PUT", &path, Some(body()))),
        (false, call("DELETE", &path, None)),
    ];
    // Room for more.
    for client in list(server).iter().filter(|client| client["name"] == "NewName3" && client["isValid"] == true) {
        if !token_is_of(token, client) {
            delete(server, text(client, "clientKey")).expect(200);
        }
    }
    answers
}

fn token_is_of(token: &str, client: &Json) -> bool {
    part(token, 1)["client_id"] == client["id"]
}

fn scope(entity: u64, permission: &str, resources: &[&str]) -> Json {
    json!({ "entityId": entity, "permission": permission, "resources": resources })
}

#[track_caller]
fn allowed(server: &Server, scopes: Json, reads: bool, writes: bool) {
    let token = token_for(server, scopes.clone());
    for (reading, answer) in calls(server, &token) {
        if (reading && reads) || (!reading && writes) {
            assert_eq!(answer.status, 200, "{scopes}: {answer}");
        } else {
            refused(&answer, 403, 4000, DENIED);
        }
    }
}

#[test]
fn rule_permissions_count_by_method() {
    let server = start();
    allowed(&server, json!([scope(2, "READ", &[])]), true, false);
    allowed(&server, json!([scope(2, "WRITE", &[])]), false, true);
    allowed(&server, json!([scope(2, "READWRITE", &[])]), true, true);
    allowed(&server, json!([scope(2, "READ", &[]), scope(2, "WRITE", &[])]), true, true);
}

#[test]
fn rule_an_entity_without_resources_has_its_own_paths() {
    let server = start();
    // Target groups and transactions are other calls than those of this API.
    allowed(&server, json!([scope(1, "READWRITE", &[]), scope(3, "READWRITE", &[])]), false, false);
    allowed(&server, json!([scope(1, "WRITE", &[]), scope(2, "READ", &[])]), true, false);
    let grants = |scopes: Json| {
        let made = create(&server, with_scopes(scopes));
        let path = format!("/state/capillary/client/{}", made["id"]);
        server.control("GET", &path, None).expect(200).json()["grants"].clone()
    };
    assert_eq!(
        grants(json!([scope(1, "READ", &[]), scope(2, "WRITE", &[]), scope(3, "READWRITE", &[])])),
        json!([
            { "methods": ["GET", "HEAD"], "paths": [".*v3/targetGroups.*"] },
            { "methods": ["POST", "PUT", "PATCH", "DELETE"], "paths": [".*"] },
            { "methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], "paths": [".*v1.1/transaction.*"] },
        ])
    );
    assert_eq!(
        grants(json!([scope(3, "READ", &[".*v1.1/transaction/add", "x"])])),
        json!([{ "methods": ["GET", "HEAD"], "paths": [".*v1.1/transaction/add", "x"] }])
    );
}

#[test]
fn rule_resources_are_patterns_for_the_whole_path() {
    let server = start();
    for (pattern, scopes, clients, details) in [
        (".*", 200, 200, 200),
        (".*v3/integrations.*", 200, 200, 200),
        (".*/scopes", 200, 403, 403),
        ("/v3/integrations/(scopes|clients)", 200, 200, 403),
        (".*v3/integrations/clients/[A-Za-z0-9]{25}", 403, 403, 200),
        // Neither a beginning nor an end nor a part is enough, and case counts.
        ("/v3/integrations", 403, 403, 403),
        ("clients", 403, 403, 403),
        (".*/CLIENTS", 403, 403, 403),
        // A query and the name of the pack are no part of the path.
        (".*clients\\?.*", 403, 403, 403),
        ("/capillary/.*", 403, 403, 403),
        // Counted repetitions are what people write.
        ("/v3/\\w{1,100}/scopes", 200, 403, 403),
        (".{0,2000}", 200, 200, 200),
        ("(?i).*/CLIENTS", 403, 200, 403),
    ] {
        let token = token_for(&server, json!([scope(1, "READ", &[pattern])]));
        for prefix in ["", "/capillary"] {
            for (path, status) in [(SCOPES, scopes), (CLIENTS, clients), (&*own(FIRST), details)] {
                let answer = call_with(&server, &token, "GET", &format!("{prefix}{path}?a=b"), None);
                assert_eq!(answer.status, status, "{pattern} {path}: {answer}");
            }
        }
        delete(&server, text(list(&server).last().unwrap(), "clientKey")).expect(200);
    }
}

/// What is taken for a pattern can be matched, and a few of them cannot keep the server busy.
#[test]
fn rule_resources_are_bounded_and_can_be_matched() {
    let server = start();
    for pattern in ["(?=.*).*", "(?<a>.*)\\k<a>", "[^]*", "\\p{Foo}|.*", "(.{1,900}){1,900}", "("] {
        let answer = server.api_as(ADMIN, "POST", CLIENTS, Some(with_scopes(json!([scope(1, "READ", &[pattern])]))));
        assert_eq!(answer.status, 400, "{pattern}: {answer}");
        assert!(answer.text().contains("scopes.0.resources.0 must be a regular expression"), "{answer}");
    }
    let many = vec![".*"; 21];
    for (scopes, words) in [
        (json!([scope(1, "READ", &many)]), "must not have more than 20 items"),
        (json!(vec![scope(1, "READ", &[]); 21]), "must not have more than 20 items"),
        (json!([scope(1, "READ", &["a".repeat(501).as_str()])]), "must not be longer than 500 characters"),
    ] {
        let answer = server.api_as(ADMIN, "POST", CLIENTS, Some(with_scopes(scopes)));
        assert!(answer.status == 400 && answer.text().contains(words), "{answer}");
    }
}

#[test]
fn rule_reading_the_head_is_reading() {
    let server = start();
    let [reader, writer] = ["READ", "WRITE"].map(|permission| token_for(&server, json!([scope(2, permission, &[])])));
    assert_eq!(server.call("HEAD", CLIENTS, &[(TOKEN, &reader)], "").status, 200);
    assert_eq!(server.call("HEAD", CLIENTS, &[(TOKEN, &writer)], "").status, 403);
}

#[test]
fn rule_new_scopes_count_at_once_for_tokens_that_are_out() {
    let server = start();
    let made = create(&server, body());
    let token = token(&server, &made);
    call_with(&server, &token, "GET", SCOPES, None).expect(200);
    update(&server, text(&made, "clientKey"), with_scopes(json!([scope(2, "WRITE", &[])]))).expect(200);
    refused(&call_with(&server, &token, "GET", SCOPES, None), 403, 4000, DENIED);
}

/// Whoever may not do a call is not told what else would be wrong with it.
#[test]
fn denial_comes_before_what_else_is_wrong() {
    let server = start();
    let token = token_for(&server, json!([scope(2, "READ", &[".*/scopes"])]));
    harmless(&server, || {
        for (method, path, body) in [
            ("GET", own(UNKNOWN), None),
            ("DELETE", own(UNKNOWN), None),
            ("PUT", own(FOREIGN), Some(json!({}))),
            ("POST", CLIENTS.to_owned(), Some(json!([]))),
        ] {
            refused(&call_with(&server, &token, method, &path, body), 403, 4000, DENIED);
        }
    });
}

#[test]
fn scopes_do_not_bind_admin_users_and_tills() {
    let server = start();
    for caller in [ADMIN, TILL] {
        let made = server.api_as(caller, "POST", CLIENTS, Some(body())).expect(200).json()["data"].clone();
        let path = own(text(&made, "clientKey"));
        server.api_as(caller, "PUT", &path, Some(with_scopes(json!([scope(1, "READ", &[])])))).expect(200);
        server.api_as(caller, "DELETE", &path, None).expect(200);
    }
}

/// The three clients of the page have no token yet; their secrets are in the records.
#[test]
fn the_clients_of_the_seeds_have_secrets_that_work() {
    let server = start();
    for (key, id, read, write) in [(FIRST, 865, 403, 200), (SECOND, 867, 200, 403), (THIRD, 879, 200, 200)] {
        let record = server.control("GET", &format!("/state/capillary/client/{id}?secrets=show"), None).expect(200);
        let secret = text(&record.json(), "clientSecret").to_owned();
        assert_eq!(secret.len(), 40);
        let answer = generate(&server, key, &secret).expect(200).json();
        let token = text(&answer["data"], "accessToken");
        assert_eq!(call_with(&server, token, "GET", SCOPES, None).status, read, "{key}");
        assert_eq!(call_with(&server, token, "PUT", &own(THIRD), Some(body())).status, write, "{key}");
    }
}

//! On whose behalf a call is made.

use super::*;

const TYPE: &str = "X-CAP-API-ATTRIBUTION-ENTITY-TYPE";
const CODE: &str = "X-CAP-API-ATTRIBUTION-ENTITY-CODE";
const LOOKUP_TYPE: &str = "X-CAP-API-ATTRIBUTION-LOOKUP-TYPE";
const LOOKUP: &str = "X-CAP-API-ATTRIBUTION-LOOKUP";

/// Codes of the till `demo.till.1`, and of its store.
const KNOWN: [(&str, &str); 6] = [
    ("TILL", "demo.till.1"),
    ("STORE_CODE", "demo.store"),
    ("STORE_NAME", "Demo Store"),
    ("STORE_EXTERNAL_ID", "demo-0"),
    ("STORE_EXTERNAL_ID_1", "demo-1"),
    ("STORE_EXTERNAL_ID_2", "demo-2"),
];

fn send(server: &Server, caller: (&str, &str), method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let headers: Vec<(&str, &str)> = [caller, JSON].into_iter().chain(headers.iter().copied()).collect();
    let body = if method == "DELETE" { String::new() } else { body().to_string() };
    server.call(method, path, &headers, body)
}

/// The calls that write, where all that can be wrong is by whom.
fn writing() -> [(&'static str, String); 3] {
    [("POST", CLIENTS.to_owned()), ("PUT", own(FIRST)), ("DELETE", own(FIRST))]
}

fn till(id: u64, code: &str) -> Json {
    json!({ "id": id, "code": code, "description": "", "name": code, "type": "TILL" })
}

/// Creates, updates and deletes a client with these headers: each is by whom they name.
#[track_caller]
fn by(server: &Server, caller: (&str, &str), headers: &[(&str, &str)], expected: &Json) {
    let made = send(server, caller, "POST", CLIENTS, headers).expect(200).json()["data"].clone();
    assert_eq!(&made["attribution"]["createdBy"], expected, "{headers:?}");
    assert_eq!(&made["attribution"]["lastUpdatedBy"], expected, "{headers:?}");
    for method in ["PUT", "DELETE"] {
        let foreign = create(server, body());
        let answer = send(server, caller, method, &own(text(&foreign, "clientKey")), headers).expect(200).json();
        assert_eq!(&answer["data"]["attribution"]["lastUpdatedBy"], expected, "{method} {headers:?}");
        assert_eq!(answer["data"]["attribution"]["createdBy"], foreign["attribution"]["createdBy"]);
        if method == "PUT" {
            delete(server, text(&foreign, "clientKey")).expect(200);
        }
    }
    delete(server, text(&made, "clientKey")).expect(200);
}

#[test]
fn rule_a_token_is_its_clients_default_till() {
    let server = start();
    for (default, expected) in [
        (50_006_796_u64, till(50_006_796, "mobilepush.1")),
        (50_014_941, till(50_014_941, "demo.till.1")),
        // A till that is not known has its id for a code; nor is one of the other org known.
        (7, till(7, "7")),
        (50_020_001, till(50_020_001, "50020001")),
        (9_223_372_036_854_775_807, till(9_223_372_036_854_775_807, "9223372036854775807")),
    ] {
        let token = token(&server, &create(&server, with("defaultTillId", json!(default))));
        by(&server, (TOKEN, &token), &[], &expected);
        // A kind without a code asks for nobody else.
        by(&server, (TOKEN, &token), &[(TYPE, "STORE_CODE")], &expected);
    }
}

#[test]
fn rule_a_token_names_a_till_or_a_store_by_kind_and_code() {
    let server = start();
    let token = full_token(&server);
    let expected = till(50_014_941, "demo.till.1");
    for (kind, code) in KNOWN {
        by(&server, (TOKEN, &token), &[(TYPE, kind), (CODE, code)], &expected);
    }
    by(&server, (TOKEN, &token), &[(CODE, "demo.till.1")], &expected);
    by(&server, (TOKEN, &token), &[(CODE, "mobilepush.1")], &till(50_006_796, "mobilepush.1"));
}

#[test]
fn rule_basic_names_a_till_or_a_store_by_lookup() {
    let server = start();
    let expected = till(50_014_941, "demo.till.1");
    for caller in [ADMIN, TILL] {
        for (kind, code) in KNOWN {
            by(&server, caller, &[(LOOKUP_TYPE, kind), (LOOKUP, code)], &expected);
        }
    }
    by(&server, TILL, &[], &till(50_006_796, "mobilepush.1"));
    by(&server, TILL, &[(LOOKUP_TYPE, "TILL")], &till(50_006_796, "mobilepush.1"));
}

#[test]
fn codes_that_no_till_has_are_400() {
    let server = start();
    let token = full_token(&server);
    harmless(&server, || {
        for (kind, code) in [
            ("TILL", "nobody"),
            ("TILL", "MOBILEPUSH.1"),
            ("TILL", "mobilepush"),
            ("TILL", "acme.till.1"),
            ("TILL", "50006796"),
            ("TILL", "demo.store"),
            ("STORE_CODE", "demo.till.1"),
            ("STORE_CODE", "Demo Store"),
            ("STORE_EXTERNAL_ID", "demo-1"),
        ] {
            for (method, path) in writing() {
                let words = format!("Invalid X-CAP-API-ATTRIBUTION-ENTITY-CODE specified. {code}");
                let answer = send(&server, (TOKEN, &token), method, &path, &[(TYPE, kind), (CODE, code)]);
                invalid(&answer, &[&words]);
                let words = format!("Invalid X-CAP-API-ATTRIBUTION-LOOKUP specified. {code}");
                let answer = send(&server, ADMIN, method, &path, &[(LOOKUP_TYPE, kind), (LOOKUP, code)]);
                invalid(&answer, &[&words]);
            }
        }
    });
}

#[test]
fn kinds_that_do_not_exist_are_400() {
    let server = start();
    let token = full_token(&server);
    harmless(&server, || {
        for kind in ["till", "TILL_CODE", "STORE", "STORE_EXTERNAL_ID_3", "", "TILL, TILL"] {
            for (method, path) in writing() {
                let headers = [(TYPE, kind), (CODE, "mobilepush.1")];
                let answer = send(&server, (TOKEN, &token), method, &path, &headers);
                invalid(&answer, &["Invalid X-CAP-API-ATTRIBUTION-ENTITY-TYPE specified."]);
                let headers = [(LOOKUP_TYPE, kind), (LOOKUP, "mobilepush.1")];
                let answer = send(&server, ADMIN, method, &path, &headers);
                invalid(&answer, &["Invalid X-CAP-API-ATTRIBUTION-LOOKUP-TYPE specified."]);
            }
        }
    });
}

#[test]
fn rule_1061_a_lookup_needs_its_type() {
    let server = start();
    let words = "X-CAP-API-ATTRIBUTION-LOOKUP-TYPE header required with X-CAP-API-ATTRIBUTION-LOOKUP header.";
    harmless(&server, || {
        for (method, path) in writing() {
            refused(&send(&server, ADMIN, method, &path, &[(LOOKUP, "mobilepush.1")]), 400, 1061, words);
        }
    });
}

#[test]
fn the_headers_of_the_other_scheme_and_of_calls_that_read_mean_nothing() {
    let server = start();
    let token = full_token(&server);
    by(&server, TILL, &[(TYPE, "TILL"), (CODE, "nobody")], &till(50_006_796, "mobilepush.1"));
    // The default till of the example has the id of an admin user, who is no till: it is shown as one that nobody knows.
    by(&server, (TOKEN, &token), &[(LOOKUP_TYPE, "TILL"), (LOOKUP, "nobody")], &till(15_000_449, "15000449"));
    for headers in [[(TYPE, "x"), (CODE, "nobody")], [(LOOKUP_TYPE, "x"), (LOOKUP, "nobody")]] {
        for path in [SCOPES, CLIENTS, &own(FIRST)] {
            let headers: Vec<(&str, &str)> = [ADMIN].into_iter().chain(headers).collect();
            server.call("GET", path, &headers, "").expect(200);
        }
    }
}

/// Text beyond ASCII is text, and names nobody here.
#[test]
fn a_name_beyond_ascii_is_not_overheard() {
    let server = start();
    let token = full_token(&server);
    harmless(&server, || {
        let answer = send(&server, (TOKEN, &token), "POST", CLIENTS, &[(TYPE, "STORE_NAME"), (CODE, "Café")]);
        invalid(&answer, &["Invalid X-CAP-API-ATTRIBUTION-ENTITY-CODE specified. Café"]);
    });
}

/// What names a till stays when the till itself is taken away.
#[test]
fn a_till_that_is_gone_is_400() {
    let server = start();
    let token = full_token(&server);
    server.control("DELETE", "/state/capillary/user/50014941", None).expect(204);
    harmless(&server, || {
        let words = "Invalid X-CAP-API-ATTRIBUTION-LOOKUP specified. demo.store";
        let headers = [(LOOKUP_TYPE, "STORE_CODE"), (LOOKUP, "demo.store")];
        invalid(&send(&server, ADMIN, "POST", CLIENTS, &headers), &[words]);
        let words = "Invalid X-CAP-API-ATTRIBUTION-ENTITY-CODE specified. demo.store";
        let headers = [(TYPE, "STORE_CODE"), (CODE, "demo.store")];
        invalid(&send(&server, (TOKEN, &token), "POST", CLIENTS, &headers), &[words]);
    });
}

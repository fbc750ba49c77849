//! What other pages of the vendor and its client say.

use super::*;

/// The key stands in the query, as the introduction says; no other place counts.
#[test]
fn beyond_1_the_key_is_needed_and_stands_in_the_query() {
    let server = start(&[]);
    for path in [LIST.to_owned(), format!("{LIST}/1")] {
        get(&server, &path).expect(200);
        refused(&server.get(&path), 401, "unauthorized");
        for header in ["api_key", "api-key", "X-Api-Key", "Authorization"] {
            refused(&server.call("GET", &path, &[(header, "test_key")], ""), 401, "unauthorized");
        }
        for value in ["Bearer test_key", "Basic dGVzdF9rZXk6"] {
            refused(&server.call("GET", &path, &[("Authorization", value)], ""), 401, "unauthorized");
        }
    }
    // The older client's way belongs to another generation of the API.
    refused(&server.get(&format!("{LIST}?access_token=test_key&auth[date]=1&auth[signature]=x")), 401, "unauthorized");
}

/// Every row of the vendor's table is an error of the pack; what only a fault gives says so.
#[test]
fn beyond_2_every_listed_status_is_there() {
    let server = start(&[]);
    let pack = server.control("GET", "/packs/optimizeplayer", None).expect(200).json();
    let errors = pack["errors"].as_array().unwrap();
    for (status, fault) in
        [(400, false), (401, false), (406, false), (422, false), (429, true), (500, true), (503, true)]
    {
        let given = |error: &&Json| error["answers"].as_array().unwrap().iter().any(|it| it["status"] == status);
        let found: Vec<&Json> = errors.iter().filter(given).collect();
        assert!(!found.is_empty(), "{status}");
        assert!(found.iter().all(|error| error["fault"] == fault), "{status}: {found:#?}");
    }
    // There is no 404 and no 405 among them.
    let contract =
        |path: &str, method: &str| server.call(method, path, &[], "").header("standin-contract").map(str::to_owned);
    assert_eq!(contract(LIST, "POST").as_deref(), Some("assumed"));
    assert_eq!(contract(&format!("{LIST}/9?api_key=test_key"), "GET").as_deref(), Some("documented; body=assumed"));
}

#[test]
fn beyond_2_errors_have_error_and_message() {
    let server = start(&[]);
    refused(&server.get(LIST), 401, "unauthorized");
    refused(&get(&server, &format!("{LIST}/9")), 401, "unauthorized");
    refused(&get(&server, &format!("{LIST}/x")), 422, "unprocessable_entity");
    refused(&get(&server, &format!("{LIST}/%FF")), 400, "bad_request");
    refused(
        &server.call("GET", &format!("{LIST}?api_key=test_key"), &[("Accept", "text/html")], ""),
        406,
        "not_acceptable",
    );
}

#[test]
fn beyond_2_a_format_other_than_json_is_406() {
    let server = start(&[]);
    for path in [LIST.to_owned(), format!("{LIST}/1")] {
        let path = format!("{path}?api_key=test_key");
        for accept in
            ["text/html", "application/xml", "text/*", "image/png, text/html;q=0.9", "application/json;q=0", "*/*;q=0"]
        {
            refused(&server.call("GET", &path, &[("Accept", accept)], ""), 406, "not_acceptable");
        }
        for accept in ["application/json", "*/*", "application/*", "text/html, */*;q=0.1", "APPLICATION/JSON", ""] {
            server.call("GET", &path, &[("Accept", accept)], "").expect(200);
        }
        server.call("GET", &path, &[], "").expect(200);
        // Who is not known hears that first.
        refused(
            &server.call("GET", &path.replace("test_key", "x"), &[("Accept", "text/html")], ""),
            401,
            "unauthorized",
        );
    }
}

/// The later form is another contract: the answers stay bare.
#[test]
fn beyond_3_answers_are_not_wrapped() {
    let server = start(&["optimizeplayer.v1-paths", "optimizeplayer.hide-secrets"]);
    assert!(get(&server, "/v1/integrations").expect(200).json().is_array());
    assert_eq!(get(&server, "/v1/integrations/1").expect(200).json()["id"], 1);
}

/// Folders, calls to action, projects and accounts are other pages: the answer says that there is no such operation.
#[test]
fn beyond_4_other_pages_are_not_part_of_the_pack() {
    let server = start(&[]);
    for path in ["/folders", "/ctas", "/projects/connect", "/projects/upload", "/accounts"] {
        for path in [path.to_owned(), format!("/api/v1{path}")] {
            get(&server, &path).problem(404, "no-operation");
        }
    }
}

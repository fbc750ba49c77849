//! What a client can get wrong in a body, a path or a method: all of it is told, in the API's shape, and nothing changes.

use super::*;

/// The calls that have a body.
fn with_body() -> [(&'static str, String); 3] {
    [("POST", CLIENTS.to_owned()), ("PUT", own(FIRST)), ("POST", GENERATE.to_owned())]
}

fn unreadable(answer: &Answer, words: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/json")), "{answer}");
    let body = answer.json();
    assert_eq!((&body["data"], &body["errors"][0]["code"]), (&Json::Null, &json!(400)), "{answer}");
    let message = body["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("Invalid input. Please check request body parameters or input xml/json: "),
        "{message}"
    );
    assert!(message.contains(words), "{message}");
}

#[test]
fn of_countless_mistakes_the_first_thousand_are_told() {
    let server = start();
    harmless(&server, || {
        let answer = update(&server, FIRST, with_scopes(json!(vec![1; 3000])));
        assert_eq!(answer.status, 400, "{}", answer.status);
        let errors = answer.json()["errors"].as_array().unwrap().len();
        assert_eq!(errors, 1000);
    });
}

#[test]
fn wrong_types_are_400_and_named() {
    let server = start();
    let texts = [json!(7), json!(null), json!(true), json!(["x"]), json!({})];
    let numbers = [json!("600"), json!(1.5), json!(null), json!(true), json!([600]), json!({})];
    let lists = [json!({}), json!("x"), json!(null), json!(1), json!({ "entityId": 1 })];
    harmless(&server, || {
        for (fields, values, kind) in [
            (&["name", "description"][..], &texts[..], "a text"),
            (&["expirationTokenTime", "defaultTillId"], &numbers, "a whole number"),
            (&["scopes"], &lists, "an array"),
        ] {
            for (field, value) in fields.iter().flat_map(|field| values.iter().map(move |value| (field, value))) {
                let words = format!("Invalid input. {field} must be {kind}.");
                invalid_either(&server, &with(field, value.clone()), &[&words]);
            }
        }
        for scope in [json!(1), json!("x"), json!(null), json!([])] {
            invalid(
                &update(&server, FIRST, with_scopes(json!([scope]))),
                &["Invalid input. scopes.0 must be an object."],
            );
        }
        for (resources, words) in [
            (json!("x"), "scopes.0.resources must be an array"),
            (json!({}), "scopes.0.resources must be an array"),
            (json!(null), "scopes.0.resources must be an array"),
            (json!([7]), "scopes.0.resources.0 must be a text"),
            (json!([""]), "scopes.0.resources.0 must not be blank"),
            (json!(["x", "("]), "scopes.0.resources.1 must be a regular expression"),
            (json!(["*"]), "scopes.0.resources.0 must be a regular expression"),
        ] {
            let scope = json!([{ "entityId": 1, "permission": "READ", "resources": resources }]);
            invalid(&update(&server, FIRST, with_scopes(scope)), &[&format!("Invalid input. {words}.")]);
        }
    });
}

#[test]
fn wrong_numbers_are_400() {
    let server = start();
    harmless(&server, || {
        for field in ["expirationTokenTime", "defaultTillId"] {
            for (value, words) in [
                ("0", "at least 1"),
                ("-1", "at least 1"),
                ("-9223372036854775808", "at least 1"),
                ("9223372036854775808", "at most 9223372036854775807"),
                ("9223372036854775808.0", "at most 9223372036854775807"),
                ("18446744073709551616", "at most 9223372036854775807"),
                ("1e300", "at most 9223372036854775807"),
                ("2.5", "a whole number"),
                ("1.0000001", "a whole number"),
            ] {
                let sent = body().to_string();
                let valid = format!("\"{field}\":{}", body()[field]);
                let sent = sent.replace(&valid, &format!("\"{field}\":{value}"));
                assert!(sent.contains(value), "{sent}");
                let words = format!("Invalid input. {field} must be {words}.");
                for (method, path) in &with_body()[..2] {
                    invalid(&server.call(method, path, &[ADMIN, JSON], &sent), &[&words]);
                }
            }
        }
    });
    // Whole numbers are whole however they are written.
    for (value, stored) in [("6e2", json!(600)), ("600.0", json!(600)), ("1", json!(1))] {
        let sent =
            body().to_string().replace("\"expirationTokenTime\":600", &format!("\"expirationTokenTime\":{value}"));
        let sent = sent.replace("\"defaultTillId\":15000449", &format!("\"defaultTillId\":{value}"));
        let sent = sent.replace("\"entityId\":2", "\"entityId\":2.0");
        let data = server.call("POST", CLIENTS, &[ADMIN, JSON], &sent).expect(200).json()["data"].clone();
        assert_eq!((&data["expirationTokenTime"], &data["defaultTillId"]), (&stored, &stored), "{data}");
        assert_eq!(data["scopes"][0].to_string(), r#"{"permission":"READWRITE","entityId":2}"#);
    }
}

#[test]
fn values_of_enumerations_are_exact() {
    let server = start();
    let entity = "Invalid input. scopes.0.entityId must be one of 1, 2, 3.";
    let permission = "Invalid input. scopes.0.permission must be one of READ, READWRITE, WRITE.";
    harmless(&server, || {
        for value in [
            json!("1"),
            json!(0),
            json!(4),
            json!(-1),
            json!(1.5),
            json!("All"),
            json!("TargetGroups"),
            json!(null),
            json!([1]),
        ] {
            let scope = json!([{ "entityId": value, "permission": "READ", "resources": [] }]);
            invalid_either(&server, &with_scopes(scope), &[entity]);
        }
        for value in [
            json!("read"),
            json!("Read"),
            json!("READ "),
            json!("READ_WRITE"),
            json!(""),
            json!(1),
            json!(null),
            json!(["READ"]),
        ] {
            let scope = json!([{ "entityId": 1, "permission": value, "resources": [] }]);
            invalid_either(&server, &with_scopes(scope), &[permission]);
        }
    });
}

#[test]
fn blank_names_and_empty_scopes_are_400_and_an_empty_description_is_not() {
    let server = start();
    harmless(&server, || {
        for name in ["", " ", "\t\n", "\u{a0}"] {
            invalid_either(&server, &with("name", json!(name)), &["Invalid input. name must not be blank."]);
        }
        invalid_either(&server, &with_scopes(json!([])), &["Invalid input. scopes must not be empty."]);
    });
    assert_eq!(create(&server, with("description", json!("")))["description"], "");
    let name = "\u{1f980} \"O'Brien\" <b>{{ now }}</b> \\ \u{202e}";
    assert_eq!(create(&server, with("name", json!(name)))["name"], name);
}

#[test]
fn properties_that_do_not_exist_are_400() {
    let server = start();
    let scope = |name: &str| json!([{ "entityId": 1, "permission": "READ", "resources": [], name: 1 }]);
    harmless(&server, || {
        for name in ["id", "isValid", "attribution", "createdOn", "grants", "org_id", "Name", "scope", "", "__proto__"]
        {
            let words = format!("Invalid input. Unknown field {name}.");
            invalid_either(&server, &with(name, json!(1)), &[&words]);
            let words = format!("Invalid input. Unknown field scopes.0.{name}.");
            invalid(&update(&server, FIRST, with_scopes(scope(name))), &[&words]);
        }
        for name in ["clientKey", "clientSecret"] {
            let words = format!("Invalid input. Unknown field {name}.");
            invalid(&server.api_as(ADMIN, "POST", CLIENTS, Some(with(name, json!("x")))), &[&words]);
        }
        let sent = json!({ "key": FOREIGN, "secret": FOREIGN_SECRET, "grant_type": "client_credentials" });
        let answer = server.call("POST", GENERATE, &[JSON], sent.to_string());
        invalid(&answer, &["Invalid input. Unknown field grant_type."]);
    });
}

#[test]
fn several_violations_are_several_items() {
    let server = start();
    harmless(&server, || {
        let sent = json!({
            "Name": "x", "description": 1, "expirationTokenTime": "x", "defaultTillId": 0,
            "scopes": [{ "entityId": 9, "permission": "x" }, 7],
        });
        let answer = server.api_as(ADMIN, "POST", CLIENTS, Some(sent)).expect(400).json();
        let mut messages: Vec<&str> =
            answer["errors"].as_array().unwrap().iter().map(|item| text(item, "message")).collect();
        messages.sort_unstable();
        assert_eq!(
            messages,
            [
                "Invalid input. Unknown field Name.",
                "Invalid input. defaultTillId must be at least 1.",
                "Invalid input. description must be a text.",
                "Invalid input. expirationTokenTime must be a whole number.",
                "Invalid input. scopes.0.entityId must be one of 1, 2, 3.",
                "Invalid input. scopes.0.permission must be one of READ, READWRITE, WRITE.",
                "Invalid input. scopes.1 must be an object.",
                "Mandatory field is missing. Field name is mandatory.",
                "Mandatory field is missing. Field scopes.0.resources is mandatory.",
            ]
        );
        assert!(answer["errors"].as_array().unwrap().iter().all(|item| item["code"] == 400));
    });
}

#[test]
fn bodies_that_are_no_objects_are_400() {
    let server = start();
    harmless(&server, || {
        for sent in [json!([]), json!([body()]), json!("x"), json!(7), json!(true), json!(null)] {
            for (method, path) in with_body() {
                let answer = server.call(method, &path, &[ADMIN, JSON], sent.to_string());
                invalid(&answer, &["Invalid input. The request body must be an object."]);
            }
        }
    });
}

#[test]
fn bodies_that_cannot_be_read_are_400() {
    let server = start();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    harmless(&server, || {
        for (sent, words) in [
            ("", "the request has no body"),
            ("{", "line 1"),
            ("name=x", "line 1"),
            ("{\"name\":\"x\",}", "line 1"),
            ("{'name':'x'}", "line 1"),
            ("{\"name\":NaN}", "line 1"),
            ("{} {}", "line 1"),
            ("{\"defaultTillId\":1e400}", "out of range"),
            ("{\"name\":\"x\",\"name\":\"x\"}", "duplicate key `name`"),
            ("{\"scopes\":[{\"entityId\":1,\"entityId\":2}]}", "duplicate key `entityId`"),
            (&deep, "nested deeper"),
        ] {
            for (method, path) in with_body() {
                unreadable(&server.call(method, &path, &[ADMIN, JSON], sent), words);
            }
        }
        for (method, path) in with_body() {
            unreadable(&server.call(method, &path, &[ADMIN, JSON], b"{\"name\":\"\xff\"}"), "not usable JSON");
        }
    });
}

#[test]
fn bodies_that_are_too_large_are_413() {
    let server = start();
    let sent = with("name", json!("x".repeat(2 << 20))).to_string();
    harmless(&server, || {
        for (method, path) in with_body() {
            let answer = server.call(method, &path, &[ADMIN, JSON], &sent);
            refused(&answer, 413, 413, "The request body is too large.");
        }
    });
}

#[test]
fn other_media_types_are_415_and_so_is_none() {
    let server = start();
    harmless(&server, || {
        for media in
            ["application/x-www-form-urlencoded", "text/plain", "application/xml", "multipart/form-data", "json", ""]
        {
            for (method, path) in with_body() {
                let headers = [ADMIN, ("Content-Type", media)];
                let answer = server.call(method, &path, &headers, body().to_string());
                refused(&answer, 415, 415, "Unsupported media type.");
            }
        }
        for (method, path) in with_body() {
            refused(&server.call(method, &path, &[ADMIN], body().to_string()), 415, 415, "Unsupported media type.");
        }
    });
    let utf8 = ("Content-Type", "application/json; charset=UTF-8");
    server.call("POST", CLIENTS, &[ADMIN, utf8], body().to_string()).expect(200);
    // Nothing is asked of a call without a body.
    server.call("GET", CLIENTS, &[ADMIN], "").expect(200);
    server.call("GET", CLIENTS, &[ADMIN, ("Content-Type", "text/plain")], "").expect(200);
    server.call("DELETE", &own(FIRST), &[ADMIN], "").expect(200);
}

#[test]
fn keys_that_are_unknown_are_404_and_those_that_cannot_be_are_400() {
    let server = start();
    harmless(&server, || {
        let lower = FIRST.to_lowercase();
        let longer = format!("{FIRST}x");
        for key in [UNKNOWN, "x", "865", "null", "scopes", &FIRST[1..], &longer, &lower, "'--", "%25", "{clientKey}"] {
            for (method, sent) in [("GET", None), ("PUT", Some(body())), ("DELETE", None)] {
                refused(&server.api_as(ADMIN, method, &own(key), sent), 404, 404, NOT_FOUND);
            }
        }
        for key in ["%20", "a%20b", "%00", "%C3%A9", "%FF", "a%0D%0Ab"] {
            for (method, sent) in [("GET", None), ("PUT", Some(body())), ("DELETE", None)] {
                refused(&server.api_as(ADMIN, method, &own(key), sent), 400, 400, "Invalid path parameter.");
            }
        }
    });
}

#[test]
fn methods_that_do_not_exist_are_405_with_those_that_do() {
    let server = start();
    harmless(&server, || {
        for (method, path, allowed) in [
            ("POST", SCOPES, "GET, HEAD"),
            ("PUT", CLIENTS, "GET, HEAD, POST"),
            ("DELETE", CLIENTS, "GET, HEAD, POST"),
            ("PATCH", &*own(FIRST), "DELETE, GET, HEAD, PUT"),
            ("POST", &own(FIRST), "DELETE, GET, HEAD, PUT"),
            ("GET", GENERATE, "POST"),
        ] {
            let answer = server.api_as(ADMIN, method, path, Some(body()));
            answer.problem(405, "method-not-allowed");
            let mut allow: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            allow.sort_unstable();
            assert_eq!(allow.join(", "), allowed, "{method} {path}");
        }
        for path in
            ["/integrations/clients", "/v2/integrations/clients", "/v3/integrations", "/v3/integrations/clients/a/b"]
        {
            server.api_as(ADMIN, "GET", path, None).problem(404, "no-operation");
        }
    });
}

#[test]
fn credentials_come_before_everything_else_that_is_wrong() {
    let server = start();
    harmless(&server, || {
        for (method, path, sent) in [
            ("GET", own(UNKNOWN), ""),
            ("GET", own("%20"), ""),
            ("POST", CLIENTS.to_owned(), "{"),
            ("PUT", own(FIRST), "[]"),
        ] {
            refused(&server.call(method, &path, &[JSON], sent), 401, 401, WRONG_PASSWORD);
            refused(&server.call(method, &path, &[JSON, (TOKEN, "x")], sent), 401, 401, WRONG_TOKEN);
        }
    });
}

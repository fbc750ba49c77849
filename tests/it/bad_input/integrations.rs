//! Integrations, their sessions and metrics, asked for wrongly.

use super::*;

fn call(server: &Server, method: &str, path: &str, body: &Json) -> Answer {
    server.call(method, path, &[REPORTEI, CUSTOMER, JSON], body.to_string())
}

/// Makes a session of the first customer and gives its id.
fn session(server: &Server) -> String {
    let answer = server.call("POST", "/customer-integrations/session", &[REPORTEI, CUSTOMER], "").expect(200);
    answer.json()["integration_session"]["session_uuid"].as_str().unwrap().to_owned()
}

/// Checks that a field is refused with these words, in the shape of Reportei's validation.
#[track_caller]
fn invalid(answer: &Answer, field: &str, words: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (422, Some("application/json")), "{answer}");
    let body = answer.json();
    assert_eq!(body["errors"][field], json!([words]), "{answer}");
    assert!(body["message"].is_string(), "{answer}");
}

#[test]
fn a_redirect_url_that_is_no_web_address_is_422() {
    let server = start();
    let watch = server.watch();
    for url in [
        json!("javascript:alert(1)"),
        json!("JavaScript:alert(1)"),
        json!("data:text/html,<script>alert(1)</script>"),
        json!("ftp://files.example/x"),
        json!("file:///etc/passwd"),
        json!("//evil.example"),
        json!("/dashboard"),
        json!("reportei.com"),
        json!("https//reportei.com"),
        json!("http://"),
        json!("https://exa mple.com"),
        json!("https://reportei.com/\0"),
        json!("https://reportei.com/\r\nSet-Cookie: a=b"),
        json!(" https://reportei.com"),
        json!("\"><script>https://"),
        json!(""),
        json!(7),
        json!(true),
        json!(["https://reportei.com"]),
        json!({ "url": "https://reportei.com" }),
    ] {
        let answer = call(&server, "POST", "/customer-integrations/session", &json!({ "redirect_url": url }));
        invalid(&answer, "redirect_url", "The redirect url field must be a valid URL.");
    }
    for body in [json!([]), json!("https://reportei.com"), json!(null), json!(1)] {
        invalid(
            &call(&server, "POST", "/customer-integrations/session", &body),
            "body",
            "The request body must be an object.",
        );
    }
    watch.unharmed();
    for url in ["http://localhost:3000/done?a=b&c=%20#x", "https://reportei.com", "HTTPS://REPORTEI.COM/"] {
        let answer =
            call(&server, "POST", "/customer-integrations/session", &json!({ "redirect_url": url })).expect(200);
        assert_eq!(answer.json()["integration_session"]["redirect_url"], url);
    }
}

#[test]
fn customer_tokens_that_are_missing_unknown_or_foreign_are_401() {
    let server = start();
    let watch = server.watch();
    let foreign = "token-5b0c2d1e-3f4a-4b5c-8d6e-7f8091a2b3c4";
    for (method, path, body) in calls()
        .into_iter()
        .filter(|(_, path, _)| path.starts_with("/customer-integrations") || path.starts_with("/metrics"))
    {
        // A deletion is allowed by its session alone, and this session is unknown.
        let missing = if method == "DELETE" { "Invalid Session" } else { "Invalid Customer Token" };
        refused(&server.call(method, &path, &[REPORTEI, JSON], body), 401, missing);
        for token in [
            "",
            "nobody",
            FIRST,
            "Bearer token-caedbbbe-7d93-476f-b965-bf97cd7ce874",
            foreign,
            "token-*",
            "reportei-test-token",
        ] {
            let answer = server.call(method, &path, &[REPORTEI, JSON, ("x-customer-token", token)], body);
            refused(&answer, 401, "Invalid Customer Token");
        }
    }
    watch.unharmed();
}

#[test]
fn a_session_that_is_unknown_foreign_expired_or_missing_deletes_nothing() {
    let server = start();
    let own = session(&server);
    let second = ("x-customer-token", "token-073c1e15-94d0-49b3-9861-a0e9b7ffb06c");
    let other = server.call("POST", "/customer-integrations/session", &[REPORTEI, second], "").expect(200).json();
    let other = other["integration_session"]["session_uuid"].as_str().unwrap().to_owned();
    let acme = ("x-customer-token", "token-5b0c2d1e-3f4a-4b5c-8d6e-7f8091a2b3c4");
    let theirs =
        server.call("POST", "/customer-integrations/session", &[crate::server::ACME, acme], "").expect(200).json();
    let theirs = theirs["integration_session"]["session_uuid"].as_str().unwrap().to_owned();
    let watch = server.watch();
    let delete = |headers: &[(&str, &str)], query: &str| {
        server.call("DELETE", &format!("/customer-integrations/{INTEGRATION}{query}"), headers, "")
    };
    for query in [
        String::new(),
        "?".to_owned(),
        "?session_id".to_owned(),
        "?session_id=".to_owned(),
        format!("?session_id={UNKNOWN}"),
        "?session_id=not-a-uuid".to_owned(),
        "?session_id=%00%ff".to_owned(),
        format!("?session_id={}", "x".repeat(10_000)),
        format!("?session_id={INTEGRATION}"),
        format!("?session_uuid={own}"),
        format!("?Session_Id={own}"),
        format!("?session_id={}", own.to_uppercase()),
        format!("?session_id={own}%20"),
        format!("?session_id={other}"),
        format!("?session_id={theirs}"),
    ] {
        refused(&delete(&[REPORTEI], &query), 401, "Invalid Session");
        refused(&delete(&[REPORTEI, CUSTOMER], &query), 401, "Invalid Session");
    }
    // The session is right, and the caller is somebody else.
    refused(&delete(&[REPORTEI, second], &format!("?session_id={own}")), 401, "Invalid Session");
    refused(&delete(&[crate::server::ACME], &format!("?session_id={own}")), 401, "Invalid Session");
    refused(
        &delete(&[crate::server::ACME, acme], &format!("?session_id={theirs}")),
        404,
        "Customer integration not found.",
    );
    watch.unharmed();
    server.control("POST", "/clock/advance", Some(json!({ "by": "5m" }))).expect(200);
    let watch = server.watch();
    refused(&delete(&[REPORTEI, CUSTOMER], &format!("?session_id={own}")), 401, "Invalid Session");
    watch.unharmed();
}

#[test]
fn a_link_without_a_session_is_404_and_repeats_nothing() {
    let server = start();
    let watch = server.watch();
    for id in [
        UNKNOWN,
        "x",
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "%00",
        "..",
        "%2e%2e%2f",
        &"x".repeat(10_000),
        "{{7*7}}",
        INTEGRATION,
    ] {
        let answer = server.get(&format!("/customer-integrations/session/{id}")).expect(404);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{id}");
        assert!(answer.text().contains("There is no such session"), "{answer}");
        assert!(!answer.text().contains("alert") && !answer.text().contains("49"), "{answer}");
    }
    server.get("/customer-integrations/session/").problem(404, "no-operation");
    server.get(&format!("/customer-integrations/session/{UNKNOWN}/x")).problem(404, "no-operation");
    for method in ["PUT", "DELETE", "PATCH"] {
        server
            .call(method, &format!("/customer-integrations/session/{UNKNOWN}"), &[], "")
            .problem(405, "method-not-allowed");
    }
    watch.unharmed();
}

#[test]
fn integrations_that_are_unknown_malformed_or_foreign_are_alike() {
    let server = start();
    let own = session(&server);
    let watch = server.watch();
    let second = "6110b666-0327-4a81-b48e-9feb34d72f78";
    let acmes = "8d2f60a4-91c3-4e57-a6b8-3c5d7e9f1021";
    for id in [
        UNKNOWN,
        second,
        acmes,
        "1",
        "not-a-uuid",
        &INTEGRATION[1..],
        "%20",
        "null",
        "{$uuid}",
        &"x".repeat(10_000),
        "..%2f..",
        "%00",
    ] {
        for (method, query) in [("GET", String::new()), ("DELETE", format!("?session_id={own}"))] {
            let answer = server.call(method, &format!("/customer-integrations/{id}{query}"), &[REPORTEI, CUSTOMER], "");
            refused(&answer, 404, "Customer integration not found.");
        }
        if !id.contains(['%', '{']) {
            let mut body: Json = serde_json::from_str(METRICS).unwrap();
            body["customer_integration"] = json!(id);
            let answer = call(&server, "POST", "/metrics/get-data", &body);
            match uuid_like(id) {
                true => refused(&answer, 404, "Customer integration not found."),
                false => {
                    invalid(&answer, "customer_integration", "The customer integration field must be a valid UUID.");
                }
            }
        }
    }
    // Another customer of the merchant, seen from there with the merchant's token alone: the session is what counts.
    refused(
        &server.call("DELETE", &format!("/customer-integrations/{second}?session_id={own}"), &[REPORTEI], ""),
        401,
        "Invalid Session",
    );
    watch.unharmed();
}

fn uuid_like(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[test]
fn metrics_that_are_wrong_are_422_field_by_field() {
    let server = start();
    let watch = server.watch();
    let good: Json = serde_json::from_str(METRICS).unwrap();
    for (pointer, value, field, words) in [
        ("/start", json!("yesterday"), "start", "The start field must be a valid date."),
        ("/start", json!("2024-02-30"), "start", "The start field must be a valid date."),
        ("/start", json!("2024-1-1"), "start", "The start field must be a valid date."),
        ("/start", json!("2024-01-01T25:00:00Z"), "start", "The start field must be a valid date."),
        ("/start", json!(20240101), "start", "The start field must be a string."),
        ("/start", Json::Null, "start", "The start field must be a string."),
        ("/end", json!("2023-12-31"), "end", "The end field must be a date after or equal to start."),
        // Instants end a day earlier than dates.
        ("/end", json!("9999-12-31"), "end", "The end field must be a valid date."),
        ("/end", json!(""), "end", "The end field must be a valid date."),
        ("/comparison_start", json!("2024-01-01"), "comparison_end", "The comparison end field is required."),
        ("/comparison_end", json!("2024-01-01"), "comparison_start", "The comparison start field is required."),
        (
            "/comparison_start",
            json!("9999-12-31"),
            "comparison_start",
            "The comparison start field must be a valid date.",
        ),
        ("/customer_integration", json!(7), "customer_integration", "The customer integration field must be a string."),
        ("/metrics", json!([]), "metrics", "The metrics field is required."),
        ("/metrics", json!({ "a": 1 }), "metrics", "The metrics field must be an array."),
        (
            "/metrics",
            json!(vec![good["metrics"][0].clone(); 101]),
            "metrics",
            "The metrics field must not have more than 100 items.",
        ),
        (
            "/metrics",
            json!([good["metrics"][0], good["metrics"][0]]),
            "metrics",
            "The metrics field has a duplicate id.",
        ),
        ("/metrics/0", json!("x"), "metrics.0", "The metrics.0 field must be an object."),
        ("/metrics/0/id", json!(1), "metrics.0.id", "The metrics.0.id field must be a string."),
        ("/metrics/0/id", json!(""), "metrics.0.id", "The metrics.0.id field is required."),
        (
            "/metrics/0/component",
            json!("container_v1"),
            "metrics.0.component",
            "The selected metrics.0.component is invalid.",
        ),
        (
            "/metrics/0/component",
            json!("measured"),
            "metrics.0.component",
            "The selected metrics.0.component is invalid.",
        ),
        ("/metrics/0/metrics", json!("reach"), "metrics.0.metrics", "The metrics.0.metrics field must be an array."),
        ("/metrics/0/metrics/0", json!(7), "metrics.0.metrics.0", "The metrics.0.metrics.0 field must be a string."),
        (
            "/metrics/0/dimensions",
            json!("date"),
            "metrics.0.dimensions",
            "The metrics.0.dimensions field must be an array.",
        ),
        (
            "/metrics/0/entity_type",
            json!("page"),
            "metrics.0.entity_type",
            "The selected metrics.0.entity_type is invalid.",
        ),
        (
            "/metrics/0/entity_id",
            json!({}),
            "metrics.0.entity_id",
            "The metrics.0.entity id field must be a string or an integer.",
        ),
    ] {
        let mut body = good.clone();
        match body.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => {
                let (parent, key) = pointer.rsplit_once('/').unwrap();
                body.pointer_mut(parent).unwrap()[key] = value;
            }
        }
        invalid(&call(&server, "POST", "/metrics/get-data", &body), field, words);
    }
    for key in ["customer_integration", "start", "end", "metrics"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(key);
        let words = format!("The {} field is required.", key.replace('_', " "));
        invalid(&call(&server, "POST", "/metrics/get-data", &body), key, &words);
    }
    watch.unharmed();
}

/// The longest period, the most metrics, and names that could mean something to JavaScript: an answer that is bounded.
#[test]
fn the_largest_question_has_a_bounded_answer() {
    let server = start();
    let watch = server.watch();
    let metric = |id: String, component: &str| {
        let names: Vec<String> = (0..20).map(|number| format!("m{number}")).collect();
        json!({ "id": id, "reference_key": "ig:reach", "component": component, "metrics": names, "dimensions": ["date"] })
    };
    let mut metrics: Vec<Json> = ["__proto__", "constructor", "", "a/b~c", "\u{1f41f}", "</script>"]
        .iter()
        .filter(|id| !id.is_empty())
        .map(|id| metric((*id).to_owned(), "number_v1"))
        .collect();
    metrics.extend((metrics.len()..100).map(|number| metric(number.to_string(), "chart_v1")));
    let body =
        json!({ "customer_integration": INTEGRATION, "start": "0001-01-01", "end": "9999-12-30", "metrics": metrics });
    let answer = call(&server, "POST", "/metrics/get-data", &body).expect(200);
    let answer = answer.json();
    assert_eq!(answer.as_object().unwrap().len(), 100);
    assert!(answer["__proto__"]["values"].is_u64());
    let labels = answer["99"]["labels"].as_array().unwrap();
    assert_eq!((labels.len(), &labels[0]), (31, &json!("0001-01-01")));
    assert_eq!(answer["99"]["values"].as_array().unwrap().len(), 20);
    watch.unharmed();
}

#[test]
fn events_with_wrong_input_change_nothing() {
    let server = start();
    let watch = server.watch();
    let customer = FIRST;
    for (event, input, status, slug) in [
        ("connect", json!({}), 422, "event-invalid"),
        ("connect", json!({ "customer_uuid": customer }), 422, "event-invalid"),
        ("connect", json!({ "customer_uuid": customer, "network": "myspace" }), 422, "event-invalid"),
        ("connect", json!({ "customer_uuid": customer, "network": 7 }), 422, "event-invalid"),
        ("connect", json!({ "customer_uuid": UNKNOWN, "network": "facebook" }), 404, "record-unknown"),
        ("connect", json!({ "customer_uuid": "x", "network": "facebook" }), 422, "event-invalid"),
        ("reconnect", json!({ "uuid": UNKNOWN }), 404, "record-unknown"),
        ("reconnect", json!({ "uuid": customer }), 404, "record-unknown"),
        ("expire", json!({ "uuid": null }), 422, "event-invalid"),
    ] {
        let answer = server.control("POST", &format!("/events/reportei/{event}"), Some(input));
        assert_eq!(answer.status, status, "{event}: {answer}");
        answer.problem(status, slug);
    }
    watch.unharmed();
}

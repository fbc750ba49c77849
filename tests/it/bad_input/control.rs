//! Calls of the control plane that cannot be.

use super::*;

// ---- the control plane ----

#[test]
fn every_control_path_refuses_other_methods_with_allow() {
    let server = start();
    let watch = server.watch();
    let index = server.control("GET", "", None).json();
    let routes: Vec<(&str, &str)> = index["routes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| route.as_str().unwrap().split_once(' ').unwrap())
        .collect();
    assert!(routes.len() >= 25);
    for (_, path) in &routes {
        let mut allowed: Vec<&str> =
            routes.iter().filter(|(_, other)| other == path).map(|(method, _)| *method).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.sort_unstable();
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            if allowed.contains(&method) {
                continue;
            }
            let answer = server.call(method, path, &[JSON], "");
            assert_eq!(answer.status, 405, "{method} {path}: {answer}");
            let mut methods: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            methods.sort_unstable();
            assert_eq!(methods, allowed, "{method} {path}");
            if method != "HEAD" {
                answer.problem(405, "method-not-allowed");
            }
        }
    }
    watch.unharmed();
}

#[test]
fn every_control_path_with_a_body_refuses_what_is_no_object() {
    let server = start();
    let watch = server.watch();
    let customer = format!("/state/reportei/customer/{FIRST}");
    for (method, path) in [
        ("POST", "/sandboxes"),
        ("POST", "/reset"),
        ("PUT", "/clock"),
        ("POST", "/clock/advance"),
        ("POST", "/state/reportei/customer"),
        ("PUT", &customer),
        ("PATCH", &customer),
        ("POST", "/events/reportei/revoke"),
    ] {
        let call =
            |headers: &[(&str, &str)], body: &str| server.call(method, &format!("/_standin{path}"), headers, body);
        call(&[("Content-Type", "text/plain")], "{}").problem(415, "media-type");
        call(&[("Content-Type", "text/plain; application/json")], "{}").problem(415, "media-type");
        let detail = call(&[JSON], "{\n\"by\": }").problem(400, "body-syntax");
        assert!(detail.contains("line 2"), "{detail}");
        assert!(call(&[JSON], r#"{"a":1,"a":2}"#).problem(400, "body-syntax").contains("duplicate key `a`"));
        for body in ["[]", "1", "null", "\"7d\""] {
            call(&[JSON], body).problem(400, "body-kind");
        }
    }
    watch.unharmed();
}

#[test]
fn unknown_members_are_refused_with_what_was_meant() {
    let server = start();
    let watch = server.watch();
    for (method, path, body, meant) in [
        ("POST", "/sandboxes", json!({ "name": "a" }), None),
        ("POST", "/sandboxes", json!({ "Id": "a" }), Some("id")),
        ("POST", "/sandboxes", json!({ "clok": "2024-10-01T17:15:12Z" }), Some("clock")),
        ("PUT", "/clock", json!({ "mod": "frozen" }), Some("mode")),
        ("POST", "/clock/advance", json!({ "bye": "7d" }), Some("by")),
        ("POST", "/reset", json!({ "hard": true }), None),
    ] {
        let detail = server.control(method, path, Some(body.clone())).problem(400, "body-member-unknown");
        let member = body.as_object().unwrap().keys().next().unwrap();
        assert!(detail.contains(&format!("`{member}`")), "{detail}");
        if let Some(meant) = meant {
            assert!(detail.contains(&format!("Did you mean `{meant}`?")), "{detail}");
        }
    }
    watch.unharmed();
}

#[test]
fn bad_clock_calls_are_400_and_time_stands_still() {
    let server = start();
    let watch = server.watch();
    for (method, path, body, slug, words) in [
        ("PUT", "/clock", json!({}), "nothing-to-set", "`now`"),
        ("PUT", "/clock", json!({ "now": null }), "nothing-to-set", "`now`"),
        ("PUT", "/clock", json!({ "now": "yesterday" }), "member-invalid", "2024-10-01T17:15:12Z"),
        ("PUT", "/clock", json!({ "now": "2024-13-01T00:00:00Z" }), "member-invalid", "not an instant"),
        ("PUT", "/clock", json!({ "now": 1_727_802_912 }), "member-invalid", "must be a text"),
        ("PUT", "/clock", json!({ "mode": "fast" }), "member-invalid", "`ticking` or `frozen`"),
        ("PUT", "/clock", json!({ "mode": true }), "member-invalid", "must be a text"),
        (
            "PUT",
            "/clock",
            json!({ "now": "2030-01-01T00:00:00Z", "mode": "stopped" }),
            "member-invalid",
            "`ticking` or `frozen`",
        ),
        ("POST", "/clock/advance", json!({}), "advance-what", "either `by`"),
        ("POST", "/clock/advance", json!({ "by": "7d", "to": "2030-01-01T00:00:00Z" }), "advance-what", "either `by`"),
        ("POST", "/clock/advance", json!({ "by": "soon" }), "member-invalid", "7d"),
        ("POST", "/clock/advance", json!({ "by": "" }), "member-invalid", "7d"),
        ("POST", "/clock/advance", json!({ "by": "7" }), "member-invalid", "7d"),
        ("POST", "/clock/advance", json!({ "by": 7 }), "member-invalid", "must be a text"),
        ("POST", "/clock/advance", json!({ "by": "1 month" }), "member-invalid", "7d"),
        ("POST", "/clock/advance", json!({ "by": "9999999999999999999d" }), "member-invalid", "7d"),
        ("POST", "/clock/advance", json!({ "to": "tomorrow" }), "member-invalid", "not an instant"),
        ("POST", "/clock/advance", json!({ "by": "-1s" }), "advance-backwards", "PUT /_standin/clock"),
        ("POST", "/clock/advance", json!({ "by": "-P7D" }), "advance-backwards", "PUT /_standin/clock"),
        ("POST", "/clock/advance", json!({ "to": "2024-10-01T17:15:11Z" }), "advance-backwards", "PUT /_standin/clock"),
        ("POST", "/clock/advance", json!({ "to": "1970-01-01T00:00:00Z" }), "advance-backwards", "PUT /_standin/clock"),
    ] {
        let answer = server.control(method, path, Some(body.clone()));
        let detail = answer.problem(400, slug);
        assert!(detail.contains(words), "{body}: {detail}");
    }
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0, "a refused call is no event");
    watch.unharmed();
}

#[test]
fn at_the_ends_of_time_the_api_still_answers() {
    let server = start();
    for now in ["9999-12-30T21:59:59Z", "0000-01-01T00:00:00Z", "-000001-01-02T00:00:00Z", "9999-12-30T22:00:00Z"] {
        server.control("PUT", "/clock", Some(json!({ "now": now }))).expect(200);
        server.api("POST", "/customers", Some(json!({ "name": now }))).expect(201);
        server.api("GET", "/customers", None).expect(200);
    }
    server.control("POST", "/clock/advance", Some(json!({ "by": "2000000d" }))).expect(200);
    server.control("POST", "/clock/advance", Some(json!({ "by": "2000000d" }))).expect(200);
    assert_eq!(server.get("/_standin/livez").status, 200);
}

#[test]
fn bad_sandbox_calls_are_refused() {
    let server = start();
    let watch = server.watch();
    let long = "a".repeat(64);
    for id in ["", "A", "Alice", "-a", "a-", "a.b", "a/b", "a b", "~a", "ä", "..", "%61", long.as_str()] {
        let detail = server.control("POST", "/sandboxes", Some(json!({ "id": id }))).problem(400, "member-invalid");
        assert!(detail.contains("lower-case"), "{detail}");
    }
    let pack = server.control("POST", "/sandboxes", Some(json!({ "id": "reportei" }))).problem(400, "member-invalid");
    assert!(pack.contains("pack"), "{pack}");
    server.control("POST", "/sandboxes", Some(json!({ "id": "default" }))).problem(409, "sandbox-exists");
    for body in [
        json!({ "id": 1 }),
        json!({ "id": ["a"] }),
        json!({ "clock": "now" }),
        json!({ "clock": 0 }),
        json!({ "seed": -1 }),
        json!({ "seed": 1.5 }),
        json!({ "seed": "1" }),
        json!({ "seed": 18_446_744_073_709_551_616_f64 }),
    ] {
        let answer = server.control("POST", "/sandboxes", Some(body.clone()));
        answer.problem(400, "member-invalid");
        let member = body.as_object().unwrap().keys().next().unwrap();
        assert_eq!(answer.json()["member"], json!(member));
    }
    server.control("DELETE", "/sandboxes/default", None).problem(409, "sandbox-default");
    server.control("DELETE", "/sandboxes/unknown", None).problem(404, "sandbox-unknown");
    server.control("GET", "/sandboxes/unknown", None).problem(404, "sandbox-unknown");
    server.control("GET", "/sandboxes/Alice", None).problem(400, "sandbox-id-invalid");
    for path in [
        "/~/customers",
        "/~Alice/customers",
        "/~a.b/customers",
        "/~-/customers",
        "/~%41/customers",
        &format!("/~{long}/customers"),
    ] {
        server.api("GET", path, None).problem(400, "sandbox-id-invalid");
    }
    server.api("GET", "/~unknown/customers", None).problem(404, "sandbox-unknown");
    watch.unharmed();
}

#[test]
fn there_are_only_so_many_sandboxes() {
    let server = Server::start(&["reportei", "--freeze", "--max-sandboxes", "2"]);
    for id in ["one", "two"] {
        server.control("POST", "/sandboxes", Some(json!({ "id": id }))).expect(201);
    }
    let detail = server.control("POST", "/sandboxes", None).problem(429, "sandboxes-full");
    assert!(detail.contains("--max-sandboxes"), "{detail}");
    server.control("DELETE", "/sandboxes/one", None).expect(204);
    server.control("POST", "/sandboxes", Some(json!({ "id": "three" }))).expect(201);
}

#[test]
fn bad_state_calls_are_refused_with_the_reason() {
    let server = start();
    let watch = server.watch();
    let patch = |body: Json| server.control("PATCH", &format!("/state/reportei/customer/{FIRST}"), Some(body));
    for (body, words) in [
        (json!({ "is_payng": true }), "did you mean `is_paying`"),
        (json!({ "is_paying": "yes" }), "is_paying"),
        (json!({ "name": 7 }), "name"),
        (json!({ "uuid": null }), "cannot be null"),
        (json!({ "created_at": "yesterday" }), "%Y-%m-%d %H:%M:%S"),
        (json!({ "created_at": 0 }), "created_at"),
        (json!({ "uuid": "caedbbbe-7d93-476f-b965-bf97cd7ce875" }), "another"),
        (json!({ "uuid": "x" }), "uuid"),
        (json!({ "merchant_uuid": "x" }), "merchant_uuid"),
    ] {
        let detail = patch(body.clone()).problem(422, "record-invalid");
        assert!(detail.contains(words), "{body}: {detail}");
    }
    let detail =
        server.control("POST", "/state/reportei/customer", Some(json!({ "name": "x" }))).problem(422, "record-invalid");
    let post = server.control("POST", "/state/reportei/customer", Some(json!({ "uuid": null, "name": "x" })));
    assert!(post.problem(422, "record-invalid").contains("cannot be null"));
    assert!(detail.contains("is missing"), "{detail}");
    let full = server.control("GET", &format!("/state/reportei/customer/{FIRST}?secrets=show"), None).json();
    server.control("POST", "/state/reportei/customer", Some(full)).problem(409, "record-conflict");
    let id = "00000000-0000-4000-8000-000000000000";
    for (method, body) in [("PATCH", json!({ "name": "x" })), ("DELETE", json!({})), ("GET", json!({}))] {
        server.control(method, &format!("/state/reportei/customer/{id}"), Some(body)).problem(404, "record-unknown");
    }
    server.control("PUT", &format!("/state/reportei/customer/{id}"), Some(json!({}))).problem(422, "record-invalid");
    server
        .control("PUT", "/state/reportei/customer/not-a-uuid", Some(json!({ "name": "x" })))
        .problem(422, "record-invalid");
    assert_eq!(server.control("GET", "/log", None).json()["total"], 0, "a refused edit is no event");
    watch.unharmed();
}

#[test]
fn bad_events_are_refused_with_the_reason() {
    let server = start();
    let watch = server.watch();
    let detail = server.control("POST", "/events/reportei/revok", Some(json!({}))).problem(404, "event-unknown");
    assert!(detail.contains("Did you mean `revoke`?"), "{detail}");
    server.control("POST", "/events/reporte/revoke", Some(json!({}))).problem(404, "pack-unknown");
    for body in [
        json!({}),
        json!({ "uuid": 1 }),
        json!({ "uuid": "x" }),
        json!({ "id": "6110b666-0327-4a81-b48e-9feb34d72f78" }),
    ] {
        let answer = server.control("POST", "/events/reportei/revoke", Some(body.clone()));
        let detail = answer.problem(422, "event-invalid");
        assert!(detail.contains("GET /_standin/events"), "{detail}");
        assert_eq!(answer.json()["violations"].as_array().unwrap().len(), 1, "{body}: {answer}");
    }
    let unknown = json!({ "uuid": "00000000-0000-4000-8000-000000000000" });
    server.control("POST", "/events/reportei/revoke", Some(unknown)).problem(404, "record-unknown");
    watch.unharmed();
}

#[test]
fn bad_numbers_in_lists_and_entries_are_400() {
    let server = start();
    let watch = server.watch();
    for path in ["/journal", "/log", "/sandboxes", "/state/reportei/customer"] {
        for query in ["limit=0", "limit=1001", "limit=abc", "limit=-1", "limit=", "limit=99999999999999999999"] {
            server.control("GET", &format!("{path}?{query}"), None).problem(400, "limit-invalid");
        }
        for query in ["after=abc", "after=-1", "after=1.5", "after=99999999999999999999"] {
            server.control("GET", &format!("{path}?{query}"), None).problem(400, "after-invalid");
        }
        let beyond = server.control("GET", &format!("{path}?after=18446744073709551615"), None).expect(200).json();
        assert_eq!((&beyond["records"], &beyond["next"]), (&json!([]), &Json::Null), "{path}");
    }
    for entry in ["abc", "-1", "1.5", "99999999999999999999", "%00"] {
        server.control("GET", &format!("/journal/{entry}"), None).problem(400, "entry-invalid");
    }
    for entry in ["0", "1", "18446744073709551615"] {
        server.control("GET", &format!("/journal/{entry}"), None).problem(404, "entry-unknown");
    }
    let detail = server.control("GET", "/log?secrets=yes", None).problem(400, "secrets-invalid");
    assert!(detail.contains("`show`"), "{detail}");
    watch.unharmed();
}

#[test]
fn parameters_of_the_query_that_a_call_does_not_know_are_400() {
    let server = start();
    let watch = server.watch();
    for (method, path, unknown, words) in [
        ("GET", "/journal", "statuss=500", "Did you mean `status`?"),
        ("GET", "/journal", "status=500&Status=500", "`Status` is no parameter here"),
        ("GET", "/log", "secret=show", "Did you mean `secrets`?"),
        ("GET", "/state/reportei/customer", "secret=show", "Did you mean `secrets`?"),
        ("GET", "/sandboxes", "secrets=show", "`limit` or `after`"),
        ("GET", "/clock", "now=x", "the query may have none"),
        ("POST", "/reset", "force", "the query may have none"),
        ("DELETE", "/journal", "before=3", "the query may have none"),
        ("GET", "", "=", "`` is no parameter here"),
    ] {
        let detail = server.control(method, &format!("{path}?{unknown}"), None).problem(400, "query-unknown");
        assert!(detail.contains(words), "{path}?{unknown}: {detail}");
    }
    watch.unharmed();
    server.control("GET", "/clock?", None).expect(200);
}

/// A record of an owner who does not exist would be seen by nobody.
#[test]
fn a_record_belongs_to_somebody_who_exists() {
    let server = start();
    let watch = server.watch();
    let nobody = json!({ "merchant_uuid": UNKNOWN });
    let path = format!("/state/reportei/customer/{FIRST}");
    let detail = server.control("PATCH", &path, Some(nobody)).problem(422, "record-invalid");
    assert!(detail.contains(&format!("`merchant_uuid`: there is no `merchant` with the id `{UNKNOWN}`")), "{detail}");
    let session =
        json!({ "expires_at": "2024-10-01T17:20:12.000000Z", "redirect_url": null, "customer_uuid": UNKNOWN });
    server.control("POST", "/state/reportei/session", Some(session.clone())).problem(422, "record-invalid");
    server.control("PUT", &format!("/state/reportei/session/{UNKNOWN}"), Some(session)).problem(422, "record-invalid");
    let misspelt = json!({ "nmae": "x" });
    let detail = server.control("PATCH", &path, Some(misspelt)).problem(422, "record-invalid");
    assert!(detail.ends_with("(did you mean `name`?)."), "{detail}");
    watch.unharmed();
}

/// Nobody calls when an event happens.
#[test]
fn an_event_about_nothing_says_what_there_is_not() {
    let server = start();
    let answer = server.control("POST", "/events/reportei/expire", Some(json!({ "uuid": UNKNOWN })));
    let detail = answer.problem(404, "record-unknown");
    assert!(detail.contains(&format!("there is no `integration` with the id `{UNKNOWN}`")), "{detail}");
}

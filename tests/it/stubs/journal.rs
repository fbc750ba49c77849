//! Stubs in the journal, and what is secret.

use super::*;

#[test]
fn the_journal_tells_which_stub_answered_and_finds_by_it() {
    let server = Server::start(&["reportei", "--freeze"]);
    let id = add(&server, json!({ "url": "/a" }), json!({}), json!({}));
    server.get("/a").expect(200);
    server.api("GET", "/customers", None).expect(200);
    server.get("/nothing").expect(404);
    let list = server.control("GET", &format!("/journal?stub={}", id.to_uppercase()), None).expect(200).json();
    assert_eq!(
        (&list["total"], &list["records"][0]["stub"], &list["records"][0]["path"]),
        (&json!(1), &json!(id), &json!("/a"))
    );
    let count = server.control("POST", "/journal/count", Some(json!({ "stub": id }))).expect(200).json();
    assert_eq!(count["count"], 1);
    let detail = server.control("GET", "/journal?stub=a", None).problem(400, "filter-invalid");
    assert!(detail.contains("a UUID"), "{detail}");
    let unmatched = server.control("GET", "/journal/unmatched", None).json();
    assert_eq!((&unmatched["total"], &unmatched["records"][0]["path"]), (&json!(1), &json!("/nothing")));
    let settings = server.control("GET", "/log", None).json();
    assert_eq!(
        (&settings["records"][0]["kind"], &settings["records"][0]["path"]),
        (&json!("setting"), &json!(format!("/stubs/{id}")))
    );
}

#[test]
fn secrets_of_requests_are_masked_and_found_all_the_same() {
    let server = Server::start(&["reportei", "--freeze"]);
    add(&server, json!({ "url": "/a" }), json!({}), json!({}));
    let headers = [("Authorization", "Bearer very-secret-token"), ("Cookie", "sid=very-secret-cookie")];
    server.call("POST", "/a?x=1", &headers, "very-secret-token in a body").expect(404);
    server.call("POST", "/a", &headers, "").expect(200);
    let pattern = json!({ "headers": { "Authorization": { "equalTo": "Bearer very-secret-token" } } });
    let counted = admin(&server, "POST", "/requests/count", Some(pattern.clone())).expect(200).json();
    assert_eq!(counted, json!({ "count": 2, "requestJournalDisabled": false, "evicted": 0 }));
    let calls = [
        ("POST", "/requests/find", Some(pattern)),
        ("GET", "/requests", None),
        ("GET", "/requests/unmatched", None),
        ("GET", "/requests/unmatched/near-misses", None),
        (
            "POST",
            "/near-misses/request-pattern",
            Some(json!({ "url": "/a", "cookies": { "sid": { "equalTo": "x" } } })),
        ),
    ];
    for (method, path, body) in calls {
        let answer = admin(&server, method, path, body).expect(200);
        assert!(!answer.text().contains("very-secret"), "{path}: {answer}");
        assert!(answer.text().contains("Bearer •••"), "{path}: {answer}");
    }
}

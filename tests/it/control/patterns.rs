//! Which exchanges are meant: the filters of the journal, and the same as the body of a count.

use super::*;

/// As [`with_exchanges`] at five instants a minute apart, the second with headers and a body worth looking for.
fn over_time() -> Server {
    let server = start();
    server.api("GET", "/customers?page=1&sort=a%20b", None).expect(200);
    advance(&server, "1m");
    let headers = [REPORTEI, JSON, ("X-Build", "Build-Seven"), ("X-Build", "other")];
    let body = r#"{"name": "Zoë (GmbH)", "address": {"city": "Köln", "lines": [1, {"b": 2.0}]}}"#;
    server.call("POST", "/api/customers", &headers, body).expect(201);
    advance(&server, "1m");
    server.api("POST", "/customers", Some(json!({}))).expect(422);
    advance(&server, "1m");
    server.api("GET", "/customers/unknown", None).expect(404);
    advance(&server, "1m");
    server.call("POST", "/customers", &[REPORTEI, JSON], b"\xff zoom".as_slice()).expect(400);
    server
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A condition as the query of a list and as the body of a count finds the same.
#[test]
fn a_condition_means_the_same_in_a_query_and_in_a_body() {
    let server = over_time();
    let exchanges = [1, 3, 5, 7, 9];
    for (name, value, expected) in [
        ("operation", "create", &[3, 5, 9][..]),
        ("operation", "reportei/customers/list", &[1]),
        ("method", "post", &[3, 5, 9]),
        ("path", "/api/customers", &[3]),
        ("pathPattern", "^/(api/)?customers$", &[1, 3, 5, 9]),
        ("pathPattern", r"/customers/\w+$", &[7]),
        ("pathPattern", "CUSTOMERS", &[]),
        ("pathPattern", "(?i)CUSTOMERS/", &[7]),
        ("pack", "reportei", &exchanges),
        ("status", "422", &[5]),
        ("status", "4xx", &[5, 7, 9]),
        ("contract", "documented", &[1, 3]),
        ("since", "2024-10-01T17:15:12Z", &exchanges),
        ("since", "2024-10-01T17:17:12Z", &[5, 7, 9]),
        ("since", "2024-10-01T17:17:12.000001Z", &[7, 9]),
        ("since", "2024-10-01T19:17:12+02:00", &[5, 7, 9]),
        ("until", "2024-10-01T17:17:12Z", &[1, 3]),
        ("until", "2024-10-01 17:17:12.000001", &[1, 3, 5]),
        ("until", "2024-10-01T17:15:12Z", &[]),
        ("finding", "true", &[]),
        ("finding", "false", &exchanges),
        // Method, path and query are one line.
        ("text", "get /customers?PAGE=1", &[1]),
        ("text", "get /customers/", &[7]),
        ("text", "sort=a%20B", &[1]),
        ("text", "build-seven", &[3]),
        ("text", "ZOË (gmbh)", &[3]),
        ("text", "Zo", &[3]),
        ("text", "CUSTOMERS/CREATE", &[3, 5, 9]),
        ("text", "the NAME field is required.", &[5]),
        ("text", "(CREATE-customer.json#/", &[5]),
        ("text", "nowhere at all", &[]),
        ("text", ".*", &[]),
    ] {
        let list = server.control("GET", &format!("/journal?{name}={}", encoded(value)), None).expect(200).json();
        assert_eq!(numbers(&list), expected, "{name}={value}");
        let written = match name {
            "finding" => json!(value == "true"),
            _ => json!(value),
        };
        let count = server.control("POST", "/journal/count", Some(json!({ name: written }))).expect(200).json();
        assert_eq!(count, json!({ "count": expected.len(), "evicted": 0 }), "{name}: {written}");
    }
}

#[test]
fn a_count_also_asks_for_query_headers_and_body() {
    let server = over_time();
    for (pattern, expected) in [
        (json!({}), 5),
        (json!({ "status": 404 }), 1),
        (json!({ "status": "404" }), 1),
        (json!({ "operation": null, "status": null }), 5),
        (json!({ "query": {} }), 5),
        (json!({ "query": { "page": "1" } }), 1),
        (json!({ "query": { "sort": "a b", "page": "1" } }), 1),
        (json!({ "query": { "sort": "a b", "page": "2" } }), 0),
        (json!({ "query": { "page": "" } }), 0),
        (json!({ "headers": { "content-TYPE": "application/json" } }), 3),
        (json!({ "headers": { "x-build": "other" } }), 1),
        (json!({ "headers": { "x-build": "Build-Seven, other" } }), 0),
        (json!({ "headers": { "x-build": "build-seven" } }), 0),
        (json!({ "headers": { "x-other": "" } }), 0),
        (json!({ "body": {} }), 2),
        (json!({ "body": { "name": "Zoë (GmbH)" } }), 1),
        (json!({ "body": { "address": { "city": "Köln" } } }), 1),
        (json!({ "body": { "address": { "lines": [1, { "b": 2 }] } } }), 1),
        (json!({ "body": { "address": { "lines": [1] } } }), 0),
        (json!({ "body": { "address": { "city": "Bonn" } } }), 0),
        (json!({ "body": { "nothing": null } }), 0),
        (json!({ "body": null }), 0),
        (json!({ "body": [] }), 0),
        (json!({ "after": 3 }), 3),
        (json!({ "after": 3, "until": "2024-10-01T17:18:12Z" }), 1),
        (json!({ "method": "POST", "status": "4xx", "body": {}, "text": "is required", "finding": false }), 1),
    ] {
        let count = server.control("POST", "/journal/count", Some(pattern.clone())).expect(200).json();
        assert_eq!(count, json!({ "count": expected, "evicted": 0 }), "{pattern}");
    }
    let empty = server.call("POST", "/_standin/journal/count", &[], "").expect(200).json();
    assert_eq!(empty["count"], 5, "no body is no condition");
}

/// A step that failed means that the pack or the server is at fault.
#[test]
fn exchanges_with_findings_are_found() {
    let server = case("secret-links", &[]);
    server.get("/letters/first-secret-link").expect(200);
    server.get("/letters/first-secret-link?lang=a%0Ab").expect(200);
    let found = |finding: &str| numbers(&server.control("GET", &format!("/journal?finding={finding}"), None).json());
    assert_eq!((found("true"), found("false")), (vec![2], vec![1]));
    let count = server.control("POST", "/journal/count", Some(json!({ "finding": true }))).expect(200).json();
    assert_eq!(count["count"], 1);
}

#[test]
fn what_had_to_make_room_is_said_with_every_answer() {
    let server = Server::start(&["reportei", "--freeze", "--max-journal-entries", "2"]);
    for _ in 0..3 {
        server.get("/nothing").expect(404);
    }
    let evicted = |evicted: u64| {
        let list = |path: &str| server.control("GET", path, None).expect(200).json();
        for path in ["/journal", "/journal?text=never", "/journal?limit=1", "/journal/unmatched"] {
            assert_eq!(list(path)["evicted"], evicted, "{path}");
        }
        assert_eq!(list("/journal?format=har")["log"]["_evicted"], evicted);
        let count = server.control("POST", "/journal/count", Some(json!({ "status": 404 }))).expect(200).json();
        assert_eq!(count["evicted"], evicted);
        count["count"].as_u64().unwrap()
    };
    assert_eq!(evicted(1), 2);
    // It begins anew, and has all that happened since.
    server.control("DELETE", "/journal", None).expect(204);
    assert_eq!(evicted(0), 0);
    (0..3).for_each(|_| drop(server.get("/nothing").expect(404)));
    assert_eq!(evicted(1), 2);
    server.control("POST", "/reset", None).expect(200);
    assert_eq!(evicted(0), 0);
}

// ---- what cannot be ----

/// Checks that a condition is refused, as a query and as a body, with these words.
#[track_caller]
fn refused(server: &Server, name: &str, value: &str, words: &str) {
    let query = server.control("GET", &format!("/journal?{name}={}", encoded(value)), None);
    let body = server.control("POST", "/journal/count", Some(json!({ name: value })));
    for answer in [query, body] {
        let detail = answer.problem(400, "filter-invalid");
        assert!(detail.contains(words), "{name}={value}: {detail}");
        assert_eq!(answer.json()["filter"], name, "{detail}");
    }
}

/// Such a condition would count nothing, and a test that counts failures would pass.
#[test]
fn a_condition_that_nothing_can_fulfil_is_refused() {
    let server = with_exchanges();
    for (name, value, words) in [
        ("operation", "craete", "Did you mean `create`?"),
        ("operation", "customers/create", "There is no operation `customers/create`"),
        ("operation", "", "There is no operation ``"),
        ("pack", "reportie", "Did you mean `reportei`?"),
        ("contract", "document", "Did you mean `documented`?"),
        ("status", "9xx", "from 100 to 599"),
        ("status", "40", "from 100 to 599"),
        ("status", "4XX", "from 100 to 599"),
        ("status", "", "from 100 to 599"),
        ("status", "600", "from 100 to 599"),
        ("status", "-404", "from 100 to 599"),
        ("method", "", "is not a method: write one such as `GET`"),
        ("method", "GET /", "is not a method"),
        ("path", "", "it begins with `/`"),
        ("path", "customers", "it begins with `/`"),
        ("path", "http://localhost/customers", "it begins with `/`"),
        ("path", "/customers?page=1", "without its query"),
        ("since", "", "is not an instant: write it like 2024-10-01T17:15:12Z"),
        ("since", "yesterday", "is not an instant"),
        ("until", "2024-13-01T00:00:00Z", "is not an instant"),
        ("text", "", "1 to 200 characters, not 0"),
        ("text", &"ä".repeat(201), "1 to 200 characters, not 201"),
        ("text", &"x".repeat(10_000), "not 10000"),
        ("finding", "yes", "it is true or false, not \"yes\""),
    ] {
        refused(&server, name, value, words);
    }
    let unzoned = server.control("GET", "/journal?since=2024-10-01T17:15:12+02:00", None);
    assert!(unzoned.problem(400, "filter-invalid").contains("in a query a `+` is written `%2B`"));
    server.control("GET", "/journal?since=2024-10-01T17:15:12%2B02:00", None).expect(200);
    server.control("GET", &format!("/journal?text={}", encoded(&"ä".repeat(200))), None).expect(200);
}

#[test]
fn conditions_that_contradict_each_other_are_refused() {
    let server = Server::start(&["--freeze"]);
    for (since, until) in [
        ("2024-10-01T17:15:12Z", "2024-10-01T17:15:12Z"),
        ("2024-10-01T17:15:12Z", "2024-10-01T17:15:11Z"),
        ("2024-10-01T17:15:12Z", "2024-10-01T18:15:12+02:00"),
    ] {
        let query = format!("/journal?since={}&until={}", encoded(since), encoded(until));
        let body = json!({ "since": since, "until": until });
        for answer in [server.control("GET", &query, None), server.control("POST", "/journal/count", Some(body))] {
            let detail = answer.problem(400, "filter-invalid");
            assert!(detail.contains("no instant is between them"), "{detail}");
            assert_eq!(answer.json()["filter"], "until");
        }
    }
    let span = json!({ "since": "2024-10-01T17:15:12Z", "until": "2024-10-01T17:15:12.000001Z" });
    server.control("POST", "/journal/count", Some(span)).expect(200);
    // An operation of another pack.
    let pattern = |pack: &str| json!({ "operation": "hubster/identity/token", "pack": pack });
    server.control("POST", "/journal/count", Some(pattern("hubster"))).expect(200);
    server.control("POST", "/journal/count", Some(pattern("reportei"))).problem(400, "filter-invalid");
}

#[test]
fn a_pattern_of_the_path_is_refused_where_it_is_wrong() {
    let server = with_exchanges();
    for (pattern, column, words) in [
        ("/customers/(a", 12, "unclosed group"),
        ("/é/[z-a]", 5, "invalid character class range"),
        ("*", 1, "repetition operator missing expression"),
        (r"(.)\1", 4, "backreferences are not supported"),
        ("/(?=a)", 2, "look-around"),
        (r"/\p{Greek}", 2, "Unicode not allowed here"),
    ] {
        refused(&server, "pathPattern", pattern, &format!("is wrong at character {column}: "));
        refused(&server, "pathPattern", pattern, words);
        let answer = server.control("POST", "/journal/count", Some(json!({ "pathPattern": pattern })));
        assert_eq!(answer.json()["column"], column);
    }
    for (pattern, words) in [
        ("", "1 to 200 characters, not 0"),
        (&*"a".repeat(201), "1 to 200 characters, not 201"),
        (&*"(".repeat(10_000), "not 10000"),
        ("((a{1,100}){1,100}){1,100}", "takes too much memory: repeat less"),
        ("[a-z]{10000}", "takes too much memory"),
    ] {
        refused(&server, "pathPattern", pattern, words);
    }
}

/// Patterns on which a search that goes back takes longer than anybody waits.
#[test]
fn a_pattern_that_is_made_to_be_slow_is_not() {
    let server = start();
    for _ in 0..20 {
        server.api("GET", &format!("/customers/{}!", "a".repeat(5000)), None).expect(404);
    }
    for pattern in [
        "(a+)+$",
        "^/customers/(a|a)*$",
        "(a|aa)+$",
        "(.*a){8}$",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(x+x+)+y",
        "a{0,40}a{40}$",
    ] {
        let count = server.control("POST", "/journal/count", Some(json!({ "pathPattern": pattern }))).expect(200);
        assert_eq!(count.json()["count"], 0, "{pattern}");
    }
    let count = server.control("POST", "/journal/count", Some(json!({ "pathPattern": "(a+)+!$" }))).expect(200);
    assert_eq!(count.json()["count"], 20);
}

#[test]
fn a_malformed_pattern_counts_nothing_and_says_where_it_is_wrong() {
    let server = with_exchanges();
    let watch = server.watch();
    let many: Json = (0..33).map(|number| (number.to_string(), json!(""))).collect();
    for (pattern, place, words) in [
        (json!({ "operation": 1 }), "operation", "it is a text, not 1"),
        (json!({ "method": ["GET"] }), "method", "it is a text, not [\"GET\"]"),
        (json!({ "status": true }), "status", "it is a text, not true"),
        (json!({ "status": 40 }), "status", "a number from 100 to 599 or a class such as `4xx`, not `40`"),
        (json!({ "status": 404.5 }), "status", "not `404.5`"),
        (json!({ "status": -1 }), "status", "not `-1`"),
        (json!({ "finding": "true" }), "finding", "it is true or false, not \"true\""),
        (json!({ "finding": 1 }), "finding", "it is true or false, not 1"),
        (json!({ "since": 0 }), "since", "it is a text, not 0"),
        (json!({ "text": {} }), "text", "it is a text, not {}"),
        (json!({ "pathPattern": [] }), "pathPattern", "it is a text, not []"),
        (json!({ "query": "page=1" }), "query", "it is an object such as {\"name\": \"value\"}, not \"page=1\""),
        (json!({ "query": { "page": 1 } }), "query.page", "it is sent as a text: write \"…\", not 1"),
        (json!({ "query": { "page": null } }), "query.page", "not null"),
        (json!({ "query": many }), "query", "it has 33 members: at most 32"),
        (json!({ "headers": [] }), "headers", "it is an object"),
        (json!({ "headers": { "x y": "1" } }), "headers.x y", "no header can have this name"),
        (json!({ "headers": { "": "1" } }), "headers.", "no header can have this name"),
        (json!({ "headers": { "x": "a\r\nb" } }), "headers.x", "no header can have this value"),
        (json!({ "headers": { "x": " a" } }), "headers.x", "no header can have this value"),
        (json!({ "headers": { "x": 1 } }), "headers.x", "it is sent as a text"),
        (json!({ "after": "1" }), "after", "it is the number of an entry, not \"1\""),
        (json!({ "after": -1 }), "after", "it is the number of an entry, not -1"),
    ] {
        let answer = server.control("POST", "/journal/count", Some(pattern.clone()));
        let detail = answer.problem(400, "filter-invalid");
        assert!(detail.contains(words), "{pattern}: {detail}");
        assert_eq!(answer.json()["filter"], place, "{pattern}: {detail}");
        assert_eq!(answer.json().get("count"), None);
    }
    for (pattern, words) in [
        (json!({ "pathPatern": "x" }), "Did you mean `pathPattern`?"),
        (json!({ "opration": "list" }), "Did you mean `operation`?"),
        (json!({ "limit": 1 }), "`limit` is not understood here"),
        (json!({ "x".repeat(10_000): 1 }), "is not understood here"),
    ] {
        let detail = server.control("POST", "/journal/count", Some(pattern)).problem(400, "body-member-unknown");
        assert!(detail.contains(words), "{detail}");
    }
    let raw = |body: &str| server.call("POST", "/_standin/journal/count", &[JSON], body);
    raw("[]").problem(400, "body-kind");
    raw("{\"status\":").problem(400, "body-syntax");
    raw(r#"{"status":404,"status":200}"#).problem(400, "body-syntax");
    raw(&format!("{{\"body\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000))).problem(400, "body-syntax");
    server.call("POST", "/_standin/journal/count", &[], r#"{"status":404}"#).problem(415, "media-type");
    for query in ["body=1", "headers=x", "query=x", "pathpattern=x"] {
        server.control("GET", &format!("/journal?{query}"), None).problem(400, "query-unknown");
    }
    server.control("POST", "/journal/count?status=404", Some(json!({}))).problem(400, "query-unknown");
    server.control("GET", "/journal/count", None).problem(405, "method-not-allowed");
    watch.unharmed();
}

//! How callers are told where they stand.

use super::*;

#[test]
fn ratelimit_tells_policy_and_standing() {
    let server = with(json!([{ "pack": "reportei", "quota": 60, "window": "60s" }]));
    let first = server.api("GET", PATH, None).expect(200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"default\";q=60;w=60"));
    assert_eq!(first.header("ratelimit"), Some("\"default\";r=59;t=60"));
    assert_eq!(first.header("retry-after"), None);
    advance(&server, "29500ms");
    // Half a second more is a second more: who waits that long is not too early.
    assert_eq!(standing(&server.api("GET", PATH, None)), (58, 31));
    // Errors tell it too, and HEAD.
    assert_eq!(standing(&server.api("GET", "/reportei/customers/x", None).expect(404)), (57, 31));
    assert_eq!(standing(&server.api("POST", PATH, Some(json!({}))).expect(422)), (56, 31));
    assert_eq!(standing(&server.api("HEAD", PATH, None).expect(200)), (55, 31));
}

#[test]
fn x_ratelimit_tells_the_tightest() {
    let server = with(json!([
        { "pack": "reportei", "name": "burst", "quota": 5, "window": "10s", "headers": "x-ratelimit" },
        { "pack": "reportei", "name": "daily", "quota": 6, "window": "1d", "headers": "x-ratelimit" },
    ]));
    let told = || {
        let answer = server.api("GET", PATH, None);
        let [limit, remaining, reset] =
            ["limit", "remaining", "reset"].map(|name| number(&answer, &format!("x-ratelimit-{name}")));
        assert_eq!(answer.header("ratelimit"), None);
        (answer, limit, remaining, reset)
    };
    // 17:15:12 is where time stands.
    let now = 1_727_802_912;
    let (answer, ..) = told();
    assert_eq!(answer.status, 200);
    let (_, limit, remaining, reset) = told();
    assert_eq!((limit, remaining, reset), (5, 3, now + 10));
    for _ in 0..3 {
        told();
    }
    let (answer, limit, remaining, reset) = told();
    assert_eq!((answer.status, limit, remaining, reset), (429, 5, 0, now + 10));
    assert_eq!(number(&answer, "retry-after"), 10);
    advance(&server, "10s");
    let (answer, limit, remaining, reset) = told();
    assert_eq!((answer.status, limit, remaining, reset), (200, 6, 0, now + 86_400));
}

#[test]
fn none_tells_only_when_to_come_back() {
    let server = with(json!([{ "pack": "reportei", "quota": 1, "window": "7s", "headers": "none" }]));
    let names = |answer: &Answer| -> Vec<String> {
        let names = answer.headers.iter().map(|(name, _)| name.clone());
        names.filter(|name| name.contains("limit") || name == "retry-after").collect()
    };
    assert_eq!(names(&server.api("GET", PATH, None).expect(200)), Vec::<String>::new());
    assert_eq!(names(&server.api("GET", PATH, None).expect(429)), ["retry-after"]);
}

#[test]
fn who_waits_as_told_is_let_in_and_who_does_not_is_not() {
    for (headers, window) in [("ratelimit", "1m"), ("x-ratelimit", "90s"), ("ratelimit", "1s"), ("none", "1h")] {
        let limit = json!({ "pack": "reportei", "quota": 2, "window": window, "headers": headers });
        let server = with(json!([limit]));
        server.api("GET", PATH, None).expect(200);
        for begun in ["0s", "300ms", "1us"] {
            advance(&server, begun);
            server.api("GET", PATH, None);
            let refused = server.api("GET", PATH, None).expect(429);
            let wait = number(&refused, "retry-after");
            if headers == "ratelimit" {
                assert_eq!(standing(&refused), (0, wait));
            }
            if wait > 1 {
                advance(&server, &format!("{}s", wait - 1));
                server.api("GET", PATH, None).expect(429);
                advance(&server, "1s");
            } else {
                advance(&server, &format!("{wait}s"));
            }
            server.api("GET", PATH, None).expect(200);
        }
    }
}

#[test]
fn pages_of_other_origins_may_read_them() {
    let server = with(json!([{ "pack": "reportei", "quota": 1, "window": "1m" }]));
    let page = ("Origin", "https://app.example");
    let exposed = |answer: &Answer| answer.header("access-control-expose-headers").unwrap().to_owned();
    let first = exposed(&server.call("GET", PATH, &[REPORTEI, page], "").expect(200));
    assert!(first.contains("ratelimit-policy") && first.split(", ").any(|name| name == "ratelimit"), "{first}");
    let refused = exposed(&server.call("GET", PATH, &[REPORTEI, page], "").expect(429));
    assert!(refused.contains("retry-after"), "{refused}");
}

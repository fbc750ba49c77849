//! Limits that cannot be: each is refused with its place and the remedy, and nothing changes.

use super::*;
use crate::faults::refusals;
use crate::server::standin;
use crate::support::golden;

fn wrong() -> Vec<Json> {
    let good = || json!({ "pack": "reportei", "quota": 60, "window": "1m" });
    let with = |name: &str, value: Json| {
        let mut limit = good();
        limit[name] = value;
        limit
    };
    let without = |name: &str| {
        let mut limit = good();
        limit.as_object_mut().unwrap().remove(name);
        limit
    };
    let rules = [
        json!(60),
        json!({}),
        without("pack"),
        without("quota"),
        without("window"),
        with("pack", json!("reporte")),
        with("pack", json!(null)),
        with("quota", json!(0)),
        with("quota", json!(-1)),
        with("quota", json!(1.5)),
        with("quota", json!("60")),
        with("quota", json!(1_000_000_001)),
        with("window", json!("0s")),
        with("window", json!("-1m")),
        with("window", json!("500ms")),
        with("window", json!("1500ms")),
        with("window", json!("367d")),
        with("window", json!("a while")),
        with("window", json!(60)),
        with("name", json!("Per Minute")),
        with("name", json!("")),
        with("name", json!("a\"b")),
        with("name", json!(7)),
        with("headers", json!("x-rate-limit")),
        with("headers", json!(false)),
        with("qouta", json!(60)),
    ];
    let bodies = [
        json!({}),
        json!({ "limits": {} }),
        json!({ "limits": vec![good(); 101] }),
        json!({ "limits": [good(), good()] }),
        json!({ "limits": [good(), { "pack": "reportei", "name": "daily", "quota": 1, "window": "1d", "headers": "none" }] }),
        json!({ "limits": [{ "pack": "x", "quota": 0, "window": "x", "name": "X", "headers": "x", "x": 1 }] }),
    ];
    rules.into_iter().map(|rule| json!({ "limits": [rule] })).chain(bodies).collect()
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let server = Server::start(&["--freeze"]);
    let kept = put(&server, json!([{ "pack": "hubster", "quota": 3, "window": "1m" }]));
    let watch = server.watch();
    let said = refusals(&server, "/limits", wrong());
    golden(&repository("tests/cases/limits/mistakes.txt"), &said).unwrap_or_else(|words| panic!("{words}"));
    assert_eq!(server.control("GET", "/limits", None).json(), kept, "nothing was changed");
    watch.unharmed();
    let detail = server.control("PUT", "/limits", Some(json!({ "limit": [] }))).problem(400, "body-member-unknown");
    assert!(detail.contains("`limits`"), "{detail}");
    server.control("POST", "/limits", None).problem(405, "method-not-allowed");
}

#[test]
fn flags_that_cannot_be_end_with_2() {
    for (flags, words) in [
        (&["reportei"][..], "--rate-limit reportei: it is written PACK=QUOTA/WINDOW, or PACK=none"),
        (&["reportei=60"], "--rate-limit reportei=60: it is written PACK=QUOTA/WINDOW, or PACK=none"),
        (&["reporte=60/1m"], "--rate-limit reporte=60/1m: `pack`: there is no pack `reporte`"),
        (&["reporte=none"], "--rate-limit reporte=none: there is no pack `reporte`"),
        (&["reportei=0/1m"], "--rate-limit reportei=0/1m: `quota`: it is a whole number from 1 to 1000000000, not 0"),
        (&["reportei=many/1m"], "`quota`: it is a whole number from 1 to 1000000000, not \"many\""),
        (&["reportei=60/soon"], "`window`: `soon` is not a length of time"),
        (&["reportei=60/10ms"], "`window`: it lasts at least a second"),
        (&["reportei=60/1m", "reportei=none"], "--rate-limit reportei=60/1m: the pack has `none` too"),
    ] {
        let flags = flags.iter().flat_map(|flag| ["--rate-limit", *flag]);
        let output = standin().args(["serve", "--port", "0"]).args(flags.clone()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{words}: {said}");
    }
    let output = standin().args(["serve", "--port", "0", "--rate-limit-headers", "github"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("x-ratelimit"));
}

/// Who calls with ever new credentials is counted apart, and what is over is forgotten.
#[test]
fn many_callers_are_counted_apart() {
    let server = Server::start(&["reportei", "--freeze"]);
    put(&server, json!([{ "pack": "reportei", "quota": 1, "window": "1m" }]));
    let merchant = |number: usize| format!("merchant-token-{number:04}");
    for number in 0..40 {
        let record = json!({ "name": format!("M{number}"), "uuid": format!("00000000-0000-4000-8000-{number:012}"), "access_token": merchant(number) });
        server.control("POST", "/state/reportei/merchant", Some(record)).expect(201);
    }
    let call = |number: usize| {
        let bearer = format!("Bearer {}", merchant(number));
        server.api_as(("Authorization", &bearer), "GET", "/customers", None).status
    };
    assert!((0..40).all(|number| call(number) == 200));
    assert!((0..40).all(|number| call(number) == 429));
    assert_eq!(callers(&server, 0).len(), 40);
    advance(&server, "1m");
    assert_eq!(callers(&server, 0).len(), 0);
    assert_eq!(call(3), 200);
}

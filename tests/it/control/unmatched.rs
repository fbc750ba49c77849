//! Requests that no operation answered, with what was probably meant.

use super::*;
use crate::hubster::PORTAL;

const ZERO: &str = "00000000-0000-0000-0000-000000000000";

#[test]
fn what_no_operation_answered_is_listed_with_what_was_nearly_meant() {
    let server = Server::start(&["--freeze"]);
    server.api("GET", "/reportei/customers", None).expect(200);
    server.api("GET", "/reportei/customers/unknown", None).expect(404);
    server.api("GET", "/reportei/costumers?page=2", None).expect(404);
    server.api("PATCH", "/reportei/customers", Some(json!({}))).expect(405);
    server.call("GET", "/hubster/api/v1/integration", &[PORTAL], "").expect(404);
    // The pack answers this one itself, with an operation for it.
    let own = server.call("POST", "/optimizeplayer/api/v1/integrations/1", &[], "").expect(405);
    assert!(own.header("standin-operation").is_some(), "{own}");
    // Which of two operations was meant is not known; it is one of them.
    let either = format!("/hubster/api/v1/integrations/hubs/{ZERO}");
    let refused = server.call("POST", &either, &[JSON], "{}").expect(401);
    assert_eq!(refused.header("standin-operation"), None, "{refused}");
    advance(&server, "1m");
    server.api("GET", "/reportei/api/customer-integrations/a/b/c/d", None).expect(404);
    server.api("GET", "/customers", None).expect(404);

    let list = server.control("GET", "/journal/unmatched", None).expect(200).json();
    assert_eq!(numbers(&list), [3, 4, 5, 9, 10], "newest last");
    assert_eq!((&list["total"], &list["next"], &list["evicted"]), (&json!(5), &Json::Null, &json!(0)));
    let records = list["records"].as_array().unwrap();
    for (record, status) in records.iter().zip([404, 405, 404, 404, 404]) {
        assert_eq!((&record["status"], &record["operation"]), (&json!(status), &Json::Null));
        // The answer said the same.
        let entry = server.control("GET", &format!("/journal/{}", record["entry"]), None).expect(200).json();
        let told: Json = serde_json::from_str(entry["exchange"]["response"]["body"]["text"].as_str().unwrap()).unwrap();
        assert_eq!(record["nearMisses"], told["nearMisses"], "{record}");
    }
    let nearest = &records[0]["nearMisses"][0];
    assert_eq!(
        (&nearest["operation"], &nearest["request"]),
        (&json!("reportei/customers/list"), &json!("GET /customers"))
    );
    assert_eq!(nearest["difference"], "the path has `customers` where `costumers` stands");
    assert_eq!(records[1]["nearMisses"][0]["difference"], "the method is GET, not PATCH");
    assert_eq!(records[2]["nearMisses"][0]["pack"], "hubster");
    assert_eq!(records[3]["at"], "2024-10-01T17:16:12Z");
    let lost = "the path exists in pack `reportei`: the base URL lost its prefix `/reportei`";
    assert_eq!((&records[4]["pack"], &records[4]["nearMisses"][0]["difference"]), (&Json::Null, &json!(lost)));

    let piece = server.control("GET", "/journal/unmatched?limit=2&after=3", None).expect(200).json();
    assert_eq!((numbers(&piece), &piece["total"], &piece["next"]), (vec![4, 5], &json!(4), &json!(5)));
    let rest = server.control("GET", "/journal/unmatched?limit=2&after=5", None).expect(200).json();
    assert_eq!((numbers(&rest), &rest["next"]), (vec![9, 10], &Json::Null));
}

/// What no operation answered while the options were as they are in the sandbox.
#[test]
fn near_misses_are_those_of_the_sandbox() {
    let server = Server::start(&["optimizeplayer", "--freeze"]);
    let options = json!({ "optimizeplayer.v1-paths": true });
    server.control("POST", "/sandboxes", Some(json!({ "id": "other", "options": options }))).expect(201);
    for prefix in ["", "/~other"] {
        server.get(&format!("{prefix}/v1/integration?api_key=test_key")).expect(404);
    }
    let misses = |prefix: &str| {
        let list = server.get(&format!("{prefix}/_standin/journal/unmatched")).expect(200).json();
        list["records"][0]["nearMisses"].to_string()
    };
    assert!(misses("/~other").contains("GET /v1/integrations"), "{}", misses("/~other"));
    assert!(!misses("").contains("GET /v1/integrations"), "{}", misses(""));
}

#[test]
fn a_near_miss_does_not_quote_a_secret() {
    let server = start();
    let auth = ("Authorization", "Bearer the-real-token");
    server.call("GET", "/customers/the-real-token/%74he-real-token/x", &[auth], "").expect(404);
    let masked = server.control("GET", "/journal/unmatched", None).expect(200).text();
    assert!(masked.contains("nearMisses\":[{") && masked.contains("•••"), "{masked}");
    assert!(!masked.contains("he-real-token"), "{masked}");
    let shown = server.control("GET", "/journal/unmatched?secrets=show", None).expect(200).text();
    assert!(shown.contains("/customers/the-real-token/%74he-real-token/x"), "{shown}");
}

/// A word that is far too long is not compared, letter by letter, with each that could be meant.
#[test]
fn near_misses_of_long_paths_do_not_take_long() {
    let server = start();
    let path = format!("/{}", "customers".repeat(800));
    for _ in 0..300 {
        server.get(&path).expect(404);
    }
    let list = server.control("GET", "/journal/unmatched?limit=1000", None).expect(200).json();
    assert_eq!((list["total"].as_u64(), &list["records"][299]["nearMisses"]), (Some(300), &json!([])));
}

#[test]
fn a_piece_that_cannot_be_is_refused() {
    let server = with_exchanges();
    for (query, slug) in [
        ("limit=0", "limit-invalid"),
        ("limit=1001", "limit-invalid"),
        ("after=x", "after-invalid"),
        ("secrets=all", "secrets-invalid"),
        ("status=404", "query-unknown"),
        ("limt=1", "query-unknown"),
    ] {
        server.control("GET", &format!("/journal/unmatched?{query}"), None).problem(400, slug);
    }
    assert_eq!(server.control("GET", "/journal/unmatched", None).expect(200).json()["total"], 0);
}

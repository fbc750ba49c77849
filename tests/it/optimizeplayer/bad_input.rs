//! The two calls, asked for wrongly. Nothing changes, whatever is sent.

use super::*;

#[test]
fn keys_that_are_missing_empty_wrong_or_odd_are_401() {
    let server = start(&[]);
    let watch = server.watch_pack("optimizeplayer");
    for path in [LIST.to_owned(), format!("{LIST}/1"), format!("{LIST}/3"), format!("{LIST}/99")] {
        for query in [
            "",
            "?",
            "?api_key",
            "?api_key=",
            "?api_key=nobody",
            "?api_key=TEST_KEY",
            "?api_key=test_key%20",
            "?api_key=%20test_key",
            "?api_key=test_key%00",
            "?api_key=%FF",
            "?api_key=test_key,acme_key",
            "?api_key[]=test_key",
            "?Api_Key=test_key",
            "?api-key=test_key",
            "?key=test_key",
            "?api_key=2",
            // Of several keys the first counts, so that none can be slipped in behind.
            "?api_key=nobody&api_key=test_key",
            "?api_key=&api_key=test_key",
        ] {
            refused(&server.get(&format!("{path}{query}")), 401, "unauthorized");
        }
        let long = "x".repeat(10_000);
        refused(&server.get(&format!("{path}?api_key={long}")), 401, "unauthorized");
    }
    watch.unharmed();
}

/// The first speaks, for the list and for one alike.
#[test]
fn of_two_keys_the_first_counts() {
    let server = start(&[]);
    let list = server.get(&format!("{LIST}?api_key=acme_key&api_key=test_key")).expect(200).json();
    assert_eq!(list[0]["account_id"], 3);
    refused(&server.get(&format!("{LIST}/1?api_key=acme_key&api_key=test_key")), 401, "unauthorized");
}

/// An account that is gone takes its key and its integrations with it.
#[test]
fn the_key_of_an_account_that_is_gone_is_401() {
    let server = start(&[]);
    server.control("DELETE", "/state/optimizeplayer/account/3", None).expect(204);
    for path in [LIST.to_owned(), format!("{LIST}/3")] {
        refused(&server.get(&format!("{path}?api_key=acme_key")), 401, "unauthorized");
    }
    get(&server, LIST).expect(200);
}

#[test]
fn ids_that_are_no_integers_are_422() {
    let server = start(&[]);
    let watch = server.watch_pack("optimizeplayer");
    for id in [
        "one",
        "1.0",
        "1.5",
        "1e0",
        "0x1",
        "1,2",
        "1;2",
        "%201",
        "1%20",
        "1%00",
        "+",
        "-",
        "--1",
        "NaN",
        "null",
        "%D9%A1",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999999",
        "1'%20OR%20'1'='1",
        "%3Cscript%3E",
        "..%2F1",
    ] {
        let answer = get(&server, &format!("{LIST}/{id}"));
        refused(&answer, 422, "unprocessable_entity");
        assert_eq!(answer.json()["message"], "The id must be an integer.");
    }
    refused(&get(&server, &format!("{LIST}/{}", "1".repeat(5000))), 422, "unprocessable_entity");
    watch.unharmed();
}

#[test]
fn integers_that_nobody_has_are_401_and_integers_in_another_spelling_are_found() {
    let server = start(&[]);
    for id in ["0", "-0", "-1", "4", "99", "9223372036854775807", "-9223372036854775808"] {
        refused(&get(&server, &format!("{LIST}/{id}")), 401, "unauthorized");
    }
    for id in ["01", "0001", "+1", "%31"] {
        assert_eq!(get(&server, &format!("{LIST}/{id}")).expect(200).json()["id"], 1, "{id}");
    }
}

/// No parameter is documented beside the key. Others are ignored, and the journal says so.
#[test]
fn unknown_parameters_are_ignored_and_noted() {
    let server = start(&[]);
    for query in ["page=2", "provider=stripe", "limit=0", "account_id=3", "hide-secrets=true", "id=2"] {
        let answer = server.get(&format!("{LIST}?api_key=test_key&{query}")).expect(200);
        assert_eq!(answer.text(), example("list.200.json").to_string(), "{query}");
        let entry = answer.header("standin-entry").unwrap();
        let trace = server.control("GET", &format!("/journal/{entry}"), None).expect(200).text();
        assert!(trace.contains("not documented, so ignored"), "{query}: {trace}");
    }
}

#[test]
fn other_methods_are_405_with_allow() {
    let server = start(&["optimizeplayer.v1-paths"]);
    let watch = server.watch_pack("optimizeplayer");
    for path in [LIST.to_owned(), format!("{LIST}/1")] {
        for method in ["PUT", "DELETE", "PATCH"] {
            let answer = server.call(method, &format!("{path}?api_key=test_key"), &[], "");
            answer.problem(405, "method-not-allowed");
            // POST is there to explain itself, and no method that anybody should use.
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
    let explained = server.call("POST", "/v1/integrations", &[FORM], "api_key=test_key").expect(405);
    assert!(explained.json()["command"].as_str().is_some_and(|command| command.starts_with("curl -G ")), "{explained}");
    for method in ["PUT", "DELETE"] {
        let answer = server.call(method, "/v1/integrations?api_key=test_key", &[], "");
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    }
    watch.unharmed();
}

#[test]
fn head_gives_the_head_of_get() {
    let server = start(&[]);
    for path in [
        format!("{LIST}?api_key=test_key"),
        format!("{LIST}/1?api_key=test_key"),
        LIST.to_owned(),
        format!("{LIST}/9?api_key=test_key"),
    ] {
        let (head, get) = (server.call("HEAD", &path, &[], ""), server.get(&path));
        assert_eq!(head.status, get.status);
        assert_eq!(head.header("content-length"), get.header("content-length"));
        assert!(head.body.is_empty() && !get.body.is_empty());
    }
}

#[test]
fn paths_beside_the_two_are_problems_that_name_them() {
    let server = start(&[]);
    for path in ["/integrations", "/api/integrations", "/api/v2/integrations", "/api/v1/integrations/1/2", "/api/v1"] {
        let answer = get(&server, path);
        answer.problem(404, "no-operation");
    }
    let near = get(&server, "/api/v1/integration").json()["nearMisses"].clone();
    assert!(near.to_string().contains("optimizeplayer/integrations/list"), "{near}");
}

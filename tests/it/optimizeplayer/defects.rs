//! Defects of the page, by their numbers. What its curl commands send (O1) is in `commands.rs`; what only the words of the
//! page have wrong is noted with the operation that it stands with.

use super::*;

/// The notes of an operation, on one line.
#[track_caller]
fn notes(server: &Server, operation: &str) -> String {
    let operation = server.operation(&format!("optimizeplayer/integrations/{operation}"));
    text(&operation, "notes").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn o1_post_is_405_and_says_what_works() {
    let server = start(&[]);
    for (path, id) in [(LIST.to_owned(), ""), (format!("{LIST}/1"), "/1"), (format!("{LIST}/27"), "/27")] {
        for (headers, body) in [(vec![FORM], "api_key=test_key"), (vec![], ""), (vec![("Accept", "text/html")], "x")] {
            let answer = server.call("POST", &path, &headers, body).expect(405);
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
            let command = format!("curl -G {}{LIST}{id} -d api_key=test_key", server.url());
            assert_eq!(answer.json()["command"], command.as_str());
        }
    }
    assert!(notes(&server, "list").contains("-d and no -G"));
}

#[test]
fn o2_the_key_counts_in_the_query_only() {
    let server = start(&[]);
    for body in ["api_key=test_key", r#"{"api_key":"test_key"}"#] {
        refused(&server.call("GET", LIST, &[FORM], body), 401, "unauthorized");
        refused(&server.call("GET", &format!("{LIST}/1"), &[], body), 401, "unauthorized");
        // A body of a GET is not looked at.
        server.call("GET", &format!("{LIST}?api_key=test_key"), &[FORM], body).expect(200);
    }
    assert!(notes(&server, "list").contains("on a second line"));
}

#[test]
fn o3_the_update_time_is_updated_at() {
    let server = start(&[]);
    let answer = get(&server, &format!("{LIST}/1")).expect(200);
    assert_eq!(answer.json()["updated_at"], "2017-04-25T22:00:47.047560");
    // Of a key that stands there twice, parsed JSON has one.
    assert_eq!(answer.text().matches("\"created_at\"").count(), 1, "{answer}");
    assert!(notes(&server, "list").contains("`created_at` twice"));
}

#[test]
fn o4_the_id_stands_in_the_path() {
    let server = start(&[]);
    let answer = server.call("GET", &format!("{LIST}/1?api_key=test_key&id=2"), &[FORM], "id=2").expect(200);
    assert_eq!(answer.json()["id"], 1);
    assert!(notes(&server, "show").contains("Request body parameters"));
}

#[test]
fn o5_encrypted_fields_are_returned_as_the_examples_show() {
    let server = start(&[]);
    let list = get(&server, LIST).expect(200).json();
    assert_eq!((&list[0]["secret_key"], &list[1]["api_key"]), (&json!("secret_key"), &json!("api_key")));
    let hidden = start(&["optimizeplayer.hide-secrets"]);
    let list = get(&hidden, LIST).expect(200).json();
    assert_eq!(keys(&list[0])[9..], ["publishable_key"]);
    assert_eq!(keys(&list[1])[9..], [""; 0]);
    // Returned, and yet masked where they are nobody's business.
    let log = server.control("GET", "/journal/1", None).expect(200).text();
    assert!(!log.contains(r#""secret_key":"secret_key""#) && !log.contains("test_key"), "{log}");
}

fn hidden(class: &str) -> Json {
    let server = start(&["optimizeplayer.hide-secrets"]);
    let list = server.get(&format!("{LIST}?api_key=kinds_key")).expect(200).json();
    list.as_array().unwrap().iter().find(|shown| shown["type"] == class).unwrap().clone()
}

#[test]
fn o6_the_api_keys_of_convertkit_and_sendreach_have_no_mark() {
    for (class, secret) in [("IntegrationConvertkit", "secret_key"), ("IntegrationSendreach", "secret_api_key")] {
        let shown = hidden(class);
        assert_eq!(shown["api_key"], "api_key");
        assert_eq!(shown.get(secret), None);
    }
    for class in ["IntegrationActiveCampaign", "IntegrationMailchimp", "IntegrationWishlist"] {
        assert_eq!(hidden(class).get("api_key"), None);
    }
}

#[test]
fn o7_the_access_token_of_aweber_has_no_mark() {
    assert_eq!(hidden("IntegrationAweber")["access_token"], "access_token");
    for class in ["IntegrationDrip", "IntegrationIntercom", "IntegrationGoogleAnalytics"] {
        assert_eq!(hidden(class).get("access_token"), None);
    }
}

#[test]
fn o8_amazon_has_a_text_cloudfront_beside_the_boolean_and_a_text_ready() {
    let server = start(&[]);
    let shown = server.get(&format!("{LIST}/12?api_key=kinds_key")).expect(200).json();
    assert_eq!(shown["type"], "IntegrationAmazon");
    assert!(shown["use_cloudfront"].is_boolean() && shown["cloudfront"].is_string() && shown["ready"].is_string());
}

#[test]
fn o10_csn_is_amazons_storage() {
    let server = start(&[]);
    let list = server.get(&format!("{LIST}?api_key=kinds_key")).expect(200).json();
    let csn = list.as_array().unwrap().iter().filter(|shown| shown["integration_type"] == "csn");
    let csn: Vec<&Json> = csn.map(|shown| &shown["provider"]).collect();
    assert_eq!(csn, ["amazon"]);
    assert!(notes(&server, "list").contains("does not explain"));
}

#[test]
fn o11_the_path_is_api_v1_and_v1_by_option() {
    let (server, option) = (start(&[]), start(&["optimizeplayer.v1-paths"]));
    get(&server, "/v1/integrations").expect(404);
    get(&option, "/v1/integrations").expect(200);
    get(&option, LIST).expect(200);
    assert!(notes(&server, "list").contains("http://localhost:3500/api/v1"));
}

#[test]
fn o12_an_unknown_id_is_401_and_404_by_option() {
    let server = start(&[]);
    refused(&get(&server, &format!("{LIST}/99")), 401, "unauthorized");
    refused(&get(&start(&["optimizeplayer.unknown-id=404"]), &format!("{LIST}/99")), 404, "not_found");
    assert!(notes(&server, "show").contains("returns an error"));
}

#[test]
fn o9_o13_defects_of_the_text_are_noted() {
    let server = start(&[]);
    for (row, operation, words) in [
        ("O9", "list", "Example Response, and there is no call"),
        ("O13", "list", "may includes it's own fields"),
        ("O13", "show", "Retrieve a integration"),
        ("O13", "show", "retrived"),
    ] {
        let notes = notes(&server, operation);
        assert!(notes.contains(words), "{row}: {notes}");
    }
}

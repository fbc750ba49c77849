//! Each option, as it is by default and as it is set, for the whole server and for one sandbox.

use super::*;

const KEY: &str = "api_key=test_key";

/// The answers of a server where the option is set for all, and of a sandbox where it is set for this one, are alike.
fn both_ways(option: &str, value: &Json, look: impl Fn(&Server, &str)) {
    let set = match value {
        Json::Bool(true) => format!("optimizeplayer.{option}"),
        other => format!("optimizeplayer.{option}={other}"),
    };
    look(&start(&[&set]), "");
    let server = start(&[]);
    let mut options = json!({});
    options[format!("optimizeplayer.{option}")] = value.clone();
    sandbox(&server, "set", &options);
    look(&server, "/~set");
}

#[test]
fn accept_form_post_answers_the_form_like_the_get() {
    let server = start(&[]);
    for path in [LIST.to_owned(), format!("{LIST}/1")] {
        assert_eq!(post(&server, &path, KEY).expect(405).json()["error"], "method_not_allowed");
    }
    both_ways("accept-form-post", &json!(true), |server, base| {
        for path in [LIST.to_owned(), format!("{LIST}/1")] {
            let path = format!("{base}{path}");
            assert_eq!(post(server, &path, KEY).expect(200).text(), get(server, &path).expect(200).text());
        }
        for (path, form, status) in [
            (LIST.to_owned(), "", 401),
            (LIST.to_owned(), "&", 401),
            (LIST.to_owned(), "api_key=", 401),
            (LIST.to_owned(), "api_key=nobody", 401),
            (LIST.to_owned(), "key=test_key", 401),
            (LIST.to_owned(), "api_key=test_key&api_key=test_key", 400),
            (LIST.to_owned(), "api_key=test_key&page=2", 422),
            (format!("{LIST}/3"), KEY, 401),
            (format!("{LIST}/99"), KEY, 401),
            (format!("{LIST}/one"), KEY, 422),
        ] {
            let answer = post(server, &format!("{base}{path}"), form);
            assert_eq!(answer.status, status, "{path} {form}: {answer}");
            assert_eq!(keys(&answer.json()), ["error", "message"]);
        }
        // The form speaks for one account only, like the key in the query.
        let acme = post(server, &format!("{base}{LIST}"), "api_key=acme_key").expect(200).json();
        assert_eq!(acme.as_array().unwrap().len(), 1);
        // What is no form is not read, and the key in the query is not looked at.
        let answer = server.call("POST", &format!("{base}{LIST}"), &[JSON], r#"{"api_key":"test_key"}"#);
        refused(&answer, 400, "bad_request");
        refused(&post(server, &format!("{base}{LIST}?{KEY}"), ""), 401, "unauthorized");
    });
}

#[test]
fn hide_secrets_leaves_out_what_is_marked_as_encrypted() {
    let kinds = |server: &Server, base: &str| {
        let list = server.get(&format!("{base}{LIST}?api_key=kinds_key")).expect(200).json();
        list.as_array().unwrap().clone()
    };
    for (shown, (class, _, _, encrypted)) in kinds(&start(&[]), "").iter().zip(KINDS) {
        assert!(encrypted.iter().all(|field| shown[*field].is_string()), "{class}");
    }
    both_ways("hide-secrets", &json!(true), |server, base| {
        let list = kinds(server, base);
        assert_eq!(list.len(), KINDS.len());
        for (shown, (class, _, plain, _)) in list.iter().zip(KINDS) {
            let mut own = keys(shown)[9..].to_vec();
            let mut wanted = plain.to_vec();
            own.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(own, wanted, "{class}");
            let alone = server.get(&format!("{base}{LIST}/{}?api_key=kinds_key", shown["id"])).expect(200).json();
            assert_eq!(&alone, shown);
        }
        assert_eq!(get(server, &format!("{base}{LIST}/1")).json()["secret_key"], Json::Null);
    });
}

#[test]
fn unknown_id_chooses_401_or_404() {
    let paths = [format!("{LIST}/3"), format!("{LIST}/99"), format!("{LIST}/-1")];
    let server = start(&[]);
    for path in &paths {
        refused(&get(&server, path), 401, "unauthorized");
    }
    both_ways("unknown-id", &json!(404), |server, base| {
        for path in &paths {
            let answer = get(server, &format!("{base}{path}"));
            refused(&answer, 404, "not_found");
            assert_eq!(answer.header("standin-contract"), Some("assumed"));
        }
        // Whoever is not known hears that, and what is no integer is no id.
        refused(&server.get(&format!("{base}{LIST}/99")), 401, "unauthorized");
        refused(&get(server, &format!("{base}{LIST}/x")), 422, "unprocessable_entity");
    });
    both_ways("unknown-id", &json!(401), |server, base| {
        for path in &paths {
            refused(&get(server, &format!("{base}{path}")), 401, "unauthorized");
        }
    });
}

#[test]
fn v1_paths_are_there_with_the_option_only() {
    let server = start(&[]);
    for path in ["/v1/integrations", "/v1/integrations/1"] {
        get(&server, path).problem(404, "no-operation");
    }
    both_ways("v1-paths", &json!(true), |server, base| {
        for path in ["/integrations", "/integrations/1"] {
            let answer = get(server, &format!("{base}/v1{path}")).expect(200);
            assert_eq!(answer.text(), get(server, &format!("{base}/api/v1{path}")).expect(200).text());
        }
        refused(&server.get(&format!("{base}/v1/integrations")), 401, "unauthorized");
        refused(&get(server, &format!("{base}/v1/integrations/x")), 422, "unprocessable_entity");
    });
}

#[test]
fn options_that_do_not_exist_are_refused() {
    let server = start(&[]);
    for options in [
        json!({ "optimizeplayer.hide-secret": true }),
        json!({ "optimizeplayer.unknown-id": 403 }),
        json!({ "optimizeplayer.hide-secrets": "yes" }),
    ] {
        let answer = server.control("POST", "/sandboxes", Some(json!({ "id": "odd", "options": options })));
        answer.problem(400, "member-invalid");
    }
}

/// With both options the other paths take the form too.
#[test]
fn v1_paths_take_the_form() {
    let server = start(&["optimizeplayer.v1-paths", "optimizeplayer.accept-form-post"]);
    for path in ["/v1/integrations", "/v1/integrations/1"] {
        let form = post(&server, path, KEY).expect(200);
        assert_eq!(form.body, get(&server, path).expect(200).body);
    }
}

/// A record that a test has given another provider shows none of the fields that are secret somewhere.
#[test]
fn hide_secrets_of_unknown_providers_too() {
    let server = start(&["optimizeplayer.hide-secrets"]);
    for provider in ["zapier", "Stripe"] {
        let patch = Some(json!({ "provider": provider }));
        server.control("PATCH", "/state/optimizeplayer/integration/1", patch).expect(200);
        let shown = get(&server, &format!("{LIST}/1")).expect(200).text();
        assert!(!shown.contains("secret_key") && shown.contains("publishable_key"), "{shown}");
    }
}

/// The examples have the names of their fields for values; the journal masks the values and keeps the names.
#[test]
fn the_journal_keeps_names_that_are_values_too() {
    let server = start(&[]);
    get(&server, &format!("{LIST}/1")).expect(200);
    let entry = server.control("GET", "/journal/1", None).expect(200).json();
    let body = entry["exchange"]["response"]["body"]["text"].as_str().unwrap().to_owned();
    assert!(
        body.contains("\"secret_key\":\"•••\"") && body.contains("\"publishable_key\":\"publishable_key\""),
        "{body}"
    );
}

/// Several lines of one header are one list.
#[test]
fn two_lines_of_accept_are_one() {
    let server = start(&[]);
    let accept = [("Accept", "text/html"), ("Accept", "application/json")];
    server.call("GET", &format!("{LIST}?api_key=test_key"), &accept, "").expect(200);
}

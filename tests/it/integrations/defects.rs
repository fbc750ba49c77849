//! Defects of the pages, by their numbers. Those that concern customers alone are with the customers.

use super::*;

#[test]
fn r1_integrations_and_metrics_answer_with_and_without_the_api_prefix() {
    let server = start();
    let customer = Customer::seed(FIRST);
    for base in ["", "/reportei"] {
        let [plain, prefixed] = ["", "/api"].map(|mount| {
            let call = |method: &str, path: &str, body| {
                let answer = customer.call(&server, method, &format!("{base}{mount}{path}"), body).expect(200);
                answer.header("standin-operation").unwrap().to_owned()
            };
            [
                call("POST", "/customer-integrations/session", None),
                call("GET", "/customer-integrations", None),
                call("GET", &format!("/customer-integrations/{SHOWN}"), None),
                call("GET", "/merchants/settings", None),
                call("POST", "/metrics/get-data", Some(question(SHOWN))),
            ]
        });
        assert_eq!(plain, prefixed);
    }
}

#[test]
fn r1_the_session_page_has_no_api_prefix() {
    let server = start();
    let customer = Customer::seed(FIRST);
    for prefix in ["", "/api", "/reportei", "/reportei/api"] {
        let path = format!("{prefix}/customer-integrations/session");
        let answer = customer.call(&server, "POST", &path, None).expect(200).json();
        let session = &answer["integration_session"];
        let root = prefix.trim_end_matches("/api");
        let path = format!("{root}/customer-integrations/session/{}", text(session, "session_uuid"));
        assert_eq!(text(session, "session_link"), format!("{}{path}", server.url()));
        open(&server, &session["session_link"]).expect(200);
        let mounted = format!("{root}/api/customer-integrations/session/{}", text(session, "session_uuid"));
        let answer = server.get(&mounted);
        let detail = answer.problem(404, "no-operation");
        assert!(detail.contains("the path has no `/api` in front"), "{detail}");
    }
}

/// The command that should delete reads instead. Real curl sends it in `curl.rs`.
#[test]
fn r2_only_delete_with_a_session_deletes() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let session = customer.session(&server);
    let path = format!("/customer-integrations/{SHOWN}");
    refused(&server.api("GET", &path, None), 401, "Invalid Customer Token");
    refused(&server.api("DELETE", &path, None), 401, "Invalid Session");
    let get = customer.get(&server, &format!("{path}?session_id={}", text(&session, "session_uuid"))).expect(200);
    assert_eq!(get.header("standin-operation"), Some("reportei/customer-integrations/show"));
    customer.get(&server, &path).expect(200);
}

#[test]
fn r6_a_session_needs_neither_body_nor_content_type() {
    let server = start();
    let token = ("x-customer-token", "token-caedbbbe-7d93-476f-b965-bf97cd7ce874");
    for (headers, body) in [
        (vec![REPORTEI, token], ""),
        (vec![REPORTEI, token, JSON], ""),
        (vec![REPORTEI, token, FORM], ""),
        (vec![REPORTEI, token, ("Content-Length", "0")], ""),
        (vec![REPORTEI, token, JSON], "{}"),
        (vec![REPORTEI, token, JSON], r#"{"redirect_url":null}"#),
    ] {
        let answer = server.call("POST", "/customer-integrations/session", &headers, body).expect(200).json();
        assert_eq!(answer["integration_session"]["redirect_url"], Json::Null);
    }
}

#[test]
fn r8_merchant_settings_do_not_look_at_the_customers_token() {
    let server = start();
    for token in ["nobody", "", "token-caedbbbe-7d93-476f-b965-bf97cd7ce874"] {
        server.call("GET", "/merchants/settings", &[REPORTEI, ("x-customer-token", token)], "").expect(200);
    }
}

#[test]
fn r11_the_two_pages_show_two_integrations() {
    let server = start();
    let [first, second] = [Customer::seed(FIRST), Customer::seed(SECOND)];
    let own = |customer: &Customer| {
        let body = customer.get(&server, "/customers/settings").expect(200).json();
        body["customer"]["integrations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| text(item, "uuid").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(own(&first), [SHOWN]);
    assert_eq!(own(&second), [SETTINGS]);
    // The same thing has other names there: `integration`, `name` and `slug` of one are parts of the other.
    let settings = second.get(&server, "/customers/settings").json()["customer"]["integrations"][0].clone();
    let shown =
        second.get(&server, &format!("/customer-integrations/{SETTINGS}")).json()["customer_integration"].clone();
    assert_eq!(settings["integration"], shown["integration"]["name"]);
    assert_eq!(settings["name"], shown["source_name"]);
    assert_eq!(settings["slug"], shown["integration"]["slug"]);
    assert_eq!(settings["status"], shown["status"]);
}

/// Links that lead nowhere, mangled apostrophes and comments that name another call: none of it changes an answer, and
/// the operation that it stands with says so.
#[test]
fn r12_r13_r14_r15_defects_of_the_text_are_noted() {
    let server = start();
    for (row, operation, words) in [
        ("R12", "reportei/customers/settings", "#update-who-can-access-a-project"),
        ("R12", "reportei/customers/update-payment-status", "END GET /people.json"),
        ("R12", "reportei/customers/show", "START GET /customers"),
        ("R13", "reportei/merchants/settings", "#merchant-settings"),
        ("R14", "reportei/customers/create", "./metrics.md"),
        ("R15", "reportei/customer-integrations/create-session", "apostrophe"),
    ] {
        let operation = server.operation(operation);
        assert!(text(&operation, "notes").contains(words), "{row}: {operation}");
    }
}

#[test]
fn r18_the_session_link_begins_with_what_the_client_called() {
    let server = start();
    let customer = Customer::seed(FIRST);
    server.control("POST", "/sandboxes", Some(json!({ "id": "links" }))).expect(201);
    let port = server.port();
    for (path, host, expected) in [
        ("/customer-integrations/session", "localhost:1234", "http://localhost:1234".to_owned()),
        ("/customer-integrations/session", "reportei.localhost:1", "http://reportei.localhost:1".to_owned()),
        ("/~links/api/customer-integrations/session", "127.0.0.1", "http://127.0.0.1/~links".to_owned()),
        ("/~links/reportei/customer-integrations/session", "[::1]:80", "http://[::1]:80/~links/reportei".to_owned()),
        ("/customer-integrations/session", "links.reportei.localhost", "http://links.reportei.localhost".to_owned()),
    ] {
        let headers = [REPORTEI, ("x-customer-token", customer.token.as_str()), ("Host", host)];
        let body = server.call("POST", path, &headers, "").expect(200).json();
        let link = text(&body["integration_session"], "session_link").to_owned();
        let id = text(&body["integration_session"], "session_uuid");
        assert_eq!(link, format!("{expected}/customer-integrations/session/{id}"));
        // And the page is there, on this port.
        let (_, rest) = link.split_at("http://".len());
        let (authority, path) = rest.split_at(rest.find('/').unwrap());
        let host = format!(
            "{}:{port}",
            authority
                .rsplit_once(':')
                .filter(|(_, port)| port.parse::<u16>().is_ok())
                .map_or(authority, |(name, _)| name)
        );
        server.call("GET", path, &[("Host", &host)], "").expect(200);
    }
    // A header cannot be part of a link.
    let headers = [REPORTEI, ("x-customer-token", customer.token.as_str()), ("Standin-Sandbox", "links")];
    let body = server.call("POST", "/customer-integrations/session", &headers, "").expect(200).json();
    let link = &body["integration_session"]["session_link"];
    assert!(link.as_str().unwrap().starts_with(&format!("{}/~links/customer-integrations/", server.url())), "{link}");
    open(&server, link).expect(200);
}

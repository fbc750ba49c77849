//! Section 1.2: the calls.

use super::*;

// ---- 1.2: calls ----

#[test]
fn call_list_has_data_and_nine_meta_keys_in_the_documented_order() {
    let server = start();
    let answer = server.api("GET", "/customers", None).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!(keys(&body), ["data", "meta"]);
    assert_eq!(keys(&body["data"][0]), KEYS);
    let meta = ["current_page", "from", "last_page", "path", "per_page", "to", "total", "sortBy", "descending"];
    assert_eq!(keys(&body["meta"]), meta);
}

#[test]
fn call_show_gives_one_customer() {
    let server = start();
    let body = server.api("GET", &format!("/customers/{SECOND}"), None).expect(200).json();
    assert_eq!(keys(&body), ["customer"]);
    assert_eq!(keys(&body["customer"]), KEYS);
    assert_eq!(body["customer"]["name"], "Reportei Customer 2");
    assert_eq!(body["customer"]["is_paying"], true);
}

#[test]
fn call_settings_gives_the_integrations_of_the_tokens_customer() {
    let server = start();
    let body = settings(&server, REPORTEI, &format!("token-{SECOND}")).expect(200).json();
    assert_eq!(body["customer"]["uuid"], SECOND);
    assert_eq!(keys(&body["customer"]), [&KEYS[..], &["integrations"]].concat());
    assert_eq!(
        body["customer"]["integrations"],
        json!([{ "uuid": INTEGRATION, "integration": "Instagram Business", "name": "reportei", "slug": "instagram_business", "status": "active" }])
    );
    let new = create(&server, "New");
    let other = settings(&server, REPORTEI, text(&new, "api_token")).expect(200).json();
    assert_eq!(other["customer"]["integrations"], json!([]), "a customer without integrations has an empty list");
}

#[test]
fn call_create_gives_201_and_the_customer_can_be_read() {
    let server = start();
    let made = create(&server, "Padaria");
    assert!(is_uuid(text(&made, "uuid")), "{made}");
    assert_eq!(
        (&made["name"], &made["is_paying"], &made["merchant"]),
        (&json!("Padaria"), &json!(false), &json!("Reportei"))
    );
    let shown = server.api("GET", &format!("/customers/{}", text(&made, "uuid")), None).expect(200).json();
    for key in KEYS {
        assert_eq!(shown["customer"][key], made[key], "{key}");
    }
    let list = server.api("GET", "/customers", None).json();
    assert_eq!(list["data"][2], shown["customer"], "the newest is last");
}

#[test]
fn call_create_makes_a_new_customer_each_time_even_of_the_same_name() {
    let server = start();
    let made: Vec<Json> = (0..5).map(|_| create(&server, "Same")).collect();
    for key in ["uuid", "api_token"] {
        let distinct: BTreeSet<&str> = made.iter().map(|customer| text(customer, key)).collect();
        assert_eq!(distinct.len(), 5, "{key}");
    }
}

#[test]
fn call_update_gives_the_shape_of_show_and_changes_name_and_updated_at_only() {
    let server = start();
    let before = server.api("GET", &format!("/customers/{FIRST}"), None).json();
    advance(&server, "90s");
    let body =
        server.api("PUT", &format!("/customers/{FIRST}"), Some(json!({ "name": "New name" }))).expect(200).json();
    let mut expected = before;
    expected["customer"]["name"] = json!("New name");
    expected["customer"]["updated_at"] = json!("2024-10-01 17:16:42");
    assert_eq!(body.to_string(), expected.to_string());
    assert_eq!(server.api("GET", &format!("/customers/{FIRST}"), None).json(), expected);
}

#[test]
fn call_delete_answers_with_the_documented_body_and_the_customer_is_gone() {
    let server = start();
    let answer = server.api("DELETE", &format!("/customers/{FIRST}"), None).expect(200);
    assert_eq!(answer.json(), json!({ "success": true, "message": "Record successfully removed" }));
    for (method, path, body) in [
        ("GET", format!("/customers/{FIRST}"), None),
        ("DELETE", format!("/customers/{FIRST}"), None),
        ("PUT", format!("/customers/{FIRST}"), Some(json!({ "name": "x" }))),
        ("POST", format!("/customers/{FIRST}/update-payment-status"), Some(json!({ "is_paying": true }))),
    ] {
        assert_eq!(
            server.api(method, &path, body).expect(404).json(),
            json!({ "message": "Customer not found." }),
            "{method} {path}"
        );
    }
    let list = server.api("GET", "/customers", None).json();
    assert_eq!((names(&list), &list["meta"]["total"]), (vec!["Reportei Customer 2"], &json!(1)));
}

/// A body is not asked for, so what it holds is of no interest.
#[test]
fn call_delete_ignores_a_body() {
    let server = start();
    let answer = server.call("DELETE", &format!("/customers/{FIRST}"), &[REPORTEI, JSON], "{not json");
    answer.expect(200);
}

#[test]
fn call_update_payment_status_takes_both_values() {
    let server = start();
    let path = format!("/customers/{FIRST}/update-payment-status");
    let is_paying = || server.api("GET", &format!("/customers/{FIRST}"), None).json()["customer"]["is_paying"].clone();
    for (value, message) in [
        (true, "Customer is now marked as a paying customer"),
        (true, "Customer is now marked as a paying customer"),
        (false, "Customer is no longer marked as a paying customer"),
        (false, "Customer is no longer marked as a paying customer"),
    ] {
        let answer = server.api("POST", &path, Some(json!({ "is_paying": value }))).expect(200);
        assert_eq!(answer.json(), json!({ "success": true, "message": message }));
        let contract = if value { "documented" } else { "documented; body=assumed" };
        assert_eq!(answer.header("standin-contract"), Some(contract), "the page shows the message for `true` only");
        assert_eq!(is_paying(), value);
    }
}

#[test]
fn call_update_payment_status_leaves_name_and_trial_alone() {
    let server = start();
    advance(&server, "1h");
    let before = server.api("GET", &format!("/customers/{FIRST}"), None).json();
    server
        .api("POST", &format!("/customers/{FIRST}/update-payment-status"), Some(json!({ "is_paying": true })))
        .expect(200);
    let mut expected = before;
    expected["customer"]["is_paying"] = json!(true);
    expected["customer"]["updated_at"] = json!("2024-10-01 18:15:12");
    assert_eq!(server.api("GET", &format!("/customers/{FIRST}"), None).json(), expected);
}

#[test]
fn head_works_wherever_get_does() {
    let server = start();
    for path in [
        "/customers".to_owned(),
        format!("/customers/{FIRST}"),
        format!("/customers/{UNKNOWN}"),
        "/_standin/clock".to_owned(),
    ] {
        let get = server.call("GET", &path, &[REPORTEI], "");
        let head = server.call("HEAD", &path, &[REPORTEI], "");
        assert_eq!((head.status, head.body.as_slice()), (get.status, &b""[..]), "{path}");
        for name in ["content-type", "content-length", "standin-operation", "standin-contract"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[test]
fn answers_carry_operation_contract_entry_cache_control_and_the_virtual_date() {
    let server = start();
    let answer = server.api("GET", "/customers", None).expect(200);
    assert_eq!(answer.header("standin-operation"), Some("reportei/customers/list"));
    assert_eq!(answer.header("standin-contract"), Some("documented"));
    assert_eq!(answer.header("standin-entry"), Some("1"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("date"), Some("Tue, 01 Oct 2024 17:15:12 GMT"));
    let clock = server.control("GET", "/clock", None).expect(200);
    assert_ne!(clock.header("date"), Some("Tue, 01 Oct 2024 17:15:12 GMT"), "the control plane sends the real date");
    let refused = server.get("/customers").expect(401);
    assert_eq!(refused.header("standin-contract"), Some("documented; body=assumed"));
    assert_eq!(refused.header("standin-entry"), Some("2"));
}

#[test]
fn names_of_any_script_come_back_as_they_were_sent() {
    let server = start();
    for name in [
        "Açaí São João",
        "株式会社ラポルテイ",
        "Zoë 👩‍👩‍👧 & Söhne <b>\"'\\",
        "\u{202e}right to left",
        "tab\tand\nline",
        &"é".repeat(5000),
    ] {
        let made = create(&server, name);
        assert_eq!(made["name"], name);
        let uuid = text(&made, "uuid");
        assert_eq!(server.api("GET", &format!("/customers/{uuid}"), None).json()["customer"]["name"], name);
        let renamed = format!("{name}!");
        let body =
            server.api("PUT", &format!("/customers/{uuid}"), Some(json!({ "name": renamed }))).expect(200).json();
        assert_eq!(body["customer"]["name"], json!(renamed));
    }
    let escaped = server.call("POST", "/customers", &[REPORTEI, JSON], r#"{"name":"\u00e9\ud83d\ude00"}"#).expect(201);
    assert_eq!(escaped.json()["customer"]["name"], "é😀");
}

//! The portal's error codes that a client can provoke on these calls: section 3.3 of the facts, and the body that carries
//! them, section 3.2.

use super::*;

#[test]
fn s3_2_several_errors_are_told_at_once_in_the_documented_words() {
    let server = start();
    let mut body = body("TwilioSMS", "a");
    body.as_object_mut().unwrap().remove("name");
    body["statusId"] = json!(50000);
    let words = refused(&post(&server, ZERO, body), 400, &[301, 206]);
    // The second has the page's own spacing.
    assert_eq!(
        words,
        [
            "Property 'name' is required. (code: PRT000301)",
            "Value '50000 'for parameter type 'statusId' is not supported. (code: PRT000206)",
        ]
    );
}

/// One violation is one error: a wrong type is not also a wrong value.
#[test]
fn s3_2_each_mistake_is_told_once() {
    let server = start();
    let body = json!({ "channelId": 102, "name": [], "statusId": "3000", "configuration": "none", "colour": "red" });
    refused(&post(&server, ZERO, body), 400, &[302, 302, 302, 302, 303]);
}

#[test]
fn code_101_a_token_of_the_other_api() {
    let server = start();
    refused(&server.api_as(ENGINE, "GET", "/api/v1/hubs", None), 403, &[101]);
}

#[test]
fn code_102_no_token_and_an_unknown_one() {
    let server = start();
    refused(&server.get("/api/v1/hubs"), 401, &[102]);
    refused(&server.api_as(("Authorization", "Bearer nobody"), "GET", "/api/v1/hubs", None), 401, &[102]);
}

#[test]
fn code_103_channels_whose_configuration_is_not_documented() {
    let server = start();
    let watch = server.watch_pack("hubster");
    for channel in ["Bot", "Line", "Telegram", "Kik"] {
        refused(&post(&server, ZERO, body(channel, channel)), 501, &[103]);
        // What else is wrong comes first.
        refused(&post(&server, ZERO, json!({ "channelId": channel, "configuration": {} })), 400, &[301]);
    }
    watch.unharmed();
}

#[test]
fn code_105_is_not_about_routes_which_are_problems() {
    let server = start();
    call(&server, "GET", "/api/v1/nothing", None).problem(404, "no-operation");
    let path = format!("/api/v1/integrations/{ZERO}");
    call(&server, "DELETE", &path, None).problem(405, "method-not-allowed");
}

#[test]
fn code_201_an_url_that_is_none_and_a_key_twice() {
    let server = start();
    for url in ["receiver", "ftp://receiver.example", "https://", "http://a b", "javascript:alert(1)", ""] {
        let mut body = body("System", "a");
        body["configuration"]["webhookUrl"] = json!(url);
        refused(&post(&server, ZERO, body), 400, &[201]);
    }
    let twice = r#"{"channelId": "Direct", "name": "a", "name": "b", "configuration": {}}"#;
    let path = format!("/api/v1/integrations/hubs/{ZERO}");
    refused(&server.call("POST", &path, &[PORTAL, JSON], twice), 400, &[201]);
}

#[test]
fn code_203_ids_that_are_no_guids() {
    let server = start();
    for id in ["1", "my-hub", "00000000-0000-0000-0000-00000000000", "0000000000000000000000000000000g", "%7Bid%7D"] {
        refused(&get(&server, id), 400, &[203]);
        refused(&post(&server, id, body("Direct", "a")), 400, &[203]);
        refused(&call(&server, "GET", &format!("/api/v1/hubs/{id}"), None), 400, &[203]);
        refused(&call(&server, "GET", &format!("/api/v1/integrations?hubId={id}"), None), 400, &[203]);
    }
}

#[test]
fn code_206_values_that_are_not_supported() {
    let server = start();
    for status in [json!(0), json!(3001), json!(2000), json!(-3000)] {
        let mut body = body("Direct", "a");
        body["statusId"] = status;
        refused(&post(&server, ZERO, body), 400, &[206]);
    }
    for channel in ["", "Fax", "direct", "WEBCHAT", "Web Chat", "102", "Hubster"] {
        refused(&post(&server, ZERO, body(channel, "a")), 400, &[206]);
    }
    let mut direct = body("Direct", "a");
    direct["configuration"]["integrationType"] = json!("Human");
    refused(&post(&server, ZERO, direct), 400, &[206]);
    let mut system = body("System", "a");
    system["configuration"]["events"] = json!(["message", "message:system", "MESSAGE:BOT"]);
    refused(&post(&server, ZERO, system), 400, &[206, 206]);
    let path = format!("/api/v1/integrations/hubs/{ZERO}/Fax");
    refused(&call(&server, "GET", &path, None), 400, &[206]);
}

/// The codes of the table that these calls have no use for: dates, e-mail addresses, users and the like.
#[test]
fn codes_that_these_calls_give_and_the_others_of_the_table() {
    let folder = crate::support::repository("fixtures/hubster");
    let mut texts = std::fs::read_to_string(folder.join("pack.yaml")).unwrap();
    for file in std::fs::read_dir(folder.join("errors")).unwrap() {
        texts.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap().replace("\"code\": ", "code: "));
    }
    let table = [
        100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209, 210,
        211, 212, 300, 301, 302, 303, 304, 305, 306, 307, 308, 400, 401, 599, 600, 699, 700, 701, 799,
    ];
    let given = |code: &i32| texts.contains(&format!("code: {code},")) || texts.contains(&format!("code: {code}\n"));
    let never: Vec<i32> = table.into_iter().filter(|code| !given(code)).collect();
    assert_eq!(never, [106, 107, 109, 200, 202, 205, 211, 212, 305, 400, 401, 599]);
}

/// 207, 208, 209 and 210 are about pages: `s3_7_bad_pages_are_refused`.
#[test]
fn code_209_a_number_of_days_below_zero() {
    let server = start();
    let hub = json!({ "closeDormantConversation": -1 });
    refused(&call(&server, "PUT", &format!("/api/v1/hubs/{DEV}"), Some(hub)), 400, &[209]);
}

#[test]
fn code_300_bodies_that_are_missing_or_no_object() {
    let server = start();
    let watch = server.watch_pack("hubster");
    let path = format!("/api/v1/integrations/hubs/{DEV}");
    let send = |headers: &[(&str, &str)], body: &str| server.call("POST", &path, headers, body);
    refused(&send(&[PORTAL, JSON], ""), 400, &[300]);
    for broken in ["{", "{\"name\": }", "name=a", "{'name': 1}", "{} {}"] {
        refused(&send(&[PORTAL, JSON], broken), 400, &[300]);
    }
    for scalar in ["[]", "\"text\"", "7", "true"] {
        // Neither a list nor a text has a `channelId`; a known hub alone means create.
        refused(&send(&[PORTAL, JSON], scalar), 400, &[300]);
    }
    refused(&send(&[PORTAL, ("Content-Type", "text/plain")], "{}"), 400, &[300]);
    refused(&send(&[PORTAL, FORM], "name=a"), 400, &[300]);
    watch.unharmed();
}

#[test]
fn code_301_a_blank_text_counts_as_missing() {
    let server = start();
    for name in ["", " ", "\t\n"] {
        refused(&post(&server, ZERO, body("Direct", name)), 400, &[301]);
        refused(&post(&server, &seed(SYSTEM), json!({ "name": name })), 400, &[301]);
    }
    let mut slack = body("Slack", "a");
    slack["configuration"]["state"] = json!("");
    refused(&post(&server, ZERO, slack), 400, &[301]);
}

#[test]
fn code_302_wrong_types() {
    let server = start();
    let with = |path: &str, value: Json| {
        let mut body = body("Direct", "a");
        *body.pointer_mut(path).unwrap() = value;
        refused(&post(&server, ZERO, body), 400, &[302]);
    };
    for value in [json!(1), json!(null), json!(true), json!({}), json!([])] {
        with("/name", value.clone());
        with("/channelId", value.clone());
        with("/configuration/integrationType", value);
    }
    for value in [json!("on"), json!(1), json!(null)] {
        let mut body = body("Direct", "a");
        body["configuration"]["echo"] = value;
        refused(&post(&server, ZERO, body), 400, &[302]);
    }
    for value in [json!("3000"), json!(3000.5), json!(null), json!("Active")] {
        let mut body = body("Direct", "a");
        body["statusId"] = value;
        refused(&post(&server, ZERO, body), 400, &[302]);
    }
    for value in [json!("localhost"), json!({}), json!(null)] {
        let mut body = body("WebChat", "a");
        body["configuration"]["allowedOrigins"] = value;
        refused(&post(&server, ZERO, body), 400, &[302]);
    }
    let mut chat = body("WebChat", "a");
    chat["configuration"]["allowedOrigins"] = json!([1, "localhost", null]);
    refused(&post(&server, ZERO, chat), 400, &[302, 302]);
}

#[test]
fn code_303_properties_that_nobody_knows() {
    let server = start();
    let mut direct = body("Direct", "a");
    direct["integrationId"] = json!(NOBODY);
    direct["configuration"]["publicSigningKey"] = json!("mine");
    let words = refused(&post(&server, ZERO, direct), 400, &[303, 303]);
    assert!(words[0].contains("'integrationId'") && words[1].contains("'configuration.publicSigningKey'"), "{words:?}");
    // What another channel has is unknown to this one.
    let mut messenger = body("Messenger", "a");
    messenger["configuration"]["webhookUrl"] = json!("https://receiver.example");
    refused(&post(&server, ZERO, messenger), 400, &[303]);
}

#[test]
fn code_304_a_coordinate_that_is_no_number() {
    let server = start();
    let start = json!([{ "type": "location", "latitude": "north", "longitude": -79.5 }]);
    let mut chat = body("WebChat", "a");
    chat["configuration"]["start"] = start;
    refused(&post(&server, ZERO, chat), 400, &[304]);
}

#[test]
fn code_306_collections_must_have_elements() {
    let server = start();
    let mut chat = body("WebChat", "a");
    chat["configuration"]["allowedOrigins"] = json!([]);
    refused(&post(&server, ZERO, chat), 400, &[306]);
    let mut system = body("System", "a");
    system["configuration"]["events"] = json!([]);
    refused(&post(&server, ZERO, system), 400, &[306]);
    let update = json!({ "configuration": { "allowedOrigins": [] } });
    refused(&post(&server, &seed(WEB_CHAT), update), 400, &[306]);
    // No welcome is a welcome.
    let mut silent = body("WebChat", "a");
    silent["configuration"]["start"] = json!([]);
    post(&server, ZERO, silent).expect(200);
}

#[test]
fn code_600_the_name_of_a_hub() {
    let server = start();
    let body = json!({ "name": "Dev Hub 1", "description": "d" });
    refused(&call(&server, "POST", "/api/v1/hubs", Some(body)), 400, &[600]);
}

#[test]
fn code_699_and_799_what_is_unknown_is_told_by_what_was_meant() {
    let server = start();
    refused(&post(&server, NOBODY, body("Direct", "a")), 400, &[699]);
    refused(&post(&server, NOBODY, json!({ "name": "a" })), 400, &[799]);
    refused(&get(&server, NOBODY), 400, &[799]);
}

#[test]
fn code_700_the_name_of_an_integration() {
    let server = start();
    refused(&post(&server, ZERO, body("WebChat", "Direct agent")), 400, &[700]);
}

#[test]
fn code_701_the_account_of_an_integration() {
    let server = start();
    let mut body = body("TwilioSMS", "a");
    body["configuration"]["numberSid"] = json!("PN667435536f4d1cefdf054abf9900001");
    refused(&post(&server, ZERO, body), 400, &[701]);
}

#[test]
fn bodies_that_are_too_large_or_too_deep() {
    let server = start();
    let path = format!("/api/v1/integrations/hubs/{ZERO}");
    let large = format!("{{\"name\": \"{}\"}}", "a".repeat(3 << 20));
    let answer = server.call("POST", &path, &[PORTAL, JSON], large);
    refused(&answer, 413, &[201]);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    refused(&server.call("POST", &path, &[PORTAL, JSON], deep), 400, &[201]);
}

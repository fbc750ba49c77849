//! The options of the pack, each read both ways.

use super::*;

#[test]
fn option_put_update_adds_the_other_call_and_its_argument() {
    let server = start_with(&["hubster.put-update"]);
    let path = format!("/api/v1/integrations/{}", seed(SYSTEM));
    let keys_of = |answer: &Json| text(&answer["configuration"], "privateSigningKey").to_owned();
    let before = keys_of(&get(&server, &seed(SYSTEM)).expect(200).json());
    let put = |query: &str, body: Json| call(&server, "PUT", &format!("{path}{query}"), Some(body));
    let renamed = put("", json!({ "name": "Renamed" })).expect(200).json();
    assert_eq!((text(&renamed, "name"), keys_of(&renamed)), ("Renamed", before.clone()));
    for argument in ["regenerate-key", "regenerate-keys"] {
        let before = keys_of(&get(&server, &seed(SYSTEM)).expect(200).json());
        let same = put(&format!("?{argument}=false"), json!({})).expect(200).json();
        assert_eq!(keys_of(&same), before);
        let other = put(&format!("?{argument}=true"), json!({})).expect(200).json();
        assert_ne!(keys_of(&other), before);
    }
    refused(&call(&server, "PUT", &format!("/api/v1/integrations/{NOBODY}"), Some(json!({}))), 400, &[799]);
    // A hub has no such call, and POST goes on as before.
    post(&server, &seed(SYSTEM), json!({ "name": "Again" })).expect(200);
    let direct = format!("/api/v1/integrations/{ZERO}?regenerate-keys=true");
    let read = |body: Json| text(&body["configuration"], "publicSigningKey").to_owned();
    let first = read(post(&server, ZERO, json!({})).expect(200).json());
    assert_ne!(read(call(&server, "PUT", &direct, Some(json!({}))).expect(200).json()), first);
    for channel in [TWILIO, WEB_CHAT] {
        let path = format!("/api/v1/integrations/{}", seed(channel));
        let renamed = call(&server, "PUT", &path, Some(json!({ "name": format!("PUT {channel}") }))).expect(200).json();
        assert_eq!(renamed["name"], format!("PUT {channel}"));
    }
}

#[test]
fn option_fixed_typos_writes_account_sid_with_two_c() {
    let server = start_with(&["hubster.fixed-typos=true"]);
    let read = get(&server, &seed(TWILIO)).expect(200).json();
    let expected = ["AccountSid", "AuthToken", "NumberSid", "PhoneNumber", "Capabilities"];
    assert_eq!(keys(&read["configuration"]), expected);
    let path = format!("/api/v1/integrations/hubs/{ZERO}/TwilioSMS");
    let listed = call(&server, "GET", &path, None).expect(200).json();
    assert_eq!(listed[0], read);
}

#[test]
fn option_get_enums_makes_them_all_alike() {
    for (value, expected) in [
        ("mixed", [json!([2, 102]), json!(["Agent", "Slack"])]),
        ("numbers", [json!([2, 102]), json!([3, 1001])]),
        ("strings", [json!(["Customer", "TwilioSMS"]), json!(["Agent", "Slack"])]),
    ] {
        let server = start_with(&[&format!("hubster.get-enums={value}")]);
        for (channel, expected) in [TWILIO, SLACK].iter().zip(expected) {
            let read = get(&server, &seed(*channel)).expect(200).json();
            assert_eq!(json!([read["integrationTypeId"], read["channelId"]]), expected, "{value}");
        }
        // Create goes on with texts.
        assert_eq!(create(&server, "TwilioSMS", "a")["channelId"], "TwilioSMS");
    }
}

#[test]
fn option_lenient_update_lets_the_pages_own_example_succeed() {
    let server = start_with(&["hubster.lenient-update"]);
    let page = json!({
        "name": "Direct", "statusId": 3002,
        "configuration": { "Echo": true, "webhookUrl": "http://hubster.io/v1/api/integration?customer=1" },
    });
    let updated = post(&server, ZERO, page).expect(200).json();
    assert_eq!((text(&updated, "name"), &updated["statusId"]), ("Direct", &json!(3002)));
    assert_eq!(updated["configuration"]["integrationType"], "Agent");
    assert_eq!(updated["configuration"]["webhookUrl"], "http://hubster.io/v1/api/integration?customer=1");
    let system = post(&server, &seed(SYSTEM), json!({ "configuration": { "events": ["message"] } })).expect(200).json();
    assert_eq!(system["configuration"]["events"], json!(["message"]));
    assert_eq!(system["configuration"]["webhookUrl"], "https://url_end_point.com");
    let chat = post(&server, &seed(WEB_CHAT), json!({ "configuration": {} })).expect(200).json();
    assert_eq!(chat["configuration"]["AllowedOrigins"], json!(["localhost", "hubster.io"]));
    // It is about what is left out: what is wrong, and what Create needs, is refused as ever.
    refused(&post(&server, ZERO, json!({ "configuration": { "integrationType": "Human" } })), 400, &[206]);
    refused(&post(&server, ZERO, json!({ "channelId": "Direct", "name": "a", "configuration": {} })), 400, &[301]);
    let both = json!({ "configuration": { "echo": "on" } });
    refused(&post(&server, ZERO, both), 400, &[302]);
}

#[test]
fn option_direct_get_keys_shows_the_keys_of_a_webhook() {
    let server = start_with(&["hubster.direct-get-keys"]);
    let shown = post(&server, ZERO, json!({})).expect(200).json()["configuration"].clone();
    let read = get(&server, ZERO).expect(200).json()["configuration"].clone();
    for key in ["publicSigningKey", "privateSigningKey"] {
        assert_eq!(read[key], shown[key]);
        assert!(read[key].is_string());
    }
    let websocket = get(&server, &seed(CUSTOMER_DIRECT)).expect(200).json();
    assert_eq!(keys(&websocket["configuration"]), ["integrationType", "echo"]);
}

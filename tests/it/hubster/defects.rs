//! The numbered defects of the page, H1 to H22.

use super::*;

#[test]
fn h1_a_known_hub_means_create_and_a_known_integration_update() {
    let server = start();
    let before = server.state("hubster")["integration"]["total"].as_u64().unwrap();
    post(&server, DEV, body("Direct", "Created")).expect(200);
    assert_eq!(server.state("hubster")["integration"]["total"], before + 1);
    post(&server, &seed(SYSTEM), json!({ "name": "Updated" })).expect(200);
    assert_eq!(server.state("hubster")["integration"]["total"], before + 1);
    // A hub alone cannot be updated so, and an integration alone holds no others.
    refused(&post(&server, DEV, json!({ "name": "a" })), 400, &[301, 301]);
    refused(&post(&server, &seed(SYSTEM), body("System", "a")), 400, &[303]);
}

#[test]
fn h1_the_zeros_of_the_page_are_both_and_channel_id_creates() {
    let server = start();
    let made = post(&server, ZERO, body("Direct", "Created")).expect(200).json();
    assert_ne!(made["integrationId"], ZERO);
    assert_eq!(made["hubId"], ZERO);
    let updated = post(&server, ZERO, json!({ "name": "Updated" })).expect(200).json();
    assert_eq!((&updated["integrationId"], &updated["name"]), (&json!(ZERO), &json!("Updated")));
}

#[test]
fn h2_post_is_the_contract_and_put_is_off() {
    let server = start();
    let watch = server.watch_pack("hubster");
    let path = format!("/api/v1/integrations/{ZERO}?regenerate-key=true");
    let answer = call(&server, "PUT", &path, Some(json!({})));
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{answer}");
    watch.unharmed();
    // The argument is one of the other call.
    for value in ["true", "abc", ""] {
        let posted = format!("/api/v1/integrations/hubs/{ZERO}?regenerate-key={value}");
        call(&server, "POST", &posted, Some(json!({}))).expect(200);
    }
    watch.unharmed();
}

#[test]
fn h3_the_object_that_was_meant_is_answered() {
    let server = start();
    let made = create(&server, "Direct", "Direct");
    assert_eq!(keys(&made).last(), Some(&"configuration"));
    assert!(made["configuration"].get("privateSigningKey").is_some(), "{made}");
    assert!(server.operation("hubster/integrations/create")["notes"].as_str().unwrap().contains("H3"));
}

#[test]
fn h4_get_has_three_c_and_never_both_spellings() {
    let server = start();
    let configuration = get(&server, &seed(TWILIO)).expect(200).json()["configuration"].clone();
    assert_eq!(configuration["AcccountSid"], "AC1fc1c1722444b0c6313d3ae98800001");
    assert_eq!(keys(&configuration), ["AcccountSid", "AuthToken", "NumberSid", "PhoneNumber", "Capabilities"]);
    assert!(server.operation("hubster/integrations/get")["notes"].as_str().unwrap().contains("AcccountSid"));
}

#[test]
fn h5_casing_depends_on_channel_and_call() {
    let server = start();
    let upper = |configuration: &Json| {
        let first = |key: &str| key.starts_with(char::is_uppercase);
        let keys = keys(configuration);
        assert!(keys.iter().all(|key| first(key)) || keys.iter().all(|key| !first(key)), "{configuration}");
        first(keys[0])
    };
    for (channel, create_upper, get_upper) in [
        ("TwilioSMS", false, true),
        ("Messenger", false, true),
        ("WebChat", true, false),
        ("Direct", false, false),
        ("System", false, false),
        ("Slack", false, true),
    ] {
        let made = create(&server, channel, channel);
        let id = text(&made, "integrationId");
        assert_eq!(upper(&made["configuration"]), create_upper, "{made}");
        let updated = post(&server, id, json!({})).expect(200).json();
        assert_eq!(upper(&updated["configuration"]), create_upper, "{updated}");
        let read = get(&server, id).expect(200).json();
        assert_eq!(upper(&read["configuration"]), get_upper, "{read}");
    }
    let capabilities = get(&server, &seed(TWILIO)).expect(200).json()["configuration"]["Capabilities"].clone();
    assert_eq!(capabilities, json!({ "Mms": true, "Sms": true, "Voice": true }));
}

#[test]
fn h6_get_has_numbers_for_twilio_and_texts_for_all_others() {
    let server = start();
    for (channel, expected) in [
        (TWILIO, json!([2, 102])),
        (MESSENGER, json!(["Customer", "Messenger"])),
        (WEB_CHAT, json!(["Customer", "WebChat"])),
        (CUSTOMER_DIRECT, json!(["Customer", "Direct"])),
        (SYSTEM, json!(["System", "System"])),
        (SLACK, json!(["Agent", "Slack"])),
    ] {
        let read = get(&server, &seed(channel)).expect(200).json();
        assert_eq!(json!([read["integrationTypeId"], read["channelId"]]), expected);
    }
}

#[test]
fn h7_inbound_id_is_in_get_of_twilio_and_messenger_only() {
    let server = start();
    for channel in CHANNELS {
        let made = create(&server, channel, channel);
        assert!(made.get("inboundId").is_none(), "{made}");
        let read = get(&server, text(&made, "integrationId")).expect(200).json();
        let expected = match channel {
            "TwilioSMS" => Some(&made["configuration"]["accountSid"]),
            "Messenger" => Some(&made["configuration"]["pageId"]),
            _ => None,
        };
        assert_eq!(read.get("inboundId"), expected, "{read}");
    }
}

#[test]
fn h8_get_of_messenger_shows_the_token_only() {
    let server = start();
    let read = get(&server, &seed(MESSENGER)).expect(200).json();
    assert_eq!(keys(&read["configuration"]), ["PageAccessToken"]);
}

#[test]
fn h9_get_of_slack_has_no_bot_name() {
    let server = start();
    let read = get(&server, &seed(SLACK)).expect(200).json();
    let expected = ["BotAccessToken", "AppAccessToken", "DefaultPublicChannel", "TeamId"];
    assert_eq!(keys(&read["configuration"]), expected);
}

#[test]
fn h10_echo_of_webchat_is_true_and_absent_from_get() {
    let server = start();
    let made = create(&server, "WebChat", "chat");
    assert_eq!(made["configuration"]["Echo"], true);
    let read = get(&server, text(&made, "integrationId")).expect(200).text();
    assert!(!read.to_lowercase().contains("echo"), "{read}");
    let mut sent = body("WebChat", "echo");
    sent["configuration"]["echo"] = json!(false);
    refused(&post(&server, ZERO, sent), 400, &[303]);
}

#[test]
fn h11_get_of_direct_has_its_real_type_and_no_keys() {
    let server = start();
    let read = get(&server, ZERO).expect(200).json();
    assert_eq!(read["configuration"]["integrationType"], "Agent");
    assert_eq!(keys(&read["configuration"]), ["integrationType", "echo", "webhookUrl"]);
}

#[test]
fn h12_get_of_system_is_the_whole_integration() {
    let server = start();
    let read = get(&server, &seed(SYSTEM)).expect(200).json();
    assert_eq!(
        keys(&read),
        ["integrationId", "hubId", "integrationTypeId", "channelId", "name", "statusId", "configuration"]
    );
    assert_eq!(keys(&read["configuration"]), ["events", "webhookUrl", "publicSigningKey", "privateSigningKey"]);
}

#[test]
fn h13_keys_are_read_whatever_their_case_and_the_pages_own_update_is_incomplete() {
    let server = start();
    let page = json!({
        "name": "Direct", "statusId": 3002,
        "configuration": { "Echo": true, "webhookUrl": "http://hubster.io/v1/api/integration?customer=1" },
    });
    let words = refused(&post(&server, ZERO, page.clone()), 400, &[301]);
    assert!(words[0].contains("integrationType"), "{words:?}");
    let mut complete = page;
    complete["configuration"]["INTEGRATIONtype"] = json!("Agent");
    let updated = post(&server, ZERO, complete).expect(200).json();
    assert_eq!((&updated["configuration"]["echo"], &updated["statusId"]), (&json!(true), &json!(3002)));
    // Which of two spellings counts cannot be known.
    let twice = json!({ "configuration": { "integrationType": "Bot", "IntegrationType": "Agent" } });
    refused(&post(&server, ZERO, twice), 400, &[201]);
}

#[test]
fn h14_what_was_sent_is_answered() {
    let server = start();
    let sent = body("TwilioSMS", "Twilio");
    let made = post(&server, ZERO, sent.clone()).expect(200).json();
    for key in ["accountSid", "authToken", "numberSid"] {
        assert_eq!(made["configuration"][key], sent["configuration"][key]);
    }
}

#[test]
fn h15_start_is_answered_when_it_was_sent() {
    let server = start();
    let welcome = json!([{ "type": "text", "text": "Hello" }]);
    for (channel, key) in [("Direct", "start"), ("WebChat", "Start")] {
        let made = create(&server, channel, channel);
        assert!(made["configuration"].get(key).is_none(), "{made}");
        let mut body = body(channel, &format!("{channel} 2"));
        body["configuration"]["start"] = welcome.clone();
        let made = post(&server, ZERO, body).expect(200).json();
        assert_eq!(made["configuration"][key], welcome);
        let read = get(&server, text(&made, "integrationId")).expect(200).json();
        assert_eq!(read["configuration"]["start"], welcome);
    }
}

#[test]
fn h16_state_of_slack_must_not_be_blank_and_is_not_verified() {
    let server = start();
    for (nth, state) in ["TODO:", "1603933721secret", "x"].iter().enumerate() {
        let mut body = body("Slack", &nth.to_string());
        body["configuration"]["state"] = json!(state);
        post(&server, ZERO, body).expect(200);
    }
    let mut blank = body("Slack", "blank");
    blank["configuration"]["state"] = json!(" ");
    refused(&post(&server, ZERO, blank), 400, &[301]);
}

#[test]
fn h17_only_slack_and_direct_can_be_agents() {
    let server = start();
    for channel in CHANNELS {
        let agent = create(&server, channel, channel)["integrationTypeId"] == "Agent";
        assert_eq!(agent, matches!(channel, "Slack" | "Direct"), "{channel}");
    }
}

#[test]
fn h18_the_channel_is_webchat_and_nothing_else() {
    let server = start();
    for channel in ["Web Chat", "Webchat", "webchat", "web-chat"] {
        refused(&post(&server, ZERO, body(channel, "a")), 400, &[206]);
    }
    create(&server, "WebChat", "a");
}

#[test]
fn h19_the_whole_object_is_answered() {
    let server = start();
    for channel in [TWILIO, MESSENGER, WEB_CHAT, CUSTOMER_DIRECT, SYSTEM, SLACK] {
        let read = get(&server, &seed(channel)).expect(200).json();
        for key in ["integrationId", "hubId", "integrationTypeId", "channelId", "name", "statusId", "configuration"] {
            assert!(read.get(key).is_some(), "{key} of {read}");
        }
    }
}

#[test]
fn h20_get_needs_no_content_type() {
    let server = start();
    let path = format!("/api/v1/integrations/{ZERO}");
    server.call("GET", &path, &[PORTAL], "").expect(200);
    server.call("GET", &path, &[PORTAL, JSON], "").expect(200);
    server.call("GET", &path, &[PORTAL, ("Content-Type", "text/plain")], "").expect(200);
}

/// H21 is `s1_5_statuses_of_create_and_get`: they are errors that only a fault gives.
#[test]
fn h21_h22_what_cannot_be_provoked_and_slips_of_the_text_are_noted() {
    let server = start();
    let notes = server.operation("hubster/integrations/create")["notes"].clone();
    let notes = notes.as_str().unwrap();
    for word in ["H21: 408, 429", "H22: the page has slips of wording"] {
        assert!(notes.contains(word), "{notes}");
    }
}

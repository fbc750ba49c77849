//! Update: section 1.2 of the facts.

use super::*;

#[test]
fn s1_2_every_property_is_optional_and_what_is_not_sent_stays() {
    let server = start();
    let before = get(&server, ZERO).expect(200).json();
    post(&server, ZERO, json!({})).expect(200);
    assert_eq!(get(&server, ZERO).expect(200).json(), before);
    post(&server, ZERO, json!({ "name": "Renamed" })).expect(200);
    post(&server, ZERO, json!({ "statusId": 3002 })).expect(200);
    let mut after = before;
    after["name"] = json!("Renamed");
    after["statusId"] = json!(3002);
    assert_eq!(get(&server, ZERO).expect(200).json(), after);
}

#[test]
fn s1_2_the_answer_has_the_shape_of_create() {
    let server = start();
    for channel in CHANNELS {
        let made = create(&server, channel, channel);
        let updated = post(&server, text(&made, "integrationId"), json!({ "statusId": 3002 })).expect(200).json();
        let mut expected = made;
        expected["statusId"] = json!(3002);
        assert_eq!(updated, expected);
    }
}

#[test]
fn s1_2_a_configuration_replaces_the_old_one_as_a_whole() {
    let server = start();
    let full = json!({
        "integrationType": "Agent", "echo": true, "webhookUrl": "https://receiver.example/one",
        "start": [{ "type": "text", "text": "Hello" }],
    });
    post(&server, ZERO, json!({ "configuration": full })).expect(200);
    let other = json!({ "integrationType": "Bot", "webhookUrl": "https://receiver.example/two" });
    let updated = post(&server, ZERO, json!({ "configuration": other })).expect(200).json();
    assert_eq!(updated["integrationTypeId"], "Bot");
    let configuration = &updated["configuration"];
    assert_eq!(keys(configuration), ["integrationType", "webhookUrl", "publicSigningKey", "privateSigningKey"]);
    assert_eq!(configuration["webhookUrl"], "https://receiver.example/two");
    let chat =
        json!({ "configuration": { "allowedOrigins": ["one.example"], "start": [{ "type": "text", "text": "a" }] } });
    let chat = post(&server, &seed(WEB_CHAT), chat).expect(200).json();
    assert_eq!(keys(&chat["configuration"]), ["AllowedOrigins", "Echo", "Start"]);
    let chat = json!({ "configuration": { "allowedOrigins": ["two.example"] } });
    let chat = post(&server, &seed(WEB_CHAT), chat).expect(200).json();
    assert_eq!(chat["configuration"], json!({ "AllowedOrigins": ["two.example"], "Echo": true }));
}

#[test]
fn s1_2_an_incomplete_configuration_is_refused_and_changes_nothing() {
    let server = start();
    let watch = server.watch_pack("hubster");
    for (id, configuration, codes) in [
        (ZERO.to_owned(), json!({ "echo": false }), vec![301]),
        (seed(SYSTEM), json!({ "regenerateKeys": true }), vec![301, 301]),
        (seed(SYSTEM), json!({ "events": ["message"], "regenerateKeys": true }), vec![301]),
        (seed(WEB_CHAT), json!({ "start": [] }), vec![301]),
    ] {
        let answer = post(&server, &id, json!({ "name": "Renamed", "statusId": 3002, "configuration": configuration }));
        refused(&answer, 400, &codes);
    }
    watch.unharmed();
}

#[test]
fn s1_2_configurations_of_twilio_messenger_and_slack_are_ignored_and_the_rest_applies() {
    let server = start();
    for channel in [TWILIO, MESSENGER, SLACK] {
        let id = seed(channel);
        let before = get(&server, &id).expect(200).json();
        for (nth, configuration) in
            [json!({}), json!({ "authToken": "new", "pageAccessToken": "new", "code": "new" }), json!(7)]
                .iter()
                .enumerate()
        {
            let name = format!("Renamed {channel} {nth}");
            let body = json!({ "name": name, "statusId": 3002, "configuration": configuration });
            let updated = post(&server, &id, body).expect(200).json();
            assert_eq!((&updated["name"], &updated["statusId"]), (&json!(name), &json!(3002)));
        }
        let after = get(&server, &id).expect(200).json();
        assert_eq!(after["configuration"], before["configuration"]);
        assert_eq!(after["statusId"], 3002);
    }
}

fn pair(configuration: &Json) -> (String, String) {
    (text(configuration, "publicSigningKey").to_owned(), text(configuration, "privateSigningKey").to_owned())
}

#[test]
fn s1_2_keys_are_kept_until_regenerate_keys_is_true() {
    let server = start();
    for (channel, configuration) in [
        ("Direct", json!({ "integrationType": "Agent", "webhookUrl": "https://receiver.example" })),
        ("System", json!({ "webhookUrl": "https://receiver.example", "events": ["message"] })),
    ] {
        let made = create(&server, channel, channel);
        let id = text(&made, "integrationId");
        let first = pair(&made["configuration"]);
        let update = |regenerate: Option<bool>| {
            let mut configuration = configuration.clone();
            if let Some(regenerate) = regenerate {
                configuration["regenerateKeys"] = json!(regenerate);
            }
            let updated = post(&server, id, json!({ "configuration": configuration })).expect(200).json();
            assert!(updated["configuration"].get("regenerateKeys").is_none(), "{updated}");
            pair(&updated["configuration"])
        };
        assert_eq!(update(None), first);
        assert_eq!(update(Some(false)), first);
        let second = update(Some(true));
        assert_ne!(second.0, first.0);
        assert_ne!(second.1, first.1);
        assert_eq!(update(None), second);
        // The old pair is nowhere any more: not in the API, not in the records.
        let records = server.state("hubster").to_string();
        assert!(records.contains(&second.0) && records.contains(&second.1));
        assert!(!records.contains(&first.0) && !records.contains(&first.1));
        let third = update(Some(true));
        assert!(third.0 != second.0 && third.0 != first.0);
    }
}

#[test]
fn s1_2_keys_are_for_webhooks() {
    let server = start();
    let mut websocket = body("Direct", "websocket");
    websocket["configuration"].as_object_mut().unwrap().remove("webhookUrl");
    let made = post(&server, ZERO, websocket).expect(200).json();
    assert_eq!(keys(&made["configuration"]), ["integrationType"]);
    let id = text(&made, "integrationId");
    let with = json!({ "configuration": { "integrationType": "Agent", "webhookUrl": "https://receiver.example" } });
    let without = json!({ "configuration": { "integrationType": "Agent" } });
    let first = pair(&post(&server, id, with.clone()).expect(200).json()["configuration"]);
    let between = post(&server, id, without).expect(200).json();
    assert_eq!(keys(&between["configuration"]), ["integrationType"]);
    assert_eq!(pair(&post(&server, id, with).expect(200).json()["configuration"]), first);
}

/// Whoever asks for other keys never sees the old ones again, whatever becomes of the webhook meanwhile.
#[test]
fn s1_2_keys_are_regenerated_without_a_webhook_too() {
    let server = start_with(&["hubster.lenient-update", "hubster.put-update"]);
    let with = json!({ "configuration": { "integrationType": "Agent", "webhookUrl": "https://receiver.example" } });
    let without = json!({ "configuration": { "integrationType": "Agent" } });
    let pair_now = || pair(&post(&server, ZERO, with.clone()).expect(200).json()["configuration"]);
    let mut seen = vec![pair_now()];
    let put = format!("/api/v1/integrations/{ZERO}?regenerate-key=TRUE");
    let asks: [&dyn Fn() -> Answer; 3] = [
        &|| post(&server, ZERO, json!({ "configuration": { "integrationType": "Agent", "regenerateKeys": true } })),
        &|| post(&server, ZERO, json!({ "configuration": { "regenerateKeys": true } })),
        &|| call(&server, "PUT", &put, Some(without.clone())),
    ];
    for ask in asks {
        post(&server, ZERO, without.clone()).expect(200);
        ask().expect(200);
        let old = seen.last().unwrap().1.clone();
        assert!(!server.state("hubster").to_string().contains(&old), "the old key is still there");
        let new = pair_now();
        assert!(!seen.contains(&new), "{new:?}");
        seen.push(new);
    }
}

#[test]
fn s1_2_regenerate_keys_is_a_property_of_update_and_of_two_channels_only() {
    let server = start();
    let mut made = body("System", "keys");
    made["configuration"]["regenerateKeys"] = json!(true);
    refused(&post(&server, ZERO, made), 400, &[303]);
    let chat = json!({ "configuration": { "allowedOrigins": ["localhost"], "regenerateKeys": true } });
    refused(&post(&server, &seed(WEB_CHAT), chat), 400, &[303]);
    let number = json!({ "configuration": { "integrationType": "Agent", "regenerateKeys": 1 } });
    refused(&post(&server, ZERO, number), 400, &[302]);
}

#[test]
fn s1_2_a_channel_cannot_be_changed() {
    let server = start();
    let watch = server.watch_pack("hubster");
    refused(&post(&server, &seed(SYSTEM), json!({ "channelId": "Direct" })), 400, &[303]);
    refused(&post(&server, &seed(CUSTOMER_DIRECT), json!({ "hubId": DEV, "integrationId": NOBODY })), 400, &[303, 303]);
    watch.unharmed();
}

//! Create: sections 1.1, 1.4 and 1.5 of the facts.

use super::*;

#[test]
fn s1_1_create_answers_200_with_the_whole_integration() {
    let server = start();
    for channel in CHANNELS {
        let made = create(&server, channel, channel);
        let expected =
            ["integrationId", "hubId", "integrationTypeId", "channelId", "name", "statusId", "configuration"];
        assert_eq!(keys(&made), expected, "{made}");
        assert_eq!((text(&made, "hubId"), text(&made, "channelId"), text(&made, "name")), (ZERO, channel, channel));
        assert_ne!(made["integrationId"], ZERO);
        assert_eq!(get(&server, text(&made, "integrationId")).expect(200).json()["name"], *channel);
    }
}

#[test]
fn s1_1_every_mandatory_property_is_asked_for() {
    let server = start();
    let watch = server.watch_pack("hubster");
    for property in ["channelId", "name", "configuration"] {
        let mut body = body("Direct", "Direct");
        body.as_object_mut().unwrap().remove(property);
        // Without `channelId` the zeros mean an update: a hub that is no integration does not.
        let answer = post(&server, DEV, body);
        let words = refused(&answer, 400, &[301]);
        assert_eq!(words, [format!("Property '{property}' is required. (code: PRT000301)")]);
    }
    watch.unharmed();
}

#[test]
fn s1_1_status_is_active_unless_said() {
    let server = start();
    assert_eq!(create(&server, "Direct", "a")["statusId"], 3000);
    for status in [3000, 3002] {
        let mut body = body("Direct", &status.to_string());
        body["statusId"] = json!(status);
        assert_eq!(post(&server, ZERO, body).expect(200).json()["statusId"], status);
    }
}

/// The row of a channel in the table of configurations: what Create shows for it.
#[test]
fn s1_4_configurations_of_create() {
    let server = start();
    let shown = |channel| create(&server, channel, channel)["configuration"].clone();
    let keys_of = |configuration: &Json| keys(configuration).join(" ");
    let twilio = shown("TwilioSMS");
    assert_eq!(keys_of(&twilio), "accountSid authToken numberSid phoneNumber capabilities");
    assert_eq!(twilio["capabilities"], json!({ "mms": true, "sms": true, "voice": true }));
    assert_eq!(keys_of(&shown("Messenger")), "appId pageId pageAccessToken");
    assert_eq!(keys_of(&shown("WebChat")), "AllowedOrigins Echo");
    assert_eq!(keys_of(&shown("Direct")), "integrationType webhookUrl publicSigningKey privateSigningKey");
    assert_eq!(keys_of(&shown("System")), "events webhookUrl publicSigningKey privateSigningKey");
    let slack = shown("Slack");
    assert_eq!(keys_of(&slack), "botAccessToken appAccessToken defaultPublicChannel teamId botName");
}

#[test]
fn s1_4_every_mandatory_property_of_every_configuration_is_asked_for() {
    let server = start();
    let watch = server.watch_pack("hubster");
    let mandatory = [
        ("TwilioSMS", vec!["authToken", "accountSid", "numberSid"]),
        ("Messenger", vec!["pageAccessToken"]),
        ("WebChat", vec!["allowedOrigins"]),
        ("Direct", vec!["integrationType"]),
        ("System", vec!["webhookUrl", "events"]),
        ("Slack", vec!["code", "state"]),
    ];
    for (channel, properties) in mandatory {
        for property in &properties {
            let mut body = body(channel, channel);
            body["configuration"].as_object_mut().unwrap().remove(*property);
            let words = refused(&post(&server, ZERO, body), 400, &[301]);
            assert!(words[0].contains(&format!("'configuration.{property}'")), "{words:?}");
        }
        let empty = json!({ "channelId": channel, "name": channel, "configuration": {} });
        refused(&post(&server, ZERO, empty), 400, &vec![301; properties.len()]);
    }
    watch.unharmed();
}

#[test]
fn s1_4_types_of_integration() {
    let server = start();
    for (channel, expected) in [
        ("TwilioSMS", "Customer"),
        ("Messenger", "Customer"),
        ("WebChat", "Customer"),
        ("System", "System"),
        ("Slack", "Agent"),
    ] {
        assert_eq!(create(&server, channel, channel)["integrationTypeId"], expected);
    }
    for own in ["Customer", "Agent", "Bot", "System"] {
        let mut body = body("Direct", &format!("Direct {own}"));
        body["configuration"]["integrationType"] = json!(own);
        assert_eq!(post(&server, ZERO, body).expect(200).json()["integrationTypeId"], own);
    }
}

/// What the provider would know follows from what is sent: on another server, in another hub, under another name.
#[test]
fn s1_4_derived_values_follow_from_the_input() {
    let servers = [start(), start()];
    for (channel, derived, input) in [
        ("TwilioSMS", vec!["phoneNumber"], "numberSid"),
        ("Messenger", vec!["pageId", "appId"], "pageAccessToken"),
        ("Slack", vec!["teamId", "botAccessToken", "appAccessToken"], "code"),
    ] {
        let first = create(&servers[0], channel, channel);
        // Another world that has seen other calls before.
        create(&servers[1], "Direct", &format!("before {channel}"));
        let mut same = body(channel, channel);
        same["name"] = json!(format!("another {channel}"));
        let second = post(&servers[1], DEV, same).expect(200).json();
        let mut other = body(channel, &format!("other {channel}"));
        other["configuration"][input] = json!("something else");
        let third = post(&servers[1], DEV, other).expect(200).json();
        for key in derived {
            let of = |made: &Json| made["configuration"][key].clone();
            assert_eq!(of(&first), of(&second), "{channel} {key}");
            assert!(key == "appId" || of(&first) != of(&third), "{channel} {key}");
        }
    }
    let number = create(&servers[0], "TwilioSMS", "number")["configuration"]["phoneNumber"].clone();
    let number = number.as_str().unwrap();
    assert!(number.strip_prefix('+').is_some_and(|digits| digits.len() == 11), "{number}");
}

#[test]
fn s1_4_codes_of_slack_do_not_come_back() {
    let server = start();
    let made = create(&server, "Slack", "secret");
    let read = get(&server, text(&made, "integrationId")).expect(200).text();
    for shown in [made.to_string(), read] {
        assert!(!shown.contains("code-secret") && !shown.contains("1603933721"), "{shown}");
    }
}

#[test]
fn s1_4_keys_are_32_upper_case_hex_digits_with_the_digits_of_a_version_4_guid() {
    let server = start();
    let configuration = create(&server, "System", "keys")["configuration"].clone();
    let keys = ["publicSigningKey", "privateSigningKey"].map(|key| text(&configuration, key).to_owned());
    for key in &keys {
        assert_eq!(key.len(), 32);
        assert!(key.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)), "{key}");
        assert_eq!(key.as_bytes()[12], b'4', "{key}");
        assert!(b"89AB".contains(&key.as_bytes()[16]), "{key}");
    }
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn s1_4_keys_are_no_one_time_secrets() {
    let server = start();
    let made = create(&server, "System", "keys");
    let read = get(&server, text(&made, "integrationId")).expect(200).json();
    assert_eq!(made["configuration"], read["configuration"]);
}

/// 201, 404 and 409 are not in the table of Create, and 201 means "without content" for this vendor.
#[test]
fn s1_5_statuses_of_create_and_get() {
    let server = start();
    for id in ["hubster/integrations/create", "hubster/integrations/get"] {
        let operation = server.operation(id);
        let answers = operation["answers"].as_array().unwrap();
        assert!(answers.iter().all(|answer| answer["status"] == 200), "{operation}");
    }
    refused(&post(&server, NOBODY, body("Direct", "a")), 400, &[699]);
    refused(&get(&server, NOBODY), 400, &[799]);
    let path = format!("/api/v1/integrations/{ZERO}");
    refused(&server.call("GET", &path, &[], ""), 401, &[102]);
    refused(&server.api_as(ENGINE, "GET", &path, None), 403, &[101]);
    let pack = server.control("GET", "/packs/hubster", None).expect(200).json();
    let errors = pack["errors"].as_array().unwrap();
    for (name, status) in [("timed-out", 408), ("too-many-requests", 429), ("system-error", 500), ("unavailable", 503)]
    {
        let error = errors.iter().find(|error| error["name"] == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(error["fault"], true, "{error}");
        assert_eq!(error["answers"][0]["status"], status, "{error}");
    }
}

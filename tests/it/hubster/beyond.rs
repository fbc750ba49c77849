//! What other pages of the vendor say: sections 3.1, 3.4, 3.8 and 3.10 of the facts.

use super::*;

#[test]
fn s3_1_every_channel_of_the_types_page_is_known() {
    let server = start();
    for channel in ["Direct", "Bot", "System", "Messenger", "TwilioSMS", "Line", "Telegram", "Kik", "WebChat", "Slack"]
    {
        let status = post(&server, ZERO, body(channel, channel)).status;
        let expected = if CHANNELS.contains(&channel) { 200 } else { 501 };
        assert_eq!(status, expected, "{channel}");
        let path = format!("/api/v1/integrations/hubs/{ZERO}/{channel}");
        call(&server, "GET", &path, None).expect(200);
    }
}

#[test]
fn s3_1_webhook_events() {
    let server = start();
    for (nth, events) in [
        json!(["message"]),
        json!(["message:customer"]),
        json!(["message:agent", "message:bot"]),
        json!(["message", "message:customer", "message:agent", "message:bot"]),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = body("System", &nth.to_string());
        body["configuration"]["events"] = events.clone();
        assert_eq!(post(&server, ZERO, body).expect(200).json()["configuration"]["events"], events);
    }
}

#[test]
fn s3_4_pages_of_other_origins_may_call() {
    let server = start();
    let path = format!("/api/v1/integrations/{ZERO}");
    let answer = server.call("GET", &path, &[PORTAL, ("Origin", "https://app.example")], "").expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
}

#[test]
fn s3_8_integrations_of_one_channel() {
    let server = start();
    let list = |channel: &str| {
        let path = format!("/api/v1/integrations/hubs/{ZERO}/{channel}");
        call(&server, "GET", &path, None).expect(200).json()
    };
    for (channel, ids) in [
        ("TwilioSMS", vec![seed(TWILIO)]),
        ("Messenger", vec![seed(MESSENGER)]),
        ("WebChat", vec![seed(WEB_CHAT)]),
        ("Direct", vec![ZERO.to_owned(), seed(CUSTOMER_DIRECT)]),
        ("System", vec![seed(SYSTEM)]),
        ("Slack", vec![seed(SLACK)]),
        ("Kik", vec![]),
    ] {
        let listed = list(channel);
        let expected: Vec<Json> = ids.iter().map(|id| get(&server, id).expect(200).json()).collect();
        assert_eq!(listed, json!(expected), "each is what Get answers");
    }
    let path = format!("/api/v1/integrations/hubs/{DEV}/Direct");
    assert_eq!(call(&server, "GET", &path, None).expect(200).json(), json!([]));
}

#[test]
fn s3_8_all_integrations_page_by_page() {
    let server = start();
    let list = |query: &str| call(&server, "GET", &format!("/api/v1/integrations{query}"), None).expect(200).json();
    let all = list("");
    assert_eq!((&all["pageNumber"], &all["pageSize"], &all["total"]), (&json!(0), &json!(50), &json!(7)));
    for record in all["results"].as_array().unwrap() {
        assert_eq!(*record, get(&server, text(record, "integrationId")).expect(200).json());
    }
    let made = post(&server, DEV, body("Direct", "a")).expect(200).json();
    let of_hub = list(&format!("?hubId={}", DEV.to_uppercase()));
    assert_eq!((&of_hub["total"], &of_hub["results"][0]["integrationId"]), (&json!(1), &made["integrationId"]));
    for stranger in [ACME_HUB, NOBODY] {
        assert_eq!(list(&format!("?hubId={stranger}"))["total"], 0);
    }
    assert_eq!(list("?pageSize=3&pageNumber=2")["results"].as_array().unwrap().len(), 2);
}

/// A record that a test has made by hand may be odd; what shows it goes on.
#[test]
fn s3_8_odd_records_are_listed_too() {
    let server = start();
    let odd = [
        json!({ "channelId": "Bot", "integrationTypeId": "Bot" }),
        json!({ "channelId": "Zork", "integrationTypeId": "Zork" }),
        json!({ "channelId": "TwilioSMS", "integrationTypeId": "Customer" }),
        json!({ "channelId": "Messenger", "integrationTypeId": "Customer" }),
        json!({ "channelId": "Slack", "integrationTypeId": "Agent" }),
    ];
    for (nth, mut record) in odd.into_iter().enumerate() {
        let id = seed(5000 + u32::try_from(nth).unwrap());
        record["integrationId"] = json!(id);
        record["hubId"] = json!(DEV);
        record["name"] = json!(nth.to_string());
        record["statusId"] = json!(3000);
        server.control("POST", "/state/hubster/integration", Some(record)).expect(201);
        get(&server, &id).expect(200);
    }
    let path = format!("/api/v1/integrations?hubId={DEV}");
    assert_eq!(call(&server, "GET", &path, None).expect(200).json()["total"], 5);
    for channel in ["Bot", "TwilioSMS", "Messenger", "Slack"] {
        let path = format!("/api/v1/integrations/hubs/{DEV}/{channel}");
        assert_eq!(call(&server, "GET", &path, None).expect(200).json().as_array().unwrap().len(), 1);
    }
}

/// They came hours later; the pack says so.
#[test]
fn s3_8_listings_are_marked_for_what_they_are() {
    let server = start();
    for id in ["hubster/integrations/list", "hubster/integrations/list-by-channel"] {
        let operation = server.operation(id);
        assert!(operation["provenance"].to_string().contains("849a08f"), "{operation}");
        assert!(operation["notes"].as_str().unwrap().contains("hours after"), "{operation}");
    }
    let answer = call(&server, "GET", "/api/v1/integrations", None).expect(200);
    assert_eq!(answer.header("standin-contract"), Some("documented; body=assumed"));
    let answer = get(&server, ZERO).expect(200);
    assert_eq!(answer.header("standin-contract"), Some("documented"));
}

/// Calls of later pages, and of the engine's: they are not in the pack, and nothing pretends to be them.
#[test]
fn s3_8_calls_of_later_pages_are_problems() {
    let server = start();
    for (method, path) in [
        ("POST", format!("/api/v1/commands/transfers/{ZERO}")),
        ("GET", format!("/api/v1/commands/transfers/hub/{ZERO}")),
        ("POST", format!("/api/v1/commands/responses/{ZERO}")),
        ("POST", "/api/v1/conversations/establish".to_owned()),
        ("GET", format!("/api/v1/conversations/{ZERO}")),
        ("POST", format!("/inbound/customer/v1/direct/activity/{ZERO}")),
    ] {
        let answer = call(&server, method, &path, (method == "POST").then(|| json!({})));
        answer.problem(404, "no-operation");
    }
    let path = format!("/api/v1/integrations/{ZERO}");
    call(&server, "DELETE", &path, None).problem(405, "method-not-allowed");
}

/// Changes of the page after the time that this pack stands for.
#[test]
fn s3_10_later_changes_are_not_picked_up() {
    let server = start();
    refused(&get(&server, NOBODY), 400, &[799]);
    let mut slack = body("Slack", "a");
    let state = slack["configuration"].as_object_mut().unwrap().remove("state").unwrap();
    slack["configuration"]["nonce"] = state;
    refused(&post(&server, ZERO, slack), 400, &[301, 303]);
    for channel in [TWILIO, MESSENGER, SLACK, CUSTOMER_DIRECT] {
        let read = get(&server, &seed(channel)).expect(200).text();
        for later in ["\"AccountSid\"", "\"AppId\"", "\"PageId\"", "\"BotName\"", "\"WelcomeMessage\""] {
            assert!(!read.contains(later), "{later} in {read}");
        }
    }
    let system = get(&server, &seed(SYSTEM)).expect(200).json();
    assert_eq!(system["configuration"]["privateSigningKey"], "FA96D15568654A4482772E00BA941BCB", "not masked");
}

//! What happens without a call of the API.

use super::*;

fn activities(server: &Server, conversation: &str) -> Json {
    let path = format!("/api/v1/interactions/activities/{conversation}");
    server.api_as(ENGINE, "GET", &path, None).expect(200).json()
}

#[test]
fn event_send_activity_is_recorded_for_a_hub_and_for_an_integration() {
    let server = start();
    server.control("PUT", "/clock", Some(json!({ "now": "2024-10-01T17:15:12.345Z" }))).expect(200);
    let said = json!({ "hubId": ZERO, "from": "customer", "text": "Hi there!", "conversationId": "c1" });
    fire(&server, "send-activity", said).expect(200);
    let answer = json!({ "integrationId": ZERO, "from": "agent", "text": "Hello!", "conversationId": "c1" });
    fire(&server, "send-activity", answer).expect(200);
    let found = activities(&server, "c1");
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 2);
    let expected = [
        "type",
        "eventTrigger",
        "eventId",
        "externalId",
        "isEcho",
        "interactionId",
        "flowProcess",
        "sender",
        "message",
    ];
    assert_eq!(keys(&found[0]), expected);
    assert_eq!(
        (text(&found[0], "eventTrigger"), text(&found[1], "eventTrigger")),
        ("message:customer", "message:agent")
    );
    // Epoch milliseconds of 2024-10-01T17:15:12.345Z.
    assert_eq!(found[0]["eventId"], 1_727_802_912_345_u64);
    assert_eq!(found[0]["message"], json!({ "type": "text", "text": "Hi there!" }));
    assert_eq!(found[0]["sender"], json!({ "integrationType": "Customer" }));
    let sender = json!({ "integrationId": ZERO, "integrationType": "Agent", "channelType": "Direct" });
    assert_eq!(found[1]["sender"], sender);
    assert_eq!(activities(&server, "c2"), json!([]));
}

#[test]
fn event_send_activity_refuses_what_cannot_be() {
    let server = start();
    let watch = server.watch_pack("hubster");
    for (input, status) in [
        (json!({ "from": "customer", "text": "a" }), 409),
        (json!({ "hubId": NOBODY, "from": "customer", "text": "a" }), 409),
        (json!({ "integrationId": NOBODY, "from": "customer", "text": "a" }), 409),
        (json!({ "hubId": DEV, "integrationId": ZERO, "from": "customer", "text": "a" }), 409),
        (json!({ "hubId": ZERO, "from": "system", "text": "a" }), 422),
        (json!({ "hubId": ZERO, "text": "a" }), 422),
        (json!({ "hubId": ZERO, "from": "bot" }), 422),
        (json!({ "hubId": ZERO, "from": "bot", "text": " " }), 422),
        (json!({ "integrationId": ZERO, "from": "customer", "text": "a" }), 409),
        (json!({ "integrationId": seed(SYSTEM), "from": "agent", "text": "a" }), 409),
        (json!({ "hubId": "mine", "from": "bot", "text": "a" }), 422),
        (json!({ "hubId": ZERO, "from": "bot", "text": "a", "tone": "kind" }), 422),
    ] {
        let answer = fire(&server, "send-activity", input.clone());
        let slug = if status == 409 { "event-refused" } else { "event-invalid" };
        answer.problem(status, slug);
    }
    watch.unharmed();
}

#[test]
fn event_activities_are_their_tenants() {
    let server = start();
    let said = json!({ "hubId": ACME_HUB, "from": "customer", "text": "Hi", "conversationId": "c1" });
    fire(&server, "send-activity", said).expect(200);
    assert_eq!(activities(&server, "c1"), json!([]));
}

#[test]
fn event_delete_integration() {
    let server = start();
    let answer = fire(&server, "delete-integration", json!({ "integrationId": seed(SLACK) })).expect(200).json();
    assert_eq!(answer["changes"][0]["id"], seed(SLACK), "{answer}");
    refused(&get(&server, &seed(SLACK)), 400, &[799]);
    fire(&server, "delete-integration", json!({ "integrationId": seed(SLACK) })).problem(404, "record-unknown");
    fire(&server, "delete-integration", json!({})).problem(422, "event-invalid");
}

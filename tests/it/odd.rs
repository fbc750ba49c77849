//! Every part of every body in turn becomes something odd, in all four packs: each answer is the API's own, and none is
//! a fault of the pack.

use serde_json::{Value as Json, json};

use crate::capillary::ADMIN;
use crate::hubster::PORTAL;
use crate::server::{Answer, JSON, REPORTEI, Server};

const ZERO: &str = "00000000-0000-0000-0000-000000000000";

pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Json,
}

fn call(method: &'static str, path: impl Into<String>, headers: &[(&'static str, &'static str)], body: Json) -> Call {
    Call { method, path: path.into(), headers: headers.to_vec(), body }
}

/// A good body for each call that takes one.
pub(crate) fn calls() -> Vec<Call> {
    let customer = ("x-customer-token", "token-caedbbbe-7d93-476f-b965-bf97cd7ce874");
    let metrics = json!({
        "customer_integration": "4addc0da-8583-4dbb-a0e9-c7e2e8470f50", "start": "2024-09-01", "end": "2024-09-03",
        "comparison_start": "2024-08-01", "comparison_end": "2024-08-03",
        "metrics": [{ "id": "a", "reference_key": "ig:reach", "component": "chart_v1", "metrics": ["reach"], "dimensions": ["date"] }],
    });
    let start = json!([
        { "type": "text", "text": "a", "actions": [{ "type": "link", "title": "b", "url": "https://c.example" }] },
        { "type": "location", "latitude": 1.5, "longitude": 2 },
        { "type": "list", "items": [{ "title": "a", "urlType": "image", "url": "b" }] },
    ]);
    let configurations = [
        ("TwilioSMS", json!({ "authToken": "a", "accountSid": "b", "numberSid": "c" })),
        ("Messenger", json!({ "pageAccessToken": "a" })),
        ("WebChat", json!({ "allowedOrigins": ["a"], "start": start })),
        (
            "Direct",
            json!({ "integrationType": "Bot", "echo": true, "webhookUrl": "https://a.example", "start": start }),
        ),
        ("System", json!({ "webhookUrl": "https://a.example", "events": ["message"] })),
        ("Slack", json!({ "code": "a", "state": "b" })),
    ];
    let create = "/hubster/api/v1/integrations/hubs/00000000-0000-0000-0000-0000000000a2";
    let update = |id: &str| format!("/hubster/api/v1/integrations/hubs/{id}");
    let body = |configuration: &Json| json!({ "name": "n", "statusId": 3002, "configuration": configuration });
    let client = json!({
        "name": "n", "description": "d", "expirationTokenTime": 600, "defaultTillId": 50_006_796,
        "scopes": [{ "entityId": 2, "permission": "READ", "resources": [".*"] }],
    });
    let one_client = "/capillary/v3/integrations/clients/t3OPbJA3M2dJFFDFVdESW3MHa";
    let hub = json!({ "name": "n", "description": "d", "closeDormantConversation": 3, "statusId": 2002 });
    let mut all = vec![
        call("POST", "/reportei/customers", &[REPORTEI], json!({ "name": "n" })),
        call("POST", "/reportei/metrics/get-data", &[REPORTEI, customer], metrics),
        call(
            "POST",
            "/reportei/customer-integrations/session",
            &[REPORTEI, customer],
            json!({ "redirect_url": "https://a.example" }),
        ),
        call("POST", "/hubster/api/v1/hubs", &[PORTAL], hub.clone()),
        call("PUT", format!("/hubster/api/v1/hubs/{ZERO}"), &[PORTAL], hub),
        call(
            "POST",
            "/hubster/api/v1/tenants/clients/hubster.portal.api.00000000000000000000000000000001/tokens",
            &[PORTAL],
            json!({ "name": "n", "expiration": "2024-12-01" }),
        ),
        call("POST", "/capillary/v3/integrations/clients", &[ADMIN], client.clone()),
        call("PUT", one_client, &[ADMIN], client),
        call(
            "POST",
            "/capillary/v3/oauth/token/generate",
            &[],
            json!({ "key": "t3OPbJA3M2dJFFDFVdESW3MHa", "secret": "secretOfClient865forTestsOnly00000000000" }),
        ),
    ];
    for (channel, configuration) in &configurations {
        let mut body = body(configuration);
        body["channelId"] = json!(channel);
        all.push(call("POST", create, &[PORTAL], body));
    }
    for (id, channel) in [("102", 0), ("106", 2), ("000", 3), ("003", 4)] {
        let id = format!("00000000-0000-0000-0000-000000000{id}");
        all.push(call("POST", update(&id), &[PORTAL], body(&configurations[channel].1)));
    }
    all
}

fn odd() -> Vec<Json> {
    let mut all: Vec<Json> = [
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "600.0",
        "1e30",
        "-1e30",
        "9223372036854775808",
        "-9223372036854775809",
        "\"\"",
        "\" \"",
        "\"\\u0000\"",
        "\"🦀\"",
        "\"{{ body }}\"",
        "\"../../etc\"",
        "[]",
        "[null]",
        "[[]]",
        "{}",
        "{\"\":{}}",
        "{\"type\":\"text\"}",
    ]
    .iter()
    .map(|text| serde_json::from_str(text).unwrap())
    .collect();
    all.push(json!("x".repeat(5000)));
    all
}

/// The place of every value in a body, the body itself first.
fn places(value: &Json, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Json::Object(object) => object.iter().for_each(|(key, value)| places(value, &format!("{at}/{key}"), out)),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), out));
        }
        _ => {}
    }
}

/// The API's own answer: JSON, and neither a problem nor a fault.
#[track_caller]
fn its_own(answer: &Answer, call: &Call, body: &Json) {
    let what = || format!("{} {} {body:.400}\n{answer}", call.method, call.path);
    assert!(answer.status < 500 || answer.status == 501, "{}", what());
    assert_eq!(answer.header("content-type"), Some("application/json"), "{}", what());
}

#[test]
fn whatever_a_body_holds_the_answer_is_the_apis_own() {
    let server = Server::start(&["--freeze"]);
    let mut sent = 0;
    for call in calls() {
        let send = |body: &Json| {
            let mut headers = call.headers.clone();
            headers.push(JSON);
            let answer = server.call(call.method, &call.path, &headers, body.to_string());
            its_own(&answer, &call, body);
            // What one makes must not be in the way of the next.
            if answer.status < 300 {
                server.control("POST", "/reset", None).expect(200);
            }
            answer
        };
        let good = send(&call.body);
        assert!(good.status < 300, "{} {}: {good}", call.method, call.path);
        let mut all = Vec::new();
        places(&call.body, "", &mut all);
        for place in all {
            for value in odd() {
                let mut body = call.body.clone();
                *body.pointer_mut(&place).unwrap() = value;
                send(&body);
                sent += 1;
            }
            if let Some((parent, key)) = place.rsplit_once('/') {
                let mut body = call.body.clone();
                match body.pointer_mut(parent).unwrap() {
                    Json::Object(object) => {
                        let value = object.shift_remove(key).unwrap();
                        object.insert(key.to_uppercase(), value);
                    }
                    Json::Array(items) => items.clear(),
                    _ => {}
                }
                send(&body);
            }
        }
    }
    assert!(sent > 3000, "{sent}");
}

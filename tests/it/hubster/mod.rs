//! Hubster's integrations, hubs and tokens over the wire: what the documentation says, and what was decided where it is
//! silent. Names say which statement: `hN` is a numbered defect of the page, `s1_4` a section of the facts about the API,
//! `code_` a row of the table of error codes, `rule_` a sentence about behaviour, `beyond_` another page of the vendor.

mod attempts;
mod beyond;
mod codes;
mod create;
mod defects;
mod documented;
mod events;
mod hubs;
mod messages;
mod options;
mod rules;
mod tenants;
mod tokens;
mod told;
mod update;

use serde_json::{Value as Json, json};

use crate::server::{Answer, FORM, JSON, Server, advance};
use crate::support::{keys, part, text};

pub(crate) const PORTAL: (&str, &str) = ("Authorization", "Bearer hubster-portal-token");
const ACME: (&str, &str) = ("Authorization", "Bearer acme-portal-token");
const ENGINE: (&str, &str) = ("Authorization", "Bearer hubster-engine-token");

/// The client of the portal, whose secret is `hubster-portal-secret`.
const CLIENT: &str = "hubster.portal.api.00000000000000000000000000000001";

/// The hub and the integration of the documented examples: both ids are all zeros.
const ZERO: &str = "00000000-0000-0000-0000-000000000000";
/// The other hub of the same tenant.
const DEV: &str = "00000000-0000-0000-0000-0000000000a2";
/// A hub and an integration of the other tenant.
const ACME_HUB: &str = "00000000-0000-0000-0000-0000000000b1";
const ACME_CHAT: &str = "00000000-0000-0000-0000-0000000000b2";
const NOBODY: &str = "99999999-9999-4999-8999-999999999999";

/// The seed's integration of a channel: its id ends in the channel's number.
fn seed(channel: u32) -> String {
    format!("00000000-0000-0000-0000-{channel:012}")
}

const CUSTOMER_DIRECT: u32 = 1;
const SYSTEM: u32 = 3;
const MESSENGER: u32 = 101;
const TWILIO: u32 = 102;
const WEB_CHAT: u32 = 106;
const SLACK: u32 = 1001;

fn start() -> Server {
    start_with(&[])
}

fn start_with(options: &[&str]) -> Server {
    Server::with_options("hubster", options)
}

fn call(server: &Server, method: &str, path: &str, body: Option<Json>) -> Answer {
    server.api_as(PORTAL, method, path, body)
}

/// Sends to the path that Create and Update share.
fn post(server: &Server, id: &str, body: Json) -> Answer {
    call(server, "POST", &format!("/api/v1/integrations/hubs/{id}"), Some(body))
}

fn get(server: &Server, id: &str) -> Answer {
    call(server, "GET", &format!("/api/v1/integrations/{id}"), None)
}

/// A body of Create in the least that its channel needs, with values of its own.
fn body(channel: &str, name: &str) -> Json {
    let configuration = match channel {
        "TwilioSMS" => json!({ "authToken": "auth", "accountSid": "AC-1", "numberSid": format!("PN-{name}") }),
        "Messenger" => json!({ "pageAccessToken": format!("page-{name}") }),
        "WebChat" => json!({ "allowedOrigins": ["localhost"] }),
        "Direct" => json!({ "integrationType": "Agent", "webhookUrl": "https://receiver.example/hook" }),
        "System" => json!({ "webhookUrl": "https://receiver.example/hook", "events": ["message"] }),
        "Slack" => json!({ "code": format!("code-{name}"), "state": "1603933721" }),
        _ => json!({}),
    };
    json!({ "channelId": channel, "name": name, "configuration": configuration })
}

const CHANNELS: [&str; 6] = ["TwilioSMS", "Messenger", "WebChat", "Direct", "System", "Slack"];

/// Asks for a token.
fn ask(server: &Server, form: &str) -> Answer {
    server.call("POST", "/connect/token", &[FORM], form)
}

/// Creates an integration in the documented hub.
fn create(server: &Server, channel: &str, name: &str) -> Json {
    post(server, ZERO, body(channel, name)).expect(200).json()
}

/// Checks that an answer has the vendor's error body with these codes, in order: each stands in its description too, and
/// `status` is the status. Gives the descriptions.
#[track_caller]
fn refused(answer: &Answer, status: u16, codes: &[u32]) -> Vec<String> {
    assert_eq!(answer.status, status, "{answer}");
    let body = answer.json();
    assert_eq!(keys(&body), ["status", "errors"], "{answer}");
    assert_eq!(body["status"], status, "{answer}");
    let errors = body["errors"].as_array().unwrap();
    let mut words = Vec::new();
    for error in errors {
        assert_eq!(keys(error), ["code", "description"], "{answer}");
        let description = text(error, "description");
        let code = format!("(code: PRT{:06})", error["code"].as_u64().unwrap());
        assert!(description.ends_with(&code), "{answer}");
        words.push(description.to_owned());
    }
    let found: Vec<u64> = errors.iter().map(|error| error["code"].as_u64().unwrap()).collect();
    assert_eq!(found, codes.iter().map(|code| u64::from(*code)).collect::<Vec<_>>(), "{answer}");
    words
}

fn fire(server: &Server, event: &str, input: Json) -> Answer {
    server.control("POST", &format!("/events/hubster/{event}"), Some(input))
}

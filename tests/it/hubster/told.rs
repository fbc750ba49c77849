//! Who is told what is said in a hub, and how it is signed. The receivers are processes of their own.

use super::*;
use crate::server::standin;
use crate::stranger::{Stranger, header, landed, only};
use crate::support;

/// The key of Hubster's documentation, and what it makes of the body `{}`.
const DOCUMENTED_KEY: &str = "FA96D15568654A4482772E00BA941BCB";
const OF_EMPTY: &str = "wTHpB8lVkHx3Jgbfl8D21daSYZPyYvCzajW0o6tB7M4=";

/// A pack that sends `{}`, signed as Hubster signs.
pub(super) fn seal() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = format!("= \"{DOCUMENTED_KEY}\"");
    let webhook = format!(
        r#"
webhook: A letter was sealed
docs: seals.md#hooks
on: {{ event: seal }}
to: = input.to
sign: {{ header: x-hubster-signature, algorithm: hmac-sha256, key: '{key}', encoding: base64 }}
body: {{ like: sealed.json, static: It says nothing. }}
retries: [1 hour]
timeout: 1 second
"#
    );
    for (path, text) in [
        (
            "pack.yaml",
            "pack: seal\ntitle: Seals\nresources: { letter: { id: id, fields: { id: uuid, to: string } } }\n",
        ),
        (
            "letters/seal.event.yaml",
            "event: A letter is sealed\ndocs: seals.md#seal\ninput: { to: { type: string, required: true } }\neffects: [{ create: letter, set: { to: = input.to } }]\n",
        ),
        ("letters/sealed.webhook.yaml", &webhook),
        ("letters/sealed.json", "{}"),
    ] {
        support::write(folder.path(), &format!("fixtures/seal/{path}"), text);
    }
    folder
}

pub(super) fn serve(folder: &tempfile::TempDir) -> Server {
    let mut command = standin();
    command.current_dir(folder.path()).args(["serve", "seal", "--port", "0", "--log", "off", "--freeze"]);
    Server::spawn(command)
}

/// Creates an integration in the hub that has none.
#[track_caller]
pub(super) fn join(server: &Server, channel: &str, name: &str, configuration: Json) -> Json {
    let body = json!({ "channelId": channel, "name": name, "configuration": configuration });
    post(server, DEV, body).expect(200).json()
}

/// The same, for a System integration that hears all messages.
#[track_caller]
pub(super) fn system(server: &Server, url: &str) -> Json {
    join(server, "System", "hears", json!({ "webhookUrl": url, "events": ["message"] }))
}

pub(super) fn private(integration: &Json) -> &str {
    text(&integration["configuration"], "privateSigningKey")
}

/// Somebody says something in that hub. Gives the entry.
#[track_caller]
pub(super) fn say(server: &Server, from: &str) -> Json {
    let said = json!({ "hubId": DEV, "from": from, "text": format!("I am a {from}"), "conversationId": "c1" });
    fire(server, "send-activity", said).expect(200).json()
}

/// The same, as an integration of the hub.
#[track_caller]
fn say_as(server: &Server, integration: &Json, from: &str) {
    let said =
        json!({ "integrationId": integration["integrationId"], "from": from, "text": "Me", "conversationId": "c1" });
    fire(server, "send-activity", said).expect(200);
}

/// The names of the integrations that were told, how, and the activity; in the order of what happened.
#[track_caller]
fn told(server: &Server) -> Vec<(String, String, Json)> {
    let all = landed(server);
    let one = |delivery: &Json| {
        let Some(attempt) = delivery["attempts"].get(0) else {
            return (String::new(), text(delivery, "channel").to_owned(), json!(null));
        };
        let body: Json = serde_json::from_str(text(&attempt["request"]["body"], "text")).unwrap();
        let id = text(&body, "integrationId");
        let name = text(&get(server, id).expect(200).json(), "name").to_owned();
        let activity = if body["activity"].is_null() { &body["activities"][0] } else { &body["activity"] };
        (name, text(delivery, "channel").to_owned(), activity.clone())
    };
    all.iter().map(one).collect()
}

#[track_caller]
fn names(server: &Server) -> Vec<String> {
    told(server).into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn a_receiver_verifies_what_an_integration_made_by_the_api_is_told() {
    let (server, stranger) = (start(), Stranger::start(&[]));
    let made = system(&server, &stranger.url());
    stranger.key(private(&made));
    let entry = say(&server, "customer");

    let delivery = only(&server);
    assert_eq!((&delivery["state"], &delivery["channel"]), (&json!("delivered"), &json!("webhook")), "{delivery:#}");
    assert_eq!(delivery["attempts"][0]["response"]["status"], 200, "{delivery:#}");
    assert_eq!(entry["deliveries"], json!([delivery["id"]]));

    let [seen] = stranger.seen().try_into().unwrap();
    assert_eq!((&seen["signed"], &seen["line"]), (&json!(true), &json!("POST /hook HTTP/1.1")));
    let configuration = &made["configuration"];
    for (name, value) in [
        ("x-source-system", "engine.hubster.io"),
        ("x-hub-id", DEV),
        ("x-integration-id", text(&made, "integrationId")),
        ("x-conversation-id", "c1"),
        ("x-hubster-public-key", text(configuration, "publicSigningKey")),
        ("content-type", "application/json"),
    ] {
        assert_eq!(header(&seen, name), Some(value), "{name} of {seen:#}");
    }
    // The receiver looked at the signature, and not only at whether there is one.
    stranger.key("another key");
    say(&server, "customer");
    let refused = &landed(&server)[1];
    assert_eq!((&refused["attempts"][0]["response"]["status"], &refused["state"]), (&json!(403), &json!("waiting")));
}

#[test]
fn a_receiver_in_node_verifies_it_too() {
    let server = start();
    let made = system(&server, "http://127.0.0.1:9/not-yet");
    let stranger = Stranger::in_node(private(&made));
    let configuration = json!({ "webhookUrl": stranger.url(), "events": ["message"] });
    post(&server, text(&made, "integrationId"), json!({ "configuration": configuration })).expect(200);
    say(&server, "bot");
    assert_eq!(only(&server)["state"], "delivered");
    let [seen] = stranger.seen().try_into().unwrap();
    assert_eq!((&seen["signed"], &seen["activities"][0]["eventTrigger"]), (&json!(true), &json!("message:bot")));
}

#[test]
fn the_documented_key_makes_the_known_signature() {
    let (folder, stranger) = (seal(), Stranger::start(&["--key", DOCUMENTED_KEY]));
    let server = serve(&folder);
    server.control("POST", "/events/seal/seal", Some(json!({ "to": stranger.url() }))).expect(200);
    assert_eq!(only(&server)["state"], "delivered");
    let [seen] = stranger.seen().try_into().unwrap();
    assert_eq!(header(&seen, "x-hubster-signature"), Some(OF_EMPTY));
    assert_eq!((&seen["body"], &seen["signed"]), (&json!("{}"), &json!(true)));
}

#[test]
fn the_integration_of_the_seed_signs_with_the_documented_key() {
    let (server, stranger) = (start(), Stranger::start(&["--key", DOCUMENTED_KEY]));
    let path = format!("/state/hubster/integration/{}", seed(SYSTEM));
    server.control("PATCH", &path, Some(json!({ "webhookUrl": stranger.url() }))).expect(200);
    let said =
        json!({ "integrationId": seed(MESSENGER), "from": "customer", "text": "Where is it?", "conversationId": "c1" });
    fire(&server, "send-activity", said).expect(200);
    landed(&server);
    let [seen] = stranger.seen().try_into().unwrap();
    assert_eq!(seen["signed"], true, "{seen:#}");

    let [body] = stranger.bodies().try_into().unwrap();
    let outer = ["hubId", "tenantId", "integrationId", "conversationId", "conversationProperties", "activities"];
    assert_eq!(keys(&body), outer);
    let activity = &body["activities"][0];
    let inner = [
        "type",
        "eventTrigger",
        "eventId",
        "externalId",
        "isEcho",
        "interactionId",
        "flowProcess",
        "sender",
        "recipient",
        "message",
    ];
    assert_eq!(keys(activity), inner);
    assert_eq!(text(&body, "tenantId"), "00000000-0000-0000-0000-000000000001");
    assert_eq!(activity["eventId"], 1_727_802_912_000_u64);
    let (sender, recipient) = (&activity["sender"], &activity["recipient"]);
    assert_eq!(keys(sender), ["integrationId", "integrationType", "channelType", "tokenId"]);
    assert_eq!(keys(recipient), keys(sender));
    assert_eq!((text(sender, "integrationId"), text(sender, "channelType")), (&*seed(MESSENGER), "Messenger"));
    // The first active integration of the other side.
    assert_eq!((text(recipient, "integrationId"), text(recipient, "integrationType")), (ZERO, "Agent"));
}

#[test]
fn system_integrations_are_told_what_their_events_name_and_that_once() {
    let (server, stranger) = (start(), Stranger::start(&[]));
    for (name, events) in [
        ("all", json!(["message"])),
        ("customers", json!(["message:customer"])),
        ("others", json!(["message:agent", "message:bot"])),
        ("twice", json!(["message", "message:customer"])),
    ] {
        join(&server, "System", name, json!({ "webhookUrl": stranger.url(), "events": events }));
    }
    for from in ["customer", "agent", "bot"] {
        say(&server, from);
    }
    assert_eq!(names(&server), ["all", "customers", "twice", "all", "others", "twice", "all", "others", "twice"]);
    assert_eq!(stranger.seen().len(), 9);
}

#[test]
fn direct_integrations_are_told_what_others_say_and_an_echo_if_they_want_it() {
    let (server, stranger) = (start(), Stranger::start(&[]));
    let direct = |name: &str, echo: bool| {
        let kind = name.split(' ').next().unwrap();
        join(&server, "Direct", name, json!({ "integrationType": kind, "echo": echo, "webhookUrl": stranger.url() }))
    };
    let (quiet, loud) = (direct("Agent", false), direct("Agent with echo", true));
    direct("Customer", true);
    direct("Bot", false);
    let conversation = |said: &Json| (text(said, "eventTrigger").to_owned(), said["isEcho"].clone());

    say(&server, "customer");
    assert_eq!(names(&server), ["Agent", "Agent with echo", "Bot"]);
    say_as(&server, &quiet, "agent");
    assert_eq!(names(&server)[3..], ["Customer", "Bot"]);
    say_as(&server, &loud, "agent");
    let all = told(&server);
    let last: Vec<_> = all[5..].iter().map(|(name, _, said)| (name.as_str(), conversation(said))).collect();
    let agent = |echo: bool| ("message:agent".to_owned(), json!(echo));
    assert_eq!(last, [("Agent with echo", agent(true)), ("Customer", agent(false)), ("Bot", agent(false))]);

    // One activity, not a list, and the recipient is who is told.
    let body = stranger.bodies().pop().unwrap();
    let outer = ["hubId", "tenantId", "integrationId", "conversationId", "conversationProperties", "activity"];
    assert_eq!(keys(&body), outer);
    assert_eq!(body["activity"]["recipient"]["integrationId"], body["integrationId"]);
    // Who writes in a hub and is no integration has a type only.
    assert_eq!(keys(&stranger.bodies()[0]["activity"]["sender"]), ["integrationType", "tokenId"]);
}

#[test]
fn what_is_known_of_a_conversation_is_told() {
    let (server, stranger) = (start(), Stranger::start(&[]));
    system(&server, &stranger.url());
    say(&server, "customer");
    let profile = json!({ "device": "Direct", "full name": "Ada" });
    let said =
        json!({ "hubId": DEV, "from": "bot", "text": "a", "profile": profile, "additional": { "order": "A-17" } });
    fire(&server, "send-activity", said).expect(200);
    landed(&server);
    let mut known: Vec<Json> = stranger.bodies().iter().map(|body| body["conversationProperties"].clone()).collect();
    known.sort_by_key(Json::to_string);
    assert_eq!(
        known,
        [json!({ "profile": profile, "additional": { "order": "A-17" } }), json!({ "profile": {}, "additional": {} })]
    );
    // There is nobody on the other side.
    assert_eq!(stranger.bodies()[0]["activities"][0]["recipient"], json!(null));
}

#[test]
fn who_is_paused_or_of_another_hub_is_not_told() {
    let (server, stranger) = (start(), Stranger::start(&[]));
    let made = system(&server, &stranger.url());
    let id = text(&made, "integrationId");
    post(&server, id, json!({ "statusId": 3002 })).expect(200);
    say(&server, "customer");
    assert_eq!(landed(&server), Vec::<Json>::new());
    post(&server, id, json!({ "statusId": 3000 })).expect(200);
    let elsewhere = json!({ "hubId": ACME_HUB, "from": "customer", "text": "Hi" });
    fire(&server, "send-activity", elsewhere).expect(200);
    assert_eq!(landed(&server), Vec::<Json>::new());
    say(&server, "customer");
    assert_eq!(names(&server), ["hears"]);
}

#[test]
fn a_direct_integration_without_url_is_told_by_websocket() {
    let server = start();
    join(&server, "Direct", "socket", json!({ "integrationType": "Bot" }));
    say(&server, "customer");
    let delivery = only(&server);
    assert_eq!((&delivery["channel"], &delivery["state"]), (&json!("websocket"), &json!("delivered")), "{delivery:#}");
    assert_eq!((&delivery["to"], &delivery["attempts"], &delivery["next"]), (&json!(null), &json!([]), &json!(null)));
    assert_eq!(server.control("GET", "/clock/agenda", None).json()["total"], 0);
}

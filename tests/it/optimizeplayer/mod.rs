//! OptimizePlayer's integrations over the wire: what the documentation says, and what was decided where it is silent.
//! Names say which statement: `oN` is a numbered defect of the page, `beyond_N` what other sources say.

mod bad_input;
mod beyond;
mod calls;
mod commands;
mod defects;
mod documented;
mod options;

use std::fs;

use serde_json::{Value as Json, json};

use crate::server::{Answer, FORM, JSON, Server};
use crate::support::{keys, repository, text};

const LIST: &str = "/api/v1/integrations";

/// The kinds of the page: section, what `type` and `provider` are for it, the fields without a mark, the encrypted ones.
const KINDS: [(&str, &str, &[&str], &[&str]); 17] = [
    ("IntegrationActiveCampaign", "activecampaign", &["api_endpoint", "actid"], &["api_key", "event_key"]),
    ("IntegrationAmazon", "amazon", &["bucket", "access_key_id", "cloudfront", "ready"], &["secret_access_key"]),
    ("IntegrationAweber", "aweber", &["access_token", "consumer_key"], &["access_token_secret", "consumer_secret"]),
    ("IntegrationConvertkit", "convertkit", &["api_key"], &["secret_key"]),
    ("IntegrationDisqus", "disqus", &["forum_shortname"], &[]),
    ("IntegrationDrip", "drip", &["api_account_id"], &["access_token"]),
    ("IntegrationGetresponse", "getresponse", &[], &["secret_api_key"]),
    (
        "IntegrationGoogleAnalytics",
        "google_analytics",
        &["api_account_id", "web_property_id"],
        &["access_token", "refresh_token"],
    ),
    ("IntegrationHtml", "html", &["html", "params", "url"], &[]),
    ("IntegrationInfusionsoft", "infusionsoft", &["app_name"], &["api_key"]),
    ("IntegrationIntercom", "intercom", &[], &["access_token"]),
    ("IntegrationMailchimp", "mailchimp", &[], &["api_key"]),
    ("IntegrationOntraport", "ontraport", &["app_id"], &["api_key"]),
    ("IntegrationPaypal", "paypal", &["client_id"], &["client_secret"]),
    ("IntegrationSendreach", "sendreach", &["api_key"], &["secret_api_key"]),
    ("IntegrationStripe", "stripe", &["publishable_key"], &["secret_key"]),
    ("IntegrationWishlist", "wishlist", &["endpoint"], &["api_key"]),
];

/// The fields that every kind has, in the order of the examples.
const COMMON: [&str; 9] =
    ["id", "title", "type", "account_id", "use_cloudfront", "integration_type", "provider", "created_at", "updated_at"];

fn start(options: &[&str]) -> Server {
    Server::with_options("optimizeplayer", options)
}

/// A call with the key of the documented account.
fn get(server: &Server, path: &str) -> Answer {
    server.get(&format!("{path}?api_key=test_key"))
}

fn post(server: &Server, path: &str, form: &str) -> Answer {
    server.call("POST", path, &[FORM], form)
}

/// Checks that an error is this one, in the shape that the vendor's client reads.
#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (status, Some("application/json")), "{answer}");
    let body = answer.json();
    assert_eq!(body["error"], error, "{answer}");
    assert!(body["message"].as_str().is_some_and(|message| message.ends_with('.')), "{answer}");
    assert_eq!(keys(&body), ["error", "message"], "{answer}");
}

/// An example as it is written, without white space.
fn example(file: &str) -> Json {
    let path = repository("fixtures/optimizeplayer/integrations").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn sandbox(server: &Server, id: &str, options: &Json) {
    server.control("POST", "/sandboxes", Some(json!({ "id": id, "options": options }))).expect(201);
}

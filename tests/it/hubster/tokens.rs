//! Tokens: section 3.5 of the facts.

use super::*;

const ENGINE_CLIENT: &str = "hubster.engine.api.00000000000000000000000000000001";

fn token(server: &Server, client: &str, secret: &str) -> Json {
    let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    ask(server, &form).expect(200).json()
}

fn with(server: &Server, token: &Json, path: &str) -> Answer {
    let header = format!("Bearer {}", text(token, "access_token"));
    server.call("GET", path, &[("Authorization", &header)], "")
}

#[test]
fn s3_5_the_token_is_a_signed_jwt_and_opens_the_portal() {
    let server = start();
    let token = token(&server, CLIENT, "hubster-portal-secret");
    assert_eq!(keys(&token), ["access_token", "expires_in", "token_type", "scope"]);
    assert_eq!(token["expires_in"], 2_592_000);
    assert_eq!((text(&token, "token_type"), text(&token, "scope")), ("Bearer", "hubster-portal-api"));
    let coded = text(&token, "access_token");
    assert_eq!(coded.split('.').count(), 3);
    assert_eq!(part(coded, 0)["alg"], "RS256");
    let claims = part(coded, 1);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), 2_592_000);
    assert_eq!((&claims["client_id"], &claims["scope"]), (&json!(CLIENT), &json!(["hubster-portal-api"])));
    assert_eq!(with(&server, &token, "/api/v1/hubs").expect(200).json()["total"], 2);
}

#[test]
fn s3_5_a_token_lasts_30_days_of_virtual_time() {
    let server = start();
    let first = token(&server, CLIENT, "hubster-portal-secret");
    advance(&server, "29 days 23h 59m 59s");
    with(&server, &first, "/api/v1/hubs").expect(200);
    let second = token(&server, CLIENT, "hubster-portal-secret");
    assert_ne!(first["access_token"], second["access_token"]);
    advance(&server, "1s");
    refused(&with(&server, &first, "/api/v1/hubs"), 401, &[102]);
    with(&server, &second, "/api/v1/hubs").expect(200);
    advance(&server, "30d");
    refused(&with(&server, &second, "/api/v1/hubs"), 401, &[102]);
    // The known tokens never expire.
    call(&server, "GET", "/api/v1/hubs", None).expect(200);
}

#[test]
fn s3_5_portal_and_engine_tokens_are_not_interchangeable() {
    let server = start();
    let engine = token(&server, ENGINE_CLIENT, "hubster-engine-secret");
    assert_eq!(engine["scope"], "hubster-engine-api");
    let portal = token(&server, CLIENT, "hubster-portal-secret");
    let activities = format!("/api/v1/interactions/activities/{ZERO}");
    with(&server, &engine, &activities).expect(200);
    assert_eq!(with(&server, &portal, &activities).expect(403).json()["errors"][0]["code"], 101);
    let integration = format!("/api/v1/integrations/{ZERO}");
    for path in ["/api/v1/hubs", "/api/v1/integrations", &integration] {
        refused(&with(&server, &engine, path), 403, &[101]);
        with(&server, &portal, path).expect(200);
    }
}

#[test]
fn s3_5_a_client_that_is_not_enabled_gets_no_token() {
    let server = start();
    let client = format!("/state/hubster/client/{CLIENT}");
    server.control("PATCH", &client, Some(json!({ "enabled": false }))).expect(200);
    let form = format!("grant_type=client_credentials&client_id={CLIENT}&client_secret=hubster-portal-secret");
    assert_eq!(text(&ask(&server, &form).expect(400).json(), "error"), "invalid_client");
}

/// APIs write one name in several cases, and what is a secret in one is one in all.
#[test]
fn s1_4_secrets_of_providers_are_masked_in_every_casing() {
    let server = start();
    for channel in [TWILIO, MESSENGER, SLACK, SYSTEM] {
        get(&server, &seed(channel)).expect(200);
    }
    call(&server, "GET", "/api/v1/integrations", None).expect(200);
    post(&server, &seed(MESSENGER), json!({ "configuration": { "PAGEACCESSTOKEN": "hidden-page-token" } })).expect(200);
    let slack = json!({
        "channelId": "Slack", "name": "s", "configuration": { "code": "hidden-slack-code", "STATE": "hidden-slack-state" },
    });
    post(&server, ZERO, slack).expect(200);
    let shown = server.control("GET", "/log", None).expect(200).text();
    let entries: Vec<String> =
        (1..=7).map(|entry| server.control("GET", &format!("/journal/{entry}"), None).expect(200).text()).collect();
    for secret in [
        "cb8c5367c3c4586ecb589e2557000001",
        "EAAeZ-seed-page",
        "xoxb-193043142226-000000000001",
        "xoxp-193043142226-000000000001",
        "FA96D15568654A4482772E00BA941BCB",
        "hidden-page-token",
        "hidden-slack-code",
        "hidden-slack-state",
    ] {
        assert!(!shown.contains(secret) && entries.iter().all(|entry| !entry.contains(secret)), "{secret}");
    }
}

#[test]
fn s3_5_secrets_and_tokens_are_masked_in_the_journal() {
    let server = start();
    let made = token(&server, CLIENT, "hubster-portal-secret");
    let journal = server.control("GET", "/journal/1", None).expect(200).text();
    assert!(journal.contains("client_secret=•••"), "{journal}");
    for secret in ["hubster-portal-secret", text(&made, "access_token")] {
        assert!(!journal.contains(secret), "{journal}");
    }
}

#[test]
fn s3_5_a_token_is_its_tenants() {
    let server = start();
    let client = "hubster.portal.api.00000000000000000000000000000002";
    let acme = token(&server, client, "acme-portal-secret");
    let hubs = with(&server, &acme, "/api/v1/hubs").expect(200).json();
    assert_eq!((&hubs["total"], &hubs["results"][0]["hubId"]), (&json!(1), &json!(ACME_HUB)));
    refused(&with(&server, &acme, &format!("/api/v1/integrations/{ZERO}")), 400, &[799]);
}

#[test]
fn s3_5_bad_credentials_are_401() {
    let server = start();
    let made = token(&server, CLIENT, "hubster-portal-secret");
    let made = text(&made, "access_token").to_owned();
    let tampered = format!("{}x", &made[..made.len() - 1]);
    for value in [
        "Bearer",
        "Bearer ",
        "Bearer nobody",
        "hubster-portal-token",
        "Basic hubster-portal-token",
        "Bearer hubster-portal-token x",
        &format!("Bearer {tampered}"),
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ] {
        let answer = server.call("GET", "/api/v1/hubs", &[("Authorization", value)], "");
        refused(&answer, 401, &[102]);
    }
    server.call("GET", "/api/v1/hubs", &[("Authorization", &format!("bearer {made}"))], "").expect(200);
}

#[test]
fn s3_5_bad_requests_for_a_token_have_an_error_and_a_description() {
    let server = start();
    let watch = server.watch_pack("hubster");
    let good = format!("client_id={CLIENT}&client_secret=hubster-portal-secret");
    for (form, error) in [
        (format!("grant_type=password&{good}"), "unsupported_grant_type"),
        (good.clone(), "invalid_request"),
        ("grant_type=client_credentials".to_owned(), "invalid_request"),
        (format!("grant_type=client_credentials&client_id={CLIENT}&client_secret="), "invalid_request"),
        (format!("grant_type=client_credentials&client_id={CLIENT}&client_secret=wrong"), "invalid_client"),
        ("grant_type=client_credentials&client_id=nobody&client_secret=wrong".to_owned(), "invalid_client"),
        // A client has a secret of its own.
        (
            format!("grant_type=client_credentials&client_id={ENGINE_CLIENT}&client_secret=hubster-portal-secret"),
            "invalid_client",
        ),
        (String::new(), "invalid_request"),
        (format!("grant_type=client_credentials&grant_type=password&{good}"), "invalid_request"),
        ("&&&=&=x".to_owned(), "invalid_request"),
    ] {
        let answer = ask(&server, &form).expect(400);
        assert_eq!(keys(&answer.json()), ["error", "error_description"], "{form}");
        assert_eq!(text(&answer.json(), "error"), error, "{form}: {answer}");
    }
    let json = server.call("POST", "/connect/token", &[JSON], "{}").expect(400).json();
    assert_eq!(text(&json, "error"), "invalid_request");
    watch.unharmed();
}

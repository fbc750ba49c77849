//! Clients of a tenant and their secrets: section 3.8 of the facts.

use super::*;

const ACME_CLIENT: &str = "hubster.portal.api.00000000000000000000000000000002";

fn tokens(client: &str) -> String {
    format!("/api/v1/tenants/clients/{client}/tokens")
}

fn add(server: &Server, body: Json) -> Answer {
    call(server, "POST", &tokens(CLIENT), Some(body))
}

/// Whether a token is given for a secret.
fn opens(server: &Server, secret: &str) -> bool {
    let secret = secret.replace('=', "%3D");
    let form = format!("grant_type=client_credentials&client_id={CLIENT}&client_secret={secret}");
    let answer = ask(server, &form);
    assert!(matches!(answer.status, 200 | 400), "{answer}");
    answer.status == 200
}

#[test]
fn s3_8_a_client_shows_its_scopes_claims_and_secrets() {
    let server = start();
    let client = call(&server, "GET", &format!("/api/v1/tenants/clients/{CLIENT}"), None).expect(200).json();
    assert_eq!(keys(&client), ["tenantId", "clientId", "name", "enabled", "allowedScopes", "claims", "secrets"]);
    assert_eq!(client["allowedScopes"], json!(["hubster-portal-api"]));
    let secret = json!({ "id": 1, "name": "hubster_portal", "token": "hubster-portal-secret" });
    assert_eq!(client["secrets"], json!([secret]));
    for stranger in [ACME_CLIENT, "nobody"] {
        let answer = call(&server, "GET", &format!("/api/v1/tenants/clients/{stranger}"), None);
        refused(&answer, 404, &[105]);
    }
}

#[test]
fn s3_8_a_secret_is_added_used_and_taken_away() {
    let server = start();
    let added = add(&server, json!({ "name": "my_secret_4" })).expect(200).json();
    assert_eq!(keys(&added), ["id", "name", "token"]);
    let secret = text(&added, "token");
    assert!(secret.len() == 28 && secret.ends_with('='), "{secret}");
    assert!(opens(&server, secret) && opens(&server, "hubster-portal-secret"));
    let own = format!("{}/{}", tokens(CLIENT), added["id"]);
    assert_eq!(call(&server, "DELETE", &own, None).expect(200).text(), "");
    assert!(!opens(&server, secret) && opens(&server, "hubster-portal-secret"));
    refused(&call(&server, "DELETE", &own, None), 404, &[105]);
}

#[test]
fn s3_8_a_secret_lasts_until_it_expires() {
    let server = start();
    let day = add(&server, json!({ "name": "a", "expiration": "2024-10-02" })).expect(200).json();
    assert_eq!(day["expiration"], "2024-10-02T00:00:00");
    let local = add(&server, json!({ "name": "c", "expiration": "2024-10-02T00:00:00" })).expect(200).json();
    assert_eq!(local["expiration"], "2024-10-02T00:00:00", "what is answered can be sent");
    let instant = json!({ "name": "b", "expiration": "2024-10-02T01:00:00+01:00" });
    let instant = add(&server, instant).expect(200).json();
    assert_eq!(instant["expiration"], "2024-10-02T00:00:00");
    let open = || [&day, &local, &instant].map(|added| opens(&server, text(added, "token")));
    server.control("PUT", "/clock", Some(json!({ "now": "2024-10-01T23:59:59Z" }))).expect(200);
    assert_eq!(open(), [true; 3]);
    advance(&server, "1s");
    assert_eq!(open(), [false; 3]);
}

#[test]
fn s3_8_bad_secrets_are_refused() {
    let server = start();
    let watch = server.watch_pack("hubster");
    refused(&add(&server, json!({})), 400, &[301]);
    refused(&add(&server, json!({ "name": "a", "token": "mine" })), 400, &[303]);
    refused(&add(&server, json!({ "name": "hubster_portal" })), 400, &[600]);
    for date in
        ["tomorrow", "2024-02-30", "30.08.2018", "2018-08-30T24:00:00", "9999-12-31", "9999-12-31T00:00:00Z", ""]
    {
        refused(&add(&server, json!({ "name": "a", "expiration": date })), 400, &[204]);
    }
    refused(&add(&server, json!({ "name": "a", "expiration": 20_180_830 })), 400, &[302]);
    refused(&call(&server, "POST", &tokens(ACME_CLIENT), Some(json!({ "name": "a" }))), 404, &[105]);
    refused(&call(&server, "DELETE", &format!("{}/first", tokens(CLIENT)), None), 400, &[210]);
    // Another client's secret, of the same tenant and of the other.
    for id in [2, 3] {
        refused(&call(&server, "DELETE", &format!("{}/{id}", tokens(CLIENT)), None), 404, &[105]);
    }
    watch.unharmed();
}

//! Stories from beginning to end, moved by the virtual clock only.

use super::*;

/// A customer signs up, connects a network, lets the trial run out, pays, stops paying, and leaves.
#[test]
fn walk_through_a_trial() {
    let server = start();
    let customer = Customer::made(&server);
    let instagram = customer.connects(&server, "instagram_business");
    let path = format!("/customer-integrations/{instagram}");

    advance(&server, "6 days 23h 57m");
    let session = customer.session(&server);
    open(&server, &session["session_link"]).expect(200);
    let delete = format!("{path}?session_id={}", text(&session, "session_uuid"));

    // The trial ends in the middle of the session: the session is valid, and of no use.
    advance(&server, "3m");
    refused(&customer.get(&server, &path), 401, TRIAL_ENDED);
    refused(&customer.call(&server, "DELETE", &delete, None), 401, TRIAL_ENDED);
    refused(&customer.call(&server, "POST", "/customer-integrations/session", None), 401, TRIAL_ENDED);
    refused(&customer.call(&server, "POST", "/metrics/get-data", Some(question(&instagram))), 401, TRIAL_ENDED);
    open(&server, &session["session_link"]).expect(401);
    customer.get(&server, "/customers/settings").expect(200);

    // Paying is enough, and the session still has two minutes.
    customer.pays(&server, true);
    open(&server, &session["session_link"]).expect(200);
    customer.get(&server, &path).expect(200);
    let figures = customer.call(&server, "POST", "/metrics/get-data", Some(question(&instagram))).expect(200);
    assert!(figures.json()["a"]["values"].is_u64());

    // A year later, still paying.
    advance(&server, "365d");
    customer.get(&server, &path).expect(200);
    customer.pays(&server, false);
    refused(&customer.get(&server, &path), 401, TRIAL_ENDED);

    customer.pays(&server, true);
    let session = customer.session(&server);
    let delete = format!("{path}?session_id={}", text(&session, "session_uuid"));
    customer.call(&server, "DELETE", &delete, None).expect(200);
    server.api("DELETE", &format!("/customers/{}", customer.uuid), None).expect(200);
    refused(&customer.get(&server, &path), 401, "Invalid Customer Token");
    open(&server, &session["session_link"]).expect(404);
}

/// A customer opens its session, revokes the network elsewhere, lets the session run out, and needs a new one to
/// reconnect.
#[test]
fn walk_through_a_session() {
    let server = start();
    let customer = Customer::made(&server);
    let body = json!({ "redirect_url": "https://app.example/connected" });
    let answer = customer.call(&server, "POST", "/customer-integrations/session", Some(body)).expect(200).json();
    let session = &answer["integration_session"];
    let link = &session["session_link"];
    assert!(open(&server, link).expect(200).text().contains("Nothing is connected yet."));

    advance(&server, "1m");
    let facebook = customer.connects(&server, "facebook");
    assert!(shows(&open(&server, link).expect(200).text(), "Facebook", "active"));
    let path = format!("/customer-integrations/{facebook}");
    let status = || customer.get(&server, &path).expect(200).json()["customer_integration"]["status"].clone();
    assert_eq!(status(), "active");

    fire(&server, "revoke", json!({ "uuid": facebook }));
    assert_eq!(status(), "revoked");
    assert!(open(&server, link).expect(200).text().contains("This integration needs attention"));

    advance(&server, "3m 59s");
    open(&server, link).expect(200);
    advance(&server, "1s");
    open(&server, link).expect(401);
    let id = text(session, "session_uuid");
    refused(&customer.call(&server, "DELETE", &format!("{path}?session_id={id}"), None), 401, "Invalid Session");
    assert_eq!(status(), "revoked");

    let next = customer.session(&server);
    assert_ne!(next["session_uuid"], session["session_uuid"]);
    open(&server, &next["session_link"]).expect(200);
    fire(&server, "reconnect", json!({ "uuid": facebook }));
    assert_eq!(status(), "active");
    let page = open(&server, &next["session_link"]).expect(200).text();
    assert!(shows(&page, "Facebook", "active") && !page.contains("needs attention"), "{page}");

    // The old session stays over; the new one deletes.
    refused(&customer.call(&server, "DELETE", &format!("{path}?session_id={id}"), None), 401, "Invalid Session");
    let id = text(&next, "session_uuid");
    customer.call(&server, "DELETE", &format!("{path}?session_id={id}"), None).expect(200);
    assert!(open(&server, &next["session_link"]).expect(200).text().contains("Nothing is connected yet."));
}

/// Every exchange and event of a walk is in the log, so that the same walk in another process gives the same bytes.
#[test]
fn the_same_walk_gives_the_same_bytes() {
    let walk = || {
        let server = start();
        let customer = Customer::made(&server);
        let one = customer.connects(&server, "facebook");
        let session = customer.session(&server);
        let link = text(&session, "session_link").replace(&server.url(), "");
        [
            session.to_string().replace(&server.url(), ""),
            server.get(&link).text().replace(&server.url().replace('/', "&#x2f;"), ""),
            customer.call(&server, "POST", "/metrics/get-data", Some(question(&one))).text(),
            customer.get(&server, &format!("/customer-integrations/{one}")).text(),
        ]
    };
    assert_eq!(walk(), walk());
}

//! State behaviour: section 1.6 of the facts, and who sees what.

use super::*;

#[test]
fn rule_a_name_is_unique_within_a_hub_on_create_and_on_rename() {
    let server = start();
    let made = create(&server, "Direct", "Front desk");
    let watch = server.watch_pack("hubster");
    for channel in CHANNELS {
        refused(&post(&server, ZERO, body(channel, "Front desk")), 400, &[700]);
    }
    for id in [seed(TWILIO), seed(WEB_CHAT), seed(SYSTEM), seed(CUSTOMER_DIRECT)] {
        refused(&post(&server, &id, json!({ "name": "Front desk" })), 400, &[700]);
    }
    watch.unharmed();
    // Its own name, and the same name in another hub or of another tenant, are free.
    post(&server, text(&made, "integrationId"), json!({ "name": "Front desk" })).expect(200);
    post(&server, DEV, body("Direct", "Front desk")).expect(200);
    let path = format!("/api/v1/integrations/hubs/{ACME_HUB}");
    server.api_as(ACME, "POST", &path, Some(body("Direct", "Front desk"))).expect(200);
    // A name that was given up is free again.
    post(&server, text(&made, "integrationId"), json!({ "name": "Back office" })).expect(200);
    create(&server, "Direct", "Front desk");
}

#[test]
fn rule_names_that_differ_in_case_are_two_names() {
    let server = start();
    create(&server, "Direct", "Front desk");
    create(&server, "Direct", "FRONT DESK");
    post(&server, &seed(SYSTEM), json!({ "name": "front desk" })).expect(200);
}

#[test]
fn rule_a_number_a_page_and_a_team_belong_to_one_hub() {
    let server = start();
    for channel in ["TwilioSMS", "Messenger", "Slack"] {
        let first = body(channel, channel);
        post(&server, ZERO, first.clone()).expect(200);
        let mut again = first;
        again["name"] = json!("Again");
        let watch = server.watch_pack("hubster");
        refused(&post(&server, ZERO, again.clone()), 400, &[701]);
        refused(&post(&server, DEV, again.clone()), 400, &[701]);
        let path = format!("/api/v1/integrations/hubs/{ACME_HUB}");
        let answer = server.api_as(ACME, "POST", &path, Some(again));
        let words = refused(&answer, 400, &[701]);
        assert!(!words[0].contains("Hubster Demo"), "{words:?}");
        watch.unharmed();
    }
    // Channels without an account may be there many times.
    for nth in 0..3 {
        for channel in ["WebChat", "Direct", "System"] {
            create(&server, channel, &format!("{channel} {nth}"));
        }
    }
}

/// The seed's page and number are those that its token and SID give, with every seed of chance.
#[test]
fn rule_the_seeds_accounts_are_those_of_their_input() {
    for chance in ["1", "7"] {
        let server = Server::start(&["hubster", "--freeze", "--seed", chance]);
        server.control("POST", "/sandboxes", Some(json!({ "id": "other", "seed": 99 }))).expect(201);
        for sandbox in ["", "/~other"] {
            let create =
                |body: Json| call(&server, "POST", &format!("{sandbox}/api/v1/integrations/hubs/{DEV}"), Some(body));
            let page = json!({ "channelId": "Messenger", "name": "a", "configuration": { "pageAccessToken": "EAAeZ-seed-page" } });
            refused(&create(page.clone()), 400, &[701]);
            let path = format!("{sandbox}/api/v1/integrations/{}", seed(MESSENGER));
            let before = call(&server, "GET", &path, None).expect(200).json()["inboundId"].clone();
            let input = json!({ "integrationId": seed(MESSENGER) });
            let event = format!("{sandbox}/_standin/events/hubster/delete-integration");
            server.call("POST", &event, &[JSON], input.to_string()).expect(200);
            assert_eq!(create(page).expect(200).json()["configuration"]["pageId"], before);
        }
    }
}

#[test]
fn rule_a_deleted_integration_frees_its_name_and_its_number() {
    let server = start();
    let made = create(&server, "TwilioSMS", "Number");
    let id = text(&made, "integrationId");
    refused(&post(&server, DEV, body("TwilioSMS", "Number")), 400, &[701]);
    fire(&server, "delete-integration", json!({ "integrationId": id })).expect(200);
    refused(&get(&server, id), 400, &[799]);
    refused(&post(&server, id, json!({ "name": "Number" })), 400, &[799]);
    let again = create(&server, "TwilioSMS", "Number");
    assert_eq!(again["configuration"], made["configuration"]);
}

#[test]
fn rule_deleting_a_hub_deletes_its_integrations() {
    let server = start();
    let made = post(&server, DEV, body("TwilioSMS", "Number")).expect(200).json();
    let path = format!("/api/v1/hubs/{DEV}");
    let deleted = call(&server, "DELETE", &path, None).expect(200);
    assert_eq!(deleted.text(), "");
    refused(&call(&server, "GET", &path, None), 400, &[699]);
    refused(&call(&server, "DELETE", &path, None), 400, &[699]);
    refused(&get(&server, text(&made, "integrationId")), 400, &[799]);
    refused(&post(&server, DEV, body("Direct", "a")), 400, &[699]);
    // What they had is free again.
    create(&server, "TwilioSMS", "Number");
}

#[test]
fn rule_another_tenants_records_are_answered_like_unknown_ones() {
    let server = start();
    let watch = server.watch_pack("hubster");
    let same = |one: Answer, other: Answer| assert_eq!((one.status, one.body), (other.status, other.body));
    same(get(&server, ACME_CHAT), get(&server, NOBODY));
    same(post(&server, ACME_CHAT, json!({ "name": "Mine" })), post(&server, NOBODY, json!({ "name": "Mine" })));
    same(post(&server, ACME_HUB, body("Direct", "Mine")), post(&server, NOBODY, body("Direct", "Mine")));
    for method in ["GET", "DELETE"] {
        let hub = |id: &str| call(&server, method, &format!("/api/v1/hubs/{id}"), None);
        same(hub(ACME_HUB), hub(NOBODY));
    }
    let path = |hub: &str| format!("/api/v1/integrations/hubs/{hub}/WebChat");
    same(call(&server, "GET", &path(ACME_HUB), None), call(&server, "GET", &path(NOBODY), None));
    watch.unharmed();
    for (caller, own, total) in [(PORTAL, ZERO, 7), (ACME, ACME_HUB, 1)] {
        let listed = server.api_as(caller, "GET", "/api/v1/integrations", None).expect(200).json();
        assert_eq!(listed["total"], total);
        assert!(listed["results"].as_array().unwrap().iter().all(|record| record["hubId"] == own), "{listed}");
    }
}

#[test]
fn rule_ids_are_guids_whatever_their_case() {
    let server = start();
    let path = format!("/api/v1/hubs/{}", DEV.to_uppercase());
    assert_eq!(call(&server, "GET", &path, None).expect(200).json()["hubId"], DEV);
    post(&server, &DEV.to_uppercase(), body("Direct", "a")).expect(200);
}

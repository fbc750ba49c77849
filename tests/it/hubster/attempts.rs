//! When an integration is told again, and what becomes of attempts that lead to nothing. The receivers are processes of
//! their own.

use super::told::{join, private, say, seal, serve, system};
use super::*;
use crate::server::eventually;
use crate::stranger::{Stranger, advanced, attempts, header, landed, next, only};

/// The instants of the six attempts, at 0, 2, 6, 12, 20 and 30 minutes.
const PLAN: [&str; 6] = ["17:15:12", "17:17:12", "17:21:12", "17:27:12", "17:35:12", "17:45:12"];

fn at(time: &str) -> String {
    format!("2024-10-01T{time}Z")
}

/// What came of the first attempts, each at its instant of the plan.
fn planned<const N: usize>(came: [Json; N]) -> Vec<(String, Json)> {
    PLAN.iter().map(|time| at(time)).zip(came).collect()
}

/// New keys, by a call of the API; the integration as it is then.
fn regenerate(server: &Server, integration: &Json, url: &str) -> Json {
    let configuration = json!({ "webhookUrl": url, "events": ["message"], "regenerateKeys": true });
    post(server, text(integration, "integrationId"), json!({ "configuration": configuration })).expect(200).json()
}

/// Has an integration at a URL that the API would not take.
fn patch(server: &Server, integration: &Json, url: &str) {
    let path = format!("/state/hubster/integration/{}", text(integration, "integrationId"));
    server.control("PATCH", &path, Some(json!({ "webhookUrl": url }))).expect(200);
}

/// What is wrong with the one attempt of the only delivery: the kind and the words.
#[track_caller]
fn wrong(server: &Server) -> (String, String) {
    let delivery = only(server);
    let attempt = &delivery["attempts"][0];
    assert_eq!((&attempt["response"], &delivery["state"]), (&json!(null), &json!("waiting")), "{delivery:#}");
    (text(&attempt["error"], "kind").to_owned(), text(&attempt["error"], "message").to_owned())
}

#[test]
fn there_are_six_attempts_at_their_instants() {
    let (server, stranger) = (start(), Stranger::start(&["--plan", "500,500,500,500,500,500,500"]));
    system(&server, &stranger.url());
    say(&server, "customer");
    // The first one is made at once.
    assert_eq!(attempts(&only(&server)), planned([json!(500)]));
    for time in &PLAN[1..4] {
        assert_eq!(next(&server), at(time));
    }
    assert_eq!(only(&server)["state"], "waiting");
    let done = advanced(&server, json!({ "by": "1h" }));
    let done: Vec<&str> = done.iter().map(|done| text(done, "at")).collect();
    assert_eq!(done, [at(PLAN[4]), at(PLAN[5])]);
    let delivery = only(&server);
    assert_eq!((&delivery["state"], &delivery["next"]), (&json!("failed"), &json!(null)), "{delivery:#}");
    assert_eq!(attempts(&delivery), planned([500, 500, 500, 500, 500, 500].map(Json::from)));
    // No seventh, however long one waits; and all six said the same.
    assert_eq!(advanced(&server, json!({ "by": "30d" })), Vec::<Json>::new());
    let seen = stranger.seen();
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|one| one["body"] == seen[0]["body"] && one["headers"] == seen[0]["headers"]), "{seen:#?}");
}

#[test]
fn the_attempt_that_is_taken_is_the_last() {
    let (server, stranger) = (start(), Stranger::start(&["--plan", "503,redirect,close,204"]));
    system(&server, &stranger.url());
    say(&server, "agent");
    advanced(&server, json!({ "by": "1h" }));
    let delivery = only(&server);
    assert_eq!(delivery["state"], "delivered");
    // The redirection is not followed.
    assert_eq!(attempts(&delivery), planned([json!(503), json!(302), json!("broken"), json!(204)]));
    assert!(stranger.seen().iter().all(|seen| seen["line"] == "POST /hook HTTP/1.1"));
}

#[test]
fn an_attempt_after_new_keys_is_signed_with_them() {
    let (server, stranger) = (start(), Stranger::start(&["--plan", "500"]));
    let made = system(&server, &stranger.url());
    stranger.key(private(&made));
    say(&server, "customer");
    only(&server);
    let renewed = regenerate(&server, &made, &stranger.url());
    assert_ne!(private(&renewed), private(&made));
    // Who still verifies with the old key sees nothing that it would take.
    advanced(&server, json!({ "by": "6m" }));
    assert_eq!(attempts(&only(&server)), planned([500, 403, 403].map(Json::from)));
    stranger.key(private(&renewed));
    advanced(&server, json!({ "by": "1h" }));
    let delivery = only(&server);
    assert_eq!(attempts(&delivery), planned([500, 403, 403, 200].map(Json::from)));
    assert_eq!(delivery["state"], "delivered");

    let seen = stranger.seen();
    let signed: Vec<&Json> = seen.iter().map(|one| &one["signed"]).collect();
    assert_eq!(signed, [true, false, false, true]);
    let public: Vec<_> = seen.iter().map(|one| header(one, "x-hubster-public-key").unwrap()).collect();
    let [old, new] = [&made, &renewed].map(|one| text(&one["configuration"], "publicSigningKey"));
    assert_eq!(public, [old, new, new, new]);
    // What is said stays what it was.
    assert!(seen.iter().all(|one| one["body"] == seen[0]["body"]));
}

#[test]
fn whoever_keeps_the_old_key_is_told_in_vain_until_the_plan_ends() {
    let (server, stranger) = (start(), Stranger::start(&["--plan", "500"]));
    let made = system(&server, &stranger.url());
    stranger.key(private(&made));
    say(&server, "customer");
    only(&server);
    regenerate(&server, &made, &stranger.url());
    advanced(&server, json!({ "by": "1h" }));
    let delivery = only(&server);
    assert_eq!(attempts(&delivery), planned([500, 403, 403, 403, 403, 403].map(Json::from)));
    assert_eq!(delivery["state"], "failed");
}

#[test]
fn after_a_rewind_the_same_steps_send_the_same_bytes() {
    let (server, stranger) = (start(), Stranger::start(&[]));
    let made = system(&server, &stranger.url());
    let steps = || {
        stranger.plan("500,500");
        let before = stranger.seen().len();
        let entry = say(&server, "customer");
        only(&server);
        regenerate(&server, &made, &stranger.url());
        advanced(&server, json!({ "by": "2m" }));
        say(&server, "bot");
        landed(&server);
        advanced(&server, json!({ "by": "1h" }));
        (entry["entry"].clone(), stranger.seen().split_off(before))
    };
    let (entry, first) = steps();
    assert_eq!(first.len(), 4, "{first:#?}");
    server.control("POST", "/rewind", Some(json!({ "to": entry }))).expect(200);
    assert_eq!(landed(&server), Vec::<Json>::new());
    let (_, second) = steps();
    assert_eq!(second, first);
    assert!(first[0] != first[1], "the keys are others");
}

#[test]
fn who_is_gone_or_paused_between_attempts_is_told_no_more() {
    let (server, stranger) = (start(), Stranger::start(&["--plan", "500,500,500,500"]));
    let [gone, paused, closed] = ["gone", "paused", "closed"]
        .map(|name| join(&server, "System", name, json!({ "webhookUrl": stranger.url(), "events": ["message"] })));
    let direct = json!({ "integrationType": "Agent", "webhookUrl": stranger.url() });
    let direct = join(&server, "Direct", "direct", direct);
    say(&server, "customer");
    landed(&server);
    fire(&server, "delete-integration", json!({ "integrationId": gone["integrationId"] })).expect(200);
    post(&server, text(&paused, "integrationId"), json!({ "statusId": 3002 })).expect(200);
    let other = json!({ "webhookUrl": stranger.url(), "events": ["message:bot"] });
    post(&server, text(&closed, "integrationId"), json!({ "configuration": other })).expect(200);
    let socket = json!({ "integrationType": "Agent" });
    post(&server, text(&direct, "integrationId"), json!({ "configuration": socket })).expect(200);
    advanced(&server, json!({ "by": "1h" }));
    let all = landed(&server);
    let end = |url: &str, name: &str| {
        let one = all.iter().find(|one| {
            let headers = &one["attempts"][0]["request"]["headers"];
            headers["x-integration-id"] == url
        });
        let one = one.unwrap_or_else(|| panic!("{name} in {all:#?}"));
        assert_eq!(
            (&one["state"], one["attempts"].as_array().unwrap().len()),
            (&json!("dropped"), 1),
            "{name}: {one:#}"
        );
        text(one, "reason").to_owned()
    };
    let end = |integration: &Json, name: &str| end(text(integration, "integrationId"), name);
    assert_eq!(end(&gone, "gone"), "there is no such `integration` any more");
    let not_held = end(&paused, "paused");
    assert!(not_held.starts_with("`integration.statusId == 3000 and "), "{not_held}");
    assert!(not_held.ends_with("does not hold any more"), "{not_held}");
    assert_eq!(end(&closed, "closed"), not_held);
    assert_eq!(end(&direct, "direct"), "there is no URL any more");
    assert_eq!(stranger.seen().len(), 4);
}

#[test]
fn an_attempt_goes_where_the_integration_is_then() {
    let (server, before, after) = (start(), Stranger::start(&["--plan", "500"]), Stranger::start(&[]));
    let made = system(&server, &before.url());
    say(&server, "customer");
    only(&server);
    let moved = json!({ "webhookUrl": after.url(), "events": ["message"] });
    post(&server, text(&made, "integrationId"), json!({ "configuration": moved })).expect(200);
    next(&server);
    assert_eq!(only(&server)["state"], "delivered");
    assert_eq!((before.seen().len(), after.seen().len()), (1, 1));
}

#[test]
fn a_receiver_that_dies_between_attempts_is_told_when_it_is_back() {
    let (server, stranger) = (start(), Stranger::start(&["--plan", "500"]));
    let port = stranger.port().to_string();
    system(&server, &stranger.url());
    say(&server, "customer");
    only(&server);
    drop(stranger);
    next(&server);
    let delivery = only(&server);
    assert_eq!(attempts(&delivery), planned([json!(500), json!("unreachable")]));
    let stranger = Stranger::start(&["--port", &port]);
    next(&server);
    let delivery = only(&server);
    assert_eq!(attempts(&delivery), planned([json!(500), json!("unreachable"), json!(200)]));
    assert_eq!((delivery["state"].as_str(), stranger.seen().len()), (Some("delivered"), 1));
}

/// The pack gives its receivers one second.
#[test]
fn a_receiver_that_hangs_has_its_time() {
    let (folder, stranger) = (seal(), Stranger::start(&["--plan", "hang"]));
    let server = serve(&folder);
    let watch = server.watch_pack("seal");
    server.control("POST", "/events/seal/seal", Some(json!({ "to": stranger.url() }))).expect(200);
    let delivery = only(&server);
    assert_eq!(attempts(&delivery), [(at(PLAN[0]), json!("timeout"))]);
    assert!(delivery["attempts"][0]["latencyMillis"].as_f64().unwrap() >= 1000.0, "{delivery:#}");
    // It took no virtual time, and the next attempt is made.
    assert_eq!(next(&server), at("18:15:12"));
    assert_eq!(only(&server)["state"], "delivered");
    server.control("POST", "/reset", None).expect(200);
    watch.unharmed();
}

#[test]
fn time_that_ticks_tells_without_being_asked() {
    let server = Server::start(&["hubster"]);
    let stranger = Stranger::start(&[]);
    let made = system(&server, &stranger.url());
    stranger.key(private(&made));
    say(&server, "customer");
    let seen = eventually("the first attempt", || Some(stranger.seen()).filter(|seen| !seen.is_empty()));
    assert_eq!(seen[0]["signed"], true);
    // Nor does the next one need a call, once its time has come.
    stranger.plan("500");
    say(&server, "customer");
    eventually("the first attempt", || Some(stranger.seen()).filter(|seen| seen.len() == 2));
    landed(&server);
    let next = landed(&server).iter().find_map(|one| one["next"].as_str().map(str::to_owned)).unwrap();
    server.control("PUT", "/clock", Some(json!({ "now": next }))).expect(200);
    eventually("the second attempt", || Some(stranger.seen()).filter(|seen| seen.len() == 3));
}

#[test]
fn the_api_takes_no_url_that_is_none() {
    let server = start();
    for url in ["no url", "/hook", "ftp://127.0.0.1/hook", "http://", "http:/127.0.0.1/hook"] {
        let body = json!({ "channelId": "System", "name": "a", "configuration": { "webhookUrl": url, "events": ["message"] } });
        refused(&post(&server, DEV, body), 400, &[201]);
    }
}

#[test]
fn a_url_that_leads_nowhere_is_an_attempt_that_says_why() {
    let nobody = {
        let stranger = Stranger::start(&[]);
        stranger.url()
    };
    let stranger = Stranger::start(&[]);
    let trusted = format!("http://me:hunter2@127.0.0.1:{}/hook", stranger.port());
    for (url, kind, words) in [
        ("no url", "url", "no URL that can be called"),
        (trusted.as_str(), "url", "user name"),
        ("http://169.254.169.254/latest/meta-data", "forbidden", "169.254.169.254"),
        ("http://[fd00:ec2::254]/latest", "forbidden", "fd00:ec2::254"),
        ("http://0x7f.1.evil.example/", "forbidden", "not let out"),
        ("http://10.0.0.1/hook", "forbidden", "--allow-webhook-host"),
        (nobody.as_str(), "unreachable", "127.0.0.1"),
    ] {
        let server = start();
        let made = system(&server, &stranger.url());
        patch(&server, &made, url);
        say(&server, "customer");
        let (found, said) = wrong(&server);
        assert_eq!(found, kind, "{url}: {said}");
        assert!(said.contains(words), "{url}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
        // It is tried again as planned: somebody may allow it, or mend it.
        assert_eq!(only(&server)["next"], at(PLAN[1]).as_str());
    }
    assert_eq!(stranger.seen(), Vec::<Json>::new());
}

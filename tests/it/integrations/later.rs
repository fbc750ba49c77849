//! What happens by itself: figures that are posted later, and tokens that expire. The receivers are processes of their own.

use super::*;
use crate::stranger::{Stranger, advanced, attempts, header, landed, next, only};

const LATER: &str = "/metrics/get-data-async";

fn started() -> Json {
    json!({ "success": true, "message": "Metrics data collection started" })
}

/// A question whose answer is posted to a URL.
fn asking(mut question: Json, url: &str) -> Json {
    question["metrics_webhook_url"] = json!(url);
    question
}

/// Three metrics that nobody measured, and one that the documentation has.
fn questions(integration: &str) -> Json {
    json!({
        "customer_integration": integration, "start": "2024-01-01", "end": "2024-09-01",
        "comparison_start": "2023-01-01", "comparison_end": "2023-09-01",
        "metrics": [
            { "id": "reach", "reference_key": "ig:reach", "component": "number_v1", "metrics": ["reach"] },
            { "id": "daily", "reference_key": "ig:reach", "component": "chart_v1", "metrics": ["reach", "views"], "dimensions": ["date"] },
            { "id": "devices", "reference_key": "ig:clicks", "component": "datatable_v1", "metrics": ["clicks"], "dimensions": ["device"] },
            { "id": "told", "reference_key": "ig:story_replies", "component": "number_v1", "metrics": ["replies"] },
        ],
    })
}

#[test]
fn figures_come_ten_seconds_later_and_are_those_of_get_data() {
    let (server, stranger) = (start(), Stranger::start(&[]));
    let customer = Customer::seed(FIRST);
    let answer = customer.call(&server, "POST", LATER, Some(asking(questions(SHOWN), &stranger.url()))).expect(200);
    assert_eq!(answer.json(), started());
    let figures = customer.call(&server, "POST", "/metrics/get-data", Some(questions(SHOWN))).expect(200);
    assert_eq!(figures.json()["told"]["values"], 55645);

    assert_eq!(advanced(&server, json!({ "by": "9s" })), Vec::<Json>::new());
    assert_eq!(next(&server), "2024-10-01T17:15:22Z");
    let [seen] = stranger.seen().try_into().unwrap();
    assert_eq!(seen["body"], figures.text(), "{seen:#}");
    assert_eq!(header(&seen, "content-type"), Some("application/json"));
    // No page names a signature.
    let names: Vec<&str> = seen["headers"].as_array().unwrap().iter().map(|pair| pair[0].as_str().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with("x-")), "{names:?}");
    assert_eq!(only(&server)["state"], "delivered");
}

/// Nor does one name retries.
#[test]
fn figures_are_posted_once() {
    let (server, stranger) = (start(), Stranger::start(&["--plan", "500"]));
    Customer::seed(FIRST).call(&server, "POST", LATER, Some(asking(question(SHOWN), &stranger.url()))).expect(200);
    assert_eq!(advanced(&server, json!({ "by": "1h" })).len(), 1);
    let delivery = only(&server);
    assert_eq!(attempts(&delivery), [("2024-10-01T17:15:22Z".to_owned(), json!(500))]);
    assert_eq!(delivery["state"], "failed");
}

#[test]
fn a_question_that_is_refused_is_answered_as_get_data_does_and_posts_nothing() {
    let (server, stranger) = (start(), Stranger::start(&[]));
    let customer = Customer::seed(FIRST);
    let url = stranger.url();
    let watch = server.watch();
    let with = |key: &str, value: Json| {
        let mut question = question(SHOWN);
        question[key] = value;
        question
    };
    for (body, status) in [
        (with("start", json!("tomorrow")), 422),
        (with("start", json!("2024-12-31")), 422),
        (with("metrics", json!([])), 422),
        (with("comparison_start", json!("2024-01-01")), 422),
        (with("customer_integration", json!("mine")), 422),
        (with("customer_integration", json!(SETTINGS)), 404),
    ] {
        let now = customer.call(&server, "POST", "/metrics/get-data", Some(body.clone())).expect(status);
        let later = customer.call(&server, "POST", LATER, Some(asking(body.clone(), &url))).expect(status);
        assert_eq!(later.json(), now.json(), "{body}");
    }
    for url in [json!(null), json!(7), json!(""), json!("no url"), json!("ftp://127.0.0.1/"), json!("//127.0.0.1/a")] {
        let body = with("metrics_webhook_url", url.clone());
        let answer = customer.call(&server, "POST", LATER, Some(body)).expect(422).json();
        assert_eq!(keys(&answer["errors"]), ["metrics_webhook_url"], "{url}: {answer}");
    }
    let answer = customer.call(&server, "POST", LATER, Some(question(SHOWN))).expect(422).json();
    assert_eq!(answer["message"], "The metrics webhook url field is required.");
    server.call("POST", LATER, &[REPORTEI, JSON], "{}").expect(401);
    assert_eq!(landed(&server), Vec::<Json>::new());
    watch.unharmed();

    advance(&server, "8d");
    refused(&customer.call(&server, "POST", LATER, Some(asking(question(SHOWN), &url))), 401, TRIAL_ENDED);
    assert_eq!(landed(&server), Vec::<Json>::new());
}

/// The question was taken; only who is gone is not told.
#[test]
fn what_happens_meanwhile_matters_when_somebody_is_gone() {
    let ask = |server: &Server, stranger: &Stranger| {
        let customer = Customer::seed(FIRST);
        customer.call(server, "POST", LATER, Some(asking(question(SHOWN), &stranger.url()))).expect(200);
    };
    for (name, uuid) in [("expire", SHOWN), ("revoke", SHOWN)] {
        let (server, stranger) = (start(), Stranger::start(&[]));
        ask(&server, &stranger);
        fire(&server, name, json!({ "uuid": uuid }));
        advance(&server, "10s");
        assert_eq!(stranger.seen().len(), 1, "{name}");
    }
    // The trial ends within the ten seconds.
    let (server, stranger) = (start(), Stranger::start(&[]));
    server.control("PUT", "/clock", Some(json!({ "now": "2024-10-08T17:15:10Z" }))).expect(200);
    ask(&server, &stranger);
    advance(&server, "10s");
    assert_eq!(stranger.seen().len(), 1);

    for gone in ["integration", "customer"] {
        let (server, stranger) = (start(), Stranger::start(&[]));
        ask(&server, &stranger);
        let id = if gone == "customer" { FIRST } else { SHOWN };
        server.control("DELETE", &format!("/state/reportei/{gone}/{id}"), None).expect(204);
        advance(&server, "10s");
        let delivery = only(&server);
        assert_eq!(
            (&delivery["state"], &delivery["attempts"]),
            (&json!("dropped"), &json!([])),
            "{gone}: {delivery:#}"
        );
        assert_eq!(delivery["reason"], "there is no such `inquiry` any more");
        assert_eq!(stranger.seen(), Vec::<Json>::new());
    }
}

fn status(server: &Server, uuid: &str) -> String {
    let record = server.control("GET", &format!("/state/reportei/integration/{uuid}"), None).expect(200).json();
    text(&record, "status").to_owned()
}

#[test]
fn a_token_expires_by_itself_after_sixty_days() {
    let server = start();
    let customer = Customer::made(&server);
    advance(&server, "1d");
    let connected = customer.connects(&server, "facebook");
    let done = advanced(&server, json!({ "by": "59d" }));
    // Those of the seed count from the beginning.
    assert_eq!(done.len(), 3, "{done:#?}");
    let told =
        |done: &Json| (text(done, "at").to_owned(), text(done, "event").to_owned(), done["input"]["uuid"].clone());
    let seeds = [SETTINGS, SHOWN, "8d2f60a4-91c3-4e57-a6b8-3c5d7e9f1021"];
    let expired = |uuid: &str| ("2024-11-30T17:15:12Z".to_owned(), "expire".to_owned(), json!(uuid));
    assert_eq!(done.iter().map(told).collect::<Vec<_>>(), seeds.map(expired));
    assert_eq!((&*status(&server, &connected), &*status(&server, SHOWN)), ("active", "expired"));

    // Who connects again has another sixty days.
    fire(&server, "reconnect", json!({ "uuid": SHOWN }));
    let done = advanced(&server, json!({ "by": "1d" }));
    assert_eq!(done.len(), 1, "{done:#?}");
    assert_eq!(done[0]["input"]["uuid"], connected.as_str());
    assert_eq!((&done[0]["scheduled"], &done[0]["refused"]), (&json!(true), &json!(null)));
    assert_eq!(status(&server, &connected), "expired");
    assert_eq!(advanced(&server, json!({ "by": "58d" })), Vec::<Json>::new());
    assert_eq!(status(&server, SHOWN), "active");
    assert_eq!(advanced(&server, json!({ "by": "1d" })).len(), 1);
    assert_eq!(status(&server, SHOWN), "expired");
}

#[test]
fn what_is_revoked_does_not_expire() {
    let server = start();
    for uuid in [SHOWN, SETTINGS] {
        fire(&server, "revoke", json!({ "uuid": uuid }));
    }
    assert_eq!(advanced(&server, json!({ "by": "61d" })).len(), 1);
    assert_eq!(status(&server, SHOWN), "revoked");
}

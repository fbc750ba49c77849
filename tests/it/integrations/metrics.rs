//! `POST /metrics/get-data`.

use super::*;

fn ask(server: &Server, customer: &Customer, body: Json) -> Answer {
    customer.call(server, "POST", "/metrics/get-data", Some(body))
}

fn metric(id: &str, component: &str, more: Json) -> Json {
    let mut metric =
        json!({ "id": id, "reference_key": "ig:reach", "component": component, "metrics": ["reach", "likes"] });
    metric.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metric
}

fn about(integration: &str, start: &str, end: &str, metrics: &[Json]) -> Json {
    json!({ "customer_integration": integration, "start": start, "end": end, "metrics": metrics })
}

#[test]
fn beyond_3_5_results_are_keyed_by_id_and_shaped_by_component() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let metrics = [
        metric("number", "number_v1", json!({})),
        metric("chart", "chart_v1", json!({ "dimensions": ["gender"] })),
        metric("table", "datatable_v1", json!({ "dimensions": ["device"] })),
    ];
    let body = ask(&server, &customer, about(SHOWN, "2024-09-01", "2024-09-30", &metrics)).expect(200).json();
    assert_eq!(keys(&body), ["number", "chart", "table"]);
    let number = &body["number"];
    assert_eq!(
        (keys(number), keys(&number["comparison"])),
        (vec!["values", "comparison"], vec!["values", "difference", "absoluteDifference"])
    );
    assert!(number["values"].is_u64());
    assert!(number["comparison"].as_object().unwrap().values().all(Json::is_null), "{number}");
    assert_eq!(body["chart"]["labels"], json!(["Male", "Female", "Unknown"]));
    let series = body["chart"]["values"].as_array().unwrap();
    assert_eq!(series.len(), 2, "one for each name under `metrics`");
    assert!(series.iter().all(|series| series["data"].as_array().unwrap().len() == 3));
    let rows = body["table"]["values"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert!(
        rows.iter()
            .all(|row| row.as_array().unwrap().len() == 3 && row[0].is_string() && row[1].is_u64() && row[2].is_u64()),
        "{rows:?}"
    );
}

#[test]
fn beyond_3_5_the_same_question_has_the_same_answer_and_another_has_not() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let number = |start: &str, more: Json| {
        let body = about(SHOWN, start, "2024-09-30", &[metric("a", "number_v1", more)]);
        ask(&server, &customer, body).expect(200).json()["a"]["values"].clone()
    };
    let first = number("2024-09-01", json!({}));
    advance(&server, "1d");
    assert_eq!(number("2024-09-01", json!({})), first);
    assert_ne!(number("2024-09-02", json!({})), first);
    assert_ne!(number("2024-09-01", json!({ "reference_key": "ig:likes" })), first);
    let ad = number("2024-09-01", json!({ "entity_id": "123", "entity_type": "ad" }));
    assert_ne!(ad, first);
    assert_ne!(number("2024-09-01", json!({ "entity_id": "123", "entity_type": "campaign" })), ad);
    assert_ne!(number("2024-09-01", json!({ "metrics": ["reach"] })), first);
    let integration = customer.connects(&server, "instagram_business");
    let body = about(&integration, "2024-09-01", "2024-09-30", &[metric("a", "number_v1", json!({}))]);
    assert_ne!(ask(&server, &customer, body).expect(200).json()["a"]["values"], first);
}

#[test]
fn beyond_3_5_a_comparison_says_by_how_much() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let mut body = about(SHOWN, "2024-09-01", "2024-09-30", &[metric("a", "number_v1", json!({}))]);
    let now = ask(&server, &customer, body.clone()).expect(200).json()["a"]["values"].as_f64().unwrap();
    body["comparison_start"] = json!("2024-08-01");
    body["comparison_end"] = json!("2024-08-31");
    let compared = ask(&server, &customer, body).expect(200).json()["a"].clone();
    let before = compared["comparison"]["values"].as_f64().unwrap();
    assert_eq!(compared["values"].as_f64(), Some(now));
    assert_eq!(compared["comparison"]["absoluteDifference"].as_f64(), Some(now - before));
    let percent = compared["comparison"]["difference"].as_f64().unwrap();
    assert!((percent - (now - before) / before * 100.0).abs() < 0.005, "{compared}");
    // The other way round, what was compared with is the value.
    let mut body = about(SHOWN, "2024-08-01", "2024-08-31", &[metric("a", "number_v1", json!({}))]);
    body["comparison_start"] = json!("2024-09-01");
    body["comparison_end"] = json!("2024-09-30");
    let turned = ask(&server, &customer, body).expect(200).json()["a"].clone();
    assert_eq!((turned["values"].as_f64(), turned["comparison"]["values"].as_f64()), (Some(before), Some(now)));
}

#[test]
fn beyond_3_5_a_chart_by_date_has_a_label_for_each_day_and_31_at_most() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let labels = |start: &str, end: &str, more: Json| {
        let body =
            ask(&server, &customer, about(SHOWN, start, end, &[metric("a", "chart_v1", more)])).expect(200).json();
        let labels: Vec<String> = serde_json::from_value(body["a"]["labels"].clone()).unwrap();
        assert_eq!(body["a"]["values"][0]["data"].as_array().unwrap().len(), labels.len());
        labels
    };
    let date = || json!({ "dimensions": ["date"] });
    assert_eq!(labels("2024-02-27", "2024-03-01", date()), ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]);
    assert_eq!(
        labels("2024-02-27", "2024-02-27", json!({})),
        ["2024-02-27"],
        "days are what is left without dimensions"
    );
    assert_eq!(labels("2024-02-27T23:00:00Z", "2024-02-28T01:00:00+02:00", date()), ["2024-02-27", "2024-02-28"]);
    assert_eq!(labels("2024-01-01", "2024-01-31", date()).len(), 31);
    let wider = labels("2024-01-01", "2024-02-01", date());
    assert_eq!((wider.len(), &*wider[0], &*wider[1], &*wider[15]), (16, "2024-01-01", "2024-01-03", "2024-01-31"));
    assert_eq!(labels("2024-09-01", "2024-09-02", json!({ "dimensions": ["age"] })), ["age 1", "age 2", "age 3"]);
}

/// A tester who needs certain figures puts them into the sandbox.
#[test]
fn measurements_of_the_sandbox_come_before_figures_that_follow() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let put = |key: &str, result: Json| {
        let record = json!({ "key": key, "integration_uuid": SHOWN, "result": result });
        server.control("POST", "/state/reportei/measurement", Some(record)).expect(201);
    };
    put(&format!("{SHOWN} ig:reach datatable_v1"), json!({ "values": [["Total", 7]] }));
    put(&format!("{SHOWN} ig:reach datatable_v1 2024-09-01 2024-09-30"), json!({ "values": [["Total", 8]] }));
    let rows = |end: &str| {
        let body = about(SHOWN, "2024-09-01", end, &[metric("a", "datatable_v1", json!({}))]);
        ask(&server, &customer, body).expect(200).json()["a"].clone()
    };
    assert_eq!(rows("2024-09-29"), json!({ "values": [["Total", 7]] }));
    assert_eq!(rows("2024-09-30"), json!({ "values": [["Total", 8]] }));
}

#[test]
fn an_integration_that_is_not_active_has_no_figures() {
    let server = start();
    let customer = Customer::seed(FIRST);
    for (event, status) in [("revoke", "revoked"), ("expire", "expired")] {
        fire(&server, event, json!({ "uuid": SHOWN }));
        let answer = ask(&server, &customer, question(SHOWN)).expect(422).json();
        assert_eq!(answer["message"], format!("The customer integration is {status}."));
        assert!(answer["extra"].is_string(), "{answer}");
    }
    fire(&server, "reconnect", json!({ "uuid": SHOWN }));
    ask(&server, &customer, question(SHOWN)).expect(200);
}

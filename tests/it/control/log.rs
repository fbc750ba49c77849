//! The log in another order, and in short.

use super::*;
use crate::support::text;

fn numbers(list: &Json) -> Vec<u64> {
    list["records"].as_array().unwrap().iter().map(|entry| entry["entry"].as_u64().unwrap()).collect()
}

#[test]
fn the_newest_come_first_and_the_pieces_make_the_whole() {
    let server = with_exchanges();
    let log = |query: &str| server.get(&format!("/_standin/log?{query}")).expect(200).json();
    let mut whole = numbers(&log("order=oldest"));
    whole.reverse();
    assert_eq!((whole.len(), numbers(&log("order=newest"))), (5, whole.clone()));
    let first = log("order=newest&limit=2");
    assert_eq!((numbers(&first), &first["next"], &first["total"]), (whole[..2].to_vec(), &json!(whole[1]), &json!(5)));
    let second = log(&format!("order=newest&limit=2&after={}", first["next"]));
    assert_eq!(numbers(&second), whole[2..4]);
    let third = log(&format!("order=newest&limit=2&after={}", second["next"]));
    assert_eq!((numbers(&third), &third["next"]), (whole[4..].to_vec(), &Json::Null));
    let detail = server.get("/_standin/log?order=biggest").problem(400, "order-invalid");
    assert_eq!(detail, "`order` is `oldest` or `newest`, not `biggest`.");
    server.get("/_standin/log?order=newest&format=bundle").problem(400, "format-invalid");
}

#[test]
fn in_short_an_exchange_is_a_line_of_the_journal_and_nothing_that_was_sent_is_told() {
    let server = start();
    server.api("POST", "/customers", Some(json!({ "name": "a-name-that-was-sent" }))).expect(201);
    let revoke = json!({ "uuid": INTEGRATION });
    server.control("POST", "/events/reportei/revoke", Some(revoke)).expect(200);
    let patch = json!({ "name": "a-name-that-was-sent" });
    server.control("PATCH", &format!("/state/reportei/customer/{FIRST}"), Some(patch)).expect(200);
    advance(&server, "1d");

    let list = server.get("/_standin/log?format=lines").expect(200);
    assert!(!list.text().contains("a-name-that-was-sent"), "{}", list.text());
    let list = list.json();
    let kinds: Vec<&str> =
        list["records"].as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["exchange", "event", "state", "clock"]);
    let mut line = list["records"][0].clone();
    line.as_object_mut().unwrap().shift_remove("kind");
    assert_eq!(line, server.get("/_standin/journal").expect(200).json()["records"][0]);
    let changes = json!([{ "verb": "update", "resource": "integration", "id": INTEGRATION }]);
    assert_eq!(list["records"][1]["changes"], changes);
}

#[test]
fn attempts_in_short_say_where_to_and_what_came_of_it() {
    let server = Server::start(&["hubster", "--freeze"]);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/hook");
    let integrations = server.get("/_standin/state/hubster/integration").expect(200).json();
    let direct = integrations["records"].as_array().unwrap().iter().find(|one| one["channelId"] == "Direct").unwrap();
    let path = format!("/state/hubster/integration/{}", text(direct, "integrationId"));
    server.control("PATCH", &path, Some(json!({ "webhookUrl": url }))).expect(200);
    let said = json!({ "hubId": direct["hubId"], "from": "customer", "text": "hello" });
    server.control("POST", "/events/hubster/send-activity", Some(said)).expect(200);
    // The first attempt goes out at once; moving the time waits for what is under way.
    server.control("POST", "/clock/advance", Some(json!({ "by": "1 minute" }))).expect(200);

    let list = server.get("/_standin/log?format=lines").expect(200).json();
    let of = |kind: &str| {
        let mut lines = list["records"].as_array().unwrap().iter();
        let line = lines.rfind(|line| line["kind"] == kind && line["webhook"] == "tell-direct");
        line.unwrap_or_else(|| panic!("no {kind}: {list}")).clone()
    };
    assert_eq!(of("attempt")["request"], json!({ "method": "POST", "url": url }));
    assert_eq!(text(&of("outcome")["outcome"], "result"), "unreachable");
}

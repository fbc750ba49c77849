//! Of many calls that try the same transition at once exactly one succeeds.

use std::sync::Barrier;

use super::*;
use crate::capillary::ADMIN;
use crate::hubster::PORTAL;
use crate::server::Answer;

const MANY: usize = 16;

/// The answers to one call that so many clients send at the same time.
fn all_at_once(send: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let start = Barrier::new(MANY);
    let client = |number: usize| {
        start.wait();
        send(number)
    };
    thread::scope(|scope| {
        let client = &client;
        let running: Vec<_> = (0..MANY).map(|number| scope.spawn(move || client(number))).collect();
        running.into_iter().map(|client| client.join().unwrap()).collect()
    })
}

/// How many answers have each status.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counted = BTreeMap::new();
    for answer in answers {
        *counted.entry(answer.status).or_default() += 1;
    }
    counted
}

fn counts<const N: usize>(pairs: [(u16, usize); N]) -> BTreeMap<u16, usize> {
    pairs.into()
}

/// Each in ten worlds, as one could succeed by luck.
fn worlds(server: &Server, act: impl Fn(&str)) {
    for world in 0..10 {
        let id = format!("once-{world}");
        server.control("POST", "/sandboxes", Some(json!({ "id": id }))).expect(201);
        act(&format!("/~{id}"));
    }
}

#[test]
fn one_customer_is_deleted_once() {
    let server = Server::start(&["--threads", "4"]);
    worlds(&server, |prefix| {
        let path = format!("{prefix}/reportei/customers/{}", CUSTOMERS[0].0);
        let answers = all_at_once(|_| server.call("DELETE", &path, &[REPORTEI], ""));
        assert_eq!(statuses(&answers), counts([(200, 1), (404, MANY - 1)]));
    });
}

#[test]
fn one_name_is_taken_once() {
    let server = Server::start(&["--threads", "4"]);
    let body = json!({ "channelId": "Messenger", "name": "One", "configuration": { "pageAccessToken": "a" } });
    worlds(&server, |prefix| {
        let path = format!("{prefix}/hubster/api/v1/integrations/hubs/00000000-0000-0000-0000-0000000000a2");
        let answers = all_at_once(|_| server.call("POST", &path, &[PORTAL, JSON], body.to_string()));
        assert_eq!(statuses(&answers), counts([(200, 1), (400, MANY - 1)]));
    });
}

#[test]
fn the_last_places_are_given_once() {
    let server = Server::start(&["--threads", "4"]);
    let body = |number: usize| {
        json!({
            "name": format!("n{number}"), "description": "d", "expirationTokenTime": 600, "defaultTillId": 50_006_796,
            "scopes": [{ "entityId": 2, "permission": "READ", "resources": [".*"] }],
        })
    };
    let shown = server.call("GET", "/capillary/v3/integrations/clients", &[ADMIN], "").expect(200).json();
    let there =
        shown["data"].as_array().unwrap_or_else(|| panic!("{shown}")).iter().filter(|one| one["isValid"] == true);
    let free = 15 - there.count();
    assert!(free < MANY);
    worlds(&server, |prefix| {
        let path = format!("{prefix}/capillary/v3/integrations/clients");
        let answers = all_at_once(|number| server.call("POST", &path, &[ADMIN, JSON], body(number).to_string()));
        let made =
            statuses(&answers).into_iter().filter(|(status, _)| *status < 300).map(|(_, count)| count).sum::<usize>();
        assert_eq!(made, free, "{:?}", statuses(&answers));
    });
}

#[test]
fn one_sandbox_and_one_snapshot_have_a_name() {
    let server = Server::start(&["--threads", "4"]);
    worlds(&server, |prefix| {
        let id = format!("new-{}", &prefix[2..]);
        let made = json!({ "id": id, "from": &prefix[2..] }).to_string();
        let answers = all_at_once(|_| server.call("POST", "/_standin/sandboxes", &[JSON], &made));
        assert_eq!(statuses(&answers), counts([(201, 1), (409, MANY - 1)]));
        let path = format!("{prefix}/_standin/snapshots");
        let answers = all_at_once(|_| server.call("POST", &path, &[JSON], r#"{"name":"one"}"#));
        assert_eq!(statuses(&answers), counts([(201, 1), (409, MANY - 1)]));
        let path = format!("{prefix}/_standin/snapshots/one");
        let answers = all_at_once(|_| server.call("DELETE", &path, &[], ""));
        assert_eq!(statuses(&answers), counts([(204, 1), (404, MANY - 1)]));
        let answers = all_at_once(|_| server.call("DELETE", &format!("/_standin/sandboxes/{id}"), &[], ""));
        assert_eq!(statuses(&answers), counts([(204, 1), (410, MANY - 1)]));
    });
}

/// Moves of the clock add up, and no edit of a record is lost.
#[test]
fn nothing_that_adds_up_is_lost() {
    let server = Server::start(&["--threads", "4", "--freeze"]);
    worlds(&server, |prefix| {
        let path = format!("{prefix}/_standin/clock/advance");
        all_at_once(|_| server.call("POST", &path, &[JSON], r#"{"by":"1s"}"#).expect(200));
        let now = server.get(&format!("{prefix}/_standin/clock")).json();
        assert_eq!(now["now"], "2024-10-01T17:15:28Z");
        let path = format!("{prefix}/reportei/customers");
        all_at_once(|number| {
            server
                .call("POST", &path, &[REPORTEI, JSON], json!({ "name": format!("{number}") }).to_string())
                .expect(201)
        });
        let list = server.call("GET", &format!("{path}?per_page=100"), &[REPORTEI], "").json();
        assert_eq!(list["meta"]["total"], MANY + 2);
    });
}

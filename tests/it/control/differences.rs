//! What entries made of records, and the journal from its newest end.

use super::*;
use crate::support::{copy, replace, repository};

fn entry(server: &Server, number: u64) -> Json {
    server.control("GET", &format!("/journal/{number}"), None).expect(200).json()
}

#[test]
fn a_change_tells_the_record_before_and_after_whatever_happened_since() {
    let server = Server::start(&["reportei", "--freeze"]);
    let made = create(&server, "/customers", "First");
    let id = made["uuid"].as_str().unwrap();
    let path = format!("/state/reportei/customer/{id}");
    server.control("PATCH", &path, Some(json!({ "name": "Second" }))).expect(200);
    server.control("PATCH", &path, Some(json!({ "name": "Third", "api_token": "another-secret-token" }))).expect(200);
    server.api("DELETE", &format!("/customers/{id}"), None).expect(200);

    let created = entry(&server, 1)["exchange"]["changes"][0].clone();
    assert_eq!((&created["before"], &created["after"]["name"]), (&Json::Null, &json!("First")), "{created}");
    assert_eq!(created.get("changed"), None);
    let second = entry(&server, 2)["changes"][0].clone();
    assert_eq!((&second["before"]["name"], &second["after"]["name"]), (&json!("First"), &json!("Second")), "{second}");
    assert_eq!(second["changed"], json!(["name"]));
    assert_eq!(second["after"]["trial_ends_at"], made["trial_ends_at"]);
    let third = entry(&server, 3)["changes"][0].clone();
    assert_eq!((&third["before"]["name"], &third["after"]["name"]), (&json!("Second"), &json!("Third")), "{third}");
    // A secret that is another one is told, and not shown.
    assert_eq!(third["changed"], json!(["name", "api_token"]), "{third}");
    assert_eq!((&third["before"]["api_token"], &third["after"]["api_token"]), (&json!("•••"), &json!("•••")));
    let open = server.control("GET", "/journal/3?secrets=show", None).expect(200).json();
    assert_eq!(open["changes"][0]["after"]["api_token"], "another-secret-token");
    let changes = entry(&server, 4)["exchange"]["changes"].clone();
    let history = server.control("GET", &format!("{path}/changes"), None).expect(200).json();
    assert_eq!(history["records"][2]["changes"][0], second, "{history}");
    let gone =
        changes.as_array().unwrap().iter().find(|change| change["id"] == id).unwrap_or_else(|| panic!("{changes}"));
    assert_eq!(
        (&gone["verb"], &gone["before"]["name"], &gone["after"]),
        (&json!("delete"), &json!("Third"), &Json::Null)
    );

    // What was undone has changed nothing: the record of now is what the second change made.
    server.control("POST", "/rewind", Some(json!({ "to": 3 }))).expect(200);
    assert_eq!(entry(&server, 2)["changes"][0]["after"]["name"], "Second");
    server.control("GET", "/journal/3", None).problem(410, "entry-evicted");
}

#[test]
fn events_tell_their_differences_and_forks_do_too() {
    let server = Server::start(&["reportei", "--freeze"]);
    let integrations = server.control("GET", "/state/reportei/integration", None).json()["records"].clone();
    let active = integrations.as_array().unwrap().iter().find(|record| record["status"] == "active").unwrap();
    let input = json!({ "uuid": active["uuid"] });
    server.control("POST", "/events/reportei/revoke", Some(input)).expect(200);
    let told = |server: &Server, prefix: &str| {
        let path = format!("{prefix}/_standin/journal/1");
        let answer = server.call("GET", &path, &[], "").expect(200).json();
        answer["changes"][0].clone()
    };
    let revoked = told(&server, "");
    assert_eq!(
        (&revoked["before"]["status"], &revoked["after"]["status"]),
        (&json!("active"), &json!("revoked")),
        "{revoked}"
    );
    server.control("POST", "/sandboxes", Some(json!({ "id": "fork", "from": "default" }))).expect(201);
    assert_eq!(told(&server, "/~fork"), revoked);
}

#[test]
fn what_is_before_an_edit_of_a_pack_is_not_known_any_more() {
    let folder = tempfile::tempdir().unwrap();
    copy(&repository("fixtures/reportei"), &folder.path().join("fixtures/reportei"));
    copy(&repository("schemas/reportei"), &folder.path().join("schemas/reportei"));
    let mut command = crate::server::standin();
    command.args(["serve", "reportei", "--port", "0", "--freeze", "--fixtures"]).arg(folder.path().join("fixtures"));
    command.arg("--schemas").arg(folder.path().join("schemas"));
    let server = Server::spawn(command);
    create(&server, "/customers", "First");
    replace(&folder.path().join("fixtures/reportei/pack.yaml"), "title: Reportei Connect", "title: Another");
    server.control("POST", "/reload", None).expect(200);
    create(&server, "/customers", "Second");
    let first = entry(&server, 1)["exchange"]["changes"][0].clone();
    assert_eq!(first["unknown"], "a pack was edited since, in entry 2: what was before is not kept");
    assert_eq!(first.get("after"), None);
    assert_eq!(entry(&server, 3)["exchange"]["changes"][0]["after"]["name"], "Second");
}

#[test]
fn the_newest_come_first_where_that_is_asked_for() {
    let server = with_exchanges();
    let list = |query: &str| server.control("GET", &format!("/journal?order=newest{query}"), None).expect(200).json();
    for (query, expected) in [
        ("", &[5, 4, 3, 2, 1][..]),
        ("&limit=2", &[5, 4]),
        ("&limit=2&after=4", &[3, 2]),
        ("&after=1", &[]),
        ("&after=0", &[]),
        ("&status=4xx&limit=1", &[5]),
        ("&status=4xx&limit=1&after=5", &[4]),
    ] {
        assert_eq!(numbers(&list(query)), expected, "{query}");
    }
    let piece = list("&limit=2&after=5");
    assert_eq!((&piece["next"], &piece["total"]), (&json!(3), &json!(4)), "{piece}");
    assert_eq!(list("&after=3")["next"], Json::Null);
    let har = server.control("GET", "/journal?format=har&order=newest&limit=2", None).expect(200).json();
    let entries: Vec<&Json> = har["log"]["entries"].as_array().unwrap().iter().map(|entry| &entry["_entry"]).collect();
    assert_eq!((entries, &har["log"]["_next"]), (vec![&json!(5), &json!(4)], &json!(4)));
    server.control("GET", "/journal?order=backwards", None).problem(400, "order-invalid");
}

#[test]
fn what_nothing_answered_is_found_and_says_what_was_meant() {
    let server = Server::start(&["reportei", "--freeze"]);
    server.api("GET", "/customers", None).expect(200);
    server.api("GET", "/costumers", None).expect(404);
    let find = |query: &str| numbers(&server.control("GET", &format!("/journal?{query}"), None).expect(200).json());
    assert_eq!((find("unmatched=true"), find("unmatched=false")), (vec![2], vec![1]));
    server.control("GET", "/journal?unmatched=yes", None).problem(400, "filter-invalid");
    let count = server.control("POST", "/journal/count", Some(json!({ "unmatched": true }))).expect(200).json();
    assert_eq!(count["count"], 1);
    let listed = server.control("GET", "/journal/unmatched", None).expect(200).json();
    let shown = entry(&server, 2)["exchange"]["nearMisses"].clone();
    assert_eq!(shown, listed["records"][0]["nearMisses"]);
    assert_eq!(shown[0]["request"], "GET /customers");
    assert_eq!(entry(&server, 1)["exchange"].get("nearMisses"), None);
}

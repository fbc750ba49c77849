//! The clock, the time line and sandboxes.

use super::*;

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

#[test]
fn a_form_of_the_bar_leads_back_to_the_dashboard_and_to_nowhere_else() {
    let server = start();
    let back = |back: &str| post(&server, "/clock/quick/advance", &format!("by=1d&back={back}"));
    let location = |answer: Answer| answer.expect(303).header("location").unwrap().to_owned();
    assert_eq!(location(back("/journal?status=2xx&done=rewound")), "/_standin/ui/journal?status=2xx&done=advanced");
    assert_eq!(location(back("//evil.example/")), "/_standin/ui//evil.example/?done=advanced");
    let now = server.get("/_standin/clock").json();
    assert_eq!(now["now"], "2024-10-03T17:15:12Z");
    for evil in ["https://evil.example/", "", "/a%0d%0aset-cookie:x=y", "javascript:alert(1)", "/%C3%A9"] {
        let answer = back(evil).expect(400);
        assert!(answer.text().contains("form-invalid"), "{evil}: {}", answer.text());
        assert_eq!(server.get("/_standin/clock").json(), now, "{evil}: what is refused moves nothing");
    }
}

#[test]
fn addresses_that_no_page_has_are_pages_that_say_so() {
    let server = start();
    let shown = |path: &str, status: u16, words: &str| {
        let answer = server.get(&format!("/_standin/ui{path}")).expect(status);
        assert!(answer.text().contains(words), "{path}: {}", answer.text());
    };
    shown("/timeline?after=newest", 400, "after-invalid");
    shown("/timeline?after=%26limit%3D1", 400, "after-invalid");
    shown("/clock?agenda=x%26limit%3D1", 400, "after-invalid");
    shown("/sandboxes?after=x", 400, "after-invalid");
    for moved in ["none", "9-1", "x", "-", "99999999999999999999-1", "0-0", "18446744073709551615-18446744073709551615"]
    {
        shown(&format!("/clock?moved={moved}"), 200, "What happened on the way");
    }
    shown("/clock?part=face", 200, "<!doctype html>");
}

#[test]
fn names_in_a_path_stay_names() {
    let server = start();
    server.control("POST", "/snapshots", Some(json!({ "name": "kept" }))).expect(201);
    let refused = |path: &str, status: u16, slug: &str| {
        let answer = post(&server, path, "").expect(status);
        assert!(answer.text().contains(slug), "{path}: {}", answer.text());
    };
    refused("/snapshots/kept%2Frestore/restore", 400, "snapshot-name-invalid");
    refused("/snapshots/none/restore", 404, "snapshot-unknown");
    refused("/snapshots/%3Fx/delete", 400, "snapshot-name-invalid");
    refused("/sandboxes/default/delete", 409, "sandbox-default");
    refused("/sandboxes/..%2Fsnapshots%2Fkept/delete", 400, "sandbox-id-invalid");
    refused("/sandboxes/nobody/delete", 404, "sandbox-unknown");
    refused("/clock/agenda/next/cancel", 404, "agenda-unknown");
    refused("/clock/set", 400, "member-invalid");
    refused("/clock/mode", 400, "member-invalid");
    refused("/clock/advance", 400, "advance-what");
    assert_eq!(server.get("/_standin/snapshots").json()["total"], 1);
    assert_eq!(server.get("/_standin/log").json()["total"], 0);
}

#[test]
fn a_page_tells_how_far_the_log_was_that_it_was_made_of() {
    let server = start();
    let seen = |page: Answer| {
        let page = page.text();
        let at = page.find("data-seen=\"").unwrap() + "data-seen=\"".len();
        page[at..].split('"').next().unwrap().to_owned()
    };
    assert_eq!(seen(server.get("/_standin/ui/clock")), "0");
    server.control("PUT", "/clock", Some(json!({ "now": "2030-01-01T00:00:00Z" }))).expect(200);
    let log = server.get("/_standin/log").json();
    let last = log["records"].as_array().unwrap().last().unwrap()["entry"].to_string();
    assert_eq!(seen(server.get("/_standin/ui/clock")), last);
    // Pages that say what is wrong go on from there as well, and not from the beginning of the log.
    assert_eq!(seen(server.get("/_standin/ui/nowhere").expect(404)), last);
    assert_eq!(seen(post(&server, "/clock/quick/advance", "by=1d&back=").expect(400)), last);
}

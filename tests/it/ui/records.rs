//! Forms of records and events, as a browser without scripts sends them.

use super::*;

const CUSTOMER: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const INTEGRATION: &str = "4addc0da-8583-4dbb-a0e9-c7e2e8470f50";

fn customer(server: &Server) -> Json {
    server.control("GET", &format!("/state/reportei/customer/{CUSTOMER}?secrets=show"), None).expect(200).json()
}

#[test]
fn a_form_goes_on_to_the_page_that_shows_what_it_did() {
    let server = Server::start(&["reportei", "--freeze"]);
    let page = format!("/records/reportei/customer/{CUSTOMER}");
    let before = customer(&server);
    // What stood there comes back as a browser ends lines, and is not changed by that.
    server
        .control("PATCH", &format!("/state/reportei/customer/{CUSTOMER}"), Some(json!({ "name": "two\nlines" })))
        .expect(200);
    let body = "was.name=%22two%5Cnlines%22&f.name=two%0D%0Alines&was.is_paying=false&f.is_paying=true&f.api_token=&held.api_token=1";
    let answer = post(&server, &page, body).expect(303);
    assert_eq!(answer.header("location"), Some(&*format!("/_standin/ui{page}?done=record-changed")));
    let mut expected = before;
    expected["name"] = json!("two\nlines");
    expected["is_paying"] = json!(true);
    assert_eq!(customer(&server), expected);

    let fired = post(&server, "/events/reportei/revoke", &format!("p.uuid={INTEGRATION}")).expect(303);
    let to = fired.header("location").unwrap();
    let shown = server.get(to).expect(200).text();
    assert!(shown.contains("What it did") && shown.contains("It has happened"), "{shown}");
    let back = format!("p.uuid={INTEGRATION}&resource=integration&record=a%2Fb%3F%23%26");
    let answer = post(&server, "/events/reportei/reconnect", &back).expect(303);
    let there = "/_standin/ui/records/reportei/integration/a%2Fb%3F%23%26?done=event-fired";
    assert_eq!(answer.header("location"), Some(there), "back to a record of this sandbox, whatever it is called");
}

#[test]
fn a_form_that_is_refused_says_why_and_changes_nothing() {
    let server = Server::start(&["reportei", "--freeze"]);
    let watch = server.watch();
    let page = format!("/records/reportei/customer/{CUSTOMER}");
    for (path, body, status, words) in [
        (&*page, "was.is_paying=false&f.is_paying=maybe", 422, "`is_paying` is of type boolean"),
        ("/records/reportei/customer/nobody", "f.name=x", 404, "There is no `customer` with the id `nobody`"),
        ("/records/reportei/customer/nobody", "", 404, "There is no `customer` with the id `nobody`"),
        ("/records/reportei/customer/nobody/json", "record={}", 404, "There is no `customer` with the id `nobody`"),
        ("/records/reportei/customer/nobody/delete", "", 404, "There is no `customer` with the id `nobody`"),
        ("/records/reportei/customer", "record=%5B%5D", 400, "The body must be a JSON object"),
        ("/records/reportei/customer", "", 400, "The form has no `record`"),
        ("/records/reportei/nothing", "record={}", 404, "has no resource `nothing`"),
        ("/events/reportei/revoke", "", 422, "does not fit"),
        ("/events/reportei/nothing", "", 404, "has no event `nothing`"),
        ("/webhooks/nothing/redeliver", "", 404, "There is no delivery `nothing`"),
    ] {
        let answer = post(&server, path, body).expect(status);
        assert!(answer.text().contains(words), "{path} {body}: {}", answer.text());
        assert!(answer.text().contains("<h1>"), "a page");
    }
    watch.unharmed();
}

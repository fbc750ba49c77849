//! The page of a session as a browser uses it without scripts: links, forms, and where they lead.

use super::*;
use crate::bundle::File;

const UNKNOWN: &str = "00000000-0000-4000-8000-00000000dead";

/// A customer in front of the page of one of its sessions.
struct Visit<'s> {
    server: &'s Server,
    customer: Customer,
    /// Where the page is, as a path.
    page: String,
}

impl<'s> Visit<'s> {
    fn of(server: &'s Server, customer: Customer) -> Self {
        let session = customer.session(server);
        let page = format!("/customer-integrations/session/{}", text(&session, "session_uuid"));
        Visit { server, customer, page }
    }

    /// A visit of a customer that is new.
    fn new(server: &'s Server) -> Self {
        Visit::of(server, Customer::made(server))
    }

    fn get(&self, rest: &str) -> Answer {
        self.server.call("GET", &format!("{}{rest}", self.page), &[("Accept", "text/html")], "")
    }

    /// Sends a form as browsers do from a page that tells nobody where it is.
    fn send(&self, rest: &str, form: &str) -> Answer {
        self.server.call("POST", &format!("{}{rest}", self.page), &[FORM, ("Origin", "null")], form)
    }

    /// Sends a form, goes where the answer leads, and gives what is said there of what happened.
    #[track_caller]
    fn told(&self, rest: &str, form: &str) -> String {
        self.follow(&self.send(rest, form).expect(303))
    }

    #[track_caller]
    fn follow(&self, answer: &Answer) -> String {
        assert_eq!((answer.text(), answer.header("cache-control")), (String::new(), Some("no-store")), "{answer}");
        let location = answer.header("location").unwrap();
        let rest = location.strip_prefix(&format!("{}{}", self.server.url(), self.page)).unwrap();
        let page = self.get(rest).expect(200).text();
        let (_, notice) =
            page.split_once("role=\"status\">").unwrap_or_else(|| panic!("{location} says nothing: {page}"));
        notice.split('<').next().unwrap().to_owned()
    }

    /// Network, status and id of what the API says is connected.
    fn connected(&self) -> Vec<(String, String, String)> {
        let list = self.customer.get(self.server, "/customer-integrations").expect(200).json();
        let items = list["data"].as_array().unwrap().iter();
        let read = |item: &Json| {
            (
                text(&item["integration"], "slug").to_owned(),
                text(item, "status").to_owned(),
                text(item, "uuid").to_owned(),
            )
        };
        items.map(read).collect()
    }
}

/// Checks that an answer is a page for people with this title.
#[track_caller]
fn page(answer: &Answer, status: u16, title: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (status, Some("text/html; charset=utf-8")), "{answer}");
    assert!(answer.text().contains(&format!("<h1>{title}</h1>")), "{answer}");
}

#[test]
fn page_connects_a_network_once_however_often_the_form_is_sent() {
    let server = start();
    let visit = Visit::new(&server);
    let shown = visit.get("").expect(200).text();
    let link = format!("href=\"{}{}/connect/facebook_ads\"", server.url(), visit.page);
    assert!(shown.replace("&#x2f;", "/").contains(&link), "{shown}");
    page(&visit.get("/connect/facebook_ads"), 200, "Reportei asks for access to Meta Ads");
    assert_eq!(visit.connected(), [], "looking connects nothing");

    assert_eq!(visit.told("/connect/facebook_ads", "answer=allow"), "Meta Ads is connected.");
    let connected = visit.connected();
    assert!(matches!(&connected[..], [(slug, status, _)] if slug == "facebook_ads" && status == "active"));
    let id = &connected[0].2;
    let made = visit.customer.get(&server, &format!("/customer-integrations/{id}")).expect(200).json();
    let other = visit.customer.connects(&server, "facebook");
    let event = visit.customer.get(&server, &format!("/customer-integrations/{other}")).expect(200).json();
    assert_eq!(keys(&made["customer_integration"]), keys(&event["customer_integration"]));
    for key in ["source_name", "status", "created_at", "updated_at"] {
        assert_eq!(made["customer_integration"][key], event["customer_integration"][key], "{key}");
    }

    let watch = server.watch();
    assert_eq!(
        visit.told("/connect/facebook_ads", "answer=allow"),
        "Meta Ads is connected already. Nothing was changed."
    );
    // Who goes back sees no consent page for what is done.
    let back = visit.get("/connect/facebook_ads").expect(303);
    assert_eq!(visit.follow(&back), "Meta Ads is connected already. Nothing was changed.");
    watch.unharmed();
}

#[test]
fn page_tells_what_the_network_answered_and_nothing_is_changed() {
    let server = start();
    let visit = Visit::new(&server);
    let watch = server.watch();
    for (answer, words) in [
        ("refuse", "The permission was refused on the page of Facebook. Nothing was changed."),
        ("no-answer", "Facebook did not answer in time. Nothing was changed: you can try again."),
    ] {
        assert_eq!(visit.told("/connect/facebook", &format!("answer={answer}")), words);
    }
    watch.unharmed();
}

#[test]
fn page_connects_again_under_the_id_that_was() {
    let server = start();
    let visit = Visit::new(&server);
    let id = visit.customer.connects(&server, "facebook");
    for event in ["revoke", "expire"] {
        fire(&server, event, json!({ "uuid": id }));
        let shown = visit.get("").expect(200).text();
        assert!(shown.contains("needs attention") && shown.contains(&format!("/reconnect/{id}\"")), "{shown}");
        page(&visit.get(&format!("/reconnect/{id}")), 200, "Reportei asks for access to Facebook");
        let watch = server.watch();
        let words = "The permission was refused on the page of Facebook. Nothing was changed.";
        assert_eq!(visit.told(&format!("/reconnect/{id}"), "answer=refuse"), words);
        watch.unharmed();

        advance(&server, "10s");
        assert_eq!(visit.told(&format!("/reconnect/{id}"), "answer=allow"), "Facebook is connected.");
        assert_eq!(visit.connected(), [("facebook".to_owned(), "active".to_owned(), id.clone())]);
        let shown = visit.customer.get(&server, &format!("/customer-integrations/{id}")).expect(200).json();
        assert_ne!(shown["customer_integration"]["updated_at"], shown["customer_integration"]["created_at"]);

        let watch = server.watch();
        let already = "Facebook is connected already. Nothing was changed.";
        assert_eq!(visit.told(&format!("/reconnect/{id}"), "answer=allow"), already);
        assert_eq!(visit.follow(&visit.get(&format!("/reconnect/{id}")).expect(303)), already);
        watch.unharmed();
    }
    // In another tab the network is still one to connect; what it had lost comes back, and there is no second.
    fire(&server, "revoke", json!({ "uuid": id }));
    assert_eq!(visit.told("/connect/facebook", "answer=allow"), "Facebook is connected.");
    assert_eq!(visit.connected(), [("facebook".to_owned(), "active".to_owned(), id)]);
}

#[test]
fn page_disconnects_once_and_says_so_the_second_time() {
    let server = start();
    let visit = Visit::new(&server);
    let id = visit.customer.connects(&server, "facebook");
    assert_eq!(visit.told("", &format!("disconnect={id}")), "Facebook is disconnected.");
    assert_eq!(visit.connected(), []);
    let watch = server.watch();
    let gone = "There is no such integration any more. Nothing was changed.";
    assert_eq!(visit.told("", &format!("disconnect={id}")), gone);
    assert_eq!(visit.follow(&visit.get(&format!("/reconnect/{id}")).expect(303)), gone);
    assert_eq!(visit.told(&format!("/reconnect/{id}"), "answer=allow"), gone);
    watch.unharmed();
}

#[test]
fn page_treats_what_is_foreign_like_what_is_gone() {
    let server = start();
    let visit = Visit::of(&server, Customer::seed(FIRST));
    fire(&server, "revoke", json!({ "uuid": SETTINGS }));
    let watch = server.watch();
    for id in [SETTINGS, UNKNOWN, "x", "%00", "'"] {
        let gone = "There is no such integration any more. Nothing was changed.";
        assert_eq!(visit.told("", &format!("disconnect={id}")), gone, "{id}");
        assert_eq!(visit.told(&format!("/reconnect/{id}"), "answer=allow"), gone, "{id}");
        assert_eq!(visit.follow(&visit.get(&format!("/reconnect/{id}")).expect(303)), gone, "{id}");
    }
    watch.unharmed();
}

#[test]
fn page_leads_to_no_network_that_is_not_offered() {
    let server = start();
    let visit = Visit::new(&server);
    let watch = server.watch();
    for network in ["smoke_signals", "Facebook", "%3Cb%3E", SHOWN] {
        for answer in
            [visit.get(&format!("/connect/{network}")), visit.send(&format!("/connect/{network}"), "answer=allow")]
        {
            page(&answer, 404, "This network is not on offer");
            assert!(answer.text().contains("Back to the page before") && !answer.text().contains("<b>"), "{answer}");
        }
    }
    watch.unharmed();
}

/// Whatever is sent, a browser shows a page.
#[test]
fn page_answers_forms_that_it_does_not_have_with_pages() {
    let server = start();
    let visit = Visit::of(&server, Customer::seed(FIRST));
    let watch = server.watch();
    for rest in ["/connect/facebook", &format!("/reconnect/{SHOWN}"), ""] {
        for form in ["answers=allow", "answer=", "answer=perhaps", "=", "connect=facebook"] {
            page(&visit.send(rest, form), 422, "That is none of the buttons");
        }
        for form in ["", "answer=allow&answer=refuse&disconnect=a&disconnect=b"] {
            page(&visit.send(rest, form), 400, "The form cannot be read");
        }
        page(&visit.send(rest, &"x".repeat(2_097_153)), 413, "The form is too large");
        let path = format!("{}{rest}", visit.page);
        page(&server.call("POST", &path, &[JSON], r#"{"answer": "allow"}"#), 415, "This is no form");
    }
    watch.unharmed();
}

#[test]
fn page_is_over_when_the_session_or_the_trial_is() {
    let server = start();
    let every = |visit: &Visit<'_>| {
        let reconnect = format!("/reconnect/{SHOWN}");
        let mut answers: Vec<Answer> = ["", "/connect/facebook", &reconnect].map(|rest| visit.get(rest)).into();
        answers.extend(["/connect/facebook", &reconnect].map(|rest| visit.send(rest, "answer=allow")));
        answers.push(visit.send("", &format!("disconnect={SHOWN}")));
        answers
    };
    let visit = Visit::of(&server, Customer::seed(FIRST));
    fire(&server, "revoke", json!({ "uuid": SHOWN }));
    page(&visit.get("/connect/facebook"), 200, "Reportei asks for access to Facebook");
    advance(&server, "5m");
    let watch = server.watch();
    for answer in every(&visit) {
        page(&answer, 401, "This session has run out");
        assert_eq!(answer.header("refresh"), None, "{answer}");
    }
    watch.unharmed();

    let visit = Visit::of(&server, Customer::seed(FIRST));
    let path = format!("/state/reportei/customer/{FIRST}");
    server.control("PATCH", &path, Some(json!({ "trial_ends_at": "2024-10-01 17:20:12" }))).expect(200);
    let watch = server.watch();
    every(&visit).iter().for_each(|answer| page(answer, 401, "The trial has ended"));
    watch.unharmed();
    visit.customer.pays(&server, true);
    assert_eq!(visit.told("/connect/facebook", "answer=allow"), "Facebook is connected.");

    server.api("DELETE", &format!("/customers/{FIRST}"), None).expect(200);
    let watch = server.watch();
    every(&visit).iter().for_each(|answer| page(answer, 404, "There is no such session"));
    watch.unharmed();
}

/// A notice is about what is so; an address that somebody made up says nothing of its own.
#[test]
fn page_says_nothing_that_is_not_so() {
    let server = start();
    let visit = Visit::of(&server, Customer::seed(FIRST));
    let says = |query: &str| visit.get(query).expect(200).text().contains("role=\"status\"");
    assert!(says("?notice=connected&network=instagram_business"));
    fire(&server, "revoke", json!({ "uuid": SHOWN }));
    for query in [
        "?notice=connected&network=instagram_business",
        "?notice=connected&network=facebook",
        "?notice=already",
        "?notice=%3Cb%3E",
        "?network=facebook",
    ] {
        assert!(!says(query), "{query}");
    }
    let page = visit.get("?notice=refuse&network=%3Cscript%3E").expect(200).text();
    assert!(page.contains("on the page of The network") && !page.contains("<script"), "{page}");
}

/// The button at the foot leads to web addresses only, whoever wrote the record.
#[test]
fn page_has_no_button_that_runs_something() {
    let server = start();
    let customer = Customer::seed(FIRST);
    let session = customer.session(&server);
    let path = format!("/state/reportei/session/{}", text(&session, "session_uuid"));
    for (url, shown) in [
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("x https://reportei.com", false),
        ("HTTPS://reportei.com/x", true),
    ] {
        server.control("PATCH", &path, Some(json!({ "redirect_url": url }))).expect(200);
        let page = open(&server, &session["session_link"]).expect(200).text();
        assert_eq!(page.contains("Back to Reportei"), shown, "{url}: {page}");
    }
}

/// Forms and links lead where the client came from: a prefix, a host, a sandbox however it was chosen.
#[test]
fn page_keeps_the_address_that_the_client_called() {
    let server = start();
    server.control("POST", "/sandboxes", Some(json!({ "id": "shop", "mode": "frozen" }))).expect(201);
    let customer = ("x-customer-token", format!("token-{FIRST}"));
    let customer = (customer.0, customer.1.as_str());
    let port = server.port();
    let hosts =
        [format!("127.0.0.1:{port}"), format!("reportei.localhost:{port}"), format!("shop.reportei.localhost:{port}")];
    for (prefix, host, sandbox, base) in [
        ("", &hosts[0], None, format!("http://{}", hosts[0])),
        ("/reportei", &hosts[0], None, format!("http://{}/reportei", hosts[0])),
        ("/~shop/reportei", &hosts[0], None, format!("http://{}/~shop/reportei", hosts[0])),
        ("", &hosts[1], None, format!("http://{}", hosts[1])),
        ("", &hosts[2], None, format!("http://{}", hosts[2])),
        ("/reportei", &hosts[0], Some("shop"), format!("http://{}/~shop/reportei", hosts[0])),
    ] {
        let mut headers = vec![("Host", host.as_str())];
        headers.extend(sandbox.map(|sandbox| ("Standin-Sandbox", sandbox)));
        let asked = [headers.clone(), vec![REPORTEI, customer]].concat();
        let made =
            server.call("POST", &format!("{prefix}/customer-integrations/session"), &asked, "").expect(200).json();
        let id = text(&made["integration_session"], "session_uuid").to_owned();
        let page = format!("/customer-integrations/session/{id}");
        let escaped = |path: &str| format!("{base}{path}").replace('/', "&#x2f;");
        let shown = server.call("GET", &format!("{prefix}{page}"), &headers, "").expect(200).text();
        let plain = shown.replace("&#x2f;", "/");
        assert!(plain.contains(&format!("action=\"{base}{page}\"")), "{base}: {shown}");
        assert!(plain.contains(&format!("href=\"{base}{page}/connect/facebook\"")), "{base}: {shown}");
        let consent = format!("{page}/connect/facebook");
        let shown = server.call("GET", &format!("{prefix}{consent}"), &headers, "").expect(200).text();
        assert!(shown.contains(&format!("action=\"{}\"", escaped(&consent))), "{base}: {shown}");
        let form = [headers.clone(), vec![FORM]].concat();
        let answer = server.call("POST", &format!("{prefix}{consent}"), &form, "answer=refuse").expect(303);
        assert_eq!(answer.header("location"), Some(format!("{base}{page}?notice=refuse&network=facebook").as_str()));
    }
}

/// What is left is told in whole seconds, the one that has begun with it, so that the page is asked for again when the session
/// is over and not before. A clock that stands brings nothing.
#[test]
fn page_is_asked_for_again_when_the_session_is_over() {
    let server = start();
    let visit = Visit::new(&server);
    let (page, consent) = (visit.get(""), visit.get("/connect/facebook"));
    assert!(page.text().contains("Time stands still at 17:15:12") && !page.text().contains("--from: "), "{page}");
    assert_eq!([page.header("refresh"), consent.header("refresh")], [None, None]);

    server.control("PUT", "/clock", Some(json!({ "mode": "ticking" }))).expect(200);
    let seconds = |text: &str| text.split(':').fold(0, |sum, part| sum * 60 + part.parse::<i64>().unwrap());
    let left = |answer: &Answer| {
        let left: i64 = answer.header("refresh").unwrap_or_else(|| panic!("{answer}")).parse().unwrap();
        // The date is the answer's instant, cut to the second.
        let date = answer.header("date").unwrap().split(' ').nth(4).unwrap();
        assert_eq!(left, seconds("17:20:12") - seconds(date), "{answer}");
        left
    };
    for _ in 0..3 {
        advance(&server, "1m 300ms");
        let page = visit.get("").expect(200);
        assert!(page.text().contains(&format!("style=\"--from: {}\"", left(&page))), "{page}");
        assert!(!page.text().contains("stands still"), "{page}");
        left(&visit.get("/connect/facebook").expect(200));
    }
}

/// Whether the clock goes on is part of the story, also while it was moved.
#[test]
fn page_is_the_same_when_the_story_is_done_again() {
    let server = start();
    let visit = Visit::new(&server);
    visit.get("").expect(200);
    server.control("PUT", "/clock", Some(json!({ "mode": "ticking" }))).expect(200);
    assert!(visit.get("").expect(200).header("refresh").is_some());
    advance(&server, "1m");
    assert!(visit.get("").expect(200).header("refresh").is_some());
    assert_eq!(visit.told("/connect/facebook", "answer=allow"), "Facebook is connected.");
    server.control("PUT", "/clock", Some(json!({ "mode": "frozen" }))).expect(200);
    assert!(visit.get("").expect(200).header("refresh").is_none());
    File::of(&server, "default").replay(&[]).same();
}

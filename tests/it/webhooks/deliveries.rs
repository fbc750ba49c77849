//! What is shown of deliveries: lists, single ones, counts, the log.

use super::*;
use crate::receiver::Say;
use crate::support::keys;

#[test]
fn a_delivery_is_listed_in_short_and_shown_whole() {
    let receiver = Receiver::new([Say::answer(503, &[("X-Told", "later"), ("Retry-After", "5")], "not now")]);
    let post = Post::telling(&receiver);
    let entry = post.write("Hello");
    let id = text(&post.landed(), "id").to_owned();
    let list = post.list("").expect(200).json();
    let mut record = list["records"][0].clone();
    let latency = record["attempts"][0]["latencyMillis"].take();
    assert!(latency.as_f64().is_some_and(|latency| latency > 0.0), "{latency}");
    let to = receiver.url("/hook");
    assert_eq!(
        record,
        json!({
            "id": id, "pack": "post", "webhook": "written", "cause": entry, "at": "2024-10-01T17:15:12Z",
            "state": "waiting", "channel": "webhook", "to": to, "next": "2024-10-01T17:17:12Z", "reason": null,
            "attempts": [{
                "attempt": 1, "at": "2024-10-01T17:15:12Z", "result": "refused", "status": 503, "error": null,
                "latencyMillis": null,
            }],
        })
    );
    assert_eq!((&list["total"], &list["next"], &list["evicted"]), (&json!(1), &json!(null), &json!(0)));

    // Whole, it has what was sent and what came back, to the byte.
    let shown = post.show(&id);
    assert_eq!(keys(&shown), keys(&record));
    let attempt = &shown["attempts"][0];
    let known = ["attempt", "at", "due", "planned", "result", "request", "response", "error", "latencyMillis"];
    assert_eq!(keys(attempt), known);
    assert_eq!((&attempt["due"], &attempt["planned"]), (&json!("2024-10-01T17:15:12Z"), &json!(true)));
    let [heard] = receiver.heard().try_into().unwrap();
    let request = &attempt["request"];
    assert_eq!((&request["method"], &request["url"]), (&json!("POST"), &json!(to)));
    assert_eq!(request["body"]["text"], heard.text());
    let headers = request["headers"].as_object().unwrap();
    assert!(headers.len() >= 5, "{headers:?}");
    for (name, value) in headers {
        assert_eq!(heard.header(name), value.as_str(), "{name}");
    }
    let response = &attempt["response"];
    assert_eq!((&response["status"], &response["cut"]), (&json!(503), &json!(false)));
    assert_eq!((&response["body"]["text"], &response["headers"]["x-told"]), (&json!("not now"), &json!("later")));

    // Each further attempt is there, too.
    post.advance("2 minutes").expect(200);
    let shown = post.show(&id);
    assert_eq!((&shown["state"], &shown["next"]), (&json!("delivered"), &json!(null)));
    assert_eq!(results(&shown), ["refused", "taken"]);
    assert_eq!(shown["attempts"][1]["at"], "2024-10-01T17:17:12Z");
    assert_eq!(receiver.heard()[1].header("x-note-attempt"), Some("2"));
}

#[test]
fn attempts_without_an_answer_say_why() {
    let receiver = Receiver::new([Say::Close]);
    let post = Post::telling(&receiver);
    post.write("Hello");
    let shown = post.landed();
    let attempt = &shown["attempts"][0];
    assert_eq!((&attempt["result"], &attempt["response"]), (&json!("broken"), &json!(null)), "{shown:#}");
    assert_eq!(attempt["error"]["kind"], "broken");
    assert!(text(&attempt["error"], "message").contains("ended the connection without an answer"), "{shown:#}");
    // A URL that is none, and one that is not let out, are told in the same way.
    for (url, kind) in [("nonsense", "url"), ("http://169.254.169.254/", "forbidden")] {
        post.hook("h1", url);
        post.server.control("POST", "/clock/advance", Some(json!({ "to": "next" }))).expect(200);
        let record = post.records("").remove(0);
        let last = record["attempts"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&last["result"], &last["error"]["kind"], &last["status"]),
            (&json!(kind), &json!(kind), &json!(null))
        );
        // It is listed as it was to go when it was made, and shown as it went.
        assert_eq!(record["to"], receiver.url("/hook"));
    }
    let shown = post.landed();
    assert_eq!((&shown["state"], &shown["next"]), (&json!("failed"), &json!(null)));
    assert_eq!(shown["attempts"][1]["request"]["url"], "nonsense");
}

#[test]
fn a_receiver_that_hangs_is_waited_for_as_long_as_the_pack_says() {
    let folder = folder();
    let file = folder.path().join("fixtures/post/notes/written.webhook.yaml");
    support::replace(&file, "timeout: 30 seconds", "timeout: 1 second");
    let receiver = Receiver::new([Say::Hang]);
    let post = Post::serving(folder, "off", &["--freeze"]);
    post.hook("h1", &receiver.url("/hook"));
    post.write("Hello");
    let shown = post.landed();
    let attempt = &shown["attempts"][0];
    assert_eq!((results(&shown), &attempt["error"]["kind"]), (vec!["timeout"], &json!("timeout")));
    assert!(attempt["latencyMillis"].as_f64().is_some_and(|latency| latency >= 1000.0), "{attempt:#}");
    // In virtual time it took none.
    assert_eq!((&attempt["at"], &shown["next"]), (&json!("2024-10-01T17:15:12Z"), &json!("2024-10-01T17:17:12Z")));
}

#[test]
fn what_has_no_url_went_another_way_and_what_is_given_up_has_a_reason() {
    let post = Post::start(&[]);
    post.write("Hello");
    let shown = post.landed();
    assert_eq!((&shown["state"], &shown["channel"]), (&json!("delivered"), &json!("pigeon")));
    assert_eq!((&shown["to"], &shown["attempts"], &shown["reason"]), (&json!(null), &json!([]), &json!(null)));
    let id = text(&shown, "id").to_owned();
    post.redeliver(&id).problem(409, "delivery-unsent");

    // One whose hook goes between two attempts is given up.
    let receiver = Receiver::new([Say::status(500)]);
    post.hook("h1", &receiver.url("/hook"));
    post.write("Again");
    post.all_landed();
    post.server.control("DELETE", "/state/post/hook/h1", None).expect(204);
    let done = post.advance("1 hour").expect(200).json();
    let [given_up] = done["done"].as_array().unwrap().as_slice() else { panic!("{done:#}") };
    assert_eq!((&given_up["kind"], &given_up["request"]), (&json!("attempt"), &json!(null)));
    let why = text(given_up, "givenUp");
    assert_eq!(why, "there is no such `hook` any more");
    let shown = post.records("?state=dropped").remove(0);
    assert_eq!((&shown["reason"], &shown["channel"], &shown["next"]), (&json!(why), &json!("webhook"), &json!(null)));
    assert_eq!(receiver.heard().len(), 1);
}

#[test]
fn lists_are_filtered_and_come_in_pieces() {
    let receiver = Receiver::new([Say::status(500), Say::status(200), Say::status(200), Say::status(200)]);
    let post = Post::telling(&receiver);
    for text in ["a", "b", "c"] {
        post.write(text);
        post.all_landed();
    }
    post.server.control("POST", "/events/post/shred", Some(json!({ "id": 1 }))).expect(200);
    let all: Vec<String> = post.all_landed().iter().map(|record| text(record, "id").to_owned()).collect();
    assert_eq!(all.len(), 4);
    let bodies: Vec<Json> = receiver.heard().iter().map(crate::receiver::Heard::json).collect();
    assert_eq!((&bodies[0]["note"]["text"], &bodies[3]), (&json!("a"), &json!({ "id": 1 })));
    for (query, expected) in [
        ("?pack=post", &all[..]),
        ("?webhook=written", &all[..3]),
        ("?webhook=shredded&pack=post", &all[3..]),
        ("?state=waiting", &all[..1]),
        ("?state=delivered", &all[1..]),
        ("?state=delivered&webhook=shredded", &all[3..]),
        ("?state=failed", &[]),
        ("?state=orphaned", &[]),
    ] {
        assert_eq!(post.ids(query), expected, "{query}");
    }
    // In pieces, with a condition and without.
    for (query, expected) in [("limit=1", &all[..]), ("limit=2&state=delivered", &all[1..])] {
        let (mut found, mut after) = (Vec::new(), json!(0));
        while !after.is_null() {
            let piece = post.list(&format!("?{query}&after={after}")).expect(200).json();
            let records = piece["records"].as_array().unwrap();
            assert_eq!(piece["total"], expected.len() - found.len(), "{piece:#}");
            found.extend(records.iter().map(|record| text(record, "id").to_owned()));
            after = piece["next"].clone();
        }
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn what_no_delivery_could_be_is_refused() {
    let post = Post::start(&[]);
    for (query, slug) in [
        ("?pack=past", "filter-invalid"),
        ("?webhook=writen", "filter-invalid"),
        ("?state=lost", "filter-invalid"),
        ("?limit=0", "limit-invalid"),
        ("?after=x", "after-invalid"),
        ("?secrets=yes", "secrets-invalid"),
        ("?status=200", "query-unknown"),
    ] {
        post.list(query).problem(400, slug);
    }
    assert_eq!(
        post.list("?webhook=writen").problem(400, "filter-invalid"),
        "There is no webhook `writen`. Did you mean `written`?"
    );
    let long = "x".repeat(201);
    for pattern in [
        json!({ "pack": 1 }),
        json!({ "webhook": "shred" }),
        json!({ "state": "sent" }),
        json!({ "to": "" }),
        json!({ "url": "  " }),
        json!({ "url": 5 }),
        json!({ "urlPattern": "(a" }),
        json!({ "urlPattern": long }),
        json!({ "attempts": -1 }),
        json!({ "attempts": 1.5 }),
        json!({ "attempts": "3-2" }),
        json!({ "attempts": "many" }),
        json!({ "attempts": "-" }),
        json!({ "attempts": [1] }),
        json!({ "status": 99 }),
        json!({ "status": "2xy" }),
        json!({ "headers": { "a b": "c" } }),
        json!({ "headers": { "a": 1 } }),
    ] {
        let name = keys(&pattern)[0].to_owned();
        let answer = post.count(pattern.clone());
        answer.problem(400, "filter-invalid");
        assert_eq!(answer.json()["filter"].as_str().unwrap().split('.').next(), Some(&*name), "{pattern}");
    }
    post.count(json!({ "operation": "write" })).problem(400, "body-member-unknown");
    for (method, path, status, slug) in [
        ("GET", "/webhooks/none", 404, "delivery-unknown"),
        ("POST", "/webhooks/none/redeliver", 404, "delivery-unknown"),
        ("GET", "/webhooks/none/redeliver", 405, "method-not-allowed"),
        ("DELETE", "/webhooks", 405, "method-not-allowed"),
        ("GET", "/webhooks/none?limit=1", 400, "query-unknown"),
        ("GET", "/webhooks/%ff", 400, "path-unreadable"),
    ] {
        post.server.control(method, path, None).problem(status, slug);
    }
    let answer = post.server.control("POST", "/webhooks/none/redeliver", Some(json!({ "at": "now" })));
    answer.problem(400, "body-member-unknown");
}

#[test]
fn deliveries_are_counted_by_each_condition() {
    let receiver = Receiver::new([Say::status(500), Say::Close, Say::status(404), Say::status(201)]);
    let post = Post::telling(&receiver);
    post.write("Hello");
    post.all_landed();
    post.advance("6 minutes").expect(200);
    post.hook("h1", &receiver.url("/other?a=b"));
    post.write("Goodbye");
    post.all_landed();
    post.server.control("POST", "/events/post/shred", Some(json!({ "id": 1 }))).expect(200);
    post.all_landed();
    let first = receiver.url("/hook");
    for (pattern, count) in [
        (json!({}), 3),
        (json!({ "pack": "post" }), 3),
        (json!({ "webhook": "written" }), 2),
        (json!({ "state": "failed" }), 1),
        (json!({ "state": "delivered" }), 2),
        (json!({ "state": "orphaned" }), 0),
        (json!({ "to": first }), 1),
        (json!({ "url": first }), 1),
        (json!({ "url": receiver.url("/other") }), 0),
        (json!({ "urlPattern": r"/other\?a=b$" }), 2),
        (json!({ "urlPattern": "hook" }), 1),
        (json!({ "attempts": 3 }), 1),
        (json!({ "attempts": "1" }), 2),
        (json!({ "attempts": "1-2" }), 2),
        (json!({ "attempts": "2-" }), 1),
        (json!({ "attempts": "1-3" }), 3),
        (json!({ "attempts": 0 }), 0),
        // The last answer, where the last attempt had none.
        (json!({ "status": 404 }), 1),
        (json!({ "status": 500 }), 0),
        (json!({ "status": "2xx" }), 2),
        (json!({ "headers": { "X-Note-Hook": "h1" } }), 2),
        (json!({ "headers": { "x-note-attempt": "3" } }), 1),
        (json!({ "headers": { "x-note-attempt": "2" } }), 0),
        (json!({ "body": { "note": { "text": "Goodbye" } } }), 1),
        (json!({ "body": { "id": 1 } }), 1),
        (json!({ "body": null }), 0),
        (json!({ "webhook": "written", "status": "2xx", "body": { "note": {} } }), 1),
    ] {
        let answer = post.count(pattern.clone()).expect(200).json();
        assert_eq!(answer, json!({ "count": count, "evicted": 0 }), "{pattern}");
    }
}

#[test]
fn what_had_to_make_room_is_counted() {
    let receiver = Receiver::new([]);
    let post = Post::start(&["--max-journal-entries", "4"]);
    post.hook("h1", &receiver.url("/hook"));
    let mut ids = Vec::new();
    for number in 0..6 {
        post.write(&number.to_string());
        ids.push(text(post.all_landed().last().unwrap(), "id").to_owned());
    }
    let list = post.list("").expect(200).json();
    assert_eq!((&list["total"], &list["evicted"]), (&json!(4), &json!(2)));
    assert_eq!(post.ids(""), &ids[2..]);
    assert_eq!(post.count(json!({})).expect(200).json(), json!({ "count": 4, "evicted": 2 }));
    for path in [format!("/webhooks/{}", ids[0]), format!("/webhooks/{}/redeliver", ids[0])] {
        let method = if path.ends_with("redeliver") { "POST" } else { "GET" };
        post.server.control(method, &path, None).problem(404, "delivery-unknown");
    }
}

#[test]
fn the_newest_deliveries_come_first_where_somebody_asks_for_them() {
    let receiver = Receiver::new([Say::answer(204, &[], "")]);
    let post = Post::telling(&receiver);
    let mut made: Vec<Json> = ["one", "two", "three"].map(|note| json!(post.write(note))).into();
    made.reverse();
    post.all_landed();
    let first = post.list("?order=newest&limit=2").expect(200).json();
    let causes =
        |list: &Json| list["records"].as_array().unwrap().iter().map(|one| one["cause"].clone()).collect::<Vec<_>>();
    assert_eq!((causes(&first), &first["total"]), (made[..2].to_vec(), &json!(3)));
    let rest = post.list(&format!("?order=newest&limit=2&after={}", first["next"])).expect(200).json();
    assert_eq!((causes(&rest), &rest["next"]), (made[2..].to_vec(), &json!(null)));
    post.list("?order=latest").problem(400, "order-invalid");
}

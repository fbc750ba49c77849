//! What log, journal, stream, request log and metrics tell of webhooks.

use super::*;
use crate::follow::Reader;
use crate::receiver::Say;
use crate::support::keys;

fn log(post: &Post) -> Vec<Json> {
    post.server.control("GET", "/log", None).expect(200).json()["records"].as_array().unwrap().clone()
}

fn kinds(entries: &[Json]) -> Vec<&str> {
    entries.iter().map(|entry| text(entry, "kind")).collect()
}

#[test]
fn the_log_has_every_attempt_and_what_came_of_it_and_the_journal_has_neither() {
    let receiver = Receiver::new([Say::status(500), Say::status(200)]);
    let post = Post::telling(&receiver);
    let mut stream = Reader::open(&post.server, "");
    let mut followed = Reader::open(&post.server, "?pack=post");
    let cause = post.write("Hello");
    let id = text(&post.landed(), "id").to_owned();
    post.advance("2 minutes").expect(200);
    let entries = log(&post);
    assert_eq!(kinds(&entries), ["state", "exchange", "attempt", "outcome", "attempt", "outcome"]);
    let exchange = &entries[1];
    assert_eq!((&exchange["entry"], &exchange["exchange"]["deliveries"]), (&json!(cause), &json!([id])));
    let attempt = &entries[2];
    let known = ["entry", "at", "kind", "pack", "webhook", "delivery", "attempt", "request", "givenUp"];
    assert_eq!(keys(attempt), known);
    assert_eq!((&attempt["pack"], &attempt["webhook"]), (&json!("post"), &json!("written")));
    assert_eq!((&attempt["delivery"], &attempt["attempt"], &attempt["givenUp"]), (&json!(id), &json!(1), &json!(null)));
    assert_eq!(attempt["request"]["url"], receiver.url("/hook"));
    let outcome = &entries[3];
    assert_eq!(keys(outcome), ["entry", "at", "kind", "pack", "webhook", "delivery", "attempt", "outcome"]);
    assert_eq!(keys(&outcome["outcome"]), ["result", "response", "error", "latencyMillis"]);
    assert_eq!(
        (&outcome["outcome"]["result"], &outcome["outcome"]["response"]["status"]),
        (&json!("refused"), &json!(500))
    );
    assert_eq!((&entries[5]["attempt"], &entries[5]["outcome"]["result"]), (&json!(2), &json!("taken")));

    // A single entry is the same, whatever its kind.
    let single = post.server.control("GET", &format!("/journal/{}", outcome["entry"]), None).expect(200).json();
    assert_eq!(single, *outcome);
    let journal = post.server.control("GET", "/journal", None).expect(200).json();
    assert_eq!((&journal["total"], &journal["records"][0]["entry"]), (&json!(1), &json!(cause)));
    // The stream tells all of the log, and with conditions nothing but exchanges.
    for entry in &entries[1..] {
        let event = stream.expect(text(entry, "kind"));
        assert_eq!(event.id, entry["entry"].as_u64());
        match &*event.kind {
            "exchange" => assert_eq!(event.data, journal["records"][0]),
            _ => assert_eq!(event.data, *entry),
        }
    }
    let last = post.write("Again");
    assert_eq!(["exchange", "exchange"].map(|kind| followed.expect(kind).id), [Some(cause), Some(last)]);
}

#[test]
fn events_say_what_they_tell_and_whether_their_time_had_come() {
    let receiver = Receiver::new([]);
    let post = Post::telling(&receiver);
    for text in ["a", "b", "c"] {
        post.write(text);
    }
    post.all_landed();
    post.server.control("POST", "/events/post/shred", Some(json!({ "id": 1 }))).expect(200);
    post.all_landed();
    let asked = json!({ "pack": "post", "event": "shred", "input": { "id": 3 }, "after": "59 days" });
    post.server.control("POST", "/clock/agenda", Some(asked.clone())).expect(201);
    post.server.control("POST", "/clock/agenda", Some(asked)).expect(201);
    let done = post.advance("60 days").expect(200).json();
    let done = done["done"].as_array().unwrap();
    let events: Vec<Json> = log(&post).into_iter().filter(|entry| entry["kind"] == "event").collect();
    let told = |event: &Json| {
        let told = event["deliveries"].as_array().unwrap().len();
        (event["input"]["id"].as_u64(), event["scheduled"] == true, event["refused"].as_str().map(str::to_owned), told)
    };
    let why = events[2]["refused"].as_str().map(str::to_owned);
    assert!(why.as_ref().is_some_and(|why| why.starts_with("note: ")), "{events:#?}");
    assert_eq!(
        events.iter().map(told).collect::<Vec<_>>(),
        [(Some(1), false, None, 1), (Some(3), true, None, 1), (Some(3), true, why, 0), (Some(2), true, None, 1),]
    );
    let shredded = post.ids("?webhook=shredded");
    let ids: Vec<&str> = events.iter().filter_map(|event| event["deliveries"][0].as_str()).collect();
    assert_eq!(ids, shredded);

    // An advance tells of each attempt with what came of it.
    assert_eq!(kinds(done), ["event", "event", "attempt", "event", "attempt"]);
    assert_eq!((&done[2]["delivery"], &done[2]["outcome"]["result"]), (&json!(shredded[1]), &json!("taken")));
    assert_eq!(done[2]["outcome"]["response"]["status"], 200);
    assert_eq!((&done[2]["at"], &done[4]["at"]), (&json!("2024-11-29T17:15:12Z"), &json!("2024-11-30T17:15:12Z")));
}

#[test]
fn the_request_log_has_a_line_for_each_attempt() {
    let receiver = Receiver::new([Say::status(500), Say::Close, Say::held(200)]);
    let post = Post::with_log("text", &["--freeze"]);
    let url = receiver.url("/hook?key=secret-of-the-url");
    post.hook("h1", &url);
    post.write("Hello");
    post.server.stderr_when(|text| text.contains("attempt 1"));
    post.advance("2 minutes").expect(200);
    let id = text(&post.records("")[0], "id").to_owned();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| post.redeliver(&id));
        receiver.heard_when(3);
        post.server.control("POST", "/reset", None).expect(200);
        receiver.release();
        asked.join().unwrap();
    });
    let lines = post.server.stderr_when(|text| text.lines().count() == 4);
    let to = receiver.url("/hook");
    assert_eq!(
        lines.lines().collect::<Vec<_>>(),
        [
            "2024-10-01T17:15:12Z POST /post/notes 201 #2".to_owned(),
            format!("2024-10-01T17:15:12Z webhook post/written POST {to} 500 attempt 1 #4"),
            format!("2024-10-01T17:17:12Z webhook post/written POST {to} broken attempt 2 #6"),
            format!("2024-10-01T17:17:12Z webhook post/written POST {to} 200 attempt 3 orphaned"),
        ]
    );
}

#[test]
fn the_request_log_of_a_program_has_all_of_an_attempt() {
    let receiver = Receiver::new([Say::status(204), Say::Close]);
    let post = Post::with_log("json", &["--freeze"]);
    post.server.control("POST", "/sandboxes", Some(json!({ "id": "alice" }))).expect(201);
    let body = json!({ "url": receiver.url("/hook?a=b") }).to_string();
    post.server.call("PATCH", "/~alice/_standin/state/post/hook/h1", &[JSON], body).expect(200);
    for text in ["Hello", "Goodbye"] {
        post.write_in("/~alice", text);
        receiver.heard_when(1);
        post.server.stderr_when(|lines| lines.matches("\"attempt\"").count() >= if text == "Hello" { 1 } else { 2 });
    }
    let lines = post.server.stderr_when(|text| text.lines().count() == 4);
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let attempts: Vec<&Json> = lines.iter().filter(|line| line["event"] == "attempt").collect();
    let list = post.server.call("GET", "/~alice/_standin/webhooks", &[], "").expect(200).json();
    for (number, (status, result)) in [(json!(204), "taken"), (json!(null), "broken")].into_iter().enumerate() {
        let mut line = attempts[number].clone();
        assert!(line["latencyMillis"].take().as_f64().is_some_and(|latency| latency > 0.0));
        assert!(line["entry"].take().as_u64().is_some());
        assert_eq!(
            line,
            json!({
                "event": "attempt", "at": "2024-10-01T17:15:12Z", "sandbox": "alice", "pack": "post",
                "webhook": "written", "delivery": list["records"][number]["id"], "attempt": 1, "method": "POST",
                "url": receiver.url("/hook"), "status": status, "result": result, "latencyMillis": null, "entry": null,
            })
        );
    }
}

#[test]
fn metrics_count_attempts_by_what_came_of_them() {
    let receiver = Receiver::new([Say::status(500), Say::Close]);
    let post = Post::telling(&receiver);
    post.write("Hello");
    post.landed();
    post.advance("1 hour").expect(200);
    post.write("Again");
    post.all_landed();
    let metrics = post.server.control("GET", "/metrics", None).expect(200).text();
    let mut counted: Vec<&str> =
        metrics.lines().filter(|line| line.starts_with("standin_webhook_attempts_total{")).collect();
    counted.sort_unstable();
    assert_eq!(
        counted,
        [
            r#"standin_webhook_attempts_total{pack="post",result="broken"} 1"#,
            r#"standin_webhook_attempts_total{pack="post",result="refused"} 1"#,
            r#"standin_webhook_attempts_total{pack="post",result="taken"} 2"#,
        ]
    );
}

#[test]
fn the_index_leads_to_deliveries() {
    let post = Post::start(&[]);
    let index = post.server.control("GET", "", None).expect(200).json();
    let url = format!("{}/_standin/webhooks", post.server.url());
    assert_eq!(index["links"]["webhooks"], url);
}

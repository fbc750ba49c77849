//! What is secret in a pack is masked in what is shown of its webhooks.

use super::*;
use crate::receiver::Say;

const PIN: &str = "a-pin-of-the-note";
const KEY: &str = "key-of-the-first-hook";

/// Everything that shows deliveries.
fn places(post: &Post, id: &str) -> Vec<String> {
    let shown = |path: &str| post.server.control("GET", path, None).expect(200).text();
    // The first entry is the one that says the URL.
    vec![
        shown("/webhooks"),
        shown(&format!("/webhooks/{id}")),
        shown("/log?after=1"),
        shown("/journal/3"),
        shown("/journal/4"),
    ]
}

#[test]
fn secrets_are_masked_wherever_a_delivery_is_shown() {
    // The answer repeats what it was sent, in other places and as text.
    let echo = format!(r#"{{"error":"no note has {PIN} in 0123456789","Pin":"{PIN}","key":"{KEY}"}}"#);
    let headers = [("Set-Cookie", "session=0123456789"), ("X-Echo", KEY), ("Content-Type", "application/json")];
    let receiver = Receiver::new([Say::answer(400, &headers, &echo)]);
    let post = Post::start(&[]);
    let url = receiver.url(&format!("/hook?key=secret-of-the-url&a={PIN}#key=secret-of-the-url"));
    post.hook("h1", &url);
    post.write("Hello");
    let whole = post.landed();
    let id = text(&whole, "id").to_owned();
    for place in places(&post, &id) {
        for secret in [PIN, KEY, "0123456789", "secret-of-the-url"] {
            assert!(!place.contains(secret), "{secret} in {place}");
        }
    }
    let shown = post.server.control("GET", &format!("/webhooks/{id}"), None).expect(200).json();
    let masked = receiver.url("/hook?key=•••&a=•••#key=•••");
    assert_eq!(shown["to"], masked);
    let (request, response) = (&shown["attempts"][0]["request"], &shown["attempts"][0]["response"]);
    assert_eq!(request["url"], masked);
    assert_eq!(request["body"]["text"], r#"{"note":{"id":1,"text":"Hello","pin":"•••"}}"#);
    assert_eq!(request["headers"]["authorization"], "Bearer •••");
    assert_eq!(response["headers"]["set-cookie"], "•••");
    assert_eq!(response["headers"]["x-echo"], "•••");
    assert_eq!(response["body"]["text"], r#"{"error":"no note has ••• in •••","Pin":"•••","key":"•••"}"#);
    // A signature is no secret: who verifies it compares it.
    let heard = &receiver.heard()[0];
    let signature = heard.header("x-note-signature").unwrap();
    assert_eq!((request["headers"]["x-note-signature"].as_str(), signature.len()), (Some(signature), 64));

    // Who asks sees all of it.
    let request = &whole["attempts"][0]["request"];
    assert_eq!(
        (request["url"].as_str(), request["headers"]["authorization"].as_str()),
        (Some(&*url), heard.header("authorization"))
    );
    assert_eq!(
        (&request["body"]["text"], &whole["attempts"][0]["response"]["body"]["text"]),
        (&json!(heard.text()), &json!(echo))
    );
    assert_eq!(whole["to"], url);
    assert_eq!(post.records("?secrets=show")[0]["to"], url);
    let log = post.server.control("GET", "/log?secrets=show", None).expect(200).text();
    assert!(log.contains("secret-of-the-url") && log.contains("0123456789"), "{log}");
}

#[test]
fn what_is_advanced_over_and_redelivered_is_masked() {
    let receiver = Receiver::new([Say::status(500), Say::answer(500, &[], PIN), Say::answer(500, &[], KEY)]);
    let post = Post::telling(&receiver);
    post.write("Hello");
    let id = text(&post.landed(), "id").to_owned();
    let advanced = post.advance("1 hour").expect(200);
    let redelivered = post.server.control("POST", &format!("/webhooks/{id}/redeliver"), None).expect(200);
    assert!(advanced.text().matches("•••").count() >= 4, "{advanced}");
    for answer in [advanced, redelivered] {
        assert!(!answer.text().contains(PIN) && !answer.text().contains(KEY), "{answer}");
    }
}

#[test]
fn names_and_passwords_of_urls_are_masked() {
    let post = Post::start(&[]);
    post.hook("h1", "http://somebody:password-of-them@127.0.0.1:9/hook");
    post.write("Hello");
    let whole = post.landed();
    assert_eq!(results(&whole), ["url"]);
    assert_eq!(whole["to"], "http://somebody:password-of-them@127.0.0.1:9/hook");
    let id = text(&whole, "id").to_owned();
    for place in places(&post, &id) {
        assert!(!place.contains("somebody") && !place.contains("password-of-them"), "{place}");
    }
    assert_eq!(post.records("")[0]["to"], "http://•••@127.0.0.1:9/hook");
}
